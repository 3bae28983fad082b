"""The nightly flow: fetch, read, decode, assess, expire, alert, publish, digest. Decorators and order only.

Retries live here and nowhere else. At most one run works in a home at a time (the home's lock).
Each source fails alone. Nothing waits for a service's limit: the run ends, and where it was deployed, a backfill goes
on at the moment that the service named.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.deployments import run_deployment
from prefect.states import Completed, Failed

from hamload import pipeline, settings
from hamload.errors import BusyError, HamloadError
from hamload.pipeline.documents import cluster
from hamload.pipeline.documents.cluster import Work
from hamload.pipeline.documents.shared import extra_missing
from hamload.redaction import discreet, install, redacted
from hamload.settings import AccountSettings, FolderSettings, Settings
from hamload.warehouse import Failure

BACKFILL = "hamload-backfill/backfill"


def _logged(step: str, done: int, total: int) -> None:
    if done >= total:
        get_run_logger().info("%s: %d of %d", step, done, total)


def _is_passing(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether to try once more: not where only the runner can mend it, nor where asking again would do harm."""
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, HamloadError) and failure.is_passing


@task(retries=2, retry_delay_seconds=5, task_run_name="read {folder.path}")
@discreet
def read_folder(current: Settings, folder: FolderSettings, now: dt.datetime) -> str:
    """Keep what is new in one watched folder; the second and third attempt cover a disk that wakes slowly."""
    put = pipeline.put_folder(current, folder, now, _logged)
    return f"{folder.path}: {put.new} new, {put.known} known, {len(put.refused)} refused"


@task(retries=1, retry_delay_seconds=30, retry_condition_fn=_is_passing, task_run_name="fetch {account.service}")
@discreet
def fetch(current: Settings, account: AccountSettings, now: dt.datetime) -> dt.datetime | None:
    """Keep what is new in one account. Returns when to go on, where a limit ended it."""
    found = pipeline.fetch_account(current, account, now)
    for line in pipeline.told(found):
        get_run_logger().info(line)
    return found.resumes_at


@task(task_run_name="decode")
@discreet
def decode(current: Settings) -> int:
    """Decode the documents that are new."""
    return pipeline.decode(current, _logged)


carry_out = task(task_run_name="read {work.name}")(cluster.carry_out)


class _Tasks:
    """The Dask task runner of the flow that runs: each batch becomes a task run on the cluster."""

    def __init__(self, address: str) -> None:
        self.address = address

    def submit(self, work: Work, /) -> Any:
        self.slots()
        return carry_out.submit(work)

    def slots(self) -> int:
        runner: Any = getattr(FlowRunContext.get(), "task_runner", None)
        try:
            # The first call connects.
            client = runner.client
        except (OSError, TimeoutError, ValueError) as error:
            raise cluster.unreachable(self.address, error) from error
        return sum(client.nthreads().values())


@flow(name="hamload-decode", retries=0, validate_parameters=False)
@discreet
def decode_as_tasks(home: Path) -> int:
    """Decode the documents that are new, each batch as a task of the runner that this flow is given."""
    current = settings.load(Path(home))
    return pipeline.decode(current, _logged, _Tasks(current.imports.cluster))


def decode_on_cluster(current: Settings) -> int:
    """Decode the documents that are new on the cluster that the settings name. Its batches are runs of their own."""
    try:
        import cloudpickle  # noqa: PLC0415  # only who has a cluster need have it
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415
    except ImportError as error:
        raise extra_missing(error) from error
    # This file may have been loaded by its path, under a name that no worker can import.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    imports = current.imports
    runner: Any = DaskTaskRunner(address=imports.cluster, client_kwargs={"timeout": imports.cluster_wait_s})
    return decode_as_tasks.with_options(task_runner=runner)(current.home)


@task(task_run_name="assess")
@discreet
def assess(current: Settings, today: dt.date | None) -> None:
    """Give every run its load, parts and labels."""
    pipeline.assess(current, today, _logged)


@task(task_run_name="expire")
@discreet
def expire(current: Settings, now: dt.datetime, today: dt.date | None) -> int:
    """Replace what may not be kept any longer by records of its sessions."""
    return pipeline.expire(current, now, today)


@task(task_run_name="alert and publish")
@discreet
def alert(current: Settings, today: dt.date | None, now: dt.datetime) -> list[Failure]:
    """Compute the daily series and states, build and check the tables, publish them with the curls' calendar."""
    failures = pipeline.alert(current)
    pipeline.publish(current)
    pipeline.write_calendars(current, now, today)
    return failures


@task(task_run_name="digest of {athlete_id}")
@discreet
def digest(current: Settings, athlete_id: str) -> str:
    """Write one athlete's digest, and show it on the run page."""
    entry = pipeline.digest(current, athlete_id)
    create_markdown_artifact(entry.markdown, key=f"digest-{athlete_id}".lower().replace("_", "-"))
    return entry.subject


