"""One conversation with the hub at a time: the job that is out, and what became of it.

A sync comes first when it is due, content after it; only an emergency's content goes before everything. An
answer changes something only when it is the hub's signed reply to the request that is out (sync), or hashes
to what the manifest says (content). Anything else is a failure of the link, whatever it looked like.

A large request that broke off, or that a busy hub has but could not read yet, is brought again as it is: what
came of it lies at the hub. Everything new waits that long, at most `AGAIN_S`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ledger.facts import Condition
from ledger.log import (
    CURSOR,
    Coder,
    Ledger,
    ProtocolError,
    SigningKey,
    TransportError,
    VerifyKey,
    accept_reply,
    make_request,
)
from node.diary import Diary
from node.fetch import Fetcher
from node.link.agent import SyncAgent
from node.link.courier import Courier, Done, FetchJob, Job, Ring, SyncJob
from node.link.portions import PORTION_BYTES_MIN, Portion
from node.link.transport import WORTH_BYTES, Begun, HubBusy
from node.plays import Plays
from node.presence import Moment, Presence

logger = logging.getLogger("loa.node")

NONCE_BYTES: Final = 8
# The last success and the hub's wish for silence are kept over a restart, at most this often.
SAVE_EVERY_S: Final = 600.0
# A request older than this is made anew: the hub forgets beginnings, and its reply would tell an old time.
AGAIN_S: Final = 600.0
# A line that failed so often in a row is tried with a small request: to pack a month of reports for nothing,
# time and again, costs a small box more than the rest of its life. The first answer calls for the rest.
PROBE_AFTER: Final = 2
PROBE_BYTES: Final = 1_024

OK_S: Final = "node.sync.ok_s"
HUSH_UNTIL_S: Final = "node.sync.hush_until_s"

# What the hub says about content and not about the link.
ABOUT_CONTENT: Final = frozenset({"blob-absent", "blob-missing", "blob-range"})


class Exchange:
    """Posts jobs and takes their results.

    room: bytes of decisions the hub may put into a reply. deadline_s: a courier silent for so long has lost
    the job; its transport's own deadline is far below.
    """

    def __init__(
        self, ledger: Ledger, key: SigningKey, hub: VerifyKey, courier: Courier, agent: SyncAgent,
        fetcher: Fetcher, presence: Presence, diary: Diary, *, room: int, deadline_s: float,
        entropy: Callable[[int], bytes], coder: Coder,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._key = key
        self._hub = hub
        self._courier = courier
        self._agent = agent
        self._fetcher = fetcher
        self._presence = presence
        self._diary = diary
        self._room = room
        self._deadline_s = deadline_s
        self._entropy = entropy
        self._coder = coder
        self._out: tuple[Job, float] | None = None  # the job and when it was first posted, monotonic
        self._posted_s = 0.0  # when it was posted last
        self._again: tuple[SyncJob, float] | None = None  # a request worth bringing again, and since when
        self._portion = Portion()
        self._cursor = _cursor_of(ledger)
        self._metered = (courier.meter.up, courier.meter.down)
        ok_s, hush_until_s = ledger.get(OK_S, 0), ledger.get(HUSH_UNTIL_S, 0)
        self.ok_s = ok_s if isinstance(ok_s, int) else 0  # UTC of the last good exchange
        self._saved_ok_s = self.ok_s
        self._hush_until_s = hush_until_s if isinstance(hush_until_s, int) else 0
        self._hushed = False

    @property
    def under_way(self) -> bool:
        return self._out is not None

    def post_next(self, moment: Moment, plays: Plays, condition: Callable[[], Condition]) -> bool:
        """Posts the most urgent job, if there is one. condition: what the station says of itself."""
        if self._out is not None or self._agent.open_in(moment.mono_s) > 0:
            return False
        self._honour_wish_of_before(moment)
        if self._agent.open_in(moment.mono_s) > 0:
            return False
        may_fetch = self._agent.fetch_in(moment.mono_s) <= 0
        job: Job | None = self._fetcher.next_job(moment, plays, urgent_only=True) if may_fetch else None
        if job is None and self._agent.due_in(moment.mono_s) <= 0:
            job = self._sync_job(moment, condition)
            self._agent.called()
        if job is None and may_fetch:
            job = self._fetcher.next_job(moment, plays)
        if job is None:
            return False
        again = self._again is not None and self._again[0] == job
        # The hub's answer may be as old as the first time it was asked.
        self._out = (job, self._again[1] if again and self._again else moment.mono_s)
        self._posted_s = moment.mono_s
        self._courier.post(job)
        return True

    def take(self, done: Done, moment: Moment) -> None:
        """Uses a result. One that belongs to no job that is out is dropped."""
        if isinstance(done.job, Ring):
            self._agent.rung(moment.mono_s, urgent=done.job.urgent)
            return
        if self._out is None or done.job != self._out[0]:
            return
        job, asked_mono_s = self._out
        self._out = None
        self._count(moment)
        if done.error is not None:
            self._failed(job, done.error, moment)
        elif isinstance(job, FetchJob):
            assert done.data is not None
            self._agent.fetched()
            self._fetcher.take(job, done.data, moment)
            self._diary.count_from(moment).fetched_bytes = self._fetcher.fetched_today
        else:
            assert done.data is not None
            self._synced(job, done.data, asked_mono_s, moment)

    def give_up_in(self, moment: Moment) -> float:
        """Seconds until the job that is out counts as lost; inf when none is out. Gives it up when it is."""
        if self._out is None:
            return float("inf")
        left_s = self._posted_s + self._deadline_s - moment.mono_s
        if left_s > 0:
            return left_s
        job, self._out = self._out[0], None
        self._failed(job, TransportError("no-answer", "the courier lost the job"), moment)
        return float("inf")

    @property
    def cursor(self) -> int:
        """The position up to which decisions were read; may be asked from another thread."""
        return self._cursor

    def save(self, moment: Moment) -> None:
        """Keeps the last success, in the open transaction."""
        if self.ok_s != self._saved_ok_s:
            self._ledger.put(OK_S, self.ok_s)
            self._saved_ok_s = self.ok_s

    # -- inside ----------------------------------------------------------------------------------------------

    def _sync_job(self, moment: Moment, condition: Callable[[], Condition]) -> SyncJob:
        if self._again is not None and moment.mono_s - self._again[1] <= AGAIN_S:
            return self._again[0]
        self._again = None
        return SyncJob(self._request(moment, condition()))

    def _request(self, moment: Moment, condition: Condition) -> bytes:
        return make_request(
            self._ledger,
            self._key,
            nonce=self._entropy(NONCE_BYTES),
            now=moment.ts,
            room=self._room,
            send_max=min(self._portion.bytes, PROBE_BYTES)
            if self._agent.failures >= PROBE_AFTER
            else self._portion.bytes,
            status=condition.encode(),
            coder=self._coder,
        )

    def _synced(self, job: SyncJob, reply: bytes, asked_mono_s: float, moment: Moment) -> None:
        try:
            accepted = accept_reply(self._ledger, self._key, self._hub, job.request, reply)
        except ProtocolError as error:
            self._failed(job, error, moment)
            return
        self._again = None
        self._portion.came(len(job.request), moment.mono_s - asked_mono_s)
        self._presence.time.learn(accepted.hub_time, asked_mono_s, moment.mono_s)
        self._agent.succeeded(moment.mono_s, more=accepted.more)
        self._cursor = _cursor_of(self._ledger)
        self._diary.count_from(moment).syncs_ok += 1
        self.ok_s = accepted.hub_time
        if self.ok_s - self._saved_ok_s >= SAVE_EVERY_S:
            with self._ledger.transaction():
                self.save(moment)
        for log, first_seq, code in accepted.refused:
            logger.warning("the hub refused log %s from %d on: %s", log.log_id.hex(), first_seq, code)
        for strange in accepted.strange:
            logger.warning(
                "the hub holds another history of log %s: restored or cloned?", strange.log_id.hex()
            )
        for unread in accepted.unread:
            logger.warning("a segment of the feed could not be read: %s", unread)

    def _failed(self, job: Job, error: TransportError | ProtocolError, moment: Moment) -> None:
        logger.info("%s", error)
        if isinstance(job, FetchJob) and error.code in ABOUT_CONTENT:
            self._fetcher.failed(job, moment.mono_s)
            return
        if isinstance(job, SyncJob):
            self._keep(job, error, moment)
        retry_after_s = error.retry_after_s if isinstance(error, HubBusy) else None
        if isinstance(job, FetchJob) and not retry_after_s:
            self._agent.fetch_failed(moment.mono_s)
            return
        self._agent.failed(moment.mono_s, retry_after_s)
        self._diary.count_from(moment).syncs_failed += 1
        if retry_after_s and moment.trusted:
            with self._ledger.transaction():
                self._ledger.put(HUSH_UNTIL_S, moment.ts + int(self._agent.open_in(moment.mono_s)))

    def _keep(self, job: SyncJob, error: TransportError | ProtocolError, moment: Moment) -> None:
        """Whether this request is to be brought again as it is."""
        if not isinstance(error, Begun | HubBusy) or len(job.request) < WORTH_BYTES:
            self._again = None
            if not isinstance(error, HubBusy) and len(job.request) >= PORTION_BYTES_MIN:
                self._portion.broke()
        elif self._again is None:
            self._again = (job, self._posted_s)
        if isinstance(error, Begun) and error.moved:
            self._agent.moved()

    def _honour_wish_of_before(self, moment: Moment) -> None:
        """The hub asked for silence and then our power went: the wish stands, once we know the time."""
        if not self._hushed and moment.trusted:
            self._hushed = True
            left_s = self._hush_until_s - moment.utc_s
            if 0 < left_s <= 3_600:
                self._agent.hush(moment.mono_s, left_s)

    def _count(self, moment: Moment) -> None:
        meter = self._courier.meter
        counters = self._diary.count_from(moment)
        counters.up_bytes += meter.up - self._metered[0]
        counters.down_bytes += meter.down - self._metered[1]
        self._metered = (meter.up, meter.down)


def _cursor_of(ledger: Ledger) -> int:
    kept = ledger.get(CURSOR)
    return int.from_bytes(kept[:8], "big") if isinstance(kept, bytes) else 0
