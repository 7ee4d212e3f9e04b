"""Settings of one hub that its administrator changes at the command line, while the hub is stopped.

Bound: who may, and the writing; which settings there are is `hub.config`.
"""

from __future__ import annotations

from typing import Any

from hub.accounts import Officer
from hub.config import save_config
from hub.hub import Hub
from ledger.facts import Right
from ledger.log import NotAllowed


def ask_administrator(house: Hub, officer: Officer) -> None:
    """Raises NotAllowed("no-right") unless the officer administers the whole of this hub."""
    may = house.facts.authority.may(officer.key.key_id, Right.ADMIN, house.config.province, house.now())
    if officer.role != "admin" or not may:
        raise NotAllowed("no-right", "this is an administrator's setting", hint="--as an administrator")


def set_limits(house: Hub, **limits: Any) -> None:
    """Writes these settings over what `hub.json` holds."""
    save_config(house.store, house.config.with_limits(**limits))
