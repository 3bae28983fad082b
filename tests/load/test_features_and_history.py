import datetime as dt
import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import settings
from hamload.load import (
    History,
    LoadModel,
    PastRun,
    RunFeatures,
    athlete_before,
    easy_speed,
    features,
    quantile_of,
    summary_features,
    thresholds_before,
    with_loads_before,
)
from hamload.load.histogram import histogram
from hamload.records import Samples

MODEL = settings.defaults()[0]
START = dt.datetime(2024, 3, 1, 7, tzinfo=dt.UTC)
type Run = Callable[..., Samples]


def _past(day: float, *, minutes: float = 45, mps: float = 2.8, graded: bool = True, **facts: object) -> PastRun:
    speed = histogram(np.array([mps]), np.array([60.0 * minutes]))
    empty = np.empty(0)
    what = RunFeatures(
        moving_time_s=60 * minutes,
        distance_m=60 * minutes * mps,
        climb_m=5.0 if graded else None,
        climb_m_per_km=5.0 if graded else None,
        hill_distance_share=0.0 if graded else None,
        ungraded_distance_share=0.0 if graded else 1.0,
        best_10s_mps=mps + 1,
        fast_s=speed,
        flat_s=speed if graded else empty,
        ungraded_s=empty if graded else speed,
    )
    run = PastRun(START + dt.timedelta(days=day), what, load_efm=minutes, mean_demand=1.0)
    return replace(run, **facts)  # type: ignore[arg-type]


def test_a_run_leaves_behind_what_can_be_counted_by_hand(run: Run, model: LoadModel) -> None:
    found = features(run((600, 2.5, 0.0), (100, 5.0, 0.0), (300, 2.0, 0.05), (60, 0.2, 0.0)), model)
    assert found.moving_time_s == 1000
    assert found.distance_m == pytest.approx(1500 + 500 + 600 + 12)
    assert found.climb_m == pytest.approx(30)
    assert found.climb_m_per_km == pytest.approx(30 / 2.6)
    assert found.hill_distance_share == pytest.approx(600 / 2600)
    assert found.best_10s_mps == pytest.approx(5.0)
    assert found.flat_s.sum() == pytest.approx(700)
    assert quantile_of(found.flat_s, 0.5) == pytest.approx(2.5, abs=0.01)
    assert found.fast_s.sum() == pytest.approx(1000)
    assert found.ungraded_s.sum() == 0


def test_features_survive_storage(run: Run, model: LoadModel) -> None:
    for samples in (run((600, 2.5, 0.0), (100, 5.0, 0.03)), run((60, 2.5, math.nan))):
        found = features(samples, model)
        again = RunFeatures.from_record(json.loads(json.dumps(found.as_record())))
        assert {k: list(v) if isinstance(v, np.ndarray) else v for k, v in asdict(again).items()} == found.as_record()


def test_noise_on_the_flat_is_no_climb(model: LoadModel) -> None:
    """A barometer's grade error of 0.3 % (1 sigma) over 10 km: adding up its positive half would give 12 m."""
    grade = np.random.default_rng(3).normal(0, 0.003, 3600)
    samples = Samples.of(np.arange(3600.0), speed_mps=np.full(3600, 2.8), grade=grade)
    climb_m = features(samples, model).climb_m
    assert climb_m is not None
    assert climb_m < 0.2


def test_a_glitch_at_a_stop_is_no_best_speed(run: Run, model: LoadModel) -> None:
    """Three fast seconds between two stops are not ten."""
    assert features(run((60, 0.1, 0.0), (3, 9.0, 0.0), (60, 0.1, 0.0)), model).best_10s_mps is None


