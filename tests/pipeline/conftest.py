"""Homes for the tests of the steps: an empty one, and one that holds a simulated runner's year."""

import datetime as dt
from pathlib import Path

import pytest

from hamload import pipeline, settings
from hamload.settings import Settings
from hamload.simulator import SimulatedRunner, write_year

LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Return the settings of an empty home whose days are those of Recife."""
    return settings_of(tmp_path / "home", 'time_zone = "America/Recife"')


@pytest.fixture(scope="session")
def simulated_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of a simulated runner's year of FIT files."""
    folder = tmp_path_factory.mktemp("year")
    write_year(SimulatedRunner(), folder, LAST_DAY, 365)
    return folder


@pytest.fixture(scope="session")
def simulated_home(simulated_year: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a home that holds the simulated year, assessed. Read it only."""
    current = settings_of(tmp_path_factory.mktemp("simulated") / "home", 'time_zone = "Europe/Vienna"')
    with pipeline.exclusive(current):
        pipeline.put_files(current, [simulated_year], "me", NIGHT, through=LAST_DAY)
        pipeline.refresh(current, LAST_DAY)
    return current


def settings_of(home: Path, config: str) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(config)
    return settings.load(home)
