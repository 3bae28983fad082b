"""What went wrong in a night reaches the runner as a message, once for as long as it lasts.

What is open is kept beside the cursors: it is written there before the message is, under the moment at which it began,
so that a crash between the two tells it the next night, and never twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from hamload import post
from hamload.digest.failure import Trouble, failure_subject, failure_text
from hamload.language import text
from hamload.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hamload.settings import Settings
    from hamload.warehouse import Failure

#: Of the home as a whole, not of one runner.
_SOURCE, _NOBODY = "night", ""

#: Limits open again within a day: a source that has let nothing through for so long is silent.
_TOO_LONG = dt.timedelta(days=2)

type _Open = dict[tuple[str, str], Trouble]


def tell_troubles(
    settings: Settings, failures: Sequence[Failure], now: dt.datetime, unwritten: Mapping[str, Exception]
) -> int:
    """Tell every runner what has begun to go wrong with this night. Returns how many messages are new.

    `unwritten`: whose report could not be written, and why.

    A source that fails for another reason, with another remedy, is told anew; one that works again is open no longer.
    """
    found = _sources(settings)
    for failure in failures:
        trouble = Trouble(
            text("a check of the tables"),
            f"{failure.check} failed on {failure.rows} rows. {failure.why}",
            "hamload rebuild",
        )
        found |= {(athlete.id, f"check {failure.check}"): trouble for athlete in settings.athletes}
    for athlete_id, error in unwritten.items():
        what = getattr(error, "what", f"It could not be written ({type(error).__name__}: {error}).")
        found[athlete_id, "report"] = Trouble(
            text("the report"),
            what,
            getattr(error, "remedy", "") or "Free some space in the home, then: hamload report",
        )
    return _tell(settings, found, now)


def tell_crash(settings: Settings, error: BaseException, now: dt.datetime) -> int:
    """Tell every runner that a night broke off. Returns how many messages are new."""
    kind = type(error).__name__
    what = getattr(error, "what", f"It broke off ({kind}).")
    remedy = getattr(error, "remedy", "Look at the night's log, or run: hamload sync")
    trouble = Trouble(text("the night"), what, remedy)
    found: _Open = {(athlete.id, f"crash {kind}"): trouble for athlete in settings.athletes}
    return _tell(settings, found, now, is_whole=False)


def _sources(settings: Settings) -> _Open:
    with Raw(settings.home) as raw:
        reports = raw.reports()
    labels = {(a.athlete, a.service.value): a.service.label for a in settings.accounts}
    labels |= {(settings.athlete(f.athlete).id, f"folder:{f.path}"): f"The folder {f.path}" for f in settings.folders}
    last = {(report.athlete_id, report.source): report for report in reports}
    covered = {(report.athlete_id, report.source): report.covered_until for report in reports if report.covered_until}
    answered = {
        (report.athlete_id, report.source): report.reported_at
        for report in reports
        if not report.is_failure and (report.resumes_at is None or report.covered_until)
    }
    found: _Open = {}
    for key, label in labels.items():
        report = last.get(key)
        if report is not None and report.resumes_at and not report.is_failure:
            since = answered.get(key, min(r.reported_at for r in reports if (r.athlete_id, r.source) == key))
            if report.reported_at - since >= _TOO_LONG:
                what = f"It has let nothing be read since {since:%Y-%m-%d %H:%M} UTC. {report.message}"
                trouble = Trouble(label, what, "", is_source=True, covered_until=covered.get(key))
                found[report.athlete_id, f"source {report.source} waits"] = trouble
        if report is not None and report.is_failure:
            remedy = hashlib.sha256(report.remedy.encode()).hexdigest()[:8]
            trouble = Trouble(label, report.message, report.remedy, is_source=True, covered_until=covered.get(key))
            found[report.athlete_id, f"source {report.source} {remedy}"] = trouble
    return found


def _tell(settings: Settings, found: _Open, now: dt.datetime, *, is_whole: bool = True) -> int:
    with Raw(settings.home) as raw:
        was = {tuple(key): since for *key, since in raw.cursor(_SOURCE, _NOBODY).get("open", ())}
        # A night that broke off says nothing of what was open before.
        still = {key: since for key, since in was.items() if key in found or not is_whole}
        still |= {key: now.isoformat() for key in found if key not in was}
        with raw.batch(_SOURCE, _NOBODY, now) as batch:
            batch.cursor({"open": [[*key, since] for key, since in sorted(still.items())]})
    names = {athlete.id: athlete.name or athlete.id for athlete in settings.athletes}
    language = settings.language(now.date())
    new = 0
    for (athlete_id, about), trouble in found.items():
        key = f"{about} since {still[athlete_id, about]}"
        told = failure_text(trouble, names[athlete_id], language)
        new += post.tell(settings, athlete_id, key, "failure", failure_subject(trouble, language), told, now=now)
    return new
