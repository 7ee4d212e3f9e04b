"""How a station stands, as plain values: for its screen, for the simulator, and read-only beside a running
one.

What is durable is read from the database, so `loa node status` needs no conversation with the process; what
only the process knows (`Live`) is left out then. Times are UTC seconds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from ledger.facts import UTC_OFFSET_S, Evidence, Outcome, iso, local_day
from ledger.log import Ledger
from node.clock import Confidence
from node.config import StationConfig
from node.diary import COUNTERS, Counters
from node.means import KEPT, Means, unpacked
from node.plays import DONE

VIETNAM = dt.timezone(dt.timedelta(seconds=UTC_OFFSET_S), "+07")


@dataclass(frozen=True)
class Traffic:
    """Bytes of one local day (ISO). up, down: exchanged with the hub, content too; relay: live relays."""

    day: str
    up: int
    down: int
    relay: int

    @classmethod
    def of(cls, counted: Counters) -> Traffic | None:
        """None before anything was counted."""
        if not counted.day:
            return None
        return cls(iso(counted.day), counted.up_bytes, counted.down_bytes, counted.relay_bytes)


@dataclass(frozen=True)
class Live:
    """What the running process knows."""

    utc_s: float
    confidence: Confidence
    playing: tuple[int, int] | None
    playing_title: str
    missing: int
    failures: int
    player: str
    ceiling: Evidence
    sync_ok_s: int
    storage: int = 0  # as in `Condition`
    ear: str = ""  # what is wrong with hearing what sounds; "" when nothing is, or nobody listens
    traffic: Traffic | None = None


@dataclass(frozen=True)
class Status:
    """pending: events not sealed yet. unreceipted: events sealed that the hub is not known to hold.

    position: decisions and own segments stored. outcomes: name → slots of `day`. live: None beside the
    process. kept_s: UTC s of the last copy of the database, 0 for none. in_memory: the disk takes no writes.
    means: what the station can prove with and which clusters answer, as of `alive_s`; None before it ran.
    traffic: of the day at hand, or of the last one.
    """

    unit: str
    name: str
    hub_url: str
    key_id: str
    alive_s: int
    sync_ok_s: int
    pending: int
    unreceipted_logs: int
    position: int
    day: str
    outcomes: dict[str, int]
    unfinished: int
    live: Live | None
    kept_s: int = 0
    in_memory: bool = False
    means: Means | None = None
    traffic: Traffic | None = None

    def to_json_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def status_of(ledger: Ledger, config: StationConfig, key_id: bytes, *, live: Live | None = None) -> Status:
    """The status of the station whose ledger this is (read-only is enough)."""
    alive_s = _number(ledger, "node.alive_s")
    day = local_day(live.utc_s if live is not None else alive_s)
    outcomes: dict[str, int] = {}
    unfinished = 0
    for state, outcome, count in ledger.db.execute(
        "SELECT state, outcome, count(*) FROM node_plays WHERE day = ? GROUP BY state, outcome", (day,)
    ):
        if state == DONE:
            outcomes[Outcome(outcome).name.lower()] = count
        else:
            unfinished += count
    return Status(
        unit=config.unit,
        name=config.name,
        hub_url=config.hub_url,
        key_id=key_id.hex(),
        alive_s=alive_s,
        sync_ok_s=live.sync_ok_s if live is not None else _number(ledger, "node.sync.ok_s"),
        pending=ledger.pending_count(key_id),
        unreceipted_logs=len(ledger.unreceipted(key_id)),
        position=ledger.position(),
        day=iso(day),
        outcomes=outcomes,
        unfinished=unfinished,
        live=live,
        kept_s=_number(ledger, "node.kept_s"),
        means=unpacked(ledger.get(KEPT, "")),
        traffic=_traffic(ledger) if live is None else live.traffic,
    )


def local_time(utc_s: int) -> str:
    """`09/11/2022 17:00:00 +07`, or `never` for 0."""
    if utc_s == 0:
        return "never"
    return dt.datetime.fromtimestamp(utc_s, VIETNAM).strftime("%d/%m/%Y %H:%M:%S %Z")


def _traffic(ledger: Ledger) -> Traffic | None:
    kept = ledger.get(COUNTERS, b"")
    return Traffic.of(Counters.decode(kept)) if isinstance(kept, bytes) and kept else None


def _number(ledger: Ledger, name: str) -> int:
    value = ledger.get(name, 0)
    return value if isinstance(value, int) else 0
