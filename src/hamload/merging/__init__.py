"""Which recordings are of one run, what each gives to it, and which are doubted. Pure: spans and samples in.

`merge` groups spans into sessions; `profile` and `measures` are one recording in short; `compose` makes one recording
of several; `doubts` says what is wrong with a recording, and whether its load counts all the same.
"""

from hamload.merging.composing import Gift, compose
from hamload.merging.grouping import merge
from hamload.merging.members import Beside, Member, Piece, Session
from hamload.merging.profile import Measures, Profile, as_record, measures, profile
from hamload.merging.sanity import Doubt, Record, doubts, doubts_of_composed, is_run_logged_as_ride
from hamload.merging.spans import Decided, Span

__all__ = [
    "Beside",
    "Decided",
    "Doubt",
    "Gift",
    "Measures",
    "Member",
    "Piece",
    "Profile",
    "Record",
    "Session",
    "Span",
    "as_record",
    "compose",
    "doubts",
    "doubts_of_composed",
    "is_run_logged_as_ride",
    "measures",
    "merge",
    "profile",
]
