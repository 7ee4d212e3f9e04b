"""Who carries bytes while the station goes on: the network is kept out of `tick`.

A station posts at most one job at a time and collects the result in a later tick (or in the same one, with
the inline courier). So a dead hub never delays a loudspeaker, and the simulator can hold a reply back for
hours. A result belongs to its job by equality: a request holds a fresh nonce, so a late or repeated result
of an older job is recognised and dropped by the station.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Protocol, TypeAlias

from ledger.log import TransportError
from node.link.transport import Meter, Transport


@dataclass(frozen=True)
class SyncJob:
    """One signed sync request."""

    request: bytes


@dataclass(frozen=True)
class FetchJob:
    """Bytes offset … offset+length−1 of one blob."""

    sha256: bytes
    offset: int
    length: int


Job: TypeAlias = SyncJob | FetchJob


@dataclass(frozen=True)
class Ring:
    """Nobody's job: the doorbell rang. It is collected like a result, so that it wakes the station."""

    urgent: bool


@dataclass(frozen=True)
class Done:
    """What became of a job: the answer's bytes (unverified), or why there are none. Exactly one is set."""

    job: Job | Ring
    data: bytes | None
    error: TransportError | None


class Courier(Protocol):
    """Whoever drives a station calls `tick` as soon as `collect` would return something."""

    @property
    def meter(self) -> Meter: ...

    def post(self, job: Job) -> None: ...

    def collect(self) -> Done | None: ...

    def close(self) -> None: ...


def carry(transport: Transport, job: Job) -> Done:
    """Runs one job to its end. Link failures become part of the result; anything else is a bug."""
    try:
        if isinstance(job, SyncJob):
            return Done(job, transport.exchange(job.request), None)
        return Done(job, transport.fetch(job.sha256, job.offset, job.length), None)
    except TransportError as error:
        return Done(job, None, error)


class InlineCourier:
    """Runs a job at once, in the caller's time: for tests and for simulated links."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._done: Done | None = None

    @property
    def meter(self) -> Meter:
        return self._transport.meter

    def post(self, job: Job) -> None:
        self._done = carry(self._transport, job)

    def collect(self) -> Done | None:
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        self._done = None


class ThreadCourier:
    """Runs jobs on an executor owned by the shell. `wake` is called from that thread when a result is there.

    An exception that is not a link failure is a bug: it is raised again from `collect`, in the station's
    thread.
    """

    def __init__(self, transport: Transport, executor: Executor, wake: Callable[[], None]) -> None:
        self._transport = transport
        self._executor = executor
        self._wake = wake
        self._results: SimpleQueue[Done | BaseException] = SimpleQueue()
        self._ringing = Lock()
        self._rang: bool | None = None

    @property
    def meter(self) -> Meter:
        return self._transport.meter

    def post(self, job: Job) -> None:
        future = self._executor.submit(carry, self._transport, job)
        future.add_done_callback(lambda ended: self._finish(ended.exception() or ended.result()))

    def ring(self, urgent: bool) -> None:
        """From the doorbell's thread. Rings that nobody collected yet are one ring."""
        with self._ringing:
            self._rang = urgent or bool(self._rang)
        self._wake()

    def collect(self) -> Done | None:
        with self._ringing:
            rang, self._rang = self._rang, None
        if rang is not None:
            if not self._results.empty():
                self._wake()  # one thing at a time, and none forgotten
            return Done(Ring(rang), b"", None)
        try:
            result = self._results.get_nowait()
        except Empty:
            return None
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        """The executor belongs to the shell; a job under way ends at its transport's deadline."""

    def _finish(self, result: Done | BaseException) -> None:
        self._results.put(result)
        self._wake()
