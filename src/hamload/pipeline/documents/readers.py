"""Worker processes that read documents. One that crashes, hangs or swells on a document costs that document alone."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures import TimeoutError as LateError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from hamload.errors import HamloadError
from hamload.pipeline.documents.reading import given_up, read

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from pebble import ProcessFuture

    from hamload.parameters import LoadModel, Signal
    from hamload.pipeline.documents.reading import Outcome, Task
    from hamload.settings import ImportSettings, Settings

_MB = 1_000_000
#: How often all readers may be lost together before it is told.
_POOLS = 5
_STDERR = 2
#: So many batches of documents that while one is written, workers have others to read.
_UNDER_WAY = 5
_LOOK_S = 1.0
#: A cluster's worker hands in documents from several threads.
_starting = threading.Lock()


class Readers:
    """Where documents are handed in to be read, and what came of them is waited for.

    The workers outlive it: whatever this process reads next finds them warm. Coefficients go with each document.
    """

    def __init__(self, settings: ImportSettings, signal: Signal, model: LoadModel) -> None:
        self._settings, self._signal, self._model = settings, signal, model

    def submit(self, task: Task) -> Callable[[], Outcome]:
        """Hand in a document. What comes back waits for its outcome, which is never an exception."""
        future = self._scheduled(task)

        def outcome() -> Outcome:
            try:
                try:
                    return self._awaited(future, task)
                except ProcessExpired:
                    # It may have been somebody else's doing: a machine short of memory kills the largest process.
                    return self._awaited(self._scheduled(task), task)
            except ProcessExpired as error:
                return given_up(
                    task,
                    f"Reading this ended the process that read it, twice (exit code {error.exitcode}). Export it"
                    " again; if it is a real recording, please report it.",
                )
            except LateError:
                return given_up(
                    task,
                    f"Reading this took more than {self._settings.max_seconds:g} seconds and was given up. If it is a"
                    " real recording, raise [import] max_seconds in config.toml.",
                )

        return outcome

    def _awaited(self, future: Handed[Outcome], task: Task) -> Outcome:
        """Wait for a document. The end of an idle reader breaks its whole pool, and is no document's doing."""
        for _ in range(_POOLS):
            try:
                return future.result()
            except BrokenProcessPool:
                future = self._scheduled(task)
        raise HamloadError(
            f"The processes that read recordings were ended from outside, {_POOLS} times.",
            "Is the machine short of memory? Lower [import] workers in config.toml, and run the same again.",
        )

    def _scheduled(self, task: Task) -> Handed[Outcome]:
        return scheduled(partial(read, task, self._signal, self._model), self._settings)


@dataclass(frozen=True, slots=True)
class Handed[T]:
    """Something that was handed to this machine's workers."""

    future: ProcessFuture[T]
    pool: ProcessPool

    def result(self) -> T:
        """Wait for what came of it.

        Raises
        ------
        ProcessExpired, TimeoutError
            Where its worker ended, or took longer than it may.
        BrokenProcessPool
            Where all workers were lost: what still waits for one then is never told.

        """
        while True:
            try:
                return self.future.result(timeout=_LOOK_S)
            except LateError:
                if self.future.done():
                    return self.future.result()
                if not self.pool.active:
                    raise BrokenProcessPool("The workers were lost.") from None


def scheduled[T](work: Callable[[], T], settings: ImportSettings) -> Handed[T]:
    """Hand in something small: a worker that ends before it has taken all of megabytes leaves the pool waiting."""
    workers = settings.workers or os.process_cpu_count() or 1
    with _starting:
        pool = _pool(workers, settings.max_memory_mb)
        if not pool.active:
            _pool.cache_clear()
            pool = _pool(workers, settings.max_memory_mb)
    return Handed(pool.schedule(work, timeout=settings.max_seconds), pool)


def read_here(batches: Iterable[Sequence[Task]], settings: Settings) -> Generator[list[Outcome]]:
    """Read batches of documents by this machine's own workers, and return their outcomes in the same order."""
    readers = Readers(settings.imports, settings.signal, settings.model)
    yield from in_order(batches, readers.submit, _UNDER_WAY)


def in_order[T, R](
    batches: Iterable[Sequence[T]], submit: Callable[[T], Callable[[], R]], most: int
) -> Generator[list[R]]:
    """Hand in batches, no more than `most` at once, and return what came of each in the same order."""
    under_way: deque[list[Callable[[], R]]] = deque()
    for batch in batches:
        under_way.append([submit(one) for one in batch])
        if len(under_way) >= most:
            yield [done() for done in under_way.popleft()]
    while under_way:
        yield [done() for done in under_way.popleft()]


@cache
def _pool(workers: int, memory_mb: int) -> ProcessPool:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([read.__module__])
    _start_apart()
    pool = ProcessPool(workers, context=context, initializer=_bound, initargs=(os.getpid(), memory_mb))
    atexit.register(_end, pool)
    return pool


def _start_apart() -> None:
    """Start what forks the workers so that neither Ctrl-C nor the terminal reaches one.

    Ctrl-C is for this process, which ends them. What they print as they are ended, and what a reader's native code
    prints of a document that it gives up, is for nobody: of each document comes an outcome, in words.
    """
    if threading.current_thread() is not threading.main_thread() or sys.stderr is None:
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    try:
        forkserver.ensure_running()
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
        signal.signal(signal.SIGINT, before)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _bound(parent: int, memory_mb: int) -> None:
    """Bind a new worker: how much memory it may take, and whose death it must not outlive."""
    if sys.platform == "linux":
        # Elsewhere the system does not hold a process to this.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * _MB, memory_mb * _MB))
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    # A killed parent closes no queue: its workers would wait for documents for ever.
    while True:
        try:
            os.kill(parent, 0)
        except OSError:
            os._exit(1)
        time.sleep(1)
