"""Second step: documents that nobody has decoded yet become activities, samples and features in the warehouse.

Reading runs in worker processes; one document's failure is its own and is listed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from contextlib import closing
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Any

from hamload import journal, warehouse
from hamload.days import local_day
from hamload.load import usable_share
from hamload.merging.decisions import KIND, counted_as_runs
from hamload.pipeline.documents import cluster, thawing
from hamload.pipeline.documents.readers import read_here
from hamload.pipeline.documents.reading import STRAVA, SUMMARIES, Task
from hamload.pipeline.documents.storing import write_samples
from hamload.pipeline.noting.progress import silent
from hamload.sources import strava_export

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import duckdb

    from hamload.pipeline.documents.cluster import Executor
    from hamload.pipeline.documents.reading import Decoded, Outcome
    from hamload.pipeline.noting.progress import Progress
    from hamload.raw import Delivery, Raw, Refusal
    from hamload.records import Recording, Samples
    from hamload.settings import Settings

type _Key = tuple[str, str]

_BATCH = 48
SIMULATOR = "hamload simulator"


def decode_new(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    settings: Settings,
    progress: Progress = silent,
    executor: Executor | None = None,
) -> int:
    """Decode every document that is new, or whose facts or coefficients changed. Returns how many were decoded.

    `executor` takes them to the cluster of these settings, where there is one; None connects to it by its address.
    """
    given = raw.deliveries()
    athletes = {a.id for a in settings.athletes}
    held = _holding(given, athletes)
    latest = _as_decided(_latest(held), journal.entries(given))
    later = _later(held, latest)
    superseded = _superseded(con)
    latest = {key: d for key, d in latest.items() if superseded.get(key) not in later.get(key, ())}
    done = {
        (athlete, document): facts
        for athlete, document, facts in con.execute(
            "select athlete_id, document_id, facts_hash from landing.decoded"
        ).fetchall()
    }
    todo = [d for key, d in latest.items() if not _is_done(d, done.get(key), settings)]
    _forget(con, done.keys() - latest.keys())
    _list_refusals(con, raw)
    frozen = [d for d in todo if d.format == thawing.FORMAT]
    for delivery in frozen:
        with warehouse.transaction(con):
            _forget(con, done.keys() & {(delivery.athlete_id, delivery.document_id)})
            thawing.thaw(con, delivery, raw.content(delivery.document_id, delivery.format))
            _note_decoded(con, [delivery], frozenset(), settings)
    count = len(frozen)
    batches = list(batched([d for d in todo if d.format != thawing.FORMAT], _BATCH, strict=False))
    tasks = ([_task(delivery, raw) for delivery in batch] for batch in batches)
    found = cluster.read_batches(tasks, settings, executor) if settings.imports.cluster else read_here(tasks, settings)
    with closing(found):
        for deliveries, outcomes in zip(batches, found, strict=True):
            with warehouse.transaction(con):
                _forget(con, done.keys() & {(d.athlete_id, d.document_id) for d in deliveries})
                _write(con, deliveries, outcomes, settings)
            count += len(deliveries)
            progress("decoding", count, len(todo))
    _supersede(con, later, latest, settings)
    return count


def _later(deliveries: Sequence[Delivery], latest: Collection[_Key]) -> dict[_Key, list[_Key]]:
    """Return, for what a file of a watched folder held before it was written anew, what it has held since.

    What another source gives too is not among it.
    """
    held: dict[tuple[str, str, str], list[_Key]] = {}
    elsewhere: set[_Key] = set()
    for d in deliveries:
        key = (d.athlete_id, d.document_id)
        if key not in latest:
            continue
        if _is_watched(d):
            held.setdefault((d.athlete_id, d.source, d.name), []).append(key)
        else:
            elsewhere.add(key)
    later: dict[_Key, list[_Key]] = {}
    for told in held.values():
        keys = list(dict.fromkeys(reversed(told)))
        for place, key in enumerate(keys[1:], 1):
            if key not in elsewhere:
                later.setdefault(key, []).extend(keys[:place])
    return later


def _is_watched(delivery: Delivery) -> bool:
    return delivery.source.startswith("folder:")


def _superseded(con: duckdb.DuckDBPyConnection) -> dict[_Key, _Key]:
    rows = con.execute("select athlete_id, document_id, by_document_id from landing.superseded").fetchall()
    return {(athlete_id, document): (athlete_id, by) for athlete_id, document, by in rows}


#: Whether each run of one document shares most of the shorter one's time with one of another, or is the very same
#: movement whole quarters of an hour apart: a clock set right. Alike is not enough: who runs the same way to work and
#: back runs alike twice a day.
_IS_SAME_RUN = """
with ours as (
    select
        activity_id, document_id, epoch(start_at) as first_s, epoch(end_at) as last_s,
        cast(profile as varchar) as profile
    from landing.activities
    where athlete_id = $1
),

