"""A runner's accounts at the services: signing in, and being forgotten. What is signed in stands in config.toml.

`[[accounts]]` there is the one place that says what the night asks, so that an account whose sign-in is lost is told as
a failure, and never just falls silent.
"""

from __future__ import annotations

import re
import secrets
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tomlkit

from hamload import post, warehouse
from hamload.digest.outbox import replace_file
from hamload.errors import ConfigurationError, HamloadError
from hamload.pipeline.intake.connecting import (
    garmin_connection,
    garmin_hosts,
    personal_connection,
    strava_app,
    strava_host,
    strava_session,
)
from hamload.pipeline.noting import chronicle
from hamload.raw import Raw
from hamload.records import Service
from hamload.sources.access import Access

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from hamload.raw import Forgotten
    from hamload.settings import Settings
    from hamload.sources.tokens import App, Key

_SIGN_IN_S = 600.0


def sign_in_strava(
    settings: Settings,
    athlete_id: str,
    app: App,
    show: Callable[[str], None],
    paste: Callable[[], str] | None = None,
    *,
    port: int = 0,
    wait_s: float = _SIGN_IN_S,
) -> str:
    """Sign in to Strava in a browser, and keep the tokens and the application.

    Parameters
    ----------
    show
        Is given the address of Strava's page, to open it or to print it.
    paste
        Where the browser is on another machine: returns the address that it was led to. None waits for it here.

    Returns
    -------
    str
        What the runner should know of what they allowed, "" where it is all that hamload wants.

    Raises
    ------
    HamloadError
        Where the runner does not come back, refuses, or Strava does not accept the application.

    """
    from hamload.sources import strava  # noqa: PLC0415  # its client costs a second
    from hamload.sources.callback import Callback  # noqa: PLC0415

    _document(settings.home / "config.toml")
    access, host, state = Access.of(settings.home, athlete_id), strava_host(settings), secrets.token_urlsafe(24)
    with Callback(state, port) as callback:
        show(strava.authorization_url(app, callback.redirect_uri, state, host))
        address = callback.wait(wait_s) if paste is None else paste()
    code, scope = strava.read_callback(address, state)
    tokens = strava.exchange(access.strava, app, strava_session(settings), code, scope, host)
    access.strava_app.save(app)
    add(settings, Service.STRAVA, athlete_id)
    return "" if strava.sees_everything(tokens) else strava.HIDDEN


def known_strava_app(settings: Settings, athlete_id: str) -> App | None:
    """Return the API application of the environment or of an earlier sign-in, None where there is none yet."""
    from hamload.sources.strava import LoginNeededError  # noqa: PLC0415

    try:
        return strava_app(Access.of(settings.home, athlete_id))
    except LoginNeededError:
        return None


def sign_in_garmin(
    settings: Settings, athlete_id: str, email: str, password: str, ask_code: Callable[[], str], now: dt.datetime
) -> None:
    """Log in to Garmin Connect, once, with a person at the keyboard, and keep the tokens.

    Raises
    ------
    LoginBlockedError
        Where Garmin blocks logins from here, or did so a short time ago: then nothing is asked at all.
    LoginRefusedError
        Where address, password or code is wrong.

    """
    from hamload.sources import garmin  # noqa: PLC0415

    # A login that could not be written down would be spent for nothing, and Garmin counts them.
    _document(settings.home / "config.toml")
    access = Access.of(settings.home, athlete_id)
    garmin.login(access.garmin, email, password, ask_code, now, hosts=garmin_hosts(settings))
    with garmin_connection(settings, access) as connection:
        connection.activities(0, 1)
    add(settings, Service.GARMIN, athlete_id)


def sign_in_garmin_personal(settings: Settings, athlete_id: str, key: Key) -> None:
    """Try a key for Garmin's Personal API, and keep it. Raises HamloadError where it is not accepted."""
    _document(settings.home / "config.toml")
    with personal_connection(settings, key.key) as connection:
        connection.activities(0, 1)
    Access.of(settings.home, athlete_id).garmin_personal.save(key)
    add(settings, Service.GARMIN_PERSONAL, athlete_id)


def add(settings: Settings, service: Service, athlete_id: str) -> bool:
    """Let the night ask an account from now on. Returns whether it was not asked before."""
    if any(a.service is service and a.athlete == athlete_id for a in settings.accounts):
        return False
    path = settings.home / "config.toml"
    document = _document(path)
    entry = tomlkit.table()
    entry["service"] = service.command
    entry["athlete"] = athlete_id
    if not isinstance(document.get("accounts"), tomlkit.items.AoT):
        document.pop("accounts", None)
        document.append("accounts", tomlkit.aot())
    document["accounts"].append(entry)
    _replace(path, tomlkit.dumps(document))
    return True


def _document(path: Path) -> tomlkit.TOMLDocument:
    """Read config.toml. Raises ConfigurationError where its accounts are written in a way that cannot be added to."""
    document = tomlkit.parse(path.read_text(encoding="utf-8-sig")) if path.exists() else tomlkit.document()
    listed = document.get("accounts")
    if listed and not isinstance(listed, tomlkit.items.AoT):
        raise ConfigurationError(f"{path}: accounts is written as a list.", "Write each one as [[accounts]].")
    return document


