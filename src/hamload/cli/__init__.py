"""The command line: one command per step. Parses, calls `pipeline`, prints; decides nothing.

Each module holds a few commands that belong together. Exit codes: 0 done, 1 done with failures that are listed, 2
unusable arguments or configuration.
"""

from __future__ import annotations

import errno
import io
import logging
import signal
import sys
from typing import TYPE_CHECKING

from hamload import redaction

# Importing a module registers its commands.
from hamload.cli import (  # noqa: F401
    accounts,
    curls,
    demo,
    doctor,
    importing,
    init,
    journal,
    notebooks,
    planning,
    reporting,
    serving,
    sessions,
    showing,
    watching,
)
from hamload.cli.app import app
from hamload.cli.printing import complain
from hamload.errors import ConfigurationError, HamloadError

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["app", "main"]

#: What no step can foresee, wherever it meets it, and what helps.
_OF_THE_MACHINE = {
    errno.ENOSPC: "Free some space where you write to, then run the same again.",
    errno.EDQUOT: "Free some space where you write to, then run the same again.",
    errno.EROFS: "Mount that disk to be written, or name another home with --home.",
    errno.EMFILE: "Allow this process more open files (ulimit -n 1024), then run the same again.",
    errno.ENFILE: "Close some other programs, then run the same again.",
    errno.ENOMEM: "Close some other programs, then run the same again.",
    errno.EAGAIN: "Allow this user more processes (ulimit -u), then run the same again.",
}

_CTRL_C = 128 + signal.SIGINT


def _run() -> None:
    """Run the command line until it ends, or Ctrl-C ends it: as a library may have words of its own for that."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        # What is cut off half-way goes without a word: whoever pressed it knows.
        sys.unraisablehook = lambda _: None
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    try:
        app()
    except BaseException as error:
        # Settings that could not be read may be that very interruption, in a library's words; no work had begun.
        is_told = isinstance(error, HamloadError | SystemExit) and not isinstance(error, ConfigurationError)
        if pressed and not is_told:
            sys.exit(_CTRL_C)
        raise


def main() -> None:
    """Run the command line; every expected failure becomes a sentence with its remedy, never a traceback."""
    # What a client logs of a failure is for a log: the runner gets a sentence with its remedy.
    logging.getLogger().addHandler(logging.NullHandler())
    redaction.install()
    redaction.install_for_uncaught()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows another; nothing fails because of it.
            stream.reconfigure(errors="replace")
    try:
        _run()
    except ConfigurationError as error:
        complain(error)
        sys.exit(2)
    except HamloadError as error:
        complain(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        complain(HamloadError(f"This machine refuses: {error.strerror}.", _OF_THE_MACHINE[error.errno]))
        sys.exit(1)
