import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import settings
from hamload.load import LoadModel, demand, endurance_factor, session_load
from hamload.load.endurance import mean_endurance_factor
from hamload.records import AltitudeSource, Athlete, Basis, Confidence, Samples, SessionLoad

MODEL = settings.defaults()[0]
type Run = Callable[..., Samples]


def _parts(load: SessionLoad) -> tuple[float, float, float, float]:
    return load.load_hill_efm, load.load_speed_efm, load.load_long_efm, load.load_base_efm


# Each is read literally, in the order written, at 1 Hz. "10 x 100 m at 6" are ten times 16 2/3 s (the last sample of
# each stands for 2/3 s) after the 40 easy minutes; repetitions follow one another without a jog between; "thirds" are
# three legs of 15 min; "easy" is 2.8 m/s where no speed is given; the grade is 0 unless given.
CHECKS: dict[str, tuple[list[tuple[float, float, float]], float]] = {
    "45 min easy": ([(2700, 2.8, 0.0)], 45.0),
    "100 min at 2.75": ([(6000, 2.75, 0.0)], 102.0),
    "37 easy at 2.7 plus 8 x 1 min at 3.2 and +8 %": ([(2220, 2.7, 0.0), *[(60, 3.2, 0.08)] * 8], 49.4),
    "25 easy + 24 min at 4.2": ([(1500, 2.8, 0.0), (1440, 4.2, 0.0)], 76.9),
    "40 easy + 10 x 100 m at 6": ([(2400, 2.8, 0.0), *[(100 / 6, 6.0, 0.0)] * 10], 54.4),
    "thirds of 15 min": ([(900, 2.8, 0.0), (900, 2.35, 0.06), (900, 3.1, -0.06)], 47.2),
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_worked_examples_come_out(name: str, run: Run, newcomer: Athlete, model: LoadModel) -> None:
    legs, efm = CHECKS[name]
    # "102" is given to the whole EFM, the others to a tenth.
    assert session_load(run(*legs), newcomer, model).load_efm == pytest.approx(efm, abs=0.1 if efm == 102 else 0.05)


def test_without_the_late_factor_the_100_minutes_are_96_6(run: Run, newcomer: Athlete, model: LoadModel) -> None:
    plain = replace(model, session=replace(model.session, long_gain=0.0))
    assert session_load(run((6000, 2.75, 0.0)), newcomer, plain).load_efm == pytest.approx(96.6, abs=0.05)


def test_late_minutes_weigh_up_to_a_quarter_more(model: LoadModel) -> None:
    t = np.array([0, 45, 78.75, 112.5, 300]) * 60
    assert endurance_factor(t, 2700, model.session).tolist() == pytest.approx([1, 1, 1.125, 1.25, 1.25])


def test_the_mean_late_factor_is_the_integral_across_both_kinks(model: LoadModel) -> None:
    # One sample of 150 min: 45 at 1, 67.5 rising to 1.25, 37.5 at 1.25.
    mean = mean_endurance_factor(np.array([9000.0]), 2700, model.session)
    assert mean.tolist() == pytest.approx([(45 + 67.5 * 1.125 + 37.5 * 1.25) / 150])


def test_standing_adds_nothing_and_makes_nobody_tired(run: Run, newcomer: Athlete, model: LoadModel) -> None:
    through = session_load(run((5400, 2.8, 0.0)), newcomer, model)
    with_stop = session_load(run((2700, 2.8, 0.0), (1800, 0.2, 0.0), (2700, 2.8, 0.0)), newcomer, model)
    assert with_stop.load_efm == pytest.approx(through.load_efm, rel=1e-12)
    assert with_stop.moving_time_s == 5400


def test_a_sample_belongs_to_hill_before_speed_before_long(run: Run, regular: Athlete, model: LoadModel) -> None:
    # Beyond 1.3 x 45 min = 58.5 min: 5 min uphill and fast, 5 min fast, 5 min easy; one easy hour before.
    legs = [(3600, 2.8, 0.0), (300, 4.0, 0.05), (300, 4.0, 0.0), (300, 2.8, 0.0)]
    hill, speed, long, base = _parts(session_load(run(*legs), regular, model))
    assert hill == pytest.approx(5 * float(demand(4.0, 0.05, 2.8, model.demand)) * 1.08, rel=0.02)
    # The 30-s mean carries a few seconds over each edge: level-equivalent 4.0 is above 3.5 until 8.75 s past the end.
    assert speed == pytest.approx((300 * 1.968 + 6.25) / 60 * 1.1, rel=0.03)
    assert long == pytest.approx((90 + 300 - 6.25) / 60 * 1.09, rel=0.03)
    assert base == pytest.approx(45 + 13.5 * (1 + 0.25 * 0.1), rel=1e-6)


def test_unknown_parts_are_0_and_their_labels_say_that_they_are_unknown(
    run: Run, newcomer: Athlete, model: LoadModel
) -> None:
    load = session_load(run((2700, 4.5, math.nan)), newcomer, model)
    assert (load.load_hill_efm, load.load_speed_efm) == (0.0, 0.0)
    assert (load.is_hill, load.is_speed, load.is_long, load.is_heavy, load.is_easy) == (None,) * 5
    assert (load.basis, load.confidence) == (Basis.STREAMS_FLAT, Confidence.MEDIUM)
    assert load.climb_m is None


def test_climb_is_grade_times_distance_above_the_dead_band(run: Run, newcomer: Athlete, model: LoadModel) -> None:
    load = session_load(run((1000, 2.5, 0.06), (1000, 2.5, 0.008), (1000, 2.5, -0.06)), newcomer, model)
    assert load.climb_m == pytest.approx(2500 * 0.06)
    assert load.distance_m == pytest.approx(7500)


def test_the_recorded_distance_is_believed_through_dropped_stretches(newcomer: Athlete, model: LoadModel) -> None:
    samples = Samples.of(
        [0, 1, 60, 61], dt_s=[1, 1, 1, 1], speed_mps=[3, 3, 3, 3], distance_m=[0, 3, 180, 183], grade=[0, 0, 0, 0]
    )
    assert session_load(samples, newcomer, model).distance_m == pytest.approx(186)


def test_a_barometer_is_trusted_more_than_gps_and_a_gap_lowers_it(
    run: Run, newcomer: Athlete, model: LoadModel
) -> None:
    samples = run((2700, 2.8, 0.0))
    graded = [
        session_load(samples, newcomer, model, altitude_source=source, usable_share=share)
        for source, share in [
            (AltitudeSource.BAROMETER, 1.0),
            (AltitudeSource.GPS, 1.0),
            (AltitudeSource.BAROMETER, 0.8),
            (AltitudeSource.GPS, 0.5),
        ]
    ]
    assert [g.confidence for g in graded] == [
        Confidence.HIGH,
        Confidence.MEDIUM,
        Confidence.MEDIUM,
        Confidence.VERY_LOW,
    ]
    assert "Only 80 % of the running time" in graded[2].confidence_why


def test_nobody_moving_is_no_load_but_nothing_known_is_an_error(run: Run, newcomer: Athlete, model: LoadModel) -> None:
    still = session_load(run((60, 0.1, 0.0)), newcomer, model)
    assert still.load_efm == 0
    assert math.isnan(still.mean_demand)
    assert still.is_hill is None
    with pytest.raises(ValueError, match="No sample has a known speed"):
        session_load(run((60, math.nan, 0.0)), newcomer, model)


legs_of_a_run = st.lists(
    st.tuples(
        st.integers(10, 1500),
        st.integers(0, 700).map(lambda hundredths: hundredths / 100),
        st.one_of(st.floats(-0.3, 0.3), st.just(math.nan)),
    ),
    min_size=1,
    max_size=8,
)
# Never equal to a speed of a leg: which side of a threshold rounding falls on is nobody's property.
thresholds = st.one_of(st.none(), st.integers(200, 500).map(lambda hundredths: hundredths / 100 + 0.00371))


def _built(legs: list[tuple[int, float, float]], step_s: float = 1.0) -> Samples:
    """Return samples at the given spacing, all of equal length."""
    columns = [np.repeat([leg[k] for leg in legs], [round(leg[0] / step_s) for leg in legs]) for k in (1, 2)]
    n = len(columns[0])
    return Samples.of(np.arange(n) * step_s, dt_s=np.full(n, step_s), speed_mps=columns[0], grade=columns[1])


@given(legs_of_a_run, thresholds, st.floats(1800, 4500))
def test_the_parts_sum_to_the_load_whatever_is_unknown(
    legs: list[tuple[int, float, float]], fast: float | None, typical_s: float
) -> None:
    load = session_load(_built(legs), Athlete(2.8, typical_s, fast_mps=fast), MODEL)
    assert sum(_parts(load)) == pytest.approx(load.load_efm, abs=1e-9)
    assert min(_parts(load)) >= 0
    moving = sum(leg[0] for leg in legs if leg[1] >= 0.5)
    assert load.moving_time_s == pytest.approx(moving)
    if moving:
        # F lies between 1 and 1.25 everywhere.
        plain = load.mean_demand * moving / 60
        assert plain * (1 - 1e-12) <= load.load_efm <= 1.25 * plain * (1 + 1e-12)


@given(legs_of_a_run, thresholds)
def test_halving_every_sample_changes_nothing(legs: list[tuple[int, float, float]], fast: float | None) -> None:
    athlete = Athlete(2.8, 1800, fast_mps=fast)
    whole, halves = (session_load(_built(legs, step), athlete, MODEL) for step in (1.0, 0.5))
    assert halves.load_efm == pytest.approx(whole.load_efm, rel=1e-9, abs=1e-9)
    assert halves.mean_demand == pytest.approx(whole.mean_demand, rel=1e-9, nan_ok=True)
    assert halves.load_hill_efm == pytest.approx(whole.load_hill_efm, rel=1e-9, abs=1e-9)
    # A second may change between speed, long and base at each edge of a leg, as their bounds then fall within it.
    hardest = max(float(demand(leg[1], leg[2], 2.8, MODEL.demand)) for leg in legs) * 1.25 / 60
    assert halves.load_speed_efm == pytest.approx(whole.load_speed_efm, abs=2 * len(legs) * hardest + 1e-9)


@given(legs_of_a_run, st.floats(1.0, 1.5), st.floats(0, 0.1))
def test_faster_or_steeper_is_never_less(legs: list[tuple[int, float, float]], factor: float, more: float) -> None:
    athlete = Athlete(2.8, 2700)
    harder = [(s, v * factor, g + more) for s, v, g in legs]
    assert session_load(_built(harder), athlete, MODEL).load_efm >= session_load(
        _built(legs), athlete, MODEL
    ).load_efm * (1 - 1e-12)
