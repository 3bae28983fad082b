"""The deload week: the budget honours its own limits when projected forward, and is not cut twice."""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import assess, deload_advice, deload_plan, rest_of_plan
from hamload.advice.deload import Wishes, longest_run_m
from hamload.parameters import AlertRules
from hamload.records import DayFacts, DeloadPlan, SeriesDay, SessionFact
from hamload.settings import defaults

RULES = defaults()[2]
START = dt.date(2026, 6, 3)  # a Wednesday
A_BLANK = SeriesDay(None, None, None, None, None, None)


def projected(loads: list[float], coming: Sequence[float]) -> tuple[float, float, float]:
    """Return uncoupled, EWMA and the cut after these days; written anew from the model's section 4."""
    after = np.array([*loads, *coming])
    uncoupled = after[-7:].mean() / after[-28:-7].mean() if after[-28:-7].any() else np.inf * after[-7:].sum()
    means = []
    for n in (7, 28):
        mean = after[0]
        for load in after[1:]:
            mean = load * 2 / (n + 1) + mean * (1 - 2 / (n + 1))
        means.append(mean)
    return float(np.nan_to_num(uncoupled)), means[0] / means[1], 1 - sum(coming) / sum(loads[-7:])


def days_of(plan: DeloadPlan) -> list[int]:
    return [day.limit_efm for day in plan.days]


loads = st.lists(st.one_of(st.just(0.0), st.floats(1, 200)), min_size=28, max_size=90).filter(lambda x: sum(x[-7:]) > 0)
sizes = st.lists(st.floats(1, 200), max_size=6)


@settings(max_examples=200, deadline=None)
@given(loads, sizes, st.one_of(st.none(), st.floats(1, 200)), st.sets(st.integers(1, 7)))
def test_the_plan_never_breaks_its_own_limits(
    history: list[float], runs: list[float], high: float | None, off: set[int]
) -> None:
    sessions = tuple(a_run(START - dt.timedelta(days=3 * i), load_efm=load) for i, load in enumerate(runs))
    away = frozenset(START + dt.timedelta(days=d) for d in off)
    facts = replace(a_day(START, *sessions), high_load_efm=high)
    plan = deload_plan(facts, history, RULES, with_ratios=True, wishes=Wishes(off=away))
    assert plan is not None
    assert plan.total_efm == sum(days_of(plan))
    uncoupled, ewma, cut = projected(history, days_of(plan))
    assert cut >= 0.30 - 1e-6
    if plan.is_reachable:
        assert uncoupled <= 1.44 + 1e-6
        assert ewma <= 1.30 + 1e-6
    else:
        assert plan.total_efm == 0
        rest = projected(history, [0.0] * 7)
        assert rest[0] > 1.44 or rest[1] > 1.30
    for index, day in enumerate(plan.days):
        assert day.date not in away or day.limit_efm == 0
        assert not runs or day.limit_efm <= 1.10 * max(runs) + 1e-6
        assert day.is_quiet == (index < 3)
        assert high is None or not day.is_quiet or day.limit_efm < high


@settings(max_examples=100, deadline=None)
@given(loads)
def test_what_the_plan_says_it_leads_to_is_what_it_leads_to(history: list[float]) -> None:
    plan = deload_plan(a_day(START), history, RULES, with_ratios=True)
    assert plan is not None
    for told, coming in (
        ((plan.uncoupled, plan.ewma), days_of(plan)),
        ((plan.uncoupled_without, plan.ewma_without), history[-7:]),
    ):
        uncoupled, ewma, _ = projected(history, coming)
        assert told[1] == pytest.approx(ewma)
        if told[0] is not None:
            assert told[0] == pytest.approx(uncoupled)


