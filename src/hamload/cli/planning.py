"""Commands that look ahead: plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import plain, settings_of, terminal
from hamload.language import NBSP, opening, word

if TYPE_CHECKING:
    from rich.console import Console

    from hamload.language import Language
    from hamload.pipeline.counsel.backtesting import Backtested
    from hamload.pipeline.counsel.planning import Outlook, WhatIf


@app.command()
def plan(
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add", help='A run you think of: "sun long 100min", "tomorrow hill 60min 11km" (or 7mi). Repeatable.'
        ),
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
    from hamload.pipeline.counsel import planning

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    today = planning.own_today(settings, runner)
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
    _print(found, settings.language(today))


@app.command()
def backtest(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Hold the rules against your own tightness entries: hits, false alarms, lead time, and chance's share in them."""
    from hamload.pipeline.counsel import backtesting

    settings = settings_of(home)
    found = backtesting.backtest(settings, athlete)
    if as_json:
        from dataclasses import asdict

        print(json.dumps(asdict(found), default=str, indent=2))
        return
    _print_backtest(found, settings.language())


def _print_backtest(found: Backtested, language: Language) -> None:
    from rich.table import Table

    console = terminal()
    for sentence in found.sentences:
        console.print(plain(language.say(sentence)), highlight=False)
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


def _print(found: Outlook, language: Language) -> None:
    console = terminal()
    state = language.say(opening(found.state.value)).upper()
    console.print(f"[bold]{state}[/]  {plain(language.say(found.headline))}", highlight=False)
    if found.plan is not None and not found.is_withheld:
        _print_days(console, found, language)
    for sentence in found.sentences:
        mark = "[bold red]![/]" if found.is_withheld else "-"
        console.print(f"{mark} {plain(language.say(sentence))}", highlight=False)
    for answer in found.what_if:
        _print_answer(console, answer, language)
    if found.what_if:
        told = language.text("Days without a run here count as the plan has them, else as usual for their weekday.")
        console.print(f"[dim]{told}[/]")


def _print_days(console: Console, found: Outlook, language: Language) -> None:
    from rich.table import Table

    from hamload.pipeline.counsel import planning

    assert found.plan is not None  # noqa: S101  # the caller looked
    swaps = {swap.date: swap for swap in found.swaps}
    table = Table(box=None, pad_edge=False)
    say = language.text
    table.add_column(say("Day"), no_wrap=True)
    table.add_column("EFM", justify="right")
    table.add_column(say("What"))
    if swaps:
        table.add_column(say("Instead of"))
    for day in found.plan.days:
        kind = planning.what_on(found, day)
        swap = swaps.get(day.date)
        table.add_row(
            language.day(day.date, language.today).replace(NBSP, " "),
            str(day.limit_efm) if day.limit_efm else "-",
            language.say(kind),
            f"{language.say(word(swap.usual))}: {language.say(swap.instead)}" if swap else "",
        )
    table.add_row(say("In all"), str(found.plan.total_efm), say("at most; 1 EFM = one easy flat minute"))
    console.print(table)


def _print_answer(console: Console, answer: WhatIf, language: Language) -> None:
    run, say = answer.estimate.run, language.text
    day = language.day(run.date, language.today).replace(NBSP, " ")
    console.print(f"\n[bold]{day}, {language.say(word(run.kind))}, {run.minutes:.0f} min[/]", highlight=False)
    console.print(
        "  "
        + say(
            "State that evening: [bold]{state}[/] (without it: {without}). Uncoupled {uncoupled} ({uncoupled_without}),"
            " smoothed {ewma} ({ewma_without}).",
            state=word(answer.state.value),
            without=word(answer.state_without.value),
            uncoupled=_ratio(answer.uncoupled, language),
            uncoupled_without=_ratio(answer.uncoupled_without, language),
            ewma=_ratio(answer.ewma, language),
            ewma_without=_ratio(answer.ewma_without, language),
        ),
        highlight=False,
    )
    for sentence in answer.sentences:
        console.print(f"  - {plain(language.say(sentence))}", highlight=False)


def _ratio(value: float | None, language: Language) -> str:
    return language.number(value, 2, language.text("withheld"))
