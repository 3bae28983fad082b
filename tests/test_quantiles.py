"""Quantiles of values and of moving windows: what NumPy says of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hamload.quantiles import moving_quantile, quantile

numbers = st.lists(st.one_of(st.floats(0, 5), st.just(1.0), st.just(float("nan"))), max_size=60)


@given(numbers, st.data(), st.floats(0, 1), st.integers(1, 5))
def test_each_window_has_the_quantile_that_numpy_says_to_the_last_bit(
    values: list[float], data: st.DataObject, q: float, least: int
) -> None:
    windows = []
    first = after = 0
    for _ in range(data.draw(st.integers(1, 12))):
        after = data.draw(st.integers(after, len(values)))
        first = data.draw(st.integers(first, after))
        windows.append((first, after))
    for (begin, end), found in zip(windows, moving_quantile(values, windows, q, least), strict=True):
        known = np.array([v for v in values[begin:end] if not np.isnan(v)])
        assert found == (float(np.quantile(known, q)) if len(known) >= least else None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0, 1))
def test_the_quantile_of_ordered_values_is_what_numpy_says_to_the_last_bit(values: list[float], q: float) -> None:
    assert quantile(sorted(values), q) == float(np.quantile(np.array(values), q))
