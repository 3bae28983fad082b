"""Garmin Connect on loopback, as `garminconnect` talks to it: login, tokens, lists, archives, exercise sets.

Everything follows from one simulated runner and a clock that the test sets; only tokens run out by the real clock,
because the client reads that one. Every request is counted under the name of its endpoint.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

from hamload.simulator.athlete import start_of
from hamload.simulator.fitfile import block, fit_file, number_of
from hamload.simulator.recordings import PRODUCT_NAME, fit_bytes, streams_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hamload.records import Streams
    from hamload.simulator.athlete import PlannedRun, SimulatedRunner

type Kind = Literal["status", "html", "slow", "drip", "cut", "short", "drop", "lost", "changed"]
type Rotation = Literal["kept", "until used", "at once"]

_JSON = "application/json;charset=UTF-8"
_HTML = "text/html;charset=UTF-8"
_ZIP = "application/x-zip-compressed"
_PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Cloudflare</body></html>"
_FIRST_ID = 20_000_000_000
_OWNER = 4_711_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at an endpoint, `times` times (None: until it is taken away).

    Attributes
    ----------
    kind
        "status": an error answer. "html": a web page where JSON or a zip belongs. "slow": nothing for `seconds`.
        "drip": a byte now and then, for ever. "cut": half of the body, as if it were whole. "short": half of the body,
        then the line goes dead. "drop": the line goes dead before anything is done. "lost": it is done, but the answer
        never comes. "changed": what `change` makes of the body.

    """

    kind: Kind
    status: int = 500
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    change: Callable[[bytes], bytes] = bytes


class Faults:
    """The faults in force, by endpoint. Safe to change while requests are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[str, Fault] = {}

    def put(self, endpoint: str, fault: Fault) -> None:
        """Put a fault in force, in place of any other at that endpoint."""
        with self._lock:
            self._at[endpoint] = fault

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._at.clear()

    def take(self, endpoint: str) -> Fault | None:
        """Return the fault that strikes now, None where all is well."""
        with self._lock:
            fault = self._at.get(endpoint)
            if fault is None or fault.times == 0:
                return None
            if fault.times is not None:
                self._at[endpoint] = replace(fault, times=fault.times - 1)
            return fault


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bearer(self) -> str:
        """Return the access token that came with it."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(content: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer in JSON."""
    return Answer(json.dumps(content).encode(), status, headers={k.replace("_", "-"): v for k, v in headers.items()})


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests in each window; windows begin at multiples of their length since 1970."""

    requests: int
    window: dt.timedelta


@dataclass(slots=True)
class Upload:
    """One activity of the account. Change its fields to edit it; the list and the archive follow.

    `archive` overrules the members of its zip, `bare` the whole answer.
    """

    activity_id: int
    run: PlannedRun | None
    start_at: dt.datetime
    title: str
    uploaded_at: dt.datetime
    is_deleted: bool = False
    archive: dict[str, bytes] | None = None
    bare: bytes | None = None


class Account:
    """The activities of one simulated runner, with a strength session after the last run of every other week.

    `clock` decides what has been uploaded by now.
    """

    def __init__(
        self, runner: SimulatedRunner, runs: Sequence[PlannedRun], clock: Callable[[], dt.datetime], *, curls: int = 0
    ) -> None:
        self.runner = runner
        self.clock = clock
        self.uploads: dict[int, Upload] = {}
        self._summaries: dict[int, dict[str, Any]] = {}
        for number, run in enumerate(runs):
            start_at = start_of(runner, run)
            self.add(Upload(_FIRST_ID + number, run, start_at, _title(run), start_at + dt.timedelta(hours=3)))
        for number, run in enumerate(runs[len(runs) - curls :]):
            start_at = start_of(runner, run) + dt.timedelta(hours=3)
            upload = Upload(_FIRST_ID + 100_000 + number, None, start_at, "Strength", start_at + dt.timedelta(hours=1))
            self.add(upload)

    def add(self, upload: Upload) -> None:
        """Take in an activity."""
        self.uploads[upload.activity_id] = upload
        self._summaries[upload.activity_id] = _summary(self.runner, upload)

    def visible(self) -> list[Upload]:
        """Return what the service has by now, newest first."""
        now = self.clock()
        here = [u for u in self.uploads.values() if not u.is_deleted and u.uploaded_at <= now]
        return sorted(here, key=lambda upload: upload.start_at, reverse=True)

    def listed(self, start: int, limit: int) -> list[dict[str, Any]]:
        """Return a page of the list, newest first."""
        page = self.visible()[start : start + limit]
        return [self._summaries[upload.activity_id] | {"activityName": upload.title} for upload in page]

    def find(self, activity_id: str) -> Upload | None:
        """Return an activity that the service has by now."""
        return next((u for u in self.visible() if str(u.activity_id) == activity_id), None)

    def original(self, upload: Upload) -> bytes:
        """Return the archive of an original upload."""
        if upload.bare is not None:
            return upload.bare
        members = upload.archive
        if members is None:
            run = upload.run
            content = _fit(self.runner, run) if run else strength_fit(self.runner, upload.start_at)
            members = {f"{upload.activity_id}_ACTIVITY.fit": content}
        return archive(members)


@lru_cache(maxsize=512)
def _fit(runner: SimulatedRunner, run: PlannedRun) -> bytes:
    return fit_bytes(runner, run)


def archive(members: Mapping[str, bytes]) -> bytes:
    """Return a zip; the same members always give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            bundle.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return stream.getvalue()


