"""The command that looks whether the nights happen: watch."""

from __future__ import annotations

import datetime as dt
import json

import typer

from hamload.cli.app import AsJson, Home, app
from hamload.cli.printing import list_problems, plain, settings_of, terminal
from hamload.errors import ConfigurationError


@app.command()
def watch(home: Home = None, as_json: AsJson = False) -> None:
    """Look whether the nights happen; where none has ended for too long, tell the runner by mail and push, once.

    For a timer of its own, apart from the night's (deploy/): too long is max_night_age_h, of the settings' section
    doctor. Exits with 0 where all is well or nothing is set up, 1 where there is an outage, 2 where the home or its
    settings cannot be used.

    Examples:  hamload watch  |  hamload watch --json
    """
    from hamload import pipeline

    settings = settings_of(home)
    if not settings.home.is_dir():
        # Nothing can be told from a home that is not there: a disk that is not connected, another user's variable.
        raise ConfigurationError(f"There is no home at {settings.home}.", "Connect its disk, or name it with --home.")
    found = pipeline.watch(settings, dt.datetime.now(tz=dt.UTC))
    if as_json:
        since = found.since.isoformat() if found.since else None
        told = {
            "is_outage": found.outage is not None,
            "is_idle": found.is_idle,
            "last_good_night_at": since if found.had_night else None,
            "waiting_since": None if found.had_night else since,
        }
        hours = found.outage.hours if found.outage else None
        print(json.dumps({**told, "hours": hours, "told": found.told, "problems": list(found.problems)}))
    else:
        say = settings.language().text
        when = f"{found.since.astimezone(settings.zone(settings.athletes[0].id)):%Y-%m-%d %H:%M}" if found.since else ""
        if found.is_idle:
            line = say("Nothing is set up that a night would ask: no account, no folder.")
        elif found.outage is None and not found.had_night:
            line = say("No night has run to its end yet; hamload waits for the first since {when}.", when=when)
        elif found.outage is None:
            line = say("Nights happen: the last good one was {when}.", when=when)
        elif found.told:
            line = say("No night has run to its end since {when}. The runner is being told.", when=when)
        else:
            line = say("No night has run to its end since {when}. The runner was told before.", when=when)
        terminal().print(plain(line), highlight=False, soft_wrap=True)
        list_problems(found.problems)
    raise typer.Exit(1 if found.outage else 0)
