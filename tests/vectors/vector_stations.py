"""What a station makes of a reply: what it wrote and asked before, the reply, and what it asks next."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_parts import APPROVER, LOG, STATION, STRANGER, Json, head_of, numbered
from vector_receipts import HUB, receipt
from vector_rounds import (
    HUB_LOGS,
    NONCE,
    NOW,
    STATION_LOGS,
    claim,
    log_open,
    quiet,
    reply,
    reply_body,
    request,
    run,
)

from ledger.log import keys
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead


class StationStory:
    """What a station wrote and asked. Its requests carry no segment: those it sends are checked above."""

    def __init__(self, events: int = 2) -> None:
        own = numbered(events)
        self.steps: list[Json] = [{"append": [event.hex() for event in own]}] if own else []
        self.nonce = 0
        self.head: SegmentHead | None = None
        if own:
            self.head = head_of(STATION, [log_open(NOW), *own], log_id=STATION_LOGS[0])

    @property
    def heads(self) -> list[Any]:
        assert self.head is not None
        return [claim(self.head)]

    def ask(self, **said: Any) -> bytes:
        self.nonce += 1
        raw = request(nonce=b"nonce-%02d" % self.nonce, **said)
        self.steps.append({"ask": raw.hex(), "nonce": (b"nonce-%02d" % self.nonce).hex()})
        return raw


def receipt_for(head: SegmentHead, nonce: bytes = NONCE, key: SigningKey = HUB, **changed: Any) -> bytes:
    return receipt(
        key, author=head.key_id, log=head.log_id, next_seq=head.next_seq, head_hash=head.hash,
        hub_time=NOW + 1, hub_log=HUB_LOGS[0], hub_seq=1, nonce=nonce, **changed,
    )  # fmt: skip


def station_accepts() -> list[Json]:
    found: list[Json] = []
    log = STATION_LOGS[0]
    here = {"hub_time": NOW + 1, "admitted": 0, "receipts": 0, "refused": [], "strange": [], "more": False}

    def case(
        name: str, said: dict[str, Any], then: dict[str, Any], after: dict[str, Any], *, events: int = 2,
        story: StationStory | None = None,
    ) -> None:  # fmt: skip
        story = story or StationStory(events)
        asked = story.ask(heads=story.heads if story.head is not None else [])
        finish(name, story, asked, said, then, after)

    def finish(
        name: str, story: StationStory, asked: bytes, said: dict[str, Any], then: dict[str, Any],
        after: dict[str, Any],
    ) -> None:  # fmt: skip
        answer = reply(asked, **said)
        steps = list(story.steps)
        story.ask(**after)
        found.append({
            "name": name, "before": steps, "reply": answer.hex(), "then": here | then,
            "next": story.steps[-1],
        })  # fmt: skip

    own = StationStory().head
    assert own is not None
    (d1, raw_d1), (d3, raw_d3) = run(APPROVER, LOG, [quiet(1, "vn.yb.04630")], [quiet(3, "vn.yb")])
    ((_, raw_s),) = run(STRANGER, LOG, [quiet(4, "vn.yb")])
    cursor = {"cursor": 3, "cursor_hash": b"trail-08"}

    case("nothing to say", {}, {}, {}, events=0)
    case("a receipt: the log is named no more", {"receipts": [receipt_for(own)]}, {"receipts": 1}, {})
    case(
        "a receipt for another hash is not believed", {"receipts": [receipt_for_other(own)]},
        {"strange": [log.hex()], "more": True}, {"heads": [claim(own)]},
    )  # fmt: skip
    case(
        "what the hub holds less of is named again", {"less": [[log, 0]]}, {"more": True},
        {"heads": [claim(own)]},
    )  # fmt: skip
    case(
        "a log refused for good is named no more", {"refused": [[log, 0, "root-mismatch"]]},
        {"refused": [[log.hex(), 0, "root-mismatch"]]}, {},
    )  # fmt: skip
    for code in ("parked-full", "key-unknown"):
        case(
            f"refused with {code}: it is offered again", {"refused": [[log, 0, code]]},
            {"refused": [[log.hex(), 0, code]], "more": True}, {"heads": [claim(own)]},
        )  # fmt: skip
    case(
        "refused in transit form: it goes as it is", {"refused": [[log, 0, "transit-prev"]]},
        {"refused": [[log.hex(), 0, "transit-prev"]], "more": True}, {"heads": [claim(own)]},
    )  # fmt: skip
    case(
        "decisions and where to read on", {"segments": [raw_d1, raw_d3], **cursor}, {"admitted": 2},
        cursor, events=0,
    )  # fmt: skip
    case(
        "more of them are waiting", {"segments": [raw_d1], "more": True, **cursor},
        {"admitted": 1, "more": True}, cursor, events=0,
    )  # fmt: skip
    story = StationStory(0)
    story.steps.append({"reply": reply(story.ask()).hex()})
    finish("more is said and nothing changes: not again at once", story, story.ask(), {"more": True}, {}, {})
    case(
        "a decision of a key that is not known yet waits", {"segments": [raw_s], **cursor}, {}, cursor,
        events=0,
    )  # fmt: skip
    case("a damaged decision is stepped over", {"segments": [raw_d1[:-1]], **cursor}, {}, cursor, events=0)
    case(
        "decisions with a hole between them", {"segments": [raw_d1, hole()], **cursor}, {"admitted": 2},
        cursor, events=0,
    )  # fmt: skip

    story = StationStory()
    story.steps.append({"reply": reply(story.ask(heads=story.heads), receipts=[receipt_for(own)]).hex()})
    asked = story.ask()
    finish(
        "another process of the hub answers: all logs are named with eight bytes", story, asked,
        {"hub_log": HUB_LOGS[1]}, {"more": True}, {"heads": [claim(own, 8)]},
    )  # fmt: skip
    story = StationStory()
    story.steps.append({"reply": reply(story.ask(heads=story.heads), receipts=[receipt_for(own)]).hex()})
    story.steps.append({"reply": reply(story.ask(), hub_log=HUB_LOGS[1]).hex()})
    asked = story.ask(heads=[claim(own, 8)])
    finish(
        "it lost the log: the log is sent again from where it stands", story, asked,
        {"hub_log": HUB_LOGS[1], "less": [[log, 0]]}, {"more": True}, {"heads": [claim(own)]},
    )  # fmt: skip
    for name, said, then, after in (
        ("with a receipt: both are named", True, {"receipts": 1}, [claim(own, 8), claim(second(own), 8)]),
        ("without one: it is named first", False, {}, [claim(second(own)), claim(own, 8)]),
    ):
        story = two_logs(own)
        asked = story.ask(heads=[claim(second(own))])
        receipts = [receipt_for(second(own), b"nonce-02")] if said else []
        finish(
            f"another process answers what named one of two logs, {name}", story, asked,
            {"hub_log": HUB_LOGS[1], "receipts": receipts}, then | {"more": True}, {"heads": after},
        )  # fmt: skip
    story = StationStory()
    story.steps.append({"reply": reply(story.ask(heads=story.heads)).hex()})
    finish(
        "another process answers what named every log: none is named again", story,
        story.ask(heads=story.heads),
        {"hub_log": HUB_LOGS[1], "receipts": [receipt_for(own, b"nonce-02")]}, {"receipts": 1}, {},
    )  # fmt: skip
    story = StationStory()
    raw = story.ask(heads=story.heads)
    story.steps.append({"reply": reply(raw, receipts=[receipt_for_other(own)]).hex()})
    finish(
        "a receipt for another hash once more: not again at once", story, story.ask(heads=story.heads),
        {"receipts": [receipt_for_other(own, b"nonce-02")]}, {"strange": [log.hex()]},
        {"heads": [claim(own)]},
    )  # fmt: skip
    story = StationStory()
    said = {"refused": [[log, 0, "transit-prev"]]}
    story.steps.append({"reply": reply(story.ask(heads=story.heads)).hex()})
    story.steps.append({"reply": reply(story.ask(heads=story.heads), **said).hex()})
    finish(
        "refused in transit form once more: not again at once", story, story.ask(heads=story.heads), said,
        {"refused": [[log.hex(), 0, "transit-prev"]]}, {"heads": [claim(own)]},
    )  # fmt: skip
    assert d3.prev == d1.hash
    return found


def second(own: SegmentHead) -> SegmentHead:
    """The log of the next process, with one event."""
    return head_of(STATION, [log_open(NOW, own, count=2), *numbered(1)], log_id=STATION_LOGS[1])


def two_logs(own: SegmentHead) -> StationStory:
    """The first log is receipted, the second was begun by another process and not told of yet."""
    story = StationStory()
    story.steps.append({"reply": reply(story.ask(heads=story.heads), receipts=[receipt_for(own)]).hex()})
    story.steps += [{"restart": True}, {"append": [event.hex() for event in numbered(1)]}]
    return story


def hole() -> bytes:
    """A later decision of the same log, with others between that are not for this station."""
    return run(APPROVER, LOG, [quiet(9, "vn.yb")], first_seq=7, prev=bytes(range(32)))[0][1]


def receipt_for_other(head: SegmentHead, nonce: bytes = NONCE) -> bytes:
    return receipt(
        author=head.key_id, log=head.log_id, next_seq=head.next_seq, head_hash=bytes(32), hub_time=NOW + 1,
        hub_log=HUB_LOGS[0], hub_seq=1, nonce=nonce,
    )  # fmt: skip


def station_rejects() -> list[Json]:
    story = StationStory()
    older = story.ask(heads=story.heads)
    asked = story.ask(heads=story.heads)
    good, body = reply(asked), reply_body()
    own = story.head
    assert own is not None
    mine = receipt_for(own, b"nonce-02")

    def raw_body(data: bytes) -> bytes:
        return reply(asked, body=data)

    cases: list[tuple[str, str, bytes]] = [
        ("nothing", "reply-magic", b""),
        ("a captive portal's page", "reply-magic", b"<!DOCTYPE html><html><body>Wi-Fi".ljust(120)),
        ("the request itself", "reply-magic", asked),
        ("version 2 of the frame", "reply-magic", b"\xd7\x4c\x41\x02" + good[4:]),
        ("another hub's", "reply-hub", reply(asked, APPROVER)),
        ("another hub's signature under this key id", "reply-signature",
         good[:12] + reply(asked, APPROVER)[12:]),
        ("a reply to the request before", "reply-signature", reply(older)),
        ("a reply to another station's request", "reply-signature", reply(request(STRANGER))),
        ("signed over the body alone", "reply-signature", good[:12] + HUB.sign(keys.REPLY, body) + body),
        ("signed as a request", "reply-signature",
         good[:12] + HUB.sign(keys.REQUEST, sha256(asked).digest() + body) + body),
        ("one bit of the body", "reply-signature", good[:-4] + bytes([good[-4] ^ 1]) + good[-3:]),
        ("a byte behind the body", "reply-signature", good + b"\0"),
        ("a byte behind the body, signed", "reply-codec", raw_body(body + b"\0")),
        ("a body cut short, signed", "reply-codec", raw_body(body[:-1])),
        ("a map", "reply-codec", raw_body(b"\x80")),
        ("version 2", "reply-version", reply(asked, version=2)),
        ("eleven fields", "reply-shape", raw_body(b"\x9b" + body[1:] + b"\xc0")),
        ("no array", "reply-shape", raw_body(b"\x01")),
        ("a time below zero", "reply-shape", reply(asked, hub_time=-1)),
        ("a log of the hub of seven bytes", "reply-shape", reply(asked, hub_log=b"seven..")),
        ("a receipt of 163 bytes", "reply-shape", reply(asked, receipts=[mine[:-1]])),
        ("193 receipts", "reply-shape", reply(asked, receipts=[mine] * 193)),
        ("less of a log, in one field", "reply-shape", reply(asked, less=[[LOG]])),
        ("less than nothing", "reply-shape", reply(asked, less=[[LOG, -1]])),
        ("a refusal without a code", "reply-shape", reply(asked, refused=[[LOG, 0]])),
        ("a code of 33 characters", "reply-shape", reply(asked, refused=[[LOG, 0, "c" * 33]])),
        ("a code of bytes", "reply-shape", reply(asked, refused=[[LOG, 0, b"code"]])),
        ("257 refusals", "reply-shape", reply(asked, refused=[[LOG, 0, "c"]] * 257)),
        ("a position without a hash", "reply-shape", reply(asked, cursor=3)),
        ("a hash without a position", "reply-shape", reply(asked, cursor_hash=bytes(8))),
        ("more is a number", "reply-shape", reply(asked, more=1)),
        ("257 segments", "reply-shape", reply(asked, segments=[b""] * 257)),
        ("a receipt that another key signed", "receipt-signature",
         reply(asked, receipts=[receipt_for(own, b"nonce-02", APPROVER, hub=HUB.key_id)])),
        ("a receipt of another hub", "receipt-signature",
         reply(asked, receipts=[receipt_for(own, b"nonce-02", APPROVER, hub=APPROVER.key_id)])),
        ("a receipt for the request before", "receipt-nonce", reply(asked, receipts=[receipt_for(own)])),
        ("164 bytes that are no receipt", "receipt-magic", reply(asked, receipts=[bytes(164)])),
    ]  # fmt: skip
    made: list[Json] = [
        {"name": name, "code": code, "before": story.steps, "reply": raw.hex()} for name, code, raw in cases
    ]
    made.append({
        "name": "one byte more than the room and 64 KiB", "code": "reply-size", "before": story.steps,
        "reply": good.hex(), "zeros_to": 2 * 65536 + 1,
    })  # fmt: skip
    twice = [*story.steps, {"reply": good.hex()}]
    made.append({"name": "the same again", "code": "reply-unawaited", "before": twice, "reply": good.hex()})
    made.append({
        "name": "a good one, after the process died", "code": "reply-unawaited",
        "before": [*story.steps, {"restart": True}], "reply": good.hex(),
    })  # fmt: skip
    return made
