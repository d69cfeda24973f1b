"""Reads the graph of an ONNX file: inputs, outputs, and the boundary between features and head."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from assay.core.errors import ModelError
from assay.core.keys import FLOAT32
from assay.encoders.identity import require_file
from assay.encoders.input_range import InputRange, Range

_HEADS = ("Gemm", "MatMul", "Conv")
_NORMS = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "InstanceNormalization")
_RECURRENT = ("LSTM", "GRU", "RNN")
_UNCOUNTED = (*_RECURRENT, "Einsum", "If", "Loop", "Scan", "Attention", "MultiHeadAttention")
_FLOATS = {
    onnx.TensorProto.FLOAT: FLOAT32,
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.BFLOAT16: "bfloat16",
    onnx.TensorProto.DOUBLE: "float64",
}
_FEATURES = (
    "features",
    "feature",
    "embeddings",
    "embedding",
    "image_embeds",
    "sentence_embedding",
    "pooler_output",
)
_SHOWN = 8  # names in a message


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph; an axis whose length may vary is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype

    def describe(self) -> str:
        """Describe the name, shape and type."""
        return f"'{self.name}' ({' x '.join('?' if axis is None else str(axis) for axis in self.shape)})"


@dataclass(frozen=True, slots=True)
class Cut:
    """The tensors that are read from a graph.

    Attributes:
        features: The tensor of features.
        classes: The tensor of source class scores, if there is a head.
        is_softmax: Whether the scores are probabilities.
    """

    features: str
    classes: str | None = None
    is_softmax: bool = False


@final
class OnnxGraph:
    """The graph of an ONNX file; weights in external files are not loaded.

    Args:
        path: The file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = require_file(path)
        try:
            self._model = onnx.load(self.path, load_external_data=False)
        except Exception as error:  # protobuf has many ways to say that bytes are no message
            raise ModelError(_unreadable(path)) from error
        if not self._model.graph.node:
            raise ModelError(_unreadable(path))
        graph = self._model.graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = node.attribute[0].t
        self._producers = {name: node for node in graph.node for name in node.output}
        self.inputs = tuple(_port(value) for value in graph.input if value.name not in self._constants)
        self.outputs = tuple(_port(value) for value in graph.output)
        for file in self.external_files:
            if not file.resolve().is_relative_to(self.path.parent.resolve()):
                raise ModelError(f"'{path}' has weights outside its folder, in '{file}': put them there.")
        missing = [file.name for file in self.external_files if not file.is_file()]
        if missing:
            raise ModelError(
                f"'{path}' keeps weights in '{missing[0]}', and there is no such file next to it. Put it "
                "there, or save the model where it is with its weights inside: "
                "onnx.save(onnx.load(path), path)."
            )

    def cut(self, output: str | None, *, head: bool) -> Cut:
        """Return which tensors hold the features, and the classes where a head is found.

        A named tensor holds the features. Else an output that is called as features are; else what enters
        the last layer with weights before the first output, if that is linear or a 1 x 1 convolution and as
        wide as the output; else that output.
        """
        names = [port.name for port in self.outputs]
        if output is not None:
            self._require(output)
            return Cut(output)
        named = [name for name in _FEATURES if name in names]
        if named or not head:
            return Cut([*named, names[0]][0])
        head_node, is_softmax = self._walked_back(self.outputs[0])
        if head_node is None:
            return Cut(names[0])
        entering = next(name for name in head_node.input if not self._is_constant(name))
        return Cut(entering, names[0], is_softmax)

    def exposing(self, tensors: tuple[str, ...]) -> bytes:
        """Return the model as bytes, with these tensors among its outputs."""
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        names = {port.name for port in self.outputs}
        for name in tensors:
            if name not in names:
                model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        return bytes(model.SerializeToString())

    def expected_range(self, port: Port, shape: Sequence[int]) -> InputRange | None:
        """Return the range of pixels that the graph expects of a batch of this shape, if it says so."""
        from assay.models.onnx.first_weights import expected_range

        if np.issubdtype(port.dtype, np.integer):
            return InputRange(Range.BYTES, f"the input is {port.dtype}")
        return expected_range(self._model, port.name, shape, self.path.parent)

    @property
    def facts(self) -> dict[str, str]:
        """What the file states of itself, by names in lower case."""
        return {entry.key.lower(): entry.value for entry in self._model.metadata_props}

    @property
    def licence(self) -> str | None:
        """The licence that the file states."""
        return self.facts.get("license") or self.facts.get("licence")

    @property
    def external_files(self) -> tuple[Path, ...]:
        """The external files that contain its weights."""
        names = {
            entry.value
            for tensor in self._model.graph.initializer
            if tensor.data_location == onnx.TensorProto.EXTERNAL
            for entry in tensor.external_data
            if entry.key == "location"
        }
        return tuple(self.path.parent / name for name in sorted(names))

    def sizes(self) -> tuple[int, int]:
        """Return the number of weights, and their bytes."""
        tensors = [tensor for tensor in self._constants.values() if len(tensor.dims)]
        counts = [math.prod(tensor.dims) for tensor in tensors]
        widths = [onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize for tensor in tensors]
        return sum(counts), sum(count * width for count, width in zip(counts, widths, strict=True))

    def dtype(self) -> str:
        """Return the floating-point type of most weights; single precision without any."""
        counts: Counter[str] = Counter()
        for tensor in self._constants.values():
            if tensor.data_type in _FLOATS:
                counts[_FLOATS[tensor.data_type]] += math.prod(tensor.dims)
        return counts.most_common(1)[0][0] if counts else FLOAT32

    def weights(self) -> Iterator[np.ndarray]:
        """Yield each weight matrix, outputs x inputs, of linear layers and convolutions."""
        for node in self._model.graph.node:
            if node.op_type not in (*_HEADS, "ConvTranspose"):
                continue
            tensor = next((self._constants[name] for name in node.input[:2] if name in self._constants), None)
            if tensor is None or len(tensor.dims) < 2:
                continue
            weight = numpy_helper.to_array(tensor, base_dir=str(self.path.parent))
            inputs_first = node.op_type in ("MatMul", "ConvTranspose")
            if inputs_first or (node.op_type == "Gemm" and not _attribute(node, "transB")):
                weight = weight.swapaxes(0, 1)
            flat = np.ascontiguousarray(weight.reshape(len(weight), -1))
            if min(flat.shape) > 1 and np.issubdtype(flat.dtype, np.floating):
                yield flat if flat.dtype == np.float64 else flat.astype(np.float32)

    def macs(self, shapes: Mapping[str, tuple[int, ...]]) -> int | None:
        """Return the multiply-accumulates for inputs of these shapes; None where that is not known."""
        if any(node.op_type in _UNCOUNTED for node in self._model.graph.node):
            return None
        try:
            known = self._inferred(shapes)
        except Exception:  # shapes are inferred where they can be; the count is no more than a fact
            return None
        counts = [_node_macs(node, known) for node in self._model.graph.node]
        if any(count is None for count in counts):
            return None
        return sum(count for count in counts if count is not None) or None

    def _inferred(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int | None, ...]]:
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        for value in model.graph.input:
            for axis, length in zip(
                value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False
            ):
                axis.dim_value = length
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")  # a shape with dynamic axes would be in the way
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        inferred = {
            value.name: _port(value).shape for value in (*graph.input, *graph.value_info, *graph.output)
        }
        return inferred | {name: tuple(tensor.dims) for name, tensor in self._constants.items()}

    def _walked_back(self, output: Port) -> tuple[Any | None, bool]:
        """Return the head that an output comes from, if it is one, and whether softmax follows it."""
        name, is_softmax = output.name, False
        while (node := self._producers.get(name)) is not None:
            entering = [name for name in node.input if name and not self._is_constant(name)]
            if len(entering) != 1 or node.op_type in (*_NORMS, *_RECURRENT):
                break
            is_softmax = is_softmax or node.op_type == "Softmax"
            width = self._width(node) if node.op_type in (*_HEADS, "ConvTranspose") else None
            if width is not None:
                wanted = output.shape[-1] if len(output.shape) == 2 else None
                return (node if width > 0 and wanted in (None, width) else None), is_softmax
            name = entering[0]
        return None, False

    def _width(self, node: Any) -> int:
        """Return how many outputs a layer has; 0 for one that cannot be a head."""
        weight = next((self._constants[name] for name in node.input[:2] if name in self._constants), None)
        if weight is None or node.op_type == "ConvTranspose":
            return 0
        if node.op_type == "Conv":
            return int(weight.dims[0]) if set(weight.dims[2:]) == {1} else 0
        return int(weight.dims[0] if _attribute(node, "transB") else weight.dims[-1])

    def _is_constant(self, name: str) -> bool:
        if name in self._constants:
            return True
        node = self._producers.get(name)
        return node is not None and bool(node.input) and all(map(self._is_constant, node.input))

    def _require(self, tensor: str) -> None:
        if tensor in self._producers:
            return
        last = [name for node in list(self._model.graph.node)[-_SHOWN:] for name in node.output]
        raise ModelError(
            f"'{self.path.name}' has no tensor '{tensor}'. Its outputs: "
            f"{', '.join(port.name for port in self.outputs)}; its last tensors: {', '.join(last)}."
        )


