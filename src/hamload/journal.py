"""The runner's own journal: what they felt, did and decided. A source like any other, and append-only.

Each entry is a raw document of its own, so that a rebuild keeps it. Nothing is ever changed: an entry is taken back by
another one. What the kinds mean is not known here.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hamload.raw import Batch, Delivery, Raw

SOURCE = "journal"
FORMAT = "journal"
_UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `date` is the athlete's local day that it speaks of, `logged_at` when it was written (UTC)."""

    entry_id: str
    athlete_id: str
    kind: str
    date: dt.date
    logged_at: dt.datetime
    content: dict[str, Any]


def append(batch: Batch, kind: str, date: dt.date, logged_at: dt.datetime, content: Mapping[str, Any]) -> str:
    """Put an entry into an open batch of the source "journal". Returns its id; the same again changes nothing."""
    told = {
        "kind": kind,
        "date": date.isoformat(),
        "logged_at": logged_at.astimezone(dt.UTC).isoformat(),
        "content": dict(content),
    }
    document = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    name, _ = batch.put(document, FORMAT, name=f"journal/{date}/{kind}", facts=told)
    return _entry_id(name)


def undo(batch: Batch, entry: Entry, logged_at: dt.datetime) -> str:
    """Take an entry back: it stays in the journal, and counts no longer."""
    return append(batch, _UNDO, entry.date, logged_at, {"of": entry.entry_id})


def entries(deliveries: Iterable[Delivery]) -> list[Entry]:
    """Return the entries that count, oldest first by when they were written; those taken back are left out."""
    found = [_entry(d) for d in deliveries if d.format == FORMAT]
    undone = {(e.athlete_id, e.content["of"]) for e in found if e.kind == _UNDO}
    kept = [e for e in found if e.kind != _UNDO and (e.athlete_id, e.entry_id) not in undone]
    return sorted(kept, key=lambda e: (e.logged_at, e.entry_id))


def logged(raw: Raw, athlete_id: str | None = None) -> list[Entry]:
    """Return the `entries` that a home holds, of one athlete or of all."""
    return entries(raw.deliveries(athlete_id, format_=FORMAT))


def _entry(delivery: Delivery) -> Entry:
    told = delivery.facts
    return Entry(
        entry_id=_entry_id(delivery.document_id),
        athlete_id=delivery.athlete_id,
        kind=told["kind"],
        date=dt.date.fromisoformat(told["date"]),
        logged_at=dt.datetime.fromisoformat(told["logged_at"]),
        content=told["content"],
    )


def _entry_id(document_id: str) -> str:
    return document_id[:10]
