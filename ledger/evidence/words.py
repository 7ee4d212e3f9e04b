"""What a finding says, aloud, in Vietnamese and English: the same sentences as the verifier page.

Bound: words only. Nothing here decides; and nothing here claims that a signature has effect in law.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Final

from ledger.evidence.examine import Finding, Question
from ledger.facts.authority import Right
from ledger.facts.calendar import UTC_OFFSET_S, iso
from ledger.facts.clusters import cluster_report
from ledger.facts.decisions import Granted
from ledger.facts.endings import Revoked, RootsSet, Rotated
from ledger.facts.fields import Malformed
from ledger.facts.links import Grant
from ledger.facts.outcome import Evidence, Outcome
from ledger.facts.reports import Acknowledged, ClockStepped
from ledger.facts.roots import RootStatement
from ledger.log.errors import LoaError

_INSTANTS: Final = frozenset({"not_before", "not_after", "expires_at", "old_s", "new_s"})
_VIETNAM: Final = dt.timezone(dt.timedelta(seconds=UTC_OFFSET_S))

_PHRASES: Final[dict[str, tuple[str, str]]] = {
    "true": ("ĐÚNG: chữ ký và chuỗi cấp quyền đều khớp", "TRUE: the signature and the chain of grants hold"),
    "signed": ("Người ký", "Signed by"),
    "event": ("Sự kiện", "Event"),
    "confirmed": ("Người tại trạm xác nhận giờ này là đúng", "A person at the box confirmed this time"),
    "said": ("Theo đồng hồ người ký", "By the signer's own clock"),
    "place": ("Vị trí", "Place"),
    "place-of": ("số {seq} trong sổ {log}", "number {seq} of log {log}"),
    "right": ("Quyền", "Right"),
    "no-right": ("loại sự kiện này không cần quyền riêng", "this type of event needs no right of its own"),
    "over": ("{right}, địa bàn {unit}", "{right}, over {unit}"),
    "chain": ("Chuỗi cấp quyền", "Chain of grants"),
    "root-itself": ("chính khóa gốc đã ký", "a root key signed itself"),
    "link": (
        "{giver} → {taker}: {rights}; địa bàn {unit}; từ {begin} đến {end}",
        "{giver} → {taker}: {rights}; over {unit}; from {begin} to {end}",
    ),
    "root": ("khóa gốc {key}", "root {key}"),
    "existed": ("Đã có từ trước", "Existed by"),
    "never": ("không có bên thứ ba xác nhận", "no third party says"),
    "journal": ("sổ tiếp nhận của máy chủ {hub}", "journal of hub {hub}"),
    "receipt": ("biên nhận của máy chủ {hub}", "receipt of hub {hub}"),
    "open": ("KHÔNG chứng minh được", "NOT proven"),
    "ended": ("Khóa đã kết thúc; sự kiện này vẫn giữ giá trị", "Keys that ended; this event stays"),
    "revoked": ("{when}: {giver} hủy khóa {taker}: {reason}", "{when}: {giver} revoked {taker}: {reason}"),
    "rotated": ("{when}: {giver} đổi sang khóa khác", "{when}: {giver} changed to another key"),
    "roots": ("{when}: bộ khóa gốc số {version}", "{when}: root set {version}"),
    "read": (
        "người lập tệp đã đọc sổ tiếp nhận của máy chủ {hub} đến số {seq} trong sổ {log}, lúc {when}",
        "whoever made the file had read the journal of hub {hub} up to number {seq} of log {log}, at {when}",
    ),
    "unread": (
        "tệp không cho biết người lập đã đọc sổ máy chủ đến đâu",
        "the file does not say how far its maker had read any hub's journal",
    ),
}

_QUESTIONS: Final[dict[Question, tuple[str, str]]] = {
    Question.MEANING: (
        "nội dung: sự kiện này sai khuôn dạng hoặc của phiên bản mới hơn ({reason}), không có hiệu lực",
        "a meaning: the event is malformed or of a newer version ({reason}) and has no effect",
    ),
    Question.EFFECT: (
        "hiệu lực: còn tùy các lệnh khác mà tệp không mang theo",
        "that it takes effect: that hangs on statements that the file does not carry",
    ),
    Question.TIME: (
        "thời điểm: chỉ có đồng hồ của người ký, không bên thứ ba nào xác nhận",
        "when: only the signer's own clock says so, no third party does",
    ),
    Question.SELF_WITNESS: (
        "thời điểm một cách độc lập: máy chủ xác nhận cũng chính là người ký",
        "when, independently: the hub that says so is the signer itself",
    ),
    Question.LATE: (
        "ký khi còn quyền: lúc máy chủ nhận thì quyền không có hiệu lực, chỉ đồng hồ người ký nói là kịp",
        "that it was signed in time: the right was not in force when the hub got it, "
        "only the signer's clock says it was",
    ),
    Question.AHEAD: (
        "giờ ghi trong sự kiện: đồng hồ người ký chạy trước đồng hồ máy chủ",
        "the time stated in it: the signer's clock was ahead of the hub's",
    ),
    Question.CONTENT: (
        "nội dung phát: tệp chỉ mang mã băm; hãy so với tệp gốc",
        "the content: only its hash is here; compare it with the original",
    ),
    Question.SOUND: (
        "có người nghe thấy: đây là lời khai của thiết bị ({evidence})",
        "that anybody heard it: this is what the device says ({evidence})",
    ),
    Question.LATER: (
        "việc xảy ra sau đó: có bị thu hồi hay thay thế hay không",
        "what came after: whether it was withdrawn or replaced",
    ),
    Question.REVOKED: (
        "khóa không bị lộ, và không bị hủy bằng lệnh mà tệp không mang: {read}",
        "that no key was stolen, or ended by a statement that is not here: {read}",
    ),
    Question.PERSON: (
        "người cầm khóa: tên trong chuỗi là do bên cấp quyền ghi",
        "who held the key: the names in the chain are those the issuers wrote",
    ),
}


# By the beginning of a code; the first that fits.
_REFUSALS: Final[tuple[tuple[str, str, str], ...]] = (
    ("key-unknown", "không có chuỗi cấp quyền từ khóa gốc này đến người ký; có đúng khóa gốc không?",
     "no chain of grants leads from this root to the signer; is it the right root key?"),
    ("signature-bad", "một chữ ký không khớp: tệp đã bị sửa, hoặc người khác ký",
     "a signature does not match: the file was changed, or somebody else signed"),
    ("root-mismatch", "nội dung không phải là nội dung đã được ký", "the content is not what was signed"),
    ("no-authority", "chữ ký đúng, nhưng người ký không có quyền này ở địa bàn và thời điểm ấy",
     "the signature is good, but the signer had no such right there and then"),
    ("key-ended",
     "chữ ký đúng, nhưng khóa của người ký đã kết thúc và sự kiện này không thuộc phần được giữ lại",
     "the signature is good, but the signer's key ended and this is not among what stays"),
    ("revocation-", "một lệnh hủy khóa trong tệp không có giá trị",
     "a revocation in the file does not count"),
    ("rotation-", "một lệnh đổi khóa trong tệp không có giá trị", "a rotation in the file does not count"),
    ("roots-", "một bộ khóa gốc trong tệp không có giá trị; bạn đã đưa đủ các khóa gốc ban đầu chưa?",
     "a root set in the file does not count; did you name all roots of the founding?"),
    ("not-sealed-alone", "một quyết định phải được ký riêng; quyết định này thì không",
     "a decision is signed alone; this one was not"),
    ("grant-", "một lệnh cấp quyền trong tệp không có giá trị", "a grant in the file does not stand"),
    ("witness-no", "máy chủ xác nhận thời điểm không có quyền ở địa bàn ấy",
     "the hub that witnesses the time had no right to"),
    ("witness-", "xác nhận thời điểm trong tệp nói về một sự kiện khác",
     "the witness in the file speaks of something else"),
    ("evidence-magic", "đây không phải là tệp bằng chứng của Loa (phiên bản 1)",
     "this is not an evidence file of Loa, version 1"),
    ("evidence-version", "tệp thuộc phiên bản khác; hãy dùng bản kiểm chứng mới hơn",
     "the file is of another version; use a newer verifier"),
    ("", "tệp bị hỏng hoặc không đúng khuôn dạng", "the file is damaged, or not in the right form"),
)  # fmt: skip


def refused(error: LoaError, lang: str = "en") -> list[str]:
    """Two lines for a person who holds a file that proves nothing."""
    words = next((vi, en) for start, vi, en in _REFUSALS if error.code.startswith(start))
    verdict = "KHÔNG ĐÚNG" if lang == "vi" else "NOT TRUE"
    return [f"{verdict}: {words[lang != 'vi']}", f"  {error}"]


def told(finding: Finding, lang: str = "en") -> list[str]:
    """The finding in lines for a person. lang: `vi`, or English."""
    words = _Words(lang)
    return [
        *words.head(finding),
        *words.chain(finding),
        *words.time(finding),
        *words.endings(finding),
        *words.questions(finding),
    ]


def when(ts: int, lang: str = "en") -> str:
    """A UTC second as a local time of Vietnam; beyond the calendar, as a number."""
    try:
        return dt.datetime.fromtimestamp(ts, _VIETNAM).strftime("%d/%m/%Y %H:%M:%S +07")
    except (OverflowError, ValueError, OSError):
        return f"UTC {ts} s"


def plain(text: str) -> str:
    """A stranger's text without characters that steer a terminal or turn the reading direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _is_confirmed_time(fact: object) -> bool:
    """A step by a person from a time to the same one moved nothing: somebody said that this was the time."""
    return isinstance(fact, ClockStepped) and fact.source == "person" and fact.old_s == fact.new_s


