"""Every state and every rule as a row: what the day holds, and what is said. Each line from both sides.

Section 6 of the load model, written down a second time as data. What differs from it on purpose: a ratio of the total
load makes a deload only with three runs behind it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import FLAGS, OwnHistory, assess, headline, judge
from hamload.advice.rules import seriousness
from hamload.records import Alert, DayFacts, SeriesDay, SessionFact, State
from hamload.settings import defaults

type Says = dict[str, Any]

RULES = defaults()[2]
TODAY = dt.date(2026, 5, 31)


def a_day(date: dt.date = TODAY, **says: Any) -> DayFacts:
    """Return a calm day with three easy runs behind it. See `ROWS` for the words."""
    known: Says = {
        "u": 1.0,
        "e": 1.0,
        "own_u": None,
        "m": 1.0,
        "h": 1.0,
        "heavy": 0,
        "gap_h": 60.0,
        "far": None,
        "hard": None,
        "ago": 0,
        "runs": 3,
        "curls": 2,
        "history": 100,
        "missing": 0,
        "back": False,
        "flags": (),
        "tight": None,
        "ack": False,
    } | says
    runs = [
        _run(date, index, float(known["gap_h"]) * index, is_heavy=index < int(known["heavy"]))
        for index in range(int(known["runs"]))
    ]
    if known["far"] is not None or known["hard"] is not None:
        runs.append(
            replace(
                _run(date, 9, 24.0 * int(known["ago"]), is_heavy=False),
                spike_distance=known["far"],
                spike_load=known["hard"],
            )
        )
    before, today = known["tight"] or (None, None)
    return DayFacts(
        date=date,
        is_known=known["missing"] != 28,
        unknown_days_28=int(known["missing"]),
        history_days=int(known["history"]),
        days_since_run=0,
        total=SeriesDay(50.0, None, known["u"], known["e"], known["m"], None, 50.0),
        heavy=SeriesDay(50.0, None, known["h"], None, None, None, 50.0),
        sessions=tuple(runs),
        curl_sessions_10d=known["curls"],
        is_returning=bool(known["back"]),
        flags=tuple(known["flags"]),
        tightness=today,
        tightness_before=before,
        is_acknowledged=bool(known["ack"]),
    )


def _run(date: dt.date, number: int, hours_ago: float, *, is_heavy: bool) -> SessionFact:
    start = dt.datetime.combine(date, dt.time(20), dt.UTC) - dt.timedelta(hours=hours_ago)
    return SessionFact(
        session_id=f"{date}-{number}",
        start_at=start,
        local_date=start.date(),
        title="run",
        distance_m=1e4,
        moving_time_s=3e3,
        load_efm=50.0,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        load_base_efm=50.0,
        is_hill=False,
        is_speed=False,
        is_long=False,
        is_heavy=is_heavy,
        spike_distance=None,
        spike_load=None,
    )


#: u, e: uncoupled and EWMA ratio; h: heavy ratio with `heavy` heavy runs `gap_h` hours apart; m: monotony; far, hard: a
#: run's distance and load against the month's largest, `ago` days back; tight: yesterday's and today's tightness.
ROWS: list[tuple[str, Says, str, str]] = [
    ("a calm day with its curls", {}, "steady", "steady"),
    # stop
    *[(f"red flag {name}", {"flags": (name,)}, "stop", "red_flag") for name in FLAGS],
    ("a red flag before a baseline", {"flags": ("pop",), "history": 3}, "stop", "red_flag"),
    ("a red flag while days are missing", {"flags": ("pop",), "missing": 28}, "stop", "red_flag"),
    ("a red flag beside a deload", {"flags": ("pop",), "u": 3.0}, "stop", "red_flag"),
    # spike
    ("distance at 1.10", {"far": 1.10}, "steady", "steady"),
    ("distance above 1.10", {"far": 1.1001}, "caution", "distance_spike"),
    ("distance at 1.30", {"far": 1.30}, "caution", "distance_spike"),
    ("distance above 1.30", {"far": 1.3001}, "deload", "distance_spike"),
    ("load above 1.10", {"hard": 1.1001}, "caution", "load_spike"),
    ("load at 1.30", {"hard": 1.30}, "caution", "load_spike"),
    ("load above 1.30", {"hard": 1.3001}, "deload", "load_spike"),
    ("a spike two days ago", {"far": 2.0, "ago": 2}, "deload", "distance_spike"),
    ("a spike three days ago", {"far": 2.0, "ago": 3}, "steady", "steady"),
    # uncoupled
    ("uncoupled at 1.8", {"u": 1.8}, "steady", "steady"),
    ("uncoupled above 1.8", {"u": 1.8001}, "deload", "uncoupled_ratio"),
    ("uncoupled above 1.8, at own P90", {"u": 1.9, "own_u": 1.9}, "steady", "steady"),
    ("uncoupled above 1.8 and own P90", {"u": 1.9, "own_u": 1.89}, "deload", "uncoupled_ratio"),
    ("uncoupled above 1.8 with two runs", {"u": 1.9, "runs": 2}, "caution", "uncoupled_ratio"),
    # EWMA
    ("EWMA at 1.3", {"e": 1.3}, "steady", "steady"),
    ("EWMA above 1.3", {"e": 1.3001}, "caution", "ewma_ratio"),
    ("EWMA at 1.5", {"e": 1.5}, "caution", "ewma_ratio"),
    ("EWMA above 1.5", {"e": 1.5001}, "deload", "ewma_ratio"),
    ("EWMA above 1.5 with two runs", {"e": 1.5001, "runs": 2}, "caution", "ewma_ratio"),
    # heavy
    ("heavy at 1.8 with two", {"h": 1.8, "heavy": 2, "gap_h": 60}, "steady", "steady"),
    ("heavy above 1.8 with two", {"h": 1.8001, "heavy": 2, "gap_h": 60}, "deload", "heavy_ratio"),
    ("heavy above 1.8 with one", {"h": 9.0, "heavy": 1}, "steady", "steady"),
    ("two heavy 48 h apart", {"heavy": 2, "gap_h": 48}, "steady", "steady"),
    ("two heavy under 48 h apart", {"heavy": 2, "gap_h": 47.9}, "caution", "heavy_spacing"),
    # monotony
    ("monotony at 2", {"m": 2.0}, "steady", "steady"),
    ("monotony above 2", {"m": 2.0001}, "caution", "monotony"),
    ("seven equal days", {"m": float("inf")}, "caution", "monotony"),
    # tightness
    ("tight 4 and 4, EWMA above 1.3", {"tight": (4, 4), "e": 1.3001}, "deload", "tightness"),
    ("tight 4 and 4, EWMA at 1.3", {"tight": (4, 4), "e": 1.3}, "steady", "steady"),
    ("tight 3.5 and 9, EWMA above 1.3", {"tight": (3.5, 9), "e": 1.31}, "caution", "ewma_ratio"),
    ("tight 9 and 3.5, EWMA above 1.3", {"tight": (9, 3.5), "e": 1.31}, "caution", "ewma_ratio"),
    ("tight today alone", {"tight": (None, 9), "e": 1.31}, "caution", "ewma_ratio"),
    ("tight 4 and 4 with a missing day", {"tight": (4, 4), "e": 1.4, "missing": 1}, "unknown", "missing_days"),
    # build
    ("one of two curl sessions", {"curls": 1}, "build", "few_curls"),
    ("two curl sessions", {"curls": 2}, "steady", "steady"),
    ("no curls known", {"curls": None}, "build", "few_curls"),
    ("no curls, in caution", {"curls": 0, "e": 1.4}, "caution", "ewma_ratio"),
    # what is not known
    ("27 days of history", {"history": 27, "u": 9.0, "e": 9.0}, "baseline", "baseline"),
    ("28 days of history", {"history": 28}, "steady", "steady"),
    ("a break in the comparison", {"back": True, "u": 9.0, "e": 9.0}, "returning", "returning"),
    ("one missing day", {"missing": 1, "u": 9.0, "e": 9.0}, "unknown", "missing_days"),
    ("no report today", {"missing": 28}, "unknown", "missing_days"),
    ("a spike while days are missing", {"missing": 1, "far": 1.4}, "deload", "distance_spike"),
    ("an undefined ratio", {"u": None}, "unknown", "missing_days"),
]


@pytest.mark.parametrize(("what", "says", "state", "rule"), ROWS, ids=[row[0] for row in ROWS])
def test_a_day_and_what_is_said_of_it(what: str, says: Says, state: str, rule: str) -> None:
    own = says.get("own_u")
    found = judge(a_day(**says), OwnHistory(own if isinstance(own, float) else None), RULES)
    assert (found[0].state.value, found[0].rule) == (state, rule), what


def test_every_state_and_every_rule_has_a_row() -> None:
    assert {row[2] for row in ROWS} == {state.value for state in State}
    named = {row[3] for row in ROWS}
    rules = {rule.__name__ for rule in __import__("hamload.advice", fromlist=["RULES"]).RULES}
    assert rules - named == {"heavy_unjudged"}, "which changes no state"


def told(*days: Says) -> list[Alert]:
    facts = [a_day(TODAY + dt.timedelta(days=i), **says) for i, says in enumerate(days)]
    return assess(facts, RULES, "me")


def news(*days: Says) -> list[int]:
    return [i for i, alert in enumerate(told(*days)) if alert.is_new]


CALM: Says = {}
LOUD: Says = {"u": 2.0}
FLAG: Says = {"flags": ("pop",)}


def test_a_stop_withholds_every_exercise_and_names_what_ends_it() -> None:
    (alert,) = told(FLAG)
    assert alert.state is State.STOP
    said = " ".join(alert.advice)
    assert "See a doctor or a physiotherapist" in said
    assert "gives no advice on running, curls or stretching" in said
    assert "does not end by waiting" in alert.clears_when
    assert "hamload log cleared pop" in alert.clears_when
    assert alert.plan is None
    for word in ("EFM", "ball curls", "Swiss", "stretch harder", "after an easy run"):
        assert word not in said


def test_an_urgent_flag_says_so_first() -> None:
    (alert,) = told({"flags": ("saddle-numbness", "pop")})
    assert alert.advice[0].startswith("Get medical help now")
    assert headline(alert).startswith("Stop, and get medical help now")
    (other,) = told(FLAG)
    assert "medical help now" not in " ".join((headline(other), *other.advice))


def test_a_stop_is_told_with_each_new_flag_and_again_while_it_lasts() -> None:
    two = {"flags": ("numbness", "pop")}
    assert news(FLAG, FLAG, two, two) == [0, 2]
    assert news(*[FLAG] * 30) == [0, 14, 28]
    assert news(FLAG, CALM, FLAG) == [0, 2], "logged anew, it is new however short the while"
    assert news({**FLAG, "ack": True}, *[FLAG] * 29) == [0]
    assert news({**FLAG, "ack": True}, FLAG, two) == [0, 2]


def test_a_deload_that_lasts_is_told_again_after_two_weeks_unless_acknowledged() -> None:
    assert news(*[LOUD] * 29) == [0, 14, 28]
    assert news({**LOUD, "ack": True}, *[LOUD] * 28) == [0]


def test_an_acknowledged_alert_returns_only_when_it_worsens() -> None:
    seen = {**LOUD, "ack": True}
    assert news(seen, CALM, LOUD, CALM, {"u": 2.49}) == [0]
    assert news(seen, CALM, {"u": 2.51}) == [0, 2]
    assert news(seen, LOUD, FLAG) == [0, 2]
    assert news({"e": 1.4, "ack": True}, CALM, {"e": 1.4}, LOUD) == [0, 3], "caution was seen, deload was not"
    assert news(seen, {"e": 1.4}, CALM) == [0], "what is milder was seen with it"
    assert news(seen, *[CALM] * 14, LOUD) == [0, 15], "after two calm weeks it is another one"
    assert told(seen, LOUD)[1].is_acknowledged
    assert not told(seen, *[CALM] * 16)[-1].is_acknowledged


def test_acknowledging_a_deload_does_not_silence_what_it_is_not() -> None:
    assert news({**LOUD, "ack": True}, {"missing": 28}, *[{"missing": 28}] * 9)[1:] != []
    assert news({"curls": 0, "ack": True}, CALM, {"curls": 0}, LOUD) == [0, 3]


day = st.fixed_dictionaries(
    {},
    optional={
        "u": st.floats(0.2, 4),
        "e": st.floats(0.2, 3),
        "far": st.floats(0.5, 2.5),
        "flags": st.sampled_from([(), ("pop",), ("pop", "numbness")]),
        "tight": st.sampled_from([(None, None), (4, 4), (9, 9)]),
        "curls": st.sampled_from([0, 2]),
        "missing": st.sampled_from([0, 0, 1, 28]),
    },
)
ALARMS = (State.STOP, State.DELOAD, State.CAUTION)


def strength(alert: Alert) -> float:
    return max(
        (r.value / r.threshold for r in alert.reasons if r.state is State.DELOAD and r.value and r.threshold), default=0
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(day, min_size=2, max_size=25), st.integers(0, 23))
def test_after_an_acknowledgement_only_worse_is_told(days: Sequence[Says], at: int) -> None:
    at = min(at, len(days) - 2)
    marked = [{**says, "ack": True} if i == at else says for i, says in enumerate(days)]
    alerts = told(*marked)
    seen = alerts[at]
    if seen.state not in ALARMS:
        return
    flags = set(marked[at].get("flags", ()))
    last = at
    for index, alert in enumerate(alerts[at + 1 :], at + 1):
        if index - last > RULES.deload.continuation_days:
            break
        last = index if seriousness(alert.state) <= seriousness(seen.state) else last
        now = set(marked[index].get("flags", ()))
        before = set(marked[index - 1].get("flags", ()))
        if seen.state is State.STOP and alert.state is not State.STOP:
            continue
        if alert.is_new and alert.state in ALARMS:
            assert (
                seriousness(alert.state) < seriousness(seen.state)
                or strength(alert) > strength(seen)
                or not now <= before
                or not now <= flags
            )


@settings(max_examples=150, deadline=None)
@given(day, st.floats(1, 3))
def test_more_load_never_gives_a_milder_state(says: Says, factor: float) -> None:
    more = dict(says)
    for name in ("u", "e", "far"):
        if name in more:
            more[name] = float(more[name]) * factor
    milder, harder = (judge(a_day(**d), OwnHistory(), RULES)[0].state for d in (says, more))
    assert seriousness(harder) <= seriousness(milder)
