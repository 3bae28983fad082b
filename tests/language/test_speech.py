"""A sentence keeps what it was made of: it can be stored, and said anew in other units, on another day, in a locale."""

import copy
import datetime as dt
import json
import pickle
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given
from hypothesis import strategies as st

from hamload.errors import ConfigurationError
from hamload.language import ENGLISH, METRES_PER_MILE, Language, Text, plural, restored, stored, text, word
from hamload.settings import load

DAY = dt.date(2026, 5, 3)


def a_text() -> Text:
    return text(
        "{date:day}, {title}, {size:distance}: {share:percent} of {days:and}, {ratio:.2f}",
        date=DAY,
        title="{title} 10 km",
        size=7649.0,
        share=0.62,
        days=[text("{date:weekday}", date=DAY), word("rest")],
        ratio=1234.5,
    )


def test_a_text_is_its_english() -> None:
    assert a_text() == "Sunday 3 May, {title} 10 km, 7.6 km: 62 % of Sun and rest, 1234.50"
    assert json.loads(json.dumps({"told": a_text()})) == {"told": str(a_text())}


def test_what_was_stored_is_said_anew_in_miles_and_the_title_stays() -> None:
    told = restored(json.loads(json.dumps(stored(a_text()))))
    assert told == a_text()
    said = Language(is_miles=True).say(told)
    assert said == "Sunday 3 May, {title} 10 km, 4.8 mi: 62 % of Sun and rest, 1234.50"


def test_days_of_another_year_carry_it() -> None:
    assert ENGLISH.on(dt.date(2026, 1, 1)).say(a_text()).startswith("Sunday 3 May, ")
    assert ENGLISH.on(dt.date(2027, 1, 1)).say(a_text()).startswith("Sunday 3 May 2026, ")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("de_AT", "Sunday 3 May, {title} 10 km, 7,6 km: 62 % of Sun and rest, 1234,50"),
        ("en_GB", "Sunday 3 May, {title} 10 km, 7.6 km: 62 % of Sun and rest, 1234.50"),
        ("en_US", "Sunday, May 3, {title} 10 km, 7.6 km: 62 % of Sun and rest, 1234.50"),
        ("fr", "Sunday 3 May, {title} 10 km, 7,6 km: 62 % of Sun and rest, 1234,50"),
    ],
)
def test_decimal_marks_are_those_of_the_locale_and_days_are_in_the_language_of_the_sentence(
    locale: str, said: str
) -> None:
    assert Language(locale).say(a_text()) == said


def test_in_a_translation_days_and_months_are_those_of_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "hamload.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, Catalog("de"))
    german, untranslated = Language("de_AT", catalogues=[tmp_path]), Language("de_AT")
    assert german.say(a_text()).startswith("Sonntag, 3. Mai, ")
    assert german.day(DAY, DAY).replace("\u00a0", " ") == "So., 3. Mai"
    assert (german.weekday(0), untranslated.weekday(0)) == ("Montag", "Monday")
    assert german.chart_locale()["time"]["days"][0] == "Sonntag"
    assert untranslated.chart_locale()["time"]["days"][0] == "Sunday"
    assert untranslated.chart_locale()["number"]["decimal"] == ","


def test_numbers_have_the_same_digits_in_every_locale() -> None:
    assert ENGLISH.number(1968.25, 1) == "1,968.2"
    assert [c for c in Language("de_AT").number(1968.25, 1) if c.isdigit()] == list("19682")
    assert Language("de_AT").number(1968.25, 1).endswith("968,2")


def test_texts_survive_copies_and_other_processes() -> None:
    for twin in (copy.deepcopy(a_text()), pickle.loads(pickle.dumps(a_text()))):  # noqa: S301  # our own
        assert isinstance(twin, Text)
        assert (twin, twin.template, twin.values) == (a_text(), a_text().template, a_text().values)


@given(st.integers(0, 10_000))
def test_one_is_one_and_everything_else_many(n: int) -> None:
    assert plural("{n} day", "{n} days", n) == f"{n:,} day{'' if n == 1 else 's'}"


@given(st.floats(0.1, 500_000), st.booleans())
def test_a_limit_is_never_told_larger_than_it_is(limit_m: float, is_miles: bool) -> None:  # noqa: FBT001
    told = Language(is_miles=is_miles).say(text("{limit:distance_down}", limit=limit_m))
    number, unit = told.split()
    assert unit == ("mi" if is_miles else "km")
    assert float(number) * (METRES_PER_MILE if is_miles else 1000) <= limit_m * (1 + 1e-6) + 1e-3


def test_a_locale_that_does_not_exist_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[show]\nlocale = "xx_YY"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no such locale") as refused:
        load(tmp_path)
    assert "de_AT" in str(refused.value)


def test_a_broken_translation_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "translations" / "de" / "LC_MESSAGES" / "hamload.mo"
    path.parent.mkdir(parents=True)
    (tmp_path / "config.toml").write_text('[show]\nlocale = "de_AT"\n', encoding="utf-8")
    for content in (b"no catalogue", b"", b"\xde\x12\x04\x95" + b"\xff" * 40):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"hamload\.mo cannot be read"):
            load(tmp_path)


def test_a_count_of_thousands_is_grouped_like_every_number() -> None:
    assert ENGLISH.plural("{n} day", "{n} days", 1968) == "1,968 days"
    assert Language("de").plural("{n} day", "{n} days", 1968) == "1.968 days"
    assert ENGLISH.plural("{n} day", "{n} days", 7) == "7 days"
    assert str(plural("{n} day", "{n} days", 1968)) == "1,968 days"
