"""What questions are answered with: frozen rows, ids as lower-case hex, times in UTC s, days local.

Bound: values only; the questions are `hub.queries`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.accounts import Person
from hub.media import Relay
from hub.voices import Voice
from ledger.facts import Basis, ClusterReport


@dataclass(frozen=True)
class BulletinRow:
    """One bulletin in its current version. state: draft, submitted, approved, returned or withdrawn.

    origin: "" of this desk, "commune" of a commune's own people, "above" of a level above. here: its list of
    content is at this hub; a commune's stays at its station, and only the hash is known.
    """

    id: str
    title: str
    category: str
    klass: int
    territory: str
    version: int
    state: str
    manifest: str
    valid_from_day: int
    valid_until_day: int
    author: Person
    has_audio: bool
    duration_ms: int
    updated_at: int
    origin: str = ""
    here: bool = True


@dataclass(frozen=True)
class Deed:
    """One signed decision. applied: False when its signer had no right to it, `why` names the reason.

    verified: its segment was read and opened for this answer. role_hint: the label of the signer's grant.
    """

    at: int
    what: str
    who: Person
    role_hint: str
    log_id: str
    seq: int
    event_id: str
    position: int
    verified: bool
    applied: bool
    why: str
    detail: str
    series: int
    territory: str


@dataclass(frozen=True)
class Delivery:
    """IT stations a decision is for: holding it as they confirmed, not yet, never heard of; FM apart."""

    targets: int
    delivered: int
    waiting: int
    never_seen: int
    fm: int


@dataclass(frozen=True)
class SeriesRow:
    """A schedule, or an emergency (bulletin "", level > 0). state: active, cancelled, or withdrawn with its
    bulletin. units: of an order by group, whose territory is the nearest unit above them; () otherwise.
    """

    series: int
    bulletin: str
    title: str
    kind: str
    territory: str
    klass: int
    first_day: int
    days: tuple[int, ...]
    minute: int
    length_s: int
    late_s: int
    state: str
    at: int
    by: Person
    level: int
    drill: bool
    not_before: int
    expires_at: int
    text: str
    manifest: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class AsRunRow:
    """What one station reported of one slot. clusters: None when it says nothing of receiver clusters.

    means: of a person's word (`Means`), with who said_by; −1 for a station's own.
    """

    unit: str
    station: str
    series: int
    day: int
    title: str
    bulletin: str
    planned_at: int
    started_at: int
    outcome: int
    detail: int
    evidence: int
    played_ds: int
    volume: int
    key_id: str
    log_id: str
    seq: int
    position: int
    clusters: ClusterReport | None
    said_by: str = ""
    means: int = -1


@dataclass(frozen=True)
class RenditionRow:
    kind: str
    language: str
    media_type: str
    size: int
    duration_ms: int
    sha256: str


@dataclass(frozen=True)
class RefusalRow:
    """A station that does not follow a decision, and its reason code."""

    unit: str
    event_id: str
    reason: str


@dataclass(frozen=True)
class BulletinPage:
    """All about one bulletin. removed, already_played: stations its withdrawal reached in time, or late."""

    row: BulletinRow
    text: str
    audio_sha256: str
    audio_media_type: str
    renditions: tuple[RenditionRow, ...]
    deeds: tuple[Deed, ...]
    delivery: Delivery
    series: tuple[SeriesRow, ...]
    as_run: tuple[AsRunRow, ...]
    refusals: tuple[RefusalRow, ...]
    removed: int
    already_played: int
    relay: Relay | None = None
    voices: tuple[Voice, ...] = ()
    basis: Basis | None = None


@dataclass(frozen=True)
class StationRow:
    """One station on the wall, as of `as_of`. −1: the station has not said. behind: decisions it lacks."""

    unit: str
    name: str
    kind: str
    enrolled: bool
    last_contact_at: int | None
    head: str
    cursor: int
    behind: int
    pending: int
    clock: int
    software: str
    player: str
    ceiling: int
    playing: int
    blobs_missing: int
    volume: int
    boot_at: int
    forked: bool
    refused: str
    as_of: int
    storage: int = -1  # 0 on its disk, 1 in memory because it is full, 2 because it cannot be written


@dataclass(frozen=True)
class PlanSlot:
    series: int
    day: int
    start_s: int
    length_s: int
    title: str
    klass: int
    emergency: bool
    moved_from_s: int | None = None


@dataclass(frozen=True)
class WeekCell:
    """declined, ordered_minute: what the one station asked for answered; `minute` is then its own. units: as
    of a `SeriesRow`.
    """

    day: int
    minute: int
    series: int
    title: str
    klass: int
    length_s: int
    territory: str
    bulletin: str
    state: str
    declined: bool = False
    ordered_minute: int | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExplainRow:
    """losers: (slot, outcome, detail, the words in Vietnamese)."""

    instant_s: int
    unit: str
    winner: PlanSlot | None
    losers: tuple[tuple[PlanSlot, int, int, str], ...]


@dataclass(frozen=True)
class Summary:
    """One local day. outcomes: name → count among planned slots; unreported: planned and nothing heard of
    it; unplanned: reported although taken back or not on the plan. An emergency counts as reached where it
    sounded. fm_planned: slots of FM stations, whose operators owe a word; fm_attested: those with one.
    """

    day: int
    stations: int
    it: int
    fm: int
    planned: int
    outcomes: dict[str, int]
    missed_by: dict[str, int]
    unreported: int
    unplanned: int
    emergency_targets: int
    emergency_reached: int
    acks: int
    as_of: int
    fm_planned: int = 0
    fm_attested: int = 0
