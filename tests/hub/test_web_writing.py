"""Writing a bulletin at the desk: languages, files, the machine's voice, copies, samples, versions."""

from __future__ import annotations

import io
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_intake import PDF, png
from test_web_house import Browser, House, approve, build, document, tone

from hub.basis import read_basis
from hub.panel import preview, wrapped
from hub.web import create_app
from ledger.content import Voice, leveller, sound_kind, voice
from ledger.facts import AUDIO, BOARD_IMAGE, BOARD_TEXT, DOCUMENT, Basis, Manifest, heard_in
from ledger.log import NotAllowed

TEXT = "UBND xã mời bà con họp lúc 17h30 ngày 12/11."


@pytest.fixture
def house() -> House:
    return build("writing")


def filled(editor: Browser, button: str = "draft", **more: object) -> Browser:
    typed: dict[str, object] = {
        "title": "Họp thôn", "category": "thong-bao", "klass": "3", "_from": "09/11/2022",
        "_until": "16/11/2022", "text": TEXT,
    } | more  # fmt: skip
    return editor.press("", button, **typed)


def wav(seconds: float = 2.0) -> tuple[io.BytesIO, str]:
    return io.BytesIO(tone(seconds)), "ghi âm.wav"


def only(house: House) -> str:
    (row,) = house.hub.queries.bulletins()
    return row.id


def manifest(house: House, bulletin: str) -> Manifest:
    row = house.hub.queries.bulletin(bulletin).row
    return Manifest.decode(house.hub.blobs.read(bytes.fromhex(row.manifest)))


# -- languages -----------------------------------------------------------------------------------------------


def in_three(house: House) -> str:
    """A bulletin in Vietnamese, Tày (recorded) and Mông (written)."""
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "more", add="tyz", audio=wav(2))
    assert editor.status == 200
    assert "Đã nhận" in editor.words
    filled(editor, "more", add="hmn", audio_tyz=wav(3), text_tyz="Chăng chin kin khẩu.")
    filled(editor, "draft", text_hmn="Peb sib tham.")
    return only(house)


def test_one_bulletin_holds_a_rendition_for_each_language_under_one_approval(house: House) -> None:
    bulletin = in_three(house)
    whole = manifest(house, bulletin)
    assert [(one.kind, one.language) for one in whole.renditions] == [
        (AUDIO, "vi"), (BOARD_TEXT, "vi"), (AUDIO, "tyz"), (BOARD_TEXT, "tyz"), (BOARD_TEXT, "hmn"),
    ]  # fmt: skip
    assert [heard_in(whole, code) for code in ("vi", "tyz", "hmn", "ium")] == ["vi", "tyz", "vi", "vi"]
    house.browser("bientap").get(f"/ban-tin/{bulletin}").press("/gui")
    boss = approve(house, bulletin)
    assert house.hub.queries.bulletin(bulletin).row.state == "approved"
    for path in (f"/ban-tin/{bulletin}", f"/cho-duyet/{bulletin}"):
        boss.get(path)
        assert "Chăng chin kin khẩu." in boss.words
        assert "Tiếng Tày" in boss.words
        assert "loa ở đó phát tiếng Việt" in boss.words  # of Mông, which was only written
        (heard,) = [src for src in re.findall(r'<audio[^>]* src="([^"]+)"', boss.html) if "/tep/" in src]
        assert sound_kind(boss.client.get(heard).data) == ("audio/wav", 3_000)


def test_a_slot_is_as_long_as_the_slowest_language(house: House) -> None:
    bulletin = in_three(house)
    house.browser("bientap").get(f"/ban-tin/{bulletin}").press("/gui")
    approve(house, bulletin)
    page = house.hub.queries.bulletin(bulletin)
    editor = house.hub.accounts.login("bientap", "bientap-2022", now=house.clock[0])
    assert editor is not None
    series = house.hub.commands.schedule(
        editor,
        bulletin,
        territory="vn.yb",
        days=[page.row.valid_from_day],
        minute=17 * 60,
        now=house.clock[0],
    )
    (order,) = house.hub.facts.orders[series]
    assert order.fact.length_s == 3  # type: ignore[union-attr]


