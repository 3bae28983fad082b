"""Courses of runs: means of their seconds, made once, and anew where one is missing or rests on something else."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from hamload import pipeline, settings
from hamload.pipeline.loads.measuring import course

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hamload.settings import Settings

TODAY = dt.date(2026, 11, 23)
UNKNOWN = 255


def _points(text: str) -> list[int]:
    return list(base64.b64decode(text))


def test_a_point_is_the_mean_of_its_known_seconds_and_one_without_any_is_unknown() -> None:
    time_s = np.arange(960.0)
    speed = np.where(time_s < 480, 3.0, 4.0)
    speed[0:2], speed[8:12] = np.nan, np.nan
    told = course(time_s, np.ones(960), speed=speed, grade=np.full(960, 0.1), demand=np.full(960, 20.0))
    assert told["step_s"] == 4.0
    assert _points(told["speed"]) == [75, 75, UNKNOWN, *[75] * 117, *[100] * 120]
    assert _points(told["grade"]) == [150] * 240
    # What no byte can say is the last that one can.
    assert _points(told["demand"]) == [UNKNOWN - 1] * 240


@pytest.mark.parametrize("seconds", [1, 10, 239, 1782, 86_400])
def test_a_course_reaches_to_the_end_of_its_recording_with_no_step_below_a_second(seconds: int) -> None:
    told = course(np.arange(float(seconds)), np.ones(seconds), speed=np.full(seconds, 3.0))
    points = _points(told["speed"])
    assert set(points) == {75}
    assert len(points) <= 240
    assert told["step_s"] >= 1
    assert len(points) * told["step_s"] >= seconds


def test_only_what_is_missing_or_rests_on_something_else_is_made_anew(
    home: Settings, bring: Any, fit_on: Callable[..., bytes], ask: Any, tmp_path: Path
) -> None:
    for day in (1, 5):
        (tmp_path / f"{day}.fit").write_bytes(fit_on(dt.date(2026, 11, day)))
    bring(home, *tmp_path.glob("*.fit"))
    made = ask(home, "from landing.courses order by activity_id")
    assert len(made) == 2

    with duckdb.connect(home.home / "warehouse.duckdb") as con:
        con.execute("update landing.courses set speed = 'not made anew' where activity_id = ?", [made[0][0]])
        con.execute("delete from landing.courses where activity_id = ?", [made[1][0]])
    with pipeline.exclusive(home):
        pipeline.refresh(home, TODAY)
    kept, again = ask(home, "from landing.courses order by activity_id")
    assert "not made anew" in kept
    assert again == made[1]

    (home.home / "config.toml").write_text('time_zone = "America/Recife"\n[model.demand]\neasy_exponent = 2.2\n')
    other = settings.load(home.home)
    with pipeline.exclusive(other):
        pipeline.refresh(other, TODAY)
    found = ask(home, "select model_version, speed, demand from landing.courses order by activity_id")
    assert {row[0] for row in found} == {other.model.version}
    assert found[0][1] == made[0][5]
    assert found[0][2] != made[0][7]
