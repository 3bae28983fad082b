"""Commands that bring recordings in and bring the tables up to date: import, sync, rebuild."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app, path_named
from hamload.cli.printing import (
    check_failed,
    day,
    list_problems,
    one_of,
    plain,
    progress_bars,
    settings_of,
    terminal,
    times,
)
from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            parser=path_named,
            metavar="PATH...",
            help="Folders, FIT/GPX/TCX files (.gz too), or Strava's bulk export (zip or folder).",
        ),
    ],
    home: Home = None,
    athlete: AthleteId = "",
    sport: Annotated[
        str,
        typer.Option(
            "--sport", help="What recordings that name no sport are: run, treadmill, walk, ride, swim, other."
        ),
    ] = "",
    gaps: Annotated[
        str,
        typer.Option(
            "--gaps",
            help="Days without a recording between the first and the last: rest or unknown. Default: rest for a folder"
            " or an export (a whole history), unknown for single files.",
        ),
    ] = "",
    through: Annotated[
        str,
        typer.Option(
            "--through", help="The files are complete up to this day (YYYY-MM-DD): after the last run came rest."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Read recordings from files. The same file again changes nothing.

    Examples:  hamload import ~/Downloads/export_1234.zip  |  hamload import ~/Garmin/Activities --through 2026-11-24
    """
    from hamload import pipeline

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    one_of("--sport", sport, ("", "run", "treadmill", "walk", "ride", "swim", "strength", "other"))
    one_of("--gaps", gaps, ("", "rest", "unknown"))
    now = dt.datetime.now(tz=dt.UTC)
    with (
        pipeline.exclusive(settings),
        pipeline.running(settings, "import", now),
        progress_bars(as_json) as progress,
    ):
        arriving = pipeline.Arriving(
            settings,
            [path.expanduser() for path in paths],
            runner,
            now,
            sport=sport,
            gaps=gaps or None,  # type: ignore[arg-type]  # checked above
            through=day("--through", through),
            progress=progress,
        )
        decoded, failures = pipeline.refresh(settings, settings.today(runner), progress, arriving=arriving)
    put = arriving.put
    unread, no_activities = pipeline.unreadable(settings, runner, put.names)
    counts = {"offered": put.offered, "new": put.new, "known": put.known, "unreadable": len(unread)}
    problems = unread + [check_failed(f) for f in failures]
    if as_json:
        print(json.dumps({**counts, "problems": problems}))
    else:
        console = terminal()
        console.print(
            f"{put.offered} offered, [bold]{put.new} new[/], {put.known} known already; {decoded} decoded,"
            f" {len(unread)} could not be counted."
            + (f" {times(no_activities, 'document')} beside them held no activity." if no_activities else "")
            + (f" {times(put.passed_over, 'other file')} passed over." if put.passed_over else "")
        )
        others = pipeline.other_sports(settings, runner)
        summary = _import_summary(pipeline.sessions(settings, runner, sys.maxsize), others, is_history=put.is_history)
        for line in summary:
            console.print(line)
        list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def sync(home: Home = None, as_json: AsJson = False) -> None:
    """Run tonight's steps now: read every source, bring the tables up to date, write the digests."""
    from hamload import pipeline

    settings = settings_of(home)
    if not settings.folders and not settings.accounts and not (settings.home / "raw").is_dir():
        raise ConfigurationError(
            "There is nothing to sync: no source is set up.",
            f"Run: hamload auth, add [[folders]] to {settings.home / 'config.toml'}, or run: hamload import PATH.",
        )
    with pipeline.exclusive(settings), progress_bars(as_json) as progress:
        night = pipeline.night(settings, dt.datetime.now(tz=dt.UTC), progress=progress)
    problems = [*night.failed_sources, *night.unreadable, *(check_failed(f) for f in night.failed_checks)]
    if as_json:
        digests = [str(told.text_path) for told in night.digests]
        sources = [
            {"source": f.service, "athlete": f.athlete_id, "new": f.new, "gone": f.gone, "notes": f.notes}
            | {"covered_until": f.covered_until, "resumes_at": f.resumes_at}
            for f in night.fetched
        ]
        told = {
            "decoded": night.decoded,
            "digests": digests,
            "reports": [str(path) for path in night.reports],
            "sources": sources,
            "problems": problems,
            "notes": list(night.notes),
            "run_id": night.run_id,
        }
        print(json.dumps(told, default=str))
    else:
        console = terminal()
        for line in (line for found in night.fetched for line in pipeline.told(found)):
            console.print(plain(line), highlight=False)
        console.print(f"{night.decoded} new documents.")
        for entry in night.digests:
            console.print(f"[bold]{plain(entry.subject)}[/]\n  {entry.text_path}", highlight=False)
        for path in night.reports:
            console.print(f"Report: {path}", highlight=False, soft_wrap=True)
        list_problems([*problems, *night.notes])
    raise typer.Exit(1 if problems else 0)


@app.command()
def rebuild(home: Home = None) -> None:
    """Throw away everything derived and build it anew from the raw documents."""
    from hamload import pipeline

    settings = settings_of(home)
    now = dt.datetime.now(tz=dt.UTC)
    with (
        pipeline.exclusive(settings),
        pipeline.running(settings, "rebuild", now),
        progress_bars(quiet=False) as progress,
    ):
        decoded, failures = pipeline.rebuild(settings, progress=progress)
    unread = [line for a in settings.athletes for line in pipeline.unreadable(settings, a.id)[0]]
    problems = unread + [check_failed(f) for f in failures]
    terminal().print(f"Rebuilt from {decoded} documents (model {settings.model.version}).")
    list_problems(problems)
    raise typer.Exit(1 if problems else 0)


def _import_summary(rows: Sequence[dict[str, Any]], others: int, *, is_history: bool) -> Iterator[str]:
    if not rows:
        yield "No runs yet."
        return
    copies = sum(row["copies"] for row in rows)
    first, last = rows[-1]["local_date"], rows[0]["local_date"]
    yield (
        f"This home now holds [bold]{times(len(rows), 'run')}[/] from {first} to {last}"
        + (f"; {times(copies, 'second recording')} left out" if copies else "")
        + (f"; {times(others, 'activity', 'activities')} of other sports kept, never counted." if others else ".")
    )
    if is_history:
        yield "Days without a recording in between count as rest. If some are missing instead: --gaps unknown."
    else:
        yield "Days without a recording in between are unknown, not rest. If they were rest: --gaps rest."
