"""Rounds: what a hub answers to a request, and what a station makes of a reply, byte for byte.

Every case is a story that begins empty. A hub's story is the requests it was sent before; a station's what it
wrote and asked. Nothing else is state, so a reader in another language plays the story and compares the last
bytes. Requests, replies, journals and trails are spelled out; no ledger runs and no compressor.
"""

from __future__ import annotations

from typing import Any

from vector_parts import APPROVER, LOG, OTHER_LOG, STATION, STRANGER, Json, head_of, numbered
from vector_receipts import HUB
from vector_rounds import (
    AUDIENCES,
    HUB_LOGS,
    NONCE,
    NOW,
    SOFTWARE,
    STATION_LOGS,
    HubStory,
    claim,
    folded,
    quiet,
    reply,
    request,
    request_body,
    run,
)
from vector_stations import station_accepts, station_rejects

from ledger.log import keys


def hub_accepts() -> list[Json]:
    found: list[Json] = []

    def case(name: str, story: HubStory, asked: bytes, **said: Any) -> None:
        found.append({
            "name": name, "before": list(story.steps), "request": asked.hex(), "now": NOW + 1,
            "reply": reply(asked, **{"hub_log": story.logs[0], **said}).hex(),
        })  # fmt: skip

    events = numbered(5)
    (a, raw_a), (b, raw_b) = run(STATION, LOG, events[:2], events[2:])
    ((c, raw_c),) = run(STATION, OTHER_LOG, events[:1])
    (d1, raw_d1), (d2, raw_d2), (d3, raw_d3) = run(
        APPROVER, LOG, [quiet(1, "vn.yb.04630")], [quiet(2, "vn.yb.04500")], [quiet(3, "vn.yb")]
    )

    case("idle, at a hub that never wrote", HubStory(), request())
    case("a status and a clock before 1970", HubStory(), request(status=b"V" * 256, sent_at=-1))

    first = request(heads=[claim(a)], segments=[raw_a])
    new = HubStory()
    new.arrive(NOW + 1, a)
    case("the first round", HubStory(), first, receipts=[new.receipt(a)])
    case(
        "the same in transit form", HubStory(), request(heads=[claim(a)], segments=[folded(a, events[:2])]),
        receipts=[new.receipt(a)],
    )  # fmt: skip
    two = HubStory()
    two.arrive(NOW + 1, a, b)
    case(
        "two segments, the second in transit form behind the first", HubStory(),
        request(heads=[claim(b)], segments=[raw_a, folded(b, events[2:])]), receipts=[two.receipt(b)],
    )  # fmt: skip
    held = HubStory().took(first, NOW, a)
    case("a request that came before, again", held, first, receipts=[held.receipt(a)])
    case("all is receipted: nothing named", held, request())
    case(
        "a head that is held is named with eight bytes", held, request(heads=[claim(a, 8)]),
    )  # fmt: skip
    case(
        "more is named than is held", held, request(heads=[claim(b)]),
        receipts=[held.receipt(a)], less=[[LOG, 2]],
    )  # fmt: skip
    case(
        "more is named with eight bytes", held, request(heads=[claim(b, 8)]), receipts=[held.receipt(a)],
        less=[[LOG, 2]],
    )  # fmt: skip
    case("a log that is not here", held, request(heads=[claim(c)]), less=[[OTHER_LOG, 0]])
    case(
        "another history under the same number", held, request(heads=[[LOG, 2, bytes(32)]]),
        receipts=[held.receipt(a)],
    )  # fmt: skip
    ahead = HubStory().took(request(heads=[claim(b)], segments=[raw_a, raw_b]), NOW, a, b)
    case(
        "a head within what is held: the receipt is for that head", ahead, request(heads=[claim(a)]),
        receipts=[ahead.receipt(a)],
    )  # fmt: skip
    both = HubStory()
    both.arrive(NOW + 1, a, c)
    case(
        "two logs, the older first", HubStory(),
        request(heads=[claim(a), claim(c)], segments=[raw_a, raw_c]),
        receipts=[both.receipt(a), both.receipt(c)],
    )  # fmt: skip
    carried = HubStory()
    carried.arrive(NOW + 1, d1)
    case(
        "an officer's segment, carried by a station that is not sent it back", HubStory(),
        request(segments=[raw_d1], room=0), receipts=[carried.receipt(d1)], more=True,
    )  # fmt: skip

    case("garbage in the place of a segment", HubStory(), request(segments=[b"x"]),
         refused=[[bytes(8), 0, "segment-short"]])  # fmt: skip
    case("a segment whose events were changed", HubStory(), request(segments=[raw_a[:-1] + b"\x05"]),
         refused=[[LOG, 0, "root-mismatch"]])  # fmt: skip
    case(
        "a segment of a stranger beside a good one", HubStory(),
        request(segments=[run(STRANGER, LOG, events[:2])[0][1], raw_a], heads=[claim(a)]),
        receipts=[new.receipt(a)], refused=[[LOG, 0, "key-unknown"]],
    )  # fmt: skip
    case("what is before it is missing: it waits", HubStory(), request(heads=[claim(b)], segments=[raw_b]),
         less=[[LOG, 0]])  # fmt: skip
    waiting = HubStory().took(request(heads=[claim(b)], segments=[raw_b]), NOW)
    case("the gap closes", waiting, request(heads=[claim(b)], segments=[raw_a]),
         receipts=[two.receipt(b)])  # fmt: skip
    other = run(STATION, LOG, numbered(3))[0][1]
    case(
        "a second history is refused, what was held is receipted", held,
        request(segments=[other], heads=[[LOG, 3, bytes(32)]], room=0), receipts=[held.receipt(a)],
        less=[[LOG, 2]], refused=[[LOG, 0, "fork-overlap"]], more=True,
    )  # fmt: skip
    broken = run(STATION, LOG, events[2:], first_seq=2, prev=bytes(range(32)))[0][1]
    case(
        "a segment that names another before it", held, request(segments=[broken], room=0),
        receipts=[held.receipt(a)], refused=[[LOG, 2, "fork-broken-link"]], more=True,
    )  # fmt: skip
    case(
        "a transit form behind what is not here", HubStory(),
        request(heads=[claim(b)], segments=[folded(b, events[2:])]), less=[[LOG, 0]],
        refused=[[LOG, 2, "transit-prev"]],
    )  # fmt: skip
    case(
        "a transit form of a log that is not named", HubStory(),
        request(segments=[folded(a, events[:2])]), refused=[[bytes(8), 0, "transit-log"]],
    )  # fmt: skip
    case(
        "a transit form with another event", HubStory(),
        request(heads=[claim(a)], segments=[folded(a, numbered(3)[1:])]), less=[[LOG, 0]],
        refused=[[LOG, 0, "transit-mismatch"]],
    )  # fmt: skip

    told = HubStory().took(request(segments=[raw_d1, raw_d2, raw_d3]), NOW, d1, d2, d3)
    case("decisions for this place and above, not for others", told, request(), segments=[raw_d1, raw_d3],
         **told.cursor(3))  # fmt: skip
    case("no room", told, request(room=0), more=True)
    case("room for less than one: one is given", told, request(room=1), segments=[raw_d1], more=True,
         **told.cursor(1))  # fmt: skip
    case("room for one", told, request(room=len(raw_d1) + len(raw_d3) - 1), segments=[raw_d1], more=True,
         **told.cursor(1))  # fmt: skip
    case("on from the cursor", told, request(**told.cursor(1)), segments=[raw_d3], **told.cursor(3))
    case("nothing new: the cursor stays", told, request(**told.cursor(3)), **told.cursor(3))
    case("a cursor that another hub could have given", told, request(**told.cursor(4)), **told.cursor(4))
    case("a cursor beyond the end: from the beginning", told, request(cursor=99, cursor_hash=b"x" * 8),
         segments=[raw_d1, raw_d3], **told.cursor(3))  # fmt: skip
    case("a cursor with a forged hash: from the beginning", told, request(cursor=3, cursor_hash=b"x" * 8),
         segments=[raw_d1, raw_d3], **told.cursor(3))  # fmt: skip

    again = HubStory().took(first, NOW, a)
    again.restart()
    case("another process of the hub, nothing lost", again, request(heads=[claim(a, 8)]))
    again.arrive(NOW + 1, c)
    asked = request(heads=[claim(c)], segments=[raw_c])
    found.append({
        "name": "its log names the one before", "before": again.steps, "request": asked.hex(),
        "now": NOW + 1,
        "reply": reply(asked, hub_log=again.logs[0], receipts=[again.receipt(c)]).hex(),
    })  # fmt: skip
    lost = HubStory()
    lost.steps = [*told.steps, {"request": first.hex(), "now": NOW}, {"restored": 1}]
    lost.heads, lost.own, lost.logs = list(told.heads), list(told.own), HUB_LOGS[1:]
    before = HubStory().took(told_request(told), NOW, d1, d2, d3).took(first, NOW, a)
    case(
        "a hub restored from a backup: it says what it lacks, and a cursor into what it lost starts anew",
        lost, request(heads=[claim(a, 8)], **before.cursor(5)), less=[[LOG, 0]],
        segments=[raw_d1, raw_d3], **lost.cursor(3),
    )  # fmt: skip
    return found


