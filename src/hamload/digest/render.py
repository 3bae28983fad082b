"""From facts to text, HTML, Markdown and a subject line. Pure: no clock, no file but the package's own templates.

The same facts give the same bytes. Every string is made harmless before a template sees it, and a template can print
strings and whole numbers only: an unformatted None, NaN or float raises TypeError here rather than reach a reader.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hamload.digest import units
from hamload.digest.plain import clean, glued, isolated, shorten, table, width, wrap
from hamload.records import PARTS, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hamload.digest.facts import Amounts, DigestFacts, SeriesRow, Session
    from hamload.records import Cause, Reason

#: Background and ink of each state: no two alike in lightness and hue at once, ink on background at least 4.5:1.
STATE_COLOURS: dict[State, tuple[str, str]] = {
    State.STOP: ("#5c0012", "#ffffff"),
    State.DELOAD: ("#b3261e", "#ffffff"),
    State.CAUTION: ("#f0b429", "#1c1400"),
    State.BUILD: ("#0060a8", "#ffffff"),
    State.STEADY: ("#00694b", "#ffffff"),
    State.BASELINE: ("#59636e", "#ffffff"),
    State.RETURNING: ("#6a3d9a", "#ffffff"),
    State.UNKNOWN: ("#dfe3e8", "#1c2024"),
}
#: Okabe and Ito's palette ("Color Universal Design", 2008), told apart with any colour vision.
PART_COLOURS = {"hill": "#0072b2", "speed": "#d55e00", "long": "#009e73", "base": "#8a9096"}

_SUBJECT_COLUMNS = 130
_TITLE_COLUMNS = 60
_HEADLINE_COLUMNS = 160
_NAME_COLUMNS = 40
_SENTENCE_COLUMNS = 800
#: Columns of a field where they are not those of a sentence.
_ROOM = {
    "title": _TITLE_COLUMNS,
    "headline": _HEADLINE_COLUMNS,
    "athlete_name": _NAME_COLUMNS,
    "source": _NAME_COLUMNS,
    "version": _NAME_COLUMNS,
}
#: Commands and names stay uncut and unescaped: a command is there to be copied.
_VERBATIM = {"remedy", "athlete_id", "time_zone", "session_id"}
_TEXT_BAR_COLUMNS = 40
_MARKDOWN = re.compile(r"([\\`*_\[\]|~#@])|(?<=:)(?=//)|(?<=www)(?=\.)|^(?=[-+=])|(?<=^\d)(?=[.)])", re.IGNORECASE)


def _beyond(what: str) -> Callable[[Reason], str]:
    return lambda reason: f"{what} {units.change(reason.value, 1.0)}"


def _times(what: str) -> Callable[[Reason], str]:
    return lambda reason: f"{what} {units.number(reason.value, 2)}"


#: What caused a state, in the few words that a subject has room for.
_CAUSES: dict[str, Callable[[Reason], str]] = {
    "distance_spike": _beyond("longest run in 30 days"),
    "load_spike": _beyond("hardest run in 30 days"),
    "uncoupled_ratio": _times("load ratio"),
    "ewma_ratio": _times("smoothed load ratio"),
    "heavy_ratio": _times("hills, speed and long runs, ratio"),
    "monotony": _times("monotony"),
    "tightness": lambda reason: f"tightness {units.number(reason.value)} of 10 on two days",
    "few_curls": lambda _: "few curls lately",
    "heavy_spacing": lambda reason: f"two heavy runs {units.number(reason.value)} h apart",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of the digest: what an `img` element shows, and what stands for it where none is shown."""

    source: str
    heading: str
    words: str


def subject(facts: DigestFacts) -> str:
    """Return one line that says it all: "Deload: 34 % beyond your longest run in 30 days - hamload, Mon 24 Nov"."""
    plain = harmless(facts)
    for_whom = f" for {plain.athlete_name}" if plain.athlete_name else ""
    tail = f" - hamload{for_whom}, {units.day(plain.as_of, plain.as_of)}"
    mark = "[simulated] " if plain.is_simulated else ""
    room = _SUBJECT_COLUMNS - width(tail) - len(mark)
    return f"{mark}{shorten(_lead(plain).rstrip('.'), room)}{tail}".replace(units.NBSP, " ")


def render_text(facts: DigestFacts) -> str:
    """Return the digest as plain text, at most 72 columns wide but for commands that are longer."""
    return _rendered("digest.txt.j2", facts, str).replace(units.NBSP, " ")


