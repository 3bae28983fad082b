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
    "coupled": "#009e73",
    "none of these": "#8a9096",
    "not known": "#8a9096",
    "hit": "#009e73",
    "false alarm": "#d55e00",
    "nothing logged": "#8a9096",
    "as shipped": "#8a9096",
    "as set here": "#0072b2",
    "as stored": "#8a9096",
    "published": "#d55e00",
}
_INK, _MUTED, _LINE, _UNKNOWN = "#1c2024", "#565d66", "#d5d9dd", "#8a9096"
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
_DAY_MS = 86_400_000
#: The share of its day that a bar fills.
_BAR = 0.84
#: From this share of the days on, in %, the colour says no more.
_OFTEN = 15
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


def sessions(width: int | str = 560, height: int = 180) -> Chart:
    """Return each run's load at its day, with its kind. Data: `sessions` (at, label, efm, kind)."""
    kinds: list[Any] = ["hill", "speed", "long", "none of these", "not known"]
    shapes = ["triangle-up", "diamond", "square", "circle", "cross"]
    points = (
        alt.Chart(alt.NamedData("sessions"))
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(
            x=_time("at"),
            y=alt.Y("efm:Q", axis=alt.Axis(title="EFM a run", tickCount=5), scale=alt.Scale(zero=True)),
            color=_colour("kind", kinds),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), legend=_legend()),
            tooltip=[
                alt.Tooltip("label:N", title="Run"),
                alt.Tooltip("efm:Q", title="EFM", format=".1f"),
                alt.Tooltip("kind:N", title="kind"),
            ],
        )
    )
    return _finished(points, width, height)


