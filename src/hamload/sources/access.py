"""Where a runner's secrets lie in the home, one folder a runner: tokens, their API application, their API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.sources.tokens import AppFile, KeyFile, TokenFile

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tokens"


@dataclass(frozen=True, slots=True)
class Access:
    """The secrets of one runner of one home."""

    folder: Path

    @classmethod
    def of(cls, home: Path, athlete_id: str) -> Access:
        """Return where they lie; the folder is made, for its owner alone, where it is missing."""
        folder = home / FOLDER / athlete_id
        for place in (folder.parent, folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder)

    @property
    def strava(self) -> TokenFile:
        """Return the tokens for Strava."""
        return TokenFile(self.folder / "strava.json")

    @property
    def strava_app(self) -> AppFile:
        """Return the runner's own API application at Strava."""
        return AppFile(self.folder / "strava_app.json")

    @property
    def garmin(self) -> Path:
        """Return the folder in which `garminconnect` keeps its tokens."""
        return self.folder / "garmin"

    @property
    def garmin_personal(self) -> KeyFile:
        """Return the key for Garmin's Personal API."""
        return KeyFile(self.folder / "garmin_personal.json")