SMALL = replace(
    RULES,
    plan=replace(RULES.plan, days=4),
    windows=replace(RULES.windows, acute_days=4, chronic_days=9),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 6).map(float), min_size=9, max_size=14).filter(lambda x: sum(x[-4:]) > 0),
    st.lists(st.integers(1, 5).map(float), min_size=1, max_size=3),
    st.sets(st.integers(1, 4), max_size=2),
    st.sampled_from([1.05, 1.3, 2.0]),
    st.sampled_from([0.6, 1.0, 1.44]),
)
def test_no_plan_of_all_that_there_are_is_larger(
    history: list[float], runs: list[float], off: set[int], ewma: float, uncoupled: float
) -> None:
    """Every way of putting whole EFM on four days is tried: the planner's total is the largest that fits."""
    rules = replace(SMALL, deload=replace(SMALL.deload, clear_ewma=ewma, clear_uncoupled=uncoupled))
    facts = a_day(START, *(a_run(START - dt.timedelta(days=i), load_efm=load) for i, load in enumerate(runs)))
    away = frozenset(START + dt.timedelta(days=d) for d in off)
    plan = deload_plan(facts, history, rules, with_ratios=True, wishes=Wishes(off=away))
    assert plan is not None
    most = int(1.10 * max(runs) + 1e-9)
    best = None
    for coming in itertools.product(*(range(1 if d in off else most + 1) for d in range(1, 5))):
        after = [*history, *coming]
        acute, before = sum(after[-4:]) / 4, sum(after[-9:-4]) / 5
        means = []
        for n in (4, 9):
            mean = after[0]
            for load in after[1:]:
                mean += (load - mean) * 2 / (n + 1)
            means.append(mean)
        if (
            acute <= uncoupled * before + 1e-9
            and means[0] <= ewma * means[1] + 1e-9
            and sum(coming) <= 0.7 * sum(history[-4:]) + 1e-9
            and sum(coming) <= 4 * sum(history[-9:]) / 9 + 1e-9
        ):
            best = sum(coming) if best is None else max(best, sum(coming))
    assert (plan.total_efm if plan.is_reachable else None) == best


def test_a_race_gets_what_a_day_may_hold_and_two_quiet_days_before_it() -> None:
    runs = [a_run(START - dt.timedelta(days=d), load_efm=load) for d, load in ((1, 40.0), (3, 60.0), (8, 100.0))]
    facts = replace(a_day(START, *runs), high_load_efm=50.0)
    race = START + dt.timedelta(days=7)
    plan = deload_plan(facts, [60.0] * 60, RULES, with_ratios=True, wishes=Wishes(race=race))
    assert plan is not None
    assert plan.days[-1].limit_efm == 110
    assert [day.is_quiet for day in plan.days] == [True, True, True, False, True, True, False]
    assert max(day.limit_efm for day in plan.days[:-1] if day.is_quiet) < 50
    assert plan.total_efm == 294


def test_the_runner_s_usual_days_come_first() -> None:
    """Monday, Wednesday and Saturday for four weeks: what fits on them lies there."""
    start = dt.date(2026, 6, 7)  # a Sunday
    runs = [a_run(start - dt.timedelta(days=7 * w + d), load_efm=60.0) for w in range(4) for d in (1, 4, 6)]
    plan = deload_plan(a_day(start, *runs), [180 / 7] * 60, RULES, with_ratios=True)
    assert plan is not None
    assert days_of(plan) == [42, 0, 42, 0, 0, 42, 0]


def test_without_a_deload_the_plan_is_the_room_that_the_ratios_leave() -> None:
    """60 days of 50: the week may hold 1.44 times 350, and no day more than 1.10 times the largest run."""
    facts = a_day(START, *(a_run(START - dt.timedelta(days=d), load_efm=80.0) for d in (1, 8, 15)))
    plan = deload_plan(facts, [50.0] * 60, RULES, with_ratios=True, is_deload=False)
    assert plan is not None
    assert plan.total_efm == 504
    assert max(days_of(plan)) <= 88
    assert not any(day.is_quiet for day in plan.days)


@settings(max_examples=60, deadline=None)
@given(loads)
def test_the_room_of_a_week_is_no_deload_on_any_day_of_it(history: list[float]) -> None:
    sessions = tuple(a_run(START - dt.timedelta(days=3 * i), load_efm=90.0) for i in range(6))
    plan = deload_plan(a_day(START, *sessions), history, RULES, with_ratios=True, is_deload=False)
    assert plan is not None
    for day in range(1, 8):
        uncoupled, ewma, _ = projected(history, days_of(plan)[:day])
        rest_uncoupled, rest_ewma, _ = projected(history, [0.0] * day)
        if max(rest_uncoupled / 1.8, rest_ewma / 1.5) <= 1:
            assert uncoupled <= 1.8 + 1e-6
            assert ewma <= 1.5 + 1e-6


