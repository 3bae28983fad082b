"""The steps of a night in order, as plain functions: what the flows and the command line both call.

    fetch, put -> decode -> assess -> expire -> alert -> publish -> digest

Each step reads what the one before it left in the home, and can be run again without harm. Hold `exclusive` around
them.
"""

from hamload.pipeline.answers import (
    alert_history,
    daily_loads,
    digest_text,
    known_athletes,
    monitor,
    other_sports,
    overview,
    sessions,
    undelivered,
    undelivered_words,
    unreadable,
    waiting_accounts,
)
from hamload.pipeline.intake.folders import put_folder
from hamload.pipeline.intake.putting import Arriving, put_files, vouch
from hamload.pipeline.noting.nights import Run, running
from hamload.pipeline.order import Night, fetch, in_words, night, tell_and_report, told, write_reports
from hamload.pipeline.steps import (
    Told,
    alert,
    assess,
    decode,
    deliver,
    digest,
    exclusive,
    expire,
    fetch_account,
    publish,
    rebuild,
    recall_curls,
    refresh,
    refuse_newer,
    report,
    tell_crash,
    tell_state,
    tell_troubles,
    watch,
    withdraw,
    write_calendars,
)

__all__ = [
    "Arriving",
    "Night",
    "Run",
    "Told",
    "alert",
    "alert_history",
    "assess",
    "daily_loads",
    "decode",
    "deliver",
    "digest",
    "digest_text",
    "exclusive",
    "expire",
    "fetch",
    "fetch_account",
    "in_words",
    "known_athletes",
    "monitor",
    "night",
    "other_sports",
    "overview",
    "publish",
    "put_files",
    "put_folder",
    "rebuild",
    "recall_curls",
    "refresh",
    "refuse_newer",
    "report",
    "running",
    "sessions",
    "tell_and_report",
    "tell_crash",
    "tell_state",
    "tell_troubles",
    "told",
    "undelivered",
    "undelivered_words",
    "unreadable",
    "vouch",
    "waiting_accounts",
    "watch",
    "withdraw",
    "write_calendars",
    "write_reports",
]
