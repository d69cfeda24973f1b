"""Converts texts and text pairs to padded batches of token IDs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from assay.encoders.examples import Text

_TOGETHER = 32  # texts of a batch
_PADDING = 64  # tokens of padding in a batch, which take about as long as a batch of its own
_FROM_PADDING = (  # types of models whose first position is the one after the padding token
    *("roberta", "camembert", "mpnet", "longformer", "data2vec", "ibert", "lilt", "luke", "layoutlmv3"),
    *("markuplm", "xmod", "esm"),
)


class Chunk(NamedTuple):
    """A group of texts as padded input."""

    rows: list[int]  # positions in the batch
    inputs: dict[str, torch.Tensor]  # by name, each texts x tokens


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokenizes texts.

    Attributes:
        tokenizer: A tokenizer of transformers.
        most: The maximum number of tokens of a text; longer texts are truncated.
        special: Whether the tokenizer adds its special tokens.
        pads: False for a model whose features change with padding: only texts of one length go together.
        least: The least number of tokens that the model reads; shorter texts are padded.
    """

    tokenizer: Any
    most: int
    special: bool = True
    pads: bool = True
    least: int = 1

    @property
    def padding(self) -> int:
        """The padding token ID; without one, any ID works because padding is masked out."""
        numbers = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, self.tokenizer.unk_token_id)
        return int(next((number for number in numbers if number is not None), 0))

    def read(self, texts: Sequence[Text]) -> tuple[list[dict[str, list[int]]], list[int]]:
        """Return the tokens of each text by input name, and the positions of truncated texts."""
        whole = self._tokenised(texts, truncation=False)
        long = [row for row, text in enumerate(whole) if len(text["input_ids"]) > self.most]
        if long:
            for row, cut in zip(
                long, self._tokenised([texts[row] for row in long], truncation=True), strict=True
            ):
                whole[row] = cut
        return whole, long

    def plain(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token IDs of each text, without special tokens or truncation."""
        if not texts:
            return []
        encoded = self.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def chunks(
        self, encoded: Sequence[Mapping[str, list[int]]], device: str, padding: float = _PADDING
    ) -> Iterator[Chunk]:
        """Yield padded batches of texts of similar length; see ``batches``."""
        for rows in self.batches([len(text["input_ids"]) for text in encoded], padding):
            yield Chunk(rows, self.padded([encoded[row] for row in rows], device))

    def batches(self, lengths: Sequence[int], padding: float = _PADDING) -> Iterator[list[int]]:
        """Yield the positions of texts of similar length, one batch at a time, the longest first.

        Args:
            lengths: The number of tokens of each text.
            padding: The most tokens of padding in a batch.
        """
        batch: list[int] = []
        filled = 0  # tokens of padding in the batch
        for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
            lacking = lengths[batch[0]] - lengths[row] if batch else 0
            if len(batch) == _TOGETHER or filled + lacking > (padding if self.pads else 0):
                yield batch
                batch, filled, lacking = [], 0, 0
            batch.append(row)
            filled += lacking
        if batch:
            yield batch

    def longest(self, device: str) -> dict[str, torch.Tensor]:
        """Return the input of one text with the maximum number of tokens."""
        example = self.read(["a"])[0][0]
        return self.padded([{name: values[:1] * self.most for name, values in example.items()}], device)

    def _tokenised(self, texts: Sequence[Text], *, truncation: bool) -> list[dict[str, list[int]]]:
        pairs = isinstance(texts[0], tuple)
        encoded = self.tokenizer(
            [text[0] if pairs else text for text in texts],
            text_pair=[text[1] for text in texts] if pairs else None,
            add_special_tokens=self.special,
            truncation=truncation,
            max_length=self.most if truncation else None,
            return_attention_mask=True,
            verbose=False,
        )
        return [
            self.filled({name: values[row] for name, values in encoded.items()}) for row in range(len(texts))
        ]

    def filled(self, values: dict[str, list[int]]) -> dict[str, list[int]]:
        """Return the tokens of a text; an empty text gets one padding token."""
        if values["input_ids"]:
            return values
        blank = {name: [0] for name in values}  # an empty text without special tokens still needs one token
        return {**blank, "input_ids": [self.padding], "attention_mask": [1]}

    def padded(self, encoded: Sequence[Mapping[str, list[int]]], device: str) -> dict[str, torch.Tensor]:
        """Return texts x tokens for each input name, padded on the right."""
        length = max(self.least, *(len(text["input_ids"]) for text in encoded))
        fill = {"input_ids": self.padding, "token_type_ids": int(self.tokenizer.pad_token_type_id)}
        return {
            name: torch.tensor(
                [text[name] + [fill.get(name, 0)] * (length - len(text[name])) for text in encoded],
                device=device,
            )
            for name in encoded[0]
        }


def most_tokens(tokenizer: Any, config: Any, wanted: int) -> int:
    """Return the maximum number of tokens: the wanted number, or less if the model reads fewer."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None) or wanted
    if positions > 1 and _counts_from_padding(config):
        positions -= int(config.pad_token_id) + 1  # positions start after the padding position
    return int(min(wanted, tokenizer.model_max_length, positions if positions > 0 else wanted))


def _counts_from_padding(config: Any) -> bool:
    return any(word in config.model_type for word in _FROM_PADDING)
