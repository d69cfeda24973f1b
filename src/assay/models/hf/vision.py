"""Features of image models of transformers, with their own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from PIL import Image
from torch import nn

from assay.core.errors import ModelError
from assay.encoders.heads import read_head
from assay.encoders.images import Forward, pooled
from assay.encoders.layer_selection import LAST, LayerSelection, with_base
from assay.encoders.pooling import Pooling
from assay.encoders.torch_model import Outputs

_STATED = (
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
@dataclass(frozen=True, slots=True)
class Processing:
    """The image processor of a model as its preprocessing.

    Attributes:
        processor: An image processor of transformers.
        layers: The layer selection.
        channels: 3 for RGB, 1 for grey.
    """

    processor: Any
    layers: LayerSelection = LAST
    channels: int = 3

    def read(self, images: Sequence[np.ndarray], device: str) -> torch.Tensor:
        """Return float32 input on ``device``, one row for each image."""
        converted = [Image.fromarray(image) for image in images]
        if self.channels == 1:  # three equal channels, for processors have a mean of each
            converted = [image.convert("L").convert("RGB") for image in converted]
        pixels: torch.Tensor = self.processor(images=converted, return_tensors="pt")["pixel_values"]
        pixels = pixels.mean(-3, keepdim=True) if self.channels == 1 else pixels
        return pixels.to(device=device, dtype=torch.float32)

    def describe(self) -> str:
        """Describe the settings of the processor."""
        settings = self.processor.to_dict()
        stated = "; ".join(f"{key}={settings[key]}" for key in _STATED if settings.get(key) is not None)
        grey = "grey; " if self.channels == 1 else ""
        return f"{type(self.processor).__name__}: {grey}{self.layers.describe()}{stated}"


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


def read_image_classifier(
    module: Logits, pooling: Pooling | None, layers: LayerSelection, size: tuple[int, ...]
) -> Forward:
    """Return the forward pass of a classifier: the input of its head, or the states in the settings."""
    if pooling is None and layers.layer is None:
        return read_head(module, size)
    chosen = pooling or _native(module)

    def forward(batch: torch.Tensor) -> Outputs:
        output, below = with_base(
            module.classifier, lambda: module.classifier(pixel_values=batch, **layers.arguments)
        )
        return Outputs(_pooled(below, chosen, layers), output.logits)

    return forward


def read_image_base(module: Any, pooling: Pooling | None, layers: LayerSelection = LAST) -> Forward:
    """Return the forward pass of a model without a head.

    Args:
        module: A model of transformers; one of images and texts is read by its image features.
        pooling: None for the image features, the class token, the model's pooling layer or the mean: the
            first that it has.
        layers: Of which layer.
    """
    both = module.config.get_text_config() is not module.config
    if both and pooling is None and layers.layer is None:
        return lambda batch: Outputs(_tensor(module.get_image_features(pixel_values=batch)), None)
    tower = getattr(module, "vision_model", module)  # of a model of images and texts
    chosen = pooling or _native(tower)
    return lambda batch: Outputs(_pooled(tower(pixel_values=batch, **layers.arguments), chosen, layers), None)


def channels_of(config: Any) -> int:
    """Return how many channels the images of a model have, by its configuration."""
    vision = getattr(config, "vision_config", config)
    return int(getattr(vision, "num_channels", None) or 3)


def layers_of_images(module: Any, pixels: torch.Tensor) -> Any:
    """Return the output of a model for pixels, with all layers."""
    tower = getattr(module, "vision_model", module)
    return tower(pixel_values=pixels, output_hidden_states=True)


def _native(module: nn.Module) -> Pooling | None:
    tokens = {name.rpartition(".")[2] for name, _ in module.named_parameters()}
    return Pooling.CLS if {"cls_token", "class_embedding"} & tokens else None


def _pooled(output: Any, pooling: Pooling | None, layers: LayerSelection) -> torch.Tensor:
    by_pooler = output.get("pooler_output")
    if pooling is Pooling.POOLER and by_pooler is None:
        raise ModelError("The model has no pooling layer. Write pooling='mean' or pooling='cls'.")
    if layers.layer is None and by_pooler is not None and pooling in (None, Pooling.POOLER):
        return pooled(by_pooler)
    is_first = pooling is Pooling.CLS
    return torch.cat(
        [
            states[:, 0] if is_first and states.ndim == 3 else pooled(states)
            for states in layers.states(output)
        ],
        dim=1,
    )


def _tensor(output: Any) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    tensor: torch.Tensor = output.pooler_output
    return tensor
