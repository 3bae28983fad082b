"""The way to Strava through stravalib: a session that always ends, signing in, and what a refusal means.

The client stays as it is; what it lacks is given to it: time-outs, and tokens that are saved before they are used. No
secret is in a message, and none in what an error refers to. What is fetched lies in `strava`.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3

from hamload.errors import HamloadError
from hamload.redaction import learn
from hamload.sources.tokens import App, TokenFileError, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stravalib import Client

    from hamload.sources.tokens import TokenFile

SCOPES: tuple[Literal["read", "activity:read_all"], ...] = ("read", "activity:read_all")
#: Strava gives a new access token only in the old one's last hour.
REFRESH_BEFORE = dt.timedelta(minutes=30)
SIGN_IN = "Run: hamload auth strava"
HIDDEN = (
    "Strava does not show your private activities to hamload, so that days without a run may hold one: they count as"
    f' unknown. {SIGN_IN} and leave "View data about your private activities" on.'
)
LATER = "The next run tries again; https://status.strava.com tells how Strava is."

_CHUNK = 65_536
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_BAD_REQUEST, _SERVER_ERRORS = 400, 500
_REPORT = "Please report it."
#: No refresh lasts longer, whatever the network does.
_REFRESH_ENDS_S = 300


class StravaError(HamloadError):
    """Strava, or the way to it, does not do what it should."""


class SubscriptionLapsedError(StravaError):
    """The API application is inactive: its owner has no subscription any more."""


class LoginNeededError(StravaError):
    """Strava does not know this runner's tokens any more, or they allow too little."""


class AppRefusedError(StravaError):
    """Strava does not know the application's number or secret."""


class ServiceDownError(StravaError):
    """Strava cannot be reached, is too slow, or answers with a failure of its own."""

    is_passing = True


class NotUnderstoodError(StravaError):
    """Strava answered with something that is not what it says it gives."""


class RefusedForNowError(Exception):
    """Strava's answer is 429."""


class NotThereError(Exception):
    """Strava has no such thing (404)."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where Strava is. From 2027 the API answers at api-v3.strava.com; signing in has an address of its own."""

    api: str = "www.strava.com"
    base: str = "/api/v3"
    sign_in: str = "www.strava.com"


class Session(requests.Session):
    """A session that always ends: every answer has a time-out, a deadline and a size, and none leads elsewhere.

    It can be pickled, with the adapters mounted on it. `tap` sees the bytes of each answer, complete or cut off, before
    anybody makes sense of them.
    """

    __attrs__ = [*requests.Session.__attrs__, "timeout_s", "deadline_s", "max_bytes"]  # noqa: RUF012  # requests' own way
    tap: Callable[[bytes], None] | None = None

    def __init__(self, timeout_s: float, deadline_s: float, max_bytes: int) -> None:
        super().__init__()
        self.timeout_s, self.deadline_s, self.max_bytes = timeout_s, deadline_s, max_bytes
        # Without an `auth` of its own, requests would put a password from ~/.netrc in the place of the token.
        self.auth = _as_it_is

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request and read its whole answer, or raise a RequestException."""
        begun = time.monotonic()
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": kwargs.get("timeout") or self.timeout_s}
        response = super().send(request, **kwargs)
        body = bytearray()
        try:
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self.max_bytes:
                    raise requests.ConnectionError("the answer is too long")
                if time.monotonic() - begun > self.deadline_s:
                    raise requests.Timeout("the answer takes too long")
        except urllib3.exceptions.ReadTimeoutError:
            raise requests.Timeout("the answer stopped") from None
        except urllib3.exceptions.HTTPError:
            raise requests.ConnectionError("the answer was cut off") from None
        finally:
            if self.tap is not None:
                self.tap(bytes(body))
            response.close()
        response._content, response._content_consumed = bytes(body), True  # noqa: SLF001
        return response


def session(timeout_s: float = 30, deadline_s: float = 120, max_bytes: int = 64_000_000) -> Session:
    """Return a session for the client: `timeout_s` for each part of an answer, `deadline_s` for the whole."""
    return Session(timeout_s, deadline_s, max_bytes)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def client(session: requests.Session, access_token: str = "", host: Host | None = None) -> Client:
    """Return stravalib's client, which neither sleeps nor refreshes tokens behind our back."""
    host = host or Host()
    return _client(session, access_token, host.api, host.base)


