"""Places and arguments that a slip or a script may name: each is told in a sentence, and nothing is read or written."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hamload import settings
from hamload.errors import ConfigurationError
from hamload.pipeline.noting import chronicle

type Told = Callable[..., str]


@pytest.fixture
def told(forked: Callable[..., subprocess.CompletedProcess[str]]) -> Told:
    """Run the command, which must fail without a traceback, and return what it said: `told(home, "status")`."""

    def run(home: Path | bytes, *arguments: str | bytes) -> str:
        done = forked(*arguments, "--home", home)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode in {1, 2}, said
        assert "Traceback" not in said
        return said

    return run


def test_a_home_that_duckdb_cannot_open_is_refused_before_anything_is_made(tmp_path: Path, told: Told) -> None:
    home = os.fsencode(tmp_path) + b"/h\xff\xfe"
    assert "not UTF-8" in told(home, "import", str(tmp_path))
    assert not os.path.lexists(home)


def test_a_home_whose_name_no_disk_can_hold_is_refused(tmp_path: Path, told: Told) -> None:
    assert "File name too long" in told(tmp_path / ("a" * 5000), "status")


def test_an_empty_name_is_not_the_folder_that_one_stands_in(tmp_path: Path, told: Told) -> None:
    assert "empty name" in told(tmp_path / "home", "import", "")
    assert "empty name" in told(b"", "status")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("place", ["/", "/proc", "/proc/self/root"])
def test_the_whole_machine_is_no_folder_of_recordings(tmp_path: Path, told: Told, place: str) -> None:
    assert "the whole machine" in told(tmp_path / "home", "import", place)


def test_more_rows_than_there_can_be_are_refused(tmp_path: Path, told: Told) -> None:
    assert "1000000" in told(tmp_path, "sessions", "--last", "9" * 23)


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize("made", [_folder, os.mkfifo, _loop, _nowhere])
def test_settings_that_cannot_be_read_are_never_passed_over_for_the_defaults(tmp_path: Path, made: object) -> None:
    assert callable(made)
    made(tmp_path / "config.toml")
    with pytest.raises(ConfigurationError, match=r"config\.toml (is not a file|cannot be read: )"):
        settings.load(tmp_path)


#: In a process of its own: the runner of these tests could not report what it tells.
_TELLS = """
import datetime as dt, os, sys
from pathlib import Path
from hamload import settings
from hamload.pipeline.noting import chronicle
with chronicle.opened(settings.load(Path(sys.argv[1])), "run", "import", chronicle.Clock(dt.datetime.now(tz=dt.UTC))):
    chronicle.tell("read", name=os.fsdecode(b"l\\xe4ufe.fit"))
"""


def test_a_name_in_a_foreign_encoding_keeps_its_line_in_the_log(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _TELLS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = chronicle.lines(tmp_path)
    assert line["name"] == "l\udce4ufe.fit"
