"""A source of your own, in one file: the made-up service Sportswatch, which lists activities and gives their files.

Its whole contract with hamload is `fetch(cursor, now)`: yield pages; each page's documents and cursor are put together.
"""

import datetime as dt
import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

from hamload.errors import HamloadError
from hamload.sources.pages import Document, Page

#: Where the service is; a key of yours would come from the environment too, never from this file.
BASE = os.environ.get("SPORTSWATCH_URL", "https://api.sportswatch.example")
PAGE = 20


def fetch(cursor: dict[str, Any], now: dt.datetime) -> Iterator[Page]:
    """Yield what is new since the cursor, oldest first.

    Parameters
    ----------
    cursor
        What the last page of the last night said; {} on the first night.
    now
        The clock, on the runner's own time zone.

    """
    after = cursor.get("after", 0)
    yesterday = now.date() - dt.timedelta(days=1)
    while True:
        listed = json.loads(_get(f"/activities?after={after}&limit={PAGE}"))
        after = max([after, *(entry["number"] for entry in listed)])
        is_last = len(listed) < PAGE
        yield Page(
            documents=tuple(_document(entry) for entry in listed),
            cursor={"after": after},
            # Only once the list has been read to its end does a day without a run mean rest; today is not over.
            covered_until=yesterday if is_last else None,
        )
        if is_last:
            return


def _document(entry: dict[str, Any]) -> Document:
    return Document(
        content=_get(f"/activities/{entry['number']}/original.fit"),
        format="fit",
        name=f"sportswatch/{entry['number']}.fit",
        external_id=str(entry["number"]),
        facts={"title": entry["title"], "sport": {"RUNNING": "run"}.get(entry["kind"], "other")},
    )


def _get(path: str) -> bytes:
    try:
        with urllib.request.urlopen(BASE + path, timeout=30) as answer:  # noqa: S310  # an address of our own
            return bytes(answer.read())
    except OSError as error:
        raise HamloadError(f"Sportswatch cannot be reached: {error}.", "Look again tomorrow.") from None
