"""One runner and all the services they upload to, on loopback and under one clock: what a home is pointed at.

The watch uploads each run to Garmin Connect, which forwards it to Strava; the Personal API shows the same account. The
clients need nothing but the addresses in `services` and the environment of `trust`.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from hamload.simulator import strava
from hamload.simulator.athlete import start_of
from hamload.simulator.certificates import Authority
from hamload.simulator.garmin import Account, GarminSimulator
from hamload.simulator.garmin_personal import PersonalSimulator
from hamload.simulator.recordings import streams_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hamload.simulator.athlete import PlannedRun, SimulatedRunner

#: How long a run takes from the watch to the services.
_UPLOAD = dt.timedelta(hours=3)


class World:
    """Use as a context manager. `runs` may lie in the future: each shows once the clock has passed it."""

    def __init__(
        self,
        runner: SimulatedRunner,
        runs: Sequence[PlannedRun],
        now: dt.datetime,
        *,
        curls: int = 1,
        limits: strava.Limits | None = None,
        recorder: strava.Recorder = streams_of,
    ) -> None:
        self.runner = runner
        self._now = now
        self._authority = Authority()
        self._stack = ExitStack()
        self.account = Account(runner, runs, lambda: self._now, curls=curls)
        self.garmin = GarminSimulator(self.account)
        self.key = "simulated-personal-api-key"
        self.personal = PersonalSimulator(self.account, self.key, authority=self._authority)
        self.strava = strava.Strava(runner, [], now, limits=limits, recorder=recorder)
        for run in runs:
            self.strava.upload(run, seen_from=start_of(runner, run) + _UPLOAD)

    def __enter__(self) -> Self:
        self._stack.enter_context(strava.serving(self.strava, self._authority.served()))
        self._stack.enter_context(self.garmin)
        self._stack.enter_context(self.personal)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def now(self) -> dt.datetime:
        """Return the moment by this world's clock."""
        return self._now

    def advance(self, to: dt.datetime) -> dt.datetime:
        """Move every clock, and return the moment."""
        self._now = max(to, self._now)
        self.strava.advance(self._now)
        return self._now

    def trust(self, path: Path) -> dict[str, str]:
        """Write the certificate to trust; return the environment in which the clients do."""
        return self._authority.write(path)

    def services(self) -> str:
        """Return the section of a home's config.toml that leads the clients here."""
        base = self.garmin.base
        return (
            "[services]\n"
            f'strava_api = "{self.strava.address.removeprefix("https://")}"\n'
            f'strava_sign_in = "{self.strava.address.removeprefix("https://")}"\n'
            f'garmin_sso = "{base}"\ngarmin_connect = "{base}"\ngarmin_connectapi = "{base}"\n'
            f'garmin_token = "{base}/di-oauth2-service/oauth/token"\n'
            f'garmin_personal = "{self.personal.base}"\n'
        )
