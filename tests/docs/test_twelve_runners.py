"""The page of the twelve runners is what the script writes, and says what happened in each year."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hamload.records import Alert, State

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "twelve-runners.md"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("twelve_runners", HERE / "twelve_runners.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["twelve_runners"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def years(script: ModuleType) -> dict[str, list[Alert]]:
    return {runner.name: list(script.alerts_of(runner)) for runner in script.RUNNERS}


def deloads(alerts: list[Alert]) -> int:
    return sum(a.is_new and a.state is State.DELOAD for a in alerts)


def test_the_page_is_what_the_script_writes(script: ModuleType) -> None:
    """After a change that is meant: `python tests/docs/twelve_runners.py > docs/twelve-runners.md`."""
    assert PAGE.read_text(encoding="utf-8") == script.page()


def test_nobody_is_told_of_more_than_one_deload_in_two_weeks_on_average(years: dict[str, list[Alert]]) -> None:
    assert len(years) == 12
    assert max(deloads(alerts) for alerts in years.values()) <= 26


def test_each_year_says_what_its_sentence_says(years: dict[str, list[Alert]], script: ModuleType) -> None:
    shown = {name: script.letters(alerts) for name, alerts in years.items()}
    assert deloads(years["Steady"]) == deloads(years["Slow creep"]) == deloads(years["Every day the same"]) == 0
    assert deloads(years["One spike"]) == 1
    assert shown["One spike"][30 * 7 + 6 : 31 * 7 + 3] == "DDD·"
    assert shown["Missing data"].count("?") == 28 + 3 * 7 + 27
    stop = shown["Red flag"]
    assert stop.index("X") == 20 * 7 + 2
    assert stop.count("X") == 5 * 7 - 1
    assert "·" not in stop[stop.index("X") : 27 * 7]
    with_curls, without = years["Always tight, with curls"], years["Always tight, no curls"]
    assert deloads(with_curls) < deloads(without)
    assert shown["Always tight, with curls"].rindex("b") < 13 * 7
    assert set(shown["Every day the same"][27:]) == {"C"}
    assert sum(a.is_new for a in years["Every day the same"]) == 1
