"""Files as a source: folders, single recordings, archives, Strava's bulk export. Reads and names, decodes nothing.

`find` lists without reading, so that a progress bar knows its end; each `Offer.read` gives the bytes of one recording,
or says why it will not. Nothing is ever unpacked to the disk.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import time
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from hamload.errors import ConfigurationError, HamloadError, UnreadableError, UnsafeArchiveError
from hamload.sources import strava_export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_MB = 1_000_000
_ARCHIVE_DEPTH = 3
#: The whole disk leads into the other three, where a read may never end.
_NOT_FILES = frozenset({"/", "/proc", "/sys", "/dev"})
#: FAT keeps times to two seconds.
_TICK_S = 3
#: Endings that claim to hold a recording; an archive that can be opened never comes to be judged by its own.
_CLAIMED = (".fit", ".gpx", ".tcx", ".zip")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file, and one archive, may unpack to, in bytes."""

    file_bytes: int
    archive_bytes: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may be a recording. `facts` is what an export's own table says of it.

    `is_claimed`: its name, its table, or the user who named it says that it is a recording. Of the others (photos,
    notes) in a folder or an archive, only what turns out to be one counts. `stamp`: changes whenever the file or its
    facts do; empty where that cannot be told.
    """

    name: str
    read: Callable[[], bytes]
    external_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    is_claimed: bool = True
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the paths hold. `is_complete` says that it is a whole history (a folder or an export), not single files."""

    offers: tuple[Offer, ...]
    refused: tuple[tuple[str, str], ...]
    is_complete: bool
    #: Folders that could not be looked into: what they hold is not known.
    shut: tuple[str, ...] = ()


def find(
    paths: Sequence[Path], limits: Limits, but: Path | None = None, known: Mapping[str, str] | None = None
) -> Found:
    """List the recordings under `paths`: folders (recursively), files, `.gz`, zips, and zips within zips.

    `but` is a folder that is not gone into: a home of hamload's, whose documents would pass for recordings. `known` are
    the stamps of files that were offered before, by their names: one that still has its stamp is not opened.

    Raises
    ------
    ConfigurationError
        Where a path does not exist, or is the whole disk: then nothing is imported.

    """
    for path in paths:
        try:
            is_there = path.exists()
        except OSError as error:
            raise ConfigurationError(
                f"This path cannot be followed: {error.strerror}.", "Check its spelling."
            ) from None
        if not is_there:
            raise ConfigurationError(f"There is nothing at {_printable(str(path))}.", "Check the path's spelling.")
        if str(path.resolve()) in _NOT_FILES:
            raise ConfigurationError(
                f"{path} is the whole machine, or what it makes up as it is read.",
                "Name the folder that holds your recordings.",
            )
    offers: list[Offer] = []
    refused: list[tuple[str, str]] = []
    shut: list[str] = []
    for path in paths:
        for item in _folder(path, limits, but, known or {}) if path.is_dir() else _file(path, limits, known or {}):
            if isinstance(item, Offer):
                offers.append(item)
            else:
                refused.append((item[0], item[1]))
            if isinstance(item, _Shut):
                shut.append(item.name)
    is_complete = any(path.is_dir() or (path.is_file() and zipfile.is_zipfile(path)) for path in paths)
    return Found(tuple(offers), tuple(refused), is_complete, tuple(shut))


class _Shut(NamedTuple):
    name: str
    reason: str


type _Item = Offer | tuple[str, str]


