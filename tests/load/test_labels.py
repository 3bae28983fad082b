import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hamload.load import LoadModel, session_load
from hamload.load.labels import Kinds, all_of, any_of, easy_label, heavy_label
from hamload.records import Athlete, Samples, SessionLoad

type Run = Callable[..., Samples]
type Known = bool | None

THREE: tuple[Known, ...] = (True, False, None)


@pytest.mark.parametrize(("a", "b"), list(product(THREE, THREE)))
def test_unknown_decides_only_where_it_must(a: Known, b: Known) -> None:
    """Whatever each unknown turns out to be: where all ways agree, that is the answer, else it is unknown."""
    ways = [(x, y) for x, y in product((True, False), repeat=2) if a in {None, x} and b in {None, y}]
    either, both = {x or y for x, y in ways}, {x and y for x, y in ways}
    assert any_of(a, b) is (either.pop() if len(either) == 1 else None)
    assert all_of(a, b) is (both.pop() if len(both) == 1 else None)


def _heavy(kinds: Sequence[Known], high: Known) -> Known:
    athlete = Athlete(2.8, 2700, high_load_efm=None if high is None else 50.0)
    return heavy_label(Kinds(*kinds), 60.0 if high else 40.0, athlete)


@pytest.mark.parametrize("rules", list(product(THREE, repeat=4)))
def test_heavy_is_true_with_any_and_false_only_with_all_known_false(rules: tuple[Known, ...]) -> None:
    expected = True if True in rules else None if None in rules else False
    assert _heavy(rules[:3], rules[3]) is expected


@pytest.mark.parametrize(
    ("is_heavy", "demand", "expected"),
    [
        (True, 0.9, False),
        (False, 0.9, True),
        (False, 1.0, True),
        (False, 1.1, False),
        (None, 0.9, None),
        (None, 1.1, False),
        (False, math.nan, None),
    ],
)
def test_easy_is_none_of_these_and_at_most_the_own_median(
    is_heavy: Known, demand: float, expected: Known, regular: Athlete
) -> None:
    assert easy_label(is_heavy, demand, regular) is expected


def _load(samples: Samples, athlete: Athlete, model: LoadModel) -> SessionLoad:
    return session_load(samples, athlete, model)


def test_a_usual_run_is_easy_and_nothing_else(run: Run, regular: Athlete, model: LoadModel) -> None:
    load = _load(run((2700, 2.7, 0.0)), regular, model)
    assert (load.is_hill, load.is_speed, load.is_long, load.is_heavy, load.is_easy) == (
        False,
        False,
        False,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([(2700, 2.8, 0.0), (299, 2.8, 0.04)], False),  # 9.97 % of the distance at 4 %, 4 m/km
        ([(2700, 2.8, 0.0), (301, 2.8, 0.04)], True),  # 10.03 %
        ([(1000, 2.8, 0.0), (1000, 2.8, 0.03)], True),  # never steep, but 15 m/km, above own 12 and above 8
        ([(2000, 2.8, 0.0), (1000, 2.8, 0.03)], False),  # 10 m/km: above 8, not above own 12
        ([(2700, 2.8, 0.0), (299, 2.8, math.nan)], False),  # even if all the unknown were uphill: not a tenth
        ([(2700, 2.8, 0.0), (400, 2.8, math.nan)], None),
        ([(2700, 2.8, 0.0), (170, 2.8, 0.05), (200, 2.8, math.nan)], None),  # 5.5 % steep, 6.5 % unknown
        ([(2700, 2.8, math.nan), (400, 2.8, 0.05)], True),
        ([(2700, 2.8, math.nan)], None),
    ],
)
def test_a_hill_session(
    legs: list[tuple[float, float, float]], expected: Known, run: Run, regular: Athlete, model: LoadModel
) -> None:
    assert _load(run(*legs), regular, model).is_hill is expected


def test_a_flat_runners_usual_climb_makes_no_hill_session(run: Run, regular: Athlete, model: LoadModel) -> None:
    flatlander = replace(regular, climb_m_per_km=3.0)
    assert _load(run((2000, 2.8, 0.0), (500, 2.8, 0.03)), flatlander, model).is_hill is False  # 6 m/km


