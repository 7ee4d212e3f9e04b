"""The condition a station sends with a request: both ends of it."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import Condition, read_condition

numbers = st.integers(-1, 2**40)
conditions = st.builds(
    Condition,
    player=st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=32),
    ceiling=numbers, clock=numbers, boot_at=numbers, playing=numbers, blobs_missing=numbers,
    pending=numbers, volume=numbers, software=st.just("loa/0.1.0"),
)  # fmt: skip


@given(conditions)
def test_what_a_station_says_of_itself_is_what_the_hub_reads(condition: Condition) -> None:
    encoded = condition.encode()
    assert len(encoded) <= 256
    assert read_condition(encoded) == condition


def test_a_long_name_is_cut_and_does_not_burst_the_request() -> None:
    assert len(Condition(player="đ" * 400, software="x" * 400).encode()) <= 256
