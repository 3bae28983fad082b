"""The schedule: the night, the week's digest and what goes on after a limit, kept running on this machine."""

from __future__ import annotations

import subprocess
import sys
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

from hamload import settings
from hamload.errors import HamloadError
from hamload.settings import Settings

#: The first start migrates its database.
_STARTS_WITHIN_S = 180


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
    current = settings.load(home)
    with _server(current):
        serve(*deployments(current, flows), limit=1)


@contextmanager
def _server(current: Settings) -> Iterator[None]:
    if PREFECT_API_URL.value():
        yield
        return
    port = str(current.schedule.port)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    with (current.home / "prefect.log").open("ab") as log:
        # A terminal's Ctrl-C must reach the server only through us, once the last run has ended.
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # this interpreter, these words
    try:
        api = f"http://127.0.0.1:{port}/api"
        _wait(server, api, current)
        with temporary_settings({PREFECT_API_URL: api}):
            yield
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


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
