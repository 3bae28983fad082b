"""Hostile files, imported by the hundred beside good ones: nothing crashes or hangs, each has a reason, good ones come.

Each batch is a folder of its own, imported whole by the importer that people use, with its reader processes and their
limits, then merged, assessed and published with all checks.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hamload import pipeline, settings, warehouse
from hamload.errors import HamloadError
from hamload.pipeline.intake.putting import limits_of
from hamload.raw import Raw, document_id
from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes
from hamload.sources import files
from torture import hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hamload.settings import Settings

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
BATCH, GOOD = 400, 8
#: What one document may take of its reader here; what is shipped allows more, and takes as much longer.
MAX_SECONDS, MAX_MEMORY_MB, MAX_FILE_MB = 10, 700, 5
#: Seeds larger than this only make it slow.
_LARGEST = 60_000
_RUNNER = SimulatedRunner()


@dataclass
class Tally:
    """What became of the files of all batches."""

    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    good: int = 0
    good_arrived: int = 0
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def seeds_of(shared: Path | None) -> hostile.Seeds:
    """Return good files to begin with: real ones where there are any, and the simulator's."""
    fit = [fit_bytes(_RUNNER, PlannedRun(dt.date(2019, 5, day), dt.time(7), "easy", 6, "flat")) for day in (4, 9)]
    gpx, tcx = [_gpx(1), _gpx(2)], [_tcx(1), _tcx(2)]
    found: dict[str, list[bytes]] = {".fit": fit, ".gpx": gpx, ".tcx": tcx}
    for path in sorted((shared / "activities").rglob("*")) if shared else ():
        ending = path.suffix.lower()
        if ending in found and path.stat().st_size and path.stat().st_size <= _LARGEST * (1 if ending == ".fit" else 4):
            found[ending].append(path.read_bytes())
    return hostile.Seeds(fit, gpx, tcx)


def _gpx(number: int) -> bytes:
    points = "".join(
        f'<trkpt lat="{48.2 + 2.5e-5 * s * number:.6f}" lon="16.4"><ele>{160 + s % 7}</ele>'
        f"<time>2018-03-0{number}T06:{s // 60:02}:{s % 60:02}Z</time></trkpt>"
        for s in range(0, 600, 2)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="hand"'
        ' xmlns="http://www.topografix.com/GPX/1/1"><metadata><name>a run</name></metadata>'
        f"<trk><name>Morning</name><type>running</type><trkseg>{points}</trkseg></trk></gpx>"
    ).encode()


def _tcx(number: int) -> bytes:
    points = "".join(
        f"<Trackpoint><Time>2018-04-0{number}T06:{s // 60:02}:{s % 60:02}Z</Time><AltitudeMeters>{160 + s % 7}"
        f"</AltitudeMeters><DistanceMeters>{2.8 * s}</DistanceMeters><HeartRateBpm><Value>140</Value></HeartRateBpm>"
        "</Trackpoint>"
        for s in range(0, 600, 2)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><TrainingCenterDatabase'
        ' xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity Sport="Running">'
        f'<Id>2018-04-0{number}T06:00:00Z</Id><Lap StartTime="2018-04-0{number}T06:00:00Z"><TotalTimeSeconds>600'
        f"</TotalTimeSeconds><DistanceMeters>1680</DistanceMeters><Track>{points}</Track></Lap></Activity></Activities>"
        "</TrainingCenterDatabase>"
    ).encode()


def run(
    count: int, seed: int, shared: Path | None, told: Callable[[str], None] = lambda _line: None, batch: int = BATCH
) -> Tally:
    """Import so many hostile files, and return what became of them."""
    tally, seeds = Tally(), seeds_of(shared)
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    formats = [name for name, share in hostile.SHARES.items() for _ in range(share)]
    for first in range(0, count, batch):
        drawn = [
            (name, hostile.draw(name, seeds, chance)) for name in chance.choices(formats, k=min(batch, count - first))
        ]
        with tempfile.TemporaryDirectory(prefix="hamload-inputs-") as place:
            begun = time.monotonic()
            try:
                _imported(Path(place), drawn, tally, first)
            except Exception as error:  # noqa: BLE001  # whatever stopped an import is what is looked for
                tally.faults.append(f"the import of files {first} to {first + len(drawn)} of seed {seed}: {error!r}")
                _culprits(Path(place), drawn, tally)
            tally.seconds.append(time.monotonic() - begun)
        told(f"{first + len(drawn)} files, {tally.seconds[-1]:.0f} s, {len(tally.faults)} faults")
    return tally


def _culprits(place: Path, drawn: Sequence[tuple[str, hostile.Hostile]], tally: Tally) -> None:
    """Import each by itself, to name those that stop an import; kept in $HAMLOAD_TORTURE_KEPT where that is set."""
    for number, (format_, file) in enumerate(drawn):
        alone = place / f"alone{number}"
        try:
            _imported(alone, [(format_, file)], Tally(), number)
        except Exception as error:  # noqa: BLE001  # see above
            tally.faults.append(f"{format_}, {file.kind}: {error!r}; its bytes begin {file.content[:40]!r}")
            kept = os.environ.get("HAMLOAD_TORTURE_KEPT")
            if kept:
                (Path(kept) / f"{format_}-{number}{file.ending}").write_bytes(file.content)
        shutil.rmtree(alone, ignore_errors=True)


