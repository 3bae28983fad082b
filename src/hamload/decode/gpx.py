"""GPX 1.0 and 1.1 as recordings, one for each track: https://www.topografix.com/GPX/1/1/, with the usual extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.decode.sports import named_sport
from hamload.decode.track import Track
from hamload.decode.xml_events import walk
from hamload.errors import UnreadableError
from hamload.records import Sport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.records import Recording

#: Garmin's TrackPointExtension v1 and v2 and Cluetrust's gpxdata, which others copy.
_KEYS = {
    "latitude_deg": ("lat",),
    "longitude_deg": ("lon",),
    "altitude_m": ("ele",),
    "heart_rate_bpm": ("hr", "heartrate"),
    "cadence_spm": ("cad", "cadence"),
    "speed_mps": ("speed",),
    "distance_m": ("distance",),
}
_POINT = {name for names in _KEYS.values() for name in names} | {"time"}


def decode_gpx(content: bytes) -> list[Recording]:
    """Decode all tracks of a GPX document, in time order.

    A gap between two segments is a pause where the runner did not get on meanwhile, else a lost signal. A missing sport
    is `Sport.UNKNOWN`: the caller decides. A cut-off end keeps the points before it.

    Raises
    ------
    UnreadableError
        Where no track has a point with a time, or the document is no GPX.

    """
    document = _Document()
    note = walk(content, document.start, document.end)
    if not document.is_gpx:
        raise UnreadableError("This is not a GPX file.", "Download or export the activity again.")
    found = [t.recording("gpx", _KEYS) for t in document.finished(note)]
    recordings = [r for r in found if r is not None]
    if not recordings:
        what = "a route or a list of places" if document.has_places and not document.tracks else "a track without times"
        why = f" ({note})" if note else ""
        raise UnreadableError(f"This is {what}, not an activity{why}.", "Export the activity itself, not its route.")
    return sorted(recordings, key=lambda r: r.start_at)


class _Document:
    def __init__(self) -> None:
        self.is_gpx = False
        self.has_places = False
        self.creator = ""
        self.tracks: list[Track] = []
        self._track: Track | None = None
        self._point: dict[str, str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "trkpt":
            self._point = dict(attributes)
        elif name == "trkseg" and self._track is not None:
            self._track.begin()
        elif name == "trk":
            self._track = Track(device=self.creator)
            self.tracks.append(self._track)
        elif name == "gpx":
            self.is_gpx = True
            self.creator = attributes.get("creator", "")
        elif name in {"wpt", "rtept"}:
            self.has_places = True

    def end(self, name: str, text: str) -> None:
        if self._point is not None:
            if name == "trkpt":
                if self._track is not None:
                    self._track.points.append(self._point)
                self._point = None
            elif name in _POINT and text:
                self._point.setdefault(name, text)
        elif self._track is not None:
            if name == "trk":
                self._track = None
            elif name == "name" and not self._track.points:
                self._track.name = text
            elif name == "type" and not self._track.sport_name:
                self._track.sport_name = text

    def finished(self, note: str) -> list[Track]:
        for track in self.tracks:
            track.sport = named_sport(track.sport_name) if track.sport_name else Sport.UNKNOWN
        if note and self.tracks:
            self.tracks[-1].notes.append(note)
        return self.tracks
