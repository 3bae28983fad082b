"""Strava's activities through the real client: what a night asks, what it gives, what it survives."""

import datetime as dt
import json
import logging
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from hamload.decode import clean
from hamload.decode.sports import named_sport
from hamload.decode.strava_streams import strava as decode_strava
from hamload.errors import HamloadError, UnreadableError
from hamload.parameters import Signal
from hamload.raw import Raw
from hamload.records import Sport, Streams
from hamload.simulator import PlannedRun, SimulatedRunner, year_of
from hamload.simulator import strava as simulator
from hamload.simulator import streams_of as recorded_streams
from hamload.simulator.strava import Fault, Limits
from hamload.sources import strava
from hamload.sources.pages import Page
from hamload.sources.strava import Pace
from hamload.sources.tokens import TokenFile, Tokens

NIGHT = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RUNNER = SimulatedRunner()
WIDE = Limits((20_000, 200_000), (10_000, 100_000))


def quick(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Record a run of the plan at an even speed, a row a minute: thousands of them are soon made."""
    time_s = 60.0 * np.arange(max(round(run.minutes), 2))
    speed = runner.easy_speed_mps + 0.1 * (run.date.toordinal() % 7)
    n = len(time_s)
    return Streams.of(
        time_s,
        speed_mps=np.full(n, speed),
        distance_m=speed * time_s,
        altitude_m=160 + np.arange(n) % 5,
        latitude_deg=np.full(n, 48.2),
        longitude_deg=16.4 + 1e-5 * time_s,
        heart_rate_bpm=np.full(n, 140.0),
        cadence_spm=np.full(n, 166.0),
    )


def plan(runs: int) -> list[PlannedRun]:
    return year_of(RUNNER, NIGHT.date() - DAY, runs * 2)[-runs:]


@contextmanager
def strava_with(runs: Sequence[PlannedRun], limits: Limits = WIDE, ask_s: float = 0.5) -> Iterator[simulator.Strava]:
    with simulator.serving(simulator.Strava(RUNNER, runs, NIGHT, limits=limits, recorder=quick, ask_s=ask_s)) as served:
        yield served


@dataclass
class Home:
    """What a runner's home keeps: each page whole, or not at all."""

    cursor: dict[str, Any] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    put: list[str] = field(default_factory=list)
    covered_until: dt.date | None = None
    notes: list[str] = field(default_factory=list)

    def commit(self, page: Page) -> None:
        """Keep a page; its cursor is JSON, and comes back as such."""
        self.cursor = json.loads(json.dumps(page.cursor))
        for document in page.documents:
            assert document.format == "strava"
            self.content[document.external_id] = document.content
            self.put.append(document.external_id)
        for key in page.gone:
            del self.content[key]
        self.covered_until = page.covered_until or self.covered_until
        self.notes += [page.note] if page.note else []


def client_of(service: simulator.Strava, timeout_s: float = 5, deadline_s: float = 20) -> Any:
    told = service.tokens()
    return strava.client(simulator.reach(strava.session(timeout_s, deadline_s), service), told["access_token"])


def night(service: simulator.Strava, home: Home, pace: Pace | None = None, *, client: Any = None) -> Page | None:
    """One run, as the nightly flow makes it. Returns its last page."""
    page = None
    for page in strava.fetch(client or client_of(service), home.cursor, service.now, pace):
        home.commit(page)
    return page


def asked(service: simulator.Strava) -> dict[str, int]:
    found: dict[str, int] = {name: number for name, number in service.asked.items() if name != "token"}
    service.asked.clear()
    return found


def streams_of(home: Home, key: str) -> Any:
    return json.loads(home.content[key])["streams"]


# Requests


def test_a_first_night_of_400_runs_asks_once_for_each_and_four_times_for_the_lists() -> None:
    with strava_with(plan(400)) as service:
        service.hidden_from_pages = frozenset(service.ids()[10:14])
        home = Home()
        night(service, home, Pace(backfill_share=1.0))
        made = asked(service)
        service.hidden_from_pages = frozenset()
        print(f"400 activities: {made}, {sum(made.values()) / 400:.4f} requests each")  # noqa: T201  # a figure to show
        assert made["streams"] == len(home.content) == 396
        assert sum(made.values()) / 396 <= 1.01
        assert home.covered_until == NIGHT.date() - DAY
        assert all(streams_of(home, key) for key in home.content)


def test_a_short_page_is_not_the_last_one() -> None:
    with strava_with(plan(90)) as service:
        ids = service.ids()
        service.hidden_from_pages = frozenset(ids[0:25] + ids[40:55])
        home = Home()
        night(service, home, Pace(page_size=30))
        assert len(home.content) == 50
        assert asked(service)["list"] == 4


def test_later_nights_ask_once_for_the_list_and_once_for_each_new_run() -> None:
    runs = plan(300)
    with strava_with(runs[:-1]) as service:
        home = Home()
        night(service, home)
        asked(service)
        service.advance(NIGHT + DAY)
        night(service, home)
        assert asked(service) == {"list": 1}
        assert home.covered_until == NIGHT.date()
        new = service.upload(runs[-1])
        service.advance(NIGHT + 2 * DAY)
        night(service, home)
        assert asked(service) == {"list": 1, "streams": 1}
        assert home.put[-1] == str(new)
        assert home.covered_until == NIGHT.date() + DAY


def test_a_missed_week_is_caught_up_in_one_night() -> None:
    runs = plan(300)
    missed = [run for run in runs if run.date > runs[-1].date - 7 * DAY]
    with strava_with(runs[: -len(missed)]) as service:
        home = Home()
        service.now = NIGHT - 7 * DAY
        night(service, home)
        asked(service)
        for run in missed:
            service.upload(run)
        service.advance(NIGHT)
        night(service, home)
        made = asked(service)
        # A week after the last sweep the whole list is read again: two pages and the empty one.
        print(f"a missed week of {len(missed)} runs: {made}")  # noqa: T201  # a figure to show
        assert made == {"list": 3, "streams": len(missed)}
        assert len(home.content) == 300
        assert home.covered_until == NIGHT.date() - DAY


def test_a_missed_half_year_leaves_no_gap_although_it_is_longer_than_the_overlap() -> None:
    runs = plan(300)
    with strava_with(runs[:150]) as service:
        home = Home()
        service.now = dt.datetime.combine(runs[149].date, dt.time(3, 30), dt.UTC) + DAY
        night(service, home, Pace(sweep_days=10_000))
        for run in runs[150:]:
            service.upload(run)
        service.advance(NIGHT)
        night(service, home, Pace(sweep_days=10_000))
        assert len(home.content) == 300


def test_the_newest_come_first() -> None:
    with strava_with(plan(120)) as service:
        home = Home()
        night(service, home)
        assert home.put == [str(number) for number in service.ids()]


# Limits


def nights(service: simulator.Strava, home: Home, pace: Pace | None = None) -> tuple[int, int]:
    """Run as soon as each run says that it goes on, until one is through. Returns runs and days."""
    began = service.now
    for number in count(1):
        page = night(service, home, pace)
        assert page is not None
        if page.resumes_at is None:
            return number, (service.now.date() - began.date()).days + 1
        assert page.note
        assert page.resumes_at > service.now
        service.advance(page.resumes_at)
        assert number < 200
    raise AssertionError


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "limits", "least", "most"),
    [
        # Half of 1,000 reads for older activities; the newest month and its list come on top.
        pytest.param(3000, Limits(), 95, 500 + 60, marks=pytest.mark.long),
        pytest.param(600, Limits((40, 400), (20, 200)), 18, 100 + 40),
    ],
    ids=["3000", "a fifth"],
)
def test_a_backfill_of_3000_activities_takes_days_passes_no_limit_and_ends_like_one_without_limits(
    number: int, limits: Limits, least: int, most: int
) -> None:
    runs = plan(number)
    with strava_with(runs) as service:
        whole = Home()
        night(service, whole, Pace(backfill_share=1.0, batch=50))
        unlimited = asked(service)
    with strava_with(runs, limits) as service:
        home = Home()
        spent: dict[dt.date, int] = {}
        began = service.now
        for nth in count(1):
            before, day = sum(service.asked.values()), service.now.date()
            page = night(service, home, Pace(batch=50))
            spent[day] = spent.get(day, 0) + sum(service.asked.values()) - before
            if nth == 1:
                first = len(home.content)
                assert home.covered_until == NIGHT.date() - DAY
            if page is None or page.resumes_at is None:
                break
            service.advance(page.resumes_at)
        limited = asked(service)
        days = (service.now.date() - began.date()).days + 1
        print(f"{number:,} activities: {nth} runs on {days} days, {limited}; without limits {unlimited}")  # noqa: T201
        print(f"first run: {first} activities; a day at most {max(spent.values())} requests")  # noqa: T201
        assert service.beyond == 0
        assert first >= least
        assert limited["streams"] == unlimited["streams"] == number
        assert 5 <= days <= 9
        assert max(spent.values()) <= most
        assert home.content == whole.content
        assert sorted(home.put) == sorted(whole.put)
        assert home.cursor["known"] == whole.cursor["known"]
        assert home.cursor["is_whole"]


