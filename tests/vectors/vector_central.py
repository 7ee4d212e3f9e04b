"""What a superior answers to a hub that forwards: journals behind what they name, and journals that are not.

The stories are told as in `vector_sync`; the superior is the hub of that file, who forwards is another key.
"""

from __future__ import annotations

from typing import Any

from vector_parts import APPROVER, LOG, OTHER_LOG, STATION, STRANGER, Json, head_of, numbered
from vector_receipts import HUB
from vector_rounds import (
    AUDIENCES,
    HUB_LOGS,
    NOW,
    SOFTWARE,
    HubStory,
    claim,
    ingested,
    log_open,
    quiet,
    reply,
    request,
    run,
)

from ledger.log.codec import encode
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead

PROVINCE = SigningKey.from_seed(bytes(range(128, 160)))
JOURNAL = bytes.fromhex("9b0e0c5e00000001")
BELOW = ["vn", "vn.yb", "vn.yb.04500", "vn.yb.04630"]  # above its territory, and what lies in it


def up(*segments: bytes, key: SigningKey = PROVINCE, **changed: Any) -> bytes:
    return request(key, segments=list(segments), **changed)


def told(key: SigningKey, name: str, unit: int) -> tuple[SegmentHead, bytes]:
    ((head, raw),) = run(key, bytes.fromhex(name), [quiet(unit, "vn.yb")])
    return head, raw


class Cast:
    """Two segments of a station, one of an officer, and the journal that names them in this order."""

    def __init__(self) -> None:
        events = numbered(5)
        (self.a, self.raw_a), (self.b, self.raw_b) = run(STATION, LOG, events[:2], events[2:])
        ((self.d, self.raw_d),) = run(APPROVER, LOG, [quiet(1, "vn.yb.04630")])
        first = [log_open(NOW), ingested(NOW, self.a)]
        second = [ingested(NOW, self.d), ingested(NOW, self.b)]
        self.a_log = (STATION.key_id, LOG)
        (self.j, self.raw_j), (self.k, self.raw_k) = run(PROVINCE, JOURNAL, first, second)

    def journal(self, *events: bytes) -> tuple[SegmentHead, bytes]:
        """One journal segment that begins the log."""
        ((head, raw),) = run(PROVINCE, JOURNAL, [log_open(NOW), *events])
        return head, raw


def accepts(cast: Cast) -> list[Json]:
    found: list[Json] = []

    def case(name: str, story: HubStory, asked: bytes, **said: Any) -> None:
        found.append({
            "name": name, "before": list(story.steps), "request": asked.hex(), "now": NOW + 1,
            "reply": reply(asked, **{"hub_log": story.logs[0], **said}).hex(),
        })  # fmt: skip

    c = cast
    whole = [c.raw_a, c.raw_j, c.raw_d, c.raw_b, c.raw_k]
    case("idle", HubStory(), up())
    one = HubStory()
    one.arrive(NOW + 1, c.a, c.j)
    case("a journal behind what it names: one receipt", HubStory(),
         up(c.raw_a, c.raw_j, heads=[claim(c.j)]), receipts=[one.receipt(c.j)])  # fmt: skip
    every = HubStory()
    every.arrive(NOW + 1, c.a, c.j, c.d, c.b, c.k)
    case("all of a history in one request", HubStory(), up(*whole, heads=[claim(c.k)], room=0),
         receipts=[every.receipt(c.k)], more=True)  # fmt: skip
    case("segments of others alone have no receipt", HubStory(), up(c.raw_a, c.raw_b))
    before = HubStory().took(up(c.raw_a), NOW, c.a)
    after = HubStory().took(up(c.raw_a), NOW, c.a)
    after.arrive(NOW + 1, c.j)
    case("the journal with a later request", before, up(c.raw_j, heads=[claim(c.j)]),
         receipts=[after.receipt(c.j)])  # fmt: skip
    done = HubStory().took(up(*whole, heads=[claim(c.k)], room=0), NOW, c.a, c.j, c.d, c.b, c.k)
    case("the same again", done, up(*whole, heads=[claim(c.k)], room=0), receipts=[done.receipt(c.k)],
         more=True)  # fmt: skip
    hole = HubStory()
    jump, raw_jump = c.journal(ingested(NOW, c.b))
    hole.arrive(NOW + 1, c.b, jump)
    case("what is passed on may have a hole before it", HubStory(),
         up(c.raw_b, raw_jump, heads=[claim(jump)]), receipts=[hole.receipt(jump)])  # fmt: skip
    odd, raw_odd = c.journal(encode((80, NOW, b"short", b"short", -1, 0, b"")))
    strange = HubStory()
    strange.arrive(NOW + 1, odd)
    case("a malformed entry names nothing", HubStory(), up(raw_odd, heads=[claim(odd)]),
         receipts=[strange.receipt(odd)])  # fmt: skip
    other = run(STATION, LOG, numbered(3))[0]
    thief = up(other[1], key=STATION)
    twice = HubStory().took(thief, NOW, other[0])
    twice.took(up(c.raw_a), NOW)
    frozen = HubStory().took(thief, NOW, other[0])
    # The superior seals the evidence alone; behind it stands the entry of this round.
    fork = encode((81, NOW, signed_pair(other[1], c.raw_a)))
    alone = head_of(HUB, [fork], log_id=HUB_LOGS[0], first_seq=2, prev=frozen.own[-1].hash)
    frozen.own.append(alone)
    frozen.heads.append(alone.hash)
    frozen.arrive(NOW + 1, c.j)
    case("an entry of a log that is frozen here stops nothing", twice,
         up(c.raw_j, heads=[claim(c.j)], room=0), receipts=[frozen.receipt(c.j)], more=True)  # fmt: skip
    case("decisions within its territory and above it go down", done, up(**done.cursor(0)),
         segments=[c.raw_d], **done.cursor(3))  # fmt: skip
    lost = HubStory()
    lost.steps = [*done.steps, {"restored": 0}]
    lost.logs = HUB_LOGS[1:]
    case("a superior that lost everything asks for everything", lost, up(heads=[claim(c.k, 8)]),
         less=[[JOURNAL, 0]])  # fmt: skip
    return found


