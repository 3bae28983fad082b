"""Every sentence that a runner reads from the rules, the plan and the curls; values in, plain English out.

No sentence tells a runner their own chance of injury: no published number supports one. A ratio is called what it is,
and each kind of ground has one phrase (`SPIKE_GROUND` and its like) that is shown beside the number. Sentences stay
under `LONGEST` characters, so that they fit a mail, a phone and a table.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from hamload.records import Alert, Confidence, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from hamload.records import SessionFact

#: No sentence is longer, in characters.
LONGEST = 240
_LONGEST_TITLE = 40
#: How many warning signs are named in one sentence.
_SIGNS = 3
#: How many conditions one sentence carries without becoming hard to read.
_CLAUSES = 2

DISCLAIMER = (
    "General information, not medical advice. Sudden sharp pain, bruising, numbness or pain at night: stop running and"
    " see a clinician."
)
_MODEL = "Hamstring load is a model, not a measurement."

SPIKE_GROUND = "rests on one large study (Frandsen et al. 2025)"
LOAD_SPIKE_GROUND = "our own rule of thumb: only the distance of a run has been studied this way"
RATIO_GROUND = "our own rule of thumb: studies of such ratios contradict each other"
SPACING_GROUND = "our own rule of thumb"
MONOTONY_GROUND = "rests on one small study (Foster 1998), about illness in athletes"
CURL_GROUND = "our own rule of thumb: nothing published tests ball curls for chronic tightness"
RECORD_GROUND = "counted from the recordings"
FLAG_GROUND = "you logged it; such signs belong to a clinician whatever the numbers say"
TIGHTNESS_GROUND = "your own words; the line of 4 out of 10 is our own rule of thumb"

# Not strftime: that would speak the language of the machine.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)

_HEADLINES = {
    State.STOP: "Stop: a warning sign was logged. Please see a clinician before you run on.",
    State.DELOAD: "Deload: your hamstrings are asked for clearly more than they are used to. Back off for a week.",
    State.CAUTION: "Caution: something stands out. Keep the next days easy and flat.",
    State.BUILD: "Build: the running is in order, and it is a good time for hamstring curls.",
    State.STEADY: "Steady: nothing stands out. Carry on.",
    State.BASELINE: "Building a baseline: too little history yet to compare with.",
    State.RETURNING: "Returning: after two weeks or more without running, start again gently.",
    State.UNKNOWN: "Unknown: days are missing, so hamload cannot judge.",
}


_URGENT = "Stop, and get medical help now: a warning sign that cannot wait was logged."


def headline(alert: Alert) -> str:
    """Return the state of a day in one line."""
    if alert.state is State.STOP and alert.advice[:1] == (stop_urgent(),):
        return _URGENT
    return state_headline(alert.state, held=alert.held, is_continuation=alert.is_continuation)


def state_headline(state: State, *, held: bool = False, is_continuation: bool = False) -> str:
    """Return one line for a state: held says it has not cleared by its margin, a continuation that it came back."""
    if state is State.DELOAD and held:
        return "Deload goes on: it has not been seen to clear by its margin yet."
    if state is State.DELOAD and is_continuation:
        return "Deload again, within two weeks of the last one: the same episode goes on. Back off for a week."
    return _HEADLINES[state]


def day(date: dt.date) -> str:
    """Return a day such as "Sunday 4 May", in English on every machine."""
    return f"{_WEEKDAYS[date.weekday()]} {date.day} {_MONTHS[date.month - 1]}"


def count(number: float, noun: str) -> str:
    """Return "1 day", "2 days", "no day"; a fraction keeps one decimal."""
    shown = "no" if number == 0 else f"{number:g}" if float(number).is_integer() else f"{number:.1f}"
    return f"{shown} {noun}{'s' if number > 1 else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def whole(number: float) -> int:
    """Return a number rounded down; one that rounding noise has put just under a whole one counts as that."""
    return math.floor(round(number, 6))


def run(session: SessionFact) -> str:
    """Return a run's day, title and size; minutes stand in where the distance is not known."""
    title = " ".join((session.title or "").split())
    if len(title) > _LONGEST_TITLE:
        title = f"{title[: _LONGEST_TITLE - 1].rstrip()}…"
    metres = session.distance_m
    is_known = metres is not None and math.isfinite(metres) and metres > 0
    size = f"{(metres or 0.0) / 1000:.1f} km" if is_known else f"{session.moving_time_s / 60:.0f} min"
    return ", ".join(part for part in (day(session.local_date), title or "a run", size) if part)


