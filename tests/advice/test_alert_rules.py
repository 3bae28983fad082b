"""One day by itself: every rule at its threshold from both sides, and which state goes before which."""

import datetime as dt
import math
from dataclasses import replace

import pytest

from hamload.advice import RULES, OwnHistory, judge
from hamload.parameters import AlertRules
from hamload.records import Confidence, DayFacts, SeriesDay, SessionFact, State

TODAY = dt.date(2026, 5, 31)  # a Sunday
NO_HISTORY = OwnHistory()


def a_run(days_ago: int = 0, *, hour: int = 8, **changes: object) -> SessionFact:
    """Return an easy 10 km of 50 EFM."""
    date = TODAY - dt.timedelta(days=days_ago)
    run = SessionFact(
        session_id=f"{date}-{hour}",
        start_at=dt.datetime.combine(date, dt.time(hour), dt.UTC),
        local_date=date,
        title="Morning run",
        distance_m=10_000.0,
        moving_time_s=3000.0,
        load_efm=50.0,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        load_base_efm=50.0,
        is_hill=False,
        is_speed=False,
        is_long=False,
        is_heavy=False,
        spike_distance=1.0,
        spike_load=1.0,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def a_series(uncoupled: float | None = 1.0, ewma: float | None = 1.0, monotony: float | None = 1.0) -> SeriesDay:
    return SeriesDay(50.0, 1.0, uncoupled, ewma, monotony, 100.0, 50.0, 50.0)


def a_day(*sessions: SessionFact, **changes: object) -> DayFacts:
    """Return a day on which nothing stands out, with a week of easy runs behind it and the planned curls done."""
    sessions = sessions or tuple(a_run(days) for days in (5, 4, 3))
    day = DayFacts(
        date=TODAY,
        is_known=True,
        unknown_days_28=0,
        history_days=100,
        days_since_run=0,
        total=a_series(),
        heavy=a_series(),
        sessions=sessions,
        curl_sessions_10d=2,
    )
    return replace(day, **changes)  # type: ignore[arg-type]


def state_of(day: DayFacts, rules: AlertRules, history: OwnHistory = NO_HISTORY) -> State:
    return judge(day, history, rules)[0].state


def rules_of(day: DayFacts, rules: AlertRules, history: OwnHistory = NO_HISTORY) -> list[str]:
    return [reason.rule for reason in judge(day, history, rules)]


def two_heavy(ratio: float | None, second: int = 3) -> DayFacts:
    heavy = (a_run(second, is_heavy=True), a_run(0, is_heavy=True))
    return a_day(*heavy, heavy=a_series(ratio))


def two_apart(hours: float) -> DayFacts:
    first = a_run(2, is_heavy=True)
    second = a_run(0, is_heavy=True, start_at=first.start_at + dt.timedelta(hours=hours))
    return a_day(first, second)


D, C, B, S = State.DELOAD, State.CAUTION, State.BUILD, State.STEADY
SPIKES = [
    # spike, days ago -> state
    (None, 0, S),
    (math.nan, 0, S),
    (math.inf, 0, S),
    (1.0999, 0, S),
    (1.10, 0, S),
    (1.1001, 0, C),
    (1.2999, 0, C),
    (1.30, 0, C),
    (1.3001, 0, D),
    (5.0, 0, D),
    (1.3001, 1, D),
    (1.3001, 2, D),
    (1.3001, 3, S),
    (1.1001, 2, C),
    (1.1001, 3, S),
    (1.3001, -1, S),
]


@pytest.mark.parametrize("measure", ["distance", "load"])
@pytest.mark.parametrize(("spike", "days_ago", "state"), SPIKES)
def test_a_spike_at_each_edge(
    measure: str, spike: float | None, days_ago: int, state: State, rules: AlertRules
) -> None:
    spikes: dict[str, object] = {f"spike_{measure}": spike}
    day = a_day(replace(a_run(days_ago), **spikes))  # type: ignore[arg-type]
    found = judge(day, NO_HISTORY, rules)
    assert found[0].state is state
    if state is not S:
        assert (found[0].rule, found[0].value, len(found)) == (f"{measure}_spike", spike, 1)
        assert found[0].threshold == {D: 1.30, C: 1.10}[state]


RATIOS = [
    # (uncoupled, ewma), (own P90 of each) -> state, rules
    ((1.80, 1.0), (None, None), S, ["steady"]),
    ((1.8001, 1.0), (None, None), D, ["uncoupled_ratio"]),
    ((1.8001, 1.0), (1.8001, None), S, ["steady"]),
    ((1.8001, 1.0), (1.80, None), D, ["uncoupled_ratio"]),
    ((2.5, 1.0), (2.6, None), S, ["steady"]),
    ((1.0, 1.30), (None, None), S, ["steady"]),
    ((1.0, 1.3001), (None, None), C, ["ewma_ratio"]),
    ((1.0, 1.50), (None, None), C, ["ewma_ratio"]),
    ((1.0, 1.5001), (None, None), D, ["ewma_ratio"]),
    ((1.0, 1.5001), (None, 1.5001), C, ["ewma_ratio"]),
    ((1.0, 1.5001), (None, 1.50), D, ["ewma_ratio"]),
    ((1.9, 1.6), (None, None), D, ["uncoupled_ratio", "ewma_ratio"]),
    ((1.9, 1.4), (None, None), D, ["uncoupled_ratio", "ewma_ratio"]),
    ((1.9, 1.6), (2.0, 1.7), C, ["ewma_ratio"]),
    ((0.0, 0.1), (None, None), S, ["steady"]),
]


@pytest.mark.parametrize(("runs", "uncoupled", "ewma"), [(0, C, C), (1, C, C), (2, C, C), (3, D, D), (4, D, D)])
def test_a_ratio_of_one_or_two_runs_is_a_caution_only(
    runs: int, uncoupled: State, ewma: State, rules: AlertRules
) -> None:
    """The timing of one run is not a week's load; a single run is judged by its spike."""
    week = tuple(a_run(days) for days in range(runs)) or (a_run(7),)
    found = judge(a_day(*week, total=a_series(uncoupled=2.5)), NO_HISTORY, rules)[0]
    assert (found.rule, found.state) == ("uncoupled_ratio", uncoupled)
    assert ("caution only" in found.sentence) == (uncoupled is C)
    found = judge(a_day(*week, total=a_series(ewma=2.0)), NO_HISTORY, rules)[0]
    assert (found.rule, found.state) == ("ewma_ratio", ewma)


@pytest.mark.parametrize(("ratios", "own", "state", "fired"), RATIOS)
def test_the_ratios_at_each_edge(
    ratios: tuple[float, float],
    own: tuple[float | None, float | None],
    state: State,
    fired: list[str],
    rules: AlertRules,
) -> None:
    day, history = a_day(total=a_series(*ratios)), OwnHistory(*own)
    assert state_of(day, rules, history) is state
    assert rules_of(day, rules, history) == fired


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (two_heavy(1.80), S),
        (two_heavy(1.8001), D),
        (two_heavy(1.8001, second=6), D),  # the seventh day counts
        (two_heavy(1.8001, second=7), S),  # the eighth does not: one heavy run is no pattern
        (two_heavy(None), S),
        (replace(two_heavy(1.8001), sessions=(a_run(0, is_heavy=True), a_run(3, is_heavy=None))), S),
    ],
)
def test_the_heavy_ratio_needs_two_heavy_runs_in_seven_days(day: DayFacts, state: State, rules: AlertRules) -> None:
    assert state_of(day, rules) is state


