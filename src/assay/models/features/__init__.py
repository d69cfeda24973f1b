"""Precomputed features as a model: ``features:./resnet.npz``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from assay.core.errors import UnknownName, UsageError
from assay.core.model import Model, ModelFacts, ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.encoders.identity import file_hash, identity_of, require_file
from assay.models.features.lookup import SUFFIXES, Lookup, read_features

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")


@dataclass(frozen=True, slots=True)
class FeaturesSource(ModelSource):
    """A file with ``features`` (examples x width) and the ``names`` of their examples.

    It is an ``.npz`` with arrays of these names, or a Parquet file with such columns, or with one column for
    each feature. Names are what the task calls its examples: paths within its folder, or "row 1", "row 2",
    ... of its table. Numbers are rows of a table, counted from 1; so are rows without names.

    >>> import numpy as np
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile(suffix=".npz") as file:
    ...     np.savez(file, features=np.eye(2), names=["cats/1.png", "dogs/1.png"])
    ...     file.flush()
    ...     FeaturesSource(file.name).open("cpu").encode(["dogs/1.png"]).features.tolist()
    [[0.0, 1.0]]

    Attributes:
        reads: "image", "text" or "audio": what the examples are; None to derive it from their names.
    """

    reads: str | None = None

    summary: ClassVar[str] = "features that you have, as .npz or Parquet"
    packages: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Raise ``UsageError`` for a missing file and for invalid settings."""
        require_file(self.name)
        if not self.name.endswith(SUFFIXES):
            raise UsageError(f"'{self.name}' is not a file of features. They end in {', '.join(SUFFIXES)}.")
        if self.reads is not None and self.reads not in list(Modality):
            raise UnknownName("modality", self.reads, Modality)

    def modality(self) -> Modality:
        """Return the setting; by default infer the modality from the example names."""
        if self.reads is not None:
            return Modality(self.reads)
        first = read_features(path_of(self.name)).names[0].lower()
        if first.endswith(_SOUNDS):
            return Modality.AUDIO
        return Modality.IMAGE if first.endswith(_IMAGES) else Modality.TEXT

    def identity(self) -> str:
        """Return the settings and the hash of the file."""
        return identity_of(f"features 1 {file_hash(self.name)}", replace(self, name=""))

    def open(self, device: str) -> Model:
        """Read the file."""
        held = read_features(path_of(self.name))
        facts = ModelFacts(
            width=held.matrix.shape[1],
            parameters=0,
            macs=None,
            bytes=held.matrix.nbytes,
            input=f"the names of {len(held.names):,} examples",
            preprocessing="computed elsewhere",
            source_classes=0,
            weights=f"features: {self.name}",
            fingerprint=file_hash(self.name),
        )
        return Lookup(held, facts)
