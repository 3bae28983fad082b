"""The steps of a night in order, as plain functions: what the flows and the command line both call.

    fetch, put -> decode -> assess -> expire -> alert -> publish -> digest

Each step reads what the one before it left in the home, and can be run again without harm. Hold `exclusive` around
them.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.errors import HamloadError, WarehouseError
from hamload.pipeline.nights import Run, running, stepped
from hamload.pipeline.putting import put_files, put_folder, silent, vouch
from hamload.settings import shipped

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from hamload.digest.facts import DigestFacts
    from hamload.pipeline.cluster import Executor
    from hamload.pipeline.fetching import Fetched
    from hamload.pipeline.putting import Progress
    from hamload.pipeline.watching import Watched
    from hamload.post import Standing
    from hamload.raw import Raw
    from hamload.settings import AccountSettings, Settings
    from hamload.warehouse import Failure

__all__ = [
    "Night",
    "Run",
    "Told",
    "alert",
    "alert_history",
    "assess",
    "daily_loads",
    "decode",
    "deliver",
    "digest",
    "digest_text",
    "exclusive",
    "expire",
    "fetch",
    "fetch_account",
    "in_words",
    "known_athletes",
    "monitor",
    "night",
    "other_sports",
    "overview",
    "publish",
    "put_files",
    "put_folder",
    "rebuild",
    "recall_curls",
    "refresh",
    "refuse_newer",
    "report",
    "running",
    "sessions",
    "tell_and_report",
    "tell_crash",
    "tell_state",
    "tell_troubles",
    "told",
    "undelivered",
    "undelivered_words",
    "unreadable",
    "vouch",
    "waiting_accounts",
    "watch",
    "withdraw",
    "write_calendars",
    "write_reports",
]


@dataclass(frozen=True, slots=True)
class Told:
    """One digest: its subject, its text for a run page, and where it lies."""

    subject: str
    markdown: str
    text_path: Path
    html_path: Path


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


@contextmanager
def exclusive(settings: Settings) -> Iterator[None]:
    """Hold the home for one run.

    Raises
    ------
    WarehouseError
        Where another one is at work.
    ConfigurationError
        Where a newer hamload has written the home.

    """
    with warehouse.lock(settings.home):
        refuse_newer(settings)
        yield


def refuse_newer(settings: Settings) -> None:
    """Refuse a home that a newer hamload has written, before anything is touched. Raises ConfigurationError."""
    from hamload import post, raw, versions

    ledgers = ((settings.home / "raw" / raw.LEDGER, raw.VERSION), (post.ledger_path(settings), post.VERSION))
    for path, newest in ledgers:
        versions.refuse_newer(versions.version_of(path) or 0, newest, path)


def decode(settings: Settings, progress: Progress = silent, executor: Executor | None = None) -> int:
    """Decode the documents that are new. Returns how many. `executor` takes them to the cluster, where one is set."""
    with _opened(settings) as (con, raw):
        return _decode(con, raw, settings, progress, executor)


def assess(settings: Settings, today: dt.date | None = None, progress: Progress = silent) -> None:
    """Merge activities into sessions, and give each its load, parts and labels."""
    with _opened(settings) as (con, raw):
        _assess(con, raw, settings, today, progress)


def expire(settings: Settings, now: dt.datetime, today: dt.date | None = None) -> int:
    """Replace documents that may not be kept any longer by records of their sessions. Returns how many went."""
    with _opened(settings) as (con, raw):
        expired = _expire(con, raw, settings, now, today)
    warehouse.compact_due(settings.home)
    return expired


def alert(settings: Settings) -> list[Failure]:
    """Compute the daily series, decide each day's state, build every table. Returns the checks that failed."""
    with _opened(settings) as (con, _):
        return _alert(con, settings)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Raw]]:
    from hamload.raw import Raw

    with Raw(settings.home) as raw, warehouse.writer(settings.home, shipped("sql")) as con:
        yield con, raw


@stepped("decode", lambda decoded, *_: {"documents": decoded})
def _decode(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    settings: Settings,
    progress: Progress,
    executor: Executor | None = None,
) -> int:
    from hamload.pipeline import decoding

    return decoding.decode_new(con, raw, settings, progress, executor)


