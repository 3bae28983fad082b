"""What is said: no one's own chance of injury, no missing number read out, nothing too long; each state's advice."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import DISCLAIMER, assess, curl_advice, headline, state_headline, wording
from hamload.advice.wording import LONGEST, count, day
from hamload.records import Alert, Confidence, CurlCheck, DayFacts, SeriesDay, SessionFact, State
from hamload.settings import defaults

RULES = defaults()[2]
FIRST = dt.date(2026, 1, 1)
FORBIDDEN = ("risk of", "probability", "% chance", "will get injured", "likely to", "odds")
READ_OUT = re.compile(r"\b(nan|None|inf|True|False|null)\b|-\d|\d{8,}|  |\{|\}")

number = st.one_of(st.none(), st.just(float("nan")), st.floats(0, 20))
label = st.sampled_from([True, False, None])


@st.composite
def a_year_of_anything(draw: st.DrawFn) -> list[DayFacts]:
    sessions: list[SessionFact] = []
    days = []
    for index in range(draw(st.integers(1, 12))):
        date = FIRST + dt.timedelta(days=index)
        sessions.extend(
            SessionFact(
                session_id=f"{index}-{hour}",
                start_at=dt.datetime.combine(date, dt.time(8 + hour), dt.UTC),
                local_date=date,
                title=draw(st.sampled_from(["", "Long run", "Lauf mit Hügeln und sehr viel Ausdauer " * 5, "a\n b"])),
                distance_m=draw(st.sampled_from([0.0, float("nan"), 5.0, 21_097.5, 100_000.0])),
                moving_time_s=draw(st.floats(1, 40_000)),
                load_efm=draw(st.floats(0, 900)),
                load_hill_efm=0.0,
                load_speed_efm=0.0,
                load_long_efm=0.0,
                load_base_efm=0.0,
                is_hill=draw(label),
                is_speed=draw(label),
                is_long=draw(label),
                is_heavy=draw(label),
                spike_distance=draw(number),
                spike_load=draw(number),
                confidence=draw(st.sampled_from(list(Confidence))),
            )
            for hour in range(draw(st.integers(0, 2)))
        )
        series = [
            SeriesDay(draw(number), draw(number), draw(number), draw(number), draw(number), draw(number), draw(number))
            for _ in range(2)
        ]
        days.append(
            DayFacts(
                date=date,
                is_known=draw(st.sampled_from([True, True, True, False])),
                unknown_days_28=draw(st.sampled_from([0, 0, 0, 1, 28])),
                history_days=draw(st.sampled_from([1, 27, 100, 100, 100])),
                days_since_run=draw(st.sampled_from([0, 0, 0, 1, 14, 400, None])),
                total=series[0],
                heavy=series[1],
                sessions=tuple(sessions),
                curl_sessions_10d=draw(st.sampled_from([None, 0, 1, 2])),
                is_returning=draw(st.sampled_from([False, False, True])),
            )
        )
    return days


def sentences(alert: Alert) -> list[str]:
    told = [headline(alert), *alert.advice, *(r.sentence for r in alert.reasons), *(r.evidence for r in alert.reasons)]
    told += [cause.sentence for reason in alert.reasons for cause in reason.causes]
    return told + ([alert.clears_when] if alert.clears_when else [])


@settings(max_examples=200, deadline=None)
@given(a_year_of_anything())
def test_no_sentence_reads_out_a_missing_number_or_a_chance_of_injury(days: list[DayFacts]) -> None:
    for alert in assess(days, RULES, "me"):
        for sentence in sentences(alert):
            assert sentence.strip() == sentence
            assert sentence
            assert not any(phrase in sentence.lower() for phrase in FORBIDDEN), sentence
            assert not READ_OUT.search(sentence), sentence
            assert len(sentence) <= LONGEST, (len(sentence), sentence)


def test_every_state_has_a_headline_that_begins_with_its_name() -> None:
    for state in State:
        told = state_headline(state)
        assert told.lower().startswith({"baseline": "building a baseline"}.get(state.value, state.value))
        assert len(told) <= LONGEST


def test_the_disclaimer_names_what_sends_one_to_a_clinician() -> None:
    for sign in ("not medical advice", "sharp pain", "bruising", "numbness", "night", "clinician"):
        assert sign in DISCLAIMER
    assert len(DISCLAIMER) <= LONGEST


def test_days_and_counts_are_in_english_on_every_machine() -> None:
    assert day(dt.date(2026, 5, 31)) == "Sunday 31 May"
    assert [count(n, "day") for n in (0, 1, 2)] == ["no day", "1 day", "2 days"]


A_BLANK = SeriesDay(None, None, None, None, None, None)
TODAY = DayFacts(
    FIRST, is_known=True, unknown_days_28=0, history_days=99, days_since_run=0, total=A_BLANK, heavy=A_BLANK
)


def test_curls_in_a_deload_wait_for_72_hours_and_are_then_halved_at_most() -> None:
    for days, expected in ((0, "Sunday 4 January"), (1, "Saturday 3 January"), (2, "Friday 2 January")):
        told, later = curl_advice(State.DELOAD, TODAY, RULES, days)
        assert told == f"Curls: none are added in the first 72 hours of a deload, that is through {expected}."
        assert later.startswith("Curls after that, if all feels well: at most 50 %")
    for days in (3, 30):
        (told,) = curl_advice(State.DELOAD, TODAY, RULES, days)
        assert "at most 50 %" in told
        assert "More only once this deload has cleared" in told


@pytest.mark.parametrize("done", [None, 0])
def test_building_begins_with_the_smallest_dose_and_says_what_is_not_known(done: int | None) -> None:
    told = " ".join(curl_advice(State.BUILD, replace(TODAY, curl_sessions_10d=done), RULES))
    for part in (
        "once or twice a week",
        "at least 72 hours apart",
        "after an easy run",
        "No hills, speed or long run in the 48 hours after",
        "1 x 5",
        "8/10 effort, never 10/10",
        "soreness one or two days later is a good sign",
        "instead of stretching harder",
        "60 % of the last dose",
        "Nothing published tests ball curls for chronic tightness",
    ):
        assert part in told


def test_who_has_begun_is_not_told_to_begin() -> None:
    told = " ".join(curl_advice(State.BUILD, replace(TODAY, curl_sessions_10d=1), RULES))
    assert "1 x 5" not in told
    assert "never 10/10" in told


def test_no_state_but_build_and_steady_invites_more_curls_and_stop_withholds_all() -> None:
    assert curl_advice(State.STOP, TODAY, RULES) == ()
    for state in (State.CAUTION, State.UNKNOWN, State.BASELINE, State.RETURNING):
        (told,) = curl_advice(state, TODAY, RULES)
        assert "once or twice" not in told


@pytest.mark.parametrize("state", [State.DELOAD, State.CAUTION, State.BUILD, State.STEADY, State.RETURNING])
def test_what_the_runner_felt_takes_the_place_of_the_states_own_word_on_curls(state: State) -> None:
    usual = curl_advice(state, TODAY, RULES)
    for check, words in (
        (CurlCheck.CLINICIAN, wording.curls_unsettled(RULES.curls.sore_clinician_days)),
        (CurlCheck.MASSAGE, wording.massage_first(RULES.curls.massages, 1)),
    ):
        assert curl_advice(state, replace(TODAY, curl_check=check, massages=1), RULES) == (words,)
    told = curl_advice(state, replace(TODAY, curl_check=CurlCheck.CUT), RULES)
    assert told == (usual if state is State.DELOAD else (wording.curls_cut(RULES.curls.cut_factor),))
    for check in CurlCheck:
        assert curl_advice(State.STOP, replace(TODAY, curl_check=check), RULES) == ()
