"""Every sentence that a runner reads from the rules, the plan and the curls; values in, plain English out.

No sentence tells a runner their own chance of injury: no published number supports one. A ratio is called what it is,
and each kind of ground has one phrase (`SPIKE_GROUND` and its like) that is shown beside the number. Sentences stay
under `LONGEST` characters, so that they fit a mail, a phone and a table.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from hamload.language import Text, marked, plural, text, word
from hamload.records import Alert, Confidence, State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from hamload.records import SessionFact

#: No sentence is longer, in characters.
LONGEST = 240
_LONGEST_TITLE = 40
#: How many warning signs are named in one sentence.
_SIGNS = 3
#: How many conditions one sentence carries without becoming hard to read.
_CLAUSES = 2

DISCLAIMER = text(
    "General information, not medical advice. Sudden sharp pain, bruising, numbness or pain at night: stop running and"
    " see a clinician."
)
_MODEL = text("Hamstring load is a model, not a measurement.")

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


def distance_spike(session: SessionFact, spike: float, days: int) -> Text:
    """Return the sentence for a run beyond the longest of the days before it."""
    return text(
        "The run of {date:day} was {spike:percent} beyond your longest in {days} days. Runners"
        " who did that had more overuse injuries in one large study; it cannot say whether you will."
        " {model}",
        date=session.local_date,
        spike=spike - 1,
        days=days,
        model=_MODEL,
    )


def load_spike(session: SessionFact, spike: float, days: int) -> Text:
    """Return the sentence for a run harder on the hamstrings than any of the days before it."""
    return text(
        "The run of {date:day} asked {spike:percent} more of your hamstrings than your hardest in"
        " {days} days. Only distance has been studied this way.",
        date=session.local_date,
        spike=spike - 1,
        days=days,
    )


def uncoupled_ratio(ratio: float, threshold: float, own: str, acute: int, chronic: int) -> Text:
    """Return the sentence for the load of the last days against the weeks before them."""
    return text(
        "Your load of the last {acute} days is {ratio:.2f} times that of the {chronic} days before,"
        " above {threshold:.2f}{own}.",
        acute=acute,
        ratio=ratio,
        chronic=chronic - acute,
        threshold=threshold,
        own=own,
    )


def few_runs(least: int) -> Text:
    """Return why a high ratio is a caution only."""
    return text("Fewer than {least} runs make up this week, so it is a caution only.", least=least)


def uncoupled_eased(limit: float) -> Text:
    """Return the part for a week's load that must come down."""
    return text("the week's load is at most {limit:.2f} times that of the weeks before", limit=limit)


def ewma_ratio(ratio: float, threshold: float, own: str) -> Text:
    """Return the sentence for the smoothed ratio, in which recent days count most."""
    return text(
        "Your smoothed load ratio (EWMA, in which recent days count most) is {ratio:.2f}, above {threshold:.2f}{own}.",
        ratio=ratio,
        threshold=threshold,
        own=own,
    )


def own_past(own: float | None, quantile: float) -> str:
    """Return where the ratio stands in the athlete's own past year; nothing where that is not known."""
    return (
        ""
        if own is None
        else text(
            " and above {quantile:percent} of the days of your own past year ({own:.2f})", quantile=quantile, own=own
        )
    )


def heavy_ratio(ratio: float, sessions: int, threshold: float, acute: int, chronic: int) -> Text:
    """Return the sentence for heavy running against the weeks before."""
    return text(
        "Your load from hills, speed and long runs ({sessions} in {acute} days) is {ratio:.2f} times"
        " that of the {chronic} days before, above {threshold:.2f}.",
        sessions=count(sessions, "such run"),
        acute=acute,
        ratio=ratio,
        chronic=chronic - acute,
        threshold=threshold,
    )


def heavy_spacing(hours: float, threshold: float) -> Text:
    """Return the sentence for two heavy runs close together."""
    return text(
        "Two heavy runs (hills, speed, long or hard) began {hours:.0f} hours apart, less than"
        " {threshold:.0f}: the hamstrings had little time to recover in between.",
        hours=hours,
        threshold=threshold,
    )


