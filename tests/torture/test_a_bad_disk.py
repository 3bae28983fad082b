"""A disk that is full and a home that nobody may write: told in a sentence, and harmless; two runs never interleave."""

import datetime as dt
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hamload import doctor, pipeline, settings, warehouse
from hamload.errors import BusyError
from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
COMMAND = str(Path(sys.executable).with_name("hamload"))
type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a home with two runs, and two more in a folder beside it. Copy it."""
    place = tmp_path_factory.mktemp("disk")
    home = place / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n[import]\nworkers = 1\n')
    for number in range(4):
        folder = place / ("first" if number < 2 else "more")
        folder.mkdir(exist_ok=True)
        run = PlannedRun(dt.date(2026, 11, 2 + 3 * number), dt.time(7, 10), "easy", 6, "flat")
        (folder / f"{number}.fit").write_bytes(fit_bytes(SimulatedRunner(), run))
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [place / "first"], "me", NOW)
        pipeline.refresh(current, NOW.date(), now=NOW)
    return place


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of the home with two runs, and two more in a folder beside it."""
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    return tmp_path / "home"


def _sessions(home: Path) -> int:
    with warehouse.reader(home) as con:
        return len(con.execute("from marts.sessions").fetchall())


def _is_well(home: Path) -> bool:
    return all(f.level is not doctor.Level.WRONG for f in doctor.verify(home))


def _limited(megabytes: float) -> None:
    """Let no file of this process grow beyond a size: the error is that of a quota, as a full disk gives."""
    # Ignored, the signal leaves the error to whoever writes.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = int(megabytes * 1e6)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("megabytes", [0.005, 0.2, 3])
def test_a_full_disk_is_told_in_a_sentence_and_the_home_is_as_it_was(home: Path, megabytes: float) -> None:
    """Where the documents, where the tables, and where the published copy no longer fit."""
    told = subprocess.run(
        [COMMAND, "import", str(home.parent / "more"), "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: _limited(megabytes),  # this process has no threads that matter to it
    )
    said = " ".join(told.stderr.split())
    assert told.returncode in {1, 2}, said
    assert "Traceback" not in said
    assert re.search(r"cannot be (written|opened)|[Nn]o space|too large|full", said), said
    assert _is_well(home)
    assert _sessions(home) == 2
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [home.parent / "more"], "me", NOW)
        pipeline.refresh(current, NOW.date(), now=NOW)
    assert _sessions(home) == 4
    assert _is_well(home)


