"""Founding a home: looks at a place and at what is to be read, writes config.toml once, and changes nothing unasked.

Whatever is asked of the runner has been asked before `write` is called, and `write` replaces one file atomically: who
interrupts finds a home that works, or none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from hamload.digest.outbox import replace_file
from hamload.errors import ConfigurationError, HamloadError, UnreadableError
from hamload.pipeline.intake.putting import limits_of
from hamload.sources import files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.settings import Settings

#: What makes a folder a home, or the start of one.
_MARKS = ("config.toml", "raw", "warehouse.duckdb", "hamload.duckdb", "outbox", "tokens", ".lock")
_DEMO = ".hamload-demo"
#: How many recordings of a source are tried before it is called unreadable.
_TRIED = 20

_OPENING = """\
# Your own settings. What is not here has hamload's defaults; the page "Settings" of the docs has every one.
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a path holds: how many recordings, and one of them in words."""

    recordings: int
    example: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the runner said. None leaves what stands in config.toml, or hamload's default."""

    athlete_id: str
    name: str | None = None
    time_zone: str | None = None
    easy_speed_mps: float | None = None
    folders: tuple[tuple[str, bool], ...] = ()


def check_place(home: Path) -> bool:
    """Return whether a home is there already. Raises ConfigurationError where none can be."""
    if "?" in str(home):
        raise ConfigurationError(f"{home}: DuckDB opens no path with a question mark.", "Name another with --home.")
    if home.exists() and not home.is_dir():
        raise ConfigurationError(f"{home} is a file, not a folder.", "Name a folder with --home.")
    if not home.is_dir():
        above = next((path for path in home.parents if path.exists()), home)
        if not above.is_dir():
            raise ConfigurationError(f"{above} is a file, so that {home} cannot be made.", "Name a folder with --home.")
        return False
    if (home / _DEMO).is_file():
        raise ConfigurationError(f"{home} is the demo's: the next demo overwrites it.", "Name another with --home.")
    there = [path.name for path in home.iterdir()]
    if there and not any(mark in there for mark in _MARKS):
        raise ConfigurationError(f"{home} holds other things already.", "Name a new or an empty folder with --home.")
    return bool(there)


def look(settings: Settings, path: Path, *, may_be_empty: bool = False) -> Looked:
    """List what a path holds, and read one recording of it, the last by name.

    Raises
    ------
    ConfigurationError
        Where nothing is there, or nothing of it can be read.

    """
    path = path.expanduser().absolute()
    found = files.find([path], limits_of(settings))
    claimed = sorted((o for o in found.offers if o.is_claimed), key=lambda offer: offer.name, reverse=True)
    if not claimed:
        if may_be_empty and path.is_dir():
            return Looked(0, "empty until now")
        why = f": {found.refused[0][1]}" if found.refused else "."
        raise ConfigurationError(f"hamload finds no recordings at {path}{why}", "It reads FIT, GPX, TCX and exports.")
    reason = ""
    for offer in claimed[:_TRIED]:
        try:
            return Looked(len(claimed), _in_words(offer.read()))
        except HamloadError as error:
            reason = reason or error.what
    raise ConfigurationError(
        f"Of the {len(claimed)} recordings at {path} hamload has tried {min(_TRIED, len(claimed))} and can read none.",
        f"The last one by name: {reason}",
    )


def _in_words(content: bytes) -> str:
    from hamload.decode import decode, sniff  # noqa: PLC0415  # the readers cost start-up time

    format_ = sniff(content)
    if format_ == "json":
        return "the export's own summary of an activity"
    if format_ not in {"fit", "gpx", "tcx"}:
        raise UnreadableError("This is neither FIT, GPX nor TCX.")
    first = decode(content, format_)[0]
    kilometres = f", {first.distance_m / 1000:.1f} km" if first.distance_m else ""
    return f"{first.sport.value}{kilometres}, {first.start_at:%-d %b %Y}"


