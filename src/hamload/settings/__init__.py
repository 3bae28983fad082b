"""The only reader of the environment and of `config/`: finds the home, merges defaults with the runner's own values.

Defaults ship in `config/*.toml`; `config.toml` in the home overrides single values; `HAMLOAD_*` variables both.
Every coefficient keeps its provenance (`Provenance`), so that whoever shows a number can say what it rests on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from hamload.errors import ConfigurationError
from hamload.language import Language
from hamload.settings.coefficients import (
    FILES,
    FORMULAS,
    Provenance,
    defaults,
    merging_defaults,
    overlaid_defaults,
    shipped_provenance,
    with_own,
    with_single,
)
from hamload.settings.environment import child_environment, notebook_environment, prefect_environment, secret
from hamload.settings.places import cache_folder, home_folder, shipped
from hamload.settings.tables import (
    AccountSettings,
    AthleteSettings,
    DoctorSettings,
    FetchSettings,
    File,
    FolderSettings,
    HeartbeatSettings,
    ImportSettings,
    LogSettings,
    MailSettings,
    PushSettings,
    ScheduleSettings,
    ServiceSettings,
    ShowSettings,
    private_url,
    scheduled,
)
from hamload.settings.toml import invalid, laid_over, read
from hamload.settings.zones import check_zone, machine_time_zone, time_zone_source, zone_named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hamload.parameters import AlertRules, LoadModel, MergingRules, Signal

__all__ = [
    "FORMULAS",
    "AccountSettings",
    "AthleteSettings",
    "DoctorSettings",
    "FetchSettings",
    "FolderSettings",
    "HeartbeatSettings",
    "ImportSettings",
    "LogSettings",
    "MailSettings",
    "Provenance",
    "PushSettings",
    "ScheduleSettings",
    "ServiceSettings",
    "Settings",
    "ShowSettings",
    "cache_folder",
    "child_environment",
    "defaults",
    "home_folder",
    "load",
    "machine_time_zone",
    "merging_defaults",
    "notebook_environment",
    "overlaid",
    "overlaid_defaults",
    "prefect_environment",
    "private_url",
    "secret",
    "shipped",
    "shipped_provenance",
    "time_zone_source",
    "zone_named",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that steers one run of hamload."""

    home: Path
    time_zone: str
    athletes: tuple[AthleteSettings, ...]
    folders: tuple[FolderSettings, ...]
    accounts: tuple[AccountSettings, ...]
    fetch: FetchSettings
    schedule: ScheduleSettings
    services: ServiceSettings
    imports: ImportSettings
    model: LoadModel
    signal: Signal
    alerts: AlertRules
    merging: MergingRules
    provenance: dict[str, Provenance]
    mail: MailSettings
    push: PushSettings
    show: ShowSettings
    doctor: DoctorSettings
    heartbeat: HeartbeatSettings
    log: LogSettings
    #: A runner's day where it is not the calendar's: tables of another day are computed anew.
    days: Mapping[str, dt.date] = field(default_factory=dict)

    def athlete(self, athlete_id: str = "") -> AthleteSettings:
        """Return the named runner, or the only one. Raises ConfigurationError where that is not one runner."""
        if not athlete_id:
            if len(self.athletes) == 1:
                return self.athletes[0]
            names = ", ".join(a.id for a in self.athletes)
            raise ConfigurationError(f"This home has several runners: {names}.", "Say which one: --athlete NAME.")
        for athlete in self.athletes:
            if athlete.id == athlete_id:
                return athlete
        names = ", ".join(a.id for a in self.athletes)
        raise ConfigurationError(
            f"No runner named {athlete_id!r} in this home (there is: {names}).",
            f"Add [[athletes]] with that id to {self.home / 'config.toml'}.",
        )

    def zone(self, athlete_id: str = "") -> ZoneInfo:
        """Return the home time zone of a runner."""
        return ZoneInfo(self.athlete(athlete_id).time_zone or self.time_zone)

    def of_tables(self) -> str:
        """Return a hash of all that has a say in what the tables hold."""
        told = (self.time_zone, self.athletes, self.folders, self.accounts, self.fetch, self.imports, self.show)
        rules = (self.model, self.signal, self.alerts, self.merging)
        return hashlib.sha256(repr((told, rules)).encode()).hexdigest()

    def language(self, today: dt.date | None = None) -> Language:
        """Return how the runners of this home read; days of another year than today's are told with it."""
        show = self.show
        return Language(
            show.locale, is_miles=show.units == "miles", today=today, catalogues=(self.home / "translations",)
        )

    def today(self, athlete_id: str = "") -> dt.date:
        """Return the runner's calendar day, now."""
        if day := self.days.get(self.athlete(athlete_id).id):
            return day
        return dt.datetime.now(tz=self.zone(athlete_id)).date()


