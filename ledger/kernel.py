"""What the kernel says of its own clock: whether a daemon keeps it.

Hub and station both ask; what they make of the answer is theirs. Nothing is changed: `adjtimex` with no modes
only reads, and needs no right.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

_STA_UNSYNC: Final = 0x40
_TIME_ERROR: Final = 5


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; the rest is only reserved."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def synchronised() -> Callable[[], bool] | None:
    """Asks whether the clock is kept by NTP; None on a machine that cannot say."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None

    def asked() -> bool:
        timex = _Timex()
        state = adjtimex(ctypes.byref(timex))
        return state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC

    return asked
