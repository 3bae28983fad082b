"""Homes and recordings for the tests of the steps: small ones made by hand, and a simulated runner's year."""

import datetime as dt
import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from hamload import pipeline, settings, warehouse
from hamload.pipeline.intake.putting import Put
from hamload.settings import Settings
from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes, write_year
from hamload.simulator.athlete import Place
from hamload.simulator.fitfile import block, fit_file

LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)

type Leg = tuple[str, str, float, float]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Return the settings of an empty home whose days are those of Recife."""
    return settings_of(tmp_path / "home", 'time_zone = "America/Recife"')


@pytest.fixture(scope="session")
def simulated_home(once: Callable[[str, Callable[[Path], object]], Path]) -> Settings:
    """Return a home that holds a simulated runner's year, assessed. Read it only."""

    def make(folder: Path) -> None:
        write_year(SimulatedRunner(), folder / "year", LAST_DAY, 365)
        current = settings_of(folder / "home", 'time_zone = "Europe/Vienna"')
        with pipeline.exclusive(current):
            pipeline.put_files(current, [folder / "year"], "me", NIGHT, through=LAST_DAY)
            pipeline.refresh(current, LAST_DAY)

    return settings.load(once("simulated", make) / "home")


def settings_of(home: Path, config: str) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(config)
    return settings.load(home)


@pytest.fixture(scope="session")
def home_with() -> Callable[[Path, str], Settings]:
    """Make a home of a folder and the text of its config.toml."""
    return settings_of


@pytest.fixture(scope="session")
def bring() -> Callable[..., Put]:
    """Import paths into a home on some night, and bring every table up to date: `bring(home, *paths, ...)`."""

    def imported(
        home: Settings, *paths: Path, now: dt.datetime = NIGHT, today: dt.date | None = None, **options: Any
    ) -> Put:
        with pipeline.exclusive(home):
            arriving = pipeline.Arriving(home, list(paths), "me", now, **options)
            pipeline.refresh(home, today or now.astimezone(home.zone("me")).date(), arriving=arriving)
        return arriving.put

    return imported


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[tuple[Any, ...]]]:
    """Query the tables that a home has published: `ask(home, "select ...")`."""

    def rows(home: Settings, query: str, *values: object) -> list[tuple[Any, ...]]:
        with warehouse.reader(home.home) as con:
            return con.execute(query, list(values)).fetchall()

    return rows


@pytest.fixture(scope="session")
def tables() -> Callable[[Settings], dict[str, list[tuple[Any, ...]]]]:
    """Return every row of every published table and every course.

    Of `source_health` all but when the source was asked and answered; of courses not where their samples lie.
    """

    def everything(home: Settings) -> dict[str, list[tuple[Any, ...]]]:
        with warehouse.reader(home.home) as con:
            names = con.execute(
                "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
            ).fetchall()
            found = {name: con.execute(_SELECTS.get(name, f"from marts.{name}")).fetchall() for (name,) in names}
            return found | {"courses": con.execute(_COURSES).fetchall()}

    return everything


_COURSES = "select * exclude (chunk) from landing.courses order by all"
_SELECTS = {"source_health": "select * exclude (last_asked_at, last_success_at) from marts.source_health"}


GOLDEN = Path(__file__).with_name("golden.json")
#: Every so many rows one stands whole in the golden file, to see what it is that changed.
_SHOWN = 40


@pytest.fixture(scope="session")
def golden() -> Callable[[Settings, str], None]:
    """Hold a home's sessions and days against what they were: `golden(home, name)`.

    Last digits are those of a processor and of a NumPy: another power or sum may end in another bit. So the golden file
    says what arithmetic it was written with. Where this machine's is the same, every digit of every row must be; where
    it is another one, sums and shown rows are held to eleven digits, and the ids, which are hashes, to nothing.
    HAMLOAD_WRITE_GOLDEN=1 writes the file, for when results are meant to change.
    """

    def held(home: Settings, name: str) -> None:
        found: dict[str, Any] = {"arithmetic": _arithmetic()}
        found["tables"] = {table: _golden_table(home, table) for table in _GOLDEN}
        if not name.startswith("simulated"):
            # What a real runner did is nobody's to publish.
            for told in found["tables"].values():
                told["shown"] = []
        known = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
        if os.environ.get("HAMLOAD_WRITE_GOLDEN"):
            known[name] = found
            GOLDEN.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        expected = known[name]
        if expected["arithmetic"] == found["arithmetic"]:
            assert found["tables"] == expected["tables"]
            return
        for table, told in found["tables"].items():
            assert told["rows"] == expected["tables"][table]["rows"]
            for part in ("sums", "shown"):
                mine, theirs = _floats_of(told[part]), _floats_of(expected["tables"][table][part])
                np.testing.assert_allclose(mine, theirs, rtol=1e-11, equal_nan=True)

    return held


_GOLDEN = {
    # Not where the files lay, and not the names of recordings made of several, which depend on it.
    "sessions": "select * exclude (name, recording_id) from marts.sessions order by athlete_id, start_at, session_id",
    "daily_load": "from marts.daily_load order by athlete_id, date, series",
    "alerts": "select athlete_id, date, state, headline, reasons, plan from marts.alerts order by athlete_id, date",
}


