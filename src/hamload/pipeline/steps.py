"""The steps by themselves: each reads what the one before it left in the home, and can be run again without harm."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload import warehouse
from hamload.errors import HamloadError, WarehouseError
from hamload.pipeline.answers import known_athletes, overview
from hamload.pipeline.noting.nights import stepped
from hamload.pipeline.noting.progress import silent
from hamload.settings import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from hamload.pipeline.documents.cluster import Executor
    from hamload.pipeline.guarding.watching import Watched
    from hamload.pipeline.intake.fetching import Fetched
    from hamload.pipeline.intake.putting import Arriving
    from hamload.pipeline.noting.progress import Progress
    from hamload.raw import Raw
    from hamload.settings import AccountSettings, Settings
    from hamload.warehouse import Failure


@dataclass(frozen=True, slots=True)
class Told:
    """One digest: its subject, its text for a run page, and where it lies."""

    subject: str
    markdown: str
    text_path: Path
    html_path: Path


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


def decode(
    settings: Settings,
    progress: Progress = silent,
    executor: Executor | None = None,
    arriving: Arriving | None = None,
) -> int:
    """Decode the documents that are new, those that are still `arriving` while they do. Returns how many.

    `executor` takes them to the cluster, where one is set.
    """
    with _all_put(arriving), _opened(settings) as (con, raw):
        return _decode(arriving, con, raw, settings, progress, executor)


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
def _all_put(arriving: Arriving | None) -> Iterator[None]:
    """See to it that all is kept that is still arriving, whatever else goes wrong; not where somebody ends the run."""
    if arriving is None:
        yield
        return
    try:
        yield
    except Exception as error:
        try:
            for _ in arriving:
                pass
        except HamloadError as another:
            error.add_note(f"Not all could be kept either: {another}")
        raise
    finally:
        arriving.close()


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Raw]]:
    from hamload.raw import Raw

    with Raw(settings.home) as raw, warehouse.writer(settings.home, shipped("sql")) as con:
        yield con, raw


def _counts(decoded: int, arriving: Arriving | None, *_: object) -> dict[str, int]:
    """Return what the log is told of decoding, and of what was put meanwhile."""
    from hamload.pipeline.intake.putting import counts_of

    return {"documents": decoded} | (counts_of(arriving.put) if arriving is not None else {})


@stepped("decode", _counts)
def _decode(
    arriving: Arriving | None,
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    settings: Settings,
    progress: Progress,
    executor: Executor | None = None,
) -> int:
    from hamload.pipeline.documents import decoding

    return warehouse.sparingly(con, lambda: decoding.decode_new(con, raw, settings, progress, executor, arriving or ()))


@stepped("assess", lambda _, con, *__: {"sessions": _count(con, "landing.sessions")})
def _assess(
    con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, today: dt.date | None, progress: Progress
) -> None:
    from hamload.pipeline.joining import gathering, unchanged
    from hamload.pipeline.loads import assessing, courses, reported

    reported.write_reports(con, raw, settings, today)
    reported.write_journal(con, raw)
    if not unchanged.stands(con, "gather", unchanged.gathered(con, settings, today)):
        unchanged.note(con, "gather", "")
        gathering.write_sessions(con, settings, today)
        unchanged.note(con, "gather", unchanged.gathered(con, settings, today))

    def measure() -> None:
        assessing.write_loads(con, settings, today, progress)
        courses.write_courses(con, settings.model, progress)

    warehouse.sparingly(con, measure)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    ((count,),) = con.execute(f"select count(*) from {table}").fetchall()  # noqa: S608  # a table of ours
    return int(count)


@stepped("expire", lambda expired, *_: {"documents": expired})
def _expire(
    con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, now: dt.datetime, today: dt.date | None
) -> int:
    from hamload.pipeline.documents import decoding
    from hamload.pipeline.loads import freezing

    raw.sweep()
    expired = freezing.freeze_due(con, raw, settings, now, before=lambda: warehouse.order_compact(settings.home))
    if expired:
        decoding.decode_new(con, raw, settings)
        _assess(con, raw, settings, today, silent)
    return expired


@stepped("alert", lambda failed, con, *_: {"failed_checks": len(failed), "days": _count(con, "marts.alerts")})
def _alert(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Failure]:
    import hamload
    from hamload.pipeline.counsel import advising

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
    warehouse.sign(con, sql, hamload.__version__, settings.of_tables())
    return warehouse.check(con, sql)


@stepped("publish")
def publish(settings: Settings) -> Path:
    """Replace the copy that readers open."""
    return warehouse.publish(settings.home)


@stepped("write calendars", lambda written, *_, **__: {"files": len(written)})
def write_calendars(settings: Settings, now: dt.datetime, today: dt.date | None = None) -> list[Path]:
    """Bring the calendar file of every athlete's curls up to date with the published tables."""
    from hamload.pipeline.counsel import curling

    return [
        curling.write_calendar(settings, athlete_id, today or settings.today(athlete_id), now)
        for athlete_id in known_athletes(settings)
    ]


