"""The list of addresses that a live relay is played from: strictly read, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import is_stream_address, stream_addresses, stream_list
from ledger.facts.relay import ADDRESSES_MAX, STREAM_LIST_BYTES_MAX
from ledger.log import CodecError

GOOD = [
    "https://str.example/vov1.mp3",
    "http://192.0.2.7:8000/live;stream?x=1&y=%C4%91",
    "https://[2001:db8::1]:8443/",
    "http://radio",
]
BAD = [
    "",
    "ftp://str.example/x",
    "file:///etc/passwd",
    "https://user:word@str.example/x",
    "https://user@str.example/x",
    "https://str.example/x y",
    "https://str.example/x#part",
    "https://str.example/%zz",
    "https://str.example:0/",
    "https://str.example:65536/",
    "https:///x",
    "//str.example/x",
    "https://str.example\\x",
    "https://đài.example/x",
    "https://str.example/\x00",
    "HTTPS://str.example/x",
    "https://" + "a" * 490 + ".example/",
    "https://-x.example/",
]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_of_the_web_may_be_relayed(address: str) -> None:
    assert stream_addresses(stream_list(address)) == (address,)


@pytest.mark.parametrize("address", BAD)
def test_an_address_with_credentials_or_of_another_kind_may_not(address: str) -> None:
    assert not is_stream_address(address)
    with pytest.raises(CodecError) as refused:
        stream_list(address)
    assert refused.value.code == "stream-address"


def test_a_list_is_read_as_written_and_remarks_are_for_people() -> None:
    data = b"# VOV1\r\nhttps://a.example/1\r\n\r\nhttp://b.example/2\n"
    assert stream_addresses(data) == ("https://a.example/1", "http://b.example/2")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "stream-list"),
        (b"# nothing\r\n", "stream-list"),
        ("https://đài.example/".encode(), "stream-list"),
        (b"http://a.example/\n" * (ADDRESSES_MAX + 1), "stream-list"),
        (b"#" + b"x" * STREAM_LIST_BYTES_MAX, "stream-list"),
        (b"http://a.example/\r\nfile:///etc/passwd\r\n", "stream-address"),
        (b" http://a.example/", "stream-address"),
        (b"http://a.example/\rhttp://b.example/", "stream-address"),
    ],
)
def test_one_bad_line_spoils_the_list(data: bytes, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        stream_addresses(data)
    assert refused.value.code == code


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_addresses_or_refused(data: bytes) -> None:
    try:
        found = stream_addresses(data)
    except CodecError:
        return
    assert found
    assert all(is_stream_address(one) for one in found)


@given(st.text(max_size=60))
def test_no_address_brings_credentials_or_a_second_line(text: str) -> None:
    if is_stream_address(f"http://{text}"):
        host = text.split("/")[0].split("?")[0]
        assert "@" not in host
        assert not set(text) & set("\r\n\t #")
