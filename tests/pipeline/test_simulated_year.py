"""The simulated runner's year, whose story is known: a plain year, and in its last week a run that was far too long."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from hamload import pipeline, warehouse
from hamload.cli import app
from hamload.digest.facts import DigestFacts
from hamload.records import State
from hamload.settings import Settings, shipped

type Ask = Callable[..., list[tuple[Any, ...]]]

#: The story's long hilly run, and the last day that its home knows.
LONG_RUN = dt.date(2026, 11, 20)
LAST_KNOWN = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def facts(simulated_home: Settings) -> DigestFacts:
    return pipeline.overview(simulated_home)


def test_the_year_is_all_there_each_run_once_and_every_check_holds(simulated_home: Settings, ask: Ask) -> None:
    assert ask(simulated_home, "select count(*), sum(copies), bool_and(is_simulated) from marts.sessions") == [
        (242, 0, True)
    ]
    assert ask(simulated_home, "from marts.unreadable") == []
    assert ask(simulated_home, "select count(*) from marts.daily_load where not is_known and series = 'total'") == [
        (0,)
    ]
    with warehouse.reader(simulated_home.home) as con:
        assert warehouse.check(con, shipped("sql")) == []


def test_the_last_day_is_a_deload_for_the_planned_reasons(facts: DigestFacts) -> None:
    assert (facts.as_of, facts.alert.state, facts.is_simulated) == (LAST_KNOWN, State.DELOAD, True)
    reasons = {reason.rule: reason for reason in facts.alert.reasons}
    assert next(iter(reasons)) == "distance_spike", "what the largest study found is told first"
    spike = reasons["distance_spike"]
    # 22.6 km against 14.0 km, the longest of the 30 days before.
    assert spike.value == pytest.approx(1.61, abs=0.02)
    assert spike.threshold == 1.30
    assert "Frandsen" in spike.evidence
    spacing = reasons["heavy_spacing"]
    assert spacing.state is State.CAUTION
    assert spacing.value is not None
    # Hills in the evening, the long run the next morning.
    assert 12 < spacing.value < 18


def test_the_reasons_name_the_long_run_and_its_share(facts: DigestFacts, simulated_home: Settings, ask: Ask) -> None:
    ((long_run, load),) = ask(
        simulated_home, "select session_id, load_efm from marts.sessions where local_date = ?", LONG_RUN
    )
    ((week,),) = ask(
        simulated_home,
        "select sum(load_efm) from marts.sessions where local_date > ?",
        LAST_KNOWN - dt.timedelta(days=7),
    )
    causes = {reason.rule: reason.causes for reason in facts.alert.reasons}
    (cause,) = causes["distance_spike"]
    assert cause.session_id == long_run
    assert cause.share == pytest.approx(load / week)
    assert "Friday 20 November" in cause.sentence
    assert "22.6 km" in cause.sentence
    assert long_run in {c.session_id for c in causes["heavy_spacing"]}


def test_no_sentence_tells_the_runner_a_chance_of_injury(facts: DigestFacts) -> None:
    told = " ".join([facts.headline, *(r.sentence for r in facts.alert.reasons), *facts.alert.advice]).lower()
    assert "your risk" not in told
    assert "probab" not in told
    assert "it cannot say whether you will" in told


def test_the_advice_says_by_how_much_to_cut_for_how_long_and_that_curls_wait(facts: DigestFacts) -> None:
    advice = " ".join(facts.next_7)
    last_week = facts.last_7.load_efm
    assert last_week is not None
    # A mean week of the last 28 days, 310 EFM, is less than 30 % under the one before the plan.
    (cut,) = re.findall(r"of 310 EFM for the 7 days of this deload, (\d+) % under the 7 days before it", advice)
    assert int(cut) > 30
    assert "through Friday 27 November" in advice
    assert "No run longer than 15.4 km" in advice
    assert "No hills, no speed and no long run for 72 hours, that is through Monday 23 November" in advice
    assert "Curls: none are added in the first 72 hours of a deload, that is through Monday 23 November" in advice
    # Made on the evening of the long run: its first day gave 62 EFM, of which half was run; the rest lapses.
    ((budget, left),) = [_numbers(line) for line in facts.next_7 if line.startswith("Run at most")]
    assert left == pytest.approx(budget - 62, abs=2)
    assert "What you have not run by now is not made up for" in advice


def _numbers(line: str) -> tuple[float, float]:
    words = line.replace(",", "").split()
    amounts = [float(words[index - 1]) for index, word in enumerate(words) if word == "EFM"]
    return max(amounts), min(amounts)


def test_a_third_hard_day_begins_the_deload_and_the_long_run_has_it_told_again(
    simulated_home: Settings, ask: Ask
) -> None:
    week = ask(
        simulated_home,
        "select day(date), state, is_new, list_contains(json_extract_string(reasons, '$[*].rule'), 'distance_spike')"
        " from marts.alerts where date >= '2026-11-18' order by date",
    )
    assert week == [
        (18, "build", False, False),
        (19, "deload", True, False),
        (20, "deload", True, True),
        (21, "deload", False, True),
    ]


@pytest.mark.parametrize("weeks_before", [3, 5, 8, 12])
def test_a_normal_week_is_no_deload(simulated_home: Settings, weeks_before: int) -> None:
    day = LAST_KNOWN - dt.timedelta(weeks=weeks_before)
    facts = pipeline.overview(simulated_home, on=day)
    assert facts.as_of == day
    assert facts.alert.state in {State.STEADY, State.BUILD, State.CAUTION}
    assert "distance_spike" not in {reason.rule for reason in facts.alert.reasons}


def test_a_bearable_share_of_the_year_is_a_deload(simulated_home: Settings, ask: Ask) -> None:
    states = [state for (state,) in ask(simulated_home, "select state from marts.alerts order by date")]
    assert states[0] == "baseline"
    assert states.count("deload") / len(states) < 0.15
    assert "unknown" not in states


def test_nine_days_away_are_rest_and_not_unknown_and_too_short_for_a_return(simulated_home: Settings, ask: Ask) -> None:
    away = ask(
        simulated_home,
        "select load_efm, is_known, state from marts.daily_load join marts.alerts using (athlete_id, date)"
        " where series = 'total' and date between '2026-06-25' and '2026-07-03'",
    )
    assert [(load, is_known) for load, is_known, _ in away] == [(0, True)] * 9
    assert not {state for _, _, state in away} & {"returning", "unknown"}


def test_a_published_reason_is_the_same_in_the_table_and_in_the_digest(
    simulated_home: Settings, ask: Ask, facts: DigestFacts
) -> None:
    ((reasons,),) = ask(simulated_home, "select reasons from marts.alerts order by date desc limit 1")
    table = [(r["rule"], r["state"], r["value"], r["sentence"]) for r in json.loads(reasons)]
    assert table == [(r.rule, r.state.value, r.value, r.sentence) for r in facts.alert.reasons]


def test_the_list_of_alerts_leaves_out_no_deload_and_says_how_many_other_changes_it_leaves_out(
    simulated_home: Settings,
) -> None:
    changes = pipeline.alert_history(simulated_home, "me", every=True, last=10_000)
    run = CliRunner()
    words = ["alerts", "--last", "1000", "--home", str(simulated_home.home)]
    listed = {row["date"] for row in json.loads(run.invoke(app, [*words, "--json"]).stdout)}
    deloads = [row for row in changes if row["state"] == "deload"]
    assert any(not row["is_new"] for row in deloads), "one that continues an older one"
    assert {str(row["date"]) for row in deloads} <= listed
    left_out = [row for row in changes if str(row["date"]) not in listed and str(row["date"]) > min(listed)]
    assert left_out
    shown = run.invoke(app, words, env={"COLUMNS": "200"}).stdout
    assert f"{len(left_out)} more changes of state in between: hamload alerts --all" in shown
    assert not re.search(r"\b[a-z]+_[a-z]+:", shown), "no rule's name as machines write it"
