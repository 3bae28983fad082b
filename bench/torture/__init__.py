"""What hamload has to survive, drawn by a seed: kills at random moments, hostile inputs, a year of bad nights.

Each part is a module with one function that does it and tells what came of it; `python -m torture` runs them at length
and writes `docs/torture.md`, `tests/torture/` runs a few of each.
"""
