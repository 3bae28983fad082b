"""What goes to a cluster's workers and comes back, as the bytes of one file: blocks of numbers, and JSON for the rest.

Nothing in it is executed when it is opened: it may lie where others write too. Numbers come back to the last digit.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.pipeline.documents.reading import Decoded, Outcome
from hamload.records import AltitudeSource, Recording, Samples, SignalQuality, Sport, StrengthSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hamload.pipeline.documents.reading import Task

_CHANNELS = tuple(f.name for f in fields(Samples))
_FLOAT = np.dtype("<f8")
_NEWLINE = b"\n"


def sealed(told: Any, blocks: Iterable[bytes | memoryview]) -> bytes:
    """Return one file of what JSON can tell and of blocks of bytes, sealed with its SHA-256."""
    body = b"".join([json.dumps(told, default=_plain).encode(), _NEWLINE, *blocks])
    return hashlib.sha256(body).hexdigest().encode() + _NEWLINE + body


def unsealed(content: bytes) -> tuple[Any, memoryview]:
    """Return what a sealed file tells, and its blocks, one after the other. Raises ValueError where it is damaged."""
    seal, _, _ = content[:80].partition(_NEWLINE)
    body = memoryview(content)[len(seal) + 1 :]
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise ValueError("its content does not match its seal")
    end = content.index(_NEWLINE, len(seal) + 1)
    return json.loads(content[len(seal) + 1 : end]), memoryview(content)[end + 1 :]


def bundled(tasks: Sequence[Task]) -> bytes:
    """Return the files of documents as one file."""
    return sealed([[t.document_id, len(t.content or b"")] for t in tasks], (t.content or b"" for t in tasks))


def unbundled(content: bytes) -> dict[str, bytes]:
    """Return the documents' files by their ids. Raises ValueError where the bundle is damaged."""
    told, blocks = unsealed(content)
    first, found = 0, {}
    for document_id, size in told:
        found[document_id] = bytes(blocks[first : first + size])
        first += size
    return found


def packed(outcomes: Sequence[Outcome]) -> bytes:
    """Return the outcomes of a batch as one file."""
    recorded = [a.samples for outcome in outcomes for a in outcome.activities if a.samples is not None]
    blocks = (
        np.ascontiguousarray(getattr(samples, name), dtype=_FLOAT).data.cast("B")
        for samples in recorded
        for name in _CHANNELS
        if len(samples)
    )
    return sealed([_told(outcome) for outcome in outcomes], blocks)


def unpacked(content: bytes) -> list[Outcome]:
    """Return the outcomes that a file holds. Raises ValueError where it is damaged."""
    told, blocks = unsealed(content)
    first, outcomes = 0, []
    for row in told:
        activities = []
        for activity in row.pop("activities"):
            rows, samples = activity.pop("rows"), None
            if rows is not None:
                columns = np.frombuffer(blocks, _FLOAT, rows * len(_CHANNELS), first).reshape(len(_CHANNELS), rows)
                samples = Samples(**dict(zip(_CHANNELS, columns, strict=True)))
                first += columns.nbytes
            activities.append(_decoded(activity, samples))
        outcomes.append(Outcome(tuple(activities), **row))
    return outcomes


def _told(outcome: Outcome) -> dict[str, Any]:
    activities = [
        {
            "recording": asdict(replace(a.recording, streams=None)),
            "rows": None if a.samples is None else len(a.samples),
            "quality": None if a.quality is None else asdict(a.quality),
            "features": a.features,
            "profile": a.profile,
            "measures": a.measures,
            "place": a.place,
        }
        for a in outcome.activities
    ]
    rest = {f.name: getattr(outcome, f.name) for f in fields(Outcome) if f.name != "activities"}
    return {"activities": activities, **rest}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a parcel")


def _decoded(told: dict[str, Any], samples: Samples | None) -> Decoded:
    recording, quality, place = told.pop("recording"), told.pop("quality"), told.pop("place")
    return Decoded(
        recording=Recording(
            **recording
            | {
                "sport": Sport(recording["sport"]),
                "start_at": dt.datetime.fromisoformat(recording["start_at"]),
                "altitude_source": AltitudeSource(recording["altitude_source"]),
                "sets": tuple(StrengthSet(**s) for s in recording["sets"]),
                "notes": tuple(recording["notes"]),
            }
        ),
        samples=samples,
        quality=quality and SignalQuality(**quality | {"altitude_source": AltitudeSource(quality["altitude_source"])}),
        place=place and tuple(place),
        **told,
    )