@pytest.mark.parametrize(("hours", "state"), [(2, C), (47.9, C), (48, S), (48.1, S)])
def test_two_heavy_runs_within_48_hours_are_a_caution(hours: float, state: State, rules: AlertRules) -> None:
    assert state_of(two_apart(hours), rules) is state


@pytest.mark.parametrize(("days_ago", "state"), [(0, C), (1, C), (2, S)])
def test_the_caution_for_two_heavy_runs_ends_two_days_after_the_later_one(
    days_ago: int, state: State, rules: AlertRules
) -> None:
    day = a_day(a_run(days_ago + 1, is_heavy=True), a_run(days_ago, is_heavy=True))
    assert state_of(day, rules) is state


@pytest.mark.parametrize(("value", "state"), [(None, S), (math.nan, S), (2.0, S), (2.0001, C), (math.inf, C)])
def test_monotony_at_its_edge(value: float | None, state: State, rules: AlertRules) -> None:
    found = judge(a_day(a_run(), total=a_series(monotony=value)), NO_HISTORY, rules)[0]
    assert found.state is state
    if value == math.inf:
        assert found.value is None, "infinity can neither be stored as JSON nor drawn"


@pytest.mark.parametrize(("done", "state"), [(None, B), (0, B), (1, B), (2, S), (3, S)])
def test_fewer_curl_sessions_than_planned_are_a_reason_to_build(
    done: int | None, state: State, rules: AlertRules
) -> None:
    found = judge(a_day(a_run(), curl_sessions_10d=done), NO_HISTORY, rules)
    assert found[0].state is state
    if state is B:
        assert found[0].value == done


