from __future__ import annotations

import datetime as dt
import math
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload.language import DASH, ENGLISH, NBSP, Language

MONDAY = dt.date(2025, 11, 24)


def test_a_value_that_is_unknown_shows_as_a_dash_and_never_as_zero() -> None:
    for unknown in (None, math.nan):
        shown = [
            ENGLISH.number(unknown),
            ENGLISH.efm(unknown),
            ENGLISH.distance(unknown),
            ENGLISH.duration(unknown),
            ENGLISH.pace(unknown),
            ENGLISH.percent(unknown),
            ENGLISH.change(unknown, 1),
            ENGLISH.change(1, unknown),
        ]
        assert shown == [DASH] * 8
    assert [ENGLISH.day(None), ENGLISH.ago(None, MONDAY)] == ["unknown", "unknown"]
    assert ENGLISH.moment(None, ZoneInfo("UTC"), MONDAY) == "unknown"


def test_a_caller_chooses_the_word_for_unknown() -> None:
    assert ENGLISH.distance(None, "distance unknown") == "distance unknown"


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(0.0, 0, "0"), (-0.2, 0, "0"), (-0.6, 0, "\N{MINUS SIGN}1"), (1234.5, 1, "1,234.5"), (math.inf, 0, "infinite")],
)
def test_a_number_has_its_decimals_its_groups_and_no_negative_zero(value: float, digits: int, shown: str) -> None:
    assert ENGLISH.number(value, digits) == shown


@pytest.mark.parametrize(
    ("load", "digits", "shown"), [(0, 0, "0"), (0.3, 0, "<1"), (0.04, 1, "<0.1"), (171.6, 0, "172")]
)
def test_a_little_load_is_less_than_one_and_not_none(load: float, digits: int, shown: str) -> None:
    assert ENGLISH.efm(load, digits) == shown


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [
        (0, "0_min"),
        (29, "0_min"),
        (2880, "48_min"),
        (3569, "59_min"),
        (3570, "1:00_h"),
        (8820, "2:27_h"),
        (36_300, "10:05_h"),
    ],
)
def test_minutes_become_hours_at_sixty(time_s: float, shown: str) -> None:
    assert ENGLISH.duration(time_s) == shown.replace("_", NBSP)


def test_distances_speeds_and_shares_carry_their_unit() -> None:
    assert ENGLISH.distance(24_120) == f"24.1{NBSP}km"
    assert ENGLISH.pace(2.8) == f"5:57{NBSP}min/km"
    assert ENGLISH.pace(0) == DASH
    assert ENGLISH.percent(0.62) == f"62{NBSP}%"


def test_a_change_is_signed_and_against_nothing_there_is_none() -> None:
    assert ENGLISH.change(134, 100) == f"+34{NBSP}%"
    assert ENGLISH.change(96, 100) == f"\N{MINUS SIGN}4{NBSP}%"
    assert ENGLISH.change(100.2, 100) == f"±0{NBSP}%"
    assert ENGLISH.change(5, 0) == DASH


def test_a_number_just_over_its_threshold_never_looks_equal_to_it() -> None:
    assert ENGLISH.told_apart(1.34, 1.30) == ("1.34", "1.30")
    assert ENGLISH.told_apart(1.304, 1.30) == ("1.304", "1.300")
    assert ENGLISH.told_apart(5, 4.0) == ("5", "4")


def test_a_day_names_its_year_only_where_it_is_not_this_one() -> None:
    assert ENGLISH.day(MONDAY, MONDAY) == f"Mon{NBSP}24{NBSP}Nov"
    assert ENGLISH.day(dt.date(2024, 2, 29), MONDAY) == f"Thu{NBSP}29{NBSP}Feb{NBSP}2024"


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "yesterday"), (9, "9 days ago"), (-1, "tomorrow"), (-3, "in 3 days")]
)
def test_how_long_ago_is_told_in_words(days: int, words: str) -> None:
    assert ENGLISH.ago(MONDAY - dt.timedelta(days), MONDAY).endswith(f"({words})")


def test_a_moment_shows_on_the_athletes_clock() -> None:
    late = dt.datetime(2025, 11, 23, 23, 30, tzinfo=dt.UTC)
    assert ENGLISH.moment(late, ZoneInfo("Europe/Vienna"), MONDAY) == f"Mon{NBSP}24{NBSP}Nov, 00:30 (today)"
    assert ENGLISH.moment(late, ZoneInfo("America/Lima"), MONDAY) == f"Sun{NBSP}23{NBSP}Nov, 18:30 (yesterday)"
    after = dt.datetime(2025, 11, 25, 2, 30, tzinfo=dt.UTC)
    assert ENGLISH.moment(after, ZoneInfo("Europe/Vienna"), MONDAY) == f"Tue{NBSP}25{NBSP}Nov, 03:30"


@given(st.none() | st.floats(allow_nan=True, allow_infinity=True))
def test_no_float_ever_shows_as_nan_inf_or_none(value: float | None) -> None:
    finite = value if value is not None and abs(value) < 1e12 else None
    shown = [
        ENGLISH.number(value, 2),
        ENGLISH.efm(value),
        ENGLISH.distance(value),
        ENGLISH.percent(value),
        ENGLISH.duration(finite),
    ]
    assert not any(word in text.lower() for text in shown for word in ("nan", "none"))
    assert "inf" not in shown


def test_a_runner_who_thinks_in_miles_reads_miles_and_everything_else_stays() -> None:
    miles = Language(is_miles=True)
    assert miles.distance(16_093.44) == f"10.0{NBSP}mi"
    assert miles.distance(None, "unknown") == "unknown"
    assert miles.pace(2.68224) == f"10:00{NBSP}min/mi"
    assert miles.duration(600) == ENGLISH.duration(600)
    assert miles.efm(3.2) == ENGLISH.efm(3.2)
