"""The doorbell, both ends over loopback: who is rung and when, and what strangers can do to it: nothing."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from hub.doorbell import GREETING_MAGIC, HELLO_BYTES, HELLO_MAGIC, NEWS, STILL, URGENT, Doorbell, Limits
from hub.ringing import doorbell_of
from ledger.log import BELL, SigningKey
from node.link.doorbell import Doorbell as Station
from node.link.doorbell import Habits
from sim.bench.setting import Setting

HUB = SigningKey.from_seed(b"doorbell hub" + bytes(20))
PACE = Limits(
    lines=1_500, strangers=16, hello_s=0.4, silent_s=2.0, still_gap_s=0.01, news_gap_s=0.6, urgent_gap_s=0.2
)
QUICK = Habits(still_s=0.15, answer_s=1.0, base_s=0.01, cap_s=0.2, good_s=0.05)
TU_LE, MO_VANG = "vn.yb.04630", "vn.yb.04441"


def key_of(number: int) -> SigningKey:
    return SigningKey.from_seed(number.to_bytes(32, "big"))


class House:
    """A doorbell in its thread. Stations are keys 1, 2, …; odd ones are at Tú Lệ."""

    def __init__(self, limits: Limits = PACE, stations: int = 20) -> None:
        self.keys = {key.key_id: key.verify_key for key in map(key_of, range(1, stations + 1))}
        self.units = {key_of(n).key_id: [TU_LE if n % 2 else MO_VANG] for n in range(1, stations + 1)}
        self.lock = threading.RLock()
        self.missed: Callable[[bytes, int], bytes] = lambda _key, _cursor: b""
        self.stopped = threading.Event()
        self.limits = limits
        self.lines: list[socket.socket] = []
        self.port = 0
        self.start()

    def start(self) -> None:
        self.stopped.clear()
        self.bell = Doorbell(
            HUB.verify_key, key_of=self.keys.get, units_of=lambda key: self.units.get(key, ()),
            missed=lambda key, cursor: self.missed(key, cursor), lock=self.lock, ticks=time.monotonic,
            entropy=random.Random(self.port).randbytes, limits=self.limits,
        )  # fmt: skip
        self.port = self.bell.listen("127.0.0.1", self.port)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopped.is_set():
            self.bell.step(0.05)
        self.bell.close()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join(5)
        assert not self.thread.is_alive()

    def line(self) -> socket.socket:
        found = socket.create_connection(("127.0.0.1", self.port), timeout=3)
        self.lines.append(found)
        return found

    def finish(self) -> None:
        if self.thread.is_alive():
            self.stop()
        for line in self.lines:
            line.close()

    def come(self, number: int, cursor: int = 0) -> socket.socket:
        """A station's line, after its hello was taken."""
        found = self.line()
        found.sendall(hello(number, found.recv(20), cursor))
        assert found.recv(1) == STILL
        return found


def hello(number: int, greeting: bytes, cursor: int = 0) -> bytes:
    assert greeting.startswith(GREETING_MAGIC)
    assert len(greeting) == 20
    key, at = key_of(number), cursor.to_bytes(8, "big")
    return HELLO_MAGIC + key.key_id + at + key.sign(BELL, greeting[4:] + HUB.key_id + at)


def is_over(line: socket.socket) -> bool:
    """Whether the other end has hung up."""
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def until(true: Callable[[], bool], within_s: float = 5.0) -> bool:
    ends_s = time.monotonic() + within_s
    while not true() and time.monotonic() < ends_s:
        time.sleep(0.01)
    return true()


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.finish()


def test_a_ring_reaches_the_stations_of_the_territory_and_no_others(house: House) -> None:
    one, two = house.come(1), house.come(2)
    house.bell.ring(TU_LE, urgent=True)
    assert one.recv(1) == URGENT
    house.bell.ring("vn.yb", urgent=False)
    assert two.recv(1) == NEWS
    house.bell.ring("vn.lc", urgent=True)
    two.settimeout(0.2)
    with pytest.raises(TimeoutError):
        two.recv(1)


def test_what_every_station_gets_rings_for_every_station(house: House) -> None:
    lines = [house.come(1), house.come(2)]
    house.bell.ring("*", urgent=True)
    assert [line.recv(1) for line in lines] == [URGENT, URGENT]


def test_a_storm_of_decisions_is_one_ring_and_one_at_its_end(house: House) -> None:
    line = house.come(1)
    for _ in range(200):
        house.bell.ring(TU_LE, urgent=False)
        time.sleep(0.001)
    assert line.recv(1) == NEWS
    first_s = time.monotonic()
    assert line.recv(1) == NEWS
    assert time.monotonic() - first_s > 0.3
    line.settimeout(0.8)
    with pytest.raises(TimeoutError):
        line.recv(1)


