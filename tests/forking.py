"""Imports what the command imports, and from then on forks a process for each command: all but the imports is new.

Each line of its input is an order, each of its output the exit code of that order's process.
"""

import atexit
import gc
import json
import os
import signal
import sys
from typing import Any

import hamload.cli
import hamload.digest.render
import hamload.pipeline.counsel.advising
import hamload.pipeline.counsel.curling
import hamload.pipeline.documents.decoding
import hamload.pipeline.joining.gathering
import hamload.pipeline.loads.assessing
import hamload.pipeline.showing.telling


def main() -> None:
    """Carry out orders until there are no more."""
    gc.freeze()
    # What was imported before the fork would complain at the end of a forked process.
    atexit._clear()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            carry_out(order)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201  # the answer


def carry_out(order: dict[str, Any]) -> None:
    """Become the command, and end with it."""
    signal.alarm(order["seconds"])
    for number, path in enumerate(order["streams"]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    os.umask(order["umask"])
    sys.argv = order["arguments"]
    code = 1
    try:
        hamload.cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    main()
