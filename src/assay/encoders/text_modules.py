"""An opened text model of the user's own: a torch module that is called with a list of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import as_texts
from assay.encoders.pairs import encode_texts
from assay.encoders.restoring import lent
from assay.encoders.text_training import StringTrainable
from assay.encoders.torch_model import Seen, TorchModel
from assay.encoders.weights import Origin
from assay.encoders.words import are_words, as_words

_PROBE = "Which pretrained model fits my tasks, how sure is that, and what does it cost?"


@final
class StringEncoder(TorchModel[nn.Module]):
    """Calls a module with a list of texts; it returns a tensor, texts x width.

    The module splits the texts into whatever it reads; it is in evaluation mode, in float32, on ``device``.
    What is known of how it does that may be said as ``preprocessing``.
    """

    def __init__(
        self, module: nn.Module, device: str, origin: Origin, *, preprocessing: str | None = None
    ) -> None:
        super().__init__(module, module, device)
        seen = Seen(
            width=self._encoded([_PROBE]).shape[1],
            source_classes=0,
            input=f"text; MACs are of one of {len(_PROBE)} characters",
            preprocessing=preprocessing or f"as {type(module).__name__} does itself",
            again=lambda: self._encoded([_PROBE]),
        )
        self._facts = self._known(seen, origin)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; of a pair u, v: u, v, abs(u - v), u * v; of words each as a text alone."""
        if are_words(examples):
            words = [word for text in as_words(examples) for word in text.words]
            return Encoded(encode_texts(words, self._encoded), None)
        texts = as_texts(examples)
        if not texts:
            return Encoded(np.empty((0, self._facts.width), np.float32), None)
        return Encoded(encode_texts(texts, self._encoded), None)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield StringTrainable(module, self._device)

    def _encoded(self, texts: list[str]) -> np.ndarray:
        with torch.inference_mode():
            features = self._run(texts)
        if not isinstance(features, torch.Tensor) or features.ndim != 2 or len(features) != len(texts):
            told = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
            raise ModelError(
                f"{type(self._module).__name__} gave {told} for {len(texts)} texts. "
                "A text module is called with a list of texts and returns a tensor, texts x width."
            )
        return np.asarray(features.float().cpu())
