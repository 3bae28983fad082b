"""What one day's states hand to the next, as text for the tables: plain JSON, so that nothing in a file can act."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

from hamload.advice import Acknowledged, Memory
from hamload.records import DayBudget, DeloadPlan, State


def told(memory: Memory) -> str:
    """Return a memory as text; `remembered` reads it, to the last digit."""
    plan, noted = memory.plan, memory.acknowledged
    return json.dumps(
        {
            **{name: getattr(memory, name) for name in _PLAIN},
            "since": _text(memory.since),
            "told_on": _text(memory.told_on),
            "last_on": {state: _text(date) for state, date in memory.last_on.items()},
            "told": dict(memory.told),
            "causes": sorted(memory.causes),
            "acknowledged": noted and asdict(noted),
            "plan": plan and asdict(plan),
        },
        default=str,
    )


def remembered(text: str) -> Memory:
    """Return the memory that `told` wrote."""
    row = json.loads(text)
    noted, plan = row["acknowledged"], row["plan"]
    return Memory(
        **{
            **{name: row[name] for name in _PLAIN},
            "state": row["state"] and State(row["state"]),
            "since": _date(row["since"]),
            "told_on": _date(row["told_on"]),
            "last_on": {State(state): _date(date) for state, date in row["last_on"].items()},
            "told": {State(state): value for state, value in row["told"].items()},
            "causes": frozenset(row["causes"]),
            "acknowledged": noted and Acknowledged(**{**noted, "state": State(noted["state"])}),
            "plan": plan and plan_of(plan),
        }
    )


def plan_of(row: dict[str, Any]) -> DeloadPlan:
    """Return the plan that was written as JSON."""
    days = tuple(DayBudget(**{**day, "date": dt.date.fromisoformat(day["date"])}) for day in row["days"])
    dates = {name: dt.date.fromisoformat(row[name]) for name in ("start", "end")}
    return DeloadPlan(**{**row, **dates, "days": days})


_PLAIN = ("state", "episode", "is_continuation", "in_deload", "by_heavy", "unseen_days")


def _text(date: dt.date | None) -> str | None:
    return None if date is None else date.isoformat()


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
