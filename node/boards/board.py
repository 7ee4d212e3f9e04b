"""The boards of this station: what is on them now, with its content, and what their screens say of it.

All boards of a commune show the same, by one rule that the hub has too (`ledger.facts.board`). Here the
circumstances are added: whether the content is here and is what was approved, and whether the clock may be
believed. A screen asks, shows, computes the hash of what it shows and tells; `board_rows` keeps that.

    view(name, moment)         what a screen should show, and for how long without another word from us
    seen(name, claims, moment) what it says it showed
    look(moment)               follows the plan: called at each look of the station

Bound: no page and no network. Which content a board needs is listed for `fetch` and `room`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.facts import (
    BOARD_TEXT,
    Board,
    Facts,
    Manifest,
    Post,
    Rendition,
    board_manifests,
    board_of,
    faces,
    local_day,
    shown_hash,
)
from ledger.log import BlobError, NotAllowed
from node.boards.board_rows import BoardRows, Claim, Key
from node.contents import Contents
from node.presence import Moment, Presence
from node.stick.vouch import Vouch

TEXTS_KEPT_MAX: Final = 256  # twice what boards carry
IMAGES_NOTED_MAX: Final = 256
TEXT: Final = "text"
IMAGE: Final = "image"


@dataclass(frozen=True)
class Face:
    """One thing on a screen. shown: the SHA-256 a screen must come to; content: half a manifest's hash.

    until_s: UTC s. text: all its words, "" for an image.
    """

    bulletin: bytes
    content: bytes
    shown: bytes
    day: int
    until_s: int
    klass: int
    kind: str
    media_type: str
    text: str = ""
    emergency: bool = False
    drill: bool = False


@dataclass(frozen=True)
class View:
    """What a screen should show. utc_s: None while nobody knows the time.

    left_s: for each face the seconds after which it must not be seen any more.
    """

    name: str
    place: str
    faces: tuple[Face, ...]
    left_s: tuple[float, ...]
    utc_s: float | None


class Boards:
    """names: of the station's boards. lost: told of content the disk damaged (content, manifest)."""

    def __init__(
        self, names: Sequence[str], place: str, unit: str, language: str, facts: Facts, contents: Contents,
        presence: Presence, vouch: Vouch, rows: BoardRows, lost: Callable[[bytes, bytes], None],
    ) -> None:  # fmt: skip
        self.names = tuple(names)
        self._place = place
        self._unit = unit
        self._language = language
        self._facts = facts
        self._contents = contents
        self._presence = presence
        self._vouch = vouch
        self._rows = rows
        self._lost = lost
        self._board: tuple[int, Board, float] | None = None  # facts' version, the answer, asked for
        self._texts: dict[bytes, str | None] = {}
        self._images: dict[bytes, tuple[Rendition, bytes]] = {}  # each with its manifest

    # -- what is on a board ----------------------------------------------------------------------------------

    def view(self, name: str, moment: Moment) -> View:
        """NotAllowed("board-unknown")."""
        self._known(name)
        on = self.faces(moment)
        return View(
            name,
            self._place,
            on,
            tuple(max(0.0, face.until_s - self._latest_s(moment)) for face in on),
            moment.utc_s if moment.trusted else None,
        )

    def faces(self, moment: Moment) -> tuple[Face, ...]:
        """What every board shows now: alarms alone, else the notices whose content is here."""
        alarms = self._alarms(moment)
        return alarms or self._notices(moment)

    def image(self, shown: bytes, moment: Moment) -> tuple[str, bytes] | None:
        """Media type and verified bytes of an image that is on a board now; None for anything else."""
        if all(face.kind != IMAGE or face.shown != shown for face in self.faces(moment)):
            return None
        rendition, manifest = self._images[shown]
        data = self._read(rendition, manifest)
        return None if data is None else (rendition.media_type, data)

    def wanted(self, from_s: float, until_s: float) -> list[bytes]:
        """Manifests that boards here need between two instants, the first to fetch first."""
        return board_manifests(self._facts, self._unit, from_s, until_s) if self.names else []

    def kept(self, from_s: float) -> set[bytes]:
        """Hashes that must stay on the disk for what may be shown after `from_s`."""
        found: set[bytes] = set()
        for name in self.wanted(from_s, float("inf")):
            found.add(name)
            manifest = self._contents.manifest(name)
            if manifest is not None:
                found.update(one.sha256 for one in faces(manifest, self._language))
        return found

    def forms(self, manifest: Manifest) -> tuple[Rendition, ...]:
        """What a board here shows of this manifest."""
        return faces(manifest, self._language)

    def has_all(self, manifest: bytes) -> bool:
        """True when nothing of this manifest is missing that a board would show."""
        known = self._contents.manifest(manifest)
        if known is None:
            return self._contents.is_broken(manifest)
        return all(self._contents.has(one.sha256) for one in faces(known, self._language))

    # -- what its screens say --------------------------------------------------------------------------------

    def seen(self, name: str, claims: Sequence[Claim], moment: Moment) -> bool:
        """Takes what a screen says it showed since it last said something; True when that is to be told soon.

        NotAllowed("board-unknown"). What is not on the board counts for nothing.
        """
        self._known(name)
        return self._rows.seen(name, claims, moment)

    def silent_s(self, name: str, moment: Moment) -> float | None:
        """Seconds since this board's screen last said something; None when it has not since we started."""
        self._known(name)
        heard_s = self._rows.heard_s(name)
        return None if heard_s is None else max(0.0, moment.mono_s - heard_s)

    def shown_today_s(self, name: str, moment: Moment) -> int:
        """Seconds something was on this board today, as far as its screen said."""
        return self._rows.shown_s(name, local_day(moment.utc_s))

    # -- the station's look ----------------------------------------------------------------------------------

    def look(self, moment: Moment) -> bool:
        """Lists what came on the boards and closes what left them; True when something was reported."""
        if not self.names:
            return False
        standing = {_key(face) for face in (*self._alarms(moment), *self._notices(moment))}
        return self._rows.follow(self.names, standing, moment)

    def wait_s(self, moment: Moment) -> float:
        """Seconds until a board changes by itself; inf without boards."""
        if not self.names:
            return float("inf")
        return max(0.0, self._answer(moment).until_s - moment.utc_s)

    def save(self) -> None:
        """Keeps the seconds counted so far, in the open transaction."""
        self._rows.save()

    # -- inside ----------------------------------------------------------------------------------------------

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise NotAllowed(
                "board-unknown", f"no board {name!r} here", where=name, hint="see boards in station.toml"
            )

    def _answer(self, moment: Moment) -> Board:
        kept = self._board
        if kept is not None and kept[0] == self._facts.version and kept[2] <= moment.utc_s < kept[1].until_s:
            return kept[1]
        answer = board_of(self._facts, self._unit, int(moment.utc_s))
        self._board = (self._facts.version, answer, int(moment.utc_s))
        return answer

    def _latest_s(self, moment: Moment) -> float:
        """The latest it can be now: what ends is taken down too early rather than too late."""
        return moment.utc_s if moment.trusted else self._presence.time.high(moment.mono_s)

    def _alarms(self, moment: Moment) -> tuple[Face, ...]:
        return tuple(
            Face(
                post.bulletin, post.content, shown_hash(post.text), post.day, post.until_s, post.klass, TEXT,
                "text/plain", post.text, emergency=True, drill=post.drill,
            )
            for post in self._answer(moment).alarms
            if self._may_alarm(post, moment)
        )  # fmt: skip

    def _may_alarm(self, post: Post, moment: Moment) -> bool:
        """As for the loudspeaker: surely not over; from a stick, when somebody vouches for the time."""
        if self._vouch.by_stick(post.decision):
            return self._vouch.may_begin(post.decision, moment)
        return moment.trusted or self._presence.time.high(moment.mono_s) < post.until_s

    def _notices(self, moment: Moment) -> tuple[Face, ...]:
        if not moment.trusted:
            return ()
        return tuple(face for post in self._answer(moment).notices for face in self._faces_of(post))

    def _faces_of(self, post: Post) -> list[Face]:
        manifest = self._contents.manifest(post.manifest)
        found = []
        for one in faces(manifest, self._language) if manifest else ():
            text = ""
            if one.kind == BOARD_TEXT:
                words = self._words(one, post.manifest)
                if words is None:
                    continue
                text = words
            elif self._contents.has(one.sha256):
                if len(self._images) >= IMAGES_NOTED_MAX:
                    self._images.clear()
                self._images[one.sha256] = (one, post.manifest)
            else:
                continue
            kind = TEXT if one.kind == BOARD_TEXT else IMAGE
            found.append(
                Face(
                    post.bulletin, post.content, one.sha256, post.day, post.until_s, post.klass, kind,
                    one.media_type, text,
                )
            )  # fmt: skip
        return found

    def _words(self, rendition: Rendition, manifest: bytes) -> str | None:
        """The text's words; None when it is not here or is no text."""
        name = rendition.sha256
        if name not in self._texts:
            if not self._contents.has(name):
                return None
            data = self._read(rendition, manifest)
            if data is None:
                return None
            if len(self._texts) >= TEXTS_KEPT_MAX:
                self._texts.clear()
            try:
                self._texts[name] = data.decode("utf-8")
            except UnicodeDecodeError:
                self._texts[name] = None  # its hash is right and it is no text: it will never be one
        return self._texts[name]

    def _read(self, rendition: Rendition, manifest: bytes) -> bytes | None:
        """The bytes, checked against the approved hash; None when the disk lost or damaged them."""
        try:
            return self._contents.read(rendition)
        except BlobError:
            self._lost(rendition.sha256, manifest)
            return None


def _key(face: Face) -> Key:
    return Key(face.bulletin, face.shown, face.day, face.content, face.emergency)
