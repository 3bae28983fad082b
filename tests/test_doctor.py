"""What the doctor finds: each fault by its name, with one remedy; nothing is changed, and nobody is asked unasked."""

import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hamload import doctor, pipeline, raw, settings, warehouse
from hamload.doctor import Finding, machine
from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes, write_year
from hamload.sources.access import Access
from hamload.sources.tokens import Key, Tokens

type Run = Callable[..., subprocess.CompletedProcess[str]]

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
LAST_DAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with five weeks of runs."""
    home = tmp_path_factory.mktemp("doctor") / "home"
    write_year(SimulatedRunner(), home.parent / "runs", LAST_DAY, 35)
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n')
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [home.parent / "runs"], "me", NOW, through=LAST_DAY)
        pipeline.refresh(current, LAST_DAY)
        pipeline.digest(current, now=NOW)
        pipeline.refresh(current, LAST_DAY)
    # What it published carries today's date, whatever day the runs say.
    os.utime(home / "hamload.duckdb", (NOW.timestamp(), NOW.timestamp()))
    return home


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may spoil."""
    copy = tmp_path / "home"
    subprocess.run(["cp", "-a", str(kept), str(copy)], check=True)
    return copy


@pytest.fixture(autouse=True)
def _without_the_long_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Prefect's import, three seconds, to the one test that is about the whole command."""
    monkeypatch.setattr(machine, "prefect", lambda: Finding("prefect", doctor.Level.OK, "not looked at"))


def _wrong(home: Path, **options: Any) -> dict[str, Finding]:
    return {f.name: f for f in doctor.examine(home, NOW, **options) if f.level is doctor.Level.WRONG}


def _found(home: Path, name: str) -> Finding:
    return next(f for f in doctor.examine(home, NOW) if f.name == name)


def _add(home: Path, text: str) -> None:
    with (home / "config.toml").open("a") as file:
        file.write(text)


def test_a_home_that_is_as_it_should_be_has_nothing_to_mend(home: Path) -> None:
    assert _wrong(home) == {}


