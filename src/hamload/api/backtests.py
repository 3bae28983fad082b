"""The back-test as frames and charts; what it means is `hamload.advice.backtest`'s."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from hamload.api import drawing
from hamload.pipeline.counsel import backtesting
from hamload.pipeline.showing import charting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from hamload.parameters import AlertRules
    from hamload.pipeline.counsel.backtesting import Backtested
    from hamload.records import DayFacts

    type _Sets = dict[str, list[dict[str, Any]]]

_METHODS = {"coupled": "coupled", "uncoupled": "uncoupled", "ewma": "EWMA"}


@dataclass(frozen=True)
class BackTest:
    """One runner's rules held against their own tightness entries. `Opened.backtest` makes it.

    One runner's few flares prove nothing: `sentences` say how much this can tell, and belong beside every number.
    """

    _days: Sequence[DayFacts]
    _rules: AlertRules
    athlete_id: str
    published_at: dt.datetime

    def __repr__(self) -> str:
        found = self.result
        return f"<back-test of {self.athlete_id}: {found.entries} entries, {len(found.flares)} flares>"

    @cached_property
    def result(self) -> Backtested:
        """Everything, as `hamload backtest --json` gives it."""
        return backtesting.hold(self._days, self._rules, self.athlete_id)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What follows from it, and what does not."""
        return self.result.sentences

    @property
    def flares(self) -> tuple[dt.date, ...]:
        """The days on which tightness reached the line after a calm week."""
        return self.result.flares

    def rules(self) -> pd.DataFrame:
        """Return what each rule would have been worth: rule, state, fired, hits, false_alarms, unseen, caught, ...

        `fired`: on how many days it began to hold; `hits`: a flare began within two weeks after; `false_alarms`: none
        did although tightness was logged; `unseen`: nothing was logged; `caught`: flares that began within two weeks
        after it; `lead_days`: median days before them, NaN without one; `per_28_days`: how often it fires.
        """
        names = ["rule", "state", "fired", "hits", "false_alarms", "unseen", "caught", "lead_days", "per_28_days"]
        found = pd.DataFrame([asdict(row) for row in self.result.rules], columns=names)
        found["state"] = [str(state) for state in found["state"]]
        return found.astype({"lead_days": "float64", "per_28_days": "float64"})

    def nulls(self) -> pd.DataFrame:
        """Return each ratio beside itself with the chronic load of other days, drawn at random (Impellizzeri 2020).

        `caught`: flares that the ratio caught; `shuffled_low`, `_median`, `_high`: what chance catches (5, 50, 95 %);
        `share_as_good`: in which share (0-1) of the shuffles chance did as well.
        """
        names = [
            "rule", "caught", "fired", "shuffled_median", "shuffled_low", "shuffled_high", "share_as_good",
        ]  # fmt: skip
        return pd.DataFrame([asdict(row) for row in self.result.nulls], columns=names)

    def windows(
        self, acute_days: Sequence[int] = (5, 7, 10, 14), chronic_days: Sequence[int] = (21, 28, 35, 42)
    ) -> pd.DataFrame:
        """Return each form of the ratio with other windows: share of days above its threshold, flares caught.

        `share` (0-1) is of the days that have a ratio, NaN where none has.
        """
        found = backtesting.windows(self._days, self.flares, self._rules, acute_days, chronic_days)
        names = ["method", "acute_days", "chronic_days", "share", "fired", "caught"]
        return pd.DataFrame([asdict(row) for row in found], columns=names).astype({"share": "float64"})

    def chart(self, name: str, width: int = 560) -> Any:
        """Return a chart (Altair).

        "rules": what followed each firing; "forms": every form of the ratio with the days on which tightness flared;
        "nulls": the ratios beside chance; "windows": other windows (its width is its own).
        """
        from hamload import charts  # noqa: PLC0415  # Altair is slow to import
        from hamload.errors import HamloadError  # noqa: PLC0415

        rows = {
            "rules": self._rule_rows,
            "forms": self._form_rows,
            "nulls": self._null_rows,
            "windows": self._window_rows,
        }
        if name not in rows:
            raise HamloadError(f"There is no chart {name!r}.", f"There are: {', '.join(rows)}.")
        chart = charts.windows() if name == "windows" else getattr(charts, name)(width)
        return charts.with_rows(chart, **rows[name]())

    def _form_rows(self) -> _Sets:
        days = [
            {
                "at": charting.milliseconds(day.date),
                "label": f"{day.date:%a %-d %b %Y}",
                "coupled": charting.rounded(day.total.acwr_coupled, 3),
                "uncoupled": charting.rounded(day.total.acwr_uncoupled, 3),
                "ewma": charting.rounded(day.total.acwr_ewma, 3),
            }
            for day in self._days
        ]
        withheld = [(d.date, "no ratio" if d.total.acwr_uncoupled is None else None) for d in self._days]
        return {
            "forms": days,
            "limits": drawing.limits(self._rules),
            "flares": drawing.flares(self.flares),
            "withheld": list(charting.spans(withheld)),
        }

    def _rule_rows(self) -> _Sets:
        outcomes = {"hit": "hits", "false alarm": "false_alarms", "nothing logged": "unseen"}
        rows = [
            {"rule": f"{row.rule.replace('_', ' ')} ({row.state.value})", "outcome": outcome, "times": times}
            for row in self.result.rules
            for outcome, name in outcomes.items()
            if (times := getattr(row, name)) or not row.fired
        ]
        return {"rules": rows}

    def _null_rows(self) -> _Sets:
        rows = [
            {
                "rule": row.rule.replace("_", " "),
                "caught": row.caught,
                "low": row.shuffled_low,
                "median": row.shuffled_median,
                "high": row.shuffled_high,
            }
            for row in self.result.nulls
        ]
        return {"nulls": rows}

    def _window_rows(self) -> _Sets:
        rows = [
            {
                "form": _METHODS[row["method"]],
                "acute": row["acute_days"],
                "chronic": row["chronic_days"],
                "percent": None if pd.isna(row["share"]) else round(100 * row["share"], 1),
                "fired": row["fired"],
                "caught": row["caught"],
            }
            for row in self.windows().to_dict("records")
        ]
        return {"windows": rows}
