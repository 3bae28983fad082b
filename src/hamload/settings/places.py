"""Where things lie: a home, what ships with hamload, and what can be made again at any time."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Literal

import platformdirs


def shipped(folder: Literal["config", "sql", "flows", "notebooks"]) -> Path:
    """Return a folder that ships with hamload: inside the package when installed, at the top of a checkout."""
    inside = Path(str(files("hamload"))) / folder
    return inside if inside.is_dir() else Path(str(files("hamload"))).parents[1] / folder


def home_folder(home: Path | None = None) -> Path:
    """Return the home: the argument, else HAMLOAD_HOME, else the platform's user-data folder."""
    named = os.environ.get("HAMLOAD_HOME")
    chosen = home or (Path(named) if named else Path(platformdirs.user_data_dir("hamload", appauthor=False)))
    return chosen.expanduser().absolute()


def cache_folder() -> Path:
    """Return where things may lie that can be made again at any time."""
    return Path(platformdirs.user_cache_dir("hamload", appauthor=False)).absolute()
