"""A runner's connection to each service, as the settings say: whose application, which key, where, how long to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hamload import settings as configuration
from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from hamload.settings import Settings
    from hamload.sources.access import Access
    from hamload.sources.strava import Host, Session
    from hamload.sources.tokens import App

KEY_VARIABLE = "GARMIN_PERSONAL_API_KEY"
APP_VARIABLES = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET")

#: What one part of an answer may take, where a whole one may take longer.
_PART_S = 30.0


def strava_app(access: Access) -> App:
    """Return the API application: the environment's, else the one that was given at sign-in.

    Raises ConfigurationError on a number that is none, LoginNeededError where there is no application.
    """
    from hamload.sources.strava import LoginNeededError  # noqa: PLC0415
    from hamload.sources.strava_access import SIGN_IN  # noqa: PLC0415
    from hamload.sources.tokens import App  # noqa: PLC0415

    client_id, client_secret = (configuration.secret(name) for name in APP_VARIABLES)
    if client_id and client_secret:
        if not client_id.isdecimal():
            raise ConfigurationError(
                f"{APP_VARIABLES[0]} is no number.", "Copy the client ID from https://www.strava.com/settings/api."
            )
        return App(int(client_id), client_secret)
    app = access.strava_app.read()
    if app is None:
        raise LoginNeededError("Nobody is signed in to Strava.", SIGN_IN)
    return app


def strava_session(settings: Settings) -> Session:
    """Return a session for Strava that ends as the settings say."""
    from hamload.sources.strava import session  # noqa: PLC0415

    return session(min(_PART_S, settings.fetch.timeout_s), settings.fetch.timeout_s)


def strava_host(settings: Settings) -> Host:
    """Return where Strava is."""
    from hamload.sources.strava import Host  # noqa: PLC0415

    services = settings.services
    return Host(services.strava_api, services.strava_base, services.strava_sign_in)


def garmin_connection(settings: Settings, access: Access) -> Any:
    """Open a runner's account at Garmin Connect by its saved tokens."""
    from hamload.sources import garmin  # noqa: PLC0415

    fetch = settings.fetch
    return garmin.connect(
        access.garmin,
        hosts=garmin_hosts(settings),
        retries=fetch.retries,
        wait_s=fetch.wait_s,
        timeout_s=fetch.timeout_s,
    )


def garmin_hosts(settings: Settings) -> Any:
    """Return where Garmin Connect is; None leaves that to the client."""
    from hamload.sources.garmin import Hosts  # noqa: PLC0415

    services = settings.services
    hosts = (services.garmin_sso, services.garmin_connect, services.garmin_connectapi, services.garmin_token)
    return Hosts(*hosts) if all(hosts) else None


def personal_connection(settings: Settings, key: str) -> Any:
    """Open a runner's account at Garmin's Personal API by their key."""
    from hamload.sources import garmin_personal  # noqa: PLC0415

    fetch = settings.fetch
    return garmin_personal.connect(
        key,
        host=settings.services.garmin_personal,
        retries=fetch.retries,
        wait_s=fetch.wait_s,
        timeout_s=fetch.timeout_s,
    )
