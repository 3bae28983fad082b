"""Where a runner's secrets lie in the home, one folder a runner: tokens, their API application, their API key."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.sources.tokens import AppFile, KeyFile, TokenFile, TokenFileError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tokens"
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Access:
    """The secrets of one runner of one home."""

    folder: Path

    @classmethod
    def of(cls, home: Path, athlete_id: str) -> Access:
        """Return where they lie; the folder is made, for its owner alone, where it is missing."""
        folder = home / FOLDER / athlete_id
        for place in (folder.parent, folder):
            try:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                if place.is_symlink():
                    raise TokenFileError(
                        f"{place} is a symbolic link; secrets are kept in real folders only.",
                        "Replace it by the folder itself.",
                    )
                if stat.S_IMODE(place.stat().st_mode) & _OTHERS:
                    place.chmod(0o700)
            except OSError as error:
                raise TokenFileError(
                    f"The folder for sign-ins {place} cannot be used: {error.strerror}.",
                    "Remove it, or mend its rights.",
                ) from None
        found = cls(folder)
        for path in (found.garmin, found.garmin / "garmin_tokens.json"):
            # What `garminconnect` keeps is closed to others as our own files are.
            if path.exists() and not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
                path.chmod(0o700 if path.is_dir() else 0o600)
        return found

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
