"""Commands for a runner's accounts at the services: auth, forget."""

from __future__ import annotations

import datetime as dt
import json
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from hamload.cli.app import AsJson, AthleteId, Home, app
from hamload.cli.printing import check_failed, complain, day, list_problems, plain, settings_of, terminal, times
from hamload.errors import ConfigurationError

if TYPE_CHECKING:
    from hamload.sources.tokens import App

auth = typer.Typer(
    no_args_is_help=True,
    help=(
        "Sign in to a service, once; the night then asks it by itself.\n\nGarmin's Personal API is the robust way:"
        " [bold]hamload auth garmin-personal[/]. Strava asks for a paid subscription, and its terms allow little."
    ),
)
app.add_typer(auth, name="auth")

Port = Annotated[
    int,
    typer.Option("--port", min=0, max=65_535, help="The port on this machine to come back to. Default: a free one."),
]


@auth.command("strava")
def auth_strava(
    home: Home = None,
    athlete: AthleteId = "",
    paste: Annotated[
        bool, typer.Option("--paste", help="The browser is on another machine: paste the address it is led to.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page, or only print it.")] = True,
    port: Port = 0,
) -> None:
    """Sign in to Strava in a browser, with an API application of your own.

    The application's number and secret are asked for, or taken from STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (or
    STRAVA_CLIENT_SECRET_FILE). Make one at https://www.strava.com/settings/api, callback domain: localhost
    """
    from hamload.pipeline.setup import accounts

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    app_ = accounts.known_strava_app(settings, runner) or _asked_app()

    def show(address: str) -> None:
        if browser and not paste:
            webbrowser.open(address)
        terminal().print("Allow hamload to read your activities on this page:", highlight=False)
        # Whole and alone on its line, so that it can be copied, or read by a program.
        print(address, flush=True)

    def ask_address() -> str:
        return str(_asked("The address that your browser was led to"))

    hidden = accounts.sign_in_strava(settings, runner, app_, show, ask_address if paste else None, port=port)
    _signed_in("Strava", hidden)


@auth.command("garmin")
def auth_garmin(home: Home = None, athlete: AthleteId = "") -> None:
    """Log in to Garmin Connect, once, with password and code. The night never logs in, it only renews.

    Address and password are asked for, or taken from GARMIN_EMAIL and GARMIN_PASSWORD (or GARMIN_PASSWORD_FILE); they
    are not kept. Garmin blocks logins of programs for days at a time: where it does, hamload says until when not to
    try again. The Personal API is not blocked: hamload auth garmin-personal
    """
    from hamload import settings as configuration
    from hamload.pipeline.setup import accounts

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    email = configuration.secret("GARMIN_EMAIL") or str(_asked("E-mail address at Garmin"))
    password = configuration.secret("GARMIN_PASSWORD") or str(_asked("Password", hide=True))
    terminal().print("Logging in; Garmin wants this to take up to a minute ...", highlight=False)
    accounts.sign_in_garmin(
        settings,
        runner,
        email,
        password,
        lambda: str(_asked("The code that Garmin has sent you")),
        dt.datetime.now(tz=dt.UTC),
    )
    _signed_in("Garmin Connect")


@auth.command("garmin-personal")
def auth_garmin_personal(
    home: Home = None,
    athlete: AthleteId = "",
    expires: Annotated[
        str, typer.Option("--expires", help="The last day on which the key is valid (YYYY-MM-DD), as Connect shows it.")
    ] = "",
) -> None:
    """Keep a key for Garmin's Personal API, made in Garmin Connect under Settings > Personal API.

    The key is asked for, or taken from GARMIN_PERSONAL_API_KEY (or GARMIN_PERSONAL_API_KEY_FILE). It is tried before it
    is kept. With its last day known, hamload warns from two weeks before.
    """
    from hamload import settings as configuration
    from hamload.pipeline.intake.connecting import KEY_VARIABLE
    from hamload.pipeline.setup import accounts
    from hamload.sources.tokens import Key

    settings = settings_of(home)
    runner = settings.athlete(athlete).id
    expires_on = _last_day("--expires", expires, settings.today(runner))
    key = configuration.secret(KEY_VARIABLE) or str(_asked("Personal API key", hide=True))
    if not expires and sys.stdin.isatty():
        expires_on = _asked_last_day(settings.today(runner))
    accounts.sign_in_garmin_personal(settings, runner, Key(key.strip(), expires_on))
    told = "" if expires_on else "Its last day is not known, so that hamload cannot warn before it ends: --expires"
    _signed_in("Garmin's Personal API", told)


