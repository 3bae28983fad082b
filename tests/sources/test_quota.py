"""What Strava's headers say: limits, what is left, when it goes on."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload.sources import quota
from hamload.sources.quota import Quota, Window

AT = dt.datetime(2026, 11, 24, 3, 37, 12, tzinfo=dt.UTC)
QUARTER = dt.datetime(2026, 11, 24, 3, 45, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def headers(reads: str = "10,150", overall: str = "12,160", **more: str) -> dict[str, str]:
    return {
        "X-Ratelimit-Limit": "200,2000",
        "X-Ratelimit-Usage": overall,
        "X-Readratelimit-Limit": "100,1000",
        "X-Readratelimit-Usage": reads,
    } | more


def announced(**told: str) -> Quota:
    found = quota.read(headers(**told), AT)
    assert found is not None
    return found


def test_the_four_numbers_of_the_headers_become_four_windows() -> None:
    assert announced().windows == (
        Window(200, 12, QUARTER, is_day=False),
        Window(2000, 160, MIDNIGHT, is_day=True),
        Window(100, 10, QUARTER, is_day=False),
        Window(1000, 150, MIDNIGHT, is_day=True),
    )


def test_the_tightest_window_says_how_many_requests_are_left() -> None:
    assert announced().left(AT) == 90
    assert announced(overall="195,1999").left(AT) == 1
    assert announced(reads="100,500").left(AT) == 0


def test_a_full_quarter_is_over_at_the_next_quarter_and_a_full_day_at_midnight_utc() -> None:
    assert announced().resumes_at(AT) is None
    assert announced(reads="100,500").resumes_at(AT) == QUARTER
    assert announced(reads="100,1000").resumes_at(AT) == MIDNIGHT
    assert announced(reads="100,500").resumes_at(QUARTER) is None


def test_a_refused_request_has_counted_so_that_usage_may_lie_above_the_limit() -> None:
    assert announced(reads="103,503").left(AT) == 0


def test_stravas_own_clock_decides_which_window_an_answer_belongs_to() -> None:
    found = quota.read(headers(reads="100,500", Date="Tue, 24 Nov 2026 03:46:01 GMT"), AT)
    assert found is not None
    assert found.resumes_at(AT) == dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"X-RateLimit-Limit": "200,2000"},
        {"X-RateLimit-Limit": "many", "X-RateLimit-Usage": "few"},
        {"X-RateLimit-Limit": "", "X-RateLimit-Usage": ""},
        {"X-RateLimit-Limit": "-1,-2", "X-RateLimit-Usage": "0,0"},
    ],
)
def test_headers_that_announce_nothing_usable_are_no_quota(told: dict[str, str]) -> None:
    assert quota.read(told, AT) is None


def test_an_old_answer_with_the_overall_limit_alone_is_understood() -> None:
    found = quota.read({"x-ratelimit-limit": "600,30000", "x-ratelimit-usage": "600,30000"}, AT)
    assert found is not None
    assert (found.left(AT), found.daily_limit(), found.resumes_at(AT)) == (0, 30000, MIDNIGHT)


def test_a_request_without_an_answer_is_counted_all_the_same() -> None:
    asked = announced(reads="99,999").asked(AT)
    assert asked.resumes_at(AT) == MIDNIGHT
    later = announced(reads="99,999").asked(QUARTER)
    assert later.left(QUARTER) == 0
    assert later.resumes_at(QUARTER) == MIDNIGHT


def test_backfill_gets_its_share_of_the_day_and_no_more() -> None:
    assert quota.backfill_left(announced(), 0.5, 0) == 500
    assert quota.backfill_left(announced(), 0.5, 499) == 1
    assert quota.backfill_left(announced(), 0.5, 700) == 0
    assert quota.backfill_left(announced(), 0.0, 0) == 0
    assert quota.backfill_left(None, 0.5, 3) is None


def test_what_a_cursor_keeps_comes_back_as_it_was() -> None:
    assert Quota.from_json(json.loads(json.dumps(announced().as_json()))) == announced()
    assert Quota.from_json(None) is None
    assert Quota.from_json({"at": "yesterday", "windows": []}) is None


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001
def test_a_window_ends_within_its_length_on_the_clocks_own_marks(at: dt.datetime) -> None:
    quarter, midnight = quota.quarter_end(at), quota.day_end(at)
    assert dt.timedelta(0) < quarter - at <= dt.timedelta(minutes=15)
    assert (quarter.minute % 15, quarter.second, quarter.microsecond) == (0, 0, 0)
    assert dt.timedelta(0) < midnight - at <= dt.timedelta(days=1)
    assert midnight.time() == dt.time(0)
    assert quarter <= midnight


@given(
    st.integers(0, 300),
    st.integers(0, 3000),
    st.datetimes(dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
)
def test_something_is_left_exactly_where_nothing_must_be_waited_for(short: int, day: int, at: dt.datetime) -> None:
    found = quota.read(headers(reads=f"{short},{day}"), at)
    assert found is not None
    assert (found.left(at) == 0) == (found.resumes_at(at) is not None)
    assert found.left(found.resumes_at(at) or at) != 0
