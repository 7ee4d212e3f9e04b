"""The editor's acts on bulletins: draft, new version, copy, submit; and the approver's withdrawal.

Same routes and names as the bulletins' pages; a file of its own because forms grow for other reasons than
pages do. What was typed and handed in is always kept: a refused form comes back as it was sent, with its
reasons, and its files need not be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.media import Part, accept_line, accept_text
from hub.panel import SIZES, Preview, preview
from hub.papers import paper_rows
from hub.patterns import filled as filled_in
from hub.patterns import has_blanks
from hub.voices import Voice
from hub.web import auth, forms, handing, voices
from hub.web.acts import once
from hub.web.choices import categories, territories
from hub.web.pages import spoken
from hub.web.pages.bulletins import bulletins, load, shown
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from hub.web.words import dmy, nfc
from ledger.facts import BASIS, MAIN, REASON_CHARS_MAX, TONGUES, Basis, local_day
from ledger.log import NotAllowed
from ledger.spoken import read_aloud, reading_s

if TYPE_CHECKING:
    from hub.rows import BulletinPage
    from hub.web.voices import VoiceIn

VALID_DAYS = 7  # what the form proposes
PANELS: Final = tuple(f"{columns}x{lines}" for columns, lines in SIZES)
FIELDS: Final = (*forms.BULLETIN_FIELDS, *voices.KNOWN, "like", "panel", "campaign", "document")
LOOKING: Final = ("more", "listen")  # buttons that look and save nothing

reading_and_writing = bulletins  # one blueprint: the routes below hang on the pages of `bulletins`


@dataclass(frozen=True)
class Tried:
    """How the words will sound and look. sound: the id of words to listen to; "" when nobody can."""

    sound: str
    words: str
    seconds: int
    panels: tuple[tuple[str, Preview], ...]


@bulletins.get("/ban-tin/moi")
def new() -> ResponseReturnValue:
    """An empty form; over a sample (`mau`), or over another bulletin (`nhu`)."""
    officer, today = auth.needs("editor"), local_day(auth.now())
    values: dict[str, object] = {
        "klass": "2",
        "territory": officer.territory,
        "from": dmy(today),
        "until": dmy(today + VALID_DAYS),
    }
    like = request.args.get("nhu", "")
    if like:
        found = load(like)
        row = found.row
        values |= typed(found) | {
            "from": dmy(today),
            "until": dmy(today + row.valid_until_day - row.valid_from_day),
            "like": row.id,
        }
        return compose(values, {}, voices.of_page(found.voices))
    if request.args.get("mau"):
        sample = auth.the_hub().samples.find(request.args["mau"])
        given = {name: nfc(request.args.get(f"o{n}", "")).strip() for n, name in enumerate(sample.blanks)}
        text = filled_in(sample.text, given)
        values |= {
            "title": filled_in(sample.title, given),
            "category": sample.category,
            "klass": str(sample.klass),
        }
        return compose(values, {}, voices.of_page((Voice(MAIN, text, None, None, None),)))
    return compose(values, {}, voices.of_page(()))


@bulletins.post("/ban-tin/moi")
def new_post() -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.needs("editor")
    reader = forms.Reader(request.form, FIELDS)
    like = request.form.get("like", "")
    source = load(like) if like else None
    reader.values["like"] = like
    filled, spoken_in = read(reader, source)
    if reader.errors or request.form.get("do") in LOOKING:
        return again(reader, spoken_in)

    def act() -> str:
        given = voices.handed(spoken_in, basis_of(reader))
        made = hub.commands.draft_bulletin(
            officer,
            title=filled.title,
            category=filled.category,
            klass=filled.klass,
            territory=filled.territory,
            valid_from_day=filled.valid_from_day,
            valid_until_day=filled.valid_until_day,
            text=filled.text,
            audio=given.audio,
            relay=filled.relay,
            more=given.more,
            like=like,
            keep_audio=given.keep_audio,
            now=auth.now(),
        )
        return after_save(made, given)

    try:
        return once(act)
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), spoken_in, status=422)


@bulletins.get("/ban-tin/<bulletin>/sua")
def edit(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor")
    found = load(bulletin)
    values = typed(found) | {"version": str(found.row.version)}
    return compose(values, {}, voices.of_page(found.voices), found)


@bulletins.post("/ban-tin/<bulletin>/sua")
def edit_post(bulletin: str) -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.needs("editor")
    found = load(bulletin)
    reader = forms.Reader(request.form, FIELDS)
    filled, spoken_in = read(reader, found)
    version = reader.whole("version", 1, 2**31 - 1)
    if reader.errors or request.form.get("do") in LOOKING:
        return again(reader, spoken_in, found)

    def act() -> str:
        given = voices.handed(spoken_in, basis_of(reader))
        hub.commands.revise_bulletin(
            officer,
            bulletin,
            version=version,
            title=filled.title,
            category=filled.category,
            klass=filled.klass,
            territory=filled.territory,
            valid_from_day=filled.valid_from_day,
            valid_until_day=filled.valid_until_day,
            text=filled.text,
            audio=given.audio,
            keep_audio=given.keep_audio,
            relay=filled.relay,
            more=given.more,
            now=auth.now(),
        )
        return after_save(bulletin, given)

    try:
        return once(act)
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), spoken_in, found, status=422)


@bulletins.post("/ban-tin/<bulletin>/gui")
def submit(bulletin: str) -> ResponseReturnValue:
    officer, found = auth.needs("editor"), load(bulletin)

    def act() -> str:
        spoken.check_heard(found)
        auth.the_hub().commands.submit(officer, bulletin, now=auth.now())
        flash(gettext("Đã gửi duyệt. Người khác sẽ đọc, nghe và duyệt hoặc trả lại."), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(found, errors_of(refusal, lambda _name: False), 422)


@bulletins.post("/ban-tin/<bulletin>/thu-hoi")
def withdraw(bulletin: str) -> ResponseReturnValue:
    officer, found = auth.needs("approver"), load(bulletin)
    reader = forms.Reader(request.form, ("reason",))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(found, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.withdraw(officer, bulletin, reason=reason, now=auth.now())
        flash(gettext("Đã ký lệnh thu hồi. Trạm nhận lệnh ở lần liên lạc tới và thôi phát."), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(found, errors_of(refusal, lambda _name: False), 422)


@bulletins.get("/ban-tin/<bulletin>/doc")
def read_out(bulletin: str) -> ResponseReturnValue:
    """The machine's reading of its words."""
    return spoken.said(MAIN, load(bulletin).text)


