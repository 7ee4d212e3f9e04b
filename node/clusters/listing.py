"""The receiver clusters of a station: `clusters.toml` in its folder, written by whoever mounted them.

    [[cluster]]
    number = 7
    name = "Bản Xa"
    place = "cột trước nhà văn hoá"
    driver = "udp"
    address = "192.168.10.27:4210"
    key = "64 hex digits, another one for each cluster"

The order in the file is that of the vector in an acknowledgment. Reading is strict, as of `station.toml`:
a misspelt line is an error with its name. Without a file, or a cluster in it, the loudspeakers of a station
hang on its own amplifier.

Bound: the list and its form. Whether anybody answers at these addresses is `clusters`' question. Addresses
are numbers, because to look a name up is to wait.
"""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass, field, fields
from typing import Final

from ledger.facts import CLUSTER_NAMES_CHARS_MAX, CLUSTERS_MAX, acceptable_text
from ledger.log import Store, StoreError

CLUSTERS_NAME: Final = "clusters.toml"
FILE_BYTES_MAX: Final = 131_072
DRIVERS: Final = ("udp", "http")
NUMBER_MAX: Final = 65_535
NAME_CHARS_MAX: Final = 48
PLACE_CHARS_MAX: Final = 120
KEY_BYTES: Final = 32


@dataclass(frozen=True)
class ClusterEntry:
    """One cluster. number: painted on its box, 1 to 65,535. address: `ip:port`. key: 32 bytes."""

    number: int
    name: str
    driver: str
    address: str
    key: bytes = field(repr=False)
    place: str = ""
    # Percent it is set to while something sounds: a horn beside a school is quieter than one across a valley.
    volume: int = 100

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def six(self) -> bool:
        """True for an address of IP version 6."""
        return ":" in self.host


def read_clusters(text: str) -> tuple[ClusterEntry, ...]:
    """The list in the file's text. Raises StoreError naming the cluster and what is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong("cluster-list-format", f"not TOML: {error}") from error
    for name in table:
        if name != "cluster":
            raise _wrong("cluster-list-unknown", f"there is no setting {name!r}; each one is a [[cluster]]")
    rows = table.get("cluster", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _wrong("cluster-list-format", "each cluster is a table [[cluster]]")
    if len(rows) > CLUSTERS_MAX:
        raise _wrong("cluster-list-many", f"{len(rows)} clusters; a station has at most {CLUSTERS_MAX}")
    found = tuple(_entry(nth, row) for nth, row in enumerate(rows))
    for what, values in (
        ("number", [entry.number for entry in found]),
        ("name", [entry.name for entry in found]),
        ("address", [(entry.driver, entry.address) for entry in found]),
        ("key", [entry.key for entry in found]),
    ):
        twice = [nth for nth, value in enumerate(values) if value in values[:nth]]
        if twice:
            nth = twice[0]
            raise _wrong(
                "cluster-list-twice", f"{_called(nth, found[nth].name)} has the {what} of another one"
            )
    if len(names_of(found).encode()) > CLUSTER_NAMES_CHARS_MAX:
        what = f"all names together must not exceed {CLUSTER_NAMES_CHARS_MAX} bytes of UTF-8"
        raise _wrong("cluster-list-names", what)
    return found


def names_of(clusters: tuple[ClusterEntry, ...]) -> str:
    """What the station reports of the list: one name a line."""
    return "\n".join(entry.name for entry in clusters)


def load_clusters(store: Store) -> tuple[ClusterEntry, ...]:
    """The list of this folder; () without a file. Raises what read_clusters raises."""
    data = store.read(CLUSTERS_NAME)
    if data is None:
        return ()
    if len(data) > FILE_BYTES_MAX:
        raise _wrong("cluster-list-format", f"the file is longer than {FILE_BYTES_MAX} bytes")
    try:
        return read_clusters(data.decode())
    except UnicodeDecodeError as error:
        raise _wrong("cluster-list-format", "not UTF-8 text") from error


def clusters_toml(clusters: tuple[ClusterEntry, ...]) -> str:
    """The file's text; `read_clusters` gives the same list back. Names hold nothing that needs escaping."""
    parts = []
    for entry in clusters:
        lines = ["[[cluster]]", f"number = {entry.number}", f"name = '{entry.name}'"]
        if entry.place:
            lines.append(f"place = '{entry.place}'")
        lines += [f'driver = "{entry.driver}"', f'address = "{entry.address}"', f'key = "{entry.key.hex()}"']
        if entry.volume != 100:
            lines.append(f"volume = {entry.volume}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _entry(nth: int, row: dict[str, object]) -> ClusterEntry:
    known = {item.name for item in fields(ClusterEntry)}
    called = _called(nth, row.get("name"))
    for name in row:
        if name not in known:
            raise _wrong("cluster-list-unknown", f"{called}: there is no setting {name!r}")
    missing = [name for name in ("number", "name", "driver", "address", "key") if name not in row]
    if missing:
        raise _wrong("cluster-list-missing", f"{called}: not set: {', '.join(missing)}")
    return ClusterEntry(
        number=_whole(called, "number", row["number"], 1, NUMBER_MAX),
        name=_text(called, "name", row["name"], NAME_CHARS_MAX),
        driver=_driver(called, row["driver"]),
        address=_address(called, row["address"]),
        key=_key(called, row["key"]),
        place=_text(called, "place", row["place"], PLACE_CHARS_MAX) if row.get("place", "") != "" else "",
        volume=_whole(called, "volume", row.get("volume", 100), 1, 100),
    )


def _whole(called: str, name: str, value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _wrong("cluster-list-range", f"{called}: {name} is a whole number from {low} to {high}")
    return value


def _text(called: str, name: str, value: object, chars_max: int) -> str:
    if not isinstance(value, str):
        raise _wrong("cluster-list-type", f"{called}: {name} is a text in quotation marks")
    why = acceptable_text(value, chars_max) or ("quote" if "'" in value else None)
    if why is not None:
        raise _wrong("cluster-list-text", f"{called}: this {name} cannot be shown as it is ({why})")
    return value


def _driver(called: str, value: object) -> str:
    if value not in DRIVERS:
        raise _wrong("cluster-list-driver", f"{called}: driver is one of {', '.join(DRIVERS)}")
    return str(value)


def _address(called: str, value: object) -> str:
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        ip = None
    written = "" if ip is None else f"[{ip}]" if ip.version == 6 else str(ip)
    good = bool(colon) and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536
    if ip is None or host != written or not good or ip.is_multicast or ip.is_unspecified:
        what = f'{called}: address is "ip:port", as "192.168.10.27:4210" or "[fd00::7]:4210"'
        raise _wrong("cluster-list-address", what)
    return f"{written}:{int(port)}"


def _key(called: str, value: object) -> bytes:
    try:
        key = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < 8:
        raise _wrong(
            "cluster-list-key",
            f"{called}: key is {KEY_BYTES * 2} hex digits drawn at random",
            hint="make one: loa node clusters key",
        )
    return key


def _called(nth: int, name: object) -> str:
    return (
        f"cluster {nth + 1} ({name})"
        if isinstance(name, str) and name.isprintable()
        else f"cluster {nth + 1}"
    )


def _wrong(code: str, what: str, *, hint: str = "") -> StoreError:
    return StoreError(code, what, where=CLUSTERS_NAME, hint=hint or "see docs/how-to/run-a-station.md")
