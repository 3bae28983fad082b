"""Beyond one process: the same archive by one process, two, and a cluster of one and of two workers; what it costs.

Prints, for docs/scaling.md: whether all of them leave the same tables, a killed worker among them; seconds and ratios;
processor seconds of each stage, and what share of them only the one writer can do; bytes a session; and what a night
costs a home of many runners. Usage: python bench/cluster.py [ACTIVITIES [RUNS]]; python bench/cluster.py measure ...
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import shares

from hamload import pipeline, settings, warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hamload.settings import Settings

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("HAMLOAD_SHARED_DATA", ROOT.parent / "shared" / "data"))
TODAY = dt.date(2026, 11, 23)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
YESTERDAY = TODAY - dt.timedelta(days=1)
#: What is measured beside each other: everything on one processor and two workers on two; one worker and two of them,
#: where each of them, and the writer, has a processor's share of its own.
ALONE = {"one process": "two processes", "cluster, one worker": "cluster, two workers"}
KINDS = {
    "one process": ("here", 1),
    "two processes": ("here", 2),
    "cluster, one worker": ("cluster", 1),
    "cluster, two workers": ("cluster", 2),
    "cluster, two workers, one killed": ("killed", 2),
}
#: Homes whose worker was killed.
_killed: list[Path] = []
STAGES = ("put and decode", "assess", "alert", "publish")
#: Of a processor, for each worker and the writer where each has its own: three of them on two processors, which leaves
#: some for a cluster's scheduler and for whatever else the machine does.
SHARE, EACH = 0.5, "each"
#: How often what is compared by turns is measured at least.
_TURNS = 5
SHARED_STAGES = ("put and decode", "assess")


def measure(kind: str, archive: str, processor: str = "") -> dict[str, Any]:
    """Take an archive from nothing to its tables, as `hamload import` does. Returns seconds and a fingerprint.

    `processor`: the one on which everything runs; "each" for a share of one for each worker and one for the writer; ""
    for all.
    """
    if processor and processor != EACH:
        os.sched_setaffinity(0, {int(processor)})
    way, workers = KINDS[kind]
    with _prepared(kind, archive) as home, pipeline.exclusive(home):
        killer = threading.Thread(target=_kill_one, args=(home.home,), daemon=True)
        if way == "killed":
            killer.start()
        before = _workers_s()
        with shares.given(_apart_from_each_other(way, workers), SHARE) if processor == EACH else nullcontext():
            began = time.perf_counter()
            pipeline.refresh(home, TODAY, now=NIGHT, arriving=_arriving(home, archive))
            told: dict[str, Any] = {"seconds": time.perf_counter() - began}
        told["workers"] = [spent - before.get(pid, 0.0) for pid, spent in _workers_s().items()]
        if way == "killed":
            killer.join(1)
            told["killed"] = bool(_killed)
        return told | _left(home)


def costs(archive: str) -> dict[str, Any]:
    """Take an archive from nothing to its tables, stage by stage. Returns the processor seconds of each, by whom."""
    with _prepared("cluster, one worker", archive) as home, pipeline.exclusive(home):
        told: dict[str, Any] = {}
        steps: dict[str, Callable[[], Any]] = {
            "put and decode": lambda: pipeline.decode(home, arriving=_arriving(home, archive)),
            "assess": lambda: pipeline.assess(home, TODAY),
            "alert": lambda: pipeline.alert(home),
            "publish": lambda: pipeline.publish(home),
        }
        for name, step in steps.items():
            own, others = time.process_time(), _others_s()
            step()
            told[f"{name}_cpu"] = time.process_time() - own
            told[f"{name}_others_cpu"] = max(_others_s() - others, 0.0)
        return told | _left(home)


@contextmanager
def _prepared(kind: str, archive: str) -> Iterator[Settings]:
    """Start what reads, warm, and make a home for it."""
    way, workers = KINDS[kind]
    with tempfile.TemporaryDirectory() as text, _readers(way, workers) as lines:
        place = Path(text)
        warm, few = _home(place / "warm", lines, place), sorted(Path(archive).iterdir())[: 4 * workers]
        with pipeline.exclusive(warm):
            pipeline.refresh(warm, TODAY, now=NIGHT, arriving=_arriving(warm, *few))
        yield _home(place / "home", lines, place)


def _arriving(home: Settings, *paths: str | Path) -> pipeline.Arriving:
    return pipeline.Arriving(home, list(map(Path, paths)), "me", NIGHT, through=YESTERDAY)


def _left(home: Settings) -> dict[str, Any]:
    """Return what an import has left in a home."""
    with warehouse.reader(home.home) as con:
        ((sessions, hours),) = con.execute("select count(*), sum(moving_time_s) / 3600 from marts.sessions").fetchall()
        ((rows,),) = con.execute("select count(*) from landing.samples").fetchall()
        return {
            "tables": _fingerprint(con),
            "sessions": sessions,
            "hours": hours,
            "rows": rows,
            "raw_mb": _size_mb(home.home / "raw"),
            "stored_mb": (home.home / warehouse.PUBLISHED).stat().st_size / 1e6,
        }


def _apart_from_each_other(way: str, workers: int) -> list[list[int]]:
    """Return the processes of the writer, and those of each worker; a cluster's scheduler takes of what is left."""
    if way == "here":
        readers = [p for child in psutil.Process().children() for p in child.children()]
        each = [[reader.pid] for reader in readers]
    else:
        each = [[w.ppid(), w.pid, *(child.pid for child in w.children(recursive=True))] for w in _workers()]
    if len(each) != workers:
        raise RuntimeError(f"{len(each)} workers were found instead of {workers}: {each}.")
    return [[os.getpid()], *each]


