"""The curl programme step by step: every rule of section 7 of the load model, at its line and beside it."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import CurlFacts, CurlPlan, CurlSession, Dose, curl_plan
from hamload.advice.progression import Stage, curl_checks, is_chronic, next_step, scaled
from hamload.records import CurlCheck, State
from hamload.settings import defaults

RULES = defaults()[2]
CURLS = RULES.curls
TODAY = dt.date(2026, 6, 3)  # a Wednesday
CALM = CurlFacts(TODAY, State.BUILD, TODAY - dt.timedelta(days=20))


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def done(*sessions: tuple[int, Dose, float | None], soreness: dict[int, float] | None = None) -> CurlFacts:
    """Return a runner who did these curls, each as (days ago, dose, effort), and logged this soreness by days ago."""
    curls = tuple(CurlSession(ago(days), dose, rpe, State.STEADY) for days, dose, rpe in sessions)
    return replace(CALM, sessions=curls, soreness={ago(days): level for days, level in (soreness or {}).items()})


def dose_of(facts: CurlFacts) -> Dose:
    plan = curl_plan(facts, RULES)
    assert plan.dose is not None, plan
    return plan.dose


#: Two sessions, eight and four days ago, each a day later at this soreness.
def twice(dose: Dose, rpe: float | None = 8, sore: float | None = 2) -> CurlFacts:
    felt = {} if sore is None else {7: sore, 6: 0.0, 3: sore, 2: 0.0}
    return done((8, dose, rpe), (4, dose, rpe), soreness=felt)


def test_the_ladder_from_the_first_dose_to_the_last() -> None:
    steps = [Dose(1, 5)]
    while (step := next_step(steps[-1], CURLS)) is not None:
        steps.append(step)
    shown = [f"{d.sets}x{d.repetitions}{'s' if d.is_single_leg else ''}{d.lowering_s or ''}" for d in steps]
    assert shown == (
        "1x5 2x5 2x7 2x9 2x11 2x13 2x15 2x153 2x154 2x5s 2x7s 2x9s 2x11s 2x13s 2x15s".split()  # noqa: SIM905
    )


def test_who_has_done_none_begins_with_one_set_of_five() -> None:
    plan = curl_plan(CALM, RULES)
    assert (plan.stage, plan.dose) == (Stage.START, Dose(1, 5))


@pytest.mark.parametrize("dose", [Dose(1, 5), Dose(2, 5), Dose(2, 13), Dose(2, 15), Dose(2, 15, 3), Dose(2, 15, 4)])
def test_two_good_sessions_lead_one_step_up(dose: Dose) -> None:
    assert dose_of(twice(dose)) == next_step(dose, CURLS)


@pytest.mark.parametrize(
    ("rpe", "sore", "stage", "dose"),
    [
        (8, 0, Stage.BUILD, Dose(2, 10)),
        (8, 3, Stage.BUILD, Dose(2, 10)),
        (8, 3.5, Stage.HOLD, Dose(2, 8)),
        (8.5, 2, Stage.HOLD, Dose(2, 8)),
        (9, 2, Stage.HOLD, Dose(2, 8)),
        (9.5, 2, Stage.HOLD, Dose(2, 8)),
        (10, 2, Stage.CUT, Dose(2, 5)),
        (8, 4, Stage.HOLD, Dose(2, 8)),
        (8, 5.5, Stage.HOLD, Dose(2, 8)),
        (8, 6, Stage.CUT, Dose(2, 5)),
        (None, 2, Stage.HOLD, Dose(2, 8)),
        (8, None, Stage.HOLD, Dose(2, 8)),
    ],
)
def test_effort_and_soreness_at_their_lines(rpe: float | None, sore: float | None, stage: Stage, dose: Dose) -> None:
    plan = curl_plan(twice(Dose(2, 8), rpe, sore), RULES)
    assert (plan.stage, plan.dose) == (stage, dose)


def test_one_good_session_is_not_two() -> None:
    facts = done((8, Dose(2, 5), 8), (4, Dose(2, 7), 8), soreness={6: 0, 2: 0})
    assert dose_of(facts) == Dose(2, 7)


@pytest.mark.parametrize(
    ("days_after", "stage"), [(2, Stage.HOLD), (3, Stage.HOLD), (4, Stage.CUT), (6, Stage.CUT), (7, Stage.CLINICIAN)]
)
def test_soreness_must_be_gone_by_72_hours(days_after: int, stage: Stage) -> None:
    facts = done((12, Dose(2, 8), 8), (8, Dose(2, 8), 8), soreness={11: 1, 10: 0, 7: 1, 8 - days_after: 1})
    assert curl_plan(facts, RULES).stage is stage


def test_soreness_that_settles_ends_the_clinicians_case() -> None:
    facts = done((8, Dose(2, 8), 8), soreness={7: 2, 1: 2})
    plan = curl_plan(facts, RULES)
    assert (plan.stage, plan.dose, plan.dates) == (Stage.CLINICIAN, None, ())
    settled = replace(facts, soreness={**facts.soreness, TODAY: 0.0})
    assert curl_plan(settled, RULES).dose is not None


def test_sorer_each_time_is_too_much_even_where_each_is_little() -> None:
    facts = done((12, Dose(2, 8), 8), (8, Dose(2, 8), 8), (4, Dose(2, 8), 8), soreness={11: 1, 7: 2, 3: 3})
    plan = curl_plan(facts, RULES)
    assert (plan.stage, plan.dose) == (Stage.CUT, Dose(2, 5))
    settled = {**facts.soreness, ago(2): 0.0}
    assert curl_plan(replace(facts, soreness=settled), RULES).stage is Stage.CUT
    assert curl_plan(replace(facts, soreness={**settled, ago(7): 3.0}), RULES).stage is Stage.BUILD


def test_after_too_much_one_session_is_left_out() -> None:
    facts = done((1, Dose(2, 8), 10))
    assert curl_plan(facts, RULES).dates[0] == ago(1) + dt.timedelta(days=6)
    assert curl_plan(done((1, Dose(2, 8), 9)), RULES).dates[0] == ago(1) + dt.timedelta(days=3)


@pytest.mark.parametrize(
    ("days", "dose"),
    [(13, Dose(2, 10)), (14, Dose(2, 6)), (55, Dose(2, 6)), (56, Dose(1, 5))],
)
def test_a_pause_costs_dose(days: int, dose: Dose) -> None:
    """2x10 eight weeks ago: from the first dose; two weeks ago: 60 %, 12 of 20."""
    assert dose_of(done((days, Dose(2, 10), 8))) == dose


@pytest.mark.parametrize(
    ("dose", "factor", "less"),
    [
        (Dose(2, 8), 0.7, Dose(2, 5)),
        (Dose(2, 5), 0.7, Dose(1, 7)),
        (Dose(1, 5), 0.7, Dose(1, 3)),
        (Dose(1, 1), 0.5, Dose(1, 1)),
        (Dose(2, 15, 4), 0.5, Dose(2, 7, 4)),
        (Dose(2, 10), 0.5, Dose(2, 5)),
    ],
)
def test_less_is_never_more_than_its_share(dose: Dose, factor: float, less: Dose) -> None:
    assert scaled(dose, factor, CURLS) == less


def test_a_deload_postpones_halves_and_never_adds() -> None:
    facts = replace(twice(Dose(2, 10)), state=State.DELOAD, state_since=ago(1))
    plan = curl_plan(facts, RULES)
    assert (plan.stage, plan.dose) == (Stage.HALVED, Dose(2, 5))
    assert plan.dates[0] == ago(1) + dt.timedelta(days=4), "not through the third day"
    later = replace(facts, state_since=ago(9))
    assert curl_plan(later, RULES).dates[0] == TODAY


def test_halved_curls_in_a_deload_do_not_set_the_programme_back() -> None:
    before = CurlSession(ago(9), Dose(2, 10), 8, State.STEADY)
    halved = CurlSession(ago(4), Dose(2, 5), 6, State.DELOAD)
    facts = replace(CALM, sessions=(before, halved), soreness={ago(8): 1.0, ago(3): 0.0})
    assert dose_of(facts) == Dose(2, 10)


@pytest.mark.parametrize("state", [State.CAUTION, State.RETURNING, State.UNKNOWN, State.BASELINE])
def test_outside_calm_weeks_nothing_is_added_and_nothing_begun(state: State) -> None:
    assert dose_of(replace(twice(Dose(2, 8)), state=state)) == Dose(2, 8)
    assert curl_plan(replace(CALM, state=state), RULES).stage is Stage.WAIT


def test_a_red_flag_withholds_everything() -> None:
    for facts in (replace(twice(Dose(2, 8)), has_red_flag=True), replace(CALM, state=State.STOP)):
        plan = curl_plan(facts, RULES)
        assert (plan.stage, plan.dose, plan.dates, plan.notes) == (Stage.WITHHELD, None, (), ())


def test_massage_comes_first_where_tightness_is_chronic_and_ends_with_three() -> None:
    tight = replace(CALM, tightness={ago(20): 4.0, ago(10): 5.0, ago(1): 4.0})
    assert curl_plan(tight, RULES).stage is Stage.MASSAGE
    assert curl_plan(replace(tight, massages=(ago(9), ago(5))), RULES).stage is Stage.MASSAGE
    assert curl_plan(replace(tight, massages=(ago(9), ago(5), ago(2))), RULES).stage is Stage.START
    assert curl_plan(replace(tight, tightness={ago(20): 4.0, ago(1): 9.0}), RULES).stage is Stage.START, "two entries"
    assert curl_plan(replace(tight, tightness={ago(20): 3.0, ago(10): 3.0, ago(1): 9.0}), RULES).stage is Stage.START
    begun = replace(tight, sessions=(CurlSession(ago(4), Dose(1, 5), 7),))
    assert curl_plan(begun, RULES).dose is not None, "who has begun goes on"


def test_what_a_watch_cannot_know_is_taken_from_what_was_due() -> None:
    """2x15 was due with a lowering of 3 s, and the watch counted 2x15."""
    felt = dict.fromkeys((16, 12, 8, 4), 0.0)
    sessions = [(18, Dose(2, 15), 8.0), (14, Dose(2, 15), 8.0), (10, Dose(2, 15), 8.0), (6, Dose(2, 15), 8.0)]
    assert dose_of(done(*sessions, soreness=felt)) == Dose(2, 15, 4)


def test_after_the_last_step_once_a_week_is_enough() -> None:
    plan = curl_plan(twice(Dose(2, 15, None, is_single_leg=True)), RULES)
    assert plan.stage is Stage.MAINTAIN
    assert [(b - a).days for a, b in zip(plan.dates, plan.dates[1:], strict=False)] == [7]


def test_days_keep_clear_of_hard_running() -> None:
    """Hard on Wednesday and Sunday, easy on Monday, Thursday and Saturday: Thursday leaves 48 h, Saturday does not."""
    facts = replace(CALM, run_days=frozenset({0, 2, 3, 5, 6}), heavy_days=frozenset({2, 6}))
    assert [d.weekday() for d in curl_plan(facts, RULES).dates] == [3, 3]
    assert [d.weekday() for d in curl_plan(replace(facts, heavy_days=frozenset({2})), RULES).dates] == [3, 6, 3, 6]


def test_of_free_days_the_one_with_a_run_is_taken_where_it_costs_no_more_than_two_days() -> None:
    """Hard on Saturday, easy on Tuesday: from Sunday on they wait for Tuesday; today, a Wednesday, no run is near."""
    facts = replace(CALM, run_days=frozenset({1, 4, 5}), heavy_days=frozenset({5}))
    assert curl_plan(facts, RULES).dates == (TODAY, dt.date(2026, 6, 9), dt.date(2026, 6, 16))
    without_tuesday = replace(facts, run_days=frozenset({4, 5}))
    assert [d.weekday() for d in curl_plan(without_tuesday, RULES).dates] == [2, 6, 2, 6]


def test_a_dose_that_stays_says_from_which_effort_and_soreness_on() -> None:
    (reason,) = curl_plan(twice(Dose(2, 8), rpe=9), RULES).reasons
    assert "effort above 8, or soreness above 3" in reason
    milder = replace(RULES, curls=replace(CURLS, max_rpe=7, sore_good=2))
    (reason,) = curl_plan(twice(Dose(2, 8), rpe=7.5), milder).reasons
    assert "effort above 7, or soreness above 2" in reason


def test_where_hard_days_leave_no_room_the_runner_is_told() -> None:
    facts = replace(CALM, heavy_days=frozenset({1, 3, 5}))
    plan = curl_plan(facts, RULES)
    assert any("no 48 hours free" in reason for reason in plan.reasons)
    assert {d.weekday() for d in plan.dates} <= {6}, "Sunday alone has one free day after it"


@pytest.mark.parametrize(
    ("felt", "stage"),
    [
        # a day later alone says nothing of the second day, nor of the third
        ({7: 1, 3: 1}, Stage.HOLD),
        ({7: 0, 3: 0}, Stage.HOLD),
        # two days later it was little, and whether it went is not known
        ({6: 2, 2: 2}, Stage.HOLD),
        # gone on the third day, and how it was on the second is not known
        ({5: 0, 1: 0}, Stage.HOLD),
        ({6: 2, 5: 0, 2: 3, 1: 0}, Stage.BUILD),
        ({6: 0, 2: 0}, Stage.BUILD),
    ],
)
def test_good_is_what_was_felt_at_48_hours_and_gone_by_72(felt: dict[int, float], stage: Stage) -> None:
    plan = curl_plan(done((8, Dose(2, 8), 8), (4, Dose(2, 8), 8), soreness=felt), RULES)
    assert plan.stage is stage
    assert plan.dose == (Dose(2, 10) if stage is Stage.BUILD else Dose(2, 8))


def test_more_curls_do_not_hide_soreness_that_does_not_settle() -> None:
    every_third = tuple((days, Dose(2, 8), 8.0) for days in range(28, 0, -3))
    facts = done(*every_third, soreness=dict.fromkeys(range(28), 5.0))
    assert curl_plan(facts, RULES).stage is Stage.CLINICIAN
    one_more = done((12, Dose(2, 5), 7.0), (1, Dose(2, 5), 7.0), soreness=dict.fromkeys((10, 8, 6, 4, 3), 5.0))
    assert curl_plan(one_more, RULES).stage is Stage.CLINICIAN, "an open case ends with a 0 alone"
    over = replace(one_more, soreness={**one_more.soreness, TODAY: 0.0})
    assert curl_plan(over, RULES).dose is not None


def test_none_on_the_first_day_does_not_settle_what_comes_after_it() -> None:
    facts = done((13, Dose(2, 8), 8), soreness={12: 0, **dict.fromkeys(range(12), 5.0)})
    assert curl_plan(facts, RULES).stage is Stage.CLINICIAN


def test_soreness_that_went_each_time_or_came_late_is_no_clinicians_case() -> None:
    each = done((12, Dose(2, 8), 8), (8, Dose(2, 8), 8), (4, Dose(2, 8), 8), soreness={11: 2, 7: 2, 3: 2})
    assert curl_plan(each, RULES).stage is not Stage.CLINICIAN, "what was not logged in between is not known"
    late = done((12, Dose(2, 8), 8), soreness={10: 0, 9: 0, 3: 2, 1: 2})
    assert curl_plan(late, RULES).stage is not Stage.CLINICIAN


@pytest.mark.parametrize("state", [State.CAUTION, State.RETURNING, State.UNKNOWN, State.DELOAD])
def test_a_single_leg_is_a_step_up_though_it_is_fewer_repetitions(state: State) -> None:
    plan = curl_plan(replace(twice(Dose(2, 15, 4)), state=state, state_since=ago(9)), RULES)
    assert plan.dose == (Dose(2, 7, 4) if state is State.DELOAD else Dose(2, 15, 4))


@pytest.mark.parametrize(
    ("did", "due"),
    [
        (Dose(10, 50), Dose(2, 15)),
        (Dose(3, 10), Dose(2, 15)),
        (Dose(3, 5), Dose(2, 7)),
        (Dose(2, 20), Dose(2, 15)),
        (Dose(1, 20), Dose(1, 15)),
    ],
)
def test_more_than_the_programme_asks_is_no_step_up(did: Dose, due: Dose) -> None:
    plan = curl_plan(twice(did, sore=0), RULES)
    assert (plan.stage, plan.dose) == (Stage.HOLD, due)
    assert not any("step up" in reason for reason in plan.reasons)


@pytest.mark.parametrize(
    ("did", "due"), [(Dose(1, 5), Dose(2, 5)), (Dose(1, 7), Dose(2, 5)), (Dose(1, 12), Dose(2, 7))]
)
def test_the_second_set_does_not_double_a_long_first_one(did: Dose, due: Dose) -> None:
    assert next_step(did, CURLS) == due


doses = st.builds(Dose, st.integers(1, 3), st.integers(1, 20), st.sampled_from([None, 3, 4]), st.booleans())
sessions = st.lists(
    st.tuples(st.integers(0, 90), doses, st.one_of(st.none(), st.integers(1, 10))),
    max_size=12,
    unique_by=lambda s: s[0],
)
felt = st.dictionaries(st.integers(0, 90), st.sampled_from([0.0, 1.0, 2.0, 4.0, 6.0]), max_size=20)
weekdays = st.frozensets(st.integers(0, 6), max_size=4)


@settings(max_examples=200, deadline=None)
@given(sessions, felt, st.sampled_from(list(State)), st.integers(0, 20), weekdays, weekdays)
def test_whatever_was_done_the_plan_keeps_its_own_rules(
    told: list[tuple[int, Dose, int | None]],
    sore: dict[int, float],
    state: State,
    since: int,
    heavy: frozenset[int],
    run: frozenset[int],
) -> None:
    told = sorted(told, reverse=True)
    facts = replace(done(*told, soreness=sore), state=state, state_since=ago(since), heavy_days=heavy, run_days=run)
    plan: CurlPlan = curl_plan(facts, RULES)
    assert plan.reasons
    assert (plan.dose is None) == (not plan.dates) or not plan.dates
    if state is State.STOP:
        assert plan.dose is None
    for a, b in zip(plan.dates, plan.dates[1:], strict=False):
        assert (b - a).days >= 3
    for a, b in zip(plan.dates, plan.dates[2:], strict=False):
        assert (b - a).days >= 7
    for day in plan.dates:
        assert TODAY <= day < TODAY + dt.timedelta(days=14)
        assert day.weekday() not in heavy
        assert (day.weekday() + 1) % 7 not in heavy
        if told:
            assert (day - ago(told[-1][0])).days >= 3
        if state is State.DELOAD:
            assert day > ago(since) + dt.timedelta(days=3)
    if told and plan.dose is not None:
        last = told[-1][1]
        if state in {State.DELOAD, State.CAUTION, State.UNKNOWN, State.RETURNING, State.BASELINE}:
            assert plan.dose.total <= max(last.total, 5)
        else:
            step = next_step(last, CURLS)
            assert plan.dose.total <= max(last.total, step.total if step else 0, 5)


def test_a_plan_says_why_what_is_next_and_what_it_is_not(subtests: pytest.Subtests) -> None:
    plans = {
        "begins": curl_plan(CALM, RULES),
        "one step up": curl_plan(twice(Dose(2, 7)), RULES),
        "holds": curl_plan(twice(Dose(2, 7), rpe=9.5), RULES),
        "waits": curl_plan(replace(CALM, state=State.CAUTION), RULES),
    }
    for name, plan in plans.items():
        with subtests.test(name):
            assert plan.reasons
            assert all(str(reason).strip() for reason in plan.reasons)
            assert plan.notes
            assert all(str(note).strip() for note in plan.notes)


def test_chronic_tightness_is_of_the_last_four_weeks_today_included() -> None:
    days = CURLS.chronic_days
    level = CURLS.chronic_tightness
    tight = {ago(n): level for n in (0, 5, days - 1)}
    assert len(tight) == CURLS.chronic_entries
    assert is_chronic(tight, TODAY, CURLS)
    assert not is_chronic({ago(n): level for n in (0, 5, days)}, TODAY, CURLS)
    assert not is_chronic({ago(n): level for n in (-1, 0, 5)}, TODAY, CURLS)
    assert not is_chronic(dict.fromkeys(tight, level - 0.5), TODAY, CURLS)


@pytest.mark.parametrize(("first", "each"), [(Dose(1, 5), 5), (Dose(1, 11), 6), (Dose(1, 12), 7), (Dose(1, 14), 8)])
def test_a_second_set_shares_the_first_one_and_one_more(first: Dose, each: int) -> None:
    assert next_step(first, CURLS) == Dose(2, each)


def test_each_days_check_is_what_was_known_at_its_end() -> None:
    good = twice(Dose(2, 7))
    assert curl_checks(good, [ago(9), ago(3), TODAY], CURLS) == [(None, 0)] * 3
    tight = replace(CALM, tightness={ago(n): 6.0 for n in (1, 2, 3)})
    assert curl_checks(tight, [ago(2), ago(1), TODAY], CURLS) == [
        (None, 0),
        (CurlCheck.MASSAGE, 0),
        (CurlCheck.MASSAGE, 0),
    ]
    massaged = replace(tight, massages=(ago(3), ago(2), ago(1)))
    assert curl_checks(massaged, [ago(2), ago(1), TODAY], CURLS) == [(None, 2), (None, 3), (None, 3)]
    assert curl_checks(replace(tight, massages=(ago(1),)), [ago(1)], CURLS) == [(CurlCheck.MASSAGE, 1)]
    unsettled = done((8, Dose(2, 8), 8), soreness={7: 2, 1: 2})
    assert curl_checks(unsettled, [ago(7), TODAY], CURLS) == [(None, 0), (CurlCheck.CLINICIAN, 0)]
    assert curl_checks(twice(Dose(2, 8), rpe=10), [TODAY], CURLS) == [(CurlCheck.CUT, 0)]
