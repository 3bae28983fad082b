"""Builds the documentation: the reference pages from the code, then the site; a broken link is an error.

Run: make docs. The site is in build/site; open build/site/index.html in a browser.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import reference

ROOT = Path(__file__).parents[1]


def build() -> int:
    """Write the reference pages and build the site. Returns the exit code."""
    reference.write(ROOT / "docs" / "reference")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    return subprocess.run([*command, "--config-file", str(ROOT / "zensical.toml")], check=False).returncode


if __name__ == "__main__":
    sys.exit(build())
