"""The coming week as the command line asks for it: the plan, days off, a race, and runs that are not run yet.

Reads the published tables only. What is decided is `hamload.advice`'s; here days that do not exist yet are put behind
those that do, and judged by the same rules.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hamload import warehouse
from hamload.advice import (
    Estimate,
    PlannedRun,
    Wishes,
    assess,
    deload_plan,
    estimate,
    headline,
    longest_run_m,
    rest_of_plan,
    stop_advice,
    wording,
)
from hamload.advice.planned import coming_day, planned_run
from hamload.digest.facts import PlanDay
from hamload.errors import ConfigurationError, HamloadError, WarehouseError
from hamload.load import daily_metrics, spike
from hamload.pipeline.counsel import advising, curling, standing
from hamload.pipeline.counsel.withholding import logged_flags, stop_headline
from hamload.records import DayBudget, DayFacts, DeloadPlan, SeriesDay, SessionFact, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from hamload.language import Text
    from hamload.load import DailyMetrics
    from hamload.parameters import AlertRules, LoadModel
    from hamload.records import Alert, Array
    from hamload.settings import Settings

__all__ = [
    "Outlook",
    "Swap",
    "WhatIf",
    "Wishes",
    "coming_day",
    "coming_days",
    "outlook",
    "own_today",
    "planned_run",
    "what_on",
]


@dataclass(frozen=True, slots=True)
class Swap:
    """A day's usual hard run, and what takes its place in a deload."""

    date: dt.date
    usual: str
    instead: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one planned run would do: its estimate, its spikes, and the state of its evening with it and without it."""

    estimate: Estimate
    spike_distance: float | None
    spike_load: float | None
    state: State
    state_without: State
    uncoupled: float | None
    uncoupled_without: float | None
    ewma: float | None
    ewma_without: float | None
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The coming week of one runner. `plan` is None where no number can be given; `sentences` say why, and the rest.

    `is_withheld`: a red flag is open, and nothing but its advice is given.
    """

    athlete_id: str
    as_of: dt.date
    state: State
    headline: str
    is_withheld: bool
    plan: DeloadPlan | None
    longest_m: float | None
    swaps: tuple[Swap, ...]
    sentences: tuple[str, ...]
    what_if: tuple[WhatIf, ...] = ()


def own_today(settings: Settings, athlete_id: str) -> dt.date:
    """Return the runner's calendar day. Nobody ran what is simulated: its own next day is its today."""
    try:
        with warehouse.reader(settings.home) as con:
            ((is_simulated, newest),) = con.execute(
                "select (select bool_or(is_simulated) from marts.sessions where athlete_id = $1),"
                " (select max(date) from marts.alerts where athlete_id = $1)",
                [athlete_id],
            ).fetchall()
    except WarehouseError:
        return settings.today(athlete_id)
    return newest + dt.timedelta(days=1) if is_simulated and newest else settings.today(athlete_id)


def outlook(
    settings: Settings,
    athlete_id: str,
    today: dt.date,
    wishes: Wishes = Wishes(),  # noqa: B008  # frozen and empty
    runs: Sequence[PlannedRun] = (),
) -> Outlook:
    """Return the coming week: the deload's budget or the room that there is, and what planned runs would do.

    Raises
    ------
    WarehouseError
        Where this athlete has no history yet, and no red flag is open.
    ConfigurationError
        Where the race is on a day off.

    """
    if wishes.race is not None and wishes.race in wishes.off:
        raise ConfigurationError(f"--race {wishes.race} is a day that --off keeps free.", "Leave one of the two out.")
    flags = logged_flags(settings, athlete_id)
    rules = settings.alerts
    try:
        published = warehouse.publication(settings.home)
        known = _known(settings.home, published, athlete_id, today, settings.model, rules)
    except WarehouseError:
        if not flags:
            raise
        known = _Known((), (), None)
    if flags:
        date = known.days[-1].date if known.days else today
        return _withheld(athlete_id, date, flags)
    days, alert = known.days, known.alert
    if alert is None:
        raise WarehouseError(f"There is nothing to plan for {athlete_id} yet.", "Run: hamload import PATH.")
    facts, loads = days[-1], _loads(days)
    is_deload = alert.state is State.DELOAD
    with_ratios = not facts.is_returning and facts.history_days >= rules.windows.baseline_days
    if is_deload and alert.plan is not None:
        plan = rest_of_plan(alert.plan, facts, loads, rules, wishes, with_ratios=with_ratios)
    elif is_deload or with_ratios:
        plan = deload_plan(facts, loads, rules, with_ratios=with_ratios, wishes=wishes, is_deload=is_deload)
    else:
        plan = None
    swaps = _swaps(facts, plan, rules) if is_deload else ()
    told = _sentences(facts, plan, rules, wishes, today, is_deload=is_deload, with_ratios=with_ratios)
    if wishes.race is not None:
        told = (*told, *_curls_told(settings, athlete_id, today, wishes.race))
    asked = _what_if(days, known.sessions, runs, alert, settings, plan if is_deload else None)
    return Outlook(
        athlete_id=athlete_id,
        as_of=facts.date,
        state=alert.state,
        headline=headline(alert),
        is_withheld=False,
        plan=plan,
        longest_m=longest_run_m(facts, rules),
        swaps=swaps,
        sentences=told,
        what_if=asked,
    )


