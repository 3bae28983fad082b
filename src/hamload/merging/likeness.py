"""Whether two recordings at different hours are of one run: the clock of one is wrong, or its start time hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hamload.merging.profile import BIN_S

if TYPE_CHECKING:
    import datetime as dt

    from hamload.merging.profile import Profile
    from hamload.parameters import Clocks
    from hamload.records import Array

#: Fewer half-minutes in common say nothing.
_FEWEST_BINS = 10
_METRES_PER_DEGREE = 111_195.0
_SUMMER_S = 3600


class Timed(Protocol):
    """What is compared: see `grouping.Span`."""

    @property
    def start_at(self) -> dt.datetime: ...  # noqa: D102
    @property
    def distance_m(self) -> float | None: ...  # noqa: D102
    @property
    def duration_s(self) -> float | None: ...  # noqa: D102
    @property
    def writer(self) -> str: ...  # noqa: D102
    @property
    def is_hidden(self) -> bool: ...  # noqa: D102
    @property
    def local_date(self) -> dt.date | None: ...  # noqa: D102
    @property
    def offset_s(self) -> int: ...  # noqa: D102
    @property
    def profile(self) -> Profile | None: ...  # noqa: D102
    @property
    def has_profile(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Likeness:
    """Why two recordings are of one run, what the second's clock lacks to the first's, and how far it is beside that.

    `away_s` is what remains beyond whole quarters of an hour: the smaller, the surer.
    """

    shift_s: float
    away_s: float
    why: str


def likeness(one: Timed, other: Timed, rules: Clocks) -> Likeness | None:
    """Compare a recording with one that may be its copy at another hour. None: they are two runs.

    Both must tell of nearly the same distance and duration. Where both have samples, their positions must have been at
    the same places at the same moments of the run, and neither heart rate nor pace may speak against it; without
    positions their heart rates, else their speeds, must rise
    and fall together. Where one has none, only the errors that are made count: local time taken for UTC, or an hour of
    summer time; who runs the same way to work and back has two runs alike every day.
    """
    has_shape = one.has_profile and other.has_profile
    found = _other_hour(one, other, rules, has_shape=has_shape)
    if found is None or not is_alike(one, other, rules, 1.0 if has_shape else 0.5):
        return None
    if (a := one.profile) is None or (b := other.profile) is None:
        return found
    how = _shape(
        a, b, rules, is_sure=one.is_hidden or other.is_hidden or _is_clock_error(found.shift_s, one, other, rules)
    )
    return None if how is None else replace(found, why=f"{found.why}, and in {how}")


def _other_hour(one: Timed, other: Timed, rules: Clocks, *, has_shape: bool) -> Likeness | None:
    """Return how the clocks may be apart, None where no clock errs like that."""
    apart = (one.start_at - other.start_at).total_seconds()
    if one.writer and one.writer == other.writer:
        return None
    if one.is_hidden or other.is_hidden:
        what = "its start time is hidden; alike in distance and duration"
        return Likeness(apart, 0.0, what) if one.local_date == other.local_date else None
    step = 60 * rules.step_minutes
    steps = round(apart / step)
    away = abs(apart - steps * step)
    if not steps or abs(apart) > 3600 * rules.max_hours + rules.start_tolerance_s or away > rules.start_tolerance_s:
        return None
    if not has_shape and abs(steps * step) not in {_SUMMER_S, abs(one.offset_s), abs(other.offset_s)}:
        return None
    if is_typed(one) or is_typed(other):
        return None
    return Likeness(apart, away, f"its clock is {_hours(steps * step)} off; alike in distance and duration")


def is_typed(one: Timed) -> bool:
    """Whether an entry was made by hand: whole minutes and whole hundreds of metres."""
    whole = one.duration_s is not None and one.duration_s % 60 == 0
    return not one.has_profile and whole and one.distance_m is not None and one.distance_m % 100 == 0


def _is_clock_error(shift_s: float, one: Timed, other: Timed, rules: Clocks) -> bool:
    """Whether clocks are known to err so: local time taken for UTC, an hour of summer time, or both."""
    away = abs(shift_s)
    offsets = {abs(one.offset_s), abs(other.offset_s)} - {0}
    errors = {_SUMMER_S} | {abs(offset + by) for offset in offsets for by in (-_SUMMER_S, 0, _SUMMER_S)} - {0}
    return any(abs(away - error) <= rules.start_tolerance_s for error in errors)


def copy_shift(one: Timed, other: Timed, rules: Clocks, min_shared: float) -> float | None:
    """Return what the second's clock lacks to the first's where one of them is a stretch of the other, None elsewhere.

    Asked of recordings that the runner has joined: copies hold the same running, halves do not.
    """
    a, b = one.profile, other.profile
    if a is None or b is None or (one.writer and one.writer == other.writer):
        return None
    long, short = (a, b) if len(a.speed_mps) >= len(b.speed_mps) else (b, a)
    n = len(short.speed_mps)
    if n < max(2 * _FEWEST_BINS, min_shared * len(long.speed_mps)):
        return None
    found = []
    for lag in range(len(long.speed_mps) - n + 1):
        part = _part(long, lag, lag + n)
        if _shape(part, short, rules, is_sure=True) is not None:
            found.append((_unlikeness(part, short), lag))
    if not found:
        return None
    lag_s = BIN_S * min(found)[1] * (1 if long is a else -1)
    shift_s = (one.start_at - other.start_at).total_seconds() + lag_s
    step = 60 * rules.step_minutes
    steps = round(shift_s / step)
    return shift_s if steps and abs(shift_s - steps * step) <= rules.start_tolerance_s else None


def _part(profile: Profile, first: int, after: int) -> Profile:
    return replace(
        profile,
        covered_s=profile.covered_s[first:after],
        speed_mps=profile.speed_mps[first:after],
        heart_rate_bpm=profile.heart_rate_bpm[first:after],
        latitude_deg=profile.latitude_deg[first:after],
        longitude_deg=profile.longitude_deg[first:after],
    )


def _unlikeness(one: Profile, other: Profile) -> float:
    away = _away(one, other)
    if np.isfinite(away).any():
        return float(np.nanmedian(away))
    speeds = _together(one.speed_mps, other.speed_mps)
    return speeds[0] if speeds is not None else np.inf


def _away(one: Profile, other: Profile) -> Array:
    """Return how many metres apart the two are, half-minute by half-minute."""
    n = min(len(one.speed_mps), len(other.speed_mps))
    north = one.latitude_deg[:n] - other.latitude_deg[:n]
    east = (one.longitude_deg[:n] - other.longitude_deg[:n]) * np.cos(np.radians(one.latitude_deg[:n]))
    return np.asarray(_METRES_PER_DEGREE * np.hypot(north, east))


def _spread(profile: Profile) -> float:
    """Return how many metres a run is from its own middle, at the median: half a lap's width."""
    north = profile.latitude_deg - np.nanmedian(profile.latitude_deg)
    east = (profile.longitude_deg - np.nanmedian(profile.longitude_deg)) * np.cos(np.radians(profile.latitude_deg))
    return float(np.nanmedian(_METRES_PER_DEGREE * np.hypot(north, east)))


