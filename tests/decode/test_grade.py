"""The slope underfoot: known slopes, a brute-force fit, noise, and what is not known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.decode import grade


def brute_force(altitude: np.ndarray, distance: np.ndarray, window_m: float) -> np.ndarray:
    """One polyfit a sample, with no trick at all; for altitudes without holes."""
    slopes = np.full(len(altitude), np.nan)
    for i, here in enumerate(distance):
        inside = np.abs(distance - here) <= window_m / 2
        reach = distance[inside].max() - distance[inside].min()
        if inside.sum() >= 3 and reach >= window_m / 2:
            centre = distance[inside].mean()
            slopes[i] = np.polyfit(distance[inside] - centre, altitude[inside], 1)[0]
    return np.asarray(np.clip(slopes, -0.45, 0.45))


@pytest.mark.parametrize("slope", [-0.3, -0.01, 0.0, 0.04, 0.45])
def test_a_steady_slope_is_found_exactly_everywhere(slope: float) -> None:
    distance = np.arange(0, 300, 3.0)
    assert grade(100 + slope * distance, distance, 60) == pytest.approx(np.full(100, slope), abs=1e-12)


def test_the_slope_is_clamped_to_where_running_was_measured() -> None:
    distance = np.arange(0, 300, 3.0)
    assert np.all(grade(distance, distance, 60) == 0.45)
    assert np.all(grade(-distance, distance, 60) == -0.45)


def test_a_crest_reads_zero_on_top_and_the_full_slope_half_a_window_away() -> None:
    distance = np.arange(0, 301, 1.0)
    slopes = grade(-0.1 * np.abs(distance - 150), distance, 60)
    assert slopes[150] == pytest.approx(0, abs=1e-12)
    assert slopes[119] == pytest.approx(0.1, abs=1e-12)
    assert slopes[181] == pytest.approx(-0.1, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(3, 400),
    start=st.floats(0, 60_000),
    window=st.sampled_from([60.0, 150.0]),
)
def test_it_equals_a_polyfit_for_each_sample(seed: int, count: int, start: float, window: float) -> None:
    """Standing still (repeated distances) and far into a long run included, to nine digits."""
    rng = np.random.default_rng(seed)
    distance = start + np.cumsum(np.where(rng.random(count) < 0.2, 0.0, rng.uniform(0.5, 8, count)))
    altitude = 1500 + np.cumsum(rng.normal(0, 0.3, count))
    expected = brute_force(altitude, distance, window)
    found = grade(altitude, distance, window)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected), initial=0.0) < 1e-9


def test_a_long_run_loses_no_digits_where_blocks_meet() -> None:
    """13,000 samples over 45 km: more than three blocks, compared around the seams."""
    rng = np.random.default_rng(7)
    distance = np.cumsum(rng.uniform(2, 5, 13_000))
    altitude = 900 + np.cumsum(rng.normal(0, 0.4, 13_000))
    found = grade(altitude, distance, 60)
    for seam in (4096, 8192, 12_288):
        piece = slice(seam - 60, seam + 60)
        inner = slice(seam - 30, seam + 30)
        expected = brute_force(altitude[piece], distance[piece], 60)[30:90]
        assert np.abs(found[inner] - expected).max() < 1e-9


def test_sixty_metres_tame_a_barometers_noise() -> None:
    """At 3 m/s and 0.2 m of noise the slope's error is that of the textbook: sigma / sqrt(sum of squares), 0.0023."""
    rng = np.random.default_rng(1)
    distance = np.arange(0, 30_000, 3.0)
    error = grade(0.05 * distance + rng.normal(0, 0.2, len(distance)), distance, 60)[50:-50] - 0.05
    theory = 0.2 / np.sqrt(np.sum(np.arange(-30, 31, 3.0) ** 2))
    assert error.std() == pytest.approx(theory, rel=0.1)
    assert abs(error.mean()) < theory / 10


def test_fewer_than_three_samples_or_half_a_window_give_no_slope() -> None:
    assert np.all(np.isnan(grade([1.0, 2.0], [0.0, 50.0], 60)))
    assert np.all(np.isnan(grade([1.0, 2.0, 3.0], [0.0, 10.0, 29.0], 60)))
    assert not np.any(np.isnan(grade([1.0, 2.0, 3.0], [0.0, 10.0, 30.0], 60)))
    assert len(grade([], [], 60)) == 0


def test_a_hole_in_altitude_is_bridged_up_to_half_a_window_and_no_further() -> None:
    distance = np.arange(0, 600, 2.0)
    altitude = 0.08 * distance
    short, long = altitude.copy(), altitude.copy()
    short[(distance > 200) & (distance < 228)] = np.nan
    long[(distance > 200) & (distance < 280)] = np.nan
    assert grade(short, distance, 60) == pytest.approx(np.full(300, 0.08), abs=1e-12)
    slopes = grade(long, distance, 60)
    assert np.all(np.isnan(slopes[(distance > 201) & (distance < 279)]))
    assert slopes[distance <= 200] == pytest.approx(0.08, abs=1e-12)


def test_standing_still_throughout_gives_no_slope() -> None:
    assert np.all(np.isnan(grade(np.linspace(0, 5, 50), np.full(50, 7.0), 60)))
