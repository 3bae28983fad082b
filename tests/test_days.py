"""On which day a run was: the runner's own calendar, at the place of the run."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from hamload.days import local_day, zone_at

VIENNA = ZoneInfo("Europe/Vienna")
PLACES = {
    "Vienna": (48.21, 16.37),
    "Auckland": (-36.85, 174.76),
    "Honolulu": (21.31, -157.86),
    "Kathmandu": (27.71, 85.32),
    "New York": (40.71, -74.01),
    "Chatham": (-43.95, -176.56),
    "at sea": (-20.0, -20.0),
}
H = 3600


@pytest.mark.parametrize(
    ("start", "own", "place", "service", "day", "source"),
    [
        # A run's own clock, and no other word.
        ("2026-03-02T23:30", 1 * H, None, False, "2026-03-03", "recording"),
        ("2026-03-02T20:30", 13 * H, "Auckland", False, "2026-03-03", "recording"),
        # Positions, where nothing says what the clock showed.
        ("2026-03-02T20:30", None, "Auckland", False, "2026-03-03", "place"),
        ("2026-03-03T05:00", None, "Honolulu", False, "2026-03-02", "place"),
        ("2026-03-02T18:20", None, "Kathmandu", False, "2026-03-03", "place"),
        ("2026-03-02T10:20", None, "Chatham", False, "2026-03-03", "place"),
        # A device that writes UTC as local time, and a watch that was not set after the flight.
        ("2026-03-03T02:00", 0, "New York", False, "2026-03-02", "place"),
        ("2026-03-03T02:00", 1 * H, "New York", False, "2026-03-02", "place"),
        # A clock that somebody has set tells, even beside a place with another time: coordinates may be shifted.
        ("2026-03-02T20:30", 13 * H, "Vienna", False, "2026-03-03", "recording"),
        # A service's word; and its UTC is somebody's local time in London.
        ("2026-03-02T23:30", 1 * H, None, True, "2026-03-03", "service"),
        ("2026-03-02T23:30", 0, None, True, "2026-03-02", "service"),
        # Home, where nothing else is known; at sea no place tells.
        ("2026-03-02T23:30", None, None, False, "2026-03-03", "home"),
        ("2026-03-02T23:30", None, "at sea", False, "2026-03-03", "home"),
        # The night on which the clocks go forward, and the one on which they go back.
        ("2026-03-28T22:59", None, "Vienna", False, "2026-03-28", "place"),
        ("2026-03-29T21:59", None, "Vienna", False, "2026-03-29", "place"),
        ("2026-03-29T22:01", None, "Vienna", False, "2026-03-30", "place"),
        ("2026-10-24T21:59", None, "Vienna", False, "2026-10-24", "place"),
        ("2026-10-25T22:30", None, "Vienna", False, "2026-10-25", "place"),
        # A run over midnight is of the day on which it began.
        ("2026-03-02T22:50", None, "Vienna", False, "2026-03-02", "place"),
    ],
)
def test_the_day_and_what_told_it(
    *, start: str, own: int | None, place: str | None, service: bool, day: str, source: str
) -> None:
    began = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    found = local_day(began, own, PLACES[place] if place else None, VIENNA, is_service=service)
    assert (str(found.date), found.source) == (day, source)


def test_a_hidden_start_is_one_second_after_local_midnight_and_stays_on_its_day() -> None:
    began = dt.datetime(2026, 3, 1, 23, 0, 1, tzinfo=dt.UTC)
    assert str(local_day(began, H, None, ZoneInfo("UTC"), is_service=True).date) == "2026-03-02"


@pytest.mark.parametrize("place", [(91.0, 0.0), (0.0, 181.0), PLACES["at sea"]])
def test_where_no_zone_is_there_is_none(place: tuple[float, float]) -> None:
    assert zone_at(*place) is None