@stepped("assess", lambda _, con, *__: {"sessions": _count(con, "landing.sessions")})
def _assess(
    con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, today: dt.date | None, progress: Progress
) -> None:
    from hamload.pipeline import assessing, courses, gathering, standing

    assessing.write_reports(con, raw, settings, today)
    assessing.write_journal(con, raw)
    if not standing.stands(con, "gather", standing.gathered(con, settings, today)):
        standing.note(con, "gather", "")
        gathering.write_sessions(con, settings, today)
        standing.note(con, "gather", standing.gathered(con, settings, today))
    assessing.write_loads(con, settings, today, progress)
    courses.write_courses(con, settings.model, progress)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    ((count,),) = con.execute(f"select count(*) from {table}").fetchall()  # noqa: S608  # a table of ours
    return int(count)


@stepped("expire", lambda expired, *_: {"documents": expired})
def _expire(
    con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, now: dt.datetime, today: dt.date | None
) -> int:
    from hamload.pipeline import decoding, freezing

    raw.sweep()
    expired = freezing.freeze_due(con, raw, settings, now, before=lambda: warehouse.order_compact(settings.home))
    if expired:
        decoding.decode_new(con, raw, settings)
        _assess(con, raw, settings, today, silent)
    return expired


@stepped("alert", lambda failed, con, *_: {"failed_checks": len(failed), "days": _count(con, "marts.alerts")})
def _alert(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Failure]:
    import hamload
    from hamload.pipeline import advising

    sql = shipped("sql")
    advising.write_said(con)
    warehouse.build(con, sql, ["staging"])
    advising.write_spikes(con, settings)
    advising.write_metrics(con, settings)
    advising.write_alerts(con, settings)
    con.execute("set variable first_weekday = ?", [settings.show.first_weekday])
    warehouse.build(con, sql, ["marts", "reports"])
    if not warehouse.is_described(con, sql):
        warehouse.describe(con, sql)
    warehouse.sign(con, sql, hamload.__version__)
    return warehouse.check(con, sql)


@stepped("publish")
def publish(settings: Settings) -> Path:
    """Replace the copy that readers open."""
    return warehouse.publish(settings.home)


@stepped("write calendars", lambda written, *_, **__: {"files": len(written)})
def write_calendars(settings: Settings, now: dt.datetime, today: dt.date | None = None) -> list[Path]:
    """Bring the calendar file of every athlete's curls up to date with the published tables."""
    from hamload.pipeline import curling

    return [
        curling.write_calendar(settings, athlete_id, today or settings.today(athlete_id), now)
        for athlete_id in known_athletes(settings)
    ]


def overview(
    settings: Settings, athlete_id: str = "", on: dt.date | None = None, now: dt.datetime | None = None
) -> DigestFacts:
    """Return everything there is to tell one athlete now, or was on an earlier day."""
    from hamload.digest.facts import written_on
    from hamload.pipeline import telling

    runner = settings.athlete(athlete_id).id
    with warehouse.reader(settings.home, shipped("sql")) as con:
        facts = telling.digest_facts(con, settings, runner, on)
    today = now.astimezone(settings.zone(runner)).date() if now else settings.today(runner)
    return written_on(facts, today, is_newest=on is None)


def alert_history(
    settings: Settings, athlete_id: str = "", *, every: bool = False, on: dt.date | None = None, last: int = 20
) -> list[dict[str, Any]]:
    """Return what an athlete was told, newest first: whole rows of `marts.alerts`, reasons and plan as objects.

    The newest day comes first, told or not.
    `every` adds each change of state that was not told; `on` asks for one day.
    """
    from hamload.pipeline import telling

    with warehouse.reader(settings.home) as con:
        return telling.alert_history(con, settings, settings.athlete(athlete_id).id, every=every, on=on, last=last)


def sessions(settings: Settings, athlete_id: str = "", last: int = 20) -> list[dict[str, Any]]:
    """Return an athlete's newest sessions, newest first."""
    from hamload.pipeline import telling

    with warehouse.reader(settings.home, shipped("sql")) as con:
        return telling.sessions(con, settings.athlete(athlete_id).id, last)


def other_sports(settings: Settings, athlete_id: str = "") -> int:
    """Return how many activities of other sports are kept, and never counted."""
    with warehouse.reader(settings.home, shipped("sql")) as con:
        ((count,),) = con.execute(
            "select count(*) from marts.activities"
            " where athlete_id = ? and sport not in ('run', 'treadmill', 'unknown')",
            [settings.athlete(athlete_id).id],
        ).fetchall()
    return int(count)


