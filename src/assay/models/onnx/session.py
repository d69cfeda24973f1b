"""An opened ONNX model: an onnxruntime session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
import onnxruntime
from scipy.special import softmax

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts, PixelInput
from assay.core.task import Example
from assay.encoders.identity import Origin, file_hash
from assay.encoders.input_range import doubts, sample_images
from assay.encoders.pooling import real_array
from assay.models.onnx.feeds import ImageFeeds, InputReader, SessionInput
from assay.models.onnx.graph import Cut, OnnxGraph


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
        return Encoded(*self._encoded(len(examples), self._feeds.feeds(examples) if examples else ()))

    @property
    def pixels(self) -> PixelInput | None:
        """How images are prepared; None for texts."""
        feeds = self._feeds
        if not isinstance(feeds, ImageFeeds):
            return None

        def encode(pixels: np.ndarray) -> Encoded:
            return Encoded(*self._encoded(len(pixels), feeds.feeds_of(pixels)))

        return PixelInput(feeds.recipe.geometry, feeds.recipe.shape, feeds.recipe.apply, encode)

    def _encoded(self, count: int, feeds: Iterable[SessionInput]) -> tuple[np.ndarray, np.ndarray | None]:
        classes = self._facts.source_classes
        features = np.empty((count, self._facts.width), np.float32)
        probs = np.empty((count, classes), np.float32) if classes else None
        for feed in feeds:
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
            images, changed = sample_images(), replace(feeds, recipe=replace(feeds.recipe, scale=scale))
            return self._encoded(len(images), changed.feeds(images))

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
