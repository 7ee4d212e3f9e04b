"""Enrolment: tokens as people type them, requests of devices, replies of a hub; the accepted and the refused.

Messages are assembled by hand from the page's formulas, not by the functions that devices and hubs use.
"""

from __future__ import annotations

import hmac
from hashlib import sha256, sha512
from typing import Any

from vector_keys import ORDER_REJECTS
from vector_parts import LAW_DAY, STATION, Json

from ledger.log import keys
from ledger.log.codec import Tree, pack
from ledger.log.keys import SigningKey

SECRET, OTHER_SECRET = bytes(range(16)), bytes(range(1, 17))
DEVICE = SigningKey.from_seed(bytes([7]) * 32)
ROOT, HUB = SigningKey.from_seed(bytes([1]) * 32), SigningKey.from_seed(bytes([2]) * 32)
UNIT, NONCE = "vn.yb.04630", b"nonce-08"
MIXED, HALF, NO_POINT = (bytes.fromhex(case["public"]) for case in ORDER_REJECTS)


def derive(label: bytes, secret: bytes = SECRET) -> bytes:
    return sha256(b"loa-token/v1\0" + label + b"\0" + secret).digest()


TOKEN_KEY = SigningKey.from_seed(derive(b"key"))
OTHER_TOKEN_KEY = SigningKey.from_seed(derive(b"key", OTHER_SECRET))


# --- requests -----------------------------------------------------------------------------------------------


def items(**changed: Tree) -> list[Tree]:
    """The five unsigned items."""
    fields: dict[str, Tree] = {
        "version": 1,
        "token": derive(b"id")[:8],
        "unit": UNIT,
        "key": DEVICE.verify_key.raw,
        "nonce": NONCE,
    }
    return list((fields | changed).values())


def request(
    body: list[Tree] | None = None,
    *,
    possession: bytes | None = None,
    holder: SigningKey = TOKEN_KEY,
    about: list[Tree] | None = None,
) -> bytes:
    """A request with both signatures. about: the five items that are signed, when they are not those sent."""
    body = items() if body is None else body
    about = body if about is None else about
    if possession is None:
        possession = DEVICE.sign(keys.ENROL, b"possession\0" + pack(about))
    holding = holder.sign(keys.ENROL, b"holding\0" + pack([*about, possession]))
    return pack([*body, possession, holding])