def test_the_installed_command_says_it_to_people_and_to_machines(home: Path, forked: Run) -> None:
    # The command's own clock runs later than the home's: nothing here depends on it.
    command = [str(Path(sys.executable).with_name("hamload")), "doctor", "--home", str(home), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout
    found = json.loads(told.stdout)
    assert found["is_well"]
    assert {f["name"] for f in found["findings"]} >= {
        "python",
        "packages",
        "prefect",
        "home",
        "disk",
        "clock",
        "tables",
    }
    home.chmod(0o755)
    people = forked("doctor", "--home", home, "--verify")
    assert people.returncode == 0, people.stdout
    assert "checks hold" in people.stdout


def test_nobody_is_asked_unless_it_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every account, mail too: offline, the only door that is tried is this machine's own Prefect."""
    _add(home, '[mail]\nhost = "smtp.example.org"\nsender = "h@example.org"\n')
    for service in ("garmin-personal", "garmin", "strava"):
        _add(home, f'[[accounts]]\nservice = "{service}"\n')
    Access.of(home, "me").garmin_personal.save(Key("secret", LAST_DAY + dt.timedelta(days=300)))
    asked: list[Any] = []

    def refused(_self: socket.socket, address: Any) -> None:
        asked.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(socket.socket, "connect", refused)
    wrong = _wrong(home)
    assert {address[0] for address in asked} <= {"127.0.0.1"}
    assert wrong["garmin of me"].remedy == "hamload auth garmin --athlete me"
    assert wrong["strava of me"].remedy == "hamload auth strava --athlete me"
    assert "garmin-personal of me" not in wrong


def test_online_each_service_and_the_mail_server_are_tried(home: Path) -> None:
    _add(home, '[mail]\nhost = "127.0.0.1"\nport = 9\nsender = "h@example.org"\ntimeout_s = 2\n')
    _add(home, '[[accounts]]\nservice = "garmin-personal"\n')
    _add(home, '[services]\ngarmin_personal = "http://127.0.0.1:9"\n[fetch]\nretries = 0\ntimeout_s = 2\n')
    Access.of(home, "me").garmin_personal.save(Key("secret", LAST_DAY + dt.timedelta(days=300)))
    wrong = _wrong(home, online=True)
    assert {"mail", "garmin-personal of me"} <= wrong.keys()
    assert "cannot be used" in wrong["mail"].says


def test_the_heartbeat_is_named_by_its_host_alone_and_an_address_that_others_can_read_is_wrong(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "heartbeat" not in {f.name for f in doctor.examine(home, NOW)}
    monkeypatch.setenv("HAMLOAD_HEARTBEAT_URL", "https://hc.example.org/a-secret-path")
    assert _found(home, "heartbeat") == Finding("heartbeat", doctor.Level.OK, "each night is told to hc.example.org")
    monkeypatch.setenv("HAMLOAD_HEARTBEAT_URL", "http://hc.example.org/a-secret-path")
    found = _wrong(home)["heartbeat"]
    assert "https://" in found.says
    assert "secret" not in found.says


def test_a_cluster_is_tried_online_alone_and_one_without_workers_is_wrong(home: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster  # noqa: PLC0415  # a second, which no other test here needs

    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as running:
        _add(home, f'[import]\ncluster = "{running.scheduler_address}"\nshared = "{tmp_path}"\n')
        assert "not tried" in _found(home, "cluster").says
        assert "has no worker" in _wrong(home, online=True)["cluster"].says
        running.scale(1)
        running.wait_for_workers(1)
        tried = next(f for f in doctor.examine(home, NOW, online=True) if f.name == "cluster")
        assert tried.level is doctor.Level.OK
    (home / "config.toml").write_text(
        f'[import]\ncluster = "tcp://127.0.0.1:9"\nshared = "{tmp_path}"\ncluster_wait_s = 1\n'
    )
    assert "does not answer" in _wrong(home, online=True)["cluster"].says


@pytest.mark.parametrize(
    ("active", "found"),
    [
        ("hamload-night.timer", {"schedule": "ok", "watch": "note"}),
        ("hamload-night.timer hamload-watch.timer", {"schedule": "ok"}),
        ("hamload-serve.service", {"schedule": "ok"}),
    ],
)
def test_a_timer_that_nobody_watches_is_noted(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, active: str, found: dict[str, str]
) -> None:
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\nfor unit in {active}; do [ "$3" = "$unit" ] && echo active && exit; done; exit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    told = {f.name: f.level.value for f in doctor.examine(home, NOW) if f.name in {"schedule", "watch"}}
    assert told == found


@pytest.mark.parametrize(
    ("days", "level", "word"), [(-2, "wrong", "ended"), (10, "note", "in 10 days"), (60, "ok", "until")]
)
def test_a_keys_last_day_is_told_before_it_comes(home: Path, days: int, level: str, word: str) -> None:
    _add(home, '[[accounts]]\nservice = "garmin-personal"\n')
    Access.of(home, "me").garmin_personal.save(Key("secret", dt.date(2026, 11, 23) + dt.timedelta(days=days)))
    found = _found(home, "garmin-personal of me")
    assert (found.level, word in found.says) == (level, True)
    assert "secret" not in repr(found)


def test_a_renewal_whose_answer_was_lost_is_told(home: Path) -> None:
    _add(home, '[[accounts]]\nservice = "strava"\n')
    access = Access.of(home, "me")
    access.strava.save(Tokens("a", "b", NOW, attempted_at=NOW))
    assert _wrong(home)["strava of me"].says == "The API application is not known."


def _damage_tables(home: Path) -> None:
    (home / "hamload.duckdb").write_bytes(b"DUCK" * 4096)
    os.utime(home / "hamload.duckdb", (NOW.timestamp(), NOW.timestamp()))


def _set_version(home: Path, number: int) -> None:
    with closing(sqlite3.connect(home / "raw" / raw.LEDGER)) as db:
        db.execute(f"pragma user_version = {number}")


def _open_token(home: Path) -> None:
    (home / "tokens").mkdir(mode=0o700)
    (home / "tokens" / "strava.json").touch(mode=0o644)


def _link_token(home: Path) -> None:
    (home / "tokens").mkdir(mode=0o700)
    (home / "tokens" / "strava.json").symlink_to("/etc/hostname")


@pytest.mark.parametrize(
    ("spoil", "name", "remedy"),
    [
        (lambda home: home.chmod(0o755), "home", "chmod 700"),
        (lambda home: (home / "config.toml").write_text("x ="), "config.toml", "Mend that line"),
        (lambda home: _add(home, 'shown = "miles"\n'), "config.toml", "Mend that value"),
        (_damage_tables, "tables", "hamload rebuild"),
        (lambda home: (home / "hamload.duckdb").unlink(), "tables", "hamload rebuild"),
        (lambda home: _set_version(home, 99), "versions", "pip install --upgrade hamload"),
        (_open_token, "secrets", "chmod -R go="),
        (_link_token, "secrets", "rm "),
        (lambda home: _add(home, '[[folders]]\npath = "/nowhere/at all"\n'), "folder", "[[folders]]"),
        (lambda home: _add(home, "[doctor]\nmin_free_mb = 1e12\n"), "disk", "du -sh"),
        (lambda home: os.utime(home / "hamload.duckdb", (2e9, 2e9)), "clock", "timedatectl"),
    ],
)
def test_each_fault_has_its_name_and_one_remedy(home: Path, spoil: Any, name: str, remedy: str) -> None:
    spoil(home)
    wrong = _wrong(home)
    assert set(wrong) == {name}
    assert remedy in wrong[name].remedy


def test_a_runner_who_is_listed_no_longer_is_named_and_can_be_forgotten(
    home: Path, forked: Run, tmp_path: Path
) -> None:
    _add(home, '[[athletes]]\nid = "me"\n[[athletes]]\nid = "bob"\n')
    run = PlannedRun(LAST_DAY, dt.time(18, 10), "easy", 6, "flat")
    (tmp_path / "bob.fit").write_bytes(fit_bytes(SimulatedRunner(), run))
    both = settings.load(home)
    with pipeline.exclusive(both):
        pipeline.put_files(both, [tmp_path / "bob.fit"], "bob", NOW)
        pipeline.refresh(both, LAST_DAY)
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n')
    alone = settings.load(home)
    with pipeline.exclusive(alone):
        pipeline.refresh(alone, LAST_DAY)
    assert all(f.level is doctor.Level.OK for f in doctor.verify(home))
    found = _found(home, "runners")
    assert "bob" in found.says
    assert found.remedy.endswith("hamload forget files --athlete bob")
    done = forked("forget", "files", "--athlete", "bob", "--yes", "--home", home)
    assert done.returncode == 0, done.stderr
    assert not [f for f in doctor.examine(home, NOW) if f.name == "runners"]


def test_a_home_that_is_not_there_is_only_said(tmp_path: Path) -> None:
    assert set(_wrong(tmp_path / "none")) == {"home"}
    assert not (tmp_path / "none").exists()


def test_a_night_too_long_ago_is_wrong(home: Path) -> None:
    folder = home.parent / "watched"
    write_year(SimulatedRunner(), folder, LAST_DAY, 3)
    _add(home, f'[[folders]]\npath = "{folder}"\n')
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_folder(current, current.folders[0], NOW - dt.timedelta(days=4))
        pipeline.refresh(current, LAST_DAY)
    os.utime(home / "hamload.duckdb", (NOW.timestamp(), NOW.timestamp()))
    assert "4 days ago" in _wrong(home)["last night"].says


def _all(home: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_verify_reads_everything_and_changes_nothing(home: Path) -> None:
    before = _all(home)
    assert [f.level for f in doctor.verify(home)] == ["ok"] * 5
    assert _all(home) == before


def test_verify_finds_the_one_document_that_is_damaged_and_the_one_that_is_gone(home: Path) -> None:
    first, second, *_ = sorted((home / "raw").glob("??/*.fit"))
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    second.unlink()
    says = [f.says for f in doctor.verify(home) if f.level is doctor.Level.WRONG]
    assert len(says) == 2
    assert any(first.name in line and "no longer matches" in line for line in says)
    assert any(second.name in line and "cannot be read" in line for line in says)


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        ("update marts.sessions set load_hill_efm = load_hill_efm + 1 where true", "parts_sum_to_the_load"),
        ("update marts.daily_load set load_efm = load_efm + 5 where series = 'total'", "days_sum_to_the_sessions"),
        ("delete from marts.daily_load where date = '2026-11-10'", "no_gap_in_the_days"),
        ("insert into marts.alerts from marts.alerts limit 1", "one_alert_a_day"),
        (
            "update marts.daily_load set unknown_days_28 = 1, acwr_coupled = 1 where date = '2026-11-10'",
            "unknown_days_have_no_ratio",
        ),
        ("update marts.alerts set state = 'deload' where date = '2026-11-10'", "alerts"),
        ("update marts.alerts set reasons = '[]' where reasons <> '[]'", "alerts"),
        ("delete from marts.alerts where date = (select max(date) from marts.alerts)", "alerts"),
        ("update landing.day_metrics set acwr_uncoupled = 9, acwr_ewma = 9 where series = 'total'", "alerts"),
    ],
)
def test_verify_finds_tables_that_do_not_add_up_or_follow(home: Path, spoil: str, name: str) -> None:
    import duckdb  # noqa: PLC0415  # this test alone spoils a table

    with duckdb.connect(home / "hamload.duckdb") as con:
        con.execute(spoil)
    wrong = {f.name: f for f in doctor.verify(home) if f.level is doctor.Level.WRONG}
    assert name in wrong
    assert wrong[name].remedy == "hamload rebuild"


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("edit", "table"),
    [
        ("update marts.sessions set distance_m = distance_m + 1 where local_date = '2026-11-10'", "marts.sessions"),
        ("update marts.sessions set title = 'edited' where local_date = '2026-11-10'", "marts.sessions"),
        ("update landing.sessions set distance_m = distance_m + 1", "landing.sessions"),
        (
            "update landing.samples set heart_rate_bpm = 1 where chunk = (select min(chunk) from landing.samples)",
            "landing.samples",
        ),
        (
            "delete from landing.members where activity_id = (select min(activity_id) from landing.members)",
            "landing.members",
        ),
        ("delete from landing.courses", "landing.courses"),
        ("update landing.features set chunk = chunk + 1", "another place than their samples'"),
        ("update landing.journal set content = '{}' where kind = 'told'", "landing.journal"),
        (
            """alter table marts.weeks rename column load_efm to other;
            alter table marts.weeks rename column heavy_load_efm to load_efm;
            alter table marts.weeks rename column other to heavy_load_efm""",
            "marts.weeks",
        ),
        ("create view marts.strange as select 1 as one", "marts.strange"),
        ("update landing.deliveries set name = 'other' where position = 0", "landing.deliveries"),
        ("drop table marts.activities", "marts.activities"),
    ],
)
def test_verify_finds_a_row_that_was_edited_by_hand_where_no_check_crosses_it(
    home: Path, edit: str, table: str
) -> None:
    import duckdb  # noqa: PLC0415  # this test alone edits a table

    with duckdb.connect(home / "hamload.duckdb") as con:
        con.execute(edit)
    assert not [f for f in doctor.verify(home, is_anew=False) if f.level is doctor.Level.WRONG]
    wrong = [f for f in doctor.verify(home) if f.level is doctor.Level.WRONG]
    assert [(f.name, f.remedy) for f in wrong] == [("rows", "hamload rebuild")]
    assert table in wrong[0].says


def test_verify_calls_tables_that_are_older_than_the_ledger_not_up_to_date_and_not_damaged(
    home: Path, tmp_path: Path
) -> None:
    run = PlannedRun(LAST_DAY, dt.time(18, 10), "easy", 6, "flat")
    (tmp_path / "later.fit").write_bytes(fit_bytes(SimulatedRunner(), run))
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [tmp_path / "later.fit"], "me", NOW + dt.timedelta(minutes=5))
    said, *others = [f for f in doctor.verify(home) if f.level is not doctor.Level.OK]
    assert others == []
    assert (said.name, said.level) == ("rows", "note")
    assert said.remedy.startswith("hamload sync")
    with pipeline.exclusive(current):
        pipeline.refresh(current, LAST_DAY)
    assert all(f.level is doctor.Level.OK for f in doctor.verify(home))


