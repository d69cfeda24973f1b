"""The base of sources of published image models: named weights or a file, and preprocessing overrides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, random_origin, require_file
from assay.encoders.pixel_changes import PixelChanges
from assay.encoders.precision import check_dtype
from assay.encoders.renaming import check_rename

if TYPE_CHECKING:
    from assay.encoders.images import ImageEncoder


@dataclass(frozen=True, slots=True)
class ImageSource(ModelSource):
    """Image models by name, with published weights, a checkpoint, or random weights.

    Attributes:
        pretrained: False for random weights.
        checkpoint: A file with weights instead of the published ones.
        rename: How names of the checkpoint begin, and how they begin in the model, as in
            ``(('backbone.', ''), ('projector.', None))``; None leaves those out.
        seed: The seed of random weights.
        num_classes: The number of classes, for a checkpoint with its own head.
        image_size: The side of the input in pixels.
        mean: The value subtracted from 0..1 pixels.
        std: The divisor after subtracting the mean.
        crop: The fraction of the short side kept by the centre crop.
        interpolation: The resize filter, such as "bicubic".
        dtype: The precision of encoding: "auto", "float32", "bfloat16" or "float16".
        compile: Use torch.compile, where it is measured to be faster on the first examples of a task.
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
    dtype: str = "auto"
    compile: bool = False

    def modality(self) -> Modality:
        """Return the image modality."""
        return Modality.IMAGE

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    @property
    def is_published(self) -> bool:
        """Whether the published weights are used."""
        return self.pretrained and self.checkpoint is None

    @property
    def changes(self) -> PixelChanges:
        """The user's preprocessing overrides."""
        return PixelChanges(self.image_size, self.crop, self.mean, self.std, self.interpolation)

    def check_settings(self) -> None:
        """Raise ``UsageError`` for a missing checkpoint and invalid settings."""
        self.changes.check()
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        check_rename(self.rename)
        check_dtype(self.dtype)

    def load_checkpoint(self, module: Any) -> None:
        """Load the checkpoint, if there is one, into a torch module."""
        from assay.encoders.weights import load_checkpoint

        if self.checkpoint is not None:
            load_checkpoint(module, self.checkpoint, self.rename)

    def compiled(self, model: ImageEncoder) -> Model:
        """Return an opened model, which tries a compiled forward pass if that is wanted."""
        if self.compile:
            model.compile_forward()
        return model

    def origin(self, published: Origin) -> Origin:
        """Return the origin of the weights.

        Args:
            published: The origin of the published weights.
        """
        if self.checkpoint is not None:
            return Origin(self.checkpoint)
        return published if self.pretrained else random_origin(self.seed)
