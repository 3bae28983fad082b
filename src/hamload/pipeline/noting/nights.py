"""One run from beginning to end: its id, its steps in the log, its place in the ledger of nights, its heartbeat.

The ledger of nights stands beside the cursors (`raw.py`): the last night, and the last that ran to its end. "Good"
means that it ran to its end; what failed in it, a source or a check, it has told itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

from hamload import post
from hamload.pipeline.noting import chronicle
from hamload.raw import Raw
from hamload.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hamload.settings import Settings

type Kind = Literal["night", "backfill", "import", "rebuild"]
type Outcome = Literal["running", "good", "with failures", "broken"]

#: Of the home as a whole, not of one runner.
_SOURCE, _NOBODY = "nights", ""


@dataclass(slots=True)
class Run:
    """One run at work. `problems` is filled as it goes; `notes` are sentences that stop nothing."""

    run_id: str
    kind: Kind
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NightRecord:
    """What the ledger says of one night. `ended_at` None: it is at work, or was killed."""

    run_id: str
    began_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: Outcome
    error: str = ""


@dataclass(frozen=True, slots=True)
class Nights:
    """The last night, and the last that ran to its end; None where there was none."""

    last: NightRecord | None
    good: NightRecord | None


_current: ContextVar[Run | None] = ContextVar("hamload_run", default=None)


@contextmanager
def running(settings: Settings, kind: Kind, now: dt.datetime, run_id: str = "") -> Iterator[Run]:
    """Hold a run: what it does is logged under its id; a night is kept in the ledger, and its heartbeat is sent.

    Hold the home (`exclusive`) around it. `run_id` is Prefect's where Prefect runs it, else one is made.
    """
    run = Run(run_id or str(uuid.uuid4()), kind)
    clock = chronicle.Clock(now)
    is_night = kind == "night"
    with chronicle.opened(settings, run.run_id, kind, clock):
        chronicle.tell("run begun")
        token = _current.set(run)
        try:
            if is_night:
                _beat(settings, "start", run)
                _keep(settings, NightRecord(run.run_id, now, None, "running"))
            yield run
            outcome: Outcome = "with failures" if run.problems else "good"
            if is_night:
                _keep(settings, NightRecord(run.run_id, now, clock.now(), outcome))
        except BaseException as error:
            told = _words(error)
            chronicle.tell("run ended", outcome="broken", duration_s=_seconds(clock), error=told)
            if is_night:
                _beat(settings, "fail", run)
                _keep(settings, NightRecord(run.run_id, now, clock.now(), "broken", told), despite=error)
            raise
        finally:
            _current.reset(token)
        chronicle.tell("run ended", outcome=outcome, duration_s=_seconds(clock), problems=run.problems)
        if is_night:
            _beat(settings, "fail" if run.problems else "success", run)


def stepped[**P, R](
    name: str | Callable[..., str], counts: Callable[..., dict[str, int]] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a step of whatever run is at work: its beginning, end, duration and counts go to the log.

    `name` may be made from the arguments; `counts` is given the result and then the arguments. Outside a run nothing is
    written.
    """

    def decorated(step: Callable[P, R]) -> Callable[P, R]:
        @wraps(step)
        def logged(*args: P.args, **kwargs: P.kwargs) -> R:
            if _current.get() is None:
                return step(*args, **kwargs)
            label = name if isinstance(name, str) else name(*args, **kwargs)
            clock = chronicle.Clock(dt.datetime.now(tz=dt.UTC))
            chronicle.tell("step begun", step=label)
            try:
                result = step(*args, **kwargs)
            except BaseException as error:
                told = _words(error)
                chronicle.tell("step ended", step=label, outcome="failed", duration_s=_seconds(clock), error=told)
                raise
            found = counts(result, *args, **kwargs) if counts else {}
            chronicle.tell("step ended", step=label, outcome="done", duration_s=_seconds(clock), counts=found)
            return result

        return logged

    return decorated


def nights(settings: Settings) -> Nights:
    """Return what the ledger says of the nights. Raises HamloadError where it cannot be read."""
    if not (settings.home / "raw").is_dir():
        return Nights(None, None)
    with Raw(settings.home) as raw:
        kept = raw.cursor(_SOURCE, _NOBODY)
    return Nights(_record(kept.get("last")), _record(kept.get("good")))


def _keep(settings: Settings, record: NightRecord, despite: BaseException | None = None) -> None:
    """Write a night into the ledger; `despite` another error, one of its own is only noted beside that."""
    told = {
        "run_id": record.run_id,
        "began_at": record.began_at.isoformat(),
        "ended_at": record.ended_at and record.ended_at.isoformat(),
        "outcome": record.outcome,
        "error": record.error,
    }
    try:
        with Raw(settings.home) as raw, raw.batch(_SOURCE, _NOBODY, record.began_at) as batch:
            kept = raw.cursor(_SOURCE, _NOBODY) | {"last": told}
            if record.outcome in {"good", "with failures"}:
                kept["good"] = told
            batch.cursor(kept)
    except Exception as error:
        if despite is None:
            raise
        despite.add_note(f"The ledger of nights could not be written either: {error}")


def _record(told: Any) -> NightRecord | None:
    if not told:
        return None
    began, ended = (told[name] and dt.datetime.fromisoformat(told[name]) for name in ("began_at", "ended_at"))
    return NightRecord(told["run_id"], began, ended, told["outcome"], told["error"])


def _beat(settings: Settings, signal: post.Signal, run: Run) -> None:
    wrong = post.beat(settings, signal, run.run_id)
    if wrong:
        run.notes.append(wrong)
        chronicle.tell("heartbeat failed", error=wrong)


def _words(error: BaseException) -> str:
    return redacted(f"{type(error).__name__}: {error}")


def _seconds(clock: chronicle.Clock) -> float:
    return round(clock.elapsed_s(), 3)