class Loopback:
    """A service on 127.0.0.1: counts, injects faults, answers. Use as a context manager.

    `requests` counts by endpoint, `downloads` the archives given by activity.
    """

    scheme = "http"

    def __init__(self, account: Account, limit: RateLimit | None = None) -> None:
        self.account = account
        self.limit = limit
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.downloads: Counter[str] = Counter()
        self._windows: Counter[int] = Counter()
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """Return where the service is."""
        return f"{self.scheme}://127.0.0.1:{self._server.server_port}"

    def wrap(self, server: ThreadingHTTPServer) -> None:
        """Put TLS around the line, where the service needs it."""

    def endpoint(self, asked: Asked) -> str:
        """Return the name under which a request is counted."""
        raise NotImplementedError

    def answer(self, endpoint: str, asked: Asked) -> Answer:
        """Do what is asked."""
        raise NotImplementedError

    def is_limited(self, endpoint: str) -> bool:
        """Return whether requests to this endpoint count toward the limit."""
        return endpoint in {"activities", "download", "exercise_sets", "profile"}

    def serve(self, line: BaseHTTPRequestHandler, asked: Asked) -> None:
        """Answer one request, or fail at it as the faults say."""
        with self._lock:
            endpoint = self.endpoint(asked)
            self.requests[endpoint] += 1
            fault = self.faults.take(endpoint)
            refusal = self._refusal(endpoint)
        if refusal is not None:
            _write(line, refusal)
            return
        if fault is not None and fault.kind in _BEFORE:
            _BEFORE[fault.kind](line, fault, self._closing)
            if fault.kind != "slow":
                return
        with self._lock:
            answer = self.answer(endpoint, asked)
        if fault is not None and fault.kind in {"cut", "short", "lost"}:
            _write_part(line, answer, fault.kind)
            return
        if endpoint == "download" and answer.status == 200:  # noqa: PLR2004
            with self._lock:
                self.downloads[asked.path.rpartition("/")[2]] += 1
        if fault is not None and fault.kind == "changed":
            answer = replace(answer, body=fault.change(answer.body))
        _write(line, answer)

    def _refusal(self, endpoint: str) -> Answer | None:
        if self.limit is None or not self.is_limited(endpoint):
            return None
        length, now = self.limit.window.total_seconds(), self.account.clock().timestamp()
        window = int(now // length)
        self._windows[window] += 1
        if self._windows[window] <= self.limit.requests:
            return None
        wait = round((window + 1) * length - now)
        return json_answer({"message": "Too Many Requests"}, 429, Retry_After=str(wait))

    def activities(self, asked: Asked, most: int) -> Answer:
        """Answer a list request; a page of more than `most` is the service's own failure."""
        start, limit = int(asked.query.get("start", 0)), int(asked.query.get("limit", 20))
        if limit > most:
            return json_answer({}, 500)
        return json_answer(self.account.listed(start, limit))

    def download(self, asked: Asked) -> Answer:
        """Answer with an original upload."""
        upload = self.account.find(asked.path.rpartition("/")[2])
        if upload is None:
            return json_answer({"message": "HTTP 404 Not Found", "error": "NotFoundException"}, 404)
        return Answer(self.account.original(upload), content_type=_ZIP)


class GarminSimulator(Loopback):
    """Garmin Connect.

    Attributes
    ----------
    password, code
        What a login must say. `code` None: no second factor.
    is_blocking
        Cloudflare stands before the login.
    rotation
        What becomes of a refresh token that was used: it stays, it lasts until what replaced it is used, or it is
        gone at once.
    token_life_s
        How long a new access token lasts; under 900 s the client takes it for running out.
    workouts, scheduled
        The workouts that were sent, by their id, and the days they were put on, as (id, day).

    """

    def __init__(  # an account's own settings, each with a default
        self,
        account: Account,
        *,
        limit: RateLimit | None = None,
        password: str = "correct horse",  # noqa: S107  # the simulated runner's
        code: str | None = None,
        rotation: Rotation = "until used",
        token_life_s: float = 86_400.0,
    ) -> None:
        super().__init__(account, limit)
        self.password = password
        self.code = code
        self.is_blocking = False
        self.rotation: Rotation = rotation
        self.token_life_s = token_life_s
        self._issued = 0
        self._access: dict[str, str] = {}  # access token → refresh token issued with it
        self._refresh: set[str] = set()
        self._replaced: dict[str, str] = {}  # refresh token → the one it replaced, while that still lasts
        self._tickets: set[str] = set()
        self._sessions: set[str] = set()
        self.workouts: dict[int, dict[str, Any]] = {}
        self._next_workout = _FIRST_WORKOUT
        self.scheduled: list[tuple[int, str]] = []

    @property
    def logins(self) -> int:
        """Return how many requests belonged to a login of any kind. A nightly run makes none."""
        return sum(self.requests[name] for name in ("sign_in_page", "login", "mfa", "token"))

    def tokens(self) -> dict[str, str]:
        """Issue tokens as a login would, in the form of the client's own file."""
        with self._lock:
            told = self._issue()
        return {
            "di_token": told["access_token"],
            "di_refresh_token": told["refresh_token"],
            "di_client_id": told["client_id"],
        }

    def revoke(self, *, refresh: bool) -> None:
        """Make all access tokens worthless, and with `refresh` the refresh tokens too."""
        with self._lock:
            self._access.clear()
            if refresh:
                self._refresh.clear()
                self._replaced.clear()

    def endpoint(self, asked: Asked) -> str:
        """Return the name under which a request is counted."""
        path = asked.path
        if path == "/di-oauth2-service/oauth/token":
            return "refresh" if b"grant_type=refresh_token" in asked.body else "token"
        if path.endswith("/exerciseSets"):
            return "exercise_sets"
        return next((name for start, name in _ENDPOINTS if path.startswith(start)), "unknown")

    def answer(self, endpoint: str, asked: Asked) -> Answer:
        """Do what is asked."""
        if endpoint in {"sign_in_page", "login", "mfa"} and self.is_blocking:
            return Answer(_PAGE, 429 if endpoint == "login" else 403, _HTML, {"Server": "cloudflare"})
        if endpoint in {"profile", "activities", "download", "exercise_sets", "workout", "schedule"}:
            if not self._is_signed_in(asked.bearer):
                return json_answer({"message": "Token is not active", "error": "NotAuthorizedException"}, 401)
            return getattr(self, f"_{endpoint}")(asked)  # type: ignore[no-any-return]
        return {
            "sign_in_page": self._sign_in_page,
            "login": self._login,
            "mfa": self._mfa,
            "token": self._token,
            "refresh": self._refreshed,
        }.get(endpoint, _unknown)(asked)

    def _activities(self, asked: Asked) -> Answer:
        return self.activities(asked, 1000)

    def _download(self, asked: Asked) -> Answer:
        return self.download(asked)

    def _exercise_sets(self, asked: Asked) -> Answer:
        activity_id = asked.path.split("/")[-2]
        upload = self.account.find(activity_id)
        if upload is None:
            return json_answer({"message": "HTTP 404 Not Found"}, 404)
        sets = strength_sets(upload.start_at) if upload.run is None else None
        return json_answer({"activityId": upload.activity_id, "exerciseSets": sets})

    def _workout(self, asked: Asked) -> Answer:
        """Store a workout; one without a sport, a name or a step is refused, as there. Or delete one, with its days."""
        if asked.method == "DELETE":
            workout_id = int(asked.path.rpartition("/")[2])
            if self.workouts.pop(workout_id, None) is None:
                return json_answer({"message": "HTTP 404 Not Found"}, 404)
            self.scheduled = [(there, day) for there, day in self.scheduled if there != workout_id]
            return Answer(b"", 204, "application/json", {})
        told = json.loads(asked.body)
        steps = [step for segment in told.get("workoutSegments", []) for step in segment.get("workoutSteps", [])]
        if not told.get("workoutName") or not told.get("sportType") or not steps:
            return json_answer({"message": "Invalid workout"}, 400)
        workout_id, self._next_workout = self._next_workout, self._next_workout + 1
        self.workouts[workout_id] = told
        return json_answer(told | {"workoutId": workout_id, "ownerId": 1})

    def _schedule(self, asked: Asked) -> Answer:
        workout_id = int(asked.path.rpartition("/")[2])
        if workout_id not in self.workouts:
            return json_answer({"message": "HTTP 404 Not Found"}, 404)
        self.scheduled.append((workout_id, json.loads(asked.body)["date"]))
        return json_answer({"workoutScheduleId": len(self.scheduled), "workout": {"workoutId": workout_id}})

    def _profile(self, _: Asked) -> Answer:
        return json_answer(profile(self.account.runner.name))

    def _sign_in_page(self, _: Asked) -> Answer:
        self._issued += 1
        session = f"session-{self._issued}"
        self._sessions.add(session)
        page = b"<!DOCTYPE html><html><head><title>GARMIN Authentication Application</title></head></html>"
        return Answer(page, content_type=_HTML, headers={"Set-Cookie": f"SESSION={session}; Path=/"})

    def _has_session(self, asked: Asked) -> bool:
        return any(f"SESSION={session}" in asked.headers.get("Cookie", "") for session in self._sessions)

    def _login(self, asked: Asked) -> Answer:
        if not self._has_session(asked):
            return json_answer({"error": {"status-code": "429"}}, 429)
        if json.loads(asked.body)["password"] != self.password:
            return json_answer({"responseStatus": {"type": "INVALID_USERNAME_PASSWORD"}}, 401)
        if self.code is not None:
            info = {"mfaLastMethodUsed": "email"}
            return json_answer({"responseStatus": {"type": "MFA_REQUIRED"}, "customerMfaInfo": info})
        return self._ticket()

    def _mfa(self, asked: Asked) -> Answer:
        if not self._has_session(asked) or json.loads(asked.body)["mfaVerificationCode"] != self.code:
            return json_answer({"responseStatus": {"type": "MFA_CODE_INVALID"}})
        return self._ticket()

    def _ticket(self) -> Answer:
        self._issued += 1
        ticket = f"ST-{self._issued}-simulated"
        self._tickets.add(ticket)
        return json_answer({"responseStatus": {"type": "SUCCESSFUL"}, "serviceTicketId": ticket})

    def _token(self, asked: Asked) -> Answer:
        form = parse_qs(asked.body.decode())
        ticket = form.get("service_ticket", [""])[0]
        if ticket not in self._tickets:
            return json_answer({"error": "invalid_grant"}, 400)
        self._tickets.remove(ticket)
        return json_answer(self._issue())

    def _refreshed(self, asked: Asked) -> Answer:
        old = parse_qs(asked.body.decode()).get("refresh_token", [""])[0]
        if old not in self._refresh:
            return json_answer({"error": "invalid_grant", "error_description": "Invalid refresh token"}, 400)
        self._use(old)
        if self.rotation == "kept":
            return json_answer(self._issue(old))
        told = self._issue()
        if self.rotation == "until used":
            self._replaced[told["refresh_token"]] = old
        else:
            self._refresh.discard(old)
        return json_answer(told)

    def _is_signed_in(self, access: str) -> bool:
        if access not in self._access or _claims(access)["exp"] < dt.datetime.now(dt.UTC).timestamp():
            return False
        self._use(self._access[access])
        return True

    def _use(self, refresh: str) -> None:
        replaced = self._replaced.pop(refresh, None)
        if replaced is not None:
            self._refresh.discard(replaced)

    def _issue(self, refresh: str | None = None) -> dict[str, Any]:
        self._issued += 1
        now = dt.datetime.now(dt.UTC).timestamp()
        client_id = "GARMIN_CONNECT_MOBILE_ANDROID_DI"
        claims = {"client_id": client_id, "iat": round(now), "exp": round(now + self.token_life_s), "n": self._issued}
        access = jwt(claims)
        refresh = refresh or f"refresh-{self._issued}-simulated"
        self._access[access] = refresh
        self._refresh.add(refresh)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "client_id": client_id,
            "token_type": "Bearer",
            "expires_in": round(self.token_life_s),
            "refresh_token_expires_in": 7_776_000,
        }


