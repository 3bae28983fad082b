"""Documents are decoded while others are still being put: what comes of them is what came of it one after the other."""

import datetime as dt
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hamload import pipeline, raw, warehouse
from hamload.errors import ClusterError, HamloadError, WarehouseError
from hamload.pipeline.documents import decoding
from hamload.pipeline.intake import putting
from hamload.settings import Settings

type Fit = Callable[..., bytes]
type HomeWith = Callable[[Path, str], Settings]
type Tables = Callable[[Settings], dict[str, list[tuple[Any, ...]]]]

DAY = dt.date(2026, 11, 20)
NIGHT = dt.datetime(2026, 11, 21, 3, 30, tzinfo=dt.UTC)
CONFIG = 'time_zone = "America/Recife"\n[import]\nworkers = 2\n'


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put three at a time, so that small archives arrive in many steps."""
    monkeypatch.setattr(putting, "_BATCH", 3)


@pytest.fixture(scope="module")
def archive(fit_on: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export: runs, one of them twice, one re-uploaded under its number, one broken, one that is no run."""
    folder = tmp_path_factory.mktemp("arriving") / "export"
    (folder / "activities").mkdir(parents=True)
    rows = ["Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance,Filename"]
    for number in range(14):
        date = DAY - dt.timedelta(days=number)
        kind = ("easy", "hills", "intervals")[number % 3]
        (folder / "activities" / f"{number}.fit").write_bytes(fit_on(date, kind, 6))
        rows.append(f'{number},"{date:%b %-d, %Y}, 6:00:00 AM",Run {number},Run,360,1,activities/{number}.fit')
    shutil.copy(folder / "activities" / "1.fit", folder / "activities" / "again.fit")
    (folder / "activities" / "shorter.fit").write_bytes(fit_on(DAY - dt.timedelta(days=2), "easy", 4))
    (folder / "activities" / "broken.fit").write_bytes((folder / "activities" / "5.fit").read_bytes()[:900])
    (folder / "activities" / "page.fit").write_bytes(b"<html><body>Not found</body></html>")
    for name, number in (("again", 21), ("shorter", 2), ("broken", 23), ("page", 24)):
        rows.append(f'{number},"Nov 1, 2026, 6:00:00 AM",Named {name},Run,360,1,activities/{name}.fit')
    (folder / "activities.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture
def home(tmp_path: Path, home_with: HomeWith) -> Settings:
    return home_with(tmp_path / "home", CONFIG)


@pytest.fixture
def other(tmp_path: Path, home_with: HomeWith) -> Settings:
    return home_with(tmp_path / "other", CONFIG)


def _one_after_the_other(home: Settings, *folders: Path) -> None:
    with pipeline.exclusive(home):
        for minutes, folder in enumerate(folders):
            pipeline.put_files(home, [folder], "me", NIGHT + dt.timedelta(minutes=minutes), through=DAY)
            pipeline.refresh(home, NIGHT.date())


def _meanwhile(home: Settings, *folders: Path) -> list[putting.Put]:
    found = []
    with pipeline.exclusive(home):
        for minutes, folder in enumerate(folders):
            at = NIGHT + dt.timedelta(minutes=minutes)
            arriving = pipeline.Arriving(home, [folder], "me", at, through=DAY)
            pipeline.refresh(home, NIGHT.date(), arriving=arriving)
            found.append(arriving.put)
    return found


def _samples(home: Settings) -> list[tuple[Any, ...]]:
    with warehouse.reader(home.home) as con:
        return con.execute("select * exclude (chunk) from landing.samples order by all").fetchall()


def test_an_export_of_copies_corrections_and_broken_files_becomes_what_it_became_one_after_the_other(
    home: Settings, other: Settings, archive: Path, tables: Tables
) -> None:
    _one_after_the_other(other, archive)
    (put,) = _meanwhile(home, archive)
    assert (put.offered, len(put.refused)) == (18, 1)
    assert tables(home) == tables(other)
    assert _samples(home) == _samples(other)
    assert len(tables(home)["sessions"]) > 10


def test_an_export_beside_what_a_folder_gave_before_becomes_what_it_became_one_after_the_other(
    home: Settings, other: Settings, archive: Path, tables: Tables, tmp_path: Path
) -> None:
    """The folder knows no titles and holds what the export re-uploads; the export comes twice, once with less in it."""
    folder, less = tmp_path / "folder", tmp_path / "less"
    folder.mkdir()
    for number in (2, 3, 9):
        shutil.copy(archive / "activities" / f"{number}.fit", folder / f"run{number}.fit")
    shutil.copytree(archive, less)
    rows = (less / "activities.csv").read_text().splitlines()
    (less / "activities.csv").write_text("\n".join(row.replace("Run 4,", "Renamed,") for row in rows[:-3]))
    for home_, way in ((other, _one_after_the_other), (home, _meanwhile)):
        way(home_, folder, archive, less)
    assert tables(home) == tables(other)
    assert _samples(home) == _samples(other)
    assert "Renamed" in str(tables(home)["sessions"])


def test_each_document_is_decoded_and_counted_once_and_the_count_runs_to_its_end(home: Settings, archive: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with pipeline.exclusive(home):
        arriving = pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY)
        decoded, _ = pipeline.refresh(home, NIGHT.date(), lambda *step: told.append(step), arriving=arriving)
        again, _ = pipeline.refresh(home, NIGHT.date())
    documents = {path.read_bytes() for path in (archive / "activities").iterdir() if path.name != "page.fit"}
    # The page that is no recording is listed with the summary of the table in its place.
    assert decoded == len(documents) + 1
    assert again == 0
    counts = [(done, total) for step, done, total in told if step == "decoding"]
    assert counts == sorted(counts)
    assert all(done <= total for done, total in counts)
    assert counts[-1][0] == counts[-1][1]


def test_an_import_of_what_is_known_shows_no_unfinished_count(home: Settings, archive: Path) -> None:
    _meanwhile(home, archive)
    told: list[str] = []
    with pipeline.exclusive(home):
        arriving = pipeline.Arriving(home, [archive], "me", NIGHT + dt.timedelta(hours=1), through=DAY)
        decoded, _ = pipeline.refresh(home, NIGHT.date(), lambda step, *_: told.append(step), arriving=arriving)
    assert (decoded, arriving.put.new) == (0, 0)
    assert "decoding" not in told


def test_the_log_says_what_was_put_beside_what_was_decoded(home: Settings, archive: Path) -> None:
    with pipeline.exclusive(home), pipeline.running(home, "import", NIGHT):
        arriving = pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY)
        pipeline.refresh(home, NIGHT.date(), arriving=arriving)
    lines = [json.loads(line) for path in (home.home / "logs").iterdir() for line in path.read_text().splitlines()]
    (counts,) = [line["counts"] for line in lines if line.get("step") == "decode" and "counts" in line]
    assert (counts["offered"], counts["refused"]) == (18, 1)


