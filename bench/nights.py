"""How many requests a history costs, service by service, over the nights and backfills that its limits take.

Writes the table to docs/nights.md. A long history is simulated (3,000 runs by default), fetched by the real clients
from the simulated services within Strava's default limits, and counted; the tables are compared with those of one night
without limits. Run: make nights
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import pipeline, settings, warehouse
from hamload.demonstration import sign_in
from hamload.records import Service, Streams
from hamload.simulator import SimulatedRunner, year_of
from hamload.simulator.strava import Limits
from hamload.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hamload.simulator import PlannedRun

ROOT = Path(__file__).parents[1]
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WIDE = Limits((10**6, 10**6), (10**6, 10**6))


def quick(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Record a run at an even speed, a row every ten seconds: what is measured here is requests."""
    time_s = 10.0 * np.arange(max(round(6 * run.minutes), 2))
    speed, n = runner.easy_speed_mps + 0.1 * (run.date.toordinal() % 7), len(time_s)
    return Streams.of(time_s, speed_mps=np.full(n, speed), distance_m=speed * time_s, altitude_m=np.full(n, 160.0))


def main(runs: int) -> None:
    """Fetch the history twice, with and without limits, and write the table."""
    runner = SimulatedRunner()
    plan = year_of(runner, NIGHT.date() - DAY, 2 * runs)[-runs:]
    later = replace(plan[-1], date=NIGHT.date())
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        free = _home(Path(place) / "free", World(runner, [*plan, later], NIGHT, limits=WIDE, recorder=quick), share=1.0)
        limited = _home(Path(place) / "limited", World(runner, [*plan, later], NIGHT, recorder=quick), share=0.5)
        with free[0]:
            _sign_in(*free)
            _night(*free)
            whole = _tables(free[1])
        with limited[0]:
            _sign_in(*limited)
            lines = list(_until_whole(*limited))
            is_same = _tables(limited[1]) == whole
            world, home = limited
            _counted(world)
            world.advance(world.now + DAY)
            _night(world, home)
            lines.append(("a later night with one new run", *_row(world), None))
            world.advance(world.now + DAY)
            _night(world, home)
            lines.append(("a later night with nothing new", *_row(world), None))
            beyond = world.strava.beyond
    _write(lines, len(plan), is_same=is_same, beyond=beyond, seconds=time.perf_counter() - begun)


type _Line = tuple[Any, ...]


def _home(home: Path, world: World, share: float) -> tuple[World, Path]:
    home.mkdir()
    (home / "share").write_text(str(share))
    return world, home


def _sign_in(world: World, home: Path) -> None:
    os.environ.update(world.trust(home / "authority.pem"))
    accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in Service)
    share = (home / "share").read_text()
    fetch = f"[fetch]\nstrava_backfill_share = {share}\nstrava_retention_days = 3650\ngarmin_backfill = 100000\n"
    (home / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{accounts}{fetch}{world.services()}')
    sign_in(home, "me", world)


def _night(world: World, home: Path) -> None:
    current = settings.load(home)
    with pipeline.exclusive(current):
        night = pipeline.night(current, world.now, world.now.date())
    if night.failed_sources or night.failed_checks:
        sys.exit(f"failed: {night.failed_sources} {night.failed_checks}")


def _until_whole(world: World, home: Path) -> Iterator[_Line]:
    current = settings.load(home)
    _night(world, home)
    yield ("first night", *_row(world), _resumes(home))
    while (at := _resumes(home)) is not None:
        runs_on_day, day = 0, at.date()
        while at is not None and at.date() == day:
            now = world.advance(at)
            with pipeline.exclusive(current):
                for account in pipeline.waiting_accounts(current, now):
                    pipeline.fetch_account(current, account, now)
                pipeline.refresh(current, now.date(), now=now)
            runs_on_day += 1
            at = _resumes(home)
        yield (f"{day}, {runs_on_day} backfill{'s' if runs_on_day > 1 else ''}", *_row(world), at)


def _resumes(home: Path) -> dt.datetime | None:
    with warehouse.reader(home) as con:
        ((at,),) = con.execute("select min(resumes_at) from marts.source_health").fetchall()
    return at if isinstance(at, dt.datetime) else None


def _counted(world: World) -> None:
    for counter in (world.strava.asked, world.garmin.requests, world.personal.requests):
        counter.clear()


def _row(world: World) -> tuple[str, str, str]:
    counters: tuple[Any, ...] = (world.strava.asked, world.garmin.requests, world.personal.requests)
    told = [", ".join(f"{number} {name}" for name, number in sorted(c.items())) or "none" for c in counters]
    _counted(world)
    return told[0], told[1], told[2]


def _tables(home: Path) -> list[list[tuple[Any, ...]]]:
    day = "2026-11-22"
    with warehouse.reader(home) as con:
        return [
            con.execute(f"select * from marts.{table} where {column} <= ? order by all", [day]).fetchall()  # noqa: S608
            for table, column in (("sessions", "local_date"), ("daily_load", "date"), ("alerts", "date"))
        ]


def _write(lines: list[_Line], runs: int, *, is_same: bool, beyond: int, seconds: float) -> None:
    head = (
        "# What nights ask for\n\n"
        f"A history of {runs:,} simulated runs, fetched by the real clients from simulated services within Strava's\n"
        "default limits (100 reads in a quarter of an hour, 1,000 a day, of which older activities may use half).\n"
        "Written by `make nights`.\n\n"
        "| run | Strava | Garmin Connect | Personal API | goes on at (UTC) |\n| --- | --- | --- | --- | --- |\n"
    )
    rows = "".join(
        f"| {what} | {strava} | {garmin} | {personal} | {f'{at:%Y-%m-%d %H:%M}' if at else '-'} |\n"
        for what, strava, garmin, personal, at in lines
    )
    tail = (
        "\nA run that comes while older ones are still being fetched is fetched before them, by the next run that\n"
        "asks its service: with a long history the new one shows at Strava before the later night. A new day at\n"
        "Garmin is two activities, the run and curls with their sets.\n"
        f"\nRequests beyond a limit of Strava's: {beyond}. Tables equal to those of one night without limits:"
        f" {'yes, row for row' if is_same else 'NO'}.\n"
    )
    (ROOT / "docs" / "nights.md").write_text(head + rows + tail)
    print(head + rows + tail + f"\n({seconds:.0f} s)")
    if not is_same or beyond:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
