"""What an open red flag does to everything that shows advice: it is withheld, at whatever moment the flag was logged.

The tables know of a flag once they are built anew; another run may hold the home until then. So each outlet asks the
journal itself, and what lies about already (calendar, digests, report, mail that waits) is taken back at once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from hamload.advice import FLAGS, headline, stop_advice, wording
from hamload.advice.flags import is_urgent
from hamload.language import opening, text
from hamload.pipeline.counsel.journaling import flags as logged_flags
from hamload.records import Alert, Reason, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.settings import Settings

__all__ = [
    "is_outdated",
    "logged_flags",
    "of_a_past_day",
    "past_headline",
    "past_reasons",
    "stop_headline",
    "stopped",
    "stopped_row",
]

_INVITED = text("Nothing spoke against building up on that day; now a warning sign does.")


def stopped(alert: Alert, flags: Sequence[str]) -> tuple[Alert, str]:
    """Return the newest day's alert as the open flags make it, with its headline; its own where they are in it."""
    advice, clears_when = stop_advice(flags), wording.clears_stop(flags)
    if alert.state is State.STOP and (alert.advice, alert.clears_when) == (advice, clears_when):
        return alert, headline(alert)
    stop = replace(
        alert,
        state=State.STOP,
        reasons=(_reason(flags), *(r for r in alert.reasons if _stands_beside(r.rule, r.state))),
        is_new=True,
        is_continuation=False,
        held=False,
        advice=advice,
        clears_when=clears_when,
        is_acknowledged=False,
        plan=None,
    )
    return stop, headline(stop)


def is_outdated(settings: Settings, alert: Alert) -> bool:
    """Return whether a flag was logged since an alert was read: who wrote what it says writes it anew."""
    flags = logged_flags(settings, alert.athlete_id)
    return bool(flags) and alert.advice != stop_advice(flags)


def of_a_past_day(alert: Alert, flags: Sequence[str]) -> tuple[Alert, str]:
    """Return how an earlier day stood, without what it advised: that would be read today."""
    reasons, clears_when = past_reasons(alert.reasons), _past_clears_when(alert.state, alert.clears_when)
    past = replace(alert, reasons=reasons, advice=stop_advice(flags), clears_when=clears_when, plan=None)
    return past, past_headline(alert.state)


def past_reasons(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return an earlier day's reasons while a flag is open: those to build invite to curls, and say no more of it."""
    return tuple(replace(r, sentence=_INVITED) if r.state is State.BUILD else r for r in reasons)


def past_headline(state: State) -> str:
    """Return an earlier day's headline while a flag is open."""
    return text("{state}: how that day stood. A warning sign is open, so its advice is withheld.", state=opening(state))


def stopped_row(row: dict[str, Any], flags: Sequence[str], *, is_newest: bool) -> dict[str, Any]:
    """Return a row of `marts.alerts`, its reasons decoded, as the open flags make it."""
    advice, clears_when = list(stop_advice(flags)), wording.clears_stop(flags)
    if not is_newest:
        reasons = [{**r, "sentence": _INVITED} if r["state"] == State.BUILD else r for r in row["reasons"]]
        told = {"headline": past_headline(State(row["state"])), "reasons": reasons, "advice": advice, "plan": None}
        return {**row, **told, "clears_when": _past_clears_when(row["state"], row["clears_when"])}
    if row["state"] == State.STOP and row["clears_when"] == clears_when:
        return row
    return {
        **row,
        "state": State.STOP.value,
        "headline": stop_headline(flags),
        "reasons": [asdict(_reason(flags)), *(r for r in row["reasons"] if _stands_beside(r["rule"], r["state"]))],
        "is_new": True,
        "is_continuation": False,
        "held": False,
        "advice": advice,
        "clears_when": clears_when,
        "is_acknowledged": False,
        "plan": None,
    }


def _past_clears_when(state: str, clears_when: str) -> str:
    """Return what ended a state; what ends "build" is curls, of which nothing is said while a flag is open."""
    return "" if state == State.BUILD else clears_when


def stop_headline(flags: Sequence[str]) -> str:
    """Return the headline of open flags: at once, where one of them cannot wait."""
    stop = Alert("", dt.date.min, State.STOP, (), False, False, False, 0, stop_advice(flags))  # noqa: FBT003
    return headline(stop)


def _stands_beside(rule: str, state: str) -> bool:
    return rule != "red_flag" and state not in {State.BUILD, State.STEADY}


def _reason(flags: Sequence[str]) -> Reason:
    return Reason(
        rule="red_flag",
        state=State.STOP,
        value=None,
        threshold=None,
        sentence=wording.red_flags([FLAGS[name].meaning for name in flags], is_urgent=is_urgent(flags)),
        evidence=wording.FLAG_GROUND,
    )