def _home(folder: Path, lines: str, shared: Path) -> Settings:
    folder.mkdir()
    (folder / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n[import]\n{lines.format(shared=shared)}')
    return settings.load(folder)


@contextmanager
def _readers(way: str, workers: int) -> Iterator[str]:
    """Start what reads, as docs/running/cluster.md has it: a scheduler and workers, each by Dask's own command."""
    if way == "here":
        yield f"workers = {workers}\n"
        return
    from distributed import Client

    with tempfile.TemporaryDirectory() as text, ExitStack() as stack:
        told = Path(text) / "scheduler.json"
        where = ["--scheduler-file", str(told), "--host", "127.0.0.1", "--no-dashboard"]
        stack.enter_context(_dask("scheduler", *where, "--port", "0"))
        while not told.exists():
            time.sleep(0.05)
        for _ in range(workers):
            stack.enter_context(_dask("worker", *where, "--nthreads", "1", "--local-directory", text))
        with Client(scheduler_file=str(told), set_as_default=False) as looking:  # type: ignore[no-untyped-call]
            looking.wait_for_workers(workers, timeout=60)
            looking.run(_warm)
        yield f'cluster = "{json.loads(told.read_text())["address"]}"\nshared = "{{shared}}"\n'


def _warm() -> None:
    """Start the reader of a worker, on the worker: an archive of a few recordings would reach only one of them."""
    from hamload.pipeline.documents import computing  # noqa: F401  # its import is preparation
    from hamload.pipeline.documents.readers import Readers
    from hamload.pipeline.documents.reading import Task
    from hamload.pipeline.loads import measuring  # noqa: F401  # as above

    multiprocessing.current_process().daemon = False
    current = settings.load(Path("/nonexistent"))
    imports = current.imports.model_copy(update={"workers": 1})
    Readers(imports, current.signal, current.model).submit(Task(Path("/dev/null"), "fit", "0" * 64, "", {}))()


@contextmanager
def _dask(*words: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false"},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _kill_one(home: Path) -> None:
    """Kill a worker once it has a batch of this home to read."""
    while not any(home.parent.glob("hamload-*/open")) or not (home / "warehouse.duckdb").exists():
        time.sleep(0.02)
    time.sleep(0.7)
    _workers()[0].send_signal(signal.SIGKILL)
    _killed.append(home)


def _others_s() -> float:
    """Return the processor seconds of everything that this process has started and that still runs."""
    return sum(_spent_s(process) for process in psutil.Process().children(recursive=True))


def _workers_s() -> dict[int, float]:
    """Return the processor seconds of each worker of the cluster, its reader included."""
    return {w.pid: sum(map(_spent_s, [w, *w.children(recursive=True)])) for w in _workers()}


def _workers() -> list[psutil.Process]:
    """Return the cluster's workers; where setproctitle is installed, they go by a name of their own."""
    signs = ("spawn_main", "dask worker [")
    every = psutil.Process().children(recursive=True)
    return [p for p in every if any(sign in word for word in p.cmdline() for sign in signs)]


def _spent_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _fingerprint(con: Any) -> dict[str, str]:
    names = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_schema = 'marts' or table_schema || '.' || table_name in"
        " ('landing.samples', 'landing.features', 'landing.composed', 'landing.courses') order by 1"
    ).fetchall()
    but = {
        "marts.source_health": "exclude (last_asked_at, last_success_at)",
        # In which chunk samples lie tells when they were written.
        "landing.samples": "exclude (chunk)",
        "landing.features": "exclude (chunk)",
        "landing.courses": "exclude (chunk)",
    }
    return {
        name: str(
            con.execute(
                f"select count(*), bit_xor(hash(t)), sum(hash(t)) from (select * {but.get(name, '')} from {name}) t"  # noqa: S608
            ).fetchone()
        )
        for (name,) in names
    }


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def squad(runners: str, archive: str) -> dict[str, Any]:
    """Run two nights with nothing new in a home of so many runners, each with the same archive."""
    count = int(runners)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text) / "home"
        folder.mkdir()
        athletes = "".join(f'[[athletes]]\nid = "runner{number}"\n' for number in range(count))
        (folder / "config.toml").write_text(
            f'time_zone = "Europe/Vienna"\n{athletes}[import]\nworkers = 1\n[show]\nnightly_report = false\n'
        )
        home = settings.load(folder)
        with pipeline.exclusive(home):
            for number in range(count):
                pipeline.put_files(home, [Path(archive)], f"runner{number}", NIGHT, through=YESTERDAY)
            began = time.process_time()
            pipeline.refresh(home, TODAY, now=NIGHT)
            first = time.process_time() - began
            began = time.process_time()
            pipeline.refresh(home, TODAY, now=NIGHT)
        return {"first": first, "nothing_new": time.process_time() - began, "stored_mb": _size_mb(folder)}