def unreadable(settings: Settings, athlete_id: str = "", names: Container[str] | None = None) -> tuple[list[str], int]:
    """Return what could not be counted, with the reasons, and how many documents besides are no activity at all.

    `names` asks for these documents alone, for instance those of one import.
    """
    from hamload.pipeline import telling

    with warehouse.reader(settings.home, shipped("sql")) as con:
        rows = telling.unreadable(con, settings.athlete(athlete_id).id)
    asked = [row for row in rows if names is None or row["name"] in names]
    told = [f"{row['name']}: {row['reason']}" for row in asked if not row["is_no_activity"]]
    return told, len(asked) - len(told)


def digest_text(settings: Settings, athlete_id: str = "", on: dt.date | None = None) -> str:
    """Return one athlete's digest as text, without writing it."""
    from hamload.digest.render import render_text

    return render_text(overview(settings, athlete_id, on))


@stepped("digest")
def digest(settings: Settings, athlete_id: str = "", now: dt.datetime | None = None) -> Told:
    """Write one athlete's digest to the outbox, and note in the journal what it tells of which day."""
    import datetime as dt

    from hamload.digest.outbox import write
    from hamload.digest.render import mail_subject, render_markdown
    from hamload.pipeline import mailing, recalling, withholding

    facts = overview(settings, athlete_id, now=now)
    entry = write(settings.home / "outbox", facts, mailing.pictures_within(settings, facts))
    if withholding.is_outdated(settings, facts.alert):
        return digest(settings, athlete_id, now)
    recalling.note_told(settings, facts.alert.athlete_id, now or dt.datetime.now(tz=dt.UTC))
    return Told(mail_subject(facts), render_markdown(facts), entry.text_path, entry.html_path)


@stepped("report")
def report(settings: Settings, athlete_id: str, now: dt.datetime) -> Path:
    """Write one athlete's report: a page in the home that holds everything and loads nothing."""
    from hamload.pipeline import reporting

    return reporting.write_report(settings, settings.athlete(athlete_id).id, now)


def refresh(
    settings: Settings, today: dt.date | None = None, progress: Progress = silent, now: dt.datetime | None = None
) -> tuple[int, list[Failure]]:
    """Bring every table up to date with the raw documents. Returns how many were decoded, and what checks failed."""
    with _opened(settings) as (con, raw):
        decoded = _decode(con, raw, settings, progress)
        _assess(con, raw, settings, today, progress)
        _expire(con, raw, settings, now or dt.datetime.now(tz=dt.UTC), today)
        failures = _alert(con, settings)
    warehouse.compact_due(settings.home)
    publish(settings)
    write_calendars(settings, now or dt.datetime.now(tz=dt.UTC), today)
    return decoded, failures


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


def in_words(failure: Failure) -> str:
    """Return what a failed check says."""
    return f"check {failure.check} failed on {failure.rows} rows: {failure.why}"


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


@stepped(
    lambda _, account, *__, **___: f"fetch {account.service}",
    lambda found, *_, **__: {"new": found.new, "known": found.known, "gone": found.gone},
)
def fetch_account(
    settings: Settings, account: AccountSettings, now: dt.datetime, progress: Progress = silent
) -> Fetched:
    """Fetch what is new in one account, and record how that ended."""
    from hamload.pipeline import fetching

    return fetching.fetch_account(settings, account, now, progress)


def told(found: Fetched) -> list[str]:
    """Return in sentences what one account gave."""
    gone = f", {found.gone} gone" if found.gone else ""
    until = f", complete until {found.covered_until}" if found.covered_until else ""
    return [f"{found.service.label}: {found.new} new{gone}{until}.", *found.notes]


def waiting_accounts(settings: Settings, now: dt.datetime) -> tuple[AccountSettings, ...]:
    """Return the accounts that a limit ended, and that may be asked again by now."""
    from hamload.raw import Raw

    with Raw(settings.home) as raw:
        last = {(report.source, report.athlete_id): report for report in raw.reports()}
    reports = ((account, last.get((account.service.value, account.athlete))) for account in settings.accounts)
    return tuple(account for account, report in reports if report and report.resumes_at and report.resumes_at <= now)


