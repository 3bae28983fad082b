"""Fetching from any service that lists activities as Garmin does: lists first, then what is new or changed.

Knows no client: a `Service` is three questions, and each answer may be one of this module's errors. `fetch` never
sleeps, reads no clock and writes nothing. `garmin` and `garmin_personal` are the services.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol, Self

from hamload.errors import HamloadError
from hamload.records import Sport
from hamload.sources.pages import Document, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What helps against what passes by itself, and against what does not.
LATER = "Nothing to do: the next run tries again. If it lasts, see https://connect.garmin.com/status"
UPDATE = "The next run tries again. If it stays so, update hamload: Garmin may have changed its answers."


class GarminError(HamloadError):
    """Anything that Garmin's services or their client could not do."""


class LoginNeededError(GarminError):
    """The saved sign-in is missing, or is accepted no longer. Only the runner can mend this."""


class AnotherRunnerError(GarminError):
    """The account signed in belongs to somebody else than the activities fetched so far."""


class TooManyRequestsError(GarminError):
    """The service wants to be left alone, for `wait` where it says how long."""

    def __init__(self, what: str, remedy: str, wait: dt.timedelta | None = None) -> None:
        super().__init__(what, remedy)
        self.wait = wait

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process with the wait intact."""
        return type(self), (self.what, self.remedy, self.wait)


class NotFoundError(GarminError):
    """The service has no such thing (any more)."""


class UnreachableError(GarminError):
    """No answer, or one that says that the service is down. Passes by itself."""

    is_passing = True


class AnswerError(GarminError):
    """An answer that is not what it should be: a web page, JSON or a zip cut off, fields missing."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one run goes.

    Attributes
    ----------
    page
        Activities in one list request; Garmin Connect allows 1,000.
    overlap
        How far back before the last list is looked again, for late uploads, edits and deletions.
    whole_list_every
        How often the whole list is read again, for what lies further back.
    documents_a_page
        Activities put together: what a kill can lose.
    backfill
        Downloads a run spends on activities older than the overlap. What is newer is always fetched.
    tries
        On how many nights an activity is asked for whose recording does not come; then only with the whole list.
    failures
        After so many activities in a row without an answer of use the service counts as down.
    pause
        How long to wait after "too many requests", where the service does not say.
    max_file_bytes
        What one recording may unpack to.

    """

    page: int = 1000
    overlap: dt.timedelta = dt.timedelta(days=30)
    whole_list_every: dt.timedelta = dt.timedelta(days=28)
    documents_a_page: int = 10
    backfill: int = 300
    tries: int = 7
    failures: int = 3
    pause: dt.timedelta = dt.timedelta(hours=1)
    max_file_bytes: int = 64_000_000


class Service(Protocol):
    """A service that lists activities as Garmin does. Every method raises nothing but `GarminError`."""

    name: str
    #: The command that signs in, as a sentence.
    sign_in: str

    def activities(self, start: int, limit: int) -> list[Any]:
        """Return entries `start` to `start + limit` of the list, newest first. One request."""
        ...

    def original(self, activity_id: str) -> bytes:
        """Return the archive with the uploaded file. One request."""
        ...

    def exercise_sets(self, activity_id: str) -> Any:
        """Return the sets of a strength session, None where the service does not tell. At most one request."""
        ...


def fetch(client: Service, cursor: Mapping[str, Any], now: dt.datetime, reach: Reach | None = None) -> Iterator[Page]:
    """Yield what is new or changed, newest first; each page's cursor holds once that page is put.

    Parameters
    ----------
    cursor
        As the last page put left it; empty on the first night.
    now
        The moment, in the runner's own time zone: it decides which day was yesterday.

    Raises
    ------
    GarminError
        Where the service or the sign-in fails. What was fetched before is in the pages yielded before.

    """
    reach = reach or Reach()
    state = _State.of(cursor)
    if state.resumes_at is not None and now < state.resumes_at:
        yield Page((), state.cursor(), resumes_at=state.resumes_at, note=_paused(client, state.resumes_at))
        return
    state.resumes_at = None
    try:
        listing = _listed(client, state, now, reach)
    except TooManyRequestsError as error:
        yield _stopped(client, (), state, now + (error.wait or reach.pause))
        return
    _check_owner(client, listing, state)
    yield from _fetched(client, listing, state, now, reach)


def _check_owner(client: Service, listing: _Listing, state: _State) -> None:
    """Raise AnotherRunnerError where the list is somebody else's: nothing of the former runner's must seem deleted."""
    owners = {str(e.told["ownerId"]) for e in listing.entries if e.told.get("ownerId") is not None}
    in_reach = [i for i in state.known if listing.since is None or state.started(i) >= listing.since]
    listed = {entry.id for entry in listing.entries}
    is_other = bool(state.owner and owners and state.owner not in owners)
    is_replaced = not listed.intersection(in_reach) and bool(listed - set(state.known))
    if is_other or (is_replaced and len(in_reach) >= _TELLING):
        forget = client.sign_in.replace("Run: hamload auth", "hamload forget")
        raise AnotherRunnerError(
            f"The account signed in to {client.name} is another one than before.",
            f"{client.sign_in} with the former one, or begin anew: {forget}",
        )
    if len(owners) == 1:
        state.owner = owners.pop()


@dataclass(slots=True)
class _State:
    """The cursor: what is known of the service, and what is still owed."""

    known: dict[str, str] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    listed_at: dt.datetime | None = None
    whole_at: dt.datetime | None = None
    resumes_at: dt.datetime | None = None
    owner: str = ""

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> Self:
        return cls(
            owner=str(cursor.get("owner", "")),
            known=dict(cursor.get("known", {})),
            owed=dict(cursor.get("owed", {})),
            tries=dict(cursor.get("tries", {})),
            missing=list(cursor.get("missing", [])),
            listed_at=_moment(cursor.get("listed_at")),
            whole_at=_moment(cursor.get("whole_at")),
            resumes_at=_moment(cursor.get("resumes_at")),
        )

    def cursor(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "known": dict(self.known),
            "owed": dict(self.owed),
            "tries": dict(self.tries),
            "missing": list(self.missing),
            "listed_at": self.listed_at and self.listed_at.isoformat(),
            "whole_at": self.whole_at and self.whole_at.isoformat(),
            "resumes_at": self.resumes_at and self.resumes_at.isoformat(),
        }

    def started(self, activity_id: str) -> dt.datetime:
        return dt.datetime.fromisoformat(self.known[activity_id].split()[0])

    def take(self, entry: _Entry, owed: str) -> None:
        """Note that an activity was given, and what of it is still owed."""
        if self.known.get(entry.id) != entry.mark:
            self.tries.pop(entry.id, None)
        self.known[entry.id] = entry.mark
        if owed:
            self.owed[entry.id] = owed
            self.tries[entry.id] = self.tries.get(entry.id, 0) + 1
        else:
            self.forget(entry.id)

    def forget(self, activity_id: str) -> None:
        self.owed.pop(activity_id, None)
        self.tries.pop(activity_id, None)

    def listed(self, listing: _Listing, now: dt.datetime, *, is_all: bool) -> None:
        """Note how far the list was read. While older activities wait, the next run reads all of it again."""
        if is_all:
            self.listed_at = now
            self.whole_at = now if listing.since is None else self.whole_at


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the list. `mark` is its start and a fingerprint of what the service says of the activity."""

    id: str
    start_at: dt.datetime
    facts: dict[str, Any]
    told: dict[str, Any]
    mark: str
    has_file: bool


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the list held: newest first, back to `since` (None: all of it).

    `is_sure`: it did not change while it was read, so that what it lacks is missing. `failure`: it ends too early.
    """

    entries: tuple[_Entry, ...]
    since: dt.datetime | None
    is_sure: bool
    unread: int
    failure: GarminError | None = None


#: So many activities, all of them gone at once while others are there, are no deletions.
_TELLING = 3
_FEWEST, _SPARE, _ROUNDS, _MOST_PAGES = 50, 30, 3, 1000
#: A service that gives fewer than were asked for gives a round number: then the list goes on.
_ROUND = 50
#: Lists are in the order of local clocks, windows in UTC.
_CLOCKS = dt.timedelta(hours=26)


def _listed(client: Service, state: _State, now: dt.datetime, reach: Reach) -> _Listing:
    is_whole = state.listed_at is None or state.whole_at is None or now - state.whole_at >= reach.whole_list_every
    since = None if is_whole or state.listed_at is None else state.listed_at - reach.overlap
    size = reach.page
    if since is not None:
        recent = sum(state.started(activity_id) >= since for activity_id in state.known)
        size = min(reach.page, max(_FEWEST, recent + _SPARE))
    for _ in range(_ROUNDS):
        listing = _read_list(client, since, size)
        if listing.is_sure or listing.failure is not None:
            break
    if listing.unread and not listing.entries:
        raise AnswerError(f"Not one of {listing.unread} activities in {client.name}'s list can be understood.", UPDATE)
    if state.known and not listing.entries:
        raise AnswerError(
            f"{client.name} lists no activity at all, though it has given {len(state.known)}.",
            "Nothing was removed here. If you deleted them all, run: hamload forget",
        )
    return listing


def _read_list(client: Service, since: dt.datetime | None, size: int) -> _Listing:
    entries: dict[str, _Entry] = {}
    unread = 0
    is_sure = True
    failure: GarminError | None = None
    last = ""
    start = 0
    for number in range(_MOST_PAGES):
        try:
            told = client.activities(start, size)
        except GarminError as error:
            # What was listed before is newer than what was not: it need not wait.
            if not number or _ends(error):
                raise
            failure = error
            break
        page = [entry for entry in map(_entry, told) if entry is not None]
        unread += len(told) - len(page)
        # Each page begins with the last entry of the one before, or the list has moved in the meantime.
        is_sure &= number == 0 or _id_of(told[0] if told else None) == last
        is_old = bool(page) and since is not None and page[-1].start_at < since - _CLOCKS
        fresh = [entry for entry in page if entry.id not in entries]
        entries.update((entry.id, entry) for entry in fresh)
        if is_old or not fresh or (len(told) < size and len(told) % _ROUND):
            break
        last = _id_of(told[-1])
        start += len(told) - 1
    ordered = sorted(entries.values(), key=lambda entry: entry.start_at, reverse=True)
    return _Listing(tuple(ordered), since, is_sure and failure is None, unread, failure)


@dataclass(slots=True)
class _Troubles:
    """What went wrong so far. A service that fails at `limit` activities in a row is down, or hides behind a page."""

    limit: int
    failures: list[GarminError] = field(default_factory=list)
    row: list[GarminError] = field(default_factory=list)
    stop: GarminError | None = None

    def add(self, problem: GarminError | None) -> None:
        if problem is not None and _ends(problem):
            self.stop = problem
        elif isinstance(problem, UnreachableError | AnswerError):
            self.row.append(problem)
            self.failures += [problem] if isinstance(problem, UnreachableError) else []
        else:
            self.row.clear()

    @property
    def are_over(self) -> bool:
        return self.stop is not None or len(self.row) >= self.limit

    def failure(self, client: Service, wanted: int) -> GarminError | None:
        failures = self.row if self.are_over else self.failures
        if self.stop is not None or not failures:
            return self.stop
        what = f"{client.name} failed at {len(failures)} of {wanted} activities. {failures[0].what}"
        return UnreachableError(what, failures[0].remedy)


def _fetched(client: Service, listing: _Listing, state: _State, now: dt.datetime, reach: Reach) -> Iterator[Page]:
    wanted, later = _wanted(listing, state, now, reach)
    unknown = [entry for entry in (*wanted, *later) if entry.id not in state.known]
    troubles = _Troubles(reach.failures)
    notes: list[str] = []
    documents: list[Document] = []
    for number, entry in enumerate(wanted, 1):
        given, problem, owed = _activity(client, entry, state.owed.get(entry.id, _RECORDING), reach)
        documents += given
        if given:
            state.take(entry, owed)
            notes += _told(entry, problem, owed)
        troubles.add(problem)
        if troubles.are_over:
            break
        if number % reach.documents_a_page == 0 and number < len(wanted):
            yield Page(tuple(documents), state.cursor(), _covered(unknown, listing, state, now), note=" ".join(notes))
            documents, notes = [], []
    if isinstance(troubles.stop, TooManyRequestsError):
        yield _stopped(client, tuple(documents), state, now + (troubles.stop.wait or reach.pause))
        return
    notes += _rest(client, listing, later)
    gone: tuple[str, ...] = ()
    covered: dt.date | None = None
    if not troubles.are_over and listing.is_sure:
        gone = _gone(listing, state)
        covered = _covered(unknown, listing, state, now)
        state.listed(listing, now, is_all=not later)
    yield Page(tuple(documents), state.cursor(), covered, gone, note=" ".join(notes))
    failure = troubles.failure(client, len(wanted)) or listing.failure
    if failure is not None:
        raise failure


def _rest(client: Service, listing: _Listing, later: list[_Entry]) -> list[str]:
    notes = []
    if listing.unread:
        notes.append(f"In {client.name}'s list, {listing.unread} could not be understood and were passed over.")
    if later:
        notes.append(f"{len(later)} older activities follow in the next runs.")
    return notes


def _wanted(listing: _Listing, state: _State, now: dt.datetime, reach: Reach) -> tuple[list[_Entry], list[_Entry]]:
    """Return what this run fetches and what it leaves to later ones, both newest first."""
    is_whole = listing.since is None
    owed = {i for i in state.owed if is_whole or state.tries.get(i, 0) < reach.tries}
    due = [e for e in listing.entries if state.known.get(e.id) != e.mark or e.id in owed]
    edge = now - reach.overlap
    recent = sum(entry.start_at >= edge for entry in due)
    return due[: recent + reach.backfill], due[recent + reach.backfill :]


_RECORDING, _SETS = "recording", "sets"


def _activity(
    client: Service, entry: _Entry, owed: str, reach: Reach
) -> tuple[list[Document], GarminError | None, str]:
    """Return an activity's documents, what went wrong, and what is still owed: recording, sets, or nothing.

    Where the recording does not come, the list's own summary stands in for it: a run is never taken for rest.
    """
    documents: list[Document] = []
    if entry.has_file and owed == _RECORDING:
        content, problem = _recording(client, entry, reach)
        if content is None:
            return ([] if _ends(problem) else [_summary(entry, None)]), problem, _RECORDING
        documents.append(content)
    sets: Any = None
    problem = None
    if entry.facts["sport"] == Sport.STRENGTH:
        try:
            sets = client.exercise_sets(entry.id)
        except NotFoundError:
            sets = None
        except GarminError as error:
            problem = error
    if not documents or sets is not None:
        documents.append(_summary(entry, sets))
    return documents, problem, _SETS if problem else ""


def _recording(client: Service, entry: _Entry, reach: Reach) -> tuple[Document | None, GarminError | None]:
    try:
        content, format_, name = recording(client.original(entry.id), entry.id, reach.max_file_bytes)
    except GarminError as error:
        return None, error
    return Document(content, format_, name, entry.id, entry.facts), None


def _ends(problem: GarminError | None) -> bool:
    """Whether a failure is the whole service's, so that there is no use in asking for the next activity."""
    return problem is not None and not isinstance(problem, NotFoundError | AnswerError | UnreachableError)


