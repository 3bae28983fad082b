"""The parts by their names: how many of each, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torture import kills, page

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
    head = (
        f"Seed {seed}: {killed} times kill -9, at a random share of what a step takes undisturbed, each in a home of its\n"
        "own; one in five is followed by a second kill, of the run that was to mend the first. Then the step is taken\n"
        "again, and the home is compared with that of an undisturbed run: every row of every table, of the ledger of\n"
        "raw documents and of the outbox, every check, the hash of every document, the name of every file.\n"
        "Between the kill and the next run what people read is whole.\n\n"
    )
    tail = (
        f"\n{completed} of {tried} homes equal the undisturbed one. Messages that arrived twice: "
        f"{sum('arrived' in fault for fault in faults)}; that neither arrived nor were quoted by a notice:"
        f" {sum('is lost' in fault for fault in faults)}. A message whose sender was killed while the server was taking it\n"
        "is never sent again, and the next one quotes it (\"Perhaps not received\").\n"
    )
    header = ("step", "kills", "homes", "equal in the end", "messages received", "quoted", "from %", "to %")
    return Told(head + page.table(header, rows) + tail, faults)


PARTS: Mapping[str, Part] = {"kills": Part("Kills", 300, _kills)}
