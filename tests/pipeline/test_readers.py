"""What becomes of an import when one document hangs its reader, swells it or kills it: that document is listed."""

import datetime as dt
import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline, settings
from hamload.pipeline.documents import readers
from hamload.pipeline.documents.reading import Task
from hamload.settings import Settings

type Ask = Callable[..., list[tuple[Any, ...]]]
type Fit = Callable[..., bytes]
type HomeWith = Callable[[Path, str], Settings]

_DAY = dt.date(2026, 11, 2)
_NIGHT = dt.datetime(2026, 11, 6, 3, 30, tzinfo=dt.UTC)


def _readers(tmp_path: Path, **limits: float) -> readers.Readers:
    (tmp_path / "config.toml").write_text(
        "[import]\nworkers = 1\n" + "".join(f"{name} = {value}\n" for name, value in limits.items())
    )
    current = settings.load(tmp_path)
    return readers.Readers(current.imports, current.signal, current.model)


def _task(path: Path, content: bytes = b"", format_: str = "fit", **facts: str) -> Task:
    return Task(path, format_, hashlib.sha256(content).hexdigest(), "", facts)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Return a document that is never read to its end."""
    path = tmp_path / "endless.fit"
    os.mkfifo(path)
    return path


def test_a_document_that_hangs_is_given_up_and_the_next_one_is_read(tmp_path: Path, endless: Path, fit_on: Fit) -> None:
    content = fit_on(_DAY)
    (tmp_path / "run.fit").write_bytes(content)
    hands = _readers(tmp_path, max_seconds=1)
    hanging, after = hands.submit(_task(endless)), hands.submit(_task(tmp_path / "run.fit", content))
    assert "took more than 1 seconds" in hanging().refusal
    assert hanging().is_given_up
    assert "max_seconds" in hanging().refusal
    assert len(after().activities) == 1
    assert after().refusal == ""


def test_a_document_that_swells_its_reader_is_given_up(tmp_path: Path) -> None:
    hands = _readers(tmp_path, max_memory_mb=400)
    outcome = hands.submit(_task(Path("/dev/zero")))()
    assert "more memory" in outcome.refusal
    assert "max_memory_mb" in outcome.refusal
    assert outcome.is_given_up


def test_what_an_export_says_stands_in_for_a_recording_that_is_given_up(tmp_path: Path, endless: Path) -> None:
    facts = {"sport": "run", "start_at": "2026-11-02T07:00:00+00:00", "moving_time_s": 1800, "elapsed_time_s": 1800}
    outcome = _readers(tmp_path, max_seconds=0.5).submit(
        Task(endless, "fit", "0" * 64, "", facts | {"distance_m": 5000.0})
    )()
    assert "took more than 0.5 seconds" in outcome.refusal
    assert [a.recording.distance_m for a in outcome.activities] == [5000.0]


def _workers(count: int, memory_mb: int) -> list[int]:
    return list(readers._pool(count, memory_mb)._pool_manager.worker_manager.workers)


def _kill_the_reader() -> None:
    begun = time.monotonic()
    while not (found := _workers(1, 2000)):
        assert time.monotonic() - begun < 30, "no reader came up"
        time.sleep(0.05)
    os.kill(found[0], signal.SIGKILL)


def test_a_reader_that_is_killed_once_is_replaced_and_its_document_read_again(
    tmp_path: Path, endless: Path, fit_on: Fit
) -> None:
    content = fit_on(_DAY)
    (tmp_path / "run.fit").write_bytes(content)
    hands = _readers(tmp_path, max_seconds=20)
    waiting = hands.submit(_task(endless, content))
    time.sleep(0.5)
    _kill_the_reader()
    # The second reader finds it: what killed the first was not the document.
    endless.unlink()
    endless.write_bytes(content)
    assert len(waiting().activities) == 1


def test_a_document_whose_first_reader_is_killed_and_whose_second_hangs_is_given_up(
    tmp_path: Path, endless: Path
) -> None:
    waiting = _readers(tmp_path, max_seconds=3).submit(_task(endless))
    time.sleep(0.5)
    _kill_the_reader()
    outcome = waiting()
    assert "took more than 3 seconds" in outcome.refusal
    assert outcome.is_given_up


def test_a_reader_that_is_killed_while_it_has_nothing_to_do_costs_no_document(tmp_path: Path, fit_on: Fit) -> None:
    """The pool takes it for the end of all its readers, and refuses work from then on: another takes its place."""
    content = fit_on(_DAY)
    (tmp_path / "run.fit").write_bytes(content)
    hands = _readers(tmp_path, max_seconds=20)
    task = _task(tmp_path / "run.fit", content)
    assert len(hands.submit(task)().activities) == 1
    for wait_s in (0.0, 1.0):
        _kill_the_reader()
        time.sleep(wait_s)
        assert len(hands.submit(task)().activities) == 1


def test_a_document_that_ends_two_readers_is_listed_and_the_others_arrive(
    tmp_path: Path, endless: Path, fit_on: Fit
) -> None:
    content = fit_on(_DAY)
    (tmp_path / "run.fit").write_bytes(content)
    hands = _readers(tmp_path, max_seconds=20)
    waiting, after = hands.submit(_task(endless)), hands.submit(_task(tmp_path / "run.fit", content))
    time.sleep(0.5)
    _kill_the_reader()
    assert len(after().activities) == 1
    killer = threading.Timer(1, _kill_the_reader)
    killer.start()
    outcome = waiting()
    killer.join()
    assert "twice (exit code -9)" in outcome.refusal


def test_an_import_goes_on_past_a_document_that_is_given_up_and_reads_it_with_other_limits(
    tmp_path: Path, home_with: HomeWith, ask: Ask, fit_on: Fit
) -> None:
    home = home_with(tmp_path / "home", 'time_zone = "America/Recife"\n[import]\nmax_seconds = 2\n')
    for day in (2, 3, 4):
        (tmp_path / f"{day}.fit").write_bytes(fit_on(_DAY.replace(day=day)))
    # One document is slow for whoever reads it: it lies on a share that has gone to sleep.
    slow = hashlib.sha256((tmp_path / "3.fit").read_bytes()).hexdigest()
    with pipeline.exclusive(home):
        pipeline.put_files(home, [tmp_path / f"{d}.fit" for d in (2, 3, 4)], "me", _NIGHT, through=_DAY.replace(day=5))
    (path,) = (home.home / "raw").rglob(f"{slow}.fit*")
    whole = path.rename(tmp_path / "asleep.fit")
    os.mkfifo(path)
    with pipeline.exclusive(home):
        pipeline.refresh(home, _DAY.replace(day=6))
    assert ask(home, "select local_date from marts.sessions order by 1") == [
        (_DAY.replace(day=2),),
        (_DAY.replace(day=4),),
    ]
    assert "took more than 2 seconds" in pipeline.unreadable(home)[0][0]
    path.unlink()
    whole.rename(path)
    awake = home_with(tmp_path / "home", 'time_zone = "America/Recife"\n[import]\nmax_seconds = 30\n')
    with pipeline.exclusive(awake):
        assert pipeline.refresh(awake, _DAY.replace(day=6))[0] == 1, "nothing else is read again"
    assert ask(awake, "select count(*) from marts.sessions") == [(3,)]
    assert pipeline.unreadable(awake) == ([], 0)
