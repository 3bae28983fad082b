"""A year of bad nights: each kind of fault strikes one night in ten, and in the end everything is there, once.

The services are the simulated ones, reached by the real clients; their faults, limits and blocked sign-ins, the clock
of the home and the kill of a night are drawn by a seed. The runner does what the messages ask for: they sign in again
two nights after they were told to.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import random
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hamload import doctor, pipeline, post, settings, warehouse
from hamload.demonstration import sign_in
from hamload.raw import Raw
from hamload.records import Service
from hamload.simulator import SimulatedRunner, year_of
from hamload.simulator import garmin as garmin_simulator
from hamload.simulator import strava as strava_simulator
from hamload.simulator.strava import Limits
from hamload.simulator.world import World
from hamload.sources.access import Access
from torture.forker import Forker
from torture.kills import quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hamload.simulator import PlannedRun

BEGIN = dt.datetime(2025, 11, 24, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
_RUNNER = SimulatedRunner()
#: How often each kind of fault strikes, and after how many nights the runner has done what they were asked to.
SHARE, _PATIENCE = 0.1, 2
#: One night in so many writes its digest too, as each that is killed does; the very last one does.
_WHOLE = 10
#: How many nights without any fault end the year.
_LAST = 3
_WIDE, _TIGHT = Limits((10**6, 10**6), (10**6, 10**6)), Limits((4, 9), (3, 7))

type Strike = Callable[[_Year], None]


def _strava(*faults: strava_simulator.Fault) -> Strike:
    def strike(year: _Year) -> None:
        endpoint: Any = year.chance.choice(("list", "streams", "token"))
        if endpoint == "token":
            year.access.strava.expire()
        year.world.strava.faults.add(
            endpoint, year.chance.choice(faults), year.chance.choice((1, 1000)), after=year.chance.choice((0, 0, 1))
        )

    return strike


def _garmin(*faults: garmin_simulator.Fault) -> Strike:
    def strike(year: _Year) -> None:
        simulator = year.chance.choice((year.world.garmin, year.world.personal))
        last = "exercise_sets" if simulator is year.world.garmin else "key"
        endpoints = ("activities", "download", last)
        fault = replace(year.chance.choice(faults), times=year.chance.choice((1, None)))
        simulator.faults.put(year.chance.choice(endpoints), fault)

    return strike


def _limits(year: _Year) -> None:
    year.world.strava.limits = _TIGHT


def _blocked(year: _Year) -> None:
    """Take the runner's sign-in away, and block the next one, as after too many attempts."""
    year.world.garmin.revoke(refresh=True)
    until = year.now + dt.timedelta(hours=40)
    path = year.access.garmin / "garmin_login_blocked.json"
    path.write_text(json.dumps({"until": until.isoformat()}))


def _disconnected(year: _Year) -> None:
    year.world.strava.revoke()


def _clock(year: _Year) -> None:
    year.clock = dt.timedelta(hours=year.chance.choice((-26, -3, -1, 1, 3, 20)))


def _restart(year: _Year) -> None:
    year.is_killed = True


_OTHERS: tuple[Literal["garbage", "html", "empty"], ...] = ("garbage", "html", "empty")
#: Every kind of fault, each of which strikes by itself.
STRIKES: Mapping[str, Strike] = {
    "limits": _limits,
    "5xx at Strava": _strava(*(strava_simulator.Fault("status", n) for n in (500, 502, 503))),
    "5xx at Garmin": _garmin(*(garmin_simulator.Fault("status", n) for n in (500, 503))),
    "429 and 403": _garmin(*(garmin_simulator.Fault("status", n) for n in (403, 429))),
    "time-outs": _strava(strava_simulator.Fault("silent", wait_s=0.7)),
    "time-outs at Garmin": _garmin(garmin_simulator.Fault("slow", seconds=0.7), garmin_simulator.Fault("drop")),
    "answers cut off": _strava(strava_simulator.Fault("cut"), strava_simulator.Fault("torn")),
    "answers cut off at Garmin": _garmin(garmin_simulator.Fault("cut"), garmin_simulator.Fault("short")),
    "other answers": _strava(*(strava_simulator.Fault(kind) for kind in _OTHERS)),
    "logins blocked": _blocked,
    "access withdrawn": _disconnected,
    "clock changes": _clock,
    "restarts": _restart,
}


@dataclass
class Tally:
    """What came of the year."""

    nights: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    outages: int = 0
    told: int = 0
    signed_in: int = 0
    beyond: int = 0
    runs: int = 0
    sessions: int = 0
    faults: list[str] = field(default_factory=list)


