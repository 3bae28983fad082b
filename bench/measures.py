"""One measurement each, in a process of its own: `python bench/measures.py NAME ARGUMENT...` prints it as JSON.

Modules are imported, and what is only preparation is done, before the clock starts.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = dt.date(2026, 11, 23)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
SAMPLES_A_RUN = 3600


@contextmanager
def _clock(told: dict[str, Any]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    told["seconds"] = time.perf_counter() - began


def _files(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.fit"))


def _read(path: Path) -> int:
    import fitfast

    return len(fitfast.records(path.read_bytes()))


def reader(folder: str, workers: str = "1") -> dict[str, Any]:
    """Decode the records of every file with the reader that hamload uses, and do nothing with them."""
    told: dict[str, Any] = {}
    _read(_files(folder)[0])
    if workers == "1":
        with _clock(told):
            told["files"] = len([_read(path) for path in _files(folder)])
        return told
    with ProcessPoolExecutor(int(workers)) as pool:
        list(pool.map(_read, _files(folder)[:8]))
        with _clock(told):
            told["files"] = len(list(pool.map(_read, _files(folder), chunksize=8)))
    return told


def stages(folder: str) -> dict[str, Any]:
    """Read every file as a reader process does, and say how long each part of that takes by itself."""
    from hamload import settings
    from hamload.decode import clean, decode
    from hamload.load import features
    from hamload.merging import as_record, measures, profile

    current = settings.load(Path("/nonexistent"))
    parts: dict[str, Callable[[Any], Any]] = {
        "every message that is needed, as columns": lambda path: decode(path.read_bytes(), "fit"),
        "cleaned and graded, second by second": lambda of: [clean(one, current.signal)[0] for one in of],
        "what merging compares": lambda of: [(json.dumps(profile(s).as_record()), as_record(measures(s))) for s in of],
        "what later runs are compared with": lambda of: [
            json.dumps(features(s, current.model).as_record()) for s in of
        ],
    }
    told: dict[str, Any] = {"stages": {}}
    given: list[Any] = _files(folder)
    with _clock(told):
        for name, part in parts.items():
            begun = time.perf_counter()
            made = [part(one) for one in given]
            told["stages"][name] = time.perf_counter() - begun
            if "compare" not in name:
                given = made
    return told


def archive(folder: str, workers: str = "1") -> dict[str, Any]:
    """Take a folder from nothing to a digest: keep, read, clean, merge, assess, decide, build, publish, write."""
    from hamload import pipeline, settings
    from hamload.digest import render  # noqa: F401  # its import is preparation
    from hamload.pipeline.counsel import advising  # noqa: F401  # as above
    from hamload.pipeline.documents import decoding  # noqa: F401  # as above
    from hamload.pipeline.joining import gathering  # noqa: F401  # as above
    from hamload.pipeline.loads import assessing  # noqa: F401  # as above

    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        home.mkdir()
        (home / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n[import]\nworkers = {workers}\n')
        current = settings.load(home)
        _warm(current)
        with _clock(told), pipeline.exclusive(current):
            yesterday = TODAY - dt.timedelta(days=1)
            arriving = pipeline.Arriving(current, [Path(folder)], "me", NIGHT, through=yesterday)
            pipeline.refresh(current, TODAY, now=NIGHT, arriving=arriving)
            pipeline.digest_text(current)
        told |= {"files": arriving.put.new, "home_mb": _size_mb(home), "raw_mb": _size_mb(home / "raw")}
        told["files_mb"] = _size_mb(Path(folder))
    return told


def _warm(current: Any) -> None:
    """Start the readers: a night starts them once, however much there is to read."""
    from hamload.pipeline.documents.readers import Readers
    from hamload.pipeline.documents.reading import Task

    hands = Readers(current.imports, current.signal, current.model)
    nothing = Task(Path("/dev/null"), "fit", "0" * 64, "", {})
    for outcome in [hands.submit(nothing) for _ in range(2 * (current.imports.workers or 1))]:
        outcome()


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def notebook(folder: str) -> dict[str, Any]:
    """Do what the obvious notebook does: activity-parser, a frame a run, a load a day, the acwr package."""
    import activity_parser
    import acwr
    import pandas as pd

    parser = activity_parser.ActivityParser()
    told: dict[str, Any] = {}
    with _clock(told):
        loads: dict[Any, float] = {}
        for path in _files(folder):
            records, _, _ = parser.parse(str(path))
            day = records.index[0].date()
            seconds = records.index.to_series().diff().dt.total_seconds().clip(upper=10)
            loads[day] = loads.get(day, 0.0) + float((seconds * (records["speed"] / 10) ** 2).sum() / 60)
        daily = pd.Series(loads)
        daily.index = pd.to_datetime(daily.index)
        daily = daily.resample("D").sum()
        for method in ("rac", "rau", "ewma"):
            acwr.acwr(daily, method=method)
        told["files"] = len(_files(folder))
    return told


def night(home: str, new_run: str = "") -> dict[str, Any]:
    """Run a night on a copy of a home: with nothing new, or with one new recording in its folder."""
    from hamload import pipeline, settings
    from hamload.pipeline.counsel import advising  # noqa: F401
    from hamload.pipeline.documents import decoding  # noqa: F401
    from hamload.pipeline.joining import gathering  # noqa: F401
    from hamload.pipeline.loads import assessing  # noqa: F401
    from hamload.pipeline.showing import mailing, reporting  # noqa: F401

    told: dict[str, Any] = {}
    kept, watched, later = Path(f"{home}_kept"), Path(f"{home}_watched"), NIGHT + dt.timedelta(days=1)
    # In its own place, which its ledger names: the home is as make_home has left it, and so is its folder.
    shutil.rmtree(home)
    shutil.copytree(kept, home, copy_function=shutil.copy2)
    current = settings.load(Path(home))
    _warm(current)
    if new_run:
        shutil.copy2(new_run, watched)
    try:
        with _clock(told), pipeline.exclusive(current):
            found = pipeline.night(current, later, TODAY + dt.timedelta(days=1))
    finally:
        if new_run:
            (watched / Path(new_run).name).unlink()
    if found.decoded != bool(new_run) or found.failed_checks or found.failed_sources:
        sys.exit(f"This is not the night that was to be measured: {found}")
    told["steps"] = _steps(current.home, found.run_id)
    return told


def _steps(home: Path, run_id: str) -> dict[str, float]:
    """Return the seconds of each step of a run, as the home's own log has them."""
    lines = [json.loads(line) for line in (home / "logs" / "hamload.jsonl").read_text().splitlines()]
    ended = [line for line in lines if line["run_id"] == run_id and line["event"] == "step ended"]
    return {line["step"]: line["duration_s"] for line in ended}


