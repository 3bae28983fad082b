"""The simulated Strava beside recordings of the real one, field by field; its limits, tokens and pages by its rules."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from hamload.simulator import SimulatedRunner, year_of
from hamload.simulator.strava import Fault, Limits, Strava, reach, serving

NIGHT = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
RUNNER = SimulatedRunner()
RUNS = year_of(RUNNER, NIGHT.date() - dt.timedelta(days=1), 40)
URL = "https://www.strava.com"
LIST = "/api/v3/athlete/activities"


@pytest.fixture
def service() -> Iterator[Strava]:
    with serving(Strava(RUNNER, RUNS, NIGHT)) as served:
        yield served


@pytest.fixture
def session(service: Strava) -> Iterator[requests.Session]:
    with reach(requests.Session(), service) as reached:
        reached.headers["Authorization"] = f"Bearer {service.tokens()['access_token']}"
        yield reached


def body(answer: requests.Response, status: int = 200) -> Any:
    assert answer.status_code == status
    return answer.json()


def recorded(shared_data: Path, name: str) -> list[Any]:
    found = json.loads((shared_data / "api" / "strava" / name).read_text())
    return [exchange["response"] for exchange in found]


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "list", dict: "object", type(None): "null"}[type(value)]


def kinds(rows: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).add(kind(value))
    return found


def always(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    return set.intersection(*(set(row) for row in rows))


# Shapes


def test_a_list_has_the_fields_and_types_of_the_recorded_ones(
    service: Strava, session: requests.Session, shared_data: Path
) -> None:
    service.enter(NIGHT - dt.timedelta(days=2), 3000, 9000.0)
    ours = body(session.get(URL + LIST, params={"per_page": 200}))
    theirs = [row for page in recorded(shared_data, "all_athlete_activities.json") for row in page["body"]]
    assert len(ours) == len(RUNS) + 1
    assert always(theirs) <= always(ours)
    assert set(kinds(ours)) <= set(kinds(theirs))
    for name, found in kinds(ours).items():
        assert found <= kinds(theirs)[name], name
    by_hand, theirs_by_hand = (
        next(row for row in rows if row["manual"]) for rows in (ours, [r for r in theirs if r["sport_type"] == "Swim"])
    )
    assert set(theirs_by_hand) == set(by_hand)
    assert [kind(v) for _, v in sorted(by_hand.items())] == [kind(v) for _, v in sorted(theirs_by_hand.items())]


def test_nested_objects_have_the_recorded_shape_too(session: requests.Session, shared_data: Path) -> None:
    ours = body(session.get(URL + LIST))[0]
    theirs = recorded(shared_data, "all_athlete_activities.json")[0]["body"][0]
    for name in ("athlete", "map"):
        assert {k: kind(v) for k, v in ours[name].items()} == {k: kind(v) for k, v in theirs[name].items()}
    assert [kind(v) for v in ours["start_latlng"]] == [kind(v) for v in theirs["start_latlng"]]
    for name in ("start_date", "start_date_local"):
        assert len(ours[name]) == len(theirs[name])
        assert ours[name][-1] == theirs[name][-1] == "Z"
    assert ours["timezone"].startswith("(GMT+01:00) ")


def test_streams_are_the_nine_of_the_recorded_run(
    service: Strava, session: requests.Session, shared_data: Path
) -> None:
    theirs = json.loads((shared_data / "api" / "strava" / "runpandas_streams.json").read_text())
    run = next(n for n in service.ids() if not body(session.get(f"{URL}/api/v3/activities/{n}"))["trainer"])
    keys = {"keys": ",".join(theirs), "key_by_type": "true"}
    ours = body(session.get(f"{URL}/api/v3/activities/{run}/streams", params=keys))
    assert set(ours) == set(theirs)
    for name, stream in ours.items():
        assert set(stream) == set(theirs[name])
        assert {kind(v) for v in stream["data"]} == {kind(v) for v in theirs[name]["data"]}, name
        assert stream["original_size"] == len(stream["data"]) == len(ours["time"]["data"])
        assert (stream["series_type"], stream["resolution"]) == ("time", "high")


def test_a_detail_has_what_the_list_has(session: requests.Session) -> None:
    row = body(session.get(URL + LIST))[0]
    assert body(session.get(f"{URL}/api/v3/activities/{row['id']}")).items() >= (row | {"resource_state": 3}).items()


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
def test_token_answers_have_the_recorded_shape(service: Strava, shared_data: Path, grant: str) -> None:
    session = reach(requests.Session(), service)
    told = {"code": service.allow().split("code=")[1].split("&")[0], "refresh_token": service.tokens()["refresh_token"]}
    app = {"client_id": service.client_id, "client_secret": service.client_secret}
    ours = body(session.post(f"{URL}/oauth/token", data=app | told | {"grant_type": grant}))
    theirs = recorded(shared_data, f"oauth_token_{grant}.json")[0]["body"]
    assert {k: kind(v) for k, v in ours.items()} == {k: kind(v) for k, v in theirs.items()}
    wrong = session.post(f"{URL}/oauth/token", data=app | {"code": "x", "grant_type": "authorization_code"})
    assert body(wrong, 400) == recorded(shared_data, "oauth_token_invalid_code.json")[0]["body"]
    unknown = session.post(f"{URL}/oauth/token", data={"client_id": 1})
    assert body(unknown, 400) == recorded(shared_data, "oauth_token_invalid_client.json")[0]["body"]


def test_every_api_answer_announces_the_recorded_limits(session: requests.Session, shared_data: Path) -> None:
    theirs = {k.lower(): v for k, v in recorded(shared_data, "all_athlete_activities.json")[0]["headers"].items()}
    ours = {k.lower(): v for k, v in session.get(URL + LIST).headers.items()}
    for name in (name for name in theirs if "ratelimit" in name):
        assert len(ours[name].split(",")) == len(theirs[name].split(",")) == 2
        if name.endswith("-limit"):
            assert ours[name] == theirs[name]
    assert ours["content-type"] == theirs["content-type"]


# Rules


def test_limits_count_in_quarters_and_days_by_the_services_own_clock(
    service: Strava, session: requests.Session
) -> None:
    service.limits = Limits((200, 2000), (3, 5))
    statuses = [session.get(URL + LIST).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert service.beyond == 1
    service.advance(dt.datetime(2026, 11, 24, 3, 45, tzinfo=dt.UTC))
    answer = session.get(URL + LIST)
    assert (answer.status_code, answer.headers["X-ReadRateLimit-Usage"]) == (200, "1,5")
    assert session.get(URL + LIST).status_code == 429
    service.advance(dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
    assert session.get(URL + LIST).headers["X-ReadRateLimit-Usage"] == "1,1"


def test_pages_are_newest_first_short_where_something_is_hidden_and_empty_at_the_end(
    service: Strava, session: requests.Session
) -> None:
    ids = service.ids()
    service.hidden_from_pages = frozenset(ids[1:4])
    pages = [[r["id"] for r in body(session.get(URL + LIST, params={"page": n, "per_page": 10}))] for n in range(1, 6)]
    assert pages[0] == [ids[0], *ids[4:10]]
    assert pages[1] == ids[10:20]
    assert pages[-1] == []


def test_before_and_after_cut_the_list_and_the_future_is_refused(service: Strava, session: requests.Session) -> None:
    ids = service.ids()
    start = ids[5] - 10_000_000_000
    before = body(session.get(URL + LIST, params={"before": start}))
    assert [row["id"] for row in before] == ids[6:]
    after = body(session.get(URL + LIST, params={"after": start}))
    assert [row["id"] for row in after] == ids[4::-1]
    future = (NIGHT + dt.timedelta(days=1)).timestamp()
    assert session.get(URL + LIST, params={"after": future}).status_code == 400


def test_a_refresh_kills_the_old_refresh_token_and_an_access_token_lasts_six_hours(
    service: Strava, session: requests.Session
) -> None:
    told = {"client_id": service.client_id, "client_secret": service.client_secret, "grant_type": "refresh_token"}
    old = service.tokens()["refresh_token"]
    service.advance(NIGHT + dt.timedelta(hours=6, minutes=1))
    assert session.get(URL + LIST).status_code == 401
    new = body(session.post(f"{URL}/oauth/token", data=told | {"refresh_token": old}))
    assert new["refresh_token"] != old
    assert session.post(f"{URL}/oauth/token", data=told | {"refresh_token": old}).status_code == 400
    session.headers["Authorization"] = f"Bearer {new['access_token']}"
    assert session.get(URL + LIST).status_code == 200


def test_what_is_not_uploaded_yet_or_deleted_is_not_there(service: Strava, session: requests.Session) -> None:
    late = service.upload(RUNS[0], seen_from=NIGHT + dt.timedelta(hours=1), name="late")
    assert late not in {row["id"] for row in body(session.get(URL + LIST, params={"per_page": 200}))}
    assert session.get(f"{URL}/api/v3/activities/{late}").status_code == 404
    service.advance(NIGHT + dt.timedelta(hours=1))
    assert body(session.get(f"{URL}/api/v3/activities/{late}"))["name"] == "late"
    service.edit(late, name="edited")
    assert body(session.get(f"{URL}/api/v3/activities/{late}"))["name"] == "edited"
    service.delete(late)
    assert session.get(f"{URL}/api/v3/activities/{late}/streams").status_code == 404


def test_a_fault_comes_as_often_and_as_late_as_it_was_ordered(service: Strava, session: requests.Session) -> None:
    service.faults.add("list", Fault("status", 503), 2, after=1)
    assert [session.get(URL + LIST).status_code for _ in range(4)] == [200, 503, 503, 200]
    service.faults.add("list", Fault("inactive"), 1)
    assert body(session.get(URL + LIST), 403)["errors"] == [
        {"resource": "Application", "field": "Status", "code": "Inactive"}
    ]
    service.faults.add("list", Fault("cut"), 1)
    with pytest.raises(requests.RequestException):
        session.get(URL + LIST)
    assert service.asked == {"list": 6}
