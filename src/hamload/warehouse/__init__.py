"""The warehouse: orders and runs `sql/`, runs its checks, and publishes the copy that readers open.

One writer works in `warehouse.duckdb`; `hamload.duckdb` is a finished copy of it, replaced atomically, so that a
notebook neither blocks the night nor is blocked by it, and never sees half a build.
"""

from hamload.warehouse.building import Failure, build, check
from hamload.warehouse.describing import comments, describe
from hamload.warehouse.files import (
    PUBLISHED,
    compact,
    compact_due,
    forget_derived,
    is_as_published,
    order_compact,
    publication,
    publish,
    quoted,
)
from hamload.warehouse.locking import is_locked, lock
from hamload.warehouse.opening import another, is_current, reader, snapshot, writer
from hamload.warehouse.signing import built_by, is_described, settings_of, sign
from hamload.warehouse.sparing import sparingly
from hamload.warehouse.tables import append_columns, append_rows, rows, transaction

__all__ = [
    "PUBLISHED",
    "Failure",
    "another",
    "append_columns",
    "append_rows",
    "build",
    "built_by",
    "check",
    "comments",
    "compact",
    "compact_due",
    "describe",
    "forget_derived",
    "is_as_published",
    "is_current",
    "is_described",
    "is_locked",
    "lock",
    "order_compact",
    "publication",
    "publish",
    "quoted",
    "reader",
    "rows",
    "settings_of",
    "sign",
    "snapshot",
    "sparingly",
    "transaction",
    "writer",
]