def test_a_backfill_under_way_does_not_hold_up_the_new_runs_of_each_day() -> None:
    runs = plan(500)
    with strava_with(runs[:-3], Limits((40, 200), (30, 100))) as service:
        service.now = dt.datetime.combine(runs[-4].date + DAY, dt.time(3, 30), dt.UTC)
        home = Home()
        night(service, home)
        for run in runs[-3:]:
            number = service.upload(run)
            service.advance(dt.datetime.combine(run.date + DAY, dt.time(3, 30), dt.UTC))
            night(service, home)
            assert str(number) in home.content
            assert home.covered_until == run.date
        nights(service, home)
        assert len(home.content) == 500
        assert service.beyond == 0


def test_no_share_for_backfill_reads_the_newest_month_and_leaves_the_rest() -> None:
    with strava_with(plan(150), Limits()) as service:
        home = Home()
        page = night(service, home, Pace(backfill_share=0.0))
        assert page is not None
        assert page.resumes_at == dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
        recent = [n for n in service.ids() if n >= 10_000_000_000 + (NIGHT - 30 * DAY).timestamp()]
        assert home.put == [str(number) for number in recent]
        assert "older activities" in page.note


def test_a_limit_that_others_have_used_up_costs_one_refused_request_and_no_more() -> None:
    with strava_with(plan(20), Limits((200, 2000), (0, 1000))) as service:
        home = Home()
        page = night(service, home)
        assert page is not None
        assert page.resumes_at == dt.datetime(2026, 11, 24, 3, 45, tzinfo=dt.UTC)
        assert page.covered_until is None
        night(service, home)
        assert service.beyond == 1
        service.limits = Limits()
        service.advance(page.resumes_at)
        night(service, home)
        assert len(home.content) == 20