class _Year:
    """The home, its services, and what is wrong tonight."""

    def __init__(self, place: Path, runs: Sequence[PlannedRun], seed: int, stack: ExitStack) -> None:
        self.chance = random.Random(f"nights {seed}")  # noqa: S311  # repeatable, not secret
        self.world = stack.enter_context(World(_RUNNER, runs, BEGIN, limits=_WIDE, recorder=quick))
        self.home = place / "home"
        self.home.mkdir(mode=0o700)
        environment = self.world.trust(place / "authority.pem")
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        stack.callback(_restored, before)
        accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in Service)
        (self.home / "config.toml").write_text(
            f'time_zone = "Europe/Vienna"\n{accounts}[fetch]\ntimeout_s = 0.5\nretries = 0\nwait_s = 0.01\n'
            f"[import]\nworkers = 1\n[show]\nnightly_report = false\n{self.world.services()}"
        )
        self.access = Access.of(self.home, "me")
        self.now, self.clock, self.is_killed = BEGIN, dt.timedelta(), False
        self.signing_in: dict[Service, int] = {}
        sign_in(self.home, "me", self.world)
        self.forker = stack.enter_context(Forker(place, environment))
        # What a client logs of each failure is for a log.
        logging.getLogger().addHandler(quiet := logging.NullHandler())
        stack.callback(logging.getLogger().removeHandler, quiet)

    def mend(self) -> None:
        """End what was wrong with the last night."""
        for simulator in (self.world.strava, self.world.garmin, self.world.personal):
            simulator.faults.clear()
        self.world.strava.limits = _WIDE
        self.clock, self.is_killed = dt.timedelta(), False

    def night(self, *, is_killed: bool = False, is_whole: bool = True) -> tuple[str, ...]:
        """Run the night by the home's own clock. Returns what failed; one that is killed tells nothing."""
        current, now = settings.load(self.home), self.now + self.clock
        today = now.astimezone(current.zone("me")).date()
        if is_killed:
            self.forker.take("sync", self.home, now, kill_after_s=self.chance.uniform(0.02, 2.5))
            return ()
        with pipeline.exclusive(current):
            if is_whole:
                night = pipeline.night(current, now, today)
                failed, checks = list(night.failed_sources), list(night.failed_checks)
            else:
                # All but the digest, whose charts would take most of the time.
                _, failed = pipeline.fetch(current, now)
                _, checks = pipeline.refresh(current, today, now=now)
                _, problems = pipeline.tell_and_report(current, checks, now)
                failed += problems
        return (*failed, *(f"check {f.check}" for f in checks))


