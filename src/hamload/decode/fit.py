"""FIT documents as recordings: one for each session of each part. What fields mean is decided here; bytes are not read.

Fields and units follow Garmin's FIT profile (messages file_id, session, event, device_info, activity, record, set).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.decode.fit_container import parts
from hamload.decode.fit_readers import FIT_EPOCH, read
from hamload.decode.sports import exercise, fit_device, fit_sport, fit_types, has_barometer
from hamload.errors import NoActivityError, UnreadableError
from hamload.numbers import number
from hamload.records import AltitudeSource, Recording, Sport, Streams, StrengthSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hamload.decode.fit_readers import Message, Reading
    from hamload.records import Array

#: Time stamps below this many FIT seconds count from power-on: the clock was not set (FIT profile, type date_time).
_CLOCK_SET = FIT_EPOCH + 0x10000000
_FIRST_FIT_DEVICES = 1262304000  # 2010-01-01
_DAY, _QUARTER, _MAX_OFFSET = 86400.0, 900, 14 * 3600
_MONTH = 31 * _DAY
_STEPS_PER_STRIDE = 2
_STOPS = {"stop", "stop_all", "stop_disable", "stop_disable_all"}
_WHAT = {
    "activity_summary": "a summary without a recording",
    "blood_pressure": "a blood pressure file",
    "course": "a course",
    "device": "a device's own description",
    "goals": "a list of goals",
    "monitoring_a": "monitoring data of a day",
    "monitoring_b": "monitoring data of a day",
    "monitoring_daily": "monitoring data of a day",
    "schedules": "a training schedule",
    "segment": "a segment",
    "segment_list": "a list of segments",
    "settings": "a settings file",
    "sport": "a sport's settings",
    "totals": "a device's totals",
    "weight": "a weight measurement",
    "workout": "a workout plan",
}
_BROKEN = "If the activity is in your account, export its original file again."


def decode_fit(content: bytes) -> list[Recording]:
    """Decode all activities of a FIT document, in time order.

    Raises
    ------
    UnreadableError
        Where it holds no activity, or none that can be read; the sentence says which.

    """
    recordings: list[Recording] = []
    refusals: list[tuple[str, str]] = []
    is_activity = False
    for part in parts(content):
        reading = read(part)
        if isinstance(reading, tuple):
            is_activity = True
            refusals.append((f"No reader can decode this FIT file: {'; '.join(reading)}.", _BROKEN))
            continue
        try:
            recordings += _recordings(reading)
        except UnreadableError as refusal:
            refusals.append((refusal.what, refusal.remedy))
            is_activity = is_activity or not isinstance(refusal, NoActivityError)
    if not recordings:
        raise (UnreadableError if is_activity else NoActivityError)(*refusals[0])
    passed_over = tuple(f"another part of the file was passed over: {what}" for what, _ in refusals)
    if passed_over:
        recordings[0] = _noted(recordings[0], passed_over)
    return sorted(recordings, key=lambda r: r.start_at)


def _noted(recording: Recording, notes: tuple[str, ...]) -> Recording:
    return replace(recording, notes=(*recording.notes, *notes))


def _recordings(reading: Reading) -> list[Recording]:
    facts = next(iter(reading.messages.get("file_id", [])), {})
    sessions = [s for s in reading.messages.get("session", []) if number(s.get("start_time")) is not None]
    kind = facts.get("type", "activity" if reading.count or sessions else None)
    if kind != "activity" and not (sessions and isinstance(kind, int)):
        what = _WHAT.get(str(kind), f"a FIT file of type {kind}" if kind is not None else "a FIT file without content")
        raise NoActivityError(f"This is {what}, not an activity.", "Nothing to do: it holds no run.")
    return _activity(reading, facts, sorted(sessions, key=lambda s: float(s["start_time"])))


def _activity(reading: Reading, facts: Message, sessions: list[Message]) -> list[Recording]:
    rows = _Rows(reading.records)
    notes = [*reading.notes, *rows.notes]
    sets = _sets(reading.messages.get("set", []))
    if not sessions:
        if not len(rows.time) and not sets:
            raise UnreadableError(
                "This activity file holds no session and no record with a time.",
                _BROKEN,
            )
        sessions = [_rebuilt(reading, rows, facts)]
        notes.append("holds no session summary: its start and duration were taken from its records")
    shift, clock_notes = _clock_shift(reading.messages, rows, sessions)
    notes += clock_notes
    bounds = np.searchsorted(rows.time, [float(s["start_time"]) for s in sessions[1:]])
    pieces = np.split(np.arange(len(rows.time)), bounds)
    stops = _timer_stops(reading.messages.get("event", []))
    device, has_altimeter = _device(reading.messages, facts)
    offset = 0 if shift else _utc_offset(reading.messages)
    return [
        _recording(
            reading, session, rows, piece, stops, shift=shift, device=device, has_altimeter=has_altimeter,
            offset=offset, sets=sets if len(sessions) == 1 else (), notes=tuple(notes),
        )
        for session, piece in zip(sessions, pieces, strict=True)
    ]  # fmt: skip


class _Rows:
    """The records of a part in time order, by profile name; records without a time are left out and noted."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self.notes: list[str] = []
        time = columns.get("timestamp", np.empty(0))
        if not columns or not np.isfinite(time).any():
            if columns:
                self.notes.append("none of its records has a time")
            self.time: Array = np.empty(0)
            self.columns: dict[str, Array] = {}
            return
        usual = np.nanmedian(time)
        if absurd := int((np.abs(time - usual) > _MONTH).sum()):
            self.notes.append(f"{absurd} records lie more than a month from the others and were left out")
            time = np.where(np.abs(time - usual) > _MONTH, np.nan, time)
            columns = {**columns, "timestamp": time}
        keep = np.flatnonzero(np.isfinite(time))
        if len(keep) + absurd < len(time):
            self.notes.append(f"{len(time) - len(keep) - absurd} records without a time were left out")
        if len(back := np.flatnonzero(np.diff(time[keep]) < 0)):
            self.notes.append(f"its clock went back {len(back)} times: the records were put in order of time")
            keep = keep[np.argsort(time[keep], kind="stable")]
        self.time = time[keep]
        self.columns = {name: column[keep] for name, column in columns.items()}

    def of(self, *names: str) -> Array:
        """Return the first of these fields where it is known, else the next; NaN where none is."""
        value = np.full(len(self.time), np.nan)
        for name in reversed(names):
            if (column := self.columns.get(name)) is not None:
                value = np.where(np.isfinite(column), column, value)
        return value


