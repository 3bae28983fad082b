"""All daily metrics at once: what each says by itself, for one runner and for a squad."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hamload.load import (
    acwr,
    daily_metrics,
    ewma,
    is_returning,
    monotony,
    rolling_mean,
    squad_metrics,
    strain,
)
from hamload.parameters import Series

SERIES = Series(acute_days=7, chronic_days=28, min_days=28, spike_days=30, returning_days=14)
WEEKS = Series(acute_days=5, chronic_days=21, min_days=10, spike_days=30, returning_days=9)
days = st.one_of(st.just(0.0), st.just(0.0), st.floats(1, 200), st.just(np.nan))


@st.composite
def squads(draw: st.DrawFn) -> Any:
    runners, length = draw(st.integers(1, 5)), draw(st.integers(1, 90))
    return np.array([draw(st.lists(days, min_size=length, max_size=length)) for _ in range(runners)])


@given(squads(), st.sampled_from([SERIES, WEEKS]))
def test_each_metric_is_what_its_own_function_says(load: Any, series: Series) -> None:
    found = daily_metrics(load, load, series)
    windows = (series.acute_days, series.chronic_days, series.min_days)
    back = is_returning(load, series.returning_days, series.chronic_days)
    expected = {
        "is_returning": back,
        "acute_rolling": rolling_mean(load, series.acute_days),
        "chronic_rolling": rolling_mean(load, series.chronic_days),
        "acwr_coupled": np.where(back, np.nan, acwr(load, "coupled", *windows)),
        "acwr_uncoupled": np.where(back, np.nan, acwr(load, "uncoupled", *windows)),
        "acute_ewma": ewma(load, series.acute_days),
        "chronic_ewma": ewma(load, series.chronic_days),
        "acwr_ewma": np.where(back, np.nan, acwr(load, "ewma", *windows)),
        "monotony": monotony(load),
        "strain": strain(load),
    }
    assert list(found._fields) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)


@given(squads(), st.integers(1, 400), st.sampled_from((1, 3)), st.sampled_from("CF"))
def test_a_squad_in_blocks_of_any_size_is_its_runners_one_by_one_to_the_last_bit(
    load: Any, block: int, workers: int, order: Any
) -> None:
    seen = 0
    squad = np.array(load, order=order)
    for runners, found in squad_metrics(squad, squad, SERIES, block, workers):
        for place, runner in enumerate(load[runners]):
            alone = daily_metrics(runner, runner, SERIES)
            for name in found._fields:
                assert _bits(getattr(found, name)[place]) == _bits(getattr(alone, name)), name
            seen += 1
    assert seen == len(load)


def _bits(values: Any) -> bytes:
    return bytes(np.where(np.isnan(values), np.nan, values).tobytes())


@given(squads(), st.integers(0, 30))
def test_a_day_of_a_window_weighs_the_same_wherever_the_series_begins(load: Any, later: int) -> None:
    whole, tail = daily_metrics(load, load, SERIES), daily_metrics(load[:, later:], load[:, later:], SERIES)
    kept = slice(later + 28, None)
    for name in ("acute_rolling", "chronic_rolling", "monotony", "strain"):
        np.testing.assert_array_equal(getattr(tail, name)[:, 28:], getattr(whole, name)[:, kept], err_msg=name)


def test_series_of_several_parts_share_the_breaks_of_the_whole() -> None:
    total = np.ones((3, 60))
    total[1, 20:35] = 0
    parts = np.stack([total, np.where(total > 0, 0.5, 0)], axis=1)
    ((runners, found),) = squad_metrics(parts, total, SERIES)
    assert (runners.start, found.acwr_coupled.shape) == (0, (3, 2, 60))
    assert np.isnan(found.acwr_coupled[1, :, 40]).all()
    assert (found.acwr_coupled[0, :, 40] == 1).all()


def test_in_a_squad_a_break_is_one_of_the_whole_load_not_of_the_part_that_is_looked_at() -> None:
    """The first runner does no heavy running for five weeks and runs on; the second one does not run at all."""
    total = np.full((2, 120), 40.0)
    total[1, 60:95] = 0.0
    heavy = total.copy()
    heavy[0, 60:95] = 0.0
    ((_, found),) = squad_metrics(heavy, total, SERIES)
    for runner in range(2):
        alone = daily_metrics(heavy[runner], total[runner], SERIES)
        assert np.array_equal(found.acwr_uncoupled[runner], alone.acwr_uncoupled, equal_nan=True)
    assert np.isfinite(found.acwr_uncoupled[0, 60:88]).any()
    assert not np.isfinite(found.acwr_uncoupled[1, 75:95]).any()
