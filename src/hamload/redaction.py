"""Keeps secrets out of whatever is logged or told: by value, as far as this process knows them, and by their looks.

Whoever reads a secret from its file or the environment, or is told one, calls `learn`; from then on its value is
blotted out wherever it would be written. What nobody has learnt yet (a token in the answer that brings it) is known by
what stands before it. `install` puts this under every logger of the process, whichever library's it is and whatever
handlers it has. Imports nothing of hamload's.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import threading
import traceback
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

#: What stands in a secret's place.
BLOT = "[secret]"
#: A shorter value would blot out half of every sentence, and keeps nothing secret.
_SHORTEST = 4

_known: set[str] = set()

_NAMES = (
    "access_?token|refresh_?token|id_?token|client_?secret|code_?verifier|di_?token|di_?refresh_?token|jwt_?web"
    "|pass(?:word|wd|phrase)?|api_?key|secret|session_?id|ticket|assertion|csrf|_csrf|auth_?token|token"
)
_FIELDS = re.compile(
    # In an address, a form, JSON, a call or Python's repr of one; the name stays, its value goes. A colon alone ("the
    # password: 535 ...") is prose.
    rf"""(?ix) (?P<name> (?<![a-z]) (?:[a-z]+[_-])? (?:{_NAMES}) )
    (?P<sign> \\?["'] \s* : \s* | \s* [:=] \s* (?=\\?["']) | = | %3d )
    (?P<value> \\?"(?:[^"\\]|\\.)+?\\?" | \\?'(?:[^'\\]|\\.)+?\\?' | (?![\s"'\[]) [^\s&"',;<>\]}})]+ )"""
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Headers that sign in: everything up to the end of the line or of the quoted value.
    (
        re.compile(
            r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(\\?["']?\s*[:=,]\s*)b?\\?["']?[^\r\n"']+"""
        ),
        rf"\1\2{BLOT}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?=[\w.~+/-]*[\d.~+/_-])[\w.~+/-]{8,}=*"), rf"\1 {BLOT}"),
    # A code comes back in an address or goes out in a form; "code 503" is none.
    (re.compile(r"([?&])(code|state|mfa[-_]code)=[^&\s\"'<>]+", re.IGNORECASE), rf"\1\2={BLOT}"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]{1,20}://)[^/\s:@\"']*:[^/\s@\"']+@"), rf"\1{BLOT}@"),
    (re.compile(r"(?i)\bauth\s+(plain|login|xoauth2)\s+[^\s'\"]+"), rf"AUTH \1 {BLOT}"),
    # Signed tokens, wherever they stand.
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"), BLOT),
)


def learn(*secrets: str) -> None:
    """Blot these out from now on, however an address, JSON or a mail sign-in spells them."""
    for secret in secrets:
        if len(secret) < _SHORTEST or secret in _known:
            continue
        raw = secret.encode()
        _known.update(
            {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]}
            | {repr(secret)[1:-1], base64.b64encode(raw).decode()}
        )
        _values.cache_clear()


@lru_cache(maxsize=1)
def _values() -> re.Pattern[str] | None:
    # The longest first: one secret may begin with another.
    ordered = sorted(_known, key=lambda value: (-len(value), value))
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def redacted(text: str) -> str:
    """Return the text with every secret in it blotted out."""
    known = _values()
    if known is not None:
        text = known.sub(BLOT, text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return _FIELDS.sub(_field, text)


def _field(found: re.Match[str]) -> str:
    value = found["value"]
    mark = re.match(r"\\?[\"']", value)
    around = mark[0] if mark else ""
    return found["name"] + found["sign"] + (value if value.strip("\\\"'") == BLOT else around + BLOT + around)


def told_traceback(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, limit: int | None = None
) -> str:
    """Return an exception with its traceback and causes, as Python prints them, its secrets blotted out."""
    return redacted("".join(traceback.format_exception(kind, error, trace, limit)))


def discreet[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Let no exception with a secret in its text out of a function: who catches it may keep that text anywhere."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        clean: Exception
        try:
            return function(*args, **kwargs)
        except Exception as error:
            told = "".join(traceback.format_exception_only(error)) + repr(error)
            if redacted(told) == told:
                raise
            clean = RuntimeError(redacted(f"{type(error).__name__}: {error}"))
        raise clean

    return guarded


def install() -> None:
    """Put the blotting under every logger of this process. Twice is as good as once."""
    if not isinstance(logging.getLogRecordFactory(), _Discreet):
        logging.setLogRecordFactory(_Discreet(logging.getLogRecordFactory()))


def install_for_uncaught() -> None:
    """Print exceptions that nobody catches without their secrets: for a process of our own."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class _Discreet:
    """Makes log records that hold no secret, before any handler sees them."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._made(*args, **kwargs)
        _clean_message(record)
        if record.exc_info and record.exc_info[0] is not None:
            _clean_exception(record, record.exc_info)
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return record


def _clean_message(record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001  # whoever logs may err in any way; the handler says so as it would have
        record.msg, record.args = redacted(str(record.msg)), redacted_arguments(record.args)
        return
    if redacted(message) == message:
        return
    if isinstance(record.msg, str):
        # Formatters of their own (a web server's access log) take the arguments apart: these stay as many as they are.
        record.args = redacted_arguments(record.args)
        if redacted(message := record.getMessage()) == message:
            return
    record.msg, record.args = redacted(message), None


def redacted_arguments(arguments: Any) -> Any:
    """Return a log record's arguments with the texts among them, and the texts of objects among them, blotted out."""
    if isinstance(arguments, dict):
        return {name: _argument(value) for name, value in arguments.items()}
    return tuple(map(_argument, arguments)) if isinstance(arguments, tuple) else arguments


def _argument(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    told = str(value)
    clean = redacted(told)
    return value if clean == told and redacted(repr(value)) == repr(value) else clean


def _clean_exception(record: logging.LogRecord, found: Any) -> None:
    told = "".join(traceback.format_exception(*found))
    clean = redacted(told)
    if clean != told:
        # Handlers print the text where they find one, and have no object to print anew.
        record.exc_info, record.exc_text = None, clean.rstrip("\n")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(told_traceback(kind, error, trace))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_type is not SystemExit:
        name = found.thread.name if found.thread else "?"
        told = told_traceback(found.exc_type, found.exc_value, found.exc_traceback)
        sys.stderr.write(f"Exception in thread {name}:\n{told}")
