"""The only reader of the environment and of `config/`: finds the home, merges defaults with the runner's own values.

Defaults ship in `config/*.toml`; `config.toml` in the home overrides single values; `HAMLOAD_*` variables both.
Every coefficient keeps its provenance (`Provenance`), so that whoever shows a number can say what it rests on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import tomllib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from hamload.errors import ConfigurationError
from hamload.language import PLAIN, Language
from hamload.parameters import AlertRules, LoadModel, MergingRules, Signal, Windows
from hamload.records import OwnService, Service
from hamload.redaction import learn

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Raised with every change of the formulas themselves; coefficients enter the version by their hash.
FORMULAS = "1"
#: A plain mail address, or none: nothing in it can end a header or an SMTP command.
_ADDRESS = r"^([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})?$"

#: Names of sources that are no service.
_TAKEN = frozenset({"files", "journal", "night"})

_CRON = r"^\S+( \S+){4}$"


class AthleteSettings(BaseModel):
    """One runner of this home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    name: str = ""
    time_zone: str = ""
    easy_speed_mps: float | None = Field(default=None, gt=0.5, lt=7)
    mail: str = Field(default="", pattern=_ADDRESS)


class FolderSettings(BaseModel):
    """A folder that the nightly run reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    athlete: str = ""
    reports_rest: bool = False


class MailSettings(BaseModel):
    """The server that takes mail from hamload. Certificates are always checked; there is no way round that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(pattern=r"^[A-Za-z0-9._:-]*$")
    port: int = Field(ge=0, le=65535)
    security: Literal["starttls", "tls"]
    sender: str = Field(pattern=_ADDRESS)
    username: str
    ca_file: str
    timeout_s: float = Field(gt=0, le=600)

    @property
    def is_configured(self) -> bool:
        """Whether there is a server and a sender."""
        return bool(self.host and self.sender)


class PushSettings(BaseModel):
    """Where short messages of worsened states and failed nights go, besides mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls_file: str


class AccountSettings(BaseModel):
    """A runner's account at a service that the nightly run asks. `hamload auth` writes it, `hamload forget` ends it.

    `file` is a Python file of the runner's own that fetches from a service which hamload does not know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Service | Annotated[OwnService, InstanceOf]
    athlete: str = ""
    file: str = ""

    @field_validator("service", mode="before")
    @classmethod
    def _as_told(cls, value: Any) -> Any:
        if not isinstance(value, str) or isinstance(value, Service | OwnService):
            return value
        name = value.replace("-", "_")
        return Service(name) if name in set(Service) else OwnService(name)

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        is_own = isinstance(self.service, OwnService)
        if is_own and not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", self.service):
            raise ValueError(f"{self.service!r} is no name for a service: small letters, digits and _")
        if is_own and self.service in _TAKEN:
            raise ValueError(f"{self.service!r} is a name of hamload's own")
        if is_own != bool(self.file):
            known = ", ".join(service.command for service in Service)
            raise ValueError(f"service is one of {known}, or a name of your own together with file")
        return self


class FetchSettings(BaseModel):
    """How far a night goes at each service, and how long what Strava gave is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_days: int = Field(ge=1, le=365)
    strava_backfill_share: float = Field(ge=0, le=1)
    strava_retention_days: int = Field(ge=1)
    garmin_backfill: int = Field(ge=0)
    timeout_s: float = Field(gt=0)
    retries: int = Field(ge=0, le=5)
    wait_s: float = Field(ge=0)
    max_minutes: float = Field(gt=0)


class ScheduleSettings(BaseModel):
    """When `hamload serve` runs what, as cron lines on the home's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nightly: str = Field(pattern=_CRON)
    weekly: str = Field(pattern=rf"{_CRON}|^$")
    port: int = Field(ge=1, le=65_535)


