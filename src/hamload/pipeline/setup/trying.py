"""Asks a service one small thing, to see whether a sign-in is still good. Fetches nothing and keeps nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload import settings as configuration
from hamload.pipeline.intake.connecting import (
    KEY_VARIABLE,
    garmin_connection,
    personal_connection,
    strava_app,
    strava_host,
    strava_session,
)
from hamload.records import Service
from hamload.sources.access import Access

if TYPE_CHECKING:
    import datetime as dt

    from hamload.settings import AccountSettings, Settings


def ask_account(settings: Settings, account: AccountSettings, now: dt.datetime) -> None:
    """Ask the service for one activity, or Strava for whose account it is. Raises HamloadError where it will not."""
    access = Access.of(settings.home, account.athlete)
    match account.service:
        case Service.STRAVA:
            from hamload.sources import strava, strava_access  # noqa: PLC0415  # its client costs a second

            session, host = strava_session(settings), strava_host(settings)
            tokens = strava.refreshed(access.strava, strava_app(access), session, now, host)
            client = strava.client(session, tokens.access_token, host)
            strava_access.answered(client.get_athlete)
        case Service.GARMIN:
            with garmin_connection(settings, access) as connection:
                connection.activities(0, 1)
        case Service.GARMIN_PERSONAL:
            stored = access.garmin_personal.read()
            key = configuration.secret(KEY_VARIABLE) or (stored.key if stored else "")
            with personal_connection(settings, key) as personal:
                personal.activities(0, 1)