def render_html(facts: DigestFacts, pictures: Sequence[Picture] = (), leave: str = "") -> str:
    """Return the digest as one HTML page that loads nothing: no script, no network, its style within.

    `pictures` are its charts; `leave` says, in a mail, how to get no more of them.
    """
    return _rendered("digest.html.j2", facts, str, pictures=pictures, leave=leave)


def mail_subject(facts: DigestFacts) -> str:
    """Return the state and its cause in one line: "Deload: longest run in 30 days +61 %, Fri 20 Nov - hamload"."""
    shown = harmless(facts)
    causes = [_CAUSES[r.rule](r) for r in shown.alert.reasons if r.state == shown.alert.state and r.rule in _CAUSES]
    if not causes:
        return subject(facts)
    mark = "[simulated] " if shown.is_simulated else ""
    whom = f" for {shown.athlete_name}" if shown.athlete_name else ""
    tail = f" - hamload{whom}, {units.day(shown.as_of, shown.as_of)}"
    said = f"{shown.alert.state.value.capitalize()}: {', '.join(causes[:2])}"
    return f"{mark}{shorten(said, _SUBJECT_COLUMNS - width(tail) - len(mark))}{tail}".replace(units.NBSP, " ")


def render_markdown(facts: DigestFacts) -> str:
    """Return the digest as Markdown for a run's page; markup inside titles and sentences is escaped."""
    return _rendered("digest.md.j2", facts, _escaped_markdown).replace(units.NBSP, " ")


def _rendered(template: str, facts: DigestFacts, escaped: Callable[[str], str], **others: Any) -> str:
    return templates().get_template(template).render(context(facts, escaped), **others)


def context(facts: DigestFacts, escaped: Callable[[str], str] = str) -> dict[str, Any]:
    """Return what every template of a digest may name: its facts made harmless, and formats bound to its day."""
    shown = harmless(facts, escaped)
    zone = ZoneInfo(facts.time_zone)
    return {
        "facts": shown,
        "u": units.Shown(is_miles=facts.is_in_miles),
        "alert": shown.alert,
        "subject": subject(facts),
        "lead": _lead(shown),
        "advice": _advice(shown),
        "trouble": [row for row in shown.sources if row.wrong or row.last_success_at is None],
        "is_withheld": shown.alert.state is State.STOP,
        "at": lambda moment: units.moment(moment, zone, facts.as_of),
        "day": lambda date: units.day(date, facts.as_of),
        "ago": lambda date: units.ago(date, facts.as_of),
    }


@cache
def templates() -> Environment:
    """Return the templates, which print strings and whole numbers only."""
    environment = Environment(
        loader=PackageLoader("hamload.digest"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        parts=PARTS,
        state_colours=STATE_COLOURS,
        part_colours=PART_COLOURS,
        measured=_measured,
        told=_told,
        clears=_clears,
        labels=_labels,
        spikes=_spikes,
        withheld=_withheld,
        part_of=_part,
        segments=_segments,
        text_bar=_text_bar,
        heading=_heading,
        table=table,
    )
    environment.filters.update(wrap=wrap, code=_code)
    return environment


def _printable(value: Any) -> Any:
    if isinstance(value, str | StrictUndefined) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"A digest template printed {value!r} without a format for it.")


def harmless[Facts](facts: Facts, escaped: Callable[[str], str] = str) -> Facts:
    """Return facts with every string cleaned, cut to its room and escaped, wherever it stands, and NaN as None."""

    def of(value: Any, name: str) -> Any:
        if isinstance(value, str) and not isinstance(value, Enum):
            value = _line(value, name, escaped)
        elif isinstance(value, float) and math.isnan(value):
            value = None
        elif isinstance(value, tuple):
            value = tuple(of(item, name) for item in value)
        elif is_dataclass(value) and not isinstance(value, type):
            value = replace(value, **{f.name: of(getattr(value, f.name), f.name) for f in fields(value)})
        return value

    cleaned: Facts = of(facts, "facts")
    return cleaned


def _line(text: str, name: str, escaped: Callable[[str], str]) -> str:
    text = clean(text)
    if name in _VERBATIM:
        return text
    if name in _ROOM:
        # Pages isolate these as elements of their own; a headline is a sentence.
        whole = glued(shorten(text, _ROOM[name]))
        return escaped(isolated(whole) if name == "headline" else whole)
    return escaped(isolated(glued(shorten(text, _SENTENCE_COLUMNS, keep_end=True))))


