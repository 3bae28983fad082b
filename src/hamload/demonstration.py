"""The demo: a simulated runner's year at simulated services, through the same nightly flow that a real home runs.

The demo has its own home, its own Prefect and its own clock; it never touches the user's.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import random
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hamload import journal, pipeline, settings, warehouse
from hamload.advice import logbook
from hamload.errors import ConfigurationError, HamloadError
from hamload.raw import Raw
from hamload.records import Service
from hamload.simulator import SimulatedRunner, write_year, year_of
from hamload.simulator.world import World
from hamload.sources.access import Access
from hamload.sources.tokens import App, Key, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from types import ModuleType

    from hamload.simulator import PlannedRun

#: The demo's own Sunday: a fixed day makes every demo the same, to the last digit.
LAST_DAY = dt.date(2026, 11, 22)
_MARK = ".hamload-demo"

_CONFIG = """\
# The demo's own settings. A real home's config.toml looks the same, but for [services]: those were simulated, on this
# machine, and ended with the demo.
time_zone = "{zone}"

[[athletes]]
id = "demo"
name = "{name} (simulated)"

{accounts}
{services}"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo ends with: the digest as text, and where its things lie."""

    digest_text: str
    places: tuple[tuple[str, Path], ...]


def run(home: Path, say: Callable[[str], None], *, last_day: dt.date = LAST_DAY, days: int = 365) -> Shown:
    """Simulate a runner and their services, run the nightly flow on them under Prefect, and return the digest.

    Raises
    ------
    ConfigurationError
        Where `home` holds something that is not an earlier demo: it is never overwritten.

    """
    _fresh(home)
    runner = SimulatedRunner()
    today = last_day + dt.timedelta(days=1)
    now = dt.datetime.combine(today, dt.time(3, 30), tzinfo=dt.UTC)
    say(f"[bold]1.[/] Simulating a year of {runner.name}'s runs, and the services they are uploaded to ...")
    with World(runner, year_of(runner, last_day, days), now) as world:
        for label, address in _addresses(world):
            say(f"   {label:<23}{address}")
        _sign_in(home, world)
        say("[bold]2.[/] Starting Prefect with a database of its own (the first start takes some 20 seconds) ...")
        os.environ.update(settings.prefect_environment(home))
        nightly = load_flow("nightly").nightly
        say("[bold]3.[/] The night: fetch through the real clients, decode, assess, alert, publish, digest ...")
        state = nightly(home, now, today, return_state=True)
        if not state.is_completed():
            raise HamloadError(
                f"The demo's night did not complete: {state.message}.", "Please report it with this output."
            )
        say(f"   Asked of {', '.join(_asked(world))}.")
    texts = sorted((home / "outbox").glob("*.txt"))
    places = (
        ("digest, text", texts[-1]),
        ("digest, HTML", texts[-1].with_suffix(".html")),
        ("report", home / "report.html"),
        ("tables (DuckDB)", home / "hamload.duckdb"),
        ("raw documents", home / "raw"),
        ("settings", home / "config.toml"),
    )
    return Shown(texts[-1].read_text(encoding="utf-8"), places)


def simulated_home(home: Path) -> Path:
    """Return a home with the simulated runner's year and a made-up journal, made where it is not there yet.

    No service and no Prefect: only for looking at. A home of another version is made anew; two who make it at once do
    not disturb one another.
    """
    sql = settings.shipped("sql")
    if (home / _MARK).is_file() and warehouse.is_current(home, sql):
        return home
    if home.exists() and not (home / _MARK).is_file():
        raise ConfigurationError(f"{home} is not hamload's simulated home.", "Move it away.")
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="simulated-", dir=home.parent))
    except OSError as error:
        raise ConfigurationError(f"{home} cannot be written: {error.strerror}.", "Free it, or import runs.") from error
    try:
        _simulate(made)
        (made / _MARK).touch()
        if home.exists():
            home.rename(made / "before")
        with suppress(OSError):
            # Somebody else was quicker: theirs is as good.
            made.rename(home)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(home / "before", ignore_errors=True)
    return home


def _simulate(home: Path) -> None:
    runner = SimulatedRunner()
    # One worker: whoever asks may be a script that cannot be started again in another process.
    (home / "config.toml").write_text(
        f'time_zone = "{runner.time_zone}"\n\n[[athletes]]\nid = "demo"\nname = "{runner.name} (simulated)"\n\n'
        "[import]\nworkers = 1\n",
        encoding="utf-8",
    )
    current = settings.load(home)
    recordings = home / "recordings"
    write_year(runner, recordings, LAST_DAY, 365)
    now = dt.datetime.combine(LAST_DAY + dt.timedelta(days=1), dt.time(3, 30), tzinfo=dt.UTC)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [recordings], "demo", now, through=LAST_DAY)
        _say_how_it_felt(home, year_of(runner, LAST_DAY, 365))
        pipeline.refresh(current, LAST_DAY + dt.timedelta(days=1), now=now)
    shutil.rmtree(recordings)