def main(activities: int, runs: int) -> None:
    """Measure everything and print the tables."""
    with tempfile.TemporaryDirectory() as text:
        archive = _archive(Path(text), activities)
        found = {kind: [_once("measure", kind, archive) for _ in range(runs)] for kind in KINDS}
        few, plain = Path(text) / "few", Path(text) / "plain"
        for folder, count in ((few, 60), (plain, activities)):
            folder.mkdir()
            for path in sorted(archive.glob("20*.fit"))[-count:]:
                (folder / path.name).hardlink_to(path)
        # Most of the real files are short, or malformed on purpose: no measure of what a session costs.
        spent = [_once("costs", plain) for _ in range(runs)]
        turns = _by_turns(plain, runs, "0", "")
        each = _by_turns(plain, runs, EACH, EACH) if shares.is_possible() else []
        squads = {count: _once("squad", count, few) for count in (1, 4, 16)}
        apart = statistics.median(_apart(plain, Path(text)) for _ in range(runs))
    first = found["one process"][0]
    print(
        f"Measured on {dt.datetime.now(tz=dt.UTC).date()}: {platform.machine()}, {os.process_cpu_count()} processors,"
        f" load {os.getloadavg()[0]:.1f} before; {first['sessions']} sessions, {first['hours']:.0f} hours,"
        f" {first['rows']:,} samples. Median of {runs}.\n"
    )
    _print_ways(found)
    _print_turns(turns, "on one processor", "on two")
    if each:
        _print_turns(each, f"one worker, each {SHARE:g} of a processor", f"two workers, each {SHARE:g}")
    else:
        print(
            "This machine gives out no shares of its processors: a worker beside two, each with its own, is not shown."
        )
    _print_costs(spent)
    print(f"Two homes of half the sessions, on a processor each: {apart:.2f} x one after the other on one.\n")
    for count, told in squads.items():
        print(
            f"{count} runners of 60 sessions in one home: {told['first']:.1f} s of the writer's processor for the"
            f" first night, {told['nothing_new']:.2f} s for one with nothing new; {told['stored_mb']:.0f} MB."
        )


def _by_turns(archive: Path, runs: int, one_on: str, two_on: str) -> _Turns:
    """Measure one worker and two by turns: a machine that grows slower meanwhile is unfair to neither."""
    return [
        {
            both: (_once("measure", one, archive, one_on), _once("measure", both, archive, two_on))
            for one, both in ALONE.items()
        }
        for _ in range(max(runs, _TURNS))
    ]


def _apart(archive: Path, place: Path) -> float:
    """Return how much sooner two homes are done on a processor each than one after the other on one."""
    halves = [place / "first half", place / "second half"]
    for number, folder in enumerate(halves):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in sorted(archive.iterdir())[number::2]:
            (folder / path.name).hardlink_to(path)
    began = time.perf_counter()
    for half in halves:
        _once("measure", "one process", half, 0)
    after = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: _once("measure", "one process", halves[number], number), (0, 1)))
    return (after - began) / (time.perf_counter() - after)


def _archive(place: Path, activities: int) -> Path:
    folder = place / "archive"
    script = (
        "import datetime as dt,sys;from pathlib import Path;from hamload.simulator import SimulatedRunner,write_year;"
        "write_year(SimulatedRunner(),Path(sys.argv[1]),dt.date(2026,11,22),int(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", script, str(folder), str(int(activities * 1.6))], check=True)
    for path in sorted(folder.iterdir())[:-activities]:
        path.unlink()
    real = SHARED / "activities"
    for number, path in enumerate(sorted(real.rglob("*.fit")) if real.is_dir() else ()):
        shutil.copy2(path, folder / f"real-{number:04}.fit")
    return folder


