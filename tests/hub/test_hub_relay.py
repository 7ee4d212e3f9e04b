"""A live relay at the hub: its address is content, approved and signed like any other."""

from __future__ import annotations

import pytest
from hub_house import DAY, House
from test_web_house import PASSWORDS, approve, build
from test_web_house import House as WebHouse

from hub.media import Relay, read_manifest
from ledger.facts import Klass, OnInterrupt, Scheduled, stream_addresses
from ledger.log import NotAllowed

ADDRESS = "https://str.example/vov1.mp3"
VOV = Relay(ADDRESS, 1_800_000)


@pytest.fixture
def house() -> House:
    return House("relay")


def refused(house: House, **more: object) -> str:
    with pytest.raises(NotAllowed) as found:
        house.draft(**more)
    return found.value.code


def test_the_address_of_a_relay_is_bound_by_the_hash_that_is_approved(house: House) -> None:
    bulletin = house.approved(klass=int(Klass.RELAY), relay=VOV)
    page = house.hub.queries.bulletin(bulletin)
    manifest = read_manifest(house.hub.blobs, bytes.fromhex(page.row.manifest))
    listed = manifest.stream()
    assert listed is not None
    assert (listed.media_type, listed.duration_ms) == ("text/uri-list", 1_800_000)
    assert stream_addresses(house.hub.blobs.read(listed.sha256)) == (ADDRESS,)
    assert manifest.audio() is not None  # what fills in
    assert (page.relay, page.row.duration_ms) == (VOV, 1_800_000)
    house.hub.commands.revise_bulletin(
        house.editor, bulletin, version=1, title="Tiếp sóng", category="khac", klass=1, territory="vn.yb",
        valid_from_day=DAY, valid_until_day=DAY + 1, text="Tiếp sóng VOV", keep_audio=False,
        relay=Relay("https://str.example/vov2", 1_800_000), now=house.now,
    )  # fmt: skip
    other = house.hub.queries.bulletin(bulletin)
    assert other.row.manifest != page.row.manifest
    assert other.row.state == "draft"


def test_a_relay_is_scheduled_for_its_planned_length(house: House) -> None:
    series = house.scheduled(house.approved(klass=1, relay=VOV, audio=None), on_interrupt=2)
    (order,) = house.hub.facts.orders[series]
    assert isinstance(order.fact, Scheduled)
    assert (order.fact.length_s, order.fact.klass) == (1_800, Klass.RELAY)
    assert order.fact.on_interrupt == OnInterrupt.RESTART


@pytest.mark.parametrize(
    ("address", "ms", "klass", "code"),
    [
        ("ftp://str.example/", 60_000, 1, "stream-address"),
        ("https://user:word@str.example/", 60_000, 1, "stream-address"),
        (ADDRESS, 0, 1, "stream-length"),
        (ADDRESS, 14_400_001, 1, "stream-length"),
        (ADDRESS, 60_000, 2, "relay-class"),
        (ADDRESS, 60_000, 3, "relay-class"),
    ],
)
def test_a_relay_that_no_station_would_open_is_refused_before_anybody_approves_it(
    house: House, address: str, ms: int, klass: int, code: str
) -> None:
    before = house.segments()
    assert refused(house, klass=klass, relay=Relay(address, ms)) == code
    assert house.segments() == before


# -- on the pages --------------------------------------------------------------------------------------------


@pytest.fixture
def desk() -> WebHouse:
    return build("relay")


def test_an_editor_writes_a_relay_and_the_approver_sees_its_address(desk: WebHouse) -> None:
    editor = desk.browser("bientap")
    bulletin = editor.draft("Tiếp sóng thời sự", klass="1", stream=ADDRESS, minutes="30")
    assert ADDRESS in editor.words
    boss = desk.browser("lanhdao").get(f"/cho-duyet/{bulletin}")
    assert ADDRESS in boss.words
    assert "Luồng hỏng thì phát tệp âm thanh này" in boss.words
    boss.press("/duyet", password=PASSWORDS["lanhdao"])
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="18:00", resume="1")
    assert "Đã ký lịch phát 1 ngày" in boss.words
    again = editor.get(f"/ban-tin/{bulletin}/sua")
    fields = again.form("").fields
    assert (fields["stream"], fields["minutes"], fields["klass"]) == ([ADDRESS], ["30"], ["1"])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"klass": "2", "stream": ADDRESS}, "loại bản tin phải là tiếp sóng"),
        ({"klass": "1", "stream": "", "minutes": "30"}, "Cần có chữ ở đây."),
        ({"klass": "1", "stream": ADDRESS, "minutes": "0"}, "Hãy nhập một số từ 1 đến 240."),
        ({"klass": "1", "stream": "file:///etc/passwd", "minutes": "30"}, "Địa chỉ này không tiếp sóng được"),
    ],
)
def test_a_form_without_a_proper_address_comes_back_with_the_reason(
    desk: WebHouse, typed: dict[str, str], words: str
) -> None:
    editor = desk.browser("bientap").get("/ban-tin/moi")
    editor.press(
        "", "submit", title="Tiếp sóng", category="khac", _from="2022-11-09", _until="2022-11-16", text="VOV",
        **typed,
    )  # fmt: skip
    assert editor.status == 422
    assert words in editor.words


@pytest.mark.parametrize(("choice", "signed"), [("0", 0), ("1", 1), ("2", 2)])
def test_the_form_signs_what_becomes_of_an_interrupted_item(desk: WebHouse, choice: str, signed: int) -> None:
    bulletin = desk.browser("bientap").draft()
    boss = approve(desk, bulletin)
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00", resume=choice)
    series = int(boss.path.rsplit("/", 1)[1])
    (order,) = desk.hub.facts.orders[series]
    assert isinstance(order.fact, Scheduled)
    assert order.fact.on_interrupt == signed


def test_a_choice_that_the_form_does_not_offer_is_refused(desk: WebHouse) -> None:
    bulletin = desk.browser("bientap").draft()
    boss = approve(desk, bulletin)
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00", resume="3")
    assert boss.status == 422
