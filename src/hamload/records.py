"""The words of hamload as types: what the rooms hand to each other. No behaviour beyond their own shape.

Units are in the names: `_s` seconds, `_m` metres, `_mps` metres per second, `_efm` easy-flat-minute equivalents.
`None` (or NaN inside an array) means unknown, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import numpy as np

type Array = np.ndarray[Any, np.dtype[np.float64]]

#: The five daily series, in the order in which they are shown.
SERIES = ("total", "heavy", "hill", "speed", "long")
#: The parts of a session's load. They sum to it.
PARTS = ("hill", "speed", "long", "base")


class Sport(StrEnum):
    """Family of sport. Only RUN and TREADMILL carry running load."""

    RUN = "run"
    TREADMILL = "treadmill"
    WALK = "walk"
    RIDE = "ride"
    SWIM = "swim"
    STRENGTH = "strength"
    OTHER = "other"
    UNKNOWN = "unknown"

    @property
    def is_running(self) -> bool:
        """Whether sessions of this sport carry hamstring load of running."""
        return self in {Sport.RUN, Sport.TREADMILL}


class Service(StrEnum):
    """A service that is asked every night. Its value is the source's name in every table."""

    STRAVA = "strava"
    GARMIN = "garmin"
    GARMIN_PERSONAL = "garmin_personal"

    @property
    def command(self) -> str:
        """Its name on the command line."""
        return self.value.replace("_", "-")

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return {"strava": "Strava", "garmin": "Garmin Connect", "garmin_personal": "Garmin's Personal API"}[self.value]


class OwnService(str):
    """A service that the runner's own file fetches from: the same words as `Service`, of a name of their own."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """Return its name in every table."""
        return str(self)

    @property
    def command(self) -> str:
        """Its name on the command line."""
        return str(self)

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return str(self)


class AltitudeSource(StrEnum):
    """Where altitude came from, which sets the window of the grade fit."""

    BAROMETER = "barometer"
    GPS = "gps"
    NONE = "none"


class Confidence(StrEnum):
    """How much a session's load can be trusted, best first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    VERY_LOW = "very low"


class Basis(StrEnum):
    """What a session's load was computed from, best first."""

    STREAMS = "streams"
    STREAMS_FLAT = "streams without altitude"
    TREADMILL = "treadmill"
    SUMMARY = "summary"
    DURATION = "duration"


