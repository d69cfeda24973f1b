"""The Fisher information of a torch module's weights under two heads, averaged per filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from assay.core.errors import NotApplicable
from assay.core.model import Fishers, LinearHead

Input = TypeVar("Input")
Filters = tuple[nn.Parameter, int]  # a weight, and its output axis
Sums = dict[int, np.ndarray]  # by weight position, for weights with gradients: one value per filter


def head_fishers(
    module: nn.Module,
    outputs_of: Callable[[Input], tuple[torch.Tensor, torch.Tensor | None]],
    inputs: Iterable[Input],
    head: LinearHead,
    draws: int,
    seed: int,
) -> Fishers:
    """Return the mean over examples of E[(d log p(class) / d weight)^2], averaged per filter.

    Classes are distributed by the probabilities p of each head. A filter is one output of a weight: of a
    convolution, a linear layer, or a norm. Biases, bare parameters, lookup tables, and weights that do not
    affect the features, such as the source head, are excluded. Gradients are not stored, and the
    ``requires_grad`` flags are restored.

    Args:
        module: The module in evaluation mode.
        outputs_of: Runs ``module`` on one example, and returns 1 x width and 1 x source classes.
        inputs: The inputs, one example at a time.
        head: The head from features to logits of the task's classes.
        draws: Gradients per example and head, as in ``cotangents``.
        seed: The seed of the draws.
    """
    rng = np.random.default_rng(seed)
    weights = _filters(module)
    target: Sums = {}
    source: Sums = {}
    count = 0
    with _differentiable([weight for weight, _ in weights]):
        for example in inputs:
            features, logits = outputs_of(example)
            if logits is None:
                raise NotApplicable("the model has no source head")
            own = nn.functional.linear(features, _like(head.weights, features), _like(head.bias, features))
            _add_squares(target, own, weights, draws, rng)
            _add_squares(source, logits, weights, draws, rng)
            count += 1
    shared = sorted(target.keys() & source.keys())
    if not shared:
        raise NotApplicable("the features of the model depend on no weight by a gradient")
    return Fishers(*(np.concatenate([sums[row] for row in shared]) / count for sums in (target, source)))


def cotangents(logits: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return vectors whose expected outer product is the Fisher information of the logits, draws x classes.

    The sum of (J'v)^2 is the diagonal of J'(diag(p) - pp')J for the softmax p of logits with the Jacobian J:
    the expectation over classes of the squared J'(e - p), where e is 1 at the class. As many draws as classes
    give each sqrt(p) (e - p) a row, and the sum is exact. Fewer give the longest a row of their own, and all
    others one, with random signs: the sum is right on average, with less spread than from classes drawn by
    their p.
    """
    p = np.exp(logits - logits.max())
    p /= p.sum()
    lengths = p * (1 - 2 * p + p @ p)
    order = np.argsort(-lengths, kind="stable")
    signs = np.zeros((min(draws, len(p)), len(p)))
    signs[np.arange(len(signs)), order[: len(signs)]] = 1.0
    signs[-1, order[len(signs) :]] = rng.choice((-1.0, 1.0), len(p) - len(signs))
    signed = signs * np.sqrt(p)
    return np.asarray(signed - signed.sum(axis=1, keepdims=True) * p)


def _add_squares(
    sums: Sums, logits: torch.Tensor, weights: list[Filters], draws: int, rng: np.random.Generator
) -> None:
    """Add the expected squared gradients on one example, averaged per filter."""
    if not logits.requires_grad:
        return
    parameters = [weight for weight, _ in weights]
    for vector in cotangents(logits[0].detach().cpu().double().numpy(), draws, rng):
        pull = _like(vector[None], logits)
        gradients = torch.autograd.grad(logits, parameters, pull, retain_graph=True, allow_unused=True)
        for row, gradient in enumerate(gradients):
            if gradient is not None:
                sums[row] = sums.get(row, np.float64(0)) + _mean_square(gradient, weights[row][1])


def _mean_square(gradient: torch.Tensor, outputs: int) -> np.ndarray:
    flat = gradient.movedim(outputs, 0).reshape(gradient.shape[outputs], -1)
    if flat.device.type == "mps":  # MPS has no double precision
        flat = flat.cpu()
    norms = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64)
    return np.asarray((norms.square() / flat.shape[1]).cpu())


def _filters(module: nn.Module) -> list[Filters]:
    """Return each weight once, with its output axis."""
    tables = {
        id(part.weight) for part in module.modules() if isinstance(part, (nn.Embedding, nn.EmbeddingBag))
    }
    filters: dict[int, Filters] = {}
    for part in module.modules():
        for name, weight in part.named_parameters(recurse=False):
            if name.endswith("weight") and weight.ndim and id(weight) not in tables:
                filters.setdefault(id(weight), (weight, int(_keeps_inputs_first(part))))
    return list(filters.values())


def _keeps_inputs_first(part: nn.Module) -> bool:
    """Return whether a layer is a transposed convolution or GPT-2's linear layer (Conv1D)."""
    return isinstance(part, nn.modules.conv._ConvTransposeNd) or type(part).__name__ == "Conv1D"


@contextmanager
def _differentiable(weights: list[nn.Parameter]) -> Iterator[None]:
    """Enable gradients of the weights in the context, and restore the flags afterwards."""
    before = [weight.requires_grad for weight in weights]
    try:
        for weight in weights:
            weight.requires_grad = True
        with torch.enable_grad():
            yield
    finally:
        for weight, required in zip(weights, before, strict=True):
            weight.requires_grad = required


def _like(array: np.ndarray, tensor: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(array, dtype=tensor.dtype, device=tensor.device)
