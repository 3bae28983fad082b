"""The charts of the report, the mail and the notebooks, in the runner's language and units."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt

from hamload.charts.shared import (
    _DAY_MS,
    COLOURS,
    INK,
    at_least,
    colour,
    finished,
    hover,
    legend,
    spans,
    themed,
    time,
    whole,
)
from hamload.language import ENGLISH, text, word
from hamload.records import PARTS

if TYPE_CHECKING:
    from hamload.charts.shared import Chart
    from hamload.language import Language

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
    at = time("at")
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
            color=colour("part", list(PARTS), language),
        )
    )
    lines = (
        days.transform_calculate(centre=f"datum.at + {_DAY_MS / 2} * datum.days")
        .transform_fold(["acute", "chronic"], as_=["mean", "efm"])
        .transform_calculate(mean=f"datum.mean == 'acute' ? {json.dumps(acute)} : {json.dumps(chronic)}")
        .mark_line(color=INK, strokeWidth=1.8, clip=True)
        .encode(
            x=time("centre"),
            y="efm:Q",
            strokeDash=alt.StrokeDash(
                "mean:N", scale=alt.Scale(domain=[acute, chronic], range=[[1, 0], [5, 4]]), legend=legend()
            ),
        )
        .properties(name="ink")
    )
    told = [(language.text("Day"), "label:N", None), *((say(word(p)), f"{p}:Q", ".0f") for p in PARTS)]
    told += [(acute, "acute:Q", ".1f"), (chronic, "chronic:Q", ".1f")]
    layers = (spans("unknown", language), bars, lines, hover(days, told), at_least(_LEAST_EFM))
    return finished(alt.layer(*layers), width, height)


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
            x=time("at"),
            y=alt.Y(
                "value:Q",
                axis=alt.Axis(title=language.text("acute to chronic"), tickCount=5),
                scale=alt.Scale(zero=True),
            ),
            color=colour("ratio", names, language),
            strokeDash=alt.StrokeDash(
                "ratio:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=legend()
            ),
        )
    )
    limits = alt.Chart(alt.NamedData("thresholds")).encode(y="value:Q")
    rules = (
        limits.mark_rule(color=INK, strokeDash=[2, 3], strokeWidth=1, clip=True)
        .encode(tooltip=alt.Tooltip("label:N", title=language.text("threshold")))
        .properties(name="limit")
    )
    words = (
        limits.mark_text(align="left", baseline="middle", dx=4, fontSize=11, color=INK)
        .encode(x=alt.value("width"), text=alt.Text("value:Q", format=".2~f"))
        .properties(name="words")
    )
    told = [(language.text("Day"), "label:N", None), (language.text("uncoupled"), "uncoupled:Q", ".2f")]
    told.append((language.text("EWMA"), "ewma:Q", ".2f"))
    layers = (spans("withheld", language), rules, lines, words, hover(rows, told), at_least(_LEAST_RATIO))
    return finished(alt.layer(*layers), width, height)


def strength(width: int | str = 560, height: int = 90, language: Language = ENGLISH) -> Chart:
    """Return reported tightness above done curls. Data: `tightness` (at, label, tightness), `curls`, `whole`.

    `curls`: at, label, repetitions, sets; `whole`: at of the first and of the last day to show.
    """
    felt = alt.Chart(alt.NamedData("tightness")).encode(
        x=time("at", labels=False),
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
        whole(labels=False),
        felt.mark_line(color=colour, strokeWidth=1.5),
        felt.mark_circle(color=colour, size=45, opacity=1),
    )
    curls = (
        alt.Chart(alt.NamedData("curls"))
        .transform_calculate(end=f"datum.at + {_BAR * _DAY_MS}", none="0")
        .mark_rect(color=COLOURS["curls"], clip=True)
        .encode(
            x=time("at"),
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
        alt.layer(whole(), at_least(_LEAST_CURLS), curls).properties(width=width, height=height),
    )
    return themed(both.resolve_scale(x="shared"))


def run(width: int | str = 560, height: int = 90, language: Language = ENGLISH) -> Chart:
    """Return one run over its time: speed, grade and demand. Data: `run` (minute, speed, grade, demand)."""
    speed, grade, demand = language.speed_unit, language.text("grade, %"), language.text("demand")
    minutes = language.text("minutes")
    rows = alt.Chart(alt.NamedData("run"))
    panels = []
    for name, title, ink in (
        ("speed", speed, COLOURS["speed"]),
        ("grade", grade, COLOURS["long"]),
        ("demand", demand, COLOURS["hill"]),
    ):
        is_last = name == "demand"
        axis = alt.Axis(title=minutes if is_last else None, labels=is_last, ticks=is_last)
        told = [(minutes, "minute:Q", ".1f"), (speed, "speed:Q", ".1f"), (grade, "grade:Q", ".1f")]
        told.append((demand, "demand:Q", ".2f"))
        line = rows.mark_line(color=ink, strokeWidth=1.5).encode(
            x=alt.X("minute:Q", axis=axis, scale=alt.Scale(nice=False)),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(title=title, tickCount=4), scale=alt.Scale(zero=name != "grade")),
        )
        panels.append(
            alt.layer(line, hover(rows, told, x="minute:Q")).properties(width=width, height=height, name=f"run_{name}")
        )
    return themed(alt.vconcat(*panels, spacing=8).resolve_scale(x="shared"))
