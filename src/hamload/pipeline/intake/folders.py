"""First step, of a watched folder: what is new in it, what was written anew, what was renamed, and what is gone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from hamload.errors import HamloadError
from hamload.pipeline.intake.putting import counts_of, limits_of, put_offers
from hamload.pipeline.noting.nights import stepped
from hamload.pipeline.noting.progress import silent
from hamload.raw import Raw
from hamload.sources import files

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from hamload.pipeline.intake.putting import Put
    from hamload.pipeline.noting.progress import Progress
    from hamload.settings import FolderSettings, Settings


@stepped("read folder", lambda put, *_, **__: counts_of(put))
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
        put, held = _all_of(
            put_offers(raw, replace(found, offers=tuple(fresh)), source, athlete.id, now, {}, progress=progress)
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


def _all_of[T](steps: Generator[None, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("T", end.value)


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
