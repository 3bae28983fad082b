"""A home's published tables as pandas frames: read-only, one publication a call, nobody waits for anybody."""

from __future__ import annotations

import datetime as dt
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pandas as pd

from hamload import settings, warehouse
from hamload.api.frames import Day, frame, span
from hamload.errors import ConfigurationError, HamloadError, WarehouseError
from hamload.pipeline.showing import charting
from hamload.records import SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from hamload.api.backtests import BackTest
    from hamload.api.reassessment import Reassessment

#: Each frame's table, the column of its days, and its order within one athlete.
_FRAMES = {
    "sessions": ("marts.sessions", "local_date", "start_at, session_id"),
    "daily": ("marts.daily_load", "date", "date, series"),
    "weeks": ("marts.weeks", "week", "week"),
    "alerts": ("marts.alerts", "date", "date"),
    "reasons": ("marts.alert_reasons", "date", "date, place"),
    "curls": ("marts.curl_sessions", "local_date", "local_date"),
    "journal": ("marts.journal", "date", "date, logged_at, entry_id"),
    "activities": ("marts.activities", "local_date", "start_at, activity_id"),
    "members": ("marts.session_members", "local_date", "session_id, is_primary desc, start_at, activity_id"),
    "set_aside": ("marts.set_aside", "local_date", "start_at, session_id"),
    "sources": ("marts.source_health", "", "source"),
    "unreadable": ("marts.unreadable", "", "source, name"),
    "athletes": ("landing.athletes", "", "athlete_id"),
    "samples": ("landing.samples", "", ""),
}
#: What a column's name says of its unit, where its comment does not.
_UNITS = {
    "efm": "EFM", "mps": "m/s", "m": "m", "s": "s", "bpm": "1/min", "spm": "1/min", "deg": "deg", "at": "UTC",
    "date": "day", "kg": "kg",
}  # fmt: skip
#: Columns that a frame has and its table has not.
_ADDED = {
    "alerts": {
        "rules": "the rules that held, most serious first",
        "reasons": "the same in sentences; .reasons() has their numbers and the runs behind them",
        "withheld": "what is not said on this day, and why; missing where nothing is withheld",
    }
}
_ALERTS = (
    "athlete_id", "date", "state", "headline", "rules", "reasons", "withheld", "advice", "clears_when", "is_new",
    "is_continuation", "held", "episode", "is_acknowledged", "plan",
)  # fmt: skip


