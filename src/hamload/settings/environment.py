"""What the environment gives besides the home, secrets above all, and what other processes are given as theirs."""

from __future__ import annotations

import os
from pathlib import Path

from hamload.errors import ConfigurationError
from hamload.redaction import learn
from hamload.settings.places import home_folder


def secret(name: str) -> str:
    """Return a secret from the environment variable `name`, or from the file that `name`_FILE points to; else "".

    Raises ConfigurationError where that file cannot be read.
    """
    if value := os.environ.get(name, ""):
        learn(value, *value.splitlines())
        return value
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return ""
    try:
        value = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The file that {name}_FILE names cannot be read ({type(error).__name__}): {path}.",
            "Mend the variable, or the file's rights.",
        ) from None
    learn(value, *value.splitlines())
    return value


def child_environment(own: dict[str, str]) -> dict[str, str]:
    """Return this process's environment for a child, with what is its own."""
    return {**os.environ, **own}


def prefect_environment(home: Path) -> dict[str, str]:
    """Return the environment in which Prefect keeps to this home: own database, no telemetry, time enough to start.

    Its first start migrates the database, which takes longer than its own 20-second limit allows.
    """
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def notebook_environment(home: Path | None) -> dict[str, str]:
    """Return the environment of a notebook's own process: it finds the same home, and asks nobody for updates."""
    return os.environ | {"HAMLOAD_HOME": str(home_folder(home)), "MARIMO_SKIP_UPDATE_CHECK": "1"}
