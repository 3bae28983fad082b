"""A failed night reaches the runner as a message, once for as long as it lasts; secrets reach nobody."""

import datetime as dt
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline, post
from hamload.errors import HamloadError
from hamload.pipeline.noting import chronicle
from hamload.post.ledger import Ledger
from hamload.post.letter import plain_text
from hamload.records import Service
from hamload.simulator import strava as strava_simulator
from hamload.simulator.garmin import Fault


def _failures(home: Any) -> list[str]:
    return [m.subject for m in post.standing(home.settings) if m.kind == "failure"]


def test_a_source_that_fails_for_a_week_is_told_once_and_anew_when_it_fails_again(live: Any) -> None:
    home = live(2, (Service.GARMIN, Service.STRAVA), tells=False)
    home.night()
    assert _failures(home) == []
    home.world.garmin.faults.put("activities", Fault("status", 503))
    for _ in range(7):
        night = home.night(days=1)
        assert len(night.failed_sources) == 1
    assert _failures(home) == ["hamload: Garmin Connect could not be read last night"]
    home.world.garmin.faults.clear()
    home.night(days=1)
    home.world.garmin.faults.put("activities", Fault("status", 503))
    home.night(days=1)
    assert len(_failures(home)) == 2


def test_another_failure_that_needs_another_remedy_is_told_too(live: Any) -> None:
    home = live(2, (Service.STRAVA,), tells=False)
    home.night()
    home.world.strava.faults.add("list", strava_simulator.Fault("status", 503))
    home.night(days=1)
    home.world.strava.faults.clear()
    home.world.strava.faults.add("list", strava_simulator.Fault("inactive"))
    home.night(days=1)
    home.night(days=1)
    assert len(_failures(home)) == 2
    text = _texts(home)
    assert "the account that owns it has no subscription" in text
    assert "https://www.strava.com/settings/api" in text
    assert "count as unknown, not as rest" in text


def _texts(home: Any) -> str:
    with Ledger(home.home / "outbox") as ledger:
        return " ".join(
            " ".join(plain_text(ledger.content(m.message_id)).split()) for m in post.standing(home.settings)
        )


def test_a_night_that_breaks_off_is_told_once_a_cause(live: Any) -> None:
    home = live(2, (Service.GARMIN,))
    home.night()
    for day in range(3):
        error = HamloadError("The disk is full.", "Free some space.")
        pipeline.tell_crash(home.settings, error, home.world.now + dt.timedelta(days=day))
    assert _failures(home) == ["hamload: the night went wrong last night"]


def test_days_after_a_failure_are_unknown_and_become_known_when_the_source_is_back(live: Any) -> None:
    home = live(3, (Service.GARMIN,), tells=False)
    home.night()
    home.world.garmin.faults.put("activities", Fault("drop"))
    home.night(days=3)
    known = (
        "select date::varchar, is_known from marts.daily_load where series = 'total' and date > '2026-11-22' order by 1"
    )
    assert home.ask(known) == [("2026-11-23", False), ("2026-11-24", False), ("2026-11-25", False)]
    ((withheld,),) = home.ask(
        "select distinct withheld_why from marts.daily_load where series = 'total' and date = '2026-11-25'"
    )
    assert "unknown" in withheld or "baseline" in withheld
    home.world.garmin.faults.clear()
    home.night(days=1)
    assert {row[1] for row in home.ask(known)} == {True}


def test_a_login_that_is_blocked_says_until_when_not_to_try(live: Any) -> None:
    home = live(2, (Service.GARMIN,))
    home.world.garmin.revoke(refresh=True)
    until = home.world.now + dt.timedelta(hours=40)
    (home.access.garmin / "garmin_login_blocked.json").write_text(f'{{"until": "{until.isoformat()}"}}')
    (problem,) = home.night().failed_sources
    assert f"Do not sign in before {until:%Y-%m-%d %H:%M} UTC" in problem
    assert "hamload auth garmin-personal" in problem
    assert home.world.garmin.logins == 0
    ((remedy,),) = home.ask("select remedy from marts.source_health")
    assert f"{until:%Y-%m-%d %H:%M}" in remedy


def test_an_account_without_a_sign_in_is_a_failure_and_not_silence(live: Any) -> None:
    home = live(2, signed_in=False)
    home.sign_in((Service.GARMIN_PERSONAL,))
    night = home.night()
    assert [problem.split(":")[0] for problem in night.failed_sources] == ["Strava", "Garmin Connect"]
    assert "hamload auth strava" in night.failed_sources[0]
    assert "hamload auth garmin" in night.failed_sources[1]


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Collect what any library logs, at the level of its details."""
    stream = io.StringIO()
    root = logging.getLogger()
    handler, before = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def careless_umask() -> Iterator[None]:
    """Let every file that does not say its own rights be open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_a_canary_for_each_secret_appears_nowhere_but_in_its_own_file(
    live: Any, everything_logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    home = live(3, config='[log]\nlevel = "debug"\n', renews=True)
    home.night()
    home.world.garmin.revoke(refresh=False)
    home.night(days=1)  # each service has renewed its token by now
    for number, fault in enumerate(("401", "500", "page")):
        status = int(fault) if fault.isdigit() else 200
        kind: Any = "status" if fault.isdigit() else "html"
        home.world.strava.faults.add("list", strava_simulator.Fault(kind, status))
        for simulator in (home.world.garmin, home.world.personal):
            simulator.faults.put("activities", Fault("status" if fault.isdigit() else "html", status=status or 500))
        home.night(days=number + 1)
    secrets = _secrets(home)
    assert len(secrets) >= 6
    told = everything_logged.getvalue() + "".join(capfd.readouterr())
    for secret in secrets:
        assert secret not in told
        assert [path.name for path in _holding(home.home, secret)] != []
        assert {path.parent for path in _holding(home.home, secret)} <= {home.access.folder, home.access.garmin}
    assert [line for line in chronicle.lines(home.home) if line.get("level") == "debug"], "details were logged too"
    kept = [path for name in ("tokens", "outbox", "logs") for path in (home.home / name).rglob("*") if path.is_file()]
    assert {"strava.json", "garmin_tokens.json", "post.db", "hamload.jsonl"} <= {path.name for path in kept}
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


def _holding(home: Path, secret: str) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def _secrets(home: Any) -> set[str]:
    import json  # noqa: PLC0415

    strava, app = home.access.strava.read(), home.access.strava_app.read()
    garmin = json.loads((home.access.garmin / "garmin_tokens.json").read_text())
    return {
        strava.access_token,
        strava.refresh_token,
        app.client_secret,
        garmin["di_token"],
        garmin["di_refresh_token"],
        home.access.garmin_personal.read().key,
    }