def coming_days(
    con: duckdb.DuckDBPyConnection, settings: Settings, alert: Alert, today: dt.date
) -> tuple[PlanDay, ...]:
    """Return the week from today on, day by day, as the digest shows it.

    None while a flag is open, and none where the newest days are not known: a plan would speak of days gone by.
    """
    if alert.state is State.STOP or (today - alert.date).days > 1:
        return ()
    found = outlook(settings, alert.athlete_id, today)
    curls = curling.coming_curls(con, settings, alert.athlete_id, today)
    if found.plan is None and not curls:
        return ()
    limits = {day.date: day for day in found.plan.days} if found.plan is not None else {}
    easy = con.execute("select easy_speed_mps from landing.athletes where athlete_id = ?", [alert.athlete_id])
    easy_mps = next((speed for (speed,) in easy.fetchall()), None)
    last = max([*limits, *curls])
    dates = [today + dt.timedelta(days=n) for n in range(min((last - today).days + 1, settings.alerts.plan.days))]
    return tuple(_plan_day(date, limits.get(date), curls.get(date, ""), found, easy_mps) for date in dates)


def _plan_day(
    date: dt.date,
    day: DayBudget | None,
    curls: str,
    found: Outlook,
    easy_mps: float | None,
) -> PlanDay:
    limit = None if day is None else day.limit_efm
    metres = None
    if found.state is State.DELOAD and limit and easy_mps:
        metres = min(60 * limit * easy_mps, math.inf if found.longest_m is None else found.longest_m)
    return PlanDay(
        date=date,
        what=what_on(found, day),
        limit_efm=limit,
        limit_m=metres,
        curls=curls,
    )


def what_on(found: Outlook, day: DayBudget | None) -> Text:
    """Return what a day of the coming week is for; of a day that no plan reaches nothing is said."""
    if day is None:
        return wording.not_planned()
    is_quiet = day.is_quiet or bool(found.swaps) or found.state is State.CAUTION
    return wording.day_of_plan(day.limit_efm, is_quiet=is_quiet, is_deload=found.state is State.DELOAD)


@dataclass(frozen=True, slots=True)
class _Known:
    """What one publication says of a runner, up to yesterday. `alert` is None where there is no day yet."""

    days: Sequence[DayFacts]
    sessions: Sequence[SessionFact]
    alert: Alert | None


# A night's digest, mail and report ask for the same week of one publication.
@lru_cache(maxsize=8)
def _known(
    home: Path, _published: tuple[int, int], athlete_id: str, today: dt.date, model: LoadModel, rules: AlertRules
) -> _Known:
    with warehouse.reader(home) as con:
        days = advising.day_facts(con, athlete_id, model)
        days = advising.with_curl_checks(con, days, rules, athlete_id)
        sessions = advising.session_facts(con, athlete_id)
    days = _up_to(days, today) if days else []
    return _Known(days, sessions, standing.newest(days, rules, athlete_id) if days else None)


def _up_to(days: list[DayFacts], today: dt.date) -> list[DayFacts]:
    """Return the days up to yesterday. Days that hamload has not looked at are unknown: nobody knows what they held."""
    blank = SeriesDay(None, None, None, None, None, None)
    while (today - days[-1].date).days > 1:
        last = days[-1]
        days = [
            *days,
            replace(
                last,
                date=last.date + dt.timedelta(days=1),
                is_known=False,
                unknown_days_28=min(last.unknown_days_28 + 1, 28),
                history_days=last.history_days + 1,
                days_since_run=None,
                is_returning=False,
                total=blank,
                heavy=blank,
                tightness=None,
                tightness_before=None,
                is_acknowledged=False,
            ),
        ]
    return days