def id_of(told: str) -> str:
    """Return a runner's short name. Raises ConfigurationError where it cannot be one."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", told):
        raise ConfigurationError(f"--athlete {told!r} cannot be a short name.", "Use letters, digits, - and _.")
    return told


def speed_of(pace: str) -> float:
    """Return the speed in m/s of a pace in minutes a kilometre, "5:40". Raises ConfigurationError."""
    told = re.fullmatch(r"(\d{1,2}):([0-5]\d)", pace.strip())
    seconds = int(told[1]) * 60 + int(told[2]) if told else 0
    if not 1000 / 7 < seconds < 1000 / 0.5:
        raise ConfigurationError(f"{pace!r} is no pace.", "Write minutes and seconds a kilometre, such as 5:40.")
    return round(1000 / seconds, 3)


def write(home: Path, answers: Answers) -> list[str]:
    """Make the home, its owner's alone, and put the answers into its config.toml. Returns what was changed, in words.

    What stands there already stays, down to its comments. Raises ConfigurationError where it cannot be written.
    """
    path = home / "config.toml"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
        document = tomlkit.parse(old or _OPENING)
        changed = [line for part in (_write_top, _write_athlete, _write_folders) for line in part(document, answers)]
        if changed or not old:
            mode = path.stat().st_mode & 0o777 if old else 0o600
            replace_file(path, tomlkit.dumps(document).encode(), mode)
    except OSError as error:
        raise ConfigurationError(
            f"The home {home} cannot be written: {error.strerror}.",
            "Name a folder that you may write to, with --home or HAMLOAD_HOME.",
        ) from error
    return changed


def _write_top(document: tomlkit.TOMLDocument, answers: Answers) -> list[str]:
    if answers.time_zone is None or document.get("time_zone") == answers.time_zone:
        return []
    document["time_zone"] = answers.time_zone
    return [f'time_zone = "{answers.time_zone}"']


def _write_athlete(document: tomlkit.TOMLDocument, answers: Answers) -> list[str]:
    told = {"name": answers.name, "easy_speed_mps": answers.easy_speed_mps}
    wanted: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
    listed = _tables(document, "athletes")
    entry = next((entry for entry in listed or () if entry.get("id") == answers.athlete_id), None)
    if entry is None:
        if listed is not None or (answers.athlete_id == "me" and not wanted):
            return []
        entry = tomlkit.table()
        entry["id"] = answers.athlete_id
        _append(document, "athletes", entry)
        changed = [f'[[athletes]] id = "{answers.athlete_id}"']
    else:
        changed = []
    for key, value in wanted.items():
        if entry.get(key) != value:
            entry[key] = value
            changed.append(f"{key} = {value!r}")
    return changed


def _write_folders(document: tomlkit.TOMLDocument, answers: Answers) -> list[str]:
    listed = _tables(document, "folders") if answers.folders else None
    changed = []
    for path, reports_rest in answers.folders:
        known = next((entry for entry in listed or () if str(Path(entry.get("path", "")).expanduser()) == path), None)
        if known is not None:
            if known.get("reports_rest", False) != reports_rest:
                known["reports_rest"] = reports_rest
                changed.append(f"reports_rest = {str(reports_rest).lower()} of {path}")
            continue
        entry = tomlkit.table()
        entry["path"] = path
        entry["athlete"] = answers.athlete_id
        entry["reports_rest"] = reports_rest
        _append(document, "folders", entry)
        changed.append(f'[[folders]] path = "{path}"')
    return changed


def _tables(document: tomlkit.TOMLDocument, name: str) -> Sequence[Any] | None:
    listed = document.get(name)
    if listed and not isinstance(listed, tomlkit.items.AoT):
        raise ConfigurationError(f"config.toml: {name} is written as a list.", f"Write each one as [[{name}]].")
    return listed or None


def _append(document: tomlkit.TOMLDocument, name: str, entry: tomlkit.items.Table) -> None:
    if not isinstance(document.get(name), tomlkit.items.AoT):
        document.pop(name, None)
        document.append(name, tomlkit.aot())
    document[name].append(entry)
