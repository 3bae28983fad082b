"""The week after a deload begins: by how much to cut, for how long, and what waits. Pure: daily loads in, numbers out.

The plan is solved once, when the runner is told, and then counted down; solved anew each day it would cut what it has
cut already. Its load is spread evenly here.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.advice import wording
from hamload.advice.rules import known, recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.parameters import AlertRules
    from hamload.records import DayFacts

_HOURS = 24
#: Room for rounding: a projection that meets its limit exactly has met it.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class DeloadPlan:
    """What the days after `start` may hold.

    Attributes
    ----------
    start, end
        The day at whose end the plan was made, and its last day.
    total_efm, last_efm
        The budget for the days after `start` up to `end`, and what the same number of days before it held, EFM.
    uncoupled, ewma
        Where the ratios stand on `end` if the budget is spread evenly; None where they were not solved for.
    is_reachable
        Whether the ratios can be under their margins by `end` at all; if not, the budget is 0.

    """

    start: dt.date
    end: dt.date
    total_efm: float
    last_efm: float
    uncoupled: float | None
    ewma: float | None
    is_reachable: bool = True


def deload_plan(
    start: dt.date, loads: Sequence[float | None], rules: AlertRules, *, with_ratios: bool
) -> DeloadPlan | None:
    """Solve the largest evenly spread load of the next days that honours every limit of the plan.

    The limits: at least `min_cut` (30 %) under the last days; on the plan's last day uncoupled <= 1.44 and EWMA <= 1.3.
    Every one of them is linear in the daily load x, since both sides of a ratio are: acute(x) <= limit * chronic(x).

    Parameters
    ----------
    start
        The day at whose end the plan is made.
    loads
        Daily total load up to and including `start`, oldest first, EFM; None is unknown.
    rules
        The thresholds.
    with_ratios
        False where ratios compare with nothing (baseline, returning): then the cut alone is solved.

    Returns
    -------
    DeloadPlan | None
        None where one of the days that the limits look at is unknown or missing.

    """
    days, chronic = rules.plan.days, rules.windows.chronic_days
    trailing = _known_tail(loads)
    if len(trailing) < (max(chronic, days) if with_ratios else days):
        return None
    last = sum(trailing[-days:])
    most = (1 - rules.plan.min_cut) * last / days
    end = start + dt.timedelta(days=days)
    if not with_ratios:
        return DeloadPlan(start, end, most * days, last, None, None)
    limits = ((uncoupled_parts, rules.deload.clear_uncoupled), (ewma_parts, rules.deload.clear_ewma))
    bounds = []
    for parts, limit in limits:
        at_rest, at_one = (parts([*trailing, *[x] * days], rules) for x in (0.0, 1.0))
        excess = at_rest[0] - limit * at_rest[1]
        slope = (at_one[0] - at_rest[0]) - limit * (at_one[1] - at_rest[1])
        if excess > _TOLERANCE:
            bounds.append(-math.inf)
        elif slope > 0:
            bounds.append(max(-excess, 0.0) / slope)
    daily = max(min(most, *bounds) if bounds else most, 0.0)
    uncoupled, ewma = (_ratio(parts([*trailing, *[daily] * days], rules)) for parts, _ in limits)
    return DeloadPlan(start, end, daily * days, last, uncoupled, ewma, is_reachable=-math.inf not in bounds)


def uncoupled_parts(loads: Sequence[float], rules: AlertRules) -> tuple[float, float]:
    """Return the mean of the last 7 days and the mean of the 21 before them (section 4 of the load model)."""
    acute, chronic = rules.windows.acute_days, rules.windows.chronic_days
    before = loads[-chronic:-acute]
    return sum(loads[-acute:]) / acute, sum(before) / len(before)


def ewma_parts(loads: Sequence[float], rules: AlertRules) -> tuple[float, float]:
    """Return the acute and chronic EWMA after the last day: lambda = 2 / (N + 1), E_1 = L_1 (Williams et al. 2017)."""
    ends = []
    for days in (rules.windows.acute_days, rules.windows.chronic_days):
        weight = 2 / (days + 1)
        mean = loads[0]
        for load in loads[1:]:
            mean += weight * (load - mean)
        ends.append(mean)
    return ends[0], ends[1]


def _ratio(parts: tuple[float, float]) -> float | None:
    return parts[0] / parts[1] if parts[1] > 0 else None


def _known_tail(loads: Sequence[float | None]) -> list[float]:
    tail: list[float] = []
    for load in reversed(loads):
        number = known(load)
        if number is None:
            break
        tail.append(number)
    return tail[::-1]


def longest_run_m(facts: DayFacts, rules: AlertRules) -> float | None:
    """Return the longest run that the plan allows: 1.10 times the longest of the last 30 days, in metres.

    Spikes of the last week do not count: the run that was too long is no measure of what may follow it. None where no
    other run with a distance is known.
    """
    spiking = {
        s.session_id
        for s in recent(facts, rules.windows.acute_days)
        if (spike := known(s.spike_distance)) is not None and spike > rules.caution.spike
    }
    distances = [
        metres
        for s in recent(facts, rules.windows.longest_days)
        if s.session_id not in spiking and (metres := known(s.distance_m)) is not None and metres > 0
    ]
    return rules.plan.longest_factor * max(distances) if distances else None


def deload_advice(
    facts: DayFacts, rules: AlertRules, plan: DeloadPlan | None, done: Sequence[float | None] = ()
) -> tuple[str, ...]:
    """Return what to do in a deload, in sentences with numbers.

    Parameters
    ----------
    facts
        The day: its end is when the advice is given.
    rules
        The thresholds.
    plan
        What was solved when this deload was told. None: it could not be solved, and the sentences give no budget.
    done
        Daily total load since the plan's start, EFM, one number a day up to and including this day; None is unknown.

    """
    start = facts.date if plan is None else plan.start
    advice = [wording.no_budget()] if plan is None else _budget(plan, done, rules)
    limit = longest_run_m(facts, rules)
    if limit is not None and (plan is None or wording.whole(plan.total_efm) > 0):
        advice.append(wording.longest(limit, rules.plan.longest_factor, rules.windows.longest_days))
    hours = rules.plan.no_heavy_hours
    quiet = start + dt.timedelta(days=math.ceil(hours / _HOURS))
    advice.append(wording.no_heavy_before(quiet, hours) if facts.date < quiet else wording.no_heavy_yet())
    return tuple(advice)


def _budget(plan: DeloadPlan, done: Sequence[float | None], rules: AlertRules) -> list[str]:
    days = rules.plan.days
    if done:
        run = [number for load in done if (number := known(load)) is not None]
        if len(run) < len(done):
            return [wording.budget_unseen(plan.total_efm, plan.end)]
        return [wording.budget_left(plan.total_efm - sum(run), plan.total_efm, plan.end, plan.last_efm, days)]
    told = [wording.budget(plan.total_efm, days, plan.end, plan.last_efm)]
    if not plan.is_reachable:
        told.append(wording.unreachable(days))
    elif plan.uncoupled is not None and wording.whole(plan.total_efm) > 0:
        told.append(wording.projection(plan.uncoupled, plan.ewma, days))
    return told