def _folder(folder: Path, limits: Limits, but: Path | None, known: Mapping[str, str]) -> Iterator[_Item]:
    tables: list[tuple[str, strava_export.Export]] = []
    found: set[str] = set()
    closed: list[OSError] = []
    for place, subfolders, names in os.walk(folder, onerror=closed.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".") and not _is(place, name, but))
        if strava_export.TABLE in names:
            names.remove(strava_export.TABLE)
            table = Path(place) / strava_export.TABLE
            try:
                export = strava_export.read(table.read_bytes())
            except OSError as error:
                yield str(table), f"This table cannot be read: {error.strerror or error}."
            else:
                tables.append((f"{place}{os.sep}", export))
        for name in sorted(names):
            path = Path(place) / name
            if name.startswith("."):
                continue
            found.add(str(path))
            facts = _facts_of(str(path), tables)
            for item in _file(path, limits, known):
                yield _with_facts(_as_claimed(item, name), facts)
    for shut in closed:
        yield _Shut(_printable(str(shut.filename)), f"This folder cannot be read: {shut.strerror}. Check its rights.")
    for root, export in tables:
        yield from _without_file(export, f"{root}{strava_export.TABLE}", {f.removeprefix(root) for f in found})


def _is(place: str, name: str, folder: Path | None) -> bool:
    return folder is not None and name == folder.name and Path(place, name).resolve() == folder.resolve()


def _facts_of(name: str, tables: list[tuple[str, strava_export.Export]]) -> dict[str, Any] | None:
    """Return what the nearest table above a file says of it."""
    for root, export in reversed(tables):
        if name.startswith(root) and (facts := export.of_file.get(name.removeprefix(root))) is not None:
            return facts
    return None


def _file(path: Path, limits: Limits, known: Mapping[str, str]) -> Iterator[_Item]:
    try:
        if not path.is_file():
            yield str(path), "This is not a regular file."
            return
        try:
            stamp = _stamp(path)
        except OSError as error:
            yield str(path), f"This file cannot be looked at: {error.strerror}."
            return
        if stamp and f"{known.get(_printable(str(path)), '')}/".startswith(f"{stamp}/"):
            # What the table beside it tells is part of a stamp too, and added to it afterwards.
            yield _offer(path, limits, stamp)
            return
        if zipfile.is_zipfile(path):
            is_empty = True
            for item in _archive(zipfile.ZipFile(path), str(path), limits, _ARCHIVE_DEPTH):
                is_empty = False
                yield item
            if is_empty:
                yield str(path), "This archive holds no recording, and no table that names an activity."
            return
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        yield str(path), f"This archive cannot be opened: {error}."
        return
    yield _offer(path, limits, stamp)


def _offer(path: Path, limits: Limits, stamp: str) -> Offer:
    return Offer(_printable(str(path)), lambda: _plain(_bounded(path, limits), limits), stamp=stamp)


def _stamp(path: Path) -> str:
    """Return size and times of a file; none for one that changed just now: it may change again within the same tick."""
    status = path.stat()
    if time.time() - max(status.st_mtime, status.st_ctime) < _TICK_S:
        return ""
    return f"{status.st_size}/{status.st_mtime_ns}/{status.st_ctime_ns}"


