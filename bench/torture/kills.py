"""Kills at random moments: after the next run everything is as if nothing had happened, and no message came twice.

Each kill has a home of its own, a copy of one that was prepared once for its step. The step is begun in a process of
its own and killed at a random share of the time that it takes undisturbed; then it is taken again, and the home is
compared with that of an undisturbed run: every table, every row of the ledger, every file.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import doctor, post, raw, settings, warehouse
from hamload.demonstration import sign_in
from hamload.errors import HamloadError
from hamload.post.ledger import Ledger
from hamload.records import Service, Streams
from hamload.simulator import SimulatedRunner, fit_bytes, year_of
from hamload.simulator.strava import Limits
from hamload.simulator.world import World
from torture import steps
from torture.forker import Forker
from torture.mailbox import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import EmailMessage

    from hamload.simulator import PlannedRun
    from torture.mailbox import Mailbox

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=9)
_RUNNER = SimulatedRunner()
_FILES, _ONLINE = 8, 2
#: How the kills are shared out among the steps: most to those that a runner waits for.
SHARES: Mapping[str, int] = {
    "import": 27,
    "sync": 15,
    "send": 30,
    "rebuild": 8,
    "upgrade": 8,
    "publish": 4,
    "expire": 4,
    "forget": 4,
}
#: One kill in so many is followed by a second one, of the run that was to complete it.
_TWICE = 5
_TICK_S = 3.1
#: One in so many is taken once more when it is complete: that changes nothing.
_ONCE_MORE = 6
#: A step is killed up to this share of its usual time: one that takes a little longer has its end in there too.
_UP_TO = 1.05


@dataclass
class Tally:
    """What came of the kills of one step."""

    step: str
    kills: int = 0
    tried: int = 0
    finished: int = 0
    completed: int = 0
    received: int = 0
    quoted: int = 0
    moments: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def run(count: int, seed: int, told: Callable[[str], None] = lambda _line: None) -> list[Tally]:
    """Kill `count` times, and return what came of it, by step."""
    wanted = _shared_out(count)
    with tempfile.TemporaryDirectory(prefix="hamload-kills-") as place, ExitStack() as stack:
        bench = _Bench(Path(place), stack)
        tallies = []
        for step, kills in wanted.items():
            chance = random.Random(f"{seed} {step}")  # noqa: S311  # repeatable, not secret
            tallies.append(_killed(bench, step, kills, chance, told))
        return tallies


def _shared_out(count: int) -> dict[str, int]:
    whole = sum(SHARES.values())
    wanted = {step: count * share // whole for step, share in SHARES.items()}
    for step in list(SHARES)[: count - sum(wanted.values())]:
        wanted[step] += 1
    return {step: kills for step, kills in wanted.items() if kills}


class _Bench:
    """Everything around the homes: the services, the mail server, the process that forks."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        self.place = place
        plan = year_of(_RUNNER, NOW.date() - dt.timedelta(days=1), 60)
        # Short runs: what is killed is hamload's work on them, and reading takes the longest of it.
        self._plan = [replace(run, minutes=6) for run in plan[-_FILES - _ONLINE :]]
        self.world = stack.enter_context(
            World(_RUNNER, self._plan[-_ONLINE:], NOW, limits=Limits((10**6, 10**6), (10**6, 10**6)), recorder=quick)
        )
        self.world.strava.ask_s = 0
        self.mailbox, self._mail = stack.enter_context(receiving(place))
        environment = self.world.trust(place / "authority.pem")
        self.forker = stack.enter_context(Forker(place, environment))

    def prepared(self, step: str) -> Path:
        """Return a home as it is before a step, made by steps that nobody disturbed."""
        home = self.place / step / "before"
        home.mkdir(parents=True, mode=0o700)
        runs = home.parent / steps.RUNS
        runs.mkdir()
        for run in self._plan[:_FILES]:
            (runs / f"{run.date}.fit").write_bytes(fit_bytes(_RUNNER, run))
        online = step in {"sync", "expire", "forget"}
        accounts = "".join(f'[[accounts]]\nservice = "{service.command}"\n' for service in Service if online)
        folder = f'[[folders]]\npath = "{runs}"\nathlete = "me"\nreports_rest = true\n' if step == "sync" else ""
        (home / "config.toml").write_text(
            f'time_zone = "Europe/Vienna"\n{accounts}{folder}[[athletes]]\nid = "me"\nmail = "anna@example.org"\n'
            f"[fetch]\ntimeout_s = 30\nretries = 0\n[import]\nworkers = 1\n[show]\nnightly_report = false\n"
            f"{self.world.services()}{self._mail}"
        )
        if folder:
            # What was written just now has no stamp yet, and is read again by the next night.
            time.sleep(_TICK_S)
        _PREPARE.get(step, _nothing)(self, home)
        self.mailbox.taken()
        return home

    def copy(self, before: Path, name: str) -> Path:
        """Return a copy of a prepared home, signed in where the services are asked."""
        # Beside the others, one after the other under one path: what a home holds may name where it lies.
        home = before.parent / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(before, home)
        if "[[accounts]]" in (home / "config.toml").read_text():
            sign_in(home, "me", self.world)
        return home