@app.command()
def forget(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="strava, garmin, garmin-personal, files, or folder:PATH.")
    ],
    home: Home = None,
    athlete: AthleteId = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything that a source ever gave: documents, tokens, and what was derived from them.

    Example:  hamload forget strava
    """
    from hamload import pipeline
    from hamload.pipeline.setup import accounts

    settings = settings_of(home)
    runner = accounts.named(settings, athlete)
    name = source if source.startswith("folder:") else source.replace("-", "_")
    if not yes and not _is_confirmed(f"Remove everything that {source} ever gave for {runner}, for good?"):
        raise typer.Exit(1)
    now = dt.datetime.now(tz=dt.UTC)
    with pipeline.exclusive(settings):
        removed = accounts.forget(settings, name, runner, now)
        current = settings_of(home)
        _, failures = pipeline.refresh(current, now=now)
    problems = [*removed.left, *(check_failed(f) for f in failures)]
    if as_json:
        told = {"deliveries": removed.ledger.deliveries, "documents": removed.ledger.documents}
        print(json.dumps({**told, "digests": removed.digests, "problems": problems}))
    else:
        terminal().print(
            f"Removed of {plain(source)}: {times(removed.ledger.deliveries, 'delivery', 'deliveries')},"
            f" {times(removed.ledger.documents, 'document')} that nothing else gave too,"
            f" {times(removed.ledger.reports, 'report')}"
            + (", its sign-in" if removed.had_secrets else "")
            + (f", {times(removed.digests, 'file')} in the outbox" if removed.digests else "")
            + ". The tables were built anew from what is left."
            + (" The night asks it no longer." if removed.was_asked else ""),
            highlight=False,
        )
        list_problems(problems)
    raise typer.Exit(1 if problems else 0)


def _asked_app() -> App:
    from hamload.sources.tokens import App

    client_id = str(_asked("Client ID of your Strava API application"))
    if not client_id.strip().isdecimal():
        raise ConfigurationError("The client ID is a number.", "Copy it from https://www.strava.com/settings/api.")
    return App(int(client_id), str(_asked("Client secret", hide=True)).strip())


def _last_day(option: str, told: str, today: dt.date) -> dt.date | None:
    expires_on = day(option, told.strip())
    if expires_on is not None and expires_on < today:
        raise ConfigurationError(f"{option} {told} lies in the past.", "Name the key's last day, or a new key.")
    return expires_on


def _asked_last_day(today: dt.date) -> dt.date | None:
    """Ask for a key's last day until the answer is one: the key that was typed before it is not to be lost."""
    while True:
        answer = str(_asked("Last day on which it is valid (YYYY-MM-DD, empty if unknown)", default=""))
        try:
            return _last_day("The last day", answer, today)
        except ConfigurationError as error:
            complain(error)


def _asked(what: str, *, hide: bool = False, default: str | None = None) -> object:
    """Ask a person. Raises ConfigurationError where nobody is there to answer."""
    try:
        return typer.prompt(what, hide_input=hide, default=default, show_default=False)
    except typer.Abort:
        raise ConfigurationError(
            f"Nobody answered: {what}.", "Run it in a terminal, or give it through the environment (see --help)."
        ) from None


def _is_confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise ConfigurationError("Nobody answered.", "Say --yes to do it without asking.") from None


def _signed_in(service: str, told: str = "") -> None:
    done = f"[bold]Signed in to {service}.[/] The night asks it from now on; to ask it now: hamload sync"
    terminal().print(done, highlight=False)
    if told:
        terminal().print(plain(told), highlight=False)
