"""What the model knows of a runner before a run: their own history reduced to an `Athlete`, and their easy speed.

Only runs that began strictly before the run to be assessed are looked at, so no number ever depends on the future.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from hamload.load.histogram import pooled, quantile_of
from hamload.quantiles import quantile
from hamload.records import Athlete, Basis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hamload.load.features import RunFeatures
    from hamload.parameters import EasySpeed, LoadModel
    from hamload.records import Array


@dataclass(frozen=True, slots=True, eq=False)
class PastRun:
    """One run of the athlete's history.

    Attributes
    ----------
    start_at
        When it began, aware. For `easy_speed` its own calendar day counts: give it in the athlete's local time.
    features
        What the run contributes; `summary_features` where it had no streams.
    load_efm, mean_demand
        Its load, and its mean demand; None where unknown.
    is_counted
        False for a run that must not shape what is usual for the athlete (a copy, an implausible recording).
    basis
        What the load was computed from.
    rpe
        The effort that the athlete reported, out of 10; None where they did not.

    """

    start_at: dt.datetime
    features: RunFeatures
    load_efm: float | None
    mean_demand: float | None
    is_counted: bool = True
    basis: Basis = Basis.STREAMS
    rpe: float | None = None


@dataclass(frozen=True, slots=True)
class EasySpeedFound:
    """The athlete's easy speed as far as it is known.

    Attributes
    ----------
    mps
        m/s; the configured default where no flat running is known.
    is_final
        True once the window is over: no later run changes it.
    until
        Last day of the window; None while that is still open.
    flat_s
        Seconds of flat running behind it.

    """

    mps: float
    is_final: bool
    until: dt.date | None
    flat_s: float


class History:
    """An athlete's runs in the order in which they began, to which later ones are added.

    Parameters
    ----------
    runs
        Each real run once, in order of `start_at`. ValueError where they are not.

    """

    def __init__(self, runs: Iterable[PastRun] = ()) -> None:
        self._runs: list[PastRun] = []
        #: The moments alone, in UTC: comparing those is what a search does most.
        self._starts: list[dt.datetime] = []
        #: Over all runs up to each: how many say how fast their best ten seconds were, and the fastest of these.
        self._best: list[tuple[int, float]] = []
        for run in runs:
            self.add(run)

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[PastRun]:
        return iter(self._runs)

    def add(self, run: PastRun) -> None:
        """Add the next run. Raises ValueError where it is not the next one, or its time is naive."""
        at = _in_utc(run.start_at)
        if self._starts and self._starts[-1] > at:
            raise ValueError("The past runs are not in order of start_at.")
        count, fastest = self._best[-1] if self._best else (0, 0.0)
        best = run.features.best_10s_mps
        if run.is_counted and _is_known(best):
            count, fastest = count + 1, max(fastest, best)
        self._runs.append(run)
        self._starts.append(at)
        self._best.append((count, fastest))

    def before(self, start_at: dt.datetime, days: float | None = None) -> Sequence[PastRun]:
        """Return the runs that began before a moment, within so many days of it."""
        last = bisect_left(self._starts, _in_utc(start_at))
        if days is None:
            return self._runs[:last]
        since = bisect_left(self._starts, _in_utc(start_at - dt.timedelta(days=days)), hi=last)
        return self._runs[since:last]

    def best_10s_before(self, start_at: dt.datetime, least: int) -> float | None:
        """Return the fastest ten seconds of all runs before a moment; None where fewer than `least` of them say."""
        last = bisect_left(self._starts, _in_utc(start_at))
        count, fastest = self._best[last - 1] if last else (0, 0.0)
        return fastest if count >= max(least, 1) else None


def athlete_before(
    start_at: dt.datetime, past: Sequence[PastRun] | History, easy_speed_mps: float, model: LoadModel
) -> Athlete:
    """Reduce the history before one moment to the thresholds that a run starting then is compared with.

    Parameters
    ----------
    start_at
        Start of the run to be assessed, aware. Runs that start then or later are not looked at.
    past
        The athlete's runs, each real run once, in order of `start_at`; a `History` where many runs follow one another.
    easy_speed_mps
        From `easy_speed`, or set by the runner.
    model
        Windows, quantiles and `min_runs`.

    Returns
    -------
    Athlete
        A threshold is None unless at least `min_runs` runs of the last 90 days say something about it: runs without
        altitude do not count towards climb, runs without streams not towards speed. With fewer than `min_runs` runs
        T is the configured default, because one short or one long first run would otherwise decide where "long" begins.
        `best_10s_mps` looks at all the history before, with the same least number of runs.

    Raises
    ------
    ValueError
        Where `past` is not in order, or a time is naive.

    """
    history = past if isinstance(past, History) else History(past)
    return with_loads_before(thresholds_before(start_at, history, easy_speed_mps, model), start_at, history, model)


def thresholds_before(start_at: dt.datetime, past: History, easy_speed_mps: float, model: LoadModel) -> Athlete:
    """Return what `athlete_before` does, without the two thresholds that rest on loads: those are None.

    All of it is known before any run is assessed, so that runs can be measured in any order.
    """
    labels, session = model.labels, model.session
    usual = [run for run in past.before(start_at, labels.history_days) if run.is_counted]
    enough = _Enough(labels.min_runs)
    times = enough.of(run.features.moving_time_s for run in usual)
    typical_s = session.typical_time_default_s if times is None else statistics.median(times)
    distances = [run.features.distance_m for run in past.before(start_at, labels.longest_days) if run.is_counted]
    longest_m = max((d for d in distances if _is_known(d)), default=None)
    recorded = [run.features.fast_s for run in usual if len(run.features.fast_s)]
    speeds = pooled(recorded if len(recorded) >= labels.min_runs else ())
    return Athlete(
        easy_speed_mps=easy_speed_mps,
        typical_time_s=min(max(typical_s, session.typical_time_min_s), session.typical_time_max_s),
        fast_mps=quantile_of(speeds, model.parts.fast_quantile),
        very_fast_mps=quantile_of(speeds, model.parts.very_fast_quantile),
        climb_m_per_km=_quantile(enough.of(run.features.climb_m_per_km for run in usual), labels.hill_climb_quantile),
        long_time_s=_quantile(times, labels.long_time_quantile),
        median_time_s=_quantile(times, 0.5),
        longest_30d_m=longest_m if times is not None else None,
        best_10s_mps=past.best_10s_before(start_at, labels.min_runs),
        runs=len(usual),
    )


def with_loads_before(athlete: Athlete, start_at: dt.datetime, past: History, model: LoadModel) -> Athlete:
    """Add the two thresholds that rest on the loads of earlier runs: all that must wait until those are assessed.

    Parameters
    ----------
    athlete
        What `thresholds_before` says of the same moment.
    start_at, past, model
        As there; `past` with the loads of the runs before that moment.

    """
    labels = model.labels
    usual = [run for run in past.before(start_at, labels.history_days) if run.is_counted]
    enough = _Enough(labels.min_runs)
    return replace(
        athlete,
        high_load_efm=_quantile(enough.of(run.load_efm for run in usual), labels.heavy_load_quantile),
        median_demand=_quantile(enough.of(run.mean_demand for run in usual), 0.5),
    )


def easy_speed(past: Sequence[PastRun], model: EasySpeed, as_of: dt.date) -> EasySpeedFound:
    """Find the athlete's easy speed: the median flat moving speed of the first weeks of their history.

    Parameters
    ----------
    past
        The athlete's runs, each real run once, in any order.
    model
        Length of the window, least flat time, default.
    as_of
        The last day that is known, in the athlete's calendar. Runs after it are not looked at.

    Returns
    -------
    EasySpeedFound
        Provisional while the window is open: the first `weeks` from the day of the first run on, and beyond these day
        by whole day until there are `min_flat_s` seconds of flat running. Frozen from the day after: whatever is run
        later, the answer stays the same. An older run that turns up later does change it: it moves the beginning.

    Notes
    -----
    Flat is where the grade is known and flat. A run without altitude says nothing then, except where most of the
    running has none (a watch without altimeter) and the known flat does not suffice: all unknown grades then count as
    flat, as they do in the demand.

    """
    known = sorted((r for r in past if r.is_counted and r.start_at.date() <= as_of), key=lambda r: r.start_at.date())
    if not known:
        return EasySpeedFound(model.default_mps, is_final=False, until=None, flat_s=0.0)
    last_day = known[0].start_at.date() + dt.timedelta(weeks=model.weeks, days=-1)
    pool = _Pool(model)
    until: dt.date | None = None
    for day, runs in groupby(known, key=lambda run: max(run.start_at.date(), last_day)):
        pool.add(runs)
        if pool.seconds >= model.min_flat_s:
            until = day
            break
    median = quantile_of(pool.flat, 0.5)
    is_final = until is not None and as_of > until
    return EasySpeedFound(
        model.default_mps if median is None else median, is_final, until if is_final else None, pool.seconds
    )


class _Pool:
    """The flat running so far, with or without the running of unknown grade."""

    def __init__(self, model: EasySpeed) -> None:
        self._model = model
        self._moving_s = 0.0
        self._known = np.empty(0)
        self._ungraded = np.empty(0)

    def add(self, runs: Iterable[PastRun]) -> None:
        for run in runs:
            # Runs without streams have no histogram and no say in whether altitude is usually known.
            self._moving_s += float(run.features.fast_s.sum())
            self._known = pooled((self._known, run.features.flat_s))
            self._ungraded = pooled((self._ungraded, run.features.ungraded_s))

    @property
    def flat(self) -> Array:
        ungraded_s = float(self._ungraded.sum())
        if self._known.sum() >= self._model.min_flat_s or ungraded_s <= self._moving_s / 2:
            return self._known
        return pooled((self._known, self._ungraded))

    @property
    def seconds(self) -> float:
        return float(self.flat.sum())


def _in_utc(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone.")
    return moment.astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class _Enough:
    """Values of the runs that have one, or None where those are fewer than `least`."""

    least: int

    def of(self, values: Iterable[float | None]) -> list[float] | None:
        """Return them in ascending order."""
        known = sorted([float(v) for v in values if _is_known(v)])
        return known if len(known) >= self.least else None


def _quantile(ordered: Sequence[float] | None, q: float) -> float | None:
    return None if ordered is None else quantile(ordered, q)


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)
