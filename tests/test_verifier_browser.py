"""The verifier page in a real browser: a second implementation of the spec, held to the same vectors.

Opened from a file, as a stranger would, and with the network cut off. Both forms are tried: the page as it
lies in the repository, and the one file that `loa ledger page` writes. Needs Chromium and Playwright;
without them every test here is skipped and says so.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub import KDF_CHEAP, Hub, found
from ledger.evidence import examine, gather
from ledger.facts import Approved, ClockStepped
from ledger.log import (
    LoaError,
    MemoryStore,
    SigningKey,
    VerifyKey,
    decode,
    encode,
    open_segment,
    seal,
    unpack,
)
from ledger.verifier import HERE
from ledger.verifier import page as joined

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")

TESTS = Path(__file__).parent
VECTORS = TESTS / "vectors"
# What the page does not need is read by scripts of the tests, on the page's readers; in this order.
SECOND = (
    "messages", "transit", "bundle", "blobs", "intake", "hub", "station", "sync", "doorbell", "clusters",
)  # fmt: skip
DRIVERS = [
    *((TESTS / f"test_verifier_{name}.js").read_text("utf-8") for name in ("vectors", "enrolment")),
    *((TESTS / "second" / f"{name}.js").read_text("utf-8") for name in SECOND),
]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FILES = (
    "keys", "events", "vocabulary", "messages", "trees", "segments", "chain", "forks", "proofs", "receipts",
    "grants", "enrolment", "endings", "words", "evidence",
    "transit", "bundle", "blobs", "sync", "central", "doorbell", "clusters",
)  # fmt: skip
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


EVIDENCE = vectors("evidence")
CASES = {case["name"]: bytes.fromhex(case["bytes"]) for case in EVIDENCE["accepts"] + EVIDENCE["rejects"]}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["as it lies here", "as one file"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "as it lies here":
        return (HERE / "page.html").as_uri()
    one = tmp_path_factory.mktemp("page") / "kiem-chung.html"
    one.write_text(joined(), "utf-8")
    return one.as_uri()


class Desk:
    """One visit to the page; whatever goes wrong in it or leaves it is kept."""

    def __init__(self, chromium: Any, address: str, **options: Any) -> None:
        self.context = chromium.new_context(offline=True, bypass_csp=False, **options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def verify(self, data: bytes, root: str, name: str = "tep.loa") -> str:
        self.page.set_input_files(
            "#file", {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        )
        self.page.fill("#roots", root)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector(".verdict, #error:not(:empty)")
        return str(self.page.inner_text("#result"))


@pytest.fixture
def desk(chromium: Any, address: str) -> Iterator[Desk]:
    visit = Desk(chromium, address, viewport={"width": 390, "height": 844})
    yield visit
    visit.context.close()
    assert visit.said == []
    assert all(url.startswith("file:") for url in visit.asked), "the page asks nobody for anything"


def test_every_file_of_vectors_is_put_to_a_second_implementation() -> None:
    assert {path.stem for path in VECTORS.glob("*.json")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_the_page_agrees_with_the_vectors(desk: Desk, name: str) -> None:
    file = vectors(name)
    for driver in DRIVERS:
        desk.page.evaluate(driver)
    found = desk.page.evaluate("([name, file]) => putToThePage(name, file)", [name, file])
    assert found["differences"] == []
    parts = [file.get(part, []) for part in ("accepts", "rejects")]
    wanted = sum(map(len, parts))
    assert found["count"] >= max(wanted, 8)


@pytest.mark.parametrize(
    ("vector", "told"),
    [("b52bb990", ["18/20", "không trả lời", "#7, #20"]), ("c0b0", ["1/2", "phát nội dung khác", "#1"]),
     ("8f83", ["0/20", "chưa rõ", "#1, #2"]), ("ff", ["ff", "không đọc được"])],
)  # fmt: skip
def test_the_page_says_which_clusters_were_not_playing(desk: Desk, vector: str, told: list[str]) -> None:
    said = desk.page.evaluate(
        "(v) => shownClusters(loa.unhex(v)).map((one) => one.textContent ?? one).join('')", vector
    )
    assert all(part in said for part in told), said


def test_the_page_opens_what_a_real_compressor_made(desk: Desk) -> None:
    rng = random.Random(7)
    key = SigningKey.from_seed(b"v" * 32)
    words = ["loa", "xã", "phát", "tin", "Tú Lệ", "bản tin", "khẩn cấp"]
    for count in (2, 9, 100, 1000, 4096):
        events = [
            encode((16, 1_667_955_600 + n, rng.choice(words) * rng.randrange(9), rng.randrange(n + 1)))
            for n in range(count)
        ]
        segment = seal(key, b"verifier", 0, bytes(32), events)
        assert count < 9 or segment.raw[168] == 1, "compressed"
        opened = desk.page.evaluate(
            "async ([raw, key]) => "
            "(await loa.openSegment(loa.unhex(raw), () => loa.unhex(key))).events.map(loa.hex)",
            [segment.raw.hex(), key.verify_key.raw.hex()],
        )
        assert opened == [event.hex() for event in events]


def damaged(rng: random.Random, whole: bytes) -> bytes:
    """One to three small hurts: a bit, a byte, a piece taken out, put in or doubled, an end cut off."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 3)):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 5))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.choice(b"\x00\x01\x7f\x80\x90\xa1\xc0\xc3\xc4\xc5\xcc\xcf\xd3\xdc\xff")
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = rng.randbytes(size)
        elif kind == 4:
            data[at:at] = data[at : at + size]
        else:
            del data[len(data) - size :]
    return bytes(data)


