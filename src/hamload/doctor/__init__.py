"""Looks at everything that hamload stands on, and says what is wrong with the one command that mends it.

`examine` looks at the machine, the home, the sources, the post and the last night; `verify` reads every raw document
and every published row. Neither changes anything, and neither asks a service unless it is told to (`online`).
"""

from hamload.doctor.finding import Finding, Level
from hamload.doctor.rounds import examine
from hamload.doctor.verifying import verify

__all__ = ["Finding", "Level", "examine", "verify"]
