"""The tables of config.toml, each with the shape and the limits of what may stand in it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, field_validator, model_validator

from hamload.language import PLAIN
from hamload.records import OwnService, Service

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


class File(BaseModel):
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


def scheduled(schedule: ScheduleSettings, show: ShowSettings) -> ScheduleSettings:
    """Return the schedule with the week's digest on the morning of the week's first day, where no time is set."""
    if schedule.weekly:
        return schedule
    # In cron Sunday is 0.
    return schedule.model_copy(update={"weekly": f"0 6 * * {(show.first_weekday + 1) % 7}"})
