"""The image and text towers of a CLIP model as separate models."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, final

import torch
from torch import nn
from torch.nn import functional

from assay.core.model import Model
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixel_changes import centred
from assay.encoders.pixels import Fit, PixelRecipe
from assay.encoders.precision import Precision
from assay.encoders.string_encoder import StringEncoder
from assay.encoders.torch_model import Outputs

_FITS = {"squash": Fit.STRETCH, "longest": Fit.CONTAIN}


def image_tower(module: Any, device: str, origin: Origin, precision: Precision, *, normalise: bool) -> Model:
    """Return the visual tower of a model of OpenCLIP, with its own preprocessing."""
    visual = module.visual

    def forward(batch: torch.Tensor) -> Outputs:
        output = visual(batch)
        features = output if isinstance(output, torch.Tensor) else output[0]  # with the tokens for a decoder
        return Outputs(functional.normalize(features, dim=-1) if normalise else features, None)

    recipe = recipe_of(visual.preprocess_cfg)
    return ImageEncoder(visual, forward, recipe, device, origin, precision=precision)


def text_tower(
    module: Any, tokenizer: Any, device: str, origin: Origin, precision: Precision, *, normalise: bool
) -> Model:
    """Return the text tower of a model of OpenCLIP, with its own tokenizer."""
    del module.visual
    tower = TextTower(module, tokenizer, normalise=normalise)
    preprocessing = f"{type(tokenizer).__name__}; {tokenizer.context_length} tokens"
    return StringEncoder(tower, device, origin, preprocessing=preprocessing, precision=precision)


def recipe_of(config: dict[str, Any]) -> PixelRecipe:
    """Return the recipe of a preprocessing configuration of OpenCLIP."""
    side = config["size"]
    height, width = (side, side) if isinstance(side, int) else side
    recipe = centred((height, width), 1, _FITS.get(config["resize_mode"]))
    return replace(
        recipe,
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        border=(config["fill_color"],),
    )


@final
class TextTower(nn.Module):
    """Tokenizes and encodes a list of texts."""

    def __init__(self, module: Any, tokenize: Callable[..., torch.Tensor], *, normalise: bool) -> None:
        super().__init__()
        self.module = module
        self._tokenize = tokenize
        self._normalise = normalise

    def forward(self, texts: list[str]) -> torch.Tensor:
        """Return texts x width."""
        tokens = self._tokenize(texts).to(next(self.module.parameters()).device)
        features: torch.Tensor = self.module.encode_text(tokens, normalize=self._normalise)
        return features


@contextmanager
def without_messages() -> Iterator[None]:
    """Suppress OpenCLIP's messages to the root logger and its warnings."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
