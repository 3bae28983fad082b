"""Writes FIT files: named columns in, the bytes of a file out. Knows the protocol and nothing of running.

Field numbers, types, scales and enumerations come from the official SDK's own profile. The SDK's encoder is not used:
it writes one value at a time and needs some 40 s for a year of runs; here a message type is one NumPy structured array.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from garmin_fit_sdk import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Unix time of FIT's own epoch, 1989-12-31T00:00:00Z.
FIT_EPOCH_S = 631_065_600

_PROTOCOL_VERSION = 0x10  # 1.0: no developer fields, no 64-bit integers
_HEADER_SIZE = 14
_DEFINITION = 0x40
_LITTLE_ENDIAN = 0
_TIMES = frozenset({"date_time", "local_date_time"})

#: Base type → (code on the wire, NumPy type, the value that means "not known"). Protocol, section "Base Types".
_BASE_TYPES: dict[str, tuple[int, str, int]] = {
    "enum": (0x00, "u1", 0xFF),
    "sint8": (0x01, "i1", 0x7F),
    "uint8": (0x02, "u1", 0xFF),
    "sint16": (0x83, "<i2", 0x7FFF),
    "uint16": (0x84, "<u2", 0xFFFF),
    "sint32": (0x85, "<i4", 0x7FFFFFFF),
    "uint32": (0x86, "<u4", 0xFFFFFFFF),
    "uint8z": (0x0A, "u1", 0),
    "uint16z": (0x8B, "<u2", 0),
    "uint32z": (0x8C, "<u4", 0),
}
_STRING = 0x07

_POLYNOMIAL = 0xA001  # CRC-16/ARC, reflected, initial value 0


@cache
def _after_zeros(doublings: int) -> NDArray[np.uint16]:
    """Return what each of the 65,536 checksums becomes when 2**doublings zero bytes follow."""
    if doublings == 0:
        states = np.arange(1 << 16)
        for _ in range(8):
            states = np.where(states & 1, (states >> 1) ^ _POLYNOMIAL, states >> 1)
        return states.astype(np.uint16)
    half = _after_zeros(doublings - 1)
    return half[half]


def crc16(octets: bytes) -> int:
    """Return the FIT checksum of some bytes, 0 for none.

    The checksum is linear: that of two neighbours is that of the left one, moved on over the length of the right one,
    exclusive-or that of the right one. So neighbours are joined pair by pair, all pairs at once, in log2(n) rounds.
    With an initial value of 0 a zero in front changes nothing, which makes every round's length even. A single byte's
    own checksum is that of the state of its value, moved on by one byte.
    """
    if not octets:
        return 0
    crc = _after_zeros(0)[np.frombuffer(octets, dtype=np.uint8)]
    doublings = 0
    while len(crc) > 1:
        if len(crc) % 2:
            crc = np.concatenate([np.zeros(1, dtype=np.uint16), crc])
        crc = _after_zeros(doublings)[crc[0::2]] ^ crc[1::2]
        doublings += 1
    return int(crc[0])


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Messages of one kind: their definition, and one row of bytes for each."""

    definition: bytes
    rows: NDArray[np.void]

    def __len__(self) -> int:
        return len(self.rows)

    def __bytes__(self) -> bytes:
        return self.definition + self.rows.tobytes()

    def part(self, first: int, beyond: int) -> Self:
        """Return the messages from `first` up to, not including, `beyond`."""
        return type(self)(self.definition, self.rows[first:beyond])


def block(kind: str, *, local: int = 1, **columns: Any) -> Block:
    """Encode messages of one kind, one for each row of the columns.

    Parameters
    ----------
    kind, columns
        Names of the official profile, such as "record" and `enhanced_speed`. A column is an array, or one value for all
        rows, in the profile's own units; times are Unix seconds; enumerated values are numbers or the profile's
        names. NaN is written as "not known".
    local
        Local message number, 0-15: it ties rows to the definition that came last under the same number.

    Raises
    ------
    ValueError
        For a name that the profile does not know, and for a value that its field cannot hold: nothing ever wraps.

    """
    number, fields = _fields(kind)
    definition = struct.pack("<BBBHB", _DEFINITION | local, 0, _LITTLE_ENDIAN, number, len(columns))
    encoded: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        if name not in fields:
            raise ValueError(f"The FIT profile's {kind} has no field {name!r}.")
        code, encoded[name] = _on_the_wire(kind, fields[name], values)
        definition += struct.pack("<BBB", fields[name]["num"], encoded[name].itemsize, code)
    layout = [("header", np.dtype("u1")), *((name, wire.dtype) for name, wire in encoded.items())]
    rows = np.zeros(max(wire.size for wire in encoded.values()), dtype=layout)
    rows["header"] = local
    for name, wire in encoded.items():
        rows[name] = wire
    return Block(definition, rows)


def _on_the_wire(kind: str, field: Any, values: Any) -> tuple[int, NDArray[Any]]:
    """Return the base type's code and the values as they are written."""
    if field["base_type"] == "string":
        return _STRING, np.array(str(values).encode(), dtype=f"S{len(str(values).encode()) + 1}")
    code, kind_of_array, missing = _BASE_TYPES[field["base_type"]]
    limits = np.iinfo(kind_of_array)
    if isinstance(values, str):
        values = number_of(field["type"], values)
    exact = np.asarray(values, dtype=np.float64)
    if field["type"] in _TIMES:
        exact = exact - FIT_EPOCH_S
    known = np.isfinite(exact)
    scaled = np.rint((exact + field["offset"][0]) * field["scale"][0])
    if np.any(known & ((scaled < limits.min) | (scaled > limits.max))):
        raise ValueError(f"A value does not fit into {kind}.{field['name']} ({field['base_type']}).")
    return code, np.where(known, scaled, missing).astype(kind_of_array)


@cache
def _fields(kind: str) -> tuple[int, dict[str, Any]]:
    for number, message in Profile["messages"].items():
        if message["name"] == kind:
            return int(number), {field["name"]: field for field in message["fields"].values()}
    raise ValueError(f"The FIT profile has no message {kind!r}.")


@cache
def number_of(type_name: str, value_name: str) -> int:
    """Return the number behind a name of one of the profile's enumerations, such as ("sport", "running") → 1."""
    for number, name in Profile["types"].get(type_name, {}).items():
        if name == value_name:
            return int(number)
    raise ValueError(f"The FIT profile's {type_name} has no {value_name!r}.")


def fit_file(blocks: Iterable[Block]) -> bytes:
    """Return a complete FIT file: header, the blocks in their order, both checksums."""
    body = b"".join(bytes(part) for part in blocks)
    version = Profile["version"]
    profile_version = int(version["major"]) * 1000 + int(version["minor"])
    header = struct.pack("<BBHI4s", _HEADER_SIZE, _PROTOCOL_VERSION, profile_version, len(body), b".FIT")
    whole = header + struct.pack("<H", crc16(header)) + body
    return whole + struct.pack("<H", crc16(whole))