def test_curls_that_nobody_told_of_are_not_called_undone(rules: AlertRules) -> None:
    untold = judge(a_day(curl_sessions_10d=None), NO_HISTORY, rules)[0].sentence
    undone = judge(a_day(curl_sessions_10d=0), NO_HISTORY, rules)[0].sentence
    assert untold == "No curl session is known to hamload. That need not mean that you did none: log the ones you do."
    assert undone == "No curl session in the last 10 days; 2 are planned."


R, U = State.RETURNING, State.UNKNOWN
KNOWLEDGE: list[tuple[dict[str, object], State, list[str]]] = [
    ({"history_days": 1}, State.BASELINE, ["baseline"]),
    ({"history_days": 27}, State.BASELINE, ["baseline"]),
    ({"history_days": 28}, S, ["steady"]),
    ({"days_since_run": 13}, S, ["steady"]),
    ({"days_since_run": 14}, R, ["returning"]),
    ({"days_since_run": 2, "is_returning": True}, R, ["returning"]),
    ({"days_since_run": None}, R, ["returning"]),
    ({"unknown_days_28": 1}, U, ["missing_days"]),
    ({"unknown_days_28": 1, "is_known": False, "days_since_run": 1}, U, ["missing_days"]),
    ({"unknown_days_28": 3, "days_since_run": 20}, U, ["missing_days"]),  # some of the 20 unknown: no known break
    ({"unknown_days_28": 2, "days_since_run": 15, "is_returning": True}, R, ["returning", "missing_days"]),
    ({"unknown_days_28": 2, "history_days": 20}, State.BASELINE, ["baseline", "missing_days"]),
]


@pytest.mark.parametrize(("facts", "state", "fired"), KNOWLEDGE)
def test_without_knowledge_there_is_no_judgement(
    facts: dict[str, object], state: State, fired: list[str], rules: AlertRules
) -> None:
    """Even with ratios in the facts that would be a deload, and no curls: nothing is said that is not known."""
    calm = a_day(**facts)
    assert (state_of(calm, rules), rules_of(calm, rules)) == (state, fired)
    if state is not S:
        loud = replace(calm, total=a_series(3.0, 2.0), heavy=a_series(3.0), curl_sessions_10d=0)
        assert rules_of(loud, rules) == fired


@pytest.mark.parametrize("missing", [(None, 1.0), (1.0, None), (math.nan, 1.0)])
def test_a_ratio_undefined_for_no_known_reason_is_unknown_not_steady(
    missing: tuple[float | None, float | None], rules: AlertRules
) -> None:
    assert state_of(a_day(total=a_series(*missing)), rules) is State.UNKNOWN


@pytest.mark.parametrize(
    "hidden", [{"history_days": 20}, {"is_returning": True}, {"unknown_days_28": 2}], ids=["baseline", "break", "gap"]
)
@pytest.mark.parametrize(("spike", "state"), [(1.5, D), (1.2, C)])
def test_a_known_spike_goes_before_baseline_returning_and_unknown(
    hidden: dict[str, object], spike: float, state: State, rules: AlertRules
) -> None:
    earlier = [a_run(ago) for ago in (5, 8, 11)]
    day = a_day(*earlier, a_run(0, spike_distance=spike), **hidden)
    found = judge(day, NO_HISTORY, rules)
    assert found[0].state is state
    assert found[-1].state in {State.BASELINE, State.RETURNING, State.UNKNOWN}, "what is hidden is still told"


@pytest.mark.parametrize("hidden", [{"history_days": 20}, {"is_returning": True}])
@pytest.mark.parametrize(("runs", "fires"), [(2, 0), (3, 1)])
def test_before_a_baseline_a_spike_must_stand_on_three_runs(
    hidden: dict[str, object], runs: int, fires: int, rules: AlertRules
) -> None:
    day = a_day(*[a_run(5 + ago) for ago in range(runs)], a_run(0, spike_distance=1.5), **hidden)
    assert (state_of(day, rules) is D) == bool(fires)


def test_in_a_full_history_a_spike_needs_no_number_of_runs(rules: AlertRules) -> None:
    assert state_of(a_day(a_run(0, spike_distance=1.5)), rules) is D


def test_two_close_heavy_runs_are_known_whatever_else_is_missing(rules: AlertRules) -> None:
    assert rules_of(replace(two_apart(24), unknown_days_28=3), rules) == ["heavy_spacing", "missing_days"]


def test_all_reasons_are_told_most_serious_first(rules: AlertRules) -> None:
    heavy = (
        a_run(1, is_heavy=True, spike_distance=1.2, spike_load=1.6),
        a_run(0, is_heavy=True, spike_distance=1.1, spike_load=1.1),
    )
    day = a_day(a_run(6), *heavy, total=a_series(1.9, 1.4, 2.5), heavy=a_series(2.0), curl_sessions_10d=0)
    found = judge(day, NO_HISTORY, rules)
    assert [(r.rule, r.state) for r in found] == [
        ("load_spike", D),
        ("uncoupled_ratio", D),
        ("heavy_ratio", D),
        ("distance_spike", C),
        ("ewma_ratio", C),
        ("heavy_spacing", C),
        ("monotony", C),
    ]


