"""A share of a processor for each of several groups of processes: what more processors would be, on a machine of few.

The kernel's control groups hold each to its share, so that processes do not run at each other's cost. Needs the right
to make groups (root, or a delegated cgroup v2); elsewhere nothing can be measured with them, and who asks is told so.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path("/sys/fs/cgroup")
#: So short that a throttled process waits for milliseconds, and long enough for the kernel's own accounting.
_PERIOD_US = 10_000


def is_possible() -> bool:
    """Return whether this machine lets us give out shares."""
    try:
        with given([[os.getpid()]], 0.9):
            return True
    except OSError:
        return False


@contextmanager
def given(groups: Sequence[Sequence[int]], share: float) -> Iterator[None]:
    """Hold each group of processes, and what they start from then on, to this share of one processor.

    Raises OSError where the kernel or its rights do not allow it.
    """
    is_first = (_ROOT / "cpu" / "cgroup.procs").exists()
    root = _ROOT / "cpu" if is_first else _ROOT
    quota = int(_PERIOD_US * share)
    made: list[Path] = []
    try:
        for number, processes in enumerate(groups):
            group = root / f"hamload-bench-{os.getpid()}-{number}"
            group.mkdir()
            made.append(group)
            if is_first:
                (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
            for process in processes:
                (group / "cgroup.procs").write_text(str(process))
        yield
    finally:
        for group in made:
            _removed(group, root)


def _removed(group: Path, root: Path) -> None:
    for _ in range(50):
        for process in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError, OSError):
                (root / "cgroup.procs").write_text(process)
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.02)
        else:
            return
