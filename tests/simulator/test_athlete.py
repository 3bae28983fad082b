"""The plan: a year that looks like a runner's, ends in a spike, and in which no day hangs on another's chance."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hamload.simulator.athlete import (
    KINDS,
    Episode,
    Fixture,
    PlannedRun,
    Season,
    SimulatedRunner,
    Workout,
    start_of,
    year_of,
)

_LAST = dt.date(2026, 11, 23)
_RUNNER = SimulatedRunner()


def _days_before(run: PlannedRun) -> int:
    return (_LAST - run.date).days


def test_the_same_runner_plans_the_same_year_and_another_seed_another() -> None:
    assert year_of(_RUNNER, _LAST) == year_of(SimulatedRunner(), _LAST)
    assert year_of(_RUNNER, _LAST) != year_of(SimulatedRunner(seed=2), _LAST)


@pytest.mark.parametrize("seed", range(5))
def test_a_year_holds_some_two_hundred_and_thirty_runs_of_every_kind(seed: int) -> None:
    runs = year_of(SimulatedRunner(seed=seed), _LAST)
    assert 220 <= len(runs) <= 255
    assert set(Counter(run.kind for run in runs)) == set(KINDS)
    assert _LAST - dt.timedelta(days=364) <= runs[0].date
    assert 38 <= np.mean([run.minutes for run in runs]) <= 50


@pytest.mark.parametrize("seed", range(5))
def test_the_holiday_is_a_real_gap_that_stays_below_two_weeks(seed: int) -> None:
    runs = year_of(SimulatedRunner(seed=seed), _LAST)
    gaps = [(after.date - before.date).days - 1 for before, after in pairwise(runs)]
    assert 9 <= max(gaps) < 14
    assert sorted(gaps)[-2] <= 4


def test_nobody_runs_in_the_holiday() -> None:
    assert not [run for run in year_of(_RUNNER, _LAST) if 141 < _days_before(run) <= 150]


def test_every_fourth_week_is_shorter_and_has_no_hard_run() -> None:
    runs = [run for run in year_of(_RUNNER, _LAST) if 7 <= _days_before(run) < 126 and _days_before(run) != 75]
    weeks = {
        week: sum(run.minutes for run in runs if _days_before(run) // 7 == week)
        for week in {_days_before(run) // 7 for run in runs}
    }
    recovery = [minutes for week, minutes in weeks.items() if week % 4 == 3]
    usual = [minutes for week, minutes in weeks.items() if week % 4 != 3]
    assert len(recovery) == 4
    assert np.mean(recovery) < 0.75 * np.mean(usual)
    hard = {run.kind for run in runs if _days_before(run) // 7 % 4 == 3} - {"easy", "long", "treadmill"}
    assert hard == set()


def test_long_runs_grow_slowly_over_the_year() -> None:
    weeks_of_work = [
        run for run in year_of(_RUNNER, _LAST) if run.kind == "long" and not Season().is_recovery(_days_before(run))
    ]
    first, last = weeks_of_work[:8], weeks_of_work[-9:-1]
    growth = np.mean([run.minutes for run in last]) / np.mean([run.minutes for run in first])
    assert 1.10 < growth < 1.30


def test_the_last_week_packs_three_hard_days_close_and_then_rests() -> None:
    week = [run for run in year_of(_RUNNER, _LAST) if _days_before(run) < 7]
    assert [(_days_before(run), run.kind, run.road) for run in week] == [
        (6, "easy", "rolling"),
        (4, "intervals", "flat"),
        (3, "hills", "rolling"),
        (2, "long", "hilly"),
        (1, "easy", "rolling"),
    ]
    hills, long = week[2], week[3]
    assert start_of(_RUNNER, long) - start_of(_RUNNER, hills) < dt.timedelta(hours=48)


def test_a_week_that_is_dropped_leaves_every_other_day_as_it_was() -> None:
    away = replace(_RUNNER.season, episodes=(*_RUNNER.season.episodes, Episode(60, 7, 0.0)))
    usual, without = year_of(_RUNNER, _LAST), year_of(replace(_RUNNER, season=away), _LAST)
    assert len(without) < len(usual)
    assert without == [run for run in usual if not 53 < _days_before(run) <= 60]


def test_an_episode_replaces_kind_and_road_and_stretches_the_minutes() -> None:
    plain = replace(_RUNNER, season=Season(first_scale=1.0, recovery_every=0, skipped_share=0, treadmill_share=0))
    hilly = replace(plain, season=replace(plain.season, episodes=(Episode(20, 7, 1.5, "hills", "hilly"),)))
    for before, after in zip(year_of(plain, _LAST, 28), year_of(hilly, _LAST, 28), strict=True):
        if 13 < _days_before(before) <= 20:
            assert (after.kind, after.road) == ("hills", "hilly")
            assert after.minutes == pytest.approx(1.5 * before.minutes, abs=0.2)
        else:
            assert after == before


def test_a_fixture_wins_over_week_and_season() -> None:
    season = Season(fixtures=(Fixture(0, Workout("race", 240, dt.time(9, 0))), Fixture(1, None)), skipped_share=1.0)
    runs = year_of(SimulatedRunner(season=season), _LAST, 2)
    assert [(run.date, run.kind) for run in runs] == [(_LAST, "race")]
    assert 220 <= runs[0].minutes <= 260


def test_clocks_that_change_move_the_utc_start_by_an_hour() -> None:
    summer = PlannedRun(dt.date(2026, 7, 1), dt.time(7, 10), "easy", 40)
    winter = PlannedRun(dt.date(2026, 12, 1), dt.time(7, 10), "easy", 40)
    assert start_of(_RUNNER, summer).isoformat() == "2026-07-01T05:10:00+00:00"
    assert start_of(_RUNNER, winter).isoformat() == "2026-12-01T06:10:00+00:00"


def test_a_run_is_named_by_its_local_start_and_kind() -> None:
    assert PlannedRun(dt.date(2026, 3, 14), dt.time(7, 10), "easy", 40).stem == "2026-03-14-0710-easy"