def cause(session: SessionFact, share: float | None, of_what: str) -> str:
    """Return the run behind a reason with its share; a run whose load is a rough guess says so."""
    told = run(session)
    if share is not None:
        told += f": {_percent(share)} of {of_what}"
    if session.confidence in {Confidence.LOW, Confidence.VERY_LOW}:
        told += f" ({session.confidence.value} confidence in its load)"
    return told


def week(days: int) -> str:
    """Return what a share is a share of: the load of the last days."""
    return f"the last {days} days' load"


def heavy_week(days: int) -> str:
    """Return what a share of the heavy load is a share of."""
    return f"the last {days} days' load of hills, speed and long runs"


def distance_spike(session: SessionFact, spike: float, days: int) -> str:
    """Return the sentence for a run beyond the longest of the days before it."""
    return (
        f"The run of {day(session.local_date)} was {_percent(spike - 1)} beyond your longest in {days} days. Runners"
        f" who did that had more overuse injuries in one large study; it cannot say whether you will. {_MODEL}"
    )


def load_spike(session: SessionFact, spike: float, days: int) -> str:
    """Return the sentence for a run harder on the hamstrings than any of the days before it."""
    return (
        f"The run of {day(session.local_date)} asked {_percent(spike - 1)} more of your hamstrings than your hardest in"
        f" {days} days. Only distance has been studied this way."
    )


def uncoupled_ratio(ratio: float, threshold: float, own: str, acute: int, chronic: int) -> str:
    """Return the sentence for the load of the last days against the weeks before them."""
    return (
        f"Your load of the last {acute} days is {ratio:.2f} times that of the {chronic - acute} days before, above"
        f" {threshold:.2f}{own}."
    )


def few_runs(least: int) -> str:
    """Return why a high ratio is a caution only."""
    return f" Fewer than {least} runs make up this week, so it is a caution only."


def uncoupled_eased(limit: float) -> str:
    """Return the part for a week's load that must come down."""
    return f"the week's load is at most {limit:.2f} times that of the weeks before"


def ewma_ratio(ratio: float, threshold: float, own: str) -> str:
    """Return the sentence for the smoothed ratio, in which recent days count most."""
    return (
        f"Your smoothed load ratio (EWMA, in which recent days count most) is {ratio:.2f}, above {threshold:.2f}{own}."
    )


def own_past(own: float | None, quantile: float) -> str:
    """Return where the ratio stands in the athlete's own past year; nothing where that is not known."""
    return "" if own is None else f" and above {_percent(quantile)} of the days of your own past year ({own:.2f})"


def heavy_ratio(ratio: float, sessions: int, threshold: float, acute: int, chronic: int) -> str:
    """Return the sentence for heavy running against the weeks before."""
    return (
        f"Your load from hills, speed and long runs ({count(sessions, 'such run')} in {acute} days) is {ratio:.2f}"
        f" times that of the {chronic - acute} days before, above {threshold:.2f}."
    )


def heavy_spacing(hours: float, threshold: float) -> str:
    """Return the sentence for two heavy runs close together."""
    return (
        f"Two heavy runs (hills, speed, long or hard) began {hours:.0f} hours apart, less than {threshold:.0f}: the"
        " hamstrings had little time to recover in between."
    )


def monotony(value: float, threshold: float, days: int) -> str:
    """Return the sentence for days too much alike; an infinite monotony is seven equal days."""
    if math.isinf(value):
        return f"Each of the last {days} days asked the same: no easy day among them. No single run did this."
    return (
        f"The last {days} days were much alike (monotony {value:.1f}, above {threshold:.1f}): easy days and days off"
        " are missing. No single run did this."
    )


def red_flags(meanings: Sequence[str], *, is_urgent: bool) -> str:
    """Return the sentence for signs that belong to a clinician."""
    shown = "; ".join(meanings[:_SIGNS])
    more = f"; and {count(len(meanings) - _SIGNS, 'more sign')}" if len(meanings) > _SIGNS else ""
    lead = "You logged a sign that cannot wait" if is_urgent else "You logged a warning sign"
    return f"{lead}: {shown}{more}."


def stop_urgent() -> str:
    """Return what to do about a sign that cannot wait."""
    return "Get medical help now: call your emergency number or go to an emergency department. Do not wait."


