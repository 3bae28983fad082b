"""Garmin Connect through the real, unmodified client, against the simulated service on loopback."""

import datetime as dt
import json
import logging
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import garminconnect.client.sso
import pytest
from garminconnect.client import Client

from hamload.decode import decode
from hamload.decode.summary import summary
from hamload.errors import HamloadError
from hamload.records import Sport
from hamload.simulator import SimulatedRunner, fit_bytes, start_of, year_of
from hamload.simulator.garmin import (
    Account,
    Answer,
    Asked,
    Fault,
    GarminSimulator,
    RateLimit,
    Upload,
    archive,
    json_answer,
)
from hamload.sources import garmin
from hamload.sources.garmin import Hosts, Reach
from hamload.sources.garmin_listing import recording, sport_of
from hamload.sources.pages import Document, Page

RUNNER = SimulatedRunner()
FIRST_NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
YESTERDAY = dt.date(2026, 11, 22)
DAY = dt.timedelta(days=1)
CODE = "canary-code"
PASSWORD = "canary-password"  # noqa: S105  # the simulated runner's


class Night:
    """A clock that goes from night to night."""

    def __init__(self) -> None:
        self.now = FIRST_NIGHT

    def __call__(self) -> dt.datetime:
        """Return the moment."""
        return self.now

    def pass_by(self, days: int = 1) -> dt.datetime:
        """Let nights pass, and return the moment."""
        self.now += days * DAY
        return self.now


def account(night: Night, days: int = 6, curls: int = 1, until: dt.date = YESTERDAY) -> Account:
    return Account(RUNNER, year_of(RUNNER, until, days), night, curls=curls)


def hosts(simulator: GarminSimulator) -> Hosts:
    base = simulator.base
    return Hosts(base, base, base, f"{base}/di-oauth2-service/oauth/token")


def signed_in(simulator: GarminSimulator, folder: Path) -> Path:
    tokens = folder / "tokens"
    tokens.mkdir(mode=0o700, exist_ok=True)
    (tokens / garmin.TOKENS).write_text(json.dumps(simulator.tokens()), encoding="utf-8")
    return tokens


@pytest.fixture
def night() -> Night:
    return Night()


@pytest.fixture
def simulator(night: Night) -> Iterator[GarminSimulator]:
    with GarminSimulator(account(night), password=PASSWORD) as running:
        yield running


@pytest.fixture
def tokens(simulator: GarminSimulator, tmp_path: Path) -> Path:
    return signed_in(simulator, tmp_path)


class Run:
    """What one run gave: its pages up to the end or to the error."""

    def __init__(self, pages: list[Page], error: HamloadError | None, cursor: Mapping[str, Any]) -> None:
        self.pages, self.error = pages, error
        self.cursor = pages[-1].cursor if pages else dict(cursor)
        self.documents: list[Document] = [document for page in pages for document in page.documents]
        self.notes = " ".join(page.note for page in pages)
        self.gone = [external_id for page in pages for external_id in page.gone]

    def ids(self, format_: str) -> list[str]:
        """Return whose documents of a format were given, in their order."""
        return [document.external_id for document in self.documents if document.format == format_]


def run(
    simulator: GarminSimulator,
    tokens: Path,
    now: dt.datetime,
    cursor: Mapping[str, Any] | None = None,
    reach: Reach | None = None,
) -> Run:
    """Do what a nightly run does, through JSON as the ledger does. It never logs in."""
    pages: list[Page] = []
    error: HamloadError | None = None
    before = json.loads(json.dumps(dict(cursor or {})))
    try:
        with garmin.connect(tokens, hosts=hosts(simulator), retries=1, wait_s=0.01, timeout_s=0.5) as connection:
            for page in garmin.fetch(connection, before, now, reach):
                pages.append(page)  # noqa: PERF402  # what came before an error counts
    except HamloadError as failure:
        error = failure
    assert simulator.logins == 0
    return Run(pages, error, before)


# --- requests, counted ---


def test_a_year_costs_one_list_and_one_download_each_and_the_next_nights_one_list(tmp_path: Path) -> None:
    night = Night()
    year = account(night, days=365, curls=0)
    tomorrow = year_of(RUNNER, YESTERDAY + 7 * DAY, 7)[0]
    year.add(_upload(year, tomorrow, 1))
    with GarminSimulator(year) as simulator:
        tokens = signed_in(simulator, tmp_path)
        first = run(simulator, tokens, night())
        runs = len(year.visible())
        assert runs > 200
        assert first.error is None
        assert dict(simulator.requests) == {"activities": 1, "download": runs}
        assert first.pages[-1].covered_until == YESTERDAY
        starts = [document.facts["start_at"] for document in first.documents]
        assert starts == sorted(starts, reverse=True)
        simulator.requests.clear()
        night.now = tomorrow_night = dt.datetime.combine(tomorrow.date + DAY, dt.time(3, 30), dt.UTC)
        second = run(simulator, tokens, tomorrow_night, first.cursor)
        assert second.ids("fit") == ["1"]
        assert dict(simulator.requests) == {"activities": 1, "download": 1}
        simulator.requests.clear()
        third = run(simulator, tokens, tomorrow_night + DAY, second.cursor)
        assert third.documents == []
        assert dict(simulator.requests) == {"activities": 1}
        assert max(simulator.downloads.values()) == 1


