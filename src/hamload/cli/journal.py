"""Commands with which the runner tells hamload something: log, and what it shows of that."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.drawing import bullets
from hamload.cli.printing import day, plain, settings_of, terminal
from hamload.cli.showing import print_outdated
from hamload.errors import ConfigurationError, WarehouseError
from hamload.language import NBSP, opening, text
from hamload.records import State

if TYPE_CHECKING:
    from hamload.language import Language
    from hamload.settings import Settings

log_app = typer.Typer(
    help="Tell hamload how it feels and what you did: tightness, curls, soreness, signs. Bare: three questions.",
    invoke_without_command=True,
    rich_markup_mode="rich",
)
app.add_typer(log_app, name="log")

Day = Annotated[
    str, typer.Option("--on", help="The day it speaks of: YYYY-MM-DD, yesterday, or a weekday. Default: today.")
]


@log_app.callback()
def ask(context: typer.Context, home: Home = None, athlete: AthleteId = "") -> None:
    """Ask three questions, where nothing else is asked for and somebody is there to answer."""
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError(
            "hamload log: nothing to log, and no terminal to ask on.", "For instance: hamload log tightness 4."
        )
    from hamload.pipeline.counsel import journaling

    asked = (
        ("tightness", "How tight are your hamstrings today, 0-10?", journaling.tightness),
        ("soreness", "How sore are they, 0-10?", journaling.soreness),
        ("curls", "Curls today? Sets x repetitions, @ effort if you know it (2x8 @8)", journaling.curls_line),
    )
    answers = []
    for kind, question, read in asked:
        content = _answer(question, read)
        if content is not None:
            answers.append((kind, content))
    if not answers:
        terminal().print("Nothing logged.")
        return
    for kind, content in answers:
        _write(kind, content, "", home, athlete, as_json=False, refresh=False)
    _refresh(settings_of(home), as_json=False)


def _answer(question: str, read: Any) -> dict[str, Any] | None:
    while True:
        text = typer.prompt(f"{question} (empty: skip)", default="", show_default=False).strip()
        if not text:
            return None
        try:
            return read(text)  # type: ignore[no-any-return]
        except ConfigurationError as error:
            terminal().print(plain(str(error)), highlight=False)


@log_app.command()
def tightness(
    level: Annotated[str, typer.Argument(help="0 (not at all) to 10.")],
    side: Annotated[str, typer.Option("--side", help="left, right or both.")] = "",
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log how tight the hamstrings are, 0-10.  Example:  hamload log tightness 4 --side left."""
    from hamload.pipeline.counsel import journaling

    _write("tightness", journaling.tightness(level, side), on, home, athlete, as_json=as_json)


