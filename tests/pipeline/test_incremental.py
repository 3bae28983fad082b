"""However a history comes in, and whatever changed meanwhile, the tables are those of a rebuild, row by row."""

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline, settings
from hamload.pipeline.intake.putting import Put
from hamload.pipeline.loads import assessing
from hamload.settings import Settings
from hamload.simulator import SimulatedRunner, fit_bytes, start_of, write_year, year_of

type Ask = Callable[..., list[tuple[Any, ...]]]
type Bring = Callable[..., Put]
type HomeWith = Callable[[Path, str], Settings]
type Rows = dict[str, list[tuple[Any, ...]]]
type Tables = Callable[[Settings], Rows]

LAST_DAY = dt.date(2026, 11, 22)
TODAY = dt.date(2026, 11, 23)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
CONFIG = 'time_zone = "Europe/Vienna"\n[import]\nworkers = 1\n'
DAYS = 60


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, gpx_of: Callable[..., bytes]) -> Path:
    """Return a folder of two months: the simulated runs, a phone's copy of one, a ride, and a broken file."""
    folder = tmp_path_factory.mktemp("history")
    runner = SimulatedRunner()
    write_year(runner, folder, LAST_DAY, DAYS)
    twice = start_of(runner, year_of(runner, LAST_DAY, DAYS)[20])
    (folder / "phone.gpx").write_bytes(gpx_of(twice + dt.timedelta(minutes=2), minutes=30))
    (folder / "ride.gpx").write_bytes(gpx_of(twice + dt.timedelta(hours=5), mps=7, sport="cycling"))
    (folder / "broken.fit").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def whole(
    history: Path, tmp_path_factory: pytest.TempPathFactory, home_with: HomeWith, bring: Bring, tables: Tables
) -> Rows:
    """Return every table of a home into which the history came at once."""
    home = home_with(tmp_path_factory.mktemp("whole") / "home", CONFIG)
    bring(home, history, now=NIGHT, through=LAST_DAY)
    rows = tables(home)
    assert len(rows["sessions"]) == 41
    assert len(rows["daily_load"]) == 5 * 58, "the first of the 60 days with a run is the third"
    assert len(rows["activities"]) == 43
    return rows


@pytest.fixture
def kept(tmp_path: Path, home_with: HomeWith) -> Settings:
    """Return an empty home for the history."""
    return home_with(tmp_path / "home", CONFIG)