def test_a_language_in_which_nothing_stands_is_left_out_and_one_can_be_dropped(house: House) -> None:
    bulletin = in_three(house)
    editor = house.browser("bientap").get(f"/ban-tin/{bulletin}/sua")
    assert editor.form("").fields["tongue"] == ["tyz", "hmn"]
    assert editor.form("").fields["keep_audio_tyz"] == ["1"]
    editor.press("", "draft", text_hmn="", keep_audio_tyz=[], text_tyz="Chin kin.")
    assert [(one.kind, one.language) for one in manifest(house, bulletin).renditions] == [
        (AUDIO, "vi"), (BOARD_TEXT, "vi"), (BOARD_TEXT, "tyz"),
    ]  # fmt: skip


def test_a_language_that_is_not_on_the_list_is_no_field_of_the_form(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    assert filled(editor, "draft", text_xx="?").status == 400
    editor.get("/ban-tin/moi")
    filled(editor, "draft", tongue="xx", add="yy")
    assert {one.language for one in manifest(house, only(house)).renditions} == {"vi"}


def test_a_relay_has_one_language(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "more", add="tyz", klass="1", stream="https://vov.example/1", minutes="30")
    filled(editor, "draft", klass="1", stream="https://vov.example/1", minutes="30", audio_tyz=wav())
    assert editor.status == 422
    assert "chỉ có một thứ tiếng" in editor.words


def test_pictures_and_documents_travel_with_the_bulletin_and_are_shown_as_what_they_are(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, picture=(io.BytesIO(png()), "áp phích.png"), paper=(io.BytesIO(PDF), "tờ rời.pdf"))
    bulletin = only(house)
    whole = manifest(house, bulletin)
    assert [one.kind for one in whole.renditions] == [BOARD_TEXT, BOARD_IMAGE, DOCUMENT]
    picture, paper = (
        editor.client.get(f"/ban-tin/{bulletin}/tep/{one.sha256.hex()}") for one in whole.renditions[1:]
    )
    assert (picture.data, picture.mimetype) == (png(), "image/png")
    assert paper.data == PDF
    assert paper.headers["Content-Disposition"] == "attachment"
    assert paper.mimetype == "application/octet-stream"
    assert editor.client.get(f"/ban-tin/{bulletin}/tep/{'0' * 64}").status_code == 404
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "draft", title="Khác")
    assert [one.kind for one in manifest(house, bulletin).renditions] == [BOARD_TEXT, BOARD_IMAGE, DOCUMENT]


def test_a_file_is_taken_only_for_the_field_it_was_sent_to(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "more", paper=(io.BytesIO(PDF), "tờ rời.pdf"))
    sent = editor.form("").fields["up_paper"]
    filled(editor, "draft", up_picture=sent, up_paper=[])
    assert editor.status == 422
    assert house.hub.queries.bulletins() == []


# -- the machine's voice -------------------------------------------------------------------------------------


@pytest.fixture
def speaking(house: House) -> House:
    made = voice()
    if made is None:
        pytest.skip("espeak-ng is not installed")
    house.app = create_app(house.hub, voice=made)
    house.app.testing = True
    return house


def test_what_is_words_alone_is_not_sent_on_before_its_editor_fetched_the_machines_reading(
    speaking: House,
) -> None:
    editor = speaking.browser("bientap").get("/ban-tin/moi")
    filled(editor, "submit")
    bulletin = only(speaking)
    assert "hãy nghe máy đọc trước khi gửi duyệt" in editor.words
    assert speaking.hub.queries.bulletin(bulletin).row.state == "draft"
    assert "Ủy ban nhân dân xã mời bà con họp lúc mười bảy giờ ba mươi" in editor.words
    assert editor.press("/gui").status == 422
    (sound,) = re.findall(r'<audio[^>]* src="([^"]+)"', editor.html)
    kind, length_ms = sound_kind(editor.client.get(sound).data)
    assert kind == "audio/wav"
    assert length_ms > 2_000
    editor.get(f"/ban-tin/{bulletin}").press("/gui")
    assert speaking.hub.queries.bulletin(bulletin).row.state == "submitted"


def test_what_was_heard_in_the_form_need_not_be_heard_again_and_other_words_must(speaking: House) -> None:
    editor = speaking.browser("bientap").get("/ban-tin/moi")
    filled(editor, "listen")
    assert editor.status == 200
    assert "Đọc thành" in editor.words
    (sound,) = re.findall(r'<audio[^>]* src="(/doc-thu/[^"]+)"', editor.html)
    assert editor.client.get(sound).status_code == 200
    filled(editor, "submit")
    assert speaking.hub.queries.bulletin(only(speaking)).row.state == "submitted"
    other = speaking.browser("bientap").get("/ban-tin/moi")
    filled(other, "submit", text=TEXT + " Đông đủ.")
    assert "hãy nghe máy đọc" in other.words