def test_what_arrives_is_the_runners_own_file_with_the_services_words(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    first = run(simulator, tokens, night())
    newest = next(upload for upload in simulator.account.visible() if upload.run is not None)
    assert newest.run is not None
    document = next(d for d in first.documents if d.external_id == str(newest.activity_id))
    assert document.content == fit_bytes(RUNNER, newest.run)
    (activity,) = decode(document.content, "fit")
    assert document.facts["title"] == newest.title
    assert dt.datetime.fromisoformat(document.facts["start_at"]) == activity.start_at == newest.start_at
    assert document.facts["sport"] == activity.sport == "run"
    assert document.facts["utc_offset_s"] == activity.utc_offset_s == 3600
    assert activity.distance_m is not None
    assert document.facts["distance_m"] == pytest.approx(activity.distance_m, abs=0.01)
    assert "rpe" not in document.facts


def test_a_strength_session_comes_with_its_sets(simulator: GarminSimulator, tokens: Path, night: Night) -> None:
    first = run(simulator, tokens, night())
    (told,) = [d for d in first.documents if d.format == "garmin"]
    (file,) = [d for d in first.documents if d.external_id == told.external_id and d.format == "fit"]
    sets = json.loads(told.content)["exercise_sets"]["exerciseSets"]
    assert [s["weight"] for s in sets if s["setType"] == "ACTIVE"] == [0.0, 20_000.0, 40_000.0]
    assert decode(file.content, "fit")[0].sport is Sport.STRENGTH
    assert simulator.requests["exercise_sets"] == 1


# --- what changes later ---


def test_a_late_upload_of_three_weeks_ago_is_found(tmp_path: Path) -> None:
    night = Night()
    month = account(night, days=25, curls=0)
    late = min(month.uploads.values(), key=lambda upload: upload.start_at)
    late.uploaded_at = FIRST_NIGHT + 2 * DAY
    with GarminSimulator(month) as simulator:
        tokens = signed_in(simulator, tmp_path)
        first = run(simulator, tokens, night())
        second = run(simulator, tokens, night.pass_by(), first.cursor)
        assert second.documents == []
        third = run(simulator, tokens, night.pass_by(2), second.cursor)
        assert third.ids("fit") == [str(late.activity_id)]
        assert set(simulator.downloads.values()) == {1}


def test_an_edit_is_told_with_the_same_file(simulator: GarminSimulator, tokens: Path, night: Night) -> None:
    first = run(simulator, tokens, night())
    upload = simulator.account.visible()[2]
    upload.title = "Hills with Ada"
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    (document,) = second.documents
    (before,) = [d for d in first.documents if d.external_id == document.external_id]
    assert document.facts == {**before.facts, "title": "Hills with Ada"}
    assert document.content == before.content


def test_a_deletion_counts_when_two_lists_in_a_row_lack_it(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    first = run(simulator, tokens, night())
    upload = simulator.account.visible()[1]
    upload.is_deleted = True
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    third = run(simulator, tokens, night.pass_by(), second.cursor)
    fourth = run(simulator, tokens, night.pass_by(), third.cursor)
    assert [second.gone, third.gone, fourth.gone] == [[], [str(upload.activity_id)], []]


def test_what_is_missing_for_one_night_only_is_not_gone(simulator: GarminSimulator, tokens: Path, night: Night) -> None:
    first = run(simulator, tokens, night())
    upload = simulator.account.visible()[1]
    upload.is_deleted = True
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    upload.is_deleted = False
    third = run(simulator, tokens, night.pass_by(), second.cursor)
    upload.is_deleted = True
    fourth = run(simulator, tokens, night.pass_by(), third.cursor)
    assert [second.gone, third.gone, fourth.gone] == [[], [], []]
    assert set(simulator.downloads.values()) == {1}


def test_an_empty_list_is_not_believed(simulator: GarminSimulator, tokens: Path, night: Night) -> None:
    first = run(simulator, tokens, night())
    for upload in simulator.account.uploads.values():
        upload.is_deleted = True
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    assert isinstance(second.error, garmin.AnswerError)
    assert "hamload forget" in second.error.remedy
    assert second.pages == []


@pytest.mark.parametrize("content", [{}, "a word", [{"activityId": None}, 7]])
def test_a_list_of_which_nothing_can_be_understood_is_an_error(tmp_path: Path, content: Any) -> None:
    night = Night()

    class Drifted(GarminSimulator):
        def activities(self, _: Asked, __: int) -> Answer:
            return json_answer(content)

    with Drifted(account(night)) as simulator:
        first = run(simulator, signed_in(simulator, tmp_path), night())
    assert isinstance(first.error, garmin.AnswerError)
    assert first.pages == []


def test_a_list_that_moves_while_it_is_read_loses_nothing(tmp_path: Path) -> None:
    night = Night()
    month = account(night, days=25, curls=0)

    class Moving(GarminSimulator):
        def answer(self, endpoint: str, asked: Asked) -> Answer:
            answer = super().answer(endpoint, asked)
            if endpoint == "activities" and self.requests["activities"] == 1:
                # Deleted between two pages: everything after it moves up by one.
                month.visible()[0].is_deleted = True
            return answer

    with Moving(month) as simulator:
        first = run(simulator, signed_in(simulator, tmp_path), night(), reach=Reach(page=4))
        assert sorted(first.ids("fit")) == sorted(str(u.activity_id) for u in month.visible())
        assert first.error is None


def test_a_service_that_gives_fewer_than_asked_for_is_asked_on(tmp_path: Path) -> None:
    night = Night()
    months = account(night, days=100, curls=0)

    class Capped(GarminSimulator):
        def activities(self, asked: Asked, _: int) -> Answer:
            return json_answer(months.listed(int(asked.query["start"]), 50))

    with Capped(months) as simulator:
        tokens = signed_in(simulator, tmp_path)
        with garmin.connect(tokens, hosts=hosts(simulator)) as connection:
            page = next(iter(garmin.fetch(connection, {}, night(), Reach(documents_a_page=1))))
        assert page.covered_until == YESTERDAY
        assert simulator.requests["activities"] == 2
        assert 50 < len(months.visible()) < 99


# --- stopping and going on ---


def test_a_kill_between_two_pages_costs_nothing(simulator: GarminSimulator, tokens: Path, night: Night) -> None:
    with garmin.connect(tokens, hosts=hosts(simulator)) as connection:
        pages = garmin.fetch(connection, {}, night(), Reach(documents_a_page=2))
        kept = [next(pages), next(pages)]
        del pages
    rest = run(simulator, tokens, night(), kept[-1].cursor)
    given = [d.external_id for page in kept for d in page.documents if d.format == "fit"] + rest.ids("fit")
    assert sorted(given) == sorted(str(u.activity_id) for u in simulator.account.visible())
    assert set(simulator.downloads.values()) == {1}


def test_a_missed_week_is_not_vouched_for_before_all_of_it_is_there(tmp_path: Path) -> None:
    night = Night()
    fortnight = account(night, days=14, curls=0, until=YESTERDAY + 10 * DAY)
    with GarminSimulator(fortnight) as simulator:
        tokens = signed_in(simulator, tmp_path)
        first = run(simulator, tokens, night())
        later = run(simulator, tokens, night.pass_by(11), first.cursor, Reach(documents_a_page=2))
        assert [page.covered_until for page in later.pages[:-1]] == [None] * (len(later.pages) - 1)
        assert len(later.pages) > 2
        assert later.pages[-1].covered_until == YESTERDAY + 11 * DAY


def test_a_long_history_comes_in_portions_newest_first(tmp_path: Path) -> None:
    night = Night()
    with GarminSimulator(account(night, days=60, curls=0)) as simulator:
        tokens = signed_in(simulator, tmp_path)
        all_ids = [str(u.activity_id) for u in simulator.account.visible()]
        given: list[str] = []
        cursor: Mapping[str, Any] = {}
        reach = Reach(overlap=7 * DAY, backfill=12)
        for _ in range(6):
            one = run(simulator, tokens, night(), cursor, reach)
            assert one.error is None
            assert one.pages[-1].covered_until == night().date() - DAY
            given += one.ids("fit")
            cursor = one.cursor
            night.pass_by()
        assert given == all_ids
        assert set(simulator.downloads.values()) == {1}


def test_a_limit_stops_the_run_and_is_kept_until_it_opens(tmp_path: Path) -> None:
    night = Night()
    with GarminSimulator(account(night, curls=0), limit=RateLimit(4, dt.timedelta(hours=6))) as simulator:
        tokens = signed_in(simulator, tmp_path)
        first = run(simulator, tokens, night())
        assert first.error is None
        assert len(first.ids("fit")) == 3
        assert first.pages[-1].resumes_at == FIRST_NIGHT.replace(hour=6, minute=0)
        assert first.pages[-1].covered_until is None
        asked = simulator.requests.total()
        early = run(simulator, tokens, night(), first.cursor)
        assert early.pages[-1].resumes_at == first.pages[-1].resumes_at
        assert simulator.requests.total() == asked
        given = first.ids("fit")
        cursor = first.cursor
        for _ in range(4):
            one = run(simulator, tokens, night.pass_by(), cursor)
            given += one.ids("fit")
            cursor = one.cursor
        assert sorted(given) == sorted(str(u.activity_id) for u in simulator.account.visible())
        assert set(simulator.downloads.values()) == {1}


# --- every fault at every endpoint ---

FAULTS = {
    "500": Fault("status", 500),
    "503": Fault("status", 503),
    "403": Fault("status", 403),
    "404": Fault("status", 404),
    "429": Fault("status", 429, headers={"Retry-After": "600"}),
    "a web page": Fault("html"),
    "cut off": Fault("cut"),
    "broken off": Fault("short"),
    "dead": Fault("drop"),
    "done, no answer": Fault("lost"),
    "too slow": Fault("slow", seconds=3.0),
    "a drip": Fault("drip"),
}
ENDPOINTS = ("activities", "download", "exercise_sets", "refresh")
# The client's own 30 s bound these two at the token service: too long for a test.
CASES = [(e, f) for e in ENDPOINTS for f in FAULTS if (e, f) not in {("refresh", "too slow"), ("refresh", "a drip")}]


@pytest.mark.sampled(16)
@pytest.mark.parametrize(("endpoint", "fault"), CASES)
def test_every_fault_ends_by_itself_with_a_remedy_and_the_next_night_completes(
    simulator: GarminSimulator, tokens: Path, night: Night, endpoint: str, fault: str
) -> None:
    if endpoint == "refresh":
        simulator.token_life_s = 60.0
        signed_in(simulator, tokens.parent)
        simulator.token_life_s = 86_400.0
    simulator.faults.put(endpoint, FAULTS[fault])
    began = time.monotonic()
    first = run(simulator, tokens, night())
    assert time.monotonic() - began < 12
    limits = [page.resumes_at for page in first.pages if page.resumes_at]
    if first.error is not None:
        assert isinstance(first.error, garmin.GarminError)
        assert first.error.remedy
        assert first.pages == [] or first.pages[-1].covered_until in {None, YESTERDAY}
    elif limits:
        assert limits[0] > night()
    else:
        # An activity's own fault: its summary stands in, and the runner is told.
        assert endpoint in {"download", "exercise_sets"}
        assert "came without its" in first.notes or fault == "404"

    simulator.faults.clear()
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    assert second.error is None
    everything = sorted(str(u.activity_id) for u in simulator.account.visible())
    assert sorted(first.ids("fit") + second.ids("fit")) == everything
    # An answer that came too late was given all the same.
    assert set(simulator.downloads.values()) <= {1} or fault == "too slow"
    assert second.pages[-1].covered_until == YESTERDAY + DAY
    sets = [d for d in first.documents + second.documents if b"exerciseSets" in d.content]
    assert len(sets) == 1 or (endpoint, fault) == ("exercise_sets", "404")


def test_a_single_activity_that_always_fails_stops_no_other_and_is_given_up(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    poison = simulator.account.visible()[1]
    poison.bare = b"<html>broken</html>"
    first = run(simulator, tokens, night())
    assert str(poison.activity_id) in first.ids("garmin")
    assert str(poison.activity_id) in first.notes
    assert len(first.ids("fit")) == len(simulator.account.visible()) - 1
    assert first.pages[-1].covered_until == YESTERDAY
    cursor = first.cursor
    for _ in range(4):
        cursor = run(simulator, tokens, night.pass_by(), cursor, Reach(tries=3)).cursor
    assert simulator.downloads[str(poison.activity_id)] == 3
    run(simulator, tokens, night.pass_by(25), cursor, Reach(tries=3))
    assert simulator.downloads[str(poison.activity_id)] == 4


def test_a_page_in_the_way_of_every_download_ends_the_run_early(tmp_path: Path) -> None:
    night = Night()
    with GarminSimulator(account(night, days=30, curls=0)) as simulator:
        tokens = signed_in(simulator, tmp_path)
        simulator.faults.put("download", FAULTS["a web page"])
        first = run(simulator, tokens, night())
        assert isinstance(first.error, garmin.UnreachableError)
        assert simulator.requests["download"] == 3
        assert len(first.ids("garmin")) == 3
        assert first.pages[-1].covered_until is None


def test_a_run_whose_file_does_not_come_is_told_by_its_summary_meanwhile(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    upload = next(u for u in simulator.account.visible() if u.run is not None)
    upload.archive = {"readme.txt": b"no recording"}
    first = run(simulator, tokens, night())
    (document,) = [d for d in first.documents if d.external_id == str(upload.activity_id)]
    told = summary(document.content)
    assert told.sport.is_running
    assert told.start_at == upload.start_at
    assert told.distance_m == document.facts["distance_m"]
    upload.archive = None
    second = run(simulator, tokens, night.pass_by(), first.cursor)
    assert second.ids("fit") == [str(upload.activity_id)]


# --- archives ---

FIT = b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT rest"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (archive({"7_ACTIVITY.fit": FIT}), (FIT, "fit", "7_ACTIVITY.fit")),
        (archive({"read.me": b"x", "7_ACTIVITY.fit": FIT, "8_ACTIVITY.fit": b"other"}), (FIT, "fit", "7_ACTIVITY.fit")),
        (archive({"2014-05-01-07-12.fit": FIT}), (FIT, "fit", "2014-05-01-07-12.fit")),
        (archive({"folder/run.GPX": b"<gpx/>"}), (b"<gpx/>", "gpx", "run.GPX")),
        (archive({"../../7_ACTIVITY.fit": FIT}), (FIT, "fit", "7_ACTIVITY.fit")),
        (FIT, (FIT, "fit", "7_ACTIVITY.fit")),
    ],
    ids=["its own", "beside others", "an old name", "gpx", "a way out", "bare"],
)
def test_the_recording_is_found_in_its_archive(content: bytes, expected: tuple[bytes, str, str]) -> None:
    assert recording(content, "7", 1000) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({"8_ACTIVITY.fit": FIT}), "another activity's"),
        (archive({"a.fit": FIT, "b.fit": FIT}), "2 recordings"),
        (archive({"read.me": b"x"}), "no recording"),
        (archive({}), "no recording"),
        (archive({"7_ACTIVITY.fit": b""}), "empty recording"),
        (archive({"7_ACTIVITY.fit": b"0" * 2000}), "more than 1,000 bytes"),
        (archive({"7_ACTIVITY.fit": os.urandom(500)})[:-200], "no archive"),
        (b"<html>Just a moment...</html>", "no archive"),
        (b"", "no archive"),
    ],
    ids=["wrong", "two", "none", "empty zip", "empty file", "bomb", "cut off", "web page", "nothing"],
)
def test_an_archive_without_the_recording_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(garmin.AnswerError, match=reason):
        recording(content, "7", 1000)


