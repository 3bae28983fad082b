"""First night, later nights, a missed week: what is asked, what arrives, and that each run counts once."""

import datetime as dt
from typing import Any

from hamload.records import Service

YESTERDAY = dt.date(2026, 11, 22)


def test_a_first_night_fetches_from_all_three_services_and_counts_each_run_once(live: Any) -> None:
    home = live(4)
    night = home.night()
    assert night.failed_sources == ()
    assert night.failed_checks == ()
    assert [(f.service, f.covered_until) for f in night.fetched] == [(s, YESTERDAY) for s in Service]
    # Strava: two lists (the second is empty, and says that it was all) and the streams of each run; Garmin: one list,
    # four runs and a strength session with its sets; the Personal API: its key and the same files.
    assert home.requests() == {
        "strava": {"list": 2, "streams": 4},
        "garmin": {"activities": 1, "download": 5, "exercise_sets": 1},
        "garmin_personal": {"key": 1, "activities": 1, "download": 5},
    }
    runs = home.ask("select title, copies, format, confidence from marts.sessions order by start_at")
    assert runs == [(f"Simulated {kind} run", 1, "fit", "high") for kind in ("intervals", "hills", "long", "easy")]
    assert home.ask("select count(*) from marts.activities where source = 'strava' and is_primary") == [(0,)]


def test_a_later_night_with_nothing_new_asks_for_the_lists_alone(live: Any) -> None:
    home = live(4, renews=True, tells=False)
    home.night()
    home.requests()
    before = home.ask("select * from marts.sessions")
    night = home.night(days=1)
    assert [f.new for f in night.fetched] == [0, 0, 0]
    asked = home.requests()
    assert asked["garmin"] == {"activities": 1}
    assert asked["garmin_personal"] == {"key": 1, "activities": 1}
    assert asked["strava"] == {"token": 1, "list": 2}
    assert home.ask("select * from marts.sessions") == before
    assert home.ask("select distinct is_known from marts.daily_load where series = 'total'") == [(True,)]
