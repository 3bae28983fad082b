"""What a hostile reader found once, held for good: retention beside merging, other runners, kills, hidden runs."""

import datetime as dt
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hamload import pipeline, post
from hamload.demonstration import sign_in
from hamload.errors import HamloadError
from hamload.pipeline.setup import accounts
from hamload.raw import Raw
from hamload.records import Service, Streams
from hamload.simulator import PlannedRun, SimulatedRunner, streams_of
from hamload.simulator.strava import Fault, Limits

STRAVA = (Service.STRAVA,)
DAY = dt.timedelta(days=1)


@pytest.fixture
def live(live: Any) -> Any:
    """Make homes whose nights write no digest: their tables are looked at here."""
    return partial(live, tells=False)


def _loads(home: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = home.ask(
        "select local_date::varchar, load_efm, confidence, basis from marts.sessions order by start_at"
    )
    return rows


def _left_on(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Record a run whose watch was stopped hours later, after some more steps."""
    streams = streams_of(runner, run)
    rows = len(streams)
    time_s = np.where(np.arange(rows) > 0.9 * rows, streams.time_s + 8 * 3600, streams.time_s)
    return replace(streams, time_s=time_s, pauses=())


def test_a_run_that_was_cut_and_then_frozen_stays_as_it_was(live: Any) -> None:
    home = live(6, STRAVA, recorder=_left_on)
    home.night()
    before = _loads(home)
    for days in (8, 1, 1):
        night = home.night(days=days)
        assert night.failed_checks == ()
        assert _loads(home) == before
    with pipeline.exclusive(home.settings):
        pipeline.rebuild(home.settings, home.world.now.date(), now=home.world.now)
    assert _loads(home) == before


def test_a_frozen_copy_speaks_for_its_run_when_the_better_recording_is_gone(live: Any) -> None:
    alone = live(5, STRAVA, recorder=streams_of)
    alone.night()
    home = live(5, (Service.STRAVA, Service.GARMIN), recorder=streams_of)
    home.night()
    home.night(days=8)
    accounts.forget(home.settings, "garmin", "me", home.world.now)
    assert home.night().failed_sources == ()
    found, expected = _loads(home), _loads(alone)
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert {row[3] for row in found} == {"streams"}
    np.testing.assert_allclose([row[1] for row in found], [row[1] for row in expected], rtol=0.02)


def test_a_runner_taken_out_of_the_settings_for_a_while_loses_nothing(live: Any) -> None:
    home = live(3, STRAVA)
    config = home.home / "config.toml"
    whole = config.read_text() + '[[athletes]]\nid = "me"\n'
    config.write_text(whole)
    home.night()
    before = _loads(home)
    config.write_text(whole.replace('"me"', '"another"').replace('[[accounts]]\nservice = "strava"\n', ""))
    home.night(days=8)
    config.write_text(whole)
    assert home.night(days=1).failed_sources == ()
    assert _loads(home) == before


def test_private_runs_that_are_shown_no_longer_are_not_taken_for_deleted(live: Any) -> None:
    home = live(4, STRAVA)
    home.night()
    before = _loads(home)
    tokens = home.access.strava.read()
    home.access.strava.save(replace(tokens, scope="read,activity:read"))
    hidden = home.world.strava.ids()[1]
    activity = home.world.strava._activities.pop(hidden)
    home.night(days=1)
    home.night(days=1)
    assert _loads(home) == before
    # Shown again, the whole list is read, and what was hidden is there.
    home.world.strava._activities[hidden] = activity
    home.access.strava.save(replace(home.access.strava.read(), scope="read,activity:read_all"))
    night = home.night(days=1)
    assert night.fetched[0].covered_until == home.world.now.date() - DAY
    assert _loads(home) == before


def test_what_was_deleted_on_strava_expires_like_everything_else(live: Any) -> None:
    home = live(3, STRAVA)
    home.night()
    home.world.strava.delete(home.world.strava.ids()[0])
    home.night(days=1)
    home.night(days=8)
    assert list((home.home / "raw").rglob("*.strava*")) == []


def test_a_file_that_a_kill_left_without_its_row_is_swept_away(live: Any) -> None:
    home = live(2, STRAVA)
    home.night()
    left = home.home / "raw" / "ab" / f"ab{'0' * 62}.strava.gz"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"killed before the commit")
    known = set((home.home / "raw").glob("??/*.strava.gz")) - {left}
    home.night(days=1)
    assert not left.exists()
    assert set((home.home / "raw").glob("??/*.strava.gz")) == known


def test_forgetting_that_was_interrupted_can_be_done_again(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home = live(2, STRAVA)
    home.night()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            accounts.forget(home.settings, "strava", "me", home.world.now)
    removed = accounts.forget(home.settings, "strava", "me", home.world.now)
    assert removed.ledger.documents == 2
    assert list((home.home / "raw").glob("??/*.strava*")) == []


def test_forgetting_one_runner_leaves_anothers_digests(live: Any) -> None:
    home = live(2, STRAVA, tells=True)
    home.night()
    other = home.home / "outbox" / "2026-11-22-big-me-digest.txt"
    other.write_text("somebody else's")
    removed = accounts.forget(home.settings, "strava", "me", home.world.now)
    assert removed.digests == 2
    assert other.exists()


def test_a_row_that_names_no_activity_lets_no_day_be_vouched_for(live: Any) -> None:
    home = live(3, STRAVA)
    number = home.world.strava.ids()[1]
    home.world.strava.edit(number, id=None)
    night = home.night()
    assert night.fetched[0].covered_until is None
    assert "no day can be vouched for" in " ".join(night.fetched[0].notes)
    assert home.ask("select bool_or(is_known and load_efm = 0) from marts.daily_load where series = 'total'")[0][0] in {
        None,
        False,
    }


@pytest.mark.sampled(1)
@pytest.mark.parametrize("service", [Service.GARMIN, Service.GARMIN_PERSONAL])
def test_another_runners_account_takes_nothing_away(live: Any, service: Service) -> None:
    home = live(5, (service,))
    home.night()
    before = _loads(home)
    uploads = home.world.account.uploads
    for number in list(uploads):
        upload = uploads.pop(number)
        home.world.account.add(replace(upload, activity_id=number + 5_000_000))
    for _ in range(3):
        (problem,) = home.night(days=1).failed_sources
        assert "another one than before" in problem
        assert f"hamload forget {service.command}" in problem
    assert _loads(home) == before


def test_two_runners_with_one_application_keep_to_its_limits_together(live: Any) -> None:
    config = '[[athletes]]\nid = "me"\n[[athletes]]\nid = "bea"\n[[accounts]]\nservice = "strava"\nathlete = "bea"\n'
    limits = Limits((200, 2000), (14, 60))
    home = live(10, STRAVA, limits=limits)
    path = home.home / "config.toml"
    path.write_text(path.read_text().replace('service = "strava"\n', 'service = "strava"\nathlete = "me"\n') + config)
    sign_in(home.home, "bea", home.world, STRAVA)
    for _ in range(6):
        home.world.advance(home.world.now + dt.timedelta(minutes=15))
        home.night()
    assert home.world.strava.beyond == 0
    assert home.ask("select athlete_id, count(*) from marts.sessions group by all order by 1") == [
        ("bea", 10),
        ("me", 10),
    ]


def test_a_service_that_says_wait_for_days_is_told_as_silent(live: Any) -> None:
    home = live(2, STRAVA)
    home.night()
    home.world.strava.faults.add("list", Fault("status", 429))
    for _ in range(3):
        home.night(days=1)
    failures = [m.subject for m in post.standing(home.settings) if m.kind == "failure"]
    assert failures == ["hamload: Strava could not be read last night"]
    ((last,),) = home.ask("select last_success_at::date::varchar from marts.source_health")
    assert last == "2026-11-23"


def test_open_folders_of_secrets_are_closed_and_a_linked_one_is_refused(live: Any, tmp_path: Path) -> None:
    home = live(1)
    home.access.folder.chmod(0o777)
    (home.access.garmin / "garmin_tokens.json").chmod(0o644)
    assert home.night().failed_sources == ()
    assert home.access.folder.stat().st_mode & 0o077 == 0
    assert (home.access.garmin / "garmin_tokens.json").stat().st_mode & 0o077 == 0
    folder = home.home / "tokens"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    for problem in home.night(days=1).failed_sources:
        assert "symbolic link" in problem


def test_an_order_to_compact_outlives_a_kill(live: Any) -> None:
    home = live(2, STRAVA)
    home.night()
    (home.home / "warehouse.duckdb.compact").touch()
    before = (home.home / "warehouse.duckdb").stat().st_ino
    home.night(days=1)
    assert not (home.home / "warehouse.duckdb.compact").exists()
    assert (home.home / "warehouse.duckdb").stat().st_ino != before


def _full_disk() -> Any:
    raise OSError(28, "No space left on device")


def test_a_rolled_back_batch_leaves_the_files_of_others_alone(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    with Raw(tmp_path) as raw:
        with raw.batch("files", "me", now) as batch:
            kept, _ = batch.put(b"kept", "fit", name="kept.fit")
        with pytest.raises(HamloadError), raw.batch("files", "me", now) as batch:
            batch.put(b"lost", "fit", name="lost.fit").index(_full_disk())
        assert raw.sweep() == 1
        assert raw.content(kept, "fit") == b"kept"
