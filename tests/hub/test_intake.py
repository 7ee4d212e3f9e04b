"""Files on their way in: pieces, cuts, limits, leftovers, and a hub that was restarted meanwhile."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import struct
import zlib
from urllib.parse import urlencode

import pytest
from hub_house import House as Hubs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from test_web_house import House, build, tone
from test_web_machine import served

from hub.intake import FILES_MAX, LIFE_S, PIECE_BYTES_MAX, SWEEP_EVERY_S, Intake
from ledger.content import PAPER_BYTES_MAX, PICTURE_BYTES_MAX, paper_type, picture_type
from ledger.log import MemoryStore, NotAllowed

ROOM = 100_000
PDF = b"%PDF-1.4\n" + b"x" * 400 + b"\n%%EOF\n"


def png(width: int = 320, height: int = 200) -> bytes:
    """A whole picture, one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress((b"\0" + b"\x20\x60\x90" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def code_of(act: object, *args: object, **more: object) -> str:
    with pytest.raises(NotAllowed) as caught:
        act(*args, **more)  # type: ignore[operator]
    return caught.value.code


def intake(store: MemoryStore) -> Intake:
    drawn = iter(range(1 << 30))
    return Intake(
        store.open_db("writing.db"), store, entropy=lambda n: next(drawn).to_bytes(n, "big"), room_bytes=ROOM
    )


def begin(of: Intake, size: int, mark: str = "1:a.mp3", account: str = "lan", now: int = 0) -> str:
    return of.begin(account, "audio", "a.mp3", size, mark, bytes_max=ROOM, now=now).id


class Sending(RuleBasedStateMachine):
    """A sender that is cut off, repeats itself and comes back after restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.intake = intake(self.store)
        self.data = bytes(range(256)) * 20
        self.id = begin(self.intake, len(self.data))
        self.got = 0

    @rule(length=st.integers(1, 900), off=st.sampled_from([0, 0, 0, -7, 5]))
    def piece(self, length: int, off: int) -> None:
        at = max(0, self.got + off)
        part = self.data[at : at + length]
        if not part:
            return
        found = self.intake.add("lan", self.id, at, part, now=1)
        if at == self.got:
            self.got += len(part)
        assert found.got == self.got

    @rule()
    def again(self) -> None:
        assert begin(self.intake, len(self.data)) == self.id

    @rule()
    def restart(self) -> None:
        self.intake = intake(self.store)

    @invariant()
    def what_is_here_is_what_was_sent(self) -> None:
        assert self.intake.find("lan", self.id).got == self.got
        if self.got == len(self.data):
            assert self.intake.whole("lan", self.id, zlib.crc32(self.data)) == self.data
        else:
            assert code_of(self.intake.whole, "lan", self.id) == "upload-short"


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=40, stateful_step_count=25)


def test_a_file_belongs_to_the_officer_who_sends_it() -> None:
    of = intake(MemoryStore())
    name = begin(of, 10)
    assert begin(of, 10, account="mai") != name
    for act in (lambda: of.find("mai", name), lambda: of.add("mai", name, 0, b"x", now=0)):
        assert code_of(act) == "upload-unknown"
    of.drop("mai", name)
    assert of.find("lan", name).got == 0


@pytest.mark.parametrize("name", ["", "../accounts.db", "0" * 24, "g" * 24, "0" * 23 + "\n"])
def test_a_name_that_is_no_files_leads_nowhere(name: str) -> None:
    assert code_of(intake(MemoryStore()).find, "lan", name) == "upload-unknown"


def test_one_officer_has_so_much_room_and_so_many_files_and_no_more() -> None:
    of = intake(MemoryStore())
    begin(of, ROOM - 10, "1:a")
    assert code_of(begin, of, 11, "1:b") == "upload-room"
    assert begin(of, 11, "1:b", account="mai")
    many = intake(MemoryStore())
    for n in range(FILES_MAX):
        begin(many, 1, f"{n}:x")
    assert code_of(begin, many, 1, "more:x") == "upload-many"
    assert (code_of(begin, many, 0), code_of(begin, many, ROOM + 1)) == ("upload-empty", "upload-large")


def test_a_full_disk_refuses_a_file_before_its_first_byte() -> None:
    store = MemoryStore()
    store.free = 1 << 20
    assert code_of(begin, intake(store), 10) == "upload-room"


def test_what_nobody_touched_for_a_day_goes_and_leaves_no_bytes() -> None:
    store = MemoryStore()
    of = intake(store)
    old, young = begin(of, 10, "1:a"), begin(of, 10, "1:b")
    of.add("lan", old, 0, b"12345", now=0)
    of.add("lan", young, 0, b"12345", now=LIFE_S)
    store.write("intake/" + "f" * 24, b"left by a crash")
    assert of.sweep(LIFE_S + 1) == 2
    assert code_of(of.find, "lan", old) == "upload-unknown"
    assert store.names("intake/") == ["intake/" + young]
    assert of.sweep(LIFE_S + SWEEP_EVERY_S) == 0  # it looks every ten minutes only


def test_a_file_that_is_not_what_was_sent_is_dropped() -> None:
    of = intake(MemoryStore())
    name = begin(of, 4)
    of.add("lan", name, 0, b"abcd", now=0)
    assert code_of(of.whole, "lan", name, zlib.crc32(b"abce")) == "upload-mixed"
    assert code_of(of.find, "lan", name) == "upload-unknown"


def test_an_oversized_or_empty_piece_is_refused() -> None:
    of = intake(MemoryStore())
    name = begin(of, 10)
    assert code_of(of.add, "lan", name, 0, b"", now=0) == "upload-piece"
    assert code_of(of.add, "lan", name, 0, b"x" * (PIECE_BYTES_MAX + 1), now=0) == "upload-piece"
    assert of.add("lan", name, 0, b"x" * 11, now=0).got == 0  # more than was announced


def test_the_hub_itself_throws_leftovers_away() -> None:
    house = Hubs("leftovers")
    made = house.hub.intake.begin("bientap", "audio", "a", 10, "", bytes_max=100, now=house.now)
    house.later(LIFE_S + SWEEP_EVERY_S + 1)
    house.hub.tick()
    assert code_of(house.hub.intake.find, "bientap", made.id) == "upload-unknown"


# -- what a picture and a document must be -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture-empty"),
        (b"<svg/>", "picture-type"),
        (b"GIF89a" + b"x" * 50, "picture-type"),
        (png()[:-20], "picture-broken"),
        (png(9_000, 1), "picture-size"),
        (png() + b"x" * PICTURE_BYTES_MAX, "picture-large"),
        (b"\xff\xd8\xff\xe0\x00\x04ab" + b"\xff\xd9", "picture-broken"),
        (b"RIFF\xff\0\0\0WEBPVP8 " + b"\0" * 20, "picture-broken"),
    ],
)
def test_a_picture_that_no_board_could_show_is_refused(data: bytes, code: str) -> None:
    assert code_of(picture_type, data) == code


def test_pictures_of_each_kind_are_known_by_their_bytes() -> None:
    frame = b"\xff\xc0\x00\x11\x08\x00\xc8\x01\x40" + b"\0" * 10
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff" + frame + b"\xff\xd9"
    lossless = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + (319 | 199 << 14).to_bytes(4, "little") + b"\0" * 5
    webp = b"RIFF" + struct.pack("<I", 4 + len(lossless)) + b"WEBP" + lossless
    assert [picture_type(one) for one in (png(), jpeg, webp)] == ["image/png", "image/jpeg", "image/webp"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "paper-empty"),
        (b"PK\x03\x04 a zip", "paper-type"),
        (PDF[:-8], "paper-broken"),
        (PDF + b" " * PAPER_BYTES_MAX, "paper-large"),
    ],
)
def test_a_document_that_nobody_could_open_is_refused(data: bytes, code: str) -> None:
    assert paper_type(PDF) == "application/pdf"
    assert code_of(paper_type, data) == code


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X"]),
)
def test_any_bytes_are_a_picture_or_refused_in_words(data: bytes, head: bytes) -> None:
    try:
        found = picture_type(head + data)
    except NotAllowed as refusal:
        found = refusal.code
    assert found.startswith(("image/", "picture-"))


# -- over a real line ----------------------------------------------------------------------------------------


class Line:
    """A signed-in browser's connection to a real server, as the page's script uses it."""

    def __init__(self, house: House, port: int) -> None:
        self.port = port
        browser = house.browser("bientap").get("/ban-tin/moi")
        self.csrf = browser.form("").fields["csrf_token"][0]
        cookie = browser.client.get_cookie("loa")
        assert cookie is not None
        self.headers = {
            "Cookie": f"loa={cookie.value}", "X-CSRFToken": self.csrf, "Sec-Fetch-Site": "same-origin",
        }  # fmt: skip

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/octet-stream") -> dict:  # type: ignore[type-arg]
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request(method, path, body or None, {**self.headers, "Content-Type": kind})
            answer = line.getresponse()
            return {"status": answer.status} | json.loads(answer.read())
        finally:
            line.close()

    def form(self, path: str, **fields: object) -> dict:  # type: ignore[type-arg]
        return self.ask("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def cut(self, path: str, body: bytes, after: int) -> None:
        """A request whose line breaks in the middle of its body."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}".encode())
            line.sendall(b"Content-Type: application/octet-stream\r\n")
            line.sendall(f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:after])


