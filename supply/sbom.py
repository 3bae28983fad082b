"""Writes the list of everything that hamload runs on, as CycloneDX: name, version, hashes. Run: make sbom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import hamload

ROOT = Path(__file__).parents[1]


def write(uv: str, path: Path) -> int:
    """Write the list of the run-time closure of uv.lock. Returns how many packages it names."""
    command = [uv, "export", "--preview-features", "sbom-export", "--quiet", "--locked", "--no-default-groups"]
    done = subprocess.run([*command, "--format", "cyclonedx1.5"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    # The lock does not know it: the version stands in the source.
    told["metadata"]["component"] |= {
        "version": hamload.__version__,
        "purl": f"pkg:pypi/hamload@{hamload.__version__}",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return len(told["components"])


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "hamload.cdx.json"
    print(f"{place}: {write(str(ROOT / '.tools' / 'bin' / 'uv'), place)} packages")
