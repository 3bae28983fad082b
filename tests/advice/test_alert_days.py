"""The days in order: hysteresis, episodes, continuation, what is told, and that no day looks ahead."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.advice import assess, headline, own_histories
from hamload.advice.rules import seriousness
from hamload.parameters import AlertRules
from hamload.records import Alert, DayFacts, SeriesDay, SessionFact, State
from hamload.settings import defaults

RULES = defaults()[2]
FIRST = dt.date(2026, 3, 1)


class Row(NamedTuple):
    """One day, small enough to check by eye. `u`, `e`: uncoupled and EWMA ratio; `h`: the heavy series' ratio."""

    u: float | None = 1.0
    e: float | None = 1.0
    spike: float | None = None
    h: float | None = None
    missing: int = 0
    known: bool = True
    back: bool = False
    curls: int | None = 2
    history: int = 100


CALM = Row()
SPIKE = Row(spike=1.5)
LOUD = Row(u=2.0)
GAP = Row(u=None, e=None, missing=1)


def a_run(date: dt.date, **changes: object) -> SessionFact:
    start = dt.datetime.combine(date, dt.time(8), dt.UTC)
    run = SessionFact(
        session_id=str(date),
        start_at=start,
        local_date=date,
        title="run",
        distance_m=1e4,
        moving_time_s=3e3,
        load_efm=50.0,
        load_base_efm=50.0,
        spike_distance=None,
        spike_load=None,
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        is_hill=False,
        is_speed=False,
        is_long=False,
        is_heavy=False,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def facts(rows: Sequence[Row]) -> list[DayFacts]:
    days = []
    #: Whoever is judged here has run before: a ratio of one or two runs is another matter.
    runs: list[SessionFact] = [a_run(FIRST - dt.timedelta(days=d)) for d in (3, 2, 1)]
    for index, row in enumerate(rows):
        date = FIRST + dt.timedelta(days=index)
        runs.append(a_run(date, spike_distance=row.spike, is_heavy=row.h is not None and index % 3 == 0))
        days.append(
            DayFacts(
                date=date,
                is_known=row.known,
                unknown_days_28=row.missing,
                history_days=row.history,
                days_since_run=0,
                total=SeriesDay(50.0 if row.known else None, None, row.u, row.e, 1.0, None),
                heavy=SeriesDay(0.0, None, row.h, None, None, None),
                sessions=tuple(runs[-35:]),
                curl_sessions_10d=row.curls,
                is_returning=row.back,
            )
        )
    return days


def told(rows: Sequence[Row], rules: AlertRules = RULES) -> list[Alert]:
    return assess(facts(rows), rules, "me")


LETTERS = {
    State.DELOAD: "D",
    State.CAUTION: "C",
    State.BUILD: "B",
    State.STEADY: "s",
    State.BASELINE: "b",
    State.RETURNING: "r",
    State.UNKNOWN: "u",
}


def states(rows: Sequence[Row]) -> str:
    """Return a letter a day; a small d is a deload that only hysteresis keeps."""
    return "".join("d" if a.held else LETTERS[a.state] for a in told(rows))


def news(rows: Sequence[Row]) -> list[int]:
    return [i for i, alert in enumerate(told(rows)) if alert.is_new]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # a spike counts for three days and then clears at once where the ratios are low
        ([CALM, SPIKE, CALM, CALM, CALM], "sDDDs"),
        # it is held while a ratio stands above its margin, and cleared at the margin itself
        ([LOUD, Row(u=1.80), Row(u=1.4401), Row(u=1.44), CALM], "Dddss"),
        ([Row(e=1.6), Row(e=1.5), Row(e=1.3001), Row(e=1.30)], "Ddds"),
        # both ratios must be low
        ([LOUD, Row(u=1.5, e=1.2), Row(u=1.2, e=1.35), Row(u=1.2, e=1.2)], "Ddds"),
        # the same ratios without a deload before them are no deload
        ([CALM, Row(u=1.8), Row(u=1.5, e=1.3)], "sss"),
        # a held deload that fires again is no longer held
        ([LOUD, Row(u=1.6), LOUD, CALM], "DdDs"),
        # what clears falls to what the day itself says
        ([LOUD, Row(e=1.4), Row(e=1.25), Row(curls=0)], "DdsB"),
        # caution has no margin of its own
        ([Row(e=1.31), Row(e=1.30)], "Cs"),
    ],
)
def test_a_deload_clears_by_a_margin(rows: list[Row], expected: str) -> None:
    assert states(rows) == expected


