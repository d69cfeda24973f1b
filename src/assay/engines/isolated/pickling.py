"""Evaluations as bytes for a worker, with the code of plug-in files: a worker cannot import them by name."""

from __future__ import annotations

import sys
from pathlib import Path

import cloudpickle

from assay.core.metric import PLUGIN_PREFIX
from assay.plugins.beside import modules_beside


def pickled(value: object) -> bytes:
    """Return a value as cloudpickle writes it; raise whatever its parts raise."""
    content: bytes = cloudpickle.dumps(value)
    return content


def carry_plugin_files() -> None:
    """Pickle by value what plug-in files define, and the modules beside them that they import."""
    plugins = [module for name, module in sys.modules.items() if name.startswith(PLUGIN_PREFIX)]
    folders = {Path(str(module.__file__)).resolve().parent for module in plugins}
    for module in (*plugins, *modules_beside(folders)):
        cloudpickle.register_pickle_by_value(module)
