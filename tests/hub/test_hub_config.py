"""What a hub is told once, and the clock of a demonstration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.clock import TempoClock, virtual
from hub.config import HubConfig, KdfCost, Overload, load_config, load_key, save_config, save_key
from ledger.log import MemoryStore, SigningKey, StoreError

ROOT = SigningKey.from_seed(b"r" * 32)
CONFIG = HubConfig(
    "vn.yb", "Yên Bái", (ROOT.verify_key.raw,), kdf=KdfCost(2, 64, 1), overload=Overload(waiting_max=3)
)


def test_a_configuration_is_read_back_as_it_was_written() -> None:
    store = MemoryStore()
    save_config(store, CONFIG)
    assert load_config(store) == CONFIG
    assert load_config(store).root_keys == (ROOT.verify_key,)
    assert "Yên Bái" in (store.read("hub.json") or b"").decode()


def test_a_store_without_a_hub_says_so() -> None:
    with pytest.raises(StoreError) as refused:
        load_config(MemoryStore())
    assert refused.value.code == "not-founded"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b'{"roots": 3}', b"\xff", CONFIG.to_json().replace(b'"kdf"', b'"kdx"')],
)
def test_a_broken_configuration_is_named_as_broken(data: bytes) -> None:
    with pytest.raises(StoreError) as refused:
        HubConfig.from_json(data)
    assert refused.value.code == "config-bad"


def test_a_key_file_is_read_back_and_a_damaged_one_refused() -> None:
    store = MemoryStore()
    save_key(store, "hub.key", ROOT)
    assert load_key(store, "hub.key").seed == ROOT.seed
    for damaged in (b"", b"00", b"zz" * 32, b"\xff" * 64):
        store.write("hub.key", damaged)
        with pytest.raises(StoreError) as refused:
            load_key(store, "hub.key")
        assert refused.value.code == "key-bad"
    with pytest.raises(StoreError) as refused:
        load_key(store, "root.key")
    assert refused.value.code == "key-missing"


# -- tempo
# -------------------------------------------------------------------------------------------------------

anchors = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 10_000)), min_size=1, max_size=6).map(
    lambda steps: [
        (sum(a for a, _ in steps[: n + 1]), sum(b for _, b in steps[: n + 1])) for n in range(len(steps))
    ]
)


@settings(deadline=None)
@given(anchors, st.floats(0, 700), st.floats(0, 700))
def test_virtual_time_never_runs_backwards_and_meets_its_anchors(
    points: list[tuple[float, float]], a: float, b: float
) -> None:
    low, high = sorted((a, b))
    assert virtual(points, low) <= virtual(points, high) + 1e-6
    for mono, utc in points:
        assert virtual(points, mono) == pytest.approx(utc)
    assert virtual(points, points[-1][0] + 5) == pytest.approx(points[-1][1] + 5)


def test_a_tempo_extended_while_it_runs_is_followed_and_time_does_not_step(tmp_path: Path) -> None:
    mono = [100.0]
    path = tmp_path / "tempo.json"

    def put(*points: tuple[float, float]) -> None:
        half = tmp_path / "half"
        half.write_text(json.dumps({"anchors": points}))
        half.rename(path)

    put((100, 1_000), (110, 2_000))
    clock = TempoClock(path, lambda: mono[0])
    mono[0] = 105.0
    assert clock.utc() == 1_500
    put((100, 1_000), (110, 2_000), (111, 12_000))
    mono[0] = 110.5
    assert clock.utc() == 7_000
    put((100, 1_000), (110, 2_000))  # a wrong edit would take time back: it is not followed back
    mono[0] = 110.6
    assert clock.utc() == 7_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"anchors": []}',
        '{"anchors": [[1]]}',
        '{"anchors": [[2, 1], [1, 2]]}',
        '{"anchors": [[1, 5], [2, 4]]}',
    ],
)
def test_a_file_without_a_tempo_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tempo.json"
    path.write_text(text)
    with pytest.raises(StoreError) as refused:
        TempoClock(path, lambda: 0.0)
    assert refused.value.code == "tempo-bad"