def test_a_day_that_is_used_up_goes_on_at_midnight_utc() -> None:
    with strava_with(plan(60), Limits((200, 2000), (100, 40))) as service:
        home = Home()
        page = night(service, home, Pace(backfill_share=1.0))
        assert page is not None
        assert page.resumes_at == dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
        assert service.beyond == 0


def test_a_429_without_any_limit_announced_waits_for_the_next_quarter() -> None:
    with strava_with(plan(5)) as service:
        client = client_of(service)
        service.faults.add("list", Fault("status", 429), 1)
        service._announced = dict  # type: ignore[method-assign]
        page = night(service, Home(), client=client)
        assert page is not None
        assert page.resumes_at == dt.datetime(2026, 11, 24, 3, 45, tzinfo=dt.UTC)


def test_a_run_that_is_killed_after_any_page_loses_nothing_and_fetches_at_most_one_page_again() -> None:
    runs = plan(45)
    pace = Pace(batch=5, page_size=20, backfill_share=1.0)
    with strava_with(runs) as service:
        whole = Home()
        night(service, whole, pace)
        asked(service)
        for kept in range(12):
            home = Home()
            for number, page in enumerate(strava.fetch(client_of(service), {}, service.now, pace)):
                if number == kept:
                    break  # killed while this page was being put
                home.commit(page)
            service.advance(NIGHT + DAY)
            night(service, home, pace)
            assert home.content == whole.content
            assert len(home.put) == 45
            assert asked(service)["streams"] <= 45 + pace.batch
            assert home.cursor["is_whole"]


# Edits, deletions, late uploads


def test_an_edit_is_fetched_again_and_kudos_are_not() -> None:
    with strava_with(plan(40)) as service:
        home = Home()
        night(service, home)
        first, second = service.ids()[2:4]
        asked(service)
        service.edit(first, name="Canal loop", distance=9000)
        service.edit(second, kudos_count=12, comment_count=3)
        night(service, home)
        assert home.put[40:] == [str(first)]
        assert json.loads(home.content[str(first)])["summary"]["name"] == "Canal loop"
        assert asked(service)["streams"] == 1
        night(service, home)
        assert len(home.put) == 41


def test_whole_numbers_written_with_and_without_a_point_are_no_edit() -> None:
    with strava_with(plan(10)) as service:
        number = service.ids()[0]
        service.edit(number, distance=9000, total_elevation_gain=0)
        home = Home()
        night(service, home)
        service.edit(number, distance=9000.0, total_elevation_gain=0.0)
        night(service, home)
        assert len(home.put) == 10


def test_a_ride_that_becomes_a_run_gets_its_streams() -> None:
    with strava_with(plan(10)) as service:
        number = service.ids()[0]
        service.edit(number, sport_type="Ride", type="Ride")
        home = Home()
        night(service, home)
        assert streams_of(home, str(number)) is None
        assert asked(service)["streams"] == 9
        service.edit(number, sport_type="Run", type="Run")
        night(service, home)
        assert streams_of(home, str(number))


