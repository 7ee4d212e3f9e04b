"""A commune's station. Its whole life happens in `tick`: no thread, no sleep, no clock and no file besides.

One tick looks at the time, takes what the courier brought, looks after the sound, answers for what passed
in silence, and posts the next job. It returns how long it may be left alone. Everything that must survive a
power cut is in the store before it has an effect outside: a row before a sound, an acknowledgment before a
byte. So a restart is simply a new `Station` on the same store, and abandoning one without `close` is a
power cut.

    presence   when was I here, and what time is it      contents   what of the approved content is here
    exchange   the one job that is out at the hub        fetch      what is missing, chunk by chunk
    agenda     the plan around now                       airing     what should have the air
    diary      reports besides acknowledgments           onair      what sounds, and how it ended
    board      what the boards show, and showed
    reckoning  what became of silent slots               vouch      what came by stick, and a person's word
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from ledger.facts import AckCoder, Condition, Facts, audience_of, known_types
from ledger.log import Blobs, Ledger, Store, Stored, VerifyKey
from node import means
from node.agenda import Agenda
from node.airing import Airing
from node.boards.board import Boards
from node.boards.board_rows import BoardRows
from node.clock import Clock, Confidence, Now
from node.clusters.watch import ClusterWatch, MakeDriver
from node.config import StationConfig, load_key
from node.contents import Contents
from node.diary import Arrivals, Diary, catch_up
from node.disk.keeper import Keeper
from node.fetch import Fetcher
from node.items import Items
from node.link.agent import LEAD_S, URGENT_S, SyncAgent
from node.link.courier import Courier
from node.link.exchange import Exchange
from node.means import Means
from node.onair import OnAir
from node.plays import Memories, Plays, prepare
from node.presence import Moment, Presence
from node.reckoning import Reckoner
from node.rest import Rest
from node.sound.glossary import words_of
from node.sound.player import Player
from node.status import Live, Status, Traffic, status_of
from node.stick.vouch import Vouch

DB_NAME: Final = "ledger.db"
SOFTWARE: Final = "loa/0.1.0"
# One tick does at most this many exchanges: an inline courier must not hold the loudspeaker up.
ROUNDS_MAX: Final = 32


class Station:
    """config: who it is. store: its disk, with `station.key` in it. Raises StoreError.

    entropy: n → n random bytes (log ids, nonces). rng: when to call, nothing else. clusters: makes the driver
    of the clusters that `clusters.toml` lists; None drives nobody. storage: what the store is, as `Condition`
    says it. `ledger`, `facts`, `plays` and `key` are
    there to be read by auditors and checkers.
    """

    def __init__(
        self,
        config: StationConfig,
        store: Store,
        clock: Clock,
        courier: Courier,
        player: Player,
        *,
        entropy: Callable[[int], bytes],
        rng: random.Random,
        clusters: MakeDriver | None = None,
        storage: int = 0,
    ) -> None:
        self.config = config
        self.key = load_key(store)
        self.store = store
        self.clock = clock
        self.entropy = entropy
        self._courier = courier
        self._player = player
        now = clock.now()
        self._moment = Moment(now.wall_s, now.mono_s, Confidence.UNKNOWN)
        hub = VerifyKey(config.hub_key)
        roots = [VerifyKey(root) for root in config.roots]
        self.facts = Facts(roots)
        self._arrivals = Arrivals()
        self.ledger = Ledger(
            store.open_db(DB_NAME),
            entropy=entropy,
            now=lambda: self._moment.ts,
            software=SOFTWARE,
            audience_of=audience_of,
            on_admit=self._admit,
            on_rollback=self._reload,
        )
        for key in (*roots, hub, self.key.verify_key):
            self.ledger.trust(key)
        prepare(self.ledger)
        catch_up(self.ledger, f"{SOFTWARE} {known_types()}")
        self.facts.load(self.ledger)
        memories = Memories(self.ledger)
        blobs = Blobs(store)
        self.presence = Presence(self.ledger, memories, stall_s=config.idle_cap_s + config.stall_s)
        self.plays = Plays(self.ledger, int(self.presence.alive_s // 86_400))
        self.vouch = Vouch(self.ledger)
        self._diary = Diary(
            self.ledger, self.key, hub.key_id, self.facts, config.unit, memories, self._arrivals
        )
        contents = Contents(blobs, config.language)
        self._fetcher = Fetcher(
            self.ledger,
            blobs,
            contents,
            store,
            memories,
            self.facts,
            config.unit,
            cap_bytes=config.fetch_day_bytes,
        )
        self._fetcher.fetched_today = self._diary.counters.fetched_bytes
        items = Items(
            contents, self._fetcher, player, volumes=config.volumes, language=config.language,
            glossary=words_of(store), chime=config.chime,
        )  # fmt: skip
        self.watch = ClusterWatch(store, self.ledger, self._diary, self.key.key_id, clusters)
        self._onair = OnAir(
            self.ledger,
            self._diary,
            self.plays,
            self.presence,
            items,
            self.facts,
            player,
            clusters=self.watch.clusters.word,
        )
        self.boards = Boards(
            config.boards, config.name, config.unit, config.language, self.facts, contents, self.presence,
            self.vouch, BoardRows(self.ledger, self._diary.report), self._fetcher.lost,
        )  # fmt: skip
        self._fetcher.serve(self.boards)
        self._agenda = Agenda(self.facts, config.unit, self.plays, config.start_offset_s)
        self._airing = Airing(
            self.facts,
            config.unit,
            self.plays,
            self._agenda,
            contents,
            self._diary,
            self.presence,
            self._onair,
            self.vouch,
            items,
        )
        self._reckoner = Reckoner(
            self.ledger, self.facts, config.unit, self.plays, memories, contents, self._diary, self._onair,
            self._agenda, self.vouch, self.presence,
        )  # fmt: skip
        self.agent = SyncAgent(config, rng, now.mono_s)
        self._exchange = Exchange(
            self.ledger, self.key, hub, courier, self.agent, self._fetcher, self.presence, self._diary,
            room=config.room, deadline_s=config.job_deadline_s, entropy=entropy,
            coder=AckCoder(self.facts, config.unit),
        )  # fmt: skip
        self.watch.list_clusters(self._moment.ts)
        self._onair.cut_off(self.presence.alive_s)
        self._rest = Rest(now.mono_s)
        self._looked_mono_s = self._born_mono_s = now.mono_s  # looked: at everything
        self._lead_for_s: int | None = None  # the slot before which the plan was refreshed last
        self._begun_day = -1
        self._storage = storage
        self._keeper = Keeper(self.ledger, store, every_h=0 if storage else config.backup_every_h)
        self._keep_in_s = 0.0

    # -- the one entry ---------------------------------------------------------------------------------------

    def tick(self) -> float:
        """Does what is due; returns the seconds until it wants to be called again, at most the idle cap.

        Call earlier when the courier has a result. Raises StoreError when the disk fails: then start anew.
        """
        now = self.clock.now()
        done = self._courier.collect()
        if done is None:
            if (left_s := self._rest.left_s(now)) is not None:
                return left_s
            if self._rest.is_for_the_mark(now) and self._only_marks(now):
                return self._wait_s(self._moment, now)
        for _ in range(ROUNDS_MAX):
            moment = self._look(now)
            if done is not None:
                self._exchange.take(done, moment)
                moment = self._look(now)
            self._live(moment)
            self._exchange.give_up_in(moment)
            if not self._exchange.post_next(moment, self.plays, self._condition):
                break
            done = self._courier.collect()
            if done is None:
                break
            now = self.clock.now()
        else:
            # More answers at once than one tick takes: the last one is here and must not be asked for again.
            moment = self._look(now)
            if done is not None:
                self._exchange.take(done, moment)
                moment = self._look(now)
        return self._wait_s(moment, now)

    @property
    def cursor(self) -> int:
        """How far decisions were read; what the doorbell tells the hub. From any thread."""
        return self._exchange.cursor

    def status(self) -> Status:
        """How the station stands, for people and for the simulator."""
        run = self._onair.running
        live = Live(
            utc_s=self._moment.utc_s,
            confidence=self._moment.confidence,
            playing=None if run is None else run.slot.key,
            playing_title="" if run is None else run.slot.title,
            missing=len(self._fetcher.missing(self._moment, self.plays)),
            failures=self.agent.failures,
            player=self._player.name,
            ceiling=self._player.ceiling,
            sync_ok_s=self._exchange.ok_s,
            storage=self._storage,
            ear=getattr(self._player, "complaint", ""),
            traffic=Traffic.of(self._diary.counters),
        )
        return status_of(self.ledger, self.config, self.key.key_id, live=live)

    def means(self, mono_s: float) -> Means:
        """What it can prove with now, and which of its clusters answer."""
        return means.means_of(self._player, self.watch.clusters.shown(), mono_s, mono_s - self._born_mono_s)

    def look_soon(self) -> None:
        """Something changed from outside: the next call of `tick` is due."""
        self._rest.end()

    def close(self) -> None:
        """A clean end: what sounds is stopped and acknowledged as far as it came."""
        moment = self._look(self.clock.now())
        self._onair.stop_for_good(moment)
        self.watch.close(moment)
        with self.ledger.transaction():
            self.presence.mark(moment)
            self._save(moment)
        self._player.close()
        self._courier.close()

    # -- one look --------------------------------------------------------------------------------------------

    def _look(self, now: Now) -> Moment:
        doubted = self.presence.time.in_doubt
        self._moment, step = self.presence.observe(now)
        if self.presence.time.in_doubt and not doubted:
            self.agent.hurry(now.mono_s, 0.0)  # only the hub can say whether we slept or the clock was set
        if step is not None:
            self._diary.report(step)
        return self._moment

    def _live(self, moment: Moment) -> None:
        """Everything that needs no network."""
        self._looked_mono_s = moment.mono_s
        self._diary.note_new(moment, self.plays, self._reckoner.reopen)
        self.watch.look(moment)
        spoke = self._onair.poll(moment)
        self._diary.count_relays(getattr(self._player, "streamed_bytes", 0), moment)
        answered, urgent = self._airing.choose(moment)
        self.watch.follow(self._onair.running, self._start_in_s(moment), moment)
        spoke |= answered
        if urgent:
            self.agent.hurry(moment.mono_s, URGENT_S)
        if moment.trusted:
            spoke |= self._reckoner.answer_for(moment) > 0
            spoke |= self._diary.sum_up(moment, self.plays)
            if self._begun_day < moment.utc_s // 86_400:
                self._begun_day = int(moment.utc_s // 86_400)
                self.plays.forget_before(self._begun_day)
                self._fetcher.fetched_today = self._diary.count_from(moment).fetched_bytes
        if spoke:
            self.agent.hurry(moment.mono_s, self.config.ack_delay_s)
        self._airing.prepare(moment)
        if self.boards.look(moment):
            self.agent.hurry(moment.mono_s, self.config.ack_delay_s)
        self._refresh_before_slot(moment)
        self._keep_in_s = self._keeper.look(moment, self._idle_s(moment))
        self._mark(moment)

    def _mark(self, moment: Moment) -> None:
        """The alive mark when it is due, and what goes with it."""
        if self.presence.mark_due_in(moment) <= 0:
            with self.ledger.transaction():
                self.presence.mark(moment)
                self._save(moment)

    def _only_marks(self, now: Now) -> bool:
        """Writes the mark; False when the clock is worth something else than before: look at everything."""
        before, moment = self._moment, self._look(now)
        if moment.confidence != before.confidence or self.presence.time.in_doubt:
            return False
        self._keep_in_s = self._keeper.look(moment, self._idle_s(moment))
        self._mark(moment)
        return True

    def _refresh_before_slot(self, moment: Moment) -> None:
        """An exchange shortly before a slot when the plan is old: a withdrawal may be waiting."""
        if not moment.trusted or not self.agent.stale(moment.mono_s):
            return
        start_in_s = self._agenda.start_in(moment)
        start_s = round(moment.utc_s + start_in_s) if start_in_s <= LEAD_S else None
        if start_s is not None and start_s != self._lead_for_s:
            self._lead_for_s = start_s
            self.agent.hurry(moment.mono_s, 0.0)

    # -- small things ----------------------------------------------------------------------------------------

    def _wait_s(self, moment: Moment, now: Now) -> float:
        cap_s = self._looked_mono_s + self.config.idle_cap_s - moment.mono_s
        start_in_s = self._start_in_s(moment)
        waits = [cap_s, self._keep_in_s, self._onair.wait_s(moment)]
        waits.append(self._airing.wait_s(moment))
        waits.append(self.watch.clusters.wait_s(moment.mono_s, start_in_s))
        if self._exchange.under_way:
            waits.append(self._exchange.give_up_in(moment))
        else:
            waits.append(self.agent.due_in(moment.mono_s))
            waits.append(max(self._fetcher.retry_in(moment.mono_s), self.agent.fetch_in(moment.mono_s)))
            if self._fetcher.next_job(moment, self.plays) is not None:
                waits.append(self.agent.fetch_in(moment.mono_s))
        waits.append(self.boards.wait_s(moment))
        timed = moment.trusted or self.vouch.is_open(moment)
        edge_s = self._agenda.wake_in(moment) if timed else float("inf")
        if moment.trusted:
            waits.append(self._diary.sum_up_in(moment))
            if start_in_s > LEAD_S:
                waits.append(start_in_s - LEAD_S)
        return self._rest.begin(now, min(waits), self.presence.mark_due_in(moment), edge_s)

    def _start_in_s(self, moment: Moment) -> float:
        """Seconds until the next slot begins, as far as the time is known."""
        return self._agenda.start_in(moment) if moment.trusted else float("inf")

    def _save(self, moment: Moment) -> None:
        self._exchange.save(moment)
        self._reckoner.save()
        self._diary.save()
        self.boards.save()
        self.ledger.put(means.KEPT, means.packed(self.means(moment.mono_s)))

    def _condition(self) -> Condition:
        run = self._onair.running
        boot_s = self.presence.boot_s
        return Condition(
            player=self._player.name,
            ceiling=int(self._player.ceiling),
            clock=int(self._moment.confidence),
            boot_at=-1 if boot_s is None else int(boot_s),
            playing=0 if run is None else run.slot.series,
            blobs_missing=len(self._fetcher.missing(self._moment, self.plays)),
            pending=self.ledger.pending_count(self.key.key_id),
            volume=self.config.volume,
            software=SOFTWARE,
            storage=self._storage,
        )

    def is_quiet(self, for_s: float) -> bool:
        """True when nothing sounds, and nothing is about to for so long."""
        return self._idle_s(self._moment) >= for_s

    def _idle_s(self, moment: Moment) -> float:
        busy = self._onair.running is not None or self._onair.waiting
        return 0.0 if busy else self._start_in_s(moment)

    def _admit(self, stored: Stored) -> list[VerifyKey]:
        self._arrivals.add(stored)
        return self.facts.admit(stored)

    def _reload(self) -> None:
        """A transaction was undone in which decisions had been admitted: fold again from what is stored."""
        self.facts.load(self.ledger)
        self._arrivals.undone()
