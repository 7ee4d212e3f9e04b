"""Khẩn cấp: write, look at what it will reach, confirm with the password.

Two steps, because the second shows numbers that the first cannot: how many stations are meant, how many of
them are out of touch at this moment, how many have no return path at all. A real order asks for a typed
word beside the password, a drill does not. There is no order without an expiry. Under the policy the second
step asks another person (`pages.second`); what comes back afterwards is `pages.answers`.

From the first page to the air it takes an access key for the page, one for prepared words, one for the next
step, then the password: nobody needs a mouse, nor a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.emergencies import WAIT_S
from hub.emergency_texts import PREPARED
from hub.media import Upload
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import emergency_kinds, territories
from hub.web.pages import spoken
from hub.web.refusals import errors_of
from hub.web.sounds import LEVEL, Sound, taken
from hub.web.tongue import gettext
from hub.web.wall import touch
from hub.web.words import HOUR_S
from ledger.facts import MAIN, TEXT_CHARS_MAX, covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import StationRow

emergency = Blueprint("emergency", __name__)

HISTORY_MAX: Final = 20
DRILL_BEFORE: Final = "Đây là diễn tập."  # said by the loudspeakers, whatever the language of the page
DRILL_AFTER: Final = "Hết phần diễn tập."


def real_word() -> str:
    """What a person types to say that this is no drill."""
    return gettext("PHÁT THẬT")


@dataclass(frozen=True)
class Reach:
    """Whom an order is meant for, and who cannot hear it now."""

    it: tuple[StationRow, ...]
    out_of_touch: tuple[StationRow, ...]
    fm: tuple[StationRow, ...]


def reach(territory: str) -> Reach:
    now = auth.now()
    rows = [row for row in auth.the_hub().queries.stations(now=now) if covers(territory, row.unit)]
    it = tuple(row for row in rows if row.kind == "it")
    return Reach(
        it=it,
        out_of_touch=tuple(row for row in it if touch(row, now) != "fresh"),
        fm=tuple(row for row in rows if row.kind == "fm"),
    )


@emergency.get("/khan-cap")
def page() -> ResponseReturnValue:
    values: dict[str, object] = {
        "level": "2",
        "mode": "drill",
        "hours": str(forms.EXPIRY_HOURS_DEFAULT),
        "territory": auth.officer().territory,
    }
    wanted = request.args.get("mau", "")
    if wanted in PREPARED:
        ready = PREPARED[wanted]
        values |= {"kind": wanted, "text": ready.text, "level": str(ready.level)}
    return written(values, {})


def written(values: dict[str, object], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The first step, with what is in force above it."""
    now, officer = auth.now(), auth.officer()
    orders = [
        row
        for row in auth.the_hub().queries.all_series()
        if row.kind == "emergency" and auth.in_sight(row.territory)
    ]
    orders.sort(key=lambda row: -row.at)
    active = [row for row in orders if row.state == "active" and row.expires_at > now]
    return (
        render_template(
            "emergency.html",
            active=active,
            past=[row for row in orders if row not in active][:HISTORY_MAX],
            values=values,
            errors=errors,
            kinds=emergency_kinds(),
            prepared=[(code, word) for code, word in emergency_kinds() if code in PREPARED],
            territories=territories(officer.territory),
            text_chars_max=TEXT_CHARS_MAX,
            hours_max=forms.EXPIRY_HOURS_MAX,
        ),
        status,
    )


@emergency.post("/khan-cap")
def confirm() -> ResponseReturnValue:
    """Second step: the same values, the counts, and the confirmation. Nothing is signed yet."""
    auth.needs("approver")
    reader = forms.Reader(request.form, forms.EMERGENCY_FIELDS)
    filled = read(reader)
    if reader.errors or request.form.get("do") == "edit":
        return written(reader.values, reader.errors, 422 if reader.errors else 200)
    return asked(filled, reader.values, {})


def asked(
    filled: forms.EmergencyIn, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "emergency_confirm.html",
            filled=filled,
            values=values,
            errors=errors,
            reach=reach(filled.territory),
            seconds=those_asked(filled),
            read_out=voice_here() is not None,
            wait_s=WAIT_S[auth.the_hub().config.second_person],
            kind_word=dict(emergency_kinds())[filled.kind],
            real_word=real_word(),
            until=auth.now() + filled.hours * HOUR_S,
        ),
        status,
    )


