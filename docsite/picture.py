"""Takes the README's picture: the top of the demo's digest, in Chromium. Run: make picture (after make demo)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from selenium import webdriver

ROOT = Path(__file__).parents[1]
_WIDTH, _HEIGHT = 720, 860


def take(page: Path, picture: Path) -> None:
    """Write the top of a page as PNG."""
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", f"window-size={_WIDTH},{_HEIGHT}"):
        options.add_argument(f"--{option}")
    options.add_argument("--force-device-scale-factor=1.5")
    # Named, so that nobody is asked where to get one.
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get(page.as_uri())
        driver.save_screenshot(str(picture))
    finally:
        driver.quit()


if __name__ == "__main__":
    digests = sorted((Path(sys.argv[1]) / "outbox").glob("*-digest.html"))
    take(digests[-1].absolute(), ROOT / "docs" / "pictures" / "digest.png")
