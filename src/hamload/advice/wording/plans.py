"""What the week's plan says: budgets, room, races, what a planned run would do."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from hamload.advice.wording.common import BY_DAY, count, day, whole
from hamload.language import Text, text, word

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


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


def lapsed() -> Text:
    """Return why less is left than was not run."""
    return text("What you have not run by now is not made up for: less was the point.")


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
