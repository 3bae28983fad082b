"""What FIT fields mean: sessions, sports, devices, barometers, sets, clocks. Garmin's own encoder writes the files."""

import csv
import datetime as dt
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garmin_fit_sdk import Encoder, Profile

from hamload.decode import decode
from hamload.decode.fit_container import checksum, framed, parts
from hamload.decode.fit_readers import _is_refusal
from hamload.decode.sports import exercise, fit_sport, has_barometer
from hamload.errors import UnreadableError
from hamload.records import AltitudeSource, Recording, Sport

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
NUMBERS = Profile["mesg_num"]


def at(second: float) -> dt.datetime:
    return START + dt.timedelta(seconds=second)


def fit(*messages: tuple[str, dict[str, Any]], kind: str = "activity", descriptions: Any = None) -> bytes:
    encoder = Encoder(field_descriptions=descriptions)
    facts = {"type": kind, "manufacturer": "garmin", "product": 3415, "time_created": START, "serial_number": 1}
    for name, fields in (("FILE_ID", facts), *messages):
        encoder.on_mesg(NUMBERS[name], fields)
    return bytes(encoder.close())


def records(count: int = 11, first: int = 0, **extra: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("RECORD", {"timestamp": at(first + s), "distance": 3.0 * s, "enhanced_speed": 3.0, **extra})
        for s in range(count)
    ]


def session(start: int = 0, seconds: int = 10, **extra: Any) -> tuple[str, dict[str, Any]]:
    facts = {"timestamp": at(start + seconds), "start_time": at(start), "total_elapsed_time": float(seconds),
             "sport": "running"}  # fmt: skip
    return "SESSION", facts | extra


def only(content: bytes) -> Recording:
    (recording,) = decode(content, "fit")
    return recording


def test_a_plain_run_is_read_whole_by_the_fast_reader() -> None:
    local = int(at(10).timestamp()) - 631065600 + 5400 + 7
    activity = ("ACTIVITY", {"timestamp": at(10), "local_timestamp": local, "num_sessions": 1})
    recording = only(fit(*records(heart_rate=150, cadence=85), session(workout_rpe=70), activity))
    assert (recording.reader, recording.notes, recording.sport) == ("fitfast", (), Sport.RUN)
    assert (recording.start_at, recording.elapsed_time_s, recording.rpe) == (START, 10, 7)
    assert recording.utc_offset_s == 5400  # rounded to the quarter of an hour
    assert recording.streams is not None
    assert recording.streams.cadence_spm.tolist() == [170] * 11
    assert recording.streams.heart_rate_bpm.tolist() == [150] * 11


def test_sessions_share_the_records_by_time() -> None:
    content = fit(
        *records(11), *records(5, first=11), *records(11, first=16),
        session(0, 10, sport="cycling"), session(11, 4, sport="transition"), session(16, 10),
    )  # fmt: skip
    recordings = decode(content, "fit")
    assert [(r.sport, len(r.streams) if r.streams else 0) for r in recordings] == [
        (Sport.RIDE, 11),
        (Sport.OTHER, 5),
        (Sport.RUN, 11),
    ]
    assert [r.start_at for r in recordings] == [at(0), at(11), at(16)]


def test_stops_of_the_timer_are_pauses_and_the_last_stop_is_the_end() -> None:
    def timer(second: int, kind: str) -> tuple[str, dict[str, Any]]:
        return "EVENT", {"timestamp": at(second), "event": "timer", "event_type": kind}

    events = [timer(0, "start"), timer(3, "stop_all"), timer(5, "start"), timer(10, "stop_all")]
    recording = only(fit(*events, *records(), session()))
    assert recording.streams is not None
    assert recording.streams.pauses == ((3.0, 5.0),)


def misnamed() -> bytes:
    """Return a run whose developer field calls itself "distance", which the fast reader refuses."""
    data_id = {"developer_data_index": 0, "application_id": list(range(16))}
    description = {
        "developer_data_index": 0,
        "field_definition_number": 0,
        "fit_base_type_id": 0x88,
        "field_name": "distance",
        "units": "m",
    }
    descriptions = {0: {"developer_data_id_mesg": data_id, "field_description_mesg": description}}
    rows = [(n, f | {"developer_fields": {0: 9999.0}}) for n, f in records()]
    return fit(("DEVELOPER_DATA_ID", data_id), ("FIELD_DESCRIPTION", description), *rows, session(),
               descriptions=descriptions)  # fmt: skip


