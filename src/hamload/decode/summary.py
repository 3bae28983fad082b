"""A summary as a recording: what an export's table or a service's list says of an activity that has no streams."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hamload.errors import UnreadableError
from hamload.numbers import number
from hamload.records import Recording, Sport, StrengthSet


def summary(content: bytes) -> Recording:
    """Decode a JSON document of summary facts, as `sources` put it.

    Source of the sets: garminconnect's `get_activity_exercise_sets`.

    Raises
    ------
    UnreadableError
        Where it is no JSON, or does not say when the activity began.

    """
    try:
        facts: dict[str, Any] = json.loads(content)
        start_at = dt.datetime.fromisoformat(facts["start_at"])
        sport = Sport(facts.get("sport", "unknown"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"This summary cannot be understood: {error!r}.") from None
    # One without a duration is a run of its day that cannot be counted: to refuse it would leave the day as rest.
    moving, elapsed = number(facts.get("moving_time_s")), number(facts.get("elapsed_time_s"))
    return Recording(
        sport=sport,
        start_at=start_at,
        reader="summary",
        sport_detail=str(facts.get("type", "")),
        title=str(facts.get("title", "")),
        elapsed_time_s=elapsed or moving,
        timer_time_s=moving or elapsed,
        distance_m=number(facts.get("distance_m")) or None,
        rpe=number(facts.get("rpe")),
        sets=_sets(facts.get("exercise_sets")),
        notes=("a summary without a recording",),
    )


def _sets(told: Any) -> tuple[StrengthSet, ...]:
    """Return Garmin Connect's exercise sets, which the runner may have corrected; its guesses come best first.

    Weights are in grams there. What is no set is passed over.
    """
    rows = told.get("exerciseSets") if isinstance(told, dict) else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        exercises = row.get("exercises")
        guesses = [g for g in exercises if isinstance(g, dict)] if isinstance(exercises, list) else []
        best = max(guesses, key=lambda g: number(g.get("probability")) or 0.0, default={})
        weight, repetitions = number(row.get("weight")), number(row.get("repetitionCount"))
        found.append(
            StrengthSet(
                category=str(best.get("category") or "unknown").lower(),
                name=str(best["name"]).lower() if best.get("name") else None,
                repetitions=None if repetitions is None else int(repetitions),
                weight_kg=None if weight is None else weight / 1000,
                duration_s=number(row.get("duration")),
                set_type=str(row.get("setType") or "active").lower(),
            )
        )
    return tuple(found)
