"""Runs that were really run, and what watches, phones and services make of them."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pytest

from hamload.merging import Profile, Session, Span, profile
from hamload.parameters import MergingRules
from hamload.records import Array, Samples
from hamload.settings import merging_defaults

#: A Monday.
MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
RANKS = {"fit": 0.0, "tcx": 1.0, "gpx": 2.0, "strava": 3.0, "garmin": 4.0, "json": 5.0}


@dataclass(frozen=True, eq=False)
class Run:
    """A real run: second by second, on the true clock. `at` is minutes after Monday, midnight UTC.

    `lap_m`: round and round, at an even pace.
    """

    at: float
    minutes: float
    mps: float = 2.8
    seed: int = 0
    lap_m: float | None = None

    @property
    def start_at(self) -> dt.datetime:
        """Its true start."""
        return MONDAY + dt.timedelta(minutes=self.at)

    def truth(self) -> dict[str, Array]:
        """Return speed, heart rate and place of every second."""
        rng = np.random.default_rng([self.seed, abs(round(self.at * 60))])
        seconds = np.arange(round(60 * self.minutes))
        knots = np.arange(0, len(seconds) + 120, 60)
        speed = self.mps + np.interp(seconds, knots, rng.uniform(-0.4, 0.4, len(knots)))
        if self.lap_m is not None:
            speed = np.full(len(seconds), self.mps)
        rate = 145 + np.interp(seconds, knots, np.cumsum(rng.uniform(-4, 4, len(knots))))
        heading = np.interp(seconds, knots, np.cumsum(rng.uniform(-0.5, 0.5, len(knots))))
        if self.lap_m is not None:
            radius = self.lap_m / (2 * np.pi)
            angle = np.cumsum(speed) / radius
            return {"speed": speed, "rate": rate, "north": radius * np.sin(angle), "east": radius * np.cos(angle)}
        north, east = np.cumsum(speed * np.cos(heading)), np.cumsum(speed * np.sin(heading))
        return {"speed": speed, "rate": rate, "north": north, "east": east}


@dataclass(frozen=True, eq=False)
class Recorded:
    """How one recorder saw a run. Minutes count from the true start.

    `clock_s` is how far its clock is ahead; `pauses` are stretches that it did not record. `run_ends` is where its run
    ended, in minutes of its own, if it was left on; `held_min` the moving time that a summary tells, if not all of it.
    """

    run: Run
    name: str
    form: str = "fit"
    device: str = ""
    first: float = 0
    last: float | None = None
    clock_s: float = 0
    pauses: Sequence[tuple[float, float]] = ()
    has_samples: bool = True
    has_places: bool = True
    has_rate: bool = True
    is_hidden: bool = False
    metres: float | None = None
    run_ends: float | None = None
    is_doubted: bool = False
    held_min: float | None = None

    def samples(self) -> Samples:
        """Return its cleaned samples."""
        truth = self.run.truth()
        rng = np.random.default_rng([self.run.seed, *self.name.encode()])
        last = self.run.minutes if self.last is None else self.last
        seconds = np.arange(round(60 * self.first), round(60 * last))
        for begin, end in self.pauses:
            seconds = seconds[(seconds < 60 * begin) | (seconds >= 60 * end)]
        inside = np.clip(seconds, 0, len(truth["speed"]) - 1)
        # Before and after the run the recorder lies still.
        is_run = (seconds >= 0) & (seconds < len(truth["speed"]))
        speed = np.where(is_run, np.maximum(truth["speed"][inside] + rng.normal(0, 0.05, len(seconds)), 0), 0.0)
        off_north, off_east = rng.normal(0, 3, 2)
        places = self.has_places
        return Samples.of(
            seconds - float(round(60 * self.first)),
            dt_s=np.ones(len(seconds)),
            speed_mps=speed,
            latitude_deg=48 + (truth["north"][inside] + off_north) / 111_195 if places else None,
            longitude_deg=16 + (truth["east"][inside] + off_east) / 74_400 if places else None,
            heart_rate_bpm=truth["rate"][inside] + rng.normal(0, 1) if self.has_rate else None,
        )

    def span(self) -> Span:
        """Return it as merging sees it."""
        samples = self.samples()
        start_at = self.run.start_at + dt.timedelta(minutes=self.first, seconds=self.clock_s)
        if self.is_hidden:
            start_at = start_at.replace(hour=0, minute=0, second=1)
        last = self.run.minutes if self.last is None else self.last
        length = 60 * (last - self.first)
        until_s = None if self.run_ends is None else 60 * self.run_ends
        kept = samples.speed_mps[samples.time_s < (length if until_s is None else until_s)]
        way = float(kept.sum())
        return Span(
            activity_id=self.name,
            start_at=start_at,
            end_at=start_at + dt.timedelta(seconds=length if until_s is None else until_s),
            held_s=float((kept >= 0.5).sum()) if self.has_samples else 60 * (self.held_min or length / 60),
            rank=(float(not self.has_samples), RANKS[self.form]),
            distance_m=way if self.metres is None else self.metres,
            duration_s=length if until_s is None else until_s,
            whole_m=float((samples.speed_mps * samples.dt_s).sum()),
            writer=f"{self.form}/{self.device}",
            is_hidden=self.is_hidden,
            is_summary=not self.has_samples,
            local_date=start_at.date(),
            read_profile=cache(partial(_read, samples, until_s))
            if self.has_samples and self.form != "strava"
            else None,
            is_doubted=self.is_doubted,
        )


def _read(samples: Samples, until_s: float | None) -> Profile:
    return profile(samples).until(until_s)


@pytest.fixture(scope="session")
def merging_rules() -> MergingRules:
    """Return the shipped thresholds."""
    return merging_defaults()


@pytest.fixture(scope="session")
def counted_s() -> Callable[[Session, dict[str, Span]], float]:
    """Return how many seconds of running a session counts: its speaker's, and the pieces of others."""

    def seconds(session: Session, spans: dict[str, Span]) -> float:
        speaker = spans[session.primary_id]
        total = speaker.held_s if speaker.profile is None else _moving(speaker, 0, 1e9)
        for piece in session.pieces:
            total += _moving(spans[piece.activity_id], piece.from_s, piece.to_s)
        return total + sum(beside.share * spans[beside.activity_id].held_s for beside in session.beside)

    return seconds


def _moving(span: Span, from_s: float, to_s: float) -> float:
    assert span.profile is not None
    at = 30.0 * np.arange(len(span.profile.covered_s))
    inside = (at >= from_s) & (at < to_s) & (np.nan_to_num(span.profile.speed_mps) >= 0.5)
    return float(span.profile.covered_s[inside].sum())