def test_the_future_without_a_plan_is_a_whole_week_on_every_day_of_it() -> None:
    """Six days of 50 after one of 200: run once more, the week with the 200 is what comes."""
    history = [50.0] * 60
    facts = a_day(START, *(a_run(START - dt.timedelta(days=d), load_efm=50.0) for d in range(6)))
    plan = deload_plan(facts, history, RULES, with_ratios=True)
    assert plan is not None
    later = [*history[:-6], 200.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0]
    rest = rest_of_plan(plan, replace(facts, date=START + dt.timedelta(days=1)), later, RULES)
    assert rest is not None
    assert rest.uncoupled_without == pytest.approx(projected(later, later[-7:])[0])


def test_a_budget_known_by_hand() -> None:
    """28 days of 50, then 7 of 100 (coupled 1.60, uncoupled 2.00, EWMA 1.34).

    The cut allows 490, a mean week of the last 28 days (3 x 350 + 700) / 4 = 437.5. Uncoupled on
    day 7 compares with 14 days of 50 and 7 of 100, mean 66.67: 7 x 1.44 x 66.67 = 672.
    EWMA: acute 93.33 -> 12.46 + 0.8665 x, chronic 69.70 -> 42.27 + 0.3936 x, so x <= 119. The mean week is the least.
    """
    plan = deload_plan(a_day(START), [50.0] * 28 + [100.0] * 7, RULES, with_ratios=True)
    assert plan is not None
    assert plan.total_efm == pytest.approx(437)
    assert (plan.start, plan.end, plan.last_efm) == (START, dt.date(2026, 6, 10), 700)
    assert plan.uncoupled == pytest.approx((437 / 7) / (200 / 3))


def test_after_weeks_of_little_the_ratio_is_what_limits_the_budget() -> None:
    """28 days of 10, then 7 of 100: 21 days before the plan's end hold 14 x 10 + 7 x 100, mean 40: x <= 57.6, not 70.

    EWMA: acute 87.99 -> 11.74 + 0.8665 x; chronic 45.51 -> 27.59 + 0.3936 x; 1.3 times that: x <= 68.0. The mean week,
    227.5, is the least of all, and is left out here.
    """
    rules = replace(RULES, plan=replace(RULES.plan, max_usual=2.0))
    plan = deload_plan(a_day(START), [10.0] * 28 + [100.0] * 7, rules, with_ratios=True)
    assert plan is not None
    assert plan.total_efm == 403, "7 x 57.6 = 403.2"


def test_where_even_rest_is_not_enough_the_plan_says_so() -> None:
    impatient = replace(RULES, deload=replace(RULES.deload, clear_ewma=0.1))
    plan = deload_plan(a_day(START), [10.0] * 28 + [100.0] * 7, impatient, with_ratios=True)
    assert plan is not None
    assert (plan.total_efm, plan.is_reachable) == (0, False)
    told = deload_advice(a_day(START), impatient, plan)
    assert told[0] == "Rest from running in the next 7 days, through Wednesday 10 June."
    assert told[1].startswith("Even without any running")
    assert not any("No run longer" in sentence for sentence in told)


def test_without_ratios_only_the_cut_is_solved() -> None:
    plan = deload_plan(a_day(START), [0.0] * 21 + [40.0] * 7, RULES, with_ratios=False)
    assert plan is not None
    assert plan.total_efm == pytest.approx(196)
    assert (plan.uncoupled, plan.ewma) == (None, None)


@pytest.mark.parametrize(
    ("history", "with_ratios"),
    [
        ([50.0] * 27, True),
        ([50.0] * 20 + [None] + [50.0] * 27, True),
        ([50.0] * 6, False),
        ([50.0] * 30 + [None], False),
    ],
)
def test_unknown_days_give_no_number(history: list[float | None], with_ratios: bool) -> None:  # noqa: FBT001
    assert deload_plan(a_day(START), history, RULES, with_ratios=with_ratios) is None
    told = deload_advice(a_day(START), RULES, None)
    assert told[0].startswith("How much to cut cannot be said in numbers")


def test_days_before_an_unknown_one_have_no_part_in_the_plan() -> None:
    known = [50.0] * 28 + [100.0] * 7
    assert deload_plan(a_day(START), [999.0, None, *known], RULES, with_ratios=True) == deload_plan(
        a_day(START), known, RULES, with_ratios=True
    )


