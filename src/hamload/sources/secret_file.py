"""A secret in a file of its own: mode 0600, saved atomically, never through a symbolic link.

A save writes a whole new file beside the old one, brings it to the disk and renames it. A kill before the rename leaves
that new file behind, complete (it carries its own checksum) or torn; `read` finishes what was complete and drops what
was torn. What the file holds is in no message and in no `repr`. Nothing here knows the network.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from hamload.errors import HamloadError
from hamload.redaction import learn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODE = 0o600
_OTHERS = 0o077
_MAX_BYTES = 65_536
_CONTENT = "tokens"


class TokenFileError(HamloadError):
    """A file with a secret cannot be used as it is: a link, somebody else's, unreadable."""


class SecretFile[T](ABC):
    """Where one secret of one runner is kept. Subclasses say how it is written as JSON.

    `secret_names` are the keys whose values nobody may see: they are blotted out of logs and errors from when they are
    read or saved.
    """

    secret_names: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fresh = path.with_name(f"{path.name}.new")
        self._lock = path.with_name(f"{path.name}.lock")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @abstractmethod
    def _told(self, secret: T) -> dict[str, Any]:
        """Return the secret as JSON."""

    @abstractmethod
    def _secret(self, told: dict[str, Any]) -> T:
        """Read what `_told` wrote. Raises ValueError, KeyError or TypeError on anything else."""

    def read(self) -> T | None:
        """Return the secret; None where there is none.

        A file that others may read is closed to them first. Raises TokenFileError on a symbolic link, on a file of
        somebody else, and on one that holds nothing that can be read.
        """
        with self.locked():
            return self._read()

    def save(self, secret: T) -> None:
        """Replace the secret, atomically: whenever this is interrupted, `read` gives the old ones or the new ones."""
        with self.locked():
            self._save(secret)

    def remove(self) -> bool:
        """Delete the file and all that belongs to it. Returns whether it was there."""
        with self.locked():
            was_there = self.path.is_symlink() or self.path.exists()
            for path in (self.path, self._fresh, self._lock):
                path.unlink(missing_ok=True)
        return was_there

    @contextmanager
    def locked(self) -> Iterator[LockedFile[T]]:
        """Keep other processes out, and wait for them: two refreshes at once would kill each other's token."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = self._lock_held()
        except OSError as error:
            raise self._unusable(self._lock, error) from None
        try:
            yield LockedFile(self)
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

    def _read(self) -> T | None:
        self._finish()
        content = self._content(self.path)
        if content is None:
            return None
        secret = self._parsed(content)
        if secret is None:
            raise TokenFileError(
                f"{self.path} holds nothing that can be read.", "Delete it and sign in again: hamload auth."
            )
        return secret

    def _learn(self, told: dict[str, Any]) -> None:
        learn(*(str(told[name]) for name in self.secret_names if told.get(name)))

    def _parsed(self, content: bytes) -> T | None:
        try:
            whole = json.loads(content)
            told = whole[_CONTENT]
            self._learn(told)
            return self._secret(told) if whole["sum"] == _checksum(told) else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _save(self, secret: T) -> None:
        self._refuse_link(self.path)
        try:
            self._fresh.unlink(missing_ok=True)
            descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
            try:
                os.fchmod(descriptor, _MODE)
                told = self._told(secret)
                self._learn(told)
                _write(descriptor, json.dumps({"sum": _checksum(told), _CONTENT: told}, indent=1).encode())
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
            if self._parsed(content) is None:
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
                f"{path} is a symbolic link; secrets are kept in real files only.", "Replace it by the file itself."
            )
        return TokenFileError(
            f"The secret in {path} cannot be read or written: {error.strerror or error}.",
            "Check the rights of the file and its folder, and the space on the disk.",
        )


class LockedFile[T]:
    """The same file while its lock is held: read, ask the service, save, with nobody in between."""

    def __init__(self, file: SecretFile[T]) -> None:
        self._file = file

    def read(self) -> T | None:
        """Return the secret, as `SecretFile.read`."""
        return self._file._read()  # noqa: SLF001  # the two are one

    def save(self, secret: T) -> None:
        """Replace the secret, as `SecretFile.save`."""
        self._file._save(secret)  # noqa: SLF001


def _checksum(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