def _say_how_it_felt(home: Path, runs: Sequence[PlannedRun]) -> None:
    """Make up a journal: tightness follows the hard minutes of the days before it, with much chance; curls from spring.

    Made up so that the notebooks have something to show; it says nothing about anybody's hamstrings.
    """
    chance = random.Random(_JOURNAL_SEED)  # noqa: S311  # a made-up journal
    hard: dict[dt.date, float] = {}
    for run in runs:
        weight = {"easy": 0.3}.get(run.kind, 1.0)
        hard[run.date] = hard.get(run.date, 0.0) + weight * run.minutes
    with Raw(home) as raw, raw.batch(journal.SOURCE, "demo", dt.datetime.combine(LAST_DAY, _EVENING)) as batch:
        for back in range(364, -1, -1):
            day = LAST_DAY - dt.timedelta(days=back)
            at = dt.datetime.combine(day, _EVENING)
            if chance.random() < _ENTRY_SHARE:
                asked = sum(hard.get(day - dt.timedelta(days=n), 0.0) for n in range(5))
                level = min(10, max(0, round(asked / 62 + chance.gauss(0, 1.1))))
                journal.append(batch, "tightness", day, at, logbook.tightness(str(level), "left"))
            if back < _CURLS_DAYS and day.weekday() in {1, 4} and chance.random() < _CURLS_SHARE:
                dose = "1x5" if back > _CURLS_DAYS - 9 else f"2x{min(15, 5 + 2 * ((_CURLS_DAYS - back) // 30))}"
                journal.append(batch, "curls", day, at, logbook.curls(dose, "7"))


#: Of the made-up journal: its chance, on which share of the days something is logged, and when curls began.
_JOURNAL_SEED, _ENTRY_SHARE, _CURLS_DAYS, _CURLS_SHARE = 7, 0.8, 200, 0.75
_EVENING = dt.time(20, 30, tzinfo=dt.UTC)


def _addresses(world: World) -> tuple[tuple[str, str], ...]:
    addresses = (world.strava.address, world.garmin.base, world.personal.base)
    return tuple(zip((service.label for service in Service), addresses, strict=True))


def _asked(world: World) -> Iterator[str]:
    counters: tuple[Mapping[Any, int], ...] = (world.strava.asked, world.garmin.requests, world.personal.requests)
    for service, counter in zip(Service, counters, strict=True):
        yield f"{service.label} {sum(counter.values())} requests"


def _sign_in(home: Path, world: World) -> None:
    """Leave what `hamload auth` leaves: tokens in files of their own, and the accounts in config.toml."""
    accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\nathlete = "demo"\n\n' for service in Service)
    config = _CONFIG.format(
        zone=world.runner.time_zone, name=world.runner.name, accounts=accounts, services=world.services()
    )
    (home / "config.toml").write_text(config, encoding="utf-8")
    os.environ.update(world.trust(home / "simulated-authority.pem"))
    sign_in(home, "demo", world)


def sign_in(home: Path, athlete_id: str, world: World, services: Collection[Service] = tuple(Service)) -> None:
    """Leave in a home what `hamload auth` leaves of a sign-in, without the browser and the keyboard."""
    access = Access.of(home, athlete_id)
    if Service.STRAVA in services:
        told = world.strava.tokens()
        expires_at = dt.datetime.fromtimestamp(told["expires_at"], dt.UTC)
        tokens = Tokens(told["access_token"], told["refresh_token"], expires_at, "read,activity:read_all")
        access.strava.save(tokens)
        access.strava_app.save(App(world.strava.client_id, world.strava.client_secret))
    if Service.GARMIN in services:
        access.garmin.mkdir(mode=0o700, exist_ok=True)
        path = access.garmin / "garmin_tokens.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(world.garmin.tokens()), encoding="utf-8")
    if Service.GARMIN_PERSONAL in services:
        access.garmin_personal.save(Key(world.key))


def load_flow(name: str) -> ModuleType:
    """Import a flow from the folder that ships with hamload, at the top of a checkout or inside the package."""
    path = settings.shipped("flows") / f"{name}.py"
    module_name = f"hamload_flows_{name}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise HamloadError(f"The flow {path} is missing.", "Install hamload again.")
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return sys.modules[module_name]


def _fresh(home: Path) -> None:
    if home.is_dir() and any(home.iterdir()):
        if not (home / _MARK).is_file():
            raise ConfigurationError(
                f"{home} is not an earlier demo, and the demo would overwrite it.", "Name another folder with --home."
            )
        shutil.rmtree(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / _MARK).touch()
    except OSError as error:
        raise ConfigurationError(f"{home} cannot be written: {error.strerror}.", "Name another with --home.") from error