def test_a_disk_that_is_really_full_is_told_and_harmless(home: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"nobody may mount a small disk here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["cp", "-a", f"{home}/.", str(small)], check=True)
        with (small / "filler").open("wb") as filler:
            left = os.statvfs(small)
            filler.write(bytes(left.f_bavail * left.f_frsize - 40_000))
        told = subprocess.run(
            [COMMAND, "import", str(home.parent / "more"), "--home", str(small)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert told.returncode == 1, told.stdout
        assert "Traceback" not in told.stderr
        assert "Free some space" in told.stderr
        (small / "filler").unlink()
        assert _is_well(small)
        assert _sessions(small) == 2
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.fixture
def closed(home: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the home that nobody may write, not even the superuser."""
    place = tmp_path / "closed"
    if os.geteuid():
        subprocess.run(["cp", "-a", str(home), str(place)], check=True)
        subprocess.run(["chmod", "-R", "a-w", str(place)], check=True)
        yield place
        subprocess.run(["chmod", "-R", "u+w", str(place)], check=True)
        return
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True, check=False).returncode:
        pytest.skip("the superuser may write everywhere, and cannot mount a disk that is read-only here")
    subprocess.run(["cp", "-a", f"{home}/.", str(place)], check=True)
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("command", ["import", "sync", "rebuild"])
def test_a_home_that_nobody_may_write_is_told_and_left_as_it_is(closed: Path, forked: Run, command: str) -> None:
    before = {path: path.read_bytes() for path in sorted(closed.rglob("*")) if path.is_file()}
    paths = [str(closed.parent / "more")] if command == "import" else []
    told = forked(command, *paths, "--home", closed)
    assert told.returncode == 2, told.stderr
    assert "cannot be written" in " ".join(told.stderr.split())
    assert "--home" in told.stderr
    assert {path: path.read_bytes() for path in sorted(closed.rglob("*")) if path.is_file()} == before
    looked = forked("sessions", "--home", closed)
    assert "Traceback" not in looked.stderr
    assert looked.returncode == 0 or "writable disk" in looked.stderr


_HOLDER = """
import sys, time
from pathlib import Path
from hamload import warehouse
with warehouse.lock(Path(sys.argv[1])):
    time.sleep(300)
"""


def test_a_second_run_is_refused_with_the_number_of_the_first_and_a_killed_one_holds_nothing(
    home: Path, forked: Run
) -> None:
    first = subprocess.Popen([sys.executable, "-c", _HOLDER, str(home)])
    begun = time.monotonic()
    while True:
        assert time.monotonic() - begun < 50, "it never held the home"
        try:
            with warehouse.lock(home):
                pass
        except BusyError as error:
            if str(first.pid) in str(error):
                break
        time.sleep(0.05)
    second = forked("sync", "--home", home, "--json")
    assert second.returncode == 1
    assert f"process {first.pid}" in second.stderr
    first.kill()
    first.wait()
    third = forked("sync", "--home", home, "--json")
    assert third.returncode == 0, third.stderr
    assert json.loads(third.stdout)["problems"] == []


def test_a_home_on_a_disk_that_only_reads_can_be_looked_at(home: Path, forked: Run, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    current = settings.load(home)
    pipeline.tell_state(current, "me", NOW)
    mounted = subprocess.run(["mount", "--bind", str(home), str(fixed)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nobody may mount here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(fixed)], check=True)
        told = forked("status", "--json", "--home", fixed)
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["monitor"]
        for arguments in (["report"], ["log", "note", "hello"]):
            refused = forked(*arguments, "--home", fixed)
            assert refused.returncode in {1, 2}
            assert "Traceback" not in refused.stderr
        assert "mount that disk" in forked("doctor", "--home", fixed).stdout
    finally:
        subprocess.run(["umount", str(fixed)], check=True)


def test_a_folder_in_the_place_of_the_tables_is_told_and_nothing_is_lost(home: Path, forked: Run) -> None:
    (home / "hamload.duckdb").unlink()
    (home / "hamload.duckdb").mkdir()
    for arguments in (["status"], ["rebuild"]):
        refused = forked(*arguments, "--home", home)
        assert refused.returncode in {1, 2}
        assert "Traceback" not in refused.stderr
    logged = forked("log", "note", "hello", "--home", home)
    assert "The tables follow with the next run" in logged.stderr
    (home / "hamload.duckdb").rmdir()
    assert forked("rebuild", "--home", home).returncode == 0
    assert _sessions(home) == 2


def test_what_is_written_into_a_home_that_others_may_enter_is_its_owners_alone(
    home: Path, forked: Run, tmp_path: Path
) -> None:
    place = tmp_path / "open"
    place.mkdir(mode=0o755)
    (place / "config.toml").write_text((home / "config.toml").read_text())
    done = forked("import", tmp_path / "first", "--home", place, umask=0o022)
    assert done.returncode == 0, done.stderr
    written = [path for path in place.rglob("*") if path.name != "config.toml"]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
    assert len(written) > 8


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["doctor", "--json"]])
def test_an_answer_that_does_not_fit_on_the_disk_is_told_in_a_sentence(home: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [COMMAND, *arguments, "--home", str(home)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "Free some space" in told.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seconds", [0.5, 1, 1.5, 2, 2.5])
def test_ctrl_c_ends_an_import_without_a_word_and_the_next_one_completes_it(
    home: Path, forked: Run, tmp_path: Path, seconds: float
) -> None:
    with subprocess.Popen(
        [COMMAND, "import", str(tmp_path / "more"), "--home", str(home)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        time.sleep(seconds)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode in {0, 128 + signal.SIGINT}
    assert not re.search("Traceback|Error|Exception", said), said
    assert forked("import", tmp_path / "more", "--home", home).returncode == 0
    assert _sessions(home) == 4
