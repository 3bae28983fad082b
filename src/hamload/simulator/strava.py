"""Strava's API v3 on loopback, as far as hamload needs it: sign-in, lists, details, streams, limits and failures.

The activities are the simulated runner's. Time is the service's own `now`, which only a test or the demo moves. Every
request is counted by endpoint, and every one beyond a limit too. The client stays unmodified: `reach` mounts an adapter
on its session that leads from Strava's address here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
from requests.adapters import HTTPAdapter

from hamload.simulator.athlete import start_of
from hamload.simulator.certificates import wrapped
from hamload.simulator.recordings import streams_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import requests

    from hamload.records import Array, Streams
    from hamload.simulator.athlete import PlannedRun, SimulatedRunner

type Endpoint = Literal["authorize", "token", "revoke", "athlete", "list", "activity", "streams", "unknown"]
type RefreshStep = Literal["asked", "rotated", "told"]
type Recorder = Callable[[SimulatedRunner, PlannedRun], Streams]

RUNNER_ID = 4_711
_API = "/api/v3"
_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", r"/oauth/authorize", "authorize"),
    ("POST", r"/oauth/token", "token"),
    ("POST", r"/oauth/revoke", "revoke"),
    ("GET", rf"{_API}/athlete", "athlete"),
    ("GET", rf"{_API}/athlete/activities", "list"),
    ("GET", rf"{_API}/activities/(\d+)", "activity"),
    ("GET", rf"{_API}/activities/(\d+)/streams", "streams"),
)
_SIGN_IN: frozenset[Endpoint] = frozenset({"authorize", "token", "revoke"})
_QUARTER_S, _DAY_S = 900, 86_400
_ACCESS = dt.timedelta(hours=6)
#: A new access token is made only in the last hour of the old one.
_RENEWED = dt.timedelta(hours=1)
_PAGE, _PAGE_MAX = 30, 200
_DRIP_S = 0.02
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    `status`: this code, with Strava's own words for it. `html`: with a web page in their place. `inactive`: 403, the
    application's subscription lapsed. `cut`: the connection ends half-way through the body; `torn`: the body itself
    ends half-way. `silent`: no answer for `wait_s`. `drip`: the body comes byte by byte. `empty`: 200 and nothing.
    `garbage`: JSON of another kind. `changed`: what `change` makes of the body.
    """

    kind: Literal["status", "html", "inactive", "cut", "torn", "silent", "drip", "empty", "garbage", "changed"]
    status: int = 200
    wait_s: float = 0.0
    change: Callable[[bytes], bytes] = bytes


class Faults:
    """What goes wrong next, per endpoint."""

    def __init__(self) -> None:
        self._waiting: dict[Endpoint, list[tuple[Fault, int]]] = {}

    def add(self, endpoint: Endpoint, fault: Fault, times: int = 1_000_000, *, after: int = 0) -> None:
        """Let the next `times` requests to an endpoint fail, once `after` more have gone well."""
        if after:
            self._waiting.setdefault(endpoint, []).append((Fault("status", 0), after))
        self._waiting.setdefault(endpoint, []).append((fault, times))

    def clear(self) -> None:
        """End all faults."""
        self._waiting.clear()

    def next(self, endpoint: Endpoint) -> Fault | None:
        """Take the fault of this request."""
        waiting = self._waiting.get(endpoint)
        if not waiting:
            return None
        fault, times = waiting[0]
        waiting[0] = (fault, times - 1)
        if times <= 1:
            waiting.pop(0)
        return fault if fault.status or fault.kind != "status" else None


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a quarter of an hour and a day: overall, and reads."""

    overall: tuple[int, int] = (200, 2000)
    reads: tuple[int, int] = (100, 1000)


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity on Strava. `run` is None where it was entered by hand; `changes` overrule its summary."""

    activity_id: int
    start_at: dt.datetime
    run: PlannedRun | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    seen_from: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = _JSON
    wait_s: float = 0.0
    is_cut: bool = False
    is_dripped: bool = False