def _summary(entry: _Entry, sets: Any) -> Document:
    """Return what the service itself tells, under hamload's names, with its own words beside them."""
    told = {**entry.facts, "garmin": entry.told, **({} if sets is None else {"exercise_sets": sets})}
    content = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    facts = entry.facts if sets is None else {**entry.facts, "has_sets": True}
    return Document(content, "garmin", f"{entry.id}.json", entry.id, facts)


def _told(entry: _Entry, problem: GarminError | None, owed: str) -> list[str]:
    if problem is None:
        return []
    return [f"Activity {entry.id} of {entry.start_at.date()} came without its {owed}: {problem.what}"]


def _covered(unknown: Iterable[_Entry], listing: _Listing, state: _State, now: dt.datetime) -> dt.date | None:
    """Return yesterday, where nothing is still to come that is newer than the oldest activity known, else None.

    An entry that cannot be understood may be a run of any day: then no day is vouched for.
    """
    if not listing.is_sure or listing.unread or not state.known:
        return None
    oldest = min(map(state.started, state.known))
    if any(entry.id not in state.known and entry.start_at > oldest for entry in unknown):
        return None
    return now.date() - dt.timedelta(days=1)


def _gone(listing: _Listing, state: _State) -> tuple[str, ...]:
    """Return what two lists in a row, read without a change, lacked: one short answer must not cost a history."""
    if not listing.is_sure or listing.unread:
        return ()
    listed = {entry.id for entry in listing.entries}
    since = listing.since
    missing = {i for i in state.known if i not in listed and (since is None or state.started(i) >= since)}
    gone = missing & set(state.missing)
    unseen = {i for i in state.missing if i in state.known and since is not None and state.started(i) < since}
    state.missing = sorted((missing - gone) | unseen)
    for activity_id in gone:
        del state.known[activity_id]
        state.forget(activity_id)
    return tuple(sorted(gone))


