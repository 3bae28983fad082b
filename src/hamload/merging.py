"""Which activities are recordings of the same run. Pure: spans in, groups out.

Nobody runs two runs at once, so two running activities of one athlete that share at least half of the shorter one's
time are one session. Of those that hold the run nearly whole, the best speaks for it; the others stay visible as its
copies and count nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

#: Of the shorter recording's time. [A] A watch and a phone started minutes apart share far more; two runs share none.
MIN_SHARED = 0.5
#: Of the longest recording's time. [A] A watch that died half-way must not speak for the run that the phone has whole.
NEARLY_WHOLE = 0.9


@dataclass(frozen=True, slots=True)
class Span:
    """One running activity in time.

    `held_s` is how many seconds of running it holds; `rank` orders recordings by what they know, best (smallest) first.
    """

    activity_id: str
    start_at: dt.datetime
    end_at: dt.datetime
    held_s: float
    rank: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An activity's place in a session."""

    activity_id: str
    session_id: str
    is_primary: bool
    why: str


def merge(spans: Sequence[Span]) -> list[Member]:
    """Group the spans of one athlete. The result does not depend on the order in which they come.

    Each session carries the id of the recording that speaks for it: the best one, where no other holds clearly more of
    the same run. A recording joins the session it shares most with, never another copy, so that a chain of overlaps
    cannot swallow a run that nobody speaks for.
    """
    near = _Neighbours(spans)
    fragments = {s.activity_id for s in spans if any(_is_fragment(s, other) for other in near.of(s))}
    members: list[Member] = []
    speaking: set[str] = set()
    for span in sorted(spans, key=lambda s: (s.activity_id in fragments, s.rank, -s.held_s, s.start_at, s.activity_id)):
        shared = [(_shared(span, other), other) for other in near.of(span) if other.activity_id in speaking]
        share, best = max(shared, key=lambda pair: (pair[0], pair[1].activity_id), default=(0.0, span))
        if share < MIN_SHARED:
            speaking.add(span.activity_id)
            members.append(Member(span.activity_id, span.activity_id, is_primary=True, why="the best recording"))
            continue
        why = f"shares {share:.0%} of its time with a better recording"
        if span.held_s < NEARLY_WHOLE * best.held_s:
            why = f"holds {span.held_s / best.held_s:.0%} of a run that a better recording has whole"
        members.append(Member(span.activity_id, best.activity_id, is_primary=False, why=why))
    return members


class _Neighbours:
    """Finds the spans that overlap one, without comparing all with all."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = sorted(spans, key=lambda s: s.start_at)
        self._starts = [s.start_at for s in self._spans]
        self._longest = max((s.end_at - s.start_at for s in spans), default=None)

    def of(self, span: Span) -> list[Span]:
        if self._longest is None:
            return []
        first = bisect_left(self._starts, span.start_at - self._longest)
        after = bisect_right(self._starts, span.end_at)
        return [s for s in self._spans[first:after] if s is not span and s.end_at >= span.start_at]


def _is_fragment(span: Span, other: Span) -> bool:
    return span.held_s < NEARLY_WHOLE * other.held_s and _shared(span, other) >= MIN_SHARED


def _shared(a: Span, b: Span) -> float:
    overlap = (min(a.end_at, b.end_at) - max(a.start_at, b.start_at)).total_seconds()
    if overlap < 0:
        return 0.0
    shorter = min((a.end_at - a.start_at).total_seconds(), (b.end_at - b.start_at).total_seconds())
    return min(1.0, overlap / shorter) if shorter > 0 else 1.0
