"""Sessions from recordings to tables: what the runner decides, what is doubted, what changes; and a rebuild agrees."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from hamload import pipeline
from hamload.api import open as opened
from hamload.errors import ConfigurationError, HamloadError
from hamload.pipeline.intake import folders
from hamload.pipeline.joining import deciding
from hamload.raw import Raw
from hamload.sources import files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hamload.merging.decisions import Action
    from hamload.pipeline.intake.putting import Put
    from hamload.settings import Settings

    type Ask = Callable[..., list[tuple[Any, ...]]]
    type Bring = Callable[..., Put]
    type Fit = Callable[..., bytes]
    type Gpx = Callable[..., bytes]
    type HomeWith = Callable[[Path, str], Settings]
    type Tables = Callable[[Settings], dict[str, list[tuple[Any, ...]]]]

TODAY = dt.date(2026, 11, 23)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
LATER = NIGHT + dt.timedelta(minutes=1)
CONFIG = 'time_zone = "America/Recife"\n[import]\nworkers = 1\n'


@pytest.fixture
def kept(tmp_path: Path, home_with: HomeWith) -> Settings:
    """Return an empty home."""
    return home_with(tmp_path / "home", CONFIG)


def _at(day: int, hour: float = 10) -> dt.datetime:
    """Return a moment of November 2026: 10:00 UTC is 7 in the morning in Recife."""
    return dt.datetime(2026, 11, day, tzinfo=dt.UTC) + dt.timedelta(hours=hour)


def _give(home: Settings, source: str, *given: tuple[str, str, bytes], now: dt.datetime = NIGHT, **facts: Any) -> None:
    """Deliver documents as a service would: (its own id, format, content)."""
    with Raw(home.home) as raw, raw.batch(source, "me", now) as batch:
        for external_id, format_, content in given:
            batch.put(content, format_, name=f"{source}/{external_id}", external_id=external_id, facts=facts)
        batch.report(is_history=True)


def _refresh(home: Settings) -> None:
    with pipeline.exclusive(home):
        _, failures = pipeline.refresh(home, TODAY, now=NIGHT)
    assert failures == []


def _sessions(home: Settings, ask: Ask) -> list[tuple[Any, ...]]:
    return ask(home, "select session_id, copies, round(load_efm) from marts.sessions order by start_at")


def _ids(home: Settings, ask: Ask) -> list[str]:
    return [row[0] for row in _sessions(home, ask)]


def _drawn(home: Settings, ask: Ask) -> str:
    """Return the total series in signs: R a run, 0 rest, ? unknown."""
    rows = ask(home, "select load_efm from marts.daily_load where series = 'total' order by date")
    return "".join("?" if load is None else "0" if load == 0 else "R" for (load,) in rows)


def _summary(start: dt.datetime, minutes: float | None, km: float, sport: str = "run", **more: Any) -> bytes:
    told = {"start_at": start.isoformat(), "sport": sport, "distance_m": 1000 * km, **more}
    return json.dumps(told if minutes is None else told | {"moving_time_s": 60 * minutes}).encode()


def _track(start: dt.datetime, *legs: tuple[float, float], step_s: int = 5) -> bytes:
    """Return a GPX track straight north of legs (minutes, m/s)."""
    points, way, second = [], 0.0, 0
    for minutes, mps in legs:
        for _ in range(0, int(60 * minutes), step_s):
            at = start + dt.timedelta(seconds=second)
            points.append(
                f'<trkpt lat="{-8.05 + way / 111_195:.7f}" lon="-34.9"><time>{at:%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
            )
            way, second = way + mps * step_s, second + step_s
    kind = "<type>running</type>"
    return f'<gpx version="1.1" creator="b"><trk>{kind}<trkseg>{"".join(points)}</trkseg></trk></gpx>'.encode()


# --- days that are not known ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "sport"), [(0, "run"), (50, "unknown")])
def test_a_run_that_is_listed_as_not_counted_leaves_its_day_unknown_and_never_rest(
    kept: Settings, ask: Ask, gpx_of: Gpx, minutes: float | None, sport: str
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1))), ("3", "json", _summary(_at(3), minutes, 10, sport)))
    _give(kept, "garmin", ("5", "gpx", gpx_of(_at(5))))
    _refresh(kept)
    assert ask(kept, "select local_date from marts.unreadable where may_be_run") == [(_at(3).date(),)]
    assert _drawn(kept, ask).startswith("R0?0R")


def _strava(start: dt.datetime, **told: Any) -> bytes:
    summary = {"id": 7, "start_date": start.isoformat(), "utc_offset": -10800, "sport_type": "Run", "distance": 10000}
    return json.dumps({"summary": summary | told, "streams": None, "note": ""}).encode()


@pytest.mark.sampled(1)
@pytest.mark.parametrize("form", ["garmin", "strava"])
def test_a_run_without_any_duration_makes_its_day_unknown_in_every_source(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx, form: str
) -> None:
    content = _strava(_at(3)) if form == "strava" else _summary(_at(3), None, 10)
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1))), ("3", form, content), ("5", "gpx", gpx_of(_at(5))))
    _refresh(kept)
    assert ask(kept, "select local_date, reason from marts.unreadable") == [
        (_at(3).date(), "This run has neither a second of recording nor a duration.")
    ]
    assert _drawn(kept, ask).startswith("R0?0R")
    # Once a recording of that run comes, nothing is missing.
    _give(kept, "phone", ("9", "gpx", gpx_of(_at(3) - dt.timedelta(seconds=20), minutes=60)))
    _refresh(kept)
    assert ask(kept, "from marts.unreadable") == []
    assert _drawn(kept, ask).startswith("R0R0R")
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental


def test_a_row_of_an_exports_table_without_a_duration_makes_its_day_unknown(
    tmp_path: Path, kept: Settings, ask: Ask, bring: Bring, gpx_of: Gpx
) -> None:
    header = "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,"
    header += "Max Heart Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename"
    rows = [
        f'{n},"Nov {n}, 2026, 10:00:00 AM",Run,Run,,{seconds},10.00,,,false,,,{name}'
        for n, seconds, name in ((1, 1200, "activities/1.gpx"), (3, "", ""), (5, 1200, "activities/5.gpx"))
    ]
    (tmp_path / "export" / "activities").mkdir(parents=True)
    (tmp_path / "export" / "activities.csv").write_text("\n".join([header, *rows]))
    for day in (1, 5):
        (tmp_path / "export" / "activities" / f"{day}.gpx").write_bytes(gpx_of(_at(day)))
    bring(kept, tmp_path / "export", now=NIGHT)
    assert _drawn(kept, ask).startswith("R0?0R")


def test_excluding_a_run_that_came_as_a_single_file_does_not_make_its_day_known_rest(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    with Raw(kept.home) as raw, raw.batch("files", "me", NIGHT) as batch:
        for day in (1, 3, 5):
            batch.put(gpx_of(_at(day)), "gpx", name=f"{day}.gpx")
        batch.report(is_history=False)
    _refresh(kept)
    assert _drawn(kept, ask)[:5] == "R?R?R"
    deciding.judge(kept, "me", _ids(kept, ask)[1], "exclude", NIGHT)
    _refresh(kept)
    assert _drawn(kept, ask)[:5] == "R???R"
    # What reports past it makes it known.
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1))), ("5", "gpx", gpx_of(_at(5))), now=LATER)
    _refresh(kept)
    assert _drawn(kept, ask)[:5] == "R000R"


# --- what the runner decides ---------------------------------------------------------------------------------------


def test_a_split_holds_when_another_copy_comes_and_a_join_overrules_it_and_each_is_taken_back(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=30)))
    _give(kept, "other", ("7", "gpx", gpx_of(_at(2) + dt.timedelta(minutes=1), minutes=30, title="hers")))
    _refresh(kept)
    (session,) = _ids(kept, ask)
    deciding.split(kept, "me", session, [], NIGHT)
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2
    assert ask(kept, "select sum(load_efm) from marts.sessions") == ask(
        kept, "select sum(load_efm) from marts.daily_load where series = 'total'"
    )
    _give(kept, "third", ("9", "gpx", gpx_of(_at(2) + dt.timedelta(seconds=20), minutes=30, title="mine")))
    _refresh(kept)
    assert sorted(row[1] for row in _sessions(kept, ask)) == [0, 1]
    deciding.join(kept, "me", _ids(kept, ask), NIGHT + dt.timedelta(minutes=1))
    _refresh(kept)
    assert [row[1] for row in _sessions(kept, ask)] == [2]
    deciding.undo(kept, "me", "", NIGHT + dt.timedelta(minutes=2))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2
    deciding.undo(kept, "me", "", NIGHT + dt.timedelta(minutes=3))
    _refresh(kept)
    assert _ids(kept, ask) == [session]
    assert deciding.made(kept, "me") == []


def test_a_decision_holds_when_its_activity_is_uploaded_anew(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=30)), ("2", "gpx", gpx_of(_at(4), minutes=20)))
    _refresh(kept)
    first, second = _ids(kept, ask)
    deciding.judge(kept, "me", first, "exclude", NIGHT)
    _refresh(kept)
    assert _ids(kept, ask) == [second]
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=25)), now=NIGHT + dt.timedelta(hours=1))
    _refresh(kept)
    assert _ids(kept, ask) == [second]
    assert ask(kept, "select session_id, verdict from marts.set_aside") == [(first, "excluded")]


def test_an_excluded_run_that_is_deleted_and_uploaded_anew_under_another_id_stays_excluded(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=30)), ("2", "gpx", gpx_of(_at(4), minutes=20)))
    _refresh(kept)
    first, second = _ids(kept, ask)
    deciding.judge(kept, "me", first, "exclude", NIGHT)
    again = gpx_of(_at(2) + dt.timedelta(seconds=5), minutes=30)
    with Raw(kept.home) as raw, raw.batch("garmin", "me", NIGHT + dt.timedelta(hours=1)) as batch:
        batch.withdraw("1")
        batch.put(again, "gpx", name="garmin/3", external_id="3")
    _refresh(kept)
    assert _ids(kept, ask) == [second]
    assert ask(kept, "select verdict from marts.set_aside") == [("excluded",)]
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental
    # Another run of that hour is a run, and the runner's later word counts.
    _give(kept, "phone", ("7", "gpx", gpx_of(_at(2) + dt.timedelta(minutes=40), minutes=25)))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2
    deciding.judge(kept, "me", first, "accept", NIGHT + dt.timedelta(hours=2))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 3


def test_excluding_what_one_service_calls_a_ride_leaves_the_run_that_another_tells_of(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2))), ("3", "gpx", gpx_of(_at(4), minutes=40, sport="cycling")))
    _give(kept, "export", ("9", "gpx", gpx_of(_at(4) + dt.timedelta(seconds=3), minutes=40)))
    _refresh(kept)
    ((ride,),) = ask(kept, "select activity_id from landing.maybe_runs")
    deciding.judge(kept, "me", ride, "exclude", NIGHT)
    _refresh(kept)
    assert ask(kept, "select count(*) from landing.maybe_runs") == [(0,)]
    assert _drawn(kept, ask).startswith("R0R")


@pytest.mark.long
def test_an_exclusion_spares_the_other_half_of_a_split_though_both_are_gone_and_that_one_is_uploaded_anew(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    hers = gpx_of(_at(4) + dt.timedelta(seconds=20), minutes=30)
    _give(kept, "garmin", ("mine", "gpx", gpx_of(_at(4), minutes=30)))
    _give(kept, "phone", ("9", "gpx", hers))
    _refresh(kept)
    deciding.split(kept, "me", _ids(kept, ask)[0], [], NIGHT)
    _refresh(kept)
    mine = ask(kept, "select session_id from marts.sessions where source = 'garmin'")[0][0]
    deciding.judge(kept, "me", mine, "exclude", LATER)
    with Raw(kept.home) as raw, raw.batch("garmin", "me", LATER) as batch:
        batch.withdraw("mine")
    with Raw(kept.home) as raw, raw.batch("phone", "me", LATER) as batch:
        batch.withdraw("9")
        batch.put(hers.replace(b'creator="hand"', b'creator="anew"'), "gpx", name="phone/10", external_id="10")
    _refresh(kept)
    assert ask(kept, "select source from marts.sessions") == [("phone",)]


@pytest.mark.long
def test_the_exclusion_of_a_recording_that_was_split_off_and_is_gone_leaves_the_other_one(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("mine", "gpx", gpx_of(_at(2), minutes=30)))
    _give(kept, "phone", ("hers", "gpx", gpx_of(_at(2), minutes=30, mps=2.9)))
    _refresh(kept)
    deciding.split(kept, "me", _ids(kept, ask)[0], [], NIGHT)
    _refresh(kept)
    hers = ask(kept, "select session_id from marts.sessions where source = 'phone'")[0][0]
    deciding.judge(kept, "me", hers, "exclude", LATER)
    _refresh(kept)
    with Raw(kept.home) as raw, raw.batch("phone", "me", LATER + dt.timedelta(hours=1)) as batch:
        batch.withdraw("hers")
    _refresh(kept)
    assert ask(kept, "select source from marts.sessions") == [("garmin",)]


def test_what_was_accepted_is_asked_about_again_once_the_recording_tells_of_another_run(
    kept: Settings, ask: Ask
) -> None:
    def stands() -> list[tuple[Any, ...]]:
        return ask(kept, "select verdict, counts from landing.sessions")

    _give(kept, "garmin", ("1", "json", _summary(_at(4), 389, 1.3)))
    _refresh(kept)
    assert stands() == [("", False)]
    ((session,),) = ask(kept, "select session_id from marts.set_aside")
    deciding.judge(kept, "me", session, "accept", NIGHT)
    _give(kept, "garmin", ("1", "json", _summary(_at(4), 389, 1.3, title="A long walk")), now=LATER)
    _refresh(kept)
    assert stands() == [("accepted", True)]
    _give(kept, "garmin", ("1", "json", _summary(_at(4), 700, 1.4)), now=LATER + dt.timedelta(hours=1))
    _refresh(kept)
    assert stands() == [("", False)]


def test_an_exclusion_takes_away_the_excluded_recording_only_and_the_real_run_that_comes_later_counts(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1))), ("2", "gpx", gpx_of(_at(3), minutes=20)))
    _refresh(kept)
    deciding.judge(kept, "me", _ids(kept, ask)[1], "exclude", NIGHT)
    _give(kept, "phone", ("9", "gpx", gpx_of(_at(3) - dt.timedelta(minutes=5), minutes=60)))
    _refresh(kept)
    assert ask(kept, "select round(moving_time_s / 60) from marts.sessions order by start_at") == [(20,), (60,)]
    assert ask(kept, "select verdict from marts.set_aside") == [("excluded",)]
    assert _drawn(kept, ask).startswith("R0R")


@pytest.mark.long
def test_a_forwarded_copy_of_an_excluded_recording_is_excluded_with_it(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1))), ("2", "gpx", gpx_of(_at(3), minutes=30)))
    _refresh(kept)
    deciding.judge(kept, "me", _ids(kept, ask)[1], "exclude", NIGHT)
    _give(kept, "strava-export", ("9", "gpx", gpx_of(_at(3), minutes=30, title="forwarded")))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 1
    deciding.judge(kept, "me", ask(kept, "select session_id from marts.set_aside")[0][0], "accept", LATER)
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2


@pytest.mark.long
def test_a_join_overrules_an_earlier_exclusion_of_one_of_its_halves(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=30)), ("2", "gpx", gpx_of(_at(2, 10.6), minutes=20)))
    _refresh(kept)
    halves = _ids(kept, ask)
    deciding.judge(kept, "me", halves[0], "exclude", NIGHT)
    _refresh(kept)
    deciding.join(kept, "me", halves, NIGHT + dt.timedelta(minutes=1))
    _refresh(kept)
    assert ask(kept, "select copies, round(moving_time_s / 60) from marts.sessions") == [(1, 50)]


def test_an_empty_id_and_one_that_begins_several_decide_nothing(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", *[(str(n), "gpx", gpx_of(_at(1, n), sport="cycling", mps=7, minutes=5)) for n in range(18)])
    _refresh(kept)
    known = [row[0] for row in ask(kept, "select activity_id from marts.activities order by 1")]
    shared = next(a[0] for a, b in itertools.pairwise(known) if a[0] == b[0])
    for given in ("", shared):
        with pytest.raises(ConfigurationError):
            deciding.judge(kept, "me", given, "accept", NIGHT)
    assert deciding.made(kept, "me") == []


def test_a_ride_that_was_excluded_is_a_run_once_it_is_accepted(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(1), sport="cycling", minutes=30)), ("2", "gpx", gpx_of(_at(3))))
    _refresh(kept)
    ((ride,),) = ask(kept, "select activity_id from landing.maybe_runs")
    deciding.judge(kept, "me", ride, "exclude", NIGHT)
    _refresh(kept)
    assert len(_ids(kept, ask)) == 1
    deciding.judge(kept, "me", ride, "accept", LATER)
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2


def test_copies_at_another_hour_that_name_no_device_are_one_run(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    nameless = [gpx_of(_at(3, hour), minutes=40).replace(b'creator="hand"', b'creator=""') for hour in (10, 7)]
    _give(kept, "garmin", ("1", "gpx", nameless[0]))
    _give(kept, "phone", ("1", "gpx", nameless[1]))
    _refresh(kept)
    assert [row[1] for row in _sessions(kept, ask)] == [1]


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("minutes", "elapsed_s"), [(389, None), (68, None), (60, 4200)])
def test_a_summary_whose_clock_ran_on_never_speaks_before_the_recording_of_the_whole_way(
    kept: Settings, ask: Ask, gpx_of: Gpx, minutes: float, elapsed_s: float | None
) -> None:
    more: dict[str, Any] = {} if elapsed_s is None else {"elapsed_time_s": elapsed_s}
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=60)))
    _give(kept, "phone", ("2", "json", _summary(_at(3), minutes, 10.2, **more)))
    _refresh(kept)
    assert ask(kept, "select format, copies, flags from marts.sessions") == [("gpx", 1, [])]


def test_a_recording_without_doubts_speaks_before_a_better_one_that_is_doubted(
    kept: Settings, ask: Ask, gpx_of: Gpx, fit_of_legs: Fit
) -> None:
    _give(kept, "garmin", ("1", "fit", fit_of_legs(_at(3), [("running", "generic", 40, 7.2)])))
    _give(kept, "phone", ("2", "gpx", gpx_of(_at(3), minutes=40, mps=3.6)))
    _refresh(kept)
    assert ask(kept, "select format, copies, flags from marts.sessions") == [("gpx", 1, [])]


def test_the_drive_home_of_a_phone_left_running_is_not_added_to_the_run_of_the_watch(
    kept: Settings, ask: Ask, fit_of_legs: Fit
) -> None:
    _give(kept, "garmin", ("1", "fit", fit_of_legs(_at(3), [("running", "generic", 60, 2.8)])))
    _refresh(kept)
    alone = ask(kept, "select round(distance_m), round(load_efm) from marts.sessions")
    _give(kept, "phone", ("2", "gpx", _track(_at(3), (60, 2.8), (6, 8.5))))
    _refresh(kept)
    assert ask(kept, "select round(distance_m), round(load_efm) from marts.sessions") == alone


def test_a_trimmed_copy_at_another_hour_that_is_joined_counts_once(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=50)))
    _give(kept, "phone", ("2", "gpx", gpx_of(_at(3, 11), minutes=44).replace(b'"hand"', b'"phone"')))
    _refresh(kept)
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _refresh(kept)
    assert ask(kept, "select copies, round(elapsed_time_s / 60), round(moving_time_s / 60) from marts.sessions") == [
        (1, 50, 50)
    ]


def test_the_same_way_at_an_hour_that_no_clock_errs_by_is_another_run(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3, 21), minutes=30, mps=2.8)))
    other = gpx_of(_at(4, 9) + dt.timedelta(seconds=50), minutes=29.9, mps=2.81)
    _give(kept, "phone", ("2", "gpx", other.replace(b'"hand"', b'"phone"')))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2


def test_an_entry_made_by_hand_hours_away_is_a_run_of_its_own(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=30)))
    _give(kept, "strava-export", ("2", "json", _summary(_at(3, 13), 30, 5.0)))
    _refresh(kept)
    assert len(_ids(kept, ask)) == 2


@pytest.fixture
def watched(tmp_path: Path, home_with: HomeWith) -> tuple[Settings, Path]:
    """Return a home that watches a folder, and the folder."""
    folder = tmp_path / "watched"
    folder.mkdir()
    return home_with(tmp_path / "home", f'{CONFIG}[[folders]]\npath = "{folder}"\nreports_rest = true\n'), folder


def _nights(home: Settings, folder: Path, *contents: bytes, first: int = 0) -> None:
    for number, content in enumerate(contents, first):
        (folder / "a.gpx").write_bytes(content)
        folders.put_folder(home, home.folders[0], NIGHT + dt.timedelta(minutes=number))
        _refresh(home)


def test_a_watched_file_that_is_written_anew_is_followed_and_the_former_content_counts_no_longer(
    watched: tuple[Settings, Path], ask: Ask, tables: Tables, gpx_of: Gpx
) -> None:
    home, folder = watched
    whole, cropped = gpx_of(_at(12), minutes=40), gpx_of(_at(12) + dt.timedelta(minutes=5), minutes=20)
    for night, (content, told) in enumerate(
        (
            (whole, [(0, _at(12), 40)]),
            (gpx_of(_at(12, 11), minutes=40), [(0, _at(12, 11), 40)]),
            (whole, [(0, _at(12), 40)]),
            (cropped, [(0, _at(12) + dt.timedelta(minutes=5), 20)]),
            (whole, [(0, _at(12), 40)]),
            (gpx_of(_at(12), minutes=40, sport="cycling", mps=6), []),
        )
    ):
        _nights(home, folder, content, first=night)
        assert ask(home, "select copies, start_at, round(moving_time_s / 60) from marts.sessions") == told
    incremental = tables(home)
    with pipeline.exclusive(home):
        pipeline.rebuild(home, TODAY)
    assert tables(home) == incremental


def test_an_exclusion_holds_when_the_file_is_cropped_in_its_watched_folder(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "other.gpx").write_bytes(gpx_of(_at(10)))
    _nights(home, folder, gpx_of(_at(12), minutes=40))
    deciding.judge(home, "me", _ids(home, ask)[1], "exclude", NIGHT + dt.timedelta(seconds=20))
    _nights(home, folder, gpx_of(_at(12), minutes=30), first=1)
    assert ask(home, "select local_date from marts.sessions") == [(_at(10).date(),)]
    assert ask(home, "select verdict, round(moving_time_s / 60) from marts.set_aside") == [("excluded", 30)]


@pytest.mark.long
def test_a_program_that_writes_each_run_into_the_same_watched_file_loses_none(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    _nights(home, folder, gpx_of(_at(12), minutes=40), gpx_of(_at(13), minutes=40), gpx_of(_at(13, 20), minutes=30))
    assert len(_ids(home, ask)) == 3


def test_what_a_second_file_of_the_folder_still_holds_is_not_superseded(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "b.gpx").write_bytes(gpx_of(_at(12), minutes=40))
    _nights(home, folder, gpx_of(_at(12), minutes=40), gpx_of(_at(12), minutes=25))
    assert ask(home, "select copies, round(moving_time_s / 60) from marts.sessions") == [(1, 40)]


def _night(home: Settings, night: int) -> None:
    folders.put_folder(home, home.folders[0], NIGHT + dt.timedelta(minutes=night))
    _refresh(home)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("nights", [(0, 1, 2), (0, 2), (0, 1)])
def test_a_watched_file_that_is_renamed_and_cropped_later_is_followed(
    watched: tuple[Settings, Path], ask: Ask, tables: Tables, gpx_of: Gpx, nights: tuple[int, ...]
) -> None:
    home, folder = watched
    steps: tuple[Callable[[], object], ...] = (
        lambda: (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=40)),
        lambda: (folder / "a.gpx").rename(folder / "Long run.gpx"),
        lambda: (folder / "Long run.gpx").write_bytes(gpx_of(_at(12), minutes=25)),
    )
    # On some of the nights several things have happened since the one before.
    for number, step in enumerate(steps):
        step()
        if number in nights or number == len(steps) - 1:
            _night(home, number)
    told = ask(home, "select copies, round(moving_time_s / 60) from marts.sessions")
    # Renamed and cropped between two nights, it is another file: which run it held nobody has seen.
    assert told == ([(1, 40)] if nights == (0, 2) else [(0, 25)])
    incremental = tables(home)
    with pipeline.exclusive(home):
        pipeline.rebuild(home, TODAY)
    assert tables(home) == incremental


@pytest.mark.long
def test_what_two_watched_files_hold_is_followed_in_the_one_that_is_left(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    for name in ("a.gpx", "b.gpx"):
        (folder / name).write_bytes(gpx_of(_at(12), minutes=40))
    _night(home, 0)
    (folder / "a.gpx").unlink()
    _night(home, 1)
    (folder / "b.gpx").write_bytes(gpx_of(_at(12), minutes=25))
    _night(home, 2)
    assert ask(home, "select copies, round(moving_time_s / 60) from marts.sessions") == [(0, 25)]


def _tracks(*given: bytes) -> bytes:
    return b"".join(
        [b'<gpx version="1.1" creator="hand">', *(g[g.index(b"<trk>") : g.index(b"</gpx>")] for g in given), b"</gpx>"]
    )


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("set right", [(_at(12, 11), 40)]),
        ("cropped", [(_at(12), 25)]),
        ("re-typed", []),
        ("swapped", [(_at(12, 11), 40), (_at(14), 30)]),
    ],
)
def test_a_watched_file_that_was_edited_and_then_renamed_brings_nothing_back(
    watched: tuple[Settings, Path], ask: Ask, tables: Tables, gpx_of: Gpx, change: str, told: list[tuple[Any, ...]]
) -> None:
    home, folder = watched
    (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=40))
    if change == "swapped":
        (folder / "b.gpx").write_bytes(gpx_of(_at(14), minutes=30))
    _night(home, 0)
    content = {
        "cropped": gpx_of(_at(12), minutes=25),
        "re-typed": gpx_of(_at(12), minutes=40, sport="cycling", mps=6),
    }.get(change, gpx_of(_at(12, 11), minutes=40))
    (folder / "a.gpx").write_bytes(content)
    _night(home, 1)
    (folder / "sub").mkdir()
    (folder / "a.gpx").rename(folder / "sub" / "new.gpx")
    if change == "swapped":
        (folder / "b.gpx").rename(folder / "a.gpx")
        (folder / "sub" / "new.gpx").rename(folder / "b.gpx")
    _night(home, 2)
    assert ask(home, "select start_at, round(moving_time_s / 60) from marts.sessions order by 1") == told
    incremental = tables(home)
    with pipeline.exclusive(home):
        pipeline.rebuild(home, TODAY)
    assert tables(home) == incremental


@pytest.mark.long
def test_an_exclusion_holds_when_the_watched_file_is_cropped_and_then_renamed(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=40))
    _night(home, 0)
    deciding.judge(home, "me", _ids(home, ask)[0], "exclude", NIGHT + dt.timedelta(seconds=20))
    (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=25))
    _night(home, 1)
    (folder / "a.gpx").rename(folder / "b.gpx")
    _night(home, 2)
    assert _ids(home, ask) == []
    assert ask(home, "select round(moving_time_s / 60) from marts.set_aside") == [(25,)]


@pytest.mark.long
def test_an_older_watched_file_that_is_moved_over_a_newer_one_is_what_counts(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "whole.gpx").write_bytes(gpx_of(_at(12), minutes=40))
    _night(home, 0)
    (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=25))
    _night(home, 1)
    (folder / "whole.gpx").rename(folder / "a.gpx")
    _night(home, 2)
    assert ask(home, "select copies, round(moving_time_s / 60) from marts.sessions") == [(0, 40)]


@pytest.mark.long
def test_a_watched_file_of_several_runs_of_which_the_oldest_fell_out_loses_none(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    first, second, third = (gpx_of(_at(day), minutes=30) for day in (11, 13, 15))
    (folder / "last.gpx").write_bytes(_tracks(first, second))
    _night(home, 0)
    (folder / "last.gpx").write_bytes(_tracks(second, third))
    _night(home, 1)
    told = ask(home, "select local_date, round(moving_time_s / 60) from marts.sessions order by 1")
    assert told == [(_at(day).date(), 30) for day in (11, 13, 15)]


def test_the_cursor_of_an_earlier_hamload_follows_what_two_files_held(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    for name in ("a.gpx", "b.gpx"):
        (folder / name).write_bytes(gpx_of(_at(12), minutes=40))
    _night(home, 0)
    source = f"folder:{folder}"
    with Raw(home.home) as raw, raw.batch(source, "me", NIGHT) as batch:
        batch.cursor({name: told[0] for name, told in raw.cursor(source, "me").items()})
    _night(home, 1)
    (folder / "a.gpx").unlink()
    _night(home, 2)
    (folder / "b.gpx").write_bytes(gpx_of(_at(12, 11), minutes=40))
    _night(home, 3)
    assert ask(home, "select copies, start_at from marts.sessions") == [(0, _at(12, 11))]


@pytest.mark.long
def test_two_watched_copies_that_are_cropped_alike_one_after_the_other_leave_the_crop(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    for night, (name, minutes) in enumerate((("a.gpx", 40), ("b.gpx", 40), ("b.gpx", 25), ("a.gpx", 25))):
        (folder / name).write_bytes(gpx_of(_at(12), minutes=minutes))
        _night(home, night)
    assert ask(home, "select copies, round(moving_time_s / 60) from marts.sessions") == [(0, 25)]


def test_two_watched_files_that_change_names_are_both_followed(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "a.gpx").write_bytes(gpx_of(_at(12), minutes=40))
    (folder / "b.gpx").write_bytes(gpx_of(_at(14), minutes=50))
    _night(home, 0)
    (folder / "a.gpx").rename(folder / "c.gpx")
    (folder / "b.gpx").rename(folder / "a.gpx")
    (folder / "c.gpx").rename(folder / "b.gpx")
    _night(home, 1)
    (folder / "b.gpx").write_bytes(gpx_of(_at(12), minutes=25))
    (folder / "a.gpx").write_bytes(gpx_of(_at(14), minutes=30))
    _night(home, 2)
    told = ask(home, "select copies, round(moving_time_s / 60) from marts.sessions order by start_at")
    assert told == [(0, 25), (0, 30)]


def test_a_watched_file_that_is_written_anew_every_night_leaves_the_others_unread(
    watched: tuple[Settings, Path], gpx_of: Gpx, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = watched
    for day in range(10, 16):
        path = folder / f"{day}.gpx"
        path.write_bytes(gpx_of(_at(day)))
        # What changed within the last seconds is read again.
        os.utime(path, (0, 0))
    monkeypatch.setattr("hamload.sources.files._TICK_S", -1e9)
    _night(home, 0)
    (folder / "15.gpx").write_bytes(gpx_of(_at(15), minutes=25))
    read: list[str] = []
    bounded = files._bounded

    def noted(path: Path, limits: files.Limits) -> bytes:
        read.append(path.name)
        return bounded(path, limits)

    monkeypatch.setattr(files, "_bounded", noted)
    _night(home, 1)
    assert read == ["15.gpx"]


@pytest.mark.long
def test_splitting_the_middle_of_three_joined_runs_leaves_the_others_joined(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", *[(str(n), "gpx", gpx_of(_at(3, 10 + 0.7 * n), minutes=30)) for n in range(3)])
    _refresh(kept)
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _refresh(kept)
    (session,) = _ids(kept, ask)
    middle = ask(kept, "select activity_id from marts.session_members order by start_at")[1][0]
    deciding.split(kept, "me", session, [middle], LATER)
    _refresh(kept)
    assert sorted(row[1] for row in _sessions(kept, ask)) == [0, 1]


def test_two_summaries_that_are_joined_add_up_though_their_clocks_overlap_by_a_second(kept: Settings, ask: Ask) -> None:
    _give(kept, "phone", ("2", "json", _summary(_at(3), 30, 5, elapsed_time_s=1801)))
    _give(kept, "phone", ("3", "json", _summary(_at(3, 10.5), 20, 3.4)))
    _refresh(kept)
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _refresh(kept)
    assert ask(kept, "select round(moving_time_s / 60), round(distance_m) from marts.sessions") == [(50, 8400)]


def test_two_halves_that_are_joined_are_one_run_with_the_load_of_one(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    first, second = gpx_of(_at(2), minutes=30), gpx_of(_at(2, 10.6), minutes=20)
    _give(kept, "garmin", ("1", "gpx", first), ("2", "gpx", second))
    _refresh(kept)
    alone = ask(kept, "select sum(distance_m), sum(moving_time_s), sum(load_efm) from marts.sessions")[0]
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _refresh(kept)
    ((joined, copies, minutes, *told),) = ask(
        kept,
        "select session_id, copies, elapsed_time_s / 60, distance_m, moving_time_s, load_efm from marts.sessions",
    )
    assert (copies, round(minutes)) == (1, 56)
    assert told[:2] == pytest.approx(alone[:2], rel=0.01)
    # Late minutes of fifty ask a little more than those of thirty and of twenty.
    assert alone[2] * 0.99 < told[2] < alone[2] * 1.1
    gives = [m["gives"] for m in deciding.shown(kept, "me", joined[:5])["members"]]
    assert gives == [["streams"], ["20 min that only it holds"]]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("is_first", [False, True])
def test_a_recorded_half_and_a_summary_half_that_are_joined_have_the_load_of_both_and_say_what_is_known_less_well(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx, *, is_first: bool
) -> None:
    start = _at(3, 9) if is_first else _at(3, 10.6)
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=30)), ("2", "json", _summary(start, 50, 8.4)))
    _refresh(kept)
    alone = ask(kept, "select sum(distance_m), sum(moving_time_s), sum(load_efm) from marts.sessions")[0]
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _refresh(kept)
    ((*told, streams, basis, confidence, why, starts_at, elapsed_s),) = ask(
        kept,
        "select distance_m, moving_time_s, load_efm, stream_coverage, basis, confidence, confidence_why, start_at,"
        " elapsed_time_s from marts.sessions",
    )
    assert told == pytest.approx(alone, rel=0.01)
    assert streams == pytest.approx(3 / 8, abs=0.02)
    assert (basis, confidence) == ("summary", "low")
    assert "Of 80 minutes 50 are known less well" in why
    assert starts_at == min(start, _at(3))
    assert elapsed_s == pytest.approx(90 * 60 if is_first else 86 * 60, abs=10)
    assert opened(kept.home).samples(_ids(kept, ask)[0])["time_s"].min() == (3600 if is_first else 0)
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental


def test_runs_of_two_days_are_not_joined(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3))), ("2", "gpx", gpx_of(_at(4))))
    _refresh(kept)
    with pytest.raises(ConfigurationError, match="begins 24 hours after"):
        deciding.join(kept, "me", _ids(kept, ask), NIGHT)


def test_a_half_without_a_duration_that_is_joined_leaves_the_day_unknown(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3))), ("2", "json", _summary(_at(3, 11), 20, 3)))
    _refresh(kept)
    deciding.join(kept, "me", _ids(kept, ask), NIGHT)
    _give(kept, "garmin", ("2", "json", _summary(_at(3, 11), None, 3)), now=LATER)
    _refresh(kept)
    assert _drawn(kept, ask)[0] == "?"


def test_three_recorders_of_a_run_over_midnight_in_the_night_when_the_clocks_change_are_one_run_of_its_first_day(
    tmp_path: Path, home_with: HomeWith, ask: Ask, gpx_of: Gpx
) -> None:
    home = home_with(tmp_path / "vienna", CONFIG.replace("America/Recife", "Asia/Tokyo"))
    # 23:50 in Vienna, summer time; the clocks go back during the run, which ends after 2 in the morning, winter time.
    start = dt.datetime(2026, 10, 24, 21, 50, tzinfo=dt.UTC)
    there = {b'lat="-8.': b'lat="48.', b'lon="-34.9"': b'lon="16.3"'}

    def track(first: float, last: float, writer: bytes) -> bytes:
        content = gpx_of(start + dt.timedelta(minutes=first), minutes=last - first)
        for old, new in (there | {b'"hand"': b'"%s"' % writer}).items():
            content = content.replace(old, new)
        return content

    _give(home, "garmin", ("1", "gpx", track(0, 80, b"watch")))
    _give(home, "phone", ("2", "gpx", track(70, 150, b"phone")))
    _give(home, "other", ("3", "json", _summary(start + dt.timedelta(minutes=140), 60, 10)))
    _refresh(home)
    ((day, source, copies, minutes),) = ask(
        home, "select local_date, day_source, copies, moving_time_s / 60 from marts.sessions"
    )
    assert (day, source, copies) == (dt.date(2026, 10, 24), "place", 2)
    assert minutes == pytest.approx(200, abs=1)


def test_two_recordings_that_overlap_by_less_than_half_are_one_run_and_no_minute_counts_twice(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=92)))
    _refresh(kept)
    ((truth,),) = ask(kept, "select load_efm from marts.sessions")
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=60)))
    _give(kept, "phone", ("2", "gpx", gpx_of(_at(3) + dt.timedelta(minutes=32), minutes=60)))
    _refresh(kept)
    ((copies, minutes, load),) = ask(kept, "select copies, moving_time_s / 60, load_efm from marts.sessions")
    assert (copies, load) == (1, pytest.approx(truth, rel=0.01))
    assert minutes == pytest.approx(92, abs=0.2)


def test_a_summary_that_overlaps_a_recording_by_a_third_adds_the_rest_and_back_to_back_runs_stay_two(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(3), minutes=60)))
    _give(kept, "phone", ("2", "json", _summary(_at(3, 10 + 2 / 3), 60, 10)))
    _give(kept, "garmin", ("3", "gpx", gpx_of(_at(5), minutes=30)), ("4", "gpx", gpx_of(_at(5, 10.5), minutes=30)))
    _refresh(kept)
    told = ask(kept, "select copies, round(moving_time_s / 60), confidence from marts.sessions order by start_at")
    assert told[0] == (1, 100, "low")
    assert [row[:2] for row in told[1:]] == [(0, 30), (0, 30)]


def _left_on(gpx_of: Gpx) -> bytes:
    """Return a track of two runs: 40 minutes from 10:00, and 35 from 14:30, of one watch that nobody stopped."""
    first, second = gpx_of(_at(3), minutes=40), gpx_of(_at(3, 14.5), minutes=35)
    later = second.split(b"<trkseg>")[1].split(b"</trkseg>")[0]
    return first.replace(b"</trkseg>", b"</trkseg><trkseg>" + later + b"</trkseg>")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("action", "minutes"), [(None, [40, 35]), ("accept", [40, 35]), ("whole", [75]), ("exclude", [35])]
)
def test_a_watch_left_on_over_two_runs_neither_loses_nor_doubles_the_second_that_a_phone_has(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx, action: Action | None, minutes: list[int]
) -> None:
    phone = gpx_of(_at(3, 14.5), minutes=35).replace(b'"hand"', b'"phone"')
    _give(kept, "garmin", ("1", "gpx", _left_on(gpx_of)), ("0", "gpx", gpx_of(_at(1))), ("5", "gpx", gpx_of(_at(5))))
    _give(kept, "phone", ("2", "gpx", phone))
    _refresh(kept)
    if action is not None:
        ((session,),) = ask(kept, "select session_id from landing.sessions where list_contains(flags, 'left on')")
        deciding.judge(kept, "me", session, action, NIGHT)
        _refresh(kept)
    told = ask(kept, "select round(moving_time_s / 60) from marts.sessions where day(local_date) = 3 order by start_at")
    assert [row[0] for row in told] == minutes
    assert _drawn(kept, ask)[:5] == ("R0?0R" if action is None else "R0R0R")
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental


@pytest.mark.long
def test_joined_halves_that_are_both_doubted_are_doubted_for_both_reasons(
    kept: Settings, ask: Ask, gpx_of: Gpx, fit_of_legs: Fit
) -> None:
    _give(kept, "garmin", ("1", "gpx", _left_on(gpx_of)))
    _give(kept, "garmin", ("2", "fit", fit_of_legs(_at(3, 11), [("running", "generic", 20, 6.2)])))
    _refresh(kept)
    ids = [row[0] for row in ask(kept, "select session_id from landing.sessions")]
    deciding.join(kept, "me", ids, NIGHT)
    _refresh(kept)
    assert ask(kept, "select list_sort(flags), counts from landing.sessions") == [(["left on", "ride"], False)]
    deciding.judge(kept, "me", ask(kept, "select session_id from landing.sessions")[0][0], "accept", LATER)
    _refresh(kept)
    ((minutes,),) = ask(kept, "select round(moving_time_s / 60) from marts.sessions")
    assert minutes == 60


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("decide", "wrong"),
    [
        (lambda h, i: deciding.split(h, "me", i, [], NIGHT), "one recording only"),
        (lambda h, i: deciding.join(h, "me", [i, i], NIGHT), "one session already"),
        (lambda h, _: deciding.judge(h, "me", "nothing", "accept", NIGHT), "no session 'nothing'"),
        (lambda h, _: deciding.shown(h, "me", ""), "no session ''"),
        (lambda h, _: deciding.undo(h, "me", "", NIGHT), "no such decision"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_remedy(
    kept: Settings, ask: Ask, gpx_of: Gpx, decide: Callable[[Settings, str], object], wrong: str
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2))))
    _refresh(kept)
    with pytest.raises(ConfigurationError, match=wrong) as refused:
        decide(kept, _ids(kept, ask)[0])
    assert refused.value.remedy


def test_a_copy_with_a_barometer_gives_its_altitude_and_says_so(kept: Settings, ask: Ask, gpx_of: Gpx) -> None:
    barometer = gpx_of(_at(2) + dt.timedelta(seconds=20), minutes=29, altitude_m=160)
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2), minutes=30, altitude_m=None)))
    _give(kept, "other", ("2", "gpx", barometer.replace(b'creator="hand"', b'creator="Garmin Fenix 6"')))
    _refresh(kept)
    ((session, altitude),) = ask(kept, "select session_id, altitude_coverage from marts.sessions")
    assert altitude > 0.95
    assert [m["gives"] for m in deciding.shown(kept, "me", session)["members"]] == [["streams"], ["altitude"]]
    assert ask(kept, "select altitude_coverage from marts.activities where is_primary") == [(0.0,)]
    hamload = opened(kept.home)
    assert hamload.samples(session)["grade"].notna().mean() > 0.9


# --- what is doubted -----------------------------------------------------------------------------------------------


DOUBTED = {
    "389 minutes for 1.3 km": (_summary(_at(3), 389, 1.3), "left on"),
    "a ride as a summary": (_summary(_at(3), 60, 24), "ride"),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", DOUBTED)
def test_a_doubted_summary_makes_its_day_unknown_until_the_runner_decides(
    kept: Settings, ask: Ask, gpx_of: Gpx, tables: Tables, name: str
) -> None:
    content, flag = DOUBTED[name]
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2))), ("2", "json", content), ("3", "gpx", gpx_of(_at(4))))
    _refresh(kept)
    assert _drawn(kept, ask)[:3] == "R?R"
    ((session, flags, verdict),) = ask(kept, "select session_id, flags, verdict from marts.set_aside")
    assert (flags, verdict) == ([flag], "")
    said = " ".join(pipeline.overview(kept, "me").unknowns)
    assert f"hamload sessions accept {session[:6]}, or exclude {session[:6]}" in said
    deciding.judge(kept, "me", session, "exclude", NIGHT)
    _refresh(kept)
    assert _drawn(kept, ask)[:3] == "R0R"
    assert ask(kept, "select verdict from marts.set_aside") == [("excluded",)]
    deciding.judge(kept, "me", session, "accept", NIGHT + dt.timedelta(minutes=1))
    _refresh(kept)
    assert _drawn(kept, ask)[:3] == "RRR"
    accepted = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == accepted


def test_a_watch_left_on_overnight_counts_up_to_the_break_and_the_next_day_is_unknown(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    evening, morning = gpx_of(_at(3, 21), minutes=30), gpx_of(_at(4, 11), minutes=20, mps=9)
    points = evening.split(b"<trkseg>")[1].split(b"</trkseg>")[0]
    later = morning.split(b"<trkseg>")[1].split(b"</trkseg>")[0]
    _give(kept, "garmin", ("0", "gpx", gpx_of(_at(2))), ("1", "gpx", evening.replace(points, points + later)))
    _give(kept, "garmin", ("3", "gpx", gpx_of(_at(6))))
    _refresh(kept)
    assert _drawn(kept, ask)[:5] == "RR?0R"
    ((session, minutes, flags, why),) = ask(
        kept, "select session_id, moving_time_s / 60, flags, confidence from marts.sessions where len(flags) > 0"
    )
    assert (round(minutes), flags, why) == (30, ["left on"], "low")
    assert ask(kept, "select max(fast_mps) from marts.sessions") == [(None,)], "too little history, and none of it fast"
    (said,) = [s for s in pipeline.overview(kept, "me", dt.date(2026, 11, 6)).unknowns if "is doubted" in s]
    assert f"4 Nov is unknown, until you decide: hamload sessions accept {session[:6]}, accept --whole" in said
    for number, (action, drawn, minutes) in enumerate(
        (("accept", "RR00R", 30), ("whole", "RR00R", 50), ("exclude", "R000R", None))
    ):
        deciding.judge(kept, "me", session, action, NIGHT + dt.timedelta(minutes=number))  # type: ignore[arg-type]
        _refresh(kept)
        assert _drawn(kept, ask)[:5] == drawn
        told = ask(kept, "select round(moving_time_s / 60) from marts.sessions where local_date = '2026-11-03'")
        assert [row[0] for row in told] == ([minutes] if minutes else [])


def test_a_run_logged_as_a_ride_is_told_and_counts_once_the_runner_says_so(
    kept: Settings, ask: Ask, gpx_of: Gpx, tables: Tables
) -> None:
    _give(kept, "garmin", ("1", "gpx", gpx_of(_at(2))), ("2", "gpx", gpx_of(_at(3), sport="cycling", title="Ride")))
    _give(kept, "garmin", ("3", "gpx", gpx_of(_at(4), sport="cycling", mps=7)), ("4", "gpx", gpx_of(_at(5))))
    _refresh(kept)
    assert _drawn(kept, ask)[:4] == "R00R"
    said = [s for s in pipeline.overview(kept, "me").unknowns if "logged as a ride" in s]
    assert len(said) == 1
    assert "Ride of 3 Nov" in said[0]
    activity = said[0].split("accept ")[1].split(";")[0]
    deciding.judge(kept, "me", activity, "accept", NIGHT)
    _refresh(kept)
    assert _drawn(kept, ask)[:4] == "RR0R"
    accepted = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == accepted
    deciding.undo(kept, "me", "", NIGHT + dt.timedelta(minutes=1))
    _refresh(kept)
    assert _drawn(kept, ask)[:4] == "R00R"
    deciding.judge(kept, "me", activity, "exclude", NIGHT + dt.timedelta(minutes=2))
    _refresh(kept)
    assert not [s for s in pipeline.overview(kept, "me").unknowns if "logged as a ride" in s]


# --- what changes --------------------------------------------------------------------------------------------------


def test_the_digest_says_once_that_history_changed_an_alert_that_was_told_and_why(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    runs = [(str(n), "gpx", gpx_of(_at(n), minutes=20, title=f"Run {n}")) for n in range(1, 21, 2)]
    _give(kept, "garmin", *runs, ("22", "gpx", gpx_of(_at(21), minutes=45, title="Long")), now=_at(22, 4))
    with pipeline.exclusive(kept):
        pipeline.refresh(kept, dt.date(2026, 11, 22), now=_at(22, 5))
        pipeline.digest(kept, "me", _at(22, 5))
    before = ask(kept, "select state from marts.alerts where date = '2026-11-21'")
    assert before == [("deload",)], "45 minutes after twenty are a spike"
    with Raw(kept.home) as raw, raw.batch("garmin", "me", _at(22, 9)) as batch:
        batch.withdraw("22")
        batch.put(gpx_of(_at(21), minutes=20, title="Shorter"), "gpx", name="new", external_id="23")
    with pipeline.exclusive(kept):
        pipeline.refresh(kept, dt.date(2026, 11, 23), now=_at(23, 5))
    said = [s for s in pipeline.overview(kept, "me").unknowns if s.startswith("History changed")]
    after = ask(kept, "select state from marts.alerts where date = '2026-11-21'")[0][0]
    because = "because Shorter (21 Nov) arrived or changed after that."
    assert said == [f"History changed: 21 Nov was told as deload and is {after} now, {because}"]
    with pipeline.exclusive(kept):
        pipeline.digest(kept, "me", _at(23, 5))
        pipeline.refresh(kept, dt.date(2026, 11, 24), now=_at(24, 5))
    assert not [s for s in pipeline.overview(kept, "me").unknowns if s.startswith("History changed")]


@pytest.fixture
def told(kept: Settings, gpx_of: Gpx) -> Settings:
    """Return a home to which a digest of 22 November has told a deload: 45 minutes after twenty are a spike."""
    runs = [(str(n), "gpx", gpx_of(_at(n), minutes=20, title=f"Run {n}")) for n in range(1, 21, 2)]
    _give(kept, "garmin", *runs, ("22", "gpx", gpx_of(_at(21), minutes=45, title="Long")), now=_at(22, 4))
    _tell(kept, 22)
    return kept


def _tell(home: Settings, day: int) -> list[str]:
    with pipeline.exclusive(home):
        pipeline.refresh(home, dt.date(2026, 11, day), now=_at(day, 5))
        said = [s for s in pipeline.overview(home, "me").unknowns if s.startswith("History changed")]
        pipeline.digest(home, "me", _at(day, 5))
    return said


def _long_run(home: Settings, ask: Ask) -> str:
    return str(ask(home, "select session_id from landing.sessions where day(local_date) = 21")[0][0])


def test_history_that_changed_by_a_decision_and_by_taking_it_back_says_so_each_time(told: Settings, ask: Ask) -> None:
    deciding.judge(told, "me", _long_run(told, ask), "exclude", _at(22, 9))
    (said,) = _tell(told, 23)
    assert said.endswith("because you decided on the run of 21 Nov.")
    deciding.undo(told, "me", "", _at(23, 9))
    # The spike of the 21st reaches the 22nd too.
    sentences = _tell(told, 24)
    because = "is deload now, because you took back what you had decided on the run of 21 Nov."
    assert [s.split()[2] for s in sentences] == ["22", "21"]
    assert all(s.endswith(because) for s in sentences)
    assert _tell(told, 25) == []


def test_a_new_title_is_no_cause_of_a_history_that_changed(told: Settings, gpx_of: Gpx) -> None:
    _give(told, "garmin", ("19", "gpx", gpx_of(_at(19), minutes=20, title="Renamed")), now=_at(22, 9))
    with Raw(told.home) as raw, raw.batch("garmin", "me", _at(22, 9)) as batch:
        batch.withdraw("22")
    (said,) = _tell(told, 23)
    assert said.endswith("because the run of 21 Nov is gone or does not count any more.")


def test_a_day_that_left_the_calendar_is_told_once(told: Settings, gpx_of: Gpx) -> None:
    with Raw(told.home) as raw, raw.batch("garmin", "me", _at(22, 9)) as batch:
        for name in (*range(1, 21, 2), 22):
            batch.withdraw(str(name))
        batch.put(gpx_of(_at(22), minutes=20, title="only"), "gpx", name="o", external_id="77")
    (said,) = _tell(told, 23)
    assert said.startswith("History changed: 21 Nov was told as deload and lies before the first run that is known now")
    assert said.endswith("is gone or does not count any more.")
    assert _tell(told, 24) == []


# --- where and when ------------------------------------------------------------------------------------------------


def test_the_day_is_that_of_the_place_where_the_recording_tells_no_offset(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    # 20:30 UTC on the second is half past nine in the morning of the third in Auckland.
    there = gpx_of(_at(2, 20.5)).replace(b'lon="-34.9"', b'lon="174.8"').replace(b'lat="-8.', b'lat="-36.')
    _give(kept, "garmin", ("1", "gpx", there))
    _refresh(kept)
    assert ask(kept, "select local_date, day_source from marts.sessions") == [(dt.date(2026, 11, 3), "place")]


def test_the_day_is_told_by_the_place_of_a_copy_where_the_recording_that_speaks_has_none(
    kept: Settings, ask: Ask, gpx_of: Gpx, fit_of_legs: Fit
) -> None:
    # 20:30 UTC on the third is the morning of the fourth in Auckland; the watch without positions tells no offset.
    there = gpx_of(_at(3, 20.5), minutes=40).replace(b'lon="-34.9"', b'lon="174.8"').replace(b'lat="-8.', b'lat="-36.')
    _give(kept, "garmin", ("1", "fit", fit_of_legs(_at(3, 20.5), [("running", "generic", 40, 2.8)])))
    _refresh(kept)
    assert ask(kept, "select local_date, day_source from marts.sessions") == [(dt.date(2026, 11, 3), "home")]
    _give(kept, "phone", ("2", "gpx", there))
    _refresh(kept)
    assert ask(kept, "select local_date, day_source, format from marts.sessions") == [
        (dt.date(2026, 11, 4), "place", "fit")
    ]
    assert ask(kept, "select date from marts.daily_load where sessions > 0 and series = 'total'") == [
        (dt.date(2026, 11, 4),)
    ]


def test_a_treadmill_that_writes_utc_as_local_time_runs_on_the_day_at_home(
    kept: Settings, ask: Ask, fit_of_legs: Fit
) -> None:
    # 01:00 UTC on the fourth is 22:00 on the third in Recife.
    _give(kept, "garmin", ("1", "fit", fit_of_legs(_at(4, 1), [("running", "treadmill", 30, 2.8)])))
    _refresh(kept)
    assert ask(kept, "select local_date, day_source from marts.sessions") == [(dt.date(2026, 11, 3), "home")]


# --- incremental equals from scratch ---------------------------------------------------------------------------------


class _World:
    """A home to which things happen, by one stream of chances."""

    def __init__(self, home: Settings, ask: Ask, pool: Sequence[tuple[str, str, str, bytes]], seed: int) -> None:
        self.home, self.ask, self.pool = home, ask, pool
        self.chance = random.Random(seed)  # noqa: S311  # any order will do
        self.now = NIGHT

    def happen(self) -> str:
        self.now += dt.timedelta(minutes=1)
        name = self.chance.choice(("add", "add", "add", "edit", "delete", "again", "split", "join", "join", "accept",
                                   "whole", "exclude", "undo"))  # fmt: skip
        try:
            getattr(self, name)()
        except HamloadError as error:
            return f"{name}: {error.what}"
        return name

    def add(self) -> None:
        source, external_id, format_, content = self.chance.choice(self.pool)
        _give(self.home, source, (external_id, format_, content), now=self.now)

    again = add

    def edit(self) -> None:
        source, external_id, _, _ = self.chance.choice(self.pool)
        *_, format_, content = self.chance.choice(self.pool)
        _give(self.home, source, (external_id, format_, content), now=self.now)

    def delete(self) -> None:
        source, external_id, _, _ = self.chance.choice(self.pool)
        with Raw(self.home.home) as raw, raw.batch(source, "me", self.now) as batch:
            batch.withdraw(external_id)

    def split(self) -> None:
        deciding.split(self.home, "me", self.any(), [], self.now)

    def join(self) -> None:
        deciding.join(self.home, "me", [self.any(), self.any()], self.now)

    def accept(self) -> None:
        deciding.judge(self.home, "me", self.any(), "accept", self.now)

    def whole(self) -> None:
        deciding.judge(self.home, "me", self.any(), "whole", self.now)

    def exclude(self) -> None:
        deciding.judge(self.home, "me", self.any(), "exclude", self.now)

    def undo(self) -> None:
        made = deciding.made(self.home, "me")
        deciding.undo(self.home, "me", self.chance.choice(made).entry_id if made else "", self.now)

    def any(self) -> str:
        return str(self.chance.choice(self.ask(self.home, "select session_id from landing.sessions order by 1"))[0])


@pytest.fixture(scope="module")
def pool(gpx_of: Gpx, fit_on: Fit) -> list[tuple[str, str, str, bytes]]:
    """Return what may come: runs, copies at their own and at other hours, halves, doubted ones."""
    found: list[tuple[str, str, str, bytes]] = []
    for n, day in enumerate((2, 4, 5, 8, 9, 12)):
        found.append(("garmin", f"g{n}", "gpx", gpx_of(_at(day), minutes=16, mps=2.5 + n / 10)))
        start = _at(day) + dt.timedelta(seconds=30 * n)
        found.append(("folder", f"p{n}", "gpx", gpx_of(start, minutes=10 + 2 * n, mps=2.5 + n / 10, title=f"Run {n}")))
    found.append(("folder", "hour", "gpx", gpx_of(_at(8, 13), minutes=16, mps=2.8, title="an hour off")))
    found.append(("garmin", "half", "gpx", gpx_of(_at(4, 10.4), minutes=9)))
    found.append(("garmin", "fit", "fit", fit_on(dt.date(2026, 11, 12), minutes=12, start=dt.time(7, 1))))
    found.append(("garmin", "on", "json", _summary(_at(6), 389, 1.3)))
    # Partial overlaps, halves of mixed kinds, a watch left on over two runs, one without a duration, one without steps.
    found.append(("folder", "over", "gpx", gpx_of(_at(2) + dt.timedelta(minutes=10), minutes=20, mps=2.5)))
    found.append(("folder", "oversum", "json", _summary(_at(5) + dt.timedelta(minutes=11), 30, 5)))
    found.append(("garmin", "sum", "json", _summary(_at(9, 10.4), 12, 2)))
    found.append(("folder", "sumgps", "gpx", gpx_of(_at(9), minutes=18)))
    found.append(("garmin", "left", "gpx", _left_on(gpx_of)))
    found.append(("folder", "left2", "gpx", gpx_of(_at(3, 14.5), minutes=35)))
    found.append(("garmin", "none", "json", _summary(_at(11), None, 5)))
    found.append(("folder", "ride", "gpx", gpx_of(_at(10), minutes=12, sport="cycling")))
    return found


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3))])
def test_after_any_sequence_of_changes_a_rebuild_gives_the_same_tables_row_for_row(
    kept: Settings, ask: Ask, tables: Tables, pool: list[tuple[str, str, str, bytes]], seed: int
) -> None:
    _give(kept, *_first(pool))
    _refresh(kept)
    world = _World(kept, ask, pool, seed)
    happened = []
    for step in range(16):
        happened.append(world.happen())
        if step % 2 or happened[-1] not in {"add", "again", "edit", "delete"}:
            _refresh(kept)
        if step % 8 == 7:
            incremental = tables(kept)
            with pipeline.exclusive(kept):
                pipeline.rebuild(kept, TODAY, now=NIGHT)
            assert tables(kept) == incremental, happened


def _first(pool: Sequence[tuple[str, str, str, bytes]]) -> tuple[str, tuple[str, str, bytes]]:
    source, *given = pool[0]
    return source, (given[0], given[1], given[2])  # type: ignore[return-value]


# --- what a hostile reader tried --------------------------------------------------------------------------------------


def _around(home: Settings, gpx_of: Gpx) -> None:
    """Deliver a run two days before the third, and one three days after it."""
    _give(home, "garmin", ("1", "gpx", gpx_of(_at(1))), ("6", "gpx", gpx_of(_at(6))))


def _minutes(home: Settings, ask: Ask, day: int) -> list[float]:
    query = "select round(moving_time_s / 60) from marts.sessions where day(local_date) = ? order by start_at"
    told = ask(home, query, day)
    return [row[0] for row in told]


def test_the_exclusion_of_a_recording_that_was_split_off_leaves_the_other_one_and_no_minute_counts_twice(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _around(kept, gpx_of)
    _give(kept, "garmin", ("3", "gpx", gpx_of(_at(3), minutes=30)))
    _give(kept, "phone", ("9", "gpx", gpx_of(_at(3) + dt.timedelta(seconds=20), minutes=30)))
    _refresh(kept)
    deciding.split(kept, "me", _ids(kept, ask)[1], [], NIGHT)
    _refresh(kept)
    deciding.judge(kept, "me", _ids(kept, ask)[1], "exclude", LATER)
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [30]
    _give(kept, "third", ("7", "gpx", gpx_of(_at(3) + dt.timedelta(minutes=20), minutes=30)))
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [50]


@pytest.mark.parametrize("apart_h", [1, 3])
def test_two_alike_runs_hours_apart_that_two_services_tell_of_are_two(
    kept: Settings, ask: Ask, gpx_of: Gpx, apart_h: int
) -> None:
    _around(kept, gpx_of)
    for source, late_s in (("garmin", 0), ("strava", 7)):
        told = [
            _summary(_at(3, 10 + apart_h * n) + dt.timedelta(seconds=late_s), 50 + n / 4 + 0.013, 6.706 + n / 50)
            for n in (0, 1)
        ]
        _give(kept, source, *[(f"{source}{n}", "json", summary) for n, summary in enumerate(told)])
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [50, 50]


def test_an_exclusion_never_falls_on_another_run_because_of_the_name_of_a_file(
    watched: tuple[Settings, Path], ask: Ask, tables: Tables, gpx_of: Gpx
) -> None:
    home, folder = watched
    first, second = gpx_of(_at(12), minutes=40), gpx_of(_at(14), minutes=22)
    _nights(home, folder, first, second)
    (folder / "b.gpx").write_bytes(first)
    folders.put_folder(home, home.folders[0], NIGHT + dt.timedelta(minutes=5))
    _refresh(home)
    deciding.judge(home, "me", _ids(home, ask)[0], "exclude", NIGHT + dt.timedelta(minutes=6))
    _refresh(home)
    (folder / "b.gpx").write_bytes(gpx_of(_at(12), minutes=30))
    folders.put_folder(home, home.folders[0], NIGHT + dt.timedelta(minutes=7))
    _refresh(home)
    assert (_minutes(home, ask, 12), _minutes(home, ask, 14)) == ([], [22])
    incremental = tables(home)
    with pipeline.exclusive(home):
        pipeline.rebuild(home, TODAY)
    assert tables(home) == incremental


@pytest.mark.long
def test_an_exclusion_holds_when_the_file_into_which_each_run_is_written_is_cropped(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "other.gpx").write_bytes(gpx_of(_at(10)))
    _nights(home, folder, gpx_of(_at(11), minutes=25), gpx_of(_at(12), minutes=40))
    deciding.judge(home, "me", _ids(home, ask)[2], "exclude", NIGHT + dt.timedelta(minutes=3))
    _nights(home, folder, gpx_of(_at(12), minutes=30), gpx_of(_at(12), minutes=28), first=4)
    assert (_minutes(home, ask, 11), _minutes(home, ask, 12)) == ([25], [])


def test_a_file_of_two_sources_counts_as_long_as_one_of_them_holds_it(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx
) -> None:
    _around(kept, gpx_of)
    run = gpx_of(_at(3), minutes=30)
    _give(kept, "garmin", ("3", "gpx", run))
    _give(kept, "other", ("9", "gpx", run), now=LATER)
    _give(kept, "other", ("9", "gpx", gpx_of(_at(3), minutes=12)), now=LATER + dt.timedelta(minutes=1))
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [30]
    ride = gpx_of(_at(3), minutes=12, sport="cycling", mps=6)
    _give(kept, "other", ("9", "gpx", ride), now=LATER + dt.timedelta(minutes=2))
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [30]
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental
    # Once the last one that gave it holds another, it is gone.
    _give(kept, "garmin", ("3", "gpx", gpx_of(_at(4), minutes=22)), now=LATER + dt.timedelta(minutes=3))
    _refresh(kept)
    assert (_minutes(kept, ask, 3), _minutes(kept, ask, 4)) == ([], [22])


def test_a_file_that_one_source_gave_under_two_ids_counts_as_long_as_one_of_them_is_it(
    kept: Settings, ask: Ask, gpx_of: Gpx
) -> None:
    _around(kept, gpx_of)
    run = gpx_of(_at(3), minutes=30)
    _give(kept, "garmin", ("3", "gpx", run), ("4", "gpx", run))
    _give(kept, "garmin", ("4", "gpx", gpx_of(_at(4), minutes=22)), now=LATER)
    _refresh(kept)
    assert (_minutes(kept, ask, 3), _minutes(kept, ask, 4)) == ([30], [22])


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("late", "minutes"),
    [
        pytest.param(dt.timedelta(hours=10, minutes=12), 40, id="back from work, as long"),
        pytest.param(dt.timedelta(hours=10), 40.5, id="back from work, a little longer"),
        pytest.param(dt.timedelta(minutes=39, seconds=56), 25, id="begun before the former ended"),
    ],
)
def test_the_next_run_in_the_same_watched_file_replaces_none_that_it_resembles_or_touches(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx, late: dt.timedelta, minutes: float
) -> None:
    home, folder = watched
    _nights(home, folder, gpx_of(_at(12), minutes=40), gpx_of(_at(12) + late, minutes=minutes, mps=2.8))
    assert len(_minutes(home, ask, 12)) == 2


@pytest.mark.long
def test_the_next_run_in_the_same_watched_file_takes_over_no_exclusion(
    watched: tuple[Settings, Path], ask: Ask, gpx_of: Gpx
) -> None:
    home, folder = watched
    (folder / "other.gpx").write_bytes(gpx_of(_at(10)))
    _nights(home, folder, gpx_of(_at(12), minutes=40))
    deciding.judge(home, "me", _ids(home, ask)[1], "exclude", NIGHT + dt.timedelta(seconds=20))
    _nights(home, folder, gpx_of(_at(12, 20.2), minutes=40), first=1)
    assert ask(home, "select hour(start_at at time zone 'UTC') from marts.sessions order by start_at") == [(10,), (20,)]


_MILES_FOR_KM = _summary(_at(3), 60, 20.3)


def _two(first: bytes, second: bytes) -> bytes:
    """Return one track of two: a watch that nobody stopped between them."""
    return first.removesuffix(b"</trkseg></trk></gpx>") + second.split(b"<trkseg>")[1]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("document", "phone", "told"),
    [
        (("json", _MILES_FOR_KM), 6, ("ride", "R0?00R")),
        (("json", _MILES_FOR_KM), 58, (None, "R0R00R")),
        (("gpx", _track(_at(3), (60, 7.0))), 6, ("vehicle", "R0?00R")),
        (("json", _summary(_at(3), None, 15)), 4, ("no duration", "R0?00R")),
        (("json", _summary(_at(3), 26 * 60, 12)), 30, ("left on", "R0??0R")),
        (("gpx", _two(_track(_at(3), (30, 2.8)), _track(_at(4, 12), (20, 2.8)))), 36, ("left on", "R0R?0R")),
        (("gpx", _two(_track(_at(3), (30, 2.8)), _track(_at(3, 17), (20, 2.8)))), 36, ("left on", "R0?00R")),
        (("gpx", _two(_track(_at(3), (10, 2.8)), _track(_at(4, 12), (60, 2.8)))), 10, ("left on", "R0??0R")),
    ],
)
def test_a_phones_minutes_never_silence_a_doubted_timeless_or_left_on_recording_that_may_hold_more(
    kept: Settings, ask: Ask, gpx_of: Gpx, document: tuple[str, bytes], phone: int, told: tuple[str | None, str]
) -> None:
    _around(kept, gpx_of)
    flag, drawn = told
    _give(kept, "garmin", ("3", *document))
    _give(kept, "phone", ("9", "gpx", gpx_of(_at(3) - dt.timedelta(seconds=5), minutes=phone)))
    _refresh(kept)
    assert _drawn(kept, ask)[:6] == drawn
    runs = ask(kept, "select round(moving_time_s / 60), flags from marts.sessions where day(local_date) in (3, 4)")
    assert runs == [(phone, [] if flag is None else [flag])]
    assert len([s for s in pipeline.overview(kept, "me", dt.date(2026, 11, 6)).unknowns if "is doubted" in s]) == (
        flag is not None
    )


def test_an_accepted_run_stays_when_a_summary_without_a_duration_arrives(
    kept: Settings, ask: Ask, tables: Tables, gpx_of: Gpx
) -> None:
    _around(kept, gpx_of)
    _give(kept, "garmin", ("3", "json", _MILES_FOR_KM))
    _refresh(kept)
    deciding.judge(kept, "me", ask(kept, "select session_id from marts.set_aside")[0][0], "accept", LATER)
    _give(kept, "strava", ("7", "strava", _strava(_at(3) + dt.timedelta(seconds=10))))
    _refresh(kept)
    assert _minutes(kept, ask, 3) == [60]
    assert ask(kept, "from marts.unreadable") == []
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY, now=NIGHT)
    assert tables(kept) == incremental
