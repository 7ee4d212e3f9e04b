"""The desk: who sits there, what they may, and what they hold in their hands.

What every command asks first: does the role do this at all, may this key there, was the password typed just
now. A key's right is asked of the ledger's grants, the same that every station asks. The role at the desk
narrows it further: an administrator's key must hold every right to pass it on, and still does not approve.

Bound: asking and loading; the acts themselves are `hub.commands`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from hub.accounts import Accounts, Officer
from hub.bulletins import Bulletin
from hub.config import HubConfig
from hub.enrolment import Enrolment
from hub.media import Composed, Part, Relay, Upload, accept_line, accept_text, compose
from hub.schedules import Series, series_id
from ledger.facts import (
    REASON_CHARS_MAX,
    Facts,
    Manifest,
    Rendition,
    Right,
    is_unit,
)
from ledger.log import (
    Blobs,
    Ledger,
    NotAllowed,
)
from ledger.recorder import Decisions, again

RIGHTS: dict[str, Right] = {
    "editor": Right.DRAFT | Right.SCHEDULE | Right.CORRESPOND | Right.ATTEST,
    "approver": Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL | Right.ISSUE
    | Right.CORRESPOND | Right.ATTEST,
    "admin": Right.ADMIN | Right.GRANT,
}
"""What a role does at this desk."""

ALL_RIGHTS = Right(sum(Right))

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D", bound="Desk")


def act(method: Callable[Concatenate[D, P], R]) -> Callable[Concatenate[D, P], R]:
    """One officer at a time; again from fresh state when a race was lost; then let the views catch up."""

    @wraps(method)
    def acted(self: D, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            result = again(lambda: method(self, *args, **kwargs))
            self._after()
            return result

    return cast("Callable[Concatenate[D, P], R]", acted)


class Desk:
    """after: called when a command has decided something. lock: the hub's."""

    def __init__(
        self,
        *,
        config: HubConfig,
        ledger: Ledger,
        decisions: Decisions,
        facts: Facts,
        blobs: Blobs,
        accounts: Accounts,
        enrolment: Enrolment,
        entropy: Callable[[int], bytes],
        lock: RLock,
        after: Callable[[], None],
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._decisions = decisions
        self._facts = facts
        self._blobs = blobs
        self._accounts = accounts
        self._enrolment = enrolment
        self._entropy = entropy
        self._lock = lock
        self._after = after

    def _may(self, officer: Officer, right: Right, territory: str, now: int) -> None:
        if not is_unit(territory):
            raise NotAllowed(
                "territory-unknown", f"{territory!r} is no unit", hint="choose a unit of the list"
            )
        if not RIGHTS.get(officer.role, Right(0)) & right:
            raise NotAllowed(
                "no-right",
                f"the role {officer.role} may not: {right.say('en')}",
                where=officer.account,
                hint="ask somebody whose task it is",
            )
        if not self._facts.authority.may(officer.key.key_id, right, territory, now):
            raise NotAllowed(
                "no-right",
                f"this key may not there: {right.say('en')}",
                where=territory,
                hint="an administrator grants rights; choose a territory you answer for",
            )

    def _proven(self, officer: Officer, now: int) -> None:
        if now - officer.proved_at > self._config.proof_s:
            raise NotAllowed(
                "proof-needed", "this needs the password, typed now", hint="type your password again"
            )

    def _bulletin(self, bulletin: str) -> Bulletin:
        raw = from_hex(bulletin)
        found = self._decisions.find(Bulletin, UUID(bytes=raw)) if len(raw) == 16 else None
        if found is None:
            raise NotAllowed(
                "bulletin-unknown", "there is no such bulletin", where=bulletin, hint="look at the list"
            )
        return found

    def _series(self, series: int) -> Series:
        found = self._decisions.find(Series, series_id(series))
        if found is None:
            raise NotAllowed("series-unknown", f"there is no series {series}", hint="look at the plan")
        return found

    def _compose(
        self, text: str, audio: Upload | bytes | None, kept: Rendition | None, relay: Relay | None = None,
        more: Sequence[Part] = (), source: Manifest | None = None,
    ) -> Composed:  # fmt: skip
        said = accept_text(text, what="text", chars_max=self._config.text_chars_max)
        return compose(
            self._blobs, text=said, audio=audio, audio_bytes_max=self._config.audio_bytes_max,
            kept_audio=kept, relay=relay, more=more, source=source,
        )  # fmt: skip


def within(value: int, low: int, high: int, code: str, what: str) -> int:
    if not low <= value <= high:
        raise NotAllowed(code, f"{what} is {value}", where=what, hint=f"from {int(low)} to {int(high)}")
    return value


def clean_reason(reason: str) -> str:
    return accept_line(reason, what="reason", chars_max=REASON_CHARS_MAX)


def from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
