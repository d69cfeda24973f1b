"""What sources of published image models share: weights by name or from a file, and changed preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from assay.core.model import ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, random_origin, require_file
from assay.encoders.pixel_changes import PixelChanges
from assay.encoders.renaming import check_rename


@dataclass(frozen=True, slots=True)
class ImageSource(ModelSource):
    """Image models by name, with published weights, those of a checkpoint, or random ones.

    Attributes:
        pretrained: False for random weights.
        checkpoint: A file with weights instead of the published ones.
        rename: How names of the checkpoint begin, and how they begin in the model, as in
            ``(('backbone.', ''), ('projector.', None))``; None leaves those out.
        seed: Draws random weights, where there are any.
        num_classes: Classes of the head, for a checkpoint with a head of its own.
        image_size: Side of the input in pixels.
        mean: Subtracted from 0..1 pixels.
        std: Divides what is left.
        crop: The part of the short side that the centre crop keeps.
        interpolation: As in "bicubic".
    """

    pretrained: bool = True
    checkpoint: str | None = None
    rename: tuple[tuple[str, str | None], ...] = ()
    seed: int = 0
    num_classes: int | None = None
    image_size: int | None = None
    mean: tuple[float, ...] | float | None = None
    std: tuple[float, ...] | float | None = None
    crop: float | None = None
    interpolation: str | None = None

    def modality(self) -> Modality:
        """Return images."""
        return Modality.IMAGE

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights: other ones, if these are random already."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    @property
    def is_published(self) -> bool:
        """Whether the weights are the published ones."""
        return self.pretrained and self.checkpoint is None

    @property
    def changes(self) -> PixelChanges:
        """What the user changes of the preprocessing."""
        return PixelChanges(self.image_size, self.crop, self.mean, self.std, self.interpolation)

    def check_settings(self) -> None:
        """Raise ``UsageError`` for a missing checkpoint and settings that cannot be."""
        self.changes.check()
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        check_rename(self.rename)

    def load_checkpoint(self, module: Any) -> None:
        """Copy the weights of the checkpoint, if there is one, into a torch module."""
        from assay.encoders.weights import load_checkpoint

        if self.checkpoint is not None:
            load_checkpoint(module, self.checkpoint, self.rename)

    def origin(self, published: Origin) -> Origin:
        """Return where the weights came from.

        Args:
            published: The origin of the published ones.
        """
        if self.checkpoint is not None:
            return Origin(self.checkpoint)
        return published if self.pretrained else random_origin(self.seed)
