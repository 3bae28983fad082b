"""The rules held against the runner's own words: would they have spoken before the hamstrings grew tight? Pure.

A *flare* is the first day of tightness of 4 or more out of 10 after a calm week. An alert is a *hit* when a flare began
within the two weeks after it, a *false alarm* when none did although tightness was logged in them, and says nothing
where nothing was logged. One runner's few flares prove nothing: the result says how many would be needed.

The null comparison follows Impellizzeri et al. 2020: the ratio is computed again with the chronic load of other days,
drawn at random. A ratio that catches no more flares than that owes nothing to its denominator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.advice import wording
from hamload.advice.rules import is_judged, known
from hamload.records import State

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from hamload.parameters import AlertRules, Backtest
    from hamload.records import Alert, DayFacts

#: The rules that look ahead; those that repeat what was logged cannot be tested against it.
TESTED = (
    "distance_spike",
    "load_spike",
    "uncoupled_ratio",
    "ewma_ratio",
    "heavy_ratio",
    "heavy_spacing",
    "monotony",
)
#: Every deload that the running alone began.
ANY_DELOAD = "any deload"
#: The normal distribution's two-sided 95 %.
_Z95 = 1.96
_SEED = 20200501


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule would have been worth.

    Attributes
    ----------
    rule, state
        The rule, and how serious its reason was.
    fired, hits, false_alarms, unseen
        On how many days it began to hold; after how many of these a flare began; after how many none did; after how
        many nothing was logged.
    caught
        Flares that began within two weeks after it.
    lead_days
        Median days from its first firing to the flares it caught; None without one.
    per_28_days
        How often it fired in four weeks of days that could be judged; None without such days.

    """

    rule: str
    state: State
    fired: int
    hits: int
    false_alarms: int
    unseen: int
    caught: int
    lead_days: float | None
    per_28_days: float | None


@dataclass(frozen=True, slots=True)
class NullResult:
    """A ratio rule beside itself with shuffled chronic load: flares caught, and how often chance did as well (0-1)."""

    rule: str
    caught: int
    fired: int
    shuffled_median: float
    shuffled_low: float
    shuffled_high: float
    share_as_good: float


@dataclass(frozen=True, slots=True)
class Backtested:
    """The whole back-test. `needed` flares would tell a rate to within the margin; `sentences` say what follows."""

    first: dt.date | None
    last: dt.date | None
    entries: int
    flares: tuple[dt.date, ...]
    needed: int
    is_enough: bool
    rules: tuple[RuleResult, ...]
    nulls: tuple[NullResult, ...]
    sentences: tuple[str, ...]


def backtest(days: Sequence[DayFacts], alerts: Sequence[Alert], rules: AlertRules) -> Backtested:
    """Hold every rule against the tightness that was logged.

    Parameters
    ----------
    days, alerts
        Every day of one athlete and its alert, oldest first, as `assess` takes and gives them.
    rules
        The thresholds.

    """
    test = rules.backtest
    logged = {d.date: level for d in days if (level := known(d.tightness)) is not None}
    began = flares(logged, test)
    needed = needed_flares(test)
    seen = _Seen(frozenset(logged), tuple(began), sum(is_judged(day, rules) for day in days), test)
    results = []
    for name in TESTED:
        for state in (State.DELOAD, State.CAUTION):
            fired = _onsets([(a.date, any(r.rule == name and r.state is state for r in a.reasons)) for a in alerts])
            if fired:
                results.append(_result(name, state, fired, seen))
    results.append(_result(ANY_DELOAD, State.DELOAD, _onsets(_any_deload(alerts)), seen))
    nulls = [_null(name, days, began, rules) for name in ("uncoupled_ratio", "heavy_ratio")]
    is_enough = len(began) >= needed
    return Backtested(
        first=days[0].date if days else None,
        last=days[-1].date if days else None,
        entries=len(logged),
        flares=tuple(began),
        needed=needed,
        is_enough=is_enough,
        rules=tuple(results),
        nulls=tuple(null for null in nulls if null is not None),
        sentences=wording.backtested(
            len(logged), len(began), needed, round(100 * test.margin), is_enough=is_enough, tightness=test.tightness
        ),
    )


