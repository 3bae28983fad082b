"""Strava's JSON as recordings: what it says, what it hides, what cannot be used."""

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import settings
from hamload.decode import clean
from hamload.decode.strava_streams import strava
from hamload.errors import UnreadableError
from hamload.records import AltitudeSource, Recording, Sport

SIGNAL = settings.defaults()[1]
SUMMARY: dict[str, Any] = {
    "id": 1,
    "name": "Morning Run",
    "sport_type": "Run",
    "type": "Run",
    "start_date": "2026-03-29T00:30:00Z",
    "start_date_local": "2026-03-29T01:30:00Z",
    "timezone": "(GMT+01:00) Europe/Vienna",
    "utc_offset": 3600.0,
    "elapsed_time": 130,
    "moving_time": 120,
    "distance": 360.0,
    "total_elevation_gain": 2.5,
    "elev_high": 180.0,
    "trainer": False,
    "start_latlng": [48.2, 16.4],
}


def stream(*data: Any) -> dict[str, Any]:
    return {"data": list(data), "series_type": "time", "original_size": len(data), "resolution": "high"}


def streams(**more: Any) -> dict[str, Any]:
    return {
        "time": stream(0, 1, 2, 4),
        "distance": stream(0.0, 3.0, 6.0, 12.0),
        "velocity_smooth": stream(0.0, 3.0, 3.0, 3.0),
        "altitude": stream(160.0, 160.1, 160.2, 160.4),
        "heartrate": stream(120, 121, None, 124),
        "cadence": stream(80, 81, 82, 83),
        "latlng": stream([48.2, 16.4], [48.3, 16.5], None, [48.4, 16.6]),
        "moving": stream(*(row > 0 for row in range(4))),
        "grade_smooth": stream(0.0, 0.1, 0.1, 0.1),
    } | more


def decoded(summary: dict[str, Any] | None = None, found: Any = None, **changes: Any) -> Recording:
    whole = {"summary": (SUMMARY if summary is None else summary) | changes, "streams": found, "note": ""}
    return strava(json.dumps(whole).encode(), SIGNAL)


def test_start_and_offset_come_from_what_is_right_and_not_from_the_mislabelled_local_time() -> None:
    recording = decoded()
    assert recording.start_at == dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)
    assert recording.utc_offset_s == 3600
    summer = decoded(start_date="2026-03-29T01:30:00Z", utc_offset=7200.0)
    # The zone's name still says +01:00; only the offset knows of summer time.
    assert summer.utc_offset_s == 7200


def test_every_channel_is_read_in_our_units() -> None:
    recording = decoded(found=streams())
    found = recording.streams
    assert found is not None
    assert found.time_s.tolist() == [0, 1, 2, 4]
    assert found.speed_mps.tolist() == [0, 3, 3, 3]
    assert found.cadence_spm.tolist() == [160, 162, 164, 166]
    assert found.altitude_m[3] == 160.4
    assert np.isnan(found.heart_rate_bpm).tolist() == [False, False, True, False]
    assert found.latitude_deg[[0, 1, 3]].tolist() == [48.2, 48.3, 48.4]
    assert np.isnan(found.longitude_deg).tolist() == [False, False, True, False]
    assert np.isnan(found.incline).all()
    assert recording.notes == ()


def test_the_summary_is_told_beside_the_streams() -> None:
    recording = decoded(found=streams(), perceived_exertion=6.0)
    assert (recording.elapsed_time_s, recording.timer_time_s, recording.distance_m) == (130, 120, 360)
    assert (recording.ascent_m, recording.rpe, recording.title, recording.reader) == (2.5, 6, "Morning Run", "strava")


@pytest.mark.parametrize(
    ("changes", "sport"),
    [
        ({}, Sport.RUN),
        ({"sport_type": "TrailRun"}, Sport.RUN),
        ({"sport_type": "VirtualRun"}, Sport.TREADMILL),
        ({"trainer": True, "start_latlng": []}, Sport.TREADMILL),
        ({"trainer": True}, Sport.RUN),
        ({"sport_type": "GravelRide"}, Sport.RIDE),
        ({"sport_type": "WeightTraining"}, Sport.STRENGTH),
        ({"sport_type": "Workout"}, Sport.OTHER),
        ({"sport_type": "Padel"}, Sport.OTHER),
        ({"sport_type": None, "type": "Hike"}, Sport.WALK),
        ({"sport_type": None, "type": None}, Sport.UNKNOWN),
    ],
)
def test_sports_become_families(changes: dict[str, Any], sport: Sport) -> None:
    assert decoded(**changes).sport is sport


def test_a_run_entered_by_hand_is_a_summary_and_says_so() -> None:
    whole = {"summary": SUMMARY | {"manual": True}, "streams": None, "note": "entered by hand"}
    recording = strava(json.dumps(whole).encode(), SIGNAL)
    assert recording.streams is None
    assert recording.timer_time_s == 120
    assert recording.notes == ("a summary without a recording (entered by hand)",)


def test_what_strava_writes_as_zero_where_it_knows_nothing_stays_unknown() -> None:
    by_hand = {k: v for k, v in SUMMARY.items() if k != "elev_high"} | {"total_elevation_gain": 0, "distance": 0}
    recording = decoded(by_hand)
    assert recording.ascent_m is None
    assert recording.distance_m is None
    assert decoded(total_elevation_gain=0).ascent_m == 0


def test_a_hidden_start_time_is_noted() -> None:
    recording = decoded(start_date="2026-03-28T23:00:01Z")
    assert any("hidden" in note for note in recording.notes)
    assert not any("hidden" in note for note in decoded().notes)