def possession_by_mixed_order(body: list[Tree]) -> bytes:
    """A signature under MIXED = A + T that a verifier without the cofactor accepts, T a point of order 8.

    T falls out of the equation when the challenge is a multiple of 8; the signer tries until it is.
    """
    message = keys.ENROL + b"possession\0" + pack(body)
    clamped = bytearray(sha512(STATION.seed).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    scalar = int.from_bytes(clamped, "little")
    base = keys._decoded(bytes.fromhex("58" + "66" * 31))
    assert base is not None
    for attempt in range(1000):
        r = int.from_bytes(sha512(b"attempt %d" % attempt).digest(), "little") % keys.L
        x, y, z = keys._times(r, base)
        x, y = x * pow(z, -1, keys.P) % keys.P, y * pow(z, -1, keys.P) % keys.P
        point = (y | (x & 1) << 255).to_bytes(32, "little")
        challenge = int.from_bytes(sha512(point + MIXED + message).digest(), "little") % keys.L
        if challenge % 8 == 0:
            return point + ((r + challenge * scalar) % keys.L).to_bytes(32, "little")
    raise AssertionError("one attempt in eight succeeds")


def request_rejects() -> list[tuple[str, bytes, str]]:
    good = request()
    possession, holding = DEVICE.sign(keys.ENROL, b"possession\0" + pack(items())), b"h" * 64
    shape: list[tuple[str, list[Tree]]] = [
        ("a token id of 7 bytes", [*items(token=b"1234567"), possession, holding]),
        ("a token id as text", [*items(token="12345678"), possession, holding]),
        ("a unit as bytes", [*items(unit=b"vn.yb.04630"), possession, holding]),
        ("a unit of 257 bytes", [*items(unit="x" * 257), possession, holding]),
        ("a public key as text", [*items(key="x" * 32), possession, holding]),
        ("a nonce of 7 bytes", [*items(nonce=b"nonce-7"), possession, holding]),
        ("a nonce as text", [*items(nonce="nonce-08"), possession, holding]),
        ("a possession signature as text", [*items(), "x" * 64, holding]),
        ("a token signature as text", [*items(), possession, "x" * 64]),
        ("six items", [*items(), possession]),
        ("eight items", [*items(), possession, holding, 0]),
    ]
    untrusted: list[tuple[str, bytes, str]] = [
        ("31 bytes", DEVICE.verify_key.raw[:31], "key-length"),
        ("small order", sorted(keys.SMALL_ORDER)[3], "key-small-order"),
        ("y beyond p", (keys.P + 3).to_bytes(32, "little"), "key-not-canonical"),
        ("no point of the curve", NO_POINT, "signature-bad"),
    ]
    other = items(nonce=b"other-08")
    mixed = items(key=MIXED)
    return [
        ("nothing", b"", "enrol-form"),
        ("a captive portal's page", b"<!DOCTYPE html><html><body>Please log in</body></html>", "enrol-form"),
        ("1,025 bytes", pack([*items(), possession, b"x" * 1025])[:1025], "enrol-form"),
        ("no array", pack(good), "enrol-form"),
        ("cut short", good[:-1], "enrol-form"),
        ("a byte behind", good + b"\0", "enrol-form"),
        ("the version one form too long", good[:1] + b"\xcc\x01" + good[2:], "enrol-form"),
        *((name, pack(message), "enrol-form") for name, message in shape),
        ("version 2", pack([*items(version=2), possession, holding]), "enrol-version"),
        ("version true, rightly signed as 1", good[:1] + b"\xc3" + good[2:], "enrol-version"),
        *((f"a key that nobody may trust: {name}", request(items(key=raw)), code)
          for name, raw, code in untrusted),
        ("possession by another key", request(possession=STATION.sign(
            keys.ENROL, b"possession\0" + pack(items()))), "signature-bad"),
        ("possession for another nonce", request(about=other), "signature-bad"),
        ("possession for another unit", request(about=items(unit="vn.yb.04402")), "signature-bad"),
        ("possession without its word", request(possession=DEVICE.sign(keys.ENROL, pack(items()))),
         "signature-bad"),
        ("possession with the other word", request(possession=DEVICE.sign(
            keys.ENROL, b"holding\0" + pack(items()))), "signature-bad"),
        ("possession signed as a request", request(possession=DEVICE.sign(
            keys.REQUEST, b"possession\0" + pack(items()))), "signature-bad"),
        ("possession of 63 bytes", request(possession=possession[:63]), "signature-bad"),
        ("another token's key", request(holder=OTHER_TOKEN_KEY), "token-refused"),
        ("the device's key for the token's", request(holder=DEVICE), "token-refused"),
        ("another token's id", request(items(token=derive(b"id", OTHER_SECRET)[:8])), "token-refused"),
        ("the token's signature over another request", good[:-66] + request(
            other)[-66:], "token-refused"),
        ("a token's signature of 63 bytes", pack([*items(), possession, TOKEN_KEY.sign(
            keys.ENROL, b"holding\0" + pack([*items(), possession]))[:63]]), "token-refused"),
        ("a key of mixed order that signs well", request(mixed, possession=possession_by_mixed_order(mixed)),
         "key-mixed-order"),
    ]  # fmt: skip


# --- replies ------------------------------------------------------------------------------------------------


def inner(asked: bytes, **changed: Tree) -> bytes:
    fields: dict[str, Tree] = {
        "version": 1,
        "about": sha256(asked).digest(),
        "roots": [ROOT.verify_key.raw],
        "hub": HUB.verify_key.raw,
        "unit": UNIT,
        "name": "Xã Tú Lệ",
        "province": "vn.yb",
        "hub_time": LAW_DAY,
    }
    return pack(list((fields | changed).values()))


def sealed(said: bytes, *, secret: bytes = SECRET, prefix: bytes = keys.ENROL, version: Tree = 1) -> bytes:
    return pack([version, hmac.new(derive(b"reply", secret), prefix + said, "sha256").digest(), said])


def reply_rejects(asked: bytes) -> list[tuple[str, bytes, str]]:
    said = inner(asked)
    good = sealed(said)
    mac = good[4:36]
    form, key = "enrol-reply-form", "enrol-reply-key"
    many: list[Tree] = [SigningKey.from_seed(bytes([n]) * 32).verify_key.raw for n in range(1, 18)]

    def telling(name: str, code: str, /, **changed: Tree) -> tuple[str, bytes, str]:
        return name, sealed(inner(asked, **changed)), code

    def untrusted(name: str, raw: bytes) -> list[tuple[str, bytes, str]]:
        return [telling(f"a root that nobody may trust: {name}", key, roots=[ROOT.verify_key.raw, raw]),
                telling(f"a hub that nobody may trust: {name}", key, hub=raw)]  # fmt: skip

    return [
        ("nothing", b"", form),
        ("a captive portal's page", b"<!DOCTYPE html><html><body>Please log in</body></html>", form),
        ("the request itself", asked, form),
        ("cut short", good[:-1], form),
        ("a byte behind", good + b"\0", form),
        ("more than 4,096 bytes", sealed(inner(asked, name="x" * 4096)), form),
        ("no array", pack(said), form),
        ("version 2", sealed(said, version=2), form),
        ("version true", sealed(said, version=True), form),
        ("two items", pack([1, mac]), form),
        ("four items", pack([1, mac, said, 0]), form),
        ("the MAC as text", pack([1, "x" * 32, said]), form),
        ("the inner message as text", pack([1, mac, "x"]), form),
        ("by one who does not hold the token", sealed(said, secret=OTHER_SECRET), "enrol-reply-mac"),
        ("no MAC", pack([1, b"", said]), "enrol-reply-mac"),
        ("half the MAC", pack([1, mac[:16], said]), "enrol-reply-mac"),
        ("the MAC without its purpose", sealed(said, prefix=b""), "enrol-reply-mac"),
        ("the MAC of another purpose", sealed(said, prefix=keys.REPLY), "enrol-reply-mac"),
        ("another hub's key under the old MAC", pack([1, mac, inner(asked, hub=STATION.verify_key.raw)]),
         "enrol-reply-mac"),
        ("an inner message that is no array", sealed(pack(b"said")), form),
        ("an inner message cut short", sealed(said[:-1]), form),
        ("seven inner items", sealed(b"\x97" + said[1:-5]), form),
        ("nine inner items", sealed(b"\x99" + said[1:] + b"\0"), form),
        telling("inner version 2", form, version=2),
        telling("inner version true", form, version=True),
        telling("no root", form, roots=[]),
        telling("17 roots", form, roots=many),
        telling("roots as a number", form, roots=1),
        telling("roots as bytes", form, roots=ROOT.verify_key.raw),
        telling("a root as text", form, roots=[ROOT.verify_key.raw, "x" * 32]),
        telling("the hub's key as text", form, hub="x" * 32),
        telling("the unit as bytes", form, unit=b"vn.yb.04630"),
        telling("the name as nil", form, name=None),
        telling("the province as a number", form, province=1),
        telling("the time as true", form, hub_time=True),
        telling("the time as text", form, hub_time="now"),
        telling("a time before 1970", form, hub_time=-1),
        telling("the answer to another request", "enrol-reply-other", about=bytes(32)),
        telling("the hash of the request as text", "enrol-reply-other", about="x" * 32),
        telling("another unit than was asked for", "enrol-reply-other", unit="vn.yb.04402"),
        *untrusted("31 bytes", ROOT.verify_key.raw[:31]),
        *untrusted("small order", sorted(keys.SMALL_ORDER)[5]),
        *untrusted("mixed order", HALF),
        *untrusted("no point of the curve", NO_POINT),
    ]  # fmt: skip


# --- the file -----------------------------------------------------------------------------------------------


def enrolment_vectors() -> Json:
    good, anywhere = request(), request(items(unit=""))
    sixteen: list[Tree] = [SigningKey.from_seed(bytes([n]) * 32).verify_key.raw for n in range(1, 17)]

    def accepted_request(name: str, raw: bytes, unit: str, nonce: bytes) -> Json:
        return {"name": name, "bytes": raw.hex(), "unit": unit, "public": DEVICE.verify_key.raw.hex(),
                "nonce": nonce.hex()}  # fmt: skip

    def accepted_reply(title: str, asked: bytes, **changed: Any) -> Json:
        roots = changed.get("roots", [ROOT.verify_key.raw])
        return {
            "name": title,
            "request": asked.hex(),
            "bytes": sealed(inner(asked, **changed)).hex(),
            "roots": [raw.hex() for raw in roots],
            "hub": HUB.verify_key.raw.hex(),
            "unit": UNIT,
            "station": changed.get("name", "Xã Tú Lệ"),
            "province": "vn.yb",
            "hub_time": LAW_DAY,
        }

    text = "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4"
    typed = [
        ("as printed", text, SECRET),
        ("small letters, spaces for dashes", text.lower().replace("-", " "), SECRET),
        ("without dashes", text.replace("-", ""), SECRET),
        ("0 for O, 1 for I, 8 for B", text.replace("O", "0").replace("I", "1").replace("B", "8"), SECRET),
        ("another token", "AEBA-GBAF-AYDQ-QCIK-BMGA-2DQP-CA", OTHER_SECRET),
    ]
    mistyped = [
        ("nothing", ""),
        ("a letter short", text[:-1]),
        ("a letter more", text + "A"),
        ("four letters", "AAAQ"),
        ("a 9, which base32 has not", text[:-1] + "9"),
        ("a last letter with bits that are not used", text[:-1] + "5"),
        ("a letter with a mark", "Ă" + text[1:]),
    ]
    return {
        "token": {
            "secret": SECRET.hex(),
            "text": text,
            "id": derive(b"id")[:8].hex(),
            "public": TOKEN_KEY.verify_key.raw.hex(),
            "reply_key": derive(b"reply").hex(),
        },
        "device_seed": DEVICE.seed.hex(),
        "accepts": [
            accepted_request("a request for one unit", good, UNIT, NONCE),
            accepted_request("a request for whatever the token is bound to", anywhere, "", NONCE),
            accepted_request("another nonce", request(items(nonce=bytes(8))), UNIT, bytes(8)),
        ],
        "rejects": [{"name": n, "bytes": raw.hex(), "code": code} for n, raw, code in request_rejects()],
        "reply_accepts": [
            accepted_reply("the reply", good),
            accepted_reply("16 roots", good, roots=sixteen),
            accepted_reply("no unit was asked for", anywhere),
            accepted_reply("a station without a name", good, name=""),
        ],
        "reply_request": good.hex(),
        "reply_rejects": [
            {"name": n, "bytes": raw.hex(), "code": code} for n, raw, code in reply_rejects(good)
        ],
        "token_accepts": [{"name": n, "text": t, "secret": secret.hex()} for n, t, secret in typed],
        "token_rejects": [{"name": n, "text": t, "code": "token-form"} for n, t in mistyped],
    }
