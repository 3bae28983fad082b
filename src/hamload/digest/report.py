"""The report: one page that holds everything and loads nothing. Facts and chart specifications in, one string out.

Every string from outside is cleaned and cut before the template escapes it; what the page's script reads is JSON in
which no character can end its element.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from markupsafe import Markup

from hamload.digest.plain import clean
from hamload.digest.render import context, harmless, templates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from hamload.digest.facts import DigestFacts, Session
    from hamload.language import Language
    from hamload.records import Reason, State


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """One run of the report's list. `trace` is where its course stands in the page's data; None where there is none."""

    session: Session
    source: str
    device: str
    basis: str
    climb_m: float | None
    copies: int
    trace: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Days in a row of one state, newest first in the report, with the reasons of the day that it began."""

    state: State
    first_date: dt.date
    last_date: dt.date
    headline: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One number of the model or the alerts: its place, value, what it rests on, and whether the runner set it."""

    name: str
    value: float
    kind: Literal["E", "A"]
    source: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """Everything that one athlete's report shows.

    `rows` and `specs` are what its script draws (`hamload.charts`), and `drawing` is the code that draws.
    """

    digest: DigestFacts
    runs: tuple[ReportRun, ...]
    spells: tuple[Spell, ...]
    coefficients: tuple[Coefficient, ...]
    rows: Mapping[str, Any]
    specs: Mapping[str, Any]
    drawing: str
    written_at: dt.datetime
    first_weekday: int = 0
    outbox: tuple[str, ...] = ()


def render_report(facts: ReportFacts) -> str:
    """Return the report as one HTML page: scripts, styles and data within, no request to anywhere."""
    shown, language = context(facts.digest), facts.digest.language
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            **shown,
            runs=harmless(facts.runs, language=language),
            spells=harmless(facts.spells, language=language),
            coefficients=_grouped(facts.coefficients),
            outbox=harmless(facts.outbox, language=language),
            written=facts.written_at,
            week_starts=language.weekday(facts.first_weekday),
            thresholds=", ".join(
                f"{clean(row['label'])} {language.field(float(row['value']), 'g')}" for row in facts.rows["thresholds"]
            ),
            has_strength=bool(facts.rows.get("curls") or facts.rows.get("tightness")),
            has_days=bool(facts.rows.get("days")),
            data=_embedded(
                {
                    "rows": facts.rows,
                    "specs": facts.specs,
                    "locale": language.chart_locale(),
                    "first_weekday": facts.first_weekday,
                    "words": _script_words(language),
                }
            ),
            drawing=Markup(facts.drawing),  # noqa: S704  # the chart library's own
            script=Markup(_shipped("report.js")),  # noqa: S704  # our own code
            style=Markup(_shipped("report.css")),  # noqa: S704  # our own style
        )
    )


def _script_words(language: Language) -> dict[str, str]:
    """Return what the page's script says; `{a}` and the like are filled in there."""
    return {
        "mean_week": language.text("{first} to {last}", first="{first}", last="{last}"),
        "known": language.text("{known} of {days} days known", known="{known}", days="{days}"),
        "unknown": language.text("unknown"),
        "course": language.text("Speed, grade and demand over the run"),
        "shown": language.text("{shown} of {all} shown", shown="{shown}", all="{all}"),
    }


def _grouped(coefficients: tuple[Coefficient, ...]) -> list[tuple[str, list[Coefficient]]]:
    groups: dict[str, list[Coefficient]] = {}
    for coefficient in coefficients:
        groups.setdefault(coefficient.name.rpartition(".")[0], []).append(coefficient)
    return list(groups.items())


def _embedded(data: Any) -> Markup:
    """Return JSON that no character can break out of: in a script element only "<" could."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  # just done


@cache
def _shipped(name: str) -> str:
    return (files("hamload.digest") / "templates" / name).read_text(encoding="utf-8")
