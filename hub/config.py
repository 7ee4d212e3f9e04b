"""What a hub is told once: its province, its roots, its limits. Everything else it learns from the ledger.

Kept as `hub.json` in the hub's store; keys are files of their own (`hub.key` mode 600, `root.key` mode 600,
which belongs on a stick in a safe and not on the hub). Every limit is a named number with its unit and its
reason.

Bound: values only. Who reads the environment or a command line is `hub.cli`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from ledger.log import (
    KeyRefused,
    SigningKey,
    Store,
    StoreError,
    VerifyKey,
)
from ledger.sheet import is_base

CONFIG_NAME = "hub.json"
HUB_KEY_NAME = "hub.key"
ROOT_KEY_NAME = "root.key"
LEDGER_DB = "ledger.db"
VIEWS_DB = "views.db"
ACCOUNTS_DB = "accounts.db"
CONTACTS_DB = "contacts.db"
WRITING_DB = "writing.db"  # help for writing, no decision: files on their way in, samples
PHONES_DB = "phones.db"
DESK_DB = "desk.db"


@dataclass(frozen=True)
class KdfCost:
    """Cost of one argon2id run: passes, memory in KiB, lanes."""

    passes: int
    memory_kib: int
    lanes: int


# Who orders a real emergency: one person; two when another is at work; a second one always asked first.
SECOND_PERSON = ("never", "when-available", "always")

KDF_STRONG = KdfCost(passes=3, memory_kib=65_536, lanes=4)  # RFC 9106, second recommended option
KDF_CHEAP = KdfCost(passes=1, memory_kib=8, lanes=1)  # tests and the simulator only: guards nothing


@dataclass(frozen=True)
class Overload:
    """Bounded admission. An unbounded queue never recovers from a province that boots at once."""

    waiting_max: int = 32  # requests inside; 10 ms each, so nobody waits more than a third of a second
    urgent_max: int = 128  # stations that lack an emergency, and enrolment, may still enter up to here
    service_ms: int = 10  # assumed cost of a request until one was measured
    retry_min_s: int = 2  # a station never knocks faster than this
    retry_max_s: int = 300  # nor is it sent away longer than one ordinary sync period


@dataclass(frozen=True)
class HubConfig:
    """The founding facts and the limits of one hub."""

    province: str
    name: str
    roots: tuple[bytes, ...]  # raw public keys; what chains of grants must begin with
    kdf: KdfCost = KDF_STRONG
    overload: Overload = field(default_factory=Overload)
    software: str = "loa-hub/0.1.0"
    proof_s: int = 300  # how long a typed password counts for approvals and emergencies
    session_idle_s: int = 1_800
    session_max_s: int = 43_200  # one working day; then log in again
    token_life_s: int = 259_200  # 72 h: a technician's trip to the commune
    audio_bytes_max: int = 32 << 20  # an hour at 64 kbit/s
    text_chars_max: int = 20_000  # twenty minutes read aloud
    second_person: str = "when-available"  # one of SECOND_PERSON; drills are free
    page_url: str = ""  # where telephones reach the pages, for the symbols on run sheets

    @property
    def root_keys(self) -> tuple[VerifyKey, ...]:
        return tuple(VerifyKey(raw) for raw in self.roots)

    def with_limits(self, **limits: object) -> HubConfig:
        """A copy with other limits, for tests and small machines."""
        return replace(self, **limits)  # type: ignore[arg-type]

    def to_json(self) -> bytes:
        plain = asdict(self)
        plain["roots"] = [raw.hex() for raw in self.roots]
        return json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> HubConfig:
        """Raises StoreError("config-bad") when the file is not what `to_json` wrote or an edit broke it."""
        try:
            plain = json.loads(data)
            plain["roots"] = tuple(bytes.fromhex(raw) for raw in plain["roots"])
            plain["kdf"] = KdfCost(**plain["kdf"])
            plain["overload"] = Overload(**plain["overload"])
            if plain.get("second_person", "never") not in SECOND_PERSON:
                raise ValueError("second_person: one of " + ", ".join(SECOND_PERSON))
            if plain.get("page_url") and not is_base(plain["page_url"]):
                raise ValueError('page_url: as "https://loa.example"')
            return cls(**plain)
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                "config-bad",
                f"{CONFIG_NAME} is not a hub's configuration: {error}",
                hint="restore it from a backup",
            ) from error


def load_config(store: Store) -> HubConfig:
    """The configuration of a founded hub. StoreError("not-founded") when there is none."""
    data = store.read(CONFIG_NAME)
    if data is None:
        raise StoreError("not-founded", "there is no hub here yet", hint="run `loa hub init --dir DIR` first")
    return HubConfig.from_json(data)


def save_config(store: Store, config: HubConfig) -> None:
    store.write(CONFIG_NAME, config.to_json())


def load_key(store: Store, name: str) -> SigningKey:
    """A private key from its file (64 hex digits). StoreError("key-missing" | "key-bad")."""
    data = store.read(name)
    if data is None:
        raise StoreError("key-missing", f"{name} is not here", hint="bring it from where it is kept")
    try:
        return SigningKey.from_seed(bytes.fromhex(data.decode("ascii").strip()))
    except (ValueError, KeyRefused) as error:
        raise StoreError("key-bad", f"{name} does not hold 64 hex digits") from error


def save_key(store: Store, name: str, key: SigningKey) -> None:
    """Mode 600. The only place where a private key is written in the clear."""
    store.write(name, key.seed.hex().encode() + b"\n", private=True)


DEMO_ACCOUNTS: tuple[tuple[str, str, str, str], ...] = (
    # account, name, role, password: for the demo and for training. `loa hub init` says so when it makes them.
    ("admin", "Quản trị viên", "admin", "quantri-2022"),
    ("bientap", "Biên tập viên", "editor", "bientap-2022"),
    ("lanhdao", "Lãnh đạo duyệt", "approver", "lanhdao-2022"),
)
