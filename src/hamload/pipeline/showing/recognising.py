"""Sentences that tables and sessions keep in English, recognised by the templates that they were made of.

So a language can say them anew. What is not recognised stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING

from hamload.language import Text, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


_DOUBTS = (
    marked("another recording of it tells of more, and of no duration"),
    marked("{minutes} minutes for {way:distance}: the watch was left on. Standing adds nothing, the moving counts"),
    marked("{minutes} minutes for {way:distance}: the watch was left on"),
    marked("{speed:.1f} m/s on average over {minutes} minutes: a ride, or a wrong unit of distance"),
    marked(
        "the recording goes on after a break of {hours} hours: the watch was left on, and most of the moving lies after"
        " it"
    ),
    marked(
        "the recording goes on after a break of {hours} hours: the watch was left on. The run counts up to the break"
    ),
    marked("{speed:.1f} m/s over five minutes: no runner, a vehicle or a wrong unit of distance"),
    marked("half of {minutes} minutes are faster than {speed:.1f} m/s: a ride"),
    marked("its speeds add up to {times:.2f} times the way between its positions: miles for kilometres"),
    marked("its speeds add up to {times:.2f} times the way between its positions: counted twice"),
    marked("its speeds add up to {times:.2f} times the way between its positions: kilometres for miles"),
    marked(
        "its positions go forward and back {turns:.1f} times a kilometre, and straight lines of 30 s keep {share} of"
        " the way: speeds and load are too high. They count, with low confidence"
    ),
)


def withheld(why: str) -> str:
    """Return why a ratio is withheld, as `marts.daily_load` says it."""
    for template in _WITHHELD:
        if match := _pattern(template).fullmatch(why):
            return _made(template, match)
    return why


def confidence(why: str) -> str:
    """Return why a load is trusted as far as it is, as `marts.sessions` says it, sentence by sentence."""
    return _in_turn(why, (*_CONFIDENCE, *_DOUBTS), "sentences")


def doubts(why: str) -> str:
    """Return why a recording is doubted, as `landing.sessions` says it, one doubt after the other."""
    return _in_turn(why, _DOUBTS, "semicolons")


def _in_turn(why: str, templates: Sequence[str], form: str) -> str:
    found: list[str] = []
    left = why
    while left:
        for template in templates:
            if match := _pattern(template).match(left):
                found.append(_made(template, match))
                left = left[match.end() :].lstrip("; ")
                break
        else:
            found.append(left)
            left = ""
    return why if found == [why] and not isinstance(found[0], Text) else Text(f"{{told:{form}}}", {"told": found})


def _made(template: str, match: re.Match[str]) -> Text:
    return Text(template, {name: _UNITS.get(name, str)(value) for name, value in match.groupdict().items()})


#: What a number of a template is, by its name; those not named here are told as they stand.
_UNITS: dict[str, Callable[[str], object]] = {
    "way": lambda km: 1000 * float(km),
    "speed": float,
    "times": float,
    "turns": float,
}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(:[^}]*)?\}", template)
    pattern = re.escape(parts[0])
    for name, form, literal in batched(parts[1:], 3):
        # Stored in kilometres, whole percents with their sign.
        number = f"(?P<{name}>[0-9][0-9.]*(?: ?%)?)"
        pattern += number + (" km" if form == ":distance" else "") + re.escape(literal)
    return re.compile(pattern)
