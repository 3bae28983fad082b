"""Imports run in one direction: this test is the picture in docs/architecture.md, held against the code."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hamload"
FLOWS = Path(__file__).parents[1] / "flows"

_PURE = {"records", "errors", "parameters", "language"}
ALLOWED: dict[str, set[str]] = {
    "redaction": set(),
    "records": set(),
    "errors": {"redaction"},
    "language": {"errors"},
    "parameters": set(),
    "quantiles": set(),
    "numbers": set(),
    "load": _PURE | {"quantiles"},
    "advice": _PURE | {"quantiles"},
    "merging": _PURE,
    "days": _PURE,
    "sources": _PURE | {"numbers", "redaction"},
    "versions": _PURE,
    "raw": _PURE | {"versions"},
    "journal": _PURE | {"raw"},
    "decode": _PURE | {"load", "numbers"},
    "warehouse": _PURE,
    "agenda": _PURE,
    "charts": _PURE,
    "digest": _PURE,
    "settings": _PURE | {"redaction"},
    "api": _PURE | {"settings", "load", "decode", "warehouse", "charts", "pipeline", "demonstration"},
    "post": _PURE | {"settings", "versions", "redaction"},
    "pipeline": _PURE
    | {"post", "load", "advice", "merging", "days", "journal", "sources", "raw", "decode", "warehouse", "digest"}
    | {"agenda", "settings", "charts", "quantiles", "versions", "redaction"},
    "doctor": _PURE | {"settings", "raw", "versions", "warehouse", "sources", "post", "pipeline"},
    "simulator": _PURE,
    "demonstration": _PURE | {"settings", "pipeline", "sources", "simulator", "raw", "journal", "warehouse", "advice"},
    "cli": _PURE | {"settings", "pipeline", "sources", "demonstration", "doctor", "warehouse", "digest", "redaction"},
    "flows": _PURE | {"settings", "pipeline", "warehouse", "redaction", "leash"},
    "leash": set(),
}
#: The rooms of the pipeline, along the way of the data, and what each stands on.
PIPELINE: dict[str, set[str]] = {
    "noting": set(),
    "intake": {"noting"},
    "setup": {"noting", "intake"},
    "documents": {"noting"},
    "joining": {"documents"},
    "loads": {"noting", "documents", "joining"},
    "counsel": {"intake", "joining"},
    "showing": {"documents", "counsel"},
    "guarding": {"noting", "showing"},
    "answers": {"showing", "guarding"},
    "steps": {"noting", "intake", "documents", "joining", "loads", "counsel", "showing", "guarding", "answers"},
    "order": {"noting", "intake", "answers", "steps"},
}
FILES = [*sorted(SOURCE.rglob("*.py")), *sorted(FLOWS.glob("*.py"))]


def _room(path: Path) -> str:
    return "flows" if path.parent == FLOWS else path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imported_rooms(tree: ast.AST) -> set[str]:
    rooms: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "hamload":
                rooms |= {alias.name for alias in node.names}
            elif node.module.startswith("hamload."):
                rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("hamload.")}
    return rooms


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name if p.parent == FLOWS else p.relative_to(SOURCE).as_posix())
def test_a_room_imports_only_what_stands_before_it(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return
    assert room in ALLOWED, f"{room} is a new room: give it its place in this table"
    assert _imported_rooms(ast.parse(path.read_text(encoding="utf-8"))) - {room} <= ALLOWED[room]


def _imported_within(package: str, tree: ast.AST) -> set[str]:
    rooms: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            rooms |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            rooms.add((node.module or "").removeprefix(f"{package}.").split(".")[0])
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith(f"{package}.")]
            rooms |= {name.removeprefix(f"{package}.").split(".")[0] for name in names}
    return rooms


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "pipeline").rglob("*.py")), ids=lambda p: p.relative_to(SOURCE).as_posix()
)
def test_a_room_of_the_pipeline_imports_only_what_stands_before_it(path: Path) -> None:
    room = path.relative_to(SOURCE / "pipeline").parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in PIPELINE, f"{room} is a new room: give it its place in this table"
    before = list(PIPELINE)[: list(PIPELINE).index(room)]
    assert PIPELINE[room] <= set(before), "imports run in one direction"
    found = _imported_within("hamload.pipeline", ast.parse(path.read_text(encoding="utf-8")))
    assert found - {room} <= PIPELINE[room]


def _reads_environment(tree: ast.AST) -> bool:
    written = {"os.environ.setdefault", "os.environ.update"}
    named = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return "os.getenv" in named or named.count("os.environ") > sum(name in written for name in named)


def test_only_the_settings_read_the_environment() -> None:
    assert _reads_environment(ast.parse('os.environ["X"]'))
    assert not _reads_environment(ast.parse('os.environ.setdefault("X", "1")'))
    reading = {_room(path) for path in FILES if _reads_environment(ast.parse(path.read_text(encoding="utf-8")))}
    assert reading == {"settings"}


def test_the_pure_rooms_touch_no_file_no_clock_and_no_database() -> None:
    forbidden = {"os", "pathlib", "sqlite3", "duckdb", "time", "requests", "httpx", "socket", "random", "logging"}
    for room in ("load", "advice", "merging"):
        for path in (SOURCE / room).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            names |= {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
            assert not names & forbidden, path
            calls = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
            assert not calls & {"now", "today", "utcnow"}, f"{path} reads the clock"


_CLUSTER = {"distributed", "dask", "fsspec", "cloudpickle", "prefect_dask"}


def test_what_only_a_cluster_needs_is_imported_where_a_cluster_is_asked_and_never_at_the_start() -> None:
    rooms = ("cluster", "computing", "shared")
    askers = {"flows/nightly.py", *(f"pipeline/documents/{room}.py" for room in rooms)}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = f"flows/{path.name}" if path.parent == FLOWS else path.relative_to(SOURCE).as_posix()
        for node in ast.walk(tree):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {module.split(".")[0] for module in modules} & _CLUSTER:
                assert name in askers, path
                assert node not in tree.body, f"{path} pays for a cluster that nobody has set"


def test_only_the_flows_import_prefect() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert _room(path) == "flows" or not any(m.split(".")[0] == "prefect" for m in modules), path


def test_the_picture_names_files_that_are_there_and_the_rooms_with_what_they_stand_on() -> None:
    top = SOURCE.parents[1]
    text = (top / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+\.py)`", text))
    assert len(named) > 20
    assert {name for name in named if not (SOURCE / name).is_file() and not (top / name).is_file()} == set()
    told = {
        room: set(re.findall(r"`(\w+)`", stands_on))
        for room, stands_on in re.findall(r"^\| `(\w+)/` \| [^|]+ \|([^|]*)\|$", text, re.MULTILINE)
    }
    assert told == {room: stands_on for room, stands_on in PIPELINE.items() if (SOURCE / "pipeline" / room).is_dir()}
