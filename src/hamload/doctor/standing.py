"""What is to run and has run: accounts and their sign-ins, folders, mail, the schedule, the last night, the outbox."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hamload import post, warehouse
from hamload import settings as configuration
from hamload.doctor import signins
from hamload.doctor.finding import note, ok, wrong
from hamload.errors import HamloadError
from hamload.pipeline.documents import cluster as reading
from hamload.pipeline.setup import trying
from hamload.post import heartbeat as beats

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from hamload.doctor.finding import Finding
    from hamload.settings import Settings

#: The units that `deploy/systemd` ships.
_TIMER = "hamload-night.timer"
_SERVICES = ("hamload-serve.service", _TIMER)
_WATCH = "hamload-watch.timer"


def accounts(settings: Settings, now: dt.datetime, *, online: bool) -> Iterator[Finding]:
    """Look at each account's sign-in; ask the service itself only if `online`."""
    if not settings.accounts and not settings.folders:
        yield note("sources", "The night asks nothing: no account, no folder.", "hamload init")
    for account in settings.accounts:
        name = f"{account.service.command} of {account.athlete}"
        remedy = f"hamload auth {account.service.command} --athlete {account.athlete}"
        try:
            found = signins.sign_in(settings, account, now, name, remedy)
            if online and found.level != "wrong":
                trying.ask_account(settings, account, now)
                found = ok(name, f"{account.service.label} answered") if found.level == "ok" else found
        except HamloadError as error:
            found = wrong(name, error.what, error.remedy.removeprefix("Run: ").strip() or remedy)
        yield found
    for folder in settings.folders:
        path = folder.path.expanduser()
        if path.is_dir():
            yield ok("folder", f"{path} is there")
        else:
            config = settings.home / "config.toml"
            yield wrong("folder", f"The folder {path} is not there.", f"connect it, or mend [[folders]] in {config}")


def mail(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """Look at the mail settings; connect, log in and leave again only if `online`. No mail is sent."""
    told = settings.mail
    if not told.is_configured:
        yield note("mail", "No mail server is set up: digests wait in the home's outbox/.", "add [mail] to config.toml")
        return
    without = [athlete.id for athlete in settings.athletes if not athlete.mail]
    if without:
        yield note("mail", f"No address for {', '.join(without)}.", 'add mail = "..." to [[athletes]] in config.toml')
    if told.username and not configuration.secret("HAMLOAD_SMTP_PASSWORD"):
        says = f"[mail] names the user {told.username}, and there is no password."
        yield wrong("mail", says, "export HAMLOAD_SMTP_PASSWORD_FILE=...")
        return
    if not online:
        yield ok("mail", f"{told.host} is set up; not tried (--online does)")
        return
    try:
        post.try_line(settings)
    except HamloadError as error:
        yield wrong("mail", error.what, error.remedy)
    else:
        yield ok("mail", f"{told.host} took the sign-in; no mail was sent")


def schedule(settings: Settings) -> Iterator[Finding]:
    """Look for whatever runs the night: `hamload serve` on this machine, or a systemd unit; and for what watches it."""
    try:
        with socket.create_connection(("127.0.0.1", settings.schedule.port), timeout=1):
            yield ok("schedule", f"a Prefect server answers on port {settings.schedule.port} of this machine")
            return
    except OSError:
        pass  # nobody listens: look further
    running = list(_units(_SERVICES))
    if running:
        yield ok("schedule", f"{', '.join(f'{unit} ({kind})' for kind, unit in running)} is active")
        # `hamload serve` looks by itself.
        if {unit for _, unit in running} == {_TIMER} and not list(_units((_WATCH,))):
            yield note(
                "watch", "Nothing looks whether the night's timer fires.", f"systemctl --user enable --now {_WATCH}"
            )
    elif not settings.accounts and not settings.folders:
        yield note("schedule", "Nothing runs the night, and the night would ask nothing yet.", "hamload init")
    else:
        yield note(
            "schedule",
            "Neither hamload serve nor a systemd unit of hamload's runs on this machine. Cron, a container or another"
            " Prefect server cannot be seen from here.",
            "hamload serve",
        )


def heartbeat(settings: Settings) -> Iterator[Finding]:
    """Look where nights are told to, where they are. Nothing is sent."""
    try:
        address = beats.address_of(settings)
    except (HamloadError, ValueError) as error:
        yield wrong("heartbeat", f"No night can be told of: {error}.", "mend url in [heartbeat]")
        return
    if address:
        yield ok("heartbeat", f"each night is told to {urlsplit(address).hostname}")


def cluster(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """Look at the cluster that reads recordings, where there is one; ask it only if `online`."""
    address = settings.imports.cluster
    if not address:
        return
    if importlib.util.find_spec("distributed") is None:
        yield wrong(
            "cluster", "Reading on a cluster needs packages that are not installed.", "pip install 'hamload[cluster]'"
        )
    elif not online:
        yield ok("cluster", f"{address} is set up; not tried (--online does)")
    else:
        try:
            slots = reading.slots_of(settings)
        except HamloadError as error:
            yield wrong("cluster", error.what, error.remedy)
            return
        if slots:
            yield ok("cluster", f"{address} reads {slots} recordings at once")
        else:
            yield wrong("cluster", f"{address} answers, and has no worker.", f"dask worker {address}")


def _units(units: Sequence[str]) -> Iterator[tuple[str, str]]:
    program = shutil.which("systemctl")
    if program is None:
        return
    for kind in ("user", "system"):
        for unit in units:
            done = subprocess.run(  # noqa: S603  # these words
                [program, f"--{kind}", "is-active", unit], capture_output=True, text=True, timeout=10, check=False
            )
            if done.stdout.strip() == "active":
                yield kind, unit


def nights(settings: Settings, now: dt.datetime) -> Iterator[Finding]:
    """Look at the last night, and at what failed in it: each source's newest answer, by the published tables."""
    try:
        with warehouse.reader(settings.home) as con:
            rows = warehouse.rows(
                con,
                "select athlete_id, source, is_asked, is_failing, message, remedy, last_asked_at"
                " from marts.source_health order by athlete_id, source",
            )
    except HamloadError:
        return  # `tables` has said so
    asked = [row["last_asked_at"] for row in rows if row["is_asked"] and row["last_asked_at"]]
    if asked:
        last = max(asked)
        hours = (now - last).total_seconds() / 3600
        when = f"The last night was {last.astimezone(configuration.zone_named(settings.time_zone)):%Y-%m-%d %H:%M}"
        if hours > settings.doctor.max_night_age_h:
            yield wrong("last night", f"{when}, {hours / 24:.0f} days ago; the days since are unknown.", "hamload sync")
        else:
            yield ok("last night", f"{when}.")
    elif settings.accounts or settings.folders:
        yield note("last night", "There was none yet.", "hamload sync")
    for row in rows:
        if row["is_failing"]:
            remedy = str(row["remedy"]).removeprefix("Run: ") or "hamload status"
            yield wrong("last night", f"{row['source']} of {row['athlete_id']}: {row['message']}", remedy)


def outbox(settings: Settings) -> Iterator[Finding]:
    """Look at what waits to be sent."""
    try:
        waiting = [
            line
            for athlete in settings.athletes
            for line in post.in_words(settings, post.standing(settings, athlete.id))
        ]
    except HamloadError as error:
        yield wrong("outbox", error.what, error.remedy)
        return
    remedy = "hamload digest --send" if settings.mail.is_configured else "add [mail] to config.toml"
    for line in waiting:
        yield note("outbox", line, remedy)
    if not waiting:
        yield ok("outbox", "nothing waits")
