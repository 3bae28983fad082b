"""The days in order: what each day's reasons mean after the days before it. Pure, and causal: no day looks ahead.

A day by itself is judged in `hamload.advice.rules`. This file adds memory: the athlete's own percentiles, hysteresis,
episodes and their continuation, and on which days the runner is told.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hamload.advice import wording
from hamload.advice.curls import curl_advice
from hamload.advice.deload import deload_advice, deload_plan
from hamload.advice.flags import is_urgent
from hamload.advice.rules import (
    OwnHistory,
    has_enough_runs,
    heavy_runs,
    is_back_from_break,
    is_baseline,
    is_judged,
    judge,
    known,
    largest_runs,
    ratios,
    seriousness,
    tell,
)
from hamload.quantiles import moving_quantile
from hamload.records import Alert, Reason, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hamload.language import Text
    from hamload.parameters import AlertRules
    from hamload.records import DayFacts, DeloadPlan

_ALARMS = (State.STOP, State.DELOAD, State.CAUTION)
#: States that are told again while they last.
_REMINDED = (State.STOP, State.DELOAD)
_OF_LOAD = (State.DELOAD, State.CAUTION)
#: States whose beginning the runner is told of. A steady day and a growing baseline need no message.
_TOLD = (*_ALARMS, State.BUILD, State.RETURNING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the runner has taken note of: a state and how strong it stood then."""

    state: State
    intensity: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What one day hands to the next."""

    state: State | None = None
    since: dt.date | None = None
    last_on: Mapping[State, dt.date] = field(default_factory=dict)
    episode: int = 0
    is_continuation: bool = False
    told: Mapping[State, float] = field(default_factory=dict)
    told_on: dt.date | None = None
    acknowledged: Acknowledged | None = None
    causes: frozenset[str] = frozenset()
    in_deload: bool = False
    by_heavy: bool = False
    unseen_days: int = 0
    plan: DeloadPlan | None = None


def assess(days: Sequence[DayFacts], rules: AlertRules, athlete_id: str) -> list[Alert]:
    """Decide the state of every day, with its reasons, and on which days the runner is told.

    One state a day, the most serious that holds (`rules.judge`), then:

    - *Hysteresis.* A deload goes on (`held`) until the uncoupled ratio is <= 1.44, EWMA <= 1.3 (or fewer than three
      runs stand behind them), the spike is 3 days old and, if heavy running was among its reasons, that has eased too
      (ratio <= 1.44 or fewer than two heavy runs). While a baseline is being built or after a break no ratio exists,
      and the age of the spike alone counts. Where days are missing, clearing cannot be seen: the deload is kept for
      `hold_unknown_days` (as long as its plan lasts), then the state says *unknown*. Silence is never taken for
      recovery, nor for a deload without end.
      A stop in between hides a deload and does not end it: the same tests go on behind it.
    - *Episodes.* Caution or deload within 14 days of the last such day belongs to the same episode; later, the next
      number begins. `episode` is 0 on all other days.
    - *Continuation.* A state that begins within 14 days of a day at least as serious is a continuation and is not told
      again. It is told (`is_new`) if nothing as serious held in those 14 days, or if it worsens: in a deload, when its
      strongest number (value over threshold) stands at `worse_factor` of where it stood when last told, `worse_days`
      ago or longer; where another run is a spike, at once.
    - *Telling.* The same 14 days keep *build*, *returning* and *unknown* from being told again and again. *steady* and
      *baseline* are never told. A stop or deload that goes on and was not acknowledged is told again after
      `remind_days`.
    - *Acknowledging.* On a day with `is_acknowledged` the runner has taken note of its state. From the next day on it
      is told again only when it worsens: a more serious state, another red flag, or a strongest number `worse_factor`
      times where it stood when acknowledged. That lasts until nothing as serious has held for 14 days: what comes
      then is new.

    Parameters
    ----------
    days
        Every day of one athlete, consecutive, oldest first.
    rules
        The thresholds.
    athlete_id
        Whose days these are.

    Returns
    -------
    list[Alert]
        One a day, in the same order. The first k depend on the first k days only.

    Raises
    ------
    ValueError
        Where a day is missing between two others: an unknown day must be there, and say so.

    """
    return [alert for _, alert in walk(days, rules, athlete_id)]


def walk(
    days: Sequence[DayFacts],
    rules: AlertRules,
    athlete_id: str,
    done: int = 0,
    memory: Memory = Memory(),
) -> Iterator[tuple[Memory, Alert]]:
    """Yield the alert of each day from `days[done]` on, and what is remembered after it.

    `memory` is what was remembered after the day before: whoever kept it need not go through the days before again, but
    gives them all the same. Parameters and errors are else those of `assess`.
    """
    for before, after in pairwise(days):
        if (after.date - before.date).days != 1:
            raise ValueError(
                f"{after.date} does not follow {before.date}: every day must be there, the unknown ones too."
            )
    loads = [known(day.total.load_efm) if day.is_known else None for day in days]
    histories = own_histories(days, rules)
    for index in range(done, len(days)):
        memory, alert = _next(memory, days[index], histories[index], loads[: index + 1], rules, athlete_id)
        yield memory, alert


def own_histories(days: Sequence[DayFacts], rules: AlertRules) -> list[OwnHistory]:
    """Return for each day what the days strictly before it say: own percentiles of the trailing year.

    Days on which a ratio is not judged have no part in the percentile; fewer than `quantile_min_days` give none.
    """
    judged = [is_judged(day, rules) for day in days]
    windows = [(max(0, index - rules.history.quantile_days), index) for index in range(len(days))]
    silent, silent_days = [], 0
    for day in days:
        silent_days = 0 if day.is_known else silent_days + 1
        silent.append(silent_days)

    def own(name: str) -> list[float | None]:
        values = (known(getattr(day.total, name)) if is_in else None for day, is_in in zip(days, judged, strict=True))
        column = [math.nan if value is None else value for value in values]
        return moving_quantile(column, windows, rules.deload.own_quantile, rules.history.quantile_min_days)

    return list(map(OwnHistory, own("acwr_uncoupled"), own("acwr_ewma"), silent))


def _next(
    memory: Memory,
    facts: DayFacts,
    history: OwnHistory,
    loads: Sequence[float | None],
    rules: AlertRules,
    athlete_id: str,
) -> tuple[Memory, Alert]:
    reasons = judge(facts, history, rules)
    memory, keep = _hold(memory, facts, reasons, rules)
    if keep is not None:
        reasons = tell((keep, *reasons))
    state = reasons[0].state
    intensity = _intensity(state, reasons)
    causes = _news(reasons, facts)
    fresh = causes - memory.causes
    is_news = bool(fresh & set(facts.flags) if state is State.STOP else fresh)
    memory, is_new = _begin(memory, state, facts.date, intensity, rules, is_news=is_news)
    memory = replace(memory, causes=causes)
    if facts.is_acknowledged:
        memory = replace(memory, acknowledged=Acknowledged(state, intensity))
    advice: tuple[str, ...] = stop_advice(facts.flags) if state is State.STOP else ()
    if state is State.DELOAD:
        memory = _plan(memory, facts, loads, rules, is_new=is_new)
        done = loads[len(loads) - (facts.date - memory.plan.start).days :] if memory.plan else ()
        advice = deload_advice(facts, rules, memory.plan, done)
    since = memory.since or facts.date
    return memory, Alert(
        athlete_id=athlete_id,
        date=facts.date,
        state=state,
        reasons=reasons,
        is_new=is_new,
        is_continuation=memory.is_continuation,
        held=keep is not None,
        episode=memory.episode if state in _ALARMS else 0,
        advice=(*advice, *curl_advice(state, facts, rules, (facts.date - since).days)),
        clears_when=_clears_when(state, facts, reasons, rules, by_heavy=memory.by_heavy),
        is_acknowledged=memory.acknowledged is not None and _covers(memory.acknowledged.state, state),
        plan=memory.plan if state is State.DELOAD else None,
    )


def _hold(
    memory: Memory, facts: DayFacts, reasons: Sequence[Reason], rules: AlertRules
) -> tuple[Memory, Reason | None]:
    """Return the reason that keeps yesterday's deload, or None where it is judged by itself today."""
    # A stop is told instead of a deload and neither ends nor clears it: what it hides is looked at all the same.
    is_stopped = seriousness(reasons[0].state) < seriousness(State.DELOAD)
    by_heavy = (memory.in_deload and memory.by_heavy) or any(r.rule == "heavy_ratio" for r in reasons)
    over = replace(memory, in_deload=False, by_heavy=False, unseen_days=0)
    if any(reason.state is State.DELOAD for reason in reasons):
        return replace(memory, in_deload=True, by_heavy=by_heavy, unseen_days=0), None
    if not memory.in_deload or is_baseline(facts, rules) or is_back_from_break(facts, rules):
        return over, None
    found = ratios(facts, rules)
    if found is None:
        unseen, limit = memory.unseen_days + 1, rules.deload.hold_unknown_days
        if unseen > limit:
            return over, None
        keep = _held_reason(wording.held_unseen(unseen, limit), None, None, facts, rules)
        return replace(memory, by_heavy=by_heavy, unseen_days=unseen), None if is_stopped else keep
    above = _above_margin(*found, facts, rules, by_heavy=by_heavy)
    if not above:
        return over, None
    value, threshold, _ = above[0]
    keep = _held_reason(wording.held(tuple(part for _, _, part in above)), value, threshold, facts, rules)
    return replace(memory, by_heavy=by_heavy, unseen_days=0), None if is_stopped else keep


