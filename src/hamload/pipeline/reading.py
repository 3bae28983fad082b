"""What a worker process does: one document becomes activities, samples and features, or the reason why it does not.

Nothing here knows the warehouse or the ledger: a worker starts with little and may die alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hamload.decode import clean, decode
from hamload.decode.summary import summary
from hamload.errors import HamloadError
from hamload.load import features
from hamload.raw import stored
from hamload.records import Samples, Sport

if TYPE_CHECKING:
    from pathlib import Path

    from hamload.parameters import LoadModel, Signal
    from hamload.records import Recording, SignalQuality


@dataclass(frozen=True, slots=True)
class Decoded:
    """One activity of a document, ready for the warehouse. No samples where it is no run, or has no streams."""

    recording: Recording
    samples: Samples | None
    quality: SignalQuality | None
    features: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """One document to read. `sport` is what its source calls it, for recordings that name none themselves."""

    path: Path
    format: str
    document_id: str
    sport: str


type Outcome = list[Decoded] | str


def read(task: Task, signal: Signal, model: LoadModel) -> Outcome:
    """Decode and clean one document. Returns its activities, or the reason why there are none."""
    try:
        content = stored(task.path, task.document_id)
        recordings = [summary(content)] if task.format == "json" else decode(content, task.format)  # type: ignore[arg-type]
        # Beside legs of a race that name their sport, one that names none is no run that forgot to say so.
        may_guess = all(recording.sport is Sport.UNKNOWN for recording in recordings)
        return [_decoded(r, task.sport, signal, model, may_guess=may_guess) for r in recordings]
    except HamloadError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # a fault of ours on one document is listed with it, and stops no other
        return f"hamload itself failed on this document ({type(error).__name__}: {error}). Please report it."


def _decoded(recording: Recording, sport_hint: str, signal: Signal, model: LoadModel, *, may_guess: bool) -> Decoded:
    if recording.sport is Sport.UNKNOWN and sport_hint:
        recording = replace(recording, sport=Sport(sport_hint))
    if recording.streams is None or not (recording.sport.is_running or recording.sport is Sport.UNKNOWN):
        return Decoded(recording, None, None, None)
    if recording.sport is Sport.UNKNOWN and not may_guess:
        note = f"names no sport, while other parts of its file do: {_UNCOUNTED}"
        return Decoded(replace(recording, streams=None, notes=(*recording.notes, note)), None, None, None)
    samples, quality = clean(recording, signal)
    if recording.sport is Sport.UNKNOWN:
        recording = _recognised(recording, samples, signal, model.session.moving_speed_mps)
        if not recording.sport.is_running:
            return Decoded(recording, None, None, None)
    if not len(samples):
        notes = (*recording.notes, "no second of this recording could be used")
        return Decoded(replace(recording, streams=None, notes=notes), None, quality, None)
    found = features(samples, model)
    return Decoded(replace(recording, streams=None), samples, quality, json.dumps(found.as_record()))


_UNCOUNTED = "not counted (import it with --sport run if it was one)"


def _recognised(recording: Recording, samples: Samples, signal: Signal, moving_mps: float) -> Recording:
    """Take a recording that names no sport for a run where its speeds are a runner's, and say so."""
    moving = samples.speed_mps[samples.speed_mps >= moving_mps]
    if len(moving) and signal.runner_min_mps <= np.median(moving) <= signal.runner_max_mps:
        note = f"names no sport; its median speed of {np.median(moving):.1f} m/s is a runner's"
        return replace(recording, sport=Sport.RUN, notes=(*recording.notes, note))
    note = f"names no sport, and its speeds are not a runner's: {_UNCOUNTED}"
    return replace(recording, streams=None, notes=(*recording.notes, note))


_remembered: tuple[Signal, LoadModel]


def remember(signal: Signal, model: LoadModel) -> None:
    """Tell a worker its coefficients once, not with every document."""
    global _remembered  # noqa: PLW0603  # what a worker process is born with
    _remembered = signal, model


def read_remembered(task: Task) -> Outcome:
    """Read one document with the coefficients that `remember` was told."""
    return read(task, *_remembered)