def test_a_deletion_is_confirmed_before_it_is_told() -> None:
    with strava_with(plan(60)) as service:
        home = Home()
        night(service, home)
        asked(service)
        deleted, kept_quiet = service.ids()[3:5]
        service.delete(deleted)
        service.hidden_from_pages = frozenset({kept_quiet})
        night(service, home)
        assert str(deleted) not in home.content
        assert str(kept_quiet) in home.content
        assert asked(service) == {"list": 1, "activity": 2}
        night(service, home)
        assert asked(service) == {"list": 1}
        service.hidden_from_pages = frozenset()
        service.delete(kept_quiet)
        service.advance(NIGHT + 7 * DAY)
        night(service, home)
        assert str(kept_quiet) not in home.content


def test_an_empty_list_by_mistake_deletes_nothing() -> None:
    with strava_with(plan(30)) as service:
        home = Home()
        night(service, home)
        service.hidden_from_pages = frozenset(service.ids())
        night(service, home, Pace(confirmations=50))
        assert len(home.content) == 30


def test_an_old_deletion_is_found_by_the_weekly_sweep() -> None:
    with strava_with(plan(300)) as service:
        home = Home()
        night(service, home)
        old = service.ids()[-1]
        service.delete(old)
        service.advance(NIGHT + 3 * DAY)
        night(service, home)
        assert str(old) in home.content
        service.advance(NIGHT + 7 * DAY)
        night(service, home)
        assert str(old) not in home.content


def test_a_late_upload_is_found_the_next_night_within_the_overlap_and_within_a_week_beyond_it() -> None:
    runs = plan(300)
    recent, old = runs[-8], runs[3]
    with strava_with([run for run in runs if run not in {recent, old}]) as service:
        home = Home()
        night(service, home)
        numbers = [str(service.upload(run)) for run in (recent, old)]
        service.advance(NIGHT + DAY)
        night(service, home)
        assert home.put[298:] == numbers[:1]
        for days in range(2, 8):
            service.advance(NIGHT + days * DAY)
            night(service, home)
        assert home.put[298:] == numbers
        assert len(home.content) == 300


def test_runs_entered_by_hand_and_other_sports_cost_nothing_beyond_the_list() -> None:
    with strava_with(plan(5)) as service:
        by_hand = service.enter(NIGHT - 2 * DAY, 3000, 9000.0)
        swim = service.enter(NIGHT - 3 * DAY, 1800, 1500.0, sport_type="Swim", type="Swim", manual=False, upload_id=1)
        home = Home()
        night(service, home)
        assert asked(service)["streams"] == 5
        found = {key: json.loads(home.content[str(key)])["note"] for key in (by_hand, swim)}
        assert found == {by_hand: "entered by hand", swim: "no run"}


# Faults

