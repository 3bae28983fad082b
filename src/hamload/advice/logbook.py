"""What a runner may log, read strictly: words in, the content of a journal entry out.

A typo is refused with what is possible; nothing is guessed.

The same kinds are read from the titles and notes of activities (`said`), where only what is unmistakable counts.
"""

from __future__ import annotations

import datetime as dt
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from hamload.advice.flags import FLAGS
from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

type Content = dict[str, Any]

#: The kinds of the journal that this room understands, in the order in which they are explained.
KINDS = ("tightness", "soreness", "curls", "test", "massage", "flag", "cleared", "note", "ack")
SIDES = ("left", "right", "both")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: The scale's own end.
_TEN = 10
#: Before any watch recorded a run.
_FIRST_YEAR = 1990
_MOST_SETS, _MOST_REPETITIONS, _MOST_SECONDS = 10, 50, 15
_DOSE = re.compile(r"(\d{1,2})\s*[x×*]\s*(\d{1,3})", re.IGNORECASE)  # noqa: RUF001  # people type all three


def tightness(level: str, side: str = "") -> Content:
    """Read how tight the hamstrings are, 0 (not at all) to 10. Raises ConfigurationError."""
    if side and side not in SIDES:
        raise ConfigurationError(f"--side {side}: no such side.", f"Choose one of: {', '.join(SIDES)}.")
    return {"level": _level("tightness", level), "side": side or None}


def soreness(level: str) -> Content:
    """Read how sore the hamstrings are, 0 to 10. Raises ConfigurationError."""
    return {"level": _level("soreness", level)}


def curls(dose: str, rpe: str = "", lowering_s: int | None = None, *, is_single_leg: bool = False) -> Content:
    """Read a curl session, sets x repetitions, with its effort where told ("2x8 @8" too). Raises ConfigurationError."""
    dose, at, effort_told = (part.strip() for part in dose.partition("@"))
    if at and (rpe or not effort_told):
        raise ConfigurationError(f"curls {dose} @{effort_told}: which effort is it?", "Write it once: 2x8 @8.")
    rpe = rpe or effort_told
    found = _DOSE.fullmatch(dose.strip())
    if not found:
        raise ConfigurationError(f"curls {dose}: this is no dose.", "Write sets x repetitions, for instance: 2x8.")
    sets, repetitions = int(found[1]), int(found[2])
    if not (1 <= sets <= _MOST_SETS and 1 <= repetitions <= _MOST_REPETITIONS):
        raise ConfigurationError(
            f"curls {dose}: from 1x1 to {_MOST_SETS}x{_MOST_REPETITIONS} can be logged.",
            "Write sets x repetitions, for instance: 2x8.",
        )
    if lowering_s is not None and not 1 <= lowering_s <= _MOST_SECONDS:
        raise ConfigurationError(f"--lowering-s {lowering_s}: from 1 to {_MOST_SECONDS} seconds.", "For instance: 3.")
    effort = _level("--rpe", rpe) if rpe else None
    if effort == 0:
        raise ConfigurationError("--rpe 0: an effort is from 1 to 10.", "Leave it out where you do not know it.")
    return {
        "sets": sets,
        "repetitions": repetitions,
        "rpe": effort,
        "is_single_leg": is_single_leg,
        "lowering_s": lowering_s,
    }


def curls_line(text: str) -> Content:
    """Read a curl session from one line, "2x8 @8". Raises ConfigurationError."""
    return curls(text)


def capacity_test(repetitions: str) -> Content:
    """Read a capacity test: repetitions up to an effort of 8/10. Raises ConfigurationError."""
    if not repetitions.isascii() or not repetitions.isdigit() or not 0 <= int(repetitions) <= 2 * _MOST_REPETITIONS:
        raise ConfigurationError(
            f"test {repetitions}: this is no number of repetitions.",
            f"Count them up to an effort of 8/10: 0 to {2 * _MOST_REPETITIONS}.",
        )
    return {"repetitions": int(repetitions)}