def those_asked(filled: forms.EmergencyIn) -> list[tuple[str, bool]] | None:
    """Who may be the second person (name, at work now); None when the policy asks nobody."""
    officer, hub, now, present = auth.officer(), auth.the_hub(), auth.now(), auth.at_work()
    asks = hub.commands.asks_a_second(officer, filled.territory, drill=filled.drill, present=present, now=now)
    others = hub.commands.seconds(officer, filled.territory, now=now) if asks else []
    return [(one.name, one.account in present) for one in others] if asks else None


@emergency.post("/khan-cap/ra-lenh")
def order() -> ResponseReturnValue:
    """Sign it: the password proven now, and for a real order the typed word.

    Whoever pressed a button that asks a second person never orders alone by it, also when that person has
    left since; and whoever pressed the other one is asked to wait when somebody has come.
    """
    auth.needs("approver")
    reader = forms.Reader(request.form, forms.EMERGENCY_FIELDS)
    filled = read(reader)
    if reader.errors:
        return written(reader.values, reader.errors, 422)
    password = reader.secret("password")
    if not filled.drill and reader.line("word", required=False).casefold() != real_word().casefold():
        reader.errors["word"] = gettext("Hãy gõ đúng: %(word)s", word=real_word())
    if reader.errors:
        return asked(filled, reader.values, reader.errors, 422)
    try:
        sound = taken()
    except NotAllowed as refusal:
        return asked(filled, reader.values, errors_of(refusal, {"audio"}.__contains__), 422)

    def act() -> str:
        proven, commands, present = auth.prove_again(password), auth.the_hub().commands, auth.at_work()
        now = auth.now()
        asks = request.form.get("second") == "1" or commands.asks_a_second(
            proven, filled.territory, drill=False, present=present, now=now
        )
        asks = asks and not filled.drill
        sign = commands.propose_emergency if asks else partial(commands.order_emergency, present=present)
        series = sign(
            proven,
            kind=filled.kind,
            level=filled.level,
            text=filled.text,
            audio=heard(filled, sound),
            territory=filled.territory,
            expires_at=now + filled.hours * HOUR_S,
            drill=filled.drill,
            now=now,
        )
        sound.tell()
        if asks:
            flash(gettext("Đã ký đề nghị. Chưa có gì được phát."), "ok")
            return url_for("second.one", series=series)
        flash(gettext("Đã ký lệnh. Danh sách dưới đây đầy dần khi các trạm trả lời."), "ok")
        return url_for("emergency.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = errors_of(refusal, {*forms.EMERGENCY_FIELDS, "audio"}.__contains__)
        if set(errors) <= {"password", "word", "audio", ""}:
            return asked(filled, reader.values, errors, 422)
        return written(reader.values, errors, 422)


def heard(filled: forms.EmergencyIn, sound: Sound) -> Upload | None:
    """What the loudspeakers say: the recording, else the machine's voice here, which says before and after
    that a drill is one. None where this machine has no voice: then a signal goes out beside the words.
    """
    voice = voice_here()
    if sound.upload is not None or voice is None:
        return sound.upload
    words = f"{DRILL_BEFORE} {filled.text} {DRILL_AFTER}" if filled.drill else filled.text
    try:
        return Upload(voice.of(MAIN, words), "may-doc.wav")
    except NotAllowed:
        return None  # an emergency does not wait for a voice


def voice_here() -> spoken.Sounds | None:
    """A voice whose sound is small: without ffmpeg half a minute is a megabyte, which no 2G line brings in
    time, and a station with a voice reads the words out by itself.
    """
    return spoken.sounds() if current_app.extensions.get(LEVEL) is not None else None


def read(reader: forms.Reader) -> forms.EmergencyIn:
    return forms.emergency(
        reader,
        kinds=dict(emergency_kinds()),
        territories=dict(territories(auth.officer().territory)),
        chars_max=TEXT_CHARS_MAX,
    )
