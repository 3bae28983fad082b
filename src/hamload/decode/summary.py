"""A summary as a recording: what an export's table or a service's list says of an activity that has no streams."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hamload.errors import UnreadableError
from hamload.records import Recording, Sport


def summary(content: bytes) -> Recording:
    """Decode a JSON document of summary facts, as `sources` put it.

    Raises
    ------
    UnreadableError
        Where it is no JSON, or says neither when the activity began nor how long it was.

    """
    try:
        facts: dict[str, Any] = json.loads(content)
        start_at = dt.datetime.fromisoformat(facts["start_at"])
        sport = Sport(facts.get("sport", "unknown"))
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"This summary cannot be understood: {error!r}.") from None
    moving, elapsed = facts.get("moving_time_s"), facts.get("elapsed_time_s")
    if moving is None and elapsed is None:
        raise UnreadableError("This summary has no duration.")
    return Recording(
        sport=sport,
        start_at=start_at,
        reader="summary",
        sport_detail=str(facts.get("type", "")),
        title=str(facts.get("title", "")),
        elapsed_time_s=elapsed if elapsed is not None else moving,
        timer_time_s=moving if moving is not None else elapsed,
        distance_m=facts.get("distance_m") or None,
        rpe=facts.get("rpe"),
        notes=("a summary without a recording",),
    )
