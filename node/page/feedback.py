"""What citizens tell the commune, and what they are told back.

Anybody on the commune's network may write without signing in; words come over the counter and by telephone
as well, then an officer types them in. What arrives waits here, unsigned, until an officer has looked at it:
spam goes no further, and nobody's telephone number leaves the commune by accident. Taken up, it becomes a
signed report (`FeedbackReceived`) and travels to the province; an answer is a person's decision
(`FeedbackAnswered`), the commune's or the province's, and comes back the same way.

The citizen gets a short code and looks the answer up with it, on any phone on that network.

Bound: on the station's loop, short calls. What waits is bounded in number, size and speed: a child with a
phone must not fill the card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.content import accept_line, accept_text, folded
from ledger.facts import FEEDBACK_CHARS_MAX, FeedbackAnswered, FeedbackReceived, Right
from ledger.log import NotAllowed
from node.page.office import Office, Person

TEXT_CHARS_MAX: Final = FEEDBACK_CHARS_MAX
SENDER_CHARS_MAX: Final = 120
CATEGORY_CHARS_MAX: Final = 64
WAITING_MAX: Final = 200  # unread at once; then the box says it is full
AN_HOUR_MAX: Final = 20  # from everybody together; an officer's are not counted
ADDRESS_AN_HOUR_MAX: Final = 3
ROWS_MAX: Final = 200
CODE_CHARS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is mistaken for another

NEW: Final = "new"
TAKEN: Final = "taken"
DROPPED: Final = "dropped"

_TABLE: Final = """CREATE TABLE IF NOT EXISTS node_feedback (
    n INTEGER PRIMARY KEY, feedback BLOB NOT NULL UNIQUE, at_s INTEGER NOT NULL, state TEXT NOT NULL,
    address TEXT NOT NULL, category TEXT NOT NULL, text TEXT NOT NULL, sender TEXT NOT NULL,
    share INTEGER NOT NULL) STRICT"""


@dataclass(frozen=True)
class Reply:
    """who: the label of the signer's grant. state: 0 answered, 1 closed without an answer."""

    who: str
    at: int
    state: int
    text: str


@dataclass(frozen=True)
class Row:
    """One citizen's words. id: hex; code: for the citizen. share: the sender may travel with the words."""

    id: str
    code: str
    at: int
    state: str
    category: str
    text: str
    sender: str
    share: bool
    replies: tuple[Reply, ...]

    @property
    def open(self) -> bool:
        return self.state != DROPPED and not self.replies


