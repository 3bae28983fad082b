import csv
import datetime as dt
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload.load import (
    Method,
    acute_chronic,
    acwr,
    coupled_to_uncoupled,
    days_since_run,
    ewma,
    is_returning,
    known_days,
    monotony,
    rolling_mean,
    spike,
    strain,
)

METHODS: tuple[Method, ...] = ("coupled", "uncoupled", "ewma")
loads = st.lists(st.one_of(st.just(0.0), st.floats(1, 200)), min_size=1, max_size=70)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def _ten_digits(values: Any) -> list[str]:
    return ["" if np.isnan(v) else f"{v:.10g}" for v in values]


def test_all_84_days_of_three_athletes_to_ten_digits(shared_data: Path) -> None:
    rows = _rows(shared_data / "vectors" / "acwr_expected.csv")
    assert len(rows) == 84
    columns: dict[Method, str] = {"coupled": "RAC", "uncoupled": "RAU", "ewma": "EWMA"}
    for _, group in groupby(rows, key=lambda row: row["ID"]):
        days = list(group)
        load = [float(day["TL"]) for day in days]
        for method, name in columns.items():
            acute, chronic = acute_chronic(load, method, min_days=1)
            assert _ten_digits(acute) == [day[f"{name}_acute"] for day in days]
            assert _ten_digits(chronic) == [day[f"{name}_chronic"] for day in days]
            assert _ten_digits(acwr(load, method, min_days=1)) == [day[f"{name}_ACWR"] for day in days]


def test_the_three_athletes_of_williams_2017_on_day_28(shared_data: Path) -> None:
    rows = _rows(shared_data / "vectors" / "training_load.csv")
    table = np.array([[float(r["TL"]) for r in group] for _, group in groupby(rows, key=lambda r: r["ID"])])
    published = _rows(shared_data / "vectors" / "published_williams2017_day28.csv")
    assert table.shape == (3, 28)
    at_28 = {method: acwr(table, method)[:, 27] for method in METHODS}
    assert np.round(at_28["ewma"], 7).tolist() == [1.2497455, 1.4062025, 1.5507236]
    assert np.round(at_28["ewma"], 2).tolist() == [float(r["EWMA_ACWR_day28_Williams2017"]) for r in published]
    assert np.round(at_28["coupled"], 7).tolist() == [1.4285714] * 3
    assert np.round(at_28["uncoupled"], 7).tolist() == [1.6666667] * 3
    assert all(np.isnan(acwr(table, method)[:, :27]).all() for method in METHODS)


def test_28_days_of_50_then_7_of_100() -> None:
    load = [50.0] * 28 + [100.0] * 7
    assert [round(float(acwr(load, method)[-1]), 2) for method in METHODS] == [1.60, 2.00, 1.34]


def test_the_coupling_identity(shared_data: Path) -> None:
    rows = _rows(shared_data / "vectors" / "coupling_identity.csv")
    found = coupled_to_uncoupled([float(row["coupled"]) for row in rows])
    assert _ten_digits(found) == [row["uncoupled"] for row in rows]
    assert np.isnan(coupled_to_uncoupled([4.0, 4.1, -0.1, np.nan])).all()


@given(st.lists(st.floats(1, 200), min_size=28, max_size=60))
def test_over_full_windows_the_two_rolling_ratios_are_one_number(load: list[float]) -> None:
    coupled, uncoupled = acwr(load, "coupled")[27:], acwr(load, "uncoupled")[27:]
    np.testing.assert_allclose(coupled_to_uncoupled(coupled), uncoupled, rtol=1e-9)


@given(loads, st.sampled_from(METHODS))
def test_a_ratio_knows_no_unit_and_a_coupled_one_never_passes_four(load: list[float], method: Method) -> None:
    ratio = acwr(load, method, min_days=1)
    np.testing.assert_allclose(acwr(np.array(load) * 8, method, min_days=1), ratio, rtol=1e-12)
    assert (ratio[~np.isnan(ratio)] >= 0).all()
    if method == "coupled":
        assert (ratio[~np.isnan(ratio)] <= 4 + 1e-12).all()


