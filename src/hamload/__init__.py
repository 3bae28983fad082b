"""hamload: how hard a runner's hamstrings are asked to work, against what they are used to.

The way of the data, one direction only:

    sources -> raw documents -> samples -> session load -> daily series -> alerts, plans -> digest, report, notebook
    (fetch)    (put, immutable) (decode,   (load/)         (load/ + sql/)  (advice/, pure)  (render, send once)
                                 clean)

Everything to the right of the raw documents can be thrown away and rebuilt from them (`hamload rebuild`).

The public API, importable from here and loaded when first used:

`acwr`, `monotony`, `strain`
    ratios of a daily series
`energy_cost`, `demand`, `session_load`
    the model of one instant and of one run, with the shipped coefficients or others
`coefficients`, `worked_examples`, `demand_chart`
    every coefficient with what it rests on, and what they come to
`Samples`, `Athlete`
    what `session_load` takes
`open`, `open_or_simulated`
    a home's tables as pandas frames, read-only (`Opened`); with `BackTest` and `Reassessment`
`HamloadError`
    what is raised, with its remedy

These names stay until hamload 2. What is not named here may change at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hamload.api import (
        BackTest,
        Opened,
        Reassessment,
        acwr,
        coefficients,
        demand,
        demand_chart,
        energy_cost,
        monotony,
        open,  # noqa: A004
        open_or_simulated,
        session_load,
        strain,
        worked_examples,
    )
    from hamload.errors import HamloadError
    from hamload.records import Athlete, Samples

__all__ = [
    "Athlete",
    "BackTest",
    "HamloadError",
    "Opened",
    "Reassessment",
    "Samples",
    "acwr",
    "coefficients",
    "demand",
    "demand_chart",
    "energy_cost",
    "monotony",
    "open",
    "open_or_simulated",
    "session_load",
    "strain",
    "worked_examples",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the public API when it is first asked for: the command line starts without NumPy."""
    if name in __all__:
        from hamload import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module 'hamload' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
