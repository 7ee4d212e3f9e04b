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
from ledger.sheet import is_base
from node.sound.volume import Volumes, minute_of

CONFIG_NAME: Final = "station.toml"
KEY_NAME: Final = "station.key"
CONFIG_BYTES_MAX: Final = 65_536
# Below the 30 s by which a beginning still counts as on time, with room for a slow look.
START_OFFSET_MAX_S: Final = 20
DOORBELL: Final = re.compile(r"(tls:)?([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):([0-9]{1,5})", re.ASCII)
PAGE: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):([0-9]{1,5})", re.ASCII)
BOARD: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
BOARDS_MAX: Final = 8
CAPTURE: Final = re.compile(r"(alsa|pulse):[A-Za-z0-9_.:,=/+-]{1,120}", re.ASCII)
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
    # From evening_from to evening_until (local, "HH:MM") nothing but an emergency is louder than this.
    evening_volume: int = 100
    evening_from: str = "18:30"
    evening_until: str = "06:00"
    # Of emergencies; 0 = as loud as anything by day.
    emergency_volume: int = 0
    # Ordinary items begin so much after their minute, so that neighbours do not talk over each other.
    start_offset_s: int = 0
    # The short sound before ordinary items; emergencies and drills are always announced.
    chime: bool = True
    language: str = "vi"
    # Which device hears what the loudspeaker says: "alsa:plughw:CARD=Device" or "pulse:NAME"; "" = none.
    capture: str = ""
    # After failures: uniform between 0 and min(cap, base · 2ⁿ), so that a province does not call in step.
    backoff_base_s: float = 2.0
    backoff_cap_s: float = 900.0
    # Acknowledgments wait this long for company before they travel.
    ack_delay_s: float = 20.0
    # The first call after a start comes within this time, spread against a province-wide power return.
    boot_spread_s: float = 5.0
    # Where the hub rings for news: "host:port", "tls:host:port" through a proxy that ends TLS, "" = nowhere.
    doorbell: str = ""
    # Where the commune's page is served on its own network: "0.0.0.0:8080"; "" = nowhere.
    page: str = ""
    # The address under which telephones reach that page, for the symbols on a run sheet: "http://loa.lan:8080".
    page_url: str = ""
    # The boards of this commune, each a short name: its page is /board/<name>.
    boards: tuple[str, ...] = ()
    # Content bytes a day on a metered SIM; 0 = no cap. Emergencies pass in any case.
    fetch_day_bytes: int = 0
    # Hours between two copies that the station makes of its own database; 0 = none.
    backup_every_h: int = 24
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
        if self.page and not PAGE.fullmatch(self.page):
            raise StoreError("config-range", 'page is "host:port", such as "0.0.0.0:8080"', where=CONFIG_NAME)
        if self.page_url and not is_base(self.page_url):
            raise StoreError("config-range", 'page_url is as "http://192.168.1.9:8080"', where=CONFIG_NAME)
        if len(set(self.boards)) != len(self.boards) or len(self.boards) > BOARDS_MAX:
            raise StoreError("config-range", f"boards: at most {BOARDS_MAX}, none twice", where=CONFIG_NAME)
        for name in self.boards:
            if not BOARD.fullmatch(name):
                raise StoreError(
                    "config-range", f"boards: {name!r} is not a name of a-z, 0-9 and -", where=CONFIG_NAME
                )
        if self.capture and not CAPTURE.fullmatch(self.capture):
            what = 'capture is "alsa:DEVICE" (see `arecord -L`) or "pulse:NAME" (see `pactl list sources`)'
            raise StoreError("config-range", what, where=CONFIG_NAME)
        bounds: tuple[tuple[str, float, float], ...] = (
            ("sync_period_s", 1, 86_400),
            ("volume", 0, 100),
            ("evening_volume", 0, 100),
            ("emergency_volume", 0, 100),
            ("start_offset_s", 0, START_OFFSET_MAX_S),
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
        for name in ("evening_from", "evening_until"):
            if minute_of(getattr(self, name)) is None:
                raise StoreError("config-range", f'{name} is a time such as "18:30"', where=CONFIG_NAME)
        for name, low, high in bounds:
            if not low <= getattr(self, name) <= high:
                what = f"{name} must lie between {low:g} and {high:g}"
                raise StoreError("config-range", what, where=CONFIG_NAME)

    @property
    def volumes(self) -> Volumes:
        """How loud, and when."""
        evening = minute_of(self.evening_from) or 0, minute_of(self.evening_until) or 0
        return Volumes(self.volume, self.evening_volume, evening, self.emergency_volume)

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
    if isinstance(value, bool):
        return str(value).lower()
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
        if kind == "tuple[str, ...]" and isinstance(value, list):
            return tuple(_checked(name, part, "str") for part in value)
        if kind.startswith("tuple") and isinstance(value, list):
            return tuple(bytes.fromhex(part) for part in value)
    except (ValueError, TypeError) as error:
        raise StoreError("config-type", f"{name} must be hex", where=CONFIG_NAME) from error
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "bool" and isinstance(value, bool):
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
