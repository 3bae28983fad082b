"""What a file of a watched folder held before it was cropped, re-typed or its clock set right counts no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload import warehouse
from hamload.pipeline.documents.landing import forget

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import duckdb

    from hamload.pipeline.documents.known import Key
    from hamload.settings import Settings


def superseded(con: duckdb.DuckDBPyConnection) -> dict[Key, Key]:
    """Return by what each document that counts no longer was superseded."""
    rows = con.execute("select athlete_id, document_id, by_document_id from landing.superseded").fetchall()
    return {(athlete_id, document): (athlete_id, by) for athlete_id, document, by in rows}


#: Whether each run of one document shares most of the shorter one's time with one of another, or is the very same
#: movement whole quarters of an hour apart: a clock set right. Alike is not enough: who runs the same way to work and
#: back runs alike twice a day.
_IS_SAME_RUN = """
with ours as (
    select
        activity_id, document_id, epoch(start_at) as first_s, epoch(end_at) as last_s,
        cast(profile as varchar) as profile
    from landing.activities
    where athlete_id = $1
),

matched as (
    select
        bool_or(
            (
                former.first_s < now.last_s and now.first_s < former.last_s
                and least(former.last_s, now.last_s) - greatest(former.first_s, now.first_s)
                    >= $4 * least(former.last_s - former.first_s, now.last_s - now.first_s)
            )
            or (
                abs(former.first_s - now.first_s) <= 3600 * $5
                and cast(round(former.first_s - now.first_s) as bigint) % cast(60 * $6 as bigint) = 0
                and former.profile = now.profile
            )
        ) as is_matched
    from ours as former
    join ours as now on now.document_id = $3
    where former.document_id = $2
    group by former.activity_id
)
select 1 from matched having count(*) > 0 and bool_and(is_matched)
"""


def supersede(
    con: duckdb.DuckDBPyConnection, later: Mapping[Key, Sequence[Key]], latest: Collection[Key], settings: Settings
) -> None:
    """Drop what a watched file held before it was cropped, re-typed or its clock set right; a new run replaces none.

    A program that writes each run into the same file keeps all of them; where nobody can be sure, both stay.
    """
    for key, by in superseded(con).items():
        if by not in later.get(key, ()):
            con.execute("delete from landing.superseded where athlete_id = ? and document_id = ?", list(key))
    rules = settings.merging
    values = [rules.copies.min_shared, rules.clocks.max_hours, rules.clocks.step_minutes]
    found = {
        key: by
        for key in sorted(later.keys() & set(latest))
        for by in later[key]
        if con.execute(_IS_SAME_RUN, [*key, by[1], *values]).fetchall()
    }
    for key, by in found.items():
        with warehouse.transaction(con):
            forget(con, [key])
            row = {"athlete_id": key[0], "document_id": key[1], "by_document_id": by[1]}
            warehouse.append_rows(con, "landing.superseded", [row])
