"""When a digest is due as a message, and that message whole: its subject, text, HTML and charts."""

from __future__ import annotations

import base64
import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import css_inline

from hamload import charts, post, warehouse
from hamload.digest.facts import written_on
from hamload.digest.render import Picture, mail_subject, render_html, render_text
from hamload.pipeline.counsel import withholding
from hamload.pipeline.showing import telling, withdrawing
from hamload.pipeline.showing.charting import chart_rows
from hamload.records import State

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from hamload.digest.facts import DigestFacts
    from hamload.language import Language
    from hamload.post.letter import Kind
    from hamload.settings import Settings

#: States that are told at once; "unknown" among them, for hamload never goes blind without saying so.
_AT_ONCE = (State.STOP, State.DELOAD, State.CAUTION, State.UNKNOWN)
#: How far back a worsening that no night has told yet still counts, and what the charts show.
_UNTOLD_DAYS, _LOAD_DAYS, _RATIO_DAYS = 7, 42, 84
_WEEK = 7
#: Points; half of what a mail program shows them at, so that their words stay readable on a phone.
_WIDTH = 330


class _Chart(NamedTuple):
    name: str
    heading: str
    words: str
    png: bytes


def tell_state(settings: Settings, athlete_id: str, now: dt.datetime, *, at_once: bool = False) -> bool:
    """Put the digest into the outbox where it is due: a state has worsened, or a week has ended untold.

    A night that was missed is made up for: what worsened up to a week ago and nobody has been told, is told now.
    `at_once` sends it whatever is due, once a day. Returns whether there is a new message.
    """
    with warehouse.reader(settings.home) as con:
        told = telling.digest_facts(con, settings, athlete_id)
        facts = written_on(told, now.astimezone(settings.zone(athlete_id)).date(), is_newest=True)
        news = _news(con, facts)
    kind: Kind = "digest"
    week = f"week to {_week_end(settings, facts.as_of)}"
    state = _state_key(facts.alert.state, facts.alert.date)
    if at_once:
        key = f"asked for on {now:%Y-%m-%d}"
    elif news is not None and not _is_told(settings, athlete_id, facts.alert.state, news):
        key, kind = state, "alert"
    elif not post.is_told(settings, athlete_id, week):
        key = week
    else:
        return False
    drawn = _drawn(settings, facts)
    pictures = [Picture(f"cid:{c.name}@hamload", c.heading, c.words) for c in drawn]
    is_new = post.tell(
        settings,
        athlete_id,
        key,
        kind,
        mail_subject(facts),
        render_text(facts, _leave(settings, facts)),
        inlined(render_html(facts, pictures, _leave(settings, facts))),
        [post.Attachment(f"{c.name}.png", "image/png", c.png, f"{c.name}@hamload") for c in drawn],
        now=now,
        # It tells of the state and of that week too: two messages that say the same would be one too many.
        also=[other for other in (week, state) if other != key],
    )
    if withholding.is_outdated(settings, facts.alert):
        # A flag was logged while this was being written.
        withdrawing.withdraw_mail(settings, athlete_id)
        return tell_state(settings, athlete_id, now, at_once=at_once)
    return is_new


def pictures_within(settings: Settings, facts: DigestFacts) -> list[Picture]:
    """Return the charts as pictures that the page itself carries."""
    return [
        Picture(f"data:image/png;base64,{base64.b64encode(c.png).decode()}", c.heading, c.words)
        for c in _drawn(settings, facts)
    ]


def inlined(html: str) -> str:
    """Return the page with its rules in the elements too: some mail programs drop the style element."""
    return css_inline.inline(html, keep_style_tags=True, load_remote_stylesheets=False)


class _News(NamedTuple):
    date: dt.date
    is_beginning: bool


def _news(con: duckdb.DuckDBPyConnection, facts: DigestFacts) -> _News | None:
    """Return the last day on which the state that still holds was to be told, within the last week."""
    alert = facts.alert
    if alert.state not in _AT_ONCE:
        return None
    rows = warehouse.rows(
        con,
        _NEWS,
        [alert.athlete_id, alert.date, alert.state.value, alert.date - dt.timedelta(days=_UNTOLD_DAYS)],
    )
    found = _News(rows[0]["date"], rows[0]["is_beginning"]) if rows else None
    if alert.is_new and (found is None or found.date < alert.date):
        # A flag that the tables do not know of yet begins its stop today.
        return _News(alert.date, is_beginning=True)
    return found


