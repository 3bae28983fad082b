"""Prefect's own harness, for one module at a time: its threads draw random numbers, which unsettles property tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hamload import settings


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the harness keeps what Prefect writes."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def harness(prefect_home: Path, migrated: Path) -> Iterator[None]:
    """Give Prefect a server and a database of its own for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.prefect_environment(prefect_home).items():
            patch.setenv(name, value)
        from prefect.testing import utilities  # noqa: PLC0415  # reads the environment on import

        place = prefect_home / "database"
        place.mkdir()
        shutil.copyfile(migrated, place / "prefect-test.db")
        # The harness asks for an empty folder, and would migrate a new database in it.
        patch.setattr(utilities, "mkdtemp", lambda: str(place))
        with utilities.prefect_test_harness(server_startup_timeout=180):
            yield
