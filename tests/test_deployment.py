"""What runs hamload for good: units that systemd accepts, a plist, a container's files, and a backup that restores."""

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hamload import pipeline, settings, warehouse
from hamload.settings import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def _verify(unit: Path, *options: str) -> str:
    """Let systemd itself read a unit. Returns what it complains of."""
    if (program := shutil.which("systemd-analyze")) is None:
        pytest.skip("no systemd-analyze here")
    unit.parent.joinpath("run").mkdir(exist_ok=True)
    done = subprocess.run(
        [program, *options, "verify", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(unit.parent / "run")},
    )  # fmt: skip
    return done.stderr if done.returncode or done.stderr else ""


def _placed(name: str, folder: Path, program: str) -> Path:
    """Copy a unit, with a program and a user that are there."""
    text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={program}", text, flags=re.MULTILINE)
    text = text.replace("User=hamload", "User=root").replace("Group=hamload", "Group=root")
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_systemd_accepts_the_units_and_a_program_in_a_folder_with_spaces(tmp_path: Path) -> None:
    program = tmp_path / "my tools" / "hamload"
    program.parent.mkdir()
    program.symlink_to(Path(sys.executable).with_name("hamload"))
    quoted = f'"{program}"'
    assert _verify(_placed("hamload-serve.service", tmp_path, quoted)) == ""
    _placed("hamload-night.service", tmp_path, quoted)
    shutil.copy(DEPLOY / "systemd" / "hamload-night.timer", tmp_path)
    assert _verify(tmp_path / "hamload-night.timer", "--user") == ""
    for name, kind in (("hamload-watch", "--user"), ("hamload-serve-watch", "--system")):
        _placed(f"{name}.service", tmp_path, quoted)
        shutil.copy(DEPLOY / "systemd" / f"{name}.timer", tmp_path)
        assert _verify(tmp_path / f"{name}.timer", kind) == ""
    assert "Command" in _verify(_placed("hamload-serve.service", tmp_path, "/nowhere/hamload"))


def test_the_units_run_commands_that_there_are() -> None:
    for path in sorted((DEPLOY / "systemd").glob("*.service")):
        name = path.name
        text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        hamload = str(Path(sys.executable).with_name("hamload"))
        asked = [hamload, *shlex.split(command)[1:], "--help"]
        assert subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode == 0


def test_the_macs_agent_is_a_property_list_that_runs_the_night() -> None:
    told = plistlib.loads((DEPLOY / "launchd" / "hamload.night.plist").read_bytes())
    assert told["Label"] == "hamload.night"
    assert told["ProgramArguments"][2] == 'exec "$HOME/.local/bin/hamload" sync'
    assert told["StartCalendarInterval"] == {"Hour": 3, "Minute": 30}
    assert told["Umask"] == 0o077
    watch = plistlib.loads((DEPLOY / "launchd" / "hamload.watch.plist").read_bytes())
    assert watch["Label"] == "hamload.watch"
    assert watch["ProgramArguments"][2] == 'exec "$HOME/.local/bin/hamload" watch'
    assert (watch["StartInterval"], watch["Umask"]) == (10_800, 0o077)


def _steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order."""
    text = (DEPLOY / "container" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], " ".join(line.split(None, 1)[1].split())) for line in lines]


def test_the_container_copies_what_there_is_and_runs_as_nobody_in_particular() -> None:
    steps = _steps()
    for kind, words in steps:
        if kind == "COPY" and not words.startswith("--from"):
            assert [place for place in words.split()[:-1] if not (ROOT / place).exists()] == []
    copied = {place for kind, words in steps if kind == "COPY" for place in words.split()[:-1]}
    wheel = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("force-include]")[2].partition("[tool")[0]
    assert {line.split('"')[1] for line in wheel.splitlines() if '" = "' in line} <= copied
    last = max(number for number, (kind, _) in enumerate(steps) if kind == "FROM")
    told = dict(steps[last:])
    uid = re.search(r"useradd --uid (\d+)", told["RUN"])
    assert uid is not None
    assert told["USER"] == f"{uid[1]}:{uid[1]}"
    assert '"hamload", "doctor", "--json"' in told["HEALTHCHECK"]
    assert told["ENTRYPOINT"] == '["hamload"]'


def test_the_compose_file_gives_nothing_that_is_not_needed() -> None:
    told: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))
    service = told["services"]["hamload"]
    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
        True, ["ALL"], ["no-new-privileges:true"],
    )  # fmt: skip
    assert service["user"] == dict(_steps())["USER"]
    place = DEPLOY / "container" / service["build"]["context"]
    assert (place / service["build"]["dockerfile"]).is_file()
    assert "ports" not in service
    assert set(told["volumes"]) == {"home"}
    assert service["environment"]["HAMLOAD_HOME"] == "/data"


def test_prefects_file_names_flows_and_times_that_there_are() -> None:
    told = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    shipped = {d["name"]: d for d in told["deployments"]}
    assert set(shipped) == {"nightly", "weekly", "backfill"}
    defaults = settings.load(Path("/nowhere")).schedule
    for name, deployment in shipped.items():
        path, _, function = deployment["entrypoint"].partition(":")
        assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
        assert deployment["work_pool"]["name"] == "hamload"
        if name == "nightly":
            assert deployment["schedules"][0]["cron"] == defaults.nightly


def test_a_backup_of_what_the_page_names_restores_every_table_row_for_row(
    tmp_path: Path, backed_up: tuple[Settings, dict[str, list[Any]]]
) -> None:
    """Carry out the commands of `docs/operating.md` on a home, and rebuild it elsewhere."""
    home, before = backed_up
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(mkdir -p ~/hamload-backup.*?)```", page, re.DOTALL)
    environment = {**os.environ, "HOME": str(tmp_path), "HAMLOAD_HOME": str(home.home)}
    if shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 command here")
    done = subprocess.run(["bash", "-euc", commands], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    restored = settings.load(tmp_path / "hamload-backup")
    with pipeline.exclusive(restored):
        pipeline.rebuild(restored, max(row[0] for row in before["last_day"]))
    assert _tables(restored) == before


@pytest.fixture
def backed_up(tmp_path: Path) -> tuple[Settings, dict[str, list[Any]]]:
    """Return a home with runs, a journal and a sent digest, and every row of its tables."""
    import datetime as dt  # noqa: PLC0415  # this fixture alone has a clock

    from hamload import journal  # noqa: PLC0415
    from hamload.raw import Raw  # noqa: PLC0415
    from hamload.simulator import SimulatedRunner, write_year  # noqa: PLC0415

    last, night = dt.date(2026, 11, 22), dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
    write_year(SimulatedRunner(), tmp_path / "runs", last, 35)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text('time_zone = "Europe/Vienna"\n[show]\nunits = "miles"\n')
    home = settings.load(tmp_path / "home")
    with Raw(home.home) as raw, raw.batch(journal.SOURCE, "me", night) as batch:
        journal.append(batch, "tightness", last, night, {"level": 4.0, "side": "left"})
    with pipeline.exclusive(home):
        pipeline.put_files(home, [tmp_path / "runs"], "me", night, through=last)
        pipeline.refresh(home, last, now=night)
    pipeline.tell_state(home, "me", night, at_once=True)
    return home, _tables(home)


def _tables(home: Settings) -> dict[str, list[Any]]:
    with warehouse.reader(home.home) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
        ).fetchall()
        rows = {name: con.execute(f"from marts.{name}").fetchall() for (name,) in names}
        rows["last_day"] = con.execute("select max(date) from marts.daily_load").fetchall()
    return rows
