"""Storage that the night and every worker of a cluster see: a folder, or whatever fsspec has an address for.

Only what is under way lies there, under names made of its content: written whole or not at all, and twice without harm.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hamload.errors import ClusterError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Shared:
    """One folder of shared storage.

    Raises
    ------
    ConfigurationError
        Where nothing here speaks to such storage.
    ClusterError
        From every method, where the storage does not do what it is asked.

    """

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415  # only who has a cluster need have it
        except ImportError as error:
            raise extra_missing(error) from error
        self.url = url
        try:
            self._fs, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"[import] shared = {url!r} cannot be opened: {error}.",
                "Name a folder, or install what fsspec needs for that address, here and on every worker.",
            ) from error

    @property
    def folder(self) -> Path | None:
        """Where it lies on this machine's own disks and mounts; None where it does not."""
        protocol = self._fs.protocol
        is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        return Path(self._root) if is_local else None

    def has(self, name: str) -> bool:
        """Whether something lies there under that name."""
        with self._told("looked at"):
            # What another machine has written since is not in what was listed before.
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self._path(name)))

    def content(self, name: str) -> bytes:
        """Return what lies there under that name."""
        with self._told("read"):
            return bytes(self._fs.cat_file(self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        """Write a file over whatever lay there."""
        with self._told("written"):
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self._fs.pipe_file(self._path(name), content)

    def put(self, name: str, content: bytes) -> None:
        """Write a file that shows once it is whole. Who puts the same name puts the same content."""
        part = f"{name}.{uuid.uuid4().hex}.part"
        self.write(part, content)
        with self._told("written"):
            try:
                self._fs.mv(self._path(part), self._path(name))
            except OSError:
                # Some storage renames nothing over what is there; then another worker was faster.
                if not self.has(name):
                    raise
                self._fs.rm_file(self._path(part))

    def remove(self, names: Sequence[str] = ()) -> None:
        """Remove what lies there under these names, or all of it where none are given. What is gone already is fine."""
        with self._told("cleared"):
            self._fs.invalidate_cache()
            for name in names:
                if self._fs.exists(self._path(name)):
                    self._fs.rm_file(self._path(name))
            if not names and self._fs.exists(self._root):
                self._fs.rm(self._root, recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else str(self._root)

    @contextmanager
    def _told(self, asked: str) -> Iterator[None]:
        try:
            yield
        except ClusterError:
            raise
        except Exception as error:
            # Each kind of storage has failures of its own.
            told = str(error).strip() or type(error).__name__
            raise ClusterError(
                f"The shared storage {self.url} could not be {asked}: {told}.",
                "Check that it is mounted, or reached, with the right to write, here and on every worker.",
            ) from error


def extra_missing(error: ImportError) -> ConfigurationError:
    """Return what to say where the packages for a cluster are not installed."""
    return ConfigurationError(
        f"Reading on a cluster needs packages that are not installed ({error.name or error}).",
        "Run: pip install 'hamload[cluster]', or take cluster out of [import] in config.toml: then recordings are read"
        " here.",
    )