def test_a_deload_by_heavy_running_is_held_until_heavy_running_has_eased() -> None:
    heavy = [Row(h=1.0)] * 3
    assert states([*heavy, Row(h=1.9), Row(h=1.6), Row(h=1.44)]) == "sssDds"
    assert states([*heavy, LOUD._replace(h=1.0), Row(h=1.6)]) == "sssDs", "it had no part in this deload"
    assert states([*heavy, Row(h=1.9), Row(h=None)]) == "sssDs"


def test_a_deload_under_missing_days_is_kept_for_a_week_and_then_unknown() -> None:
    assert states([LOUD, *[GAP] * 9, CALM]) == "Dddddddduus"
    assert states([CALM, GAP, GAP]) == "suu"
    # A deload that is seen again begins a new week.
    assert states([LOUD, *[GAP] * 5, LOUD, *[GAP] * 9]) == "DdddddD" + "d" * 7 + "uu"


def test_a_held_deload_is_judged_again_as_soon_as_the_days_are_known() -> None:
    assert states([LOUD, GAP, GAP, Row(u=1.6), GAP, CALM]) == "Ddddds"


def test_a_known_spike_inside_missing_days_is_still_a_deload() -> None:
    spike = GAP._replace(spike=1.5)
    assert states([GAP, spike, GAP, GAP, *[GAP] * 8]) == "u" + "DDD" + "d" * 7 + "u"


def test_what_is_unknown_under_a_held_deload_is_told_among_its_reasons() -> None:
    alert = told([LOUD, GAP])[-1]
    assert [reason.rule for reason in alert.reasons] == ["held", "missing_days"]
    assert alert.reasons[0].value is None
    assert "cannot be seen to clear" in alert.reasons[0].sentence


@pytest.mark.parametrize(
    ("quiet", "letter"), [(Row(u=None, e=None, history=20), "b"), (Row(u=None, e=None, back=True), "r")]
)
def test_without_ratios_the_age_of_the_spike_alone_ends_a_deload(quiet: Row, letter: str) -> None:
    assert states([quiet, quiet, quiet, quiet._replace(spike=1.5), quiet, quiet, quiet]) == 3 * letter + "DDD" + letter


def test_the_margin_that_keeps_a_deload_is_named() -> None:
    alert = told([LOUD, Row(u=1.6, e=1.1)])[-1]
    assert (alert.held, alert.reasons[0].value, alert.reasons[0].threshold) == (True, 1.6, 1.44)
    assert alert.clears_when == (
        "Clears when the week's load is at most 1.44 times that of the weeks before and the smoothed ratio at most"
        " 1.30."
    )
    assert headline(alert) == "Deload goes on: it has not been seen to clear by its margin yet."


@pytest.mark.parametrize(("pause", "is_continuation"), [(1, True), (13, True), (14, False)])
def test_a_deload_within_14_days_of_the_last_continues_it(pause: int, is_continuation: bool) -> None:  # noqa: FBT001
    """A pause of 13 calm days puts the next deload on the 14th day after the last."""
    alerts = told([LOUD, *[CALM] * pause, LOUD])
    assert alerts[-1].is_continuation == is_continuation
    assert alerts[-1].is_new == (not is_continuation)
    assert alerts[-1].episode == (1 if is_continuation else 2)
    assert [a.episode for a in alerts[1:-1]] == [0] * pause


