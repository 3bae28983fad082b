"""What a worker process does: one document becomes activities, samples and features, or the reason why it does not.

Nothing here knows the warehouse or the ledger: a worker starts with little and may die alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.decode import clean, decode
from hamload.decode.strava_streams import strava
from hamload.decode.summary import summary
from hamload.errors import HamloadError, NoActivityError, UnreadableError
from hamload.load import features
from hamload.merging import as_record, measures, profile
from hamload.raw import stored, unwrapped
from hamload.records import Samples, Sport
from hamload.sources.strava_export import STANDS_IN

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    #: What it is compared with others by, and doubted by; and where it began (latitude, longitude).
    profile: str | None = None
    measures: str | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One document to read, and what its source says of it: its `sport`, and whatever else may stand in for it."""

    path: Path
    format: str
    document_id: str
    sport: str
    facts: dict[str, Any]
    #: Parts that the runner says were runs, whatever sport they name.
    as_runs: frozenset[int] = frozenset()
    #: The bytes of its file, where whoever reads it does not see that file.
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one document: its activities, or the reason why it could not be read.

    Both, where its source's own summary stands in for it. `is_no_activity`: it is read, and no run can be missing.
    """

    activities: tuple[Decoded, ...]
    refusal: str = ""
    is_no_activity: bool = False
    #: It was not its content that decided, but what its reader may take: with other limits it is read again.
    is_given_up: bool = False


#: What an export's table or a service's list says of an activity; any recording of it says more.
SUMMARIES = ("json", "garmin")
STRAVA = "strava"
#: A recording outside these is a broken clock or a broken duration, and breaks arithmetic with dates.
_YEARS = range(1980, 2200)
_LONGEST_S = 30 * 86_400


def read(task: Task, signal: Signal, model: LoadModel) -> Outcome:
    """Decode and clean one document. Never raises: a fault is an outcome, listed with its document."""
    try:
        return Outcome(tuple(_activities(task, signal, model)))
    except NoActivityError as error:
        return Outcome((), str(error), is_no_activity=True)
    except HamloadError as error:
        return _instead(task, str(error))
    except MemoryError:
        return given_up(
            task,
            "Reading this takes more memory than a reader may have. If it is a real recording, raise [import]"
            " max_memory_mb in config.toml.",
        )
    except Exception as error:  # noqa: BLE001  # a fault of ours on one document is listed with it, and stops no other
        return _instead(
            task, f"hamload itself failed on this document ({type(error).__name__}: {error}). Please report it."
        )


def given_up(task: Task, refusal: str) -> Outcome:
    """Return the outcome of a document that took more than a reader may take."""
    return replace(_instead(task, refusal), is_given_up=True)


def _instead(task: Task, refusal: str) -> Outcome:
    """Let what an export's table says of an activity stand in for its unreadable recording."""
    if task.format not in SUMMARIES:
        try:
            recording = summary(json.dumps(task.facts).encode())
            _check(recording)
        except HamloadError:
            return Outcome((), refusal)
        note = f"its recording could not be read ({refusal}); distance and time are the export's"
        recording = replace(recording, notes=(*recording.notes, note))
        told = f"{refusal} {STANDS_IN}" if recording.elapsed_time_s else refusal
        return Outcome((Decoded(recording, None, None, None),), told)
    return Outcome((), refusal)


def _check(recording: Recording) -> None:
    if recording.start_at.year not in _YEARS:
        raise UnreadableError(f"This activity is dated {recording.start_at.year}, which cannot be.")
    for seconds in (recording.elapsed_time_s, recording.timer_time_s):
        if seconds is not None and not 0 <= seconds <= _LONGEST_S:
            raise UnreadableError(f"This activity lasts {seconds:.3g} seconds, which cannot be.")


def _activities(task: Task, signal: Signal, model: LoadModel) -> list[Decoded]:
    if task.content is None:
        content = stored(task.path, task.document_id)
    else:
        content = unwrapped(task.content, task.path, task.document_id)
    recordings = _recordings(content, task.format, signal)
    for recording in recordings:
        _check(recording)
    # Beside legs of a race that name their sport, one that names none is no run that forgot to say so.
    may_guess = all(recording.sport is Sport.UNKNOWN for recording in recordings)
    recordings = [_as_run(r) if part in task.as_runs else r for part, r in enumerate(recordings)]
    return [replace(_decoded(r, task.sport, signal, model, may_guess=may_guess), place=_place(r)) for r in recordings]


def _as_run(recording: Recording) -> Recording:
    note = f"counted as a run by your decision; its source calls it {recording.sport_detail or recording.sport.value}"
    return replace(recording, sport=Sport.RUN, notes=(*recording.notes, note))


def _place(recording: Recording) -> tuple[float, float] | None:
    if recording.streams is None:
        return None
    latitude, longitude = recording.streams.latitude_deg, recording.streams.longitude_deg
    known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
    # To a hundredth of a degree: a border between zones is not known better, and the same place is asked for once.
    return (round(float(latitude[known[0]]), 2), round(float(longitude[known[0]]), 2)) if len(known) else None


def _recordings(content: bytes, format_: str, signal: Signal) -> Sequence[Recording]:
    if format_ in SUMMARIES:
        return [summary(content)]
    if format_ == STRAVA:
        return [strava(content, signal)]
    return decode(content, format_)  # type: ignore[arg-type]


def _decoded(recording: Recording, sport_hint: str, signal: Signal, model: LoadModel, *, may_guess: bool) -> Decoded:
    if recording.sport is Sport.UNKNOWN and sport_hint:
        recording = replace(recording, sport=Sport(sport_hint))
    if recording.streams is not None and recording.sport is Sport.RIDE:
        return _ride(recording, signal)
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
    return Decoded(
        replace(recording, streams=None),
        samples,
        quality,
        json.dumps(features(samples, model).as_record()),
        profile=json.dumps(profile(samples).as_record()),
        measures=json.dumps(as_record(measures(samples))),
    )


def _ride(recording: Recording, signal: Signal) -> Decoded:
    """Keep of a ride only what tells whether it was a run that was logged as one."""
    samples, _ = clean(recording, signal)
    told = json.dumps(as_record(measures(samples))) if len(samples) else None
    return Decoded(replace(recording, streams=None), None, None, None, measures=told)


_UNCOUNTED = "not counted (import it with --sport run if it was one)"


def _recognised(recording: Recording, samples: Samples, signal: Signal, moving_mps: float) -> Recording:
    """Take a recording that names no sport for a run where its speeds are a runner's, and say so."""
    moving = samples.speed_mps[samples.speed_mps >= moving_mps]
    if len(moving) and signal.runner_min_mps <= np.median(moving) <= signal.runner_max_mps:
        note = f"names no sport; its median speed of {np.median(moving):.1f} m/s is a runner's"
        return replace(recording, sport=Sport.RUN, notes=(*recording.notes, note))
    note = f"names no sport, and its speeds are not a runner's: {_UNCOUNTED}"
    return replace(recording, streams=None, notes=(*recording.notes, note))