def verdict_of(act: Any) -> str:
    try:
        act()
    except LoaError as refused:
        return refused.code
    return "true"


SAID = """async ([kind, cases, roots]) => {
  const keys = new Map();
  for (const raw of roots.map(loa.unhex)) keys.set(loa.hex(await loa.keyId(raw)), raw);
  const read = {
    event: (data) => loa.readEvent(data), message: (data) => loa.readMessage(data, 65536),
    segment: (data) => loa.openSegment(data, (id) => keys.get(id)),
    evidence: (data) => loa.examine(data, [...keys.values()]),
  }[kind];
  const said = [];
  for (const data of cases) {
    try { await read(loa.unhex(data)); said.push("true"); } catch (error) {
      said.push(error instanceof loa.Refusal ? error.code : String(error.stack));
    }
  }
  return said;
}"""


@pytest.mark.parametrize(
    ("kind", "count"), [("event", 3000), ("message", 3000), ("segment", 400), ("evidence", 400)]
)
def test_two_implementations_say_the_same_word_about_damaged_bytes(desk: Desk, kind: str, count: int) -> None:
    file = {"event": "events", "message": "messages", "segment": "segments"}.get(kind, kind)
    field = "raw" if kind == "segment" else "bytes"
    whole = [bytes.fromhex(case[field]) for case in vectors(file)["accepts"]]
    roots = vectors(file).get("roots", vectors(file).get("trusted", []))
    keys = [VerifyKey(bytes.fromhex(raw)) for raw in roots]
    known = {key.key_id: key for key in keys}
    ours = {
        "event": decode,
        "message": lambda data: unpack(data, bytes_max=65_536),
        "segment": lambda data: open_segment(data, known.get),
        "evidence": lambda data: examine(data, keys),
    }[kind]
    rng = random.Random(11)
    cases = [damaged(rng, rng.choice(whole)) for _ in range(count)]
    wanted = [verdict_of(lambda data=data: ours(data)) for data in cases]
    said = desk.page.evaluate(SAID, [kind, [data.hex() for data in cases], roots])
    assert len(set(wanted)) > 5, "the hurts reach many checks"
    differ = [
        (data.hex(), one, other) for data, one, other in zip(cases, wanted, said, strict=True) if one != other
    ]
    assert differ == []


def test_a_true_file_is_told_in_plain_words_and_so_is_what_it_leaves_open(desk: Desk) -> None:
    shown = desk.verify(CASES["both witnesses, the receipt a day later"], EVIDENCE["roots"][0])
    for words in (
        "Đúng", "Trạm báo kết quả phát", "Xã Tú Lệ", "đã phát", "báo kết quả phát · vn.yb.04630",
        "Máy chủ Yên Bái", "09/11/2022 08:02:00 +07", "Tệp này KHÔNG chứng minh", "lời khai của thiết bị",
    ):  # fmt: skip
        assert words in shown
    assert "True" not in shown
    desk.page.click("#language")
    english = str(desk.page.inner_text("#result"))
    for words in ("True", "Station's report of a slot", "Existed by", "NOT proven by this file"):
        assert words in english
    assert "Đúng" not in english
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_says_when_an_approval_signed_at_a_hub_existed_and_that_its_key_ended_since(
    desk: Desk,
) -> None:
    drawn = iter(range(1, 1_000))
    clock = [1_667_955_600]  # 2022-11-09 08:00 +07
    store = MemoryStore()

    def entropy(size: int) -> bytes:
        return sha256(b"hub %d" % next(drawn)).digest()[:size]

    config = found(store, now=clock[0], entropy=entropy, password="quantri-2022", kdf=KDF_CHEAP)
    house = Hub(store, config=config, clock_now=lambda: clock[0], entropy=entropy)
    admin = house.accounts.login("admin", "quantri-2022", now=clock[0])
    assert admin is not None
    house.commands.create_account(
        admin, account="lanhdao", name="Giàng A Páo", role="approver", territory="vn.yb",
        password="lanhdao-2022", now=clock[0],
    )  # fmt: skip
    approver = house.accounts.login("lanhdao", "lanhdao-2022", now=clock[0])
    assert approver is not None
    clock[0] += 90
    fact = Approved(
        ts=clock[0] - 30, bulletin=bytes(16), version=1, manifest=bytes(32), title="Ngày Pháp luật",
        category="", klass=2, territory="vn.yb.04630", valid_from_day=19_305, valid_until_day=19_311,
    )  # fmt: skip
    stored = house.ledger.append_sealed(approver.key, fact.encode())
    root = config.root_keys[0]
    shown = desk.verify(gather(house.ledger, stored, 0, [root])[0], root.raw.hex())
    for words in ("Đúng", "Giàng A Páo", "Sổ tiếp nhận", "09/11/2022 08:01:30 +07", "đã đọc sổ máy chủ"):
        assert words in shown
    assert "không bên thứ ba nào" not in shown
    assert "Khóa đã kết thúc" not in shown
    clock[0] += 3600
    key = approver.key.key_id.hex()
    admin = house.accounts.login("admin", "quantri-2022", now=clock[0])
    assert admin is not None
    house.commands.revoke_key(admin, key, reason="mất máy", hub=house.key, now=clock[0])
    shown = desk.verify(gather(house.ledger, stored, 0, [root])[0], root.raw.hex())
    for words in (
        "Đúng",
        "Khóa đã kết thúc; sự kiện này vẫn giữ giá trị",
        "09/11/2022 09:01:30 +07",
        "mất máy",
        key,
    ):
        assert words in shown


