"""The charts, each defined once: the notebook shows them, the report makes them move, the mail takes them as PNG.

Rows in, Altair charts out; no warehouse and no clock. Times are milliseconds since 1970 in UTC (a local day is its own
midnight there), `label` is that day in words, loads are EFM per day, None is unknown. A chart names its data sets and
carries none until `with_rows` gives it some: the report swaps them as the reader chooses a range.

Colours are Okabe and Ito's ("Color Universal Design", 2008), told apart with any colour vision, and each is at least
3:1 on the light and on the dark page; what differs in colour also differs in dash, shape or place.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt

from hamload.language import ENGLISH, text, word
from hamload.records import PARTS

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
}
_INK, _MUTED, _LINE, _UNKNOWN = "#1c2024", "#565d66", "#d5d9dd", "#8a9096"
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
_DAY_MS = 86_400_000
#: The share of its day that a bar fills.
_BAR = 0.84
#: Line names, as legends show them.
ACUTE, CHRONIC = text("acute, 7 days"), text("chronic, 28 days")
#: How high an axis is at least: a chart of unknown days only still shows what it would measure.
_LEAST_EFM, _LEAST_RATIO, _LEAST_CURLS = 10, 2, 5


def load(width: int | str = 560, height: int = 220, language: Language = ENGLISH) -> Chart:
    """Return daily load by part with its acute and chronic means. Data: `days`, `unknown`.

    `days`: at, days (1, or 7 for a bar that is a week's mean), label, hill, speed, long, base, acute, chronic;
    `unknown`: at, until, why.
    """
    say = language.say
    acute, chronic = say(ACUTE), say(CHRONIC)
    days = alt.Chart(alt.NamedData("days"))
    at = _time("at")
    bars = (
        days.transform_calculate(end=f"datum.at + {_BAR * _DAY_MS} * datum.days")
        .transform_fold(list(PARTS), as_=["part", "efm"])
        .transform_filter("isValid(datum.efm) && datum.efm > 0")
        .transform_calculate(place=f"indexof({list(PARTS)!r}, datum.part)")
        .transform_stack(
            stack="efm", groupby=["at"], as_=["bottom", "top"], sort=[alt.SortField("place", "descending")]
        )
        .mark_rect(clip=True)
        .encode(
            x=at,
            x2="end:Q",
            y=alt.Y("top:Q", axis=alt.Axis(title=language.text("EFM a day"), tickCount=5), scale=alt.Scale(zero=True)),
            y2="bottom:Q",
            color=_colour("part", list(PARTS), language),
        )
    )
    lines = (
        days.transform_calculate(centre=f"datum.at + {_DAY_MS / 2} * datum.days")
        .transform_fold(["acute", "chronic"], as_=["mean", "efm"])
        .transform_calculate(mean=f"datum.mean == 'acute' ? {json.dumps(acute)} : {json.dumps(chronic)}")
        .mark_line(color=_INK, strokeWidth=1.8, clip=True)
        .encode(
            x=_time("centre"),
            y="efm:Q",
            strokeDash=alt.StrokeDash(
                "mean:N", scale=alt.Scale(domain=[acute, chronic], range=[[1, 0], [5, 4]]), legend=_legend()
            ),
        )
        .properties(name="ink")
    )
    told = [(language.text("Day"), "label:N", None), *((say(word(p)), f"{p}:Q", ".0f") for p in PARTS)]
    told += [(acute, "acute:Q", ".1f"), (chronic, "chronic:Q", ".1f")]
    layers = (_spans("unknown", language), bars, lines, _hover(days, told), _at_least(_LEAST_EFM))
    return _finished(alt.layer(*layers), width, height)


def ratios(width: int | str = 560, height: int = 180, language: Language = ENGLISH) -> Chart:
    """Return the acute-to-chronic ratios of the total load. Data: `ratios`, `withheld`, `thresholds`.

    `ratios`: at, label, uncoupled, ewma; `withheld`: at, until, why; `thresholds`: value, label. Their values
    stand in the right margin, beside the data; what each is, a caption says.
    """
    rows = alt.Chart(alt.NamedData("ratios"))
    names: list[Any] = ["uncoupled", "EWMA"]
    lines = (
        rows.transform_calculate(EWMA="datum.ewma")
        .transform_fold(names, as_=["ratio", "value"])
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            x=_time("at"),
            y=alt.Y(
                "value:Q",
                axis=alt.Axis(title=language.text("acute to chronic"), tickCount=5),
                scale=alt.Scale(zero=True),
            ),
            color=_colour("ratio", names, language),
            strokeDash=alt.StrokeDash(
                "ratio:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=_legend()
            ),
        )
    )
    limits = alt.Chart(alt.NamedData("thresholds")).encode(y="value:Q")
    rules = (
        limits.mark_rule(color=_INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
        .encode(tooltip=alt.Tooltip("label:N", title=language.text("threshold")))
        .properties(name="limit")
    )
    words = (
        limits.mark_text(align="left", baseline="middle", dx=4, fontSize=11, color=_INK)
        .encode(x=alt.value("width"), text=alt.Text("value:Q", format=".2~f"))
        .properties(name="words")
    )
    told = [(language.text("Day"), "label:N", None), (language.text("uncoupled"), "uncoupled:Q", ".2f")]
    told.append((language.text("EWMA"), "ewma:Q", ".2f"))
    layers = (_spans("withheld", language), rules, lines, words, _hover(rows, told), _at_least(_LEAST_RATIO))
    return _finished(alt.layer(*layers), width, height)


def strength(width: int | str = 560, height: int = 90, language: Language = ENGLISH) -> Chart:
    """Return reported tightness above done curls. Data: `tightness` (at, label, tightness), `curls`, `whole`.

    `curls`: at, label, repetitions, sets; `whole`: at of the first and of the last day to show.
    """
    felt = alt.Chart(alt.NamedData("tightness")).encode(
        x=_time("at", labels=False),
        y=alt.Y(
            "tightness:Q",
            scale=alt.Scale(domain=[0, 10]),
            axis=alt.Axis(title=language.text("tightness"), values=[0, 5, 10]),
        ),
        tooltip=[
            alt.Tooltip("label:N", title=language.text("Day")),
            alt.Tooltip("tightness:Q", title=language.text("tightness of 10")),
        ],
    )
    colour = COLOURS["tightness"]
    above = alt.layer(
        _whole(labels=False),
        felt.mark_line(color=colour, strokeWidth=1.5),
        felt.mark_circle(color=colour, size=45, opacity=1),
    )
    curls = (
        alt.Chart(alt.NamedData("curls"))
        .transform_calculate(end=f"datum.at + {_BAR * _DAY_MS}", none="0")
        .mark_rect(color=COLOURS["curls"], clip=True)
        .encode(
            x=_time("at"),
            x2="end:Q",
            y=alt.Y("repetitions:Q", axis=alt.Axis(title=language.text("curls"), tickCount=3, tickMinStep=1)),
            y2="none:Q",
            tooltip=[
                alt.Tooltip("label:N", title=language.text("Day")),
                alt.Tooltip("repetitions:Q", title=language.text("repetitions")),
                alt.Tooltip("sets:Q", title=language.text("sets")),
            ],
        )
    )
    both = alt.vconcat(
        above.properties(width=width, height=height),
        alt.layer(_whole(), _at_least(_LEAST_CURLS), curls).properties(width=width, height=height),
    )
    return _themed(both.resolve_scale(x="shared"))


def run(width: int | str = 560, height: int = 90, language: Language = ENGLISH) -> Chart:
    """Return one run over its time: speed, grade and demand. Data: `run` (minute, speed, grade, demand)."""
    speed, grade, demand = language.speed_unit, language.text("grade, %"), language.text("demand")
    minutes = language.text("minutes")
    rows = alt.Chart(alt.NamedData("run"))
    panels = []
    for name, title, colour in (
        ("speed", speed, COLOURS["speed"]),
        ("grade", grade, COLOURS["long"]),
        ("demand", demand, COLOURS["hill"]),
    ):
        is_last = name == "demand"
        axis = alt.Axis(title=minutes if is_last else None, labels=is_last, ticks=is_last)
        told = [(minutes, "minute:Q", ".1f"), (speed, "speed:Q", ".1f"), (grade, "grade:Q", ".1f")]
        told.append((demand, "demand:Q", ".2f"))
        line = rows.mark_line(color=colour, strokeWidth=1.5).encode(
            x=alt.X("minute:Q", axis=axis, scale=alt.Scale(nice=False)),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=title, tickCount=4), scale=alt.Scale(zero=name != "grade")),
        )
        panels.append(
            alt.layer(line, _hover(rows, told, x="minute:Q")).properties(width=width, height=height, name=f"run_{name}")
        )
    return _themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared"))


def with_rows(chart: Chart, **rows: Rows) -> Chart:
    """Return the chart with rows for its named data sets, for a notebook."""
    filled = chart.copy()
    filled.datasets = {name: list(values) for name, values in rows.items()}
    return filled


def png(chart: Chart, scale: float = 1.6, language: Language = ENGLISH, **rows: Rows) -> bytes:
    """Return the chart as PNG on white, with so many pixels to a point."""
    import vl_convert  # noqa: PLC0415  # its renderer is large, and only mail needs it

    locale = language.chart_locale()
    return bytes(
        vl_convert.vegalite_to_png(
            spec(chart, "#ffffff", **rows),
            scale=scale,
            format_locale=locale["number"],
            time_format_locale=locale["time"],
        )
    )


def spec(chart: Chart, background: str = "transparent", **rows: Rows) -> dict[str, Any]:
    """Return the chart as a Vega-Lite specification."""
    told: dict[str, Any] = chart.to_dict(validate=False)
    told["datasets"] = {name: list(values) for name, values in rows.items()}
    told["config"]["background"] = background
    return told


def _time(field: str, *, labels: bool = True) -> alt.X:
    axis = alt.Axis(
        title=None, labels=labels, ticks=labels, labelOverlap=True, labelSeparation=10, labelFlush=True, tickCount=6,
        format={"year": "%Y", "quarter": "%b", "month": "%b", "week": "%-d %b", "date": "%-d %b", "hours": " ",
            "minutes": " "},
    )  # fmt: skip
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", nice=False, padding=4), axis=axis)


def _colour(field: str, names: Sequence[str], language: Language) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])
    shown = {name: language.say(_NAMES.get(name) or word(name)) for name in names}
    return alt.Color(f"{field}:N", scale=scale, legend=_legend(labelExpr=f"{json.dumps(shown)}[datum.label]"))


_NAMES = {"uncoupled": text("uncoupled"), "EWMA": text("EWMA")}


def _legend(**others: Any) -> alt.Legend:
    return alt.Legend(title=None, orient="top", direction="horizontal", **others)


def _at_least(height: float) -> Chart:
    """Return nothing to see, up to which the axis reaches."""
    # A generator: rows of its own would be swapped away with the named ones.
    data = alt.sequence(height, height + 1, as_="least")
    return alt.Chart(data).mark_point(opacity=0).encode(y="least:Q")


def _spans(name: str, language: Language) -> Chart:
    """Return the stretches of which nothing is known or shown: grey, with the reason."""
    return (
        alt.Chart(alt.NamedData(name))
        .mark_rect(color=_UNKNOWN, opacity=0.22, clip=True)
        .encode(x=_time("at"), x2="until:T", tooltip=alt.Tooltip("why:N", title=language.text("unknown")))
        .properties(name="span")
    )


def _hover(rows: Chart, told: Sequence[tuple[str, str, str | None]], x: str = "") -> Chart:
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
        .encode(x=_time("at"), x2="strip:T", y=alt.value(0), y2=alt.value("height"), tooltip=tooltip)
    )


def _whole(*, labels: bool = True) -> Chart:
    return alt.Chart(alt.NamedData("whole")).mark_point(opacity=0).encode(x=_time("at", labels=labels))


def _finished(chart: Chart, width: int | str, height: int) -> Chart:
    return _themed(chart.properties(width=width, height=height))


def _themed(chart: Chart) -> Chart:
    words = {"labelFont": _FONT, "titleFont": _FONT, "labelColor": _MUTED, "titleColor": _MUTED}
    return (
        chart.configure(font=_FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            **words, gridColor=_LINE, domainColor=_LINE, tickColor=_LINE, labelFontSize=12, titleFontSize=12,
            titleFontWeight="normal", titlePadding=8,
        )
        .configure_axisX(grid=False)
        .configure_legend(**words, labelFontSize=12, symbolSize=90, offset=4, columnPadding=14)
        .configure_line(invalid="break-paths-show-path-domains")
    )  # fmt: skip