class Opened:
    """A home's published tables, read-only. `hamload.open` makes it.

    Every call reads the newest publication, whole: the night replaces the published copy at once, so no call sees half
    of one, and none waits for another. Two calls may see two publications; `pinned` gives a view in which all calls
    see the same. `frame.attrs` of every frame says which it came from (`published_at`) and which table (`table`).

    Dates are datetime64, moments datetime64 in UTC, truth is "boolean", counts are "Int64", loads and ratios float64.
    What is not known is NaN, NaT or NA and never 0; a day of rest is 0. `columns` says what each column means.

    Names and meanings of methods, arguments and columns stay until hamload 2; columns and arguments may be added.

    Attributes
    ----------
    home
        The home's folder.
    notice
        What must be said beside everything that is shown of it, for instance that it is simulated; else "".

    """

    def __init__(self, home: Path, notice: str = "", *, pin: AbstractContextManager[_Copy] | None = None) -> None:
        self.home = home
        self.notice = notice
        self._pin = pin
        self._copy = pin.__enter__() if pin is not None else None
        self._kept: dict[Any, Any] = {}
        with self._reading():
            pass

    def __repr__(self) -> str:
        with self._reading() as (con, at):
            told = [f"published {at:%Y-%m-%d %H:%M} UTC, {_ago(dt.datetime.now(tz=dt.UTC) - at)}"]
            is_current, version = warehouse.built_by(con, settings.shipped("sql"))
        if not is_current:
            told.append(f"tables of hamload {version or 'unknown'}, another version")
        if self._copy is not None:
            told.append("pinned")
        if self.notice:
            told.append(self.notice)
        return f"hamload.open({str(self.home)!r})  # {'; '.join(told)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let a pinned publication go. A view that is not pinned holds nothing."""
        if self._pin is not None:
            pin, self._pin = self._pin, None
            pin.__exit__(None, None, None)

    def pinned(self) -> Opened:
        """Return a view that stays with the newest publication of now, however many follow.

        Use it as a context manager, or close it: until then the file that it reads keeps its room on the disk, also
        once another has taken its place.
        """
        return Opened(self.home, self.notice, pin=warehouse.snapshot(self.home))

    @property
    def published_at(self) -> dt.datetime:
        """When the tables that a call reads were published, UTC."""
        with self._reading() as (_, at):
            return at

    @property
    def age(self) -> dt.timedelta:
        """How long ago that was. More than a day and a half: a night has not run, or failed; see `hamload status`."""
        return dt.datetime.now(tz=dt.UTC) - self.published_at

    @property
    def is_simulated(self) -> bool:
        """Whether any run in here was made by hamload's simulator."""
        return bool(self.sql("select coalesce(bool_or(is_simulated), false) as it from marts.activities")["it"].iloc[0])

    def athletes(self) -> pd.DataFrame:
        """Return one row an athlete: name, time zone, last day of the series, easy speed."""
        return self._table("athletes", None)

    def sessions(
        self, athlete_id: str | None = None, *, since: Day = None, until: Day = None, labels: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return one real run a row, oldest first.

        Parameters
        ----------
        athlete_id
            Whose; None for everybody's. As in every method.
        since, until
            The first and the last day, both included: "2026-11-22" or a date; None for no bound. As in every method.
        labels
            Those alone that bear one of these: "hill", "speed", "long", "heavy", "easy".

        Raises
        ------
        HamloadError
            For an athlete that there is not, a day that is none, or tables of another version, each with its remedy.

        """
        _check_labels(labels)
        found = self._table("sessions", athlete_id, since, until)
        if not labels:
            return found
        return found[found[[f"is_{label}" for label in labels]].fillna(value=False).any(axis=1)].reset_index(drop=True)

    def daily(
        self, athlete_id: str | None = None, series: str | None = None, *, since: Day = None, until: Day = None
    ) -> pd.DataFrame:
        """Return load, acute and chronic means, ratios, monotony and strain: a row per athlete, day and series.

        Parameters
        ----------
        athlete_id, since, until
            As in `sessions`.
        series
            "total", "heavy", "hill", "speed" or "long"; None for all five.

        """
        if series is not None and series not in SERIES:
            raise HamloadError(f"There is no series {series!r}.", f"There are: {', '.join(SERIES)}.")
        found = self._table("daily", athlete_id, since, until)
        return found if series is None else found[found["series"] == series].reset_index(drop=True)

    def weeks(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return demand (load, heavy load), capacity (curls) and tightness: one week a row, by its Monday."""
        return self._table("weeks", athlete_id, since, until)

    def alerts(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return the state of each day, with its reasons in sentences and what is withheld on it.

        A red flag that was logged after the publication counts at once: the newest day is then "stop", and no advice
        of any day is shown. `.sql` knows nothing of that.
        """
        with self._reading() as (con, at):
            found = self._alert_rows(con, athlete_id, since, until)
        for column, told in (("rules", "rule"), ("sentences", "sentence")):
            values = [[reason[told] for reason in reasons] for reasons in found["reasons"]]
            found[column] = pd.Series(values, index=found.index, dtype=object)
        found["reasons"] = found.pop("sentences")
        return _with_attrs(found[list(_ALERTS)].copy(), "marts.alerts", at)

    def reasons(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return why each day had its state: a row per day and rule, with its number, its threshold and its causes.

        `causes` holds the runs behind it: session_id, share of the number (0-1, None where that has no meaning), and a
        sentence. Red flags count at once, as in `alerts`.
        """
        names = ("rule", "state", "value", "threshold", "sentence", "evidence", "causes")
        with self._reading() as (con, at):
            days = self._alert_rows(con, athlete_id, since, until)
            empty = frame(con, "select * from marts.alert_reasons limit 0")
        rows = [
            (day["athlete_id"], day["date"], day["state"], place, *(reason[name] for name in names))
            for day in days.to_dict("records")
            for place, reason in enumerate(day["reasons"], 1)
        ]
        found = pd.DataFrame(rows, columns=["athlete_id", "date", "day_state", "place", *names]) if rows else empty
        return _with_attrs(found.astype(dict(empty.dtypes)), "marts.alert_reasons", at)

    def curls(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return done hamstring curls, one session a row, by whomever they were told."""
        return self._table("curls", athlete_id, since, until)

    def journal(
        self, athlete_id: str | None = None, kind: str | None = None, *, since: Day = None, until: Day = None
    ) -> pd.DataFrame:
        """Return what the runner logged (tightness, soreness, curls, massage, ...), one entry a row; or of one kind."""
        found = self._table("journal", athlete_id, since, until)
        return found if kind is None else found[found["kind"] == kind].reset_index(drop=True)

    def activities(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return every activity of every source, copies and other sports too; never sum them up as runs."""
        return self._table("activities", athlete_id, since, until)

    def members(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return which activities make which session, and what each gives to it."""
        return self._table("members", athlete_id, since, until)

    def set_aside(self, athlete_id: str | None = None, *, since: Day = None, until: Day = None) -> pd.DataFrame:
        """Return the runs that do not count: doubted ones, and those that the runner excluded."""
        return self._table("set_aside", athlete_id, since, until)

    def unreadable(self, athlete_id: str | None = None) -> pd.DataFrame:
        """Return what could not be counted, with the reason."""
        return self._table("unreadable", athlete_id)

    def sources(self, athlete_id: str | None = None) -> pd.DataFrame:
        """Return each source: when it last answered, how far it vouches, what is wrong and what mends it."""
        return self._table("sources", athlete_id)

    def samples(self, session_id: str) -> pd.DataFrame:
        """Return one run's cleaned samples, in order of time.

        Empty where none are kept: the run came as a summary, or its recording had to expire.

        Raises
        ------
        HamloadError
            Where there is no such session.

        """
        with self._reading() as (con, at):
            recording_id, _ = self._recording(con, session_id)
            found = frame(
                con,
                "select * exclude (chunk, activity_id) from landing.samples where activity_id = ? order by time_s",
                [recording_id],
            )
        return _with_attrs(found, "landing.samples", at)

    def tables(self) -> pd.DataFrame:
        """Return every table of the home: its name, what it holds, and how many rows."""
        with self._reading() as (con, at):
            found = frame(
                con,
                "select schema_name || '.' || table_name as \"table\", comment as description, estimated_size as rows"
                " from duckdb_tables() where database_name = 'hamload' order by schema_name = 'marts' desc, 1",
            )
        return _with_attrs(found, "tables", at)

    def columns(self, name: str) -> pd.DataFrame:
        """Return what each column of a frame ("daily") or of a table ("marts.daily_load") means, and its unit.

        The words are those of the comments in `sql/`, as they were when the tables were built.
        """
        table = _FRAMES[name][0] if name in _FRAMES else name
        with self._reading() as (con, at):
            rows = con.execute(
                "select column_name, data_type, comment from duckdb_columns()"
                " where database_name = 'hamload' and schema_name || '.' || table_name = ? order by column_index",
                [table],
            ).fetchall()
        if not rows:
            known = ", ".join(_FRAMES)
            raise HamloadError(f"There is no table {name!r}.", f"Frames: {known}. Tables: see .tables().")
        told = [(column, kind, *_unit_and_words(column, comment)) for column, kind, comment in rows]
        if name in _ADDED:
            added = _ADDED[name]
            by_name = {row[0]: row for row in told} | {
                key: (key, "VARCHAR" if key == "withheld" else "VARCHAR[]", None, text) for key, text in added.items()
            }
            told = [by_name[column] for column in _ALERTS]
        if name == "samples":
            told = [row for row in told if row[0] not in {"chunk", "activity_id"}]
        return _with_attrs(pd.DataFrame(told, columns=["column", "type", "unit", "description"]), table, at)

    def sql(self, query: str) -> pd.DataFrame:
        """Return the rows of any select over the home's tables, with the types that every frame has.

        Alerts are here as they were built: what was logged since is known to `alerts` and `reasons` alone.

        Raises
        ------
        HamloadError
            Where DuckDB refuses it; its own error is the cause.

        """
        with self._reading() as (con, at):
            try:
                query.encode()
                if not con.extract_statements(query):
                    raise duckdb.InvalidInputException("There is no query in it")
                found = frame(con, query)
            except (duckdb.Error, UnicodeEncodeError) as error:
                what = str(error).strip().splitlines()[0]
                if "read-only mode" in what:
                    raise HamloadError(
                        "The published tables are read-only.",
                        "Keep what you make in a frame, or in a file of your own.",
                    ) from error
                raise HamloadError(f"This query does not run: {what}.", "See .tables() and .columns(name).") from error
        return _with_attrs(found, "sql", at)

    def coefficients(self) -> pd.DataFrame:
        """Return every coefficient and threshold of this home, with what it rests on; see `hamload.coefficients`."""
        from hamload.api import coefficients_frame  # noqa: PLC0415  # that module needs this one

        return coefficients_frame(settings.load(self.home).provenance)

    def chart(  # all but the first have defaults
        self,
        name: str = "load",
        days: int = 84,
        athlete_id: str = "",
        *,
        since: Day = None,
        until: Day = None,
        session_id: str = "",
        labels: Sequence[str] = (),
        width: int = 560,
    ) -> Any:
        """Return a chart as the report and the mail have it (Altair).

        Parameters
        ----------
        name
            "load", "ratios" or "strength", as in the report; "sessions", the runs with their kinds (`labels`: those
            that bear one of them); "causes", the runs behind the reasons of one day, `until` or the newest; "run", one
            run's course (`session_id`).
        days
            How many, up to `until` or the newest; `since` goes before it.
        athlete_id
            Whose, where the home has several runners.
        width
            In points.

        """
        from hamload import charts  # noqa: PLC0415  # Altair is slow to import
        from hamload.api import drawing  # noqa: PLC0415

        if name not in drawing.NAMES:
            raise HamloadError(f"There is no chart {name!r}.", f"There are: {', '.join(drawing.NAMES)}.")
        bounds = span(since, until)
        current = settings.load(self.home)
        with self._reading() as (con, _):
            if name == "run":
                if not session_id:
                    raise HamloadError("Which run?", 'Say: chart("run", session_id=...); see .sessions().')
                return drawing.run(con, current, *self._recording(con, session_id), width)
            runner = self._runner(con, athlete_id)
            first, last = _stretch(con, runner, bounds, days)
            if name == "causes":
                rows = {"causes": drawing.causes(con, self.reasons(runner, since=last, until=last))}
            elif name == "sessions":
                _check_labels(labels)
                rows = {"sessions": charting.session_rows(con, current.language(last), runner, first, last, labels)}
            else:
                rows = drawing.reported(name, con, current, runner, (first, last))
        drawn = getattr(charts, name)
        chart = drawn(width, language=current.language()) if name in drawing.REPORTED else drawn(width)
        return charts.with_rows(chart, **rows)

    def backtest(self, athlete_id: str = "", thresholds: Mapping[str, float] | None = None) -> BackTest:
        """Hold the rules against the tightness that the runner logged.

        Parameters
        ----------
        athlete_id
            Whose, where the home has several runners.
        thresholds
            Others than the home's own, by their names in `coefficients`: {"alerts.deload.spike": 1.25}.

        """
        from hamload.api.backtests import BackTest  # noqa: PLC0415  # pays for its own imports
        from hamload.pipeline.counsel import backtesting  # noqa: PLC0415

        current = settings.load(self.home)
        changed = settings.overlaid(current, thresholds) if thresholds else current
        with self._reading() as (con, at):
            runner = self._runner(con, athlete_id)
            # The days cost more than holding rules against them, and a slider asks for the same ones again.
            key = ("days", runner, at, changed.model.version)
            if key not in self._kept:
                self._kept = {key: backtesting.facts(con, changed, runner)}
            days = self._kept[key]
        return BackTest(days, changed.alerts, runner, at)

    def reassess(self, athlete_id: str = "", *, since: Day = None, until: Day = None) -> Reassessment:
        """Hold a stretch of runs in memory, to be assessed again under other assumptions.

        Parameters
        ----------
        athlete_id
            Whose, where the home has several runners.
        since, until
            Both included; None takes the last 365 days. A year of recordings is some hundred megabytes of memory.

        """
        from hamload.api.reassessment import Reassessment  # noqa: PLC0415  # pays for its own imports

        first, last = span(since, until)
        current = settings.load(self.home)
        with self._reading() as (con, at):
            runner = self._runner(con, athlete_id)
            return Reassessment.read(con, current, runner, (first, last), at)

    @contextmanager
    def _reading(self) -> Iterator[_Copy]:
        """Open the publication that a call reads; where it lacks a table, say which version made it."""
        with self._opened() as (con, at):
            try:
                yield con, at
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise self._other_version(con) from error

    @contextmanager
    def _opened(self) -> Iterator[_Copy]:
        if self._copy is None:
            with warehouse.snapshot(self.home) as opened:
                yield opened
            return
        if self._pin is None:
            raise HamloadError("This pinned view was closed.", "Pin another: hamload.open(...).pinned().")
        con, at = self._copy
        with closing(warehouse.another(con)) as own:
            yield own, at

    def _table(
        self, name: str, athlete_id: str | None, since: Day = None, until: Day = None, extra: str = ""
    ) -> pd.DataFrame:
        table, column, order = _FRAMES[name]
        first, last = span(since, until)
        with self._reading() as (con, at):
            self._check_athlete(con, athlete_id)
            where = ["$1 is null or athlete_id = $1"]
            values: list[Any] = [athlete_id]
            for bound, sign in ((first, ">="), (last, "<=")):
                if bound is not None:
                    values.append(bound)
                    # A week belongs to a stretch that it only reaches into.
                    from_day = f"date_trunc('week', ${len(values)}::date)" if (name, sign) == ("weeks", ">=") else ""
                    where.append(f"{column} {sign} {from_day or f'${len(values)}'}")
            query = (
                f"select * from {table} where {' and '.join(f'({part})' for part in where)}"  # noqa: S608  # our names
                f" order by athlete_id, {order}{extra}"
            )
            found = frame(con, query, values)
        return _with_attrs(found, table, at)

    def _alert_rows(
        self, con: duckdb.DuckDBPyConnection, athlete_id: str | None, since: Day, until: Day
    ) -> pd.DataFrame:
        from hamload.pipeline.counsel import withholding  # noqa: PLC0415  # pays for its own imports

        first, last = span(since, until)
        self._check_athlete(con, athlete_id)
        found = frame(con, _ALERT_ROWS, [athlete_id, first, last])
        # What was logged a minute ago must not wait for the next build.
        names = sorted(set(found["athlete_id"]))
        current = settings.load(self.home) if names else None
        flags = {name: withholding.logged_flags(current, name) for name in names if current is not None}
        rows: list[dict[str, Any]] = []
        for told in found.to_dict("records"):
            row: dict[str, Any] = {str(name): value for name, value in told.items()}
            is_newest = row.pop("is_newest")
            row["reasons"] = row["reasons"] or []
            why = row.pop("withheld_why")
            if open_flags := flags[row["athlete_id"]]:
                row = withholding.stopped_row(row, open_flags, is_newest=is_newest)
            row["withheld"] = _withheld(row["state"], why, is_flagged=bool(open_flags))
            rows.append(row)
        if not rows:
            return found.assign(withheld=pd.Series(dtype="str"))
        kinds = found.dtypes.drop(["is_newest", "withheld_why"])
        return pd.DataFrame(rows).astype(dict(kinds))

    def _recording(self, con: duckdb.DuckDBPyConnection, session_id: str) -> tuple[str, float]:
        found = con.execute(
            "select recording_id, athletes.easy_speed_mps from ("
            " select session_id, recording_id, athlete_id from marts.sessions"
            " union all select session_id, recording_id, athlete_id from marts.set_aside"
            ") join landing.athletes as athletes using (athlete_id) where session_id = ?",
            [session_id],
        ).fetchall()
        if not found:
            raise HamloadError(
                f"There is no session {session_id!r} in {self.home}.", "See .sessions() and .set_aside()."
            )
        return found[0][0], found[0][1] or settings.defaults()[0].easy_speed.default_mps

    def _runner(self, con: duckdb.DuckDBPyConnection, athlete_id: str) -> str:
        """Return the named athlete, or the only one there is."""
        if athlete_id:
            self._check_athlete(con, athlete_id)
            return athlete_id
        names = _athlete_ids(con)
        if len(names) != 1:
            raise ConfigurationError(
                f"This home has several runners: {', '.join(names)}.", 'Say which one: athlete_id="NAME".'
            )
        return names[0]

    def _check_athlete(self, con: duckdb.DuckDBPyConnection, athlete_id: str | None) -> None:
        if athlete_id is not None and athlete_id not in (names := _athlete_ids(con)):
            raise HamloadError(
                f"There is no runner {athlete_id!r} in {self.home}.", f"There is: {', '.join(names) or 'nobody yet'}."
            )

    def _other_version(self, con: duckdb.DuckDBPyConnection) -> WarehouseError:
        import hamload  # noqa: PLC0415  # only its version is asked for

        _, version = warehouse.built_by(con, settings.shipped("sql"))
        if _numbers(version) > _numbers(hamload.__version__):
            return WarehouseError(
                f"The tables in {self.home} were made by hamload {version}, newer than this one"
                f" ({hamload.__version__}).",
                "Run: pip install --upgrade hamload",
            )
        made_by = f"hamload {version}" if version else "an older hamload"
        return WarehouseError(f"The tables in {self.home} were made by {made_by}.", "Run: hamload rebuild")


type _Copy = tuple[duckdb.DuckDBPyConnection, dt.datetime]

_ALERT_ROWS = """
select
    alerts.*,
    daily.withheld_why,
    alerts.date = max(alerts.date) over (partition by alerts.athlete_id) as is_newest
from marts.alerts as alerts
left join marts.daily_load as daily
    on daily.athlete_id = alerts.athlete_id and daily.date = alerts.date and daily.series = 'total'
where $1 is null or alerts.athlete_id = $1
qualify alerts.date between coalesce($2, date '0001-01-01') and coalesce($3, date '9999-12-31')
order by alerts.athlete_id, alerts.date
"""


_LABELS = ("hill", "speed", "long", "heavy", "easy")


def _check_labels(labels: Sequence[str]) -> None:
    for label in [labels] if isinstance(labels, str) else labels:
        if label not in _LABELS or isinstance(labels, str):
            raise HamloadError(f"labels = {labels!r} is not usable.", f"Give a list of: {', '.join(_LABELS)}.")


def _stretch(
    con: duckdb.DuckDBPyConnection, athlete_id: str, bounds: tuple[dt.date | None, dt.date | None], days: int
) -> tuple[dt.date, dt.date]:
    """Return the days to draw, within those that there are."""
    ((oldest, newest),) = con.execute(
        "select min(date), max(date) from marts.daily_load where athlete_id = ?", [athlete_id]
    ).fetchall()
    if newest is None:
        raise WarehouseError(f"There is nothing to draw of {athlete_id} yet.", "Run: hamload import PATH.")
    last = max(min(bounds[1] or newest, newest), oldest)
    if days < 1:
        raise HamloadError(f"{days} days cannot be drawn.", "Name at least one.")
    since = bounds[0] or last - dt.timedelta(days=min(days - 1, (last - oldest).days))
    return min(max(since, oldest), last), last


def _athlete_ids(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("select athlete_id from landing.athletes order by 1").fetchall()]


def _withheld(state: str, why: object, *, is_flagged: bool) -> str | None:
    if state == "stop":
        return "all exercise advice: see a clinician"
    if is_flagged:
        return "what was advised: a warning sign is open"
    return f"the ratios: {why}" if isinstance(why, str) else None


def _unit_and_words(column: str, comment: str | None) -> tuple[str | None, str | None]:
    if comment and comment.startswith("["):
        unit, _, words = comment.removeprefix("[").partition("] ")
        return unit, words
    return _UNITS.get(column.rpartition("_")[2] if "_" in column else ""), comment


def _with_attrs(found: pd.DataFrame, table: str, at: dt.datetime) -> pd.DataFrame:
    # Text alone, so that to_parquet can keep it.
    found.attrs = {"table": table, "published_at": at.isoformat()}
    return found


def _ago(age: dt.timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    for most, size, name in ((120, 1, "minute"), (48 * 60, 60, "hour")):
        if minutes < most:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return f"{minutes // (24 * 60)} days ago"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
