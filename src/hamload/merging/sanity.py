"""What is wrong with a recording: each doubt has a name, a sentence, and says whether the load counts all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.merging.profile import Measures
    from hamload.parameters import Sanity

_MILE = 1.609344
_TWICE = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """What one recording says of itself. `measures` is None where it has no samples."""

    distance_m: float | None
    moving_time_s: float
    elapsed_s: float
    speed_source: str
    measures: Measures | None
    is_treadmill: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that is wrong.

    `counts`: whether the load counts until the runner decides. Where it does not, the day is unknown. `until_s`: where
    the run ended, for a recording that went on; what follows is left out.
    """

    name: str
    counts: bool
    sentence: str
    until_s: float | None = None


def doubts(record: Record, rules: Sanity) -> list[Doubt]:
    """Return what is wrong with a run's recording, in the order in which it matters. Empty: nothing is.

    - `left on` with a long break in it: the run counts up to the break; what follows does not, and its days are
      unknown.
    - `left on` without one: standing adds no load, so a recording with samples counts; a summary does not, since its
      time is not the run's.
    - `vehicle`, `ride`, `distance`: the speeds are not the runner's. The load does not count.
    - `no steps`: at a runner's speed, and the recorder, which counts steps elsewhere, counts none: a drive in traffic,
      a bicycle. It counts while it is the smaller part of the moving.
    - `zigzag`: speeds from drifting positions are too high; the real ones at hand by a third to two thirds of the load.
      It counts, with low confidence: a day that is too hard warns too early, an unknown one not at all.
    """
    found = record.measures
    if found is None:
        return _of_summary(record, rules)
    gap = _gap(found, rules)
    if gap is not None and gap.until_s is not None and found.before is not None:
        # What follows the break is left out: only the run before it is asked the rest.
        found = found.before
    asked = [
        gap,
        _vehicle(found, rules),
        _unit(record, found, rules),
        _standing(record, found, rules),
        _zigzag(record, found, rules),
        _stepless(record, found, rules),
    ]
    return [doubt for doubt in asked if doubt is not None]


def doubts_of_composed(record: Record, parts: Sequence[Sequence[Doubt]], rules: Sanity) -> list[Doubt]:
    """Return what is wrong with a recording that was made of several.

    Parameters
    ----------
    record
        The one that was made.
    parts
        What is wrong with each recording that it is made of, the one that speaks first.
    rules
        The thresholds.

    Notes
    -----
    Breaks between its parts are nobody's watch left on, and the way between positions of several receivers tells no
    unit: of these the parts' own doubts speak.

    """
    found = [doubt for own in parts for doubt in own]
    if (measured := record.measures) is not None:
        asked = [_vehicle(measured, rules), _zigzag(record, measured, rules), _stepless(record, measured, rules)]
        found += [doubt for doubt in asked if doubt is not None]
    first = {doubt.name: doubt for doubt in reversed(found)}
    return [doubt for doubt in found if first[doubt.name] is doubt]


def is_run_logged_as_ride(found: Measures, rules: Sanity) -> bool:
    """Whether a ride has a runner's speeds from beginning to end: any ride rolls faster somewhere."""
    return (
        found.median_mps is not None
        and found.median_mps >= rules.run_min_mps
        and found.fastest_mps is not None
        and found.fastest_mps < rules.run_fastest_mps
    )


def _of_summary(record: Record, rules: Sanity) -> list[Doubt]:
    if not record.distance_m or record.moving_time_s <= 0:
        return []
    mean = record.distance_m / record.moving_time_s
    minutes = record.moving_time_s / 60
    if minutes >= rules.left_on_minutes and mean < rules.left_on_mps and not record.is_treadmill:
        said = f"{minutes:.0f} minutes for {record.distance_m / 1000:.1f} km: the watch was left on"
        return [Doubt("left on", counts=False, sentence=said)]
    # Beyond any vehicle the distance is a typing error, and the duration alone is believed.
    if minutes >= rules.ride_minutes and rules.ride_mps < mean <= rules.typing_error_mps:
        said = f"{mean:.1f} m/s on average over {minutes:.0f} minutes: a ride, or a wrong unit of distance"
        return [Doubt("ride", counts=False, sentence=said)]
    return []


