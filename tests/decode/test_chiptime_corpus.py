"""The chiptime corpus: seventy-two deliberately odd FIT files, each with what another implementation makes of it."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hamload.decode import decode
from hamload.errors import UnreadableError
from hamload.records import Recording, Sport

SPORTS = {"running": Sport.RUN, "cycling": Sport.RIDE, "swimming": Sport.SWIM, "transition": Sport.OTHER}
STREAMS = {
    "speed": "speed_mps",
    "altitude": "altitude_m",
    "heart_rate": "heart_rate_bpm",
    "distance": "distance_m",
    "position_lat": "latitude_deg",
    "position_long": "longitude_deg",
}
# Where we differ on purpose, and why.
DIFFERS = {
    "container/gzip-wrapped": "unpacking is the sources' work; here the reason names the container",
    "container/zip-wrapped": "unpacking is the sources' work; here the reason names the container",
    "gps/null-island": "the decoder hands over positions as written; cleaning treats (0, 0) as missing",
    "gps/spike-bounce": "the decoder hands over positions as written; cleaning drops the spikes",
    "protocol/frame-shift-insert": "too few records follow the damage to be sure of them: what stands before is kept",
    "structural/undefined-local-resync": "too few records follow the damage to be sure of them",
    "structural/garbage-block-midfile": "the record astride the damage is left out: 110 records, not 111",
    "protocol/compressed-speed-distance": "the counter begins at 253 m, as in Garmin's SDK, not at 0: only steps count",
    "semantics/enhanced-pairs": "where both are written and disagree, the field itself wins, as in Garmin's SDK",
    "temporal/system-time-only": "a run without a date cannot enter a history: refused with that reason",
    "protocol/array-fields": "an activity file with neither session nor record holds nothing to count: refused",
    "protocol/float-nan-inf": "neither session nor record: refused",
    "protocol/float-sentinel-vs-nan": "neither session nor record: refused",
    "protocol/string-edges": "neither session nor record: refused",
    "protocol/uint64-fields": "neither session nor record: refused",
    "sensors/hr-event-timestamp-12": "neither session nor record: refused",
    "routing/course-file": "a course is no activity: refused with that reason",
    "routing/workout-file": "a workout plan is no activity: refused with that reason",
    "routing/monitoring-file": "monitoring data are no activity: refused with that reason",
    "temporal/timestamp16-rollover": "monitoring data are no activity: refused with that reason",
    "protocol/multi-string-arrays": "a workout plan is no activity: refused with that reason",
}


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> dict[str, Path]:
    root = shared_data / "activities" / "chiptime-corpus" / "corpus" / "cases"
    return {p.parent.relative_to(root).as_posix(): p.parent for p in sorted(root.glob("*/*/expected.json"))}


def expected(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "expected.json").read_text())
    return found


def problems_of(recording: Recording, session: dict[str, Any], offset: int | None) -> list[str]:
    found = []
    start = dt.datetime.fromisoformat(session["start_time"])
    if recording.start_at != start:
        found.append(f"starts {recording.start_at}, not {start}")
    if recording.utc_offset_s != offset:
        found.append(f"offset {recording.utc_offset_s}, not {offset}")
    sport = SPORTS.get(session["sport"], Sport.UNKNOWN if session["sport"] == "unknown" else Sport.OTHER)
    if session["sub_sport"] == "treadmill":
        sport = Sport.TREADMILL
    if recording.sport is not sport:
        found.append(f"sport {recording.sport}, not {sport}")
    records = session["records"]
    count = len(recording.streams) if recording.streams else 0
    if count != records["n"]:
        return [*found, f"{count} records, not {records['n']}"]
    for name, channel in STREAMS.items():
        if count and name in records["streams"]:
            theirs = np.array([np.nan if v is None else v for v in records["streams"][name]["values"]], dtype=float)
            if not np.allclose(getattr(recording.streams, channel), theirs, rtol=0, atol=1e-6, equal_nan=True):
                found.append(f"{channel} differs")
    return found


def test_the_corpus_agrees_wherever_we_do_not_differ_on_purpose(cases: dict[str, Path]) -> None:
    """Sessions, starts, offsets, sports, record counts and streams of every case that is not listed above."""
    agreeing, refused, problems = 0, 0, []
    for name in cases.keys() - DIFFERS.keys():
        case = cases[name]
        sessions = [
            (session, part["activity"]["utc_offset_s"])
            for part in expected(case)["parts"]
            for session in (part.get("activity") or {}).get("sessions", [])
        ]
        try:
            recordings = decode((case / "input.fit").read_bytes(), "fit")
        except UnreadableError as error:
            refused += 1
            if sessions:
                problems.append(f"{name}: refused: {error}")
            continue
        if len(recordings) != len(sessions):
            problems.append(f"{name}: {len(recordings)} activities, not {len(sessions)}")
            continue
        found = [
            p
            for r, (session, offset) in zip(recordings, sessions, strict=True)
            for p in problems_of(r, session, offset)
        ]
        problems += [f"{name}: {p}" for p in found]
        agreeing += not found
    assert not problems, "\n".join(problems)
    assert len(cases) == 72
    assert (agreeing, refused) == (45, 6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("container/gzip-wrapped", "a gzip file saved as .fit"),
        ("container/zip-wrapped", "a zip archive saved as .fit"),
        ("container/html-error-page", "a web page (HTML)"),
        ("container/json-error", "a JSON answer"),
        ("container/gpx-renamed", "a GPX file saved as .fit"),
        ("container/tcx-renamed", "a TCX file saved as .fit"),
        ("temporal/system-time-only", "clock was not set"),
        ("protocol/array-fields", "no session and no record"),
        ("protocol/float-nan-inf", "no session and no record"),
        ("protocol/float-sentinel-vs-nan", "no session and no record"),
        ("protocol/string-edges", "no session and no record"),
        ("protocol/uint64-fields", "no session and no record"),
        ("sensors/hr-event-timestamp-12", "no session and no record"),
        ("routing/course-file", "a course, not an activity"),
        ("routing/workout-file", "a workout plan, not an activity"),
        ("routing/monitoring-file", "monitoring data of a day, not an activity"),
        ("temporal/timestamp16-rollover", "monitoring data of a day, not an activity"),
        ("protocol/multi-string-arrays", "a workout plan, not an activity"),
        ("structural/empty-file", "an empty file"),
        ("structural/empty-shell", "without content"),
    ],
)
def test_what_is_no_activity_is_refused_with_what_it_is(cases: dict[str, Path], name: str, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode((cases[name] / "input.fit").read_bytes(), "fit")
    assert words in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("protocol/frame-shift-insert", 4),
        ("structural/undefined-local-resync", 3),
        ("structural/garbage-block-midfile", 110),
    ],
)
def test_what_stands_around_a_damage_is_kept_and_noted(cases: dict[str, Path], name: str, count: int) -> None:
    (recording,) = decode((cases[name] / "input.fit").read_bytes(), "fit")
    assert recording.streams is not None
    assert len(recording.streams) == count
    assert f"{count} records could be read" in recording.notes


def test_a_wrong_checksum_over_whole_messages_is_read_with_a_note(cases: dict[str, Path]) -> None:
    for name in ("structural/file-crc-bad", "structural/file-crc-zeroed", "structural/header-crc-bad"):
        (recording,) = decode((cases[name] / "input.fit").read_bytes(), "fit")
        assert recording.reader == "fitfast"
        assert any("checksum mismatch" in note for note in recording.notes), name


def test_a_timer_stop_becomes_a_pause(cases: dict[str, Path]) -> None:
    """The timer stops by itself at 09:00:20 and starts at 09:01:00."""
    (recording,) = decode((cases["protocol/event-subfields"] / "input.fit").read_bytes(), "fit")
    assert recording.streams is not None
    assert recording.streams.pauses == ((20.0, 60.0),)
