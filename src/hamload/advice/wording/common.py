"""What several kinds of sentence share: headlines, runs by name, counts, the phrase for each kind of ground."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hamload.language import Text, marked, plural, text, word
from hamload.records import Alert, Confidence, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from hamload.records import SessionFact

#: No sentence is longer, in characters.
LONGEST = 240
_LONGEST_TITLE = 40
#: How many warning signs are named in one sentence.
SIGNS = 3
DISCLAIMER = text(
    "General information, not medical advice. Sudden sharp pain, bruising, numbness or pain at night: stop running and"
    " see a clinician."
)
SPIKE_GROUND = text("rests on one large study (Frandsen et al. 2025)")
LOAD_SPIKE_GROUND = text("our own rule of thumb: only the distance of a run has been studied this way")
RATIO_GROUND = text("our own rule of thumb: studies of such ratios contradict each other")
SPACING_GROUND = text("our own rule of thumb")
MONOTONY_GROUND = text("rests on one small study (Foster 1998), about illness in athletes")
CURL_GROUND = text("our own rule of thumb: nothing published tests ball curls for chronic tightness")
RECORD_GROUND = text("counted from the recordings")
FLAG_GROUND = text("you logged it; such signs belong to a clinician whatever the numbers say")
TIGHTNESS_GROUND = text("your own words; the line of 4 out of 10 is our own rule of thumb")
_HEADLINES = {
    State.STOP: text("Stop: a warning sign was logged. Please see a clinician before you run on."),
    State.DELOAD: text(
        "Deload: your hamstrings are asked for clearly more than they are used to. Back off for a week."
    ),
    State.CAUTION: text("Caution: something stands out. Keep the next days easy and flat."),
    State.BUILD: text("Build: the running is in order, and it is a good time for hamstring curls."),
    State.STEADY: text("Steady: nothing stands out. Carry on."),
    State.BASELINE: text("Building a baseline: too little history yet to compare with."),
    State.RETURNING: text("Returning: after two weeks or more without running, start again gently."),
    State.UNKNOWN: text("Unknown: days are missing, so hamload cannot judge."),
}
_URGENT = text("Stop, and get medical help now: a warning sign that cannot wait was logged.")


def headline(alert: Alert) -> Text:
    """Return the state of a day in one line."""
    if alert.state is State.STOP and alert.advice[:1] == (stop_urgent(),):
        return _URGENT
    return state_headline(alert.state, held=alert.held, is_continuation=alert.is_continuation)


def state_headline(state: State, *, held: bool = False, is_continuation: bool = False) -> Text:
    """Return one line for a state: held says it has not cleared by its margin, a continuation that it came back."""
    if state is State.DELOAD and held:
        return text("Deload goes on: it has not been seen to clear by its margin yet.")
    if state is State.DELOAD and is_continuation:
        return text("Deload again, within two weeks of the last one: the same episode goes on. Back off for a week.")
    return _HEADLINES[state]


def day(date: dt.date) -> Text:
    """Return a day such as "Sunday 4 May"."""
    return text("{date:day}", date=date)


def count(number: float, noun: str) -> Text:
    """Return "1 day", "2 days", "no day"; a fraction keeps one decimal."""
    return _NONE[noun] if number == 0 else _COUNTED[noun](round(number, 1))


_NONE = {
    "day": text("no day"),
    "more day": text("no more day"),
    "flare": text("no flare"),
    "run": text("no run"),
    "such run": text("no such run"),
    "easy run": text("no easy run"),
    "long run": text("no long run"),
    "hill run": text("no hill run"),
    "speed run": text("no speed run"),
    "race run": text("no race run"),
    "session": text("no session"),
    "good session": text("no good session"),
    "curl session": text("no curl session"),
    "more sign": text("no more sign"),
}
_COUNTED: dict[str, Callable[[float], Text]] = {
    "day": lambda n: plural("{n:g} day", "{n:g} days", n),
    "more day": lambda n: plural("{n:g} more day", "{n:g} more days", n),
    "flare": lambda n: plural("{n:g} flare", "{n:g} flares", n),
    "run": lambda n: plural("{n:g} run", "{n:g} runs", n),
    "such run": lambda n: plural("{n:g} such run", "{n:g} such runs", n),
    "easy run": lambda n: plural("{n:g} easy run", "{n:g} easy runs", n),
    "long run": lambda n: plural("{n:g} long run", "{n:g} long runs", n),
    "hill run": lambda n: plural("{n:g} hill run", "{n:g} hill runs", n),
    "speed run": lambda n: plural("{n:g} speed run", "{n:g} speed runs", n),
    "race run": lambda n: plural("{n:g} race run", "{n:g} race runs", n),
    "session": lambda n: plural("{n:g} session", "{n:g} sessions", n),
    "good session": lambda n: plural("{n:g} good session", "{n:g} good sessions", n),
    "curl session": lambda n: plural("{n:g} curl session", "{n:g} curl sessions", n),
    "more sign": lambda n: plural("{n:g} more sign", "{n:g} more signs", n),
}


def together(*sentences: str) -> Text:
    """Return sentences one after the other, those that are empty left out."""
    return text("{told:sentences}", told=[sentence for sentence in sentences if sentence])


def whole(number: float) -> int:
    """Return a number rounded down; one that rounding noise has put just under a whole one counts as that."""
    return math.floor(round(number, 6))


def run(session: SessionFact) -> Text:
    """Return a run's day, title and size; minutes stand in where the distance is not known."""
    title = " ".join((session.title or "").split())
    if len(title) > _LONGEST_TITLE:
        title = f"{title[: _LONGEST_TITLE - 1].rstrip()}…"
    metres = session.distance_m
    is_known = metres is not None and math.isfinite(metres) and metres > 0
    return text(
        "{date:day}, {title}, {size}",
        date=session.local_date,
        title=title or text("a run"),
        size=(
            text("{metres:distance}", metres=metres)
            if is_known
            else text("{minutes:.0f} min", minutes=session.moving_time_s / 60)
        ),
    )


def cause(session: SessionFact, share: float | None, of_what: str) -> Text:
    """Return the run behind a reason with its share; a run whose load is a rough guess says so."""
    told = run(session)
    if share is not None:
        told = text("{run}: {share:percent} of {of_what}", run=told, share=share, of_what=of_what)
    if session.confidence in {Confidence.LOW, Confidence.VERY_LOW}:
        told = text(
            "{told} ({confidence} confidence in its load)", told=told, confidence=word(session.confidence.value)
        )
    return told


def week(days: int) -> Text:
    """Return what a share is a share of: the load of the last days."""
    return text("the last {days} days' load", days=days)


def heavy_week(days: int) -> Text:
    """Return what a share of the heavy load is a share of."""
    return text("the last {days} days' load of hills, speed and long runs", days=days)


def stop_urgent() -> Text:
    """Return what to do about a sign that cannot wait."""
    return text("Get medical help now: call your emergency number or go to an emergency department. Do not wait.")


#: The sentence that a table of the days stands for.
BY_DAY = marked("Day by day, in EFM: {told:commas}.")
