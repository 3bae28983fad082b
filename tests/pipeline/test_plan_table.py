"""The coming week, day by day, in mail and report: what, at most how much, which curls; nothing in a stop."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hamload import pipeline, warehouse
from hamload.digest.render import render_html, render_text
from hamload.language import Text
from hamload.pipeline.counsel import planning
from hamload.records import State

if TYPE_CHECKING:
    from hamload.settings import Settings

pytestmark = pytest.mark.slow


def test_a_deloads_week_is_a_table_whose_days_are_the_plans(simulated_home: Settings) -> None:
    facts = pipeline.overview(simulated_home, "me")
    assert facts.alert.state is State.DELOAD
    first = facts.as_of + dt.timedelta(days=1)
    assert [day.date for day in facts.plan] == [first + dt.timedelta(days=n) for n in range(len(facts.plan))]
    outlook = planning.outlook(simulated_home, "me", first)
    assert outlook.plan is not None
    limits = {day.date: day.limit_efm for day in outlook.plan.days}
    assert {day.date: day.limit_efm for day in facts.plan if day.limit_efm is not None} == limits
    for day in facts.plan:
        assert day.limit_m is None or outlook.longest_m is None or day.limit_m <= outlook.longest_m
        assert (day.limit_efm == 0) == (day.what == "rest")
        assert (day.limit_efm is None) == (day.what == "not planned yet")
    text, html = render_text(facts), render_html(facts)
    for day in facts.plan:
        shown = facts.language.day(day.date, facts.as_of)
        assert any(line.startswith(shown.replace("\u00a0", " ")) and day.what in line for line in text.splitlines())
        assert f'{shown}</th><td class="ink"' in html
    assert "Day by day, in EFM" not in text


def test_an_earlier_day_has_no_table_of_days_gone_by_and_keeps_its_sentence(simulated_home: Settings) -> None:
    told = [row for row in pipeline.alert_history(simulated_home, "me") if row["plan"] and row["is_new"]]
    facts = pipeline.overview(simulated_home, "me", told[0]["date"])
    assert facts.plan == ()
    assert all(isinstance(sentence, Text) for sentence in facts.alert.advice)


def test_a_stop_shows_no_plan(simulated_home: Settings) -> None:
    alert = replace(pipeline.overview(simulated_home, "me").alert, state=State.STOP)
    with warehouse.reader(simulated_home.home) as con:
        assert planning.coming_days(con, simulated_home, alert, alert.date + dt.timedelta(days=1)) == ()
