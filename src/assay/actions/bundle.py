"""Copies the files of a model that lie on this machine into the folder of a saved model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.core.errors import AssayError
from assay.core.model import ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.plugins.address import Address
from assay.plugins.families import families

_FOLDER = "model"
_TOKENIZER = (
    ".json",
    ".txt",
    ".model",
)  # endings of the files of a tokenizer, next to an ONNX file


def copy_files(address: Address, source: ModelSource, folder: Path) -> Mapping[str, str]:
    """Copy each file or folder that a setting names, and return where the copies lie, by setting.

    What lies on a hub, or in a package, is not copied.
    """
    copied = {}
    for setting, path in _local_files(address).items():
        place = folder / _FOLDER / setting
        for one in _with_siblings(path, source):
            target = place / one.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if one.is_dir():
                shutil.copytree(one, target, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(one, target)
        copied[setting] = (place / path.name).relative_to(folder).as_posix()
    return copied


def _local_files(address: Address) -> Mapping[str, Path]:
    """Return the files and folders that settings name, by setting; a name that only looks so is none."""
    stated = {"name": address.name, **dict(address.settings)}
    texts = {setting: value for setting, value in stated.items() if isinstance(value, str) and value}
    paths = {setting: path_of(value).absolute() for setting, value in texts.items()}
    return {
        setting: path for setting, path in paths.items() if _exists(path) and _reads(address, setting, path)
    }


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a path, or a NUL
        return False


def _reads(address: Address, setting: str, path: Path) -> bool:
    """Return whether the source opens the same model when a setting is the whole path."""
    if setting == "name":
        other = Address(address.source, str(path), address.settings)
    else:
        settings = {**dict(address.settings), setting: str(path)}
        other = Address(address.source, address.name, tuple(sorted(settings.items())))
    try:
        families().models.create_from_source(other).plugin.check()
    except AssayError:
        return False
    return True


def _with_siblings(path: Path, source: ModelSource) -> Iterator[Path]:
    """Yield a file, and for ONNX the files next to it that belong to it: its weights and its tokenizer."""
    yield path
    if path.suffix != ".onnx":
        return
    is_text = source.modality() is Modality.TEXT
    for other in sorted(path.parent.iterdir()):
        belongs = other.name.startswith(path.name) or (is_text and other.suffix in _TOKENIZER)
        if other != path and belongs and other.is_file():
            yield other
