"""What is known of each raw document: what its sources say of it now, and in which file of a folder it was followed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hamload import journal
from hamload.merging.decisions import KIND, counted_as_runs
from hamload.pipeline.documents.reading import SUMMARIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hamload.raw import Delivery

type Key = tuple[str, str]


def held_later(deliveries: Sequence[Delivery], latest: Collection[Key]) -> dict[Key, list[Key]]:
    """Return, for what a file of a watched folder held before it was written anew, what it has held since.

    What another source gives too is not among it.
    """
    held: dict[tuple[str, str, str], list[Key]] = {}
    elsewhere: set[Key] = set()
    for d in deliveries:
        key = (d.athlete_id, d.document_id)
        if key not in latest:
            continue
        if _is_watched(d):
            held.setdefault((d.athlete_id, d.source, d.name), []).append(key)
        else:
            elsewhere.add(key)
    later: dict[Key, list[Key]] = {}
    for told in held.values():
        keys = list(dict.fromkeys(reversed(told)))
        for place, key in enumerate(keys[1:], 1):
            if key not in elsewhere:
                later.setdefault(key, []).extend(keys[:place])
    return later


def _is_watched(delivery: Delivery) -> bool:
    return delivery.source.startswith("folder:")


def latest_of(held: Iterable[Delivery]) -> dict[Key, Delivery]:
    """Return what is known of each document that is held: its newest delivery, and what earlier ones told beyond it.

    A folder that knows no titles takes away none that an export gave. Where a source gave several documents under one
    id of its own (an activity re-timed, re-typed or re-uploaded), the newest recording counts, else the newest summary.
    A document is gone only where all that gave it hold another now, and is known as those tell that still hold it.
    """
    latest: dict[Key, Delivery] = {}
    for delivery in held:
        key = (delivery.athlete_id, delivery.document_id)
        if (before := latest.get(key)) is not None:
            told = {name: value for name, value in delivery.facts.items() if value not in _UNTOLD}
            delivery = replace(  # noqa: PLW2901  # the same delivery, knowing more
                delivery, facts={**before.facts, **told}, external_id=delivery.external_id or before.external_id
            )
        latest[key] = delivery
    return latest


def holding(deliveries: Iterable[Delivery], athletes: Collection[str]) -> list[Delivery]:
    """Return the deliveries whose source has not put another document under the same id of its own since."""
    known = [d for d in deliveries if d.athlete_id in athletes and d.format != journal.FORMAT]
    telling = {(d.athlete_id, d.document_id) for d in known if _tells_all(d)}
    newest: dict[tuple[str, str, str], str] = {}
    for d in sorted(known, key=lambda d: ((d.athlete_id, d.document_id) in telling, d.delivery_id)):
        newest[d.athlete_id, d.source, d.external_id] = d.document_id
    return [d for d in known if not d.external_id or newest[d.athlete_id, d.source, d.external_id] == d.document_id]


def as_decided(latest: dict[Key, Delivery], entries: Sequence[journal.Entry]) -> dict[Key, Delivery]:
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