def test_a_continuation_is_told_again_only_when_it_is_a_quarter_worse() -> None:
    """The first was told at 2.0; a quarter above it is 2.5."""
    assert news([LOUD, CALM, Row(u=2.0)]) == [0]
    assert news([LOUD, CALM, Row(u=2.49)]) == [0]
    assert news([LOUD, CALM, Row(u=2.51)]) == [0, 2]
    assert news([LOUD, Row(u=2.2), Row(u=2.4), Row(u=2.6), Row(u=2.8)]) == [0, 3], "a creeping rise is told too"


def test_caution_that_becomes_deload_is_told_and_deload_that_eases_is_not() -> None:
    rows = [Row(e=1.4), Row(e=1.4), Row(e=1.6), Row(e=1.2), Row(e=1.35), Row(e=1.2)]
    assert states(rows) == "CCDsCs"
    assert news(rows) == [0, 2]
    assert [a.episode for a in told(rows)] == [1, 1, 1, 0, 1, 0]
    assert [a.is_continuation for a in told(rows)] == [False, False, False, False, True, False]


def test_a_deload_is_told_however_long_a_caution_has_gone_on() -> None:
    """Else a runner in everlasting caution would hear of a deload once and never again."""
    careful = [Row(spike=1.2)]
    assert news([LOUD, *careful * 15, LOUD]) == [0, 16]
    assert news([LOUD, *careful * 13, LOUD]) == [0]


def test_build_returning_and_unknown_are_told_when_they_begin_and_not_again_within_14_days() -> None:
    for row in (Row(curls=0), Row(back=True), GAP):
        assert news([CALM, row, row, CALM, row]) == [1]
        assert news([CALM, row, *[CALM] * 14, row]) == [1, 16]
    assert news([Row(history=9), CALM, CALM]) == []


def test_a_missing_day_between_two_others_is_refused(rules: AlertRules) -> None:
    days = facts([CALM] * 3)
    with pytest.raises(ValueError, match="does not follow"):
        assess([days[0], days[2]], rules, "me")


def test_no_days_give_no_alerts(rules: AlertRules) -> None:
    assert assess([], rules, "me") == []


def test_own_percentiles_are_of_the_days_strictly_before() -> None:
    rows = [Row(u=1 + i / 100) for i in range(61)]
    found = own_histories(facts(rows), RULES)
    assert found[59].uncoupled_quantile is None, "59 days are too few"
    assert found[60].uncoupled_quantile == pytest.approx(1 + 0.9 * 59 / 100), "the P90 of 1.00 to 1.59"
    assert found[60].ewma_quantile == pytest.approx(1.0)


def test_own_percentiles_look_back_one_year_and_leave_out_what_is_not_judged() -> None:
    rows = [Row(u=9.0)] * 100 + [Row(u=1.0)] * 365
    found = own_histories(facts([*rows, CALM]), RULES)
    assert found[-1].uncoupled_quantile == 1.0
    assert own_histories(facts([Row(u=9.0, missing=1)] * 80), RULES)[-1].uncoupled_quantile is None


def test_a_variable_runner_is_not_always_alarmed() -> None:
    """With 2.0 reached on a fifth of the days, 2.0 is this runner's usual; 2.5 is not."""
    usual = [Row(u=2.0 if i % 5 == 0 else 1.0) for i in range(100)]
    assert states([*usual, Row(u=2.0)])[-1] == "s"
    assert states([*usual, Row(u=2.5)])[-1] == "D"


def test_the_days_without_any_report_are_counted() -> None:
    rows = [CALM, *[Row(u=None, e=None, missing=i + 1, known=False) for i in range(3)]]
    assert [h.silent_days for h in own_histories(facts(rows), RULES)] == [0, 1, 2, 3]
    assert "the last 3 days" in told(rows)[-1].reasons[0].sentence


