"""The command line: one command per step. Parses, calls `pipeline`, prints; decides nothing.

Exit codes: 0 done, 1 done with failures that are listed, 2 unusable arguments or configuration.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.errors import ConfigurationError, HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.progress import TaskID

    from hamload.digest.facts import DigestFacts
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
On = Annotated[str, typer.Option("--on", help="Look back at the state of an earlier day (YYYY-MM-DD).")]
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
        typer.Argument(
            metavar="PATH...", help="Folders, FIT/GPX/TCX files (.gz too), or Strava's bulk export (zip or folder)."
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
    unread, no_activities = pipeline.unreadable(settings, runner, put.names)
    counts = {"offered": put.offered, "new": put.new, "known": put.known, "unreadable": len(unread)}
    problems = unread + [_failure(f) for f in failures]
    if as_json:
        print(json.dumps({**counts, "problems": problems}))
    else:
        console = _console()
        console.print(
            f"{put.offered} offered, [bold]{put.new} new[/], {put.known} known already; {decoded} decoded,"
            f" {len(unread)} could not be counted."
            + (f" {_times(no_activities, 'document')} beside them held no activity." if no_activities else "")
            + (f" {_times(put.passed_over, 'other file')} passed over." if put.passed_over else "")
        )
        others = pipeline.other_sports(settings, runner)
        summary = _import_summary(pipeline.sessions(settings, runner, sys.maxsize), others, is_history=put.is_history)
        for line in summary:
            console.print(line)
        _list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def sync(home: Home = None, as_json: AsJson = False) -> None:
    """Run tonight's steps now: read every source, bring the tables up to date, write the digests."""
    from hamload import pipeline

    settings = _settings(home)
    if not settings.folders and not (settings.home / "raw").is_dir():
        raise ConfigurationError(
            "There is nothing to sync: no source is set up.",
            f"Add [[folders]] to {settings.home / 'config.toml'}, or run: hamload import PATH.",
        )
    with pipeline.exclusive(settings), _progress(as_json) as progress:
        night = pipeline.night(settings, dt.datetime.now(tz=dt.UTC), progress=progress)
    problems = [*night.failed_sources, *night.unreadable, *(_failure(f) for f in night.failed_checks)]
    if as_json:
        digests = [str(told.text_path) for told in night.digests]
        print(json.dumps({"decoded": night.decoded, "digests": digests, "problems": problems}))
    else:
        console = _console()
        console.print(f"{night.decoded} new documents.")
        for entry in night.digests:
            console.print(f"[bold]{_plain(entry.subject)}[/]\n  {entry.text_path}", highlight=False)
        _list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def status(home: Home = None, athlete: AthleteId = "", on: On = "", as_json: AsJson = False) -> None:
    """Show today's state, the week in numbers, what is unknown, and how each source is."""
    from hamload import pipeline

    settings = _settings(home)
    facts = pipeline.overview(settings, athlete, _day("--on", on))
    if as_json:
        from dataclasses import asdict

        print(json.dumps({"home": settings.home, **asdict(facts)}, default=str, indent=2))
        return
    _print_status(facts, settings, is_now=not on)