def _stopped(client: Service, documents: tuple[Document, ...], state: _State, until: dt.datetime) -> Page:
    state.resumes_at = until.astimezone(dt.UTC)
    return Page(documents, state.cursor(), resumes_at=state.resumes_at, note=_paused(client, state.resumes_at))


def _paused(client: Service, until: dt.datetime) -> str:
    return f"{client.name} had too many requests: it is asked again after {until:%Y-%m-%d %H:%M} UTC."


def _id_of(told: Any) -> str:
    return str(told.get("activityId", "")) if isinstance(told, dict) else ""


def _entry(told: Any) -> _Entry | None:
    """Read one entry of the list, None where it names no activity or no start."""
    if not isinstance(told, dict) or isinstance(told.get("activityId"), bool | None):
        return None
    start_at, local = _clock(told.get("startTimeGMT")), _clock(told.get("startTimeLocal"))
    activity_id = _id_of(told)
    if start_at is None or not activity_id.isdecimal():
        return None
    kind = told.get("activityType")
    kind = kind if isinstance(kind, dict) else {}
    effort = _positive(told.get("directWorkoutRpe"))
    facts = {
        "external_id": activity_id,
        "title": _text(told.get("activityName")),
        "type": _text(kind.get("typeKey")),
        "sport": sport_of(_text(kind.get("typeKey")), kind.get("parentTypeId")).value,
        "start_at": start_at.isoformat(),
        "utc_offset_s": None if local is None else round((local - start_at).total_seconds()),
        "elapsed_time_s": _positive(told.get("elapsedDuration")),
        "moving_time_s": _positive(told.get("duration")),
        "distance_m": _positive(told.get("distance")),
        # Garmin's scale runs from 10 to 100.
        "rpe": None if effort is None else effort / 10,
    }
    facts = {name: value for name, value in facts.items() if value is not None}
    print_ = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    mark = f"{start_at.isoformat()} {print_}"
    return _Entry(activity_id, start_at, facts, told, mark, told.get("manualActivity") is not True)


