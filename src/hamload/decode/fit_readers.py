"""The FIT readers behind one shape: each turns one part of a FIT document into record columns and small messages.

Three independent decoders, in the order in which they are tried: fitfast (fast), fitdecode, Garmin's own SDK. What any
of them raises is told, never let through.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import fitfast
import numpy as np

from hamload.decode.fit_container import RECORD, framed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hamload.decode.fit_container import Part
    from hamload.records import Array

type Message = dict[str | int, Any]

#: FIT counts seconds from 1989-12-31T00:00:00Z.
FIT_EPOCH = 631065600
_CUT_OFF = 0.00101
_SEMICIRCLE = 180.0 / 2**31
#: The record fields that hamload uses, as Garmin's profile names them.
_COLUMNS = (
    "timestamp",
    "enhanced_speed",
    "speed",
    "distance",
    "enhanced_altitude",
    "altitude",
    "position_lat",
    "position_long",
    "heart_rate",
    "cadence",
    "fractional_cadence",
    "grade",
)
_TIMES = frozenset({"timestamp", "start_time", "time_created", "local_timestamp"})
_POSITIONS = frozenset({"position_lat", "position_long"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader made of one part.

    `records` holds equal-length columns by profile name (times as Unix seconds, positions in degrees, SI units), empty
    where there are no records. `messages` holds the small messages by profile name, enums as names where known.
    """

    reader: str
    records: Mapping[str, Array]
    messages: Mapping[str, list[Message]]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(next(iter(self.records.values()))) if self.records else 0


def read(part: Part) -> Reading | tuple[str, ...]:
    """Read one part with the first reader that manages. Returns its reading, or what each one said."""
    notes: list[str] = [part.flaw] if part.flaw else []
    is_misled = False
    for name, attempt in _attempts(part):
        if is_misled and name.startswith("fitfast"):
            continue
        try:
            reading = attempt()
        except BaseException as error:
            if not _is_refusal(error):
                raise
            notes.append(f"{name} refused: {_sentence(error)}")
            is_misled |= isinstance(error, _WrongReaderError)
        else:
            salvaged = f"{reading.count} records could be read" if notes else ""
            told = (*notes, *reading.notes, *filter(None, [salvaged]))
            return replace(reading, messages=_with_single_values(reading.messages), notes=told)
    return tuple(notes)


#: A set's exercise is a list of guesses; nothing else that is asked for is a list.
_LISTS = frozenset({"category", "category_subtype"})


def _with_single_values(messages: Mapping[str, list[Message]]) -> dict[str, list[Message]]:
    """Return the messages with the first value of each list: a definition that lies makes an array of any field."""
    return {
        kind: [
            {
                name: value[0] if isinstance(value, list | tuple) and name not in _LISTS else value
                for name, value in message.items()
                if value not in ([], ())
            }
            for message in rows
        ]
        for kind, rows in messages.items()
    }


def _attempts(part: Part) -> Iterable[tuple[str, Callable[[], Reading]]]:
    if not part.flaw:
        yield "fitfast", lambda: _fitfast(part, part.content)
    # The checksum or the frame is wrong while every message up to `body`'s end holds: a right frame lets them be read.
    repaired = framed(part.body, part.content)
    yield "fitfast on its messages", lambda: _fitfast(part, repaired)
    yield "fitdecode", lambda: _fitdecode(repaired)
    yield "garmin-fit-sdk", lambda: _garmin_sdk(repaired)


class _WrongReaderError(ValueError):
    """A reader would read the part, and get it wrong."""


def _is_refusal(error: BaseException) -> bool:
    """Whether a reader failed on its document: any exception, and the panic of fitfast's Rust core, which is none."""
    return isinstance(error, Exception) or (type(error).__module__, type(error).__name__) == (
        "pyo3_runtime",
        "PanicException",
    )


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()).removeprefix("FIT decode error: ")
    return text[:120] or type(error).__name__


