"""One conversation with the hub at a time: the job that is out, and what became of it.

A sync comes first when it is due, content after it; only an emergency's content goes before everything. An
answer changes something only when it is the hub's signed reply to the request that is out (sync), or hashes
to what the manifest says (content). Anything else is a failure of the link, whatever it looked like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ledger.facts import Condition
from ledger.log import (
    Coder,
    Ledger,
    ProtocolError,
    SigningKey,
    TransportError,
    VerifyKey,
    accept_reply,
    make_request,
)
from node.agent import SyncAgent
from node.courier import Courier, Done, FetchJob, Job, SyncJob
from node.diary import Diary
from node.fetch import Fetcher
from node.plays import Plays
from node.presence import Moment, Presence
from node.transport import HubBusy

logger = logging.getLogger("loa.node")

NONCE_BYTES: Final = 8
# The last success and the hub's wish for silence are kept over a restart, at most this often.
SAVE_EVERY_S: Final = 600.0

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
        self._out: tuple[Job, float] | None = None  # the job and when it was posted, monotonic
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
            job = SyncJob(self._request(moment, condition()))
        if job is None and may_fetch:
            job = self._fetcher.next_job(moment, plays)
        if job is None:
            return False
        self._out = (job, moment.mono_s)
        self._courier.post(job)
        return True

    def take(self, done: Done, moment: Moment) -> None:
        """Uses a result. One that belongs to no job that is out is dropped."""
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
        left_s = self._out[1] + self._deadline_s - moment.mono_s
        if left_s > 0:
            return left_s
        job, self._out = self._out[0], None
        self._failed(job, TransportError("no-answer", "the courier lost the job"), moment)
        return float("inf")

    def save(self, moment: Moment) -> None:
        """Keeps the last success, in the open transaction."""
        if self.ok_s != self._saved_ok_s:
            self._ledger.put(OK_S, self.ok_s)
            self._saved_ok_s = self.ok_s

    # -- inside ----------------------------------------------------------------------------------------------

    def _request(self, moment: Moment, condition: Condition) -> bytes:
        return make_request(
            self._ledger,
            self._key,
            nonce=self._entropy(NONCE_BYTES),
            now=moment.ts,
            room=self._room,
            status=condition.encode(),
            coder=self._coder,
        )

    def _synced(self, job: SyncJob, reply: bytes, asked_mono_s: float, moment: Moment) -> None:
        try:
            accepted = accept_reply(self._ledger, self._key, self._hub, job.request, reply)
        except ProtocolError as error:
            self._failed(job, error, moment)
            return
        self._presence.time.learn(accepted.hub_time, asked_mono_s, moment.mono_s)
        self._agent.succeeded(moment.mono_s, more=accepted.more)
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
        retry_after_s = error.retry_after_s if isinstance(error, HubBusy) else None
        if isinstance(job, FetchJob) and not retry_after_s:
            self._agent.fetch_failed(moment.mono_s)
            return
        self._agent.failed(moment.mono_s, retry_after_s)
        self._diary.count_from(moment).syncs_failed += 1
        if retry_after_s and moment.trusted:
            with self._ledger.transaction():
                self._ledger.put(HUSH_UNTIL_S, moment.ts + int(self._agent.open_in(moment.mono_s)))

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
