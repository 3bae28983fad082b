"""The published tables as rows for the charts: days with their parts, ratios, what is unknown, curls and tightness."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import load as load_model
from hamload import warehouse
from hamload.language import METRES_PER_MILE, marked, text
from hamload.pipeline.documents.storing import read_samples
from hamload.pipeline.showing import recognising

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from hamload.language import Language
    from hamload.records import Array
    from hamload.settings import Settings

_DAY_MS = 86_400_000
_EPOCH = dt.date(1970, 1, 1)

type Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChartRows:
    """What `hamload.charts` takes, from `first` to `last`."""

    first: dt.date
    last: dt.date
    days: Rows
    unknown: Rows
    ratios: Rows
    withheld: Rows
    thresholds: Rows
    curls: Rows
    tightness: Rows

    @property
    def whole(self) -> Rows:
        """The first and the last day."""
        return [{"at": milliseconds(self.first)}, {"at": milliseconds(self.last)}]


def milliseconds(day: dt.date) -> int:
    """Return a local day as the charts take it: its own midnight, in UTC."""
    return (day - _EPOCH).days * _DAY_MS


def chart_rows(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    athlete_id: str,
    last: dt.date,
    days: int | None = None,
) -> ChartRows:
    """Return the rows of the last so many days up to `last`, or of all that there are."""
    first = last - dt.timedelta(days=days - 1) if days else dt.date.min
    language = settings.language(last)
    rows = warehouse.rows(con, _DAYS, [athlete_id, first, last])
    ratios = [
        {
            "at": milliseconds(row["date"]),
            "label": language.day(row["date"], last),
            "uncoupled": rounded(row["acwr_uncoupled"], 3),
            "ewma": rounded(row["acwr_ewma"], 3),
        }
        for row in rows
    ]
    return ChartRows(
        first=first if days else (rows[0]["date"] if rows else last),
        last=last,
        days=[_day(row, language) for row in rows],
        unknown=list(spans((r["date"], None if r["is_known"] else language.say(_UNKNOWN)) for r in rows)),
        ratios=ratios,
        withheld=list(spans((r["date"], _why(r["withheld_why"], language)) for r in rows)),
        thresholds=[
            {"value": value, "label": language.say(label)}
            for value, label in (
                (settings.alerts.caution.ewma, text("caution by EWMA")),
                (settings.alerts.deload.ewma, text("deload by EWMA")),
                (settings.alerts.deload.uncoupled, text("deload by uncoupled")),
            )
        ],
        curls=[
            {
                "at": milliseconds(row["local_date"]),
                "label": language.day(row["local_date"], last),
                "sets": row["sets"],
                "repetitions": row["repetitions"],
            }
            for row in warehouse.rows(con, _CURLS, [athlete_id, first, last])
        ],
        tightness=list(_tightness(con, athlete_id, first, language)),
    )


def _why(withheld: str | None, language: Language) -> str | None:
    return None if withheld is None else language.say(recognising.withheld(withheld))


_UNKNOWN = text("no source has reported on these days, or a recording cannot be read")


def run_rows(
    con: duckdb.DuckDBPyConnection, settings: Settings, recording_id: str, easy_speed_mps: float, points: int = 480
) -> Rows:
    """Return a run's course for `charts.run`: means of equal stretches of its time, None where nothing is known."""
    samples = read_samples(con, [recording_id]).get(recording_id)
    if samples is None or not samples.dt_s.sum():
        return []
    asked = load_model.demand(samples.speed_mps, samples.grade, easy_speed_mps, settings.model.demand)
    factor = 3600 / METRES_PER_MILE if settings.show.units == "miles" else 3.6
    end_s = float(samples.time_s[-1] + samples.dt_s[-1])
    step_s = max(end_s / points, 1.0)
    place = np.minimum((samples.time_s / step_s).astype(int), points - 1)
    channels = {"speed": samples.speed_mps * factor, "grade": samples.grade * 100, "demand": asked}
    means: dict[str, Array] = {}
    for name, values in channels.items():
        is_known = ~np.isnan(values)
        weight = np.bincount(place[is_known], samples.dt_s[is_known], points)
        total = np.bincount(place[is_known], (values * samples.dt_s)[is_known], points)
        means[name] = np.divide(total, weight, out=np.full(points, np.nan), where=weight > 0)
    last = int(place[-1]) + 1
    return [
        {"minute": round((index + 0.5) * step_s / 60, 2)}
        | {name: None if np.isnan(values[index]) else round(float(values[index]), 3) for name, values in means.items()}
        for index in range(last)
    ]