def load(home: Path | None = None) -> Settings:
    """Read the settings of a home. Raises ConfigurationError naming the file, the key and the remedy."""
    folder = home_folder(home)
    own_file = folder / "config.toml"
    # A folder, a pipe or a link to nowhere in its place is not passed over: whoever put it there means something.
    own = read(own_file) if os.path.lexists(own_file) else {}
    for name in FILES:
        if not isinstance(own.get(name, {}), dict):
            raise ConfigurationError(f"{own_file}: {name} = {own[name]!r} is no table.", f"Write [{name}.SECTION].")
    coefficients = {name: own.pop(name, {}) for name in FILES}
    try:
        file = File.model_validate(laid_over(read(shipped("config") / "hamload.toml"), own))
    except ValidationError as error:
        raise invalid(error, str(own_file)) from None
    found = with_own(coefficients, str(own_file))
    time_zone = os.environ.get("HAMLOAD_TIME_ZONE") or file.time_zone or machine_time_zone()
    for name in {time_zone, *(a.time_zone for a in file.athletes if a.time_zone)}:
        check_zone(name, "HAMLOAD_TIME_ZONE" if name == os.environ.get("HAMLOAD_TIME_ZONE") else str(own_file))
    ids = {a.id for a in file.athletes}
    if len(ids) < len(file.athletes):
        raise ConfigurationError(
            f"{own_file}: two [[athletes]] have the same id.", "Give each runner an id of its own."
        )
    asked: tuple[FolderSettings | AccountSettings, ...] = (*file.folders, *file.accounts)
    for watched in asked:
        if watched.athlete not in ids and (watched.athlete or len(ids) > 1):
            name = f"folder {watched.path}" if isinstance(watched, FolderSettings) else f"account {watched.service}"
            raise ConfigurationError(
                f"{own_file}: the {name} belongs to {watched.athlete or 'no runner'!r}, who is not in [[athletes]].",
                f"Give it athlete = one of: {', '.join(sorted(ids))}.",
            )
    accounts = tuple(a.model_copy(update={"athlete": a.athlete or file.athletes[0].id}) for a in file.accounts)
    if len({(a.service, a.athlete) for a in accounts}) < len(accounts):
        raise ConfigurationError(f"{own_file}: the same account stands there twice.", "Remove one of [[accounts]].")
    current = Settings(
        home=folder,
        time_zone=time_zone,
        athletes=file.athletes,
        folders=file.folders,
        accounts=accounts,
        fetch=file.fetch,
        schedule=scheduled(file.schedule, file.show),
        services=file.services,
        imports=file.import_,
        model=found.model,
        signal=found.signal,
        alerts=found.alerts,
        merging=found.merging,
        provenance=found.provenance,
        mail=file.mail,
        push=file.push,
        show=file.show,
        doctor=file.doctor,
        heartbeat=file.heartbeat,
        log=file.log,
    )
    # Now, and not in the middle of a night.
    current.language().check()
    return current


def overlaid(current: Settings, coefficients: Mapping[str, float]) -> Settings:
    """Return the settings with single coefficients replaced, named as they are shown: "alerts.deload.spike".

    Raises ConfigurationError for a name that there is not, and for a value that makes no sense.
    """
    own = {name: row.value for name, row in current.provenance.items() if not row.is_default}
    found = with_single(own | dict(coefficients), current.provenance)
    return replace(
        current,
        model=found.model,
        signal=found.signal,
        alerts=found.alerts,
        merging=found.merging,
        provenance=found.provenance,
    )