@pytest.mark.parametrize(
    ("key", "parent", "sport"),
    [
        ("running", 1, "run"),
        ("trail_running", 1, "run"),
        ("obstacle_run", 1, "run"),
        ("treadmill_running", 1, "treadmill"),
        ("strength_training", 29, "strength"),
        ("hiking", 17, "walk"),
        ("open_water_swimming", 26, "swim"),
        ("gravel_cycling", 2, "ride"),
        ("stand_up_paddleboarding_v2", 228, "other"),
        ("", None, "unknown"),
    ],
)
def test_garmins_types_are_families_of_sport(key: str, parent: int | None, sport: str) -> None:
    assert sport_of(key, parent) == sport


# --- recorded answers ---


def test_recorded_lists_go_through_and_every_entry_is_taken(night: Night, tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "api" / "garmin"
    exchanges = [
        exchange
        for name in ("garth_activity_list", "garth_activity_list_pagination")
        for exchange in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    ]
    entries = {entry["activityId"]: entry for exchange in exchanges for entry in exchange["response"]["body"]}
    broken = [{"activityId": None}, "a word", {"activityId": 5, "startTimeGMT": "yesterday"}]

    class Recorded(GarminSimulator):
        def activities(self, asked: Asked, _: int) -> Answer:
            return json_answer([*entries.values(), *broken][int(asked.query["start"]) :])

    with Recorded(Account(RUNNER, [], night)) as simulator:
        told = run(simulator, signed_in(simulator, tmp_path), night())
    assert told.error is None
    assert len(entries) == 4
    assert sorted(told.ids("garmin")) == sorted(map(str, entries))
    assert {d.facts["type"]: d.facts["sport"] for d in told.documents} == {
        "trail_running": "run",
        "hiking": "walk",
        "stand_up_paddleboarding_v2": "other",
        "open_water_swimming": "swim",
    }
    assert "In Garmin Connect's list, 3 could not be understood" in told.notes
    assert {page.covered_until for page in told.pages} == {None}
    read = [summary(document.content) for document in told.documents]
    (trail,) = [r for r in read if r.sport is Sport.RUN]
    assert trail.start_at == dt.datetime(2026, 1, 8, 14, 10, 21, tzinfo=dt.UTC)
    assert trail.distance_m == 4261.18994140625
    assert trail.elapsed_time_s == 2225.44091796875
    assert [d.facts["utc_offset_s"] for d in told.documents if d.facts["sport"] == "run"] == [-6 * 3600]


# --- tokens ---


def test_without_tokens_the_runner_is_asked_to_sign_in(
    simulator: GarminSimulator, night: Night, tmp_path: Path
) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / garmin.TOKENS).write_text('{"di_token": nu', encoding="utf-8")
    for name in ("nowhere", "damaged"):
        outcome = run(simulator, tmp_path / name, night())
        assert isinstance(outcome.error, garmin.LoginNeededError)
        assert outcome.error.remedy == "Run: hamload auth garmin"
    assert simulator.requests.total() == 0