def monotony(value: float, threshold: float, days: int) -> Text:
    """Return the sentence for days too much alike; an infinite monotony is seven equal days."""
    if math.isinf(value):
        return text(
            "Each of the last {days} days asked the same: no easy day among them. No single run did this.", days=days
        )
    return text(
        "The last {days} days were much alike (monotony {value:.1f}, above {threshold:.1f}): easy days"
        " and days off are missing. No single run did this.",
        days=days,
        value=value,
        threshold=threshold,
    )


def red_flags(meanings: Sequence[str], *, is_urgent: bool) -> Text:
    """Return the sentence for signs that belong to a clinician."""
    shown = list(meanings[:_SIGNS])
    if len(meanings) > _SIGNS:
        shown.append(text("and {more}", more=count(len(meanings) - _SIGNS, "more sign")))
    if is_urgent:
        return text("You logged a sign that cannot wait: {signs:semicolons}.", signs=shown)
    return text("You logged a warning sign: {signs:semicolons}.", signs=shown)


def stop_urgent() -> Text:
    """Return what to do about a sign that cannot wait."""
    return text("Get medical help now: call your emergency number or go to an emergency department. Do not wait.")


def stop_clinician() -> Text:
    """Return what to do about a sign that belongs to a clinician."""
    return text("Do not run and do no leg exercises for now. See a doctor or a physiotherapist about this sign first.")


def stop_withheld() -> Text:
    """Return that nothing else is advised."""
    return text("Until then hamload gives no advice on running, curls or stretching.")


def clears_stop(names: Sequence[str]) -> Text:
    """Return what ends a stop: what a clinician found, never time."""
    commands = ", ".join(f"hamload log cleared {name}" for name in names[:_SIGNS])
    return text(
        "Clears when a clinician has looked at it and you log that: {commands}{more}. It does not end by waiting.",
        commands=commands,
        more=text(" and so on for each sign") if len(names) > _SIGNS else "",
    )


def tightness(today: float, before: float, threshold: float, ratio: float) -> Text:
    """Return the sentence for tightness two days running while the load rises."""
    return text(
        "You logged tightness of {before:g} and {today:g} out of 10 two days running ({threshold:g} or"
        " more), while your smoothed load ratio is {ratio:.2f}: the load is rising.",
        before=before,
        today=today,
        threshold=threshold,
        ratio=ratio,
    )


def few_curls(done: int | None, planned: int) -> Text:
    """Return the sentence for missing curls; done None: nobody has told hamload of any, which is not none."""
    if done is None:
        return text("No curl session is known to hamload. That need not mean that you did none: log the ones you do.")
    if done == 0:
        return text("No curl session in the last 10 days; {planned} are planned.", planned=planned)
    return text("{done} in the last 10 days; {planned} are planned.", done=count(done, "curl session"), planned=planned)


def steady(ratio: float, smoothed: float, acute: int, chronic: int) -> Text:
    """Return the sentence for a day on which nothing stands out."""
    return text(
        "Your load of the last {acute} days is {ratio:.2f} times that of the {chronic} days before"
        " (smoothed {smoothed:.2f}), and no run stands out.",
        acute=acute,
        ratio=ratio,
        chronic=chronic - acute,
        smoothed=smoothed,
    )


def baseline(history_days: int, needed: int) -> Text:
    """Return the sentence for a history that is too short."""
    return text(
        "Building a baseline: day {history_days} of {needed}. Until then no ratio is shown.",
        history_days=history_days,
        needed=needed,
    )


def returning(days_since_run: int | None, returning_days: int) -> Text:
    """Return the sentence for a break; a short time since the last run means that running has begun again."""
    if days_since_run is None:
        return text("No run is known yet, so there is nothing to compare with.")
    if days_since_run >= returning_days:
        return text(
            "{days_since_run} days without running: a ratio would compare with nothing, so none is shown.",
            days_since_run=days_since_run,
        )
    return text(
        "You are running again after a break of {returning_days} days or more. Until it has left the"
        " comparison weeks no ratio is shown.",
        returning_days=returning_days,
    )


def unknown_days(days: int, chronic: int) -> Text:
    """Return the sentence for days that no source has reported on."""
    return plural(
        "{n} of the last {chronic} days is unknown. An unknown day is not a day of rest, so no ratio is shown.",
        "{n} of the last {chronic} days are unknown. An unknown day is not a day of rest, so no ratio is shown.",
        days,
        chronic=chronic,
    )


