"""The charts, each defined once: the notebook shows them, the report makes them move, the mail takes them as PNG.

Rows in, Altair charts out; no warehouse and no clock. Times are milliseconds since 1970 in UTC (a local day is its own
midnight there), `label` is that day in words, loads are EFM per day, None is unknown. A chart names its data sets and
carries none until `with_rows` gives it some: the report swaps them as the reader chooses a range.

Colours are Okabe and Ito's ("Color Universal Design", 2008), told apart with any colour vision, and each is at least
3:1 on the light and on the dark page; what differs in colour also differs in dash, shape or place.
"""

from hamload.charts.analysed import causes, curve, forms, nulls, reassessed, rules, sessions, windows
from hamload.charts.reported import ACUTE, CHRONIC, load, ratios, run, strength
from hamload.charts.shared import COLOURS, Chart, png, png_of, spec, with_rows

__all__ = [
    "ACUTE",
    "CHRONIC",
    "COLOURS",
    "Chart",
    "causes",
    "curve",
    "forms",
    "load",
    "nulls",
    "png",
    "png_of",
    "ratios",
    "reassessed",
    "rules",
    "run",
    "sessions",
    "spec",
    "strength",
    "windows",
    "with_rows",
]
