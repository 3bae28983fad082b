"""The raw documents: what the sources gave, byte for byte, and the ledger that says when and from where.

A document is named by the SHA-256 of its content and never changes. The ledger (SQLite, `raw/ledger.db`) records each
delivery, each source's cursor and what each source has reported on; documents, rows and cursor of one batch are
committed together, files first: a crash leaves at most a file without a row, which the next put adopts. What has to go
(`expire`, `forget`) goes the other way round: its rows and the order to delete its file in one commit, then the file;
an order that a crash left is carried out at the next opening.
Everything else in the home is derived from this folder.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import sqlite3
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hamload import versions
from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_SCHEMA = """
create table if not exists documents (
    document_id text primary key,
    format text not null,
    size integer not null,
    put_at text not null
) strict;
create table if not exists deliveries (
    delivery_id integer primary key,
    document_id text not null references documents,
    athlete_id text not null,
    source text not null,
    external_id text not null,
    name text not null,
    facts text not null,
    put_at text not null,
    unique (document_id, athlete_id, source, external_id, facts)
) strict;
create table if not exists refusals (
    source text not null,
    athlete_id text not null,
    name text not null,
    reason text not null,
    put_at text not null,
    primary key (source, athlete_id, name)
) strict;
create table if not exists cursors (
    source text not null,
    athlete_id text not null,
    cursor text not null,
    put_at text not null,
    primary key (source, athlete_id)
) strict;
create table if not exists reports (
    report_id integer primary key,
    source text not null,
    athlete_id text not null,
    reported_at text not null,
    is_history integer not null,
    documents text not null,
    covered_until text,
    is_failure integer not null,
    message text not null,
    remedy text not null,
    resumes_at text,
    unique (source, athlete_id, reported_at)
) strict;
create table if not exists withdrawals (
    source text not null,
    athlete_id text not null,
    external_id text not null,
    put_at text not null,
    primary key (source, athlete_id, external_id)
) strict;
create table if not exists unlinks (
    document_id text primary key,
    format text not null
) strict;
"""


def _numbered(db: sqlite3.Connection) -> None:
    """Make the tables that are missing, and the column that reports lacked before ledgers had numbers."""
    versions.script(_SCHEMA)(db)
    columns = {row[1] for row in db.execute("pragma table_info(reports)").fetchall()}
    if "resumes_at" not in columns:
        db.execute("alter table reports add column resumes_at text")


#: How a ledger of each version becomes the next one. Only ever added to: `_SCHEMA` is the tables of version 1.
_STEPS: tuple[versions.Step, ...] = (_numbered,)
VERSION = len(_STEPS)
LEDGER = "ledger.db"

#: Text formats shrink to a tenth; FIT is already dense and is kept as it is, ready for other programs.
_COMPRESSED = frozenset({"gpx", "tcx", "json", "strava", "garmin"})
#: What follows a place in the name of something that lies in it: nothing, a path, a row or a line of a table.
_AFTER_PLACE = frozenset({"", "/", "#", ","})


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one document reached one athlete. `facts` is what the source itself says of the activity."""

    delivery_id: int
    document_id: str
    format: str
    athlete_id: str
    source: str
    external_id: str
    name: str
    facts: dict[str, Any]
    put_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that a source offered and that could not be kept, with the reason."""

    source: str
    athlete_id: str
    name: str
    reason: str
    put_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a source said when it was asked.

    `is_history`: it gave all that it has, so that days between its activities held no other one. `documents` are those
    it gave, empty for all that it ever delivered; it covers the days from the first of them to the last, or to
    `covered_until` where the source itself vouches for a later day. `message` says what went wrong, or what the runner
    should know of an answer that did not fail; nothing more may be asked before `resumes_at`.
    """

    source: str
    athlete_id: str
    reported_at: dt.datetime
    is_history: bool
    documents: tuple[str, ...] = ()
    covered_until: dt.date | None = None
    is_failure: bool = False
    message: str = ""
    remedy: str = ""
    resumes_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed of a source: its deliveries, the documents that no other source gave too, and its reports."""

    deliveries: int
    documents: int
    reports: int


def document_id(content: bytes) -> str:
    """Return the name of a document: the SHA-256 of its content, in hex."""
    return hashlib.sha256(content).hexdigest()


def stored(path: Path, name: str) -> bytes:
    """Return the content of a stored document, checked against its name. Raises HamloadError where it is damaged."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return unwrapped(content, path, name)


