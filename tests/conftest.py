"""What the whole suite shares: one option, no clock over hypothesis, and signals as at a terminal."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing about Loa.
settings.register_profile("loa", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loa")

HISTORIES = 250  # in an ordinary run, a few seconds; `--histories 20000` is the run to quote


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--histories",
        type=int,
        default=HISTORIES,
        help=f"how many random histories of tests/ledger/test_histories.py to play (default {HISTORIES})",
    )


def pytest_configure() -> None:
    # A shell starts its background jobs with SIGINT ignored, and every child would inherit that: the tests
    # that press Ctrl-C in a demo would wait for ever when the suite itself runs in the background.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
