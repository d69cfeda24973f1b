"""Tokenizes texts split into words and maps each token to its word, for any tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch

from assay.core.features import Encoded
from assay.core.task import Example, Words
from assay.encoders.examples import as_words
from assay.encoders.pooling import Pooling, pool_words
from assay.encoders.tokens import Tokens

_NO_WORD = -1  # the word index of special tokens and padding


class TokenizedWords(NamedTuple):
    """The token IDs of a text split into words."""

    inputs: dict[str, list[int]]  # by input name
    word_of: list[int]  # the word of each token, or -1; padding at the end may be missing
    words: int
    is_truncated: bool

    @property
    def unread(self) -> int:
        """The number of words without a token, because of truncation or dropped characters."""
        return self.words - len({*self.word_of} - {_NO_WORD})


class WordInputs(NamedTuple):
    """Padded input of texts split into words."""

    inputs: Mapping[str, torch.Tensor]  # by name, each texts x tokens
    word_of: torch.Tensor  # texts x tokens: the position of each token's word among all words, or -1
    words: int


def cut(tokens: Tokens, texts: Sequence[Words]) -> list[TokenizedWords]:
    """Return the tokens of texts split into words.

    Each word is tokenised separately, with a preceding space unless it begins the text, and special tokens
    are added around the text. The result equals the tokens of the whole text if tokens do not span words.
    A space that becomes a separate token belongs to no word.
    """
    whole = tokens.read(["a"])[0][0]
    (plain,) = tokens.plain(["a"])
    starts = range(len(whole["input_ids"]) - len(plain) + 1)
    first = next((at for at in starts if whole["input_ids"][at : at + len(plain)] == plain), 0)
    words = list(dict.fromkeys(chain.from_iterable(text.words for text in texts)))
    alone = dict(zip(words, tokens.plain(words), strict=True))
    spaced = dict(zip(words, tokens.plain([f" {word}" for word in words]), strict=True))
    room = tokens.most - (len(whole["input_ids"]) - len(plain))

    def framed(ids: list[int]) -> dict[str, list[int]]:
        return {
            name: values[:first]
            + (ids if name == "input_ids" else values[first : first + 1] * len(ids))
            + values[first + len(plain) :]
            for name, values in whole.items()
        }

    cut_texts = []
    for text in texts:
        ids, word_of = _pieces(text, alone, spaced)
        inputs = tokens.filled(framed(ids[:room]))
        word_of = [_NO_WORD] * first + word_of[:room]
        cut_texts.append(TokenizedWords(inputs, word_of, len(text.words), len(ids) > room))
    return cut_texts


def padded(tokens: Tokens, texts: Sequence[TokenizedWords], device: str) -> WordInputs:
    """Return texts as one padded input."""
    inputs = tokens.padded([text.inputs for text in texts], device)
    word_of = np.full(inputs["input_ids"].shape, _NO_WORD)
    before = 0
    for line, text in zip(word_of, texts, strict=True):
        own = np.array(text.word_of, dtype=np.int64)
        line[: len(own)] = np.where(own == _NO_WORD, _NO_WORD, own + before)
        before += text.words
    return WordInputs(inputs, torch.from_numpy(word_of).to(device), before)


@dataclass(frozen=True, slots=True)
class WordReading:
    """The conversion of texts split into words to features, one row per word.

    Attributes:
        tokens: The tokenization of texts.
        states: Returns texts x tokens x width for input.
        pooling: The pooling of a word's tokens to one vector.
        unit_length: Whether the vector is scaled to length 1.
        device: The torch device of the input.
    """

    tokens: Tokens
    states: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]
    pooling: Pooling
    unit_length: bool
    device: str

    def features(self, given: WordInputs) -> torch.Tensor:
        """Return features, words x width."""
        pooled = pool_words(self.states(given.inputs), given.word_of, given.words, self.pooling)
        return torch.nn.functional.normalize(pooled, dim=1) if self.unit_length else pooled

    def encode(self, examples: Sequence[Example], width: int) -> Encoded:
        """Return float32 features of all words of the given texts."""
        texts = cut(self.tokens, as_words(examples))
        ends = np.cumsum([text.words for text in texts])
        features = np.empty((int(ends[-1]), width), np.float32)
        with torch.inference_mode():
            for rows in self.tokens.batches([len(text.inputs["input_ids"]) for text in texts]):
                some = self.features(padded(self.tokens, [texts[row] for row in rows], self.device))
                of = [np.arange(ends[row] - texts[row].words, ends[row]) for row in rows]
                features[np.concatenate(of)] = some.float().cpu().numpy()
        truncated = sum(text.is_truncated for text in texts)
        return Encoded(features, None, truncated, sum(text.unread for text in texts))


def _pieces(
    text: Words, alone: Mapping[str, list[int]], spaced: Mapping[str, list[int]]
) -> tuple[list[int], list[int]]:
    """Return the tokens of a text without special tokens, and the word of each token."""
    ids: list[int] = []
    word_of: list[int] = []
    for position, word in enumerate(text.words):
        new = spaced[word] if position else alone[word]
        ahead = len(new) - len(alone[word])
        is_apart = ahead > 0 and new[ahead:] == alone[word]  # the space has its own tokens
        word_of += [_NO_WORD] * (ahead if is_apart else 0)
        ids += new
        word_of += [position] * (len(ids) - len(word_of))
    return ids, word_of