def _fitfast(part: Part, content: bytes) -> Reading:
    small = content if part.packs_time else framed(part.small, part.content)
    messages: dict[str, list[Message]] = fitfast.parse(small)
    named = {str(m.get("field_name")) for m in messages.get("field_description", [])}
    if clash := named & {*_COLUMNS}:
        raise _WrongReaderError(f"a developer field calls itself {', '.join(sorted(clash))}")
    columns = fitfast.records(content)
    if part.packs_speed and not _any(columns, "distance", "speed", "enhanced_speed"):
        raise _WrongReaderError("it does not unpack compressed_speed_distance")
    found = {k: columns[k] for k in _COLUMNS if k in columns}
    if "speed" in found and "enhanced_speed" in found:
        # fitfast 0.1 cuts off where it should round when it widens speed: a millimetre per second goes missing.
        lost = found["speed"] - found["enhanced_speed"]
        found["enhanced_speed"] = np.where((lost > 0) & (lost < _CUT_OFF), found["speed"], found["enhanced_speed"])
    return Reading("fitfast", found, messages, ())


def _any(columns: Mapping[str, Array], *names: str) -> bool:
    return any(name in columns and bool(np.isfinite(columns[name]).any()) for name in names)


def _fitdecode(content: bytes) -> Reading:
    import fitdecode  # noqa: PLC0415  # costs 0.1 s and is rarely needed

    rows: list[Message] = []
    messages: dict[str, list[Message]] = {}
    stop = ""
    with fitdecode.FitReader(
        content, check_crc=fitdecode.CrcCheck.DISABLED, error_handling=fitdecode.ErrorHandling.IGNORE
    ) as reader:
        try:
            for frame in reader:
                if isinstance(frame, fitdecode.FitDataMessage):
                    message = {
                        _key(f.name): _plain(f.value)
                        for f in frame.fields
                        if f.value is not None and not isinstance(f.field_def, _developer_definition())
                    }
                    (rows if frame.global_mesg_num == RECORD else messages.setdefault(frame.name, [])).append(message)
        except Exception as error:  # it leaks AssertionError, TypeError and struct.error
            if not rows:
                raise
            stop = f"fitdecode stopped: {_sentence(error)}"
    return Reading("fitdecode", _columns(rows), messages, tuple(filter(None, [stop])))


def _developer_definition() -> type:
    from fitdecode.types import DevFieldDefinition  # noqa: PLC0415

    definition: type = DevFieldDefinition
    return definition


def _garmin_sdk(content: bytes) -> Reading:
    from garmin_fit_sdk import Decoder, Stream  # noqa: PLC0415  # costs 0.2 s and is rarely needed

    found: Any
    found, errors = Decoder(Stream.from_byte_array(bytearray(content))).read(
        convert_datetimes_to_dates=False, enable_crc_check=False, merge_heart_rates=False
    )
    if not found and errors:
        raise _WrongReaderError(_sentence(errors[0]))
    messages = {
        name.removesuffix("_mesgs"): [{k: v + FIT_EPOCH if k in _TIMES else v for k, v in m.items()} for m in rows]
        for name, rows in found.items()
    }
    rows = messages.pop("record", [])
    notes = tuple(f"garmin-fit-sdk stopped: {_sentence(error)}" for error in errors[:1])
    return Reading("garmin-fit-sdk", _columns(rows), messages, notes)


def _key(name: str) -> str | int:
    return int(name.removeprefix("unknown_")) if name.startswith("unknown_") else name


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        # A local date-time comes without a zone; its clock counts from the same epoch.
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp()
    return list(value) if isinstance(value, tuple) else value


def _columns(rows: list[Message]) -> dict[str, Array]:
    present = {key for row in rows for key in row}
    columns: dict[str, Array] = {}
    for name in _COLUMNS:
        if name in present:
            values = [row.get(name) for row in rows]
            column = np.array([v if isinstance(v, int | float) else np.nan for v in values], dtype=np.float64)
            columns[name] = column * _SEMICIRCLE if name in _POSITIONS else column
    return columns or ({"timestamp": np.full(len(rows), np.nan)} if rows else {})
