"""The long versions: `python -m torture kills|inputs|nights --seed 1 --count N`. Run: make torture."""

from __future__ import annotations

import argparse
import sys
import time

from torture import page
from torture.parts import PARTS


def main() -> None:
    """Run the named parts, print and write what came of them, and fail where anything did not hold."""
    parser = argparse.ArgumentParser(description="What hamload has to survive, at length.")
    parser.add_argument("part", nargs="?", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=0, help="kills, files or nights; default: each part's own")
    asked = parser.parse_args()
    faults: list[str] = []
    for name, part in PARTS.items():
        if asked.part in {name, "all"}:
            begun = time.monotonic()
            told = part.run(asked.count or part.count, asked.seed)
            print(page.write(part.title, told.text))
            print(f"({name}: {time.monotonic() - begun:.0f} s)")
            faults += told.faults
    for fault in faults[:40]:
        print(f"FAULT {fault}"[:2000])
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
