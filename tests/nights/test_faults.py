"""Every fault at every endpoint of every service: the others are unharmed, and the next night completes.

Where a fault cannot be got over in the same night, the runner is told what is wrong and what mends it.
"""

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from hamload import pipeline
from hamload.raw import Raw
from hamload.records import OwnService, Service
from hamload.simulator import garmin as garmin_simulator
from hamload.simulator import strava as strava_simulator

#: What one whole answer may take here; a service that is silent or drips is given up after it.
FETCH = "[fetch]\ntimeout_s = 1.0\nretries = 0\nwait_s = 0.01\n"
RUNS = 2

STRAVA_FAULTS = {
    "401": strava_simulator.Fault("status", 401),
    "403": strava_simulator.Fault("status", 403),
    "404": strava_simulator.Fault("status", 404),
    "429": strava_simulator.Fault("status", 429),
    "500": strava_simulator.Fault("status", 500),
    "503": strava_simulator.Fault("status", 503),
    "subscription lapsed": strava_simulator.Fault("inactive"),
    "error page": strava_simulator.Fault("html", 502),
    "page instead of data": strava_simulator.Fault("html", 200),
    "cut off": strava_simulator.Fault("cut"),
    "half an answer": strava_simulator.Fault("torn"),
    "silent": strava_simulator.Fault("silent", wait_s=2),
    "drip": strava_simulator.Fault("drip"),
    "empty": strava_simulator.Fault("empty"),
    "another answer": strava_simulator.Fault("garbage"),
}
GARMIN_FAULTS = {
    **{str(status): garmin_simulator.Fault("status", status) for status in (401, 403, 404, 429, 500, 503)},
    "page instead of data": garmin_simulator.Fault("html"),
    "slow": garmin_simulator.Fault("slow", seconds=2),
    "drip": garmin_simulator.Fault("drip"),
    "half an answer": garmin_simulator.Fault("cut"),
    "cut off": garmin_simulator.Fault("short"),
    "line dead": garmin_simulator.Fault("drop"),
    "answer lost": garmin_simulator.Fault("lost"),
}
CASES = [
    *((Service.STRAVA, endpoint, name) for endpoint in ("token", "list", "streams") for name in STRAVA_FAULTS),
    *(
        (Service.GARMIN, endpoint, name)
        for endpoint in ("refresh", "activities", "download", "exercise_sets")
        for name in GARMIN_FAULTS
    ),
    *((Service.GARMIN_PERSONAL, e, name) for e in ("key", "activities", "download") for name in GARMIN_FAULTS),
]


def _break(home: Any, service: Service, endpoint: str, name: str) -> None:
    if service is Service.STRAVA:
        home.world.strava.faults.add(endpoint, STRAVA_FAULTS[name])
        if endpoint == "token":
            home.access.strava.expire()
    else:
        simulator = home.world.garmin if service is Service.GARMIN else home.world.personal
        if endpoint == "refresh":
            # Whatever was issued so far is over: the client has to refresh.
            simulator.revoke(refresh=False)
        simulator.faults.put(endpoint, GARMIN_FAULTS[name])


def _mend(home: Any) -> None:
    for simulator in (home.world.strava, home.world.garmin, home.world.personal):
        simulator.faults.clear()


def _fetch(home: Any) -> tuple[set[Service | OwnService], list[str]]:
    with pipeline.exclusive(home.settings):
        fetched, failed = pipeline.fetch(home.settings, home.world.now)
    return {f.service for f in fetched}, failed


def _given(home: Any) -> dict[str, Counter[tuple[str, str]]]:
    """Return what each source has given so far: activities by their ids and the format they came in."""
    found: dict[str, Counter[tuple[str, str]]] = {service.value: Counter() for service in Service}
    with Raw(home.home) as raw:
        for delivery in raw.deliveries():
            is_whole = delivery.format != "strava" or b'"note":""' in raw.content(delivery.document_id, "strava")
            found[delivery.source][delivery.external_id, delivery.format if is_whole else "summary"] += 1
    return found


def _expected(home: Any) -> dict[str, set[tuple[str, str]]]:
    uploads = home.world.account.visible()
    files = {(str(u.activity_id), "fit") for u in uploads}
    sets = {(str(u.activity_id), "garmin") for u in uploads if u.run is None}
    return {
        "strava": {(str(number), "strava") for number in home.world.strava.ids()},
        "garmin": files | sets,
        "garmin_personal": files,
    }


#: The service has replaced the token, and its answer never arrived: nobody but the runner can mend that.
LOST_FOR_GOOD = {
    (Service.STRAVA, "token", name) for name in ("cut off", "half an answer", "drip", "empty", "another answer")
}


@pytest.mark.sampled(31)
@pytest.mark.parametrize(("service", "endpoint", "name"), CASES, ids=lambda value: str(value).replace(" ", "-"))
def test_a_fault_harms_no_other_source_is_told_and_the_next_night_has_everything(
    live: Any, service: Service, endpoint: str, name: str
) -> None:
    home = live(RUNS, config=FETCH)
    _break(home, service, endpoint, name)

    came, failed = _fetch(home)

    given, expected = _given(home), _expected(home)
    for other in set(Service) - {service}:
        assert other in came
        assert set(given[other.value]) == expected[other.value]
    for problem in failed:
        assert problem.startswith(service.label)
        assert _tells_what_to_do(problem), problem
    with Raw(home.home) as raw:
        last = {report.source: report for report in raw.reports()}[service.value]
    is_short = not expected[service.value] <= set(given[service.value])
    assert last.is_failure is bool(failed)
    # 404 is an answer: there is none. It is asked for a few nights more, in case the upload was still being worked on.
    assert last.message or not is_short or name == "404", "what is missing is told"

    _mend(home)
    whole = {key for key in given[service.value] if key in expected[service.value]}
    home.requests()
    # A limit is kept: nothing is asked before its end.
    home.world.advance(max(home.world.now + dt.timedelta(hours=1), last.resumes_at or home.world.now))
    came, failed = _fetch(home)

    if (service, endpoint, name) in LOST_FOR_GOOD:
        (problem,) = failed
        assert "interrupted before its answer was kept" in problem
        assert "hamload auth strava" in problem
        return
    assert failed == []
    assert came == set(Service)
    given = _given(home)
    if (endpoint, name) == ("exercise_sets", "404"):
        expected["garmin"] = {key for key in expected["garmin"] if key[1] == "fit"}
    for source, keys in expected.items():
        assert keys <= set(given[source])
    # What was here whole was not fetched again.
    again = home.requests()[service.value].get("streams" if service is Service.STRAVA else "download", 0)
    files = {key for key in expected[service.value] - whole if key[1] != "garmin"}
    assert again <= len(files)


def _tells_what_to_do(problem: str) -> bool:
    return any(word in problem for word in ("hamload auth", "next run", "https://", "Nothing to do", "report"))