@task(task_run_name="deliver and report")
@discreet
def deliver(current: Settings, failures: list[Failure], now: dt.datetime) -> list[str]:
    """Send what each runner is due and what waits in the outbox, and write the reports. Returns what went wrong."""
    for athlete_id in pipeline.known_athletes(current):
        pipeline.tell_state(current, athlete_id, now)
    reports, problems = pipeline.tell_and_report(current, failures, now)
    for path in reports:
        get_run_logger().info("report: %s", path)
    return problems


@contextmanager
def told_if_broken(current: Settings, now: dt.datetime) -> Iterator[None]:
    """Let a night that breaks off reach the runner as a message; the failure goes on to Prefect."""
    try:
        yield
    except BusyError:
        raise
    except Exception as error:
        pipeline.tell_crash(current, error, now)
        pipeline.deliver(current, now)
        raise


@contextmanager
def begun(current: Settings, kind: Literal["night", "backfill"], now: dt.datetime) -> Iterator[pipeline.Run]:
    """Hold the home for one run, under the id that Prefect has given it; nothing it logs or raises holds a secret."""
    install()
    with pipeline.exclusive(current), pipeline.running(current, kind, now, runtime.flow_run.id or "") as run:
        yield run


def fetch_all(current: Settings, accounts: tuple[AccountSettings, ...], now: dt.datetime) -> list[str]:
    """Fetch from each account by itself. Returns what failed; what has to wait goes on by itself where it can."""
    problems: list[str] = []
    waiting: list[dt.datetime] = []
    for account in accounts:
        try:
            if (resumes_at := fetch(current, account, now)) is not None:
                waiting.append(resumes_at)
        except HamloadError as error:
            problems.append(f"{account.service.label}: {error}")
    if waiting and runtime.deployment.id is not None:
        at = min(waiting)
        parameters = {"home": str(current.home)}
        run_deployment(
            BACKFILL,
            parameters=parameters,
            scheduled_time=at,
            timeout=0,
            as_subflow=False,
            idempotency_key=f"{current.home} {at:%Y-%m-%dT%H:%M}",
        )
        get_run_logger().info("the rest follows at %s", f"{at:%Y-%m-%d %H:%M} UTC")
    return problems


def bring_up_to_date(current: Settings, now: dt.datetime, today: dt.date | None) -> list[Failure]:
    """Make everything that follows from the raw documents. Returns the checks that failed."""
    (decode_on_cluster if current.imports.cluster else decode)(current)
    assess(current, today)
    expire(current, now, today)
    return alert(current, today, now)


def ended(subjects: list[str], problems: list[str], notes: Sequence[str] = ()) -> State[str]:
    """Return how a run ended, with what there is to tell; notes are told, and make no failure of it."""
    for problem in (*problems, *notes):
        get_run_logger().warning(problem)
    message = redacted("; ".join([*subjects, *problems])) or "nothing to tell yet: no recordings"
    return Failed(message=message) if problems else Completed(message=message)


@flow(name="hamload-nightly", retries=0, validate_parameters=False)
@discreet
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
    current = settings.load(Path(home) if home else None)
    now = now or dt.datetime.now(tz=dt.UTC)
    with told_if_broken(current, now), begun(current, "night", now) as run:
        problems = run.problems
        for folder in current.folders:
            try:
                logger.info(read_folder(current, folder, now))
            except HamloadError as error:
                problems.append(str(error))
        problems += fetch_all(current, current.accounts, now)
        failures = bring_up_to_date(current, now, today)
        subjects = [digest(current, athlete_id) for athlete_id in pipeline.known_athletes(current)]
        problems += [*map(pipeline.in_words, failures), *deliver(current, failures, now)]
    return ended(subjects, problems, run.notes)


@flow(name="hamload-backfill", retries=0, validate_parameters=False)
@discreet
def backfill(home: Path | None = None, now: dt.datetime | None = None, today: dt.date | None = None) -> State[str]:
    """Go on where a service's limit ended the last run, and bring the tables up to date; writes no digest."""
    current = settings.load(Path(home) if home else None)
    now = now or dt.datetime.now(tz=dt.UTC)
    with told_if_broken(current, now), begun(current, "backfill", now) as run:
        problems = run.problems
        waiting = pipeline.waiting_accounts(current, now)
        problems += fetch_all(current, waiting, now)
        failures = bring_up_to_date(current, now, today) if waiting else []
        problems += [*map(pipeline.in_words, failures), *deliver(current, failures, now)]
    return ended([f"{account.service.label} asked again" for account in waiting], problems)


@flow(name="hamload-weekly", retries=0, validate_parameters=False)
@discreet
def weekly(home: Path | None = None) -> State[str]:
    """Write every athlete's digest of the week, from what the last night has published."""
    current = settings.load(Path(home) if home else None)
    return ended([digest(current, athlete_id) for athlete_id in pipeline.known_athletes(current)], [])
