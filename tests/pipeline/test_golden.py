"""Results unchanged to the last digit: two years' tables, held against what they were when they were written down."""

from collections.abc import Callable

from hamload.settings import Settings

type Golden = Callable[[Settings, str], None]


def test_a_simulated_year_gives_the_tables_that_it_always_gave(simulated_home: Settings, golden: Golden) -> None:
    golden(simulated_home, "simulated_year")
