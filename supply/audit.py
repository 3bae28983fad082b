"""Asks an advisory source whether any locked package has a known vulnerability. Run: make audit.

`uv audit` asks OSV (osv.dev) of every version in uv.lock, those for developing included. Exit codes: 0 asked, and
nothing is known; 1 something is known; 2 uv failed. Where nobody could be asked that is said, and is 0 (--strict: 3).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: How uv says that the source itself was not reached.
_UNREACHED = ("error sending request", "Request failed", "dns error", "operation timed out")
_FOUND, _FAILED, _NOT_ASKED = 1, 2, 3


def audit(uv: str, url: str = "", *, is_strict: bool = False) -> int:
    """Ask, and print what is known. Returns the exit code."""
    command = [uv, "audit", "--preview-features", "audit-command", "--locked", "--output-format", "json"]
    done = subprocess.run(
        [*command, *(["--service-url", url] if url else [])],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "UV_HTTP_RETRIES": "1"},
    )  # fmt: skip
    if done.returncode not in {0, _FOUND}:
        if any(words in done.stderr for words in _UNREACHED):
            print("NOT AUDITED: no advisory source could be reached from here. Nothing is known either way.")
            print("   " + " ".join(done.stderr.split("error:", 1)[-1].split()))
            return _NOT_ASKED if is_strict else 0
        print(done.stderr, file=sys.stderr)
        return _FAILED
    told = json.loads(done.stdout)
    for known in told["vulnerabilities"]:
        package, fixed = known["dependency"], ", ".join(known["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {known['display_id']}, {known['summary']} (mended by {fixed})")
    count = told["summary"]["audited_packages"]
    print(f"{count} packages asked after, {told['summary']['vulnerabilities']} known vulnerabilities.")
    return done.returncode


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--uv", default=str(ROOT / ".tools" / "bin" / "uv"))
    asked.add_argument("--url", default="", help="another source that speaks OSV's way")
    asked.add_argument("--strict", action="store_true", help="fail, too, where nobody could be asked")
    options = asked.parse_args()
    sys.exit(audit(options.uv, options.url, is_strict=options.strict))
