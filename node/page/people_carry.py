"""People of a database that is left behind, taken over into the one that goes on (`carry`).

Somebody who was entered, or who changed the PIN, after the station's last copy of itself must find the door
as they left it: the key that the province granted is sealed under the PIN of that moment. What is left behind
is newer than a copy, so its row takes the other's place. A row that this program could not have written is
left where it is.

Bound: rows of people and their keys. Notes of who came are not carried: they are this box's own, and bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ledger.facts import acceptable_text
from ledger.log import KeyRefused, Ledger, VerifyKey, adopt
from ledger.vault import NONCE_BYTES, SALT_BYTES, WRAP_BYTES
from node.page.people import NAME_CHARS_MAX, PEOPLE_MAX, ROLES, People

_COLUMNS: Final = (
    "id, name, role, enabled, made_s, pub, salt, sealed, n, r, p, code, code_until_s"  # of node_people
)
_SEALED_BYTES: Final = NONCE_BYTES + WRAP_BYTES + 16
_NUMBER_MAX: Final = 1 << 41
Rows = Callable[[str, str], Iterator[tuple[Any, ...]]]


def carry_people(rows: Rows, ledger: Ledger) -> int:
    """How many were taken over. rows: (select, order) → what can be read. In a transaction."""
    assert ledger.in_transaction
    people, carried = People(ledger), 0
    for row in rows(f"SELECT {_COLUMNS} FROM node_people", "id"):  # noqa: S608 — our own column names
        if not _is_row(row) or len(people.rows()) >= PEOPLE_MAX:
            continue
        kept, namesake = people.row(row[0]), people.named(row[1])
        if (kept is not None and kept.name != row[1]) or (namesake is not None and namesake.id != row[0]):
            continue
        marks = ", ".join("?" * len(row))
        ledger.db.execute(f"INSERT OR REPLACE INTO node_people ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608
        carried += 1
    for row in rows("SELECT key_id, person FROM node_people_keys", "key_id"):
        key_id, person = row
        if isinstance(key_id, bytes) and len(key_id) == 8 and type(person) is int:
            ledger.db.execute("INSERT OR IGNORE INTO node_people_keys VALUES (?, ?)", (key_id, person))
    adopt(ledger, [key_id for key_id, _ in people.every_key()])
    return carried


def _is_row(row: tuple[Any, ...]) -> bool:
    id_, name, role, enabled, made_s, pub, salt, sealed, n, r, p, code, until_s = row
    numbers = (id_, enabled, made_s)
    if not all(type(one) is int and 0 <= one < _NUMBER_MAX for one in numbers):
        return False
    if not isinstance(name, str) or acceptable_text(name, NAME_CHARS_MAX) is not None or role not in ROLES:
        return False
    if not (code is None or (isinstance(code, bytes) and len(code) == 32)):
        return False
    if not (until_s is None or (type(until_s) is int and 0 <= until_s < _NUMBER_MAX)):
        return False
    key = (pub, salt, sealed, n, r, p)
    if all(one is None for one in key):
        return True
    lengths = ((pub, 32), (salt, SALT_BYTES), (sealed, _SEALED_BYTES))
    if not all(isinstance(one, bytes) and len(one) == size for one, size in lengths):
        return False
    return _is_cost(n, r, p) and _is_key(pub)


def _is_cost(n: Any, r: Any, p: Any) -> bool:
    """Within what a small box can do: 64 MiB, ten times over."""
    if not all(type(one) is int and one > 0 for one in (n, r, p)):
        return False
    return bool(1 < n <= 1 << 17 and not n & (n - 1) and n * r * 128 <= 64 << 20 and p <= 10)


def _is_key(pub: bytes) -> bool:
    try:
        VerifyKey(pub)
    except KeyRefused:
        return False
    return True
