"""`Range` and `If-Range` for one representation that never changes: pure, so that every odd header is a
test row.

RFC 9110 §14: only the `bytes` unit, only one range; several ranges, another unit or a malformed header are
ignored (the whole is sent), a well-formed range outside the content is unsatisfiable (416). `If-Range`
compares strongly: a weak tag or a date never matches here, so the whole is sent.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Span(NamedTuple):
    """`length` bytes from `offset`."""

    offset: int
    length: int


class Unsatisfiable(ValueError):
    """The range lies outside the content."""


def read_range(asked: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """The one range asked for, or None for the whole. Raises Unsatisfiable."""
    if asked is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = ONE_RANGE.fullmatch(asked.strip().replace(" ", ""))
    if found is None:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:  # the last n bytes
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, length)
    offset = int(first)
    if last and int(last) < offset:
        return None  # malformed: ignored, not refused
    if offset >= size:
        raise Unsatisfiable
    end = min(int(last) + 1, size) if last else size
    return Span(offset, end - offset)
