"""Ends a wait from another thread or from a signal handler, without a lock.

A `threading.Event` will not do: a handler runs between two steps of the main thread, and when that stands
inside the event's own lock, `set` waits for ever for what its own thread holds. A byte in a pipe needs none.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress


class Wake:
    """One waiter, any number of wakers."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self._poll = select.poll()
        self._poll.register(self._read, select.POLLIN)

    def set(self) -> None:
        """Ends the wait under way, or the next one. From any thread, also from a signal handler."""
        with suppress(BlockingIOError):  # full: it is woken already
            os.write(self._write, b"\0")

    def wait(self, timeout_s: float) -> None:
        """Returns when woken, or after so long; what woke it is used up."""
        if self._poll.poll(max(timeout_s, 0.0) * 1000):
            while True:
                try:
                    if len(os.read(self._read, 4096)) < 4096:
                        return
                except BlockingIOError:
                    return