FAULTS = {
    "401": Fault("status", 401),
    "403": Fault("status", 403),
    "403 inactive": Fault("inactive"),
    "404": Fault("status", 404),
    "429": Fault("status", 429),
    "500": Fault("status", 500),
    "404 as a web page": Fault("html", 404),
    "503 as a web page": Fault("html", 503),
    "a web page with 200": Fault("html", 200),
    "cut off": Fault("cut"),
    "torn": Fault("torn"),
    "no answer": Fault("silent", wait_s=1.0),
    "byte by byte": Fault("drip"),
    "empty": Fault("empty"),
    "other JSON": Fault("garbage"),
}
#: What a fault is called where it ends a run.
NAMES: Mapping[str, tuple[type[HamloadError], ...]] = {
    "401": (strava.LoginNeededError,),
    "403": (strava.LoginNeededError,),
    "403 inactive": (strava.SubscriptionLapsedError,),
    "500": (strava.ServiceDownError,),
    "503 as a web page": (strava.ServiceDownError,),
    "no answer": (strava.ServiceDownError,),
    "byte by byte": (strava.ServiceDownError,),
    "cut off": (strava.ServiceDownError,),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("endpoint", ["list", "streams", "activity"])
def test_a_fault_at_any_endpoint_ends_the_run_and_the_next_night_completes(
    endpoint: simulator.Endpoint, fault: str
) -> None:
    runs = plan(30)
    with strava_with(runs) as service:
        home = Home()
        night(service, home)
        # Something for every endpoint to tell: a run more, and one fewer.
        service.delete(service.ids()[4])
        service.upload(replace(runs[-1], date=runs[-1].date - DAY, start=dt.time(21)))
        asked(service)
        service.faults.add(endpoint, FAULTS[fault])
        client = client_of(service, timeout_s=0.3, deadline_s=0.6)
        before, covered = time.monotonic(), home.covered_until
        home.covered_until = None
        failure = None
        try:
            page = night(service, home, client=client)
        except HamloadError as error:
            failure = error
        else:
            assert page is not None
            # A 404 is an answer: there are no streams, the activity is gone. Its body adds nothing.
            is_answer = fault == "404" or (endpoint, fault) == ("activity", "torn")
            assert page.resumes_at or is_answer or endpoint == "streams"
        assert time.monotonic() - before < 5
        assert sum(asked(service).values()) <= 6
        if failure is not None:
            assert isinstance(failure, NAMES.get(fault, (strava.NotUnderstoodError,)))
            assert failure.remedy
        if endpoint == "list":
            assert home.covered_until is None, "what could not be read must not become rest"
        assert covered
        service.faults.clear()
        service.advance(NIGHT + DAY)
        night(service, home)
        assert set(home.content) == {str(number) for number in service.ids()}
        assert all(streams_of(home, key) for key in home.content) or (endpoint, fault) == ("streams", "404")
        assert home.covered_until == NIGHT.date()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_first_night_of_all_leaves_what_came_before_it(fault: str) -> None:
    with strava_with(plan(30)) as service:
        home = Home()
        service.faults.add("streams", FAULTS[fault], after=14)
        client = client_of(service, timeout_s=0.3, deadline_s=0.6)
        try:
            night(service, home, client=client)
        except HamloadError:
            assert 14 <= len(home.content) < 30
        service.faults.clear()
        service.advance(NIGHT + DAY)
        night(service, home)
        assert set(home.content) == {str(number) for number in service.ids()}
        assert fault == "404" or all(streams_of(home, key) for key in home.content)


def test_one_run_whose_streams_strava_cannot_give_hides_no_other_and_is_asked_for_again() -> None:
    with strava_with(plan(30)) as service:
        home = Home()
        service.faults.add("streams", Fault("status", 500), 1, after=4)
        night(service, home)
        poisoned = str(service.ids()[4])
        assert len(home.content) == 30
        assert streams_of(home, poisoned) is None
        assert json.loads(home.content[poisoned])["note"] == "Strava failed to give its streams"
        service.faults.add("streams", Fault("status", 500), 1)
        night(service, home)
        assert len(home.put) == 30
        night(service, home)
        assert home.put[30:] == [poisoned]
        assert streams_of(home, poisoned)
        asked(service)
        night(service, home)
        assert asked(service) == {"list": 1}


def test_an_edit_whose_streams_fail_takes_nothing_away_and_comes_the_next_night() -> None:
    with strava_with(plan(10)) as service:
        home = Home()
        night(service, home)
        edited = service.ids()[0]
        service.edit(edited, name="Canal loop")
        service.faults.add("streams", Fault("status", 500), 1)
        night(service, home)
        assert len(home.put) == 10
        assert streams_of(home, str(edited))
        night(service, home)
        assert json.loads(home.content[str(edited)])["summary"]["name"] == "Canal loop"
        assert streams_of(home, str(edited))


def test_an_entry_without_a_number_is_passed_over_and_told() -> None:
    with strava_with(plan(10)) as service:
        service.edit(service.ids()[2], id=None)
        home = Home()
        night(service, home)
        assert len(home.content) == 9
        assert home.notes == ["Strava lists 1 activities without a number: no day can be vouched for."]


def test_an_activity_without_a_readable_start_is_put_for_the_decoder_to_refuse(signal: Signal) -> None:
    with strava_with(plan(10)) as service:
        odd = service.ids()[2]
        service.edit(odd, start_date="some day")
        home = Home()
        night(service, home)
        assert len(home.content) == 10
        with pytest.raises(UnreadableError, match="when it began"):
            decode_strava(home.content[str(odd)], signal)


def test_streams_that_fail_for_a_fortnight_are_given_up() -> None:
    with strava_with(plan(10)) as service:
        home = Home()
        service.faults.add("streams", Fault("status", 500), 1)
        night(service, home)
        service.faults.add("streams", Fault("status", 500))
        service.advance(NIGHT + 13 * DAY)
        night(service, home)
        service.advance(NIGHT + 14 * DAY)
        asked(service)
        night(service, home)
        assert "streams" not in asked(service)


def test_a_list_that_does_not_go_on_is_not_followed_for_ever() -> None:
    with strava_with(plan(30)) as service:
        shown = service._list
        service._list = lambda query: shown({**query, "page": "1"})  # type: ignore[method-assign]
        with pytest.raises(strava.NotUnderstoodError, match="does not go on"):
            night(service, Home())
        assert service.asked["list"] == 2


def test_the_activities_of_another_account_are_never_mixed_in() -> None:
    with strava_with(plan(10)) as service:
        home = Home()
        night(service, home)
        service.edit(service.ids()[0], athlete={"id": 99, "resource_state": 1})
        with pytest.raises(strava.AnotherRunnerError, match="hamload forget strava"):
            night(service, home)
        assert len(home.put) == 10


# Signing in


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "strava.json")