class Strava:
    """The service. Change it from the test's side; it answers from threads of its own.

    Attributes
    ----------
    now
        Its clock. `ask_s` is how far each request moves it.
    hidden_from_pages
        Ids that a page leaves out after it was cut: pages come out short although more follow.
    asked
        Requests by endpoint; `beyond`: those that came although a limit was reached.
    on_refresh
        Called with each step of a refresh: "asked", "rotated" (the old token is dead), "told".

    """

    def __init__(
        self,
        runner: SimulatedRunner,
        runs: Sequence[PlannedRun],
        now: dt.datetime,
        *,
        limits: Limits | None = None,
        recorder: Recorder = streams_of,
        ask_s: float = 0.5,
    ) -> None:
        self.runner, self.now, self.limits, self.ask_s = runner, now, limits or Limits(), ask_s
        self.client_id, self.client_secret = 12_345, "simulated-client-secret"
        self.faults = Faults()
        self.asked: Counter[Endpoint] = Counter()
        self.beyond = 0
        self.rotates = True
        self.access_lasts = _ACCESS
        self.hidden_from_pages: frozenset[int] = frozenset()
        self.on_refresh: Callable[[RefreshStep], None] = lambda _step: None
        self._recorder = recorder
        self._windows: Counter[tuple[str, int, int]] = Counter()
        self._activities: dict[int, Activity] = {}
        self._recorded: dict[int, dict[str, Any]] = {}
        self._codes: dict[str, str] = {}
        self._refresh_tokens: set[str] = set()
        self._access_tokens: dict[str, dt.datetime] = {}
        self._made = 0
        self._lock = threading.RLock()
        self.address = ""
        for run in runs:
            self.upload(run)

    # What the runner does

    def upload(self, run: PlannedRun, *, seen_from: dt.datetime | None = None, **changes: Any) -> int:
        """Upload a run, which shows from `seen_from` on. Returns its number."""
        start = start_of(self.runner, run)
        return self._add(Activity(_number_of(start), start, run, changes, seen_from))

    def enter(self, start_at: dt.datetime, moving_time_s: int, distance_m: float, **changes: Any) -> int:
        """Enter an activity by hand. Returns its number."""
        told = {"moving_time": moving_time_s, "elapsed_time": moving_time_s, "distance": float(distance_m)}
        return self._add(Activity(_number_of(start_at), start_at, None, told | changes))

    def edit(self, activity_id: int, **changes: Any) -> None:
        """Change what an activity says of itself."""
        with self._lock:
            activity = self._activities[activity_id]
            self._activities[activity_id] = replace(activity, changes={**activity.changes, **changes})

    def delete(self, activity_id: int) -> None:
        """Delete an activity."""
        with self._lock:
            del self._activities[activity_id]

    def ids(self) -> list[int]:
        """Return the numbers of all activities, newest first."""
        with self._lock:
            return [a.activity_id for a in sorted(self._activities.values(), key=lambda a: a.start_at, reverse=True)]

    def allow(
        self,
        *,
        state: str = "",
        scope: str = "read,activity:read_all",
        redirect_uri: str = "http://localhost/callback",
    ) -> str:
        """Click "Authorize". Returns the address to which the browser is sent back."""
        code = self._secret("code")
        self._codes[code] = scope
        return f"{redirect_uri}?" + urlencode({"state": state, "code": code, "scope": scope})

    def tokens(self) -> dict[str, Any]:
        """Return new tokens, as after a sign-in."""
        with self._lock:
            return self._new_tokens()

    def revoke(self) -> None:
        """Disconnect the application, as on Strava's page of connected applications."""
        with self._lock:
            self._refresh_tokens.clear()
            self._access_tokens.clear()

    def advance(self, to: dt.datetime) -> None:
        """Move the clock."""
        with self._lock:
            self.now = max(to, self.now)

    # What it answers

    def answer(self, method: str, target: str, form: Mapping[str, str], bearer: str) -> _Answer:
        """Answer one request."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        with self._lock:
            self.now += dt.timedelta(seconds=self.ask_s)
            endpoint, argument = _route(method, url.path)
            self.asked[endpoint] += 1
            is_counted = endpoint not in _SIGN_IN
            is_beyond = is_counted and self._count()
            announced = self._announced() if is_counted else {}
            fault = self.faults.next(endpoint)
            if is_beyond:
                self.beyond += 1
                return _Answer(
                    429, _words("Rate Limit Exceeded", "Application", "overall limit", "exceeded"), announced
                )
            if fault and fault.kind in {"status", "html", "inactive", "silent"}:
                return replace(_failed(fault), headers=announced)
            found = self._found(endpoint, argument, query, form, bearer)
            found = replace(found, headers={**announced, **found.headers})
        return _spoiled(found, fault) if fault else found

    def _found(
        self, endpoint: Endpoint, argument: int, query: Mapping[str, str], form: Mapping[str, str], bearer: str
    ) -> _Answer:
        if endpoint == "token":
            return self._token(form)
        if endpoint == "authorize":
            return _Answer(302, b"", {"Location": self._allowed(query)})
        if endpoint == "revoke" and bearer in self._access_tokens:
            self.revoke()
            return _Answer(200, _json({}))
        if self._access_tokens.get(bearer, self.now) <= self.now:
            return _Answer(401, _words("Authorization Error", "Athlete", "access_token", "invalid"))
        return self._shown(endpoint, argument, query)

    def _allowed(self, query: Mapping[str, str]) -> str:
        named = {name: query[name] for name in ("state", "redirect_uri") if name in query}
        return self.allow(**named)

    def _shown(self, endpoint: Endpoint, argument: int, query: Mapping[str, str]) -> _Answer:
        if endpoint == "list":
            return self._list(query)
        if endpoint == "athlete":
            return _Answer(200, _json(_athlete(self.runner)))
        activity = self._activities.get(argument)
        if activity is None or not self._is_seen(activity):
            return _Answer(404, _words("Record Not Found", "Activity", "", "not found"))
        if endpoint == "activity":
            return _Answer(200, _json(self._summary(activity) | {"resource_state": 3, "description": None}))
        if activity.run is None:
            return _Answer(404, _words("Record Not Found", "Streams", "", "not found"))
        wanted = set(query.get("keys", "").split(","))
        streams = _streams(self._recorder(self.runner, activity.run))
        return _Answer(200, _json({name: stream for name, stream in streams.items() if name in wanted}))

    def _list(self, query: Mapping[str, str]) -> _Answer:
        page, size = int(query.get("page", 1)), min(int(query.get("per_page", _PAGE)), _PAGE_MAX)
        before, after = query.get("before"), query.get("after")
        if after is not None and float(after) > self.now.timestamp():
            return _Answer(400, _words("Bad Request", "Activity", "after", "future"))
        rows = [
            a
            for a in self._activities.values()
            if self._is_seen(a)
            and (before is None or a.start_at.timestamp() < float(before))
            and (after is None or a.start_at.timestamp() > float(after))
        ]
        # With `after` the oldest come first.
        rows.sort(key=lambda a: (a.start_at, a.activity_id), reverse=after is None)
        shown = [a for a in rows[(page - 1) * size : page * size] if a.activity_id not in self.hidden_from_pages]
        return _Answer(200, _json([self._summary(a) for a in shown]))

    def _token(self, form: Mapping[str, str]) -> _Answer:
        if form.get("client_id") != str(self.client_id) or form.get("client_secret") != self.client_secret:
            return _Answer(400, _words("Bad Request", "Application", "client_id", "invalid"))
        if form.get("grant_type") == "authorization_code":
            scope = self._codes.pop(form.get("code", ""), None)
            if scope is None:
                return _Answer(400, _words("Bad Request", "RequestToken", "code", "invalid"))
            return _Answer(200, _json(self._new_tokens() | {"athlete": _athlete(self.runner)}))
        old = form.get("refresh_token", "")
        if form.get("grant_type") != "refresh_token" or old not in self._refresh_tokens:
            return _Answer(400, _words("Bad Request", "RefreshToken", "refresh_token", "invalid"))
        self.on_refresh("asked")
        if self.rotates:
            self._refresh_tokens.discard(old)
            new = self._new_tokens()
        else:
            new = self._new_tokens(old)
        self.on_refresh("rotated")
        return _Answer(200, _json(new))

    def _new_tokens(self, refresh_token: str = "") -> dict[str, Any]:
        lasting = [t for t, ends_at in self._access_tokens.items() if ends_at - self.now > _RENEWED]
        access = lasting[-1] if lasting else self._secret("access")
        ends_at = self._access_tokens.setdefault(access, self.now + self.access_lasts)
        refresh = refresh_token or self._secret("refresh")
        self._refresh_tokens.add(refresh)
        return {
            "token_type": "Bearer",
            "access_token": access,
            "expires_at": int(ends_at.timestamp()),
            "expires_in": int((ends_at - self.now).total_seconds()),
            "refresh_token": refresh,
        }

    def _secret(self, kind: str) -> str:
        self._made += 1
        return f"simulated-{kind}-{self._made:04d}"

    def _add(self, activity: Activity) -> int:
        with self._lock:
            self._activities[activity.activity_id] = activity
        return activity.activity_id

    def _is_seen(self, activity: Activity) -> bool:
        return (activity.seen_from or activity.start_at) <= self.now

    def _count(self) -> bool:
        """Count a request in every window; return whether one of them was full already."""
        at = int(self.now.timestamp())
        is_beyond = False
        for kind, limits in (("overall", self.limits.overall), ("reads", self.limits.reads)):
            for span, limit in zip((_QUARTER_S, _DAY_S), limits, strict=True):
                window = (kind, span, at // span)
                is_beyond |= self._windows[window] >= limit
                self._windows[window] += 1
        return is_beyond

    def _announced(self) -> dict[str, str]:
        at = int(self.now.timestamp())
        told = {}
        for kind, name, limits in (
            ("overall", "RateLimit", self.limits.overall),
            ("reads", "ReadRateLimit", self.limits.reads),
        ):
            used = [self._windows[kind, span, at // span] for span in (_QUARTER_S, _DAY_S)]
            told[f"X-{name}-Limit"] = f"{limits[0]},{limits[1]}"
            told[f"X-{name}-Usage"] = f"{used[0]},{used[1]}"
        return told

    def _summary(self, activity: Activity) -> dict[str, Any]:
        if activity.activity_id not in self._recorded:
            self._recorded[activity.activity_id] = (
                _entered(activity, self.runner)
                if activity.run is None
                else _recorded(activity, self.runner, self._recorder(self.runner, activity.run))
            )
        return {**self._recorded[activity.activity_id], **activity.changes}


def _route(method: str, path: str) -> tuple[Endpoint, int]:
    for verb, pattern, endpoint in _ROUTES:
        if method == verb and (found := re.fullmatch(pattern, path)):
            return endpoint, int(found[1]) if found.groups() else 0
    return "unknown", 0


def _failed(fault: Fault) -> _Answer:
    if fault.kind == "inactive":
        return _Answer(403, _words("Forbidden", "Application", "Status", "Inactive"))
    if fault.kind == "html":
        page = f"<!DOCTYPE html><html><head><title>{fault.status}</title></head><body>Sorry.</body></html>"
        return _Answer(fault.status, page.encode(), content_type="text/html; charset=utf-8")
    if fault.kind == "silent":
        return _Answer(200, b"[]", wait_s=fault.wait_s)
    return _Answer(fault.status, _words("Error", "Server", "", f"status {fault.status}"))


def _spoiled(answer: _Answer, fault: Fault) -> _Answer:
    if fault.kind == "cut":
        return replace(answer, is_cut=True)
    if fault.kind == "torn":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    if fault.kind == "drip":
        return replace(answer, is_dripped=True)
    if fault.kind == "changed":
        return replace(answer, body=fault.change(answer.body))
    return replace(answer, status=200, body=b"" if fault.kind == "empty" else b'{"surprise": [1, null, "x"]}')


def _words(message: str, resource: str, name: str, code: str) -> bytes:
    return _json({"message": message, "errors": [{"resource": resource, "field": name, "code": code}]})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _number_of(start: dt.datetime) -> int:
    return 10_000_000_000 + int(start.timestamp())


def _athlete(runner: SimulatedRunner) -> dict[str, Any]:
    first, _, last = runner.name.partition(" ")
    return {"id": RUNNER_ID, "username": "simulated", "resource_state": 2, "firstname": first, "lastname": last}


def _entered(activity: Activity, runner: SimulatedRunner) -> dict[str, Any]:
    whole = _common(activity, runner, "Run") | {
        "total_elevation_gain": 0,
        "trainer": False,
        "manual": True,
        "start_latlng": [],
        "end_latlng": [],
        "average_speed": float(activity.changes["distance"]) / max(activity.changes["moving_time"], 1),
        "max_speed": 0,
        "has_heartrate": False,
        "upload_id": None,
        "external_id": None,
    }
    return {name: value for name, value in whole.items() if name != "upload_id_str"}


def _recorded(activity: Activity, runner: SimulatedRunner, streams: Streams) -> dict[str, Any]:
    run = activity.run
    if run is None:
        raise ValueError("An activity without a run has no recording.")
    elapsed = float(streams.time_s[-1])
    moving = elapsed - sum(to - begins for begins, to in streams.pauses)
    distance = float(streams.distance_m[-1])
    is_indoors = run.kind == "treadmill"
    where = _known_pairs(streams)
    heights = streams.altitude_m[np.isfinite(streams.altitude_m)]
    beats = streams.heart_rate_bpm[np.isfinite(streams.heart_rate_bpm)]
    whole = _common(activity, runner, "TrailRun" if run.road == "hilly" and not is_indoors else "Run") | {
        "distance": round(distance, 1),
        "moving_time": round(moving),
        "elapsed_time": round(elapsed),
        "total_elevation_gain": round(float(np.maximum(np.diff(heights), 0).sum()), 1) if len(heights) else 0,
        "workout_type": {"race": 1, "long": 2, "intervals": 3}.get(run.kind, 0),
        "trainer": is_indoors,
        "start_latlng": where[0] if where else [],
        "end_latlng": where[-1] if where else [],
        "average_speed": round(distance / max(moving, 1), 3),
        "max_speed": round(float(np.max(streams.speed_mps)), 3),
        "average_cadence": round(float(np.mean(streams.cadence_spm)) / 2, 1),
        "has_heartrate": bool(len(beats)),
    }
    if len(beats):
        whole |= {
            "average_heartrate": round(float(np.mean(beats)), 1),
            "max_heartrate": float(np.max(beats)),
            "suffer_score": round(moving / 60.0, 0),
        }
    if len(heights):
        whole |= {"elev_high": round(float(heights.max()), 1), "elev_low": round(float(heights.min()), 1)}
    return whole


def _common(activity: Activity, runner: SimulatedRunner, sport: str) -> dict[str, Any]:
    zone = ZoneInfo(runner.time_zone)
    local = activity.start_at.astimezone(zone)
    offset = local.utcoffset() or dt.timedelta(0)
    standard = (offset - (local.dst() or dt.timedelta(0))).total_seconds()
    sign, hours = "-" if standard < 0 else "+", abs(int(standard)) // 3600
    number = activity.activity_id
    return {
        "resource_state": 2,
        "athlete": {"id": RUNNER_ID, "resource_state": 1},
        "name": f"{'Morning' if local.hour < 12 else 'Evening'} Run",  # noqa: PLR2004  # noon
        "type": "Run",
        "sport_type": sport,
        "id": number,
        "start_date": f"{activity.start_at:%Y-%m-%dT%H:%M:%SZ}",
        # Strava's own mistake: the local clock, called UTC.
        "start_date_local": f"{local:%Y-%m-%dT%H:%M:%SZ}",
        "timezone": f"(GMT{sign}{hours:02d}:{abs(int(standard)) % 3600 // 60:02d}) {runner.time_zone}",
        "utc_offset": offset.total_seconds(),
        **dict.fromkeys(("location_city", "location_state", "location_country", "gear_id")),
        **dict.fromkeys(("achievement_count", "kudos_count", "comment_count", "photo_count", "pr_count"), 0),
        **dict.fromkeys(("commute", "manual", "private", "flagged", "heartrate_opt_out", "has_kudoed"), False),
        "from_accepted_tag": False,
        "display_hide_heartrate_option": True,
        "athlete_count": 1,
        "total_photo_count": 0,
        "visibility": "everyone",
        "map": {"id": f"a{number}", "summary_polyline": "", "resource_state": 2},
        "upload_id": number + 7,
        "upload_id_str": str(number + 7),
        "external_id": f"garmin_ping_{number}",
    }


def _known_pairs(streams: Streams) -> list[list[float]]:
    is_known = np.isfinite(streams.latitude_deg)
    both = np.column_stack((streams.latitude_deg[is_known], streams.longitude_deg[is_known]))
    return [[round(float(a), 6), round(float(b), 6)] for a, b in both]


def _streams(streams: Streams) -> dict[str, Any]:
    """Return the nine streams that Strava gives of a run; indoors three fewer."""
    is_moving = streams.speed_mps >= 0.5  # noqa: PLR2004  # Strava's own rule is not known
    found: dict[str, list[Any]] = {
        "moving": [bool(value) for value in is_moving],
        "velocity_smooth": _rounded(streams.speed_mps, 1),
        "cadence": [int(value) for value in np.floor(np.nan_to_num(streams.cadence_spm) / 2)],
        "distance": _rounded(streams.distance_m, 1),
        "time": [int(value) for value in np.rint(streams.time_s)],
    }
    if np.isfinite(streams.heart_rate_bpm).any():
        found["heartrate"] = [int(value) for value in _held(streams.heart_rate_bpm)]
    if np.isfinite(streams.altitude_m).any():
        found["altitude"] = _rounded(_held(streams.altitude_m), 1)
        rise, run = np.gradient(_held(streams.altitude_m)), np.gradient(streams.distance_m)
        found["grade_smooth"] = _rounded(100 * np.divide(rise, run, out=np.zeros_like(rise), where=run > 0), 1)
    if np.isfinite(streams.latitude_deg).any():
        both = zip(_held(streams.latitude_deg), _held(streams.longitude_deg), strict=True)
        found["latlng"] = [[round(float(a), 6), round(float(b), 6)] for a, b in both]
    n = len(streams)
    return {
        name: {"data": data, "series_type": "time", "original_size": n, "resolution": "high"}
        for name, data in found.items()
    }


def _held(values: Array) -> Array:
    """Return the values with gaps filled by the last one before: Strava's streams have none."""
    known = np.flatnonzero(np.isfinite(values))
    last = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return values[known[np.maximum(last, 0)]]


