"""Cleaning: where every second of the clock goes, and which speed is believed."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload import settings as hamload_settings
from hamload.decode import clean, limit_speed
from hamload.parameters import Signal
from hamload.records import AltitudeSource, Recording, Samples, SignalQuality, Sport, Streams

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
NORTH_M_PER_DEG = 6371008.8 * np.pi / 180


def run(time_s: Any, sport: Sport = Sport.RUN, **channels: Any) -> Recording:
    return Recording(
        sport=sport,
        start_at=START,
        reader="test",
        streams=Streams.of(time_s, **channels),
        altitude_source=AltitudeSource.BAROMETER,
    )


def accounted(quality: SignalQuality) -> float:
    return quality.used_s + quality.paused_s + quality.lost_s + quality.dropped_s


def test_a_steady_run_comes_out_as_it_went_in(signal: Signal) -> None:
    time = np.arange(0, 601.0)
    samples, quality = clean(
        run(time, speed_mps=np.full(601, 3.0), distance_m=3 * time, altitude_m=0.05 * 3 * time), signal
    )
    assert len(samples) == 600
    assert samples.speed_mps == pytest.approx(3.0)
    assert samples.grade == pytest.approx(0.05)
    assert samples.distance_m == pytest.approx(samples.time_s * 3)
    assert quality == SignalQuality("device", AltitudeSource.BAROMETER, 600, 0, 0, 0, 0, 0, 1)


def test_the_last_row_of_a_stretch_is_shorter(signal: Signal) -> None:
    samples, _ = clean(run([0.0, 1.0, 2.4], speed_mps=[2.0, 2.0, 2.0]), signal)
    assert samples.dt_s == pytest.approx([1, 1, 0.4])


def test_a_timer_stop_is_paused_time_and_nothing_is_drawn_across_it(signal: Signal) -> None:
    time = np.concatenate([np.arange(0, 61.0), np.arange(360, 421.0)])
    streams: dict[str, Any] = {
        "speed_mps": np.full(122, 3.0),
        "distance_m": np.concatenate([3 * np.arange(61.0), 180 + 3 * np.arange(61.0)]),
    }
    samples, quality = clean(run(time, pauses=((60.0, 360.0),), **streams), signal)
    assert (quality.used_s, quality.paused_s, quality.lost_s) == (120, 300, 0)
    assert not np.any((samples.time_s > 59.5) & (samples.time_s < 360))
    assert samples.distance_m[-1] == pytest.approx(357)


def test_records_within_a_pause_count_nothing(signal: Signal) -> None:
    """Some watches go on recording while the timer stands."""
    time = np.arange(0, 121.0)
    _, quality = clean(run(time, speed_mps=np.full(121, 3.0), pauses=((30.0, 90.0),)), signal)
    assert (quality.used_s, quality.paused_s) == (60, 60)


@pytest.mark.parametrize(
    ("gap_s", "speed_in_gap", "used", "lost"),
    [(10, 0.0, 130, 0), (24, 3.0, 144, 0), (24, 0.2, 120, 24), (26, 3.0, 120, 26)],
)
def test_a_gap_is_drawn_bridged_or_lost(
    signal: Signal, gap_s: float, speed_in_gap: float, used: float, lost: float
) -> None:
    """Up to 10 s always, up to 25 s where distance advanced, else lost; never rest."""
    time = np.concatenate([np.arange(0, 61.0), 60 + gap_s + np.arange(0, 61.0)])
    moved = np.concatenate([3 * np.arange(61.0), 180 + speed_in_gap * gap_s + 3 * np.arange(61.0)])
    samples, quality = clean(run(time, speed_mps=np.full(122, 3.0), distance_m=moved), signal)
    assert (quality.used_s, quality.lost_s) == (used, lost)
    assert quality.interpolated_s == pytest.approx(gap_s - 1 if not lost else 0)
    assert samples.speed_mps.min() > 2.9


def test_a_dead_speed_sensor_does_not_win_over_distance(signal: Signal) -> None:
    time = np.arange(0, 301.0)
    for dead in (np.zeros(301), np.full(301, np.nan), np.full(301, 65.535)):
        samples, quality = clean(run(time, speed_mps=dead, distance_m=2.5 * time), signal)
        assert quality.speed_source == "distance"
        assert samples.speed_mps == pytest.approx(2.5)


def test_standing_still_is_kept_as_such(signal: Signal) -> None:
    """Device speed 0 while distance stands: a sample of 0 m/s, not a lost one."""
    time = np.arange(0, 61.0)
    samples, quality = clean(run(time, speed_mps=np.zeros(61), distance_m=np.zeros(61)), signal)
    assert quality.used_s == 60
    assert np.all(samples.speed_mps == 0)


def test_positions_give_speed_where_nothing_else_does(signal: Signal) -> None:
    time = np.arange(0, 301.0)
    north = 48 + 3 * time / NORTH_M_PER_DEG
    samples, quality = clean(run(time, latitude_deg=north, longitude_deg=np.full(301, 16.0)), signal)
    assert quality.speed_source == "positions"
    assert samples.speed_mps == pytest.approx(3.0, rel=1e-6)


def test_positions_at_null_island_are_missing_positions(signal: Signal) -> None:
    time = np.arange(0, 301.0)
    north = 48 + 3 * time / NORTH_M_PER_DEG
    east = np.full(301, 16.0)
    north[100:103], east[100:103] = 0.0, 0.0
    samples, quality = clean(run(time, latitude_deg=north, longitude_deg=east), signal)
    assert samples.speed_mps == pytest.approx(3.0, rel=1e-6)
    assert quality.used_s == 300


@pytest.mark.parametrize("height", [9.0, 12.0, 40.0])
@pytest.mark.parametrize("length", [1, 2, 6])
def test_a_spike_leaves_no_trace(signal: Signal, height: float, length: int) -> None:
    """Faster than 10 m/s, or there and back with an impossible acceleration: drawn over."""
    speed = np.full(301, 3.0)
    speed[150 : 150 + length] = height
    samples, quality = clean(run(np.arange(0, 301.0), speed_mps=speed), signal)
    assert samples.speed_mps.max() < 3.7
    assert quality.used_s == 300


def test_a_long_implausible_stretch_is_dropped_not_drawn_over(signal: Signal) -> None:
    """A minute in a car: neither load nor rest."""
    speed = np.full(301, 3.0)
    speed[100:160] = 20.0
    samples, quality = clean(run(np.arange(0, 301.0), speed_mps=speed), signal)
    assert quality.dropped_s == pytest.approx(60, abs=1.01)
    assert samples.speed_mps.max() < 10


def test_ten_second_strides_stay_visible(signal: Signal) -> None:
    speed = np.full(301, 2.8)
    speed[100:120] = 6.0
    samples, _ = clean(run(np.arange(0, 301.0), speed_mps=speed), signal)
    assert samples.speed_mps.max() > 5.9


def test_duplicate_rows_are_joined_and_backward_ones_left_out(signal: Signal) -> None:
    """Some apps write a row for each sensor: the speed of the one and the distance of the other belong together."""
    time = np.repeat(np.arange(0, 61.0), 2)
    is_odd = np.arange(122) % 2 == 1
    speed = np.where(is_odd, 3.0, np.nan)
    distance = np.where(is_odd, np.nan, 3 * time)
    samples, quality = clean(run(time, speed_mps=speed, distance_m=distance), signal)
    assert quality.used_s == 60
    assert samples.speed_mps == pytest.approx(3.0)
    assert samples.distance_m == pytest.approx(samples.time_s * 3)


def test_a_treadmill_has_its_own_incline_or_none(signal: Signal) -> None:
    time = np.arange(0, 121.0)
    channels = {"speed_mps": np.full(121, 3.0), "altitude_m": 0.3 * time}
    flat, _ = clean(run(time, Sport.TREADMILL, **channels), signal)
    hilly, _ = clean(run(time, Sport.TREADMILL, incline=np.full(121, 0.06), **channels), signal)
    assert np.all(flat.grade == 0)
    assert hilly.grade == pytest.approx(0.06)


def test_no_altitude_means_no_grade_never_zero(signal: Signal) -> None:
    time = np.arange(0, 121.0)
    for altitude in (np.full(121, np.nan), np.zeros(121), np.full(121, -500.0)):
        samples, quality = clean(run(time, speed_mps=np.full(121, 3.0), altitude_m=altitude), signal)
        assert np.all(np.isnan(samples.grade))
        assert quality.altitude_source is AltitudeSource.NONE
        assert quality.altitude_coverage == 0


def test_an_altitude_jump_in_a_stop_is_no_slope(signal: Signal) -> None:
    """A lift, or a barometer set anew, between two halves on the level."""
    time = np.concatenate([np.arange(0, 301.0), 900 + np.arange(0, 301.0)])
    distance = np.concatenate([3 * np.arange(301.0), 900 + 3 * np.arange(301.0)])
    altitude = np.where(time < 600, 200.0, 260.0)
    samples, _ = clean(run(time, distance_m=distance, altitude_m=altitude, pauses=((300.0, 900.0),)), signal)
    assert samples.grade == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "recording",
    [
        replace(run([0.0]), streams=None),
        run([]),
        run([5.0], speed_mps=[3.0]),
        run([0.0, 1.0]),
        run([0.0, 0.0, 0.0], speed_mps=[3.0, 3.0, 3.0]),
        run(np.arange(60.0), latitude_deg=np.zeros(60), longitude_deg=np.zeros(60)),
        run([0.0, 86_400.0], speed_mps=[3.0, 3.0], distance_m=[0.0, 5.0]),
    ],
)
def test_what_says_nothing_gives_nothing(signal: Signal, recording: Recording) -> None:
    samples, quality = clean(recording, signal)
    assert len(samples) == 0
    assert quality.used_s == 0
    assert quality.speed_source in {"none", "device"}


def test_two_points_are_a_run_of_their_own_length(signal: Signal) -> None:
    samples, quality = clean(run([0.0, 4.0], distance_m=[0.0, 12.0]), signal)
    assert samples.speed_mps == pytest.approx([3, 3, 3, 3])
    assert quality.used_s == 4


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Whatever a device may write: gaps, duplicates, holes, nonsense."""
    count = draw(st.integers(0, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    waits = rng.choice([0.0, 0.5, 1.0, 1.0, 1.0, 4.0, 8.0, 15.0, 40.0, 90_000.0], count)
    time = np.cumsum(waits)
    if draw(st.booleans()):
        time = rng.permutation(time)

    def channel(values: Any) -> Any:
        values = np.where(rng.random(count) < draw(st.sampled_from([0.0, 0.3, 1.0])), np.nan, values)
        return values if draw(st.booleans()) else None

    steps = rng.uniform(0, 8, count) * waits
    ends = np.sort(rng.uniform(0, float(time.max(initial=1.0)), 2 * draw(st.integers(0, 3))))
    return run(
        time,
        sport=draw(st.sampled_from([Sport.RUN, Sport.TREADMILL])),
        pauses=tuple((float(a), float(b)) for a, b in zip(ends[::2], ends[1::2], strict=True)),
        speed_mps=channel(rng.choice([0.0, 2.5, 3.0, 12.0, 65.535, -1.0], count)),
        distance_m=channel(np.cumsum(steps) - rng.choice([0, 0, 500.0], count)),
        altitude_m=channel(rng.normal(300, 5, count)),
        latitude_deg=channel(rng.choice([0.0, 48.0, 48.0001, 200.0], count)),
        longitude_deg=channel(rng.choice([0.0, 16.0, 16.0001], count)),
        heart_rate_bpm=channel(rng.choice([0.0, 140.0, 255.0], count)),
    )


@settings(max_examples=300, deadline=None)
@given(recording=recordings())
def test_every_second_of_the_clock_is_accounted_for_and_no_speed_is_unknown(recording: Recording) -> None:
    signal = hamload_settings.defaults()[1]
    samples, quality = clean(recording, signal)
    time = recording.streams.time_s if recording.streams is not None else np.empty(0)
    # Rows behind the clock are passed over: the clock runs from the first row to the furthest.
    elapsed = float(time.max() - time[0]) if len(time) else 0.0
    assert np.all(np.isfinite(samples.speed_mps))
    assert np.all((samples.speed_mps >= 0) & (samples.speed_mps <= signal.max_speed_mps))
    assert np.all(np.diff(samples.time_s) > 0)
    assert np.all(samples.dt_s > 0)
    assert np.all(np.diff(samples.time_s) >= samples.dt_s[:-1] - 1e-6)
    assert samples.dt_s.sum() == pytest.approx(quality.used_s)
    assert quality.used_s <= elapsed + 1e-6
    if len(samples) or quality.lost_s:
        assert accounted(quality) == pytest.approx(elapsed, abs=1e-3)
    assert 0 <= quality.interpolated_s <= quality.used_s + 1e-6
    assert np.all(np.diff(samples.distance_m) >= -1e-9)
    assert np.all(np.abs(samples.grade[np.isfinite(samples.grade)]) <= 0.45)
    assert 0 <= quality.heart_rate_coverage <= 1


@settings(max_examples=100, deadline=None)
@given(recording=recordings(), seed=st.integers(0, 2**32 - 1))
def test_cleaning_again_in_the_same_order_changes_nothing(recording: Recording, seed: int) -> None:
    """Rows that only repeat an instant, and a second pass over the same recording, make no difference."""
    signal = hamload_settings.defaults()[1]
    assert recording.streams is not None
    rows = np.sort(np.append(np.arange(len(recording.streams)), np.random.default_rng(seed).integers(0, 2, 1) * 0))
    if not len(recording.streams):
        return
    doubled = {
        name: getattr(recording.streams, name)[rows] for name in Streams.__slots__ if name not in {"time_s", "pauses"}
    }
    again = replace(
        recording,
        streams=Streams.of(recording.streams.time_s[rows], pauses=recording.streams.pauses, **doubled),
    )
    first, second = clean(recording, signal), clean(again, signal)
    assert first[1] == second[1]
    for name in Samples.__slots__:
        assert np.array_equal(getattr(first[0], name), getattr(second[0], name), equal_nan=True), name


@settings(max_examples=60, deadline=None)
@given(
    speed=st.floats(1.5, 6.0),
    seed=st.integers(0, 2**32 - 1),
    source=st.sampled_from(["device", "distance", "positions"]),
    most=st.sampled_from([1, 4, 8]),
)
def test_a_constant_run_keeps_its_distance_at_any_spacing(speed: float, seed: int, source: str, most: int) -> None:
    signal = hamload_settings.defaults()[1]
    time = np.append(0.0, np.cumsum(np.random.default_rng(seed).integers(1, most + 1, 200))).astype(float)
    channels: dict[str, Any] = {
        "device": {"speed_mps": np.full(201, speed)},
        "distance": {"distance_m": speed * time},
        "positions": {"latitude_deg": 48 + speed * time / NORTH_M_PER_DEG, "longitude_deg": np.full(201, 16.0)},
    }[source]
    samples, quality = clean(run(time, **channels), signal)
    assert quality.speed_source == source
    assert float((samples.speed_mps * samples.dt_s).sum()) == pytest.approx(speed * time[-1], rel=0.005)
    assert quality.used_s == pytest.approx(time[-1])


def test_a_speed_beyond_the_runners_own_is_drawn_over_if_short_and_dropped_if_nobody_can_hold_it() -> None:
    speed = np.full(100, 3.0)
    speed[20:28], speed[50:65] = 7.5, 7.5
    samples, dropped = limit_speed(Samples.of(np.arange(100.0), dt_s=np.ones(100), speed_mps=speed), 6.0)
    assert dropped == 15
    assert len(samples) == 85
    assert np.all(samples.speed_mps == 3.0)


def test_the_first_intervals_after_weeks_of_easy_running_are_kept() -> None:
    speed = np.tile(np.repeat([2.6, 5.0], 80), 8)
    easy_weeks = Samples.of(np.arange(len(speed), dtype=float), dt_s=np.ones(len(speed)), speed_mps=speed)
    samples, dropped = limit_speed(easy_weeks, 3.5)
    assert dropped == 0
    assert np.array_equal(samples.speed_mps, speed)


def test_nothing_is_touched_where_no_speed_is_beyond() -> None:
    before = Samples.of(np.arange(100.0), dt_s=np.ones(100), speed_mps=np.full(100, 3.0))
    assert limit_speed(before, 6.0) == (before, 0.0)


def test_nothing_is_drawn_across_a_pause_when_speed_is_limited() -> None:
    time = np.concatenate([np.arange(0, 50.0), np.arange(400, 450.0)])
    speed = np.full(100, 3.0)
    speed[48:52] = 9.0
    samples, dropped = limit_speed(Samples.of(time, dt_s=np.ones(100), speed_mps=speed), 6.0)
    assert (dropped, len(samples)) == (4, 96)
