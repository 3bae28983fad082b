"""One pure function a rule: the facts of one day against the thresholds, and a reason where the rule holds.

A rule reads one `DayFacts` and what the athlete's own past says (`OwnHistory`), never another day's decision: memory
(hysteresis, continuation) lives in `hamload.advice.alerts`. All rules have the signature `Rule` and stand in `RULES`;
a new rule is one more function in that tuple.

What a rule may look at depends on what is known:

- Ratios and monotony compare with the weeks before. They are judged only where those weeks exist and are known, so not
  before `baseline_days` of history, not with an unknown day among them, and not with a break among them (`is_judged`).
- A spike compares one run with the 30 days before it. Whoever computes it withholds it where one of those days is
  unknown, so a spike that is there is known, and counts on every day. While a baseline is being built or after a break
  it must stand on at least `spike_min_runs` runs: one short jog is no measure of what is usual.
- Two heavy runs close together are known as soon as both are, whatever else is missing.

- What the runner logged (red flags, tightness) is known as soon as it is logged.

Every threshold is a strict bound: a value equal to it does not fire (section 6 of the load model writes ">"). Tightness
alone is different: 4 out of 10 fires (there it writes ">=").
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from hamload.advice import wording
from hamload.advice.flags import FLAGS, is_urgent
from hamload.parameters import AlertRules
from hamload.records import Cause, DayFacts, Reason, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hamload.records import SessionFact

_HOURS = 24


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """What the athlete's own days before this one say; nothing of this day or later.

    Attributes
    ----------
    uncoupled_quantile, ewma_quantile
        The athlete's own percentile (P90) of the ratio over the trailing year. None: too few ratios, in which case the
        fixed threshold stands alone.
    silent_days
        How many days up to and including this one no source has reported on.

    """

    uncoupled_quantile: float | None = None
    ewma_quantile: float | None = None
    silent_days: int = 0


type Rule = Callable[[DayFacts, OwnHistory, AlertRules], Reason | None]


def known(value: float | None) -> float | None:
    """Return a finite number as it is, and None for None, NaN and infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def is_baseline(facts: DayFacts, rules: AlertRules) -> bool:
    """Return whether the history is shorter than the chronic window."""
    return facts.history_days < rules.windows.baseline_days


def is_back_from_break(facts: DayFacts, rules: AlertRules) -> bool:
    """Return whether a known break of two weeks or more lies in the chronic window.

    Days since the last known run make a break only where no day of the window is unknown: a missing run is not rest.
    """
    if facts.is_returning:
        return True
    if facts.unknown_days_28 > 0 or not facts.is_known:
        return False
    return facts.days_since_run is None or facts.days_since_run >= rules.windows.returning_days


def is_judged(facts: DayFacts, rules: AlertRules) -> bool:
    """Return whether the ratios of the day may be compared with anything: known, long enough, and without a break."""
    return (
        facts.is_known
        and facts.unknown_days_28 == 0
        and not is_baseline(facts, rules)
        and not is_back_from_break(facts, rules)
    )


def ratios(facts: DayFacts, rules: AlertRules) -> tuple[float, float] | None:
    """Return the uncoupled and the EWMA ratio of the total load, or None where one is not known or not judged."""
    uncoupled, ewma = known(facts.total.acwr_uncoupled), known(facts.total.acwr_ewma)
    return None if uncoupled is None or ewma is None or not is_judged(facts, rules) else (uncoupled, ewma)


def recent(facts: DayFacts, days: int) -> list[SessionFact]:
    """Return the runs of the last `days` days, the day itself included, in order of time."""
    found = [s for s in facts.sessions if 0 <= (facts.date - s.local_date).days < days]
    return sorted(found, key=lambda s: (s.start_at, s.session_id))


def has_enough_runs(facts: DayFacts, rules: AlertRules) -> bool:
    """Return whether enough runs stand behind the acute week for its ratio to be more than one run's timing."""
    return len(recent(facts, rules.windows.acute_days)) >= rules.deload.ratio_min_runs


def heavy_runs(facts: DayFacts, rules: AlertRules) -> int:
    """Return how many runs of the acute window are known to be heavy."""
    return sum(s.is_heavy is True for s in recent(facts, rules.windows.acute_days))


def red_flag(facts: DayFacts, _history: OwnHistory, _rules: AlertRules) -> Reason | None:
    """Stop while a red flag is open, whatever is known or not known of the running."""
    if not facts.flags:
        return None
    urgent = is_urgent(facts.flags)
    return Reason(
        rule="red_flag",
        state=State.STOP,
        value=None,
        threshold=None,
        sentence=wording.red_flags([FLAGS[name].meaning for name in facts.flags], is_urgent=urgent),
        evidence=wording.FLAG_GROUND,
    )


