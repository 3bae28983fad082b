"""Puts messages into the outbox, and says which of them have not reached their runner."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hamload.errors import ConfigurationError
from hamload.post.ledger import MAIL, NAME, Ledger, Standing
from hamload.post.letter import compose, one_line
from hamload.post.smtp import line
from hamload.redaction import learn
from hamload.settings import secret

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from hamload.post.letter import Attachment, Kind
    from hamload.settings import Settings

#: Kinds that also go out as push messages, where those are switched on.
_PUSHED = frozenset({"alert", "failure"})
#: RFC 2606: a domain that nobody has, for a home that has no sender yet.
_NO_DOMAIN = "hamload.invalid"
_UNREADABLE = "push:unreadable"
#: Shorter parts of a push address are words.
_TOKEN = 12


def outbox(settings: Settings) -> Path:
    """Return where a home's messages lie."""
    return settings.home / "outbox"


def ledger_path(settings: Settings) -> Path:
    """Return where the outbox's ledger lies, if there is one."""
    return outbox(settings) / NAME


def tell(  # noqa: PLR0913, PLR0917  # a message has that many sides
    settings: Settings,
    athlete_id: str,
    key: str,
    kind: Kind,
    subject: str,
    text: str,
    html: str | None = None,
    attachments: Sequence[Attachment] = (),
    *,
    now: dt.datetime,
    ways: Sequence[str] | None = None,
    about: Sequence[str] = (),
    also: Sequence[str] = (),
) -> bool:
    """Put a message to a runner into the outbox. The same key again changes nothing.

    Parameters
    ----------
    key
        What the message is about, for good: one message of one key reaches the runner at most once.
    kind
        "digest", "alert" (a state worsened), "failure" (of a night), "notice". A digest or alert stands for older ones
        that nobody has tried to send; alerts and failures also go out as push messages.
    ways, about
        The only ways it is to go, and the messages that a notice tells of.
    also
        Other keys that this message tells of: from then on they count as told, by one step with the message itself.

    Returns
    -------
    bool
        Whether the message is new.

    """
    with Ledger(outbox(settings)) as ledger:
        domain = settings.mail.sender.rpartition("@")[2] or _NO_DOMAIN
        message_id = ledger.message_id(athlete_id, key, domain)
        content = compose(
            message_id=message_id, subject=subject, text=text, html=html, attachments=attachments, put_at=now
        )
        if ways is None:
            ways = [MAIL, *(_push_ways(settings) if kind in _PUSHED else ())]
        others = {other: ledger.message_id(athlete_id, other, domain) for other in also}
        return ledger.put(message_id, athlete_id, key, kind, one_line(subject), content, now, ways, about, others)


def is_told(settings: Settings, athlete_id: str, key: str) -> bool:
    """Return whether a message of this key was put before, whatever became of it."""
    if not Ledger.is_there(outbox(settings)):
        return False
    with Ledger(outbox(settings)) as ledger:
        return ledger.is_known(athlete_id, key)


def told(settings: Settings, athlete_id: str, opening: str) -> list[str]:
    """Return the keys with this opening of which the runner was told, in the order of the alphabet."""
    if not Ledger.is_there(outbox(settings)):
        return []
    with Ledger(outbox(settings)) as ledger:
        return ledger.keys(athlete_id, opening)


def standing(settings: Settings, athlete_id: str | None = None) -> list[Standing]:
    """Return the messages that have not, or not surely, reached a runner (None: anybody), oldest first."""
    if not Ledger.is_there(outbox(settings)):
        return []
    with Ledger(outbox(settings)) as ledger:
        return ledger.standing(athlete_id)


def forget(settings: Settings, athlete_id: str) -> None:
    """Drop what waits for a runner, and what messages to them said; that they were told of it stays."""
    if Ledger.is_there(outbox(settings)):
        with Ledger(outbox(settings)) as ledger:
            ledger.forget(athlete_id)


def try_line(settings: Settings) -> None:
    """Open the line to the mail server, sign in, and hang up; nothing is sent. Raises HamloadError."""
    with line(settings.mail):
        pass


def in_words(settings: Settings, messages: Sequence[Standing]) -> list[str]:
    """Return a sentence for each thing that keeps messages from their runner, the remedy in it."""
    addresses = {a.id: a.mail for a in settings.athletes}
    config = settings.home / "config.toml"
    untried: dict[str, int] = {}
    sentences = []
    for message in messages:
        told = f"{message.subject!r} of {message.put_at:%Y-%m-%d}"
        by = "mail" if message.way == MAIL else "push message"
        if message.state != "waiting":
            sentences.append(f"Nobody can tell whether the {by} {told} arrived: {message.error}. It is not sent again.")
        elif message.attempts:
            times = "once" if message.attempts == 1 else f"{message.attempts} times"
            sentences.append(f"The {by} {told} waits, tried {times}: {message.error}")
        else:
            why = "it goes out with the next night"
            if message.way == MAIL and not settings.mail.is_configured:
                why = f"mail is not set up: [mail] in {config}"
            elif message.way == MAIL and not addresses.get(message.athlete_id):
                why = f"{message.athlete_id} has no mail address: mail in [[athletes]] of {config}"
            untried[why] = untried.get(why, 0) + 1
    return sentences + [
        f"{count} message{'' if count == 1 else 's'} in the outbox: {why}." for why, count in untried.items()
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The file that urls_file of [push] names cannot be read ({type(error).__name__}): {path}.",
            "Mend that line, or the file's rights.",
        ) from None


def _parts(path: str) -> list[str]:
    """Return the parts of an address that are long enough to be tokens."""
    return [part for part in path.split("/") if len(part) >= _TOKEN]


def _push_ways(settings: Settings) -> list[str]:
    """Return the ways of the push addresses; where they cannot be read, one that says so with every delivery."""
    try:
        return list(push_urls(settings))
    except ConfigurationError:
        return [_UNREADABLE]


def push_urls(settings: Settings) -> dict[str, str]:
    """Return the push addresses, each under a name that gives none of it away.

    Raises
    ------
    ConfigurationError
        Where a file that should hold them cannot be read, or one of them leaves the server's certificate unchecked.

    """
    lines = secret("HAMLOAD_PUSH_URLS").splitlines()
    if settings.push.urls_file:
        lines += _read(settings.home / Path(settings.push.urls_file).expanduser()).splitlines()
    urls = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for url in urls:
        told = urlsplit(url)
        # Their user names, passwords and paths are what lets one in.
        learn(url, *filter(None, (told.username, told.password, *_parts(told.path))))
        if re.search(r"(?i)[?&]verify=(no|false|0|off|f|n)", url):
            raise ConfigurationError(
                f"A push address of {told.scheme}:// says that the server's certificate is not to be checked.",
                "Take verify=no out of it: messages about somebody's health go to nobody else.",
            )
    return {f"push:{url.partition(':')[0]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}": url for url in urls}
