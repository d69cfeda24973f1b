"""Converts preprocessing settings of the user or a library to a pixel recipe."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from assay.core.errors import UsageError
from assay.encoders.pixels import Fit, PixelRecipe, Size


@dataclass(frozen=True, slots=True)
class PixelChanges:
    """The user's preprocessing overrides; None keeps the model's default.

    Attributes:
        image_size: The side of the input in pixels.
        crop: The fraction of the resized short side kept by the centre crop, above 0 and at most 1.
        mean: One number, or one per channel.
        std: One number, or one per channel.
        interpolation: A name in ``FILTERS``.
    """

    image_size: int | None = None
    crop: float | None = None
    mean: tuple[float, ...] | float | None = None
    std: tuple[float, ...] | float | None = None
    interpolation: str | None = None

    def check(self) -> None:
        """Raise ``UsageError`` for an invalid setting."""
        if self.image_size is not None and self.image_size < 1:
            raise UsageError(f"Setting 'image_size' is {self.image_size}; write a side in pixels, as in 224.")
        if self.crop is not None and not 0 < self.crop <= 1:
            raise UsageError(
                f"Setting 'crop' is {self.crop}; write a part above 0 and at most 1, as in 0.875."
            )
        for name, values in (("mean", self.mean), ("std", self.std)):
            if not all(isinstance(value, (int, float)) for value in _as_tuple(values, ())):
                raise UsageError(
                    f"Setting '{name}' is {values!r}; write numbers, as in {name}=(0.5, 0.5, 0.5)."
                )
        probe = PixelRecipe(1, 1)
        channels = max(len(_as_tuple(self.mean, ())), len(_as_tuple(self.std, ())))
        self.applied_to(dataclasses.replace(probe, channels=1 if channels == 1 else 3), 1.0)

    def applied_to(self, recipe: PixelRecipe, crop: float | Fraction) -> PixelRecipe:
        """Return a recipe with these changes.

        Args:
            recipe: The model's default recipe.
            crop: The fraction of the short side kept by its centre crop.
        """
        if self.image_size is not None or self.crop is not None:
            recipe = _sized(recipe, self.image_size, self.crop or crop)
        return dataclasses.replace(
            recipe,
            mean=_as_tuple(self.mean, recipe.mean),
            std=_as_tuple(self.std, recipe.std),
            interpolation=self.interpolation or recipe.interpolation,
        )


def centred(size: Size, crop: float | Fraction, fit: Fit | None = None) -> PixelRecipe:
    """Return the standard recipe: resize the short side to size / crop, then centre crop."""
    height, width = (math.floor(side / crop) for side in size)
    if fit is not None:
        return PixelRecipe((height, width), size, fit=fit)
    if height == width:
        return PixelRecipe(height, size)
    return PixelRecipe((height, width), size, fit=Fit.COVER)


def recipe_from_timm(config: Mapping[str, Any]) -> PixelRecipe:
    """Return the recipe for timm's data configuration, ``timm.data.resolve_model_data_config(module)``."""
    fit = {"squash": Fit.STRETCH, "border": Fit.CONTAIN}.get(config["crop_mode"])
    return dataclasses.replace(
        centred(tuple(config["input_size"][1:]), config["crop_pct"], fit),
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        channels=config["input_size"][0],
        border=tuple(round(255 * value) for value in config["mean"]) if fit is Fit.CONTAIN else (0,),
    )


def _sized(recipe: PixelRecipe, side: int | None, crop: float | Fraction) -> PixelRecipe:
    size = recipe.size if side is None else (side, side)
    plain = isinstance(recipe.resize, int) or recipe.resize is None or recipe.fit is Fit.COVER
    usual = centred(size, crop, None if plain else recipe.fit)
    return dataclasses.replace(recipe, resize=usual.resize, crop=usual.crop, fit=usual.fit)


def _as_tuple(value: Sequence[float] | float | None, default: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return default
    return (float(value),) if isinstance(value, (int, float)) else tuple(value)
