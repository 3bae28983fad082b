"""What the charts have in common: colours, axes, spans, the strips that speak, and how a chart leaves this room."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt

from hamload.language import ENGLISH, WORDS, marked, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hamload.language import Language

    type Rows = Sequence[Mapping[str, Any]]

#: An Altair chart; which class it is depends on its layers, and nobody needs to know.
type Chart = Any

COLOURS = {
    "hill": "#0072b2",
    "speed": "#d55e00",
    "long": "#009e73",
    "base": "#8a9096",
    "uncoupled": "#0072b2",
    "EWMA": "#d55e00",
    "curls": "#009e73",
    "tightness": "#b85f8f",
    "coupled": "#009e73",
    marked("none of these"): "#8a9096",
    "not known": "#8a9096",
    "hit": "#009e73",
    "false alarm": "#d55e00",
    "nothing logged": "#8a9096",
    "as shipped": "#8a9096",
    marked("as set here"): "#0072b2",
    "as stored": "#8a9096",
    "published": "#d55e00",
}
INK, _MUTED, _LINE, UNKNOWN = "#1c2024", "#565d66", "#d5d9dd", "#8a9096"
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
_DAY_MS = 86_400_000


def with_rows(chart: Chart, **rows: Rows) -> Chart:
    """Return the chart with rows for its named data sets, for a notebook."""
    filled = chart.copy()
    filled.datasets = {name: list(values) for name, values in rows.items()}
    return filled


def png(chart: Chart, scale: float = 2, language: Language = ENGLISH, **rows: Rows) -> bytes:
    """Return the chart as PNG on white, with so many pixels to a point."""
    return png_of(spec(chart), scale, language, **rows)


def png_of(template: Mapping[str, Any], scale: float = 2, language: Language = ENGLISH, **rows: Rows) -> bytes:
    """Return a chart's specification, filled with rows, as PNG on white: for whoever draws one chart many times."""
    import vl_convert  # noqa: PLC0415  # its renderer is large, and only mail needs it

    locale = language.chart_locale()
    # A row for each legend: side by side they would be wider than a phone's mail is.
    layout = {"top": {"direction": "vertical", "anchor": "start", "margin": 2}}
    config = template["config"]
    look = {**config, "background": "#ffffff", "legend": {**config["legend"], "layout": layout}}
    return bytes(
        vl_convert.vegalite_to_png(
            {**template, "config": look, "datasets": _listed(rows)},
            scale=scale,
            format_locale=locale["number"],
            time_format_locale=locale["time"],
        )
    )


def spec(chart: Chart, **rows: Rows) -> dict[str, Any]:
    """Return the chart as a Vega-Lite specification, on whatever lies behind it."""
    told: dict[str, Any] = chart.to_dict(validate=False)
    told["datasets"] = _listed(rows)
    return told


def _listed(rows: Mapping[str, Rows]) -> dict[str, Any]:
    return {name: list(values) for name, values in rows.items()}


def time(field: str, *, labels: bool = True) -> alt.X:
    """Return the axis of days."""
    axis = alt.Axis(
        title=None, labels=labels, ticks=labels, labelOverlap=True, labelSeparation=10, labelFlush=True, tickCount=6,
        format={"year": "%Y", "quarter": "%b", "month": "%b", "week": "%-d %b", "date": "%-d %b", "hours": " ",
            "minutes": " "},
    )  # fmt: skip
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", nice=False, padding=4), axis=axis)


def colour(field: str, names: Sequence[str], language: Language = ENGLISH) -> alt.Color:
    """Return the colours of names, their legend in the runner's words."""
    scale = alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])
    told: dict[str, str] = {name: _NAMES.get(name) or WORDS.get(name) or name for name in names}
    shown = {name: language.say(one) for name, one in told.items()}
    return alt.Color(f"{field}:N", scale=scale, legend=legend(labelExpr=f"{json.dumps(shown)}[datum.label]"))


_NAMES = {"uncoupled": text("uncoupled"), "EWMA": text("EWMA")}


def legend(**others: Any) -> alt.Legend:
    """Return the legend as every chart has it."""
    return alt.Legend(title=None, orient="top", direction="horizontal", **others)


def at_least(height: float) -> Chart:
    """Return nothing to see, up to which the axis reaches."""
    # A generator: rows of its own would be swapped away with the named ones.
    data = alt.sequence(height, height + 1, as_="least")
    return alt.Chart(data).mark_point(opacity=0).encode(y="least:Q")


def spans(name: str, language: Language = ENGLISH) -> Chart:
    """Return the stretches of which nothing is known or shown: grey, with the reason."""
    return (
        alt.Chart(alt.NamedData(name))
        .mark_rect(color=UNKNOWN, opacity=0.22, clip=True)
        .encode(x=time("at"), x2="until:T", tooltip=alt.Tooltip("why:N", title=language.text("unknown")))
        .properties(name="span")
    )


def hover(rows: Chart, told: Sequence[tuple[str, str, str | None]], x: str = "") -> Chart:
    """Return invisible strips that say everything of one day where the pointer is."""
    tooltip = [
        alt.Tooltip(field, title=title, format=form) if form else alt.Tooltip(field, title=title)
        for title, field, form in told
    ]
    if x:
        return rows.mark_rule(opacity=0.001, strokeWidth=6).encode(x=x, tooltip=tooltip)
    return (
        rows.transform_calculate(strip=f"datum.at + {_DAY_MS} * (datum.days || 1)")
        .mark_rect(opacity=0.001, clip=True)
        .encode(x=time("at"), x2="strip:T", y=alt.value(0), y2=alt.value("height"), tooltip=tooltip)
    )


def whole(*, labels: bool = True) -> Chart:
    """Return nothing to see, over all days: the axis reaches from the first to the last."""
    return alt.Chart(alt.NamedData("whole")).mark_point(opacity=0).encode(x=time("at", labels=labels))


def finished(chart: Chart, width: int | str, height: alt.Step | int) -> Chart:
    """Return the chart in its size and in our look."""
    return chart.properties(width=width, height=height, config=_look())


def themed(chart: Chart) -> Chart:
    """Return the chart in our look."""
    return chart.properties(config=_look())


def _look() -> alt.Config:
    # In one piece: each of Altair's configure_ methods copies the whole chart deeply.
    words: dict[str, Any] = {"labelFont": FONT, "titleFont": FONT, "labelColor": _MUTED, "titleColor": _MUTED}
    return alt.Config(
        font=FONT,
        background="transparent",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            **words, gridColor=_LINE, domainColor=_LINE, tickColor=_LINE, labelFontSize=12, titleFontSize=12,
            titleFontWeight="normal", titlePadding=8,
        ),
        axisX=alt.AxisConfig(grid=False),
        legend=alt.LegendConfig(**words, labelFontSize=12, symbolSize=90, offset=4, columnPadding=14),
        line=alt.LineConfig(invalid="break-paths-show-path-domains"),
    )  # fmt: skip
