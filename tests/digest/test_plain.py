from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload.digest.plain import clean, glued, isolated, shorten, table, width, wrap

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e6\U0001f1f9"


@pytest.mark.parametrize(
    ("foreign", "harmless"),
    [
        ("Prater\r\nBcc: everyone@example.org", "Prater Bcc: everyone@example.org"),
        ("a\u2028b\u2029c\x0bd\te\x85f", "a b c d e f"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title\x1b]8;;https://example.org\x1b\\link", "titlelink"),
        ("\x9b2Jcleared\x9d0;owned\x9c", "cleared"),
        ("\x1bcreset \x1b", "reset"),
        ("\u202egnp.exe\u202c \u2066x\u2069 \u200fy \u061cz", "gnp.exe x y z"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("lone \ud800 surrogate, \ufffe, private \ue000", "lone surrogate, , private"),
        ("\0null\x7f", "null"),
        ("  many   blanks\u00a0\u3000here ", "many blanks here"),
    ],
)
def test_a_foreign_string_becomes_one_printable_line(foreign: str, harmless: str) -> None:
    assert clean(foreign) == harmless


@pytest.mark.parametrize(
    "text", ["שלום ריצה", "می‌دوم", f"Family {FAMILY} {FLAG} ❤️", "Wörthersee", "नमस्ते", "東京マラソン"]
)
def test_languages_and_emoji_survive_cleaning(text: str) -> None:
    assert clean(text) == unicodedata.normalize("NFC", text)


def test_a_tower_of_marks_is_levelled() -> None:
    assert len(clean("a" + "\u0317" * 10_000)) == 5
    assert len(clean("a" + "\u200d" * 10_000 + "b")) < 10


@given(st.text(st.characters(), max_size=80))
def test_nothing_that_is_cleaned_can_break_a_line_a_terminal_or_an_encoding(text: str) -> None:
    line = clean(text)
    assert len(line.splitlines()) <= 1
    assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cs", "Co", "Zl", "Zp"}]
    assert line.encode().decode() == line
    assert clean(line) == line


def test_a_title_from_right_to_left_cannot_reorder_the_numbers_beside_it() -> None:
    title = "ריצה 10 ק״מ"
    told = isolated(f"The run of Sun 23 Nov, {title}, 24.1 km: 34 %")
    assert told == f"The run of Sun 23 Nov, \u2068{title}\u2069, 24.1 km: 34 %"
    assert width(told) == width(f"The run of Sun 23 Nov, {title}, 24.1 km: 34 %")
    assert isolated("24.1 km, 東京 Prater, über") == "24.1 km, 東京 Prater, über"


def test_width_counts_columns_and_not_code_points() -> None:
    assert [width(text) for text in ("abc", "東京", "e\u0301", "😀", "")] == [3, 4, 1, 2, 0]


def test_a_long_title_is_cut_after_a_word() -> None:
    assert shorten("Long run over the hills of Vienna", 22) == "Long run over the…"
    assert shorten("short", 5) == "short"


def test_a_title_without_blanks_is_cut_at_the_columns() -> None:
    assert shorten("x" * 10_000, 60) == "x" * 59 + "…"
    assert width(shorten("東" * 10_000, 60)) in {59, 60}


def test_a_cut_never_goes_through_a_character_made_of_several() -> None:
    assert shorten(f"ab{FAMILY}cd", 6) == "ab…"
    assert shorten(f"ab{FLAG}cdef", 4) == "ab…"


def test_a_sentence_that_quotes_something_long_keeps_its_end() -> None:
    cut = shorten(f"The run {'x' * 10_000} was 34 % beyond your longest.", 100, keep_end=True)
    assert cut.startswith("The run xxx")
    assert cut.endswith("was 34 % beyond your longest.")
    assert width(cut) <= 100


@given(st.text(max_size=200).map(clean), st.integers(4, 60), st.booleans())
def test_what_is_shortened_fits(text: str, columns: int, keep_end: bool) -> None:  # noqa: FBT001
    assert width(shorten(text, columns, keep_end=keep_end)) <= columns


def test_lines_wrap_at_blanks_under_their_bullet() -> None:
    assert wrap("one two three", "* ", "  ", columns=9) == "* one two\n  three"


def test_a_word_wider_than_the_line_is_split_unless_it_is_to_be_copied() -> None:
    assert wrap("x" * 10, columns=4) == "xxxx\nxxxx\nxx"
    assert wrap("run: hamload/import/it", columns=8, split=False) == "run:\nhamload/import/it"


def test_a_number_stays_with_its_unit() -> None:
    assert glued("34 % of 12 km in 50 min") == "34\u00a0% of 12\u00a0km in 50\u00a0min"
    assert glued("5 minutes, 3 hills") == "5 minutes, 3 hills"
    assert wrap(glued("about 34 %"), columns=9) == "about\n34\u00a0%"


@given(st.text(max_size=300).map(clean), st.sampled_from(["", "* ", "      "]))
def test_no_wrapped_line_is_too_wide_and_no_word_is_lost(text: str, indent: str) -> None:
    lines = wrap(text, indent, columns=30).split("\n")
    assert all(width(line) <= 30 for line in lines)
    assert all(line.startswith(indent) for line in lines)
    assert "".join("".join(line[len(indent) :] for line in lines).split()) == "".join(text.split())


def test_a_table_sets_names_left_and_numbers_right() -> None:
    assert table([["hill", "79"], ["東", "5"]], (6, 5)) == "hill     79\n東        5"


def test_a_number_too_wide_for_its_column_is_pushed_and_not_cut() -> None:
    assert table([["a", "1234567"]], (2, 4)) == "a  1234567"
