"""SavedModels of TensorFlow, run in a separate process: ``tensorflow:./saved_model``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from assay.core.errors import UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.pixel_changes import PixelChanges

_RESCALING = (b"\x03Mul", b"\x03Sub", b"\x03Div", b"\x07RealDiv", b"\x04Cast")  # as protobuf has operations
_CUTS = (b"\x07Minimum", b"\x0bClipByValue")
_255 = b"\x00\x00\x7fC"  # as a float
_READABLE = (Modality.IMAGE, Modality.TEXT)


@dataclass(frozen=True, slots=True)
class TensorflowSource(ModelSource):
    """A folder with a SavedModel, as Keras exports it and TF Hub has it; its weights are frozen.

    Features are the named output, or else the input of the classification head found in the graph, or else
    the output. Features of a text pair are the concatenation of u, v, abs(u - v) and u * v.

    Attributes:
        reads: "image" or "text" (strings); the settings below ``head`` are for images.
        signature: The name of a signature; None for the model itself, or the one that serves.
        output: The name of the output that holds the features, where there are several.
        head: False if the output is features, not class scores.
        size: The side of the input in pixels, where the model leaves it open.
        mean: The value subtracted from the pixels.
        std: The divisor after subtracting the mean.
        crop: The fraction of the resized short side kept by the centre crop; None for all of it.
        interpolation: The resize filter, such as "bicubic".
        scale: True for pixels in 0..1, as models of TF Hub expect, False for 0..255; None for what the graph
            expects, and 0..1 where it does not say or you write mean or std.

    >>> TensorflowSource("./universal-sentence-encoder", reads="text").modality()
    <Modality.TEXT: 'text'>
    """

    reads: str = "image"
    signature: str | None = None
    output: str | None = None
    head: bool = True
    size: int | None = None
    mean: tuple[float, ...] | float = 0.0
    std: tuple[float, ...] | float = 1.0
    crop: float | None = None
    interpolation: str = "bilinear"
    scale: bool | None = None

    summary: ClassVar[str] = "TensorFlow SavedModels, TF Hub's included, for images or texts"
    packages: ClassVar[tuple[str, ...]] = ("tensorflow",)

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a SavedModel and for invalid settings."""
        if not (self._folder / "saved_model.pb").is_file():
            raise UsageError(
                f"There is no 'saved_model.pb' in '{self.name}'. Write the folder that model.export or "
                "tf.saved_model.save wrote."
            )
        if self.reads not in _READABLE:
            raise UnknownName("modality of this source", self.reads, _READABLE)
        self._changes().check()

    def modality(self) -> Modality:
        """Return the modality in the settings."""
        return Modality(self.reads)

    def identity(self) -> str:
        """Return the version of TensorFlow, the settings, and the hash of the folder."""
        from assay.encoders.identity import folder_hash, identity_of
        from assay.encoders.tensorflow.library import tensorflow_version

        content = folder_hash(self._folder) + self._scaling_in_identity()
        placeless = replace(self, name="", scale=self._scale_in_identity())
        return identity_of(f"tensorflow {tensorflow_version()} {content}", placeless)

    def code(self) -> str:
        """Return the folder: a SavedModel is a program, which may read and write files."""
        return self.name

    def open(self, device: str) -> Model:
        """Start a worker process, open the model in it and return it."""
        from assay.encoders.identity import Origin
        from assay.encoders.input_range import scaling
        from assay.encoders.tensorflow.encoder import RemoteEncoder, found_range, pixel_recipe
        from assay.encoders.tensorflow.library import open_in_worker

        names = ("reads", "signature", "output", "head", "size")
        settings = {"folder": str(self._folder), **{name: getattr(self, name) for name in names}}
        opened = open_in_worker(
            "assay.models.tensorflow.worker:SavedModelServer", settings, device, f"tensorflow:{self.name}"
        )
        recipe = pixels = None
        if self.modality() is Modality.IMAGE:
            pixels = scaling(self._set_scale(), found_range(opened))
            recipe = pixel_recipe(self._changes(), opened, 1.0, scale=pixels.scale)
        return RemoteEncoder(opened, recipe, Origin(f"SavedModel: {self.name}"), pixels)

    @property
    def _folder(self) -> Path:
        return path_of(self.name)

    def _set_scale(self) -> bool | None:
        """Return the settings of the user; mean and std are for the range 0..1."""
        return True if self.scale is None and (self.mean, self.std) != (0.0, 1.0) else self.scale

    def _scale_in_identity(self) -> bool | None:
        """Return None, which is not what 0..1 was before, only where the graph may expect another range."""
        if self._set_scale() is None and self.modality() is Modality.IMAGE:
            graph = (self._folder / "saved_model.pb").read_bytes()
            return None if any(operation in graph for operation in _RESCALING) else True
        return True if self.scale is None else self.scale

    def _scaling_in_identity(self) -> str:
        """Return a word where the graph may cut its input at 255, which was not found at first."""
        if self._set_scale() is not None or self.modality() is not Modality.IMAGE:
            return ""
        graph = (self._folder / "saved_model.pb").read_bytes()
        cuts = _255 in graph and any(operation in graph for operation in _CUTS)
        return " scaled as found 3" if cuts else ""

    def _changes(self) -> PixelChanges:
        from assay.encoders.pixel_changes import PixelChanges

        return PixelChanges(self.size, self.crop, self.mean, self.std, self.interpolation)
