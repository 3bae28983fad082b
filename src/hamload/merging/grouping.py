"""Which activities are recordings of the same run. Pure: spans in, sessions out.

Nobody runs two runs at once, so two running activities of one athlete that share at least half of the shorter one's
time are one session, and so are two that share less but move at the same moments. Of those that hold the run nearly
whole, the best speaks for it; running that only a copy holds is added to it; what else the copies tell stays beside it
and counts nothing. Recordings whose clocks are whole quarters of an hour apart, or whose start is hidden, are one
session only where they are otherwise alike. What the runner has decided stands above all of it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.merging.likeness import copy_shift, is_alike, likeness
from hamload.merging.profile import BIN_S

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hamload.merging.profile import Profile
    from hamload.parameters import Extras, MergingRules
    from hamload.records import Array


_BEST = "the best recording"
_STANDING_MPS = 0.5
#: A drive has more than one half-minute beyond any runner, which may be a jump of positions; two minutes' rest end it.
_DRIVEN_BINS = 2
_STOP_BINS = 4


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


@dataclass(frozen=True, slots=True)
class Member:
    """An activity's place in a session. `shift_s`: what its clock lacks to the clock of the one that speaks.

    `is_part`: it is no copy, but holds another part of the run.
    """

    activity_id: str
    is_primary: bool
    why: str
    shift_s: float = 0.0
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a copy, in seconds of its own clock, in which it alone holds running: it speaks for that."""

    activity_id: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Beside:
    """A member that adds distance and time, not seconds: the share (0-1) of it that nobody else holds."""

    activity_id: str
    share: float


