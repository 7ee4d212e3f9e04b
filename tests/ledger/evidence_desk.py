"""A hub and a station with their ledgers, an officer and an administrator; for tests of evidence."""

from __future__ import annotations

from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY

from ledger.evidence import Finding, gather
from ledger.facts import (
    Acknowledged,
    Approved,
    Evidence,
    Facts,
    Granted,
    Outcome,
    Right,
    audience_of,
    day_from_iso,
)
from ledger.facts.endings import Revoked
from ledger.log import Ledger, MemoryStore, SigningKey, accept_reply, answer, make_request

ROOT = SigningKey.from_seed(b"root of Yen Bai, a key for tests")
ADMIN = SigningKey.from_seed(b"admin of Yen Bai, key for tests.")
NOON_S = 1_667_969_100  # 2022-11-09 11:45 +07
DAY = day_from_iso("2022-11-09")
PROVINCE, HERE = "vn.yb", "vn.yb.04630"


class Province:
    """A hub and a station with their facts, and an officer; one round carries everything."""

    def __init__(self) -> None:
        self.clock = NOON_S
        self.stores = {7: MemoryStore(), 9: MemoryStore()}
        self.hub = self._ledger(7)
        self.station = self._ledger(9)
        grants = (
            (ROOT, HUB_KEY, Right.RECEIPT | Right.INGEST | Right.ACK | Right.GRANT, PROVINCE, 2, "Máy chủ"),
            (ROOT, ADMIN, Right.APPROVE | Right.GRANT, PROVINCE, 3, "Sở VHTTDL"),
            (ADMIN, OFFICER_KEY, Right.APPROVE, PROVINCE, 0, "Phòng Văn hóa"),
            (HUB_KEY, NODE_KEY, Right.ACK, HERE, 0, "Xã Tú Lệ"),
        )
        for issuer, subject, classes, unit, depth, label in grants:
            fact = Granted(
                ts=NOON_S, subject_pub=subject.verify_key.raw, classes=int(classes), territory=unit,
                not_before=NOON_S - 60, not_after=NOON_S + 86_400, depth=depth, label=label,
            )  # fmt: skip
            self.hub.append_sealed(issuer, fact.encode())
        self.station.trust(ROOT.verify_key)
        self.round()

    def restart(self) -> None:
        """Another process of the hub: it opens another log."""
        self.hub = self._ledger(7)

    def _ledger(self, seed: int) -> Ledger:
        facts = Facts([ROOT.verify_key])
        self.drawn = getattr(self, "drawn", 0) + 10_000
        drawn = iter(range(self.drawn, self.drawn + 1_000))
        kept = Ledger(
            self.stores[seed].open_db("ledger.db"),
            entropy=lambda count: next(drawn).to_bytes(count, "big"),
            now=lambda: self.clock,
            audience_of=audience_of,
            on_admit=facts.admit,
        )
        kept.trust(ROOT.verify_key)
        return kept

    def round(self) -> None:
        request = make_request(self.station, NODE_KEY, nonce=self.clock.to_bytes(8, "big"), now=self.clock)
        units = ("vn", PROVINCE, HERE)
        given_ = answer(self.hub, HUB_KEY, request, now=self.clock, audiences_of=lambda key: units)
        accept_reply(self.station, NODE_KEY, HUB_KEY.verify_key, request, given_.reply)

    def acknowledge(self, series: int) -> None:
        fact = Acknowledged(
            ts=self.clock, series=series, day=DAY, content=bytes(16), jitter_cs=4, played_ds=900,
            outcome=Outcome.PLAYED, detail=0, evidence=Evidence.DELIVERED, volume=80, clusters=None,
        )  # fmt: skip
        self.station.append(NODE_KEY, fact.encode())

    def approve(self, by: SigningKey = OFFICER_KEY) -> int:
        fact = Approved(
            ts=self.clock, bulletin=bytes(16), version=1, manifest=bytes(32), title="Ngày Pháp luật",
            category="", klass=2, territory=HERE, valid_from_day=DAY, valid_until_day=DAY,
        )  # fmt: skip
        return self.hub.append_sealed(by, fact.encode()).position

    def evidence(self, ledger: Ledger, position: int, index: int = 0) -> tuple[bytes, Finding]:
        return gather(ledger, next(iter(ledger.since(position - 1, limit=1))), index)


def position_of(ledger: Ledger, event: bytes) -> tuple[int, int]:
    """Where the latest segment with an event that begins so stands: (position, index)."""
    found = [
        (stored.position, index)
        for stored in ledger.since(0)
        for index, other in enumerate(stored.segment.events)
        if event in other
    ]
    return found[-1]


def revoke(
    province: Province, by: SigningKey, key: SigningKey, *, cut: tuple[bytes, int], kept: bytes
) -> None:
    log, seq = cut
    fact = Revoked(
        ts=province.clock, subject=key.key_id, territory=PROVINCE, hub_key=HUB_KEY.key_id, hub_log=log,
        hub_seq=seq, exceptions=kept, reason="mất khóa",
    )  # fmt: skip
    province.hub.append_sealed(by, fact.encode())
