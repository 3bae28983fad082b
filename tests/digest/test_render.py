from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hamload.advice import wording
from hamload.digest import render
from hamload.digest.facts import written_on
from hamload.digest.plain import COLUMNS, clean, width
from hamload.digest.render import render_html, render_markdown, render_text, subject
from hamload.digest.report import render_report
from hamload.language import DASH, ENGLISH, MINUS, Language
from hamload.records import SERIES, Cause, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from hamload.digest.facts import DigestFacts

type Make = Callable[..., Any]

SECTIONS = (
    "Why",
    "The next 7 days",
    "Last 7 days against the 28 before",
    "Load ratios",
    "Runs of the last 7 days",
    "What is not known",
    "Sources",
    "How these numbers are made",
)
VOID = {"meta", "br"}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '"><b>bold</b> & <!-- --> ]]> {{ 7*7 }} {% raw %}',
    "Run\r\nBcc: everyone@example.org\r\n\r\n<h1>body</h1>",
    "\x1b[2J\x1b]0;owned\x07\x9b31m cleared \x07",
    "\u202e\u2066moc.live\u2069 turned \u200f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e6\U0001f1f9 ❤️ " * 30,
    "x" * 10_000,
    "word " * 2_000,
    "東" * 10_000,
    "a" + "\u0317" * 10_000,
    "| cell | [link](https://example.org) ![x](y) **b** `c` # h\n- item\n1. one",
    "null \0 \ud800 \ufffe \uffff",
    "",
)


