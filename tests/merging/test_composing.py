"""One recording made of several."""

import numpy as np

from hamload.merging import Gift, compose
from hamload.records import Samples


def _samples(seconds: int, mps: float, **channels: float) -> Samples:
    time_s = np.arange(seconds, dtype=np.float64)
    told = {name: np.full(seconds, value) for name, value in channels.items()}
    return Samples.of(time_s, speed_mps=np.full(seconds, mps), distance_m=mps * time_s, **told)


def test_a_piece_takes_the_place_of_standing_and_nothing_is_counted_twice() -> None:
    speed = np.r_[np.full(100, 2.0), np.full(50, 0.0), np.full(100, 2.0)]
    best = Samples.of(np.arange(250.0), speed_mps=speed)
    whole = compose(best, [Gift(_samples(300, 3.0), -20.0, 120.0, 170.0)])
    assert np.array_equal(whole.time_s, np.arange(250.0))
    assert whole.dt_s.sum() == 250
    assert np.array_equal(np.flatnonzero(whole.speed_mps == 3.0), np.arange(100, 150))
    assert np.isnan(whole.distance_m).all()


def test_a_piece_after_the_end_lengthens_the_run_by_itself() -> None:
    whole = compose(_samples(100, 2.0), [Gift(_samples(200, 3.0), 50.0, 60.0, 200.0)])
    assert whole.time_s[[0, 99, 100, -1]].tolist() == [0, 99, 110, 249]
    assert (np.diff(whole.time_s) > 0).all()


def test_altitude_and_heart_rate_are_carried_over_at_the_same_moments_and_not_across_gaps() -> None:
    other = _samples(100, 2.0, altitude_m=300, grade=0.05, heart_rate_bpm=150)
    whole = compose(_samples(200, 2.0), [], Gift(other, 20.0), Gift(other, 20.0))
    known = np.flatnonzero(np.isfinite(whole.grade))
    assert (known[0], known[-1]) == (15, 124)
    assert set(whole.altitude_m[known]) == {300.0}
    assert np.array_equal(np.isfinite(whole.heart_rate_bpm), np.isfinite(whole.grade))
    assert np.array_equal(whole.distance_m, _samples(200, 2.0).distance_m)


def test_what_follows_the_cut_is_gone_and_without_gifts_nothing_changes() -> None:
    best = _samples(100, 2.0)
    assert len(compose(best, [], until_s=40)) == 40
    assert all(
        np.array_equal(getattr(compose(best, []), name), getattr(best, name), equal_nan=True)
        for name in Samples.__slots__
    )
