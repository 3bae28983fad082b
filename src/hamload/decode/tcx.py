"""TCX as recordings, one for each Activity: https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.decode.sports import named_sport
from hamload.decode.track import Track
from hamload.decode.xml_events import walk, written
from hamload.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.records import Recording

_KEYS = {
    "latitude_deg": ("LatitudeDegrees",),
    "longitude_deg": ("LongitudeDegrees",),
    "altitude_m": ("AltitudeMeters",),
    "distance_m": ("DistanceMeters",),
    # Within a point, HeartRateBpm is the only element that wraps a Value.
    "heart_rate_bpm": ("Value",),
    "cadence_spm": ("RunCadence", "Cadence"),
    "speed_mps": ("Speed",),
}
_POINT = {name for names in _KEYS.values() for name in names}
_TOTALS = {"TotalTimeSeconds": "time", "DistanceMeters": "distance"}


def decode_tcx(content: bytes) -> list[Recording]:
    """Decode all activities of a TCX document, in time order; the parts of a multisport session are activities too.

    Laps are strung together. A gap between two tracks is a pause where no distance was covered meanwhile. A cut-off end
    keeps the points before it.

    Raises
    ------
    UnreadableError
        Where no activity has a point with a time, or the document is a course, a workout or no TCX.

    """
    document = _Document()
    note = walk(content, document.start, document.end)
    if not document.is_tcx:
        raise UnreadableError("This is not a TCX file.", "Download or export the activity again.")
    if note and document.activities:
        document.activities[-1].notes.append(note)
    found = [a.recording("tcx", _KEYS) for a in document.activities]
    recordings = [r for r in found if r is not None]
    if not recordings:
        why = f" ({note})" if note else ""
        what = document.other or "an activity without a point with a time"
        raise UnreadableError(f"This is {what}{', not an activity' if document.other else ''}{why}.",
                              "Export the activity itself, with its track.")  # fmt: skip
    return sorted(recordings, key=lambda r: r.start_at)


class _Document:
    def __init__(self) -> None:
        self.is_tcx = False
        self.other = ""
        self.activities: list[Track] = []
        self._activity: Track | None = None
        self._point: dict[str, str] | None = None
        self._path: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        if name == "Trackpoint":
            self._point = {}
        elif name == "Track" and self._activity is not None:
            self._activity.begin()
        elif name == "Activity":
            sport = attributes.get("Sport", "")
            self._activity = Track(sport=named_sport(sport), sport_name=sport)
            self.activities.append(self._activity)
        elif name == "TrainingCenterDatabase":
            self.is_tcx = True
        elif name == "Course":
            self.other = "a course"
        elif name == "Workout":
            self.other = self.other or "a workout plan"

    def end(self, name: str, text: str) -> None:
        self._path.pop()
        if self._point is not None:
            if name == "Trackpoint":
                if self._activity is not None:
                    self._activity.points.append(self._point)
                self._point = None
            elif name == "Time":
                self._point["time"] = text
            elif name in _POINT and text:
                self._point.setdefault(name, text)
        elif name == "Activity":
            self._activity = None
        elif self._activity is not None:
            self._told(self._activity, self._path[-1], name, text)

    @staticmethod
    def _told(activity: Track, parent: str, name: str, text: str) -> None:
        if parent == "Lap" and name in _TOTALS:
            value, total = written(text), activity.totals
            if value >= 0:
                total[_TOTALS[name]] = total.get(_TOTALS[name], 0.0) + value
        elif (parent, name) == ("Creator", "Name"):
            activity.device = text
        elif (parent, name) == ("Activity", "Notes"):
            activity.name = text