def told_request(story: HubStory) -> bytes:
    return bytes.fromhex(story.steps[0]["request"])


def hub_rejects() -> list[Json]:
    good = request()
    body = request_body()
    head = head_of(STATION, numbered(1))
    row = claim(head)

    def shape(**changed: Any) -> bytes:
        return request(**changed)

    def raw_body(data: bytes) -> bytes:
        return request(body=data)

    at = 17  # where the heads stand: behind the array's header, version, nonce and time
    assert body[at : at + 3] == b"\x90\x00\xc4"

    def heads(data: bytes) -> bytes:
        return request(body=body[:at] + data + body[at + 1 :])

    cases: list[tuple[str, str, int, bool, bytes]] = [
        ("nothing", "request-magic", 400, False, b""),
        ("a captive portal's page", "request-magic", 400, False, b"<!DOCTYPE html><html>".ljust(90)),
        ("a reply", "request-magic", 400, False, reply(good)),
        ("version 2 of the frame", "request-magic", 400, False, b"\xd7\x4c\x51\x02" + good[4:]),
        ("no body", "request-magic", 400, False, good[:76]),
        ("a stranger's", "key-unknown", 403, True, request(STRANGER)),
        ("an officer's, who is no station", "key-no-station", 403, True, request(APPROVER)),
        ("one bit of the signature", "signature-bad", 403, False,
         good[:12] + bytes([good[12] ^ 1]) + good[13:]),
        ("one bit of the body", "signature-bad", 403, False, good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]),
        ("another station's signature", "signature-bad", 403, False,
         good[:12] + request(APPROVER)[12:76] + body),
        ("signed as a reply", "signature-bad", 403, False,
         good[:12] + STATION.sign(keys.REPLY, body) + body),
        ("signed as a segment", "signature-bad", 403, False,
         good[:12] + STATION.sign(keys.SEGMENT, body) + body),
        ("a byte behind the body", "request-codec", 400, False, raw_body(body + b"\0")),
        ("a body cut short", "request-codec", 400, False, raw_body(body[:-1])),
        ("a number in a longer form", "request-codec", 400, False, raw_body(b"\x99\xcc\x01" + body[2:])),
        ("a map", "request-codec", 400, False, raw_body(b"\x80")),
        ("a float for the time", "request-codec", 400, False,
         raw_body(b"\x99\x01\xc4\x08" + NONCE + b"\xcb")),
        ("arrays four deep", "request-codec", 400, False, heads(b"\x91\x91\x91\x90")),
        ("8,193 values", "request-codec", 400, False,
         raw_body(body[:-1] + b"\xdc" + (8185).to_bytes(2, "big") + b"\xc4\x00" * 8185)),
        ("version 2", "request-version", 400, False, shape(version=2)),
        ("version true", "request-version", 400, False, shape(version=True)),
        ("no array", "request-shape", 400, False, raw_body(b"\x01")),
        ("ten fields", "request-shape", 400, False, raw_body(b"\x9a" + body[1:] + b"\xc0")),
        ("eight fields", "request-shape", 400, False, raw_body(b"\x98" + body[1:-1])),
        ("a nonce of seven bytes", "request-shape", 400, False, shape(nonce=NONCE[:7])),
        ("a nonce of text", "request-shape", 400, False, shape(nonce="nonce-01")),
        ("a time of text", "request-shape", 400, False, shape(sent_at="now")),
        ("193 heads", "request-shape", 400, False,
         shape(heads=[[n.to_bytes(8, "big"), 1, bytes(8)] for n in range(1, 194)])),
        ("a log named twice", "request-shape", 400, False, shape(heads=[row, row])),
        ("a head for no event", "request-shape", 400, False, shape(heads=[[LOG, 0, row[2]]])),
        ("a head beyond 2⁶³", "request-codec", 400, False,
         heads(b"\x91\x93\xc4\x08" + LOG + b"\xcf" + b"\xff" * 8 + b"\xc4\x08" + bytes(8))),
        ("a hash of sixteen bytes", "request-shape", 400, False, shape(heads=[[LOG, 1, row[2][:16]]])),
        ("a log id of seven bytes", "request-shape", 400, False, shape(heads=[[LOG[:7], 1, row[2]]])),
        ("a head of two fields", "request-shape", 400, False, shape(heads=[[LOG, 1]])),
        ("heads that are no list", "request-shape", 400, False, shape(heads=b"")),
        ("a position without a hash", "request-shape", 400, False, shape(cursor=3)),
        ("a hash without a position", "request-shape", 400, False, shape(cursor_hash=bytes(8))),
        ("a position below zero", "request-shape", 400, False, shape(cursor=-1, cursor_hash=bytes(8))),
        ("more room than any reply", "request-shape", 400, False, shape(room=(1 << 20) + 1)),
        ("room below zero", "request-shape", 400, False, shape(room=-1)),
        ("a status of 257 bytes", "request-shape", 400, False, shape(status=bytes(257))),
        ("257 segments", "request-shape", 400, False, shape(segments=[b""] * 257)),
        ("a segment that is text", "request-shape", 400, False, shape(segments=["x"])),
    ]  # fmt: skip
    made: list[Json] = [
        {"name": name, "code": code, "status": status, "again": retry, "request": raw.hex()}
        for name, code, status, retry, raw in cases
    ]
    made.append({
        "name": "one byte more than 1 MiB, whatever they are", "code": "request-size", "status": 413,
        "again": False, "request": good.hex(), "zeros_to": (1 << 20) + 1,
    })  # fmt: skip
    return made


def sync_vectors() -> Json:
    return {
        "software": SOFTWARE,
        "hub": HUB.verify_key.raw.hex(),
        "hub_seed": HUB.seed.hex(),
        "hub_logs": [log.hex() for log in HUB_LOGS],
        "station_seed": STATION.seed.hex(),
        "station_logs": [log.hex() for log in STATION_LOGS],
        "trusted": [key.verify_key.raw.hex() for key in (HUB, STATION, APPROVER)],
        "stations": {STATION.key_id.hex(): AUDIENCES},
        "now": NOW,
        "accepts": hub_accepts(),
        "rejects": hub_rejects(),
        "reply_accepts": station_accepts(),
        "reply_rejects": station_rejects(),
    }
