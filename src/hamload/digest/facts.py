"""What a digest shows, as types. Everything comes in finished: the digest formats these facts and computes none.

None means unknown or withheld, never zero. Units are in the names, as everywhere (`_m`, `_s`, `_efm`, `_mps`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hamload.language import ENGLISH, plural

if TYPE_CHECKING:
    import datetime as dt

    from hamload.language import Language
    from hamload.records import Alert, Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How much was run, and what it asked of the hamstrings. The four parts sum to `load_efm`.

    `runs` is whole in a sum and may be broken in a weekly mean.
    """

    load_efm: float | None
    load_hill_efm: float | None
    load_speed_efm: float | None
    load_long_efm: float | None
    load_base_efm: float | None
    distance_m: float | None
    moving_time_s: float | None
    runs: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Week(Amounts):
    """The sums over the known days from `first_date` to `last_date`, both included.

    Where `known_days` is less than `days`, the digest says that the true sums may be higher and compares them with
    nothing. With no known day at all, every amount is None, and so is a part that is not known of every run.
    """

    first_date: dt.date
    last_date: dt.date
    days: int
    known_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FourWeeks(Week):
    """The 28 days before a week: their sums, and the mean week; None throughout where a day of them is unknown.

    Known days are often those with a run: a mean over them alone would make six runs in four weeks a run a day.
    """

    per_week: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """Where one daily series stands today.

    Attributes
    ----------
    series
        A name of `hamload.records.SERIES`.
    acute_efm, chronic_efm
        Mean load per day over the last 7 and over the last 28 days, EFM.
    uncoupled, ewma
        The two acute-to-chronic ratios.
    own_percentile
        On how many of the athlete's own days the uncoupled ratio was lower, 0-100.
    why_withheld
        A sentence, wherever one of the numbers is None.

    """

    series: str
    acute_efm: float | None
    chronic_efm: float | None
    uncoupled: float | None
    ewma: float | None
    own_percentile: float | None
    why_withheld: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the last 7 days. A spike is this run over the largest in the days before it (1.34: 34 % beyond)."""

    date: dt.date
    title: str
    distance_m: float | None
    moving_time_s: float | None
    load_efm: float | None
    load_hill_efm: float | None
    load_speed_efm: float | None
    load_long_efm: float | None
    load_base_efm: float | None
    is_hill: bool | None
    is_speed: bool | None
    is_long: bool | None
    is_heavy: bool | None
    spike_distance: float | None
    spike_load: float | None
    confidence: Confidence
    confidence_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDay:
    """One of the coming days: what to run, at most how much of it, and which curls.

    `limit_efm` is whole, 0 for rest and None where no number can be given; `limit_m` how far that is in easy flat
    running, None where it is not known or running need not be easy.
    """

    date: dt.date
    what: str
    limit_efm: int | None
    limit_m: float | None
    curls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """How one source is. `wrong` is empty where nothing is; `remedy` is the command or sentence that mends it.

    `note` is what the runner should know of a source that did not fail: a limit that ended the night, a key that ends.

    `last_success_at` carries its time zone; the digest shows it on the athlete's clock.
    """

    source: str
    last_success_at: dt.datetime | None
    newest_activity_date: dt.date | None
    wrong: str = ""
    remedy: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ModelNote:
    """What a threshold rests on: kind "E" is published evidence, "A" our assumption (as in `config/`)."""

    kind: Literal["E", "A"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Which model made the numbers. `spike_days` is how far back a run is compared with the largest one."""

    version: str
    easy_speed_mps: float | None
    spike_days: int
    notes: tuple[ModelNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """Everything that one athlete's digest of one day shows.

    Attributes
    ----------
    athlete_name
        As the runner is called, may be empty. The runner's id is the alert's.
    as_of
        The athlete's local day on which the digest speaks.
    time_zone
        IANA name of the athlete's zone.
    is_simulated
        Whether any of the numbers was made up by the simulator: said wherever numbers show.
    alert
        The athlete's state. The digest says so where it is of another day than `as_of`.
    headline, disclaimer
        The state in a sentence, and that this is general information and no medical advice.
    last_7, before_28
        The last seven days up to `as_of`, and the 28 days before those.
    series
        One row for each of `hamload.records.SERIES`.
    sessions
        The runs of the last 7 days, oldest first.
    unknowns
        Sentences about what is not known: unknown days, unreadable files, doubtful loads.
    sources, model
        How the sources are, and which model made the numbers.
    next_7
        Advice for the next seven days, curls included. In the state *stop* it is withheld and only the alert's own
        advice is shown.
    plan
        The coming days one by one; empty where no number can be given and no curls are due.
    remarks
        Sentences of what is known and worth saying, copies of one run left out for instance.
    language
        How its reader reads.
    written_on
        The reader's day on which it is written: "yesterday" counts from there. None where that is `as_of`.
    outdated
        That hamload has not looked for days; empty where it has.

    """

    athlete_name: str
    as_of: dt.date
    time_zone: str
    is_simulated: bool
    alert: Alert
    headline: str
    disclaimer: str
    last_7: Week
    before_28: FourWeeks
    series: tuple[SeriesRow, ...]
    sessions: tuple[Session, ...]
    unknowns: tuple[str, ...]
    sources: tuple[SourceRow, ...]
    model: ModelFacts
    next_7: tuple[str, ...]
    plan: tuple[PlanDay, ...] = ()
    remarks: tuple[str, ...] = ()
    language: Language = ENGLISH
    written_on: dt.date | None = None
    outdated: str = ""

    @property
    def today(self) -> dt.date:
        """The day from which it speaks."""
        return self.written_on or self.as_of


def written_on(facts: DigestFacts, today: dt.date, *, is_newest: bool) -> DigestFacts:
    """Return the facts as they are told on a day: with its year in mind, and saying so where they have grown old.

    `is_newest` where nothing newer is known, rather than an earlier day asked for. What is simulated never grows old.
    """
    if facts.is_simulated:
        return facts
    days = (today - facts.as_of).days
    outdated = plural(
        "hamload last looked {n} day ago. What follows is of {date:date}; the days since are unknown. Run: hamload"
        " sync, or hamload import PATH.",
        "hamload last looked {n} days ago. What follows is of {date:date}; the days since are unknown. Run: hamload"
        " sync, or hamload import PATH.",
        days - 1,
        date=facts.as_of,
    )
    return replace(
        facts,
        written_on=today,
        language=facts.language.on(today),
        outdated=outdated if is_newest and days > 1 else "",
    )
