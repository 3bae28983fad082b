"""What is doubted, what is not, and whether it counts."""

import dataclasses

import numpy as np
import pytest

from hamload.merging import Record, doubts, is_run_logged_as_ride, measures
from hamload.merging.profile import Measures, as_record
from hamload.parameters import MergingRules
from hamload.records import Array, Samples

M = 1 / 111_195


def _samples(speed: Array, north_m: Array | None = None, east_m: Array | None = None) -> Samples:
    time_s = np.arange(len(speed), dtype=np.float64)
    north = np.cumsum(speed) if north_m is None else north_m
    east = np.zeros(len(speed)) if east_m is None else east_m
    return Samples.of(time_s, speed_mps=speed, latitude_deg=M * north, longitude_deg=M * east)


def _record(samples: Samples, source: str = "device", distance_m: float | None = None) -> Record:
    elapsed = float(samples.time_s[-1])
    return Record(distance_m, elapsed, elapsed, source, measures(samples))


def _steady(minutes: float, mps: float) -> Array:
    return np.full(round(60 * minutes), mps)


def _left_on() -> Samples:
    return _samples(np.concatenate([_steady(8, 2.7), _steady(381, 0.0)]))


def _overnight(after_mps: float, before_min: float = 30) -> Samples:
    speed = np.concatenate([_steady(before_min, 2.7), _steady(30, after_mps)])
    samples = _samples(speed)
    later = np.where(np.arange(len(speed)) < 60 * before_min, 0.0, 15 * 3600)
    return dataclasses.replace(samples, time_s=samples.time_s + later)


def _zigzag(mps: float = 2.8) -> Samples:
    """Positions that go 40 m forward and 20 m back: the way counted is three times the way run."""
    steps = np.tile(np.concatenate([np.full(14, mps), np.full(7, -mps)]), 60)
    return _samples(np.abs(steps), np.cumsum(steps))


def _track(mps: float) -> Samples:
    angle = np.cumsum(_steady(30, mps)) / (400 / (2 * np.pi))
    radius = 400 / (2 * np.pi)
    return _samples(_steady(30, mps), radius * np.sin(angle), radius * np.cos(angle))


def _miles() -> Samples:
    return _samples(_steady(40, 2.8 * 1.609), np.cumsum(_steady(40, 2.8)))


def _twice() -> Samples:
    return _samples(_steady(40, 2.4 * 2), np.cumsum(_steady(40, 2.4)))


def _stepping(*legs: tuple[float, float, float]) -> Samples:
    """Return legs of (minutes, m/s, steps a minute)."""
    speed = np.concatenate([_steady(minutes, mps) for minutes, mps, _ in legs])
    steps = np.concatenate([_steady(minutes, spm) for minutes, _, spm in legs])
    return dataclasses.replace(_samples(speed), cadence_spm=steps)


CASES = {
    "a run that counts its steps": (_record(_stepping((40, 2.8, 170))), [], True),
    "a run, and the way home in slow traffic": (_record(_stepping((40, 2.8, 170), (8, 4.0, 0))), ["no steps"], True),
    "a short run, and a long way home by bicycle": (
        _record(_stepping((10, 2.8, 170), (25, 4.5, 0))),
        ["no steps"],
        False,
    ),
    "a tram of three minutes in the middle": (_record(_stepping((20, 2.8, 170), (3, 5.0, 0), (9, 2.8, 168))), [], True),
    "a pod that fell silent": (_record(_stepping((20, 2.8, 170), (20, 2.8, np.nan))), [], True),
    "a recorder that counts no steps at all": (_record(_stepping((40, 2.8, 0))), [], True),
    "walking breaks with few steps": (_record(_stepping(*[(6, 2.6, 166), (2, 1.2, 95)] * 5)), [], True),
    "an easy run": (_record(_samples(_steady(60, 2.8))), [], True),
    "a slow long run with walking": (_record(_samples(np.tile(np.r_[_steady(5, 2.2), _steady(3, 1.2)], 20))), [], True),
    "a summary of an easy run": (Record(10_000, 3600, 3600, "none", None), [], True),
    "389 minutes for 1.3 km": (_record(_left_on()), ["left on"], True),
    "389 minutes for 1.3 km as a summary": (Record(1300, 389 * 60, 389 * 60, "none", None), ["left on"], False),
    "a car on the morning after": (_record(_overnight(14)), ["left on"], True),
    "a run on the morning after": (_record(_overnight(2.5)), ["left on"], True),
    "started by mistake the evening before": (_record(_overnight(2.7, 2)), ["left on"], False),
    "a ride": (_record(_samples(_steady(60, 6.2))), ["ride"], False),
    "a car": (_record(_samples(_steady(20, 9))), ["vehicle"], False),
    "a ride as a summary": (Record(24_000, 3600, 3600, "none", None), ["ride"], False),
    "a typing error in the distance": (Record(360_000, 3600, 3600, "none", None), [], True),
    "a fast mile": (_record(_samples(_steady(4.5, 6.0))), [], True),
    "a world-class 10 km": (_record(_samples(_steady(27, 6.2))), ["ride"], False),
    "intervals at 5 m/s on a track by a phone": (_record(_track(5.0), "positions"), [], True),
    "an easy run on a track by a phone": (_record(_track(2.8), "positions"), [], True),
    "positions that zigzag": (_record(_zigzag(), "positions"), ["zigzag"], True),
    "positions that zigzag beside a watch's own speed": (_record(_zigzag(1.0)), [], True),
    "miles for kilometres": (_record(_miles()), ["distance"], False),
    "a distance counted twice": (_record(_twice()), ["distance"], False),
    "a treadmill that moves nowhere": (
        Record(8000, 3600, 3600, "device", measures(_samples(_steady(60, 2.6), np.zeros(3600))), is_treadmill=True),
        [],
        True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_doubted_and_whether_it_counts(name: str, merging_rules: MergingRules) -> None:
    record, flags, counts = CASES[name]
    found = doubts(record, merging_rules.sanity)
    assert [d.name for d in found] == flags
    assert all(d.counts for d in found) == counts
    assert all(d.sentence for d in found)


def test_only_the_run_before_a_long_break_is_asked_whether_it_was_a_ride(merging_rules: MergingRules) -> None:
    (doubt,) = doubts(_record(_overnight(14)), merging_rules.sanity)
    assert doubt.until_s == pytest.approx(1800)


@pytest.mark.parametrize(
    ("speed", "is_run"),
    [
        (_steady(40, 2.8), True),
        (np.tile(np.r_[_steady(2, 2.4), _steady(1, 4.5)], 10), True),
        (_steady(40, 1.4), False),
        (np.r_[_steady(40, 3.0), _steady(1, 6.5)], False),
        (_steady(40, 7.0), False),
    ],
)
def test_a_ride_that_is_nowhere_faster_than_a_runner_may_be_a_run(
    merging_rules: MergingRules, *, speed: Array, is_run: bool
) -> None:
    assert is_run_logged_as_ride(measures(_samples(speed)), merging_rules.sanity) is is_run


def test_measures_come_back_from_their_record_and_an_empty_recording_has_none() -> None:
    found = measures(_overnight(14))
    again = Measures.from_record(as_record(found))
    assert again.before is not None
    assert again.gap_s == pytest.approx(found.gap_s)
    assert as_record(again) == as_record(found)
    assert measures(Samples.of([], dt_s=[])) == Measures(0.0, 0.0, 0.0)
