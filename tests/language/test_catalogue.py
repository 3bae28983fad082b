"""All text stands in one place: every sentence has a template in the catalogue, and none is written past it."""

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from hamload.language import Language, text

SOURCE = Path(__file__).parents[2] / "src" / "hamload"


def _messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hamload_test_messages", Path(__file__).with_name("messages.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


messages = _messages()
#: What speaks to a runner.
SPEAKING = [
    # logbook reads what the runner types; its sentences are the command line's errors.
    *sorted(p for p in (SOURCE / "advice").rglob("*.py") if p.name != "logbook.py"),
    *sorted((SOURCE / "digest").glob("*.py")),
    # The notebooks' charts are for analysts, in English.
    SOURCE / "charts" / "shared.py",
    SOURCE / "charts" / "reported.py",
    *(SOURCE / "pipeline" / "counsel" / f"{name}.py" for name in ("planning", "withholding")),
    *(p for p in sorted((SOURCE / "pipeline" / "showing").glob("*.py")) if p.name != "reporting.py"),
    *(SOURCE / "cli" / f"{name}.py" for name in ("drawing", "showing")),
]
_TAKERS = {"text", "plural", "marked", "say", "_Chart"}
#: Calls whose words are a command's help, an error with its remedy, a query, or a style.
_OTHER = {"HamloadError", "ConfigurationError", "WarehouseError", "TypeError", "ValueError", "Option", "compile"}
_SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
#: Queries, commands, keys of messages, colours of the terminal.
_SILENT = re.compile(r"\b(select|from|where|order by)\b|^(hamload log |asked for on |bold )")


def _written(node: ast.AST) -> list[tuple[int, str]]:
    """Return the strings that look like sentences and stand in no template, docstring, error, query or help."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []
    if isinstance(node, ast.Constant):
        is_sentence = isinstance(node.value, str) and _SENTENCE.search(node.value) and not _SILENT.search(node.value)
        return [(node.lineno, str(node.value))] if is_sentence else []
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _OTHER:
            return []
        if name in _TAKERS:
            children = [child for child in children if not isinstance(child, ast.Constant)]
    return [found for child in children for found in _written(child)]


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_sentence_is_written_past_the_catalogue(path: Path) -> None:
    assert _written(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_watch_itself_sees_a_sentence_that_is_written_past_it() -> None:
    assert _written(ast.parse('told = text("You ran all of the days", n=f"{n}")')) == []
    assert _written(ast.parse('told = "You ran on all of the days"')) == [(1, "You ran on all of the days")]
    assert _written(ast.parse('print(f"You ran far too much in {n} days")')) == [(1, "You ran far too much in ")]


def test_the_catalogue_holds_every_template() -> None:
    """`make messages` brings it up to date."""
    with messages.POT.open("rb") as file:
        kept = {m.id if isinstance(m.id, tuple) else (m.id,) for m in read_po(file) if m.id}
    assert kept == {tuple(message) for message in messages.extracted()}


def test_a_translation_with_a_wrong_field_falls_back_to_english(tmp_path: Path) -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("the spike is old enough (from {until:day} on)", "alt genug (ab {wann:day})")
    path = tmp_path / "de" / "LC_MESSAGES" / "hamload.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)
    told = text("the spike is old enough (from {until:day} on)", until="2026-05-04")
    assert Language("de", catalogues=[tmp_path]).say(told) == "the spike is old enough (from Montag, 4. Mai on)"
