"""What a fact's fields may hold, and how a fact becomes an event and back.

A fact is a frozen dataclass; its event is the canonical array `[type, ts, field…]` in the order of the
dataclass. Each field has one check of type and range, named once in the class's `CHECKS`. Reading and
writing use the same checks: what we would not apply we do not sign, and whatever arrives is either a fact
whose every field is in range or a `Malformed` with a stable reason. Reasons are `bad-<field>` for one
field, the names in `problem()` for fields that contradict each other, and the codec's own code for bytes
that are no event at all.

Only lengths are judged in texts here: Unicode's tables change between versions, and two stations must not
disagree on whether an event is valid. `acceptable_text` is what a hub asks before it lets an officer sign.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, cast

from ledger.facts.units import is_unit
from ledger.log import codec
from ledger.log.errors import CodecError

Check: TypeAlias = Callable[[object], bool]

TS_MAX = (1 << 40) - 1  # seconds; far beyond any calendar, far below what a float keeps exactly
SERIES_MAX = (1 << 31) - 1
COUNT_MAX = (1 << 53) - 1  # counters stay exact in every language's numbers


@dataclass(frozen=True)
class Malformed:
    """Signed bytes that are not a fact we know: kept, forwarded, provable, never applied."""

    event: bytes
    reason: str


@dataclass(frozen=True)
class Kind:
    """The base of every fact: `ts` is the author's own clock in UTC seconds, advisory."""

    TYPE: ClassVar[int]
    CHECKS: ClassVar[Mapping[str, Check]] = {}

    ts: int

    def problem(self) -> str | None:
        """Why fields that are each in range contradict one another, or None."""
        return None

    def values(self) -> tuple[codec.Value, ...]:
        """The event's items as plain values, in order. Enum members become their numbers."""
        return (self.TYPE, _plain(self.ts), *(_plain(getattr(self, name)) for name in self.CHECKS))

    def encode(self) -> bytes:
        """The canonical event. Raises CodecError with the reason when a field is out of range."""
        values = self.values()
        reason = _reason(self.CHECKS, values) or self.problem()
        if reason is not None:
            raise CodecError(
                reason, f"{type(self).__name__} does not hold what its type allows", where=reason
            )
        return codec.encode(values)

    @classmethod
    def from_values(cls, values: Sequence[codec.Value]) -> Kind | str:
        """The fact in decoded items (type included), or the reason why there is none."""
        if len(values) != len(cls.CHECKS) + 2:
            return "bad-arity"
        reason = _reason(cls.CHECKS, values)
        if reason is not None:
            return reason
        fact = cast(Callable[..., Kind], cls)(*values[1:])
        return fact.problem() or fact


def _plain(value: Any) -> codec.Value:
    """IntEnum and IntFlag members as plain ints: the codec takes exact types only."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return cast(codec.Value, value)


def _reason(checks: Mapping[str, Check], values: Sequence[codec.Value]) -> str | None:
    if not _ts(values[1]):
        return "bad-ts"
    for (name, check), value in zip(checks.items(), values[2:], strict=True):
        if not check(value):
            return "bad-" + name.replace("_", "-")
    return None


def whole(low: int, high: int) -> Check:
    """An int, not a bool, low ≤ n ≤ high."""
    return lambda value: type(value) is int and low <= value <= high


def flag(value: object) -> bool:
    """A bool."""
    return type(value) is bool


def exactly(length: int) -> Check:
    """Bytes of one length."""
    return lambda value: type(value) is bytes and len(value) == length


def octets(low: int, high: int) -> Check:
    """Bytes, low ≤ length ≤ high."""
    return lambda value: type(value) is bytes and low <= len(value) <= high


def chars(low: int, high: int) -> Check:
    """A string, low ≤ characters ≤ high."""
    return lambda value: type(value) is str and low <= len(value) <= high


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value: type(value) is str and value in words


def or_nil(check: Check) -> Check:
    """Nil, or what `check` takes."""
    return lambda value: value is None or check(value)


def unit_path(value: object) -> bool:
    """A unit path."""
    return type(value) is str and is_unit(value)


_ts = whole(0, TS_MAX)

# Characters that change the order in which a reader sees a line, or that nobody sees at all: a title holding
# one reads differently from what was approved.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset(
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0"
)


def acceptable_text(text: str, max: int, *, lines: bool = False) -> str | None:  # noqa: A002
    """Why a hub must not let an officer sign this text, or None when it may.

    max: characters. lines: line feeds are allowed (a body), otherwise not (a title).
    Reasons: `empty`, `too-long`, `surrogate`, `control-character`, `bidi-character`, `invisible-character`,
    `not-nfc`, `outer-space`. A rule of acceptance, not of validity: it may change with Unicode's tables.
    """
    if not text.strip():
        return "empty"
    if len(text) > max:
        return "too-long"
    for char in text:
        if char in _BIDI:
            return "bidi-character"
        if char in _INVISIBLE:
            return "invisible-character"
        category = unicodedata.category(char)
        if category == "Cs":
            return "surrogate"
        if category in ("Zl", "Zp") or (category == "Cc" and not (lines and char == "\n")):
            return "control-character"
    if not unicodedata.is_normalized("NFC", text):
        return "not-nfc"
    if not lines and text != text.strip():
        return "outer-space"
    return None
