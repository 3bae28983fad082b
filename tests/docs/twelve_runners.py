"""Twelve simulated runners, a year each, as a page: `python tests/docs/twelve_runners.py > docs/twelve-runners.md`.

Every number comes from the load model's own functions, every state from `hamload.advice.assess`; made up are only the
minutes that were run and what the runners logged. `test_twelve_runners.py` writes the page again and compares.
"""

import datetime as dt
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from hamload.advice import FlagEntry, assess, open_flags
from hamload.load import acwr, is_returning, monotony, spike, strain
from hamload.records import Alert, Array, DayFacts, SeriesDay, SessionFact, State
from hamload.settings import defaults

MODEL, _, RULES = defaults()
FIRST = dt.date(2025, 1, 6)  # a Monday
DAYS = 364
BLOCK = 28
#: Minutes on Monday to Sunday of an ordinary week: speed on Wednesday, the long run on Sunday.
WEEK = np.array([0.0, 45.0, 50.0, 0.0, 45.0, 0.0, 85.0])
SPEED_DAY, LONG_DAY = 2, 6
SPEED_FACTOR, HILL_FACTOR = 1.5, 1.6
MIN_PER_KM = 5.5
LETTERS = {
    State.STOP: "X",
    State.DELOAD: "D",
    State.CAUTION: "C",
    State.BUILD: "b",
    State.STEADY: "·",
    State.BASELINE: "-",
    State.RETURNING: "r",
    State.UNKNOWN: "?",
}


