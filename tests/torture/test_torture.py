"""A few of each of what `make torture` does at length: kills, hostile inputs, bad nights."""

import os
from pathlib import Path
from typing import Any

import pytest

#: The test server's own: sockets that a killed client leaves to it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize(
    "step",
    [
        "import",
        "send",
        *(pytest.param(step, marks=pytest.mark.long) for step in ("sync", "rebuild", "upgrade", "forget")),
    ],
)
def test_after_a_kill_at_any_moment_the_next_run_leaves_what_an_undisturbed_one_leaves(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torture import kills  # noqa: PLC0415  # found by the fixture

    monkeypatch.setattr(kills, "SHARES", {step: 1})
    (tally,) = kills.run(2, seed=1)
    assert tally.faults == []
    assert tally.kills >= 2
    assert tally.completed == tally.tried


def test_hostile_files_are_read_or_have_a_reason_and_the_good_ones_beside_them_arrive() -> None:
    from torture import inputs  # noqa: PLC0415  # found by the fixture

    shared = Path(os.environ.get("HAMLOAD_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    tally = inputs.run(60, 2, shared if shared.is_dir() else None)
    assert tally.faults == []
    assert sum(tally.kinds.values()) == 60
    assert sum(tally.read.values()) + sum(tally.reasons.values()) == 60
    assert tally.good == tally.good_arrived > 0


def test_bad_nights_are_told_and_in_the_end_everything_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from torture import nights  # noqa: PLC0415  # found by the fixture

    # Two nights are few: more strikes them than one in ten.
    monkeypatch.setattr(nights, "SHARE", 0.3)
    tally = nights.run(2, seed=3)
    assert tally.faults == []
    assert sum(tally.strikes.values()) > 2
    assert tally.sessions == tally.runs > 0
    assert tally.beyond == 0
    assert tally.told == tally.outages


def test_the_long_version_prints_and_writes_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from torture import __main__ as command  # noqa: PLC0415  # found by the fixture
    from torture import kills, page  # noqa: PLC0415  # found by the fixture

    tallies: Any = [kills.Tally("send", kills=2, tried=2, completed=1, faults=["send at 0.5: the message 'x' is lost"])]
    monkeypatch.setattr(kills, "run", lambda *_: tallies)
    monkeypatch.setattr(page, "PAGE", tmp_path / "torture.md")
    monkeypatch.setattr("sys.argv", ["torture", "kills"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1, "a fault is an error"
    text = (tmp_path / "torture.md").read_text()
    assert "1 of 2 homes" in text
    assert "FAULT send at 0.5" in capsys.readouterr().out
