"""Fourth step: daily series and states. Reads the days that `sql/` has summed; writes ratios, spikes and alerts."""

from __future__ import annotations

import datetime as dt
import json
from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.advice import FlagEntry, assess, curl_checks, headline, open_flags, said
from hamload.language import Text, stored
from hamload.load import daily_metrics, is_returning, spike
from hamload.pipeline.counsel import curling, standing
from hamload.quantiles import moving_quantile
from hamload.records import SERIES, Cause, Confidence, DayFacts, Reason, SeriesDay, SessionFact

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.parameters import AlertRules, Labels, LoadModel
    from hamload.records import Alert, Array
    from hamload.settings import Settings

#: Sessions that a day's reasons may name: the spike's comparison window and the week of the acute load.
SESSION_DAYS = 35


def write_spikes(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Compare every session with the largest of the days before it, on distance and on load.

    A comparison whose days are not all known is withheld: the run that is missing may have been the largest.
    """
    days = settings.model.series.spike_days
    con.execute("delete from landing.spikes")
    for (athlete_id,) in con.execute("select athlete_id from landing.athletes order by 1").fetchall():
        found = con.execute(
            # A doubted run is nobody's longest, and is compared with none.
            "select session_id, epoch(start_at) / 86400 as at_days, local_date,"
            " case when is_usual then distance_m end as distance_m, case when is_usual then load_efm end as load_efm"
            " from staging.sessions where athlete_id = ? order by start_at, session_id",
            [athlete_id],
        ).fetchnumpy()
        if not len(found["session_id"]):
            continue
        unknown = _unknown_days(con, athlete_id)
        is_known = np.array([_none_within(unknown, day, days) for day in _dates(found["local_date"])])
        columns: dict[str, Any] = {"session_id": np.ma.getdata(found["session_id"])}
        for name, column in (("spike_distance", "distance_m"), ("spike_load", "load_efm")):
            compared = spike(_floats(found[column]), _floats(found["at_days"]), days)
            columns[name] = np.where(is_known, compared, np.nan)
        warehouse.append_columns(con, "landing.spikes", columns)


def _unknown_days(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[dt.date]:
    rows = con.execute(
        "select date from staging.days where athlete_id = ? and series = 'total' and load_efm is null order by date",
        [athlete_id],
    ).fetchall()
    return [row[0] for row in rows]


def _none_within(unknown: Sequence[dt.date], day: dt.date, days: int) -> bool:
    return bisect_right(unknown, day) == bisect_left(unknown, day - dt.timedelta(days=days))


def _floats(column: Any) -> Array:
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def _dates(column: Any) -> list[dt.date]:
    return [value.astype("datetime64[D]").astype(object) for value in np.ma.getdata(column)]


def write_metrics(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Compute every series of every athlete and write them."""
    con.execute("delete from landing.day_metrics")
    for (athlete_id,) in con.execute("select athlete_id from landing.athletes order by 1").fetchall():
        loads = loads_of(con, athlete_id)
        days = len(loads["date"])
        if not days:
            continue
        found = daily_metrics(np.stack([loads[name] for name in SERIES]), loads["total"], settings.model.series)
        keys = {
            "athlete_id": np.full(days * len(SERIES), athlete_id, dtype=object),
            "date": np.tile(loads["date"], len(SERIES)),
            "series": np.repeat(np.array(SERIES, dtype=object), days),
        }
        columns = {name: values.ravel() for name, values in found._asdict().items()}
        warehouse.append_columns(con, "landing.day_metrics", {**keys, **columns})


def loads_of(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[str, Any]:
    """Return one athlete's days: `date` and the load of each series, EFM, NaN where unknown."""
    columns = ", ".join(f"any_value(load_efm) filter (series = '{name}') as {name}" for name in SERIES)
    found = con.execute(
        f"select date, {columns} from staging.days where athlete_id = ? group by date order by date",  # noqa: S608
        [athlete_id],
    ).fetchnumpy()
    return {
        "date": np.ma.getdata(found["date"]),
        **{name: _floats(found[name]) for name in SERIES},
    }


def write_said(con: duckdb.DuckDBPyConnection) -> None:
    """Read what runners wrote into the titles and notes of their activities: curls, tightness, soreness, massage."""
    con.execute("delete from landing.said")
    found = con.execute(
        "select activity_id, athlete_id, local_date, start_at, title, description from landing.activities"
        " where regexp_matches(title || ' ' || description, '(?i)#(tight|sore|massage)|curl')"
    ).fetchall()
    rows = [
        {
            "activity_id": activity_id,
            "athlete_id": athlete_id,
            "local_date": local_date,
            "start_at": start_at,
            "kind": kind,
            "content": json.dumps(content),
        }
        for activity_id, athlete_id, local_date, start_at, title, description in found
        for kind, content in said((title, description))
    ]
    warehouse.append_rows(con, "landing.said", rows)


def write_alerts(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Assess the days of every athlete and write the states with their reasons; those that still stand are left."""
    athletes = [row[0] for row in con.execute("select athlete_id from landing.athletes order by 1").fetchall()]
    con.execute("delete from landing.alerts where not list_contains(?, athlete_id)", [athletes])
    standing.forget_others(con, athletes)
    for athlete_id in athletes:
        days = with_curl_checks(con, day_facts(con, athlete_id, settings.model), settings.alerts, athlete_id)
        found = standing.new_alerts(con, days, settings.alerts, athlete_id)
        standing_until = days[found.done - 1].date if found.done else dt.date.min
        con.execute("delete from landing.alerts where athlete_id = ? and date > ?", [athlete_id, standing_until])
        warehouse.append_rows(con, "landing.alerts", [_row(alert) for alert in found.alerts])
        standing.note_alerts(con, athlete_id, found)


def unlike_their_inputs(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[tuple[str, dt.date]]:
    """Return the days, each with its athlete, whose published state is not what their series and sessions lead to."""
    strange: list[tuple[str, dt.date]] = []
    for (athlete_id,) in con.execute("select athlete_id from landing.athletes order by 1").fetchall():
        days = day_facts(con, athlete_id, settings.model)
        alerts = assess(with_curl_checks(con, days, settings.alerts, athlete_id), settings.alerts, athlete_id)
        wanted = {row["date"]: row for row in map(_row, alerts)}
        found = {
            row["date"]: row
            for row in warehouse.rows(con, "select * from marts.alerts where athlete_id = ?", [athlete_id])
        }
        strange += [
            (athlete_id, day) for day in sorted(wanted.keys() | found.keys()) if wanted.get(day) != found.get(day)
        ]
    return strange


def with_curl_checks(
    con: duckdb.DuckDBPyConnection, days: list[DayFacts], rules: AlertRules, athlete_id: str
) -> list[DayFacts]:
    """Return the days with what speaks against more curls on each.

    Which curls were halved in a deload must be known for that. The checks move no deload, so a first round finds them.
    """
    if not days or curling.curl_log(con, athlete_id, {}, rules.curls) is None:
        return days
    states = {alert.date: alert.state for alert in standing.assessed(days, rules, athlete_id)}
    log = curling.curl_log(con, athlete_id, states, rules.curls)
    assert log is not None  # noqa: S101  # it was there a line ago
    dates = [day.date for day in days]
    # As with flags: the newest day is what is said now.
    found = curl_checks(log, [*dates[:-1], max(dates[-1], log.date)], rules.curls)
    return [
        replace(day, curl_check=check, massages=massages) for day, (check, massages) in zip(days, found, strict=True)
    ]


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "athlete_id": alert.athlete_id,
        "date": alert.date,
        "state": alert.state.value,
        "headline": headline(alert),
        "reasons": json.dumps([_reason(reason) for reason in alert.reasons], ensure_ascii=False),
        "advice": list(alert.advice),
        "is_new": alert.is_new,
        "is_continuation": alert.is_continuation,
        "held": alert.held,
        "episode": alert.episode,
        "clears_when": alert.clears_when,
        "is_acknowledged": alert.is_acknowledged,
        "plan": None if alert.plan is None else json.dumps(asdict(alert.plan), default=str),
        "told": json.dumps(_told(alert), ensure_ascii=False),
    }


def _told(alert: Alert) -> dict[str, Any]:
    """Return of each sentence of an alert its template and values, by its English."""
    sentences = [headline(alert), alert.clears_when, *alert.advice]
    for reason in alert.reasons:
        sentences += [reason.sentence, reason.evidence, *(cause.sentence for cause in reason.causes)]
    return {str(sentence): stored(sentence) for sentence in sentences if isinstance(sentence, Text)}


def _reason(reason: Reason) -> dict[str, Any]:
    # dataclasses.asdict would copy deeply, on every day of ten years
    causes = [{name: getattr(cause, name) for name in _CAUSE} for cause in reason.causes]
    return {name: getattr(reason, name) for name in _REASON} | {"causes": causes}


_REASON = tuple(f.name for f in fields(Reason))
_CAUSE = tuple(f.name for f in fields(Cause))


def day_facts(con: duckdb.DuckDBPyConnection, athlete_id: str, model: LoadModel) -> list[DayFacts]:
    """Return what decides one athlete's state, day by day, oldest first."""
    series = model.series
    loads = loads_of(con, athlete_id)
    dates = _dates(loads["date"])
    is_back = is_returning(loads["total"], series.returning_days, series.chronic_days)
    unknown = np.isnan(loads["total"])
    rows = _series_days(con, athlete_id, loads)
    sessions = session_facts(con, athlete_id)
    session_dates = [s.local_date for s in sessions]
    curls = _curl_dates(con, athlete_id)
    journal = _journal(con, athlete_id)
    high_loads = _high_loads(con, athlete_id, dates, model.labels)
    facts: list[DayFacts] = []
    last_run: dt.date | None = None
    for index, date in enumerate(dates):
        first = bisect_left(session_dates, date - dt.timedelta(days=SESSION_DAYS - 1))
        after = bisect_right(session_dates, date)
        if after and session_dates[after - 1] == date:
            last_run = date
        facts.append(
            DayFacts(
                date=date,
                is_known=not unknown[index],
                unknown_days_28=int(unknown[max(0, index - series.chronic_days + 1) : index + 1].sum()),
                history_days=index + 1,
                days_since_run=None if last_run is None else (date - last_run).days,
                is_returning=bool(is_back[index]),
                total=rows["total"][index],
                heavy=rows["heavy"][index],
                sessions=tuple(sessions[first:after]),
                curl_sessions_10d=_within(curls, date, 10) if curls else None,
                # A flag of today counts at once: the newest day is what is said now, and today has no row yet.
                flags=open_flags(journal.flags, date if index < len(dates) - 1 else dt.date.max),
                tightness=journal.tightness.get(date),
                tightness_before=journal.tightness.get(date - dt.timedelta(days=1)),
                high_load_efm=high_loads[index],
                is_acknowledged=date in journal.acknowledged,
            )
        )
    return facts


def _within(dates: Sequence[dt.date], day: dt.date, days: int) -> int:
    return bisect_right(dates, day) - bisect_left(dates, day - dt.timedelta(days=days - 1))


def _series_days(con: duckdb.DuckDBPyConnection, athlete_id: str, loads: dict[str, Any]) -> dict[str, list[SeriesDay]]:
    names = ("acwr_coupled", "acwr_uncoupled", "acwr_ewma", "monotony", "strain", "acute_rolling", "chronic_rolling")
    found: dict[str, list[SeriesDay]] = {}
    for series in ("total", "heavy"):
        rows = con.execute(
            f"select {', '.join(names)} from landing.day_metrics where athlete_id = ? and series = ? order by date",  # noqa: S608
            [athlete_id, series],
        ).fetchall()
        found[series] = [
            SeriesDay(None if np.isnan(load) else float(load), *row)
            for load, row in zip(loads[series], rows, strict=True)
        ]
    return found


def session_facts(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[SessionFact]:
    """Return one athlete's runs with their spikes, oldest first."""
    found = warehouse.rows(
        con,
        f"select {', '.join(f.name for f in fields(SessionFact))}"  # noqa: S608
        " from staging.sessions left join landing.spikes using (session_id)"
        " where athlete_id = ? order by local_date, start_at, session_id",
        [athlete_id],
    )
    return [SessionFact(**{**row, "confidence": Confidence(row["confidence"])}) for row in found]


@dataclass(frozen=True, slots=True)
class _Journal:
    """What one runner said that decides states: red flags, how tight each day was, which days were acknowledged."""

    flags: tuple[FlagEntry, ...]
    tightness: dict[dt.date, float]
    acknowledged: frozenset[dt.date]


def _journal(con: duckdb.DuckDBPyConnection, athlete_id: str) -> _Journal:
    rows = con.execute(
        "select kind, date, logged_at, content from staging.journal"
        " where athlete_id = ? and kind in ('tightness', 'flag', 'cleared', 'ack') order by logged_at, entry_id",
        [athlete_id],
    ).fetchall()
    flags: list[FlagEntry] = []
    tightness: dict[dt.date, float] = {}
    acknowledged: set[dt.date] = set()
    for kind, date, logged_at, text in rows:
        content = json.loads(text)
        if kind == "tightness":
            # The tighter side speaks for the day.
            tightness[date] = max(tightness.get(date, 0.0), content["level"])
        elif kind == "ack":
            acknowledged.add(date)
        else:
            flags.append(FlagEntry(content["name"], date, logged_at, kind == "cleared"))
    return _Journal(tuple(flags), tightness, frozenset(acknowledged))


def tightness(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[dt.date, float]:
    """Return how tight an athlete said it was, 0-10, on each day with an entry; the tighter side speaks for a day."""
    return _journal(con, athlete_id).tightness


def _high_loads(
    con: duckdb.DuckDBPyConnection, athlete_id: str, dates: Sequence[dt.date], labels: Labels
) -> list[float | None]:
    """Return from which load on a session would be heavy by its size alone, as known at the end of each day."""
    found = con.execute(
        "select local_date, load_efm from staging.sessions where athlete_id = ? order by local_date", [athlete_id]
    ).fetchall()
    days = [row[0] for row in found]
    windows = (
        (bisect_left(days, date - dt.timedelta(days=labels.history_days)), bisect_right(days, date)) for date in dates
    )
    return moving_quantile([row[1] for row in found], windows, labels.heavy_load_quantile, labels.min_runs)


def _curl_dates(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[dt.date]:
    rows = con.execute(
        "select local_date from staging.curl_sessions where athlete_id = ? order by local_date", [athlete_id]
    ).fetchall()
    return [row[0] for row in rows]
