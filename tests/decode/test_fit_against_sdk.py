"""Every FIT file there is, against Garmin's own SDK: the same records and numbers, or a reason that stands here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garmin_fit_sdk import Decoder, Stream

from hamload.decode import decode
from hamload.errors import UnreadableError

EPOCH = 631065600
CHIPTIME = "chiptime-corpus/corpus/cases/"
# Files of which the SDK reads fewer records than we do: (its records, ours), and why.
WE_READ_MORE = {
    CHIPTIME + "protocol/compressed-timestamps/input.fit": (1, 4, "the SDK stops at compressed time stamps"),
    "python-fitparse/tests/files/antfs-dump.63.fit": (0, 686, "the SDK stops at compressed time stamps"),
    "python-fitparse/tests/files/compressed-speed-distance.fit": (0, 755, "the SDK stops at compressed time stamps"),
    CHIPTIME + "protocol/invalid-base-type/input.fit": (0, 1, "the SDK stops at an unknown base type"),
    CHIPTIME + "structural/header-size-invalid/input.fit": (0, 120, "the SDK takes no other header"),
    CHIPTIME + "structural/magic-missing/input.fit": (0, 60, "the SDK wants the mark"),
    CHIPTIME + "structural/preamble-garbage/input.fit": (0, 60, "the SDK wants the header first"),
    CHIPTIME + "structural/garbage-block-midfile/input.fit": (51, 110, "we go on behind the damage"),
    "python-fitparse/tests/files/strava-android-app-201.10-b1218918.fit": (473, 5257, "we go on behind the damage"),
}
# Files in which the SDK finds records that are no activity's, or have no date: (its records, words of our reason).
WE_REFUSE = {
    CHIPTIME + "routing/course-file/input.fit": (5, "a course"),
    "python-fitparse/tests/files/DeveloperData.fit": (3, "no record with a time"),
    CHIPTIME + "temporal/system-time-only/input.fit": (30, "clock was not set"),
}
COLUMNS = {
    "speed_mps": ("enhanced_speed", "speed"),
    "altitude_m": ("enhanced_altitude", "altitude"),
    "heart_rate_bpm": ("heart_rate",),
    "distance_m": ("distance",),
}


def fit_files(shared_data: Path) -> dict[str, bytes]:
    """Every distinct FIT file by its first name."""
    root = shared_data / "activities"
    contents: dict[bytes, str] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() == ".fit":
            contents.setdefault(path.read_bytes(), path.relative_to(root).as_posix())
    return {name: content for content, name in contents.items()}


def sdk_rows(content: bytes) -> list[dict[str, Any]]:
    """Return the SDK's records, whatever else it complains of."""
    found: Any
    found, _ = Decoder(Stream.from_byte_array(bytearray(content))).read(
        convert_datetimes_to_dates=False, merge_heart_rates=False
    )
    rows: list[dict[str, Any]] = found.get("record_mesgs", [])
    for row in rows:
        if isinstance(row.get("timestamp"), list):  # one file declares its time as four bytes
            row["timestamp"] = int.from_bytes(bytes(row["timestamp"]), "little")
    return rows


def table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> np.ndarray[Any, Any]:
    return np.array([next((float(r[n]) for n in names if r.get(n) is not None), np.nan) for r in rows])