@given(loads, st.data())
def test_an_unknown_day_leaves_no_ratio_in_the_windows_that_hold_it(load: list[float], data: st.DataObject) -> None:
    gap = data.draw(st.integers(0, len(load) - 1))
    holed = np.array(load)
    holed[gap] = np.nan
    for method in METHODS:
        with_gap, without = acwr(holed, method), acwr(load, method)
        assert np.isnan(with_gap[gap : gap + 28]).all()
        np.testing.assert_array_equal(with_gap[:gap], without[:gap])
        if method != "ewma":
            np.testing.assert_allclose(with_gap[gap + 28 :], without[gap + 28 :])
    assert np.isnan(monotony(holed)[gap : gap + 7]).all()
    assert np.isnan(strain(holed)[gap : gap + 7]).all()


def test_a_day_of_rest_is_0_and_an_unknown_day_is_not() -> None:
    load = np.full(60, 50.0)
    load[40] = 0
    assert not np.isnan(acwr(load)[40:]).any()
    load[40] = np.nan
    assert np.isnan(acwr(load)[40:]).all()  # 20 days on it is still within 28


def test_the_ewma_starts_anew_after_an_unknown_day() -> None:
    assert ewma([10.0, np.nan, 30.0, 50.0], 3).tolist() == pytest.approx([10, np.nan, 30, 40], nan_ok=True)
    load = np.full(80, 50.0)
    load[30] = np.nan
    ratio = acwr(load, "ewma")
    assert np.isnan(ratio[30:58]).all()  # 27 known days after it are not enough
    assert ratio[58:].tolist() == pytest.approx([1.0] * 22)


def test_a_rest_day_lowers_the_acute_mean() -> None:
    assert rolling_mean([70.0] * 6 + [0.0], 7)[-1] == pytest.approx(60)


def test_known_days_count_up_from_the_last_unknown_one() -> None:
    assert known_days([1.0, 0.0, np.nan, 5.0, 5.0]).tolist() == [1, 2, 0, 1, 2]


def test_nothing_run_for_four_weeks_gives_no_ratio() -> None:
    for method in METHODS:
        assert np.isnan(acwr(np.zeros(40), method)).all()
    after_rest = np.concatenate((np.zeros(33), np.full(7, 50.0)))
    assert acwr(after_rest, "coupled")[-1] == pytest.approx(4)
    assert np.isnan(acwr(after_rest, "uncoupled")[-1])


@given(st.lists(st.lists(st.floats(0, 200), min_size=40, max_size=40), min_size=1, max_size=4))
def test_a_table_of_athletes_gives_what_each_alone_gives(rows: list[list[float]]) -> None:
    table = np.array(rows)
    for method in METHODS:
        np.testing.assert_array_equal(acwr(table, method), [acwr(row, method) for row in rows])
    for metric in (monotony, strain, days_since_run):
        np.testing.assert_array_equal(metric(table), [metric(row) for row in rows])
    np.testing.assert_array_equal(is_returning(table, 14, 28), [is_returning(row, 14, 28) for row in rows])
    assert acwr(table[:, None, :]).shape == (len(rows), 1, 40)


@given(loads, st.sampled_from(METHODS), st.integers(1, 30))
def test_tomorrow_changes_nothing_today(load: list[float], method: Method, min_days: int) -> None:
    whole = acwr(load, method, min_days=min_days)
    part = acwr(load[: len(load) // 2], method, min_days=min_days)
    np.testing.assert_array_equal(whole[: len(part)], part)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "rolling"}, "no method 'rolling'; there are: coupled, uncoupled, ewma"),
        ({"acute_days": 0}, "acute_days is 0"),
        ({"chronic_days": -3}, "chronic_days is -3"),
        ({"min_days": 0}, "min_days is 0"),
        ({"acute_days": 28}, "must be shorter"),
        ({"acute_days": 2.5}, "whole number of days"),
    ],
)
def test_impossible_arguments_are_refused_in_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        acwr([50.0] * 40, **arguments)


@pytest.mark.parametrize("load", [[5.0, -1.0], [5.0, np.inf], 5.0])
def test_impossible_loads_are_refused_everywhere(load: Any) -> None:
    for metric in (acwr, monotony, strain, days_since_run):
        with pytest.raises(ValueError, match=r"[Dd]aily load"):
            metric(load)


def test_an_empty_series_has_an_empty_answer() -> None:
    for metric in (acwr, monotony, strain, days_since_run):
        assert len(metric([])) == 0


