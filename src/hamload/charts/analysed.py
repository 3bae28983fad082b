"""The charts of the notebooks, for analysts: in English and as the tables have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from hamload.charts.shared import COLOURS, FONT, INK, UNKNOWN, colour, finished, hover, legend, spans, themed, time

if TYPE_CHECKING:
    from hamload.charts.shared import Chart

#: From this share of the days on, in %, the colour says no more.
_OFTEN = 15


def sessions(width: int | str = 560, height: int = 180) -> Chart:
    """Return each run's load at its day, with its kind. Data: `sessions` (at, label, efm, kind)."""
    kinds: list[Any] = ["hill", "speed", "long", "none of these", "not known"]
    shapes = ["triangle-up", "diamond", "square", "circle", "cross"]
    points = (
        alt.Chart(alt.NamedData("sessions"))
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(
            x=time("at"),
            y=alt.Y("efm:Q", axis=alt.Axis(title="EFM a run", tickCount=5), scale=alt.Scale(zero=True)),
            color=colour("kind", kinds),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), legend=legend()),
            tooltip=[
                alt.Tooltip("label:N", title="Run"),
                alt.Tooltip("efm:Q", title="EFM", format=".1f"),
                alt.Tooltip("kind:N", title="kind"),
            ],
        )
    )
    return finished(points, width, height)


def causes(width: int | str = 560, height: alt.Step | int = alt.Step(24)) -> Chart:  # noqa: B008  # a constant
    """Return what share each run had in what a reason counts. Data: `causes` (run, rule, share)."""
    bars = (
        alt.Chart(alt.NamedData("causes"))
        .mark_bar(color=COLOURS["hill"])
        .encode(
            x=alt.X("share:Q", axis=alt.Axis(title="share of the number that counted", format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("run:N", sort="-x", axis=alt.Axis(title=None, labelLimit=260)),
            row=alt.Row("rule:N", header=alt.Header(title=None, labelOrient="top", labelAnchor="start", labelFont=FONT,
                labelFontSize=12)),
            tooltip=[
                alt.Tooltip("run:N", title="Run"),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("share:Q", title="share", format=".0%"),
            ],
        )
    )  # fmt: skip
    return themed(bars.properties(width=width, height=height).resolve_scale(y="independent"))


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
            x=time("at"),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=name, tickCount=4), scale=alt.Scale(zero=True)),
        )
        limit = (
            alt.Chart(alt.NamedData("limits"))
            .transform_filter(f"datum.form == '{name}'")
            .mark_rule(color=INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
            .encode(y="value:Q", tooltip=alt.Tooltip("value:Q", title="threshold", format=".2f"))
        )
        flares = (
            alt.Chart(alt.NamedData("flares"))
            .mark_rule(color=COLOURS["tightness"], strokeWidth=2, clip=True)
            .encode(x=time("at"), tooltip=alt.Tooltip("label:N", title="tightness flared"))
        )
        panel = alt.layer(spans("withheld"), flares, limit, line, hover(rows, told))
        panels.append(panel.properties(width=width, height=height, name=f"forms_{name}"))
    return themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared"))


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
            color=colour("outcome", outcomes),
            order="place:Q",
            tooltip=[
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("outcome:N", title="what followed"),
                alt.Tooltip("times:Q", title="times"),
            ],
        )
    )
    return finished(bars, width, height)


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
    chance = rows.mark_bar(color=UNKNOWN, opacity=0.6, size=12).encode(
        x=alt.X("low:Q", axis=axis, scale=alt.Scale(zero=True)), x2="high:Q", tooltip=told
    )
    middle = rows.mark_tick(color=INK, thickness=2, size=18).encode(x=alt.X("median:Q", axis=axis), tooltip=told)
    own = rows.mark_point(color=COLOURS["uncoupled"], filled=True, size=130, shape="diamond", opacity=1).encode(
        x=alt.X("caught:Q", axis=axis), tooltip=told
    )
    return finished(alt.layer(chance, middle, own), width, height)


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
            color=alt.condition(f"datum.percent > {_OFTEN / 2}", alt.value("#ffffff"), alt.value(INK)),
        )
    )
    header = alt.Header(title=None, labelFont=FONT, labelFontSize=12, labelFontWeight="bold")
    both = alt.layer(cells, words, data=alt.NamedData("windows")).properties(width=width, height=height)
    return themed(both.facet(column=alt.Column("form:N", sort=["coupled", "uncoupled", "EWMA"], header=header)))


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
            color=colour("which", which),
            strokeDash=alt.StrokeDash(
                "which:N", scale=alt.Scale(domain=which, range=[[6, 3], [1, 0]]), legend=legend()
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
    words = known.mark_text(align="right", baseline="bottom", dx=-8, dy=-4, fontSize=12, color=INK).encode(
        text="short:N"
    )
    return finished(alt.layer(band, lines, points, words.properties(name="words")), width, height)


def reassessed(width: int | str = 560, height: int = 130) -> Chart:
    """Return a year under other assumptions beside the stored one: chronic load and both ratios.

    Data: `reassessed` (at, label, which, chronic, uncoupled, ewma), `limits` (form, value), `withheld`.
    """
    which: list[Any] = ["as stored", "as set here"]
    rows = alt.Chart(alt.NamedData("reassessed"))
    panels = []
    for name, title in (("chronic", "28 days, EFM a day"), ("uncoupled", "uncoupled"), ("ewma", "EWMA")):
        lines = rows.mark_line(strokeWidth=2, clip=True).encode(
            x=time("at"),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=title, tickCount=4), scale=alt.Scale(zero=True)),
            color=colour("which", which),
            strokeDash=alt.StrokeDash(
                "which:N", scale=alt.Scale(domain=which, range=[[6, 3], [1, 0]]), legend=legend()
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
            .mark_rule(color=INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
            .encode(y="value:Q")
        )
        panel = alt.layer(spans("withheld"), limit, lines)
        panels.append(panel.properties(width=width, height=height, name=f"reassessed_{name}"))
    return themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared", color="shared", strokeDash="shared"))
