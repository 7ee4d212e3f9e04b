"""Where a live relay comes from: a short list of web addresses (`text/uri-list`, RFC 2483) in a manifest.

    # VOV1
    https://str.example/vov1.mp3

The list is content like any other, so its hash, and with it the address, is what was approved. A station
hands the address to its player; so it is read strictly, by the hub before anybody approves it and by the
station before it opens anything. No name or password may stand in it: everything here is public.

Bound: reading and writing the list. Whether the address answers is found out on the air.
"""

from __future__ import annotations

import re
from typing import Final

from ledger.log.errors import CodecError

STREAM_MEDIA_TYPE: Final = "text/uri-list"
STREAM_LIST_BYTES_MAX: Final = 4_096
ADDRESSES_MAX: Final = 8
ADDRESS_CHARS_MAX: Final = 500
PORT_MAX: Final = 65_535

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
# Scheme, host (name, IPv4 or IPv6 in brackets), port, and a rest of what RFC 3986 allows. No user before the
# host: an "@" cannot come before the first "/".
_ADDRESS: Final = re.compile(
    rf"https?://(?:{_LABEL}(?:\.{_LABEL}){{0,31}}\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::([0-9]{{1,5}}))?"
    r"(?:[/?](?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII,
)


def is_stream_address(address: str) -> bool:
    """True for an http or https address of at most 500 characters, without credentials or fragment."""
    if len(address) > ADDRESS_CHARS_MAX:
        return False
    found = _ADDRESS.fullmatch(address)
    return found is not None and (found[1] is None or 1 <= int(found[1]) <= PORT_MAX)


def stream_list(address: str) -> bytes:
    """The list that names one address. Raises CodecError(`stream-address`)."""
    if not is_stream_address(address):
        raise CodecError(
            "stream-address", "this is no address of a stream", where="stream",
            hint="https://host/path, without a name or password in it",
        )  # fmt: skip
    return address.encode("ascii") + b"\r\n"


def stream_addresses(data: bytes) -> tuple[str, ...]:
    """The addresses of a list, in order; what begins with # is for people.

    Raises CodecError: `stream-list` (not a short ASCII text, none or more than eight addresses),
    `stream-address` (one that no station may open). One bad line spoils the list: what a person approved is
    either followed or refused, never followed in part.
    """
    if len(data) > STREAM_LIST_BYTES_MAX or not data.isascii():
        raise CodecError("stream-list", "not a short list of addresses in ASCII", where="stream")
    lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    found = [line for line in lines if line and not line.startswith("#")]
    if not 1 <= len(found) <= ADDRESSES_MAX:
        raise CodecError("stream-list", f"a list has 1 to {ADDRESSES_MAX} addresses", where="stream")
    for line in found:
        if not is_stream_address(line):
            raise CodecError("stream-address", "a line is no address that may be opened", where="stream")
    return tuple(found)
