"""The message that no night has run to its end for too long: what that means for the numbers, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.digest.plain import wrap
from hamload.language import ENGLISH

if TYPE_CHECKING:
    import datetime as dt

    from hamload.language import Language


@dataclass(frozen=True, slots=True)
class Outage:
    """No night has run to its end since `since` (the runner's clock); `hours` ago.

    `had_night`: there was one at all; else `since` is when hamload began to watch. `tried_at` and `error`: the last
    night that was tried since, and why it broke off, "" where it was killed or is at work. `unreadable`: why the ledger
    of nights cannot be read.
    """

    since: dt.datetime
    hours: int
    had_night: bool = True
    tried_at: dt.datetime | None = None
    error: str = ""
    unreadable: str = ""


def outage_subject(outage: Outage, language: Language = ENGLISH) -> str:
    """Return the subject of the message."""
    return language.text("hamload: no night since {date:date}", date=outage.since.date())


def outage_text(outage: Outage, athlete_name: str, language: Language = ENGLISH) -> str:
    """Return the message. It is told once, until a night has run to its end again."""
    say = language.text
    when = f"{outage.since:%Y-%m-%d %H:%M}"
    if outage.had_night:
        what = say(
            "The last night that ran to its end was at {when}, {hours} hours ago. Nothing has read your runs since.",
            when=when,
            hours=outage.hours,
        )
    else:
        what = say(
            "No night has run to its end yet, and hamload has waited for one since {when}, for {hours} hours.",
            when=when,
            hours=outage.hours,
        )
    lines = [say("Hello {name},", name=athlete_name), "", wrap(what)]
    if outage.tried_at is not None:
        tried = f"{outage.tried_at:%Y-%m-%d %H:%M}"
        if outage.error:
            why = say("A night was tried at {when}, and broke off: {error}", when=tried, error=outage.error)
        else:
            why = say("A night was begun at {when}, and has not ended: it was killed, or hangs.", when=tried)
        lines += ["", wrap(why)]
    if outage.unreadable:
        lines += ["", wrap(say("What hamload keeps cannot be read: {error}", error=outage.unreadable))]
    meaning = say("The days since then count as unknown, not as rest, and no warning can reach you for them.")
    helps = say("What helps: {remedy}", remedy="hamload doctor")
    lines += ["", wrap(meaning), "", helps, ""]
    lines += [wrap(say("You get this once for as long as it lasts. `hamload status` shows how things stand.")), ""]
    lines += ["-- ", say("hamload, on your own machine. General information, not medical advice.")]
    return "\n".join(lines) + "\n"
