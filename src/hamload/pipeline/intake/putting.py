"""First step: offers of a source become raw documents. Nothing is decoded here; nothing that can be kept is lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hamload.errors import ConfigurationError, HamloadError, UnreadableError
from hamload.pipeline.noting.nights import stepped
from hamload.pipeline.noting.progress import silent
from hamload.raw import Raw
from hamload.sources import files, strava_export

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hamload.pipeline.noting.progress import Progress
    from hamload.raw import Batch
    from hamload.settings import FolderSettings, Settings

type Gaps = Literal["rest", "unknown"]

_BATCH = 64
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one import: how much was offered, was new, was known already, and was refused.

    `passed_over`: files beside the recordings that are none, and never claimed to be. `is_history`:
    taken as a whole history, whose days without a recording are rest. `names`: everything that was offered; `unread`:
    what of it was not kept; `shut`: files and folders that the disk or their rights let nobody read.
    """

    offered: int
    new: int
    known: int
    refused: tuple[tuple[str, str], ...]
    passed_over: int = 0
    is_history: bool = False
    names: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    shut: tuple[str, ...] = ()


def _counts(put: Put) -> dict[str, int]:
    return {"offered": put.offered, "new": put.new, "known": put.known, "refused": len(put.refused)}


@stepped("put files", lambda put, *_, **__: _counts(put))
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
        The files are complete up to this day, even where the last recording is older: that makes single files a
        history too.

    Raises
    ------
    ConfigurationError
        Where a path does not exist, or `through` vouches for days that nobody can know or that `gaps` calls unknown.

    """
    if through is not None:
        _check_through(through, gaps, now.astimezone(settings.zone(athlete_id)).date())
    paths = [path.absolute() for path in paths]
    found = files.find(paths, limits_of(settings), but=settings.home)
    is_history = (found.is_complete or through is not None) if gaps is None else gaps == "rest"
    with Raw(settings.home) as raw:
        facts = {"sport_hint": sport} if sport else {}
        put, documents = _put_offers(raw, found, "files", athlete_id, now, facts, progress=progress)
        with raw.batch("files", athlete_id, now) as batch:
            batch.settle([str(path) for path in paths], {name for name, _ in put.refused})
            # A report without documents speaks of all that its source ever gave: an empty folder must not.
            batch.report(
                is_history=is_history and bool(documents), documents=list(documents.values()), covered_until=through
            )
    return replace(put, is_history=is_history)


def vouch(settings: Settings, athlete_id: str, now: dt.datetime, through: dt.date) -> None:
    """Record the runner's word that what was imported is their whole history up to a day: after it came rest."""
    with Raw(settings.home) as raw, raw.batch("files", athlete_id, now) as batch:
        batch.report(is_history=True, covered_until=through)


def _check_through(through: dt.date, gaps: Gaps | None, today: dt.date) -> None:
    if through > today:
        raise ConfigurationError(
            f"--through {through} lies in the future: nobody knows yet which of those days are rest.",
            f"Name {today} or an earlier day.",
        )
    if gaps == "unknown":
        raise ConfigurationError(
            "--through says that the files are complete, --gaps unknown that they are not.", "Say one of the two."
        )


