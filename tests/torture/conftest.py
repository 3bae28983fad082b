"""The torture of `bench/torture`, in small: a few of each, drawn by a fixed seed."""

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(autouse=True)
def _with_torture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    for name in [name for name in sys.modules if name.partition(".")[0] == "torture"]:
        assert Path(str(sys.modules[name].__file__)).is_relative_to(BENCH)
