"""The nightly flow: read sources, decode, assess, alert, publish, digest. Decorators and order only.

Retries live here and nowhere else. At most one run works in a home at a time (the home's lock).
Each source fails alone.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from hamload import pipeline, settings
from hamload.errors import HamloadError
from hamload.settings import FolderSettings, Settings


def _logged(step: str, done: int, total: int) -> None:
    if done >= total:
        get_run_logger().info("%s: %d of %d", step, done, total)


@task(retries=2, retry_delay_seconds=5, task_run_name="read {folder.path}")
def read_folder(current: Settings, folder: FolderSettings, now: dt.datetime) -> str:
    """Keep what is new in one watched folder; the second and third attempt cover a disk that wakes slowly."""
    put = pipeline.put_folder(current, folder, now, _logged)
    return f"{folder.path}: {put.new} new, {put.known} known, {len(put.refused)} refused"


@task(task_run_name="decode")
def decode(current: Settings) -> int:
    """Decode the documents that are new."""
    return pipeline.decode(current, _logged)


@task(task_run_name="assess")
def assess(current: Settings, today: dt.date | None) -> None:
    """Give every run its load, parts and labels."""
    pipeline.assess(current, today, _logged)


@task(task_run_name="alert and publish")
def alert(current: Settings, today: dt.date | None, now: dt.datetime) -> list[str]:
    """Compute the daily series and states, build and check the tables, publish them with the curls' calendar."""
    failures = pipeline.alert(current)
    pipeline.publish(current)
    pipeline.write_calendars(current, now, today)
    return [f"check {f.check} failed on {f.rows} rows: {f.why}" for f in failures]


@task(task_run_name="digest of {athlete_id}")
def digest(current: Settings, athlete_id: str) -> str:
    """Write one athlete's digest, and show it on the run page."""
    entry = pipeline.digest(current, athlete_id)
    create_markdown_artifact(entry.markdown, key=f"digest-{athlete_id}".lower().replace("_", "-"))
    return entry.subject


@flow(name="hamload-nightly", retries=0, validate_parameters=False)
def nightly(home: Path | None = None, now: dt.datetime | None = None, today: dt.date | None = None) -> State[str]:
    """Run one night for every athlete of a home.

    Parameters
    ----------
    home
        The home; None takes HAMLOAD_HOME or the platform's default.
    now, today
        The clock, given only where time is simulated.

    """
    logger = get_run_logger()
    current = settings.load(home)
    now = now or dt.datetime.now(tz=dt.UTC)
    problems: list[str] = []
    with pipeline.exclusive(current):
        for folder in current.folders:
            try:
                logger.info(read_folder(current, folder, now))
            except HamloadError as error:
                problems.append(str(error))
        decode(current)
        assess(current, today)
        problems += alert(current, today, now)
        subjects = [digest(current, athlete_id) for athlete_id in pipeline.known_athletes(current)]
    for problem in problems:
        logger.warning(problem)
    message = "; ".join([*subjects, *problems]) or "nothing to tell yet: no recordings"
    return Failed(message=message) if problems else Completed(message=message)