def _lead(facts: DigestFacts) -> str:
    """Return the state and its headline, the state once."""
    state = facts.alert.state.value.capitalize()
    if not facts.headline:
        return state
    said = facts.headline.casefold()
    opening, colon, _ = said.partition(":")
    is_said = said.startswith(facts.alert.state.value) or (colon and facts.alert.state.value in opening)
    return facts.headline if is_said else f"{state}: {facts.headline}"


def _advice(facts: DigestFacts) -> tuple[str, ...]:
    """Return each line of advice once. A red flag withholds all but the alert's own."""
    lines = facts.alert.advice if facts.alert.state is State.STOP else facts.alert.advice + facts.next_7
    return tuple(dict.fromkeys(line for line in lines if line))


def _measured(reason: Reason) -> str:
    """Return a reason's number against its threshold; empty where the rule has neither."""
    if reason.value is not None and reason.threshold:
        value, threshold = units.told_apart(reason.value, reason.threshold)
        return f"{value} against a threshold of {threshold}"
    if reason.value is not None:
        return f"value: {units.told_apart(reason.value, reason.value)[0]}"
    if reason.threshold:
        return f"unknown against a threshold of {units.told_apart(reason.threshold, reason.threshold)[1]}"
    return ""


def _told(cause: Cause) -> str:
    """Return the run behind a reason with its share, the share once."""
    share = units.percent(cause.share, "")
    is_said = not share or share in cause.sentence
    return cause.sentence if is_said else f"{cause.sentence} (share: {share})"


def _clears(clears_when: str) -> str:
    return clears_when if clears_when.casefold().startswith("clear") else f"Clears when: {clears_when}"


def _labels(session: Session) -> str:
    """Return what kind of session it was, what cannot be told included."""
    kinds = {"hill": session.is_hill, "speed": session.is_speed, "long": session.is_long, "heavy": session.is_heavy}
    known = [name for name, holds in kinds.items() if holds]
    open_ones = [name for name, holds in kinds.items() if holds is None]
    if len(open_ones) == len(kinds):
        return "kind of session unknown"
    if not known and session.is_heavy is False:
        known = ["not heavy"]
    unknown = f"unknown whether {' or '.join(open_ones)}" if open_ones else ""
    return "; ".join(part for part in (", ".join(known), unknown) if part)


def _spikes(session: Session, spike_days: int) -> str:
    """Return how the run compares with the largest one of the days before it."""
    distance, load = (
        "unknown" if spike is None else units.change(spike, 1.0, "unknown")
        for spike in (session.spike_distance, session.spike_load)
    )
    against = f"Compared with the largest of the {spike_days} days before"
    return f"{against}: unknown" if distance == load == "unknown" else f"{against}: distance {distance}, load {load}"


def _withheld(rows: tuple[SeriesRow, ...]) -> list[tuple[str, str]]:
    """Return each sentence once, with the names of the series that it speaks of."""
    sentences = dict.fromkeys(row.why_withheld for row in rows if row.why_withheld)
    return [(", ".join(row.series for row in rows if row.why_withheld == why), why) for why in sentences]


def _part(amounts: Amounts | Session, part: str) -> float | None:
    value: float | None = getattr(amounts, f"load_{part}_efm")
    return value


def _segments(amounts: Amounts, largest: float | None) -> list[tuple[str, int]]:
    """Return the parts of a bar with their width in percent of the largest bar; empty where nothing is to draw."""
    return _lengths(amounts, largest, 100)


def _text_bar(amounts: Amounts, largest: float | None) -> str:
    return "".join(part[0].upper() * length for part, length in _lengths(amounts, largest, _TEXT_BAR_COLUMNS))


def _lengths(amounts: Amounts, largest: float | None, steps: int) -> list[tuple[str, int]]:
    if not largest:
        return []
    loads = {part: _part(amounts, part) or 0.0 for part in PARTS}
    # What could not be told apart is attributed to no part: it stays with the rest.
    loads["base"] += max((amounts.load_efm or 0.0) - sum(loads.values()), 0.0)
    lengths, so_far = [], 0.0
    for part, load in loads.items():
        length = round((so_far + load) / largest * steps) - round(so_far / largest * steps)
        so_far += load
        if length:
            lengths.append((part, length))
    return lengths


def _heading(text: str, rule: str = "-") -> str:
    return f"{text}\n{rule * width(text.splitlines()[-1])}"


def _code(command: str) -> str:
    """Return a command as a Markdown code span, in which nothing can be escaped."""
    return f"`{command.replace('`', "'").replace('|', '¦')}`"


def _escaped_markdown(text: str) -> str:
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(lambda found: f"\\{found[1] or ''}", entities)
