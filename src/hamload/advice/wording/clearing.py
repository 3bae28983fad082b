"""What would end a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.advice.wording.common import SIGNS, count
from hamload.language import Text, text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

#: How many conditions one sentence carries without becoming hard to read.
_CLAUSES = 2


def uncoupled_eased(limit: float) -> Text:
    """Return the part for a week's load that must come down."""
    return text("the week's load is at most {limit:.2f} times that of the weeks before", limit=limit)


def clears_stop(names: Sequence[str]) -> Text:
    """Return what ends a stop: what a clinician found, never time."""
    commands = ", ".join(f"hamload log cleared {name}" for name in names[:SIGNS])
    return text(
        "Clears when a clinician has looked at it and you log that: {commands}{more}. It does not end by waiting.",
        commands=commands,
        more=text(" and so on for each sign") if len(names) > SIGNS else "",
    )


def clears_deload(
    uncoupled: float, ewma: float, spike_until: dt.date | None, *, with_ratios: bool, by_heavy: bool
) -> Text:
    """Return what ends a deload. Without ratios (baseline, returning) only the age of the spike counts."""
    parts = []
    if with_ratios:
        heavy = text(", and that of hills, speed and long runs,") if by_heavy else ""
        parts.append(
            text(
                "the week's load{heavy} is at most {uncoupled:.2f} times that of the weeks before",
                heavy=heavy,
                uncoupled=uncoupled,
            )
        )
        parts.append(text("the smoothed ratio at most {ewma:.2f}", ewma=ewma))
    if spike_until is not None:
        parts.append(text("the last spike is old enough (from {spike_until:day} on)", spike_until=spike_until))
    if not parts:
        return text("Clears on the next day without a reason.")
    if len(parts) > _CLAUSES:
        return text("Clears when all of this holds: {parts:semicolons}.", parts=parts)
    return text("Clears when {parts:and}.", parts=parts)


def clears_caution(parts: tuple[str, ...]) -> Text:
    """Return what ends a caution, one part for each reason."""
    return text("Clears when {parts:and}.", parts=parts)


def spike_aged(until: dt.date) -> Text:
    """Return the part for a spike that must grow old."""
    return text("the spike is old enough (from {until:day} on)", until=until)


def ewma_eased(limit: float) -> Text:
    """Return the part for a smoothed ratio that must come down."""
    return text("the smoothed ratio is at most {limit:.2f}", limit=limit)


def heavy_apart(until: dt.date) -> Text:
    """Return the part for two heavy runs that must lie back."""
    return text("the two heavy runs lie back (from {until:day} on)", until=until)


def monotony_eased(limit: float) -> Text:
    """Return the part for days that must differ more."""
    return text("the days differ more (monotony at most {limit:.1f})", limit=limit)


def clears_build(planned: int) -> Text:
    """Return what ends the call for curls."""
    return text("Clears when {planned} in 10 days are known.", planned=count(planned, "curl session"))


def clears_baseline(days: int) -> Text:
    """Return what ends the baseline."""
    return text("Clears after {days} of history.", days=count(days, "more day"))


def clears_returning(chronic: int) -> Text:
    """Return what ends the return."""
    return text("Clears when the break no longer lies in the last {chronic} days.", chronic=chronic)


def clears_unknown(chronic: int) -> Text:
    """Return what ends the not knowing."""
    return text(
        "Clears when the missing days have been reported, or have left the last {chronic} days.", chronic=chronic
    )
