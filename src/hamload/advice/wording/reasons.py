"""Why a day has its state: a sentence for each rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hamload.advice.wording.common import SIGNS, count
from hamload.language import Text, plural, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.records import SessionFact

_MODEL = text("Hamstring load is a model, not a measurement.")


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
    shown = list(meanings[:SIGNS])
    if len(meanings) > SIGNS:
        shown.append(text("and {more}", more=count(len(meanings) - SIGNS, "more sign")))
    if is_urgent:
        return text("You logged a sign that cannot wait: {signs:semicolons}.", signs=shown)
    return text("You logged a warning sign: {signs:semicolons}.", signs=shown)


def stop_clinician() -> Text:
    """Return what to do about a sign that belongs to a clinician."""
    return text("Do not run and do no leg exercises for now. See a doctor or a physiotherapist about this sign first.")


def stop_withheld() -> Text:
    """Return that nothing else is advised."""
    return text("Until then hamload gives no advice on running, curls or stretching.")


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
