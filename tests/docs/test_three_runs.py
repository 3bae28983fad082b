"""`docs/three-runs.md` against the real year: the numbers that it prints, and the loads worked out once more by hand.

The plain way below goes from the files' own points to EFM with the formulas of the load model and NumPy alone; it
shares no code with hamload's decoding, cleaning or load.
"""

import datetime as dt
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import fitdecode
import numpy as np
import pytest

import hamload
from hamload import pipeline, settings
from hamload.api import Opened
from hamload.pipeline.intake.putting import Put

type Array = np.ndarray[Any, np.dtype[np.float64]]
type Cell = str | float | None
type Row = dict[str, Any]

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "three-runs.md"
NIGHT = dt.datetime(2021, 7, 5, 6, 30, tzinfo=dt.UTC)
HILLIEST = "runpandas/tests/io/data/fit/run.fit"
FASTEST = "examples/session/fa0d167b-893e-4e48-8ee9-7aca5b6aebb0.gpx"
LONGEST = "runpandas/tests/io/data/samples/2020-12-20T05_50_47-300_Running.tcx"
JUMPING = "examples/session/7ff163c7-3486-434f-8201-e83ce7f675b6.gpx"
TOMTOM = "runpandas/tests/io/data/tcx/run.tcx"
FORGOTTEN = "examples/session/720bf570-d855-4303-87c2-74d85429e52d.gpx"
RUNNERS_OWN = ("examples/session", "examples/11km.tcx", "runpandas/tests/io/data/samples", "stopped_example")
PARTS = ("hill", "speed", "long", "base")
MIN_S, MIN_M, MIN_HISTORY, MIN_RULER = 600, 1000, 8, 0.95


# --- the plain way: the load model's text in NumPy -----------------------------------------------------------------


def cost(grade: Array) -> Array:
    """Minetti et al. 2002, J/kg/m."""
    return 155.4 * grade**5 - 30.4 * grade**4 - 43.3 * grade**3 + 46.3 * grade**2 + 19.5 * grade + 3.6


def uphill(grade: Array) -> Array:
    grade = np.nan_to_num(grade)
    return np.where(grade > 0.01, cost(np.minimum(grade, 0.45) - 0.01) / 3.6, 1.0)


def demand(speed: Array, grade: Array, easy_mps: float) -> Array:
    return (np.minimum(speed, 5) / easy_mps) ** 1.9 * (np.maximum(speed, 5) / 5) ** 3.0 * uphill(grade)


@dataclass(frozen=True)
class _Seconds:
    """One run in cells of about a second: the middle of each on the clock, its length, speed and grade."""

    middle_s: Array
    dt_s: Array
    speed: Array
    grade: Array

    def moving(self) -> "_Seconds":
        rows = self.speed >= 0.5
        return _Seconds(self.middle_s[rows], self.dt_s[rows], self.speed[rows], self.grade[rows])

    @property
    def level(self) -> Array:
        return self.speed * cost(np.nan_to_num(self.grade)) / 3.6

    @property
    def so_far_s(self) -> Array:
        return np.cumsum(self.dt_s) - self.dt_s / 2

    @property
    def sustained(self) -> Array:
        """Mean of the level-equivalent speed over the 30 s of clock around each cell."""
        half = self.dt_s / 2
        clock = np.column_stack((self.middle_s - half, self.middle_s + half)).ravel()
        sums = [np.cumsum(np.column_stack((0 * x, x)).ravel()) for x in (self.level * self.dt_s, self.dt_s)]
        way, time = (np.interp(self.middle_s + 15, clock, x) - np.interp(self.middle_s - 15, clock, x) for x in sums)
        return way / time

    def efm(self, easy_mps: float, typical_s: float, gain: float = 0.25) -> Array:
        factor = 1 + gain * np.clip((self.so_far_s / typical_s - 1) / 1.5, 0, 1)
        return demand(self.speed, self.grade, easy_mps) * factor * self.dt_s / 60

    def parts(self, session: Row) -> Array:
        """Which of PARTS each cell belongs to, as a number."""
        fast = math.inf if session["fast_mps"] is None else session["fast_mps"]
        is_long = self.so_far_s > 1.3 * session["typical_time_s"]
        return np.select([self.grade >= 0.04, self.sustained > fast, is_long], [0, 1, 2], default=3).astype(float)

    def climb_m(self) -> float:
        up = self.grade > 0.01
        return float((self.grade * self.speed * self.dt_s)[up].sum())


def by_part(seconds: _Seconds, session: Row) -> list[float]:
    efm, part = seconds.efm(session["easy_speed_mps"], session["typical_time_s"]), seconds.parts(session)
    return [float(efm[part == k].sum()) for k in range(4)]


