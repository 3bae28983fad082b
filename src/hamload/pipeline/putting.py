"""First step: offers of a source become raw documents. Nothing is decoded here; nothing that can be kept is lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hamload.errors import HamloadError
from hamload.raw import Raw
from hamload.sources import files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hamload.raw import Batch
    from hamload.settings import FolderSettings, Settings

type Progress = Callable[[str, int, int], None]
type Gaps = Literal["rest", "unknown"]

_BATCH = 64
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one import: how much was offered, was new, was known already, and was refused.

    `passed_over`: files beside the recordings that are none, and never claimed to be. `is_history`:
    taken as a whole history, whose days without a recording are rest.
    """

    offered: int
    new: int
    known: int
    refused: tuple[tuple[str, str], ...]
    passed_over: int = 0
    is_history: bool = False


def silent(_step: str, _done: int, _total: int) -> None:
    """Report no progress."""


def put_files(
    settings: Settings,
    paths: Sequence[Path],
    athlete_id: str,
    now: dt.datetime,
    *,
    sport: str = "",
    gaps: Gaps | None = None,
    through: dt.date | None = None,
    progress: Progress = silent,
) -> Put:
    """Keep what the paths hold.

    Parameters
    ----------
    sport
        Overrules the sport of recordings that do not name one.
    gaps
        What a day without a recording between the first and the last one is. None takes "rest" for a folder or an
        export, which is a whole history, and "unknown" for single files.
    through
        The files are complete up to this day, even where the last recording is older.

    """
    found = files.find(paths, _limits(settings))
    is_history = found.is_complete if gaps is None else gaps == "rest"
    with Raw(settings.home) as raw:
        facts = {"sport_hint": sport} if sport else {}
        put, documents = _put_offers(raw, found, "files", athlete_id, now, facts, progress=progress)
        with raw.batch("files", athlete_id, now) as batch:
            batch.report(is_history=is_history, documents=documents, covered_until=through)
    return replace(put, is_history=is_history)


def put_folder(settings: Settings, folder: FolderSettings, now: dt.datetime, progress: Progress = silent) -> Put:
    """Keep what is new in a watched folder, and record that it was read.

    Raises
    ------
    HamloadError
        Where the folder is gone. That is recorded as the source's failure: it makes days unknown, never rest.

    """
    athlete = settings.athlete(folder.athlete)
    source = f"folder:{folder.path}"
    path = folder.path.expanduser()
    with Raw(settings.home) as raw:
        if not path.is_dir():
            failure = HamloadError(
                f"The folder {path} is not there.",
                f"Connect it, or mend [[folders]] in {settings.home / 'config.toml'}.",
            )
            with raw.batch(source, athlete.id, now) as batch:
                batch.report(is_history=False, failure=failure)
            raise failure
        put, _ = _put_offers(raw, files.find([path], _limits(settings)), source, athlete.id, now, {}, progress=progress)
        # A day is over only when the night after it has come: today may still bring a run.
        yesterday = now.astimezone(settings.zone(athlete.id)).date() - dt.timedelta(days=1)
        with raw.batch(source, athlete.id, now) as batch:
            batch.report(is_history=folder.reports_rest, covered_until=yesterday if folder.reports_rest else None)
    return put


def _put_offers(
    raw: Raw,
    found: files.Found,
    source: str,
    athlete_id: str,
    now: dt.datetime,
    facts: dict[str, str],
    *,
    progress: Progress,
) -> tuple[Put, list[str]]:
    new = known = passed_over = 0
    documents: list[str] = []
    refused = list(found.refused)
    total = len(found.offers)
    for first in range(0, total, _BATCH):
        with raw.batch(source, athlete_id, now) as batch:
            for offer in found.offers[first : first + _BATCH]:
                try:
                    document, is_new = _put_offer(batch, offer, facts)
                except HamloadError as error:
                    if isinstance(error, _NoRecordingError) and not offer.is_claimed:
                        passed_over += 1
                        continue
                    refused.append((offer.name, str(error)))
                    batch.refuse(offer.name, str(error))
                    continue
                documents.append(document)
                new, known = new + is_new, known + (not is_new)
        progress("reading", min(first + _BATCH, total), total)
    if found.refused:
        with raw.batch(source, athlete_id, now) as batch:
            for name, reason in found.refused:
                batch.refuse(name, reason)
    offered = total + len(found.refused) - passed_over
    return Put(offered, new, known, tuple(refused), passed_over), documents


class _NoRecordingError(HamloadError):
    """What was offered is readable, and no recording."""


def _put_offer(batch: Batch, offer: files.Offer, facts: dict[str, str]) -> tuple[str, bool]:
    from hamload.decode import sniff  # noqa: PLC0415  # the readers cost start-up time that `hamload status` need not pay

    content = offer.read()
    format_ = sniff(content)
    if format_ not in {"fit", "gpx", "tcx", "json"} or (format_ == "json" and not offer.facts):
        raise _NoRecordingError(_REFUSALS.get(format_, _REFUSALS["unknown"]))
    return batch.put(content, format_, name=offer.name, external_id=offer.external_id, facts={**facts, **offer.facts})


_REFUSALS = {
    "empty": "The file is empty. Fetch it again.",
    "html": "This is a web page, probably an error message saved under a recording's name. Fetch it again.",
    "json": "This is JSON, not a recording.",
    "zip": "This archive lies too deep inside other archives. Import it by itself.",
    "gzip": "This file is compressed twice. Unpack it once and import it again.",
    "unknown": "This is neither FIT, GPX nor TCX. Export the activity as one of these, and import that.",
}


def _limits(settings: Settings) -> files.Limits:
    return files.Limits(int(settings.imports.max_file_mb * _MB), int(settings.imports.max_archive_mb * _MB))
