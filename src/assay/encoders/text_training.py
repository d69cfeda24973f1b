"""Trains text models: transformers, sentence encoders, and modules that are called with texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import hidden
from assay.encoders.pairs import compared
from assay.encoders.tokens import Text, Tokens, as_texts

Inputs = Mapping[str, torch.Tensor]


@final
class TextTrainable(Trainable):
    """A transformer with its weights lent; it reads a pair of texts as one, as it does in fine-tuning.

    Args:
        module: Holds the weights.
        tokens: How a text becomes input.
        pooled: Returns features of padded input.
        device: As torch names it.
    """

    def __init__(
        self, module: nn.Module, tokens: Tokens, pooled: Callable[[Inputs], torch.Tensor], device: str
    ) -> None:
        self.module = module
        self.device = device
        self._tokens = tokens
        self._pooled = pooled

    def prepared(self, example: Example) -> Mapping[str, list[int]]:
        """Return the tokens of a text."""
        return self._tokens.read(as_texts([example]))[0][0]

    def inputs(self, prepared: Sequence[Mapping[str, list[int]]], rng: np.random.Generator | None) -> Inputs:
        """Return padded token numbers, by name."""
        inputs = self._tokens.padded(prepared, self.device)
        return inputs if rng is None else _with_hidden(inputs, self._tokens.tokenizer, rng)

    def features(self, inputs: Inputs) -> torch.Tensor:
        """Return texts x width."""
        return self._pooled(inputs)


@final
class SentenceTrainable(Trainable):
    """A sentence encoder with its weights lent; the texts of a pair are read one by one and compared.

    Args:
        module: The ``SentenceTransformer``.
        prompt: What is put before each text.
        device: As torch names it.
    """

    def __init__(self, module: Any, prompt: str, device: str) -> None:
        self.module = module
        self.device = device
        self._prompt = prompt

    def prepared(self, example: Example) -> Text:
        """Return the text."""
        return as_texts([example])[0]

    def inputs(self, prepared: Sequence[Text], rng: np.random.Generator | None) -> list[Inputs]:
        """Return the input of all texts; of pairs, of all first ones and of all second ones."""
        found = []
        for texts in _sides(prepared):
            inputs = self.module.preprocess([self._prompt + text for text in texts])
            inputs = {
                name: value.to(self.device) if isinstance(value, torch.Tensor) else value
                for name, value in inputs.items()
            }
            found.append(inputs if rng is None else _with_hidden(inputs, self.module.tokenizer, rng))
        return found

    def features(self, inputs: list[Inputs]) -> torch.Tensor:
        """Return texts x width, or pairs x 4 width."""
        return compared([self.module(dict(side))["sentence_embedding"] for side in inputs])


@final
class StringTrainable(Trainable):
    """A module of the user's own that is called with a list of texts; its weights are lent.

    Args:
        module: Returns texts x width.
        device: As torch names it.
    """

    def __init__(self, module: nn.Module, device: str) -> None:
        self.module = module
        self.device = device

    def prepared(self, example: Example) -> Text:
        """Return the text."""
        return as_texts([example])[0]

    def inputs(self, prepared: Sequence[Text], rng: np.random.Generator | None) -> list[list[str]]:
        """Return the texts, without augmentation: what the module makes of them is its own."""
        return _sides(prepared)

    def features(self, inputs: list[list[str]]) -> torch.Tensor:
        """Return texts x width, or pairs x 4 width."""
        return compared([self.module(texts) for texts in inputs])


def _sides(texts: Sequence[Text]) -> list[list[str]]:
    if isinstance(texts[0], str):
        return [[str(text) for text in texts]]
    return [[text[side] for text in texts] for side in (0, 1)]


def _with_hidden(inputs: Inputs, tokenizer: Any, rng: np.random.Generator) -> Inputs:
    """Return the input with some tokens hidden, as masked language models are trained; others stay."""
    stands = next(
        (number for number in (tokenizer.mask_token_id, tokenizer.unk_token_id) if number is not None), None
    )
    if stands is None:
        return inputs
    ids = inputs["input_ids"]
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids, device=ids.device))
    places = hidden(tuple(ids.shape), rng).to(ids.device) & ~special
    return {**inputs, "input_ids": ids.masked_fill(places, stands)}
