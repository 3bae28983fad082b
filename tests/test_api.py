"""The public functions, as a notebook calls them: numbers with known answers, and a home's tables as frames."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hamload
from hamload.errors import WarehouseError

EASY, T = 2.8, 2700.0


def _run(*legs: tuple[float, float, float]) -> hamload.Samples:
    """Return a run of (seconds, speed, grade) legs at 1 Hz."""
    columns = [np.repeat([leg[i] for leg in legs], [round(leg[0]) for leg in legs]) for i in (1, 2)]
    return hamload.Samples.of(time_s=np.arange(len(columns[0])), speed_mps=columns[0], grade=columns[1])


@pytest.mark.parametrize(
    ("name", "legs", "efm"),
    [
        ("45 min easy", [(2700, 2.8, 0)], 45.0),
        ("100 min at 2.75 m/s", [(6000, 2.75, 0)], 102.05),
        ("37 easy and 8 x 1 min uphill", [(2220, 2.7, 0), (480, 3.2, 0.08)], 49.4),
        ("25 easy and 24 min fast", [(1500, 2.8, 0), (1440, 4.2, 0)], 76.9),
        ("thirds: level, up, down", [(900, 2.8, 0), (900, 2.35, 0.06), (900, 3.1, -0.06)], 47.2),
    ],
)
def test_the_check_values_come_out_through_the_public_function(
    name: str, legs: list[tuple[float, float, float]], efm: float
) -> None:
    load = hamload.session_load(_run(*legs), hamload.Athlete(easy_speed_mps=EASY, typical_time_s=T))
    assert load.load_efm == pytest.approx(efm, abs=0.06), name
    parts = load.load_hill_efm + load.load_speed_efm + load.load_long_efm + load.load_base_efm
    assert load.load_efm == pytest.approx(parts, abs=1e-9)


def test_a_frame_of_samples_gives_the_same_load_as_samples() -> None:
    samples = _run((600, 2.8, 0), (60, 3.5, 0.06))
    frame = pd.DataFrame({"time_s": samples.time_s, "speed_mps": samples.speed_mps, "grade": samples.grade})
    athlete = hamload.Athlete(easy_speed_mps=EASY, typical_time_s=T)
    assert hamload.session_load(frame, athlete) == hamload.session_load(samples, athlete)


def test_four_steady_weeks_and_a_doubled_one() -> None:
    days = [50.0] * 28 + [100.0] * 7
    assert hamload.acwr(days)[-1] == pytest.approx(1.60)
    assert hamload.acwr(days, method="uncoupled")[-1] == pytest.approx(2.00)
    assert hamload.acwr(days, method="ewma")[-1] == pytest.approx(1.34, abs=0.001)
    assert np.isnan(hamload.acwr(days)[:27]).all()


def test_williams_2017_through_the_public_function(shared_data: Path) -> None:
    with (shared_data / "vectors" / "training_load.csv").open() as file:
        rows = list(csv.DictReader(file))
    for athlete, expected in (("1", 1.2497455), ("2", 1.4062025), ("3", 1.5507236)):
        days = [float(row["TL"]) for row in rows if row["ID"] == athlete][:28]
        assert hamload.acwr(days, method="ewma")[27] == pytest.approx(expected, abs=5e-8)
        assert hamload.acwr(days, method="coupled")[27] == pytest.approx(1.4285714, abs=5e-8)
        assert hamload.acwr(days, method="uncoupled")[27] == pytest.approx(1.6666667, abs=5e-8)


def test_a_series_keeps_its_index_and_an_unknown_day_withholds_the_ratio() -> None:
    days = pd.Series([50.0] * 40, index=pd.date_range("2026-01-01", periods=40))
    days.iloc[20] = np.nan
    ratio = hamload.acwr(days, method="uncoupled")
    assert ratio.index.equals(days.index)
    assert ratio.isna().all()


def test_foster_through_the_public_functions() -> None:
    week = [0, 80, 40, 0, 90, 60, 80]
    assert hamload.monotony(week)[-1] == pytest.approx(1.320676, abs=5e-7)
    assert hamload.strain(week)[-1] == pytest.approx(462.2367, abs=5e-5)


def test_level_running_costs_what_minetti_measured_and_demands_one() -> None:
    assert hamload.energy_cost(0.0) == pytest.approx(3.6)
    assert hamload.demand(EASY, 0.0, EASY) == pytest.approx(1.0)


def test_importing_hamload_loads_neither_numpy_nor_prefect() -> None:
    program = "import sys, hamload, hamload.cli; print({'numpy', 'prefect', 'duckdb', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_a_home_that_was_never_used_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="hamload import"):
        hamload.open(tmp_path)


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = hamload.nonsense
