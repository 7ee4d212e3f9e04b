"""The hatch between the page's threads and the station's loop: questions are passed in, answers come back.

A page never touches the store or the station. It asks a question, a function of the office; the loop answers
it between two of its looks, on its own thread. So the ledger has one writer and no lock, what plays is never
behind a page by more than one answer, and the simulator needs none of this.

Bound: the queue. What may be asked is `office`; questions must be short, for the loudspeaker waits meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol, TypeVar

from ledger.log import StoreError
from node.page.office import Office

PATIENCE_S: Final = 30.0  # a look of the station takes milliseconds; a worn card's sync may take seconds
SERVED_MAX: Final = 8  # questions between two looks

T = TypeVar("T")


class Ask(Protocol):
    """How a page asks. Raises what the question raises, and StoreError("station-busy")."""

    def __call__(self, question: Callable[[Office], T], /) -> T: ...


class Hatch:
    """wake: ends the loop's sleep; callable from any thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._asked: SimpleQueue[tuple[Future[Any], Callable[[Office], Any]]] = SimpleQueue()
        self.is_open = False  # a page asks here

    def ask(self, question: Callable[[Office], T], /) -> T:
        """From a page's thread."""
        answer: Future[T] = Future()
        self._asked.put((answer, question))
        self._wake()
        try:
            return answer.result(PATIENCE_S)
        except TimeoutError:
            answer.cancel()
            raise _busy() from None

    def serve(self, office: Office) -> bool:
        """On the loop. True when more is waiting: then it must not sleep."""
        for _ in range(SERVED_MAX):
            try:
                answer, question = self._asked.get_nowait()
            except Empty:
                return False
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                found = question(office)
            except BaseException as error:
                # The page says what went wrong; a mistake in a screen must not silence the loudspeaker.
                answer.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                answer.set_result(found)
        return not self._asked.empty()


def _busy() -> StoreError:
    return StoreError("station-busy", "the station did not answer", hint="try again in a minute")
