"""The command line: one command per step. Parses, calls `pipeline`, prints; decides nothing.

Exit codes: 0 done, 1 done with failures that are listed, 2 unusable arguments or configuration.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.errors import ConfigurationError, HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from hamload.pipeline.putting import Progress
    from hamload.settings import Settings
    from hamload.warehouse import Failure

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
    typer.Option("--home", help="Where hamload keeps everything. Default: HAMLOAD_HOME, else your user-data folder."),
]
AthleteId = Annotated[str, typer.Option("--athlete", help="Which runner, where the home has several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]

_LISTED = 20


def main() -> None:
    """Run the command line; every expected failure becomes a sentence with its remedy, never a traceback."""
    try:
        app()
    except ConfigurationError as error:
        _complain(error)
        sys.exit(2)
    except HamloadError as error:
        _complain(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Folders, FIT/GPX/TCX files (.gz too), or Strava's bulk export (zip or folder)."),
    ],
    home: Home = None,
    athlete: AthleteId = "",
    sport: Annotated[
        str, typer.Option("--sport", help="What recordings that name no sport are: run, treadmill, walk, ride, swim or other.")
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
        str, typer.Option("--through", help="The files are complete up to this day (YYYY-MM-DD): the days after the last run were rest.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Read recordings from files. The same file again changes nothing.

    Examples:  hamload import ~/Downloads/export_1234.zip  |  hamload import ~/Garmin/Activities --through 2026-11-24
    """
    from hamload import pipeline  # noqa: PLC0415

    settings = _settings(home)
    runner = settings.athlete(athlete).id
    _one_of("--sport", sport, ("", "run", "treadmill", "walk", "ride", "swim", "strength", "other"))
    _one_of("--gaps", gaps, ("", "rest", "unknown"))
    now = dt.datetime.now(tz=dt.UTC)
    with pipeline.exclusive(settings), _progress(as_json) as progress:
        put = pipeline.put_files(
            settings,
            [path.expanduser() for path in paths],
            runner,
            now,
            sport=sport,
            gaps=gaps or None,  # type: ignore[arg-type]  # checked above
            through=_day("--through", through),
            progress=progress,
        )
        decoded, failures = pipeline.refresh(settings, settings.today(runner), progress)
    _tell_import(settings, runner, put.offered, put.new, put.known, decoded, failures, as_json=as_json)


@app.command()
def sync(home: Home = None, as_json: AsJson = False) -> None:
    """Run tonight's steps now: read every source, bring the tables up to date, write the digests."""
    from hamload import pipeline  # noqa: PLC0415

    settings = _settings(home)
    if not settings.folders and not (settings.home / "raw").is_dir():
        raise ConfigurationError(
            "There is nothing to sync: no source is set up.",
            f"Add [[folders]] to {settings.home / 'config.toml'}, or run: hamload import PATH.",
        )
    with pipeline.exclusive(settings), _progress(as_json) as progress:
        night = pipeline.night(settings, dt.datetime.now(tz=dt.UTC), progress=progress)
    problems = [*night.failed_sources, *(_failure(f) for f in night.failed_checks)]
    if as_json:
        print(json.dumps({"decoded": night.decoded, "digests": [str(d.text_path) for d in night.digests], "problems": problems}))
    else:
        console = _console()
        console.print(f"{night.decoded} new documents.")
        for entry in night.digests:
            console.print(f"[bold]{_plain(entry.subject)}[/]\n  {entry.text_path}", highlight=False)
        _list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def status(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Show today's state, the week in numbers, what is unknown, and how each source is."""
    from hamload.pipeline import telling  # noqa: PLC0415

    settings = _settings(home)
    overview = telling.status(settings, settings.athlete(athlete).id)
    if as_json:
        print(json.dumps(overview, default=str, indent=2))
        return
    _print_status(overview)


@app.command()
def sessions(
    home: Home = None,
    athlete: AthleteId = "",
    last: Annotated[int, typer.Option("--last", min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs with their load, parts and labels; copies of one run are counted beside it."""
    from hamload.pipeline import telling  # noqa: PLC0415

    settings = _settings(home)
    rows = telling.sessions(settings, settings.athlete(athlete).id, last)
    if as_json:
        print(json.dumps(rows, default=str, indent=2))
        return
    _print_sessions(rows)


@app.command()
def digest(
    home: Home = None,
    athlete: AthleteId = "",
    preview: Annotated[bool, typer.Option("--preview", help="Print it instead of writing it.")] = False,
) -> None:
    """Write the digest, as text and HTML, to the home's outbox."""
    from hamload import pipeline  # noqa: PLC0415

    settings = _settings(home)
    if preview:
        print(pipeline.digest_text(settings, athlete))
        return
    entry = pipeline.digest(settings, athlete)
    _console().print(f"{_plain(entry.subject)}\n  {entry.text_path}\n  {entry.html_path}", highlight=False, soft_wrap=True)


@app.command()
def rebuild(home: Home = None) -> None:
    """Throw away everything derived and build it anew from the raw documents."""
    from hamload import pipeline  # noqa: PLC0415

    settings = _settings(home)
    with pipeline.exclusive(settings), _progress(quiet=False) as progress:
        decoded, failures = pipeline.rebuild(settings, progress=progress)
    problems = [_failure(f) for f in failures]
    _console().print(f"Rebuilt from {decoded} documents (model {settings.model.version}).")
    _list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def demo(
    home: Annotated[Path, typer.Option("--home", help="Where the demo's own home goes.")] = Path(".demo"),
) -> None:
    """Run a whole night on a year of a simulated runner, and show the digest it ends with."""
    from hamload import demonstration  # noqa: PLC0415

    console = _console()
    shown = demonstration.run(home.absolute(), lambda line: console.print(line, highlight=False, soft_wrap=True))
    print(shown.digest_text)
    console.print("\n[bold]Where things lie[/]", highlight=False)
    for name, path in shown.places:
        console.print(f"  {name:<22}{path}", highlight=False, soft_wrap=True)
    console.print(f"\nLook further: hamload status --home {home}   hamload sessions --home {home}", highlight=False)


def _settings(home: Path | None) -> Settings:
    from hamload import settings  # noqa: PLC0415

    return settings.load(home)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=stderr)


def _complain(error: HamloadError) -> None:
    console = _console(stderr=True)
    console.print(f"[bold red]hamload:[/] {_plain(error.what)}", highlight=False, soft_wrap=True)
    if error.remedy:
        console.print(f"         {_plain(error.remedy)}", highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Make names from outside harmless: no markup, no control characters."""
    from rich.markup import escape  # noqa: PLC0415

    return escape("".join(c if c.isprintable() else " " for c in text))


def _one_of(option: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{option} {value}: no such choice.", f"Choose one of: {', '.join(filter(None, allowed))}.")


def _day(option: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text}: this is no date.", "Write it as YYYY-MM-DD.") from None


def _failure(failure: Failure) -> str:
    return f"The check {failure.check} failed on {failure.rows} rows: {failure.why} Run: hamload rebuild."


def _list_problems(problems: Sequence[str]) -> None:
    console = _console(stderr=True)
    for problem in problems[:_LISTED]:
        console.print(f"[yellow]![/] {_plain(problem)}", highlight=False, soft_wrap=True)
    if len(problems) > _LISTED:
        console.print(f"  and {len(problems) - _LISTED} more: table marts.unreadable", highlight=False)
