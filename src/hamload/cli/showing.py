"""Commands that only look: status, digest; and how runs are listed."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hamload.cli.app import AsJson, AthleteId, Home, On, app
from hamload.cli.printing import day, list_problems, plain, settings_of, terminal
from hamload.language import NBSP, opening, text, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.digest.facts import DigestFacts
    from hamload.language import Language
    from hamload.records import Reason
    from hamload.settings import Settings


#: With no run for so long, the week and the month that a status shows are empty.
_OLD_DAYS = 28


@app.command()
def status(home: Home = None, athlete: AthleteId = "", on: On = "", as_json: AsJson = False) -> None:
    """Show today's state, the week in numbers, what is unknown, how each source is, and what has not been sent.

    For a monitor: --json, field "monitor". Its fields are described under Monitoring in the documentation.

    Examples:  hamload status  |  hamload status --on 2026-11-20  |  hamload status --json | jq .monitor.is_ok
    """
    from hamload import pipeline

    settings = settings_of(home)
    facts = pipeline.overview(settings, athlete, day("--on", on))
    if as_json:
        from dataclasses import asdict

        outbox = [asdict(message) for message in pipeline.undelivered(settings, athlete)]
        monitor = pipeline.monitor(settings, athlete, dt.datetime.now(tz=dt.UTC))
        told = {"home": settings.home, "monitor": monitor, **asdict(facts), "outbox": outbox}
        print(json.dumps(told, default=str, indent=2))
        return
    print_status(facts, settings, is_now=not on)


@app.command()
def digest(
    home: Home = None,
    athlete: AthleteId = "",
    preview: Annotated[bool, typer.Option("--preview", help="Print it instead of writing it.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send it to the runner now, and what else waits.")] = False,
    on: On = "",
) -> None:
    """Write the digest, as text and HTML, to the home's outbox; it is mailed weekly, and when the state worsens.

    Examples:  hamload digest --preview  |  hamload digest --send  |  hamload digest --on 2026-11-20
    """
    from hamload import pipeline

    settings = settings_of(home)
    if send:
        _send_digest(settings, athlete)
    if preview or on:
        print(pipeline.digest_text(settings, athlete, day("--on", on)))
        return
    entry = pipeline.digest(settings, athlete)
    lines = (plain(entry.subject), f"  {entry.text_path}", f"  {entry.html_path}")
    terminal().print("\n".join(lines), highlight=False, soft_wrap=True)


def _send_digest(settings: Settings, athlete: str) -> None:
    from hamload import pipeline

    console, say = terminal(), settings.language().text
    is_new = pipeline.tell_state(settings, athlete, dt.datetime.now(tz=dt.UTC), at_once=True)
    problems = pipeline.deliver(settings, dt.datetime.now(tz=dt.UTC))
    waiting = pipeline.undelivered_words(settings, athlete)
    if not is_new:
        console.print(say("Today's digest has been asked for already; it is sent once."), highlight=False)
    elif not waiting:
        console.print(say("Sent."), highlight=False)
    list_problems(list(dict.fromkeys([*problems, *waiting])))
    raise typer.Exit(1 if problems or waiting else 0)


def print_status(facts: DigestFacts, settings: Settings, *, is_now: bool) -> None:
    """Print a runner's state, week, unknowns and sources."""
    from hamload import pipeline
    from hamload.cli import drawing

    console, language = terminal(), facts.language
    say = language.text
    print_outdated(facts)
    if is_now and (told := looking_back(facts, settings)):
        console.print(f"[bold yellow]{plain(told)}[/]", highlight=False)
    simulated = f"  [reverse] {say('simulated')} [/]" if facts.is_simulated else ""
    day = language.day(facts.as_of).replace(NBSP, " ")
    console.print(f"[bold]{plain(facts.athlete_name)}[/], {day}{simulated}", highlight=False)
    badge = drawing.badge(console, facts.alert.state, language)
    console.print(f"{badge}  {plain(language.say(facts.headline))}", highlight=False)
    console.print(drawing.bullets([("  -", _reason(reason, facts)) for reason in facts.alert.reasons]))
    loads = pipeline.daily_loads(settings, facts.alert.athlete_id, facts.as_of, drawing.days_that_fit(console))
    console.print(f"\n{drawing.days_line(console, loads, language)}", highlight=False)
    console.print(drawing.week_table(console, facts))
    if facts.plan:
        console.print()
        console.print(drawing.plan_table(facts))
    if facts.next_7:
        console.print()
    console.print(drawing.bullets([("  >", plain(language.say(line))) for line in facts.next_7]))
    notes = [("[yellow]?[/]", plain(language.say(sentence))) for sentence in facts.unknowns]
    notes += [("[dim]i[/]", plain(language.say(sentence))) for sentence in facts.remarks]
    for source in facts.sources:
        newest = language.day(source.newest_activity_date, facts.today, say("nothing")).replace(NBSP, " ")
        is_old = _is_old(source.newest_activity_date, facts)
        if is_old:
            newest = language.ago(source.newest_activity_date, facts.today).replace(NBSP, " ")
        well = say("no error reported") if is_old else say("ok")
        wrong = f"[red]{plain(source.wrong)}[/] {plain(source.remedy)}" if source.wrong else well
        wrong += f". [yellow]{plain(source.note)}[/]" if source.note else ""
        mark = "[red]![/]" if source.wrong else "[yellow]?[/]" if is_old else "[green]+[/]"
        notes.append((mark, f"[bold]{plain(source.source)}[/]: {say('newest {day}', day=newest)}, {wrong}"))
    if is_now:
        notes += [
            ("[yellow]@[/]", plain(line)) for line in pipeline.undelivered_words(settings, facts.alert.athlete_id)
        ]
    console.print(drawing.bullets(notes))
    console.print(f"[dim]{settings.home}[/]", highlight=False, soft_wrap=True)


