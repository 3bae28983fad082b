"""Files become runs: each once, each with what is known of it, and whatever cannot be counted with its reason."""

import csv
import datetime as dt
import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline
from hamload.errors import ConfigurationError
from hamload.pipeline.intake.putting import Put
from hamload.settings import Settings
from hamload.simulator.fitfile import block, fit_file

type Ask = Callable[..., list[tuple[Any, ...]]]
type Bring = Callable[..., Put]
type Tables = Callable[[Settings], dict[str, list[tuple[Any, ...]]]]

DAY = dt.date(2026, 11, 17)
MORNING = dt.datetime(2026, 11, 17, 9, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
HEADER = [
    "Activity ID", "Activity Date", "Activity Name", "Activity Type", "Activity Description", "Elapsed Time",
    "Distance", "Max Heart Rate", "Relative Effort", "Commute", "Activity Private Note", "Activity Gear", "Filename",
    "Athlete Weight", "Bike Weight", "Elapsed Time", "Moving Time", "Distance", "Perceived Exertion",
]  # fmt: skip


def _row(number: int, at: str, title: str, **cells: str) -> list[str]:
    """Return one line of activities.csv: an hour of running without a distance, where `cells` say nothing else."""
    row = dict.fromkeys(range(len(HEADER)), "")
    row |= {0: str(number), 1: at, 2: title, 3: cells.get("sport", "Run"), 5: "3600", 6: cells.get("km", "")}
    row |= {12: cells.get("file", ""), 15: cells.get("elapsed", "3600"), 16: cells.get("moving", "3600")}
    row |= {17: cells.get("metres", ""), 18: cells.get("effort", "")}
    return list(row.values())


def _export(folder: Path, rows: Sequence[list[str]], **files: bytes) -> Path:
    (folder / "activities").mkdir(parents=True)
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    (folder / "activities.csv").write_text(text.getvalue(), encoding="utf-8")
    for name, content in files.items():
        stem, _, ending = name.partition("_")
        (folder / "activities" / f"{stem}.{ending.replace('_', '.')}").write_bytes(content)
    return folder


def _zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def _ledger(home: Settings) -> dict[str, list[tuple[Any, ...]]]:
    db = sqlite3.connect(home.home / "raw" / "ledger.db")
    try:
        return {
            name: db.execute(f"select * from {name} order by 1, 2, 3").fetchall()  # noqa: S608
            for name in ("documents", "deliveries", "refusals", "cursors")
        }
    finally:
        db.close()


@pytest.fixture
def three_kinds(tmp_path: Path, fit_on: Callable[..., bytes], gpx_of: Callable[..., bytes]) -> Path:
    """Return a folder with a run, a ride, a photo, and a file that is broken."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "run.fit").write_bytes(fit_on(DAY))
    (folder / "ride.gpx").write_bytes(gpx_of(MORNING, mps=7, sport="cycling"))
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "empty.fit").write_bytes(b"")
    return folder


def test_the_same_import_again_changes_no_row_of_the_ledger_and_none_of_any_table(
    home: Settings, bring: Bring, tables: Tables, three_kinds: Path
) -> None:
    first = bring(home, three_kinds)
    before = _ledger(home), tables(home)
    again = bring(home, three_kinds, now=LATER, today=dt.date(2026, 11, 23))
    assert (first.new, first.known, again.new, again.known) == (2, 0, 0, 2)
    assert (_ledger(home), tables(home)) == before


def test_the_same_recording_plain_and_gzipped_is_one_document_and_one_run(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    (tmp_path / "a.fit").write_bytes(fit_on(DAY))
    (tmp_path / "b.fit.gz").write_bytes(gzip.compress(fit_on(DAY)))
    put = bring(home, tmp_path / "a.fit", tmp_path / "b.fit.gz")
    assert (put.offered, put.new, put.known) == (2, 1, 1)
    assert ask(home, "select copies from marts.sessions") == [(0,)]


def test_the_same_run_from_a_watch_and_a_phone_is_counted_once_and_the_better_recording_speaks(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes], gpx_of: Callable[..., bytes]
) -> None:
    (tmp_path / "watch.fit").write_bytes(fit_on(DAY, start=dt.time(6, 0)))
    (tmp_path / "phone.gpx").write_bytes(gpx_of(MORNING + dt.timedelta(minutes=3), minutes=25))
    bring(home, tmp_path / "watch.fit", tmp_path / "phone.gpx")
    assert ask(home, "select format, copies from marts.sessions") == [("fit", 1)]
    assert ask(home, "select count(*), sum(is_primary::int) from marts.activities") == [(2, 1)]


def test_an_export_as_zip_and_unpacked_gives_the_same_activities(
    home: Settings, bring: Bring, tables: Tables, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    rows = [
        _row(1, "17 Nov 2026, 10:10:00", "Hills, then home", file="activities/99.fit.gz"),
        _row(2, "18 Nov 2026, 10:00:00", "By hand", km="10.00", metres="10000"),
    ]
    folder = _export(tmp_path / "export", rows, **{"99_fit_gz": gzip.compress(fit_on(DAY))})
    bring(home, _zipped(folder))
    before = tables(home)
    put = bring(home, folder, now=LATER, today=dt.date(2026, 11, 23))
    assert (put.new, put.known) == (0, 2)
    assert tables(home) == before


def test_names_in_the_exports_table_become_titles_and_a_folder_without_names_takes_none_away(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    row = _row(1, "17 Nov 2026, 10:10:00", "Hills, then home", file="activities/99.fit")
    bring(home, _export(tmp_path / "export", [row], **{"99_fit": fit_on(DAY)}))
    (tmp_path / "again.fit").write_bytes(fit_on(DAY))
    bring(home, tmp_path / "again.fit", now=LATER)
    assert ask(home, "select title, copies from marts.sessions") == [("Hills, then home", 0)]


def test_a_title_that_is_changed_and_changed_back_is_the_one_named_last(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    for night, title in enumerate(("First", "Second", "First")):
        row = _row(1, "17 Nov 2026, 10:10:00", title, file="activities/99.fit")
        folder = _export(tmp_path / str(night), [row], **{"99_fit": fit_on(DAY)})
        bring(home, folder, now=LATER + dt.timedelta(days=night))
        assert ask(home, "select title from marts.sessions") == [(title,)]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        # 12 km in an hour at the default easy speed: (3.33 / 2.8) ** 1.9 * 60 minutes.
        ({"metres": "12000"}, (83.56, "summary", "low", "Only distance and time are known")),
        # 60 minutes * 6/10 * the shipped 0.333 EFM for each minute and point of effort; the usual effort is 4.
        ({"effort": "6"}, (119.88, "duration", "very low", "the effort of 6/10 that you entered")),
        ({}, (79.92, "duration", "very low", "a usual effort, as none was entered")),
        # An effort of 70 out of 10 and a speed of 100 m/s are typing errors: what remains is an hour.
        ({"effort": "70"}, (79.92, "duration", "very low", "a usual effort, as none was entered")),
        ({"metres": "360000"}, (79.92, "duration", "very low", "a usual effort, as none was entered")),
        # A moving time of 0 was never filled in: the elapsed hour stands.
        ({"metres": "12000", "moving": "0"}, (83.56, "summary", "low", "Only distance and time are known")),
    ],
    ids=["distance", "effort", "hour", "absurd effort", "absurd distance", "no moving time"],
)
def test_a_run_typed_in_by_hand_has_a_load_a_confidence_and_a_sentence(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, cells: dict[str, str], told: tuple[float, str, str, str]
) -> None:
    bring(home, _export(tmp_path / "export", [_row(2, "18 Nov 2026, 10:00:00", "By hand", **cells)]))
    ((efm, basis, confidence, why, time_s, metres, is_hill),) = ask(
        home,
        "select load_efm, basis, confidence, confidence_why, moving_time_s, distance_m, is_hill from marts.sessions",
    )
    assert efm == pytest.approx(told[0], abs=0.01)
    assert (basis, confidence, time_s, is_hill) == (told[1], told[2], 3600, None)
    assert metres == (12000 if basis == "summary" else None)
    assert told[3] in why


def test_a_treadmill_run_counts_its_minutes_and_says_where_they_came_from(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_of_legs: Callable[..., bytes]
) -> None:
    (tmp_path / "belt.fit").write_bytes(fit_of_legs(MORNING, [("running", "treadmill", 30, 2.8)]))
    bring(home, tmp_path / "belt.fit")
    ((load, sport, basis, confidence, why),) = ask(
        home, "select load_efm, sport, basis, confidence, confidence_why from marts.sessions"
    )
    # The easy speed is the run's own median, 2.8 m/s: half an hour of it is 30 EFM.
    assert load == pytest.approx(30, abs=0.1)
    assert (sport, basis, confidence) == ("treadmill", "treadmill", "medium")
    assert "incline as entered, flat where none was" in why


def test_a_run_without_altitude_counts_as_flat_and_its_hills_are_unknown(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, gpx_of: Callable[..., bytes]
) -> None:
    (tmp_path / "flat.gpx").write_bytes(gpx_of(MORNING, minutes=30, altitude_m=None))
    bring(home, tmp_path / "flat.gpx")
    ((load, basis, confidence, why, is_hill),) = ask(
        home, "select load_efm, basis, confidence, confidence_why, is_hill from marts.sessions"
    )
    assert load == pytest.approx(30, abs=0.2)
    assert (basis, confidence, is_hill) == ("streams without altitude", "medium", None)
    assert "climbs count as flat" in why


def test_a_ride_a_swim_and_yoga_are_kept_and_never_counted(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_of_legs: Callable[..., bytes]
) -> None:
    sports = (("cycling", "road"), ("swimming", "open_water"), ("training", "yoga"))
    for hour, (sport, sub_sport) in enumerate(sports):
        content = fit_of_legs(MORNING + dt.timedelta(hours=hour), [(sport, sub_sport, 20, 2.8)])
        (tmp_path / f"{sub_sport}.fit").write_bytes(content)
    put = bring(home, tmp_path)
    assert put.new == 3
    assert ask(home, "select sport, session_id, is_primary from marts.activities order by start_at") == [
        ("ride", None, False),
        ("swim", None, False),
        ("strength", None, False),
    ]
    for table in ("sessions", "daily_load", "alerts", "unreadable"):
        assert ask(home, f"from marts.{table}") == []


def test_a_triathlon_gives_one_activity_for_each_leg_and_only_its_run_counts(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_of_legs: Callable[..., bytes]
) -> None:
    legs = [
        ("swimming", "open_water", 10, 1.0),
        ("cycling", "road", 20, 8.0),
        ("transition", "generic", 2, 1.0),
        ("running", "street", 30, 2.8),
    ]
    (tmp_path / "race.fit").write_bytes(fit_of_legs(MORNING, legs))
    bring(home, tmp_path / "race.fit")
    assert ask(home, "select sport from marts.activities order by start_at") == [
        ("swim",),
        ("ride",),
        ("other",),
        ("run",),
    ]
    ((started, load),) = ask(home, "select start_at, load_efm from marts.sessions")
    assert started == MORNING + dt.timedelta(minutes=32)
    assert load == pytest.approx(30, abs=0.1)


def test_a_real_race_gives_seven_activities_and_two_runs_and_its_leg_without_a_sport_is_not_guessed_at(
    home: Settings, bring: Bring, ask: Ask, shared_data: Path
) -> None:
    bring(home, shared_data / "activities/python-fitparse/tests/files/activity-large-fenxi2-multisport.fit")
    assert ask(home, "select count(*) from marts.activities") == [(7,)]
    assert ask(home, "select count(*), count(distinct start_at) from marts.sessions where load_efm > 0") == [(2, 2)]
    ((reason,),) = ask(home, "select reason from marts.unreadable")
    assert "names no sport, while other parts of its file do" in reason


def _strength(start: dt.datetime, *sets: tuple[str, int, int]) -> bytes:
    at = start.timestamp()
    blocks = [block("file_id", type="activity", manufacturer="development", product=0, time_created=at)]
    for index, (category, subtype, repetitions) in enumerate(sets):
        blocks.append(
            block(
                "set",
                timestamp=at + 60 * index,
                start_time=at + 60 * index,
                duration=40.0,
                repetitions=repetitions,
                set_type="active" if repetitions else "rest",
                category=category,
                category_subtype=subtype,
                message_index=index,
            )
        )
    session = block(
        "session",
        timestamp=at + 600,
        start_time=at,
        sport="training",
        sub_sport="strength_training",
        total_elapsed_time=600.0,
        total_timer_time=600.0,
    )
    return fit_file([*blocks, session])


def test_leg_curls_that_a_watch_recognised_are_a_curl_session_and_no_load(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path
) -> None:
    ball, single_leg, hip_raise_alone = ("leg_curl", 10), ("hip_raise", 43), ("hip_raise", 11)
    sets = (*ball, 8), (*ball, 0), (*single_leg, 5), (*hip_raise_alone, 12), ("curl", 3, 10)
    (tmp_path / "gym.fit").write_bytes(_strength(MORNING, *sets))
    bring(home, tmp_path / "gym.fit")
    assert ask(home, "select local_date, sets, repetitions, exercises from marts.curl_sessions") == [
        (DAY, 2, 13, ["single_leg_swiss_ball_hip_raise_and_leg_curl", "swiss_ball_hip_raise_and_leg_curl"])
    ]
    assert ask(home, "from marts.sessions") == []


def test_a_real_set_of_arm_curls_is_kept_and_is_no_hamstring_curl(
    home: Settings, bring: Bring, ask: Ask, shared_data: Path
) -> None:
    bring(home, shared_data / "activities" / "openfitness")
    assert ask(home, "select category, repetitions from landing.strength_sets") == [("curl", 9)]
    assert ask(home, "select sport, local_date from marts.activities") == [("strength", dt.date(2019, 4, 13))]
    assert ask(home, "from marts.curl_sessions") == []


def test_what_cannot_be_read_is_listed_with_its_reason_and_the_others_arrive(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.fit").write_bytes(fit_on(DAY))
    (folder / "empty.fit").write_bytes(b"")
    (folder / "page.gpx").write_bytes(b"<!doctype html><html><body>502 Bad Gateway</body></html>")
    (folder / "route.gpx").write_bytes(b'<gpx><rte><rtept lat="1" lon="1"/></rte></gpx>')
    (folder / "cut.fit").write_bytes(fit_on(DAY)[:20])
    bring(home, folder)
    reasons = {Path(name).name: reason for name, reason in ask(home, "select name, reason from marts.unreadable")}
    assert sorted(reasons) == ["cut.fit", "empty.fit", "page.gpx", "route.gpx"]
    assert "empty" in reasons["empty.fit"]
    assert "web page" in reasons["page.gpx"]
    assert "a route or a list of places" in reasons["route.gpx"]
    assert len(ask(home, "from marts.sessions")) == 1


def test_what_was_refused_is_listed_until_the_file_is_mended_or_gone(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.fit").write_bytes(b"")
    (folder / "b.fit").write_bytes(b"")
    (folder / "c.fit").write_bytes(fit_on(DAY)[:20])
    bring(home, folder)
    assert len(ask(home, "from marts.unreadable")) == 3
    (folder / "a.fit").write_bytes(fit_on(DAY))
    (folder / "b.fit").unlink()
    (folder / "c.fit").write_bytes(fit_on(DAY, start=dt.time(17, 0)))
    bring(home, folder, now=LATER)
    assert ask(home, "from marts.unreadable") == []
    assert len(ask(home, "from marts.sessions")) == 2


def test_a_file_that_vanishes_while_it_is_read_is_listed_and_stops_nothing(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Callable[..., bytes], monkeypatch: Any
) -> None:
    (tmp_path / "gone.fit").write_bytes(fit_on(DAY))
    (tmp_path / "here.fit").write_bytes(fit_on(DAY, start=dt.time(17, 0)))
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: read(p if p.name != "gone.fit" else p.with_name("no such file")))
    put = bring(home, tmp_path / "gone.fit", tmp_path / "here.fit")
    assert (put.new, len(put.refused)) == (1, 1)
    ((reason,),) = ask(home, "select reason from marts.unreadable")
    assert "No such file" in reason


@pytest.mark.parametrize(("mps", "is_counted"), [(2.8, True), (7.0, False), (1.2, False)])
def test_a_track_that_names_no_sport_is_a_run_at_a_runners_speed_alone_and_says_so(
    home: Settings,
    bring: Bring,
    ask: Ask,
    tmp_path: Path,
    gpx_of: Callable[..., bytes],
    mps: float,
    *,
    is_counted: bool,
) -> None:
    (tmp_path / "t.gpx").write_bytes(gpx_of(MORNING, mps=mps, sport=None))
    bring(home, tmp_path / "t.gpx")
    assert len(ask(home, "from marts.sessions")) == is_counted
    ((notes,),) = ask(home, "select notes from marts.activities")
    assert any("names no sport" in note for note in notes)
    listed = ask(home, "select reason from marts.unreadable")
    assert bool(listed) is not is_counted
    assert all("import it with --sport run if it was one" in reason for (reason,) in listed)


def test_the_sport_that_the_runner_names_counts_a_track_and_a_later_import_without_it_does_not_undo_that(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, gpx_of: Callable[..., bytes]
) -> None:
    (tmp_path / "slow.gpx").write_bytes(gpx_of(MORNING, mps=1.2, sport=None))
    bring(home, tmp_path / "slow.gpx")
    for night, sport in enumerate(("run", "", "walk", "run")):
        bring(home, tmp_path / "slow.gpx", now=LATER + dt.timedelta(days=night), sport=sport)
        is_run = sport != "walk"
        assert len(ask(home, "from marts.sessions")) == is_run
        assert ask(home, "from marts.unreadable") == []


@pytest.mark.parametrize(
    "start",
    [dt.datetime(1990, 6, 1, 9, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, 9, tzinfo=dt.UTC)],
    ids=["1990", "in the future"],
)
def test_a_run_of_a_clock_that_was_wrong_is_listed_and_neither_counted_nor_taken_for_reported_days(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, gpx_of: Callable[..., bytes], start: dt.datetime
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "wrong.gpx").write_bytes(gpx_of(start))
    (folder / "right.gpx").write_bytes(gpx_of(MORNING))
    bring(home, folder)
    assert ask(home, "select local_date from marts.sessions") == [(DAY,)]
    ((name, reason),) = ask(home, "select name, reason from marts.unreadable")
    assert name.endswith("wrong.gpx")
    assert f"dated {start.date()}" in reason
    # The folder reports on 17 November alone; the days after it are unknown, whatever the wrong clock says.
    assert ask(home, "select count(*) from marts.daily_load where series = 'total' and is_known") == [(1,)]
    assert ask(home, "select covered_until, newest_activity_at <= now() from marts.source_health")[0][0] == DAY


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"through": dt.date(2026, 12, 24)}, "lies in the future"),
        ({"through": dt.date(2026, 11, 20), "gaps": "unknown"}, "that they are not"),
    ],
)
def test_nobody_can_vouch_for_days_to_come_or_for_files_that_are_not_complete(
    home: Settings, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    night = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
    with pytest.raises(ConfigurationError, match=says):
        pipeline.put_files(home, [tmp_path], "me", night, **options)
    assert not (home.home / "raw").exists()


def test_a_home_with_rides_alone_has_nothing_to_say_yet_and_says_so(
    home: Settings, bring: Bring, tmp_path: Path, gpx_of: Callable[..., bytes]
) -> None:
    (tmp_path / "ride.gpx").write_bytes(gpx_of(MORNING, mps=7, sport="cycling"))
    bring(home, tmp_path / "ride.gpx")
    assert pipeline.known_athletes(home) == []
    with pytest.raises(Exception, match="nothing to say of me yet"):
        pipeline.overview(home)
