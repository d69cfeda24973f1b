"""Downloads models and tasks into the usual caches, so that a study needs no network: ``assay fetch``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import AssayError, UnknownName, UsageError
from assay.core.model import ModelSource
from assay.environment.cache import bytes_below, download_folders
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.registry import Named
from assay.plugins.suite import SOURCE as SUITE
from assay.plugins.suite import tasks_of
from assay.run.failure import reason_of
from assay.run.plan import resolve_models, resolve_tasks


class Fetched(NamedTuple):
    """A model or a task that is in the caches now.

    Attributes:
        address: The requested address.
        origin: Where the files come from.
        size: Size, as text.
        downloaded: Bytes downloaded into each folder; empty if everything was cached.
    """

    address: str
    origin: str
    size: str
    downloaded: dict[Path, int]


class Missing(NamedTuple):
    """A model or a task that cannot be downloaded, and why."""

    address: str
    reason: str


def fetch(texts: Sequence[str]) -> Iterator[Fetched | Missing]:
    """Open each model and load each task once, which downloads everything that a study needs.

    Args:
        texts: Addresses, patterns and suites.
    """
    for text in texts:
        try:
            models = _models(text)
            tasks = () if models else tuple(map(str, tasks_of(Address.parse(text))))
        except AssayError as error:
            yield Missing(text, str(error))
            continue
        for model in models:
            yield _model(model)
        for task in tasks:
            yield _task(task)


def _models(text: str) -> tuple[Named[ModelSource], ...]:
    """Return the models of an address; empty if it is a task."""
    source = Address.parse(text).source
    known = {*families().models.names(), *families().tasks.names(), SUITE}
    if source and source not in known:
        raise UnknownName("source of models or tasks", source, known)
    if source and source not in families().models.names():
        return ()
    try:
        return resolve_models([text])
    except UsageError:
        if (
            source in families().models.names() and source not in families().tasks.names()
        ):  # torchvision has models and tasks
            raise
        return ()


def _model(model: Named[ModelSource]) -> Fetched | Missing:
    before = _sizes()
    try:
        opened = model.plugin.open("cpu")
    except Exception as error:  # a model that is not available must not stop the others
        return Missing(str(model), reason_of(error))
    facts = opened.facts
    opened.close()
    size = f"{facts.bytes / 1e6:,.1f} MB of weights, {facts.parameters:,} of them"
    return Fetched(str(model), facts.weights, size, _grown(before))


def _task(text: str) -> Fetched | Missing:
    before = _sizes()
    try:
        (task,) = resolve_tasks([text], seed=0)
    except Exception as error:  # nor must a task
        return Missing(text, reason_of(error))
    counts = " and ".join(
        f"{len(split):,} {name}" for name, split in
        (("train", task.train), ("val", task.val), ("test", task.test)) if len(split)
    )  # fmt: skip
    return Fetched(task.address, Address.parse(text).name, f"{counts} examples", _grown(before))


def _sizes() -> dict[Path, int]:
    return {folder: bytes_below(folder) for folder in download_folders()}


def _grown(before: dict[Path, int]) -> dict[Path, int]:
    return {folder: size - before[folder] for folder, size in _sizes().items() if size > before[folder]}