def _restored(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def run(count: int, seed: int, told: Callable[[str], None] = lambda _line: None) -> Tally:
    """Live through so many nights, and return what came of them."""
    tally = Tally()
    last = (BEGIN + count * DAY).date()
    runs = [replace(run, minutes=7) for run in year_of(_RUNNER, last - DAY, count + 14)]
    with tempfile.TemporaryDirectory(prefix="hamload-nights-") as place, ExitStack() as stack:
        year = _Year(Path(place), runs, seed, stack)
        begun = time.monotonic()
        for number in range(count):
            _one(year, BEGIN + number * DAY, tally)
            tally.nights += 1
            if number % 20 == 0:
                told(f"night {number}, {time.monotonic() - begun:.0f} s, {len(tally.faults)} faults")
        _end(year, BEGIN + count * DAY, runs, tally)
    return tally


def _one(year: _Year, now: dt.datetime, tally: Tally) -> None:
    year.now = year.world.advance(now)
    year.mend()
    _do_as_told(year, tally)
    for name, strike in STRIKES.items():
        if year.chance.random() < SHARE:
            strike(year)
            tally.strikes[name] += 1
    if year.is_killed:
        year.night(is_killed=True)
    failed = year.night(is_whole=tally.nights % _WHOLE == _WHOLE - 1)
    tally.failed.update(line.split(":")[0] for line in failed)
    where = f"night {now:%Y-%m-%d}"
    tally.faults += [f"{where}: {line}" for line in failed if line.startswith("check ")]
    tally.faults += [f"{where}: {line}" for line in _untold(year, tally)]
    if year.world.garmin.logins:
        tally.faults.append(f"{where}: {year.world.garmin.logins} sign-ins at Garmin without the runner")
    for service in Service:
        asked = any(line.startswith(service.label) and "hamload auth" in line for line in failed)
        if asked:
            year.signing_in.setdefault(service, _PATIENCE)


def _do_as_told(year: _Year, tally: Tally) -> None:
    """Sign in again where a message of two nights ago asked for it, and no longer than a block lasts."""
    for service, nights in list(year.signing_in.items()):
        if nights:
            year.signing_in[service] = nights - 1
            continue
        del year.signing_in[service]
        (year.access.garmin / "garmin_login_blocked.json").unlink(missing_ok=True)
        sign_in(year.home, "me", year.world, (service,))
        tally.signed_in += 1


def _untold(year: _Year, tally: Tally) -> Iterator[str]:
    """Yield each source that lacks something or failed without saying so, in its report and to the runner."""
    given = given_by(year.home)
    with Raw(year.home) as raw:
        last = {report.source: report for report in raw.reports()}
    current = settings.load(year.home)
    told = [m for m in post.standing(current) if m.kind == "failure"]
    for service, keys in expected_of(year.world).items():
        report = last.get(service.value)
        missing = {key: day for key, day in keys.items() if key not in given[service.value]}
        if report is None:
            yield f"{service.label} has never reported"
            continue
        if missing and not report.is_failure and not report.message and report.covered_until is not None:
            # A run of today may have come after it was asked: only days that it vouches for must be whole.
            lacking = {key: day for key, day in missing.items() if day <= report.covered_until}
            if lacking:
                yield f"{service.label} vouches for every day to {report.covered_until} and lacks {lacking}"
        if report.is_failure:
            tally.outages += 1
            is_told = any(service.label in m.subject and _is_open(m.key, service, year.home) for m in told)
            tally.told += is_told
            if not is_told:
                yield f"{service.label} failed and nobody was told: {report.message}"


def _is_open(key: str, service: Service, home: Path) -> bool:
    """Return whether a message is about something of this source that is open now."""
    with Raw(home) as raw:
        open_now = raw.cursor("night", "").get("open", ())
    return any(key == f"{about} since {since}" and f"source {service.value} " in about for _, about, since in open_now)


def given_by(home: Path) -> dict[str, Counter[str]]:
    """Return what each source has given: its recordings and their records, by the number of the activity."""
    found: dict[str, Counter[str]] = {service.value: Counter() for service in Service}
    with Raw(home) as raw:
        for delivery in raw.deliveries():
            if delivery.format in {"fit", "strava", "frozen"} and delivery.source in found:
                found[delivery.source][delivery.external_id] += 1
    return found


def expected_of(world: World) -> dict[Service, dict[str, dt.date]]:
    """Return what each service shows by now: the number of each run and its day."""
    uploads = sorted((u for u in world.account.visible() if u.run is not None), key=lambda u: u.start_at)
    days = [u.run.date for u in uploads if u.run is not None]
    garmin = dict(zip((str(u.activity_id) for u in uploads), days, strict=True))
    # Strava lists what is still to come too, newest first.
    numbers = [str(number) for number in reversed(world.strava.ids())][: len(uploads)]
    return {
        Service.STRAVA: dict(zip(numbers, days, strict=True)),
        Service.GARMIN: garmin,
        Service.GARMIN_PERSONAL: garmin,
    }


def _end(year: _Year, now: dt.datetime, runs: Sequence[PlannedRun], tally: Tally) -> None:
    """Let everything work again for a few nights, and compare the home with what the runner ran."""
    year.signing_in = dict.fromkeys(Service, 0)
    for number in range(_LAST):
        year.now = year.world.advance(now + number * DAY)
        year.mend()
        _do_as_told(year, tally)
        failed = year.night(is_whole=number == _LAST - 1)
    tally.faults += [f"in the end: {line}" for line in failed]
    given = given_by(year.home)
    for service, keys in expected_of(year.world).items():
        if lacking := keys.keys() - given[service.value].keys():
            tally.faults.append(f"in the end {service.label} lacks {sorted(lacking)[:5]}")
    with warehouse.reader(year.home) as con:
        rows = con.execute("select start_at, local_date from marts.sessions order by 1").fetchall()
        days = con.execute(
            "select count(*) from marts.daily_load where series = 'total' and not is_known and date < ?", [now.date()]
        ).fetchall()
    tally.runs, tally.sessions, tally.beyond = len(runs), len(rows), year.world.strava.beyond
    wanted = sorted(run.date for run in runs)
    if sorted(row[1] for row in rows) != wanted:
        tally.faults.append(f"in the end {len(rows)} sessions on other days than the {len(runs)} runs")
    if days != [(0,)]:
        tally.faults.append(f"in the end {days[0][0]} days are unknown")
    if tally.beyond:
        tally.faults.append(f"{tally.beyond} requests beyond Strava's limits")
    wrong = [f for f in doctor.verify(year.home) if f.level is doctor.Level.WRONG]
    tally.faults += [f"in the end {f.name}: {f.says}" for f in wrong]
