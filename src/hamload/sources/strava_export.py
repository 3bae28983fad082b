"""Strava's bulk export: `activities.csv`, which names, types and times every activity, in whatever language it came.

The table repeats headers ("Elapsed Time", "Distance") and translates them with the account's language, so that only
positions can be relied on: the first seven columns, and those that follow the column of file names. Times are UTC.
Source: exports as described in the user forums of several clients; the layout is not documented by Strava.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
from dataclasses import dataclass
from typing import Any

TABLE = "activities.csv"
#: How a refusal ends whose activity is known all the same: no run is missing because of it.
STANDS_IN = "The export's own summary stands in for it."

_FILE = re.compile(r"^activities/[^/]+\.(fit|gpx|tcx)(\.gz)?$", re.IGNORECASE)
_ID, _DATE, _NAME, _TYPE, _DESCRIPTION, _ELAPSED, _KILOMETRES = range(7)
# After the file name: athlete weight, bike weight, then elapsed time, moving time and distance in SI units.
_AFTER_FILE = {"elapsed_time_s": 3, "moving_time_s": 4, "distance_m": 5}
_DEFAULT_FILE_COLUMN = 12

#: First letters of the month names in the languages that Strava's accounts come in.
_MONTHS = (
    "jan januar january janv ene gen jan. sty led ocak янв",
    "feb febr february fév fev févr lut úno şub фев",
    "mar mär mrt mars märz march marzo março maart kvě. мар mrz",
    "apr avr abr april avril abril aprile kwi nis апр",
    "may mai maj mayo maggio maio mei mag май мая",
    "jun juni june juin junio giugno junho giu cze haz июн",
    "jul juli july juil juillet julio luglio julho lug lip tem июл",
    "aug august août aou aoû ago agosto augustus sie ağu авг",
    "sep sept september septembre septiembre settembre setembro set wrz eyl сен",
    "oct okt october oktober octobre octubre ottobre outubro ott out paź eki окт",
    "nov november novembre noviembre novembro lis kas ноя",
    "dec dez déc dic december dezember décembre diciembre dicembre dezembro gru ara дек",
)
_MONTH_OF = {word.rstrip("."): number for number, words in enumerate(_MONTHS, 1) for word in words.split()}

#: What running is called in the languages that Strava's accounts come in; anything else keeps its own name.
_SPORTS = {
    "run": "run laufen lauf course course_à_pied carrera correr corsa corrida hardlopen hardloopsessie löpning løb"
    " løpetur bieg juoksu koşu бег забег 跑步 ランニング 달리기"
    " trail_run trailrun trail traillauf trailrunning carrera_de_montaña corsa_trail corrida_em_trilha",
    "treadmill": "treadmill virtual_run virtueller_lauf course_virtuelle carrera_virtual corsa_virtuale",
    "walk": "walk spaziergang gehen marche caminata camminata caminhada wandelen hike wanderung randonnée",
    "ride": "ride radfahrt fahrt radfahren vélo bicicleta pedalada giro_in_bici virtual_ride e-bike_ride fietsrit",
    "swim": "swim schwimmen natation natación nuoto natação zwemmen",
    "strength": "weight_training krafttraining musculation pesas pesi",
    "other": "workout crossfit yoga",
}
_SPORT_OF = {word.replace("_", " "): sport for sport, words in _SPORTS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Export:
    """One `activities.csv`: facts by file name, facts of activities without a file, and rows that say too little."""

    of_file: dict[str, dict[str, Any]]
    without_file: tuple[dict[str, Any], ...]
    refused: tuple[tuple[int, str], ...]


NONE = Export({}, (), ())


def read(content: bytes) -> Export:
    """Read the table. Rows that cannot be understood are returned as refused, with their line and reason."""
    text = content.decode("utf-8-sig", errors="replace").replace("\0", "")
    rows: list[list[str]] = []
    broken: list[tuple[int, str]] = []
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        rows.extend(reader)
    except csv.Error as error:
        broken.append((reader.line_num, f"From about here on the table cannot be read ({error}). Export it again."))
    if not rows:
        return Export({}, (), tuple(broken))
    header, body = [cell.strip().lower() for cell in rows[0]], rows[1:]
    file_column = _file_column(header, body)
    of_file: dict[str, dict[str, Any]] = {}
    without_file: list[dict[str, Any]] = []
    refused = broken
    for line, row in enumerate(body, 2):
        if not any(row):
            continue
        if len(row) <= _KILOMETRES or not row[_ID].strip():
            refused.append((line, "This row is too short to name an activity."))
            continue
        facts = _facts(row, header, file_column)
        name = row[file_column].strip() if len(row) > file_column else ""
        if name:
            of_file[name] = facts
        elif facts["start_at"] is None:
            refused.append((line, f"An activity without a recording, and its date {row[_DATE]!r} cannot be read."))
        else:
            without_file.append(facts)
    return Export(of_file, tuple(without_file), tuple(refused))


def summary(facts: dict[str, Any]) -> bytes | None:
    """Return an activity's row as a document of its own, or None where it does not say when it was."""
    if facts.get("start_at") is None:
        return None
    return json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()