def _withheld(athlete_id: str, date: dt.date, flags: Sequence[str]) -> Outlook:
    return Outlook(
        athlete_id=athlete_id,
        as_of=date,
        state=State.STOP,
        headline=stop_headline(flags),
        is_withheld=True,
        plan=None,
        longest_m=None,
        swaps=(),
        sentences=stop_advice(flags),
    )


def _loads(days: Sequence[DayFacts]) -> list[float | None]:
    return [day.total.load_efm if day.is_known else None for day in days]


def _sentences(
    facts: DayFacts,
    plan: DeloadPlan | None,
    rules: AlertRules,
    wishes: Wishes,
    today: dt.date,
    *,
    is_deload: bool,
    with_ratios: bool,
) -> tuple[str, ...]:
    told: list[str] = []
    if plan is None:
        told.append(wording.no_budget() if is_deload else wording.no_room())
        if not facts.is_known:
            told.append(wording.not_looked())
        elif not with_ratios:
            told.append(wording.no_room_yet())
    elif not plan.is_reachable:
        told.append(wording.unreachable(len(plan.days)))
    elif plan.uncoupled is not None:
        told.append(wording.projection(plan.uncoupled, plan.ewma, len(plan.days)))
        if not is_deload:
            told.append(wording.room_unchecked(rules.caution.heavy_hours))
        if plan.uncoupled_without is not None and is_deload:
            told.append(wording.projection_without(plan.uncoupled_without, plan.ewma_without, rules.plan.days))
    limit = longest_run_m(facts, rules)
    if limit is not None:
        told.append(wording.longest(limit, rules.plan.longest_factor, rules.windows.longest_days))
    if wishes.race is not None:
        told.append(_race_told(wishes.race, plan, limit, rules, is_today=wishes.race == today))
    return tuple(told)


def _race_told(
    race: dt.date, plan: DeloadPlan | None, limit_m: float | None, rules: AlertRules, *, is_today: bool
) -> str:
    day = next((d for d in plan.days if d.date == race), None) if plan is not None else None
    if day is None:
        return wording.race_later(race, limit_m)
    if day.is_quiet:
        return wording.race_in_quiet(race, rules.plan.no_heavy_hours, day.limit_efm)
    return wording.race_in_week(race, day.limit_efm, None if is_today else rules.caution.heavy_hours)


def _curls_told(settings: Settings, athlete_id: str, today: dt.date, race: dt.date) -> tuple[str, ...]:
    """Return which curls of the programme lie too close before a race, or on its day."""
    hours = settings.alerts.curls.quiet_hours_after
    days = math.ceil(hours / 24)
    close = [date for date in curling.plan(settings, athlete_id, today).dates if 0 <= (race - date).days <= days]
    return (wording.race_curls(close, hours),) if close else ()


def _swaps(facts: DayFacts, plan: DeloadPlan | None, rules: AlertRules) -> tuple[Swap, ...]:
    """Return the hard runs that the runner usually does on the plan's days, and what to do instead."""
    if plan is None:
        return ()
    weeks = rules.windows.chronic_days // 7
    first = facts.date - dt.timedelta(days=7 * weeks - 1)
    kinds: dict[int, Counter[str]] = {}
    for session in facts.sessions:
        if session.local_date < first or not session.is_heavy:
            continue
        names = [name for name in ("hill", "speed", "long") if getattr(session, f"is_{name}")] or ["hard"]
        kinds.setdefault(session.local_date.weekday(), Counter()).update(names[:1])
    found = []
    for day in plan.days:
        usual = kinds.get(day.date.weekday())
        if usual is None or usual.total() < rules.curls.habit_share * weeks:
            continue
        found.append(Swap(day.date, usual.most_common(1)[0][0], wording.instead(day.limit_efm)))
    return tuple(found)


