"""Every snippet of README and docs is run, in the order of its page, in a home of simulated runs; or it says why not.

A block is left out by a comment before it: `<!-- not run: reason -->`. The reason has to be one.
"""

import datetime as dt
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hamload import pipeline, settings, warehouse
from hamload.cli import app
from hamload.doctor import Finding, Level, machine
from hamload.errors import HamloadError
from hamload.simulator import SimulatedRunner, write_year

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
#: What is shown as text is no snippet: output, formulas, drawings.
LANGUAGES = {"sh", "toml", "python", "text", "sql"}
_SHORTEST_REASON = 12
#: `doctor` finds that nothing has run here lately, which is true; the others have nothing to fail at.
_MAY_END_IN_1 = ("hamload doctor",)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@dataclass(frozen=True)
class Snippet:
    """One block of a page, and why it is not run, if it is not."""

    page: str
    line: int
    language: str
    text: str
    reason: str


def snippets(page: Path) -> Iterator[Snippet]:
    """Yield the fenced blocks of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    begun: tuple[int, str, str] | None = None
    block: list[str] = []
    reason = ""
    for number, line in enumerate(lines, 1):
        fence = re.match(r"( *)```(\w*)\s*$", line)
        if fence and begun is None:
            begun, block = (number, fence[2], fence[1]), []
        elif fence and begun is not None:
            text = textwrap.dedent("\n".join(block))
            yield Snippet(page.relative_to(ROOT).as_posix(), begun[0], begun[1], text, reason)
            begun, reason = None, ""
        elif begun is not None:
            block.append(line)
        elif told := re.match(r"\s*<!-- not run: (.*) -->\s*$", line):
            reason = told[1]
        elif line.strip():
            reason = ""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a user's folder: a home with five simulated weeks, a folder that a watch fills, an export."""
    user = tmp_path_factory.mktemp("user")
    runs = write_year(SimulatedRunner(), user / "Garmin" / "Activities", LAST_DAY, 36)
    (user / "Downloads").mkdir()
    with zipfile.ZipFile(user / "Downloads" / "export_1234567.zip", "w") as archive:
        for path in runs:
            archive.write(path, f"activities/{path.name}")
    home = user / "hamload"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n')
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [user / "Garmin"], "me", NIGHT, through=LAST_DAY)
        pipeline.refresh(current, LAST_DAY, now=NIGHT)
    (home / "outbox").mkdir(mode=0o700)
    pipeline.tell_state(current, "me", NIGHT, at_once=True)
    return user


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_block_says_what_it_is_and_each_that_is_not_run_says_why(page: Path) -> None:
    for snippet in snippets(page):
        assert snippet.language in LANGUAGES, f"{snippet.page}:{snippet.line}: ```{snippet.language}"
        assert not snippet.reason or len(snippet.reason) >= _SHORTEST_REASON, snippet
    told = re.compile(r"^ {4}(hamload|make|git|pip|import|\.venv/|\[\[?\w)", re.MULTILINE)
    fenced = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert not told.search(fenced), "a snippet without a fence is not run"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_snippet_of_a_page_runs(page: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = [s for s in snippets(page) if not s.reason and s.language not in {"text", "sql"}]
    if not todo:
        return
    user = tmp_path / "user"
    subprocess.run(["cp", "-a", str(kept), str(user)], check=True)
    for name in [name for name in os.environ if name.startswith(("HAMLOAD_", "GARMIN_", "STRAVA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("HAMLOAD_HOME", str(user / "hamload"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    # Seconds a time, and looked at by the test of the command itself.
    monkeypatch.setattr(machine, "prefect", lambda: Finding("prefect", Level.OK, "not looked at"))
    monkeypatch.chdir(user)
    known: dict[str, Any] = {}
    for snippet in todo:
        where = f"{snippet.page}:{snippet.line}"
        if snippet.language == "toml":
            _set(snippet, user, where)
        elif snippet.language == "python":
            # What a page begins to work with in one block it uses in the next.
            exec(compile(_included(snippet.text), where, "exec"), known)  # noqa: S102
        elif all(line.startswith("hamload ") for line in _lines(snippet.text)):
            for line in _lines(snippet.text):
                _command(line, user / "hamload", where)
        else:
            shell = ["bash", "-euo", "pipefail", "-c", snippet.text]
            done = subprocess.run(shell, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{where}\n{done.stdout}\n{done.stderr}"


def _included(text: str) -> str:
    included = re.match(r'--8<-- "?([\w.]+)"?$', text.strip())
    return (ROOT / "docs" / "examples" / included[1]).read_text(encoding="utf-8") if included else text


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _set(snippet: Snippet, user: Path, where: str) -> None:
    """Load the settings that a page tells to write, in a home of their own."""
    home = user / "told"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(snippet.text)
    try:
        tomllib.loads(snippet.text)
        settings.load(home)
    except (HamloadError, ValueError) as error:
        pytest.fail(f"{where}: {error}")


def _command(line: str, home: Path, where: str) -> None:
    """Run one command; ID, a run's id, is one of this home's."""
    with warehouse.reader(home) as con:
        ids = [row[0] for row in con.execute("select session_id from marts.sessions order by start_at desc").fetchall()]
    words = shlex.split(re.sub(r"\[[^]]*\]", "", line), comments=True)[1:]
    words = [ids.pop(0) if word == "ID" else str(Path(word).expanduser()) if word[0] == "~" else word for word in words]
    done = CliRunner().invoke(app, words, input="\n\n\n\n")
    may = {0, 1} if line.startswith(_MAY_END_IN_1) else {0}
    told = done.output + (repr(done.exception) if done.exception else "")
    assert done.exit_code in may, f"{where}: {line}\n{told}"
