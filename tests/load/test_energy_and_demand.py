import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import settings
from hamload.load import demand, energy_cost, level_equivalent_speed, uphill_factor

DEMAND = settings.defaults()[0].demand
speeds = st.floats(0, 12)
grades = st.floats(-0.6, 0.6)


def test_the_polynomial_is_the_published_one(shared_data: Path) -> None:
    with (shared_data / "vectors" / "minetti2002_running.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    cost = energy_cost([row["grade"] for row in rows])
    assert len(rows) == 13
    np.testing.assert_allclose(cost, [row["Cr_polynomial"] for row in rows], atol=5.1e-5)
    rms = math.sqrt(np.mean((cost - [row["Cr_measured_J_per_kg_m"] for row in rows]) ** 2))
    assert rms == pytest.approx(0.195, abs=5e-4)


def test_beyond_what_was_measured_the_cost_is_that_of_the_limit() -> None:
    assert energy_cost([-0.9, 0.45001, 2.0]) == pytest.approx(energy_cost([-0.45, 0.45, 0.45]), abs=1e-12)


def test_an_unknown_grade_has_an_unknown_cost_but_counts_as_level_in_speed_and_demand() -> None:
    assert np.isnan(energy_cost(np.nan))
    assert level_equivalent_speed(3.0, np.nan) == pytest.approx(3.0)
    assert uphill_factor(np.nan, DEMAND) == 1
    assert demand(3.0, np.nan, 2.8, DEMAND) == demand(3.0, 0.0, 2.8, DEMAND)


def test_easy_flat_running_is_one() -> None:
    assert demand(2.8, 0.0, 2.8, DEMAND) == pytest.approx(1, abs=1e-15)


def test_downhill_and_the_dead_band_count_as_level_without_a_step_at_its_edge() -> None:
    assert uphill_factor([-0.3, 0.0, 0.01], DEMAND) == pytest.approx([1, 1, 1], abs=1e-15)
    assert uphill_factor(0.01 + 1e-9, DEMAND) == pytest.approx(1, abs=1e-7)


def test_eight_percent_asks_what_the_polynomial_says_of_seven() -> None:
    by_hand = (155.4 * 0.07**5 - 30.4 * 0.07**4 - 43.3 * 0.07**3 + 46.3 * 0.07**2 + 19.5 * 0.07 + 3.6) / 3.6
    assert uphill_factor(0.08, DEMAND) == pytest.approx(by_hand, rel=1e-14)
    assert uphill_factor(0.08, replace(DEMAND, grade_exponent=2.0)) == pytest.approx(by_hand**2, rel=1e-14)


def test_the_steepest_grades_ask_the_same() -> None:
    assert uphill_factor([0.45, 0.5, 3.0], DEMAND) == pytest.approx([float(energy_cost(0.44)) / 3.6] * 3, rel=1e-14)


def test_a_single_second_at_ten_metres_counts_as_24_easy_ones() -> None:
    assert demand(10.0, 0.0, 2.8, DEMAND) == pytest.approx(24.1, abs=0.05)


def test_demand_is_continuous_where_the_exponents_change() -> None:
    below, beyond = demand([5 - 1e-9, 5 + 1e-9], 0.0, 2.8, DEMAND)
    assert below == pytest.approx(beyond, rel=1e-8)


def test_a_speed_below_zero_or_unknown_has_no_demand() -> None:
    assert np.isnan(demand([-0.1, np.nan], 0.0, 2.8, DEMAND)).all()


@pytest.mark.parametrize("easy", [0.0, -1.0, math.nan])
def test_without_an_easy_speed_there_is_no_demand(easy: float) -> None:
    with pytest.raises(ValueError, match="easy speed"):
        demand(3.0, 0.0, easy, DEMAND)


@given(speeds, speeds, grades)
def test_demand_never_falls_with_speed(a: float, b: float, grade: float) -> None:
    slow, fast = demand(sorted((a, b)), grade, 2.8, DEMAND)
    assert slow <= fast * (1 + 1e-12)


@given(speeds, grades, grades)
def test_demand_never_falls_with_the_grade(speed: float, a: float, b: float) -> None:
    flatter, steeper = demand(speed, sorted((a, b)), 2.8, DEMAND)
    assert flatter <= steeper * (1 + 1e-12)


@given(st.lists(st.tuples(speeds, grades), min_size=1, max_size=20))
def test_a_vector_gives_what_its_scalars_give(rows: list[tuple[float, float]]) -> None:
    speed, grade = np.array(rows).T
    assert demand(speed, grade, 2.8, DEMAND).tolist() == pytest.approx(
        [float(demand(v, i, 2.8, DEMAND)) for v, i in rows], rel=1e-13
    )
    assert demand(speed[None], grade[None], 2.8, DEMAND).shape == (1, len(rows))


@given(st.floats(0.1, 12), grades, st.floats(1.0, 5.0))
def test_the_easy_speed_only_scales(speed: float, grade: float, easy: float) -> None:
    here, twice = demand(speed, grade, easy, DEMAND), demand(speed, grade, 2 * easy, DEMAND)
    assert here == pytest.approx(twice * 2**DEMAND.easy_exponent, rel=1e-12)
