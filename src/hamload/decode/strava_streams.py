"""Strava's own JSON as a recording: one activity's summary with, where it has some, its streams.

The document is what `sources` put: `{"summary": …, "streams": … or null, "note": …}`. Strava's times are odd, and are
set right here: `start_date_local` calls itself UTC and is not, so that only `start_date` and `utc_offset` count; a
hidden start time shows as one second after local midnight. Source: developers.strava.com/docs/reference, StreamSet and
SummaryActivity.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.decode.sports import has_barometer, named_sport
from hamload.errors import UnreadableError
from hamload.numbers import number
from hamload.records import AltitudeSource, Recording, Sport, Streams

if TYPE_CHECKING:
    from hamload.parameters import Signal
    from hamload.records import Array

READER = "strava"

#: Streams that carry one number an instant, with what makes our unit of Strava's: it counts one leg's steps a minute.
_CHANNELS = {
    "velocity_smooth": ("speed_mps", 1.0),
    "distance": ("distance_m", 1.0),
    "altitude": ("altitude_m", 1.0),
    "heartrate": ("heart_rate_bpm", 1.0),
    "cadence": ("cadence_spm", 2.0),
}
_HIDDEN_START = dt.time(0, 0, 1)
_COORDINATES = 2
_FARTHEST_OFFSET_S = 24 * 3600


def strava(content: bytes, signal: Signal) -> Recording:
    """Decode one activity.

    Parameters
    ----------
    content
        The document.
    signal
        Says when a stretch without rows is too long for smart recording, and how slow standing is. Strava tells of no
        timer stops; such a stretch that Strava itself calls "not moving", and over which the distance stood still, is a
        pause, not a loss of data.

    Raises
    ------
    UnreadableError
        Where it is no activity, or does not say when it began. Streams that cannot be used are left out with a note:
        the summary still tells of the run, also where it tells no duration.

    """
    document = _document(content)
    summary = document["summary"]
    start_at = _start(summary)
    moving, elapsed = number(summary.get("moving_time")), number(summary.get("elapsed_time"))
    offset = number(summary.get("utc_offset"))
    utc_offset_s = None if offset is None or abs(offset) >= _FARTHEST_OFFSET_S else round(offset)
    streams, notes = _streams(document.get("streams"), str(document.get("note") or ""), signal)
    if _is_hidden(start_at, utc_offset_s):
        notes.append("its start time is hidden on Strava: the day is right, the hour is not")
    device = str(summary.get("device_name") or "")
    climb = number(summary.get("total_elevation_gain"))
    return Recording(
        sport=_sport(summary),
        start_at=start_at,
        reader=READER,
        streams=streams,
        sport_detail=str(summary.get("sport_type") or summary.get("type") or ""),
        title=str(summary.get("name") or ""),
        device=device,
        utc_offset_s=utc_offset_s,
        elapsed_time_s=elapsed or moving,
        timer_time_s=moving or elapsed,
        distance_m=number(summary.get("distance")) or None,
        # Strava writes 0 where it knows no heights at all; only then the highest point is missing.
        ascent_m=climb if climb or summary.get("elev_high") is not None else None,
        rpe=number(summary.get("perceived_exertion")),
        altitude_source=_altitude_source(streams, device),
        notes=tuple(notes),
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableError("This Strava document is no JSON.", "It will be fetched again.") from None
    if not isinstance(document, dict) or not isinstance(document.get("summary"), dict):
        raise UnreadableError("This JSON is no Strava activity: it has no summary.")
    return document


def _start(summary: dict[str, Any]) -> dt.datetime:
    try:
        start = dt.datetime.fromisoformat(summary["start_date"])
        return (start if start.tzinfo else start.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UnreadableError("This Strava activity does not say when it began.") from None


def _is_hidden(start_at: dt.datetime, utc_offset_s: int | None) -> bool:
    local = start_at + dt.timedelta(seconds=utc_offset_s or 0)
    return local.time().replace(microsecond=0) == _HIDDEN_START


def _sport(summary: dict[str, Any]) -> Sport:
    sport = named_sport(str(summary.get("sport_type") or summary.get("type") or ""))
    is_indoors = bool(summary.get("trainer")) and not summary.get("start_latlng")
    return Sport.TREADMILL if sport is Sport.RUN and is_indoors else sport


def _streams(found: Any, why_none: str, signal: Signal) -> tuple[Streams | None, list[str]]:
    """Return the streams, and what had to be passed over."""
    if not found:
        return None, [f"a summary without a recording ({why_none})" if why_none else "a summary without a recording"]
    if not isinstance(found, dict):
        return None, ["its streams cannot be understood: the summary alone counts"]
    time_s = _column(found, "time")
    if time_s is None or not len(time_s) or not np.isfinite(time_s).all():
        return None, ["its streams have no times: the summary alone counts"]
    notes: list[str] = []
    columns: dict[str, Array] = {}
    for name, (channel, factor) in _CHANNELS.items():
        column = _fitting(found, name, len(time_s), notes)
        if column is not None:
            columns[channel] = column * factor
    columns |= _positions(found, len(time_s), notes)
    # A row that goes back in time belongs to nowhere.
    is_kept = time_s >= np.maximum.accumulate(time_s)
    if not is_kept.all():
        notes.append(f"{np.count_nonzero(~is_kept)} rows that go back in time are left out")
    kept: dict[str, Any] = {channel: column[is_kept] for channel, column in columns.items()}
    is_moving = _moving(found, len(time_s))[is_kept]
    pauses = _pauses(time_s[is_kept], kept.get("distance_m"), is_moving, signal)
    return Streams.of(time_s[is_kept], pauses=pauses, **kept), notes


def _moving(found: dict[str, Any], rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether the runner moved up to each row, by Strava's word; where it says nothing, they did."""
    stream = found.get("moving")
    values = stream.get("data") if isinstance(stream, dict) else None
    if not isinstance(values, list) or len(values) != rows:
        return np.ones(rows, dtype=np.bool_)
    return np.array([value is not False for value in values], dtype=np.bool_)


