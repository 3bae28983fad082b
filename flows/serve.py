"""The schedule: the night, the week's digest and what goes on after a limit, kept running on this machine."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx
from prefect import serve
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from hamload import leash, pipeline, settings
from hamload.errors import HamloadError
from hamload.redaction import install
from hamload.settings import Settings

_LOG = logging.getLogger("hamload.watch")
#: The first start migrates its database.
_STARTS_WITHIN_S = 180
#: How often it is looked whether the nights happen.
_WATCH_EVERY_S = 3600.0
#: What belongs to the home's own server, by its process: stopped at the next start if it was left behind.
_SERVER = "prefect-server.json"


def deployments(current: Settings, flows: ModuleType) -> list[RunnerDeployment]:
    """Return what is to run, and when, on the home's clock. `flows` is the module that holds the flows."""
    parameters = {"home": str(current.home)}
    times = {"nightly": current.schedule.nightly, "weekly": current.schedule.weekly, "backfill": ""}
    return [
        getattr(flows, name).to_deployment(
            name=name,
            parameters=parameters,
            schedules=[CronSchedule(cron=cron, timezone=current.time_zone)] if cron else None,
        )
        for name, cron in times.items()
    ]


def run(home: Path | None, flows: ModuleType) -> None:
    """Serve until stopped; one run at a time, for a home holds one.

    Where PREFECT_API_URL names a Prefect server, that one keeps the schedule; else one is started beside it, on
    loopback and with a database in the home: Prefect's temporary server starts no scheduled run.
    """
    install()
    current = settings.load(home)
    with _server(current), watching(home):
        serve(*deployments(current, flows), limit=1)


@contextmanager
def watching(home: Path | None, every_s: float = _WATCH_EVERY_S) -> Iterator[None]:
    """Look every hour whether the nights happen, in a thread that neither Prefect nor any night can hold up."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(every_s):
            try:
                found = pipeline.watch(settings.load(home), dt.datetime.now(tz=dt.UTC))
            except Exception:  # noqa: BLE001  # told just below
                # Whatever it is, the next look must come.
                _LOG.exception("It could not be looked whether the nights happen.")
            else:
                if found.outage is not None:
                    _LOG.error("No night has run to its end since %s.", f"{found.since:%Y-%m-%d %H:%M} UTC")

    thread = threading.Thread(target=look, name="hamload-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        # A look at work may be sending mail: it is given a moment, and no more.
        thread.join(5)


@contextmanager
def _server(current: Settings) -> Iterator[None]:
    if PREFECT_API_URL.value():
        yield
        return
    port = str(current.schedule.port)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    leash.end_left_behind(current.home / _SERVER)
    server = leash.start(command, current.home / "prefect.log", current.home / _SERVER)
    try:
        api = f"http://127.0.0.1:{port}/api"
        _wait(server, api, current)
        with temporary_settings({PREFECT_API_URL: api}):
            yield
    finally:
        leash.end(server, current.home / _SERVER)


def _wait(server: subprocess.Popen[bytes], api: str, current: Settings) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{api}/health", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass  # not up yet
        time.sleep(0.3)
    raise HamloadError(
        f"Prefect's server did not start (see {current.home / 'prefect.log'}).",
        "Is the port taken? Name another as [schedule] port in config.toml.",
    )