def sport_of(name: str) -> str:
    """Return the family of sport for Strava's name of it, in any of the known languages, else "unknown"."""
    return _SPORT_OF.get(name.strip().lower(), "unknown")


def _file_column(header: list[str], body: list[list[str]]) -> int:
    if "filename" in header:
        return header.index("filename")
    hits = [sum(bool(_FILE.match(row[i].strip())) for row in body if len(row) > i) for i in range(len(header))]
    most = max(hits, default=0)
    return hits.index(most) if most else _DEFAULT_FILE_COLUMN


def _facts(row: list[str], header: list[str], file_column: int) -> dict[str, Any]:
    kilometres = _number(row[_KILOMETRES])
    facts: dict[str, Any] = {
        "external_id": row[_ID].strip(),
        "title": row[_NAME].strip(),
        "description": row[_DESCRIPTION].strip(),
        "type": row[_TYPE].strip(),
        "sport": sport_of(row[_TYPE]),
        "start_at": _moment(row[_DATE]),
        "elapsed_time_s": _number(row[_ELAPSED]),
        "moving_time_s": None,
        "distance_m": None if kilometres is None else kilometres * 1000,
        "rpe": None,
    }
    for key, offset in _AFTER_FILE.items():
        value = _number(row[file_column + offset]) if len(row) > file_column + offset else None
        if value is not None:
            facts[key] = value
    if "perceived exertion" in header:
        index = header.index("perceived exertion")
        facts["rpe"] = _number(row[index]) if len(row) > index else None
    return facts


def _number(text: str) -> float | None:
    text = text.strip().replace("\u00a0", "").replace(" ", "")
    if "," in text and "." in text:
        text = text.replace("," if text.rindex(".") > text.rindex(",") else ".", "")
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if value >= 0 and math.isfinite(value) else None


def _moment(text: str) -> str | None:
    """Read a date such as "16 Apr 2014, 17:34:54", "Apr 16, 2014, 5:34:54 PM" or "16.04.2014, 17:34:54", as ISO UTC."""
    clock = re.search(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]\.?\s?m)?", text, re.IGNORECASE)
    year = re.search(r"\b(19|20)\d{2}\b", text)
    if not clock or not year:
        return None
    hour = int(clock[1]) % 12 + (12 if clock[4].lower().startswith("p") else 0) if clock[4] else int(clock[1])
    before_clock = text[: clock.start()].replace(year[0], " ", 1)
    # Of a day or a month: what has more digits is neither, and may have more than any number can.
    numbers = [int(n) for n in re.findall(r"\d+", before_clock) if len(n) <= 2]  # noqa: PLR2004
    months = [_MONTH_OF[w] for w in re.findall(r"[^\W\d_]+", before_clock.lower()) if w in _MONTH_OF]
    if months and numbers:
        month, day = months[0], numbers[0]
    elif len(numbers) >= 2:  # noqa: PLR2004
        # Numeric dates put the day first, except where the year leads (2014-04-16).
        day, month = (numbers[1], numbers[0]) if text.strip().startswith(year[0]) else (numbers[0], numbers[1])
    else:
        return None
    try:
        moment = dt.datetime(int(year[0]), month, day, hour, int(clock[2]), int(clock[3] or 0), tzinfo=dt.UTC)
    except ValueError:
        return None
    return moment.isoformat()
