"""A stretch of runs under other assumptions: what each coefficient changes. Nothing is written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hamload import settings as _settings
from hamload.api.frames import frame
from hamload.errors import WarehouseError
from hamload.load import daily_metrics
from hamload.pipeline.loads import reassessing
from hamload.pipeline.showing import charting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from hamload.settings import Settings

#: The assumptions about one run that `Reassessment.sensitivity` tries.
SENSITIVE = (
    "model.demand.easy_exponent",
    "model.demand.fast_exponent",
    "model.demand.grade_exponent",
    "model.demand.grade_dead_band",
    "model.session.long_gain",
    "model.session.long_span",
)
_PARTS = ("load_efm", "load_hill_efm", "load_speed_efm", "load_long_efm", "load_base_efm")
_RATIOS = ("chronic_rolling", "acwr_uncoupled", "acwr_ewma")
_YEAR = 365


@dataclass(frozen=True)
class Reassessment:
    """Recordings held in memory, assessed as often as you like. `Opened.reassess` makes it.

    Runs of which no samples are left keep their stored load (`is_reassessed`); the easy speed is the stored one. With
    no coefficient changed the stored loads come out.
    """

    _settings: Settings
    _held: reassessing.Recordings
    _sessions: pd.DataFrame
    _daily: pd.DataFrame
    _withheld: list[dict[str, Any]]
    first: dt.date
    last: dt.date

    def __repr__(self) -> str:
        return f"<{len(self._sessions)} runs from {self.first} to {self.last}, to be assessed again>"

    @classmethod
    def read(
        cls,
        con: duckdb.DuckDBPyConnection,
        settings: Settings,
        athlete_id: str,
        days: tuple[dt.date | None, dt.date | None],
        at: dt.datetime,
    ) -> Reassessment:
        """Read the runs of a stretch of days from the published tables."""
        daily = frame(
            con, "select * from marts.daily_load where athlete_id = ? and series = 'total' order by date", [athlete_id]
        )
        if daily.empty:
            raise WarehouseError(f"There is nothing to assess of {athlete_id} yet.", "Run: hamload import PATH.")
        oldest, newest = daily["date"].iloc[0].date(), daily["date"].iloc[-1].date()
        last = min(days[1] or newest, newest)
        first = min(max(days[0] or last - dt.timedelta(days=_YEAR - 1), oldest), last)
        ((zone,),) = con.execute("select time_zone from landing.athletes where athlete_id = ?", [athlete_id]).fetchall()
        sessions = frame(
            con,
            "select session_id, local_date, title, basis, load_efm as stored_efm, is_heavy as stored_is_heavy"
            " from marts.sessions where athlete_id = ? and local_date between ? and ? order by start_at, session_id",
            [athlete_id, first, last],
        )
        for found in (daily, sessions):
            found.attrs = {"published_at": at.isoformat()}
        spans = charting.chart_rows(con, settings, athlete_id, last, (last - first).days + 1).withheld
        held = reassessing.recordings(con, settings, athlete_id, zone, first)
        return cls(settings, held, sessions, daily, spans, first, last)

    def sessions(self, coefficients: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Return each run's load and parts (EFM) with these coefficients, beside what is stored.

        Parameters
        ----------
        coefficients
            By their names in `hamload.coefficients`: {"model.demand.easy_exponent": 2.2}.

        Returns
        -------
        DataFrame
            session_id, local_date, title, basis, stored_efm, stored_is_heavy, load_efm and its four parts, is_heavy,
            change (share by which the load differs from the stored one), is_reassessed.

        """
        changed = _settings.overlaid(self._settings, coefficients or {})
        rows = reassessing.reassessed(self._held, changed)
        names = ["session_id", *_PARTS, "is_heavy", "is_reassessed"]
        found = pd.DataFrame(rows, columns=names).astype({"is_heavy": "boolean", "is_reassessed": "boolean"})
        both = self._sessions.merge(found, on="session_id", how="left", validate="one_to_one")
        both = both.astype(dict.fromkeys(_PARTS, "float64"))
        both["change"] = both["load_efm"] / both["stored_efm"].where(both["stored_efm"] > 0) - 1
        return both

    def daily(self, coefficients: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Return the total series day by day with these coefficients: date, load_efm, means and ratios.

        A day that is unknown stays unknown. Days before the stretch keep their stored load.
        """
        changed = _settings.overlaid(self._settings, coefficients or {})
        runs = self.sessions(coefficients)
        sums = runs.groupby("local_date")["load_efm"].sum()
        dates = self._daily["date"]
        inside = (dates >= pd.Timestamp(self.first)) & (dates <= pd.Timestamp(self.last))
        load = self._daily["load_efm"].to_numpy(dtype="float64", copy=True)
        is_known = ~np.isnan(load)
        now = dates.map(sums).fillna(0.0).to_numpy(dtype="float64")
        load = np.where(inside & is_known, now, load)
        metrics = daily_metrics(load[None, :], load, changed.model.series)
        found = pd.DataFrame(
            {"date": dates, "load_efm": load} | {name: values[0] for name, values in metrics._asdict().items()}
        )
        return found[inside].reset_index(drop=True)

    def sensitivity(self, by: float = 0.2, names: Sequence[str] = SENSITIVE) -> pd.DataFrame:
        """Return what each assumption changes by itself: every coefficient lower and higher by a share.

        Parameters
        ----------
        by
            The share, 0-1.
        names
            Of the coefficients.

        Returns
        -------
        DataFrame
            name, value (as tried), load_change (share by which the load of the stretch differs), largest_change (the
            most by which one day's uncoupled ratio differs, either way), days_above (days on which that ratio is above
            the deload threshold), days_above_stored.

        """
        stored = self.daily()
        limit = self._settings.alerts.deload.uncoupled
        rows = []
        for name in names:
            for factor in (1 - by, 1 + by):
                value = self._settings.provenance[name].value * factor
                tried = self.daily({name: value})
                apart = (tried["acwr_uncoupled"] - stored["acwr_uncoupled"]).abs()
                rows.append(
                    {
                        "name": name,
                        "value": value,
                        "load_change": tried["load_efm"].sum() / stored["load_efm"].sum() - 1,
                        "largest_change": apart.max(),
                        "days_above": int((tried["acwr_uncoupled"] > limit).sum()),
                        "days_above_stored": int((stored["acwr_uncoupled"] > limit).sum()),
                    }
                )
        return pd.DataFrame(rows)

    def chart(self, coefficients: Mapping[str, float] | None = None, width: int = 560) -> Any:
        """Return chronic load and ratios with these coefficients beside the stored ones (Altair)."""
        from hamload import charts  # noqa: PLC0415  # Altair is slow to import
        from hamload.api.drawing import limits  # noqa: PLC0415

        dates = self._daily["date"]
        stored = self._daily[(dates >= pd.Timestamp(self.first)) & (dates <= pd.Timestamp(self.last))]
        rows = [
            {
                "at": charting.milliseconds(day["date"].date()),
                "label": f"{day['date']:%a %-d %b %Y}",
                "which": which,
            }
            | {
                name: None if pd.isna(day[column]) else round(day[column], 3)
                for name, column in zip(("chronic", "uncoupled", "ewma"), _RATIOS, strict=True)
            }
            for which, table in (("as stored", stored), ("as set here", self.daily(coefficients)))
            for day in table.to_dict("records")
        ]
        rules = _settings.overlaid(self._settings, coefficients or {}).alerts
        return charts.with_rows(
            charts.reassessed(width), reassessed=rows, limits=limits(rules), withheld=self._withheld
        )
