"""The process of a SavedModel of TensorFlow: it opens one and encodes what the parent sends."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.core.errors import CheckpointError, ModelError
from assay.encoders.tensorflow.channel import Message
from assay.encoders.tensorflow.facts import as_matrix, count_macs, hash_of
from assay.models.tensorflow.graph import find_head

_SIGNATURES = ("serving_default", "default", "image_feature_vector")  # of Keras, and of TF Hub's first format
_FEATURES = ("feature_vector", "features", "embedding", "embeddings", "default", "pooled_output")


class Answers:
    """Opens a SavedModel when asked to, and encodes with it from then on."""

    def __init__(self) -> None:
        self._weights: list[tuple[str, np.ndarray]] = []
        self._read: Any = None
        self._is_softmax = False
        self._has_head = False
        self._macs: int | None = None

    def __call__(self, asked: Message) -> Message:
        """Answer one message."""
        if asked.words["do"] == "open":
            return Message(self._open(asked.words), {})
        if asked.words["do"] == "encode":
            batch = asked.words["texts"] if "texts" in asked.words else asked.arrays["batch"]
            return Message({}, self._encode(batch))
        if asked.words["do"] == "count weights":
            return Message({"count": len(self._weights)}, {})
        name, values = self._weights[asked.words["row"]]
        matrix = None if "embedding" in name else as_matrix(values, -1)
        return Message({}, {} if matrix is None else {"0": matrix})

    def _open(self, wanted: dict[str, Any]) -> dict[str, Any]:
        import tensorflow as tf

        try:
            model = tf.saved_model.load(wanted["folder"])
        except Exception as error:  # TensorFlow raises many kinds; each fails this model alone
            text = str(error).strip().partition("\n")[0]
            raise CheckpointError(
                f"'{wanted['folder']}' cannot be opened ({type(error).__name__}: {text}). Export it again "
                "with model.export(folder) or tf.saved_model.save."
            ) from error
        shape = self._choose(model, wanted)
        weights = self._weights
        found = self._encode(np.zeros((2, *shape), np.float32) if shape else ["a", "b"])
        told = {
            "width": int(found["features"].shape[1]),
            "parameters": sum(values.size for _, values in weights),
            "bytes": sum(values.nbytes for _, values in weights),
            "macs": self._macs,
            "source_classes": int(found["probs"].shape[1]) if "probs" in found else 0,
            "fingerprint": hash_of(weights),
        }
        if not shape:
            return told | {"input": "text", "preprocessing": "as the model does itself"}
        size = " x ".join(map(str, (shape[2], *shape[:2])))
        return told | {"input": size, "size": shape[:2], "channels": shape[2], "preprocessing": ""}

    def _choose(self, model: Any, wanted: dict[str, Any]) -> tuple[int, ...]:
        """Take the function that is read, cut before its head; return the shape of a picture; () of texts."""
        import tensorflow as tf

        call = _callable(model, wanted)
        kind = tf.string if wanted["reads"] == "text" else tf.float32
        shape = () if kind is tf.string else _shape(call, wanted)
        function = tf.function(lambda batch: _one(_called(call, batch), wanted["output"]))
        if shape:  # before the open batch axis is traced: TensorFlow would take that for one example too
            self._macs = count_macs(_frozen(function.get_concrete_function(tf.TensorSpec((1, *shape)))).graph)
        self._read = function.get_concrete_function(tf.TensorSpec((None, *shape), kind))
        self._weights = sorted(
            ((one.name, one.numpy()) for one in self._read.variables), key=lambda one: one[0]
        )
        if not shape:
            return shape
        frozen = _frozen(self._read)
        head = find_head(frozen.outputs[0]) if wanted["head"] and wanted["output"] is None else None
        if head is not None:
            self._has_head, self._is_softmax = True, head.is_softmax
            features = frozen.graph.get_tensor_by_name(head.features)
            self._read = frozen.prune(frozen.inputs[0], [features, frozen.outputs[0]])
        return shape

    def _encode(self, batch: Any) -> dict[str, np.ndarray]:
        import tensorflow as tf

        kind = tf.string if isinstance(batch, list) else tf.float32
        found = self._read(tf.constant(batch, kind))
        outputs = [
            np.asarray(one, np.float32) for one in (found if isinstance(found, (list, tuple)) else [found])
        ]
        if outputs[0].ndim < 2 or len(outputs[0]) != len(batch):
            raise ModelError(
                f"The model gives {outputs[0].shape} for {len(batch)} examples: it has no batch axis. "
                "Export one whose output has."
            )
        arrays = {"features": _pooled(outputs[0])}
        if self._has_head:
            arrays["probs"] = outputs[1] if self._is_softmax else _softmax(outputs[1])
        return arrays


def _frozen(function: Any) -> Any:
    """Return a function with its calls inlined and its variables as constants: a graph that can be read."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function)


