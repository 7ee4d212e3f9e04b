"""A month without a line, with power cuts: every slot once or a true reason, every report delivered."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from ledger.facts import Detail, Outcome, Verdict
from node.plays import Plays
from node.reckoning import Reckoner
from sim.main import loa
from sim.offline import Month


@pytest.mark.parametrize(("seed", "clock"), [(1, "battery"), (3, "none"), (9, "tired battery")])
def test_in_thirty_days_without_a_line_every_slot_is_played_once_or_answered_for_with_a_true_reason(
    seed: int, clock: str
) -> None:
    told = Month(seed).run()
    assert told.problems == []
    assert told.clock == clock
    assert told.slots == 214
    assert told.cuts >= 50
    assert told.cuts_inside >= 5, "the power hardly ever went inside a write"
    assert sum(told.outcomes.values()) == told.slots, "every acknowledgment is at the hub, once"
    if clock == "battery":
        assert told.outcomes["played"] + told.outcomes["played_late"] > 180
        assert not any("clock" in name for name in told.outcomes)
    else:
        assert told.outcomes["missed (clock-unknown)"] > 40


def test_the_same_seed_is_the_same_month() -> None:
    one, two = Month(5, 3), Month(5, 3)
    assert one.run() == two.run()
    assert [stored.segment.raw for stored in one.ledger.since(0)] == [
        stored.segment.raw for stored in two.ledger.since(0)
    ]


def test_a_station_that_plays_before_it_writes_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Plays._write

    def late(self: Plays, row: Any) -> None:
        if row.state == "started":
            self._rows[row.key] = row
            self.version += 1
        else:
            write(self, row)

    monkeypatch.setattr(Plays, "_write", late)
    problems = [problem for seed in (1, 2, 4) for problem in Month(seed, 12).run().problems]
    assert problems


def test_a_station_that_gives_one_reason_for_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reckoner, "_why", lambda self, slot, moment: Verdict(Outcome.MISSED, Detail.POWER))
    told = Month(3, 12).run()
    assert any("it had power" in problem for problem in told.problems), told.problems


def test_the_command_says_what_became_of_the_month() -> None:
    done = CliRunner().invoke(loa, ["sim", "offline", "--seed", "3", "--seeds", "1", "--days", "3"])
    assert done.exit_code == 0, done.output
    assert "power cuts" in done.output
    assert "BROKEN" not in done.output