def flares(logged: dict[dt.date, float], test: Backtest) -> list[dt.date]:
    """Return the days on which tightness reached the line after a calm week. A day without an entry is not a flare."""
    tight = sorted(date for date, level in logged.items() if level >= test.tightness)
    found: list[dt.date] = []
    last: dt.date | None = None
    for date in tight:
        if last is None or (date - last).days > test.calm_days:
            found.append(date)
        last = date
    return found


def needed_flares(test: Backtest) -> int:
    """Return how many flares tell a hit rate to within the margin with 95 %, at worst (a rate of one half)."""
    return math.ceil(_Z95**2 * 0.25 / test.margin**2 - 1e-9)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is to hold a rule against: days with an entry, flares, and how many days could be judged."""

    logged: frozenset[dt.date]
    began: tuple[dt.date, ...]
    judged_days: int
    test: Backtest


def _any_deload(alerts: Sequence[Alert]) -> list[tuple[dt.date, bool]]:
    return [(a.date, any(r.rule in TESTED and r.state is State.DELOAD for r in a.reasons)) for a in alerts]


def _onsets(holds: Sequence[tuple[dt.date, bool]]) -> list[dt.date]:
    found, before = [], False
    for date, is_held in holds:
        if is_held and not before:
            found.append(date)
        before = is_held
    return found


def _result(name: str, state: State, fired: Sequence[dt.date], seen: _Seen) -> RuleResult:
    def is_after(day: dt.date, date: dt.date) -> bool:
        return 0 < (day - date).days <= seen.test.horizon_days

    hits = sum(any(is_after(flare, date) for flare in seen.began) for date in fired)
    unseen = sum(not any(is_after(day, date) for day in seen.logged) for date in fired)
    leads = [
        max(lead) for flare in seen.began if (lead := [(flare - date).days for date in fired if is_after(flare, date)])
    ]
    return RuleResult(
        rule=name,
        state=state,
        fired=len(fired),
        hits=hits,
        false_alarms=len(fired) - hits - unseen,
        unseen=unseen,
        caught=len(leads),
        lead_days=float(np.median(leads)) if leads else None,
        per_28_days=28 * len(fired) / seen.judged_days if seen.judged_days else None,
    )


def _null(name: str, days: Sequence[DayFacts], began: Sequence[dt.date], rules: AlertRules) -> NullResult | None:
    """Return a ratio rule beside itself with the chronic load of other days; None where no ratio is known."""
    test = rules.backtest
    is_total = name == "uncoupled_ratio"
    threshold = rules.deload.uncoupled if is_total else rules.deload.heavy_uncoupled
    acute, chronic = np.full(len(days), np.nan), np.full(len(days), np.nan)
    for index, day in enumerate(days):
        series = day.total if is_total else day.heavy
        ratio, load = known(series.acwr_uncoupled), known(series.acute_rolling)
        if ratio and load is not None and is_judged(day, rules):
            acute[index], chronic[index] = load, load / ratio
    usable = np.flatnonzero(~np.isnan(chronic))
    if not len(usable):
        return None
    positions = {day.date: index for index, day in enumerate(days)}
    targets = [positions[flare] for flare in began]
    held, fired = caught(acute / chronic > threshold, targets, test)
    rng = np.random.default_rng(_SEED)
    by_chance = []
    for _ in range(test.shuffles):
        shuffled = np.full(len(days), np.nan)
        shuffled[usable] = rng.permutation(chronic[usable])
        by_chance.append(caught(acute / shuffled > threshold, targets, test)[0])
    low, middle, high = np.quantile(by_chance, (0.05, 0.5, 0.95))
    return NullResult(
        rule=name,
        caught=held,
        fired=fired,
        shuffled_median=float(middle),
        shuffled_low=float(low),
        shuffled_high=float(high),
        share_as_good=float(np.mean(np.array(by_chance) >= held)),
    )


def caught(holds: Any, targets: Sequence[int], test: Backtest) -> tuple[int, int]:
    """Return how many flares follow soon on a day that the rule begins to hold, and how many such days there are."""
    onsets = np.flatnonzero(holds & ~np.concatenate(([False], holds[:-1])))
    caught = sum(bool(((flare - onsets > 0) & (flare - onsets <= test.horizon_days)).any()) for flare in targets)
    return caught, len(onsets)
