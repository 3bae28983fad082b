"""First step, for live sources: what a service gives becomes raw documents, page by page, each with its cursor.

One account fails alone: why, and what mends it, is reported in the ledger beside what was fetched before. Nothing here
signs in, sleeps for a limit, or asks twice in a night for what failed.
"""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hamload import settings as configuration
from hamload.errors import HamloadError
from hamload.pipeline.intake import own
from hamload.pipeline.intake.connecting import (
    KEY_VARIABLE,
    garmin_connection,
    personal_connection,
    strava_app,
    strava_host,
    strava_session,
)
from hamload.pipeline.noting.progress import silent
from hamload.raw import Raw
from hamload.records import Service
from hamload.sources.access import Access

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterator
    from typing import Any

    from hamload.pipeline.noting.progress import Progress
    from hamload.records import OwnService
    from hamload.settings import AccountSettings, Settings
    from hamload.sources.pages import Page

#: A cursor that belongs to no runner.
_NOBODY = ""
_LATER = "The next run goes on from there."


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one account gave in one run.

    `new`: documents that this runner did not have. `gone`: activities that the service no longer has. `resumes_at`: a
    limit ended the run, and nothing may be asked before. `notes` are sentences for the runner.
    """

    service: Service | OwnService
    athlete_id: str
    new: int
    known: int
    gone: int
    names: frozenset[str]
    covered_until: dt.date | None
    resumes_at: dt.datetime | None
    notes: tuple[str, ...]


def fetch_account(
    settings: Settings, account: AccountSettings, now: dt.datetime, progress: Progress = silent
) -> Fetched:
    """Fetch what is new in one account, and record how that ended.

    Raises
    ------
    HamloadError
        Where the account could not be read to the end; what was fetched before is kept, and the failure is recorded.

    """
    athlete_id = account.athlete
    # Whose day it is decides which day is over.
    now = now.astimezone(settings.zone(athlete_id))
    with Raw(settings.home) as raw:
        taking = _Taking(raw, account, now, progress)
        try:
            deadline = time.monotonic() + 60 * settings.fetch.max_minutes
            with closing(_pages(settings, account, now, raw)) as pages:
                for page in pages:
                    taking.put(page)
                    if time.monotonic() > deadline and page.resumes_at is None:
                        taking.say(f"It took longer than {settings.fetch.max_minutes:g} minutes. {_LATER}")
                        break
        except HamloadError as error:
            taking.fail(error)
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours at one account must not cost the others their night
            # Its text may hold a secret of the request that it came from: what is told is where it was raised.
            failure = HamloadError(
                f"hamload itself failed at {account.service.label}: {type(error).__name__} in {_place(error)}.",
                "Please report it.",
            )
            taking.fail(failure)
            raise failure from None
    return taking.fetched()


class _Taking:
    """Puts pages, each with its cursor in one commit, and keeps the night's report true while it does."""

    def __init__(self, raw: Raw, account: AccountSettings, now: dt.datetime, progress: Progress) -> None:
        self._raw, self._account, self._now, self._progress = raw, account, now, progress
        self._new = self._known = self._gone = 0
        self._names: set[str] = set()
        self._covered_until: dt.date | None = None
        self._resumes_at: dt.datetime | None = None
        self._notes: list[str] = []

    def put(self, page: Page) -> None:
        self._notes += [page.note] if page.note and page.note not in self._notes else []
        self._covered_until = page.covered_until or self._covered_until
        self._resumes_at = page.resumes_at
        with self._raw.batch(self._account.service.value, self._account.athlete, self._now) as batch:
            for document in page.documents:
                _, is_new = batch.put(
                    document.content,
                    document.format,
                    name=document.name,
                    external_id=document.external_id,
                    facts=document.facts,
                )
                self._new, self._known = self._new + is_new, self._known + (not is_new)
                self._names.add(document.name)
            for external_id in page.gone:
                batch.withdraw(external_id)
            self._gone += len(page.gone)
            batch.cursor(page.cursor)
            batch.report(
                is_history=page.covered_until is not None,
                covered_until=page.covered_until,
                note=" ".join(self._notes),
                resumes_at=page.resumes_at,
            )
        self._progress(self._account.service.label, self._new + self._known, 0)

    def say(self, note: str) -> None:
        self._notes.append(note)
        with self._raw.batch(self._account.service.value, self._account.athlete, self._now) as batch:
            batch.report(is_history=False, note=" ".join(self._notes))

    def fail(self, error: HamloadError) -> None:
        with self._raw.batch(self._account.service.value, self._account.athlete, self._now) as batch:
            batch.report(is_history=False, failure=error)

    def fetched(self) -> Fetched:
        return Fetched(
            service=self._account.service,
            athlete_id=self._account.athlete,
            new=self._new,
            known=self._known,
            gone=self._gone,
            names=frozenset(self._names),
            covered_until=self._covered_until,
            resumes_at=self._resumes_at,
            notes=tuple(self._notes),
        )


