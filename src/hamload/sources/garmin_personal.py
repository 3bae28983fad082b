"""Garmin's official Personal API through `gcpapi-sync`, unmodified: a key of the runner's own, valid for up to a year.

The key comes in as an argument and is exchanged for a token that lives in memory for one run. Neither is ever written,
logged or shown. What is new, `garmin_listing.fetch` finds, in pages small enough for this service.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from hamload.errors import ConfigurationError
from hamload.redaction import learn
from hamload.sources import garmin_listing
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
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    from gcpapi_sync import GarminClient

    from hamload.sources.pages import Page

HOST = "https://personal.connectapi.garmin.com"
NEW_KEY = "Make a new key in Garmin Connect under Settings > Personal API, then run: hamload auth garmin-personal"

#: The service fails at pages of more than about 45 activities.
PAGE = 40
WARN_DAYS = 14

_NAME = "Garmin's Personal API"


class Connection:
    """A runner's account behind their own key. Use as a context manager."""

    name = _NAME
    sign_in = "Run: hamload auth garmin-personal"

    def __init__(self, api: GarminClient, close: Callable[[], None]) -> None:
        self._api = api
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self._close()

    def __repr__(self) -> str:
        return f"Connection({self._api.base_url!r})"

    def activities(self, start: int, limit: int) -> list[Any]:
        """Return a page of the list, newest first."""
        page = self._api.iter_activities(start=start, page_size=limit)
        listed = _answered(lambda: [_told(entry) for entry in itertools.islice(page, limit)])
        if not isinstance(listed, list):
            raise AnswerError(f"{_NAME}: the list of activities is no list.", UPDATE)
        return listed

    def original(self, activity_id: str) -> bytes:
        """Return the archive with the uploaded file."""
        content: bytes = _answered(lambda: self._api.download_activity_zip(int(activity_id)))
        return content

    def exercise_sets(self, _: str) -> None:
        """Return nothing: this service does not tell of them; the recording does."""


def connect(  # each has a default
    key: str,
    *,
    host: str = HOST,
    verify: ssl.SSLContext | None = None,
    retries: int = 2,
    wait_s: float = 1.0,
    timeout_s: float = 120.0,
    max_bytes: int = 128_000_000,
) -> Connection:
    """Open a runner's account by their key. Asks nothing yet.

    Parameters
    ----------
    key
        The Personal API key.
    host, verify
        Another place than Garmin's own, over https, and the certificates to trust there.
    retries, wait_s
        How often a request is repeated that had no answer or a server's error, and after how long at first.
    timeout_s, max_bytes
        What one whole answer may take and weigh.

    Raises
    ------
    LoginNeededError
        Where the key is empty.
    ConfigurationError
        Where the host is not reached over https: the key would travel in the clear.

    """
    import httpx  # noqa: PLC0415  # half a second that commands without Garmin need not pay
    from gcpapi_sync import GarminClient, RetryConfig  # noqa: PLC0415

    learn(key.strip())
    if not key.strip():
        raise LoginNeededError("There is no key for Garmin's Personal API.", NEW_KEY)
    if not host.startswith("https://"):
        raise ConfigurationError(f"{host} is not reached over https.", "Name a host that is.")
    # Too many requests: never waited for here, the run ends and says when it goes on.
    statuses = frozenset({408, 500, 502, 503, 504})
    retry = RetryConfig(retries, wait_s, max(wait_s, 8.0), max_retry_after=8.0, retry_statuses=statuses)
    transport = _bounded_transport(verify, timeout_s, max_bytes)
    http = httpx.Client(transport=transport, timeout=min(timeout_s, 30.0), follow_redirects=False)
    return Connection(GarminClient(key.strip(), base_url=host, retry=retry, http_client=http), http.close)