@given(st.lists(st.tuples(st.integers(31, 400), st.floats(1.0, 6.0)), min_size=1, max_size=6))
def test_thinned_sampling_leaves_the_same_features(legs: list[tuple[int, float]]) -> None:
    speed = np.repeat([v for _, v in legs], [n for n, _ in legs])
    whole = Samples.of(np.arange(float(len(speed))), speed_mps=speed, grade=np.zeros(len(speed)))
    keep = np.flatnonzero(np.diff(speed, prepend=-1) != 0)
    thin = Samples.of(
        keep.astype(float), dt_s=np.diff(keep, append=len(speed)), speed_mps=speed[keep], grade=np.zeros(len(keep))
    )
    a, b = features(whole, MODEL), features(thin, MODEL)
    assert a.moving_time_s == b.moving_time_s
    assert a.distance_m == pytest.approx(b.distance_m)
    np.testing.assert_allclose(a.flat_s, b.flat_s)


def test_fewer_than_eight_runs_say_nothing_about_what_is_usual(model: LoadModel) -> None:
    athlete = athlete_before(START + dt.timedelta(days=20), [_past(d, minutes=90) for d in range(7)], 2.8, model)
    assert athlete.runs == 7
    assert athlete.typical_time_s == 2700
    unknown = (
        athlete.fast_mps,
        athlete.very_fast_mps,
        athlete.climb_m_per_km,
        athlete.long_time_s,
        athlete.median_time_s,
        athlete.longest_30d_m,
        athlete.high_load_efm,
        athlete.median_demand,
        athlete.best_10s_mps,
    )
    assert unknown == (None,) * 9


def test_eight_runs_give_every_threshold(model: LoadModel) -> None:
    past = [_past(d, minutes=30 + 5 * d, mps=2.5 + d / 10) for d in range(8)]
    athlete = athlete_before(START + dt.timedelta(days=20), past, 2.6, model)
    assert athlete.easy_speed_mps == 2.6
    assert athlete.median_time_s == 60 * 47.5
    assert athlete.typical_time_s == 60 * 47.5
    assert athlete.long_time_s == pytest.approx(60 * 58)  # numpy's linear P80 of 30, 35, ..., 65
    assert athlete.high_load_efm == pytest.approx(58)
    assert athlete.longest_30d_m == pytest.approx(65 * 60 * 3.2)
    assert athlete.best_10s_mps == pytest.approx(4.2)
    # 380 min in all; the fastest run (3.2 m/s) fills the last 65 of them: P90 and P98 lie in it.
    assert athlete.fast_mps == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize(("minutes", "typical"), [(20, 1800), (50, 3000), (120, 4500)])
def test_the_typical_time_is_clipped(minutes: float, typical: float, model: LoadModel) -> None:
    athlete = athlete_before(START + dt.timedelta(days=9), [_past(d, minutes=minutes) for d in range(9)], 2.8, model)
    assert athlete.typical_time_s == typical
    assert athlete.median_time_s == 60 * minutes


def test_only_the_ninety_days_before_count_and_for_the_longest_the_thirty(model: LoadModel) -> None:
    past = [_past(-1, minutes=300), *[_past(d) for d in range(10)], _past(50, minutes=100), _past(85, minutes=70)]
    athlete = athlete_before(START + dt.timedelta(days=90), past, 2.8, model)
    assert athlete.runs == 12  # the run of 91 days ago is out, the one of exactly 90 is in
    assert athlete.longest_30d_m == pytest.approx(70 * 60 * 2.8)


def test_neither_the_run_itself_nor_a_later_one_nor_an_uncounted_one_is_looked_at(model: LoadModel) -> None:
    before = [_past(d) for d in range(10)]
    when = START + dt.timedelta(days=10)
    uncounted = replace(_past(9.5, minutes=300, mps=9.0), is_counted=False)
    assert athlete_before(
        when, [*before, uncounted, _past(10, minutes=300, mps=9.0), _past(11, mps=9.0)], 2.8, model
    ) == (athlete_before(when, before, 2.8, model))