# --- the files' own points -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Points:
    """What a file holds: clock, way so far (counted by the device, else along the positions), NaN where not written."""

    time_s: Array
    metres: Array
    altitude_m: Array
    speed: Array
    heart_rate: Array
    east_north: Array

    @property
    def gaps(self) -> Array:
        return np.diff(self.time_s)

    def seconds(
        self, window_m: float, *, own_speed: bool = True, ruler_s: float = 15, altitude: bool = True
    ) -> _Seconds:
        """Read at the middle of every second: the device's own speed, else the way in the `ruler_s` around it.

        Grade is the rise from one end of the window to the other over its length. Nothing counts between points further
        apart than 25 s.
        """
        end = self.time_s[-1]
        middle = np.arange(0.5, end)
        if own_speed:
            known = np.isfinite(self.speed)
            speed = np.interp(middle, self.time_s[known], self.speed[known])
        else:
            first, last = np.maximum(middle - ruler_s / 2, 0), np.minimum(middle + ruler_s / 2, end)
            way = np.interp(last, self.time_s, self.metres) - np.interp(first, self.time_s, self.metres)
            speed = way / (last - first)
        grade = np.full(len(middle), np.nan)
        if altitude:
            known = np.isfinite(self.altitude_m)
            way, rise = self.metres[known], self.altitude_m[known]
            at = np.interp(middle, self.time_s, self.metres)
            first, last = np.maximum(at - window_m / 2, way[0]), np.minimum(at + window_m / 2, way[-1])
            grade = (np.interp(last, way, rise) - np.interp(first, way, rise)) / (last - first)
        near = self.gaps[np.clip(np.searchsorted(self.time_s, middle) - 1, 0, None)] <= 25
        return _Seconds(middle[near], np.ones(int(near.sum())), speed[near], grade[near])

    def beeline(self, ruler_s: float) -> _Seconds:
        """Take for speed the straight line between the places half a ruler before and half one after."""
        middle = np.arange(0.5, self.time_s[-1])
        first, last = np.maximum(middle - ruler_s / 2, 0), np.minimum(middle + ruler_s / 2, self.time_s[-1])
        steps = [np.interp(last, self.time_s, axis) - np.interp(first, self.time_s, axis) for axis in self.east_north]
        near = self.gaps[np.clip(np.searchsorted(self.time_s, middle) - 1, 0, None)] <= 25
        speed = np.hypot(*steps) / (last - first)
        return _Seconds(middle[near], np.ones(int(near.sum())), speed[near], np.full(int(near.sum()), np.nan))

    def ruler(self) -> float:
        """Return the way with a ruler of 30 s over the way with one of 1 s."""
        return float(self.beeline(30).speed.sum() / self.beeline(1).speed.sum())

    def turns_back(self) -> int:
        """Count how often a step of more than 2 m points back by more than 120 degrees from the step before."""
        steps = np.diff(self.east_north)
        length = np.hypot(*steps)
        turned = (steps[:, 1:] * steps[:, :-1]).sum(axis=0) < -0.5 * length[1:] * length[:-1]
        return int((turned & (length[1:] > 2)).sum())


@cache
def read(path: Path) -> _Points:
    return _read_fit(path) if path.suffix == ".fit" else _read_xml(path)


def _read_fit(path: Path) -> _Points:
    with fitdecode.FitReader(path) as reader:
        frames = [f for f in reader if f.frame_type == fitdecode.FIT_FRAME_DATA and f.name == "record"]
    rows = [{field.name: field.value for field in frame.fields} for frame in frames]

    def column(name: str) -> Array:
        return np.array([np.nan if row.get(name) is None else row[name] for row in rows], dtype=np.float64)

    time = np.array([row["timestamp"].timestamp() for row in rows])
    nowhere = np.full((2, len(rows)), np.nan)
    return _Points(
        time - time[0], column("distance"), column("enhanced_altitude"), column("enhanced_speed"),
        column("heart_rate"), nowhere,
    )  # fmt: skip


def _read_xml(path: Path) -> _Points:
    root = ET.fromstring(path.read_text(encoding="utf-8").lstrip())  # noqa: S314  # the tests' own corpus
    points = [p for p in root.iter() if _name(p) in {"trkpt", "Trackpoint"}]
    time = np.array([dt.datetime.fromisoformat(_told(p, "time", "Time")).timestamp() for p in points])

    def column(*names: str) -> Array:
        return np.array([float(_told(p, *names) or "nan") for p in points])

    latitude, longitude = (np.radians([float(p.get(axis, "nan")) for p in points]) for axis in ("lat", "lon"))
    metres = column("DistanceMeters")
    if np.isnan(metres).all():
        half = np.sin(np.diff(latitude) / 2) ** 2
        half += np.cos(latitude[1:]) * np.cos(latitude[:-1]) * np.sin(np.diff(longitude) / 2) ** 2
        metres = np.r_[0.0, np.cumsum(2 * 6_371_000 * np.arcsin(np.sqrt(half)))]
    east_north = 6_371_000 * np.array([longitude * np.cos(np.mean(latitude)), latitude])
    heart_rate = column("hr", "HeartRateBpm")
    return _Points(time - time[0], metres, column("ele", "AltitudeMeters"), column("Speed"), heart_rate, east_north)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _told(point: ET.Element, *names: str) -> str:
    for element in point.iter():
        if _name(element) in names:
            return "".join(element.itertext()).strip()
    return ""


# --- the home and the page -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Year:
    """The real year, imported: its folder, its tables and its sessions by file."""

    folder: Path
    put: Put
    home: Opened
    sessions: dict[str, Row]
    activities: dict[str, Row]
    read: dict[str, dict[str, Array]] = field(default_factory=dict)

    def cleaned(self, file: str) -> dict[str, Array]:
        if file not in self.read:
            self.read[file] = self._cleaned(file)
        return self.read[file]

    def _cleaned(self, file: str) -> dict[str, Array]:
        activity = self.activities[file]["activity_id"]
        frame = self.home.sql(f"select * from landing.samples where activity_id = '{activity}' order by time_s")  # noqa: S608
        return {name: frame[name].to_numpy(dtype=np.float64) for name in frame.columns if name != "activity_id"}

    def seconds(self, file: str) -> _Seconds:
        c = self.cleaned(file)
        return _Seconds(c["time_s"] + c["dt_s"] / 2, c["dt_s"], c["speed_mps"], c["grade"])

    def points(self, file: str) -> _Points:
        return read(self.folder / file)


def _imported(home: Path, folder: Path, paths: list[Path]) -> _Year:
    home.mkdir(parents=True)
    (home / "config.toml").write_text('time_zone = "America/Recife"')
    current = settings.load(home)
    with pipeline.exclusive(current):
        put = pipeline.put_files(current, paths, "me", NIGHT)
        pipeline.refresh(current, NIGHT.date())
    opened = hamload.open(home)
    return _Year(
        folder,
        put,
        opened,
        {_file(row): row for row in _rows(opened, "select * from marts.sessions order by start_at")},
        {_file(row): row for row in _rows(opened, "select * from marts.activities order by start_at")},
    )


