"""The report command."""

from __future__ import annotations

import datetime as dt
import json

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import settings_of, terminal


@app.command()
def report(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Write the report: one page with every chart, run, state and assumption, which loads nothing from anywhere.

    Examples:  hamload report  |  hamload report --athlete anna  |  xdg-open "$(hamload report --json | jq -r .path)"
    """
    from hamload import pipeline

    settings = settings_of(home)
    path = pipeline.report(settings, athlete, dt.datetime.now(tz=dt.UTC))
    if as_json:
        print(json.dumps({"path": str(path), "bytes": path.stat().st_size}))
    else:
        terminal().print(
            f"{path}\n  {path.stat().st_size / 1e6:.1f} MB; open it in any browser.", highlight=False, soft_wrap=True
        )
    raise typer.Exit(0)