@dataclass(frozen=True, slots=True)
class Session:
    """One real run: its members, the one that speaks for it first, and what copies add to that.

    `pieces` are stretches of running that only a copy holds; `beside` are parts of the run of which one side has no
    samples: of their distance and time, what lies beside the others is added.
    """

    session_id: str
    members: tuple[Member, ...]
    pieces: tuple[Piece, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def primary_id(self) -> str:
        """The activity that speaks for the session."""
        return self.members[0].activity_id


NOTHING_DECIDED = Decided()


def merge(
    spans: Sequence[Span], rules: MergingRules, athlete_id: str = "", decided: Decided = NOTHING_DECIDED
) -> list[Session]:
    """Group the spans of one athlete into sessions. The result does not depend on the order in which they come.

    A recording joins the session it shares most with, never another copy, so that a chain of overlaps cannot swallow a
    run that nobody speaks for. No minute of running counts twice, in one session or in two. A session's id is made of
    the moment at which it began, in steps of ten minutes: it stays when another copy of the run arrives, is edited or
    uploaded anew, and whichever of them speaks. Where several begin in one step, none has the id that it would have
    alone: no id passes from one run to another because that one arrived.

    Parameters
    ----------
    spans
        One athlete's running activities, in any order.
    rules
        The thresholds.
    athlete_id
        Whose they are: part of every session's id.
    decided
        What the runner has decided.

    """
    decided = _with_copies(spans, rules, decided)
    order = _ordered(spans, rules, decided)
    groups = _overlapping(order, rules, decided)
    # What shapes say of an hour goes before what is under way at once, and that before duration and distance alone.
    groups = _at_other_hours(groups, order, rules, decided, needs_shape=True)
    groups = _joined(groups, order, rules, decided)
    groups = _at_once(groups, order, rules, decided)
    groups = _at_other_hours(groups, order, rules, decided, needs_shape=False)
    return _named(_sessions(groups, rules, decided), {s.activity_id: s for s in spans}, rules, athlete_id)


@dataclass(slots=True)
class _Placed:
    """A span in its session. `is_part`: it is no copy of the one that speaks, but holds another part of the run."""

    span: Span
    why: str
    shift_s: float = 0.0
    is_part: bool = False


type _Group = list[_Placed]


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


def _with_copies(spans: Sequence[Span], rules: MergingRules, decided: Decided) -> Decided:
    """Let an exclusion reach what is the same recording on another way: begun and ended with it, over the same way."""
    if not decided.excluded:
        return decided
    near = _Neighbours(spans)
    copies = {
        other.activity_id
        for span in spans
        if span.activity_id in decided.excluded
        for other in near.of(span)
        if other.activity_id not in decided.accepted
        and frozenset((span.activity_id, other.activity_id)) not in decided.apart
        and abs((span.start_at - other.start_at).total_seconds()) <= rules.clocks.start_tolerance_s
        and is_alike(span, other, rules.clocks)
    }
    return replace(decided, excluded=decided.excluded | copies)


def _ordered(spans: Sequence[Span], rules: MergingRules, decided: Decided) -> list[Span]:
    """Return the spans, those first that are to speak: whole runs before fragments, then the best recordings."""
    near = _Neighbours(spans)

    def enough(span: Span, other: Span) -> float:
        # What a summary tells beyond a recording is added to it: with half of the run the recording speaks.
        return rules.copies.min_shared if other.is_summary and span.has_profile else rules.copies.nearly_whole

    def is_fragment(span: Span) -> bool:
        return any(
            _is_less(span, other, enough(span, other))
            and _shared(span, other) >= rules.copies.min_shared
            and not decided.is_apart(span.activity_id, other.activity_id)
            for other in near.of(span)
            if not span.is_hidden and not other.is_hidden and not other.is_doubted
        )

    fragments = {s.activity_id for s in spans if is_fragment(s)}
    return sorted(
        spans,
        key=lambda s: (
            s.is_timeless,
            s.is_doubted,
            s.activity_id in fragments,
            s.is_hidden,
            s.rank,
            -s.held_s,
            s.start_at,
            s.activity_id,
        ),
    )


def _is_less(span: Span, other: Span, share: float) -> bool:
    """Whether a recording holds clearly less than another: of the clock, where the other is a summary without stops.

    A recording that has the whole way of a summary lacks nothing: the summary's clock ran on while its runner stood.
    """
    if other.is_summary:
        own, theirs = span.whole_m or span.distance_m, other.distance_m
        if not span.is_summary and own and theirs and own >= share * theirs:
            return False
        return (span.end_at - span.start_at) < share * (other.end_at - other.start_at)
    return span.held_s < share * other.held_s


def _overlapping(order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[_Group]:
    near = _Neighbours(order)
    groups: dict[str, _Group] = {}
    for span in order:
        shared = [
            (_shared(span, other), other)
            for other in near.of(span)
            # Where a start is hidden, nobody knows what it overlaps.
            if not (span.is_hidden or other.is_hidden)
            and other.activity_id in groups
            and not _is_apart(groups[other.activity_id], [span], decided)
        ]
        share, best = max(shared, key=lambda pair: (pair[0], pair[1].activity_id), default=(0.0, span))
        if share < rules.copies.min_shared:
            groups[span.activity_id] = [_Placed(span, _BEST)]
            continue
        why = f"shares {share:.0%} of its time with a better recording"
        if _is_less(span, best, rules.copies.nearly_whole):
            why = f"holds {span.held_s / best.held_s:.0%} as much running as a better recording"
        groups[best.activity_id].append(_Placed(span, why))
    return list(groups.values())


def _at_other_hours(
    groups: Sequence[_Group], order: Sequence[Span], rules: MergingRules, decided: Decided, *, needs_shape: bool
) -> list[_Group]:
    """Join sessions that are alike in everything but the hour. What most writers agree on is the hour, else the best.

    What joins keeps its place behind: recordings at a wrong hour give title and effort, and no minutes.
    """
    place = {span.activity_id: index for index, span in enumerate(order)}
    rest = sorted(groups, key=lambda g: (g[0].span.is_hidden, -_writers(g), place[g[0].span.activity_id]))
    starts = sorted((g[0].span.start_at, index) for index, g in enumerate(rest))
    absorbed: set[int] = set()
    for later, group in enumerate(rest):
        lead = group[0].span
        found = []
        for index in _nearby(starts, lead.start_at, rules.clocks.max_hours):
            if {p.span.writer for p in group} & {p.span.writer for p in rest[index]} - {""}:
                continue
            if index >= later or index in absorbed or _is_apart(rest[index], [p.span for p in group], decided):
                continue
            is_shaped = lead.has_profile and rest[index][0].span.has_profile
            # Of a run in parts the one that speaks has neither the duration nor the distance.
            if not is_shaped and (needs_shape or _has_parts(rest[index]) or _is_made(group, rules)):
                continue
            likes = [likeness(span, lead, rules.clocks) for span in _comparable(rest[index], lead)]
            found += [(like.away_s, index, like) for like in likes if like is not None]
        if not found:
            continue
        _, index, like = min(found, key=lambda row: row[:2])
        absorbed.add(later)
        rest[index].append(_Placed(lead, like.why, like.shift_s))
        rest[index] += [replace(p, shift_s=p.shift_s + like.shift_s) for p in group[1:]]
    return [group for index, group in enumerate(rest) if index not in absorbed]


def _comparable(group: _Group, lead: Span) -> list[Span]:
    """Return the members that a recording is compared with: the one that speaks may be trimmed where a copy is whole.

    Where samples can tell on both sides, they alone do: distance and duration may be alike by chance.
    """
    own = [placed.span for placed in group if not placed.shift_s]
    with_samples = [span for span in own if span.has_profile]
    return with_samples if lead.has_profile and with_samples else own


def _has_parts(group: _Group) -> bool:
    return any(placed.is_part for placed in group)


def _is_made(group: _Group, rules: MergingRules) -> bool:
    """Whether a run is made of several recordings, of which none holds it whole."""
    if len(group) == 1:
        return False
    session, _ = _session(group, (), rules)
    return _has_parts(group) or bool(session.pieces or session.beside)


def _writers(group: _Group) -> int:
    return len({placed.span.writer for placed in group})


def _nearby(starts: Sequence[tuple[dt.datetime, int]], at: dt.datetime, hours: float) -> list[int]:
    import datetime as dt  # noqa: PLC0415  # only the length of a day is needed of it

    away = dt.timedelta(hours=max(hours, 24) + 1)
    first = bisect_left(starts, (at - away, -1))
    after = bisect_right(starts, (at + away, len(starts)))
    return [index for _, index in starts[first:after]]


def _joined(groups: Sequence[_Group], order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[_Group]:
    """Join what the runner says is one run. The best of the recordings speaks for it.

    What is a stretch of it at another hour is a copy and gives no minutes; what is not, is another part of the run.
    """
    place = {span.activity_id: index for index, span in enumerate(order)}
    of = {p.span.activity_id: list(group) for group in groups for p in group}
    for group in groups:
        shared = list(group)
        for placed in group:
            of[placed.span.activity_id] = shared
    for one, other in decided.together:
        if one not in of or other not in of or of[one] is of[other]:
            continue
        if (one in decided.excluded) != (other in decided.excluded):
            continue
        first, second = sorted((of[one], of[other]), key=lambda g: place[g[0].span.activity_id])
        shift_s = None
        if not _shared(first[0].span, second[0].span):
            shift_s = copy_shift(first[0].span, second[0].span, rules.clocks, rules.copies.min_shared)
        why = "joined by your decision" if shift_s is None else "joined by your decision: a copy at another hour"
        first += [replace(p, why=why, shift_s=p.shift_s + (shift_s or 0.0), is_part=shift_s is None) for p in second]
        for placed in second:
            of[placed.span.activity_id] = first
    unique = {id(group): group for group in of.values()}
    return sorted(unique.values(), key=lambda g: (g[0].span.start_at, g[0].span.activity_id))


def _is_apart(group: _Group, spans: Iterable[Span], decided: Decided) -> bool:
    return bool(decided.apart or decided.excluded) and any(
        decided.is_apart(placed.span.activity_id, span.activity_id) for placed in group for span in spans
    )


def _at_once(groups: Sequence[_Group], order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[_Group]:
    """Join sessions of which both move at the same moments: a runner is in one place only.

    Seconds of that are the clocks'. A recording that lies still while another runs moves at no moment of it.
    """
    place = {span.activity_id: index for index, span in enumerate(order)}
    of = {p.span.activity_id: list(group) for group in groups for p in group[:1]}
    for group in groups:
        for placed in group[1:]:
            of[placed.span.activity_id] = of[group[0].span.activity_id]
    speaking = [s for group in groups if _counts(group, decided) for s in _parts(group)]
    near = _Neighbours(speaking)
    for span in sorted(speaking, key=lambda s: place[s.activity_id]):
        for other in sorted(near.of(span), key=lambda s: place[s.activity_id]):
            one, two = of[span.activity_id], of[other.activity_id]
            if one is two or _is_apart(one, [p.span for p in two], decided):
                continue
            shared_s = _both_move_s(span, other)
            if shared_s <= rules.copies.overlap_s:
                continue
            first, second = sorted((one, two), key=lambda g: place[g[0].span.activity_id])
            why = f"moves at the same time as a better recording for {shared_s / 60:.0f} min, and goes on beside it"
            second[0] = replace(second[0], why=why, is_part=True)
            first += second
            for placed in second:
                of[placed.span.activity_id] = first
    unique = {id(group): group for group in of.values()}
    return sorted(unique.values(), key=lambda g: (g[0].span.start_at, g[0].span.activity_id))


def _counts(group: _Group, decided: Decided) -> bool:
    """Whether a session counts as far as its recordings tell: neither excluded, nor doubted and not accepted."""
    if any(p.span.activity_id in decided.excluded for p in group):
        return False
    return not group[0].span.is_doubted or any(p.span.activity_id in decided.accepted for p in group)


def _parts(group: _Group) -> list[Span]:
    """Return the spans of a session that hold its parts, without the copies of these; where the hour is known."""
    return [p.span for p in group if (p is group[0] or p.is_part) and not p.shift_s and not p.span.is_hidden]


def _both_move_s(one: Span, other: Span) -> float:
    first = max(one.start_at, other.start_at).timestamp()
    last = min(one.end_at, other.end_at).timestamp()
    if last - first <= 0:
        return 0.0
    starts = np.arange(first, last, BIN_S)
    lengths = np.minimum(starts + BIN_S, last) - starts
    both = np.minimum(np.minimum(_moving_s(one, starts), _moving_s(other, starts)), lengths)
    return float(both.sum())


@dataclass(frozen=True, slots=True)
class _Voice:
    """A span that counts, whole or in pieces of it."""

    span: Span
    pieces: tuple[Piece, ...] | None = None

    def moving_s(self, starts: Array) -> Array:
        """Return for how many seconds of each half-minute it counts as moving."""
        moving = _moving_s(self.span, starts)
        if self.pieces is None:
            return moving
        return np.where(self._inside(starts), moving, 0.0)

    def clock_s(self, starts: Array) -> Array:
        """Return for how many seconds of each half-minute it was on, moving or not."""
        on = _clock_s(self.span, starts)
        return on if self.pieces is None else np.where(self._inside(starts), on, 0.0)

    def way_m(self, starts: Array) -> float | None:
        """Return how far it tells to have gone in these half-minutes; None where it does not tell."""
        span, profile = self.span, self.span.profile
        if profile is not None:
            mean = np.nan_to_num(profile.speed_mps)
            index = np.floor((starts + BIN_S / 2 - span.start_at.timestamp()) / BIN_S).astype(int)
            known = (index >= 0) & (index < len(mean))
            return float((self.moving_s(starts)[known] * mean[index[known]]).sum())
        seconds = (span.end_at - span.start_at).total_seconds()
        if span.distance_m is None or seconds <= 0:
            return None
        return span.distance_m * float(self.clock_s(starts).sum()) / seconds

    def _inside(self, starts: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        middle = starts + BIN_S / 2 - self.span.start_at.timestamp()
        inside = np.zeros(len(starts), dtype=bool)
        for piece in self.pieces or ():
            inside |= (middle >= piece.from_s) & (middle < piece.to_s)
        return inside


def _sessions(groups: Sequence[_Group], rules: MergingRules, decided: Decided) -> list[Session]:
    """Make the sessions, in order of time. What one of them counts, copies in another cannot add."""
    speaking = {s.activity_id: group for group in groups if _counts(group, decided) for s in _parts(group)}
    near = _Neighbours([p.span for group in groups for p in group])
    voices: dict[str, _Voice] = {}
    found = []
    for group in groups:
        others: dict[str, _Voice] = {}
        for placed in group[1:]:
            for other in near.of(placed.span):
                theirs = speaking.get(other.activity_id)
                voice = voices.get(other.activity_id) or (_Voice(other) if theirs is not None else None)
                if voice is None or theirs is group or _is_apart(group, [other], decided):
                    continue
                if not any(p.span is other for p in group):
                    others[other.activity_id] = voice
        session, own = _session(group, list(others.values()), rules)
        if _counts(group, decided):
            voices |= {voice.span.activity_id: voice for voice in own}
        found.append(session)
    return found


def _session(group: _Group, others: Sequence[_Voice], rules: MergingRules) -> tuple[Session, list[_Voice]]:
    """Return a session, and what of its members counts. `others`: what counts in other sessions at its time."""
    lead = group[0].span
    members = tuple(
        Member(p.span.activity_id, p is group[0], p.why if p is not group[0] else _BEST, p.shift_s, p.is_part)
        for p in group
    )
    pieces: list[Piece] = []
    beside: list[Beside] = []
    own = [_Voice(lead)]
    for placed in group[1:]:
        span = placed.span
        if not lead.has_profile or not span.has_profile or placed.shift_s or span.is_hidden:
            continue
        if not placed.is_part and not _may_add(span, lead, rules.extras):
            continue
        if found := _pieces(placed, [*own, *others], rules):
            pieces += found
            own.append(_Voice(span, tuple(found)))
    for placed in group[1:]:
        span = placed.span
        if placed.shift_s or span.is_hidden or (lead.has_profile and span.has_profile):
            continue
        share = _share_beside if placed.is_part else _share_outside
        if added := share(span, [*own, *others], rules):
            beside.append(Beside(span.activity_id, added))
            own.append(_Voice(span))
    return Session("", members, tuple(pieces), tuple(beside)), own


def _share_beside(span: Span, speaking: Sequence[_Voice], rules: MergingRules) -> float:
    """Return the share of a part of the run that lies beside what counts already; 0 where that is next to nothing."""
    first, last = span.start_at.timestamp(), span.end_at.timestamp()
    if last <= first:
        return 0.0
    starts = np.arange(first, last, BIN_S)
    lengths = np.minimum(starts + BIN_S, last) - starts
    held = sum((voice.moving_s(starts) for voice in speaking), np.zeros(len(starts)))
    shared_s = float(np.minimum(held, lengths).sum())
    if shared_s <= rules.copies.overlap_s and shared_s <= (1 - rules.copies.nearly_whole) * (last - first):
        return 1.0
    share = 1 - shared_s / (last - first)
    return share if share > 1 - rules.copies.nearly_whole and share * (last - first) >= rules.extras.min_s else 0.0


def _share_outside(span: Span, speaking: Sequence[_Voice], rules: MergingRules) -> float:
    """Return the share of a copy that lies before or after all that counts already; 0 where that is next to nothing.

    One side has no samples. What it tells beyond the way that the others went meanwhile is all that it can add: a
    summary's clock runs on while its runner stands. As long and as far as one of them, it is that one on another clock.
    """
    if span.is_doubted or span.is_timeless or any(is_alike(span, v.span, rules.clocks) for v in speaking):
        return 0.0
    first, last = span.start_at.timestamp(), span.end_at.timestamp()
    if last <= first:
        return 0.0
    starts = np.arange(first, last, BIN_S)
    lengths = np.minimum(starts + BIN_S, last) - starts
    held = sum((voice.clock_s(starts) for voice in speaking), np.zeros(len(starts)))
    share = 1 - float(np.minimum(held, lengths).sum()) / (last - first)
    ways = [voice.way_m(starts) for voice in speaking]
    if span.distance_m and None not in ways:
        share = min(share, 1 - sum(way for way in ways if way is not None) / span.distance_m)
    return share if share > 1 - rules.copies.nearly_whole and share * (last - first) >= rules.extras.min_s else 0.0


def _may_add(span: Span, lead: Span, rules: Extras) -> bool:
    """Whether a copy can hold running that the best recording lacks: most cannot, and need not be looked at."""
    outside = max((lead.start_at - span.start_at).total_seconds(), 0) + max(
        (span.end_at - lead.end_at).total_seconds(), 0
    )
    unmoved = (lead.end_at - lead.start_at).total_seconds() - lead.held_s
    return outside + max(unmoved, 0) >= rules.min_s


def _pieces(placed: _Placed, speaking: Sequence[_Voice], rules: MergingRules) -> list[Piece]:
    """Return the stretches in which this recording runs and nobody who speaks already moves.

    What a copy alone holds must be long enough, and neither walking nor faster than a runner: a phone is carried on in
    cars and trains. Another part of the run is taken as it is; it has doubts of its own.
    """
    extras, sanity = rules.extras, rules.sanity
    span, profile = placed.span, placed.span.profile
    assert profile is not None  # noqa: S101  # the caller asks only those that have one
    bins = np.arange(len(profile.covered_s))
    starts = np.asarray(span.start_at.timestamp() + BIN_S * bins, dtype=np.float64)
    held = sum((voice.moving_s(starts) for voice in speaking), np.zeros(len(bins)))
    speed = np.nan_to_num(profile.speed_mps)
    alone = held < BIN_S / 6
    if not placed.is_part:
        alone &= ~_is_drive(speed, sanity.vehicle_mps)
    found = []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], alone, [False]])))
    for first, after in edges.reshape(-1, 2):
        # What begins or ends with standing or walking is trimmed: only the running is missing.
        runs = np.flatnonzero(speed[first:after] >= (_STANDING_MPS if placed.is_part else extras.min_mps))
        if not len(runs):
            continue
        low, high = first + runs[0], first + runs[-1] + 1
        length = float(profile.covered_s[low:high].sum())
        way = float((speed[low:high] * profile.covered_s[low:high]).sum())
        is_run = length >= extras.min_s and extras.min_mps * length <= way <= sanity.ride_mps * length
        if is_run or placed.is_part:
            found.append(Piece(span.activity_id, float(BIN_S * low), float(BIN_S * high)))
    return found