def _rounded(values: Array, digits: int) -> list[float]:
    return [float(value) for value in np.round(values, digits)]


# Loopback


@contextmanager
def serving(service: Strava, tls: ssl.SSLContext | None = None) -> Iterator[Strava]:
    """Serve on loopback, over TLS where a context is given, at a free port that `service.address` names."""
    server = _Server(service)
    if tls is not None:
        wrapped(server, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.address = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client that was killed, or lost patience, is what the tests are about: its thread is not waited for.
    block_on_close = False

    def __init__(self, service: Strava) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; anything else is a fault of the simulator."""
        import sys  # noqa: PLC0415  # only here

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def date_time_string(self, _timestamp: float | None = None) -> str:
        return format_datetime(self.server.service.now.astimezone(dt.UTC), usegmt=True)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        answer = self.server.service.answer(self.command, self.path, form, bearer)
        if answer.wait_s:
            time.sleep(answer.wait_s)
        with suppress(OSError):
            self._write(answer)
        if form.get("grant_type") == "refresh_token":
            self.server.service.on_refresh("told")

    def _write(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.is_cut:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif answer.is_dripped:
            for place in range(len(answer.body)):
                self.wfile.write(answer.body[place : place + 1])
                self.wfile.flush()
                time.sleep(_DRIP_S)
        else:
            self.wfile.write(answer.body)


class Loopback(HTTPAdapter):
    """Leads every request to the simulated service. Can be pickled."""

    __attrs__ = [*HTTPAdapter.__attrs__, "address"]  # noqa: RUF012  # requests' own way

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Send a request here in the place of the host that it names."""
        led = request.copy()
        url = urlsplit(str(request.url))
        led.url = f"{self.address}{url.path}" + (f"?{url.query}" if url.query else "")
        return super().send(led, **{**kwargs, "proxies": {}})


def reach[S: requests.Session](session: S, service: Strava, host: str = "www.strava.com") -> S:
    """Lead a session's requests for a host to the simulated service. Returns the session."""
    session.mount(f"https://{host}", Loopback(service.address))
    return session