def _once(name: str, *arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), name, *map(str, arguments)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{name} {arguments} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


type _Found = dict[str, list[dict[str, Any]]]
type _Turns = list[dict[str, tuple[dict[str, Any], dict[str, Any]]]]


def _print_ways(found: _Found) -> None:
    print("| way | seconds | tables |\n| --- | ---: | --- |")
    tables = found["one process"][0]["tables"]
    for kind, runs in found.items():
        is_same = all(run["tables"] == tables for run in runs)
        if not all(run.get("killed", True) for run in runs):
            kind += " (too late)"  # noqa: PLW2901  # so that nobody believes it
        print(
            f"| {kind} | {statistics.median(r['seconds'] for r in runs):.1f} |"
            f" {'the same, row for row' if is_same else '**OTHERS**'} |"
        )
    for run in found["cluster, two workers"]:
        most, whole = max(run["workers"]), sum(run["workers"])
        print(
            f"\nThe busier of two workers had {100 * most / whole:.0f} % of {whole:.1f} processor seconds of reading:"
            f" with a processor each they are {whole / most:.2f} x one."
        )
    print(f"\n{len(tables)} tables compared, the samples among them.\n")


def _print_turns(turns: _Turns, one: str, two: str) -> None:
    print(f"| simulated sessions alone | {one} | {two} | ratio, each turn |\n| --- | ---: | ---: | ---: |")
    for both in ALONE.values():
        pairs = [turn[both] for turn in turns]
        seconds = [statistics.median(run["seconds"] for run in runs) for runs in zip(*pairs, strict=True)]
        ratios = ", ".join(f"{alone['seconds'] / two['seconds']:.2f}" for alone, two in pairs)
        print(f"| {both} | {seconds[0]:.1f} | {seconds[1]:.1f} | {ratios} |")
    print()


def _print_costs(runs: list[dict[str, Any]]) -> None:
    first = runs[0]
    sessions = first["sessions"]
    print(f"Costs: {sessions} simulated sessions of {60 * first['hours'] / sessions:.0f} minutes at 1 Hz.\n")
    print("| stage | writer, ms a session | workers, ms a session |\n| --- | ---: | ---: |")
    spent = {
        (stage, who): statistics.median(run[f"{stage}_{who}"] for run in runs)
        for stage in STAGES
        for who in ("cpu", "others_cpu")
    }
    for stage in STAGES:
        own, others = (1000 * spent[stage, who] / sessions for who in ("cpu", "others_cpu"))
        print(f"| {stage} | {own:.1f} | {others:.1f} |")
    alone = sum(spent[stage, "cpu"] for stage in STAGES if stage not in SHARED_STAGES)
    beside = {stage: spent[stage, "cpu"] for stage in SHARED_STAGES}
    shared = {stage: spent[stage, "others_cpu"] for stage in SHARED_STAGES}
    whole = alone + sum(beside.values()) + sum(shared.values())
    print(
        f"\nOf {whole:.1f} processor seconds, workers can share {100 * sum(shared.values()) / whole:.0f} %;"
        f" {100 * sum(beside.values()) / whole:.0f} % are the writer beside them,"
        f" {100 * alone / whole:.0f} % the writer alone."
    )

    def took(workers: int) -> float:
        """Return the least that the archive takes with so many workers, each and the writer on a processor."""
        return float(alone + sum(max(shared[stage] / workers, beside[stage]) for stage in SHARED_STAGES))

    for workers in (2, 4, 8, 1000):
        print(
            f"{workers} workers, a processor each and one for the writer: at most {took(1) / took(workers):.2f} x one"
            " worker."
        )
    print(
        f"Two processors for everything: at most {whole / (alone + (whole - alone) / 2):.2f} x one processor for"
        " everything."
    )
    print(
        f"\nA session: {1000 * first['raw_mb'] / sessions:.0f} kB of raw documents,"
        f" {1000 * first['stored_mb'] / sessions:.0f} kB in the published tables,"
        f" {80 * first['rows'] / sessions / 1000:.0f} kB through shared storage.\n"
    )


if __name__ == "__main__":
    asked: dict[str, Callable[..., dict[str, Any]]] = {"measure": measure, "costs": costs, "squad": squad}
    if sys.argv[1:2] and sys.argv[1] in asked:
        print(json.dumps(asked[sys.argv[1]](*sys.argv[2:])))
    else:
        told = [int(argument) for argument in sys.argv[1:]]
        main(*(told + [600, 3][len(told) :]))