def ours(content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    recordings = [r for r in decode(content, "fit") if r.streams is not None]
    columns = {
        name: np.concatenate([getattr(r.streams, name) for r in recordings]) if recordings else np.empty(0)
        for name in COLUMNS
    }
    times = [r.start_at.timestamp() + r.streams.time_s for r in recordings if r.streams is not None]
    return columns | {"time": np.concatenate(times) if times else np.empty(0)}


def differences(content: bytes, rows: list[dict[str, Any]]) -> list[str]:
    """Every way in which our streams and the SDK's rows disagree."""
    mine = ours(content)
    timed = sorted((r for r in rows if r.get("timestamp") is not None), key=lambda r: int(r["timestamp"]))
    order = np.argsort(mine["time"], kind="stable")
    if len(timed) != len(order):
        return [f"{len(order)} records, the SDK has {len(timed)}"]
    found = []
    if not np.array_equal(mine["time"][order], table(timed, ("timestamp",)) + EPOCH):
        found.append("times differ")
    for name, fields in COLUMNS.items():
        theirs, own = table(timed, fields), mine[name][order]
        if not np.array_equal(np.isnan(theirs), np.isnan(own)):
            found.append(f"{name}: known at other records")
        elif len(own) and np.nanmax(np.abs(np.nan_to_num(theirs - own)), initial=0.0) > 1e-9:
            found.append(f"{name}: differs by {np.nanmax(np.abs(theirs - own))}")
    return found


def test_all_fit_files_agree_with_the_sdk_or_have_a_stated_reason(shared_data: Path) -> None:
    """Record counts, times, speed, altitude, heart rate and distance, both ways, for every file without exception."""
    agreeing, refused, problems, records = [], {}, [], 0
    files = fit_files(shared_data)
    for name, content in files.items():
        rows = sdk_rows(content)
        if name in WE_READ_MORE:
            theirs, expected, _ = WE_READ_MORE[name]
            count = len(ours(content)["time"])
            if (len(rows), count) != (theirs, expected):
                problems.append(f"{name}: SDK {len(rows)}, ours {count}, stated {theirs} and {expected}")
            continue
        try:
            found = differences(content, rows)
        except UnreadableError as error:
            stated, words = WE_REFUSE.get(name, (0, ""))
            refused[name] = str(error)
            if len(rows) != stated or words not in str(error) or not error.what.endswith("."):
                problems.append(f"{name}: SDK {len(rows)} records, refused: {error}")
            continue
        if found:
            problems.append(f"{name}: {'; '.join(found)}")
        else:
            agreeing.append(name)
            records += len(rows)
    listed = "\n".join(f"  {name}: {reason}" for name, reason in refused.items())
    assert not problems, "\n".join([*problems, "refused with a reason:", listed])
    assert len(files) == len(agreeing) + len(refused) + len(WE_READ_MORE)
    assert (len(agreeing), len(refused), records) == (82, 31, 124_990), listed


@pytest.mark.parametrize(
    "name",
    ["python-fitparse/tests/files/strava-android-app-201.10-b1218918.fit"],
)
def test_records_behind_a_damaged_place_are_kept(shared_data: Path, name: str) -> None:
    """The session says 11,274 m: readers that stop at the damage keep 844 of them."""
    (recording,) = decode((shared_data / "activities" / name).read_bytes(), "fit")
    assert recording.streams is not None
    assert np.nanmax(recording.streams.distance_m) == pytest.approx(11274.04, rel=1e-3)
    assert any("passed over" in note for note in recording.notes)
    assert any("5274 records could be read" in note for note in recording.notes)


def test_a_file_cut_off_anywhere_keeps_the_records_before_the_cut(shared_data: Path) -> None:
    """At every length a decoding succeeds with as many whole records as stand there, or says why not."""
    whole = (shared_data / "activities" / CHIPTIME / "clean/run-basic/input.fit").read_bytes()
    counts = []
    for length in range(len(whole) - 1, 12, -7):
        try:
            (recording,) = decode(whole[:length], "fit")
        except UnreadableError:
            counts.append(0)
            continue
        assert any("cut off" in note for note in recording.notes)
        counts.append(len(recording.streams) if recording.streams else 0)
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 60
    assert 0 < min(c for c in counts if c) <= 2


def test_a_flipped_byte_anywhere_is_survived(shared_data: Path) -> None:
    """No reader's failure of any kind comes through: a reason, or a recording with a note, or an untouched one."""
    whole = bytearray((shared_data / "activities" / CHIPTIME / "clean/run-basic/input.fit").read_bytes())
    outcomes = {"read": 0, "refused": 0}
    for place in range(0, len(whole), 5):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        try:
            recordings = decode(bytes(broken), "fit")
        except UnreadableError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert recordings
            assert any(r.notes for r in recordings)
    assert outcomes["read"] > 0.9 * sum(outcomes.values())
