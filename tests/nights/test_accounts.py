"""Signing in and being forgotten, as a runner does it: the installed command, a browser's part, the real clients."""

import datetime as dt
import os
import pty
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import garminconnect.client.sso
import pytest
import requests
from typer.testing import CliRunner

from hamload import settings
from hamload.cli import app
from hamload.errors import ConfigurationError
from hamload.pipeline.setup import accounts
from hamload.records import Service
from hamload.sources.tokens import Key

COMMAND = Path(sys.executable).with_name("hamload")


def _start(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, *arguments, "--home", home],
        env={**os.environ, "COLUMNS": "200", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _address_shown(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"https://127\.0\.0\.1:\d+/oauth/authorize\S+", line):
            return found[0]
    raise AssertionError(process.communicate())


def _app(home: Any) -> dict[str, str]:
    return {
        "STRAVA_CLIENT_ID": str(home.world.strava.client_id),
        "STRAVA_CLIENT_SECRET": home.world.strava.client_secret,
    }


def test_a_runner_signs_in_to_strava_in_a_browser_and_the_next_sync_fetches(live: Any) -> None:
    home = live(3, (), signed_in=False, tells=False)
    process = _start(home.home, "auth", "strava", "--no-browser", **_app(home))
    address = _address_shown(process)
    assert "activity%3Aread_all" in address
    callback = requests.get(address, timeout=10, allow_redirects=False).headers["Location"]
    # Another page that knows the port, but not the state, changes nothing.
    forged = re.sub(r"state=[^&]+", "state=forged", callback)
    assert requests.get(forged, timeout=10).status_code == 400
    assert "close this page" in requests.get(callback, timeout=10).text
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Signed in to Strava" in out
    for path in (home.access.strava.path, home.access.strava_app.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.access.folder.stat().st_mode) == 0o700
    assert [a.service for a in home.settings.accounts] == [Service.STRAVA]
    night = home.night()
    assert [(f.service, f.new) for f in night.fetched] == [(Service.STRAVA, 3)]


def test_the_address_can_be_pasted_and_one_of_another_sign_in_is_refused(live: Any) -> None:
    home = live(1, (), signed_in=False)
    process = _start(home.home, "auth", "strava", "--paste", **_app(home))
    address = _address_shown(process)
    callback = requests.get(address, timeout=10, allow_redirects=False).headers["Location"]
    _, err = process.communicate(re.sub(r"state=[^&]+", "state=old", callback) + "\n", timeout=60)
    assert process.returncode == 1
    assert "does not belong to the sign-in" in err
    assert home.settings.accounts == ()
    assert home.access.strava.read() is None


def test_a_sign_in_that_hides_private_runs_says_that_rest_cannot_be_told(live: Any) -> None:
    home = live(3, (Service.STRAVA,), tells=False)
    tokens = home.access.strava.read()
    home.access.strava.save(replace(tokens, scope="read,activity:read"))
    night = home.night()
    assert night.failed_sources == ()
    assert night.fetched[0].covered_until is None
    assert "private" in " ".join(night.fetched[0].notes)
    known = dict(home.ask("select date::varchar, is_known from marts.daily_load where series = 'total'"))
    runs = {row[0] for row in home.ask("select local_date::varchar from marts.sessions")}
    assert {day for day, is_known in known.items() if is_known} == runs


@pytest.mark.sampled(1)
@pytest.mark.parametrize("code", [None, "123456"])
def test_a_runner_logs_in_to_garmin_once_with_a_code_where_it_wants_one(
    live: Any, monkeypatch: pytest.MonkeyPatch, code: str | None
) -> None:
    for name in ("LOGIN_DELAY_MIN_S", "LOGIN_DELAY_MAX_S", "WIDGET_DELAY_MIN_S", "WIDGET_DELAY_MAX_S"):
        if hasattr(garminconnect.client.sso, name):
            monkeypatch.setattr(garminconnect.client.sso, name, 0)
    home = live(2, (), signed_in=False, tells=False)
    home.world.garmin.code = code
    monkeypatch.setenv("GARMIN_EMAIL", "runner@example.org")
    monkeypatch.setenv("GARMIN_PASSWORD", home.world.garmin.password)
    result = CliRunner().invoke(app, ["auth", "garmin", "--home", str(home.home)], input=f"{code}\n")
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert "Signed in to Garmin Connect" in result.output
    assert [a.service for a in home.settings.accounts] == [Service.GARMIN]
    logins = home.world.garmin.logins
    assert logins > 0
    assert home.night().failed_sources == ()
    assert home.world.garmin.logins == logins, "the night never logs in"


def test_a_personal_key_is_tried_before_it_is_kept(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home = live(2, (), signed_in=False, tells=False)
    monkeypatch.setenv("GARMIN_PERSONAL_API_KEY", "wrong")
    result = CliRunner().invoke(app, ["auth", "garmin-personal", "--home", str(home.home)])
    assert "Make a new key" in str(result.exception)
    assert home.settings.accounts == ()
    key_file = home.home.parent / "key"
    key_file.write_text(home.world.key + "\n")
    monkeypatch.delenv("GARMIN_PERSONAL_API_KEY")
    monkeypatch.setenv("GARMIN_PERSONAL_API_KEY_FILE", str(key_file))
    result = CliRunner().invoke(app, ["auth", "garmin-personal", "--expires", "2099-01-31", "--home", str(home.home)])
    assert result.exit_code == 0, result.output + repr(result.exception)
    stored = home.access.garmin_personal.read()
    assert (stored.key, str(stored.expires_on)) == (home.world.key, "2099-01-31")
    assert home.night().failed_sources == ()


def test_a_last_day_that_is_no_date_or_past_is_asked_for_again_and_the_key_is_not_lost(live: Any) -> None:
    home = live(2, (), signed_in=False)
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "auth", "garmin-personal", "--home", home.home],
        env={**os.environ, "COLUMNS": "200", "GARMIN_PERSONAL_API_KEY": home.world.key},
        stdin=inner,
        stdout=inner,
        stderr=inner,
    )
    os.close(inner)
    os.write(terminal, b"31.1.2099\n2020-01-31\n2099-01-31\n")
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other side has closed
            break
    os.close(terminal)
    assert process.wait(timeout=60) == 0, said
    assert b"this is no date" in said
    assert b"lies in the past" in said
    stored = home.access.garmin_personal.read()
    assert (stored.key, str(stored.expires_on)) == (home.world.key, "2099-01-31")


