"""The course of one run, metre by metre: a road out, the day's work at its far end, the same road home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hamload.simulator.athlete import Purpose, dice
from hamload.simulator.body import speed_of
from hamload.simulator.terrain import way_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hamload.records import Array
    from hamload.simulator.athlete import PlannedRun, SimulatedRunner

#: Incline that the treadmill is set to, rise over run.
TREADMILL_INCLINE = 0.01

_SHORTEST_ROAD_M = 200
_FORTH, _BACK = 1.0, -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Each metre of a run: its grade, the effort (1 is easy), and where it begins along the road from home, in metres.

    `is_work` marks the day's work (repetitions), where nobody stops at a traffic light.
    """

    grade: Array
    effort: Array
    along_m: Array
    is_work: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Stretch:
    length_m: int
    grade: float
    effort: float
    step: float


def course_of(runner: SimulatedRunner, run: PlannedRun) -> Course:
    """Return the course that takes about the planned minutes, or the shortest of its kind; it ends where it began.

    Hills, intervals and strides have a least number of repetitions: intervals take 23 min at an easy speed of 2.8 m/s.
    """
    rng = dice(runner, run, Purpose.ROAD)
    seconds = 60 * run.minutes
    effort = _road_effort(run) * rng.normal(1.0, 0.012)
    work = _work(runner, run, seconds)
    longest = _SHORTEST_ROAD_M + int(seconds * runner.easy_speed_mps * effort)
    is_treadmill = run.kind == "treadmill"
    out = np.full(longest, TREADMILL_INCLINE) if is_treadmill else way_out(run.road, longest, rng)
    home = out if is_treadmill else -out
    there_and_back = np.cumsum(1 / speed_of(runner, effort, out) + 1 / speed_of(runner, effort, home))
    left = seconds - _seconds_of(runner, work)
    turn = max(int(np.searchsorted(there_and_back, left)), _SHORTEST_ROAD_M)

    lengths = np.array([stretch.length_m for stretch in work], dtype=np.int64)
    work_grade, work_effort, work_steps = (
        np.repeat(np.array([getattr(stretch, name) for stretch in work], dtype=np.float64), lengths)
        for name in ("grade", "effort", "step")
    )
    steps = np.concatenate([np.full(turn, _FORTH), work_steps, np.full(turn, _BACK)])
    return Course(
        grade=np.concatenate([out[:turn], work_grade, home[:turn][::-1]]),
        effort=np.concatenate([np.full(turn, effort), work_effort, np.full(turn, effort)]),
        along_m=np.concatenate([[0.0], np.cumsum(steps)[:-1]]),
        is_work=np.repeat([False, True, False], [turn, int(lengths.sum()), turn]),
    )


def _road_effort(run: PlannedRun) -> float:
    if run.kind == "race":
        # Ten kilometres in 48 min at 1.24, a four-hour marathon at 1.06 times the easy speed.
        return float(1.24 * (run.minutes / 48) ** -0.10)
    return 0.98 if run.kind in {"long", "hills", "intervals"} else 1.0


def _work(runner: SimulatedRunner, run: PlannedRun, seconds: float) -> tuple[_Stretch, ...]:
    if run.kind == "hills":
        up, down = _Stretch(260, runner.hill_grade, 1.45, _FORTH), _Stretch(260, -runner.hill_grade, 0.85, _BACK)
        return (up, down) * _repetitions(0.5 * seconds, _seconds_of(runner, (up, down)))
    if run.kind == "intervals":
        forth = (_Stretch(800, 0.0, 1.5, _FORTH), _Stretch(280, 0.0, 0.85, _FORTH))
        back = (_Stretch(800, 0.0, 1.5, _BACK), _Stretch(280, 0.0, 0.85, _BACK))
        return (forth + back) * _repetitions(0.55 * seconds, _seconds_of(runner, forth + back))
    if run.kind == "strides":
        return (_Stretch(100, 0.0, 2.0, _FORTH), _Stretch(100, 0.0, 0.85, _BACK)) * 8
    return ()


def _repetitions(available_s: float, each_s: float) -> int:
    return max(2, round(available_s / each_s))


def _seconds_of(runner: SimulatedRunner, stretches: tuple[_Stretch, ...]) -> float:
    length, effort, grade = (
        np.array([getattr(s, name) for s in stretches], dtype=np.float64) for name in ("length_m", "effort", "grade")
    )
    return float(np.sum(length / speed_of(runner, effort, grade)))
