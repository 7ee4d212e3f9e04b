"""A province with its offices staffed."""

from __future__ import annotations

import pytest
from facts_desk import OFFICER, PROVINCE, TU_LE, XUAN_AI, Room

from ledger.facts import Right


@pytest.fixture
def room() -> Room:
    """Admin, editor, approver of the province; an officer in each of two communes; a key without a grant."""
    room = Room()
    everything = OFFICER | Right.GRANT | Right.ACK
    room.grant("root", "admin", everything, PROVINCE, depth=3)
    room.grant("admin", "editor", Right.DRAFT | Right.SCHEDULE, PROVINCE)
    approver = Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL
    room.grant("admin", "approver", approver, PROVINCE)
    room.grant("admin", "tu-le", OFFICER, TU_LE)
    room.grant("admin", "xuan-ai", OFFICER, XUAN_AI)
    room.grant("admin", "station", Right.ACK, TU_LE)
    return room