def test_an_emergency_does_not_wait_behind_other_news(house: House) -> None:
    line = house.come(1)
    house.bell.ring(TU_LE, urgent=False)
    assert line.recv(1) == NEWS
    time.sleep(0.25)
    asked_s = time.monotonic()
    house.bell.ring(TU_LE, urgent=True)
    assert line.recv(1) == URGENT
    assert time.monotonic() - asked_s < 0.3


def test_nobody_is_rung_before_the_decision_is_on_the_disk(house: House) -> None:
    line = house.come(1)
    line.settimeout(0.3)
    with house.lock:  # the transaction is open
        house.bell.ring(TU_LE, urgent=True)
        with pytest.raises(TimeoutError):
            line.recv(1)
    line.settimeout(3)
    assert line.recv(1) == URGENT


def test_what_was_missed_while_the_line_was_down_rings_at_once(house: House) -> None:
    house.missed = lambda _key, cursor: URGENT if cursor < 7 else b""
    assert house.come(1, cursor=6).recv(1) == URGENT
    line = house.come(3, cursor=7)
    line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        line.recv(1)


def test_a_sign_of_life_is_answered_and_silence_is_hung_up_on(house: House) -> None:
    line = house.come(1)
    for _ in range(3):
        time.sleep(0.05)
        line.sendall(STILL)
        assert line.recv(1) == STILL
    assert is_over(line)


def test_a_station_that_comes_again_has_one_line(house: House) -> None:
    old = house.come(1)
    house.come(1)
    assert is_over(old)
    assert house.bell.held == 1


GREETING = GREETING_MAGIC + bytes(16)


def wrong(hello: bytes, at: int) -> bytes:
    return hello[:at] + bytes([hello[at] ^ 1]) + hello[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda g: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda g: random.Random(1).randbytes(HELLO_BYTES),
        lambda g: hello(99, g),
        lambda g: hello(1, GREETING),
        lambda g: wrong(hello(1, g), 0),
        lambda g: wrong(hello(1, g), 4),
        lambda g: wrong(hello(1, g), 19),
        lambda g: wrong(hello(1, g), 83),
        lambda g: hello(1, g) + b".",
        lambda g: hello(1, g)[:4] + hello(2, g)[4:12] + hello(1, g)[12:],
    ],
    ids=["http", "noise", "a stranger's key", "another greeting's", "magic", "key", "cursor", "signature",
         "too long", "another station's name"],
)  # fmt: skip
def test_who_is_no_station_is_hung_up_on_without_a_word(
    house: House, spoil: Callable[[bytes], bytes]
) -> None:
    line = house.line()
    line.sendall(spoil(line.recv(20)))
    assert is_over(line)
    assert house.bell.held == 0


@pytest.mark.parametrize("words", [b"..", b"x", b"!", b"." * 80])
def test_a_station_that_says_more_than_it_may_is_hung_up_on(house: House, words: bytes) -> None:
    line = house.come(1)
    time.sleep(0.05)
    line.sendall(words)
    assert is_over(line)


def test_a_hello_one_byte_at_a_time_is_not_waited_for(house: House) -> None:
    line = house.line()
    said = hello(1, line.recv(20))
    started_s = time.monotonic()
    with suppress(ConnectionError):
        for byte in said[:60]:
            line.sendall(bytes([byte]))
            time.sleep(0.02)
    assert is_over(line)
    assert time.monotonic() - started_s < 3
    assert house.bell.held == 0


def test_strangers_that_say_nothing_keep_no_station_out(house: House) -> None:
    crowd = [house.line() for _ in range(100)]
    assert house.come(1).fileno() > 0
    assert house.bell.held == 1
    assert all(line.recv(20) == b"" or is_over(line) for line in crowd[:80])


def test_hundreds_of_held_lines_are_one_thread_and_all_of_them_ring() -> None:
    house = House(stations=400)
    try:
        threads = threading.active_count()
        lines = [house.come(number) for number in range(1, 401)]
        assert threading.active_count() == threads
        assert house.bell.held == 400
        asked_s = time.process_time()
        house.bell.ring("vn.yb", urgent=True)
        assert {line.recv(1) for line in lines} == {URGENT}
        assert time.process_time() - asked_s < 2.0
    finally:
        house.finish()


def test_there_are_no_more_lines_than_the_limit() -> None:
    house = House(Limits(lines=5, strangers=2, hello_s=1.0))
    try:
        held = [house.come(number) for number in range(1, 6)]
        assert is_over(house.line())
        assert house.bell.held == len(held)
    finally:
        house.finish()


# -- the station's end ---------------------------------------------------------------------------------------


