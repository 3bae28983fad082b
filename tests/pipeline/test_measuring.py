"""Recordings are measured by workers, or here: the loads and courses are the same, whoever does it and whoever dies."""

from __future__ import annotations

import datetime as dt
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hamload import pipeline, settings
from hamload.pipeline.documents import readers
from hamload.pipeline.loads import assessing, measuring
from hamload.records import AltitudeSource, Athlete, Basis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hamload.settings import Settings

NIGHT = dt.datetime(2026, 11, 6, 3, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 2)
RUNS = 23


@pytest.fixture(scope="module")
def archive(fit_on: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    for day in range(RUNS):
        date = DAY - dt.timedelta(days=2 * day)
        (folder / f"{date}.fit").write_bytes(fit_on(date, ("easy", "hills", "intervals")[day % 3], 6))
    return folder


def _brought(place: Path, home_with: Callable[[Path, str], Settings], archive: Path) -> Settings:
    home = home_with(place, 'time_zone = "America/Recife"\n[import]\nworkers = 2\n')
    with pipeline.exclusive(home):
        pipeline.put_files(home, [archive], "me", NIGHT, through=DAY)
        assert pipeline.refresh(home, NIGHT.date()) == (RUNS, [])
    return home


def test_workers_leave_the_loads_and_courses_that_this_process_leaves(
    archive: Path, home_with: Callable[[Path, str], Settings], ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = readers.compute_here

    def counted(batches: Any, current: Settings) -> Any:
        return real(([asked.append(len(batch)) or work for work in batch] for batch in batches), current)  # type: ignore[func-returns-value]

    monkeypatch.setattr(assessing, "compute_here", counted)
    here = _brought(tmp_path / "here", home_with, archive)
    assert asked == [], "so few are measured sooner than sent"
    monkeypatch.setattr(assessing, "_BATCH", 6)
    monkeypatch.setattr(assessing, "_PART", 2)
    there = _brought(tmp_path / "there", home_with, archive)
    assert len(asked) == 12, "four batches of six runs or fewer, two to a worker"
    for table in ("session_loads", "courses", "athletes"):
        query = f"from landing.{table} order by all"
        assert ask(there, query) == ask(here, query)
        assert ask(here, query)
    assert len(ask(here, "select * from landing.courses where demand <> ''")) == RUNS
    assert ask(here, "select count(*) from landing.session_loads where is_heavy") != [(0,)]


def test_a_run_that_is_added_is_measured_by_itself_and_gives_what_all_together_give(
    archive: Path, home_with: Callable[[Path, str], Settings], ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessing, "_BATCH", 5)
    whole = _brought(tmp_path / "whole", home_with, archive)
    grown = home_with(tmp_path / "grown", 'time_zone = "America/Recife"\n[import]\nworkers = 2\n')
    paths = sorted(archive.iterdir())
    for some in (paths[3:-1], paths[-1:], paths[:3]):
        with pipeline.exclusive(grown):
            pipeline.put_files(grown, some, "me", NIGHT, through=DAY)
            pipeline.refresh(grown, NIGHT.date())
    for query in (
        "from landing.session_loads order by all",
        "select * exclude (chunk) from landing.courses order by all",
    ):
        assert ask(grown, query) == ask(whole, query)


def _settings(tmp_path: Path, lines: str = "") -> Settings:
    (tmp_path / "config.toml").write_text(f"[import]\nworkers = 2\n{lines}")
    return settings.load(tmp_path)


def _elsewhere(what: str) -> Callable[[], Any]:
    """Return a computation that gives "here" in this process, and does something else in every other one."""
    return partial(eval, f"'here' if __import__('os').getpid() == {os.getpid()} else {what}")


def test_computations_are_done_by_workers_and_come_back_in_their_order(tmp_path: Path) -> None:
    batches = [[_elsewhere(f"({batch}, {k})") for k in range(3)] for batch in range(4)]
    found = list(readers.compute_here(iter(batches), _settings(tmp_path)))
    assert found == [[(batch, k) for k in range(3)] for batch in range(4)]


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("__import__('os')._exit(3)", ""),
        ("__import__('time').sleep(60)", "max_seconds = 1\n"),
        ("len(bytes(10**12))", ""),
    ],
    ids=["dies", "hangs", "has too little memory"],
)
def test_what_a_worker_does_not_finish_is_done_here(what: str, lines: str, tmp_path: Path) -> None:
    found = readers.compute_here([[_elsewhere(what), _elsewhere("'there'")]], _settings(tmp_path, lines))
    first, second = next(iter(found))
    assert first == "here"
    assert second in {"here", "there"}, "the end of a worker may take its neighbour's work with it"


def test_a_fault_of_ours_is_not_hidden_by_doing_it_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        list(readers.compute_here([[partial(divmod, 1, 0)]], _settings(tmp_path)))


def test_a_recording_without_a_known_speed_has_a_course_and_no_load(tmp_path: Path) -> None:
    current = settings.load(tmp_path)
    channels = {name: np.full(30, np.nan) for name in measuring.CHANNELS}
    channels |= {"time_s": np.arange(30.0), "dt_s": np.ones(30)}
    recorded = measuring.Recorded(channels, Athlete(2.8, 2700), Basis.STREAMS, AltitudeSource.NONE, 1.0)
    ((load, course),) = measuring.measured([recorded], current.signal, current.model)
    assert load is None
    assert course["step_s"] == 1.0