def quick(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Record a run at an even speed, a row every ten seconds."""
    time_s = 10.0 * np.arange(max(round(6 * run.minutes), 2))
    speed, n = runner.easy_speed_mps + 0.1 * (run.date.toordinal() % 7), len(time_s)
    return Streams.of(time_s, speed_mps=np.full(n, speed), distance_m=speed * time_s, altitude_m=np.full(n, 160.0))


def _nothing(_bench: _Bench, _home: Path) -> None:
    """Begin with an empty home."""


def _imported(bench: _Bench, home: Path) -> None:
    bench.forker.take("import", home, NOW)


def _with_messages(_bench: _Bench, home: Path) -> None:
    current = settings.load(home)
    for number in range(8):
        key = f"night {number}"
        post.tell(current, "me", key, "failure", f"Failure {number}", f"What happened: {number}.\n" * 40, now=NOW)


def _older(bench: _Bench, home: Path) -> None:
    """Leave a home as it was before ledgers had numbers, with tables of another version and a message that waits."""
    _imported(bench, home)
    _with_messages(bench, home)
    with closing(sqlite3.connect(home / "raw" / raw.LEDGER, isolation_level=None)) as db:
        db.execute("alter table reports drop column resumes_at")
        db.execute("pragma user_version = 0")
        db.execute("pragma wal_checkpoint(truncate)")
    with closing(sqlite3.connect(home / "outbox" / "post.db", isolation_level=None)) as db:
        db.execute("pragma user_version = 0")
    import duckdb  # the forker's children have their own

    with duckdb.connect(home / "warehouse.duckdb") as con:
        con.execute("update landing.version set tables = 'of another version'")


def _fetched(bench: _Bench, home: Path) -> None:
    sign_in(home, "me", bench.world)
    bench.forker.take("sync", home, NOW)
    bench.forker.take("import", home, NOW)


_PREPARE: Mapping[str, Callable[[_Bench, Path], None]] = {
    "send": _with_messages,
    "rebuild": _imported,
    "upgrade": _older,
    "publish": _imported,
    "expire": _fetched,
    "forget": _fetched,
}


def _killed(bench: _Bench, step: str, kills: int, chance: random.Random, told: Callable[[str], None]) -> Tally:
    tally, before, now = Tally(step), bench.prepared(step), LATER if step in {"expire", "forget"} else NOW
    whole: list[float] = []
    home = bench.copy(before, "home")
    whole.append(bench.forker.take(step, home, now)[1])
    expected, messages = state_of(home), bench.mailbox.taken()
    subjects = {str(m["Subject"]) for m in messages}
    while tally.kills < kills:
        home = bench.copy(before, "home")
        bench.mailbox.taken()
        usual = statistics.median(whole[-9:])
        moments = [chance.uniform(0, _UP_TO) for _ in range(2 if chance.randrange(_TWICE) == 0 else 1)]
        for share in moments:
            is_whole, _ = bench.forker.take(step, home, now, kill_after_s=share * usual)
            tally.finished += is_whole
            tally.kills += not is_whole
            tally.moments += [] if is_whole else [share]
            half_way = list(_half_way(home))
            tally.faults += [f"{step} at {share:.3f}: {fault}" for fault in half_way]
            for fault in half_way:
                told(f"  {fault}"[:1500])
        whole.append(bench.forker.take(step, home, now)[1])
        if chance.randrange(_ONCE_MORE) == 0:
            bench.forker.take(step, home, now)
        found = [*_differences(expected, state_of(home)), *_post(bench.mailbox, subjects, tally)]
        where = " and ".join(f"{share:.3f}" for share in moments)
        tally.faults += [f"{step} at {where}: {fault}" for fault in found]
        tally.tried += 1
        tally.completed += not found
        told(f"{step}: {tally.kills} kills, {len(tally.faults)} faults")
        for fault in found:
            told(f"  {fault}"[:1500])
    return tally


def _half_way(home: Path) -> Iterator[str]:
    """Yield what is wrong with what people see between the kill and the next run."""
    if (home / warehouse.PUBLISHED).exists():
        try:
            with warehouse.reader(home, settings.shipped("sql")) as con:
                yield from (f"half-way, {f.check} fails" for f in warehouse.check(con, settings.shipped("sql")))
        except HamloadError as error:
            if "another version" not in str(error):
                yield f"half-way, nothing can be read: {error}"
    if (home / "raw" / raw.LEDGER).exists():
        for finding in doctor.verify(home, is_anew=False):
            if finding.level is doctor.Level.WRONG and finding.name in {"documents", raw.LEDGER, "post.db"}:
                yield f"half-way, {finding.name}: {finding.says}"


def _post(mailbox: Mailbox, subjects: set[str], tally: Tally) -> Iterator[str]:
    """Yield what is wrong with what arrived: anything twice, or anything neither received nor quoted."""
    messages = mailbox.taken()
    counted = Counter(str(m["Message-ID"]) for m in messages)
    yield from (f"{name} arrived {count} times" for name, count in counted.items() if count > 1)
    notices = [m for m in messages if str(m["Subject"]).startswith("Perhaps not received")]
    quoted = " ".join(_text(m) for m in notices)
    received = {str(m["Subject"]) for m in messages}
    tally.received += len(received & subjects)
    tally.quoted += sum(subject in quoted and subject not in received for subject in subjects)
    yield from (f"the message {s!r} is lost" for s in subjects if s not in received and s not in quoted)


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return " ".join(str(body.get_content()).split()) if body else ""


type State = dict[str, Any]


def state_of(home: Path) -> State:
    """Return everything that a home holds: the published tables, both ledgers, the names and contents of its files."""
    found: State = {}
    if (home / warehouse.PUBLISHED).exists():
        with warehouse.reader(home) as con:
            names = con.execute(
                "select table_schema || '.' || table_name from information_schema.tables"
                " where table_schema in ('marts', 'reports') order by 1"
            ).fetchall()
            for (name,) in names:
                found[name] = con.execute(_SELECTS.get(name, f"from {name} order by all")).fetchall()
    if (home / "raw" / raw.LEDGER).exists():
        with closing(sqlite3.connect(home / "raw" / raw.LEDGER)) as db:
            found |= {f"ledger {name}": db.execute(query).fetchall() for name, query in _LEDGER.items()}
        found["verify"] = [
            (f.name, f.says) for f in doctor.verify(home, is_anew=False) if f.level is not doctor.Level.OK
        ]
    if Ledger.is_there(home / "outbox"):
        with closing(sqlite3.connect(home / "outbox" / "post.db")) as db:
            found["messages"] = db.execute(
                "select athlete_id, key, kind, subject from messages where kind <> 'notice' order by 1, 2"
            ).fetchall()
            found["waiting"] = db.execute(
                "select message_id from deliveries where state in ('waiting', 'sending') order by 1"
            ).fetchall()
    found["files"] = sorted(
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    )
    return found


#: What a digest has told is written down behind the tables of its night, and shows in those of the next one; among the
#: documents it is compared at once.
_SELECTS = {"marts.journal": "from marts.journal where kind <> 'told' order by all"}
_LEDGER = {
    "documents": "select document_id, format, size from documents order by 1",
    "deliveries": "select document_id, athlete_id, source, external_id, name, facts from deliveries"
    " order by 1, 2, 3, 4, 6",
    "refusals": "select source, athlete_id, name, reason from refusals order by 1, 2, 3",
    # What a service has counted of our requests is another number after a kill, and has to be; a night is another
    # run, and took another time.
    "cursors": "select source, athlete_id, json_remove(cursor, '$.quota', '$.spent_on', '$.spent_requests',"
    " '$.good.run_id', '$.good.ended_at', '$.last.run_id', '$.last.ended_at') from cursors order by 1, 2",
    "reports": "select source, athlete_id, reported_at, is_history, documents, covered_until, is_failure, message"
    " from reports order by 1, 2, 3",
    "withdrawals": "select source, athlete_id, external_id from withdrawals order by 1, 2, 3",
    "unlinks": "select document_id from unlinks order by 1",
}


def _differences(expected: State, found: State) -> Iterator[str]:
    for name in sorted(expected.keys() | found.keys()):
        wanted, here = expected.get(name), found.get(name)
        if wanted != here:
            missing = [row for row in wanted or () if row not in (here or ())][:2]
            strange = [row for row in here or () if row not in (wanted or ())][:2]
            yield f"{name} differs: without {missing}, with {strange}"
