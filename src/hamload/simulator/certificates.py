"""TLS for the simulated services: an authority made on the spot, which nothing but a test or the demo trusts."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer
    from pathlib import Path


class Authority:
    """Vouches for services on 127.0.0.1."""

    def __init__(self) -> None:
        import trustme  # noqa: PLC0415  # only where a service over TLS is simulated

        self._ca = trustme.CA()

    def served(self) -> ssl.SSLContext:
        """Return what a service needs to be trusted."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def trust(self) -> ssl.SSLContext:
        """Return what a client needs to trust these services, and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        return context

    def write(self, path: Path) -> dict[str, str]:
        """Write the authority's certificate; return the environment in which `requests` and `httpx` trust it alone."""
        self._ca.cert_pem.write_to_path(str(path))
        return {"REQUESTS_CA_BUNDLE": str(path), "SSL_CERT_FILE": str(path)}


def wrapped(server: ThreadingHTTPServer, context: ssl.SSLContext) -> None:
    """Put TLS around a server's line; handshakes happen in the line's own thread."""
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
