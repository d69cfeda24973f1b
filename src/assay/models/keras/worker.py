"""The process of a Keras model: it opens one and encodes what the parent sends."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.core.errors import ModelError
from assay.encoders.tensorflow.channel import Message
from assay.encoders.tensorflow.facts import as_matrix, count_macs, hash_of
from assay.models.keras.files import open_application, open_file
from assay.models.keras.reading import cut, preprocessing

_RESCALING = ("Rescaling", "Normalization")
_DEFAULT_SIDE = 224  # of the applications that leave height and width open


class Answers:
    """Opens a model when asked to, and encodes with it from then on."""

    def __init__(self) -> None:
        self._model: Any = None
        self._read: Any = None
        self._preprocess: Any = None
        self._end = ""  # what the last layer does: "softmax", "linear", or something else

    def __call__(self, asked: Message) -> Message:
        """Answer one message."""
        if asked.words["do"] == "open":
            return Message(self._open(asked.words), {})
        if asked.words["do"] == "encode":
            return Message({}, self._encode(asked.arrays["batch"]))
        if asked.words["do"] == "variable":
            return Message({}, {"value": np.asarray(self._model.weights[asked.words["row"]])})
        kernels = [layer for layer in self._model._flatten_layers() if _kernels(layer)]
        if asked.words["do"] == "count weights":
            return Message({"count": len(kernels)}, {})
        found = [as_matrix(np.asarray(value), axis) for value, axis in _kernels(kernels[asked.words["row"]])]
        return Message({}, {str(row): matrix for row, matrix in enumerate(found) if matrix is not None})

    def _open(self, wanted: dict[str, Any]) -> dict[str, Any]:
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(wanted["seed"])
        self._model = open_application(wanted) if wanted["module"] else open_file(wanted)
        if not isinstance(self._model, keras.Model) or len(self._model.inputs or ()) != 1:
            raise ModelError(
                f"'{wanted['name']}' is no model with one input. Save the one that reads pictures."
            )
        self._preprocess = preprocessing(wanted)
        height, width, channels = _shape(self._model, wanted)
        features, scores, self._end = cut(self._model, wanted)
        reader = keras.Model(self._model.inputs, [features, *([] if scores is None else [scores])])
        spec = tf.TensorSpec((None, height, width, channels), tf.float32)
        one = tf.TensorSpec((1, *spec.shape[1:]), tf.float32)
        self._read = tf.function(lambda batch: reader(batch, training=False), input_signature=[spec])
        count = sum(int(np.prod(weight.shape)) for weight in self._model.weights)
        classes = 0 if self._end not in ("softmax", "linear") or scores is None else int(scores.shape[-1])
        return {
            "size": (height, width),
            "channels": channels,
            "width": int(self._encode(np.zeros((2, height, width, channels), np.uint8))["features"].shape[1]),
            "parameters": count,
            "bytes": sum(np.asarray(weight).nbytes for weight in self._model.weights),
            "macs": count_macs(tf.function(reader).get_concrete_function(one).graph),
            "input": f"{channels} x {height} x {width}",
            "preprocessing": f"{wanted['preprocess']}.preprocess_input" if self._preprocess else "",
            "rescales": any(type(layer).__name__ in _RESCALING for layer in self._model.layers),
            "source_classes": classes if classes > 1 else 0,
            "fingerprint": hash_of((one.path, np.asarray(one)) for one in self._model.weights),
        }  # fmt: skip

    def _encode(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        values = batch.astype(np.float32)
        if self._preprocess is not None:
            values = self._preprocess(values)
        read = self._read(values)
        found = [np.asarray(one, np.float32) for one in (read if isinstance(read, (list, tuple)) else [read])]
        if found[0].ndim < 2 or len(found[0]) != len(batch):
            raise ModelError(
                f"Features have shape {found[0].shape} for {len(batch)} pictures: name another layer."
            )
        arrays = {"features": _pooled(found[0])}
        if len(found) > 1 and self._end in ("softmax", "linear"):
            scores = _pooled(found[1])
            arrays["probs"] = scores if self._end == "softmax" else _softmax(scores)
        return arrays


def _shape(model: Any, wanted: dict[str, Any]) -> tuple[int, int, int]:
    shape: tuple[int | None, ...] = model.inputs[0].shape
    if len(shape) != 4:
        raise ModelError(
            f"The model reads {tuple(shape)}; pictures are examples x height x width x channels."
        )
    _, height, width, channels = shape
    side = wanted["side"] or (_DEFAULT_SIDE if wanted["module"] else None)
    height, width = height or side, width or side
    if height is None or width is None:
        raise ModelError(
            f"The model reads {tuple(shape)}. Write the side of the input, as in image_size=224."
        )
    if side is not None and {height, width} != {side}:
        raise ModelError(f"The model reads {tuple(shape)}. Leave out image_size={side}.")
    return height, width, channels or 3


def _kernels(layer: Any) -> list[tuple[Any, int]]:
    """Return the kernels of a layer, each with the axis of its outputs."""
    if type(layer).__name__ in ("Embedding", "BatchNormalization", "LayerNormalization"):
        return []
    return [
        (
            weight,
            -2 if "Transpose" in type(layer).__name__ or weight.path.endswith("depthwise_kernel") else -1,
        )
        for weight in layer._trainable_variables
        if "kernel" in weight.path.rpartition("/")[2]
    ]


def _pooled(values: np.ndarray) -> np.ndarray:
    if values.ndim == 4:
        return np.asarray(values.mean((1, 2)))
    return np.asarray(values.mean(1)) if values.ndim == 3 else values.reshape(len(values), -1)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
