"""What GPX and TCX share: timed points in pieces (segments, tracks) become the streams of one recording."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hamload.decode.positions import known_positions, metres_between
from hamload.decode.sports import has_barometer
from hamload.decode.xml_events import offset, seconds, written
from hamload.records import AltitudeSource, Recording, Sport, Streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hamload.records import Array

type Point = Mapping[str, str]

#: Between two pieces slower than this is standing: the watch was stopped. Faster is a lost signal, which is no pause.
_STANDING_MPS = 0.5
#: Nobody runs at fewer steps a minute, nor at as many strides.
_FEWEST_STEPS = 120
_STEPS_PER_STRIDE = 2


@dataclass(slots=True)
class Track:
    """Points as they are met, and where a piece of them begins."""

    points: list[Point] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    name: str = ""
    sport: Sport = Sport.UNKNOWN
    sport_name: str = ""
    device: str = ""
    notes: list[str] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Open a new piece."""
        self.begins.append(len(self.points))

    def recording(self, reader: str, keys: Mapping[str, tuple[str, ...]]) -> Recording | None:
        """Return the recording, None where no point has a time. `keys` names each channel's elements, best first."""
        moments = [seconds(p.get("time", "")) for p in self.points]
        timed = [i for i, m in enumerate(moments) if m is not None]
        if not timed:
            return None
        notes = list(self.notes)
        if len(timed) < len(self.points):
            notes.append(f"{len(self.points) - len(timed)} points without a time were left out")
        if not all(m[1] for m in moments if m):
            notes.append("its times name no zone: taken as UTC")
        time = np.array([m[0] for m in moments if m])
        points = [self.points[i] for i in timed]
        begins = np.searchsorted(timed, self.begins)
        if np.any(np.diff(time) < 0):
            back = int((np.diff(time) < 0).sum())
            notes.append(f"its clock went back {back} times: the points were put in order of time")
            order = np.argsort(time, kind="stable")
            time, points, begins = time[order], [points[i] for i in order], np.empty(0, dtype=int)
        channels = {name: _column(points, elements) for name, elements in keys.items()}
        channels["latitude_deg"], channels["longitude_deg"] = known_positions(
            channels["latitude_deg"], channels["longitude_deg"]
        )
        channels["cadence_spm"] = _steps(channels["cadence_spm"], self.sport)
        streams = Streams.of(time - time[0], pauses=_pauses(time, channels, begins), **channels)
        altitude = streams.altitude_m[np.isfinite(streams.altitude_m)]
        source = AltitudeSource.NONE
        if len(altitude) and np.any(altitude != 0):
            source = AltitudeSource.BAROMETER if has_barometer(self.device) else AltitudeSource.GPS
        return Recording(
            sport=self.sport,
            start_at=dt.datetime.fromtimestamp(float(time[0]), tz=dt.UTC),
            reader=reader,
            streams=streams,
            sport_detail=self.sport_name,
            title=self.name,
            device=self.device,
            utc_offset_s=offset(points[0]["time"]),
            elapsed_time_s=float(time[-1] - time[0]),
            timer_time_s=self.totals.get("time"),
            distance_m=self.totals.get("distance"),
            altitude_source=source,
            notes=tuple(notes),
        )


def _column(points: list[Point], elements: tuple[str, ...]) -> Array:
    column = np.full(len(points), np.nan)
    for element in reversed(elements):
        values = np.array([written(p.get(element)) for p in points], dtype=np.float64)
        column = np.where(np.isnan(values), column, values)
    return column


def _steps(cadence: Array, sport: Sport) -> Array:
    """Return steps a minute: most writers count one foot only, some both."""
    counted = cadence[np.isfinite(cadence) & (cadence > 0)]
    if sport in {Sport.RIDE, Sport.SWIM} or not len(counted) or np.median(counted) >= _FEWEST_STEPS:
        return cadence
    return cadence * _STEPS_PER_STRIDE


def _pauses(time: Array, channels: Mapping[str, Array], begins: Iterable[int]) -> tuple[tuple[float, float], ...]:
    """Return the stretches between pieces in which the runner did not get anywhere."""
    pauses = []
    for begin in sorted({int(b) for b in begins if 0 < b < len(time)}):
        seconds_between = float(time[begin] - time[begin - 1])
        advance = channels["distance_m"][begin] - channels["distance_m"][begin - 1]
        if np.isnan(advance):
            here = slice(begin - 1, begin + 1)
            advance = metres_between(channels["latitude_deg"][here], channels["longitude_deg"][here])[0]
        if seconds_between > 0 and not advance > _STANDING_MPS * seconds_between:
            pauses.append((float(time[begin - 1] - time[0]), float(time[begin] - time[0])))
    return tuple(pauses)
