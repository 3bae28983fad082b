"""First step: offers of a source become raw documents. Nothing is decoded here; nothing that can be kept is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hamload.errors import ConfigurationError, HamloadError, UnreadableError
from hamload.pipeline.noting.nights import stepped
from hamload.pipeline.noting.progress import silent
from hamload.raw import Raw
from hamload.sources import files, strava_export

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from hamload.pipeline.noting.progress import Progress
    from hamload.raw import Batch
    from hamload.settings import Settings

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


def counts_of(put: Put) -> dict[str, int]:
    """Return what the log is told of it."""
    return {"offered": put.offered, "new": put.new, "known": put.known, "refused": len(put.refused)}


class Arriving:
    """What paths hold, on its way to the raw documents: each step puts some of it."""

    def __init__(
        self,
        settings: Settings,
        paths: Sequence[Path],
        athlete_id: str,
        now: dt.datetime,
        *,
        sport: str = "",
        gaps: Gaps | None = None,
        through: dt.date | None = None,
        progress: Progress = silent,
    ) -> None:
        """Look what is there.

        Parameters
        ----------
        settings, paths, athlete_id, now
            Whose home, what to keep, whose recordings they are, and the moment.
        sport
            Overrules the sport of recordings that do not name one.
        gaps
            What a day without a recording between the first and the last one is. None takes "rest" for a folder or an
            export, which is a whole history, and "unknown" for single files.
        through
            The files are complete up to this day, even where the last recording is older: that makes single files a
            history too.
        progress
            Is told how many were put.

        Raises
        ------
        ConfigurationError
            Where a path does not exist, or `through` vouches for days that nobody can know or that `gaps` calls
            unknown.

        """
        if through is not None:
            _check_through(through, gaps, now.astimezone(settings.zone(athlete_id)).date())
        self._paths = [path.absolute() for path in paths]
        self._found = files.find(self._paths, limits_of(settings), but=settings.home)
        complete = self._found.is_complete or through is not None
        self._is_history = complete if gaps is None else gaps == "rest"
        self._settings, self._athlete_id, self._now = settings, athlete_id, now
        self._facts = {"sport_hint": sport} if sport else {}
        self._through, self._progress = through, progress
        self._put: Put | None = None
        self._steps = self._putting()

    def __iter__(self) -> Iterator[None]:
        return self._steps

    def close(self) -> None:
        """Leave the rest where it is. What was put is kept."""
        self._steps.close()

    @property
    def put(self) -> Put:
        """What became of it, once all of it has been put."""
        for _ in self._steps:
            pass
        if self._put is None:
            raise RuntimeError("What was on its way broke off.")
        return self._put

    def _putting(self) -> Generator[None]:
        with Raw(self._settings.home) as raw:
            put, documents = yield from put_offers(
                raw, self._found, "files", self._athlete_id, self._now, self._facts, progress=self._progress
            )
            with raw.batch("files", self._athlete_id, self._now) as batch:
                batch.settle([str(path) for path in self._paths], {name for name, _ in put.refused})
                # A report without documents speaks of all that its source ever gave: an empty folder must not.
                batch.report(
                    is_history=self._is_history and bool(documents),
                    documents=list(documents.values()),
                    covered_until=self._through,
                )
        self._put = replace(put, is_history=self._is_history)


def put_files(settings: Settings, paths: Sequence[Path], athlete_id: str, now: dt.datetime, **options: Any) -> Put:
    """Keep what the paths hold: parameters and errors are those of `Arriving`."""
    return _put_all(Arriving(settings, paths, athlete_id, now, **options))


@stepped("put files", lambda put, *_: counts_of(put))
def _put_all(arriving: Arriving) -> Put:
    return arriving.put


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


def put_offers(
    raw: Raw,
    found: files.Found,
    source: str,
    athlete_id: str,
    now: dt.datetime,
    facts: dict[str, str],
    *,
    progress: Progress,
) -> Generator[None, None, tuple[Put, dict[str, str]]]:
    """Keep what is offered, some at each step. Returns what became of it, and by name the document it was kept as."""
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
        yield
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
