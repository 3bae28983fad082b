"""One home, spoken otherwise: in miles nothing says km, and in a language every sentence is the language's."""

from __future__ import annotations

import datetime as dt
import html as html_module
import importlib.util
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel import Locale
from typer.testing import CliRunner

import hamload
from hamload import pipeline, settings
from hamload.advice import RULES
from hamload.cli import app
from hamload.digest.render import _MEASURES, mail_subject, render_html, render_markdown, render_text
from hamload.pipeline.showing import mailing

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from hamload.settings import Settings

NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
#: Units and names that are the same in every language; "files" is a source, "held" a rule.
NAMES = {"hamload", "files", "held", "EFM", "EWMA", "min", "km", "mi", "Europe", "Vienna"}


def _messages() -> ModuleType:
    path = Path(__file__).parents[1] / "language" / "messages.py"
    spec = importlib.util.spec_from_file_location("hamload_test_messages", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def spoken(simulated_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Settings]:
    """Return the simulated home, as its tables are, with other words in its [show]."""

    def home_with(show: str) -> Settings:
        folder = tmp_path_factory.mktemp("spoken") / "home"
        shutil.copytree(simulated_home.home, folder)
        with (folder / "config.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n[show]\n{show}\n")
        return settings.load(folder)

    return home_with


def _words(html: str) -> str:
    """Return what a reader of a page reads: no script, style, attribute or tag."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    labels = " ".join(re.findall(r'(?:aria-label|data-words|alt)="([^"]*)"', html))
    return html_module.unescape(f"{re.sub(r'<[^>]*>', ' ', html)} {labels}")


def _everything(home: Settings) -> dict[str, str]:
    facts = pipeline.overview(home, "me")
    report = pipeline.report(home, "me", NIGHT).read_text(encoding="utf-8")
    run = CliRunner()
    shown = {
        "subject": mail_subject(facts),
        "text": render_text(facts),
        "html": _words(render_html(facts, mailing.pictures_within(home, facts))),
        "markdown": render_markdown(facts),
        "report": _words(re.sub(r'<section id="model".*?</section>', "", report, flags=re.DOTALL)),
        "report's script": re.search(r'id="data">(.*?)</script>', report, re.DOTALL)[1],  # type: ignore[index]
    }
    for command in ("status", "sessions", "alerts", "plan"):
        result = run.invoke(app, [command, "--home", str(home.home)], env={"COLUMNS": "100"})
        assert result.exit_code == 0, result.output
        shown[command] = result.output
    return shown


@pytest.mark.slow
def test_who_reads_miles_reads_no_kilometre_anywhere(spoken: Callable[[str], Settings]) -> None:
    shown = _everything(spoken('units = "miles"'))
    for place, said in shown.items():
        assert not re.search(r"\bkm\b|/km\b", said), (place, re.findall(r".{40}\bkm\b.{10}|.{40}/km\b", said)[:3])
    for place in ("text", "html", "markdown", "report", "status", "sessions", "alerts"):
        assert re.search(r"\bmi\b", shown[place]), place
    assert "mph" in shown["report's script"]


@pytest.mark.slow
def test_in_another_language_every_sentence_is_that_language_s(spoken: Callable[[str], Settings]) -> None:
    """Every letter of the translation has an accent: what nobody translated is seen by its plain ones."""
    home = spoken('locale = "de_AT"')
    _messages().write_accented(home.home / "translations", "de")
    shown = _everything(home)
    data = shown.pop("report's script")
    quoted = _quoted(home)
    for place, said in shown.items():
        plain = said.replace(str(home.home), "")
        left = re.findall(r"(?<![^\W\d_])[A-Za-z]{3,}(?![^\W\d_])", plain)
        assert [word for word in left if word not in quoted] == [], place
    assert '"decimal":","' in data
    assert re.search(r"\d,\d\s*km", shown["text"])


def _quoted(home: Settings) -> set[str]:
    """Return the words of what is quoted: titles, devices, what coefficients rest on; and days and months of de_AT."""
    runs = hamload.open(home.home).sessions()
    told = [*runs["title"], *runs["name"], *runs["device"], *runs["session_id"].str[:6], *home.provenance]
    told += [row.source for row in home.provenance.values()]
    told += [rule.__name__ for rule in RULES] + [str(reason) for reason in _MEASURES]
    german = Locale("de", "AT")
    told += [name for names in (german.months, german.days) for form in names.values() for name in _all(form)]
    return NAMES | {word for text in told for word in re.findall(r"[A-Za-z]{3,}", str(text))}


def _all(form: dict[str, dict[int, str]]) -> list[str]:
    return [name for width in form.values() for name in width.values()]


@pytest.mark.slow
def test_what_is_stored_and_what_a_machine_reads_stay_english_and_metric(spoken: Callable[[str], Settings]) -> None:
    home = spoken('units = "miles"\nlocale = "de_AT"')
    result = CliRunner().invoke(app, ["alerts", "--json", "--home", str(home.home)])
    assert "The run of Friday 20 November was" in result.output
    assert re.search(r"\d+\.\d km: \d+ % of the last 7 days' load", result.output)


@pytest.mark.slow
def test_a_planned_run_may_be_given_in_miles(spoken: Callable[[str], Settings]) -> None:
    home = spoken('units = "miles"')
    arguments = ["plan", "--home", str(home.home), "--add", "sun long 100min 7mi"]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    assert " over 7.0 mi," in " ".join(result.output.split())
    for refused in ("7furlongs", "0mi", "mi"):
        assert CliRunner().invoke(app, [*arguments[:-1], f"sun long 100min {refused}"]).exit_code != 0


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_told_once_and_stops_nothing(spoken: Callable[[str], Settings]) -> None:
    home = spoken('units = "km"')
    (home.home / "report.html").unlink(missing_ok=True)
    (home.home / "report.html").mkdir()
    for night in (NIGHT, NIGHT + dt.timedelta(days=1)):
        reports, problems = pipeline.tell_and_report(home, [], night)
        assert reports == []
        assert [line for line in problems if line.startswith("The report of me could not be written: ")]
    told = [message.subject for message in pipeline.undelivered(home, "me") if message.kind == "failure"]
    assert told == ["hamload: the report went wrong last night"]
    (home.home / "report.html").rmdir()
    assert pipeline.tell_and_report(home, [], NIGHT + dt.timedelta(days=2)) == ([home.home / "report.html"], [])


def test_copies_are_a_remark_and_make_nothing_unknown(
    home: Settings, bring: Callable[..., object], fit_on: Callable[..., bytes], tmp_path: Path
) -> None:
    whole = fit_on(dt.date(2026, 11, 20))
    for name in ("watch", "phone"):
        (tmp_path / f"{name}.fit").write_bytes(
            whole if name == "watch" else fit_on(dt.date(2026, 11, 20), minutes=29.5)
        )
    bring(home, tmp_path / "watch.fit", tmp_path / "phone.fit")
    facts = pipeline.overview(home, "me", dt.date(2026, 11, 20))
    assert facts.remarks == ("1 copy of a run was left out, so that each run counts once.",)
    assert not [line for line in facts.unknowns if "cop" in line]