@stepped("read folder", lambda put, *_, **__: _counts(put))
def put_folder(settings: Settings, folder: FolderSettings, now: dt.datetime, progress: Progress = silent) -> Put:
    """Keep what is new in a watched folder, and record that it was read.

    Raises
    ------
    HamloadError
        Where the folder is gone, cannot be read in some place, or holds no recording although it has held some: a disk
        that is not connected often leaves a folder in its place, empty or with a note in it. That is recorded as the
        source's failure: it makes days unknown, never rest.

    """
    athlete = settings.athlete(folder.athlete)
    source = f"folder:{folder.path}"
    path = folder.path.expanduser()
    with Raw(settings.home) as raw:
        has_held = any(d.source == source for d in raw.deliveries(athlete.id))
        seen = {name: _Seen.of(told) for name, told in raw.cursor(source, athlete.id).items()}
        if not path.is_dir():
            raise _lost(raw, settings, folder, now, "is not there")
        stamps = {name: one.stamp for name, one in seen.items()}
        found = files.find([path], limits_of(settings), but=settings.home, known=stamps)
        if not found.offers and has_held:
            raise _lost(raw, settings, folder, now, "is empty, though it has held recordings")
        fresh = _fresh(found.offers, seen)
        put, held = _put_offers(
            raw, replace(found, offers=tuple(fresh)), source, athlete.id, now, {}, progress=progress
        )
        put = _with_seen(put, found.offers, len(found.offers) - len(fresh))
        holds = {o.name: held.get(o.name) or seen[o.name].document_id for o in found.offers if o.name in {*held, *seen}}
        if not holds and has_held:
            raise _lost(raw, settings, folder, now, "holds no recording any more, though it has held some")
        still = {offer.name for offer in found.offers}
        gone = sum(name not in still and one.document_id not in holds.values() for name, one in seen.items())
        # A day is over only when the night after it has come: today may still bring a run.
        yesterday = now.astimezone(settings.zone(athlete.id)).date() - dt.timedelta(days=1)
        with raw.batch(source, athlete.id, now) as batch:
            batch.settle([str(path)], {name for name, _ in put.refused})
            held_before = {name: one.document_id for name, one in seen.items()}
            renamed = _renamed(batch.names(), holds, held_before)
            for document, name in renamed.items():
                batch.rename(document, name, is_held=False)
            for name in sorted(set(renamed.values()) & holds.keys()):
                # What has joined its past must not pass for newer.
                batch.rename(holds[name], name, is_held=True)
            # What was refused or passed over is looked at again: another version may read it.
            batch.cursor({o.name: [o.stamp, holds[o.name]] for o in found.offers if o.name not in put.unread})
            vouches = folder.reports_rest and not put.shut
            batch.report(
                is_history=vouches,
                covered_until=yesterday if vouches else None,
                note=_GONE.format(gone, len(seen)) if gone else "",
            )
        if put.shut:
            # What can be read of it is kept by now; but nobody can vouch for days of which the rest may tell.
            more = f", nor {len(put.shut) - 1} more" if len(put.shut) > 1 else ""
            raise _lost(raw, settings, folder, now, f"cannot be read as a whole: not {put.shut[0]}{more}")
    return put


_GONE = "No longer in the folder since it was read last: {} of {} recordings. What they held stays counted."