def test_an_upload_whose_line_is_cut_goes_on_from_its_last_whole_piece_and_is_saved() -> None:
    house = build("cut")
    data = tone(20)
    with served(house) as port:
        line = Line(house, port)
        made = line.form("/tep-gui", kind="audio", name="họp.wav", size=len(data), mark="7:họp.wav")
        assert (made["status"], made["got"]) == (200, 0)
        piece = made["piece"]
        assert line.ask("POST", f"/tep-gui/{made['id']}/0", data[:piece])["got"] == piece
        line.cut(f"/tep-gui/{made['id']}/{piece}", data[piece : 2 * piece], 1_000)
        assert line.ask("GET", f"/tep-gui/{made['id']}")["got"] == piece
        assert line.form(f"/tep-gui/{made['id']}/xong")["code"] == "upload-short"
        # The page was loaded anew and the same file chosen again.
        again = line.form("/tep-gui", kind="audio", name="họp.wav", size=len(data), mark="7:họp.wav")
        assert (again["id"], again["got"]) == (made["id"], piece)
        at = piece
        while at < len(data):
            at = line.ask("POST", f"/tep-gui/{made['id']}/{at}", data[at : at + piece])["got"]
        done = line.form(f"/tep-gui/{made['id']}/xong", crc=zlib.crc32(data))
        assert (done["ready"], done["type"]) == (True, "audio/wav")
        assert "chưa cài ffmpeg" in done["told"]
    editor = house.browser("bientap").get("/ban-tin/moi")
    editor.press(
        "", "draft", title="Họp thôn", category="y-te", text="Họp.", _from="09/11/2022", _until="10/11/2022",
        up_audio=made["id"],
    )  # fmt: skip
    (row,) = house.hub.queries.bulletins()
    page = house.hub.queries.bulletin(row.id)
    assert house.hub.blobs.read(bytes.fromhex(page.audio_sha256)) == data
    assert code_of(house.hub.intake.find, "bientap", made["id"]) == "upload-unknown"


