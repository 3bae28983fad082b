"""One run's streams become clean samples on an even grid of seconds, with an account of what that took.

The rules are section 3 of the load model; their thresholds come in as `Signal`. Nothing here knows any load.

A recording is cut at its pauses and at gaps that nothing bridges. What remains between the cuts is laid on cells of one
second, the last one shorter, so that a watch that writes every second and one that writes when something changes end
alike. Of the clock's every second it is known where it went: used, paused, lost (no record), dropped (implausible).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hamload.decode.grade import grade
from hamload.decode.positions import known_positions, metres_between
from hamload.records import AltitudeSource, Samples, SignalQuality, Sport, Streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.parameters import Signal
    from hamload.records import Array, Recording

type Mask = np.ndarray[Any, np.dtype[np.bool_]]
type Index = np.ndarray[Any, np.dtype[np.intp]]
type SpeedSource = Literal["device", "distance", "positions", "none"]

#: From the Dead Sea's shore to Everest, with a hundred metres to spare; FIT's own "no altitude" reads as -500 m.
_LOWEST_M, _HIGHEST_M = -499.0, 8950.0
_HEART_RATES_BPM = (25.0, 250.0)
#: Two times on one clock that differ by less are the same.
_TICK_S = 1e-6
_CELL_S = 1.0
_CHANNELS = tuple(name for name in Streams.__slots__ if name not in {"time_s", "pauses"})


def clean(recording: Recording, signal: Signal) -> tuple[Samples, SignalQuality]:
    """Clean one recording.

    Parameters
    ----------
    recording
        With streams; without any the result is empty.
    signal
        The thresholds.

    Returns
    -------
    Samples
        One row a second (the last of a stretch shorter), in order of time. `time_s` is the row's beginning on the
        recording's clock, `speed_mps` its mean speed, never NaN; distance, altitude, position and heart rate are those
        of its beginning. `grade` is NaN where altitude is unknown; on a treadmill it is the belt's incline, or 0.
    SignalQuality
        `used_s + paused_s + lost_s + dropped_s` is the clock from first to last record. `interpolated_s` is the part of
        `used_s` that no record of its own stands behind.

    """
    if recording.streams is not None:
        recording = replace(recording, streams=_one_row_an_instant(recording.streams))
    if recording.streams is None or (clock := _clock(recording.streams)) is None:
        return _nothing(recording, 0.0, 0.0)
    routes = _routes(recording.streams, clock, signal)
    cells = _cells(clock, routes, signal)
    raw, is_spike, source = _speed(recording.streams, clock, routes, cells, signal)
    if source == "none":
        return _nothing(recording, clock.paused_s, clock.elapsed_s - clock.paused_s)
    speed = _filled(raw, cells, signal.interpolate_s)
    kept = np.isfinite(speed)
    used = _Cells(cells.time[kept], cells.dt[kept], cells.active[kept], cells.support[kept])
    smooth = _smoothed(speed[kept], used.stretch(), signal)
    samples = _samples(recording, clock, routes, used, smooth, signal)
    used_s, dropped_s = float(used.dt.sum()), float(cells.dt[~kept & is_spike].sum())
    drawn = np.where((np.isnan(raw) | is_spike)[kept], 1.0, 1 - 1 / np.maximum(used.support, _CELL_S))
    return samples, SignalQuality(
        speed_source=source,
        altitude_source=recording.altitude_source if np.isfinite(samples.altitude_m).any() else AltitudeSource.NONE,
        used_s=used_s,
        paused_s=clock.paused_s,
        interpolated_s=float((used.dt * drawn).sum()),
        lost_s=max(clock.elapsed_s - clock.paused_s - used_s - dropped_s, 0.0),
        dropped_s=dropped_s,
        heart_rate_coverage=_share(np.isfinite(samples.heart_rate_bpm), used.dt),
        altitude_coverage=_share(np.isfinite(samples.altitude_m), used.dt),
    )


def limit_speed(
    samples: Samples, limit_mps: float, interpolate_s: float = 10.0, sustained_mps: float = 7.0
) -> tuple[Samples, float]:
    """Take out speeds that this runner cannot have run: between plausible neighbours they are drawn straight.

    An error of position lasts seconds. A longer stretch at a speed that people can hold is what it looks like, the
    first intervals after weeks of easy running, and stays: taking it out would hide the very load that matters.

    Parameters
    ----------
    samples
        Clean samples.
    limit_mps
        Usually a factor times the runner's own best 10-s speed.
    interpolate_s
        The longest stretch that is interpolated ([signal] interpolate_s).
    sustained_mps
        A longer stretch, or one without a neighbour on both sides, is dropped where its median is above this ([signal]
        max_sustained_mps), and kept otherwise.

    Returns
    -------
    tuple
        The samples, and the seconds that were dropped.

    """
    is_over = samples.speed_mps > limit_mps
    if not is_over.any():
        return samples, 0.0
    cells = _Cells(samples.time_s, samples.dt_s, samples.time_s, samples.dt_s)
    speed = _filled(np.where(is_over, np.nan, samples.speed_mps), cells, interpolate_s)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.isnan(speed), [False]])))
    for first, end in edges.reshape(-1, 2):
        stretch = samples.speed_mps[first:end]
        if np.median(stretch) <= sustained_mps:
            speed[first:end] = stretch
    kept = np.isfinite(speed)
    columns = {name: getattr(samples, name)[kept] for name in Samples.__slots__}
    return Samples(**(columns | {"speed_mps": speed[kept]})), float(samples.dt_s[~kept].sum())


def _one_row_an_instant(streams: Streams) -> Streams:
    """Join rows of the same instant: each channel's first known value counts. Some apps write a row for each sensor."""
    time = streams.time_s
    is_first = np.append(True, np.diff(time) != 0)[: len(time)]
    if is_first.all():
        return streams
    instant = np.cumsum(is_first) - 1
    joined: dict[str, Array] = {}
    for name in _CHANNELS:
        values = getattr(streams, name)
        known = np.flatnonzero(np.isfinite(values))
        which, first = np.unique(instant[known], return_index=True)
        joined[name] = np.full(instant[-1] + 1, np.nan)
        joined[name][which] = values[known][first]
    return Streams.of(time[is_first], pauses=streams.pauses, **joined)


