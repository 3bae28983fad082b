"""The steps that are killed, each a function of the home and the moment, as the commands take them."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING

from hamload import pipeline, post, settings
from hamload.errors import ConfigurationError
from hamload.pipeline.setup import accounts
from hamload.records import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

RUNS = "runs"


def bring(home: Path, now: dt.datetime) -> None:
    """Import the folder of runs beside the home."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [home.parent / RUNS], "me", now, through=now.date() - dt.timedelta(days=1))
        pipeline.refresh(current, now.date(), now=now)


def sync(home: Path, now: dt.datetime) -> None:
    """Run a whole night: the watched folder, the services, the tables, the messages."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.night(current, now, now.date())


def send(home: Path, now: dt.datetime) -> None:
    """Send what waits."""
    post.deliver(settings.load(home), now)


def rebuild(home: Path, now: dt.datetime) -> None:
    """Build everything derived anew."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.rebuild(current, now.date())


def refresh(home: Path, now: dt.datetime) -> None:
    """Bring tables and what is published up to date; upgrade a home that is older; let expire what is due."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.refresh(current, now.date(), now=now)
    post.deliver(current, now)


def publish(home: Path, _now: dt.datetime) -> None:
    """Publish what the writer has built."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.alert(current)
        pipeline.publish(current)


def forget(home: Path, now: dt.datetime) -> None:
    """Remove everything that Strava gave."""
    current = settings.load(home)
    with pipeline.exclusive(current):
        with suppress(ConfigurationError):
            # Nothing of it is left where it was killed after its commit: the tables are what is missing then.
            accounts.forget(current, Service.STRAVA.value, "me", now)
        pipeline.refresh(settings.load(home), now.date(), now=now)


STEPS: Mapping[str, Callable[[Path, dt.datetime], None]] = {
    "import": bring,
    "sync": sync,
    "send": send,
    "rebuild": rebuild,
    "upgrade": refresh,
    "expire": refresh,
    "publish": publish,
    "forget": forget,
}