def a_run(date: dt.date, distance_m: float = 10_000, spike: float | None = None, load_efm: float = 50.0) -> SessionFact:
    return SessionFact(
        session_id=str(date),
        start_at=dt.datetime.combine(date, dt.time(8), dt.UTC),
        local_date=date,
        title="run",
        distance_m=distance_m,
        moving_time_s=3000.0,
        load_efm=load_efm,
        load_base_efm=load_efm,
        spike_distance=spike,
        spike_load=None,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        is_hill=False,
        is_speed=False,
        is_long=False,
        is_heavy=False,
    )


def a_day(date: dt.date, *sessions: SessionFact, load: float | None = 0.0, uncoupled: float = 1.0) -> DayFacts:
    return DayFacts(
        date=date,
        is_known=load is not None,
        unknown_days_28=0 if load is not None else 1,
        history_days=100,
        days_since_run=0,
        total=replace(A_BLANK, load_efm=load, acwr_uncoupled=uncoupled, acwr_ewma=1.0),
        heavy=A_BLANK,
        sessions=sessions,
        curl_sessions_10d=2,
    )


def test_the_longest_run_allowed_leaves_out_the_spike_itself() -> None:
    """A spike of 21 km against 15 km allows 16.5 km, not 23.1."""
    ago = {days: START - dt.timedelta(days=days) for days in (0, 6, 7, 29, 30)}
    usual = a_run(ago[29], 15_000)
    assert longest_run_m(a_day(START, usual, a_run(ago[0], 21_000, spike=1.4)), RULES) == pytest.approx(16_500)
    assert longest_run_m(a_day(START, usual, a_run(ago[6], 21_000, spike=1.11)), RULES) == pytest.approx(16_500)
    assert longest_run_m(a_day(START, usual, a_run(ago[7], 21_000, spike=1.4)), RULES) == pytest.approx(23_100)
    assert longest_run_m(a_day(START, usual, a_run(ago[0], 16_000, spike=1.067)), RULES) == pytest.approx(17_600)
    assert longest_run_m(a_day(START, a_run(ago[30], 15_000)), RULES) is None
    assert longest_run_m(a_day(START, a_run(ago[0], 21_000, spike=1.4)), RULES) is None


def a_deload_of(following: list[float | None], before: int = 35) -> list[tuple[str, ...]]:
    """Return the advice of the day a deload begins (28 x 50 and 7 x 100 EFM behind it) and of the days after it."""
    known: list[float | None] = [*[50.0] * (before - 7), *[100.0] * 7]
    days = []
    for index, load in enumerate([*known, *following]):
        date = START + dt.timedelta(days=index - before + 1)
        loud = index >= before - 1
        week = [a_run(date - dt.timedelta(days=d), load_efm=1.0) for d in (2, 1)]
        days.append(a_day(date, *week, a_run(date, load_efm=load or 0.0), load=load, uncoupled=2.0 if loud else 1.0))
    return [alert.advice for alert in assess(days, RULES, "me")[before - 1 :]]


def test_the_advice_of_a_deload_s_first_day() -> None:
    assert "\n".join(a_deload_of([])[0]) == (
        "In the next 7 days (through Wednesday 10 June) run at most 437 EFM: about 437 easy flat minutes in all."
        " That is 37 % under the last 7 days.\n"
        "Day by day, in EFM: Thu to Sat at most 63 each, Sun to Wed at most 62 each.\n"
        "Run as planned, that puts the week's load at 0.94 times the weeks before and the smoothed ratio at 0.99 after"
        " 7 days.\n"
        "The last 7 days run once more would leave it at 1.50 (smoothed 1.21).\n"
        "No run longer than 11.0 km: 1.10 times your longest of the last 30 days, runs beyond the usual of the last"
        " week left out.\n"
        "No hills, no speed and no long run for 72 hours, that is through Saturday 6 June.\n"
        "Curls: none are added in the first 72 hours of a deload, that is through Saturday 6 June.\n"
        "Curls after that, if all feels well: at most 50 % of your usual ball curls, or 1 x 5 if they are new, after an"
        " easy run, up to 8/10 and never 10/10. More only once this deload has cleared."
    )


def test_the_budget_is_counted_down_and_not_cut_again_each_day() -> None:
    told = a_deload_of([100.0, 0.0, 90.0])
    left = (
        "Run at most {0} EFM through Wednesday 10 June, about {0} easy flat minutes in all. That is what is left of 437"
        " EFM for the 7 days of this deload, 37 % under the 7 days before it."
    )
    assert [advice[0] for advice in told[1:]] == [left.format(337), left.format(311), left.format(247)]