# A stop or deload that begins anew is news, whether or not it continues an older one; not one that is acknowledged.
_NEWS = """
with days as (
    select date, state, is_new, is_acknowledged, lag(state) over (order by date) as before
    from marts.alerts where athlete_id = $1 and date <= $2
)
select date, before is distinct from state as is_beginning
from days
where state = $3 and date > $4 and (
    is_new
    or state = 'deload' and before in ('build', 'steady', 'caution') and not is_acknowledged
    or state = 'stop' and before <> 'stop'
)
order by date desc limit 1
"""


def _is_told(settings: Settings, athlete_id: str, state: State, news: _News) -> bool:
    """Return whether a message told of the state when its news was there already.

    A run that arrives late can move a state's beginning by a day; where the state was told the day before, when by
    now it had not begun, the beginning moved and the runner knows.
    """
    since = news.date - dt.timedelta(days=1 if news.is_beginning else 0)
    told = post.told(settings, athlete_id, f"{state.value} of ")
    return any(key >= _state_key(state, since) for key in told)


def _state_key(state: State, day: dt.date) -> str:
    return f"{state.value} of {day}"


def _week_end(settings: Settings, day: dt.date) -> dt.date:
    """Return the last day of the runner's last whole week up to a day."""
    last_weekday = (settings.show.first_weekday - 1) % _WEEK
    return day - dt.timedelta(days=(day.weekday() - last_weekday) % _WEEK)


def _leave(settings: Settings, facts: DigestFacts) -> str:
    say = facts.language.text
    if not settings.mail.sender:
        return say("This message comes from your own hamload. To get none, take your mail address out of config.toml.")
    return say(
        "This message comes from your own hamload. To get none, take your mail address out of config.toml, or write to"
        " {sender}.",
        sender=settings.mail.sender,
    )


@lru_cache(maxsize=12)
def _blank(chart: Callable[[int, int, Language], charts.Chart], height: int, language: Language) -> dict[str, Any]:
    """Return a chart without its rows: what one runner's night draws twice, and a squad's for each of its runners."""
    return charts.spec(chart(_WIDTH, height, language))


def _drawn(settings: Settings, facts: DigestFacts) -> list[_Chart]:
    """Return the charts of a digest; none where there is nothing to draw."""
    with warehouse.reader(settings.home) as con:
        rows = chart_rows(con, settings, facts.alert.athlete_id, facts.as_of, _RATIO_DAYS)
        recent = chart_rows(con, settings, facts.alert.athlete_id, facts.as_of, _LOAD_DAYS)
    if not recent.days:
        return []
    language, week, total = facts.language, facts.last_7, facts.series[0]
    timeless = language.on(None)
    say, unknown, withheld = language.text, language.text("unknown"), language.text("withheld")
    drawn = [
        _Chart(
            "load",
            say("Load by part, EFM a day, {days} days; grey is unknown", days=len(recent.days)),
            say(
                "Chart: {week} EFM in the last 7 days, {usual} in a usual week.",
                week=language.efm(week.load_efm, missing=unknown),
                usual=language.efm(facts.before_28.per_week.load_efm, missing=unknown),
            ),
            charts.png_of(
                _blank(charts.load, 190, timeless), language=language, days=recent.days, unknown=recent.unknown
            ),
        ),
        _Chart(
            "ratios",
            say(
                "Acute to chronic, {days} days; withheld where grey; dotted: {thresholds}",
                days=len(rows.ratios),
                thresholds=", ".join(f"{t['label']} {language.field(t['value'], 'g')}" for t in rows.thresholds),
            ),
            say(
                "Chart: uncoupled ratio {uncoupled}, EWMA ratio {ewma}.",
                uncoupled=language.number(total.uncoupled, 2, withheld),
                ewma=language.number(total.ewma, 2, withheld),
            ),
            charts.png_of(
                _blank(charts.ratios, 160, timeless),
                language=language,
                ratios=rows.ratios,
                withheld=rows.withheld,
                thresholds=rows.thresholds,
            ),
        ),
    ]
    if recent.curls or recent.tightness:
        drawn.append(
            _Chart(
                "strength",
                say("Tightness out of 10, and curls, {days} days", days=_LOAD_DAYS),
                say(
                    "Chart: tightness on {felt} days, curls on {curls} days.",
                    felt=len(recent.tightness),
                    curls=len(recent.curls),
                ),
                charts.png_of(
                    _blank(charts.strength, 70, timeless),
                    language=language,
                    tightness=recent.tightness,
                    curls=recent.curls,
                    whole=recent.whole,
                ),
            )
        )
    return drawn
