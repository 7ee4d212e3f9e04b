"""The doorbell's hello: the accepted and the refused."""

from __future__ import annotations

from vector_parts import STATION, Json, as_json
from vector_receipts import HUB

from ledger.log import keys

NONCE = bytes(range(16, 32))
MAGIC = bytes.fromhex("d74c4201")
STRANGER = keys.SigningKey.from_seed(bytes(range(160, 192)))


def hello(
    cursor: int = 41, *, key: keys.SigningKey = STATION, magic: bytes = MAGIC, prefix: bytes = keys.BELL,
    nonce: bytes = NONCE, hub: bytes = HUB.key_id, name: bytes | None = None, told: int | None = None,
) -> bytes:  # fmt: skip
    """Spelled out; told: another cursor than the one that is signed."""
    signed = key.sign(prefix, nonce + hub + cursor.to_bytes(8, "big"))
    said = cursor if told is None else told
    return magic + (key.key_id if name is None else name) + said.to_bytes(8, "big") + signed


def doorbell_vectors() -> Json:
    good = hello()
    s_plus_l = (int.from_bytes(good[52:], "little") + keys.L).to_bytes(32, "little")
    return {
        "about": "A station's hello after the greeting `d74c4301` ‖ nonce. Whoever is refused hears nothing.",
        "nonce": NONCE.hex(),
        "hub_key_id": HUB.key_id.hex(),
        "seed": STATION.seed.hex(),
        "station": STATION.verify_key.raw.hex(),
        "accepts": [
            {"name": name, "cursor": as_json(cursor), "hello": hello(cursor).hex()}
            for name, cursor in (
                ("a station that read up to 41", 41),
                ("one that read nothing", 0),
                ("the greatest cursor", 2**63 - 1),
            )
        ],
        "rejects": [
            {"name": name, "hello": raw.hex()}
            for name, raw in (
                ("nothing", b""),
                ("a byte short", good[:-1]),
                ("a byte more", good + b"."),
                ("another magic", hello(magic=bytes.fromhex("d74c4202"))),
                ("a greeting's magic", hello(magic=bytes.fromhex("d74c4301"))),
                ("a key that nobody introduced", hello(key=STRANGER)),
                ("another station's name", hello(key=STRANGER, name=STATION.key_id)),
                ("after another greeting", hello(nonce=bytes(16))),
                ("to another hub", hello(hub=STATION.key_id)),
                ("another cursor than was signed", hello(told=42)),
                ("a cursor that no position can be", hello(2**63)),
                ("signed for another purpose", hello(prefix=keys.REQUEST)),
                ("a signature with a twin", good[:52] + s_plus_l),
            )
        ],
    }
