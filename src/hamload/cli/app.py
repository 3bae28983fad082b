"""The command line's one application, and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def path_named(told: str) -> Path:
    """Return a path that was named. An empty name is of a variable that is not set, not the folder one stands in."""
    if not told:
        raise typer.BadParameter("this is an empty name")
    return Path(told)


app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Watches how hard your hamstrings are asked to work, compares it with what they are used to, and says in time"
        " when to back off.\n\nTry it with simulated runs: [bold]hamload demo[/]. Then:"
        " [bold]hamload import ~/strava-export.zip[/]"
    ),
)

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        parser=path_named,
        metavar="PATH",
        help="Where hamload keeps everything. Default: HAMLOAD_HOME, else your user-data folder.",
    ),
]
AthleteId = Annotated[str, typer.Option("--athlete", help="Which runner, where the home has several.")]
On = Annotated[str, typer.Option("--on", help="Look back at the state of an earlier day (YYYY-MM-DD).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
