"""Which version a home's SQLite ledgers have, and how an older one becomes today's, with a copy kept.

The number stands in the file itself (`pragma user_version`) and changes in one commit with the tables, so that a kill
in the middle leaves the old version or the new one, and the next opening completes it. A newer version than this
hamload knows is refused before anything is written. Documents never change; what is derived is built anew by itself.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

#: Where a home keeps what an upgrade replaced. It goes with the next thing that has to go for good.
KEPT = "before-upgrade"

type Step = Callable[[sqlite3.Connection], None]


def version(db: sqlite3.Connection) -> int:
    """Return a ledger's version; 0 for one that is empty, or older than the numbers."""
    with closing(db.execute("pragma user_version")) as cursor:
        return int(cursor.fetchone()[0])


def version_of(path: Path) -> int | None:
    """Return the version of a ledger, None where there is none, or none that can be read: whoever opens it says so."""
    if not path.is_file():
        return None
    try:
        with closing(read_only(path)) as db:
            return version(db)
    except sqlite3.Error:
        return None


def read_only(path: Path) -> sqlite3.Connection:
    """Open a ledger that must not change. Raises sqlite3.Error."""
    # On a disk that only reads SQLite has no place for what connections share: there nothing can change it either.
    is_fixed = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return sqlite3.connect(f"file:{_uri(path)}?mode=ro{'&immutable=1' if is_fixed else ''}", uri=True)


def bring(db: sqlite3.Connection, path: Path, steps: Sequence[Step], home: Path) -> None:
    """Bring an open ledger (autocommit) to the newest version, `len(steps)`; step i leads from version i to i + 1.

    What it held before is kept whole in the home's `before-upgrade/`.

    Raises
    ------
    ConfigurationError
        Where a newer hamload wrote it.

    """
    refuse_newer(version(db), len(steps), path)
    if version(db) == len(steps):
        return
    db.execute("begin immediate")
    try:
        found = version(db)
        if db.execute("select 1 from sqlite_schema limit 1").fetchone():
            _keep(path, home / KEPT / f"{path.stem}-v{found}{path.suffix}")
        for step in steps[found:]:
            step(db)
        db.execute(f"pragma user_version = {len(steps)}")
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


def refuse_newer(found: int, newest: int, path: Path) -> None:
    """Refuse a ledger of a later hamload. Raises ConfigurationError."""
    if found > newest:
        raise ConfigurationError(
            f"A newer hamload has written {path} (version {found}; this one knows {newest}). Nothing was changed.",
            "Run: pip install --upgrade hamload",
        )


def script(text: str) -> Step:
    """Return the step that runs these statements; `executescript` would commit before them."""

    def step(db: sqlite3.Connection) -> None:
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                db.execute(statement)
                statement = ""

    return step


def forget_kept(home: Path) -> None:
    """Remove what upgrades kept: it would hold what has to go."""
    folder = home / KEPT
    for path in folder.glob("*") if folder.is_dir() else ():
        path.unlink(missing_ok=True)


def _keep(path: Path, copy: Path) -> None:
    """Copy a ledger as it was last committed: another connection sees nothing of what this one is about to do."""
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(read_only(path)) as old, closing(sqlite3.connect(part)) as new:
        old.backup(new)
    part.replace(copy)


def _uri(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
