"""The site builds with no broken link, every page is in its navigation, and nothing that people use is undocumented."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> Iterator[ModuleType]:
    """Import the generator, which stands outside the package."""
    sys.path.insert(0, str(ROOT / "docsite"))
    try:
        yield importlib.import_module("reference")
    finally:
        sys.path.remove(str(ROOT / "docsite"))


@pytest.fixture(scope="module")
def copied(reference: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the docs with the reference pages, so that nothing is written into the checkout."""
    place = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", place / "docs", ignore=shutil.ignore_patterns("reference"))
    shutil.copy(ROOT / "zensical.toml", place)
    reference.write(place / "docs" / "reference")
    return place


def _build(place: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)


def _navigation(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for place in entry.values():
            yield from [place] if isinstance(place, str) else _navigation(place)


def test_the_site_builds_and_a_broken_link_or_anchor_stops_it(copied: Path) -> None:
    done = _build(copied)
    assert done.returncode == 0, done.stdout + done.stderr
    example = (copied / "build" / "site" / "extending.html").read_text(encoding="utf-8")
    assert "covered_until" in example
    assert "Sportswatch cannot be reached" in example, "the worked example is shown, not only named"
    page = copied / "docs" / "glossary.md"
    whole = page.read_text(encoding="utf-8")
    try:
        for broken in ("[x](nowhere.md)", "[x](advice.md#nowhere)"):
            page.write_text(f"{whole}\n{broken}\n", encoding="utf-8")
            assert _build(copied).returncode != 0, broken
    finally:
        page.write_text(whole, encoding="utf-8")


def test_the_site_loads_nothing_from_elsewhere(copied: Path) -> None:
    assert _build(copied).returncode == 0
    for page in (copied / "build" / "site").glob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text()
        )
        assert loaded == [], page.name


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page(copied: Path) -> None:
    listed = list(_navigation(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]))
    there = {path.relative_to(copied / "docs").as_posix() for path in (copied / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(there)


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [place for place in re.findall(r"\]\(([^)#]+)", text) if "://" not in place]
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_command_option_setting_coefficient_and_column_is_documented(reference: ModuleType) -> None:
    commands = reference.commands()
    for name in ("hamload init", "hamload doctor", "hamload sessions exclude", "hamload log tightness"):
        assert f"## {name}\n" in commands
    assert "`--verify`" in commands
    assert "max_night_age_h" in reference.settings_page()
    assert "| `easy_exponent` |" in reference.coefficients()
    tables = reference.tables()
    for column in ("load_efm", "acwr_uncoupled", "is_failing", "curl_repetitions"):
        assert f"| `{column}` |" in tables


@pytest.mark.parametrize(
    "spoil",
    [
        lambda module: module.described("[mail]\nhost = 1\n"),
        lambda module: module.described("# What it is.\n[mail]\nhost = 1\n\nport = 1\n"),
        lambda module: module._coefficient("model.demand.x", {"value": 1, "kind": "E", "source": " "}),
        lambda module: module._coefficient("model.demand.x", {"value": 1, "source": "x"}),
    ],
)
def test_what_is_not_documented_is_refused(reference: ModuleType, spoil: Any) -> None:
    with pytest.raises(reference.UndocumentedError):
        spoil(reference)


def test_a_column_and_an_option_without_a_word_are_refused(
    reference: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hamload import warehouse  # noqa: PLC0415  # spoiled by this test alone

    told = warehouse.comments
    monkeypatch.setattr(warehouse, "comments", lambda con, sql: _without(told(con, sql), "marts.weeks", "massages"))
    with pytest.raises(reference.UndocumentedError, match=r"marts\.weeks\.massages"):
        reference.marts()

    bare = SimpleNamespace(
        param_type_name="option", opts=["--bare"], secondary_opts=[], is_flag=True, metavar=None, help=None
    )
    with pytest.raises(reference.UndocumentedError, match="--bare has no help"):
        reference._parameter("hamload x", bare)


def _without(told: dict[str, dict[str, str]], table: str, column: str) -> dict[str, dict[str, str]]:
    return {name: {c: t for c, t in words.items() if (name, c) != (table, column)} for name, words in told.items()}


def test_every_variable_that_settings_or_sources_read_is_in_the_example(reference: ModuleType) -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "src" / "hamload").rglob("*.py"))
    # What Garmin calls its own application is no variable.
    read = set(re.findall(r'"((?:HAMLOAD|GARMIN|STRAVA)_[A-Z_]+)"', code)) - {"GARMIN_CONNECT_MOBILE_ANDROID_DI"}
    known = {name.removesuffix("_FILE") for name in reference.variables()}
    assert {name for name in read if name.removesuffix("_FILE") not in known} == set()
