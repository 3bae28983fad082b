"""Answers as an attacker would send them: JSON of any shape at any endpoint costs its own activities at most."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from hamload import pipeline, settings
from hamload.pipeline.documents.reading import Task, read
from hamload.raw import Raw, document_id
from hamload.records import Service
from hamload.simulator import garmin as garmin_simulator
from hamload.simulator import strava as strava_simulator

STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**400,
    2**63,
    1e308,
    -1e-300,
    float("nan"),
    float("inf"),
    "",
    "x" * 100_000,
    "\x1b[2J\x00\ud800",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "'; drop table landing.activities; --",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    [],
    {},
    [[[[]]]],
    {"id": {"id": []}},
)
DEEP = b"[" * 100_000 + b"]" * 100_000


def _changed(content: bytes, chance: random.Random) -> bytes:
    """Return a JSON answer with some of its values, names or bytes made strange."""
    kind = chance.randrange(8)
    if kind == 0:
        at = chance.randrange(len(content) + 1)
        return content[:at] + chance.randbytes(chance.choice((1, 4, 40))) + content[at + 1 :]
    if kind == 1:
        return DEEP
    answer = json.loads(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        places = list(_places(answer))
        if not places:
            return json.dumps(chance.choice(STRANGE)).encode()
        holder, key = chance.choice(places)
        if chance.random() < 0.2:
            del holder[key]
        elif isinstance(holder, list) and chance.random() < 0.3:
            holder[key:key] = [holder[key]] * chance.choice((1, 50))
        else:
            holder[key] = chance.choice(STRANGE)
    return json.dumps(answer).encode()


def _places(node: Any) -> list[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else list(range(min(len(node), 20))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in _places(node[key])]


def _changing(seed: int) -> Callable[[bytes], bytes]:
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    return lambda content: _changed(content, chance)


ENDPOINTS = [
    (Service.STRAVA, "list"),
    (Service.STRAVA, "streams"),
    (Service.GARMIN, "activities"),
    (Service.GARMIN, "exercise_sets"),
    (Service.GARMIN_PERSONAL, "activities"),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("service", "endpoint"), ENDPOINTS, ids=str)
def test_a_strange_answer_harms_no_other_source_and_once_they_are_right_again_every_activity_is_here(
    live: Any, service: Service, endpoint: str, seed: int
) -> None:
    home = live(3, tells=False)
    if service is Service.STRAVA:
        home.world.strava.faults.add(endpoint, strava_simulator.Fault("changed", change=_changing(seed)))
    else:
        simulator = home.world.garmin if service is Service.GARMIN else home.world.personal
        simulator.faults.put(endpoint, garmin_simulator.Fault("changed", change=_changing(seed)))
    with pipeline.exclusive(home.settings):
        fetched, failed = pipeline.fetch(home.settings, home.world.now)
    for problem in failed:
        assert problem.startswith(service.label)
        assert problem.isprintable()
    assert {f.service for f in fetched} >= set(Service) - {service}
    with pipeline.exclusive(home.settings):
        _, broken = pipeline.refresh(home.settings, home.world.now.date(), now=home.world.now)
    assert broken == []

    for simulator in (home.world.strava, home.world.garmin, home.world.personal):
        simulator.faults.clear()
    for _ in range(4):
        night = home.night(days=1)
    assert (night.failed_checks, night.failed_sources) == ((), ())
    with Raw(home.home) as raw:
        given = {(d.source, d.external_id) for d in raw.deliveries()}
    assert given >= {("strava", str(number)) for number in home.world.strava.ids()}
    for upload in home.world.account.visible():
        assert ("garmin", str(upload.activity_id)) in given


@pytest.mark.sampled(1)
@pytest.mark.parametrize("first", range(0, 600, 200))
def test_a_strange_document_of_a_service_is_an_activity_or_has_a_reason(live: Any, first: int) -> None:
    home = live(2, tells=False)
    home.night()
    _, signal, _ = settings.defaults()
    with Raw(home.home) as raw:
        documents = [
            (d, raw.content(d.document_id, d.format)) for d in raw.deliveries() if d.format in {"strava", "garmin"}
        ]
    assert {d.format for d, _ in documents} >= {"strava"}
    for seed in range(first, first + 200):
        chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
        delivery, content = chance.choice(documents)
        changed = _changed(content, chance)
        path = home.home.parent / "document"
        outcome = read(
            Task(path, delivery.format, document_id(changed), "", {}, content=changed), signal, settings.defaults()[0]
        )
        assert outcome.activities or outcome.refusal
        assert "hamload itself failed" not in outcome.refusal, (seed, outcome.refusal)
