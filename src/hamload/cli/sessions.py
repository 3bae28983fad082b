"""Commands about runs and their recordings: sessions, and what the runner decides of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import check_failed, distance, list_problems, plain, progress_bars, settings_of, terminal
from hamload.cli.showing import print_outdated, print_sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hamload.pipeline.joining.deciding import Made
    from hamload.settings import Settings

sessions_app = typer.Typer(
    help="List runs; say which recordings are of one run, and which count.",
    invoke_without_command=True,
    rich_markup_mode="rich",
)
app.add_typer(sessions_app, name="sessions")

SessionId = Annotated[str, typer.Argument(metavar="ID", help="A session's id, or as much of it as is unmistakable.")]


@sessions_app.callback()
def sessions(
    context: typer.Context,
    home: Home = None,
    athlete: AthleteId = "",
    last: Annotated[int, typer.Option("--last", min=1, max=1_000_000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs with their load, parts and labels. +1 is a second recording of the same run; ! marks a doubted one."""
    if context.invoked_subcommand is not None:
        context.obj = (home, athlete)
        return
    from hamload import pipeline
    from hamload.pipeline.joining import deciding
    from hamload.pipeline.showing import recognising

    settings = settings_of(home)
    rows = pipeline.sessions(settings, athlete, last)
    aside = deciding.set_aside(settings, settings.athlete(athlete).id)
    if as_json:
        print(json.dumps(rows, default=str, indent=2))
        return
    if rows:
        print_outdated(pipeline.overview(settings, athlete))
    print_sessions(rows, settings.language())
    console = terminal()
    oldest = rows[-1]["local_date"] if len(rows) == last else dt.date.min
    for row in aside:
        if row["local_date"] < oldest:
            continue
        said = settings.language().say(recognising.doubts(row["why"]))
        why = "excluded by you" if row["verdict"] == "excluded" else f"doubted: {said}"
        console.print(
            f"[yellow]Not counted[/] {row['session_id'][:6]} {row['local_date']} {plain(row['title'] or row['name'])},"
            f" {distance(row['distance_m'], settings)}: {plain(why)}",
            highlight=False,
        )


@sessions_app.command()
def show(
    context: typer.Context, session_id: SessionId, home: Home = None, athlete: AthleteId = "", as_json: AsJson = False
) -> None:
    """Show one run: its recordings, what each gives and why it belongs there, and what is doubted."""
    from hamload.pipeline.joining import deciding

    settings, runner = _where(context, home, athlete)
    row = deciding.shown(settings, runner, session_id)
    if as_json:
        print(json.dumps(row, default=str, indent=2))
        return
    _print_session(row, settings)


@sessions_app.command()
def split(
    context: typer.Context,
    session_id: SessionId,
    activities: Annotated[
        list[str] | None, typer.Argument(metavar="[ACTIVITY...]", help="Those of another run. Default: each its own.")
    ] = None,
    home: Home = None,
    athlete: AthleteId = "",
) -> None:
    """Say that recordings of this session are of several runs."""
    from hamload.pipeline.joining import deciding

    now = dt.datetime.now(tz=dt.UTC)
    _decide(context, home, athlete, lambda s, who: deciding.split(s, who, session_id, activities or [], now))


@sessions_app.command()
def join(
    context: typer.Context,
    session_ids: Annotated[list[str], typer.Argument(metavar="ID ID...", help="The sessions that are one run.")],
    home: Home = None,
    athlete: AthleteId = "",
) -> None:
    """Say that these sessions are one run: halves are added up, copies count once."""
    from hamload.pipeline.joining import deciding

    now = dt.datetime.now(tz=dt.UTC)
    _decide(context, home, athlete, lambda s, who: deciding.join(s, who, session_ids, now))


@sessions_app.command()
def accept(
    context: typer.Context,
    session_id: SessionId,
    whole: Annotated[bool, typer.Option("--whole", help="What follows a long break was part of the run too.")] = False,
    home: Home = None,
    athlete: AthleteId = "",
) -> None:
    """Say that a doubted run is right as it is counted; one that was cut at a long break, up to there."""
    from hamload.pipeline.joining import deciding

    now = dt.datetime.now(tz=dt.UTC)
    _decide(
        context, home, athlete, lambda s, who: deciding.judge(s, who, session_id, "whole" if whole else "accept", now)
    )


@sessions_app.command()
def exclude(context: typer.Context, session_id: SessionId, home: Home = None, athlete: AthleteId = "") -> None:
    """Say that this was no run of yours: it does not count, and its day is known without it."""
    from hamload.pipeline.joining import deciding

    now = dt.datetime.now(tz=dt.UTC)
    _decide(context, home, athlete, lambda s, who: deciding.judge(s, who, session_id, "exclude", now))