def _port(value: Any) -> Port:
    kind = value.type.tensor_type
    shape = tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in kind.shape.dim)
    known = kind.elem_type != onnx.TensorProto.UNDEFINED
    return Port(
        value.name, shape, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type) if known else "f4")
    )


def _node_macs(node: Any, shapes: Mapping[str, tuple[int | None, ...]]) -> int | None:
    """Return the multiply-accumulates of one node; 0 unless it is a matrix product."""
    if node.op_type not in (*_HEADS, "ConvTranspose"):
        return 0
    left, right = (shapes.get(name) for name in node.input[:2])
    out = shapes.get(node.output[0])
    if not left or not right or not out or None in left or None in right or None in out:
        return None
    if node.op_type == "ConvTranspose":
        return _product(left) * _product(right[1:])
    if node.op_type == "Conv":
        return _product(out) * _product(right[1:])
    return _product(out) * _product((left[0] if _attribute(node, "transA") else left[-1],))


def _product(shape: tuple[int | None, ...]) -> int:
    return math.prod(axis for axis in shape if axis is not None)


def _attribute(node: Any, name: str) -> int:
    return next((int(entry.i) for entry in node.attribute if entry.name == name), 0)


def _unreadable(path: str | Path) -> str:
    return f"'{path}' is not an ONNX model, or it is truncated. Export or download it again."
