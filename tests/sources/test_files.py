import gzip
import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hamload.errors import ConfigurationError, HamloadError
from hamload.sources.files import Limits, find

LIMITS = Limits(file_bytes=10_000, archive_bytes=50_000)
GPX = b"<gpx>one</gpx>"


def _zip(path: Path | io.BytesIO, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    _zip(stream, **members)
    return stream.getvalue()


def test_a_folder_is_searched_to_its_depth_in_a_fixed_order_and_hidden_files_are_left(tmp_path: Path) -> None:
    for name in ("b.gpx", "a/c.gpx", ".hidden.gpx", ".git/d.gpx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(GPX)
    found = find([tmp_path], LIMITS)
    assert [Path(o.name).name for o in found.offers] == ["b.gpx", "c.gpx"]
    assert found.is_complete


@pytest.mark.parametrize("special", ["fifo", "/dev/zero"])
def test_what_is_no_regular_file_is_refused_without_a_look_into_it(tmp_path: Path, special: str) -> None:
    path = Path(special) if special.startswith("/") else tmp_path / special
    if not path.exists():
        os.mkfifo(path)
    found = find([path], LIMITS)
    assert (found.offers, found.refused) == ((), ((str(path), "This is not a regular file."),))
    assert not found.is_complete


def test_a_path_that_no_disk_can_have_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="cannot be followed"):
        find([Path("a" * 5000)], LIMITS)


def test_single_files_are_no_whole_history(tmp_path: Path) -> None:
    (tmp_path / "b.gpx").write_bytes(GPX)
    assert not find([tmp_path / "b.gpx"], LIMITS).is_complete


def test_gzipped_recordings_give_their_content_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a.gpx.gz").write_bytes(gzip.compress(GPX))
    (tmp_path / "b.zip").write_bytes(_zipped({"x/a.gpx.gz": gzip.compress(GPX), "y.gpx": GPX}))
    assert [o.read() for o in find([tmp_path], LIMITS).offers] == [GPX] * 3


def test_a_zip_within_a_zip_is_read(tmp_path: Path) -> None:
    (tmp_path / "account.zip").write_bytes(_zipped({"DI_CONNECT/UploadedFiles_0.zip": _zipped({"1.fit": b"fit"})}))
    (offer,) = find([tmp_path / "account.zip"], LIMITS).offers
    assert offer.read() == b"fit"
    assert offer.name.endswith("account.zip/DI_CONNECT/UploadedFiles_0.zip/1.fit")


@pytest.mark.parametrize("name", ["../evil.gpx", "/etc/evil.gpx", "a/../../evil.gpx", "C:\\evil.gpx", "..\\evil.gpx"])
def test_a_member_outside_the_archive_is_refused_and_the_others_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.zip").write_bytes(_zipped({name: GPX, "good.gpx": GPX}))
    found = find([tmp_path / "a.zip"], LIMITS)
    assert [Path(o.name).name for o in found.offers] == ["good.gpx"]
    assert "outside the archive" in found.refused[0][1]


def test_a_file_that_unpacks_to_more_than_it_may_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.gpx.gz").write_bytes(gzip.compress(b"0" * 5_000_000))
    (tmp_path / "bomb.zip").write_bytes(_zipped({"a.gpx": b"0" * 20_000}))
    for offer in find([tmp_path], LIMITS).offers:
        with pytest.raises(HamloadError, match="max_file_mb"):
            offer.read()


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "big.zip").write_bytes(_zipped({f"{i}.gpx": b"0" * 9_000 for i in range(9)}))
    found = find([tmp_path / "big.zip"], LIMITS)
    assert not found.offers
    assert "max_archive_mb" in found.refused[0][1]


def test_a_damaged_archive_is_listed_and_stops_nothing(tmp_path: Path) -> None:
    content = bytearray(_zipped({"a.gpx": bytes(range(256)) * 2, "b.gpx": GPX}))
    content[60:80] = b"\xff" * 20
    (tmp_path / "a.zip").write_bytes(content)
    first, second = find([tmp_path], LIMITS).offers
    with pytest.raises(HamloadError, match="cannot be unpacked"):
        first.read()
    assert second.read() == GPX


_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_CONTENT = GPX * 3 + bytes(range(256))


@given(packing=st.sampled_from(_PACKINGS), place=st.integers(0, 500), spoilt=st.binary(min_size=1, max_size=12))
@example(packing=zipfile.ZIP_LZMA, place=39, spoilt=b"\xff")
def test_whatever_is_spoilt_in_an_archive_its_members_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, packing: int, place: int, spoilt: bytes
) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", packing) as archive:
        archive.writestr("a.gpx", _CONTENT)
    content = bytearray(whole.getvalue())
    start = place % len(content)
    content[start : start + len(spoilt)] = spoilt
    path = tmp_path_factory.mktemp("spoilt") / "a.zip"
    path.write_bytes(content)
    found = find([path], LIMITS)
    assert found.offers or found.refused
    for offer in found.offers:
        with suppress(HamloadError):
            assert len(offer.read()) <= LIMITS.file_bytes


def test_a_cut_off_gzip_is_refused_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.fit.gz").write_bytes(gzip.compress(b"fit" * 100)[:-12])
    (offer,) = find([tmp_path], LIMITS).offers
    with pytest.raises(HamloadError, match="Fetch it again"):
        offer.read()


