"""A simulated athlete and the services they upload to: the other side of the demo and of the tests, nothing else.

An athlete is a plan (`athlete`), a body on a road (`workouts`, `terrain`, `body`, `truth`) and a watch (`device`) whose
recordings are real FIT files (`recordings`, `fitfile`). All of it follows from one seed.
"""

from hamload.simulator.athlete import PlannedRun, SimulatedRunner, start_of, year_of
from hamload.simulator.recordings import fit_bytes, streams_of, write_year
from hamload.simulator.truth import Truth, truth_of

__all__ = [
    "PlannedRun",
    "SimulatedRunner",
    "Truth",
    "fit_bytes",
    "start_of",
    "streams_of",
    "truth_of",
    "write_year",
    "year_of",
]
