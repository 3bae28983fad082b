"""Recordings are measured by workers, or here: the loads and courses are the same, whoever does it and whoever dies."""

from __future__ import annotations

import datetime as dt
import os
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import pipeline, settings
from hamload.pipeline.documents import computing
from hamload.pipeline.loads import assessing, measuring
from hamload.records import AltitudeSource, Athlete, Basis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    real = computing.compute

    def counted(batches: Any, function: Any, current: Settings) -> Any:
        def each() -> Iterator[Any]:
            for batch in batches:
                asked.append(len(batch))
                yield batch

        return real(each(), function, current)

    monkeypatch.setattr(assessing, "compute", counted)
    here = _brought(tmp_path / "here", home_with, archive)
    assert asked == [], "so few are measured sooner than sent"
    monkeypatch.setattr(assessing, "_FEW", 6)
    monkeypatch.setattr(assessing, "_MANY", 6)
    monkeypatch.setattr(assessing, "_PART", 2)
    there = _brought(tmp_path / "there", home_with, archive)
    assert asked == [3, 3, 3, 3], "four batches of six runs or fewer, two to a worker"
    assert not (there.home / "computing").exists()
    for table in ("session_loads", "courses", "athletes"):
        query = f"from landing.{table} order by all"
        assert ask(there, query) == ask(here, query)
        assert ask(here, query)
    assert len(ask(here, "select * from landing.courses where demand <> ''")) == RUNS
    assert ask(here, "select count(*) from landing.session_loads where is_heavy") != [(0,)]


def test_a_run_that_is_added_is_measured_by_itself_and_gives_what_all_together_give(
    archive: Path, home_with: Callable[[Path, str], Settings], ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessing, "_FEW", 5)
    monkeypatch.setattr(assessing, "_MANY", 5)
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


#: More than any pipe holds: a worker may end in the middle of it.
_MUCH = 3_000_000


def _elsewhere(what: str, size: int = 0) -> bytes:
    """Return what `eval` makes "here" of in this process, and something else in every other one."""
    return f"'here' if __import__('os').getpid() == {os.getpid()} else {what}".encode().ljust(size)


def test_computations_are_done_by_workers_and_come_back_in_their_order(tmp_path: Path) -> None:
    batches = [[_elsewhere(f"({batch}, {k})") for k in range(3)] for batch in range(4)]
    found = list(computing.compute(iter(batches), eval, _settings(tmp_path)))
    assert found == [[(batch, k) for k in range(3)] for batch in range(4)]
    assert not list(tmp_path.glob("computing*"))


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
    current = _settings(tmp_path, lines)
    (one,) = computing.compute([[_elsewhere(what, _MUCH), _elsewhere("'there'")]], eval, current)
    assert one[0] == "here"
    assert one[1] in {"here", "there"}, "the end of a worker may take its neighbour's work with it"


def test_all_is_done_whenever_workers_are_killed(tmp_path: Path) -> None:
    """Much is under way, and whoever works on it ends at any moment, in the middle of taking it too."""
    stop, killed = threading.Event(), list[int]()

    def kill() -> None:
        while not stop.wait(0.05):
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if any("forkserver" in argument for argument in child.cmdline()) and child.ppid() != os.getpid():
                        child.kill()
                        killed.append(child.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        batches = ([_elsewhere(f"sum(k + {batch} for k in range(200_000))", _MUCH)] * 4 for batch in range(5))
        found = list(computing.compute(batches, eval, _settings(tmp_path)))
    finally:
        stop.set()
        killer.join()
    sums = [sum(range(200_000)) + 200_000 * batch for batch in range(5)]
    assert [set(batch) - {"here"} <= {told} for batch, told in zip(found, sums, strict=True)] == [True] * 5
    assert [len(batch) for batch in found] == [4] * 5
    assert killed, "nobody was killed: this shows nothing"


def test_a_full_disk_leaves_the_work_to_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    current = _settings(tmp_path)
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert list(computing.compute([[_elsewhere("'there'")]], eval, current)) == [["here"]]


def test_a_fault_of_ours_is_not_hidden_by_doing_it_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        list(computing.compute([[b"1 / 0"]], eval, _settings(tmp_path)))


def test_what_is_sent_is_measured_as_what_is_here() -> None:
    current = settings.load(Path("/nonexistent"))
    draw = np.random.default_rng(5)
    asked = [
        measuring.Recorded(
            {name: draw.normal(2, 1, rows) for name in measuring.CHANNELS}
            | {"time_s": np.arange(float(rows)), "dt_s": np.ones(rows, np.float32)},
            Athlete(2.8, 2700, fast_mps=3.1 if rows % 2 else None, best_10s_mps=4.0, runs=rows),
            Basis.TREADMILL if rows == 7 else Basis.STREAMS,
            AltitudeSource.GPS,
            0.9,
        )
        for rows in (7, 61, 200)
    ]
    here = measuring.measured(asked, current.signal, current.model)
    content = measuring.packed(asked)
    there = measuring.measured_file(content, current.signal, current.model)
    assert repr(there) == repr(here)
    with pytest.raises(ValueError, match="seal"):
        measuring.measured_file(content[:-1], current.signal, current.model)


def test_a_recording_without_a_known_speed_has_a_course_and_no_load(tmp_path: Path) -> None:
    current = settings.load(tmp_path)
    channels = {name: np.full(30, np.nan) for name in measuring.CHANNELS}
    channels |= {"time_s": np.arange(30.0), "dt_s": np.ones(30)}
    recorded = measuring.Recorded(channels, Athlete(2.8, 2700), Basis.STREAMS, AltitudeSource.NONE, 1.0)
    ((load, course),) = measuring.measured([recorded], current.signal, current.model)
    assert load is None
    assert course["step_s"] == 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 90)), max_size=12))
def test_runs_are_batched_where_their_chunks_end_neither_few_nor_many_and_none_is_passed_over(
    spans: list[tuple[int, int]],
) -> None:
    runs: Any = [SimpleNamespace(chunk=chunk) for chunk, count in spans for _ in range(count)]
    batches = list(assessing.by_chunk(runs))
    assert [run for batch in batches for run in batch] == runs
    assert all(64 <= len(batch) <= 192 for batch in batches[:-1])
    for batch, after in pairwise(batches):
        assert len(batch) == 192 or batch[-1].chunk != after[0].chunk
