"""Resolves names of models and tasks in a store, whether they finished, failed or are pending."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.core.errors import UnknownName, UsageError
from assay.core.paths import path_of
from assay.core.result import Status
from assay.core.text import few
from assay.findings.facts import ModelRow
from assay.plugins.address import Address
from assay.store.last_run import read_jobs
from assay.store.results import Store
from assay.wording.short_names import addresses_called, control_names

_TASKS = 2  # that an error names


def stored_models(store: Store) -> list[str]:
    """Return the address of every model of a store, whether it was opened, failed or waits."""
    results = [result.job.model for result in store.results()]
    waiting = [model for _, model, _ in read_jobs(store.arrays) or ()]
    return list(dict.fromkeys([*(row.address for row in store.models()), *results, *waiting]))


def stored_controls(models: Iterable[ModelRow]) -> dict[str, str]:
    """Return the name of the control among models: the only one with random weights; empty if several are."""
    return control_names([[row.address for row in models if row.facts.is_random]])


def stored_tasks(store: Store) -> list[str]:
    """Return the address of every task of a store, as reports name it."""
    return [task.address for task in store.tasks()]


def models_called(names: Sequence[str], store: Store) -> tuple[str, ...]:
    """Return the address of the model that each name means, among all models of a store.

    Raises:
        UnknownName: No model is called so.
        UsageError: Several are.
    """
    control = next(iter(stored_controls(store.models())), "")
    return addresses_called(names, stored_models(store), f"model of '{store.root}'", control)


def tasks_called(names: Sequence[str], store: Store) -> tuple[str, ...]:
    """Return the address of the task that each name means; errors are those of ``models_called``."""
    return addresses_called(names, stored_tasks(store), f"task of '{store.root}'")


def address_of_model(name: str, store: Store) -> str:
    """Return the address that a name of a model means; an unknown address with a source is one itself.

    Raises:
        UnknownName: No model is called so, and it is no address.
        UsageError: Several models are called so, or the model failed or waits.
    """
    try:
        (address,) = models_called([name], store)
    except UnknownName:
        if not Address.parse(name).source and not path_of(name).exists():
            raise
        return name
    require_opened(address, store)
    return address


def address_of_task(name: str, store: Store) -> str:
    """Return the address that a name of a task means; an unknown name is an address itself."""
    try:
        return tasks_called([name], store)[0]
    except UnknownName:
        return name


def require_opened(model: str, store: Store) -> None:
    """Raise ``UsageError`` for a model without facts; the message says why it failed, or that it waits."""
    if any(row.address == model for row in store.models()):
        return
    results = [result for result in store.results() if result.job.model == model]
    reasons = {result.job.task: result.reason for result in results if result.status is not Status.OK}
    if not reasons:
        raise UsageError(f"'{model}' has not run yet. Run the study again, or name another model.")
    words = "; ".join(dict.fromkeys(reasons.values()))
    state = "failed" if any(result.status is Status.FAILED for result in results) else "did not run"
    raise UsageError(
        f"'{model}' {state} on {few(list(reasons), _TASKS)}, so it has no values: {words.rstrip('.')}. "
        "Name another model, or mend it and run the study again with --retry-failed."
    )
