"""The thin edge: writes a digest into the home's outbox. What it says is `render`'s; sending it is another room's."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hamload.digest.render import render_html, render_text
from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.digest.facts import DigestFacts
    from hamload.digest.render import Picture

_ATHLETE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Where one digest lies."""

    text_path: Path
    html_path: Path


def write(outbox: Path, facts: DigestFacts, pictures: Sequence[Picture] = ()) -> OutboxEntry:
    """Write a digest as text and as HTML; a reader finds the old file or the new one, never half a one.

    The name holds the day and the athlete, so that the same digest written again replaces itself with the same bytes.
    Both files are the owner's alone: they speak of somebody's health.

    Raises
    ------
    HamloadError
        Where the athlete's id is no file name, or the outbox cannot be written.

    """
    athlete_id = facts.alert.athlete_id
    if not _ATHLETE_ID.fullmatch(athlete_id):
        raise HamloadError(
            f"The athlete id {athlete_id!r} cannot be part of a file name.",
            "Use letters, digits, - and _ for ids in config.toml.",
        )
    name = f"{facts.as_of.isoformat()}-{athlete_id}-digest"
    entry = OutboxEntry(outbox / f"{name}.txt", outbox / f"{name}.html")
    contents = {entry.text_path: render_text(facts), entry.html_path: render_html(facts, pictures)}
    try:
        outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in contents.items():
            replace_file(path, content.encode("utf-8"))
    except OSError as error:
        raise HamloadError(
            f"The digest cannot be written into {outbox}: {error}.",
            "Free some space there, or mend the folder's rights.",
        ) from error
    return entry


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file, its owner's alone by default; a reader finds the old one or the new one, never half a one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