def stop_clinician() -> str:
    """Return what to do about a sign that belongs to a clinician."""
    return "Do not run and do no leg exercises for now. See a doctor or a physiotherapist about this sign first."


def stop_withheld() -> str:
    """Return that nothing else is advised."""
    return "Until then hamload gives no advice on running, curls or stretching."


def clears_stop(names: Sequence[str]) -> str:
    """Return what ends a stop: what a clinician found, never time."""
    commands = ", ".join(f"hamload log cleared {name}" for name in names[:_SIGNS])
    more = " and so on for each sign" if len(names) > _SIGNS else ""
    return f"Clears when a clinician has looked at it and you log that: {commands}{more}. It does not end by waiting."


def tightness(today: float, before: float, threshold: float, ratio: float) -> str:
    """Return the sentence for tightness two days running while the load rises."""
    return (
        f"You logged tightness of {before:g} and {today:g} out of 10 two days running ({threshold:g} or more), while"
        f" your smoothed load ratio is {ratio:.2f}: the load is rising."
    )


def few_curls(done: int | None, planned: int) -> str:
    """Return the sentence for missing curls; done None: nobody has told hamload of any, which is not none."""
    if done is None:
        return "No curl session is known to hamload. That need not mean that you did none: log the ones you do."
    return f"{count(done, 'curl session').capitalize()} in the last 10 days; {planned} are planned."


def steady(ratio: float, smoothed: float, acute: int, chronic: int) -> str:
    """Return the sentence for a day on which nothing stands out."""
    return (
        f"Your load of the last {acute} days is {ratio:.2f} times that of the {chronic - acute} days before (smoothed"
        f" {smoothed:.2f}), and no run stands out."
    )


def baseline(history_days: int, needed: int) -> str:
    """Return the sentence for a history that is too short."""
    return f"Building a baseline: day {history_days} of {needed}. Until then no ratio is shown."


def returning(days_since_run: int | None, returning_days: int) -> str:
    """Return the sentence for a break; a short time since the last run means that running has begun again."""
    if days_since_run is None:
        return "No run is known yet, so there is nothing to compare with."
    if days_since_run >= returning_days:
        return f"{days_since_run} days without running: a ratio would compare with nothing, so none is shown."
    return (
        f"You are running again after a break of {returning_days} days or more. Until it has left the comparison weeks"
        " no ratio is shown."
    )


def unknown_days(days: int, chronic: int) -> str:
    """Return the sentence for days that no source has reported on."""
    verb = "is" if days == 1 else "are"
    return (
        f"{days} of the last {chronic} days {verb} unknown. An unknown day is not a day of rest, so no ratio is shown."
    )


def silence(days: int) -> str:
    """Return the sentence for sources that have said nothing up to and including today."""
    which = "this day" if days == 1 else f"the last {days} days"
    return (
        f"No source has reported on {which}. A day nobody reported is not a day of rest: check that the sync still"
        " works."
    )


def no_ratio() -> str:
    """Return the sentence for a ratio that is not defined although the days are known."""
    return "The load ratios are not defined on this day, so hamload cannot judge."


def heavy_unjudged(runs: int, chronic: int) -> str:
    """Return the sentence for runs of which nobody knows whether they were heavy."""
    return (
        f"Of {count(runs, 'run')} in the last {chronic} days it is not known whether they were hilly, fast or long, so"
        " heavy running was not judged."
    )


def held(parts: tuple[str, ...]) -> str:
    """Return the sentence for a deload that has eased but not cleared; `parts` are what is still above its margin."""
    return f"A deload ends only by a clear margin, and {' and '.join(parts)}."


def held_uncoupled(ratio: float, limit: float) -> str:
    """Return the part for the load of the last days."""
    return f"the week's load still stands at {ratio:.2f} times the weeks before (margin {limit:.2f})"


def held_ewma(ratio: float, limit: float) -> str:
    """Return the part for the smoothed ratio."""
    return f"the smoothed ratio still stands at {ratio:.2f} (margin {limit:.2f})"


def held_heavy(ratio: float, limit: float) -> str:
    """Return the part for heavy running."""
    return f"heavy running still stands at {ratio:.2f} times the weeks before (margin {limit:.2f})"


