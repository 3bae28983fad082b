import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload.load.histogram import BIN_MPS, histogram, pooled, quantile_of
from hamload.load.windows import centred_mean
from hamload.records import Array


def _by_hand(values: Array, time_s: Array, dt_s: Array, window_s: float) -> Array:
    """Average a millisecond at a time."""
    ticks = np.arange(time_s[0] * 1000, (time_s[-1] + dt_s[-1]) * 1000) / 1000 + 0.0005
    row = np.searchsorted(time_s, ticks, side="right") - 1
    inside = ticks < time_s[row] + dt_s[row]
    means = []
    for centre in time_s + dt_s / 2:
        near = slice(
            np.searchsorted(ticks, centre - window_s / 2, side="right"),
            np.searchsorted(ticks, centre + window_s / 2, side="left"),
        )
        means.append(np.nanmean(values[row[near][inside[near]]]))
    return np.array(means)


def test_a_single_fast_second_is_spread_over_thirty() -> None:
    speed = np.full(61, 3.0)
    speed[30] = 6.0
    mean = centred_mean(speed, np.arange(61.0), np.ones(61), 30.0).mean
    assert mean[30] == pytest.approx(3.1)
    assert mean[10] == pytest.approx(3.0)


def test_uneven_spacing_weighs_by_time() -> None:
    # 2 m/s for 20 s, then 5 m/s for 10 s: around the middle of the first, 15 s either side.
    mean, covered = centred_mean(np.array([2.0, 5.0]), np.array([0.0, 20.0]), np.array([20.0, 10.0]), 30.0)
    assert mean.tolist() == pytest.approx([(20 * 2 + 5 * 5) / 25, (10 * 2 + 10 * 5) / 20])
    assert covered.tolist() == pytest.approx([25.0, 20.0])


def test_a_pause_leaves_the_window_no_wider() -> None:
    time_s = np.array([0.0, 1.0, 101.0, 102.0])
    mean, covered = centred_mean(np.array([1.0, 1.0, 4.0, 4.0]), time_s, np.ones(4), 30.0)
    assert mean.tolist() == pytest.approx([1, 1, 4, 4])
    assert covered.tolist() == pytest.approx([2, 2, 2, 2])


def test_unknown_values_leave_their_seconds_out() -> None:
    mean, covered = centred_mean(np.array([2.0, np.nan, 4.0]), np.arange(3.0), np.ones(3), 30.0)
    assert mean.tolist() == pytest.approx([3.0, 3.0, 3.0])
    assert covered.tolist() == pytest.approx([2.0, 2.0, 2.0])
    assert np.isnan(centred_mean(np.array([np.nan]), np.zeros(1), np.ones(1), 30.0).mean).all()


def test_no_samples_have_no_mean() -> None:
    assert len(centred_mean(np.empty(0), np.empty(0), np.empty(0), 30.0).mean) == 0


@given(
    st.lists(st.tuples(st.floats(0, 8), st.integers(1, 12), st.sampled_from([0, 0, 0, 5, 40])), min_size=1, max_size=25)
)
def test_prefix_sums_give_what_averaging_every_millisecond_gives(rows: list[tuple[float, int, int]]) -> None:
    values, dt_s, gaps = np.array(rows, dtype=np.float64).T
    time_s = np.concatenate(([0.0], np.cumsum(dt_s + gaps)[:-1]))
    mean = centred_mean(values, time_s, dt_s, 30.0).mean
    np.testing.assert_allclose(mean, _by_hand(values, time_s, dt_s, 30.0), atol=2e-3)


def test_a_histogram_counts_seconds_and_ends_where_the_speeds_do() -> None:
    counted = histogram(np.array([0.005, 0.025, 0.025, np.nan]), np.array([1.0, 2.0, 3.0, 9.0]))
    assert counted.tolist() == [1.0, 0.0, 5.0]
    assert histogram(np.empty(0), np.empty(0)).tolist() == []


def test_a_histogram_survives_storage() -> None:
    counted = histogram(np.array([2.8, 3.1, 40.0]), np.array([1.5, 1 / 3, 1.0]))
    assert np.array(json.loads(json.dumps(counted.tolist()))).tolist() == counted.tolist()


def test_nothing_run_has_no_quantile() -> None:
    assert quantile_of(np.empty(0), 0.5) is None
    assert quantile_of(np.zeros(3), 0.5) is None


def test_a_quantile_is_asked_for_from_0_to_1() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        quantile_of(np.ones(3), 90)


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 11.9), st.floats(0.1, 5)), min_size=1, max_size=60), min_size=1, max_size=4
    ),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.98, 1.0]),
)
def test_a_quantile_of_pooled_histograms_is_that_of_all_samples(
    runs: list[list[tuple[float, float]]], q: float
) -> None:
    found = quantile_of(pooled(histogram(*np.array(run).T) for run in runs), q)
    speed, dt_s = np.concatenate([np.array(run) for run in runs]).T
    order = np.argsort(speed)
    below = np.cumsum(dt_s[order]) / dt_s.sum()
    # Rounding may put a quantile that falls between two samples on either.
    either = [speed[order][min(np.searchsorted(below, q + e), len(speed) - 1)] for e in (-1e-9, 1e-9)]
    assert found is not None
    assert either[0] - BIN_MPS - 1e-9 <= found <= either[1] + BIN_MPS + 1e-9
