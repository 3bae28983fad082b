"""Sentences that know how they were made: strings in plain English with their template and values beside them."""

from __future__ import annotations

import datetime as dt
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.language.speech import Language


class Text(str):
    """A sentence in English and kilometres, with the template and the values that it was made of.

    Attributes
    ----------
    template
        What translators see; its fields are `{name}` or `{name:format}`, see `Language.field`.
    values
        What stands in the fields: numbers in SI units, days, strings from outside, and texts again.
    many, number
        For a text that counts: its plural, and how many.

    """

    __slots__ = ("many", "number", "template", "values")

    template: str
    values: Mapping[str, Any]
    many: str
    number: float

    def __new__(cls, template: str, values: Mapping[str, Any], many: str = "", number: float = 1) -> Self:
        """Make the English of it."""
        from hamload.language.speech import ENGLISH  # noqa: PLC0415  # a language says texts, and a text is in English

        spoken = many if many and number != 1 else template
        made = super().__new__(cls, filled(spoken, values, ENGLISH))
        made.template, made.values, made.many, made.number = template, values, many, number
        return made

    def __deepcopy__(self, _: Any) -> Self:
        """Nothing of it can change."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes it again in another process."""
        return type(self), (self.template, self.values, self.many, self.number)


def text(template: str, /, **values: Any) -> Text:
    """Return a sentence. The template is found by the extraction of messages: write it as one literal."""
    return Text(template, values)


def plural(one: str, many: str, n: float, /, **values: Any) -> Text:
    """Return a sentence that counts: `one` for one thing, `many` for any other number; `{n}` is the number."""
    return Text(one, {"n": n, **values}, many, n)


def marked(template: str) -> str:
    """Return a template as it is: for tables of them, so that the extraction of messages finds it."""
    return template


def filled(template: str, values: Mapping[str, Any], language: Language) -> str:
    """Return the template with its values, each as the language speaks it."""
    return "".join(
        literal if name is None else literal + language.field(values[name], form or _grouped(name, values[name]))
        for literal, name, form in _fields(template)
    )


def _grouped(name: str, value: Any) -> str:
    """Return the format of a count, "{n}": its thousands are grouped, as those of every other number."""
    return ",d" if name == "n" and isinstance(value, int) else ""


def stored(told: Text) -> dict[str, Any]:
    """Return a text as JSON can keep it."""
    kept: dict[str, Any] = {"text": told.template, "values": {name: _plain(v) for name, v in told.values.items()}}
    return kept | ({"many": told.many, "number": told.number} if told.many else {})


def restored(kept: Mapping[str, Any]) -> Text:
    """Return the text that `stored` kept. Its days are strings by now, which `Language.field` reads."""
    values = {name: _whole(value) for name, value in kept["values"].items()}
    return Text(kept["text"], values, kept.get("many", ""), kept.get("number", 1))


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return stored(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return restored(value)
    return [_whole(item) for item in value] if isinstance(value, list) else value


@cache
def _fields(template: str) -> tuple[tuple[str, str | None, str], ...]:
    return tuple((literal, name, form or "") for literal, name, form, _ in Formatter().parse(template))
