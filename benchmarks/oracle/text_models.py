"""The text models beside the checkout as modules that read texts, for ``texts.toml``.

Each reads as the model was trained to: bytes, characters, pieces of words, or words; their weights and where
those come from stand in the manifest of the real data. One text at a time: padding would be read as text.
"""

from __future__ import annotations

import itertools
import json
import re
import struct
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from realdata_models import build
from torch import Tensor, nn

_LONGEST = 200  # characters, bytes or pieces that are read of a text


class Reader(nn.Module):
    """A network of the real data, and how it reads a text."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = build(name)

    @abstractmethod
    def encoded(self, text: str) -> Tensor:
        """Return the features of one text: 1 x width."""

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the features of some texts: texts x width."""
        return torch.cat([self.encoded(text) for text in texts])

    def load_state_dict(self, state, **settings):
        """Load the weights of the network."""
        return self.net.load_state_dict(state, **settings)

    def state_dict(self, *arguments, **settings):
        """Return the weights of the network."""
        return self.net.state_dict(*arguments, **settings)


class Bytes(Reader):
    """A recurrent network over bytes, which tells subreddits apart."""

    def __init__(self) -> None:
        super().__init__("reddit_byte_lstm")

    def encoded(self, text: str) -> Tensor:
        """Return the mean of its states."""
        return self.net.encode(torch.tensor([list(text.encode()[:_LONGEST])]))


class Characters(Reader):
    """A recurrent language model over characters; those that it does not know are left out."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._ids = json.loads(Path("weights", name, "vocab.json").read_text())

    def encoded(self, text: str) -> Tensor:
        """Return the states weighted by its attention."""
        known = [self._ids[each] for each in text[:_LONGEST] if each in self._ids]
        return self.net.encode(torch.tensor([known or [0]]))


class Pieces(Reader):
    """A language model with the architecture of Llama; the mean of its last states."""

    def __init__(self) -> None:
        super().__init__("stories260k")
        content = Path("weights", "stories260k", "tok512.bin").read_bytes()
        self._merits: dict[bytes, tuple[float, int]] = {}
        at = 4  # the longest piece comes first
        while at < len(content):
            merit, length = struct.unpack_from("<fI", content, at)
            self._merits[content[at + 8 : at + 8 + length]] = merit, len(self._merits)
            at += 8 + length

    def encoded(self, text: str) -> Tensor:
        """Return the mean of the last states, of the start of the text."""
        return self.net.hidden(torch.tensor([self._pieces(text)[:_LONGEST]])).mean(1)

    def _pieces(self, text: str) -> list[int]:
        """Merge the pair with the best merit until none is a piece: byte-pair encoding as in llama2.c."""
        parts = [part for each in " " + text[: 4 * _LONGEST] for part in self._start(each)]
        while True:
            pairs = [self._merits.get(one + two) for one, two in itertools.pairwise(parts)]
            known = [(pair[0], -at) for at, pair in enumerate(pairs) if pair is not None]
            if not known:
                return [1, *(self._merits[part][1] for part in parts)]
            at = -max(known)[1]
            parts[at : at + 2] = [parts[at] + parts[at + 1]]

    def _start(self, character: str) -> list[bytes]:
        whole = character.encode()
        return [whole] if whole in self._merits else [b"<0x%02X>" % byte for byte in whole]


class Words(Reader):
    """Averaged embeddings that tell good from bad reviews of films."""

    def __init__(self) -> None:
        super().__init__("movie_review_avg")
        self._ids = json.loads(Path("weights", "movie_review_avg", "vocab.json").read_text())

    def encoded(self, text: str) -> Tensor:
        """Return the mean of the words that it knows."""
        known = [self._ids[word] for word in words_of(text) if word in self._ids]
        return self.net.encode(torch.tensor([known or [0]]))


class Averages(nn.Module):
    """Static vectors of words; the mean of those that a text has."""

    def __init__(self, name: str) -> None:
        super().__init__()
        stored = np.load(Path("weights", name, "vectors.npz"))
        self._ids = {str(word): row for row, word in enumerate(stored["words"])}
        self.table = nn.Parameter(torch.from_numpy(stored["vectors"].astype(np.float32)))

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the features of some texts: texts x width."""
        rows = [[self._ids[word] for word in words_of(text) if word in self._ids] for text in texts]
        return torch.stack([self.table[row].mean(0) if row else self.table[0] * 0 for row in rows])


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"[a-z0-9']+", text.lower())