def test_decoding_begins_before_the_last_document_is_put(home: Settings, archive: Path) -> None:
    order: list[str] = []
    with pipeline.exclusive(home):
        arriving = pipeline.Arriving(
            home, [archive], "me", NIGHT, through=DAY, progress=lambda step, *_: order.append(step)
        )
        pipeline.decode(home, lambda step, *_: order.append(step), arriving=arriving)
    assert order.index("decoding") < len(order) - 1 - order[::-1].index("reading")


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_an_import_that_is_ended_in_the_middle_is_finished_by_the_same_once_more(
    home: Settings, other: Settings, archive: Path, tables: Tables, steps: int
) -> None:
    count = itertools.count(1)

    def end(*_: object) -> None:
        if next(count) == steps:
            raise KeyboardInterrupt

    with pipeline.exclusive(home), pytest.raises(KeyboardInterrupt):
        pipeline.refresh(home, NIGHT.date(), end, arriving=pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY))
    _meanwhile(home, archive)
    _one_after_the_other(other, archive)
    assert tables(home) == tables(other)
    assert _samples(home) == _samples(other)


def test_all_is_kept_though_no_cluster_answers_that_could_read_it(
    tmp_path: Path, home_with: HomeWith, archive: Path, tables: Tables, other: Settings
) -> None:
    there = home_with(
        tmp_path / "there",
        f'{CONFIG}cluster = "tcp://127.0.0.1:1"\nshared = "{tmp_path}"\ncluster_wait_s = 1\n',
    )
    with pipeline.exclusive(there), pytest.raises(ClusterError):
        pipeline.refresh(there, NIGHT.date(), arriving=pipeline.Arriving(there, [archive], "me", NIGHT, through=DAY))
    here = home_with(tmp_path / "there", CONFIG)
    with pipeline.exclusive(here):
        pipeline.refresh(here, NIGHT.date())
    _one_after_the_other(other, archive)
    assert tables(here) == tables(other)


def test_a_disk_that_fills_up_meanwhile_ends_the_import_with_its_own_words_and_keeps_what_was_put(
    home: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch, tables: Tables, other: Settings
) -> None:
    batches = itertools.count()

    def sync(_: raw.Batch) -> None:
        if next(batches) == 3:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as full, pipeline.exclusive(home):
        full.setattr(raw.Batch, "sync", sync)
        with pytest.raises(HamloadError, match="No space left"):
            pipeline.refresh(home, NIGHT.date(), arriving=pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY))
    with raw.Raw(home.home) as kept:
        assert len(kept.deliveries()) == 9
    _meanwhile(home, archive)
    _one_after_the_other(other, archive)
    assert tables(home) == tables(other)


@pytest.mark.parametrize(
    "error", [duckdb.IOException("IO Error: full"), duckdb.OutOfMemoryException("Out of Memory Error: full")], ids=str
)
def test_all_is_kept_though_the_tables_cannot_be_written(
    home: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def write(*_: object) -> None:
        raise error

    monkeypatch.setattr(decoding, "write", write)
    with pipeline.exclusive(home), pytest.raises(WarehouseError, match="full"):
        pipeline.refresh(home, NIGHT.date(), arriving=pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY))
    with raw.Raw(home.home) as kept:
        assert len(kept.deliveries()) == 18
        assert kept.reports(), "and what the source said of itself"


def test_all_is_kept_though_the_tables_are_damaged_and_rebuilding_brings_all_of_it(
    home: Settings, other: Settings, archive: Path, tables: Tables
) -> None:
    (home.home / "warehouse.duckdb").write_bytes(b"damaged" * 1000)
    with pipeline.exclusive(home):
        arriving = pipeline.Arriving(home, [archive], "me", NIGHT, through=DAY)
        with pytest.raises(WarehouseError, match="hamload rebuild"):
            pipeline.refresh(home, NIGHT.date(), arriving=arriving)
        pipeline.rebuild(home, NIGHT.date())
    _one_after_the_other(other, archive)
    assert tables(home) == tables(other)


def test_what_broke_off_says_so_when_it_is_asked_what_became_of_it(home: Settings, archive: Path) -> None:
    def end(*_: object) -> Iterator[None]:
        raise KeyboardInterrupt

    arriving = pipeline.Arriving(home, [archive], "me", NIGHT, progress=end)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        next(iter(arriving))
    with pytest.raises(RuntimeError, match="broke off"):
        _ = arriving.put
