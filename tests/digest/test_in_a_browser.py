"""The report and the mail in headless Chromium: nothing breaks, nothing overflows, nothing leaves the page.

Each page is photographed at three widths, light and dark, into artifacts/screens/.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import time
from dataclasses import replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from hamload import charts
from hamload.digest.render import Picture, render_html
from hamload.digest.report import render_report
from hamload.pipeline.showing import mailing
from hamload.pipeline.showing.mailing import inlined
from hamload.records import Confidence, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from hamload.digest.report import ReportFacts

    type Make = Callable[..., Any]

SCREENS = Path(__file__).parents[2] / "artifacts" / "screens"
WIDTHS = (360, 600, 1280)
_PATIENCE_S = 30
# Selenium's own warnings about sockets of a driver that has gone.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


class Browser:
    """Chromium, as wide and as dark as asked for, with what it said and asked for since the page was opened."""

    def __init__(self, driver: webdriver.Chrome, place: Path) -> None:
        # Selenium's own types are partial.
        self.driver: Any = driver
        self._place = place

    def open(self, html: str, width: int, *, dark: bool = False) -> None:
        """Open a page of its own file and wait until its charts are drawn."""
        page = self._place / "page.html"
        page.write_text(html, encoding="utf-8")
        self.look(width, dark=dark)
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(page.as_uri())
        self.wait("return !document.getElementById('load') || 'drawn' in document.getElementById('charts').dataset")

    def look(self, width: int, *, dark: bool, height: int = 900) -> None:
        """Set the window's width and the reader's colour scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})

    def run(self, script: str, *values: object) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *values)

    def wait(self, script: str) -> None:
        """Wait until a script of the page says yes."""
        until = time.monotonic() + _PATIENCE_S
        while not self.run(script):
            assert time.monotonic() < until, script
            time.sleep(0.05)

    def photograph(self, name: str, width: int, *, dark: bool) -> None:
        """Keep what is seen as a picture, the whole page up to a few screens."""
        height = min(int(self.run("return document.documentElement.scrollHeight")), 5000)
        self.look(width, dark=dark, height=height)
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENS / f"{name}-{width}-{'dark' if dark else 'light'}.png"))

    def requests(self) -> list[str]:
        """Return what the page asked for, itself left out."""
        messages = [json.loads(row["message"])["message"] for row in self.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("data:", self._place.as_uri(), "about:"))]

    def said(self) -> list[str]:
        """Return what the page wrote into the console."""
        return [row["message"] for row in self.driver.get_log("browser")]

    def overflow(self) -> list[str]:
        """Return what stands out of the page to the right."""
        found: list[str] = self.run(
            "const wide = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= wide)"
            " return []; return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right >"
            " wide + 1).map(e => e.tagName + '.' + e.className).slice(0, 8)"
        )
        return found

    def faults(self) -> list[str]:
        """Return axe-core's serious and critical findings."""
        if not _axe():
            return []
        self.run(_axe())
        results = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations))"
        )
        return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in results if v["impact"] in {"serious", "critical"}]


