"""Bản tin: the list, and one bulletin with its evidence.

An edit never changes what exists: it makes a new version, and only a new approval lets that be heard. The
page of one bulletin shows what was approved byte for byte (hashes), who signed what in which log, and what
came back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from hub.bulletins import STATES
from hub.papers import paper_page
from hub.web import auth, forms
from hub.web.choices import categories
from hub.web.proofs import badge
from hub.web.sync_api import serve
from hub.web.tally import Piece, apart, pieces
from hub.web.words import nfc
from ledger.facts import Basis, local_day

if TYPE_CHECKING:
    from hub.offer_queries import OfferTally
    from hub.queries import AsRunRow, BulletinPage

bulletins = Blueprint("bulletins", __name__)

PAGE_ROWS = 50
SERIES_ASKED_MAX = 20
HEX_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
PLAYABLE = frozenset({"audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/mp4"})


@bulletins.get("/ban-tin")
def page() -> ResponseReturnValue:
    text = nfc(request.args.get("chu", "")).strip()[: forms.LINE_CHARS_MAX]
    state = request.args.get("tt", "")
    category = request.args.get("lv", "")
    offset = min(max(request.args.get("tu", 0, int), 0), 1_000_000)
    found = auth.the_hub().queries.bulletins(
        text=text,
        state=state if state in STATES else "",
        category=category if category in dict(categories()) else "",
        limit=PAGE_ROWS + 1,
        offset=offset,
    )
    return render_template(
        "bulletins.html",
        rows=[row for row in found[:PAGE_ROWS] if auth.in_sight(row.territory)],
        more=len(found) > PAGE_ROWS,
        offset=offset,
        step=PAGE_ROWS,
        values={"chu": text, "tt": state, "lv": category},
        filtered=bool(text or state or category or offset),
        states=STATES,
        categories=categories(),
    )


def load(bulletin: str) -> BulletinPage:
    """The page of one bulletin in this officer's sight, else 404 (not 403: ids of elsewhere tell nothing)."""
    if not HEX_ID.fullmatch(bulletin):
        abort(404)
    found = auth.the_hub().queries.bulletin(bulletin)
    if not auth.in_sight(found.row.territory):
        abort(404)
    return found


@bulletins.get("/ban-tin/<bulletin>")
def one(bulletin: str) -> ResponseReturnValue:
    return shown(load(bulletin))


def shown(
    found: BulletinPage, errors: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "bulletin.html",
            page=found,
            row=found.row,
            badge=badge(found.deeds),
            runs=by_day(found.as_run),
            clusters=clusters_by_day(found.as_run),
            boards=auth.the_hub().queries.boards_of_bulletin(found.row.id),
            offers=offers_of(found),
            errors=errors or {},
            own=found.row.author.account == auth.officer().account,
        ),
        status,
    )


@bulletins.app_context_processor
def named() -> dict[str, object]:
    return {"papers_named": papers_named}


def papers_named(basis: Basis) -> list[dict[str, object]]:
    """The documents a bulletin carries out, as a link says them; one that is not here is said to be not."""
    found = []
    for name in basis.documents:
        page = paper_page(auth.the_hub(), name.hex(), auth.officer().territory)
        title = "" if page is None else " · ".join(filter(None, (page[0].fact.number, page[0].fact.title)))
        found.append({"id": name.hex(), "title": title, "known": page is not None})
    return found


def offers_of(found: BulletinPage) -> dict[int, OfferTally]:
    """Series → what communes answered for its next day, or its last one; without those that are no offer."""
    own, today = auth.officer().territory, local_day(auth.now())
    told = {}
    for row in found.series[:SERIES_ASKED_MAX]:
        if row.days and row.state == "active":
            day = next((day for day in row.days if day >= today), row.days[-1])
            tally = auth.the_hub().queries.offer(row.series, day, territory=max(own, row.territory, key=len))
            if tally is not None:
                told[row.series] = tally
    return told


def by_day(rows: tuple[AsRunRow, ...]) -> list[tuple[tuple[int, int], list[Piece]]]:
    """(day, series) → outcomes, newest day first; the station-by-station list is the series' own page."""
    found: dict[tuple[int, int], list[AsRunRow]] = {}
    for row in rows:
        found.setdefault((row.day, row.series), []).append(row)
    told = {key: apart(of_key) for key, of_key in found.items()}
    return [(key, pieces(told[key][0], attested=told[key][1])) for key in sorted(told, reverse=True)]


def clusters_by_day(rows: tuple[AsRunRow, ...]) -> dict[tuple[int, int], tuple[int, int]]:
    """(day, series) → receiver clusters that were playing, of how many that stations spoke of."""
    counted: dict[tuple[int, int], tuple[int, int]] = {}
    for row in rows:
        if row.clusters is not None and row.clusters.readable:
            playing, of = counted.get((row.day, row.series), (0, 0))
            said = row.clusters
            counted[row.day, row.series] = (playing + said.playing, of + len(said.states))
    return counted


@bulletins.get("/ban-tin/<bulletin>/am-thanh")
def audio(bulletin: str) -> ResponseReturnValue:
    """The recording, with ranges, so that the player can seek. Its type is one of a closed list or it is a
    download.
    """
    found = load(bulletin)
    if not found.audio_sha256:
        abort(404)
    return sound(found.audio_sha256, found.audio_media_type)


def sound(sha256: str, media_type: str) -> Response:
    """A recording as the browser's player wants it."""
    hub = auth.the_hub()
    sha = bytes.fromhex(sha256)
    size = hub.blob_size(sha)
    if size is None:
        abort(404)
    known = media_type in PLAYABLE
    answer = serve(hub, sha, size, media_type if known else "application/octet-stream")
    answer.headers["Content-Disposition"] = "inline" if known else "attachment"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