class ServiceSettings(BaseModel):
    """Where the services are. Their own addresses are the defaults; "" leaves the choice to the client."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strava_api: str
    strava_base: str
    strava_sign_in: str
    garmin_sso: str
    garmin_connect: str
    garmin_connectapi: str
    garmin_token: str
    garmin_personal: str

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        garmin = (self.garmin_sso, self.garmin_connect, self.garmin_connectapi, self.garmin_token)
        if any(garmin) and not all(garmin):
            raise ValueError("give all four of garmin_sso, garmin_connect, garmin_connectapi and garmin_token, or none")
        return self

    @field_validator("garmin_sso", "garmin_connect", "garmin_connectapi", "garmin_token", "garmin_personal")
    @classmethod
    def _is_private(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("secrets travel there: it must begin with https://")
        return value


class ShowSettings(BaseModel):
    """How numbers and days are shown. What is stored knows nothing of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    units: Literal["km", "miles"]
    locale: str
    week_starts: Literal["monday", "sunday", "saturday"]
    nightly_report: bool

    @field_validator("locale")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value == PLAIN:
            return value
        from hamload.language import locales  # noqa: PLC0415  # Babel is large, and plain English needs none

        return locales.checked(value)

    @property
    def first_weekday(self) -> int:
        """The first day of the week, 0 for Monday as in `datetime`."""
        return {"monday": 0, "saturday": 5, "sunday": 6}[self.week_starts]


