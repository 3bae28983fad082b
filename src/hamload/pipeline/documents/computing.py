"""Computations on packed arrays, by this machine's workers or a cluster's: what they need goes out as files.

Never through a worker's pipe, which holds less than a season's seconds: a worker that ended in the middle of them would
leave the others waiting. A computation is something of ours that takes a moment; where its worker does not finish it,
it is done in this process.
"""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import TimeoutError as LateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pebble import ProcessExpired

from hamload.pipeline.documents.cluster import check_open, check_versions, connected, opened, versions, waited
from hamload.pipeline.documents.readers import in_order, scheduled
from hamload.pipeline.documents.shared import Shared
from hamload.redaction import install

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

    from hamload.settings import Settings

_FOLDER = "computing"
#: So many batches that while one is waited for and another taken in, there is a third to work at.
_UNDER_WAY = 3


def compute[T](
    batches: Iterable[Sequence[bytes]], function: Callable[[bytes], T], settings: Settings
) -> Generator[list[T]]:
    """Let workers apply a function to batches of contents, and return what came of each in the same order.

    Parameters
    ----------
    batches
        What the function is given, in files of some megabytes at most.
    function
        One that every worker finds under its name, with small arguments bound to it.
    settings
        Those of the home: the cluster's workers where it names one, else this machine's.

    Raises
    ------
    ClusterError
        Where the cluster or its storage fails.

    """
    return (_there if settings.imports.cluster else _here)(batches, function, settings)


def clear(settings: Settings) -> None:
    """Remove what a run that was killed has left in the home. Hold `exclusive`."""
    shutil.rmtree(settings.home / _FOLDER, ignore_errors=True)


def _here[T](
    batches: Iterable[Sequence[bytes]], function: Callable[[bytes], T], settings: Settings
) -> Generator[list[T]]:
    clear(settings)
    folder = settings.home / _FOLDER
    folder.mkdir()
    numbers = count()

    def submit(content: bytes) -> Callable[[], T]:
        path = folder / str(next(numbers))
        try:
            path.write_bytes(content)
        except OSError:
            # A full disk is told by whatever has to be kept on it.
            return partial(function, content)
        handed = scheduled(partial(_of_file, function, path), settings.imports)

        def done() -> T:
            try:
                return handed.result()
            except (ProcessExpired, BrokenProcessPool, LateError, MemoryError):
                return function(content)
            finally:
                path.unlink(missing_ok=True)

        return done

    try:
        yield from in_order(batches, submit, _UNDER_WAY)
    finally:
        clear(settings)


def _of_file[T](function: Callable[[bytes], T], path: Path) -> T:
    return function(path.read_bytes())


@dataclass(frozen=True, slots=True)
class Computation:
    """A computation for a worker of a cluster: what to apply to which file of the home's place in shared storage."""

    place: str
    name: str
    function: Callable[[bytes], Any]
    versions: tuple[tuple[str, str], ...]

    def carry_out(self) -> Any:
        """Do it, on the worker.

        Raises
        ------
        ClusterError
            Where this worker cannot compute as the writer would, or does not see the shared storage.

        """
        install()
        check_versions(self.versions)
        place = Shared(self.place)
        check_open(place)
        return self.function(place.content(self.name))


def _there[T](
    batches: Iterable[Sequence[bytes]], function: Callable[[bytes], T], settings: Settings
) -> Generator[list[T]]:
    with ExitStack() as stack:
        under_way: deque[list[Callable[[], T]]] = deque()
        cluster: _Cluster | None = None
        for batch in batches:
            if batch and cluster is None:
                # Nothing is asked of the cluster before there is something to compute.
                cluster = _Cluster(stack, settings)
            most = cluster.room() if cluster is not None else 1
            while len(under_way) > 1 and sum(map(len, under_way)) >= most:
                yield [done() for done in under_way.popleft()]
            under_way.append([cluster.submit(content, function) for content in batch] if cluster is not None else [])
        while under_way:
            yield [done() for done in under_way.popleft()]


class _Cluster:
    """The writer's side: puts contents where workers see them, hands in computations, and waits for their results."""

    def __init__(self, stack: ExitStack, settings: Settings) -> None:
        self._settings, self._numbers = settings, count()
        self._hands = stack.enter_context(connected(settings))
        self._place = stack.enter_context(opened(settings))

    def room(self) -> int:
        """Return how many computations are enough to be under way, if they are of more than one batch."""
        return max(2 * self._hands.slots(), 2)

    def submit[T](self, content: bytes, function: Callable[[bytes], T]) -> Callable[[], T]:
        from distributed.scheduler import KilledWorker  # noqa: PLC0415  # only who has a cluster need have it

        name = f"computations/{next(self._numbers)}"
        self._place.write(name, content)
        waiting = self._hands.submit(Computation(self._place.url, name, function, versions()))

        def done() -> T:
            try:
                found: T = waited(waiting, self._hands, self._settings)
            except KilledWorker:
                return function(content)
            finally:
                self._place.remove([name])
            return found

        return done
