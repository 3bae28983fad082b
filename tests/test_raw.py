import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from hamload.errors import HamloadError
from hamload.raw import Raw, document_id

NOW = dt.datetime(2026, 3, 1, 3, 30, tzinfo=dt.UTC)


def test_a_document_is_named_by_its_content_and_comes_back_byte_for_byte(tmp_path: Path) -> None:
    for format_, content in (("fit", b"\x0e\x10binary"), ("gpx", b"<gpx/>" * 1000)):
        with Raw(tmp_path) as raw:
            with raw.batch("files", "me", NOW) as batch:
                name, is_new = batch.put(content, format_, name="a")
            assert is_new
            assert name == document_id(content)
            assert raw.content(name, format_) == content


def test_the_same_document_again_changes_nothing(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        for _ in range(2):
            with raw.batch("files", "me", NOW) as batch:
                batch.put(b"run", "fit", name="a.fit", facts={"title": "Morning"})
        assert len(raw.deliveries()) == 1


def test_changed_facts_are_a_new_delivery_of_the_same_document(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        for title in ("Morning", "Hills"):
            with raw.batch("files", "me", NOW) as batch:
                batch.put(b"run", "fit", name="a.fit", facts={"title": title})
        assert [d.facts["title"] for d in raw.deliveries()] == ["Morning", "Hills"]
        assert len({d.document_id for d in raw.deliveries()}) == 1


def test_documents_and_cursor_are_committed_together_or_not_at_all(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        with raw.batch("strava", "me", NOW) as batch:
            batch.put(b"one", "fit", name="1")
            batch.cursor({"after": 1})
        with pytest.raises(KeyboardInterrupt), raw.batch("strava", "me", NOW) as batch:  # noqa: PT012
            batch.put(b"two", "fit", name="2")
            batch.cursor({"after": 2})
            raise KeyboardInterrupt
        assert raw.cursor("strava", "me") == {"after": 1}
        assert [d.name for d in raw.deliveries()] == ["1"]
    with Raw(tmp_path) as raw, raw.batch("strava", "me", NOW) as batch:
        assert batch.put(b"two", "fit", name="2")[1], "the file left by the broken batch is adopted, and is new"


def test_a_damaged_document_is_refused_with_its_remedy(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        with raw.batch("files", "me", NOW) as batch:
            name, _ = batch.put(b"run", "fit", name="a.fit")
        raw.path(name, "fit").write_bytes(b"rot")
        with pytest.raises(HamloadError, match=r"no longer matches its name.*import it again"):
            raw.content(name, "fit")


def test_a_truncated_document_is_healed_by_putting_it_again(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        for _ in range(2):
            with raw.batch("files", "me", NOW) as batch:
                name, _ = batch.put(b"a whole run", "fit", name="a.fit")
            whole = raw.content(name, "fit")
            raw.path(name, "fit").write_bytes(b"a who")
        assert whole == b"a whole run"


def test_a_home_that_cannot_be_written_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file where the folder should be")
    with pytest.raises(HamloadError, match="--home"):
        Raw(tmp_path)


def test_a_report_keeps_what_it_covers_and_what_failed(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        with raw.batch("files", "me", NOW) as batch:
            batch.report(is_history=True, documents=["x"], covered_until=dt.date(2026, 2, 28))
        with raw.batch("strava", "me", NOW) as batch:
            batch.report(is_history=False, failure=HamloadError("The login was refused.", "Run: hamload auth strava."))
        covered, failed = sorted(raw.reports(), key=lambda r: r.source)
    assert (covered.documents, covered.covered_until, covered.is_history) == (("x",), dt.date(2026, 2, 28), True)
    assert (failed.is_failure, failed.remedy) == (True, "Run: hamload auth strava.")


def test_the_ledger_is_plain_sqlite_that_any_tool_opens(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw, raw.batch("files", "me", NOW) as batch:
        batch.put(b"run", "fit", name="a.fit")
    db = sqlite3.connect(tmp_path / "raw" / "ledger.db")
    assert db.execute("select format, size from documents").fetchall() == [("fit", 3)]
    db.close()