class State(StrEnum):
    """The state of one athlete on one day; the order is that of seriousness, most serious first."""

    STOP = "stop"
    DELOAD = "deload"
    CAUTION = "caution"
    BUILD = "build"
    STEADY = "steady"
    BASELINE = "baseline"
    RETURNING = "returning"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """The channels of one recording as its device wrote them: equal lengths, NaN where a value is missing.

    `time_s` counts from the recording's start and never decreases. `pauses` are the timer stops, as (from, to) in the
    same seconds. `incline` is a treadmill's own setting as rise over run.
    """

    time_s: Array
    speed_mps: Array
    distance_m: Array
    altitude_m: Array
    latitude_deg: Array
    longitude_deg: Array
    heart_rate_bpm: Array
    cadence_spm: Array
    incline: Array
    pauses: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, time_s: Any, *, pauses: tuple[tuple[float, float], ...] = (), **channels: Any) -> Self:
        """Build from the channels that exist; the others are all NaN. Raises ValueError on unequal lengths."""
        return cls(**_columns(cls, time_s, channels), pauses=pauses)

    def __len__(self) -> int:
        return len(self.time_s)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One run, cleaned and graded: each row is an instant that stands for `dt_s` seconds.

    `grade` is rise over run, NaN where altitude is unknown. `distance_m` is cumulative. Pauses and dropped stretches
    are not in here: the `dt_s` sum is the recorded time that could be used, `time_s` keeps the clock.
    """

    time_s: Array
    dt_s: Array
    speed_mps: Array
    grade: Array
    distance_m: Array
    altitude_m: Array
    latitude_deg: Array
    longitude_deg: Array
    heart_rate_bpm: Array
    cadence_spm: Array

    @classmethod
    def of(cls, time_s: Any, **channels: Any) -> Self:
        """Build from the channels that exist; missing ones are NaN, a missing `dt_s` is the spacing of `time_s`."""
        import numpy as np  # noqa: PLC0415  # see _columns

        if channels.get("dt_s") is None:
            time_s = np.asarray(time_s, dtype=np.float64)
            channels["dt_s"] = np.append(np.diff(time_s), np.median(np.diff(time_s))) if len(time_s) > 1 else [1.0]
        return cls(**_columns(cls, time_s, channels))

    def __len__(self) -> int:
        return len(self.time_s)


def _columns(cls: type[Any], time_s: Any, channels: Mapping[str, Any]) -> dict[str, Array]:
    import numpy as np  # noqa: PLC0415  # a tenth of a second that commands which only read tables need not pay

    names = [f.name for f in fields(cls) if f.name not in {"time_s", "pauses"}]
    unknown = set(channels) - set(names)
    if unknown:
        raise ValueError(f"No such channel: {', '.join(sorted(unknown))}. There are: {', '.join(names)}.")
    columns: dict[str, Array] = {"time_s": np.asarray(time_s, dtype=np.float64)}
    n = len(columns["time_s"])
    for name in names:
        values = channels.get(name)
        column = np.full(n, np.nan) if values is None else np.asarray(values, dtype=np.float64)
        if column.shape != (n,):
            raise ValueError(f"{name} has shape {column.shape}, time_s has {n} rows.")
        columns[name] = column
    return columns


@dataclass(frozen=True, slots=True)
class StrengthSet:
    """One set of a strength session, as the watch recognised it (FIT `set`, message 225)."""

    category: str
    name: str | None
    repetitions: int | None
    weight_kg: float | None
    duration_s: float | None
    set_type: str


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One activity as a document tells it: its own facts and, where there are any, its streams.

    `utc_offset_s` is the local clock's offset at the start, None where the document does not say. `reader` names the
    decoder that succeeded, `notes` what it had to pass over.
    """

    sport: Sport
    start_at: dt.datetime
    reader: str
    streams: Streams | None = None
    sport_detail: str = ""
    title: str = ""
    device: str = ""
    utc_offset_s: int | None = None
    elapsed_time_s: float | None = None
    timer_time_s: float | None = None
    distance_m: float | None = None
    ascent_m: float | None = None
    rpe: float | None = None
    altitude_source: AltitudeSource = AltitudeSource.NONE
    sets: tuple[StrengthSet, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalQuality:
    """What cleaning had to do, in seconds; every number here is shown to whoever asks how good a run's data are."""

    speed_source: Literal["device", "distance", "positions", "none"]
    altitude_source: AltitudeSource
    used_s: float
    paused_s: float
    interpolated_s: float
    lost_s: float
    dropped_s: float
    heart_rate_coverage: float
    altitude_coverage: float


@dataclass(frozen=True, slots=True)
class Athlete:
    """What the model knows of one runner at one moment: their own trailing history, never anybody else's.

    Thresholds are None until at least the configured number of runs (8) stands behind them.

    Attributes
    ----------
    easy_speed_mps
        Median flat moving speed over the first six weeks of history, m/s.
    typical_time_s
        T: 90-day median moving time, clipped to 30-75 min, seconds.
    fast_mps, very_fast_mps
        90-day P90 and P98 of the 30-s mean of level-equivalent speed, m/s.
    climb_m_per_km
        90-day P75 of climb per km.
    long_time_s, median_time_s
        90-day P80 and median of moving time, seconds.
    longest_30d_m
        Longest distance in the 30 days before, metres.
    high_load_efm, median_demand
        90-day P80 of session load; 90-day median of mean demand.
    best_10s_mps
        Own best 10-s speed before this session, m/s: bounds what is plausible.
    runs
        How many runs the 90 days hold.

    """

    easy_speed_mps: float
    typical_time_s: float
    fast_mps: float | None = None
    very_fast_mps: float | None = None
    climb_m_per_km: float | None = None
    long_time_s: float | None = None
    median_time_s: float | None = None
    longest_30d_m: float | None = None
    high_load_efm: float | None = None
    median_demand: float | None = None
    best_10s_mps: float | None = None
    runs: int = 0


@dataclass(frozen=True, slots=True)
class SessionLoad:
    """The hamstring load of one run. `load_efm` is the sum of its four parts; labels are None where unknown."""

    load_efm: float
    load_hill_efm: float
    load_speed_efm: float
    load_long_efm: float
    load_base_efm: float
    moving_time_s: float
    distance_m: float
    mean_demand: float
    climb_m: float | None
    is_hill: bool | None
    is_speed: bool | None
    is_long: bool | None
    is_heavy: bool | None
    is_easy: bool | None
    basis: Basis
    confidence: Confidence
    confidence_why: str


@dataclass(frozen=True, slots=True)
class SeriesDay:
    """One day of one series, as advice needs it. None: not defined or withheld."""

    load_efm: float | None
    acwr_coupled: float | None
    acwr_uncoupled: float | None
    acwr_ewma: float | None
    monotony: float | None
    strain: float | None
    acute_rolling: float | None = None
    chronic_rolling: float | None = None


@dataclass(frozen=True, slots=True)
class SessionFact:
    """One run, as advice needs it."""

    session_id: str
    start_at: dt.datetime
    local_date: dt.date
    title: str
    distance_m: float | None
    moving_time_s: float
    load_efm: float
    load_hill_efm: float
    load_speed_efm: float
    load_long_efm: float
    load_base_efm: float
    is_hill: bool | None
    is_speed: bool | None
    is_long: bool | None
    is_heavy: bool | None
    spike_distance: float | None
    spike_load: float | None
    confidence: Confidence = Confidence.HIGH


class CurlCheck(StrEnum):
    """What the runner's own words hold against more curls, whatever the load says."""

    CLINICIAN = "clinician"
    MASSAGE = "massage first"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Everything that decides one athlete's state on one day. Only what was known at the end of that day.

    `is_returning`: a break of two weeks or more lies in the chronic window, so that ratios compare with nothing.
    `flags` are the red flags that are open at the day's end, by name; `tightness` is what the runner logged for this
    day and for the day before, 0-10. `high_load_efm` is the athlete's own 90-day P80 of session load.
    `is_acknowledged`: the runner has taken note of this day's state. `curl_check` is what speaks against more curls,
    `massages` how many count before the first ones.
    """

    date: dt.date
    is_known: bool
    unknown_days_28: int
    history_days: int
    days_since_run: int | None
    total: SeriesDay
    heavy: SeriesDay
    sessions: tuple[SessionFact, ...] = ()
    curl_sessions_10d: int | None = None
    is_returning: bool = False
    flags: tuple[str, ...] = ()
    tightness: float | None = None
    tightness_before: float | None = None
    high_load_efm: float | None = None
    is_acknowledged: bool = False
    curl_check: CurlCheck | None = None
    massages: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """A session behind a reason, and its share of the number that fired (0-1, None where a share has no meaning)."""

    session_id: str
    share: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a state holds: the rule, its number against its threshold, the runs behind it, how strong the ground is."""

    rule: str
    state: State
    value: float | None
    threshold: float | None
    sentence: str
    evidence: str
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one athlete on one day, with its reasons, most serious first.

    `episode` counts the spells of caution or deload, `is_new` marks the day on which the runner is to be told;
    `held` says that only hysteresis keeps the state; `clears_when` is what would end it.
    """

    athlete_id: str
    date: dt.date
    state: State
    reasons: tuple[Reason, ...]
    is_new: bool
    is_continuation: bool
    held: bool
    episode: int
    advice: tuple[str, ...] = field(default=())
    clears_when: str = ""
    is_acknowledged: bool = False
    plan: DeloadPlan | None = None


@dataclass(frozen=True, slots=True)
class DayBudget:
    """What one day of a deload may hold, in EFM; `is_quiet`: no hills, no speed, no long or hard run on it."""

    date: dt.date
    limit_efm: int
    most_efm: int | None
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class DeloadPlan:
    """What the days after `start` may hold.

    Attributes
    ----------
    start, end
        The day at whose end the plan was made, and its last day.
    days
        One budget a day, from the day after `start` to `end`. Their limits sum to `total_efm`.
    total_efm, last_efm
        The largest budget that honours every limit, and what the same number of days before it held, EFM.
    uncoupled, ewma
        Where the ratios stand on `end` with this plan; None where they were not solved for.
    uncoupled_without, ewma_without
        Where they stand on `end` if the last days are run once more instead.
    is_reachable
        Whether the ratios can be under their margins by `end` at all; if not, the budget is 0.

    """

    start: dt.date
    end: dt.date
    days: tuple[DayBudget, ...]
    total_efm: int
    last_efm: float
    uncoupled: float | None = None
    ewma: float | None = None
    uncoupled_without: float | None = None
    ewma_without: float | None = None
    is_reachable: bool = True
