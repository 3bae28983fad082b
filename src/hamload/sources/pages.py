"""What a live source gives, page by page: each page's documents and cursor are put together, or not at all.

Types only. Every live source's `fetch` yields pages; the caller commits each one before it asks for the next, so that
a kill loses at most one page, and the cursor never says more than the raw documents hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Document:
    """One raw document, ready for `raw.Batch.put`.

    Attributes
    ----------
    format
        "fit", or the service's own JSON: "strava", "garmin".
    external_id
        The service's number of the activity. One activity of a multisport file shares it with the others.
    facts
        What the service itself says of the activity: `title`, `sport` (a value of `records.Sport`), `rpe`, `start_at`
        (ISO 8601, UTC) and more, as `sources/strava_export.py` gives them. Unknown facts are left out.

    """

    content: bytes
    format: str
    name: str
    external_id: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a fetch.

    Attributes
    ----------
    cursor
        Where to go on from once this page is put. JSON, and whole: it replaces the one before.
    covered_until
        The source vouches for every day up to and including this one: days without an activity were rest.
    gone
        External ids that the service no longer has, though it once gave them.
    resumes_at
        A limit was reached: this is the last page, and nothing may be asked before this moment (UTC).
    note
        What the runner should know of this step, in one sentence; empty where there is nothing to tell.

    """

    documents: tuple[Document, ...]
    cursor: dict[str, Any]
    covered_until: dt.date | None = None
    gone: tuple[str, ...] = ()
    resumes_at: dt.datetime | None = None
    note: str = ""
