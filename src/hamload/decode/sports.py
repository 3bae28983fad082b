"""What providers call sports, watches and exercises, in hamload's words. Lookups only; unknown names stay unknown."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hamload.records import Sport

_INDOOR_RUNS = {"treadmill", "indoor_running", "virtual_activity"}
_STRENGTH_SUB_SPORTS = {"strength_training", "flexibility_training", "yoga", "pilates", "amrap", "emom", "tabata"} | {
    "hiit"
}
_FIT_SPORTS = {
    "running": Sport.RUN,
    "walking": Sport.WALK,
    "hiking": Sport.WALK,
    "cycling": Sport.RIDE,
    "e_biking": Sport.RIDE,
    "swimming": Sport.SWIM,
}
#: Strava's GPX exports number their sports.
_NUMBERS = {"9": Sport.RUN, "10": Sport.WALK, "4": Sport.WALK, "1": Sport.RIDE, "16": Sport.SWIM}
_RUN_WORDS = {"run", "running", "jog", "jogging", "treadmill"}
_INDOOR_WORDS = {"treadmill", "indoor", "virtual"}
_WORDS = {
    Sport.WALK: {"walk", "walking", "hike", "hiking"},
    Sport.RIDE: {"ride", "riding", "cycling", "biking", "bike", "bicycle"},
    Sport.SWIM: {"swim", "swimming"},
    Sport.STRENGTH: {"strength", "weight", "weights", "weighttraining"},
}
#: Watches whose maker's specification lists a barometric altimeter. In doubt a watch is left out: its altitude then
#: counts as GPS altitude, with the wider window and the lower confidence.
_BAROMETER = re.compile(
    r"fenix|epix|tactix|quatix|marq|enduro|descent|instinct(?!_?esports)|d2_?(?!air)|legacy"
    r"|fr_?(910xt|920xt|935|945|955|965|970|645|745|255|265|165|570)|vivo_?active_?[34]|venu_?(?!sq)|venu$"
    r"|edge_?(500|510|520|530|540|550|800|810|820|830|840|850|10[0345]0|1000|130)"
    r"|coros|apex|vertix|suunto_?(9|vertical|race|ambit3_?peak)"
)


def fit_sport(sport: Any, sub_sport: Any) -> Sport:
    """Return the family of a FIT session's `sport` and `sub_sport` (profile names; numbers are unknown names)."""
    if sport == "running":
        return Sport.TREADMILL if sub_sport in _INDOOR_RUNS else Sport.RUN
    if sport in _FIT_SPORTS:
        return _FIT_SPORTS[sport]
    if sport == "training" or (sport == "fitness_equipment" and sub_sport in _STRENGTH_SUB_SPORTS):
        return Sport.STRENGTH if sub_sport in _STRENGTH_SUB_SPORTS else Sport.OTHER
    if sport is None or sport == "generic":
        return Sport.UNKNOWN if sub_sport in {None, "generic"} else Sport.OTHER
    return Sport.OTHER


def named_sport(name: str) -> Sport:
    """Return the family of a sport as GPX and TCX name it, in words or in Strava's numbers; "" is unknown."""
    words = set(re.sub(r"[_\-/]|(?<=[a-z])(?=[A-Z])", " ", name).lower().split())
    if not words or words <= {"other", "unknown", "default", "uncategorized"}:
        return Sport.UNKNOWN
    if words & _RUN_WORDS:
        return Sport.TREADMILL if words & _INDOOR_WORDS else Sport.RUN
    if name.strip() in _NUMBERS:
        return _NUMBERS[name.strip()]
    return next((sport for sport, names in _WORDS.items() if words & names), Sport.OTHER)


def has_barometer(device: str) -> bool:
    """Return whether a device is known to measure air pressure. Unknown devices are taken not to."""
    name = device.lower().replace("ē", "e").replace("forerunner", "fr").replace("with barometer", "coros")
    return bool(_BAROMETER.search(re.sub(r"[\s\-]+", "_", name).replace("fr_", "fr")))


@cache
def fit_types() -> dict[str, dict[Any, Any]]:
    """Return the enumerations of Garmin's FIT profile, by type name."""
    from garmin_fit_sdk import Profile  # noqa: PLC0415  # costs 0.2 s, and XML documents do not need it

    types: dict[str, dict[Any, Any]] = Profile["types"]
    return types


def fit_device(manufacturer: Any, product: Any, product_name: Any) -> str:
    """Return "manufacturer product" as far as they are known, "" where neither is."""
    if isinstance(manufacturer, int):
        manufacturer = None
    if manufacturer in {"garmin", "dynastream", "dynastream_oem", "tacx"}:
        product = fit_types()["garmin_product"].get(product, product)
    name = product_name or (product if product not in {0, 65535} else None)
    words = [str(word).strip("\0 ") for word in (manufacturer, name) if word is not None]
    return " ".join(filter(None, words))


def exercise(categories: Any, subtypes: Any) -> tuple[str, str | None]:
    """Return a strength set's category and exercise name from FIT `category` and `category_subtype`.

    Both may be lists: a watch writes its guesses, and fills with "unknown" what it does not know. The first known one
    counts.
    """
    types = fit_types()
    names = _listed(categories)
    for index, value in enumerate(names):
        category = types["exercise_category"].get(value, value)
        if category in {None, "unknown", 65535}:
            continue
        subtype = (_listed(subtypes) + [None] * len(names))[index]
        name = types.get(f"{category}_exercise_name", {}).get(subtype, subtype if isinstance(subtype, str) else None)
        return str(category), name
    return "unknown", None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
