"""A whole night: the steps in their order, and what failed in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hamload.errors import HamloadError
from hamload.pipeline.answers import known_athletes, unreadable
from hamload.pipeline.intake.folders import put_folder
from hamload.pipeline.noting.nights import running
from hamload.pipeline.noting.progress import silent
from hamload.pipeline.steps import (
    deliver,
    digest,
    fetch_account,
    recall_curls,
    refresh,
    report,
    tell_crash,
    tell_state,
    tell_troubles,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from hamload.pipeline.intake.fetching import Fetched
    from hamload.pipeline.noting.progress import Progress
    from hamload.pipeline.steps import Told
    from hamload.settings import Settings
    from hamload.warehouse import Failure


@dataclass(frozen=True, slots=True)
class Night:
    """What one run did: what each account gave, documents decoded, what was unreadable, what failed, what it wrote.

    `notes` are sentences about what broke nothing, such as a heartbeat that was not taken.
    """

    fetched: tuple[Fetched, ...]
    decoded: int
    unreadable: tuple[str, ...]
    failed_sources: tuple[str, ...]
    failed_checks: tuple[Failure, ...]
    digests: tuple[Told, ...]
    reports: tuple[Path, ...]
    run_id: str = ""
    notes: tuple[str, ...] = ()


def night(settings: Settings, now: dt.datetime, today: dt.date | None = None, progress: Progress = silent) -> Night:
    """Run a whole night: every source by itself, then everything that follows from the raw documents.

    One that breaks off is told to the runners before its error goes on.
    """
    try:
        with running(settings, "night", now) as run:
            found = _night(settings, now, today, progress)
            run.problems += [*found.failed_sources, *map(in_words, found.failed_checks)]
        return replace(found, run_id=run.run_id, notes=tuple(run.notes))
    except Exception as error:
        tell_crash(settings, error, now)
        deliver(settings, now)
        raise


def _night(settings: Settings, now: dt.datetime, today: dt.date | None, progress: Progress) -> Night:
    failed: list[str] = []
    names: dict[str, frozenset[str]] = {}
    for folder in settings.folders:
        try:
            put = put_folder(settings, folder, now, progress)
        except HamloadError as error:
            failed.append(str(error))
        else:
            athlete_id = settings.athlete(folder.athlete).id
            names[athlete_id] = names.get(athlete_id, frozenset()) | put.names
    fetched, lost = fetch(settings, now, progress)
    failed += lost
    for found in fetched:
        names[found.athlete_id] = names.get(found.athlete_id, frozenset()) | found.names
    decoded, failures = refresh(settings, today, progress, now)
    told = [line for athlete_id, offered in names.items() for line in unreadable(settings, athlete_id, offered)[0]]
    digests = tuple(digest(settings, athlete_id, now) for athlete_id in known_athletes(settings))
    for athlete_id in known_athletes(settings):
        tell_state(settings, athlete_id, now)
        failed += recall_curls(settings, athlete_id, now, today)
    reports, problems = tell_and_report(settings, failures, now)
    return Night(tuple(fetched), decoded, tuple(told), (*failed, *problems), tuple(failures), digests, tuple(reports))


def tell_and_report(settings: Settings, failures: Sequence[Failure], now: dt.datetime) -> tuple[list[Path], list[str]]:
    """Send what waits, then write the reports, then tell what went wrong. Returns the reports, and the problems.

    Mail waits for no report, and a report that cannot be written is told as any other trouble.
    """
    problems = deliver(settings, now)
    reports, unwritten = write_reports(settings, now)
    if tell_troubles(settings, failures, now, unwritten):
        problems += deliver(settings, now)
    told = [f"The report of {athlete_id} could not be written: {error}" for athlete_id, error in unwritten.items()]
    return reports, list(dict.fromkeys([*problems, *told]))


def write_reports(settings: Settings, now: dt.datetime) -> tuple[list[Path], dict[str, Exception]]:
    """Write every athlete's report, where the runner wants one each night, each by itself.

    Returns where they lie, and whose could not be written and why.
    """
    written: list[Path] = []
    unwritten: dict[str, Exception] = {}
    for athlete_id in known_athletes(settings) if settings.show.nightly_report else ():
        try:
            written.append(report(settings, athlete_id, now))
        except Exception as error:  # noqa: BLE001  # whatever it is, the night's own work is done, and it is told
            unwritten[athlete_id] = error
    return written, unwritten


def fetch(settings: Settings, now: dt.datetime, progress: Progress = silent) -> tuple[list[Fetched], list[str]]:
    """Fetch what is new in every account, each by itself. Returns what came, and what failed."""
    fetched: list[Fetched] = []
    failed: list[str] = []
    for account in settings.accounts:
        try:
            fetched.append(fetch_account(settings, account, now, progress))
        except HamloadError as error:
            failed.append(f"{account.service.label}: {error}")
    return fetched, failed


def told(found: Fetched) -> list[str]:
    """Return in sentences what one account gave."""
    gone = f", {found.gone} gone" if found.gone else ""
    until = f", complete until {found.covered_until}" if found.covered_until else ""
    return [f"{found.service.label}: {found.new} new{gone}{until}.", *found.notes]


def in_words(failure: Failure) -> str:
    """Return what a failed check says."""
    return f"check {failure.check} failed on {failure.rows} rows: {failure.why}"
