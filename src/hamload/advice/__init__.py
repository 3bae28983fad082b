"""Alerts, the deload and the curls. Pure: facts in, decisions with reasons out; no files, no clock, no SQL.

`assess` decides the state of every day from `DayFacts`; `headline` says it in a line. The way through the room:
`rules` (one day by itself) -> `alerts` (the days in order) -> `deload`, `curls` (what to do); `wording` speaks for all.
"""

from hamload.advice.alerts import Acknowledged, Memory, assess, own_histories, stop_advice, walk
from hamload.advice.curls import curl_advice
from hamload.advice.deload import Wishes, deload_advice, deload_plan, longest_run_m, rest_of_plan, usual_days
from hamload.advice.flags import FLAGS, FlagEntry, open_flags
from hamload.advice.logbook import said
from hamload.advice.planned import Estimate, PlannedRun, estimate
from hamload.advice.progression import CurlFacts, CurlPlan, CurlSession, Dose, curl_checks, curl_plan
from hamload.advice.rules import RULES, OwnHistory, Rule, judge
from hamload.advice.wording import DISCLAIMER, headline, state_headline

__all__ = [
    "DISCLAIMER",
    "FLAGS",
    "RULES",
    "Acknowledged",
    "CurlFacts",
    "CurlPlan",
    "CurlSession",
    "Dose",
    "Estimate",
    "FlagEntry",
    "Memory",
    "OwnHistory",
    "PlannedRun",
    "Rule",
    "Wishes",
    "assess",
    "curl_advice",
    "curl_checks",
    "curl_plan",
    "deload_advice",
    "deload_plan",
    "estimate",
    "headline",
    "judge",
    "longest_run_m",
    "open_flags",
    "own_histories",
    "rest_of_plan",
    "said",
    "state_headline",
    "stop_advice",
    "usual_days",
    "walk",
]