def tightness(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Deload for tightness of 4 or more out of 10 on two days running with an EWMA ratio above 1.3.

    The line belongs to the rule: 4 fires. A day without an entry is not a day without tightness, and not one with it.
    """
    today, before, ratio = known(facts.tightness), known(facts.tightness_before), known(facts.total.acwr_ewma)
    if today is None or before is None or ratio is None or not is_judged(facts, rules):
        return None
    if min(today, before) < rules.deload.tightness or ratio <= rules.deload.tightness_ewma:
        return None
    return Reason(
        rule="tightness",
        state=State.DELOAD,
        value=min(today, before),
        threshold=rules.deload.tightness,
        sentence=wording.tightness(today, before, rules.deload.tightness, ratio),
        evidence=wording.TIGHTNESS_GROUND,
        causes=largest_runs(facts, rules),
    )


def distance_spike(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Deload for a run more than 1.30 times the longest of the 30 days before it, caution for more than 1.10.

    It counts on the day of the run and the two days after it (`spike_days`). Frandsen et al. 2025, BJSM 59:1203.
    """
    return _spike(facts, rules, "distance")


def load_spike(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Judge a run as `distance_spike` does, on its load instead of its distance. Our own extension of that study."""
    return _spike(facts, rules, "load")


def _spike(facts: DayFacts, rules: AlertRules, measure: Literal["distance", "load"]) -> Reason | None:
    for state, band in ((State.DELOAD, rules.deload), (State.CAUTION, rules.caution)):
        found = [
            (value, session)
            for session in recent(facts, band.spike_days)
            if (value := known(session.spike_distance if measure == "distance" else session.spike_load)) is not None
            and value > band.spike
            and _stands_on_enough(session, facts, rules)
        ]
        if found:
            value, worst = max(found, key=lambda pair: pair[0])
            sentence = wording.distance_spike if measure == "distance" else wording.load_spike
            return Reason(
                rule=f"{measure}_spike",
                state=state,
                value=value,
                threshold=band.spike,
                sentence=sentence(worst, value, rules.windows.longest_days),
                evidence=wording.SPIKE_GROUND if measure == "distance" else wording.LOAD_SPIKE_GROUND,
                causes=_causes(facts, rules, [session for _, session in sorted(found, key=lambda p: -p[0])]),
            )
    return None


def _stands_on_enough(session: SessionFact, facts: DayFacts, rules: AlertRules) -> bool:
    if not is_baseline(facts, rules) and not is_back_from_break(facts, rules):
        return True
    first = session.local_date - dt.timedelta(days=rules.windows.longest_days)
    before = [s for s in facts.sessions if s.start_at < session.start_at and s.local_date >= first]
    return len(before) >= rules.deload.spike_min_runs


def uncoupled_ratio(facts: DayFacts, history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Deload for an uncoupled ratio of the total load above 1.8 and above the athlete's own P90.

    Caution where fewer than `ratio_min_runs` runs stand behind it.
    """
    value = known(facts.total.acwr_uncoupled)
    own = history.uncoupled_quantile
    if value is None or not is_judged(facts, rules) or not _above(value, rules.deload.uncoupled, own):
        return None
    windows, past = rules.windows, wording.own_past(own, rules.deload.own_quantile)
    is_enough = has_enough_runs(facts, rules)
    return Reason(
        rule="uncoupled_ratio",
        state=State.DELOAD if is_enough else State.CAUTION,
        value=value,
        threshold=rules.deload.uncoupled,
        sentence=wording.together(
            wording.uncoupled_ratio(value, rules.deload.uncoupled, past, windows.acute_days, windows.chronic_days),
            "" if is_enough else wording.few_runs(rules.deload.ratio_min_runs),
        ),
        evidence=wording.RATIO_GROUND,
        causes=largest_runs(facts, rules),
    )


def ewma_ratio(facts: DayFacts, history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Deload for an EWMA ratio of the total load above 1.5 and above the athlete's own P90, caution above 1.3.

    Caution too where fewer than `ratio_min_runs` runs stand behind it.
    """
    value = known(facts.total.acwr_ewma)
    if value is None or not is_judged(facts, rules):
        return None
    if _above(value, rules.deload.ewma, history.ewma_quantile) and has_enough_runs(facts, rules):
        state, threshold = State.DELOAD, rules.deload.ewma
        past = wording.own_past(history.ewma_quantile, rules.deload.own_quantile)
    elif value > rules.caution.ewma:
        state, threshold, past = State.CAUTION, rules.caution.ewma, ""
    else:
        return None
    return Reason(
        rule="ewma_ratio",
        state=state,
        value=value,
        threshold=threshold,
        sentence=wording.ewma_ratio(value, threshold, past),
        evidence=wording.RATIO_GROUND,
        causes=largest_runs(facts, rules),
    )


def _above(value: float, threshold: float, own: float | None) -> bool:
    return value > threshold and (own is None or value > own)


def heavy_ratio(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Deload for an uncoupled ratio of the heavy load above 1.8 with at least two heavy runs in the acute window."""
    value = known(facts.heavy.acwr_uncoupled)
    sessions = heavy_runs(facts, rules)
    if value is None or not is_judged(facts, rules) or sessions < rules.deload.heavy_sessions:
        return None
    if value <= rules.deload.heavy_uncoupled:
        return None
    windows = rules.windows
    return Reason(
        rule="heavy_ratio",
        state=State.DELOAD,
        value=value,
        threshold=rules.deload.heavy_uncoupled,
        sentence=wording.heavy_ratio(
            value, sessions, rules.deload.heavy_uncoupled, windows.acute_days, windows.chronic_days
        ),
        evidence=wording.RATIO_GROUND,
        causes=largest_runs(facts, rules, heavy=True),
    )


def heavy_spacing(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Caution for two heavy runs that began less than 48 h apart, for 48 h of days from the later one on.

    The interval is between the starts; exactly 48 h is far enough apart.
    """
    hours = rules.caution.heavy_hours
    days = math.ceil(hours / _HOURS)
    heavy = [s for s in recent(facts, 2 * days) if s.is_heavy is True]
    pairs = [
        ((later.start_at - earlier.start_at).total_seconds() / 3600, earlier, later)
        for earlier, later in pairwise(heavy)
        if (facts.date - later.local_date).days < days
    ]
    close = [pair for pair in pairs if pair[0] < hours]
    if not close:
        return None
    gap, earlier, later = min(close, key=lambda pair: pair[0])
    return Reason(
        rule="heavy_spacing",
        state=State.CAUTION,
        value=gap,
        threshold=hours,
        sentence=wording.heavy_spacing(gap, hours),
        evidence=wording.SPACING_GROUND,
        causes=_causes(facts, rules, [earlier, later]),
    )


def monotony(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Caution for a monotony of the total load above 2. Foster 1998, Med Sci Sports Exerc 30:1164.

    Seven equal days have an infinite monotony: the rule holds, and the reason's value is None, since infinity is no
    number that could be stored or drawn. Judged in a full history without a break; an unknown day before the last seven
    does not touch it.
    """
    value = facts.total.monotony
    if value is None or math.isnan(value) or value <= rules.caution.monotony:
        return None
    if is_baseline(facts, rules) or is_back_from_break(facts, rules):
        return None
    return Reason(
        rule="monotony",
        state=State.CAUTION,
        value=known(value),
        threshold=rules.caution.monotony,
        sentence=wording.monotony(value, rules.caution.monotony, rules.windows.acute_days),
        evidence=wording.MONOTONY_GROUND,
    )


def few_curls(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Build where fewer curl sessions than planned are known; only on days whose load is known to be in order.

    No number (None) means that nobody has told: the reason then says so, and its value is None.
    """
    if facts.curl_check is not None:
        return None
    done, planned = facts.curl_sessions_10d, rules.curls.per_10_days
    if ratios(facts, rules) is None or (done is not None and done >= planned):
        return None
    return Reason(
        rule="few_curls",
        state=State.BUILD,
        value=done,
        threshold=planned,
        sentence=wording.few_curls(done, planned),
        evidence=wording.CURL_GROUND,
    )


def steady(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Steady where both ratios are known; what is more serious goes before it."""
    found = ratios(facts, rules)
    if found is None:
        return None
    uncoupled, ewma = found
    return Reason(
        rule="steady",
        state=State.STEADY,
        value=uncoupled,
        threshold=rules.deload.uncoupled,
        sentence=wording.steady(uncoupled, ewma, rules.windows.acute_days, rules.windows.chronic_days),
        evidence=wording.RATIO_GROUND,
    )


def baseline(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Baseline with fewer than 28 days of history."""
    if not is_baseline(facts, rules):
        return None
    needed = rules.windows.baseline_days
    return Reason(
        rule="baseline",
        state=State.BASELINE,
        value=facts.history_days,
        threshold=needed,
        sentence=wording.baseline(facts.history_days, needed),
        evidence=wording.RECORD_GROUND,
    )


def returning(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Hold after a known break of 14 days or more, until it has left the chronic window."""
    if is_baseline(facts, rules) or not is_back_from_break(facts, rules):
        return None
    return Reason(
        rule="returning",
        state=State.RETURNING,
        value=facts.days_since_run,
        threshold=rules.windows.returning_days,
        sentence=wording.returning(facts.days_since_run, rules.windows.returning_days),
        evidence=wording.RECORD_GROUND,
    )


def missing_days(facts: DayFacts, history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Unknown where a day of the chronic window is not known, or a ratio is undefined for no other reason."""
    chronic = rules.windows.chronic_days
    if not facts.is_known:
        days = max(history.silent_days, 1)
        sentence, value = wording.silence(days), float(max(facts.unknown_days_28, days))
    elif facts.unknown_days_28 > 0:
        sentence, value = wording.unknown_days(facts.unknown_days_28, chronic), float(facts.unknown_days_28)
    elif is_judged(facts, rules) and ratios(facts, rules) is None:
        sentence, value = wording.no_ratio(), 0.0
    else:
        return None
    return Reason("missing_days", State.UNKNOWN, value, 0.0, sentence, wording.RECORD_GROUND)


def heavy_unjudged(facts: DayFacts, _history: OwnHistory, rules: AlertRules) -> Reason | None:
    """Say that heavy running was not judged, where a run of the chronic window has no label; it changes no state."""
    chronic = rules.windows.chronic_days
    runs = sum(s.is_heavy is None for s in recent(facts, chronic))
    if not runs or ratios(facts, rules) is None or known(facts.heavy.acwr_uncoupled) is not None:
        return None
    return Reason(
        rule="heavy_unjudged",
        state=State.UNKNOWN,
        value=runs,
        threshold=0.0,
        sentence=wording.heavy_unjudged(runs, chronic),
        evidence=wording.RECORD_GROUND,
    )


def largest_runs(facts: DayFacts, rules: AlertRules, *, heavy: bool = False) -> tuple[Cause, ...]:
    """Return the fewest largest runs of the acute window that make up half of its load, each with its share of it.

    Shares are None where a day of the window is unknown: the whole that they would be shares of is not known either.
    """
    week = [s for s in recent(facts, rules.windows.acute_days) if s.is_heavy or not heavy]
    total = sum(s.load_efm for s in week)
    chosen: list[SessionFact] = []
    for session in sorted(week, key=lambda s: (-s.load_efm, s.start_at, s.session_id)):
        if sum(s.load_efm for s in chosen) >= rules.reasons.cause_share * total:
            break
        chosen.append(session)
    return _causes(facts, rules, chosen, heavy=heavy)


def _causes(
    facts: DayFacts, rules: AlertRules, sessions: Iterable[SessionFact], *, heavy: bool = False
) -> tuple[Cause, ...]:
    days = rules.windows.acute_days
    total = sum(s.load_efm for s in recent(facts, days) if s.is_heavy or not heavy)
    week_known = facts.is_known and (facts.unknown_days_28 == 0 or known(facts.total.acute_rolling) is not None)
    of_what = wording.heavy_week(days) if heavy else wording.week(days)
    causes = []
    for session in sessions:
        share = known(session.load_efm / total) if week_known and total > 0 else None
        causes.append(Cause(session.session_id, share, wording.cause(session, share, of_what)))
    return tuple(causes)


#: Every rule, most serious first.
RULES: tuple[Rule, ...] = (
    red_flag,
    tightness,
    distance_spike,
    load_spike,
    uncoupled_ratio,
    ewma_ratio,
    heavy_ratio,
    heavy_spacing,
    monotony,
    few_curls,
    steady,
    baseline,
    returning,
    missing_days,
    heavy_unjudged,
)

_SERIOUSNESS = tuple(State)


def seriousness(state: State) -> int:
    """Return the rank of a state, 0 the most serious."""
    return _SERIOUSNESS.index(state)


def judge(facts: DayFacts, history: OwnHistory, rules: AlertRules) -> tuple[Reason, ...]:
    """Return the reasons of one day by itself, most serious first; the first one's state is the day's.

    The state is the most serious that holds, in the order of `State`. So a known spike goes before *baseline*,
    *returning* and *unknown*, which hide ratios only; and *build* and *steady*, which both claim that nothing else
    holds, arise only where the ratios are known. Reasons to build are not told on a day that asks for less.
    """
    found = [reason for rule in RULES if (reason := rule(facts, history, rules)) is not None]
    return tell(found)


def tell(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Order reasons by seriousness and drop those that the most serious one leaves no room for."""
    ordered = sorted(reasons, key=lambda reason: seriousness(reason.state))
    state = ordered[0].state
    return tuple(r for r in ordered if r.state == state or r.state not in {State.BUILD, State.STEADY})
