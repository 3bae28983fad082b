"""The moving samples of a run: the one answer to what counts as moving, and how fast it was, that all of load/ uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hamload.load.demand import level_equivalent_speed
from hamload.load.windows import centred_mean

if TYPE_CHECKING:
    from hamload.parameters import LoadModel
    from hamload.records import Array, Samples


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """The samples of a run in which the runner moves, each channel of shape (n,).

    Attributes
    ----------
    time_s, dt_s, speed_mps, grade
        As in `Samples`; speed is known, `dt_s` above 0, grade NaN where unknown.
    sustained_mps
        30-s mean of level-equivalent speed around each sample. Only moving counts, so a watch that pauses itself at a
        traffic light and one that does not give the same.

    """

    time_s: Array
    dt_s: Array
    speed_mps: Array
    grade: Array
    sustained_mps: Array

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def time_total_s(self) -> float:
        """Moving time, seconds."""
        return float(self.dt_s.sum())

    @property
    def step_m(self) -> Array:
        """Metres covered in each sample."""
        return self.speed_mps * self.dt_s


def moving_samples(samples: Samples, model: LoadModel) -> Moving:
    """Return the samples whose speed is known and at least `moving_speed_mps`; standing adds nothing to a load."""
    rows = (samples.speed_mps >= model.session.moving_speed_mps) & (samples.dt_s > 0)
    time_s, dt_s = samples.time_s[rows], samples.dt_s[rows]
    speed, grade = samples.speed_mps[rows], samples.grade[rows]
    equivalent = level_equivalent_speed(speed, grade)
    sustained = centred_mean(equivalent, time_s, dt_s, model.parts.fast_window_s).mean
    return Moving(time_s, dt_s, speed, grade, sustained)


def run_distance(samples: Samples) -> float:
    """Return the run's distance in metres.

    The recorded distance from its first to its last known value, which holds through dropped stretches, and outside
    those speed times time; speed times time alone where no distance was recorded.
    """
    steps = np.nan_to_num(samples.speed_mps * samples.dt_s)
    known = np.flatnonzero(~np.isnan(samples.distance_m))
    if len(known) == 0:
        return float(steps.sum())
    first, last = known[0], known[-1]
    recorded = samples.distance_m[last] - samples.distance_m[first]
    return float(recorded + steps[:first].sum() + steps[last:].sum())
