"""What a bulletin was made for: bytes to value and back, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import BASIS, Basis, Manifest, Rendition, heard_in
from ledger.log import CodecError, pack

campaigns = st.text(alphabet="Ngày Pháp luật 9/11", max_size=Basis.CHARS_MAX).map(
    lambda text: " ".join(text.split())
)
documents = st.lists(st.binary(min_size=16, max_size=16), max_size=8, unique=True).map(tuple)


@given(campaigns, documents)
def test_a_basis_reads_back_as_it_was_written(campaign: str, named: tuple[bytes, ...]) -> None:
    basis = Basis(campaign, named)
    if not campaign and not named:
        with pytest.raises(CodecError):
            basis.encode()
    else:
        assert Basis.decode(basis.encode()) == basis


@given(st.binary(max_size=200))
def test_any_bytes_are_a_basis_in_its_one_form_or_refused(data: bytes) -> None:
    try:
        found = Basis.decode(data)
    except CodecError:
        return
    assert found.encode() == data


@pytest.mark.parametrize(
    "tree",
    [
        [2, "a", []],
        [1, "", []],
        [1, "a"],
        [1, 7, []],
        [1, "a", [b"x" * 15]],
        [1, "a", [b"x" * 16, b"x" * 16]],
        [1, "a", [bytes([n]) * 16 for n in range(9)]],
        [1, "a\nb", []],
        [1, "a‮b", []],
        [1, "x" * 65, []],
        [True, "a", []],
    ],
)
def test_what_is_no_basis_is_refused(tree: object) -> None:
    with pytest.raises(CodecError) as caught:
        Basis.decode(pack(tree))  # type: ignore[arg-type]
    assert caught.value.code == "basis-format"


def test_a_basis_is_neither_heard_nor_shown() -> None:
    alone = Manifest((Rendition.of(BASIS, Basis.MEDIA_TYPE, Basis("Mùa khô").encode()),))
    assert heard_in(Manifest.decode(alone.encode()), "vi") is None
