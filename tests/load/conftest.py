"""Runs and runners small enough to check by eye."""

from collections.abc import Callable

import numpy as np
import pytest

from hamload.records import Athlete, Samples

#: Seconds, m/s, rise over run.
type Leg = tuple[float, float, float]


def run_of(*legs: Leg, step_s: float = 1.0) -> Samples:
    """Build a run from legs of steady speed and grade; a leg's last sample is as short as it needs to be."""
    dt_s, speed, grade = [], [], []
    for seconds, mps, slope in legs:
        whole = int(seconds / step_s + 1e-9)
        steps = [step_s] * whole + ([seconds - whole * step_s] if seconds - whole * step_s > 1e-9 else [])
        dt_s += steps
        speed += [mps] * len(steps)
        grade += [slope] * len(steps)
    time_s = np.concatenate(([0.0], np.cumsum(dt_s)[:-1]))
    return Samples.of(time_s, dt_s=dt_s, speed_mps=speed, grade=grade)


@pytest.fixture(scope="session")
def run() -> Callable[..., Samples]:
    return run_of


@pytest.fixture
def newcomer() -> Athlete:
    """Return the worked examples' runner, without a history: v_easy 2.8 m/s, T 45 min."""
    return Athlete(easy_speed_mps=2.8, typical_time_s=2700)


@pytest.fixture
def regular() -> Athlete:
    """Return the same runner with a history behind every threshold."""
    return Athlete(
        easy_speed_mps=2.8,
        typical_time_s=2700,
        fast_mps=3.5,
        very_fast_mps=4.5,
        climb_m_per_km=12.0,
        long_time_s=3600,
        median_time_s=2700,
        longest_30d_m=12000,
        high_load_efm=60,
        median_demand=1.0,
        best_10s_mps=6.0,
        runs=30,
    )
