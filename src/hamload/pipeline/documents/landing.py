"""What was read of documents, as rows of the landing tables, and their removal."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.days import local_day
from hamload.load import usable_share
from hamload.pipeline.documents.reading import STRAVA, SUMMARIES
from hamload.pipeline.documents.storing import write_samples
from hamload.sources import strava_export

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import duckdb

    from hamload.pipeline.documents.reading import Decoded, Outcome
    from hamload.raw import Delivery, Raw, Refusal
    from hamload.records import Recording, Samples
    from hamload.settings import Settings

SIMULATOR = "hamload simulator"


def write(con: duckdb.DuckDBPyConnection, read: Sequence[tuple[Delivery, Outcome]], settings: Settings) -> None:
    """Write what was read of some documents."""
    activities: list[dict[str, Any]] = []
    features_rows: list[dict[str, Any]] = []
    sets: list[dict[str, Any]] = []
    samples: list[tuple[str, Samples]] = []
    unread: list[dict[str, Any]] = []
    for delivery, outcome in read:
        if outcome.refusal:
            unread.append(
                _unread(delivery, delivery.document_id, outcome.refusal, is_no_activity=outcome.is_no_activity)
            )
        for part, decoded in enumerate(outcome.activities):
            activity_id = _activity_id(delivery, part)
            activities.append(_activity(activity_id, part, delivery, decoded, settings))
            sets += _sets(activity_id, decoded.recording)
            if decoded.samples is not None and decoded.features is not None:
                samples.append((activity_id, decoded.samples))
                features_rows.append({"activity_id": activity_id, "features": decoded.features})
    given_up = frozenset(d.document_id for d, outcome in read if outcome.is_given_up)
    note_decoded(con, [d for d, _ in read], given_up, settings)
    warehouse.append_rows(con, "landing.unreadable", unread)
    warehouse.append_rows(con, "landing.activities", activities)
    warehouse.append_rows(con, "landing.strength_sets", sets)
    if samples:
        chunk = write_samples(con, samples)
        warehouse.append_rows(con, "landing.features", [{**row, "chunk": chunk} for row in features_rows])


def note_decoded(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], given_up: Collection[str], settings: Settings
) -> None:
    """Note under which facts documents were decoded, and those given up under which limits."""

    def told(delivery: Delivery) -> str:
        facts = _facts_hash(delivery, settings)
        return _limited(facts, settings) if delivery.document_id in given_up else facts

    done = [{"athlete_id": d.athlete_id, "document_id": d.document_id, "facts_hash": told(d)} for d in deliveries]
    warehouse.append_rows(con, "landing.decoded", done)


def is_done(delivery: Delivery, mark: str | None, settings: Settings) -> bool:
    """Whether this mark of an earlier decoding says that a document need not be decoded again."""
    facts = _facts_hash(delivery, settings)
    return mark in {facts, _limited(facts, settings)}


def _limited(facts_hash: str, settings: Settings) -> str:
    """Return the mark of a document that was given up: with other limits it is read again."""
    return f"{facts_hash}/{settings.imports.max_seconds:g}/{settings.imports.max_memory_mb}"


def forget(con: duckdb.DuckDBPyConnection, documents: Collection[tuple[str, str]]) -> None:
    """Remove what an earlier decoding made of these documents, each an athlete's id and a document's."""
    for key in map(list, sorted(documents)):
        for table in ("samples", "features", "courses", "strength_sets", "frozen_loads"):
            con.execute(
                f"delete from landing.{table} where activity_id in ("  # noqa: S608
                "select activity_id from landing.activities where athlete_id = ? and document_id = ?)",
                key,
            )
        for table in ("activities", "unreadable", "decoded"):
            con.execute(f"delete from landing.{table} where athlete_id = ? and document_id = ?", key)  # noqa: S608


def list_refusals(con: duckdb.DuckDBPyConnection, raw: Raw) -> None:
    """List what was offered and not kept."""
    con.execute("delete from landing.unreadable where document_id is null")
    # Together: an export's broken table, or a hostile archive, can hold thousands of them.
    rows = [_unread(refusal, None, refusal.reason, is_no_activity=False) for refusal in raw.refusals()]
    warehouse.append_rows(con, "landing.unreadable", rows)


_DATE = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")


def _unread(
    offered: Delivery | Refusal, document_id: str | None, reason: str, *, is_no_activity: bool
) -> dict[str, Any]:
    """Return the row of what could not be read, with the day of the run that may be missing, where its name tells."""
    may_be_run = not is_no_activity and not reason.endswith(strava_export.STANDS_IN)
    date = _DATE.search(offered.name.rpartition("/")[2]) if may_be_run else None
    return {
        "athlete_id": offered.athlete_id,
        "source": offered.source,
        "name": offered.name,
        "document_id": document_id,
        "reason": reason,
        "is_no_activity": is_no_activity,
        "may_be_run": may_be_run,
        "local_date": _valid_day(*map(int, date.groups())) if date else None,
    }


def _valid_day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _activity(activity_id: str, part: int, delivery: Delivery, decoded: Decoded, settings: Settings) -> dict[str, Any]:
    recording, quality, samples = decoded.recording, decoded.quality, decoded.samples
    facts = delivery.facts
    start_at = recording.start_at.astimezone(dt.UTC)
    seconds = float(samples.time_s[-1]) if samples is not None else recording.elapsed_time_s or 0.0
    offset, home = recording.utc_offset_s, settings.zone(delivery.athlete_id)
    day = local_day(start_at, offset, decoded.place, home, is_service=delivery.format in (*SUMMARIES, STRAVA))
    return {
        "activity_id": activity_id,
        "athlete_id": delivery.athlete_id,
        "document_id": delivery.document_id,
        "part": part,
        "source": delivery.source,
        "external_id": delivery.external_id,
        "name": delivery.name,
        "format": delivery.format,
        "reader": recording.reader,
        "sport": recording.sport.value,
        "sport_detail": recording.sport_detail,
        "title": str(facts.get("title") or recording.title),
        "description": str(facts.get("description") or ""),
        "device": recording.device,
        "is_simulated": SIMULATOR in recording.device,
        "start_at": start_at,
        "end_at": start_at + dt.timedelta(seconds=seconds),
        "utc_offset_s": offset,
        "local_date": day.date,
        "day_source": day.source,
        "day_offset_s": day.offset_s,
        # What Strava tells of the place lends nothing to others, and is not kept beyond its seven days.
        "place_latitude_deg": decoded.place[0] if decoded.place and delivery.format != STRAVA else None,
        "place_longitude_deg": decoded.place[1] if decoded.place and delivery.format != STRAVA else None,
        "elapsed_time_s": recording.elapsed_time_s if recording.elapsed_time_s is not None else seconds,
        "timer_time_s": recording.timer_time_s,
        "distance_m": recording.distance_m,
        "ascent_m": recording.ascent_m,
        "rpe": _effort(facts.get("rpe")) or _effort(recording.rpe),
        "samples": 0 if samples is None else len(samples),
        "speed_source": quality.speed_source if quality else "none",
        "altitude_source": (quality.altitude_source if quality else recording.altitude_source).value,
        "used_s": quality.used_s if quality else 0.0,
        "paused_s": quality.paused_s if quality else 0.0,
        "interpolated_s": quality.interpolated_s if quality else 0.0,
        "lost_s": quality.lost_s if quality else 0.0,
        "dropped_s": quality.dropped_s if quality else 0.0,
        "usable_share": usable_share(quality) if quality else 0.0,
        "heart_rate_coverage": quality.heart_rate_coverage if quality else 0.0,
        "altitude_coverage": quality.altitude_coverage if quality else 0.0,
        "notes": list(recording.notes),
        "measures": decoded.measures,
        # Half-minutes of a recording are samples too: what may be kept for seven days only leaves none behind.
        "profile": None if delivery.format == STRAVA else decoded.profile,
    }


def _effort(rpe: float | None) -> float | None:
    """Return an effort out of 10; what lies outside the scale is none. 0 is what forms hold where nobody answered."""
    return rpe if rpe is not None and 0 < rpe <= 10 else None  # noqa: PLR2004  # the scale's own ends


def _sets(activity_id: str, recording: Recording) -> list[dict[str, Any]]:
    return [
        {
            "activity_id": activity_id,
            "set_index": index,
            "category": s.category,
            "name": s.name,
            "repetitions": s.repetitions,
            "weight_kg": s.weight_kg,
            "duration_s": s.duration_s,
            "set_type": s.set_type,
        }
        for index, s in enumerate(recording.sets)
    ]


def _activity_id(delivery: Delivery, part: int) -> str:
    name = f"{delivery.athlete_id}/{delivery.document_id}/{part}"
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _facts_hash(delivery: Delivery, settings: Settings) -> str:
    """Return what a decoding depends on besides the document: where that changed, it is decoded anew."""
    told = [delivery.source, delivery.external_id, delivery.name, delivery.facts]
    text = json.dumps([*told, settings.model.version, settings.zone(delivery.athlete_id).key], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
