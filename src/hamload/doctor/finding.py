"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether anything has to be done."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, in a sentence, and the command (or the one step) that mends it."""

    name: str
    level: Level
    says: str
    remedy: str = ""


def ok(name: str, says: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding(name, Level.OK, says)


def note(name: str, says: str, remedy: str = "") -> Finding:
    """Return something that one should know, and that stops nothing."""
    return Finding(name, Level.NOTE, says, remedy)


def wrong(name: str, says: str, remedy: str) -> Finding:
    """Return something that has to be mended."""
    return Finding(name, Level.WRONG, says, remedy)