def silence(days: int) -> Text:
    """Return the sentence for sources that have said nothing up to and including today."""
    which = text("this day") if days == 1 else text("the last {days} days", days=days)
    return text(
        "No source has reported on {which}. A day nobody reported is not a day of rest: check that the"
        " sync still works.",
        which=which,
    )


def no_ratio() -> Text:
    """Return the sentence for a ratio that is not defined although the days are known."""
    return text("The load ratios are not defined on this day, so hamload cannot judge.")


def heavy_unjudged(runs: int, chronic: int) -> Text:
    """Return the sentence for runs of which nobody knows whether they were heavy."""
    return text(
        "Of {runs} in the last {chronic} days it is not known whether they were hilly, fast or long, so"
        " heavy running was not judged.",
        runs=count(runs, "run"),
        chronic=chronic,
    )


def held(parts: tuple[str, ...]) -> Text:
    """Return the sentence for a deload that has eased but not cleared; `parts` are what is still above its margin."""
    return text("A deload ends only by a clear margin, and {parts:and}.", parts=parts)


def held_uncoupled(ratio: float, limit: float) -> Text:
    """Return the part for the load of the last days."""
    return text(
        "the week's load still stands at {ratio:.2f} times the weeks before (margin {limit:.2f})",
        ratio=ratio,
        limit=limit,
    )


def held_ewma(ratio: float, limit: float) -> Text:
    """Return the part for the smoothed ratio."""
    return text("the smoothed ratio still stands at {ratio:.2f} (margin {limit:.2f})", ratio=ratio, limit=limit)


def held_heavy(ratio: float, limit: float) -> Text:
    """Return the part for heavy running."""
    return text(
        "heavy running still stands at {ratio:.2f} times the weeks before (margin {limit:.2f})",
        ratio=ratio,
        limit=limit,
    )


