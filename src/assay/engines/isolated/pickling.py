"""Evaluations as bytes for a worker, with the code of plug-in files: a worker cannot import them by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cloudpickle

from assay.core.metric import PLUGIN_PREFIX

_NEVER = ("assay", "__main__")


def pickled(value: object) -> bytes:
    """Return a value as cloudpickle writes it; raise whatever its parts raise."""
    content: bytes = cloudpickle.dumps(value)
    return content


def carry_plugin_files() -> None:
    """Pickle by value what plug-in files define, and the modules beside them that they import."""
    for module in (*_plugins(), *_beside_plugins()):
        cloudpickle.register_pickle_by_value(module)


def _plugins() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith(PLUGIN_PREFIX)]


def _beside_plugins() -> Iterator[ModuleType]:
    folders = {Path(file).parent for module in _plugins() if (file := _file_of(module))}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top in _NEVER or name.startswith(PLUGIN_PREFIX):
            continue
        file = _file_of(sys.modules.get(top))
        if file and _home_of(Path(file)) in folders:
            yield module


def _home_of(file: Path) -> Path:
    """Return the folder from which a module or package is imported."""
    return file.parent.parent if file.name == "__init__.py" else file.parent


def _file_of(module: ModuleType | None) -> str | None:
    file = getattr(module, "__file__", None)
    return str(Path(file).resolve()) if isinstance(file, str) else None
