"""What lies on the disk is data: nothing that is read from there can say what is to be run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "flows").glob("*.py"))]
#: Its own child reads from its own pipe, never from a file: the order to renew a token. And a flow tells Dask to send
#: its code to the workers of the runner's own cluster; it reads nothing.
_PIPED = {
    "src/hamload/sources/strava_access.py": ("pickle", {"pickle.dumps(", "pickle.loads(sys.stdin.buffer.read())"}),
    "flows/nightly.py": ("cloudpickle", {"cloudpickle.register_pickle_by_value("}),
}
#: A source of the runner's own is code: they named its file in their config.toml.
_OWN = "src/hamload/pipeline/intake/own.py"
_UNSAFE = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle", "jsonpickle"}


def _calls(tree: ast.AST) -> list[str]:
    return [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _imported(tree: ast.AST) -> set[str]:
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_read_from_the_disk_is_unpickled_or_evaluated(path: Path) -> None:
    name, tree = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
    unsafe = {module.split(".")[0] for module in _imported(tree)} & _UNSAFE
    if name in _PIPED:
        module, allowed = _PIPED[name]
        assert unsafe == {module}
        for call in _calls(tree):
            if call.startswith(f"{module}."):
                assert call.startswith(tuple(allowed)), call
    else:
        assert unsafe == set()
    for call in _calls(tree):
        assert "allow_pickle" not in call, call
        if name == _OWN and call.startswith("exec(loader."):
            continue
        assert not call.startswith(("eval(", "exec(", "yaml.load(", "yaml.unsafe_load(", "np.load(")), call


def test_markup_is_read_by_the_one_parser_that_refuses_entities() -> None:
    """`decode/xml_events.py`: every document goes through it, whatever the library of the day offers."""
    parsers = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for module in _imported(ast.parse(path.read_text(encoding="utf-8")))
        if module.split(".")[0] in {"xml", "lxml", "bs4", "defusedxml", "gpxpy", "pyexpat"}
    }
    assert parsers == {"src/hamload/decode/xml_events.py"}
