"""Whatever became of a history on its way in, the sessions and the days are those of the history that was run."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hamload.merging import Decided, merge

from .conftest import RANKS, Recorded, Run

if TYPE_CHECKING:
    import datetime as dt
    import random
    from collections.abc import Callable

    from hamload.merging import Session, Span
    from hamload.parameters import MergingRules

#: How many histories are made up: in `make test-long` three times as many.
EXAMPLES = 150 if os.environ.get("HAMLOAD_LONG") else 50
FORMS = ("fit", "tcx", "gpx", "strava", "json")


@dataclass(frozen=True)
class History:
    """What was run, what was recorded of it, in the order of arrival, and which halves the runner joined."""

    runs: tuple[Run, ...]
    recorded: tuple[Recorded, ...]
    decided: Decided
    #: How many runs nobody recorded whole.
    in_parts: int


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw some days of runs.

    Each is recorded whole by at least one recorder whose clock is right, or in two parts: those overlap by less than
    half, or the runner has joined them. Any of them may have been left on.
    """
    runs: list[Run] = []
    recorded: list[Recorded] = []
    together: list[tuple[str, str]] = []
    in_parts = 0
    at = 6.0 * 60
    # Half a day and more, so that no copy lands beside another run: then it is beyond anybody's telling.
    hours = draw(st.sampled_from((-13.0, 12.75, 13.0)))
    for number in range(draw(st.integers(1, 5))):
        minutes = draw(st.sampled_from((12, 25, 40, 55)))
        runs.append(Run(at, minutes, draw(st.sampled_from((2.4, 2.8, 3.3))), seed=draw(st.integers(0, 999))))
        kind = draw(st.sampled_from(("whole", "whole", "overlap", "most", "halves"))) if minutes >= 25 else "whole"
        in_parts += kind != "whole"
        recorded += draw(_recorders(runs[-1], number, hours) if kind == "whole" else _parts(runs[-1], number, kind))
        if kind == "halves":
            together.append((f"{number}-0", f"{number}-1"))
        # From back to back, half a minute apart, to the next day; also exactly an hour from start to start.
        gap = draw(st.sampled_from((0.5, 7, 60 - minutes, 230, 24 * 60 + 11)))
        at += minutes + max(gap, 0.5)
    assume(not any(_lands_on(copy, run) for copy in recorded for run in runs))
    arrived = [*recorded, *draw(st.lists(st.sampled_from(recorded), max_size=3))]
    decided = Decided(together=tuple(together))
    return History(tuple(runs), tuple(draw(st.permutations(arrived))), decided, in_parts)


def _lands_on(copy: Recorded, run: Run) -> bool:
    """Whether a copy whose clock is hours away shows at the time of a run: which of two it is, nobody can tell."""
    at = copy.run.at + copy.clock_s / 60
    return abs(copy.clock_s) >= 3600 and at < run.at + run.minutes + 2 and run.at < at + copy.run.minutes + 2


@st.composite
def _parts(draw: st.DrawFn, run: Run, number: int, kind: str) -> list[Recorded]:
    """Draw two recorders of a run, one after the other: either may have no samples.

    Of "most", the second begins before the first is half over: they share more than half of the shorter one's time.
    """
    middle = run.minutes * (0.4 if kind == "most" else 0.5)
    apart = {"overlap": (1.5, 2, 3), "most": (0.18 * run.minutes, 0.22 * run.minutes), "halves": (-1.0, -0.1, 0.1)}
    by = draw(st.sampled_from(apart[kind]))
    first, second = draw(st.sampled_from(FORMS)), draw(st.sampled_from(FORMS))
    found = [
        Recorded(run, f"{number}-0", first, "own", last=middle + by, has_samples=first != "json"),
        Recorded(run, f"{number}-1", second, "other", first=middle - by, has_samples=second != "json"),
    ]
    return [draw(_maybe_left_on(one)) for one in found[:1]] + found[1:]


