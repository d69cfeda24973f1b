"""An opened text model that takes a list of strings, and its training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.task import Example, Words
from assay.core.trainable import Trainable
from assay.encoders.examples import Text, are_words, as_texts, as_words
from assay.encoders.identity import Origin
from assay.encoders.pairs import compared, encode_texts, sides_of
from assay.encoders.pooling import real_tensor
from assay.encoders.precision import Precision
from assay.encoders.torch_model import Outputs, TorchModel

_PROBE = "Which pretrained model fits my tasks, how sure is that, and what does it cost?"


@final
class StringEncoder(TorchModel[nn.Module]):
    """Calls a module with a list of texts; it returns a tensor, texts x width.

    The module has a tokenizer of its own; it is in evaluation mode, in float32, on ``device``.
    ``preprocessing`` states how it does that, where it is known.
    """

    def __init__(
        self,
        module: nn.Module,
        device: str,
        origin: Origin,
        *,
        preprocessing: str | None = None,
        precision: Precision | None = None,
    ) -> None:
        super().__init__(module, module, device, precision)
        self._facts = self._measured(
            lambda: Outputs(self._encoded([_PROBE])),
            origin,
            size=f"text; MACs are of one of {len(_PROBE)} characters",
            preprocessing=preprocessing or f"as {type(module).__name__} does itself",
        )

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; for a pair u, v: u, v, abs(u - v), u * v; each word is a separate text."""
        if are_words(examples):
            texts: list[Text] = [word for text in as_words(examples) for word in text.words]
        else:
            texts = as_texts(examples)
        features = encode_texts(texts, lambda side: np.asarray(self._encoded(side)), self._facts.width)
        return Encoded(features, None)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a context in which the weights can be trained."""
        with self._trained() as module:
            yield StringTrainable(module, self._device)

    def _encoded(self, texts: list[str]) -> torch.Tensor:
        with self._inference():
            features = self._run(texts)
        if not isinstance(features, torch.Tensor) or features.ndim != 2 or len(features) != len(texts):
            shown = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
            raise ModelError(
                f"{type(self._module).__name__} gave {shown} for {len(texts)} texts. "
                "A text module is called with a list of texts and returns a tensor, texts x width."
            )
        return real_tensor(features).float().cpu()


@final
@dataclass(frozen=True, slots=True)
class StringTrainable(Trainable):
    """A module in training that takes a list of strings and returns texts x width."""

    module: Any
    device: str

    def prepared(self, example: Example) -> Text | Words:
        """Return the text."""
        return example if isinstance(example, Words) else as_texts([example])[0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> list[list[str]]:
        """Return the texts, or all words, without augmentation, because the module tokenizes internally."""
        if isinstance(prepared[0], Words):
            return [[word for text in prepared for word in text.words]]
        return sides_of(prepared)

    def features(self, inputs: list[list[str]]) -> torch.Tensor:
        """Return texts x width, pairs x 4 width, or words x width."""
        return compared([self.module(texts) for texts in inputs])
