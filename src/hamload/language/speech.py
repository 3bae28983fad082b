"""How one runner reads numbers, days, distances and sentences: values in, strings out.

Every format takes None (and NaN) for unknown and then returns `missing`, an en dash unless told otherwise: never 0. A
number and its unit are joined by a no-break space.
"""

from __future__ import annotations

import datetime as dt
import gettext
import math
import struct
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hamload.errors import ConfigurationError
from hamload.language.texts import Text, filled, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

#: How an unknown value shows in a table.
DASH = "\N{EN DASH}"
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
#: The international mile of 1959.
METRES_PER_MILE = 1609.344
METRES_PER_KM = 1000.0
_MOST_DIGITS = 4
#: hamload's own English.
PLAIN = "en"
# Not strftime: that would speak the language of the machine.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DOMAIN = "hamload"


class Language:
    """How one runner reads: locale, units, and the day from which they look.

    Parameters
    ----------
    locale
        "en" is hamload's own English (Sun 4 May, 1,234.5); any other is a locale of the CLDR, such as "de_AT".
    is_miles
        Whether distances show in miles.
    today
        Days of its year are told without the year; None tells none.
    catalogues
        Folders in which translations are looked for before those that ship with hamload.

    """

    def __init__(
        self,
        locale: str = PLAIN,
        *,
        is_miles: bool = False,
        today: dt.date | None = None,
        catalogues: Sequence[Path] = (),
    ) -> None:
        self.locale, self.is_miles, self.today, self.catalogues = locale, is_miles, today, tuple(catalogues)

    def on(self, today: dt.date | None) -> Language:
        """Return the same language, spoken on another day, or on none."""
        return Language(self.locale, is_miles=self.is_miles, today=today, catalogues=self.catalogues)

    def __str__(self) -> str:
        """Return its locale."""
        return self.locale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Language) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.locale, self.is_miles, self.today, self.catalogues

    def __deepcopy__(self, _: Any) -> Language:
        """Nothing of it changes."""
        return self

    # Sentences

    def say(self, told: str) -> str:
        """Return a text in this language; any other string as it is."""
        if not isinstance(told, Text):
            return told
        found, english = self._catalogue, self is ENGLISH
        if english:
            return str(told)
        if told.many:
            template = found.ngettext(told.template, told.many, math.ceil(abs(told.number)))
        else:
            template = found.gettext(told.template)
        try:
            return filled(template, told.values, self)
        except (KeyError, ValueError, IndexError):
            # A translation that names a field wrongly: the English one is right.
            return filled(told.many if told.many and told.number != 1 else told.template, told.values, self)

    def text(self, template: str, /, **values: Any) -> str:
        """Say a template, as page templates do."""
        return self.say(Text(template, values))

    def plural(self, one: str, many: str, n: float, /, **values: Any) -> str:
        """Say a template that counts."""
        return self.say(plural(one, many, n, **values))

    def check(self) -> None:
        """Read the translation, where there is one. Raises ConfigurationError where it cannot be read."""
        _ = self._catalogue

    @property
    def code(self) -> str:
        """The language of the sentences, as HTML names it: that of the translation, English without one."""
        return str(self._catalogue.info().get("language", PLAIN) or PLAIN).replace("_", "-")

    @property
    def direction(self) -> str:
        """The direction of its sentences, "ltr" or "rtl"."""
        from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

        return "ltr" if self.code == PLAIN else locales.direction(self.code)

    @cached_property
    def _catalogue(self) -> gettext.NullTranslations:
        if self.locale.split("_")[0] == PLAIN and not self.catalogues:
            return gettext.NullTranslations()
        shipped = Path(str(files("hamload.language"))) / "catalogue"
        names = [self.locale, self.locale.split("_")[0]]
        for folder in (*self.catalogues, shipped):
            if gettext.find(_DOMAIN, folder, names):
                try:
                    return gettext.translation(_DOMAIN, folder, names)
                except (OSError, ValueError, struct.error) as error:
                    raise ConfigurationError(
                        f"The translation {gettext.find(_DOMAIN, folder, names)} cannot be read: {error}.",
                        "Compile it again (pybabel compile), or take it away.",
                    ) from None
        return gettext.NullTranslations()

    def field(self, value: Any, form: str) -> str:  # noqa: PLR0911  # one line for each format
        """Return a value of a template in one of the formats.

        None or a number's own (`.2f`, `g`): as it is; `percent` and `+percent` (a change) of a share;
        `distance` and `distance_down` of metres;
        `day` (Sunday 4 May), `short` (Sun 4 May), `date` (4 May), `weekday` (Sun); `and`, `semicolons`, `commas`,
        `sentences` of several.
        """
        if isinstance(value, str) and form not in _OF_DAYS:
            return self.say(value)
        match form:
            case "":
                return str(value)
            case "+percent":
                return self.change(1 + value, 1.0).replace(NBSP, " ")
            case "percent":
                return f"{self._separated(f'{100 * value:.0f}')} %"
            case "distance" | "distance_down":
                return self._distance_told(value, is_down=form == "distance_down")
            case "day" | "short" | "date" | "weekday":
                return self._day(dt.date.fromisoformat(value) if isinstance(value, str) else value, form)
            case "and" | "semicolons" | "commas" | "sentences":
                return self._joined([self.say(item) for item in value], form)
        return self._separated(format(value, form))

    def _distance_told(self, metres: float, *, is_down: bool) -> str:
        unit, name = (METRES_PER_MILE, "mi") if self.is_miles else (METRES_PER_KM, "km")
        tenths = 10 * metres / unit
        # One that rounding noise has put just under a whole one counts as that.
        shown = math.floor(round(tenths, 6)) / 10 if is_down else tenths / 10
        return f"{self._separated(f'{shown:.1f}')} {name}"

    def _joined(self, items: list[str], form: str) -> str:
        if form != "and":
            return {"semicolons": "; ", "commas": ", ", "sentences": " "}[form].join(items)
        if len(items) < 2:  # noqa: PLR2004  # nothing to join
            return "".join(items)
        return self.text("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])

    # Numbers

    def number(self, value: float | None, digits: int = 0, missing: str = DASH) -> str:
        """Return a number with a fixed count of decimals; thousands are grouped, infinity is named."""
        if value is None or math.isnan(value):
            return missing
        if math.isinf(value):
            return self.text("infinite") if value > 0 else f"{MINUS}{self.text('infinite')}"
        english = f"{abs(value):,.{digits}f}"
        sign = MINUS if value < 0 and english.strip("0.,") else ""
        return sign + self._separated(english)

    def _separated(self, english: str) -> str:
        """Return a number with this locale's separators: the same digits everywhere."""
        if self.locale == PLAIN:
            return english
        from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

        return english.translate(locales.separators(self.locale))

    def efm(self, load_efm: float | None, digits: int = 0, missing: str = DASH) -> str:
        """Return a load without its unit. What would round to a zero that it is not shows as less than one step."""
        if load_efm is not None and load_efm > 0 and not f"{load_efm:.{digits}f}".strip("0."):
            return f"<{self._separated(f'{10**-digits:.{digits}f}')}"
        return self.number(load_efm, digits, missing)

    def distance(self, distance_m: float | None, missing: str = DASH) -> str:
        """Return a distance in kilometres or miles, one decimal: "12.3 km"."""
        unit, name = (METRES_PER_MILE, "mi") if self.is_miles else (METRES_PER_KM, "km")
        shown = self.number(None if distance_m is None else distance_m / unit, 1, missing)
        return shown if shown == missing else f"{shown}{NBSP}{name}"

    def duration(self, time_s: float | None, missing: str = DASH) -> str:
        """Return minutes below an hour ("52 min"), hours and minutes from there on ("1:43 h")."""
        if time_s is None or math.isnan(time_s):
            return missing
        hours, minutes = divmod(round(time_s / 60), 60)
        return f"{hours}:{minutes:02d}{NBSP}h" if hours else f"{minutes}{NBSP}min"

    def pace(self, speed_mps: float | None, missing: str = DASH) -> str:
        """Return minutes per kilometre or mile: 2.8 m/s is "5:57 min/km". Standing has no pace."""
        if speed_mps is None or math.isnan(speed_mps) or speed_mps <= 0:
            return missing
        unit, name = (METRES_PER_MILE, "mi") if self.is_miles else (METRES_PER_KM, "km")
        minutes, seconds = divmod(round(unit / speed_mps), 60)
        return f"{minutes}:{seconds:02d}{NBSP}min/{name}"

    def speed(self, speed_mps: float | None, missing: str = DASH) -> str:
        """Return kilometres or miles an hour, one decimal."""
        unit = METRES_PER_MILE if self.is_miles else METRES_PER_KM
        shown = self.number(None if speed_mps is None else 3600 * speed_mps / unit, 1, missing)
        return shown if shown == missing else f"{shown}{NBSP}{self.speed_unit}"

    @property
    def distance_unit(self) -> str:
        """The unit of distances."""
        return "mi" if self.is_miles else "km"

    @property
    def speed_unit(self) -> str:
        """The unit of speeds."""
        return "mph" if self.is_miles else "km/h"

    def percent(self, share: float | None, missing: str = DASH) -> str:
        """Return a share (0-1) in whole percent."""
        shown = self.number(None if share is None else share * 100, 0, missing)
        return shown if shown == missing else f"{shown}{NBSP}%"

    def change(self, now: float | None, before: float | None, missing: str = DASH) -> str:
        """Return by how many percent `now` differs from `before`, signed. Against nothing (0) there is none."""
        if now is None or before is None or math.isnan(now) or math.isnan(before) or before <= 0:
            return missing
        difference = self.number((now / before - 1) * 100)
        if difference == "0":
            return f"\N{PLUS-MINUS SIGN}0{NBSP}%"
        return f"{'' if difference.startswith(MINUS) else '+'}{difference}{NBSP}%"

    def told_apart(self, value: float, threshold: float) -> tuple[str, str]:
        """Return two numbers with as many decimals (two, at most four) as it takes to see that they differ.

        Whole numbers stay whole: tightness 5 against 4, but 1.304 against 1.300.
        """
        if float(value).is_integer() and float(threshold).is_integer():
            return self.number(value), self.number(threshold)
        for digits in range(2, _MOST_DIGITS + 1):
            pair = self.number(value, digits), self.number(threshold, digits)
            if pair[0] != pair[1]:
                break
        return pair

    # Days

    @cached_property
    def _days_locale(self) -> str:
        """The locale in which days are named: that of the sentences around them, which are English untranslated."""
        is_translated = isinstance(self._catalogue, gettext.GNUTranslations)
        return self.locale if is_translated or self.locale.split("_")[0] == PLAIN else PLAIN

    def day(self, date: dt.date | None, today: dt.date | None = None, missing: str | None = None) -> str:
        """Return "Mon 24 Nov"; the year follows unless it is that of `today`."""
        if date is None:
            return self.text("unknown") if missing is None else missing
        has_year = today is None or today.year != date.year
        return self._dated(date, "short", has_year=has_year).replace(" ", NBSP)

    def ago(self, date: dt.date | None, today: dt.date, missing: str | None = None) -> str:
        """Return a day and how long ago it was: "Mon 24 Nov (3 days ago)"."""
        if date is None:
            return self.text("unknown") if missing is None else missing
        return f"{self.day(date, today)} ({self._how_long(date, today)})"

    def _how_long(self, date: dt.date, today: dt.date) -> str:
        days = (today - date).days
        match days:
            case 0:
                return self.text("today")
            case 1:
                return self.text("yesterday")
            case -1:
                return self.text("tomorrow")
        if days > 0:
            return self.plural("{n} day ago", "{n} days ago", days)
        return self.plural("in {n} day", "in {n} days", -days)

    def moment(self, at: dt.datetime | None, zone: ZoneInfo, today: dt.date, missing: str | None = None) -> str:
        """Return a moment on the athlete's clock: "Mon 24 Nov, 03:10 (today)". `at` carries its own zone.

        A night's digest speaks of the day before it: that its sources answered "tomorrow" is not worth saying.
        """
        if at is None:
            return self.text("unknown") if missing is None else missing
        local = at.astimezone(zone)
        clock = f"{self.day(local.date(), today)}, {local:%H:%M}"
        return clock if local.date() > today else f"{clock} ({self._how_long(local.date(), today)})"

    def _day(self, date: dt.date, form: str) -> str:
        return self._dated(date, form, has_year=self.today is not None and self.today.year != date.year)

    def _dated(self, date: dt.date, form: str, *, has_year: bool) -> str:
        if self._days_locale != PLAIN:
            from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

            return locales.day(date, form, self._days_locale, has_year=has_year)
        weekday, month = _WEEKDAYS[date.weekday()], _MONTHS[date.month - 1]
        year = f" {date.year}" if has_year else ""
        return {
            "day": f"{weekday} {date.day} {month}{year}",
            "short": f"{weekday[:3]} {date.day} {month[:3]}{year}",
            "date": f"{date.day} {month[:3]}{year}",
            "weekday": weekday[:3],
        }[form]

    def weekday(self, day: int) -> str:
        """Return a day of the week by its whole name, 0 for Monday."""
        if self._days_locale == PLAIN:
            return _WEEKDAYS[day]
        from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

        return locales.weekday(day, self._days_locale)

    def chart_locale(self) -> dict[str, Any]:
        """Return how charts write numbers and months: what d3 calls a format locale and a time format locale."""
        from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

        return locales.d3(self.locale, self._days_locale)


_OF_DAYS = frozenset({"day", "short", "date", "weekday"})
#: Plain English, kilometres: what is stored, and what a machine reads.
ENGLISH = Language()