def test_a_pandas_series_comes_back_with_its_index() -> None:
    index = pd.date_range("2024-03-20", periods=40, tz="Europe/Vienna")  # across the change of the clocks
    load = pd.Series(np.arange(40.0), index=index, name="total")
    for metric in (acwr, monotony, strain, days_since_run):
        found = metric(load)
        assert isinstance(found, pd.Series)
        assert found.index.equals(index)
        assert found.name == "total"
        np.testing.assert_array_equal(found.to_numpy(), metric(np.arange(40.0)))
    assert is_returning(load, 14, 28).dtype == np.bool_


def test_a_null_in_a_pandas_series_is_an_unknown_day() -> None:
    load = pd.Series([50.0] * 10 + [None] + [50.0] * 29, dtype="Float64")
    np.testing.assert_array_equal(acwr(load).isna(), [True] * 38 + [False] * 2)


@pytest.mark.parametrize(
    "index",
    [
        pd.DatetimeIndex(["2024-01-01", "2024-01-03"]),
        pd.DatetimeIndex(["2024-01-02", "2024-01-01"]),
        pd.Index([dt.date(2024, 1, 1), dt.date(2024, 1, 3)]),
    ],
)
def test_a_rest_day_left_out_is_noticed(index: "pd.Index[Any]") -> None:
    with pytest.raises(ValueError, match="not consecutive"):
        acwr(pd.Series([50.0, 50.0], index=index))


def test_a_whole_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="one column"):
        acwr(pd.DataFrame({"a": [1.0], "b": [2.0]}))


def test_monotony_and_strain_in_both_conventions(shared_data: Path) -> None:
    rows = _rows(shared_data / "vectors" / "foster_vectors.csv")
    assert len(rows) == 3
    for row in rows:
        week = [float(row[f"d{k}"]) for k in range(1, 8)]
        for ddof in (0, 1):
            assert f"{monotony(week, ddof)[-1]:.6f}" == row[f"monotony_ddof{ddof}"]
            assert f"{strain(week, ddof)[-1]:.4f}" == row[f"strain_ddof{ddof}"]
        assert monotony(week)[-1] == monotony(week, ddof=1)[-1]


def test_seven_equal_days_are_infinitely_monotonous_and_seven_of_rest_are_nothing() -> None:
    equal = monotony([0.1] * 7)  # 0.1 has no exact binary form: its deviation rounds to something
    assert np.isnan(equal[:6]).all()
    assert np.isinf(equal[6])
    assert np.isinf(strain([0.1] * 7)[6])
    assert np.isnan(monotony([0.0] * 7)).all()
    assert np.isnan(strain([0.0] * 7)).all()


def test_the_last_run_is_counted_in_days_and_unknown_after_an_unknown_day() -> None:
    load = [0.0, 5.0, 0.0, 0.0, np.nan, 0.0, 5.0, 0.0]
    assert days_since_run(load).tolist() == pytest.approx([np.nan, 0, 1, 2, np.nan, np.nan, 0, 1], nan_ok=True)


def test_a_break_withholds_ratios_until_too_little_of_it_is_left_in_the_window() -> None:
    load = np.full(80, 50.0)
    load[30:44] = 0  # exactly two weeks
    assert np.flatnonzero(is_returning(load, 14, 28)).tolist() == list(range(43, 58))
    load[30] = 50
    assert not is_returning(load, 14, 28).any()
    load[30], load[36] = 0, np.nan
    assert not is_returning(load, 14, 28).any()
    assert is_returning(np.zeros(40), 14, 7).tolist() == [False] * 13 + [True] * 27


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 40.0, np.nan]), max_size=40), st.integers(1, 9), st.integers(1, 12))
def test_a_break_is_looked_for_day_by_day(load: list[float], returning: int, chronic: int) -> None:
    rest = [value == 0 for value in load]
    complete = [day + 1 >= returning and all(rest[day + 1 - returning : day + 1]) for day in range(len(load))]
    later = max(chronic - returning, 0)
    expected = [any(complete[max(day - later, 0) : day + 1]) for day in range(len(load))]
    assert is_returning(load, returning, chronic).tolist() == expected


