"""`docs/torture.md`: each part writes its own section, and leaves those of the others as they are."""

from __future__ import annotations

import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "torture.md"
_HEAD = """# What it survives

<!-- not run: takes up to half an hour each -->
```sh
make torture PART=kills    # 300 kills; SEED= draws others, N= more or fewer
make torture PART=inputs   # 20,000 hostile files
make torture PART=nights   # 365 nights, every fault at one in ten
```

write the sections of this page, and end with an error where one of its sentences does not hold. `make test` holds a few
of each.
"""
_ORDER = ("Kills", "Hostile inputs", "A year of bad nights")


def write(title: str, text: str) -> str:
    """Put a section in its place. Returns it."""
    known = _sections(PAGE.read_text(encoding="utf-8")) if PAGE.is_file() else {}
    known[title] = text.strip() + "\n"
    parts = [f"\n## {name}\n\n{known[name]}" for name in _ORDER if name in known]
    PAGE.write_text(_HEAD + "".join(parts), encoding="utf-8")
    return known[title]


def flowed(text: str) -> str:
    """Return a paragraph in lines."""
    return textwrap.fill(text, 118, break_on_hyphens=False, break_long_words=False) + "\n"


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return a table, its first column words and the others numbers."""
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def _sections(text: str) -> dict[str, str]:
    found = {}
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        found[title] = body.strip() + "\n"
    return found