def _above_margin(
    uncoupled: float, ewma: float, facts: DayFacts, rules: AlertRules, *, by_heavy: bool
) -> list[tuple[float, float, Text]]:
    limit, smooth_limit = rules.deload.clear_uncoupled, rules.deload.clear_ewma
    above = []
    if not has_enough_runs(facts, rules):
        # What could not begin a deload does not keep one: so few runs in a week are a week of backing off.
        uncoupled = ewma = 0.0
    if uncoupled > limit:
        above.append((uncoupled, limit, wording.held_uncoupled(uncoupled, limit)))
    if ewma > smooth_limit:
        above.append((ewma, smooth_limit, wording.held_ewma(ewma, smooth_limit)))
    heavy = known(facts.heavy.acwr_uncoupled)
    if by_heavy and heavy is not None and heavy > limit and heavy_runs(facts, rules) >= rules.deload.heavy_sessions:
        above.append((heavy, limit, wording.held_heavy(heavy, limit)))
    return above


def _held_reason(
    sentence: str, value: float | None, threshold: float | None, facts: DayFacts, rules: AlertRules
) -> Reason:
    return Reason(
        rule="held",
        state=State.DELOAD,
        value=value,
        threshold=threshold,
        sentence=sentence,
        evidence=wording.RATIO_GROUND,
        causes=largest_runs(facts, rules) if value is not None else (),
    )


