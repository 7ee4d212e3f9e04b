"""Files piece by piece: what the page's script speaks, so that a cut line costs one piece and not the file.

    POST /tep-gui                  kind, name, size, mark   → where it goes on from: 0, or where it was cut
    POST /tep-gui/<id>/<offset>    a piece                  → how far it is
    GET  /tep-gui/<id>                                      → how far it is
    POST /tep-gui/<id>/xong        crc                      → looked at; it waits for its form
    GET  /tep-gui/<id>/xem                                  → the file as it will be stored
    POST /tep-gui/<id>/bo                                   → thrown away

Answers are JSON, refusals `{"code", "error"}` with a sentence for the page. Without JavaScript nobody comes
here: the form brings its files itself.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hub.intake import MARK_CHARS_MAX, PIECE_BYTES_MAX, Parcel
from hub.web import auth, handing, words
from hub.web.refusals import say
from hub.web.words import nfc
from ledger.log import NotAllowed

handing_in = Blueprint("handing", __name__, url_prefix="/tep-gui")

PIECE_BYTES: Final = 128 << 10  # four seconds at 256 kbit/s: what a cut costs
INLINE: Final = frozenset(
    {"audio/ogg", "audio/wav", "audio/mpeg", "audio/flac", "audio/mp4", "audio/webm", "image/png",
     "image/jpeg", "image/webp"}
)  # fmt: skip


@handing_in.before_request
def desk() -> None:
    auth.needs("editor")


@handing_in.errorhandler(NotAllowed)
def refused(refusal: NotAllowed) -> ResponseReturnValue:
    status = 404 if refusal.code == "upload-unknown" else 422
    return jsonify({"code": refusal.code, "error": say(refusal)}), status


@handing_in.post("")
def begin() -> ResponseReturnValue:
    kind = request.form.get("kind", "")
    size = request.form.get("size", "")
    if kind not in handing.FIELDS or not (size.isascii() and size.isdigit() and len(size) <= 12):
        raise NotAllowed("upload-unknown", "not an announcement of a file", hint="choose the file again")
    handing.check_size(kind, int(size))
    made = auth.the_hub().intake.begin(
        auth.officer().account, kind, nfc(request.form.get("name", "")), int(size),
        request.form.get("mark", "")[:MARK_CHARS_MAX], bytes_max=handing.bytes_max(kind), now=auth.now(),
    )  # fmt: skip
    return jsonify(how_far(made))


@handing_in.get("/<parcel>")
def state(parcel: str) -> ResponseReturnValue:
    return jsonify(how_far(auth.the_hub().intake.find(auth.officer().account, parcel)))


@handing_in.post("/<parcel>/<int:offset>")
def piece(parcel: str, offset: int) -> ResponseReturnValue:
    if (request.content_length or 0) > PIECE_BYTES_MAX:
        raise NotAllowed("upload-piece", "the piece is too large", hint=f"at most {PIECE_BYTES_MAX} bytes")
    data = request.get_data(cache=False)
    done = auth.the_hub().intake.add(auth.officer().account, parcel, offset, data, now=auth.now())
    return jsonify(how_far(done))


@handing_in.post("/<parcel>/xong")
def done(parcel: str) -> ResponseReturnValue:
    intake, account = auth.the_hub().intake, auth.officer().account
    found = intake.find(account, parcel)
    if not found.is_ready:
        crc = request.form.get("crc", "")
        counted = int(crc) if crc.isascii() and crc.isdigit() and len(crc) <= 10 else None
        found = handing.looked_at(found, intake.whole(account, parcel, counted))
    return jsonify(how_far(found))


@handing_in.post("/<parcel>/bo")
def drop(parcel: str) -> ResponseReturnValue:
    auth.the_hub().intake.drop(auth.officer().account, parcel)
    return "", 204


@handing_in.get("/<parcel>/xem")
def look(parcel: str) -> ResponseReturnValue:
    found, data = auth.the_hub().intake.read(auth.officer().account, parcel)
    known = found.media_type in INLINE
    answer = Response(data, mimetype=found.media_type if known else "application/octet-stream")
    answer.headers["Content-Disposition"] = "inline" if known else "attachment"
    return answer


def how_far(parcel: Parcel) -> dict[str, object]:
    """What the script is told. told: what became of the file, for a person."""
    about = [words.size(parcel.size)] if parcel.is_ready else []
    if parcel.duration_ms:
        about.append(words.span(parcel.duration_ms / 1000))
    return {
        "id": parcel.id, "got": parcel.got, "size": parcel.size, "piece": PIECE_BYTES,
        "ready": parcel.is_ready, "about": " · ".join(about), "told": handing.told(parcel)[1],
        "type": parcel.media_type,
    }  # fmt: skip
