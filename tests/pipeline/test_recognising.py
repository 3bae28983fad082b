"""What tables keep in English is recognised whole: everything that makes such a sentence is tried."""

import itertools

import pytest

from hamload.language import Language, Text
from hamload.load.confidence import estimate_grade, grade
from hamload.pipeline.showing import recognising
from hamload.records import AltitudeSource, Basis
from hamload.settings import defaults

STANDING = ": the watch was left on. Standing adds nothing, the moving counts"
RIDE = "half of 70 minutes are faster than 6.2 m/s: a ride"
FALLBACK = defaults()[0].fallback


def _every_confidence() -> list[str]:
    found = [
        grade(basis, source, usable, graded, FALLBACK)[1]
        for basis, source in [*((Basis.STREAMS, s) for s in AltitudeSource), (Basis.STREAMS_FLAT, AltitudeSource.NONE),
                              (Basis.TREADMILL, AltitudeSource.NONE)]
        for usable, graded in itertools.product((1.0, 0.8, 0.3), (1.0, 0.4))
    ]  # fmt: skip
    found += [
        estimate_grade(basis, own_scale=own, rpe=rpe)[1]
        for basis in (Basis.SUMMARY, Basis.DURATION)
        for own, rpe in itertools.product((True, False), (None, 7.5))
    ]
    return found


def test_every_reason_of_a_confidence_is_recognised_to_its_last_word() -> None:
    for why in _every_confidence():
        told = recognising.confidence(why)
        assert told == why
        assert isinstance(told, Text)
        assert all(isinstance(part, Text) for part in told.values["told"]), why


@pytest.mark.parametrize(
    ("why", "in_miles"),
    [
        ("150 minutes for 5.2 km: the watch was left on", "150 minutes for 3.2 mi: the watch was left on"),
        (f"90 minutes for 8.0 km{STANDING}; {RIDE}", f"90 minutes for 5.0 mi{STANDING}; {RIDE}"),
        ("something new: 5.2 km", "something new: 5.2 km"),
    ],
)
def test_doubts_are_told_in_miles_and_an_unknown_one_as_it_stands(why: str, in_miles: str) -> None:
    assert recognising.doubts(why) == why
    assert Language(is_miles=True).say(recognising.doubts(why)) == in_miles


def test_why_a_ratio_is_withheld_is_recognised() -> None:
    for why in (
        "3 of the last 28 days are unknown",
        "building a baseline: day 12 of 28",
        "no such load in the weeks before",
    ):
        assert isinstance(recognising.withheld(why), Text)
        assert recognising.withheld(why) == why
    assert recognising.withheld("") == ""
