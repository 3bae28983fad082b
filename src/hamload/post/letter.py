"""A message as mail: its MIME tree and headers. Pure; who sends it to whom is added when it leaves."""

from __future__ import annotations

import email
import email.policy
import re
import unicodedata
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

#: What a message is: the weekly digest, a state that worsened, a night that failed, or word of an earlier message.
type Kind = Literal["digest", "alert", "failure", "notice"]

_POLICY = email.policy.SMTP.clone(cte_type="7bit")
_SUBJECT_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that travels with a message. With a `content_id` it belongs to the HTML, which shows it as cid:…."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


def compose(
    *,
    message_id: str,
    subject: str,
    text: str,
    html: str | None,
    attachments: Sequence[Attachment],
    put_at: dt.datetime,
) -> bytes:
    """Return the message as RFC 5322 bytes, without From and To.

    multipart/alternative of the text and, where there is HTML, multipart/related of it with its images; other
    attachments around both. Foreign characters in `subject` can add no header.
    """
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = one_line(subject)
    message["Date"] = format_datetime(put_at)
    message["Message-ID"] = message_id
    # RFC 3834, and its counterpart at Microsoft: no holiday notices in answer to a program.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = "en"
    message.set_content(_encodable(text), cte="quoted-printable")
    if html is not None:
        message.add_alternative(_encodable(html), subtype="html", cte="quoted-printable")
        shown = list(message.iter_parts())[-1]
        assert isinstance(shown, EmailMessage)  # noqa: S101  # the part that was just added
        for image in (a for a in attachments if a.content_id):
            main, _, sub = image.content_type.partition("/")
            shown.add_related(
                image.content, main, sub, cid=f"<{image.content_id}>", filename=image.name, disposition="inline"
            )
    for loose in (a for a in attachments if not a.content_id or html is None):
        main, _, sub = loose.content_type.partition("/")
        message.add_attachment(loose.content, main, sub, filename=one_line(loose.name))
    return message.as_bytes()


def addressed(content: bytes, sender: str, recipient: str) -> bytes:
    """Return a composed message with who sends it, who gets it, and how to end that."""
    message = email.message_from_bytes(content, policy=_POLICY)
    message["From"] = f"hamload <{sender}>"
    message["To"] = recipient
    message["List-Id"] = f"hamload <hamload.{sender.rpartition('@')[2]}>"
    message["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe%20hamload>"
    return message.as_bytes()


def plain_text(content: bytes) -> str:
    """Return the plain text of a composed message."""
    body = email.message_from_bytes(content, policy=email.policy.SMTP).get_body(("plain",))
    return "" if body is None else str(body.get_content())


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which no encoding holds."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return the text as one line without control characters, lone surrogates or turns of the reading direction."""
    kept = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _UNPRINTABLE)
    line = re.sub(" +", " ", "".join(kept)).strip()
    return line if len(line) <= _SUBJECT_CHARACTERS else f"{line[: _SUBJECT_CHARACTERS - 1].rstrip()}…"


#: Unicode categories: control, format (direction marks among them), surrogate, private, unassigned.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
