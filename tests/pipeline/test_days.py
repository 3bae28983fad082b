"""Which days are rest, which are unknown, and what an unknown day withholds."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline
from hamload.errors import HamloadError
from hamload.pipeline.intake.putting import Put
from hamload.pipeline.setup import accounts
from hamload.settings import Settings
from hamload.sources import files

type Ask = Callable[..., list[tuple[Any, ...]]]
type Bring = Callable[..., Put]
type Fit = Callable[..., bytes]
type HomeWith = Callable[[Path, str], Settings]

FIRST = dt.date(2026, 11, 2)
NIGHT = dt.datetime(2026, 11, 13, 3, 30, tzinfo=dt.UTC)


def _day(number: int) -> dt.date:
    """Return the n-th day from 2 November on, counted from 1."""
    return FIRST + dt.timedelta(days=number - 1)


def _runs(folder: Path, fit_on: Fit, *numbers: int, minutes: float = 20) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in numbers:
        paths.append(folder / f"{_day(number)}.fit")
        paths[-1].write_bytes(fit_on(_day(number), minutes=minutes))
    return paths


def _drawn(home: Settings, ask: Ask) -> str:
    """Return the total series in signs: R a run, 0 rest, ? unknown."""
    rows = ask(home, "select load_efm from marts.daily_load where series = 'total' order by date")
    return "".join("?" if load is None else "0" if load == 0 else "R" for (load,) in rows)


def test_in_a_folder_the_days_between_its_runs_are_rest_and_those_after_them_unknown(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    _runs(tmp_path / "in", fit_on, 1, 3, 6)
    bring(home, tmp_path / "in", now=NIGHT)
    assert _drawn(home, ask) == "R0R00R?????"


def test_between_single_files_the_days_are_unknown(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    bring(home, *_runs(tmp_path / "in", fit_on, 1, 3, 6), now=NIGHT)
    assert _drawn(home, ask) == "R?R??R?????"


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("is_folder", "options", "drawn"),
    [
        (True, {"gaps": "unknown"}, "R?R??R?????"),
        (False, {"gaps": "rest"}, "R0R00R?????"),
        (True, {"through": _day(9)}, "R0R00R000??"),
        (False, {"through": _day(9)}, "R0R00R000??"),
        (True, {"through": _day(2)}, "R0R00R?????"),
        (True, {"through": _day(12)}, "R0R00R00000"),
    ],
)
def test_the_runner_can_say_what_the_gaps_are_and_how_far_the_files_are_complete(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit, *, is_folder: bool, options: Any, drawn: str
) -> None:
    paths = _runs(tmp_path / "in", fit_on, 1, 3, 6)
    bring(home, *([tmp_path / "in"] if is_folder else paths), now=NIGHT, **options)
    assert _drawn(home, ask) == drawn


def test_a_folder_without_a_recording_reports_on_no_day_of_files_that_came_before(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    bring(home, *_runs(tmp_path / "single", fit_on, 1, 3, 6), now=NIGHT)
    (tmp_path / "empty").mkdir()
    bring(home, tmp_path / "empty", now=NIGHT + dt.timedelta(minutes=1))
    assert _drawn(home, ask) == "R?R??R?????"


def test_a_later_import_fills_what_was_unknown_and_takes_no_rest_back(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    _runs(tmp_path / "first", fit_on, 1, 3)
    bring(home, tmp_path / "first", now=NIGHT)
    assert _drawn(home, ask) == "R0R????????"
    bring(home, *_runs(tmp_path / "second", fit_on, 6), now=NIGHT + dt.timedelta(minutes=1))
    assert _drawn(home, ask) == "R0R??R?????"


def _watched(tmp_path: Path, home_with: HomeWith, *, reports_rest: bool) -> Settings:
    return home_with(
        tmp_path / "home",
        f'time_zone = "America/Recife"\n[[folders]]\npath = "{tmp_path / "watched"}"\n'
        # Each report would cost more than its night, and no test here looks into one.
        f"reports_rest = {str(reports_rest).lower()}\n[show]\nnightly_report = false\n",
    )


def _night(home: Settings, number: int) -> pipeline.Night:
    """Run the night after the n-th day: at 3:30 UTC it is half past midnight of the next day in Recife."""
    now = dt.datetime.combine(_day(number + 1), dt.time(3, 30), tzinfo=dt.UTC)
    with pipeline.exclusive(home):
        return pipeline.night(home, now, today=_day(number + 1))


def _read(home: Settings, number: int) -> None:
    """Do what the night after the n-th day does before it tells anybody, which takes it longer than all of this."""
    now = dt.datetime.combine(_day(number + 1), dt.time(3, 30), tzinfo=dt.UTC)
    with pipeline.exclusive(home):
        for folder in home.folders:
            pipeline.put_folder(home, folder, now)
        pipeline.refresh(home, _day(number + 1), now=now)


@pytest.mark.parametrize(("reports_rest", "drawn"), [(True, "R0R0000"), (False, "R?R????")])
def test_a_watched_folder_reports_rest_up_to_yesterday_where_it_receives_every_run(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit, *, reports_rest: bool, drawn: str
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=reports_rest)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    assert _night(home, 7).failed_sources == ()
    assert _drawn(home, ask) == drawn


def test_today_may_still_bring_a_run_and_is_no_day_of_rest_before_the_night(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1)
    _read(home, 2)
    assert _drawn(home, ask) == "R0"
    _runs(tmp_path / "watched", fit_on, 3)
    _read(home, 2)
    assert _drawn(home, ask) == "R0R"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("left", ["", "an empty folder", "a note in it"])
def test_a_folder_that_is_gone_is_a_failure_with_its_remedy_and_its_later_days_are_unknown_not_rest(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit, left: str
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    _read(home, 4)
    (tmp_path / "watched").rename(tmp_path / "elsewhere")
    if left:
        (tmp_path / "watched").mkdir()
    if left == "a note in it":
        (tmp_path / "watched" / "READ ME.txt").write_text("This disk is not connected.")
    failed = _night(home, 7).failed_sources
    assert len(failed) == 1
    assert str(tmp_path / "watched") in failed[0]
    assert _drawn(home, ask) == "R0R0???"
    ((is_failing, message, remedy, covered, newest),) = ask(
        home, "select is_failing, message, remedy, covered_until, newest_activity_at from marts.source_health"
    )
    assert is_failing
    says = {"": "is not there", "an empty folder": "is empty, though it has held", "a note in it": "holds no recording"}
    assert says[left] in message
    assert "config.toml" in remedy
    assert (covered, newest.date()) == (_day(4), _day(3))
    facts = pipeline.overview(home)
    assert "Connect it" in facts.sources[0].remedy
    assert "3 days of the last 35 are unknown, not rest" in facts.unknowns[0]


def test_recordings_that_are_gone_from_a_folder_are_told_once_and_stay_counted(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3, 4)
    _read(home, 5)
    first, second, _ = sorted((tmp_path / "watched").iterdir())
    first.rename(tmp_path / "elsewhere.fit")
    second.rename(second.with_stem("renamed"))
    assert not _night(home, 6).failed_sources
    assert _drawn(home, ask) == "R0RR00"
    (told,) = ask(home, "select is_failing, message from marts.source_health")
    assert told == (
        False,
        "No longer in the folder since it was read last: 1 of 3 recordings. What they held stays counted.",
    )
    _read(home, 7)
    assert ask(home, "select message from marts.source_health") == [("",)]


def test_a_recording_that_the_disk_does_not_give_makes_its_days_unknown_and_the_others_still_arrive(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    _read(home, 4)
    _runs(tmp_path / "watched", fit_on, 5)
    # Reading it ends in an input/output error, as on a disk that fails; a file's rights do not bind who may all.
    (tmp_path / "watched" / "bad.fit").symlink_to("/proc/self/mem")
    (failed,) = _night(home, 7).failed_sources
    assert f"cannot be read as a whole: not {tmp_path / 'watched' / 'bad.fit'}." in failed
    assert _drawn(home, ask) == "R0R0R??"
    (tmp_path / "watched" / "bad.fit").unlink()
    assert not _night(home, 8).failed_sources
    assert _drawn(home, ask) == "R0R0R000"


def test_a_subfolder_that_may_not_be_looked_into_is_a_failure_of_its_folder(
    tmp_path: Path, home_with: HomeWith, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    shut = tmp_path / "watched" / "2026-12"
    _runs(shut, fit_on, 5)
    shut.chmod(0)
    without = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if without and shutil.which("setpriv") is None:
        pytest.skip("nobody here can be held to a folder's rights: setpriv is not there")
    try:
        told = subprocess.run(
            [*without, str(Path(sys.executable).with_name("hamload")), "sync", "--home", str(home.home), "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        shut.chmod(0o700)
    assert told.returncode == 1
    (problem,) = [
        line
        for line in json.loads(told.stdout)["problems"]
        if "2026-12" in line and "cannot be read as a whole" in line
    ]
    assert "mend its rights" in problem


def test_the_documents_of_a_home_within_its_watched_folder_are_no_recordings_of_that_folder(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = home_with(
        tmp_path / "watched" / "home",
        f'time_zone = "America/Recife"\n[[folders]]\npath = "{tmp_path / "watched"}"\nreports_rest = true\n'
        "[show]\nnightly_report = false\n",
    )
    runs = _runs(tmp_path / "watched", fit_on, 1, 3)
    assert not _night(home, 4).failed_sources
    for run in runs:
        run.unlink()
    (failed,) = _night(home, 7).failed_sources
    assert "is empty, though it has held recordings" in failed
    assert _drawn(home, ask) == "R0R0???"


def test_a_folder_that_comes_back_is_well_again_and_fills_the_days(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    (tmp_path / "watched").rename(tmp_path / "elsewhere")
    with pytest.raises(HamloadError, match="is not there"):
        pipeline.put_folder(home, home.folders[0], NIGHT - dt.timedelta(days=9))
    (tmp_path / "elsewhere").rename(tmp_path / "watched")
    _read(home, 7)
    assert _drawn(home, ask) == "R0R0000"
    assert ask(home, "select is_failing, message, activities from marts.source_health") == [(False, "", 2)]


def test_a_folder_that_was_also_imported_by_hand_goes_on_reporting_rest(
    tmp_path: Path, home_with: HomeWith, bring: Bring, ask: Ask, fit_on: Fit
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    _read(home, 4)
    bring(home, tmp_path / "watched", now=dt.datetime.combine(_day(5), dt.time(9), tzinfo=dt.UTC))
    _read(home, 7)
    assert _drawn(home, ask) == "R0R0000"
    assert ask(home, "select source, activities from marts.source_health") == [
        ("files", 2),
        (f"folder:{tmp_path / 'watched'}", 2),
    ]


def test_an_unknown_day_has_no_load_and_withholds_every_ratio_whose_window_holds_it(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    night = dt.datetime.combine(_day(66), dt.time(3, 30), tzinfo=dt.UTC)
    _runs(tmp_path / "first", fit_on, *range(1, 32, 2))
    _runs(tmp_path / "second", fit_on, *range(33, 66, 2))
    bring(home, tmp_path / "first", now=night)
    bring(home, tmp_path / "second", now=night + dt.timedelta(minutes=1))
    drawn = _drawn(home, ask)
    assert [number for number, sign in enumerate(drawn, 1) if sign == "?"] == [32]
    rows = ask(
        home,
        "select acwr_coupled, acwr_uncoupled, acwr_ewma, withheld_why from marts.daily_load"
        " where series = 'total' order by date",
    )
    # The first 27 days build the baseline; day 32 lies in the windows of days 32 to 59.
    has_ratio = {number for number, row in enumerate(rows, 1) if row[0] is not None and row[1] is not None}
    assert has_ratio == {28, 29, 30, 31, *range(60, 66)}
    for number, (*found, why) in enumerate(rows, 1):
        assert all((ratio is not None) == (number in has_ratio) for ratio in found)
        is_baseline = number < 28
        expected = None if number in has_ratio else f"day {number} of 28" if is_baseline else "unknown"
        assert (why is None) if expected is None else (expected in why)
    ((load, is_known),) = ask(
        home, "select load_efm, is_known from marts.daily_load where series = 'total' and date = ?", _day(32)
    )
    assert (load, is_known) == (None, False)
    # A comparison with the longest of the 30 days before needs all of them too, as far as there is a history.
    spikes = ask(home, "select local_date, spike_distance is not null from marts.sessions order by start_at")
    assert [day for day, is_there in spikes if is_there] == [*map(_day, range(3, 32, 2)), _day(63), _day(65)]


def test_before_the_28th_day_nothing_is_judged_by_a_ratio_and_from_it_on_nothing_is_a_baseline(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    _runs(tmp_path / "in", fit_on, *range(1, 31))
    bring(home, tmp_path / "in", now=dt.datetime.combine(_day(31), dt.time(3, 30), tzinfo=dt.UTC))
    days = [
        (state, {reason["rule"] for reason in json.loads(reasons)})
        for state, reasons in ask(home, "select state, reasons from marts.alerts order by date")
    ]
    ratios = {"uncoupled_ratio", "ewma_ratio", "heavy_ratio", "heavy_unjudged"}
    # Two hard runs close together, or days too much alike, need no history to be seen.
    assert {state for state, _ in days[:27]} == {"baseline", "caution"}
    assert not ratios & set().union(*(rules for _, rules in days[:27]))
    assert "baseline" not in {state for state, _ in days[27:]}


def test_a_run_belongs_to_the_day_of_its_own_clock_and_a_document_without_one_to_the_runners_zone(
    home: Settings, bring: Bring, ask: Ask, tmp_path: Path, fit_on: Fit, gpx_of: Callable[..., bytes]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    # 8:00 in Auckland is still the evening before in UTC and in Recife; the watch says +13 hours.
    (folder / "auckland.fit").write_bytes(fit_on(_day(3), start=dt.time(8, 0), zone="Pacific/Auckland"))
    # 23:50 in Recife on the fifth day is 2:50 UTC on the sixth.
    (folder / "midnight.fit").write_bytes(fit_on(_day(5), start=dt.time(23, 50)))
    # GPX tells UTC alone: 1:00 UTC on the eighth day is 22:00 on the seventh at home.
    (folder / "phone.gpx").write_bytes(gpx_of(dt.datetime.combine(_day(8), dt.time(1), tzinfo=dt.UTC)))
    bring(home, folder, now=NIGHT)
    days = ask(home, "select local_date, epoch(start_at) from marts.sessions order by start_at")
    assert [day for day, _ in days] == [_day(3), _day(5), _day(7)]
    assert [dt.datetime.fromtimestamp(at, tz=dt.UTC).date() for _, at in days] == [_day(2), _day(6), _day(8)]
    assert _drawn(home, ask) == "R0R0R????"


def test_abroad_a_run_whose_day_has_not_begun_at_home_is_counted_at_once(
    home: Settings, ask: Ask, tmp_path: Path, fit_on: Fit
) -> None:
    (tmp_path / "auckland.fit").write_bytes(fit_on(_day(3), start=dt.time(8, 0), zone="Pacific/Auckland"))
    (tmp_path / "recife.fit").write_bytes(fit_on(_day(1)))
    evening = dt.datetime.combine(_day(2), dt.time(22, 0), tzinfo=dt.UTC)
    with pipeline.exclusive(home):
        pipeline.put_files(home, [tmp_path / "auckland.fit", tmp_path / "recife.fit"], "me", evening)
        _, failures = pipeline.refresh(home, _day(2))
    assert failures == []
    assert ask(home, "from marts.unreadable") == []
    assert _drawn(home, ask) == "R?R"


def test_a_day_looked_back_at_knows_nothing_of_the_days_after_it(
    home: Settings, bring: Bring, tmp_path: Path, fit_on: Fit
) -> None:
    bring(home, *_runs(tmp_path / "in", fit_on, 1, 3, 6), now=NIGHT)
    then = pipeline.overview(home, on=_day(3))
    assert (then.as_of, then.last_7.runs, then.last_7.known_days) == (_day(3), 2, 2)
    assert then.unknowns[0].startswith("1 day of the last 35 is unknown")


def test_files_that_nobody_touched_are_not_read_again_and_touched_ones_are(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3, 5)
    (tmp_path / "watched" / "notes.txt").write_text("no recording")
    first, second, third, notes = sorted((tmp_path / "watched").iterdir())
    # Written long ago, as far as the night can see: what changed within its own tick is always read again.
    monkeypatch.setattr(files, "_TICK_S", 0)
    time.sleep(0.05)
    read: list[Path] = []
    bounded = files._bounded

    def noted(path: Path, limits: files.Limits) -> bytes:
        read.append(path)
        return bounded(path, limits)

    monkeypatch.setattr(files, "_bounded", noted)
    _read(home, 7)
    assert read == [first, second, third, notes]
    read.clear()
    _read(home, 8)
    assert read == [notes], "what was not kept may be readable to another version"
    read.clear()
    # The same size and the same time of change: a copy that keeps times, or a clock set back.
    was, longer = second.stat(), fit_on(_day(3), minutes=35)
    second.write_bytes(longer + b"\0" * (was.st_size - len(longer)) if len(longer) < was.st_size else longer)
    os.utime(second, ns=(was.st_atime_ns, was.st_mtime_ns))
    third.write_bytes(fit_on(_day(6)))
    _read(home, 9)
    # What those held lies in no other file, as far as these were read before: only they are asked.
    assert sorted(read) == sorted([second, third, notes])
    assert _drawn(home, ask) == "R0R0RR000"


def test_a_folder_that_is_forgotten_is_read_anew(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _watched(tmp_path, home_with, reports_rest=True)
    _runs(tmp_path / "watched", fit_on, 1, 3)
    monkeypatch.setattr(files, "_TICK_S", 0)
    time.sleep(0.05)
    _read(home, 7)
    with pipeline.exclusive(home):
        accounts.forget(home, f"folder:{home.folders[0].path}", "me", NIGHT)
    _read(home, 8)
    assert _drawn(home, ask) == "R0R00000"
