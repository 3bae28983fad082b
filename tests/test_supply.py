"""What hamload is made of is locked with hashes, listed whole, and asked after wherever somebody can be asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def uv() -> str:
    here = ROOT / ".tools" / "bin" / "uv"
    found = str(here) if here.is_file() else shutil.which("uv")
    if found is None:
        pytest.skip("no uv here")
    return found


def _locked() -> dict[str, dict[str, Any]]:
    told = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {package["name"]: package for package in told["package"]}


def test_the_lock_fits_the_project_file(uv: str) -> None:
    """Offline: what the lock lacks would have to be asked for, and that fails here."""
    done = subprocess.run([uv, "lock", "--check", "--offline"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_file_of_every_locked_package_has_its_hash_and_comes_from_the_index() -> None:
    files = 0
    for name, package in _locked().items():
        if name == "hamload":
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}, name
        for file in [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]:
            files += 1
            assert file["hash"].startswith("sha256:"), name
            assert len(file["hash"]) == len("sha256:") + 64
            assert file["url"].startswith("https://files.pythonhosted.org/"), name
    assert files > 500


def _closure() -> set[str]:
    """Follow the lock by hand: what hamload needs to run, on whatever system."""
    locked = _locked()
    found: set[tuple[str, str]] = set()
    waiting = [("hamload", "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        package = locked[name]
        needed = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
        for dependency in needed:
            waiting.append((dependency["name"], ""))
            waiting += [(dependency["name"], wanted) for wanted in dependency.get("extra", ())]
    return {name for name, _ in found} - {"hamload"}


def test_the_bill_of_materials_lists_each_package_of_the_run_time_with_version_and_hashes(
    uv: str, tmp_path: Path
) -> None:
    path = tmp_path / "hamload.cdx.json"
    command = [sys.executable, str(ROOT / "supply" / "sbom.py"), str(path)]
    if not (ROOT / ".tools" / "bin" / "uv").is_file():
        pytest.skip(f"the script takes the uv of .tools, not {uv}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(path.read_text(encoding="utf-8"))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.5")
    assert told["metadata"]["component"]["purl"] == "pkg:pypi/hamload@0.1.0"
    listed = {c["name"]: c for c in told["components"]}
    assert set(listed) == _closure()
    locked = _locked()
    for name, component in listed.items():
        assert component["version"] == locked[name]["version"]
        hashes = {h["content"] for r in component["externalReferences"] for h in r["hashes"]}
        files = [*locked[name].get("wheels", ()), *filter(None, [locked[name].get("sdist")])]
        assert hashes <= {file["hash"].removeprefix("sha256:") for file in files}
        assert hashes, name
    assert {"prefect", "duckdb", "stravalib", "garminconnect", "psutil"} <= set(listed)
    assert not {"pytest", "ruff", "mypy", "marimo"} & set(listed)


@pytest.fixture
def advisories() -> Iterator[tuple[str, dict[str, str]]]:
    """Run an advisory source that speaks OSV's way and knows of the vulnerabilities that it is given by package."""
    known: dict[str, str] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            vulns = [known.get(query["package"]["name"]) for query in asked]
            self._write({"results": [{"vulns": [{"id": v, "modified": _WHEN}]} if v else {} for v in vulns]})

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            self._write({"id": name, "modified": _WHEN, "published": _WHEN, "summary": "made up", "affected": []})

        def _write(self, told: object) -> None:
            content = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", known
    server.shutdown()
    thread.join()
    server.server_close()


_WHEN = "2026-01-01T00:00:00Z"


def _audit(uv: str, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "supply" / "audit.py"), "--uv", uv, "--url", url, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_an_audit_that_finds_something_fails_and_names_it(uv: str, advisories: tuple[str, dict[str, str]]) -> None:
    url, known = advisories
    clean = _audit(uv, url)
    assert clean.returncode == 0, clean.stderr
    assert "0 known vulnerabilities" in clean.stdout
    version = _locked()["jinja2"]["version"]
    known["jinja2"] = "GHSA-made-0000-0001"
    found = _audit(uv, url)
    assert found.returncode == 1
    assert f"jinja2 {version}: GHSA-made-0000-0001, made up (mended by no version yet)" in found.stdout


def test_an_audit_that_reaches_nobody_says_so_and_never_that_all_is_well(uv: str) -> None:
    lenient = _audit(uv, "http://127.0.0.1:1")
    assert lenient.returncode == 0
    assert lenient.stdout.startswith("NOT AUDITED: no advisory source could be reached")
    assert "0 known" not in lenient.stdout
    assert _audit(uv, "http://127.0.0.1:1", "--strict").returncode == 3


def test_the_threat_model_names_each_boundary_and_only_tests_that_there_are() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).is_file()] == []
    for boundary in ("Recordings", "Answers", "Names", "browser", "Backups", "Notebooks", "cluster", "made of"):
        assert re.search(rf"\*\*[^*]*{boundary}", text), boundary


def test_the_continuous_integration_asks_too() -> None:
    assert "make audit" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