matched as (
    select
        bool_or(
            (
                former.first_s < now.last_s and now.first_s < former.last_s
                and least(former.last_s, now.last_s) - greatest(former.first_s, now.first_s)
                    >= $4 * least(former.last_s - former.first_s, now.last_s - now.first_s)
            )
            or (
                abs(former.first_s - now.first_s) <= 3600 * $5
                and cast(round(former.first_s - now.first_s) as bigint) % cast(60 * $6 as bigint) = 0
                and former.profile = now.profile
            )
        ) as is_matched
    from ours as former
    join ours as now on now.document_id = $3
    where former.document_id = $2
    group by former.activity_id
)
select 1 from matched having count(*) > 0 and bool_and(is_matched)
"""


def _supersede(
    con: duckdb.DuckDBPyConnection, later: Mapping[_Key, Sequence[_Key]], latest: Collection[_Key], settings: Settings
) -> None:
    """Drop what a watched file held before it was cropped, re-typed or its clock set right; a new run replaces none.

    A program that writes each run into the same file keeps all of them; where nobody can be sure, both stay.
    """
    for key, by in _superseded(con).items():
        if by not in later.get(key, ()):
            con.execute("delete from landing.superseded where athlete_id = ? and document_id = ?", list(key))
    rules = settings.merging
    values = [rules.copies.min_shared, rules.clocks.max_hours, rules.clocks.step_minutes]
    found = {
        key: by
        for key in sorted(later.keys() & set(latest))
        for by in later[key]
        if con.execute(_IS_SAME_RUN, [*key, by[1], *values]).fetchall()
    }
    for key, by in found.items():
        with warehouse.transaction(con):
            _forget(con, [key])
            row = {"athlete_id": key[0], "document_id": key[1], "by_document_id": by[1]}
            warehouse.append_rows(con, "landing.superseded", [row])


def _latest(held: Iterable[Delivery]) -> dict[_Key, Delivery]:
    """Return what is known of each document that is held: its newest delivery, and what earlier ones told beyond it.

    A folder that knows no titles takes away none that an export gave. Where a source gave several documents under one
    id of its own (an activity re-timed, re-typed or re-uploaded), the newest recording counts, else the newest summary.
    A document is gone only where all that gave it hold another now, and is known as those tell that still hold it.
    """
    latest: dict[_Key, Delivery] = {}
    for delivery in held:
        key = (delivery.athlete_id, delivery.document_id)
        if (before := latest.get(key)) is not None:
            told = {name: value for name, value in delivery.facts.items() if value not in _UNTOLD}
            delivery = replace(  # noqa: PLW2901  # the same delivery, knowing more
                delivery, facts={**before.facts, **told}, external_id=delivery.external_id or before.external_id
            )
        latest[key] = delivery
    return latest


def _holding(deliveries: Iterable[Delivery], athletes: Collection[str]) -> list[Delivery]:
    """Return the deliveries whose source has not put another document under the same id of its own since."""
    known = [d for d in deliveries if d.athlete_id in athletes and d.format != journal.FORMAT]
    telling = {(d.athlete_id, d.document_id) for d in known if _tells_all(d)}
    newest: dict[tuple[str, str, str], str] = {}
    for d in sorted(known, key=lambda d: ((d.athlete_id, d.document_id) in telling, d.delivery_id)):
        newest[d.athlete_id, d.source, d.external_id] = d.document_id
    return [d for d in known if not d.external_id or newest[d.athlete_id, d.source, d.external_id] == d.document_id]


def _as_decided(latest: dict[_Key, Delivery], entries: Sequence[journal.Entry]) -> dict[_Key, Delivery]:
    """Return the deliveries with what the runner says of their sport: a run that was logged as something else."""
    told: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry.kind == KIND:
            told.setdefault(entry.athlete_id, []).append(entry.content)
    found = dict(latest)
    for key, delivery in latest.items():
        if mine := told.get(delivery.athlete_id):
            parts = counted_as_runs(mine, delivery.document_id, delivery.source, delivery.external_id)
            if parts:
                found[key] = replace(delivery, facts={**delivery.facts, "as_runs": sorted(parts)})
    return found


def _tells_all(delivery: Delivery) -> bool:
    """Whether a document outranks a summary: recordings do, and so do sets that the runner may have corrected."""
    return delivery.format not in SUMMARIES or bool(delivery.facts.get("has_sets"))


_UNTOLD = (None, "", "unknown")


def _task(delivery: Delivery, raw: Raw) -> Task:
    named = str(delivery.facts.get("sport_hint") or delivery.facts.get("sport") or "")
    return Task(
        raw.path(delivery.document_id, delivery.format),
        delivery.format,
        delivery.document_id,
        "" if named == "unknown" else named,
        delivery.facts,
        frozenset(delivery.facts.get("as_runs", ())),
    )


def _write(
    con: duckdb.DuckDBPyConnection,
    deliveries: Sequence[Delivery],
    outcomes: Sequence[Outcome],
    settings: Settings,
) -> None:
    activities: list[dict[str, Any]] = []
    features_rows: list[dict[str, Any]] = []
    sets: list[dict[str, Any]] = []
    samples: list[tuple[str, Samples]] = []
    unread: list[dict[str, Any]] = []
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
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
    given_up = frozenset(d.document_id for d, outcome in zip(deliveries, outcomes, strict=True) if outcome.is_given_up)
    _note_decoded(con, deliveries, given_up, settings)
    warehouse.append_rows(con, "landing.unreadable", unread)
    warehouse.append_rows(con, "landing.activities", activities)
    warehouse.append_rows(con, "landing.strength_sets", sets)
    if samples:
        chunk = write_samples(con, samples)
        warehouse.append_rows(con, "landing.features", [{**row, "chunk": chunk} for row in features_rows])


def _note_decoded(
    con: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], given_up: Collection[str], settings: Settings
) -> None:
    def told(delivery: Delivery) -> str:
        facts = _facts_hash(delivery, settings)
        return _limited(facts, settings) if delivery.document_id in given_up else facts

    done = [{"athlete_id": d.athlete_id, "document_id": d.document_id, "facts_hash": told(d)} for d in deliveries]
    warehouse.append_rows(con, "landing.decoded", done)


def _is_done(delivery: Delivery, mark: str | None, settings: Settings) -> bool:
    facts = _facts_hash(delivery, settings)
    return mark in {facts, _limited(facts, settings)}


def _limited(facts_hash: str, settings: Settings) -> str:
    """Return the mark of a document that was given up: with other limits it is read again."""
    return f"{facts_hash}/{settings.imports.max_seconds:g}/{settings.imports.max_memory_mb}"


def _forget(con: duckdb.DuckDBPyConnection, documents: Collection[tuple[str, str]]) -> None:
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


def _list_refusals(con: duckdb.DuckDBPyConnection, raw: Raw) -> None:
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
