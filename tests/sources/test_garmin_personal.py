"""Garmin's Personal API through the real, unmodified client, against the simulated service over TLS on loopback."""

import datetime as dt
import json
import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hamload.decode.summary import summary
from hamload.errors import ConfigurationError, HamloadError
from hamload.simulator import SimulatedRunner, fit_bytes, year_of
from hamload.simulator.garmin import Account, Answer, Asked, Fault, RateLimit, json_answer
from hamload.simulator.garmin_personal import PersonalSimulator
from hamload.sources import garmin_personal
from hamload.sources.garmin_listing import (
    AnswerError,
    GarminError,
    LoginNeededError,
    NotFoundError,
    Reach,
    TooManyRequestsError,
    UnreachableError,
)
from hamload.sources.pages import Document, Page

RUNNER = SimulatedRunner()
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
KEY = "canary-key"
NEW_KEY = "hamload auth garmin-personal"


def account(days: int = 6, curls: int = 1) -> Account:
    return Account(RUNNER, year_of(RUNNER, NIGHT.date() - DAY, days), lambda: NIGHT, curls=curls)


@pytest.fixture
def simulator() -> Iterator[PersonalSimulator]:
    with PersonalSimulator(account(), KEY) as running:
        yield running


class Run:
    """What one run gave: its pages up to the end or to the error."""

    def __init__(self, pages: list[Page], error: HamloadError | None, cursor: Mapping[str, Any]) -> None:
        self.pages, self.error = pages, error
        self.cursor = pages[-1].cursor if pages else dict(cursor)
        self.documents: list[Document] = [document for page in pages for document in page.documents]
        self.notes = " ".join(page.note for page in pages)
        self.ids = [document.external_id for document in self.documents if document.format == "fit"]


def run(  # a night's circumstances
    simulator: PersonalSimulator,
    now: dt.datetime = NIGHT,
    cursor: Mapping[str, Any] | None = None,
    reach: Reach | None = None,
    key: str = KEY,
    expires_on: dt.date | None = None,
) -> Run:
    pages: list[Page] = []
    error: HamloadError | None = None
    before = json.loads(json.dumps(dict(cursor or {})))
    try:
        with garmin_personal.connect(
            key, host=simulator.base, verify=simulator.trust(), retries=1, wait_s=0.01, timeout_s=0.5
        ) as connection:
            for page in garmin_personal.fetch(connection, before, now, reach, expires_on=expires_on):
                pages.append(page)  # noqa: PERF402  # what came before an error counts
    except HamloadError as failure:
        error = failure
    return Run(pages, error, before)


def everything(simulator: PersonalSimulator) -> list[str]:
    return [str(upload.activity_id) for upload in simulator.account.visible()]


def test_a_season_costs_a_list_request_for_forty_and_one_download_each() -> None:
    with PersonalSimulator(account(days=100, curls=0), KEY) as simulator:
        first = run(simulator)
        assert first.error is None
        assert first.ids == everything(simulator)
        runs = len(first.ids)
        assert 40 < runs < 79
        assert dict(simulator.requests) == {"key": 1, "activities": 2, "download": runs}
        assert first.pages[-1].covered_until == NIGHT.date() - DAY
        simulator.requests.clear()
        second = run(simulator, NIGHT + DAY, first.cursor)
        assert second.documents == []
        assert dict(simulator.requests) == {"key": 1, "activities": 1}


def test_what_arrives_is_the_runners_own_file_and_facts(simulator: PersonalSimulator) -> None:
    first = run(simulator)
    newest = next(upload for upload in simulator.account.visible() if upload.run is not None)
    assert newest.run is not None
    document = next(d for d in first.documents if d.external_id == str(newest.activity_id))
    assert document.content == fit_bytes(RUNNER, newest.run)
    assert dt.datetime.fromisoformat(document.facts["start_at"]) == newest.start_at
    assert (document.facts["sport"], document.facts["utc_offset_s"]) == ("run", 3600)


