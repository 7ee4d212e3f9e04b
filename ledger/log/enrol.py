"""Enrolment: how a device nobody knows yet becomes a key the ledger knows. Both ends, bytes in and out.

A one-time token of 128 random bits travels on paper or as a QR code and is bound to one unit. From it both
sides derive three things: an id to look it up by, an Ed25519 *token key*, and a *reply key*. The device
sends its new public key with two signatures: by the new key (possession) and by the token key (it holds the
token). The hub answers with the root keys, its own key and the unit's name under HMAC(reply key), so that a
false hub, which does not hold the token, cannot enrol the device.

The hub keeps the id, the token's *public* key and the reply key, never the token: whoever steals its
database can neither enrol a station nor compute the token. (An HMAC in both directions would have needed
the secret there.)

Bound: no clock, no store, no radio. Whether a token is used, expired or bound elsewhere is the hub's
register's business; which grant follows is `ledger.facts`' business.

Request  pack([1, token id 8, unit, public key 32, nonce 8, possession signature 64, token signature 64])
Reply    pack([1, mac 32, body]); body = pack([1, sha256(request), [root 32, …], hub public key 32,
         unit, name, province, hub time])
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.log.codec import Tree, Unpacked, pack, unpack
from ledger.log.errors import CodecError, KeyRefused, ProtocolError, SignatureError
from ledger.log.keys import ENROL, SigningKey, VerifyKey

VERSION = 1
TOKEN_BYTES = 16
REQUEST_BYTES_MAX = 1024  # a request is about 200 bytes
REPLY_BYTES_MAX = 4096  # 16 roots and three names fit four times
ROOTS_MAX = 16
NAME_BYTES_MAX = 256

_GROUP = 4  # characters of the printed token between two dashes
# base32 has no 0, 1, 8: people write them for O, I, B
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})


@dataclass(frozen=True)
class TokenRecord:
    """What the hub may keep of a token: enough to check and to answer, not enough to enrol."""

    id: bytes
    public: bytes
    reply_key: bytes


@dataclass(frozen=True)
class Token:
    """The secret itself, as printed. Only the person at the station and the device ever hold it after it
    was shown.
    """

    secret: bytes

    @classmethod
    def new(cls, entropy: Callable[[int], bytes]) -> Token:
        return cls(entropy(TOKEN_BYTES))

    @classmethod
    def parse(cls, text: str) -> Token:
        """Reads what a person typed: case, spaces and dashes do not matter. ProtocolError("token-form")."""
        plain = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
        try:
            secret = base64.b32decode(plain + "=" * (-len(plain) % 8))
        except ValueError:
            secret = b""
        if len(secret) != TOKEN_BYTES or base64.b32encode(secret).decode().rstrip("=") != plain:
            raise ProtocolError(
                "token-form",
                "this is not an enrolment token",
                hint="copy all 26 letters and digits from the printed token",
            )
        return cls(secret)

    @property
    def text(self) -> str:
        plain = base64.b32encode(self.secret).decode().rstrip("=")
        return "-".join(plain[i : i + _GROUP] for i in range(0, len(plain), _GROUP))

    @property
    def id(self) -> bytes:
        return self._derive(b"id")[:8]

    @property
    def key(self) -> SigningKey:
        return SigningKey.from_seed(self._derive(b"key"))

    @property
    def reply_key(self) -> bytes:
        return self._derive(b"reply")

    @property
    def record(self) -> TokenRecord:
        return TokenRecord(self.id, self.key.verify_key.raw, self.reply_key)

    def _derive(self, label: bytes) -> bytes:
        return hashlib.sha256(b"loa-token/v1\0" + label + b"\0" + self.secret).digest()

    def __repr__(self) -> str:
        return f"Token(id={self.id.hex()})"


@dataclass(frozen=True)
class EnrolRequest:
    """A well-formed request. `key` is already checked (canonical, not of small order) and proven to be
    possessed; its order is not, which costs more than a stranger may ask: `key.prove_order` before a grant.
    """

    token_id: bytes
    unit: str
    key: VerifyKey
    nonce: bytes
    raw: bytes
    token_signature: bytes
    signed_by_token: bytes


@dataclass(frozen=True)
class Enrolled:
    """What a device may believe after enrolment, because whoever holds the token said it about this very
    request.
    """

    roots: tuple[VerifyKey, ...]
    hub: VerifyKey
    unit: str
    name: str
    province: str
    hub_time: int


def make_enrolment(token: Token, key: SigningKey, *, unit: str, nonce: bytes) -> bytes:
    """The request of a device. unit: the expected unit, or "" for whatever the token is bound to. nonce: 8
    bytes.
    """
    body: list[Tree] = [VERSION, token.id, unit, key.verify_key.raw, nonce]
    possession = key.sign(ENROL, _possession(body))
    return pack([*body, possession, token.key.sign(ENROL, _holding(body, possession))])


def read_enrolment(request: bytes) -> EnrolRequest:
    """Checks form and possession. ProtocolError, KeyRefused, SignatureError; says nothing about the token
    yet.
    """
    tree = _open(request, REQUEST_BYTES_MAX, "enrol-form")
    if len(tree) != 7:
        raise ProtocolError("enrol-form", "an enrolment request has seven items")
    version, token_id, unit, raw_key, nonce, possession, holding = tree
    if type(version) is not int or version != VERSION:
        raise ProtocolError("enrol-version", f"enrolment version {version!r} is not spoken here")
    if not (
        isinstance(token_id, bytes)
        and len(token_id) == 8
        and isinstance(unit, str)
        and len(unit.encode()) <= NAME_BYTES_MAX
        and isinstance(raw_key, bytes)
        and isinstance(nonce, bytes)
        and len(nonce) == 8
        and isinstance(possession, bytes)
        and isinstance(holding, bytes)
    ):
        raise ProtocolError("enrol-form", "an item of the enrolment request has the wrong type or length")
    key = VerifyKey(raw_key)
    body: list[Tree] = [VERSION, token_id, unit, raw_key, nonce]
    key.verify(ENROL, _possession(body), possession)
    return EnrolRequest(token_id, unit, key, nonce, request, holding, _holding(body, possession))


def holds_token(request: EnrolRequest, record: TokenRecord) -> bool:
    """True iff the sender of this request held the token of this record."""
    try:
        VerifyKey(record.public).verify(ENROL, request.signed_by_token, request.token_signature)
    except SignatureError:
        return False
    return request.token_id == record.id


def make_enrolment_reply(
    record: TokenRecord,
    request: bytes,
    *,
    roots: Sequence[VerifyKey],
    hub: VerifyKey,
    unit: str,
    name: str,
    province: str,
    hub_time: int,
) -> bytes:
    """The hub's answer to exactly this request, under the key only a holder of the token shares."""
    assert 1 <= len(roots) <= ROOTS_MAX, "a device without a root could trust nobody"
    body = pack(
        [
            VERSION,
            hashlib.sha256(request).digest(),
            [root.raw for root in roots],
            hub.raw,
            unit,
            name,
            province,
            hub_time,
        ]
    )
    return pack([VERSION, _mac(record.reply_key, body), body])


