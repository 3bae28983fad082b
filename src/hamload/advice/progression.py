"""The curl programme of the load model's section 7 as a state machine: what was done and felt in, the next dose out.

Pure, and without hidden memory: the next dose follows from the sessions that were done, in order, and from what the
runner said of them. What was done counts, not what was planned. `hamload.advice.curls` says in a sentence or two what a
day's state means for curls; this room plans them.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise, takewhile
from statistics import median
from typing import TYPE_CHECKING

from hamload.advice import wording
from hamload.records import CurlCheck, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hamload.parameters import AlertRules, Curls

_HOURS = 24
_DAYS_A_WEEK = 7


class Stage(StrEnum):
    """Where in the programme a runner stands."""

    WITHHELD = "withheld"
    CLINICIAN = "clinician"
    MASSAGE = "massage first"
    WAIT = "wait"
    START = "start"
    BUILD = "build"
    HOLD = "hold"
    CUT = "cut"
    AGAIN = "begin again"
    HALVED = "halved"
    MAINTAIN = "maintain"


class Verdict(StrEnum):
    """How a session was borne."""

    GOOD = "good"
    HOLD = "hold"
    CUT = "cut"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Dose:
    """Sets x repetitions; `lowering_s` None: slowly, not timed."""

    sets: int
    repetitions: int
    lowering_s: int | None = None
    is_single_leg: bool = False

    @property
    def total(self) -> int:
        """Return all repetitions together."""
        return self.sets * self.repetitions


@dataclass(frozen=True, slots=True)
class CurlSession:
    """Curls that were done on a day, how hard they were (1-10, None unknown), and the state of that day."""

    date: dt.date
    dose: Dose
    rpe: float | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class CurlFacts:
    """What the next curls follow from; everything up to the end of `date`.

    Attributes
    ----------
    date, state, state_since
        The day, the runner's state, and since when.
    sessions
        Curls done, oldest first, at most one a day.
    soreness, tightness
        What was logged for each day, 0-10.
    massages
        The days of massages.
    run_days, heavy_days
        The weekdays (Monday 0) on which this runner usually runs, and runs hard.
    has_red_flag
        Whether a red flag is open.

    """

    date: dt.date
    state: State
    state_since: dt.date
    sessions: tuple[CurlSession, ...] = ()
    soreness: Mapping[dt.date, float] = field(default_factory=dict)
    tightness: Mapping[dt.date, float] = field(default_factory=dict)
    massages: tuple[dt.date, ...] = ()
    run_days: frozenset[int] = frozenset()
    heavy_days: frozenset[int] = frozenset()
    has_red_flag: bool = False


@dataclass(frozen=True, slots=True)
class CurlPlan:
    """The next curls: which dose, on which days, why, and how. `dose` None: none for now."""

    stage: Stage
    dose: Dose | None
    dates: tuple[dt.date, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()


def curl_plan(facts: CurlFacts, rules: AlertRules) -> CurlPlan:
    """Return the next curls, from what was done and felt and from the runner's state.

    - A red flag withholds everything. Soreness that has not settled in 7 days belongs to a clinician.
    - Where tightness is chronic and no curls are known, massage comes first.
    - 1x5 (two sessions) -> 2x5 -> 2 more a set after two good sessions -> 2x15 -> lowering in 3, then 4 s ->
      single-leg from 5 -> once a week. Good: effort <= 8, soreness <= 3 at 48 h, gone by 72 h. What is not known is not
      good: the dose stays until effort and soreness are logged.
    - 14 days without: 60 %; eight weeks: from the start. In a deload nothing for 72 h, then half; outside *build* and
      *steady* nothing is added.
    """
    curls = rules.curls
    if facts.has_red_flag or facts.state is State.STOP:
        return CurlPlan(Stage.WITHHELD, None, (), (wording.stop_withheld(),))
    done = filled(facts, curls)
    if _is_unsettled(done, facts, curls):
        return CurlPlan(Stage.CLINICIAN, None, (), (wording.curls_unsettled(curls.sore_clinician_days),))
    if not done:
        return _first(facts, rules)
    return _next(done, facts, rules)


def filled(facts: CurlFacts, curls: Curls) -> list[CurlSession]:
    """Return the sessions, oldest first, with the lowering a watch cannot know: what was due where the rest fits."""
    done: list[CurlSession] = []
    for session in sorted(facts.sessions, key=lambda s: s.date):
        if session.date > facts.date:
            continue
        if session.dose.lowering_s is None and (counting := _counting(done)):
            due = _due(counting, session.date, facts.soreness, curls).dose
            was = session.dose
            if (due.sets, due.repetitions, due.is_single_leg) == (was.sets, was.repetitions, was.is_single_leg):
                done.append(replace(session, dose=due))
                continue
        done.append(session)
    return done


def curl_checks(facts: CurlFacts, days: Sequence[dt.date], curls: Curls) -> list[tuple[CurlCheck | None, int]]:
    """Return for each day, from what was known at its end, what speaks against more curls, and the massages till then.

    The same tests as in `curl_plan`, so that a day's advice and the plan of that day say one thing. Days rise.
    """
    done = filled(facts, curls)
    found: list[tuple[CurlCheck | None, int]] = []
    for day in days:
        then = replace(facts, date=day, soreness={date: level for date, level in facts.soreness.items() if date <= day})
        until = [session for session in done if session.date <= day]
        massages = len(_massages(then, curls))
        if _is_unsettled(until, then, curls):
            found.append((CurlCheck.CLINICIAN, massages))
        elif not until:
            first = is_chronic(facts.tightness, day, curls) and massages < curls.massages
            found.append((CurlCheck.MASSAGE if first else None, massages))
        else:
            due = _due(_counting(until), day, then.soreness, curls)
            found.append((CurlCheck.CUT if due.stage is Stage.CUT else None, massages))
    return found


def _massages(facts: CurlFacts, curls: Curls) -> list[dt.date]:
    return [day for day in facts.massages if 0 <= (facts.date - day).days < curls.habit_days]


def _counting(done: Sequence[CurlSession]) -> list[CurlSession]:
    """Return the sessions that say where a runner stands: halved ones in a deload do not."""
    return [s for s in done if s.state is not State.DELOAD] or list(done)


def verdict(
    session: CurlSession, following: dt.date | None, soreness: Mapping[dt.date, float], curls: Curls
) -> Verdict:
    """Return how a session was borne, from its effort and the soreness until the next one or a week later."""
    last = session.date + dt.timedelta(days=curls.sore_clinician_days)
    until = last if following is None else min(following, last)
    felt = {(day - session.date).days: level for day, level in soreness.items() if session.date < day <= until}
    clear = curls.sore_clear_hours / _HOURS
    peak = math.ceil(curls.sore_peak_hours / _HOURS)
    early = [level for days, level in felt.items() if days < clear]
    if (session.rpe is not None and session.rpe >= curls.cut_rpe) or any(v >= curls.sore_cut for v in felt.values()):
        return Verdict.CUT
    if any(level > 0 for days, level in felt.items() if days > clear):
        return Verdict.CUT
    if session.rpe is not None and session.rpe > curls.max_rpe:
        return Verdict.HOLD
    if any(level > curls.sore_good for level in early):
        return Verdict.HOLD
    if any(level > 0 for days, level in felt.items() if days == clear):
        return Verdict.HOLD
    is_gone = any(level <= 0 for days, level in felt.items() if peak <= days <= clear)
    return Verdict.GOOD if session.rpe is not None and peak in felt and is_gone else Verdict.UNKNOWN


def next_step(dose: Dose, curls: Curls) -> Dose | None:
    """Return the next step of the programme after a dose within it, None after the last one."""
    if dose.sets < curls.full_sets:
        # Two sets of as many would be twice as much from one day to the next; only the first dose is that small.
        each = math.ceil((dose.total + 1) / curls.full_sets)
        return replace(dose, sets=curls.full_sets, repetitions=max(each, curls.start_repetitions))
    if dose.repetitions < curls.most_repetitions:
        return replace(dose, repetitions=min(dose.repetitions + curls.step_repetitions, curls.most_repetitions))
    if dose.is_single_leg:
        return None
    lowering = dose.lowering_s or 0
    if lowering < curls.lowering_s:
        return replace(dose, lowering_s=curls.lowering_s)
    if lowering < curls.lowering_most_s:
        return replace(dose, lowering_s=lowering + 1)
    return Dose(curls.full_sets, curls.start_repetitions, None, is_single_leg=True)


def within(dose: Dose, curls: Curls) -> Dose:
    """Return a dose as the programme knows it: two sets at most, of 15 at most, and no more repetitions in all."""
    if dose.sets > curls.full_sets:
        each = max(dose.total // curls.full_sets, 1)
        return replace(dose, sets=curls.full_sets, repetitions=min(each, curls.most_repetitions))
    return replace(dose, repetitions=min(dose.repetitions, curls.most_repetitions))


def scaled(dose: Dose, factor: float, curls: Curls) -> Dose:
    """Return at most that share of a dose, at least one repetition; one set where two would be too short."""
    total = max(math.floor(round(dose.total * factor, 6)), 1)
    each = total // dose.sets
    if each >= curls.start_repetitions:
        return replace(dose, repetitions=min(each, dose.repetitions))
    return replace(dose, sets=1, repetitions=min(total, curls.most_repetitions))


@dataclass(frozen=True, slots=True)
class _Due:
    stage: Stage
    dose: Dose
    reason: str
    gap_days: int


def _due(counting: Sequence[CurlSession], on: dt.date, soreness: Mapping[dt.date, float], curls: Curls) -> _Due:  # noqa: PLR0911 - one a finding
    """Return the dose that is due on a day after the sessions that count, whatever the state."""
    # Older sessions decide nothing: the programme looks back no further than its longest rule.
    counting = counting[-(max(curls.step_sessions, curls.worse_sessions) + 1) :]
    last = counting[-1]
    own = within(last.dose, curls)
    soreness = {day: level for day, level in soreness.items() if day <= on}
    days = (on - last.date).days
    spacing = math.ceil(curls.min_gap_hours / _HOURS)
    if days >= curls.restart_days:
        start = Dose(curls.start_sets, curls.start_repetitions)
        return _Due(Stage.START, start, wording.curls_restart(days), spacing)
    if days >= curls.gap_days:
        dose = scaled(own, curls.gap_factor, curls)
        return _Due(Stage.AGAIN, dose, wording.curls_gap(days, curls.gap_factor), spacing)
    following = [s.date for s in counting[1:]] + [None]
    verdicts = [verdict(s, f, soreness, curls) for s, f in zip(counting, following, strict=True)]
    peaks = [_peak(s, f, soreness, curls) for s, f in zip(counting, following, strict=True)][-curls.worse_sessions :]
    if verdicts[-1] is Verdict.CUT or _is_rising(peaks, curls):
        dose = scaled(own, curls.cut_factor, curls)
        return _Due(Stage.CUT, dose, wording.curls_cut(curls.cut_factor), 2 * spacing)
    if verdicts[-1] is Verdict.HOLD:
        return _Due(Stage.HOLD, own, wording.curls_hold(curls.max_rpe, curls.sore_good), spacing)
    if verdicts[-1] is Verdict.UNKNOWN:
        return _Due(Stage.HOLD, own, wording.curls_unknown(), spacing)
    if own != last.dose:
        return _Due(Stage.HOLD, own, wording.curls_beyond(curls.full_sets, curls.most_repetitions), spacing)
    good = _good_at(last.dose, counting, verdicts)
    step = next_step(last.dose, curls)
    if step is None:
        return _Due(Stage.MAINTAIN, last.dose, wording.curls_maintain(), curls.maintenance_gap_days)
    if good < curls.step_sessions:
        return _Due(Stage.BUILD, last.dose, wording.curls_once_more(good, curls.step_sessions), spacing)
    return _Due(Stage.BUILD, step, wording.curls_step(good), spacing)


def _good_at(dose: Dose, counting: Sequence[CurlSession], verdicts: Sequence[Verdict]) -> int:
    """Return how many of the newest sessions, one after the other, were good at a dose."""
    pairs = zip(reversed(counting), reversed(verdicts), strict=True)
    return sum(1 for _ in takewhile(lambda pair: pair[1] is Verdict.GOOD and pair[0].dose == dose, pairs))


def _peak(
    session: CurlSession, following: dt.date | None, soreness: Mapping[dt.date, float], curls: Curls
) -> float | None:
    last = session.date + dt.timedelta(days=curls.sore_clinician_days)
    until = last if following is None else min(following, last)
    return max((level for day, level in soreness.items() if session.date < day <= until), default=None)


def _is_rising(peaks: Sequence[float | None], curls: Curls) -> bool:
    known = [p for p in peaks if p is not None]
    return len(known) == curls.worse_sessions and all(a < b for a, b in pairwise(known))


def _is_unsettled(done: Sequence[CurlSession], facts: CurlFacts, curls: Curls) -> bool:
    """Return whether soreness after curls did not settle in a week, and has not been logged as gone since.

    It counts from the session before it; from its own first day where a 0 was logged in between. More curls do not
    begin the count anew where the runner was still sore on their day or the day before. A case ends with a 0, or where
    nothing is said for as long as the programme remembers.
    """
    if not done:
        return False
    days = [session.date for session in done]
    entries = sorted((day, level) for day, level in facts.soreness.items() if days[0] < day <= facts.date)
    since: dt.date | None = None
    before: tuple[dt.date, float] | None = None
    is_open = False
    for day, level in entries:
        if before is not None and (day - before[0]).days >= curls.restart_days:
            since, is_open, before = None, False, None
        if level <= 0:
            since, is_open = None, False
        else:
            last = max(d for d in days if d < day)
            if since is None or not (is_open or _is_sore_through(before, last)):
                # What was 0 after the curls and came later is counted from when it came.
                since = day if before is not None and before[1] <= 0 and before[0] > last else last
            is_open = is_open or (day - since).days >= curls.sore_clinician_days
        before = day, level
    return is_open and before is not None and (facts.date - before[0]).days < curls.restart_days


def _is_sore_through(before: tuple[dt.date, float] | None, session: dt.date) -> bool:
    """Return whether the last word before a session, or after it, was soreness that it did not interrupt."""
    return before is not None and before[1] > 0 and (session - before[0]).days <= 1


def is_chronic(tightness: Mapping[dt.date, float], today: dt.date, curls: Curls) -> bool:
    """Return whether tightness is chronic: its median over four weeks of entries is 4 or more, on three at least."""
    recent = [level for day, level in tightness.items() if 0 <= (today - day).days < curls.chronic_days]
    return len(recent) >= curls.chronic_entries and median(recent) >= curls.chronic_tightness


def _first(facts: CurlFacts, rules: AlertRules) -> CurlPlan:
    """Return how the programme begins, where no curls are known."""
    curls = rules.curls
    if facts.state not in {State.BUILD, State.STEADY}:
        return CurlPlan(Stage.WAIT, None, (), (wording.curls_not_now(facts.state),), _notes(rules))
    had = _massages(facts, curls)
    if is_chronic(facts.tightness, facts.date, curls) and len(had) < curls.massages:
        told = wording.massage_first(curls.massages, len(had))
        return CurlPlan(Stage.MASSAGE, None, (), (told,), _notes(rules))
    dose = Dose(curls.start_sets, curls.start_repetitions)
    dates, told_days = curl_days(facts, facts.date, math.ceil(curls.min_gap_hours / _HOURS), rules)
    reasons = (wording.curls_begin(curls.step_sessions), *told_days)
    return CurlPlan(Stage.START, dose, dates, reasons, _notes(rules))


def _next(done: Sequence[CurlSession], facts: CurlFacts, rules: AlertRules) -> CurlPlan:
    curls = rules.curls
    counting = _counting(done)
    due = _due(counting, facts.date, facts.soreness, curls)
    earliest = max(done[-1].date + dt.timedelta(days=due.gap_days), facts.date)
    stage, dose, reasons = due.stage, due.dose, [due.reason]
    last = within(counting[-1].dose, curls)
    # Fewer repetitions on one leg are a step up too.
    is_more = (due.stage is Stage.BUILD and dose != last) or dose.total > last.total
    if facts.state is State.DELOAD:
        wait = facts.state_since + dt.timedelta(days=math.ceil(curls.deload_wait_hours / _HOURS))
        earliest = max(earliest, wait + dt.timedelta(days=1))
        base = last if is_more else dose
        stage, dose = Stage.HALVED, scaled(base, curls.deload_factor, curls)
        reasons = [wording.curls_in_deload(wait, curls.deload_factor)]
    elif facts.state not in {State.BUILD, State.STEADY} and is_more:
        stage, dose = Stage.HOLD, last
        reasons = [wording.curls_no_step(facts.state)]
    dates, told_days = curl_days(facts, earliest, due.gap_days, rules)
    return CurlPlan(stage, dose, dates, (*reasons, *told_days), _notes(rules))


def curl_days(
    facts: CurlFacts, earliest: dt.date, gap_days: int, rules: AlertRules
) -> tuple[tuple[dt.date, ...], tuple[str, ...]]:
    """Return the days for curls in the coming two weeks, and what there is to say of them.

    Far enough apart, at most twice in seven days, never on a day of hard running nor within 48 h before one, and on
    days that have a run where that costs no more than two days of waiting. Where the usual hard days leave no 48 h, one
    free day before them must do, and the runner is told.
    """
    curls = rules.curls
    quiet = math.ceil(curls.quiet_hours_after / _HOURS)
    horizon = [facts.date + dt.timedelta(days=d) for d in range(curls.horizon_days)]

    def is_free(day: dt.date, ahead: int) -> bool:
        coming = ((day + dt.timedelta(days=d)).weekday() for d in range(ahead + 1))
        return not any(weekday in facts.heavy_days for weekday in coming)

    told: tuple[str, ...] = ()
    free = [day for day in horizon if day >= earliest and is_free(day, quiet)]
    if not free:
        free = [day for day in horizon if day >= earliest and is_free(day, 1)]
        told = (wording.curls_crowded(curls.quiet_hours_after),) if facts.heavy_days else ()
    chosen: list[dt.date] = []
    for day in free:
        if chosen and (day - chosen[-1]).days < gap_days:
            continue
        if len(chosen) > 1 and (day - chosen[-2]).days < _DAYS_A_WEEK:
            continue
        soon = [d for d in free if 0 <= (d - day).days < quiet + 1 and d.weekday() in facts.run_days]
        pick = soon[0] if soon and day.weekday() not in facts.run_days else day
        if not chosen or pick > chosen[-1]:
            chosen.append(pick)
    return tuple(chosen), told


def _notes(rules: AlertRules) -> tuple[str, ...]:
    curls = rules.curls
    return (
        wording.curls_how(curls.max_rpe),
        wording.curls_soreness(),
        wording.stretching(curls.stretch_share),
        wording.curls_evidence(),
    )
