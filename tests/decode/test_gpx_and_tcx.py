"""GPX and TCX: every spelling, every real file, and what a broken one still says."""

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pytest

from hamload.decode import clean, decode, sniff
from hamload.errors import UnreadableError
from hamload.parameters import Signal
from hamload.records import AltitudeSource, Recording, Sport

GPX = """<?xml version="1.0"?>
<gpx creator="{creator}" xmlns="http://www.topografix.com/GPX/1/1" xmlns:t="http://www.garmin.com/xmlschemas/v2">
<metadata><name>Not the track's</name></metadata><trk><name>Tempo &amp; hills</name>{kind}{segments}</trk></gpx>"""
TCX = """<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities>{activities}
</Activities></TrainingCenterDatabase>"""


def gpx(points: list[list[str]], kind: str = "<type>running</type>", creator: str = "x") -> bytes:
    segments = "".join(f"<trkseg>{''.join(segment)}</trkseg>" for segment in points)
    return GPX.format(creator=creator, kind=kind, segments=segments).encode()


def point(second: float, north_m: float = 0.0, extra: str = "", zone: str = "Z") -> str:
    time = (dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC) + dt.timedelta(seconds=second)).replace(tzinfo=None)
    north = 48 + north_m / (6371008.8 * np.pi / 180)
    return f'<trkpt lat="{north:.9f}" lon="16.0"><ele>200.5</ele><time>{time.isoformat()}{zone}</time>{extra}</trkpt>'


def only(content: bytes, format_: str) -> Recording:
    (recording,) = decode(content, format_)  # type: ignore[arg-type]
    return recording


def channel(recording: Recording, name: str) -> list[float]:
    values: list[float] = getattr(recording.streams, name).tolist()
    return values


def test_every_real_gpx_and_tcx_gives_all_its_timed_points_or_a_reason(shared_data: Path) -> None:
    """Against a count that knows no XML: opening tags of points that hold a time."""
    patterns = {".gpx": rb"<trkpt\b.*?</trkpt>", ".tcx": rb"<Trackpoint\b.*?</Trackpoint>"}
    timed = {".gpx": b"<time>", ".tcx": b"<Time>"}
    counted, refused, problems, points = 0, {}, [], 0
    for path in sorted((shared_data / "activities").rglob("*")):
        if path.suffix not in patterns:
            continue
        content = path.read_bytes()
        expected = sum(timed[path.suffix] in p for p in re.findall(patterns[path.suffix], content, re.DOTALL))
        try:
            recordings = decode(content, "gpx" if path.suffix == ".gpx" else "tcx")
        except UnreadableError as error:
            refused[path.name] = str(error)
            continue
        found = sum(len(r.streams) for r in recordings if r.streams is not None)
        if found != expected or not expected:
            problems.append(f"{path.name}: {found} points, counted {expected}")
        counted += 1
        points += found
    assert not problems, "\n".join(problems)
    assert refused == {"malformed.tcx": "This is not a TCX file. Download or export the activity again."}
    assert (counted, points) == (87, 70_195)


def test_strava_writes_a_run_as_nine_and_garmin_as_running(shared_data: Path) -> None:
    folder = shared_data / "activities" / "runpandas" / "runpandas" / "tests" / "io" / "data"
    strava = only((folder / "gpx" / "strava_export.gpx").read_bytes(), "gpx")
    assert (strava.sport, strava.sport_detail, strava.device) == (Sport.RUN, "9", "StravaGPX")
    assert strava.title == "Ciclofaixa Recife Antigo x Jaqueira 002 - 12km livre"
    assert (channel(strava, "heart_rate_bpm")[0], channel(strava, "cadence_spm")[0]) == (174, 168)
    garmin = only((folder / "gpx" / "garmin_connect.gpx").read_bytes(), "gpx")
    assert (garmin.sport, garmin.title) == (Sport.RUN, "Foo Bar")
    assert channel(garmin, "heart_rate_bpm")[0] == 120
    tomtom = only((folder / "gpx" / "run.gpx").read_bytes(), "gpx")
    assert (tomtom.sport, tomtom.title) == (Sport.UNKNOWN, "Running")


