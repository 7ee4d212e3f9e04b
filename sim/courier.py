"""The node's `Courier` on virtual time: a job leaves, reaches the hub moments later, and its answer returns.

So a power cut can fall between the request and its reply, as it does on a real line. The exchange itself goes
through the station's real `HttpTransport` over the `FaultyLink`, all at one instant (when the request would
reach the hub); the answer is handed over after the time the link says it took. A courier belongs to one life
of a station: after a power cut its job may still reach the hub, but nobody is there to collect.
"""

from __future__ import annotations

from collections.abc import Callable

from node import Done, FetchJob, HttpTransport, Meter, SyncJob, TransportError
from sim.clock import Agenda
from sim.link import FaultyLink


class VirtualCourier:
    """`wake` is called when a result can be collected.

    `leaves(job)` runs before a job's bytes leave the station, `sees(job, done, fate)` after every exchange.
    """

    def __init__(
        self,
        agenda: Agenda,
        transport: HttpTransport,
        link: FaultyLink,
        *,
        wake: Callable[[], None],
        leaves: Callable[[SyncJob | FetchJob], None],
        sees: Callable[[SyncJob | FetchJob, Done, str], None],
    ) -> None:
        self._agenda = agenda
        self._transport = transport
        self._link = link
        self._wake = wake
        self._leaves = leaves
        self._sees = sees
        self._ready: list[tuple[Done, bool]] = []
        self._dead = False
        self.false_reply = False  # the reply collected last was not the hub's own, or was damaged on the way

    @property
    def meter(self) -> Meter:
        return self._transport.meter

    def post(self, job: SyncJob | FetchJob) -> None:
        self._leaves(job)
        self._agenda.after(0.05, lambda: self._exchange(job))

    def collect(self) -> Done | None:
        if not self._ready:
            return None
        done, true = self._ready.pop(0)
        self.false_reply = not true and done.data is not None and isinstance(done.job, SyncJob)
        return done

    def close(self) -> None:
        self._dead = True

    def lose_power(self) -> None:
        """What is on the wire goes on; what comes back finds nobody."""
        self._dead = True

    def _exchange(self, job: SyncJob | FetchJob) -> None:
        try:
            if isinstance(job, SyncJob):
                data = self._transport.exchange(job.request)
            else:
                data = self._transport.fetch(job.sha256, job.offset, job.length)
            done = Done(job=job, data=data, error=None)
        except TransportError as error:
            done = Done(job=job, data=None, error=error)
        self._sees(job, done, self._link.fate)
        true = self._link.true
        self._agenda.after(self._link.took_s, lambda: self._deliver(done, true))

    def _deliver(self, done: Done, true: bool) -> None:
        if not self._dead:
            self._ready.append((done, true))
            self._wake()
