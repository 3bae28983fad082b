"""The simulated Garmin Connect beside what the real one has answered: names and JSON types, field by field."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hamload.simulator import SimulatedRunner, year_of
from hamload.simulator.garmin import (
    Account,
    Asked,
    Fault,
    GarminSimulator,
    RateLimit,
    archive,
    profile,
    strength_fit,
    strength_sets,
)

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
RUNNER = SimulatedRunner()


@pytest.fixture(scope="module")
def account() -> Account:
    return Account(RUNNER, year_of(RUNNER, NOW.date() - dt.timedelta(days=1), 12), lambda: NOW, curls=1)


@pytest.fixture
def garmin(account: Account) -> Iterator[GarminSimulator]:
    with GarminSimulator(account) as simulator:
        yield simulator


def recorded(shared_data: Path, name: str) -> list[Any]:
    path = shared_data / "api" / "garmin" / f"{name}.json"
    return [exchange["response"]["body"] for exchange in json.loads(path.read_text(encoding="utf-8"))]


def kind(value: Any) -> Any:
    """Return the JSON type of a value, all the way down; a list is taken for its first entry."""
    if isinstance(value, dict):
        return {name: kind(part) for name, part in value.items()}
    if isinstance(value, list):
        return [kind(part) for part in value[:1]]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return "number"


def test_a_run_in_the_list_has_garmins_fields_and_types_one_by_one(account: Account, shared_data: Path) -> None:
    (page,) = recorded(shared_data, "garth_activity_list")
    real = next(entry for entry in page if entry["activityType"]["typeKey"] == "trail_running")
    outdoors = [e for e in account.listed(0, 50) if e["activityType"]["typeKey"] == "trail_running"]
    assert len(real) == 98
    assert outdoors
    for entry in outdoors:
        assert kind(entry) == kind(real)


def test_what_every_recorded_activity_has_every_simulated_one_has(account: Account, shared_data: Path) -> None:
    pages = [
        page
        for name in ("garth_activity_list", "garth_activity_list_pagination")
        for page in recorded(shared_data, name)
    ]
    real = [entry for page in pages for entry in page]
    common = set.intersection(*(set(entry) for entry in real))
    places = {"startLatitude", "startLongitude", "endLatitude", "endLongitude"}  # all that was recorded was outdoors
    for entry in account.listed(0, 50):
        assert common - set(entry) <= places
        assert {n: kind(entry[n]) for n in common - places if n != "splitSummaries"} == {
            n: kind(real[0][n]) for n in common - places if n != "splitSummaries"
        }


def test_the_profile_has_garmins_fields_and_types_one_by_one(shared_data: Path) -> None:
    (real,) = recorded(shared_data, "garth_user_profile")
    assert kind(profile("Sam")) == kind(real)


def test_a_page_of_the_list_is_newest_first_and_begins_where_it_is_told(account: Account) -> None:
    whole = account.listed(0, 50)
    starts = [entry["startTimeGMT"] for entry in whole]
    assert starts == sorted(starts, reverse=True)
    assert account.listed(2, 3) == whole[2:5]


def test_the_strength_file_is_whole_and_tells_of_the_same_sets(
    official: Callable[[bytes], dict[str, list[dict[str, Any]]]],
) -> None:
    messages = official(strength_fit(RUNNER, NOW))
    told = [s for s in strength_sets(NOW) if s["setType"] == "ACTIVE"]
    assert [s["repetitions"] for s in messages["set_mesgs"]] == [s["repetitionCount"] for s in told] == [8, 8, 8]
    assert [1000 * s["weight"] for s in messages["set_mesgs"]] == [s["weight"] for s in told]
    assert messages["session_mesgs"][0]["sub_sport"] == "strength_training"


def test_an_archive_is_the_same_whenever_it_is_made() -> None:
    assert archive({"a.fit": b"a", "b.txt": b"b"}) == archive({"a.fit": b"a", "b.txt": b"b"})


def ask(simulator: GarminSimulator, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    asked = Asked(method, path, {}, headers, body)
    return simulator.answer(simulator.endpoint(asked), asked)


def refresh(simulator: GarminSimulator, token: str) -> Any:
    form = f"grant_type=refresh_token&refresh_token={token}".encode()
    return ask(simulator, "POST", "/di-oauth2-service/oauth/token", form)


def test_a_refresh_token_that_lasts_until_its_successor_is_used_dies_then(garmin: GarminSimulator) -> None:
    first = garmin.tokens()["di_refresh_token"]
    second = json.loads(refresh(garmin, first).body)
    assert refresh(garmin, first).status == 200
    bearer = f"Bearer {second['access_token']}"
    assert ask(garmin, "GET", "/userprofile-service/socialProfile", Authorization=bearer).status == 200
    assert refresh(garmin, first).status == 400


@pytest.mark.parametrize(("rotation", "status"), [("kept", 200), ("at once", 400)])
def test_a_used_refresh_token_stays_or_goes_as_the_rotation_says(account: Account, rotation: Any, status: int) -> None:
    with GarminSimulator(account, rotation=rotation) as simulator:
        token = simulator.tokens()["di_refresh_token"]
        assert refresh(simulator, token).status == 200
        assert refresh(simulator, token).status == status


def test_a_fault_strikes_as_often_as_it_is_told_to(garmin: GarminSimulator) -> None:
    garmin.faults.put("activities", Fault("status", 503, times=2))
    assert [garmin.faults.take("activities") is None for _ in range(4)] == [False, False, True, True]
    assert garmin.faults.take("download") is None


def test_a_rate_limit_opens_again_with_its_next_window(account: Account) -> None:
    now = [dt.datetime(2026, 11, 23, 3, 58, tzinfo=dt.UTC)]
    clocked = Account(RUNNER, [], lambda: now[0])
    simulator = GarminSimulator(clocked, limit=RateLimit(2, dt.timedelta(hours=1)))
    with simulator:
        refused = [simulator._refusal("activities") for _ in range(3)]
        assert [r is None for r in refused] == [True, True, False]
        assert refused[2] is not None
        assert refused[2].headers["Retry-After"] == "120"
        now[0] += dt.timedelta(minutes=2)
        assert simulator._refusal("activities") is None
    assert account.listed(0, 1)