def test_the_same_run_as_gpx_and_as_tcx_is_the_same_run(shared_data: Path, signal: Signal) -> None:
    """TomTom's own two exports: the same points; the path by positions against the watch's distance within 1 %."""
    folder = shared_data / "activities" / "runpandas" / "runpandas" / "tests" / "io" / "data"
    by_position = only((folder / "gpx" / "run.gpx").read_bytes(), "gpx")
    by_watch = only((folder / "tcx" / "run.tcx").read_bytes(), "tcx")
    assert channel(by_position, "latitude_deg") == channel(by_watch, "latitude_deg")
    assert by_position.start_at == by_watch.start_at
    metres = [clean(r, signal)[0].distance_m[-1] for r in (by_position, by_watch)]
    assert metres[0] == pytest.approx(4824.94, rel=0.01)


def test_a_garmin_tcx_tells_its_device_laps_and_steps(shared_data: Path) -> None:
    folder = shared_data / "activities" / "runpandas" / "runpandas" / "tests" / "io" / "data" / "tcx"
    recording = only((folder / "run_garmin.tcx").read_bytes(), "tcx")
    assert (recording.sport, recording.device) == (Sport.RUN, "Garmin Forerunner 620")
    assert recording.distance_m == pytest.approx(2153.67)
    assert recording.altitude_source is AltitudeSource.GPS
    assert 140 < np.nanmedian(channel(recording, "cadence_spm")) < 200


@pytest.mark.parametrize(
    "extra",
    [
        "<extensions><t:TPX><t:hr>150</t:hr><t:cad>85</t:cad><t:speed>3.1</t:speed></t:TPX></extensions>",
        "<extensions><hr>150</hr><cadence>85</cadence><speed>3.1</speed></extensions>",
        "<speed>3.1</speed><extensions><gpxdata:hr>150</gpxdata:hr><gpxdata:cadence>170</gpxdata:cadence></extensions>",
    ],
)
def test_extensions_read_alike_under_any_prefix(extra: str) -> None:
    """Garmin's, none, and one that was never declared; cadence as strides and as steps."""
    recording = only(gpx([[point(0, 0, extra), point(1, 3, extra)]]), "gpx")
    assert channel(recording, "heart_rate_bpm") == [150, 150]
    assert channel(recording, "cadence_spm") == [170, 170]
    assert channel(recording, "speed_mps") == [3.1, 3.1]
    assert recording.title == "Tempo & hills"


@pytest.mark.parametrize(
    ("kind", "sport"),
    [
        ("<type>running</type>", Sport.RUN),
        ("<type>9</type>", Sport.RUN),
        ("<type>trail_running</type>", Sport.RUN),
        ("<type>TrailRun</type>", Sport.RUN),
        ("<type>treadmill_running</type>", Sport.TREADMILL),
        ("<type>VirtualRun</type>", Sport.TREADMILL),
        ("<type>ultra_run</type>", Sport.RUN),
        ("<type>cycling</type>", Sport.RIDE),
        ("<type>MountainBikeRide</type>", Sport.RIDE),
        ("<type>hiking</type>", Sport.WALK),
        ("<type>kitesurfing</type>", Sport.OTHER),
        ("<type></type>", Sport.UNKNOWN),
        ("", Sport.UNKNOWN),
    ],
)
def test_the_sport_is_what_the_track_says_and_unknown_where_it_says_nothing(kind: str, sport: Sport) -> None:
    assert only(gpx([[point(0), point(1, 3)]], kind), "gpx").sport is sport


def test_a_gap_between_segments_is_a_pause_only_where_the_runner_got_nowhere(signal: Signal) -> None:
    stood = only(gpx([[point(s, 3 * s) for s in range(31)], [point(100 + s, 95 + 3 * s) for s in range(31)]]), "gpx")
    ran = only(gpx([[point(s, 3 * s) for s in range(31)], [point(100 + s, 300 + 3 * s) for s in range(31)]]), "gpx")
    assert stood.streams is not None
    assert ran.streams is not None
    assert (stood.streams.pauses, ran.streams.pauses) == (((30.0, 100.0),), ())
    assert (clean(stood, signal)[1].paused_s, clean(stood, signal)[1].lost_s) == (70, 0)
    assert (clean(ran, signal)[1].paused_s, clean(ran, signal)[1].lost_s) == (0, 70)


