"""A stick for an FM station: the week's recordings as plain files in the order of play, with the run sheet.

Whoever plays it has a cheap player and no program of ours. So the files have names that sort in the order of
play, with the number of their line on the sheet; a text without a recording is a text file to be read out; a
list of SHA-256 sums and the signed decisions lie beside them, for who wants to know that this is what was
approved. Every file is read back and compared before the stick is said to be good; what the operating system
has not yet moved off its own memory the sums will tell.

Bound: files. What is on the sheet is `ledger.facts.sheet`; attestations come back as `hub.usb` takes all
segments, or by telephone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from hub.media import folded, read_manifest
from ledger.facts import SHEET_DAYS, SheetLine, iso, minute_of_day, sheet_of
from ledger.log import BlobError, CodecError, NotAllowed, Store, StoreError, bundle, stick
from ledger.sheet import sheet_html

if TYPE_CHECKING:
    from hub.hub import Hub

FOLDER: Final = "fm-"
SHEET: Final = "000-lich-phat.html"
SUMS: Final = "SHA256SUMS.txt"
LIST: Final = "danh-sach.m3u8"
LEDGER: Final = "loa" + stick.SUFFIX
NAME_CHARS_MAX: Final = 40
_ENDINGS: Final = {
    "audio/wav": ".wav", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/flac": ".flac",
    "audio/mp4": ".m4a",
}  # fmt: skip
_WEEKDAYS: Final = ("t2", "t3", "t4", "t5", "t6", "t7", "cn")
_BOM: Final = b"\xef\xbb\xbf"  # what old players' and Windows' editors know UTF-8 by


@dataclass(frozen=True)
class FmStick:
    """What was written. lines: of the sheet; absent: lines whose content is not at this hub, by number."""

    folder: str
    lines: int
    files: int
    bytes: int
    absent: tuple[int, ...]


@dataclass(frozen=True)
class _File:
    """One file to write. sha: of a content of the hub; b"" for what is made here."""

    name: str
    size: int
    sha: bytes
    data: bytes = b""


def write_fm(hub: Hub, unit: str, target: Store, first_day: int, *, days: int = SHEET_DAYS) -> FmStick:
    """Writes a folder for one station into a stick.

    NotAllowed("station-unknown"). StoreError: `stick-full` before anything is written; `stick-lost`;
    `stick-bad` when a file reads back otherwise than it was written.
    """
    with hub.lock:
        station = hub.facts.stations.get(unit)
        if station is None:
            raise NotAllowed(
                "station-unknown", f"{unit!r} is no registered station", hint="see the list of stations"
            )
        lines = sheet_of(hub.facts, unit, first_day, days)
        found, absent = _contents(hub, lines)
        page = sheet_html(
            station.fact.name, unit, first_day, days, lines, made_s=hub.now(), files=True,
            base=hub.config.page_url,
        ).encode()
        segments = [
            stored.segment.raw
            for stored in hub.ledger.since(0, decisions_only=True)
            if stored.audience in hub.facts.lineages.names(unit)
        ]
    folder = f"{FOLDER}{unit}-{iso(first_day)}"
    made = [
        _made(SHEET, page),
        _made(LIST, _playlist(found)),
        _made(LEDGER, b"".join(_ledger(hub, segments))),
    ]
    files = [*made, *found]
    sums = "".join(f"{(one.sha or sha256(one.data).digest()).hex()}  {one.name}\n" for one in files)
    files.append(_made(SUMS, sums.encode()))
    needed = sum(one.size for one in files)
    free = target.free_bytes()
    if needed + stick.SPARE_BYTES > free:
        raise StoreError(
            "stick-full", f"{needed} bytes are needed, {free} are free",
            hint="delete what is not needed from the stick, take a larger one, or fewer days",
        )  # fmt: skip
    for one in files:
        _write(hub, target, f"{folder}/{one.name}", one)
    return FmStick(folder, len(lines), len(files), needed, absent)


def _contents(hub: Hub, lines: tuple[SheetLine, ...]) -> tuple[list[_File], tuple[int, ...]]:
    """A file for each line, and the numbers of lines whose content is not here."""
    files, absent = [], []
    for line in lines:
        try:
            manifest = read_manifest(hub.blobs, line.slot.manifest)
            sound, words, stream = manifest.audio(), manifest.text(), manifest.stream()
            if sound is not None and hub.blobs.size(sound.sha256) == sound.size:
                ending = _ENDINGS.get(sound.media_type, ".bin")
                files.append(_File(_name(line, ending), sound.size, sound.sha256))
            elif sound is None and stream is not None:
                files.append(_made(_name(line, "-tiep-song.txt"), _BOM + hub.blobs.read(stream.sha256)))
            elif sound is None and words is not None:
                files.append(_made(_name(line, "-doc-to.txt"), _BOM + hub.blobs.read(words.sha256)))
            else:
                absent.append(line.number)
        except (BlobError, CodecError):
            absent.append(line.number)
    return files, tuple(absent)


def _name(line: SheetLine, ending: str) -> str:
    """Sorts in the order of play on any player: number, weekday, date, time, title in plain letters."""
    slot = line.slot
    minute = minute_of_day(slot.start_s)
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in folded(slot.title))
    title = "-".join(part for part in plain.split("-") if part)[:NAME_CHARS_MAX].rstrip("-") or "khong-ten"
    day = f"{_WEEKDAYS[(slot.day + 3) % 7]}-{iso(slot.day)[8:]}-{iso(slot.day)[5:7]}"
    return f"{line.number:03d}-{day}-{minute // 60:02d}h{minute % 60:02d}-{title}{ending}"


def _made(name: str, data: bytes) -> _File:
    return _File(name, len(data), b"", data)


def _playlist(files: list[_File]) -> bytes:
    names = [one.name for one in files if not one.name.endswith(".txt")]
    return ("#EXTM3U\n" + "".join(f"{name}\n" for name in names)).encode()


def _ledger(hub: Hub, segments: list[bytes]) -> Iterator[bytes]:
    """Every decision that this station's plan was made from, as signed: a bundle that an auditor reads."""
    writer = bundle.Writer(hub.key.key_id, hub.now())
    yield writer.begin
    for raw in segments:
        yield writer.add(bundle.frame(bundle.Kind.SEGMENT, raw))
    yield writer.end()


def _write(hub: Hub, target: Store, name: str, one: _File) -> None:
    """One file, read back: what a stick does not give back as it was is no week's programme."""
    data = hub.blobs.read(one.sha) if one.sha else one.data
    try:
        target.write(name, data)
        again = target.read(name)
    except OSError as error:
        raise StoreError(
            "stick-lost", f"the stick failed: {error}", hint="put it in again and repeat; nothing is lost"
        ) from error
    if again is None or sha256(again).digest() != sha256(data).digest():
        raise StoreError(
            "stick-bad", f"{name} reads back otherwise than it was written", hint="take another stick"
        )
