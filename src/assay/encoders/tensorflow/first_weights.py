"""Detects input scaling inside a TensorFlow graph, to infer its pixel range."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from assay.encoders.input_range import InputRange, range_of

logger = logging.getLogger(__name__)

# what changes each value alone, or moves values: none of these has the weights of a network
_TRANSPARENT = frozenset(
    re.findall(
        r"\w+",
        "Identity IdentityN StopGradient Cast Mul Sub RealDiv Div DivNoNan Add AddV2 Neg Maximum Minimum "
        "ClipByValue Floor Round Rint BiasAdd FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 "
        "FakeQuantWithMinMaxVars FakeQuantWithMinMaxArgs Transpose Reverse ReverseV2 Pad PadV2 MirrorPad "
        "ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea ScaleAndTranslate CropAndResize "
        "StridedSlice Slice GatherV2 ConcatV2 Split SplitV Unpack Pack Squeeze ExpandDims Reshape",
    )
)
_SHAPES = ("Shape", "ShapeN", "Rank", "Size")


def expected_range(function: Any, shape: Sequence[int]) -> InputRange | None:
    """Return the range of pixels that a graph expects, or None if nothing in it says so.

    Args:
        function: A concrete function of one float32 batch of images.
        shape: Of an image: height, width, channels.
    """
    import tensorflow as tf

    try:
        frozen = frozen_function(function)
        ends = _ends(frozen.inputs[0])
        if not ends:
            return None
        first = frozen.prune(frozen.inputs[0], ends)
        return range_of(lambda level: [np.asarray(end) for end in first(tf.fill((1, *shape), level))])
    except Exception:  # a graph of unusual parts: nothing is found, which is said
        logger.info("the range of pixels cannot be read from the graph", exc_info=True)
        return None


def frozen_function(function: Any) -> Any:
    """Return a function with its calls inlined and its variables as constants: a graph that can be read."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function)


def _ends(entry: Any) -> list[Any]:
    """Return the changed input where it enters something else than transparent operations."""
    of_input = {tensor.ref() for tensor in _reached(entry)}
    inside = {entry.ref(): entry}
    left = [entry]
    while left:
        for operation in left.pop().consumers():
            entering = [tensor.ref() for tensor in operation.inputs if tensor.ref() in of_input]
            if operation.type not in _TRANSPARENT or not inside.keys() >= set(entering):
                continue
            fresh = [tensor for tensor in operation.outputs if tensor.ref() not in inside]
            inside |= {tensor.ref(): tensor for tensor in fresh}
            left.extend(fresh)
    return [
        tensor
        for tensor in inside.values()
        if tensor is not entry
        and any(
            operation.type not in _SHAPES and not all(output.ref() in inside for output in operation.outputs)
            for operation in tensor.consumers()
        )
    ]


def _reached(entry: Any) -> Iterator[Any]:
    """Yield a tensor and all that are computed from it."""
    seen = {entry.ref()}
    left = [entry]
    while left:
        tensor = left.pop()
        yield tensor
        for operation in tensor.consumers():
            if operation.type not in _SHAPES:
                fresh = [output for output in operation.outputs if output.ref() not in seen]
                seen.update(output.ref() for output in fresh)
                left.extend(fresh)
