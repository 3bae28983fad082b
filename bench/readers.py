"""A writer that publishes without pause beside ten readers: whether anyone fails, or reads what is older than it must.

`python bench/readers.py 60` runs a minute. Each reader notes which publication was out before it asks; what it gets
must be that one or a newer one, and whole: every row of it bears the same number.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import hamload
from hamload import pipeline, settings, warehouse
from hamload.simulator import SimulatedRunner, write_year

READERS = 10
_LEAST = 6
LAST_DAY = dt.date(2026, 11, 22)


@dataclass
class Read:
    """What one reader, or all of them, met."""

    reads: int = 0
    errors: tuple[str, ...] = ()
    too_old: int = 0
    torn: int = 0
    seen: int = 0
    slowest_s: float = 0.0


def read(home: Path) -> Read:
    """Read again and again: a frame, samples and a query, and once a pinned view over several calls."""
    met, seen = Read(), set[int]()
    out = home / "out"
    while not (home / "done").exists() or not met.reads + len(met.errors):
        before, began = int(out.read_text()), time.perf_counter()
        try:
            opened = hamload.open(home)
            numbers = set(opened.sessions()["history_runs"])
            with opened.pinned() as pinned:
                first = pinned.sql("select distinct history_runs from marts.sessions")["history_runs"].tolist()
                pinned.daily(series="total")
                again = set(pinned.sessions()["history_runs"])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            met.errors += (f"{type(error).__name__}: {error}",)
            continue
        met.reads += 1
        met.slowest_s = max(met.slowest_s, time.perf_counter() - began)
        met.torn += int(len(numbers) != 1 or len(first) != 1 or again != set(first))
        met.too_old += int(min(numbers | again) < before)
        seen |= numbers
    met.seen = len(seen)
    return met


def write(home: Path, until: float) -> tuple[int, float]:
    """Publish again and again, each publication with its own number; return how many, and the slowest one."""
    sql = settings.shipped("sql")
    number, slowest = 1, 0.0
    # On a machine that is busy with other things a time alone could end before anything has happened.
    while time.time() < until or number < _LEAST:
        number, began = number + 1, time.perf_counter()
        with warehouse.lock(home):
            with warehouse.writer(home, sql) as con:
                con.execute("update marts.sessions set history_runs = $1", [number])
            warehouse.publish(home)
        # A writer that was slow to write its note only makes the readers' duty lighter, never heavier.
        part = home / "out.part"
        part.write_text(str(number))
        part.replace(home / "out")
        slowest = max(slowest, time.perf_counter() - began)
    (home / "done").touch()
    return number - 1, slowest


def _home(place: Path) -> Path:
    home = place / "home"
    home.mkdir()
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n[import]\nworkers = 1\n')
    write_year(SimulatedRunner(), place / "runs", LAST_DAY, 60)
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [place / "runs"], "me", dt.datetime.now(tz=dt.UTC), through=LAST_DAY)
        pipeline.refresh(current, LAST_DAY)
    with warehouse.writer(home, settings.shipped("sql")) as con:
        con.execute("update marts.sessions set history_runs = 1")
    warehouse.publish(home)
    (home / "out").write_text("1")
    return home


def main() -> int:
    """Run it, print what was met, and say by the exit code whether anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--home", type=Path, help="a home to copy the tables from; else one is simulated")
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="hamload-readers-"))
    try:
        home = _home(place) if given.home is None else _copy(given.home, place / "home")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hamload.api", "hamload.pipeline"])
        with ProcessPoolExecutor(READERS + 1, mp_context=context) as pool:
            list(pool.map(abs, range(READERS + 1)))
            until = time.time() + given.seconds
            readers = [pool.submit(read, home) for _ in range(READERS)]
            published, slowest = pool.submit(write, home, until).result()
            met = [reader.result() for reader in readers]
    finally:
        shutil.rmtree(place)
    total = Read(
        reads=sum(m.reads for m in met),
        errors=tuple(error for m in met for error in m.errors),
        too_old=sum(m.too_old for m in met),
        torn=sum(m.torn for m in met),
        seen=max(m.seen for m in met),
        slowest_s=round(max(m.slowest_s for m in met), 2),
    )
    told = {"seconds": given.seconds, "readers": READERS, "publications": published}
    print(json.dumps(told | {"slowest_publication_s": round(slowest, 2)} | asdict(total), indent=2))
    return int(bool(total.errors or total.too_old or total.torn or not all(m.reads for m in met)))


def _copy(source: Path, home: Path) -> Path:
    home.mkdir()
    shutil.copyfile(source / warehouse.PUBLISHED, home / "warehouse.duckdb")
    with warehouse.writer(home, settings.shipped("sql")) as con:
        con.execute("update marts.sessions set history_runs = 1")
    warehouse.publish(home)
    (home / "out").write_text("1")
    return home


if __name__ == "__main__":
    sys.exit(main())