def test_a_token_that_runs_out_is_refreshed_and_saved_for_its_owner_only(
    simulator: GarminSimulator, night: Night, tmp_path: Path
) -> None:
    simulator.token_life_s = 60.0
    tokens = signed_in(simulator, tmp_path)
    before = json.loads((tokens / garmin.TOKENS).read_text(encoding="utf-8"))
    simulator.token_life_s = 86_400.0
    assert run(simulator, tokens, night()).error is None
    after = json.loads((tokens / garmin.TOKENS).read_text(encoding="utf-8"))
    assert simulator.requests["refresh"] == 1
    assert after["di_refresh_token"] != before["di_refresh_token"]
    assert stat.S_IMODE((tokens / garmin.TOKENS).stat().st_mode) == 0o600
    assert run(simulator, tokens, night.pass_by()).error is None
    assert simulator.requests["refresh"] == 1


def test_a_token_revoked_in_mid_run_is_refreshed_once_and_saved(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    before = json.loads((tokens / garmin.TOKENS).read_text(encoding="utf-8"))
    with garmin.connect(tokens, hosts=hosts(simulator)) as connection:
        pages = garmin.fetch(connection, {}, night(), Reach(documents_a_page=1))
        next(pages)
        simulator.revoke(refresh=False)
        assert len(list(pages)) == len(simulator.account.visible()) - 1
    after = json.loads((tokens / garmin.TOKENS).read_text(encoding="utf-8"))
    assert after["di_refresh_token"] != before["di_refresh_token"]
    assert simulator.requests["refresh"] == 1
    assert simulator.logins == 0


def test_a_sign_in_that_was_withdrawn_asks_the_runner_and_never_logs_in(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    simulator.revoke(refresh=True)
    outcome = run(simulator, tokens, night())
    assert isinstance(outcome.error, garmin.LoginNeededError)
    assert outcome.error.remedy == "Run: hamload auth garmin"
    assert simulator.logins == 0


def test_an_outage_of_the_token_service_is_no_reason_to_sign_in_again(
    simulator: GarminSimulator, tokens: Path, night: Night
) -> None:
    simulator.revoke(refresh=False)
    simulator.faults.put("refresh", Fault("status", 502))
    outcome = run(simulator, tokens, night())
    assert isinstance(outcome.error, garmin.UnreachableError)
    simulator.faults.clear()
    assert run(simulator, tokens, night()).error is None


def test_where_tokens_cannot_be_saved_the_old_one_is_not_spent(
    simulator: GarminSimulator, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.token_life_s = 60.0
    tokens = signed_in(simulator, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Client, "dump", full)
    outcome = run(simulator, tokens, night())
    assert isinstance(outcome.error, garmin.TokensError)
    assert "No space left" in outcome.error.what
    assert simulator.requests["refresh"] == 0


def test_two_runs_at_once_spend_the_refresh_token_once(night: Night, tmp_path: Path) -> None:
    with GarminSimulator(account(night, days=2, curls=0), token_life_s=60.0, rotation="at once") as simulator:
        tokens = signed_in(simulator, tmp_path)
        simulator.token_life_s = 86_400.0
        simulator.faults.put("refresh", Fault("slow", seconds=0.3))
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda _: run(simulator, tokens, night()), range(2)))
        assert [outcome.error for outcome in outcomes] == [None, None]
        assert simulator.requests["refresh"] == 1


def test_a_list_that_ends_too_early_gives_what_it_has_and_vouches_for_nothing(tmp_path: Path) -> None:
    night = Night()

    class Failing(GarminSimulator):
        def activities(self, asked: Asked, most: int) -> Answer:
            return super().activities(asked, most) if asked.query["start"] == "0" else json_answer({}, 500)

    with Failing(account(night, days=20, curls=0)) as simulator:
        first = run(simulator, signed_in(simulator, tmp_path), night(), reach=Reach(page=5))
        assert isinstance(first.error, garmin.UnreachableError)
        assert first.ids("fit") == [str(u.activity_id) for u in simulator.account.visible()[:5]]
        assert [page.covered_until for page in first.pages] == [None]
        assert simulator.requests["activities"] == 3
        second = run(simulator, tmp_path / "tokens", night.pass_by(), first.cursor)
        assert second.error is None
        assert set(simulator.downloads.values()) == {1}
        assert len(first.ids("fit") + second.ids("fit")) == len(simulator.account.visible())


KILLED_AT = {
    "before it is asked": "Client._di_token_post = die",
    "when the answer is there": "f = Client._di_token_post; Client._di_token_post = lambda *a: (f(*a), die())[0]",
    "when the token is read": "f = Client._refresh_di_token; Client._refresh_di_token = lambda *a: (f(*a), die())",
    "when half is written": "replace = Path.replace; Path.replace = lambda *a: (spent() and die(), replace(*a))[1]",
    "when it is saved": "dump = Client.dump; Client.dump = lambda *a: (dump(*a), spent() and die())",
}
KILLED = """
import os, signal, sys, datetime as dt
from pathlib import Path
from garminconnect.client import Client
from hamload.sources import garmin
base, tokens, step, number = sys.argv[1:]
first = []
_load = Client.loads
def loads(self, text):
    _load(self, text)
    first.append(self.di_refresh_token)
    current.append(self)
current = []
Client.loads = loads
spent = lambda: bool(first) and current[-1].di_refresh_token != first[0]
die = lambda *a: os.kill(os.getpid(), int(number))
exec(step)
hosts = garmin.Hosts(base, base, base, base + "/di-oauth2-service/oauth/token")
with garmin.connect(Path(tokens), hosts=hosts) as connection:
    list(garmin.fetch(connection, {}, dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)))
"""


def killed(simulator: GarminSimulator, tokens: Path, step: str, number: signal.Signals) -> int:
    arguments = [simulator.base, str(tokens), KILLED_AT[step], str(int(number))]
    return subprocess.run([sys.executable, "-c", KILLED, *arguments], timeout=60, check=False).returncode


@pytest.mark.parametrize("step", KILLED_AT)
def test_a_kill_at_any_step_of_a_refresh_leaves_the_runner_signed_in(night: Night, tmp_path: Path, step: str) -> None:
    with GarminSimulator(account(night, days=2, curls=0), token_life_s=60.0) as simulator:
        tokens = signed_in(simulator, tmp_path)
        simulator.token_life_s = 86_400.0
        assert killed(simulator, tokens, step, signal.SIGKILL) == -signal.SIGKILL
        assert run(simulator, tokens, night()).error is None
        assert run(simulator, tokens, night.pass_by()).error is None


@pytest.mark.parametrize("step", ["when the answer is there", "when the token is read", "when half is written"])
def test_a_shutdown_waits_until_the_new_token_is_saved(night: Night, tmp_path: Path, step: str) -> None:
    with GarminSimulator(account(night, days=2, curls=0), token_life_s=60.0, rotation="at once") as simulator:
        tokens = signed_in(simulator, tmp_path)
        simulator.token_life_s = 86_400.0
        assert killed(simulator, tokens, step, signal.SIGTERM) == -signal.SIGTERM
        assert run(simulator, tokens, night()).error is None
        assert simulator.requests["refresh"] == 1


# --- the sign-in, interactive ---


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the pauses that the client makes between loading a sign-in page and submitting it."""
    for flow in ("MOBILE", "WIDGET", "LOGIN"):
        for end in ("MIN", "MAX"):
            name = f"{flow}_DELAY_{end}_S"
            monkeypatch.setattr(garminconnect.client.sso, name, 0.0)


def sign_in(
    simulator: GarminSimulator, folder: Path, codes: Callable[[], str] = lambda: "", password: str = PASSWORD
) -> None:
    now = simulator.account.clock()
    garmin.login(folder, "runner@example.com", password, codes, now, hosts=hosts(simulator))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("code", [None, "246810"])
def test_a_login_with_or_without_a_code_leaves_tokens_for_the_night(
    night: Night, tmp_path: Path, code: str | None
) -> None:
    with GarminSimulator(account(night, days=2, curls=0), password=PASSWORD, code=code) as simulator:
        typed = iter(["000000", " 246810 "])
        sign_in(simulator, tmp_path / "new" / "tokens", lambda: next(typed))
        file = tmp_path / "new" / "tokens" / garmin.TOKENS
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        simulator.requests.clear()
        assert run(simulator, file.parent, night()).error is None


@pytest.mark.usefixtures("at_once")
def test_a_wrong_password_is_tried_once_and_saves_nothing(simulator: GarminSimulator, tmp_path: Path) -> None:
    with pytest.raises(garmin.LoginRefusedError, match="password"):
        sign_in(simulator, tmp_path, password="canary-wrong")  # noqa: S106  # a wrong one
    assert simulator.requests["login"] == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("at_once")
def test_three_wrong_codes_end_the_login(night: Night, tmp_path: Path) -> None:
    with GarminSimulator(account(night, days=2, curls=0), password=PASSWORD, code="246810") as simulator:
        asked: list[int] = []
        with pytest.raises(garmin.LoginRefusedError, match="none of the codes"):
            sign_in(simulator, tmp_path, lambda: asked.append(1) or "000000")  # type: ignore[func-returns-value]
        assert len(asked) == 3
        assert simulator.requests["login"] == 1


@pytest.mark.usefixtures("at_once")
def test_a_block_names_its_end_and_nothing_is_asked_before(
    simulator: GarminSimulator, night: Night, tmp_path: Path
) -> None:
    simulator.is_blocking = True
    with pytest.raises(garmin.LoginBlockedError) as first:
        sign_in(simulator, tmp_path)
    assert first.value.until == FIRST_NIGHT + 2 * DAY
    assert "auth garmin-personal" in first.value.remedy
    assert garmin.blocked_until(tmp_path) == first.value.until
    asked = simulator.requests.total()
    simulator.is_blocking = False
    night.now = first.value.until - dt.timedelta(minutes=1)
    with pytest.raises(garmin.LoginBlockedError) as second:
        sign_in(simulator, tmp_path)
    assert second.value.until == first.value.until
    assert simulator.requests.total() == asked
    night.now = first.value.until
    sign_in(simulator, tmp_path)
    assert garmin.blocked_until(tmp_path) is None
    again = pickle.loads(pickle.dumps(first.value))  # noqa: S301  # our own
    assert (again.until, again.remedy) == (first.value.until, first.value.remedy)


@pytest.mark.usefixtures("at_once")
@pytest.mark.sampled(21)
@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in {"too slow", "a drip"}])
@pytest.mark.parametrize("endpoint", ["sign_in_page", "login", "mfa", "token", "profile"])
def test_every_fault_of_a_login_ends_it_with_a_remedy_or_leaves_it_whole(
    night: Night, tmp_path: Path, endpoint: str, fault: str
) -> None:
    with GarminSimulator(account(night, days=2, curls=0), password=PASSWORD, code="246810") as simulator:
        simulator.faults.put(endpoint, FAULTS[fault])
        error: HamloadError | None = None
        try:
            sign_in(simulator, tmp_path, lambda: "246810")
        except garmin.GarminError as failure:
            error = failure
    is_saved = (tmp_path / garmin.TOKENS).exists()
    assert is_saved == (error is None)
    if error is not None:
        assert error.remedy
    else:
        assert json.loads((tmp_path / garmin.TOKENS).read_text(encoding="utf-8"))["di_refresh_token"]


# --- secrets ---


@pytest.mark.usefixtures("at_once")
def test_no_secret_is_in_any_error_name_or_log(
    night: Night, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    secrets = {PASSWORD, CODE}
    with GarminSimulator(account(night, days=2, curls=1), password=PASSWORD, code=CODE) as simulator:
        for endpoint in ("", "sign_in_page", "login", "mfa", "token", "profile"):
            for fault in ("500", "429", "a web page", "cut off", "dead"):
                simulator.faults.clear()
                simulator.faults.put(endpoint, FAULTS[fault])
                try:
                    sign_in(simulator, tmp_path / f"{endpoint}-{fault}", lambda: CODE)
                except HamloadError as error:
                    said += _words(error)
        simulator.requests.clear()
        for endpoint in ENDPOINTS:
            for fault in ("500", "403", "429", "a web page", "cut off", "dead"):
                simulator.faults.clear()
                simulator.token_life_s = 60.0 if endpoint == "refresh" else 86_400.0
                tokens = signed_in(simulator, tmp_path)
                secrets |= set(json.loads((tokens / garmin.TOKENS).read_text(encoding="utf-8")).values())
                simulator.faults.put(endpoint, FAULTS[fault])
                outcome = run(simulator, tokens, night())
                said += _words(outcome.error) if outcome.error is not None else []
                said += [repr(outcome.pages), outcome.notes]
        said.append(repr(garmin.connect(signed_in(simulator, tmp_path), hosts=hosts(simulator))))
        secrets |= {*simulator._access, *simulator._refresh}
    secrets.discard("GARMIN_CONNECT_MOBILE_ANDROID_DI")
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert len(secrets) > 20
    assert len(caplog.records) > 100
    everything = "\n".join([*said, logged, *capfd.readouterr()])
    assert [secret for secret in secrets if secret in everything] == []


def _words(error: HamloadError) -> list[str]:
    assert error.__cause__ is None
    return [str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error))]


def _upload(to: Account, planned: Any, number: int) -> Any:
    start_at = start_of(to.runner, planned)
    return Upload(number, planned, start_at, "Run", start_at + dt.timedelta(hours=2))
