"""A curl session as a strength workout for a Garmin watch, through `garminconnect`'s own workout models."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from garminconnect.workout import SportType, StrengthWorkout, WorkoutSegment, create_strength_set

from hamload.errors import HamloadError
from hamload.sources.garmin_listing import NotFoundError

if TYPE_CHECKING:
    import datetime as dt

_BALL = ("LEG_CURL", "SWISS_BALL_HIP_RAISE_AND_LEG_CURL")
_BALL_SINGLE_LEG = ("HIP_RAISE", "SINGLE_LEG_SWISS_BALL_HIP_RAISE_AND_LEG_CURL")
#: Rest between two sets, and what one repetition takes without a timed lowering: for the watch's estimate alone.
_REST_S = 90.0
_REPETITION_S = 5.0


class WorkoutService(Protocol):
    """What takes a workout and puts it on a day; `garmin.Connection` is one."""

    def upload_workout(self, workout: dict[str, Any]) -> Any:
        """Store a workout; the answer holds its id."""

    def schedule_workout(self, workout_id: int, date: str) -> Any:
        """Put a stored workout on a day of the calendar."""

    def delete_workout(self, workout_id: int) -> Any:
        """Delete a stored workout, and with it its days."""


def curl_workout(
    name: str, sets: int, repetitions: int, note: str, *, lowering_s: int | None = None, is_single_leg: bool = False
) -> dict[str, Any]:
    """Return the workout as Garmin Connect takes it: the sets as one repeated block, with a rest after each.

    The exercise is the one that hamload recognises when the watch sends it back: done curls count by themselves.
    """
    category, exercise = _BALL_SINGLE_LEG if is_single_leg else _BALL
    sport = {"sportTypeId": SportType.STRENGTH_TRAINING, "sportTypeKey": "strength_training", "displayOrder": 5}
    block = create_strength_set(
        category, 1, sets, repetitions, _REST_S, exercise_name=exercise, description=note or None
    )
    each = _REPETITION_S if lowering_s is None else _REPETITION_S + lowering_s
    return StrengthWorkout(
        workoutName=name,
        description=note or None,
        estimatedDurationInSecs=round(sets * (repetitions * each + _REST_S)),
        workoutSegments=[WorkoutSegment(segmentOrder=1, sportType=sport, workoutSteps=[block])],
    ).to_dict()


def push(service: WorkoutService, workout: dict[str, Any], date: dt.date) -> int:
    """Upload a workout and put it on a day. Returns its id there.

    Raises
    ------
    HamloadError
        Where the service's answer names no workout.

    """
    answer = service.upload_workout(workout)
    workout_id = answer.get("workoutId") if isinstance(answer, dict) else None
    if not isinstance(workout_id, int):
        raise HamloadError(
            "Garmin Connect took the workout, but did not say under which number.",
            "Look for it in Garmin Connect's training calendar before you push again.",
        )
    service.schedule_workout(workout_id, date.isoformat())
    return workout_id


def delete(service: WorkoutService, workout_id: int) -> None:
    """Delete a workout; one that the runner has deleted already is as good as deleted."""
    with suppress(NotFoundError):
        service.delete_workout(workout_id)
