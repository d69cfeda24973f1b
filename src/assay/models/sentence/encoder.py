"""An opened sentence encoder: the modules of sentence-transformers, used as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from torch import nn

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import Text, as_texts
from assay.encoders.pairs import encode_texts
from assay.encoders.pooling import Pooling
from assay.encoders.restoring import lent
from assay.encoders.text_training import SentenceTrainable
from assay.encoders.tokens import Tokens
from assay.encoders.torch_model import Seen, TorchModel
from assay.encoders.weights import Origin, seeded
from assay.encoders.words import WordReading, are_words


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is put before each text: a text, or the name of one that the model comes with."""

    text: str | None = None
    name: str | None = None


@final
class SentenceEncoder(TorchModel[Callable[..., np.ndarray]]):
    """Encodes texts as ``SentenceTransformer.encode`` does; a pair is compared feature by feature.

    Args:
        module: The ``SentenceTransformer``, on its device.
        prompt: What is put before each text.
        origin: Where the weights came from.
    """

    def __init__(self, module: Any, prompt: Prompt, origin: Origin) -> None:
        super().__init__(module.float(), module.encode, str(module.device))
        self._prompt = prompt
        self._facts = self._known(self._seen(), origin)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; of a pair u, v: u, v, abs(u - v), u * v; of words a row for each."""
        if are_words(examples):
            return self._words().encode(examples, self._facts.width)
        texts = as_texts(examples)
        if not texts:
            return Encoded(np.empty((0, self._facts.width), np.float32), None)
        return Encoded(encode_texts(texts, self._embedded), None, self._truncated(texts))

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield SentenceTrainable(module, self._prompt_text(), self._words, self._device)

    def _embedded(self, texts: Sequence[Any]) -> np.ndarray:
        features = self._run(
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
        encoder, tokens = getattr(self._module[0], "auto_model", None), self._tokens()
        if encoder is None or tokens is None:
            raise NotApplicable("this sentence encoder has no transformer whose tokens could be read")
        if encoder.config.hidden_size != self._facts.width:
            raise NotApplicable("the features of this sentence encoder are not those of its tokens")
        return WordReading(
            tokens, lambda inputs: encoder(**inputs).last_hidden_state, Pooling.MEAN, False, self._device
        )

    def _seen(self) -> Seen:
        module, most = self._module, self._module.max_seq_length
        probe = " ".join(["a"] * (most or 1))  # at least as many tokens as the model reads
        return Seen(
            width=self._embedded(["a"]).shape[1],
            source_classes=0,
            input=f"{most} tokens" if most else "text",
            preprocessing=" > ".join(type(part).__name__ for part in module) + self._prompted(),
            again=lambda: self._embedded([probe]),
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
