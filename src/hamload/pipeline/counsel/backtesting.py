"""The back-test of one runner's rules, from the published tables. What it means is `hamload.advice.backtest`'s."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, get_args

import numpy as np

from hamload import warehouse
from hamload.advice import assess
from hamload.advice.backtest import Backtested, caught
from hamload.advice.backtest import backtest as hold_against
from hamload.errors import WarehouseError
from hamload.load import Method, acwr
from hamload.pipeline.counsel import advising

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import duckdb

    from hamload.parameters import AlertRules
    from hamload.records import DayFacts
    from hamload.settings import Settings

__all__ = ["Backtested", "WindowResult", "backtest", "facts", "hold", "windows"]


@dataclass(frozen=True, slots=True)
class WindowResult:
    """One form of the ratio with other windows.

    Attributes
    ----------
    share
        Of the days that have a ratio (0-1), how many lie above the threshold; None where no day has one.
    fired, caught
        How often it rose above it, and how many flares began within two weeks after that.

    """

    method: Method
    acute_days: int
    chronic_days: int
    share: float | None
    fired: int
    caught: int


def backtest(settings: Settings, athlete_id: str = "") -> Backtested:
    """Hold every rule against the tightness that an athlete logged. Raises WarehouseError without a history."""
    runner = settings.athlete(athlete_id).id
    with warehouse.reader(settings.home) as con:
        days = facts(con, settings, runner)
    return hold(days, settings.alerts, runner)


def facts(con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str) -> list[DayFacts]:
    """Return an athlete's days as the rules see them. Raises WarehouseError without a history."""
    days = advising.day_facts(con, athlete_id, settings.model)
    if not days:
        raise WarehouseError(f"There is nothing to say of {athlete_id} yet.", "Run: hamload import PATH.")
    return days


def hold(days: Sequence[DayFacts], rules: AlertRules, athlete_id: str) -> Backtested:
    """Hold rules, the runner's own or others, against the tightness in these days."""
    return hold_against(days, assess(days, rules, athlete_id), rules)


def windows(
    days: Sequence[DayFacts],
    flares: Sequence[dt.date],
    rules: AlertRules,
    acute_days: Sequence[int],
    chronic_days: Sequence[int],
) -> list[WindowResult]:
    """Compute each form of the ratio with other windows, and hold its threshold against the same flares.

    The coupled form's threshold is the uncoupled one's by their identity (shipped windows); a ratio needs a whole
    chronic window of known days.
    """
    load = np.array([np.nan if d.total.load_efm is None else d.total.load_efm for d in days])
    places = {day.date: place for place, day in enumerate(days)}
    targets = [places[flare] for flare in flares]
    uncoupled = rules.deload.uncoupled
    whole = rules.windows.chronic_days / rules.windows.acute_days
    thresholds: dict[Method, float] = {
        "coupled": whole * uncoupled / (whole - 1 + uncoupled),
        "uncoupled": uncoupled,
        "ewma": rules.deload.ewma,
    }
    found = []
    for method, acute, chronic in product(get_args(Method.__value__), acute_days, chronic_days):
        if acute >= chronic:
            continue
        ratio = acwr(load, method, acute, chronic, chronic)
        is_known = ~np.isnan(ratio)
        above = np.where(is_known, ratio, 0) > thresholds[method]
        hits, fired = caught(above, targets, rules.backtest)
        share = float(above.sum() / is_known.sum()) if is_known.any() else None
        found.append(WindowResult(method, acute, chronic, share, fired, hits))
    return found
