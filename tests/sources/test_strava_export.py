import csv
import io

import pytest

from hamload.sources import strava_export

HEADER = [
    "Activity ID", "Activity Date", "Activity Name", "Activity Type", "Activity Description", "Elapsed Time",
    "Distance", "Max Heart Rate", "Relative Effort", "Commute", "Activity Private Note", "Activity Gear", "Filename",
    "Athlete Weight", "Bike Weight", "Elapsed Time", "Moving Time", "Distance", "Perceived Exertion",
]  # fmt: skip
ROW = [
    "101", "16 Apr 2014, 17:34:54", "Hills, then home", "Run", "", "3600", "10.00", "", "", "false", "", "",
    "activities/99.fit.gz", "70", "", "3600.0", "3300.0", "10012.5", "7",
]  # fmt: skip


def _table(*rows: list[str], header: list[str] = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def _with(**changes: str) -> list[str]:
    row = ROW.copy()
    for name, value in changes.items():
        row[HEADER.index(name.replace("_", " "))] = value
    return row


def test_the_second_distance_is_in_metres_and_wins_over_the_first_in_kilometres() -> None:
    facts = strava_export.read(_table(ROW)).of_file["activities/99.fit.gz"]
    assert (facts["distance_m"], facts["moving_time_s"], facts["rpe"]) == (10012.5, 3300, 7)
    assert (facts["external_id"], facts["title"], facts["sport"]) == ("101", "Hills, then home", "run")


def test_a_manual_activity_has_no_file_and_keeps_its_utc_start() -> None:
    export = strava_export.read(_table(_with(Filename="")))
    assert export.of_file == {}
    assert export.without_file[0]["start_at"] == "2014-04-16T17:34:54+00:00"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("16 Apr 2014, 17:34:54", "2014-04-16T17:34:54+00:00"),
        ("Apr 16, 2014, 5:34:54 PM", "2014-04-16T17:34:54+00:00"),
        ("Apr 6, 2014, 12:04:54 AM", "2014-04-06T00:04:54+00:00"),
        ("16.04.2014, 17:34:54", "2014-04-16T17:34:54+00:00"),
        ("16 avr. 2014, 17:34:54", "2014-04-16T17:34:54+00:00"),
        ("16 de abr. de 2014 17:34:54", "2014-04-16T17:34:54+00:00"),
        ("5. März 2021, 06:01:02", "2021-03-05T06:01:02+00:00"),
        ("2014-04-16 17:34:54", "2014-04-16T17:34:54+00:00"),
        ("31 дек. 2020 г., 23:59:59", "2020-12-31T23:59:59+00:00"),
    ],
)
def test_dates_are_read_in_many_languages(written: str, meant: str) -> None:
    export = strava_export.read(_table(_with(Filename="", Activity_Date=written)))
    assert export.without_file[0]["start_at"] == meant


def test_a_german_table_is_read_by_the_place_of_its_columns() -> None:
    header = [f"Spalte {i}" for i in range(len(HEADER))]
    header[5] = header[15] = "translation missing: de.elapsed_time"
    row = _with(Activity_Type="Lauf", Activity_Date="16.04.2014, 17:34:54", Distance="10,00")
    facts = strava_export.read(_table(row, header=header)).of_file["activities/99.fit.gz"]
    assert (facts["sport"], facts["distance_m"], facts["elapsed_time_s"]) == ("run", 10012.5, 3600)


def test_a_manual_row_whose_date_cannot_be_read_is_refused_with_its_line() -> None:
    export = strava_export.read(_table(ROW, _with(Filename="", Activity_Date="gestern")))
    assert export.refused == ((3, "An activity without a recording, and its date 'gestern' cannot be read."),)


def test_a_manual_row_without_a_duration_is_a_run_of_its_day_all_the_same() -> None:
    row = _with(Filename="", Elapsed_Time="")
    row[15] = row[16] = ""
    export = strava_export.read(_table(row))
    assert export.refused == ()
    (facts,) = export.without_file
    assert facts["start_at"]
    assert (facts["elapsed_time_s"], facts["moving_time_s"]) == (None, None)
    assert strava_export.summary(facts) is not None


def test_an_unknown_name_of_a_sport_stays_unknown() -> None:
    assert strava_export.sport_of("Unterwasserrugby") == "unknown"
    assert strava_export.sport_of(" Course à pied ") == "run"


def test_an_empty_table_offers_nothing() -> None:
    assert strava_export.read(b"") == strava_export.NONE


@pytest.mark.parametrize(
    "written", ["9" * 5000 + " Apr 2014, 17:34:54", "9" * 20 + " Apr 2014, 17:34:54", "40.13.2014, 17:34"]
)
def test_a_day_longer_than_any_number_is_a_date_that_cannot_be_read_and_stops_no_import(written: str) -> None:
    export = strava_export.read(
        _table(_with(Activity_Date=written), _with(Activity_ID="102", Activity_Date=written, Filename=""))
    )
    assert export.of_file["activities/99.fit.gz"]["start_at"] is None
    assert "cannot be read" in export.refused[0][1]
