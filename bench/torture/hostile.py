"""Hostile files, each drawn by a seed from good ones: FIT, GPX, TCX, an export's CSV, and archives.

Bytes that are flipped, cut and spliced at random mostly break a checksum and are refused at the door. So half of the
FIT files have their checksums put right again afterwards, and half of the others lie on purpose: about lengths, types,
times, nesting, encodings, names and sizes.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.simulator.fitfile import crc16

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

type Mutate = Callable[[bytes, Seeds, random.Random], bytes]


@dataclass(frozen=True, slots=True)
class Seeds:
    """Good files to begin with, by their format."""

    fit: Sequence[bytes]
    gpx: Sequence[bytes]
    tcx: Sequence[bytes]

    def any_of(self, format_: str, chance: random.Random) -> bytes:
        """Return one of a format."""
        found: Sequence[bytes] = getattr(self, format_)
        return chance.choice(found)


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file to import: what was done to it, its ending, its bytes."""

    kind: str
    ending: str
    content: bytes


# Bytes of any format


def _flipped(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    found = bytearray(content)
    for _number in range(chance.choice((1, 1, 2, 5, 20))):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def _replaced(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(content)), chance.choice((1, 2, 4, 16, 200))
    filler = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80", chance.randbytes(1)))
    return content[:at] + filler * size + content[at + size :]


def _truncated(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _doubled(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    part = content[at : at + chance.choice((1, 7, 60, 4000))]
    return content[:at] + part * chance.choice((2, 3, 50)) + content[at + len(part) :]


def _left_out(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.choice((1, 3, 40, 3000)) :]


def _moved(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    first, second = sorted((chance.randrange(len(content)), chance.randrange(len(content))))
    return content[:first] + content[second:] + content[first:second]


def _spliced(content: bytes, seeds: Seeds, chance: random.Random) -> bytes:
    other = seeds.any_of(chance.choice(("fit", "gpx", "tcx")), chance)
    return content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]


_BYTES: Mapping[str, Mutate] = {
    "bits flipped": _flipped,
    "bytes replaced": _replaced,
    "cut off": _truncated,
    "blocks doubled": _doubled,
    "blocks left out": _left_out,
    "blocks moved": _moved,
    "spliced with another": _spliced,
}


# FIT


def _right(content: bytes) -> bytes:
    """Return a FIT file with its sizes and checksums put right: what is wrong with it lies deeper."""
    size = content[0] if content else 0
    if size not in {12, 14} or len(content) < size + 2:
        return content
    found = bytearray(content[:-2])
    struct.pack_into("<I", found, 4, len(found) - size)
    if size == 14:  # noqa: PLR2004  # with a checksum of its own
        struct.pack_into("<H", found, 12, crc16(bytes(found[:12])))
    return bytes(found) + struct.pack("<H", crc16(bytes(found)))


def _definitions(content: bytes) -> list[int]:
    """Return where definition messages of records seem to begin: a header of 0x40 to 0x4f, no flag, an architecture."""
    return [
        at
        for at in range(content[0] if content else 0, len(content) - 9)
        if content[at] & 0xF0 in {0x40, 0x60} and content[at + 1] == 0 and content[at + 2] in {0, 1} and content[at + 5]
    ]


def _fit_definition_lies(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    found = bytearray(content)
    places = _definitions(content)
    for at in chance.sample(places, min(len(places), chance.choice((1, 1, 3)))):
        fields = at + 6
        which = chance.randrange(5)
        if which == 0:
            found[at + 5] = chance.choice((0, 1, 200, 255))
        elif which == 1:
            found[at + 2] ^= 1
        elif which == 2:  # noqa: PLR2004  # the third way
            found[at + 3 : at + 5] = struct.pack("<H", chance.choice((0, 18, 19, 20, 21, 23, 34, 206, 207, 0xFFFF)))
        elif which == 3:  # noqa: PLR2004  # the fourth
            found[min(fields + 1 + 3 * chance.randrange(4), len(found) - 1)] = chance.choice((0, 1, 3, 8, 255))
        else:
            found[min(fields + 2 + 3 * chance.randrange(4), len(found) - 1)] = chance.choice(
                (0x00, 0x02, 0x07, 0x0D, 0x84, 0x88, 0x89, 0x8F, 0xFF)
            )
    return _right(bytes(found))


def _fit_times_lie(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    """Put extreme numbers where the file's own time stamps stand."""
    found = bytearray(content)
    places = [at for at in range(14, len(found) - 4) if 0x30 <= found[at + 3] <= 0x48]  # noqa: PLR2004  # 2015 to 2028
    for at in chance.sample(places, min(len(places), chance.choice((1, 4, 100)))):
        struct.pack_into("<I", found, at, chance.choice((0, 1, 0x0FFF_FFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF)))
    return _right(bytes(found))


def _fit_header_lies(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    found = bytearray(content)
    place, values = chance.choice(((0, (0, 1, 12, 13, 255)), (1, (0, 0x30, 255))))
    if chance.random() < 0.5:  # noqa: PLR2004  # the header's size and version, or the size of what follows
        found[place] = chance.choice(values)
    else:
        size = struct.unpack_from("<I", found, 4)[0]
        lies = (0, 1, size - 1, size + 1, 2 * size, 0x7FFF_FFFF, 0xFFFF_FFFF)
        struct.pack_into("<I", found, 4, chance.choice(lies) & 0xFFFF_FFFF)
    return bytes(found)


def _fit_chained(content: bytes, seeds: Seeds, chance: random.Random) -> bytes:
    others = [seeds.any_of("fit", chance) for _ in range(chance.choice((1, 2, 6)))]
    others.insert(0, chance.choice((content, _flipped(content, seeds, chance))))
    return b"".join(others)


def _fit_of_definitions(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    """Fill a file with definitions alone, or with compressed time stamps of a message that nobody defined."""
    body = chance.choice((b"\x40\0\0\x14\0\xff" + b"\xfd\x04\x86" * 255, b"\xff" * 7, b"\x40\0\0\x14\0\0"))
    return _right(content[:14] + body * chance.choice((10, 1000, 20_000)) + b"\0\0")


def _righted(mutate: Mutate) -> Mutate:
    return lambda content, seeds, chance: _right(mutate(content, seeds, chance))


_FIT: Mapping[str, Mutate] = {
    **_BYTES,
    **{f"{kind}, checksum right": _righted(mutate) for kind, mutate in _BYTES.items()},
    "definitions lie": _fit_definition_lies,
    "times lie": _fit_times_lie,
    "header lies": _fit_header_lies,
    "chained": _fit_chained,
    "definitions without data": _fit_of_definitions,
}


# XML

_NUMBERS = (
    "nan inf -inf 1e400 -1e308 1e308 0x10 999999999999999999999 ١٢ 1_0 - 0 -0 1e-400 ∞ true 12,5 1e5 NaN".split()  # noqa: SIM905
)
_TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "99999-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2262-04-12T00:00:00Z",
    "2020-02-30T00:00:00Z",
    "2020-01-01T25:61:61Z",
    "2020-01-01T00:00:00+99:99",
    "2020-01-01T00:00:00.123456789Z",
    "2020-01-01",
    "2020-W01-1",
    "1577836800",
    "now",
)


def _xml_entities(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    root = content[content.find(b"<", content.find(b"?>") + 1) :]
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    kinds = (
        f'<!DOCTYPE g [<!ENTITY l0 "ha">{laughs}]>',
        '<!DOCTYPE g [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE g SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE g [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        f'<!DOCTYPE g [<!ENTITY l11 "{"x" * 60_000}">]>',
    )
    at = root.find(b">", root.find(b"<trk", 10)) + 1
    told = root[:at] + b"<name>" + b"&l11;" * chance.choice((1, 2000)) + b"</name>" + root[at:]
    return b'<?xml version="1.0"?>' + chance.choice(kinds).encode() + told


def _xml_deep(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    at, depth = content.find(b">", 200) + 1, chance.choice((20, 200, 5000, 100_000))
    return content[:at] + b"<a>" * depth + content[at:]


def _xml_huge(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    at = content.find(b">", 200)
    size = chance.choice((70_000, 1_000_000))
    which = chance.randrange(5)
    if which == 0:
        return content[:at] + b' a="' + b"x" * size + b'"' + content[at:]
    if which == 1:
        return content[:at] + b"".join(b' a%d=""' % n for n in range(size // 10)) + content[at:]
    if which == 2:  # noqa: PLR2004  # the third way
        return content[: at + 1] + b"<name>" + b"x" * size + b"</name>" + content[at + 1 :]
    if which == 3:  # noqa: PLR2004  # the fourth
        return content[: at + 1] + b"<x/>" * (size // 4) + content[at + 1 :]
    return content[: at + 1] + b"<!--" + b"x" * size + b"--><![CDATA[" + b"]" * size + b"]]>" + content[at + 1 :]


def _xml_encoding(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    bare = text[text.find("?>") + 2 :] if text.startswith("<?xml") else text
    named = chance.choice(("utf-16", "utf-8", "utf-7", "utf-32", "latin-1", "cp037", "hex", "no such", "zlib"))
    declared = f'<?xml version="1.0" encoding="{named}"?>'
    which = chance.randrange(3)
    if which == 0:
        return (declared + bare).encode(chance.choice(("utf-8", "utf-16", "utf-16-be", "utf-32", "utf-8-sig")))
    if which == 1:
        return content.replace(b"<trkseg>", b"<name>\xff\xfe\xc0\x80\xed\xa0\x80</name><trkseg>").replace(
            b"Id>", b"Id>\xff"
        )
    return content[:100] + chance.choice((b"\0", b"\x1b]0;x\x07", b"\xef\xbf\xbf", b"\x0b")) * 3 + content[100:]


def _xml_numbers(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    """Put numbers and times where numbers and times stand, which are none or cannot be."""
    parts = content.split(b"<")
    for _number in range(chance.choice((1, 3, 40, 1000))):
        at = chance.randrange(len(parts))
        tag, _sep, text = parts[at].partition(b">")
        told = chance.choice(_TIMES if b"ime" in tag else _NUMBERS).encode()
        if text.strip():
            parts[at] = tag + b">" + told
        elif b'lat="' in tag:
            parts[at] = b'trkpt lat="' + told + b'" lon="' + chance.choice(_NUMBERS).encode() + b'">'
    return b"<".join(parts)


def _xml_tags(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    """Rename, drop or double tags."""
    parts = content.split(b"<")
    for _number in range(chance.choice((1, 2, 10))):
        at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        parts[at] = chance.choice((b"", parts[other], b"/" + parts[at], b"x:" + parts[at], parts[at].swapcase()))
    return b"<".join(parts)


_XML: Mapping[str, Mutate] = {
    **_BYTES,
    "entities": _xml_entities,
    "nested deeply": _xml_deep,
    "huge parts": _xml_huge,
    "encodings": _xml_encoding,
    "numbers and times": _xml_numbers,
    "tags": _xml_tags,
}


# An export's table

_HEADER = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,Max Heart Rate,"
    "Relative Effort,Commute,Activity Private Note,Activity Gear,Filename,Athlete Weight,Bike Weight,Elapsed Time,"
    "Moving Time,Distance"
)
#: What a name may try to be: a formula, markup, SQL, a header, a terminal's command, a path.
NAMES = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'); drop table landing.activities; --",
    "Run\r\nBcc: everybody@example.org\r\n\r\n",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m",
    "../../../../etc/passwd",
    "{{7*7}}{% raw %}${7*7}",
    "\u202egnp.exe\u2066",
    "[bold red]x[/] [link=file:///etc/passwd]y[/link]",
    "END:VEVENT\r\nBEGIN:VALARM",
    "x" * 200_000,
)


def _rows(chance: random.Random) -> list[list[str]]:
    rows = []
    for number in range(chance.choice((1, 3, 12))):
        day = chance.randrange(1, 28)
        cells = [str(chance.randrange(10**12)), f"{day} Apr 2014, 17:34:54", "Morning", "Run", "", "1800", "5.00"]
        rows.append([*cells, "", "", "false", "", "", chance.choice(("", f"activities/{number}.fit")), "", ""])
        rows[-1] += ["1800", "1750", "5000"]
    return rows


def _csv_cells(chance: random.Random) -> bytes:
    rows = _rows(chance)
    strange = (*NAMES, *_NUMBERS, *_TIMES, "9" * 5000, "1" + "0" * 400, "9" * 5000 + " Apr 2014, 17:34:54")
    for row in rows:
        for _ in range(chance.choice((1, 2, 6))):
            row[chance.randrange(len(row))] = chance.choice(strange)
    return "\n".join(
        [_HEADER, *(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)]
    ).encode()


def _csv_shape(chance: random.Random) -> bytes:
    text = "\n".join([_HEADER, *(",".join(row) for row in _rows(chance))])
    kinds = (
        text + '\n"' + "x" * 200_000,
        text.replace("\n", "\r"),
        text.replace(",", ";"),
        text.replace("17:34:54", '"17:34:54') + '"',
        _HEADER + "\n" + "," * 50_000,
        _HEADER + "\n" + f"{chance.randrange(10**12)},1 Apr 2014 17:34:54,x,Run,,1,1\n" * 3000,
        "\0".join(text),
        "\n" * 20_000 + text,
        _HEADER.replace("Filename", "Name") + "\n" + text,
    )
    told = chance.choice(kinds)
    return told.encode(chance.choice(("utf-8", "utf-8", "utf-16", "utf-8-sig", "cp1252")), "replace")


def csv_of(seeds: Seeds, chance: random.Random) -> Hostile:
    """Return an export, as an archive, whose table is hostile; its recordings are good ones or missing."""
    kind, make = chance.choice((("cells", _csv_cells), ("shape", _csv_shape), ("bytes", _csv_cells)))
    table = make(chance)
    if kind == "bytes":
        name = chance.choice(list(_BYTES))
        kind, table = name, _BYTES[name](table, seeds, chance)
    members: list[tuple[str, bytes]] = [("activities.csv", table)]
    if chance.random() < 0.3:  # noqa: PLR2004  # a share of them has its recording
        members.append(("activities/0.fit", seeds.any_of("fit", chance)))
    return Hostile(kind, ".zip", zipped(members))


# Archives


def zipped(members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of these members."""
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return told.getvalue()


def _zip_names(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    names = (
        "../../escaped.fit", "/tmp/escaped.fit", "..\\..\\escaped.fit", "C:\\escaped.fit", "a/../../escaped.fit",  # noqa: S108
        "x" * 60_000 + ".fit", "\x1b[31mred\x07.fit", "run\r\nBcc: a@b.fit", "<b>.fit", "=1+1.fit", "';--.fit",
        ".fit", "/", "//.fit", "con.fit", "\u202etif.fit", "run.fit/", "~/run.fit", "%2e%2e/run.fit", "é\u0301.fit",
    )  # fmt: skip
    return zipped([(name, content) for name in chance.sample(names, 3)])


def _zip_bomb(_content: bytes, _: Seeds, chance: random.Random) -> bytes:
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return zipped([("run.fit", bytes(chance.choice((6_000_000, 30_000_000))))], method)


def _zip_lies(content: bytes, seeds: Seeds, chance: random.Random) -> bytes:
    """Lie in the fields of a member's header or of the directory: method, flags, checksum, sizes, lengths, offset."""
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    found = bytearray(zipped([("run.fit", content), ("b.gpx", seeds.any_of("gpx", chance))], method))
    central = chance.random() < 0.7  # noqa: PLR2004  # most readers believe the directory
    start = found.find(b"PK\x01\x02" if central else b"PK\x03\x04")
    place, size = chance.choice(
        ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (42, 4)) if central
        else ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
    )  # fmt: skip
    value = chance.choice((0, 1, 9, 12, 14, 99, 0x0801, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF)) % (1 << 8 * size)
    found[start + place : start + place + size] = value.to_bytes(size, "little")
    return bytes(found)


def _zip_nested(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    found = content
    for depth in range(chance.choice((2, 3, 4, 5, 40))):
        found = zipped([("run.fit" if not depth else f"{depth}.zip", found)])
    return found


def _zip_many(content: bytes, _: Seeds, chance: random.Random) -> bytes:
    """Return one content under very many names, or under one name many times."""
    count = chance.choice((20, 2000))
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.fit", content)
        first = archive.infolist()[0]
        # Each further entry of the directory leads to the same bytes.
        archive.filelist += [_same(first, f"{n}.fit" if count > 20 else "run.fit") for n in range(count)]  # noqa: PLR2004
    return told.getvalue()


def _same(info: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    for field in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
        setattr(found, field, getattr(info, field))
    return found


def _gz(content: bytes, seeds: Seeds, chance: random.Random) -> bytes:
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: gzip.compress(bytes(30_000_000)),
        lambda: gzip.compress(gzip.compress(content)),
        lambda: _flipped(gzip.compress(content), seeds, chance),
        lambda: _truncated(gzip.compress(content), seeds, chance),
        lambda: gzip.compress(content[:500]) + gzip.compress(content[500:]),
        lambda: gzip.compress(content) + b"rubbish",
    )
    return chance.choice(kinds)()


def _zip_bytes(content: bytes, seeds: Seeds, chance: random.Random) -> bytes:
    whole = zipped([("run.fit", content), ("other/run.tcx", seeds.any_of("tcx", chance))])
    return _BYTES[chance.choice(list(_BYTES))](whole, seeds, chance)


_ZIP: Mapping[str, Mutate] = {
    "names": _zip_names,
    "bombs": _zip_bomb,
    "lying headers": _zip_lies,
    "nested": _zip_nested,
    "many entries of the same": _zip_many,
    "gzip": _gz,
    "bytes": _zip_bytes,
}
#: How the files are shared out among the formats.
SHARES: Mapping[str, int] = {"FIT": 40, "GPX": 16, "TCX": 16, "CSV": 14, "zip": 14}


def draw(format_: str, seeds: Seeds, chance: random.Random) -> Hostile:
    """Return the next hostile file of a format."""
    if format_ == "CSV":
        return csv_of(seeds, chance)
    kinds = {"FIT": _FIT, "GPX": _XML, "TCX": _XML, "zip": _ZIP}[format_]
    kind = chance.choice(list(kinds))
    # A bomb costs what the limit allows: enough of them are a few.
    while kind == "bombs" and chance.random() < 0.8:  # noqa: PLR2004
        kind = chance.choice(list(kinds))
    content = seeds.any_of("fit" if format_ == "zip" else format_.lower(), chance)
    ending = {"FIT": ".fit", "GPX": ".gpx", "TCX": ".tcx", "zip": ".fit.gz" if kind == "gzip" else ".zip"}[format_]
    return Hostile(kind, ending, kinds[kind](content, seeds, chance))
