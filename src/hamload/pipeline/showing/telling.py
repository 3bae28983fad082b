"""Last step: what the published tables say, gathered into what a digest, a status or a listing shows. Reads only."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.advice import DISCLAIMER, wording
from hamload.digest.facts import (
    Amounts,
    DigestFacts,
    FourWeeks,
    ModelFacts,
    ModelNote,
    SeriesRow,
    Session,
    SourceRow,
    Week,
)
from hamload.errors import WarehouseError
from hamload.language import Text, plural, restored, text
from hamload.pipeline.counsel import curling, planning, withholding
from hamload.pipeline.counsel.remembering import plan_of
from hamload.pipeline.showing import doubting, recalling, recognising
from hamload.records import SERIES, Alert, Cause, Confidence, Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from hamload.settings import Settings

_PARTS = (
    "load_efm",
    "load_hill_efm",
    "load_speed_efm",
    "load_long_efm",
    "load_base_efm",
    "distance_m",
    "moving_time_s",
)
#: The thresholds that a digest names, in the order in which they matter.
_NOTED = (
    "alerts.deload.spike",
    "alerts.deload.uncoupled",
    "alerts.deload.ewma",
    "alerts.deload.heavy_uncoupled",
    "alerts.caution.spike",
    "alerts.caution.monotony",
)
_LISTED = 5


def digest_facts(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, on: dt.date | None = None
) -> DigestFacts:
    """Gather everything that one athlete's digest shows, of the last day or of an earlier one.

    Raises
    ------
    WarehouseError
        Where this athlete has no history yet.

    """
    alert, headline = alert_of(con, athlete_id, on)
    as_of = alert.date
    flags = withholding.logged_flags(settings, athlete_id)
    if flags:
        is_newest = on is None or alert_of(con, athlete_id)[0].date == as_of
        alert, headline = (withholding.stopped if is_newest else withholding.of_a_past_day)(alert, flags)
    row = _one(
        con,
        "select a.name, a.time_zone, a.easy_speed_mps, a.model_version, bool_or(s.is_simulated) as is_simulated"
        " from landing.athletes a join marts.sessions s on s.athlete_id = a.athlete_id"
        " where a.athlete_id = ? group by all",
        [athlete_id],
    )
    # Nobody ran what is simulated: its own next day is its today.
    today = as_of + dt.timedelta(days=1) if row["is_simulated"] else settings.today(athlete_id)
    plan = planning.coming_days(con, settings, alert, today) if on is None else ()
    if plan:
        alert = replace(alert, advice=tuple(told for told in alert.advice if not _is_by_day(told)))
    return DigestFacts(
        athlete_name=row["name"] or athlete_id,
        as_of=as_of,
        time_zone=row["time_zone"],
        is_simulated=row["is_simulated"],
        alert=alert,
        headline=headline,
        disclaimer=DISCLAIMER,
        last_7=Week(**_sums(con, athlete_id, as_of - dt.timedelta(days=6), as_of)),
        before_28=_four_weeks(con, athlete_id, as_of - dt.timedelta(days=34), as_of - dt.timedelta(days=7)),
        series=_series(con, athlete_id, as_of),
        sessions=_sessions(con, athlete_id, as_of),
        unknowns=_unknowns(con, athlete_id, as_of),
        remarks=_remarks(con, athlete_id, as_of),
        sources=_sources(con, settings, athlete_id),
        model=ModelFacts(
            version=row["model_version"],
            easy_speed_mps=row["easy_speed_mps"],
            spike_days=settings.model.series.spike_days,
            notes=_notes(settings),
        ),
        next_7=(*alert.advice, *_next_curls(con, settings, alert, today, is_newest=on is None)),
        plan=plan,
        language=settings.language(as_of),
    )


def _is_by_day(told: str) -> bool:
    return isinstance(told, Text) and told.template == wording.BY_DAY


def _next_curls(
    con: duckdb.DuckDBPyConnection, settings: Settings, alert: Alert, today: dt.date, *, is_newest: bool
) -> tuple[str, ...]:
    """Return the next curls, where the digest is of today and there are any."""
    if not is_newest or alert.state is State.STOP:
        return ()
    told = curling.next_curls(con, settings, alert.athlete_id, today)
    return (told,) if told else ()


def sessions(con: duckdb.DuckDBPyConnection, athlete_id: str, last: int) -> list[dict[str, Any]]:
    """Return the athlete's newest sessions, newest first, whole rows of `marts.sessions`."""
    query = "select * from marts.sessions where athlete_id = ? order by start_at desc, session_id limit ?"
    return warehouse.rows(con, query, [athlete_id, last])


