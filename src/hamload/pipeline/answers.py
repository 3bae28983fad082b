"""What a home can be asked: its published tables, its ledger and its outbox are read, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.settings import shipped

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container

    from hamload.digest.facts import DigestFacts
    from hamload.post import Standing
    from hamload.settings import AccountSettings, Settings


def overview(
    settings: Settings, athlete_id: str = "", on: dt.date | None = None, now: dt.datetime | None = None
) -> DigestFacts:
    """Return everything there is to tell one athlete now, or was on an earlier day."""
    from hamload.digest.facts import written_on
    from hamload.pipeline.showing import telling

    runner = settings.athlete(athlete_id).id
    with warehouse.reader(settings.home, shipped("sql")) as con:
        facts = telling.digest_facts(con, settings, runner, on)
    today = now.astimezone(settings.zone(runner)).date() if now else settings.today(runner)
    return written_on(facts, today, is_newest=on is None)


def digest_text(settings: Settings, athlete_id: str = "", on: dt.date | None = None) -> str:
    """Return one athlete's digest as text, without writing it."""
    from hamload.digest.render import render_text

    return render_text(overview(settings, athlete_id, on))


def alert_history(
    settings: Settings, athlete_id: str = "", *, every: bool = False, on: dt.date | None = None, last: int = 20
) -> list[dict[str, Any]]:
    """Return what an athlete was told, newest first: whole rows of `marts.alerts`, reasons and plan as objects.

    The newest day comes first, told or not.
    `every` adds each change of state that was not told; `on` asks for one day.
    """
    from hamload.pipeline.showing import telling

    with warehouse.reader(settings.home) as con:
        return telling.alert_history(con, settings, settings.athlete(athlete_id).id, every=every, on=on, last=last)


def sessions(settings: Settings, athlete_id: str = "", last: int = 20) -> list[dict[str, Any]]:
    """Return an athlete's newest sessions, newest first."""
    from hamload.pipeline.showing import telling

    with warehouse.reader(settings.home, shipped("sql")) as con:
        return telling.sessions(con, settings.athlete(athlete_id).id, last)


def other_sports(settings: Settings, athlete_id: str = "") -> int:
    """Return how many activities of other sports are kept, and never counted."""
    with warehouse.reader(settings.home, shipped("sql")) as con:
        ((count,),) = con.execute(
            "select count(*) from marts.activities"
            " where athlete_id = ? and sport not in ('run', 'treadmill', 'unknown')",
            [settings.athlete(athlete_id).id],
        ).fetchall()
    return int(count)


def unreadable(settings: Settings, athlete_id: str = "", names: Container[str] | None = None) -> tuple[list[str], int]:
    """Return what could not be counted, with the reasons, and how many documents besides are no activity at all.

    `names` asks for these documents alone, for instance those of one import.
    """
    from hamload.pipeline.showing import telling

    with warehouse.reader(settings.home, shipped("sql")) as con:
        rows = telling.unreadable(con, settings.athlete(athlete_id).id)
    asked = [row for row in rows if names is None or row["name"] in names]
    told = [f"{row['name']}: {row['reason']}" for row in asked if not row["is_no_activity"]]
    return told, len(asked) - len(told)


def daily_loads(settings: Settings, athlete_id: str, last: dt.date, days: int) -> list[float | None]:
    """Return the load of each of the last days, oldest first; None is unknown."""
    with warehouse.reader(settings.home) as con:
        rows = con.execute(
            "select load_efm from marts.daily_load where athlete_id = ? and series = 'total' and date <= ?"
            " order by date desc limit ?",
            [athlete_id, last, days],
        ).fetchall()
    return [load for (load,) in reversed(rows)]


def known_athletes(settings: Settings) -> list[str]:
    """Return the athletes of this home who have a history."""
    with warehouse.reader(settings.home, shipped("sql")) as con:
        known = {row[0] for row in con.execute("select distinct athlete_id from marts.alerts").fetchall()}
    return [a.id for a in settings.athletes if a.id in known]


def waiting_accounts(settings: Settings, now: dt.datetime) -> tuple[AccountSettings, ...]:
    """Return the accounts that a limit ended, and that may be asked again by now."""
    from hamload.raw import Raw

    with Raw(settings.home) as raw:
        last = {(report.source, report.athlete_id): report for report in raw.reports()}
    reports = ((account, last.get((account.service.value, account.athlete))) for account in settings.accounts)
    return tuple(account for account, report in reports if report and report.resumes_at and report.resumes_at <= now)


def undelivered(settings: Settings, athlete_id: str = "") -> list[Standing]:
    """Return the messages that have not, or not surely, reached an athlete."""
    from hamload import post

    return post.standing(settings, settings.athlete(athlete_id).id)


def undelivered_words(settings: Settings, athlete_id: str = "") -> list[str]:
    """Return a sentence for each thing that keeps messages from an athlete."""
    from hamload import post

    return post.in_words(settings, undelivered(settings, athlete_id))


def monitor(settings: Settings, athlete_id: str, now: dt.datetime) -> dict[str, Any]:
    """Return what a monitor wants to know of an athlete's home, as it stands in JSON."""
    from hamload.pipeline.guarding import monitoring

    return monitoring.monitor(settings, settings.athlete(athlete_id).id, now).model_dump(mode="json", by_alias=True)