def test_runs_without_altitude_or_streams_count_only_where_they_say_something(model: LoadModel) -> None:
    bare = [replace(_past(d), features=summary_features(2700, 7560.0)) for d in range(5)]
    flat = [_past(5 + d, graded=False) for d in range(5)]
    athlete = athlete_before(START + dt.timedelta(days=20), bare + flat, 2.8, model)
    assert athlete.runs == 10
    assert athlete.median_time_s == 2700
    assert athlete.longest_30d_m == pytest.approx(7560)
    assert (athlete.climb_m_per_km, athlete.fast_mps, athlete.best_10s_mps) == (None, None, None)


def test_a_past_out_of_order_and_a_naive_time_are_refused(model: LoadModel) -> None:
    with pytest.raises(ValueError, match="order"):
        athlete_before(START, [_past(1), _past(0)], 2.8, model)
    with pytest.raises(ValueError, match="time zone"):
        athlete_before(START.replace(tzinfo=None), [], 2.8, model)


def test_a_history_that_grows_run_by_run_says_what_the_plain_list_says(model: LoadModel) -> None:
    rng = np.random.default_rng(1)
    speeds = histogram(rng.normal(2.9, 0.4, 3000), np.ones(3000))
    known = replace(_past(0).features, fast_s=speeds, flat_s=speeds)
    past = [
        replace(
            _past(1.2 * k),
            features=replace(known, best_10s_mps=None if k % 3 == 0 else float(rng.uniform(3, 6))),
            is_counted=k % 7 > 0,
        )
        for k in range(120)
    ]
    history = History()
    for k, one in enumerate(past):
        assert athlete_before(one.start_at, history, 2.8, model) == athlete_before(one.start_at, past[:k], 2.8, model)
        # What began later, or at the same moment, is not looked at.
        assert athlete_before(one.start_at, History(past), 2.8, model) == athlete_before(
            one.start_at, past[:k], 2.8, model
        )
        history.add(one)
    assert len(history) == 120
    with pytest.raises(ValueError, match="order"):
        history.add(past[0])


def test_the_easy_speed_is_the_median_of_the_first_six_weeks(model: LoadModel) -> None:
    past = [_past(0, minutes=60, mps=2.6), _past(41, minutes=40, mps=3.0), _past(42, minutes=600, mps=4.0)]
    last_day = START.date() + dt.timedelta(days=41)
    found = easy_speed(past, model.easy_speed, last_day + dt.timedelta(days=1))
    assert found.mps == pytest.approx(2.6, abs=0.01)
    assert (found.is_final, found.until, found.flat_s) == (True, last_day, 6000)
    on_its_last_day = easy_speed(past, model.easy_speed, last_day)
    assert (on_its_last_day.is_final, on_its_last_day.until) == (False, None)


def test_before_any_run_the_easy_speed_is_the_default_and_provisional(model: LoadModel) -> None:
    found = easy_speed([], model.easy_speed, START.date())
    assert (found.mps, found.is_final, found.until, found.flat_s) == (2.8, False, None, 0)


def test_the_window_grows_day_by_day_until_there_is_an_hour_of_flat(model: LoadModel) -> None:
    past = [_past(0, minutes=20, mps=2.5), _past(60, minutes=20, mps=2.5), _past(70, minutes=30, mps=2.7)]
    past.append(_past(80, minutes=600, mps=4.0))
    day = START.date()
    assert not easy_speed(past, model.easy_speed, day + dt.timedelta(days=70)).is_final
    found = easy_speed(past, model.easy_speed, day + dt.timedelta(days=71))
    assert (found.is_final, found.until) == (True, day + dt.timedelta(days=70))
    assert found.mps == pytest.approx(2.5, abs=0.01)


def test_a_watch_without_altimeter_gives_an_easy_speed_too(model: LoadModel) -> None:
    past = [_past(d, mps=2.9, graded=False) for d in range(3)]
    found = easy_speed(past, model.easy_speed, START.date() + dt.timedelta(days=60))
    assert found.is_final
    assert found.mps == pytest.approx(2.9, abs=0.01)


