"""Detects input scaling inside an ONNX graph, to infer its pixel range."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from assay.encoders.input_range import InputRange, range_of

logger = logging.getLogger(__name__)

# what changes each value alone, or moves values: none of these has the weights of a network
_TRANSPARENT = frozenset(
    re.findall(
        r"\w+",
        "Identity Cast CastLike Mul Sub Div Add Neg Max Min Clip Floor Round BatchNormalization "
        "QuantizeLinear DequantizeLinear Transpose Pad Resize Upsample Slice Gather GatherND GatherElements "
        "ReverseSequence Concat Split Squeeze Unsqueeze Reshape Expand Tile ReduceSum",
    )
)


def expected_range(model: Any, entry: str, shape: Sequence[int], folder: Path) -> InputRange | None:
    """Return the range of pixels that a graph expects, or None if nothing in it says so.

    Args:
        model: An ONNX model.
        entry: The name of its input, which is of a floating-point type.
        shape: Of a batch of one image.
        folder: Holds the files with its weights.
    """
    try:
        ends = _ends(model.graph, entry)
        if not ends:
            return None
        from onnx.reference import ReferenceEvaluator

        first: Any = ReferenceEvaluator(_cut(model, entry, ends, folder))
        dtype = next(value for value in model.graph.input if value.name == entry).type.tensor_type.elem_type
        values = onnx.helper.tensor_dtype_to_np_dtype(dtype)
        return range_of(lambda level: first.run(ends, {entry: np.full(shape, level, values)}))
    except Exception:  # a graph of unusual parts: nothing is found, which is said
        logger.info("the range of pixels cannot be read from the graph", exc_info=True)
        return None


def _ends(graph: Any, entry: str) -> list[str]:
    """Return the changed input where it enters something else than transparent operations."""
    of_input, inside = {entry}, {entry}
    ends: list[str] = []
    for node in graph.node:  # ONNX demands that they are sorted
        entering = [name for name in node.input if name in of_input]
        if not entering or node.op_type == "Shape":
            continue
        of_input.update(node.output)
        if node.op_type in _TRANSPARENT and inside.issuperset(entering):
            inside.update(node.output)
        else:
            ends.extend(name for name in entering if name in inside and name != entry)
    outputs = [value.name for value in graph.output]
    return list(dict.fromkeys([*ends, *(name for name in outputs if name in inside)]))


def _cut(model: Any, entry: str, ends: Sequence[str], folder: Path) -> Any:
    """Return the part of a model from its input to some tensors, with its constants inside."""
    producers: Mapping[str, Any] = {name: node for node in model.graph.node for name in node.output}
    needed, left = set(ends), list(ends)
    while left:
        node = producers.get(left.pop())
        fresh = [name for name in node.input if name not in needed] if node is not None else []
        needed.update(fresh)
        left.extend(fresh)
    graph = onnx.helper.make_graph(
        [node for node in model.graph.node if needed.intersection(node.output)],
        "first",
        [value for value in model.graph.input if value.name == entry],
        [onnx.helper.make_empty_tensor_value_info(name) for name in ends],
        [
            numpy_helper.from_array(numpy_helper.to_array(tensor, base_dir=str(folder)), tensor.name)
            for tensor in model.graph.initializer
            if tensor.name in needed
        ],
    )
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