def make_home(home: str, days: str) -> dict[str, Any]:
    """Make a home with a watched folder of so many simulated days, its first night behind it."""
    from hamload import pipeline, settings
    from hamload.simulator import SimulatedRunner, write_year

    watched = Path(f"{home}_watched")
    runs = len(write_year(SimulatedRunner(), watched, TODAY - dt.timedelta(days=1), int(days)))
    Path(home).mkdir()
    folder = f'[[folders]]\npath = "{watched}"\nreports_rest = true\n'
    (Path(home) / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{folder}')
    current = settings.load(Path(home))
    with pipeline.exclusive(current):
        pipeline.night(current, NIGHT, TODAY)
    shutil.copytree(home, f"{home}_kept", copy_function=shutil.copy2)
    return {"runs": runs}


def empty_flow() -> dict[str, Any]:
    """Run a Prefect flow that does nothing, under a server of its own, as every night does."""
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        from hamload import settings

        os.environ.update(settings.prefect_environment(Path(place)))
        with _clock(told):
            from prefect import flow

            @flow(log_prints=False)
            def nothing() -> int:
                return 1

            nothing()
    return told


def squad(runners: str) -> dict[str, Any]:
    """All daily metrics of a squad over three years."""
    from hamload import settings
    from hamload.load import squad_metrics

    loads, series = _loads(int(runners)), settings.load(Path("/nonexistent")).model.series
    told: dict[str, Any] = {"days": loads.size}
    list(squad_metrics(loads[:10], loads[:10], series))
    with _clock(told):
        for _ in squad_metrics(loads, loads, series, workers=os.process_cpu_count() or 1):
            pass
    return told


def _loads(runners: int) -> Any:
    draw = np.random.default_rng(7)
    return np.round(draw.gamma(2, 20, (runners, 1095)) * draw.integers(0, 2, (runners, 1095)), 2)


def squad_acwr(runners: str) -> dict[str, Any]:
    """Return the same days' ratio, one form of it, by the acwr package."""
    import acwr
    import pandas as pd

    loads = _loads(int(runners))
    days = pd.date_range("2024-01-01", periods=1095)
    frame = pd.DataFrame(
        {
            "athlete": np.repeat(np.arange(int(runners)), 1095),
            "date": np.tile(days, int(runners)),
            "load": loads.ravel(),
        }
    )
    told: dict[str, Any] = {"days": loads.size}
    with _clock(told):
        acwr.by_athlete(frame, acwr.acwr)
    return told


def squad_pandas(runners: str) -> dict[str, Any]:
    """Return the same days' means by pandas: rolling over 7 and 28 days, both EWMA, the deviation of weeks."""
    import pandas as pd

    loads = _loads(int(runners))
    frame = pd.DataFrame({"athlete": np.repeat(np.arange(int(runners)), 1095), "load": loads.ravel()})
    told: dict[str, Any] = {"days": loads.size}
    with _clock(told):
        by = frame.groupby("athlete", sort=False)["load"]
        acute, chronic = by.rolling(7).mean(), by.rolling(28).mean()
        acute / chronic
        by.rolling(7).std()
        smooth = [by.ewm(span=span, adjust=False).mean() for span in (7, 28)]
        smooth[0] / smooth[1]
    return told


def copy(runners: str) -> dict[str, Any]:
    """Copy the squad's loads once in memory: the least that any pass over them costs."""
    loads = _loads(int(runners))
    into = np.empty_like(loads)
    np.copyto(into, loads)
    told: dict[str, Any] = {"days": loads.size}
    with _clock(told):
        np.copyto(into, loads)
    return told


def model(runs: str) -> dict[str, Any]:
    """Assess runs anew from their samples, as after a changed coefficient."""
    from hamload import settings
    from hamload.load import session_load
    from hamload.records import Athlete, Basis

    current = settings.load(Path("/nonexistent")).model
    athlete = Athlete(easy_speed_mps=2.8, typical_time_s=2700)
    recorded = _recorded()
    told: dict[str, Any] = {"samples": int(runs) * SAMPLES_A_RUN}
    session_load(recorded, athlete, current, basis=Basis.STREAMS)
    with _clock(told):
        for _ in range(int(runs)):
            session_load(recorded, athlete, current, basis=Basis.STREAMS)
    return told


def numpy_pass(runs: str) -> dict[str, Any]:
    """Raise every speed to the demand's power and add up, in one plain NumPy pass a run."""
    recorded = _recorded()
    told: dict[str, Any] = {"samples": int(runs) * SAMPLES_A_RUN}
    with _clock(told):
        for _ in range(int(runs)):
            float(((recorded.speed_mps / 2.8) ** 1.9 * recorded.dt_s).sum())
    return told


def _recorded() -> Any:
    from hamload.records import Samples

    draw = np.random.default_rng(3)
    n = SAMPLES_A_RUN
    speed = np.clip(draw.normal(2.9, 0.3, n), 0, 6)
    empty = np.full(n, np.nan)
    return Samples(
        time_s=np.arange(n, dtype=np.float64),
        dt_s=np.ones(n),
        speed_mps=speed,
        grade=0.03 * np.sin(np.arange(n) / 200),
        distance_m=np.cumsum(speed),
        altitude_m=160 + 10 * np.sin(np.arange(n) / 200),
        latitude_deg=empty,
        longitude_deg=empty,
        heart_rate_bpm=np.full(n, 140.0),
        cadence_spm=np.full(n, 170.0),
    )


def requests(runs: str) -> dict[str, Any]:
    """Count what a first fetch of so many runs asks of each simulated service, by endpoint."""
    from hamload import pipeline, settings
    from hamload.demonstration import sign_in
    from hamload.records import Service, Streams
    from hamload.simulator import SimulatedRunner, year_of
    from hamload.simulator.strava import Limits
    from hamload.simulator.world import World

    def quick(_: Any, run: Any) -> Streams:
        time_s = 10.0 * np.arange(max(round(6 * run.minutes), 2))
        return Streams.of(time_s, speed_mps=np.full(len(time_s), 2.8), distance_m=2.8 * time_s)

    plan = year_of(SimulatedRunner(), NIGHT.date() - dt.timedelta(days=1), 2 * int(runs))[-int(runs) :]
    limits = Limits((10**6, 10**6), (10**6, 10**6))
    told: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        World(SimulatedRunner(), plan, NIGHT, limits=limits, recorder=quick, curls=0) as world,
    ):
        home = Path(place) / "home"
        home.mkdir()
        os.environ.update(world.trust(Path(place) / "authority.pem"))
        accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in Service)
        fetch = "[fetch]\nstrava_backfill_share = 1.0\ngarmin_backfill = 100000\n"
        (home / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{accounts}{fetch}{world.services()}')
        sign_in(home, "me", world)
        current = settings.load(home)
        with _clock(told), pipeline.exclusive(current):
            _, failed = pipeline.fetch(current, NIGHT)
        if failed:
            sys.exit(f"failed: {failed}")
        told["activities"] = len(plan)
        counters: tuple[Any, ...] = (world.strava.asked, world.garmin.requests, world.personal.requests)
        told["asked"] = {service.label: dict(counter) for service, counter in zip(Service, counters, strict=True)}
    return told


def command(*arguments: str) -> dict[str, Any]:
    """Start an installed command and wait for its end."""
    told: dict[str, Any] = {}
    hamload = str(Path(sys.executable).with_name("hamload"))
    subprocess.run([hamload, *arguments], check=True, capture_output=True)
    with _clock(told):
        subprocess.run([hamload, *arguments], check=True, capture_output=True)
    return told


NAMES: dict[str, Callable[..., dict[str, Any]]] = {
    f.__name__: f
    for f in (
        reader,
        stages,
        archive,
        notebook,
        make_home,
        night,
        empty_flow,
        squad,
        squad_acwr,
        squad_pandas,
        copy,
        model,
        numpy_pass,
        requests,
        command,
    )
}

if __name__ == "__main__":
    measured = NAMES[sys.argv[1]](*sys.argv[2:])
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps(measured | {"peak_mb": max(peaks) / 1000}))
