"""The home's log: a JSON object a line in `logs/hamload.jsonl`, its owner's alone, bounded, without secrets.

What a run does (its steps, counts and durations) comes through `tell`; what libraries warn of meanwhile comes through
their own loggers. Each line carries the run's id. The fields are in docs/monitoring.md. A log that cannot be written is
said once on standard error and stops nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import logging
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hamload.redaction import install, redacted, told_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hamload.settings import Settings

FOLDER, NAME = "logs", "hamload.jsonl"
#: Some 700 nights a file; with the older files kept, the whole stays below five megabytes.
MAX_BYTES, KEPT = 1_000_000, 4

#: Steps go here and not to the terminal, which has its own words for them.
_EVENTS = logging.getLogger("hamload.run")
_EVENTS.propagate = False


@dataclass(slots=True)
class Clock:
    """The time of a run: it began at `begun`, whatever the machine's clock says, and goes on from there."""

    begun: dt.datetime
    _started: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Return how long the run has taken so far."""
        return time.monotonic() - self._started

    def now(self) -> dt.datetime:
        """Return the run's own time, UTC."""
        return (self.begun + dt.timedelta(seconds=self.elapsed_s())).astimezone(dt.UTC)


@contextmanager
def opened(settings: Settings, run_id: str, kind: str, clock: Clock) -> Iterator[None]:
    """Write what happens meanwhile into the home's log: what `tell` is told, and what any library warns of."""
    install()
    handler = _Lines(settings.home / FOLDER, {"run_id": run_id, "kind": kind}, clock)
    handler.setLevel(settings.log.level.upper())
    root = logging.getLogger()
    before = root.level
    events = _Events(handler)
    root.addHandler(handler)
    _EVENTS.addHandler(events)
    _EVENTS.setLevel(logging.INFO)
    root.setLevel(min(before or logging.WARNING, handler.level))
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        _EVENTS.removeHandler(events)


def tell(event: str, **facts: Any) -> None:
    """Write one line: what happened, and its facts (texts, numbers, mappings of them)."""
    _EVENTS.info(event, extra={"facts": facts})


def lines(home: Path) -> list[dict[str, Any]]:
    """Return what the newest file of the log holds, oldest first; a line that a crash cut off is left out."""
    path = home / FOLDER / NAME
    found: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


class _Events(logging.Handler):
    """Passes a run's own events on, whatever level libraries must have to be written."""

    def __init__(self, lines_: _Lines) -> None:
        super().__init__()
        self._lines = lines_

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.emit(record)


class _Lines(logging.Handler):
    _has_complained = False

    def __init__(self, folder: Path, always: dict[str, str], clock: Clock) -> None:
        super().__init__()
        self._folder, self._always, self._clock = folder, always, clock

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _append(self._folder, self._line(record))
        except (OSError, ValueError) as error:
            if not _Lines._has_complained:
                _Lines._has_complained = True
                sys.stderr.write(f"hamload: the log in {self._folder} cannot be written: {error}\n")

    def _line(self, record: logging.LogRecord) -> bytes:
        told: dict[str, Any] = {"at": self._clock.now().isoformat(timespec="milliseconds"), **self._always}
        facts = getattr(record, "facts", None)
        if facts is None:
            told |= {"event": "log", "level": record.levelname.lower(), "logger": record.name}
            told["message"] = record.getMessage()
            if record.exc_text or record.exc_info:
                told["error"] = record.exc_text or told_traceback(*record.exc_info)  # type: ignore[misc]
        else:
            told |= {"event": record.getMessage(), **facts}
        return (json.dumps(_clean(told), default=str, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def _clean(told: Any) -> Any:
    if isinstance(told, str):
        return redacted(told)
    if isinstance(told, dict):
        return {name: _clean(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_clean(value) for value in told]
    return told if told is None or isinstance(told, bool | int | float) else redacted(str(told))


def _append(folder: Path, line: bytes) -> None:
    """Append a line; two processes never mix theirs, and none writes into a file that another has just moved away."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        if path.is_file() and path.stat().st_size + len(line) > MAX_BYTES:
            for number in range(KEPT - 1, 0, -1):
                older = path.with_name(f"{NAME}.{number}")
                if older.is_file():
                    older.replace(path.with_name(f"{NAME}.{number + 1}"))
            path.replace(path.with_name(f"{NAME}.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    finally:
        os.close(held)
