"""Nights that fail or do not happen are noticed: by a look of its own, told once an outage, and by a heartbeat."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from hamload import pipeline, post
from hamload.errors import ConfigurationError, HamloadError
from hamload.pipeline.noting import nights
from hamload.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hamload.settings import Settings

NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

type Configured = Callable[..., Settings]


@pytest.fixture
def watched(configured: Configured, server: Any, tmp_path: Path) -> Settings:
    """Return a home that watches a folder, and mails to a real server."""
    return configured(server, extra=_folder(tmp_path))


def _folder(place: Path) -> str:
    return f'time_zone = "Europe/Vienna"\n[[folders]]\npath = "{(place / "inbox").as_posix()}"\n'


def _night(current: Settings, at: dt.datetime, error: Exception | None = None, problems: tuple[str, ...] = ()) -> str:
    """Hold a night as the flow and `hamload sync` do. Returns its id."""
    with pipeline.exclusive(current), pipeline.running(current, "night", at) as run:
        run.problems += problems
        if error is not None:
            raise error
    return run.run_id


def _subjects(server: Any) -> list[str]:
    return [str(message["Subject"]) for message in server.messages]


def test_an_outage_is_told_once_and_the_next_one_anew(watched: Settings, server: Any) -> None:
    _night(watched, NIGHT)
    for hours in (1, 24, 36):
        assert pipeline.watch(watched, NIGHT + hours * HOUR).outage is None
    found = pipeline.watch(watched, NIGHT + 37 * HOUR)
    assert found.outage is not None
    assert (found.outage.hours, found.told, found.problems) == (36, 1, ())
    for hours in (38, 60, 200):
        again = pipeline.watch(watched, NIGHT + hours * HOUR)
        assert again.outage is not None
        assert again.told == 0
    assert _subjects(server) == ["hamload: no night since 23 Nov"]
    text = " ".join(server.messages[0].get_body(("plain",)).get_content().split())
    assert "2026-11-23 04:30, 36 hours ago" in text, "on the runner's clock"
    assert "unknown, not as rest" in text
    assert "hamload doctor" in text
    _night(watched, NIGHT + 240 * HOUR)
    assert pipeline.watch(watched, NIGHT + 241 * HOUR).outage is None
    assert pipeline.watch(watched, NIGHT + 280 * HOUR).told == 1
    assert len(server.received) == 2


def test_a_night_that_breaks_off_is_no_good_night_and_the_message_says_why(watched: Settings, server: Any) -> None:
    _night(watched, NIGHT)
    with pytest.raises(HamloadError):
        _night(watched, NIGHT + 24 * HOUR, HamloadError("The disk is full.", "Free some space."))
    assert pipeline.watch(watched, NIGHT + 40 * HOUR).told == 1
    text = " ".join(server.messages[0].get_body(("plain",)).get_content().split())
    assert "A night was tried at 2026-11-24 04:30, and broke off: HamloadError: The disk is full." in text


def test_a_night_that_fails_in_a_source_has_told_that_itself_and_is_no_outage(watched: Settings, server: Any) -> None:
    _night(watched, NIGHT, problems=("Garmin Connect: It is down.",))
    assert pipeline.watch(watched, NIGHT + 30 * HOUR).outage is None
    assert nights.nights(watched).good is not None
    assert server.received == []


def test_a_night_that_was_killed_is_told_as_such_and_one_at_work_is_given_time(watched: Settings, server: Any) -> None:
    _night(watched, NIGHT)
    killed = nights.NightRecord("its-id", NIGHT + 48 * HOUR, None, "running")
    nights._keep(watched, killed)
    assert pipeline.watch(watched, NIGHT + 49 * HOUR).outage is None
    assert pipeline.watch(watched, NIGHT + 52 * HOUR).told == 1
    text = " ".join(server.messages[0].get_body(("plain",)).get_content().split())
    assert "was begun at 2026-11-25 04:30, and has not ended: it was killed, or hangs" in text


def test_a_home_whose_first_night_never_comes_is_told_too(watched: Settings, server: Any) -> None:
    first = pipeline.watch(watched, NIGHT)
    assert (first.outage, first.had_night, first.since) == (None, False, NIGHT)
    found = pipeline.watch(watched, NIGHT + 37 * HOUR)
    assert found.told == 1
    assert "No night has run to its end yet" in server.messages[0].get_body(("plain",)).get_content()


def test_nights_from_before_the_ledger_count_by_what_their_sources_answered(watched: Settings) -> None:
    source = f"folder:{watched.folders[0].path}"
    with Raw(watched.home) as raw, raw.batch(source, "me", NIGHT) as batch:
        batch.report(is_history=True)
    found = pipeline.watch(watched, NIGHT + 20 * HOUR)
    assert (found.since, found.outage, found.had_night) == (NIGHT, None, True)


def test_a_home_that_asks_nothing_is_waited_for_by_nobody(configured: Configured, server: Any) -> None:
    current = configured(server)
    assert pipeline.watch(current, NIGHT).is_idle
    assert pipeline.watch(current, NIGHT + 1000 * HOUR).told == 0


def test_a_ledger_that_cannot_be_read_is_an_outage_itself_and_reaches_the_runner_without_any_advice(
    watched: Settings, server: Any
) -> None:
    _night(watched, NIGHT)
    post.tell(watched, "me", "a digest", "digest", "Steady: your week", "Run on.", now=NIGHT)
    for path in (watched.home / "raw").glob("ledger.db*"):
        path.write_bytes(b"no database, " * 100)
    found = pipeline.watch(watched, NIGHT + HOUR)
    assert found.outage is not None
    assert found.told == 1
    assert any("cannot be opened" in problem for problem in found.problems)
    assert len(server.received) == 1
    assert "What hamload keeps cannot be read" in server.messages[0].get_body(("plain",)).get_content()
    assert pipeline.watch(watched, NIGHT + 2 * HOUR).told == 0


def test_a_mail_server_that_is_down_is_a_problem_and_the_message_goes_out_with_the_next_look(
    configured: Configured, server: Any, tmp_path: Path
) -> None:
    down = configured(server, port=1, extra=_folder(tmp_path))
    _night(down, NIGHT)
    found = pipeline.watch(down, NIGHT + 40 * HOUR)
    assert found.told == 1
    assert "cannot be used" in found.problems[0]
    up = configured(server, extra=_folder(tmp_path))
    assert pipeline.watch(up, NIGHT + 41 * HOUR).problems == ()
    assert len(server.received) == 1


# The heartbeat


@dataclass
class Pings:
    """What a watching service was told: method and path of each ping."""

    status: int = 200
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def pings() -> Iterator[Pings]:
    """Run a watching service on loopback."""
    told = Pings()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told.asked.append((self.command, self.path, self.rfile.read(length)))
            self.send_response(told.status)
            if told.status in range(300, 400):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    told.address = f"http://127.0.0.1:{server.server_port}/ping/canary-0123456789"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def _beating(configured: Configured, address: str) -> Settings:
    return configured(None, extra=f'[heartbeat]\nurl = "{address}"\ntimeout_s = 2\n')


def test_a_night_pings_at_its_start_and_its_end_with_its_id_and_nothing_else(
    configured: Configured, pings: Pings
) -> None:
    current = _beating(configured, pings.address)
    good = _night(current, NIGHT)
    failed = _night(current, NIGHT, problems=("Strava: down",))
    with pytest.raises(KeyError):
        _night(current, NIGHT, KeyError("ours"))
    broken = nights.nights(current).last
    assert broken is not None
    place = "/ping/canary-0123456789"
    assert pings.asked == [
        ("POST", f"{place}/start?rid={good}", b""),
        ("POST", f"{place}?rid={good}", b""),
        ("POST", f"{place}/start?rid={failed}", b""),
        ("POST", f"{place}/fail?rid={failed}", b""),
        ("POST", f"{place}/start?rid={broken.run_id}", b""),
        ("POST", f"{place}/fail?rid={broken.run_id}", b""),
    ]


def test_a_night_that_cannot_even_write_down_that_it_began_is_told_elsewhere(
    configured: Configured, pings: Pings
) -> None:
    current = _beating(configured, pings.address)
    (current.home / "raw").write_text("in the way")
    with pytest.raises(HamloadError) as told, pipeline.running(current, "night", NIGHT):
        pass
    assert [path.split("?")[0].rpartition("/")[2] for _, path, _ in pings.asked] == ["start", "fail"]
    assert "The ledger of nights could not be written either" in told.value.__notes__[0]


def test_no_address_no_ping_and_no_import_and_other_runs_ping_nobody(configured: Configured, pings: Pings) -> None:
    assert post.beat(configured(None), "start", "id") == ""
    current = _beating(configured, pings.address)
    for kind in ("backfill", "import", "rebuild"):
        with pipeline.running(current, kind, NIGHT):
            pass
    assert pings.asked == []


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_ping_that_is_not_taken_is_told_and_breaks_nothing(configured: Configured, pings: Pings, status: int) -> None:
    pings.status = status
    current = _beating(configured, pings.address)
    with pipeline.running(current, "night", NIGHT) as run:
        pass
    assert run.notes == [
        f"The heartbeat was not taken ({signal}): HTTP {status}. Check url in [heartbeat]."
        for signal in ("start", "success")
    ]
    last = nights.nights(current).last
    assert last is not None
    assert last.outcome == "good"


def test_a_service_that_is_away_is_told_without_its_address(configured: Configured) -> None:
    current = _beating(configured, "http://127.0.0.1:1/ping/canary-0123456789")
    told = post.beat(current, "success", "id")
    assert told.startswith("The heartbeat could not be sent (success)")
    assert "canary" not in told


def test_the_environment_names_the_address_too_and_wins(
    configured: Configured, pings: Pings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "heartbeat").write_text(pings.address + "\n")
    monkeypatch.setenv("HAMLOAD_HEARTBEAT_URL_FILE", str(tmp_path / "heartbeat"))
    assert post.beat(_beating(configured, "http://127.0.0.1:1/x"), "fail", "id") == ""
    assert len(pings.asked) == 1
    monkeypatch.setenv("HAMLOAD_HEARTBEAT_URL_FILE", str(tmp_path / "nowhere"))
    assert "cannot be read" in post.beat(configured(None), "fail", "id")
    monkeypatch.setenv("HAMLOAD_HEARTBEAT_URL", "http://example.org/ping")
    assert "must begin with https://" in post.beat(configured(None), "fail", "id")


@pytest.mark.parametrize("address", ["http://example.org/x", "ftp://127.0.0.1/x", "https://", "http://127.0.0.1.evil/"])
def test_an_address_that_could_be_read_on_the_way_is_refused(configured: Configured, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"heartbeat\.url.*https://"):
        _beating(configured, address)


# The log


def _log(current: Settings) -> list[dict[str, Any]]:
    path = current.home / "logs" / "hamload.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_line_of_the_log_is_json_with_the_runs_id_and_its_own_clock(configured: Configured) -> None:
    current = configured(None)
    run_id = _night(current, NIGHT, problems=("Strava: It is down. access_token=canary-9",))
    lines = _log(current)
    assert {line["run_id"] for line in lines} == {run_id}
    assert {line["kind"] for line in lines} == {"night"}
    assert [line["event"] for line in lines] == ["run begun", "run ended"]
    assert all(line["at"].startswith("2026-11-23T03:30:") for line in lines)
    assert lines[-1]["outcome"] == "with failures"
    assert lines[-1]["duration_s"] >= 0
    assert lines[-1]["problems"] == ["Strava: It is down. access_token=[secret]"]
    assert (current.home / "logs" / "hamload.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_libraries_warn_of_stands_in_the_log_without_secrets_and_their_details_only_where_asked_for(
    configured: Configured,
) -> None:
    import logging  # noqa: PLC0415

    def loud(current: Settings) -> list[dict[str, Any]]:
        with pipeline.running(current, "import", NIGHT):
            logging.getLogger("urllib3.connectionpool").debug("GET /?code=canary-1 %s", "access_token=canary-2")
            logging.getLogger("stravalib").warning("refresh_token=%s", "canary-3")
            try:
                raise KeyError("client_secret=canary-4")  # noqa: TRY301
            except KeyError:
                logging.getLogger("garminconnect").exception("It failed.")
        found = [line for line in _log(current) if line["event"] == "log"]
        assert "canary" not in json.dumps(found).replace('client_secret=canary-4\\")  # noqa', "")
        return found

    assert [line["logger"] for line in loud(configured(None))] == ["stravalib", "garminconnect"]
    detailed = loud(configured(None, extra='[log]\nlevel = "debug"\n'))
    assert [line["level"] for line in detailed[-3:]] == ["debug", "warning", "error"]
    assert "KeyError" in detailed[-1]["error"]


def test_the_log_is_bounded_and_a_full_disk_stops_nothing(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hamload.pipeline.noting import chronicle  # noqa: PLC0415

    monkeypatch.setattr(chronicle, "MAX_BYTES", 2000)
    current = configured(None)
    for _ in range(60):
        with pipeline.running(current, "import", NIGHT):
            pass
    files = sorted((current.home / "logs").iterdir())
    assert [path.name for path in files] == ["hamload.jsonl", *(f"hamload.jsonl.{n}" for n in range(1, 5))]
    assert all(path.stat().st_size <= 2000 for path in files)
    for path in files:
        path.unlink()
    (current.home / "logs").rmdir()
    (current.home / "logs").write_text("in the way")
    monkeypatch.setattr(chronicle._Lines, "_has_complained", False)
    _night(current, NIGHT)
    assert capsys.readouterr().err.count("cannot be written") == 1
    assert nights.nights(current).good is not None


# The command


def test_the_command_says_what_it_found_and_exits_accordingly(watched: Settings, server: Any) -> None:
    from typer.testing import CliRunner  # noqa: PLC0415

    from hamload.cli import app  # noqa: PLC0415

    def asked(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["watch", "--home", str(watched.home), *options], env={"COLUMNS": "200"})
        return done.exit_code, done.output

    now = dt.datetime.now(tz=dt.UTC)
    code, told = asked()
    assert (code, told.startswith("No night has run to its end yet; hamload waits for the first since")) == (0, True)
    _night(watched, now - 2 * HOUR)
    code, told = asked()
    assert (code, told.startswith("Nights happen: the last good one was")) == (0, True)
    good = nights.nights(watched).good
    assert good is not None
    kept = nights.NightRecord(good.run_id, now - 50 * HOUR, now - 49 * HOUR, "good")
    nights._keep(watched, kept)
    code, told = asked("--json")
    found = json.loads(told)
    assert (code, found["is_outage"], found["hours"], found["told"]) == (1, True, 49, 1)
    assert found["waiting_since"] is None
    code, told = asked()
    assert (code, "The runner was told before." in told) == (1, True)
    assert len(server.received) == 1
