"""A service's tokens in a file of their own: mode 0600, saved atomically, never through a symbolic link.

Whoever refreshes a token that dies with its use saves the new one before anything else. A save writes a whole new file
beside the old one, brings it to the disk and renames it. A kill before the rename leaves that new file behind, complete
(it carries its own checksum) or torn; `read` finishes what was complete and drops what was torn. Tokens are in no
message and in no `repr`. Nothing here knows the network.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import hashlib
import json
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODE = 0o600
_OTHERS = 0o077
_MAX_BYTES = 65_536


class TokenFileError(HamloadError):
    """A token file cannot be used as it is: a link, somebody else's, unreadable."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a service gave to sign in with.

    Attributes
    ----------
    expires_at
        When the access token ends, UTC.
    scope
        What the runner allowed, as the service spells it; "" where it did not say.
    attempted_at
        A refresh was begun then, and nothing has been saved since: its answer may be lost.

    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: dt.datetime
    scope: str = ""
    attempted_at: dt.datetime | None = None

    def lasts_until(self, moment: dt.datetime) -> bool:
        """Return whether the access token is still good at a moment."""
        return bool(self.access_token) and self.expires_at > moment


class TokenFile:
    """Where one service's tokens of one runner are kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fresh = path.with_name(f"{path.name}.new")
        self._lock = path.with_name(f"{path.name}.lock")

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r})"

    def read(self) -> Tokens | None:
        """Return the tokens; None where there are none.

        A file that others may read is closed to them first. Raises TokenFileError on a symbolic link, on a file of
        somebody else, and on one that holds no tokens.
        """
        with self.locked():
            return self._read()

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens, atomically: whenever this is interrupted, `read` gives the old ones or the new ones."""
        with self.locked():
            self._save(tokens)

    def expire(self) -> None:
        """Distrust the access token: the service refused it before its time, and the next run is to refresh it."""
        with self.locked():
            if tokens := self._read():
                self._save(replace(tokens, expires_at=dt.datetime.fromtimestamp(0, dt.UTC)))

    def remove(self) -> bool:
        """Delete the tokens and all that belongs to them. Returns whether there were any."""
        with self.locked():
            was_there = self.path.is_symlink() or self.path.exists()
            for path in (self.path, self._fresh, self._lock):
                path.unlink(missing_ok=True)
        return was_there

    @contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        """Keep other processes out, and wait for them: two refreshes at once would kill each other's token."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = self._lock_held()
        except OSError as error:
            raise self._unusable(self._lock, error) from None
        try:
            yield LockedTokens(self)
        finally:
            os.close(descriptor)

    def _lock_held(self) -> int:
        while True:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(descriptor), self._lock.lstat()):
                    return descriptor
            except FileNotFoundError:
                pass  # `remove` took the lock file away while this waited for it: take the next one
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _read(self) -> Tokens | None:
        self._finish()
        content = self._content(self.path)
        if content is None:
            return None
        tokens = _parsed(content)
        if tokens is None:
            raise TokenFileError(
                f"{self.path} holds no tokens that can be read.", "Delete it and sign in again: hamload auth."
            )
        return tokens

    def _save(self, tokens: Tokens) -> None:
        self._refuse_link(self.path)
        try:
            self._fresh.unlink(missing_ok=True)
            descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
            try:
                os.fchmod(descriptor, _MODE)
                _write(descriptor, _written(tokens))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._rename()
        except OSError as error:
            raise self._unusable(self.path, error) from None

    def _rename(self) -> None:
        self._fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _finish(self) -> None:
        """Finish a save that was killed before its rename: what it left is newer than the file, or torn."""
        content = self._content(self._fresh)
        if content is None:
            return
        try:
            if _parsed(content) is None:
                self._fresh.unlink()
            else:
                self._refuse_link(self.path)
                self._rename()
        except OSError as error:
            raise self._unusable(self.path, error) from None

    def _content(self, path: Path) -> bytes | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(path, error) from None
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid():
                raise TokenFileError(
                    f"{path} is not a file of this user.", "Delete it and sign in again as the user who runs hamload."
                )
            if facts.st_mode & _OTHERS:
                os.fchmod(descriptor, _MODE)
            return os.read(descriptor, _MAX_BYTES)
        except OSError as error:
            raise self._unusable(path, error) from None
        finally:
            os.close(descriptor)

    def _refuse_link(self, path: Path) -> None:
        if path.is_symlink():
            raise self._unusable(path, OSError(errno.ELOOP, "it is a symbolic link"))

    def _unusable(self, path: Path, error: OSError) -> TokenFileError:
        if error.errno == errno.ELOOP:
            return TokenFileError(
                f"{path} is a symbolic link; tokens are kept in real files only.", "Replace it by the file itself."
            )
        return TokenFileError(
            f"The tokens in {path} cannot be read or written: {error.strerror or error}.",
            "Check the rights of the file and its folder, and the space on the disk.",
        )


class LockedTokens:
    """The same file while its lock is held: read, ask the service, save, with nobody in between."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file

    def read(self) -> Tokens | None:
        """Return the tokens, as `TokenFile.read`."""
        return self._file._read()  # noqa: SLF001  # the two are one

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens, as `TokenFile.save`."""
        self._file._save(tokens)  # noqa: SLF001


def _written(tokens: Tokens) -> bytes:
    facts: dict[str, Any] = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.astimezone(dt.UTC).isoformat(),
        "scope": tokens.scope,
        "attempted_at": tokens.attempted_at and tokens.attempted_at.astimezone(dt.UTC).isoformat(),
    }
    return json.dumps({"sum": _checksum(facts), "tokens": facts}, indent=1).encode()


def _parsed(content: bytes) -> Tokens | None:
    try:
        whole = json.loads(content)
        facts = whole["tokens"]
        if whole["sum"] != _checksum(facts):
            return None
        return Tokens(
            str(facts["access_token"]),
            str(facts["refresh_token"]),
            dt.datetime.fromisoformat(facts["expires_at"]),
            str(facts["scope"]),
            facts["attempted_at"] and dt.datetime.fromisoformat(facts["attempted_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _checksum(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
