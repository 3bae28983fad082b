"""The command that opens a notebook."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from hamload.cli.app import Home, app
from hamload.cli.printing import terminal
from hamload.errors import ConfigurationError

_NAMES = ("explore", "backtest", "model")


@app.command()
def notebook(
    name: Annotated[str, typer.Argument(help="explore, backtest or model.")] = "explore",
    home: Home = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Copy it into this folder, and open the copy to be changed.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where it listens; 0 finds a free one.")] = 0,
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser; the address is printed.")] = False,
) -> None:
    """Open a notebook in the browser: explore your load, hold the rules against your entries, or try the model.

    It shows your home, or where that has no run yet a simulated year, and says so. It listens on this machine alone.
    """
    from hamload import settings

    if name not in _NAMES:
        raise ConfigurationError(f"There is no notebook {name!r}.", f"There are: {', '.join(_NAMES)}.")
    if find_spec("marimo") is None:
        raise ConfigurationError("The notebooks need marimo.", "Run: pip install 'hamload[notebooks]'")
    path = settings.shipped("notebooks") / f"{name}.py"
    if edit:
        path = _copy(path)
        terminal().print(f"Your copy: {path}", highlight=False)
    command = [sys.executable, "-m", "marimo", "--yes", "edit" if edit else "run"]
    command += ["--host", "127.0.0.1", "--token", *(["--port", str(port)] if port else [])]
    command += ["--headless"] if headless else []
    # In our own place, so that whatever ends this command ends the notebook too.
    os.execve(sys.executable, [*command, str(path)], settings.notebook_environment(home))  # noqa: S606  # our own command


def _copy(path: Path) -> Path:
    target = Path.cwd() / path.name
    if not target.exists():
        shutil.copyfile(path, target)
    return target
