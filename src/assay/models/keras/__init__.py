"""Image models of Keras, run in a separate process: ``keras:ResNet50``, ``keras:./model.keras``."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.core.trainable import Trainable
    from assay.encoders.identity import Origin
    from assay.encoders.pixel_changes import PixelChanges
    from assay.encoders.tensorflow.model_process import ModelProcess

_LISTED = Path(__file__).with_name("listed.tsv")
_SUFFIXES = (".keras", ".h5", ".hdf5")
_CROP = Fraction(7, 8)  # the crop with which most of these models were evaluated: 224 of 256


@dataclass(frozen=True, slots=True)
class KerasSource(ModelSource):
    """The models of ``keras.applications``, and files of your own; TensorFlow runs in another process.

    Features are what enters the classification head; for applications pixels go through their own
    ``preprocess_input``. Code inside of files (Lambda layers, custom objects) is never run. To be
    trained, a model is built again on the torch backend of Keras, with the same weights.

    Attributes:
        pretrained: False for random weights of the same architecture.
        checkpoint: For applications: a file with weights instead of the published ones.
        seed: The seed of random weights.
        image_size: The side of the input in pixels.
        preprocess: For files: the application whose ``preprocess_input`` pixels go through.
        mean: For files: the value subtracted from the pixels.
        std: For files: the divisor after subtracting the mean.
        scale: For files: True for pixels in 0..1, False for 0..255; None for what the layers before the first
            weights expect, and 0..1 where they do not say.
        crop: The fraction of the resized short side kept by the centre crop; None for 7/8, or all of it for
            files.
        interpolation: The resize filter, such as "bicubic".
        layer: The name of the layer whose output is read.
        head: False if the output is features, not class scores.

    >>> [name for name in KerasSource.list_names() if name.startswith("ResNet") and "50" in name]
    ['ResNet50', 'ResNet50V2']
    >>> KerasSource("ResNet50", image_size=160).untrained().pretrained
    False
    """

    pretrained: bool = True
    checkpoint: str | None = None
    seed: int = 0
    image_size: int | None = None
    preprocess: str | None = None
    mean: tuple[float, ...] | float | None = None
    std: tuple[float, ...] | float | None = None
    scale: bool | None = None
    crop: float | None = None
    interpolation: str = "bilinear"
    layer: str | None = None
    head: bool = True

    summary: ClassVar[str] = "Keras: keras.applications and files of your own, for images"
    packages: ClassVar[tuple[str, ...]] = ("keras", "tensorflow")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return the models of ``keras.applications``; any file may be named as well."""
        return sorted(_applications())

    def entry(self, address: str) -> CatalogueEntry:
        """Return the documented facts about a Keras application; a file is local."""
        from assay.encoders.listed import column_of, listed_in
        from assay.environment.downloads import keras_file

        listed = listed_in(_LISTED).get(self.name)
        if listed is None:
            return CatalogueEntry(address, Modality.IMAGE, is_local=self._is_file)
        if self.pretrained and self.checkpoint is None:
            file = keras_file(column_of(_LISTED, "file")[self.name])
            return replace(listed, address=address, is_local=file.is_file(), cache_file=str(file))
        size = self.image_size or listed.input_size
        return CatalogueEntry(address, Modality.IMAGE, listed.parameters, input_size=size, is_local=True)

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and invalid settings."""
        from assay.encoders.identity import require_file

        self._changes().check()
        if self.preprocess is not None and self.preprocess not in _applications():
            raise UnknownName("model of keras.applications", self.preprocess, _applications())
        if self._is_file:
            require_file(self.name)
            if self.checkpoint is not None:
                raise UsageError("A file has its weights inside. Leave out 'checkpoint'.")
            return
        if self.name not in _applications():
            raise UnknownName("model of keras.applications", self.name, _applications())
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        if any(value is not None for value in (self.preprocess, self.mean, self.std, self.scale)):
            raise UsageError(
                f"'keras:{self.name}' has its own preprocess_input. "
                "Leave out preprocess, mean, std and scale."
            )

    def modality(self) -> Modality:
        """Return the image modality."""
        return Modality.IMAGE

    def identity(self) -> str:
        """Return the versions of Keras and TensorFlow, the settings, and the hashes of files."""
        from assay.encoders.identity import file_hash, identity_of
        from assay.encoders.tensorflow.library import tensorflow_version
        from assay.models.keras.saved_config import version_of_scaling

        versions = f"keras {metadata.version('keras')} tensorflow {tensorflow_version()}"
        if not self._is_file:
            return identity_of(versions, self, self.checkpoint)
        finds = self.scale is None and self.preprocess is None
        version = version_of_scaling(self._path) if finds else 1
        found = "" if version == 1 else f" scaled as found {version}"
        return identity_of(f"{versions} {file_hash(self.name)}{found}", replace(self, name=""))

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Start a worker process, open the model in it and return it."""
        from assay.encoders.input_range import scaling
        from assay.encoders.tensorflow.encoder import RemoteEncoder, found_range, pixel_recipe
        from assay.encoders.tensorflow.library import open_in_worker

        settings = self._settings()
        opened = open_in_worker(
            "assay.models.keras.worker:KerasServer", settings, device, f"keras:{self.name}"
        )
        own = self._is_file and self.preprocess is None  # else numbers go through preprocess_input there
        found = found_range(opened)
        says = self.scale if found or (self.mean, self.std) == (None, None) else self.scale is not False
        pixels = scaling(says, found) if own else None
        crop = Fraction(1) if self._is_file else _CROP
        recipe = pixel_recipe(self._changes(), opened, crop, scale=pixels is not None and pixels.scale)

        def build(worker: ModelProcess) -> Trainable:
            from assay.models.keras.trainable import KerasTrainable

            return KerasTrainable(worker, settings, recipe, device)

        return RemoteEncoder(opened, recipe, self._origin(), pixels, build)

    @property
    def _path(self) -> Path:
        return path_of(self.name)

    @property
    def _is_file(self) -> bool:
        return self.name.endswith(_SUFFIXES)

    def _settings(self) -> dict[str, Any]:
        preprocess = self.preprocess if self._is_file else self.name
        return {
            "name": str(self._path) if self._is_file else self.name,
            "module": None if self._is_file else _applications()[self.name],
            "preprocess": None if preprocess is None else _applications()[preprocess],
            "pretrained": self.pretrained,
            "checkpoint": None if self.checkpoint is None else str(path_of(self.checkpoint)),
            "seed": self.seed,
            "side": self.image_size,
            "layer": self.layer,
            "head": self.head,
        }

    def _changes(self) -> PixelChanges:
        from assay.encoders.pixel_changes import PixelChanges

        return PixelChanges(self.image_size, self.crop, self.mean, self.std, self.interpolation)

    def _origin(self) -> Origin:
        from assay.encoders.identity import Origin

        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        if self._is_file:
            return Origin(f"keras: {self.name}")
        return Origin(self.checkpoint or f"keras.applications: {self.name}, ImageNet")


@cache
def _applications() -> dict[str, str]:
    """Return each model with its module, read from the package: importing Keras would load TensorFlow."""
    spec = find_spec("keras")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    listing = Path(spec.submodule_search_locations[0]) / "applications" / "__init__.py"
    modules: dict[str, str] = {}
    for line in ast.parse(listing.read_text("utf-8")).body:
        if isinstance(line, ast.ImportFrom) and line.module is not None and "src.applications" in line.module:
            module = line.module.rpartition(".")[2]
            modules |= {alias.name: module for alias in line.names if alias.name[0].isupper()}
    return modules
