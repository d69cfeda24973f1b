"""The base class of opened torch models: facts, weight matrices and closing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from assay.core.errors import ModelError, NotApplicable
from assay.core.keys import FLOAT32
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.encoders.compilation import Compilation
from assay.encoders.identity import Origin
from assay.encoders.placement import is_spread, quantised_as
from assay.encoders.pooling import real_tensor
from assay.encoders.precision import AUTO, Precision
from assay.encoders.restoring import restored_after
from assay.encoders.weights import state_hash
from assay.environment.allocation import keep_freed_memory

Run = TypeVar("Run", bound=Callable[..., Any])

_TABLES = ("embed", "position", "token")  # in the names of bare lookup tables


class Outputs(NamedTuple):
    """The output of a module for a batch."""

    features: torch.Tensor  # examples x width
    logits: torch.Tensor | None = None  # examples x source classes


class TorchModel(Model, Generic[Run]):
    """A model based on a torch module, in evaluation mode.

    Args:
        module: The torch module with the weights; it is moved to ``device``.
        run: Runs ``module`` on input.
        device: The torch device.
        precision: The precision of encoding; by default it is chosen for the device.
    """

    _facts: ModelFacts
    _notes: Sequence[str] = ()

    def __init__(self, module: nn.Module, run: Run, device: str, precision: Precision | None = None) -> None:
        keep_freed_memory()
        self._precision = precision or own_precision(AUTO, device, module)
        module = module.eval().requires_grad_(requires_grad=False)
        self._quantised = quantised_as(module)
        if not self._quantised and not is_spread(module):
            module = module.to(device)
        self._held: tuple[Any, Run] | None = module, run
        self._compilation: Compilation[Run] | None = None
        self._device = device

    @property
    def facts(self) -> ModelFacts:
        """The facts about this model; a pair read apart has four times the features of a text."""
        dtype = self._precision.dtype
        return self._facts if dtype == FLOAT32 or self._quantised else replace(self._facts, dtype=dtype)

    @property
    def notes(self) -> Sequence[str]:
        """What speaks against its input, and why it does not encode in half precision or compiled."""
        compilation = "" if self._compilation is None else self._compilation.note
        return *self._notes, *filter(None, (self._precision.note, compilation))

    def compile_forward(self) -> None:
        """Have torch compile the forward pass; ``settle_precision`` then measures whether that pays."""
        self._compilation = Compilation(self._run)

    def settle_precision(self, examples: Callable[[], Sequence[Example]]) -> str | None:
        """Choose the precision for a task: half where it is fast and agrees with float32 on examples."""
        some = examples() if self._precision.is_open or self._compilation is not None else ()
        if self._precision.is_open:
            self._precision.settle(lambda: self.encode(some).features)
        if self._compilation is not None:
            self._compilation.settle(lambda: self.encode(some))
        return self._precision.dtype if self._precision.is_open else None

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, including the source head."""
        return weight_matrices(self._unquantised)

    def close(self) -> None:
        """Free the weights."""
        self._held = self._compilation = None
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    @contextmanager
    def _trained(self) -> Iterator[nn.Module]:
        """Return a context in which the module can be trained, in float32 if Assay chose another type."""
        module = self._unquantised
        if is_spread(module):
            raise NotApplicable("its weights are spread over several devices: train it without device_map")
        plain = nullcontext() if self._compilation is None else self._compilation.paused()
        with plain, restored_after(module, in_float32=self._precision.dtype != FLOAT32) as trained:
            yield trained

    @property
    def _differentiable(self) -> Any:
        """The module, unless Assay loaded its weights in half precision, where gradients are too coarse."""
        if self._precision.dtype != FLOAT32 and dtype_of(self._module) != FLOAT32:
            raise NotApplicable("its gradients need weights in float32: write dtype='float32'")
        return self._unquantised

    @property
    def _unquantised(self) -> Any:
        if self._quantised:
            raise NotApplicable(f"its weights are quantised ({self._quantised}): leave out quantization")
        return self._module

    @property
    def _module(self) -> Any:
        return self._open()[0]

    @property
    def _run(self) -> Run:
        return self._open()[1] if self._compilation is None else self._compilation.run

    def _open(self) -> tuple[Any, Run]:
        if self._held is None:
            raise ModelError("The model is closed. Open it again.")
        return self._held

    def _measured(
        self, probe: Callable[[], Outputs], origin: Origin, *, size: str, preprocessing: str
    ) -> ModelFacts:
        """Return the facts of the model.

        Args:
            probe: Runs the model on one example of the full input size.
            origin: The origin of the weights.
            size: A description of the input size.
            preprocessing: A description of the preprocessing.
        """
        with torch.no_grad(), self._precision.context():
            (features, logits), macs = _counted(probe)
        if features.ndim != 2 or not features.shape[1]:
            raise ModelError(
                f"{type(self._module).__name__} gives features of shape {tuple(features.shape)}; "
                f"examples x width is needed. Name another layer to read."
            )
        return ModelFacts(
            width=features.shape[1],
            parameters=weight_count(self._module),
            macs=macs,
            bytes=_weight_bytes(self._module),
            input=size,
            preprocessing=preprocessing,
            source_classes=0 if logits is None else logits.shape[1],
            weights=origin.weights,
            fingerprint=state_hash(self._module),
            licence=origin.licence,
            is_random=origin.is_random,
            source_accuracy=origin.source_accuracy,
            dtype=self._quantised or dtype_of(self._module),
        )

    def _collected(
        self, count: int, parts: Iterable[tuple[list[int] | slice, Outputs]]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return float32 features, and source probabilities if the model has a head.

        Args:
            count: The number of examples.
            parts: Positions of groups of examples, with their outputs.
        """
        classes = self._facts.source_classes
        features = np.empty((count, self._facts.width), np.float32)
        probs = np.empty((count, classes), np.float32) if classes else None
        with self._inference():
            for rows, output in parts:
                features[rows] = self._rows(output.features, features[rows].shape)
                if probs is not None and output.logits is not None:
                    logits = real_tensor(output.logits).float()
                    probs[rows] = self._rows(logits.softmax(1), probs[rows].shape)
        return features, probs

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Compute inside without gradients, in the precision of encoding."""
        with torch.inference_mode(), self._precision.context():
            yield

    def _rows(self, values: torch.Tensor, shape: tuple[int, ...]) -> np.ndarray:
        """Return values as float32; raise ``ModelError`` unless they have a row for each example."""
        if tuple(values.shape) != shape:  # numpy would repeat a single row
            raise ModelError(
                f"{type(self._module).__name__} gave {tuple(values.shape)} where {shape} is needed: a row of "
                "the same width for each example."
            )
        return np.asarray(real_tensor(values).float().cpu())


def dtype_of(module: nn.Module) -> str:
    """Return the floating-point type of most weights; single precision without any."""
    counts: Counter[str] = Counter()
    for parameter in module.parameters():
        if parameter.is_floating_point():
            counts[str(parameter.dtype).removeprefix("torch.")] += parameter.numel()
    return counts.most_common(1)[0][0] if counts else FLOAT32


def own_precision(wanted: str, device: str, module: nn.Module) -> Precision:
    """Return the precision of a module with weights as they are; those in half precision are left alone."""
    is_left = wanted == AUTO and dtype_of(module) != FLOAT32
    return Precision(FLOAT32 if is_left else wanted, device)


def weight_count(module: nn.Module) -> int:
    """Return the number of weights, counting shared weights once."""
    states = ((parameter, getattr(parameter, "quant_state", None)) for parameter in module.parameters())
    return sum(  # of 4 bits each, two are in a byte
        parameter.numel() if state is None else math.prod(state.shape) for parameter, state in states
    )


def weight_matrices(module: nn.Module) -> Iterator[np.ndarray]:
    """Yield each weight matrix, outputs x inputs, in float32 or float64; memory holds one at a time.

    A convolution is flattened to outputs x (inputs x size of its kernel). Left out are weights with a side
    of one, and tables that are looked up: embeddings of tokens and of positions.

    Args:
        module: What holds the weights.
    """
    looked_up = {
        id(part.weight) for part in module.modules() if isinstance(part, (nn.Embedding, nn.EmbeddingBag))
    }
    seen: set[int] = set()  # shared weights count once
    for part in module.modules():
        for name, weight in part.named_parameters(recurse=False):
            if id(weight) in looked_up | seen or any(word in name for word in _TABLES):
                continue
            seen.add(id(weight))
            matrix = _matrix(part, weight.detach())
            if matrix is not None:
                yield matrix


def _matrix(part: nn.Module, weight: torch.Tensor) -> np.ndarray | None:
    if not weight.is_floating_point() or weight.ndim < 2:
        return None
    if isinstance(part, nn.modules.conv._ConvTransposeNd) or _is_conv1d_of_transformers(part):
        weight = weight.transpose(0, 1)  # these keep inputs x outputs
    flat = weight.reshape(len(weight), -1)
    if min(flat.shape) < 2:
        return None
    return np.asarray((flat if flat.dtype == torch.float64 else flat.float()).cpu())


def _is_conv1d_of_transformers(part: nn.Module) -> bool:
    """Return whether a layer is GPT-2's Conv1D, which is linear despite its name."""
    return type(part).__name__ == "Conv1D" and type(part).__module__.startswith("transformers.")


def _weight_bytes(module: nn.Module) -> int:
    """Return the size of weights and buffers in bytes."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _counted(forward: Callable[[], Outputs]) -> tuple[Outputs, int | None]:
    """Return the outputs of one call and its multiply-accumulates, or None if nothing is countable."""
    counter = FlopCounterMode(display=False)
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)  # fused attention kernels are not counted
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            outputs = forward()
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fused)
    flops = int(counter.get_total_flops())
    return outputs, flops // 2 if flops else None  # torch counts a multiply-accumulate as two