def session_rows(
    con: duckdb.DuckDBPyConnection,
    language: Language,
    athlete_id: str,
    first: dt.date,
    last: dt.date,
    labels: Sequence[str] = (),
) -> Rows:
    """Return the runs of a stretch of days for `charts.sessions`; with `labels` those that bear one of them."""
    rows = warehouse.rows(
        con,
        "select session_id, local_date, title, load_efm, is_hill, is_speed, is_long, is_heavy, is_easy"
        " from marts.sessions"
        " where athlete_id = ? and local_date between ? and ? order by start_at, session_id",
        [athlete_id, first, last],
    )
    return [
        {
            "at": milliseconds(row["local_date"]),
            "label": f"{language.day(row['local_date'], last)}: {row['title'] or language.text('a run')}",
            "efm": rounded(row["load_efm"], 1),
            "kind": _kind(row),
            "session_id": row["session_id"],
        }
        for row in rows
        if not labels or any(row[f"is_{label}"] for label in labels)
    ]


def _kind(row: dict[str, Any]) -> str:
    """Return the first label that a run bears, in the order in which samples are claimed."""
    for kind in ("hill", "speed", "long"):
        if row[f"is_{kind}"]:
            return kind
    return "not known" if row["is_heavy"] is None else marked("none of these")


_DAYS = """
with parts as (
    select
        local_date as date,
        -- What could not be told apart is attributed to no part: it stays with the rest.
        sum(if(is_hill is null, 0, load_hill_efm)) as hill,
        sum(if(is_speed is null, 0, load_speed_efm)) as speed,
        sum(if(is_long is null, 0, load_long_efm)) as long,
        sum(load_efm) - hill - speed - long as base
    from marts.sessions where athlete_id = $1 group by local_date
)
select
    daily.date, daily.is_known, parts.hill, parts.speed, parts.long, parts.base,
    daily.acute_rolling, daily.chronic_rolling, daily.acwr_uncoupled, daily.acwr_ewma, daily.withheld_why
from marts.daily_load as daily
left join parts using (date)
where daily.athlete_id = $1 and daily.series = 'total' and daily.date between $2 and $3
order by daily.date
"""
_CURLS = """
select local_date, sum(sets)::int as sets, sum(repetitions)::int as repetitions
from marts.curl_sessions where athlete_id = ? and local_date between ? and ? group by local_date order by local_date
"""


def _day(row: dict[str, Any], language: Language) -> dict[str, Any]:
    # On an unknown day what was recorded is shown, and the day is shaded: there may have been more.
    day = language.day(row["date"], language.today)
    parts = {part: rounded(row[part] or 0.0, 1) for part in ("hill", "speed", "long", "base")}
    return {
        "at": milliseconds(row["date"]),
        "days": 1,
        "known": row["is_known"],
        "day": day,
        "label": day if row["is_known"] else f"{day} ({language.text('unknown')})",
        **parts,
        "acute": rounded(row["acute_rolling"], 1),
        "chronic": rounded(row["chronic_rolling"], 1),
    }


def spans(days: Iterable[tuple[dt.date, str | None]]) -> Iterable[dict[str, Any]]:
    """Return each stretch of days that have the same kind of reason, as one span with its first day's words."""
    span: dict[str, Any] | None = None
    for day, why in days:
        at = milliseconds(day)
        if span and why and span["until"] == at:
            span["until"] = at + _DAY_MS
            continue
        if span:
            yield span
        span = {"at": at, "until": at + _DAY_MS, "why": why} if why else None
    if span:
        yield span


def _tightness(
    con: duckdb.DuckDBPyConnection, athlete_id: str, first: dt.date, language: Language
) -> Iterable[dict[str, Any]]:
    found: dict[dt.date, float] = {}
    rows = warehouse.rows(
        con,
        "select date, content from staging.journal where athlete_id = ? and kind = 'tightness'"
        " and date between ? and ? order by date, logged_at",
        [athlete_id, first, language.today],
    )
    for row in rows:
        level = json.loads(row["content"]).get("level")
        if level is not None:
            # Both sides on one day: the tighter one speaks.
            found[row["date"]] = max(found.get(row["date"], 0.0), float(level))
    for day, level in found.items():
        yield {"at": milliseconds(day), "label": language.day(day, language.today), "tightness": level}


def rounded(value: float | None, digits: int) -> float | None:
    """Return a number with fewer decimals; None stays None."""
    return None if value is None else round(value, digits)
