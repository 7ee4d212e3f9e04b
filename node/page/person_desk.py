"""What somebody at the box itself may do with the station's people: enter them, give codes, turn them off.

The same requests, on a stopped station and through the desk of a running one (plain values, as JSON has
them). Whoever can write there can read the station's key, so nothing more is asked of them. The code that is
handed out is drawn by the command; only its hash comes here, and no file ever holds the code.

    {"act": "list"}                             {"act": "add", "name", "role", "code": hex of its hash}
    {"act": "code", "name", "code"}             {"act": "off", "name"}   {"act": "on", "name"}

    → {"people": [{"name", "role", "enabled", "pin", "rights", "words"}, …]}
"""

from __future__ import annotations

from typing import Any

from ledger.log import NotAllowed, key_words
from node.page.office import CONSOLE, Office
from node.page.people import Row


def manage(office: Office, request: dict[str, Any]) -> dict[str, Any]:
    """Does it, and lists everybody. NotAllowed as the office's own acts, "person-request" for no request."""
    act, name, role, code = (str(request.get(part, "")) for part in ("act", "name", "role", "code"))
    if act == "add":
        office.add_with(name, role, _hash(code), None, CONSOLE)
    elif act == "code":
        office.give_code_with(_named(office, name).id, _hash(code), None, CONSOLE)
    elif act in ("off", "on"):
        office.set_enabled(_named(office, name).id, act == "on", None, CONSOLE)
    elif act != "list":
        raise NotAllowed("person-request", f"no such request: {act!r}")
    return {"people": [_plain(office, row) for row in office.people.rows()]}


def _plain(office: Office, row: Row) -> dict[str, Any]:
    words = "" if row.pub is None else key_words(office.station.key.key_id, row.pub)
    return {
        "name": row.name, "role": row.role, "enabled": row.enabled, "pin": row.pub is not None,
        "rights": int(office.rights(row.key_id)), "words": words,
    }  # fmt: skip


def _named(office: Office, name: str) -> Row:
    row = office.people.named(name)
    if row is None:
        raise NotAllowed(
            "person-unknown", f"nobody is called {name!r} here", hint="the names: loa node person list"
        )
    return row


def _hash(code: str) -> bytes:
    try:
        raw = bytes.fromhex(code)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise NotAllowed("person-request", "the hash of a code has 32 bytes")
    return raw
