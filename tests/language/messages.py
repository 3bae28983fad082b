"""Reads every template of a sentence out of the source, as `make messages` does, and makes a language of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src" / "hamload"
POT = SOURCE / "language" / "catalogue" / "hamload.pot"
#: The functions that take a template, and where in their arguments it stands.
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "text": None,
    "marked": None,
    "say": None,
    "_": None,
    "plural": (1, 2),
    "ngettext": (1, 2),
}
_METHODS = [("**.py", "python"), ("**.j2", "jinja2")]
#: What only the demo and the tests say.
_SILENT = ("simulator", "demonstration")
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTED = "àƀçďéƒğħîĵķľḿñôþɋŕšţûṽŵẋýžÀƁÇĎÉƑĞĦÎĴĶĽḾÑÔÞɊŔŠŢÛṼŴẊÝŽ"
_OTHER = str.maketrans(_PLAIN, _ACCENTED)


def extracted() -> Iterator[tuple[str, ...]]:
    """Yield each template in the source: alone, or with its plural."""
    for name, _, message, _, _ in extract_from_dir(SOURCE, _METHODS, keywords=KEYWORDS):
        if name.startswith(_SILENT):
            continue
        if message:
            yield tuple(message) if isinstance(message, tuple | list) else (message,)


def accented(template: str) -> str:
    """Return a template with an accent on every letter, its fields as they are: what nobody translated stays plain."""
    return "".join(
        part if part.startswith("{") else part.translate(_OTHER) for part in re.split(r"(\{[^}]*\})", template)
    )


def write_accented(folder: Path, locale: str) -> None:
    """Write a translation in which every sentence has accents."""
    catalogue = Catalog(locale=locale, domain="hamload")
    for message in extracted():
        spoken = tuple(accented(one) for one in message)
        many = (
            spoken * catalogue.num_plurals
            if len(spoken) == 1
            else (spoken[0], *spoken[1:] * (catalogue.num_plurals - 1))
        )
        catalogue.add(message if len(message) > 1 else message[0], many if len(message) > 1 else spoken[0])
    path = folder / locale / "LC_MESSAGES" / "hamload.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)


def write_template(path: Path = POT) -> None:
    """Write the catalogue that translators begin from: every template, in the order of the alphabet."""
    catalogue = Catalog(project="hamload", domain="hamload")
    for message in extracted():
        catalogue.add(message if len(message) > 1 else message[0], flags=["python-brace-format"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, omit_header=True, no_location=True, sort_output=True)


if __name__ == "__main__":
    write_template()
