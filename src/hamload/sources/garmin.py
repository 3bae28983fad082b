"""Garmin Connect through `garminconnect`, unmodified: signed in by saved tokens, or by a person at a keyboard.

Two separate doors. `connect` works from saved tokens and never logs in, for every refused login prolongs Garmin's
block; it is all that a nightly run may use. `login` is interactive, once. What is new, `fetch` finds.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hamload.redaction import learn
from hamload.sources.garmin_listing import (
    LATER,
    UPDATE,
    AnswerError,
    GarminError,
    LoginNeededError,
    NotFoundError,
    Reach,
    TooManyRequestsError,
    UnreachableError,
    fetch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from garminconnect import Garmin

__all__ = [
    "AnswerError",
    "Connection",
    "GarminError",
    "Hosts",
    "LoginBlockedError",
    "LoginNeededError",
    "LoginRefusedError",
    "NotFoundError",
    "Reach",
    "TokensError",
    "TooManyRequestsError",
    "UnreachableError",
    "blocked_until",
    "connect",
    "fetch",
    "login",
]

SIGN_IN = "Run: hamload auth garmin"
TOKENS = "garmin_tokens.json"

_BLOCK = "garmin_login_blocked.json"
_LOCK = "garmin_tokens.lock"
_LOCK_WAIT_S = 60.0


class LoginRefusedError(GarminError):
    """The runner's e-mail address, password or code was not accepted."""


class LoginBlockedError(GarminError):
    """Garmin blocks logins from here. Each attempt before `until` (UTC) prolongs the block."""

    def __init__(self, what: str, remedy: str, until: dt.datetime) -> None:
        super().__init__(what, remedy)
        self.until = until

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process with the moment intact."""
        return type(self), (self.what, self.remedy, self.until)


class TokensError(GarminError):
    """The tokens cannot be read from or written to their folder."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where Garmin's services are, each as scheme and host; None of them is a secret."""

    sso: str
    connect: str
    connectapi: str
    di_token: str


class Connection:
    """A Garmin Connect account, signed in by saved tokens. Use as a context manager.

    Access tokens are refreshed as they run out, one process at a time, and saved before they are used.
    """

    name = "Garmin Connect"
    sign_in = "Run: hamload auth garmin"

    def __init__(self, api: Garmin, tokens: Path) -> None:
        self._api = api
        self._tokens = tokens
        self._saved: str | None = None
        self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._api)

    def __repr__(self) -> str:
        return f"Connection(tokens={str(self._tokens)!r})"

    def activities(self, start: int, limit: int) -> list[Any]:
        """Return a page of the list, newest first."""
        told = self._ask(lambda: self._api.get_activities(start, limit))
        if not isinstance(told, list):
            raise AnswerError("Garmin Connect's list of activities is no list.", UPDATE)
        return told

    def original(self, activity_id: str) -> bytes:
        """Return the archive with the uploaded file."""
        form = self._api.ActivityDownloadFormat.ORIGINAL
        content: bytes = self._ask(lambda: self._api.download_activity(activity_id, form))
        return content

    def exercise_sets(self, activity_id: str) -> Any:
        """Return the sets of a strength session, as the runner may have corrected them."""
        return self._ask(lambda: self._api.get_activity_exercise_sets(activity_id))

    def upload_workout(self, workout: dict[str, Any]) -> Any:
        """Store a workout; the answer holds its id."""
        return self._ask(lambda: self._api.upload_workout(workout))

    def schedule_workout(self, workout_id: int, date: str) -> Any:
        """Put a stored workout on a day of the calendar."""
        return self._ask(lambda: self._api.schedule_workout(workout_id, date))

    def delete_workout(self, workout_id: int) -> Any:
        """Delete a stored workout, and with it its days. Raises NotFoundError where it is gone already."""
        return self._ask(lambda: self._api.delete_workout(workout_id))

    def _ask(self, ask: Callable[[], Any]) -> Any:
        if self._api.client._token_expires_soon():  # noqa: SLF001
            self._refresh(is_refused=False)
        token = self._api.client.di_token
        answer, failure = _answered(ask)
        if isinstance(failure, LoginNeededError) and self._api.client.di_token == token:
            # The client's own attempt to refresh has failed, and it does not tell why.
            self._refresh(is_refused=True)
            answer, failure = _answered(ask)
        if self._api.client.di_refresh_token != self._saved:
            # The client refreshed by itself, and ignores it where it cannot save.
            self._save()
        if failure is not None:
            raise failure
        return answer

    def _refresh(self, *, is_refused: bool) -> None:
        client = self._api.client
        token = client.di_token
        with _one_at_a_time(self._tokens), _undisturbed():
            self._load()
            is_replaced = client.di_token != token or not is_refused
            if is_replaced and not client._token_expires_soon():  # noqa: SLF001
                return
            # A folder that cannot be written must show before the old token is spent.
            self._save()
            failure = _spent(self._api)
            if failure is not None:
                self._load()
                raise failure
            self._save()

    def _load(self) -> None:
        from garminconnect import GarminConnectConnectionError  # noqa: PLC0415

        failure: GarminError
        try:
            self._api.client.load(str(self._tokens))
        except GarminConnectConnectionError as error:
            is_missing = not (self._tokens / TOKENS).exists()
            failure = _unloaded(self._tokens, error, is_missing=is_missing)
        else:
            _learn(self._api)
            self._saved = self._api.client.di_refresh_token
            if self._saved and self._api.client.di_client_id:
                return
            failure = LoginNeededError(f"The Garmin tokens in {self._tokens} cannot be refreshed.", SIGN_IN)
        raise failure

    def _save(self) -> None:
        _dump(self._api, self._tokens)
        self._saved = self._api.client.di_refresh_token


