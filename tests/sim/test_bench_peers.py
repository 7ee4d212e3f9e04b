"""Beside others: what crosses a line is counted exactly, a missing peer is one line, one here is measured.

The servers are other people's programs and may be absent; then the tests that start them say so. No test here
asks how fast anything is.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
from click.testing import CliRunner

from ledger.facts import Acknowledged, parse
from sim.bench import peer, peer_table, peers
from sim.bench.cli import bench
from sim.bench.line import Line
from sim.bench.peer import Peer, PeerFailed, Replicated, Said, Server, free_port, serving, wait_until
from sim.bench.peer_events import nine_fields, same
from sim.bench.peer_mosquitto import Mosquitto
from sim.bench.peer_nats import Nats, _fill, _run, _server
from sim.bench.table import TARGETS
from sim.bench.workload import acknowledgments, programme

EVENTS = 40
PLAN = programme(5, EVENTS)
SAID = same(PLAN, 5, 3)
PRESENT = [
    pytest.param(one, id=name, marks=pytest.mark.skipif(bool(one.missing()), reason=one.missing() or "here"))
    for name, one in peers.PEERS.items()
]


class Absent:
    """A peer that is not on this machine."""

    title, durability, keepalive_default_s = "Absent", "none", 60.0

    def missing(self) -> str:
        return "not here: apt install absent"

    def version(self) -> str:
        raise AssertionError("it is not here")

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated:
        raise AssertionError("it is not here")

    def month(self, folder: Path, said: Sequence[Said]) -> int:
        raise AssertionError("it is not here")

    @contextmanager
    def hold(self, folder: Path, keepalive_s: float | None) -> Iterator[Line]:
        raise AssertionError("it is not here")
        yield


class Still(Absent):
    """A peer without servers: its figures are known beforehand, its line carries what it is told to."""

    title = "Still"

    def __init__(self, port: int, ping: bytes = b"") -> None:
        self.port, self.ping = port, ping

    def missing(self) -> str:
        return ""

    def version(self) -> str:
        return "1"

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated:
        return Replicated(len(said), 2.0, 0.5, 1.0, 10 * len(said))

    def month(self, folder: Path, said: Sequence[Said]) -> int:
        return sum(len(event) for _, event in said)

    @contextmanager
    def hold(self, folder: Path, keepalive_s: float | None) -> Iterator[Line]:
        with Line(self.port) as line, socket.create_connection(("127.0.0.1", line.port)) as near:
            near.sendall(b"hello")
            near.recv(5)
            timer = threading.Timer(0.7, near.sendall, [self.ping])
            if keepalive_s == peers.SHORT_S and self.ping:
                timer.start()
            yield line
            timer.cancel()


class Broken(Still):
    title = "Broken"

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated:
        raise PeerFailed("its server ended with 3: no space")


class Shy(Still):
    title = "Shy"

    @contextmanager
    def hold(self, folder: Path, keepalive_s: float | None) -> Iterator[Line]:
        raise PeerFailed("it does not connect")
        yield


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says back what it hears."""
    ended = threading.Event()

    def answer(near: socket.socket) -> None:
        with near:
            near.settimeout(0.1)
            while not ended.is_set():
                try:
                    heard = near.recv(65_536)
                except TimeoutError:
                    continue
                if not heard:
                    return
                near.sendall(heard)

    def run() -> None:
        threads = []
        server.settimeout(0.1)
        while not ended.is_set():
            try:
                near, _ = server.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=answer, args=(near,)))
            threads[-1].start()
        for thread in threads:
            thread.join(10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join(10)


@pytest.fixture
def own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loa's own figures are tested where they are taken; here they are known."""
    figures = {"title": "Loa", "missing": "", "durability": "", "w1_events_per_cpu_s": 50, "idle_bytes": 300}
    monkeypatch.setattr(peers, "loa", lambda seed, stations: figures)
    monkeypatch.setattr(peers, "EVENTS", EVENTS)


def test_what_crosses_the_relay_is_counted_to_the_byte_each_way(echo: int) -> None:
    with Line(echo) as line:
        for size in (1, 70_000, 3):
            with socket.create_connection(("127.0.0.1", line.port), timeout=10) as near:
                threading.Thread(target=near.sendall, args=(bytes(size),)).start()
                heard = 0
                while heard < size:
                    heard += len(near.recv(65_536))
        assert (line.up, line.down) == (70_004, 70_004)
        assert line.connections == 3


def test_peers_are_told_the_very_bytes_that_stations_sign_the_stations_taking_turns() -> None:
    assert [unit for unit, _ in SAID[:4]] == ["vn.yb.40000", "vn.yb.40001", "vn.yb.40002", "vn.yb.40000"]
    for number in range(3):
        assert [event for _, event in SAID[number::3]] == acknowledgments(PLAN, 5, number)


def test_nine_fields_say_the_same_without_a_plan() -> None:
    month = SAID[::3]
    for number, ((unit, event), (_, plain)) in enumerate(zip(month, nine_fields(PLAN, month), strict=True)):
        fact = parse(event)
        assert isinstance(fact, Acknowledged)
        fields = msgpack.unpackb(plain)
        assert len(fields) == 9
        assert fields[:2] == [unit, number + 1]
        assert fields[2] == f"202610{2 + number // 34:02d}-{number % 34 + 1:02d}"
        assert len(fields[3]) == 32
        assert fields[3].startswith(fact.content)
        assert fields[5] // 1000 == fact.ts
        assert fields[5] - fields[4] * 1000 == fact.jitter_cs * 10
        assert fields[6] == fact.played_ds // 10
        assert fields[8] == fact.volume


def test_a_peer_that_is_not_here_is_one_line_and_the_other_columns_stay(echo: int, own_figures: None) -> None:
    found = peers.measure(5, 2, peers={"still": Still(echo), "absent": Absent()}, hold_s=0.1)
    assert found["absent"] == {"title": "Absent", "missing": "not here: apt install absent"}
    assert found["still"]["w1_events_per_cpu_s"] == 2 * EVENTS * 2
    assert found["still"]["bytes_stored_per_event"] == 10
    assert found["still"]["w2_bytes_per_event"] == pytest.approx(found["workload"]["event_bytes"], rel=0.1)
    assert found["ratios"]["still"] == {
        "w1_events_per_cpu_s": round(50 / (4 * EVENTS), 3), "idle_bytes": 30.0,
    }  # fmt: skip
    assert found["ratios"]["absent"] == {}
    text = peer_table.lines(found)
    assert text[0].split() == ["Loa", "Still", "÷", "Still"]
    assert "Absent: not here: apt install absent." in text
    assert json.loads(json.dumps(found)) == found


def test_without_any_peer_loa_stands_alone(own_figures: None) -> None:
    text = peer_table.lines(peers.measure(5, 2, peers={"absent": Absent()}))
    assert text[0].split() == ["Loa"]
    assert "Absent: not here: apt install absent." in text


def test_a_peer_that_fails_has_no_figures_and_says_why(echo: int, own_figures: None) -> None:
    others = {"broken": Broken(echo), "still": Still(echo), "shy": Shy(echo)}
    found = peers.measure(5, 2, peers=others, hold_s=0.1)
    why = "not measured: its server ended with 3: no space"
    assert found["broken"] == {"title": "Broken", "missing": why}
    assert found["shy"] == {"title": "Shy", "missing": "not measured: it does not connect"}
    assert found["still"]["missing"] == ""
    text = "\n".join(peer_table.lines(found))
    assert "Broken: not measured: its server ended with 3: no space." in text


def test_a_silent_hold_is_computed_from_one_keepalive_that_was_seen(echo: int, tmp_path: Path) -> None:
    found = peers.held({"still": Still(echo, b"12")}, tmp_path, 1.5)["still"]
    assert found["idle_bytes"] == 10
    assert found["held_bytes_counted"] == {"own": 0, "60s": 0, "short": 4}
    assert found["held_bytes_per_min"] == found["held_bytes_per_min_60s"] == 4.0


def test_loa_stands_under_the_same_keys_with_its_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the other topics take is tested with them; here it is known, the province over HTTP is real.
    known = {name: {target.path: 1.0 for target in TARGETS[name]} for name in ("ingest", "wire")}
    known["ingest"]["bytes_stored_per_event_segments"] = 1.0
    monkeypatch.setattr("sim.bench.ingest.measure", lambda seed, stations: known["ingest"])
    monkeypatch.setattr("sim.bench.wire.measure", lambda seed: known["wire"])
    found = peers.loa(5, 1)
    alone = {"w2_bytes_per_event_nine_fields"}  # of the peers
    assert {key for key, _, _ in peer_table.ROWS} - set(found) == alone
    assert all(found[key] > 0 for key, _, _ in peer_table.ROWS if key not in alone)
    assert found["w1_events_per_cpu_s"] > found["w1_events_per_cpu_s_with_view"]
    assert found["w1_events_per_cpu_s"] > found["w1_events_per_cpu_s_both"]


def test_every_row_of_the_table_is_a_documented_key() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/measure.md").read_text("utf-8")
    for key, _, _ in peer_table.ROWS:
        assert f"`{key}`" in page, key


def test_peers_is_a_topic_of_its_own_and_no_part_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "peers" not in TARGETS
    asked: list[tuple[Any, ...]] = []

    def measure(*args: Any, **options: Any) -> dict[str, Any]:
        asked.append((args, options))
        return {"ratios": {}}

    monkeypatch.setattr(peers, "measure", measure)
    done = CliRunner().invoke(bench, ["peers", "--json", "--stations", "3", "--seed", "7"])
    assert done.exit_code == 0
    assert json.loads(done.output) == {"ratios": {}}
    assert asked == [((7,), {"stations": 3})]


@pytest.mark.parametrize("one", [Nats(), Mosquitto()], ids=lambda one: one.title)
def test_a_missing_server_is_named_with_its_package(one: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "program", lambda name: None)
    assert one.missing() in ("not here: apt install nats-server", "not here: apt install mosquitto")
    assert one.version() == ""


def test_a_missing_client_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "program", lambda name: f"/usr/sbin/{name}")
    assert peer.missing("x", "x", "json.decoder", "x") == ""
    assert peer.missing("x", "x", "no_such_module.client", "no-such") == "not here: pip install no-such"


