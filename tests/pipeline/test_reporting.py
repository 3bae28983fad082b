"""The report of a home: everything in it, and each run's course true to its samples."""

import base64
import datetime as dt
import json
import re
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hamload
from hamload import journal, pipeline
from hamload.raw import Raw
from hamload.settings import Settings

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def page(simulated_home: Settings) -> tuple[Path, str, dict[str, Any]]:
    path = pipeline.report(simulated_home, "me", NOW)
    html = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return path, html, json.loads(found[1])


def test_the_page_holds_every_run_day_and_coefficient_and_is_its_owners_alone(
    simulated_home: Settings, page: tuple[Path, str, dict[str, Any]]
) -> None:
    path, html, data = page
    home = hamload.open(simulated_home.home)
    assert path == simulated_home.home / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert html.count('<tr class="run"') == len(home.sessions())
    assert len(data["rows"]["days"]) == len(home.daily(series="total"))
    shown = sum(day[part] for day in data["rows"]["days"] for part in ("hill", "speed", "long", "base"))
    assert shown == pytest.approx(home.sessions()["load_efm"].sum(), rel=1e-3)
    for key in simulated_home.provenance:
        assert f'<th scope="row">{key.rpartition(".")[2]}</th>' in html
    assert "Simulated." in html


def test_a_runs_course_says_what_its_samples_say(
    simulated_home: Settings, page: tuple[Path, str, dict[str, Any]]
) -> None:
    home = hamload.open(simulated_home.home)
    newest = home.sessions().iloc[-1]
    samples = home.samples(newest["session_id"])
    trace = page[2]["rows"]["traces"][0]
    speed = np.frombuffer(base64.b64decode(trace["v"]), dtype=np.uint8).astype(float)
    speed[speed == 255] = np.nan
    weights = np.bincount(
        np.minimum(samples["time_s"] / trace["s"], len(speed) - 1).astype(int), samples["dt_s"], len(speed)
    )
    told = np.nansum(speed * 0.04 * weights)
    assert told == pytest.approx((samples["speed_mps"] * samples["dt_s"]).sum(), rel=0.01)
    assert len(speed) <= 300
    assert trace["s"] * len(speed) >= samples["time_s"].max()


def test_weeks_that_nobody_reported_on_are_spans_and_no_bars(
    home: Settings, fit_on: Any, bring: Any, tmp_path: Path
) -> None:
    for number, day in enumerate((1, 3, 12)):
        (tmp_path / f"{number}.fit").write_bytes(fit_on(dt.date(2026, 11, day)))
    with pipeline.exclusive(home), Raw(home.home) as raw, raw.batch(journal.SOURCE, "me", NOW) as batch:
        for level in (2, 5):
            journal.append(batch, "tightness", dt.date(2026, 11, 3), NOW, {"level": level, "side": None})
    bring(home, *sorted(tmp_path.glob("*.fit")))
    html = pipeline.report(home, "me", NOW).read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    rows = json.loads(found[1])["rows"]
    days = {dt.datetime.fromtimestamp(d["at"] / 1000, dt.UTC).day: d for d in rows["days"]}
    spans = [
        (dt.datetime.fromtimestamp(s["at"] / 1000, dt.UTC).day, (s["until"] - s["at"]) // 86_400_000)
        for s in rows["unknown"]
    ]
    assert [row["tightness"] for row in rows["tightness"]] == [5.0]
    assert spans[:2] == [(2, 1), (4, 8)]
    assert days[4]["base"] == 0.0
    assert "unknown" in days[4]["label"]
    assert days[4]["acute"] is None
