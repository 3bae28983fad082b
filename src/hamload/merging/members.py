"""Sessions: the members of each, while they are being found and as they come out, and the name of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hamload.merging.spans import Decided, Span
    from hamload.parameters import MergingRules


BEST = "the best recording"


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


@dataclass(slots=True)
class Placed:
    """A span in its session. `is_part`: it is no copy of the one that speaks, but holds another part of the run."""

    span: Span
    why: str
    shift_s: float = 0.0
    is_part: bool = False


type Group = list[Placed]


def is_apart(group: Group, spans: Iterable[Span], decided: Decided) -> bool:
    """Whether any of these spans can never be of a session with any of its members."""
    return bool(decided.apart or decided.excluded) and any(
        decided.is_apart(placed.span.activity_id, span.activity_id) for placed in group for span in spans
    )


def counts(group: Group, decided: Decided) -> bool:
    """Whether a session counts as far as its recordings tell: neither excluded, nor doubted and not accepted."""
    if any(p.span.activity_id in decided.excluded for p in group):
        return False
    return not group[0].span.is_doubted or any(p.span.activity_id in decided.accepted for p in group)


def parts(group: Group) -> list[Span]:
    """Return the spans of a session that hold its parts, without the copies of these; where the hour is known."""
    return [p.span for p in group if (p is group[0] or p.is_part) and not p.shift_s and not p.span.is_hidden]


def named(found: Sequence[Session], spans: Mapping[str, Span], rules: MergingRules, athlete_id: str) -> list[Session]:
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
