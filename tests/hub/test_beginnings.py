"""What came of a large request before its line broke: kept within bounds, believed never."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.beginnings import LIFE_S, REQUEST_BYTES_MAX, Beginnings, name_of

STATIONS = [bytes([number]) * 8 for number in range(1, 6)]


def request_of(station: bytes, number: int, size: int = 5_000) -> bytes:
    head = b"\xd7LQ\x01" + station + number.to_bytes(8, "big") + bytes(56)
    return head + bytes((at * 7 + number) % 251 for at in range(size - len(head)))


class Shelf:
    def __init__(self, **more: int) -> None:
        self.now_s = 0.0
        self.kept = Beginnings(lambda: self.now_s, STATIONS.__contains__, **more)

    def add(self, request: bytes, *until: int) -> None:
        """The request's pieces, each up to one of these places."""
        upload, at = self.kept.upload(), 0
        for end in until:
            upload.add(request[at:end])
            at = end


def test_what_came_is_there_and_goes_on_into_the_whole() -> None:
    shelf, request = Shelf(), request_of(STATIONS[0], 1)
    shelf.add(request, 3, 12, 21, 2_000)
    name = name_of(request)
    assert shelf.kept.held(name) == 2_000
    assert shelf.kept.join(name, 2_000, request[2_000:]) == request
    assert shelf.kept.join(name, 1_500, request[1_500:]) == request
    assert shelf.kept.join(name, 2_001, request[2_001:]) is None


def test_too_little_to_be_named_is_not_there() -> None:
    shelf, request = Shelf(), request_of(STATIONS[0], 1)
    shelf.add(request, 19)
    assert shelf.kept.held(name_of(request)) == shelf.kept.total == 0


def test_nobody_is_kept_for_a_key_that_nobody_introduced() -> None:
    shelf, request = Shelf(), request_of(b"stranger", 1)
    shelf.add(request, 4_000)
    assert shelf.kept.held(name_of(request)) == shelf.kept.total == 0


def test_a_station_has_one_beginning_and_cannot_push_out_anothers() -> None:
    shelf = Shelf()
    mine, other = request_of(STATIONS[0], 1), request_of(STATIONS[1], 2)
    shelf.add(mine, 3_000)
    for number in range(10, 60):
        shelf.add(request_of(STATIONS[1], number), 5_000)
    assert shelf.kept.held(name_of(mine)) == 3_000
    assert shelf.kept.held(name_of(other)) == 0
    assert shelf.kept.total == 8_000


def test_a_request_under_anothers_name_is_not_kept() -> None:
    shelf, mine = Shelf(), request_of(STATIONS[0], 1)
    shelf.add(mine, 3_000)
    shelf.add(mine[:4] + STATIONS[1] + mine[12:], 5_000)
    assert shelf.kept.join(name_of(mine), 3_000, b"") == mine[:3_000]


def test_beyond_the_bound_the_longest_untouched_goes() -> None:
    shelf = Shelf(bytes_max=10_000)
    requests = [request_of(station, 1 + number) for number, station in enumerate(STATIONS)]
    for request in requests:
        shelf.add(request, 4_000)
    assert [shelf.kept.held(name_of(request)) for request in requests] == [0, 0, 0, 4_000, 4_000]
    assert shelf.kept.total == 8_000


def test_a_beginning_is_forgotten_after_a_while() -> None:
    shelf, request = Shelf(), request_of(STATIONS[0], 1)
    shelf.add(request, 4_000)
    shelf.now_s = LIFE_S
    assert shelf.kept.held(name_of(request)) == 4_000
    shelf.now_s += 1
    assert shelf.kept.held(name_of(request)) == shelf.kept.total == 0


def test_what_was_refused_is_dropped_and_nothing_else() -> None:
    shelf = Shelf()
    mine, other = request_of(STATIONS[0], 1), request_of(STATIONS[1], 2)
    shelf.add(mine, 4_000)
    shelf.add(other, 4_000)
    shelf.kept.drop(name_of(mine))
    shelf.kept.drop(b"unknown!")
    assert (shelf.kept.held(name_of(mine)), shelf.kept.held(name_of(other))) == (0, 4_000)


def test_no_request_grows_beyond_what_a_request_may_be() -> None:
    shelf, request = Shelf(), request_of(STATIONS[0], 1)
    shelf.add(request, 4_000)
    shelf.kept.upload(name_of(request), 4_000).add(bytes(REQUEST_BYTES_MAX))
    assert shelf.kept.held(name_of(request)) == 4_000


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 1_500)), max_size=40), st.data())
def test_whatever_pieces_come_in_whatever_order_a_beginning_is_the_requests(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Old lines that are not dead yet, and new ones that go on, put the same bytes to the same places."""
    shelf, request = Shelf(), request_of(STATIONS[0], 1)
    first = data.draw(st.integers(20, 1_000))
    shelf.add(request, first)
    name, least = name_of(request), first
    for at, length in pieces:
        shelf.kept.upload(name, at).add(request[at : at + length])
        held = shelf.kept.held(name)
        assert held >= least
        least = held
        assert shelf.kept.join(name, held, request[held:]) == request
    assert shelf.kept.total == least
