"""Second step: documents that nobody has decoded yet become activities, samples and features in the warehouse.

Reading runs in worker processes; one document's failure is its own and is listed.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from itertools import batched
from typing import TYPE_CHECKING

from hamload import journal, warehouse
from hamload.errors import ClusterError
from hamload.pipeline.documents import cluster, thawing
from hamload.pipeline.documents.known import as_decided, held_later, holding, latest_of
from hamload.pipeline.documents.landing import forget, is_done, list_refusals, note_decoded, write
from hamload.pipeline.documents.readers import read_here
from hamload.pipeline.documents.reading import Task
from hamload.pipeline.documents.superseding import supersede, superseded
from hamload.pipeline.noting.progress import silent

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence

    import duckdb

    from hamload.pipeline.documents.cluster import Executor
    from hamload.pipeline.documents.known import Key
    from hamload.pipeline.documents.reading import Outcome
    from hamload.pipeline.noting.progress import Progress
    from hamload.raw import Delivery, Raw
    from hamload.settings import Settings

#: How many documents are handed to workers at once, and how many are written at once at most.
_BATCH, _WRITTEN = 32, 576
#: Three row groups of DuckDB's, which compresses whole ones once, as they come. Of two, with what is over, its next
#: checkpoint would make others: it merges four that fit into three.
_WRITTEN_SAMPLES = 3 * 122_880


def decode_new(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    settings: Settings,
    progress: Progress = silent,
    executor: Executor | None = None,
    arriving: Iterable[object] = (),
) -> int:
    """Decode every document that is new, or whose facts or coefficients changed. Returns how many were decoded.

    Parameters
    ----------
    con, raw, settings
        The warehouse, the raw documents and the settings of one home.
    progress
        Is told how many are done.
    executor
        Takes them to the cluster of these settings, where there is one; None connects to it by its address.
    arriving
        Documents that are still being put into `raw`, some at each step. They are decoded meanwhile; what others tell
        of the same ones is looked at after the last.

    """
    early = _decode_arriving(con, raw, settings, progress, executor, arriving)
    given = raw.deliveries()
    held = holding(given, {a.id for a in settings.athletes})
    now = as_decided(latest_of(held), journal.entries(given))
    after = held_later(held, now)
    former = superseded(con)
    now = {key: d for key, d in now.items() if former.get(key) not in after.get(key, ())}
    done = _decoded(con)
    todo = {key: d for key, d in now.items() if not is_done(d, done.get(key), settings)}
    forget(con, done.keys() - now.keys())
    list_refusals(con, raw)
    frozen = [d for d in todo.values() if d.format == thawing.FORMAT]
    for delivery in frozen:
        with warehouse.transaction(con):
            forget(con, done.keys() & {(delivery.athlete_id, delivery.document_id)})
            thawing.thaw(con, delivery, raw.content(delivery.document_id, delivery.format))
            note_decoded(con, [delivery], frozenset(), settings)
    finished = len(early) + len(frozen)
    batches = batched([d for d in todo.values() if d.format != thawing.FORMAT], _BATCH, strict=False)
    for read in _decode(con, raw, batches, done.keys(), settings, executor):
        finished += len(read)
        progress("decoding", finished, len(early) + len(todo))
    supersede(con, after, now, settings)
    return len(early | todo.keys())


def _decode_arriving(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    settings: Settings,
    progress: Progress,
    executor: Executor | None,
    arriving: Iterable[object],
) -> set[Key]:
    """Decode what is new among documents that are being put. Returns what was decoded."""
    athletes = {a.id for a in settings.athletes}
    handed = 0

    def batches() -> Generator[Sequence[Delivery]]:
        nonlocal handed
        before = raw.deliveries(with_withdrawn=True)
        entries = journal.entries(before)
        last = max((d.delivery_id for d in before), default=0)
        known = {(d.athlete_id, d.document_id) for d in before}
        for _ in arriving:
            given = raw.deliveries(after=last)
            last = max((d.delivery_id for d in given), default=last)
            now = as_decided(latest_of(holding(given, athletes)), entries)
            new = [d for key, d in now.items() if key not in known and d.format != thawing.FORMAT]
            known |= now.keys()
            handed += len(new)
            yield from batched(new, _BATCH, strict=False)

    done: set[Key] = set()
    for read in _decode(con, raw, batches(), _decoded(con).keys(), settings, executor):
        done |= {(d.athlete_id, d.document_id) for d in read}
        progress("decoding", len(done), handed)
    return done


def _decoded(con: duckdb.DuckDBPyConnection) -> dict[Key, str]:
    """Return under which facts each document was decoded last."""
    rows = con.execute("select athlete_id, document_id, facts_hash from landing.decoded").fetchall()
    return {(athlete, document): facts for athlete, document, facts in rows}


def _decode(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    batches: Iterable[Sequence[Delivery]],
    done: Collection[Key],
    settings: Settings,
    executor: Executor | None,
) -> Generator[Sequence[Delivery]]:
    """Let workers read batches of documents, and write what they tell, several together. Yields what was read."""
    handed: deque[Sequence[Delivery]] = deque()
    waiting: list[tuple[Delivery, Outcome]] = []

    def tasks() -> Generator[list[Task]]:
        for batch in batches:
            handed.append(batch)
            yield [_task(delivery, raw) for delivery in batch]

    def write_first(count: int) -> None:
        some = waiting[:count]
        with warehouse.transaction(con):
            forget(con, {(d.athlete_id, d.document_id) for d, _ in some} & set(done))
            write(con, some, settings)
        del waiting[:count]

    read = (
        cluster.read_batches(tasks(), settings, executor) if settings.imports.cluster else read_here(tasks(), settings)
    )
    with closing(read):
        try:
            for outcomes in read:
                batch = handed.popleft()
                waiting += zip(batch, outcomes, strict=True)
                while count := enough([outcome for _, outcome in waiting]):
                    write_first(count)
                yield batch
        except ClusterError:
            # What was read until then is kept.
            write_first(len(waiting))
            raise
    if waiting:
        write_first(len(waiting))


def enough(read: Sequence[Outcome]) -> int:
    """Return how many of the first outcomes are to be written together; 0 while they are too few."""
    samples = 0
    for count, outcome in enumerate(read, 1):
        samples += sum(a.samples is not None and len(a.samples) for a in outcome.activities)
        if count >= _WRITTEN or samples >= _WRITTEN_SAMPLES:
            return count
    return 0


def _task(delivery: Delivery, raw: Raw) -> Task:
    named = str(delivery.facts.get("sport_hint") or delivery.facts.get("sport") or "")
    return Task(
        raw.path(delivery.document_id, delivery.format),
        delivery.format,
        delivery.document_id,
        "" if named == "unknown" else named,
        delivery.facts,
        frozenset(delivery.facts.get("as_runs", ())),
    )
