"""What is said of curls, massage and stretching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.advice.wording.common import count, day
from hamload.language import Text, text, word

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from hamload.records import State


def few_curls(done: int | None, planned: int) -> Text:
    """Return the sentence for missing curls; done None: nobody has told hamload of any, which is not none."""
    if done is None:
        return text("No curl session is known to hamload. That need not mean that you did none: log the ones you do.")
    if done == 0:
        return text("No curl session in the last 10 days; {planned} are planned.", planned=planned)
    return text("{done} in the last 10 days; {planned} are planned.", done=count(done, "curl session"), planned=planned)


def curls_halved(factor: float, sets: int, repetitions: int, max_rpe: int, *, waits: bool) -> Text:
    """Return how little is done in the rest of a deload."""
    return text(
        "{opening}, if all feels well: at most {factor:percent} of your usual ball curls, or {sets} x {repetitions} if"
        " they are new, after an easy run, up to {max_rpe}/10 and never 10/10. More only once this deload has cleared.",
        opening=text("Curls after that") if waits else text("Curls"),
        factor=factor,
        sets=sets,
        repetitions=repetitions,
        max_rpe=max_rpe,
    )


def curls_as_before() -> Text:
    """Return that a watchful week is no week to add."""
    return text("Curls: keep to what you do already, after an easy run, and add nothing this week.")


def curls_unjudged() -> Text:
    """Return that nobody can say whether it is a good week to add."""
    return text(
        "Curls: hamload cannot tell whether this is a good week to add any. If all feels well, keep to what you do."
    )


def curls_returning(gap_days: int, factor: float) -> Text:
    """Return how curls begin again after a break."""
    return text(
        "Curls: after {gap_days} days or more without them begin again at {factor:percent} of the last"
        " dose, after an easy run.",
        gap_days=gap_days,
        factor=factor,
    )


def curls_spacing(hours: float, quiet: float) -> Text:
    """Return how curls are spaced."""
    return text(
        "Curls: once or twice a week, at least {hours:.0f} hours apart, after an easy run. No hills,"
        " speed or long run in the {quiet:.0f} hours after them.",
        hours=hours,
        quiet=quiet,
    )


def curls_start(sets: int, repetitions: int, max_rpe: int) -> Text:
    """Return the first dose."""
    return text(
        "New to them: start with {sets} x {repetitions} ball curls, hips high, feet lowered away"
        " slowly. Work up to {max_rpe}/10 effort, never 10/10.",
        sets=sets,
        repetitions=repetitions,
        max_rpe=max_rpe,
    )


def curls_again(gap_days: int, factor: float) -> Text:
    """Return the dose for who has done them before."""
    return text(
        "After {gap_days} days or more without curls, begin again at {factor:percent} of the last dose.",
        gap_days=gap_days,
        factor=factor,
    )


def curls_effort(max_rpe: int) -> Text:
    """Return how hard they may be."""
    return text("Work up to {max_rpe}/10 effort, never 10/10.", max_rpe=max_rpe)


def curls_soreness() -> Text:
    """Return what soreness means, and what curls replace."""
    return text(
        "Some soreness one or two days later is a good sign. Do them instead of stretching harder, not on top of it."
    )


def curls_evidence() -> Text:
    """Return how much is known about ball curls."""
    return text(
        "Nothing published tests ball curls for chronic tightness. Other eccentric programmes cut hamstring injuries"
        " in team sports."
    )


def dose(sets: int, repetitions: int, lowering_s: int | None, *, is_single_leg: bool) -> Text:
    """Return a dose in words."""
    single = text(" single-leg") if is_single_leg else ""
    lowering = (
        text(", lowered in {lowering_s} seconds", lowering_s=lowering_s) if lowering_s else text(", lowered slowly")
    )
    return text(
        "{sets} x {repetitions}{single} ball curls{lowering}",
        sets=sets,
        repetitions=repetitions,
        single=single,
        lowering=lowering,
    )


def next_curls(told: str, dates: Sequence[dt.date], reason: str) -> Text:
    """Return the next curls and the reason for their dose."""
    days = [day(date) for date in dates]
    if not reason:
        return text("Next curls: {told}, on {dates:and}.", told=told, dates=days)
    return text("Next curls: {told}, on {dates:and}. {reason}", told=told, dates=days, reason=reason)


def curls_begin(sessions: int) -> Text:
    """Return why the first dose is so small."""
    return text(
        "No curls are known yet, so begin with the smallest dose, for {sessions}.", sessions=count(sessions, "session")
    )


def curls_restart(days: int) -> Text:
    """Return why the programme begins again."""
    return text("The last curls were {days} days ago: begin again with the first dose.", days=days)


def curls_gap(days: int, factor: float) -> Text:
    """Return why a dose is smaller after a pause."""
    return text(
        "{days} days without curls: gains fade after two weeks, so go on with {factor:percent} of the last dose.",
        days=days,
        factor=factor,
    )


def curls_cut(factor: float) -> Text:
    """Return why a dose is smaller after too much."""
    return text(
        "The last curls were too much (effort of 10, soreness that was strong, long or worse each"
        " time): do {factor:percent} of them, and leave one session out.",
        factor=factor,
    )


def curls_hold(max_rpe: int, sore: float) -> Text:
    """Return why a dose stays."""
    return text(
        "The last curls were hard enough (effort above {max_rpe}, or soreness above {sore:g}): the same once more.",
        max_rpe=max_rpe,
        sore=sore,
    )


def curls_beyond(sets: int, repetitions: int) -> Text:
    """Return why a dose beyond the programme is brought back to it."""
    return text(
        "You did more than the programme asks ({sets} x {repetitions} at most): go on from this dose.",
        sets=sets,
        repetitions=repetitions,
    )


def curls_unknown() -> Text:
    """Return why a dose stays where nothing was said of it."""
    return text(
        "How the last curls felt is not fully known, so the dose stays. To go on, log the effort (hamload log curls 2x8"
        " --rpe 8), then the soreness two days later, and after three days if it was not 0 (hamload log soreness 0)."
    )


def curls_once_more(good: int, needed: int) -> Text:
    """Return why a dose stays after a good session."""
    return text(
        "{good} of {needed} good sessions at this dose: the same once more, then a step up.", good=good, needed=needed
    )


def curls_step(good: int) -> Text:
    """Return why a dose grows."""
    return text("{good} at the last dose: one step up.", good=count(good, "good session"))


def curls_maintain() -> Text:
    """Return what comes after the programme."""
    return text("The programme is done: once a week keeps what you have built.")


def curls_in_deload(wait: dt.date, factor: float) -> Text:
    """Return what a deload does to curls."""
    return text(
        "In a deload none through {wait:day}, then at most {factor:percent} of your last dose; nothing is added.",
        wait=wait,
        factor=factor,
    )


def curls_no_step(state: State) -> Text:
    """Return why nothing is added outside calm weeks."""
    return text(
        "A step up is due, but your state is {state}: the same dose until that is over.", state=word(state.value)
    )


def curls_not_now(state: State) -> Text:
    """Return why the programme does not begin today."""
    return text("Your state is {state}: new curls begin once it is build or steady.", state=word(state.value))


def curls_unsettled(days: int) -> Text:
    """Return that soreness has lasted too long."""
    return text(
        "Soreness after your last curls has not settled in {days} days. No more curls: let a doctor or"
        " physiotherapist look at it. When it is gone, log it: hamload log soreness 0.",
        days=days,
    )


def massage_first(needed: int, had: int) -> Text:
    """Return that massage comes before curls."""
    return text(
        "Your tightness is chronic: have {needed} to {most} massages first ({had} logged; hamload"
        " log massage). If you begin with curls all the same, log them: hamload goes on from there.",
        needed=needed,
        most=needed + 1,
        had=had,
    )


def curls_crowded(hours: float) -> Text:
    """Return that the week leaves little room for curls."""
    return text(
        "Your usual hard days leave no {hours:.0f} hours free after curls. Better make one of them"
        " easy; till then take these days.",
        hours=hours,
    )


def curls_how(max_rpe: int) -> Text:
    """Return how curls are done."""
    return text(
        "After an easy run: heels on the ball, hips high, feet lowered away slowly. Up to {max_rpe}/10"
        " effort, never 10/10. Never the day before hills, speed or a long run.",
        max_rpe=max_rpe,
    )


def stretching(share: float) -> Text:
    """Return what the article says of stretching."""
    return text(
        "If you stretch, only lightly: no more than {share:percent} of what you could. Curls replace hard stretching.",
        share=share,
    )
