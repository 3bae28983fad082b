"""Numbers as services and devices tell them: what is none, or none that can be, is unknown."""

from __future__ import annotations

from typing import Any

#: Nothing that is told of an activity is larger, a moment in seconds included: sums and products of these stay finite.
_LARGEST = 1e12


def number(value: Any) -> float | None:
    """Return a told number; None where it is something else, not finite, or larger than any that can be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # No comparison with NaN holds.
    return float(value) if -_LARGEST <= value <= _LARGEST else None
