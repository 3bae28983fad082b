"""What comes out of which recordings, case by case. Each line can be read, and argued with, by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from hamload.merging import Decided, merge
from hamload.merging.spans import NOTHING_DECIDED

from .conftest import Recorded, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from hamload.merging import Session, Span
    from hamload.parameters import MergingRules

H = 3600
MORNING = Run(7 * 60, 50, seed=1)
EVENING = Run(18 * 60, 40, seed=2)
SAME_ROUTE_LATER = Run(8 * 60, 50, seed=3)
LONG = Run(7 * 60, 92, seed=20)
#: 40 minutes, three hours and fifty minutes of nothing that anybody recorded as running, 35 minutes.
TWO_IN_ONE = Run(7 * 60, 305, seed=23)
LATE = Run(23 * 60 + 40, 45, seed=4)


def _apart(*names: str) -> Decided:
    return Decided(apart=frozenset({frozenset(names)}))


def _together(*names: str) -> Decided:
    return Decided(together=((names[0], names[1]),))


def _cut(recorded: Recorded, minutes: float) -> Recorded:
    """Return a recording that was left on: its run ended so many minutes after its start."""
    return replace(recorded, run_ends=minutes)


@dataclass(frozen=True)
class Case:
    """Recordings, and the sessions that must come of them: the name that speaks first, then its copies.

    `minutes`: the running that each session counts, to half a minute, in the same order; None: not asked.
    """

    name: str
    recordings: tuple[Recorded, ...]
    sessions: tuple[str, ...]
    minutes: tuple[float, ...] | None = None
    decided: Decided = NOTHING_DECIDED


def _case(
    name: str, *recordings: Recorded, out: str, minutes: tuple[float, ...] | None = None, decided: Decided | None = None
) -> Case:
    return Case(name, recordings, tuple(out.split(" | ")), minutes, decided or NOTHING_DECIDED)


R = Recorded
CASES = [
    # --- one run, several recorders ---------------------------------------------------------------------------------
    _case("one watch", R(MORNING, "watch"), out="watch", minutes=(50,)),
    _case("two watches", R(MORNING, "a", device="x"), R(MORNING, "b", device="y", first=0.2), out="a b", minutes=(50,)),
    _case("watch and phone", R(MORNING, "phone", "gpx", first=-1, last=51), R(MORNING, "watch"), out="watch phone"),
    _case(
        "a forwarded copy",
        R(MORNING, "watch"),
        R(MORNING, "service", "strava", has_samples=True),
        out="watch service",
        minutes=(50,),
    ),
    _case(
        "watch, service and export's summary",
        R(MORNING, "watch"),
        R(MORNING, "service", "strava"),
        R(MORNING, "summary", "json", has_samples=False),
        out="watch service summary",
    ),
    _case("FIT, TCX and GPX of one run", R(MORNING, "g", "gpx"), R(MORNING, "t", "tcx"), R(MORNING, "f"), out="f g t"),
    _case("clocks three seconds apart", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=3), out="a b", minutes=(50,)),
    _case("clocks two minutes apart", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=120), out="a b"),
    _case("a copy whose end was trimmed", R(MORNING, "whole"), R(MORNING, "cut", "gpx", last=40), out="whole cut"),
    _case("a copy whose start was trimmed", R(MORNING, "whole"), R(MORNING, "cut", "gpx", first=12), out="whole cut"),
    _case("both ends cropped for privacy", R(MORNING, "w"), R(MORNING, "c", "strava", first=2, last=47), out="w c"),
    _case(
        "the better recording is the trimmed one",
        R(MORNING, "watch", last=30),
        R(MORNING, "phone", "gpx"),
        out="phone watch",
        minutes=(50,),
    ),
    _case(
        "a watch that died one minute before the end",
        R(MORNING, "watch", last=49),
        R(MORNING, "phone", "gpx"),
        out="watch phone",
        minutes=(49,),
    ),
    _case(
        "a paused copy",
        R(MORNING, "watch"),
        R(MORNING, "phone", "gpx", pauses=[(20, 26)]),
        out="watch phone",
        minutes=(50,),
    ),
    _case(
        "a watch that was not started again after a stop: the phone holds what it missed",
        R(MORNING, "watch", pauses=[(20, 24.5)]),
        R(MORNING, "phone", "gpx"),
        out="watch phone",
        minutes=(50,),
    ),
    _case(
        "a watch that overslept the first eight minutes of ninety",
        R(Run(420, 90, seed=5), "watch", first=8),
        R(Run(420, 90, seed=5), "phone", "gpx"),
        out="watch phone",
        minutes=(90,),
    ),
    _case(
        "each recorder misses one end",
        R(Run(420, 90, seed=5), "watch", last=83),
        R(Run(420, 90, seed=5), "phone", "gpx", first=7),
        out="watch phone",
        minutes=(90,),
    ),
    _case(
        "the phone lay still for ten minutes after the run: nothing is added",
        R(MORNING, "watch"),
        R(MORNING, "phone", "gpx", last=60),
        out="watch phone",
        minutes=(50,),
    ),
    _case(
        "two halves and the whole, the whole from a phone",
        R(MORNING, "first", last=24),
        R(MORNING, "second", first=25),
        R(MORNING, "whole", "gpx"),
        out="whole first second",
        minutes=(50,),
    ),
    _case(
        "two halves and the whole, the whole from a watch",
        R(MORNING, "first", "gpx", last=24),
        R(MORNING, "second", "gpx", first=25),
        R(MORNING, "whole"),
        out="whole first second",
        minutes=(50,),
    ),
    _case(
        "two halves alone stay two", R(MORNING, "a", last=24), R(MORNING, "b", first=25), out="a | b", minutes=(24, 25)
    ),
    _case(
        "two halves that the runner joins are added up",
        R(MORNING, "a", last=24),
        R(MORNING, "b", first=25),
        out="b a",
        minutes=(49,),
        decided=_together("a", "b"),
    ),
    _case(
        "two summaries that the runner joins are added up",
        R(MORNING, "a", "json", last=24, has_samples=False),
        R(MORNING, "b", "json", first=25, has_samples=False),
        out="b a",
        minutes=(49,),
        decided=_together("a", "b"),
    ),
    _case(
        "two halves that the runner joins, one with a summary of its own",
        R(MORNING, "a", last=24),
        R(MORNING, "b", first=25),
        R(MORNING, "sum", "json", last=24, has_samples=False),
        out="b a sum",
        minutes=(49,),
        decided=_together("a", "b"),
    ),
    _case(
        "a recording and a summary that the runner joins are added up",
        R(MORNING, "a", last=24),
        R(MORNING, "sum", "json", first=25, has_samples=False),
        out="a sum",
        minutes=(49,),
        decided=_together("sum", "a"),
    ),
    _case(
        "a watch that stood still for twelve minutes, and a summary that knows the clock alone",
        R(MORNING, "watch", pauses=[(20, 32)]),
        R(MORNING, "summary", "json", has_samples=False),
        out="watch summary",
        minutes=(38,),
    ),
    _case(
        "a summary of an hour and a minute of recording",
        R(MORNING, "minute", last=1),
        R(MORNING, "hour", "json", has_samples=False),
        out="hour minute",
    ),
    _case("a treadmill's watch and its machine", R(MORNING, "w", has_places=False), R(MORNING, "m", "tcx"), out="w m"),
    _case("the same run twice from one writer", R(MORNING, "a", device="x"), R(MORNING, "b", device="x"), out="a b"),
    # --- recordings that share less than half of their time -----------------------------------------------------------
    _case(
        "a watch that died after an hour and a phone that was started late: one run, the shared minutes once",
        R(LONG, "watch", last=60),
        R(LONG, "phone", "gpx", first=32),
        out="watch phone",
        minutes=(92,),
    ),
    _case(
        "three recorders in turn, each started before the one before it ended",
        R(LONG, "a", last=35),
        R(LONG, "b", "tcx", first=30, last=65),
        R(LONG, "c", "gpx", first=60),
        out="a b c",
        minutes=(92,),
    ),
    _case(
        "a minute of overlap is clocks: two runs",
        R(LONG, "a", last=46),
        R(LONG, "b", "gpx", first=45),
        out="a | b",
        minutes=(46, 47),
    ),
    _case(
        "twenty shared minutes, one side a summary: what lies beside the recording is added",
        R(LONG, "watch", last=60),
        R(LONG, "summary", "json", first=40, has_samples=False),
        out="watch summary",
        minutes=(92,),
    ),
    _case(
        "twenty shared minutes of two summaries",
        R(LONG, "a", "json", last=60, has_samples=False),
        R(LONG, "b", "json", first=40, has_samples=False),
        out="a b",
        minutes=(92,),
    ),
    _case(
        "most of a summary lies beside a recording, and the rest after it: that is added",
        R(LONG, "watch", last=60),
        R(LONG, "summary", "json", first=28, has_samples=False),
        out="watch summary",
        minutes=(92,),
    ),
    _case(
        "the same of two summaries",
        R(LONG, "a", "json", last=60, has_samples=False),
        R(LONG, "b", "json", first=28, has_samples=False),
        out="b a",
        minutes=(92,),
    ),
    _case(
        "a recording that begins before the summary that holds more of the run",
        R(LONG, "watch", last=40),
        R(LONG, "summary", "json", first=15, has_samples=False),
        out="watch summary",
        minutes=(92,),
    ),
    _case(
        "a watch that died after two thirds of what a summary tells of: its seconds, and the rest of the summary",
        R(LONG, "watch", last=60),
        R(LONG, "summary", "json", has_samples=False),
        out="watch summary",
        minutes=(92,),
    ),
    _case(
        "a watch that died after a third of what a summary tells of",
        R(LONG, "watch", last=30),
        R(LONG, "summary", "json", has_samples=False),
        out="summary watch",
        minutes=(92,),
    ),
    _case(
        "a summary whose clock ran on after the recording and that went no farther: standing",
        R(LONG, "watch", last=60),
        R(LONG, "summary", "json", first=28, metres=LONG.mps * 32 * 60, has_samples=False),
        out="watch summary",
        minutes=(60,),
    ),
    _case(
        "an entry as long and as far as the recording, begun at another minute: the same run",
        R(LONG, "watch", last=60, metres=10_050),
        R(LONG, "typed", "json", first=20, last=80, metres=10_000, has_samples=False),
        out="watch typed",
        minutes=(60,),
    ),
    _case(
        "a summary without a distance, whose clock ran on for twenty-five minutes in which nobody moved",
        R(LONG, "watch", last=60),
        replace(R(LONG, "mill", "json", last=85, has_samples=False, metres=0), held_min=60),
        out="watch mill",
        minutes=(60,),
    ),
    _case(
        "an entry of whole minutes and hundreds of metres that begins ten minutes before the recording",
        R(LONG, "watch", last=57.5, metres=9660),
        R(LONG, "typed", "json", first=-10, last=50, metres=10_000, has_samples=False),
        out="watch typed",
        minutes=(57.5,),
    ),
    _case(
        "an entry of whole minutes that tells of much more than the recording",
        R(LONG, "watch", last=60),
        R(LONG, "typed", "json", last=92, metres=15_500, has_samples=False),
        out="watch typed",
        minutes=(92,),
    ),
    _case(
        "a service's streams as long and as far as the recording, twenty minutes later: another part of the run",
        R(LONG, "watch", "gpx", last=40),
        R(LONG, "service", "strava", first=20, last=60),
        out="watch service",
        minutes=(60,),
    ),
    _case(
        "a summary that bridges two recorded runs adds nothing that the second one counts",
        R(LONG, "first", last=50),
        R(LONG, "bridge", "json", first=22, last=70, has_samples=False),
        R(LONG, "second", "tcx", first=51),
        out="first bridge | second",
        minutes=(50, 41),
    ),
    _case(
        "the phone lay still for half an hour when the watch's next run began",
        R(Run(420, 50, seed=21), "phone", "gpx", last=80),
        R(Run(485, 40, seed=22), "watch"),
        out="phone | watch",
        minutes=(50, 40),
    ),
    _case(
        "a copy that bridges two runs adds nothing that the second one counts",
        R(LONG, "best", last=50),
        R(LONG, "bridge", "gpx", first=26, last=74),
        R(LONG, "later", "tcx", first=51),
        out="best bridge | later",
        minutes=(50, 41),
    ),
    _case(
        "two that overlap and that the runner says are two people's",
        R(LONG, "mine", last=60),
        R(LONG, "hers", "gpx", first=40),
        out="mine | hers",
        decided=_apart("mine", "hers"),
    ),
    _case(
        "an excluded recording takes no minute from one that overlaps it",
        R(LONG, "wrong", last=60),
        R(LONG, "right", "gpx", first=40),
        out="wrong | right",
        minutes=(60, 52),
        decided=Decided(excluded=frozenset({"wrong"})),
    ),
    # --- halves of mixed kinds ----------------------------------------------------------------------------------------
    _case(
        "a recording and a summary that overlap by ten seconds and that the runner joins are added up whole",
        R(MORNING, "a", last=25),
        R(MORNING, "sum", "json", first=25 - 1 / 6, has_samples=False),
        out="a sum",
        minutes=(50,),
        decided=_together("sum", "a"),
    ),
    _case(
        "a summary half before the recorded one",
        R(MORNING, "sum", "json", last=24, has_samples=False),
        R(MORNING, "a", first=25),
        out="a sum",
        minutes=(49,),
        decided=_together("sum", "a"),
    ),
    _case(
        "a service's streams and a watch's half, joined",
        R(MORNING, "service", "strava", last=24),
        R(MORNING, "watch", first=25),
        out="watch service",
        minutes=(49,),
        decided=_together("service", "watch"),
    ),
    _case(
        "a recorded half, a summary half and a summary of both",
        R(MORNING, "a", last=24),
        R(MORNING, "b", "json", first=25, has_samples=False),
        R(MORNING, "both", "json", has_samples=False),
        out="both a b",
        minutes=(50,),
    ),
    # --- runs that must stay apart ----------------------------------------------------------------------------------
    _case(
        "back-to-back runs 30 s apart",
        R(Run(420, 30, seed=6), "a"),
        R(Run(450.5, 30, seed=7), "b"),
        out="a | b",
        minutes=(30, 30),
    ),
    _case("morning and evening", R(MORNING, "a"), R(EVENING, "b"), out="a | b"),
    _case(
        "a relay of three short runs",
        *(R(Run(600 + 90 * leg, 12, seed=8 + leg), f"leg{leg}", device="x") for leg in range(3)),
        out="leg0 | leg1 | leg2",
        minutes=(12, 12, 12),
    ),
    _case(
        "a relay, each leg with a phone's copy",
        *(R(Run(600 + 90 * leg, 12, seed=8 + leg), f"leg{leg}", device="x") for leg in range(3)),
        *(R(Run(600 + 90 * leg, 12, seed=8 + leg), f"leg{leg}p", "gpx") for leg in range(3)),
        out="leg0 leg0p | leg1 leg1p | leg2 leg2p",
        minutes=(12, 12, 12),
    ),
    _case(
        "track intervals, the watch stopped between: one recording with pauses",
        R(MORNING, "track", pauses=[(10 + 4 * n, 12 + 4 * n) for n in range(8)]),
        out="track",
        minutes=(34,),
    ),
    _case(
        "track intervals saved one by one, and the phone that held them all",
        *(R(MORNING, f"lap{n}", first=10 * n, last=10 * n + 8) for n in range(5)),
        R(MORNING, "phone", "gpx"),
        out="phone lap0 lap1 lap2 lap3 lap4",
        minutes=(50,),
    ),
    _case(
        "the run of a triathlon beside its brick run of the week before",
        R(Run(9 * 60, 45, seed=12), "triathlon"),
        R(Run(9 * 60 - 7 * 1440, 45, seed=12), "brick"),
        out="brick | triathlon",
    ),
    _case(
        "warm-up, race and cool-down",
        *(R(Run(a, m, seed=a), f"{a}") for a, m in ((600, 15), (620, 20), (645, 12))),
        out="600 | 620 | 645",
        minutes=(15, 20, 12),
    ),
    _case(
        "one phone for the warm-up and the race, two watches' files",
        R(Run(600, 40, seed=13), "warmup", last=15),
        R(Run(600, 40, seed=13), "race", first=16),
        R(Run(600, 40, seed=13), "phone", "gpx"),
        out="phone race warmup",
        minutes=(40,),
    ),
    _case(
        "the runner says that two overlapping recordings are two people's",
        R(MORNING, "mine"),
        R(MORNING, "hers", "gpx"),
        out="hers | mine",
        decided=_apart("mine", "hers"),
    ),
    # --- clocks whole hours apart -----------------------------------------------------------------------------------
    _case("local time for UTC, one hour", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=H), out="a b", minutes=(50,)),
    _case("local time for UTC, eleven hours", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=-11 * H), out="a b"),
    _case("Kathmandu: 5:45", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=5.75 * H), out="a b", minutes=(50,)),
    _case("an hour and seven seconds", R(MORNING, "a"), R(MORNING, "b", "gpx", clock_s=H + 7), out="a b"),
    _case("20 minutes are no zone", R(EVENING, "a"), R(EVENING, "b", "gpx", clock_s=50 * 60 + 300), out="a | b"),
    _case(
        "heart rates alone tell, indoors",
        R(MORNING, "a", has_places=False),
        R(MORNING, "b", "gpx", clock_s=2 * H, has_places=False),
        out="a b",
    ),
    _case(
        "speeds alone tell",
        R(MORNING, "a", has_places=False, has_rate=False),
        R(MORNING, "b", "gpx", clock_s=2 * H, has_places=False, has_rate=False),
        out="a b",
    ),
    _case(
        "two even runs at exactly one hour on a small lap: all its places are near",
        R(Run(420, 30, lap_m=150), "a", has_rate=False),
        R(Run(480, 30, lap_m=150), "b", "gpx", has_rate=False),
        out="a | b",
        minutes=(30, 30),
    ),
    _case(
        "two even recordings of one run on a small lap, an hour off: the heart rate tells",
        R(Run(420, 30, lap_m=150), "a"),
        R(Run(420, 30, lap_m=150), "b", "gpx", clock_s=H),
        out="a b",
        minutes=(30,),
    ),
    _case(
        "two recordings of an even run on a lap of a kilometre, an hour off: the places tell",
        R(Run(420, 30, lap_m=1000), "a", has_rate=False),
        R(Run(420, 30, lap_m=1000), "b", "gpx", clock_s=H, has_rate=False),
        out="a b",
        minutes=(30,),
    ),
    _case(
        "two runs at exactly one hour, alike in length, on other ways",
        R(MORNING, "a"),
        R(SAME_ROUTE_LATER, "b", "gpx"),
        out="a | b",
        minutes=(50, 50),
    ),
    _case(
        "two indoor runs at exactly one hour with other heart rates",
        R(MORNING, "a", has_places=False),
        R(SAME_ROUTE_LATER, "b", "gpx", has_places=False),
        out="a | b",
    ),
    _case(
        "the same treadmill programme twice from one watch",
        R(MORNING, "a", device="x", has_rate=False),
        R(Run(480, 50, seed=1), "b", device="x", has_rate=False),
        out="a | b",
    ),
    _case(
        "a summary one hour off, alike to a hair",
        R(MORNING, "a", metres=8400),
        R(MORNING, "b", "json", clock_s=H, has_samples=False, metres=8404),
        out="a b",
    ),
    _case(
        "to work and back the same way, ten hours later, the way back known to the service alone",
        R(MORNING, "a", metres=8400),
        R(Run(17 * 60, 50, seed=18), "b", "strava", metres=8400),
        out="a | b",
    ),
    _case(
        "a summary one hour off, a kilometre shorter",
        R(MORNING, "a", metres=8400),
        R(MORNING, "b", "json", clock_s=H, has_samples=False, metres=7400),
        out="a | b",
    ),
    _case(
        "a hidden start time on the service",
        R(MORNING, "watch", metres=8400),
        R(MORNING, "service", "strava", is_hidden=True, metres=8400),
        out="watch service",
    ),
    _case(
        "hidden start times of two runs of a day find each its own",
        R(MORNING, "w1", metres=8400),
        R(EVENING, "w2", metres=6700),
        R(MORNING, "s1", "strava", is_hidden=True, metres=8400),
        R(EVENING, "s2", "strava", is_hidden=True, metres=6700),
        out="w1 s1 | w2 s2",
    ),
    _case(
        "a hidden start of another day",
        R(MORNING, "watch", metres=8400),
        R(Run(7 * 60 + 1440, 50, seed=14), "service", "strava", is_hidden=True, metres=8400),
        out="watch | service",
    ),
    _case(
        "a real run at midnight beside an activity whose start is hidden",
        R(Run(5, 40, seed=17), "watch"),
        R(Run(5, 40, seed=17), "phone", "gpx"),
        R(EVENING, "service", "strava", is_hidden=True, metres=9500),
        out="watch phone | service",
    ),
    _case("over midnight, two recorders", R(LATE, "watch"), R(LATE, "phone", "gpx", first=1), out="watch phone"),
    # --- a watch that was left on -----------------------------------------------------------------------------------
    _case(
        "a phone's run inside a watch's recording that lay still then",
        R(Run(420, 30, seed=15), "left_on", last=300),
        R(Run(600, 40, seed=16), "phone", "gpx"),
        out="phone left_on",
        minutes=(70,),
    ),
    _case(
        "a watch left on over two runs, the second recorded by a phone: two runs",
        _cut(R(TWO_IN_ONE, "watch", pauses=[(40, 270)]), 40),
        R(TWO_IN_ONE, "phone", "gpx", first=270),
        out="watch | phone",
        minutes=(40, 35),
    ),
    _case(
        "the same, accepted whole: one recording, the phone's a copy of its second half",
        R(TWO_IN_ONE, "watch", pauses=[(40, 270)]),
        R(TWO_IN_ONE, "phone", "gpx", first=270),
        out="watch phone",
        minutes=(75,),
    ),
    _case(
        "two copies of a recording that was left on, and the phone's second run",
        _cut(R(TWO_IN_ONE, "watch", pauses=[(40, 270)]), 40),
        _cut(R(TWO_IN_ONE, "copy", "tcx", pauses=[(40, 270)]), 40),
        R(TWO_IN_ONE, "phone", "gpx", first=270),
        out="watch copy | phone",
        minutes=(40, 35),
    ),
    _case(
        "a doubted recording that does not count takes no minute from one that overlaps it",
        replace(R(LONG, "ride", last=60), is_doubted=True),
        R(LONG, "watch", "gpx", first=40),
        out="ride | watch",
        minutes=(60, 52),
    ),
]


def test_there_are_at_least_forty_cases_and_no_name_twice() -> None:
    assert len(CASES) >= 40
    assert len({c.name for c in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_what_comes_out(
    case: Case, merging_rules: MergingRules, counted_s: Callable[[Session, dict[str, Span]], float]
) -> None:
    spans = {r.name: r.span() for r in case.recordings}
    found = merge(list(spans.values()), merging_rules, "me", case.decided)
    told = {s.primary_id: s for s in found}
    said = {" ".join([s.primary_id, *sorted(m.activity_id for m in s.members[1:])]) for s in found}
    assert said == {_sorted(text) for text in case.sessions}
    if case.minutes is not None:
        counted = [counted_s(told[_speaker(text, told)], spans) / 60 for text in case.sessions]
        assert counted == pytest.approx(case.minutes, abs=0.75)


def _speaker(text: str, told: dict[str, Session]) -> str:
    assert text.split(maxsplit=1)[0] in told
    return text.split(maxsplit=1)[0]


def _sorted(text: str) -> str:
    words = text.split()
    return " ".join([words[0], *sorted(words[1:])])


def test_a_session_keeps_its_id_when_copies_arrive_and_when_another_recording_speaks(
    merging_rules: MergingRules,
) -> None:
    watch, phone = R(MORNING, "watch", clock_s=4).span(), R(MORNING, "phone", "gpx").span()
    summary = R(MORNING, "summary", "json", has_samples=False).span()
    ids = {
        merge(list(spans), merging_rules, "me")[0].session_id
        for spans in ((summary,), (phone,), (watch,), (summary, phone), (phone, watch), (summary, phone, watch))
    }
    assert len(ids) == 1


def test_no_id_passes_to_a_neighbour_when_a_run_arrives_beside_it(merging_rules: MergingRules) -> None:
    first, second, third = (
        R(Run(600 + start, 2, seed=seed), f"r{seed}").span() for seed, start in enumerate((0, 3, 6))
    )
    alone = merge([second], merging_rules, "me")[0].session_id
    for others in ([first], [third], [first, third]):
        ids = {s.primary_id: s.session_id for s in merge([second, *others], merging_rules, "me")}
        assert len(set(ids.values())) == len(ids)
        assert alone not in {session_id for name, session_id in ids.items() if name != "r1"}


def test_ids_of_two_that_begin_at_the_same_second_are_those_of_their_recordings(merging_rules: MergingRules) -> None:
    spans = [R(MORNING, "mine").span(), R(MORNING, "hers", "gpx").span()]
    ids = {s.primary_id: s.session_id for s in merge(spans, merging_rules, "me", _apart("mine", "hers"))}
    assert len(set(ids.values())) == 2
    assert ids == {s.primary_id: s.session_id for s in merge(spans[::-1], merging_rules, "me", _apart("mine", "hers"))}


def test_two_runs_that_begin_in_the_same_ten_minutes_have_two_ids(merging_rules: MergingRules) -> None:
    spans = [R(Run(600 + 2.5 * n, 2, seed=n), f"r{n}").span() for n in range(4)]
    assert len({s.session_id for s in merge(spans, merging_rules, "me")}) == 4


def test_two_runners_of_one_home_never_share_an_id(merging_rules: MergingRules) -> None:
    span = R(MORNING, "watch").span()
    assert merge([span], merging_rules, "me")[0].session_id != merge([span], merging_rules, "her")[0].session_id


def test_a_clock_that_is_off_says_by_how_much_and_what_is_alike(merging_rules: MergingRules) -> None:
    spans = [R(MORNING, "a").span(), R(MORNING, "b", "gpx", clock_s=5.75 * H).span()]
    (_, copy) = merge(spans, merging_rules)[0].members
    assert copy.shift_s == -5.75 * H
    assert copy.why == "its clock is 5:45 h off; alike in distance and duration, and in place"
    assert spans[1].start_at - spans[0].start_at == dt.timedelta(hours=5, minutes=45)
