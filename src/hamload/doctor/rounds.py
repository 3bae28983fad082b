"""The whole round, in the order in which one thing stands on another; what cannot be looked at is left out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hamload import settings as configuration
from hamload import warehouse
from hamload.doctor import machine, place, standing
from hamload.doctor.finding import ok, wrong
from hamload.errors import ConfigurationError, HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hamload.doctor.finding import Finding


def examine(home: Path, now: dt.datetime, *, online: bool = False) -> Iterator[Finding]:
    """Look at everything, and yield each finding as it is made. Asks services only if `online`; changes nothing."""
    yield machine.python()
    yield from machine.packages()
    yield machine.prefect()
    found = place.home(home)
    yield found
    try:
        settings = configuration.load(home)
    except ConfigurationError as error:
        yield wrong("config.toml", error.what, error.remedy)
        return
    yield machine.disk(home, settings.doctor)
    yield from machine.clock(now, _newest(home), settings.time_zone, configuration.time_zone_source(home))
    if not home.is_dir():
        return
    yield ok("config.toml", "read" if (home / "config.toml").is_file() else "none: the defaults are taken")
    yield place.secrets(home)
    yield from place.versions_of(home)
    try:
        yield place.tables(home)
        yield from place.runners(settings)
        yield from standing.accounts(settings, now, online=online)
        yield from standing.mail(settings, online=online)
        yield from standing.cluster(settings, online=online)
        yield from standing.schedule(settings)
        yield from standing.heartbeat(settings)
        yield from standing.nights(settings, now)
        yield from standing.outbox(settings)
    except HamloadError as error:
        yield wrong("home", error.what, error.remedy)


def _newest(home: Path) -> dt.datetime | None:
    path = home / warehouse.PUBLISHED
    return dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC) if path.is_file() else None