def _rebuilt(reading: Reading, rows: _Rows, facts: Message) -> Message:
    """Make up the session that the device did not write. A `sport` message says the sport, where there is one."""
    sport = next(iter(reading.messages.get("sport", [])), {})
    if len(rows.time):
        start, end = float(rows.time[0]), float(rows.time[-1])
    else:
        times = [float(s["start_time"]) for s in reading.messages["set"] if number(s.get("start_time")) is not None]
        start = min(times, default=number(facts.get("time_created")) or 0.0)
        end = start
    return {
        "start_time": start,
        "total_elapsed_time": end - start or None,
        "sport": sport.get("sport"),
        "sub_sport": sport.get("sub_sport"),
    }


def _clock_shift(
    messages: Mapping[str, Sequence[Message]], rows: _Rows, sessions: Sequence[Message]
) -> tuple[float, list[str]]:
    """Return by how much a clock that was never set is to be moved, and what is odd about the clock.

    Such a clock counts from power-on. The activity message then still ties it to the local time of day.
    """
    first = min([float(sessions[0]["start_time"]), *rows.time[:1].tolist()])
    if first >= _CLOCK_SET:
        early = ["its dates lie before 2010, when there was no FIT: the clock may have been wrong"]
        return 0.0, early if first < _FIRST_FIT_DEVICES else []
    for activity in messages.get("activity", []):
        at, local = number(activity.get("timestamp")), number(activity.get("local_timestamp"))
        if at is not None and local is not None and local >= _CLOCK_SET > at:
            return local - at, ["its clock was not set: date and time are its local time, the time zone is unknown"]
    raise UnreadableError(
        "The device's clock was not set, and nothing in this file says on which day it was recorded.",
        "Enter the run by hand in your account and import that.",
    )


