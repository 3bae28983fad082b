"""How far a step has come: whoever wants to show it gives a function, and who does not gives `silent`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Takes what is being done, how much of it is done, and how much there is.
type Progress = Callable[[str, int, int], None]


def silent(_step: str, _done: int, _total: int) -> None:
    """Report no progress."""
