"""The hub: wires the rooms together and gives them one lock.

    found(store, …)   makes a hub once: root key, hub key, the first administrator, the first grants
    Hub(store, …)     the running hub: commands, queries, sync, enrolment, blobs, tick

A hub handles one thing at a time, as a function of bytes or of a call; threads, sockets and clocks belong
to whoever drives it (`hub.cli`, the simulator). It may be dropped at any instant and made again on the same
store: everything precious is in `ledger.db` and `accounts.db`, everything else is built again.

Bound: wiring. No rule and no SQL of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock

from hub import commands, queries
from hub.accounts import Accounts
from hub.alarms import Alarms
from hub.bulletins import Bulletin
from hub.choices import Choices
from hub.config import (
    ACCOUNTS_DB,
    CONFIG_NAME,
    CONTACTS_DB,
    DEMO_ACCOUNTS,
    DESK_DB,
    HUB_KEY_NAME,
    KDF_STRONG,
    LEDGER_DB,
    PHONES_DB,
    ROOT_KEY_NAME,
    VIEWS_DB,
    WRITING_DB,
    HubConfig,
    KdfCost,
    load_key,
    save_config,
    save_key,
)
from hub.desk import ALL_RIGHTS
from hub.elsewhere import TakenBack
from hub.endings import ended_and_stays
from hub.enrolment import ROOT_WINDOW_S, Enrolment
from hub.heard import Heard
from hub.ingest import Door, Ingest, Urgent, error_body
from hub.intake import Intake
from hub.keeping import Keeper
from hub.notices import describe
from hub.phonebook import Phonebook
from hub.projections import Projections
from hub.proposals import Proposal
from hub.samples import Samples
from hub.schedules import Series
from hub.stations import QuietHours, StationRecord
from ledger.content import TextIndex
from ledger.facts import (
    Facts,
    Granted,
    Right,
    audience_of,
    known_types,
)
from ledger.log import (
    Blobs,
    LoaError,
    NotAllowed,
    ProtocolError,
    SigningKey,
    Store,
    Stored,
    StoreError,
    VerifyKey,
    WitnessedLedger,
)
from ledger.recorder import Decisions

REQUEST_BYTES_MAX = 1 << 20  # of any body from the network; the ledger has the same bound for a sync request
HUB_RIGHTS = Right.RECEIPT | Right.INGEST | Right.GRANT | Right.ACK
ADMIN_DEPTH = 3  # root → administrator → administrator of a part → officer


class Hub:
    """store: files and databases, owned by this hub alone. clock_now: UTC s. entropy: n → n random bytes.

    mono: seconds of a steady clock, only to measure how long a request takes. Raises StoreError when the
    store holds no hub or is damaged.
    """

    def __init__(
        self,
        store: Store,
        *,
        config: HubConfig,
        clock_now: Callable[[], int],
        entropy: Callable[[int], bytes],
        mono: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.config = config
        self.store = store
        self.entropy = entropy
        self.lock = RLock()
        self.key: SigningKey = load_key(store, HUB_KEY_NAME)
        self._clock_now = clock_now
        # the disk failed: whoever runs this should stop and start again
        self.failed: StoreError | None = None
        self.texts: TextIndex | None = None  # the words inside documents; searched without the lock
        self.on_news: Callable[[Stored], None] = lambda _: None  # of a decision, inside its transaction
        db = store.open_db(LEDGER_DB)
        self.facts = Facts(config.root_keys)
        self.ledger = WitnessedLedger(
            db,
            hub_key=self.key,
            entropy=entropy,
            now=clock_now,
            software=config.software,
            audience_of=audience_of,
            on_admit=self._admit,
            on_rollback=self._undone,
            ended_and_stays=lambda segment: ended_and_stays(self.facts, segment),
        )
        self.projections = Projections(
            self.ledger, store.open_db(VIEWS_DB), lambda: Facts(config.root_keys), lambda: self.facts
        )
        for root in config.root_keys:
            self.ledger.trust(root)
        self.ledger.reconsider(f"{config.software} {known_types()}")
        self._reload()
        self.blobs = Blobs(store)
        self.keeper = Keeper(self.blobs, self.facts, self.projections)
        self.accounts = Accounts(store.open_db(ACCOUNTS_DB), config=config, entropy=entropy)
        self.choices = Choices(store.open_db(DESK_DB))
        self.ingest = Ingest(self.ledger, self.facts, self.key, store.open_db(CONTACTS_DB))
        writing = store.open_db(WRITING_DB)
        self.intake = Intake(writing, store, entropy=entropy, room_bytes=4 * config.audio_bytes_max)
        self.heard, self.samples = Heard(writing), Samples(writing, entropy=entropy)
        self.enrolment = Enrolment(
            self.ledger,
            db,
            self.facts,
            config=config,
            key=self.key,
            entropy=entropy,
            heard_from=self.ingest.heard_from,
        )
        aggregates = (Bulletin, Series, TakenBack, StationRecord, QuietHours, Proposal)
        self.phonebook = Phonebook(store.open_db(PHONES_DB))
        self.decisions = Decisions(self.ledger, db, aggregates)
        self.door = Door(config.overload, mono)
        self.commands = commands.Commands(
            config=config,
            ledger=self.ledger,
            decisions=self.decisions,
            facts=self.facts,
            blobs=self.blobs,
            accounts=self.accounts,
            enrolment=self.enrolment,
            entropy=entropy,
            lock=self.lock,
            after=self._after_command,
        )
        self.queries = queries.Queries(
            projections=self.projections,
            ledger=self.ledger,
            facts=self.facts,
            blobs=self.blobs,
            accounts=self.accounts,
            ingest=self.ingest,
            lock=self.lock,
            now=self.now,
        )
        self._after_command()

    def now(self) -> int:
        return self._clock_now()

    # -- stations --------------------------------------------------------------------------------------------

    def sync(self, request: bytes) -> tuple[int, bytes]:
        """One sync round with a station: (200, reply) or (status, packed error). Bytes never raise."""
        urgent = self.ingest.is_urgent(request, now=self.now())
        return self._served(request, urgent, lambda: self.ingest.exchange(request, now=self.now()))

    def enrol(self, body: bytes) -> tuple[int, bytes]:
        """A device with a token: (200, reply) or (status, packed error)."""
        return self._served(body, True, lambda: self.enrolment.accept(body, now=self.now()))

    def _served(self, body: bytes, urgent: bool, serve: Callable[[], bytes]) -> tuple[int, bytes]:
        if len(body) > REQUEST_BYTES_MAX:
            error = ProtocolError(
                "request-size", f"{len(body)} bytes, at most {REQUEST_BYTES_MAX}", status=413
            )
            return error.status, error_body(error)
        entered = self.door.enter(urgent=urgent)
        if entered is None:
            busy = ProtocolError("busy", "too many stations at once", hint="come back when told", status=503)
            return busy.status, error_body(busy)
        try:
            with self.lock:
                return 200, serve()
        except LoaError as error:
            if isinstance(error, StoreError) and error.code == "store-stopped":
                self.failed = error
            return error.status, error_body(error)
        finally:
            self.door.leave(entered)

    def retry_after_s(self) -> int:
        """What a 503 should tell: seconds until coming back is worth it."""
        return self.door.retry_after_s()

    def is_station(self, key_id: bytes) -> bool:
        """Whether this key acknowledges for a unit. A look into memory: no database, no cryptography."""
        return bool(self.facts.authority.units_of(key_id, Right.ACK))

    def blob_range(self, sha256: bytes, offset: int, length: int) -> bytes:
        """Part of a blob. Raises BlobError. Whoever knows a hash was told it by a signed decision."""
        return self.blobs.read_range(sha256, offset, length)

    def blob_size(self, sha256: bytes) -> int | None:
        return self.blobs.size(sha256)

    # -- upkeep ----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Lets the views catch up and writes the notes on contacts. Cheap when nothing happened."""
        with self.lock:
            self.projections.catch_up()
            self.keeper.tick(self.now())
            self.intake.sweep(self.now())
            self.ingest.flush()

    @cached_property
    def alarms(self) -> Alarms:
        """What is wrong at stations, for those who want to be told; made when it is first asked for."""
        return Alarms(self, describe)

    def rebuild(self) -> int:
        """Drops the views and builds them again from the ledger; returns how many segments were read."""
        with self.lock:
            return self.projections.rebuild()

    def close(self) -> None:
        """Writes the notes. Nothing precious waits for this: a hub that is killed loses none of it."""
        with self.lock:
            self.ingest.flush()

    def _admit(self, stored: Stored) -> list[VerifyKey]:
        self.projections.offer(stored)
        if stored.audience is not None:
            self.on_news(stored)
        return self.facts.admit(stored)

    def _undone(self) -> None:
        self.projections.forget()
        self._reload()

    def _reload(self) -> None:
        """After a start, and after a transaction was undone: the facts are what the ledger says."""
        for key in self.facts.load(self.ledger):
            self.ledger.trust(key)

    def _after_command(self) -> None:
        self.projections.catch_up()
        self.ingest.set_urgent(
            Urgent(order.fact.territory, order.position, order.fact.expires_at)
            for orders in self.facts.emergencies.values()
            for order in orders
            if order.fact.expires_at > self.now()
        )


