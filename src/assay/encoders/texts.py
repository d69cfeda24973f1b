"""An opened text model: a transformer, its tokenizer, and how its tokens become one vector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from assay.encoders.depth import LAST, Depth, with_base
from assay.encoders.examples import Text, as_texts
from assay.encoders.fisher import head_fishers
from assay.encoders.pairs import Pairs, compared
from assay.encoders.pooling import Pooling, States, pool
from assay.encoders.restoring import lent
from assay.encoders.text_training import TextTrainable
from assay.encoders.tokens import Tokens
from assay.encoders.torch_model import Seen, TorchModel
from assay.encoders.weights import Origin
from assay.encoders.words import WordReading, are_words

Read = Callable[[Mapping[str, torch.Tensor]], States]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text becomes features.

    Attributes:
        tokens: How a text becomes input.
        pooling: How its tokens become one vector.
        unit_length: Whether that vector is scaled to length 1.
        pairs: Whether the texts of a pair are one input, or each one of its own.
        depth: Of which layer the tokens are.
    """

    tokens: Tokens
    pooling: Pooling
    unit_length: bool = False
    pairs: Pairs = Pairs.TOGETHER
    depth: Depth = LAST

    def describe(self) -> str:
        """Return in words what is done to a text."""
        special = "" if self.tokens.special else ", without special tokens"
        unit = "; scaled to length 1" if self.unit_length else ""
        return (
            f"{type(self.tokens.tokenizer).__name__}{special}; at most {self.tokens.most} tokens; "
            f"{self.depth.describe()}pooling {self.pooling}{unit}; pairs {self.pairs}"
        )


@final
class TextEncoder(TorchModel[Read]):
    """Encodes texts and pairs of texts with a transformer, in evaluation mode and float32.

    Args:
        module: Holds the weights; it is moved to ``device``.
        read: Runs ``module`` on input.
        reading: How a text becomes input, and tokens become features.
        device: As torch names it.
        origin: Where the weights came from.
    """

    def __init__(self, module: nn.Module, read: Read, reading: Reading, device: str, origin: Origin) -> None:
        super().__init__(module, read, device)
        self._reading = reading
        self._facts = self._known(self._seen(), origin)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities where the model has a source head.

        Of a pair u, v that is read apart they are u, v, abs(u - v), u * v, and there are no probabilities. Of
        a text that is cut into words there is a row for each word, pooled from its tokens as a text is.
        """
        if are_words(examples):
            return self._words().encode(examples, self._facts.width)
        texts = as_texts(examples)
        if not texts:
            classes = self._facts.source_classes
            probs = np.empty((0, classes), np.float32) if classes else None
            return Encoded(np.empty((0, self._facts.width), np.float32), probs)
        if self._reading.pairs is Pairs.TOGETHER or isinstance(texts[0], str):
            features, probs, cut = self._encoded(texts)
            return Encoded(features, probs, len(cut))
        (left, _, cut), (right, _, more) = (self._encoded([text[side] for text in texts]) for side in (0, 1))
        features = compared([torch.from_numpy(left), torch.from_numpy(right)]).numpy()
        return Encoded(features, None, len({*cut, *more}))

    def _encoded(self, texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
        """Return features, source probabilities, and the positions of the texts that were cut."""
        classes = self._facts.source_classes
        features = np.empty((len(texts), self._facts.width), np.float32)
        probs = np.empty((len(texts), classes), np.float32) if classes else None
        encoded, cut = self._reading.tokens.read(texts)
        with torch.inference_mode():
            for rows, inputs in self._reading.tokens.chunks(encoded, self._device):
                states = self._states(inputs)
                features[rows] = self._pooled(states, inputs).float().cpu().numpy()
                if probs is not None and states.logits is not None:
                    probs[rows] = states.logits.float().softmax(1).cpu().numpy()
        return features, probs, cut

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on some texts, one at a time."""

        def see(inputs: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor | None]:
            states = self._states(inputs)
            return self._pooled(states, inputs), states.logits

        def one(example: Example) -> list[Text]:
            texts = as_texts([example])
            if isinstance(texts[0], tuple) and self._reading.pairs is Pairs.APART:
                raise NotApplicable("its gradients are of one text, and the texts of a pair are read apart")
            return texts

        tokens = self._reading.tokens
        each = (tokens.read(one(example))[0] for example in examples)
        inputs = (chunk.inputs for text in each for chunk in tokens.chunks(text, self._device))
        return head_fishers(self._module, see, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield TextTrainable(module, self._words(), self._features)

    def _states(self, inputs: Mapping[str, torch.Tensor]) -> States:
        return self._run(inputs)

    def _features(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return self._pooled(self._states(inputs), inputs)

    def _words(self) -> WordReading:
        how = self._reading
        return WordReading(how.tokens, self._tokens, how.pooling, how.unit_length, self._device)

    def _tokens(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return self._states(inputs).tokens

    def _pooled(self, states: States, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        features = pool(states, inputs["attention_mask"], self._reading.pooling)
        return nn.functional.normalize(features, dim=1) if self._reading.unit_length else features

    def _seen(self) -> Seen:
        longest = self._reading.tokens.longest(self._device)
        with torch.no_grad():
            states = self._states(longest)
            width = self._pooled(states, longest).shape[1]
        return Seen(
            width=width,
            source_classes=0 if states.logits is None else states.logits.shape[1],
            input=f"{self._reading.tokens.most} tokens",
            preprocessing=self._reading.describe(),
            again=lambda: self._states(longest),
        )


def read_base(module: Any, depth: Depth = LAST) -> Read:
    """Return how to read a transformer without a head."""

    def read(inputs: Mapping[str, torch.Tensor]) -> States:
        return _states(module(**inputs, **depth.wanted), depth)

    return read


def read_classifier(module: Any, depth: Depth = LAST) -> Read:
    """Return how to read a transformer with a classification head: features below the head, and logits."""

    def read(inputs: Mapping[str, torch.Tensor]) -> States:
        output, below = with_base(module, lambda: module(**inputs, **depth.wanted))
        return _states(below, depth)._replace(logits=output.logits)

    return read


def _states(output: Any, depth: Depth) -> States:
    return States(torch.cat(list(depth.states(output)), dim=-1), output.get("pooler_output"))


def keep_layers(module: nn.Module, layers: int, of: int) -> None:
    """Cut a transformer after some of its layers."""
    if not 1 <= layers <= of:
        raise ModelError(f"Setting 'layers' is {layers}; this model has {of}. Write 1 to {of}.")
    stacks = [part for part in module.modules() if isinstance(part, nn.ModuleList) and len(part) == of]
    if len(stacks) != 1:
        raise ModelError(
            f"{type(module).__name__} cannot be cut after a layer. Leave out the setting 'layers'."
        )
    del stacks[0][layers:]
