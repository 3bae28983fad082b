"""The load model: what running asks of the hamstrings, from one instant to the series of days.

Pure NumPy: no files, no SQL, no clock, no Python loop over samples or athletes. Coefficients come in as `LoadModel`
(values and provenance in `config/model.toml`); NaN inside an array and None outside mean unknown, never 0.

One instant
    `energy_cost` (Minetti 2002), `demand`, `uphill_factor`, `level_equivalent_speed`
One run
    `session_load` from samples, with `endurance_factor`, `load_parts` and the labels (`judged`); `treadmill_load`,
    `flat_load`, `summary_load` and `duration_load` where a recording falls short, each graded by `confidence`
One runner's history
    `features` (what a run leaves behind), `PastRun`, `History`, `athlete_before` (`thresholds_before`,
    `with_loads_before`), `easy_speed`, `streams_to_summary`, `efm_per_rpe_minute`
The days
    `acwr` with `acute_chronic`, `rolling_mean`, `ewma`; `monotony`, `strain`; `spike`; `days_since_run`,
    `is_returning`; `coupled_to_uncoupled`; all of them at once: `daily_metrics`, for many runners `squad_metrics`
"""

from hamload.load.acwr import (
    AcuteChronic,
    Method,
    acute_chronic,
    acwr,
    coupled_to_uncoupled,
    ewma,
    known_days,
    rolling_mean,
)
from hamload.load.confidence import usable_share
from hamload.load.demand import demand, level_equivalent_speed, uphill_factor
from hamload.load.endurance import endurance_factor
from hamload.load.energy import energy_cost
from hamload.load.fallbacks import (
    duration_load,
    efm_per_rpe_minute,
    flat_load,
    streams_to_summary,
    summary_load,
    treadmill_load,
    with_summary,
    without_altitude,
)
from hamload.load.features import RunFeatures, features, summary_features
from hamload.load.histogram import pooled, quantile_of
from hamload.load.history import (
    EasySpeedFound,
    History,
    PastRun,
    athlete_before,
    easy_speed,
    thresholds_before,
    with_loads_before,
)
from hamload.load.metrics import DailyMetrics, daily_metrics, squad_metrics
from hamload.load.monotony import monotony, strain
from hamload.load.parts import LoadParts, load_parts
from hamload.load.returning import days_since_run, is_returning
from hamload.load.session import judged, on_treadmill, session_load
from hamload.load.spike import spike
from hamload.parameters import LoadModel

__all__ = [
    "AcuteChronic",
    "DailyMetrics",
    "EasySpeedFound",
    "History",
    "LoadModel",
    "LoadParts",
    "Method",
    "PastRun",
    "RunFeatures",
    "acute_chronic",
    "acwr",
    "athlete_before",
    "coupled_to_uncoupled",
    "daily_metrics",
    "days_since_run",
    "demand",
    "duration_load",
    "easy_speed",
    "efm_per_rpe_minute",
    "endurance_factor",
    "energy_cost",
    "ewma",
    "features",
    "flat_load",
    "is_returning",
    "judged",
    "known_days",
    "level_equivalent_speed",
    "load_parts",
    "monotony",
    "on_treadmill",
    "pooled",
    "quantile_of",
    "rolling_mean",
    "session_load",
    "spike",
    "squad_metrics",
    "strain",
    "streams_to_summary",
    "summary_features",
    "summary_load",
    "thresholds_before",
    "treadmill_load",
    "uphill_factor",
    "usable_share",
    "with_loads_before",
    "with_summary",
    "without_altitude",
]