def test_where_ffmpeg_is_there_the_machines_reading_is_as_loud_and_as_small_as_a_recording(
    house: House,
) -> None:
    say, level = voice(), leveller()
    if say is None or level is None:
        pytest.skip("espeak-ng and ffmpeg are not both installed")
    house.app = create_app(house.hub, voice=say, level=level)
    house.app.testing = True
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor)
    answer = editor.client.get(f"/ban-tin/{only(house)}/doc")
    assert answer.mimetype == "audio/ogg"
    assert len(answer.data) < 40_000
    assert editor.client.get(f"/ban-tin/{only(house)}/doc").data == answer.data


def test_somebody_elses_listening_does_not_count(speaking: House) -> None:
    editor = speaking.browser("bientap").get("/ban-tin/moi")
    filled(editor)
    bulletin = only(speaking)
    assert speaking.browser("lanhdao").client.get(f"/ban-tin/{bulletin}/doc").status_code == 200
    assert editor.get(f"/ban-tin/{bulletin}").press("/gui").status == 422


def test_a_recording_needs_no_listening_to_the_machine(speaking: House) -> None:
    editor = speaking.browser("bientap").get("/ban-tin/moi")
    filled(editor, "submit", audio=wav())
    assert speaking.hub.queries.bulletin(only(speaking)).row.state == "submitted"


def test_without_a_voice_here_nobody_is_held_up_and_the_page_says_so(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "listen")
    assert "chưa cài giọng đọc nên không nghe thử được" in editor.words
    filled(editor, "submit")
    assert house.hub.queries.bulletin(only(house)).row.state == "submitted"