# -- the form ------------------------------------------------------------------------------------------------


def typed(found: BulletinPage) -> dict[str, object]:
    """A bulletin as it was typed into the form."""
    row = found.row
    return {
        "title": row.title,
        "category": row.category,
        "klass": str(row.klass),
        "territory": row.territory,
        "from": dmy(row.valid_from_day),
        "until": dmy(row.valid_until_day),
        "stream": "" if found.relay is None else found.relay.address,
        "minutes": "" if found.relay is None else str(found.relay.duration_ms // 60_000),
        "campaign": "" if found.basis is None else found.basis.campaign,
        "document": found.basis.documents[0].hex() if found.basis and found.basis.documents else "",
    }


def read(reader: forms.Reader, source: BulletinPage | None) -> tuple[forms.BulletinIn, list[VoiceIn]]:
    """The form's fields and its languages. source: what files may be kept from."""
    chars_max = auth.the_hub().config.text_chars_max
    filled = forms.bulletin(
        reader,
        categories=dict(categories()),
        territories=dict(territories(auth.officer().territory)),
        chars_max=chars_max,
    )
    reader.values["panel"] = request.form.get("panel", "")
    reader.line("campaign", chars_max=Basis.CHARS_MAX, required=False)
    if request.form.get("document"):
        had = source.basis.documents if source is not None and source.basis is not None else ()
        reader.choice("document", {*dict(documents()), *(one.hex() for one in had)})
    kept = {} if source is None else {one.language: one for one in source.voices}
    spoken_in = voices.of_form(reader, kept, chars_max=chars_max)
    if request.form.get("do") == "submit":
        for field, text in (("title", filled.title), ("text", filled.text)):
            if has_blanks(text):
                reader.errors[field] = gettext("Còn ô trống trong ngoặc { } chưa điền.")
    return filled, spoken_in


def again(
    reader: forms.Reader, spoken_in: list[VoiceIn], found: BulletinPage | None = None
) -> ResponseReturnValue:
    """The form as it was sent: with its errors, or with what was asked to be looked at."""
    do = request.form.get("do")
    if do not in LOOKING:
        return compose(reader.values, reader.errors, spoken_in, found, status=422)
    files = {slot.field for voice in spoken_in for slot in voice.slots}
    errors = {field: why for field, why in reader.errors.items() if field in files}
    tried = None
    if do == "listen":
        try:
            tried = tried_out(spoken_in)
        except NotAllowed as refusal:
            errors |= errors_of(refusal, is_field)
    return compose(reader.values, errors, spoken_in, found, tried=tried, status=422 if errors else 200)


def tried_out(spoken_in: list[VoiceIn]) -> Tried:
    """NotAllowed as `accept_text`; text-empty when there is nothing to try."""
    text = accept_text(spoken_in[0].text, what="text", chars_max=auth.the_hub().config.text_chars_max)
    if not text:
        raise NotAllowed("text-empty", "there are no words", where="text", hint="write something")
    chosen = request.form.get("panel", "")
    columns, lines = SIZES[PANELS.index(chosen)] if chosen in PANELS else SIZES[2]
    words = read_aloud(text)
    sound = auth.the_hub().heard.put(MAIN, text, now=auth.now()) if spoken.can_speak() else ""
    return Tried(
        sound,
        words,
        reading_s(words),
        tuple((one.language, preview(one.text, columns, lines)) for one in spoken_in if one.text),
    )


def documents() -> list[tuple[str, str]]:
    """The documents a bulletin may carry out: id, number and title."""
    rows = paper_rows(auth.the_hub(), auth.officer().territory)
    return [(row.id, " · ".join(filter(None, (row.fact.number, row.fact.title)))) for row in rows]


def basis_of(reader: forms.Reader) -> tuple[Part, ...]:
    """The campaign and the document of the form, as the part that is approved with the rest.

    NotAllowed("text-not-allowed") for a campaign with hidden characters.
    """
    campaign, document = str(reader.values["campaign"]), str(reader.values.get("document", ""))
    if not campaign and not document:
        return ()
    named = accept_line(campaign, what="campaign", chars_max=Basis.CHARS_MAX) if campaign else ""
    basis = Basis(named, (bytes.fromhex(document),) if document else ())
    return (Part(BASIS, MAIN, basis.encode()),)


def is_field(name: str) -> bool:
    return name in FIELDS or name in handing.FIELDS.values()


def after_save(bulletin: str, given: voices.Handed) -> str:
    """Submit at once when that button was pressed; where to go on to.

    The version is signed by now, so a refused submission is told on the next page and does not undo the
    saving.
    """
    hub, officer = auth.the_hub(), auth.officer()
    for parcel in given.used:
        category, sentence = handing.told(parcel)
        if sentence:
            flash(sentence, category)
        hub.intake.drop(officer.account, parcel.id)
    if request.form.get("do") == "submit":
        try:
            spoken.check_heard(hub.queries.bulletin(bulletin))
            hub.commands.submit(officer, bulletin, now=auth.now())
            flash(gettext("Đã lưu và gửi duyệt."), "ok")
        except NotAllowed as refusal:
            flash(gettext("Đã lưu nháp nhưng chưa gửi duyệt được: %(why)s", why=say(refusal)), "warn")
    else:
        flash(gettext("Đã lưu nháp. Chưa gửi duyệt."), "ok")
    return url_for("bulletins.one", bulletin=bulletin)


def compose(
    values: dict[str, object],
    errors: dict[str, str],
    spoken_in: list[VoiceIn],
    found: BulletinPage | None = None,
    *,
    tried: Tried | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    config = auth.the_hub().config
    there = {one.language for one in spoken_in}
    return (
        render_template(
            "compose.html",
            values=values,
            errors=errors,
            page=found,
            voices=spoken_in,
            tongues=[one for one in TONGUES if one.code not in there],
            categories=categories(),
            territories=territories(auth.officer().territory),
            audio_bytes_max=config.audio_bytes_max,
            text_chars_max=config.text_chars_max,
            tried=tried,
            campaigns=[name for name, _count in auth.the_hub().queries.campaigns()],
            documents=documents(),
            panels=[(name, name.replace("x", " × ")) for name in PANELS],
            samples=bool(auth.the_hub().samples.rows()),
        ),
        status,
    )
