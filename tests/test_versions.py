"""An older home becomes today's, a copy kept; a newer one is refused untouched; a kill in the middle harms nothing."""

import datetime as dt
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hamload import pipeline, raw, settings, versions
from hamload.errors import ConfigurationError
from hamload.post import VERSION as POST_VERSION
from hamload.post.ledger import Ledger
from hamload.raw import Raw

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
TCX = b"<TrainingCenterDatabase/>"


def _older(home: Path) -> Path:
    """Make a home as it was before ledgers had numbers and reports said when to go on."""
    with Raw(home) as store, store.batch("files", "me", NOW) as batch:
        document, _ = batch.put(TCX, "tcx", name="old.tcx")
        batch.report(is_history=True, documents=[document])
    with closing(sqlite3.connect(home / "raw" / raw.LEDGER, isolation_level=None)) as db:
        db.execute("alter table reports drop column resumes_at")
        db.execute("pragma user_version = 0")
        db.execute("pragma wal_checkpoint(truncate)")
    return home


def _all(path: Path) -> dict[str, str]:
    return {
        str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(path.rglob("*"))
        if p.is_file() and not p.name.endswith(("-shm", "-wal")) and p.name != ".lock"
    }


def test_a_home_from_before_the_numbers_is_brought_to_todays_version_and_what_it_held_is_kept(tmp_path: Path) -> None:
    home = _older(tmp_path / "home")
    documents = {name: sum_ for name, sum_ in _all(home).items() if name.endswith(".tcx.gz")}
    with Raw(home) as store:
        assert [d.name for d in store.deliveries()] == ["old.tcx"]
        assert store.reports()[0].resumes_at is None
    assert versions.version_of(home / "raw" / raw.LEDGER) == raw.VERSION
    kept = home / versions.KEPT / "ledger-v0.db"
    assert kept.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(kept)) as db:
        assert "resumes_at" not in {row[1] for row in db.execute("pragma table_info(reports)")}
        assert db.execute("select name from deliveries").fetchall() == [("old.tcx",)]
    assert documents
    assert documents.items() <= _all(home).items()


def test_a_new_home_is_of_todays_version_and_keeps_no_copy(tmp_path: Path) -> None:
    with Raw(tmp_path):
        pass
    assert versions.version_of(tmp_path / "raw" / raw.LEDGER) == raw.VERSION
    assert not (tmp_path / versions.KEPT).exists()


def test_an_outbox_from_before_the_numbers_is_brought_along_too(tmp_path: Path) -> None:
    with Ledger(tmp_path / "outbox"):
        pass
    with closing(sqlite3.connect(tmp_path / "outbox" / "post.db", isolation_level=None)) as db:
        db.execute("pragma user_version = 0")
    with Ledger(tmp_path / "outbox"):
        pass
    assert versions.version_of(tmp_path / "outbox" / "post.db") == POST_VERSION
    assert (tmp_path / versions.KEPT / "post-v0.db").is_file()


def test_what_has_to_go_for_good_goes_from_the_kept_copy_too(tmp_path: Path) -> None:
    home = _older(tmp_path / "home")
    with Raw(home) as store, store.batch("files", "me", NOW) as batch:
        batch.forget()
    assert list((home / versions.KEPT).glob("*")) == []


@pytest.mark.parametrize("ledger", ["raw/ledger.db", "outbox/post.db"])
def test_a_home_that_a_newer_hamload_has_written_is_refused_and_not_touched(tmp_path: Path, ledger: str) -> None:
    home = tmp_path / "home"
    with Raw(home), Ledger(home / "outbox"):
        pass
    (home / "warehouse.duckdb").write_bytes(b"theirs")
    with closing(sqlite3.connect(home / ledger, isolation_level=None)) as db:
        db.execute("pragma user_version = 99")
        db.execute("pragma wal_checkpoint(truncate)")
    before = _all(home)
    current = settings.load(home)
    with pytest.raises(ConfigurationError, match="A newer hamload has written"), pipeline.exclusive(current):
        pipeline.rebuild(current)
    with pytest.raises(ConfigurationError, match="pip install --upgrade hamload"):
        Raw(home) if ledger.startswith("raw") else Ledger(home / "outbox")
    assert _all(home) == before


@pytest.mark.parametrize("moment", ["kept", "half", "numbered"])
def test_a_kill_in_the_middle_of_an_upgrade_leaves_what_the_next_opening_completes(tmp_path: Path, moment: str) -> None:
    home = _older(tmp_path / "home")
    program = f"""
import os, signal, sys
from pathlib import Path
from hamload import raw, versions
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
numbered = raw._numbered
if {moment!r} == "kept":
    raw._STEPS = (die,)
elif {moment!r} == "half":
    keep = versions._keep
    def torn(path, copy):
        copy.parent.mkdir(exist_ok=True)
        copy.with_name(copy.name + ".part").write_bytes(b"SQL")
        die()
    versions._keep = torn
else:
    def step(db):
        numbered(db)
        die()
    raw._STEPS = (step,)
raw.Raw(Path(sys.argv[1]))
"""
    done = subprocess.run([sys.executable, "-c", program, str(home)], check=False, env={**os.environ}, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert versions.version_of(home / "raw" / raw.LEDGER) == 0
    with Raw(home) as store:
        assert [d.name for d in store.deliveries()] == ["old.tcx"]
    assert versions.version_of(home / "raw" / raw.LEDGER) == raw.VERSION
    assert [p.name for p in (home / versions.KEPT).iterdir()] == ["ledger-v0.db"]
