from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hamload.digest.outbox import write
from hamload.digest.render import render_html, render_text
from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_digest_lies_in_the_outbox_under_its_day_and_athlete(tmp_path: Path, make: Callable[..., Any]) -> None:
    facts = make("deload")
    entry = write(tmp_path / "home" / "outbox", facts)
    assert entry.text_path.name == "2025-11-24-me-digest.txt"
    assert entry.html_path.name == "2025-11-24-me-digest.html"
    assert entry.text_path.read_bytes().decode() == render_text(facts)
    assert entry.html_path.read_bytes().decode() == render_html(facts)


def test_the_same_digest_again_replaces_itself_with_the_same_bytes(tmp_path: Path, make: Callable[..., Any]) -> None:
    first = {path.name: path.read_bytes() for path in _files(tmp_path, make("deload"))}
    again = {path.name: path.read_bytes() for path in _files(tmp_path, make("deload"))}
    assert again == first
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(first)


def test_a_corrected_digest_takes_the_place_of_the_old_one(tmp_path: Path, make: Callable[..., Any]) -> None:
    write(tmp_path, make("deload"))
    entry = write(tmp_path, make("steady"))
    assert "Steady: nothing is out of the ordinary" in entry.text_path.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 2


def test_only_the_owner_may_read_a_digest(tmp_path: Path, make: Callable[..., Any]) -> None:
    entry = write(tmp_path / "outbox", make("steady"))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (entry.text_path, entry.html_path, tmp_path / "outbox")]
    assert modes == [0o600, 0o600, 0o700]


def test_a_failed_write_keeps_the_old_digest_and_leaves_nothing_behind(
    tmp_path: Path, make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = write(tmp_path, make("deload"))
    before = entry.text_path.read_bytes()

    def full_disk(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full_disk)
        with pytest.raises(HamloadError, match=r"No space left on device.*Free some space"):
            write(tmp_path, make("steady"))
    assert entry.text_path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_an_outbox_that_is_a_file_is_told_with_its_remedy(tmp_path: Path, make: Callable[..., Any]) -> None:
    (tmp_path / "outbox").write_text("")
    with pytest.raises(HamloadError, match="cannot be written"):
        write(tmp_path / "outbox", make("steady"))


@pytest.mark.parametrize("athlete_id", ["../../etc/cron.d/x", "", "a/b", "me\n", "x" * 65])
def test_an_id_that_is_no_file_name_writes_nothing(tmp_path: Path, make: Callable[..., Any], athlete_id: str) -> None:
    with pytest.raises(HamloadError, match="cannot be part of a file name"):
        write(tmp_path, make("deload", alert=make("alert", athlete_id=athlete_id)))
    assert list(tmp_path.iterdir()) == []


def _files(outbox: Path, facts: Any) -> tuple[Path, Path]:
    entry = write(outbox, facts)
    return entry.text_path, entry.html_path