def _imported(place: Path, drawn: Sequence[tuple[str, hostile.Hostile]], tally: Tally, first: int) -> None:
    home, folder = place / "inside" / "home", place / "inside" / "files"
    home.mkdir(parents=True)
    folder.mkdir()
    (home / "config.toml").write_text(
        f'time_zone = "Europe/Vienna"\n[import]\nmax_seconds = {MAX_SECONDS}\nmax_memory_mb = {MAX_MEMORY_MB}\n'
        f"max_file_mb = {MAX_FILE_MB}\nmax_archive_mb = {10 * MAX_FILE_MB}\n"
    )
    named: dict[str, tuple[str, hostile.Hostile]] = {}
    for number, (format_, file) in enumerate(drawn):
        path = folder / f"{number:04}{file.ending}"
        path.write_bytes(file.content)
        named[str(path)] = format_, file
    good = []
    for number in range(GOOD):
        day = dt.date(2026, 9, 1) + dt.timedelta(days=3 * number)
        path = folder / f"good{number}.fit"
        path.write_bytes(fit_bytes(_RUNNER, PlannedRun(day, dt.time(7, 10), "easy", 8, "flat")))
        good.append(path)
    outside = _names(place, home)
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [folder], "me", NOW)
        _, failures = pipeline.refresh(current, NOW.date(), now=NOW)
    where = f"files {first} on"
    tally.faults += [f"{where}: the check {f.check} failed: {f.examples[:1]}" for f in failures]
    tally.faults += [f"{where}: a file was made outside the home: {name}" for name in _names(place, home) - outside]
    _counted(current, folder, named, tally)
    arrived = _arrived(current)
    tally.good += len(good)
    tally.good_arrived += sum(str(path) in arrived for path in good)
    tally.faults += [f"{where}: the good file {path.name} did not arrive" for path in good if str(path) not in arrived]


def _names(place: Path, home: Path) -> set[str]:
    return {str(path) for path in place.rglob("*") if not path.is_relative_to(home)}


def _arrived(current: Settings) -> set[str]:
    with warehouse.reader(current.home) as con:
        rows = con.execute(
            "select a.name from marts.session_members m join marts.activities a using (activity_id)"
        ).fetchall()
    return {name for (name,) in rows}


def _counted(current: Settings, folder: Path, named: dict[str, tuple[str, hostile.Hostile]], tally: Tally) -> None:
    """Find for each file what it became, or the reason why it became nothing."""
    with warehouse.reader(current.home) as con:
        activities = con.execute("select distinct name from marts.activities").fetchall()
        unread = con.execute("select name, reason from landing.unreadable").fetchall()
    with Raw(current.home) as raw:
        names: dict[str, list[str]] = {}
        newest: dict[str, str] = {}
        for delivery in raw.deliveries():
            names.setdefault(delivery.document_id, []).append(delivery.name)
            if delivery.external_id:
                newest[delivery.external_id] = delivery.document_id
        replaced = {d.name for d in raw.deliveries() if newest.get(d.external_id, d.document_id) != d.document_id}
    read = {name for (name,) in activities}
    reasons: dict[str, str] = {}
    for name, reason in unread:
        reasons.setdefault(name, reason)
        if (holding := _file_of(name, named)) is not None:
            reasons.setdefault(holding, reason)
    offered = _offered(current, folder, named)
    tally.faults += [f"no reason for {name}" for name, reason in unread if not reason.strip()]
    for path, (format_, file) in named.items():
        tally.kinds[format_, file.kind] += 1
        # Two files of the same bytes are one document, known by the name under which it came first.
        known = [name for document in offered.get(path, ()) for name in names.get(document, ())]
        told = [reasons[name] for name in (path, *known) if name in reasons]
        if any(name in read for name in known):
            tally.read[format_] += 1
        elif told:
            tally.reasons[format_, _kind_of(told[0])] += 1
        elif path in offered and not known:
            tally.reasons[format_, "passed over: beside recordings, named like none, and none"] += 1
        elif known and replaced.issuperset(known):
            tally.reasons[format_, "replaced: a later one has the same activity number"] += 1
        else:
            tally.faults.append(f"{format_}, {file.kind}: {Path(path).name} is neither read nor refused")
        tally.faults += [f"{format_}, {file.kind}: {line}" for line in told if "hamload itself failed" in line]


def _offered(current: Settings, folder: Path, named: dict[str, tuple[str, hostile.Hostile]]) -> dict[str, list[str]]:
    """Return the documents that each file offers."""
    found: dict[str, list[str]] = {}
    for offer in files.find([folder], limits_of(current)).offers:
        documents = found.setdefault(_file_of(offer.name, named) or offer.name, [])
        with suppress(HamloadError):
            documents.append(document_id(offer.read()))
    return found


def _file_of(name: str, named: dict[str, tuple[str, hostile.Hostile]]) -> str | None:
    """Return the file that something lies in: itself, or the archive around it."""
    for end in re.finditer(r"(?=[/#,])|$", name):
        if name[: end.start()] in named:
            return name[: end.start()]
    return None


_GENERAL = (
    (r"'[^']*'|\"[^\"]*\"", "…"),
    (r"/\S+", "…"),
    (r"0x[0-9a-f]+", "n"),
    (r"-?\d[\d.,e+]*", "n"),
    (r"(…|n)([ ,]+(…|n))+", "…"),
)


def _kind_of(reason: str) -> str:
    """Return a reason without its numbers and names."""
    for pattern, instead in _GENERAL:
        reason = re.sub(pattern, instead, reason)
    return reason[:110]


def most(tally: Tally, format_: str, shown: int = 8) -> Iterator[tuple[str, int]]:
    """Yield the commonest reasons of a format, and how many had others."""
    found = [(reason, count) for (name, reason), count in tally.reasons.most_common() if name == format_]
    yield from found[:shown]
    if len(found) > shown:
        yield f"{len(found) - shown} other reasons", sum(count for _, count in found[shown:])