def test_a_developer_field_that_calls_itself_like_a_real_one_does_not_pass_for_it() -> None:
    """The field "distance" of an app counts in its own way; the watch's own distance is what is read."""
    recording = only(misnamed())
    assert recording.streams is not None
    assert recording.streams.distance_m.tolist() == [3.0 * s for s in range(11)]
    assert recording.reader == "fitdecode"
    assert any("a developer field calls itself distance" in note for note in recording.notes)


def test_a_summary_without_records_is_a_recording_without_streams() -> None:
    recording = only(fit(session(0, 1800, total_distance=5000.0)))
    assert recording.streams is None
    assert (recording.elapsed_time_s, recording.distance_m) == (1800, 5000)


def test_without_a_session_one_is_made_of_the_records_and_noted() -> None:
    recording = only(fit(("SPORT", {"sport": "running", "sub_sport": "trail"}), *records()))
    assert (recording.sport, recording.elapsed_time_s) == (Sport.RUN, 10)
    assert any("no session" in note for note in recording.notes)


def test_a_treadmill_takes_its_incline_from_the_belt_and_a_run_outside_does_not() -> None:
    inside = only(fit(*records(grade=4.0), session(sub_sport="treadmill")))
    outside = only(fit(*records(grade=4.0), session(sub_sport="trail")))
    assert inside.streams is not None
    assert outside.streams is not None
    assert inside.sport is Sport.TREADMILL
    assert inside.streams.incline.tolist() == pytest.approx([0.04] * 11)
    assert np.all(np.isnan(outside.streams.incline))


@pytest.mark.parametrize(
    ("device", "kind", "source"),
    [
        ({"product": 3415}, None, AltitudeSource.GPS),
        ({"product": 3415}, 4, AltitudeSource.BAROMETER),
        ({"product": 3113}, None, AltitudeSource.BAROMETER),
    ],
)
def test_altitude_is_a_barometers_only_with_evidence(
    device: dict[str, Any], kind: int | None, source: AltitudeSource
) -> None:
    """A watch not on the list, the same with a barometer among its sensors, and a Forerunner 945."""
    info = {"timestamp": START, "device_index": 0, "manufacturer": "garmin", **device, "source_type": "local"}
    sensor = {"timestamp": START, "device_index": 1, "device_type": kind, "source_type": "local"}
    messages = [("DEVICE_INFO", info)] + ([("DEVICE_INFO", sensor)] if kind else [])
    encoder = Encoder()
    encoder.on_mesg(0, {"type": "activity", "manufacturer": "garmin", **device, "time_created": START})
    for name, fields in (*messages, *records(enhanced_altitude=200.0), session()):
        encoder.on_mesg(NUMBERS[name], fields)
    assert only(bytes(encoder.close())).altitude_source is source


