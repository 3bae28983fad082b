import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from hamload.merging import Span, merge
from hamload.settings import merging_defaults

START = dt.datetime(2026, 3, 1, 7, 0, tzinfo=dt.UTC)


def _span(name: str, from_min: float, to_min: float, rank: float = 0) -> Span:
    start_at, end_at = (START + dt.timedelta(minutes=m) for m in (from_min, to_min))
    return Span(name, start_at, end_at, 60 * (to_min - from_min), (rank,))


def _groups(*spans: Span) -> dict[str, str]:
    return {m.activity_id: s.primary_id for s in merge(spans, merging_defaults()) for m in s.members}


def test_a_watch_and_a_phone_that_run_together_are_one_run_and_the_better_recording_speaks() -> None:
    assert _groups(_span("phone", -1, 58, rank=2), _span("watch", 0, 60, rank=1)) == {
        "phone": "watch",
        "watch": "watch",
    }


def test_a_watch_that_died_does_not_speak_for_the_run_that_the_phone_has_whole() -> None:
    assert _groups(_span("watch", 0, 5, rank=0), _span("phone", 0, 90, rank=2)) == {"watch": "phone", "phone": "phone"}


def test_a_summary_of_an_hour_wins_over_a_minute_of_recording() -> None:
    assert set(_groups(_span("minute", 0, 1, rank=0), _span("summary", 0, 60, rank=9)).values()) == {"summary"}


def test_two_runs_half_a_minute_apart_stay_two() -> None:
    assert _groups(_span("a", 0, 30), _span("b", 30.5, 60)) == {"a": "a", "b": "b"}


def test_two_halves_are_copies_of_the_one_recording_that_holds_both() -> None:
    groups = _groups(_span("first", 0, 29, rank=1), _span("second", 31, 60, rank=1), _span("whole", 0, 60, rank=0))
    assert set(groups.values()) == {"whole"}


def test_a_chain_of_overlaps_does_not_swallow_a_run_that_the_best_recording_does_not_touch() -> None:
    groups = _groups(_span("best", 0, 60, rank=0), _span("bridge", 29, 91, rank=1), _span("later", 60, 120, rank=2))
    assert groups["later"] != "best"


def test_a_moment_without_length_inside_a_run_belongs_to_it() -> None:
    assert _groups(_span("run", 0, 60, rank=0), _span("blip", 30, 30, rank=1))["blip"] == "run"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(1, 120), st.integers(0, 3)), min_size=1, max_size=12, unique=True
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_changes_nothing_and_sessions_never_share_half_their_time(
    rows: list[tuple[int, int, int]],
    random: "st.random.Random",  # type: ignore[name-defined]
) -> None:
    spans = [_span(f"a{i}", start, start + length, rank) for i, (start, length, rank) in enumerate(rows)]
    shuffled = spans.copy()
    random.shuffle(shuffled)
    assert _groups(*spans) == _groups(*shuffled)
    primaries = [s for s in spans if _groups(*spans)[s.activity_id] == s.activity_id]
    for i, a in enumerate(primaries):
        for b in primaries[i + 1 :]:
            shared = (min(a.end_at, b.end_at) - max(a.start_at, b.start_at)).total_seconds()
            assert shared < 0.5 * min((a.end_at - a.start_at).total_seconds(), (b.end_at - b.start_at).total_seconds())