def connect(
    tokens: Path,
    *,
    hosts: Hosts | None = None,
    retries: int = 2,
    wait_s: float = 1.0,
    timeout_s: float = 120.0,
    max_bytes: int = 128_000_000,
) -> Connection:
    """Open a Garmin Connect account by its saved tokens. Asks nothing yet, and never logs in.

    Parameters
    ----------
    tokens
        The folder of `garmin_tokens.json`.
    hosts
        Other places than Garmin's own.
    retries, wait_s
        How often a request is repeated that had no answer or a server's error, and after how long at first.
    timeout_s, max_bytes
        What one whole answer may take and weigh.

    Raises
    ------
    LoginNeededError
        Where there are no tokens yet, or none that can be read.

    """
    api = _client(hosts, retries=retries, wait_s=wait_s)
    try:
        adapter = _bounded_adapter(timeout_s, max_bytes)
        for scheme in ("https://", "http://"):
            api.client._api_session.mount(scheme, adapter)  # noqa: SLF001
        # Renewing a token goes another way, whose own bound is not ours to set.
        api.client._http_post = _bounded_post(  # type: ignore[method-assign]  # noqa: SLF001
            api.client._http_post,  # noqa: SLF001
            timeout_s,
        )
        return Connection(api, tokens)
    except BaseException:
        _close(api)
        raise


def login(
    tokens: Path,
    email: str,
    password: str,
    ask_code: Callable[[], str],
    now: dt.datetime,
    *,
    hosts: Hosts | None = None,
    block: dt.timedelta = dt.timedelta(hours=48),
    codes: int = 3,
) -> None:
    """Log in and save the tokens. For a person at a keyboard only; takes up to some minutes.

    Parameters
    ----------
    ask_code
        Called where Garmin has sent a code, up to `codes` times.
    block
        How long not to try again after Garmin has blocked a login.

    Raises
    ------
    LoginBlockedError
        Where Garmin blocks logins from here, or did so less than `block` ago: then nothing is asked at all.
    LoginRefusedError
        Where address, password or code is wrong.
    GarminError
        Where the service is down, or the tokens cannot be saved.

    """
    learn(password)
    until = blocked_until(tokens)
    if until is not None and now < until:
        raise _blocked(until)
    _prepare(tokens)
    api = _client(hosts, retries=0, wait_s=0.0)
    try:
        failure = _signed_in(api, email, password, ask_code, codes)
        if failure is None and not (api.client.di_token and api.client.di_refresh_token):
            failure = LoginRefusedError("Garmin gave no tokens that outlast this session.", "Try again tomorrow.")
        if failure is None:
            _dump(api, tokens)
    finally:
        _close(api)
    if isinstance(failure, TooManyRequestsError):
        until = (now + block).astimezone(dt.UTC)
        _remember_block(tokens, until)
        raise _blocked(until)
    if failure is not None:
        raise failure
    _remember_block(tokens, None)


