"""An opened model in a worker process, which receives examples and returns features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import final

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts, PixelInput
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import as_images, as_texts
from assay.encoders.identity import Origin
from assay.encoders.input_range import InputRange, Range, Scaling, doubts, sample_images
from assay.encoders.pairs import encode_texts
from assay.encoders.pixel_changes import PixelChanges, centred
from assay.encoders.pixels import PixelRecipe
from assay.encoders.tensorflow.library import OpenedWorker
from assay.encoders.tensorflow.model_process import ModelProcess
from assay.encoders.tensorflow.model_server import Request

_IMAGES = 16  # images per message


@final
class RemoteEncoder(Model):
    """Encodes images, or texts, in a worker.

    Args:
        opened: The worker, and the facts of its model.
        recipe: How an image becomes input; None for texts, which go as they are.
        origin: The origin of the weights.
        scaling: How pixels enter the model, where that is found in its graph; else None.
        build: Builds the model again in this process, to be trained; None where its weights are frozen.
    """

    def __init__(
        self,
        opened: OpenedWorker,
        recipe: PixelRecipe | None,
        origin: Origin,
        scaling: Scaling | None = None,
        build: Callable[[ModelProcess], Trainable] | None = None,
    ) -> None:
        self._worker, reply = opened
        self._build = build
        self._recipe = recipe
        same = ("width", "parameters", "macs", "bytes", "input", "source_classes", "fingerprint")
        steps = (recipe and recipe.describe(), reply["preprocessing"])
        self._facts = ModelFacts(
            **{name: reply[name] for name in same},
            preprocessing="; ".join(step for step in steps if step),
            weights=origin.weights,
            licence=origin.licence,
            is_random=origin.is_random,
            input_note=scaling.note if scaling else "",
        )
        self._notes = scaling.warnings if scaling else ()
        if scaling and scaling.is_assumed and recipe is not None:
            self._notes = doubts(
                lambda scale: self._encoded(recipe.pixels(sample_images()), replace(recipe, scale=scale))
            )

    @property
    def notes(self) -> Sequence[str]:
        """What speaks against the range of its pixels."""
        return self._notes

    @property
    def facts(self) -> ModelFacts:
        """The facts about this model; a text pair has four times the features of a text."""
        return self._facts

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities if the model has a source head."""
        if self._recipe is None:
            return Encoded(encode_texts(as_texts(examples), self._encode_texts, self._facts.width), None)
        images = as_images(examples)
        pixels = self._recipe.pixels(images) if images else np.empty((0, *self._recipe.shape), np.uint8)
        return Encoded(*self._encoded(pixels, self._recipe))

    @property
    def pixels(self) -> PixelInput | None:
        """How images are prepared; None for texts."""
        recipe = self._recipe
        if recipe is None:
            return None

        def encode(pixels: np.ndarray) -> Encoded:
            return Encoded(*self._encoded(pixels, recipe))

        return PixelInput(recipe.geometry, recipe.shape, recipe.apply, encode)

    def _encoded(self, pixels: np.ndarray, recipe: PixelRecipe) -> tuple[np.ndarray, np.ndarray | None]:
        classes = self._facts.source_classes
        features = np.empty((len(pixels), self._facts.width), np.float32)
        probs = np.empty((len(pixels), classes), np.float32) if classes else None
        for start in range(0, len(pixels), _IMAGES):
            rows = slice(start, start + _IMAGES)
            batch = recipe.input_array(pixels[rows])
            arrays = self._worker.ask({"do": Request.ENCODE}, {"batch": batch}).arrays
            features[rows] = arrays["features"]
            if probs is not None:
                probs[rows] = arrays["probs"]
        return features, probs

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, including the source head."""
        count = self._worker.ask({"do": Request.COUNT_KERNELS}).fields["count"]
        for row in range(count):
            yield from self._worker.ask({"do": Request.KERNEL, "row": row}).arrays.values()

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a trainable copy of the weights in this process, if the model supports it."""
        if self._build is None:
            raise NotApplicable(
                "the weights of a SavedModel are frozen: train a .keras file of the same model instead"
            )
        from assay.encoders.restoring import restored_after  # imports torch, which the worker does not need

        trainable = self._build(self._worker)
        with restored_after(trainable.module):
            yield trainable

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _encode_texts(self, texts: list[str]) -> np.ndarray:
        return self._worker.ask({"do": Request.ENCODE, "texts": texts}).arrays["features"]


def found_range(opened: OpenedWorker) -> InputRange | None:
    """Return the range of pixels that the model of a worker expects, if its graph says so."""
    found = opened.facts["found"]
    return None if found is None else InputRange(Range(found[0]), found[1])


def pixel_recipe(
    changes: PixelChanges, opened: OpenedWorker, crop: float | Fraction, *, scale: bool
) -> PixelRecipe:
    """Return the image preprocessing of a model in a worker.

    Args:
        changes: What the user wrote; the size is that of the opened model.
        opened: Says the size and the channels of the input.
        crop: The part of the short side that is kept, where the user wrote none.
        scale: Whether pixels become 0..1.
    """
    usual = centred(tuple(opened.facts["size"]), changes.crop or crop)
    recipe = replace(usual, channels=opened.facts["channels"], scale=scale)
    return replace(changes, image_size=None, crop=None).applied_to(recipe, crop)
