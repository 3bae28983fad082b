"""What really happened on a run, second by second, before any device has looked at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hamload.simulator.athlete import Purpose, dice
from hamload.simulator.body import cadence_of, heart_rate_of, speed_of
from hamload.simulator.terrain import map_position
from hamload.simulator.workouts import course_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hamload.records import Array
    from hamload.simulator.athlete import PlannedRun, SimulatedRunner
    from hamload.simulator.workouts import Course

_WOBBLE = 0.02  # of the speed, over some 60 m
_WOBBLE_EVERY_M = 60.0
_SMOOTHING_M = 9
_BRAKING_MPS2 = 0.8  # into and out of a stop
_LIGHTS_CHANCE = (0.35, 0.30, 0.20, 0.15)  # of none, one, two, three red lights
_LIGHTS_AWAY = (0.10, 0.90)  # where along the road they stand, as shares of it
_RED_S = (15, 70)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A run as it was: one row for each second of movement, all channels known, save altitude and place indoors.

    `time_s` is seconds from the start, standing at the lights included; `pauses` are those stands, as (from, to).
    `grade` is the slope of the road underfoot (of the belt, on a treadmill), rise over run.
    """

    time_s: Array
    speed_mps: Array
    distance_m: Array
    grade: Array
    altitude_m: Array
    latitude_deg: Array
    longitude_deg: Array
    heart_rate_bpm: Array
    cadence_spm: Array
    pauses: tuple[tuple[float, float], ...]


def truth_of(runner: SimulatedRunner, run: PlannedRun) -> Truth:
    """Run the plan: the course metre by metre, then looked at once a second."""
    rng = dice(runner, run, Purpose.BODY)
    course = course_of(runner, run)
    is_outdoors = run.kind != "treadmill"
    lights_m = _lights(course, rng) if is_outdoors and run.kind != "race" else np.empty(0, dtype=np.int64)
    metres = np.arange(len(course.grade) + 1, dtype=np.float64)
    passed_s = np.concatenate([[0.0], np.cumsum(1 / _speed_by_metre(runner, course, lights_m, rng))])

    moving_s = np.arange(int(passed_s[-1]) + 1, dtype=np.float64)
    distance = np.interp(moving_s, passed_s, metres)
    speed = np.gradient(distance)
    grade = course.grade[np.minimum(distance.astype(np.int64), len(course.grade) - 1)]
    stops_s = np.ceil(passed_s[lights_m])
    red_s = rng.integers(*_RED_S, size=len(stops_s)).astype(np.float64)
    time = moving_s + np.sum(np.where(moving_s[:, None] > stops_s, red_s, 0.0), axis=1)
    waited_s = np.concatenate([[0.0], np.cumsum(red_s)])
    pauses = tuple(
        (float(stop + before), float(stop + before + red))
        for stop, before, red in zip(stops_s, waited_s[:-1], red_s, strict=True)
    )

    nowhere = np.full(len(time), np.nan)
    altitude, latitude, longitude = nowhere, nowhere, nowhere
    if is_outdoors:
        climbed = np.concatenate([[0.0], np.cumsum(course.grade)])
        altitude = runner.home.altitude_m + np.interp(distance, metres, climbed)
        along = np.interp(distance, metres, np.append(course.along_m, 0.0))
        latitude, longitude = map_position(runner.home, along, rng)
    return Truth(
        time_s=time,
        speed_mps=speed,
        distance_m=distance,
        grade=grade,
        altitude_m=altitude,
        latitude_deg=latitude,
        longitude_deg=longitude,
        heart_rate_bpm=heart_rate_of(runner, speed, grade, rng),
        cadence_spm=cadence_of(runner, speed, rng),
        pauses=pauses,
    )


def _lights(course: Course, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the metres at which the runner has to stop: spread over the road, never amid the day's work."""
    count = int(rng.choice(len(_LIGHTS_CHANCE), p=_LIGHTS_CHANCE))
    road = np.flatnonzero(~course.is_work)
    first, last = _LIGHTS_AWAY
    spread = (np.arange(count) + rng.uniform(0.25, 0.75, count)) / max(count, 1)
    return road[((first + (last - first) * spread) * len(road)).astype(np.int64)]


def _speed_by_metre(
    runner: SimulatedRunner, course: Course, lights_m: NDArray[np.int64], rng: np.random.Generator
) -> Array:
    """Return the speed in the middle of each metre: smooth, and slowing into and out of every stop."""
    middles = np.arange(len(course.grade)) + 0.5
    knots = np.arange(0.0, len(course.grade) + 2 * _WOBBLE_EVERY_M, _WOBBLE_EVERY_M)
    wobble = np.interp(middles, knots, rng.normal(1.0, _WOBBLE, len(knots)))
    wanted = speed_of(runner, course.effort, course.grade) * wobble
    padded = np.pad(wanted, _SMOOTHING_M // 2, mode="edge")
    smooth = np.convolve(padded, np.full(_SMOOTHING_M, 1 / _SMOOTHING_M), mode="valid")
    for stop_m in (0.0, *lights_m, float(len(course.grade))):
        smooth = np.minimum(smooth, np.sqrt(2 * _BRAKING_MPS2 * np.abs(middles - stop_m)))
    return smooth
