"""What the runner has decided about recordings, found again among those that are here now.

A decision names the activities that it was made about. One that has been edited or uploaded anew since is known by its
service's own id, or as what superseded it in its file of a watched folder. What was excluded and is gone stays excluded
when the same run comes again under another id; any other decision about what is gone has no object. What was accepted
is accepted as it was then: a recording that tells of another run now is asked about again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import combinations, product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from hamload.merging.spans import Decided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hamload.parameters import Clocks

type Action = Literal["split", "join", "accept", "whole", "exclude", "run"]
type Verdict = Literal["accepted", "accepted whole", "excluded", ""]

#: The kind of journal entry that holds a decision.
KIND = "sessions"
NOTHING_SUPERSEDED: Mapping[str, str] = MappingProxyType({})
_VERDICTS: dict[str, Verdict] = {"accept": "accepted", "whole": "accepted whole", "exclude": "excluded"}


@dataclass(frozen=True, slots=True)
class Ref:
    """One activity, as a decision names it. `name`: its file's, for who reads the journal; nothing is found by it.

    `start_at`, `duration_s`, `distance_m`: what it told when it was decided about; None in decisions of an earlier
    hamload, and where it tells none.
    """

    activity_id: str
    document_id: str
    source: str
    external_id: str
    part: int
    name: str = ""
    start_at: dt.datetime | None = None
    duration_s: float | None = None
    distance_m: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Return it ready for the journal."""
        found = {name: getattr(self, name) for name in Ref.__slots__}
        return found | {"start_at": self.start_at and self.start_at.astimezone(dt.UTC).isoformat()}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Ref:
        """Read it from the journal."""
        told = {name: record[name] for name in Ref.__slots__ if name in record}
        start_at = told.get("start_at")
        return cls(**told | {"start_at": dt.datetime.fromisoformat(start_at) if start_at else None})

    def tells_the_same(self, other: Ref, rules: Clocks) -> bool:
        """Whether both tell of nearly the same start, duration and distance."""
        if self.start_at is None or other.start_at is None or not self.duration_s or not other.duration_s:
            return False
        if abs((self.start_at - other.start_at).total_seconds()) > rules.start_tolerance_s:
            return False
        a, b = self.duration_s, other.duration_s
        if abs(a - b) > max(rules.duration_s, rules.duration_share * max(a, b)):
            return False
        c, d = self.distance_m or 0.0, other.distance_m or 0.0
        return abs(c - d) <= rules.distance_share * max(c, d)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Everything that is decided now. `verdicts` holds, by activity, the latest verdict and its place in time."""

    pairs: Decided
    verdicts: Mapping[str, tuple[int, Verdict]]

    def verdict(self, activity_ids: Iterable[str]) -> Verdict:
        """Return the latest verdict about any of these activities, "" where there is none."""
        found = [self.verdicts[i] for i in activity_ids if i in self.verdicts]
        return max(found)[1] if found else ""


def decisions(
    entries: Sequence[Mapping[str, Any]],
    activities: Sequence[Ref],
    rules: Clocks,
    superseded: Mapping[str, str] = NOTHING_SUPERSEDED,
) -> Decisions:
    """Read decisions, oldest first: a later one overrules an earlier one about the same activities.

    Parameters
    ----------
    entries
        The contents of the journal's entries of `KIND`: `{"action": ..., "groups": [[activity, ...], ...]}`.
    activities
        The athlete's activities that are here now.
    rules
        Within what two that tell of the same run may differ.
    superseded
        By document that a watched file held before, the one of the same run that it holds since.

    """
    reading = _Reading(activities, rules, superseded)
    for place, entry in enumerate(entries):
        reading.take(place, entry["action"], [[Ref.of(ref) for ref in group] for group in entry["groups"]])
    reading.follow_gone(activities)
    verdicts = reading.verdicts
    excluded = frozenset(i for i, (_, verdict) in verdicts.items() if verdict == "excluded")
    pairs = Decided(
        frozenset(reading.apart), tuple(reading.together.values()), excluded, frozenset(verdicts) - excluded
    )
    return Decisions(pairs, verdicts)


class _Reading:
    """What has been decided up to an entry. What a decision names and is not here keeps the id that it had."""

    def __init__(self, activities: Sequence[Ref], rules: Clocks, superseded: Mapping[str, str]) -> None:
        self._here = {ref.activity_id: ref for ref in activities}
        self._found = _finder(activities, superseded)
        self._rules = rules
        self._gone: dict[str, Ref] = {}
        self._readmitted: dict[str, int] = {}
        self.apart: set[frozenset[str]] = set()
        self.together: dict[frozenset[str], tuple[str, str]] = {}
        self.verdicts: dict[str, tuple[int, Verdict]] = {}

    def take(self, place: int, action: Action, named: Sequence[Sequence[Ref]]) -> None:
        """Take in the next entry."""
        groups = [[(ref, self._found(ref) or ref.activity_id) for ref in group] for group in named]
        everyone = [pair for group in groups for pair in group]
        self._gone |= {i: ref for ref, i in everyone if i not in self._here}
        ids = [i for _, i in everyone]
        if action in _VERDICTS:
            self.verdicts |= {
                i: (place, _VERDICTS[action])
                for ref, i in everyone
                if action == "exclude" or _is_still(ref, self._here.get(i), self._rules)
            }
        elif action == "split":
            for one, other in combinations(groups, 2):
                for (_, i), (_, j) in product(one, other):
                    self.apart.add(frozenset((i, j)))
                    self.together.pop(frozenset((i, j)), None)
        elif action == "join":
            self.apart -= {frozenset(pair) for pair in combinations(ids, 2)}
            # All with all: what is split off later leaves the others joined.
            self.together |= {frozenset(pair): pair for pair in combinations(ids, 2)}
        if action in {"run", "join"}:
            # A ride that was excluded is a run after all, and what is joined is of a run again.
            for i in ids:
                if self.verdicts.get(i, (0, ""))[1] == "excluded":
                    del self.verdicts[i]
            self._readmitted |= dict.fromkeys(ids, place)

    def follow_gone(self, activities: Sequence[Ref]) -> None:
        """Let what was excluded and is gone take with it what is the same run under another id."""
        for i, ref in self._gone.items():
            place, verdict = self.verdicts.get(i, (0, ""))
            if verdict != "excluded":
                continue
            for other in activities:
                decided = self.verdicts.get(other.activity_id, (-1, ""))[0]
                if max(decided, self._readmitted.get(other.activity_id, -1)) > place:
                    continue
                if ref.tells_the_same(other, self._rules) and not self._is_split_from(i, other):
                    self.verdicts[other.activity_id] = (place, "excluded")

    def _is_split_from(self, activity_id: str, other: Ref) -> bool:
        """Whether the runner has split these, or what is gone and told the same as the other one."""
        partners = {i for pair in self.apart if activity_id in pair for i in pair - {activity_id}}
        return other.activity_id in partners or any(
            self._gone[i].tells_the_same(other, self._rules) for i in partners & self._gone.keys()
        )


def _is_still(then: Ref, now: Ref | None, rules: Clocks) -> bool:
    """Whether an activity is what it was when it was decided about, as far as the decision tells."""
    if now is None or then.start_at is None or then.document_id == now.document_id:
        return True
    return then.tells_the_same(now, rules)


def _finder(activities: Sequence[Ref], superseded: Mapping[str, str]) -> Callable[[Ref], str | None]:
    """Return what finds the activity that a decision names among those that are here."""
    here = {ref.activity_id for ref in activities}
    by_service = {(r.source, r.external_id, r.part): r.activity_id for r in activities if r.external_id}
    by_document = {(r.document_id, r.part): r.activity_id for r in activities}

    def found(ref: Ref) -> str | None:
        if ref.activity_id in here:
            return ref.activity_id
        if known := by_service.get((ref.source, ref.external_id, ref.part)):
            return known
        # A file's name tells nothing: the next run may lie under it.
        document, passed = ref.document_id, set[str]()
        while document in superseded and document not in passed:
            passed.add(document)
            document = superseded[document]
        return by_document.get((document, ref.part))

    return found


def counted_as_runs(
    entries: Sequence[Mapping[str, Any]], document_id: str, source: str, external_id: str
) -> frozenset[int]:
    """Return the parts of a document that the runner says were runs, whatever sport they name."""
    parts: set[int] = set()
    for entry in entries:
        if entry["action"] != "run":
            continue
        for ref in (ref for group in entry["groups"] for ref in group):
            is_same = ref["document_id"] == document_id
            if is_same or (external_id and (ref["source"], ref["external_id"]) == (source, external_id)):
                parts.add(int(ref["part"]))
    return frozenset(parts)
