"""When curls are added, kept or left, in the safe form of the load model's section 7. Pure.

Progression from one dose to the next needs the runner's own words on effort and soreness; this room gives spacing,
first doses and limits, which need none.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from hamload.advice import wording
from hamload.records import CurlCheck, State

if TYPE_CHECKING:
    from hamload.parameters import AlertRules
    from hamload.records import DayFacts

_HOURS = 24


def curl_advice(  # noqa: PLR0911 - one a state
    state: State, facts: DayFacts, rules: AlertRules, days_in_state: int = 0
) -> tuple[str, ...]:
    """Return what to do about curls on a day of this state.

    Parameters
    ----------
    state
        The day's state. *stop* withholds all exercise advice.
    facts
        The day.
    rules
        The thresholds.
    days_in_state
        Days since the state began, 0 on its first: a deload adds nothing in its first 72 hours.

    What the runner's own words hold against more curls (`DayFacts.curl_check`) takes the place of the state's advice;
    in a deload curls that were too much are only one more reason for what it asks anyway.

    """
    curls = rules.curls
    held = _held_back(state, facts, rules)
    if held:
        return held
    match state:
        case State.STOP:
            return ()
        case State.DELOAD:
            wait = math.ceil(curls.deload_wait_hours / _HOURS) - days_in_state
            halved = wording.curls_halved(
                curls.deload_factor, curls.start_sets, curls.start_repetitions, curls.max_rpe, waits=wait > 0
            )
            if wait > 0:
                return (wording.curls_wait(facts.date + dt.timedelta(days=wait), curls.deload_wait_hours), halved)
            return (halved,)
        case State.CAUTION:
            return (wording.curls_as_before(),)
        case State.BUILD:
            return _building(facts, rules)
        case State.STEADY:
            return (
                wording.curls_spacing(curls.min_gap_hours, curls.quiet_hours_after),
                wording.curls_effort(curls.max_rpe),
            )
        case State.RETURNING:
            return (wording.curls_returning(curls.gap_days, curls.gap_factor),)
        case State.BASELINE | State.UNKNOWN:
            return (wording.curls_unjudged(),)


def _held_back(state: State, facts: DayFacts, rules: AlertRules) -> tuple[str, ...]:
    curls = rules.curls
    match facts.curl_check:
        case _ if state is State.STOP:
            return ()
        case CurlCheck.CLINICIAN:
            return (wording.curls_unsettled(curls.sore_clinician_days),)
        case CurlCheck.MASSAGE:
            return (wording.massage_first(curls.massages, facts.massages),)
        case CurlCheck.CUT if state is not State.DELOAD:
            return (wording.curls_cut(curls.cut_factor),)
        case _:
            return ()


def _building(facts: DayFacts, rules: AlertRules) -> tuple[str, ...]:
    curls = rules.curls
    told = [wording.curls_spacing(curls.min_gap_hours, curls.quiet_hours_after)]
    if facts.curl_sessions_10d:
        told.append(wording.curls_effort(curls.max_rpe))
    else:
        told.append(wording.curls_start(curls.start_sets, curls.start_repetitions, curls.max_rpe))
        told.append(wording.curls_again(curls.gap_days, curls.gap_factor))
    return (*told, wording.curls_soreness(), wording.curls_evidence())
