"""Digests as a runner gets them: a deload, a steady week, a missing one, a first fortnight. Factories, not files."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from vl_convert import javascript_bundle

from hamload import charts
from hamload.digest.facts import (
    Amounts,
    DigestFacts,
    FourWeeks,
    ModelFacts,
    ModelNote,
    SeriesRow,
    Session,
    SourceRow,
    Week,
)
from hamload.digest.report import Coefficient, ReportFacts, ReportRun, Spell
from hamload.records import Alert, Cause, Confidence, Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MONDAY = dt.date(2025, 11, 24)
DISCLAIMER = (
    "This is general information about training load, made by a program from your recordings. It is no medical advice, "
    "no diagnosis and no treatment. With sharp pain, swelling, numbness or weakness, stop and see a clinician."
)


def amounts(load: float, hill: float, speed: float, long: float, **others: float) -> dict[str, float]:
    return {
        "load_efm": load,
        "load_hill_efm": hill,
        "load_speed_efm": speed,
        "load_long_efm": long,
        "load_base_efm": load - hill - speed - long,
        "distance_m": 160 * load,
        "moving_time_s": 54 * load,
        "runs": 4,
    } | others


def week(load: float = 330.4, known_days: int = 7, **others: float) -> Week:
    loads = amounts(load, load * 0.24, load * 0.1, load * 0.19, **others)
    return Week(first_date=MONDAY - dt.timedelta(6), last_date=MONDAY, days=7, known_days=known_days, **loads)


def four_weeks(load: float = 840.0, known_days: int = 28) -> FourWeeks:
    loads = amounts(load, load * 0.1, load * 0.08, load * 0.05, runs=15)
    mean = {name: value * 7 / known_days for name, value in loads.items()}
    return FourWeeks(
        first_date=MONDAY - dt.timedelta(34),
        last_date=MONDAY - dt.timedelta(7),
        days=28,
        known_days=known_days,
        per_week=Amounts(**mean),
        **loads,
    )


def session(**others: Any) -> Session:
    facts: dict[str, Any] = {
        "date": MONDAY - dt.timedelta(1),
        "title": "Long one over the Kahlenberg",
        "distance_m": 24_120.0,
        "moving_time_s": 8_820.0,
        "load_efm": 171.6,
        "load_hill_efm": 58.2,
        "load_speed_efm": 0.0,
        "load_long_efm": 62.9,
        "load_base_efm": 50.5,
        "is_hill": True,
        "is_speed": False,
        "is_long": True,
        "is_heavy": True,
        "spike_distance": 1.34,
        "spike_load": 1.52,
        "confidence": Confidence.HIGH,
        "confidence_why": "Worked out second by second, the hills from the watch's barometer.",
    }
    return Session(**facts | others)


def easy_run(**others: Any) -> Session:
    facts: dict[str, Any] = {
        "date": MONDAY - dt.timedelta(4),
        "title": "Prater easy",
        "distance_m": 8_030.0,
        "moving_time_s": 2_880.0,
        "load_efm": 47.7,
        "load_hill_efm": None,
        "load_long_efm": 0.3,
        "load_base_efm": 47.4,
        "is_hill": None,
        "is_long": False,
        "is_heavy": False,
        "spike_distance": 0.45,
        "spike_load": 0.42,
        "confidence": Confidence.MEDIUM,
        "confidence_why": "Worked out second by second, but without altitude: climbs count as flat.",
    }
    return session(**facts | others)


def series(**others: Any) -> tuple[SeriesRow, ...]:
    rows = {
        "total": (47.2, 33.8, 1.61, 1.38, 94.0),
        "heavy": (24.5, 11.0, 3.77, 1.72, 97.0),
        "hill": (11.3, 5.1, 3.73, 1.55, 96.0),
        "speed": (4.7, 3.4, 1.57, 1.22, 71.0),
        "long": (9.0, 3.4, 5.97, 1.91, 98.0),
    }
    names = ("acute_efm", "chronic_efm", "uncoupled", "ewma", "own_percentile")
    return tuple(SeriesRow(series=name, **_named(names, row) | others) for name, row in rows.items())


def _named(names: tuple[str, ...], row: tuple[float, ...]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def withheld(why: str) -> tuple[SeriesRow, ...]:
    nothing = dict.fromkeys(("acute_efm", "chronic_efm", "uncoupled", "ewma", "own_percentile"))
    return tuple(replace(row, why_withheld=why) for row in series(**nothing))


def reason(**others: Any) -> Reason:
    facts: dict[str, Any] = {
        "rule": "spike_distance",
        "state": State.DELOAD,
        "value": 1.34,
        "threshold": 1.30,
        "sentence": "The run of Sun 23 Nov was 34 % beyond your longest in 30 days.",
        "evidence": "One large observational study: runners who did that had more overuse injuries."
        " It cannot say whether you will.",
        "causes": (Cause("s1", 1.0, "Long one over the Kahlenberg, Sun 23 Nov, 24.1 km"),),
    }
    return Reason(**facts | others)


def alert(state: State = State.DELOAD, **others: Any) -> Alert:
    facts: dict[str, Any] = {
        "athlete_id": "me",
        "date": MONDAY,
        "state": state,
        "reasons": (reason(),),
        "is_new": True,
        "is_continuation": False,
        "held": False,
        "episode": 3,
        "advice": ("Back off this week: nothing longer than 19.8 km, nothing heavy until Wed 26 Nov.",),
        "clears_when": "the uncoupled ratio is at most 1.44, the EWMA ratio at most 1.30, and the spike 3 days old",
    }
    return Alert(**facts | others)


def deload(**others: Any) -> DigestFacts:
    facts: dict[str, Any] = {
        "athlete_name": "Anna",
        "as_of": MONDAY,
        "time_zone": "Europe/Vienna",
        "is_simulated": False,
        "alert": alert(
            reasons=(
                reason(),
                reason(
                    rule="ewma",
                    state=State.CAUTION,
                    value=1.38,
                    threshold=1.3,
                    sentence="Your load of late is 1.38 times what you are used to (EWMA).",
                    evidence="Contested: some studies support such ratios, strong critics do not.",
                    causes=(
                        Cause("s1", 0.62, "Long one over the Kahlenberg, Sun 23 Nov"),
                        Cause("s0", 0.17, "Prater easy, Thu 20 Nov"),
                    ),
                ),
            )
        ),
        "headline": "34 % beyond your longest run in 30 days",
        "disclaimer": DISCLAIMER,
        "last_7": week(),
        "before_28": four_weeks(),
        "series": series(),
        "sessions": (easy_run(), session()),
        "unknowns": (
            "The hills of Prater easy (Thu 20 Nov) are unknown: its recording has no altitude.",
            "One file could not be read: 2025-11-19-broken.fit (bad checksum).",
        ),
        "sources": (
            SourceRow(
                source="files",
                last_success_at=dt.datetime(2025, 11, 24, 2, 10, tzinfo=dt.UTC),
                newest_activity_date=MONDAY - dt.timedelta(1),
            ),
            SourceRow(
                source="garmin",
                last_success_at=dt.datetime(2025, 11, 15, 2, 10, tzinfo=dt.UTC),
                newest_activity_date=dt.date(2025, 11, 14),
                wrong="Garmin no longer takes the saved tokens.",
                remedy="hamload auth garmin",
            ),
        ),
        "model": ModelFacts(
            version="1-3f9a11c2",
            easy_speed_mps=2.8,
            spike_days=30,
            notes=(
                ModelNote("E", "Spikes from 1.10 on: Frandsen et al. 2025, BJSM 59:1203. Acting on them is our idea."),
                ModelNote("A", "The ratio limits 1.3, 1.5 and 1.8, and all that turns speed and grade into load."),
            ),
        ),
        "next_7": (
            "About 231 EFM in all, or 231 easy flat minutes: Mon 0, Tue 35, Wed 0, Thu 45, Fri 0, Sat 51, Sun 100.",
            "Swiss-ball curls: halve them, 1 set of 5 after the easy run on Tue 25 Nov. Not before Sun.",
        ),
    }
    return DigestFacts(**facts | others)


def steady(**others: Any) -> DigestFacts:
    calm: dict[str, Any] = {
        "alert": alert(State.STEADY, reasons=(), advice=(), clears_when=""),
        "headline": "nothing is out of the ordinary",
        "last_7": week(215.0),
        "series": series(uncoupled=1.02, ewma=1.01, own_percentile=55.0),
        "sessions": (easy_run(is_hill=False, load_hill_efm=0.0),),
        "unknowns": (),
        "sources": deload().sources[:1],
        "next_7": ("Run as usual.", "Swiss-ball curls: 2 sets of 7 after the easy runs on Tue 25 and Fri 28 Nov."),
    }
    return deload(**calm | others)


def unknown(**others: Any) -> DigestFacts:
    why = "2 of the last 28 days are unknown: no source has reported on Sat 22 and Sun 23 Nov."
    blind: dict[str, Any] = {
        "alert": alert(
            State.UNKNOWN,
            reasons=(
                reason(
                    state=State.UNKNOWN, rule="missing", value=2, threshold=None, sentence=why, evidence="", causes=()
                ),
            ),
            advice=(),
            clears_when="a source reports on those days",
        ),
        "headline": "two days are missing, so no state can be given",
        "last_7": week(96.0, known_days=5),
        "before_28": four_weeks(780.0, known_days=26),
        "series": withheld(why),
        "sessions": (easy_run(spike_distance=None, spike_load=None),),
        "unknowns": (why,),
        "next_7": (),
    }
    return deload(**blind | others)


def baseline(**others: Any) -> DigestFacts:
    nothing = dict.fromkeys(Amounts.__dataclass_fields__)
    why = "Day 12 of 28: before a full four weeks there is nothing to compare with."
    young: dict[str, Any] = {
        "athlete_name": "",
        "alert": alert(
            State.BASELINE,
            reasons=(
                reason(
                    state=State.BASELINE, rule="history", value=12, threshold=28, sentence=why, evidence="", causes=()
                ),
            ),
            advice=("Run as you are used to.",),
            clears_when="28 days are known",
        ),
        "headline": "building a baseline, day 12 of 28",
        "before_28": FourWeeks(
            first_date=MONDAY - dt.timedelta(34),
            last_date=MONDAY - dt.timedelta(7),
            days=28,
            known_days=0,
            per_week=Amounts(**nothing),
            **nothing,
        ),
        "series": withheld(why),
        "sessions": (
            easy_run(is_hill=None, is_speed=None, is_long=None, is_heavy=None, spike_distance=None, spike_load=None),
        ),
        "sources": (),
        "model": ModelFacts(version="1-3f9a11c2", easy_speed_mps=None, spike_days=30),
    }
    return deload(**young | others)


EXAMPLES: dict[str, Callable[..., DigestFacts]] = {
    "deload": deload,
    "steady": steady,
    "unknown": unknown,
    "baseline": baseline,
}
PIECES: dict[str, Callable[..., Any]] = {
    "alert": alert,
    "reason": reason,
    "session": session,
    "easy run": easy_run,
    "week": week,
    "four weeks": four_weeks,
    "series": series,
}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> DigestFacts:
    """One after the other: a deload, a steady week, a week with missing days, a first fortnight."""
    return EXAMPLES[request.param]()


@pytest.fixture(scope="session")
def make() -> Callable[..., Any]:
    """Make an example or a piece of one by its name, single values replaced."""
    return lambda name, **others: (EXAMPLES | PIECES)[name](**others)


def report_run(place: int = 0, **others: Any) -> ReportRun:
    """Return one run of a report's list, so many days ago."""
    facts = {name: others.pop(name) for name in list(others) if name in Session.__dataclass_fields__}
    date = MONDAY - dt.timedelta(place)
    told: dict[str, Any] = {
        "session": session(**{"date": date} | facts),
        "source": "files",
        "device": "a watch",
        "basis": "streams",
        "climb_m": 410.0,
        "copies": 0,
        "trace": place,
    }
    return ReportRun(**told | others)