def app_of(service: simulator.Strava) -> strava.App:
    return strava.App(service.client_id, service.client_secret)


def test_the_way_in_asks_for_all_activities_and_carries_its_state() -> None:
    url = strava.authorization_url(strava.App(17, "s"), "http://localhost:8123/", "the-state")
    assert url.startswith("https://www.strava.com/oauth/authorize?client_id=17&")
    assert "scope=read%2Cactivity%3Aread_all" in url
    assert url.endswith("&state=the-state")
    moved = strava.authorization_url(strava.App(17, "s"), "http://x/", "y", strava.Host(sign_in="example.org"))
    assert moved.startswith("https://example.org/oauth/authorize?")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("state=other&code=c", "does not belong"),
        ("code=c", "does not belong"),
        ("state=mine&error=access_denied", "not allowed"),
        ("state=mine", "holds no code"),
        ("state=mine&code=c&scope=read", "activities"),
    ],
)
def test_an_address_that_does_not_sign_in_says_why(query: str, says: str) -> None:
    with pytest.raises(strava.LoginNeededError, match=says):
        strava.read_callback(f"http://localhost/?{query}", "mine")


def test_a_code_signs_in_once(file: TokenFile) -> None:
    with strava_with(plan(3)) as service:
        reached = simulator.reach(strava.session(), service)
        code, scope = strava.read_callback(service.allow(state="mine"), "mine")
        tokens = strava.exchange(file, app_of(service), reached, code, scope)
        assert file.read() == tokens
        assert tokens.scope == "read,activity:read_all"
        assert tokens.refresh_token
        assert len(list(strava.fetch(strava.client(reached, tokens.access_token), {}, service.now))) == 2
        with pytest.raises(strava.LoginNeededError, match="works once"):
            strava.exchange(file, app_of(service), reached, code)
        with pytest.raises(strava.AppRefusedError, match="settings/api"):
            strava.exchange(file, strava.App(1, "wrong"), reached, code)
        assert file.read() == tokens


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_refresh_ends_by_itself_and_keeps_the_runner_signed_in(file: TokenFile, fault: str) -> None:
    with strava_with(plan(3)) as service:
        # Where the answer is lost on its way, only a service that does not rotate can be asked again.
        service.rotates = False
        told = service.tokens()
        ends_at = dt.datetime.fromtimestamp(told["expires_at"], dt.UTC)
        file.save(Tokens(told["access_token"], told["refresh_token"], ends_at))
        service.advance(NIGHT + DAY)
        service.faults.add("token", FAULTS[fault])
        impatient = simulator.reach(strava.session(0.3, 0.6), service)
        before, remedy = time.monotonic(), "none needed"
        try:
            strava.refresh_here(file, app_of(service), impatient, service.now)
        except HamloadError as error:
            remedy = error.remedy
        assert remedy
        assert time.monotonic() - before < 5
        service.faults.clear()
        tokens = strava.refresh_here(file, app_of(service), impatient, service.now)
        assert tokens.lasts_until(service.now)


def test_a_revoked_access_is_told_with_its_remedy(file: TokenFile) -> None:
    with strava_with(plan(3)) as service:
        client = client_of(service)
        told = service.tokens()
        service.revoke()
        with pytest.raises(strava.LoginNeededError, match="hamload auth strava"):
            night(service, Home(), client=client)
        file.save(Tokens(told["access_token"], told["refresh_token"], NIGHT))
        with pytest.raises(strava.LoginNeededError, match="no longer accepts"):
            strava.refresh_here(file, app_of(service), simulator.reach(strava.session(), service), NIGHT)