@cache
def _axe_module() -> ModuleType:
    spec = spec_from_file_location("hamload_test_axe", Path(__file__).with_name("axe.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _axe() -> str:
    """Return axe-core's script; empty where it cannot be had, which a test of its own says."""
    axe = _axe_module()
    try:
        return str(axe.script())
    except axe.UnreachableError:
        return ""


def test_axe_core_is_here_to_judge_the_pages() -> None:
    axe = _axe_module()
    try:
        script = axe.script()
    except axe.UnreachableError as why:
        pytest.skip(f"nothing judges the pages for accessibility: {why}")
    assert script.startswith(f"/*! axe v{axe.VERSION}")


def test_a_package_that_is_not_the_published_one_is_refused() -> None:
    with pytest.raises(ValueError, match="not what was published"):
        _axe_module().unpacked(b"something else")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver here: `make browser` installs them on Debian, as root")
    place = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={place / 'profile'}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield Browser(chrome, place)
    chrome.quit()


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Return charts as a mail carries them."""
    days = [
        {"at": n * 86_400_000, "days": 1, "label": "", "hill": n % 5, "speed": 3, "long": 0, "base": 20}
        for n in range(42)
    ]
    png = charts.png(charts.load(mailing._WIDTH, 190), days=days, unknown=[])
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return [Picture(source, "Load by part", "Chart: 382 EFM in the last 7 days.")]


def _is_sound(browser: Browser, *, axe: bool = True) -> None:
    assert browser.said() == []
    assert browser.requests() == []
    assert browser.overflow() == []
    if axe:
        assert browser.faults() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_is_whole_readable_and_quiet_at_every_width(
    browser: Browser,
    make: Make,
    width: int,
    dark: bool,  # noqa: FBT001
) -> None:
    browser.open(render_report(make("report", unknown=range(20, 34))), width, dark=dark)
    browser.run("document.querySelector('.open').click(); document.querySelector('details.spell').open = true")
    browser.wait("return document.querySelector('.detail .chart').dataset.drawn === 'yes'")
    browser.photograph("report", width, dark=dark)
    _is_sound(browser, axe=width != 600)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_mail_is_whole_readable_and_quiet_at_every_width(
    browser: Browser,
    make: Make,
    pictures: list[Picture],
    width: int,
    dark: bool,  # noqa: FBT001
) -> None:
    browser.open(inlined(render_html(make("deload"), pictures, "To get none, write to us.")), width, dark=dark)
    browser.photograph("mail", width, dark=dark)
    _is_sound(browser, axe=width != 600)


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sound_report_and_mail(
    browser: Browser, make: Make, pictures: list[Picture], state: State
) -> None:
    facts = make("deload", alert=make("alert", state=state), headline=f"what {state} means")
    few = [make("report run", trace=0)]
    browser.open(render_report(make("report", digest=facts, runs=few, days=28)), 600)
    browser.photograph(f"state-{state}", 600, dark=False)
    _is_sound(browser)
    browser.open(inlined(render_html(facts, pictures)), 360, dark=True)
    browser.photograph(f"state-{state}-mail", 360, dark=True)
    _is_sound(browser, axe=False)


def test_the_ranges_redraw_the_charts_and_the_kinds_filter_the_runs(browser: Browser, make: Make) -> None:
    runs = [make("report run", place=n, trace=n % 3, is_hill=n % 2 == 0) for n in range(80)]
    browser.open(render_report(make("report", runs=runs, days=900)), 1280)
    bars = "return document.querySelectorAll('#load .layer_1_marks path').length"
    twelve_weeks = browser.run(bars)
    four = browser.driver.find_element(By.CSS_SELECTOR, 'input[name="range"][value="28"]')
    four.send_keys(Keys.SPACE)
    browser.wait("return document.getElementById('charts').dataset.drawn === '28'")
    assert 0 < browser.run(bars) < twelve_weeks
    four.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    browser.wait("return document.getElementById('charts').dataset.drawn === '0'")
    assert browser.run("return document.querySelector('#load svg').getAttribute('aria-label')").endswith(": all")
    shown = "return [...document.querySelectorAll('#runs tr.run')].filter(r => !r.hidden).length"
    assert browser.run(shown) == 30
    browser.driver.find_element(By.ID, "more").click()
    assert browser.run(shown) == 80
    browser.driver.find_element(By.CSS_SELECTOR, 'input[name="kind"][value="hill"]').send_keys(Keys.SPACE)
    browser.wait(f"{shown} <= 30")
    assert browser.run("return document.getElementById('count').textContent") == "30 of 40 shown"
    assert browser.said() == []


@pytest.mark.parametrize("first_weekday", [0, 6], ids=["from Monday", "from Sunday"])
def test_a_long_range_shows_the_mean_of_each_weeks_known_days_and_leaves_no_day_out(
    browser: Browser, make: Make, first_weekday: int
) -> None:
    report: ReportFacts = make("report", days=29 * 7 + 5, unknown=range(10, 22))
    browser.open(render_report(replace(report, first_weekday=first_weekday)), 1280)
    browser.driver.find_element(By.CSS_SELECTOR, 'input[name="range"][value="0"]').send_keys(Keys.SPACE)
    browser.wait("return document.getElementById('charts').dataset.drawn === '0'")
    bars = browser.run(
        "return [...document.querySelectorAll('#load .layer_3_marks path')].map(p => p.__data__.datum)"
        ".map(d => [d.at, d.days, d.label, d.base])"
    )
    weeks: list[list[dict[str, Any]]] = []
    for day in report.rows["days"]:
        is_first = dt.datetime.fromtimestamp(day["at"] / 1000, dt.UTC).weekday() == first_weekday
        if is_first or not weeks:
            weeks.append([])
        weeks[-1].append(day)
    assert [bar[:2] for bar in bars] == [[week[0]["at"], len(week)] for week in weeks]
    assert {len(week) for week in weeks[1:-1]} == {7}
    for (_, length, label, base), week in zip(bars, weeks, strict=True):
        known = [day["base"] for day in week if day["known"]]
        assert base == (pytest.approx(sum(known) / len(known)) if known else None)
        assert label.endswith(f", {len(known)} of {length} days known") == (len(known) < length), label
    assert [len([day for day in week if day["known"]]) for week in weeks if not all(day["known"] for day in week)]


def test_a_run_opens_with_the_keyboard_shows_its_course_and_closes_again(browser: Browser, make: Make) -> None:
    browser.open(render_report(make("report")), 600)
    button = browser.driver.find_element(By.CSS_SELECTOR, ".open")
    button.send_keys(Keys.ENTER)
    browser.wait("return document.querySelector('.detail .chart').dataset.drawn === 'yes'")
    assert button.get_attribute("aria-expanded") == "true"
    assert browser.run("return document.querySelectorAll('.detail:not([hidden]) svg .role-axis-title').length") >= 3
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-expanded") == "false"
    assert not browser.driver.find_element(By.CSS_SELECTOR, ".detail").is_displayed()
    assert browser.said() == []


def test_a_day_of_the_chart_tells_its_numbers_under_the_pointer(browser: Browser, make: Make) -> None:
    browser.open(render_report(make("report")), 1280)
    strips = "document.querySelectorAll('#load .layer_3_marks path')"
    browser.run(f"{strips}[40].scrollIntoView({{block: 'center'}})")
    box = browser.run(f"const b = {strips}[40].getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]")
    for x in (box[0] - 1, box[0]):
        event = {"type": "mouseMoved", "x": x, "y": box[1]}
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
    browser.wait(
        "return (document.getElementById('vg-tooltip-element')?.textContent ?? '').includes('chronic, 28 days')"
    )


HOSTILE = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">",
    '"><svg onload=alert(1)> </script><!-- & {{ 7*7 }}',
    "ריצה 10 ק״מ \u202e\u2066abc\u2069",
    "\U0001f3c3‍♀️ \U0001f1e6\U0001f1f9 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "x" * 10_000,
    "Run\r\nBcc: all@example.org",
)


@pytest.mark.parametrize("width", [360, 1280])
def test_hostile_titles_are_shown_as_text_and_do_nothing(browser: Browser, make: Make, width: int) -> None:
    runs = [make("report run", place=n, title=title, confidence_why=title, trace=0) for n, title in enumerate(HOSTILE)]
    facts = make("deload", sessions=tuple(run.session for run in runs), athlete_name=HOSTILE[0], headline=HOSTILE[1])
    report: ReportFacts = make("report", digest=facts, runs=runs)
    hostile_rows = dict(report.rows) | {"thresholds": [{"value": 1.8, "label": HOSTILE[1]}]}
    browser.open(render_report(replace(report, rows=hostile_rows)), width)
    browser.photograph("hostile", width, dark=False)
    _is_sound(browser)
    assert browser.driver.title.startswith("Deload")
    assert browser.run("return document.querySelectorAll('main img, main script, main svg[onload]').length") == 0
    lines = browser.run(
        "const r = document.createRange(); return [...document.querySelectorAll('td.day')].map(d =>"
        " { r.selectNodeContents(d); return r.getClientRects().length; })"
    )
    assert set(lines) == {1}, "a day is one line"
    first = browser.driver.find_element(By.CSS_SELECTOR, ".open").text
    assert first.startswith("<script>")
    browser.open(inlined(render_html(facts)), width)
    _is_sound(browser)
    assert browser.run("return document.querySelectorAll('script, img').length") == 0


def test_a_new_runner_with_three_runs_sees_a_whole_page(browser: Browser, make: Make) -> None:
    runs = [
        make("report run", place=n, trace=n, is_hill=None, is_speed=None, is_long=None, is_heavy=None)
        for n in (0, 2, 4)
    ]
    page = render_report(make("report", digest=make("baseline"), runs=runs, days=5))
    for width in (360, 1280):
        browser.open(page, width)
        browser.photograph("three-runs", width, dark=False)
        _is_sound(browser, axe=width == 360)


def test_ten_years_stay_a_few_megabytes_and_open_at_once(browser: Browser, make: Make) -> None:
    kinds = {"confidence": Confidence.LOW, "confidence_why": "Worked out from the summary alone."}
    doubtful = [kinds if n % 9 == 0 else {} for n in range(2300)]
    runs = [make("report run", place=n, trace=n, title=f"Morning run {n}", **some) for n, some in enumerate(doubtful)]
    html = render_report(make("report", runs=runs, days=3650))
    assert len(html.encode()) < 6_000_000
    browser.open(html, 1280)
    browser.driver.find_element(By.CSS_SELECTOR, 'input[name="range"][value="0"]').send_keys(Keys.SPACE)
    browser.wait("return document.getElementById('charts').dataset.drawn === '0'")
    browser.photograph("ten-years", 1280, dark=False)
    _is_sound(browser, axe=False)


def test_the_printed_report_has_its_charts_and_no_buttons(browser: Browser, make: Make) -> None:
    browser.open(render_report(make("report")), 1280)
    pdf = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(pdf["data"]) > 20_000
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
