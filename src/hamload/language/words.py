"""Single words that stand in columns, labels and sentences: states, parts, kinds of run, confidence."""

from __future__ import annotations

from hamload.language.texts import Text, text

_WORDS = (
    text("stop"),
    text("deload"),
    text("caution"),
    text("build"),
    text("steady"),
    text("baseline"),
    text("returning"),
    text("unknown"),
    text("total"),
    text("heavy"),
    text("hill"),
    text("speed"),
    text("long"),
    text("base"),
    text("easy"),
    text("race"),
    text("hard"),
    text("rest"),
    text("high"),
    text("medium"),
    text("low"),
    text("very low"),
    text("all"),
    text("doubtful"),
    text("distance"),
    text("load"),
)
_OPENINGS = (
    text("Stop"),
    text("Deload"),
    text("Caution"),
    text("Build"),
    text("Steady"),
    text("Baseline"),
    text("Returning"),
    text("Unknown"),
)
WORDS = {str(word): word for word in _WORDS}
_OPENING = {str(word).lower(): word for word in _OPENINGS}


def word(name: str) -> Text:
    """Return one of hamload's own words as a text. Raises KeyError for any other."""
    return WORDS[name]


def opening(state: str) -> Text:
    """Return a state as the first word of a sentence."""
    return _OPENING[state]
