"""What the CLDR knows of a locale, through Babel: separators, days, months."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import get_decimal_symbol, get_group_symbol

if TYPE_CHECKING:
    import datetime as dt

_SHORT, _SHORT_YEAR, _DATE, _DATE_YEAR = "MMMEd", "yMMMEd", "MMMd", "yMMMd"


def checked(name: str) -> str:
    """Return the name of a locale as it is. Raises ValueError where there is no such one."""
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        raise ValueError('no such locale is known; name one such as "de_AT", "en_GB" or "fr"') from None
    return name


def direction(name: str) -> str:
    """Return "ltr" or "rtl"."""
    return str(Locale.parse(name, sep="-").text_direction)


@cache
def separators(name: str) -> dict[int, str]:
    """Return how an English number is turned into this locale's: the comma and the point in it."""
    return str.maketrans({",": get_group_symbol(name), ".": get_decimal_symbol(name)})


def day(date: dt.date, form: str, name: str, *, has_year: bool) -> str:
    """Return a day in one of the formats of `Language.field`."""
    return format_date(date, _pattern(form, name, has_year=has_year), name)


@cache
def _pattern(form: str, name: str, *, has_year: bool) -> str:
    if form == "weekday":
        return "ccc"
    skeletons = Locale.parse(name).datetime_skeletons
    if form == "date":
        return str(skeletons[_DATE_YEAR if has_year else _DATE].pattern)
    pattern = str(skeletons[_SHORT_YEAR if has_year else _SHORT].pattern)
    if form == "day":
        pattern = re.sub("E+", "EEEE", re.sub("MMM+", "MMMM", pattern))
    return pattern


def weekday(day: int, name: str) -> str:
    """Return a day of the week by its whole name, 0 for Monday."""
    return str(get_day_names("wide", "stand-alone", name)[day])


def d3(name: str, days_name: str) -> dict[str, Any]:
    """Return the number and time locales of d3; days and months are those of a locale of their own."""
    days = tuple(get_day_names(width, "stand-alone", days_name) for width in ("wide", "abbreviated"))
    months = tuple(get_month_names(width, "stand-alone", days_name) for width in ("wide", "abbreviated"))
    sunday_first = (6, 0, 1, 2, 3, 4, 5)
    return {
        "number": {
            "decimal": get_decimal_symbol(name),
            "thousands": get_group_symbol(name),
            "grouping": [3],
            "currency": ["", ""],
        },
        "time": {
            "dateTime": "%x, %X",
            "date": "%-d %b %Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": [days[0][d] for d in sunday_first],
            "shortDays": [days[1][d] for d in sunday_first],
            "months": [months[0][m] for m in range(1, 13)],
            "shortMonths": [months[1][m] for m in range(1, 13)],
        },
    }