@sessions_app.command()
def decisions(context: typer.Context, home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """List what you decided about runs, oldest first."""
    from dataclasses import asdict

    from hamload.pipeline.joining import deciding

    settings, runner = _where(context, home, athlete)
    made = deciding.made(settings, runner)
    if as_json:
        print(json.dumps([asdict(m) for m in made], default=str, indent=2))
        return
    console = terminal()
    for m in made:
        console.print(f"{m.entry_id}  {plain(m.sentence)}", highlight=False, soft_wrap=True)
    if not made:
        console.print("You have decided nothing about runs.")


@sessions_app.command()
def undo(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="[DECISION]", help="Its id. Default: the newest.")] = "",
    home: Home = None,
    athlete: AthleteId = "",
) -> None:
    """Take a decision back."""
    from hamload.pipeline.joining import deciding

    now = dt.datetime.now(tz=dt.UTC)
    _decide(context, home, athlete, lambda s, who: deciding.undo(s, who, entry, now), "Taken back")


def _where(context: typer.Context, home: Path | None, athlete: str) -> tuple[Settings, str]:
    """Return home and runner; options named before the subcommand hold for it too."""
    before_home, before_athlete = context.obj or (None, "")
    settings = settings_of(home or before_home)
    return settings, settings.athlete(athlete or before_athlete).id


def _decide(
    context: typer.Context,
    home: Path | None,
    athlete: str,
    decide: Callable[[Settings, str], Made],
    word: str = "Noted",
) -> None:
    from hamload import pipeline

    settings, runner = _where(context, home, athlete)
    with pipeline.exclusive(settings), progress_bars(quiet=False) as progress:
        made = decide(settings, runner)
        _, failures = pipeline.refresh(settings, settings.today(runner), progress)
    back = f" Take it back with: hamload sessions undo {made.entry_id}" if word == "Noted" else ""
    terminal().print(f"{word}: {_told(made, settings)}.{back}", highlight=False, soft_wrap=True)
    problems = [check_failed(f) for f in failures]
    list_problems(problems)
    raise typer.Exit(1 if problems else 0)


def _told(made: Made, settings: Settings) -> str:
    """Say what was decided, and about which runs: an id alone is soon mistyped."""
    if not made.runs:
        return plain(made.sentence)
    runs = [f"{_short(run.title)} of {run.date:%-d %b %Y}, {distance(run.distance_m, settings)}" for run in made.runs]
    return f"{made.what}: {'; '.join(runs)}"


def _short(title: str) -> str:
    from hamload.digest.plain import clean, shorten

    return plain(shorten(clean(title), _TITLE))


def _print_session(row: dict[str, Any], settings: Settings) -> None:
    from hamload.pipeline.showing import recognising

    trust = settings.language().say(recognising.confidence(row["confidence_why"]))
    console = terminal()
    title = _short(row["title"] or row["name"].rsplit("/")[-1])
    console.print(
        f"[bold]{title}[/]  {row['local_date']} ({_DAYS[row['day_source']]}),"
        f" {distance(row['distance_m'], settings)}, {row['moving_time_s'] / 60:.0f} min, {row['load_efm']:.0f} EFM"
        + ("" if row["counts"] else "  [yellow]not counted[/]"),
        highlight=False,
    )
    console.print(
        f"Known: {row['stream_coverage']:.0%} of the running time, heart rate {row['heart_rate_coverage']:.0%},"
        f" altitude {row['altitude_coverage']:.0%}. Confidence {row['confidence']}"
        + (f": {plain(trust)}" if trust else ""),
        highlight=False,
    )
    for why in row["flags_why"]:
        state = f"{row['verdict']} by you" if row["verdict"] else "doubted"
        said = settings.language().say(recognising.doubts(why))
        console.print(f"[yellow]![/] {state}: {plain(said)}", highlight=False)
    console.print(f"[dim]session {row['session_id']}[/]", highlight=False)
    for m in row["members"]:
        gives = ", ".join(m["gives"]) or "nothing: a copy"
        console.print(
            f"  {m['activity_id']}  {m['start_at']:%Y-%m-%d %H:%M:%S} UTC  {plain(m['source'])}"
            f" {plain(m['name'].rsplit('/')[-1])}\n      gives {plain(gives)}; {plain(m['why'])}",
            highlight=False,
            soft_wrap=True,
        )


_TITLE = 60
_DAYS = {
    "recording": "by its own clock",
    "place": "by the place of the run",
    "service": "by the service's word",
    "home": "by your home zone",
}
