"""Following a tempo that is rewritten meanwhile: no step, no way back; a damaged file is said to be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.log import StoreError
from ledger.tempo import LOOK_AGAIN_S, Tempo, TempoReader


class Machine:
    """A monotonic clock to turn by hand, and the file."""

    def __init__(self, *anchors: tuple[float, float]) -> None:
        self.mono_s, self.anchors, self.reads = 100.0, anchors, 0

    def read(self) -> bytes:
        self.reads += 1
        return Tempo(self.anchors).encode()


def test_a_reader_follows_the_anchors_and_the_wall_after_the_last() -> None:
    machine = Machine((100.0, 1_000.0), (110.0, 4_600.0))
    reader = TempoReader(machine.read, lambda: machine.mono_s)
    assert reader.utc() == 1_000
    machine.mono_s = 105.0
    assert reader.utc() == 2_800
    assert reader.real_wait_s(360.0) == pytest.approx(1.0)
    machine.mono_s = 112.0
    assert reader.utc() == 4_602
    assert reader.real_wait_s(3.0) == pytest.approx(3.0)


def test_anchors_added_later_are_followed_and_a_wrong_edit_takes_no_time_back() -> None:
    machine = Machine((100, 1_000), (110, 2_000))
    reader = TempoReader(machine.read, lambda: machine.mono_s)
    machine.mono_s = 105.0
    assert reader.utc() == 1_500
    machine.anchors = ((100, 1_000), (110, 2_000), (111, 12_000))
    machine.mono_s = 110.5
    assert reader.utc() == 7_000
    machine.anchors = ((100, 1_000), (110, 2_000))
    machine.mono_s = 110.6
    assert reader.utc() == 7_000
    machine.mono_s = 5_200.0
    assert reader.utc() == 7_090


def test_the_file_is_not_looked_at_more_often_than_needed() -> None:
    machine = Machine((100, 1_000))
    reader = TempoReader(machine.read, lambda: machine.mono_s)
    for _ in range(100):
        machine.mono_s += LOOK_AGAIN_S / 10
        reader.utc()
    assert machine.reads <= 12


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"anchors": []}', b'{"anchors": [[1, 2], [1, 3]]}', b"\xff"]
)
def test_a_file_without_a_tempo_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(StoreError) as refused:
        TempoReader(lambda: data, lambda: 0.0)
    assert refused.value.code == "tempo-malformed"


def test_a_file_that_is_not_there_is_refused_in_the_same_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="tempo-malformed"):
        TempoReader((tmp_path / "no").read_bytes, lambda: 0.0)
