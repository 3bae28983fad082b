"""A program on a leash ends with whoever started it, kill -9 included; what was left is ended at the next start."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hamload import leash

PROGRAM = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STARTER = (
    "import sys, time; from pathlib import Path; from hamload import leash\n"
    "leash.start(sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2])); time.sleep(600)\n"
)


def _eventually(is_so: Callable[[], bool], within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def _recorded(record: Path) -> int:
    assert _eventually(record.is_file)
    return int(json.loads(record.read_bytes())["pid"])


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "log", tmp_path / "record.json"


def test_a_starter_that_is_killed_takes_its_program_along_within_seconds(places: tuple[Path, Path]) -> None:
    log, record = places
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(log), str(record), *PROGRAM])
    pid = _recorded(record)
    assert _eventually(lambda: log.read_text() == "up\n")
    assert not _is_gone(pid)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert _eventually(lambda: _is_gone(pid), 5)
    assert _eventually(lambda: not record.exists())


def test_the_end_waits_for_the_program_and_leaves_no_record(places: tuple[Path, Path]) -> None:
    log, record = places
    before = os.umask(0)
    try:
        holder = leash.start(PROGRAM, log, record)
        pid = _recorded(record)
    finally:
        os.umask(before)
    assert log.stat().st_mode & 0o777 == 0o600
    assert record.stat().st_mode & 0o777 == 0o600
    leash.end(holder, record)
    assert _is_gone(pid)
    assert not record.exists()


def test_a_program_that_does_not_want_to_end_is_killed(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, record = places
    stubborn = [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
    ]
    monkeypatch.setattr(leash, "_ENDS_WITHIN_S", -4.0)  # of the starter alone: it gives the holder a second
    holder = leash.start(stubborn, log, record)
    pid = _recorded(record)
    assert _eventually(lambda: log.read_text() == "up\n")
    leash.end(holder, record)
    assert _eventually(lambda: _is_gone(pid), 5)


def test_what_two_kills_at_once_left_behind_is_ended_at_the_next_start(places: tuple[Path, Path]) -> None:
    log, record = places
    holder = leash.start(PROGRAM, log, record)
    pid = _recorded(record)
    holder.kill()
    holder.wait()
    assert holder.stdin is not None
    holder.stdin.close()
    assert not _is_gone(pid)
    assert leash.end_left_behind(record)
    assert _eventually(lambda: _is_gone(pid))
    assert not leash.end_left_behind(record), "and once only"


@pytest.mark.parametrize("changed", [{"created_at": 1.0}, {"command": ["another", "program"]}])
def test_another_program_that_was_given_the_same_number_is_left_alone(
    places: tuple[Path, Path], changed: dict[str, object]
) -> None:
    _, record = places
    me = psutil.Process()
    told = {"pid": me.pid, "created_at": me.create_time(), "command": me.cmdline()}
    record.write_text(json.dumps(told | changed))
    assert not leash.end_left_behind(record)
    assert not record.exists()


def test_a_record_of_a_process_that_is_gone_or_that_is_torn_is_dropped(places: tuple[Path, Path]) -> None:
    _, record = places
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for told in (json.dumps({"pid": ended.pid, "created_at": 0, "command": []}), '{"pid": 1'):
        record.write_text(told)
        assert not leash.end_left_behind(record)
        assert not record.exists()
