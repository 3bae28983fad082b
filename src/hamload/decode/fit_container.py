"""The frame of a FIT document: where its parts lie, how far their messages hold together, and cut-down copies of them.

Knows headers, definitions and lengths, no field's meaning. Layout: Garmin's FIT protocol, "Flexible and Interoperable
Data Transfer (FIT) Protocol".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from hamload.errors import UnreadableError

MAGIC = b".FIT"
RECORD = 20
#: file_id, sport, session, event, device_info, activity, developer field descriptions, strength sets.
_SMALL = frozenset({0, 12, 18, 21, 23, 34, 206, 207, 225})
_DEVICE_INFO = 23
_COMPRESSED_SPEED_DISTANCE = 8
#: Some devices repeat their sensors all along; the first ones say all.
_ENOUGH_SENSORS = 40
#: A message cut off at the end is no more than this.
_MESSAGE_SIZE = 256
_TIMESTAMP = 253
#: Where records are interrupted by a few bytes too many or too few: how far ahead they are looked for, how many in a
#: row make sure, and how far apart their times may be.
_SEARCH, _SURE, _LEAP_S = 4096, 24, 120
_SHORT_HEADER, _LONG_HEADER, _CRC_SIZE = 12, 14, 2
_FIRST_STRIDE = 64


@dataclass(frozen=True, slots=True)
class Part:
    """One FIT sequence of a document; a document may chain several.

    Attributes
    ----------
    content
        Its bytes as they stand, header and checksum included.
    body
        Its messages up to the first byte that is none.
    small
        The messages of the body other than records and the maker's own, with all definitions.
    packs_speed
        Whether its records pack speed and distance into one old field (`compressed_speed_distance`).
    packs_time
        Whether any of `small` carries a compressed time stamp, which means nothing without the records before it.
    flaw
        What is wrong with the frame, "" where nothing is.

    """

    content: bytes
    body: bytes
    small: bytes
    packs_speed: bool
    packs_time: bool
    flaw: str


_NO_FIT = ("This is not a FIT file.", "Download or export the activity again.")


def parts(content: bytes) -> list[Part]:
    """Split a document into its chained parts, in their order. What stands before the first header is passed over.

    Raises
    ------
    UnreadableError
        Where no part begins anywhere.

    """
    found: list[Part] = []
    at = _begin(content)
    while at < len(content):
        size = content[at]
        if not (_has_magic(content, at) or (not found and size in {_SHORT_HEADER, _LONG_HEADER})):
            if not found:
                raise UnreadableError(*_NO_FIT)
            note = f"{len(content) - at} bytes after the last part are no FIT and were passed over"
            last = found[-1]
            found[-1] = Part(last.content, last.body, last.small, last.packs_speed, last.packs_time,
                             "; ".join(filter(None, (last.flaw, note))))  # fmt: skip
            break
        declared = int.from_bytes(content[at + 4 : at + 8], "little")
        start, end = at + size, at + size + declared
        found.append(_part(content, at, start, end))
        at = end + _CRC_SIZE
    return found


def _begin(content: bytes) -> int:
    if _has_magic(content, 0):
        return 0
    magic = content.find(MAGIC)
    if magic >= _SHORT_HEADER - len(MAGIC):
        return magic - 8
    if len(content) > _LONG_HEADER and content[0] in {_SHORT_HEADER, _LONG_HEADER} and not content[:512].isascii():
        declared = int.from_bytes(content[4:8], "little")
        if content[0] + declared + _CRC_SIZE == len(content):
            return 0
    raise UnreadableError(*_NO_FIT)


def _has_magic(content: bytes, at: int) -> bool:
    return content[at + 8 : at + 12] == MAGIC and _SHORT_HEADER <= content[at] < len(content) - at


def _part(content: bytes, at: int, start: int, end: int) -> Part:
    flaws = []
    if not _has_magic(content, at):
        flaws.append("its header lacks the FIT mark")
    elif content[at] not in {_SHORT_HEADER, _LONG_HEADER}:
        flaws.append(f"its header claims {content[at]} bytes")
    if at and content[at - _CRC_SIZE - 1 : at] and not _ends_a_part(content, at):
        flaws.append(f"{at} bytes before the header were passed over")
    stop = min(end, len(content))
    if end > len(content):
        flaws.append(f"it is cut off: {len(content) - start} of {end - start} bytes")
    elif end + _CRC_SIZE > len(content):
        flaws.append("it is cut off: its checksum is missing")
    walk = _walk(content, start, stop)
    if walk.missing:
        flaws.append(f"{walk.missing} bytes among its records cannot be read and were passed over")
    if walk.end < stop and (end <= len(content) or stop - walk.end > _MESSAGE_SIZE):
        flaws.append(f"its messages break off at byte {walk.end} of {stop}")
    return Part(
        content[at : min(end + _CRC_SIZE, len(content))],
        walk.body,
        walk.small,
        walk.packs_speed,
        walk.packs_time,
        "; ".join(flaws),
    )


def _ends_a_part(content: bytes, at: int) -> bool:
    first = content.find(MAGIC)
    return first >= 0 and first + 4 < at


@dataclass(frozen=True, slots=True)
class _Walk:
    end: int
    body: bytes
    small: bytes
    packs_speed: bool
    packs_time: bool
    missing: int


class _Layout:
    """What a header byte announces at a place of the document: how long a message, kept or not, and where its time."""

    def __init__(self) -> None:
        self.kept = [0] * 256
        self.skipped = [0] * 256
        self.times: dict[int, tuple[int, Literal["little", "big"]]] = {}
        self.packs_speed = False
        self._sensors = 0

    def define(self, local: int, definition: _Definition) -> bool:
        """Take in a definition. Returns whether its messages are kept."""
        is_kept = definition.number in _SMALL and (definition.number != _DEVICE_INFO or self._sensors < _ENOUGH_SENSORS)
        self._sensors += definition.number == _DEVICE_INFO
        for value in _headers(local):
            self.kept[value], self.skipped[value] = (definition.size, 0) if is_kept else (0, definition.size)
        self.times.pop(local, None)
        if definition.number == RECORD:
            self.packs_speed |= definition.packs_speed
            if definition.time_at:
                self.times[local] = definition.time_at, definition.order
        return is_kept

    def resumed(self, content: bytes, broken: int, at: int, stop: int) -> int:
        """Find where broken-off records go on, 0 where nowhere; `broken` is where the message before the break began.

        Sure only where messages of known length stand one behind the other, and the times of the records among them
        go on without a leap.
        """
        if not self.times:
            return 0
        return next((p for p in range(broken + 1, min(at + _SEARCH, stop)) if self._is_sure(content, p, stop)), 0)

    def _is_sure(self, content: bytes, place: int, stop: int) -> bool:
        earlier = seen = 0
        while seen < _SURE and place < stop:
            header = content[place]
            size = self.kept[header] or self.skipped[header]
            if not size or place + size > stop:
                return False
            if header in self.times:
                offset, order = self.times[header]
                time = int.from_bytes(content[place + offset : place + offset + 4], order)
                if seen and not 0 <= time - earlier <= _LEAP_S:
                    return False
                earlier = time
                seen += 1
            place += size
        return seen == _SURE


def _walk(content: bytes, at: int, stop: int) -> _Walk:
    """Step from message to message. Runs of records are skipped in strides: equal headers mean equal lengths."""
    layout = _Layout()
    kept: list[bytes] = []
    whole: list[bytes] = []
    packs_time = False
    begin = latest = at
    missing = 0
    while at < stop:
        header = content[at]
        if (size := layout.skipped[header]) and at + size <= stop:
            count = 1
            if at + size < stop and content[at + size] == header:
                count += _run(content, at + size, stop, size)
            at += size * count
            latest = at - size
        elif (size := layout.kept[header]) and at + size <= stop:
            packs_time |= bool(header & 0x80)
            kept.append(content[at : at + size])
            latest, at = at, at + size
        elif header & 0xC0 == 0x40 and (definition := _definition(content, at, stop)):  # noqa: PLR2004
            if layout.define(header & 0x0F, definition):
                kept.append(content[at : at + definition.length])
            latest = at = at + definition.length
        elif place := layout.resumed(content, latest, at, stop):
            # The message before the break lies astride it.
            whole.append(content[begin:latest])
            missing += place - latest
            begin = latest = at = place
        else:
            break
    whole.append(content[begin:at])
    return _Walk(at, b"".join(whole), b"".join(kept), layout.packs_speed, packs_time, missing)


def _headers(local: int) -> tuple[int, ...]:
    """Return the header bytes of data messages of a local type: the plain one, and those with a compressed time."""
    compressed = range(0x80 | local << 5, (0x80 | local << 5) + 32) if local < 4 else ()  # noqa: PLR2004
    return (local, *compressed)


def _run(content: bytes, at: int, stop: int, size: int) -> int:
    """Count the messages from here on that begin with the same byte, and so have the same length."""
    header, count, stride = content[at : at + 1], 0, 1
    last = (stop - at) // size
    while count < last:
        step = min(stride, last - count)
        heads = content[at + count * size : at + (count + step) * size : size]
        same = len(heads) - len(heads.lstrip(header))
        count += same
        if same < step:
            break
        stride = max(stride * 4, _FIRST_STRIDE)
    return count


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a definition says of its messages: their number and length, and its own length."""

    length: int
    number: int
    size: int
    packs_speed: bool
    time_at: int
    order: Literal["little", "big"]


