"""The reference pages, written from the code itself: commands, settings, coefficients, tables. See `build.py`.

Each refuses what is not documented: an option without help, a setting without a comment, a column without a word.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from typer.main import get_command

from hamload import settings, warehouse
from hamload.cli import app

MADE = "<!-- Written by docsite/reference.py; change the code instead. -->"


_SETTINGS = """\
# Settings

Put into `config.toml` in hamload's home only what differs; `hamload status` says where that is. These are the defaults,
each with what it means. The coefficients and thresholds have [a page of their own](coefficients.md).
"""
_ENVIRONMENT = """\
## Environment

Variables win over `config.toml`. A secret comes from its variable, or from the file that `NAME_FILE` names.
"""
_COEFFICIENTS = """\
# Coefficients and thresholds

**E** is published evidence, **A** our own assumption. Each can be changed in `config.toml` under the same name; what
you change is shown as yours.
"""
_TABLES = """\
# Tables and columns

What `hamload.duckdb` in the home holds for everybody to read, written from the comments in `sql/`; the database carries
the same words (`select * from duckdb_columns()`). `_at` is a moment in UTC, `_date` the runner's own calendar day,
`_efm` easy-flat-minute equivalents. Null is *not known*, never zero.
"""


class UndocumentedError(Exception):
    """Something that people can use is not described where it is defined."""


def commands() -> str:
    """Return the page of every command with its options."""
    lines = [MADE, "# Commands", "", "Written from `hamload --help`. Exit codes: 0 done, 1 done with failures that are"]
    lines += ["listed, 2 unusable arguments or settings. Every command takes `--help`.", ""]
    for name, command in _commands(get_command(app), "hamload"):
        lines += [f"## {name}", "", *_help(name, command), ""]
        rows = [_parameter(name, parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| option | what it does |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    if not children or command.invoke_without_command:
        yield name, command
    for child, below in sorted(children.items()):
        yield from _commands(below, f"{name} {child}")


def _help(name: str, command: Any) -> Iterator[str]:
    text = (command.help or "").strip()
    if not text and name != "hamload":
        raise UndocumentedError(f"{name} has no help")
    for part in text.split("\n\n"):
        plain = re.sub(r"\[/?(?:bold)?\]", "", " ".join(part.split()))
        if plain.startswith("Example"):
            _, _, examples = plain.partition(":")
            yield from ["```text", *(line.strip() for line in examples.split("  |  ")), "```", ""]
        else:
            yield from [_escaped(plain), ""]


def _parameter(name: str, parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    shown = parameter.metavar or parameter.name.upper() if is_argument else ", ".join(_options(parameter))
    told = getattr(parameter, "help", "") or ""
    if not told:
        raise UndocumentedError(f"{name}: {shown} has no help")
    return f"| `{shown.replace('|', '/')}` | {_cell(re.sub(r'\[/?bold\]', '', told))} |"


def _options(parameter: Any) -> list[str]:
    takes = "" if parameter.is_flag else f" {parameter.metavar or '...'}"
    return [f"{option}{takes}" for option in (*parameter.opts, *parameter.secondary_opts)]


def settings_page() -> str:
    """Return the page of every setting of hamload.toml and every variable of the environment."""
    text = (settings.shipped("config") / "hamload.toml").read_text(encoding="utf-8")
    lines = [
        MADE,
        "# Settings",
        "",
        "Put into `config.toml` in hamload's home only what differs; `hamload status` says",
    ]
    lines += [
        "where that is. These are the defaults, each with what it means. Coefficients of the model and thresholds"
    ]
    lines += ["of the advice are [a page of their own](coefficients.md).", ""]
    for title, block in described(text):
        lines += [f"## {title}", "", "```toml", *block, "```", ""]
    lines += [
        "## Environment",
        "",
        "Variables win over `config.toml`. Secrets come from here, or from the file that",
        "",
    ]
    lines += ["`NAME_FILE` names.", "", "| variable | what it does |", "| --- | --- |"]
    lines += [f"| `{name}` | {_cell(told)} |" for name, told in variables().items()]
    return "\n".join(lines) + "\n"


def described(text: str) -> list[tuple[str, list[str]]]:
    """Return hamload.toml in blocks, each with a title. Raises UndocumentedError on a key that no comment speaks of.

    A comment speaks for the keys that follow it without an empty line between, or names them.
    """
    blocks: list[tuple[str, list[str]]] = []
    for block in re.split(r"\n\s*\n", text):
        rows = block.strip().splitlines()
        if not rows or all(row.startswith("#") for row in rows):
            continue
        header = next((row.strip("[]") for row in rows if re.match(r"\[+\w", row)), "")
        comment = " ".join(row for row in rows if row.startswith("#"))
        seen = False
        for row in rows:
            seen = seen or row.startswith("#")
            key = row.partition("=")[0].strip()
            if re.match(r"\w+ *=", row) and not seen and key not in comment:
                raise UndocumentedError(f"hamload.toml: {header or 'top'}: {key} has no comment")
        title = f"[{header}]" if header else rows[-1].partition("=")[0].strip()
        blocks.append((title, rows))
    return blocks


def variables() -> dict[str, str]:
    """Return every variable of config/example.env with what it does."""
    found: dict[str, str] = {}
    told: list[str] = []
    for row in (settings.shipped("config") / "example.env").read_text(encoding="utf-8").splitlines():
        if name := re.match(r"#?([A-Z][A-Z0-9_]+)=", row):
            if not told and not found:
                raise UndocumentedError(f"example.env: {name[1]} has no comment")
            found[name[1]] = " ".join(told) or list(found.values())[-1]
        elif row.startswith("# "):
            told = [*told, row.removeprefix("# ")]
        else:
            told = []
    return found


def coefficients() -> str:
    """Return the page of every coefficient and threshold, with its kind and what it rests on."""
    lines = [
        MADE,
        "# Coefficients and thresholds",
        "",
        "**E** is published evidence, **A** our own assumption. Each can be",
    ]
    lines += ["changed in `config.toml` under the same name; whatever you change is shown as yours.", ""]
    for name, title in (("model", "The load model"), ("alerts", "The advice"), ("merging", "Copies and doubts")):
        table = tomllib.loads((settings.shipped("config") / f"{name}.toml").read_text(encoding="utf-8"))
        lines += [f"## {title}", ""]
        for section, rows in table.items():
            lines += [f"### [{name}.{section}]", "", "| name | value | kind | rests on |", "| --- | ---: | --- | --- |"]
            lines += [_coefficient(f"{name}.{section}.{key}", row) for key, row in rows.items()]
            lines.append("")
    return "\n".join(lines)


def _coefficient(name: str, row: Mapping[str, Any]) -> str:
    if row.get("kind") not in {"E", "A"} or not str(row.get("source", "")).strip():
        raise UndocumentedError(f"{name} has no kind or no source")
    return f"| `{name.rpartition('.')[2]}` | {row['value']:g} | {row['kind']} | {_cell(str(row['source']))} |"


def tables() -> str:
    """Return the page of every table and column of `marts`, from the comments in `sql/`."""
    lines = [MADE, "# Tables and columns", "", "What `hamload.duckdb` in the home holds for everybody to read, written"]
    lines += [
        "from the comments in `sql/`; the database carries the same words (`select * from duckdb_columns()`).",
        "",
    ]
    lines += [
        "`_at` is a moment in UTC, `_date` the runner's own calendar day, `_efm` easy-flat-minute equivalents. Null"
    ]
    lines += ["is *not known*, never zero.", ""]
    for table, columns in marts().items():
        lines += [f"## {table}", "", _escaped(columns[""]), "", "| column | type | what it is |", "| --- | --- | --- |"]
        lines += [f"| `{name}` | {_kind(kind)} | {_cell(told)} |" for name, (kind, told) in columns["columns"].items()]
        lines.append("")
    return "\n".join(lines)


def marts() -> dict[str, Any]:
    """Return each table of marts: its description, and its columns' types and descriptions.

    Raises UndocumentedError on a table or a column that sql/ says nothing of.
    """
    sql = settings.shipped("sql")
    with duckdb.connect() as con:
        con.execute((sql / "landing" / "tables.sql").read_text(encoding="utf-8"))
        warehouse.build(con, sql, ["staging"])
        built = warehouse.build(con, sql, ["marts"])
        told = warehouse.comments(con, sql)
        found: dict[str, Any] = {}
        for table in sorted(built):
            columns = {}
            for name, kind, *_ in con.execute(f"describe {table}").fetchall():
                if not (words := told.get(table, {}).get(name, "").strip()):
                    raise UndocumentedError(f"{table}.{name} has no comment in sql/marts/{table.partition('.')[2]}.sql")
                columns[name] = (kind, words)
            if not told[table].get(""):
                raise UndocumentedError(f"{table}: its file does not begin with what it is")
            found[table] = {"": told[table][""], "columns": columns}
    return found


def _kind(kind: str) -> str:
    return {"TIMESTAMP WITH TIME ZONE": "timestamptz"}.get(kind, kind.lower())


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _escaped(text: str) -> str:
    return re.sub(r"(?<!`)([<>*_\[\]])(?![^`]*`)", r"\\\1", text)


PAGES = {"commands": commands, "settings": settings_page, "coefficients": coefficients, "tables": tables}


def write(folder: Path) -> None:
    """Write every reference page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")
