"""Commands for building the hamstrings up: curls, and sending them to the watch."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import plain, settings_of, terminal
from hamload.language import NBSP

if TYPE_CHECKING:
    from hamload.language import Language
    from hamload.pipeline.counsel.curling import CurlPlan

curls_app = typer.Typer(
    help="The curl programme: the next session, on which days, why; and sending it to the watch.",
    invoke_without_command=True,
    rich_markup_mode="rich",
)
app.add_typer(curls_app, name="curls")


@curls_app.callback()
def curls(context: typer.Context, home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Show the next curls: sets and repetitions, on which days, why, and how."""
    if context.invoked_subcommand is not None:
        return
    from hamload.pipeline.counsel import curling, planning

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    found = curling.plan(settings, runner, planning.own_today(settings, runner))
    if as_json:
        from dataclasses import asdict

        print(json.dumps(asdict(found), default=str, indent=2))
        return
    _print(found, settings.language())


@curls_app.command()
def push(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Send the next session to Garmin Connect as a strength workout, on its day. The same session is sent once."""
    from hamload.pipeline.counsel import curling

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    done = curling.push_to_garmin(settings, runner, settings.today(runner), dt.datetime.now(tz=dt.UTC))
    if as_json:
        from dataclasses import asdict

        print(json.dumps(asdict(done), default=str))
        return
    language = settings.language()
    lead = "Sent" if done.is_new else "Sent already"
    terminal().print(
        f"{lead}: {plain(done.dose)}, on {language.day(done.date, done.date).replace(NBSP, ' ')}. Sync your watch.",
        highlight=False,
    )


def _print(found: CurlPlan, language: Language) -> None:
    from hamload.pipeline.counsel import curling

    console = terminal()
    if found.dose is not None:
        console.print(f"[bold]{language.say(curling.dose_told(found.dose))}[/]  ({found.stage})", highlight=False)
        days = ", ".join(language.day(date, date).replace(NBSP, " ") for date in found.dates)
        console.print(f"Next on {days or 'no day of the next two weeks'}.", highlight=False)
    else:
        console.print(f"[bold]No curls now[/]  ({found.stage})", highlight=False)
    for reason in found.reasons:
        console.print(f"- {plain(language.say(reason))}", highlight=False)
    for note in found.notes:
        console.print(f"[dim]{plain(language.say(note))}[/]", highlight=False)
