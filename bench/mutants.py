"""How many small changes of the pure parts (`load/`, `advice/`) the tests notice: a random sample of them, by a seed.

mutmut makes the mutants and runs on each the tests that reach its function, in a copy of the project. Written to
docs/mutants.md, above what is said there of the survivors. Run: make mutants
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build" / "mutants"
PAGE = ROOT / "docs" / "mutants.md"
_SURVIVED, _NO_TESTS = 0, 33
_MARK = "\n## Survivors\n"
#: A standard normal's 97.5 %.
_Z = 1.96


def main() -> None:
    """Run the sample and write the table."""
    parser = argparse.ArgumentParser(description="How many mutants of the pure parts the tests notice.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=0, help="how many mutants; default 700")
    asked = parser.parse_args()
    _copied()
    # Nothing has this name: the mutants are made, and none is run.
    _mutmut(["nothing.at.all"])
    names = sorted(_results())
    random.Random(asked.seed).shuffle(names)  # noqa: S311  # repeatable, not secret
    sample = names[: asked.count or 700]
    _mutmut(sample)
    found = _results()
    judged = {name: code for name in sample if (code := found[name]) is not None}
    if not judged:
        sys.exit("mutmut has judged nothing; see what it printed")
    text = _table(judged, len(names), asked.seed)
    survivors = "".join(f"{name}\n" for name, code in sorted(judged.items()) if code in {_SURVIVED, _NO_TESTS})
    (COPY / "survivors.txt").write_text(survivors)
    known = PAGE.read_text(encoding="utf-8").partition(_MARK)[2] if PAGE.is_file() else ""
    PAGE.write_text(f"{text}{_MARK}{known}", encoding="utf-8")
    print(text)


def _copied() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, COPY / name)


def _mutmut(names: list[str]) -> None:
    shared = os.environ.get("HAMLOAD_SHARED_DATA", str(ROOT.parent / "shared" / "data"))
    subprocess.run(
        [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.process_cpu_count() or 1), *names],
        cwd=COPY,
        env={**os.environ, "HAMLOAD_MUTANTS": "1", "HAMLOAD_SHARED_DATA": shared},
        stdout=(COPY / "log.txt").open("a"),
        stderr=subprocess.STDOUT,
        check=False,
    )


def _results() -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path in (COPY / "mutants").rglob("*.meta"):
        if "wording" not in path.parts:
            found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _table(judged: dict[str, int], whole: int, seed: int) -> str:
    by_room: dict[str, Counter[str]] = {}
    for name, code in judged.items():
        room = ".".join(name.split(".")[1:3])
        outcome = {_SURVIVED: "survived", _NO_TESTS: "no test"}.get(code, "killed")
        by_room.setdefault(room, Counter())[outcome] += 1
    rows = "".join(
        f"| `{room}` | {sum(counted.values())} | {counted['killed']} | {counted['survived']} | {counted['no test']} |\n"
        for room, counted in sorted(by_room.items())
    )
    number, killed = len(judged), sum(counted["killed"] for counted in by_room.values())
    low, high = _wilson(killed, number)
    return (
        "# Mutants of the pure parts\n\n"
        f"`make mutants` changes `load/` and `advice/` in one place at a time and runs the tests that reach it. Of\n"
        f"{whole:,} such changes {number:,} were drawn by seed {seed}: {killed:,} made a test fail,"
        f" {100 * killed / number:.1f} % (95 % interval\n{100 * low:.1f} to {100 * high:.1f} %). Properties are"
        " tried on 15 examples each, where\n`make test` takes 100. Sentences (`advice/wording/`) are left out.\n\n"
        "| module | drawn | killed | survived | no test reaches it |\n| --- | ---: | ---: | ---: | ---: |\n" + rows
    )


def _wilson(killed: int, number: int) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, square = killed / number, _Z**2 / number
    middle = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(share * (1 - share) / number + square / (4 * number))
    return middle - half, middle + half


if __name__ == "__main__":
    main()
