"""The demo: a simulated runner's year, through the same nightly flow that a real home runs.

The demo has its own home, its own Prefect and its own clock; it never touches the user's.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hamload import settings
from hamload.errors import ConfigurationError, HamloadError
from hamload.simulator import SimulatedRunner, write_year

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

#: The demo's own Sunday: a fixed day makes every demo the same, to the last digit.
LAST_DAY = dt.date(2026, 11, 22)
_MARK = ".hamload-demo"

_CONFIG = """\
# The demo's own settings. A real home's config.toml looks the same.
time_zone = "{zone}"

[[athletes]]
id = "demo"
name = "{name} (simulated)"

[[folders]]
path = "{inbox}"
athlete = "demo"
reports_rest = true
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo ends with: the digest as text, and where its things lie."""

    digest_text: str
    places: tuple[tuple[str, Path], ...]


def run(home: Path, say: Callable[[str], None], *, last_day: dt.date = LAST_DAY, days: int = 365) -> Shown:
    """Simulate a year, run the nightly flow on it under Prefect, and return the digest.

    Raises
    ------
    ConfigurationError
        Where `home` holds something that is not an earlier demo: it is never overwritten.

    """
    _fresh(home)
    runner = SimulatedRunner()
    inbox = home / "inbox"
    say(f"[bold]1.[/] Simulating a year of {runner.name}'s runs, second by second, as FIT files ...")
    written = write_year(runner, inbox, last_day, days)
    say(f"   {len(written)} recordings in {inbox}. They are simulated, and say so wherever they show.")
    config = _CONFIG.format(zone=runner.time_zone, name=runner.name, inbox=inbox.as_posix())
    (home / "config.toml").write_text(config, encoding="utf-8")
    say("[bold]2.[/] Starting Prefect with a database of its own (the first start takes some 20 seconds) ...")
    os.environ.update(settings.prefect_environment(home))
    nightly = load_flow("nightly").nightly
    say("[bold]3.[/] The night: read, decode, assess, alert, publish, digest ...")
    today = last_day + dt.timedelta(days=1)
    night = dt.datetime.combine(today, dt.time(3, 30), tzinfo=dt.UTC)
    state = nightly(home, night, today, return_state=True)
    if not state.is_completed():
        raise HamloadError(f"The demo's night did not complete: {state.message}.", "Please report it with this output.")
    texts = sorted((home / "outbox").glob("*.txt"))
    places = (
        ("digest, text", texts[-1]),
        ("digest, HTML", texts[-1].with_suffix(".html")),
        ("tables (DuckDB)", home / "hamload.duckdb"),
        ("raw documents", home / "raw"),
        ("recordings", inbox),
        ("settings", home / "config.toml"),
    )
    return Shown(texts[-1].read_text(encoding="utf-8"), places)


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
        home.mkdir(parents=True, exist_ok=True)
        (home / _MARK).touch()
    except OSError as error:
        raise ConfigurationError(f"{home} cannot be written: {error.strerror}.", "Name another with --home.") from error