def tell_state(settings: Settings, athlete_id: str, now: dt.datetime, *, at_once: bool = False) -> bool:
    """Put an athlete's digest into the outbox where it is due: weekly, or as the state has worsened."""
    from hamload.pipeline import mailing

    return mailing.tell_state(settings, settings.athlete(athlete_id).id, now, at_once=at_once)


def undelivered(settings: Settings, athlete_id: str = "") -> list[Standing]:
    """Return the messages that have not, or not surely, reached an athlete."""
    from hamload import post

    return post.standing(settings, settings.athlete(athlete_id).id)


def undelivered_words(settings: Settings, athlete_id: str = "") -> list[str]:
    """Return a sentence for each thing that keeps messages from an athlete."""
    from hamload import post

    return post.in_words(settings, undelivered(settings, athlete_id))


def daily_loads(settings: Settings, athlete_id: str, last: dt.date, days: int) -> list[float | None]:
    """Return the load of each of the last days, oldest first; None is unknown."""
    with warehouse.reader(settings.home) as con:
        rows = con.execute(
            "select load_efm from marts.daily_load where athlete_id = ? and series = 'total' and date <= ?"
            " order by date desc limit ?",
            [athlete_id, last, days],
        ).fetchall()
    return [load for (load,) in reversed(rows)]


def tell_troubles(
    settings: Settings, failures: Sequence[Failure], now: dt.datetime, unwritten: Mapping[str, Exception] | None = None
) -> int:
    """Put a message into the outbox for each thing that has begun to go wrong. Returns how many are new.

    `unwritten` are the athletes whose report could not be written, and why.
    """
    from hamload.pipeline import troubles

    return troubles.tell_troubles(settings, failures, now, unwritten or {})


def tell_crash(settings: Settings, error: BaseException, now: dt.datetime) -> int:
    """Put a message into the outbox about a night that broke off. Returns how many are new."""
    from hamload.pipeline import troubles

    return troubles.tell_crash(settings, error, now)


@stepped("deliver", lambda problems, *_: {"problems": len(problems)})
def deliver(settings: Settings, now: dt.datetime) -> list[str]:
    """Send what waits in the outbox. Returns what went wrong with that."""
    from hamload import post
    from hamload.pipeline import withdrawing

    left = [line for athlete in settings.athletes for line in withdrawing.withdraw_mail(settings, athlete.id)]
    return [*left, *post.deliver(settings, now).problems]


def monitor(settings: Settings, athlete_id: str, now: dt.datetime) -> dict[str, Any]:
    """Return what a monitor wants to know of an athlete's home, as it stands in JSON."""
    from hamload.pipeline import monitoring

    return monitoring.monitor(settings, settings.athlete(athlete_id).id, now).model_dump(mode="json", by_alias=True)


def watch(settings: Settings, now: dt.datetime) -> Watched:
    """Look whether nights happen, and tell every runner where none has run to its end for too long. Needs no lock."""
    from hamload.pipeline import watching

    return watching.watch(settings, now)


def recall_curls(settings: Settings, athlete_id: str, now: dt.datetime, today: dt.date | None = None) -> list[str]:
    """Delete on the watch the curls that hold no longer. Returns in sentences what could not be deleted."""
    from hamload.pipeline import curling

    athlete_id = settings.athlete(athlete_id).id
    return curling.recall_from_garmin(settings, athlete_id, today or settings.today(athlete_id), now)


def withdraw(settings: Settings, athlete_id: str, now: dt.datetime) -> list[str]:
    """Take back a runner's advice where a red flag is open, built or not. Returns what could not be taken back."""
    from hamload.pipeline import withdrawing

    return withdrawing.withdraw(settings, settings.athlete(athlete_id).id, now)


def known_athletes(settings: Settings) -> list[str]:
    """Return the athletes of this home who have a history."""
    with warehouse.reader(settings.home, shipped("sql")) as con:
        known = {row[0] for row in con.execute("select distinct athlete_id from marts.alerts").fetchall()}
    return [a.id for a in settings.athletes if a.id in known]


def rebuild(settings: Settings, today: dt.date | None = None, progress: Progress = silent) -> tuple[int, list[Failure]]:
    """Throw away everything derived and build it anew from the raw documents."""
    if not (settings.home / "raw").is_dir():
        raise WarehouseError(f"There are no raw documents in {settings.home}.", "Run: hamload import PATH.")
    warehouse.forget_derived(settings.home)
    return refresh(settings, today, progress)