def unwrapped(content: bytes, path: Path, name: str) -> bytes:
    """Return the content of a stored document from the bytes of its file, checked as `stored` does."""
    try:
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    if document_id(content) != name:
        raise HamloadError(
            f"The raw document {path} is damaged: its content no longer matches its name.",
            "Restore it from a backup, or delete the file and import it again.",
        )
    return content


def _unreadable(path: Path, error: Exception) -> HamloadError:
    return HamloadError(
        f"The raw document {path} cannot be read: {error}.", "Restore it from a backup, or import it again."
    )


def path_of(folder: Path, name: str, format_: str) -> Path:
    """Return where a document of the folder `raw/` lies."""
    return folder / name[:2] / f"{name}.{format_}{'.gz' if format_ in _COMPRESSED else ''}"


class Raw:
    """The raw documents of one home. Use as a context manager."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "raw"
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(exist_ok=True)
            path = self.folder / LEDGER
            if path.is_file() and not os.access(self.folder, os.W_OK):
                # Whoever only looks at a home on a disk that only reads needs no more, and whoever writes is told.
                self._db = versions.read_only(path)
                versions.refuse_newer(versions.version(self._db), VERSION, path)
                return
            self._db = sqlite3.connect(path, isolation_level=None)
            versions.refuse_newer(versions.version(self._db), VERSION, path)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma foreign_keys = on")
            # What expires or is forgotten must not linger in free pages.
            self._db.execute("pragma secure_delete = on")
            versions.bring(self._db, path, _STEPS, home)
            self._unlink()
        except HamloadError:
            self._db.close()
            raise
        except (OSError, sqlite3.Error) as error:
            raise HamloadError(
                f"The raw documents in {self.folder} cannot be opened: {error}.",
                "Check that the folder exists on a writable disk, or name another home with --home.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def batch(self, source: str, athlete_id: str, now: dt.datetime) -> Iterator[Batch]:
        """Open a batch: what is put in it, its reports and its cursor are committed together, or not at all.

        Raises
        ------
        HamloadError
            Where the disk is full, or the folder cannot be written any more.

        """
        batch = Batch(self, source, athlete_id, now)
        try:
            self._db.execute("begin immediate")
            yield batch
            batch.sync()
            self._db.execute("commit")
            if batch.has_removed:
                versions.forget_kept(self.folder.parent)
                self._unlink()
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("rollback")
            if isinstance(error, OSError | sqlite3.Error):
                raise HamloadError(
                    f"The raw documents in {self.folder} cannot be written: {error}.",
                    "Free some space there, or mend the folder's rights; then run the same again.",
                ) from error
            raise

    def content(self, name: str, format_: str) -> bytes:
        """Return a document's bytes, checked against its name. Raises HamloadError where they do not match."""
        return stored(self.path(name, format_), name)

    def path(self, name: str, format_: str) -> Path:
        """Return where a document lies."""
        return path_of(self.folder, name, format_)

    def deliveries(
        self,
        athlete_id: str | None = None,
        *,
        format_: str | None = None,
        with_withdrawn: bool = False,
        after: int = 0,
    ) -> list[Delivery]:
        """Return every delivery, oldest first, without those whose source says that the activity is gone.

        `after` is the `delivery_id` above which they are asked for.
        """
        rows = self._rows(
            "select delivery_id, document_id, format, athlete_id, source, external_id, name, facts, d.put_at"
            " from deliveries d join documents using (document_id)"
            " where (?1 is null or athlete_id = ?1) and (?3 is null or format = ?3)"
            " and delivery_id > ?4"
            " and (?2 or not exists (select 1 from withdrawals w where w.source = d.source"
            " and w.athlete_id = d.athlete_id and w.external_id = d.external_id))"
            " order by d.put_at, delivery_id",
            (athlete_id, with_withdrawn, format_, after),
        )
        return [
            Delivery(row[0], row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7]), _moment(row[8]))
            for row in rows
        ]

    def refusals(self) -> list[Refusal]:
        """Return what was offered and not kept."""
        rows = self._rows("select source, athlete_id, name, reason, put_at from refusals order by put_at, name")
        return [Refusal(row[0], row[1], row[2], row[3], _moment(row[4])) for row in rows]

    def reports(self) -> list[Report]:
        """Return everything that sources have reported, oldest first."""
        rows = self._rows(
            "select source, athlete_id, reported_at, is_history, documents, covered_until, is_failure, message, remedy,"
            " resumes_at from reports order by reported_at, report_id"
        )
        return [
            Report(
                source=row[0],
                athlete_id=row[1],
                reported_at=_moment(row[2]),
                is_history=bool(row[3]),
                documents=tuple(json.loads(row[4])),
                covered_until=_day(row[5]),
                is_failure=bool(row[6]),
                message=row[7],
                remedy=row[8],
                resumes_at=_moment(row[9]) if row[9] else None,
            )
            for row in rows
        ]

    def cursor(self, source: str, athlete_id: str) -> dict[str, Any]:
        """Return where a source was left, empty where it never was read."""
        rows = self._rows("select cursor from cursors where source = ? and athlete_id = ?", (source, athlete_id))
        return dict(json.loads(rows[0][0])) if rows else {}

    def sources(self, athlete_id: str) -> list[str]:
        """Return the sources that have ever given, refused or reported anything for an athlete."""
        tables = ("deliveries", "refusals", "reports", "cursors")
        query = " union ".join(f"select source from {table} where athlete_id = ?1" for table in tables)  # noqa: S608
        return [row[0] for row in self._rows(f"{query} order by 1", (athlete_id,))]

    def athletes(self) -> list[str]:
        """Return everybody of whom there are documents, listed in the settings or not."""
        return [row[0] for row in self._rows("select distinct athlete_id from deliveries order by 1")]

    def _unlink(self) -> None:
        """Delete the files whose rows are gone, and what the write-ahead log still holds of them."""
        ordered = self._rows("select document_id, format from unlinks")
        if not ordered:
            return
        versions.forget_kept(self.folder.parent)
        for name, format_ in ordered:
            if not self._rows("select 1 from documents where document_id = ?", (name,)):
                self.path(name, format_).unlink(missing_ok=True)
            self._db.execute("delete from unlinks where document_id = ?", (name,))
        self._db.execute("pragma wal_checkpoint(truncate)")

    def sweep(self) -> int:
        """Delete the files that no row knows: what a kill left between a file and its row. Returns how many.

        A batch writes its files and its rows under the same lock, so that nothing under way is mistaken for a leftover.
        """
        self._db.execute("begin immediate")
        try:
            known = {self.path(row[0], row[1]) for row in self._rows("select document_id, format from documents")}
            left = [path for path in self.folder.glob("??/*") if path not in known]
            for path in left:
                path.unlink(missing_ok=True)
        finally:
            self._db.execute("rollback")
        return len(left)

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        with closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()