def _listener(folder: Path, code: str) -> tuple[list[str], int, Path]:
    port = free_port()
    head = f"import socket, time; s = socket.create_server(('127.0.0.1', {port}))\n"
    script = folder / "server.py"
    script.write_text(head + code)
    return [sys.executable, str(script)], port, folder / "log"


def test_a_server_is_ended_with_its_block_and_its_processor_time_was_counted(tmp_path: Path) -> None:
    with serving(*_listener(tmp_path, "while True:\n    sum(range(10000))")) as server:
        before = server.cpu_s()
        wait_until(lambda: server.cpu_s() - before > 0.05, "it does not work", 30)
        pid = server._process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_server_is_ended_when_its_block_fails(tmp_path: Path) -> None:
    def fail(server: Server) -> None:
        pids.append(server._process.pid)
        raise RuntimeError

    pids: list[int] = []
    with pytest.raises(RuntimeError), serving(*_listener(tmp_path, "time.sleep(60)")) as server:
        fail(server)
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    argv, _, log = _listener(tmp_path, "print('no space', flush=True); raise SystemExit(3)")
    with pytest.raises(PeerFailed, match="ended with 3: no space"), serving(argv, free_port(), log):
        pass


def test_no_server_outlives_a_bench_that_was_killed(tmp_path: Path) -> None:
    argv, port, log = _listener(tmp_path, "time.sleep(60)")
    code = (
        "import time; from pathlib import Path; from sim.bench.peer import serving\n"
        f"with serving({argv!r}, {port}, Path({str(log)!r})) as server:\n"
        "    print(server._process.pid, flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE) as bench_of_one:
        assert bench_of_one.stdout is not None
        pid = int(bench_of_one.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        bench_of_one.kill()
    wait_until(lambda: _is_gone(pid), "it lives on", 10)


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"  # nobody's child
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_nothing_is_waited_for_without_end() -> None:
    before = time.monotonic()
    with pytest.raises(PeerFailed, match=r"gave up after 0\.05 s: it"):
        wait_until(lambda: False, "it", 0.05)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize("one", PRESENT)
def test_a_peer_that_is_here_keeps_every_event_at_the_hub(one: Peer, tmp_path: Path) -> None:
    assert one.version()[0].isdigit()
    done = one.replicate(_made(tmp_path / "w1"), SAID)
    assert done.events == len(SAID)
    assert done.stored_bytes > sum(len(event) for _, event in SAID)
    assert 0 < done.receiver_cpu_s < done.both_cpu_s
    assert done.wall_s > 0


@pytest.mark.skipif(bool(Nats().missing()), reason=Nats().missing() or "here")
def test_what_a_client_complains_of_is_why_there_is_no_figure(tmp_path: Path) -> None:
    with _server(_made(tmp_path / "one"), "hub") as running:
        _run(_fill(running, SAID[:3]))
        with pytest.raises(PeerFailed, match="BadSubjectError"):
            _run(_fill(running, [("a b", b"")]))


@pytest.mark.parametrize("one", PRESENT)
def test_a_peers_month_on_the_socket_is_counted_whole(one: Peer, tmp_path: Path) -> None:
    month = SAID[::3]
    few, many = one.month(_made(tmp_path / "few"), month[:10]), one.month(_made(tmp_path / "many"), month)
    assert many - few > sum(len(unit) + len(event) for unit, event in month[10:])


@pytest.mark.parametrize("one", PRESENT)
def test_a_peer_is_held_over_the_line(one: Peer, tmp_path: Path) -> None:
    with one.hold(_made(tmp_path / "hold"), None) as line:
        assert line.up > 0
        assert line.down > 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