def remove(settings: Settings, source: str, athlete_id: str) -> bool:
    """Let the night ask an account no longer. Returns whether it was asked."""
    kept = [i for i, a in enumerate(settings.accounts) if not (a.service.value == source and a.athlete == athlete_id)]
    if len(kept) == len(settings.accounts):
        return False
    path = settings.home / "config.toml"
    document = _document(path)
    listed = document["accounts"]
    for index in reversed(range(len(settings.accounts))):
        if index not in kept:
            del listed[index]
    if not kept:
        del document["accounts"]
    _replace(path, tomlkit.dumps(document))
    return True


def _replace(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
        replace_file(path, text.encode("utf-8"), mode)
    except OSError as error:
        raise HamloadError(
            f"{path} cannot be written: {error.strerror}.", "Free some space, or mend the folder's rights."
        ) from error


@dataclass(frozen=True, slots=True)
class Removed:
    """What `forget` removed, and what it could not: sentences for the runner."""

    ledger: Forgotten
    had_secrets: bool
    was_asked: bool
    digests: int
    left: tuple[str, ...]


def forget(settings: Settings, source: str, athlete_id: str, now: dt.datetime) -> Removed:
    """Remove everything that a source ever gave for one runner, and everything derived from it.

    The tables go as a whole, because a file may hold in free blocks what was deleted from it; `pipeline.refresh` builds
    them anew from what is left.

    Raises
    ------
    ConfigurationError
        Where nothing ever came from such a source.

    """
    with Raw(settings.home) as raw:
        known = raw.sources(athlete_id)
        asked = {a.service.value for a in settings.accounts if a.athlete == athlete_id}
        if source not in {*known, *asked}:
            there = ", ".join(sorted({*known, *asked})) or "none yet"
            raise ConfigurationError(f"Nothing ever came from {source!r}.", f"The sources of {athlete_id}: {there}.")
        # The ledger last: what is interrupted before can be done again, and finds everything it has to remove.
        left = _revoked(settings, source, athlete_id, now)
        digests = [path for path in (settings.home / "outbox").glob("*") if _is_digest_of(path.name, athlete_id)]
        # What libraries logged may name its activities.
        logs = (settings.home / chronicle.FOLDER).glob(f"{chronicle.NAME}*")
        pages = (settings.home / name for name in ("report.html", f"report-{athlete_id}.html"))
        for path in (*digests, *pages, *logs):
            path.unlink(missing_ok=True)
        post.forget(settings, athlete_id)
        warehouse.forget_derived(settings.home)
        (settings.home / warehouse.PUBLISHED).unlink(missing_ok=True)
        had_secrets = _without_secrets(settings, source, athlete_id)
        was_asked = remove(settings, source, athlete_id)
        with raw.batch(source, athlete_id, now) as batch:
            ledger = batch.forget()
        raw.sweep()
    if (settings.home / "prefect").is_dir():
        left += ("Prefect's pages of past runs may name its runs: to lose them, delete prefect/ in the home.",)
    return Removed(ledger, had_secrets, was_asked, len(digests), left)


def named(settings: Settings, athlete_id: str) -> str:
    """Return the runner of whom something is to be forgotten: one of the settings, or one whom they list no longer.

    Raises ConfigurationError where there is no such runner, or it is not said which.
    """
    if athlete_id and (settings.home / "raw").is_dir():
        with Raw(settings.home) as raw:
            if athlete_id in raw.athletes():
                return athlete_id
    return settings.athlete(athlete_id).id


def _is_digest_of(name: str, athlete_id: str) -> bool:
    return re.fullmatch(rf"\d{{4}}-\d\d-\d\d-{re.escape(athlete_id)}-[a-z]+\.(txt|html)", name) is not None


def _revoked(settings: Settings, source: str, athlete_id: str, now: dt.datetime) -> tuple[str, ...]:
    """Tell Strava that hamload's access is over. Returns what is left to do by hand."""
    if source != Service.STRAVA.value:
        return ()
    from hamload.sources import strava  # noqa: PLC0415

    access, host = Access.of(settings.home, athlete_id), strava_host(settings)
    session = strava_session(settings)
    try:
        if access.strava.read() is None:
            return ()
        tokens = strava.refreshed(access.strava, strava_app(access), session, now, host)
        strava.revoke(tokens, session, host)
    except HamloadError as error:
        return (f"Strava could not be told ({error.what}) Take the access back: https://www.strava.com/settings/apps",)
    return ()


def _without_secrets(settings: Settings, source: str, athlete_id: str) -> bool:
    access = Access.of(settings.home, athlete_id)
    if source == Service.STRAVA.value:
        return access.strava.remove() | access.strava_app.remove()
    if source == Service.GARMIN_PERSONAL.value:
        return access.garmin_personal.remove()
    if source == Service.GARMIN.value and access.garmin.is_symlink():
        access.garmin.unlink()
        return True
    if source == Service.GARMIN.value and access.garmin.is_dir():
        shutil.rmtree(access.garmin)
        return True
    return False
