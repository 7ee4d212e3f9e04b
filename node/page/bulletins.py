"""Bulletins of the commune itself: written, heard, submitted, approved by another person, put on the plan.

All of it happens at the station, without any network, and each act is a decision signed by the person's own
key (`office.sign`). The rules are those of the province's desk (`ledger.facts.Life`, `booking`): whoever
wrote a version approves none, an edit needs a new approval, and nothing is approved by silence or by time.
Later the signed logs go up with the others; the sound stays here, where it is played from.

    draft, revise, submit        the officer           Right.DRAFT
    approve, send_back           the second person     Right.APPROVE
    schedule                     the officer           Right.SCHEDULE
    cancel, withdraw             either                Right.CANCEL, and only what was decided at this level

A bulletin of a commune is of class normal, for its own territory alone. Whatever comes from above outranks
it by its class, and is neither withdrawn nor called off here.

Bound: acts, each one short call on the station's loop. What the pages ask is `local_views.py`; the bytes of a
recording come in before, a stretch at a time (`recordings.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.content import accept_line, accept_text
from ledger.facts import (
    BOARD_TEXT,
    CATEGORY_CHARS_MAX,
    MAIN,
    REASON_CHARS_MAX,
    TITLE_CHARS_MAX,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Fact,
    Klass,
    Life,
    Manifest,
    OnInterrupt,
    Rendition,
    Scheduled,
    Slot,
    Target,
    calendar,
    check_slot,
    clashes,
    draw_series,
    pack_days,
    voice_of,
)
from ledger.log import BlobError, Blobs, NotAllowed, Stored, VerifyKey
from ledger.spoken import reading_s
from node.contents import Contents
from node.page.drafts import Drafts, Step, life_of
from node.page.office import Office, Person
from node.sound.glossary import load_glossary
from node.sound.speech import as_spoken

TEXT_CHARS_MAX: Final = 20_000  # twenty minutes read aloud
LATE_S: Final = 900  # how long after its minute a bulletin may still begin
CLASHES_SHOWN: Final = 3


class Bulletins:
    """Over the office of one station. Cheap: made for each question."""

    def __init__(self, office: Office) -> None:
        self.office = office
        station = office.station
        self.blobs = Blobs(station.store)
        self.unit = station.config.unit
        self.language = station.config.language
        self.contents = Contents(self.blobs, self.language)
        known = {VerifyKey(row.pub).key_id: row.id for row in office.people.rows() if row.pub is not None}
        self.drafts = Drafts(station.ledger, station.facts, self.unit, known)

    # -- writing ---------------------------------------------------------------------------------------------

    def draft(
        self,
        person: Person,
        *,
        title: str,
        category: str,
        text: str,
        sound: Rendition | None = None,
        from_day: int,
        until_day: int,
    ) -> bytes:
        """A new bulletin, version 1; returns its id. sound: of a recording that is here already.

        NotAllowed: text-…, audio-missing, days-range, and what `office.sign` refuses with.
        """
        bulletin = self.office.station.entropy(16)
        fact = self._drafted(bulletin, 1, title, category, text, sound, from_day, until_day)
        self._sign(person, fact)
        return bulletin

    def revise(
        self,
        person: Person,
        bulletin: bytes,
        *,
        version: int,
        title: str,
        category: str,
        text: str,
        sound: Rendition | None = None,
        keep_sound: bool = True,
        from_day: int,
        until_day: int,
    ) -> int:
        """The next version over `version`, which the person saw; a draft again. Returns its number."""
        life = self.life(bulletin)
        life.check_revise(version)
        if sound is None and keep_sound:
            sound = self.manifest(life.content.manifest).audio(self.language)
        number = life.content.version + 1
        self._sign(person, self._drafted(bulletin, number, title, category, text, sound, from_day, until_day))
        return number

    def submit(self, person: Person, bulletin: bytes) -> None:
        """Hands the current version to whoever approves here."""
        self._sign(person, self.life(bulletin).submit(self.office.now().ts))

    # -- deciding --------------------------------------------------------------------------------------------

    def approve(self, person: Person, bulletin: bytes, *, version: int, manifest: bytes) -> None:
        """Exactly this version with exactly this content, by one who wrote none of it, when all of it is here
        to be heard. NotAllowed as `Life.approve`, and content-missing.
        """
        steps = self._steps(bulletin)
        wrote = {step.key_id: step.person for step in steps if isinstance(step.fact, Drafted)}
        fact = life_of(steps).approve(
            self.office.now().ts,
            person.key_id,
            _somebody(person.id, person.key_id),
            version=version,
            manifest=manifest,
            account_of=lambda key_id: _somebody(wrote.get(key_id, 0), key_id),
        )
        if not self.contents.is_whole(manifest):
            raise _content_missing()
        self._sign(person, fact)

    def send_back(self, person: Person, bulletin: bytes, reason: str) -> None:
        """Back to its author with the reason."""
        self._sign(person, self.life(bulletin).send_back(self.office.now().ts, _reason(reason)))

    def withdraw(self, person: Person, bulletin: bytes, reason: str) -> None:
        """Takes a bulletin of this commune back for ever. NotAllowed("superior") for one from above."""
        if not self.drafts.steps(bulletin) and bulletin in self.office.station.facts.approvals:
            raise _superior()
        self._sign(person, self.life(bulletin).withdraw(self.office.now().ts, _reason(reason)))

    # -- the plan --------------------------------------------------------------------------------------------

    def schedule(
        self, person: Person, bulletin: bytes, *, days: Iterable[int], minute: int, late_s: int = LATE_S
    ) -> int:
        """Puts an approved bulletin on this commune's plan; returns the series. days: local; minute: 0–1439.

        NotAllowed as `check_slot`, and `clash` when something of its class or above has that time.
        """
        life = self.life(bulletin)
        content, wanted, now = life.content, sorted(set(days)), self.office.now().ts
        length_s = self.length_s(content.manifest)
        check_slot(
            self.office.station.facts, life.state, content, territory=self.unit, days=wanted, minute=minute,
            length_s=length_s, late_s=late_s, now=now,
        )  # fmt: skip
        found = clashes(
            self.office.station.facts, self.unit, days=wanted, minute=minute, length_s=length_s,
            klass=content.klass,
        )  # fmt: skip
        if found:
            raise NotAllowed(
                "clash", f"{len(found)} slots have that time: {_named(found)}", where=_clock(minute),
                hint="choose another time, or move the other one first",
            )  # fmt: skip
        series = draw_series(self.office.station.facts, self.office.station.entropy, commune=True)
        order = Scheduled(
            now, series, bulletin, content.manifest, wanted[0], pack_days(wanted[0], wanted), minute,
            length_s, self.unit, content.klass, late_s, int(OnInterrupt.RESUME), None,
        )  # fmt: skip
        self._sign(person, order)
        return series

    def cancel(self, person: Person, series: int, reason: str) -> None:
        """Calls a series of this commune off. NotAllowed: series-unknown, already-cancelled, superior."""
        facts = self.office.station.facts
        orders = facts.orders.get(series, ())
        if not orders:
            raise NotAllowed("series-unknown", f"there is no series {series} here", hint="look at the plan")
        order = orders[-1]
        if isinstance(order.fact, EmergencyOrdered) or order.fact.territory != self.unit:
            raise _superior()
        if facts.withdrawal_of(order, self.unit) is not None:
            raise NotAllowed("already-cancelled", "the series is called off already", hint="nothing to do")
        now = self.office.now().ts
        self._sign(person, Cancelled(now, int(Target.SERIES), None, series, self.unit, _reason(reason)))

    # -- asking ----------------------------------------------------------------------------------------------

    def life(self, bulletin: bytes) -> Life:
        """The bulletin as it stands. NotAllowed("bulletin-unknown")."""
        return life_of(self._steps(bulletin))

    def manifest(self, name: bytes) -> Manifest:
        """NotAllowed("content-missing") when the card lost it."""
        found = self.contents.manifest(name)
        if found is None:
            raise _content_missing()
        return found

    def text(self, name: bytes) -> str:
        """The words of a manifest, "" when it has none or they are not here."""
        found = self.contents.manifest(name)
        words = None if found is None else found.text(self.language) or found.text(MAIN)
        try:
            return "" if words is None else self.blobs.read(words.sha256).decode("utf-8", "replace")
        except BlobError:
            return ""

    def spoken(self, text: str) -> str:
        """As the station's voice will read it: "đọc thành: …"."""
        return as_spoken(text, voice_of(self.language), load_glossary(self.office.station.store))

    def length_s(self, name: bytes) -> int:
        """Seconds that this content takes on the air: of the recording, or of its words read out."""
        sound = self.manifest(name).audio(self.language)
        if sound is not None:
            return max(1, -(-sound.duration_ms // 1000))
        return reading_s(self.spoken(self.text(name)))

    # -- inside ----------------------------------------------------------------------------------------------

    def _steps(self, bulletin: bytes) -> list[Step]:
        steps = self.drafts.steps(bulletin)
        if not steps:
            raise NotAllowed("bulletin-unknown", "this commune has no such bulletin", hint="look at the list")
        return steps

    def _sign(self, person: Person, fact: Fact) -> Stored:
        """Signed and noted, or neither."""
        with self.office.station.ledger.transaction():
            stored = self.office.sign(person, fact)
            self.drafts.note(stored, person.id)
        return stored

    def _drafted(
        self, bulletin: bytes, version: int, title: str, category: str, text: str, sound: Rendition | None,
        from_day: int, until_day: int,
    ) -> Drafted:  # fmt: skip
        if not 0 <= from_day <= until_day <= calendar.DAY_MAX:
            raise NotAllowed("days-range", "the last day is before the first", hint="correct the days")
        said = accept_text(text, what="text", chars_max=TEXT_CHARS_MAX)
        return Drafted(
            ts=self.office.now().ts,
            bulletin=bulletin,
            version=version,
            title=accept_line(title, what="title", chars_max=TITLE_CHARS_MAX),
            category=accept_line(category, what="category", chars_max=CATEGORY_CHARS_MAX),
            manifest=self._composed(said, sound),
            klass=int(Klass.NORMAL),
            territory=self.unit,
            valid_from_day=from_day,
            valid_until_day=until_day,
        )

    def _composed(self, text: str, sound: Rendition | None) -> bytes:
        renditions = []
        if sound is not None:
            if not self.blobs.has(sound.sha256):
                raise NotAllowed("audio-missing", "the recording did not arrive", hint="upload it again")
            renditions.append(sound)
        if text:
            data = text.encode()
            self.blobs.put(data)
            # Words alone are read out, so they are what a voice can read; beside a recording they are shown.
            language = self.language if sound is not None else voice_of(self.language)
            renditions.append(
                Rendition.of(BOARD_TEXT, "text/plain; charset=utf-8", data, language=language)
            )
        if not renditions:
            raise NotAllowed(
                "text-empty", "a bulletin needs a text or a recording", where="text",
                hint="write or record something",
            )  # fmt: skip
        manifest = Manifest(tuple(renditions))
        return self.blobs.put(manifest.encode())


def _somebody(person: int, key_id: bytes) -> str:
    """Who is behind a key: the person, else the key alone."""
    return str(person) if person else key_id.hex()


def _reason(reason: str) -> str:
    return accept_line(reason, what="reason", chars_max=REASON_CHARS_MAX)


def _superior() -> NotAllowed:
    return NotAllowed(
        "superior", "it was decided above this commune", hint="ask the province; an offer may be declined"
    )


def _content_missing() -> NotAllowed:
    return NotAllowed(
        "content-missing", "its content is not on this card any more", hint="revise it with a new recording"
    )


def _named(found: list[Slot]) -> str:
    said = [f"{calendar.iso(slot.day)} “{slot.title}”" for slot in found[:CLASHES_SHOWN]]
    return ", ".join(said)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
