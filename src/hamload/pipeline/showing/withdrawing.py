"""Takes back the advice that lies about once a red flag is open: calendar, mail that waits, digests and the report.

Needs no build, and so works while another run holds the home.
"""

from __future__ import annotations

import datetime as dt
import re
from html import escape
from typing import TYPE_CHECKING

from hamload import post, warehouse
from hamload.advice import stop_advice
from hamload.digest import outbox
from hamload.errors import HamloadError
from hamload.language import opening
from hamload.pipeline.counsel import curling
from hamload.pipeline.counsel.withholding import logged_flags, stop_headline
from hamload.pipeline.showing import telling
from hamload.pipeline.showing.reporting import report_path
from hamload.records import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.settings import Settings

#: A digest speaks of the seven days after it; older ones are history.
_DIGEST_DAYS = 8


def withdraw(settings: Settings, athlete_id: str, now: dt.datetime) -> list[str]:
    """Take back a runner's advice where a red flag is open. Returns in sentences what could not be taken back."""
    flags = logged_flags(settings, athlete_id)
    if not flags:
        return []
    left = withdraw_mail(settings, athlete_id)
    for step in (_calendar, _digests, _report):
        try:
            step(settings, athlete_id, flags, now)
        except (HamloadError, OSError) as error:
            left.append(f"Advice from before may stay where it was written: {error}")
    return left


def withdraw_mail(settings: Settings, athlete_id: str) -> list[str]:
    """Take back the messages that wait and do not tell of the stop, where a red flag is open."""
    if not logged_flags(settings, athlete_id):
        return []
    # Every subject opens with its state, in the language of now or, of a message from before, in English.
    stop = opening(State.STOP.value)
    words = "|".join(re.escape(word) for word in {str(stop), settings.language().say(stop)})
    tells_of_stop = re.compile(rf"(\[[^]]*\] )?({words})")
    if post.withdraw(settings, athlete_id, lambda subject: tells_of_stop.match(subject) is not None):
        return []
    return ["Messages are being sent just now: one from before the warning sign may still arrive."]


def _calendar(settings: Settings, athlete_id: str, _flags: Sequence[str], now: dt.datetime) -> None:
    if (settings.home / warehouse.PUBLISHED).is_file():
        curling.write_calendar(settings, athlete_id, settings.today(athlete_id), now)


def _digests(settings: Settings, athlete_id: str, _flags: Sequence[str], _now: dt.datetime) -> None:
    today = settings.today(athlete_id)
    folder = settings.home / "outbox"
    dates = [today - dt.timedelta(days=days) for days in range(_DIGEST_DAYS + 1)]
    written = [date for date in dates if (folder / f"{date}-{athlete_id}-digest.txt").is_file()]
    if written:
        with warehouse.reader(settings.home) as con:
            for date in written:
                outbox.write(folder, telling.digest_facts(con, settings, athlete_id, date))


def _report(settings: Settings, athlete_id: str, flags: Sequence[str], _now: dt.datetime) -> None:
    path = report_path(settings, athlete_id)
    if path.is_file():
        language = settings.language()
        lines = "".join(f"<p>{escape(language.say(line))}</p>" for line in stop_advice(flags))
        again = language.text("The numbers are kept. To write the report anew: hamload report")
        page = (
            f'<!doctype html><html lang="{language.code}"><meta charset="utf-8">'
            f"<title>{escape(language.say(opening(State.STOP.value)))} - hamload</title>"
            f"<h1>{escape(language.say(stop_headline(flags)))}</h1>{lines}<p>{escape(again)}</p></html>"
        )
        outbox.replace_file(path, page.encode())