def held_unseen(days: int, limit: int) -> str:
    """Return the sentence for a deload that nobody can see clear, because days are missing."""
    return (
        f"The ratios have been unknown for {count(days, 'day')}, so this deload cannot be seen to clear. It is kept for"
        f" up to {count(limit, 'day')}, then the state says unknown."
    )


def clears_deload(
    uncoupled: float, ewma: float, spike_until: dt.date | None, *, with_ratios: bool, by_heavy: bool
) -> str:
    """Return what ends a deload. Without ratios (baseline, returning) only the age of the spike counts."""
    parts = []
    if with_ratios:
        heavy = ", and that of hills, speed and long runs," if by_heavy else ""
        parts.append(f"the week's load{heavy} is at most {uncoupled:.2f} times that of the weeks before")
        parts.append(f"the smoothed ratio at most {ewma:.2f}")
    if spike_until is not None:
        parts.append(f"the last spike is old enough (from {day(spike_until)} on)")
    if not parts:
        return "Clears on the next day without a reason."
    if len(parts) > _CLAUSES:
        return f"Clears when all of this holds: {'; '.join(parts)}."
    return f"Clears when {_listed(parts)}."


def clears_caution(parts: tuple[str, ...]) -> str:
    """Return what ends a caution, one part for each reason."""
    return f"Clears when {_listed(list(parts))}."


def spike_aged(until: dt.date) -> str:
    """Return the part for a spike that must grow old."""
    return f"the spike is old enough (from {day(until)} on)"


def ewma_eased(limit: float) -> str:
    """Return the part for a smoothed ratio that must come down."""
    return f"the smoothed ratio is at most {limit:.2f}"


def heavy_apart(until: dt.date) -> str:
    """Return the part for two heavy runs that must lie back."""
    return f"the two heavy runs lie back (from {day(until)} on)"


def monotony_eased(limit: float) -> str:
    """Return the part for days that must differ more."""
    return f"the days differ more (monotony at most {limit:.1f})"


def clears_build(planned: int) -> str:
    """Return what ends the call for curls."""
    return f"Clears when {count(planned, 'curl session')} in 10 days are known."


def clears_baseline(days: int) -> str:
    """Return what ends the baseline."""
    return f"Clears after {count(days, 'more day')} of history."


def clears_returning(chronic: int) -> str:
    """Return what ends the return."""
    return f"Clears when the break no longer lies in the last {chronic} days."


def clears_unknown(chronic: int) -> str:
    """Return what ends the not knowing."""
    return f"Clears when the missing days have been reported, or have left the last {chronic} days."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def budget(total_efm: float, days: int, through: dt.date, last_efm: float) -> str:
    """Return the week's budget. Rounded down: what is said may never be more than what was solved."""
    total = whole(total_efm)
    if total < 1:
        return f"Rest from running in the next {days} days, through {day(through)}."
    cut = whole(100 * (1 - total_efm / last_efm))
    return (
        f"In the next {days} days (through {day(through)}) run at most {total} EFM: about {total} easy flat minutes in"
        f" all. That is {cut} % under the last {days} days."
    )


def budget_left(left_efm: float, total_efm: float, through: dt.date, last_efm: float, days: int) -> str:
    """Return what is left of a budget that has begun, and how large the whole cut is."""
    left = whole(left_efm)
    if left < 1:
        return f"This deload's budget is used up: no more running through {day(through)}."
    cut = whole(100 * (1 - total_efm / last_efm))
    return (
        f"Run at most {left} EFM through {day(through)}, about {left} easy flat minutes in all. That is what is left of"
        f" {whole(total_efm)} EFM for the {days} days of this deload, {cut} % under the {days} days before it."
    )


def budget_unseen(total_efm: float, through: dt.date) -> str:
    """Return the budget where nobody knows how much of it has been run."""
    return (
        f"This deload's budget is {whole(total_efm)} EFM through {day(through)}. How much of it is left is not"
        " known: days are missing."
    )


def no_budget() -> str:
    """Return what to do where the last days are not all known, so that no number can be solved."""
    return (
        "How much to cut cannot be said in numbers, because not enough days are known. For the next 7 days run clearly"
        " less than usual, easy and flat."
    )


def projection(uncoupled: float, ewma: float | None, days: int) -> str:
    """Return where the plan leads if the load is spread evenly."""
    smoothed = "" if ewma is None else f" and the smoothed ratio at {ewma:.2f}"
    return (
        f"Run as planned, that puts the week's load at {uncoupled:.2f} times the weeks before{smoothed} after {days}"
        " days."
    )


