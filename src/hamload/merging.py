"""Which activities are recordings of the same run. Pure: spans in, groups out.

Nobody runs two runs at once, so two running activities of one athlete that share at least half of the shorter one's
time are one session. The best recording speaks for it; the others stay visible as its copies and count nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

#: Of the shorter recording's time. [A] A watch and a phone started minutes apart share far more; two runs share none.
MIN_SHARED = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """One running activity in time. `rank` orders recordings by what they know, best (smallest) first."""

    activity_id: str
    start_at: dt.datetime
    end_at: dt.datetime
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

    Each session carries the id of its best recording. A recording joins the best session that it overlaps, never
    another copy, so that a chain of overlaps cannot swallow a run that the best recording does not touch.
    """
    members: list[Member] = []
    primaries: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.rank, s.start_at, s.activity_id)):
        shared = [(share, p) for p in primaries if (share := _shared(span, p)) >= MIN_SHARED]
        if not shared:
            primaries.append(span)
            members.append(Member(span.activity_id, span.activity_id, is_primary=True, why="the best recording"))
            continue
        share, primary = max(shared, key=lambda pair: pair[0])
        why = f"shares {share:.0%} of its time with a better recording"
        members.append(Member(span.activity_id, primary.activity_id, is_primary=False, why=why))
    return members


def _shared(a: Span, b: Span) -> float:
    overlap = (min(a.end_at, b.end_at) - max(a.start_at, b.start_at)).total_seconds()
    if overlap < 0:
        return 0.0
    shorter = min((a.end_at - a.start_at).total_seconds(), (b.end_at - b.start_at).total_seconds())
    return min(1.0, overlap / shorter) if shorter > 0 else 1.0
