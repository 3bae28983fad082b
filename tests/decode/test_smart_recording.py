"""A run recorded every second, and the same run thinned as a watch's smart recording thins it: the same load."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hamload.decode import clean, decode
from hamload.load.demand import demand
from hamload.parameters import LoadModel, Signal
from hamload.records import Array, Recording, Samples, Sport, Streams

# Real recordings with a record nearly every second; the first session of running in each.
RUNS = (
    "python-fitparse/tests/files/activity-small-fenix2-run.fit",
    "python-fitparse/tests/files/activity-large-fenxi2-multisport.fit",
    "python-fitparse/tests/files/developer-types-sample.fit",
    "tormoder-fit/testdata/misc/mornindew-broken.fit",
    "runpandas/runpandas/tests/io/data/gpx/run.gpx",
    "runpandas/runpandas/tests/io/data/tcx/run.tcx",
)
EASY_MPS = 2.8


def load(samples: Samples, model: LoadModel) -> float:
    """EFM without the factor for long runs, which depends on the athlete."""
    h = demand(samples.speed_mps, samples.grade, EASY_MPS, model.demand)
    moving = samples.speed_mps >= model.session.moving_speed_mps
    return float((h * samples.dt_s)[moving].sum() / 60)


def heading(streams: Streams) -> Array:
    north, east = np.gradient(streams.latitude_deg), np.gradient(streams.longitude_deg)
    return np.unwrap(np.arctan2(east * np.cos(np.radians(streams.latitude_deg)), north))


def thinned(recording: Recording) -> Recording:
    """Keep a row where direction, speed or heart rate changed since the last kept one, and at least every 8 s."""
    streams = recording.streams
    assert streams is not None
    direction = np.nan_to_num(heading(streams))
    kept = [0]
    for row in range(1, len(streams) - 1):
        last = kept[-1]
        turned = abs(direction[row] - direction[last]) > np.radians(20)
        faster = abs(streams.speed_mps[row] - streams.speed_mps[last]) > 0.4
        beat = abs(streams.heart_rate_bpm[row] - streams.heart_rate_bpm[last]) > 3
        if turned or faster or beat or streams.time_s[row + 1] - streams.time_s[last] > 8:
            kept.append(row)
    kept.append(len(streams) - 1)
    channels = {n: getattr(streams, n)[kept] for n in Streams.__slots__ if n not in {"time_s", "pauses"}}
    return replace(recording, streams=Streams.of(streams.time_s[kept], pauses=streams.pauses, **channels))


def first_run(path: Path) -> Recording:
    recordings = decode(path.read_bytes(), path.suffix.removeprefix("."))  # type: ignore[arg-type]
    return next(r for r in recordings if r.sport in {Sport.RUN, Sport.UNKNOWN} and r.streams and len(r.streams) > 1000)


@pytest.mark.parametrize("name", RUNS)
def test_a_thinned_run_has_the_same_load_within_two_percent(
    shared_data: Path, signal: Signal, model: LoadModel, name: str
) -> None:
    every_second = first_run(shared_data / "activities" / name)
    now_and_then = thinned(every_second)
    assert every_second.streams is not None
    assert now_and_then.streams is not None
    assert len(now_and_then.streams) < 0.6 * len(every_second.streams)
    whole, quality = clean(every_second, signal)
    fewer, fewer_quality = clean(now_and_then, signal)
    difference = load(fewer, model) / load(whole, model) - 1
    assert abs(difference) < 0.02, f"{difference:+.2%} of {load(whole, model):.1f} EFM"
    assert fewer_quality.used_s == pytest.approx(quality.used_s, rel=0.002)
    print(f"{name}: {len(every_second.streams)} -> {len(now_and_then.streams)} rows, {difference:+.2%}")  # noqa: T201
