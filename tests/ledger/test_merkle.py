"""The tree: the shape of RFC 9162, paths for every leaf, and no second reading of any of them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log import merkle
from ledger.log.errors import SegmentError

KEY, LOG = b"key-id-8", b"log-id-8"


def leaves_of(count: int) -> list[bytes]:
    return merkle.leaves(KEY, LOG, 0, [b"%d" % n for n in range(count)])


def rfc_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1 as it is written: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + rfc_root(leaves[:split]) + rfc_root(leaves[split:])).digest()


def rfc_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1 as it is written."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*rfc_path(index, leaves[:split]), rfc_root(leaves[split:])]
    return [*rfc_path(index - split, leaves[split:]), rfc_root(leaves[:split])]


@pytest.mark.parametrize("count", [*range(1, 70), 255, 256, 257, 1000, 4095, 4096])
def test_root_and_paths_are_those_of_rfc_9162(count: int) -> None:
    leaves = leaves_of(count)
    root = merkle.root(leaves)
    assert root == rfc_root(leaves)
    for index in {*range(min(count, 70)), count // 2, count - 2, count - 1} - {-1}:
        path = merkle.path(leaves, index)
        assert list(path) == rfc_path(index, leaves)
        assert len(path) <= 12
        assert merkle.root_from_path(leaves[index], index, count, path) == root


@given(st.integers(1, 40), st.data())
def test_a_path_leads_to_the_root_from_its_own_place_only(count: int, more: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = more.draw(st.integers(0, count - 1))
    other = more.draw(st.integers(-1, count + 1))
    path = merkle.path(leaves, index)
    try:
        reached = merkle.root_from_path(leaves[index], other, count, path)
    except SegmentError:
        assert other != index
    else:
        assert (reached == merkle.root(leaves)) == (other == index)


@given(st.integers(1, 40), st.data())
def test_a_path_of_another_length_is_refused(count: int, more: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = more.draw(st.integers(0, count - 1))
    path = list(merkle.path(leaves, index))
    wrong = more.draw(st.integers(0, 14).filter(lambda length: length != len(path)))
    with pytest.raises(SegmentError) as caught:
        merkle.root_from_path(leaves[index], index, count, (path + [bytes(32)] * 14)[:wrong])
    assert caught.value.code == "proof-path"


def test_a_leaf_belongs_to_one_author_one_log_and_one_number() -> None:
    here = merkle.leaf(KEY, LOG, 5, b"event")
    others = [
        merkle.leaf(b"key-id-9", LOG, 5, b"event"),
        merkle.leaf(KEY, b"log-id-9", 5, b"event"),
        merkle.leaf(KEY, LOG, 6, b"event"),
        merkle.leaf(KEY, LOG, 5, b"Event"),
    ]
    assert here not in others
    assert here == sha256(b"\0" + KEY + LOG + b"\0\0\0\0\0\0\0\5" + b"event").digest()
    assert merkle.leaves(KEY, LOG, 5, [b"event", b"next"]) == [here, merkle.leaf(KEY, LOG, 6, b"next")]


def test_an_inner_node_never_passes_for_a_leaf() -> None:
    """Two leaves side by side, and one event made of their node's bytes: the first byte keeps them apart."""
    left, right = leaves_of(2)
    assert merkle.root([left, right]) == sha256(b"\1" + left + right).digest() == merkle.node(left, right)
    assert merkle.root(merkle.leaves(KEY, LOG, 0, [left + right])) != merkle.root([left, right])


def test_adding_removing_or_swapping_leaves_changes_the_root() -> None:
    leaves = leaves_of(9)
    roots = {merkle.root(leaves[:n]) for n in range(1, 10)}
    assert len(roots) == 9
    assert merkle.root([*leaves, leaves[-1]]) not in roots  # the last one twice is another tree
    assert merkle.root(leaves[::-1]) not in roots
