import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from hamload.load import (
    LoadModel,
    PastRun,
    demand,
    duration_load,
    efm_per_rpe_minute,
    features,
    flat_load,
    session_load,
    streams_to_summary,
    summary_load,
    treadmill_load,
    with_summary,
)
from hamload.load.confidence import estimate_grade, grade, usable_share
from hamload.records import AltitudeSource, Athlete, Basis, Confidence, Samples, SessionLoad, SignalQuality

type Run = Callable[..., Samples]


def _parts(load: SessionLoad) -> tuple[float, float, float, float]:
    return load.load_hill_efm, load.load_speed_efm, load.load_long_efm, load.load_base_efm


def test_a_summary_is_its_mean_speed_on_the_level_times_its_minutes(newcomer: Athlete, model: LoadModel) -> None:
    load = summary_load(9000, 3000, newcomer, None, model)
    assert load.load_efm == pytest.approx(50 * (3.0 / 2.8) ** 1.9)
    assert (load.basis, load.confidence) == (Basis.SUMMARY, Confidence.LOW)
    assert "not yet scaled by your own runs" in load.confidence_why
    assert (load.is_hill, load.is_speed, load.is_long, load.is_easy) == (None, None, None, None)
    assert load.climb_m is None


def test_the_own_ratio_scales_a_summary_and_says_so(newcomer: Athlete, model: LoadModel) -> None:
    plain, scaled = (summary_load(9000, 3000, newcomer, ratio, model) for ratio in (None, 1.12))
    assert scaled.load_efm == pytest.approx(1.12 * plain.load_efm)
    assert scaled.confidence_why.endswith("scaled by your own runs.")
    assert "too few" not in scaled.confidence_why


def test_the_long_part_of_a_summary_is_known_and_the_parts_sum_to_it(newcomer: Athlete, model: LoadModel) -> None:
    load = summary_load(2.8 * 7200, 7200, newcomer, None, model)  # 120 min, of which 61.5 beyond 58.5
    assert _parts(load) == pytest.approx((0, 0, 61.5, 58.5))
    assert sum(_parts(load)) == load.load_efm


def test_a_summary_is_long_where_the_history_says_so(regular: Athlete, model: LoadModel) -> None:
    assert summary_load(2.8 * 4000, 4000, regular, None, model).is_heavy is True
    short = summary_load(2.8 * 1800, 1800, regular, None, model)
    assert (short.is_long, short.is_heavy) == (False, None)


def test_a_duration_is_effort_times_minutes(newcomer: Athlete, model: LoadModel) -> None:
    told = duration_load(3600, 5, 0.4, newcomer, model)
    assert told.load_efm == pytest.approx(60 * 5 * 0.4)
    assert "5/10" in told.confidence_why
    silent = duration_load(3600, None, None, newcomer, model)
    assert silent.load_efm == pytest.approx(60 * 4 * 0.333)
    assert (silent.basis, silent.confidence) == (Basis.DURATION, Confidence.VERY_LOW)
    assert math.isnan(silent.distance_m)
    assert "none was entered" in silent.confidence_why


@pytest.mark.parametrize("rpe", [-1, 10.5, math.nan])
def test_an_effort_off_the_scale_is_refused(rpe: float, newcomer: Athlete, model: LoadModel) -> None:
    with pytest.raises(ValueError, match="0 to 10"):
        duration_load(3600, rpe, None, newcomer, model)


@pytest.mark.parametrize(("distance", "seconds"), [(0, 3600), (9000, 0), (math.nan, 3600)])
def test_a_summary_without_distance_or_time_is_refused(
    distance: float, seconds: float, newcomer: Athlete, model: LoadModel
) -> None:
    with pytest.raises(ValueError, match="above 0"):
        summary_load(distance, seconds, newcomer, None, model)


def test_a_belt_without_incline_is_known_to_be_flat(run: Run, regular: Athlete, model: LoadModel) -> None:
    belt = run((2700, 2.8, math.nan))
    for load in (treadmill_load(belt, regular, model), session_load(belt, regular, model, basis=Basis.TREADMILL)):
        assert load.load_efm == pytest.approx(45)
        assert load.is_hill is False
        assert (load.basis, load.confidence) == (Basis.TREADMILL, Confidence.MEDIUM)


def test_an_entered_incline_is_the_grade(run: Run, regular: Athlete, model: LoadModel) -> None:
    load = treadmill_load(run((2700, 2.8, math.nan)), regular, model, incline=0.05)
    assert load.load_efm == pytest.approx(45 * float(demand(2.8, 0.05, 2.8, model.demand)))
    assert load.load_hill_efm == load.load_efm
    assert load.is_hill is True


def test_altitude_that_must_not_be_used_leaves_the_hills_unknown(run: Run, regular: Athlete, model: LoadModel) -> None:
    load = flat_load(run((2700, 2.8, 0.1)), regular, model)
    assert load.load_efm == pytest.approx(45)
    assert (load.is_hill, load.load_hill_efm, load.climb_m) == (None, 0.0, None)
    assert load.basis is Basis.STREAMS_FLAT
    assert "without altitude" in load.confidence_why