def test_an_alert_can_be_stored_as_json() -> None:
    days = facts([CALM, LOUD])
    days[0] = replace(days[0], total=replace(days[0].total, monotony=float("inf")))
    for alert in assess(days, RULES, "me"):
        assert alert.athlete_id == "me"
        json.dumps([asdict(reason) for reason in alert.reasons], allow_nan=False)


ratio = st.one_of(st.none(), st.floats(0, 4))
row = st.builds(
    Row,
    u=ratio,
    e=ratio,
    spike=st.one_of(st.none(), st.floats(0.1, 3)),
    h=ratio,
    missing=st.sampled_from([0, 0, 0, 1]),
    known=st.sampled_from([True, True, False]),
    back=st.sampled_from([False, False, True]),
    curls=st.one_of(st.none(), st.integers(0, 3)),
    history=st.sampled_from([20, 100]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, max_size=40), st.integers(0, 40))
def test_the_future_changes_nothing(rows: list[Row], k: int) -> None:
    days = facts(rows)
    assert assess(days[:k], RULES, "me") == assess(days, RULES, "me")[:k]


@settings(max_examples=100, deadline=None)
@given(st.lists(row, max_size=12), row, st.floats(1, 3))
def test_more_load_on_the_last_day_never_gives_a_milder_state(before: list[Row], last: Row, factor: float) -> None:
    def up(value: float | None) -> float | None:
        return None if value is None else value * factor

    more = last._replace(u=up(last.u), e=up(last.e), spike=up(last.spike), h=up(last.h))
    milder, harder = (told([*before, day])[-1].state for day in (last, more))
    assert seriousness(harder) <= seriousness(milder)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, max_size=40))
def test_every_day_has_one_state_with_a_reason_and_only_alarms_have_an_episode(rows: list[Row]) -> None:
    alerts = told(rows)
    assert [a.date for a in alerts] == [FIRST + dt.timedelta(days=i) for i in range(len(rows))]
    episode = 0
    for alert in alerts:
        assert alert.reasons[0].state is alert.state
        ranks = [seriousness(r.state) for r in alert.reasons]
        assert ranks == sorted(ranks)
        assert (alert.episode > 0) == (alert.state in {State.DELOAD, State.CAUTION})
        if alert.episode:
            assert alert.episode in {episode, episode + 1}
            assert alert.is_new or alert.episode == episode, "a new episode is told"
            episode = alert.episode
        assert not alert.held or alert.state is State.DELOAD


def _with_flag(rows: Sequence[Row], *on: int) -> list[Alert]:
    days = [replace(day, flags=("pop",)) if i in on else day for i, day in enumerate(facts(rows))]
    return assess(days, RULES, "me")


def test_a_stop_in_between_hides_a_deload_and_does_not_end_it() -> None:
    rows = [Row(1.0, 1.0), Row(2.0, 1.6), Row(1.7, 1.3), Row(1.7, 1.3), Row(1.0, 1.0)]
    alerts = _with_flag(rows, 2)
    assert [a.state.value for a in alerts] == ["steady", "deload", "stop", "deload", "steady"]
    assert [a.held for a in alerts] == [False, False, False, True, False]


def test_a_deload_that_clears_behind_a_stop_is_over_with_it() -> None:
    rows = [CALM, LOUD, CALM, Row(1.45, 1.0)]
    assert _with_flag(rows, 2)[-1].state is not State.DELOAD


def test_a_deload_that_began_behind_a_stop_is_told_when_the_stop_ends() -> None:
    rows = [CALM, LOUD, LOUD, Row(1.7, 1.3), Row(1.7, 1.3)]
    alerts = _with_flag(rows, 1, 2)
    assert [(a.state.value, a.is_new) for a in alerts[1:]] == [
        ("stop", True),
        ("stop", False),
        ("deload", True),
        ("deload", False),
    ]
