"""Every raw document against its name, every ledger's integrity, every check, each row built anew. Reads only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from hamload import raw, settings, versions, warehouse
from hamload.doctor import anew, place
from hamload.doctor.finding import Level, note, ok, wrong
from hamload.errors import HamloadError
from hamload.pipeline.counsel import advising
from hamload.settings import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hamload.doctor.finding import Finding

type Progress = Callable[[str, int, int], None]


def verify(
    home: Path, progress: Progress = lambda _step, _done, _total: None, *, is_anew: bool = True
) -> Iterator[Finding]:
    """Read everything that the home holds, and yield what was found. Asks nobody, writes nothing there.

    `is_anew` builds every table anew beside the home and compares each row: that takes as long as a rebuild.
    """
    ledger = home / "raw" / raw.LEDGER
    if not home.is_dir():
        yield place.home(home)
        return
    if not _is_begun(ledger):
        if any((home / "raw").glob("??/*")):
            yield wrong("documents", f"There are documents, and no ledger {ledger}.", "restore it from your backup")
        elif (home / warehouse.PUBLISHED).is_file():
            yield wrong("documents", f"There are tables, and no ledger {ledger}.", "restore raw/ from your backup")
        else:
            yield note("documents", "There are no raw documents here yet.", "hamload import PATH")
        return
    for path in (ledger, home / "outbox" / "post.db"):
        if path.is_file():
            yield _integrity(path)
    findings = []
    for finding in (*_documents(home, progress), *_tables(home)):
        findings.append(finding)
        yield finding
    if is_anew:
        yield from _rows(home, findings, progress)


def _rows(home: Path, findings: list[Finding], progress: Progress) -> Iterator[Finding]:
    if any(finding.level is Level.WRONG for finding in findings):
        yield note("rows", "They were not compared with tables built anew: first mend what is wrong above.")
    elif not any(finding.name == "rows" for finding in findings):
        yield from anew.compared(home, progress)


def _is_begun(ledger: Path) -> bool:
    """Return whether there is a ledger: a run that was killed at its very first leaves a file without a table."""
    if not ledger.is_file():
        return False
    try:
        with closing(versions.read_only(ledger)) as db:
            return db.execute("select 1 from sqlite_master").fetchone() is not None
    except sqlite3.Error:
        return True  # damaged: what is looked at next says so


def _integrity(path: Path) -> Finding:
    try:
        with closing(versions.read_only(path)) as db:
            ((said,), *_) = db.execute("pragma integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        return wrong(path.name, f"{path} is damaged: {said}.", "restore it from your backup")
    return ok(path.name, "whole")


def _documents(home: Path, progress: Progress) -> Iterator[Finding]:
    try:
        with closing(versions.read_only(home / "raw" / raw.LEDGER)) as db:
            listed = db.execute("select document_id, format from documents order by 1").fetchall()
    except sqlite3.Error as error:
        yield wrong("documents", f"The ledger cannot be read: {error}.", "restore raw/ from your backup")
        return
    bad = 0
    known = set()
    for count, (name, format_) in enumerate(listed, 1):
        path = raw.path_of(home / "raw", name, format_)
        known.add(path)
        try:
            raw.stored(path, name)
        except HamloadError as error:
            bad += 1
            yield wrong("documents", error.what, "restore it from your backup, or import it again")
        progress("verifying", count, len(listed))
    if not bad:
        yield ok("documents", f"all {len(listed)} match their names")
    strange = [path for path in (home / "raw").glob("??/*") if path not in known]
    if strange:
        yield note("documents", f"{len(strange)} files that the ledger does not know; the next night removes them.")


def _tables(home: Path) -> Iterator[Finding]:
    sql = shipped("sql")
    try:
        with warehouse.reader(home, sql) as con:
            failures = warehouse.check(con, sql)
            count = len(list((sql / "checks").glob("*.sql")))
            current = settings.load(home)
            is_of_today = warehouse.settings_of(con) == current.of_tables()
            strange = advising.unlike_their_inputs(con, current) if is_of_today else []
    except HamloadError as error:
        yield wrong("tables", error.what, "hamload rebuild")
        return
    for failure in failures:
        yield wrong(failure.check, f"{failure.why} Failed on {failure.rows} rows.", "hamload rebuild")
    if not is_of_today:
        yield note(
            "rows",
            "config.toml has changed since the tables were built, so that states and rows were not compared.",
            "hamload sync, and then: hamload doctor --verify",
        )
    elif strange:
        athlete_id, day = strange[0]
        yield wrong(
            "alerts",
            f"The states of {len(strange)} days do not follow from their runs, first {day} of {athlete_id}.",
            "hamload rebuild",
        )
    else:
        yield ok("alerts", "the state of every day follows from its runs")
    if not failures:
        yield ok("tables", f"all {count} checks hold: parts sum to loads, no gap in the days, one session a run, ...")