def test_nothing_to_listen_to_is_an_error_of_the_text(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    assert filled(editor, "listen", text=" ").status == 422
    assert house.hub.queries.bulletins() == []


def test_a_voice_that_fails_says_so(tmp_path: object) -> None:
    for program in (
        "/nonexistent",
        shutil.which("false") or "/bin/false",
        shutil.which("true") or "/bin/true",
    ):
        with pytest.raises(NotAllowed) as caught:
            Voice(program)("chữ", "vi")
        assert caught.value.code == "no-voice"


# -- copies --------------------------------------------------------------------------------------------------


def test_a_copy_is_a_new_bulletin_with_the_same_words_and_files_and_days_from_today(house: House) -> None:
    first = in_three(house)
    house.later(30 * 86_400)
    editor = house.browser("bientap").get(f"/ban-tin/moi?nhu={first}")
    assert editor.form("").fields["from"] == ["09/12/2022"]
    assert editor.form("").fields["until"] == ["16/12/2022"]
    editor.press("", "draft", title="Họp thôn, lần hai")
    second = editor.path.rsplit("/", 1)[1]
    assert second != first
    assert manifest(house, second) == manifest(house, first)
    row = house.hub.queries.bulletin(second).row
    assert (row.version, row.title, row.state) == (1, "Họp thôn, lần hai", "draft")
    assert house.hub.queries.bulletin(first).row.title == "Họp thôn"


def test_a_copy_can_leave_the_recording_behind(house: House) -> None:
    first = in_three(house)
    editor = house.browser("bientap").get(f"/ban-tin/moi?nhu={first}")
    editor.press("", "draft", keep_audio=[], keep_audio_tyz=[])
    kinds = {one.kind for one in manifest(house, editor.path.rsplit("/", 1)[1]).renditions}
    assert kinds == {BOARD_TEXT}


def test_a_copy_of_an_old_bulletin_leaves_out_what_was_thrown_away_and_the_page_says_so(house: House) -> None:
    first = in_three(house)
    gone = house.hub.queries.bulletin(first).voices[1].audio
    assert gone is not None
    house.hub.blobs.delete(bytes.fromhex(gone.sha256))
    house.hub.blobs.delete(bytes.fromhex(house.hub.queries.bulletin(first).audio_sha256))
    editor = house.browser("bientap").get(f"/ban-tin/{first}")
    assert "không còn ở máy chủ này" in editor.words
    editor.get(f"/ban-tin/moi?nhu={first}")
    assert "keep_audio" not in editor.form("").fields
    editor.press("", "draft")
    kinds = {one.kind for one in manifest(house, editor.path.rsplit("/", 1)[1]).renditions}
    assert kinds == {BOARD_TEXT}
    editor.get(f"/ban-tin/moi?nhu={first}").press("", "draft", keep_audio="1", keep_audio_tyz="1")
    assert editor.status == 200


def test_nothing_is_signed_that_names_a_file_which_is_gone(house: House) -> None:
    first = in_three(house)
    page = house.hub.queries.bulletin(first)
    house.hub.blobs.delete(bytes.fromhex(page.audio_sha256))
    editor = house.hub.accounts.login("bientap", "bientap-2022", now=house.clock[0])
    assert editor is not None
    with pytest.raises(NotAllowed) as caught:
        house.hub.commands.revise_bulletin(
            editor, first, version=1, title="Khác", category="khac", klass=2, territory="vn.yb",
            valid_from_day=page.row.valid_from_day, valid_until_day=page.row.valid_until_day, text="Lời.",
            now=house.clock[0],
        )  # fmt: skip
    assert caught.value.code == "kept-gone"


# -- samples -------------------------------------------------------------------------------------------------


def sample(house: House, **more: object) -> Browser:
    editor = house.browser("bientap").get("/ban-tin/mau/moi")
    typed: dict[str, object] = {
        "name": "Họp thôn", "title": "Họp {thôn}", "category": "thong-bao", "klass": "3",
        "text": "Mời bà con {thôn} họp ngày {ngày} tại {địa điểm}.",
    } | more  # fmt: skip
    return editor.press("", **typed)


def test_a_sample_is_filled_by_a_form_and_becomes_a_draft(house: House) -> None:
    position = house.hub.ledger.position()
    editor = sample(house)
    assert "ô trống: thôn, ngày, địa điểm" in editor.words
    (row,) = house.hub.samples.rows()
    editor.get(f"/ban-tin/mau/{row.id}")
    assert 'value="09/11/2022"' in editor.html  # today, beforehand
    assert house.hub.ledger.position() == position
    editor.get(f"/ban-tin/moi?mau={row.id}&o0=thôn 3&o1=12/11&o2=nhà văn hóa")
    fields = editor.form("").fields
    assert fields["title"] == ["Họp thôn 3"]
    assert fields["text"] == ["Mời bà con thôn 3 họp ngày 12/11 tại nhà văn hóa."]
    assert fields["category"] == ["thong-bao"]
    editor.press("", "draft")
    assert house.hub.queries.bulletin(only(house)).row.title == "Họp thôn 3"


def test_what_is_left_blank_is_seen_and_cannot_be_sent_on(house: House) -> None:
    sample(house)
    (row,) = house.hub.samples.rows()
    editor = house.browser("bientap").get(f"/ban-tin/moi?mau={row.id}&o0=thôn 3&o1=12/11")
    assert editor.form("").fields["text"] == ["Mời bà con thôn 3 họp ngày 12/11 tại {địa điểm}."]
    editor.press("", "submit")
    assert editor.status == 422
    assert "Còn ô trống" in editor.words
    editor.press("", "draft")
    assert editor.status == 200


def test_a_sample_is_changed_deleted_and_refused_when_nobody_could_fill_it(house: House) -> None:
    assert "Có ngoặc { hoặc } lẻ" in sample(house, text="ngày {ngày").words
    editor = sample(house)
    (row,) = house.hub.samples.rows()
    editor.get(f"/ban-tin/mau/{row.id}/sua").press("", name="Họp bản")
    assert [one.name for one in house.hub.samples.rows()] == ["Họp bản"]
    editor.get(f"/ban-tin/mau/{row.id}").press("/xoa")
    assert house.hub.samples.rows() == []
    assert editor.get(f"/ban-tin/mau/{row.id}").status == 404
    assert house.browser("lanhdao").get("/ban-tin/mau").status == 403


def test_a_bulletin_becomes_a_sample(house: House) -> None:
    filled(house.browser("bientap").get("/ban-tin/moi"))
    editor = house.browser("bientap").get(f"/ban-tin/mau/moi?tu={only(house)}")
    editor.press("")
    (row,) = house.hub.samples.rows()
    assert (row.title, row.text, row.klass) == ("Họp thôn", TEXT, 3)


# -- versions ------------------------------------------------------------------------------------------------


def test_what_a_new_version_changed_is_marked_word_by_word_in_shape_and_in_words(house: House) -> None:
    bulletin = in_three(house)
    editor = house.browser("bientap").get(f"/ban-tin/{bulletin}/sua")
    editor.press("", "draft", text=TEXT.replace("17h30", "18h"), keep_audio_tyz=[], _until="20/11/2022")
    editor.get(f"/ban-tin/{bulletin}/ban")
    assert "Bản 1 → bản 2" in editor.words
    assert re.search(r"<del>.*17h30.*</del>\s*<ins>.*18h.*</ins>", editor.html)
    assert "[bỏ] 17h30 [hết bỏ]" in editor.words
    assert "09/11/2022 – 16/11/2022" in editor.words
    assert "âm thanh · Tiếng Tày" in editor.words
    (old,) = re.findall(r'href="(/ban-tin/[0-9a-f]+/tep/[0-9a-f]+)"', editor.html)
    assert sound_kind(editor.client.get(old).data) == ("audio/wav", 3_000)


def test_one_version_alone_has_nothing_to_compare_and_no_number_leads_astray(house: House) -> None:
    bulletin = in_three(house)
    editor = house.browser("bientap")
    for query in ("", "?tu=1&den=1", "?tu=9&den=7", "?tu=-1&den=x"):
        assert editor.get(f"/ban-tin/{bulletin}/ban{query}").status == 200
        assert "chưa có gì để so sánh" in editor.words


# -- boards --------------------------------------------------------------------------------------------------


def test_the_form_shows_what_a_board_of_the_chosen_size_makes_of_each_language(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "more", add="tyz")
    filled(editor, "listen", panel="16x2", text_tyz="Chăng chin kin khẩu.")
    panels = re.findall(r'<pre class="panel" lang="(\w+)">([^<]*)</pre>', editor.html)
    assert {code for code, _ in panels} == {"vi", "tyz"}
    assert panels[0][1].split("\n")[0].rstrip() == "UBND xã mời bà"
    assert all(len(line) <= 16 for _, page in panels for line in page.split("\n"))


@given(st.text(alphabet="aăđ \nổ", max_size=200), st.integers(8, 40), st.integers(1, 10))
def test_a_board_loses_no_word_and_no_line_is_longer_than_the_panel(
    text: str, columns: int, lines: int
) -> None:
    made = wrapped(text, columns)
    assert all(len(line) <= columns for line in made)
    assert "".join("".join(made).split()) == "".join(text.split())
    if all(len(word) <= columns for word in text.split()):
        assert " ".join(made).split() == text.split()
    pages = preview(text, columns, lines).pages
    assert [line for page in pages for line in page] == made
    assert all(1 <= len(page) <= lines for page in pages)


# -- campaign and document -----------------------------------------------------------------------------------


def test_what_a_bulletin_was_made_for_is_approved_with_it_and_found_again_after_a_rebuild(
    house: House,
) -> None:
    letter = document(house)
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, "submit", campaign="Ngày Pháp luật 9/11", document=letter)
    bulletin = only(house)
    approve(house, bulletin)
    page = house.hub.queries.bulletin(bulletin)
    assert page.basis == Basis("Ngày Pháp luật 9/11", (bytes.fromhex(letter),))
    (approval,) = house.hub.facts.approvals[bytes.fromhex(bulletin)]
    assert read_basis(house.hub.blobs, approval.fact.manifest) == page.basis
    for path in (f"/ban-tin/{bulletin}", f"/cho-duyet/{bulletin}"):
        editor.get(path)
        assert "Ngày Pháp luật 9/11" in editor.words
        assert "15/CV-STTTT" in editor.words
    house.hub.rebuild()
    assert house.hub.queries.campaigns() == [("Ngày Pháp luật 9/11", 1)]
    assert house.hub.queries.of_campaign("Ngày Pháp luật 9/11") == {bulletin}
    assert house.hub.queries.of_campaign("Khác") == frozenset()


def test_a_new_version_or_a_copy_keeps_what_it_was_made_for_until_it_is_changed(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    filled(editor, campaign="Mùa khô")
    bulletin = only(house)
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "draft", title="Khác")
    assert house.hub.queries.bulletin(bulletin).basis == Basis("Mùa khô")
    editor.get(f"/ban-tin/moi?nhu={bulletin}").press("", "draft")
    assert house.hub.queries.campaigns() == [("Mùa khô", 2)]
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "draft", campaign="")
    assert house.hub.queries.bulletin(bulletin).basis is None
    assert "Mùa khô" in editor.get(f"/ban-tin/{bulletin}/ban").words


@pytest.mark.parametrize("more", [{"document": "00" * 16}, {"campaign": "x" * 65}, {"campaign": "a‮b"}])
def test_a_basis_that_is_none_is_refused_and_the_form_kept(house: House, more: dict[str, str]) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    assert filled(editor, "draft", **more).status == 422
    assert TEXT in editor.html
    assert house.hub.queries.bulletins() == []
