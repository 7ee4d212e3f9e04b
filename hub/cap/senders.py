"""Whose signature stands beside a CAP file: the senders this hub was told of, and what exactly was checked.

A sender signs the file's bytes with Ed25519 under a prefix of its own (docs/spec/keys.md, purpose `cap`) and
gives the signature beside it, 128 hex digits. What an office in Vietnam would really give is not known yet;
an XML signature inside a file is not looked at and gives nothing (docs/decisions/0034).

A signature that fits marks a proposal as verified. It orders nothing, and a missing one forbids nothing; one
that does not fit refuses the file, because somebody changed it or made it up.

Bound: the list is the hub's configuration, kept beside `hub.json` and changed on the machine alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hub.cap.reading import NAME_CHARS_MAX, refused
from ledger.log import CAP, KeyRefused, NotAllowed, SignatureError, SigningKey, Store, StoreError, VerifyKey

SENDERS_NAME: Final = "cap-senders.json"
SENDERS_MAX: Final = 100
SIGNATURE_CHARS_MAX: Final = 256
LABEL_CHARS_MAX: Final = 120
_HEX: Final = re.compile(r"[0-9a-f]{128}", re.ASCII)
_SENDER: Final = re.compile(r"[^\s,<&]+")

VERIFIED: Final = "verified"
UNSIGNED: Final = "unsigned"
UNSIGNED_KNOWN: Final = "unsigned-known"  # this sender signs, and this file has no signature
UNKNOWN: Final = "unknown"  # there is a signature, and no key to check it with


@dataclass(frozen=True)
class Sender:
    """sender: as <sender> in its files. name: what people call it. public: 32 bytes."""

    sender: str
    name: str
    public: bytes

    @property
    def key_id(self) -> str:
        return VerifyKey(self.public).key_id.hex()


@dataclass(frozen=True)
class Checked:
    """state: one of the four above. sender: whose key it was, when it is known."""

    state: str
    sender: Sender | None


def load_senders(store: Store) -> list[Sender]:
    """StoreError("cap-senders-bad") when an edit broke the file."""
    data = store.read(SENDERS_NAME)
    if data is None:
        return []
    try:
        found = [
            Sender(str(row["sender"]), str(row["name"]), bytes.fromhex(row["public"]))
            for row in json.loads(data)
        ]
        for one in found:
            VerifyKey(one.public).prove_order()
    except (ValueError, KeyError, TypeError, KeyRefused) as error:
        raise StoreError(
            "cap-senders-bad", f"{SENDERS_NAME} is not what this hub wrote", hint="delete it and trust again"
        ) from error
    return found


def trust(store: Store, sender: str, name: str, public: bytes) -> Sender:
    """Puts a sender's key on the list, in place of an older one. NotAllowed, KeyRefused."""
    if not _SENDER.fullmatch(sender) or len(sender) > NAME_CHARS_MAX:
        raise NotAllowed(
            "cap-sender-name",
            f"{sender[:40]!r} cannot be a CAP sender",
            hint="copy <sender> from a file of theirs",
        )
    if not name.strip() or len(name) > LABEL_CHARS_MAX or not name.isprintable():
        raise NotAllowed("cap-sender-name", "a name in one line is wanted", hint=f"at most {LABEL_CHARS_MAX}")
    VerifyKey(public).prove_order()
    others = [one for one in load_senders(store) if one.sender != sender]
    if len(others) >= SENDERS_MAX:
        raise NotAllowed(
            "cap-senders-full", f"there are {SENDERS_MAX} senders already", hint="distrust one first"
        )
    made = Sender(sender, name.strip(), public)
    _save(store, [*others, made])
    return made


def distrust(store: Store, sender: str) -> None:
    """Takes a sender off the list. NotAllowed("cap-sender-unknown")."""
    known = load_senders(store)
    if all(one.sender != sender for one in known):
        raise NotAllowed(
            "cap-sender-unknown", f"{sender!r} is not on the list", hint="see `loa hub cap senders`"
        )
    _save(store, [one for one in known if one.sender != sender])


def _save(store: Store, senders: Iterable[Sender]) -> None:
    rows = [{"sender": s.sender, "name": s.name, "public": s.public.hex()} for s in senders]
    store.write(SENDERS_NAME, json.dumps(rows, ensure_ascii=False, indent=2).encode() + b"\n")


def signature_of(key: SigningKey, data: bytes) -> str:
    """What stands beside a file of ours."""
    return key.sign(CAP, data).hex()


def check(senders: Iterable[Sender], sender: str, data: bytes, signature: str) -> Checked:
    """What a signature beside this file is worth. ProtocolError: its form, or it does not fit.

    sender: what the file says of itself; only the key that was trusted for that very name is tried.
    """
    known = next((one for one in senders if one.sender == sender), None)
    told = "".join(signature.split()).lower() if len(signature) <= SIGNATURE_CHARS_MAX else signature
    if not told:
        return Checked(UNSIGNED if known is None else UNSIGNED_KNOWN, known)
    if not _HEX.fullmatch(told):
        raise refused(
            "cap-signature-form", "a signature has 128 hexadecimal digits", "signature",
            "hand in the .sig file that came with the warning, or none",
        )  # fmt: skip
    if known is None:
        return Checked(UNKNOWN, None)
    try:
        VerifyKey(known.public).verify(CAP, data, bytes.fromhex(told))
    except SignatureError:
        raise refused(
            "cap-signature", f"the signature is not that of {known.name} over this file", "signature",
            "the file was changed, or it is not theirs: telephone them by the number you know",
        ) from None  # fmt: skip
    return Checked(VERIFIED, known)
