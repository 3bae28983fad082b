"""What a back-test can say, and what it cannot."""

from __future__ import annotations

from hamload.advice.wording.common import count
from hamload.language import text


def backtested(
    entries: int, flares: int, needed: int, margin: int, *, is_enough: bool, tightness: float
) -> tuple[str, ...]:
    """Return what a back-test can say, and what it cannot."""
    if not entries:
        return (
            (
                text(
                    "No tightness is logged yet, so the rules cannot be held against it. Log it most days, 0 too:"
                    " hamload log tightness 2."
                )
            ),
        )
    told = text(
        "{entries} with an entry of tightness, {flares} ({tightness} or more after a calm week).",
        entries=count(entries, "day"),
        flares=count(flares, "flare"),
        tightness=f"{tightness:g}",
    )
    if is_enough:
        return (
            told,
            text("Enough to tell rates to within {margin} points. One runner's past is still no proof.", margin=margin),
        )
    return (
        told,
        (
            text(
                "That is too few to tell: about {needed} flares are needed to know a rate to within {margin}"
                " points. Read the table as a diary, not as a proof.",
                needed=needed,
                margin=margin,
            )
        ),
    )
