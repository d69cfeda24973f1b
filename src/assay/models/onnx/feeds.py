"""The input of an ONNX graph: images or texts as arrays, a few at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from assay.core.task import Example
from assay.encoders.examples import as_images, as_texts
from assay.encoders.input_range import Scaling
from assay.encoders.pixels import PixelRecipe
from assay.encoders.pooling import Pooling, States, pool, pooled_array
from assay.models.onnx.graph import Port

if TYPE_CHECKING:
    from assay.encoders.tokens import Tokens  # torch, which images do without

_PIECE = 16  # images in one run


class SessionInput(NamedTuple):
    """The input of one run."""

    rows: list[int]  # positions in the batch
    arrays: dict[str, np.ndarray]  # by the name of the input
    mask: np.ndarray | None  # texts x tokens: 1 for tokens of the text, 0 for padding


class InputReader(Protocol):
    """Converts examples to input."""

    def feeds(self, examples: Sequence[Example]) -> Iterator[SessionInput]:
        """Yield the input of examples in pieces."""

    def pooled(self, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Return examples x width."""

    def describe(self) -> str:
        """Describe the preprocessing of an example."""

    @property
    def scaling(self) -> Scaling | None:
        """How pixels enter the graph; None for texts."""

    def probe(self) -> tuple[Example, str]:
        """Return an example of the full input size, and a description of that size."""


@dataclass(frozen=True, slots=True)
class ImageFeeds:
    """Images as the input of a graph.

    Attributes:
        recipe: How an image becomes numbers.
        port: The input.
        channels_last: Whether channels are the last axis of the input, as TensorFlow has them.
        axes: The spatial axes of a map of features.
        scaling: How pixels enter the graph.
        blue_first: Whether the graph reads blue, green and red.
    """

    recipe: PixelRecipe
    port: Port
    channels_last: bool
    axes: tuple[int, int]
    scaling: Scaling
    blue_first: bool = False

    def feeds(self, examples: Sequence[Example]) -> Iterator[SessionInput]:
        """Yield the input of images in pieces."""
        return self.feeds_of(self.recipe.pixels(as_images(examples)))

    def feeds_of(self, pixels: np.ndarray) -> Iterator[SessionInput]:
        """Yield the input of prepared images; a batch of fixed size is filled up with its last image."""
        piece, is_raw = self.port.shape[0] or _PIECE, np.issubdtype(self.port.dtype, np.integer)
        for start in range(0, len(pixels), piece):
            part = pixels[start : start + piece]
            rows = list(range(start, start + len(part)))
            if self.port.shape[0]:
                part = np.concatenate([part, *[part[-1:]] * (piece - len(part))])
            values = part if is_raw else self.recipe.normalise_array(part)
            values = values[:, ::-1] if self.blue_first else values
            values = values.transpose(0, 2, 3, 1) if self.channels_last else values
            arrays = {self.port.name: np.ascontiguousarray(values, dtype=self.port.dtype)}
            yield SessionInput(rows, arrays, None)

    def pooled(self, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Return examples x width: the mean over the positions of a map, or over tokens of a sequence."""
        return pooled_array(values, self.axes)

    def describe(self) -> str:
        """Describe the recipe."""
        order = "; blue first, as the file states" if self.blue_first else ""
        layout = "NHWC" if self.channels_last else "NCHW"
        return f"{self.recipe.describe()}; {layout} {self.port.dtype}{order}"

    def probe(self) -> tuple[Example, str]:
        """Return a black image, and the size of the input."""
        height, width = self.recipe.size
        return np.zeros((64, 64, 3), np.uint8), f"{self.recipe.channels} x {height} x {width}"


@dataclass(frozen=True, slots=True)
class TextFeeds:
    """Texts and pairs of texts as the input of a graph.

    Attributes:
        tokens: How a text becomes numbers.
        ports: The inputs.
        pooling: The pooling of tokens to one vector.
        scaling: None, as there are no pixels.
    """

    tokens: Tokens
    ports: tuple[Port, ...]
    pooling: Pooling
    scaling: None = None

    def feeds(self, examples: Sequence[Example]) -> Iterator[SessionInput]:
        """Yield padded input of texts of similar length; an axis of fixed length is filled up."""
        encoded, _ = self.tokens.read(as_texts(examples))
        batch, length = self.ports[0].shape
        padding = {"padding": math.inf} if batch or length else {}  # it is filled up anyway
        for chunk in self.tokens.chunks(encoded, "cpu", **padding):
            size = batch or len(chunk.rows)
            for start in range(0, len(chunk.rows), size):
                rows = chunk.rows[start : start + size]
                inputs = {name: tensor.numpy()[start : start + size] for name, tensor in chunk.inputs.items()}
                mask = _filled(inputs["attention_mask"], (batch, length), 0)
                arrays = {port.name: self._array(port, inputs, (batch, length)) for port in self.ports}
                yield SessionInput(rows, arrays, mask)

    def pooled(self, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Return texts x width: tokens are pooled, vectors stay as they are."""
        if values.ndim != 3 or mask is None:
            return values.reshape(len(values), -1)
        import torch

        return np.asarray(pool(States(torch.from_numpy(values)), torch.from_numpy(mask), self.pooling))

    def describe(self) -> str:
        """Describe the preprocessing of a text."""
        tokenizer = type(self.tokens.tokenizer).__name__
        return f"{tokenizer}; at most {self.tokens.most} tokens; pooling {self.pooling}"

    def probe(self) -> tuple[Example, str]:
        """Return a text of as many tokens as are read, and that number."""
        return " ".join(["a"] * self.tokens.most), f"{self.tokens.most} tokens"

    def _array(
        self, port: Port, inputs: dict[str, np.ndarray], size: tuple[int | None, int | None]
    ) -> np.ndarray:
        fill = self.tokens.padding if port.name == "input_ids" else 0
        absent = np.zeros_like(inputs["input_ids"])  # of token types, where the tokenizer gives none
        return _filled(inputs.get(port.name, absent), size, fill).astype(port.dtype)


def _filled(values: np.ndarray, size: tuple[int | None, int | None], fill: int) -> np.ndarray:
    rows, columns = (fixed or length for fixed, length in zip(size, values.shape, strict=True))
    short = columns - values.shape[1]
    values = np.pad(values, ((0, 0), (0, short)), constant_values=fill) if short > 0 else values
    return np.concatenate([values, *[values[-1:]] * (rows - len(values))])
