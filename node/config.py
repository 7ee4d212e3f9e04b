"""What a station is told once: who it is, whom it trusts, how often it calls. Two files in its store.

`station.toml` is written at enrolment and may be edited by a person (period, volume, caps); `station.key` is
the private key, mode 600, made on the device and never leaves it. Keys are written as hex. Reading is strict:
a misspelt line is an error with the line's name, not a silently ignored wish.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, fields
from typing import Final

from ledger.facts import is_unit
from ledger.log import LoaError, SigningKey, Store, StoreError, VerifyKey

CONFIG_NAME: Final = "station.toml"
KEY_NAME: Final = "station.key"
CONFIG_BYTES_MAX: Final = 65_536
DOORBELL: Final = re.compile(r"(tls:)?([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):([0-9]{1,5})", re.ASCII)
# Written even at their defaults: what a person is most likely to look for.
SHOWN: Final = frozenset({"sync_period_s", "volume", "language", "fetch_day_bytes"})
NO_STATION_HINT: Final = "enrol first: loa node init --dir D --hub URL --token T"


@dataclass(frozen=True)
class StationConfig:
    """unit: dot path of the commune; hub_key and roots: 32-byte public keys; *_s: seconds; *_bytes: bytes."""

    unit: str
    name: str
    hub_url: str
    hub_key: bytes
    roots: tuple[bytes, ...]
    # How often to call the hub when nothing is urgent.
    sync_period_s: int = 900
    # 0–100, handed to the player and reported in every acknowledgment.
    volume: int = 80
    language: str = "vi"
    # After failures: uniform between 0 and min(cap, base · 2ⁿ), so that a province does not call in step.
    backoff_base_s: float = 2.0
    backoff_cap_s: float = 900.0
    # Acknowledgments wait this long for company before they travel.
    ack_delay_s: float = 20.0
    # The first call after a start comes within this time, spread against a province-wide power return.
    boot_spread_s: float = 5.0
    # Where the hub rings for news: "host:port", "tls:host:port" through a proxy that ends TLS, "" = nowhere.
    doorbell: str = ""
    # Content bytes a day on a metered SIM; 0 = no cap. Emergencies pass in any case.
    fetch_day_bytes: int = 0
    # Bytes of decisions the hub may put into one reply.
    room: int = 65_536
    # An idle station asks to be called at least this often (60 s on real machines).
    idle_cap_s: float = 60.0
    # Called this much later than asked, it was stopped meanwhile; a job silent for so long is lost.
    stall_s: float = 120.0
    job_deadline_s: float = 600.0

    def __post_init__(self) -> None:
        if not is_unit(self.unit):
            raise StoreError("config-unit", f"{self.unit!r} is not a unit", where=CONFIG_NAME)
        for key in (self.hub_key, *self.roots):
            VerifyKey(key)
        if not self.roots:
            raise StoreError("config-roots", "a station must trust at least one root key", where=CONFIG_NAME)
        if self.doorbell and not DOORBELL.fullmatch(self.doorbell):
            raise StoreError("config-range", 'doorbell is "host:port" or "tls:host:port"', where=CONFIG_NAME)
        bounds: tuple[tuple[str, float, float], ...] = (
            ("sync_period_s", 1, 86_400),
            ("volume", 0, 100),
            ("backoff_base_s", 0.1, 3_600),
            ("backoff_cap_s", 1, 86_400),
            ("ack_delay_s", 0, 86_400),
            ("boot_spread_s", 0, 3_600),
            ("fetch_day_bytes", 0, 1 << 40),
            ("room", 1_024, 131_072),
            ("idle_cap_s", 1, 3_600),
            ("stall_s", 1, 1e9),
            ("job_deadline_s", 1, 1e9),
        )
        for name, low, high in bounds:
            if not low <= getattr(self, name) <= high:
                what = f"{name} must lie between {low:g} and {high:g}"
                raise StoreError("config-range", what, where=CONFIG_NAME)

    def to_toml(self) -> str:
        """The file's text; `from_toml` gives the same value back."""
        lines = ["# Station of Loa. Written at enrolment; see docs/how-to/run-a-station.md."]
        for item in fields(self):
            if item.name not in SHOWN and getattr(self, item.name) == item.default:
                continue
            lines.append(f"{item.name} = {_toml(getattr(self, item.name))}")
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> StationConfig:
        """Reads the file's text. Raises StoreError naming what is wrong, KeyRefused for a bad key."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise StoreError("config-format", f"not TOML: {error}", where=CONFIG_NAME) from error
        known = {item.name: item for item in fields(cls)}
        values: dict[str, object] = {}
        for name, value in table.items():
            if name not in known:
                raise StoreError("config-unknown", f"there is no setting {name!r}", where=CONFIG_NAME)
            values[name] = _checked(name, value, str(known[name].type))
        missing = [name for name in ("unit", "name", "hub_url", "hub_key", "roots") if name not in values]
        if missing:
            raise StoreError("config-missing", f"not set: {', '.join(missing)}", where=CONFIG_NAME)
        return cls(**values)  # type: ignore[arg-type]  # every value was checked against its field above


def _toml(value: object) -> str:
    if isinstance(value, bytes):
        return f'"{value.hex()}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, str):
        # TOML's basic strings are JSON's, except that DEL must be escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def _checked(name: str, value: object, kind: str) -> object:
    """The value in its field's type. kind: the annotation as text."""
    try:
        if kind == "bytes" and isinstance(value, str):
            return bytes.fromhex(value)
        if kind.startswith("tuple") and isinstance(value, list):
            return tuple(bytes.fromhex(part) for part in value)
    except (ValueError, TypeError) as error:
        raise StoreError("config-type", f"{name} must be hex", where=CONFIG_NAME) from error
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise StoreError("config-type", f"{name} has the wrong type", where=CONFIG_NAME)


def save_config(store: Store, config: StationConfig) -> None:
    """Writes station.toml whole and durably."""
    store.write(CONFIG_NAME, config.to_toml().encode())


def load_config(store: Store) -> StationConfig:
    """Raises StoreError("not-enrolled") when there is none, and what from_toml raises."""
    data = store.read(CONFIG_NAME)
    if data is None:
        raise StoreError("not-enrolled", "this folder holds no enrolled station", hint=NO_STATION_HINT)
    try:
        return StationConfig.from_toml(data[:CONFIG_BYTES_MAX].decode())
    except UnicodeDecodeError as error:
        raise StoreError("config-format", "not UTF-8 text", where=CONFIG_NAME) from error


def save_key(store: Store, key: SigningKey) -> None:
    """Writes station.key, readable by the owner alone."""
    store.write(KEY_NAME, key.seed.hex().encode() + b"\n", private=True)


def load_key(store: Store) -> SigningKey:
    """Raises StoreError when there is no key or the file is damaged."""
    data = store.read(KEY_NAME)
    if data is None:
        raise StoreError("not-enrolled", "this folder holds no station key", hint=NO_STATION_HINT)
    try:
        return SigningKey.from_seed(bytes.fromhex(data.decode().strip()))
    except (ValueError, LoaError) as error:
        raise StoreError("key-damaged", "station.key is not a private key", where=KEY_NAME) from error
