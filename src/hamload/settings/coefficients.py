"""The coefficients of model, alerts and merging, each with what it rests on; the runner's own laid over the shipped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError

from hamload.errors import ConfigurationError
from hamload.parameters import AlertRules, LoadModel, MergingRules, Signal, Windows
from hamload.settings.places import shipped
from hamload.settings.toml import invalid, read

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Raised with every change of the formulas themselves; coefficients enter the version by their hash.
FORMULAS = "1"
#: The files of coefficients, and the runner's own tables of the same names.
FILES = ("model", "alerts", "merging")
#: Of any coefficient: beyond it nothing is meant, and powers and products leave what a number can hold.
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one coefficient rests on: `kind` "E" (published evidence) or "A" (our assumption), and where it is from."""

    value: float
    kind: Literal["E", "A"]
    source: str
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class Coefficients:
    """All coefficients, in the shapes in which they are used, and what each rests on."""

    model: LoadModel
    signal: Signal
    alerts: AlertRules
    merging: MergingRules
    provenance: dict[str, Provenance]


def with_own(own: dict[str, Any], own_file: str) -> Coefficients:
    """Return the shipped coefficients with the runner's own, by file, section and key, in their places.

    Raises ConfigurationError naming `own_file`, the key and the remedy.
    """
    provenance: dict[str, Provenance] = {}
    values: dict[str, dict[str, dict[str, float]]] = {}
    for name in FILES:
        table = read(shipped("config") / f"{name}.toml")
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
        raise invalid(error, own_file) from None
    _check_sense(model, provenance, own_file)
    if not 1 <= alerts.plan.days <= model.series.acute_days:
        raise ConfigurationError(
            f"{own_file}: [alerts.plan] days = {alerts.plan.days} does not fit acute_days = {model.series.acute_days}.",
            "A plan is at most as long as the acute window: its days then weigh alike in the ratio.",
        )
    return Coefficients(model, signal, alerts, merging, provenance)


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
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
            raise ConfigurationError(
                f"{own_file}: [{name}] {key} = {value!r} is not a number from 0 to {_LARGEST:,}.",
                f"Give it a number; the default is {row['value']}.",
            )
        source = row["source"] if key not in own else f"set in {own_file}; default {row['value']}: {row['source']}"
        provenance[f"{name}.{key}"] = Provenance(value, row["kind"] if key not in own else "A", source, key not in own)
    return {key: own.get(key, row["value"]) for key, row in rows.items()}


@cache
def defaults() -> tuple[LoadModel, Signal, AlertRules]:
    """Return the shipped coefficients, without any home: what the public functions use."""
    found = with_own({}, "")
    return found.model, found.signal, found.alerts


@cache
def merging_defaults() -> MergingRules:
    """Return the shipped thresholds of merging."""
    return with_own({}, "").merging


@cache
def shipped_provenance() -> dict[str, Provenance]:
    """Return every shipped coefficient with what it rests on."""
    return with_own({}, "").provenance


def overlaid_defaults(coefficients: Mapping[str, float]) -> tuple[LoadModel, Signal, AlertRules]:
    """Return the shipped coefficients with single ones replaced; names and errors as in `hamload.settings.overlaid`."""
    found = with_single(coefficients, shipped_provenance())
    return found.model, found.signal, found.alerts


def with_single(told: Mapping[str, float], known: Mapping[str, Provenance]) -> Coefficients:
    """Return the shipped coefficients with single ones replaced, by their full names. Raises ConfigurationError."""
    own: dict[str, Any] = {name: {} for name in FILES}
    for name, value in told.items():
        if name not in known:
            near = get_close_matches(name, known, n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else "See hamload.coefficients()."
            raise ConfigurationError(f"There is no coefficient {name!r}.", hint)
        file, section, key = name.split(".")
        own[file].setdefault(section, {})[key] = value
    return with_own(own, "what was asked for")
