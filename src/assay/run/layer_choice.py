"""Which layer of a model serves a task best: chosen on val, before anything learns from its features."""

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

SAMPLE = 1000  # labels of train, and of val: a probe of 13 layers of 768 features then takes seconds


class ChosenLayer(NamedTuple):
    """The reading of a model that serves a task best.

    Attributes:
        layer: Its place, from 0 for what enters the first layer.
        note: What a reader must know.
    """

    model: Model
    layer: int
    note: str


def choose_layer(model: Layered, train: Split, val: Split, metric: Metric, batches: Batches) -> ChosenLayer:
    """Return the layer whose ridge probe on a sample of train does best on one of val.

    The metric of the task decides, of equals the squared error. All layers come from one forward pass; the
    penalty of each probe is chosen on val as well.

    Raises:
        NotApplicable: There is no val.
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
