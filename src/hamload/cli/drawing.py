"""Numbers as they look on a terminal: sparklines, tables and the state's badge, plainer where the terminal is plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.language import DASH, NBSP, opening, word
from hamload.records import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from hamload.digest.facts import DigestFacts
    from hamload.language import Language

_BLOCKS = "▁▂▃▄▅▆▇█"
_LETTERS = ".:-=+*#@"
_REST, _UNKNOWN = "·", "?"
_STYLES = {
    State.STOP: "bold white on red",
    State.DELOAD: "bold white on red",
    State.CAUTION: "bold black on yellow",
    State.BUILD: "bold white on blue",
    State.STEADY: "bold white on green",
    State.BASELINE: "bold white on bright_black",
    State.RETURNING: "bold white on magenta",
    State.UNKNOWN: "bold black on white",
}
_WEEKS, _WEEK, _NARROW, _MARGIN = 8, 7, 60, 26


def is_plain(console: Console) -> bool:
    """Return whether only ASCII can be shown."""
    return not (console.encoding or "").lower().startswith("utf")


def days_that_fit(console: Console) -> int:
    """Return how many days of a sparkline fit, whole weeks, at most eight."""
    return max(_WEEK, min(_WEEKS, (console.width - _MARGIN) // _WEEK) * _WEEK)


def sparkline(loads: Sequence[float | None], *, plain: bool) -> str:
    """Return one character a day: a rest day is a dot, an unknown one a question mark, never the other's."""
    marks = _LETTERS if plain else _BLOCKS
    largest = max((load for load in loads if load), default=0.0)
    drawn = []
    for load in loads:
        if load is None:
            drawn.append(_UNKNOWN)
        elif not load:
            drawn.append("_" if plain else _REST)
        else:
            drawn.append(marks[min(int(load / largest * len(marks)), len(marks) - 1)])
    return "".join(drawn)


def badge(console: Console, state: State, language: Language) -> str:
    """Return the state in its colour, or in brackets where there is none."""
    name = language.say(opening(state.value)).upper()
    return f"[{_STYLES[state]}] {name} [/]" if console.color_system else f"[bold]{name}[/]"


def week_table(console: Console, facts: DigestFacts) -> Table:
    """Return the last week beside the usual one, and the ratio."""
    from rich.table import Table

    language, week, usual, total = facts.language, facts.last_7, facts.before_28.per_week, facts.series[0]
    say, unknown = language.text, language.text("unknown")
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    is_narrow = console.width < _NARROW
    names = ["", say("last 7 days"), say("usual week"), *([] if is_narrow else [say("change")])]
    for name in names:
        table.add_column(name, justify="left" if not name else "right", overflow="fold")
    is_whole = week.known_days == week.days

    def row(name: str, now: str, before: str, change: str) -> None:
        cells = (name, now, before, *(() if is_narrow else (change if is_whole else "",)))
        table.add_row(*(cell.replace(NBSP, " ").replace(DASH, "-") for cell in cells))

    row(
        say("load, EFM"),
        language.efm(week.load_efm, missing=unknown),
        language.efm(usual.load_efm, missing=unknown),
        language.change(week.load_efm, usual.load_efm),
    )
    row(
        language.say(word("distance")),
        language.distance(week.distance_m, unknown),
        language.distance(usual.distance_m, unknown),
        language.change(week.distance_m, usual.distance_m),
    )
    if not is_whole:
        row(say("days known"), say("{known} of {days}", known=week.known_days, days=week.days), "", "")
    row(say("acute to chronic"), language.number(total.uncoupled, 2, say("withheld")), "", "")
    if total.uncoupled is None and total.why_withheld:
        table.caption = say("ratio withheld: {why}", why=total.why_withheld)
        table.caption_justify = "left"
    return table


def plan_table(facts: DigestFacts) -> Table:
    """Return the coming days, one a row: what, at most how much, and which curls."""
    from rich.table import Table

    from hamload.digest.render import limit

    language = facts.language
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    has_curls = any(day.curls for day in facts.plan)
    names = [language.text("Day"), language.text("What"), language.text("At most")]
    for name in [*names, *([language.text("Curls")] if has_curls else [])]:
        table.add_column(name, overflow="fold", no_wrap=name == names[0])
    for day in facts.plan:
        cells = [language.day(day.date, facts.today), language.say(day.what), limit(day, language)]
        cells += [language.say(day.curls)] if has_curls else []
        table.add_row(*(cell.replace(NBSP, " ").replace(DASH, "-") for cell in cells))
    return table


def days_line(console: Console, loads: Sequence[float | None], language: Language) -> str:
    """Return the last days as one line."""
    legend = "" if None not in loads else f"  ? {language.text('unknown')}"
    days = language.plural("{n} day", "{n} days", len(loads))
    return f"{days}  {sparkline(loads, plain=is_plain(console))}{legend}"


def bullets(lines: Sequence[tuple[str, str]]) -> Table:
    """Return marked lines, each keeping its indent where it wraps."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for mark, line in lines:
        grid.add_row(mark, line)
    return grid
