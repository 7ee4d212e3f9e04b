"""What a bulletin was made for: a campaign (đợt tuyên truyền), and the documents it carries out.

It stands in the manifest beside text and sound, as a rendition of kind `basis`, so an approval binds it like
everything else, and whoever has the log and the content can count what was broadcast for a campaign. Nothing
of it is heard or shown; a station that does not know the kind passes it by.

The content is the canonical message `[1, campaign, [document, …]]`: campaign a line of at most 64 characters
or "", documents 16-byte ids of `DirectiveIssued`, each once, at most eight; one of the two is there.

Bound: bytes to value and back. Whether a document stands is `library.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ledger.facts.fields import acceptable_text
from ledger.log import codec
from ledger.log.errors import CodecError

BASIS: Final = "basis"
DOCUMENTS_MAX: Final = 8
BASIS_BYTES_MAX: Final = 1_024
FORMAT: Final = 1
ID_BYTES: Final = 16


@dataclass(frozen=True)
class Basis:
    """campaign: "" for none. documents: ids of 16 bytes, in their author's order."""

    MEDIA_TYPE: ClassVar[str] = "application/x-loa-basis"
    CHARS_MAX: ClassVar[int] = 64  # of a campaign

    campaign: str = ""
    documents: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The canonical bytes. CodecError("basis-format") for what `decode` would refuse."""
        data = codec.pack([FORMAT, self.campaign, list(self.documents)])
        Basis.decode(data)
        return data

    @classmethod
    def decode(cls, data: bytes) -> Basis:
        """The value in these bytes. CodecError: `basis-format`, or the codec's own codes."""
        tree = codec.unpack(data, bytes_max=BASIS_BYTES_MAX)
        if type(tree) is not tuple or len(tree) != 3 or type(tree[0]) is not int or tree[0] != FORMAT:
            raise _bad("not a basis of format 1")
        _, campaign, documents = tree
        if type(campaign) is not str or (
            campaign and acceptable_text(campaign, Basis.CHARS_MAX, lines=False) is not None
        ):
            raise _bad("the campaign is no clean line")
        if type(documents) is not tuple or len(documents) > DOCUMENTS_MAX:
            raise _bad(f"at most {DOCUMENTS_MAX} documents")
        ids = tuple(one for one in documents if type(one) is bytes and len(one) == ID_BYTES)
        if len(ids) != len(documents) or len(set(ids)) != len(ids):
            raise _bad("a document is named by 16 bytes, once")
        if not campaign and not ids:
            raise _bad("neither a campaign nor a document")
        return cls(campaign, ids)


def _bad(why: str) -> CodecError:
    return CodecError("basis-format", why, where="basis")