def _what_if(
    days: Sequence[DayFacts],
    sessions: Sequence[SessionFact],
    runs: Sequence[PlannedRun],
    alert: Alert,
    settings: Settings,
    plan: DeloadPlan | None,
) -> tuple[WhatIf, ...]:
    if not runs:
        return ()
    rules = settings.alerts
    estimates: list[Estimate] = []
    for run in sorted(runs, key=lambda r: r.date):
        found = estimate(run, sessions, rules)
        if found is None:
            raise HamloadError(
                "What this run would ask cannot be estimated: none of your own runs is recent enough.",
                "Import some runs first: hamload import PATH.",
            )
        estimates.append(found)
    last = max(run.date for run in runs)
    others = _others(days, last, rules, plan)
    with_runs = _ahead(days, sessions, others, estimates, settings.model)
    without = _ahead(days, sessions, others, [], settings.model)
    judged = {a.date: a for a in assess(with_runs, rules, alert.athlete_id)}
    judged_without = {a.date: a for a in assess(without, rules, alert.athlete_id)}
    by_date = {d.date: d for d in with_runs}
    by_date_without = {d.date: d for d in without}
    answers = []
    for index, found in enumerate(estimates):
        date = found.run.date
        then, other = by_date[date], by_date_without[date]
        fact = next(s for s in then.sessions if s.session_id == _planned_id(index))
        answers.append(
            WhatIf(
                estimate=found,
                spike_distance=fact.spike_distance,
                spike_load=fact.spike_load,
                state=judged[date].state,
                state_without=judged_without[date].state,
                uncoupled=then.total.acwr_uncoupled,
                uncoupled_without=other.total.acwr_uncoupled,
                ewma=then.total.acwr_ewma,
                ewma_without=other.total.acwr_ewma,
                sentences=_answer(found, judged[date], then, plan),
            )
        )
    return tuple(answers)


def _planned_id(index: int) -> str:
    return f"planned-{index}"


def _answer(found: Estimate, alert: Alert, then: DayFacts, plan: DeloadPlan | None) -> tuple[str, ...]:
    run = found.run
    told: list[str] = [
        wording.estimated(run.kind, found.load_efm, found.distance_m, found.runs, is_own_kind=found.is_own_kind)
    ]
    if alert.state in {State.DELOAD, State.CAUTION}:
        told.extend(reason.sentence for reason in alert.reasons if reason.state is alert.state)
    elif then.total.acwr_uncoupled is None:
        told.append(wording.no_ratio_then())
    day = next((d for d in plan.days if d.date == run.date), None) if plan is not None else None
    if day is not None and found.load_efm > day.limit_efm:
        told.append(wording.beyond_the_plan(day.limit_efm))
    if day is not None and day.is_quiet and run.kind != "easy":
        told.append(wording.no_heavy_that_day())
    return tuple(told)


def _others(
    days: Sequence[DayFacts], last: dt.date, rules: AlertRules, plan: DeloadPlan | None
) -> dict[dt.date, tuple[float, float]]:
    """Return what the other coming days hold, total and heavy: the plan's budget, else the usual of that weekday.

    Usual is the mean over the last four weeks; where one of those days is unknown, so is the coming one (NaN).
    """
    planned = {} if plan is None else {day.date: float(day.limit_efm) for day in plan.days}
    weeks = rules.windows.chronic_days // 7
    coming: dict[dt.date, tuple[float, float]] = {}
    for ahead in range(1, (last - days[-1].date).days + 1):
        date = days[-1].date + dt.timedelta(days=ahead)
        alike = [d for d in days[-7 * weeks :] if d.date.weekday() == date.weekday()]
        totals = [np.nan if d.total.load_efm is None else d.total.load_efm for d in alike]
        heavies = [np.nan if d.heavy.load_efm is None else d.heavy.load_efm for d in alike]
        usual = (float(np.mean(totals)), float(np.mean(heavies))) if alike else (np.nan, np.nan)
        coming[date] = (planned[date], 0.0) if date in planned else usual
    return coming


