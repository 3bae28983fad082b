"""Sends what waits in the outbox, one message after the other, each step in the ledger before the next."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hamload.errors import HamloadError
from hamload.post.ledger import MAIL, Ledger
from hamload.post.letter import addressed, plain_text
from hamload.post.smtp import RefusedError, UnsureError, line
from hamload.post.telling import outbox, push_urls, tell

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from hamload.post.ledger import Standing
    from hamload.post.letter import Kind
    from hamload.post.smtp import Line
    from hamload.settings import Settings

#: Push services take a few hundred to some thousand characters; the mail and the outbox hold the rest.
_PUSH_CHARACTERS = 900


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one delivery did: how many messages left, what still stands (see `Standing`), and what went wrong."""

    sent: int
    standing: tuple[Standing, ...]
    problems: tuple[str, ...]


#: Kinds of messages that hold advice.
_ADVISING = frozenset({"digest", "alert"})


def deliver(settings: Settings, now: dt.datetime, kinds: frozenset[Kind] | None = None) -> Outcome:
    """Send what waits (of these kinds, where given), oldest first. What cannot be sent waits on, with the reason.

    Nothing here stops a night.

    Without configured mail, or an address of the runner's, messages wait and that is no problem but a standing fact.
    """
    if not Ledger.is_there(outbox(settings)):
        return Outcome(0, (), ())
    problems: list[str] = []
    sent = 0
    with _alone(settings) as is_alone:
        if not is_alone:
            return Outcome(0, (), ("Another hamload is sending this home's messages.",))
        with Ledger(outbox(settings)) as ledger:
            ledger.recover(now)
            _put_notices(settings, ledger, now)
            for send in (_send_mail, _send_push):
                try:
                    sent += send(settings, ledger, now, problems, kinds)
                except HamloadError as error:
                    problems.append(str(error))
            return Outcome(sent, tuple(ledger.standing()), tuple(dict.fromkeys(problems)))


def withdraw(settings: Settings, athlete_id: str, is_kept: Callable[[str], bool]) -> bool:
    """Take back the digests and alerts that wait for a runner, but those whose subject `is_kept`.

    Returns False where another hamload is sending just now: what it has begun with cannot be taken back.
    """
    if not Ledger.is_there(outbox(settings)):
        return True
    with _alone(settings) as is_alone, Ledger(outbox(settings)) as ledger:
        if is_alone:
            ledger.withdraw(
                [
                    m.message_id
                    for m in ledger.standing(athlete_id)
                    if m.state == "waiting" and m.kind in _ADVISING and not is_kept(m.subject)
                ]
            )
        return is_alone


def _waiting(ledger: Ledger, way: str, kinds: frozenset[Kind] | None) -> list[tuple[str, str]]:
    of_kind = {m.message_id for m in ledger.standing() if kinds is None or m.kind in kinds}
    return [(message_id, athlete) for message_id, athlete in ledger.waiting(way) if message_id in of_kind]


def _send_mail(
    settings: Settings, ledger: Ledger, now: dt.datetime, problems: list[str], kinds: frozenset[Kind] | None
) -> int:
    addresses = {a.id: a.mail for a in settings.athletes if a.mail}
    waiting = [(m, addresses[athlete]) for m, athlete in _waiting(ledger, MAIL, kinds) if athlete in addresses]
    if not waiting or not settings.mail.is_configured:
        return 0
    sent = 0
    with ExitStack() as stack:
        try:
            open_line = stack.enter_context(line(settings.mail))
        except HamloadError as error:
            for message_id, _ in waiting:
                ledger.mark(message_id, MAIL, "waiting", now, str(error))
            raise
        for message_id, address in waiting:
            try:
                _mail_one(ledger, open_line, message_id, settings.mail.sender, address, now)
                sent += 1
            except RefusedError as error:
                ledger.mark(message_id, MAIL, "waiting", now, str(error))
                problems.append(str(error))
            except UnsureError as error:
                ledger.mark(message_id, MAIL, "unsure", now, str(error))
                raise
            except HamloadError as error:
                ledger.mark(message_id, MAIL, "waiting", now, str(error))
                raise
    return sent


def _mail_one(ledger: Ledger, open_line: Line, message_id: str, sender: str, address: str, now: dt.datetime) -> None:
    content = addressed(ledger.content(message_id), sender, address)
    open_line.send(address, content, before=partial(ledger.mark, message_id, MAIL, "sending", now))
    ledger.mark(message_id, MAIL, "sent", now)


def _send_push(
    settings: Settings, ledger: Ledger, now: dt.datetime, problems: list[str], kinds: frozenset[Kind] | None
) -> int:
    ways = [way for way in ledger.ways() if way != MAIL]
    if not ways:
        return 0
    urls = push_urls(settings)
    sent = 0
    for way in ways:
        for message_id, _ in _waiting(ledger, way, kinds):
            if way not in urls:
                ledger.mark(message_id, way, "dropped", now, "its push address is no longer set")
                continue
            subject = ledger.subject(message_id)
            body = plain_text(ledger.content(message_id))
            ledger.mark(message_id, way, "sending", now)
            if _pushed(urls[way], subject, body[:_PUSH_CHARACTERS]):
                ledger.mark(message_id, way, "sent", now)
                sent += 1
            else:
                error = f"The push service {way.removeprefix('push:')} did not take a message."
                ledger.mark(message_id, way, "waiting", now, error)
                problems.append(f"{error} Check its URL and the network.")
    return sent


def _pushed(url: str, subject: str, body: str) -> bool:
    from apprise import Apprise, NotifyType  # noqa: PLC0415  # slow to import, and seldom needed

    service = Apprise()
    return bool(service.add(url) and service.notify(body, subject, NotifyType.WARNING))


def _put_notices(settings: Settings, ledger: Ledger, now: dt.datetime) -> None:
    """Put one notice for each runner and way on which messages are unsure, quoting them: none is lost that way."""
    untold: dict[tuple[str, str], list[Standing]] = {}
    for standing in ledger.untold():
        untold.setdefault((standing.athlete_id, standing.way), []).append(standing)
    for (athlete_id, way), unsure in untold.items():
        # A notice that got lost itself is covered by this one, and has nothing of its own to quote.
        quoted = [s for s in unsure if s.kind != "notice"]
        tell(
            settings,
            athlete_id,
            f"unsure on {way} at {now.isoformat()}",
            "notice",
            _notice_subject(quoted),
            "\n".join(_notice(quoted, [plain_text(ledger.content(s.message_id)) for s in quoted])),
            now=now,
            ways=[way],
            about=[s.message_id for s in unsure],
        )


def _notice_subject(unsure: Sequence[Standing]) -> str:
    first = f"Perhaps not received: {unsure[0].subject}"
    return first if len(unsure) == 1 else f"{first} (and {len(unsure) - 1} more)"


def _notice(unsure: Sequence[Standing], texts: Sequence[str]) -> Iterator[str]:
    yield (
        "hamload was interrupted while it sent the following, and cannot tell whether it reached you.\n"
        "It was not sent again, so that you never get two of the same; what it said is quoted here.\n"
    )
    for standing, text in zip(unsure, texts, strict=True):
        yield f"{standing.subject}\nwritten {standing.put_at:%Y-%m-%d %H:%M} UTC, {standing.message_id}\n"
        yield "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        yield ""


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Hold the outbox for one sender. A dead process holds nothing."""
    try:
        descriptor = os.open(outbox(settings) / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise HamloadError(
            f"The outbox {outbox(settings)} cannot be written: {error.strerror}.", "Mend the folder's rights."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
