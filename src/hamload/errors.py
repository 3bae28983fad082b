"""What can go wrong, each with the remedy. Raised anywhere, printed only by the command line and the flow."""

from typing import ClassVar

from hamload.redaction import redacted


class HamloadError(Exception):
    """A failure that the runner can act on.

    Secrets that slipped into its sentences are blotted out (`redaction`): they reach terminals, logs, mail and ledgers.

    Parameters
    ----------
    what
        One sentence: what is wrong, naming the file, key or service.
    remedy
        One sentence or command that mends it.

    Attributes
    ----------
    is_passing
        It may be over in a minute, without anybody's doing: the same may be tried again.

    """

    is_passing: ClassVar[bool] = False

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = redacted(what)
        self.remedy = redacted(remedy)
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()

    def __reduce__(self) -> tuple[type["HamloadError"], tuple[str, str]]:
        """Survive the way back from a worker process with the remedy intact."""
        return type(self), (self.what, self.remedy)


class ConfigurationError(HamloadError):
    """A setting, an argument or the home is unusable: exit code 2."""


class UnreadableError(HamloadError):
    """A document cannot be decoded. It is kept, listed with this reason, and stops nothing."""


class NoActivityError(UnreadableError):
    """A document is read, and is no activity at all: no run can be missing because of it."""


class UnsafeArchiveError(HamloadError):
    """An archive names a path outside itself or unpacks to more than it may."""


class WarehouseError(HamloadError):
    """The warehouse cannot be opened, built or published."""


class BusyError(WarehouseError):
    """Another hamload is at work in this home. Nothing is wrong."""


class ClusterError(HamloadError):
    """The cluster that reads recordings, or the storage that it shares with this machine, does not do its work."""