class Feedback:
    """Over one office."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._ledger = office.station.ledger
        self._entropy: Callable[[int], bytes] = office.station.entropy
        with self._ledger.transaction() as db:
            db.execute(_TABLE)

    # -- coming in -------------------------------------------------------------------------------------------

    def give(self, *, category: str, text: str, sender: str, share: bool, address: str) -> str:
        """A citizen's words; returns the code to look the answer up with. Nothing is signed yet.

        NotAllowed: text-empty, text-too-long, text-not-allowed, feedback-often, feedback-full.
        """
        words = self._clean(category, text, sender)
        now = self._office.now().ts
        hour = "SELECT count(*) FROM node_feedback WHERE address <> '' AND at_s > ? AND at_s <= ?"
        if self._count(hour, now - 3_600, now) >= AN_HOUR_MAX or (
            self._count(f"{hour} AND address = ?", now - 3_600, now, address) >= ADDRESS_AN_HOUR_MAX
        ):
            raise NotAllowed("feedback-often", "too many within an hour", hint="try again later")
        if self._count("SELECT count(*) FROM node_feedback WHERE state = ?", NEW) >= WAITING_MAX:
            raise NotAllowed("feedback-full", "too many wait to be read", hint="tell the commune in person")
        return self._store(words, share=share, address=address)

    def enter(self, person: Person, *, category: str, text: str, sender: str, share: bool) -> str:
        """Words that an officer was told over the counter or by telephone; taken up at once. Their code."""
        self._must(person)
        words = self._clean(category, text, sender)
        with self._ledger.transaction():
            code = self._store(words, share=share, address="")
            self._take_up(self._by_code(code))
        return code

    def take_up(self, person: Person, name: str) -> None:
        """An officer has read it: it is signed by the station and goes to the province."""
        self._must(person)
        row = self._one(name)
        if row.state == NEW:
            with self._ledger.transaction():
                self._take_up(row)

    def drop(self, person: Person, name: str) -> None:
        """Spam, or not for us: it goes nowhere. NotAllowed("feedback-taken") once it is signed."""
        self._must(person)
        row = self._one(name)
        if row.state == TAKEN:
            raise NotAllowed("feedback-taken", "it is signed and on its way", hint="answer it instead")
        with self._ledger.transaction() as db:
            db.execute(_MARK, (DROPPED, bytes.fromhex(name)))

    def answer(self, person: Person, name: str, text: str, *, closed: bool = False) -> None:
        """The commune's answer, or that there will be none. NotAllowed as `office.sign`, and text-…."""
        row = self._one(name)
        said = "" if closed and not text.strip() else accept_text(text, what="text", chars_max=TEXT_CHARS_MAX)
        if not said and not closed:
            raise NotAllowed("text-empty", "the answer is empty", hint="write it")
        office = self._office
        fact = FeedbackAnswered(office.now().ts, bytes.fromhex(row.id), office.unit, int(closed), said, None)
        with self._ledger.transaction():
            if row.state != TAKEN:
                self._take_up(row)
            office.sign(person, fact)

    # -- asking ----------------------------------------------------------------------------------------------

    def rows(self, *, words: str = "", only: str = "") -> list[Row]:
        """Newest first. only: new, open (taken, without an answer) or dropped; else all but dropped."""
        wanted = folded(words).split()
        states = {"new": (NEW,), "open": (TAKEN,), "dropped": (DROPPED,)}.get(only, (NEW, TAKEN))
        found = []
        for values in self._ledger.db.execute(_SELECT + " ORDER BY n DESC"):
            if values[2] not in states:
                continue
            row = self._row(values)
            if only == "open" and row.replies:
                continue
            text = folded(f"{row.text} {row.category} {row.sender}")
            if all(word in text for word in wanted):
                found.append(row)
            if len(found) == ROWS_MAX:
                break
        return found

    def waiting(self) -> int:
        """What nobody has read yet."""
        return self._count("SELECT count(*) FROM node_feedback WHERE state = ?", NEW)

    def one(self, name: str) -> Row:
        """By hex id. NotAllowed("feedback-unknown")."""
        return self._one(name)

    def look_up(self, code: str) -> Row:
        """By the citizen's code, however typed. NotAllowed("feedback-unknown")."""
        return self._by_code(code)

    def may(self, person: Person) -> bool:
        return self._office.may(person, Right.CORRESPOND)

    # -- inside ----------------------------------------------------------------------------------------------

    def _must(self, person: Person) -> None:
        if not self.may(person):
            raise NotAllowed(
                "no-authority", f"no grant here lets this key: {Right.CORRESPOND.say('en')}",
                hint="the province grants it: read the six words of the key to them",
            )  # fmt: skip

    def _clean(self, category: str, text: str, sender: str) -> tuple[str, str, str]:
        said = accept_text(text, what="text", chars_max=TEXT_CHARS_MAX)
        if not said:
            raise NotAllowed("text-empty", "nothing was written", hint="write what it is about")
        lines = [
            accept_line(line, what=what, chars_max=most) if line.strip() else ""
            for line, what, most in (
                (category, "category", CATEGORY_CHARS_MAX), (sender, "sender", SENDER_CHARS_MAX)
            )
        ]  # fmt: skip
        return lines[0], said, lines[1]

    def _store(self, words: tuple[str, str, str], *, share: bool, address: str) -> str:
        feedback = self._entropy(16)
        with self._ledger.transaction() as db:
            db.execute(
                "INSERT INTO node_feedback (feedback, at_s, state, address, category, text, sender, share) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (feedback, self._office.now().ts, NEW, address, *words, int(share)),
            )
        return code_of(feedback)

    def _take_up(self, row: Row) -> None:
        station = self._office.station
        sender = row.sender if row.share else ""
        fact = FeedbackReceived(self._office.now().ts, bytes.fromhex(row.id), row.category, row.text, sender)
        station.ledger.append(station.key, fact.encode())
        station.ledger.db.execute(_MARK, (TAKEN, bytes.fromhex(row.id)))
        station.agent.hurry(self._office.now().mono_s, station.config.ack_delay_s)

    def _one(self, name: str) -> Row:
        try:
            raw = bytes.fromhex(name)
        except ValueError:
            raw = b""
        found = self._ledger.db.execute(_SELECT + " WHERE feedback = ?", (raw,)).fetchone()
        if found is None:
            raise NotAllowed("feedback-unknown", "there is nothing of this code", hint="look at the list")
        return self._row(found)

    def _by_code(self, code: str) -> Row:
        wanted = "".join(code.upper().split()).replace("-", "")
        for values in self._ledger.db.execute(_SELECT + " ORDER BY n DESC"):
            if values[2] != DROPPED and code_of(bytes(values[0])).replace("-", "") == wanted:
                return self._row(values)
        raise NotAllowed("feedback-unknown", "there is nothing of this code", hint="look at the slip again")

    def _row(self, values: tuple[bytes, int, str, str, str, str, int]) -> Row:
        feedback, at_s, state, category, text, sender, share = values
        authority = self._office.station.facts.authority
        replies = tuple(
            Reply(authority.label_of(one.key_id), one.fact.ts, one.fact.state, one.fact.text)
            for one in self._office.station.facts.replies.get(feedback, ())
        )
        return Row(
            feedback.hex(), code_of(feedback), at_s, state, category, text, sender, bool(share), replies
        )

    def _count(self, sql: str, *values: object) -> int:
        return int(self._ledger.db.execute(sql, values).fetchone()[0])


_SELECT: Final = "SELECT feedback, at_s, state, category, text, sender, share FROM node_feedback"
_MARK: Final = "UPDATE node_feedback SET state = ? WHERE feedback = ?"


def code_of(feedback: bytes) -> str:
    """Eight characters a citizen can copy from a screen: 40 bits of the id's hash, `ABCD-EFGH`."""
    bits = int.from_bytes(sha256(b"loa-feedback-code" + feedback).digest()[:5], "big")
    chars = "".join(CODE_CHARS[bits >> shift & 31] for shift in range(35, -5, -5))
    return f"{chars[:4]}-{chars[4:]}"
