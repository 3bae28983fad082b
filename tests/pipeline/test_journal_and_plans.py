"""What the runner says, through the whole way of the data: states, plans, curls, calendar and watch follow from it."""

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from icalendar import Calendar

import hamload
from hamload import pipeline
from hamload.errors import ConfigurationError, HamloadError
from hamload.pipeline.counsel import backtesting, curling, journaling, planning
from hamload.pipeline.intake.putting import Put
from hamload.records import State
from hamload.settings import Settings
from hamload.simulator import SimulatedRunner
from hamload.simulator.garmin import Account, GarminSimulator
from hamload.sources import garmin
from hamload.sources.garmin import Hosts
from hamload.sources.garmin_workouts import curl_workout

type Ask = Callable[..., list[tuple[Any, ...]]]
type Bring = Callable[..., Put]

TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
#: Easy on Tuesday, Thursday and Saturday.
RUNS = [d for d in range(1, 57) if (TODAY - dt.timedelta(days=d)).weekday() in (1, 3, 5)]


@pytest.fixture(scope="module")
def eight_weeks(
    home_with: Callable[[Path, str], Settings],
    bring: Bring,
    gpx_of: Callable[..., bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a home with eight calm weeks: three flat runs a week, all alike. Copy it."""
    folder = tmp_path_factory.mktemp("runs")
    home = home_with(tmp_path_factory.mktemp("eight") / "home", 'time_zone = "America/Recife"')
    for days in RUNS:
        start = dt.datetime.combine(TODAY - dt.timedelta(days=days), dt.time(9), dt.UTC)
        (folder / f"{days}.gpx").write_bytes(gpx_of(start, minutes=30))
    bring(home, folder, now=NOW, today=TODAY, through=TODAY - dt.timedelta(days=1))
    return home.home


@pytest.fixture
def calm(eight_weeks: Path, home_with: Callable[[Path, str], Settings], tmp_path: Path) -> Settings:
    """Return a copy of the home with eight calm weeks."""
    return home_with(shutil.copytree(eight_weeks, tmp_path / "calm"), 'time_zone = "America/Recife"')


@pytest.fixture
def say(calm: Settings) -> Callable[..., journaling.Logged]:
    """Log something, and bring every table up to date: `say("tightness", days_ago=1, level=4)`.

    `goes_on`: more is said at once, and the tables follow all of it together.
    """
    clock: Iterator[int] = iter(range(1000))

    def logged(kind: str, days_ago: int = 0, *, goes_on: bool = False, **content: Any) -> journaling.Logged:
        now = NOW + dt.timedelta(minutes=next(clock))
        done = journaling.log(calm, "me", kind, TODAY - dt.timedelta(days=days_ago), content, now)
        if not goes_on:
            pipeline.refresh(calm, TODAY)
        return done

    return logged


type Say = Callable[..., journaling.Logged]


def curls(**changes: Any) -> dict[str, Any]:
    return {"sets": 1, "repetitions": 5, "rpe": 7.0, "is_single_leg": False, "lowering_s": None} | changes


def test_curls_logged_by_hand_and_said_in_a_title_and_recognised_are_one_session(
    calm: Settings, say: Say, bring: Bring, gpx_of: Callable[..., bytes], tmp_path: Path, ask: Ask
) -> None:
    start = dt.datetime.combine(TODAY - dt.timedelta(days=2), dt.time(9), dt.UTC)
    (tmp_path / "run.gpx").write_bytes(gpx_of(start, minutes=31, title="Easy, curls 2x7 @7 #tight 3 left"))
    bring(calm, tmp_path / "run.gpx", now=NOW, today=TODAY)
    rows = "select local_date, sets, repetitions, rpe, source, told_by from marts.curl_sessions order by 1"
    day = TODAY - dt.timedelta(days=2)
    assert ask(calm, rows) == [(day, 2, 14, 7.0, "title", ["title"])]
    say("curls", 2, **curls(sets=2, repetitions=8, rpe=None))
    assert ask(calm, rows) == [(day, 2, 16, 7.0, "journal", ["journal", "title"])], "the dose by hand, the effort said"
    assert ask(calm, "select kind, content ->> 'level' from staging.journal where kind = 'tightness'") == [
        ("tightness", "3.0")
    ]
    say("curls", 5, **curls())
    assert len(ask(calm, rows)) == 2


def test_a_second_entry_for_a_day_corrects_the_first_and_undo_brings_it_back(
    calm: Settings, say: Say, ask: Ask
) -> None:
    say("curls", 1, **curls())
    say("curls", 1, **curls(repetitions=6))
    rows = "select repetitions from marts.curl_sessions"
    assert ask(calm, rows) == [(6,)]
    journaling.undo(calm, "me", "", NOW + dt.timedelta(hours=1))
    pipeline.refresh(calm, TODAY)
    assert ask(calm, rows) == [(5,)]
    assert [e.content["repetitions"] for e in journaling.entries(calm, "me")] == [5]


def test_the_same_words_twice_are_one_entry(say: Say) -> None:
    assert say("tightness", level=4.0, side=None).is_new
    assert not say("tightness", level=4.0, side=None).is_new
    assert say("tightness", level=5.0, side=None).is_new


def test_undo_takes_back_only_what_was_logged(calm: Settings) -> None:
    with pytest.raises(ConfigurationError, match="no such entry"):
        journaling.undo(calm, "me", "", NOW)
    with pytest.raises(ConfigurationError, match="no such entry"):
        journaling.undo(calm, "me", "zzz", NOW)


def test_curls_end_the_nagging(calm: Settings, say: Say, ask: Ask) -> None:
    newest = "select state from marts.alerts order by date desc limit 1"
    assert ask(calm, newest) == [("build",)]
    say("curls", 6, goes_on=True, **curls())
    say("curls", 2, **curls())
    assert ask(calm, newest) == [("steady",)]


def _next_7(calm: Settings) -> str:
    facts = pipeline.overview(calm, "me")
    return " ".join((facts.headline, *dict.fromkeys((*facts.alert.advice, *facts.next_7)), facts.alert.clears_when))


#: What asks for curls, or allows them.
_MORE = ("good time for", "once or twice", "start with", "begin again", "8/10", "Next curls", "within 10 days")


def test_soreness_that_does_not_settle_leaves_no_other_word_on_curls(calm: Settings, say: Say) -> None:
    say("curls", 12, goes_on=True, **curls(sets=2))
    for days in (10, 8, 6, 4, 2, 1):
        say("soreness", days, goes_on=days > 1, level=5.0)
    told = _next_7(calm)
    assert told.count("No more curls") == 1
    assert not [word for word in _MORE if word in told], told
    assert "good time for" not in planning.outlook(calm, "me", TODAY).headline
    say("soreness", level=0.0)
    assert "No more curls" not in _next_7(calm)


def test_massage_first_leaves_no_other_word_on_curls(calm: Settings, say: Say) -> None:
    for days in (9, 7, 5, 3, 1):
        say("tightness", days, goes_on=days > 1, level=6.0, side=None)
    told = _next_7(calm)
    assert told.count("massages first (0 logged") == 1
    assert not [word for word in _MORE if word in told], told


def test_curls_that_were_too_much_leave_no_call_for_more(calm: Settings, say: Say) -> None:
    say("curls", 3, **curls(sets=2, repetitions=8, rpe=10.0))
    told = _next_7(calm)
    assert told.count("too much") == 1
    assert "Next curls: 2 x 5" in told
    assert not [word for word in _MORE if word in told and word != "Next curls"], told


def test_a_flag_of_today_stops_everything_at_once_and_only_clearing_ends_it(calm: Settings, say: Say, ask: Ask) -> None:
    say("curls", 6, **curls())
    file = curling.calendar_path(calm, "me")
    assert "CONFIRMED" in file.read_text()
    done = say("flag", name="hot-swollen-calf")
    assert done.advice[0].startswith("Get medical help now")
    assert ask(calm, "select state, headline from marts.alerts order by date desc limit 1") == [
        ("stop", "Stop, and get medical help now: a warning sign that cannot wait was logged.")
    ]
    facts = pipeline.overview(calm, "me")
    told = " ".join((*facts.next_7, pipeline.digest_text(calm, "me")))
    for word in ("Next curls", "ball curls", "EFM through", "at most"):
        assert word not in told
    outlook = planning.outlook(calm, "me", TODAY)
    assert (outlook.state, outlook.is_withheld, outlook.plan) == (State.STOP, True, None)
    plan = curling.plan(calm, "me", TODAY)
    assert (plan.stage, plan.dose) == (curling.Stage.WITHHELD, None)
    calendar: Any = Calendar.from_ical(file.read_bytes())
    coming = [e for e in calendar.walk("VEVENT") if e["DTSTART"].dt >= TODAY]
    assert {str(e["STATUS"]) for e in coming} == {"CANCELLED"}
    assert not any(e.get("DESCRIPTION") for e in coming), "a cancelled day says no more how to do them"
    with pytest.raises(HamloadError, match="no curls to send"):
        curling.push_to_garmin(calm, "me", TODAY, NOW)
    with pytest.raises(ConfigurationError, match="is not open"):
        journaling.log(calm, "me", "cleared", TODAY, {"name": "pop"}, NOW)
    say("cleared", name="hot-swollen-calf")
    assert ask(calm, "select state from marts.alerts order by date desc limit 1") == [("build",)]
    assert curling.plan(calm, "me", TODAY).dose is not None


def test_a_flag_logged_while_a_night_holds_the_home_withholds_advice_everywhere(calm: Settings, say: Say) -> None:
    """Nothing is built anew: the tables say "build" still, and no outlet may repeat it."""
    say("curls", 6, **curls())
    assert "good time for" in pipeline.digest_text(calm, "me")
    journaling.log(calm, "me", "flag", TODAY, {"name": "saddle-numbness"}, NOW + dt.timedelta(hours=2))
    facts = pipeline.overview(calm, "me")
    assert facts.alert.state is State.STOP
    assert facts.headline.startswith("Stop, and get medical help now")
    written = pipeline.digest(calm, "me", NOW)
    past = pipeline.overview(calm, "me", TODAY - dt.timedelta(days=9))
    history = pipeline.alert_history(calm, "me", every=True)
    assert history[0]["state"] == "stop"
    assert len(history) > 1
    assert pipeline.tell_state(calm, "me", NOW)
    assert [m.kind for m in pipeline.undelivered(calm, "me")] == ["alert"]
    shown = [
        " ".join((facts.headline, *facts.next_7)),
        pipeline.digest_text(calm, "me"),
        written.text_path.read_text(),
        written.html_path.read_text(),
        " ".join((past.headline, *past.next_7)),
        json.dumps(history, default=str),
        " ".join(m.subject for m in pipeline.undelivered(calm, "me")),
        pipeline.report(calm, "me", NOW).read_text(),
    ]
    for told in shown:
        for word in ("Next curls", "good time for", "5 ball curls", "10 days are known"):
            assert word not in told
    assert planning.outlook(calm, "me", TODAY).headline == facts.headline
    assert curling.plan(calm, "me", TODAY).stage is curling.Stage.WITHHELD


def test_a_flag_logged_again_after_its_clearance_opens_again(calm: Settings) -> None:
    def log(kind: str, days_ago: int, minute: int) -> journaling.Logged:
        date, now = TODAY - dt.timedelta(days=days_ago), NOW + dt.timedelta(minutes=minute)
        return journaling.log(calm, "me", kind, date, {"name": "sit-bone-pain"}, now)

    log("flag", 4, 1)
    assert not log("flag", 4, 2).is_new
    assert log("cleared", 3, 3).advice == ()
    again = log("flag", 4, 4)
    assert again.is_new
    assert "See a doctor" in again.advice[0]
    assert pipeline.overview(calm, "me").alert.state is State.STOP


def test_a_flag_without_any_run_withholds_the_plan_too(home: Settings) -> None:
    done = journaling.log(home, "me", "flag", TODAY, {"name": "pop"}, NOW)
    assert "See a doctor" in done.advice[0]
    assert planning.outlook(home, "me", TODAY).is_withheld
    assert curling.plan(home, "me", TODAY).stage is curling.Stage.WITHHELD


def test_acknowledging_is_kept_through_a_rebuild(calm: Settings, say: Say, ask: Ask) -> None:
    say("ack", 1, state="build")
    rows = "select is_acknowledged from marts.alerts order by date desc limit 1"
    assert ask(calm, rows) == [(True,)]
    pipeline.rebuild(calm, TODAY)
    assert ask(calm, rows) == [(True,)]


def test_the_weeks_hold_demand_capacity_and_tightness_on_one_axis(calm: Settings, say: Say) -> None:
    say("tightness", 8, goes_on=True, level=3.0, side="left")
    say("tightness", 8, goes_on=True, level=5.0, side="right")
    say("tightness", 7, goes_on=True, level=2.0, side=None)
    say("curls", 8, goes_on=True, **curls(sets=2))
    say("test", 8, goes_on=True, repetitions=11)
    say("massage", 8)
    weeks = hamload.open(calm.home).weeks().set_index("week")
    row = weeks.loc["2026-11-16"]
    assert (row["days"], row["known_days"]) == (7, 7)
    assert row["load_efm"] > 80
    assert (row["curl_sessions"], row["curl_repetitions"]) == (1, 10)
    assert (row["tightness_max"], row["tightness_mean"], row["tightness_entries"]) == (5.0, 3.5, 2)
    assert (row["test_repetitions"], row["massages"]) == (11, 1)
    before = weeks.loc["2026-11-09"]
    assert pd.isna(before["curl_sessions"]), "nobody had told of curls yet: unknown, not none"


def test_what_a_planned_run_would_do_is_said_before_it_is_run(calm: Settings) -> None:
    """30-minute runs of 5.04 km; 60 minutes on Thursday would be twice the longest of the month."""
    runs = [planning.planned_run("thu easy 60min", TODAY)]
    (answer,) = planning.outlook(calm, "me", TODAY, runs=runs).what_if
    assert answer.spike_distance == pytest.approx(2.0, rel=0.02)
    assert (answer.state, answer.state_without) == (State.DELOAD, State.BUILD)
    assert any("beyond your longest" in sentence for sentence in answer.sentences)
    assert answer.estimate.load_efm == pytest.approx(60, rel=0.1)
    (calm_answer,) = planning.outlook(calm, "me", TODAY, runs=[planning.planned_run("thu easy 30min", TODAY)]).what_if
    assert calm_answer.state is State.BUILD


@pytest.mark.parametrize(
    "text",
    ["sun", "sun long", "sun lung 100", "sun long 0min", "sun long 100min 0km", "2020-01-01 easy 30", "x easy 9"],
)
def test_a_planned_run_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        planning.planned_run(text, TODAY)
    assert refused.value.remedy


def test_planned_runs_are_read_as_people_write_them() -> None:
    told = planning.planned_run("Sun long 1h40 16.5km", TODAY)
    assert (told.date, told.kind, told.minutes, told.distance_m) == (dt.date(2026, 11, 29), "long", 100, 16_500)
    assert planning.planned_run("today easy 40", TODAY).date == TODAY
    assert planning.planned_run("tomorrow hill 2h", TODAY).minutes == 120


def test_days_off_are_kept_free(calm: Settings) -> None:
    off = frozenset({dt.date(2026, 11, 26), dt.date(2026, 11, 28)})
    plan = planning.outlook(calm, "me", TODAY, planning.Wishes(off=off)).plan
    assert plan is not None
    assert [d.limit_efm for d in plan.days if d.date in off] == [0, 0]
    assert plan.total_efm > 0


def test_a_race_on_a_day_off_is_refused(calm: Settings) -> None:
    race = dt.date(2026, 11, 28)
    with pytest.raises(ConfigurationError, match="--off keeps free"):
        planning.outlook(calm, "me", TODAY, planning.Wishes(off=frozenset({race}), race=race))


def test_a_race_of_today_is_told_nothing_of_the_days_before_it(calm: Settings) -> None:
    told = " ".join(planning.outlook(calm, "me", TODAY, planning.Wishes(race=TODAY)).sentences)
    assert "For your race" in told
    assert "No hard run" not in told


def test_curls_too_close_to_a_race_are_named(calm: Settings) -> None:
    curl_day = curling.plan(calm, "me", TODAY).dates[0]
    told = {
        days: " ".join(
            planning.outlook(calm, "me", TODAY, planning.Wishes(race=curl_day + dt.timedelta(days=days))).sentences
        )
        for days in (0, 1, 2)
    }
    assert all(f"Your curls on {curl_day:%A}" in text for text in told.values()), told
    without = planning.outlook(calm, "me", TODAY, planning.Wishes(race=TODAY + dt.timedelta(days=90)))
    assert not any("Your curls" in sentence for sentence in without.sentences)


def test_the_room_of_a_week_says_what_it_does_not_check(calm: Settings) -> None:
    outlook = planning.outlook(calm, "me", TODAY)
    assert any("not how hard" in sentence for sentence in outlook.sentences)


def test_the_backtest_reads_what_was_logged(calm: Settings, say: Say) -> None:
    say("tightness", 10, level=5.0, side=None)
    found = backtesting.backtest(calm, "me")
    assert (found.entries, found.flares) == (1, (TODAY - dt.timedelta(days=10),))
    assert not found.is_enough


def test_the_calendar_is_written_anew_where_somebody_wrote_over_it(calm: Settings) -> None:
    file = curling.calendar_path(calm, "me")
    file.write_bytes(b"not a calendar")
    curling.write_calendar(calm, "me", TODAY, NOW)
    assert file.read_bytes().startswith(b"BEGIN:VCALENDAR")


def test_a_second_runner_orphans_no_calendar_that_a_phone_is_subscribed_to(
    calm: Settings, home_with: Callable[[Path, str], Settings]
) -> None:
    file = curling.calendar_path(calm, "me")
    assert "STATUS:CONFIRMED" in file.read_text()
    runners = "".join(f'[[athletes]]\nid = "{name}"\ntime_zone = "America/Recife"\n' for name in ("me", "other"))
    both = home_with(calm.home, runners)
    journaling.log(both, "me", "flag", TODAY, {"name": "pop"}, NOW)
    own = curling.write_calendar(both, "me", TODAY, NOW)
    assert own.name == "curls-me.ics"
    assert "STATUS:CONFIRMED" not in file.read_text()
    assert "STATUS:CANCELLED" in file.read_text()


def _connected(simulator: GarminSimulator, folder: Path) -> garmin.Connection:
    folder.mkdir(mode=0o700)
    (folder / garmin.TOKENS).write_text(json.dumps(simulator.tokens()))
    (folder / garmin.TOKENS).chmod(0o600)
    base = simulator.base
    return garmin.connect(folder, hosts=Hosts(base, base, base, f"{base}/di-oauth2-service/oauth/token"))


def test_the_next_curls_reach_the_watch_once_through_the_real_client(calm: Settings, tmp_path: Path) -> None:
    account = Account(SimulatedRunner(), [], lambda: NOW, curls=0)
    with GarminSimulator(account) as simulator, _connected(simulator, tmp_path / "tokens") as service:
        first = curling.push(calm, "me", TODAY, NOW, service)
        again = curling.push(calm, "me", TODAY, NOW, service)
        assert (first.is_new, again.is_new, first.workout_id) == (True, False, again.workout_id)
        ((workout_id, workout),) = simulator.workouts.items()
        assert simulator.scheduled == [(workout_id, first.date.isoformat())]
    assert workout["sportType"]["sportTypeKey"] == "strength_training"
    (block,) = workout["workoutSegments"][0]["workoutSteps"]
    exercise = block["workoutSteps"][0]
    assert (block["numberOfIterations"], exercise["endConditionValue"]) == (1, 5.0)
    assert (exercise["category"], exercise["exerciseName"]) == ("LEG_CURL", "SWISS_BALL_HIP_RAISE_AND_LEG_CURL")
    assert [e.kind for e in journaling.entries(calm, "me")] == [], "what was sent is no entry of the runner's"


def test_what_was_sent_to_the_watch_is_replaced_by_a_new_dose_and_taken_back_by_a_stop(
    calm: Settings, say: Say, tmp_path: Path
) -> None:
    account = Account(SimulatedRunner(), [], lambda: NOW, curls=0)
    with GarminSimulator(account) as simulator, _connected(simulator, tmp_path / "tokens") as service:
        first = curling.push(calm, "me", TODAY, NOW, service)
        say("curls", **curls())
        second = curling.push(calm, "me", TODAY, NOW, service)
        assert (second.is_new, second.date > first.date) == (True, True)
        assert simulator.scheduled == [(second.workout_id, second.date.isoformat())]
        journaling.log(calm, "me", "flag", TODAY, {"name": "pop"}, NOW + dt.timedelta(hours=3))
        (left,) = curling.recall_from_garmin(calm, "me", TODAY, NOW)
        assert "On your watch stays" in left, "this home has no sign-in: the runner is told what to delete"
        with pytest.raises(HamloadError, match="no curls to send"):
            curling.push(calm, "me", TODAY, NOW, service)
        assert (simulator.workouts, simulator.scheduled) == ({}, [])
        assert curling.recall_from_garmin(calm, "me", TODAY, NOW) == []


def test_a_session_that_the_runner_deleted_there_is_as_good_as_taken_back(calm: Settings, tmp_path: Path) -> None:
    account = Account(SimulatedRunner(), [], lambda: NOW, curls=0)
    with GarminSimulator(account) as simulator, _connected(simulator, tmp_path / "tokens") as service:
        curling.push(calm, "me", TODAY, NOW, service)
        simulator.workouts.clear()
        journaling.log(calm, "me", "flag", TODAY, {"name": "pop"}, NOW)
        assert curling.recall(calm, "me", TODAY, NOW, service) == 1
        assert curling.recall(calm, "me", TODAY, NOW, service) == 0


def test_a_single_leg_session_names_the_single_leg_exercise() -> None:
    workout = curl_workout("Curls", 2, 7, "", is_single_leg=True)
    exercise = workout["workoutSegments"][0]["workoutSteps"][0]["workoutSteps"][0]
    assert exercise["exerciseName"].startswith("SINGLE_LEG_SWISS_BALL")


def test_days_that_hamload_has_not_looked_at_are_no_rest(calm: Settings) -> None:
    """Four days later, nothing imported since: no number, no step up, and the remedy."""
    later = TODAY + dt.timedelta(days=4)
    found = planning.outlook(calm, "me", later, runs=[planning.planned_run("today easy 30min", later)])
    assert found.plan is None
    assert found.state is State.UNKNOWN
    assert any("run hamload sync" in sentence for sentence in found.sentences)
    assert found.what_if[0].uncoupled is None
    assert found.what_if[0].spike_distance is None
    assert curling.plan(calm, "me", later).stage is curling.Stage.WAIT
