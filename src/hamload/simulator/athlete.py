"""A simulated runner and their training plan: who runs what, when and for how long. No second of it is run here.

The plan reads from the end: `days_before` counts back from the last day, so that what a story ends with (a spike, a
race, a return) lies where the story is told. Chance is drawn afresh for every day and purpose (`dice`): to drop or
change one day leaves all others as they were.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

type Kind = Literal["easy", "hills", "intervals", "long", "strides", "treadmill", "race"]
type Road = Literal["flat", "rolling", "hilly"]

KINDS: tuple[Kind, ...] = ("easy", "hills", "intervals", "long", "strides", "treadmill", "race")
_HARD: frozenset[Kind] = frozenset({"hills", "intervals", "strides"})
_SKIPPABLE: frozenset[Kind] = frozenset({"easy", "strides", "treadmill"})
_WINTER = frozenset({12, 1, 2})
_DAYS_A_WEEK = 7
_SHORTEST_MIN = 20.0


class Purpose(IntEnum):
    """What chance is drawn for; each purpose has a stream of its own on every run."""

    PLAN = 0
    ROAD = 1
    BODY = 2
    DEVICE = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a runner sets out: degrees north and east, metres above sea."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float


@dataclass(frozen=True, slots=True)
class Workout:
    """What a day asks for, before the season stretches or shrinks it."""

    kind: Kind
    minutes: float
    start: dt.time = dt.time(7, 10)
    road: Road = "rolling"


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of the year that is different: `scale` 0 is no running, `kind` replaces what the week says."""

    days_before: int
    days: int
    scale: float
    kind: Kind | None = None
    road: Road | None = None

    def holds(self, days_before: int) -> bool:
        """Whether that day belongs to this episode."""
        return self.days_before - self.days < days_before <= self.days_before


@dataclass(frozen=True, slots=True)
class Fixture:
    """What one day holds whatever week and season say; None is rest."""

    days_before: int
    workout: Workout | None


@dataclass(frozen=True, slots=True)
class Season:
    """How a year differs from fifty-two equal weeks.

    Attributes
    ----------
    first_scale
        Minutes 365 days before the last day, as a share of those on it; between the two they grow in a straight line.
    recovery_every, recovery_scale
        Every so many weeks one is shorter and without hard runs; 0 is never.
    skipped_share
        Share of the easy days on which life comes in between.
    treadmill_share
        Share of winter's easy runs that are run on a treadmill.
    episodes, fixtures
        Holidays, injuries and the like; single days that are set.

    """

    first_scale: float = 0.8
    recovery_every: int = 4
    recovery_scale: float = 0.7
    skipped_share: float = 0.06
    treadmill_share: float = 0.4
    episodes: tuple[Episode, ...] = ()
    fixtures: tuple[Fixture, ...] = ()

    def scale(self, days_before: int) -> float:
        """Return by how much this day's minutes are stretched, episodes included."""
        grown = 1 - (1 - self.first_scale) * min(days_before / 365, 1.0)
        resting = self.recovery_scale if self.is_recovery(days_before) else 1.0
        return grown * resting * float(np.prod([e.scale for e in self.episodes if e.holds(days_before)]))

    def is_recovery(self, days_before: int) -> bool:
        """Whether this day lies in a recovery week."""
        week = days_before // _DAYS_A_WEEK
        return self.recovery_every > 0 and week % self.recovery_every == self.recovery_every - 1


#: Each weekday from Monday on: the workouts that take turns on it, week by week; none is rest.
type Week = tuple[tuple[Workout, ...], ...]

_EVENING = dt.time(18, 10)
_MORNING = dt.time(8, 40)

STEADY_WEEK: Week = (
    (),
    (Workout("easy", 45),),
    (Workout("intervals", 52, _EVENING, "flat"), Workout("hills", 54, _EVENING)),
    (Workout("easy", 40),),
    (),
    (Workout("strides", 42, _MORNING),),
    (Workout("long", 85, _MORNING),),
)

#: Two weeks away, five months before the end: nine days without a run, then a little.
SUMMER_HOLIDAY = (Episode(150, 9, 0.0), Episode(141, 5, 0.6))

#: Three hard days in a row, the last of them far longer and hillier than anything in the month before; then too late.
SPIKE_WEEK = (
    Fixture(6, Workout("easy", 45)),
    Fixture(5, None),
    Fixture(4, Workout("intervals", 58, _EVENING, "flat")),
    Fixture(3, Workout("hills", 66, _EVENING)),
    Fixture(2, Workout("long", 137, _MORNING, "hilly")),
    Fixture(1, Workout("easy", 30)),
    Fixture(0, None),
)