def _history(run: Run, model: LoadModel, n: int) -> list[PastRun]:
    """Return runs of 40 easy minutes and `k` fast ones, with an effort of 3."""
    athlete = Athlete(2.8, 2700)
    past = []
    for k in range(n):
        samples = run((2400, 2.8, 0.0), (60 * k, 4.2, 0.0))
        load = session_load(samples, athlete, model)
        start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=k)
        past.append(PastRun(start, features(samples, model), load.load_efm, load.mean_demand, rpe=3.0))
    return past


def test_the_own_ratio_is_the_median_and_makes_the_median_run_come_out(run: Run, model: LoadModel) -> None:
    past = _history(run, model, 9)
    ratio = streams_to_summary(past, 2.8, model)
    assert ratio is not None
    ratios = []
    for one in past:
        assert one.features.distance_m is not None
        summary = summary_load(one.features.distance_m, one.features.moving_time_s, Athlete(2.8, 2700), ratio, model)
        ratios.append((one.load_efm or 0) / summary.load_efm)
    assert sorted(ratios)[4] == pytest.approx(1)
    assert ratio > 1


def test_the_regression_runs_through_the_origin(run: Run, model: LoadModel) -> None:
    past = _history(run, model, 8)
    slope = efm_per_rpe_minute(past, model)
    x = [3 * p.features.moving_time_s / 60 for p in past]
    y = [p.load_efm or 0 for p in past]
    assert slope == pytest.approx(sum(a * b for a, b in zip(x, y, strict=True)) / sum(a * a for a in x))


def test_seven_runs_and_estimates_do_not_scale_an_estimate(run: Run, model: LoadModel) -> None:
    past = _history(run, model, 9)
    estimated = [replace(p, basis=Basis.SUMMARY) for p in past]
    for few in (past[:7], estimated, [replace(p, is_counted=False) for p in past]):
        assert streams_to_summary(few, 2.8, model) is None
        assert efm_per_rpe_minute(few, model) is None
    assert efm_per_rpe_minute([replace(p, rpe=None) for p in past], model) is None


def test_usable_time_is_measured_against_all_running_time() -> None:
    quality = SignalQuality("device", AltitudeSource.GPS, 900, 300, 10, 60, 40, 1.0, 1.0)
    assert usable_share(quality) == pytest.approx(0.9)
    assert usable_share(replace(quality, used_s=0, lost_s=0, dropped_s=0)) == 0


def test_confidence_never_rises_with_less(model: LoadModel) -> None:
    order = list(Confidence)

    def rank(basis: Basis, source: AltitudeSource, usable: float, graded: float) -> int:
        return order.index(grade(basis, source, usable, graded, model.fallback)[0])

    baro, gps = AltitudeSource.BAROMETER, AltitudeSource.GPS
    shares = [1.0, 0.9, 0.89, 0.6, 0.59, 0.0]
    for source in (baro, gps):
        ranks = [rank(Basis.STREAMS, source, share, 1.0) for share in shares]
        assert ranks == sorted(ranks)
        assert ranks[0] < ranks[-1]
    assert rank(Basis.STREAMS, baro, 1, 1) < rank(Basis.STREAMS, gps, 1, 1) <= rank(Basis.STREAMS_FLAT, gps, 1, 0)
    assert rank(Basis.STREAMS, baro, 1, 0.2) == rank(Basis.STREAMS_FLAT, baro, 1, 0)
    assert order.index(estimate_grade(Basis.SUMMARY, own_scale=True)[0]) > rank(Basis.TREADMILL, gps, 1, 1)


def test_the_share_of_the_way_whose_altitude_is_missing_is_named(model: LoadModel) -> None:
    told = grade(Basis.STREAMS, AltitudeSource.BAROMETER, 1.0, 0.8, model.fallback)[1]
    assert "The altitude of 20 % of the way is missing" in told


def test_streams_and_estimates_are_not_graded_by_each_others_rule(model: LoadModel) -> None:
    with pytest.raises(ValueError, match="no streams"):
        grade(Basis.SUMMARY, AltitudeSource.GPS, 1, 1, model.fallback)
    with pytest.raises(ValueError, match="rests on streams"):
        estimate_grade(Basis.STREAMS, own_scale=True)


def test_every_reason_is_a_sentence(model: LoadModel) -> None:
    reasons = [
        grade(basis, source, usable, 0.5, model.fallback)[1]
        for basis in (Basis.STREAMS, Basis.STREAMS_FLAT, Basis.TREADMILL)
        for source in AltitudeSource
        for usable in (1.0, 0.7)
    ]
    reasons += [
        estimate_grade(basis, own_scale=own, rpe=rpe)[1]
        for basis in (Basis.SUMMARY, Basis.DURATION)
        for own in (True, False)
        for rpe in (None, 6.5)
    ]
    for reason in reasons:
        assert reason[0].isupper()
        assert reason.endswith(".")
        assert "  " not in reason