def test_a_page_that_the_service_fails_at_is_never_asked_for(simulator: PersonalSimulator) -> None:
    with garmin_personal.connect(KEY, host=simulator.base, verify=simulator.trust(), retries=0) as connection:
        assert connection.activities(0, garmin_personal.PAGE)
        with pytest.raises(AnswerError):
            connection.activities(0, 46)
    asked = simulator.answer("activities", Asked("GET", "", {"limit": "46"}, _bearer(simulator), b""))
    assert asked.status == 500


def _bearer(simulator: PersonalSimulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {next(iter(simulator.tokens()))}"}


def test_an_entry_that_the_clients_models_refuse_hides_no_other() -> None:
    class Drifted(PersonalSimulator):
        def activities(self, asked: Asked, _: int) -> Answer:
            start = int(asked.query["start"])
            return json_answer([*self.account.listed(0, 40), {"activityId": "a word"}][start:])

    with Drifted(account(), KEY) as simulator:
        first = run(simulator)
        assert first.error is None
        assert first.ids == everything(simulator)
        assert "list, 1 could not be understood" in first.notes


def test_recorded_lists_go_through_the_clients_models_and_every_entry_is_taken(shared_data: Path) -> None:
    path = shared_data / "api" / "garmin" / "garth_activity_list.json"
    (exchange,) = json.loads(path.read_text(encoding="utf-8"))
    entries = exchange["response"]["body"]

    class Recorded(PersonalSimulator):
        def activities(self, asked: Asked, _: int) -> Answer:
            return json_answer(entries[int(asked.query["start"]) :])

    with Recorded(Account(RUNNER, [], lambda: NIGHT), KEY) as simulator:
        told = run(simulator)
    assert [d.external_id for d in told.documents] == [str(entry["activityId"]) for entry in entries]
    first = summary(told.documents[0].content)
    assert first.start_at == dt.datetime(2026, 1, 8, 14, 10, 21, tzinfo=dt.UTC)
    assert first.distance_m == 4261.18994140625
    assert told.documents[0].facts["utc_offset_s"] == -6 * 3600


# --- the key ---


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (15, ""),
        (14, "expires on 2026-12-07, in 14 days"),
        (1, "expires on 2026-11-24, in 1 day."),
        (0, "expires today"),
        (-1, "has expired on 2026-11-22"),
    ],
)
def test_a_key_that_runs_out_is_warned_of_from_fourteen_days_before(left: int, said: str) -> None:
    warning = garmin_personal.expiry_warning(NIGHT.date() + left * DAY, NIGHT.date())
    assert said in warning
    assert bool(warning) == bool(said) == (NEW_KEY in warning)
    assert garmin_personal.expiry_warning(None, NIGHT.date()) == ""


def test_the_warning_is_told_once_a_run(simulator: PersonalSimulator) -> None:
    told = run(simulator, reach=Reach(page=40, documents_a_page=1), expires_on=NIGHT.date() + 3 * DAY)
    assert len(told.pages) > 2
    assert [("expires on" in page.note) for page in told.pages] == [True] + [False] * (len(told.pages) - 1)


def test_a_refused_key_names_the_way_to_a_new_one(simulator: PersonalSimulator) -> None:
    told = run(simulator, key="canary-other")
    assert isinstance(told.error, LoginNeededError)
    assert NEW_KEY in told.error.remedy
    assert simulator.requests["key"] == 1


def test_without_a_key_nothing_is_asked(simulator: PersonalSimulator) -> None:
    told = run(simulator, key=" \n")
    assert isinstance(told.error, LoginNeededError)
    assert simulator.requests.total() == 0


def test_the_key_never_travels_in_the_clear() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        garmin_personal.connect(KEY, host="http://127.0.0.1:1")


def test_a_certificate_that_is_not_trusted_ends_the_run_before_the_key_is_sent(simulator: PersonalSimulator) -> None:
    with garmin_personal.connect(KEY, host=simulator.base, retries=0) as connection, pytest.raises(UnreachableError):
        list(garmin_personal.fetch(connection, {}, NIGHT))
    assert simulator.requests.total() == 0