def _is_drive(speed: Array, vehicle_mps: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which half-minutes are a drive: faster than any runner, and what follows in traffic until a real stop."""
    fast = speed > vehicle_mps
    is_drive = fast.copy()
    moving = np.flatnonzero(speed >= _STANDING_MPS)
    if fast.sum() < _DRIVEN_BINS or not len(moving):
        return is_drive
    for stretch in np.split(moving, np.flatnonzero(np.diff(moving) > _STOP_BINS) + 1):
        driven = stretch[fast[stretch]]
        if len(driven) >= _DRIVEN_BINS:
            is_drive[driven[0] : stretch[-1] + 1] = True
    return is_drive


def _moving_s(span: Span, starts: Array) -> Array:
    """Return for how many seconds of each half-minute a recording moves."""
    profile = span.profile
    if profile is None:
        return _clock_s(span, starts)
    moving = np.where(np.nan_to_num(profile.speed_mps) >= _STANDING_MPS, profile.covered_s, 0.0)
    edges = span.start_at.timestamp() + BIN_S * np.arange(len(moving) + 1)
    total = np.concatenate([[0.0], np.cumsum(moving)])
    return np.asarray(np.interp(starts + BIN_S, edges, total) - np.interp(starts, edges, total))


def _clock_s(span: Span, starts: Array) -> Array:
    first, last = span.start_at.timestamp(), span.end_at.timestamp()
    return np.asarray(np.clip(np.minimum(starts + BIN_S, last) - np.maximum(starts, first), 0, None))


def _named(found: Sequence[Session], spans: Mapping[str, Span], rules: MergingRules, athlete_id: str) -> list[Session]:
    """Give each session its id: of the moment at which it began, in steps.

    Where several share a step, all of them are named more closely, by the minute, the second, the recording.
    """
    starts = {session.primary_id: int(spans[session.primary_id].start_at.timestamp()) for session in found}
    step_s = round(60 * rules.copies.id_minutes)
    closer: list[Callable[[Session], str]] = [
        lambda session: f"{athlete_id}/{starts[session.primary_id] // step_s}/1",
        lambda session: f"{athlete_id}/minute {starts[session.primary_id] // 60}",
        lambda session: f"{athlete_id}/second {starts[session.primary_id]}",
        lambda session: f"{athlete_id}/recording {session.primary_id}",
    ]
    names: dict[str, str] = {}
    for name in closer:
        told = {s.primary_id: name(s) for s in found if s.primary_id not in names}
        count = Counter(told.values())
        names |= {primary_id: text for primary_id, text in told.items() if count[text] == 1}
    return [
        replace(session, session_id=hashlib.sha256(names[session.primary_id].encode()).hexdigest()[:12])
        for session in sorted(found, key=lambda s: (spans[s.primary_id].start_at, s.primary_id))
    ]


def _shared(a: Span, b: Span) -> float:
    overlap = (min(a.end_at, b.end_at) - max(a.start_at, b.start_at)).total_seconds()
    if overlap < 0:
        return 0.0
    shorter = min((a.end_at - a.start_at).total_seconds(), (b.end_at - b.start_at).total_seconds())
    return min(1.0, overlap / shorter) if shorter > 0 else 1.0
