"""The folder of a saved model: its files and its settings, which are validated like any input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from assay.core.errors import UsageError
from assay.core.paths import regular_bytes
from assay.core.predictor import Decision
from assay.core.task import LabelKind, Modality, TaskKind
from assay.readers.pixel_values import PixelKind, PixelRange

WEIGHTS, SETTINGS, SCRIPT = "weights.safetensors", "assay.json", "predict.py"


@dataclass(frozen=True, slots=True)
class SavedSettings:
    """What ``assay.json`` says; nothing in it is run, imported or pasted into code.

    Attributes:
        model: The address of the model.
        task: The address of the task.
        method: The protocol that trained.
        kind: The kind of the task.
        modality: What an example is.
        classes: The names of the classes; empty for numbers.
        present: The classes that training saw, by position.
        shape: The shape of one label: () or (columns,).
        are_logits: Whether outputs are logits, from which classes have probabilities.
        metrics: The metrics on test.
        tuned: The hyperparameters.
        assay: The version that saved it.
        columns: The columns of the task's table that hold an example; empty without a table.
        files: Settings of the model that name a file or folder, and where its copy lies in the saved folder.
        code: Code of the user that the model needs. It tells people; it allows nothing.
        identity: The identity of the model's source, with the versions of its packages.
        pixel_ranges: The values that are black and white in pixels of more than 8 bits, by kind of pixel.
        full_scale: The value of full scale in sounds of floats.
        fingerprint: The hash of the weights from which training started; empty where they were random.
        weights: The hash of the file of weights.
    """

    model: str
    task: str
    method: str
    kind: TaskKind
    modality: Modality
    classes: tuple[str, ...]
    present: tuple[int, ...]
    shape: tuple[int, ...]
    are_logits: bool
    metrics: Mapping[str, float]
    tuned: Mapping[str, float]
    assay: str
    columns: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    identity: str = ""
    pixel_ranges: Mapping[PixelKind, tuple[float, ...]] = field(default_factory=dict)
    full_scale: float = 1.0
    fingerprint: str = ""
    weights: str = ""

    def __post_init__(self) -> None:
        label_kind = self.kind.label_kind
        if list(self.present) != sorted({*self.present} & {*range(len(self.classes))}):
            raise ValueError("'present' does not number the classes")
        if label_kind is LabelKind.MULTILABEL and self.shape != (len(self.classes),):
            raise ValueError("'shape' is not the number of classes")
        if label_kind is LabelKind.CLASSIFICATION and (self.shape or not self.present):
            raise ValueError("there is no class to predict")
        if self.full_scale <= 0:
            raise ValueError("'full_scale' is not positive")
        if any(len(ends) != 2 for ends in self.pixel_ranges.values()):
            raise ValueError("'pixel_ranges' are not pairs")
        if len(self.shape) > 1 or any(side < 1 for side in self.shape):
            raise ValueError("'shape' is not that of a label")

    @property
    def decision(self) -> Decision:
        """How outputs become predictions."""
        present = np.array(self.present, dtype=np.int64)
        return Decision(self.kind.label_kind, len(self.classes), present, self.shape, self.are_logits)

    @property
    def ranges(self) -> Mapping[PixelKind, PixelRange]:
        """The ranges of pixels of more than 8 bits, which are those of the task."""
        return {kind: PixelRange(low, high) for kind, (low, high) in self.pixel_ranges.items()}

    def text(self) -> str:
        """Return the settings as JSON, in ASCII, so that any name survives any encoding."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"


def read_settings(folder: Path) -> SavedSettings:
    """Read and check the settings of a saved model.

    Raises:
        UsageError: The folder contains no saved model, or its settings are damaged.
    """
    path = inside(folder, SETTINGS)
    try:
        return _settings(json.loads(regular_bytes(path)))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"'{folder}' contains no saved model: {SETTINGS} is damaged ({error}). Save it again."
        ) from error


def inside(folder: Path, name: str) -> Path:
    """Return a file or folder of the saved folder, by its relative path.

    Raises:
        UsageError: It does not exist, leads out of the folder, or is no regular file or folder.
    """
    path, top = folder / name, folder.resolve()
    if not path.exists():
        raise UsageError(
            f"'{folder}' contains no saved model: it has no {name}. Name a folder that assay save wrote."
        )
    found = [path, *path.rglob("*")] if path.is_dir() else [path]
    for one in found:
        if not one.resolve().is_relative_to(top):
            raise UsageError(
                f"'{one}' leads out of the saved folder to '{one.resolve()}': it is not read. "
                "Put the file itself into the folder, as cp -rL does."
            )
        if not one.is_dir() and not one.is_file():
            raise UsageError(f"'{one}' is not a regular file: it is not read. Save the model again.")
    return path


def _settings(stated: object) -> SavedSettings:
    if not isinstance(stated, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the file, as what json raises
    hints = get_type_hints(SavedSettings)
    values: dict[str, Any] = {}
    for one in fields(SavedSettings):
        if one.name in stated:
            values[one.name] = _value(hints[one.name], stated[one.name], one.name)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"it has no '{one.name}'")
    return SavedSettings(**values)


def _value(kind: Any, value: object, name: str) -> object:
    """Return a value of JSON as a field's type; raise ``ValueError`` if it is of another."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(inner[0], item, name) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {_value(inner[0], key, name): _value(inner[1], item, name) for key, item in value.items()}
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if abs(value) <= sys.float_info.max:  # an int may be larger
            return float(value)
    elif isinstance(value, str) and isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    elif origin is None and type(value) is kind:
        return value
    raise ValueError(f"'{name}' is {str(value)[:40]!r}")