def test_no_secret_is_in_a_log_a_message_or_a_traceback(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    with strava_with(plan(5)) as service:
        service.client_secret = "canary-secret"  # noqa: S105  # made to be looked for
        secret = service._secret
        service._secret = lambda kind: f"canary-{secret(kind)}"  # type: ignore[method-assign]
        reached = simulator.reach(strava.session(0.3, 0.6), service)
        code, _ = strava.read_callback(service.allow(), "")
        tokens = strava.exchange(file, app_of(service), reached, code)
        for fault in FAULTS.values():
            for act in (
                lambda: list(strava.fetch(strava.client(reached, tokens.access_token), {}, service.now)),
                lambda: strava.refresh_here(file, app_of(service), reached, NIGHT + 2 * DAY),
            ):
                service.faults.add("list", fault, 1)
                service.faults.add("token", fault, 1)
                try:
                    act()
                except HamloadError as error:
                    told += "".join(traceback.format_exception(error)) + repr(error)
                    links = [error.__context__, error.__cause__]
                    assert not any(isinstance(link, OSError) for link in links), "it holds the request"
                file.save(tokens)
                service.faults.clear()
    assert "canary" in file.path.read_text()
    assert "Error" in told
    assert "canary" not in told + caplog.text + repr(app_of(service)) + repr(tokens)


# The session


def test_the_client_never_goes_where_it_was_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with strava_with(plan(3)) as service:
        home = Home()
        night(service, home)
        assert len(home.content) == 3, "the password of ~/.netrc took the token's place"
        reached = simulator.reach(strava.session(), service)
        answer = reached.get("https://www.strava.com/oauth/authorize?state=x")
        assert answer.status_code == 302


def test_an_answer_without_end_is_cut_at_its_size() -> None:
    with strava_with(plan(200)) as service:
        reached = simulator.reach(strava.session(max_bytes=10_000), service)
        with pytest.raises(strava.ServiceDownError):
            night(service, Home(), client=strava.client(reached, service.tokens()["access_token"]))


def test_the_address_of_2027_is_a_setting() -> None:
    with strava_with(plan(3)) as service:
        reached = simulator.reach(strava.session(), service, "api-v3.strava.com")
        host = strava.Host(api="api-v3.strava.com")
        home = Home()
        night(service, home, client=strava.client(reached, service.tokens()["access_token"], host))
        assert len(home.content) == 3


def test_the_client_refreshes_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRAVA_CLIENT_ID", "12345")
    monkeypatch.setenv("STRAVA_CLIENT_SECRET", "simulated-client-secret")
    with strava_with(plan(3)) as service:
        client = client_of(service)
        client.refresh_token, client.token_expires = service.tokens()["refresh_token"], 1
        night(service, Home(), client=client)
        assert service.asked["token"] == 0


# What is told of an activity


def test_source_and_decoder_agree_on_every_sport_of_the_client() -> None:
    from stravalib.strava_model import SportType  # noqa: PLC0415  # takes over a second

    names = get_args(SportType.model_fields["root"].annotation)
    assert len(names) > 50
    for name in (*names, "FellRun", "BackwardsRun", ""):
        assert strava.sport_of({"sport_type": name}) is named_sport(name), name
    families = {name: strava.sport_of({"sport_type": name}) for name in names}
    assert [n for n, sport in families.items() if sport.is_running] == ["Run", "TrailRun", "VirtualRun"]
    assert families["VirtualRun"] is Sport.TREADMILL
    assert strava.sport_of({"sport_type": "Run", "trainer": True, "start_latlng": []}) is Sport.TREADMILL


def test_the_facts_hold_what_strava_says_and_leave_out_what_it_does_not() -> None:
    told = strava.facts_of(
        {
            "name": "Lunch",
            "sport_type": "Run",
            "start_date": "2026-03-29T01:30:00Z",
            "utc_offset": 7200.0,
            "distance": 0,
        }
    )
    assert told == {
        "title": "Lunch",
        "type": "Run",
        "sport": "run",
        "start_at": "2026-03-29T01:30:00+00:00",
        "utc_offset_s": 7200.0,
    }


# The recordings


class Recorded(simulator.Strava):
    """Answers with recordings of the real service, in their own words."""

    def __init__(self, rows: Sequence[dict[str, Any]], streams: Mapping[int, Any]) -> None:
        super().__init__(RUNNER, [], NIGHT, limits=WIDE)
        self.rows, self.streams = rows, streams

    def _shown(self, endpoint: simulator.Endpoint, argument: int, query: Mapping[str, str]) -> simulator._Answer:
        if endpoint == "list":
            size, page = int(query["per_page"]), int(query["page"])
            return simulator._Answer(200, simulator._json(self.rows[(page - 1) * size : page * size]))
        if argument in self.streams:
            return simulator._Answer(200, simulator._json(self.streams[argument]))
        return simulator._Answer(404, b'{"message": "Record Not Found", "errors": []}')


def recorded_rows(shared_data: Path) -> list[dict[str, Any]]:
    pages = json.loads((shared_data / "api" / "strava" / "all_athlete_activities.json").read_text())
    return [row for page in pages for row in page["response"]["body"]]


def test_the_recorded_activities_go_the_whole_way_each_accepted_or_refused_with_a_reason(
    shared_data: Path, tmp_path: Path, signal: Signal
) -> None:
    rows = recorded_rows(shared_data)
    accepted: list[Any] = []
    refused: list[str] = []
    with simulator.serving(Recorded(rows, {})) as service, Raw(tmp_path) as raw:
        for page in strava.fetch(client_of(service), {}, NIGHT, Pace(backfill_share=1.0)):
            with raw.batch("strava", "me", NIGHT) as batch:
                for d in page.documents:
                    batch.put(d.content, d.format, name=d.name, external_id=d.external_id, facts=d.facts)
                batch.cursor(page.cursor)
        made = asked(service)
        for delivery in raw.deliveries():
            try:
                recording = decode_strava(raw.content(delivery.document_id, delivery.format), signal)
            except UnreadableError as error:
                refused.append(str(error))
            else:
                accepted.append((delivery, recording))
        assert set(raw.cursor("strava", "me")["known"]) == {str(row["id"]) for row in rows}
    print(f"recorded: {len(accepted)} accepted, {len(refused)} refused {set(refused)}, {made}")  # noqa: T201
    assert len(rows) == len(accepted) + len(refused) == 1132
    assert all(refused)
    # Every run is asked for once, unless it was entered by hand; pages of 200, and the empty one.
    asked_for = [row for row in rows if "Run" in row["sport_type"] and not row["manual"]]
    assert made == {"list": 7, "streams": len(asked_for)}
    by_id = {str(row["id"]): row for row in rows}
    assert len(accepted) == 1132
    for delivery, recording in accepted:
        row = by_id[delivery.external_id]
        assert recording.start_at.isoformat() == delivery.facts["start_at"] == row["start_date"].replace("Z", "+00:00")
        assert recording.sport.value == delivery.facts["sport"]
        assert recording.utc_offset_s == row["utc_offset"]
        local = recording.start_at + dt.timedelta(seconds=recording.utc_offset_s)
        assert f"{local:%Y-%m-%dT%H:%M:%SZ}" == row["start_date_local"]
        assert recording.timer_time_s == row["moving_time"]
        assert recording.notes
    kinds = {sport: sum(r.sport is sport for _, r in accepted) for sport in Sport}
    assert (kinds[Sport.RUN], kinds[Sport.TREADMILL], kinds[Sport.SWIM], kinds[Sport.STRENGTH]) == (906, 2, 159, 5)


def test_the_recorded_run_with_nine_streams_goes_the_whole_way(shared_data: Path, signal: Signal) -> None:
    folder = shared_data / "api" / "strava"
    row = json.loads((folder / "runpandas_activity.json").read_text())
    streams = json.loads((folder / "runpandas_streams.json").read_text())
    with simulator.serving(Recorded([row], {row["id"]: streams})) as service:
        home = Home()
        night(service, home)
    recording = decode_strava(home.content[str(row["id"])], signal)
    assert recording.streams is not None
    assert len(recording.streams) == 1747
    assert recording.rpe == 6.0
    assert recording.streams.cadence_spm[0] == 158
    samples, quality = clean(recording, signal)
    clock = quality.used_s + quality.paused_s + quality.lost_s + quality.dropped_s
    print(f"nine streams: {quality}, moving {row['moving_time']} s")  # noqa: T201  # a figure to show
    assert clock == pytest.approx(row["elapsed_time"])
    assert float((samples.speed_mps * samples.dt_s).sum()) == pytest.approx(row["distance"], rel=0.02)
    assert quality.used_s == pytest.approx(row["moving_time"], rel=0.03)
    assert quality.paused_s == 246
    assert quality.lost_s == 0
    assert quality.heart_rate_coverage > 0.95


def test_a_simulated_run_is_decoded_as_the_watch_recorded_it(signal: Signal) -> None:
    run = next(r for r in reversed(plan(10)) if r.kind == "easy")
    with simulator.serving(simulator.Strava(RUNNER, [run], NIGHT, limits=WIDE)) as service:
        home = Home()
        night(service, home)
    recording = decode_strava(next(iter(home.content.values())), signal)
    original = recorded_streams(RUNNER, run)
    assert recording.streams is not None
    assert len(recording.streams) == len(original)
    assert np.abs(recording.streams.distance_m - original.distance_m).max() <= 0.051
    samples, _ = clean(recording, signal)
    expected, _ = clean(replace(recording, streams=original), signal)
    assert samples.speed_mps.mean() == pytest.approx(expected.speed_mps.mean(), rel=0.01)