class Batch:
    """Documents on their way in. Only `Raw.batch` makes one."""

    def __init__(self, raw: Raw, source: str, athlete_id: str, now: dt.datetime) -> None:
        self._raw, self._source, self._athlete_id, self._now = raw, source, athlete_id, now.isoformat()
        self._unsynced: list[Path] = []
        self.has_removed = False

    def put(
        self, content: bytes, format_: str, *, name: str, external_id: str = "", facts: Mapping[str, Any] | None = None
    ) -> tuple[str, bool]:
        """Keep a document. Returns its name and whether it is new to this athlete; the same again changes nothing."""
        document = document_id(content)
        path = self._raw.path(document, format_)
        db = self._raw._db  # noqa: SLF001
        if not _is_whole(path, len(content)):
            self._write(path, content)
        db.execute(
            "insert into documents values (?, ?, ?, ?) on conflict do nothing",
            (document, format_, len(content), self._now),
        )
        if external_id:
            # What comes again is there again.
            self._own("delete from withdrawals where {own} and external_id = ?", external_id)
        is_known = db.execute(
            "select 1 from deliveries where document_id = ? and athlete_id = ?", (document, self._athlete_id)
        ).fetchone()
        db.execute(
            "insert into deliveries (document_id, athlete_id, source, external_id, name, facts, put_at)"
            " values (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            # Facts that come back after others (renamed, then named back) are the source's latest word again; so is
            # what a file of a watched folder held before, once it holds it again or another file there does.
            " on conflict do update set put_at = excluded.put_at, name = excluded.name where exists (select 1"
            " from deliveries d where d.athlete_id = ?2 and d.source = ?3 and d.external_id = ?4"
            " and (d.document_id = ?1 or (d.name = deliveries.name and ?3 like 'folder:%'))"
            " and (d.put_at, d.delivery_id) > (deliveries.put_at, deliveries.delivery_id))",
            (
                document,
                self._athlete_id,
                self._source,
                external_id,
                name,
                json.dumps(facts or {}, ensure_ascii=False, sort_keys=True),
                self._now,
            ),
        )
        return document, is_known is None

    def names(self) -> dict[str, str]:
        """Return, by document, the name under which this source delivered it last."""
        return dict(self._own("select document_id, name from deliveries where {own} order by put_at, delivery_id"))

    def rename(self, name: str, file: str, *, is_held: bool) -> None:
        """Record that a document lies, or lay, in another file of its source. `is_held`: that file holds it now."""
        self._own("update deliveries set name = ?3 where {own} and document_id = ?4", file, name)
        if is_held:
            # What lay in that file before must not pass for newer.
            self._own(
                "update deliveries set put_at = ?5 where {own} and document_id = ?4 and exists (select 1"
                " from deliveries d where d.source = ?1 and d.athlete_id = ?2 and d.name = ?3 and d.document_id <> ?4"
                " and (d.put_at, d.delivery_id) > (deliveries.put_at, deliveries.delivery_id))",
                file,
                name,
                self._now,
            )

    def refuse(self, name: str, reason: str) -> None:
        """Record that something could not be kept, and why."""
        self._raw._db.execute(  # noqa: SLF001
            "insert into refusals values (?, ?, ?, ?, ?)"
            " on conflict do update set reason = excluded.reason where reason <> excluded.reason",
            (self._source, self._athlete_id, name, reason, self._now),
        )

    def settle(self, places: Sequence[str], refused: Collection[str]) -> None:
        """Forget refusals at or under these places that were not refused again: what was wrong is mended or gone."""
        db = self._raw._db  # noqa: SLF001
        known = db.execute(
            "select name from refusals where source = ? and athlete_id = ?", (self._source, self._athlete_id)
        ).fetchall()
        for (name,) in known:
            is_here = any(name.startswith(place) and name[len(place) :][:1] in _AFTER_PLACE for place in places)
            if is_here and name not in refused:
                db.execute(
                    "delete from refusals where source = ? and athlete_id = ? and name = ?",
                    (self._source, self._athlete_id, name),
                )

    def cursor(self, cursor: Mapping[str, Any]) -> None:
        """Record where this source is to go on."""
        self._raw._db.execute(  # noqa: SLF001
            "insert into cursors values (?, ?, ?, ?)"
            " on conflict do update set cursor = excluded.cursor, put_at = excluded.put_at"
            " where cursor <> excluded.cursor",
            (self._source, self._athlete_id, json.dumps(cursor, sort_keys=True), self._now),
        )

    def withdraw(self, external_id: str) -> None:
        """Record that the source no longer has an activity: what it gave of it stays, and counts no longer."""
        self._raw._db.execute(  # noqa: SLF001
            "insert into withdrawals values (?, ?, ?, ?) on conflict do nothing",
            (self._source, self._athlete_id, external_id, self._now),
        )

    def expire(self, name: str) -> None:
        """Remove what this source gave as one document; the document itself too, where no other source gave it."""
        self._own("delete from deliveries where {own} and document_id = ?", name)
        self._remove_orphans([name])

    def forget(self) -> Forgotten:
        """Remove everything of this source."""
        db = self._raw._db  # noqa: SLF001
        names = [row[0] for row in self._own("select distinct document_id from deliveries where {own}")]
        deliveries = self._own("delete from deliveries where {own}").rowcount
        before = db.execute("select count(*) from documents").fetchone()[0]
        self._remove_orphans(names)
        documents = before - db.execute("select count(*) from documents").fetchone()[0]
        reports = self._own("delete from reports where {own}").rowcount
        for table in ("refusals", "cursors", "withdrawals"):
            self._own(f"delete from {table} where {{own}}")  # noqa: S608  # names of our own
        return Forgotten(deliveries, documents, reports)

    def _remove_orphans(self, names: Sequence[str]) -> None:
        db = self._raw._db  # noqa: SLF001
        for name in names:
            if db.execute("select 1 from deliveries where document_id = ?", (name,)).fetchone() is None:
                db.execute(
                    "insert into unlinks select document_id, format from documents where document_id = ?"
                    " on conflict do nothing",
                    (name,),
                )
                db.execute("delete from documents where document_id = ?", (name,))
        self.has_removed = True

    def _own(self, query: str, *values: object) -> sqlite3.Cursor:
        """Run a query on this source's rows of this athlete alone."""
        own = query.format(own="source = ?1 and athlete_id = ?2")
        return self._raw._db.execute(own, (self._source, self._athlete_id, *values))  # noqa: SLF001

    def report(
        self,
        *,
        is_history: bool,
        documents: Sequence[str] = (),
        covered_until: dt.date | None = None,
        failure: HamloadError | None = None,
        note: str = "",
        resumes_at: dt.datetime | None = None,
    ) -> None:
        """Record that the source was asked, and what its answer covers (see `Report`), or why it failed.

        What is reported again at the same moment adds to it: what was covered stays covered though a later page failed.
        """
        self._raw._db.execute(  # noqa: SLF001
            "insert into reports (source, athlete_id, reported_at, is_history, documents, covered_until, is_failure,"
            " message, remedy, resumes_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict do update set is_history = max(is_history, excluded.is_history),"
            " covered_until = coalesce(excluded.covered_until, covered_until), is_failure = excluded.is_failure,"
            " message = excluded.message, remedy = excluded.remedy, resumes_at = excluded.resumes_at",
            (
                self._source,
                self._athlete_id,
                self._now,
                is_history,
                json.dumps(list(documents)),
                covered_until and covered_until.isoformat(),
                failure is not None,
                failure.what if failure else note,
                failure.remedy if failure else "",
                resumes_at and resumes_at.astimezone(dt.UTC).isoformat(),
            ),
        )

    def sync(self) -> None:
        """Bring this batch's files to the disk, before the ledger says that they are there."""
        folders = set()
        for path in self._unsynced:
            _fsync(path)
            folders.add(path.parent)
        for folder in folders:
            _fsync(folder)
        self._unsynced.clear()

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
        part.replace(path)
        self._unsynced.append(path)


def _is_whole(path: Path, size: int) -> bool:
    """Return whether a document lies there, as far as its length tells: a truncated one is put again."""
    return path.exists() and (path.suffix == ".gz" or path.stat().st_size == size)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
