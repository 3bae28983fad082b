"""Runs that the runner thinks of: what is written is read to the letter; what it would ask rests on their own runs."""

import datetime as dt
from typing import Any

import pytest

from hamload.advice.planned import KINDS, Estimate, PlannedRun, coming_day, estimate, planned_run
from hamload.errors import ConfigurationError
from hamload.records import SessionFact
from hamload.settings import defaults

RULES = defaults()[2]
#: A Wednesday.
TODAY = dt.date(2026, 11, 25)
EXAMPLE = 'For instance: --add "sun long 100min" or --add "2026-11-29 hill 60min 11km" (or 7mi).'


def run(
    days_ago: int,
    load_efm: float = 60.0,
    moving_time_s: float = 3600.0,
    distance_m: float | None = 10_000.0,
    **labels: bool | None,
) -> SessionFact:
    date = TODAY - dt.timedelta(days=days_ago)
    told: dict[str, Any] = {"is_hill": False, "is_speed": False, "is_long": False, "is_heavy": False, **labels}
    return SessionFact(
        session_id=f"{days_ago} {load_efm}",
        start_at=dt.datetime.combine(date, dt.time(7), dt.UTC),
        local_date=date,
        title="",
        distance_m=distance_m,
        moving_time_s=moving_time_s,
        load_efm=load_efm,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        load_base_efm=load_efm,
        spike_distance=None,
        spike_load=None,
        **told,
    )


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("today", 0),
        (" Tomorrow ", 1),
        ("wed", 0),
        ("thu", 1),
        ("sunday", 4),
        ("tue", 6),
        ("2026-11-25", 0),
        ("2026-12-05", 10),
    ],
)
def test_a_day_to_come_is_a_date_or_a_word_and_a_weekday_is_the_next_one_today_included(
    written: str, days: int
) -> None:
    assert coming_day(written, TODAY, "--on") == TODAY + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "someday",
            "--race someday: this is no day. Write YYYY-MM-DD, today, tomorrow, or a weekday such as sun.",
        ),
        ("2026-11-24", "--race 2026-11-24: that day is over. A plan is for days to come."),
    ],
)
def test_a_day_that_is_none_or_over_is_refused_in_a_sentence(written: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        coming_day(written, TODAY, "--race")
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("written", "minutes", "metres"),
    [
        ("thu long 100min", 100, None),
        ("THU Long 100", 100, None),
        ("thu long 100m 18km", 100, 18_000),
        ("thu long 1h40 18.5km", 100, 18_500),
        ("thu long 2h 18,5km", 120, 18_500),
        ("thu long 1440min", 1440, None),
        ("thu long 24h", 1440, None),
        ("thu long 1min 10mi", 1, 16_093.44),
        ("thu long 90min 1mile", 90, 1609.344),
        ("thu long 90min 2miles", 90, 3218.688),
    ],
)
def test_a_planned_run_is_read_with_its_minutes_and_metres(written: str, minutes: float, metres: float | None) -> None:
    found = planned_run(written, TODAY)
    assert (found.date, found.kind, found.minutes) == (TODAY + dt.timedelta(days=1), "long", minutes)
    assert found.distance_m == (None if metres is None else pytest.approx(metres, abs=1e-9))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read(kind: str) -> None:
    assert planned_run(f"today {kind} 30", TODAY) == PlannedRun(TODAY, kind, 30.0)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("thu long", f"--add 'thu long': a run is DAY KIND MINUTES, and its distance where you know it. {EXAMPLE}"),
        (
            "thu long 100 18km x",
            f"--add 'thu long 100 18km x': a run is DAY KIND MINUTES, and its distance where you know it. {EXAMPLE}",
        ),
        (
            "thu lang 100",
            "--add 'thu lang 100': lang is no kind. Choose one of: easy, long, hill, speed, race.",
        ),
        ("thu long 0", f"--add 'thu long 0': 0 is no duration. {EXAMPLE}"),
        ("thu long 1441", f"--add 'thu long 1441': 1441 is no duration. {EXAMPLE}"),
        ("thu long 24h1", f"--add 'thu long 24h1': 24h1 is no duration. {EXAMPLE}"),
        ("thu long h40", f"--add 'thu long h40': h40 is no duration. {EXAMPLE}"),
        ("thu long 100 0km", f"--add 'thu long 100 0km': 0km is no distance. {EXAMPLE}"),
        ("thu long 100 18", f"--add 'thu long 100 18': 18 is no distance. {EXAMPLE}"),
        ("thu long 100 km", f"--add 'thu long 100 km': km is no distance. {EXAMPLE}"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_wrong_and_an_example(written: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        planned_run(written, TODAY)
    assert str(refused.value) == told


def test_the_day_of_a_planned_run_names_the_option_that_it_stands_in() -> None:
    with pytest.raises(ConfigurationError, match=r"^--add nowhere: this is no day"):
        planned_run("nowhere long 100", TODAY)


def test_an_estimate_is_the_minutes_times_what_a_minute_of_runs_of_that_kind_asks() -> None:
    hilly = [run(3, 90, 3600, 9000.0, is_hill=True), run(9, 150, 5400, 13_500.0, is_hill=True)]
    planned = PlannedRun(TODAY, "hill", 60)
    found = estimate(planned, [*hilly, run(5, 30), run(6, 30)], RULES)
    assert found == Estimate(planned, pytest.approx(60 * 240 / 150), pytest.approx(9000.0), 2, is_own_kind=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "label"),
    [("long", "is_long"), ("hill", "is_hill"), ("speed", "is_speed"), ("race", "is_speed")],
)
def test_a_kind_is_what_its_label_says_and_an_unknown_label_is_none(kind: str, label: str) -> None:
    told: tuple[dict[str, Any], ...] = ({label: True}, {label: None}, {label: False})
    own = [run(1, 120, **told[0]), run(2, 120, **told[0])]
    others = [run(3, 60, **told[1]), run(4, 60, **told[2])]
    found = estimate(PlannedRun(TODAY, kind, 60), [*own, *others], RULES)
    assert found is not None
    assert found.load_efm == pytest.approx(120)
    assert (found.runs, found.is_own_kind) == (2, True)


def test_an_easy_run_is_one_that_is_known_not_to_be_heavy() -> None:
    sessions = [
        run(1, 40, is_heavy=False),
        run(2, 40, is_heavy=False),
        run(3, 90, is_heavy=None),
        run(4, 90, is_heavy=True),
    ]
    found = estimate(PlannedRun(TODAY, "easy", 60), sessions, RULES)
    assert found is not None
    assert found.load_efm == pytest.approx(40)
    assert found.runs == 2


def test_one_run_of_a_kind_is_too_few_and_all_runs_stand_in_for_it() -> None:
    found = estimate(PlannedRun(TODAY, "speed", 30), [run(1, 120, is_speed=True), run(2, 60), run(3, 60)], RULES)
    assert found is not None
    assert found.load_efm == pytest.approx(40)
    assert (found.runs, found.is_own_kind) == (3, False)


def test_runs_count_from_ninety_days_before_to_the_day_itself_where_they_moved() -> None:
    days = RULES.windows.own_days
    counted = [run(days, 60), run(0, 60)]
    others = [run(days + 1, 600), run(-1, 600), run(5, 600, moving_time_s=0.0)]
    found = estimate(PlannedRun(TODAY, "easy", 60), [*counted, *others], RULES)
    assert found is not None
    assert found.load_efm == pytest.approx(60)
    assert found.runs == 2
    assert estimate(PlannedRun(TODAY, "easy", 60), others, RULES) is None


def test_the_distance_is_the_runners_own_word_else_that_of_the_runs_that_have_one() -> None:
    sessions = [
        run(1, distance_m=8000.0),
        run(2, distance_m=None),
        run(3, distance_m=0.0),
        run(4, moving_time_s=1800.0, distance_m=1.0),
    ]
    told = estimate(PlannedRun(TODAY, "easy", 30, 5000.0), sessions, RULES)
    found = estimate(PlannedRun(TODAY, "easy", 30), sessions, RULES)
    unknown = estimate(PlannedRun(TODAY, "easy", 30), [run(1, distance_m=None)], RULES)
    assert told is not None
    assert found is not None
    assert unknown is not None
    assert told.distance_m == 5000.0
    assert found.distance_m == pytest.approx(1800 * 8001 / 5400)
    assert unknown.distance_m is None
