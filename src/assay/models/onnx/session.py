"""An opened ONNX model: an onnxruntime session with its input preprocessing and pooling."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final

import numpy as np
import onnxruntime
from scipy.special import softmax

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.encoders.examples import as_images, as_texts
from assay.encoders.identity import Origin, file_hash
from assay.encoders.input_range import Scaling, doubts, sample_images
from assay.encoders.pixels import PixelRecipe
from assay.encoders.pooling import Pooling, States, pool, pooled_array, real_array
from assay.models.onnx.graph import Cut, OnnxGraph, Port

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


@final
class OnnxEncoder(Model):
    """Encodes examples with onnxruntime, in float32.

    Args:
        graph: The graph to run.
        cut: The tensors to read.
        feeds: The conversion of examples to input.
        device: "cpu", or "cuda" where onnxruntime was built for it; else it runs on the CPU and states that.
        origin: Where the file came from.
    """

    def __init__(self, graph: OnnxGraph, cut: Cut, feeds: InputReader, device: str, origin: Origin) -> None:
        self._graph: OnnxGraph | None = graph
        self._cut = cut
        self._feeds = feeds
        self._session: Any = _session(graph, cut, device)
        self._facts = self._measured(graph, device, origin)
        self._notes = self._warnings()

    @property
    def notes(self) -> Sequence[str]:
        """What speaks against the range of its pixels."""
        return self._notes

    @property
    def facts(self) -> ModelFacts:
        """The facts about this model."""
        return self._facts

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities where the graph has a source head."""
        return Encoded(*self._encoded(examples, self._feeds))

    def _encoded(
        self, examples: Sequence[Example], feeds: InputReader
    ) -> tuple[np.ndarray, np.ndarray | None]:
        classes = self._facts.source_classes
        features = np.empty((len(examples), self._facts.width), np.float32)
        probs = np.empty((len(examples), classes), np.float32) if classes else None
        if examples:
            for feed in feeds.feeds(examples):
                features[feed.rows], scores = self._run(feed)
                if probs is not None and scores is not None:
                    probs[feed.rows] = scores if self._cut.is_softmax else softmax(scores, axis=1)
        return features, probs

    def _warnings(self) -> tuple[str, ...]:
        feeds = self._feeds
        if not isinstance(feeds, ImageFeeds):
            return ()
        if not feeds.scaling.is_assumed:
            return feeds.scaling.warnings

        def run(scale: bool) -> tuple[np.ndarray, np.ndarray | None]:
            return self._encoded(sample_images(), replace(feeds, recipe=replace(feeds.recipe, scale=scale)))

        return doubts(run)

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, including the source head."""
        if self._graph is None:
            raise ModelError("The model is closed. Open it again.")
        return self._graph.weights()

    def close(self) -> None:
        """Free the weights."""
        self._session = self._graph = None

    def _run(self, feed: SessionInput) -> tuple[np.ndarray, np.ndarray | None]:
        if self._session is None:
            raise ModelError("The model is closed. Open it again.")
        wanted = [self._cut.features, *([self._cut.classes] if self._cut.classes else [])]
        outputs = self._session.run(wanted, feed.arrays)
        given = len(next(iter(feed.arrays.values())))
        for values, name in zip(outputs, wanted, strict=True):
            if not isinstance(values, np.ndarray):
                raise ModelError(f"Output '{name}' is a {type(values).__name__}, not a tensor. Name another.")
            if values.ndim < 2 or len(values) != given or not values.size:
                raise ModelError(
                    f"Tensor '{name}' has shape {values.shape} for {given} examples: it has no "
                    "batch axis. Export the model with dynamic axes, or name another tensor as output."
                )
        # beyond the rows are the copies that fill a batch of fixed size
        kept = [self._feeds.pooled(real_array(values), feed.mask)[: len(feed.rows)] for values in outputs]
        return kept[0], kept[1] if len(kept) > 1 else None

    def _measured(self, graph: OnnxGraph, device: str, origin: Origin) -> ModelFacts:
        example, size = self._feeds.probe()
        feed = next(iter(self._feeds.feeds([example, example])))  # two show whether there is a batch axis
        features, scores = self._run(feed)
        count, size_in_bytes = graph.sizes()
        falls_back = device != "cpu" and self._session.get_providers()[0] == "CPUExecutionProvider"
        shapes = {name: (1, *array.shape[1:]) for name, array in feed.arrays.items()}
        return ModelFacts(
            width=features.shape[1],
            parameters=count,
            macs=graph.macs(shapes),
            bytes=size_in_bytes,
            input=size + (", on the CPU: this onnxruntime knows no other device" if falls_back else ""),
            preprocessing=self._feeds.describe(),
            source_classes=0 if scores is None else scores.shape[1],
            weights=origin.weights,
            fingerprint="".join(file_hash(file) for file in (graph.path, *graph.external_files)),
            licence=origin.licence,
            is_random=origin.is_random,
            dtype=graph.dtype(),
            input_note=self._feeds.scaling.note if self._feeds.scaling else "",
        )


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
        """Yield the input of images in pieces; a batch of fixed size is filled up with its last image."""
        images = as_images(examples)
        piece = self.port.shape[0] or _PIECE
        for start in range(0, len(images), piece):
            rows = list(range(start, min(start + piece, len(images))))
            pixels = self.recipe.pixels([images[row] for row in rows])
            if self.port.shape[0]:
                pixels = np.concatenate([pixels, *[pixels[-1:]] * (piece - len(rows))])
            values = (
                pixels if np.issubdtype(self.port.dtype, np.integer) else self.recipe.normalise_array(pixels)
            )
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


def _session(graph: OnnxGraph, cut: Cut, device: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # else it blocks a busy machine
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(graph.path.parent.resolve())
    )
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    available = [name for name in wanted if name in onnxruntime.get_available_providers()]
    tensors = (cut.features, *([cut.classes] if cut.classes else []))
    return onnxruntime.InferenceSession(
        graph.exposing(tensors), options, providers=[*available, "CPUExecutionProvider"]
    )