def _file(row: Row) -> str:
    return str(row["name"]).rpartition("/activities/runpandas/")[2]


def _rows(home: Opened, query: str) -> list[Row]:
    frame = home.sql(query)
    records: list[Row] = frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]
    return records


@pytest.fixture(scope="module")
def year(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> _Year:
    folder = shared_data / "activities" / "runpandas"
    return _imported(tmp_path_factory.mktemp("year") / "home", folder, [folder])


@pytest.fixture(scope="module")
def alone(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> _Year:
    """Return the same without the six recordings of other people."""
    folder = shared_data / "activities" / "runpandas"
    paths = [p for p in sorted(folder.rglob("*.[gt][pc]x")) if any(own in p.as_posix() for own in RUNNERS_OWN)]
    return _imported(tmp_path_factory.mktemp("alone") / "home", folder, paths)


# --- the page's tables, computed -----------------------------------------------------------------------------------


def overview(year: _Year, _: _Year) -> list[list[Cell]]:
    sessions, activities = year.sessions, year.activities
    gpx = [a for file, a in activities.items() if file.startswith("examples/session/")]
    own = [file for file, s in sessions.items() if s["start_at"].year >= 2020]
    return [
        ["files in the folder", sum(1 for p in year.folder.rglob("*") if p.is_file())],
        ["no recordings (a licence, three JSON answers): passed over", year.put.passed_over],
        ["byte for byte the same as another file", year.put.known],
        ["refused, with the reason", len(year.put.refused)],
        ["documents kept", year.put.new],
        ["sessions", len(sessions)],
        ["copies, which count nothing", sum(not a["is_primary"] for a in activities.values())],
        ["sessions of the one runner (2020-07-03 to 2021-07-04)", len(own)],
        ["sessions of other people (2012 to 2019)", len(sessions) - len(own)],
        ["the runner's 68 GPX files that speak for their session", sum(a["is_primary"] for a in gpx)],
        ["the runner's 68 GPX files that are copies of a TCX of the same run", sum(not a["is_primary"] for a in gpx)],
    ]


def labels(year: _Year, _: _Year) -> list[list[Cell]]:
    sessions = year.sessions.values()
    return [
        [label, *(sum(s[f"is_{label}"] is answer for s in sessions) for answer in (True, False, None))]
        for label in ("hill", "speed", "long", "heavy", "easy")
    ]


def confidences(year: _Year, _: _Year) -> list[list[Cell]]:
    found = [s["confidence"] for s in year.sessions.values()]
    return [[grade, found.count(grade)] for grade in ("high", "medium", "low", "very low")]


def copies(year: _Year, _: _Year) -> list[list[Cell]]:
    """Compare the recordings of one run over the minutes that both hold; the late-minutes factor is left out."""
    rows: list[list[Cell]] = []
    by_session = {a["session_id"]: file for file, a in year.activities.items() if a["is_primary"]}
    for file, a in year.activities.items():
        if a["is_primary"]:
            continue
        primary = by_session[a["session_id"]]
        s, b = year.sessions[primary], year.activities[primary]
        begin, end = max(a["start_at"], b["start_at"]), min(a["end_at"], b["end_at"])
        shared = []
        for name, told in ((primary, b), (file, a)):
            moving = year.seconds(name).moving()
            clock = moving.middle_s + (told["start_at"] - begin).total_seconds()
            here = (clock >= 0) & (clock <= (end - begin).total_seconds())
            efm = moving.efm(s["easy_speed_mps"], s["typical_time_s"], gain=0)
            shared += [float((moving.speed * moving.dt_s)[here].sum()) / 1000, float(efm[here].sum())]
            only = float(moving.dt_s[~here].sum()) / 60
        minutes = (end - begin).total_seconds() / 60
        rows.append([str(s["local_date"])[:10], short(primary), short(file), minutes, *shared, only])
    return rows


def hilliest(year: _Year, _: _Year) -> list[list[Cell]]:
    known = {f: s for f, s in year.sessions.items() if s["climb_m"] is not None and s["distance_m"] >= MIN_M}
    ranked = sorted(known.items(), key=lambda item: -item[1]["climb_m"] / item[1]["distance_m"])
    return [
        [short(file), s["distance_m"] / 1000, s["climb_m"], 1000 * s["climb_m"] / s["distance_m"]]
        for file, s in ranked[:4]
    ]


def fastest(year: _Year, _: _Year) -> list[list[Cell]]:
    rows: list[list[Any]] = []
    for file, s in year.sessions.items():
        if s["moving_time_s"] < MIN_S or s["confidence"] not in {"high", "medium"}:
            continue
        moving = year.seconds(file).moving()
        mean = float(np.average(moving.level, weights=moving.dt_s))
        rows.append([file, mean, s["history_runs"]])
    rows.sort(key=lambda row: -row[1])
    for row in rows[:6]:
        is_counted = year.activities[row[0]]["speed_source"] == "positions"
        ruler = year.points(row[0]).ruler() if is_counted else None
        why = "stands" if ruler is None or ruler >= MIN_RULER else "its positions jump"
        row[:] = [short(row[0]), row[1], row[2], "counted by the watch" if ruler is None else ruler,
                  "nothing is known of what is fast for this runner" if row[2] < MIN_HISTORY else why]  # fmt: skip
    return rows[:6]


def longest(year: _Year, _: _Year) -> list[list[Cell]]:
    ranked = sorted(year.sessions.items(), key=lambda item: -item[1]["distance_m"])[:3]
    return [[short(file), s["distance_m"] / 1000, s["moving_time_s"] / 60, s["confidence"]] for file, s in ranked]


def recording(year: _Year, file: str) -> list[list[Cell]]:
    points, a = year.points(file), year.activities[file]
    altitude = points.altitude_m[np.isfinite(points.altitude_m)]
    return [
        ["points", len(points.time_s)],
        ["clock from the first to the last, s", points.time_s[-1]],
        ["usual spacing (median), s", float(np.median(points.gaps))],
        ["gaps of more than 10 s", int((points.gaps > 10).sum())],
        ["longest gap, s", float(points.gaps.max())],
        ["points with altitude, %", 100 * len(altitude) / len(points.time_s)],
        ["lowest and highest altitude, m", f"{altitude.min():.1f} to {altitude.max():.1f}"],
        ["points with heart rate, %", 100 * float(np.isfinite(points.heart_rate).mean())],
        ["way, as the file's points give it, m", points.metres[-1]],
        ["hamload: speed from", {"device": "the device's own speed", "positions": "positions"}[a["speed_source"]]],
        ["hamload: altitude from", {"barometer": "a barometer", "gps": "GPS"}[a["altitude_source"]]],
        ["hamload: seconds used", a["used_s"]],
        ["hamload: seconds paused", a["paused_s"]],
        ["hamload: seconds lost (no record)", a["lost_s"]],
        ["hamload: seconds dropped (implausible)", a["dropped_s"]],
    ]


def session(year: _Year, file: str) -> list[list[Cell]]:
    s = year.sessions[file]
    return [
        ["distance, m", s["distance_m"]],
        ["moving time, s", s["moving_time_s"]],
        ["climb, m", s["climb_m"]],
        ["easy speed, m/s", s["easy_speed_mps"]],
        ["T, min", s["typical_time_s"] / 60],
        ["own P90, m/s", s["fast_mps"]],
        ["own P98, m/s", s["very_fast_mps"]],
        ["runs in the 90 days before", s["history_runs"]],
        ["**load, EFM**", s["load_efm"]],
        *([f"{part}, EFM", s[f"load_{part}_efm"]] for part in PARTS),
        *([f"is {label}?", yes(s[f"is_{label}"])] for label in ("hill", "speed", "long", "heavy", "easy")),
        ["distance against the longest in 30 days", s["spike_distance"]],
        ["confidence", s["confidence"]],
    ]


def kilometres(year: _Year, file: str) -> list[list[Cell]]:
    c, s = year.cleaned(file), year.sessions[file]
    rows = c["speed_mps"] >= 0.5
    moving = year.seconds(file).moving()
    efm, part = moving.efm(s["easy_speed_mps"], s["typical_time_s"]), moving.parts(s)
    km, rate = np.floor(c["distance_m"][rows] / 1000), c["heart_rate_bpm"][rows]
    table: list[list[Cell]] = []
    for k in np.unique(km):
        here = km == k
        now = _Seconds(moving.middle_s[here], moving.dt_s[here], moving.speed[here], moving.grade[here])
        table.append(
            [
                k + 1, now.dt_s.sum() / 60, float(np.average(now.speed, weights=now.dt_s)),
                None if s["climb_m"] is None else 100 * float(np.nanmean(now.grade)),
                float(np.nanmean(rate[here])),
                float(np.average(demand(now.speed, now.grade, s["easy_speed_mps"]), weights=now.dt_s)),
                float(efm[here].sum()), *(float(efm[here & (part == p)].sum()) for p in range(4)),
            ]
        )  # fmt: skip
    everything = by_part(moving, s)
    easy = moving.efm(s["easy_speed_mps"], s["typical_time_s"], gain=0)
    whole: list[Cell] = ["all", moving.dt_s.sum() / 60, float(np.average(moving.speed, weights=moving.dt_s)), ""]
    whole += [float(np.nanmean(rate)), float(60 * easy.sum() / moving.dt_s.sum()), sum(everything), *everything]
    return [*table, whole]


def beside(year: _Year, file: str, first_s: int, last_s: int) -> list[list[Cell]]:
    """Put each cleaned second beside the point that the file holds at it, "" where it holds none."""
    points, c, s = year.points(file), year.cleaned(file), year.sessions[file]
    all_seconds = year.seconds(file)
    moving = dict(zip(all_seconds.moving().middle_s, all_seconds.moving().parts(s), strict=True))
    rows: list[list[Cell]] = []
    for i in np.flatnonzero((c["time_s"] >= first_s) & (c["time_s"] < last_s)):
        at = np.flatnonzero(np.abs(points.time_s - c["time_s"][i]) < 0.01)
        raw: list[Cell] = ["", "", ""]
        if len(at):
            p = int(at[0])
            way, altitude = points.metres[p] - points.metres[p - 1], points.altitude_m[p]
            own = points.speed[p] if np.isfinite(points.speed).any() else way / points.gaps[p - 1]
            raw = [way, own, "" if math.isnan(altitude) else altitude]
        grade = c["grade"][i]
        h = float(demand(c["speed_mps"][i : i + 1], c["grade"][i : i + 1], s["easy_speed_mps"])[0])
        slope = None if math.isnan(grade) else 100 * grade
        part = PARTS[int(moving[all_seconds.middle_s[i]])]
        rows.append([round(c["time_s"][i]), *raw, c["speed_mps"][i], slope, c["distance_m"][i], h, part])
    return rows


def by_hand(year: _Year, file: str) -> list[list[Cell]]:
    s, points = year.sessions[file], year.points(file)
    plain = plain_seconds(year, file).moving()
    parts = by_part(plain, s)
    pairs: list[tuple[str, float, float]] = [
        ("moving time, s", s["moving_time_s"], float(plain.dt_s.sum())),
        ("load, EFM", s["load_efm"], sum(parts)),
        *((f"{part}, EFM", s[f"load_{part}_efm"], parts[k]) for k, part in enumerate(PARTS)),
    ]
    if s["climb_m"] is not None:
        pairs.insert(1, ("climb, m", s["climb_m"], plain.climb_m()))
    pairs.insert(0, ("distance, m", s["distance_m"], points.metres[-1] - points.metres[0]))
    return [[name, ours, theirs, 100 * (theirs / ours - 1) if ours > 1 else ""] for name, ours, theirs in pairs]


def plain_seconds(year: _Year, file: str) -> _Seconds:
    """Read the cells of the plain way by the same choices of channel and window as the load model's text."""
    points, a = year.points(file), year.activities[file]
    window = 60 if a["altitude_source"] == "barometer" else 150
    has_speed = a["speed_source"] == "device"
    return points.seconds(window, own_speed=has_speed, altitude=year.sessions[file]["climb_m"] is not None)


def changes_hilliest(year: _Year, _: _Year) -> list[list[Cell]]:
    s, points = year.sessions[HILLIEST], year.points(HILLIEST)
    easy, typical = s["easy_speed_mps"], s["typical_time_s"]
    cleaned = year.seconds(HILLIEST).moving()
    flat = _tilted(year, HILLIEST, 0)
    own = float(np.median(cleaned.speed[np.abs(cleaned.grade) < 0.02]))
    wide = points.seconds(150).moving()
    counted = points.seconds(60, own_speed=False).moving()
    return against(
        s["load_efm"],
        {
            "every hill taken as flat": flat.efm(easy, typical).sum(),
            "slope over 150 m, as for GPS altitude (plain way)": wide.efm(easy, typical).sum(),
            "speed from the distance counter, not the speed channel (plain way)": counted.efm(easy, typical).sum(),
            "without the late-minutes factor F": cleaned.efm(easy, typical, gain=0).sum(),
            f"easy speed {own:.2f} m/s, the median of this run's own flat seconds": cleaned.efm(own, typical).sum(),
        },
    )


def changes_fastest(year: _Year, alone: _Year) -> list[list[Cell]]:
    s, points = year.sessions[FASTEST], year.points(FASTEST)
    easy, typical = s["easy_speed_mps"], s["typical_time_s"]
    return against(
        s["load_efm"],
        {
            "without the other people's files (easy speed of the one runner)": alone.sessions[FASTEST]["load_efm"],
            "way between points 10 s apart (straight lines)": points.beeline(10).moving().efm(easy, typical).sum(),
            "way between points 30 s apart (straight lines)": points.beeline(30).moving().efm(easy, typical).sum(),
            "the whole way at +2 %, were it not flat": _tilted(year, FASTEST, 0.02).efm(easy, typical).sum(),
        },
    )


def _tilted(year: _Year, file: str, grade: float) -> _Seconds:
    moving = year.seconds(file).moving()
    return _Seconds(moving.middle_s, moving.dt_s, moving.speed, np.full(len(moving.speed), grade))


def changes_longest(year: _Year, alone: _Year) -> list[list[Cell]]:
    s = year.sessions[LONGEST]
    easy, typical = s["easy_speed_mps"], s["typical_time_s"]
    cleaned = year.seconds(LONGEST).moving()
    counted = year.points(LONGEST).seconds(150, own_speed=False).moving()
    return against(
        s["load_efm"],
        {
            "without the late-minutes factor F": cleaned.efm(easy, typical, gain=0).sum(),
            "T of 30 min": cleaned.efm(easy, 1800).sum(),
            "T of 75 min": cleaned.efm(easy, 4500).sum(),
            "speed from the distance counter, not the speed channel (plain way)": counted.efm(easy, typical).sum(),
            "without the other people's files (easy speed of the one runner)": alone.sessions[LONGEST]["load_efm"],
        },
    )


def against(load_efm: float, others: dict[str, float]) -> list[list[Cell]]:
    return [[what, float(efm), 100 * (float(efm) / load_efm - 1)] for what, efm in others.items()]


def laps(year: _Year, _: _Year) -> list[list[Cell]]:
    """Compare each of the watch's laps: its own ascent, its altitude channel from end to end, hamload's climb."""
    with fitdecode.FitReader(year.folder / HILLIEST) as reader:
        frames = [f for f in reader if f.frame_type == fitdecode.FIT_FRAME_DATA and f.name == "lap"]
    told = [{field.name: field.value for field in frame.fields} for frame in frames]
    points, c = year.points(HILLIEST), year.cleaned(HILLIEST)
    begin, rows = 0.0, []
    for number, lap in enumerate(told, 1):
        end = begin + lap["total_distance"]
        first, last = np.interp([begin, end], points.metres, points.altitude_m)
        here = (c["distance_m"] >= begin) & (c["distance_m"] < end) & (c["grade"] > 0.01)
        climb = float((c["grade"] * c["speed_mps"] * c["dt_s"])[here].sum())
        rows.append([number, lap["total_ascent"], lap["total_descent"], float(last - first), climb])
        begin = end
    whole = points.altitude_m[-1] - points.altitude_m[0]
    totals = [sum(row[1] for row in rows), sum(row[2] for row in rows), float(whole), sum(row[4] for row in rows)]
    return [*rows, ["all", *totals]]


def jumping(year: _Year, _: _Year) -> list[list[Cell]]:
    asked = [
        file
        for file, s in year.sessions.items()
        if file.endswith(".gpx") and (s["confidence"] == "medium" or list(s["flags"]) == ["zigzag"])
    ]
    found = sorted((year.points(file).ruler(), file) for file in asked if _is_own(file))
    rows: list[list[Cell]] = []
    for ruler, file in [*found[:4], (year.points(FASTEST).ruler(), FASTEST)]:
        s, points = year.sessions[file], year.points(file)
        straight = points.beeline(30).moving().efm(s["easy_speed_mps"], s["typical_time_s"]).sum()
        turns = 1000 * points.turns_back() / s["distance_m"]
        rows.append(
            [
                short(file),
                ruler,
                turns,
                s["load_efm"],
                float(straight),
                s["confidence"],
                "zigzag" if len(s["flags"]) else "none",
            ]
        )
    return rows


def _is_own(file: str) -> bool:
    return any(own in file for own in RUNNERS_OWN)


def heart(year: _Year, _: _Year) -> list[list[Cell]]:
    """Correlate each minute's heart rate with its speed, and with its level-equivalent speed; minutes with both."""
    rows: list[list[Cell]] = []
    for file in (HILLIEST, FASTEST, LONGEST, JUMPING):
        seconds, rate = year.seconds(file), year.cleaned(file)["heart_rate_bpm"]
        minute = np.floor(seconds.middle_s / 60)
        known = [minute == m for m in np.unique(minute)]
        known = [here for here in known if here.sum() >= 45 and np.isfinite(rate[here]).sum() >= 30]
        means = [[seconds.speed[here].mean(), seconds.level[here].mean(), np.nanmean(rate[here])] for here in known]
        r = np.corrcoef(np.array(means).T)[2]
        rows.append([short(file), len(means), float(r[0]), float(r[1])])
    return rows


def chart(year: _Year, file: str) -> list[str]:
    """Draw each kilometre's load: one letter for half an EFM."""
    lines = []
    for row in kilometres(year, file)[:-1]:
        counts = (round(2 * float(efm or 0)) for efm in row[7:])
        letters = "".join(letter * n for letter, n in zip("HSL.", counts, strict=True))
        lines.append(f"km {row[0]:2.0f}  {letters}")
    return lines


def short(file: str) -> str:
    name = file.rpartition("/")[2]
    return f"`{name[:8]}….gpx`" if re.match(r"[0-9a-f]{8}-", name) else f"`{name}`"


def yes(answer: bool | None) -> str | None:  # noqa: FBT001  # three-valued, not a switch
    return None if answer is None else ("yes" if answer else "no")


def _of(build: Callable[..., list[list[Cell]]], file: str, *more: int) -> Callable[[_Year, _Year], list[list[Cell]]]:
    return lambda year, _: build(year, file, *more)


TABLES: dict[str, Callable[[_Year, _Year], list[list[Cell]]]] = {
    "overview": overview,
    "labels": labels,
    "confidence": confidences,
    "copies": copies,
    "candidates: hilliest": hilliest,
    "candidates: fastest": fastest,
    "candidates: longest": longest,
    "hilliest: recording": _of(recording, HILLIEST),
    "hilliest: session": _of(session, HILLIEST),
    "hilliest: kilometres": _of(kilometres, HILLIEST),
    "hilliest: samples": _of(beside, HILLIEST, 900, 914),
    "hilliest: laps": laps,
    "hilliest: by hand": _of(by_hand, HILLIEST),
    "hilliest: changes": changes_hilliest,
    "fastest: recording": _of(recording, FASTEST),
    "fastest: session": _of(session, FASTEST),
    "fastest: kilometres": _of(kilometres, FASTEST),
    "fastest: samples": _of(beside, FASTEST, 1700, 1714),
    "fastest: by hand": _of(by_hand, FASTEST),
    "fastest: changes": changes_fastest,
    "longest: recording": _of(recording, LONGEST),
    "longest: session": _of(session, LONGEST),
    "longest: kilometres": _of(kilometres, LONGEST),
    "longest: samples": _of(beside, LONGEST, 4946, 5150),
    "longest: by hand": _of(by_hand, LONGEST),
    "longest: changes": changes_longest,
    "jumping": jumping,
    "heart": heart,
}


# --- sentences that carry numbers ----------------------------------------------------------------------------------


def sentences(year: _Year, _: _Year) -> dict[str, str]:
    return {**_of_hilliest(year), **_of_fastest(year), **_of_longest(year), **_of_doubtful(year)}


def _of_hilliest(year: _Year) -> dict[str, str]:
    s, c, points = year.sessions[HILLIEST], year.cleaned(HILLIEST), year.points(HILLIEST)
    altitude = points.altitude_m
    rise, wobble = altitude.max() - altitude[0], np.maximum(np.diff(altitude), 0).sum()
    steps = c["speed_mps"] * c["dt_s"]
    steep = 100 * steps[c["grade"] >= 0.04].sum() / steps.sum()
    counted = points.metres[-1] - points.metres[0]
    (i,) = np.flatnonzero(c["time_s"] == 900)
    v, grade = c["speed_mps"][i : i + 1], c["grade"][i : i + 1]
    easy, up = s["easy_speed_mps"], float(uphill(grade)[0])
    km = np.floor(c["distance_m"] / 1000)
    equal = [float(year.seconds(HILLIEST).level[km == k].mean()) for k in range(6)]
    assert np.argmax(equal) == np.argmax([np.nanmean(c["heart_rate_bpm"][km == k]) for k in range(6)]) == 1
    h = float(demand(v, grade, easy)[0])
    return {
        "ascent": (
            f"hamload's climb is {s['climb_m']:.0f} m. The watch's altitude channel stands {rise:.0f} m higher at the"
            f" top than at the start, and all of its upward steps, wobble included, add up to {wobble:.0f} m"
        ),
        "steep": f"{steep:.0f} % of the way lies at or above +4 %, and 10 % would do",
        "effort": (
            f"kilometre 2 has the highest heart rate and the highest level-equivalent speed, {equal[1]:.1f} m/s against"
            f" {equal[3]:.1f} in kilometre 4"
        ),
        "channels": (
            f"the speed channel adds up to {steps.sum():.0f} m, the distance counter to {counted:.0f} m,"
            f" {100 * (counted / steps.sum() - 1):.1f} % more"
        ),
        "one second": (
            f"h = ({v[0]:.2f} / {easy:.2f})^1.9 * C({grade[0] - 0.01:.3f}) / 3.6 ="
            f" {(v[0] / easy) ** 1.9:.3f} * {up:.2f} = {h:.2f}"
        ),
    }


def _of_fastest(year: _Year) -> dict[str, str]:
    s, points, moving = year.sessions[FASTEST], year.points(FASTEST), year.seconds(FASTEST).moving()
    above = float(moving.dt_s[moving.sustained > s["fast_mps"]].sum())
    first = int(np.argmax(points.gaps > 25))
    last = first + 2
    rate = points.heart_rate
    before, after = rate[: first + 1][~np.isnan(rate[: first + 1])][-1], rate[last:][~np.isnan(rate[last:])][0]
    stopped = points.time_s[last] - points.time_s[first]
    phones = [year.points(f) for f in year.activities if f.startswith("examples/session/")]
    altitude = np.concatenate([p.altitude_m for p in phones])
    highest = np.array([np.nanmax(p.altitude_m, initial=0) for p in phones])
    end = beside(year, FASTEST, 1700, 1714)
    swings, cleaned = ([cell for row in end if isinstance(cell := row[k], float)] for k in (2, 4))
    phone, watch = year.points(_SAME_HILL[0]).altitude_m, year.points(_SAME_HILL[1]).altitude_m
    return {
        "above P90": (
            f"{above / 60:.1f} min, {100 * above / s['moving_time_s']:.0f} % of the run, lie above the own P90 of"
            f" {s['fast_mps']:.2f} m/s; a speed session needs 3 min and 20 %"
        ),
        "stop": (
            f"in {stopped:.0f} s the runner got {points.metres[last] - points.metres[first]:.0f} m further, and the"
            f" heart rate went from {before:.0f} to {after:.0f}"
        ),
        "swing": (
            f"From point to point the speed swings between {min(swings):.1f} and {max(swings):.1f} m/s, which no runner"
            f" does; the cleaned speed (5-s median, 10-s mean) stays between {min(cleaned):.1f} and {max(cleaned):.1f}"
        ),
        "no altitude": (
            f"Over all 68 GPX files {100 * np.isnan(altitude).mean():.0f} % of the points have no `<ele>`, and in"
            f" {(highest < 1).sum()} files no value reaches 1 m"
        ),
        "same hill": (
            f"the phone's `<ele>` runs from {np.nanmin(phone):.2f} to {np.nanmax(phone):.2f} m where the TCX of the"
            f" same run has {np.nanmin(watch):.0f} to {np.nanmax(watch):.0f} m"
        ),
    }


_SAME_HILL = ("examples/session/16aebccf-cf92-4b85-bf64-b7d2d219396b.gpx", "examples/11km.tcx")


def _of_longest(year: _Year) -> dict[str, str]:
    s = year.sessions[LONGEST]
    root = ET.fromstring((year.folder / LONGEST).read_text(encoding="utf-8").lstrip())  # noqa: S314  # own corpus
    told = [lap for lap in root.iter() if _name(lap) == "Lap"]
    timer = [float(_told(lap, "TotalTimeSeconds")) for lap in told]
    counted = sum(float(_told(lap, "DistanceMeters")) for lap in told)
    starts = [dt.datetime.fromisoformat(str(lap.get("StartTime"))) for lap in told]
    clock = (starts[12] - starts[11]).total_seconds()
    typical, moving = s["typical_time_s"], s["moving_time_s"]
    points, lost = year.points(LONGEST), year.activities[LONGEST]["lost_s"]
    states = year.home.sql("select state from marts.alerts where date >= '2020-12-20' order by date")["state"].tolist()
    counted_parts = by_part(points.seconds(150, own_speed=False).moving(), s)
    before = s["distance_m"] / s["spike_distance"]
    assert sum(other["load_efm"] > s["load_efm"] for other in year.sessions.values()) == 1
    return {
        "laps": (
            f"its {len(told)} laps add up to {sum(timer):.0f} s and {counted:.0f} m; hamload has"
            f" {moving:.0f} s ({100 * (moving / sum(timer) - 1):+.1f} %) and {s['distance_m']:.0f} m"
        ),
        "short gaps": f"hamload leaves out {lost - points.gaps.max():.0f} s of short gaps",
        "state": f"hamload's state is *{states[0]}* on that day and *{states[3]}* three days later",
        "counter": (
            f"differ by {100 * (sum(counted_parts) / s['load_efm'] - 1):.0f} % in load, and the small *speed* part is"
            f" {s['load_speed_efm']:.1f} EFM by the one and {counted_parts[1]:.1f} EFM by the other"
        ),
        "second largest": f"the second largest load of the {len(year.sessions)} sessions",
        "stop in lap 12": f"lap 12 lasted {clock:.0f} s by the clock and {timer[11]:.0f} s by the timer",
        "long begins": (
            f"1.3 T is {1.3 * typical / 60:.1f} min, so the last {(moving - 1.3 * typical) / 60:.1f} min are *long*;"
            f" at the end F is {1 + 0.25 * (moving / typical - 1) / 1.5:.3f}"
        ),
        "spike": (
            f"The longest run of the 30 days before was {before / 1000:.2f} km; this one is"
            f" {100 * (s['spike_distance'] - 1):.0f} % beyond it"
        ),
    }


def _of_doubtful(year: _Year) -> dict[str, str]:
    s, a, seconds = year.sessions[FORGOTTEN], year.activities[FORGOTTEN], year.seconds(FORGOTTEN)
    moving = seconds.moving()
    efm = moving.efm(s["easy_speed_mps"], s["typical_time_s"])
    is_next_day = moving.middle_s > 20 * 3600
    rate, clock = year.cleaned(FORGOTTEN)["heart_rate_bpm"], year.cleaned(FORGOTTEN)["time_s"]
    jump = year.sessions[JUMPING]
    own = [(session["start_at"], session["fast_mps"]) for session in year.sessions.values() if session["fast_mps"]]
    august = max(mps for at, mps in own if (at.year, at.month) == (2020, 8))
    later = [mps for at, mps in own if at.year == 2021]
    straight = year.points(JUMPING).beeline(30).moving().efm(jump["easy_speed_mps"], jump["typical_time_s"]).sum()
    tomtom, counter = year.sessions[TOMTOM], year.points(TOMTOM).metres
    leaps = np.diff(counter)[np.diff(counter) > 10]
    pairs = np.array([row[4:8] for row in copies(year, year)], dtype=np.float64)
    far, hard = 100 * np.abs(pairs[:, 2:] / pairs[:, :2] - 1).max(axis=0)
    return {
        "forgotten": (
            f"spans {a['elapsed_time_s'] / 3600:.1f} hours, of which {100 * a['usable_share']:.0f} % could be used."
            f" {efm[is_next_day].sum():.0f} EFM, beside the {s['load_efm']:.0f} of the evening, come from the next"
            f" morning, at up to {moving.speed[is_next_day].max():.1f} m/s and a heart rate of"
            f" {np.nanmean(rate[clock > 20 * 3600]):.0f}"
        ),
        "jump": (
            f"{jump['load_efm']:.1f} EFM as it is counted, {straight:.1f} EFM where the way is measured in straight"
            f" lines of 30 s: hamload says {100 * (jump['load_efm'] / straight - 1):.0f} % more"
        ),
        "pushed up": (
            f"The own P90 stood at {august:.2f} m/s in August 2020, and between {min(later):.2f} and"
            f" {max(later):.2f} m/s in all of 2021"
        ),
        "pairs": f"They differ by up to {far:.0f} % in distance and {hard:.0f} % in load",
        "catching up": (
            f"catches up in one step of {leaps.min():.0f} to {leaps.max():.0f} m, {len(leaps)} times. hamload drops"
            f" such steps as impossible, and the way in them: the watch counted {counter[-1]:.0f} m, hamload"
            f" {tomtom['distance_m']:.0f} m ({100 * (tomtom['distance_m'] / counter[-1] - 1):+.1f} %)"
        ),
    }


# --- the page ------------------------------------------------------------------------------------------------------


def _printed() -> dict[str, list[list[str]]]:
    """Return the page's tables by the name in the comment above each: their rows without the head."""
    tables: dict[str, list[list[str]]] = {}
    for name, table in re.findall(r"<!-- table: (.+?) -->\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8")):
        lines = table.splitlines()[2:]
        tables[name] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return tables


def _agrees(printed: str, computed: Cell) -> bool:
    """Whether a cell says what was computed; a number to the last digit that it shows."""
    if computed is None or isinstance(computed, str):
        return printed == ("unknown" if computed is None else computed)
    text = printed.replace("−", "-").replace("+", "")  # noqa: RUF001  # the page's own minus
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return False
    decimals = len(text.partition(".")[2])
    return bool(abs(float(text) - float(computed)) <= 0.5001 / 10**decimals)


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_the_page_has_every_table_that_is_checked_and_no_other() -> None:
    assert set(_printed()) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_the_imported_year_says(name: str, year: _Year, alone: _Year) -> None:
    printed, computed = _printed()[name], TABLES[name](year, alone)
    assert len(printed) == len(computed)
    wrong = [
        f"row {n}: the page says {said!r}, computed was {cell!r}"
        for n, (line, row) in enumerate(zip(printed, computed, strict=True), 1)
        for said, cell in zip(line, row, strict=True)
        if not _agrees(said, cell)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_sentence_with_a_number_says_what_the_imported_year_says(year: _Year, alone: _Year) -> None:
    page = _flat(PAGE.read_text(encoding="utf-8"))
    missing = {name: said for name, said in sentences(year, alone).items() if _flat(said) not in page}
    assert missing == {}


@pytest.mark.parametrize("file", [HILLIEST, FASTEST, LONGEST])
def test_a_chart_and_the_reason_for_the_confidence_are_those_of_the_run(file: str, year: _Year) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(chart(year, file)) in page
    assert year.sessions[file]["confidence_why"] in _flat(page.replace("\n>", "\n"))


def test_the_three_runs_are_those_that_the_criteria_choose(year: _Year, alone: _Year) -> None:
    assert hilliest(year, alone)[0][0] == short(HILLIEST)
    assert next(row[0] for row in fastest(year, alone) if row[-1] == "stands") == short(FASTEST)
    assert longest(year, alone)[0][0] == short(LONGEST)


@pytest.mark.parametrize("file", [HILLIEST, FASTEST, LONGEST])
def test_the_load_is_within_half_a_per_cent_of_the_plain_way(file: str, year: _Year) -> None:
    """The plain way shares no code with hamload and goes from the file's own points to EFM."""
    s, plain = year.sessions[file], plain_seconds(year, file).moving()
    parts = by_part(plain, s)
    assert sum(parts) == pytest.approx(s["load_efm"], rel=0.005)
    assert parts == pytest.approx([s[f"load_{part}_efm"] for part in PARTS], abs=0.5)
    assert plain.dt_s.sum() == pytest.approx(s["moving_time_s"], rel=0.01)
    points = year.points(file)
    assert points.metres[-1] - points.metres[0] == pytest.approx(s["distance_m"], rel=0.001)
    if s["climb_m"] is not None:
        assert plain.climb_m() == pytest.approx(s["climb_m"], abs=2)


@pytest.mark.parametrize("file", [HILLIEST, FASTEST, LONGEST])
def test_the_kilometres_add_up_to_the_load_and_its_parts(file: str, year: _Year) -> None:
    s = year.sessions[file]
    for column, name in enumerate(("load_efm", *(f"load_{part}_efm" for part in PARTS)), start=6):
        added = sum(float(row[column] or 0) for row in kilometres(year, file)[:-1])
        assert added == pytest.approx(s[name], abs=0.02)


def test_every_file_that_the_page_names_is_in_the_folder(year: _Year) -> None:
    named = re.findall(r"`((?:examples|runpandas)/[^`]+\.(?:fit|gpx|tcx))`", PAGE.read_text(encoding="utf-8"))
    assert {HILLIEST, FASTEST, LONGEST, JUMPING, FORGOTTEN} <= set(named)
    assert [name for name in named if not (year.folder / name).is_file()] == []


def test_the_page_gives_no_place_away() -> None:
    """A coordinate needs four digits behind the point; no number of the page has them."""
    assert re.findall(r"\d\.\d{4}", PAGE.read_text(encoding="utf-8")) == []