def _client(session: requests.Session, access_token: str, server: str, base: str) -> Client:
    # Else stravalib writes to the root logger that its own variables are not set; they are never used here.
    os.environ.setdefault("SILENCE_TOKEN_WARNINGS", "true")
    from stravalib import Client  # noqa: PLC0415  # takes over a second

    made = Client(access_token=access_token or None, requests_session=session, rate_limit_requests=False)
    made.protocol.client_id = made.protocol.client_secret = None
    made.protocol.server, made.protocol.api_base = server, base
    return made


# Signing in


def authorization_url(app: App, redirect_uri: str, state: str, host: Host | None = None) -> str:
    """Return the page on which the runner allows this application to read their activities."""
    made = _client(requests.Session(), "", (host or Host()).sign_in, "")
    return made.authorization_url(app.client_id, redirect_uri, "auto", list(SCOPES), state)


def read_callback(url: str, state: str) -> tuple[str, str]:
    """Return code and scope of the address to which Strava sent the runner back.

    Raises
    ------
    LoginNeededError
        Where the runner refused, allowed too little, or the address belongs to another sign-in.

    """
    query = {name: values[0] for name, values in parse_qs(urlsplit(url.strip()).query).items()}
    if not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
        raise LoginNeededError("This answer does not belong to the sign-in that was begun here.", SIGN_IN)
    if "error" in query:
        raise LoginNeededError("Strava says that the access was not allowed.", f"{SIGN_IN} and allow it.")
    if "code" not in query:
        raise LoginNeededError("This address holds no code.", "Paste the whole address of the page you were led to.")
    learn(query["code"])
    scope = query.get("scope", "")
    _check_scope(scope)
    return query["code"], scope


def sees_everything(tokens: Tokens) -> bool:
    """Return whether the runner allowed to see private activities too; True where Strava did not say."""
    return not tokens.scope or "activity:read_all" in tokens.scope.split(",")


def _check_scope(scope: str) -> None:
    if scope and not {"activity:read", "activity:read_all"} & set(scope.split(",")):
        raise LoginNeededError(
            "Strava was not allowed to show activities.", f'{SIGN_IN} and leave "View data about your activities" on.'
        )


def exchange(
    file: TokenFile, app: App, session: requests.Session, code: str, scope: str = "", host: Host | None = None
) -> Tokens:
    """Exchange the code of a sign-in for tokens, and save them."""
    made = _client(session, "", (host or Host()).sign_in, "")
    info = answered(lambda: made.exchange_code_for_token(app.client_id, app.client_secret, code), _refused_sign_in)
    tokens = _tokens(info, scope)
    if tokens is None:
        raise NotUnderstoodError("Strava's answer to the sign-in holds no tokens.", SIGN_IN)
    file.save(tokens)
    # The client itself keeps only the access token of an exchange.
    made.refresh_token, made.token_expires = tokens.refresh_token, int(tokens.expires_at.timestamp())
    return tokens


def revoke(tokens: Tokens, session: requests.Session, host: Host | None = None) -> None:
    """Take back the access that these tokens give, as the runner could do on Strava's own page.

    Source: developers.strava.com/docs/authentication, POST /oauth/revoke. Raises StravaError where Strava refuses.
    """
    made = _client(session, tokens.access_token, (host or Host()).sign_in, "")
    answered(lambda: made.protocol.post("/oauth/revoke"), _refused_sign_in)


