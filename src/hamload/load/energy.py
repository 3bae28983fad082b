"""What a metre of running costs at a grade (Minetti et al. 2002). One published polynomial, nothing of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.records import Array

# Minetti et al. 2002, J Appl Physiol 93:1039-1046, running: J/kg/m, highest power of the grade first.
_POLYNOMIAL = (155.4, -30.4, -43.3, 46.3, 19.5, 3.6)

#: Cost of a level metre in the same paper's polynomial, J/kg/m.
LEVEL_COST = _POLYNOMIAL[-1]

#: The steepest grade on which the paper measured, up and down.
MEASURED_GRADE = 0.45


def energy_cost(grade: ArrayLike) -> Array:
    """Return the metabolic cost of running one metre at a grade.

    Parameters
    ----------
    grade
        Rise over run, any shape. The polynomial is valid within +-0.45 only; steeper grades are taken as the limit,
        because beyond it the fifth power runs away from anything measured. NaN stays NaN.

    Returns
    -------
    Array
        J/kg/m in the shape of `grade`: 3.6 on the level, least (1.77) near -0.18.

    Notes
    -----
    Minetti et al. 2002, J Appl Physiol 93:1039-1046. Ten mountain runners on a treadmill; against the paper's thirteen
    measured grades the polynomial has an RMS error of 0.195 J/kg/m.

    """
    within = np.clip(np.asarray(grade, dtype=np.float64), -MEASURED_GRADE, MEASURED_GRADE)
    return np.asarray(np.polyval(_POLYNOMIAL, within), dtype=np.float64)