@dataclass(frozen=True, slots=True, eq=False)
class _Clock:
    """The instants of a recording and the runner's own clock, which stands still in pauses.

    `time` holds the records in strictly increasing order and the ends of the pauses, `active` the runner's clock at
    these; `rows` are the records that count (none within a pause), `own` the runner's clock at them.
    """

    time: Array
    active: Array
    rows: Index
    own: Array

    @property
    def elapsed_s(self) -> float:
        return float(self.time[-1] - self.time[0])

    @property
    def paused_s(self) -> float:
        return self.elapsed_s - float(self.active[-1])


def _clock(streams: Streams) -> _Clock | None:
    raw = streams.time_s
    so_far = np.fmax.accumulate(raw) if len(raw) else raw
    rows = np.flatnonzero(np.isfinite(raw) & (raw > np.append(-np.inf, so_far[:-1])))
    if len(rows) < 2:  # noqa: PLR2004  # one record lasts no time
        return None
    pauses = _merged(streams.pauses, float(raw[rows[0]]), float(raw[rows[-1]]))
    ends = np.array([end for pause in pauses for end in pause], dtype=np.float64)
    time = np.union1d(raw[rows], ends)
    # Between two ends of pauses lies a pause where an odd number of ends lies before.
    middle = (time[:-1] + time[1:]) / 2
    is_paused = np.searchsorted(ends, middle) % 2 == 1
    active = np.append(0.0, np.cumsum(np.where(is_paused, 0.0, np.diff(time))))
    before, upto = np.searchsorted(ends, raw[rows], side="left"), np.searchsorted(ends, raw[rows], side="right")
    rows = rows[(before % 2 == 0) | (upto > before)]
    return _Clock(time, active, rows, np.interp(raw[rows], time, active))


def _merged(pauses: Sequence[tuple[float, float]], begin: float, end: float) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, stop in sorted((max(a, begin), min(b, end)) for a, b in pauses):
        if not stop > start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


@dataclass(frozen=True, slots=True, eq=False)
class _Route:
    """How far the runner had got, by one channel: `metres` at the runner's clock `own`, jumps and all.

    `plausible` is the same without the steps that nobody runs.
    """

    name: Literal["distance", "positions"]
    own: Array
    metres: Array
    plausible: Array


def _routes(streams: Streams, clock: _Clock, signal: Signal) -> list[_Route]:
    """Return the routes that lead anywhere, the one to be trusted first."""
    latitude, longitude = known_positions(streams.latitude_deg[clock.rows], streams.longitude_deg[clock.rows])
    distance = streams.distance_m[clock.rows]
    measured = np.flatnonzero(np.isfinite(distance))
    located = np.flatnonzero(np.isfinite(latitude))
    candidates = [
        _route("distance", clock.own[measured], np.maximum(np.diff(distance[measured]), 0.0), signal),
        _route("positions", clock.own[located], metres_between(latitude[located], longitude[located]), signal),
    ]
    routes = [route for route in candidates if len(route.own) > 1 and route.plausible[-1] > 0]
    both = len(routes) > 1
    if both and routes[0].plausible[-1] < signal.device_agreement * routes[1].plausible[-1]:
        routes.reverse()
    return routes


