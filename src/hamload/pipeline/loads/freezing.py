"""What may not be kept: documents whose retention is over become frozen records of their sessions, without samples.

Strava allows no copy of its data beyond seven days. The record holds what hamload itself made of an activity (its
facts, what later sessions' history needs of it, its load, parts and labels, and the version of the model), and takes
the document's place among the raw documents: a rebuild keeps the history, to the last digit.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.pipeline.documents.thawing import FORMAT
from hamload.pipeline.loads.reassessing import loads_of_copies
from hamload.records import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

    from hamload.raw import Delivery, Raw
    from hamload.settings import Settings


def freeze_due(
    con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, now: dt.datetime, before: Callable[[], None]
) -> int:
    """Replace every document of Strava's whose retention is over. Returns how many went.

    Call it once what they hold has been decoded and assessed. A version that another one has replaced, and an activity
    that Strava no longer has, leave nothing behind. Runners who are not in the settings now are left as they are.
    `before` is called where there is something to do, before it is done.
    """
    retention = dt.timedelta(days=settings.fetch.strava_retention_days)
    due: dict[str, list[Delivery]] = defaultdict(list)
    athletes = {athlete.id for athlete in settings.athletes}
    current = {(d.athlete_id, d.document_id) for d in raw.deliveries()}
    for delivery in raw.deliveries(with_withdrawn=True):
        if delivery.athlete_id not in athletes:
            continue
        is_strava = delivery.source == Service.STRAVA.value and delivery.format != FORMAT
        if is_strava and now - delivery.put_at >= retention:
            due[delivery.athlete_id].append(delivery)
    if due:
        before()
    for athlete_id, deliveries in due.items():
        decoded = {
            row[0]
            for row in con.execute(
                "select document_id from landing.decoded where athlete_id = ?", [athlete_id]
            ).fetchall()
        }
        documents = [name for name in {d.document_id for d in deliveries} if name in decoded]
        copies = loads_of_copies(con, settings, athlete_id, _activities_of(con, athlete_id, documents))
        with raw.batch(Service.STRAVA.value, athlete_id, now) as batch:
            for delivery in {d.document_id: d for d in deliveries}.values():
                if delivery.document_id in decoded and (athlete_id, delivery.document_id) in current:
                    record = _record(con, athlete_id, delivery.document_id, copies)
                    content = json.dumps(record, ensure_ascii=False, sort_keys=True).encode()
                    batch.put(content, FORMAT, name=delivery.name, external_id=delivery.external_id)
                batch.expire(delivery.document_id)
    return sum(map(len, due.values()))


def _activities_of(con: duckdb.DuckDBPyConnection, athlete_id: str, documents: list[str]) -> list[str]:
    rows = con.execute(
        "select activity_id from landing.activities where athlete_id = ? and list_contains(?, document_id)",
        [athlete_id, documents],
    ).fetchall()
    return [row[0] for row in rows]


def _record(
    con: duckdb.DuckDBPyConnection, athlete_id: str, document_id: str, copies: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    key = [athlete_id, document_id]
    activities = warehouse.rows(con, "select * from landing.activities where athlete_id = ? and document_id = ?", key)
    ids = [row["activity_id"] for row in activities]
    # Of a run whose recording was cut or put together, what its history needs is that recording's.
    features = con.execute(
        "select f.activity_id, coalesce(made.features, f.features) from landing.features f"
        " left join landing.sessions s on s.primary_id = f.activity_id and s.recording_id <> f.activity_id"
        " left join landing.features made on made.activity_id = s.recording_id"
        " where list_contains(?, f.activity_id)",
        [ids],
    ).fetchall()
    loads = warehouse.rows(
        con,
        "select m.activity_id, l.* from landing.members m join landing.session_loads l using (session_id)"
        " join landing.sessions s using (session_id)"
        # Where others hold parts of the run, the load of the session is not this recording's own.
        " where m.is_primary and s.beside_time_s = 0 and list_contains(?, m.activity_id)",
        [ids],
    )
    unread = warehouse.rows(con, "select * from landing.unreadable where athlete_id = ? and document_id = ?", key)
    return {
        "document_id": document_id,
        "activities": [_plain(row) for row in sorted(activities, key=lambda row: row["part"])],
        "features": {activity_id: json.loads(told) for activity_id, told in features},
        "loads": {key: _plain(row) for key, row in copies.items() if key in ids}
        | {row.pop("activity_id"): _plain(row) for row in loads},
        "unreadable": [_plain(row) for row in unread],
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON: moments in UTC, days as they are."""
    return {name: _told(value) for name, value in row.items()}


def _told(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value
