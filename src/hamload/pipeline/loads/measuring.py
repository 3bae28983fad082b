"""What assessing needs the samples of a recording for: its load and its course. Nothing here knows the warehouse.

The most of assessing, and no recording's needs another's: workers share it.
"""

from __future__ import annotations

import base64
import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hamload.decode import limit_speed
from hamload.load import demand, session_load
from hamload.pipeline.documents.parcels import sealed, unsealed
from hamload.records import AltitudeSource, Athlete, Basis, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hamload.parameters import LoadModel, Signal
    from hamload.pipeline.documents.storing import Channel
    from hamload.records import Array, SessionLoad

#: The channels that a load and a course are made of.
CHANNELS = ("time_s", "dt_s", "speed_mps", "grade", "distance_m")
#: Points of a course: ten years of them stay a few megabytes.
_POINTS = 240
_UNKNOWN = 255
#: One byte a value: what a step is, and what byte 0 stands for. `report.js` reads them back.
_STEPS = {"speed": (0.04, 0.0), "grade": (0.004, -0.5), "demand": (0.05, 0.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A recording and what it is measured against.

    Attributes
    ----------
    channels
        Those of `CHANNELS`, shape (n,) each, n above 0; float64, or float32 where the tables hold no more.
    athlete
        What was known of the runner before it.
    basis, altitude_source, usable_share
        As in `session_load`.

    """

    channels: dict[str, Channel]
    athlete: Athlete
    basis: Basis
    altitude_source: AltitudeSource
    usable_share: float


class Measured(NamedTuple):
    """The load of a recording, None where none of its speeds is known, and its course."""

    load: SessionLoad | None
    course: dict[str, Any]


def packed(asked: Sequence[Recorded]) -> bytes:
    """Return recordings as one file, for `measured_file`."""
    told = [
        {
            "rows": len(one.channels[CHANNELS[0]]),
            "types": [one.channels[name].dtype.str for name in CHANNELS],
            "athlete": asdict(one.athlete),
            "basis": one.basis,
            "altitude_source": one.altitude_source,
            "usable_share": one.usable_share,
        }
        for one in asked
    ]
    return sealed(told, (np.ascontiguousarray(one.channels[name]).data.cast("B") for one in asked for name in CHANNELS))


def measured_file(content: bytes, signal: Signal, model: LoadModel) -> list[Measured]:
    """Measure the recordings of a file: what a worker does. Raises ValueError where the file is damaged."""
    told, blocks = unsealed(content)
    first, asked = 0, []
    for one in told:
        channels = {}
        for name, kind in zip(CHANNELS, one["types"], strict=True):
            channels[name] = np.frombuffer(blocks, kind, one["rows"], first)
            first += channels[name].nbytes
        asked.append(
            Recorded(
                channels,
                Athlete(**one["athlete"]),
                Basis(one["basis"]),
                AltitudeSource(one["altitude_source"]),
                one["usable_share"],
            )
        )
    return measured(asked, signal, model)


def measured(asked: Iterable[Recorded], signal: Signal, model: LoadModel) -> list[Measured]:
    """Measure some recordings."""
    return [
        Measured(load_of(one, signal, model), course_of(one.channels, one.athlete.easy_speed_mps, model))
        for one in asked
    ]


def load_of(asked: Recorded, signal: Signal, model: LoadModel) -> SessionLoad | None:
    """Return the load of a recording; None where none of its speeds is known."""
    samples, usable = _samples(asked.channels), asked.usable_share
    if (best := asked.athlete.best_10s_mps) is not None:
        whole = float(samples.dt_s.sum())
        samples, dropped = limit_speed(
            samples, best * signal.max_speed_factor, signal.interpolate_s, signal.max_sustained_mps
        )
        usable *= 1 - dropped / whole if whole > 0 else 1
    if not (samples.speed_mps >= 0).any():
        return None
    return session_load(
        samples,
        asked.athlete,
        model,
        basis=asked.basis,
        altitude_source=asked.altitude_source,
        usable_share=usable,
    )


def _samples(channels: dict[str, Channel]) -> Samples:
    unknown = np.full(len(channels["time_s"]), np.nan)
    return Samples(**{f.name: unknown for f in fields(Samples)} | _doubles(channels))


def _doubles(channels: dict[str, Channel]) -> dict[str, Array]:
    """Return channels as everything is computed with: a float32 is the same number as a float64."""
    return {name: values.astype(np.float64) for name, values in channels.items()}


def course_of(channels: dict[str, Channel], easy_speed_mps: float, model: LoadModel) -> dict[str, Any]:
    """Return the course of a recording, with what it asks of a runner of this easy speed."""
    known = _doubles(channels)
    speed, grade = known["speed_mps"], known["grade"]
    asks = demand(speed, grade, easy_speed_mps, model.demand)
    return course(known["time_s"], known["dt_s"], speed=speed, grade=grade, demand=asks)


def course(time_s: Array, dt_s: Array, **channels: Array) -> dict[str, Any]:
    """Return a course: seconds between its points, and each channel as base64 of one byte a point.

    A point is the mean over its seconds (shape (n,) each; NaN is unknown, and a point without a known second too).
    """
    step_s = max(math.ceil(100 * float(time_s[-1] + dt_s[-1]) / _POINTS) / 100, 1.0)
    where = np.minimum((time_s / step_s).astype(int), _POINTS - 1)
    count = int(where.max()) + 1
    told: dict[str, Any] = {"step_s": step_s}
    for name, values in channels.items():
        is_known = np.isfinite(values)
        weight = np.bincount(where[is_known], dt_s[is_known], count)
        total = np.bincount(where[is_known], values[is_known] * dt_s[is_known], count)
        means = np.divide(total, weight, out=np.full(count, np.nan), where=weight > 0)
        step, zero = _STEPS[name]
        coded = np.clip(np.round((means - zero) / step), 0, _UNKNOWN - 1)
        told[name] = base64.b64encode(np.where(np.isnan(means), _UNKNOWN, coded).astype(np.uint8).tobytes()).decode()
    return told
