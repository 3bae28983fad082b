"""A source of the runner's own: one Python file whose `fetch(cursor, now)` yields `sources.pages.Page`.

What it yields is put page by page, each with its cursor, as what hamload's own sources yield; what it raises is its
failure, told like theirs. `docs/extending.md` has a worked example.
"""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hamload.errors import HamloadError
from hamload.sources.pages import Page

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator

    from hamload.settings import AccountSettings


def fetch(home: Path, account: AccountSettings, cursor: dict[str, Any], now: dt.datetime) -> Generator[Page]:
    """Fetch from a service by its file; a relative path lies in the home.

    Raises
    ------
    HamloadError
        Where there is no such file, it cannot be run, or it breaks off.

    """
    path = home / Path(account.file).expanduser()
    remedy = f"Mend that file, or [[accounts]] in {home / 'config.toml'}."
    if not path.is_file():
        raise HamloadError(f"There is no file {path} to fetch from {account.service.label} with.", remedy)
    pages = _guarded(path, remedy, lambda: iter(_module(path).fetch(cursor, now)))
    while (page := _guarded(path, remedy, lambda: next(pages, None))) is not None:
        if not isinstance(page, Page):
            raise HamloadError(f"{path}: fetch yields {type(page).__name__}, not hamload's Page.", remedy)
        yield page


def _module(path: Path) -> Any:
    loader = SourceFileLoader(f"hamload_own_{path.stem}", str(path))
    module = ModuleType(loader.name)
    module.__file__ = str(path)
    # Compiled here: nothing is written beside the runner's file.
    exec(loader.source_to_code(path.read_bytes(), str(path)), module.__dict__)  # noqa: S102  # it is the runner's own
    return module


def _guarded(path: Path, remedy: str, step: Callable[[], Any]) -> Any:
    """Take one step of the runner's file: whatever it raises becomes a sentence."""
    try:
        return step()
    except HamloadError:
        raise
    except Exception as error:  # noqa: BLE001  # a fault of the runner's own file must not cost the others their night
        # Its words may hold a secret of the request that it came from: what is told is where it was raised.
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        line = f", line {at.tb_lineno} of {Path(at.tb_frame.f_code.co_filename).name}" if at else ""
        raise HamloadError(f"{path} broke off: {type(error).__name__}{line}.", remedy) from None
