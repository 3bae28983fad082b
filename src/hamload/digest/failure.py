"""The message about a night that did not go well: what failed, what it means for the numbers, what mends it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `covered_until`: of a source, the last day that it has vouched for.

    `about` is what it concerns ("Garmin Connect", "the tables"); `is_source` whether days are unknown because of it.
    """

    about: str
    what: str
    remedy: str
    is_source: bool = False
    covered_until: dt.date | None = None


def failure_subject(trouble: Trouble) -> str:
    """Return the subject of the message: what does not work, in a few words."""
    return f"hamload: {trouble.about} {'could not be read' if trouble.is_source else 'went wrong'} last night"


def failure_text(trouble: Trouble, athlete_name: str) -> str:
    """Return the message: what happened, what it means, what to do. It is told once, until it is over."""
    lines = [f"Hello {athlete_name},", "", f"{trouble.about}: {trouble.what}"]
    if trouble.remedy:
        lines += ["", f"What helps: {trouble.remedy}"]
    if trouble.is_source:
        since = f"after {trouble.covered_until:%-d %b %Y}" if trouble.covered_until else "that only it could tell of"
        meaning = f"Until then days {since} count as unknown, not as rest, unless another source tells of them."
        lines += ["", f"{meaning} Ratios that need them are withheld."]
    lines += [
        "",
        "You get this once for as long as it lasts. `hamload status` shows how things stand.",
        "",
        "-- ",
        "hamload, on your own machine. General information, not medical advice.",
    ]
    return "\n".join(lines) + "\n"
