"""Every word on the page has an English twin, and the compiled catalogue is the one that the source says.

Run as a program (`python tests/hub/test_web_words.py`) this file brings the catalogue up to date: it reads
the msgids from the code, the templates and the lists of the house, keeps every translation it has, and
compiles.
"""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from hub.bulletins import CATEGORIES
from hub.schedules import EMERGENCY_KINDS

WEB = Path(__file__).parent.parent.parent / "hub" / "web"
PO = WEB / "translations" / "en" / "LC_MESSAGES" / "messages.po"
WRITTEN = datetime(2022, 11, 9, tzinfo=UTC)  # a fixed date: the same words give the same file
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
PLACE = re.compile(r"%\((\w+)\)[sd]")


def said() -> Iterator[tuple[str | tuple[str, str], str]]:
    """(msgid, where) of everything the pages can say."""
    for name, _line, msgid, _comments, _context in extract_from_dir(
        WEB, METHODS, OPTIONS, KEYWORDS, callback=None
    ):
        yield (tuple(msgid) if isinstance(msgid, tuple | list) else msgid), str(name)
    for _slug, word in (*CATEGORIES, *EMERGENCY_KINDS):
        yield word, "lists"


def catalogue() -> Catalog:
    with PO.open("rb") as file:
        found = read_po(file, locale="en")
    found.creation_date = found.revision_date = WRITTEN
    return found


def compiled(source: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, source)
    return out.getvalue()


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def test_every_msgid_is_translated_into_english() -> None:
    have = {ids(m)[0]: m for m in catalogue() if m.id}
    missing = [f"{where}: {msgid}" for msgid, where in said() if _first(msgid) not in have]
    assert not missing, "run tests/hub/test_web_words.py and translate: " + "\n".join(missing)
    empty = [key for key, m in have.items() if not all(texts(m)) or m.fuzzy]
    assert not empty, "translate: " + "\n".join(empty)


def test_the_catalogue_holds_nothing_that_no_page_says() -> None:
    spoken = {_first(msgid) for msgid, _ in said()}
    assert not [ids(m)[0] for m in catalogue() if m.id and ids(m)[0] not in spoken]


def test_the_compiled_catalogue_is_the_one_in_the_source() -> None:
    """Word for word; the header, where Babel signs with its version, is not compared."""

    def spoken(packed: bytes) -> dict[object, str]:
        return {k: v for k, v in GNUTranslations(io.BytesIO(packed))._catalog.items() if k}

    assert spoken(PO.with_suffix(".mo").read_bytes()) == spoken(compiled(catalogue()))


def test_a_translation_fills_in_what_its_original_fills_in() -> None:
    for message in catalogue():
        if not message.id:
            continue
        wanted = set(PLACE.findall(ids(message)[0]))
        for text in texts(message):
            assert set(PLACE.findall(text)) <= wanted, message.id
            assert wanted - set(PLACE.findall(text)) <= {"num"}, message.id


def test_every_msgid_is_vietnamese_in_its_composed_form() -> None:
    for msgid, where in said():
        assert unicodedata.is_normalized("NFC", _first(msgid)), where


def test_no_template_switches_escaping_off() -> None:
    for path in sorted((WEB / "templates").glob("*.html")):
        text = path.read_text("utf-8")
        assert "|safe" not in text.replace(" ", ""), path.name
        assert "autoescape" not in text, path.name
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:", text), (
            f"{path.name}: inline code or style"
        )
    for path in WEB.rglob("*.py"):
        assert "Markup" not in path.read_text("utf-8"), path.name


def _first(msgid: str | tuple[str, str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def rewrite() -> list[str]:
    """Bring messages.po and messages.mo up to date; returns what still wants a translation."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    old = catalogue() if PO.exists() else Catalog(locale="en")
    kept = {ids(m)[0]: m for m in old if m.id}
    new = Catalog(
        locale="en", project="loa", version="0.1.0", fuzzy=False, creation_date=None, charset="utf-8"
    )
    new.mime_headers = []
    wanting = []
    for msgid, _where in said():
        found = kept.get(_first(msgid))
        new.add(msgid, found.string if found is not None else None)
    for message in new:
        if message.id and not all(texts(message)):
            wanting.append(ids(message)[0])
    with PO.open("wb") as file:
        write_po(file, new, width=110, no_location=True, omit_header=True, sort_output=True)
    text = PO.read_text("utf-8")
    head = (
        'msgid ""\nmsgstr ""\n"Language: en\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    )
    PO.write_text(
        "# Loa: the operators' pages in English. msgids are the Vietnamese words.\n" + head + text, "utf-8"
    )
    PO.with_suffix(".mo").write_bytes(compiled(catalogue()))
    return wanting


if __name__ == "__main__":
    sys.exit("\n".join(rewrite()) or 0)
