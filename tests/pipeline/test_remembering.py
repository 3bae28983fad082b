"""What states hand from day to day survives the tables, to the last digit."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import Acknowledged, Memory
from hamload.pipeline.counsel.remembering import remembered, told
from hamload.records import DayBudget, DeloadPlan, State

DATES, NUMBERS, STATES = st.dates(), st.floats(allow_nan=False), st.sampled_from(State)
RATIOS = st.none() | NUMBERS
BUDGETS = st.builds(DayBudget, DATES, st.integers(0, 999), st.none() | st.integers(0, 999), st.booleans())
PLANS = st.builds(
    DeloadPlan, DATES, DATES, st.lists(BUDGETS).map(tuple), st.integers(), NUMBERS, *[RATIOS] * 4, st.booleans()
)
MEMORIES = st.builds(
    Memory,
    st.none() | STATES,
    st.none() | DATES,
    st.dictionaries(STATES, DATES),
    st.integers(0, 99),
    st.booleans(),
    st.dictionaries(STATES, NUMBERS),
    st.none() | DATES,
    st.none() | st.builds(Acknowledged, STATES, NUMBERS),
    st.frozensets(st.text()),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
    st.none() | PLANS,
)


@settings(deadline=None)
@given(MEMORIES)
def test_a_memory_read_back_is_the_memory_that_was_written(memory: Memory) -> None:
    assert remembered(told(memory)) == memory


def test_a_memory_is_plain_text() -> None:
    assert '"since": "2026-11-29"' in told(Memory(since=dt.date(2026, 11, 29)))
