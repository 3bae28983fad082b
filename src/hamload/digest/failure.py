"""The message about a night that did not go well: what failed, what it means for the numbers, what mends it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.digest.plain import wrap
from hamload.language import ENGLISH

if TYPE_CHECKING:
    import datetime as dt

    from hamload.language import Language


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `covered_until`: of a source, the last day that it has vouched for.

    `about` is what it concerns ("Garmin Connect", "the tables"); `is_source` whether days are unknown because of it.
    """

    about: str
    what: str
    remedy: str
    is_source: bool = False
    covered_until: dt.date | None = None


def failure_subject(trouble: Trouble, language: Language = ENGLISH) -> str:
    """Return the subject of the message: what does not work, in a few words."""
    if trouble.is_source:
        return language.text("hamload: {about} could not be read last night", about=trouble.about)
    return language.text("hamload: {about} went wrong last night", about=trouble.about)


def failure_text(trouble: Trouble, athlete_name: str, language: Language = ENGLISH) -> str:
    """Return the message: what happened, what it means, what to do. It is told once, until it is over."""
    say = language.text
    lines = [say("Hello {name},", name=athlete_name), "", f"{language.say(trouble.about)}: {trouble.what}"]
    if trouble.remedy:
        lines += ["", say("What helps: {remedy}", remedy=trouble.remedy)]
    if trouble.is_source:
        if trouble.covered_until:
            meaning = say(
                "Until then days after {date:date} count as unknown, not as rest, unless another source tells of them.",
                date=trouble.covered_until,
            )
        else:
            meaning = say(
                "Until then days that only it could tell of count as unknown, not as rest, unless another source tells"
                " of them."
            )
        lines += ["", wrap(f"{meaning} {say('Ratios that need them are withheld.')}")]
    lines += [
        "",
        wrap(say("You get this once for as long as it lasts. `hamload status` shows how things stand.")),
        "",
        "-- ",
        say("hamload, on your own machine. General information, not medical advice."),
    ]
    return "\n".join(lines) + "\n"
