"""An opened model that lives in another process: examples go there, features come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np

from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.encoders.child import Child
from assay.encoders.examples import as_images, as_texts
from assay.encoders.identity import Origin
from assay.encoders.pairs import encode_texts
from assay.encoders.pixels import PixelRecipe

_PIECE = 16  # pictures in one message


@final
class RemoteEncoder(Model):
    """Encodes pictures, or texts, in another process.

    Args:
        child: The process, whose model is open.
        told: What it said of the model when it opened.
        recipe: How a picture becomes input; None for texts, which go as they are.
        origin: Where the weights came from.
    """

    def __init__(
        self, child: Child, told: dict[str, Any], recipe: PixelRecipe | None, origin: Origin
    ) -> None:
        self._child = child
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
            found = self._child.ask({"do": "encode"}, {"batch": self._input(images[rows])}).arrays
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

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def _input(self, images: list[np.ndarray]) -> np.ndarray:
        """Return examples x height x width x channels: bare pixels, where nothing is done to them here."""
        assert self._recipe is not None
        pixels = self._recipe.pixels(images)
        is_bare = (
            not self._recipe.scale and set(self._recipe.mean) == {0.0} and set(self._recipe.std) == {1.0}
        )
        values = pixels if is_bare else self._recipe.normalise_array(pixels)
        return values.transpose(0, 2, 3, 1)

    def _of_texts(self, texts: list[str]) -> np.ndarray:
        return self._child.ask({"do": "encode", "texts": texts}).arrays["features"]
