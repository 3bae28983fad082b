"""Which activities are recordings of the same run. Pure: spans in, sessions out.

Nobody runs two runs at once, so two running activities of one athlete that share at least half of the shorter one's
time are one session, and so are two that share less but move at the same moments. Of those that hold the run nearly
whole, the best speaks for it; running that only a copy holds is added to it; what else the copies tell stays beside it
and counts nothing. Recordings whose clocks are whole quarters of an hour apart, or whose start is hidden, are one
session only where they are otherwise alike. What the runner has decided stands above all of it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from hamload.merging.counting import both_move_s, session_of, sessions
from hamload.merging.likeness import copy_shift, is_alike, likeness
from hamload.merging.members import BEST, Group, Placed, counts, is_apart, named, parts
from hamload.merging.spans import NOTHING_DECIDED, Decided, Neighbours, Span, shared_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.merging.members import Session
    from hamload.parameters import MergingRules


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
    return named(sessions(groups, rules, decided), {s.activity_id: s for s in spans}, rules, athlete_id)


def _with_copies(spans: Sequence[Span], rules: MergingRules, decided: Decided) -> Decided:
    """Let an exclusion reach what is the same recording on another way: begun and ended with it, over the same way."""
    if not decided.excluded:
        return decided
    near = Neighbours(spans)
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
    near = Neighbours(spans)

    def enough(span: Span, other: Span) -> float:
        # What a summary tells beyond a recording is added to it: with half of the run the recording speaks.
        return rules.copies.min_shared if other.is_summary and span.has_profile else rules.copies.nearly_whole

    def is_fragment(span: Span) -> bool:
        return any(
            _is_less(span, other, enough(span, other))
            and shared_time(span, other) >= rules.copies.min_shared
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


def _overlapping(order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[Group]:
    near = Neighbours(order)
    groups: dict[str, Group] = {}
    for span in order:
        shared = [
            (shared_time(span, other), other)
            for other in near.of(span)
            # Where a start is hidden, nobody knows what it overlaps.
            if not (span.is_hidden or other.is_hidden)
            and other.activity_id in groups
            and not is_apart(groups[other.activity_id], [span], decided)
        ]
        share, best = max(shared, key=lambda pair: (pair[0], pair[1].activity_id), default=(0.0, span))
        if share < rules.copies.min_shared:
            groups[span.activity_id] = [Placed(span, BEST)]
            continue
        why = f"shares {share:.0%} of its time with a better recording"
        if _is_less(span, best, rules.copies.nearly_whole):
            why = f"holds {span.held_s / best.held_s:.0%} as much running as a better recording"
        groups[best.activity_id].append(Placed(span, why))
    return list(groups.values())


def _at_other_hours(
    groups: Sequence[Group], order: Sequence[Span], rules: MergingRules, decided: Decided, *, needs_shape: bool
) -> list[Group]:
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
            if index >= later or index in absorbed or is_apart(rest[index], [p.span for p in group], decided):
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
        rest[index].append(Placed(lead, like.why, like.shift_s))
        rest[index] += [replace(p, shift_s=p.shift_s + like.shift_s) for p in group[1:]]
    return [group for index, group in enumerate(rest) if index not in absorbed]


def _comparable(group: Group, lead: Span) -> list[Span]:
    """Return the members that a recording is compared with: the one that speaks may be trimmed where a copy is whole.

    Where samples can tell on both sides, they alone do: distance and duration may be alike by chance.
    """
    own = [placed.span for placed in group if not placed.shift_s]
    with_samples = [span for span in own if span.has_profile]
    return with_samples if lead.has_profile and with_samples else own


def _has_parts(group: Group) -> bool:
    return any(placed.is_part for placed in group)


def _is_made(group: Group, rules: MergingRules) -> bool:
    """Whether a run is made of several recordings, of which none holds it whole."""
    if len(group) == 1:
        return False
    session, _ = session_of(group, (), rules)
    return _has_parts(group) or bool(session.pieces or session.beside)


def _writers(group: Group) -> int:
    return len({placed.span.writer for placed in group})


def _nearby(starts: Sequence[tuple[dt.datetime, int]], at: dt.datetime, hours: float) -> list[int]:
    away = dt.timedelta(hours=max(hours, 24) + 1)
    first = bisect_left(starts, (at - away, -1))
    after = bisect_right(starts, (at + away, len(starts)))
    return [index for _, index in starts[first:after]]


def _joined(groups: Sequence[Group], order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[Group]:
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
        if not shared_time(first[0].span, second[0].span):
            shift_s = copy_shift(first[0].span, second[0].span, rules.clocks, rules.copies.min_shared)
        why = "joined by your decision" if shift_s is None else "joined by your decision: a copy at another hour"
        first += [replace(p, why=why, shift_s=p.shift_s + (shift_s or 0.0), is_part=shift_s is None) for p in second]
        for placed in second:
            of[placed.span.activity_id] = first
    unique = {id(group): group for group in of.values()}
    return sorted(unique.values(), key=lambda g: (g[0].span.start_at, g[0].span.activity_id))


def _at_once(groups: Sequence[Group], order: Sequence[Span], rules: MergingRules, decided: Decided) -> list[Group]:
    """Join sessions of which both move at the same moments: a runner is in one place only.

    Seconds of that are the clocks'. A recording that lies still while another runs moves at no moment of it.
    """
    place = {span.activity_id: index for index, span in enumerate(order)}
    of = {p.span.activity_id: list(group) for group in groups for p in group[:1]}
    for group in groups:
        for placed in group[1:]:
            of[placed.span.activity_id] = of[group[0].span.activity_id]
    speaking = [s for group in groups if counts(group, decided) for s in parts(group)]
    near = Neighbours(speaking)
    for span in sorted(speaking, key=lambda s: place[s.activity_id]):
        for other in sorted(near.of(span), key=lambda s: place[s.activity_id]):
            one, two = of[span.activity_id], of[other.activity_id]
            if one is two or is_apart(one, [p.span for p in two], decided):
                continue
            shared_s = both_move_s(span, other)
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