_STRENGTH = {"strength_training", "indoor_strength_training", "strength"}
_TREADMILL = {"treadmill_running", "indoor_running", "virtual_run"}
_WALKS = {"walking", "hiking", "casual_walking", "speed_walking", "indoor_walking", "mountaineering", "rucking"}
_PARENTS = {1: Sport.RUN, 2: Sport.RIDE, 26: Sport.SWIM}
_WORDS = (("running", Sport.RUN), ("cycling", Sport.RIDE), ("biking", Sport.RIDE), ("swimming", Sport.SWIM))


def sport_of(type_key: str, parent_id: Any = None) -> Sport:
    """Return the family of Garmin's activity type: by its key, else by its parent type (1 is running)."""
    if type_key in _TREADMILL:
        return Sport.TREADMILL
    if type_key in _STRENGTH:
        return Sport.STRENGTH
    if type_key in _WALKS:
        return Sport.WALK
    if parent_id in _PARENTS:
        return _PARENTS[parent_id]
    named = next((sport for word, sport in _WORDS if word in type_key), None)
    if named is not None:
        return named
    return Sport.UNKNOWN if type_key in {"", "uncategorized", "other"} else Sport.OTHER


def recording(archive: bytes, activity_id: str, max_bytes: int) -> tuple[bytes, str, str]:
    """Take the recording out of Garmin's archive of an original upload.

    Returns
    -------
    tuple
        Content, format ("fit", "gpx" or "tcx") and name. A bare FIT file is taken as it is.

    Raises
    ------
    AnswerError
        Where this is no archive, or holds no recording, another activity's, several, or one that is damaged or larger
        than `max_bytes`.

    """
    what = f"The download of activity {activity_id}"
    if archive[8:12] == b".FIT":
        return archive, "fit", f"{activity_id}_ACTIVITY.fit"
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            member = _member(bundle, activity_id, what)
            with bundle.open(member) as stream:
                content = stream.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise AnswerError(f"{what} is no archive that can be opened ({type(error).__name__}).", UPDATE) from None
    if len(content) > max_bytes:
        raise AnswerError(f"{what} unpacks to more than {max_bytes:,} bytes.", "If it is real, raise max_file_mb.")
    if not content:
        raise AnswerError(f"{what} holds an empty recording.", UPDATE)
    name = PurePosixPath(member.filename.replace("\\", "/")).name
    return content, name.rpartition(".")[2].lower(), name


