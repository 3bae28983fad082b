"""The back-test of one runner's rules, from the published tables. What it means is `hamload.advice.backtest`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload import warehouse
from hamload.advice import assess
from hamload.advice.backtest import Backtested
from hamload.advice.backtest import backtest as hold_against
from hamload.errors import WarehouseError
from hamload.pipeline import advising

if TYPE_CHECKING:
    from hamload.settings import Settings

__all__ = ["Backtested", "backtest"]


def backtest(settings: Settings, athlete_id: str = "") -> Backtested:
    """Hold every rule against the tightness that an athlete logged. Raises WarehouseError without a history."""
    runner = settings.athlete(athlete_id).id
    with warehouse.reader(settings.home) as con:
        days = advising.day_facts(con, runner, settings.model)
    if not days:
        raise WarehouseError(f"There is nothing to say of {runner} yet.", "Run: hamload import PATH.")
    return hold_against(days, assess(days, settings.alerts, runner), settings.alerts)