def found(
    store: Store,
    *,
    province: str = "vn.yb",
    name: str = "Yên Bái",
    now: int,
    entropy: Callable[[int], bytes],
    admin: str = "admin",
    admin_name: str = "Quản trị viên",
    password: str,
    kdf: KdfCost = KDF_STRONG,
) -> HubConfig:
    """Makes a hub in an empty store: keys, configuration, the first administrator and the first two grants.

    The configuration is written last, so an interrupted founding can be repeated.
    StoreError("already-founded").
    """
    if store.read(CONFIG_NAME) is not None:
        raise StoreError("already-founded", "there is a hub here already", hint="choose an empty directory")
    root = _key(store, ROOT_KEY_NAME, entropy)
    hub_key = _key(store, HUB_KEY_NAME, entropy)
    config = HubConfig(province=province, name=name, roots=(root.verify_key.raw,), kdf=kdf)
    hub = Hub(store, config=config, clock_now=lambda: now, entropy=entropy)
    if hub.accounts.row(admin) is None:
        key = hub.accounts.add(
            admin, name=admin_name, role="admin", territory=province, password=password, now=now
        )
    else:
        key = hub.accounts.unlock(admin, password, now=now)
    # In one transaction, so that nobody finds the hub's journal before the grant that introduces its key.
    with hub.ledger.transaction():
        for subject, classes, depth, label in (
            (key.verify_key, ALL_RIGHTS, ADMIN_DEPTH, admin_name),
            (hub_key.verify_key, HUB_RIGHTS, ADMIN_DEPTH - 1, f"{name} (hub)"),
        ):
            grant = Granted(
                ts=now,
                subject_pub=subject.raw,
                classes=int(classes),
                territory=province,
                not_before=0,
                not_after=now + ROOT_WINDOW_S,
                depth=depth,
                label=label,
            )
            if not hub.facts.authority.may(subject.key_id, classes, province, now):
                hub.ledger.append_sealed(root, grant.encode())
    hub.tick()
    save_config(store, config)
    return config


def seed_demo_accounts(hub: Hub, *, now: int) -> None:
    """The editor and the approver of the demo, for a hub whose administrator is the demo's too."""
    officers = {account: (name, role, password) for account, name, role, password in DEMO_ACCOUNTS}
    admin = hub.accounts.login("admin", officers["admin"][2], now=now)
    if admin is None:
        raise NotAllowed(
            "wrong-password", "the administrator is not the demo's", hint="init with --demo-accounts"
        )
    for account, (name, role, password) in officers.items():
        if hub.accounts.row(account) is None:
            hub.commands.create_account(
                admin,
                account=account,
                name=name,
                role=role,
                territory=hub.config.province,
                password=password,
                now=now,
            )


def _key(store: Store, name: str, entropy: Callable[[int], bytes]) -> SigningKey:
    """The key of an earlier, interrupted founding, or a new one."""
    if store.read(name) is None:
        save_key(store, name, SigningKey.from_seed(entropy(32)))
    return load_key(store, name)
