"""Where a running station is handed a stick: a folder in its own folder, looked into every two seconds.

One process owns a station's store, so the command that a person types cannot take a stick in while the
station runs. It copies the bundle into `desk/`, leaves a request there, and reads the answer: the station
takes the bundle in between two looks at its clock, a few pieces at a time, and stays in time meanwhile. It
never touches the stick itself, so a stick that is slow, broken or pulled out costs it nothing.

    desk/request.json   the command's      {"id", "do": "import" | "export" | "ask" | "yes" | "no", "word"}
                                           {"id", "do": "person", …}: as `person_desk` says
    desk/in/*.loa       the command's      what was on the stick
    usb/answer.json     the station's      {"id", "state": "busy" | "done" | "refused", …}
    usb/out.loa         the station's      what is to go onto the stick

Each file has one writer. The command holds the lock of `desk/`, so there is one at a time; whoever can write
there can read the station's key as well, so nothing is gained by forging a request. It is read strictly all
the same: a file that is no request is left alone.

Bound: this end. The command's is `handover`; the acts are `usb`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

from ledger.log import Corner, LoaError, NotAllowed, Store, StoreError, stick
from node.station import Station
from node.stick.usb import Question, beside
from node.stick.usb_content import Received
from node.stick.vouch import Word

logger = logging.getLogger("loa.node")

FOLDER: Final = "desk"
REQUEST: Final = "request.json"
IN: Final = "in"
BACK: Final = "usb"
ANSWER: Final = "usb/answer.json"
OUT: Final = "out.loa"

LOOK_EVERY_S: Final = 2.0
BUSY_EVERY_S: Final = 0.05  # between two portions of work
PORTION: Final = 8  # pieces of content between two looks of the station: half a megabyte
BEAT: Final = 128  # portions between two signs of life
REQUEST_BYTES_MAX: Final = 16_384
ANSWER_BYTES_MAX: Final = 1 << 20
TEXT_CHARS_SHOWN: Final = 1_000
DEEDS: Final = ("import", "export", "ask", "yes", "no", "person")

Submit: TypeAlias = Callable[[Callable[[], stick.Cargo]], "Future[stick.Cargo]"]


def plain_question(asked: Question | None) -> dict[str, Any] | None:
    """For JSON."""
    if asked is None:
        return None
    orders = [
        {
            "series": one.series, "kind": one.kind, "level": one.level, "drill": one.drill,
            "text": one.text[:TEXT_CHARS_SHOWN], "from_s": one.from_s, "until_s": one.until_s,
        }
        for one in asked.orders
    ]  # fmt: skip
    return {
        "utc_s": asked.word.utc_s, "behind": asked.behind, "word": asked.word.encode().hex(), "orders": orders
    }  # fmt: skip


class Desk:
    """submit: runs the look at a bundle beside the loop; nothing else runs there.

    people: what the station does with a request about its people (`person_desk`). taken: true while a stick
    comes by another way.
    """

    def __init__(
        self, station: Station, submit: Submit,
        people: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        taken: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._station = station
        self._store: Store = station.store
        self._visit = beside(station)
        self._submit = submit
        self._people = people
        self._taken = taken
        self._id = ""
        self._work: Iterator[None] | None = None
        self._beat = 0
        Corner(self._store, BACK).delete(OUT)

    @property
    def is_busy(self) -> bool:
        """True while a request is worked on."""
        return self._work is not None

    def look(self) -> float:
        """Takes a request, or a portion of the work under way. Seconds until it wants to be called again.

        Raises StoreError when the station's own disk fails.
        """
        if self._work is None and not self._begin():
            return LOOK_EVERY_S
        assert self._work is not None
        try:
            for _ in range(PORTION):
                next(self._work)
        except StopIteration:
            self._work = None
            self._station.look_soon()
            return LOOK_EVERY_S
        except LoaError as error:
            if not _is_about_the_stick(error):
                raise
            self._work = None
            self._station.look_soon()
            self._say("refused", code=error.code, what=error.what, hint=error.hint)
            return LOOK_EVERY_S
        self._beat += 1
        if self._beat % BEAT == 0:
            self._say("busy", beat=self._beat)
        return BUSY_EVERY_S

    # -- inside ----------------------------------------------------------------------------------------------

    def _begin(self) -> bool:
        request = _request(self._store)
        if request is None or request["id"] == self._id:
            return False
        self._id = request["id"]
        if not self._is_news():
            return False
        deed = request["do"]
        logger.info("the desk asks: %s", deed)
        self._say("busy", beat=0)
        if deed == "import" and self._taken():
            self._say("refused", code="stick-busy", what="a stick comes through the page", hint="wait for it")
            return False
        if deed == "import":
            self._work = self._take_in()
        elif deed == "export":
            self._work = self._put_out()
        elif deed == "person":
            self._work = self._manage(request)
        else:
            self._work = self._talk(deed, request.get("word", ""))
        return True

    def _is_news(self) -> bool:
        """False when a process before this one saw the request already."""
        said = read_answer(self._store)
        if said is None or said["id"] != self._id:
            return True
        if said["state"] == "busy":
            self._say(
                "refused", code="desk-restarted", what="the station started anew meanwhile",
                hint="repeat the command: what was taken in already is kept",
            )  # fmt: skip
        return False

    def _take_in(self) -> Iterator[None]:
        corner = Corner(self._store, f"{FOLDER}/{IN}")
        looked = self._submit(lambda: stick.look(corner))
        while not looked.done():
            yield from [None] * PORTION  # come back after the next look of the station
        cargo = looked.result()
        done = Received(cargo.files, len(cargo.damages), len(cargo.cut))
        yield from self._visit.taking(cargo, done)
        self._say("done", received=done.plain(), question=plain_question(self._visit.question()))

    def _put_out(self) -> Iterator[None]:
        sent = self._visit.send(Corner(self._store, BACK), OUT)
        yield
        unit = self._station.config.unit
        self._say("done", unit=unit, segments=sent.segments, bytes=sent.bytes)

    def _talk(self, deed: str, said: object) -> Iterator[None]:
        counts = False
        if deed == "no":
            self._visit.deny()
        elif deed == "yes":
            word = _word(said)
            counts = word is not None and self._visit.take_word(word)
        yield
        self._say("done", counts=counts, question=plain_question(self._visit.question()))

    def _manage(self, request: dict[str, Any]) -> Iterator[None]:
        if self._people is None:
            raise StoreError("desk-no-people", "this process keeps no people")
        try:
            told = self._people(request)
        except NotAllowed as error:
            self._say("refused", code=error.code, what=error.what, hint=error.hint)
        else:
            self._say("done", **told)
        yield

    def _say(self, state: str, **more: object) -> None:
        text = json.dumps({"id": self._id, "state": state, **more}, ensure_ascii=False)
        self._store.write(ANSWER, text.encode())


def read_answer(store: Store) -> dict[str, Any] | None:
    """The station's last answer; None when there is none, or it is none."""
    return _object(store, ANSWER, ANSWER_BYTES_MAX, {"id": str, "state": str})


def _request(store: Store) -> dict[str, Any] | None:
    found = _object(store, f"{FOLDER}/{REQUEST}", REQUEST_BYTES_MAX, {"id": str, "do": str})
    return found if found is not None and found["do"] in DEEDS and 0 < len(found["id"]) <= 64 else None


def _object(store: Store, name: str, bytes_max: int, shape: dict[str, type]) -> dict[str, Any] | None:
    """A JSON object of at least this shape."""
    size = store.size(name)
    if size is None or size > bytes_max:
        return None
    data = store.read(name)
    if data is None:
        return None
    try:
        found = json.loads(data[:bytes_max])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or any(type(found.get(key)) is not kind for key, kind in shape.items()):
        return None
    return found


def _word(said: object) -> Word | None:
    if not isinstance(said, str):
        return None
    try:
        return Word.decode(bytes.fromhex(said))
    except ValueError:
        return None


def _is_about_the_stick(error: LoaError) -> bool:
    """True for what the bundle or its room is to blame for; anything else is the station's own disk."""
    return isinstance(error, StoreError) and (error.code.startswith("stick-") or error.code == "no-file")
