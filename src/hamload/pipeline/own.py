"""A source of the runner's own: one Python file whose `fetch(cursor, now)` yields `sources.pages.Page`.

What it yields is put page by page, each with its cursor, as what hamload's own sources yield; what it raises is its
failure, told like theirs. `docs/extending.md` has a worked example.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from hamload.errors import HamloadError
from hamload.sources.pages import Page

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator
    from typing import Any

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
    try:
        spec = importlib.util.spec_from_file_location(f"hamload_own_{account.service.value}", path)
        if spec is None or spec.loader is None:
            raise HamloadError(f"{path} is no Python file.", remedy)
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for page in module.fetch(cursor, now):
            if not isinstance(page, Page):
                raise HamloadError(f"{path}: fetch yields {type(page).__name__}, not hamload's Page.", remedy)
            yield page
    except HamloadError:
        raise
    except Exception as error:
        # Its words may hold a secret of the request that it came from: what is told is where it was raised.
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        line = f", line {at.tb_lineno} of {Path(at.tb_frame.f_code.co_filename).name}" if at else ""
        raise HamloadError(f"{path} broke off: {type(error).__name__}{line}.", remedy) from None