def causes(width: int | str = 560, height: alt.Step | int = alt.Step(24)) -> Chart:  # noqa: B008  # a constant
    """Return what share each run had in what a reason counts. Data: `causes` (run, rule, share)."""
    bars = (
        alt.Chart(alt.NamedData("causes"))
        .mark_bar(color=COLOURS["hill"])
        .encode(
            x=alt.X("share:Q", axis=alt.Axis(title="share of the number that counted", format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("run:N", sort="-x", axis=alt.Axis(title=None, labelLimit=260)),
            row=alt.Row("rule:N", header=alt.Header(title=None, labelOrient="top", labelAnchor="start", labelFont=_FONT,
                labelFontSize=12)),
            tooltip=[
                alt.Tooltip("run:N", title="Run"),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("share:Q", title="share", format=".0%"),
            ],
        )
    )  # fmt: skip
    return _themed(bars.properties(width=width, height=height).resolve_scale(y="independent"))


def forms(width: int | str = 560, height: int = 90) -> Chart:
    """Return every form of the ratio, one below the other, with thresholds and the days on which tightness flared.

    Data: `forms` (at, label, coupled, uncoupled, ewma), `limits` (form, value), `flares` (at, label), `withheld`.
    """
    rows = alt.Chart(alt.NamedData("forms")).transform_calculate(EWMA="datum.ewma")
    told = [("Day", "label:N", None), ("coupled", "coupled:Q", ".2f"), ("uncoupled", "uncoupled:Q", ".2f")]
    told.append(("EWMA", "ewma:Q", ".2f"))
    panels = []
    for name in ("coupled", "uncoupled", "EWMA"):
        line = rows.mark_line(color=COLOURS[name], strokeWidth=2, clip=True).encode(
            x=_time("at"),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=name, tickCount=4), scale=alt.Scale(zero=True)),
        )
        limit = (
            alt.Chart(alt.NamedData("limits"))
            .transform_filter(f"datum.form == '{name}'")
            .mark_rule(color=_INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
            .encode(y="value:Q", tooltip=alt.Tooltip("value:Q", title="threshold", format=".2f"))
        )
        flares = (
            alt.Chart(alt.NamedData("flares"))
            .mark_rule(color=COLOURS["tightness"], strokeWidth=2, clip=True)
            .encode(x=_time("at"), tooltip=alt.Tooltip("label:N", title="tightness flared"))
        )
        panel = alt.layer(_spans("withheld"), flares, limit, line, _hover(rows, told))
        panels.append(panel.properties(width=width, height=height, name=f"forms_{name}"))
    return _themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared"))


def rules(width: int | str = 560, height: alt.Step | int = alt.Step(26)) -> Chart:  # noqa: B008  # a constant
    """Return what followed each firing of each rule. Data: `rules` (rule, outcome, times)."""
    outcomes: list[Any] = ["hit", "false alarm", "nothing logged"]
    bars = (
        alt.Chart(alt.NamedData("rules"))
        .transform_calculate(place=f"indexof({outcomes!r}, datum.outcome)")
        .mark_bar(stroke="#ffffff", strokeWidth=1)
        .encode(
            x=alt.X("times:Q", axis=alt.Axis(title="times that the rule began to hold", tickMinStep=1)),
            y=alt.Y("rule:N", sort=None, axis=alt.Axis(title=None, labelLimit=220)),
            color=_colour("outcome", outcomes),
            order="place:Q",
            tooltip=[
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("outcome:N", title="what followed"),
                alt.Tooltip("times:Q", title="times"),
            ],
        )
    )
    return _finished(bars, width, height)


def nulls(width: int | str = 560, height: alt.Step | int = alt.Step(36)) -> Chart:  # noqa: B008  # a constant
    """Return flares caught by a ratio beside what shuffled chronic loads catch.

    Data: `nulls` (rule, caught, low, median, high).
    """
    rows = alt.Chart(alt.NamedData("nulls")).encode(y=alt.Y("rule:N", sort=None, axis=alt.Axis(title=None)))
    told = [
        alt.Tooltip(f"{field}:Q", title=title)
        for field, title in (
            ("caught", "caught by the ratio"),
            ("median", "by chance, median"),
            ("low", "by chance, 5 %"),
            ("high", "by chance, 95 %"),
        )
    ]
    axis = alt.Axis(title="flares caught", tickMinStep=1)
    chance = rows.mark_bar(color=_UNKNOWN, opacity=0.6, size=12).encode(
        x=alt.X("low:Q", axis=axis, scale=alt.Scale(zero=True)), x2="high:Q", tooltip=told
    )
    middle = rows.mark_tick(color=_INK, thickness=2, size=18).encode(x=alt.X("median:Q", axis=axis), tooltip=told)
    own = rows.mark_point(color=COLOURS["uncoupled"], filled=True, size=130, shape="diamond", opacity=1).encode(
        x=alt.X("caught:Q", axis=axis), tooltip=told
    )
    return _finished(alt.layer(chance, middle, own), width, height)


def windows(width: int = 150, height: int = 130) -> Chart:
    """Return how often each form is above its threshold with other windows. Data: `windows` (one row a pair).

    `windows`: form, acute, chronic (days), percent (of the days with a ratio; None unknown), fired, caught.
    """
    cells = (
        alt.Chart()
        .mark_rect(stroke="#ffffff", strokeWidth=1)
        .encode(
            x=alt.X("chronic:O", axis=alt.Axis(title="chronic, days", labelAngle=0)),
            y=alt.Y("acute:O", sort="descending", axis=alt.Axis(title="acute, days")),
            color=alt.Color(
                "percent:Q",
                scale=alt.Scale(scheme="blues", domain=[0, _OFTEN], clamp=True),
                legend=alt.Legend(title="% of days above", orient="right"),
            ),
            tooltip=[
                alt.Tooltip("acute:O", title="acute, days"),
                alt.Tooltip("chronic:O", title="chronic, days"),
                alt.Tooltip("percent:Q", title="% of days above", format=".1f"),
                alt.Tooltip("fired:Q", title="times it rose above"),
                alt.Tooltip("caught:Q", title="flares caught"),
            ],
        )
    )
    words = (
        alt.Chart()
        .mark_text(fontSize=11)
        .encode(
            x="chronic:O",
            y=alt.Y("acute:O", sort="descending"),
            text=alt.Text("percent:Q", format=".0f"),
            color=alt.condition(f"datum.percent > {_OFTEN / 2}", alt.value("#ffffff"), alt.value(_INK)),
        )
    )
    header = alt.Header(title=None, labelFont=_FONT, labelFontSize=12, labelFontWeight="bold")
    both = alt.layer(cells, words, data=alt.NamedData("windows")).properties(width=width, height=height)
    return _themed(both.facet(column=alt.Column("form:N", sort=["coupled", "uncoupled", "EWMA"], header=header)))


def curve(x_title: str, y_title: str, width: int | str = 560, height: int = 200) -> Chart:
    """Return one quantity as shipped and as set, over what has been published of it.

    Data: `curve` (x, y, which), `published` (x, y, label, short), `band` (x, low, high): both may be empty.
    """
    which: list[Any] = ["as shipped", "as set here"]
    x = alt.X("x:Q", axis=alt.Axis(title=x_title), scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", axis=alt.Axis(title=y_title, tickCount=5), scale=alt.Scale(zero=False))
    lines = (
        alt.Chart(alt.NamedData("curve"))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=_colour("which", which),
            strokeDash=alt.StrokeDash(
                "which:N", scale=alt.Scale(domain=which, range=[[6, 3], [1, 0]]), legend=_legend()
            ),
            tooltip=[
                alt.Tooltip("which:N", title="curve"),
                alt.Tooltip("x:Q", title=x_title, format=".2f"),
                alt.Tooltip("y:Q", title=y_title, format=".2f"),
            ],
        )
    )
    band = (
        alt.Chart(alt.NamedData("band"))
        .mark_area(color=COLOURS["published"], opacity=0.25)
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
        .properties(name="band")
    )
    known = alt.Chart(alt.NamedData("published")).encode(x=x, y=y)
    points = known.mark_point(color=COLOURS["published"], filled=True, size=90, opacity=1).encode(
        tooltip=[alt.Tooltip("label:N", title="published"), alt.Tooltip("y:Q", title=y_title, format=".2f")]
    )
    words = known.mark_text(align="right", baseline="bottom", dx=-8, dy=-4, fontSize=12, color=_INK).encode(
        text="short:N"
    )
    return _finished(alt.layer(band, lines, points, words.properties(name="words")), width, height)


def reassessed(width: int | str = 560, height: int = 130) -> Chart:
    """Return a year under other assumptions beside the stored one: chronic load and both ratios.

    Data: `reassessed` (at, label, which, chronic, uncoupled, ewma), `limits` (form, value), `withheld`.
    """
    which: list[Any] = ["as stored", "as set here"]
    rows = alt.Chart(alt.NamedData("reassessed"))
    panels = []
    for name, title in (("chronic", "28 days, EFM a day"), ("uncoupled", "uncoupled"), ("ewma", "EWMA")):
        lines = rows.mark_line(strokeWidth=2, clip=True).encode(
            x=_time("at"),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=title, tickCount=4), scale=alt.Scale(zero=True)),
            color=_colour("which", which),
            strokeDash=alt.StrokeDash(
                "which:N", scale=alt.Scale(domain=which, range=[[6, 3], [1, 0]]), legend=_legend()
            ),
            tooltip=[
                alt.Tooltip("label:N", title="Day"),
                alt.Tooltip("which:N", title="which"),
                alt.Tooltip(f"{name}:Q", title=title, format=".2f"),
            ],
        )
        limit = (
            alt.Chart(alt.NamedData("limits"))
            .transform_filter(f"datum.form == '{'EWMA' if name == 'ewma' else name}'")
            .mark_rule(color=_INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
            .encode(y="value:Q")
        )
        panel = alt.layer(_spans("withheld"), limit, lines)
        panels.append(panel.properties(width=width, height=height, name=f"reassessed_{name}"))
    return _themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared", color="shared", strokeDash="shared"))


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


def _colour(field: str, names: Sequence[str], language: Language = ENGLISH) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])
    shown = {name: name if name in _UNTOLD else language.say(_NAMES.get(name) or word(name)) for name in names}
    return alt.Color(f"{field}:N", scale=scale, legend=_legend(labelExpr=f"{json.dumps(shown)}[datum.label]"))


_NAMES = {"uncoupled": text("uncoupled"), "EWMA": text("EWMA")}
#: Names of the notebooks' charts, which are English alone.
_UNTOLD = frozenset({"as shipped", "as set here"})


def _legend(**others: Any) -> alt.Legend:
    return alt.Legend(title=None, orient="top", direction="horizontal", **others)


def _at_least(height: float) -> Chart:
    """Return nothing to see, up to which the axis reaches."""
    # A generator: rows of its own would be swapped away with the named ones.
    data = alt.sequence(height, height + 1, as_="least")
    return alt.Chart(data).mark_point(opacity=0).encode(y="least:Q")


def _spans(name: str, language: Language = ENGLISH) -> Chart:
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


def _finished(chart: Chart, width: int | str, height: alt.Step | int) -> Chart:
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