def test_a_token_withdrawn_in_mid_run_is_exchanged_anew(simulator: PersonalSimulator) -> None:
    with garmin_personal.connect(KEY, host=simulator.base, verify=simulator.trust()) as connection:
        pages = garmin_personal.fetch(connection, {}, NIGHT, Reach(page=40, documents_a_page=1))
        next(pages)
        simulator.revoke()
        assert len(list(pages)) == len(everything(simulator)) - 1
    assert simulator.requests["key"] == 2


# --- faults ---

FAULTS = {
    "500": Fault("status", 500),
    "503": Fault("status", 503, headers={"Retry-After": "3600"}),
    "400": Fault("status", 400),
    "403": Fault("status", 403),
    "404": Fault("status", 404),
    "429": Fault("status", 429, headers={"Retry-After": "600"}),
    "a web page": Fault("html"),
    "cut off": Fault("cut"),
    "broken off": Fault("short"),
    "dead": Fault("drop"),
    "done, no answer": Fault("lost"),
    "too slow": Fault("slow", seconds=2.0),
    "a drip": Fault("drip"),
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("endpoint", ["key", "activities", "download"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_by_itself_with_a_remedy_and_the_next_night_completes(
    simulator: PersonalSimulator, endpoint: str, fault: str
) -> None:
    simulator.faults.put(endpoint, FAULTS[fault])
    began = time.monotonic()
    first = run(simulator)
    assert time.monotonic() - began < 12
    limits = [page.resumes_at for page in first.pages if page.resumes_at]
    if first.error is not None:
        assert isinstance(first.error, GarminError)
        assert first.error.remedy
    elif limits:
        assert limits == [NIGHT + dt.timedelta(minutes=10)]
    else:
        assert endpoint == "download"
        assert "came without its recording" in first.notes
    simulator.faults.clear()
    second = run(simulator, NIGHT + DAY, first.cursor)
    assert second.error is None
    assert sorted(first.ids + second.ids) == sorted(everything(simulator))
    # An answer that came too late was given all the same.
    assert set(simulator.downloads.values()) <= {1} or fault == "too slow"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, LoginNeededError), (404, NotFoundError), (429, TooManyRequestsError), (502, UnreachableError)],
)
def test_each_status_is_its_own_kind_of_failure(
    simulator: PersonalSimulator, status: int, kind: type[Exception]
) -> None:
    simulator.faults.put("download", Fault("status", status))
    with (
        garmin_personal.connect(KEY, host=simulator.base, verify=simulator.trust(), retries=0) as connection,
        pytest.raises(kind),
    ):
        connection.original("1")


def test_a_limit_is_not_slept_through_but_told() -> None:
    with PersonalSimulator(account(curls=0), KEY, limit=RateLimit(2, dt.timedelta(hours=1))) as simulator:
        told = run(simulator)
        assert len(told.ids) == 1
        assert told.pages[-1].resumes_at == NIGHT.replace(hour=4, minute=0)


def test_the_key_and_its_tokens_are_in_no_error_name_or_log(
    simulator: PersonalSimulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    tokens: set[str] = set()
    for endpoint in ("", "key", "activities", "download"):
        for fault in ("500", "403", "429", "a web page", "cut off", "dead"):
            simulator.faults.clear()
            simulator.faults.put(endpoint, FAULTS[fault])
            told = run(simulator)
            tokens |= simulator.tokens()
            said.append(repr(told.pages))
            if told.error is not None:
                assert told.error.__cause__ is None
                said += [str(told.error), repr(told.error), "".join(traceback.format_exception(told.error))]
    with garmin_personal.connect(KEY, host=simulator.base) as connection:
        said += [repr(connection), repr(connection._api)]
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert len(tokens) > 5
    assert len(caplog.records) > 100
    everything_said = "\n".join([*said, logged, *capfd.readouterr()])
    assert [secret for secret in {KEY, *tokens} if secret in everything_said] == []
