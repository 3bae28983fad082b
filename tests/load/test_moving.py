"""How far a run went, where its distance is known for a part of it alone."""

import math

import pytest

from hamload.load.moving import run_distance
from hamload.records import Samples

NAN = math.nan


def of(*metres: float) -> Samples:
    """Return ten-second samples at 3 m/s, with these recorded distances."""
    n = len(metres)
    return Samples.of([10.0 * i for i in range(n)], dt_s=[10.0] * n, speed_mps=[3.0] * n, distance_m=list(metres))


@pytest.mark.parametrize(
    ("samples", "metres"),
    [
        (of(NAN, NAN, NAN), 90.0),
        # From the first known value to the last, and the last sample's own ten seconds.
        (of(0.0, 31.0, 64.0), 64.0 + 30.0),
        (of(5.0, 36.0, 69.0), 64.0 + 30.0),
        (of(NAN, 100.0, 140.0), 30.0 + 40.0 + 30.0),
        (of(100.0, 140.0, NAN), 40.0 + 30.0 + 30.0),
        (of(NAN, 100.0, NAN), 30.0 + 0.0 + 30.0 + 30.0),
        (of(0.0, NAN, 500.0), 500.0 + 30.0),
    ],
)
def test_what_was_recorded_holds_and_speed_fills_in_before_and_after(samples: Samples, metres: float) -> None:
    assert run_distance(samples) == pytest.approx(metres)