def test_altitude_is_gps_altitude_unless_the_watch_is_known_to_measure_pressure() -> None:
    assert decoded(found=streams()).altitude_source is AltitudeSource.GPS
    assert decoded(found=streams(), device_name="Garmin Forerunner 945").altitude_source is AltitudeSource.BAROMETER
    without = {name: s for name, s in streams().items() if name != "altitude"}
    assert decoded(found=without).altitude_source is AltitudeSource.NONE


@pytest.mark.parametrize(
    ("found", "note"),
    [
        ({"distance": stream(0.0, 1.0)}, "no times"),
        ({"time": stream()}, "no times"),
        ({"time": stream(0, None, 2)}, "no times"),
        ({"time": {"data": "0123"}}, "no times"),
        ([1, 2, 3], "cannot be understood"),
        ("streams", "cannot be understood"),
    ],
)
def test_streams_that_cannot_be_used_leave_the_summary_with_a_reason(found: Any, note: str) -> None:
    recording = decoded(found=found)
    assert recording.streams is None
    assert recording.timer_time_s == 120
    assert note in recording.notes[0]


@pytest.mark.parametrize(
    ("name", "bad"), [("heartrate", stream(1, 2)), ("latlng", stream([1, 2])), ("altitude", {"data": None})]
)
def test_a_stream_of_another_length_is_left_out_alone(name: str, bad: Any) -> None:
    recording = decoded(found=streams(**{name: bad}))
    assert recording.streams is not None
    assert recording.streams.distance_m[3] == 12
    assert recording.notes == (f"its stream {name} does not fit the times and is left out",)


def test_rows_that_go_back_in_time_are_left_out() -> None:
    recording = decoded(found=streams(time=stream(0, 5, 2, 6)))
    assert recording.streams is not None
    assert recording.streams.time_s.tolist() == [0, 5, 6]
    assert recording.streams.distance_m.tolist() == [0, 3, 12]
    assert "1 rows" in recording.notes[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no summary"),
        (b'{"streams": {}}', "no summary"),
        (b'{"summary": {}}', "when it began"),
        (b'{"summary": {"start_date": 5}}', "when it began"),
        (b'{"summary": {"start_date": "yesterday"}}', "when it began"),
    ],
)
def test_what_is_no_activity_is_refused_with_a_reason(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        strava(content, SIGNAL)


@pytest.mark.parametrize("told", [b"", b', "moving_time": true'])
def test_an_activity_without_a_duration_is_one_of_its_day_all_the_same(told: bytes) -> None:
    found = strava(b'{"summary": {"start_date": "2026-03-29T00:30:00Z"' + told + b"}}", SIGNAL)
    assert (found.elapsed_time_s, found.timer_time_s, found.streams) == (None, None, None)


def stopped(*, says_moving: bool | None, advance_m: float) -> dict[str, Any]:
    """Ten minutes at 3 m/s, a stretch of ten minutes without rows, ten minutes more."""
    time_s = [*range(600), *range(1200, 1800)]
    distance = [3.0 * t for t in range(600)] + [3.0 * t + advance_m for t in range(600, 1200)]
    found = {"time": stream(*time_s), "distance": stream(*distance), "velocity_smooth": stream(*[3.0] * 1200)}
    if says_moving is not None:
        found["moving"] = stream(*(row != 600 or says_moving for row in range(1200)))
    return found


def test_a_long_stop_is_a_pause_and_no_loss_of_data() -> None:
    recording = decoded(found=stopped(says_moving=False, advance_m=10))
    assert recording.streams is not None
    assert recording.streams.pauses == ((599.0, 1200.0),)
    samples, quality = clean(recording, SIGNAL)
    assert float(samples.dt_s.sum()) == pytest.approx(1199, abs=2)
    assert quality.lost_s <= 1
    assert quality.paused_s == 601


@pytest.mark.parametrize(("is_moving", "advance_m"), [(True, 10), (None, 10), (False, 1500)])
def test_a_stretch_without_rows_is_lost_where_anything_says_that_the_runner_moved(
    *, is_moving: bool | None, advance_m: float
) -> None:
    recording = decoded(found=stopped(says_moving=is_moving, advance_m=advance_m))
    assert recording.streams is not None
    assert recording.streams.pauses == ()
    _, quality = clean(recording, SIGNAL)
    assert quality.lost_s == pytest.approx(601, abs=2)


def test_stops_that_follow_each_other_are_one_pause() -> None:
    found = {
        "time": stream(0, 1, 100, 200, 201),
        "distance": stream(0.0, 3.0, 3.0, 4.0, 7.0),
        "moving": stream(*(row in {0, 1, 4} for row in range(5))),
    }
    recording = decoded(found=found)
    assert recording.streams is not None
    assert recording.streams.pauses == ((1.0, 200.0),)


_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SUMMARY, "data"]), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SUMMARY, "manual", "device_name"]), _ANYTHING), _ANYTHING)
def test_whatever_strava_sends_is_a_recording_or_refused(changes: dict[str, Any], found: Any) -> None:
    try:
        recording = decoded(found=found, **changes)
    except UnreadableError:
        return
    assert recording.start_at.tzinfo is not None
    assert (recording.elapsed_time_s is None) == (recording.timer_time_s is None)


@given(st.dictionaries(st.sampled_from(list(streams())[1:]), _ANYTHING), st.integers(0, 9))
def test_whatever_the_streams_hold_no_sample_is_made_up(changes: dict[str, Any], rows: int) -> None:
    recording = decoded(found=streams(**changes, time=stream(*range(rows))))
    if recording.streams is not None:
        assert len(recording.streams) == rows
        assert not np.isinf(recording.streams.speed_mps).any()