def trace(points: int = 120) -> dict[str, Any]:
    """Return a run's course as the page carries it, with a stretch of which nothing is known."""
    values = [*range(60, 60 + points - 20), *[255] * 20]
    text = base64.b64encode(bytes(min(value, 255) for value in values)).decode()
    return {"s": 30.0, "v": text, "g": text, "h": text}


def report_rows(days: int, unknown: range = range(0)) -> dict[str, Any]:
    """Return what a report draws: so many days up to `MONDAY`, those of `unknown` (days ago) unknown."""
    first = (MONDAY - dt.date(1970, 1, 1)).days - days + 1
    at = [(first + day) * 86_400_000 for day in range(days)]
    spans = [{"at": at[-1 - d], "until": at[-1 - d] + 86_400_000, "why": "no source has reported"} for d in unknown]
    parts = ("hill", "speed", "long", "base")
    return {
        "days": [
            {"at": t, "days": 1, "known": days - 1 - n not in unknown, "label": f"day {n}"}
            | {"acute": 40 + n % 9, "chronic": 38.5}
            | {part: float((n * (7 + index)) % (20 + 5 * index)) for index, part in enumerate(parts)}
            for n, t in enumerate(at)
        ],
        "ratios": [
            {"at": t, "label": f"day {n}", "uncoupled": None, "ewma": None}
            if days - 1 - n in unknown
            else {"at": t, "label": f"day {n}", "uncoupled": 1 + (n % 11) / 20, "ewma": 1 + (n % 7) / 25}
            for n, t in enumerate(at)
        ],
        "unknown": spans,
        "withheld": spans,
        "thresholds": [{"value": 1.8, "label": "deload, uncoupled"}],
        "curls": [{"at": t, "label": "a day", "sets": 2, "repetitions": 10} for t in at[::5]],
        "tightness": [{"at": t, "label": "a day", "tightness": 3} for t in at[::3]],
        "whole": [{"at": at[0]}, {"at": at[-1]}],
        "speed_factor": 3.6,
    }