def held_unseen(days: int, limit: int) -> Text:
    """Return the sentence for a deload that nobody can see clear, because days are missing."""
    return text(
        "The ratios have been unknown for {days}, so this deload cannot be seen to clear. It is kept"
        " for up to {limit}, then the state says unknown.",
        days=count(days, "day"),
        limit=count(limit, "day"),
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


def budget(total_efm: float, days: int, through: dt.date, last_efm: float) -> Text:
    """Return the week's budget. Rounded down: what is said may never be more than what was solved."""
    total = whole(total_efm)
    if total < 1:
        return text("Rest from running in the next {days} days, through {through:day}.", days=days, through=through)
    cut = whole(100 * (1 - total_efm / last_efm))
    return text(
        "In the next {days} days (through {through:day}) run at most {total} EFM: about {total} easy"
        " flat minutes in all. That is {cut} % under the last {days} days.",
        days=days,
        through=through,
        total=total,
        cut=cut,
    )


def budget_left(left_efm: float, total_efm: float, through: dt.date, last_efm: float, days: int) -> Text:
    """Return what is left of a budget that has begun, and how large the whole cut is."""
    left = whole(left_efm)
    if left < 1:
        return text("This deload's budget is used up: no more running through {through:day}.", through=through)
    cut = whole(100 * (1 - total_efm / last_efm))
    return text(
        "Run at most {left} EFM through {through:day}, about {left} easy flat minutes in all. That is"
        " what is left of {total_efm} EFM for the {days} days of this deload, {cut} % under the {days}"
        " days before it.",
        left=left,
        through=through,
        total_efm=whole(total_efm),
        days=days,
        cut=cut,
    )


def budget_unseen(total_efm: float, through: dt.date) -> Text:
    """Return the budget where nobody knows how much of it has been run."""
    return text(
        "This deload's budget is {total_efm} EFM through {through:day}. How much of it is left is not"
        " known: days are missing.",
        total_efm=whole(total_efm),
        through=through,
    )


def no_budget() -> Text:
    """Return what to do where the last days are not all known, so that no number can be solved."""
    return text(
        "How much to cut cannot be said in numbers, because not enough days are known. For the next 7 days run clearly"
        " less than usual, easy and flat."
    )


def projection(uncoupled: float, ewma: float | None, days: int) -> Text:
    """Return where the plan leads if the load is spread evenly."""
    smoothed = "" if ewma is None else text(" and the smoothed ratio at {ewma:.2f}", ewma=ewma)
    return text(
        "Run as planned, that puts the week's load at {uncoupled:.2f} times the weeks before{smoothed}"
        " after {days} days.",
        uncoupled=uncoupled,
        smoothed=smoothed,
        days=days,
    )


def projection_without(uncoupled: float, ewma: float | None, days: int) -> Text:
    """Return where the ratios stand if nothing changes."""
    smoothed = "" if ewma is None else text(" (smoothed {ewma:.2f})", ewma=ewma)
    return text(
        "The last {days} days run once more would leave it at {uncoupled:.2f}{smoothed}.",
        days=days,
        uncoupled=uncoupled,
        smoothed=smoothed,
    )


#: The sentence that a table of the days stands for.
BY_DAY = marked("Day by day, in EFM: {told:commas}.")


def by_day(budgets: Sequence[tuple[dt.date, int]]) -> Text:
    """Return the budget of each day; neighbours that are alike are told together."""
    told: list[Text] = []
    for _, group in groupby(budgets, key=lambda budget: budget[1]):
        days = list(group)
        first, last, limit = days[0][0], days[-1][0], days[0][1]
        span = text("{date:weekday}", date=first)
        if len(days) > 1:
            span = text("{first:weekday} to {last:weekday}", first=first, last=last)
        if not limit:
            told.append(text("{span} rest", span=span))
        elif len(days) > 1:
            told.append(text("{span} at most {limit} each", span=span, limit=limit))
        else:
            told.append(text("{span} at most {limit}", span=span, limit=limit))
    return text(BY_DAY, told=told)


def unreachable(days: int) -> Text:
    """Return that even rest would not bring the ratios under their margin in time."""
    return text(
        "Even without any running the ratios stay above their margin for {days} days: recovery takes longer than that.",
        days=days,
    )


def no_room() -> Text:
    """Return that the coming week's room is not known."""
    return text("How much the next 7 days can hold cannot be said in numbers.")


def room_unchecked(hours: float) -> Text:
    """Return what the room of a week leaves unchecked."""
    return text(
        "This checks how much you run, day by day, not how hard: too many hills, fast or long runs can"
        " still bring a deload. Keep hard runs {hours:.0f} hours apart, and ask for one you think of"
        " with --add.",
        hours=hours,
    )


def no_room_yet() -> Text:
    """Return why there is no room to tell while ratios compare with nothing."""
    return text(
        "There are too few weeks of running to compare with yet. Add little, and keep to the longest run below."
    )


def not_looked() -> Text:
    """Return what to do where the newest days are not known."""
    return text("The newest days are not known: run hamload sync, or import what is missing, and ask again.")


def instead(limit_efm: int) -> Text:
    """Return what takes the place of a hard run in a deload."""
    return text("easy and flat, at most {limit_efm} minutes", limit_efm=limit_efm) if limit_efm else word("rest")


def race_in_quiet(date: dt.date, hours: float, limit_efm: int) -> Text:
    """Return that a race lies where no heavy running should."""
    easy = text("run it easy, at most {limit_efm} EFM", limit_efm=limit_efm) if limit_efm else text("leave it out")
    return text(
        "Your race on {date:day} lies in the first {hours:.0f} hours of this deload, which hold no hard"
        " running. The plan holds no race: {easy}.",
        date=date,
        hours=hours,
        easy=easy,
    )


def race_in_week(date: dt.date, limit_efm: int, hours: float | None) -> Text:
    """Return what is kept for a race; hours None: it is today, and what was before it is over."""
    before = "" if hours is None else text(" No hard run in the {hours:.0f} hours before it.", hours=hours)
    return text(
        "For your race on {date:day} the plan keeps {limit_efm} EFM, the most that one run may hold now.{before}",
        date=date,
        limit_efm=limit_efm,
        before=before,
    )


def race_curls(dates: Sequence[dt.date], hours: float) -> Text:
    """Return that curls lie too close before a race."""
    return text(
        "Your curls on {dates:and} are too close to the race: leave them out. None in the {hours:.0f} hours"
        " before it, nor on its day.",
        dates=[day(date) for date in dates],
        hours=hours,
    )


def race_later(date: dt.date, limit_m: float | None) -> Text:
    """Return what to keep in mind for a race that lies after the plan."""
    long = (
        text(" From today's view a race longer than {limit_m:distance_down} would be a spike.", limit_m=limit_m)
        if limit_m
        else ""
    )
    return text("Your race on {date:day} lies after these days.{long}", date=date, long=long)


def estimated(kind: str, load_efm: float, distance_m: float | None, runs: int, *, is_own_kind: bool) -> Text:
    """Return what a planned run would ask, and what that rests on."""
    far = "" if distance_m is None else text(" over {distance_m:distance}", distance_m=distance_m)
    if is_own_kind:
        return text(
            "About {load_efm:.0f} EFM{far}, going by your own {runs} of late.",
            load_efm=load_efm,
            far=far,
            runs=count(runs, f"{kind} run"),
        )
    return text(
        "About {load_efm:.0f} EFM{far}, going by all your {runs} of late, as too few were {kind} runs.{higher}",
        load_efm=load_efm,
        far=far,
        runs=count(runs, "run"),
        kind=word(kind),
        higher=text(" The true load is likely higher.") if kind in {"hill", "speed", "race"} else "",
    )


def no_ratio_then() -> Text:
    """Return that the ratios of that day cannot be told."""
    return text("The load ratios of that day cannot be told, because days before it are missing or held a break.")


def beyond_the_plan(limit_efm: int) -> Text:
    """Return that a planned run is more than the plan holds for its day."""
    return text("The deload's plan holds at most {limit_efm} EFM that day.", limit_efm=limit_efm)


def no_heavy_that_day() -> Text:
    """Return that a planned run is of a kind that waits."""
    return text("Hills, speed and long runs wait on that day.")


def not_planned() -> Text:
    """Return that no number can be given for a day."""
    return text("not planned yet")


def day_of_plan(limit_efm: int, *, is_quiet: bool, is_deload: bool) -> Text:
    """Return what a day of the coming week is for."""
    if not limit_efm:
        return word("rest")
    if is_quiet:
        return text("easy, flat")
    return text("easy") if is_deload else text("as usual")


def curls_later() -> Text:
    """Return that curls follow, whose dose depends on the ones before."""
    return text("curls")


def longest(limit_m: float, factor: float, days: int) -> Text:
    """Return the longest run allowed."""
    return text(
        "No run longer than {limit_m:distance_down}: {factor:.2f} times your longest of the last {days}"
        " days, runs beyond the usual of the last week left out.",
        limit_m=limit_m,
        factor=factor,
        days=days,
    )


def no_heavy_before(date: dt.date, hours: float) -> Text:
    """Return for how long hills, speed and long runs rest."""
    return text(
        "No hills, no speed and no long run for {hours:.0f} hours, that is through {date:day}.", hours=hours, date=date
    )


def no_heavy_yet() -> Text:
    """Return that heavy running waits for the end of the deload."""
    return text("Hills, speed and long runs wait until this deload has cleared.")


def curls_wait(through: dt.date, hours: float) -> Text:
    """Return that nothing is added at the start of a deload."""
    return text(
        "Curls: none are added in the first {hours:.0f} hours of a deload, that is through {through:day}.",
        hours=hours,
        through=through,
    )


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


def backtested(
    entries: int, flares: int, needed: int, margin: int, *, is_enough: bool, tightness: float
) -> tuple[str, ...]:
    """Return what a back-test can say, and what it cannot."""
    if not entries:
        return (
            (
                text(
                    "No tightness is logged yet, so the rules cannot be held against it. Log it most days, 0 too:"
                    " hamload log tightness 2."
                )
            ),
        )
    told = text(
        "{entries} with an entry of tightness, {flares} ({tightness} or more after a calm week).",
        entries=count(entries, "day"),
        flares=count(flares, "flare"),
        tightness=f"{tightness:g}",
    )
    if is_enough:
        return (
            told,
            text("Enough to tell rates to within {margin} points. One runner's past is still no proof.", margin=margin),
        )
    return (
        told,
        (
            text(
                "That is too few to tell: about {needed} flares are needed to know a rate to within {margin}"
                " points. Read the table as a diary, not as a proof.",
                needed=needed,
                margin=margin,
            )
        ),
    )
