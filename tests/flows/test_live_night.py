"""The nightly flow through Prefect, of watched folders and live sources.

Each source fails alone, the runner is told, no secret is learnt. One module: Prefect's server starts once for each.
"""

import asyncio
import datetime as dt
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import hamload
from hamload import pipeline, post, settings
from hamload.demonstration import load_flow, sign_in
from hamload.pipeline.noting import chronicle, nights
from hamload.records import Service
from hamload.simulator import SimulatedRunner, strava, write_year, year_of
from hamload.simulator.garmin import Fault
from hamload.simulator.world import World
from hamload.sources.access import Access

NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
_YESTERDAY = NIGHT.date() - DAY
ROOT = Path(__file__).parents[2]


@pytest.fixture
def world() -> Iterator[World]:
    runner = SimulatedRunner()
    with World(runner, year_of(runner, NIGHT.date() - DAY, 9), NIGHT) as made:
        yield made


@pytest.fixture
def home(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name, value in world.trust(tmp_path / "authority.pem").items():
        monkeypatch.setenv(name, value)
    accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in Service)
    fetch = "[fetch]\ntimeout_s = 2\nretries = 0\nwait_s = 0.01\n"
    (folder / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{accounts}{fetch}{world.services()}')
    sign_in(folder, "me", world)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_a_night_whose_sources_fail_one_by_one_ends_tells_the_runner_and_keeps_its_secrets(
    world: World, home: Path, prefect_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nightly = load_flow("nightly")
    state = nightly.nightly(home, world.now, world.now.date(), return_state=True)
    assert state.is_completed(), state.message
    assert post.standing(settings.load(home), "me") is not None
    _is_logged_under_prefects_id(settings.load(home), str(state.state_details.flow_run_id))

    world.strava.faults.add("list", strava.Fault("inactive"))
    world.garmin.revoke(refresh=True)
    world.personal.faults.put("activities", Fault("status", 503))
    now = world.advance(world.now + DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nightly.fetch, "retry_delay_seconds", 0)
        state = nightly.nightly(home, now, now.date(), return_state=True)
    assert state.is_failed()
    message = str(state.message)
    assert "Strava: Strava has switched off this API application" in message
    assert "Garmin Connect: Garmin Connect accepts the saved sign-in no longer. Run: hamload auth garmin" in message
    assert "Garmin's Personal API: Garmin's Personal API is down (HTTP 503)" in message
    # What may pass was tried once more; what only the runner can mend was not.
    assert world.personal.requests["activities"] == 3
    assert world.garmin.logins == 0
    told = [m.subject for m in post.standing(settings.load(home)) if m.kind == "failure"]
    assert len(told) == 3

    access = Access.of(home, "me")
    tokens, app, key = access.strava.read(), access.strava_app.read(), access.garmin_personal.read()
    assert tokens is not None
    assert app is not None
    assert key is not None
    garmin = json.loads((access.garmin / "garmin_tokens.json").read_text())
    logged = caplog.text
    for secret in (tokens.access_token, tokens.refresh_token, app.client_secret, key.key, garmin["di_refresh_token"]):
        assert secret not in logged
        for path in (*prefect_home.rglob("*"), *(home / "logs").iterdir()):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def _is_logged_under_prefects_id(current: settings.Settings, run_id: str) -> None:
    last = nights.nights(current).last
    assert last is not None
    assert (last.run_id, last.outcome) == (run_id, "good")
    lines = chronicle.lines(current.home)
    assert {line["run_id"] for line in lines} == {run_id}
    assert [line["event"] for line in lines if line["event"].startswith("run ")] == ["run begun", "run ended"]
    ended = {line["step"]: line for line in lines if line["event"] == "step ended"}
    fetched = {f"fetch {service}" for service in Service}
    assert set(ended) >= {*fetched, "decode", "assess", "expire", "alert", "publish", "digest", "deliver", "report"}
    assert all(line["outcome"] == "done" and line["duration_s"] >= 0 for line in ended.values())
    assert ended["decode"]["counts"]["documents"] >= ended["fetch strava"]["counts"]["new"] > 0
    assert ended["assess"]["counts"]["sessions"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_a_step_that_fails_with_a_secret_in_its_words_leaves_it_in_no_state_log_or_database(
    home: Path, prefect_home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    nightly = load_flow("nightly")
    secret = "canary-of-a-step-77"  # noqa: S105  # made to be looked for

    def broken(*_: object) -> None:
        logging.getLogger("prefect.flow_runs").error("GET /?access_token=%s", secret)
        raise KeyError(f"GET https://x.example/?refresh_token={secret}")

    monkeypatch.setattr(nightly.pipeline, "decode", broken)
    state = nightly.nightly(home, NIGHT, NIGHT.date(), return_state=True)
    assert state.is_failed()
    assert "KeyError" in str(state.message)
    assert secret not in str(state.message) + caplog.text
    for path in (*prefect_home.rglob("*"), *home.rglob("*")):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    last = nights.nights(settings.load(home)).last
    assert last is not None
    assert last.outcome == "broken"
    assert "[secret]" in last.error


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_a_night_that_breaks_off_fails_in_prefect_and_is_told(world: World, home: Path) -> None:
    nightly = load_flow("nightly")
    (home / "warehouse.duckdb").mkdir()
    state = nightly.nightly(home, world.now, world.now.date(), return_state=True)
    assert state.is_failed()
    (told,) = [m.subject for m in post.standing(settings.load(home)) if m.kind == "failure"]
    assert told == "hamload: the night went wrong last night"


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_what_is_served_is_the_night_the_week_and_the_backfill_on_the_homes_clock(home: Path) -> None:
    serve, nightly = load_flow("serve"), load_flow("nightly")
    found = {d.name: d for d in serve.deployments(settings.load(home), nightly)}
    assert set(found) == {"nightly", "weekly", "backfill"}
    schedules = {name: [(s.schedule.cron, s.schedule.timezone) for s in d.schedules] for name, d in found.items()}
    assert schedules == {
        "nightly": [("30 3 * * *", "Europe/Vienna")],
        "weekly": [("0 6 * * 1", "Europe/Vienna")],
        "backfill": [],
    }
    assert all(d.parameters == {"home": str(home)} for d in found.values())
    assert f"{found['backfill'].flow_name}/{found['backfill'].name}" == nightly.BACKFILL


def _watching(place: Path, *, folders: tuple[Path, ...]) -> Path:
    home = place / "home"
    home.mkdir()
    watched = "".join(f'[[folders]]\npath = "{folder.as_posix()}"\nreports_rest = true\n' for folder in folders)
    # That a night writes its report, one with live sources shows.
    show = "[show]\nnightly_report = false\n"
    (home / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{show}{watched}')
    return home


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_a_night_reads_assesses_alerts_and_shows_the_digest_and_a_dead_source_harms_no_other(tmp_path: Path) -> None:
    nightly = load_flow("nightly")
    inbox = tmp_path / "inbox"
    write_year(SimulatedRunner(), inbox, _YESTERDAY, 45)
    home = _watching(tmp_path, folders=(inbox,))

    state = nightly.nightly(home, NIGHT, NIGHT.date(), return_state=True)

    assert state.is_completed(), state.message
    told = sorted(path.name for path in (home / "outbox").glob("*-digest.*"))
    assert told == ["2026-11-22-me-digest.html", "2026-11-22-me-digest.txt"]
    assert state.message.split(":")[0].endswith("Deload")
    digest = asyncio.run(_artifact("digest-me"))
    assert "Deload" in digest
    assert "simulated" in digest

    (home / "config.toml").write_text(
        (home / "config.toml").read_text() + f'[[folders]]\npath = "{(tmp_path / "gone").as_posix()}"\n'
    )
    before = (home / "outbox" / told[1]).read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nightly.read_folder, "retries", 0)
        state = nightly.nightly(home, NIGHT + dt.timedelta(hours=1), NIGHT.date(), return_state=True)
    assert state.is_failed()
    assert "gone is not there" in state.message
    after = (home / "outbox" / told[1]).read_bytes()
    assert b"gone is not there" in b" ".join(after.split()), "the digest says which source failed"
    assert before != after


async def _artifact(key: str) -> str:
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.client.schemas.filters import (  # noqa: PLC0415
        ArtifactFilter,
        ArtifactFilterKey,
        FlowRunFilter,
        TaskRunFilter,
    )
    from prefect.client.schemas.sorting import ArtifactSort  # noqa: PLC0415

    async with get_client() as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        # Prefect 3.8.8's client sends filters that it was not given as null, which its own server refuses.
        found = await client.read_artifacts(
            artifact_filter=wanted,
            flow_run_filter=FlowRunFilter(),
            task_run_filter=TaskRunFilter(),
            limit=10,
            sort=ArtifactSort.CREATED_DESC,
        )
    return str(found[0].data)


def test_the_flow_and_the_command_line_leave_the_same_tables(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    write_year(SimulatedRunner(), inbox, _YESTERDAY, 20)
    tables = []
    for name in ("flow", "command"):
        place = tmp_path / name
        place.mkdir()
        current = settings.load(_watching(place, folders=(inbox,)))
        with pipeline.exclusive(current):
            if name == "flow":
                pipeline.put_folder(current, current.folders[0], NIGHT)
                pipeline.decode(current)
                pipeline.assess(current, NIGHT.date())
                pipeline.alert(current)
                pipeline.publish(current)
            else:
                pipeline.night(current, NIGHT, NIGHT.date())
        opened = hamload.open(current.home)
        tables.append((opened.sessions(), opened.daily(), opened.alerts()))
    for left, right in zip(*tables, strict=True):
        assert len(left) > 0
        assert left.equals(right)


def test_the_file_for_a_prefect_server_names_flows_that_are_there_at_the_same_times() -> None:
    told: Any = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    nightly = load_flow("nightly")
    served = settings.load(Path("/nowhere")).schedule
    for deployment in told["deployments"]:
        path, _, name = deployment["entrypoint"].partition(":")
        assert (ROOT / path).is_file()
        assert getattr(nightly, name).name == f"hamload-{deployment['name']}"
    crons = {d["name"]: [s["cron"] for s in d.get("schedules", ())] for d in told["deployments"]}
    assert crons == {"nightly": [served.nightly], "weekly": [served.weekly], "backfill": []}


@pytest.mark.slow
def test_serve_starts_a_server_of_its_own_that_takes_prefect_yaml_too_and_ends_when_told(
    tmp_path: Path, migrated: Path
) -> None:
    import os  # noqa: PLC0415
    import signal  # noqa: PLC0415
    import socket  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n[schedule]\nport = {port}\n')
    (tmp_path / "prefect").mkdir()
    shutil.copyfile(migrated, tmp_path / "prefect" / "prefect.db")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with (tmp_path / "told").open("w+") as told:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("hamload"), "serve", "--home", tmp_path],
            stdout=told,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=tmp_path,
            # Whoever runs the tests in the background has told every child to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        try:
            _wait_for(tmp_path / "told", "hamload-backfill/backfill", process)
            # The same server takes what prefect.yaml declares for one of the runner's own.
            api = f"http://127.0.0.1:{port}/api"
            made = httpx.post(f"{api}/work_pools/", json={"name": "hamload", "type": "process"}, timeout=60)
            assert made.is_success, made.text
            done = subprocess.run(
                [Path(sys.executable).with_name("prefect"), "--no-prompt", "deploy", "--all"],
                env={
                    **environment,
                    "PREFECT_HOME": str(tmp_path / "client"),
                    "PREFECT_API_URL": api,
                    "HAMLOAD_SOURCE": str(ROOT),
                },
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout.count("successfully created") + done.stdout.count("successfully updated") == 3, (
                done.stdout
            )
            process.send_signal(signal.SIGINT)
            process.wait(180)
        finally:
            process.kill()
            process.wait()
    assert "There is nothing to ask yet" in (tmp_path / "told").read_text()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server has ended too"


def _wait_for(path: Path, text: str, process: "subprocess.Popen[bytes]") -> None:
    import time  # noqa: PLC0415

    for _ in range(1200):
        if text in path.read_text():
            return
        assert process.poll() is None, path.read_text()
        time.sleep(0.1)
    raise AssertionError(path.read_text())