class Assessed:
    """Counts which runs are assessed, and lets them be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days: list[dt.date] = []
        load = assessing._load

        def counted(run: Any, *others: Any) -> Any:
            self.days.append(run.local_date)
            return load(run, *others)

        monkeypatch.setattr(assessing, "_load", counted)


@pytest.fixture
def assessed(monkeypatch: pytest.MonkeyPatch) -> Assessed:
    """Return the days of the runs that this test has had assessed."""
    return Assessed(monkeypatch)


@pytest.mark.parametrize(
    ("seed", "batches"), [(1, 2), *(pytest.param(*some, marks=pytest.mark.long) for some in ((2, 3), (3, 5)))]
)
def test_a_history_in_any_order_and_any_batches_gives_the_tables_of_one_import_and_of_a_rebuild(
    history: Path,
    whole: Rows,
    kept: Settings,
    bring: Bring,
    tables: Tables,
    *,
    seed: int,
    batches: int,
) -> None:
    paths = sorted(history.iterdir())
    random.Random(seed).shuffle(paths)  # noqa: S311  # any order will do
    for night in range(batches):
        bring(kept, *paths[night::batches], now=NIGHT + dt.timedelta(minutes=night), today=TODAY)
    assert tables(kept)["daily_load"] != whole["daily_load"], "single files leave the days between them unknown"
    bring(kept, history, now=NIGHT + dt.timedelta(hours=1), today=TODAY, through=LAST_DAY)
    assert tables(kept) == whole
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY)
    assert tables(kept) == whole


@pytest.mark.long
def test_oldest_last_gives_the_same_tables_as_oldest_first(
    history: Path, whole: Rows, kept: Settings, bring: Bring, tables: Tables
) -> None:
    paths = sorted(history.iterdir(), reverse=True)
    for night, half in enumerate((paths[:22], paths[22:])):
        bring(kept, *half, now=NIGHT + dt.timedelta(minutes=night), today=TODAY)
    bring(kept, history, now=NIGHT + dt.timedelta(hours=1), today=TODAY, through=LAST_DAY)
    assert tables(kept) == whole


def test_one_worker_and_two_give_the_same_tables(
    history: Path, whole: Rows, kept: Settings, bring: Bring, tables: Tables
) -> None:
    two = _configured(kept, CONFIG.replace("workers = 1", "workers = 2"))
    bring(two, history, now=NIGHT, through=LAST_DAY)
    assert tables(two) == whole


def test_a_run_in_the_middle_has_what_comes_after_it_assessed_anew_and_nothing_before_it(
    history: Path,
    whole: Rows,
    kept: Settings,
    bring: Bring,
    tables: Tables,
    assessed: Assessed,
) -> None:
    paths = sorted(path for path in history.iterdir())
    middle = sorted(history.glob("2026-*.fit"))[35]
    bring(kept, *(path for path in paths if path != middle), now=NIGHT, today=TODAY)
    assessed.days.clear()
    bring(kept, history, now=NIGHT + dt.timedelta(minutes=1), today=TODAY, through=LAST_DAY)
    assert len(assessed.days) == 6
    assert min(assessed.days) == dt.date.fromisoformat(middle.name[:10])
    assert tables(kept) == whole
    bring(kept, history, now=NIGHT + dt.timedelta(minutes=2), today=TODAY, through=LAST_DAY)
    assert len(assessed.days) == 6, "nothing new has nothing assessed"


def test_a_run_of_the_first_six_weeks_moves_the_easy_speed_and_has_every_run_assessed_anew(
    history: Path,
    whole: Rows,
    kept: Settings,
    bring: Bring,
    tables: Tables,
    assessed: Assessed,
) -> None:
    paths = sorted(history.iterdir())
    early = sorted(history.glob("2026-*-easy.fit"))[3]
    bring(kept, *(path for path in paths if path != early), now=NIGHT, today=TODAY)
    assessed.days.clear()
    bring(kept, history, now=NIGHT + dt.timedelta(minutes=1), today=TODAY, through=LAST_DAY)
    assert len(assessed.days) == 41
    assert tables(kept) == whole


def _configured(home: Settings, text: str) -> Settings:
    (home.home / "config.toml").write_text(text)
    return settings.load(home.home)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("change", "column"),
    [
        # A coefficient of the load, one of the cleaning that comes before it, and the runner's own zone.
        ("[model.demand]\neasy_exponent = 2.2\n", "load_efm"),
        ("[model.signal]\ngrade_window_barometer_m = 120\n", "load_hill_efm"),
    ],
)
def test_a_changed_coefficient_recomputes_every_run_as_a_rebuild_would_and_its_removal_brings_all_back(
    history: Path,
    whole: Rows,
    kept: Settings,
    bring: Bring,
    ask: Ask,
    tables: Tables,
    *,
    change: str,
    column: str,
) -> None:
    bring(kept, history, now=NIGHT, through=LAST_DAY)
    before = ask(kept, f"select {column} from marts.sessions")  # noqa: S608
    other = _configured(kept, CONFIG + change)
    assert other.model.version != kept.model.version
    with pipeline.exclusive(other):
        pipeline.refresh(other, TODAY)
        changed = tables(other)
        assert ask(other, "select distinct model_version from marts.sessions") == [(other.model.version,)]
        assert ask(other, f"select {column} from marts.sessions") != before  # noqa: S608
        pipeline.rebuild(other, TODAY)
    assert tables(other) == changed
    back = _configured(kept, CONFIG)
    with pipeline.exclusive(back):
        pipeline.refresh(back, TODAY)
    assert tables(back) == whole


def test_another_time_zone_moves_the_runs_that_tell_none_as_a_rebuild_would(
    home: Settings, bring: Bring, ask: Ask, tables: Tables, tmp_path: Path, gpx_of: Callable[..., bytes]
) -> None:
    track = gpx_of(dt.datetime(2026, 11, 18, 1, tzinfo=dt.UTC))
    # At sea no place tells the zone.
    (tmp_path / "late.gpx").write_bytes(track.replace(b'lon="-34.9"', b'lon="-20.9"'))
    bring(home, tmp_path / "late.gpx", now=NIGHT)
    assert ask(home, "select local_date from marts.sessions") == [(dt.date(2026, 11, 17),)]
    moved = _configured(home, 'time_zone = "Europe/Vienna"')
    with pipeline.exclusive(moved):
        pipeline.refresh(moved, TODAY)
        assert ask(moved, "select local_date from marts.sessions") == [(dt.date(2026, 11, 18),)]
        incremental = tables(moved)
        pipeline.rebuild(moved, TODAY)
    assert tables(moved) == incremental


def test_a_run_that_was_interrupted_is_taken_up_where_it_stopped(
    history: Path,
    whole: Rows,
    kept: Settings,
    bring: Bring,
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = assessing._load
    left = [15]

    def interrupted(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return load(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(assessing, "_load", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bring(kept, history, now=NIGHT, through=LAST_DAY)
    with pipeline.exclusive(kept):
        pipeline.refresh(kept, TODAY)
    assert tables(kept) == whole


def test_a_run_after_half_a_year_is_assessed_against_the_same_past_as_in_a_rebuild(
    tmp_path: Path, kept: Settings, bring: Bring, tables: Tables, assessed: Assessed, ask: Ask
) -> None:
    runner = SimulatedRunner()
    runs = year_of(runner, LAST_DAY, 200)[::3]
    for number, run in enumerate(runs):
        (tmp_path / f"{number:03}.fit").write_bytes(fit_bytes(runner, run))
    paths = sorted(tmp_path.glob("*.fit"))
    bring(kept, *paths[:-2], now=NIGHT, today=TODAY)
    assessed.days.clear()
    bring(kept, *paths, now=NIGHT + dt.timedelta(minutes=1), today=TODAY, through=LAST_DAY)
    assert len(assessed.days) == 2
    assert ask(kept, "select count(*) from marts.sessions where local_date < date '2026-08-01'")[0][0] > 10
    incremental = tables(kept)
    with pipeline.exclusive(kept):
        pipeline.rebuild(kept, TODAY)
    assert tables(kept) == incremental


def test_the_runners_own_easy_speed_taken_back_leaves_the_one_that_was_found(
    history: Path, whole: Rows, kept: Settings, bring: Bring, tables: Tables
) -> None:
    own = _configured(kept, CONFIG + "[[athletes]]\nid = 'me'\neasy_speed_mps = 2.2\n")
    bring(own, history, now=NIGHT, through=LAST_DAY)
    assert tables(own)["sessions"] != whole["sessions"]
    back = _configured(kept, CONFIG)
    with pipeline.exclusive(back):
        pipeline.refresh(back, TODAY)
    assert tables(back) == whole