def projection_without(uncoupled: float, ewma: float | None, days: int) -> str:
    """Return where the ratios stand if nothing changes."""
    smoothed = "" if ewma is None else f" (smoothed {ewma:.2f})"
    return f"The last {days} days run once more would leave it at {uncoupled:.2f}{smoothed}."


def by_day(budgets: Sequence[tuple[dt.date, int]]) -> str:
    """Return the budget of each day; neighbours that are alike are told together."""
    told: list[str] = []
    for _, group in groupby(budgets, key=lambda budget: budget[1]):
        days = list(group)
        first, last, limit = days[0][0], days[-1][0], days[0][1]
        span = _short(first) if len(days) == 1 else f"{_short(first)} to {_short(last)}"
        told.append(f"{span} {f'at most {limit}' if limit else 'rest'}{' each' if limit and len(days) > 1 else ''}")
    return f"Day by day, in EFM: {', '.join(told)}."


def _short(date: dt.date) -> str:
    return _WEEKDAYS[date.weekday()][:3]


def unreachable(days: int) -> str:
    """Return that even rest would not bring the ratios under their margin in time."""
    return (
        f"Even without any running the ratios stay above their margin for {days} days: recovery takes longer than that."
    )


def no_room() -> str:
    """Return that the coming week's room is not known."""
    return "How much the next 7 days can hold cannot be said in numbers."


def room_unchecked(hours: float) -> str:
    """Return what the room of a week leaves unchecked."""
    return (
        "This checks how much you run, day by day, not how hard: too many hills, fast or long runs can still bring a"
        f" deload. Keep hard runs {hours:.0f} hours apart, and ask for one you think of with --add."
    )


def no_room_yet() -> str:
    """Return why there is no room to tell while ratios compare with nothing."""
    return "There are too few weeks of running to compare with yet. Add little, and keep to the longest run below."


def not_looked() -> str:
    """Return what to do where the newest days are not known."""
    return "The newest days are not known: run hamload sync, or import what is missing, and ask again."


def instead(limit_efm: int) -> str:
    """Return what takes the place of a hard run in a deload."""
    return f"easy and flat, at most {limit_efm} minutes" if limit_efm else "rest"


def race_in_quiet(date: dt.date, hours: float, limit_efm: int) -> str:
    """Return that a race lies where no heavy running should."""
    easy = f"run it easy, at most {limit_efm} EFM" if limit_efm else "leave it out"
    return (
        f"Your race on {day(date)} lies in the first {hours:.0f} hours of this deload, which hold no hard running. The"
        f" plan holds no race: {easy}."
    )


def race_in_week(date: dt.date, limit_efm: int, hours: float | None) -> str:
    """Return what is kept for a race; hours None: it is today, and what was before it is over."""
    before = "" if hours is None else f" No hard run in the {hours:.0f} hours before it."
    return f"For your race on {day(date)} the plan keeps {limit_efm} EFM, the most that one run may hold now.{before}"


def race_curls(dates: Sequence[dt.date], hours: float) -> str:
    """Return that curls lie too close before a race."""
    return (
        f"Your curls on {' and '.join(day(date) for date in dates)} are too close to the race: leave them out. None in"
        f" the {hours:.0f} hours before it, nor on its day."
    )


def race_later(date: dt.date, limit_m: float | None) -> str:
    """Return what to keep in mind for a race that lies after the plan."""
    long = (
        f" From today's view a race longer than {whole(limit_m / 100) / 10:.1f} km would be a spike." if limit_m else ""
    )
    return f"Your race on {day(date)} lies after these days.{long}"


def estimated(kind: str, load_efm: float, distance_m: float | None, runs: int, *, is_own_kind: bool) -> str:
    """Return what a planned run would ask, and what that rests on."""
    far = "" if distance_m is None else f" over {distance_m / 1000:.1f} km"
    if is_own_kind:
        return f"About {load_efm:.0f} EFM{far}, going by your own {count(runs, f'{kind} run')} of late."
    return (
        f"About {load_efm:.0f} EFM{far}, going by all your {count(runs, 'run')} of late, as too few were {kind} runs."
        f"{' The true load is likely higher.' if kind in ('hill', 'speed', 'race') else ''}"
    )


def no_ratio_then() -> str:
    """Return that the ratios of that day cannot be told."""
    return "The load ratios of that day cannot be told, because days before it are missing or held a break."


