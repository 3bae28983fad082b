"""The parts by their names: how many of each, and what is told of them."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torture import hostile, inputs, kills, nights, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Told:
    """What a part found: its section of the page, and what did not hold."""

    text: str
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part: the title of its section, how many make it whole, and how it is run."""

    title: str
    count: int
    run: Callable[[int, int], Told]


def _kills(count: int, seed: int) -> Told:
    tallies = kills.run(count, seed, lambda line: print(line, flush=True))
    rows: list[tuple[object, ...]] = [
        (t.step, t.kills, t.tried, t.completed, t.received, t.quoted, f"{100 * min(t.moments, default=0):.0f}",
         f"{100 * max(t.moments, default=0):.0f}")
        for t in tallies
    ]  # fmt: skip
    killed, tried, completed = (sum(getattr(t, name) for t in tallies) for name in ("kills", "tried", "completed"))
    faults = [fault for t in tallies for fault in t.faults]
    head = page.flowed(
        f"Seed {seed}: {killed} times kill -9, at a random share of what a step takes undisturbed, each in a home of"
        " its own; one in five is followed by a second kill, of the run that was to mend the first. Then the step is"
        " taken again, and the home is compared with that of an undisturbed run: every row of every table, of the"
        " ledger of raw documents and of the outbox, every check, the hash of every document, the name of every file."
        " Between the kill and the next run what people read is whole."
    )
    twice, lost = (sum(words in fault for fault in faults) for words in ("arrived", "is lost"))
    tail = page.flowed(
        f"{completed} of {tried} homes equal the undisturbed one. Messages that arrived twice: {twice}; that neither"
        f" arrived nor were quoted by a notice: {lost}. A message whose sender was killed while the server was taking"
        ' it is never sent again, and the next one quotes it ("Perhaps not received").'
    )
    header = ("step", "kills", "homes", "equal in the end", "messages received", "quoted", "from %", "to %")
    return Told(f"{head}\n{page.table(header, rows)}\n{tail}", faults)


def _inputs(count: int, seed: int) -> Told:
    shared = Path(os.environ.get("HAMLOAD_SHARED_DATA", page.PAGE.parents[2] / "shared" / "data"))
    tally = inputs.run(count, seed, shared if shared.is_dir() else None, lambda line: print(line, flush=True))
    formats = list(hostile.SHARES)
    total = sum(tally.kinds.values())
    rows: list[tuple[object, ...]] = []
    for name in formats:
        number = sum(n for (format_, _), n in tally.kinds.items() if format_ == name)
        refused = sum(n for (format_, _), n in tally.reasons.items() if format_ == name)
        rows.append((name, number, tally.read[name], refused, number - tally.read[name] - refused))
    kinds = "".join(
        f"- {name}: " + ", ".join(f"{kind} {n:,}" for (f, kind), n in sorted(tally.kinds.items()) if f == name) + "\n"
        for name in formats
    )
    reasons = "".join(
        page.table((f"{name}: reasons", "files"), list(inputs.most(tally, name))) + "\n" for name in formats
    )
    broken, outside, failed = (
        sum(words in fault for fault in tally.faults) for words in ("the import of", "outside the home", "the check")
    )
    slowest = max(tally.seconds, default=0.0) / max(statistics.median(tally.seconds), 1e-9)
    head = page.flowed(
        f"Seed {seed}: {total:,} hostile files in batches of {inputs.BATCH}, each beside {inputs.GOOD} good ones,"
        f" imported from a folder by the importer with its reader processes ({inputs.MAX_SECONDS} s and"
        f" {inputs.MAX_MEMORY_MB} MB a document, {inputs.MAX_FILE_MB} MB unpacked), then merged, assessed and"
        f" published. Imports that broke off: {broken}. Good files that arrived: {tally.good_arrived:,} of"
        f" {tally.good:,}. Files made outside the home: {outside}. Failed checks: {failed}. The slowest batch took"
        f" {slowest:.1f} times the median one."
    )
    told = page.table(("format", "files", "read", "refused with a reason", "neither"), rows)
    return Told(f"{head}\n{told}\nWhat was done to them:\n\n{kinds}\n{reasons}", tally.faults)


def _nights(count: int, seed: int) -> Told:
    tally = nights.run(count, seed, lambda line: print(line, flush=True))
    head = page.flowed(
        f"Seed {seed}: {tally.nights} nights at the three simulated services; each kind of fault strikes one night in"
        f" {round(1 / nights.SHARE)}, several at once where chance wants it. In the end {tally.sessions} sessions stand"
        f" for {tally.runs} runs, on the same days. Faults found: {len(tally.faults)} (a service that vouches for a day"
        " whose run it did not give, a failure that nobody was told, a day that stays unknown, a check that fails)."
        f" Requests beyond Strava's limits: {tally.beyond}. Failures of a source, night by night: {tally.outages}; with"
        f" a message to the runner about what is open: {tally.told}. The runner signed in anew {tally.signed_in} times,"
        " two nights after they were asked to."
    )
    struck: list[tuple[object, ...]] = [(name, tally.strikes[name]) for name in nights.STRIKES]
    failed: list[tuple[object, ...]] = sorted(tally.failed.items())
    return Told(
        f"{head}\n" + page.table(("fault", "nights"), struck) + "\n" + page.table(("failed", "nights"), failed),
        tally.faults,
    )


PARTS: Mapping[str, Part] = {
    "kills": Part("Kills", 300, _kills),
    "inputs": Part("Hostile inputs", 20_000, _inputs),
    "nights": Part("A year of bad nights", 365, _nights),
}
