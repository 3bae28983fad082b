"""The demo command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hamload.cli.app import app
from hamload.cli.printing import terminal


@app.command()
def demo(
    home: Annotated[Path, typer.Option("--home", help="Where the demo's own home goes.")] = Path(".demo"),
) -> None:
    """Run a whole night on a year of a simulated runner, and show the digest it ends with."""
    from hamload import demonstration

    console = terminal()
    shown = demonstration.run(home.absolute(), lambda line: console.print(line, highlight=False, soft_wrap=True))
    print(shown.digest_text)
    console.print("\n[bold]Where things lie[/]", highlight=False)
    for name, path in shown.places:
        console.print(f"  {name:<22}{path}", highlight=False, soft_wrap=True)
    program = Path(sys.argv[0]).absolute()
    name = str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "hamload"
    console.print(f"\nLook further: {name} status --home {home}   {name} sessions --home {home}", highlight=False)
