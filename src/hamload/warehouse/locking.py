"""One writer for a home: a lock that a dead process does not hold."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hamload.errors import BusyError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOKS, _LOOK_S = 10, 0.02


@contextmanager
def lock(home: Path) -> Iterator[None]:
    """Hold the home for one writer. A dead process holds nothing. Raises WarehouseError where another one works."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The home {home} cannot be written: {error.strerror}.",
            "Name a folder that you may write to, with --home or HAMLOAD_HOME.",
        ) from error
    try:
        if not _held(descriptor):
            other = os.read(descriptor, 32).decode(errors="replace").strip()
            raise BusyError(
                f"Another hamload (process {other or 'unknown'}) is working in {home}.", "Wait until it has finished."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        # All that is written meanwhile tells of somebody's health: it is its owner's alone, whatever the home's rights.
        before = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(before)
    finally:
        os.close(descriptor)


def _held(descriptor: int) -> bool:
    """Take the lock, and return whether that went. Who only looks (`is_locked`) has it for a moment: that is waited."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_S)
        else:
            return True
    return False


def is_locked(home: Path) -> bool:
    """Return whether some run holds the home now. Writes nothing."""
    try:
        descriptor = os.open(home / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
