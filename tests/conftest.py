"""What the whole suite shares: one option."""

from __future__ import annotations

import pytest

HISTORIES = 250  # in an ordinary run, a few seconds; `--histories 20000` is the run to quote


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--histories",
        type=int,
        default=HISTORIES,
        help=f"how many random histories of tests/ledger/test_histories.py to play (default {HISTORIES})",
    )
