"""Writes the encoder and head of a saved model as one ONNX file, and tests it on examples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.actions.load import Saved
from assay.core.errors import MissingPackage, NotApplicable, UsageError
from assay.core.predictor import Decision, Predicted
from assay.core.task import Examples, LabelKind, Modality
from assay.core.trainable import Trainable
from assay.environment.transformers_logging import quiet
from assay.wording.numbers import PLURAL

if TYPE_CHECKING:
    import torch

FILE = "model.onnx"
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_AT_ONCE = 32
_LINEAR = "linear_probe, ridge, fine_tune or sgd"


def must_be_exportable(modality: Modality) -> None:
    """Raise ``UsageError`` before anything is trained where no ONNX file can be written."""
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise MissingPackage("onnx", package)
    if modality is not Modality.IMAGE:
        raise UsageError(f"--onnx is for models of images; this one reads {PLURAL[modality]}. Leave it out.")


def export_onnx(saved: Saved, folder: Path, examples: Examples) -> Predicted:
    """Write ``model.onnx``, and return its predictions for examples.

    Its input is ``pixels``: float32, examples x channels x height x width, after the model's preprocessing.
    Its outputs are ``prediction`` (class positions, 0 and 1 for each class, or numbers) and, where the
    protocol has them, ``probabilities``.

    Args:
        saved: The opened model.
        folder: The saved folder.
        examples: Some examples.

    Raises:
        UsageError: Encoder or head cannot be written as ONNX.
    """
    settings = saved.settings
    head = _head(saved.tensors, settings.method)
    path = folder / FILE
    try:
        with saved.model.training() as trainable:
            batches = _batches(trainable, examples)
            first = next(batches)
            _write(trainable, head, settings.decision, first, path)
            return _run(path, chain([first], batches))
    except NotApplicable as error:
        raise UsageError(
            f"'{settings.model}' cannot be written as ONNX: {error}. Leave out --onnx."
        ) from error


def _head(tensors: Mapping[str, np.ndarray], method: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (width x outputs) and the bias of a linear head."""
    if {"centre", "weights", "bias"} <= tensors.keys():
        weights = tensors["weights"].astype(np.float64)
        return weights, tensors["bias"] - tensors["centre"] @ weights
    if "head.linear.weight" in tensors:
        scale = tensors["head.deviation"].astype(np.float64)
        bias = tensors["head.linear.bias"] * scale + tensors["head.mean"]
        return tensors["head.linear.weight"].T * scale, bias
    raise UsageError(f"'{method}' has no linear head for ONNX. Save {_LINEAR}, or leave out --onnx.")


def _batches(trainable: Trainable, examples: Examples) -> Iterator[torch.Tensor]:
    import torch

    for start in range(0, len(examples), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(examples)))
        inputs = trainable.inputs([trainable.prepared(examples.read(row)) for row in rows], None)
        if not isinstance(inputs, torch.Tensor) or inputs.ndim != 4:
            raise NotApplicable("its input is not a batch of pixels")
        yield inputs.contiguous()


def _write(
    trainable: Trainable,
    head: tuple[np.ndarray, np.ndarray],
    decision: Decision,
    batch: torch.Tensor,
    path: Path,
) -> None:
    import torch

    whole = _whole(trainable, head, decision).to(batch.device).eval()
    try:
        with quiet(), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter's remarks are for its developers
            torch.onnx.export(
                whole,
                (batch[:2].repeat(2, 1, 1, 1)[:2],),  # an axis of one is taken as fixed
                path,
                dynamo=True,
                verbose=False,
                external_data=False,
                input_names=["pixels"],
                output_names=["prediction", "probabilities"][: 1 + decision.has_probs],
                dynamic_shapes=({0: torch.export.Dim("examples")},),
            )
    except Exception as error:  # the exporter raises many kinds; each means that it cannot
        first = str(error).strip().partition("\n")[0]
        raise NotApplicable(f"torch.onnx.export fails ({type(error).__name__}: {first})") from error


def _whole(trainable: Trainable, head: tuple[np.ndarray, np.ndarray], decision: Decision) -> Any:
    """Return a module from pixels to predictions, and probabilities if there are any."""
    import torch

    features: Callable[[Any], Any] = trainable.features
    weights, bias = (torch.from_numpy(np.ascontiguousarray(array, np.float64)) for array in head)
    present = torch.from_numpy(decision.present)
    places = torch.eye(max(decision.classes, 1), dtype=torch.float64)[present]  # outputs x classes

    class Whole(torch.nn.Module):
        w: torch.Tensor
        b: torch.Tensor
        present: torch.Tensor
        places: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.module = trainable.module
            for name, tensor in {"w": weights, "b": bias, "present": present, "places": places}.items():
                self.register_buffer(name, tensor)

        def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
            outputs = features(pixels).double() @ self.w + self.b
            if decision.kind is LabelKind.REGRESSION:
                return (outputs.float(),)
            if decision.kind is LabelKind.MULTILABEL:
                values = (outputs > (0 if decision.are_logits else 0.5)).to(torch.int64)
                return (values, outputs.sigmoid().float())[: 1 + decision.are_logits]
            values = torch.take(self.present, outputs.argmax(1))
            return (values, (outputs.softmax(1) @ self.places).float())[: 1 + decision.are_logits]

    return Whole()


def _run(path: Path, batches: Iterable[torch.Tensor]) -> Predicted:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [session.run(None, {"pixels": batch.cpu().numpy()}) for batch in batches]
    values, *probs = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    return Predicted(values, probs[0] if probs else None)