class Page(HTMLParser):
    """What a browser would make of a page: its elements with attributes, its text, and whether all was closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note it."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader reads, blanks folded."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element with this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def everything(facts: DigestFacts) -> dict[str, str]:
    page = Page(render_html(facts)).text
    return {"text": render_text(facts), "html": page, "markdown": render_markdown(facts)}


def folded(text: str) -> str:
    return " ".join(text.split())


def test_every_section_is_in_text_html_and_markdown(example: DigestFacts) -> None:
    text, markdown = render_text(example).splitlines(), render_markdown(example).splitlines()
    html = render_html(example)
    for section in SECTIONS:
        assert text[text.index(section) + 1] == "-" * len(section)
        assert f"## {section}" in markdown
        assert re.search(rf"<h2 [^>]*>{section}</h2>", html)


def test_a_page_is_well_formed_for_browsers_and_for_xml(example: DigestFacts) -> None:
    html = render_html(example)
    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    assert Page(html).open == []
    ET.fromstring(html)  # noqa: S314 - our own page


def test_a_page_names_its_language_its_title_and_its_headings_in_order(example: DigestFacts) -> None:
    html = render_html(example)
    page = Page(html)
    assert page.all("html")[0]["lang"] == "en"
    assert [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)] == ["h1"] + ["h2"] * len(SECTIONS)
    assert f"<title>{subject(example)}</title>" in html


def test_a_page_loads_nothing_and_runs_nothing(example: DigestFacts) -> None:
    html = render_html(example)
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "a", "svg", "base", "video"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert not names & {"src", "href", "srcset", "action", "background", "poster"}
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in html.replace("http-equiv", "").replace('xmlns="http://www.w3.org/1999/xhtml"', "")


def test_every_cell_of_a_table_that_is_read_out_has_a_header_with_its_scope(example: DigestFacts) -> None:
    root = ET.fromstring(render_html(example))  # noqa: S314 - our own page
    space = "{http://www.w3.org/1999/xhtml}"
    grids = [table for table in root.iter(f"{space}table") if table.get("role") != "presentation"]
    assert len(grids) >= 3
    for grid in grids:
        assert grid.find(f"{space}caption") is not None
        headers = list(grid.iter(f"{space}th"))
        assert all(header.get("scope") in {"col", "row", "rowgroup"} for header in headers)
        columns = len([header for header in headers if header.get("scope") == "col"])
        for row in grid.iter(f"{space}tr"):
            assert sum(int(cell.get("colspan", "1")) for cell in row) == columns


def test_lines_of_text_stay_within_72_columns(example: DigestFacts) -> None:
    assert [line for line in render_text(example).split("\n") if width(line) > COLUMNS] == []


def test_the_same_facts_give_the_same_bytes(make: Make) -> None:
    for name in ("deload", "steady", "unknown", "baseline"):
        first, again = make(name), make(name)
        assert render_html(first) == render_html(again)
        assert everything(first) == everything(again)


def test_a_digest_says_why_with_numbers_runs_shares_and_evidence(make: Make) -> None:
    for shown in everything(make("deload")).values():
        said = folded(shown)
        assert "The run of Sun 23 Nov was 34 % beyond your longest in 30 days." in said
        assert "1.34 against a threshold of 1.30" in said
        assert "Prater easy, Thu 20 Nov (share: 17 %)" in said
        assert "It cannot say whether you will." in said
        assert "the spike 3 days old" in said


def test_a_digest_explains_efm_and_disclaims_advice(example: DigestFacts) -> None:
    for shown in everything(example).values():
        said = folded(shown)
        assert "1 EFM = one minute of easy flat running" in said
        assert "It is a model, not a measurement." in said
        assert "It is no medical advice" in said
        assert "probability" not in said
        assert "1-3f9a11c2" in said


def test_the_week_stands_beside_the_mean_week_before_it(make: Make) -> None:
    text = render_text(make("deload"))
    for row in (
        r"Load, EFM +330 +210 +\+57 %",
        r"  hill +79 +21 +\+278 %",
        rf"  base +155 +162 +{MINUS}4 %",
        r"Distance +52\.9 km +33\.6 km +\+57 %",
        r"Moving time +4:57 h +3:09 h +\+57 %",
        r"Runs +4 +3\.8 +\+7 %",
    ):
        assert re.search(f"^{row}$", text, re.MULTILINE), row


def test_a_week_with_unknown_days_is_compared_with_nothing(make: Make) -> None:
    for shown in everything(make("unknown")).values():
        said = folded(shown)
        assert "5 of 7" in said
        assert "known days only" in said
        assert not re.search(rf"[+{MINUS}]\d+ %", said)


def test_bars_are_as_long_as_their_loads(make: Make) -> None:
    lines = render_text(make("deload")).splitlines()
    week = next(line for line in lines if line.startswith("Last 7 days  H")).removeprefix("Last 7 days  ")
    mean = next(line for line in lines if line.startswith("Mean week    H")).removeprefix("Mean week    ")
    assert Counter(week) == {"H": 10, "S": 4, "L": 7, "B": 19}
    assert Counter(mean) == {"H": 3, "S": 2, "L": 1, "B": 19}
    cells = [a["style"] or "" for a in Page(render_html(make("deload"))).all("td") if a.get("class") == "part"]
    percents = [int(found[1]) for style in cells if (found := re.match(r"width:(\d+)%", style))]
    assert sum(percents[:4]) == 100
    assert sum(percents[4:]) == 64


def test_every_series_has_its_row_and_what_is_withheld_its_reason_once(make: Make) -> None:
    text = render_text(make("unknown"))
    for name in SERIES:
        assert re.search(rf"^{name}( +{DASH}){{5}}$", text, re.MULTILINE)
    assert folded(text).count("total, heavy, hill, speed, long: 2 of the last 28 days are unknown") == 1
    assert re.search(r"^total +47\.2 +33\.8 +1\.61 +1\.38 +94 %$", render_text(make("deload")), re.MULTILINE)


def test_a_run_shows_its_parts_labels_spikes_and_how_far_it_can_be_trusted(make: Make) -> None:
    said = folded(render_text(make("deload")))
    assert "Sun 23 Nov: 24.1 km, 2:27 h, 172 EFM hill 58, speed 0, long 63, base 50 hill, long, heavy" in said
    assert "largest of the 30 days before: distance +34 %, load +52 %" in said
    assert "hill unknown, speed 0, long <1, base 47 not heavy; unknown whether hill" in said
    assert "Confidence: medium. Worked out second by second, but without altitude" in said


def test_sources_show_their_last_success_on_the_athletes_clock_and_their_remedy(make: Make) -> None:
    for shown in everything(make("deload")).values():
        said = folded(shown)
        assert "Sat 15 Nov, 03:10 (9 days ago)" in said
        assert "Fri 14 Nov (10 days ago)" in said
        assert "Garmin no longer takes the saved tokens." in said
        assert "hamload auth garmin" in said
    assert "Sources that need you: garmin." in render_text(make("deload"))
    assert "Sources that need you" not in render_text(make("steady"))


def test_a_source_that_never_answered_is_not_called_well(make: Make) -> None:
    row = replace(make("deload").sources[0], last_success_at=None, newest_activity_date=None)
    for shown in everything(make("steady", sources=(row,))).values():
        said = folded(shown)
        assert "no error reported" not in said
        assert re.search("last success unknown|files unknown unknown", said, re.IGNORECASE)
    assert "Sources that need you: files." in render_text(make("steady", sources=(row,)))


def test_evidence_and_assumption_are_told_apart(make: Make) -> None:
    for kind, shown in everything(make("deload")).items():
        said = folded(shown)
        published, assumed = said.lower().index("published evidence:"), said.lower().index("our assumption:")
        assert published < said.index("Frandsen et al. 2025, BJSM 59:1203. Acting") < assumed, kind
        assert assumed < said.index("The ratio limits 1.3, 1.5 and 1.8")


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_headline_and_its_colour(make: Make, state: State) -> None:
    facts = make("deload", alert=make("alert", state=state), headline=f"what {state.value} means")
    line = f"{state.value.capitalize()}: what {state.value} means"
    background, ink = render.STATE_COLOURS[state]
    html = render_html(facts)
    assert re.search(rf"background-color:{background};color:{ink};\">\s*<p [^>]*>hamload", html)
    assert re.search(rf"<h1 [^>]*>{line}</h1>", html)
    assert f"\n{line}\n{'=' * len(line)}\n" in render_text(facts)
    assert render_markdown(facts).startswith(f"# {line}\n")
    assert subject(facts) == f"{line} - hamload for Anna, Mon 24 Nov"


def test_no_two_states_share_a_colour() -> None:
    assert len({background for background, _ in render.STATE_COLOURS.values()}) == len(State)


def test_a_headline_that_names_its_state_is_left_as_it_is(make: Make) -> None:
    assert subject(make("deload", headline="Deload, day 2")) == "Deload, day 2 - hamload for Anna, Mon 24 Nov"
    assert subject(make("deload", headline="", athlete_name="")) == "Deload - hamload, Mon 24 Nov"


def test_the_rules_own_headlines_name_their_state_once(make: Make) -> None:
    for state in State:
        alert = make("alert", state=state)
        line = subject(make("deload", alert=alert, headline=wording.headline(alert), athlete_name=""))
        assert state.value in line.casefold().split(" - ")[0]
        assert not line.casefold().startswith(f"{state.value}: {state.value}")
        assert not line.startswith("Baseline: Building a baseline")
        assert width(line) <= 130
        assert line.endswith(" - hamload, Mon 24 Nov")
        assert "…" not in line


def test_a_share_and_an_ending_that_the_sentence_tells_are_not_told_again(make: Make) -> None:
    cause = Cause("s1", 0.62, "Sunday 23 November, Kahlenberg, 24.1 km: 62 % of the last 7 days' load")
    alert = make(
        "alert", reasons=(make("reason", causes=(cause,)),), clears_when="Clears after 3 more days of history."
    )
    for shown in everything(make("deload", alert=alert)).values():
        assert folded(shown).count("62 %") == 1
        assert folded(shown).count("Clears") == 1


def test_ink_is_readable_on_every_background(make: Make) -> None:
    page = [("#ffffff", "#1c2024"), ("#ffffff", "#565d66"), ("#1a1f24", "#e8eaed"), ("#1a1f24", "#a9b1ba")]
    html = render_html(make("deload"))
    assert all(colour in html for pair in page for colour in pair)
    assert min(contrast(*pair) for pair in [*render.STATE_COLOURS.values(), *page]) >= 4.5


def test_the_colours_of_the_parts_stand_out_in_light_and_dark() -> None:
    for colour in render.PART_COLOURS.values():
        assert contrast(colour, "#ffffff") >= 3
        assert contrast(colour, "#1a1f24") >= 3


def test_simulated_numbers_say_so_in_subject_text_html_and_markdown(make: Make) -> None:
    facts = make("deload", is_simulated=True)
    assert subject(facts).startswith("[simulated] Deload: ")
    for shown in everything(facts).values():
        for section in ("Why", "Last 7 days against the 28 before", "Load ratios", "Runs of the last 7 days"):
            assert f"{section} (simulated)" in folded(shown)
        assert "Nobody ran them." in folded(shown)
    for shown in everything(make("deload")).values():
        assert "simulated" not in shown.lower()


def test_a_red_flag_withholds_all_exercise_advice(make: Make) -> None:
    stop = make("alert", state=State.STOP, advice=("See a clinician before you run again.",))
    for shown in everything(make("deload", alert=stop)).values():
        said = folded(shown)
        assert "See a clinician before you run again." in said
        assert "All exercise advice is withheld." in said
        assert "curls" not in said
        assert "231 EFM" not in said


def test_the_alerts_own_advice_comes_first_and_no_line_comes_twice(make: Make) -> None:
    alert = make("alert", advice=("Rest today.", "Run as usual."))
    text = render_text(make("deload", alert=alert, next_7=("Run as usual.", "Curls on Friday.")))
    assert "* Rest today.\n* Run as usual.\n* Curls on Friday.\n" in text


def test_an_old_state_is_not_sold_as_todays(make: Make) -> None:
    alert = make("alert", date=dt.date(2025, 11, 22))
    for shown in everything(make("deload", alert=alert)).values():
        assert "This state is of Sat 22 Nov (2 days ago), not of today." in folded(shown)


def test_a_state_that_is_held_or_goes_on_says_so(make: Make) -> None:
    for shown in everything(make("deload", alert=make("alert", held=True, is_continuation=True))).values():
        assert "Held: today's numbers alone would not call for it" in folded(shown)
        assert "A continuation of the last alert" in folded(shown)


@pytest.mark.parametrize(
    ("value", "threshold", "said"),
    [
        (1.304, 1.3, "1.304 against a threshold of 1.300"),
        (None, 1.3, "unknown; the threshold is 1.30"),
        (float("nan"), 1.3, "unknown; the threshold is 1.30"),
        (5, 4, "5 against a threshold of 4"),
        (float("inf"), 2.0, "infinite against a threshold of 2.00"),
        (14, None, "14"),
    ],
)
def test_a_reason_shows_its_number_and_its_threshold(
    make: Make, value: float | None, threshold: float | None, said: str
) -> None:
    alert = make("alert", reasons=(make("reason", value=value, threshold=threshold),))
    for shown in everything(make("deload", alert=alert)).values():
        assert said in folded(shown)


def test_curls_that_nobody_has_told_are_said_in_a_sentence() -> None:
    assert render.measured("few_curls", None, 2, ENGLISH) == "curl sessions in 10 days: unknown; the threshold is 2"


def test_a_reason_without_a_number_shows_none(make: Make) -> None:
    alert = make("alert", reasons=(make("reason", value=None, threshold=None),))
    assert "against a threshold" not in render_text(make("deload", alert=alert))


def test_everything_unknown_shows_as_unknown_and_nothing_as_zero_or_none(make: Make) -> None:
    for nothing in (None, float("nan")):
        facts = emptied(make("deload", model=replace(make("deload").model, notes=())), nothing)
        for kind, shown in everything(facts).items():
            said = folded(shown)
            assert not re.search(r"\b(None|nan|NaN|null|True|False)\b", said), kind
            assert not re.search(r"(?<![\d:.])0(?![\d:.])", re.sub(r"Fri 0|Wed 0|Mon 0", "", said)), kind
            assert "Your easy speed: unknown." in said or "Easy speed: unknown." in said
            assert "last success unknown" in said or "unknown unknown" in said
            assert "kind of session unknown" in said
            assert "largest of the 30 days before: unknown" in said


def emptied(facts: DigestFacts, nothing: float | None) -> DigestFacts:
    """Return the facts with every value taken away that may be unknown."""
    known = {"is_simulated", "held", "is_new", "is_continuation", "episode", "days", "known_days", "spike_days"}

    def of(value: Any, name: str) -> Any:
        if isinstance(value, tuple):
            return tuple(of(item, name) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: of(getattr(value, f.name), f.name) for f in fields(value)})
        if name.startswith("is_") and name not in known:
            return None
        if name in {"last_success_at", "newest_activity_date"}:
            return None
        return nothing if isinstance(value, int | float) and name not in known else value

    emptied_facts: DigestFacts = of(facts, "facts")
    return emptied_facts


def test_a_template_that_forgets_a_format_fails_instead_of_printing_none() -> None:
    for value in (None, 1.5, float("nan"), True):
        with pytest.raises(TypeError, match="without a format"):
            render.templates().from_string("{{ value }}").render(value=value)


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_breaks_out_of_its_place(make: Make, title: str) -> None:
    calm, facts = make("deload"), hostile(make, title)
    html = render_html(facts)
    page, calm_page = Page(html), Page(render_html(calm))
    assert page.open == []
    ET.fromstring(html)  # noqa: S314 - our own page
    assert [tag for tag, _ in page.elements if tag != "strong"] == [t for t, _ in calm_page.elements if t != "strong"]
    assert len(html) < 60_000
    text = render_text(facts)
    assert [line for line in text.split("\n") if width(line) > COLUMNS] == []
    assert [line for line in text.split("\n") if line in SECTIONS] == list(SECTIONS)
    markdown = render_markdown(facts)
    assert [line for line in markdown.splitlines() if line.startswith("#")][1:] == [f"## {s}" for s in SECTIONS]
    assert not re.search(r"(?<!\\)(<[a-z!/]|\[link\]\(|!\[|(?<!\\)\]\()", markdown)
    for shown in (html, text, markdown, subject(facts)):
        shown.encode("utf-8")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066\u2067\u2028\u2029]", shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_subject_is_one_short_line_whatever_the_headline_holds(make: Make, text: str) -> None:
    line = subject(make("deload", headline=text, athlete_name=text))
    assert len(line.splitlines()) == 1
    assert width(line) <= 130
    assert line.startswith("Deload")
    assert line.endswith(", Mon 24 Nov")


def test_a_long_title_ends_in_an_ellipsis_and_an_empty_one_has_a_name(make: Make) -> None:
    assert f"* {'x' * 59}…\n" in render_text(hostile(make, "x" * 10_000))
    assert "* untitled\n" in render_text(hostile(make, "\u202e \x07"))


def test_a_title_in_hebrew_keeps_to_itself(make: Make) -> None:
    html = render_html(make("deload", sessions=(make("session", title="ריצה 10"),)))
    assert "<bdi>ריצה 10</bdi>" in html


def test_a_remedy_can_be_copied_whole(make: Make) -> None:
    command = f"hamload import /home/anna/{'deep/' * 20}activities"
    row = replace(make("deload").sources[1], remedy=command)
    facts = make("deload", sources=(row,))
    assert f"    {command.split(' ')[2]}\n" in render_text(facts)
    assert f">{command}</code>" in render_html(facts)
    assert f"`{command}`" in render_markdown(facts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(title=st.text(st.characters(), max_size=60))
def test_any_title_keeps_the_page_whole_and_the_lines_short(make: Make, title: str) -> None:
    facts = hostile(make, title)
    html = render_html(facts)
    ET.fromstring(html)  # noqa: S314 - our own page
    assert Page(html).open == []
    assert all(width(line) <= COLUMNS for line in render_text(facts).split("\n"))
    shown = clean(title) or "untitled"
    if width(shown) <= 60:
        assert folded(shown) in Page(html).text


def hostile(make: Make, title: str) -> DigestFacts:
    """Return a deload whose every foreign string is this one."""
    reason = make("reason", sentence=f"The run {title} was too long.", causes=(Cause("s1", 0.5, title),))
    calm = make("deload")
    facts: DigestFacts = make(
        "deload",
        alert=make("alert", reasons=(reason, calm.alert.reasons[1])),
        sessions=(make("session", title=title), make("session", title=title)),
        unknowns=(f"The file {title} could not be read.", "And another."),
        sources=(calm.sources[0], replace(calm.sources[1], wrong=f"It said: {title}")),
    )
    return facts


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, "contrast ratio"), 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_subject_of_a_mail_says_the_state_and_its_cause(make: Make) -> None:
    rules = {"distance_spike": 1.61, "uncoupled_ratio": 1.92}
    reasons = tuple(make("reason", rule=rule, value=value) for rule, value in rules.items())
    facts = make("deload", alert=make("alert", reasons=reasons))
    expected = "Deload: longest run in 30 days +61 %, load ratio 1.92 - hamload for Anna, Mon 24 Nov"
    assert render.mail_subject(facts) == expected
    assert render.mail_subject(replace(facts, is_simulated=True)) == f"[simulated] {expected}"
    assert render.mail_subject(make("steady")) == subject(make("steady"))


def test_pictures_stand_in_the_page_with_words_for_those_who_see_none(make: Make) -> None:
    picture = render.Picture("cid:load@hamload", "Load <b>", 'Chart: "382" EFM')
    html = render_html(make("deload"), [picture], leave="Write to us.")
    assert '<img class="chart" src="cid:load@hamload" alt="Chart: &#34;382&#34; EFM"' in html
    assert "Load &lt;b&gt;" in html
    assert "Write to us." in html
    ET.fromstring(html)  # noqa: S314 - our own page


def test_distances_are_miles_in_every_form_for_who_reads_miles(make: Make) -> None:
    facts = make("deload", language=Language(is_miles=True))
    for shown in (render_text(facts), render_html(facts), render_markdown(facts)):
        assert "32.8" in shown
        assert "mi" in shown
        assert "52.9" not in shown


def test_what_has_grown_old_says_so_in_every_form_and_counts_its_days_from_the_writing(make: Make) -> None:
    facts = written_on(make("deload"), dt.date(2025, 12, 14), is_newest=True)
    for shown in (render_text(facts), render_html(facts), render_markdown(facts)):
        said = " ".join(shown.split()).replace("\N{NO-BREAK SPACE}", " ")
        assert "hamload last looked 19 days ago. What follows is of 24 Nov" in said
        assert "yesterday" not in said
    assert "(21 days ago)" in " ".join(render_text(facts).split())
    a_night = written_on(make("deload"), dt.date(2025, 11, 25), is_newest=True)
    asked_for = written_on(make("deload"), dt.date(2025, 12, 14), is_newest=False)
    made_up = written_on(make("deload", is_simulated=True), dt.date(2025, 12, 14), is_newest=True)
    for other in (a_night, asked_for, made_up):
        assert "last looked" not in render_text(other)


def test_a_day_of_another_year_is_told_with_its_year(make: Make) -> None:
    facts = written_on(make("deload"), dt.date(2026, 2, 1), is_newest=False)
    assert "Mon 24 Nov 2025" in render.mail_subject(facts)
    assert "Mon 24 Nov 2025" in render_text(facts)


def test_the_easy_speed_is_a_pace_in_miles_for_who_reads_miles(make: Make) -> None:
    assert "Your easy speed: 2.80 m/s (5:57 min/km)." in " ".join(render_text(make("deload")).split())
    facts = make("deload", language=Language(is_miles=True))
    for shown in (render_text(facts), render_html(facts), render_markdown(facts)):
        said = " ".join(shown.replace("\N{NO-BREAK SPACE}", " ").split())
        assert "Your easy speed: 9:35 min/mi." in said
        assert "m/s" not in said


def test_a_part_that_is_not_known_carries_no_unit_in_a_runs_detail(make: Make) -> None:
    html = render_report(make("report", runs=[make("report run", session=make("easy run"))]))
    assert "<dd>unknown</dd>" in html
    assert "unknown EFM" not in html