def _lost(raw: Raw, settings: Settings, folder: FolderSettings, now: dt.datetime, what: str) -> HamloadError:
    """Record that a watched folder failed, and return the error that says so."""
    failure = HamloadError(
        f"The folder {folder.path.expanduser()} {what}.",
        f"Connect it, mend its rights, or mend [[folders]] in {settings.home / 'config.toml'}.",
    )
    with raw.batch(f"folder:{folder.path}", settings.athlete(folder.athlete).id, now) as batch:
        batch.report(is_history=False, failure=failure)
    return failure


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a file of a watched folder was when it was read last: its stamp, and the document that it held."""

    stamp: str
    document_id: str

    @classmethod
    def of(cls, told: str | Sequence[str]) -> _Seen:
        """Read it from the cursor; one of an earlier hamload names no document."""
        return cls(told, "") if isinstance(told, str) else cls(*told)


def _fresh(offers: Sequence[files.Offer], seen: Mapping[str, _Seen]) -> list[files.Offer]:
    """Return what is to be read: what is new or was written anew, then the other files that hold what those held."""
    fresh = [
        o for o in offers if not o.stamp or not (one := seen.get(o.name)) or one.stamp != o.stamp or not one.document_id
    ]
    held_before = {seen[o.name].document_id for o in fresh if o.name in seen}
    names = {o.name for o in fresh}
    asked = {name for name, one in seen.items() if one.document_id in held_before}
    return fresh + [o for o in offers if o.name in asked and o.name not in names]


def _renamed(delivered: Mapping[str, str], holds: Mapping[str, str], held_before: Mapping[str, str]) -> dict[str, str]:
    """Return, by document, the file in which it is followed from now on, where the one that it came in lost it.

    Parameters
    ----------
    delivered
        By document, the file in which it was delivered.
    holds, held_before
        By file of the folder, the document that it holds now, and the one that it held when it was read last.

    """
    now: dict[str, list[str]] = {}
    former: dict[str, list[str]] = {}
    for told, by in ((now, holds), (former, held_before)):
        for name, document in sorted(by.items()):
            told.setdefault(document, []).append(name)
    found = {}
    for document, name in delivered.items():
        if holds.get(name) == document:
            continue
        others = now.get(document, [])
        if not others and name not in holds:
            others = [other for other in former.get(document, []) if other in holds]
        if others:
            found[document] = others[0]
    # What a file held before goes where goes what it held last.
    moved = {name: found[document] for name, document in held_before.items() if document in found}
    past = {d: moved[n] for d, n in delivered.items() if d not in found and holds.get(n) != d and n in moved}
    # Where a file holds what is followed in another one, its past is followed there too.
    for document, name in delivered.items():
        held = holds.get(name)
        if held is not None and held != document and document not in found | past:
            followed = found.get(held, delivered.get(held))
            if followed is not None and followed != name:
                past[document] = followed
    return found | past


def _with_seen(put: Put, offers: Sequence[files.Offer], seen: int) -> Put:
    """Return what became of a folder of which so many files are those of an earlier night, untouched since."""
    names = put.names | {offer.name for offer in offers}
    return replace(put, offered=put.offered + seen, known=put.known + seen, names=names)


def _put_offers(
    raw: Raw,
    found: files.Found,
    source: str,
    athlete_id: str,
    now: dt.datetime,
    facts: dict[str, str],
    *,
    progress: Progress,
) -> tuple[Put, dict[str, str]]:
    """Keep what is offered. Returns what became of it, and by name the document that it was kept as."""
    new = known = 0
    documents: dict[str, str] = {}
    passed: list[str] = []
    refused, shut = list(found.refused), list(found.shut)
    total = len(found.offers)
    for first in range(0, total, _BATCH):
        with raw.batch(source, athlete_id, now) as batch:
            for offer in found.offers[first : first + _BATCH]:
                try:
                    document, is_new = _put_offer(batch, offer, facts)
                except HamloadError as error:
                    if isinstance(error, _ShutError):
                        shut.append(offer.name)
                    if isinstance(error, _NoRecordingError) and not offer.is_claimed:
                        passed.append(offer.name)
                        continue
                    reason = str(error)
                    if (summary := strava_export.summary(offer.facts)) is not None:
                        reason = f"{reason} {strava_export.STANDS_IN}"
                        put = batch.put(
                            summary, "json", name=offer.name, external_id=offer.external_id, facts=offer.facts
                        )
                        documents[offer.name] = put[0]
                    refused.append((offer.name, reason))
                    batch.refuse(offer.name, reason)
                    continue
                documents[offer.name] = document
                new, known = new + is_new, known + (not is_new)
        progress("reading", min(first + _BATCH, total), total)
    if found.refused:
        with raw.batch(source, athlete_id, now) as batch:
            for name, reason in found.refused:
                batch.refuse(name, reason)
    offered = total + len(found.refused) - len(passed)
    names = frozenset([offer.name for offer in found.offers] + [name for name, _ in refused])
    unread = frozenset([*passed, *(name for name, _ in refused)])
    became = Put(offered, new, known, tuple(refused), len(passed), names=names, unread=unread, shut=tuple(shut))
    return became, documents


class _ShutError(UnreadableError):
    """What was offered is there, and cannot be read."""


class _NoRecordingError(HamloadError):
    """What was offered is readable, and no recording."""


def _put_offer(batch: Batch, offer: files.Offer, facts: dict[str, str]) -> tuple[str, bool]:
    from hamload.decode import sniff  # noqa: PLC0415  # the readers cost start-up time that `hamload status` need not pay

    try:
        content = offer.read()
    except OSError as error:
        # A file that was taken away meanwhile is not there: that is no secret.
        kind = UnreadableError if isinstance(error, FileNotFoundError) else _ShutError
        raise kind(
            f"This file cannot be read: {error.strerror or error}.", "Check its rights and import it again."
        ) from error
    format_ = sniff(content)
    if format_ not in {"fit", "gpx", "tcx", "json"} or (format_ == "json" and not offer.facts):
        raise _NoRecordingError(_REFUSALS.get(format_, _REFUSALS["unknown"]))
    return batch.put(content, format_, name=offer.name, external_id=offer.external_id, facts={**facts, **offer.facts})


_REFUSALS = {
    "empty": "The file is empty. Fetch it again.",
    "html": "This is a web page, probably an error message saved under a recording's name. Fetch it again.",
    "json": "This is JSON, not a recording.",
    "zip": "This archive is cut off, or lies too deep inside other archives. Fetch it again, or import it by itself.",
    "gzip": "This file is compressed twice. Unpack it once and import it again.",
    "unknown": "This is neither FIT, GPX nor TCX. Export the activity as one of these, and import that.",
}


def limits_of(settings: Settings) -> files.Limits:
    """Return what one file and one archive may unpack to."""
    return files.Limits(int(settings.imports.max_file_mb * _MB), int(settings.imports.max_archive_mb * _MB))
