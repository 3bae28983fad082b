"""Reading documents on a cluster: batches go to its workers, results come back through shared storage.

A worker holds no state: it reads the documents of a batch, each in a reader process with the same limits as here, and
puts one file of results under a name made of what went in. So a batch that a dead worker leaves behind is read again by
another, a batch read twice leaves the same file, and the one writer takes it in once.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import platform
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hamload.errors import ClusterError, HamloadError
from hamload.pipeline.documents.parcels import bundled, packed, unbundled, unpacked
from hamload.pipeline.documents.readers import Readers
from hamload.pipeline.documents.reading import Outcome, Task, given_up, read
from hamload.pipeline.documents.shared import Shared, extra_missing
from hamload.redaction import install

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from hamload.parameters import LoadModel, Signal
    from hamload.settings import ImportSettings, Settings

#: What decides the digits of a recording: where it differs, a worker's results are not those of this machine.
_PACKAGES = ("hamload", "numpy", "fitfast", "fitdecode", "garmin-fit-sdk")
#: While this lies in the place, its writer is at work: a worker that finds it gone leaves nothing behind.
_OPEN = "open"
_LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """A batch of documents to read, and everything that its results depend on.

    `place` is the shared folder of this home; `raw` is where the tasks' own paths lie, where the home itself is in
    shared storage, else "": then a bundle in the place holds the documents.
    """

    place: str
    raw: str
    tasks: tuple[Task, ...]
    imports: ImportSettings
    signal: Signal
    model: LoadModel
    versions: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Return a name made of what goes in."""
        told = [[t.document_id, t.format, t.sport, t.facts, sorted(t.as_runs), str(t.path)] for t in self.tasks]
        limits = [self.imports.max_seconds, self.imports.max_memory_mb]
        text = json.dumps([self.model.version, self.versions, limits, self.raw, told], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def documents(self) -> str:
        """Return where in the place its bundle of documents lies."""
        return f"documents/{self.name}"

    @property
    def results(self) -> str:
        """Return where in the place its results lie."""
        return f"results/{self.name}"

    def carry_out(self) -> str:
        """Read the batch, on a worker."""
        return read_batch(self)


class Work(Protocol):
    """What a worker is asked to do."""

    @property
    def name(self) -> str:
        """What it is called where runs are listed."""

    def carry_out(self) -> Any:
        """Do it, on the worker."""


class Waiting(Protocol):
    """A batch that is under way."""

    def result(self, timeout: float | None = None) -> Any:
        """Wait for its end; raises TimeoutError after so many seconds, and whatever ended it."""


class Executor(Protocol):
    """What takes work to the workers of a cluster: a Dask client, or Prefect's task runner for one."""

    def submit(self, work: Work, /) -> Waiting:
        """Hand in what a worker is to `carry_out`."""

    def slots(self) -> int:
        """Return how much the cluster does at once; 0 where it has no worker."""


def carry_out(work: Work) -> Any:
    """Do what is asked: the function that a worker runs."""
    return work.carry_out()


def read_batch(order: Order) -> str:
    """Read a batch of documents. Returns where in the shared place the results lie.

    Raises
    ------
    ClusterError
        Where this worker cannot read as the writer would, or does not see the shared storage.

    """
    install()
    check_versions(order.versions)
    place, results = Shared(order.place), order.results
    check_open(place)
    if place.has(results):
        return results
    hands = Readers(order.imports.model_copy(update={"workers": _threads()}), order.signal, order.model)
    waiting = [hands.submit(task) for task in _with_documents(order, place)]
    content = packed([outcome() for outcome in waiting])
    check_open(place)
    place.put(results, content)
    return results


def check_open(place: Shared) -> None:
    """Refuse to work for a writer that is gone. Raises ClusterError."""
    if not place.has(_OPEN):
        raise ClusterError(
            f"The worker on {platform.node()} finds nobody at work in {place.url}.",
            "Check that it sees the same storage there as the machine that imports.",
        )


def check_versions(told: Iterable[tuple[str, str]]) -> None:
    """Refuse to compute for a writer that has other versions of what decides digits. Raises ClusterError."""
    here = dict(versions())
    different = [f"{name} {here.get(name)} instead of {version}" for name, version in told if here.get(name) != version]
    if different:
        raise ClusterError(
            f"The worker on {platform.node()} has {', '.join(different)}: its results might differ.",
            "Install the same hamload[cluster], with the same versions, on every worker.",
        )


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of whatever decides a recording's digits, on this machine."""
    python = ".".join(platform.python_version_tuple()[:2])
    return (*((name, metadata.version(name)) for name in _PACKAGES), ("python", python))


def _with_documents(order: Order, place: Shared) -> Iterable[Task]:
    """Return the tasks as a worker can read them: from their paths, or with the documents of the bundle."""
    if order.raw:
        if not Path(order.raw).is_dir():
            raise ClusterError(
                f"The worker on {platform.node()} does not see the raw documents in {order.raw}.",
                "Mount the home there under the same path, or name other storage in [import] shared.",
            )
        return order.tasks
    try:
        files = unbundled(place.content(order.documents))
    except ValueError as error:
        raise ClusterError(
            f"The shared storage {place.url} gave documents damaged: {error}.",
            "Run the same again; if it fails again, name other storage in [import] shared.",
        ) from error
    return (replace(task, content=files[task.document_id]) for task in order.tasks)


def _threads() -> int:
    """Return how many batches this worker reads at once, and see to it that it may have reader processes."""
    from distributed import get_worker  # noqa: PLC0415  # only a worker runs this

    # Dask forbids its workers children, lest they outlive them: readers end with their worker by themselves.
    multiprocessing.current_process().daemon = False
    return int(get_worker().state.nthreads)


def read_batches(
    batches: Iterable[Sequence[Task]], settings: Settings, executor: Executor | None = None
) -> Generator[list[Outcome]]:
    """Read batches of documents on the cluster, and return their outcomes in the same order.

    Nothing is asked of the cluster before there is something to read. What lies in shared storage is removed as soon as
    the next outcomes are asked for, and all of it at the end.

    Parameters
    ----------
    batches
        The documents, in the batches in which workers read them.
    settings
        Those of the home: `[import] cluster` and `shared` name the cluster and the storage.
    executor
        What takes the batches there; None connects to the cluster at its address.

    Raises
    ------
    ClusterError
        Where the cluster or the storage fails: what was read until then is kept, and nothing else is lost.

    """
    todo = iter(batches)
    first = next(todo, None)
    if first is None:
        return
    with connected(settings, executor) as hands, opened(settings) as place:
        reading = _Reading(settings, place, _raw_seen(settings))
        under_way = deque([reading.start(first, hands)])
        for batch in todo:
            if len(under_way) >= max(2 * hands.slots(), 2):
                yield from reading.finished(under_way.popleft(), hands)
            under_way.append(reading.start(batch, hands))
        while under_way:
            yield from reading.finished(under_way.popleft(), hands)


@contextmanager
def connected(settings: Settings, executor: Executor | None = None) -> Iterator[Executor]:
    """Connect to the cluster of these settings, if nobody else has, and tell its failures as the cluster's."""
    if executor is not None:
        yield _Telling(executor, settings.imports.cluster)
        return
    with dask_client(settings) as client:
        yield _Telling(_Client(client), settings.imports.cluster)


@contextmanager
def dask_client(settings: Settings) -> Iterator[Any]:
    """Connect to the cluster of these settings by Dask's own client. Raises ClusterError where it does not answer."""
    imports = settings.imports
    try:
        from distributed import Client  # noqa: PLC0415  # only who has a cluster need have it
    except ImportError as error:
        raise extra_missing(error) from error
    client: Any = Client.__new__(Client)
    try:
        client.__init__(imports.cluster, timeout=imports.cluster_wait_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        told = unreachable(imports.cluster, error)
        # Dask would close it when it is collected: in the middle of making another, where it waits for a lock that its
        # own thread holds, for ever.
        try:
            client.close()
        except (OSError, RuntimeError) as another:
            told.add_note(f"Nor could the connection be closed: {another}")
        raise told from error
    with client:
        yield client


def slots_of(settings: Settings) -> int:
    """Ask a home's cluster how many documents it can read at once. Raises ClusterError where it does not answer."""
    with connected(settings) as executor:
        return executor.slots()


def unreachable(address: str, error: Exception) -> ClusterError:
    """Return what to say where a cluster does not answer."""
    return ClusterError(
        f"The cluster at {address} does not answer ({error}).",
        "Start its scheduler, or mend [import] cluster in config.toml; without that setting recordings are read here.",
    )


@dataclass(frozen=True, slots=True)
class _Client:
    """A cluster through Dask's own client."""

    client: Any

    def submit(self, work: Work, /) -> Waiting:
        future: Waiting = self.client.submit(carry_out, work, pure=False)
        return future

    def slots(self) -> int:
        return sum(self.client.nthreads().values())


@dataclass(frozen=True, slots=True)
class _Telling:
    """An executor whose failures are told as the cluster's."""

    executor: Executor
    address: str

    def submit(self, work: Work, /) -> Waiting:
        try:
            return self.executor.submit(work)
        except HamloadError:
            raise
        except Exception as error:
            raise _failed(self.address, error) from error

    def slots(self) -> int:
        try:
            return self.executor.slots()
        except HamloadError:
            raise
        except Exception as error:
            raise _failed(self.address, error) from error


def _failed(address: str, error: Exception) -> ClusterError:
    return ClusterError(
        f"The cluster at {address} failed ({type(error).__name__}: {error}).",
        "See the logs of its scheduler and workers; without [import] cluster recordings are read here.",
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Shared]:
    """Open this home's own folder in shared storage, and leave nothing in it."""
    place = Shared(f"{settings.imports.shared.rstrip('/')}/hamload-{_place(settings.home)}")
    place.write(_OPEN, b"")
    try:
        yield place
    except BaseException:
        # What went wrong first is what there is to tell.
        with suppress(ClusterError):
            place.remove()
        raise
    place.remove()


def _raw_seen(settings: Settings) -> str:
    """Return where the raw documents lie, if every worker sees them there; else ""."""
    outer, raw = Shared(settings.imports.shared), settings.home / "raw"
    is_seen = outer.folder is not None and raw.resolve().is_relative_to(outer.folder.resolve())
    return str(raw) if is_seen else ""


def _place(home: Path) -> str:
    return hashlib.sha256(f"{platform.node()}:{home}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A batch at the cluster. `lost` are the outcomes of documents that are not there to be sent."""

    tasks: Sequence[Task]
    order: Order
    waiting: Waiting | None
    lost: dict[int, Outcome]


class _Reading:
    """The writer's side: sends documents, takes results in."""

    def __init__(self, settings: Settings, place: Shared, raw: str) -> None:
        self._settings, self._place, self._raw = settings, place, raw
        self._taken: list[str] = []

    def start(self, tasks: Sequence[Task], executor: Executor) -> _UnderWay:
        """Put the documents where workers see them, and hand in the batch."""
        lost: dict[int, Outcome] = {}
        sent, full = list(tasks), list[Task]()
        if not self._raw:
            sent = []
            for index, task in enumerate(tasks):
                try:
                    full.append(replace(task, content=task.path.read_bytes()))
                    sent.append(task)
                except OSError:
                    lost[index] = read(task, self._settings.signal, self._settings.model)
        now = self._settings
        # A worker needs no more than this of the settings, and the address of the cluster is not for it.
        imports = now.imports.model_copy(update={"cluster": "", "shared": ""})
        order = Order(self._place.url, self._raw, tuple(sent), imports, now.signal, now.model, versions())
        if full:
            self._place.write(order.documents, bundled(full))
        return _UnderWay(tasks, order, executor.submit(order) if sent else None, lost)

    def finished(self, batch: _UnderWay, executor: Executor) -> Generator[list[Outcome]]:
        """Wait for a batch and return its outcomes; once they are taken in, remove what shared storage holds of it."""
        yield self._outcomes(batch, executor)
        self._place.remove(self._taken)
        self._taken.clear()

    def _outcomes(self, batch: _UnderWay, executor: Executor) -> list[Outcome]:
        found = iter(self._read(batch.order, batch.waiting, executor) if batch.waiting is not None else ())
        return [batch.lost[i] if i in batch.lost else next(found) for i in range(len(batch.tasks))]

    def _read(self, order: Order, waiting: Waiting, executor: Executor) -> list[Outcome]:
        from distributed.scheduler import KilledWorker  # noqa: PLC0415  # as in dask_client

        self._taken += [order.results] if self._raw else [order.results, order.documents]
        try:
            return self._results(order, waiting, executor)
        except KilledWorker as error:
            if len(order.tasks) > 1:
                # One of them may have done it, and the others must not be given up for it.
                return [o for task in order.tasks for o in self._outcomes(self.start([task], executor), executor)]
            refusal = (
                f"Reading this ended {error.allowed_failures + 1} workers of the cluster, one after the other. Export"
                " it again; if it is a real recording, please report it."
            )
            return [given_up(order.tasks[0], refusal)]

    def _results(self, order: Order, waiting: Waiting, executor: Executor) -> list[Outcome]:
        for again in (True, False):
            name = str(waited(waiting, executor, self._settings))
            try:
                return unpacked(self._place.content(name))
            except ValueError as error:
                if not again:
                    raise ClusterError(
                        f"The shared storage {self._place.url} gave results damaged, twice: {error}.",
                        "Mend that storage, or name another in [import] shared.",
                    ) from error
            self._place.remove([name])
            waiting = executor.submit(order)
        raise AssertionError


def waited(waiting: Waiting, executor: Executor, settings: Settings) -> Any:
    """Wait for a worker's result as long as there is any worker, and a while for one to come."""
    from distributed.scheduler import KilledWorker  # noqa: PLC0415  # as in dask_client

    seen = time.monotonic()
    limit = settings.imports.cluster_wait_s
    while True:
        began = time.monotonic()
        try:
            return waiting.result(timeout=_LOOK_S)
        except TimeoutError as error:
            if time.monotonic() - began < _LOOK_S / 2:
                # Not the wait has ended, but the work.
                raise _failed(settings.imports.cluster, error) from error
            if executor.slots():
                seen = time.monotonic()
            elif time.monotonic() - seen > limit:
                raise ClusterError(
                    f"The cluster at {settings.imports.cluster} has had no worker for {limit:g} seconds.",
                    "Start workers and run the same again; without [import] cluster recordings are read here.",
                ) from None
        except (HamloadError, KilledWorker):
            raise
        except Exception as error:
            raise _failed(settings.imports.cluster, error) from error
