"""One recording made of several: the best one's seconds, the running that only a copy holds, a better altitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.records import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.records import Array

#: Channels that are carried over between recordings must be known within this of the same moment.
_NEAR_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Gift:
    """What a copy gives: its samples, what its clock lacks to the best recording's, and the stretch that it speaks for.

    `from_s` and `to_s` are in the copy's own seconds; None, None for a copy that gives channels only.
    """

    samples: Samples
    shift_s: float
    from_s: float | None = None
    to_s: float | None = None


def compose(
    best: Samples,
    pieces: Sequence[Gift],
    altitude: Gift | None = None,
    heart_rate: Gift | None = None,
    until_s: float | None = None,
) -> Samples:
    """Return one recording, on the clock of the best one.

    Parameters
    ----------
    best
        The recording that speaks.
    pieces
        Stretches of running that only copies hold: they take the place of what the best recording has there, which is
        standing.
    altitude, heart_rate
        Copies whose altitude and grade, or heart rate, are the better ones.
    until_s
        Where the best recording is to end: what follows was no part of the run.

    Returns
    -------
    Samples
        In order of time; `distance_m` is recorded where the best recording tells it, and NaN once pieces of others are
        put in, so that speed times time counts.

    """
    parts = [best if until_s is None else _rows(best, best.time_s < until_s)]
    for piece in pieces:
        if piece.from_s is None or piece.to_s is None:
            continue
        own = piece.samples
        inside = _rows(own, (own.time_s >= piece.from_s) & (own.time_s < piece.to_s))
        moved = _with(inside, time_s=inside.time_s + piece.shift_s)
        low, high = piece.from_s + piece.shift_s, piece.to_s + piece.shift_s
        parts = [_rows(part, (part.time_s < low) | (part.time_s >= high)) for part in parts]
        parts.append(moved)
    joined = parts[0] if len(parts) == 1 else _stacked(parts)
    if altitude is not None:
        joined = _with(
            joined,
            altitude_m=_carried(altitude, "altitude_m", joined.time_s),
            grade=_carried(altitude, "grade", joined.time_s),
        )
    if heart_rate is not None:
        joined = _with(joined, heart_rate_bpm=_carried(heart_rate, "heart_rate_bpm", joined.time_s))
    return joined


def _carried(gift: Gift, channel: str, at_s: Array) -> Array:
    """Return a copy's channel at other moments, NaN where it knows nothing near them."""
    values, time_s = getattr(gift.samples, channel), gift.samples.time_s + gift.shift_s
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(at_s), np.nan)
    time_s, values = time_s[known], values[known]
    after = np.clip(np.searchsorted(time_s, at_s), 1, len(time_s) - 1) if len(time_s) > 1 else np.zeros(len(at_s), int)
    nearest = np.minimum(np.abs(time_s[after] - at_s), np.abs(time_s[np.maximum(after - 1, 0)] - at_s))
    return np.where(nearest <= _NEAR_S, np.interp(at_s, time_s, values), np.nan)


def _stacked(parts: Sequence[Samples]) -> Samples:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Samples.__slots__}
    order = np.argsort(columns["time_s"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    # Two odometers have two zeros: speed times time is the way of a recording made of several.
    columns["distance_m"] = np.full(len(order), np.nan)
    return Samples(**columns)


def _rows(samples: Samples, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Samples:
    return Samples(**{name: getattr(samples, name)[kept] for name in Samples.__slots__})


def _with(samples: Samples, **channels: Array) -> Samples:
    return Samples(**({name: getattr(samples, name) for name in Samples.__slots__} | channels))
