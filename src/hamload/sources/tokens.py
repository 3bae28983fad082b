"""What signs a runner in: a service's tokens, their own API application, their own API key, each in a file of its own.

Whoever refreshes a token that dies with its use saves the new one before anything else (see `secret_file`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from hamload.sources.secret_file import SecretFile, TokenFileError

__all__ = ["App", "AppFile", "Key", "KeyFile", "TokenFile", "TokenFileError", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a service gave to sign in with.

    Attributes
    ----------
    expires_at
        When the access token ends, UTC.
    scope
        What the runner allowed, as the service spells it; "" where it did not say.
    attempted_at
        A refresh was begun then, and nothing has been saved since: its answer may be lost.

    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: dt.datetime
    scope: str = ""
    attempted_at: dt.datetime | None = None

    def lasts_until(self, moment: dt.datetime) -> bool:
        """Return whether the access token is still good at a moment."""
        return bool(self.access_token) and self.expires_at > moment


class TokenFile(SecretFile[Tokens]):
    """Where one service's tokens of one runner are kept."""

    secret_names = ("access_token", "refresh_token")

    def expire(self) -> None:
        """Distrust the access token: the service refused it before its time, and the next run is to refresh it."""
        with self.locked() as locked:
            if tokens := locked.read():
                locked.save(replace(tokens, expires_at=dt.datetime.fromtimestamp(0, dt.UTC)))

    def _told(self, secret: Tokens) -> dict[str, Any]:
        return {
            "access_token": secret.access_token,
            "refresh_token": secret.refresh_token,
            "expires_at": secret.expires_at.astimezone(dt.UTC).isoformat(),
            "scope": secret.scope,
            "attempted_at": secret.attempted_at and secret.attempted_at.astimezone(dt.UTC).isoformat(),
        }

    def _secret(self, told: dict[str, Any]) -> Tokens:
        return Tokens(
            str(told["access_token"]),
            str(told["refresh_token"]),
            dt.datetime.fromisoformat(told["expires_at"]),
            str(told["scope"]),
            told["attempted_at"] and dt.datetime.fromisoformat(told["attempted_at"]),
        )


@dataclass(frozen=True, slots=True)
class App:
    """A runner's own API application, as Strava wants one."""

    client_id: int
    client_secret: str = field(repr=False)


class AppFile(SecretFile[App]):
    """Where a runner's own API application is kept."""

    secret_names = ("client_secret",)

    def _told(self, secret: App) -> dict[str, Any]:
        return {"client_id": secret.client_id, "client_secret": secret.client_secret}

    def _secret(self, told: dict[str, Any]) -> App:
        return App(int(told["client_id"]), str(told["client_secret"]))


@dataclass(frozen=True, slots=True)
class Key:
    """A runner's own API key, and the last day on which it is valid (None: not known)."""

    key: str = field(repr=False)
    expires_on: dt.date | None = None


class KeyFile(SecretFile[Key]):
    """Where a runner's own API key is kept."""

    secret_names = ("key",)

    def _told(self, secret: Key) -> dict[str, Any]:
        return {"key": secret.key, "expires_on": secret.expires_on and secret.expires_on.isoformat()}

    def _secret(self, told: dict[str, Any]) -> Key:
        expires_on = told["expires_on"]
        return Key(str(told["key"]), expires_on and dt.date.fromisoformat(expires_on))