def test_a_spike_names_its_run_and_that_runs_share_of_the_week(rules: AlertRules) -> None:
    long_run = a_run(0, title="Long  run\nby the river", distance_m=21_340, load_efm=130.0, spike_distance=1.338)
    found = judge(a_day(a_run(7), a_run(6), a_run(3, load_efm=102.6), long_run), NO_HISTORY, rules)[0]
    assert found.sentence == (
        "The run of Sunday 31 May was 34 % beyond your longest in 30 days. Runners who did that had more overuse"
        " injuries in one large study; it cannot say whether you will. Hamstring load is a model, not a measurement."
    )
    assert found.evidence == "rests on one large study (Frandsen et al. 2025)"
    assert [c.sentence for c in found.causes] == [
        "Sunday 31 May, Long run by the river, 21.3 km: 46 % of the last 7 days' load"
    ]
    assert found.causes[0].share == pytest.approx(130 / 282.6)


def test_a_ratio_names_the_fewest_largest_runs_that_make_up_half_the_week(rules: AlertRules) -> None:
    runs = [a_run(6, load_efm=60.0), a_run(4, load_efm=40.0), a_run(2, load_efm=80.0), a_run(0, load_efm=30.0)]
    found = judge(a_day(a_run(7, load_efm=500.0), *runs, total=a_series(2.0)), NO_HISTORY, rules)[0]
    assert {c.session_id[:10]: c.share for c in found.causes} == pytest.approx(
        {"2026-05-29": 80 / 210, "2026-05-25": 60 / 210}
    )


def test_exactly_half_the_week_is_half_of_it(rules: AlertRules) -> None:
    found = judge(a_day(a_run(3), a_run(0), total=a_series(2.0)), NO_HISTORY, rules)[0]
    assert [cause.share for cause in found.causes] == [0.5]


@pytest.mark.parametrize("distance_m", [None, 0.0, math.nan])
def test_a_run_without_a_distance_is_told_in_minutes(distance_m: float | None, rules: AlertRules) -> None:
    (cause,) = judge(a_day(a_run(spike_load=1.5, distance_m=distance_m)), NO_HISTORY, rules)[0].causes
    assert cause.sentence == "Sunday 31 May, Morning run, 50 min: 100 % of the last 7 days' load"


def test_the_heavy_ratio_names_heavy_runs_alone(rules: AlertRules) -> None:
    runs = [a_run(5, load_efm=200.0), a_run(3, load_efm=30.0, is_heavy=True), a_run(0, load_efm=70.0, is_heavy=True)]
    found = judge(a_day(*runs, heavy=a_series(2.0)), NO_HISTORY, rules)[0]
    assert {c.session_id[:10]: c.share for c in found.causes} == pytest.approx({"2026-05-31": 0.7})


def test_no_share_is_told_of_a_week_that_is_not_known(rules: AlertRules) -> None:
    unknown = replace(a_series(None, None, None), acute_rolling=None)
    day = a_day(a_run(0, spike_distance=1.5), total=unknown, unknown_days_28=1)
    (cause,) = judge(day, NO_HISTORY, rules)[0].causes
    assert cause.share is None
    assert cause.sentence == "Sunday 31 May, Morning run, 10.0 km"


def test_a_cause_says_when_its_load_is_a_rough_guess(rules: AlertRules) -> None:
    guess = a_run(0, spike_load=1.5, confidence=Confidence.VERY_LOW, distance_m=0.0, title="")
    (cause,) = judge(a_day(guess), NO_HISTORY, rules)[0].causes
    assert cause.sentence == (
        "Sunday 31 May, a run, 50 min: 100 % of the last 7 days' load (very low confidence in its load)"
    )


def test_a_run_without_labels_is_told_and_changes_no_state(rules: AlertRules) -> None:
    day = a_day(a_run(3, is_heavy=None), heavy=a_series(None))
    assert rules_of(day, rules) == ["steady", "heavy_unjudged"]
    assert rules_of(replace(day, sessions=(a_run(3),)), rules) == ["steady"]


def test_every_rule_has_the_same_shape_and_says_nothing_of_a_calm_day(rules: AlertRules) -> None:
    found = {rule.__name__: rule(a_day(a_run()), NO_HISTORY, rules) for rule in RULES}
    assert [name for name, reason in found.items() if reason is not None] == ["steady"]
