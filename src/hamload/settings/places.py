"""Where things lie: a home, what ships with hamload, and what can be made again at any time."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Literal

import platformdirs

from hamload.errors import ConfigurationError


def shipped(folder: Literal["config", "sql", "flows", "notebooks"]) -> Path:
    """Return a folder that ships with hamload: inside the package when installed, at the top of a checkout."""
    inside = Path(str(files("hamload"))) / folder
    return inside if inside.is_dir() else Path(str(files("hamload"))).parents[1] / folder


def home_folder(home: Path | None = None) -> Path:
    """Return the home: the argument, else HAMLOAD_HOME, else the platform's user-data folder.

    Raises ConfigurationError where no folder can have that name, or DuckDB could not open a file in it.
    """
    named = os.environ.get("HAMLOAD_HOME")
    chosen = home or (Path(named) if named else Path(platformdirs.user_data_dir("hamload", appauthor=False)))
    folder = chosen.expanduser().absolute()
    try:
        str(folder).encode()
        os.lstat(folder)
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"The home {os.fsencode(folder)!r} has a name that is not UTF-8, which DuckDB cannot open.",
            "Rename that folder, or name another one with --home or HAMLOAD_HOME.",
        ) from None
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # it may be made, or what is made of it tells
    except OSError as error:
        raise ConfigurationError(
            f"There can be no home {str(folder)[:80]}...: {error.strerror}.",
            "Name a folder with --home or HAMLOAD_HOME.",
        ) from None
    return folder


def cache_folder() -> Path:
    """Return where things may lie that can be made again at any time."""
    return Path(platformdirs.user_cache_dir("hamload", appauthor=False)).absolute()