def refreshed(file: TokenFile, app: App, session: Session, now: dt.datetime, host: Host | None = None) -> Tokens:
    """Return tokens that are good for a night, refreshed where they must be.

    A refresh kills the refresh token it is made with, so that the answer must not be lost. It is therefore made by a
    process of its own, which takes no part in whatever ends this one (Ctrl-C, a stopped service, kill -9), and which
    saves the answer before it does anything else. What remains is a machine that fails in the milliseconds between
    Strava's answer and the disk: then the next refresh is refused, and its message says why.

    Raises
    ------
    LoginNeededError
        Where nobody is signed in, or the refresh token is refused.
    StravaError
        Where Strava cannot be reached or understood; the old tokens stay.

    """
    tokens = file.read()
    if tokens is None:
        raise LoginNeededError("Nobody is signed in to Strava.", SIGN_IN)
    if tokens.lasts_until(now + REFRESH_BEFORE):
        return tokens
    order = pickle.dumps((file, app, session, now, host or Host()))
    command = "import sys; from hamload.sources import strava_access; sys.exit(strava_access.refresh_for_parent())"
    with subprocess.Popen(  # noqa: S603  # this interpreter, these words
        [sys.executable, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        told, _ = child.communicate(order)
    _raise_told(told)
    after = file.read()
    if after is None or not after.lasts_until(now):
        raise LoginNeededError("Strava gave an access token that is already over.", SIGN_IN)
    return after


def refresh_for_parent() -> int:
    """Do what `refreshed` writes to its child's standard input, and tell it how that ended. Secrets are not told."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.alarm(_REFRESH_ENDS_S)
    file, app, session, now, host = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  # written by our own parent
    try:
        refresh_here(file, app, session, now, host)
        told = {}
    except HamloadError as error:
        told = {"kind": type(error).__name__, "what": error.what, "remedy": error.remedy}
    except Exception as error:  # noqa: BLE001  # a fault of ours; its name is told, its text may hold a secret
        told = {
            "kind": "",
            "what": f"The refresh of Strava's token failed ({type(error).__name__}).",
            "remedy": _REPORT,
        }
    # The parent may be dead by now: what had to be saved is saved.
    with suppress(OSError):
        sys.stdout.write(json.dumps(told))
        sys.stdout.flush()
    return 0


def refresh_here(file: TokenFile, app: App, session: Session, now: dt.datetime, host: Host | None = None) -> Tokens:
    """Refresh in this very process: for `refreshed`'s child. Another process that does the same waits for it."""
    made = _client(session, "", (host or Host()).sign_in, "")
    with file.locked() as locked:
        old = locked.read()
        if old is None:
            raise LoginNeededError("Nobody is signed in to Strava.", SIGN_IN)
        if old.lasts_until(now + REFRESH_BEFORE):
            return old
        locked.save(replace(old, attempted_at=now))
        bodies: list[bytes] = []
        session.tap = bodies.append
        failure: HamloadError | None = None
        try:
            answered(
                lambda: made.refresh_access_token(app.client_id, app.client_secret, old.refresh_token),
                lambda error: _refused_refresh(error, old),
            )
        except HamloadError as error:
            failure = error
        finally:
            session.tap = None
        # What was sent counts, even where it came cut off: the old refresh token is dead all the same.
        new = _salvaged(bodies, old, now)
        if new is not None:
            locked.save(new)
        if isinstance(failure, LoginNeededError | AppRefusedError) and new is None:
            # It was answered, by a refusal: nothing was lost on the way.
            locked.save(old)
        if failure is not None and (new is None or not new.lasts_until(now)):
            raise failure
        if new is None:
            raise NotUnderstoodError("Strava's answer to the refresh holds no tokens.", SIGN_IN)
        return new


def _raise_told(told: bytes) -> None:
    try:
        words = json.loads(told)
    except ValueError:
        raise ServiceDownError(
            "The refresh of Strava's token was interrupted.", "The next run goes on from there."
        ) from None
    if words:
        kinds = {kind.__name__: kind for kind in (*StravaError.__subclasses__(), TokenFileError)}
        raise kinds.get(words["kind"], HamloadError)(words["what"], words["remedy"])


def _tokens(info: Any, scope: str) -> Tokens | None:
    try:
        access, refresh = info["access_token"], info["refresh_token"]
        expires_at = dt.datetime.fromtimestamp(int(info["expires_at"]), dt.UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
        return None
    return Tokens(access, refresh, expires_at, scope)


def _salvaged(bodies: Sequence[bytes], old: Tokens, now: dt.datetime) -> Tokens | None:
    """Return the tokens that an answer holds, be it whole or cut off behind them."""
    text = bodies[-1].decode("utf-8", "replace") if bodies else ""
    found = dict(re.findall(r'"(access_token|refresh_token)"\s*:\s*"([^"\\]+)"', text))
    if "refresh_token" not in found:
        return None
    expiry = re.search(r'"expires_at"\s*:\s*(\d{9,11})\s*[,}]', text)
    if "access_token" in found and expiry:
        return Tokens(
            found["access_token"], found["refresh_token"], dt.datetime.fromtimestamp(int(expiry[1]), dt.UTC), old.scope
        )
    return replace(old, refresh_token=found["refresh_token"], expires_at=now, attempted_at=None)


def _refused_sign_in(error: requests.HTTPError) -> HamloadError:
    return _app_refused(error) or LoginNeededError(
        "Strava refused the code of this sign-in: each one works once, for a few minutes.", SIGN_IN
    )


def _refused_refresh(error: requests.HTTPError, old: Tokens) -> HamloadError:
    lost = ""
    if old.attempted_at is not None:
        lost = f" A refresh begun on {old.attempted_at:%Y-%m-%d %H:%M} UTC was interrupted before its answer was kept."
    return _app_refused(error) or LoginNeededError(f"Strava no longer accepts the saved sign-in.{lost}", SIGN_IN)


def _app_refused(error: requests.HTTPError) -> HamloadError | None:
    try:
        resources = {str(row.get("resource")) for row in _response(error).json()["errors"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if "Application" not in resources:
        return None
    return AppRefusedError(
        "Strava does not know this application's number or secret.",
        "Compare both with https://www.strava.com/settings/api.",
    )


# Asking


def answered(ask: Callable[[], Any], refused: Callable[[requests.HTTPError], HamloadError] | None = None) -> Any:
    """Ask, and raise what went wrong as one of ours, with no trace of the request: it holds secrets."""
    failure: Exception
    try:
        return ask()
    except requests.HTTPError as error:
        failure = _refusal(error, refused)
    except requests.JSONDecodeError:
        failure = _garbled()
    except requests.Timeout:
        failure = ServiceDownError("Strava did not answer in time.", LATER)
    except requests.RequestException as error:
        failure = ServiceDownError(f"Strava could not be reached ({type(error).__name__}).", LATER)
    except (KeyError, TypeError, ValueError, RecursionError):
        failure = _garbled()
    raise failure


def _garbled() -> HamloadError:
    return NotUnderstoodError("Strava's answer is cut off, or a page instead of data.", LATER)


def _refusal(error: requests.HTTPError, refused: Callable[[requests.HTTPError], HamloadError] | None) -> Exception:
    from stravalib import exc  # noqa: PLC0415  # takes over a second

    status = _response(error).status_code
    if isinstance(error, exc.ApplicationInactive):
        return SubscriptionLapsedError(
            "Strava has switched off this API application: the account that owns it has no subscription.",
            "Subscribe and reactivate it at https://www.strava.com/settings/api, or take Garmin, files or Strava's"
            " export as the source and run: hamload forget strava",
        )
    if status >= _SERVER_ERRORS or (refused is not None and status == _TOO_MANY):
        return ServiceDownError(f"Strava answers with a failure of its own ({status}).", LATER)
    if refused is not None and status in {_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN}:
        return refused(error)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return LoginNeededError(f"Strava does not accept the access token for this ({status}).", SIGN_IN)
    # A web page saying "not found" comes from something that stands before Strava, and is no word on an activity.
    if refused is None and status in _ANSWERS and "html" not in _response(error).headers.get("Content-Type", ""):
        return _ANSWERS[status]()
    return NotUnderstoodError(f"Strava refuses a request of ours ({status}).", _REPORT)


def _response(error: requests.HTTPError) -> requests.Response:
    return cast("requests.Response", error.response)


_ANSWERS = {_NOT_FOUND: NotThereError, _TOO_MANY: RefusedForNowError}
