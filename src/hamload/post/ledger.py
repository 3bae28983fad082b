"""The outbox's ledger (SQLite, `outbox/post.db`): which messages there are, and how far each has come on each way.

A message has one row for itself and one for each way it is to go: "mail", and "push:…" for each push address. States:

    waiting -> sending -> sent
                       -> unsure      whoever was sending died or lost the line: it may have arrived
    waiting -> dropped                superseded by a newer one, or its way was switched off

Every change is committed to the disk before the next step. Only `sending` bridges something that cannot be undone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from hamload import versions
from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MAIL = "mail"
#: Kinds that say how things stand: the newest stands for those before it.
_NEWS = frozenset({"digest", "alert"})
NAME = "post.db"
_SCHEMA = """
create table if not exists home (salt text not null) strict;
create table if not exists messages (
    message_id text primary key,
    athlete_id text not null,
    key text not null,
    kind text not null,
    subject text not null,
    content blob,                 -- the composed message; null once every way is done with it
    put_at text not null,
    told_in text,                 -- the notice that says that this one is unsure
    unique (athlete_id, key)
) strict;
create table if not exists deliveries (
    message_id text not null references messages,
    way text not null,
    state text not null check (state in ('waiting', 'sending', 'sent', 'unsure', 'dropped')),
    attempts integer not null default 0,
    tried_at text,
    error text not null default '',
    primary key (message_id, way)
) strict;
"""
#: How a ledger of each version becomes the next one. Only ever added to.
_STEPS: tuple[versions.Step, ...] = (versions.script(_SCHEMA),)
VERSION = len(_STEPS)


@dataclass(frozen=True, slots=True)
class Standing:
    """One message on one way that has not, or not surely, reached the runner."""

    message_id: str
    athlete_id: str
    key: str
    kind: str
    subject: str
    way: str
    state: str
    put_at: dt.datetime
    attempts: int
    tried_at: dt.datetime | None
    error: str


class Ledger:
    """The ledger of one outbox. Use as a context manager. Raises HamloadError where it cannot be read or written."""

    def __init__(self, outbox: Path) -> None:
        try:
            outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The owner's alone from its first moment on: it holds words about somebody's health.
            os.close(os.open(outbox / NAME, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            if not self.is_there(outbox):
                raise _unopened(outbox, error) from error
            # A home on a disk that only reads: whoever only looks needs no more, and whoever writes is told.
            self._db = versions.read_only(outbox / NAME)
            versions.refuse_newer(versions.version(self._db), VERSION, outbox / NAME)
            return
        try:
            self._db = sqlite3.connect(outbox / NAME, isolation_level=None, timeout=30)
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma secure_delete = on")
            versions.bring(self._db, outbox / NAME, _STEPS, outbox.parent)
            self._db.execute(
                "insert into home select ? where not exists (select 1 from home)", (secrets.token_hex(16),)
            )
        except HamloadError:
            self._db.close()
            raise
        except (OSError, sqlite3.Error) as error:
            raise _unopened(outbox, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @staticmethod
    def is_there(outbox: Path) -> bool:
        """Return whether anything was ever put into this outbox."""
        return (outbox / NAME).is_file()

    def message_id(self, athlete_id: str, key: str, domain: str) -> str:
        """Return the Message-ID that this key has for good: the same message always carries the same one."""
        ((salt,),) = self._rows("select salt from home")
        name = hashlib.sha256(f"{salt}\0{athlete_id}\0{key}".encode()).hexdigest()[:32]
        return f"<{name}@{domain}>"

    def is_known(self, athlete_id: str, key: str) -> bool:
        """Return whether a message of this key was put before, whatever became of it."""
        return bool(self._rows("select 1 from messages where athlete_id = ? and key = ?", (athlete_id, key)))

    def keys(self, athlete_id: str, opening: str) -> list[str]:
        """Return the known keys with this opening, in the order of the alphabet."""
        rows = self._rows(
            "select key from messages where athlete_id = ?1 and substr(key, 1, length(?2)) = ?2 order by key",
            (athlete_id, opening),
        )
        return [str(key) for (key,) in rows]

    def put(  # noqa: PLR0913, PLR0917  # a row's columns
        self,
        message_id: str,
        athlete_id: str,
        key: str,
        kind: str,
        subject: str,
        content: bytes,
        put_at: dt.datetime,
        ways: Sequence[str],
        about: Sequence[str] = (),
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """Put a message to go on each of the ways. Returns False, and changes nothing, where its key is known.

        `about` are the messages that it says are unsure; `also` are other keys that it tells of, with their message
        ids. All of it is one step: whoever is killed has put everything or nothing.
        """
        with self._transaction():
            row = (message_id, athlete_id, key, kind, subject, content, _text(put_at))
            is_new = self._db.execute(
                "insert into messages (message_id, athlete_id, key, kind, subject, content, put_at)"
                " values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
                row,
            ).rowcount
            if is_new:
                self._db.executemany(
                    "insert into deliveries (message_id, way, state) values (?, ?, 'waiting')",
                    [(message_id, way) for way in ways],
                )
                self._db.executemany(
                    "update messages set told_in = ? where message_id = ?", [(message_id, other) for other in about]
                )
                self._db.executemany(
                    "insert into messages (message_id, athlete_id, key, kind, subject, put_at)"
                    " values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                    [(other_id, athlete_id, other, kind, subject, _text(put_at)) for other, other_id in also.items()],
                )
                if kind in _NEWS:
                    self._drop_superseded(athlete_id, message_id)
        return bool(is_new)

    def _drop_superseded(self, athlete_id: str, message_id: str) -> None:
        """Let a digest or an alert stand for older ones that nobody ever tried to send, on the ways that it goes."""
        self._db.execute(
            "update deliveries set state = 'dropped', error = 'newer news stands for it'"
            " where state = 'waiting' and attempts = 0"
            " and way in (select way from deliveries where message_id = ?1) and message_id in ("
            "   select message_id from messages"
            "   where athlete_id = ?2 and kind in ('digest', 'alert') and message_id <> ?1)",
            (message_id, athlete_id),
        )
        self._forget_contents()

    def withdraw(self, message_ids: Sequence[str]) -> None:
        """Take back messages that wait: what has gone on no way is as if never told, the rest goes no further."""
        with self._transaction():
            for message_id in message_ids:
                self._db.execute(
                    "update deliveries set state = 'dropped', error = 'a warning sign was logged'"
                    " where message_id = ? and state = 'waiting'",
                    (message_id,),
                )
                if not self._rows(
                    "select 1 from deliveries where message_id = ? and state <> 'dropped'", (message_id,)
                ):
                    self._db.execute("delete from deliveries where message_id = ?", (message_id,))
                    # With it goes what it also told of: rows of the same step that no way was meant for.
                    self._db.execute(
                        "delete from messages where (athlete_id, put_at, subject) in ("
                        "   select athlete_id, put_at, subject from messages where message_id = ?)"
                        " and not exists (select 1 from deliveries d where d.message_id = messages.message_id)",
                        (message_id,),
                    )
            self._forget_contents()

    def forget(self, athlete_id: str) -> None:
        """Drop what waits for a runner, and the content of all that was ever put for them."""
        with self._transaction():
            self._db.execute(
                "update deliveries set state = 'dropped', error = 'forgotten' where state in ('waiting', 'sending')"
                " and message_id in (select message_id from messages where athlete_id = ?)",
                (athlete_id,),
            )
            self._db.execute("update messages set content = null, subject = '' where athlete_id = ?", (athlete_id,))

    def waiting(self, way: str) -> list[tuple[str, str]]:
        """Return (message id, athlete) of what waits on this way, oldest first."""
        return self._rows(
            "select message_id, athlete_id from deliveries join messages using (message_id)"
            " where state = 'waiting' and way = ? order by put_at, messages.rowid",
            (way,),
        )

    def ways(self) -> list[str]:
        """Return the ways on which anything waits."""
        return [way for (way,) in self._rows("select distinct way from deliveries where state = 'waiting' order by 1")]

    def content(self, message_id: str) -> bytes:
        """Return a composed message."""
        ((content,),) = self._rows("select content from messages where message_id = ?", (message_id,))
        return bytes(content)

    def subject(self, message_id: str) -> str:
        """Return a message's subject."""
        ((subject,),) = self._rows("select subject from messages where message_id = ?", (message_id,))
        return str(subject)

    def mark(self, message_id: str, way: str, state: str, now: dt.datetime, error: str = "") -> None:
        """Record a step of a delivery, on the disk before this returns."""
        with self._transaction():
            self._db.execute(
                "update deliveries set state = ?1, error = ?2, tried_at = ?3,"
                " attempts = attempts + (?1 not in ('sending', 'dropped')) where message_id = ?4 and way = ?5",
                (state, error, _text(now), message_id, way),
            )
            self._forget_contents()

    def recover(self, now: dt.datetime) -> None:
        """Call what was being sent when its sender died "unsure". Only for who holds the outbox alone."""
        with self._transaction():
            self._db.execute(
                "update deliveries set state = 'unsure', attempts = attempts + 1,"
                " error = 'hamload was stopped while it was being sent', tried_at = coalesce(tried_at, ?)"
                " where state = 'sending'",
                (_text(now),),
            )

    def untold(self) -> list[Standing]:
        """Return what is unsure and of which no notice speaks that was sent on the same way, or still waits to be."""
        waiting = set(self._rows("select message_id, way from deliveries where state = 'waiting'"))
        told_in = dict(self._rows("select message_id, told_in from messages where told_in is not null"))
        return [s for s in self.standing() if s.state == "unsure" and (told_in.get(s.message_id), s.way) not in waiting]

    def standing(self, athlete_id: str | None = None) -> list[Standing]:
        """Return what has not, or not surely, reached a runner, oldest first.

        What a notice has told of by now is no longer listed.
        """
        rows = self._rows(
            "select m.message_id, m.athlete_id, m.key, m.kind, m.subject, d.way, d.state, m.put_at, d.attempts,"
            " d.tried_at, d.error from messages m join deliveries d using (message_id)"
            " where d.state in ('waiting', 'sending', 'unsure') and (?1 is null or m.athlete_id = ?1)"
            " and not (d.state = 'unsure' and exists (select 1 from deliveries told"
            "   where told.message_id = m.told_in and told.way = d.way and told.state = 'sent'))"
            " order by m.put_at, m.rowid, d.way",
            (athlete_id,),
        )
        return [
            Standing(
                message_id=row[0],
                athlete_id=row[1],
                key=row[2],
                kind=row[3],
                subject=row[4],
                way=row[5],
                state=row[6],
                put_at=_moment(row[7]),
                attempts=row[8],
                tried_at=row[9] and _moment(row[9]),
                error=row[10],
            )
            for row in rows
        ]

    def _forget_contents(self) -> None:
        """Drop the content of what is done with: the digest itself lies in the outbox as files."""
        self._db.execute(
            "update messages set content = null where content is not null and not exists ("
            " select 1 from deliveries d where d.message_id = messages.message_id and ("
            "   d.state in ('waiting', 'sending') or d.state = 'unsure' and not exists (select 1 from deliveries told"
            "     where told.message_id = messages.told_in and told.way = d.way and told.state = 'sent')))"
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("begin immediate")
            yield
            self._db.execute("commit")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise HamloadError(
                    f"The outbox's ledger cannot be written: {error}.",
                    "Free some space there, then run the same again.",
                ) from error
            raise

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        with closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()


def _unopened(outbox: Path, error: Exception) -> HamloadError:
    return HamloadError(
        f"The outbox {outbox} cannot be opened: {error}.", "Free some space there, or mend the folder's rights."
    )


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat()


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
