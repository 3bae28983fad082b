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

from hamload.digest.plain import clean, columns, glued, isolated, padded, shorten, table, width, wrap
from hamload.language import DASH, ENGLISH, NBSP, PLAIN, Language, Text, opening, text, word
from hamload.records import PARTS, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hamload.digest.facts import Amounts, DigestFacts, PlanDay, SeriesRow, Session
    from hamload.records import Cause

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


#: What caused a state, in the few words that a subject has room for.
_CAUSES: dict[str, Callable[[float], Text]] = {
    "distance_spike": lambda value: text("longest run in 30 days {change:+percent}", change=value - 1),
    "load_spike": lambda value: text("hardest run in 30 days {change:+percent}", change=value - 1),
    "uncoupled_ratio": lambda value: text("load ratio {value:.2f}", value=value),
    "ewma_ratio": lambda value: text("smoothed load ratio {value:.2f}", value=value),
    "heavy_ratio": lambda value: text("hills, speed and long runs, ratio {value:.2f}", value=value),
    "monotony": lambda value: (
        text("every day alike") if math.isinf(value) else text("monotony {value:.2f}", value=value)
    ),
    "tightness": lambda value: text("tightness {value:g} of 10 on two days", value=value),
    "few_curls": lambda _: text("few curls lately"),
    "heavy_spacing": lambda value: text("two heavy runs {value:.0f} h apart", value=value),
}
#: What a reason's number is of; a ratio and a monotony have no unit.
_MEASURES: dict[str, Callable[[str], Text]] = {
    "distance_spike": lambda shown: text("{shown} times the longest run of the 30 days before", shown=shown),
    "load_spike": lambda shown: text("{shown} times the hardest run of the 30 days before", shown=shown),
    "uncoupled_ratio": lambda shown: text("ratio {shown}", shown=shown),
    "ewma_ratio": lambda shown: text("smoothed ratio {shown}", shown=shown),
    "heavy_ratio": lambda shown: text("ratio of heavy load {shown}", shown=shown),
    "steady": lambda shown: text("ratio {shown}", shown=shown),
    "monotony": lambda shown: text("monotony {shown}", shown=shown),
    "tightness": lambda shown: text("tightness {shown} of 10", shown=shown),
    "few_curls": lambda shown: text("curl sessions in 10 days: {shown}", shown=shown),
    "heavy_spacing": lambda shown: text("{shown} hours apart", shown=shown),
    "baseline": lambda shown: text("days of history: {shown}", shown=shown),
    "returning": lambda shown: text("days since the last run: {shown}", shown=shown),
    "missing_days": lambda shown: text("unknown days: {shown}", shown=shown),
    "heavy_unjudged": lambda shown: text("runs not judged: {shown}", shown=shown),
}
#: Of these, that the number is not known makes a sentence too.
_COUNTS = frozenset({"few_curls", "baseline", "returning", "missing_days", "heavy_unjudged"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of the digest: what an `img` element shows, and what stands for it where none is shown."""

    source: str
    heading: str
    words: str


def subject(facts: DigestFacts) -> str:
    """Return one line that says it all: "Deload: 34 % beyond your longest run in 30 days - hamload, Mon 24 Nov"."""
    plain = harmless(facts)
    return _headed(_lead(plain).rstrip("."), plain)


def _headed(said: str, facts: DigestFacts) -> str:
    """Return what a subject says between its mark and its tail, within its columns."""
    language = facts.language
    day = language.day(facts.as_of, facts.today)
    if facts.athlete_name:
        tail = language.text("hamload for {name}, {day}", name=facts.athlete_name, day=day)
    else:
        tail = f"hamload, {day}"
    mark = f"[{language.text('simulated')}] " if facts.is_simulated else ""
    room = _SUBJECT_COLUMNS - width(tail) - width(mark) - len(" - ")
    return f"{mark}{shorten(said, room)} - {tail}".replace(NBSP, " ")


def render_text(facts: DigestFacts, leave: str = "") -> str:
    """Return the digest as plain text, at most 72 columns wide but for commands that are longer.

    `leave` says, in a mail, how to get no more of them.
    """
    return _rendered("digest.txt.j2", facts, str, leave=leave).replace(NBSP, " ")


def render_html(facts: DigestFacts, pictures: Sequence[Picture] = (), leave: str = "") -> str:
    """Return the digest as one HTML page that loads nothing: no script, no network, its style within.

    `pictures` are its charts; `leave` says, in a mail, how to get no more of them.
    """
    return _rendered("digest.html.j2", facts, str, pictures=pictures, leave=leave)


def mail_subject(facts: DigestFacts) -> str:
    """Return the state and its cause in one line: "Deload: longest run in 30 days +61 %, Fri 20 Nov - hamload"."""
    shown = harmless(facts)
    language = shown.language
    causes = [
        language.say(_CAUSES[r.rule](r.value))
        for r in shown.alert.reasons
        if r.state == shown.alert.state and r.rule in _CAUSES and r.value is not None
    ]
    if not causes:
        return subject(facts)
    return _headed(f"{language.say(opening(shown.alert.state.value))}: {', '.join(causes[:2])}", shown)


def render_markdown(facts: DigestFacts) -> str:
    """Return the digest as Markdown for a run's page; markup inside titles and sentences is escaped."""
    return _rendered("digest.md.j2", facts, _escaped_markdown).replace(NBSP, " ")


def _rendered(template: str, facts: DigestFacts, escaped: Callable[[str], str], **others: Any) -> str:
    return templates().get_template(template).render(context(facts, escaped), **others)


def context(facts: DigestFacts, escaped: Callable[[str], str] = str) -> dict[str, Any]:
    """Return what every template of a digest may name: its facts made harmless, and formats bound to its day."""
    shown = harmless(facts, escaped)
    zone = ZoneInfo(facts.time_zone)
    language = facts.language
    return {
        "facts": shown,
        "u": language,
        "_": language.text,
        "ngettext": language.plural,
        "word": lambda name: language.say(word(name)),
        "opening": lambda state: language.say(opening(state)),
        "alert": shown.alert,
        "subject": subject(facts),
        "lead": _lead(shown),
        "advice": _advice(shown),
        "trouble": [row for row in shown.sources if row.wrong or row.last_success_at is None],
        "is_withheld": shown.alert.state is State.STOP,
        "at": lambda moment: language.moment(moment, zone, facts.today),
        "day": lambda date: language.day(date, facts.today),
        "ago": lambda date: language.ago(date, facts.today),
        "measured": lambda reason: measured(reason.rule, reason.value, reason.threshold, language),
        "told": lambda cause: _told(cause, language),
        "clears": lambda clears_when: _clears(clears_when, language),
        "labels": lambda session: _labels(session, language),
        "spikes": lambda session: _spikes(session, facts.model.spike_days, language),
        "withheld": lambda rows: _withheld(rows, language),
        "limit": lambda day: limit(day, language),
        "easy_speed": _easy_speed(facts.model.easy_speed_mps, language),
        "text_bar": lambda amounts, largest: _text_bar(amounts, largest, language),
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
        DASH=DASH,
        NBSP=NBSP,
        parts=PARTS,
        state_colours=STATE_COLOURS,
        part_colours=PART_COLOURS,
        part_of=_part,
        segments=_segments,
        heading=_heading,
        table=table,
        columns=columns,
        padded=padded,
    )
    environment.filters.update(wrap=wrap, code=_code)
    return environment


def _printable(value: Any) -> Any:
    if isinstance(value, str | StrictUndefined) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"A digest template printed {value!r} without a format for it.")


def harmless[Facts](facts: Facts, escaped: Callable[[str], str] = str, language: Language = ENGLISH) -> Facts:
    """Return facts with every string said in its language, cleaned, cut to its room and escaped, and NaN as None."""
    language = getattr(facts, "language", language)

    def of(value: Any, name: str) -> Any:
        if isinstance(value, str) and not isinstance(value, Enum):
            value = _line(language.say(value), name, escaped)
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
    """Return the state and its headline, the state once; the state of a translation opens it always."""
    state = facts.language.say(opening(facts.alert.state.value))
    if not facts.headline:
        return state
    said = facts.headline.casefold()
    before, colon, _ = said.partition(":")
    is_said = said.startswith(state.casefold()) or (colon and state.casefold() in before)
    return facts.headline if is_said else f"{state}: {facts.headline}"


def _advice(facts: DigestFacts) -> tuple[str, ...]:
    """Return each line of advice once. A red flag withholds all but the alert's own."""
    lines = facts.alert.advice if facts.alert.state is State.STOP else facts.alert.advice + facts.next_7
    return tuple(dict.fromkeys(line for line in lines if line))


def measured(rule: str, value: float | None, limit: float | None, language: Language) -> str:
    """Return a reason's number against its threshold; empty where the rule has neither."""
    is_known = value is not None and not math.isnan(value)
    if not is_known and not limit:
        return ""
    number = value if value is not None and is_known else limit or 0.0
    shown, threshold = language.told_apart(number, limit or number)
    if not is_known:
        shown = language.text("unknown")
        said = language.say(_MEASURES[rule](shown)) if rule in _COUNTS else shown
        return language.text("{said}; the threshold is {threshold}", said=said, threshold=threshold)
    said = language.say(_MEASURES[rule](shown)) if rule in _MEASURES else shown
    if limit:
        return language.text("{said} against a threshold of {threshold}", said=said, threshold=threshold)
    return said


def _easy_speed(speed_mps: float | None, language: Language) -> str:
    """Return the easy speed as its reader paces it; beside kilometres in m/s too, as config.toml names it."""
    if speed_mps is None or math.isnan(speed_mps):
        return language.text("unknown")
    pace = language.pace(speed_mps)
    return pace if language.is_miles else f"{language.number(speed_mps, 2)}{NBSP}m/s ({pace})"


def _told(cause: Cause, language: Language) -> str:
    """Return the run behind a reason with its share, the share once."""
    share = language.percent(cause.share, "")
    is_said = not share or share in cause.sentence
    return cause.sentence if is_said else language.text("{told} (share: {share})", told=cause.sentence, share=share)


def _clears(clears_when: str, language: Language) -> str:
    if clears_when.casefold().startswith("clear") or language.code != PLAIN:
        return clears_when
    return language.text("Clears when: {what}", what=clears_when)


def _labels(session: Session, language: Language) -> str:
    """Return what kind of session it was, what cannot be told included."""
    kinds = {"hill": session.is_hill, "speed": session.is_speed, "long": session.is_long, "heavy": session.is_heavy}
    known = [language.say(word(name)) for name, holds in kinds.items() if holds]
    open_ones = [language.say(word(name)) for name, holds in kinds.items() if holds is None]
    if len(open_ones) == len(kinds):
        return language.text("kind of session unknown")
    if not known and session.is_heavy is False:
        known = [language.text("not heavy")]
    unknown = ""
    if open_ones:
        unknown = language.text("unknown whether {kinds}", kinds=language.text(" or ").join(open_ones))
    return "; ".join(part for part in (", ".join(known), unknown) if part)


def _spikes(session: Session, spike_days: int, language: Language) -> str:
    """Return how the run compares with the largest one of the days before it."""
    unknown = language.text("unknown")
    distance, load = (
        unknown if spike is None else language.change(spike, 1.0, unknown)
        for spike in (session.spike_distance, session.spike_load)
    )
    if distance == load == unknown:
        return language.text("Compared with the largest of the {days} days before: unknown", days=spike_days)
    return language.text(
        "Compared with the largest of the {days} days before: distance {distance}, load {load}",
        days=spike_days,
        distance=distance,
        load=load,
    )


def _withheld(rows: tuple[SeriesRow, ...], language: Language) -> list[tuple[str, str]]:
    """Return each sentence once, with the names of the series that it speaks of."""
    sentences = dict.fromkeys(row.why_withheld for row in rows if row.why_withheld)
    return [
        (", ".join(language.say(word(row.series)) for row in rows if row.why_withheld == why), why) for why in sentences
    ]


def limit(day: PlanDay, language: Language) -> str:
    """Return at most how much one of the coming days may hold."""
    if not day.limit_efm:
        return "" if day.limit_efm is None else DASH
    if day.limit_m is None:
        return f"{day.limit_efm}{NBSP}EFM"
    far = language.field(day.limit_m, "distance_down").replace(" ", NBSP)
    return f"{day.limit_efm}{NBSP}min, {far}"


def _part(amounts: Amounts | Session, part: str) -> float | None:
    value: float | None = getattr(amounts, f"load_{part}_efm")
    return value


def _segments(amounts: Amounts, largest: float | None) -> list[tuple[str, int]]:
    """Return the parts of a bar with their width in percent of the largest bar; empty where nothing is to draw."""
    return _lengths(amounts, largest, 100)


def _text_bar(amounts: Amounts, largest: float | None, language: Language) -> str:
    return "".join(
        language.say(word(part))[0].upper() * length for part, length in _lengths(amounts, largest, _TEXT_BAR_COLUMNS)
    )


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
