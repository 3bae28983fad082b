"""The notebooks as people open them: as scripts, in the browser, and where there is nothing or something is wrong."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from hamload import warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
NAMES = ("explore", "backtest", "model")
SCREENS = ROOT / "artifacts" / "screens"
_PATIENCE_S = 40
# Selenium's own warnings about sockets of a driver that has gone.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def test_notebooks_use_the_public_api_alone() -> None:
    for name in NAMES:
        tree = ast.parse((ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8"))
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert imported <= {"marimo", "hamload", "datetime"}, name


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_as_a_script_without_a_home(name: str, nothing_of_ones_own: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "notebooks" / f"{name}.py"],
        check=False, capture_output=True, text=True, env=nothing_of_ones_own,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""


def test_the_notebooks_that_a_wheel_brings_are_these() -> None:
    found = {path.stem for path in (ROOT / "notebooks").glob("*.py")}
    assert found == set(NAMES)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["pie"], "There are: explore, backtest, model"), (["explore", "--port", "99999"], "65535")]
)
def test_the_command_says_what_is_possible(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hamload"), "notebook", *arguments],
        check=False, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr


class Page:
    """A notebook in Chromium: its charts, its sliders, what it asked for and what it said."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        # Selenium's own types are partial.
        self.driver: Any = driver

    def all(self, selector: str, give: str = "e") -> list[Any]:
        """Return what a selector finds, shadow roots included, or what a script makes of each of them."""
        found: list[Any] = self.driver.execute_script(
            "const all = []; const walk = r => { for (const e of r.querySelectorAll('*')) {"
            " all.push(e); if (e.shadowRoot) walk(e.shadowRoot); } }; walk(document);"
            f" return all.filter(e => e.matches(arguments[0])).map(e => {give})",
            selector,
        )
        return found

    def pictures(self) -> list[str]:
        """Return every chart as the pixels that it shows."""
        return self.all("canvas.marks", "e.toDataURL()")

    def settled(self, charts: int) -> list[str]:
        """Wait until so many charts are drawn and stand still; return their pixels."""
        until, before = time.monotonic() + _PATIENCE_S, [""]
        while True:
            now = self.pictures()
            if len(now) >= charts and now == before:
                return now
            assert time.monotonic() < until, f"{len(now)} of {charts} charts after {_PATIENCE_S} s: {self.text()[:500]}"
            before = now
            time.sleep(1)

    def text(self) -> str:
        """Return what stands on the page."""
        return str(
            self.driver.execute_script(
                "const said = []; const walk = r => { for (const n of r.childNodes) { if (n.nodeType === 3)"
                " said.push(n.textContent); else if (n.nodeType === 1 && !['SCRIPT', 'STYLE'].includes(n.tagName)) {"
                " walk(n); if (n.shadowRoot) walk(n.shadowRoot); } } }; walk(document.body); return said.join(' ')"
            )
        )

    def requests(self) -> list[str]:
        """Return where the page sent requests to since it was opened."""
        messages = [json.loads(row["message"])["message"] for row in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def errors(self) -> list[str]:
        """Return the errors in the console."""
        return [row["message"] for row in self.driver.get_log("browser") if row["level"] == "SEVERE"]

    def photograph(self, name: str) -> None:
        """Keep the whole page as a picture."""
        height = int(
            self.driver.execute_script(
                "return Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight))"
            )
        )
        metrics = {"width": 1000, "height": min(height + 20, 6000), "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        time.sleep(1)
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENS / f"notebook-{name}.png"))


@contextmanager
def served(name: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve a notebook as `hamload notebook` does, without a browser; give its address, end it afterwards."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    # The same command as `hamload notebook`'s, with a password that the test knows.
    command = [sys.executable, "-m", "marimo", "--quiet", "run", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--headless", "--token-password", "known", str(ROOT / "notebooks" / f"{name}.py")]
    with subprocess.Popen(command, env=dict(environment)) as server:
        try:
            until = time.monotonic() + _PATIENCE_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < until
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver here: `make browser` installs them on Debian, as root")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars",
        "--disable-component-update", "--disable-sync", "--window-size=1000,900",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield Page(chrome)
    chrome.quit()


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("name", "charts"), [("explore", 5), ("backtest", 4), ("model", 3)])
def test_a_notebook_loads_a_slider_changes_a_chart_and_nothing_leaves_the_machine(
    page: Page, name: str, charts: int, nothing_of_ones_own: dict[str, str]
) -> None:
    page.driver.get("about:blank")
    page.requests()
    page.errors()
    with served(name, nothing_of_ones_own) as address:
        page.driver.get(f"{address}?access_token=known")
        before = page.settled(charts)
        assert "simulated runner's year" in page.text()
        page.photograph(name)
        page.settled(charts)
        slider = page.all("[role=slider]")[0]
        slider.send_keys(Keys.ARROW_RIGHT)
        slider.send_keys(Keys.ARROW_RIGHT)
        until = time.monotonic() + _PATIENCE_S
        while (after := page.pictures()) == before or len(after) < charts:
            assert time.monotonic() < until, "the slider changed no chart"
            time.sleep(0.5)
        page.settled(charts)
        assert page.errors() == []
        own = (address, address.replace("http", "ws"), "data:", "blob:", "about:")
        assert [url for url in page.requests() if not url.startswith(own)] == []
    page.driver.get("about:blank")
    page.errors()


def test_a_home_of_an_older_version_is_no_empty_one(
    page: Page, tmp_path: Path, simulated: Path, nothing_of_ones_own: dict[str, str]
) -> None:
    """What cannot be read must not be hidden behind somebody else's runs."""
    shutil.copyfile(simulated / warehouse.PUBLISHED, tmp_path / warehouse.PUBLISHED)
    with duckdb.connect(tmp_path / warehouse.PUBLISHED) as con:
        con.execute("drop table marts.activities; update landing.built_by set sql = 'x', version = '0.0.1'")
    with served("explore", nothing_of_ones_own | {"HAMLOAD_HOME": str(tmp_path)}) as address:
        page.driver.get(f"{address}?access_token=known")
        until = time.monotonic() + _PATIENCE_S
        while "hamload rebuild" not in page.text():
            assert time.monotonic() < until, page.text()
            time.sleep(0.5)
        assert "simulated" not in page.text()
    page.driver.get("about:blank")