def read_enrolment_reply(token: Token, key: SigningKey, request: bytes, reply: bytes) -> Enrolled:
    """What the hub said to `request` (made with `token` and `key`). ProtocolError: believe nothing.

    The keys in it are the device's whole trust from now on, so their order is proven too: once, here.
    """
    outer = _open(reply, REPLY_BYTES_MAX, "enrol-reply-form")
    if len(outer) != 3 or type(outer[0]) is not int or outer[0] != VERSION:
        raise ProtocolError("enrol-reply-form", "this is not an enrolment reply")
    mac, inner = outer[1], outer[2]
    if not isinstance(mac, bytes) or not isinstance(inner, bytes):
        raise ProtocolError("enrol-reply-form", "this is not an enrolment reply")
    if not hmac.compare_digest(mac, _mac(token.reply_key, inner)):
        raise ProtocolError(
            "enrol-reply-mac",
            "whoever answered does not hold the token",
            hint="check the hub's address; do not enrol over a network that answers for others",
        )
    body = _open(inner, REPLY_BYTES_MAX, "enrol-reply-form")
    if len(body) != 8:
        raise ProtocolError("enrol-reply-form", "an enrolment reply has eight items")
    version, about, roots, hub, unit, name, province, hub_time = body
    if not (
        type(version) is int
        and version == VERSION
        and isinstance(roots, tuple)
        and 1 <= len(roots) <= ROOTS_MAX
        and all(isinstance(root, bytes) for root in roots)
        and isinstance(hub, bytes)
        and isinstance(unit, str)
        and isinstance(name, str)
        and isinstance(province, str)
        and type(hub_time) is int
        and hub_time >= 0
    ):
        raise ProtocolError("enrol-reply-form", "an item of the enrolment reply has the wrong type")
    asked = read_enrolment(request)
    if about != hashlib.sha256(request).digest() or asked.key != key.verify_key:
        raise ProtocolError("enrol-reply-other", "the reply answers another request")
    if asked.unit not in ("", unit):
        raise ProtocolError(
            "enrol-reply-other", "the reply enrols another unit than was asked for", where=unit
        )
    return Enrolled(
        tuple(_trustworthy(root) for root in roots if isinstance(root, bytes)),
        _trustworthy(hub),
        unit,
        name,
        province,
        hub_time,
    )


def _trustworthy(raw: bytes) -> VerifyKey:
    """A key that a reply gives to be trusted for ever. ProtocolError("enrol-reply-key")."""
    try:
        key = VerifyKey(raw)
        key.prove_order()
    except KeyRefused as refused:
        raise ProtocolError("enrol-reply-key", f"a root's or the hub's key: {refused.what}") from refused
    return key


def _possession(body: Sequence[Tree]) -> bytes:
    return b"possession\0" + pack(list(body))


def _holding(body: Sequence[Tree], possession: bytes) -> bytes:
    return b"holding\0" + pack([*body, possession])


def _mac(reply_key: bytes, body: bytes) -> bytes:
    return hmac.new(reply_key, ENROL + body, hashlib.sha256).digest()


def _open(data: bytes, bytes_max: int, code: str) -> tuple[Unpacked, ...]:
    """A peer's bytes as a tuple, or ProtocolError: never an exception of the codec's own."""
    try:
        tree = unpack(data, bytes_max=bytes_max)
    except CodecError as error:
        raise ProtocolError(code, f"not a canonical message: {error.what}") from error
    if not isinstance(tree, tuple):
        raise ProtocolError(code, "the message is not an array")
    return tree
