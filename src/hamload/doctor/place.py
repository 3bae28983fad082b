"""The home: whether it is there, whose it is, who may read it, and what it holds in which version."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import closing
from typing import TYPE_CHECKING

from hamload import post, raw, versions, warehouse
from hamload.doctor.finding import note, ok, wrong
from hamload.errors import HamloadError
from hamload.settings import shipped
from hamload.sources.access import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hamload.doctor.finding import Finding
    from hamload.settings import Settings

_GROUP, _OTHERS = 0o070, 0o007


def home(folder: Path) -> Finding:
    """Look at the folder itself."""
    quoted = shlex.quote(str(folder))
    if not folder.exists():
        return wrong("home", f"There is no home at {folder} yet.", "hamload init")
    if not folder.is_dir():
        return wrong("home", f"{folder} is a file, not a folder.", f"hamload init --home {quoted}-home")
    if not os.access(folder, os.W_OK | os.X_OK):
        is_fixed = os.statvfs(folder).f_flag & os.ST_RDONLY
        remedy = f"mount that disk to be written: {quoted}" if is_fixed else f"sudo chown -R $(id -un) {quoted}"
        return wrong("home", f"{folder} cannot be written by this user.", remedy)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _OTHERS:
        return wrong("home", f"{folder} can be read by everybody here (mode {mode:o}).", f"chmod 700 {quoted}")
    if mode & _GROUP:
        return note("home", f"{folder} is open to its group (mode {mode:o}).", f"chmod 700 {quoted}")
    return ok("home", f"{folder}, yours alone")


def secrets(folder: Path) -> Finding:
    """Look at the rights of every file with a secret: its owner's alone, real files only."""
    places = [path for name in (FOLDER, "outbox") for path in (folder / name, *sorted((folder / name).rglob("*")))]
    there = [path for path in places if path.exists() or path.is_symlink()]
    for path in there:
        facts = path.lstat()
        if path.is_symlink():
            return wrong("secrets", f"{path} is a symbolic link, not a real file.", f"rm {_quoted(path)}")
        if facts.st_uid != os.geteuid():
            owner = f"sudo chown -R $(id -un) {_quoted(path)}"
            return wrong("secrets", f"{path} belongs to another user.", owner)
        if facts.st_mode & (_GROUP | _OTHERS):
            return wrong("secrets", f"{path} can be read by others.", f"chmod -R go= {_quoted(path)}")
    return ok("secrets", f"{len(there)} files and folders, yours alone" if there else "none are kept")


def versions_of(folder: Path) -> Iterator[Finding]:
    """Look at the versions of what the home holds."""
    ledgers = ((folder / "raw" / raw.LEDGER, raw.VERSION), (folder / "outbox" / "post.db", post.VERSION))
    for path, newest in ledgers:
        found = versions.version_of(path)
        if found is None and path.exists():
            yield wrong("versions", f"{path} cannot be read as a ledger.", "hamload doctor --verify")
        elif found is not None and found > newest:
            yield wrong(
                "versions", f"A newer hamload has written {path} (version {found}).", "pip install --upgrade hamload"
            )
        elif found is not None and found < newest:
            yield note("versions", f"{path.name} has version {found}; the next run makes it {newest}.", "hamload sync")
        elif found is not None:
            yield ok("versions", f"{path.name}: version {found}")


def runners(settings: Settings) -> Iterator[Finding]:
    """Look for runners whose documents are kept, and whom the settings list no longer."""
    ledger = settings.home / "raw" / raw.LEDGER
    if not versions.version_of(ledger):
        return
    with closing(versions.read_only(ledger)) as db:
        given = db.execute("select athlete_id, min(source) from deliveries group by 1 order by 1").fetchall()
    for name, source in given:
        if name not in {athlete.id for athlete in settings.athletes}:
            yield note(
                "runners",
                f"What {name} ran is kept and shown nowhere: config.toml does not list them.",
                f'add [[athletes]] id = "{name}", or: hamload forget {shlex.quote(source)} --athlete {name}',
            )


def tables(folder: Path) -> Finding:
    """Look at the published tables."""
    if not (folder / "raw" / raw.LEDGER).is_file():
        return note("tables", "Nothing has been imported yet.", "hamload import PATH")
    try:
        with warehouse.reader(folder, shipped("sql")) as con:
            ((runs,),) = con.execute("select count(*) from marts.sessions").fetchall()
    except HamloadError as error:
        return wrong("tables", error.what, "hamload rebuild")
    except Exception as error:  # noqa: BLE001  # a damaged file fails in many ways, and all have this remedy
        return wrong("tables", f"The published tables cannot be read ({type(error).__name__}).", "hamload rebuild")
    return ok("tables", f"{runs} runs, built by this version")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
