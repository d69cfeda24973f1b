"""Chooses the layer of a model that suits a task best, on val, before any method uses its features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.model import Layered, Model
from assay.core.task import Split
from assay.encoders.batches import Batches
from assay.numerics.linear import ValScorer
from assay.plugins.train_view import SEED, proportional_examples

SAMPLE = 1000  # labels each of train and val, so that probes of 13 layers of 768 features take seconds


class ChosenLayer(NamedTuple):
    """The chosen layer of a model.

    Attributes:
        layer: The index of the layer; 0 is the input of the first layer.
        note: A sentence for the reader about the choice.
    """

    model: Model
    layer: int
    note: str


def choose_layer(model: Layered, train: Split, val: Split, metric: Metric, batches: Batches) -> ChosenLayer:
    """Return the layer whose ridge probe, fitted on a sample of train, is best on a sample of val.

    The task's metric decides, and the squared error breaks ties. One forward pass encodes all layers; the
    penalty of each probe is also chosen on val.

    Raises:
        NotApplicable: The task has no val split.
    """
    from assay.numerics.ridge import RidgePath

    if not len(val):
        raise NotApplicable("there is no val to choose a layer on: name one, as in layer=-2")
    layers = zip(_layers(model, train, batches), _layers(model, val, batches), strict=True)
    tried = [max(RidgePath(learned).judged(ValScorer(metric, judged))[0]) for learned, judged in layers]
    best = tried.index(max(tried))
    note = (
        f"layer {best} of 0 to {len(tried) - 1} is read, chosen on val: a ridge probe gave "
        f"{_in_words(metric, tried[best])} there, and {_in_words(metric, tried[-1])} on the last layer"
    )
    return ChosenLayer(model.at(best), best, note)


def _layers(model: Layered, split: Split, batches: Batches) -> list[LabelledFeatures]:
    """Return the features of each layer for a sample of a split, with their labels."""
    some = split.take(proportional_examples(split.labels, SAMPLE, SEED))
    encoded = batches.encoded(model.all_layers, some, "choose a layer")
    features = np.concatenate([batch.features for _, batch in encoded])
    return [LabelledFeatures(Features(layer), some.labels) for layer in model.apart(features)]


def _in_words(metric: Metric, value: tuple[float, float]) -> str:
    judged, loss = value
    if not np.isfinite(judged):
        return f"a squared error of {-loss:.3f}"
    return f"{metric.name} {-judged if metric.shown_negated else judged:.3f}"