def test_verify_says_where_tables_could_not_be_built_anew_and_calls_nothing_damaged(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    (said,) = [f for f in doctor.verify(home) if f.level is not doctor.Level.OK]
    assert (said.name, said.level) == ("rows", "note")
    assert "TMPDIR" in said.remedy


def test_verify_tells_changed_settings_from_changed_rows(home: Path) -> None:
    _add(home, "[alerts.deload]\nspike = 1.1\n")
    (said,) = [f for f in doctor.verify(home) if f.level is not doctor.Level.OK]
    assert (said.name, said.level) == ("rows", "note")
    assert "config.toml has changed" in said.says
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.refresh(current, LAST_DAY)
    assert all(f.level is doctor.Level.OK for f in doctor.verify(home))


def test_verify_says_where_the_next_night_would_go_on_from_something_else(home: Path) -> None:
    import duckdb  # noqa: PLC0415  # this test alone edits a table

    with duckdb.connect(home / "warehouse.duckdb") as con:
        con.execute("update marts.sessions set title = 'edited'")
    (said,) = [f for f in doctor.verify(home) if f.level is not doctor.Level.OK]
    assert (said.level, said.remedy) == ("note", "hamload rebuild")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_what_verify_builds_beside_the_home_goes_with_it_or_with_the_next_one(
    home: Path, tmp_path: Path, number: int
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    command = [str(Path(sys.executable).with_name("hamload")), "doctor", "--verify", "--home", str(home)]
    with subprocess.Popen(command, env=os.environ | {"TMPDIR": str(beside)}, stdout=subprocess.DEVNULL) as running:
        begun = time.monotonic()
        while not list(beside.glob("hamload-verify-*/raw/ledger.db")) and time.monotonic() - begun < 60:
            time.sleep(0.02)
        (folder,) = beside.glob("hamload-verify-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        running.send_signal(number)
    if number == signal.SIGKILL:
        assert folder.exists()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("tempfile.tempdir", str(beside))
            assert all(f.level is doctor.Level.OK for f in doctor.verify(home))
    assert list(beside.glob("hamload-verify-*")) == []


def test_verify_compares_nothing_while_a_run_is_at_work(home: Path) -> None:
    with warehouse.lock(home):
        (said,) = [f for f in doctor.verify(home) if f.level is not doctor.Level.OK]
    assert (said.name, said.level) == ("rows", "note")
    assert "at work" in said.says


def test_verify_finds_a_run_that_is_counted_twice(home: Path) -> None:
    import duckdb  # noqa: PLC0415  # this test alone spoils a table

    with duckdb.connect(home / "hamload.duckdb") as con:
        con.execute(
            "insert into landing.activities select * replace ('twin' as activity_id) from landing.activities limit 1"
        )
        con.execute(
            "insert into landing.members select * replace ('twin' as session_id, 'twin' as activity_id)"
            " from landing.members where activity_id = (select activity_id from landing.activities limit 1)"
        )
        con.execute(
            "insert into landing.samples select * replace ('twin' as activity_id) from landing.samples"
            " where activity_id = (select activity_id from landing.activities limit 1)"
        )
    wrong = {f.name for f in doctor.verify(home) if f.level is doctor.Level.WRONG}
    assert "runs_do_not_overlap" in wrong


def test_verify_of_nothing_is_not_well_and_nor_are_documents_without_a_ledger(home: Path, tmp_path: Path) -> None:
    assert [f.level for f in doctor.verify(tmp_path / "none")] == ["wrong"]
    assert [f.level for f in doctor.verify(Path("/etc/hostname"))] == ["wrong"]
    (home / "raw" / raw.LEDGER).unlink()
    assert [f.level for f in doctor.verify(home)] == ["wrong"]


def test_a_ledger_without_tables_is_none_yet_unless_there_are_documents(home: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    (begun / "raw").mkdir(parents=True)
    for place in (begun, home):
        path = place / "raw" / raw.LEDGER
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as db:
            db.execute("pragma journal_mode = wal")
    assert [(f.level, f.remedy) for f in doctor.verify(begun)] == [("note", "hamload import PATH")]
    assert ["no ledger" in f.says for f in doctor.verify(home)] == [True]
    shutil.rmtree(home / "raw")
    assert [(f.level, "tables, and no ledger" in f.says) for f in doctor.verify(home)] == [("wrong", True)]


def test_verify_finds_a_torn_ledger(home: Path) -> None:
    path = home / "raw" / raw.LEDGER
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = b"\x7f" * 2 * 4096
    path.write_bytes(content)
    assert {f.name for f in doctor.verify(home) if f.level is doctor.Level.WRONG} >= {raw.LEDGER}