def test_a_budget_run_to_the_end_asks_for_rest() -> None:
    assert a_deload_of([300.0, 190.5])[-1][0] == (
        "This deload's budget is used up: no more running through Wednesday 10 June."
    )


def test_a_budget_with_an_unknown_day_in_it_is_not_called_left() -> None:
    assert "is not known" in a_deload_of([100.0, None, 20.0])[-1][0]


def test_a_deload_that_outlasts_its_plan_gets_a_new_one() -> None:
    told = a_deload_of([60.0] * 8)
    assert told[6][0].startswith("Run at most 62 EFM through")
    assert told[7][0].startswith("In the next 7 days (through Wednesday 17 June) run at most 294 EFM")
    assert told[8][0].startswith("Run at most 234 EFM through")


def test_after_72_hours_heavy_running_waits_and_curls_are_halved() -> None:
    told = a_deload_of([50.0] * 3)
    assert "through Saturday 6 June" in told[2][-2]
    assert told[3][-2:] == (
        "Hills, speed and long runs wait until this deload has cleared.",
        (
            "Curls, if all feels well: at most 50 % of your usual ball curls, or 1 x 5 if they are new, after an easy"
            " run, up to 8/10 and never 10/10. More only once this deload has cleared."
        ),
    )


def test_a_deload_after_a_week_of_twice_the_usual_holds_no_more_than_a_usual_week() -> None:
    history = [30.0] * 53 + [60.0] * 7
    plan = deload_plan(a_day(START), history, RULES, with_ratios=True)
    assert plan is not None
    # 30 % under 420 would be 294; the mean week of the last 28 days is (3 x 210 + 420) / 4.
    assert plan.total_efm == 262


def test_the_cut_is_told_rounded_down_but_never_under_what_it_is(rules: AlertRules) -> None:
    for last in (100.0, 333.3, 412.7, 1e-3, 7e5):
        plan = deload_plan(a_day(START), [last / 7] * 40, rules, with_ratios=True)
        assert plan is not None
        assert plan.total_efm == int(0.7 * last + 1e-6)
        if last > 2:
            assert "That is 30 % under" in deload_advice(a_day(START), rules, plan)[0]


def test_what_was_planned_and_not_run_lapses() -> None:
    history = [50.0] * 28 + [100.0] * 7
    plan = deload_plan(a_day(START), history, RULES, with_ratios=True)
    assert plan is not None
    later = [*history, 10.0, 0.0, 10.0]
    rest = rest_of_plan(plan, a_day(START + dt.timedelta(days=3)), later, RULES)
    assert rest is not None
    assert [day.limit_efm for day in rest.days] == [day.limit_efm for day in plan.days[3:]]
    first = rest_of_plan(plan, a_day(START), history, RULES)
    assert first is not None
    assert [day.limit_efm for day in first.days] == [day.limit_efm for day in plan.days]
    # A day off moves what the week still holds, to no more than the plan's fullest day.
    off = Wishes(off=frozenset({plan.days[4].date}))
    moved = rest_of_plan(plan, a_day(START + dt.timedelta(days=3)), later, RULES, off)
    assert moved is not None
    assert moved.days[1].limit_efm == 0
    assert max(day.limit_efm for day in moved.days) <= max(day.limit_efm for day in plan.days)


def test_what_was_run_beyond_the_plan_is_taken_off_the_days_that_are_left() -> None:
    history = [50.0] * 28 + [100.0] * 7
    plan = deload_plan(a_day(START), history, RULES, with_ratios=True)
    assert plan is not None
    rest = rest_of_plan(plan, a_day(START + dt.timedelta(days=2)), [*history, 150.0, 150.0], RULES)
    assert rest is not None
    assert sum(day.limit_efm for day in rest.days) <= plan.total_efm - 300
    assert rest.last_efm == plan.last_efm
    # Of a plan that nothing is left of, each day left is a day without a run.
    spent = rest_of_plan(plan, a_day(START + dt.timedelta(days=2)), [*history, 500.0, 500.0], RULES)
    assert spent is not None
    assert [day.limit_efm for day in spent.days] == [0.0] * (len(plan.days) - 2)
    assert (spent.total_efm, spent.last_efm) == (0.0, plan.last_efm)