def test_where_the_flat_is_known_unknown_grades_say_nothing(model: LoadModel) -> None:
    past = [_past(0, minutes=61, mps=2.6), *[_past(d, minutes=90, mps=3.5, graded=False) for d in range(1, 4)]]
    assert easy_speed(past, model.easy_speed, START.date()).mps == pytest.approx(2.6, abs=0.01)
    assert easy_speed(past, model.easy_speed, START.date() + dt.timedelta(days=60)).mps == pytest.approx(2.6, abs=0.01)


def test_unknown_grades_count_as_flat_only_where_most_of_the_running_has_none(model: LoadModel) -> None:
    mostly_known = [_past(0, minutes=50, mps=2.6), _past(1, minutes=40, mps=3.5, graded=False)]
    found = easy_speed(mostly_known, model.easy_speed, START.date() + dt.timedelta(days=60))
    assert (found.is_final, found.flat_s) == (False, 3000)
    mostly_unknown = [*mostly_known, _past(2, minutes=20, mps=3.5, graded=False)]
    found = easy_speed(mostly_unknown, model.easy_speed, START.date() + dt.timedelta(days=60))
    assert (found.is_final, found.flat_s) == (True, 6600)


runs_of_a_history = st.lists(
    st.builds(
        _past,
        st.integers(0, 120),
        minutes=st.integers(1, 100),
        mps=st.integers(15, 45).map(lambda tenths: tenths / 10),
        graded=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(runs_of_a_history, runs_of_a_history, st.integers(0, 200), st.integers(0, 400))
def test_once_final_the_easy_speed_never_changes(
    past: list[PastRun], later: list[PastRun], as_of: int, days_on: int
) -> None:
    today = START.date() + dt.timedelta(days=as_of)
    found = easy_speed(past, MODEL.easy_speed, today)
    if not found.is_final:
        return
    assert found.until is not None
    assert found.until < today
    known = [run for run in past if run.start_at.date() <= today]
    shifted = [replace(run, start_at=run.start_at + dt.timedelta(days=as_of)) for run in later]
    again = easy_speed(known + shifted, MODEL.easy_speed, today + dt.timedelta(days=days_on))
    assert again == found


@given(runs_of_a_history, st.integers(0, 130))
def test_the_order_in_which_runs_arrive_does_not_matter(past: list[PastRun], as_of: int) -> None:
    today = START.date() + dt.timedelta(days=as_of)
    there, back = (easy_speed(runs, MODEL.easy_speed, today) for runs in (past, past[::-1]))
    assert (there.is_final, there.until) == (back.is_final, back.until)
    assert there.mps == pytest.approx(back.mps)


def test_runs_of_the_hour_that_is_repeated_in_autumn_are_in_the_order_in_which_they_were_run(model: LoadModel) -> None:
    """The clock shows 2:50 before it shows 2:40 once more."""
    zone = ZoneInfo("Europe/Vienna")
    first, second = (
        replace(_past(0), start_at=dt.datetime(2026, 10, 25, hour, minute, tzinfo=dt.UTC).astimezone(zone))
        for hour, minute in ((0, 50), (1, 40))
    )
    assert first.start_at.replace(tzinfo=None) > second.start_at.replace(tzinfo=None)
    history = History([first, second])
    assert history.before(second.start_at) == [first]
    assert athlete_before(second.start_at, [first, second], 2.8, model).runs == 1
    with pytest.raises(ValueError, match="not in order"):
        History([second, first])


def test_what_waits_for_loads_is_two_thresholds_and_nothing_else(model: LoadModel) -> None:
    past = [_past(day) for day in range(12)]
    when = START + dt.timedelta(days=20)
    whole, bare = athlete_before(when, past, 2.8, model), thresholds_before(when, History(past), 2.8, model)
    assert (bare.high_load_efm, bare.median_demand) == (None, None)
    assert whole.high_load_efm is not None
    assert replace(whole, high_load_efm=None, median_demand=None) == bare
    assert with_loads_before(bare, when, History(past), model) == whole
    for asked in (History(past).before, lambda at: History(past).best_10s_before(at, 1)):
        with pytest.raises(ValueError, match="no time zone"):
            asked(when.replace(tzinfo=None))
