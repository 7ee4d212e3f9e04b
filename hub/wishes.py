"""Keys that wait at stations for their rights: whose they are, the words to compare, what may be given.

A commune's person makes a key at the station's own page, and the station reports the wish (`KeyOffered`).
It gives nothing: anybody who holds a station could report any name. So an administrator calls the person,
hears six words, finds them here, and grants: for exactly that station's unit, and of what was asked no more
than a commune may have and the administrator may pass on.

    open       nobody has decided; or it was asked again after a refusal
    granted    the key holds all that could be given of what it asks
    refused    an administrator said no; the wish stays in the ledger and is shown on request

A refusal is a note of this hub, beside the ledger: whoever reads the ledger sees that nothing was granted.

Bound: reads, and that note. The act is `registry`, the pages are `web.pages.wishes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.facts import Facts, KeyOffered, Right, covers
from ledger.log import OFFER, KeyRefused, Ledger, SignatureError, VerifyKey, key_id, key_words

if TYPE_CHECKING:
    from hub.hub import Hub

# What a person of a commune may have at all. Emergencies, stations and grants stay with the province.
COMMUNAL: Final = (
    Right.DRAFT | Right.APPROVE | Right.SCHEDULE | Right.CANCEL | Right.PROGRAMME | Right.ATTEST
    | Right.CORRESPOND
)  # fmt: skip
WISHES_PER_STATION: Final = 20  # kept: the newest; a commune's office has a handful of people
TERMS_YEARS: Final = (1, 2, 5)  # how long a grant is given for; five is a term of office
YEAR_S: Final = 365 * 86_400
BEFORE_S: Final = 86_400  # a station's clock may be behind by this and its people may sign all the same

_NOTES: Final = """CREATE TABLE IF NOT EXISTS hub_wishes_refused (
    unit TEXT NOT NULL, pub BLOB NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL,
    account TEXT NOT NULL, PRIMARY KEY (unit, pub)) STRICT"""


@dataclass(frozen=True)
class Wish:
    """One key that asks. asked: as reported; givable: what this administrator can give of it; held: now.

    words: what the person reads out. others: key ids of the same station and name that hold rights already.
    """

    unit: str
    pub: bytes
    label: str
    asked: Right
    givable: Right
    held: Right
    at: int
    position: int
    words: str
    state: str
    others: tuple[str, ...]

    @property
    def key_id(self) -> str:
        return key_id(self.pub).hex()


def proves_itself(offer: KeyOffered, station: bytes) -> bool:
    """True when the offered key's owner signed for this station's key (its id)."""
    try:
        VerifyKey(offer.subject_pub).verify(OFFER, station + offer.subject_pub, offer.possession)
    except (KeyRefused, SignatureError):
        return False
    return True


def wishes_of(hub: Hub, giver: bytes) -> list[Wish]:
    """All that stations report, newest first. giver: key id of the administrator who looks."""
    with hub.lock:
        rows = hub.projections.db.execute(
            "SELECT unit, pub, station, label, classes, at, position FROM wishes ORDER BY position DESC"
        ).fetchall()
        refused = _refused(hub.ledger)
        now = hub.now()
        return [_wish(hub.facts, row, refused, giver, now) for row in rows]


def wish_of(hub: Hub, giver: bytes, unit: str, key: str) -> Wish | None:
    """The wish of this key at this station."""
    return next((one for one in wishes_of(hub, giver) if (one.unit, one.key_id) == (unit, key)), None)


def note_refusal(ledger: Ledger, wish: Wish, account: str, now: int) -> None:
    """The wish is answered with no, until it is asked again. In the caller's transaction or its own."""
    with ledger.transaction() as db:
        db.execute(_NOTES)
        db.execute(
            "INSERT OR REPLACE INTO hub_wishes_refused VALUES (?, ?, ?, ?, ?)",
            (wish.unit, wish.pub, wish.position, now, account),
        )


def rights_at(facts: Facts, key: bytes, unit: str, now: int) -> Right:
    """What this key may sign for exactly this commune."""
    may = facts.authority.may_exactly
    return Right(sum(right for right in COMMUNAL if may(key, right, unit, now)))


def _wish(
    facts: Facts,
    row: tuple[str, bytes, bytes, str, int, int, int],
    refused: dict[tuple[str, bytes], int],
    giver: bytes,
    now: int,
) -> Wish:
    unit, pub, station, label, classes, at, position = row
    key = key_id(pub)
    asked = Right(classes & sum(Right))
    passable = [
        Right(grant.classes & sum(Right)) & asked & COMMUNAL
        for grant in facts.authority.grants_of(giver)
        if grant.classes & Right.GRANT and covers(grant.territory, unit)
    ]
    # No two grants add up: the one that carries most of it.
    can_give = max(passable, key=lambda one: one.bit_count(), default=Right(0))
    if facts.authority.is_root(giver):
        can_give = COMMUNAL
    givable, held = asked & can_give, rights_at(facts, key, unit, now)
    state = "open"
    if refused.get((unit, pub), -1) >= position:
        state = "refused"
    elif held & asked & COMMUNAL and not givable & ~held:
        state = "granted"
    return Wish(
        unit, pub, label, asked, givable, held, at, position, key_words(station, pub), state,
        _others(facts, unit, label, key, now),
    )  # fmt: skip


def _others(facts: Facts, unit: str, label: str, key: bytes, now: int) -> tuple[str, ...]:
    authority = facts.authority
    return tuple(
        one.key_id.hex()
        for one in authority.keys()  # noqa: SIM118 — not a mapping
        if one.key_id != key
        and authority.label_of(one.key_id) == label
        and rights_at(facts, one.key_id, unit, now)
    )


def _refused(ledger: Ledger) -> dict[tuple[str, bytes], int]:
    known = ledger.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'hub_wishes_refused'").fetchone()
    if known is None:
        return {}
    rows = ledger.db.execute("SELECT unit, pub, position FROM hub_wishes_refused")
    return {(unit, bytes(pub)): position for unit, pub, position in rows}