def test_a_key_that_ends_is_warned_of_two_weeks_before(live: Any) -> None:
    home = live(2, (Service.GARMIN_PERSONAL,))
    ends = home.world.now.date() + dt.timedelta(days=15)
    home.access.garmin_personal.save(Key(home.world.key, ends))
    assert home.night().fetched[0].notes == ()
    (note,) = home.night(days=1).fetched[0].notes
    assert f"expires on {ends}, in 14 days" in note
    ((message, is_failing),) = home.ask("select message, is_failing from marts.source_health")
    assert (message, is_failing) == (note, False)
    assert note.split(".")[0] in (home.home / "outbox" / "2026-11-23-me-digest.txt").read_text().replace("\n  ", " ")


def test_nobody_at_the_keyboard_is_told_what_to_do_instead(live: Any) -> None:
    home = live(1, (), signed_in=False)
    process = _start(home.home, "auth", "garmin")
    _, err = process.communicate("", timeout=60)
    assert process.returncode == 2
    assert "Run it in a terminal" in err


# Being forgotten


def test_forgetting_strava_leaves_nothing_of_it_and_the_runs_that_garmin_has(live: Any) -> None:
    home = live(4)
    home.night()
    both = home.ask("select session_id, load_efm, copies from marts.sessions order by 1")
    assert [row[2] for row in both] == [1, 1, 1, 1]
    canary = home.ask("select external_id from marts.activities where source = 'strava' limit 1")[0][0]
    assert _holds(home.home, canary)
    (home.home / "logs" / "hamload.jsonl").write_text(f'{{"event": "log", "message": "GET /activities/{canary}"}}')
    home.world.advance(dt.datetime.now(dt.UTC))  # the command reads the real clock
    result = CliRunner().invoke(app, ["forget", "strava", "--yes", "--home", str(home.home)])
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert "4 documents that nothing else gave too" in result.output.replace("\n", " ")
    assert not _holds(home.home, canary)
    assert home.ask("select session_id, load_efm, copies from marts.sessions order by 1") == [
        (session_id, load, 0) for session_id, load, _ in both
    ]
    assert home.access.strava.read() is None
    assert home.access.strava_app.read() is None
    assert [a.service for a in home.settings.accounts] == [Service.GARMIN, Service.GARMIN_PERSONAL]
    assert home.world.strava.asked["revoke"] == 1
    assert home.ask("select source from marts.source_health") == [("garmin",), ("garmin_personal",)]


def _holds(home: Path, text: str) -> list[str]:
    return [
        str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_forgetting_a_source_that_a_document_shares_with_another_keeps_the_document(live: Any) -> None:
    home = live(2, (Service.GARMIN, Service.GARMIN_PERSONAL), tells=False)
    home.night()
    removed = accounts.forget(home.settings, "garmin_personal", "me", home.world.now)
    assert (removed.ledger.deliveries, removed.ledger.documents) == (3, 0)
    assert home.night().failed_sources == ()
    assert home.ask("select count(*), min(source) from marts.sessions") == [(2, "garmin")]


def test_forgetting_what_never_was_is_refused_with_what_there_is(live: Any) -> None:
    home = live(1, (Service.GARMIN,), tells=False)
    home.night()
    with pytest.raises(ConfigurationError, match="garmin"):
        accounts.forget(home.settings, "polar", "me", home.world.now)


def test_an_account_taken_out_of_the_settings_by_hand_is_told_as_asked_no_longer(live: Any) -> None:
    home = live(2, (Service.GARMIN,), tells=False)
    home.night()
    config = home.home / "config.toml"
    config.write_text(config.read_text().replace('[[accounts]]\nservice = "garmin"\n', ""))
    home.night(days=1)
    ((is_failing, message, remedy),) = home.ask("select is_failing, message, remedy from marts.source_health")
    assert (is_failing, message) == (True, "The night no longer asks it.")
    assert remedy == "Run: hamload auth garmin, or: hamload forget garmin"


def test_signing_in_keeps_what_else_stands_in_the_settings(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('# mine\ntime_zone = "Asia/Tokyo"   # at home\n\n[import]\nworkers = 2\n')
    assert accounts.add(settings.load(tmp_path), Service.GARMIN_PERSONAL, "me")
    assert not accounts.add(settings.load(tmp_path), Service.GARMIN_PERSONAL, "me")
    assert accounts.add(settings.load(tmp_path), Service.STRAVA, "me")
    assert config.read_text().startswith('# mine\ntime_zone = "Asia/Tokyo"   # at home\n\n[import]\nworkers = 2\n')
    assert [a.service for a in settings.load(tmp_path).accounts] == [Service.GARMIN_PERSONAL, Service.STRAVA]
    assert accounts.remove(settings.load(tmp_path), "garmin_personal", "me")
    assert accounts.remove(settings.load(tmp_path), "strava", "me")
    assert settings.load(tmp_path).accounts == ()
    assert settings.load(tmp_path).imports.workers == 2