@dataclass
class Year:
    """A runner's year, day by day: minutes, what a minute asks, if the day is heavy and known; and what they say."""

    minutes: Array
    factor: Array
    is_heavy: np.ndarray
    is_known: np.ndarray
    tightness: dict[int, float] = field(default_factory=dict)
    curls: set[int] = field(default_factory=set)
    flags: list[tuple[int, str, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Runner:
    """A name, what happens in the year, why the states are right, and the year."""

    name: str
    story: str
    argument: str
    year: Callable[[], Year]


def ordinary(seed: int, *, spread: float = 0.10, skipped: float = 0.03, curls: bool = True) -> Year:
    """Return the year of a runner who trains by the book: three weeks of building, one of recovery, and curls."""
    rng = np.random.default_rng(seed)
    block = (0.97, 1.0, 1.04, 0.85)
    minutes = np.array([WEEK[d % 7] * block[d // 7 % 4] for d in range(DAYS)])
    minutes *= rng.lognormal(0, spread, DAYS) * (rng.random(DAYS) >= skipped)
    weekday = np.arange(DAYS) % 7
    factor = np.where(weekday == SPEED_DAY, SPEED_FACTOR, 1.0)
    heavy = np.isin(weekday, (SPEED_DAY, LONG_DAY))
    year = Year(minutes, factor, heavy, np.ones(DAYS, dtype=bool))
    if curls:
        year.curls = {d for d in range(DAYS) if d % 7 in (1, 4)}
    return year


def facts_of(year: Year) -> list[DayFacts]:
    """Return what `assess` takes, every number from the load model's functions."""
    loads = np.where(year.is_known, year.minutes * year.factor, np.nan)
    ran = np.flatnonzero(np.nan_to_num(loads) > 0)
    metres = year.minutes / MIN_PER_KM * 1000
    spikes = {"distance": np.full(DAYS, np.nan), "load": np.full(DAYS, np.nan)}
    for name, sizes in (("distance", metres), ("load", loads)):
        spikes[name][ran] = spike(sizes[ran], ran.astype(float), MODEL.series.spike_days)
    for ran_on in ran:
        first = ran_on - MODEL.series.spike_days
        if first < 0 or not year.is_known[first : ran_on + 1].all():
            spikes["distance"][ran_on] = spikes["load"][ran_on] = np.nan
    runs = [_run(int(d), year, metres, loads, spikes) for d in ran]
    heavy = np.where(year.is_known, np.where(year.is_heavy, loads, 0.0), np.nan)
    back = is_returning(loads, MODEL.series.returning_days, MODEL.series.chronic_days)
    series = {name: _series(values, back) for name, values in (("total", loads), ("heavy", heavy))}
    flags = [
        FlagEntry(name, date_of(d), dt.datetime.combine(date_of(d), dt.time(9), dt.UTC), cleared)
        for d, name, cleared in year.flags
    ]
    days = []
    for day in range(DAYS):
        done = [c for c in year.curls if c <= day]
        past = [run.load_efm for run in runs if day - 90 <= int(run.session_id) <= day]
        days.append(
            DayFacts(
                date=date_of(day),
                is_known=bool(year.is_known[day]),
                unknown_days_28=int((~year.is_known[max(0, day - 27) : day + 1]).sum()),
                history_days=day + 1,
                days_since_run=int(day - ran[ran <= day].max()) if (ran <= day).any() else None,
                total=series["total"][day],
                heavy=series["heavy"][day],
                sessions=tuple(run for run in runs if 0 <= day - int(run.session_id) < 35),
                curl_sessions_10d=sum(day - c < 10 for c in done) if done else None,
                is_returning=bool(back[day]),
                flags=open_flags(flags, date_of(day)),
                tightness=year.tightness.get(day),
                tightness_before=year.tightness.get(day - 1),
                high_load_efm=float(np.quantile(past, 0.8)) if len(past) >= 8 else None,
            )
        )
    return days


def date_of(day: int) -> dt.date:
    """Return a day of the year as a date."""
    return FIRST + dt.timedelta(days=day)


def _run(day: int, year: Year, metres: Array, loads: Array, spikes: dict[str, Array]) -> SessionFact:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    is_heavy = bool(year.is_heavy[day])
    return SessionFact(
        session_id=str(day),
        start_at=dt.datetime.combine(date_of(day), dt.time(7), dt.UTC),
        local_date=date_of(day),
        title="run",
        distance_m=float(metres[day]),
        moving_time_s=float(year.minutes[day]) * 60,
        load_efm=float(loads[day]),
        load_hill_efm=0.0,
        load_speed_efm=0.0,
        load_long_efm=0.0,
        load_base_efm=float(loads[day]),
        is_hill=bool(year.factor[day] == HILL_FACTOR),
        is_speed=bool(year.factor[day] == SPEED_FACTOR),
        is_long=is_heavy and year.factor[day] == 1.0,
        is_heavy=is_heavy,
        spike_distance=known(spikes["distance"][day]),
        spike_load=known(spikes["load"][day]),
    )


def _series(values: Array, back: np.ndarray) -> list[SeriesDay]:
    ratios = {
        f"acwr_{method}": np.where(back, np.nan, acwr(values, method)) for method in ("coupled", "uncoupled", "ewma")
    }
    columns = {"load_efm": values, **ratios, "monotony": monotony(values), "strain": strain(values)}
    return [
        SeriesDay(**{name: None if np.isnan(c[d]) else float(c[d]) for name, c in columns.items()}) for d in range(DAYS)
    ]


def _steady() -> Year:
    return ordinary(1)


def _spike() -> Year:
    year = ordinary(1)
    year.minutes[30 * 7 + LONG_DAY] = 175.0
    return year


def _creep() -> Year:
    year = ordinary(3)
    weeks = np.arange(DAYS) // 7
    year.minutes *= 0.7 * 1.025 ** np.clip(weeks - 5, 0, 30)
    return year


def _hills() -> Year:
    year = ordinary(4)
    holiday = slice(26 * 7, 27 * 7)
    year.minutes[holiday] = np.array([70.0, 60.0, 80.0, 0.0, 75.0, 60.0, 95.0])
    year.factor[holiday] = HILL_FACTOR
    year.is_heavy[holiday] = True
    return year


def _marathon() -> Year:
    year = ordinary(5)
    start, race = 24, 42
    for week in range(start, race):
        build = 1 + 0.035 * (week - start) if week < race - 2 else 0.6
        recovery = 0.7 if (week - start) % 4 == 3 and week < race - 2 else 1.0
        year.minutes[week * 7 : week * 7 + 7] *= build * recovery
    year.minutes[race * 7 : race * 7 + 6] *= 0.5
    year.minutes[race * 7 + LONG_DAY] = 225.0
    year.minutes[race * 7 + 7 : race * 7 + 17] = 0.0
    return year


def _injury() -> Year:
    year = ordinary(6)
    year.minutes[20 * 7 : 26 * 7] = 0.0
    for week in range(26, 34):
        year.minutes[week * 7 : week * 7 + 7] *= 0.4 + 0.075 * (week - 26)
        year.is_heavy[week * 7 : week * 7 + 7] = False
    return year


def _missing() -> Year:
    year = ordinary(7)
    year.is_known[15 * 7 : 15 * 7 + 1] = False
    year.is_known[30 * 7 : 33 * 7] = False
    return year


def _tight(seed: int) -> Year:
    year = ordinary(seed, spread=0.25, curls=False)
    rng = np.random.default_rng(100 + seed)
    year.tightness = {d: float(rng.integers(4, 7)) for d in range(28, DAYS)}
    return year


def _tight_with_curls() -> Year:
    year = _tight(8)
    year.curls = {d for d in range(12 * 7, DAYS) if d % 7 in (1, 4)}
    year.tightness = {
        d: max(level - max(0.0, (d - 14 * 7) / 35), 0.0) // 0.5 * 0.5 for d, level in year.tightness.items()
    }
    return year


def _flag() -> Year:
    year = ordinary(10)
    year.flags = [(20 * 7 + 2, "sit-bone-pain", False), (25 * 7 + 1, "sit-bone-pain", True)]
    year.minutes[20 * 7 + 3 : 25 * 7 + 2] = 0.0
    return year


def _erratic() -> Year:
    return ordinary(11, spread=0.45, skipped=0.3, curls=False)


def _same() -> Year:
    year = ordinary(12)
    year.minutes[:] = 40.0
    year.factor[:] = 1.0
    year.is_heavy[:] = False
    return year


RUNNERS = (
    Runner(
        "Steady",
        "Four runs a week by the book, curls twice a week.",
        (
            "Nothing in this year is out of the ordinary, and nothing asks for a deload; the cautions are "
            "Sundays a little beyond the month's longest run and weeks that follow a recovery week."
        ),
        _steady,
    ),
    Runner(
        "One spike",
        "The steady year, but for one Sunday of 175 minutes in week 31.",
        (
            "The 175 minutes are told on their own Sunday and for the two days after it, the only deload of "
            "the year; the ratios clear at once, because one run more does not make a heavy month."
        ),
        _spike,
    ),
    Runner(
        "Slow creep",
        "2.5 % more each week for thirty weeks.",
        (
            "A ratio compares four weeks, and 2.5 % a week is inside it: no deload, rightly, as each step is"
            " small. What the rules cannot see here is where the creep ends; tightness, logged, would say."
        ),
        _creep,
    ),
    Runner(
        "Hill holiday",
        "Six hilly runs in week 27, a year by the book around it.",
        (
            "Every second day of it is clearly worse than the one before, and is told; two days after it the"
            " deload clears, as easy running brings the ratios under their margins."
        ),
        _hills,
    ),
    Runner(
        "Marathon build",
        "Eighteen weeks of building from week 25, a race in week 43, ten days of rest.",
        (
            "The fourth week's recovery makes the week after it look like a jump (week 27), the race itself "
            "is a spike, and the first weeks after the rest compare with nearly nothing: these three are "
            "told."
        ),
        _marathon,
    ),
    Runner(
        "Return from injury",
        "No running in weeks 21 to 26, then eight weeks of easy running back.",
        (
            "Without running there is no ratio, and the state says returning, not steady. Each first longer "
            "run is a spike against a month of short ones, and ratios stay high while the empty weeks are in"
            " the comparison."
        ),
        _injury,
    ),
    Runner(
        "Missing data",
        "One unknown day in week 16, and a sync that stood still in weeks 31 to 33.",
        (
            "One unknown day silences the ratios for four weeks, three weeks of silence for seven: it is "
            "said each day, and never taken for rest or for a good week."
        ),
        _missing,
    ),
    Runner(
        "Always tight, no curls",
        "Tightness of 4 to 6 logged every day, no curls.",
        (
            "The runner asks for strength on every calm day (build); each time the load rises while they are"
            " tight, their own words turn what the numbers alone would call a caution into a deload."
        ),
        lambda: _tight(8),
    ),
    Runner(
        "Always tight, with curls",
        "The same runs; curls from week 13, and tightness eases.",
        (
            "From week 13 the nagging ends, because the curls are there. As tightness falls under 4 the same"
            " rises of load become cautions again: four deloads instead of nine."
        ),
        _tight_with_curls,
    ),
    Runner(
        "Red flag",
        "Sit-bone pain logged in week 21; a clinician clears it in week 26.",
        (
            "Stop, from the day it is logged to the day it is cleared, whatever the load; five weeks of rest"
            " do not end it. Then the break rules, and full training at once after it is a deload."
        ),
        _flag,
    ),
    Runner(
        "Erratic",
        "Nearly every third run falls out, the others vary by half; no curls.",
        (
            "Weeks of two runs and weeks of five follow each other, and single runs jump: about one deload a"
            " month. Where only one or two runs make up a week, the ratio is a caution."
        ),
        _erratic,
    ),
    Runner(
        "Every day the same",
        "Forty easy minutes every day of the year.",
        (
            "No run stands out and the ratios are flat; what is missing is an easy day (monotony). It is "
            "said once and stays in sight; a daily message would only teach the runner to look away."
        ),
        _same,
    ),
)


@cache
def alerts_of(runner: Runner) -> tuple[Alert, ...]:
    """Return the runner's year of alerts."""
    return tuple(assess(facts_of(runner.year()), RULES, "me"))


def letters(alerts: Iterable[Alert]) -> str:
    """Return a letter a day; a small d is a deload that only its margin keeps."""
    return "".join("d" if a.held else LETTERS[a.state] for a in alerts)


def page() -> str:
    """Return the page."""
    lines = [
        "# Twelve runners",
        "",
        "A simulated year of each: what happened, the state of every day, and why that is right. Written by",
        "`tests/docs/twelve_runners.py`; a test writes it again and compares. Nobody ran these runs.",
        "",
        "One letter a day, four weeks a line: `-` building a baseline, `·` steady, `b` build (curls are missing), `C`",
        "caution, `D` deload, `d` deload kept until its margin is reached, `X` stop, `r` returning, `?` unknown.",
    ]
    for runner in RUNNERS:
        alerts = alerts_of(runner)
        shown = letters(alerts)
        told = [a for a in alerts if a.is_new]
        deloads = sum(a.state is State.DELOAD for a in told)
        lines += ["", f"## {runner.name}", "", runner.story, "", "```text"]
        lines += [f"week {d // 7 + 1:>2}  {_spaced(shown[d : d + BLOCK])}" for d in range(0, DAYS, BLOCK)]
        lines += ["```", ""]
        share = sum(a.state is State.DELOAD for a in alerts) / DAYS
        lines.append(f"Told {len(told)} times, {deloads} of them deload; in deload on {100 * share:.0f} % of the days.")
        lines += ["", f"**Why that is right.** {runner.argument}"]
    return "\n".join(lines) + "\n"


def _spaced(days: str) -> str:
    return " ".join(days[i : i + 7] for i in range(0, len(days), 7))


if __name__ == "__main__":
    sys.stdout.write(page())
