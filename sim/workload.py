"""What the officers do: write, approve, schedule, warn, withdraw, and now and then try what they may not.

Every act goes through the hub's own commands, with the hub's own rules. An officer whose hub died under the
hands does what a person does: waits, looks what is there, and does what is missing. So each act is an
`ensure`: it reads the hub's queries first and is safe to repeat. Attempts that must be refused are part of
the day (`mischief`), and so are facts smuggled into the hub's ledger past its commands (`smuggle`): a station
must refuse those by itself.

Bound: what came of it all is not known here and not used for any figure; figures come from the ledger.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256

from hub import Hub, Officer, Upload
from ledger.facts import Approved, Right, Scheduled, at, iso, pack_days
from ledger.log import NotAllowed
from sim.faults import Dice
from sim.scenarios import EMERGENCY, LAW_DAY, NORMAL, Notice, Scenario

ADMIN, EDITOR, APPROVER, COMMUNE = "admin", "bientap", "lanhdao", "xa-duyet"
PASSWORDS = {name: f"mat-khau-{name}-2022" for name in (ADMIN, EDITOR, APPROVER, COMMUNE)}
WITHDRAWN = Notice(
    "Thông báo họp thôn",
    "thong-bao",
    NORMAL,
    17 * 60 + 45,
    120,
    "Mời bà con đến nhà văn hóa thôn dự họp lúc 19 giờ.",
)
AGAIN_S = 240.0  # an officer looks again after this long when the hub did not answer


class MustBeRefused(AssertionError):
    """The hub let somebody do what the rules forbid."""


def tone(seconds: int, rate: int, mark: str) -> bytes:
    """A WAV of `seconds`, mono, 8 bit, `rate` samples a second: small, and its duration can be parsed."""
    size = seconds * rate
    wave = sha256(mark.encode()).digest() * (size // 32 + 1)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8, b"data", size
    )
    return head + wave[:size]


@dataclass
class Item:
    """One bulletin of one day as the office means it to be."""

    day: int
    notice: Notice
    territory: str
    rate: int = 50
    bulletin: str = ""

    @property
    def audio(self) -> bytes:
        """Its recording: the length of the slot, at `rate` bytes a second; no two are the same."""
        return tone(self.notice.length_s, self.rate, f"{self.notice.title} {self.day} {self.territory}")


@dataclass
class Office:
    """`hub()` is the living hub or None; `act(what, fn)` runs fn and is False when the hub's power went.

    `later(when_s, fn)` enters fn at a true time. `refused` counts, by code, what the hub rightly refused.
    """

    scenario: Scenario
    dice: Dice
    hub: Callable[[], Hub | None]
    act: Callable[[str, Callable[[], None]], bool]
    later: Callable[[float, Callable[[], None]], object]
    now: Callable[[], float]
    refused: dict[str, int] = field(default_factory=dict)
    smuggled: int = 0
    _done: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    # -- the calendar ------------------------------------------------------------------------------------

    def plan(self, days: int) -> None:
        """Enters every act of `days` broadcast days: bulletins the evening before, the rest by day."""
        for number in range(days):
            day = self.scenario.first_day + number
            for index, notice in enumerate(LAW_DAY):
                item = Item(day, notice, self.scenario.province, rate=300 if index == 0 else 50)
                self._at(
                    day - 1,
                    20 * 60 + 15 + 5 * index,
                    f"publish/{number}/{index}",
                    partial(self._publish, item),
                )
            meeting = Item(day, WITHDRAWN, self._local(number))
            late = self.dice.roll("", "withdraw-late", number) < 0.25
            withdrawn_at = WITHDRAWN.minute + 1 if late else 11 * 60
            self._at(day - 1, 20 * 60 + 50, f"meeting/{number}", partial(self._publish, meeting))
            self._at(day, 9 * 60, f"mischief/{number}", partial(self._mischief, number))
            self._at(day, 9 * 60 + 30, f"smuggle/{number}", partial(self._smuggle, number))
            self._at(day, withdrawn_at, f"withdraw/{number}", partial(self._withdraw, meeting))
            self._at(day, EMERGENCY.minute, f"emergency/{number}", partial(self._warn, number))
            if number % 2 == 1:
                self._at(day, EMERGENCY.minute + 40, f"all-clear/{number}", partial(self._all_clear, number))

    def _local(self, number: int) -> str:
        places = self.scenario.it
        return places[self.dice.below(len(places), "", "meeting-place", number)].unit

    def _at(self, day: int, minute: int, what: str, ensure: Callable[[Hub], None]) -> None:
        def attempt() -> None:
            hub = self.hub()
            if hub is None or not self.act(what, lambda: ensure(hub)):
                self.later(self.now() + AGAIN_S, attempt)
            else:
                self._done.append((self.now(), attempt))

        self.later(at(day, minute), attempt)

    def again(self, since_s: float) -> None:
        """The hub came back from a backup of that moment: look after all that was done since, in order."""
        lost = [attempt for done_s, attempt in self._done if done_s >= since_s]
        self._done = [(done_s, attempt) for done_s, attempt in self._done if done_s < since_s]
        for number, attempt in enumerate(lost):
            self.later(self.now() + AGAIN_S + 60.0 * number, attempt)

    # -- people ------------------------------------------------------------------------------------------

    def staff(self, hub: Hub) -> None:
        """The accounts of the province, as the admin makes them. Safe to repeat."""
        admin = self.officer(hub, ADMIN)
        there = {row.account for row in hub.accounts.rows()}
        wanted = (
            (EDITOR, "Biên tập viên", "editor", self.scenario.province),
            (APPROVER, "Lãnh đạo duyệt", "approver", self.scenario.province),
            (COMMUNE, "Người duyệt của xã", "approver", self.scenario.it[0].unit),
        )
        for account, name, role, territory in wanted:
            if account not in there:
                hub.commands.create_account(
                    admin,
                    account=account,
                    name=name,
                    role=role,
                    territory=territory,
                    password=PASSWORDS[account],
                    now=self._now(),
                )

    def officer(self, hub: Hub, account: str) -> Officer:
        """Logs in, which also proves presence for acts that ask for it."""
        found = hub.accounts.login(account, PASSWORDS[account], now=self._now())
        assert found is not None, f"{account} cannot log in"
        return hub.accounts.prove(found, PASSWORDS[account], now=self._now())

    def _now(self) -> int:
        return int(self.now())

    # -- acts --------------------------------------------------------------------------------------------

    def _publish(self, item: Item, hub: Hub) -> None:
        """Draft, submit, approve, schedule: whatever of these is still missing."""
        if at(item.day, item.notice.minute) <= self.now():
            return
        now, editor, approver = self._now(), self.officer(hub, EDITOR), self.officer(hub, APPROVER)
        self._draft(hub, item, editor)
        page = hub.queries.bulletin(item.bulletin)
        if page.row.state == "draft":
            hub.commands.submit(editor, item.bulletin, now=now)
            page = hub.queries.bulletin(item.bulletin)
        if page.row.state == "submitted":
            hub.commands.approve(
                approver, item.bulletin, version=page.row.version, manifest=page.row.manifest, now=now
            )
        if not page.series:
            hub.commands.schedule(
                editor,
                item.bulletin,
                territory=item.territory,
                days=[item.day],
                minute=item.notice.minute,
                length_s=item.notice.length_s,
                now=now,
            )

    def _draft(self, hub: Hub, item: Item, editor: Officer) -> None:
        title = f"{item.notice.title} ({iso(item.day)})"
        found = [row.id for row in hub.queries.bulletins(text=title) if row.title == title]
        item.bulletin = found[0] if found else ""
        if not item.bulletin:
            item.bulletin = hub.commands.draft_bulletin(
                editor,
                title=title,
                category=item.notice.category,
                klass=item.notice.klass,
                territory=item.territory,
                valid_from_day=item.day,
                valid_until_day=item.day,
                text=f"{item.notice.text} ({iso(item.day)})",
                audio=Upload(item.audio, "ban-tin.wav"),
                now=self._now(),
            )

    def _withdraw(self, item: Item, hub: Hub) -> None:
        known = {row.id: row.state for row in hub.queries.bulletins(text=item.notice.title)}
        if known.get(item.bulletin, "withdrawn") != "withdrawn":
            hub.commands.withdraw(
                self.officer(hub, APPROVER), item.bulletin, reason="Hoãn họp", now=self._now()
            )

    def _warning(self, number: int) -> str:
        return f"{EMERGENCY.text} ({iso(self.scenario.first_day + number)})"

    def _ordered(self, hub: Hub, number: int) -> list[int]:
        text = self._warning(number)
        return [
            row.series for row in hub.queries.all_series() if row.kind == "emergency" and row.text == text
        ]

    def _warn(self, number: int, hub: Hub) -> None:
        over_s = at(self.scenario.first_day + number, EMERGENCY.minute) + EMERGENCY.life_s
        if not self._ordered(hub, number) and self.now() < over_s:
            hub.commands.order_emergency(
                self.officer(hub, APPROVER),
                kind=EMERGENCY.kind,
                level=EMERGENCY.level,
                text=self._warning(number),
                territory=self.scenario.province,
                expires_at=self._now() + EMERGENCY.life_s,
                now=self._now(),
            )

    def _all_clear(self, number: int, hub: Hub) -> None:
        active = {row.series for row in hub.queries.all_series(active_only=True)}
        for series in self._ordered(hub, number):
            if series in active:
                hub.commands.cancel_emergency(
                    self.officer(hub, APPROVER), series, reason="Đã kiểm soát được đám cháy", now=self._now()
                )

    # -- what must be refused ----------------------------------------------------------------------------

    def _mischief(self, number: int, hub: Hub) -> None:
        """Each of these is against a rule; one that goes through ends the run."""
        now, editor, approver = self._now(), self.officer(hub, EDITOR), self.officer(hub, APPROVER)
        commune = self.officer(hub, COMMUNE)
        item = self._bait(hub, number, "mồi", editor)
        row = hub.queries.bulletin(item.bulletin).row
        day, province = item.day, self.scenario.province

        def approve(officer: Officer, manifest: str, version: int) -> Callable[[], object]:
            return lambda: hub.commands.approve(
                officer, item.bulletin, version=version, manifest=manifest, now=now
            )

        def schedule(minute: int) -> Callable[[], object]:
            return lambda: hub.commands.schedule(
                editor, item.bulletin, territory=province, days=[day], minute=minute, length_s=60, now=now
            )

        self._refused("not approved yet", schedule(16 * 60))
        if row.state == "draft":  # else the hub died in the middle of an earlier attempt
            self._refused("not submitted yet", approve(approver, row.manifest, row.version))
            hub.commands.submit(editor, item.bulletin, now=now)
        self._refused("own bulletin", approve(editor, row.manifest, row.version))
        self._refused("beyond the own commune", approve(commune, row.manifest, row.version))
        self._refused("other content than seen", approve(approver, "00" * 32, row.version))
        self._refused("other version than seen", approve(approver, row.manifest, row.version + 1))
        self._refused(
            "an emergency beyond the own commune",
            lambda: hub.commands.order_emergency(
                commune, kind=EMERGENCY.kind, level=3, text="Báo động giả", territory=province, now=now
            ),
        )

    def _refused(self, what: str, attempt: Callable[[], object]) -> None:
        try:
            attempt()
        except NotAllowed as refusal:
            self.refused[refusal.code] = self.refused.get(refusal.code, 0) + 1
            return
        raise MustBeRefused(f"the hub allowed what it must refuse: {what}")

    def _bait(self, hub: Hub, number: int, name: str, editor: Officer) -> Item:
        day = self.scenario.first_day + number
        notice = Notice(
            f"Bản tin {name}", "thong-bao", NORMAL, 16 * 60, 60, f"Nội dung {name} chưa được duyệt."
        )
        item = Item(day, notice, self.scenario.province)
        self._draft(hub, item, editor)
        return item

    def _smuggle(self, number: int, hub: Hub) -> None:
        """Facts no command would write, signed by real officers, straight into the hub's ledger.

        A schedule for content nobody approved; an approval by the author, who may only draft; an approval for
        another commune by somebody who answers for one. One station gets each of them, like any decision.
        """
        editor, commune = self.officer(hub, EDITOR), self.officer(hub, COMMUNE)
        assert not hub.facts.authority.may(
            editor.key.key_id, Right.APPROVE, self.scenario.province, self._now()
        )
        for index, approver in enumerate((None, editor, commune)):
            series = 2**31 - 1 - number * 8 - index
            if series in {row.series for row in hub.queries.all_series()}:
                continue
            item = self._bait(hub, number, f"lén {index}", editor)
            item = replace(item, territory=self._local(number * 3 + index))
            if approver is commune and item.territory == commune.territory:
                item = replace(item, territory=self.scenario.province)
            manifest = bytes.fromhex(hub.queries.bulletin(item.bulletin).row.manifest)
            minute = 16 * 60 + 5 * index
            if approver is not None:
                hub.ledger.append_sealed(approver.key, self._approval(item, manifest).encode())
            hub.ledger.append_sealed(editor.key, self._slot(item, manifest, series, minute).encode())
            self.smuggled += 1

    def _approval(self, item: Item, manifest: bytes) -> Approved:
        return Approved(
            ts=self._now(),
            bulletin=bytes.fromhex(item.bulletin),
            version=1,
            manifest=manifest,
            title=item.notice.title,
            category=item.notice.category,
            klass=item.notice.klass,
            territory=item.territory,
            valid_from_day=item.day,
            valid_until_day=item.day,
        )

    def _slot(self, item: Item, manifest: bytes, series: int, minute: int) -> Scheduled:
        return Scheduled(
            ts=self._now(),
            series=series,
            bulletin=bytes.fromhex(item.bulletin),
            manifest=manifest,
            first_day=item.day,
            days=pack_days(item.day, [item.day]),
            minute=minute,
            length_s=item.notice.length_s,
            territory=item.territory,
            klass=item.notice.klass,
            late_s=900,
            on_interrupt=0,
            reason=None,
        )
