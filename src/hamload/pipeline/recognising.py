"""Sentences that tables and sessions keep in English, recognised by the templates that they were made of.

So a language can say them anew. What is not recognised stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from hamload.language import Text, marked, text

_WITHHELD = (
    marked("{days} of the last 28 days are unknown"),
    marked("building a baseline: day {day} of 28"),
    marked("two weeks or more without running: a ratio would compare with nothing"),
    marked("no such load in the weeks before"),
)
_CONFIDENCE = (
    marked("Worked out second by second, the hills from the watch's barometer."),
    marked("Worked out second by second, but the hills come from GPS altitude, which drifts."),
    marked("Worked out second by second; what measured the altitude is not known."),
    marked(
        "Worked out second by second, but without altitude: climbs count as flat, so in hills the true load is higher."
    ),
    marked("A treadmill run: speed from the foot pod or the watch, incline as entered, flat where none was."),
    marked("Only distance and time are known: estimated from the average speed, scaled by your own runs."),
    marked(
        "Only distance and time are known: estimated from the average speed, not yet scaled by your own runs, of which"
        " there are too few."
    ),
    marked(
        "Only the duration is known: estimated from minutes and a usual effort, as none was entered, scaled by your own"
        " runs."
    ),
    marked(
        "Only the duration is known: estimated from minutes and a usual effort, as none was entered, not yet scaled by"
        " your own runs, of which there are too few."
    ),
    marked(
        "Only the duration is known: estimated from minutes and the effort of {rpe}/10 that you entered, scaled by your"
        " own runs."
    ),
    marked(
        "Only the duration is known: estimated from minutes and the effort of {rpe}/10 that you entered, not yet scaled"
        " by your own runs, of which there are too few."
    ),
    marked("The altitude of {share} of the way is missing; it counts as flat."),
    marked("Only {share} of the running time could be used, so the true load is higher."),
)


def withheld(why: str) -> str:
    """Return why a ratio is withheld, as `marts.daily_load` says it."""
    return _recognised(why, _WITHHELD) or why


def confidence(why: str) -> str:
    """Return why a load is trusted as far as it is, as `marts.sessions` says it, sentence by sentence."""
    found, left = [], why
    while left:
        for template in _CONFIDENCE:
            if match := _pattern(template).match(left):
                found.append(Text(template, match.groupdict()))
                left = left[match.end() :].lstrip("; ")
                break
        else:
            return why if not found else text("{told:sentences}", told=[*found, left])
    return text("{told:sentences}", told=found) if found else why


def _recognised(sentence: str, templates: tuple[str, ...]) -> Text | None:
    for template in templates:
        if match := _pattern(template).fullmatch(sentence):
            return Text(template, match.groupdict())
    return None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(re.escape(p) if n % 2 == 0 else f"(?P<{p}>[0-9][0-9.,]*(?: %)?)" for n, p in enumerate(parts))
    )