def test_curls_are_recognised_by_name(shared_data: Path) -> None:
    """Every hamstring exercise of the list, by the numbers that a watch writes."""
    with (shared_data / "vectors" / "fit_hamstring_exercises.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 20
    for row in rows:
        assert exercise([65534, int(row["category_enum"])], [None, int(row["name_enum"])]) == (
            row["category"],
            row["name"],
        )


def test_a_watchs_strength_session_lists_its_sets(shared_data: Path) -> None:
    recording = only((shared_data / "activities" / "openfitness" / "3551724293.fit").read_bytes())
    assert (recording.sport, recording.utc_offset_s, recording.device) == (Sport.STRENGTH, 7200, "garmin vivoactive3")
    ((found),) = recording.sets
    assert (found.category, found.name, found.repetitions, found.set_type) == ("curl", None, 9, "active")
    assert found.duration_s == pytest.approx(264.941)


def test_a_clock_that_was_never_set_takes_its_date_from_the_local_time(shared_data: Path) -> None:
    """Its records say 1990; its activity message ties them to 2012-02-13."""
    recording = only((shared_data / "activities" / "python-fitparse/tests/files/antfs-dump.63.fit").read_bytes())
    assert recording.start_at == dt.datetime(2012, 2, 13, 11, 23, 51, tzinfo=dt.UTC)
    assert any("clock was not set" in note for note in recording.notes)


def test_packed_speed_and_distance_are_unpacked_by_a_reader_that_can(shared_data: Path) -> None:
    path = shared_data / "activities" / "python-fitparse/tests/files/compressed-speed-distance.fit"
    recording = only(path.read_bytes())
    assert recording.reader == "fitdecode"
    assert recording.streams is not None
    assert np.nanmax(recording.streams.distance_m) == pytest.approx(10248.67, abs=1)


def test_a_chained_part_that_is_no_activity_is_noted(shared_data: Path) -> None:
    recording = only((shared_data / "activities" / "python-fitparse/tests/files/activity-settings.fit").read_bytes())
    assert any("passed over: This is a settings file" in note for note in recording.notes)


@pytest.mark.parametrize("kind", ["settings", "workout", "course", "monitoring_b", "weight", "segment", "goals"])
def test_other_files_are_refused_with_what_they_are(kind: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(fit(*records(3), kind=kind), "fit")
    assert caught.value.what.startswith("This is ")
    assert caught.value.what.endswith(", not an activity.")


@pytest.mark.parametrize(
    ("sport", "sub_sport", "family"),
    [
        ("running", "generic", Sport.RUN),
        ("running", "trail", Sport.RUN),
        ("running", "track", Sport.RUN),
        ("running", "treadmill", Sport.TREADMILL),
        ("running", "indoor_running", Sport.TREADMILL),
        ("running", "virtual_activity", Sport.TREADMILL),
        ("running", None, Sport.RUN),
        ("hiking", "generic", Sport.WALK),
        ("training", "strength_training", Sport.STRENGTH),
        ("training", "cardio_training", Sport.OTHER),
        ("transition", "generic", Sport.OTHER),
        ("fitness_equipment", "elliptical", Sport.OTHER),
        (250, None, Sport.OTHER),
        (None, None, Sport.UNKNOWN),
    ],
)
def test_sports_belong_to_families(sport: Any, sub_sport: Any, family: Sport) -> None:
    assert fit_sport(sport, sub_sport) is family


@pytest.mark.parametrize(
    ("device", "has"),
    [
        ("garmin fr945", True),
        ("Forerunner 945", True),
        ("garmin fenix8_small", True),
        ("Garmin fēnix 7X Pro", True),
        ("garmin instinct_2s", True),
        ("StravaGPX Android with barometer", True),
        ("garmin fr245", False),
        ("Forerunner 235", False),
        ("garmin fr55", False),
        ("StravaGPX", False),
        ("TomTom GPS Sport Watch", False),
        ("", False),
    ],
)
def test_only_known_devices_have_a_barometer(device: str, has: bool) -> None:  # noqa: FBT001
    assert has_barometer(device) is has


def test_an_interruption_by_the_user_is_no_refusal() -> None:
    assert not _is_refusal(KeyboardInterrupt())
    assert not _is_refusal(SystemExit())
    assert _is_refusal(AssertionError())


def test_a_real_panic_of_the_fast_reader_becomes_a_refusal(shared_data: Path) -> None:
    """In a process of its own, for the Rust core writes its panic to standard error."""
    case = shared_data / "activities/chiptime-corpus/corpus/cases/structural/garbage-block-midfile/input.fit"
    script = f"""
import fitfast, pathlib
from hamload.decode.fit_readers import _is_refusal
try:
    fitfast.records(pathlib.Path({str(case)!r}).read_bytes())
except BaseException as error:
    assert type(error).__name__ == "PanicException" and not isinstance(error, Exception)
    assert _is_refusal(error)
else:
    raise SystemExit("it no longer panics")
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_checksum_is_garmins() -> None:
    assert checksum(b"123456789") == 0xBB3D
    assert checksum(b"") == 0


def test_a_frame_around_messages_is_a_file_that_holds_them() -> None:
    (part,) = parts(fit(*records(3), session()))
    (again,) = parts(framed(part.body, part.content))
    assert (again.body, again.flaw) == (part.body, "")
    assert len(part.small) < len(part.body)


def test_the_mark_of_a_header_without_a_header_around_it_is_refused() -> None:
    with pytest.raises(UnreadableError, match="not a FIT file"):
        decode(bytes([200]) * 40 + b".FIT" + bytes(60), "fit")


def test_of_a_field_that_a_lying_definition_makes_a_list_the_first_value_counts() -> None:
    content = misnamed()
    # The maker, two bytes of one number, becomes two numbers of one byte.
    lying = bytearray(content.replace(b"\x01\x02\x84", b"\x01\x02\x02", 1)[:-2])
    assert lying != content[:-2]
    recording = only(bytes(lying) + struct.pack("<H", checksum(bytes(lying))))
    assert (recording.reader, recording.sport, recording.elapsed_time_s) == ("fitdecode", Sport.RUN, 10)
