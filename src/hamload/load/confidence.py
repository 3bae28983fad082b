"""How far a session's load can be trusted, and why, in words for the runner. Stored and shown with every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.records import AltitudeSource, Basis, Confidence

if TYPE_CHECKING:
    from hamload.parameters import Fallback
    from hamload.records import SignalQuality

_STEPS = tuple(Confidence)

_STREAMS = {
    AltitudeSource.BAROMETER: (Confidence.HIGH, "Worked out second by second, the hills from the watch's barometer."),
    AltitudeSource.GPS: (
        Confidence.MEDIUM,
        "Worked out second by second, but the hills come from GPS altitude, which drifts.",
    ),
    AltitudeSource.NONE: (Confidence.MEDIUM, "Worked out second by second; what measured the altitude is not known."),
}

_OTHERS = {
    Basis.STREAMS_FLAT: (
        Confidence.MEDIUM,
        "Worked out second by second, but without altitude: climbs count as flat, so in hills the true load is higher.",
    ),
    Basis.TREADMILL: (
        Confidence.MEDIUM,
        "A treadmill run: speed from the foot pod or the watch, incline as entered, flat where none was.",
    ),
    Basis.SUMMARY: (Confidence.LOW, "Only distance and time are known: estimated from the average speed"),
    Basis.DURATION: (Confidence.VERY_LOW, "Only the duration is known: estimated from minutes and"),
}


def usable_share(quality: SignalQuality) -> float:
    """Return the share (0-1) of the running time that could be used, from what cleaning reports; 0 of nothing."""
    whole = quality.used_s + quality.lost_s + quality.dropped_s
    return quality.used_s / whole if whole > 0 else 0.0


def grade(
    basis: Basis,
    altitude_source: AltitudeSource,
    usable_share: float,
    graded_share: float,
    model: Fallback,
) -> tuple[Confidence, str]:
    """Grade a load that was computed from streams.

    Parameters
    ----------
    basis
        STREAMS, STREAMS_FLAT or TREADMILL.
    altitude_source
        What the grade rests on; matters for STREAMS alone.
    usable_share
        Share (0-1) of the running time whose samples could be used.
    graded_share
        Share (0-1) of the distance whose grade is known; matters for STREAMS alone, and makes it no better and no worse
        than STREAMS_FLAT where too little is known.
    model
        `full_share` and `poor_share`: with less usable time than the first a load is trusted one step less, with less
        than the second two.

    Returns
    -------
    tuple[Confidence, str]
        The grade and, in a sentence or two, why.

    Raises
    ------
    ValueError
        For SUMMARY and DURATION (see `estimate_grade`).

    """
    if basis in {Basis.SUMMARY, Basis.DURATION}:
        raise ValueError(f"{basis.value!r} rests on no streams; ask estimate_grade.")
    confidence, why = _STREAMS[altitude_source] if basis is Basis.STREAMS else _OTHERS[basis]
    if basis is Basis.STREAMS and graded_share < model.full_share:
        confidence = max(confidence, _OTHERS[Basis.STREAMS_FLAT][0], key=_STEPS.index)
        why += f" The altitude of {_percent(1 - graded_share)} of the way is missing; it counts as flat."
    if usable_share < model.full_share:
        confidence = _lowered(confidence, 2 if usable_share < model.poor_share else 1)
        why += f" Only {_percent(usable_share)} of the running time could be used, so the true load is higher."
    return confidence, why


def estimate_grade(basis: Basis, *, own_scale: bool, rpe: float | None = None) -> tuple[Confidence, str]:
    """Grade a load that was estimated without streams.

    Parameters
    ----------
    basis
        SUMMARY or DURATION.
    own_scale
        Whether the athlete's own runs scaled it (their streams-to-summary ratio, their regression on effort).
    rpe
        The effort that was reported, out of 10; None where a usual one was taken.

    Raises
    ------
    ValueError
        For a basis with streams (see `grade`).

    """
    if basis not in {Basis.SUMMARY, Basis.DURATION}:
        raise ValueError(f"{basis.value!r} rests on streams; ask grade.")
    confidence, why = _OTHERS[basis]
    if basis is Basis.DURATION:
        why += " a usual effort, as none was entered" if rpe is None else f" the effort of {rpe:g}/10 that you entered"
    why += (
        ", scaled by your own runs." if own_scale else ", not yet scaled by your own runs, of which there are too few."
    )
    return confidence, why


def _lowered(confidence: Confidence, steps: int) -> Confidence:
    return _STEPS[min(_STEPS.index(confidence) + steps, len(_STEPS) - 1)]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