def _recording(  # noqa: PLR0913  # one call, all by name
    reading: Reading,
    session: Message,
    rows: _Rows,
    piece: Any,
    stops: Sequence[tuple[float, float]],
    *,
    shift: float,
    device: str,
    has_altimeter: bool,
    offset: int | None,
    sets: tuple[StrengthSet, ...],
    notes: tuple[str, ...],
) -> Recording:
    sport = fit_sport(session.get("sport"), session.get("sub_sport"))
    time = rows.time[piece]
    start = float(session["start_time"])
    if len(time) and (time[0] < start or time[0] - start > _DAY):
        if abs(time[0] - start) > _DAY:
            notes = (*notes, "its session says another day than its records: the records' day is taken")
        start = float(time[0])
    streams = None
    if len(time):
        span = (start, float(time[-1]))
        within = [(max(a, span[0]), min(b, span[1])) for a, b in stops]
        pauses = tuple((a - start, b - start) for a, b in within if b > a)
        streams = _streams(rows, piece, start, sport, pauses)
    has_altitude = streams is not None and bool(np.isfinite(streams.altitude_m).any())
    source = AltitudeSource.BAROMETER if has_altimeter else AltitudeSource.GPS
    rpe = number(session.get("workout_rpe", session.get(193)))
    detail = [str(v) for v in (session.get("sport"), session.get("sub_sport")) if v is not None and v != "generic"]
    return Recording(
        sport=sport,
        start_at=dt.datetime.fromtimestamp(start + shift, tz=dt.UTC),
        reader=reading.reader,
        streams=streams,
        sport_detail=" ".join(dict.fromkeys(detail)),
        title=str(session.get("sport_profile_name") or ""),
        device=device,
        utc_offset_s=offset,
        elapsed_time_s=number(session.get("total_elapsed_time")) or (float(time[-1]) - start if len(time) else None),
        timer_time_s=number(session.get("total_timer_time")),
        distance_m=number(session.get("total_distance")),
        ascent_m=number(session.get("total_ascent")),
        rpe=rpe / 10 if rpe is not None and 0 < rpe <= 100 else None,  # noqa: PLR2004  # the profile's scale, 0-100
        altitude_source=source if has_altitude else AltitudeSource.NONE,
        sets=sets,
        notes=notes,
    )


def _streams(rows: _Rows, piece: Any, start: float, sport: Sport, pauses: tuple[tuple[float, float], ...]) -> Streams:
    cadence = rows.of("cadence") + np.nan_to_num(rows.of("fractional_cadence"))
    on_foot = sport in {Sport.RUN, Sport.TREADMILL, Sport.WALK, Sport.UNKNOWN}
    return Streams.of(
        rows.time[piece] - start,
        speed_mps=rows.of("enhanced_speed", "speed")[piece],
        distance_m=rows.of("distance")[piece],
        altitude_m=rows.of("enhanced_altitude", "altitude")[piece],
        latitude_deg=rows.of("position_lat")[piece],
        longitude_deg=rows.of("position_long")[piece],
        heart_rate_bpm=rows.of("heart_rate")[piece],
        cadence_spm=(cadence * _STEPS_PER_STRIDE if on_foot else cadence)[piece],
        incline=rows.of("grade")[piece] / 100 if sport is Sport.TREADMILL else None,
        pauses=pauses,
    )


def _timer_stops(events: Sequence[Message]) -> list[tuple[float, float]]:
    """Return the timer's stops as (from, to), Unix seconds. A stop without a later start is the end, no pause."""
    stops: list[tuple[float, float]] = []
    stopped: float | None = None
    timer = [e for e in events if e.get("event") == "timer" and number(e.get("timestamp")) is not None]
    for event in sorted(timer, key=lambda e: float(e["timestamp"])):
        at = float(event["timestamp"])
        if event.get("event_type") in _STOPS:
            stopped = at if stopped is None else stopped
        elif event.get("event_type") == "start" and stopped is not None:
            if at > stopped:
                stops.append((stopped, at))
            stopped = None
    return stops


def _utc_offset(messages: Mapping[str, Sequence[Message]]) -> int | None:
    """Return local minus UTC in whole quarters of an hour, None where the file does not say or says nonsense."""
    for activity in messages.get("activity", []):
        at, local = number(activity.get("timestamp")), number(activity.get("local_timestamp"))
        if at is not None and local is not None and local >= _CLOCK_SET and abs(local - at) <= _MAX_OFFSET:
            return round((local - at) / _QUARTER) * _QUARTER
    return None


def _device(messages: Mapping[str, Sequence[Message]], facts: Message) -> tuple[str, bool]:
    infos = messages.get("device_info", [])
    creators = [i for i in infos if i.get("device_index") in {"creator", 0}]
    name = ""
    for message in (facts, *creators):
        product = message.get("product", message.get("garmin_product"))
        found = fit_device(message.get("manufacturer"), product, message.get("product_name"))
        if len(found.split()) > len(name.split()):
            name = found
    sensors = fit_types()["local_device_type"]
    kinds = [i.get("local_device_type", i.get("device_type")) for i in infos if i.get("source_type") == "local"]
    return name, has_barometer(name) or any(sensors.get(kind, kind) == "barometer" for kind in kinds)


def _sets(messages: Sequence[Message]) -> tuple[StrengthSet, ...]:
    found = []
    for message in messages:
        category, name = exercise(message.get("category"), message.get("category_subtype"))
        repetitions = number(message.get("repetitions"))
        found.append(
            StrengthSet(
                category=category,
                name=name,
                repetitions=None if repetitions is None else int(repetitions),
                weight_kg=number(message.get("weight")),
                duration_s=number(message.get("duration")),
                set_type={0: "rest", 1: "active"}.get(kind := message.get("set_type", "active"), str(kind)),
            )
        )
    return tuple(found)