_RACES = (Fixture(75, Workout("race", 49, dt.time(10, 0), "flat")),)


@dataclass(frozen=True, slots=True)
class SimulatedRunner:
    """Who runs: body, home, week and season. The same values and seed always give the same year.

    Attributes
    ----------
    easy_speed_mps
        Speed of easy running on the flat, m/s.
    resting_bpm, max_bpm
        Heart rate at rest and at most, beats a minute.
    hill_grade
        Slope of the hill that hill repetitions are run on, rise over run.
    smart_share
        Share of the runs that the watch thins out ("smart recording") instead of writing every second.
    week, season
        The training plan.

    """

    name: str = "Sam Simulated"
    seed: int = 1
    easy_speed_mps: float = 2.8
    resting_bpm: float = 52.0
    max_bpm: float = 186.0
    home: Place = Place(48.2134, 16.4126, 160.0)
    time_zone: str = "Europe/Vienna"
    hill_grade: float = 0.08
    smart_share: float = 0.15
    week: Week = STEADY_WEEK
    season: Season = Season(episodes=SUMMER_HOLIDAY, fixtures=SPIKE_WEEK + _RACES)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of the plan. `start` is the local clock, `minutes` the moving time that is meant."""

    date: dt.date
    start: dt.time
    kind: Kind
    minutes: float
    road: Road = "rolling"

    @property
    def stem(self) -> str:
        """Return the run's name for a file, such as 2026-03-14-0710-easy."""
        return f"{self.date:%Y-%m-%d}-{self.start:%H%M}-{self.kind}"


def start_of(runner: SimulatedRunner, run: PlannedRun) -> dt.datetime:
    """Return when a run starts, in UTC."""
    local = dt.datetime.combine(run.date, run.start, ZoneInfo(runner.time_zone))
    return local.astimezone(dt.UTC)


def dice(runner: SimulatedRunner, run: PlannedRun, purpose: Purpose) -> np.random.Generator:
    """Return the chance of one run for one purpose: it depends on the runner's seed and the run's start alone."""
    minute = 60 * run.start.hour + run.start.minute
    return np.random.default_rng((runner.seed, run.date.toordinal(), minute, purpose))


def year_of(runner: SimulatedRunner, last_day: dt.date, days: int = 365) -> list[PlannedRun]:
    """Return the runs of the `days` days that end with `last_day`, oldest first; at most one a day."""
    planned = (_run_on(runner, last_day, days_before) for days_before in reversed(range(days)))
    return [run for run in planned if run is not None]


def _run_on(runner: SimulatedRunner, last_day: dt.date, days_before: int) -> PlannedRun | None:
    date = last_day - dt.timedelta(days=days_before)
    rng = np.random.default_rng((runner.seed, date.toordinal(), Purpose.PLAN))
    late_min, stretch = int(rng.integers(0, 25)), float(rng.normal(1.0, 0.02))
    chance_of_life, chance_of_treadmill = rng.random(2)
    fixture = next((f for f in runner.season.fixtures if f.days_before == days_before), None)
    if fixture is not None:
        workout = fixture.workout
    else:
        workout = _usual(runner, date, days_before, is_indoors=chance_of_treadmill < runner.season.treadmill_share)
        if workout and workout.kind in _SKIPPABLE and chance_of_life < runner.season.skipped_share:
            workout = None
    if workout is None:
        return None
    start = (dt.datetime.combine(date, workout.start) + dt.timedelta(minutes=late_min)).time()
    minutes = round(max(workout.minutes * stretch, _SHORTEST_MIN), 1)
    return PlannedRun(date, start, workout.kind, minutes, workout.road)


def _usual(runner: SimulatedRunner, date: dt.date, days_before: int, *, is_indoors: bool) -> Workout | None:
    season, turns = runner.season, runner.week[date.weekday()]
    scale = season.scale(days_before)
    if not turns or scale <= 0:
        return None
    workout = turns[days_before // _DAYS_A_WEEK % len(turns)]
    workout = replace(workout, minutes=workout.minutes * scale)
    if season.is_recovery(days_before) and workout.kind in _HARD:
        workout = replace(workout, kind="easy", road="rolling")
    if workout.kind == "easy" and is_indoors and date.month in _WINTER:
        workout = replace(workout, kind="treadmill", road="flat")
    for episode in season.episodes:
        if episode.holds(days_before):
            workout = replace(workout, kind=episode.kind or workout.kind, road=episode.road or workout.road)
    return workout
