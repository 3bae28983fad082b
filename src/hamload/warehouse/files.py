"""Which files the tables lie in, and how the finished copy comes into its place."""

from __future__ import annotations

import filecmp
import shutil
from typing import TYPE_CHECKING

import duckdb

from hamload.errors import WarehouseError
from hamload.warehouse.sparing import spill_of

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = "hamload.duckdb"


WORKING = "warehouse.duckdb"


#: Named so that `forget_derived`, which leaves nothing to compact, takes it along.
_COMPACT = "warehouse.duckdb.compact"


#: Each column of each table takes a block at least: of DuckDB's 256 KiB, four runs would fill 18 MB (here 5), and 240
#: runs 53 (here 41).
NEW_FILE = "(block_size 65536)"


def quoted(path: Path) -> str:
    """Return a path as it stands between the quotes of SQL."""
    return str(path).replace("'", "''")


def check_published(home: Path) -> None:
    """Raise WarehouseError where nothing has been published yet, or something else lies in its place."""
    if (home / PUBLISHED).is_dir():
        raise WarehouseError(f"{home / PUBLISHED} is a folder, not tables.", "Move it away, then: hamload rebuild.")
    if not (home / PUBLISHED).is_file() and any((home / "raw").glob("??/*")):
        raise WarehouseError(f"The tables in {home} are gone; its recordings are there.", "Run: hamload rebuild")
    if not (home / PUBLISHED).is_file():
        raise WarehouseError(
            f"There is nothing to show in {home} yet.", "Run: hamload import PATH, or try it first with: hamload demo."
        )


def publication(home: Path) -> tuple[int, int]:
    """Return what tells one published copy from every other. Raises WarehouseError where nothing has been published."""
    check_published(home)
    return publication_of(home / PUBLISHED)


def publication_of(path: Path) -> tuple[int, int]:
    """Return what tells a published file from every other that was there before."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def forget_derived(home: Path) -> None:
    """Remove the working warehouse: the raw documents are all that a rebuild needs."""
    for path in home.glob(f"{WORKING}*"):
        path.unlink()


def order_compact(home: Path) -> None:
    """Order a `compact` that a crash does not lose."""
    (home / _COMPACT).touch()


def compact_due(home: Path) -> None:
    """Carry out what `order_compact` ordered, be it by an earlier run. Call it with the working warehouse closed."""
    if (home / _COMPACT).exists():
        compact(home)
        (home / _COMPACT).unlink()


def compact(home: Path) -> None:
    """Write the working warehouse anew, so that what was deleted from it is in no free block of its file."""
    part = home / f"{WORKING}.part"
    part.unlink(missing_ok=True)
    with duckdb.connect(config={"temp_directory": str(spill_of(home))}) as con:
        con.execute(f"attach '{quoted(home / WORKING)}' as old (read_only)")
        con.execute(f"attach '{quoted(part)}' as new {NEW_FILE}")
        con.execute("copy from database old to new")
        con.execute("detach new")
        con.execute("detach old")
    part.replace(home / WORKING)


def publish(home: Path) -> Path:
    """Replace the copy that readers open, atomically. Call it with the working warehouse closed.

    Raises
    ------
    WarehouseError
        Where it does not fit on the disk: readers keep the copy before.

    """
    part = home / f"{PUBLISHED}.part"
    try:
        shutil.copyfile(home / WORKING, part)
        return part.replace(home / PUBLISHED)
    except OSError as error:
        # Half a copy would only keep the disk full.
        part.unlink(missing_ok=True)
        raise WarehouseError(
            f"{home / PUBLISHED} cannot be written: {error.strerror or error}.",
            "Free some space there, or move away what is in its place, then run the same again; what you see till then"
            " is the copy before.",
        ) from error


def is_as_published(home: Path) -> bool:
    """Return whether the working warehouse is what was published last, or is not there: both are derived."""
    return not (home / WORKING).exists() or filecmp.cmp(home / WORKING, home / PUBLISHED, shallow=False)