class Caller:
    """A station's doorbell in its thread."""

    def __init__(self, connect: Callable[[], socket.socket], number: int = 1, habits: Habits = QUICK) -> None:
        self.rings: list[bool] = []
        self.pauses: list[float] = []
        self.ended = threading.Event()
        self.cursor = 0
        self.bell = Station(
            key_of(number), HUB.verify_key, connect=connect, cursor=lambda: self.cursor,
            ring=self.rings.append, pause=self._pause, mono=time.monotonic, rng=random.Random(number),
            habits=habits,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.bell.run, daemon=True)
        self.thread.start()

    def _pause(self, wait_s: float) -> bool:
        self.pauses.append(wait_s)
        return self.ended.wait(min(wait_s, 0.05))

    def stop(self) -> None:
        self.ended.set()
        self.thread.join(5)


def test_a_station_holds_its_line_and_hears_both_kinds_of_ring(house: House) -> None:
    caller = Caller(house.line)
    assert until(lambda: caller.bell.connected)
    house.bell.ring(TU_LE, urgent=False)
    assert until(lambda: caller.rings == [False])
    house.bell.ring(TU_LE, urgent=True)
    assert until(lambda: caller.rings == [False, True])
    time.sleep(0.5)  # several signs of life
    assert caller.bell.connected
    assert caller.pauses == []
    house.bell.ring(TU_LE, urgent=True)
    assert until(lambda: len(caller.rings) == 3)
    house.stop()
    caller.stop()


def test_a_station_comes_back_to_a_hub_that_restarted(house: House) -> None:
    caller = Caller(house.line)
    assert until(lambda: caller.bell.connected)
    house.stop()
    assert until(lambda: not caller.bell.connected)
    house.missed = lambda _key, _cursor: NEWS
    house.start()
    assert until(lambda: caller.bell.connected)
    assert until(lambda: caller.rings == [False])
    caller.stop()


def test_while_nobody_answers_the_pauses_grow_up_to_the_cap_and_are_drawn_at_random() -> None:
    def refused() -> socket.socket:
        raise ConnectionRefusedError

    caller = Caller(refused, habits=Habits(base_s=2.0, cap_s=900.0))
    assert until(lambda: len(caller.pauses) >= 20, 8)
    caller.stop()
    assert max(caller.pauses[:2]) <= 8
    assert max(caller.pauses) <= 900
    assert max(caller.pauses) > 100
    assert len(set(caller.pauses)) == len(caller.pauses)


@pytest.mark.parametrize(
    "words",
    [b"HTTP/1.1 302 Found\r\n\r\n", b"", b"\0" * 20, GREETING + b"\0", GREETING + b"..x", GREETING[:7]],
)
def test_what_is_no_doorbell_rings_nothing(words: bytes) -> None:
    def portal() -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.sendall(words)
        theirs.close()
        return ours

    caller = Caller(portal)
    assert until(lambda: len(caller.pauses) >= 3)
    caller.stop()
    assert caller.rings == []


def test_who_rings_in_a_storm_is_hung_up_on() -> None:
    ends: list[socket.socket] = []

    def mad() -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.append(theirs)
        theirs.sendall(GREETING + STILL + URGENT * 5_000)
        return ours

    caller = Caller(mad)
    assert until(lambda: len(caller.pauses) >= 2)
    caller.stop()
    assert len(caller.rings) <= 10 * len(ends)
    for end in ends:
        end.close()


def test_a_hub_that_does_not_answer_a_sign_of_life_is_left() -> None:
    def deaf() -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.sendall(GREETING + STILL)
        kept.append(theirs)
        return ours

    kept: list[socket.socket] = []
    caller = Caller(deaf, habits=Habits(still_s=0.05, answer_s=0.1, base_s=0.01, cap_s=0.05))
    assert until(lambda: len(caller.pauses) >= 2)
    caller.stop()
    for end in kept:
        end.close()


# -- the hub behind it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", [0, 1, 2**63 - 1])
def test_a_real_hub_rings_for_what_stands_after_the_cursor(cursor: int) -> None:
    with Setting([TU_LE]) as setting:
        box = setting.station(TU_LE)
        box.drain()
        bell = doorbell_of(setting.hub, ticks=time.monotonic)
        rings: list[bool] = []
        port = bell.listen("127.0.0.1", 0)
        stop = threading.Event()
        thread = threading.Thread(target=bell.run, args=(stop.is_set,), daemon=True)
        thread.start()
        station = Station(
            box.key, box.hub, connect=lambda: socket.create_connection(("127.0.0.1", port), timeout=5),
            cursor=lambda: cursor, ring=rings.append, pause=stop.wait, mono=time.monotonic,
            rng=random.Random(1),
        )  # fmt: skip
        caller = threading.Thread(target=station.run, daemon=True)
        caller.start()
        assert until(lambda: station.connected)
        assert until(lambda: bool(rings), 0.5) is (cursor < 2)
        stop.set()
        thread.join(5)
        caller.join(5)
        box.close()
