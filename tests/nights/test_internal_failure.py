"""A fault of hamload's own at one account is that account's failure, told without what the fault says."""

from typing import Any

import pytest

from hamload.records import Service
from hamload.sources import garmin_listing


def test_a_fault_of_our_own_costs_no_other_account_its_night_and_tells_no_secret(
    live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = live(2)

    def broken(*_: object) -> None:
        raise KeyError("a-secret-of-the-request")

    monkeypatch.setattr(garmin_listing, "_entry", broken)
    night = home.night()
    assert [f.service for f in night.fetched] == [Service.STRAVA]
    assert len(night.failed_sources) == 2
    for problem in night.failed_sources:
        assert "hamload itself failed" in problem
        assert "KeyError in test_internal_failure.py" in problem
        assert "a-secret" not in problem
    assert home.ask("select count(*) from marts.sessions") == [(2,)]
