"""An opened sentence encoder: the modules of sentence-transformers, used as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.cost import count_macs, weight_bytes, weight_count
from assay.encoders.examples import Text, as_texts
from assay.encoders.lending import lent
from assay.encoders.matrices import weight_matrices
from assay.encoders.pairs import encode_texts
from assay.encoders.pooling import Pooling
from assay.encoders.text_training import SentenceTrainable
from assay.encoders.tokens import Tokens
from assay.encoders.weights import Origin, seeded, state_hash
from assay.encoders.words import WordReading, are_words


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is put before each text: a text, or the name of one that the model comes with."""

    text: str | None = None
    name: str | None = None


@final
class SentenceEncoder(Model):
    """Encodes texts as ``SentenceTransformer.encode`` does; a pair is compared feature by feature.

    Args:
        module: The ``SentenceTransformer``, on its device.
        prompt: What is put before each text.
        origin: Where the weights came from.
    """

    def __init__(self, module: Any, prompt: Prompt, origin: Origin) -> None:
        self._module = module.eval().requires_grad_(requires_grad=False).float()
        self._prompt = prompt
        self._facts = self._measured(origin)

    @property
    def facts(self) -> ModelFacts:
        """What is known of this model; a pair has four times as many features as a text."""
        return self._facts

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; of a pair u, v: u, v, abs(u - v), u * v; of words a row for each."""
        if are_words(examples):
            return self._words().encode(examples, self._facts.width)
        texts = as_texts(examples)
        if not texts:
            return Encoded(np.empty((0, self._facts.width), np.float32), None)
        return Encoded(encode_texts(texts, self._embedded), None, self._truncated(texts))

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices."""
        return weight_matrices(self._module)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield SentenceTrainable(module, self._prompt_text(), self._words, str(self._module.device))

    def close(self) -> None:
        """Free the weights."""
        self._module = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _embedded(self, texts: Sequence[Any]) -> np.ndarray:
        if self._module is None:
            raise ModelError("The model is closed. Open it again.")
        features: np.ndarray = self._module.encode(
            list(texts),
            prompt=self._prompt.text,
            prompt_name=self._prompt.name,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return features.astype(np.float32, copy=False)

    def _truncated(self, texts: Sequence[Text]) -> int:
        """Return how many texts, or pairs, are longer than the model reads."""
        tokens = self._tokens()
        if tokens is None:
            return 0
        sides = [texts] if isinstance(texts[0], str) else [[text[side] for text in texts] for side in (0, 1)]
        prompt = self._prompt_text()
        return len({row for side in sides for row in tokens.read([f"{prompt}{text}" for text in side])[1]})

    def _tokens(self) -> Tokens | None:
        """Return how the transformer of the model reads a text; None where there is none."""
        tokenizer, most = getattr(self._module[0], "tokenizer", None), self._module.max_seq_length
        return Tokens(tokenizer, most) if callable(tokenizer) and most else None

    def _words(self) -> WordReading:
        """Return how words are read: by the transformer of the model, without its prompt."""
        if self._module is None:
            raise ModelError("The model is closed. Open it again.")
        encoder, tokens = getattr(self._module[0], "auto_model", None), self._tokens()
        if encoder is None or tokens is None:
            raise NotApplicable("this sentence encoder has no transformer whose tokens could be read")
        if encoder.config.hidden_size != self._facts.width:
            raise NotApplicable("the features of this sentence encoder are not those of its tokens")
        device = str(next(self._module.parameters()).device)
        return WordReading(
            tokens, lambda inputs: encoder(**inputs).last_hidden_state, Pooling.MEAN, False, device
        )

    def _measured(self, origin: Origin) -> ModelFacts:
        module, most = self._module, self._module.max_seq_length
        probe = " ".join(["a"] * (most or 1))  # at least as many tokens as the model reads
        return ModelFacts(
            width=self._embedded(["a"]).shape[1],
            parameters=weight_count(module),
            macs=count_macs(lambda: self._embedded([probe])),
            bytes=weight_bytes(module),
            input=f"{most} tokens" if most else "text",
            preprocessing=" > ".join(type(part).__name__ for part in module) + self._prompted(),
            source_classes=0,
            weights=origin.weights,
            fingerprint=state_hash(module),
            licence=origin.licence,
            is_random=origin.is_random,
        )

    def _prompt_text(self) -> str:
        name = self._prompt.name or self._module.default_prompt_name
        text = (
            self._prompt.text if self._prompt.text is not None or name is None else self._module.prompts[name]
        )
        return text or ""

    def _prompted(self) -> str:
        text = self._prompt_text()
        return f"; prompt {text!r}" if text else ""


def randomised(module: nn.Module, seed: int) -> None:
    """Give every module that can initialise itself new weights, drawn from ``seed``."""
    from transformers import PreTrainedModel

    with seeded(seed):
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)  # torch's convention for layers with weights
            if callable(reset):
                reset()
        for part in module.modules():
            if isinstance(part, PreTrainedModel):
                part.load_state_dict(type(part)(part.config).state_dict())