def is_alike(one: Timed, other: Timed, rules: Clocks, share: float = 1.0) -> bool:
    """Whether two recordings tell of nearly the same duration and distance."""
    a, b = one.duration_s, other.duration_s
    if not a or not b or abs(a - b) > max(rules.duration_s, rules.duration_share * max(a, b)) * share:
        return False
    c, d = one.distance_m, other.distance_m
    if c and d:
        return abs(c - d) <= rules.distance_share * share * max(c, d)
    # Without a distance only the recordings themselves can tell.
    return one.has_profile and other.has_profile


def _shape(one: Profile, other: Profile, rules: Clocks, *, is_sure: bool) -> str | None:
    """Return in what two recordings are alike, None where they are not.

    `is_sure`: the clocks are known to err so; else heart rate or speed must agree beside the place.
    """
    n = min(len(one.speed_mps), len(other.speed_mps))
    known = np.isfinite(away := _away(one, other))
    rates = _together(one.heart_rate_bpm[:n], other.heart_rate_bpm[:n])
    speeds = _together(one.speed_mps[:n], other.speed_mps[:n])
    if known.sum() >= max(_FEWEST_BINS, n / 2) and rules.position_m <= rules.position_share * _spread(one):
        # The same way an hour later is another run where heart or pace agree neither in height nor in shape.
        is_vetoed = _differ(rates, rules.heart_rate_bpm, rules) or _differ(speeds, rules.speed_mps, rules)
        is_backed = is_sure or _agree(rates, rules.heart_rate_bpm, rules) or _agree(speeds, rules.speed_mps, rules)
        return "place" if np.median(away[known]) <= rules.position_m and is_backed and not is_vetoed else None
    if rates is not None:
        return "heart rate" if _agree(rates, rules.heart_rate_bpm, rules) else None
    return "speed" if _agree(speeds, rules.speed_mps, rules) else None


def _agree(channel: tuple[float, float] | None, most: float, rules: Clocks) -> bool:
    return channel is not None and channel[0] <= most and channel[1] >= rules.correlation


def _differ(channel: tuple[float, float] | None, most: float, rules: Clocks) -> bool:
    return channel is not None and channel[0] > most and channel[1] < rules.correlation


def _together(a: Array, b: Array) -> tuple[float, float] | None:
    """Return the mean difference and the correlation of two channels, None where too little is known."""
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < max(_FEWEST_BINS, len(a) / 2):
        return None
    a, b = a[known], b[known]
    spread = float(a.std() * b.std())
    return float(np.abs(a - b).mean()), float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def _hours(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"
