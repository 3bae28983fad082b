"""What is shipped: a wheel that works without the repository."""

import datetime as dt
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from hamload.simulator import SimulatedRunner, write_year

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_sql_config_flows_and_templates_under_the_packages_own_name(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, ending in (("sql", "*.sql"), ("config", "*.toml"), ("flows", "*.py"), ("notebooks", "*.py")):
        shipped = {f"hamload/{folder}/{p.relative_to(ROOT / folder).as_posix()}" for p in (ROOT / folder).rglob(ending)}
        assert shipped
        assert shipped <= names
    assert "hamload/digest/templates/digest.html.j2" in names
    assert "hamload/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "bench", "config/", "sql/"))]


@pytest.mark.slow
def test_an_installed_wheel_leads_to_a_first_status_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    """The wheel alone in an environment of its own; what it needs is lent by this one, so that no network is asked."""
    place = tmp_path / "an environment"
    hamload = _environment(place, "--no-deps", "--no-index", str(wheel), uv=ROOT / ".tools" / "bin" / "uv")
    lent = place.glob("lib/python*/site-packages")
    # A path in a .pth file adds a folder, and not what its own .pth files name: the checkout stays out.
    (next(lent) / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    write_year(SimulatedRunner(), tmp_path / "runs", dt.date(2026, 11, 22), 30)
    asked = ["-c", "import hamload; print(hamload.__file__)"]
    assert str(tmp_path) in _run([str(hamload.with_name("python")), *asked], tmp_path)
    home = tmp_path / "home"
    told = _run([str(hamload), "init", "--yes", "--home", str(home), "--import", str(tmp_path / "runs")], tmp_path)
    assert "days known" in told
    assert "hamload for me" in _run([str(hamload), "digest", "--preview", "--home", str(home)], tmp_path)
    assert "checks hold" in _run([str(hamload), "doctor", "--verify", "--home", str(home)], tmp_path)


@pytest.mark.slow
@pytest.mark.skipif("HAMLOAD_WHOLE_WHEEL" not in os.environ, reason="two minutes and a package index: make wheel")
def test_the_wheel_and_what_pip_fetches_for_it_run_the_demo(wheel: Path, tmp_path: Path) -> None:
    hamload = _environment(tmp_path / "environment", str(wheel))
    told = _run([str(hamload), "demo", "--home", str(tmp_path / "demo")], tmp_path)
    assert "Where things lie" in told
    assert "Deload" in told
    assert "All is well" in _run([str(hamload), "doctor", "--verify", "--home", str(tmp_path / "demo")], tmp_path)


def _environment(place: Path, *install: str, uv: Path | None = None) -> Path:
    """Make an empty environment, install into it, with uv where that is there, and return the command."""
    is_quick = uv is not None and uv.is_file()
    venv.create(place, with_pip=not is_quick)
    python = str(place / "bin" / "python")
    if is_quick:
        _run([str(uv), "pip", "install", "--quiet", "--python", python, *install], place)
    else:
        _run([python, "-m", "pip", "install", "--quiet", *install], place)
    return place / "bin" / "hamload"


def _run(command: list[str], place: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HAMLOAD_", "PYTHON"))}
    environment = {**kept, "HOME": str(place), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, cwd=place, env=environment, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