def beyond_the_plan(limit_efm: int) -> str:
    """Return that a planned run is more than the plan holds for its day."""
    return f"The deload's plan holds at most {limit_efm} EFM that day."


def no_heavy_that_day() -> str:
    """Return that a planned run is of a kind that waits."""
    return "Hills, speed and long runs wait on that day."


def longest(limit_m: float, factor: float, days: int) -> str:
    """Return the longest run allowed."""
    return (
        f"No run longer than {whole(limit_m / 100) / 10:.1f} km: {factor:.2f} times your longest of the last"
        f" {days} days, runs beyond the usual of the last week left out."
    )


def no_heavy_before(date: dt.date, hours: float) -> str:
    """Return for how long hills, speed and long runs rest."""
    return f"No hills, no speed and no long run for {hours:.0f} hours, that is through {day(date)}."


def no_heavy_yet() -> str:
    """Return that heavy running waits for the end of the deload."""
    return "Hills, speed and long runs wait until this deload has cleared."


def curls_wait(through: dt.date, hours: float) -> str:
    """Return that nothing is added at the start of a deload."""
    return f"Curls: none are added in the first {hours:.0f} hours of a deload, that is through {day(through)}."


def curls_halved(factor: float, sets: int, repetitions: int, max_rpe: int, *, waits: bool) -> str:
    """Return how little is done in the rest of a deload."""
    return (
        f"Curls{' after that' if waits else ''}, if all feels well: at most {_percent(factor)} of your usual ball"
        f" curls, or {sets} x {repetitions} if they are new, after an easy run, up to {max_rpe}/10 and never 10/10."
        " More only once this deload has cleared."
    )


def curls_as_before() -> str:
    """Return that a watchful week is no week to add."""
    return "Curls: keep to what you do already, after an easy run, and add nothing this week."


def curls_unjudged() -> str:
    """Return that nobody can say whether it is a good week to add."""
    return "Curls: hamload cannot tell whether this is a good week to add any. If all feels well, keep to what you do."


def curls_returning(gap_days: int, factor: float) -> str:
    """Return how curls begin again after a break."""
    return (
        f"Curls: after {gap_days} days or more without them begin again at {_percent(factor)} of the last dose, after"
        " an easy run."
    )


def curls_spacing(hours: float, quiet: float) -> str:
    """Return how curls are spaced."""
    return (
        f"Curls: once or twice a week, at least {hours:.0f} hours apart, after an easy run. No hills, speed or long run"
        f" in the {quiet:.0f} hours after them."
    )


def curls_start(sets: int, repetitions: int, max_rpe: int) -> str:
    """Return the first dose."""
    return (
        f"New to them: start with {sets} x {repetitions} ball curls, hips high, feet lowered away slowly. Work up to"
        f" {max_rpe}/10 effort, never 10/10."
    )


def curls_again(gap_days: int, factor: float) -> str:
    """Return the dose for who has done them before."""
    return f"After {gap_days} days or more without curls, begin again at {_percent(factor)} of the last dose."


def curls_effort(max_rpe: int) -> str:
    """Return how hard they may be."""
    return f"Work up to {max_rpe}/10 effort, never 10/10."


def curls_soreness() -> str:
    """Return what soreness means, and what curls replace."""
    return "Some soreness one or two days later is a good sign. Do them instead of stretching harder, not on top of it."


def curls_evidence() -> str:
    """Return how much is known about ball curls."""
    return (
        "Nothing published tests ball curls for chronic tightness. Other eccentric programmes cut hamstring injuries"
        " in team sports."
    )


def dose(sets: int, repetitions: int, lowering_s: int | None, *, is_single_leg: bool) -> str:
    """Return a dose in words."""
    single = " single-leg" if is_single_leg else ""
    lowering = f", lowered in {lowering_s} seconds" if lowering_s else ", lowered slowly"
    return f"{sets} x {repetitions}{single} ball curls{lowering}"


def next_curls(told: str, dates: Sequence[dt.date], reason: str) -> str:
    """Return the next curls and the reason for their dose."""
    return f"Next curls: {told}, on {' and '.join(day(date) for date in dates)}. {reason}".rstrip()


def curls_begin(sessions: int) -> str:
    """Return why the first dose is so small."""
    return f"No curls are known yet, so begin with the smallest dose, for {count(sessions, 'session')}."


