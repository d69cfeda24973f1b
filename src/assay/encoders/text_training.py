"""Trains text transformers, with token masking as augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from assay.core.task import Example, Words
from assay.core.trainable import Trainable
from assay.encoders.augmentation import hidden
from assay.encoders.examples import as_texts
from assay.encoders.tokens import Tokens
from assay.encoders.words import TokenizedWords, WordInputs, WordReading, cut, padded

Inputs = Mapping[str, torch.Tensor]


@final
@dataclass(frozen=True, slots=True)
class TextTrainable(Trainable):
    """A transformer in training; text pairs are one input, as in fine-tuning.

    Attributes:
        words: The reading of texts split into words; its tokens are used for other texts as well.
        pooled: Returns the features of padded input.
    """

    module: Any
    words: WordReading
    pooled: Callable[[Inputs], torch.Tensor]
    device: str

    def prepared(self, example: Example) -> Mapping[str, list[int]] | TokenizedWords:
        """Return the tokens of a text."""
        if isinstance(example, Words):
            return cut(self.words.tokens, [example])[0]
        return self.words.tokens.read(as_texts([example]))[0][0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> Inputs | WordInputs:
        """Return padded token IDs, by input name."""
        if isinstance(prepared[0], TokenizedWords):
            return word_inputs(self.words.tokens, prepared, self.device, rng)
        inputs = self.words.tokens.padded(prepared, self.device)
        return inputs if rng is None else hide_tokens(inputs, self.words.tokens.tokenizer, rng)

    def features(self, inputs: Inputs | WordInputs) -> torch.Tensor:
        """Return features, texts x width or words x width."""
        return self.words.features(inputs) if isinstance(inputs, WordInputs) else self.pooled(inputs)


def word_inputs(
    tokens: Tokens, prepared: Sequence[TokenizedWords], device: str, rng: np.random.Generator | None
) -> WordInputs:
    """Return texts split into words as one padded input; with ``rng``, random tokens are masked."""
    inputs = padded(tokens, prepared, device)
    if rng is None:
        return inputs
    return inputs._replace(inputs=hide_tokens(inputs.inputs, tokens.tokenizer, rng))


def hide_tokens(inputs: Inputs, tokenizer: Any, rng: np.random.Generator) -> Inputs:
    """Return the input with random tokens masked, as in masked language modelling."""
    numbers = (tokenizer.mask_token_id, tokenizer.unk_token_id)
    substitute = next((number for number in numbers if number is not None), None)
    if substitute is None:
        return inputs
    ids = inputs["input_ids"]
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids, device=ids.device))
    mask = hidden(tuple(ids.shape), rng).to(ids.device) & ~special
    return {**inputs, "input_ids": ids.masked_fill(mask, substitute)}