def _pauses(
    time_s: Array, distance_m: Array | None, is_moving: np.ndarray[Any, np.dtype[np.bool_]], signal: Signal
) -> tuple[tuple[float, float], ...]:
    if distance_m is None:
        return ()
    lasting, advanced = np.diff(time_s), np.diff(distance_m)
    is_pause = (lasting > signal.interpolate_s) & ~is_moving[1:] & (advanced < signal.advance_mps * lasting)
    pauses: list[tuple[float, float]] = []
    for row in np.flatnonzero(is_pause):
        begins, ends = float(time_s[row]), float(time_s[row + 1])
        if pauses and pauses[-1][1] == begins:
            begins = pauses.pop()[0]
        pauses.append((begins, ends))
    return tuple(pauses)


def _fitting(found: dict[str, Any], name: str, rows: int, notes: list[str]) -> Array | None:
    if name not in found:
        return None
    column = _column(found, name)
    if column is None or len(column) != rows:
        notes.append(f"its stream {name} does not fit the times and is left out")
        return None
    return column


def _positions(found: dict[str, Any], rows: int, notes: list[str]) -> dict[str, Array]:
    if "latlng" not in found:
        return {}
    pairs = found["latlng"].get("data") if isinstance(found["latlng"], dict) else None
    if not isinstance(pairs, list) or len(pairs) != rows:
        notes.append("its stream latlng does not fit the times and is left out")
        return {}
    whole = [pair if isinstance(pair, list) and len(pair) == _COORDINATES else (None, None) for pair in pairs]
    return {
        "latitude_deg": np.array([_value(pair[0]) for pair in whole], dtype=np.float64),
        "longitude_deg": np.array([_value(pair[1]) for pair in whole], dtype=np.float64),
    }


def _column(found: dict[str, Any], name: str) -> Array | None:
    stream = found.get(name)
    values = stream.get("data") if isinstance(stream, dict) else None
    return np.array([_value(v) for v in values], dtype=np.float64) if isinstance(values, list) else None


def _value(value: Any) -> float:
    known = number(value)
    return np.nan if known is None else known


def _altitude_source(streams: Streams | None, device: str) -> AltitudeSource:
    if streams is None or not np.isfinite(streams.altitude_m).any():
        return AltitudeSource.NONE
    return AltitudeSource.BAROMETER if has_barometer(device) else AltitudeSource.GPS