def fetch(
    client: garmin_listing.Service,
    cursor: Mapping[str, Any],
    now: dt.datetime,
    reach: Reach | None = None,
    *,
    expires_on: dt.date | None = None,
) -> Iterator[Page]:
    """Yield what is new or changed, as `garmin_listing.fetch` does; the first page warns of a key that runs out.

    Parameters
    ----------
    expires_on
        The last day on which the key is valid, None where it is not known.

    """
    warning = expiry_warning(expires_on, now.date())
    for page in garmin_listing.fetch(client, cursor, now, reach or Reach(page=PAGE)):
        yield replace(page, note=f"{page.note} {warning}".strip()) if warning else page
        warning = ""


def expiry_warning(expires_on: dt.date | None, today: dt.date, days: int = WARN_DAYS) -> str:
    """Return what to tell the runner of a key that expires within `days`, "" where there is time or no date."""
    if expires_on is None or (expires_on - today).days > days:
        return ""
    left = (expires_on - today).days
    when = f"expires on {expires_on}, in {left} day{'' if left == 1 else 's'}"
    when = "expires today" if left == 0 else when
    when = f"has expired on {expires_on}" if left < 0 else when
    return f"The key for {_NAME} {when}. {NEW_KEY}"


def _told(entry: Any) -> dict[str, Any]:
    """Return an entry in the service's own names."""
    told: dict[str, Any] = entry.model_dump(by_alias=True, mode="json", exclude_unset=True)
    return told


def _answered(ask: Callable[[], Any]) -> Any:
    """Ask through the client. Its errors carry whole requests with the key in them: none is kept as a cause."""
    from gcpapi_sync import GarminError as ClientError  # noqa: PLC0415
    from gcpapi_sync import ResponseValidationError  # noqa: PLC0415

    failure: GarminError
    try:
        return ask()
    except ResponseValidationError as error:
        # One entry that the client's models do not know must not hide the others.
        listed = _list_in(error.raw)
        if listed is not None:
            return listed
        failure = AnswerError(f"{_NAME} gave an answer that cannot be understood.", UPDATE)
    except ClientError as error:
        failure = _failure(error)
    except (ValueError, TypeError) as error:
        failure = AnswerError(f"{_NAME} gave an answer that cannot be read ({type(error).__name__}).", UPDATE)
    raise failure


def _list_in(raw: bytes) -> list[Any] | None:
    try:
        content = json.loads(raw)
    except ValueError:
        return None
    return content if isinstance(content, list) else None


def _failure(error: Exception) -> GarminError:
    import gcpapi_sync  # noqa: PLC0415
    from gcpapi_sync import (  # noqa: PLC0415
        APIConnectionError,
        AuthenticationError,
        InternalServerError,
        PermissionDeniedError,
        RateLimitError,
    )

    if isinstance(error, AuthenticationError):
        return LoginNeededError("Garmin rejects the Personal API key: it has expired, or was deleted.", NEW_KEY)
    if isinstance(error, RateLimitError):
        wait = None if error.retry_after is None else dt.timedelta(seconds=error.retry_after)
        return TooManyRequestsError(f"{_NAME} had too many requests.", LATER, wait)
    if isinstance(error, gcpapi_sync.NotFoundError | PermissionDeniedError):
        return NotFoundError(f"{_NAME} does not have it (HTTP {error.status_code}).", LATER)
    if isinstance(error, InternalServerError):
        return UnreachableError(f"{_NAME} is down (HTTP {error.status_code}).", LATER)
    if isinstance(error, APIConnectionError):
        return UnreachableError(f"{_NAME} cannot be reached, or broke off its answer.", LATER)
    return AnswerError(f"{_NAME} refuses what it was asked ({type(error).__name__}).", UPDATE)


def _bounded_transport(verify: ssl.SSLContext | None, timeout_s: float, max_bytes: int) -> Any:
    """Return a transport that bounds a whole answer: the client bounds only each silence between two bytes."""
    import httpx  # noqa: PLC0415

    class Bounded(httpx.SyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            deadline, size = time.monotonic() + timeout_s, 0
            for chunk in self._stream:
                size += len(chunk)
                if time.monotonic() > deadline or size > max_bytes:
                    raise httpx.ReadTimeout("the answer takes too long, or is too large")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            stream = Bounded(response.stream)
            return httpx.Response(
                response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
            )

    return Transport(verify=True if verify is None else verify)
