"""What readers made of a batch of documents, as the bytes of one file: columns of samples, and JSON for the rest.

Nothing in it is executed when it is opened: it may lie where others write too. Numbers come back to the last digit.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
import zlib
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.pipeline.reading import Decoded, Outcome
from hamload.records import AltitudeSource, Recording, Samples, SignalQuality, Sport, StrengthSet

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHANNELS = tuple(f.name for f in fields(Samples))
_TOLD = "told"


def packed(outcomes: Sequence[Outcome]) -> bytes:
    """Return outcomes as one file (NumPy's npz)."""
    recorded = [a.samples for outcome in outcomes for a in outcome.activities if a.samples is not None]
    told = json.dumps([_told(outcome) for outcome in outcomes], default=_plain).encode()
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(samples, name) for samples in recorded] or [np.empty(0)]) for name in _CHANNELS
    }
    columns[_TOLD] = np.frombuffer(told, dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, **columns)
    return file.getvalue()


def unpacked(content: bytes) -> list[Outcome]:
    """Return the outcomes that a file holds. Raises ValueError where it is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            columns = {name: file[name] for name in _CHANNELS}
            told = json.loads(file[_TOLD].tobytes())
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"no whole file of results: {error}") from error
    first = 0
    outcomes = []
    for row in told:
        activities = []
        for activity in row.pop("activities"):
            rows, samples = activity.pop("rows"), None
            if rows is not None:
                samples = Samples(**{name: columns[name][first : first + rows] for name in _CHANNELS})
                first += rows
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
    raise TypeError(f"{type(value).__name__} has no place in a file of results")


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
