"""The FIT writer against the official SDK, which reads what it writes and knows the checksum."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from garmin_fit_sdk import CrcCalculator, Encoder
from hypothesis import given
from hypothesis import strategies as st

from hamload.simulator.fitfile import block, crc16, fit_file, number_of

type Official = Callable[[bytes], dict[str, list[dict[str, Any]]]]

_AT = 1_790_000_000  # some Unix second
_FILE_ID = block("file_id", type="activity", manufacturer="development", product=0, time_created=_AT)


def test_the_checksum_of_nine_digits_is_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(b"") == 0


@given(st.binary(max_size=600))
def test_the_checksum_is_the_sdk_s_on_any_bytes(octets: bytes) -> None:
    assert crc16(octets) == CrcCalculator.calculate_crc(octets, 0, len(octets))


def test_a_file_followed_by_its_own_checksum_has_checksum_nought() -> None:
    assert crc16(fit_file([_FILE_ID])) == 0


def test_every_row_comes_back_with_its_own_values_in_the_profile_s_units(official: Official) -> None:
    records = block(
        "record",
        timestamp=_AT + np.arange(3.0),
        distance=np.array([0.0, 2.81, 5.6]),
        enhanced_altitude=np.array([-12.4, 0.0, 8848.8]),
        position_lat=np.array([-(2**31), 0, 2**31 - 2], dtype=np.float64),
        heart_rate=150,
    )
    read = official(fit_file([_FILE_ID, records]))["record_mesgs"]
    assert [round(r["timestamp"].timestamp()) for r in read] == [_AT, _AT + 1, _AT + 2]
    assert [r["distance"] for r in read] == [0.0, 2.81, 5.6]
    assert [r["enhanced_altitude"] for r in read] == pytest.approx([-12.4, 0.0, 8848.8])
    assert [r["position_lat"] for r in read] == [-(2**31), 0, 2**31 - 2]
    assert [r["heart_rate"] for r in read] == [150, 150, 150]


def test_an_unknown_value_is_absent_for_the_reader_and_never_nought(official: Official) -> None:
    records = block("record", timestamp=_AT + np.arange(2.0), heart_rate=np.array([np.nan, 141.0]))
    first, second = official(fit_file([_FILE_ID, records]))["record_mesgs"]
    assert "heart_rate" not in first
    assert second["heart_rate"] == 141


def test_names_and_texts_are_those_of_the_profile(official: Official) -> None:
    session = block("session", timestamp=_AT, sport="running", sub_sport="trail", sport_profile_name="Löpning")
    (read,) = official(fit_file([_FILE_ID, session]))["session_mesgs"]
    assert (read["sport"], read["sub_sport"], read["sport_profile_name"]) == ("running", "trail", "Löpning")


def test_the_sdk_s_own_encoder_writes_messages_that_read_the_same(official: Official) -> None:
    rows = [
        {"timestamp": _AT + i - 631_065_600, "distance": 2.75 * i, "enhanced_speed": 2.75, "cadence": 84}
        for i in range(20)
    ]
    encoder = Encoder()
    for row in rows:
        encoder.write_mesg({"mesg_num": 20, **row})
    ours = block(
        "record",
        timestamp=_AT + np.arange(20.0),
        distance=2.75 * np.arange(20),
        enhanced_speed=2.75,
        cadence=84,
    )
    assert official(fit_file([ours]))["record_mesgs"] == official(bytes(encoder.close()))["record_mesgs"]


def test_a_part_of_a_block_can_be_read_alone(official: Official) -> None:
    records = block("record", timestamp=_AT + np.arange(9.0), distance=np.arange(9.0))
    read = official(fit_file([_FILE_ID, records.part(3, 6)]))["record_mesgs"]
    assert [r["distance"] for r in read] == [3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [("record", {"heart_rate": 256}), ("record", {"heart_rate": -1}), ("record", {"enhanced_altitude": -501.0})],
)
def test_a_value_that_its_field_cannot_hold_is_refused(kind: str, columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        block(kind, **columns)


def test_names_that_the_profile_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="no field 'pulse'"):
        block("record", pulse=1)
    with pytest.raises(ValueError, match="no message 'jog'"):
        block("jog", timestamp=_AT)
    with pytest.raises(ValueError, match="sport has no 'jogging'"):
        number_of("sport", "jogging")