def looking_back(facts: DigestFacts, settings: Settings) -> str:
    """Return where to look for anything, where the newest run is so old that the day itself has nothing to show."""
    from hamload import pipeline

    newest = pipeline.sessions(settings, facts.alert.athlete_id, 1)
    if not newest or not _is_old(newest[0]["local_date"], facts):
        return ""
    return facts.language.text(
        "Your newest recording is of {date:date}. To look back: hamload digest --on {on}",
        date=newest[0]["local_date"],
        on=str(newest[0]["local_date"]),
    )


def _is_old(newest: dt.date | None, facts: DigestFacts) -> bool:
    return newest is not None and (facts.today - newest).days > _OLD_DAYS


def print_outdated(facts: DigestFacts) -> None:
    """Say it where hamload has not looked for days."""
    if facts.outdated:
        terminal().print(f"[bold yellow]{plain(facts.language.say(facts.outdated))}[/]", highlight=False)


def _reason(reason: Reason, facts: DigestFacts) -> str:
    """Return a reason; one of another state than the day's is marked with it."""
    said = plain(facts.language.say(reason.sentence))
    if reason.state is facts.alert.state:
        return said
    return f"[bold]{facts.language.say(opening(reason.state.value))}:[/] {said}"


def print_sessions(rows: Sequence[dict[str, Any]], language: Language) -> None:
    """Print runs as a table, as many of its columns as the window is wide: what is shown is shown whole."""
    from rich.table import Table

    from hamload.digest.plain import width

    console = terminal()
    listed = [_session_cells(row, language) for row in rows]
    columns = {
        name: max([width(_heading(name, language)), *(width(cells[name]) for cells in listed)]) for name in _COLUMNS
    }
    gap = 2 if console.width >= _WIDE else 1
    dropped: set[str] = set()
    for some in ((), *_DROPPED_FIRST):
        dropped.update(some)
        kept = {name: columns[name] for name in columns if name not in dropped}
        room = console.width - sum(columns for name, columns in kept.items() if name != "Run") - gap * (len(kept) - 1)
        if room >= min(kept["Run"], _LEAST_TITLE):
            break
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for name in kept:
        is_text = name in _TEXTS
        table.add_column(_heading(name, language), justify="left" if is_text else "right", no_wrap=True)
    for row, cells in zip(rows, listed, strict=True):
        cells["Run"] = _title(row, min(room, _TITLE))
        table.add_row(*(plain(cells[name]) for name in kept))
    console.print(table)
    if "base" in dropped:
        console.print(
            language.text("A wider window shows each run's four parts; hill? means that hills are not known."),
            style="dim",
        )


_COLUMNS = ("Day", "Run", "km", "min", "EFM", "hill", "speed", "long", "base", "Labels", "Spike", "Confidence", "ID")
_TEXTS = frozenset({"Day", "Run", "Labels", "Confidence", "ID"})
#: What a narrow window leaves out, one after the other, until a title has this many columns.
_DROPPED_FIRST = (("Confidence",), ("hill", "speed", "long", "base"), ("Spike",), ("ID",), ("Labels",))
_WIDE, _LEAST_TITLE, _TITLE = 110, 12, 24


def _heading(name: str, language: Language) -> str:
    """Return a column's heading; that of distances is their unit."""
    if name == "km":
        return language.distance_unit
    return language.say(_HEADINGS.get(name, name))


_HEADINGS = {
    "Day": text("Day"),
    "Run": text("Run"),
    "hill": text("hill"),
    "speed": text("speed"),
    "long": text("long"),
    "base": text("base"),
    "Labels": text("Labels"),
    "Spike": text("Spike"),
    "Confidence": text("Confidence"),
}


def _title(row: dict[str, Any], columns: int) -> str:
    """Return a run's title within so many columns, its copies and doubts uncut behind it."""
    from hamload.digest.plain import clean, shorten

    copies = f" +{row['copies']}" if row["copies"] else ""
    behind = copies + (" !" if row["flags"] and not row["verdict"] else "")
    return shorten(clean(row["title"] or row["name"].rsplit("/")[-1]), max(columns - len(behind), 1)) + behind


def _session_cells(row: dict[str, Any], language: Language) -> dict[str, str]:
    spikes = [s for s in (row["spike_distance"], row["spike_load"]) if s is not None]
    kinds = ("hill", "speed", "long", "heavy")
    known = [language.say(word(name)) for name in kinds if row[f"is_{name}"]]
    unknown = [f"{language.say(word(name))}?" for name in kinds if row[f"is_{name}"] is None]
    parts = {
        name: "?" if name != "base" and row[f"is_{name}"] is None else f"{row[f'load_{name}_efm']:.0f}"
        for name in ("hill", "speed", "long", "base")
    }
    return {
        "ID": row["session_id"][:6],
        "Day": str(row["local_date"]),
        "Run": _title(row, _TITLE),
        "km": language.distance(row["distance_m"], "-").partition(NBSP)[0],
        "min": f"{row['moving_time_s'] / 60:.0f}",
        "EFM": f"{row['load_efm']:.0f}",
        **parts,
        "Labels": " ".join(known + unknown) or "-",
        "Spike": language.number(max(spikes), 2) if spikes else "-",
        "Confidence": language.say(word(row["confidence"])),
    }