def _named(label: str, key: str) -> str:
    return f"{plain(label)} ({key})"


class _Words:
    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._at = 0 if lang == "vi" else 1

    def say(self, name: str, **fill: object) -> str:
        return _PHRASES[name][self._at].format(**fill)

    def head(self, finding: Finding) -> Iterator[str]:
        fact, key = finding.fact, finding.author.key_id.hex()
        label = self.say("root", key=key) if not finding.chain else _named(finding.label, key)
        yield self.say("true")
        yield f"{self.say('signed')}: {label}"
        yield f"  {finding.author.raw.hex()}"
        kind = fact.reason if isinstance(fact, Malformed) else type(fact).__name__
        if _is_confirmed_time(fact):
            kind = f"{kind}: {self.say('confirmed')}"
        yield f"{self.say('event')}: {kind}"
        for name, value in self._fields(finding):
            yield f"  {name}: {value}"
        if not isinstance(fact, Malformed):
            yield f"{self.say('said')}: {when(fact.ts)}"
        yield f"{self.say('place')}: {self.say('place-of', seq=finding.seq, log=finding.log_id.hex())}"

    def _fields(self, finding: Finding) -> Iterator[tuple[str, object]]:
        fact = finding.fact
        if isinstance(fact, Malformed):
            yield "bytes", fact.event.hex()
            return
        for field in dataclasses.fields(fact)[1:]:
            value = getattr(fact, field.name)
            if isinstance(fact, Acknowledged) and field.name == "outcome":
                value = f"{value} ({Outcome(value).say(self._lang)})"
            if isinstance(fact, Acknowledged) and field.name == "clusters" and fact.clusters is not None:
                said = cluster_report(fact.clusters, fact.outcome, ())
                assert said is not None, "a vector always says something"
                value = f"{fact.clusters.hex()} ({said.say(self._lang)})"
            if field.name in _INSTANTS:
                value = when(value)
            elif field.name.endswith("day"):
                value = iso(value)
            elif isinstance(fact, Granted) and field.name == "classes":
                value = rights_of(fact, self._lang)
            yield field.name, value.hex() if isinstance(value, bytes) else plain(str(value))

    def chain(self, finding: Finding) -> Iterator[str]:
        if finding.right is None:
            yield f"{self.say('right')}: {self.say('no-right')}"
        else:
            right = finding.right.say(self._lang)
            over = right if finding.territory is None else self.say(
                "over", right=right, unit=finding.territory
            )  # fmt: skip
            yield f"{self.say('right')}: {over}"
        yield f"{self.say('chain')}:"
        yield from self._links(finding.chain)

    def _links(self, chain: tuple[Grant, ...]) -> Iterator[str]:
        if not chain:
            yield f"  {self.say('root-itself')}"
            return
        giver = self.say("root", key=chain[0].issuer.hex())
        for grant in chain:
            taker = _named(grant.label, grant.subject.key_id.hex())
            rights = rights_of(grant, self._lang)
            begin, end = when(grant.not_before), when(grant.not_after)
            yield "  " + self.say(
                "link", giver=giver, taker=taker, rights=rights, unit=grant.territory, begin=begin, end=end
            )
            giver = taker

    def time(self, finding: Finding) -> Iterator[str]:
        if finding.existed_s is None:
            yield f"{self.say('existed')}: {self.say('never')}"
            return
        yield f"{self.say('existed')}: {when(finding.existed_s)}"
        for witness in finding.witnesses:
            key = witness.hub.hex()
            hub = _named(witness.chain[-1].label, key) if witness.chain else self.say("root", key=key)
            yield f"  {when(witness.at_s)}: {self.say(witness.kind, hub=hub)}"

    def endings(self, finding: Finding) -> Iterator[str]:
        if finding.endings:
            yield f"{self.say('ended')}:"
        for signed in finding.endings:
            fact, giver = signed.fact, signed.key_id.hex()
            if isinstance(fact, Revoked):
                subject, reason = fact.subject.hex(), plain(fact.reason)
                said = self.say("revoked", when=when(fact.ts), giver=giver, taker=subject, reason=reason)
            elif isinstance(fact, RootsSet):
                version = RootStatement.decode(fact.statement).version
                said = self.say("roots", when=when(fact.ts), version=version)
            else:
                assert isinstance(fact, Rotated), "nothing else ends a key"
                said = self.say("rotated", when=when(fact.ts), giver=giver)
            yield f"  {said}"

    def questions(self, finding: Finding) -> Iterator[str]:
        fact = finding.fact
        reason = fact.reason if isinstance(fact, Malformed) else ""
        evidence = Evidence(fact.evidence).say(self._lang) if isinstance(fact, Acknowledged) else ""
        known = finding.known
        far = self.say("unread") if known is None else self.say(
            "read", hub=known.hub.hex(), seq=known.seq, log=known.log_id.hex(), when=when(known.at_s)
        )  # fmt: skip
        yield f"{self.say('open')}:"
        for question in finding.questions:
            yield "  - " + _QUESTIONS[question][self._at].format(reason=reason, evidence=evidence, read=far)


def rights_of(fact: Granted | Grant, lang: str) -> str:
    """The rights of a grant in words; bits without a word by their number."""
    known = sum(Right)
    words = Right(fact.classes & known).say(lang)
    newer = fact.classes & ~known
    return ", ".join(part for part in (words, f"+{newer}" if newer else "") if part)