def test_a_time_that_a_person_confirmed_is_not_shown_as_a_step(desk: Desk) -> None:
    now, store, drawn = 1_667_955_600, MemoryStore(), iter(range(1, 1_000))

    def entropy(size: int) -> bytes:
        return sha256(b"hub %d" % next(drawn)).digest()[:size]

    config = found(store, now=now, entropy=entropy, password="quantri-2022", kdf=KDF_CHEAP)
    house = Hub(store, config=config, clock_now=lambda: now, entropy=entropy)
    root = config.root_keys[0]
    for old, words in (
        (now, "Người tại trạm xác nhận giờ này là đúng"),
        (now - 900, "Đồng hồ trạm bị chỉnh"),
    ):
        stored = house.ledger.append_sealed(house.key, ClockStepped(now, old, now, "person").encode())
        shown = desk.verify(gather(house.ledger, stored, 0, [root])[0], root.raw.hex())
        assert shown.index("Đúng") < shown.index(words) < shown.index("person")


def test_the_page_refuses_what_a_revocation_made_void(desk: Desk) -> None:
    shown = desk.verify(CASES["an approval behind the cut"], EVIDENCE["roots"][0])
    for words in ("Không đúng", "key-ended", "không thuộc phần được giữ lại"):
        assert words in shown


def test_a_false_file_is_refused_with_its_code_and_leaves_nothing_of_the_one_before(desk: Desk) -> None:
    root = EVIDENCE["roots"][0]
    assert "Ngày Pháp luật" in desk.verify(CASES["an approval with its two grants"], root)
    shown = desk.verify(CASES["the right in another commune"], root)
    assert "Không đúng" in shown
    assert "no-authority" in shown
    assert "Ngày Pháp luật" not in shown
    assert "key-unknown" in desk.verify(CASES["an approval with its two grants"], "ab" * 32)
    assert "evidence-magic" in desk.verify(b"GIF89a", root)


def test_what_a_stranger_wrote_is_shown_and_never_obeyed(desk: Desk) -> None:
    shown = desk.verify(
        CASES["grants that nothing needs, of another commune"],
        EVIDENCE["roots"][0],
        "<img onerror=alert(1)>.loa",
    )
    assert "Đúng" in shown
    assert desk.page.inner_text("#chosen") == "<img onerror=alert(1)>.loa"
    text = desk.page.evaluate("plain('a\\u202eb\\u0007<b>c').outerHTML")
    assert text == "<bdi>a\ufffdb\ufffd&lt;b&gt;c</bdi>"


@pytest.mark.parametrize("root", ["", "tú lệ", "ab" * 31, "ab" * 32 + " x"])
def test_without_a_whole_root_key_nothing_is_said_to_be_true(desk: Desk, root: str) -> None:
    assert desk.verify(CASES["an approval with its two grants"], root) == ""
    assert "64 chữ số" in desk.page.inner_text("#error")


def test_a_browser_without_ed25519_says_so(desk: Desk) -> None:
    desk.page.evaluate(
        "() => { crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError')) }"
    )
    assert desk.verify(CASES["an approval with its two grants"], EVIDENCE["roots"][0]) == ""
    assert "Ed25519" in desk.page.inner_text("#error")


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (1366, "light"), (390, "dark"), (1366, "dark")]
)
def test_the_page_is_accessible_on_small_and_large_screens(chromium: Any, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    here = (HERE / "page.html").as_uri()
    visit = Desk(chromium, here, viewport={"width": width, "height": 800}, color_scheme=scheme)
    for name in (
        "both witnesses, the receipt a day later",
        "a report recorded in the log before that of the cut",
        "the right in another commune",
    ):
        visit.verify(CASES[name], EVIDENCE["roots"][0])
        found = axe.Axe().run(visit.page).response
        assert len(found["passes"]) > 10
        assert [(v["id"], v["nodes"][0]["html"][:100]) for v in found["violations"]] == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    visit.context.close()