@cache
def _library() -> str:
    return javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the default


def report(
    digest: DigestFacts | None = None, runs: Sequence[ReportRun] = (), days: int = 120, unknown: range = range(0)
) -> ReportFacts:
    """Return a report's facts around a digest's."""
    digest = digest or deload()
    runs = runs or tuple(report_run(place * 2, trace=place) for place in range(12))
    traces = [trace() for _ in range(max((r.trace or 0 for r in runs), default=0) + 1)]
    spell = Spell(
        state=digest.alert.state,
        first_date=MONDAY - dt.timedelta(2),
        last_date=MONDAY,
        headline=digest.headline,
        reasons=digest.alert.reasons,
    )
    return ReportFacts(
        digest=digest,
        runs=tuple(runs),
        spells=(spell,) * 30,
        coefficients=(
            Coefficient("alerts.deload.spike", 1.3, "E", "Frandsen et al. 2025", is_default=True),
            Coefficient("model.demand.easy_exponent", 2.0, "A", "set in config.toml", is_default=False),
        ),
        rows=report_rows(days, unknown) | {"traces": traces},
        specs={
            "load": charts.spec(charts.load()),
            "ratios": charts.spec(charts.ratios()),
            "strength": charts.spec(charts.strength()),
            "run": charts.spec(charts.run()),
        },
        drawing=_library(),
        written_at=dt.datetime(2025, 11, 25, 2, 10, tzinfo=dt.UTC),
        outbox=("1 message in the outbox: mail is not set up: [mail] in config.toml.",),
    )


PIECES |= {"report": report, "report run": report_run}
