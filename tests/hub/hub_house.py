"""A founded hub on memory with its three officers, and stations that speak the real sync protocol with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from hub import KDF_CHEAP, Hub, HubConfig, Officer, found
from hub.media import attention_signal
from ledger.facts import Acknowledged, Evidence, Facts, Outcome, at, audience_of, day_from_iso
from ledger.log import (
    Accepted,
    Ledger,
    MemoryStore,
    SigningKey,
    Store,
    Token,
    accept_reply,
    make_enrolment,
    make_request,
    read_enrolment_reply,
    unpack,
)

PROVINCE = "vn.yb"
DAY = day_from_iso("2022-11-09")
MORNING = at(DAY, 8 * 60)
EVENING = 17 * 60
PASSWORDS = {"admin": "quantri-2022", "bientap": "bientap-2022", "lanhdao": "lanhdao-2022"}
OFFICERS = tuple(PASSWORDS)  # of every house; a test that adds another officer adds a password
ROLES = {"bientap": "editor", "lanhdao": "approver"}
TU_LE, XUAN_AI, VIET_THANH, YEN_THINH = "vn.yb.04630", "vn.yb.04441", "vn.yb.04510", "vn.yb.04249"
PLACES = (
    (TU_LE, "Xã Tú Lệ", "it"),
    (XUAN_AI, "Xã Xuân Ái", "it"),
    (VIET_THANH, "Xã Việt Thành", "it"),
    (YEN_THINH, "Phường Yên Thịnh", "fm"),
)
SOUND = attention_signal(drill=True).data


def entropy_from(seed: str) -> Callable[[int], bytes]:
    """Bytes that look random and are the same each run."""
    count = 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}/{count}".encode()).digest(size)

    return entropy


class House:
    """A hub and its clock. `restart` is a new process on the same store."""

    def __init__(
        self,
        seed: str = "house",
        *,
        places: Iterable[tuple[str, str, str]] = PLACES,
        store: Store | None = None,
        limits: dict[str, object] | None = None,
    ) -> None:
        self.now = MORNING
        self.seed = seed
        self.store = MemoryStore() if store is None else store
        self.lives = 0
        config = found(
            self.store,
            province=PROVINCE,
            name="Yên Bái",
            now=self.now,
            entropy=entropy_from(f"{seed}/founding"),
            password=PASSWORDS["admin"],
            kdf=KDF_CHEAP,
        )
        self.config: HubConfig = config.with_limits(**(limits or {}))
        self.hub = self.restart()
        for account, role in ROLES.items():
            self.hub.commands.create_account(
                self.officer("admin"),
                account=account,
                name={"bientap": "Nguyễn Thị Lan", "lanhdao": "Giàng A Páo"}[account],
                role=role,
                territory=PROVINCE,
                password=PASSWORDS[account],
                now=self.now,
            )
        self.hub.commands.register_stations(self.officer("admin"), list(places), now=self.now)

    def restart(self) -> Hub:
        self.lives += 1
        self.hub = Hub(
            self.store,
            config=self.config,
            clock_now=lambda: self.now,
            entropy=entropy_from(f"{self.seed}/{self.lives}"),
        )
        return self.hub

    def later(self, seconds: int) -> None:
        self.now += seconds

    def officer(self, account: str) -> Officer:
        found = self.hub.accounts.login(account, PASSWORDS[account], now=self.now)
        assert found is not None
        return found

    @property
    def editor(self) -> Officer:
        return self.officer("bientap")

    @property
    def approver(self) -> Officer:
        return self.officer("lanhdao")

    @property
    def admin(self) -> Officer:
        return self.officer("admin")

    # -- acts ------------------------------------------------------------------------------------------------

    def draft(self, **more: object) -> str:
        fields: dict[str, object] = {
            "title": "Phòng cháy, chữa cháy rừng mùa hanh khô",
            "category": "chay-no",
            "klass": 2,
            "territory": PROVINCE,
            "valid_from_day": DAY,
            "valid_until_day": DAY + 30,
            "text": "Không đốt nương khi có gió to.",
            "audio": SOUND,
        } | more
        return self.hub.commands.draft_bulletin(self.editor, now=self.now, **fields)  # type: ignore[arg-type]

    def submitted(self, **more: object) -> str:
        bulletin = self.draft(**more)
        self.hub.commands.submit(self.editor, bulletin, now=self.now)
        return bulletin

    def approve(self, bulletin: str, officer: Officer | None = None) -> None:
        seen = self.hub.queries.bulletin(bulletin).row
        self.hub.commands.approve(
            officer or self.approver, bulletin, version=seen.version, manifest=seen.manifest, now=self.now
        )

    def approved(self, **more: object) -> str:
        bulletin = self.submitted(**more)
        self.approve(bulletin)
        return bulletin

    def scheduled(self, bulletin: str | None = None, **more: object) -> int:
        fields: dict[str, object] = {"territory": PROVINCE, "days": [DAY], "minute": EVENING} | more
        return self.hub.commands.schedule(
            self.editor,
            self.approved() if bulletin is None else bulletin,
            now=self.now,
            **fields,  # type: ignore[arg-type]
        )

    def station(self, unit: str = TU_LE) -> Box:
        """An enrolled station."""
        token = self.hub.commands.new_station_token(self.admin, unit, now=self.now)
        return Box(self, token.text)

    def segments(self) -> int:
        return self.hub.ledger.position()


class Box:
    """A station's device, as far as the hub can tell: a key, a ledger, and the sync protocol."""

    def __init__(self, house: House, token: str, seed: str = "") -> None:
        self.house = house
        self.entropy = entropy_from(f"box/{token}/{seed}")
        self.key = SigningKey.from_seed(self.entropy(32))
        parsed = Token.parse(token)
        request = make_enrolment(parsed, self.key, unit="", nonce=self.entropy(8))
        status, reply = house.hub.enrol(request)
        assert status == 200, unpack(reply, bytes_max=4096)
        self.enrolled = read_enrolment_reply(parsed, self.key, request, reply)
        self.unit = self.enrolled.unit
        self.facts = Facts(self.enrolled.roots)
        self.store = MemoryStore()
        self.ledger = Ledger(
            self.store.open_db("ledger.db"),
            entropy=self.entropy,
            now=lambda: house.now,
            audience_of=audience_of,
            on_admit=self.facts.admit,
        )
        self.ledger.trust(self.key.verify_key)
        for root in (*self.enrolled.roots, self.enrolled.hub):
            self.ledger.trust(root)

    def ask(self, status: bytes = b"") -> bytes:
        return make_request(self.ledger, self.key, nonce=self.entropy(8), now=self.house.now, status=status)

    def sync(self, status: bytes = b"") -> Accepted:
        """Rounds until there is nothing more to say, at most twenty."""
        for _ in range(20):
            request = self.ask(status)
            code, reply = self.house.hub.sync(request)
            assert code == 200, unpack(reply, bytes_max=4096)
            accepted = accept_reply(self.ledger, self.key, self.enrolled.hub, request, reply)
            if not accepted.more:
                return accepted
        raise AssertionError("sync does not come to an end")

    def report(self, event: bytes) -> None:
        self.ledger.append(self.key, event)

    def ack(self, series: int, day: int = DAY, **more: object) -> None:
        fact = Acknowledged(
            ts=at(day, EVENING) + 1,
            series=series,
            day=day,
            content=bytes(16),
            jitter_cs=100,
            played_ds=40,
            outcome=int(Outcome.PLAYED),
            detail=0,
            evidence=int(Evidence.DELIVERED),
            volume=80,
            clusters=None,
        )
        self.report(replace(fact, **more).encode())  # type: ignore[arg-type]


def dump(hub: Hub) -> str:
    """Every row of the views, as SQL text."""
    return "\n".join(hub.projections.db.conn.iterdump())


def error_of(body: bytes) -> tuple[str, str, str]:
    """(code, what, hint) of a refusal on the wire."""
    tree = unpack(body, bytes_max=4096)
    assert isinstance(tree, tuple)
    assert tree[0] == "error"
    assert all(isinstance(part, str) for part in tree)
    return str(tree[1]), str(tree[2]), str(tree[3])
