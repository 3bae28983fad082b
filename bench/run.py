"""The whole bench: every figure beside its peer and its limit, measured in the same run. Writes docs/benchmarks.md.

Usage: python bench/run.py [RUNS [ACTIVITIES...]]. Each figure is the median of RUNS (5) runs, each in a fresh process.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("HAMLOAD_SHARED_DATA", ROOT.parent / "shared" / "data"))
PEERS = ("fitfast", "activity-parser", "acwr", "pandas", "numpy", "duckdb", "prefect")
SQUAD = 10_000
SAMPLES = 11_000_000
#: From this size on an archive is measured three times instead of five.
LARGE = 3000
REQUESTS = 300
DAYS_A_YEAR = 365
MEMORY_MB = 600
#: Steps of a night that take less are not listed.
LEAST_S = 0.05
_NOTEBOOK = "activity-parser, pandas, acwr"


@dataclass(frozen=True, slots=True)
class Measured:
    """The runs of one measurement: the median is what counts, the spread says how much to trust it."""

    runs: tuple[dict[str, Any], ...]

    @property
    def seconds(self) -> float:
        """Return the median."""
        return float(statistics.median(run["seconds"] for run in self.runs))

    @property
    def peak_mb(self) -> float:
        """Return the most that any run took."""
        return float(max(run["peak_mb"] for run in self.runs))

    @property
    def spread(self) -> str:
        """Return the fastest and the slowest run."""
        seconds = [run["seconds"] for run in self.runs]
        return f"{min(seconds):.2f}-{max(seconds):.2f}"

    @property
    def told(self) -> str:
        """Return the median, and of how many runs it is."""
        return f"{self.spread}, {len(self.runs)} run{'s' if len(self.runs) > 1 else ''}"

    def __getitem__(self, name: str) -> Any:
        return self.runs[0][name]


class Bench:
    """Runs measurements, and says on the terminal how far it is."""

    def __init__(self, runs: int) -> None:
        self.runs = runs

    def __call__(self, name: str, *arguments: object, runs: int | None = None) -> Measured:
        """Measure by name, each run in a process of its own."""
        found = Measured(tuple(_once(name, *arguments) for _ in range(runs or self.runs)))
        print(f"{name:<14}{' '.join(map(str, arguments))[-50:]:<52}{found.seconds:9.2f} s  {found.spread}", flush=True)
        return found


def _once(name: str, *arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "measures.py"), name, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what, how long, against what, how many times that, and what it was meant to be."""

    what: str
    seconds: float
    spread: str
    peer: str
    ratio: float
    goal: str
    is_met: bool

    def __str__(self) -> str:
        met = "" if self.goal == "-" else "met" if self.is_met else "**not met**"
        return (
            f"| {self.what} | {self.seconds:.2f} | {self.spread} | {self.peer} | {self.ratio:,.2f} x | {self.goal} |"
            f" {met} |"
        )


def main(runs: int, sizes: list[int]) -> None:
    """Measure everything and write the page."""
    bench = Bench(runs)
    with tempfile.TemporaryDirectory() as text:
        place = Path(text)
        parts = [
            ("From an archive to a digest", list(_archives(bench, place, sizes))),
            ("A night", list(_nights(bench, place))),
            ("A squad: 10,000 runners over three years", list(_squads(bench))),
            ("The model over 11 million samples", list(_models(bench))),
        ]
        notes = [*_memory(_kept, sizes), *_starts(bench, place)]
    _write(parts, notes, runs)


#: What was measured by the archives, for memory and size.
_kept: dict[int, Measured] = {}


def _archives(bench: Bench, place: Path, sizes: list[int]) -> Iterator[Row]:
    whole = place / "archive"
    script = (
        "import datetime as dt,sys;from pathlib import Path;from hamload.simulator import SimulatedRunner,write_year;"
        "write_year(SimulatedRunner(),Path(sys.argv[1]),dt.date(2026,11,22),int(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", script, str(whole), str(int(max(sizes) * 1.6))], check=True)
    files = sorted(whole.iterdir())
    for size in sizes:
        folder = place / f"archive-{size}"
        folder.mkdir()
        for path in files[-size:]:
            (folder / path.name).hardlink_to(path)
        # A run over the largest takes minutes.
        often = {"runs": 3} if size >= LARGE else {}
        alone = bench("reader", folder, **often)
        ours = _kept[size] = bench("archive", folder, **often)
        what = f"{size:,} simulated FIT files"
        yield _row(f"{what}, 1 process", ours, "the reader alone", ours.seconds / alone.seconds, 1.5)
        both, alone_both = bench("archive", folder, 2, **often), bench("reader", folder, 2, **often)
        yield _row(f"{what}, 2 processes", both, "the reader alone", both.seconds / alone_both.seconds, 1.5)
        if size == min(sizes):
            within = bench("stages", folder)
            for part in within["stages"]:
                yield _aside(f"... of it: {part}", _of_it(within, "stages", part), "the reader alone", alone)
            peer = bench("notebook", folder, runs=1)
            yield _row(
                f"{what}", ours, "activity-parser, pandas, acwr", peer.seconds / ours.seconds, 20, is_faster=True
            )
    least, most = min(sizes), max(sizes)
    if least < most:
        growth = _kept[most].seconds / _kept[least].seconds
        limit = 1.05 * most / least
        yield _row(f"{most:,} files", _kept[most], f"{least:,} files", growth, limit)
    real = SHARED / "activities"
    if real.is_dir():
        alone, ours = bench("reader", _readable(real, place)), bench("archive", place / "real")
        yield _row(f"{ours['files']} real FIT files", ours, "the reader alone", ours.seconds / alone.seconds, 1.5)


