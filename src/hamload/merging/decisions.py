"""What the runner has decided about recordings, found again among those that are here now.

A decision names the activities that it was made about. One that has been edited or uploaded anew since is known by its
service's own id, or as what superseded it in its file of a watched folder; one that is gone leaves its part of the
decision without an object, and changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from hamload.merging.grouping import Decided

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

type Action = Literal["split", "join", "accept", "whole", "exclude", "run"]
type Verdict = Literal["accepted", "accepted whole", "excluded", ""]

#: The kind of journal entry that holds a decision.
KIND = "sessions"
NOTHING_SUPERSEDED: Mapping[str, str] = MappingProxyType({})
_VERDICTS: dict[str, Verdict] = {"accept": "accepted", "whole": "accepted whole", "exclude": "excluded"}


@dataclass(frozen=True, slots=True)
class Ref:
    """One activity, as a decision names it. `name`: its file's, for who reads the journal; nothing is found by it."""

    activity_id: str
    document_id: str
    source: str
    external_id: str
    part: int
    name: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return it ready for the journal."""
        return {name: getattr(self, name) for name in Ref.__slots__}


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
    entries: Sequence[Mapping[str, Any]], activities: Sequence[Ref], superseded: Mapping[str, str] = NOTHING_SUPERSEDED
) -> Decisions:
    """Read decisions, oldest first: a later one overrules an earlier one about the same activities.

    Parameters
    ----------
    entries
        The contents of the journal's entries of `KIND`: `{"action": ..., "groups": [[activity, ...], ...]}`.
    activities
        The athlete's activities that are here now.
    superseded
        By document that a watched file held before, the one of the same run that it holds since.

    """
    found = _finder(activities, superseded)
    apart: set[frozenset[str]] = set()
    together: dict[frozenset[str], tuple[str, str]] = {}
    verdicts: dict[str, tuple[int, Verdict]] = {}
    for place, entry in enumerate(entries):
        groups = [[i for i in map(found, group) if i is not None] for group in entry["groups"]]
        action = entry["action"]
        if action in _VERDICTS:
            verdicts |= {i: (place, _VERDICTS[action]) for group in groups for i in group}
        elif action == "run":
            # A ride that was excluded is a run after all.
            _readmit(verdicts, [i for group in groups for i in group])
        elif action == "split":
            for one, other in combinations(groups, 2):
                for pair in product(one, other):
                    apart.add(frozenset(pair))
                    together.pop(frozenset(pair), None)
        elif action == "join":
            named = [i for group in groups for i in group]
            apart -= {frozenset(pair) for pair in combinations(named, 2)}
            # All with all: what is split off later leaves the others joined.
            together |= {frozenset(pair): pair for pair in combinations(named, 2)}
            # What is joined is of a run again.
            _readmit(verdicts, named)
    excluded = frozenset(i for i, (_, verdict) in verdicts.items() if verdict == "excluded")
    pairs = Decided(frozenset(apart), tuple(together.values()), excluded, frozenset(verdicts) - excluded)
    return Decisions(pairs, verdicts)


def _finder(activities: Sequence[Ref], superseded: Mapping[str, str]) -> Callable[[Mapping[str, Any]], str | None]:
    """Return what finds the activity that a decision names among those that are here."""
    here = {ref.activity_id for ref in activities}
    by_service = {(r.source, r.external_id, r.part): r.activity_id for r in activities if r.external_id}
    by_document = {(r.document_id, r.part): r.activity_id for r in activities}

    def found(ref: Mapping[str, Any]) -> str | None:
        if ref["activity_id"] in here:
            return str(ref["activity_id"])
        if known := by_service.get((ref["source"], ref["external_id"], ref["part"])):
            return known
        # A file's name tells nothing: the next run may lie under it.
        document, passed = str(ref["document_id"]), set[str]()
        while document in superseded and document not in passed:
            passed.add(document)
            document = superseded[document]
        return by_document.get((document, ref["part"]))

    return found


def _readmit(verdicts: dict[str, tuple[int, Verdict]], activity_ids: Iterable[str]) -> None:
    for activity_id in activity_ids:
        if verdicts.get(activity_id, (0, ""))[1] == "excluded":
            del verdicts[activity_id]


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
