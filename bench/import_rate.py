"""Import rate and peak memory over real FIT files, beside the reader alone in the same run.

Usage: python bench/import_rate.py [FOLDER]. Each figure is the median of five runs in a fresh process; ratios count,
seconds on one machine do not.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
SHARED = Path(os.environ.get("HAMLOAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "activities"
    if not folder.is_dir():
        sys.exit(f"No recordings at {folder}: name a folder of FIT files, or set HAMLOAD_SHARED_DATA.")
    paths = readable(folder)
    print(f"{len(paths)} FIT files that fitfast reads whole, under {folder.name}/; {platform.machine()},")
    print(f"{os.process_cpu_count()} processors, Python {platform.python_version()};", end=" ")
    print(f"median of {RUNS} runs, each in a fresh process\n")
    alone = measure("alone", folder)
    rows = [("reader alone (fitfast.records)", alone)]
    rows += [(f"whole import, {n} process{'es' if n > 1 else ''}", measure("import", folder, n)) for n in (1, 2)]
    rows += [("the same again, nothing new", measure("again", folder, 1))]
    print(f"{'':<34}{'seconds':>9}{'files/s':>9}{'x alone':>9}{'peak MB':>9}")
    for name, (seconds, memory) in rows:
        print(f"{name:<34}{seconds:>9.2f}{len(paths) / seconds:>9.0f}{seconds / alone[0]:>9.2f}{memory:>9.0f}")


def readable(folder: Path) -> list[Path]:
    """Return the FIT files that the fast reader takes: the others would compare salvage with nothing."""
    import fitfast

    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".fit"):
        try:
            fitfast.records(path.read_bytes())
        except fitfast.FitDecodeError:
            continue
        found.append(path)
    return found


def measure(what: str, folder: Path, workers: int = 1) -> tuple[float, float]:
    """Return median seconds and peak resident MB (children included) of `what`, over fresh processes."""
    results = []
    for _ in range(RUNS):
        command = [sys.executable, __file__, "--one", what, str(folder), str(workers)]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return statistics.median(r["seconds"] for r in results), statistics.median(r["peak_mb"] for r in results)


def one(what: str, folder: Path, workers: int) -> None:
    """Run one measurement in this process and print it as JSON."""
    import dataclasses
    import datetime as dt

    import fitfast

    from hamload import pipeline, settings

    paths = readable(folder)
    contents = [path.read_bytes() for path in paths]
    if what == "alone":
        start = time.perf_counter()
        for content in contents:
            fitfast.records(content)
        seconds = time.perf_counter() - start
    else:
        with tempfile.TemporaryDirectory() as home:
            base = settings.load(Path(home))
            imports = base.imports.model_copy(update={"workers": workers})
            current = dataclasses.replace(base, imports=imports)
            now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
            seconds = 0.0
            for _ in range(2 if what == "again" else 1):
                start = time.perf_counter()
                pipeline.put_files(current, paths, "me", now)
                pipeline.refresh(current, dt.date(2026, 1, 1))
                seconds = time.perf_counter() - start
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
