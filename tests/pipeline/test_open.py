"""A home's tables as frames, on the simulated year."""

import pytest

import hamload
from hamload.errors import HamloadError
from hamload.settings import Settings


def test_every_frame_speaks_of_the_same_runs(simulated_home: Settings) -> None:
    home = hamload.open(simulated_home.home)
    sessions, daily, alerts = home.sessions(), home.daily(series="total"), home.alerts()
    assert daily["load_efm"].sum() == pytest.approx(sessions["load_efm"].sum())
    assert len(alerts) == len(daily) == daily["date"].nunique()
    assert set(home.daily()["series"]) == {"total", "heavy", "hill", "speed", "long"}
    assert home.sql("select count(*) as n from marts.sessions")["n"][0] == len(sessions)
    assert "published" in repr(home)


def test_a_runs_samples_give_its_load_again(simulated_home: Settings) -> None:
    home = hamload.open(simulated_home.home)
    row = home.sessions().iloc[-2]
    samples = home.samples(row["session_id"])
    assert samples["dt_s"].sum() == pytest.approx(row["moving_time_s"], rel=0.1)
    athlete = hamload.Athlete(row["easy_speed_mps"], row["typical_time_s"], row["fast_mps"], row["very_fast_mps"])
    load = hamload.session_load(samples, athlete)
    assert load.load_efm == pytest.approx(row["load_efm"], rel=1e-6)
    assert load.load_hill_efm == pytest.approx(row["load_hill_efm"], rel=1e-6)


def test_a_session_that_is_not_there_is_named(simulated_home: Settings) -> None:
    with pytest.raises(HamloadError, match="no session 'nope'"):
        hamload.open(simulated_home.home).samples("nope")


def test_a_notebook_shows_the_charts_of_the_report(simulated_home: Settings) -> None:
    home = hamload.open(simulated_home.home)
    for name, rows in (("load", "days"), ("ratios", "ratios"), ("strength", "whole")):
        shown = home.chart(name, days=28).to_dict()
        assert len(shown["datasets"][rows]) == (2 if name == "strength" else 28)
    with pytest.raises(HamloadError, match="no chart 'pie'"):
        home.chart("pie")
