"""What a hub is told once."""

from __future__ import annotations

import pytest

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