def _gap(found: Measures, rules: Sanity) -> Doubt | None:
    if found.gap_s < 3600 * rules.gap_hours or found.before is None:
        return None
    said = f"the recording goes on after a break of {found.gap_s / 3600:.0f} hours: the watch was left on"
    if found.before.moving_s < found.moving_s / 2:
        return Doubt("left on", counts=False, sentence=f"{said}, and most of the moving lies after it")
    return Doubt("left on", counts=True, sentence=f"{said}. The run counts up to the break", until_s=found.gap_at_s)


def _vehicle(found: Measures, rules: Sanity) -> Doubt | None:
    if found.top_mps is not None and found.top_mps > rules.vehicle_mps:
        said = f"{found.top_mps:.1f} m/s over five minutes: no runner, a vehicle or a wrong unit of distance"
        return Doubt("vehicle", counts=False, sentence=said)
    if found.median_mps is not None and found.median_mps > rules.ride_mps and found.moving_s >= 60 * rules.ride_minutes:
        said = f"half of {found.moving_s / 60:.0f} minutes are faster than {found.median_mps:.1f} m/s: a ride"
        return Doubt("ride", counts=False, sentence=said)
    return None


def _unit(record: Record, found: Measures, rules: Sanity) -> Doubt | None:
    """Compare the way counted with the way from position to position: miles told as kilometres, counted twice."""
    if record.speed_source == "positions" or record.is_treadmill or found.position_share is None:
        return None
    if found.way_m < rules.unit_min_m or found.position_share <= 0:
        return None
    counted = 1 / found.position_share
    for factor, what in (
        (_MILE, "miles for kilometres"),
        (_TWICE, "counted twice"),
        (1 / _MILE, "kilometres for miles"),
    ):
        if abs(counted / factor - 1) <= rules.unit_share:
            said = f"its speeds add up to {counted:.2f} times the way between its positions: {what}"
            return Doubt("distance", counts=False, sentence=said)
    return None


def _standing(record: Record, found: Measures, rules: Sanity) -> Doubt | None:
    recorded = max(found.recorded_s, 1.0)
    if record.is_treadmill or recorded < 60 * rules.left_on_minutes:
        return None
    if found.way_m / recorded < rules.left_on_mps and found.moving_s / recorded < rules.left_on_moving_share:
        said = (
            f"{recorded / 60:.0f} minutes for {found.way_m / 1000:.1f} km: the watch was left on. Standing adds"
            " nothing, the moving counts"
        )
        return Doubt("left on", counts=True, sentence=said)
    return None


def _zigzag(record: Record, found: Measures, rules: Sanity) -> Doubt | None:
    """Ask whether positions go forward and back: on a track they only go round, and a ruler of 30 s keeps less too."""
    if record.speed_source != "positions" or found.straight_share is None or found.turns_per_km is None:
        return None
    if found.straight_share >= rules.straight_share or found.turns_per_km < rules.turns_per_km:
        return None
    said = (
        f"its positions go forward and back {found.turns_per_km:.1f} times a kilometre, and straight lines of 30 s keep"
        f" {found.straight_share:.0%} of the way: speeds and load are too high. They count, with low confidence"
    )
    return Doubt("zigzag", counts=True, sentence=said)


def _stepless(record: Record, found: Measures, rules: Sanity) -> Doubt | None:
    """Ask whether it moves without steps. Heart rate cannot tell: straps lose it for minutes in real runs."""
    if record.is_treadmill or found.stepless_s is None or found.stepless_s < 60 * rules.stepless_minutes:
        return None
    said = f"{found.stepless_s / 60:.0f} minutes at a runner's speed without a step, which it counts elsewhere: a ride"
    if found.stepless_s > found.moving_s / 2:
        return Doubt("no steps", counts=False, sentence=said)
    return Doubt("no steps", counts=True, sentence=f"{said}. They count, with low confidence: the load is too high")