def _ahead(
    days: Sequence[DayFacts],
    sessions: Sequence[SessionFact],
    others: dict[dt.date, tuple[float, float]],
    estimates: Sequence[Estimate],
    model: LoadModel,
) -> list[DayFacts]:
    """Return the days with the coming ones behind them, every number computed as if they had been run."""
    kept = list(days)
    added = _added(sessions, estimates, days, model)
    by_date: dict[dt.date, list[SessionFact]] = {}
    for fact in added:
        by_date.setdefault(fact.local_date, []).append(fact)
    total = [np.nan if d.total.load_efm is None else d.total.load_efm for d in days]
    heavy = [np.nan if d.heavy.load_efm is None else d.heavy.load_efm for d in days]
    for offset, day in enumerate(days):
        for fact in by_date.get(day.date, ()):
            total[offset] += fact.load_efm
            heavy[offset] += fact.load_efm if fact.is_heavy else 0.0
    for date, (usual, usual_heavy) in others.items():
        runs = by_date.get(date)
        total.append(sum(f.load_efm for f in runs) if runs else usual)
        heavy.append(sum(f.load_efm for f in runs if f.is_heavy) if runs else usual_heavy)
    columns = daily_metrics(np.array([total, heavy]), np.array(total), model.series)
    start = len(days) - 1 if days[-1].date in by_date else len(days)
    last_run = days[-1].days_since_run
    kept = kept[:start]
    for index in range(start, len(total)):
        date = days[0].date + dt.timedelta(days=index)
        ran = total[index] > 0
        last_run = 0 if ran else None if last_run is None else last_run + 1
        window = np.array(total[max(0, index - model.series.chronic_days + 1) : index + 1])
        kept.append(
            replace(
                days[-1],
                date=date,
                is_known=not np.isnan(total[index]),
                unknown_days_28=int(np.isnan(window).sum()),
                history_days=index + 1,
                days_since_run=last_run,
                is_returning=bool(columns.is_returning[0, index]),
                total=_series_day(columns, 0, index, total[index]),
                heavy=_series_day(columns, 1, index, heavy[index]),
                sessions=tuple(
                    s for s in (*sessions, *added) if 0 <= (date - s.local_date).days < advising.SESSION_DAYS
                ),
                tightness=None if index >= len(days) else days[-1].tightness,
                tightness_before=None if index >= len(days) else days[-1].tightness_before,
                is_acknowledged=False,
            )
        )
    return kept


def _series_day(columns: DailyMetrics, row: int, index: int, load: float) -> SeriesDay:
    def number(name: str) -> float | None:
        value = float(getattr(columns, name)[row, index])
        return None if np.isnan(value) else value

    return SeriesDay(
        load_efm=None if np.isnan(load) else float(load),
        acwr_coupled=number("acwr_coupled"),
        acwr_uncoupled=number("acwr_uncoupled"),
        acwr_ewma=number("acwr_ewma"),
        monotony=number("monotony"),
        strain=number("strain"),
        acute_rolling=number("acute_rolling"),
        chronic_rolling=number("chronic_rolling"),
    )


def _added(
    sessions: Sequence[SessionFact], estimates: Sequence[Estimate], days: Sequence[DayFacts], model: LoadModel
) -> list[SessionFact]:
    """Return the planned runs as facts, with the spikes that they would be. Unknown days before them withhold these."""
    facts = []
    for index, found in enumerate(estimates):
        run = found.run
        facts.append(
            SessionFact(
                session_id=_planned_id(index),
                start_at=dt.datetime.combine(run.date, _MORNING, dt.UTC),
                local_date=run.date,
                title=f"planned {run.kind} run",
                distance_m=found.distance_m,
                moving_time_s=60 * run.minutes,
                load_efm=found.load_efm,
                load_hill_efm=0.0,
                load_speed_efm=0.0,
                load_long_efm=0.0,
                load_base_efm=found.load_efm,
                is_hill=run.kind == "hill",
                is_speed=run.kind in {"speed", "race"},
                is_long=run.kind == "long",
                is_heavy=run.kind != "easy" or _is_high(found.load_efm, days[-1].high_load_efm),
                spike_distance=None,
                spike_load=None,
            )
        )
    every = sorted([*sessions, *facts], key=lambda s: s.start_at)
    at_days = np.array([s.start_at.timestamp() / 86_400 for s in every])
    unknown = {d.date for d in days if not d.is_known}
    spikes = {}
    for name, sizes in (
        ("spike_distance", np.array([np.nan if s.distance_m is None else s.distance_m for s in every])),
        ("spike_load", np.array([s.load_efm for s in every])),
    ):
        compared: Array = spike(sizes, at_days, model.series.spike_days)
        spikes[name] = {s.session_id: float(value) for s, value in zip(every, compared, strict=True)}
    told = []
    for fact in facts:
        window = {fact.local_date - dt.timedelta(days=d) for d in range(model.series.spike_days + 1)}
        is_known = not window & unknown
        distance, load = (
            value if is_known and not np.isnan(value := spikes[name][fact.session_id]) else None
            for name in ("spike_distance", "spike_load")
        )
        told.append(replace(fact, spike_distance=distance, spike_load=load))
    return told


#: When a planned run is taken to begin: the hour decides nothing but how far apart two heavy runs are.
_MORNING = dt.time(8)


def _is_high(load_efm: float, high_efm: float | None) -> bool:
    return high_efm is not None and load_efm >= high_efm
