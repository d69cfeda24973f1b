"""Pickles evaluations for a worker, with the code of plug-in files, which it cannot import by name."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import cloudpickle

from assay.core.metric import PLUGIN_PREFIX
from assay.plugins.local_imports import modules_beside


def pickled(value: object, apart: Callable[[object], str | None] | None = None) -> bytes:
    """Pickle a value with cloudpickle; raise the exceptions of its parts.

    Args:
        value: The value.
        apart: Returns the name of a part that is sent by itself, and None for all other parts.
    """
    stream = io.BytesIO()
    pickler = cloudpickle.Pickler(stream)
    if apart is not None:
        pickler.persistent_id = apart
    pickler.dump(value)
    return stream.getvalue()


def unpickled(content: Any, parts: Mapping[str, Any]) -> Any:
    """Return the value of some bytes, with the parts that were sent by themselves."""
    return _WithParts(io.BytesIO(content), parts).load()


@final
class _WithParts(pickle.Unpickler):
    """Reads what the process that started this one has written."""

    def __init__(self, stream: io.BytesIO, parts: Mapping[str, Any]) -> None:
        super().__init__(stream)
        self._parts = parts

    def persistent_load(self, name: str) -> Any:
        """Return a part that was sent by itself."""
        return pickle.loads(self._parts[name])  # noqa: S301


def carry_plugin_files() -> None:
    """Pickle by value the definitions of plug-in files, and the local modules that they import."""
    plugins = [module for name, module in sys.modules.items() if name.startswith(PLUGIN_PREFIX)]
    folders = {Path(str(module.__file__)).resolve().parent for module in plugins}
    for module in (*plugins, *modules_beside(folders)):
        cloudpickle.register_pickle_by_value(module)
