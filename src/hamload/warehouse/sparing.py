"""How much DuckDB may keep in memory while samples pass through, and where it puts what it has no room for."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: No slower than with all of the machine's (docs/benchmarks.md).
_HELD_MB = 150
_SPILL = "spill-"


def sparingly[T](con: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """Do something with little memory; where that does not suffice, once more with all that there is.

    DuckDB would keep of samples whatever the machine has room for. `work` has to leave nothing half done where it
    raises: what is to be done together stands in a transaction.
    """
    with suppress(duckdb.OutOfMemoryException):
        con.execute(f"set memory_limit = '{_HELD_MB}MB'")
        try:
            return work()
        finally:
            # Where DuckDB itself has failed, that is what there is to tell.
            with suppress(duckdb.FatalException):
                con.execute("reset memory_limit")
    return work()


def spill_of(home: Path) -> Path:
    """Return this process's own folder for what does not fit into memory. DuckDB makes it, and removes it at the end.

    What runs that were killed have left is removed. Hold the home's lock.
    """
    for left in home.glob(f"{_SPILL}*"):
        process = left.name.removeprefix(_SPILL)
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    return home / f"{_SPILL}{os.getpid()}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
