"""What the simulated runner does, and what the watch makes of it, by numbers that are known."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from hamload.records import Array, Streams
from hamload.simulator.athlete import KINDS, Kind, PlannedRun, SimulatedRunner, year_of
from hamload.simulator.recordings import streams_of
from hamload.simulator.truth import Truth, truth_of

_LAST = dt.date(2026, 11, 23)
_RUNNER = SimulatedRunner()
_EVERY_SECOND = replace(_RUNNER, smart_share=0.0)


@pytest.fixture(scope="module")
def year() -> list[tuple[PlannedRun, Truth, Streams]]:
    return [(run, truth_of(_RUNNER, run), streams_of(_RUNNER, run)) for run in year_of(_RUNNER, _LAST)]


def _run(kind: Kind, day: int = 1, minutes: float = 50) -> PlannedRun:
    return PlannedRun(dt.date(2026, 6, day), dt.time(7, 10), kind, minutes)


def _timer_s(time_s: Array, pauses: tuple[tuple[float, float], ...]) -> Array:
    """Return the timer's reading at each time: the clock less the pauses so far."""
    return time_s - sum((np.clip(time_s - stop, 0, to - stop) for stop, to in pauses), np.zeros(len(time_s)))


def test_every_run_takes_about_the_planned_minutes(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    ratios = [len(truth.time_s) / 60 / run.minutes for run, truth, _ in year]
    assert min(ratios) > 0.97
    assert max(ratios) < 1.03


def test_the_distance_is_the_integral_of_the_speed_within_one_per_cent(
    year: list[tuple[PlannedRun, Truth, Streams]],
) -> None:
    for run, truth, streams in year:
        assert np.trapezoid(truth.speed_mps) == pytest.approx(truth.distance_m[-1], rel=0.01), run.stem
        integral = np.trapezoid(streams.speed_mps, _timer_s(streams.time_s, streams.pauses))
        assert integral == pytest.approx(streams.distance_m[-1], rel=0.01), run.stem


def test_distance_and_time_never_go_back(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    for _, truth, streams in year:
        assert np.all(np.diff(truth.time_s) >= 1)
        assert np.all(np.diff(streams.time_s) >= 1)
        assert np.all(np.diff(truth.distance_m) >= 0)
        assert np.all(np.diff(streams.distance_m) >= 0)


def test_speeds_accelerations_and_hearts_are_human(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    for run, truth, streams in year:
        assert np.max(truth.speed_mps) < 6.5, run.stem
        assert 2.2 < np.median(truth.speed_mps) < 4.3, run.stem
        assert np.max(np.abs(np.diff(truth.speed_mps))) < 2.0, run.stem
        assert 0 <= np.min(streams.speed_mps) <= np.max(streams.speed_mps) < 7
        assert 52 <= np.nanmin(streams.heart_rate_bpm) <= np.nanmax(streams.heart_rate_bpm) <= 186
        moving = truth.speed_mps > 1.5
        assert 155 < np.min(truth.cadence_spm[moving]) < np.max(truth.cadence_spm[moving]) < 200


def test_no_run_overlaps_another(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    free_from = dt.datetime.combine(dt.date(2000, 1, 1), dt.time(0))
    for run, truth, _ in year:
        begins = dt.datetime.combine(run.date, run.start)
        assert begins > free_from
        free_from = begins + dt.timedelta(seconds=truth.time_s[-1])


def test_the_spike_is_half_as_long_again_as_the_longest_run_of_thirty_days() -> None:
    for seed in range(4):
        for shift in (0, 1, 3, 5):
            runner, last = SimulatedRunner(seed=seed), _LAST + dt.timedelta(days=shift)
            *before, spike, _ = year_of(runner, last, 33)
            assert (last - spike.date).days == 2
            window = [run for run in before if (spike.date - run.date).days <= 30]
            longest = max(truth_of(runner, run).distance_m[-1] for run in window)
            truth = truth_of(runner, spike)
            assert 1.4 < truth.distance_m[-1] / longest < 1.65
            climbing = np.diff(truth.distance_m, prepend=0.0)[truth.grade >= 0.04]
            assert climbing.sum() / truth.distance_m[-1] > 0.10


def test_no_other_run_of_the_year_is_such_a_spike(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    distances = [(run.date, truth.distance_m[-1]) for run, truth, _ in year]
    for date, distance in distances[20:-2]:
        window = [d for day, d in distances if 0 < (date - day).days <= 30]
        assert distance / max(window) < 1.30, date


@pytest.mark.parametrize("grade", [0.06, 0.08, 0.10])
def test_hill_repetitions_are_run_on_the_planned_grade_and_measured_so(grade: float) -> None:
    runner, run = replace(_EVERY_SECOND, hill_grade=grade), _run("hills")
    truth, streams = truth_of(runner, run), streams_of(runner, run)
    climbs = np.flatnonzero(np.isclose(truth.grade, grade))
    repetitions = np.split(climbs, np.flatnonzero(np.diff(climbs) > 1) + 1)
    assert len(repetitions) >= 4
    for rows in repetitions:
        inside = rows[2:-2]
        exact = np.polyfit(truth.distance_m[inside], truth.altitude_m[inside], 1)[0]
        assert exact == pytest.approx(grade, abs=1e-9)
        times = truth.time_s[inside]
        seen = np.isin(streams.time_s, times)
        measured = np.polyfit(streams.distance_m[seen], streams.altitude_m[seen], 1)[0]
        assert measured == pytest.approx(grade, abs=0.006)


def test_the_runner_comes_home_to_the_height_and_place_they_left() -> None:
    for kind in KINDS:
        if kind == "treadmill":
            continue
        truth = truth_of(_RUNNER, _run(kind))
        assert truth.altitude_m[-1] == pytest.approx(_RUNNER.home.altitude_m, abs=0.2)
        assert truth.latitude_deg[-1] == pytest.approx(_RUNNER.home.latitude_deg, abs=5e-5)
        assert truth.longitude_deg[-1] == pytest.approx(_RUNNER.home.longitude_deg, abs=5e-5)


def test_the_way_on_the_map_is_as_long_as_the_distance_run() -> None:
    truth = truth_of(_RUNNER, _run("easy"))
    north = np.radians(np.diff(truth.latitude_deg))
    east = np.radians(np.diff(truth.longitude_deg)) * np.cos(np.radians(_RUNNER.home.latitude_deg))
    assert np.sum(6_371_000 * np.hypot(north, east)) == pytest.approx(truth.distance_m[-1], rel=0.01)


def test_climbing_is_slower_than_level_running_at_the_same_effort() -> None:
    truth = truth_of(_RUNNER, replace(_run("long", minutes=90), road="hilly"))
    climbing, level = truth.speed_mps[truth.grade > 0.04], truth.speed_mps[truth.grade == 0]
    assert 0.72 < np.median(climbing) / np.median(level) < 0.88


def test_the_heart_follows_a_hill_late_and_drifts_upward_on_a_long_run() -> None:
    truth = truth_of(_RUNNER, _run("long", minutes=100))
    early, late = truth.heart_rate_bpm[900:1500].mean(), truth.heart_rate_bpm[-900:-300].mean()
    assert 3 < late - early < 15


def test_red_lights_stop_the_timer_and_nothing_is_recorded_in_between(
    year: list[tuple[PlannedRun, Truth, Streams]],
) -> None:
    counts = [len(truth.pauses) for run, truth, _ in year if run.kind not in {"treadmill", "race"}]
    assert set(counts) == {0, 1, 2, 3}
    for run, truth, streams in year:
        assert streams.pauses == truth.pauses
        assert truth.time_s[-1] == len(truth.time_s) - 1 + sum(to - stop for stop, to in truth.pauses)
        for stop, to in streams.pauses:
            assert 15 <= to - stop <= 70
            assert not np.any((streams.time_s > stop) & (streams.time_s <= to)), run.stem
            before, after = np.searchsorted(streams.time_s, [stop, to + 1])
            assert (streams.time_s[before], streams.time_s[after]) == (stop, to + 1)
            assert streams.speed_mps[before] < 1.8
            assert streams.distance_m[after] - streams.distance_m[before] < 2


def test_a_treadmill_knows_its_incline_and_neither_place_nor_height() -> None:
    streams = streams_of(_RUNNER, _run("treadmill"))
    assert np.all(np.isnan(streams.altitude_m))
    assert np.all(np.isnan(streams.latitude_deg))
    assert np.all(streams.incline == 0.01)
    assert np.all(np.isnan(streams_of(_RUNNER, _run("easy")).incline))


def test_smart_recording_thins_some_runs_out_and_skips_at_most_eight_seconds() -> None:
    smart, usual = replace(_RUNNER, smart_share=1.0), _EVERY_SECOND
    gaps = []
    for day in range(1, 16):
        run = _run("easy", day)
        thin, full = streams_of(smart, run), streams_of(usual, run)
        assert len(thin) < 0.35 * len(full)
        assert thin.distance_m[-1] == full.distance_m[-1]
        assert np.isin(thin.time_s, truth_of(_RUNNER, run).time_s).all()
        gaps.append(np.max(np.diff(_timer_s(thin.time_s, thin.pauses))))
    assert np.median(gaps) == 8


def test_about_the_named_share_of_the_year_is_thinned_out(year: list[tuple[PlannedRun, Truth, Streams]]) -> None:
    thinned = np.mean([len(streams) < 0.5 * len(truth.time_s) for _, truth, streams in year])
    assert 0.08 < thinned < 0.22


def test_now_and_then_a_sensor_fails_and_leaves_a_gap_never_a_nought(
    year: list[tuple[PlannedRun, Truth, Streams]],
) -> None:
    outdoors = [streams for run, _, streams in year if run.kind != "treadmill"]
    without_pulse = [s for s in outdoors if np.any(np.isnan(s.heart_rate_bpm))]
    without_sky = [s for s in outdoors if np.any(np.isnan(s.latitude_deg[10:]))]
    frozen = [s for s in outdoors if np.max(np.diff(_timer_s(s.time_s, s.pauses))) >= 12]
    for failing in (without_pulse, without_sky, frozen):
        assert 0.01 < len(failing) / len(outdoors) < 0.15
    assert not any(np.any(streams.heart_rate_bpm == 0) for streams in outdoors)


def test_the_barometer_drifts_by_metres_and_shakes_by_decimetres() -> None:
    run = _run("easy")
    truth, streams = truth_of(_EVERY_SECOND, run), streams_of(_EVERY_SECOND, run)
    error = streams.altitude_m - truth.altitude_m[np.isin(truth.time_s, streams.time_s)]
    assert np.max(np.abs(error)) < 20
    assert 0.08 < np.std(np.diff(error)) / np.sqrt(2) < 0.25


def test_another_day_or_seed_is_another_run() -> None:
    first = streams_of(_RUNNER, _run("easy", 1))
    for other in (streams_of(_RUNNER, _run("easy", 2)), streams_of(SimulatedRunner(seed=2), _run("easy", 1))):
        n = min(len(first), len(other))
        assert not np.array_equal(first.altitude_m[:n], other.altitude_m[:n])