def curls_restart(days: int) -> str:
    """Return why the programme begins again."""
    return f"The last curls were {days} days ago: begin again with the first dose."


def curls_gap(days: int, factor: float) -> str:
    """Return why a dose is smaller after a pause."""
    return f"{days} days without curls: gains fade after two weeks, so go on with {_percent(factor)} of the last dose."


def curls_cut(factor: float) -> str:
    """Return why a dose is smaller after too much."""
    return (
        f"The last curls were too much (effort of 10, soreness that was strong, long or worse each time): do"
        f" {_percent(factor)} of them, and leave one session out."
    )


def curls_hold(max_rpe: int, sore: float) -> str:
    """Return why a dose stays."""
    return f"The last curls were hard enough (effort above {max_rpe}, or soreness above {sore:g}): the same once more."


def curls_beyond(sets: int, repetitions: int) -> str:
    """Return why a dose beyond the programme is brought back to it."""
    return f"You did more than the programme asks ({sets} x {repetitions} at most): go on from this dose."


def curls_unknown() -> str:
    """Return why a dose stays where nothing was said of it."""
    return (
        "How the last curls felt is not fully known, so the dose stays. To go on, log the effort (hamload log curls 2x8"
        " --rpe 8), then the soreness two days later, and after three days if it was not 0 (hamload log soreness 0)."
    )


def curls_once_more(good: int, needed: int) -> str:
    """Return why a dose stays after a good session."""
    return f"{good} of {needed} good sessions at this dose: the same once more, then a step up."


def curls_step(good: int) -> str:
    """Return why a dose grows."""
    return f"{count(good, 'good session')} at the last dose: one step up."


def curls_maintain() -> str:
    """Return what comes after the programme."""
    return "The programme is done: once a week keeps what you have built."


def curls_in_deload(wait: dt.date, factor: float) -> str:
    """Return what a deload does to curls."""
    return f"In a deload none through {day(wait)}, then at most {_percent(factor)} of your last dose; nothing is added."


def curls_no_step(state: State) -> str:
    """Return why nothing is added outside calm weeks."""
    return f"A step up is due, but your state is {state.value}: the same dose until that is over."


def curls_not_now(state: State) -> str:
    """Return why the programme does not begin today."""
    return f"Your state is {state.value}: new curls begin once it is build or steady."


def curls_unsettled(days: int) -> str:
    """Return that soreness has lasted too long."""
    return (
        f"Soreness after your last curls has not settled in {days} days. No more curls: let a doctor or physiotherapist"
        " look at it. When it is gone, log it: hamload log soreness 0."
    )


def massage_first(needed: int, had: int) -> str:
    """Return that massage comes before curls."""
    return (
        f"Your tightness is chronic: have {needed} to {needed + 1} massages first ({had} logged; hamload log massage)."
        " If you begin with curls all the same, log them: hamload goes on from there."
    )


def curls_crowded(hours: float) -> str:
    """Return that the week leaves little room for curls."""
    return (
        f"Your usual hard days leave no {hours:.0f} hours free after curls. Better make one of them easy; till then"
        " take these days."
    )


def curls_how(max_rpe: int) -> str:
    """Return how curls are done."""
    return (
        f"After an easy run: heels on the ball, hips high, feet lowered away slowly. Up to {max_rpe}/10 effort, never"
        " 10/10. Never the day before hills, speed or a long run."
    )


def stretching(share: float) -> str:
    """Return what the article says of stretching."""
    limit = _percent(share)
    return f"If you stretch, only lightly: no more than {limit} of what you could. Curls replace hard stretching."


def backtested(
    entries: int, flares: int, needed: int, margin: int, *, is_enough: bool, tightness: float
) -> tuple[str, ...]:
    """Return what a back-test can say, and what it cannot."""
    if not entries:
        return (
            (
                "No tightness is logged yet, so the rules cannot be held against it. Log it most days, 0 too: hamload"
                " log tightness 2."
            ),
        )
    told = (
        f"{count(entries, 'day')} with an entry of tightness, {count(flares, 'flare')} ({tightness:g} or more after a"
        " calm week)."
    )
    if is_enough:
        return (told, f"Enough to tell rates to within {margin} points. One runner's past is still no proof.")
    return (
        told,
        (
            f"That is too few to tell: about {needed} flares are needed to know a rate to within {margin} points. Read"
            " the table as a diary, not as a proof."
        ),
    )
