"""Each account's sign-in as it lies in the home: there, readable, not ended. Asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hamload import settings as configuration
from hamload.doctor.finding import note, ok, wrong
from hamload.pipeline.intake.connecting import APP_VARIABLES, KEY_VARIABLE
from hamload.records import Service
from hamload.sources import garmin_personal
from hamload.sources.access import FOLDER, Access

if TYPE_CHECKING:
    import datetime as dt

    from hamload.doctor.finding import Finding
    from hamload.settings import AccountSettings, Settings


def sign_in(settings: Settings, account: AccountSettings, now: dt.datetime, name: str, remedy: str) -> Finding:
    """Look at one account's sign-in. Raises HamloadError where a file with a secret cannot be used."""
    access = Access(settings.home / FOLDER / account.athlete)
    match account.service:
        case Service.GARMIN_PERSONAL:
            today = now.astimezone(settings.zone(account.athlete)).date()
            return _key(access, today, name, remedy)
        case Service.GARMIN:
            return _garmin(access, now, name, remedy)
        case Service.STRAVA:
            return _strava(access, name, remedy)
        case _:
            path = settings.home / Path(account.file).expanduser()
            if path.is_file():
                return ok(name, f"fetched by {path}")
            return wrong(name, f"There is no file {path}.", f"mend [[accounts]] in {settings.home / 'config.toml'}")


def _key(access: Access, today: dt.date, name: str, remedy: str) -> Finding:
    stored = access.garmin_personal.read() if access.folder.is_dir() else None
    key = configuration.secret(KEY_VARIABLE)
    if key and (stored is None or key != stored.key):
        return ok(name, f"a key from {KEY_VARIABLE}; its last day is not known here")
    if stored is None:
        return wrong(name, "There is no key for Garmin's Personal API.", remedy)
    if stored.expires_on is None:
        return note(name, "The key's last day is not known, so that nobody can warn before it.", remedy)
    left = (stored.expires_on - today).days
    if left > garmin_personal.WARN_DAYS:
        return ok(name, f"a key until {stored.expires_on}")
    if left >= 0:
        return note(name, f"The key ends on {stored.expires_on}, in {left} days.", remedy)
    return wrong(name, f"The key ended on {stored.expires_on}.", remedy)


def _garmin(access: Access, now: dt.datetime, name: str, remedy: str) -> Finding:
    from hamload.sources import garmin  # noqa: PLC0415  # its client costs a second

    if (access.garmin / "garmin_tokens.json").is_file():
        return ok(name, "signed in")
    until = garmin.blocked_until(access.garmin)
    if until is None or until <= now:
        return wrong(name, "Nobody is signed in.", remedy)
    says = f"Nobody is signed in, and Garmin blocks logins from here until {until:%Y-%m-%d %H:%M} UTC."
    return wrong(name, says, "hamload auth garmin-personal")


def _strava(access: Access, name: str, remedy: str) -> Finding:
    tokens = access.strava.read() if access.folder.is_dir() else None
    if tokens is None:
        return wrong(name, "Nobody is signed in.", remedy)
    if not all(map(configuration.secret, APP_VARIABLES)) and access.strava_app.read() is None:
        return wrong(name, "The API application is not known.", remedy)
    if tokens.attempted_at is not None:
        return note(name, "The last renewal's answer may be lost; the next night tries again.", "hamload sync")
    return ok(name, "signed in")