@log_app.command()
def soreness(
    level: Annotated[str, typer.Argument(help="0 (none) to 10.")],
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log how sore the hamstrings are, 0-10. One to three days after curls it steers the next dose."""
    from hamload.pipeline.counsel import journaling

    _write("soreness", journaling.soreness(level), on, home, athlete, as_json=as_json)


@log_app.command()
def curls(
    dose: Annotated[str, typer.Argument(help="Sets x repetitions, all of a day in one: 2x8.")],
    rpe: Annotated[str, typer.Option("--rpe", help="How hard the last repetitions were, 1-10.")] = "",
    single_leg: Annotated[bool, typer.Option("--single-leg", help="One leg at a time.")] = False,
    lowering_s: Annotated[int | None, typer.Option("--lowering-s", help="Seconds for lowering away.")] = None,
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log curls that you did, the whole day's in one entry.  Example:  hamload log curls 2x8 --rpe 8."""
    from hamload.pipeline.counsel import journaling

    content = journaling.curls(dose, rpe, lowering_s, is_single_leg=single_leg)
    _write("curls", content, on, home, athlete, as_json=as_json)


@log_app.command()
def massage(on: Day = "", home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Log a massage of the hamstrings."""
    _write("massage", {}, on, home, athlete, as_json=as_json)


@log_app.command("test")
def capacity_test(
    repetitions: Annotated[str, typer.Argument(help="Ball curls in one set, up to an effort of 8/10.")],
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log a capacity test: how many ball curls up to an effort of 8/10, never 10/10."""
    from hamload.pipeline.counsel import journaling

    _write("test", journaling.capacity_test(repetitions), on, home, athlete, as_json=as_json)


@log_app.command()
def flag(
    name: Annotated[str, typer.Argument(help="The sign's name; without one, the list.")] = "",
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log a warning sign: it stops all exercise advice until a clinician has looked at it. Bare: the list."""
    from hamload.pipeline.counsel import journaling

    if not name:
        _print_flags(as_json=as_json)
        return
    _write("flag", journaling.flag(name), on, home, athlete, as_json=as_json)


@log_app.command()
def cleared(
    name: Annotated[str, typer.Argument(help="The sign that a clinician has looked at.")],
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log that a clinician has looked at a warning sign and cleared you."""
    from hamload.pipeline.counsel import journaling

    _write("cleared", journaling.flag(name), on, home, athlete, as_json=as_json)


@log_app.command()
def note(
    text: Annotated[list[str], typer.Argument(help="Anything worth remembering.")],
    on: Day = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Log anything else."""
    from hamload.pipeline.counsel import journaling

    _write("note", journaling.note(" ".join(text)), on, home, athlete, as_json=as_json)


@log_app.command()
def undo(
    entry: Annotated[str, typer.Argument(help="The entry's id, or its beginning; default: the newest entry.")] = "",
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """Take an entry back. It stays in the journal, and counts no longer."""
    from hamload.pipeline.counsel import journaling

    settings = settings_of(home)
    taken = journaling.undo(settings, settings.athlete(athlete).id, entry, dt.datetime.now(tz=dt.UTC))
    if as_json:
        print(json.dumps({"undone": taken.entry_id, "kind": taken.kind, "date": str(taken.date)}))
    else:
        told = f"Taken back: {taken.date} {taken.kind} {journaling.told(taken.kind, taken.content)}"
        terminal().print(plain(told.rstrip()), highlight=False)
    _withdraw(settings, settings.athlete(athlete).id)
    _refresh(settings, as_json=as_json)


@log_app.command("list")
def list_(
    last: Annotated[int, typer.Option("--last", min=1, max=1_000_000, help="How many, newest day first.")] = 30,
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """List what was logged, newest day first."""
    from hamload.pipeline.counsel import journaling

    settings = settings_of(home)
    known = journaling.entries(settings, settings.athlete(athlete).id)
    shown = sorted(known, key=lambda e: (e.date, e.logged_at), reverse=True)[:last]
    if as_json:
        rows = [
            {"entry_id": e.entry_id, "kind": e.kind, "date": e.date, "logged_at": e.logged_at, "content": e.content}
            for e in shown
        ]
        print(json.dumps(rows, default=str, indent=2))
        return
    if not shown:
        terminal().print("Nothing logged yet. For instance: hamload log tightness 4", highlight=False)
        return
    for e in shown:
        line = f"{e.date:%a} {e.date}  {e.kind:<10} {journaling.told(e.kind, e.content):<30} {e.entry_id}"
        terminal().print(plain(line), highlight=False, soft_wrap=True)


alerts_app = typer.Typer(
    help="What hamload told you and why; and taking note of it.", invoke_without_command=True, rich_markup_mode="rich"
)
app.add_typer(alerts_app, name="alerts")


#: More changes of state than a life has.
_EVERY = 1_000_000


@alerts_app.callback()
def alerts(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Every change of state, not only what was told.")] = False,
    on: Annotated[str, typer.Option("--on", help="One day in full: its reasons, runs and evidence.")] = "",
    last: Annotated[int, typer.Option("--last", min=1, max=1_000_000, help="How many, newest first.")] = 20,
    home: Home = None,
    athlete: AthleteId = "",
    as_json: AsJson = False,
) -> None:
    """List where you stand and what was told: which rule, numbers and runs, how strong its ground, what clears it."""
    if context.invoked_subcommand is not None:
        return
    from hamload import pipeline

    settings = settings_of(home)
    rows, left_out = _alert_rows(settings, athlete, every=every, on=day("--on", on), last=last)
    if as_json:
        print(json.dumps(rows, default=str, indent=2))
        return
    console = terminal()
    language = settings.language()
    if not rows:
        console.print(language.text("Nothing has been told yet."), highlight=False)
    elif not on:
        print_outdated(pipeline.overview(settings, athlete))
    for row in rows:
        marks = [
            language.say(mark)
            for mark, holds in (
                (text("told"), row["is_new"]),
                (text("continues"), row["is_continuation"]),
                (text("held"), row["held"]),
                (text("acknowledged"), row["is_acknowledged"]),
            )
            if holds
        ]
        date = language.day(row["date"]).replace(NBSP, " ")
        state = language.say(opening(row["state"])).upper()
        console.print(f"[bold]{date}  {state}[/]  {', '.join(marks)}", highlight=False)
        lines = [("", plain(language.say(row["headline"])))]
        for reason in row["reasons"]:
            lines += [("-", plain(language.say(reason["sentence"]))), ("", _ground(reason, language))]
            lines += [("", f"[dim]{plain(language.say(cause['sentence']))}[/]") for cause in reason["causes"]]
        if row["clears_when"]:
            lines.append(("", plain(language.say(row["clears_when"]))))
        console.print(bullets(lines))
    if left_out:
        told = language.plural(
            "{n} more change of state in between: hamload alerts --all",
            "{n} more changes of state in between: hamload alerts --all",
            left_out,
        )
        console.print(f"[dim]{told}[/]", highlight=False)


def _alert_rows(
    settings: Settings, athlete: str, *, every: bool, on: dt.date | None, last: int
) -> tuple[list[dict[str, Any]], int]:
    """Return what is to be listed, newest first, and how many changes of state lie unlisted in between.

    A deload and a stop are listed always, also those that continue an older one and were therefore not told anew.
    """
    from hamload import pipeline

    if every or on:
        return pipeline.alert_history(settings, athlete, every=every, on=on, last=last), 0
    changes = pipeline.alert_history(settings, athlete, every=True, last=_EVERY)
    listed = [
        place
        for place, row in enumerate(changes)
        if place == 0 or row["is_new"] or row["state"] in {State.STOP, State.DELOAD}
    ][:last]
    between = listed[-1] + 1 - len(listed) if listed else 0
    return [changes[place] for place in listed], between


def _ground(reason: dict[str, Any], language: Language) -> str:
    """Return a reason's number against its threshold, and how strong its ground is."""
    from hamload.digest.render import measured

    number = measured(reason["rule"], reason["value"], reason["threshold"], language)
    evidence = language.say(reason["evidence"])
    said = f"{number} ({evidence})" if number and evidence else number or evidence
    return f"[dim]{plain(said)}[/]"


@alerts_app.command()
def ack(home: Home = None, athlete: AthleteId = "", as_json: AsJson = False) -> None:
    """Take note of the newest state: it is told again only when it worsens. It stays shown, and holds as before."""
    from hamload import pipeline
    from hamload.pipeline.counsel import journaling

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    newest = pipeline.overview(settings, runner).alert
    content = {"state": newest.state.value}
    done = journaling.log(settings, runner, "ack", newest.date, content, dt.datetime.now(tz=dt.UTC))
    if as_json:
        print(json.dumps({"entry_id": done.entry_id, "is_new": done.is_new, "date": str(newest.date), **content}))
    else:
        terminal().print(
            f"Taken note of: {newest.state.value} of {newest.date}. It is told again when it worsens.", highlight=False
        )
    if done.is_new:
        _refresh(settings, as_json=as_json)


def _print_flags(*, as_json: bool) -> None:
    from dataclasses import asdict

    from hamload.pipeline.counsel import journaling

    if as_json:
        print(json.dumps([asdict(flag) for flag in journaling.FLAGS.values()], indent=2))
        return
    console = terminal()
    console.print("Warning signs. Log one with: hamload log flag NAME", highlight=False)
    for sign in journaling.FLAGS.values():
        urgent = "  [bold red]get help now[/]" if sign.is_urgent else ""
        console.print(f"  {sign.name:<26}{sign.meaning}{urgent}", highlight=False, soft_wrap=True)


def _write(
    kind: str,
    content: dict[str, Any],
    on: str,
    home: Path | None,
    athlete: str,
    *,
    as_json: bool,
    refresh: bool = True,
) -> None:
    from hamload.pipeline.counsel import journaling

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    date = journaling.day(on, settings.today(runner))
    done = journaling.log(settings, runner, kind, date, content, dt.datetime.now(tz=dt.UTC))
    if as_json:
        print(
            json.dumps(
                {
                    "entry_id": done.entry_id,
                    "is_new": done.is_new,
                    "kind": kind,
                    "date": str(date),
                    "content": content,
                    "advice": done.advice,
                }
            )
        )
    else:
        console = terminal()
        lead = "Logged" if done.is_new else "Known already"
        said = f"{lead}: {date:%a} {date}, {kind} {journaling.told(kind, content)}".rstrip()
        console.print(plain(said), highlight=False, soft_wrap=True)
        for line in done.advice:
            console.print(f"[bold red]![/] {plain(line)}", highlight=False, soft_wrap=True)
    if done.advice:
        _withdraw(settings, runner)
    if refresh and done.is_new:
        _refresh(settings, as_json=as_json)
    if done.advice:
        _recall_curls(settings, runner)


def _withdraw(settings: Settings, runner: str) -> None:
    """Take back what was advised before a warning sign, also while another run holds the home."""
    from hamload import pipeline

    for line in pipeline.withdraw(settings, runner, dt.datetime.now(tz=dt.UTC)):
        terminal(stderr=True).print(plain(line), highlight=False, soft_wrap=True)


def _recall_curls(settings: Settings, runner: str) -> None:
    """Take the curls off the watch too. Last, for the network may be slow."""
    from hamload import pipeline

    for line in pipeline.recall_curls(settings, runner, dt.datetime.now(tz=dt.UTC)):
        terminal(stderr=True).print(plain(line), highlight=False, soft_wrap=True)


def _refresh(settings: Settings, *, as_json: bool) -> None:
    """Bring the tables up to date with what was said; where another run holds the home, that is left to it."""
    from hamload import pipeline
    from hamload.warehouse import PUBLISHED

    if not (settings.home / PUBLISHED).exists():
        return
    try:
        with pipeline.exclusive(settings):
            pipeline.refresh(settings)
    except WarehouseError as error:
        if as_json:
            print(f"hamload: {error}", file=sys.stderr)
        else:
            terminal(stderr=True).print(
                f"It is kept. The tables follow with the next run: {plain(str(error))}", highlight=False, soft_wrap=True
            )