class DoctorSettings(BaseModel):
    """From where on `hamload doctor` calls something wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_free_mb: float = Field(ge=0)
    max_night_age_h: float = Field(gt=0)


def private_url(value: str) -> str:
    """Return an address that nobody on the way can read: https, or this machine itself. Raises ValueError."""
    told = urlsplit(value)
    is_here = told.scheme == "http" and told.hostname in {"127.0.0.1", "::1", "localhost"}
    if value and not (is_here or (told.scheme == "https" and told.hostname)):
        raise ValueError("it must begin with https://")
    return value


class HeartbeatSettings(BaseModel):
    """Where each night says that it began and how it ended, so that its silence is noticed elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    timeout_s: float = Field(gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _is_private(cls, value: str) -> str:
        return private_url(value)


class LogSettings(BaseModel):
    """What of the libraries' own messages is written into the home's log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Literal["debug", "info", "warning", "error"]


class ImportSettings(BaseModel):
    """How recordings are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(ge=0, le=64)
    cluster: str = Field(pattern=r"^((tcp|tls)://[^/\s@]+:\d{1,5})?$")
    shared: str
    cluster_wait_s: float = Field(gt=0, le=3600)
    max_seconds: float = Field(gt=0)
    max_memory_mb: int = Field(ge=200)
    max_file_mb: float = Field(gt=0)
    max_archive_mb: float = Field(gt=0)
    earliest: dt.date

    @field_validator("shared")
    @classmethod
    def _holds_no_secret(cls, value: str) -> str:
        if re.search(r"://[^/@]*:[^/@]*@", value):
            raise ValueError("it holds a password: give that through the environment, as fsspec's storage asks for it")
        return value if "://" in value or not value else str(Path(value).expanduser().absolute())

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.cluster and not self.shared:
            raise ValueError("a cluster needs storage that its workers see too: name a folder or an address in shared")
        return self


class _File(BaseModel):
    """The shape of hamload.toml and of the home's config.toml, coefficients apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_zone: str
    athletes: tuple[AthleteSettings, ...] = Field(min_length=1)
    folders: tuple[FolderSettings, ...]
    accounts: tuple[AccountSettings, ...]
    fetch: FetchSettings
    schedule: ScheduleSettings
    services: ServiceSettings
    import_: ImportSettings = Field(alias="import")
    mail: MailSettings
    push: PushSettings
    show: ShowSettings
    doctor: DoctorSettings
    heartbeat: HeartbeatSettings
    log: LogSettings


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one coefficient rests on: `kind` "E" (published evidence) or "A" (our assumption), and where it is from."""

    value: float
    kind: Literal["E", "A"]
    source: str
    is_default: bool = True


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

    def language(self, today: dt.date | None = None) -> Language:
        """Return how the runners of this home read; days of another year than today's are told with it."""
        show = self.show
        return Language(
            show.locale, is_miles=show.units == "miles", today=today, catalogues=(self.home / "translations",)
        )

    def today(self, athlete_id: str = "") -> dt.date:
        """Return the runner's calendar day, now."""
        return dt.datetime.now(tz=self.zone(athlete_id)).date()


def shipped(folder: Literal["config", "sql", "flows", "notebooks"]) -> Path:
    """Return a folder that ships with hamload: inside the package when installed, at the top of a checkout."""
    inside = Path(str(files("hamload"))) / folder
    return inside if inside.is_dir() else Path(str(files("hamload"))).parents[1] / folder


def home_folder(home: Path | None = None) -> Path:
    """Return the home: the argument, else HAMLOAD_HOME, else the platform's user-data folder."""
    named = os.environ.get("HAMLOAD_HOME")
    chosen = home or (Path(named) if named else Path(platformdirs.user_data_dir("hamload", appauthor=False)))
    return chosen.expanduser().absolute()


@cache
def defaults() -> tuple[LoadModel, Signal, AlertRules]:
    """Return the shipped coefficients, without any home: what the public functions use."""
    found = _coefficients({}, "")
    return found.model, found.signal, found.alerts


@cache
def merging_defaults() -> MergingRules:
    """Return the shipped thresholds of merging."""
    return _coefficients({}, "").merging


def load(home: Path | None = None) -> Settings:
    """Read the settings of a home. Raises ConfigurationError naming the file, the key and the remedy."""
    folder = home_folder(home)
    own_file = folder / "config.toml"
    own = _toml(own_file) if own_file.is_file() else {}
    for name in _COEFFICIENTS:
        if not isinstance(own.get(name, {}), dict):
            raise ConfigurationError(f"{own_file}: {name} = {own[name]!r} is no table.", f"Write [{name}.SECTION].")
    coefficients = {name: own.pop(name, {}) for name in _COEFFICIENTS}
    try:
        file = _File.model_validate(_overlaid(_toml(shipped("config") / "hamload.toml"), own))
    except ValidationError as error:
        raise _invalid(error, str(own_file)) from None
    found = _coefficients(coefficients, str(own_file))
    time_zone = os.environ.get("HAMLOAD_TIME_ZONE") or file.time_zone or machine_time_zone()
    for name in {time_zone, *(a.time_zone for a in file.athletes if a.time_zone)}:
        _check_zone(name, "HAMLOAD_TIME_ZONE" if name == os.environ.get("HAMLOAD_TIME_ZONE") else str(own_file))
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
        schedule=_scheduled(file.schedule, file.show),
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


def _scheduled(schedule: ScheduleSettings, show: ShowSettings) -> ScheduleSettings:
    """Return the schedule with the week's digest on the morning of the week's first day, where no time is set."""
    if schedule.weekly:
        return schedule
    # In cron Sunday is 0.
    return schedule.model_copy(update={"weekly": f"0 6 * * {(show.first_weekday + 1) % 7}"})


def overlaid(current: Settings, coefficients: Mapping[str, float]) -> Settings:
    """Return the settings with single coefficients replaced, named as they are shown: "alerts.deload.spike".

    Raises ConfigurationError for a name that there is not, and for a value that makes no sense.
    """
    own = {name: row.value for name, row in current.provenance.items() if not row.is_default}
    found = _coefficients_of(own | dict(coefficients), current.provenance)
    return replace(
        current,
        model=found.model,
        signal=found.signal,
        alerts=found.alerts,
        merging=found.merging,
        provenance=found.provenance,
    )


def overlaid_defaults(coefficients: Mapping[str, float]) -> tuple[LoadModel, Signal, AlertRules]:
    """Return the shipped coefficients with single ones replaced; names and errors as in `overlaid`."""
    found = _coefficients_of(coefficients, shipped_provenance())
    return found.model, found.signal, found.alerts


def _coefficients_of(told: Mapping[str, float], known: Mapping[str, Provenance]) -> _Coefficients:
    own: dict[str, Any] = {name: {} for name in _COEFFICIENTS}
    for name, value in told.items():
        if name not in known:
            near = get_close_matches(name, known, n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else "See hamload.coefficients()."
            raise ConfigurationError(f"There is no coefficient {name!r}.", hint)
        file, section, key = name.split(".")
        own[file].setdefault(section, {})[key] = value
    return _coefficients(own, "what was asked for")


@cache
def shipped_provenance() -> dict[str, Provenance]:
    """Return every shipped coefficient with what it rests on."""
    return _coefficients({}, "").provenance


def cache_folder() -> Path:
    """Return where things may lie that can be made again at any time."""
    return Path(platformdirs.user_cache_dir("hamload", appauthor=False)).absolute()


def secret(name: str) -> str:
    """Return a secret from the environment variable `name`, or from the file that `name`_FILE points to; else "".

    Raises ConfigurationError where that file cannot be read.
    """
    if value := os.environ.get(name, ""):
        learn(value, *value.splitlines())
        return value
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return ""
    try:
        value = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The file that {name}_FILE names cannot be read ({type(error).__name__}): {path}.",
            "Mend the variable, or the file's rights.",
        ) from None
    learn(value, *value.splitlines())
    return value


def child_environment(own: dict[str, str]) -> dict[str, str]:
    """Return this process's environment for a child, with what is its own."""
    return {**os.environ, **own}


def time_zone_source(home: Path) -> str:
    """Return where the time zone of a home comes from, "guess" where nobody and nothing has named one."""
    if os.environ.get("HAMLOAD_TIME_ZONE"):
        return "HAMLOAD_TIME_ZONE"
    own_file = home / "config.toml"
    if own_file.is_file() and _toml(own_file).get("time_zone"):
        return "config.toml"
    return "this machine" if _told_time_zone() else "guess"


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone. Raises ConfigurationError where there is none of that name."""
    _check_zone(name, "time zone")
    return ZoneInfo(name)


def prefect_environment(home: Path) -> dict[str, str]:
    """Return the environment in which Prefect keeps to this home: own database, no telemetry, time enough to start.

    Its first start migrates the database, which takes longer than its own 20-second limit allows.
    """
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def notebook_environment(home: Path | None) -> dict[str, str]:
    """Return the environment of a notebook's own process: it finds the same home, and asks nobody for updates."""
    return os.environ | {"HAMLOAD_HOME": str(home_folder(home)), "MARIMO_SKIP_UPDATE_CHECK": "1"}


#: The files of coefficients, and the runner's own tables of the same names.
_COEFFICIENTS = ("model", "alerts", "merging")


@dataclass(frozen=True, slots=True)
class _Coefficients:
    model: LoadModel
    signal: Signal
    alerts: AlertRules
    merging: MergingRules
    provenance: dict[str, Provenance]


def _coefficients(own: dict[str, Any], own_file: str) -> _Coefficients:
    provenance: dict[str, Provenance] = {}
    values: dict[str, dict[str, dict[str, float]]] = {}
    for name in _COEFFICIENTS:
        table = _toml(shipped("config") / f"{name}.toml")
        values[name] = {
            section: _section(f"{name}.{section}", rows, own.get(name, {}).pop(section, {}), own_file, provenance)
            for section, rows in table.items()
        }
        if own.get(name):
            unknown = ", ".join(f"[{name}.{section}]" for section in own[name])
            known = ", ".join(f"[{name}.{section}]" for section in table)
            raise ConfigurationError(f"{own_file}: no such section: {unknown}.", f"There are: {known}.")
    signal_values = values["model"].pop("signal")
    version = f"{FORMULAS}-{hashlib.sha256(repr((values['model'], signal_values)).encode()).hexdigest()[:8]}"
    try:
        model = _adapter(LoadModel).validate_python({**values["model"], "version": version})
        signal = _adapter(Signal).validate_python(signal_values)
        alerts = _adapter(AlertRules).validate_python({**values["alerts"], "windows": _windows(model)})
        merging = _adapter(MergingRules).validate_python(values["merging"])
    except ValidationError as error:
        raise _invalid(error, own_file) from None
    _check_sense(model, provenance, own_file)
    if not 1 <= alerts.plan.days <= model.series.acute_days:
        raise ConfigurationError(
            f"{own_file}: [alerts.plan] days = {alerts.plan.days} does not fit acute_days = {model.series.acute_days}.",
            "A plan is at most as long as the acute window: its days then weigh alike in the ratio.",
        )
    return _Coefficients(model, signal, alerts, merging, provenance)


@cache
def _adapter[Section](section: type[Section]) -> TypeAdapter[Section]:
    # Making one takes longer than all that it then validates.
    return TypeAdapter(section)


def _check_sense(model: LoadModel, provenance: dict[str, Provenance], own_file: str) -> None:
    for key, row in provenance.items():
        if key.rpartition(".")[2].endswith(("quantile", "share")) and row.value > 1:
            raise ConfigurationError(f"{own_file}: {key} = {row.value} is no share.", "Give it a number from 0 to 1.")
    if not 1 <= model.series.acute_days < model.series.chronic_days:
        raise ConfigurationError(
            f"{own_file}: [model.series] acute_days = {model.series.acute_days} does not fit chronic_days ="
            f" {model.series.chronic_days}.",
            "The acute window must be at least a day and shorter than the chronic one.",
        )


def _overlaid(table: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the table with the runner's own values in it; a sub-table keeps what they do not name."""
    merged = table | own
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            merged[key] = table[key] | value
    return merged


def _windows(model: LoadModel) -> Windows:
    """Give advice the model's own windows: two places to set one number would be one too many."""
    series = model.series
    return Windows(
        acute_days=series.acute_days,
        chronic_days=series.chronic_days,
        baseline_days=series.min_days,
        longest_days=series.spike_days,
        returning_days=series.returning_days,
        own_days=model.labels.history_days,
    )


def _section(
    name: str, rows: dict[str, Any], own: Any, own_file: str, provenance: dict[str, Provenance]
) -> dict[str, float]:
    if not isinstance(own, dict) or set(own) - set(rows):
        unknown = ", ".join(sorted(set(own) - set(rows))) if isinstance(own, dict) else repr(own)
        raise ConfigurationError(f"{own_file}: [{name}] has no {unknown}.", f"There are: {', '.join(rows)}.")
    for key, row in rows.items():
        value = own.get(key, row["value"])
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:  # noqa: PLR2004
            raise ConfigurationError(
                f"{own_file}: [{name}] {key} = {value!r} is not a number from 0 on.",
                f"Give it a number; the default is {row['value']}.",
            )
        source = row["source"] if key not in own else f"set in {own_file}; default {row['value']}: {row['source']}"
        provenance[f"{name}.{key}"] = Provenance(value, row["kind"] if key not in own else "A", source, key not in own)
    return {key: own.get(key, row["value"]) for key, row in rows.items()}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", "Mend that line, or remove the file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.", "Check the file and its rights.") from None


def _invalid(error: ValidationError, own_file: str) -> ConfigurationError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return ConfigurationError(f"{own_file}: {where}: {first['msg']} (got {first['input']!r}).", "Mend that value.")


def _check_zone(name: str, own_file: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), n=2)
        hint = f"Did you mean {', '.join(near)}?" if near else 'Use a name such as "Europe/Vienna".'
        raise ConfigurationError(f"{own_file}: {name!r} is no time zone.", hint) from None


def machine_time_zone() -> str:
    """Return the machine's time zone, UTC where it does not tell."""
    return _told_time_zone() or "UTC"


def _told_time_zone() -> str:
    link = Path("/etc/localtime")
    if link.is_symlink():
        target = str(link.readlink())
        if "zoneinfo/" in target:
            return target.rsplit("zoneinfo/", maxsplit=1)[-1]
    named = Path("/etc/timezone")
    told = named.read_text(encoding="utf-8", errors="replace").strip() if named.is_file() else ""
    return told if told in available_timezones() else ""
