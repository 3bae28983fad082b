"""What is shipped: a wheel that works without the repository."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
def test_an_installed_wheel_imports_and_tells_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = (
        "import datetime as dt, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "import hamload; assert hamload.__file__.startswith(sys.argv[1]), hamload.__file__;"
        "from hamload import pipeline, settings; from hamload.simulator import SimulatedRunner, write_year;"
        "home = Path(sys.argv[2]); day = dt.date(2026, 11, 22); current = settings.load(home);"
        "write_year(SimulatedRunner(), home / 'in', day, 30);"
        "pipeline.put_files(current, [home / 'in'], 'me', dt.datetime(2026, 11, 23, tzinfo=dt.UTC));"
        "pipeline.refresh(current, day); print(pipeline.digest_text(current))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(site), str(tmp_path / "home")],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "hamload for me" in done.stdout
