"""When a digest is due as a message, and that message whole: its subject, text, HTML and charts."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import css_inline

from hamload import charts, post, warehouse
from hamload.digest import units
from hamload.digest.render import Picture, mail_subject, render_html, render_text
from hamload.pipeline import telling, withdrawing, withholding
from hamload.pipeline.charting import chart_rows
from hamload.records import State

if TYPE_CHECKING:
    import duckdb

    from hamload.digest.facts import DigestFacts
    from hamload.post.letter import Kind
    from hamload.settings import Settings

#: States that are told at once; "unknown" among them, for hamload never goes blind without saying so.
_AT_ONCE = (State.STOP, State.DELOAD, State.CAUTION, State.UNKNOWN)
#: How far back a worsening that no night has told yet still counts, and what the charts show.
_UNTOLD_DAYS, _LOAD_DAYS, _RATIO_DAYS = 7, 42, 84
_WEEK = 7
#: Points; half of what a mail program shows them at, so that their words stay readable on a phone.
_WIDTH = 430


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
        facts = telling.digest_facts(con, settings, athlete_id)
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
        f"{render_text(facts)}\n{_leave(settings)}\n",
        inlined(render_html(facts, pictures, _leave(settings))),
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


def _leave(settings: Settings) -> str:
    return (
        "This message comes from your own hamload. To get none, take your mail address out of config.toml"
        f"{', or write to ' + settings.mail.sender if settings.mail.sender else ''}."
    )


def _drawn(settings: Settings, facts: DigestFacts) -> list[_Chart]:
    """Return the charts of a digest; none where there is nothing to draw."""
    with warehouse.reader(settings.home) as con:
        rows = chart_rows(con, settings, facts.alert.athlete_id, facts.as_of, _RATIO_DAYS)
        recent = chart_rows(con, settings, facts.alert.athlete_id, facts.as_of, _LOAD_DAYS)
    if not recent.days:
        return []
    week, total = facts.last_7, facts.series[0]
    drawn = [
        _Chart(
            "load",
            f"Load by part, EFM a day, {len(recent.days)} days; grey is unknown",
            f"Chart: {units.efm(week.load_efm, missing='unknown')} EFM in the last 7 days, "
            f"{units.efm(facts.before_28.per_week.load_efm, missing='unknown')} in a usual week.",
            charts.png(charts.load(_WIDTH, 190), days=recent.days, unknown=recent.unknown),
        ),
        _Chart(
            "ratios",
            f"Acute to chronic, {len(rows.ratios)} days; withheld where grey",
            f"Chart: uncoupled ratio {units.number(total.uncoupled, 2, 'withheld')}, "
            f"EWMA ratio {units.number(total.ewma, 2, 'withheld')}.",
            charts.png(
                charts.ratios(_WIDTH, 160), ratios=rows.ratios, withheld=rows.withheld, thresholds=rows.thresholds
            ),
        ),
    ]
    if recent.curls or recent.tightness:
        drawn.append(
            _Chart(
                "strength",
                f"Tightness out of 10, and curls, {_LOAD_DAYS} days",
                f"Chart: tightness on {len(recent.tightness)} days, curls on {len(recent.curls)} days.",
                charts.png(
                    charts.strength(_WIDTH, 70), tightness=recent.tightness, curls=recent.curls, whole=recent.whole
                ),
            )
        )
    return drawn
