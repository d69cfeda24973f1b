"""Trains text models: transformers, sentence encoders, and modules that are called with texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.task import Example, Words
from assay.core.trainable import Trainable
from assay.encoders.augmentation import hidden
from assay.encoders.examples import Text, as_texts
from assay.encoders.pairs import compared
from assay.encoders.words import CutText, WordInputs, WordReading, cut, padded

Inputs = Mapping[str, torch.Tensor]


@final
class TextTrainable(Trainable):
    """A transformer with its weights lent; it reads a pair of texts as one, as it does in fine-tuning.

    Args:
        module: Holds the weights.
        words: How a text of words becomes input, and a row for each word; other texts have the same tokens.
        pooled: Returns features of padded input.
    """

    def __init__(
        self, module: nn.Module, words: WordReading, pooled: Callable[[Inputs], torch.Tensor]
    ) -> None:
        self.module = module
        self.device = words.device
        self._words = words
        self._tokens = words.tokens
        self._pooled = pooled

    def prepared(self, example: Example) -> Mapping[str, list[int]] | CutText:
        """Return the tokens of a text."""
        if isinstance(example, Words):
            return cut(self._tokens, [example])[0]
        return self._tokens.read(as_texts([example]))[0][0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> Inputs | WordInputs:
        """Return padded token numbers, by name."""
        if isinstance(prepared[0], CutText):
            return _words_hidden(padded(self._tokens, prepared, self.device), self._tokens.tokenizer, rng)
        inputs = self._tokens.padded(prepared, self.device)
        return inputs if rng is None else _with_hidden(inputs, self._tokens.tokenizer, rng)

    def features(self, inputs: Inputs | WordInputs) -> torch.Tensor:
        """Return texts x width, or words x width."""
        return self._words.features(inputs) if isinstance(inputs, WordInputs) else self._pooled(inputs)


@final
class SentenceTrainable(Trainable):
    """A sentence encoder with its weights lent; the texts of a pair are read one by one and compared.

    Args:
        module: The ``SentenceTransformer``.
        prompt: What is put before each text.
        words: Returns how a text of words is read, or raises ``NotApplicable``.
        device: As torch names it.
    """

    def __init__(self, module: Any, prompt: str, words: Callable[[], WordReading], device: str) -> None:
        self.module = module
        self.device = device
        self._prompt = prompt
        self._words = words

    def prepared(self, example: Example) -> Text | CutText:
        """Return the text, or the tokens of its words."""
        if isinstance(example, Words):
            return cut(self._words().tokens, [example])[0]
        return as_texts([example])[0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> list[Inputs] | WordInputs:
        """Return the input of all texts; of pairs, of all first ones and of all second ones."""
        if isinstance(prepared[0], CutText):
            reading = self._words()
            return _words_hidden(padded(reading.tokens, prepared, self.device), reading.tokens.tokenizer, rng)
        found = []
        for texts in _sides(prepared):
            inputs = self.module.preprocess([self._prompt + text for text in texts])
            inputs = {
                name: value.to(self.device) if isinstance(value, torch.Tensor) else value
                for name, value in inputs.items()
            }
            found.append(inputs if rng is None else _with_hidden(inputs, self.module.tokenizer, rng))
        return found

    def features(self, inputs: list[Inputs] | WordInputs) -> torch.Tensor:
        """Return texts x width, pairs x 4 width, or words x width."""
        if isinstance(inputs, WordInputs):
            return self._words().features(inputs)
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

    def prepared(self, example: Example) -> Text | Words:
        """Return the text."""
        return example if isinstance(example, Words) else as_texts([example])[0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> list[list[str]]:
        """Return the texts, or all words, without augmentation: what the module makes of them is its own."""
        if isinstance(prepared[0], Words):
            return [[word for text in prepared for word in text.words]]
        return _sides(prepared)

    def features(self, inputs: list[list[str]]) -> torch.Tensor:
        """Return texts x width, pairs x 4 width, or words x width."""
        return compared([self.module(texts) for texts in inputs])


def _sides(texts: Sequence[Text]) -> list[list[str]]:
    if isinstance(texts[0], str):
        return [[str(text) for text in texts]]
    return [[text[side] for text in texts] for side in (0, 1)]


def _words_hidden(given: WordInputs, tokenizer: Any, rng: np.random.Generator | None) -> WordInputs:
    return given if rng is None else given._replace(inputs=_with_hidden(given.inputs, tokenizer, rng))


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
