"""The FIT files, read back by three independent readers: the official SDK, fitfast and fitdecode."""

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fitdecode
import fitfast
import numpy as np
import pytest

from hamload.records import Array, Streams
from hamload.simulator.athlete import KINDS, Episode, Kind, PlannedRun, SimulatedRunner, start_of, year_of
from hamload.simulator.recordings import PRODUCT_NAME, fit_bytes, streams_of, write_year

type Official = Callable[[bytes], dict[str, list[dict[str, Any]]]]

_LAST = dt.date(2026, 11, 23)
_RUNNER = SimulatedRunner()
_SEMICIRCLE_DEG = 180 / 2**31
_CHANNELS: dict[str, Callable[[Streams], Array]] = {
    "distance": lambda s: s.distance_m,
    "enhanced_speed": lambda s: s.speed_mps,
    "enhanced_altitude": lambda s: s.altitude_m,
    "heart_rate": lambda s: s.heart_rate_bpm,
    "position_lat": lambda s: s.latitude_deg / _SEMICIRCLE_DEG,
    "position_long": lambda s: s.longitude_deg / _SEMICIRCLE_DEG,
    "cadence": lambda s: np.floor(s.cadence_spm / 2),
    "fractional_cadence": lambda s: s.cadence_spm / 2 % 1,
    "grade": lambda s: 100 * s.incline,
}


def _run(kind: Kind, minutes: float = 32) -> PlannedRun:
    return PlannedRun(dt.date(2026, 6, 1), dt.time(7, 10), kind, minutes)


def _with_pauses() -> PlannedRun:
    """Return an easy run with several red lights."""
    runs = [replace(_run("easy"), date=dt.date(2026, 6, day)) for day in range(1, 31)]
    return next(run for run in runs if len(streams_of(_RUNNER, run).pauses) >= 2)


def _column(rows: list[dict[str, Any]], name: str) -> Array:
    return np.array([np.nan if row.get(name) is None else row[name] for row in rows], dtype=np.float64)