def flag(name: str) -> Content:
    """Read the name of a red flag. Raises ConfigurationError with the list."""
    if name not in FLAGS:
        near = get_close_matches(name, FLAGS, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise ConfigurationError(f"{name}: no such red flag.", f"{hint}There are: {', '.join(FLAGS)}.")
    return {"name": name}


def note(text: str) -> Content:
    """Read a note. Raises ConfigurationError where it says nothing."""
    told = " ".join(text.split())
    if not told:
        raise ConfigurationError("note: there is nothing in it.", 'For instance: hamload log note "new shoes".')
    return {"text": told}


def day(text: str, today: dt.date) -> dt.date:
    """Read the day an entry speaks of: YYYY-MM-DD, today, yesterday, or a weekday (the last one, today included).

    Raises ConfigurationError; a day to come is refused too.
    """
    word = text.strip().lower()
    if word in {"", "today"}:
        return today
    if word == "yesterday":
        return today - dt.timedelta(days=1)
    if (weekday := weekday_of(word)) is not None:
        return today - dt.timedelta(days=(today.weekday() - weekday) % 7)
    try:
        date = dt.date.fromisoformat(word)
    except ValueError:
        raise ConfigurationError(
            f"--on {text}: this is no day.", "Write YYYY-MM-DD, yesterday, or a weekday such as tue."
        ) from None
    if date.year < _FIRST_YEAR:
        raise ConfigurationError(f"--on {text}: no run is that old.", "Look at the year again.")
    if date > today:
        raise ConfigurationError(f"--on {text}: that day is still to come.", "Log it when it is there.")
    return date


def weekday_of(word: str) -> int | None:
    """Return a weekday's number, Monday 0, from its name or its first three letters; None for any other word."""
    shortest = 3
    return next((i for i, name in enumerate(WEEKDAYS) if len(word) >= shortest and name.startswith(word)), None)


def told(kind: str, content: Content) -> str:
    """Return an entry's content in words, as a list shows it."""
    match kind:
        case "tightness" | "soreness":
            side = f", {content['side']}" if content.get("side") else ""
            return f"{content['level']:g}/10{side}"
        case "curls":
            rpe = f" @{content['rpe']:g}" if content.get("rpe") else ""
            lowering = f", lowered in {content['lowering_s']} s" if content.get("lowering_s") else ""
            single = ", single-leg" if content.get("is_single_leg") else ""
            return f"{content['sets']}x{content['repetitions']}{rpe}{single}{lowering}"
        case "test":
            return f"{content['repetitions']} repetitions"
        case _:
            return str(content.get("text") or content.get("name") or content.get("state") or "")


def _level(what: str, text: str) -> float:
    found = re.fullmatch(r"\d{1,2}(\.5|\.0)?", text.strip(), re.ASCII)
    if not found or float(text) > _TEN:
        raise ConfigurationError(f"{what} {text}: this is no level.", "From 0 to 10, halves too, for instance: 4.")
    return float(text)


#: What stands before "curls" when another muscle is meant.
_OTHER_CURLS = frozenset(
    "bicep biceps arm arms hammer preacher barbell dumbbell dumbbells dumbell db bb ez bar wrist cable concentration"  # noqa: SIM905
    " finger nordic nordics reverse zottman spider drag".split()
)
#: None were done: "no curls", "skipped ball curls".
_NONE = re.compile(r"\b(?:no|not|without|skip\w*|missed)(?:\s+\w+)?\s*$", re.IGNORECASE)
_SINGLE = re.compile(r"\b(?:(?:single|one|1)[ -]?leg(?:ged)?|sl)\b", re.IGNORECASE)
#: Before these stands another exercise, whose words are not the curls'. A colon binds ("biceps: curls 3x10").
_APART = re.compile(r"[,;.+&/()\n]|\b(?:and|then|und)\b", re.IGNORECASE)
_SAID_CURLS = re.compile(
    r"\bcurls?\b[ \t:]*(?P<sets>\d{1,2})\s?[x×*]\s?(?P<repetitions>\d{1,2})(?!\d)"  # noqa: RUF001
    r"(?:\s*@\s?(?P<rpe>10|\d(?:\.5)?)(?!\.?\d))?",
    re.IGNORECASE,
)
_SAID_LEVEL = re.compile(
    r"#(?P<kind>tight(?:ness)?|sore(?:ness)?)\s*(?P<level>10|\d(?:\.5)?)(?!\.?\d)(?:\s*(?P<side>left|right|both)\b)?",
    re.IGNORECASE,
)
_SAID_MASSAGE = re.compile(r"#massage\b", re.IGNORECASE)


def said(texts: Sequence[str]) -> list[tuple[str, Content]]:
    """Return the entries that an activity's title and notes hold, as (kind, content).

    `curls 2x8 @8` (single-leg, one-leg or SL where that stands before it), `#tight 4 left`, `#sore 3`, `#massage`. What
    does not fit a scale or names another muscle ("biceps curls") is left alone: a title is no form, and cannot be
    refused.
    """
    found: list[tuple[str, Content]] = []
    for text in texts:
        for match in _SAID_CURLS.finditer(text):
            lead = _APART.split(text[: match.start()])[-1].lower()
            if _NONE.search(lead) or _OTHER_CURLS & set(re.findall(r"[a-z]+", lead)):
                continue
            is_single = _SINGLE.search(lead) is not None
            try:
                content = curls(f"{match['sets']}x{match['repetitions']}", match["rpe"] or "", is_single_leg=is_single)
            except ConfigurationError:
                continue
            found.append(("curls", content))
        for match in _SAID_LEVEL.finditer(text):
            if match["kind"].lower().startswith("tight"):
                found.append(("tightness", tightness(match["level"], (match["side"] or "").lower())))
            else:
                found.append(("soreness", soreness(match["level"])))
        if _SAID_MASSAGE.search(text):
            found.append(("massage", {}))
    unique: list[tuple[str, Content]] = []
    for entry in found:
        if entry not in unique:
            unique.append(entry)
    return unique
