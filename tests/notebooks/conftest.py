"""The simulated home that the notebooks open where the user has none, made once; and Chromium."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from hamload import demonstration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in which the simulated home lies: one for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        demonstration.simulated_home(folder / "hamload" / "simulated")
    return folder


@pytest.fixture(scope="session")
def nothing_of_ones_own(cache: Path) -> dict[str, str]:
    """Return the environment of somebody who has no home yet."""
    return os.environ | {"XDG_CACHE_HOME": str(cache), "HAMLOAD_HOME": str(cache / "nothing")}


@pytest.fixture(scope="session")
def simulated(cache: Path) -> Path:
    """Return the simulated home. Read it only."""
    return cache / "hamload" / "simulated"