def test_a_path_that_is_not_there_stops_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing at"):
        find([tmp_path / "nowhere"], LIMITS)


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_bulk_export_names_its_files_and_offers_its_manual_activities(tmp_path: Path, *, is_zip: bool) -> None:
    table = (
        b"Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,Max Heart"
        b" Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename\n"
        b'7,"16 Apr 2014, 17:34:54",Hills,Run,,60,1.0,,,,,,activities/1.gpx\n'
        b'8,"17 Apr 2014, 17:34:54",By hand,Run,,1800,5.0,,,,,,\n'
    )
    if is_zip:
        (tmp_path / "export.zip").write_bytes(_zipped({"activities.csv": table, "activities/1.gpx": GPX}))
        path = tmp_path / "export.zip"
    else:
        path = tmp_path
        (tmp_path / "activities").mkdir()
        (tmp_path / "activities" / "1.gpx").write_bytes(GPX)
        (tmp_path / "activities.csv").write_bytes(table)
    recorded, manual = find([path], LIMITS).offers
    assert (recorded.facts["title"], recorded.external_id, recorded.read()) == ("Hills", "7", GPX)
    assert (manual.facts["title"], manual.facts["distance_m"], manual.name[-2:]) == ("By hand", 5000, "#8")


_TABLE = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,Max Heart"
    " Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename\n"
)


def test_a_row_whose_file_is_missing_is_listed_and_its_summary_stands_in(tmp_path: Path) -> None:
    (tmp_path / "activities.csv").write_text(
        f'{_TABLE}7,"16 Apr 2014, 17:34:54",Hills,Run,,1800,5.0,,,,,,activities/1.fit.gz\n'
    )
    found = find([tmp_path], LIMITS)
    assert "activities/1.fit.gz is missing. The export's own summary stands in" in found.refused[0][1]
    assert [o.facts["title"] for o in found.offers] == ["Hills"]


def test_an_export_one_folder_down_keeps_its_table(tmp_path: Path) -> None:
    inside = tmp_path / "export_123"
    (inside / "activities").mkdir(parents=True)
    (inside / "activities" / "1.gpx").write_bytes(GPX)
    (inside / "activities.csv").write_text(
        f'{_TABLE}7,"16 Apr 2014, 17:34:54",Hills,Run,,60,1.0,,,,,,activities/1.gpx\n'
    )
    (offer,) = find([tmp_path], LIMITS).offers
    assert offer.facts["title"] == "Hills"


def test_a_table_with_an_open_quote_says_from_where_on_it_is_lost(tmp_path: Path) -> None:
    (tmp_path / "activities.csv").write_text(
        f'{_TABLE}7,"16 Apr 2014, 17:34:54",By hand,Run,,1800,5.0,,,,,,\n8,"17 Apr 2014,Open,Run,,1800,5.0,,,,,,\n'
    )
    found = find([tmp_path], LIMITS)
    assert [o.facts["title"] for o in found.offers] == ["By hand"]
    assert "cannot be read" in found.refused[0][1]


def test_an_archive_four_deep_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    content = _zipped({"a.gpx": GPX})
    for depth in range(3):
        content = _zipped({f"{depth}.zip": content})
    (tmp_path / "deep.zip").write_bytes(content)
    found = find([tmp_path / "deep.zip"], LIMITS)
    assert "too deep" in found.refused[0][1]


def test_a_name_in_a_foreign_encoding_can_be_stored(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9.gpx").write_bytes(GPX)
    (offer,) = find([tmp_path], LIMITS).offers
    offer.name.encode("utf-8")
    assert offer.read() == GPX


def test_a_plain_file_beyond_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    (tmp_path / "big.gpx").write_bytes(b"0" * 20_000)
    with pytest.raises(HamloadError, match="max_file_mb"):
        find([tmp_path], LIMITS).offers[0].read()


def test_an_archive_that_is_cut_off_is_offered_as_what_it_claims_to_be_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "year.zip").write_bytes(_zipped({"a.gpx": GPX})[:-20])
    (offer,) = find([tmp_path], LIMITS).offers
    assert offer.is_claimed


def test_an_archive_that_holds_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "year.zip").write_bytes(_zipped({}))
    ((name, reason),) = find([tmp_path], LIMITS).refused
    assert name.endswith("year.zip")
    assert "holds no recording" in reason


def test_a_file_that_has_kept_its_stamp_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hamload.sources.files._TICK_S", 0)
    path = tmp_path / "run.gpx"
    path.write_bytes(GPX)
    (offer,) = find([tmp_path], LIMITS).offers
    status = path.stat()
    _zip(path, **{"other.gpx": GPX})
    # Nobody can give the file its old times back; whoever claims its new stamp shows that it is not looked into.
    now = path.stat()
    stamp = offer.stamp.replace(f"{status.st_size}/", f"{now.st_size}/", 1)
    stamp = stamp.replace(f"/{status.st_mtime_ns}/{status.st_ctime_ns}", f"/{now.st_mtime_ns}/{now.st_ctime_ns}")
    for known, name in (
        ({str(path): stamp}, "run.gpx"),
        ({str(path): f"{stamp}/what a table tells of it"}, "run.gpx"),
        ({str(path): offer.stamp}, "other.gpx"),
        ({str(path): f"{stamp}0"}, "other.gpx"),
        ({}, "other.gpx"),
    ):
        assert [Path(o.name).name for o in find([tmp_path], LIMITS, known=known).offers] == [name]
