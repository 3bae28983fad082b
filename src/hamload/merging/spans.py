"""Recordings in time, as merging sees them, and what the runner has decided about them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from hamload.merging.profile import Profile


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One running activity in time.

    Attributes
    ----------
    activity_id
        Its id.
    start_at, end_at
        First and last moment, aware. One that was left on ends where the run did: what follows is none of it.
    held_s
        How many seconds of running it holds.
    rank
        Orders recordings by what they know, best (smallest) first.
    distance_m, duration_s
        What it says of itself, of the run alone where it was left on; None where it does not.
    whole_m
        The way of all that it holds, where that is more.
    writer
        What wrote it (format and device), "" where nobody knows: two recordings of one writer are never one run at two
        hours.
    is_hidden
        Its start time is hidden: the day is right, the hour is not.
    is_summary
        It has no samples: how much of its time was standing is not known.
    is_doubted
        It is doubted so much that it would not count: it speaks only where nobody else does.
    is_timeless
        It tells no duration at all: it speaks for none that does.
    local_date, offset_s
        The athlete's own day of its start, and the clock there, from UTC.
    read_profile
        Reads its half-minute means, which few comparisons need; None where it has no samples, or none that may be kept.

    """

    activity_id: str
    start_at: dt.datetime
    end_at: dt.datetime
    held_s: float
    rank: tuple[float, ...]
    distance_m: float | None = None
    duration_s: float | None = None
    whole_m: float | None = None
    writer: str = ""
    is_hidden: bool = False
    is_summary: bool = False
    is_doubted: bool = False
    is_timeless: bool = False
    local_date: dt.date | None = None
    offset_s: int = 0
    read_profile: Callable[[], Profile] | None = None

    @property
    def profile(self) -> Profile | None:
        """Its half-minute means, where there are any."""
        return self.read_profile() if self.read_profile is not None else None

    @property
    def has_profile(self) -> bool:
        """Whether it has any."""
        return self.read_profile is not None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the runner has decided: pairs of activities that are not, and that are, of one run, and which are no runs.

    `accepted` are those that the runner has said are runs: no exclusion of another recording reaches them.
    """

    apart: frozenset[frozenset[str]] = frozenset()
    together: tuple[tuple[str, str], ...] = ()
    excluded: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()

    def is_apart(self, one: str, other: str) -> bool:
        """Whether they can never be of one session: an excluded recording takes no other away with it."""
        return (one in self.excluded) != (other in self.excluded) or frozenset((one, other)) in self.apart


NOTHING_DECIDED = Decided()


class Neighbours:
    """Finds the spans that overlap one, without comparing all with all."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = sorted(spans, key=lambda s: s.start_at)
        self._starts = [s.start_at for s in self._spans]
        self._longest = max((s.end_at - s.start_at for s in spans), default=None)

    def of(self, span: Span) -> list[Span]:
        """Return those that overlap or touch a span, without itself."""
        if self._longest is None:
            return []
        first = bisect_left(self._starts, span.start_at - self._longest)
        after = bisect_right(self._starts, span.end_at)
        return [s for s in self._spans[first:after] if s is not span and s.end_at >= span.start_at]


def shared_time(a: Span, b: Span) -> float:
    """Return the share (0-1) of the shorter one's time that both have."""
    overlap = (min(a.end_at, b.end_at) - max(a.start_at, b.start_at)).total_seconds()
    if overlap < 0:
        return 0.0
    shorter = min((a.end_at - a.start_at).total_seconds(), (b.end_at - b.start_at).total_seconds())
    return min(1.0, overlap / shorter) if shorter > 0 else 1.0
