"""Commands that look ahead: plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import plain, settings_of, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from hamload.pipeline.backtesting import Backtested
    from hamload.pipeline.planning import Outlook, WhatIf


@app.command()
def plan(
    add: Annotated[
        list[str] | None,
        typer.Option("--add", help='A run you think of: "sun long 100min", "tomorrow hill 60min 11km". Repeatable.'),
    ] = None,
    off: Annotated[list[str] | None, typer.Option("--off", help="A day you cannot run: tue. Repeatable.")] = None,
    race: Annotated[str, typer.Option("--race", help="The day of a race (YYYY-MM-DD).")] = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Show the coming week: in a deload its budget day by day, else the room there is; and what planned runs would do.

    Examples:  hamload plan --off tue --off thu  |  hamload plan --add "sun long 100min" --race 2026-12-06
    """
    from hamload.pipeline import planning

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    today = settings.today(runner)
    wishes = planning.Wishes(
        off=frozenset(planning.coming_day(text, today, "--off") for text in off or ()),
        race=planning.coming_day(race, today, "--race") if race else None,
    )
    runs = [planning.planned_run(text, today) for text in add or ()]
    found = planning.outlook(settings, runner, today, wishes, runs)
    if as_json:
        from dataclasses import asdict

        print(json.dumps(asdict(found), default=str, indent=2))
        return
    _print(found)


@app.command()
def backtest(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Hold the rules against your own tightness entries: hits, false alarms, lead time, and chance's share in them."""
    from hamload.pipeline import backtesting

    found = backtesting.backtest(settings_of(home), athlete)
    if as_json:
        from dataclasses import asdict

        print(json.dumps(asdict(found), default=str, indent=2))
        return
    _print_backtest(found)


def _print_backtest(found: Backtested) -> None:
    from rich.table import Table

    console = terminal()
    for sentence in found.sentences:
        console.print(plain(sentence), highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in (
        "Rule",
        "State",
        "Fired",
        "Per 4 weeks",
        "Hits",
        "False alarms",
        "Unseen",
        "Caught",
        "Lead, days",
    ):
        table.add_column(name, justify="left" if name in {"Rule", "State"} else "right")
    for row in found.rules:
        table.add_row(
            row.rule.replace("_", " "),
            row.state.value,
            str(row.fired),
            "-" if row.per_28_days is None else f"{row.per_28_days:.1f}",
            str(row.hits),
            str(row.false_alarms),
            str(row.unseen),
            f"{row.caught} of {len(found.flares)}",
            "-" if row.lead_days is None else f"{row.lead_days:.0f}",
        )
    console.print(table)
    console.print("Unseen: nothing was logged in the two weeks after it. Caught: flares that began within them.")
    for null in found.nulls if found.is_enough else ():
        console.print(
            f"{null.rule.replace('_', ' ')}, threshold alone: caught {null.caught} of {len(found.flares)} flares; with"
            f" shuffled chronic load {null.shuffled_median:.0f} ({null.shuffled_low:.0f}-{null.shuffled_high:.0f}), as"
            f" good or better in {100 * null.share_as_good:.0f} % of the shuffles.",
            highlight=False,
        )


def _print(found: Outlook) -> None:
    console = terminal()
    console.print(f"[bold]{found.state.value.upper()}[/]  {plain(found.headline)}", highlight=False)
    if found.plan is not None and not found.is_withheld:
        _print_days(console, found)
    for sentence in found.sentences:
        mark = "[bold red]![/]" if found.is_withheld else "-"
        console.print(f"{mark} {plain(sentence)}", highlight=False)
    for answer in found.what_if:
        _print_answer(console, answer)
    if found.what_if:
        console.print("[dim]Days without a run here count as the plan has them, else as usual for their weekday.[/]")


def _print_days(console: Console, found: Outlook) -> None:
    from rich.table import Table

    assert found.plan is not None  # noqa: S101  # the caller looked
    swaps = {swap.date: swap for swap in found.swaps}
    table = Table(box=None, pad_edge=False)
    for name in ("Day", "EFM", "Kind", "Instead of"):
        table.add_column(name, justify="right" if name == "EFM" else "left")
    for day in found.plan.days:
        kind = "rest" if not day.limit_efm else "easy, flat" if day.is_quiet or swaps else "as you like"
        swap = swaps.get(day.date)
        table.add_row(
            f"{day.date:%a %-d %b}",
            str(day.limit_efm) if day.limit_efm else "-",
            kind,
            f"{swap.usual}: {swap.instead}" if swap else "",
        )
    table.add_row("In all", str(found.plan.total_efm), "at most; 1 EFM = one easy flat minute", "")
    console.print(table)


def _print_answer(console: Console, answer: WhatIf) -> None:
    run = answer.estimate.run
    console.print(f"\n[bold]{run.date:%a %-d %b}, {run.kind}, {run.minutes:.0f} min[/]", highlight=False)
    console.print(
        f"  State that evening: [bold]{answer.state.value}[/] (without it: {answer.state_without.value})."
        f" Uncoupled {_ratio(answer.uncoupled)} ({_ratio(answer.uncoupled_without)}),"
        f" smoothed {_ratio(answer.ewma)} ({_ratio(answer.ewma_without)}).",
        highlight=False,
    )
    for sentence in answer.sentences:
        console.print(f"  - {plain(sentence)}", highlight=False)


def _ratio(value: float | None) -> str:
    return "withheld" if value is None else f"{value:.2f}"