def stop_advice(flags: Sequence[str]) -> tuple[str, ...]:
    """Return what to do about red flags: a clinician, at once where one cannot wait, no exercise, and what ends it."""
    first = (wording.stop_urgent(),) if is_urgent(flags) else ()
    return (*first, wording.stop_clinician(), wording.stop_withheld(), wording.clears_stop(flags))


def _news(reasons: Sequence[Reason], facts: DayFacts) -> frozenset[str]:
    """Return what cannot wait where it is new: the open red flags, and the runs that are a deload by themselves."""
    spikes = {
        cause.session_id
        for reason in reasons
        if reason.state is State.DELOAD and reason.rule.endswith("_spike")
        for cause in reason.causes
    }
    return frozenset(facts.flags) | spikes


def _intensity(state: State, reasons: Sequence[Reason]) -> float:
    """Return the strongest number of a deload over its threshold; 0 where only hysteresis keeps it, and elsewhere."""
    if state is not State.DELOAD:
        return 0.0
    return max(
        (
            reason.value / reason.threshold
            for reason in reasons
            if reason.state is State.DELOAD and reason.rule != "held" and reason.value and reason.threshold
        ),
        default=0.0,
    )


def _begin(
    memory: Memory, state: State, date: dt.date, intensity: float, rules: AlertRules, *, is_news: bool
) -> tuple[Memory, bool]:
    """Return the memory with this day's state in it, and whether the runner is told today."""
    begins = state is not memory.state
    continues = _within(memory, _at_least(state), date, rules)
    known_of = _still_known(memory, date, rules)
    is_silenced = known_of is not None and _covers(known_of.state, state)
    told = memory.told.get(state, 0.0)
    base = max(told, known_of.intensity) if known_of is not None and known_of.state is state else told
    # A deload that a stop has hidden from its first day on was never told.
    surfaces = (
        memory.state is State.STOP and state is State.DELOAD and not _within(memory, (State.DELOAD,), date, rules)
    )
    is_new = ((begins and not continues) or surfaces) and state in _TOLD and not is_silenced
    is_worse = (
        state is State.DELOAD
        and intensity > rules.deload.worse_factor * base
        and (is_news or memory.told_on is None or (date - memory.told_on).days >= rules.deload.worse_days)
    )
    worsens = not is_new and (is_worse or (state is State.STOP and is_news))
    is_due = not is_silenced and not begins and _is_due(memory, state, date, rules)
    is_new = is_new or worsens or is_due
    next_episode = state in _ALARMS and not _within(memory, _ALARMS, date, rules)
    return replace(
        memory,
        state=state,
        since=date if begins or worsens else memory.since,
        last_on={**memory.last_on, state: date},
        episode=memory.episode + next_episode,
        is_continuation=(continues and state in _ALARMS) if begins else memory.is_continuation,
        told={**memory.told, state: intensity} if is_new else memory.told,
        told_on=date if is_new else memory.told_on,
        acknowledged=known_of,
    ), is_new


