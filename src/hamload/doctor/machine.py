"""The machine: Python, the packages that hamload needs, Prefect, disk, clock."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from hamload import settings as configuration
from hamload.doctor.finding import note, ok, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hamload.doctor.finding import Finding
    from hamload.settings import DoctorSettings

_MB = 1_000_000
#: The first import compiles some thousand files.
_IMPORT_S = 120


def python() -> Finding:
    """Look at the interpreter."""
    needed = metadata.metadata("hamload")["Requires-Python"]
    has = ".".join(map(str, sys.version_info[:3]))
    if has not in SpecifierSet(needed):
        return wrong("python", f"This is Python {has}; hamload needs {needed}.", "uv python install 3.13")
    return ok("python", f"Python {has}")


def packages() -> Iterator[Finding]:
    """Look at every package that hamload names, in the versions that it names; DuckDB's is shown."""
    bad = 0
    wanted = [Requirement(text) for text in metadata.requires("hamload") or ()]
    for need in wanted:
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            has = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            has = ""
        if not has or not need.specifier.contains(has, prereleases=True):
            bad += 1
            yield wrong(
                "packages",
                f"{need.name} {has or 'is missing'}{'' if not has else ' is installed'}; hamload needs {need}.",
                f"pip install '{need}'",
            )
    if not bad:
        shown = f"DuckDB {metadata.version('duckdb')}, Prefect {metadata.version('prefect')}"
        yield ok("packages", f"all {len(wanted)} are there in the versions that hamload needs; {shown}")


def prefect() -> Finding:
    """Look whether Prefect can be imported, in a process of its own: `hamload serve` and the demo stand on it."""
    try:
        # What it writes on import must neither be the user's own nor stay in the home.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(  # this interpreter, these words
                [sys.executable, "-c", "import prefect, prefect.server.api.server"],
                env=configuration.child_environment(configuration.prefect_environment(Path(folder))),
                capture_output=True,
                text=True,
                timeout=_IMPORT_S,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return wrong("prefect", f"Its import took more than {_IMPORT_S} s.", "pip install --force-reinstall hamload")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
        return wrong("prefect", f"Prefect cannot be imported: {last}", "pip install --force-reinstall hamload")
    return ok("prefect", "imports, and its server too")


def disk(home: Path, limits: DoctorSettings) -> Finding:
    """Look at the space that is left where the home lies."""
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free / _MB
    if free < limits.min_free_mb:
        return wrong("disk", f"Only {free:,.0f} MB are free where the home lies.", f"du -sh {place}/* | sort -h")
    return ok("disk", f"{free / 1000:,.1f} GB free")


def clock(now: dt.datetime, newest: dt.datetime | None, zone: str, source: str) -> Iterator[Finding]:
    """Look at the clock (it cannot stand before what it has stamped itself) and at the time zone of the days."""
    local = now.astimezone(configuration.zone_named(zone))
    if newest is not None and now < newest - dt.timedelta(minutes=5):
        yield wrong(
            "clock",
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but this home was last written at {newest:%Y-%m-%d %H:%M} UTC.",
            "timedatectl set-ntp true",
        )
    else:
        yield ok("clock", f"{local:%Y-%m-%d %H:%M} in {zone}")
    if source == "guess":
        yield note(
            "time zone",
            f"Nobody has named the time zone of your days; this machine does not tell either, so {zone} is taken.",
            "hamload init --time-zone Europe/Vienna",
        )
    else:
        yield ok("time zone", f"{zone}, from {source}")
