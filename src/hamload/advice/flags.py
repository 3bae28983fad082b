"""The red flags of the load model's section 6: signs that end every exercise advice and belong to a clinician.

A flag is open from the day it is logged until the day on which the runner logs that it was looked at (`cleared`). Time
alone never closes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.language import Text, text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One sign: its name on the command line, what it means, and whether it cannot wait for an appointment."""

    name: str
    meaning: Text
    is_urgent: bool = False


FLAGS: dict[str, RedFlag] = {
    flag.name: flag
    for flag in (
        RedFlag("saddle-numbness", text("numb in the saddle area (inner thighs, groin, seat)"), is_urgent=True),
        RedFlag("bladder-or-bowel-change", text("a change in bladder or bowel control"), is_urgent=True),
        RedFlag("hot-swollen-calf", text("a hot, swollen calf"), is_urgent=True),
        RedFlag("hot-swollen-thigh", text("a hot, swollen thigh"), is_urgent=True),
        RedFlag("pop", text("a pop in the back of the thigh")),
        RedFlag("sudden-sharp-pain", text("sudden sharp pain")),
        RedFlag("bruising", text("bruising")),
        RedFlag("swelling", text("swelling")),
        RedFlag("cannot-walk-normally", text("you cannot walk as you normally do")),
        RedFlag("marked-weakness", text("the leg is clearly weak")),
        RedFlag("sit-bone-pain", text("pain at the sit bone when you sit")),
        RedFlag("numbness", text("numbness")),
        RedFlag("tingling", text("tingling")),
        RedFlag("pain-below-knee", text("pain that runs below the knee")),
        RedFlag("night-or-rest-pain", text("pain at night or at rest")),
    )
}


@dataclass(frozen=True, slots=True)
class FlagEntry:
    """A flag logged, or cleared, for a day, and when that was written."""

    name: str
    date: dt.date
    logged_at: dt.datetime
    is_cleared: bool


def open_flags(entries: Iterable[FlagEntry], on: dt.date) -> tuple[str, ...]:
    """Return the names of the flags that are open at the end of a day, urgent ones first.

    A clearance closes what was written before it, of its own day or earlier. What is written after it opens the flag
    again, whatever day it speaks of: nobody has looked at it since.
    """
    still: dict[str, list[dt.date]] = {}
    for entry in sorted(entries, key=lambda e: e.logged_at):
        if entry.date > on:
            continue
        if entry.is_cleared:
            still[entry.name] = [date for date in still.get(entry.name, ()) if date > entry.date]
        else:
            still.setdefault(entry.name, []).append(entry.date)
    return tuple(name for name in FLAGS if still.get(name))


def is_urgent(names: Iterable[str]) -> bool:
    """Return whether one of these flags cannot wait for an appointment."""
    return any(FLAGS[name].is_urgent for name in names)