def _callable(model: Any, wanted: dict[str, Any]) -> Any:
    """Return the signature that the user named, or the usual one; else the model itself, as TF Hub has it."""
    there = dict(model.signatures)
    if wanted["signature"] is not None:
        if wanted["signature"] not in there:
            raise ModelError(f"There is no signature '{wanted['signature']}'. There are: {', '.join(there)}.")
        return there[wanted["signature"]]
    if callable(model):
        return model
    usual = [there[name] for name in _SIGNATURES if name in there] or list(there.values())
    if not usual:
        raise ModelError("The SavedModel has no signature and cannot be called. Export one that serves.")
    return usual[0]


def _called(call: Any, batch: Any) -> Any:
    inputs = _inputs(call)
    names = [spec.name for spec in inputs] if hasattr(call, "structured_input_signature") else []
    if len(names) > 1:
        raise ModelError(
            f"The signature reads {', '.join(names)}; one input is needed: name another signature."
        )
    if names:
        return call(**{names[0]: batch})
    try:
        return call(batch, training=False)
    except (TypeError, ValueError):  # it was saved without the argument
        return call(batch)


def _inputs(call: Any) -> list[Any]:
    """Return what a signature, or one of the functions behind a callable model, takes."""
    if hasattr(call, "structured_input_signature"):
        return list(call.structured_input_signature[1].values())
    functions = getattr(call.__call__, "concrete_functions", ())
    taken = [function.structured_input_signature[0] for function in functions]
    return [arguments[0] for arguments in taken if arguments and hasattr(arguments[0], "shape")][:1]


def _shape(call: Any, wanted: dict[str, Any]) -> tuple[int, int, int]:
    specs = _inputs(call)
    if specs and specs[0].dtype.name == "string":
        raise ModelError("The model reads texts. Write reads='text'.")
    shape = tuple(specs[0].shape) if specs and specs[0].shape.rank is not None else (None,) * 4
    if len(shape) != 4:
        raise ModelError(f"The model reads {shape}; pictures are examples x height x width x channels.")
    side = wanted["size"]
    height, width = shape[1] or side, shape[2] or side
    if height is None or width is None:
        raise ModelError(f"The model reads {shape}. Write the side of the input, as in size=224.")
    if side is not None and {height, width} != {side}:
        raise ModelError(f"The model reads {shape}. Leave out size={side}.")
    return height, width, shape[3] or 3


def _one(outputs: Any, wanted: str | None) -> Any:
    """Return the output that holds the features, or the only one."""
    if not isinstance(outputs, dict):
        return outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    if wanted is not None and wanted not in outputs:
        raise ModelError(f"There is no output '{wanted}'. There are: {', '.join(sorted(outputs))}.")
    called = [name for name in _FEATURES if name in outputs]
    if wanted is None and len(outputs) > 1 and not called:
        raise ModelError(
            f"The model has the outputs {', '.join(sorted(outputs))}. Write which, as output='...'."
        )
    return outputs[wanted or [*called, *outputs][0]]


def _pooled(values: np.ndarray) -> np.ndarray:
    if values.ndim == 4:
        return np.asarray(values.mean((1, 2)))
    return np.asarray(values.mean(1)) if values.ndim == 3 else values.reshape(len(values), -1)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
