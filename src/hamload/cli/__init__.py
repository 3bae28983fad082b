"""The command line: one command per step. Parses, calls `pipeline`, prints; decides nothing.

Each module holds a few commands that belong together. Exit codes: 0 done, 1 done with failures that are listed, 2
unusable arguments or configuration.
"""

from __future__ import annotations

import io
import logging
import sys

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

__all__ = ["app", "main"]


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
        app()
    except ConfigurationError as error:
        complain(error)
        sys.exit(2)
    except HamloadError as error:
        complain(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
