"""The init command: from nothing to a first status."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hamload.cli import accounts, showing
from hamload.cli.app import Home, app, path_named
from hamload.cli.printing import check_failed, complain, list_problems, plain, progress_bars, settings_of, terminal
from hamload.errors import ConfigurationError, HamloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hamload.pipeline.setup.founding import Answers
    from hamload.settings import Settings

_KINDS = {
    "1": "recordings or an export that you have: read once, now",
    "2": "a folder that your watch or a sync tool fills: read every night",
    "3": "Garmin's Personal API: a key, the robust way",
    "4": "Garmin Connect: password and code, once",
    "5": "Strava: needs a paid subscription, and its terms allow little",
}
_SERVICES = {"3": "garmin-personal", "4": "garmin", "5": "strava"}
#: Longer ago, an export is an old one rather than its runner rested.
_ASKED_DAYS = 28


@app.command()
def init(
    home: Home = None,
    athlete: Annotated[str, typer.Option("--athlete", help="The runner's short name in tables. Default: me.")] = "",
    name: Annotated[str | None, typer.Option("--name", help="Your name, as messages say it.")] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="The zone of your days, such as Europe/Vienna. Default: the machine's.")
    ] = "",
    easy_pace: Annotated[
        str,
        typer.Option(
            "--easy-pace",
            help="Your easy pace on the flat in min/km, such as 5:40. Never asked: hamload takes it from your first six"
            " weeks; name it only if those were not easy running.",
        ),
    ] = "",
    import_: Annotated[
        list[Path] | None,
        typer.Option(
            "--import", parser=path_named, metavar="PATH", help="Recordings or an export to read now. Again for more."
        ),
    ] = None,
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            "--folder", parser=path_named, metavar="PATH", help="A folder to read every night; again for more."
        ),
    ] = None,
    rest: Annotated[
        bool | None,
        typer.Option(
            "--rest/--no-rest", help="Every run arrives in --folder by itself, so that a day without one is rest."
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", help="Sign in to garmin-personal, garmin or strava, as hamload auth does."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take these options, and what is offered.")] = False,
) -> None:
    """Set hamload up: asks what is needed, tries each source, reads what is there, shows the first status.

    Everything it asks can be given as an option. On a home that is there already it changes nothing unasked.

    Examples:  hamload init  |  hamload init --yes --name Anna --import ~/Downloads/export_1234567.zip
    """
    from hamload import settings
    from hamload.pipeline.setup import founding

    place = settings.home_folder(home)
    is_there = founding.check_place(place)
    console = terminal()
    kept = "This home is kept" if is_there else "hamload will keep everything"
    console.print(f"{kept} in {plain(str(place))}", highlight=False, soft_wrap=True)
    ask = _Asker(yes)
    current = settings_of(place)
    is_known = is_there or not athlete
    runner = current.athlete(athlete) if is_known else settings.AthleteSettings(id=founding.id_of(athlete))
    answers = founding.Answers(
        athlete_id=runner.id,
        name=_name(ask, name, runner.name, is_there),
        time_zone=_zone(ask, time_zone, current, place, is_there),
        easy_speed_mps=_easy_speed(ask, easy_pace, runner.easy_speed_mps),
    )
    sources = _Sources(ask, current, imports=import_ or [], folders=folder or [], services=service or [], rest=rest)
    sources.choose()
    _found(place, answers, sources)
    console.print("[bold]The home works.[/] What follows can be done again at any time.", highlight=False)
    try:
        problems = _bring(place, answers.athlete_id, sources)
        if sources.imports and not is_there:
            _ask_since(ask, place, answers.athlete_id)
    except (KeyboardInterrupt, typer.Abort):
        console.print("\nInterrupted. The home works; what is missing comes with the same command.", highlight=False)
        raise typer.Exit(1) from None
    _show(place, answers.athlete_id, sources)
    list_problems(problems)
    raise typer.Exit(1 if problems else 0)


class _Asker:
    """Asks on the terminal, or takes what is offered where nobody is to be asked."""

    def __init__(self, yes: bool) -> None:
        self.yes = yes

    def word(self, question: str, offered: str) -> str:
        if self.yes:
            return offered
        shown = bool(offered)
        return str(self._answered(lambda: typer.prompt(question, default=offered, show_default=shown), question))

    def whether(self, question: str, *, offered: bool) -> bool:
        if self.yes:
            return offered
        return bool(self._answered(lambda: typer.confirm(question, default=offered), question))

    def until_right[T](self, question: str, offered: str, read: Callable[[str], T]) -> T:
        """Ask until the answer can be used; where nobody is asked, what is offered has to be right."""
        while True:
            # Outside of the try: where nobody answers, asking again would never end.
            answer = self.word(question, offered)
            try:
                return read(answer)
            except ConfigurationError as error:
                if self.yes:
                    raise
                complain(error)

    @staticmethod
    def _answered(ask: Callable[[], object], question: str) -> object:
        try:
            return ask()
        except typer.Abort:
            if sys.stdin.isatty():
                # Ctrl-C: nothing has been written yet.
                terminal().print("\nNothing was changed.", highlight=False)
                raise typer.Exit(1) from None
            raise ConfigurationError(
                f"Nobody answered: {question}.", "Give it as an option, or say --yes (see hamload init --help)."
            ) from None


def _name(ask: _Asker, told: str | None, has: str, is_there: bool) -> str | None:
    if told is None:
        return None if has or is_there else ask.word("Your name, as messages say it", "").strip() or None
    return _changed(ask, "name", has, told)


def _zone(ask: _Asker, told: str, current: Settings, place: Path, is_there: bool) -> str | None:
    from hamload import settings

    source = settings.time_zone_source(place)
    if told:
        settings.zone_named(told)
        return _changed(ask, "time_zone", current.time_zone if source == "config.toml" else "", told)
    if source == "config.toml" or is_there:
        return None
    question = "The time zone of your days"
    return ask.until_right(question, current.time_zone, lambda answer: settings.zone_named(answer.strip()).key)


def _easy_speed(ask: _Asker, told: str, has: float | None) -> float | None:
    from hamload.pipeline.setup import founding

    if not told:
        return None
    speed = founding.speed_of(told)
    is_wanted = has in {None, speed} or ask.whether(f"config.toml says {has} m/s. Take {speed} m/s?", offered=True)
    return speed if is_wanted else None


def _changed(ask: _Asker, key: str, has: str, told: str) -> str | None:
    """Return what was told, None where it is there already, or where the runner keeps what is there."""
    if has in {"", told}:
        return told
    return told if ask.whether(f'config.toml says {key} = "{has}". Change it to "{told}"?', offered=True) else None


class _Sources:
    """What is to be read: chosen and tried before anything is written."""

    def __init__(
        self,
        ask: _Asker,
        current: Settings,
        *,
        imports: list[Path],
        folders: list[Path],
        services: list[str],
        rest: bool | None,
    ) -> None:
        self._ask, self._current, self._rest = ask, current, rest
        self.imports: list[Path] = []
        self.folders: list[tuple[str, bool]] = []
        self.services = [name.replace("_", "-") for name in services]
        for name in self.services:
            if name not in _SERVICES.values():
                there = ", ".join(_SERVICES.values())
                raise ConfigurationError(f"--service {name}: no such service.", f"There are: {there}.")
        for path in imports:
            self._take_import(str(path))
        for path in folders:
            self._take_folder(str(path))

    @property
    def is_unasked(self) -> bool:
        """Whether nobody was there to be asked."""
        return self._ask.yes

    def choose(self) -> None:
        """Ask where runs come from, unless options or an earlier init have said so."""
        is_told = self.imports or self.folders or self.services
        if self._ask.yes or is_told or self._current.folders or self._current.accounts:
            return
        console = terminal()
        console.print("\nWhere do your runs come from? Several numbers, with commas:", highlight=False)
        for number, words in _KINDS.items():
            console.print(f"  [bold]{number}[/]  {words}", highlight=False)
        for kind in self._ask.until_right("Numbers, or nothing for later", "", _kinds):
            if kind == "1":
                self._ask.until_right("Its path", "", self._take_import)
            elif kind == "2":
                self._ask.until_right("Its path", "", self._take_folder)
            else:
                self.services.append(_SERVICES[kind])

    def _take_import(self, path: str) -> None:
        self.imports.append(self._looked(path, may_be_empty=False))

    def _take_folder(self, path: str) -> None:
        found = self._looked(path, may_be_empty=True)
        if not found.is_dir():
            raise ConfigurationError(f"{found} is no folder.", "Name the folder that the recordings arrive in.")
        question = "Does every run arrive there by itself, so that a day without one was rest?"
        known = {str(watched.path.expanduser()): watched.reports_rest for watched in self._current.folders}
        offered = known.get(str(found), False)
        rest = self._ask.whether(question, offered=offered) if self._rest is None else self._rest
        self.folders.append((str(found), rest))

    def _looked(self, path: str, *, may_be_empty: bool) -> Path:
        from hamload.pipeline.setup import founding

        place = Path(path.strip().strip("'\"")).expanduser().absolute()
        looked = founding.look(self._current, place, may_be_empty=may_be_empty)
        told = f"{looked.recordings} recordings; one of them: {looked.example}" if looked.recordings else looked.example
        mark = "[green]+[/]" if looked.recordings else "[yellow]?[/]"
        terminal().print(f"  {mark} {plain(str(place))}: {plain(told)}", highlight=False, soft_wrap=True)
        return place


def _kinds(answer: str) -> list[str]:
    chosen = [word.strip() for word in answer.split(",") if word.strip()]
    for word in chosen:
        if word not in _KINDS:
            raise ConfigurationError(f"{word!r} is none of the numbers.", f"Choose of {', '.join(_KINDS)}.")
    return chosen


def _found(place: Path, answers: Answers, sources: _Sources) -> None:
    from dataclasses import replace

    from hamload.pipeline.setup import founding

    for line in founding.write(place, replace(answers, folders=tuple(sources.folders))):
        terminal().print(f"  config.toml: {plain(line)}", highlight=False, soft_wrap=True)


def _bring(place: Path, athlete_id: str, sources: _Sources) -> list[str]:
    """Sign in, read what is there, and build the tables. Returns what went wrong."""
    from hamload import pipeline

    problems: list[str] = []
    signs_in = {
        "garmin-personal": accounts.auth_garmin_personal,
        "garmin": accounts.auth_garmin,
        "strava": accounts.auth_strava,
    }
    for name in sources.services:
        try:
            signs_in[name](home=place, athlete=athlete_id)
        except HamloadError as error:
            problems.append(f"{name}: {error} It can be done later: hamload auth {name}")
    current = settings_of(place)
    if not (sources.imports or current.folders or current.accounts or (place / "raw").is_dir()):
        return problems
    now = dt.datetime.now(tz=dt.UTC)
    with pipeline.exclusive(current), progress_bars(quiet=not sys.stderr.isatty()) as progress:
        names: frozenset[str] = frozenset()
        if sources.imports:
            names |= pipeline.put_files(current, sources.imports, athlete_id, now, progress=progress).names
        for watched in current.folders:
            try:
                names |= pipeline.put_folder(current, watched, now, progress).names
            except HamloadError as error:
                problems.append(str(error))
        if sources.services:
            fetched, failed = pipeline.fetch(current, now, progress)
            problems += failed
            names |= frozenset().union(*(found.names for found in fetched))
        _, failures = pipeline.refresh(current, current.today(athlete_id), progress, now)
    return [*problems, *pipeline.unreadable(current, athlete_id, names)[0], *map(check_failed, failures)]


def _ask_since(ask: _Asker, place: Path, athlete_id: str) -> None:
    """Ask whether the days since the last recording were rest: unknown, they would withhold every ratio for weeks."""
    from hamload import pipeline

    current = settings_of(place)
    rows = pipeline.sessions(current, athlete_id, 1) if athlete_id in pipeline.known_athletes(current) else []
    yesterday = current.today(athlete_id) - dt.timedelta(days=1)
    if not rows or not 1 <= (yesterday - rows[0]["local_date"]).days <= _ASKED_DAYS:
        return
    last = f"{rows[0]['local_date']:%a %-d %b}"
    if not ask.whether(f"Your last recording is of {last}. Is it true that you have not run since?", offered=False):
        return
    now = dt.datetime.now(tz=dt.UTC)
    with pipeline.exclusive(current):
        pipeline.vouch(current, athlete_id, now, yesterday)
        pipeline.refresh(current, current.today(athlete_id), now=now)


def _show(place: Path, athlete_id: str, sources: _Sources) -> None:
    from hamload import pipeline

    current, console = settings_of(place), terminal()
    if not ((place / "hamload.duckdb").is_file() and athlete_id in pipeline.known_athletes(current)):
        console.print(
            "There is nothing to show yet. Next: [bold]hamload import PATH[/] for recordings that you have, or"
            " [bold]hamload auth garmin-personal[/] for those to come. All well? hamload doctor",
            highlight=False,
        )
        return
    console.print()
    facts = pipeline.overview(current, athlete_id)
    showing.print_status(facts, current, is_now=True)
    is_open = None in pipeline.daily_loads(current, athlete_id, facts.as_of, 1)
    if sources.imports and is_open and not showing.looking_back(facts, current):
        console.print(
            "\nIf you have not run since the last recording, say so: hamload import PATH --through DATE", style="dim"
        )
    night = "hamload serve" if current.accounts or current.folders else "hamload import PATH after your next run"
    console.print(f"\nNext: [bold]hamload digest --preview[/], then {night}. All well? hamload doctor", highlight=False)
