"""An opened model that lives in another process: examples go there, features come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import as_images, as_texts
from assay.encoders.identity import Origin
from assay.encoders.pairs import encode_texts
from assay.encoders.pixels import PixelRecipe
from assay.encoders.tensorflow.worker import Child

_PIECE = 16  # pictures in one message

Lend = Callable[[Child], Trainable]


@final
class RemoteEncoder(Model):
    """Encodes pictures, or texts, in another process.

    Args:
        child: The process, whose model is open.
        told: What it said of the model when it opened.
        recipe: How a picture becomes input; None for texts, which go as they are.
        origin: Where the weights came from.
        lend: Builds the model of the process in this one, to be trained; None where its weights are frozen.
    """

    def __init__(
        self,
        child: Child,
        told: dict[str, Any],
        recipe: PixelRecipe | None,
        origin: Origin,
        lend: Lend | None = None,
    ) -> None:
        self._child = child
        self._lend = lend
        self._recipe = recipe
        self._facts = ModelFacts(
            width=told["width"],
            parameters=told["parameters"],
            macs=told["macs"],
            bytes=told["bytes"],
            input=told["input"],
            preprocessing="; ".join(
                part for part in (recipe and recipe.describe(), told["preprocessing"]) if part
            ),
            source_classes=told["source_classes"],
            weights=origin.weights,
            fingerprint=told["fingerprint"],
            licence=origin.licence,
            is_random=origin.is_random,
        )

    @property
    def facts(self) -> ModelFacts:
        """What is known of this model; of texts, a pair has four times as many features as a text."""
        return self._facts

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities where the model has a source head."""
        if self._recipe is None:
            texts = as_texts(examples)
            empty = np.empty((0, self._facts.width), np.float32)
            return Encoded(encode_texts(texts, self._of_texts) if texts else empty, None)
        images = as_images(examples)
        classes = self._facts.source_classes
        features = np.empty((len(images), self._facts.width), np.float32)
        probs = np.empty((len(images), classes), np.float32) if classes else None
        for start in range(0, len(images), _PIECE):
            rows = slice(start, start + _PIECE)
            batch = self._recipe.input_array(self._recipe.pixels(images[rows]))
            found = self._child.ask({"do": "encode"}, {"batch": batch}).arrays
            features[rows] = found["features"]
            if probs is not None:
                probs[rows] = found["probs"]
        return Encoded(features, probs)

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, the source head's included."""
        count = self._child.ask({"do": "count weights"}).words["count"]
        for row in range(count):
            found = self._child.ask({"do": "weight", "row": row}).arrays
            yield from found.values()

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend a copy of the weights in this process, where there is one."""
        if self._lend is None:
            raise NotApplicable(
                "the weights of a SavedModel are frozen: train a .keras file of the same model instead"
            )
        from assay.encoders.restoring import lent  # torch, which the other process does without

        trainable = self._lend(self._child)
        with lent(trainable.module):
            yield trainable

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def _of_texts(self, texts: list[str]) -> np.ndarray:
        return self._child.ask({"do": "encode", "texts": texts}).arrays["features"]
