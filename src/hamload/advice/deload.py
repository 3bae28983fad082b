"""The week after a deload begins: by how much to cut, on which days, and what waits. Pure: loads in, whole EFM out.

The plan is solved once, when the runner is told, and then counted down; solved anew each day it would cut what it has
cut already. Two steps: `most_load` finds the largest load that honours every limit, exactly; `spread_load` then puts
it on the days as evenly as the limits let it, on the runner's usual days first.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hamload.advice import wording
from hamload.advice.rules import known, recent
from hamload.records import DayBudget, DeloadPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hamload.parameters import AlertRules
    from hamload.records import DayFacts, SessionFact

_HOURS = 24
_DAYS_A_WEEK = 7
#: Room for rounding: a projection that meets its limit exactly has met it.
_TOLERANCE = 1e-9
#: Halvings that find the price of a unit; the price is then known to a part in a million million.
_HALVINGS = 60
#: In how many steps a load is put on the days: single EFM up to here, beyond that as coarse as a thousandth.
_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Budget:
    """What is solved: whole EFM on each of the coming days.

    Attributes
    ----------
    caps
        The most that each day may hold.
    most
        The most that all days together may hold.
    prices
        What one EFM on each day adds to the smoothed ratio's excess, acute - limit * chronic on the last day.
    room
        How much that excess may grow from where rest alone leaves it; negative where rest alone is not enough.

    """

    caps: tuple[int, ...]
    most: int
    prices: tuple[float, ...]
    room: float


def most_load(budget: Budget) -> int | None:
    """Return the largest total that honours every limit, or None where no load at all does, not even none.

    Exact: every EFM is worth the same whichever day it is on, so that taking the cheapest ones first leaves the most
    room for each total, and the largest total that still fits is the answer.
    """
    room = budget.room + _TOLERANCE
    spent, best = 0.0, 0 if room >= 0 else None
    total = 0
    for day in sorted(range(len(budget.caps)), key=lambda day: budget.prices[day]):
        price, fits = budget.prices[day], min(budget.caps[day], budget.most - total)
        if spent + fits * price <= room:
            best = total + fits
        elif price > 0 and spent <= room:
            # Dearer days follow: this is where the room ends.
            return total + math.floor((room - spent) / price)
        total += fits
        spent += fits * price
    return best


def spread_load(total: int, budget: Budget, wanted: Sequence[float]) -> tuple[int, ...]:
    """Put a total that `most_load` allows on the days, close to what is wanted on each, within every limit.

    Whole EFM one after the other (a load beyond any runner's in larger steps), each where it brings the days closest
    (in squares) to `wanted`; where that costs more room than there is, the days that cost more are made dearer until it
    fits.
    """
    evenly = _spread(total, budget, wanted, 0.0)
    if _spent(evenly, budget) <= budget.room + _TOLERANCE:
        return evenly
    low, high = 0.0, 1.0
    while _spent(_spread(total, budget, wanted, high), budget) > budget.room + _TOLERANCE and high < 1 / _TOLERANCE:
        low, high = high, 4 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = _spent(_spread(total, budget, wanted, middle), budget) <= budget.room + _TOLERANCE
        low, high = (low, middle) if fits else (middle, high)
    return _spread(total, budget, wanted, high)


def _spread(total: int, budget: Budget, wanted: Sequence[float], price: float) -> tuple[int, ...]:
    loads = [0] * len(budget.caps)
    dearer = [price * p for p in budget.prices]
    step, left = max(total // _STEPS, 1), total
    while left:
        day = min(
            (d for d in range(len(loads)) if loads[d] < budget.caps[d]),
            key=lambda d: (2 * (loads[d] - wanted[d]) + dearer[d], budget.prices[d], d),
        )
        step = min(step, left, budget.caps[day] - loads[day]) or 1
        loads[day] += step
        left -= step
        step = max(total // _STEPS, 1)
    return tuple(loads)


def _spent(loads: Sequence[int], budget: Budget) -> float:
    return sum(load * price for load, price in zip(loads, budget.prices, strict=True))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the runner has said of the coming days: those on which they cannot run, and when they race."""

    off: frozenset[dt.date] = frozenset()
    race: dt.date | None = None


NO_WISHES = Wishes()


def deload_plan(
    facts: DayFacts,
    loads: Sequence[float | None],
    rules: AlertRules,
    *,
    with_ratios: bool,
    wishes: Wishes = NO_WISHES,
    is_deload: bool = True,
) -> DeloadPlan | None:
    """Solve the largest load of the next days that honours every limit of the plan, and put it on days.

    The limits: at least `min_cut` (30 %) under the last days; no more than a mean week of the last 28, where ratios
    compare with anything; on the plan's last day uncoupled <= 1.44 and EWMA <= 1.3, each linear in the daily loads,
    since both sides of a ratio are: acute(x) <= limit * chronic(x); on each day no more than 1.10 times the largest
    session of the last 30 days; for 72 h, and for two days before a race, less than what makes a heavy session (the
    athlete's own P80); nothing on days off.

    Parameters
    ----------
    facts
        The day at whose end the plan is made; its sessions say what is usual.
    loads
        Daily total load up to and including that day, oldest first, EFM; None is unknown.
    rules
        The thresholds.
    with_ratios
        False where ratios compare with nothing (baseline, returning): then the cut and the days' own limits are solved.
    wishes
        Days off and a race.
    is_deload
        False asks how much next week holds without a deload: the ratios, on each of its days, and the longest session
        limit it. Nothing is known of how hard the runs will be, so heavy running is not.

    Returns
    -------
    DeloadPlan | None
        None where one of the days that the limits look at is unknown or missing.

    """
    days, chronic = rules.plan.days, rules.windows.chronic_days
    trailing = _known_tail(loads)
    if len(trailing) < (max(chronic, days) if with_ratios else days):
        return None
    dates = tuple(facts.date + dt.timedelta(days=d + 1) for d in range(days))
    week = _Week(
        dates=dates,
        quiet=quiet_days(facts.date, dates, rules, wishes, is_deload=is_deload),
        cut=_most_of_a_deload(trailing, rules, with_usual=with_ratios) if is_deload else math.inf,
        with_ratios=with_ratios,
        by_day=not is_deload,
    )
    return _solved(facts, trailing, week, rules, wishes)


def _most_of_a_deload(trailing: Sequence[float], rules: AlertRules, *, with_usual: bool) -> float:
    days, chronic = rules.plan.days, rules.windows.chronic_days
    cut = (1 - rules.plan.min_cut) * sum(trailing[-days:])
    if not with_usual:
        return cut
    return min(cut, rules.plan.max_usual * sum(trailing[-chronic:]) * days / chronic)


def rest_of_plan(
    plan: DeloadPlan,
    facts: DayFacts,
    loads: Sequence[float | None],
    rules: AlertRules,
    wishes: Wishes = NO_WISHES,
    *,
    with_ratios: bool = True,
) -> DeloadPlan | None:
    """Put what is left of a plan's budget on the days that are left, within the same limits.

    What was planned and not run lapses: backing off is nothing to catch up on. No day gets more than the plan gave it,
    or, where the runner's wishes move days, more than the plan's fullest day. Its `start` is the day of the facts,
    `last_efm` stays the first plan's. None where a day is unknown, and where the plan is over.
    """
    gone = (facts.date - plan.start).days
    left = plan.days[gone:]
    trailing = _known_tail(loads)
    if not left or len(trailing) < (rules.windows.chronic_days if with_ratios else gone):
        return None
    dates = tuple(day.date for day in left)
    done = sum(trailing[-gone:]) if gone else 0.0
    fullest = max(day.limit_efm for day in plan.days)
    week = _Week(
        dates=dates,
        quiet=quiet_days(plan.start, dates, rules, wishes, is_deload=True),
        cut=max(plan.total_efm - done, 0.0),
        with_ratios=with_ratios,
        planned=tuple(day.limit_efm if wishes == NO_WISHES else fullest for day in left),
    )
    solved = _solved(facts, trailing, week, rules, wishes)
    return None if solved is None else replace(solved, last_efm=plan.last_efm)


@dataclass(frozen=True, slots=True)
class _Week:
    """The days to be planned, and what limits them besides the days' own limits.

    `by_day`: no day on the way may be a deload by a ratio of the whole load, not the last one alone. `planned`: what an
    earlier plan gave each day, which this one does not exceed.
    """

    dates: tuple[dt.date, ...]
    quiet: frozenset[dt.date]
    cut: float
    with_ratios: bool
    by_day: bool = False
    planned: tuple[int, ...] | None = None


def _solved(
    facts: DayFacts, trailing: Sequence[float], week: _Week, rules: AlertRules, wishes: Wishes
) -> DeloadPlan | None:
    days, dates, with_ratios = len(week.dates), week.dates, week.with_ratios
    limits = [_most_on(date, facts, rules, wishes, is_quiet=date in week.quiet) for date in dates]
    if week.planned is not None:
        limits = [most if limit is None else min(limit, most) for limit, most in zip(limits, week.planned, strict=True)]
    most = min(week.cut, sum(math.inf if limit is None else limit for limit in limits))
    prices, room = (0.0,) * days, math.inf
    if with_ratios:
        prices, room = _priced(ewma_parts, trailing, days, rules.deload.clear_ewma, rules)
        shares, whole_room = _priced(uncoupled_parts, trailing, days, rules.deload.clear_uncoupled, rules)
        most = min(most, whole_room / shares[0])
    if not math.isfinite(most):
        return None
    caps = tuple(wording.whole(max(most, 0.0)) if limit is None else limit for limit in limits)
    budget = Budget(caps, max(wording.whole(most), 0), prices, room)
    total = most_load(budget) if most >= 0 else None

    def spread_of(whole: int) -> tuple[int, ...]:
        return spread_load(whole, budget, _wanted(whole, dates, caps, facts, rules, wishes))

    if total and week.by_day and with_ratios:
        total = _quietest(total, spread_of, trailing, rules)
    spread = spread_of(total or 0)
    with_plan = _ends([*trailing, *map(float, spread)], rules) if with_ratios else (None, None)
    # A whole week, however few days are left: it is weeks that are alike.
    without = _ends([*trailing, *trailing[-rules.plan.days :]], rules) if with_ratios else (None, None)
    return DeloadPlan(
        start=facts.date,
        end=dates[-1],
        days=tuple(
            DayBudget(date, load, limit, date in week.quiet)
            for date, load, limit in zip(dates, spread, limits, strict=True)
        ),
        total_efm=total or 0,
        last_efm=sum(trailing[-days:]),
        uncoupled=with_plan[0],
        ewma=with_plan[1],
        uncoupled_without=without[0],
        ewma_without=without[1],
        is_reachable=total is not None,
    )


def _quietest(
    total: int, spread_of: Callable[[int], tuple[int, ...]], trailing: Sequence[float], rules: AlertRules
) -> int:
    """Return the largest total, by halving, whose days are no deload by a ratio, where rest would not be one either."""

    def above(coming: Sequence[int]) -> set[int]:
        found = set()
        for day in range(1, len(coming) + 1):
            uncoupled, ewma = _ends([*trailing, *map(float, coming[:day])], rules)
            if (uncoupled or 0.0) > rules.deload.uncoupled or (ewma or 0.0) > rules.deload.ewma:
                found.add(day)
        return found

    at_rest = above((0,) * len(spread_of(0)))
    low, high = 0, total + 1
    while high - low > 1:
        middle = (low + high) // 2 if low or high <= total else total
        low, high = (middle, high) if above(spread_of(middle)) <= at_rest else (low, middle)
    return low


def quiet_days(
    start: dt.date, dates: Sequence[dt.date], rules: AlertRules, wishes: Wishes, *, is_deload: bool
) -> frozenset[dt.date]:
    """Return the days without hills, speed, long or hard runs: 72 h from a deload on, and two days before a race."""
    hours = rules.plan.no_heavy_hours if is_deload else 0.0
    first_free = start + dt.timedelta(days=math.ceil(hours / _HOURS))
    before = math.ceil(rules.caution.heavy_hours / _HOURS)
    race = wishes.race
    return frozenset(d for d in dates if d <= first_free or (race is not None and 0 < (race - d).days <= before))


def _most_on(date: dt.date, facts: DayFacts, rules: AlertRules, wishes: Wishes, *, is_quiet: bool) -> int | None:
    if date in wishes.off:
        return 0
    largest = largest_load_efm(facts, rules)
    limits = [] if largest is None else [wording.whole(rules.plan.longest_factor * largest)]
    heavy = known(facts.high_load_efm)
    if is_quiet and heavy is not None:
        limits.append(max(math.ceil(heavy) - 1, 0))  # from this load on a session is heavy
    return min(limits, default=None)


def _wanted(
    total: int, dates: Sequence[dt.date], caps: Sequence[int], facts: DayFacts, rules: AlertRules, wishes: Wishes
) -> list[float]:
    """Return what each day would hold if nothing stood in the way: a race its most, the usual days the rest."""
    usual = usual_days(facts, rules)
    can = [cap > 0 for cap in caps]
    chosen = [ok and date.weekday() in usual for ok, date in zip(can, dates, strict=True)]
    if not any(chosen):
        chosen = can
    raced = [date == wishes.race and ok for ok, date in zip(can, dates, strict=True)]
    kept = sum(min(cap, total) for cap, is_race in zip(caps, raced, strict=True) if is_race)
    others = sum(ok and not is_race for ok, is_race in zip(chosen, raced, strict=True))
    even = (total - kept) / others if others else 0.0
    return [
        float(min(cap, total)) if is_race else even if ok else 0.0
        for cap, ok, is_race in zip(caps, chosen, raced, strict=True)
    ]


def usual_days(facts: DayFacts, rules: AlertRules) -> Collection[int]:
    """Return the weekdays (Monday 0) on which the runner ran in at least half of the last four weeks."""
    weeks = rules.windows.chronic_days // _DAYS_A_WEEK
    counts = Counter(date.weekday() for date in {s.local_date for s in recent(facts, weeks * _DAYS_A_WEEK)})
    return {weekday for weekday, ran in counts.items() if ran >= rules.curls.habit_share * weeks}


def _priced(
    parts: Callable[[Sequence[float], AlertRules], tuple[float, float]],
    trailing: Sequence[float],
    days: int,
    limit: float,
    rules: AlertRules,
) -> tuple[tuple[float, ...], float]:
    """Return what one EFM on each day adds to acute - limit * chronic on the last day, and the room for it."""

    def excess(coming: Sequence[float]) -> float:
        acute, chronic = parts([*trailing, *coming], rules)
        return acute - limit * chronic

    at_rest = excess([0.0] * days)
    ones = ([float(d == day) for d in range(days)] for day in range(days))
    return tuple(excess(one) - at_rest for one in ones), -at_rest


def _ends(loads: Sequence[float], rules: AlertRules) -> tuple[float | None, float | None]:
    return _ratio(uncoupled_parts(loads, rules)), _ratio(ewma_parts(loads, rules))


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
    distances = [
        metres
        for s in _usual_runs(facts, rules, "distance")
        if (metres := known(s.distance_m)) is not None and metres > 0
    ]
    return rules.plan.longest_factor * max(distances) if distances else None


def largest_load_efm(facts: DayFacts, rules: AlertRules) -> float | None:
    """Return the largest session of the last 30 days, EFM, spikes of the last week left out as in `longest_run_m`."""
    return max((s.load_efm for s in _usual_runs(facts, rules, "load")), default=None)


def _usual_runs(facts: DayFacts, rules: AlertRules, measure: Literal["distance", "load"]) -> list[SessionFact]:
    def is_spike(session: SessionFact) -> bool:
        spike = known(session.spike_distance if measure == "distance" else session.spike_load)
        return spike is not None and spike > rules.caution.spike

    week = {s.session_id for s in recent(facts, rules.windows.acute_days) if is_spike(s)}
    return [s for s in recent(facts, rules.windows.longest_days) if s.session_id not in week]


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
    if limit is not None and (plan is None or plan.total_efm > 0):
        advice.append(wording.longest(limit, rules.plan.longest_factor, rules.windows.longest_days))
    hours = rules.plan.no_heavy_hours
    quiet = start + dt.timedelta(days=math.ceil(hours / _HOURS))
    advice.append(wording.no_heavy_before(quiet, hours) if facts.date < quiet else wording.no_heavy_yet())
    return tuple(advice)


def _budget(plan: DeloadPlan, done: Sequence[float | None], rules: AlertRules) -> list[str]:
    days = rules.plan.days
    told: list[str]
    if done:
        run = [number for load in done if (number := known(load)) is not None]
        if len(run) < len(done):
            return [wording.budget_unseen(plan.total_efm, plan.end)]
        unspent = plan.total_efm - sum(run)
        kept = sum(day.limit_efm for day in plan.days[len(done) :])
        told = [wording.budget_left(min(unspent, kept), plan.total_efm, plan.end, plan.last_efm, days)]
        return [*told, wording.lapsed()] if kept < unspent else told
    told = [wording.budget(plan.total_efm, days, plan.end, plan.last_efm)]
    if not plan.is_reachable:
        told.append(wording.unreachable(days))
        return told
    if plan.total_efm > 0:
        told.append(wording.by_day([(day.date, day.limit_efm) for day in plan.days]))
    if plan.uncoupled is not None and plan.total_efm > 0:
        told.append(wording.projection(plan.uncoupled, plan.ewma, days))
    if plan.uncoupled_without is not None:
        told.append(wording.projection_without(plan.uncoupled_without, plan.ewma_without, days))
    return told
