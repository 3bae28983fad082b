"""The rules against what was logged: hits, false alarms and lead times known by hand; honest where little is known."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from hamload.advice import assess
from hamload.advice.backtest import ANY_DELOAD, Backtested, backtest, flares, needed_flares
from hamload.records import DayFacts, SeriesDay, SessionFact, State
from hamload.settings import defaults

RULES = defaults()[2]
FIRST = dt.date(2026, 1, 5)


def a_year(ratios: dict[int, float], tight: dict[int, float], days: int = 200) -> list[DayFacts]:
    """Return days with an uncoupled ratio of 1, but for those named; tightness as logged."""
    found = []
    for index in range(days):
        date = FIRST + dt.timedelta(days=index)
        ratio = ratios.get(index, 1.0)
        found.append(
            DayFacts(
                date=date,
                is_known=True,
                unknown_days_28=0,
                history_days=100 + index,
                days_since_run=0,
                total=SeriesDay(50.0, None, ratio, 1.0, 1.0, None, 50.0 * ratio, 50.0),
                heavy=SeriesDay(0.0, None, None, None, None, None, 0.0),
                sessions=tuple(_run(date - dt.timedelta(days=d)) for d in (2, 1, 0)),
                curl_sessions_10d=2,
                tightness=tight.get(index),
                tightness_before=tight.get(index - 1),
            )
        )
    return found


def _run(date: dt.date) -> SessionFact:
    return SessionFact(
        session_id=str(date),
        start_at=dt.datetime.combine(date, dt.time(8), dt.UTC),
        local_date=date,
        title="run",
        distance_m=1e4,
        moving_time_s=3e3,
        load_efm=50.0,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        load_base_efm=50.0,
        is_hill=False,
        is_speed=False,
        is_long=False,
        is_heavy=False,
        spike_distance=None,
        spike_load=None,
    )


def held_against(ratios: dict[int, float], tight: dict[int, float]) -> Backtested:
    days = a_year(ratios, tight)
    return backtest(days, assess(days, RULES, "me"), RULES)


def test_hits_false_alarms_and_lead_time_known_by_hand() -> None:
    """Fired on day 20 (a flare ten days later), on day 60 (calm entries), on day 120 (nothing logged after it)."""
    found = held_against({20: 2.0, 21: 2.0, 60: 2.0, 120: 2.0}, {30: 5.0, 31: 6.0, 62: 1.0, 70: 2.0})
    row = next(r for r in found.rules if r.rule == "uncoupled_ratio")
    assert (row.fired, row.hits, row.false_alarms, row.unseen) == (3, 1, 1, 1)
    assert (row.caught, row.lead_days, row.state) == (1, 10.0, State.DELOAD)
    assert row.per_28_days is not None
    assert math.isclose(row.per_28_days, 28 * 3 / 200)
    assert (found.entries, found.flares) == (4, (FIRST + dt.timedelta(days=30),))
    assert any(r.rule == ANY_DELOAD and r.fired == 3 for r in found.rules)


def test_the_horizon_and_the_day_itself_at_their_edges() -> None:
    for after, hits in ((0, 0), (1, 1), (14, 1), (15, 0)):
        row = next(r for r in held_against({20: 2.0}, {20 + after: 5.0}).rules if r.rule == "uncoupled_ratio")
        assert row.hits == hits


def test_a_flare_begins_after_a_calm_week_and_at_four() -> None:
    day = [FIRST + dt.timedelta(days=d) for d in range(40)]
    assert flares({day[0]: 3.5}, RULES.backtest) == []
    assert flares({day[0]: 4.0, day[7]: 4.0, day[15]: 4.0}, RULES.backtest) == [day[0], day[15]]


def test_how_many_flares_would_be_needed_is_said() -> None:
    """1.96 squared times a quarter over 0.2 squared is 24.01."""
    assert needed_flares(RULES.backtest) == 25
    few = held_against({20: 2.0}, {30: 5.0})
    assert not few.is_enough
    assert "too few to tell: about 25 flares" in few.sentences[1]
    assert "No tightness is logged yet" in held_against({}, {}).sentences[0]


def test_a_ratio_that_only_its_acute_load_moves_does_no_better_than_shuffled_chronic_load() -> None:
    """Chronic load is the same on all days here, so that shuffling it changes nothing: chance does as well, always."""
    found = held_against({20: 2.0, 100: 2.0}, {30: 5.0, 110: 5.0})
    (null,) = found.nulls
    assert (null.rule, null.caught, null.fired) == ("uncoupled_ratio", 2, 2)
    assert null.shuffled_median == null.shuffled_low == null.shuffled_high == 2.0
    assert null.share_as_good == 1.0


def test_a_ratio_that_lives_by_its_chronic_load_beats_the_shuffles() -> None:
    """Acute load is always 50; before each of eight flares alone the chronic load is low."""
    loud = {20 + 20 * i: 2.5 for i in range(8)}
    days = a_year(loud, {day + 5: 5.0 for day in loud})
    days = [replace(d, total=replace(d.total, acute_rolling=50.0), tightness_before=None) for d in days]
    (null,) = backtest(days, assess(days, RULES, "me"), RULES).nulls
    assert null.caught == 8
    assert null.share_as_good < 0.05


def test_the_same_history_gives_the_same_answer() -> None:
    rng = np.random.default_rng(1)
    ratios = {int(d): 2.0 for d in rng.integers(0, 200, 20)}
    tight = {int(d): 5.0 for d in rng.integers(0, 200, 20)}
    assert held_against(ratios, tight) == held_against(ratios, tight)


def test_no_days_give_an_empty_answer() -> None:
    empty = backtest([], [], RULES)
    assert (empty.entries, empty.flares, empty.nulls) == (0, (), ())


@pytest.mark.parametrize(("margin", "flares_needed"), [(0.1, 97), (0.05, 385), (0.2, 25), (0.98, 1)])
def test_the_flares_needed_follow_from_the_margin_as_for_any_share(margin: float, flares_needed: int) -> None:
    """1.96 squared times a quarter over the margin squared, rounded up."""
    assert needed_flares(replace(RULES.backtest, margin=margin)) == flares_needed