def signed_pair(one: bytes, other: bytes) -> bytes:
    return one[:168] + other[:168]


def rejects(cast: Cast) -> list[Json]:
    """Refused within a reply: `refused` holds the rows. Refused as a whole: there is no reply."""
    found: list[Json] = []
    c = cast

    def case(name: str, code: str, story: HubStory, asked: bytes, at: int = 0, **said: Any) -> None:
        said.setdefault("refused", [[JOURNAL, at, code]])
        found.append({
            "name": name, "code": code, "status": 409, "again": True, "before": list(story.steps),
            "request": asked.hex(), "now": NOW + 1,
            "reply": reply(asked, **{"hub_log": story.logs[0], **said}).hex(),
        })  # fmt: skip

    missing = "forward-missing"
    nothing = {"less": [[JOURNAL, 0]]}
    case("a journal alone", missing, HubStory(), up(c.raw_j, heads=[claim(c.j)]), **nothing)
    case("a journal before what it names", missing, HubStory(), up(c.raw_j, c.raw_a, heads=[claim(c.j)]),
         **nothing)  # fmt: skip
    case("a journal that a station carries", missing, HubStory(), up(c.raw_j, key=STATION))
    _, wrong_hash = c.journal(encode((80, NOW, *c.a_log, 0, 2, bytes(32))))
    case("an entry with another hash", missing, HubStory(), up(c.raw_a, wrong_hash))
    _, wrong_place = c.journal(encode((80, NOW, *c.a_log, 1, 2, c.a.hash)))
    case("an entry with another place", missing, HubStory(), up(c.raw_a, wrong_place))
    _, wrong_log = c.journal(encode((80, NOW, STATION.key_id, OTHER_LOG, 0, 2, c.a.hash)))
    case("an entry of another log", missing, HubStory(), up(c.raw_a, wrong_log))
    _, itself = c.journal(encode((80, NOW, PROVINCE.key_id, JOURNAL, 0, 2, bytes(32))))
    case("an entry of the journal itself", missing, HubStory(), up(itself))
    last, raw_last = c.journal(ingested(NOW, c.a), ingested(NOW, c.d))
    case("the last of two entries is missing", missing, HubStory(),
         up(c.raw_a, raw_last, heads=[claim(last)]), **nothing)  # fmt: skip
    one = HubStory()
    one.arrive(NOW + 1, c.a, c.j)
    case("the first segment of a journal is good, the second lacks something", missing, HubStory(),
         up(c.raw_a, c.raw_j, c.raw_d, c.raw_k, heads=[claim(c.k)], room=0), 2, less=[[JOURNAL, 2]],
         receipts=[one.receipt(c.j)], more=True)  # fmt: skip
    waits = HubStory().took(up(c.raw_d, c.raw_b, c.raw_k, room=0), NOW, c.d, c.b)
    case("a later segment waits for the first one, and the first lacks something", missing, waits,
         up(c.raw_j, heads=[claim(c.j)], room=0), more=True, **nothing)  # fmt: skip
    _, raw_s = told(STRANGER, "5a17c0de00000009", 4)
    head_s, _ = told(STRANGER, "5a17c0de00000009", 4)
    _, of_stranger = c.journal(ingested(NOW, head_s))
    case("an author nobody introduced: it waits with what names it", missing, HubStory(),
         up(raw_s, of_stranger))  # fmt: skip
    found += [
        {"name": "a hub nobody introduced", "code": "key-unknown", "status": 403, "again": True, "before": [],
         "request": up(key=STRANGER).hex(), "now": NOW + 1},
        {"name": "a key without the right", "code": "key-no-station", "status": 403, "again": True,
         "before": [], "request": up(key=APPROVER).hex(), "now": NOW + 1},
    ]  # fmt: skip
    return found


def central_vectors() -> Json:
    cast = Cast()
    return {
        "software": SOFTWARE,
        "hub_seed": HUB.seed.hex(),
        "hub_logs": [log.hex() for log in HUB_LOGS],
        "trusted": [key.verify_key.raw.hex() for key in (HUB, STATION, APPROVER, PROVINCE)],
        "stations": {STATION.key_id.hex(): AUDIENCES},
        "hubs": {PROVINCE.key_id.hex(): BELOW},
        "now": NOW,
        "accepts": accepts(cast),
        "rejects": rejects(cast),
    }
