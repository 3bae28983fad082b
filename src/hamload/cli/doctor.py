"""The doctor command."""

from __future__ import annotations

import datetime as dt
import json
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from hamload.cli.app import AsJson, Home, app
from hamload.cli.printing import plain, progress_bars, terminal

if TYPE_CHECKING:
    from hamload.doctor import Finding

_MARKS = {"ok": "[green]+[/]", "note": "[yellow]?[/]", "wrong": "[bold red]![/]"}


@app.command()
def doctor(
    home: Home = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Read every document and compare every row with tables built anew instead. Offline, read-only.",
        ),
    ] = False,
    online: Annotated[
        bool,
        typer.Option("--online", help="Also ask each service if the sign-in is good, and log in to the mail server."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check everything that hamload stands on, and name the remedy of what is wrong. Exit code 1 if anything is.

    Asks no service and sends nothing unless told --online; no mail is sent even then.

    Examples:  hamload doctor  |  hamload doctor --online  |  hamload doctor --verify  |  hamload doctor --json
    """
    from dataclasses import asdict

    from hamload import doctor as doctor_
    from hamload import settings

    folder = settings.home_folder(home)
    found: list[Finding] = []
    console = terminal()
    if online and not as_json:
        console.print("Asking each service once, and the mail server, as you said (--online).", style="dim")
    for number in (signal.SIGTERM, signal.SIGHUP):
        # What lies beside the home meanwhile is private, and goes with this run.
        signal.signal(number, _leave)
    with progress_bars(as_json or not verify) as progress:
        findings = (
            doctor_.verify(folder, progress)
            if verify
            else doctor_.examine(folder, dt.datetime.now(tz=dt.UTC), online=online)
        )
        for finding in findings:
            found.append(finding)
            if not as_json:
                _print(finding)
    wrong = [finding for finding in found if finding.level == "wrong"]
    if as_json:
        print(json.dumps({"home": str(folder), "is_well": not wrong, "findings": [asdict(f) for f in found]}, indent=2))
    elif wrong:
        console.print(f"\n[bold red]{len(wrong)} to mend.[/]", highlight=False)
    elif any(finding.level == "note" for finding in found):
        console.print("\n[bold green]Nothing to mend[/], and something to know: see [yellow]?[/].", highlight=False)
    else:
        console.print("\n[bold green]All is well.[/]", highlight=False)
    raise typer.Exit(1 if wrong else 0)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _print(finding: Finding) -> None:
    console = terminal()
    line = f"{_MARKS[finding.level]} [bold]{plain(finding.name):<14}[/] {plain(finding.says)}"
    console.print(line, highlight=False, soft_wrap=True)
    if finding.remedy:
        console.print(f"  {'':<14} -> {plain(finding.remedy)}", highlight=False, soft_wrap=True)
