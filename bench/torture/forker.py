"""A process that has imported hamload and does nothing but fork: each child takes one step, and may be killed in it.

A fresh interpreter would spend most of its life importing, and most kills would hit that. The forker has no thread and
has opened nothing, so that its children are as good as new. It speaks lines: a step as JSON comes in; the exit status
of its child and its seconds go out.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a night imports on its way, each by itself only when it is needed.
_IMPORTED = (
    "hamload.pipeline.setup.accounts",
    "hamload.pipeline.counsel.advising",
    "hamload.pipeline.loads.assessing",
    "hamload.pipeline.counsel.curling",
    "hamload.pipeline.documents.decoding",
    "hamload.pipeline.intake.fetching",
    "hamload.pipeline.loads.freezing",
    "hamload.pipeline.joining.gathering",
    "hamload.pipeline.showing.mailing",
    "hamload.pipeline.showing.recalling",
    "hamload.pipeline.showing.telling",
    "hamload.pipeline.guarding.troubles",
    "hamload.pipeline.showing.withdrawing",
    "hamload.sources.garmin",
    "hamload.sources.garmin_personal",
    "hamload.sources.strava",
    "torture.steps",
)


class Forker:
    """Takes steps in processes of their own. Use as a context manager."""

    def __init__(self, place: Path, environment: Mapping[str, str]) -> None:
        self._errors = place / "errors.txt"
        path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.forker", str(self._errors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, "PYTHONPATH": path},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def take(self, step: str, home: Path, now: dt.datetime, kill_after_s: float | None = None) -> tuple[bool, float]:
        """Take a step, killed after so many seconds where they are given. Returns whether it ended whole, and its time.

        Raises
        ------
        RuntimeError
            Where it failed of itself.

        """
        assert self._process.stdin is not None  # noqa: S101  # it was opened with a pipe
        assert self._process.stdout is not None  # noqa: S101  # so was this
        self._process.stdin.write(json.dumps([step, str(home), now.isoformat(), kill_after_s]) + "\n")
        self._process.stdin.flush()
        status, _, seconds = self._process.stdout.readline().partition(" ")
        if int(status) not in {0, -signal.SIGKILL}:
            raise RuntimeError(f"The step {step} failed with status {status}: {self._errors.read_text()}")
        return int(status) == 0, float(seconds)


def _fork(errors: Path) -> None:
    for name in _IMPORTED:
        importlib.import_module(name)
    from torture import steps  # as slow as the rest

    for line in sys.stdin:
        step, home, now, kill_after_s = json.loads(line)
        begun = time.monotonic()
        if not (pid := os.fork()):
            descriptor = os.open(errors, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            os.dup2(descriptor, 2)
            # What the step prints is not the forker's.
            os.dup2(descriptor, 1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            steps.STEPS[step](Path(home), dt.datetime.fromisoformat(now))
            sys.exit(0)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            # Nobody has waited for it yet: the number is still its own, even where it has ended.
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)} {time.monotonic() - begun}\n".encode())


if __name__ == "__main__":
    _fork(Path(sys.argv[1]))