def test_pieces_are_refused_without_the_forms_token_and_to_those_who_write_nothing() -> None:
    house = build("uploads")
    with served(house) as port:
        line = Line(house, port)
        made = line.form("/tep-gui", kind="audio", name="a", size=5, mark="")
        line.headers.pop("X-CSRFToken")
        bare = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        bare.request("POST", f"/tep-gui/{made['id']}/0", b"abcde", line.headers)
        assert bare.getresponse().status == 400
        bare.close()
    assert house.hub.intake.find("bientap", made["id"]).got == 0
    assert house.browser("lanhdao").get(f"/tep-gui/{made['id']}").status == 403


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("audio", b"no sound at all", "Không nhận ra tệp âm thanh này"),
        ("board-image", png()[:-30], "Ảnh bị hỏng hoặc bị cắt cụt"),
        ("document", b"PK\x03\x04....", "Tài liệu phải là PDF"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_plain_words_and_thrown_away(
    kind: str, data: bytes, words: str
) -> None:
    house = build("refused")
    with served(house) as port:
        line = Line(house, port)
        made = line.form("/tep-gui", kind=kind, name="a", size=len(data), mark="")
        line.ask("POST", f"/tep-gui/{made['id']}/0", data)
        told = line.form(f"/tep-gui/{made['id']}/xong", crc=zlib.crc32(data))
        assert told["status"] == 422
        assert words in told["error"]
    assert code_of(house.hub.intake.find, "bientap", made["id"]) == "upload-unknown"
    assert house.store.names("intake/") == []


def test_a_file_too_large_is_refused_when_it_is_announced() -> None:
    house = build("large")
    with served(house) as port:
        line = Line(house, port)
        told = line.form(
            "/tep-gui", kind="audio", name="a", size=house.hub.config.audio_bytes_max + 1, mark=""
        )
        assert told["code"] == "audio-too-large"
        assert line.form("/tep-gui", kind="elf", name="a", size=5, mark="")["code"] == "upload-unknown"


def test_without_javascript_a_refused_form_keeps_the_files_it_brought() -> None:
    house = build("kept")
    editor = house.browser("bientap").get("/ban-tin/moi")
    editor.press(
        "", "draft", title="", category="y-te", text="Họp.", _from="09/11/2022", _until="10/11/2022",
        audio=(io.BytesIO(tone()), "họp.wav"), paper=(io.BytesIO(PDF), "tờ rời.pdf"),
    )  # fmt: skip
    assert editor.status == 422
    assert "Đã nhận" in editor.words
    assert "họp.wav" in editor.words
    heard = editor.client.get(re.findall(r'<audio[^>]* src="([^"]+)"', editor.html)[0])
    assert heard.data == tone()
    editor.press("", "draft", title="Họp")
    (row,) = house.hub.queries.bulletins()
    kinds = [one.kind for one in house.hub.queries.bulletin(row.id).renditions]
    assert kinds == ["audio", "board-text", "document"]
    assert house.store.names("intake/") == []
