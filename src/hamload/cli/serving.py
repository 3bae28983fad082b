"""The command that keeps the schedule running: serve."""

from __future__ import annotations

import os

from hamload.cli.app import Home, app
from hamload.cli.printing import plain, settings_of, terminal


@app.command()
def serve(home: Home = None) -> None:
    """Run the night every night, and write the week's digest as each week begins, until stopped (Ctrl-C).

    The times are [schedule] in config.toml. A Prefect server of its own shows each run on this machine; where
    PREFECT_API_URL names another one, that one keeps the schedule.
    """
    from hamload import settings
    from hamload.demonstration import load_flow

    current = settings_of(home)
    current.home.mkdir(parents=True, exist_ok=True)
    # An environment that says otherwise (another server, another database) is the user's will.
    for name, value in settings.prefect_environment(current.home).items():
        os.environ.setdefault(name, value)
    console = terminal()
    schedule = current.schedule
    console.print(
        f"Serving {plain(str(current.home))}: the night at [bold]{schedule.nightly}[/], the week's digest at"
        f" [bold]{schedule.weekly}[/], on the clock of {current.time_zone}. Starting Prefect ...",
        highlight=False,
        soft_wrap=True,
    )
    if not (current.accounts or current.folders):
        console.print(
            "[yellow]There is nothing to ask yet.[/] Sign in with hamload auth, or add \\[\\[folders]] to config.toml:"
            " the next night will.",
            highlight=False,
            soft_wrap=True,
        )
    load_flow("serve").run(current.home, load_flow("nightly"))
