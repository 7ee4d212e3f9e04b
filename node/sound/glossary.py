"""Words of the place: how a commune's own names and abbreviations are read aloud. One file of a station.

    # glossary.toml
    NVH = "nhà văn hóa"
    "Đền Đông Cuông" = "đền Đông Cuông"
    "TDP 3" = "tổ dân phố ba"

As written on the left, as read on the right; they win over the words every station knows. Reading is strict
and bounded; a file that cannot be read is refused whole, and the station reads on without it: a slip in a
list of words must not silence a loudspeaker.

Bound: reading the file. What becomes of the words is `ledger.spoken`.
"""

from __future__ import annotations

import logging
import tomllib
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ledger.facts import acceptable_text
from ledger.log import Store, StoreError

logger = logging.getLogger("loa.node")

GLOSSARY_NAME: Final = "glossary.toml"
GLOSSARY_BYTES_MAX: Final = 65_536
# Every text is searched for each of them.
ENTRIES_MAX: Final = 500
NAME_CHARS_MAX: Final = 60
READ_CHARS_MAX: Final = 200
NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


def load_glossary(store: Store) -> Mapping[str, str]:
    """The words of this station's folder; none when there is no file. Raises StoreError(`glossary-…`)."""
    data = store.read(GLOSSARY_NAME)
    return NO_WORDS if data is None else read_glossary(data)


def words_of(store: Store) -> Mapping[str, str]:
    """As `load_glossary`; a file that is no list of words is told to the log, and none are used."""
    try:
        return load_glossary(store)
    except StoreError as error:
        if not error.code.startswith("glossary-"):
            raise
        logger.warning("%s; texts are read without the words of the place", error)
        return NO_WORDS


def read_glossary(data: bytes) -> Mapping[str, str]:
    """As written → as read, in NFC. Raises StoreError(`glossary-format` | `glossary-entry`)."""
    if len(data) > GLOSSARY_BYTES_MAX:
        raise _bad("glossary-format", f"more than {GLOSSARY_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad("glossary-format", f"not TOML: {error}") from error
    if len(table) > ENTRIES_MAX:
        raise _bad("glossary-format", f"{len(table)} words; at most {ENTRIES_MAX}")
    words: dict[str, str] = {}
    for name, read in table.items():
        if not isinstance(read, str):
            raise _bad("glossary-entry", f'{name!r} must be read as a text: {name} = "…"')
        for text, most in ((name, NAME_CHARS_MAX), (read, READ_CHARS_MAX)):
            reason = acceptable_text(unicodedata.normalize("NFC", text), most, lines=False)
            if reason is not None:
                raise _bad("glossary-entry", f"{name!r}: {text!r} is {reason}")
        words[unicodedata.normalize("NFC", name)] = unicodedata.normalize("NFC", read)
    return MappingProxyType(words)


def _bad(code: str, what: str) -> StoreError:
    return StoreError(code, what, where=GLOSSARY_NAME, hint='one word a line: NVH = "nhà văn hóa"')
