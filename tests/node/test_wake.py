"""What ends the station's wait: another thread, or a signal at any moment."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

from node.wake import Wake


def test_a_signal_at_any_moment_never_locks_its_own_thread_out() -> None:
    wake, came = Wake(), [0]

    def handler(number: int, frame: FrameType | None) -> None:
        came[0] += 1
        wake.set()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while came[0] < 2_000:  # an Event's lock is met within the first hundreds
            wake.set()
            wake.wait(0.001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_a_call_before_the_wait_ends_it_at_once_and_is_used_up() -> None:
    wake = Wake()
    for _ in range(100_000):  # more than a pipe holds
        wake.set()
    began_s = time.monotonic()
    wake.wait(3_600)
    wake.wait(0.05)
    assert time.monotonic() - began_s < 600, "the second wait ends by itself"


def test_another_thread_ends_the_wait() -> None:
    wake = Wake()
    threading.Timer(0.05, wake.set).start()
    wake.wait(3_600)
