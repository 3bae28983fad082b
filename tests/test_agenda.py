"""The calendar file: days keep their ids, changes count up, what no longer holds is cancelled, the rest stays."""

import datetime as dt
from typing import Any

import pytest
from icalendar import Calendar

from hamload.agenda import Appointment, calendar
from hamload.errors import HamloadError

TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)


def on(days: int, summary: str = "Curls: 2 x 8", *, is_done: bool = False) -> Appointment:
    return Appointment(TODAY + dt.timedelta(days=days), summary, "After an easy run; hips high.", is_done=is_done)


def night(previous: bytes | None, *appointments: Appointment, days: int = 0) -> bytes:
    later = dt.timedelta(days=days)
    return calendar(previous, appointments, "me", TODAY + later, NOW + later)


def parsed(content: bytes) -> Any:
    return Calendar.from_ical(content)


def events(content: bytes) -> dict[str, tuple[str, int, str]]:
    """Return (status, sequence, summary) by day."""
    return {
        str(e["DTSTART"].dt): (str(e["STATUS"]), int(e["SEQUENCE"]), str(e["SUMMARY"]))
        for e in parsed(content).walk("VEVENT")
    }


def test_a_night_without_news_writes_the_same_bytes() -> None:
    first = night(None, on(1), on(5))
    assert night(first, on(1), on(5), days=1) == first


def test_the_file_is_what_phones_expect() -> None:
    told = parsed(night(None, on(1)))
    (event,) = told.walk("VEVENT")
    assert str(event["UID"]) == "curls-me-2026-11-25@hamload"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (dt.date(2026, 11, 25), dt.date(2026, 11, 26))
    assert event["DTSTAMP"].dt == NOW
    assert str(told["VERSION"]) == "2.0"
    assert {"PRODID", "METHOD"} <= set(told)
    assert all(len(line) <= 75 for line in night(None, on(1, "x" * 300)).split(b"\r\n"))


def test_a_deload_that_moves_a_day_cancels_it_and_keeps_its_id() -> None:
    before = night(None, on(1), on(5))
    moved = night(before, on(4), days=0)
    assert events(moved) == {
        "2026-11-25": ("CANCELLED", 1, "Curls: 2 x 8"),
        "2026-11-28": ("CONFIRMED", 0, "Curls: 2 x 8"),
        "2026-11-29": ("CANCELLED", 1, "Curls: 2 x 8"),
    }
    back = night(moved, on(1), on(5))
    assert events(back)["2026-11-25"] == ("CONFIRMED", 2, "Curls: 2 x 8")
    assert events(back)["2026-11-28"][:2] == ("CANCELLED", 1)


def test_another_dose_counts_up() -> None:
    assert events(night(night(None, on(1)), on(1, "Curls: 2 x 4")))["2026-11-25"] == ("CONFIRMED", 1, "Curls: 2 x 4")


def test_done_curls_stay_and_those_that_were_left_out_are_cancelled() -> None:
    before = night(None, on(1), on(5))
    after = events(night(before, on(1, "Curls done: 2 x 8", is_done=True), on(9), days=6))
    assert after["2026-11-25"] == ("CONFIRMED", 1, "Curls done: 2 x 8")
    assert after["2026-11-29"][0] == "CANCELLED"


def test_old_days_leave_the_file() -> None:
    assert "2026-11-25" not in events(night(night(None, on(1)), on(70), days=62))


def test_text_that_could_break_a_calendar_comes_back_as_it_was() -> None:
    nasty = "Curls; 2 x 8, it's\nEND:VEVENT \\n"
    assert next(iter(events(night(None, on(1, nasty))).values()))[2] == nasty


def test_what_is_no_calendar_is_refused() -> None:
    with pytest.raises(HamloadError, match="Delete it"):
        night(b"no calendar", on(1))