def _printable(name: str) -> str:
    """Return a name that can be stored and shown; the bytes of a foreign encoding become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _bounded(path: Path, limits: Limits) -> bytes:
    if path.stat().st_size > limits.file_bytes:
        raise UnsafeArchiveError(
            f"This file is larger than {limits.file_bytes / _MB:,.0f} MB.",
            "If it is a real recording, raise [import] max_file_mb in config.toml.",
        )
    return path.read_bytes()


def _archive(archive: zipfile.ZipFile, name: str, limits: Limits, depth: int) -> Iterator[_Item]:
    members = [m for m in archive.infolist() if not m.is_dir() and not _is_hidden(m.filename)]
    total = sum(m.file_size for m in members)
    if total > limits.archive_bytes:
        yield (
            name,
            (
                f"This archive unpacks to {total / _MB:,.0f} MB, more than the {limits.archive_bytes / _MB:,.0f} MB"
                " allowed ([import] max_archive_mb)."
            ),
        )
        return
    table = next((m for m in members if PurePosixPath(m.filename).name == strava_export.TABLE), None)
    export = strava_export.NONE
    try:
        export = strava_export.read(_member(archive, table, limits)) if table else export
    except HamloadError as error:
        yield f"{name}/{strava_export.TABLE}", str(error)
    root = table.filename.removesuffix(strava_export.TABLE) if table else ""
    for member in members:
        if member is table:
            continue
        label = f"{name}/{member.filename}"
        if _leaves(member.filename):
            yield label, "This member names a path outside the archive. It was left out; the others were read."
            continue
        if member.filename.lower().endswith(".zip") and depth == 1:
            yield label, "This archive lies too deep inside other archives. Import it by itself."
            continue
        if member.filename.lower().endswith(".zip"):
            try:
                inner = zipfile.ZipFile(io.BytesIO(_member(archive, member, limits)))
            except (zipfile.BadZipFile, HamloadError, OSError) as error:
                yield label, f"This archive cannot be opened: {error}"
            else:
                yield from _archive(inner, label, limits, depth - 1)
            continue
        offer = Offer(label, _reader(archive, member, limits))
        yield _with_facts(_as_claimed(offer, member.filename), export.of_file.get(member.filename.removeprefix(root)))
    present = {m.filename.removeprefix(root) for m in members}
    yield from _without_file(export, f"{name}/{root}{strava_export.TABLE}", present)


def _with_facts(item: _Item, facts: dict[str, Any] | None) -> _Item:
    if facts is None or not isinstance(item, Offer):
        return item
    told = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    stamp = item.stamp and f"{item.stamp}/{told}"
    return replace(item, external_id=str(facts["external_id"]), facts=facts, is_claimed=True, stamp=stamp)


def _as_claimed(item: _Item, name: str) -> _Item:
    if isinstance(item, Offer) and not name.lower().removesuffix(".gz").endswith(_CLAIMED):
        return replace(item, is_claimed=False)
    return item


def _without_file(export: strava_export.Export, table: str, present: set[str]) -> Iterable[_Item]:
    """Offer the activities of which the table's row is all there is: typed in by hand, or their file is missing."""
    missing = {name: facts for name, facts in export.of_file.items() if name not in present}
    for name, facts in missing.items():
        stands_in = strava_export.summary(facts) is not None
        told = strava_export.STANDS_IN if stands_in else "The table says too little to stand in for it."
        yield f"{table}#{facts['external_id']}", f"The recording {name} is missing. {told}"
    for facts in (*export.without_file, *missing.values()):
        content = strava_export.summary(facts)
        if content is not None:
            yield Offer(f"{table}#{facts['external_id']}", _constant(content), str(facts["external_id"]), facts)
    yield from ((f"{table}, line {line}", reason) for line, reason in export.refused)


def _constant(content: bytes) -> Callable[[], bytes]:
    return lambda: content


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> Callable[[], bytes]:
    return lambda: _plain(_member(archive, member, limits), limits)


#: What unpacking raises where a member is encrypted, spoilt, or packed in a way that there is no unpacker for.
_SPOILT = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    MemoryError,
)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> bytes:
    try:
        with archive.open(member) as stream:
            content = stream.read(limits.file_bytes + 1)
    except _SPOILT as error:
        raise UnreadableError(f"This archive member cannot be unpacked: {error or type(error).__name__}.") from None
    if len(content) > limits.file_bytes:
        raise UnsafeArchiveError(
            f"This file unpacks to more than {limits.file_bytes / _MB:,.0f} MB.",
            "If it is a real recording, raise [import] max_file_mb in config.toml.",
        )
    return content


def _plain(content: bytes, limits: Limits) -> bytes:
    """Return the content of a file that may be gzipped, bounded."""
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(limits.file_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(f"This gzip file cannot be unpacked: {error}.", "Fetch it again.") from None
    if len(plain) > limits.file_bytes:
        raise UnsafeArchiveError(
            f"This file unpacks to more than {limits.file_bytes / _MB:,.0f} MB.",
            "If it is a real recording, raise [import] max_file_mb in config.toml.",
        )
    return plain


def _is_hidden(member: str) -> bool:
    path = PurePosixPath(member)
    return not _leaves(member) and (path.name.startswith(".") or path.parts[0] == "__MACOSX")


def _leaves(member: str) -> bool:
    path = PurePosixPath(member.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (len(member) > 1 and member[1] == ":")
