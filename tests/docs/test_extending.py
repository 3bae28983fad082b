"""The worked example of `docs/extending.md` is run: a service, the one file, a night, a second night, a failure."""

import datetime as dt
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hamload import doctor, pipeline, settings, warehouse
from hamload.errors import ConfigurationError
from hamload.pipeline.intake.fetching import Fetched
from hamload.simulator import SimulatedRunner, fit_bytes, year_of

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "sportswatch.py"
LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


class _Sportswatch(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        runner = SimulatedRunner()
        self.files = {n: fit_bytes(runner, run) for n, run in enumerate(year_of(runner, LAST_DAY, 40), 1)}
        self.asked: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: _Sportswatch

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        place = urlsplit(self.path)
        if place.path == "/activities":
            asked = {name: int(value) for name, (value,) in parse_qs(place.query).items()}
            numbers = [n for n in sorted(self.server.files) if n > asked["after"]][: asked["limit"]]
            listed = [{"number": n, "title": f"Run {n}", "kind": "RUNNING"} for n in numbers]
            content = json.dumps(listed).encode()
        else:
            content = self.server.files[int(place.path.split("/")[2])]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002  # the base class's name
        """Keep the test's output quiet."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Sportswatch]:
    server = _Sportswatch()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("SPORTSWATCH_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder)
    text = '[[accounts]]\nservice = "sportswatch"\nathlete = "me"\nfile = "sportswatch.py"\n'
    (folder / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{text}')
    return folder


def _night(home: Path, now: dt.datetime = NIGHT) -> tuple[list[Fetched], list[str]]:
    """Fetch and build, as a night does before it writes digests."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        fetched, failed = pipeline.fetch(current, now)
        pipeline.refresh(current, now.date(), now=now)
    return fetched, failed


def test_the_worked_example_is_a_source_like_any_other(home: Path, service: _Sportswatch) -> None:
    (first,), failed = _night(home)
    assert (failed, first.new) == ([], len(service.files))
    assert first.covered_until == LAST_DAY
    service.asked.clear()
    (second,), _ = _night(home, NIGHT + dt.timedelta(hours=1))
    assert (second.new, len(service.asked)) == (0, 1)
    with warehouse.reader(home) as con:
        assert con.execute("select distinct source, title[:3] from marts.sessions").fetchall() == [
            ("sportswatch", "Run")
        ]
        ((is_failing, covered),) = con.execute("select is_failing, covered_until from marts.source_health").fetchall()
        assert (is_failing, covered) == (False, LAST_DAY)
    assert any("sportswatch.py" in finding.says for finding in doctor.examine(home, NIGHT))


def test_its_failure_is_told_and_the_days_since_are_unknown(home: Path, service: _Sportswatch) -> None:
    _night(home)
    service.asked.clear()
    (home / "sportswatch.py").write_text("def fetch(cursor, now):\n    yield 1 / 0\n")
    _, failed = _night(home, NIGHT + dt.timedelta(days=2))
    assert "broke off: ZeroDivisionError, line 2 of sportswatch.py" in failed[0]
    (home / "sportswatch.py").write_text("def fetch(cursor, now):\n    yield 1\n")
    assert "fetch yields int" in _night(home, NIGHT + dt.timedelta(days=3))[1][0]
    (home / "sportswatch.py").unlink()
    assert "There is no file" in _night(home, NIGHT + dt.timedelta(days=4))[1][0]
    with warehouse.reader(home) as con:
        unknown = con.execute(
            "select count(*) from marts.daily_load where series = 'total' and not is_known and date > ?", [LAST_DAY]
        ).fetchall()
    assert unknown[0][0] >= 3


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ('service = "sportswatch"', "together with file"),
        ('service = "strava"\nfile = "x.py"', "together with file"),
        ('service = "files"\nfile = "x.py"', "a name of hamload's own"),
        ('service = "Sports Watch"\nfile = "x.py"', "no name for a service"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(tmp_path: Path, account: str, said: str) -> None:
    (tmp_path / "config.toml").write_text(f"[[accounts]]\n{account}\n")
    with pytest.raises(ConfigurationError, match=said):
        settings.load(tmp_path)
