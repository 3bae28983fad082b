"""Garmin's Personal API on loopback, as `gcpapi-sync` talks to it: TLS, a key for a 24-hour token, lists, archives.

Its certificate is made on the spot (`certificates`).
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from hamload.simulator.certificates import Authority, wrapped
from hamload.simulator.garmin import Answer, Loopback, json_answer, jwt

if TYPE_CHECKING:
    import ssl
    from http.server import ThreadingHTTPServer

    from hamload.simulator.garmin import Account, Asked, RateLimit

MOST_IN_A_PAGE = 45

_EXCHANGE = "/personalapitoken-service/personal-api/personal-api-key/token"
_LIST = "/activitylist-service/activities/search/activities"
_DOWNLOAD = "/download-service/files/activity/"
_ZIP = "application/x-zip-compressed"


class PersonalSimulator(Loopback):
    """The Personal API.

    Attributes
    ----------
    key
        The one key that is accepted; None: it has expired.
    token_life_s
        How long a token lasts, by the real clock.

    """

    scheme = "https"

    def __init__(
        self,
        account: Account,
        key: str,
        *,
        limit: RateLimit | None = None,
        token_life_s: float = 86_400.0,
        authority: Authority | None = None,
    ) -> None:
        self._authority = authority or Authority()
        self.key: str | None = key
        self.token_life_s = token_life_s
        self._issued = 0
        self._tokens: dict[str, float] = {}
        super().__init__(account, limit)

    def wrap(self, server: ThreadingHTTPServer) -> None:
        """Put TLS around the line."""
        wrapped(server, self._authority.served())

    def trust(self) -> ssl.SSLContext:
        """Return what a client needs to trust this service, and nothing else."""
        return self._authority.trust()

    def tokens(self) -> set[str]:
        """Return all tokens issued so far."""
        return set(self._tokens)

    def revoke(self) -> None:
        """Make all tokens worthless; the key stays."""
        self._tokens.clear()

    def endpoint(self, asked: Asked) -> str:
        """Return the name under which a request is counted."""
        if asked.path == _EXCHANGE:
            return "key"
        if asked.path == _LIST:
            return "activities"
        return "download" if asked.path.startswith(_DOWNLOAD) else "unknown"

    def answer(self, endpoint: str, asked: Asked) -> Answer:
        """Do what is asked."""
        if endpoint == "key":
            return self._exchange(asked)
        if self._tokens.get(asked.bearer, 0.0) < dt.datetime.now(dt.UTC).timestamp():
            return json_answer({}, 401)
        if endpoint == "activities":
            return self.activities(asked, MOST_IN_A_PAGE)
        if endpoint == "download":
            is_zip = asked.headers.get("Accept") == _ZIP
            return self.download(asked) if is_zip else json_answer({"error": "NotAcceptableException"}, 406)
        return json_answer({}, 404)

    def _exchange(self, asked: Asked) -> Answer:
        if asked.method != "POST" or asked.headers.get("Authorization") != f"ApiKey {self.key}" or self.key is None:
            return json_answer({}, 401)
        self._issued += 1
        expires = dt.datetime.now(dt.UTC).timestamp() + self.token_life_s
        token = jwt({"exp": expires, "n": self._issued})
        self._tokens[token] = expires
        return Answer(json.dumps(token).encode(), content_type="text/plain")
