"""The public functions: the pure model with the shipped coefficients bound, and a home's tables as pandas frames.

Stable names; the formulas themselves, with every coefficient as an argument, are in `hamload.load`.
"""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hamload import load, settings, warehouse
from hamload.errors import HamloadError
from hamload.load import acwr, energy_cost, monotony, strain
from hamload.records import Athlete, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pandas as pd

    from hamload.records import Array, SessionLoad

__all__ = [
    "Athlete",
    "Opened",
    "Samples",
    "acwr",
    "demand",
    "energy_cost",
    "monotony",
    "open",
    "session_load",
    "strain",
]


def demand(speed_mps: Any, grade: Any, easy_speed_mps: float) -> Array:
    """Return the hamstring demand h(v, i) of an instant: 1 is easy flat running. See `hamload.load.demand`.

    Parameters
    ----------
    speed_mps
        m/s, any shape; NaN stays NaN.
    grade
        Rise over run; downhill counts as level, beyond +-0.45 as +-0.45, NaN (unknown) as level.
    easy_speed_mps
        The athlete's easy speed, m/s.

    """
    return load.demand(speed_mps, grade, easy_speed_mps, settings.defaults()[0].demand)


def session_load(samples: Samples | Any, athlete: Athlete) -> SessionLoad:
    """Return the hamstring load of one run, its four parts and its labels. See `hamload.load.session_load`.

    Parameters
    ----------
    samples
        `hamload.Samples`, or a pandas frame (or mapping of arrays) with `time_s`, `speed_mps` and, where known,
        `grade`, `dt_s`, `distance_m`: for instance what `hamload.open().samples(session_id)` gives.
    athlete
        `hamload.Athlete(easy_speed_mps=2.8, typical_time_s=2700)`; further thresholds are None where unknown.

    """
    if not isinstance(samples, Samples):
        known = [name for name in Samples.__slots__ if name in samples]
        samples = Samples.of(**{name: samples[name] for name in known})
    return load.session_load(samples, athlete, settings.defaults()[0])


def open(home: str | Path | None = None) -> Opened:  # noqa: A001  # the module is the namespace: hamload.open
    """Open a home to read its tables. Neither blocks the nightly run nor is blocked by it.

    Parameters
    ----------
    home
        The home's folder; None takes HAMLOAD_HOME, else the platform's user-data folder.

    Raises
    ------
    WarehouseError
        Where nothing has been published there yet.

    """
    return Opened(settings.home_folder(Path(home) if home is not None else None))


class Opened:
    """A home's published tables. Each call reads the newest publication."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with warehouse.reader(home):
            pass

    def __repr__(self) -> str:
        return f"hamload.open({str(self.home)!r})  # published {self.published_at:%Y-%m-%d %H:%M} UTC"

    @property
    def published_at(self) -> dt.datetime:
        """When the tables were last published."""
        return dt.datetime.fromtimestamp((self.home / warehouse.PUBLISHED).stat().st_mtime, tz=dt.UTC)

    def sessions(self, athlete_id: str | None = None) -> pd.DataFrame:
        """Return `marts.sessions`: one real run a row, oldest first."""
        return self._table("marts.sessions", athlete_id, "start_at")

    def daily(self, athlete_id: str | None = None, series: str | None = None) -> pd.DataFrame:
        """Return `marts.daily_load`: one row per athlete, day and series, or of one series."""
        frame = self._table("marts.daily_load", athlete_id, "date, series")
        return frame if series is None else frame[frame["series"] == series].reset_index(drop=True)

    def alerts(self, athlete_id: str | None = None) -> pd.DataFrame:
        """Return `marts.alerts`: the state of each day, with its reasons."""
        return self._table("marts.alerts", athlete_id, "date")

    def weeks(self, athlete_id: str | None = None) -> pd.DataFrame:
        """Return `marts.weeks`: demand (load, heavy load), capacity (curls) and tightness, one week a row."""
        return self._table("marts.weeks", athlete_id, "week")

    def samples(self, session_id: str) -> pd.DataFrame:
        """Return one run's cleaned samples, in time order. Raises HamloadError where there is no such session."""
        with warehouse.reader(self.home) as con:
            found = con.execute(
                "select recording_id from marts.sessions where session_id = $1"
                " union all select recording_id from marts.set_aside where session_id = $1",
                [session_id],
            ).fetchall()
            if not found:
                raise HamloadError(f"There is no session {session_id!r} in {self.home}.", "See .sessions().")
            return _frame(
                con,
                "select * exclude (chunk, activity_id) from landing.samples where activity_id = ? order by time_s",
                [found[0][0]],
            )

    def chart(self, name: str = "load", days: int = 84, athlete_id: str = "") -> Any:
        """Return a chart as the report and the mail have it (Altair): "load", "ratios" or "strength".

        Parameters
        ----------
        days
            How many, up to the newest.
        athlete_id
            Whose, where the home has several runners.

        """
        from hamload import charts  # noqa: PLC0415  # Altair is slow to import
        from hamload.pipeline.charting import chart_rows  # noqa: PLC0415

        sets = {"load": ("days", "unknown"), "ratios": ("ratios", "withheld", "thresholds")}
        sets["strength"] = ("tightness", "curls", "whole")
        if name not in sets:
            raise HamloadError(f"There is no chart {name!r}.", f"There are: {', '.join(sets)}.")
        current = settings.load(self.home)
        runner = current.athlete(athlete_id).id
        with warehouse.reader(self.home) as con:
            ((last,),) = con.execute("select max(date) from marts.daily_load where athlete_id = ?", [runner]).fetchall()
            rows = chart_rows(con, current, runner, last, days)
        return charts.with_rows(getattr(charts, name)(), **{kind: getattr(rows, kind) for kind in sets[name]})

    def sql(self, query: str) -> pd.DataFrame:
        """Return the rows of any select over the home's tables."""
        with warehouse.reader(self.home) as con:
            return _frame(con, query)

    def _table(self, table: str, athlete_id: str | None, order: str) -> pd.DataFrame:
        with warehouse.reader(self.home) as con:
            return _frame(
                con,
                f"select * from {table} where $1 is null or athlete_id = $1 order by athlete_id, {order}",  # noqa: S608
                [athlete_id],
            )


def _frame(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> pd.DataFrame:
    with warnings.catch_warnings():
        # DuckDB 2.0 builds its frames in a way that pandas 3.1 deprecates; nothing that the caller could mend.
        warnings.filterwarnings("ignore", message="The inplace keyword")
        return con.execute(query, list(values)).df()
