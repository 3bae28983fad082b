"""The charts: their colours can be told apart and seen, unknown is drawn as such, and each can be a picture."""

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pytest

from hamload import charts
from hamload.digest.render import PART_COLOURS
from hamload.pipeline.showing.bundling import SHA256, bundled

#: The page's own backgrounds, light and dark (report.css).
PAGES = ("#ffffff", "#1a1f24")
#: Linear RGB as seen with each missing kind of cone (Machado, Oliveira and Fernandes 2009, severity 1).
DEFICIENCIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def _linear(colour: str) -> tuple[float, float, float]:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = (min(max(c, 0.0), 1.0) for c in linear)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (c ** (1 / 3) if c > 0.008856 else 7.787 * c + 16 / 116 for c in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", charts.COLOURS)
def test_every_colour_stands_out_from_the_light_and_from_the_dark_page(name: str, page: str) -> None:
    assert _contrast(charts.COLOURS[name], page) >= 3


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_parts_that_lie_on_one_another_are_told_apart_with_any_colour_vision(deficiency: str) -> None:
    assert {part: charts.COLOURS[part] for part in PART_COLOURS} == PART_COLOURS
    seen = {
        part: _lab(tuple(sum(f * c for f, c in zip(row, _linear(PART_COLOURS[part]), strict=True)) for row in matrix))
        for matrix in [DEFICIENCIES[deficiency]]
        for part in PART_COLOURS
    }
    for one, other in itertools.combinations(seen, 2):
        difference = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
        assert difference > 10, (one, other, difference)


def _days(number: int, **others: Any) -> list[dict[str, Any]]:
    day = {"days": 1, "label": "a day", "hill": 5, "speed": 4, "long": 3, "base": 20, "acute": 32, "chronic": 30}
    return [{"at": n * 86_400_000} | day | others for n in range(number)]


def test_every_chart_can_be_a_picture_whether_it_has_many_rows_one_or_none() -> None:
    whole = [{"at": 0}, {"at": 27 * 86_400_000}]
    for number in (0, 1, 28):
        days = _days(number)
        ratios = [{"at": d["at"], "label": "a day", "uncoupled": None, "ewma": 1.1} for d in days]
        run = [{"minute": n, "speed": 10.0, "grade": None, "demand": 1.0} for n in range(number)]
        felt = [{"at": d["at"], "label": "a day", "tightness": 3} for d in days]
        for png in (
            charts.png(charts.load(), days=days, unknown=[]),
            charts.png(charts.ratios(), ratios=ratios, withheld=[], thresholds=[]),
            charts.png(charts.strength(), tightness=felt, curls=[], whole=whole),
            charts.png(charts.run(), run=run),
        ):
            assert png.startswith(b"\x89PNG")


def test_an_unknown_day_changes_the_picture_and_a_title_does_not_change_its_meaning() -> None:
    days = _days(28)
    plain = charts.png(charts.load(), days=days, unknown=[])
    assert plain == charts.png(charts.load(), days=days, unknown=[]), "the same rows give the same bytes"
    span = [{"at": 0, "until": 3 * 86_400_000, "why": "<script>"}]
    assert plain != charts.png(charts.load(), days=days, unknown=span)


def test_the_library_of_a_page_is_kept_and_what_lies_in_its_place_is_never_run(tmp_path: Path) -> None:
    made = bundled(tmp_path / "cache")
    assert hashlib.sha256(made.encode()).hexdigest() == SHA256, "another vl-convert: name its hash in bundling.py"
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.read_text() == made
    kept.write_text("alert(1)")
    assert bundled(tmp_path / "cache") == made
    assert kept.read_text() == made
    kept.unlink()
    kept.mkdir()
    assert bundled(tmp_path / "cache") == made