def _definition(content: bytes, at: int, stop: int) -> _Definition | None:
    if at + 6 > stop or content[at + 2] > 1:
        return None
    order: Literal["little", "big"] = "big" if content[at + 2] else "little"
    number = int.from_bytes(content[at + 3 : at + 5], order)
    length = 6 + 3 * content[at + 5]
    fields = content[at + 6 : at + length : 3]
    sizes = content[at + 7 : at + length : 3]
    size = 1 + sum(sizes)
    if content[at] & 0x20:
        if at + length >= stop:
            return None
        developer = content[at + length]
        size += sum(content[at + length + 2 : at + length + 1 + 3 * developer : 3])
        length += 1 + 3 * developer
    if at + length > stop:
        return None
    time = fields.find(_TIMESTAMP)
    time_at = 1 + sum(sizes[:time]) if time >= 0 and sizes[time] == 4 else 0  # noqa: PLR2004
    return _Definition(length, number, size, _COMPRESSED_SPEED_DISTANCE in fields, time_at, order)


def framed(body: bytes, like: bytes) -> bytes:
    """Put messages into a whole FIT file of their own, header and checksum right; versions from `like`."""
    protocol, profile = (like[1], like[2:4]) if _has_magic(like, 0) else (0x10, b"\x00\x00")
    head = struct.pack("<BB2sI4s", _LONG_HEADER, protocol, profile, len(body), MAGIC)
    head += struct.pack("<H", checksum(head))
    return head + body + struct.pack("<H", checksum(head + body))


def checksum(content: bytes) -> int:
    """Return the FIT protocol's CRC-16 (reflected 0x8005, from 0), two bytes a step."""
    table = _table()
    value = 0
    even = len(content) & ~1
    for word in np.frombuffer(content[:even], dtype="<u2").tolist():
        value = table[value ^ word]
    if even < len(content):
        value = (value >> 8) ^ table[((value ^ content[-1]) & 0xFF) << 8]
    return value


@cache
def _table() -> list[int]:
    values = np.arange(65536, dtype=np.uint32)
    for _ in range(16):
        values = np.where(values & 1, (values >> 1) ^ 0xA001, values >> 1)
    return [int(v) for v in values]
