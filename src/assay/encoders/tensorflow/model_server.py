"""The message handler of a TensorFlow worker: opens a model, encodes, and returns weights."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import numpy as np

from assay.core.errors import ModelError
from assay.core.predictor import softmax
from assay.encoders.input_range import InputRange
from assay.encoders.pixels import require_channels
from assay.encoders.pooling import pooled_array, real_array
from assay.workers.channel import Channel, Message
from assay.workers.serving import answer_requests

_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "Conv3D", "MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum")
_SPATIAL = (1, 2)  # spatial axes of a feature map (TensorFlow uses channels last)


class Request(StrEnum):
    """The requests to a model server: the field "do" of a message."""

    OPEN = "open"
    ENCODE = "encode"
    VARIABLE = "variable"
    COUNT_KERNELS = "count kernels"
    KERNEL = "kernel"


class InputSpec(NamedTuple):
    """The input of an opened model, and its cost.

    Attributes:
        shape: Of an image: height, width, channels; () for texts.
        macs: The multiply-accumulates of one example; None where they cannot be counted.
        preprocessing: What the model, or its worker, does with the input.
        found: The range of pixels that the model expects, where that follows from what it does to them.
    """

    shape: tuple[int, ...]
    macs: int | None
    preprocessing: str
    found: InputRange | None = None


class ModelServer(ABC):
    """Opens a model on request, and answers messages about it.

    Attributes:
        variables: All weights by name: arrays, or what numpy makes one of.
        kernels: The weights that multiply what they read, each with the axis of its outputs.
        scores: What a second output holds for each class: "softmax" or "linear"; anything else is not used.
        advice: What to do about a model without a batch axis.
    """

    variables: Sequence[tuple[str, Any]] = ()
    kernels: Sequence[tuple[Any, int]] = ()
    scores: str = ""
    advice: ClassVar[str]

    @classmethod
    def serve(cls, channel: Channel) -> None:
        """Answer all messages of a channel, in a worker."""
        answer_requests(channel, cls())

    @abstractmethod
    def open(self, settings: dict[str, Any]) -> InputSpec:
        """Open the model and set the attributes."""

    @abstractmethod
    def outputs(self, batch: Any) -> Any:
        """Return features, or a list of features and class scores."""

    def __call__(self, message: Message) -> Message:
        """Answer one message; raise ``ValueError`` for an unknown request."""
        fields = message.fields
        match Request(fields["do"]):
            case Request.OPEN:
                return Message(self._facts(self.open(dict(fields))))
            case Request.ENCODE:
                return Message({}, self._encode(fields.get("texts") or message.arrays["batch"]))
            case Request.VARIABLE:
                return Message({}, {"value": np.asarray(self.variables[fields["row"]][1])})
            case Request.COUNT_KERNELS:
                return Message({"count": len(self.kernels)})
            case Request.KERNEL:
                values, axis = self.kernels[fields["row"]]
                matrix = as_matrix(np.asarray(values), axis)
                return Message({}, {} if matrix is None else {"matrix": matrix})

    def _facts(self, reads: InputSpec) -> dict[str, Any]:
        shape = reads.shape
        sample = self._encode(np.zeros((2, *shape), np.float32) if shape else ["a", "b"])
        classes = sample["probs"].shape[1] if "probs" in sample else 0
        sizes = [
            (values.size, values.nbytes) for values in (np.asarray(value) for _, value in self.variables)
        ]
        return {
            "size": shape[:2],
            "channels": shape[2] if shape else 0,
            "found": reads.found,
            "width": sample["features"].shape[1],
            "parameters": sum(size for size, _ in sizes),
            "bytes": sum(nbytes for _, nbytes in sizes),
            "macs": reads.macs,
            "input": " x ".join(map(str, (shape[2], *shape[:2]))) if shape else "text",
            "preprocessing": reads.preprocessing,
            "source_classes": classes if classes > 1 else 0,
            "fingerprint": _hash_of(self.variables),
        }

    def _encode(self, batch: Any) -> dict[str, np.ndarray]:
        outputs = self.outputs(batch)
        listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        features, *scores = map(real_array, listed)
        if features.ndim < 2 or len(features) != len(batch) or not features.size:
            what = "it has no batch axis" if features.size else "it has no features"
            raise ModelError(
                f"The model gives {features.shape} for {len(batch)} examples: {what}. {self.advice}"
            )
        arrays = {"features": pooled_array(features, _SPATIAL)}
        if scores and self.scores in ("softmax", "linear"):
            of_classes = pooled_array(scores[0], _SPATIAL)
            arrays["probs"] = of_classes if self.scores == "softmax" else softmax(of_classes)
        return arrays


def image_shape(shape: Sequence[int | None], side: int | None, setting: str) -> tuple[int, int, int]:
    """Return the height, width and channels of the input.

    Args:
        shape: Of a batch, as the model declares it; None for what it leaves open.
        side: What the user wrote, or the usual one.
        setting: What the user writes it as.

    Raises:
        ModelError: The model reads no images, or others than the user wrote.
    """
    if len(shape) != 4:
        raise ModelError(f"The model reads {shape}; images are examples x height x width x channels.")
    if shape[1] in (1, 3) and shape[3] not in (1, 3):
        raise ModelError(
            f"The model reads {shape}, channels first; images are examples x height x width x channels. "
            "Put a Permute layer in front of it, and save that: keras.layers.Permute((3, 1, 2))."
        )
    require_channels(shape[3], f"The model, which reads {shape},")
    height, width = shape[1] or side, shape[2] or side
    if height is None or width is None:
        raise ModelError(f"The model reads {shape}. Write the side of the input, as in {setting}=224.")
    if side is not None and {height, width} != {side}:
        raise ModelError(f"The model reads {shape}. Leave out {setting}={side}.")
    return height, width, shape[3] or 3


def count_macs(graph: Any) -> int | None:
    """Return the multiply-accumulates of a graph with known shapes; None if nothing is countable."""
    import tensorflow as tf

    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    level = list(tf.compat.v1.profiler.profile(graph, cmd="op", options=options).children)
    flops = 0
    while level:
        node = level.pop()
        flops += node.float_ops if node.name in _PRODUCTS else 0
        level.extend(node.children)
    return flops // 2 or None  # TensorFlow counts a multiply-accumulate as two


def as_matrix(values: np.ndarray, outputs: int) -> np.ndarray | None:
    """Return a kernel as outputs x inputs in float32; None if a dimension is one.

    Args:
        values: A kernel as TensorFlow keeps it.
        outputs: The axis of its outputs.
    """
    if values.ndim < 2 or not np.issubdtype(values.dtype, np.floating):
        return None
    moved = np.moveaxis(values, outputs, 0)
    flat = moved.reshape(len(moved), -1)
    return np.ascontiguousarray(flat, dtype=np.float32) if min(flat.shape) > 1 else None


def _hash_of(variables: Sequence[tuple[str, Any]]) -> str:
    """Return a hash of the names, types, shapes and values of weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name, variable in variables:
        values = np.asarray(variable)
        digest.update(f"{name}\0{values.dtype}\0{values.shape}\0".encode())
        digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