def _assert_same_records(rows: list[dict[str, Any]], streams: Streams, start: dt.datetime) -> None:
    time_s = [(row["timestamp"].replace(tzinfo=dt.UTC) - start).total_seconds() for row in rows]
    np.testing.assert_array_equal(time_s, streams.time_s)
    for name, channel in _CHANNELS.items():
        np.testing.assert_allclose(_column(rows, name), channel(streams), rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("smart_share", [0.0, 1.0])
def test_the_official_sdk_gives_back_every_record_of_every_kind_of_run(
    kind: Kind, smart_share: float, official: Official
) -> None:
    runner, run = replace(_RUNNER, smart_share=smart_share), _run(kind)
    messages = official(fit_bytes(runner, run))
    _assert_same_records(messages["record_mesgs"], streams_of(runner, run), start_of(runner, run))


@pytest.mark.parametrize("kind", KINDS)
def test_fitfast_gives_back_the_same_columns(kind: Kind) -> None:
    run = _run(kind)
    streams, columns = streams_of(_RUNNER, run), fitfast.records(fit_bytes(_RUNNER, run))
    assert len(columns["timestamp"]) == len(streams)
    for name, channel in _CHANNELS.items():
        expected = channel(streams) * (_SEMICIRCLE_DEG if name.startswith("position") else 1)
        if np.all(np.isnan(expected)):
            assert name not in columns
        else:
            np.testing.assert_allclose(np.asarray(columns[name], dtype=np.float64), expected, rtol=0, atol=1e-6)


def test_fitdecode_gives_back_the_same_records_and_checks_both_checksums() -> None:
    run = _with_pauses()
    reader = fitdecode.FitReader(
        io.BytesIO(fit_bytes(_RUNNER, run)),
        check_crc=fitdecode.CrcCheck.RAISE,
        error_handling=fitdecode.ErrorHandling.RAISE,
    )
    records = [
        {field.name: field.value for field in frame.fields}
        for frame in reader
        if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "record"
    ]
    _assert_same_records(records, streams_of(_RUNNER, run), start_of(_RUNNER, run))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    for kind in KINDS:
        assert fit_bytes(SimulatedRunner(), _run(kind)) == fit_bytes(SimulatedRunner(), _run(kind))
        assert fit_bytes(SimulatedRunner(seed=2), _run(kind)) != fit_bytes(SimulatedRunner(), _run(kind))


def test_a_file_says_everywhere_that_it_is_simulated(official: Official) -> None:
    messages = official(fit_bytes(_RUNNER, _run("easy")))
    (file_id,) = messages["file_id_mesgs"]
    assert (file_id["type"], file_id["manufacturer"], file_id["product_name"]) == (
        "activity",
        "development",
        PRODUCT_NAME,
    )
    assert "simulator" in PRODUCT_NAME
    assert {device["product_name"] for device in messages["device_info_mesgs"]} == {PRODUCT_NAME}
    assert {device["manufacturer"] for device in messages["device_info_mesgs"]} == {"development"}
    assert messages["session_mesgs"][0]["sport_profile_name"] == "Simulated run"


def test_the_device_names_its_barometer(official: Official) -> None:
    devices = official(fit_bytes(_RUNNER, _run("easy")))["device_info_mesgs"]
    assert [device.get("local_device_type") for device in devices] == [None, "barometer", "gps"]


def test_red_lights_are_timer_stops_in_the_order_of_time(official: Official) -> None:
    run = _with_pauses()
    streams, start = streams_of(_RUNNER, run), start_of(_RUNNER, run)
    events = [
        (event["event_type"], (event["timestamp"] - start).total_seconds())
        for event in official(fit_bytes(_RUNNER, run))["event_mesgs"]
        if event["event"] == "timer"
    ]
    expected: list[tuple[str, float]] = [("start", 0.0)]
    for stop, to in streams.pauses:
        expected += [("stop_all", stop), ("start", to)]
    assert events == [*expected, ("stop_all", streams.time_s[-1])]


def test_timestamps_never_go_back_from_the_first_message_to_the_last() -> None:
    reader = fitdecode.FitReader(io.BytesIO(fit_bytes(_RUNNER, _with_pauses())))
    stamps = [
        frame.get_value("timestamp")
        for frame in reader
        if isinstance(frame, fitdecode.FitDataMessage) and frame.has_field("timestamp")
    ]
    assert stamps == sorted(stamps)


def test_session_and_laps_add_up_to_the_records(official: Official) -> None:
    run = _with_pauses()
    streams = streams_of(_RUNNER, run)
    messages = official(fit_bytes(_RUNNER, run))
    (session,), laps = messages["session_mesgs"], messages["lap_mesgs"]
    paused = sum(to - stop for stop, to in streams.pauses)
    assert session["total_elapsed_time"] == streams.time_s[-1]
    assert session["total_timer_time"] == streams.time_s[-1] - paused
    assert session["total_distance"] == pytest.approx(streams.distance_m[-1])
    assert session["num_laps"] == len(laps) > 2
    assert [lap["message_index"] for lap in laps] == list(range(len(laps)))
    for name in ("total_elapsed_time", "total_timer_time", "total_distance"):
        assert sum(lap[name] for lap in laps) == pytest.approx(session[name], abs=0.05)
    assert all(lap["total_distance"] == pytest.approx(1000, abs=8) for lap in laps[:-1])
    (activity,) = messages["activity_mesgs"]
    assert activity["total_timer_time"] == session["total_timer_time"]


@pytest.mark.parametrize(("month", "hours"), [(1, 1), (7, 2)])
def test_the_local_clock_is_kept_beside_utc(month: int, hours: int) -> None:
    run = replace(_run("easy"), date=dt.date(2026, month, 5))
    (activity,) = fitfast.parse(fit_bytes(_RUNNER, run))["activity"]
    assert activity["local_timestamp"] - activity["timestamp"] == hours * 3600


@pytest.mark.parametrize(
    ("run", "sub_sport"),
    [
        (_run("easy"), "generic"),
        (replace(_run("long"), road="hilly"), "trail"),
        (_run("treadmill"), "treadmill"),
        (replace(_run("race"), road="flat"), "street"),
    ],
)
def test_sub_sports_follow_the_road(run: PlannedRun, sub_sport: str) -> None:
    (session,) = fitfast.parse(fit_bytes(_RUNNER, run))["session"]
    assert (session["sport"], session["sub_sport"]) == ("running", sub_sport)


def test_the_session_s_ascent_is_about_what_was_climbed() -> None:
    run = replace(_run("long", 90), road="hilly")
    streams = streams_of(replace(_RUNNER, smart_share=0.0), run)
    (session,) = fitfast.parse(fit_bytes(replace(_RUNNER, smart_share=0.0), run))["session"]
    span = np.max(streams.altitude_m) - np.min(streams.altitude_m)
    assert session["total_ascent"] > span
    assert session["total_ascent"] == pytest.approx(session["total_descent"], abs=10)


def test_a_run_s_bytes_do_not_depend_on_the_other_runs_of_the_plan(tmp_path: Path) -> None:
    away = replace(_RUNNER.season, episodes=(*_RUNNER.season.episodes, Episode(20, 5, 0.0)))
    usual = write_year(_RUNNER, tmp_path / "usual", _LAST, days=28)
    without = write_year(replace(_RUNNER, season=away), tmp_path / "without", _LAST, days=28)
    assert len(without) < len(usual)
    for path in without:
        assert path.read_bytes() == (tmp_path / "usual" / path.name).read_bytes()


def test_written_files_carry_local_start_and_kind_in_their_names(tmp_path: Path) -> None:
    paths = write_year(_RUNNER, tmp_path / "new" / "folder", _LAST, days=7)
    assert [path.name for path in paths] == [f"{run.stem}.fit" for run in year_of(_RUNNER, _LAST, 7)]
    assert all(path.is_file() for path in paths)


@pytest.mark.slow
@pytest.mark.long
def test_a_whole_year_is_readable_and_holds_the_spike(tmp_path: Path, official: Official) -> None:
    """Every file through fitfast (which checks the checksums), every fifth one and the last week through the SDK."""
    runs, paths = year_of(_RUNNER, _LAST), write_year(_RUNNER, tmp_path, _LAST)
    longest: list[tuple[dt.date, float]] = []
    for index, (run, path) in enumerate(zip(runs, paths, strict=True)):
        octets, streams = path.read_bytes(), streams_of(_RUNNER, run)
        columns = fitfast.records(octets)
        np.testing.assert_allclose(columns["distance"], streams.distance_m, atol=1e-6)
        np.testing.assert_allclose(columns["enhanced_speed"], streams.speed_mps, atol=1e-6)
        if index % 5 == 0 or (_LAST - run.date).days < 7:
            _assert_same_records(official(octets)["record_mesgs"], streams, start_of(_RUNNER, run))
        longest.append((run.date, float(columns["distance"][-1])))
    date, spike = max(longest, key=lambda run: run[1])
    assert (_LAST - date).days == 2
    assert 1.4 < spike / max(d for day, d in longest if 0 < (date - day).days <= 30) < 1.65
