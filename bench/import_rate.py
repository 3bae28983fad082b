"""Import rate and peak memory over real FIT files, beside the reader alone in the same run.

Usage: python bench/import_rate.py [FOLDER]. Each figure is the median of five runs, each in a fresh process whose
modules are loaded before the clock starts. Ratios count; seconds on one machine do not.

The real files are few and small. To see an archive, each is also taken twelve times: its FIT header gets another
profile version (and new checksums), which makes it another document with the same records.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import platform
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
COPIES = 12
TODAY = dt.date(2026, 1, 1)
SHARED = Path(os.environ.get("HAMLOAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "activities"
    if not folder.is_dir():
        sys.exit(f"No recordings at {folder}: name a folder of FIT files, or set HAMLOAD_SHARED_DATA.")
    print(f"{platform.machine()}, {os.process_cpu_count()} processors, Python {platform.python_version()};", end=" ")
    print(f"median of {RUNS} runs, each in a fresh process")
    for copies in (1, COPIES):
        with tempfile.TemporaryDirectory() as place:
            files, size = archive(folder, copies, Path(place))
            print(f"\n{files} FIT files that the reader takes, {size / 1e6:.1f} MB ({copies} x each)\n")
            table(Path(place), files)


def table(folder: Path, files: int) -> None:
    """Print one table of measurements over a folder."""
    alone = measure("alone", folder)
    rows = [("the reader alone (fitfast.records)", alone)]
    for workers in (1, 2):
        processes = f"{workers} process{'es' if workers > 1 else ''}"
        rows.append((f"recordings to session loads, {processes}", measure("loads", folder, workers)))
        rows.append((f"... to states and tables, {processes}", measure("whole", folder, workers)))
    rows.append(("the same again, nothing new", measure("again", folder)))
    print(f"{'':<40}{'seconds':>9}{'files/s':>9}{'x alone':>9}{'peak MB':>9}")
    for name, (seconds, memory) in rows:
        print(f"{name:<40}{seconds:>9.2f}{files / seconds:>9.0f}{seconds / alone[0]:>9.2f}{memory:>9.0f}")


def archive(folder: Path, copies: int, place: Path) -> tuple[int, int]:
    """Write the files that the fast reader takes, `copies` times each. Returns how many, and their bytes."""
    import fitfast

    files = size = 0
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".fit"):
        content = path.read_bytes()
        try:
            fitfast.records(content)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001, S112  # the reader's Rust core panics with a BaseException of its own
            continue
        for copy in range(copies):
            other = content if copy == 0 else rewritten(content, copy)
            (place / f"{files:05d}.fit").write_bytes(other)
            files, size = files + 1, size + len(other)
    return files, size


def rewritten(content: bytes, profile_version: int) -> bytes:
    """Return the same records under another profile version, checksums and all."""
    from hamload.simulator.fitfile import crc16

    header = bytearray(content[: content[0]])
    header[2:4] = struct.pack("<H", profile_version)
    if len(header) > 12:  # noqa: PLR2004  # the long header carries a checksum of its own
        header[12:14] = struct.pack("<H", crc16(bytes(header[:12])))
    end = content[0] + struct.unpack("<I", content[4:8])[0]
    body = bytes(header) + content[content[0] : end]
    return body + struct.pack("<H", crc16(body)) + content[end + 2 :]


def measure(what: str, folder: Path, workers: int = 1) -> tuple[float, float]:
    """Return median seconds and peak resident MB (children included) of `what`, over fresh processes."""
    results = []
    for _ in range(RUNS):
        command = [sys.executable, __file__, "--one", what, str(folder), str(workers)]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return statistics.median(r["seconds"] for r in results), statistics.median(r["peak_mb"] for r in results)


def one(what: str, folder: Path, workers: int) -> None:
    """Run one measurement in this process and print it as JSON."""
    import fitdecode  # noqa: F401  # loaded by the import only when it is needed
    import fitfast
    import garmin_fit_sdk  # noqa: F401

    from hamload import pipeline, settings
    from hamload.pipeline import advising, assessing, decoding, putting  # noqa: F401

    with tempfile.TemporaryDirectory() as home:
        base = settings.load(Path(home))
        current = dataclasses.replace(base, imports=base.imports.model_copy(update={"workers": workers}))

        def alone() -> None:
            for path in sorted(folder.iterdir()):
                fitfast.records(path.read_bytes())

        def loads() -> None:
            pipeline.put_files(current, [folder], "me", dt.datetime.now(tz=dt.UTC))
            pipeline.decode(current)
            pipeline.assess(current, TODAY)

        def whole() -> None:
            pipeline.put_files(current, [folder], "me", dt.datetime.now(tz=dt.UTC))
            pipeline.refresh(current, TODAY)

        if what == "again":
            whole()
        start = time.perf_counter()
        {"alone": alone, "loads": loads, "whole": whole, "again": whole}[what]()
        seconds = time.perf_counter() - start
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
