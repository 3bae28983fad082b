"""Time zones: by name, of a home, and of this machine."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from hamload.errors import ConfigurationError
from hamload.settings.toml import read


def time_zone_source(home: Path) -> str:
    """Return where the time zone of a home comes from, "guess" where nobody and nothing has named one."""
    if os.environ.get("HAMLOAD_TIME_ZONE"):
        return "HAMLOAD_TIME_ZONE"
    own_file = home / "config.toml"
    if own_file.is_file() and read(own_file).get("time_zone"):
        return "config.toml"
    return "this machine" if _told_time_zone() else "guess"


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone. Raises ConfigurationError where there is none of that name."""
    check_zone(name, "time zone")
    return ZoneInfo(name)


def check_zone(name: str, own_file: str) -> None:
    """Raise ConfigurationError, naming where it was said, where there is no time zone of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), n=2)
        hint = f"Did you mean {', '.join(near)}?" if near else 'Use a name such as "Europe/Vienna".'
        raise ConfigurationError(f"{own_file}: {name!r} is no time zone.", hint) from None


def machine_time_zone() -> str:
    """Return the machine's time zone, UTC where it does not tell."""
    return _told_time_zone() or "UTC"


def _told_time_zone() -> str:
    link = Path("/etc/localtime")
    if link.is_symlink():
        target = str(link.readlink())
        if "zoneinfo/" in target:
            return target.rsplit("zoneinfo/", maxsplit=1)[-1]
    named = Path("/etc/timezone")
    told = named.read_text(encoding="utf-8", errors="replace").strip() if named.is_file() else ""
    return told if told in available_timezones() else ""