_ITS_OWN = re.compile(r"^(\d+)_ACTIVITY\.fit$", re.IGNORECASE)


def _member(bundle: zipfile.ZipFile, activity_id: str, what: str) -> zipfile.ZipInfo:
    named = {m: PurePosixPath(m.filename.replace("\\", "/")).name for m in bundle.infolist() if not m.is_dir()}
    recordings = [m for m, name in named.items() if name.lower().endswith((".fit", ".gpx", ".tcx"))]
    own = [m for m in recordings if (match := _ITS_OWN.match(named[m])) and match[1] == activity_id]
    # Older uploads keep the name that they came with; a number in Garmin's own form is another activity's.
    others = [m for m in recordings if not _ITS_OWN.match(named[m])]
    candidates = own or others
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise AnswerError(f"{what} holds {len(candidates)} recordings, and none bears its number.", UPDATE)
    if recordings:
        raise AnswerError(f"{what} holds another activity's recording.", UPDATE)
    raise AnswerError(f"{what} holds no recording.", UPDATE)


def _clock(value: Any) -> dt.datetime | None:
    """Read one of Garmin's times, which name no zone, as if it were UTC."""
    if not isinstance(value, str):
        return None
    try:
        return dt.datetime.fromisoformat(value.strip()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _positive(value: Any) -> float | None:
    """Return a number above zero: Garmin writes 0 for what it does not know."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < float("inf") else None
