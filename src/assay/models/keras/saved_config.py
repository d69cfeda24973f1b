"""Reads the layers of a Keras file without Keras, to detect changed input scaling.

Version 1 scaled pixels to 0..1 unless a layer called Rescaling or Normalization stood anywhere among the
outer layers; version 2 knew nothing of input that is cut at 255. A file for which that was right keeps its
identity, and so its results.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

_CUTS = ("Clip", "Minimum")
_RESCALING = ("Rescaling", "Normalization")
_NARROW = 16 / 255  # a factor that makes of 0..255 what a network is trained on
_WITHOUT_EFFECT = ("Resizing", "CenterCrop", "ZeroPadding2D", "Dropout", "GaussianNoise", "Identity")


def version_of_scaling(path: Path) -> int:
    """Return the first version that is known to scale the input of a file as its graph expects: 1, 2 or 3."""
    try:
        config = _read(path)
        outer = [layer["class_name"] for layer in config["config"]["layers"]]
        leading = _before_weights(config)[0]
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return 2
    if any(layer["class_name"] in _CUTS for layer in leading):
        return 3
    before = any(name in _RESCALING for name in outer)
    if not leading:
        return 2 if before else 1
    first = leading[0]
    factor = first["config"].get("scale") if first["class_name"] == "Rescaling" else None
    is_same = before and len(leading) == 1 and isinstance(factor, float) and abs(factor) <= _NARROW
    return 1 if is_same else 2


def _read(path: Path) -> dict[str, Any]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return dict(json.loads(archive.read("config.json")))
    import h5py  # type: ignore[import-untyped]  # it has none

    with h5py.File(path) as file:
        return dict(json.loads(file.attrs["model_config"]))


def _before_weights(model: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """Return the layers before the first weights that may change values, and whether weights follow."""
    found: list[dict[str, Any]] = []
    for layer in model["config"]["layers"]:
        name = str(layer["class_name"])
        if "layers" in layer["config"]:
            inner, ends = _before_weights(layer)
            found.extend(inner)
            if ends:
                return found, True
        elif name.endswith(("Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Dense")):
            return found, True
        elif not _is_without_effect(layer):
            found.append(layer)
    return found, False


def _is_without_effect(layer: dict[str, Any]) -> bool:
    name = str(layer["class_name"])
    if name == "InputLayer":
        return "int" not in str(layer["config"].get("dtype"))
    return name in _WITHOUT_EFFECT or name.startswith("Random")
