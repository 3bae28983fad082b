"""Tells a watching service that a night began, ended well or failed, so that its silence is noticed elsewhere.

Off unless an address is set (healthchecks.io's manner: the address itself for success, `/start` and `/fail` behind it,
`rid` the run's id). Nothing of the runner or their runs is sent. A ping that fails is told and breaks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from hamload.errors import HamloadError
from hamload.redaction import learn, redacted
from hamload.settings import private_url, secret

if TYPE_CHECKING:
    from hamload.settings import Settings

type Signal = Literal["start", "success", "fail"]

VARIABLE = "HAMLOAD_HEARTBEAT_URL"


def beat(settings: Settings, signal: Signal, run_id: str) -> str:
    """Send one signal of a night. Returns what went wrong with that, "" where nothing did or no address is set."""
    try:
        if not (address := address_of(settings)):
            return ""
    except (HamloadError, ValueError) as error:
        return f"The heartbeat could not be sent ({signal}): {error}."
    import httpx  # noqa: PLC0415  # half a second that homes without a heartbeat need not pay

    try:
        answer = httpx.post(
            _named(address, signal, run_id), timeout=settings.heartbeat.timeout_s, headers={"User-Agent": "hamload"}
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return redacted(f"The heartbeat could not be sent ({signal}): {str(error) or type(error).__name__}.")
    if answer.is_success:
        return ""
    return f"The heartbeat was not taken ({signal}): HTTP {answer.status_code}. Check url in [heartbeat]."


def address_of(settings: Settings) -> str:
    """Return where heartbeats go, "" where they are off.

    Raises ConfigurationError where its file cannot be read, ValueError where it could be read on the way.
    """
    address = secret(VARIABLE) or settings.heartbeat.url
    if address:
        # Whoever knows it can speak in this home's place.
        learn(address, urlsplit(address).path)
    return private_url(address)


def _named(address: str, signal: Signal, run_id: str) -> str:
    told = urlsplit(address)
    path = told.path.rstrip("/") + ("" if signal == "success" else f"/{signal}")
    query = "&".join(filter(None, [told.query, urlencode({"rid": run_id})]))
    return urlunsplit((told.scheme, told.netloc, path, query, ""))
