"""Các bản: every signed version of a bulletin, and what one changed of another, word by word."""

from __future__ import annotations

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from hub.versions import difference
from hub.web import auth
from hub.web.pages.bulletins import bulletins, load, sound
from ledger.facts import AUDIO

comparing = bulletins  # one blueprint: the routes below hang on the pages of `bulletins`


@bulletins.get("/ban-tin/<bulletin>/ban")
def versions(bulletin: str) -> ResponseReturnValue:
    """Two of them compared: the last two when none are named (`tu`, `den`)."""
    page = load(bulletin)
    found = auth.the_hub().queries.versions(bulletin)
    by_number = {one.number: one for one in found}
    new = by_number.get(request.args.get("den", 0, int)) or (found[-1] if found else None)
    older = [one for one in found if new is not None and one.number < new.number]
    old = by_number.get(request.args.get("tu", 0, int)) or (older[-1] if older else None)
    return render_template(
        "versions.html",
        row=page.row,
        versions=found,
        old=old,
        new=new,
        changes=None if old is None or new is None or old is new else difference(old, new),
    )


@bulletins.get("/ban-tin/<bulletin>/tep/<sha256>")
def file(bulletin: str, sha256: str) -> ResponseReturnValue:
    """A file of any version: a recording or a picture is shown, anything else is a download."""
    page = load(bulletin)
    known = {
        each.sha256: each
        for voices in (page.voices, *(one.voices for one in auth.the_hub().queries.versions(bulletin)))
        for voice in voices or ()
        for each in (voice.audio, voice.picture, voice.paper)
        if each is not None
    }
    if sha256 not in known:
        abort(404)
    found = known[sha256]
    answer = sound(sha256, found.media_type)
    if found.kind != AUDIO and found.media_type.startswith("image/"):
        answer.headers["Content-Type"] = found.media_type
        answer.headers["Content-Disposition"] = "inline"
    return answer
