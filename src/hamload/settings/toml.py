"""Reads a file of TOML, lays one table over another, and says what is wrong with either."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError


def read(path: Path) -> dict[str, Any]:
    """Return what a file holds. Raises ConfigurationError naming the file and the remedy."""
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{path} is not a file.", "Remove it, or write your settings into a file there.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", "Mend that line, or remove the file.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"{path} cannot be read: {why}.", "Check the file and its rights.") from None


def laid_over(table: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the table with the runner's own values in it; a sub-table keeps what they do not name."""
    merged = table | own
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            merged[key] = table[key] | value
    return merged


def invalid(error: ValidationError, own_file: str) -> ConfigurationError:
    """Return the first thing that is wrong, with its file and key, as an error of ours."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return ConfigurationError(f"{own_file}: {where}: {first['msg']} (got {first['input']!r}).", "Mend that value.")
