"""A program on a leash: it ends when whoever started it does, however that ends, kill -9 included.

Between the two stands a small process of our own that waits for the end of a pipe, which the system closes when the
starter dies. Should both be killed at once, the record of what was started lets the next start end what was left.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENDS_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.25
#: A birth is told by the machine's clock, which is set meanwhile.
_CLOCK_MOVES_S = 60.0


def start(command: Sequence[str], log: Path, record: Path) -> subprocess.Popen[bytes]:
    """Start a program on a leash; what it prints goes to `log`, the owner's alone, and `record` names its processes.

    It leads a process group of its own: a terminal's Ctrl-C does not reach it. End it with `end`.
    """
    held = [sys.executable, "-c", "import sys; from hamload import leash; sys.exit(leash.hold(sys.argv[1:]))"]
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        holder = subprocess.Popen(  # noqa: S603  # this interpreter, and what our own caller says
            [*held, str(record), *command],
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(descriptor)
    return holder


def end(holder: subprocess.Popen[bytes], record: Path) -> None:
    """Let go of a program on a leash, and wait until it has ended."""
    if holder.stdin is not None:
        holder.stdin.close()
    try:
        holder.wait(_ENDS_WITHIN_S + 5)
    except subprocess.TimeoutExpired:
        _signal_group(holder.pid, signal.SIGKILL)
        holder.wait()
    # Whoever killed the holder alone has left the program itself.
    _signal_group(holder.pid, signal.SIGKILL)
    record.unlink(missing_ok=True)


def end_left_behind(record: Path) -> bool:
    """End what an earlier start left behind: the processes that the record names, if they still are what it says."""
    import psutil  # noqa: PLC0415  # only where something was left behind

    try:
        told = json.loads(record.read_bytes())
        pid, created_at, command = int(told["pid"]), float(told["created_at"]), list(told["command"])
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError):
        record.unlink(missing_ok=True)
        return False
    has_ended = False
    try:
        process = psutil.Process(pid)
        # A number is given anew to other programs: the moment of birth (as steady as the clock) and the words tell them
        # apart.
        if abs(process.create_time() - created_at) < _CLOCK_MOVES_S and process.cmdline() == command:
            process.terminate()
            try:
                process.wait(_ENDS_WITHIN_S)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait()
            has_ended = True
    except psutil.NoSuchProcess:
        pass  # it has ended by itself
    record.unlink(missing_ok=True)
    return has_ended


def hold(words: Sequence[str]) -> int:
    """Be the process between: start the program, wait until it ends or standard input does, and end it then."""
    import psutil  # noqa: PLC0415

    record, command = words[0], list(words[1:])
    signal.signal(signal.SIGTERM, _leave)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # our own starter's words
    try:
        born = psutil.Process(program.pid).create_time()
        # As it was asked for: what the system shows may still be our own words, for a moment.
        _write(record, {"pid": program.pid, "created_at": born, "command": command})
        while program.poll() is None:
            readable, _, _ = select.select([0], [], [], _LOOK_EVERY_S)
            if readable and not os.read(0, 64):
                break
    finally:
        program.terminate()
        try:
            program.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(record)  # noqa: PTH108  # a process that should start in a blink
    return program.returncode


def _leave(*_: object) -> None:
    sys.exit(0)


def _write(record: str, told: dict[str, object]) -> None:
    fresh = f"{record}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, json.dumps(told).encode())
    finally:
        os.close(descriptor)
    os.replace(fresh, record)  # noqa: PTH105


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