@stepped("digest")
def digest(settings: Settings, athlete_id: str = "", now: dt.datetime | None = None) -> Told:
    """Write one athlete's digest to the outbox, and note in the journal what it tells of which day."""
    from hamload.digest.outbox import write
    from hamload.digest.render import mail_subject, render_markdown
    from hamload.pipeline.counsel import withholding
    from hamload.pipeline.showing import mailing, recalling

    facts = overview(settings, athlete_id, now=now)
    entry = write(settings.home / "outbox", facts, mailing.pictures_within(settings, facts))
    if withholding.is_outdated(settings, facts.alert):
        return digest(settings, athlete_id, now)
    recalling.note_told(settings, facts.alert.athlete_id, now or dt.datetime.now(tz=dt.UTC))
    return Told(mail_subject(facts), render_markdown(facts), entry.text_path, entry.html_path)


@stepped("report")
def report(settings: Settings, athlete_id: str, now: dt.datetime) -> Path:
    """Write one athlete's report: a page in the home that holds everything and loads nothing."""
    from hamload.pipeline.showing import reporting

    return reporting.write_report(settings, settings.athlete(athlete_id).id, now)


@stepped(
    lambda _, account, *__, **___: f"fetch {account.service}",
    lambda found, *_, **__: {"new": found.new, "known": found.known, "gone": found.gone},
)
def fetch_account(
    settings: Settings, account: AccountSettings, now: dt.datetime, progress: Progress = silent
) -> Fetched:
    """Fetch what is new in one account, and record how that ended."""
    from hamload.pipeline.intake import fetching

    return fetching.fetch_account(settings, account, now, progress)


def tell_state(settings: Settings, athlete_id: str, now: dt.datetime, *, at_once: bool = False) -> bool:
    """Put an athlete's digest into the outbox where it is due: weekly, or as the state has worsened."""
    from hamload.pipeline.showing import mailing

    return mailing.tell_state(settings, settings.athlete(athlete_id).id, now, at_once=at_once)


def tell_troubles(
    settings: Settings, failures: Sequence[Failure], now: dt.datetime, unwritten: Mapping[str, Exception] | None = None
) -> int:
    """Put a message into the outbox for each thing that has begun to go wrong. Returns how many are new.

    `unwritten` are the athletes whose report could not be written, and why.
    """
    from hamload.pipeline.guarding import troubles

    return troubles.tell_troubles(settings, failures, now, unwritten or {})


def tell_crash(settings: Settings, error: BaseException, now: dt.datetime) -> int:
    """Put a message into the outbox about a night that broke off. Returns how many are new."""
    from hamload.pipeline.guarding import troubles

    return troubles.tell_crash(settings, error, now)


@stepped("deliver", lambda problems, *_: {"problems": len(problems)})
def deliver(settings: Settings, now: dt.datetime) -> list[str]:
    """Send what waits in the outbox. Returns what went wrong with that."""
    from hamload import post
    from hamload.pipeline.showing import withdrawing

    left = [line for athlete in settings.athletes for line in withdrawing.withdraw_mail(settings, athlete.id)]
    return [*left, *post.deliver(settings, now).problems]


def watch(settings: Settings, now: dt.datetime) -> Watched:
    """Look whether nights happen, and tell every runner where none has run to its end for too long. Needs no lock."""
    from hamload.pipeline.guarding import watching

    return watching.watch(settings, now)


def recall_curls(settings: Settings, athlete_id: str, now: dt.datetime, today: dt.date | None = None) -> list[str]:
    """Delete on the watch the curls that hold no longer. Returns in sentences what could not be deleted."""
    from hamload.pipeline.counsel import curling

    athlete_id = settings.athlete(athlete_id).id
    return curling.recall_from_garmin(settings, athlete_id, today or settings.today(athlete_id), now)


def withdraw(settings: Settings, athlete_id: str, now: dt.datetime) -> list[str]:
    """Take back a runner's advice where a red flag is open, built or not. Returns what could not be taken back."""
    from hamload.pipeline.showing import withdrawing

    return withdrawing.withdraw(settings, settings.athlete(athlete_id).id, now)


def refresh(
    settings: Settings,
    today: dt.date | None = None,
    progress: Progress = silent,
    now: dt.datetime | None = None,
    arriving: Arriving | None = None,
) -> tuple[int, list[Failure]]:
    """Bring every table up to date with the raw documents, those that are still `arriving` among them.

    Returns how many were decoded, and what checks failed.
    """
    with _all_put(arriving), _opened(settings) as (con, raw):
        decoded = _decode(arriving, con, raw, settings, progress)
        _assess(con, raw, settings, today, progress)
        _expire(con, raw, settings, now or dt.datetime.now(tz=dt.UTC), today)
        failures = _alert(con, settings)
    warehouse.compact_due(settings.home)
    publish(settings)
    write_calendars(settings, now or dt.datetime.now(tz=dt.UTC), today)
    return decoded, failures


def rebuild(
    settings: Settings, today: dt.date | None = None, progress: Progress = silent, now: dt.datetime | None = None
) -> tuple[int, list[Failure]]:
    """Throw away everything derived and build it anew from the raw documents."""
    if not (settings.home / "raw").is_dir():
        raise WarehouseError(f"There are no raw documents in {settings.home}.", "Run: hamload import PATH.")
    warehouse.forget_derived(settings.home)
    return refresh(settings, today, progress, now)