def _route(name: Literal["distance", "positions"], own: Array, steps: Array, signal: Signal) -> _Route:
    """Sum up steps. A step within a pause counts nothing; a step back (the counter was reset) neither."""
    waits = np.diff(own)
    steps = np.where(waits > _TICK_S, steps, 0.0)
    possible = np.where(steps <= signal.max_speed_mps * waits, steps, 0.0)
    return _Route(name, own, np.append(0.0, np.cumsum(steps)), np.append(0.0, np.cumsum(possible)))


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Seconds of the recording: where each begins (on the clock, and on the runner's), how long it is.

    `support` is how far apart the records are between which it lies.
    """

    time: Array
    dt: Array
    active: Array
    support: Array

    @property
    def ends(self) -> Array:
        """Where each cell ends on the runner's clock."""
        return np.asarray(self.active + self.dt)

    def stretch(self) -> Index:
        """Return the number of the run of cells, each following on the last, that a cell belongs to."""
        cut = np.abs(self.time[1:] - (self.time + self.dt)[:-1]) > _TICK_S
        return np.append(0, np.cumsum(cut)).astype(np.intp)[: len(self.time)]


def _cells(clock: _Clock, routes: Sequence[_Route], signal: Signal) -> _Cells:
    """Cut at pauses and at gaps that nothing bridges, and lay what remains on cells of one second."""
    gaps, active = np.diff(clock.time), np.diff(clock.active)
    advance = np.zeros(len(gaps))
    for route in routes[:1]:
        advance = np.diff(np.interp(clock.active, route.own, route.plausible))
    is_bridged = (gaps <= signal.bridge_s) & (advance >= signal.advance_mps * gaps)
    is_joined = (active > 0) & ((gaps <= signal.interpolate_s) | is_bridged)
    edges = np.diff(np.concatenate([[0], is_joined.astype(np.int8), [0]]))
    begins, ends = clock.time[np.flatnonzero(edges == 1)], clock.time[np.flatnonzero(edges == -1)]
    counts = np.ceil((ends - begins) / _CELL_S - _TICK_S).astype(np.intp)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    time = np.repeat(begins, counts) + nth * _CELL_S
    dt = np.minimum(_CELL_S, np.repeat(ends, counts) - time)
    between = np.clip(np.searchsorted(clock.time, time + dt / 2) - 1, 0, len(gaps) - 1)
    return _Cells(time, dt, np.interp(time, clock.time, clock.active), gaps[between])


def _speed(
    streams: Streams, clock: _Clock, routes: Sequence[_Route], cells: _Cells, signal: Signal
) -> tuple[Array, Mask, SpeedSource]:
    """Return the mean speed in each cell, from the best source and its holes from the next, and where spikes were."""
    candidates: list[tuple[SpeedSource, Array, Mask]] = []
    device = streams.speed_mps[clock.rows]
    device = np.where(device >= 0, device, np.nan)
    if np.isfinite(device).any():
        at = _Lines(cells.active, clock.own), _Lines(cells.ends, clock.own)
        mean = written = _between(at, device, signal.interpolate_s)
        known = np.flatnonzero(np.isfinite(device))
        is_burst = _spikes(device[known], clock.own[known], np.zeros(len(known), dtype=np.intp), signal)
        if is_burst.any():
            device[known[is_burst]] = np.nan
            mean = _between(at, device, signal.interpolate_s)
        if _is_alive(mean, routes, cells, signal):
            candidates.append(("device", mean, np.isfinite(written) & (written != mean)))
    for route in routes:
        if candidates and np.isfinite(candidates[0][1]).all():
            break
        begin, end = (_Lines(t, route.own).through(route.metres, signal.bridge_s) for t in (cells.active, cells.ends))
        pace = (end - begin) / cells.dt
        is_spike = _spikes(pace, cells.active, cells.stretch(), signal)
        candidates.append((route.name, np.where(is_spike, np.nan, pace), is_spike))
    speed, spikes = np.full(len(cells.time), np.nan), np.zeros(len(cells.time), dtype=bool)
    for _, other, is_spike in candidates:
        spikes |= is_spike & np.isnan(speed)
        speed = np.where(np.isnan(speed), other, speed)
    if not candidates or not (np.isfinite(speed) | spikes).any():
        return speed, spikes, "none"
    return speed, spikes, candidates[0][0]


def _between(at: tuple[_Lines, _Lines], values: Array, limit_s: float) -> Array:
    return np.asarray((at[0].known(values, limit_s) + at[1].known(values, limit_s)) / 2)


def _is_alive(speed: Array, routes: Sequence[_Route], cells: _Cells, signal: Signal) -> bool:
    """Whether the device's speed is there, and adds up to the distance that was covered meanwhile."""
    known = np.isfinite(speed)
    if not routes:
        return bool(known.any())
    if _share(known, cells.dt) < signal.device_agreement:
        return False
    route = routes[0]
    reach = np.subtract(*(np.interp(t, route.own, route.plausible) for t in (cells.ends, cells.active)))
    return float((speed * cells.dt)[known].sum()) >= signal.device_agreement * float(reach[known].sum())


class _Lines:
    """Straight lines between known values, read at given times; the search for the neighbours is done once."""

    def __init__(self, times: Array, own: Array) -> None:
        self.times, self.own = times, own
        before = np.searchsorted(own, times + _TICK_S, side="right") - 1
        after = before + (own[before] < times - _TICK_S)
        is_outside = (before < 0) | (after >= len(own))
        low, high = own[np.maximum(before, 0)], own[np.minimum(after, len(own) - 1)]
        self.reach = np.where(is_outside, np.abs(times - np.where(before < 0, own[0], own[-1])), high - low)

    def through(self, values: Array, limit_s: float) -> Array:
        """Return the values at the times, NaN where the known ones around are further apart than the limit."""
        return np.where(self.reach <= limit_s + _TICK_S, np.interp(self.times, self.own, values), np.nan)

    def known(self, values: Array, limit_s: float) -> Array:
        """Return the same of a channel with holes: of its known values alone."""
        is_known = np.isfinite(values)
        if is_known.all():
            return self.through(values, limit_s)
        if not is_known.any():
            return np.full(len(self.times), np.nan)
        return _Lines(self.times, self.own[is_known]).through(values[is_known], limit_s)


def _spikes(speed: Array, times: Array, stretch: Index, signal: Signal) -> Mask:
    """Find speeds that nobody runs, and short bursts that begin and end with an impossible acceleration."""
    is_spike = np.nan_to_num(speed) > signal.max_speed_mps
    change = np.diff(speed) / np.maximum(np.diff(times), _TICK_S)
    change[np.diff(stretch) > 0] = 0.0
    up = np.flatnonzero(change > signal.max_acceleration_mps2) + 1
    down = np.flatnonzero(change < -signal.max_acceleration_mps2) + 1
    if len(up) and len(down):
        nth = np.searchsorted(down, up, side="right")
        up, nth = up[nth < len(down)], nth[nth < len(down)]
        until = down[nth]
        is_burst = (times[until] - times[up] <= signal.interpolate_s) & (stretch[until] == stretch[up])
        marks = np.zeros(len(speed) + 1, dtype=np.intp)
        np.add.at(marks, up[is_burst], 1)
        np.add.at(marks, until[is_burst], -1)
        is_spike |= np.cumsum(marks)[:-1] > 0
    return is_spike


def _filled(speed: Array, cells: _Cells, limit_s: float) -> Array:
    """Draw short holes straight between the neighbours on both sides; others stay NaN."""
    known = np.isfinite(speed)
    if known.all() or not known.any():
        return speed
    places = np.arange(len(speed))
    before = np.maximum.accumulate(np.where(known, places, -1))
    after = np.minimum.accumulate(np.where(known, places, len(speed))[::-1])[::-1]
    has_both = (before >= 0) & (after < len(speed))
    before, after = np.maximum(before, 0), np.minimum(after, len(speed) - 1)
    stretch = cells.stretch()
    hole = cells.time[after] - (cells.time + cells.dt)[before]
    is_short = has_both & (stretch[before] == stretch[after]) & (hole <= limit_s + _TICK_S)
    return np.where(known | is_short, np.interp(places, places[known], speed[known]), np.nan)


def _smoothed(speed: Array, stretch: Index, signal: Signal) -> Array:
    """Median, then mean, each within its stretch: the median repeats the ends, the mean's window shrinks there."""
    if not len(speed):
        return speed
    bounds = np.flatnonzero(np.diff(stretch)) + 1
    begins, ends = np.append(0, bounds), np.append(bounds, len(speed))
    lengths = ends - begins
    first, end = np.repeat(begins, lengths), np.repeat(ends, lengths)
    places = np.arange(len(speed))
    half = int(signal.median_s / _CELL_S) // 2
    around = np.stack([speed[np.clip(places + o, first, end - 1)] for o in range(-half, half + 1)])
    around.sort(axis=0)
    # Halves of cells, so that a window of even length sits in the middle of its cell.
    halves = np.append(0.0, np.cumsum(np.repeat(around[half], 2)))
    width = round(signal.mean_s / _CELL_S)
    low, high = np.maximum(2 * places + 1 - width, 2 * first), np.minimum(2 * places + 1 + width, 2 * end)
    return np.asarray(np.maximum((halves[high] - halves[low]) / (high - low), 0.0))


def _samples(  # the steps of `clean` hand over all they found
    recording: Recording, clock: _Clock, routes: Sequence[_Route], cells: _Cells, speed: Array, signal: Signal
) -> Samples:
    streams = recording.streams
    assert streams is not None  # noqa: S101  # `clean` looked
    at = _Lines(cells.active, clock.own)

    def channel(values: Array) -> Array:
        return at.known(values[clock.rows], signal.bridge_s)

    heart_rate = streams.heart_rate_bpm
    altitude = channel(_altitude(streams.altitude_m))
    latitude, longitude = known_positions(streams.latitude_deg, streams.longitude_deg)
    distance = _distance(routes, cells, speed)
    if recording.sport is Sport.TREADMILL:
        slope = np.nan_to_num(channel(streams.incline))
    elif recording.altitude_source is AltitudeSource.NONE:
        slope = np.full(len(cells.time), np.nan)
    else:
        slope = _slope(recording.altitude_source, altitude, distance, cells, signal)
    low, high = _HEART_RATES_BPM
    return Samples(
        time_s=cells.time,
        dt_s=cells.dt,
        speed_mps=speed,
        grade=slope,
        distance_m=distance,
        altitude_m=altitude,
        latitude_deg=channel(latitude),
        longitude_deg=channel(longitude),
        heart_rate_bpm=channel(np.where((heart_rate >= low) & (heart_rate <= high), heart_rate, np.nan)),
        cadence_spm=channel(streams.cadence_spm),
    )


def _altitude(altitude: Array) -> Array:
    """Return the altitudes that exist on earth; a channel of zeros alone is one that nobody filled."""
    plausible = np.where((altitude > _LOWEST_M) & (altitude < _HIGHEST_M), altitude, np.nan)
    return plausible if np.any(np.nan_to_num(plausible) != 0) else np.full(len(altitude), np.nan)


def _distance(routes: Sequence[_Route], cells: _Cells, speed: Array) -> Array:
    """Return how far the runner had got: as the device counted it, else speed times time with the way through gaps."""
    if routes and routes[0].name == "distance":
        return np.interp(cells.active, routes[0].own, routes[0].plausible)
    steps = speed * cells.dt
    if routes and len(steps):
        route = routes[0]
        between = cells.ends[:-1], cells.active[1:]
        across = np.subtract(*(np.interp(t, route.own, route.plausible) for t in reversed(between)))
        steps[:-1] += np.where(between[1] - between[0] > _TICK_S, across, 0.0)
    return np.append(0.0, np.cumsum(steps)[:-1])[: len(steps)]


def _slope(source: AltitudeSource, altitude: Array, distance: Array, cells: _Cells, signal: Signal) -> Array:
    """Fit the slope, never across a lost stretch nor across a stop in which the altitude jumped."""
    is_barometer = source is AltitudeSource.BAROMETER
    window = signal.grade_window_barometer_m if is_barometer else signal.grade_window_gps_m
    lost = cells.active[1:] - cells.ends[:-1] > _TICK_S
    stopped = np.diff(cells.stretch()) > 0
    jumped = stopped & (np.abs(np.nan_to_num(np.diff(altitude))) > signal.altitude_step_m)
    apart = np.append(0.0, np.cumsum((lost | jumped) * window))[: len(distance)]
    return grade(altitude, distance + apart, window)


def _share(mask: Mask, dt: Array) -> float:
    total = float(dt.sum())
    return float(dt[mask].sum()) / total if total > 0 else 0.0


def _nothing(recording: Recording, paused_s: float, lost_s: float) -> tuple[Samples, SignalQuality]:
    none = AltitudeSource.NONE if recording.streams is None else recording.altitude_source
    quality = SignalQuality("none", none, 0.0, paused_s, 0.0, max(lost_s, 0.0), 0.0, 0.0, 0.0)
    return Samples.of(np.empty(0), dt_s=np.empty(0)), quality