def _readable(real: Path, place: Path) -> Path:
    """Return a folder of the real recordings that the reader alone takes."""
    import fitfast

    folder = place / "real"
    folder.mkdir()
    for number, path in enumerate(sorted(real.rglob("*.fit"))):
        try:
            fitfast.records(path.read_bytes())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001, S112  # its panics are no exceptions
            continue
        (folder / f"{number:04}.fit").write_bytes(path.read_bytes())
    return folder


def _nights(bench: Bench, place: Path) -> Iterator[Row]:
    new = place / "new.fit"
    script = (
        "import datetime as dt,sys;from pathlib import Path;"
        "from hamload.simulator import PlannedRun,SimulatedRunner,fit_bytes;"
        "run=PlannedRun(dt.date(2026,11,23),dt.time(7),'easy',50,'flat');"
        "Path(sys.argv[1]).write_bytes(fit_bytes(SimulatedRunner(),run))"
    )
    subprocess.run([sys.executable, "-c", script, str(new)], check=True)
    empty = bench("empty_flow")
    quiet, one = {}, {}
    for years in (1, 10):
        home = place / f"home-{years}"
        _once("make_home", home, DAYS_A_YEAR * years)
        quiet[years] = bench("night", home)
        one[years] = bench("night", home, new)
    yield _row("nothing new, ten years of history", quiet[10], "one year", quiet[10].seconds / quiet[1].seconds, 1.2)
    yield _row("one new run, ten years of history", one[10], "one year", one[10].seconds / one[1].seconds, 1.2)
    yield _row("nothing new, one year", quiet[1], "an empty Prefect flow", quiet[1].seconds / empty.seconds, 0.1)
    for step in sorted(quiet[10]["steps"], key=lambda step: -quiet[10]["steps"][step]):
        ten, year = (_of_it(quiet[years], "steps", step) for years in (10, 1))
        if ten.seconds >= LEAST_S:
            yield _aside(f"... of ten years: {step}", ten, "of one year", year)


def _of_it(whole: Measured, parts: str, name: str) -> Measured:
    """Return one part of a measurement by itself."""
    return replace(whole, runs=tuple({"seconds": run[parts][name]} for run in whole.runs))


def _squads(bench: Bench) -> Iterator[Row]:
    ours, least = bench("squad", SQUAD), bench("copy", SQUAD)
    peer = bench("squad_acwr", SQUAD, runs=3)
    yield _row(
        "ten metrics a day", ours, "acwr.by_athlete, one ratio", peer.seconds / ours.seconds, 100, is_faster=True
    )
    frame = bench("squad_pandas", SQUAD, runs=1)
    yield _row("ten metrics a day", ours, "pandas rolling and ewm", frame.seconds / ours.seconds, 10, is_faster=True)
    yield _aside("ten metrics a day", ours, "one copy of the loads", least)


def _models(bench: Bench) -> Iterator[Row]:
    runs = SAMPLES // 3600
    ours, plain = bench("model", runs), bench("numpy_pass", runs)
    rate = ours["samples"] / ours.seconds / 1e6
    yield _aside(f"assessing anew: {rate:.1f} million samples/s", ours, "one plain NumPy pass", plain)


def _aside(what: str, ours: Measured, peer: str, theirs: Measured) -> Row:
    """Return a line that is told beside its peer, and has no goal."""
    return Row(what, ours.seconds, ours.told, peer, ours.seconds / theirs.seconds, "-", is_met=True)


def _row(what: str, ours: Measured, peer: str, ratio: float, goal: float, *, is_faster: bool = False) -> Row:
    sign = "≥" if is_faster else "≤"
    is_met = ratio >= goal if is_faster else ratio <= goal
    return Row(what, ours.seconds, ours.told, peer, ratio, f"{sign} {goal:g} x", is_met)


