"""Plain text that stays in its place: foreign strings made harmless, measured in columns, cut, wrapped, set in tables.

Titles come from watches and web forms: they may hold line breaks, terminal escapes, invisible marks that turn the
reading direction, or ten thousand characters. Pure: strings in, strings out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from hamload.language import NBSP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Width of a page of text, in columns.
COLUMNS = 72
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# ECMA-48: a whole control sequence or string goes, not only its first character. A string may lack its terminator.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_EMOJI_STYLE = "\N{VARIATION SELECTOR-16}"
#: Marks on one character: scripts need up to four, more only climb over the neighbouring lines.
_MOST_MARKS = 4
#: A cut goes back to the last space if that costs no more than this share of the room.
_WORD_SHARE = 1 / 3
_ISOLATES = "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}"
_LETTER = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
_RIGHT_TO_LEFT = re.compile(f"{_LETTER}+(?:[\\W\\d_]+{_LETTER}+)*")
_UNITS = re.compile(r"(?<=\d) (?=(?:%|km|mi|mph|m/s|min|h|EFM)(?![\w/]))")


def clean(text: str) -> str:
    """Return the text as one line of printable characters.

    Control characters, terminal escapes, direction overrides, lone surrogates and noncharacters go; line breaks, tabs
    and runs of blanks become one space. Joiners inside words stay: Persian and emoji are written with them.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", _ESCAPES.sub("", text)):
        if character.isspace() or unicodedata.category(character) in {"Zl", "Zp"}:
            character = " "  # noqa: PLW2901 - every kind of blank is one blank from here on
        elif not _is_printable(character):
            continue
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return " ".join("".join(kept).split()).strip(_JOINERS + " ")


def glued(text: str) -> str:
    """Return the text with numbers held to their units, so that no line ends between them."""
    return _UNITS.sub(NBSP, text)


def isolated(text: str) -> str:
    """Return the text with what is written from right to left isolated (UAX 9): it cannot reorder numbers beside it."""
    return _RIGHT_TO_LEFT.sub("\N{FIRST STRONG ISOLATE}\\g<0>\N{POP DIRECTIONAL ISOLATE}", text)


def width(text: str) -> int:
    """Return how many terminal columns the text takes: 2 for wide characters, 0 for marks."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def shorten(text: str, columns: int, *, keep_end: bool = False) -> str:
    """Return the text within so many columns, an ellipsis standing for what was cut.

    Cut after a word where one ends near enough, and never through a character made of several. `keep_end` cuts in the
    middle instead: for a sentence that quotes something long, its end says what it means.
    """
    if width(text) <= columns:
        return text
    if keep_end:
        tail = _head(_clusters(text)[::-1], (columns - 1) // 3)[::-1]
        head = _head(_clusters(text), columns - 1 - sum(width(c) for c in tail))
        return f"{''.join(head).rstrip()}{ELLIPSIS}{''.join(tail).lstrip()}"
    head_text = "".join(_head(_clusters(text), columns - 1))
    at_word = head_text.rsplit(" ", 1)[0]
    if width(at_word) >= (columns - 1) * (1 - _WORD_SHARE):
        head_text = at_word
    return f"{head_text.rstrip(' ,;:-')}{ELLIPSIS}"


def wrap(text: str, indent: str = "", hanging: str | None = None, *, columns: int = COLUMNS, split: bool = True) -> str:
    """Return the text in lines of at most so many columns, the first after `indent`, the others after `hanging`.

    Lines break at blanks (never at a no-break space). A word that is wider than a line is split unless `split` is
    False, as for a command that someone is to copy.
    """
    hanging = indent if hanging is None else hanging
    lines, line, is_empty = [], indent, True
    for word in text.split(" "):
        for piece in _pieces(word, columns - max(width(indent), width(hanging))) if split else [word]:
            if not is_empty and width(line) + 1 + width(piece) > columns:
                lines.append(line)
                line, is_empty = hanging, True
            line += piece if is_empty else f" {piece}"
            is_empty = False
    return "\n".join([*lines, line])


def table(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """Return rows set in columns of the given widths: the first column to the left, the others to the right.

    What does not fit its column pushes the row rather than being cut: a number must never lose a digit.
    """
    lines = (
        "".join(_padding(row[at], columns, is_left=at == 0) for at, columns in enumerate(widths)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one row as `table` does, but with the last column alone to the right."""
    last = len(cells) - 1
    return "".join(
        _padding(cell, room, is_left=at < last) for at, (cell, room) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def padded(text: str, columns: int) -> str:
    """Return the text with blanks behind it up to so many columns."""
    return _padding(text, columns, is_left=True)


def _padding(cell: str, columns: int, *, is_left: bool) -> str:
    blanks = " " * max(columns - width(cell), 0)
    return cell + blanks if is_left else f" {blanks[1:]}{cell}"


def _pieces(word: str, columns: int) -> Iterator[str]:
    clusters = _clusters(word)
    while sum(width(c) for c in clusters) > columns:
        head = _head(clusters, columns) or clusters[:1]
        yield "".join(head)
        clusters = clusters[len(head) :]
    yield "".join(clusters)


def _head(clusters: Sequence[str], columns: int) -> list[str]:
    head: list[str] = []
    room = columns
    for cluster in clusters:
        room -= width(cluster)
        if room < 0:
            break
        head.append(cluster)
    return head


def _clusters(text: str) -> list[str]:
    """Split into what a reader takes for characters: a base with its marks, joined emoji, flags, skin tones."""
    clusters: list[str] = []
    for character in text:
        if clusters and _continues(clusters[-1], character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _continues(cluster: str, character: str) -> bool:
    return (
        _is_mark(character)
        or (cluster[-1] == _JOINERS[1] and not character.isspace())
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or (len(cluster) == 1 and _is_flag_letter(cluster) and _is_flag_letter(character))
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_mark(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) in {"Mn", "Me"}


def _is_printable(character: str) -> bool:
    point = ord(character)
    is_noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF  # noqa: PLR2004 - Unicode 23.7
    return character in _JOINERS or not (is_noncharacter or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"})


def _width(character: str) -> int:
    if character == _EMOJI_STYLE:
        return 1
    if _is_mark(character) or character in _ISOLATES:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