def _still_known(memory: Memory, date: dt.date, rules: AlertRules) -> Acknowledged | None:
    """Return what the runner acknowledged, until nothing as serious has held for the days of a continuation."""
    known_of = memory.acknowledged
    if known_of is None or not _within(memory, _at_least(known_of.state), date, rules):
        return None
    return known_of


def _covers(known_of: State, state: State) -> bool:
    """Return whether who has acknowledged one state need not be told of the other.

    A stop covers itself alone: what comes after it asks for something else than a clinician.
    """
    if known_of in _OF_LOAD and state in _OF_LOAD:
        return seriousness(state) >= seriousness(known_of)
    return state is known_of


def _is_due(memory: Memory, state: State, date: dt.date, rules: AlertRules) -> bool:
    """Return whether a state that lasts is told again, so that it does not go quiet."""
    if state not in _REMINDED or memory.since is None:
        return False
    last = max(memory.since, memory.told_on or memory.since)
    return (date - last).days >= rules.deload.remind_days


def _at_least(state: State) -> tuple[State, ...]:
    if state not in _ALARMS:
        return (state,)
    return tuple(alarm for alarm in _ALARMS if seriousness(alarm) <= seriousness(state))


def _within(memory: Memory, states: Sequence[State], date: dt.date, rules: AlertRules) -> bool:
    days = rules.deload.continuation_days
    return any((date - memory.last_on[state]).days <= days for state in states if state in memory.last_on)


def _plan(memory: Memory, facts: DayFacts, loads: Sequence[float | None], rules: AlertRules, *, is_new: bool) -> Memory:
    """Return the memory with the plan that holds today: the running one, or a new one when told or run out."""
    if memory.plan is not None and not is_new and facts.date < memory.plan.end:
        return memory
    with_ratios = not is_baseline(facts, rules) and not is_back_from_break(facts, rules)
    return replace(memory, plan=deload_plan(facts, loads, rules, with_ratios=with_ratios))


def _clears_when(state: State, facts: DayFacts, reasons: Sequence[Reason], rules: AlertRules, *, by_heavy: bool) -> str:  # noqa: PLR0911 - one a state
    windows = rules.windows
    match state:
        case State.DELOAD:
            spikes = [r for r in reasons if r.rule.endswith("_spike") and r.state is State.DELOAD]
            with_ratios = not is_baseline(facts, rules) and not is_back_from_break(facts, rules)
            return wording.clears_deload(
                rules.deload.clear_uncoupled,
                rules.deload.clear_ewma,
                _aged(spikes, facts, rules.deload.spike_days) if spikes else None,
                with_ratios=with_ratios,
                by_heavy=by_heavy,
            )
        case State.CAUTION:
            return wording.clears_caution(_caution_parts(facts, reasons, rules))
        case State.BUILD:
            return wording.clears_build(rules.curls.per_10_days)
        case State.BASELINE:
            return wording.clears_baseline(windows.baseline_days - facts.history_days)
        case State.RETURNING:
            return wording.clears_returning(windows.chronic_days)
        case State.UNKNOWN:
            return wording.clears_unknown(windows.chronic_days)
        case State.STOP:
            return wording.clears_stop(facts.flags)
        case State.STEADY:
            return ""


def _aged(reasons: Sequence[Reason], facts: DayFacts, days: int) -> dt.date:
    behind = {cause.session_id for reason in reasons for cause in reason.causes}
    return max(s.local_date for s in facts.sessions if s.session_id in behind) + dt.timedelta(days=days)


def _caution_parts(facts: DayFacts, reasons: Sequence[Reason], rules: AlertRules) -> tuple[str, ...]:
    parts = []
    for reason in reasons:
        if reason.state is not State.CAUTION:
            continue
        match reason.rule:
            case "distance_spike" | "load_spike":
                parts.append(wording.spike_aged(_aged([reason], facts, rules.caution.spike_days)))
            case "ewma_ratio":
                parts.append(wording.ewma_eased(rules.caution.ewma))
            case "uncoupled_ratio":
                parts.append(wording.uncoupled_eased(rules.deload.uncoupled))
            case "heavy_spacing":
                days = int(-(-rules.caution.heavy_hours // 24))
                parts.append(wording.heavy_apart(_aged([reason], facts, days)))
            case "monotony":
                parts.append(wording.monotony_eased(rules.caution.monotony))
    return tuple(dict.fromkeys(parts))
