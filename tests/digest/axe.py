"""axe-core, which judges pages for accessibility: one version, fetched once from the npm registry and checked."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.14.1"
#: Of the package as it was published.
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
KEPT = Path(__file__).parents[2] / ".tools" / f"axe-core-{VERSION}.min.js"
_TIMEOUT_S = 120


class UnreachableError(Exception):
    """axe-core is not here, and cannot be had."""


def script(kept: Path = KEPT) -> str:
    """Return axe-core's script, fetched with npm where it is not there yet.

    Raises
    ------
    UnreachableError
        Where there is no npm, or no registry.
    ValueError
        Where what came is not what was published.

    """
    if not kept.is_file():
        _keep(kept, unpacked(_fetched()))
    return kept.read_text(encoding="utf-8")


def unpacked(package: bytes) -> bytes:
    """Return the script in a package. Raises ValueError where the package is not the one that was published."""
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise ValueError(f"axe-core {VERSION} is not what was published: sha512-{digest}")
    with tempfile.TemporaryFile() as file:
        file.write(package)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            return member.read()


def _fetched() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise UnreachableError("no npm here: `make browser` installs it on Debian, as root")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                [npm, "pack", "--silent", f"axe-core@{VERSION}"],
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=_TIMEOUT_S,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise UnreachableError(f"axe-core {VERSION} cannot be fetched with npm: {error}") from error
        return next(Path(folder).glob("*.tgz")).read_bytes()


def _keep(kept: Path, content: bytes) -> None:
    """Write the file as a whole: several test processes may fetch it at once."""
    kept.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=kept.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(kept)
