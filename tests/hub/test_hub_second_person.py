"""A second person for an emergency: asked by policy, never in its way, and nothing by silence or time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hub_house import PASSWORDS, PROVINCE, TU_LE, House
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub import HubConfig
from hub.cli import hub
from hub.emergencies import OPEN_S, WAIT_S, how_ordered, in_force, waiting
from ledger.facts import HUB_ONLY, EmergencyProposed, Step, proposed_content
from ledger.log import NotAllowed, StoreError

ORDER: dict[str, Any] = {
    "kind": "lu-quet",
    "level": 3,
    "text": "Lũ quét. Lên chỗ cao ngay.",
    "territory": PROVINCE,
}
POLICIES = sorted(WAIT_S)


def built(policy: str = "when-available", seed: str = "second") -> House:
    house = House(seed, limits={"second_person": policy})
    for account, name, territory in (
        ("pho", "Lò Thị Mai", PROVINCE),
        ("xa", "Hà Văn Tú", TU_LE),
    ):
        PASSWORDS.setdefault(account, f"{account}-mat-khau-2022")
        house.hub.commands.create_account(
            house.admin, account=account, name=name, role="approver", territory=territory,
            password=PASSWORDS[account], now=house.now,
        )  # fmt: skip
    return house


@pytest.fixture
def house() -> House:
    return built()


def code_of(act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(NotAllowed) as caught:
        act(*args, **kwargs)
    return caught.value.code


def proposed(house: House, who: str = "lanhdao", **more: Any) -> int:
    return house.hub.commands.propose_emergency(house.officer(who), **{**ORDER, **more}, now=house.now)


def content(house: House, series: int) -> bytes:
    return proposed_content(house.hub.facts.proposals[series][0].fact)


def second(house: House, who: str, series: int) -> int:
    return house.hub.commands.second_emergency(
        house.officer(who), series, content=content(house, series), now=house.now
    )


def alone(house: House, who: str, series: int, *present: str, reason: str = "Không ai ở bàn.") -> int:
    return house.hub.commands.order_alone(
        house.officer(who), series, reason=reason, present=present, now=house.now
    )


def direct(house: House, who: str, *present: str, **more: Any) -> int:
    return house.hub.commands.order_emergency(
        house.officer(who), **{**ORDER, **more}, present=present, now=house.now
    )


# -- when one is asked ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "present", "asked"),
    [
        ("never", ("pho",), False),
        ("when-available", (), False),
        ("when-available", ("pho",), True),
        ("when-available", ("lanhdao", "bientap", "admin", "nobody"), False),
        ("always", (), True),
    ],
)
def test_a_second_person_is_asked_when_the_policy_says_so(
    policy: str, present: tuple[str, ...], asked: bool
) -> None:
    house = built(policy)
    if asked:
        assert code_of(direct, house, "lanhdao", *present) == "second-person"
        assert not house.hub.facts.orders
    else:
        assert direct(house, "lanhdao", *present) in house.hub.facts.emergencies


def test_who_may_order_only_in_a_part_of_the_territory_is_no_second_person(house: House) -> None:
    assert direct(house, "lanhdao", "xa")
    assert code_of(direct, house, "lanhdao", "xa", territory=TU_LE) == "second-person"
    series = proposed(house)
    assert code_of(second, house, "xa", series) == "no-right"


def test_a_disabled_account_is_no_second_person(house: House) -> None:
    house.hub.commands.disable_account(house.admin, "pho", now=house.now)
    assert direct(house, "lanhdao", "pho")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_drill_never_waits_for_a_second_person(policy: str) -> None:
    house = built(policy)
    assert direct(house, "lanhdao", "pho", drill=True) in house.hub.facts.emergencies


def test_a_policy_that_is_none_is_refused_when_the_hub_starts() -> None:
    config = HubConfig("vn.yb", "Yên Bái", (b"r" * 32,))
    assert HubConfig.from_json(config.to_json()).second_person == "when-available"
    with pytest.raises(StoreError, match="second_person"):
        HubConfig.from_json(replace(config, second_person="sometimes").to_json())


def test_the_policy_is_an_administrators_setting(tmp_path: Path) -> None:
    folder = tmp_path / "hub"

    def loa(*words: str, account: str = "admin", password: str = "quantri-2022") -> tuple[int, str]:
        line = [words[0], "--dir", str(folder), *words[1:]]
        if words[0] != "init":
            line += ["--as", account]
        done = CliRunner().invoke(hub, line, env={"LOA_PASSWORD": password})
        return done.exit_code, done.output

    assert loa("init", "--demo-accounts", "--cheap-kdf")[0] == 0
    assert loa("second-person") == (0, "when-available\n")
    status, words = loa("second-person", "always")
    assert status == 0
    assert "120 s" in words
    assert loa("second-person") == (0, "always\n")
    status, words = loa("second-person", "never", account="lanhdao", password="lanhdao-2022")
    assert status != 0
    assert "administrator" in words
    assert loa("second-person", "sometimes")[0] == 2
    assert loa("second-person") == (0, "always\n")


# -- what is proposed ----------------------------------------------------------------------------------------


def test_a_proposal_is_a_signed_decision_that_no_station_is_sent(house: House) -> None:
    series = proposed(house)
    (said,) = house.hub.facts.proposals[series]
    (stored,) = house.hub.ledger.since(said.position - 1, limit=1)
    assert stored.audience == HUB_ONLY
    assert isinstance(said.fact, EmergencyProposed)
    assert said.key_id == house.approver.key.key_id
    assert not house.hub.facts.orders
    assert [one.series for one in waiting(house.hub.facts, house.now)] == [series]
    (deed, *_) = house.hub.queries.deeds()
    assert (deed.what, deed.applied, deed.series) == ("proposed", True, series)


def test_the_second_persons_key_signs_exactly_what_was_proposed(house: House) -> None:
    series = proposed(house, level=2, text="Xả lũ lúc 10 giờ.", kind="xa-lu")
    asked = house.hub.facts.proposals[series][0].fact
    house.later(25)
    assert second(house, "pho", series) == series
    (order,) = house.hub.facts.emergencies[series]
    assert order.key_id == house.officer("pho").key.key_id
    assert proposed_content(order.fact) == proposed_content(asked)
    assert (order.fact.not_before, order.fact.expires_at) == (house.now, asked.expires_at)
    assert how_ordered(house.hub.facts, series).second
    assert waiting(house.hub.facts, house.now) == []


def test_the_second_person_signs_what_was_on_the_page_or_nothing(house: House) -> None:
    series = proposed(house)
    act = house.hub.commands.second_emergency
    for other in (b"", bytes(32), content(house, proposed(house, "pho"))):
        assert code_of(act, house.officer("pho"), series, content=other, now=house.now) == "content-changed"
    assert not house.hub.facts.orders


def test_who_proposes_is_never_the_second_person(house: House) -> None:
    series = proposed(house)
    assert code_of(second, house, "lanhdao", series) == "second-self"


def test_seconding_asks_for_a_password_typed_just_now_and_for_the_right(house: House) -> None:
    series, stale = proposed(house), house.officer("pho")
    house.later(house.config.proof_s + 1)
    act = house.hub.commands.second_emergency
    said = content(house, series)
    assert code_of(act, stale, series, content=said, now=house.now) == "proof-needed"
    for who in ("bientap", "admin"):
        assert code_of(act, house.officer(who), series, content=said, now=house.now) == "no-right"


def test_a_proposal_is_ordered_once(house: House) -> None:
    series = proposed(house)
    second(house, "pho", series)
    house.later(31)
    assert code_of(second, house, "pho", series) == "proposal-closed"
    assert code_of(alone, house, "lanhdao", series) == "proposal-closed"
    assert len(house.hub.facts.emergencies[series]) == 1


def test_a_proposal_that_nobody_takes_up_runs_out_and_orders_nothing(house: House) -> None:
    series = proposed(house)
    house.later(OPEN_S + 1)
    house.hub.tick()
    assert waiting(house.hub.facts, house.now) == []
    assert code_of(second, house, "pho", series) == "proposal-closed"
    assert code_of(alone, house, "lanhdao", series) == "proposal-closed"
    assert not house.hub.facts.orders


def test_a_new_proposal_of_the_same_person_drops_the_one_before(house: House) -> None:
    first, theirs = proposed(house), proposed(house, "pho")
    later = proposed(house, text="Lũ quét ở Tú Lệ.")
    assert [one.series for one in waiting(house.hub.facts, house.now)] == [theirs, later]
    assert [one.fact.step for one in house.hub.facts.proposals[first]] == [Step.ASKED, Step.DROPPED]
    assert code_of(second, house, "pho", first) == "proposal-closed"


def test_only_its_author_drops_a_proposal(house: House) -> None:
    series = proposed(house)
    act = house.hub.commands.drop_proposal
    assert code_of(act, house.officer("pho"), series, now=house.now) == "not-yours"
    act(house.approver, series, now=house.now)
    assert waiting(house.hub.facts, house.now) == []
    assert code_of(act, house.approver, 7, now=house.now) == "proposal-closed"


# -- going alone ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_whoever_proposed_may_order_alone_after_the_wait_with_a_reason_in_the_log(policy: str) -> None:
    house = built(policy)
    series, wait_s = proposed(house), WAIT_S[policy]
    if wait_s:
        house.later(wait_s - 1)
        assert code_of(alone, house, "lanhdao", series, "pho") == "second-person"
        house.later(1)
    assert code_of(alone, house, "lanhdao", series, "pho", reason="  ") == "text-empty"
    assert code_of(alone, house, "pho", series, "pho") == "not-yours"
    assert not house.hub.facts.orders
    alone(house, "lanhdao", series, "pho", reason="Đã chờ, không ai ký.")
    said = how_ordered(house.hub.facts, series)
    assert said.alone is not None
    assert said.alone.fact.reason == "Đã chờ, không ai ký."
    assert not said.second


def test_the_way_to_the_air_is_below_a_minute_while_others_are_at_work() -> None:
    assert WAIT_S["when-available"] <= 30, "half a minute is left to write and to type"


def test_nobody_waits_for_somebody_who_left(house: House) -> None:
    series = proposed(house)
    assert code_of(alone, house, "lanhdao", series, "pho") == "second-person"
    assert alone(house, "lanhdao", series) == series


def test_a_proposal_survives_a_restart_of_the_hub(house: House) -> None:
    series = proposed(house)
    house.restart()
    assert [one.series for one in waiting(house.hub.facts, house.now)] == [series]
    assert second(house, "pho", series) == series


def test_the_all_clear_asks_for_a_password_typed_just_now(house: House) -> None:
    series, stale = direct(house, "lanhdao"), house.approver
    house.later(house.config.proof_s + 1)
    act = house.hub.commands.cancel_emergency
    assert code_of(act, stale, series, reason="Nước rút", now=house.now) == "proof-needed"
    assert [one.fact.series for one in in_force(house.hub.facts, house.now)] == [series]
    act(house.approver, series, reason="Nước rút", now=house.now)
    assert in_force(house.hub.facts, house.now) == []


# -- all of it -----------------------------------------------------------------------------------------------

BOSSES = ("lanhdao", "pho", "xa")
WIDE = frozenset({"lanhdao", "pho"})


class SecondPerson(RuleBasedStateMachine):
    """Three people, any order of presses and any passing of time, against a plain model of the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[int, tuple[str, str, int]] = {}  # series → author, territory, when
        self.closed: set[int] = set()
        self.orders: dict[int, str] = {}  # series → how
        self.present: set[str] = set()

    @initialize(policy=st.sampled_from(POLICIES))
    def start(self, policy: str) -> None:
        self.house, self.policy = built(policy, f"machine-{policy}"), policy

    def may(self, who: str, territory: str) -> bool:
        return who in WIDE or territory == TU_LE

    def someone(self, who: str, territory: str) -> bool:
        return any(one != who and self.may(one, territory) for one in self.present)

    def is_open(self, series: int) -> bool:
        return (
            series in self.asked
            and series not in self.closed
            and series not in self.orders
            and self.house.now <= self.asked[series][2] + OPEN_S
        )

    @rule(seconds=st.sampled_from([1, 14, 29, 31, 60, 119, 121, 400, OPEN_S + 1]))
    def time_passes(self, seconds: int) -> None:
        self.house.later(seconds)
        self.house.hub.tick()

    @rule(who=st.sampled_from(BOSSES))
    def comes_or_goes(self, who: str) -> None:
        self.present ^= {who}

    @rule(who=st.sampled_from(BOSSES), territory=st.sampled_from([PROVINCE, TU_LE]), drill=st.booleans())
    def orders_at_once(self, who: str, territory: str, drill: bool) -> None:
        free = (
            drill
            or self.policy == "never"
            or (self.policy == "when-available" and not self.someone(who, territory))
        )
        if free and self.may(who, territory):
            series = direct(self.house, who, *self.present, territory=territory, drill=drill)
            self.orders[series] = "single"
            return
        why = "second-person" if self.may(who, territory) else "no-right"
        assert code_of(direct, self.house, who, *self.present, territory=territory, drill=drill) == why

    @rule(who=st.sampled_from(BOSSES), territory=st.sampled_from([PROVINCE, TU_LE]))
    def proposes(self, who: str, territory: str) -> None:
        if not self.may(who, territory):
            assert code_of(proposed, self.house, who, territory=territory) == "no-right"
            return
        series = proposed(self.house, who, territory=territory)
        self.closed |= {one for one, (author, *_) in self.asked.items() if author == who}
        self.asked[series] = (who, territory, self.house.now)

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from(BOSSES), data=st.data(), right=st.booleans())
    def seconds(self, who: str, data: st.DataObject, right: bool) -> None:
        series = data.draw(st.sampled_from(sorted(self.asked)))
        author, territory, _ = self.asked[series]
        said = content(self.house, series) if right else bytes(32)
        try:
            self.house.hub.commands.second_emergency(
                self.house.officer(who), series, content=said, now=self.house.now
            )
        except NotAllowed:
            assert not (right and self.is_open(series) and who != author and self.may(who, territory))
        else:
            assert right
            assert self.is_open(series)
            assert who != author
            assert self.may(who, territory)
            self.orders[series] = "second"

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from(BOSSES), data=st.data())
    def goes_alone(self, who: str, data: st.DataObject) -> None:
        series = data.draw(st.sampled_from(sorted(self.asked)))
        author, territory, when = self.asked[series]
        waited = self.house.now >= when + WAIT_S[self.policy] or (
            self.policy != "always" and not self.someone(author, territory)
        )
        try:
            alone(self.house, who, series, *self.present)
        except NotAllowed:
            assert not (self.is_open(series) and who == author and waited)
        else:
            assert self.is_open(series)
            assert who == author
            assert waited
            self.orders[series] = "alone"

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from(BOSSES), data=st.data())
    def drops(self, who: str, data: st.DataObject) -> None:
        series = data.draw(st.sampled_from(sorted(self.asked)))
        try:
            self.house.hub.commands.drop_proposal(self.house.officer(who), series, now=self.house.now)
        except NotAllowed:
            assert not (self.is_open(series) and who == self.asked[series][0])
        else:
            assert self.is_open(series)
            assert who == self.asked[series][0]
            self.closed.add(series)

    @rule()
    def the_hub_starts_again(self) -> None:
        self.house.restart()

    @invariant()
    def what_is_ordered_was_pressed_and_the_log_says_how(self) -> None:
        if not hasattr(self, "house"):
            return
        facts = self.house.hub.facts
        assert set(facts.emergencies) == set(self.orders)
        for series, how in self.orders.items():
            said = how_ordered(facts, series)
            assert (said.second, said.alone is not None) == (how == "second", how == "alone")
        assert {one.series for one in waiting(facts, self.house.now)} == {
            series for series in self.asked if self.is_open(series)
        }


TestSecondPerson = SecondPerson.TestCase
TestSecondPerson.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