def _memory(kept: dict[int, Measured], sizes: list[int]) -> Iterator[str]:
    least, most = kept[min(sizes)].peak_mb, kept[max(sizes)].peak_mb
    for size in sizes:
        found = kept[size]
        yield (
            f"{size:,} activities: {found.peak_mb:.0f} MB at most in the process that writes; on disk"
            f" {found['raw_mb']:.0f} MB of raw documents for {found['files_mb']:.0f} MB of files, and"
            f" {found['home_mb'] - found['raw_mb']:.0f} MB of tables, working and published."
        )
    yield (
        f"Goal: {max(sizes):,} activities under {MEMORY_MB} MB: {_met(is_met=most < MEMORY_MB)}; not growing with the"
        f" archive: {most / least:.2f} x the memory for {max(sizes) / min(sizes):.0f} x the activities"
        + "".join(f", {most / kept[size].peak_mb:.2f} x for {max(sizes) / size:.0f} x" for size in sizes[1:-1])
        + "."
    )


def _met(*, is_met: bool) -> str:
    return "met" if is_met else "**not met**"


def _starts(bench: Bench, place: Path) -> Iterator[str]:
    shown = bench("command", "--help")
    status = bench("command", "status", "--home", place / "home-1")
    yield (
        f"`hamload --help` answers in {shown.seconds:.2f} s ({shown.spread}), `hamload status` in"
        f" {status.seconds:.2f} s ({status.spread})."
    )
    found = bench("requests", REQUESTS, runs=1)
    for service, asked in found["asked"].items():
        told = ", ".join(f"{number} {endpoint}" for endpoint, number in sorted(asked.items()))
        each = sum(asked.values()) / found["activities"]
        limit = "limit: 1, its recording" if "streams" in asked else "limit: 1, its file"
        yield f"Requests for each new activity, {service}: {each:.2f} ({limit}); {told} for {REQUESTS} runs."
    yield "Over the days that a service's limits make of a long history: [what nights ask for](nights.md)."


def _write(parts: list[tuple[str, list[Row]]], notes: list[str], runs: int) -> None:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PEERS)
    head = (ROOT / "bench" / "benchmarks.md.txt").read_text()
    told = [
        (
            f"Measured on {dt.datetime.now(tz=dt.UTC).date()}: {platform.machine()}, {os.process_cpu_count()}"
            f" processors, Python {platform.python_version()}, {versions}. Median of {runs} runs, each in a fresh"
            " process.\n"
        )
    ]
    for title, rows in parts:
        told.append(f"## {title}\n")
        told.append(
            "| what | seconds | spread, runs | beside | ratio | goal | |\n"
            "| --- | ---: | ---: | --- | ---: | ---: | --- |"
        )
        told.append("\n".join(map(str, rows)) + "\n")
    told.append("## Memory, disk, start\n")
    told.append("\n".join(f"- {note}" for note in notes) + "\n")
    page = head.replace("{{tables}}\n", "\n".join(told))
    (ROOT / "docs" / "benchmarks.md").write_text(page)
    _chart([row for _, rows in parts for row in rows if row.goal != "-"])
    print(page)


def _chart(rows: list[Row]) -> None:
    """Draw how far each figure is from its goal: left of the line is better."""
    values = []
    for row in rows:
        goal = float(row.goal.split()[1])
        share = goal / row.ratio if row.goal.startswith("≥") else row.ratio / goal
        values.append({"what": f"{row.what} / {row.peer}", "share": share, "is": "met" if row.is_met else "not met"})
    colours = alt.Scale(domain=["met", "not met"], range=["#0072b2", "#d55e00"])
    bars = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar()
        .encode(
            x=alt.X(
                "share:Q",
                title="times the goal (log scale; left of 1 is met)",
                scale=alt.Scale(type="log", domain=[0.3, 12], nice=False),
                axis=alt.Axis(values=[0.5, 1, 2, 5, 10]),
            ),
            # A logarithm has no zero to begin at: each bar leads from the goal.
            x2=alt.X2Datum(1),
            y=alt.Y("what:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
            color=alt.Color("is:N", title=None, scale=colours),
        )
    )
    line = alt.Chart(alt.InlineData(values=[{"share": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="share:Q")
    (bars + line).properties(width=420, padding={"left": 40, "top": 5, "right": 5, "bottom": 5}).save(
        ROOT / "docs" / "benchmarks.svg"
    )


if __name__ == "__main__":
    told = [int(argument) for argument in sys.argv[1:]]
    main(told[0] if told else 5, told[1:] or [300, 1000, 3000])
