"""Finds in a frozen graph of TensorFlow where features end and a classification head begins."""

from __future__ import annotations

from typing import Any, NamedTuple

_STOPS = ("FusedBatchNorm", "FusedBatchNormV3", "LSTMBlockCell", "GatherV2", "Sigmoid", "Elu", "Selu")


class HeadInput(NamedTuple):
    """Where a head begins, and whether its output is probabilities already."""

    features: str  # the name of the tensor that enters it
    is_softmax: bool


def find_head(output: Any) -> HeadInput | None:
    """Return the head behind an output: the last product with weights, if it is linear and as wide.

    Args:
        output: A tensor, examples x classes, of a graph whose variables are constants.
    """
    if output.shape.rank != 2:
        return None
    tensor, is_softmax = output, False
    while True:
        node = tensor.op
        entering = [tensor for tensor in node.inputs if not _is_constant(tensor)]
        if len(entering) != 1 or node.type in _STOPS:
            return None
        is_softmax = is_softmax or node.type == "Softmax"
        if node.type in ("MatMul", "Conv2D"):
            weight = next(tensor for tensor in node.inputs if tensor is not entering[0])
            is_point = node.type == "MatMul" or tuple(weight.shape[:2]) == (1, 1)
            wide = weight.shape[-1] == output.shape[-1] and output.shape[-1] > 1
            return HeadInput(entering[0].name, is_softmax) if is_point and wide else None
        tensor = entering[0]


def _is_constant(tensor: Any) -> bool:
    """Tell whether nothing of the input but its shape decides a tensor."""
    node = tensor.op
    if node.type in ("Const", "Shape"):
        return True
    return bool(node.inputs) and all(_is_constant(source) for source in node.inputs)