@app.command()
def sessions(
    home: Home = None,
    athlete: AthleteId = "",
    last: Annotated[int, typer.Option("--last", min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs with their load, parts and labels. +1 is a second recording of the same run, counted once."""
    from hamload import pipeline

    rows = pipeline.sessions(_settings(home), athlete, last)
    if as_json:
        print(json.dumps(rows, default=str, indent=2))
        return
    _print_sessions(rows)


@app.command()
def digest(
    home: Home = None,
    athlete: AthleteId = "",
    preview: Annotated[bool, typer.Option("--preview", help="Print it instead of writing it.")] = False,
    on: On = "",
) -> None:
    """Write the digest, as text and HTML, to the home's outbox."""
    from hamload import pipeline

    settings = _settings(home)
    if preview or on:
        print(pipeline.digest_text(settings, athlete, _day("--on", on)))
        return
    entry = pipeline.digest(settings, athlete)
    lines = (_plain(entry.subject), f"  {entry.text_path}", f"  {entry.html_path}")
    _console().print("\n".join(lines), highlight=False, soft_wrap=True)


@app.command()
def rebuild(home: Home = None) -> None:
    """Throw away everything derived and build it anew from the raw documents."""
    from hamload import pipeline

    settings = _settings(home)
    with pipeline.exclusive(settings), _progress(quiet=False) as progress:
        decoded, failures = pipeline.rebuild(settings, progress=progress)
    unread = [line for a in settings.athletes for line in pipeline.unreadable(settings, a.id)[0]]
    problems = unread + [_failure(f) for f in failures]
    _console().print(f"Rebuilt from {decoded} documents (model {settings.model.version}).")
    _list_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def demo(
    home: Annotated[Path, typer.Option("--home", help="Where the demo's own home goes.")] = Path(".demo"),
) -> None:
    """Run a whole night on a year of a simulated runner, and show the digest it ends with."""
    from hamload import demonstration

    console = _console()
    shown = demonstration.run(home.absolute(), lambda line: console.print(line, highlight=False, soft_wrap=True))
    print(shown.digest_text)
    console.print("\n[bold]Where things lie[/]", highlight=False)
    for name, path in shown.places:
        console.print(f"  {name:<22}{path}", highlight=False, soft_wrap=True)
    program = Path(sys.argv[0]).absolute()
    name = str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else "hamload"
    console.print(f"\nLook further: {name} status --home {home}   {name} sessions --home {home}", highlight=False)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Show a bar with a count, a rate and the time left for each step, on a terminal; nothing for a machine."""
    if quiet:
        yield lambda _step, _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>9}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total, rate="")
            seconds = bars.tasks[tasks[step]].elapsed or 0.0
            rate = f"{done / seconds:,.0f}/s" if seconds > 0 else ""
            bars.update(tasks[step], completed=done, total=total, rate=rate)

        yield show


def _import_summary(rows: Sequence[dict[str, Any]], others: int, *, is_history: bool) -> Iterator[str]:
    if not rows:
        yield "No runs yet."
        return
    copies = sum(row["copies"] for row in rows)
    first, last = rows[-1]["local_date"], rows[0]["local_date"]
    yield (
        f"This home now holds [bold]{_times(len(rows), 'run')}[/] from {first} to {last}"
        + (f"; {_times(copies, 'second recording')} left out" if copies else "")
        + (f"; {_times(others, 'activity', 'activities')} of other sports kept, never counted." if others else ".")
    )
    if is_history:
        yield "Days without a recording in between count as rest. If some are missing instead: --gaps unknown."
    else:
        yield "Days without a recording in between are unknown, not rest. If they were rest: --gaps rest."


def _print_status(facts: DigestFacts, settings: Settings, *, is_now: bool) -> None:
    console = _console()
    days = (settings.today(facts.alert.athlete_id) - facts.as_of).days
    if is_now and days > 1 and not facts.is_simulated:
        console.print(
            f"[bold yellow]hamload last looked {days - 1} days ago.[/] What follows is of"
            f" {facts.as_of:%-d %b %Y}; the days since are unknown. Run: hamload sync, or hamload import PATH.",
            highlight=False,
        )
    simulated = "  [reverse] simulated [/]" if facts.is_simulated else ""
    console.print(f"[bold]{_plain(facts.athlete_name)}[/], {facts.as_of:%a %-d %b %Y}{simulated}", highlight=False)
    console.print(f"[bold]{facts.alert.state.value.upper()}[/]  {_plain(facts.headline)}", highlight=False)
    for reason in facts.alert.reasons:
        console.print(f"  - {_plain(reason.sentence)}", highlight=False)
    week, usual = facts.last_7, facts.before_28.per_week
    console.print(
        f"Last 7 days {_number(week.load_efm)} EFM, {_kilometres(week.distance_m)};"
        f" usual week {_number(usual.load_efm)} EFM, {_kilometres(usual.distance_m)}.",
        highlight=False,
    )
    total = facts.series[0]
    ratio = f"{total.uncoupled:.2f}" if total.uncoupled is not None else f"withheld: {total.why_withheld}"
    console.print(f"Acute to chronic (uncoupled) {ratio}.", highlight=False)
    for line in facts.next_7:
        console.print(f"  > {_plain(line)}", highlight=False)
    for sentence in facts.unknowns:
        console.print(f"[yellow]?[/] {_plain(sentence)}", highlight=False)
    for source in facts.sources:
        newest = source.newest_activity_date or "nothing"
        wrong = f" [red]{_plain(source.wrong)}[/] {_plain(source.remedy)}" if source.wrong else " ok"
        console.print(f"[dim]{_plain(source.source)}[/]: newest {newest},{wrong}", highlight=False)
    console.print(f"[dim]{settings.home}[/]", highlight=False, soft_wrap=True)


def _print_sessions(rows: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    console = _console()
    is_wide = console.width >= _WIDE
    table = Table(box=None, pad_edge=False)
    for name, right, shown in _COLUMNS:
        if is_wide or shown:
            table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = _session_cells(row)
        table.add_row(*(cells[name] for name, _, shown in _COLUMNS if is_wide or shown))
    console.print(table)
    if not is_wide:
        console.print("A wider window shows each run's four parts; hill? means that hills are not known.", style="dim")


_WIDE = 110
#: Heading, whether it is a number, and whether it is shown in a narrow window too.
_COLUMNS = (
    ("Day", False, True),
    ("Run", False, True),
    ("km", True, True),
    ("min", True, True),
    ("EFM", True, True),
    ("hill", True, False),
    ("speed", True, False),
    ("long", True, False),
    ("base", True, False),
    ("Labels", False, True),
    ("Spike", True, True),
    ("Confidence", False, False),
)
_TITLE = 24


def _session_cells(row: dict[str, Any]) -> dict[str, str]:
    spikes = [s for s in (row["spike_distance"], row["spike_load"]) if s is not None]
    title = row["title"] or row["name"].rsplit("/")[-1]
    copies = f" +{row['copies']}" if row["copies"] else ""
    known = [name for name in ("hill", "speed", "long") if row[f"is_{name}"]]
    unknown = [f"{name}?" for name in ("hill", "speed", "long") if row[f"is_{name}"] is None]
    parts = {
        name: "?" if name != "base" and row[f"is_{name}"] is None else f"{row[f'load_{name}_efm']:.0f}"
        for name in ("hill", "speed", "long", "base")
    }
    return {
        "Day": str(row["local_date"]),
        "Run": _plain(title if len(title) <= _TITLE else title[: _TITLE - 1] + "…") + copies,
        "km": "-" if row["distance_m"] is None else f"{row['distance_m'] / 1000:.1f}",
        "min": f"{row['moving_time_s'] / 60:.0f}",
        "EFM": f"{row['load_efm']:.0f}",
        **parts,
        "Labels": " ".join(known + unknown) or "-",
        "Spike": f"{max(spikes):.2f}" if spikes else "-",
        "Confidence": row["confidence"],
    }


def _times(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f}"


def _kilometres(metres: float | None) -> str:
    return "distance unknown" if metres is None else f"{metres / 1000:.1f} km"


def _settings(home: Path | None) -> Settings:
    from hamload import settings

    return settings.load(home)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _complain(error: HamloadError) -> None:
    console = _console(stderr=True)
    console.print(f"[bold red]hamload:[/] {_plain(error.what)}", highlight=False, soft_wrap=True)
    if error.remedy:
        console.print(f"         {_plain(error.remedy)}", highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Make names from outside harmless: no markup, no control characters."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else " " for c in text))


def _one_of(option: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        choices = ", ".join(filter(None, allowed))
        raise ConfigurationError(f"{option} {value}: no such choice.", f"Choose one of: {choices}.")


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
