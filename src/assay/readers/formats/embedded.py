"""Columns of Parquet that contain images or sounds: bytes, or structs of bytes and a path."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Mapping, Sequence

import pyarrow as pa

from assay.core.task import Modality

_LOOKED_AT = 20  # cells that decide what a column of bytes holds
_IMAGE = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|BM|II[*+]\0|MM\0[*+]|RIFF.{4}WEBP|.{4}ftyp(?:avi|hei|hev|mif|msf)"
    rb"|\xff\x0a|\0\0\0\x0cJXL |\0\0\0\x0cjP|P[1-6]\s",
    re.DOTALL,
)
_SOUND = re.compile(
    rb"RIFF.{4}WAVE|fLaC|OggS|ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]|FORM.{4}AIF|\.snd|caff", re.DOTALL
)


def is_struct_of_file(kind: pa.DataType) -> bool:
    """Return whether cells are structs of bytes and a path, as the package ``datasets`` writes files."""
    return pa.types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"}


def embedded_modality(column: pa.Array) -> Modality | None:
    """Return whether the first cells of a column are images or sounds; None if they are something else."""
    some = [cell for cell in column.slice(0, 1000).to_pylist() if cell is not None][:_LOOKED_AT]
    found = [_of_struct(cell) if isinstance(cell, dict) else _of_bytes(cell) for cell in some]
    known = [modality for modality in found if modality is not None]
    return max(known, key=known.count) if len(known) > len(some) / 2 else None


def file_names(column: pa.Array) -> pa.Array:
    """Return a name for each file of a column; null without a file."""
    names = [
        (cell["path"] or (cell["bytes"] and "bytes")) if isinstance(cell, dict) else cell and "bytes"
        for cell in column.to_pylist()
    ]
    return pa.array([name or None for name in names], pa.string())


def class_names(schema: pa.Schema) -> dict[str, Sequence[str]]:
    """Return the names of the classes of columns of numbers, which the package ``datasets`` writes along."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: found for name, feature in features.items() if (found := _names(feature))}
    except (
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
    ):  # absent, or written by another program
        return {}


def with_names(column: pa.Array, names: Sequence[str]) -> pa.Array:
    """Return numbers of classes, or lists of them, as names; negative numbers are missing."""
    nested = pa.types.is_nested(column.type)
    cells = [_named(cell, names) for cell in column.to_pylist()]
    return pa.array(cells, pa.list_(pa.string()) if nested else pa.string())


def _named(cell: object, names: Sequence[str]) -> object:
    if isinstance(cell, list):
        return [_named(item, names) for item in cell]
    if not isinstance(cell, int):
        return cell
    if cell < 0:
        return None
    return names[cell] if cell < len(names) else str(cell)


def _names(feature: object) -> Sequence[str]:
    if isinstance(feature, list) and feature:
        return _names(feature[0])
    if not isinstance(feature, Mapping):
        return ()
    if feature.get("_type") == "ClassLabel":
        return [str(name) for name in feature.get("names") or ()]
    return _names(feature.get("feature"))


def _of_struct(cell: Mapping[str, object]) -> Modality | None:
    content, path = cell["bytes"], cell["path"]
    if isinstance(content, bytes) and content:
        return _of_bytes(content)
    kind = (mimetypes.guess_type(path)[0] or "") if isinstance(path, str) else ""
    return {"image": Modality.IMAGE, "audio": Modality.AUDIO}.get(kind.partition("/")[0])


def _of_bytes(content: object) -> Modality | None:
    if not isinstance(content, bytes):
        return None
    if _SOUND.match(content):
        return Modality.AUDIO
    return Modality.IMAGE if _IMAGE.match(content) else None
