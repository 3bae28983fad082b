"""What a monitor wants to know of a home, as `hamload status --json` gives it under "monitor".

The fields are a contract (docs/monitoring.md): none is taken away or given another meaning without a new `schema`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import hamload
from hamload import post, warehouse
from hamload.pipeline.noting import nights

if TYPE_CHECKING:
    from hamload.settings import Settings

#: How far back unknown days are counted.
_DAYS = 28


class MonitoredSource(BaseModel):
    """One source that the night asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(description="strava, garmin, garmin_personal, folder:PATH, or a name of the runner's own")
    last_good_at: dt.datetime | None = Field(description="when it last answered, UTC; null: never")
    age_h: float | None = Field(description="hours since then")
    is_failing: bool = Field(description="whether it failed when last asked, or was never asked")
    message: str = Field(description="what is wrong, or what the runner should know")
    remedy: str = Field(description="what mends it")


class MonitoredNight(BaseModel):
    """The last night."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str = Field(description="its id: in the log, in Prefect, and with its heartbeat")
    began_at: dt.datetime = Field(description="when it began, UTC")
    ended_at: dt.datetime | None = Field(description="when it ended, UTC; null: it is at work, or was killed")
    outcome: Literal["running", "good", "with failures", "broken"] = Field(
        description="good, with failures (it ran to its end), broken (it broke off), running (at work, or killed)"
    )
    error: str = Field(description="why it broke off")


class Monitor(BaseModel):
    """How one runner's home is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(default=1, alias="schema", description="which version of these fields this is")
    version: str = Field(description="of hamload")
    checked_at: dt.datetime = Field(description="when this was asked, UTC")
    is_ok: bool = Field(
        description="a night has ended within max_night_age_h, no source fails, and no message is stuck"
    )
    last_night: MonitoredNight | None = Field(description="null: there was none")
    last_good_night_at: dt.datetime | None = Field(description="the end of the last night that ran to its end, UTC")
    last_good_night_age_h: float | None = Field(description="hours since then")
    max_night_age_h: float = Field(description="[doctor] max_night_age_h: older than that is an outage")
    sources: tuple[MonitoredSource, ...] = Field(description="each source that the night asks")
    unknown_days: int = Field(description="of the last 28 days up to yesterday, those whose load is not known")
    doubts: int = Field(description="recordings that are set aside until the runner decides")
    pending_messages: int = Field(description="messages that wait to be sent")
    stuck_messages: int = Field(description="messages that were tried and not taken, or may not have arrived")


def monitor(settings: Settings, athlete_id: str, now: dt.datetime) -> Monitor:
    """Return how a runner's home is. Raises HamloadError where there are no tables yet."""
    found = nights.nights(settings)
    standing = post.standing(settings, athlete_id)
    with warehouse.reader(settings.home) as con:
        rows = warehouse.rows(
            con,
            "select source, last_success_at, is_failing, message, remedy from marts.source_health"
            " where athlete_id = $1 and is_asked order by source",
            [athlete_id],
        )
        ((unknown, known_until),) = con.execute(
            "select count(*) filter (not is_known and date > $2::date - 29), max(date) from marts.daily_load"
            " where athlete_id = $1 and series = 'total' and date < $2::date",
            [athlete_id, now.astimezone(settings.zone(athlete_id)).date()],
        ).fetchall()
        ((doubts,),) = con.execute(
            "select count(*) from marts.set_aside where athlete_id = $1 and coalesce(verdict, '') = ''", [athlete_id]
        ).fetchall()
    yesterday = now.astimezone(settings.zone(athlete_id)).date() - dt.timedelta(days=1)
    # Days that no night has looked at stand in no table, and are as unknown.
    missing = (yesterday - known_until).days if known_until else _DAYS
    sources = tuple(_source(row, now) for row in rows)
    good = found.good.ended_at if found.good else None
    stuck = [m for m in standing if m.attempts or m.state == "unsure"]
    age_h = _age_h(good, now)
    is_late = bool(sources) and (age_h is None or age_h > settings.doctor.max_night_age_h)
    return Monitor(
        version=hamload.__version__,
        checked_at=now,
        is_ok=not (is_late or stuck or any(source.is_failing for source in sources)),
        last_night=_night(found.last),
        last_good_night_at=good,
        last_good_night_age_h=age_h,
        max_night_age_h=settings.doctor.max_night_age_h,
        sources=sources,
        unknown_days=min(unknown + max(missing, 0), _DAYS),
        doubts=doubts,
        pending_messages=sum(m.state == "waiting" for m in standing),
        stuck_messages=len(stuck),
    )


def _source(row: dict[str, Any], now: dt.datetime) -> MonitoredSource:
    at = row["last_success_at"]
    return MonitoredSource(
        source=row["source"],
        last_good_at=at,
        age_h=_age_h(at, now),
        is_failing=row["is_failing"],
        message=row["message"],
        remedy=row["remedy"],
    )


def _night(record: nights.NightRecord | None) -> MonitoredNight | None:
    if record is None:
        return None
    return MonitoredNight(
        run_id=record.run_id,
        began_at=record.began_at,
        ended_at=record.ended_at,
        outcome=record.outcome,
        error=record.error,
    )


def _age_h(at: dt.datetime | None, now: dt.datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds() / 3600, 2)
