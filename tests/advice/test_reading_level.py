"""Everything that a runner reads can be read by a tired one: sentences measured by the Flesch-Kincaid grade.

Grade 8 is what a thirteen-year-old reads (Kincaid et al. 1975); health texts for everybody aim at 6 to 8. The whole of
`advice/wording/` is measured: a new sentence is in as soon as it is written.
"""

import datetime as dt
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from hamload.advice import wording
from hamload.advice.flags import FLAGS
from hamload.records import SessionFact, State

DAY = dt.date(2026, 11, 24)
RUN = SessionFact(
    session_id="1",
    start_at=dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC),
    local_date=DAY,
    title="Morning run",
    distance_m=21_300.0,
    moving_time_s=7200.0,
    load_efm=130.0,
    load_hill_efm=0.0,
    load_speed_efm=0.0,
    load_long_efm=0.0,
    load_base_efm=130.0,
    is_hill=False,
    is_speed=False,
    is_long=True,
    is_heavy=True,
    spike_distance=1.34,
    spike_load=1.2,
)
#: What the sentences are filled with, by the name of the argument.
WORDS: dict[str, Any] = {
    "session": RUN,
    "state": State.CAUTION,
    "own": " and above 90 % of the days of your own past year (1.42)",
    "of_what": "the last 7 days' load",
    "noun": "run",
    "kind": "long",
    "told": "2 x 8 ball curls",
    "reason": "2 good sessions at the last dose: one step up.",
    "meanings": [flag.meaning for flag in FLAGS.values()],
    "names": ("numbness", "tingling"),
    "parts": ("the week's load is at most 1.44 times that of the weeks before", "the smoothed ratio at most 1.30"),
    "dates": (DAY, DAY),
    "budgets": [(DAY, 40), (DAY, 0)],
    "distance_m": 16_000.0,
}
NO_SENTENCES = {
    "headline",
    "day",
    "count",
    "whole",
    "run",
    "cause",
    "week",
    "heavy_week",
    "dose",
    "instead",
    "by_day",
    "together",
}
NO_SENTENCES.add("together")
FUNCTIONS = [
    (name, function)
    for name, function in inspect.getmembers(wording, inspect.isfunction)
    if function.__module__.startswith(wording.__name__) and not name.startswith("_") and name not in NO_SENTENCES
]


def sample(function: Callable[..., Any]) -> str:
    """Call a wording function with plausible arguments."""
    filled: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = str(parameter.annotation)
        if name == "own" and "float" in kind:
            filled[name] = 1.42
        elif name in WORDS:
            filled[name] = WORDS[name]
        elif "date" in kind:
            filled[name] = DAY
        elif "bool" in kind:
            filled[name] = True
        else:
            filled[name] = 3
    said = function(**filled)
    return said if isinstance(said, str) else " ".join(said)


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade: 0.39 words a sentence + 11.8 syllables a word - 15.59.

    Numbers and commands are read as one short word each, and a colon or semicolon ends a thought as a full stop does.
    """
    text = re.sub(r"hamload log [a-z-]+( [a-z0-9-]+)*", "log", text)
    sentences = [s for s in re.split(r"[.:;!?](?:\s|$)", text) if re.search(r"[A-Za-z]{2}", s)]
    words = re.findall(r"[A-Za-z']+|\d[\d.,:/]*", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """Return how many syllables a word has: its groups of vowels, a silent e at the end left out."""
    word = word.lower()
    if not word[0].isalpha():
        return 1
    groups = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouyl]e$|[^aeiouydt]ed$", word) and groups > 1:
        groups -= 1
    return max(groups, 1)


@pytest.mark.parametrize(
    ("text", "known"),
    [("The cat sat on the mat.", -1.45), ("Some soreness is a good sign.", 3.7)],
)
def test_the_measure_itself(text: str, known: float) -> None:
    """6 words, 6 syllables: 0.39 x 6 + 11.8 - 15.59. 6 words, 8 syllables: 2.34 + 15.73 - 15.59, and so on."""
    assert grade(text) == pytest.approx(known, abs=1.3)


def test_everything_together_reads_like_a_text_for_everybody() -> None:
    everything = " ".join(sample(function) for _, function in FUNCTIONS)
    assert grade(everything) <= 8.0


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_no_sentence_is_hard(name: str, function: Callable[..., Any]) -> None:
    assert grade(sample(function)) <= 13.0, (name, sample(function))


def test_what_must_be_understood_at_once_is_easiest() -> None:
    for text in (wording.stop_urgent(), wording.stop_clinician(), wording.stop_withheld(), wording.DISCLAIMER):
        assert grade(text) <= 9.5, text
    assert grade(f"{wording.stop_urgent()} {wording.stop_clinician()}") <= 8.0


def test_no_sentence_names_a_probability_a_diagnosis_or_a_promise() -> None:
    forbidden = re.compile(
        r"\b(probab\w+|chances? of|your risk|odds|likely to (?:be|get)|will (?:be|get) (?:hurt|injured)|tear|torn|"
        r"tendinopathy|strain injury|sciatica|diagnos\w+|heals?|cures?|prevents?|safe to)\b",
        re.IGNORECASE,
    )
    for name, function in FUNCTIONS:
        assert not forbidden.search(sample(function)), name


def test_every_sentence_fits_a_phone() -> None:
    for name, function in FUNCTIONS:
        if name not in {"next_curls", "backtested"}:
            assert len(sample(function)) <= wording.LONGEST, name