def _golden_table(home: Settings, table: str) -> dict[str, Any]:
    with warehouse.reader(home.home) as con:
        rows = warehouse.rows(con, _GOLDEN[table])
    exact = {
        name: hashlib.sha256("\n".join(_exactly(row[name]) for row in rows).encode()).hexdigest()[:16]
        for name in rows[0]
    }
    sums = {
        name: math.fsum(values).hex()
        for name in rows[0]
        if (values := [row[name] for row in rows if isinstance(row[name], float) and math.isfinite(row[name])])
    }
    shown = [{name: _exactly(value) for name, value in row.items()} for row in rows[::_SHOWN]]
    return {"rows": len(rows), "exact": exact, "sums": sums, "shown": shown if table == "sessions" else shown[-2:]}


def _exactly(value: Any) -> str:
    return value.hex() if isinstance(value, float) else str(value)


def _floats_of(told: Any) -> list[float]:
    if isinstance(told, dict):
        told = [told[name] for name in sorted(told)]
    if isinstance(told, list):
        return [number for item in told for number in _floats_of(item)]
    return [float.fromhex(told)] if str(told).lstrip("-").startswith("0x") or told in {"nan", "inf"} else []


def _arithmetic() -> str:
    """Return a hash of what this machine makes of some sums, powers and waves: equal where its last digits are."""
    x = np.linspace(0.1, 9.7, 4099)
    pieces: list[Any] = [
        x**1.9,
        x**3,
        np.exp(-x),
        np.log(x),
        np.sin(x),
        np.cos(x),
        np.arctan2(x, x[::-1]),
        np.hypot(x, x[::-1]),
    ]
    pieces += [np.cumsum(x), np.add.reduce(x**0.5), np.dot(x, x[::-1]), np.quantile(x, 0.35)]
    pieces += [np.random.default_rng(1).normal(size=99), np.array([math.exp(0.3), math.sin(0.3), 2.9**1.9])]
    told = b"".join(np.asarray(piece).tobytes() for piece in pieces)
    summed = duckdb.connect().execute("select sum(sin(i)), avg(sqrt(i)) from range(5000) t(i)").fetchall()
    return hashlib.sha256(told + repr(summed).encode()).hexdigest()[:16]


#: A run is where its zone is: else the day would be that of the place, not of the clock.
_PLACES = {"America/Recife": Place(-8.05, -34.9, 10), "Pacific/Auckland": Place(-36.9, 174.8, 20)}


@pytest.fixture(scope="session")
def fit_on() -> Callable[..., bytes]:
    """Return the FIT file of a simulated run: `fit_on(date, kind="easy", minutes=30, start=..., zone=...)`."""

    def recorded(
        date: dt.date,
        kind: Any = "easy",
        minutes: float = 30,
        start: dt.time = dt.time(7, 10),
        zone: str = "America/Recife",
    ) -> bytes:
        runner = SimulatedRunner(time_zone=zone, smart_share=0, home=_PLACES.get(zone, SimulatedRunner().home))
        return fit_bytes(runner, PlannedRun(date, start, kind, minutes, "flat"))

    return recorded


@pytest.fixture(scope="session")
def fit_of_legs() -> Callable[[dt.datetime, Sequence[Leg]], bytes]:
    """Return a FIT file with one session for each (sport, sub sport, minutes, m/s), one after the other."""

    def recorded(start: dt.datetime, legs: Sequence[Leg]) -> bytes:
        at = start.timestamp()
        blocks = [block("file_id", type="activity", manufacturer="development", product=0, time_created=at)]
        metres = 0.0
        for index, (sport, sub_sport, minutes, mps) in enumerate(legs):
            seconds = np.arange(60 * minutes)
            blocks.append(
                block(
                    "record",
                    local=0,
                    timestamp=at + seconds,
                    distance=metres + mps * seconds,
                    enhanced_speed=np.full(len(seconds), mps),
                    enhanced_altitude=np.full(len(seconds), 160.0),
                )
            )
            blocks.append(
                block(
                    "session",
                    local=2,
                    message_index=index,
                    timestamp=at + seconds[-1],
                    start_time=at,
                    sport=sport,
                    sub_sport=sub_sport,
                    total_elapsed_time=float(len(seconds)),
                    total_timer_time=float(len(seconds)),
                    total_distance=mps * len(seconds),
                )
            )
            at, metres = at + len(seconds), metres + mps * len(seconds)
        return fit_file([*blocks, block("activity", timestamp=at, num_sessions=len(legs), local_timestamp=at)])

    return recorded


@pytest.fixture(scope="session")
def gpx_of() -> Callable[..., bytes]:
    """Return a GPX track straight north: `gpx_of(start, minutes=20, mps=2.8, sport="running", altitude_m=160)`."""

    def track(
        start: dt.datetime,
        minutes: float = 20,
        mps: float = 2.8,
        sport: str | None = "running",
        altitude_m: float | None = 160,
        title: str = "",
    ) -> bytes:
        elevation = "" if altitude_m is None else f"<ele>{altitude_m}</ele>"
        points = "".join(
            f'<trkpt lat="{-8.05 + mps * second / 111_195:.7f}" lon="-34.9">{elevation}'
            f"<time>{start + dt.timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>"
            for second in range(0, int(60 * minutes) + 1, 5)
        )
        kind = "" if sport is None else f"<type>{sport}</type>"
        return (
            f'<gpx version="1.1" creator="hand"><trk><name>{title}</name>{kind}<trkseg>{points}</trkseg></trk></gpx>'
        ).encode()

    return track
