"""Reads features from the image models of transformers, with their own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch
from PIL import Image
from torch import nn

from assay.core.errors import ModelError
from assay.encoders.heads import read_head
from assay.encoders.images import Forward, Outputs, pooled
from assay.encoders.pooling import Pooling

_TOLD = (
    "do_resize",
    "size",
    "resample",
    "do_center_crop",
    "crop_size",
    "do_rescale",
    "image_mean",
    "image_std",
)


@final
class Processing:
    """The image processor of a model as its preprocessing.

    Args:
        processor: An image processor of transformers.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def read(self, images: Sequence[np.ndarray], device: str) -> torch.Tensor:
        """Return float32 input on ``device``, one row for each picture."""
        pictures = [Image.fromarray(image) for image in images]
        pixels: torch.Tensor = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
        return pixels.to(device=device, dtype=torch.float32)

    def describe(self) -> str:
        """Return the settings of the processor in words."""
        settings = self._processor.to_dict()
        told = "; ".join(f"{key}={settings[key]}" for key in _TOLD if settings.get(key) is not None)
        return f"{type(self._processor).__name__}: {told}"


@final
class Logits(nn.Module):
    """A classifier of transformers whose output is the bare tensor of logits."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return examples x source classes."""
        logits: torch.Tensor = self.classifier(pixel_values=batch).logits
        return logits


def read_image_classifier(module: Logits, pooling: Pooling | None, size: tuple[int, ...]) -> Forward:
    """Return how to read a classifier: what enters its head, or pooled tokens where that is asked."""
    if pooling is None:
        return read_head(module, size)
    seen: list[Any] = []
    module.classifier.base_model.register_forward_hook(lambda _, __, output: seen.append(output))

    def forward(batch: torch.Tensor) -> Outputs:
        seen.clear()
        logits = module(batch)
        return Outputs(_pooled(seen.pop(), pooling), logits)

    return forward


def read_image_base(module: Any, pooling: Pooling | None) -> Forward:
    """Return how to read a model without a head.

    Args:
        module: A model of transformers; one of images and texts is read by its image features.
        pooling: None for the image features, the model's pooling layer, its class token or the mean: the
            first that it has.
    """
    if pooling is None and module.config.get_text_config() is not module.config:
        return lambda batch: Outputs(_tensor(module.get_image_features(pixel_values=batch)), None)
    chosen = pooling or _native(module)
    return lambda batch: Outputs(_pooled(module(pixel_values=batch), chosen), None)


def _native(module: nn.Module) -> Pooling | None:
    tokens = {name.rpartition(".")[2] for name, _ in module.named_parameters()}
    return Pooling.CLS if {"cls_token", "class_embedding"} & tokens else None


def _pooled(output: Any, pooling: Pooling | None) -> torch.Tensor:
    by_layer = output.get("pooler_output")
    if pooling is Pooling.POOLER and by_layer is None:
        raise ModelError("The model has no pooling layer. Write pooling='mean' or pooling='cls'.")
    if by_layer is not None and pooling in (None, Pooling.POOLER):
        return pooled(by_layer)
    states: torch.Tensor = output.last_hidden_state
    return states[:, 0] if pooling is Pooling.CLS and states.ndim == 3 else pooled(states)


def _tensor(output: Any) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    tensor: torch.Tensor = output.pooler_output
    return tensor
