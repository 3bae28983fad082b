"""The journal: entries are raw documents, taken back only by another entry."""

import datetime as dt
from pathlib import Path

from hamload import journal
from hamload.raw import Raw

NOW = dt.datetime(2026, 11, 24, 19, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 24)


def _log(raw: Raw, kind: str, content: dict[str, object], now: dt.datetime = NOW) -> str:
    with raw.batch(journal.SOURCE, "me", now) as batch:
        return journal.append(batch, kind, DAY, now, content)


def test_an_entry_comes_back_as_it_was_written_and_once(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        first = _log(raw, "tightness", {"level": 4, "side": "left"})
        again = _log(raw, "tightness", {"level": 4, "side": "left"})
        (entry,) = journal.entries(raw.deliveries())
    assert first == again
    assert entry == journal.Entry(first, "me", "tightness", DAY, NOW, {"level": 4, "side": "left"})


def test_an_entry_taken_back_counts_no_longer_and_its_document_stays(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        _log(raw, "tightness", {"level": 4})
        wrong = _log(raw, "tightness", {"level": 9}, NOW + dt.timedelta(minutes=1))
        entry = next(e for e in journal.entries(raw.deliveries()) if e.entry_id == wrong)
        with raw.batch(journal.SOURCE, "me", NOW + dt.timedelta(minutes=2)) as batch:
            journal.undo(batch, entry, NOW + dt.timedelta(minutes=2))
        (left,) = journal.entries(raw.deliveries())
        kept = [raw.content(d.document_id, d.format) for d in raw.deliveries()]
    assert left.content == {"level": 4}
    assert len(kept) == 3
