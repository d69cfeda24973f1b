"""Random-weights controls of a study: one model per modality without its pretrained weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

from assay.core.model import ModelSource
from assay.core.task import Modality
from assay.environment.process_state import undone
from assay.plugins.address import Address
from assay.plugins.protocol import FeatureProtocol
from assay.plugins.registry import Named
from assay.plugins.settings import all_settings, without_defaults
from assay.run.broken_source import modality_of
from assay.run.failure import raise_if_interrupted
from assay.run.plan import Run


def random_controls(
    models: Sequence[Named[ModelSource]], modalities: Collection[Modality]
) -> tuple[Named[ModelSource], ...]:
    """Return the first model of each modality with random weights, unless the user named such a model.

    Args:
        models: The models of the study.
        modalities: The modalities of its tasks.
    """
    controls: list[Named[ModelSource]] = []
    for modality in sorted(modalities):
        reading = [model for model in models if modality_of(model) is modality]
        if any(all_settings(model.plugin).get("pretrained") is False for model in reading):
            continue
        controls.extend(islice(filter(None, map(_with_random_weights, reading)), 1))
    return tuple(controls)


def runs_for_controls(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the runs of feature protocols; training random weights is the method ``from_scratch``."""
    return tuple(run for run in runs if isinstance(run.method.plugin, FeatureProtocol))


def _with_random_weights(model: Named[ModelSource]) -> Named[ModelSource] | None:
    try:
        with undone():
            plugin = model.plugin.untrained()
    except BaseException as error:  # the rows of the model itself report it
        raise_if_interrupted(error)
        return None
    if plugin is None:
        return None
    settings: Any = {name: value for name, value in all_settings(plugin).items() if name != "name"}
    address = Address(model.address.source, model.address.name, tuple(sorted(settings.items())))
    return Named(without_defaults(plugin, address), plugin)