@pytest.mark.parametrize("rpe", [0.0, 0.5, 10.0])
def test_the_ends_of_the_scale_are_efforts(rpe: float, newcomer: Athlete, model: LoadModel) -> None:
    assert duration_load(3600, rpe, None, newcomer, model).load_efm == pytest.approx(60 * rpe * 0.333)


def test_an_own_scale_of_effort_is_said_to_be_one(newcomer: Athlete, model: LoadModel) -> None:
    shipped, own = (duration_load(3600, 5, scale, newcomer, model).confidence_why for scale in (None, 0.4))
    assert shipped != own
    assert "own runs" in own


def test_a_tiny_amount_is_above_zero(newcomer: Athlete, model: LoadModel) -> None:
    assert summary_load(0.5, 0.5, newcomer, None, model).load_efm > 0


def test_a_flat_load_keeps_its_basis_and_says_how_much_could_be_used(
    run: Run, regular: Athlete, model: LoadModel
) -> None:
    whole, part = (flat_load(run((2700, 2.8, 0.1)), regular, model, usable_share=share) for share in (1.0, 0.5))
    assert whole.basis is part.basis is Basis.STREAMS_FLAT
    assert whole.confidence_why != part.confidence_why
    belt, half = (treadmill_load(run((2700, 2.8, 0.0)), regular, model, usable_share=s) for s in (1.0, 0.5))
    assert belt.confidence_why != half.confidence_why
    assert treadmill_load(run((2700, 2.8, 0.0)), regular, model) == belt


def test_just_enough_runs_give_an_own_ratio_and_an_own_scale(run: Run, model: LoadModel) -> None:
    past = _history(run, model, model.fallback.min_runs)
    assert streams_to_summary(past, 2.8, model) is not None
    assert efm_per_rpe_minute(past, model) is not None
    assert streams_to_summary(past[1:], 2.8, model) is None
    assert efm_per_rpe_minute(past[1:], model) is None


@pytest.mark.parametrize("load_efm", [0.0, None])
def test_a_run_without_a_load_teaches_nothing(run: Run, model: LoadModel, load_efm: float | None) -> None:
    past = _history(run, model, model.fallback.min_runs)
    empty = replace(past[0], load_efm=load_efm)
    assert streams_to_summary([*past[1:], empty], 2.8, model) is None
    little = replace(past[0], load_efm=0.5)
    assert streams_to_summary([*past[1:], little], 2.8, model) is not None


def test_a_recording_and_a_part_without_one_are_summed_and_graded_as_the_part(
    run: Run, regular: Athlete, model: LoadModel
) -> None:
    own = session_load(run((1800, 2.8, 0.0), (600, 4.2, 0.06)), regular, model)
    beside = summary_load(2.8 * 3000, 3000, regular, None, model)
    both = with_summary(own, beside, regular, model)
    assert _parts(both) == pytest.approx(tuple(a + b for a, b in zip(_parts(own), _parts(beside), strict=True)))
    assert both.load_efm == pytest.approx(own.load_efm + beside.load_efm)
    assert both.moving_time_s == pytest.approx(own.moving_time_s + 3000)
    assert both.distance_m == pytest.approx(own.distance_m + 8400)
    weighed = own.mean_demand * own.moving_time_s + beside.mean_demand * 3000
    assert both.mean_demand == pytest.approx(weighed / both.moving_time_s)
    assert both.climb_m == own.climb_m
    assert (both.basis, both.confidence) == (Basis.SUMMARY, Confidence.LOW)
    assert both.confidence_why == (
        f"{own.confidence_why} Of 90 minutes 50 are known less well: {beside.confidence_why[0].lower()}"
        f"{beside.confidence_why[1:]}"
    )
    # 90 minutes are long for this runner, though neither part is.
    assert (own.is_long, beside.is_long, both.is_long) == (False, False, True)


def test_a_label_that_only_the_recording_can_tell_is_true_or_unknown(
    run: Run, regular: Athlete, model: LoadModel
) -> None:
    hilly = session_load(run((2700, 2.8, 0.06)), regular, model)
    flat = session_load(run((2700, 2.8, 0.0)), regular, model)
    beside = summary_load(2.8 * 600, 600, regular, None, model)
    assert (hilly.is_hill, flat.is_hill, flat.is_speed) == (True, False, False)
    assert with_summary(hilly, beside, regular, model).is_hill is True
    both = with_summary(flat, beside, regular, model)
    assert (both.is_hill, both.is_speed) == (None, None)


def test_a_part_beside_nothing_is_the_part(newcomer: Athlete, model: LoadModel) -> None:
    nothing = replace(
        duration_load(60, 5, None, newcomer, model),
        load_efm=0.0,
        load_base_efm=0.0,
        moving_time_s=0.0,
        distance_m=0.0,
        mean_demand=math.nan,
    )
    beside = summary_load(9000, 3000, newcomer, None, model)
    both = with_summary(nothing, beside, newcomer, model)
    assert (both.load_efm, both.mean_demand) == pytest.approx((beside.load_efm, beside.mean_demand))
    assert both.confidence is Confidence.VERY_LOW
