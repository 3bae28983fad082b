"""How every command prints: names from outside made harmless, problems listed, progress on a terminal."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import TaskID

    from hamload.errors import HamloadError
    from hamload.pipeline.noting.progress import Progress
    from hamload.settings import Settings
    from hamload.warehouse import Failure

_LISTED = 20


def settings_of(home: Path | None) -> Settings:
    """Return the settings of a home. Raises ConfigurationError also where a newer hamload has written it."""
    from hamload import pipeline, settings

    current = settings.load(home)
    pipeline.refuse_newer(current)
    return current


def terminal(*, stderr: bool = False) -> Console:
    """Return the screen, as wide and as colourful as it is."""
    from rich.console import Console

    return Console(stderr=stderr)


def complain(error: HamloadError) -> None:
    """Say what went wrong, and what helps."""
    console = terminal(stderr=True)
    console.print(f"[bold red]hamload:[/] {plain(error.what)}", highlight=False, soft_wrap=True)
    if error.remedy:
        console.print(f"         {plain(error.remedy)}", highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """Make names from outside harmless: no markup, no control characters."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else " " for c in text))


def list_problems(problems: Sequence[str]) -> None:
    """List the first problems, and where the others are."""
    console = terminal(stderr=True)
    for problem in problems[:_LISTED]:
        console.print(f"[yellow]![/] {plain(problem)}", highlight=False, soft_wrap=True)
    if len(problems) > _LISTED:
        console.print(f"  and {len(problems) - _LISTED} more: table marts.unreadable", highlight=False)


def check_failed(failure: Failure) -> str:
    """Say that a check of the tables failed, and why that matters."""
    return f"The check {failure.check} failed on {failure.rows} rows: {failure.why} Run: hamload rebuild."


@contextmanager
def progress_bars(quiet: bool) -> Iterator[Progress]:
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
    with Progress(*columns, console=terminal(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total, rate="")
            seconds = bars.tasks[tasks[step]].elapsed or 0.0
            rate = f"{done / seconds:,.0f}/s" if seconds > 0 else ""
            bars.update(tasks[step], completed=done, total=total, rate=rate)

        yield show


def one_of(option: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse an option that is none of the choices. Raises ConfigurationError."""
    if value not in allowed:
        choices = ", ".join(filter(None, allowed))
        raise ConfigurationError(f"{option} {value}: no such choice.", f"Choose one of: {choices}.")


def day(option: str, text: str) -> dt.date | None:
    """Read a day, None where none was given. Raises ConfigurationError."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text}: this is no date.", "Write it as YYYY-MM-DD.") from None


def times(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def distance(metres: float | None, settings: Settings) -> str:
    """Return a distance in the runner's unit, or that it is not known."""
    from hamload.language import NBSP

    language = settings.language()
    return language.distance(metres, language.text("distance unknown")).replace(NBSP, " ")
