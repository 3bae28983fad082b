"""The public functions: the pure model with the shipped coefficients bound, and a home's tables as pandas frames.

Stable names; the formulas themselves, with every coefficient as an argument, are in `hamload.load`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hamload import load, settings, warehouse
from hamload.api.backtests import BackTest
from hamload.api.opened import Opened
from hamload.api.reassessment import Reassessment
from hamload.errors import HamloadError, WarehouseError
from hamload.load import acwr, energy_cost, monotony, strain
from hamload.records import Athlete, Samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.parameters import LoadModel
    from hamload.records import Array, SessionLoad

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

type Coefficients = "Mapping[str, float] | None"


def demand(speed_mps: Any, grade: Any, easy_speed_mps: float, coefficients: Coefficients = None) -> Array:
    """Return the hamstring demand h(v, i) of an instant: 1 is easy flat running. See `hamload.load.demand`.

    Parameters
    ----------
    speed_mps
        m/s, any shape; NaN stays NaN.
    grade
        Rise over run; downhill counts as level, beyond +-0.45 as +-0.45, NaN (unknown) as level.
    easy_speed_mps
        The athlete's easy speed, m/s.
    coefficients
        Others than the shipped ones, by their names in `hamload.coefficients`: {"model.demand.easy_exponent": 2.2}.

    """
    return load.demand(speed_mps, grade, easy_speed_mps, _model(coefficients).demand)


def session_load(samples: Samples | Any, athlete: Athlete, coefficients: Coefficients = None) -> SessionLoad:
    """Return the hamstring load of one run, its four parts and its labels. See `hamload.load.session_load`.

    Parameters
    ----------
    samples
        `hamload.Samples`, or a pandas frame (or mapping of arrays) with `time_s`, `speed_mps` and, where known,
        `grade`, `dt_s`, `distance_m`: for instance what `hamload.open().samples(session_id)` gives.
    athlete
        `hamload.Athlete(easy_speed_mps=2.8, typical_time_s=2700)`; further thresholds are None where unknown.
    coefficients
        Others than the shipped ones, by their names in `hamload.coefficients`.

    """
    if not isinstance(samples, Samples):
        known = [name for name in Samples.__slots__ if name in samples]
        samples = Samples.of(**{name: samples[name] for name in known})
    return load.session_load(samples, athlete, _model(coefficients))


def coefficients() -> pd.DataFrame:
    """Return every shipped coefficient and threshold: name, value, kind, source, is_default.

    `kind` is "E" for published evidence and "A" for our assumption; `source` says which.
    """
    return coefficients_frame(settings.shipped_provenance())


def coefficients_frame(provenance: Mapping[str, settings.Provenance]) -> pd.DataFrame:
    """Return coefficients with what they rest on as a frame."""
    rows = [(name, float(row.value), row.kind, row.source, row.is_default) for name, row in provenance.items()]
    found = pd.DataFrame(rows, columns=["name", "value", "kind", "source", "is_default"])
    return found.astype({"is_default": "boolean"})


#: The model's worked examples: legs of (seconds, m/s, grade), for an easy speed of 2.8 m/s and T = 45 min.
_EXAMPLES: dict[str, list[tuple[float, float, float]]] = {
    "45 min easy": [(2700, 2.8, 0)],
    "100 min at 2.75 m/s": [(6000, 2.75, 0)],
    "37 min easy, 8 x 1 min at 3.2 m/s uphill (8 %)": [(2220, 2.7, 0), (480, 3.2, 0.08)],
    "25 min easy, 24 min at 4.2 m/s": [(1500, 2.8, 0), (1440, 4.2, 0)],
    "40 min easy, 10 x 100 m at 6 m/s": [(2400, 2.8, 0), (1000 / 6, 6.0, 0)],
    "15 min each: level, 6 % up, 6 % down": [(900, 2.8, 0), (900, 2.35, 0.06), (900, 3.1, -0.06)],
}


def worked_examples(coefficients: Coefficients = None) -> pd.DataFrame:
    """Return the load of the model's worked examples: run, shipped_efm, load_efm with these coefficients, change.

    An easy speed of 2.8 m/s and a typical moving time of 45 min; `change` is the share by which both differ.
    """
    athlete = Athlete(easy_speed_mps=2.8, typical_time_s=2700.0)
    rows = []
    for name, legs in _EXAMPLES.items():
        seconds = np.array([leg[0] for leg in legs])
        # Four samples a second, each as long as its leg has them.
        counts = np.ceil(seconds * 4).astype(int)
        dt_s = np.repeat(seconds / counts, counts)
        speed, grade = (np.repeat([leg[place] for leg in legs], counts) for place in (1, 2))
        samples = Samples.of(time_s=np.cumsum(dt_s) - dt_s, dt_s=dt_s, speed_mps=speed, grade=grade)
        rows.append((name, *(session_load(samples, athlete, own).load_efm for own in (None, coefficients))))
    found = pd.DataFrame(rows, columns=["run", "shipped_efm", "load_efm"])
    found["change"] = found["load_efm"] / found["shipped_efm"] - 1
    return found


#: The two speeds between which muscle activity was measured, m/s, and how much it rose per stride (LOAD_MODEL, 1).
_MEASURED_MPS, _MEASURED_RISE = (3.61, 4.16), 1.26
#: RMS error of Minetti's polynomial against his measured grades, J/kg/m.
_MINETTI_RMS = 0.195


def demand_chart(of: str = "speed", coefficients: Coefficients = None, width: int = 560) -> Any:
    """Return the demand function, as shipped and with these coefficients, over what is published of it (Altair).

    Parameters
    ----------
    of
        "speed": on the level, relative to 3.61 m/s, beside the measured rise of muscle activity per stride; "grade":
        the uphill factor beside Minetti's energy cost relative to level running, as wide as his fit's RMS error.
    coefficients
        Others than the shipped ones, by their names in `hamload.coefficients`.

    """
    from hamload import charts  # noqa: PLC0415  # Altair is slow to import

    if of not in {"speed", "grade"}:
        raise HamloadError(f"There is no demand chart of {of!r}.", 'There are: "speed" and "grade".')
    x = np.linspace(2, 7, 101) if of == "speed" else np.linspace(-0.1, 0.45, 111)
    curve: list[dict[str, Any]] = []
    for which, own in (("as shipped", None), ("as set here", coefficients)):
        speed, grade = (x, 0.0) if of == "speed" else (_MEASURED_MPS[0], x)
        y = demand(speed, grade, _MEASURED_MPS[0], own) / demand(_MEASURED_MPS[0], 0.0, _MEASURED_MPS[0], own)
        curve += [{"x": round(float(a), 4), "y": round(float(b), 4), "which": which} for a, b in zip(x, y, strict=True)]
    if of == "speed":
        rise = f"muscle activity per stride x {_MEASURED_RISE}"
        told = [
            {"x": _MEASURED_MPS[0], "y": 1.0, "label": "measured from here", "short": ""},
            {"x": _MEASURED_MPS[1], "y": _MEASURED_RISE, "label": rise, "short": rise},
        ]
        chart = charts.curve("speed on the level, m/s", "demand, relative to 3.61 m/s", width)
        return charts.with_rows(chart, curve=curve, published=told, band=[])
    cost = energy_cost(x) / energy_cost(0.0)
    error = _MINETTI_RMS / float(energy_cost(0.0))
    band = [
        {"x": round(float(a), 4), "low": round(float(c) - error, 4), "high": round(float(c) + error, 4)}
        for a, c in zip(x, cost, strict=True)
    ]
    chart = charts.curve("grade, rise over run", "relative to level", width)
    return charts.with_rows(chart, curve=curve, published=[], band=band)


def open(home: str | Path | None = None) -> Opened:  # noqa: A001  # the module is the namespace: hamload.open
    """Open a home to read its tables. Neither blocks the nightly run nor is blocked by it.

    Parameters
    ----------
    home
        The home's folder; None takes HAMLOAD_HOME, else the platform's user-data folder.

    Raises
    ------
    WarehouseError
        Where nothing has been published there yet, or it cannot be read, with the remedy.

    """
    folder = settings.home_folder(Path(home) if home is not None else None)
    if not folder.is_dir():
        raise WarehouseError(
            f"There is no home {folder}.", "Name another, or make it: hamload import PATH, or first: hamload demo."
        )
    return Opened(folder)


def open_or_simulated(home: str | Path | None = None) -> Opened:
    """Open a home, or, where it holds no run yet, a simulated runner's year, and say so in `notice`.

    The simulated home is made once (half a minute) and kept among the user's cached files; the home itself is not
    touched. Everything but an empty home is raised as by `open`: a home that cannot be read is not empty.
    """
    folder = settings.home_folder(Path(home) if home is not None else None)
    if (folder / warehouse.PUBLISHED).is_file():
        opened = Opened(folder)
        if len(opened.activities()) or len(opened.unreadable()):
            return opened
    from hamload import demonstration  # noqa: PLC0415  # the simulator is for those who have nothing of their own

    simulated = demonstration.simulated_home(settings.cache_folder() / "simulated")
    return Opened(
        simulated,
        f"Nothing of your own is in {folder} yet: this is a simulated runner's year, made up from end to end. Bring"
        " yours in with: hamload import PATH.",
    )


def _model(coefficients: Coefficients) -> LoadModel:
    if not coefficients:
        return settings.defaults()[0]
    return settings.overlaid_defaults(coefficients)[0]
