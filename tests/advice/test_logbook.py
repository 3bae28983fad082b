"""What may be logged, and what is refused with what is possible; what a title says, and what it does not."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from hamload.advice import FLAGS, FlagEntry, open_flags, said
from hamload.advice.logbook import capacity_test, curls, curls_line, day, flag, note, soreness, tightness, told
from hamload.errors import ConfigurationError

TODAY = dt.date(2026, 11, 24)  # a Tuesday


@pytest.mark.parametrize(("text", "level"), [("0", 0), ("10", 10), ("4", 4), ("3.5", 3.5), (" 7 ", 7), ("4.0", 4)])
def test_levels_run_from_0_to_10_with_halves(text: str, level: float) -> None:
    assert tightness(text) == {"level": level, "side": None}
    assert soreness(text) == {"level": level}


@pytest.mark.parametrize("text", ["", "11", "10.5", "-1", "4.3", "vier", "4/10", "nan", "1e1", "٤"])
def test_anything_else_is_no_level(text: str) -> None:
    for read in (tightness, soreness):
        with pytest.raises(ConfigurationError, match="0 to 10"):
            read(text)


def test_curls_are_sets_times_repetitions() -> None:
    expected = {"sets": 2, "repetitions": 8, "rpe": 8.0, "is_single_leg": False, "lowering_s": None}
    for line in ("2x8 @8", "2×8@8", "2 * 8 @ 8", "2X8 @8"):  # noqa: RUF001  # people type all three
        assert curls_line(line) == curls(line) == expected
    assert curls("1x5", lowering_s=4, is_single_leg=True)["lowering_s"] == 4


@pytest.mark.parametrize(
    "read",
    [
        lambda: curls("2x"),
        lambda: curls("0x8"),
        lambda: curls("2x0"),
        lambda: curls("11x8"),
        lambda: curls("2x51"),
        lambda: curls("8"),
        lambda: curls("2x8", "0"),
        lambda: curls("2x8", "11"),
        lambda: curls("2x8", lowering_s=0),
        lambda: tightness("4", "up"),
        lambda: capacity_test("-1"),
        lambda: capacity_test("many"),
        lambda: note("  "),
        lambda: flag("sit-bone"),
        lambda: day("2026-11-25", TODAY),
        lambda: day("soon", TODAY),
        lambda: day("0001-01-01", TODAY),
        lambda: curls("2x8 @8", "7"),
        lambda: curls("2x8 @"),
        lambda: day("tu", TODAY),
    ],
)
def test_a_typo_is_refused_with_what_is_possible(read: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read()
    assert refused.value.remedy


def test_a_misspelt_flag_is_answered_with_the_one_that_is_meant() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean sit-bone-pain"):
        flag("sitbone-pain")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("", TODAY),
        ("today", TODAY),
        ("yesterday", dt.date(2026, 11, 23)),
        ("tue", TODAY),
        ("Wednesday", dt.date(2026, 11, 18)),
        ("mon", dt.date(2026, 11, 23)),
        ("2026-02-28", dt.date(2026, 2, 28)),
    ],
)
def test_days_that_may_be_named(text: str, date: dt.date) -> None:
    assert day(text, TODAY) == date


@pytest.mark.parametrize(
    ("title", "entries"),
    [
        ("Easy 8k, curls 2x8 @8", [("curls", "2x8 @8")]),
        ("CURLS 1×5", [("curls", "1x5")]),  # noqa: RUF001
        ("single-leg curls 2x5@7 #sore 2", [("curls", "2x5 @7, single-leg"), ("soreness", "2/10")]),
        ("hamstring curls 2x8", [("curls", "2x8")]),
        ("#tight 4 left", [("tightness", "4/10, left")]),
        ("#tightness 4.5 and #massage", [("tightness", "4.5/10"), ("massage", "")]),
        ("Curls 2x8, curls 2x8", [("curls", "2x8")]),
        ("curls 2x8 @10. Ouch", [("curls", "2x8 @10")]),
        ("curls 2x8 @8.", [("curls", "2x8 @8")]),
        ("#tight 4. left worse", [("tightness", "4/10")]),
        ("#sore 10.", [("soreness", "10/10")]),
        ("curls 2x8 @8.3", [("curls", "2x8")]),
        ("SL curls 2x5", [("curls", "2x5, single-leg")]),
        ("one-leg curls 2x5", [("curls", "2x5, single-leg")]),
        ("one legged ball curls 2x5", [("curls", "2x5, single-leg")]),
        ("single-leg squats 3x8, curls 2x8", [("curls", "2x8")]),
        ("single leg deadlifts then curls 2x8", [("curls", "2x8")]),
        ("Biceps curls 3x10, ball curls 2x8 @7", [("curls", "2x8 @7")]),
        ("No hills. Curls 2x8", [("curls", "2x8")]),
        # another exercise, or none
        ("bicep-curls 3x12", []),
        ("EZ-bar curls 3x10", []),
        ("Biceps: curls 3x10", []),
        ("nordic curls 3x5", []),
        ("nordic hamstring curls 3x5", []),
        ("no curls 2x8", []),
        ("skipped ball curls 2x8", []),
        ("Run without watch and curls 2x8", [("curls", "2x8")]),
        ("#tight 4.3.", []),
        # another muscle, no dose, no scale, no tag
        ("Biceps curls 3x10", []),
        ("dumbbell curls 3x12", []),
        ("curls", []),
        ("curls 2x100", []),
        ("#tight 11", []),
        ("#tight 4.3", []),
        ("tight 4", []),
        ("2x8 strides", []),
        ("4x4 km", []),
    ],
)
def test_what_a_title_says(title: str, entries: list[tuple[str, str]]) -> None:
    assert [(kind, told(kind, content)) for kind, content in said([title])] == entries


def test_the_same_curls_in_title_and_notes_are_told_once() -> None:
    assert len(said(["Curls 2x8 @8", "did curls 2x8 @8 after"])) == 1


def _entry(name: str, days: int, hour: int, *, cleared: bool = False) -> FlagEntry:
    date = TODAY + dt.timedelta(days=days)
    return FlagEntry(name, date, dt.datetime.combine(date, dt.time(hour), dt.UTC), cleared)


def test_a_flag_is_open_until_it_is_cleared_and_never_closed_by_time() -> None:
    logged = [_entry("numbness", 0, 8)]
    assert open_flags(logged, TODAY - dt.timedelta(days=1)) == ()
    assert open_flags(logged, TODAY) == ("numbness",)
    assert open_flags(logged, TODAY + dt.timedelta(days=4000)) == ("numbness",)
    cleared = [*logged, _entry("numbness", 9, 8, cleared=True)]
    assert open_flags(cleared, TODAY + dt.timedelta(days=8)) == ("numbness",)
    assert open_flags(cleared, TODAY + dt.timedelta(days=9)) == ()
    again = [*cleared, _entry("numbness", 9, 18)]
    assert open_flags(again, TODAY + dt.timedelta(days=9)) == ("numbness",), "the day's last word counts"
    assert open_flags([_entry("pop", 0, 8), _entry("numbness", 0, 9, cleared=True)], TODAY) == ("pop",)


def test_a_flag_written_after_a_clearance_opens_whatever_day_it_speaks_of() -> None:
    def at(hour: int, days: int, *, cleared: bool = False) -> FlagEntry:
        return FlagEntry(
            "pop", TODAY + dt.timedelta(days=days), dt.datetime.combine(TODAY, dt.time(hour), dt.UTC), cleared
        )

    closed = [at(8, 0), at(9, 0, cleared=True)]
    assert open_flags(closed, TODAY) == ()
    assert open_flags([*closed, at(10, -1)], TODAY) == ("pop",)
    again = [at(8, -4), at(9, -3, cleared=True), at(10, -4)]
    assert open_flags(again, TODAY) == ("pop",)
    assert open_flags([at(8, 0), at(9, -1, cleared=True)], TODAY) == ("pop",), "looked at before it was felt"


def test_urgent_flags_come_first() -> None:
    names = open_flags([_entry("pop", 0, 8), _entry("saddle-numbness", 0, 9)], TODAY)
    assert names == ("saddle-numbness", "pop")
    assert [f.is_urgent for f in FLAGS.values()] == [True] * 4 + [False] * 11


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (lambda: tightness("4", "middle"), "--side middle: no such side. Choose one of: left, right, both."),
        (lambda: tightness("11"), "tightness 11: this is no level. From 0 to 10, halves too, for instance: 4."),
        (lambda: soreness("x"), "soreness x: this is no level. From 0 to 10, halves too, for instance: 4."),
        (lambda: curls("2x8 @8", "7"), "curls 2x8 @8: which effort is it? Write it once: 2x8 @8."),
        (lambda: curls("2x8 @"), "curls 2x8 @: which effort is it? Write it once: 2x8 @8."),
        (lambda: curls("many"), "curls many: this is no dose. Write sets x repetitions, for instance: 2x8."),
        (
            lambda: curls("11x8"),
            "curls 11x8: from 1x1 to 10x50 can be logged. Write sets x repetitions, for instance: 2x8.",
        ),
        (
            lambda: curls("2x51"),
            "curls 2x51: from 1x1 to 10x50 can be logged. Write sets x repetitions, for instance: 2x8.",
        ),
        (lambda: curls("2x8", "", 16), "--lowering-s 16: from 1 to 15 seconds. For instance: 3."),
        (lambda: curls("2x8", "", 0), "--lowering-s 0: from 1 to 15 seconds. For instance: 3."),
        (lambda: curls("2x8", "0"), "--rpe 0: an effort is from 1 to 10. Leave it out where you do not know it."),
        (lambda: curls("2x8", "x"), "--rpe x: this is no level. From 0 to 10, halves too, for instance: 4."),
        (
            lambda: capacity_test("101"),
            "test 101: this is no number of repetitions. Count them up to an effort of 8/10: 0 to 100.",
        ),
        (
            lambda: capacity_test("٣"),  # a digit, and none of ours
            "test ٣: this is no number of repetitions. Count them up to an effort of 8/10: 0 to 100.",
        ),
        (lambda: note(" \n "), 'note: there is nothing in it. For instance: hamload log note "new shoes".'),
        (lambda: day("1989-12-31", TODAY), "--on 1989-12-31: no run is that old. Look at the year again."),
        (lambda: day("2026-11-26", TODAY), "--on 2026-11-26: that day is still to come. Log it when it is there."),
        (
            lambda: day("soon", TODAY),
            "--on soon: this is no day. Write YYYY-MM-DD, yesterday, or a weekday such as tue.",
        ),
    ],
)
def test_what_cannot_be_logged_is_refused_in_a_sentence_that_names_the_remedy(read: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read()
    assert str(refused.value) == told


def test_a_flag_that_is_none_names_up_to_three_that_are_near_and_all_there_are() -> None:
    name = next(iter(FLAGS))
    with pytest.raises(ConfigurationError) as refused:
        flag(f"{name}x")
    assert str(refused.value).startswith(f"{name}x: no such red flag. Did you mean {name}")
    assert str(refused.value).endswith(f"There are: {', '.join(FLAGS)}.")
    with pytest.raises(ConfigurationError) as refused:
        flag("zzzzzz")
    assert str(refused.value) == f"zzzzzz: no such red flag. There are: {', '.join(FLAGS)}."


def test_the_ends_of_every_scale_can_be_logged() -> None:
    assert curls("1x1", "1", 1)["repetitions"] == 1
    most = curls("10x50", "10", 15)
    assert (most["sets"], most["repetitions"], most["rpe"], most["lowering_s"]) == (10, 50, 10.0, 15)
    assert [capacity_test(number)["repetitions"] for number in ("0", "100")] == [0, 100]
    assert day("1990-01-01", TODAY) == dt.date(1990, 1, 1)
    assert note("  new \n shoes ") == {"text": "new shoes"}


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("tightness", {"level": 4.0, "side": "left"}, "4/10, left"),
        ("tightness", {"level": 4.5, "side": None}, "4.5/10"),
        ("soreness", {"level": 3.0}, "3/10"),
        ("curls", curls("2x8"), "2x8"),
        ("curls", curls("2x8 @7.5", "", 3, is_single_leg=True), "2x8 @7.5, single-leg, lowered in 3 s"),
        ("test", {"repetitions": 0}, "0 repetitions"),
        ("note", {"text": "new shoes"}, "new shoes"),
        ("flag", {"name": "bruising"}, "bruising"),
        ("ack", {"state": "deload"}, "deload"),
        ("massage", {}, ""),
    ],
)
def test_an_entry_is_listed_in_words(kind: str, content: Any, words: str) -> None:
    assert told(kind, content) == words