_FIRST_WORKOUT = 1_000_001

_ENDPOINTS = (
    ("/mobile/sso/", "sign_in_page"),
    ("/portal/sso/", "sign_in_page"),
    ("/sso/", "sign_in_page"),
    ("/mobile/api/login", "login"),
    ("/portal/api/login", "login"),
    ("/mobile/api/mfa/", "mfa"),
    ("/portal/api/mfa/", "mfa"),
    ("/activitylist-service/activities/search/activities", "activities"),
    ("/download-service/files/activity/", "download"),
    ("/userprofile-service/socialProfile", "profile"),
    ("/workout-service/schedule/", "schedule"),
    ("/workout-service/workout", "workout"),
)


def _unknown(_: Asked) -> Answer:
    return json_answer({"message": "HTTP 404 Not Found"}, 404)


def jwt(claims: Mapping[str, Any]) -> str:
    """Return a token of the right shape. Its signature is none."""
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2ltdWxhdGVk"))


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _handler(loopback))
        loopback.wrap(self)

    def handle_error(self, *_: object) -> None:
        """Say nothing where the client has gone away: that is its right."""


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Line(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean: requests are counted, not printed."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.title(): value for name, value in self.headers.items()}
            loopback.serve(self, Asked(self.command, parts.path, query, headers, body))

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815  # the standard library's names

    return Line


def _write(line: BaseHTTPRequestHandler, answer: Answer) -> None:
    _head(line, answer, len(answer.body))
    line.wfile.write(answer.body)


def _head(line: BaseHTTPRequestHandler, answer: Answer, length: int) -> None:
    line.send_response(answer.status)
    line.send_header("Content-Type", answer.content_type)
    line.send_header("Content-Length", str(length))
    for name, value in answer.headers.items():
        line.send_header(name, value)
    line.end_headers()


def _write_part(line: BaseHTTPRequestHandler, answer: Answer, kind: Kind) -> None:
    half = answer.body[: len(answer.body) // 2]
    if kind == "cut":
        _write(line, replace(answer, body=half))
        return
    if kind == "short":
        _head(line, answer, len(answer.body))
        line.wfile.write(half)
    line.close_connection = True


def _status(line: BaseHTTPRequestHandler, fault: Fault, _: threading.Event) -> None:
    _write(line, replace(json_answer({"message": "simulated"}, fault.status), headers=fault.headers))


def _html(line: BaseHTTPRequestHandler, _: Fault, __: threading.Event) -> None:
    _write(line, Answer(_PAGE, content_type=_HTML))


def _slow(_: BaseHTTPRequestHandler, fault: Fault, closing: threading.Event) -> None:
    closing.wait(fault.seconds)


def _drip(line: BaseHTTPRequestHandler, _: Fault, closing: threading.Event) -> None:
    _head(line, Answer(b""), 1 << 20)
    while not closing.wait(0.05):
        line.wfile.write(b" ")
        line.wfile.flush()
    line.close_connection = True


def _drop(line: BaseHTTPRequestHandler, _: Fault, __: threading.Event) -> None:
    line.close_connection = True


_BEFORE: dict[str, Callable[[BaseHTTPRequestHandler, Fault, threading.Event], None]] = {
    "status": _status,
    "html": _html,
    "slow": _slow,
    "drip": _drip,
    "drop": _drop,
}


def _title(run: PlannedRun) -> str:
    return f"Simulated {run.kind} run"


def _summary(runner: SimulatedRunner, upload: Upload) -> dict[str, Any]:
    """Return an activity as the list shows it: field by field what Garmin Connect tells, in Garmin's units."""
    if upload.run is None:
        return _common(runner, upload, "strength_training", 13, 29, 1800.0, 1800.0) | _strength_part()
    timer, elapsed, part = _run(runner, upload.run)
    kind = ("treadmill_running", 18, 1) if upload.run.kind == "treadmill" else ("trail_running", 6, 1)
    return _common(runner, upload, *kind, timer, elapsed) | part


@lru_cache(maxsize=4096)
def _run(runner: SimulatedRunner, run: PlannedRun) -> tuple[float, float, dict[str, Any]]:
    """Return a run's timer and elapsed seconds, and what only a run's entry says. Kept: it is costly."""
    streams = streams_of(runner, run)
    elapsed = float(streams.time_s[-1])
    timer = elapsed - sum(end - begin for begin, end in streams.pauses)
    part = _running_part(streams, timer)
    return timer, elapsed, part if run.kind == "treadmill" else part | _outdoor_part(streams)


def _common(  # noqa: PLR0917  # what an entry of any type consists of
    runner: SimulatedRunner, upload: Upload, key: str, type_id: int, parent_id: int, timer: float, elapsed: float
) -> dict[str, Any]:
    local = upload.start_at.astimezone(ZoneInfo(runner.time_zone))
    end = upload.start_at + dt.timedelta(seconds=elapsed)
    flags = (
        "hasHeatMap hasImages hasVideo userPro qualifyingDive parent decoDive autoCalcCalories elevationCorrected"
        " atpActivity favorite purposeful manualActivity pr"
    )
    return {
        "activityId": upload.activity_id,
        "activityName": upload.title,
        "startTimeLocal": f"{local:%Y-%m-%d %H:%M:%S}",
        "startTimeGMT": f"{upload.start_at:%Y-%m-%d %H:%M:%S}",
        "endTimeGMT": f"{end:%Y-%m-%d %H:%M:%S}",
        "beginTimestamp": round(1000 * upload.start_at.timestamp()),
        "activityType": {
            "typeId": type_id,
            "typeKey": key,
            "parentTypeId": parent_id,
            "isHidden": False,
            "restricted": False,
            "trimmable": True,
        },
        "eventType": {"typeId": 9, "typeKey": "uncategorized", "sortOrder": 10},
        "privacy": {"typeId": 2, "typeKey": "private"},
        "distance": 0.0,
        "duration": timer,
        "elapsedDuration": elapsed,
        "movingDuration": timer,
        "averageSpeed": 0.0,
        "maxSpeed": 0.0,
        "ownerId": _OWNER,
        "ownerDisplayName": "00000000-0000-4000-8000-000000004711",
        "ownerFullName": runner.name,
        **dict.fromkeys(f"ownerProfileImageUrl{size}" for size in ("Small", "Medium", "Large")),
        "calories": 0.2 * timer,
        "bmrCalories": 0.02 * timer,
        "averageHR": 100.0,
        "maxHR": 130.0,
        "userRoles": [],
        "timeZoneId": 124,
        "sportTypeId": 1,
        "aerobicTrainingEffect": 2.5,
        "anaerobicTrainingEffect": 0.0,
        "aerobicTrainingEffectMessage": "MAINTAINING_AEROBIC_BASE_7",
        "anaerobicTrainingEffectMessage": "NO_ANAEROBIC_BENEFIT_0",
        "trainingEffectLabel": "AEROBIC_BASE",
        "activityTrainingLoad": timer / 40,
        "minActivityLapDuration": 3.5,
        "deviceId": 3_900_000_000 + runner.seed,
        "summarizedDiveInfo": {"summarizedDiveGases": []},
        "manufacturer": "DEVELOPMENT",
        "locationName": "Simulation",
        "lapCount": 1,
        "waterEstimated": timer / 6,
        "splitSummaries": [],
        "hasSplits": False,
        "hasPolyline": False,
        "moderateIntensityMinutes": 0,
        "vigorousIntensityMinutes": round(timer / 60),
        "differenceBodyBattery": -9,
        **{f"hrTimeInZone_{zone}": timer / 5 for zone in range(1, 6)},
        **dict.fromkeys(flags.split(), False),
    }


def _strength_part() -> dict[str, Any]:
    return {"totalSets": 5, "activeSets": 3, "totalReps": 24, "summarizedExerciseSets": []}


def _running_part(streams: Streams, timer: float) -> dict[str, Any]:
    speed, distance = streams.speed_mps, float(streams.distance_m[-1])
    beats = streams.heart_rate_bpm
    known = beats[np.isfinite(beats)]
    steps = float(np.nanmean(streams.cadence_spm))
    most = float(np.nanmax(streams.cadence_spm))
    mean_speed = distance / timer
    return {
        "distance": distance,
        "averageSpeed": mean_speed,
        "maxSpeed": float(np.nanmax(speed)),
        "averageHR": float(np.mean(known)) if len(known) else None,
        "maxHR": float(np.max(known)) if len(known) else None,
        "averageRunningCadenceInStepsPerMinute": steps,
        "maxRunningCadenceInStepsPerMinute": most,
        "maxDoubleCadence": most,
        "steps": round(steps * timer / 60),
        "avgPower": 200.0,
        "maxPower": 400.0,
        "normPower": 210.0,
        "avgVerticalOscillation": 8.0,
        "avgGroundContactTime": 260.0,
        "avgStrideLength": 100 * mean_speed / (steps / 60),
        "avgVerticalRatio": 8.5,
        "vO2MaxValue": 45.0,
        "workoutId": 0,
        "minTemperature": 17.0,
        "maxTemperature": 24.0,
        "fastestSplit_1000": 1000 / mean_speed,
        "fastestSplit_1609": 1609 / mean_speed,
        "avgGradeAdjustedSpeed": mean_speed,
        "hasSplits": True,
        "lapCount": int(distance // 1000) + 1,
        "splitSummaries": [_split(distance, timer, mean_speed, float(np.nanmax(speed)))],
        **{f"powerTimeInZone_{zone}": timer / 5 for zone in range(1, 6)},
    }


def _split(distance: float, timer: float, mean_speed: float, max_speed: float) -> dict[str, Any]:
    return {
        "noOfSplits": 1,
        "totalAscent": 0.0,
        "duration": timer,
        "splitType": "INTERVAL_ACTIVE",
        "numClimbSends": 0,
        "maxElevationGain": 0.0,
        "averageElevationGain": 0.0,
        "maxDistance": int(distance),
        "distance": distance,
        "averageSpeed": mean_speed,
        "maxSpeed": max_speed,
        "numFalls": 0,
        "elevationLoss": 0.0,
    }


def _outdoor_part(streams: Streams) -> dict[str, Any]:
    height, north, east = streams.altitude_m, streams.latitude_deg, streams.longitude_deg
    on_road = np.flatnonzero(np.isfinite(north))
    first, last = on_road[0], on_road[-1]
    rises = np.diff(height[np.isfinite(height)][::20])
    return {
        "startLatitude": float(north[first]),
        "startLongitude": float(east[first]),
        "endLatitude": float(north[last]),
        "endLongitude": float(east[last]),
        "elevationGain": float(np.sum(rises[rises > 0])),
        "elevationLoss": float(-np.sum(rises[rises < 0])),
        "minElevation": float(np.nanmin(height)),
        "maxElevation": float(np.nanmax(height)),
        "maxVerticalSpeed": 0.8,
        "hasPolyline": True,
    }


_EXERCISES = (
    ("LEG_CURL", "SLIDING_LEG_CURL", 8, 0.0),
    ("LEG_CURL", None, 8, 20_000.0),
    ("DEADLIFT", None, 8, 40_000.0),
)
_SET_S, _REST_S = 40.0, 90.0


def strength_sets(start_at: dt.datetime) -> list[dict[str, Any]]:
    """Return the sets of a strength session as Garmin Connect tells them: weights in grams, a probability for each."""
    sets: list[dict[str, Any]] = []
    at = start_at
    for category, name, repetitions, grams in _EXERCISES:
        guess = {"category": category, "name": name, "probability": 99.609375}
        for exercises, seconds, count, weight in (([guess], _SET_S, repetitions, grams), ([], _REST_S, None, None)):
            sets.append(
                {
                    "exercises": exercises,
                    "duration": seconds,
                    "repetitionCount": count,
                    "weight": weight,
                    "setType": "ACTIVE" if exercises else "REST",
                    "startTime": f"{at:%Y-%m-%dT%H:%M:%S}.0",
                    "messageIndex": len(sets),
                    "wktStepIndex": None,
                }
            )
            at += dt.timedelta(seconds=seconds)
    return sets


def strength_fit(runner: SimulatedRunner, start_at: dt.datetime) -> bytes:
    """Return a strength session as a FIT activity file, with the sets that `strength_sets` tells of."""
    at = start_at.timestamp()
    blocks = [
        block(
            "file_id",
            type="activity",
            manufacturer="development",
            product=0,
            serial_number=runner.seed % 0xFFFF_FFFE + 1,
            time_created=at,
            product_name=PRODUCT_NAME,
        )
    ]
    elapsed = 0.0
    for index, (category, _, repetitions, grams) in enumerate(_EXERCISES):
        blocks.append(
            block(
                "set",
                timestamp=at + elapsed + _SET_S,
                start_time=at + elapsed,
                duration=_SET_S,
                repetitions=repetitions,
                weight=grams / 1000,
                set_type=number_of("set_type", "active"),
                category=number_of("exercise_category", category.lower()),
                message_index=index,
            )
        )
        elapsed += _SET_S + _REST_S
    blocks += [
        block(
            "session",
            message_index=0,
            timestamp=at + 1800,
            start_time=at,
            event="session",
            event_type="stop",
            sport="training",
            sub_sport="strength_training",
            total_elapsed_time=1800.0,
            total_timer_time=1800.0,
        ),
        block("activity", timestamp=at + 1800, total_timer_time=1800.0, num_sessions=1, type="manual"),
    ]
    return fit_file(blocks)


_NOTHING = (
    "profileImageType profileImageUrlLarge profileImageUrlMedium profileImageUrlSmall facebookUrl twitterUrl"
    " personalWebsite motivation bio primaryActivity cyclingClassification otherActivity otherPrimaryActivity"
    " otherMotivation"
)
_NOT = (
    "showAge showWeight showHeight showWeightClass showAgeRange showGender showActivityClass showVO2Max"
    " showPersonalRecords showLast12Months showLifetimeTotals showUpcomingEvents showRecentFavorites showRecentDevice"
    " showRecentGear allowGolfLiveScoring levelIsViewed userPro"
)
_VISIBLE = "profile activityStart activityMap course activityHeartRate activityPower badge"
_NUMBERS = "runningTrainingSpeed cyclingTrainingSpeed cyclingMaxAvgPower swimmingTrainingSpeed"


def profile(name: str) -> dict[str, Any]:
    """Return the account's social profile."""
    return {
        "id": _OWNER + 1,
        "profileId": _OWNER,
        "garminGUID": "00000000-0000-4000-8000-000000000002",
        "displayName": "00000000-0000-4000-8000-000000004711",
        "fullName": name,
        "userName": "runner@example.com",
        "userProfileFullName": name,
        "location": "Simulation",
        "favoriteActivityTypes": [],
        "favoriteCyclingActivityTypes": [],
        "userRoles": [],
        "nameApproved": True,
        "showBadges": True,
        "makeGolfScorecardsPrivate": True,
        "allowGolfScoringByConnections": True,
        "userLevel": 3,
        "userPoint": 100,
        "levelUpdateDate": "2026-01-01T00:00:00.0",
        "levelPointThreshold": 140,
        "userPointOffset": 0,
        **dict.fromkeys(_NUMBERS.split(), 0.0),
        **dict.fromkeys((f"{what}Visibility" for what in _VISIBLE.split()), "private"),
        **dict.fromkeys(_NOTHING.split()),
        **dict.fromkeys(_NOT.split(), False),
    }