def test_each_track_is_a_recording_in_order_of_time() -> None:
    later, earlier = (f"<trk><name>{n}</name><trkseg>{point(n)}{point(n + 1)}</trkseg></trk>" for n in (900, 100))
    recordings = decode(f"<gpx>{later}{earlier}</gpx>".encode(), "gpx")
    assert [r.title for r in recordings] == ["100", "900"]


@pytest.mark.parametrize(
    ("zone", "start", "utc_offset", "is_noted"),
    [("Z", 8, None, False), ("+02:00", 6, 7200, False), ("-03:30", 11, -12600, False), ("", 8, None, True)],
)
def test_times_are_read_in_their_own_zone(zone: str, start: int, utc_offset: int | None, is_noted: bool) -> None:  # noqa: FBT001
    recording = only(gpx([[point(0.25, zone=zone), point(1.5, 3, zone=zone)]]), "gpx")
    assert recording.start_at.hour == start
    assert recording.start_at.microsecond == 250_000
    assert recording.utc_offset_s == utc_offset
    assert channel(recording, "time_s") == [0, 1.25]
    assert any("no zone" in note for note in recording.notes) is is_noted


def test_points_without_a_time_are_left_out_and_counted() -> None:
    bare = '<trkpt lat="48" lon="16"/>'
    recording = only(gpx([[point(0), bare, point(1, 3)]]), "gpx")
    assert channel(recording, "time_s") == [0, 1]
    assert "1 points without a time were left out" in recording.notes


@pytest.mark.parametrize("size", [400, 600, 800, 1100])
def test_a_cut_off_end_keeps_the_points_before_it(size: int) -> None:
    content = gpx([[point(s, 3 * s) for s in range(50)]])
    whole = content[:size].count(b"</trkpt>")
    assert 0 < whole < 50
    recording = only(content[:size], "gpx")
    assert len(channel(recording, "time_s")) == whole
    assert any("breaks off" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<gpx><rte><rtept lat="1" lon="1"/></rte></gpx>', "a route or a list of places, not an activity"),
        (b'<gpx><trk><trkseg><trkpt lat="1" lon="1"/></trkseg></trk></gpx>', "a track without times"),
        (b"<kml></kml>", "not a GPX file"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "a web page (HTML)"),
        (b'{"message": "Authorization Error"}', "a JSON answer"),
        (b"", "an empty file"),
    ],
)
def test_what_is_no_activity_is_refused_with_what_it_is(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(content, "gpx")
    assert words in caught.value.what


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><gpx><trk><name>&b;</name></trk></gpx>',
        b'<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx><trk><name>&x;</name></trk></gpx>',
        b"<gpx>" + b"<a>" * 100_000,
    ],
)
def test_entities_and_endless_nesting_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="refused"):
        decode(content, "gpx")


def lap(start: int, points: str, sport: str = "") -> str:
    text = (
        f'<Lap StartTime="2026-03-01T08:00:{start:02}Z"><TotalTimeSeconds>10</TotalTimeSeconds>'
        f"<DistanceMeters>30</DistanceMeters><Track>{points}</Track></Lap>"
    )
    return f'<Activity Sport="{sport}"><Id>x</Id>{text}</Activity>' if sport else text


def trackpoint(second: int, metres: float, cadence: int = 85) -> str:
    return (
        f"<Trackpoint><Time>2026-03-01T08:{second // 60:02}:{second % 60:02}Z</Time><AltitudeMeters>20</AltitudeMeters>"
        f"<DistanceMeters>{metres}</DistanceMeters><HeartRateBpm><Value>150</Value></HeartRateBpm>"
        f"<Extensions><ns3:TPX><ns3:Speed>3.0</ns3:Speed><ns3:RunCadence>{cadence}</ns3:RunCadence></ns3:TPX></Extensions>"
        "</Trackpoint>"
    )