def blocked_until(tokens: Path) -> dt.datetime | None:
    """Return the moment before which no login must be tried, None where there is none."""
    try:
        text = (tokens / _BLOCK).read_text(encoding="utf-8")
        return dt.datetime.fromisoformat(json.loads(text)["until"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise TokensError(f"{tokens / _BLOCK} cannot be read.", "Remove it.") from None


def _remember_block(tokens: Path, until: dt.datetime | None) -> None:
    try:
        if until is None:
            (tokens / _BLOCK).unlink(missing_ok=True)
        else:
            (tokens / _BLOCK).write_text(json.dumps({"until": until.isoformat()}), encoding="utf-8")
    except OSError as error:
        what = f"{tokens / _BLOCK} cannot be written: {error.strerror}."
        raise TokensError(what, "Mend the folder's rights; do not log in again for two days.") from None


def _blocked(until: dt.datetime) -> LoginBlockedError:
    return LoginBlockedError(
        f"Garmin blocks logins from here. Every attempt before {until:%Y-%m-%d %H:%M} UTC prolongs that.",
        "Wait until then, or use Garmin's Personal API, which is not blocked: hamload auth garmin-personal",
        until,
    )


def _signed_in(api: Garmin, email: str, password: str, ask_code: Callable[[], str], codes: int) -> GarminError | None:
    """Go through the login. Returns why it failed; a `TooManyRequestsError` is a block."""
    state, failure = _step(lambda: api.client.login(email, password, return_on_mfa=True))
    if failure is not None or not state or state[0] != "needs_mfa":
        return failure
    for _ in range(codes):
        code = ask_code().strip()
        _, failure = _step(lambda code=code: api.client.resume_login(state[1], code))  # type: ignore[misc]
        if not isinstance(failure, LoginRefusedError):
            return failure
    return LoginRefusedError("Garmin accepted none of the codes.", f"Ask for a new one. {SIGN_IN}")


_BLOCKED = re.compile(r"HTTP (403|427|429)|returned (403|427|429)|429 in JSON|CAPTCHA|Cloudflare", re.IGNORECASE)
_WRONG = re.compile(r"Invalid Username|authentication failed|verification failed|Widget MFA failed", re.IGNORECASE)


def _step(act: Callable[[], Any]) -> tuple[Any, GarminError | None]:
    from garminconnect import (  # noqa: PLC0415  # costs a second that commands without Garmin need not pay
        GarminConnectAuthenticationError,
        GarminConnectConnectionError,
        GarminConnectTooManyRequestsError,
    )

    failure: GarminError
    try:
        return act(), None
    except GarminConnectTooManyRequestsError:
        failure = _BLOCKED_LOGIN
    except GarminConnectAuthenticationError as error:
        is_wrong = bool(_WRONG.search(str(error)))
        what = "does not accept this e-mail address, password or code" if is_wrong else "broke off the login"
        failure = LoginRefusedError(f"Garmin {what}.", f"Check what you typed. {SIGN_IN}")
        failure = _BLOCKED_LOGIN if _BLOCKED.search(str(error)) else failure
    except GarminConnectConnectionError as error:
        failure = UnreachableError("Garmin's login cannot be reached, or is down.", f"Try again later. {SIGN_IN}")
        failure = _BLOCKED_LOGIN if _BLOCKED.search(str(error)) else failure
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"Garmin's login gave an answer that cannot be understood ({type(error).__name__})."
        failure = AnswerError(what, f"Try again later. {SIGN_IN}")
    return None, failure


_BLOCKED_LOGIN = TooManyRequestsError("Garmin blocks this login.", LATER)


def _client(hosts: Hosts | None, *, retries: int, wait_s: float) -> Garmin:
    from garminconnect import Garmin  # noqa: PLC0415

    api = Garmin(retry_attempts=retries, retry_min_wait=wait_s)
    if hosts is not None:
        client = api.client
        client._sso, client._connect, client._connectapi = hosts.sso, hosts.connect, hosts.connectapi  # noqa: SLF001
        client._di_token_url = hosts.di_token  # noqa: SLF001
        # Tickets are bound to these addresses, and the client goes there where it cannot exchange one.
        client._ios_service_url = f"{hosts.connect}/gcm/ios"  # noqa: SLF001
        client._mobile_sso_service_url = f"{hosts.connect}/gcm/android"  # noqa: SLF001
        client._portal_service_url = f"{hosts.connect}/app"  # noqa: SLF001
    return api


def _close(api: Garmin) -> None:
    api.client._api_session.close()  # noqa: SLF001
    api.client.cs.close()


def _answered(ask: Callable[[], Any]) -> tuple[Any, GarminError | None]:
    """Ask through the client. Its errors carry whole responses with tokens in them: none is kept as a cause."""
    from garminconnect import (  # noqa: PLC0415
        GarminConnectAuthenticationError,
        GarminConnectConnectionError,
        GarminConnectNotFoundError,
        GarminConnectTooManyRequestsError,
    )

    try:
        return ask(), None
    except GarminConnectAuthenticationError:
        return None, LoginNeededError("Garmin Connect accepts the saved sign-in no longer.", SIGN_IN)
    except GarminConnectTooManyRequestsError as error:
        return None, TooManyRequestsError("Garmin Connect had too many requests.", LATER, _retry_after(error))
    except GarminConnectNotFoundError:
        return None, NotFoundError("Garmin Connect does not have it.", LATER)
    except GarminConnectConnectionError as error:
        return None, _unanswered(error)


def _unanswered(error: BaseException) -> GarminError:
    causes = list(_causes(error))
    status = next((r.status_code for r in (getattr(c, "response", None) for c in causes) if r is not None), None)
    if status == 403:  # noqa: PLR2004
        return UnreachableError(
            "Garmin Connect refuses this computer or network for now (HTTP 403).",
            "Nothing to do: the next run tries again. Do not sign in anew: that prolongs it.",
        )
    if status is not None:
        return UnreachableError(f"Garmin Connect is down (HTTP {status}).", LATER)
    if any(isinstance(cause, json.JSONDecodeError) for cause in causes):
        return AnswerError("Garmin Connect gave an answer that is no JSON.", UPDATE)
    return UnreachableError("Garmin Connect cannot be reached, or broke off its answer.", LATER)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(error: BaseException) -> dt.timedelta | None:
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        seconds = response.headers.get("Retry-After", "") if response is not None else ""
        if seconds.isdecimal():
            return dt.timedelta(seconds=int(seconds))
    return None


_REFUSED = re.compile(r"refresh failed: (\d{3})")


def _spent(api: Garmin) -> GarminError | None:
    """Exchange the refresh token for new tokens. Returns why that failed."""
    from garminconnect import GarminConnectAuthenticationError  # noqa: PLC0415

    try:
        api.client._refresh_di_token()  # noqa: SLF001  # the public way swallows every failure
    except GarminConnectAuthenticationError as error:
        match = _REFUSED.search(str(error))
        return _unspent(int(match[1]) if match else 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        return AnswerError("Garmin's sign-in service gave an answer that cannot be understood.", UPDATE)
    except OSError:
        return UnreachableError("Garmin's sign-in service cannot be reached.", LATER)
    tokens = (api.client.di_token, api.client.di_refresh_token)
    if not all(isinstance(token, str) and token for token in tokens):
        return AnswerError("Garmin's sign-in service gave no token.", UPDATE)
    return None


def _unspent(status: int) -> GarminError:
    if status == 429:  # noqa: PLR2004
        return TooManyRequestsError("Garmin's sign-in service had too many requests.", LATER)
    if status in {0, 400, 401}:
        return LoginNeededError("Garmin Connect accepts the saved sign-in no longer.", SIGN_IN)
    return UnreachableError(f"Garmin's sign-in service refuses or is down (HTTP {status}).", LATER)


def _unloaded(tokens: Path, error: BaseException, *, is_missing: bool) -> GarminError:
    if is_missing:
        return LoginNeededError(f"There is no Garmin sign-in in {tokens}.", SIGN_IN)
    causes = list(_causes(error))
    if any("symlink" in str(cause) for cause in causes):
        return TokensError(f"The way to {tokens} leads over a symbolic link.", "Name the folder by its real path.")
    if any(isinstance(cause, PermissionError) for cause in causes):
        return TokensError(f"The Garmin tokens in {tokens} cannot be read.", "Mend the file's rights.")
    return LoginNeededError(f"The Garmin tokens in {tokens} are damaged.", SIGN_IN)


def _prepare(tokens: Path) -> None:
    try:
        tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TokensError(f"The folder {tokens} cannot be made: {error.strerror}.", "Check its rights.") from None


def _learn(api: Garmin) -> None:
    learn(*(str(secret) for secret in (api.client.di_token, api.client.di_refresh_token) if secret))


def _dump(api: Garmin, tokens: Path) -> None:
    """Save the tokens atomically, readable by their owner only, and down to the disk."""
    _learn(api)
    try:
        api.client.dump(str(tokens))
        for path in (tokens / TOKENS, tokens):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the way there leads over a symbolic link"
        failure = TokensError(f"Garmin's tokens cannot be saved in {tokens}: {why}.", "Free space or mend its rights.")
    else:
        return
    raise failure


@contextlib.contextmanager
def _one_at_a_time(tokens: Path) -> Iterator[None]:
    """Let one process refresh: the second would spend a token that the first has already replaced."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415  # not everywhere

    try:
        descriptor = os.open(tokens / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise TokensError(f"{tokens} cannot be written: {error.strerror}.", "Mend its rights.") from None
    try:
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise UnreachableError("Another hamload holds Garmin's tokens.", LATER) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off interruptions: between a refresh and its save, one would throw the new token away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    before = {s: signal.signal(s, lambda number, _: pending.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for interruption, action in before.items():
            signal.signal(interruption, action)
        if pending:
            signal.raise_signal(pending[0])


def _bounded_post(post: Callable[..., Any], timeout_s: float) -> Callable[..., Any]:
    def bounded(url: str, **options: Any) -> Any:
        return post(url, **{**options, "timeout": min(options.get("timeout", timeout_s), timeout_s)})

    return bounded


def _bounded_adapter(timeout_s: float, max_bytes: int) -> Any:
    """Return a transport that bounds a whole answer: the client bounds only each silence between two bytes."""
    import requests  # noqa: PLC0415
    from requests.adapters import HTTPAdapter  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    def body(raw: Any) -> bytes:
        deadline = time.monotonic() + timeout_s
        content = bytearray()
        while chunk := raw.read1(1 << 16, decode_content=True):
            content += chunk
            if time.monotonic() > deadline or len(content) > max_bytes:
                raise requests.RequestException("the answer takes too long, or is too large")
        return bytes(content)

    class Bounded(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            silence = options.get("timeout")
            options["timeout"] = min(silence, timeout_s) if isinstance(silence, int | float) else timeout_s
            response = super().send(request, *args, **{**options, "stream": True})
            try:
                # What `requests` itself would have read.
                response._content = body(response.raw)  # noqa: SLF001
            except HTTPError as error:
                raise requests.ConnectionError("the answer broke off") from error
            finally:
                response.close()
            response._content_consumed = True  # noqa: SLF001
            return response

    return Bounded()
