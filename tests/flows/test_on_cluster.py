"""The night under Prefect's Dask task runner: its batches are task runs on the cluster, its tables the same."""

import asyncio
import datetime as dt
import socket
from pathlib import Path

import pandas as pd
import pytest

import hamload
from hamload import pipeline, post, settings
from hamload.demonstration import load_flow
from hamload.simulator import SimulatedRunner, write_year

LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


def _home(place: Path, inbox: Path, cluster: str = "", wait_s: float = 30) -> Path:
    place.mkdir()
    reading = f'cluster = "{cluster}"\nshared = "{place / "shared"}"\ncluster_wait_s = {wait_s}\n' if cluster else ""
    (place / "config.toml").write_text(
        f'time_zone = "Europe/Vienna"\n[[folders]]\npath = "{inbox}"\nreports_rest = true\n'
        f"[import]\n{reading}[show]\nnightly_report = false\n"
    )
    return place


@pytest.mark.slow
# A minute; tests/pipeline/test_cluster.py reads on a cluster without Prefect in every run.
@pytest.mark.long
@pytest.mark.usefixtures("harness")
def test_a_night_on_a_cluster_leaves_the_tables_of_one_without_and_one_whose_cluster_is_gone_is_told(
    tmp_path: Path,
) -> None:
    from distributed import LocalCluster  # noqa: PLC0415  # two seconds that only this test pays

    nightly = load_flow("nightly")
    inbox = tmp_path / "inbox"
    write_year(SimulatedRunner(), inbox, LAST_DAY, 30)
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        there = _home(tmp_path / "there", inbox, cluster.scheduler_address)
        state = nightly.nightly(there, NIGHT, LAST_DAY + dt.timedelta(days=1), return_state=True)
    assert state.is_completed(), state.message
    assert [p for p in (there / "shared").rglob("*") if p.is_file()] == []
    assert asyncio.run(_task_runs("read ")) >= 2, "the folder and one batch"

    here = settings.load(_home(tmp_path / "here", inbox))
    with pipeline.exclusive(here):
        pipeline.night(here, NIGHT, LAST_DAY + dt.timedelta(days=1))
    for left, right in zip(_frames(there), _frames(here.home), strict=True):
        assert len(left) > 0
        assert left.equals(right)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    lost = _home(tmp_path / "lost", inbox, gone, wait_s=0.5)
    state = nightly.nightly(lost, NIGHT, LAST_DAY + dt.timedelta(days=1), return_state=True)
    assert state.is_failed()
    assert f"The cluster at {gone} does not answer" in str(state.message)
    (told,) = [m.subject for m in post.standing(settings.load(lost)) if m.kind == "failure"]
    assert told == "hamload: the night went wrong last night"


def _frames(home: Path) -> tuple[pd.DataFrame, ...]:
    opened = hamload.open(home)
    return opened.sessions(), opened.daily(), opened.alerts()


async def _task_runs(name: str) -> int:
    from prefect.client.orchestration import get_client  # noqa: PLC0415  # reads the environment on import
    from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterName  # noqa: PLC0415

    async with get_client() as client:
        for _ in range(60):
            wanted = TaskRunFilter(name=TaskRunFilterName(like_=name))
            found = await client.read_task_runs(task_run_filter=wanted)
            if len([run for run in found if run.state and run.state.is_completed()]) >= 2:
                break
            # What a worker reports arrives a little later.
            await asyncio.sleep(0.5)
    return len(found)