def test_laps_are_strung_together_and_a_stop_between_them_is_a_pause() -> None:
    first = lap(0, "".join(trackpoint(s, 3 * s) for s in range(11)))
    second = lap(40, "".join(trackpoint(40 + s, 30 + 3 * s) for s in range(11)))
    creator = "<Creator><Name>Forerunner 945</Name></Creator>"
    body = f'<Activity Sport="Running"><Id>x</Id>{first}{second}<Notes>easy</Notes>{creator}</Activity>'
    recording = only(TCX.format(activities=body).encode(), "tcx")
    assert recording.streams is not None
    assert recording.streams.pauses == ((10.0, 40.0),)
    assert (recording.timer_time_s, recording.distance_m) == (20, 60)
    assert (recording.sport, recording.title, recording.device) == (Sport.RUN, "easy", "Forerunner 945")
    assert recording.altitude_source is AltitudeSource.BAROMETER
    assert (channel(recording, "speed_mps")[0], channel(recording, "cadence_spm")[0]) == (3.0, 170)


def test_a_multisport_session_is_as_many_activities() -> None:
    bike = lap(0, trackpoint(0, 0) + trackpoint(10, 80), "Biking")
    run = lap(30, trackpoint(30, 0) + trackpoint(40, 30), "Running")
    content = TCX.format(activities=f"<MultiSportSession><FirstSport>{bike}</FirstSport><NextSport>{run}</NextSport>"
                         "</MultiSportSession>")  # fmt: skip
    assert [r.sport for r in decode(content.encode(), "tcx")] == [Sport.RIDE, Sport.RUN]


def test_a_tcx_course_is_no_activity() -> None:
    course = "<Courses><Course><Name>x</Name><Track><Trackpoint><Time>2026-03-01T08:00:00Z</Time></Trackpoint></Track>"
    with pytest.raises(UnreadableError, match="This is a course, not an activity"):
        decode(f"<TrainingCenterDatabase>{course}</Course></Courses></TrainingCenterDatabase>".encode(), "tcx")


@pytest.mark.parametrize("before", [b"", b"          ", b"\xef\xbb\xbf", b"\n\n\t", b"\xef\xbb\xbf  \r\n"])
def test_blanks_and_marks_before_the_declaration_do_no_harm(before: bytes) -> None:
    content = before + TCX.format(activities=lap(0, trackpoint(0, 0) + trackpoint(10, 30), "Running")).encode()
    assert sniff(content) == "tcx"
    assert only(content, "tcx").sport is Sport.RUN


def test_utf_16_reads_like_utf_8() -> None:
    text = GPX.format(creator="x", kind="", segments=f"<trkseg>{point(0)}{point(1, 3)}</trkseg>")
    content = text.replace('version="1.0"', 'version="1.0" encoding="UTF-16"').encode("utf-16")
    assert sniff(content) == "gpx"
    assert len(channel(only(content, "gpx"), "time_s")) == 2


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty"),
        (b"  \r\n\0", "empty"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT\x00\x00", "fit"),
        (b"junk\x0e\x10\x00\x00\x00\x00\x00\x00.FIT\x00\x00", "fit"),
        (b"<gpx>", "gpx"),
        (b"<?xml version='1.0'?><!-- <html> --><x:gpx >", "html"),
        (b"<?xml version='1.0'?><ns:TrainingCenterDatabase>", "tcx"),
        (b"<HTML><BODY>", "html"),
        (b" [1, 2]", "json"),
        (b"Activity Date,Name", "unknown"),
    ],
)
def test_content_is_told_by_content_alone(content: bytes, found: str) -> None:
    assert sniff(content) == found


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_calendar_holds_is_no_time_and_stops_nothing(time: str) -> None:
    strange = f'<trkpt lat="48.0" lon="16.0"><time>{time}</time></trkpt>'
    recording = only(gpx([[strange, *(point(s, 3 * s) for s in range(5))]]), "gpx")
    assert recording.start_at == dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize("written", ["1e308", "-1e308", "1" * 400, "nan", "inf", "1e13"])
def test_a_number_that_nothing_can_have_is_unknown_and_breaks_no_arithmetic(written: str) -> None:
    points = "".join(
        f'<trkpt lat="48.2{n:03}" lon="16.4"><ele>{written if n == 5 else 160}</ele>'
        f"<time>2026-03-01T08:00:{n:02}Z</time><extensions><cad>{written}</cad></extensions></trkpt>"
        for n in range(20)
    )
    (recording,) = decode(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>".encode(), "gpx")
    assert recording.streams is not None
    assert np.isfinite(recording.streams.altitude_m).tolist() == [n != 5 for n in range(20)]
    assert not np.isfinite(recording.streams.cadence_spm).any()
