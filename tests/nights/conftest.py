"""A home whose accounts lie at simulated services on loopback, reached through the real clients over real TLS."""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hamload import pipeline, settings, warehouse
from hamload.demonstration import sign_in
from hamload.pipeline import Night
from hamload.records import Service, Streams
from hamload.settings import Settings
from hamload.simulator import PlannedRun, SimulatedRunner, year_of
from hamload.simulator.strava import Limits
from hamload.simulator.world import World
from hamload.sources.access import Access

FIRST_NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
YESTERDAY = dt.date(2026, 11, 22)
DAY = dt.timedelta(days=1)
RUNNER = SimulatedRunner()
ALL = tuple(Service)


def quick(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Record a run of the plan at an even speed, a row every ten seconds: hundreds of them are soon made."""
    time_s = 10.0 * np.arange(max(round(6 * run.minutes), 2))
    speed = runner.easy_speed_mps + 0.1 * (run.date.toordinal() % 7)
    n = len(time_s)
    return Streams.of(
        time_s,
        speed_mps=np.full(n, speed),
        distance_m=speed * time_s,
        altitude_m=160 + 0.01 * np.arange(n),
        latitude_deg=np.full(n, 48.2),
        longitude_deg=16.4 + 1e-5 * time_s,
        heart_rate_bpm=np.full(n, 140.0),
        cadence_spm=np.full(n, 166.0),
    )


@dataclass
class Live:
    """One home and the world that its accounts lie in."""

    world: World
    home: Path
    #: Whether nights write digests: with their charts they take longer than everything before them.
    tells: bool = True

    @property
    def settings(self) -> Settings:
        """Return the home's settings, as they are on the disk now."""
        return settings.load(self.home)

    @property
    def access(self) -> Access:
        """Return where its runner's secrets lie."""
        return Access.of(self.home, "me")

    def sign_in(self, services: Sequence[Service] = ALL) -> None:
        """Leave behind what a sign-in leaves behind."""
        sign_in(self.home, "me", self.world, services)

    def night(self, days: int = 0) -> Night:
        """Let days pass, and run a whole night."""
        now = self.world.advance(self.world.now + days * DAY)
        with pipeline.exclusive(self.settings):
            return (pipeline.night if self.tells else _silent_night)(self.settings, now, now.date())

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Query the published tables."""
        with warehouse.reader(self.home) as con:
            return con.execute(query, list(values)).fetchall()

    def requests(self) -> dict[str, dict[str, int]]:
        """Return what each service was asked since the last time, by endpoint."""
        counted: dict[str, dict[str, int]] = {}
        told: Mapping[str, Any] = {
            "strava": self.world.strava.asked,
            "garmin": self.world.garmin.requests,
            "garmin_personal": self.world.personal.requests,
        }
        for name, counter in told.items():
            counted[name] = dict(counter)
            counter.clear()
        return counted


def _silent_night(current: Settings, now: dt.datetime, today: dt.date) -> Night:
    fetched, failed = pipeline.fetch(current, now)
    decoded, failures = pipeline.refresh(current, today, now=now)
    pipeline.tell_troubles(current, failures, now)
    unreadable = [line for f in fetched for line in pipeline.unreadable(current, f.athlete_id, f.names)[0]]
    return Night(tuple(fetched), decoded, tuple(unreadable), tuple(failed), tuple(failures), (), ())


type MakeLive = Callable[..., Live]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeLive]:
    """Make a home with accounts: `live(runs, services, config)`; the runs end on the day before the first night.

    `renews`: Strava's tokens last six hours, as they do there.
    """
    for name in [name for name in os.environ if name.startswith(("STRAVA_", "GARMIN_", "HAMLOAD_"))]:
        monkeypatch.delenv(name)
    with ExitStack() as stack:
        made: list[Live] = []

        def make(
            runs: int | Sequence[PlannedRun] = 4,
            services: Sequence[Service] = ALL,
            config: str = "",
            *,
            limits: Limits | None = None,
            signed_in: bool = True,
            tells: bool = True,
            renews: bool = False,
            recorder: Callable[[SimulatedRunner, PlannedRun], Streams] = quick,
        ) -> Live:
            planned = plan(runs) if isinstance(runs, int) else runs
            world = stack.enter_context(World(RUNNER, planned, FIRST_NIGHT, limits=limits, recorder=recorder))
            if not renews:
                # Each later night would start a process that renews the token.
                world.strava.access_lasts = 365 * DAY
            home = tmp_path / f"home{len(made)}"
            home.mkdir()
            for name, value in world.trust(tmp_path / f"authority{len(made)}.pem").items():
                monkeypatch.setenv(name, value)
            accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in services)
            fetch = "" if "[fetch]" in config else "[fetch]\ntimeout_s = 2\nretries = 0\nwait_s = 0.01\n"
            # What is fetched is looked at here; each report would cost more than its night.
            show = "" if "[show]" in config else "[show]\nnightly_report = false\n"
            text = f'time_zone = "Europe/Vienna"\n{accounts}{fetch}{world.services()}{show}{config}'
            (home / "config.toml").write_text(text)
            made.append(Live(world, home, tells))
            if signed_in:
                made[-1].sign_in(services)
            return made[-1]

        yield make


def plan(runs: int, until: dt.date = YESTERDAY) -> list[PlannedRun]:
    """Return the last so many runs of the simulated runner's plan."""
    return year_of(RUNNER, until, runs * 2 + 7)[-runs:]
