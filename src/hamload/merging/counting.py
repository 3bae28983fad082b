"""What of a session's members counts: the best one's seconds, and what only others hold. No minute counts twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.merging.likeness import is_alike, is_typed
from hamload.merging.members import BEST, Beside, Member, Piece, Session, counts, is_apart, parts
from hamload.merging.profile import BIN_S
from hamload.merging.spans import Neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.merging.members import Group, Placed
    from hamload.merging.spans import Decided, Span
    from hamload.parameters import Extras, MergingRules
    from hamload.records import Array

_STANDING_MPS = 0.5
#: A drive has more than one half-minute beyond any runner, which may be a jump of positions; two minutes' rest end it.
_DRIVEN_BINS = 2
_STOP_BINS = 4


def both_move_s(one: Span, other: Span) -> float:
    """Return for how many seconds both move at the same moments."""
    first = max(one.start_at, other.start_at).timestamp()
    last = min(one.end_at, other.end_at).timestamp()
    if last - first <= 0:
        return 0.0
    starts, lengths = _bins(first, last)
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


def sessions(groups: Sequence[Group], rules: MergingRules, decided: Decided) -> list[Session]:
    """Make the sessions, in order of time. What one of them counts, copies in another cannot add."""
    speaking = {s.activity_id: group for group in groups if counts(group, decided) for s in parts(group)}
    near = Neighbours([p.span for group in groups for p in group])
    voices: dict[str, _Voice] = {}
    found = []
    for group in groups:
        others: dict[str, _Voice] = {}
        for placed in group[1:]:
            for other in near.of(placed.span):
                theirs = speaking.get(other.activity_id)
                voice = voices.get(other.activity_id) or (_Voice(other) if theirs is not None else None)
                if voice is None or theirs is group or is_apart(group, [other], decided):
                    continue
                if not any(p.span is other for p in group):
                    others[other.activity_id] = voice
        session, own = session_of(group, list(others.values()), rules)
        if counts(group, decided):
            voices |= {voice.span.activity_id: voice for voice in own}
        found.append(session)
    return found


def session_of(group: Group, others: Sequence[_Voice], rules: MergingRules) -> tuple[Session, list[_Voice]]:
    """Return a session, and what of its members counts. `others`: what counts in other sessions at its time."""
    lead = group[0].span
    members = tuple(
        Member(p.span.activity_id, p is group[0], p.why if p is not group[0] else BEST, p.shift_s, p.is_part)
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
    starts, lengths = _bins(first, last)
    held = sum((voice.moving_s(starts) for voice in speaking), np.zeros(len(starts)))
    shared_s = float(np.minimum(held, lengths).sum())
    if shared_s <= rules.copies.overlap_s and shared_s <= (1 - rules.copies.nearly_whole) * (last - first):
        return 1.0
    share = 1 - shared_s / (last - first)
    return _if_enough(share, last - first, rules)


def _share_outside(span: Span, speaking: Sequence[_Voice], rules: MergingRules) -> float:
    """Return the share of a copy that lies before or after all that counts already; 0 where that is next to nothing.

    One side has no samples. What it tells beyond the time that the others moved meanwhile, and beyond the way that they
    went, is all that it can add: a summary's clock runs on while its runner stands. Where it is as long and as far as
    one of them, it is that one on another clock; the clock of an entry made by hand says little of when it began.
    """
    is_one_of_them = any(
        (span.is_summary or v.span.is_summary) and is_alike(span, v.span, rules.clocks) for v in speaking
    )
    if span.is_doubted or span.is_timeless or is_one_of_them or span.held_s <= 0:
        return 0.0
    first, last = span.start_at.timestamp(), span.end_at.timestamp()
    if last <= first:
        return 0.0
    starts, lengths = _bins(first, last)
    held = sum((voice.clock_s(starts) for voice in speaking), np.zeros(len(starts)))
    share = 1 - float(np.minimum(held, lengths).sum()) / (last - first)
    if is_typed(span):
        speaking = [v for v in speaking if v.span.start_at < span.end_at and span.start_at < v.span.end_at]
        first_of_all = min([first, *(v.span.start_at.timestamp() for v in speaking)])
        starts = np.arange(first_of_all, max([last, *(v.span.end_at.timestamp() for v in speaking)]), BIN_S)
        lengths = np.full(len(starts), BIN_S)
    moved = sum((voice.moving_s(starts) for voice in speaking), np.zeros(len(starts)))
    share = min(share, 1 - float(np.minimum(moved, lengths).sum()) / span.held_s)
    ways = [voice.way_m(starts) for voice in speaking]
    if span.distance_m and None not in ways:
        share = min(share, 1 - sum(way for way in ways if way is not None) / span.distance_m)
    return _if_enough(share, last - first, rules)


def _if_enough(share: float, seconds: float, rules: MergingRules) -> float:
    """Return a share of so many seconds, 0 where it is next to nothing."""
    return share if share > 1 - rules.copies.nearly_whole and share * seconds >= rules.extras.min_s else 0.0


def _may_add(span: Span, lead: Span, rules: Extras) -> bool:
    """Whether a copy can hold running that the best recording lacks: most cannot, and need not be looked at."""
    outside = max((lead.start_at - span.start_at).total_seconds(), 0) + max(
        (span.end_at - lead.end_at).total_seconds(), 0
    )
    unmoved = (lead.end_at - lead.start_at).total_seconds() - lead.held_s
    return outside + max(unmoved, 0) >= rules.min_s


def _pieces(placed: Placed, speaking: Sequence[_Voice], rules: MergingRules) -> list[Piece]:
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


def _bins(first: float, last: float) -> tuple[Array, Array]:
    """Return where each half-minute between two moments begins, and how long it is: the last may be shorter."""
    starts = np.arange(first, last, BIN_S)
    return starts, np.minimum(starts + BIN_S, last) - starts


def _clock_s(span: Span, starts: Array) -> Array:
    first, last = span.start_at.timestamp(), span.end_at.timestamp()
    return np.asarray(np.clip(np.minimum(starts + BIN_S, last) - np.maximum(starts, first), 0, None))
