"""Every error Loa raises on purpose, in one tree.

    LoaError
    ├── CodecError          bytes that are not a canonical event or message          (author, peer)
    ├── KeyRefused          a public key that must not be trusted                    (author)
    ├── SegmentError        a segment that does not open
    │   ├── LimitError      a length or count outside the limits                     (author)
    │   ├── UnknownKeyError nobody introduced this key here                        (author; retry)
    │   └── SignatureError  the signature is not this key's over these bytes         (author)
    ├── ChainError          a segment that does not continue its log
    │   ├── GapError        something before it is missing: ask again                (retry)
    │   └── ForkError       two signed histories: keep both heads as evidence        (author)
    ├── ProtocolError       what a peer sent is not a request or a reply             (peer)
    ├── NotAllowed          a rule of the house says no                              (operator)
    ├── StoreError          the disk failed or holds what it should not              (ours)
    ├── BlobError           content that is missing or not what its hash says        (peer; retry)
    ├── PlayerError         the device could not make sound                          (device)
    └── TransportError      the link failed; nothing changed                         (link; retry)

Each carries `code` (the refusal's stable name: it stands in the spec, in the vectors and on the wire),
`what` happened, `where` (log, sequence, field), whose `fault` it is, whether a `retry` can help, a `hint`
saying what to do next, and the `exit_code` a command ends with. Only `ProtocolError` and what it wraps may
be caused by a peer's bytes: any other exception while reading them is a bug of ours.
"""

from __future__ import annotations

from typing import ClassVar


class LoaError(Exception):
    """The base. `str()` is one line; `explain()` the two lines a command prints."""

    fault: ClassVar[str] = "ours"
    retry: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1
    status: int = 500
    default_hint: ClassVar[str] = ""

    def __init__(self, code: str, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(code, what)
        self.code = code
        self.what = what
        self.where = where
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        return f"{self.code}: {self.what}{place}"

    def explain(self) -> str:
        """Two lines for a person: what happened and whose fault it is; what to do next."""
        again = "it may help to try again" if self.retry else "trying again will not help"
        return f"{self} (fault: {self.fault}; {again})\n  → {self.hint or 'no remedy known; report it'}"


class CodecError(LoaError):
    fault = "author"
    exit_code = 10
    status = 400
    default_hint = "the writer must encode canonically (docs/spec/events.md)"


class KeyRefused(LoaError):
    fault = "author"
    exit_code = 11
    status = 400
    default_hint = "generate a new Ed25519 key; this one is not safe to trust"


class SegmentError(LoaError):
    fault = "author"
    exit_code = 12
    status = 422
    default_hint = "the segment is refused as a whole; fetch it again from its author"


class LimitError(SegmentError):
    exit_code = 13
    status = 413
    default_hint = "seal smaller segments (limits: docs/spec/segments.md)"


class UnknownKeyError(SegmentError):
    retry = True
    exit_code = 14
    status = 403
    default_hint = "enrol the key, or fetch the grant that introduces it, then send again"


class SignatureError(SegmentError):
    exit_code = 15
    status = 403
    default_hint = "the bytes were changed on the way or signed by another key; fetch them again"


class ChainError(LoaError):
    fault = "author"
    exit_code = 16
    status = 409


class GapError(ChainError):
    retry = True
    exit_code = 17
    default_hint = "send the missing segments of this log first"


class ForkError(ChainError):
    exit_code = 18
    default_hint = "the log is frozen and both heads are kept as evidence; an administrator decides"


class ProtocolError(LoaError):
    """A peer's bytes are not a request or reply of this protocol. `status` is the HTTP status to answer."""

    fault = "peer"
    exit_code = 19
    default_hint = "check the address: something else may be answering there (a captive portal, a proxy)"

    def __init__(self, code: str, what: str, *, where: str = "", hint: str = "", status: int = 400) -> None:
        super().__init__(code, what, where=where, hint=hint)
        self.status = status


class NotAllowed(LoaError):
    fault = "operator"
    exit_code = 20
    status = 403


class StoreError(LoaError):
    exit_code = 21
    status = 503
    errno: int | None = None  # the system's number, when the disk itself said no
    default_hint = "stop, check the disk, start again; the store verifies itself at start"


class BlobError(LoaError):
    fault = "peer"
    retry = True
    exit_code = 22
    status = 404
    default_hint = "fetch the content again"


class PlayerError(LoaError):
    fault = "device"
    retry = True
    exit_code = 23
    default_hint = "check the sound device; `loa doctor` says what is missing"


class TransportError(LoaError):
    fault = "link"
    retry = True
    exit_code = 24
    status = 502
    default_hint = "nothing changed; the next attempt is already planned"
