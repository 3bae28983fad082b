"""The referee of every FIT file: the official SDK, at its strictest."""

from collections.abc import Callable
from typing import Any

import pytest
from garmin_fit_sdk import Decoder, Stream

type Messages = dict[str, list[dict[str, Any]]]


def _official(octets: bytes) -> Messages:
    assert Decoder(Stream.from_byte_array(bytearray(octets))).check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(bytearray(octets))).read()
    assert errors == []
    return {str(name): rows for name, rows in messages.items() if isinstance(rows, list)}


@pytest.fixture(scope="session")
def official() -> Callable[[bytes], Messages]:
    """Read a FIT file with the official SDK, or fail: both checksums, no error anywhere."""
    return _official
