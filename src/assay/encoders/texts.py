"""An opened text model: a transformer with its tokenizer and pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import Text, are_words, as_texts, distinct
from assay.encoders.fisher import head_fishers
from assay.encoders.identity import Origin
from assay.encoders.layer_selection import LAST, LayerSelection, with_base
from assay.encoders.pairs import Pairs, encode_texts
from assay.encoders.pooling import Pooling, States, pool
from assay.encoders.precision import Precision
from assay.encoders.text_training import Inputs, TextTrainable
from assay.encoders.tokens import Tokens
from assay.encoders.torch_model import Outputs, TorchModel
from assay.encoders.words import WordReading

IdentifiedModel = Callable[[Inputs], States]


@dataclass(frozen=True, slots=True)
class Reading:
    """The conversion of texts to features.

    Attributes:
        tokens: The tokenization of texts.
        pooling: The pooling of tokens to one vector.
        unit_length: Whether the vector is scaled to length 1.
        pairs: Whether the texts of a pair are one input or two.
        layers: The layer selection.
    """

    tokens: Tokens
    pooling: Pooling
    unit_length: bool = False
    pairs: Pairs = Pairs.TOGETHER
    layers: LayerSelection = LAST

    def describe(self) -> str:
        """Describe the preprocessing of a text."""
        special = "" if self.tokens.special else ", without special tokens"
        unit = "; scaled to length 1" if self.unit_length else ""
        return (
            f"{type(self.tokens.tokenizer).__name__}{special}; at most {self.tokens.most} tokens; "
            f"{self.layers.describe()}pooling {self.pooling}{unit}; pairs {self.pairs}"
        )


@final
class TextEncoder(TorchModel[IdentifiedModel]):
    """Encodes texts and pairs of texts with a transformer, in evaluation mode and float32.

    Args:
        module: The torch module with the weights; it is moved to ``device``.
        read: Runs ``module`` on input.
        reading: The conversion of texts to features.
        device: The torch device.
        origin: The origin of the weights.
        precision: The precision of encoding; by default it is chosen for the device.
    """

    def __init__(
        self,
        module: nn.Module,
        read: IdentifiedModel,
        reading: Reading,
        device: str,
        origin: Origin,
        precision: Precision | None = None,
    ) -> None:
        super().__init__(module, read, device, precision)
        self._reading = reading
        probe = reading.tokens.longest(device)
        self._facts = self._measured(
            lambda: self._outputs(probe),
            origin,
            size=f"{reading.tokens.most} tokens",
            preprocessing=reading.describe(),
        )

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities if the model has a source head.

        Of a pair u, v that is read apart they are u, v, abs(u - v), u * v, and there are no probabilities. Of
        a text that is cut into words there is a row for each word, pooled from its tokens as a text is.
        """
        if are_words(examples):
            with self._inference():
                return self._words().encode(examples, self._facts.width)
        texts = as_texts(examples)
        if texts and isinstance(texts[0], tuple) and self._reading.pairs is Pairs.APART:
            cut: set[int] = set()

            def encode(side: list[str]) -> np.ndarray:
                features, _, rows = self._encoded(side)
                cut.update(rows)
                return features

            return Encoded(encode_texts(texts, encode, self._facts.width), None, len(cut))
        features, probs, rows = self._encoded(texts)
        return Encoded(features, probs, len(rows))

    def _encoded(self, texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
        """Return features, source probabilities, and the positions of truncated texts.

        Identical texts are read once.
        """
        tokens = self._reading.tokens
        each, of_text = distinct(texts)
        encoded, cut = tokens.read(each) if each else ([], [])
        parts = ((rows, self._outputs(inputs)) for rows, inputs in tokens.chunks(encoded, self._device))
        features, probs = self._collected(len(each), parts)
        if len(each) == len(texts):
            return features, probs, cut
        probs = None if probs is None else probs[of_text]
        return features[of_text], probs, np.isin(of_text, cut).nonzero()[0].tolist()

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on texts, one at a time."""

        def as_one(example: Example) -> list[Text]:
            texts = as_texts([example])
            if isinstance(texts[0], tuple) and self._reading.pairs is Pairs.APART:
                raise NotApplicable("its gradients are of one text, and the texts of a pair are read apart")
            return texts

        tokens = self._reading.tokens
        each = (tokens.read(as_one(example))[0] for example in examples)
        inputs = (chunk.inputs for text in each for chunk in tokens.chunks(text, self._device))
        return head_fishers(self._differentiable, self._outputs, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a context in which the weights can be trained."""
        with self._trained() as module:
            yield TextTrainable(module, self._words(), self._features, self._device)

    def _words(self) -> WordReading:
        reading = self._reading
        return WordReading(
            reading.tokens,
            lambda inputs: self._run(inputs).tokens,
            reading.pooling,
            reading.unit_length,
            self._device,
        )

    def _features(self, inputs: Inputs) -> torch.Tensor:
        return self._outputs(inputs).features

    def _outputs(self, inputs: Inputs) -> Outputs:
        states = self._run(inputs)
        mask = inputs["attention_mask"].to(states.tokens.device)  # the last of several
        features = pool(states, mask, self._reading.pooling)
        if self._reading.unit_length:
            features = nn.functional.normalize(features, dim=1)
        return Outputs(features, states.logits)


def read_base(module: Any, layers: LayerSelection = LAST) -> IdentifiedModel:
    """Return the forward pass of a transformer without a head."""

    def read(inputs: Inputs) -> States:
        return _states(module(**inputs, **layers.arguments), layers)

    return read


def read_classifier(module: Any, layers: LayerSelection = LAST) -> IdentifiedModel:
    """Return the forward pass of a transformer with a head: features below the head, and logits."""

    def read(inputs: Inputs) -> States:
        output, below = with_base(module, lambda: module(**inputs, **layers.arguments))
        return _states(below, layers)._replace(logits=output.logits)

    return read


def _states(output: Any, layers: LayerSelection) -> States:
    return States(torch.cat(list(layers.states(output)), dim=-1), output.get("pooler_output"))


def keep_layers(module: nn.Module, layers: int, of: int) -> None:
    """Keep only the first layers of a transformer."""
    if not 1 <= layers <= of:
        raise ModelError(f"Setting 'layers' is {layers}; this model has {of}. Write 1 to {of}.")
    stacks = [part for part in module.modules() if isinstance(part, nn.ModuleList) and len(part) == of]
    if len(stacks) != 1:
        raise ModelError(
            f"{type(module).__name__} cannot be cut after a layer. Leave out the setting 'layers'."
        )
    del stacks[0][layers:]
