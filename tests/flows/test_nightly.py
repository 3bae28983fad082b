"""The nightly flow through Prefect's own harness: one slow test of the whole, quick ones of its tasks' bodies."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from hamload import pipeline, settings
from hamload.demonstration import load_flow
from hamload.simulator import SimulatedRunner, write_year

LAST_DAY = dt.date(2026, 11, 22)
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


def _home(place: Path, *, folders: tuple[Path, ...]) -> Path:
    home = place / "home"
    home.mkdir()
    watched = "".join(f'[[folders]]\npath = "{folder.as_posix()}"\nreports_rest = true\n' for folder in folders)
    # That a night writes its report, test_live_night.py shows.
    show = "[show]\nnightly_report = false\n"
    (home / "config.toml").write_text(f'time_zone = "Europe/Vienna"\n{show}{watched}')
    return home


@pytest.mark.slow
@pytest.mark.usefixtures("harness")
def test_a_night_reads_assesses_alerts_and_shows_the_digest_and_a_dead_source_harms_no_other(tmp_path: Path) -> None:
    nightly = load_flow("nightly")
    inbox = tmp_path / "inbox"
    write_year(SimulatedRunner(), inbox, LAST_DAY, 45)
    home = _home(tmp_path, folders=(inbox,))

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
    write_year(SimulatedRunner(), inbox, LAST_DAY, 20)
    tables = []
    for name in ("flow", "command"):
        place = tmp_path / name
        place.mkdir()
        current = settings.load(_home(place, folders=(inbox,)))
        with pipeline.exclusive(current):
            if name == "flow":
                pipeline.put_folder(current, current.folders[0], NIGHT)
                pipeline.decode(current)
                pipeline.assess(current, NIGHT.date())
                pipeline.alert(current)
                pipeline.publish(current)
            else:
                pipeline.night(current, NIGHT, NIGHT.date())
        import hamload  # noqa: PLC0415

        opened = hamload.open(current.home)
        tables.append((opened.sessions(), opened.daily(), opened.alerts()))
    for left, right in zip(*tables, strict=True):
        assert len(left) > 0
        assert left.equals(right)