@st.composite
def _maybe_left_on(draw: st.DrawFn, one: Recorded) -> Recorded:
    """Draw the same recorder, or the same that was not stopped when the run was over."""
    last = one.run.minutes if one.last is None else one.last
    is_left_on = one.has_samples and draw(st.sampled_from((False, False, True)))
    return replace(one, last=last + 300, run_ends=last - one.first) if is_left_on else one


@st.composite
def _recorders(draw: st.DrawFn, run: Run, number: int, hours: float) -> list[Recorded]:
    first = draw(st.sampled_from(("fit", "tcx", "gpx")))
    found = [draw(_maybe_left_on(Recorded(run, f"{number}-0", first, device="own", clock_s=draw(st.integers(0, 4)))))]
    is_wrong = False
    for copy in range(1, draw(st.integers(1, 4))):
        form = draw(st.sampled_from(FORMS))
        fault = draw(st.sampled_from(("none", "clock", "hours", "trimmed", "paused")))
        crop = run.minutes * 0.2 if fault == "trimmed" else 0.0
        # Two that agree on an hour outvote one: only one clock of a run is hours away.
        away = _fault_s(draw, fault, hours if RANKS[form] > RANKS[first] and not is_wrong else 0.0, form)
        is_wrong |= abs(away) >= 3600
        found.append(
            Recorded(
                run,
                f"{number}-{copy}",
                form,
                device=f"other{copy}",
                first=crop if draw(st.booleans()) else 0.0,
                last=run.minutes - crop / 2,
                clock_s=away,
                pauses=[(run.minutes * 0.5, run.minutes * 0.5 + 2)] if fault == "paused" else (),
                has_samples=form != "json",
            )
        )
    return found


def _fault_s(draw: st.DrawFn, fault: str, hours: float, form: str) -> float:
    """Return how far a clock is ahead; whole hours only for what is no better than the one whose clock is right.

    Which of two equals is wrong is beyond anybody's telling.
    """
    if fault == "clock":
        return float(draw(st.integers(-20, 20)))
    return 3600 * hours if fault == "hours" and form in {"tcx", "gpx"} else 0.0


def _days(found: list[Session], spans: dict[str, Span], counted_s: Callable[..., float]) -> dict[dt.date, float]:
    days: dict[dt.date, float] = {}
    for session in found:
        day = spans[session.primary_id].start_at.date()
        days[day] = days.get(day, 0.0) + counted_s(session, spans)
    return days


@given(history=histories(), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_sources_order_duplicates_and_clocks_change_neither_sessions_nor_days(
    history: History,
    shuffle: random.Random,
    merging_rules: MergingRules,
    counted_s: Callable[[Session, dict[str, Span]], float],
) -> None:
    spans = {r.name: r.span() for r in history.recorded}
    found = merge(list(spans.values()), merging_rules, "me", history.decided)
    # Every run is one session, and every session is of one run.
    of_runs = [{name.split("-")[0] for name in (m.activity_id for m in s.members)} for s in found]
    assert all(len(runs) == 1 for runs in of_runs)
    assert Counter(run for runs in of_runs for run in runs) == dict.fromkeys(map(str, range(len(history.runs))), 1)
    # The days hold what was run, and nothing twice.
    clean = {f"{n}-0": Recorded(run, f"{n}-0", device="own").span() for n, run in enumerate(history.runs)}
    truth = _days(merge(list(clean.values()), merging_rules, "me"), clean, counted_s)
    counted = _days(found, spans, counted_s)
    assert counted.keys() == truth.keys()
    for day, seconds in truth.items():
        # The best recording may lack what no copy is asked for: less than three minutes and a half-minute, at each end.
        runs = sum(run.start_at.date() == day for run in history.runs)
        assert seconds - 2 * 210 * runs <= counted[day] <= seconds + 5 + 35 * history.in_parts
    # Nothing of it depends on the order of arrival, and a later copy leaves the ids alone.
    again = list(spans.values())
    shuffle.shuffle(again)
    assert merge(again, merging_rules, "me", history.decided) == found