def test_a_newcomers_first_run_is_hilly_if_it_is_steep_and_unknown_if_it_is_only_rolling(
    run: Run, newcomer: Athlete, model: LoadModel
) -> None:
    assert _load(run((1800, 2.8, 0.05)), newcomer, model).is_hill is True
    assert _load(run((1800, 2.8, 0.0)), newcomer, model).is_hill is False
    assert _load(run((1800, 2.8, 0.02)), newcomer, model).is_hill is None


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([(2400, 2.8, 0.0), (590, 4.0, 0.0)], False),  # 9:50 of 49:50 is under a fifth
        ([(2400, 2.8, 0.0), (610, 4.0, 0.0)], True),
        ([(300, 2.8, 0.0), (170, 4.0, 0.0)], False),  # more than a fifth, but under three minutes
        ([(300, 2.8, 0.0), (190, 4.0, 0.0)], True),
        ([(600, 2.8, 0.0), *[(20, 6.0, 0.0), (80, 2.8, 0.0)] * 4], True),  # their 30-s mean is 4.93: above own P98
        ([(600, 2.8, 0.0), *[(20, 6.0, 0.0), (80, 2.8, 0.0)] * 3], False),
        ([(600, 2.8, 0.0), *[(15, 6.0, 0.0), (80, 2.8, 0.0)] * 4], False),  # 4.4
    ],
)
def test_a_speed_session(
    legs: list[tuple[float, float, float]], expected: Known, run: Run, regular: Athlete, model: LoadModel
) -> None:
    assert _load(run(*legs), regular, model).is_speed is expected


def test_strides_of_ten_seconds_stand_out_of_an_easy_runners_thirty(
    run: Run, regular: Athlete, model: LoadModel
) -> None:
    easy_runner = replace(regular, very_fast_mps=3.2)
    strides = [(600, 2.8, 0.0), *[(10, 5.0, 0.0), (80, 2.8, 0.0)] * 4]
    assert _load(run(*strides), easy_runner, model).is_speed is True
    assert _load(run(*strides[:-2]), easy_runner, model).is_speed is False


def test_a_second_of_noise_is_no_stride(regular: Athlete, model: LoadModel) -> None:
    """Speed that scatters by 0.5 m/s around an easy pace is above 3.2 m/s a fifth of the time, its 30-s mean never."""
    speed = 2.8 + np.random.default_rng(5).normal(0, 0.5, 3600)
    samples = Samples.of(np.arange(3600.0), speed_mps=speed, grade=np.zeros(3600))
    assert session_load(samples, replace(regular, very_fast_mps=3.2), model).is_speed is False


def test_a_pause_ends_a_stride(regular: Athlete, model: LoadModel) -> None:
    """Eight times 6 s are no strides of 10 s, though they follow one another in the recording."""
    time_s = np.arange(600.0)
    speed = np.full(600, 2.8)
    speed[300:348] = 5.0
    through = Samples.of(time_s, dt_s=np.ones(600), speed_mps=speed, grade=np.zeros(600))
    paused = replace(through, time_s=time_s + 60 * np.clip((time_s - 294) // 6, 0, 9))
    bouts = replace(model, labels=replace(model.labels, speed_bouts=1))
    assert session_load(through, regular, bouts).is_speed is True
    assert session_load(paused, regular, bouts).is_speed is False


@pytest.mark.parametrize(
    ("leg", "expected"),
    [
        ((3540, 2.8, 0.0), False),  # 9.9 km
        ((3600, 2.8, 0.0), True),  # own P80, and 1.33 x own median
        ((3000, 4.5, 0.0), True),  # 13.5 km, more than 1.10 x 12 km
        ((3000, 4.4, 0.0), False),  # 13.2 km is not more
    ],
)
def test_a_long_session(
    leg: tuple[float, float, float], expected: Known, run: Run, regular: Athlete, model: LoadModel
) -> None:
    assert _load(run(leg), regular, model).is_long is expected


def test_a_runner_whose_p80_is_short_needs_more_than_their_median(run: Run, regular: Athlete, model: LoadModel) -> None:
    uniform = replace(regular, long_time_s=2750)
    assert _load(run((2800, 2.8, 0.0)), uniform, model).is_long is False


def test_without_a_history_nothing_is_long_nor_not_long(run: Run, newcomer: Athlete, model: LoadModel) -> None:
    assert _load(run((9000, 2.8, 0.0)), newcomer, model).is_long is None


def test_a_high_load_alone_makes_a_heavy_session(run: Run, regular: Athlete, model: LoadModel) -> None:
    load = _load(run((3300, 3.1, 0.0)), regular, model)
    assert (load.is_hill, load.is_speed, load.is_long) == (False, False, False)
    assert load.load_efm > 60
    assert load.is_heavy is True
