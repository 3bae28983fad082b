"""Hands composed messages to a mail server: encrypted, its certificate checked, never longer than the time-out."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hamload.errors import HamloadError
from hamload.settings import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hamload.settings import MailSettings

_PORTS = {"starttls": 587, "tls": 465}
_OK = range(200, 300)
#: How EHLO names this machine: neither its name nor a look-up of it (RFC 5321, 4.1.3).
_CLIENT = "[127.0.0.1]"


class RefusedError(HamloadError):
    """The server has certainly not taken this message; others may pass."""


class UnsureError(HamloadError):
    """The line broke after the message was handed over and before the server answered: it may have taken it."""


class Line:
    """An open connection to the mail server."""

    def __init__(self, server: smtplib.SMTP, sender: str) -> None:
        self._server, self._sender = server, sender

    def send(self, recipient: str, content: bytes, before: Callable[[], None]) -> None:
        """Send one message. `before` is called when everything but the content itself has been agreed.

        Raises
        ------
        RefusedError
            The server refused the sender, the recipient or the content: it has not taken the message.
        UnsureError
            Nobody can tell whether it has.
        HamloadError
            The line broke before the message was handed over.

        """
        server = self._server
        try:
            self._agreed(server.mail(self._sender), f"the sender {self._sender}", "Check sender in [mail].")
            self._agreed(server.rcpt(recipient), f"the recipient {recipient}", "Check that runner's mail address.")
        except (OSError, smtplib.SMTPException) as error:
            raise HamloadError(f"The line to the mail server broke: {_words(error)}.") from error
        before()
        try:
            code, answer = server.data(content)
        except smtplib.SMTPDataError as error:
            # The answer to DATA itself: no byte of the content has left.
            self._agreed((error.smtp_code, _bytes(error.smtp_error)), "the message", "The server said why.")
            raise
        except (OSError, smtplib.SMTPException) as error:
            raise UnsureError(
                f"The line broke before the mail server confirmed the message: {_words(error)}."
            ) from error
        self._agreed((code, answer), "the message", "The server said why.")

    def _agreed(self, answer: tuple[int, bytes], what: str, remedy: str) -> None:
        code, words = answer
        if code in _OK:
            return
        try:
            self._server.rset()
        except (OSError, smtplib.SMTPException):
            self._server.close()
        raise RefusedError(f"The mail server refused {what}: {code} {words.decode(errors='replace')}.", remedy)


@contextmanager
def line(mail: MailSettings) -> Iterator[Line]:
    """Open the line to the server. Raises HamloadError naming what is wrong: server, certificate or password."""
    where = f"{mail.host}:{mail.port or _PORTS[mail.security]}"
    try:
        server = _connected(mail)
    except ssl.SSLCertVerificationError as error:
        raise HamloadError(
            f"The mail server {where} shows a certificate that cannot be trusted: {error.verify_message}.",
            "Check host in [mail], or name its own authority's certificate: ca_file.",
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        # Its number alone: a server may repeat in words, in any spelling, what it was given.
        raise HamloadError(
            f"The mail server {where} does not take username and password ({error.smtp_code}).",
            "Check username in [mail] and HAMLOAD_SMTP_PASSWORD; many providers want an app password.",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise HamloadError(
            f"The mail server {where} cannot be used: {_words(error)}.",
            "Check host, port and security in [mail], and the network.",
        ) from error
    try:
        yield Line(server, mail.sender)
    finally:
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _connected(mail: MailSettings) -> smtplib.SMTP:
    trusted = ssl.create_default_context()
    if mail.ca_file:
        try:
            trusted.load_verify_locations(mail.ca_file)
        except OSError as error:
            raise HamloadError(f"ca_file {mail.ca_file} cannot be read: {error}.", "Mend ca_file in [mail].") from error
    port = mail.port or _PORTS[mail.security]
    server: smtplib.SMTP
    if mail.security == "tls":
        server = smtplib.SMTP_SSL(mail.host, port, _CLIENT, timeout=mail.timeout_s, context=trusted)
    else:
        server = smtplib.SMTP(mail.host, port, _CLIENT, timeout=mail.timeout_s)
    try:
        if mail.security == "starttls":
            server.starttls(context=trusted)
        # A sign-in greets by itself; a server without one waits for it, anew after STARTTLS (RFC 3207, 4.2).
        server.ehlo_or_helo_if_needed()
        if mail.username:
            server.login(mail.username, _password(mail))
    except BaseException:
        server.close()
        raise
    return server


def _password(mail: MailSettings) -> str:
    if password := secret("HAMLOAD_SMTP_PASSWORD"):
        if not (password + mail.username).isascii():
            raise HamloadError(
                "Username or password of the mail server hold letters beyond ASCII, which signing in cannot carry.",
                "Use an app password of your provider's, or change it, and set HAMLOAD_SMTP_PASSWORD.",
            )
        return password
    raise HamloadError(
        f"[mail] has a username ({mail.username}) and no password.",
        "Set HAMLOAD_SMTP_PASSWORD, or HAMLOAD_SMTP_PASSWORD_FILE naming a file that holds it.",
    )


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_bytes(error.smtp_error).decode(errors='replace')}"
    return str(error) or type(error).__name__


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()