def _place(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{Path(at.tb_frame.f_code.co_filename).name}, line {at.tb_lineno}" if at else "an unknown place"


def _pages(settings: Settings, account: AccountSettings, now: dt.datetime, raw: Raw) -> Generator[Page]:
    access = Access.of(settings.home, account.athlete)

    def cursor() -> dict[str, Any]:
        return raw.cursor(account.service.value, account.athlete)

    match account.service:
        case Service.STRAVA:
            yield from _strava(settings, access, cursor, now, raw)
        case Service.GARMIN:
            yield from _garmin(settings, access, cursor(), now)
        case Service.GARMIN_PERSONAL:
            yield from _garmin_personal(settings, access, cursor(), now)
        case _:
            yield from own.fetch(settings.home, account, cursor(), now)


def _strava(settings: Settings, access: Access, cursor: Any, now: dt.datetime, raw: Raw) -> Iterator[Page]:
    from dataclasses import replace  # noqa: PLC0415

    from hamload.sources import strava  # noqa: PLC0415  # each service's client costs a second that the others need not pay

    app, host = strava_app(access), strava_host(settings)
    pace = strava.Pace(overlap_days=settings.fetch.overlap_days, backfill_share=settings.fetch.strava_backfill_share)
    session = strava_session(settings)
    # Strava counts the requests of an application, whoever it asks for.
    shared = f"strava application {app.client_id}"
    is_second = False
    while True:
        tokens = strava.refreshed(access.strava, app, session, now, host)
        hidden = "" if strava.sees_everything(tokens) else strava.HIDDEN
        place = cursor() | raw.cursor(shared, _NOBODY)
        if place.get("is_hidden") and not hidden:
            # What was hidden may lie anywhere in the list: it is read anew, as a whole.
            place["swept_at"] = None
        try:
            for number, page in enumerate(
                strava.fetch(strava.client(session, tokens.access_token, host), place, now, pace)
            ):
                _share(raw, shared, page, now)
                page = replace(page, cursor={**page.cursor, "is_hidden": bool(hidden)})  # noqa: PLW2901
                if hidden:
                    # Days without an activity may hold a private one, and one that is not shown may be there still.
                    told = f"{page.note} {'' if number else hidden}".strip()
                    page = replace(page, covered_until=None, gone=(), note=told)  # noqa: PLW2901
                yield page
        except strava.LoginNeededError:
            if is_second:
                raise
            # The token may have been withdrawn before its time: a refresh tells, once.
            is_second = True
            access.strava.expire()
        else:
            return


def _share(raw: Raw, shared: str, page: Page, now: dt.datetime) -> None:
    """Keep what the application has left where the next runner's turn finds it."""
    with raw.batch(shared, _NOBODY, now) as batch:
        batch.cursor({name: page.cursor[name] for name in ("quota", "spent_on", "spent_requests")})


def _garmin(settings: Settings, access: Access, cursor: dict[str, Any], now: dt.datetime) -> Iterator[Page]:
    from hamload.sources import garmin  # noqa: PLC0415

    with _blocks_told(access, now), garmin_connection(settings, access) as connection:
        yield from garmin.fetch(connection, cursor, now, _reach(settings))


@contextmanager
def _blocks_told(access: Access, now: dt.datetime) -> Iterator[None]:
    """Say until when not to sign in anew, where a login was blocked: each attempt would prolong that."""
    from hamload.sources import garmin  # noqa: PLC0415

    try:
        yield
    except garmin.LoginNeededError as error:
        until = garmin.blocked_until(access.garmin)
        if until is None or until <= now:
            raise
        raise garmin.LoginBlockedError(
            f"{error.what} Garmin has blocked the last login.",
            f"Do not sign in before {until:%Y-%m-%d %H:%M} UTC, that prolongs it; then run: hamload auth garmin. The"
            " Personal API is not blocked: hamload auth garmin-personal",
            until,
        ) from None


def _garmin_personal(settings: Settings, access: Access, cursor: dict[str, Any], now: dt.datetime) -> Iterator[Page]:
    from hamload.sources import garmin_personal  # noqa: PLC0415

    stored = access.garmin_personal.read()
    key = configuration.secret(KEY_VARIABLE) or (stored.key if stored else "")
    with personal_connection(settings, key) as connection:
        reach = _reach(settings, page=garmin_personal.PAGE)
        # The date belongs to the key that was stored, not to one from the environment.
        expires_on = stored.expires_on if stored and stored.key == key else None
        yield from garmin_personal.fetch(connection, cursor, now, reach, expires_on=expires_on)


def _reach(settings: Settings, page: int = 1000) -> Any:
    import datetime as dt  # noqa: PLC0415

    from hamload.sources.garmin_listing import Reach  # noqa: PLC0415

    overlap = dt.timedelta(days=settings.fetch.overlap_days)
    max_file_bytes = int(settings.imports.max_file_mb * 1_000_000)
    return Reach(page=page, overlap=overlap, backfill=settings.fetch.garmin_backfill, max_file_bytes=max_file_bytes)