@given(st.lists(st.sampled_from([0.0, 0.1, 0.1, 0.1, 40.0, np.nan]), max_size=30))
def test_only_seven_equal_loads_are_infinitely_monotonous(load: list[float]) -> None:
    weeks = [load[max(day - 6, 0) : day + 1] for day in range(len(load))]
    expected = [len(week) == 7 and week[0] > 0 and all(value == week[0] for value in week) for week in weeks]
    assert np.isinf(monotony(load)).tolist() == expected


def test_a_run_is_compared_with_the_largest_of_the_thirty_days_before_it() -> None:
    distance = [10.0, 8.0, 13.4, 0.0, 12.0, 20.0]
    days = [0.0, 10.0, 30.0, 60.5, 61.0, 200.0]
    # The third still sees the first, 30 days ago; the fifth sees only the run of 0 km, the last sees none.
    assert spike(distance, days).tolist() == pytest.approx([np.nan, 0.8, 1.34, np.nan, np.nan, np.nan], nan_ok=True)


def test_two_runs_that_start_together_are_not_compared_and_an_unknown_one_is_left_out() -> None:
    assert spike([10.0, 20.0, 15.0], [0.0, 1.0, 1.0]).tolist() == pytest.approx([np.nan, 2, 1.5], nan_ok=True)
    assert spike([10.0, np.nan, 15.0], [0.0, 1.0, 2.0]).tolist() == pytest.approx([np.nan, np.nan, 1.5], nan_ok=True)
    assert spike([], []).tolist() == []


@given(
    st.lists(st.tuples(st.one_of(st.just(0.0), st.floats(0.1, 50)), st.integers(0, 400)), max_size=80),
    st.integers(1, 60),
)
def test_spikes_are_what_looking_at_every_pair_gives(sessions: list[tuple[float, int]], days: int) -> None:
    sessions.sort(key=lambda s: s[1])
    expected = []
    for size, at in sessions:
        largest = max((other for other, when in sessions if at - days <= when < at), default=0.0)
        expected.append(size / largest if largest > 0 else np.nan)
    found = spike([s for s, _ in sessions], [float(d) for _, d in sessions], days)
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("values", "starts", "days", "sentence"),
    [
        ([1.0, 2.0], [1.0, 0.0], 30, "not in order"),
        ([1.0, -2.0], [0.0, 1.0], 30, "finite number"),
        ([1.0], [0.0, 1.0], 30, "One start a session"),
        ([1.0], [0.0], 0, "days is 0"),
    ],
)
def test_impossible_sessions_are_refused(values: list[float], starts: list[float], days: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        spike(values, starts, days)


def test_a_ratio_that_skips_no_day_is_the_same_from_any_beginning() -> None:
    load = np.random.default_rng(0).gamma(2, 30, 400)
    for method in METHODS[:2]:
        whole, tail = acwr(load, method), acwr(load[300:], method)
        np.testing.assert_array_equal(whole[327:], tail[27:])
    assert all(a != b for a, b in pairwise(acwr(load)[27:]))


@pytest.mark.parametrize("method", ["coupled", "uncoupled", "ewma"])
def test_both_windows_wait_for_the_days_that_were_asked_for(method: Any) -> None:
    load = np.full(40, 10.0)
    found = acute_chronic(load, method, min_days=35)
    for window in found:
        assert np.flatnonzero(np.isfinite(window))[0] == 34


@pytest.mark.parametrize("place", range(7))
def test_one_other_day_anywhere_in_the_week_makes_its_monotony_finite(place: int) -> None:
    load = np.full(7, 5.0)
    load[place] = 7.0
    assert monotony(load)[6] == pytest.approx(load.mean() / load.std(ddof=1))


@pytest.mark.parametrize("after", range(1, 7))
def test_a_step_anywhere_in_the_week_makes_its_monotony_finite(after: int) -> None:
    load = np.repeat([5.0, 7.0], [after, 7 - after])
    assert monotony(load)[6] == pytest.approx(load.mean() / load.std(ddof=1))


def test_the_days_since_a_run_are_each_runners_own() -> None:
    found = days_since_run(np.array([[5.0, np.nan, 0.0], [5.0, 0.0, 0.0]]))
    assert np.array_equal(found, np.array([[0.0, np.nan, np.nan], [0.0, 1.0, 2.0]]), equal_nan=True)
