"""Measures the speed of a store's models again, in rounds, without tasks or training."""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.actions.stored_models import models_called, require_opened
from assay.analysis.speeds import with_speeds
from assay.core.errors import AssayError, ModelError, UsageError
from assay.core.result import Speed
from assay.environment.machine import machine_name
from assay.findings.facts import ModelRow
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.user_code import identity_of_source
from assay.run.speed import measure_speed
from assay.store.results import Store

logger = logging.getLogger(__name__)

Watch = Callable[[str, int], None]  # is told the model and the round, before it is measured


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """A model that was measured again.

    Attributes:
        model: Its speed among all measurements on this machine, and why the latency is not reliable.
        rounds: What each round measured.
        failure: Why a round failed, and no later one was tried; empty if none did.
    """

    model: ModelRow
    rounds: tuple[Speed, ...]
    failure: str = ""

    @property
    def spread(self) -> float | None:
        """How far the slowest round is above the fastest, as a share; None with fewer than two rounds."""
        latencies = [speed.latency_seconds for speed in self.rounds if speed.latency_seconds is not None]
        return max(latencies) / min(latencies) - 1 if len(latencies) > 1 else None


def measure(
    store: Store, models: Sequence[ModelRow], rounds: int, device: str, watch: Watch
) -> tuple[MeasuredModel, ...]:
    """Measure models in rounds, one after another, and store each measurement.

    Each round opens each model, so that one is in memory at a time, and slow phases of the machine affect
    all models equally. A model that fails is not tried again.

    Args:
        store: The store, to which the measurements are added.
        models: Models of the store: see ``named_models``.
        rounds: How often each model is measured.
        device: The device on which models run.
        watch: Called before each measurement.

    Raises:
        StoreError: The store cannot be written, or another process writes to it.
    """
    measured: dict[str, list[Speed]] = {row.address: [] for row in models}
    failures: dict[str, str] = {}
    with store.writing():
        for number in range(1, rounds + 1):
            for row in models:
                if row.address in failures:
                    continue
                watch(row.address, number)
                try:
                    speed = _speed(row, device)
                except Exception as error:  # one broken model must not keep the others from being measured
                    logger.info("cannot measure %s", row.address, exc_info=True)
                    failures[row.address] = _reason(error)
                    continue
                store.add_speed(row.address, row.identity, speed)
                measured[row.address].append(speed)
    return _judged(store, measured, failures, machine_name(device))


def _judged(
    store: Store, measured: dict[str, list[Speed]], failures: dict[str, str], machine: str
) -> tuple[MeasuredModel, ...]:
    """Return the models in order, judged by all measurements on this machine."""
    here = [one for one in store.measurements() if one.speed.machine == machine]
    rows = {row.address: row for row in with_speeds(store.models(), here)}
    return tuple(
        MeasuredModel(rows[model], tuple(rounds), failures.get(model, ""))
        for model, rounds in measured.items()
    )


def named_models(store: Store, names: Sequence[str]) -> tuple[ModelRow, ...]:
    """Return the models of a store that the user named, sorted by address.

    Args:
        store: The store.
        names: Addresses, names as in reports, or patterns; empty for all.

    Raises:
        UsageError: A name is not in the store or names a model that failed, or the store has no models.
    """
    models = {row.address: row for row in sorted(store.models(), key=lambda row: row.address)}
    if not models:
        raise UsageError(f"The store '{store.root}' has no models. Run a study first, as in assay rank.")
    chosen: set[str] = set()
    for name in names:
        found = [] if name in models else fnmatch.filter(models, name)
        if not found:
            found = [*models_called([name], store)]
            require_opened(found[0], store)
        chosen.update(found)
    return tuple(row for address, row in models.items() if address in chosen or not names)


def _speed(row: ModelRow, device: str) -> Speed:
    source = families().models.create_from_source(Address.parse(row.address)).plugin
    source.check()
    if identity_of_source(source) != row.identity:
        raise ModelError(
            "its weights, its settings or the installed packages are not those of the study; run the study "
            "again, which also measures it"
        )
    model = source.open(device)
    try:
        return measure_speed(model, source.modality(), device)
    finally:
        model.close()


def _reason(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or "no message"
    return text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}"
