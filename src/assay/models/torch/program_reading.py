"""Finds the boundary between features and head in a saved module, whose layers have no hooks."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from assay.core.errors import ModelError
from assay.encoders.images import Forward, pooled
from assay.encoders.torch_model import Outputs
from assay.models.torch.programs import Program

_INPUT_FIRST = ("linear", "mm", "matmul", "conv2d", "convolution")  # whose second argument is the weight
_BIAS_FIRST = ("addmm",)


def read_program(program: Program, layer: str | None, size: tuple[int, ...], *, head: bool) -> Forward:
    """Return the forward pass for features and logits: a named layer, or the input of the head.

    Args:
        program: What is read.
        layer: The path of a module of an exported program, or the name of a node of its graph.
        size: channels x height x width of the input.
        head: Whether the output holds classes.
    """
    if layer is not None:
        return _read_node(program, layer)
    head_weight = _head_of(program, size) if head else None
    if head_weight is None:
        return lambda batch: Outputs(pooled(program(batch)), None)

    def forward(batch: torch.Tensor) -> Outputs:
        weight = dict(program.named_parameters())[head_weight]
        with _Products() as products:
            logits = pooled(program(batch))
        entered = [values for values, pointer in products.seen if pointer == weight.data_ptr()]
        return Outputs(pooled(torch.cat(entered))[: len(batch)], logits)

    return forward


@final
class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records products with weights, in order."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[tuple[torch.Tensor, int]] = []  # the input, and where the weight lies in memory

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function._schema.name.rpartition("::")[2]
        if name in _INPUT_FIRST + _BIAS_FIRST:
            values, weight = args[:2] if name in _INPUT_FIRST else args[1:3]
            if type(weight) is not torch.Tensor and not isinstance(weight, nn.Parameter):
                return function(*args, **(kwargs or {}))
            self.seen.append((values, weight.data_ptr()))
        return function(*args, **(kwargs or {}))


def _head_of(program: Program, size: tuple[int, ...]) -> str | None:
    """Return the name of the weight of the last product, if it is that of a head."""
    with torch.no_grad(), _Products() as products:
        output = pooled(program(torch.zeros(program.shape[0] or 1 if program.shape else 1, *size)))
    if not products.seen:
        return None
    pointer = products.seen[-1][1]
    for name, weight in program.named_parameters():
        is_point = weight.ndim == 2 or (weight.ndim == 4 and tuple(weight.shape[2:]) == (1, 1))
        if weight.data_ptr() == pointer and is_point and weight.shape[0] == output.shape[1]:
            return name
    return None


def _read_node(program: Program, layer: str) -> Forward:
    graph = getattr(program.module, "graph", None)
    if not isinstance(program.module, torch.fx.GraphModule) or graph is None:
        raise ModelError("The layers of TorchScript cannot be read. Leave out 'layer', or use torch.export.")
    nodes = list(graph.nodes)
    node = next((node for node in reversed(nodes) if layer in (node.name, _module_of(node))), None)
    if node is None:
        modules = list(dict.fromkeys(filter(None, map(_module_of, nodes))))
        raise ModelError(f"The program has no layer '{layer}'. Its last layers: {', '.join(modules[-12:])}.")
    tap = _Tap(program.module, node.name)

    def forward(batch: torch.Tensor) -> Outputs:
        size = (program.shape[0] if program.shape else None) or len(batch)
        program_of_tap = Program(tap, (size, *program.shape[1:]))
        return Outputs(pooled(program_of_tap(batch)), None)

    return forward


@final
class _Tap(nn.Module):
    """A graph that runs up to one node."""

    def __init__(self, module: torch.fx.GraphModule, node: str) -> None:
        super().__init__()
        self.module = module
        self.node = node

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the value of the node."""
        interpreter = torch.fx.Interpreter(self.module, garbage_collect_values=False)
        interpreter.run(batch)
        values: dict[str, torch.Tensor] = {node.name: value for node, value in interpreter.env.items()}
        return values[self.node]


def _module_of(node: Any) -> str | None:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    return str(stack[-1][0]) if stack and node.op == "call_function" else None