def unreadable(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[dict[str, Any]]:
    """Return what of this athlete's could not be counted, with the reasons."""
    return warehouse.rows(
        con,
        "select name, reason, may_be_run, local_date, is_no_activity from marts.unreadable"
        " where athlete_id = ? order by name",
        [athlete_id],
    )


def alert_of(con: duckdb.DuckDBPyConnection, athlete_id: str, on: dt.date | None = None) -> tuple[Alert, str]:
    """Return the athlete's state on a day, or the newest, with its headline. Raises WarehouseError without one."""
    found = warehouse.rows(
        con,
        "select * from marts.alerts where athlete_id = $1 and ($2 is null or date = $2) order by date desc limit 1",
        [athlete_id, on],
    )
    if not found:
        when = f" on {on}" if on else " yet"
        raise WarehouseError(
            f"There is nothing to say of {athlete_id}{when}.", "Run: hamload import PATH, or name another day."
        )
    row = found[0]
    said = spoken(row["told"])
    alert = Alert(
        athlete_id=athlete_id,
        date=row["date"],
        state=State(row["state"]),
        reasons=tuple(reason(told, said) for told in json.loads(row["reasons"])),
        is_new=row["is_new"],
        is_continuation=row["is_continuation"],
        held=row["held"],
        episode=row["episode"],
        advice=tuple(said(sentence) for sentence in row["advice"]),
        clears_when=said(row["clears_when"]),
        is_acknowledged=row["is_acknowledged"],
        plan=plan_of(json.loads(row["plan"])) if row["plan"] else None,
    )
    return alert, said(row["headline"])


def spoken(told: str) -> Callable[[str], str]:
    """Return what turns a stored sentence into the text that it was; another string stays as it is."""
    texts: dict[str, Any] = json.loads(told)
    return lambda sentence: restored(texts[sentence]) if sentence in texts else sentence


def alert_history(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    athlete_id: str,
    *,
    every: bool,
    on: dt.date | None,
    last: int,
) -> list[dict[str, Any]]:
    """Return the newest day, and those on which something was told, newest first; see `pipeline.alert_history`."""
    found = warehouse.rows(
        con,
        "with days as (select *, lag(state) over (order by date) as before, max(date) over () as newest"
        " from marts.alerts where athlete_id = $1)"
        " select * exclude (before) from days where case when $3::date is not null then date = $3"
        " else is_new or date = newest or ($2 and state is distinct from before) end"
        " order by date desc limit $4",
        [athlete_id, every, on, last],
    )
    rows = [_row(row) for row in found]
    flags = withholding.logged_flags(settings, athlete_id)
    shown = []
    for row in rows:
        is_newest = row["date"] == row.pop("newest")
        shown.append(withholding.stopped_row(row, flags, is_newest=is_newest) if flags else row)
    return shown


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `marts.alerts` with what is JSON in it as objects, its sentences as texts."""
    said = spoken(row["told"])
    shown = {
        **row,
        "headline": said(row["headline"]),
        "clears_when": said(row["clears_when"]),
        "advice": [said(sentence) for sentence in row["advice"]],
        "reasons": [_reason(reason, said) for reason in json.loads(row["reasons"])],
        "plan": json.loads(row["plan"] or "null"),
    }
    return {name: value for name, value in shown.items() if name != "told"}


def _reason(row: dict[str, Any], said: Callable[[str], str]) -> dict[str, Any]:
    causes = [{**cause, "sentence": said(cause["sentence"])} for cause in row["causes"]]
    return {**row, "sentence": said(row["sentence"]), "evidence": said(row["evidence"]), "causes": causes}


def reason(row: dict[str, Any], said: Callable[[str], str]) -> Reason:
    """Return a reason as `marts.alerts` keeps it, its sentences as `spoken` makes them."""
    causes = tuple(Cause(**{**cause, "sentence": said(cause["sentence"])}) for cause in row["causes"])
    told = {name: said(row[name]) for name in ("sentence", "evidence")}
    return Reason(**{**row, **told, "state": State(row["state"]), "causes": causes})


def _sums(con: duckdb.DuckDBPyConnection, athlete_id: str, first: dt.date, last: dt.date) -> dict[str, Any]:
    known = _one(
        con,
        "select count(*) as known from marts.daily_load"
        " where athlete_id = ? and series = 'total' and is_known and date between ? and ?",
        [athlete_id, first, last],
    )["known"]
    sums = _one(
        con,
        f"select count(*) as runs, {', '.join(map(_sum, _PARTS))} from marts.sessions"  # noqa: S608
        " where athlete_id = ? and local_date between ? and ?",
        [athlete_id, first, last],
    )
    if not known:
        sums = dict.fromkeys(sums)
    return {**sums, "first_date": first, "last_date": last, "days": (last - first).days + 1, "known_days": known}


def _sum(part: str) -> str:
    """Return the sum of a part as SQL: none where it is not known of every run, as in the daily series."""
    label = part.removeprefix("load_").removesuffix("_efm")
    told = f"coalesce(sum({part}), 0)"
    if label in {"hill", "speed", "long"}:
        told = f"if(count_if(is_{label} is null) > 0, null, {told})"
    return f"{told} as {part}"


def _four_weeks(con: duckdb.DuckDBPyConnection, athlete_id: str, first: dt.date, last: dt.date) -> FourWeeks:
    sums = _sums(con, athlete_id, first, last)
    is_whole = sums["known_days"] == sums["days"]

    def mean(amount: float | None) -> float | None:
        return 7 * amount / sums["days"] if is_whole and amount is not None else None

    per_week = Amounts(**{name: mean(sums[name]) for name in (*_PARTS, "runs")})
    return FourWeeks(**sums, per_week=per_week)


def _series(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> tuple[SeriesRow, ...]:
    rows = {
        row["series"]: row
        for row in warehouse.rows(
            con,
            "select today.*, ("
            "   select 100 * avg((past.acwr_uncoupled < today.acwr_uncoupled)::int) from marts.daily_load past"
            "   where past.athlete_id = today.athlete_id and past.series = today.series and past.date < today.date"
            "     and past.date >= today.date - 365 and past.acwr_uncoupled is not null"
            "   having count(*) >= 60) as own_percentile"
            " from marts.daily_load today where athlete_id = ? and date = ?",
            [athlete_id, as_of],
        )
    }
    return tuple(
        SeriesRow(
            series=name,
            acute_efm=rows[name]["acute_rolling"],
            chronic_efm=rows[name]["chronic_rolling"],
            uncoupled=rows[name]["acwr_uncoupled"],
            ewma=rows[name]["acwr_ewma"],
            own_percentile=rows[name]["own_percentile"],
            why_withheld=recognising.withheld(rows[name]["withheld_why"] or ""),
        )
        for name in SERIES
    )


def _sessions(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> tuple[Session, ...]:
    rows = warehouse.rows(
        con,
        "select local_date, title, name, distance_m, moving_time_s, load_efm, load_hill_efm, load_speed_efm,"
        " load_long_efm, load_base_efm, is_hill, is_speed, is_long, is_heavy, spike_distance, spike_load, confidence,"
        " confidence_why from marts.sessions where athlete_id = ? and local_date between ? and ? order by start_at",
        [athlete_id, as_of - dt.timedelta(days=6), as_of],
    )
    return tuple(session(row) for row in rows)


def session(row: dict[str, Any]) -> Session:
    """Return a run as the digest shows it, of a row of `marts.sessions`."""
    # A part that could not be told apart is attributed nothing; what is shown of it is "unknown", not 0.
    unknown = {f"load_{part}_efm": None for part in ("hill", "speed", "long") if row[f"is_{part}"] is None}
    title = row["title"] or row["name"].rsplit("/")[-1]
    known = {f.name: row[f.name] for f in fields(Session) if f.name in row}
    return Session(
        **known
        | unknown
        | {
            "date": row["local_date"],
            "title": title,
            "confidence": Confidence(row["confidence"]),
            "confidence_why": recognising.confidence(row["confidence_why"]),
        }
    )


def _unknowns(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> tuple[str, ...]:
    sentences: list[str] = []
    doubted = {
        day
        for (day,) in con.execute(
            "select distinct unnest(unknown_dates) from landing.sessions where athlete_id = ?", [athlete_id]
        ).fetchall()
    }
    unknown = [
        row["date"]
        for row in warehouse.rows(
            con,
            "select date from marts.daily_load where athlete_id = ? and series = 'total' and not is_known"
            " and date > ? and date <= ? order by date",
            [athlete_id, as_of - dt.timedelta(days=35), as_of],
        )
    ]
    if unknown:
        silent = [day for day in unknown if day not in doubted]
        if silent:
            why = text("no source has reported on {days}", days=_spans(silent))
        else:
            why = text("their recordings are doubted")
        sentences.append(
            plural(
                "{n} day of the last 35 is unknown, not rest: {why}. Ratios that need these days are withheld.",
                "{n} days of the last 35 are unknown, not rest: {why}. Ratios that need these days are withheld.",
                len(unknown),
                why=why,
            )
        )
    sentences += doubting.sentences(con, athlete_id, as_of - dt.timedelta(days=34), as_of)
    sentences += recalling.changes(con, athlete_id, as_of)
    health = _one(
        con,
        "select count(*) as runs, count(*) filter (confidence in ('low', 'very low')) as doubtful,"
        " count(*) filter (is_hill is null and samples > 0 and history_runs >= 8) as hills_unknown"
        " from marts.sessions"
        " where athlete_id = ? and local_date > ? and local_date <= ?",
        [athlete_id, as_of - dt.timedelta(days=35), as_of],
    )
    if health["doubtful"]:
        sentences.append(
            plural(
                "{n} run of {runs} in the last 35 days: load known with low confidence only; `hamload sessions` shows"
                " which and why.",
                "{n} runs of {runs} in the last 35 days: load known with low confidence only; `hamload sessions` shows"
                " which and why.",
                health["doubtful"],
                runs=health["runs"],
            )
        )
    if health["hills_unknown"]:
        sentences.append(
            plural(
                "Hills are unknown in {unknown} of {n} run of the last 35 days, as too much altitude is missing:"
                " climbs count as flat there, and the true load may be higher.",
                "Hills are unknown in {unknown} of {n} runs of the last 35 days, as too much altitude is missing:"
                " climbs count as flat there, and the true load may be higher.",
                health["runs"],
                unknown=health["hills_unknown"],
            )
        )
    refused = [row for row in unreadable(con, athlete_id) if not row["is_no_activity"]]
    if undated := sum(row["may_be_run"] and row["local_date"] is None for row in refused):
        sentences.append(
            plural(
                "The day of {n} document that could not be read is not known: a day that counts as rest may have held"
                " a run.",
                "The days of {n} documents that could not be read are not known: a day that counts as rest may have"
                " held a run.",
                undated,
            )
        )
    if refused:
        names = "; ".join(f"{row['name'].rsplit('/')[-1]}: {row['reason']}" for row in refused[:_LISTED])
        more = len(refused) - _LISTED
        sentences.append(
            plural(
                "{n} document could not be counted. {names}{more}",
                "{n} documents could not be counted. {names}{more}",
                len(refused),
                names=names,
                more=text(" and {more} more (table marts.unreadable)", more=more) if more > 0 else "",
            )
        )
    return tuple(sentences)


def _remarks(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> tuple[str, ...]:
    """Return what is known and worth saying: that copies were left out is no gap in what is known."""
    copies = _one(
        con,
        "select coalesce(sum(copies), 0)::int as copies from marts.sessions"
        " where athlete_id = ? and local_date > ? and local_date <= ?",
        [athlete_id, as_of - dt.timedelta(days=35), as_of],
    )["copies"]
    if not copies:
        return ()
    return (
        plural(
            "{n} copy of a run was left out, so that each run counts once.",
            "{n} copies of runs were left out, so that each run counts once.",
            copies,
        ),
    )


def _spans(days: list[dt.date]) -> Text:
    spans: list[list[dt.date]] = []
    for day in days:
        if spans and (day - spans[-1][-1]).days == 1:
            spans[-1].append(day)
        else:
            spans.append([day])
    words: list[str] = [
        text("{date:date}", date=span[0])
        if len(span) == 1
        else text("{first:date} to {last:date}", first=span[0], last=span[-1])
        for span in spans[:_LISTED]
    ]
    return text("{days:commas}", days=[*words, "..."] if len(spans) > _LISTED else words)


def _sources(con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str) -> tuple[SourceRow, ...]:
    zone = settings.zone(athlete_id)
    return tuple(
        SourceRow(
            source=row["source"],
            last_success_at=row["last_success_at"].astimezone(zone) if row["last_success_at"] else None,
            newest_activity_date=(
                row["newest_activity_at"].astimezone(zone).date() if row["newest_activity_at"] else None
            ),
            wrong=row["message"] if row["is_failing"] else "",
            remedy=row["remedy"] if row["is_failing"] else "",
            note="" if row["is_failing"] else row["message"],
        )
        for row in warehouse.rows(
            con, "select * from marts.source_health where athlete_id = ? order by source", [athlete_id]
        )
    )


def _notes(settings: Settings) -> tuple[ModelNote, ...]:
    found = ((key, settings.provenance[key]) for key in _NOTED)
    return tuple(
        ModelNote(
            p.kind,
            text(
                "{name} {value:g}: {source}",
                name=key.removeprefix("alerts.").replace(".", " ").replace("_", " "),
                value=p.value,
                source=p.source,
            ),
        )
        for key, p in found
    )


def _one(con: duckdb.DuckDBPyConnection, query: str, values: list[Any]) -> dict[str, Any]:
    (row,) = warehouse.rows(con, query, values)
    return row
