"""What `hamload serve` leaves behind when it is killed (nothing), and whom it and its nights speak to (nobody)."""

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hamload import pipeline, redaction, settings
from hamload.demonstration import load_flow
from hamload.simulator import SimulatedRunner, write_year

#: Loaded by every Python process of a run before anything else: writes down whom it looks up or connects to.
_LISTENER = """\
import os, sys
_told = os.open(os.environ["HEARD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def _hear(event, arguments):
    host = None
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and arguments[0]:
        host = arguments[0]
    if host is not None:
        host = host.decode() if isinstance(host, bytes) else str(host)
        os.write(_told, f"{event} {host} {os.getpid()}\\n".encode())
sys.addaudithook(_hear)
"""
_HERE = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}  # noqa: S104  # a look-up, no server


def _eventually(is_so: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.1)
    return False


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path, port: int, request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[bytes]"]:
    """Start `hamload serve` on a home with three weeks of runs, its night at the times of the test's parameter."""
    home = tmp_path / "home"
    home.mkdir()
    write_year(SimulatedRunner(), tmp_path / "inbox", dt.date(2026, 11, 22), 21)
    (home / "config.toml").write_text(
        f'time_zone = "Europe/Vienna"\n[schedule]\nport = {port}\nnightly = "{request.param}"\n'
        f'[[folders]]\npath = "{(tmp_path / "inbox").as_posix()}"\n[show]\nnightly_report = false\n'
    )
    listener = tmp_path / "listener"
    listener.mkdir()
    (listener / "sitecustomize.py").write_text(_LISTENER)
    environment = {
        name: value
        for name, value in os.environ.items()
        # As at a desk: no hint that this is a test, nor that nobody may be told.
        if not name.startswith("PREFECT_") and name not in {"CI", "DO_NOT_TRACK", "GITHUB_ACTIONS"}
    }
    environment |= {"PYTHONPATH": str(listener), "HEARD": str(tmp_path / "heard")}
    with (tmp_path / "told").open("wb") as told:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("hamload"), "serve", "--home", home],
            stdout=told, stderr=subprocess.STDOUT, env=environment, cwd=tmp_path,
        )  # fmt: skip
    yield process
    process.kill()
    process.wait()
    assert _eventually(lambda: not _is_open(port), 30)


@pytest.mark.slow
@pytest.mark.parametrize(
    "served",
    ["0 3 1 1 *", "* * * * *"],
    ids=["no night", "a night"],
    indirect=True,
)
@pytest.mark.long
def test_serve_speaks_to_nobody_but_this_machine_and_when_killed_takes_its_server_along(
    served: "subprocess.Popen[bytes]", tmp_path: Path, port: int, request: pytest.FixtureRequest
) -> None:
    told, home = tmp_path / "told", tmp_path / "home"
    assert _eventually(lambda: "hamload-backfill/backfill" in told.read_text(errors="replace"), 240), told.read_text()
    if request.node.callspec.id == "a night":
        log = home / "logs" / "hamload.jsonl"
        assert _eventually(lambda: log.is_file() and "run ended" in log.read_text(), 240), told.read_text()
        assert json.loads(log.read_text().splitlines()[-1])["outcome"] == "good"
    server = int(json.loads((home / "prefect-server.json").read_bytes())["pid"])
    assert _is_open(port)
    assert (home / "prefect.log").stat().st_mode & 0o777 == 0o600

    served.send_signal(signal.SIGKILL)
    served.wait()
    assert _eventually(lambda: not _is_open(port), 15), "the server has ended with what started it"
    assert _eventually(lambda: not psutil.pid_exists(server), 15)

    heard = [line.split() for line in (tmp_path / "heard").read_text().splitlines()]
    assert len({pid for _, _, pid in heard}) >= 2, "the listener sat in hamload and in Prefect's server"
    assert {host for _, host, _ in heard} <= _HERE


def test_every_way_to_prefect_says_that_nobody_is_to_be_told(tmp_path: Path) -> None:
    told = settings.prefect_environment(tmp_path)
    assert (told["DO_NOT_TRACK"], told["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")
    root = Path(__file__).parents[2]
    ways = [
        path.relative_to(root).as_posix()
        for folder in ("src", "flows")
        for path in (root / folder).rglob("*.py")
        if 'load_flow("' in path.read_text(encoding="utf-8")
    ]
    assert sorted(ways) == ["src/hamload/cli/serving.py", "src/hamload/demonstration.py"]
    for way in ways:
        assert "prefect_environment" in (root / way).read_text(encoding="utf-8"), way
    # On a server of the runner's own, what prefect.yaml declares says it for the flows' processes.
    assert (root / "prefect.yaml").read_text(encoding="utf-8").count('DO_NOT_TRACK: "1"') == 1


def test_the_look_at_the_nights_goes_on_whatever_happens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    redaction.install()
    serve = load_flow("serve")
    looks: list[int] = []
    enough = threading.Event()

    def broken(*_: object) -> None:
        looks.append(1)
        if len(looks) == 4:
            enough.set()
        raise RuntimeError("access_token=canary-9")

    monkeypatch.setattr(pipeline, "watch", broken)
    with serve.watching(tmp_path, every_s=0.01):
        assert enough.wait(30)
    told = capfd.readouterr().err + caplog.text
    assert told.count("It could not be looked whether the nights happen.") >= 3
    printed = [line for line in told.splitlines() if line.startswith("RuntimeError:")]
    assert set(printed) == {"RuntimeError: access_token=[secret]"}
