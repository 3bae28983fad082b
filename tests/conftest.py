"""What every test may ask for: real recordings (skipped, with the reason, where absent), the shipped coefficients."""

import fcntl
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from hamload import redaction, settings
from hamload.parameters import AlertRules, LoadModel, Signal

INSTALLED = Path(sys.executable).with_name("hamload")

#: What CI judges must not depend on chance; at a desk the examples differ every time. How busy a machine is judges
#: nothing anywhere.
hypothesis_settings.register_profile("desk", deadline=None)
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "desk")
#: Mutants are judged by fewer examples: each of thousands of them meets every property.
hypothesis_settings.register_profile("few", derandomize=True, deadline=None, max_examples=15)
if os.environ.get("HAMLOAD_MUTANTS"):
    hypothesis_settings.load_profile("few")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long all cases of a test but those that its `sampled(n)` keeps, which are spread over them evenly."""
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") is not None:
            cases[item.nodeid.partition("[")[0]].append(item)
    for of_one in cases.values():
        (marker,) = of_one[0].iter_markers("sampled")
        kept = {index * len(of_one) // marker.args[0] for index in range(marker.args[0])}
        for index, item in enumerate(of_one):
            if index not in kept:
                item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _secrets_of_this_test_alone() -> Iterator[None]:
    """Forget the secrets that a test has learnt: another one's words are none."""
    before = set(redaction._known)
    yield
    if redaction._known != before:
        redaction._known.clear()
        redaction._known.update(before)
        redaction._values.cache_clear()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings and numbers with known answers, which never enter the repository."""
    folder = Path(os.environ.get("HAMLOAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings here: {folder} is absent (HAMLOAD_SHARED_DATA names another place)")
    return folder


@pytest.fixture(scope="session")
def model() -> LoadModel:
    return settings.defaults()[0]


@pytest.fixture(scope="session")
def signal() -> Signal:
    return settings.defaults()[1]


@pytest.fixture(scope="session")
def rules() -> AlertRules:
    return settings.defaults()[2]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make something that takes long once for all workers of a run: `once(name, make)` returns the folder it is in.

    What is shared is read only; a test that changes it begins with a copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.made"
        folder.mkdir(exist_ok=True)
        with (shared / f"{name}.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def migrated(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return a database as Prefect makes it at its first start, which takes ten seconds.

    A test may begin with a copy of it. What a first start does, the wheel's demo shows.
    """

    def make(folder: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"],
            env=own | settings.prefect_environment(folder) | {"PREFECT_HOME": str(folder)},
            capture_output=True,
            check=True,
        )

    return once("migrated", make) / "prefect.db"


class Forked:
    """Runs the command in processes of their own, forked from one that has imported it.

    Saves each a second of imports; that those work, the tests show that start the very script that pip writes.
    """

    def __init__(self, server: "subprocess.Popen[str]", place: Path) -> None:
        self._server, self._place = server, place

    def __call__(
        self,
        *arguments: str | bytes | Path,
        environment: Mapping[str, str] | None = None,
        answers: str = "",
        folder: Path | None = None,
        umask: int = 0o022,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `environment` is all that it gets, `answers` what is typed."""
        command = [str(INSTALLED), *map(os.fsdecode, arguments)]
        streams = [self._place / name for name in ("stdin", "stdout", "stderr")]
        for path in streams:
            path.write_text(answers if path.name == "stdin" else "", encoding="utf-8")
        order = {
            "arguments": command,
            "environment": dict(os.environ if environment is None else environment),
            "streams": list(map(str, streams)),
            "folder": str(folder or Path.cwd()),
            "umask": umask,
            "seconds": 120,
        }
        orders, codes = self._server.stdin, self._server.stdout
        assert orders is not None
        assert codes is not None
        orders.write(json.dumps(order) + "\n")
        orders.flush()
        code = int(codes.readline())
        out, err = (path.read_bytes().decode(errors="replace") for path in streams[1:])
        return subprocess.CompletedProcess(command, code, out, err)


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """Run the command: `forked("status", "--home", home)`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HAMLOAD_", "PREFECT_"))}
    # As text: the processes that read recordings would import a file anew, with all that it imports.
    program = Path(__file__).with_name("forking.py").read_text(encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=own | {"OPENBLAS_NUM_THREADS": "1"},
    ) as server:
        yield Forked(server, tmp_path_factory.mktemp("forked"))
        assert server.stdin is not None
        server.stdin.close()
