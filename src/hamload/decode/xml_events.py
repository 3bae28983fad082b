"""XML as a stream of elements, for GPX and TCX: bounded, deaf to entities, and forgiving about a cut-off end.

No tree is built. Names come without prefix, so that every spelling of a namespace reads alike, a wrong one included.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING
from xml.parsers import expat

from hamload.errors import UnreadableError
from hamload.numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_DEPTH = 64
_MAX_TEXT = 100_000
_AGAIN = "Download or export the activity again."

type Start = Callable[[str, Mapping[str, str]], None]
type End = Callable[[str, str], None]


class _ForbiddenError(Exception):
    """The document asks for something that no activity needs."""


def walk(content: bytes, start: Start, end: End) -> str:
    """Call `start(name, attributes)` and `end(name, text)` for each element. Returns a note, "" where all is well.

    A document that breaks off or breaks the rules of XML is walked up to there; the note says so.

    Raises
    ------
    UnreadableError
        Where it declares entities, or nests deeper than any activity does.

    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    names: dict[str, str] = {}
    text: list[str] = []
    depth = size = 0

    def opened(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, size
        depth += 1
        if depth > _MAX_DEPTH:
            raise _ForbiddenError("it nests deeper than any activity does")
        name = names.get(tag) or names.setdefault(tag, tag.rpartition(":")[2])
        text.clear()
        size = 0
        start(name, attributes)

    def closed(tag: str) -> None:
        nonlocal depth, size
        depth -= 1
        end(names[tag], "".join(text).strip())
        text.clear()
        size = 0

    def said(characters: str) -> None:
        nonlocal size
        size += len(characters)
        if size <= _MAX_TEXT:
            text.append(characters)

    def forbidden(*_: object) -> int:
        raise _ForbiddenError("it declares entities, which no activity needs")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = said
    parser.EntityDeclHandler = forbidden
    parser.UnparsedEntityDeclHandler = forbidden
    parser.ExternalEntityRefHandler = forbidden
    try:
        parser.Parse(trimmed(content), True)  # noqa: FBT003  # expat takes no keywords
    except expat.ExpatError as error:
        where = f"line {error.lineno}: {expat.ErrorString(error.code)}"
        return f"the document breaks off at {where}; what stands before was kept"
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        return f"the document's characters cannot be read: {error}; what stands before was kept"
    except _ForbiddenError as error:
        raise UnreadableError(f"This document is refused: {error}.", _AGAIN) from None
    return ""


def trimmed(content: bytes) -> bytes:
    """Return the document from its first tag on: blanks before the XML declaration are common, and forbidden."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content
    at = content.find(b"<", 0, 4096)
    return content[at:] if at > 0 else content


def seconds(text: str) -> tuple[float, bool] | None:
    """Return a time stamp as Unix seconds, and whether it said its zone (taken as UTC where not). None: no time."""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=dt.UTC).timestamp(), False
        # The first and the last day of the calendar have no other zone.
        return moment.astimezone(dt.UTC).timestamp(), True
    except (ValueError, OverflowError):
        return None


def offset(text: str) -> int | None:
    """Return a time stamp's own offset from UTC in seconds; None where it says UTC or nothing."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    away = moment.utcoffset()
    return int(away.total_seconds()) if away else None


def written(text: str | None) -> float:
    """Return a number that is written out, NaN where there is none."""
    try:
        value = number(float(text)) if text else None
    except ValueError:
        return math.nan
    return math.nan if value is None else value
