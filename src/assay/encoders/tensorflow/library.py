"""TensorFlow's version, and workers that import it and open a model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, NamedTuple

from assay.encoders.tensorflow.model_process import ModelProcess
from assay.encoders.tensorflow.model_server import Request


@cache
def tensorflow_version() -> str:
    """Return the version of the installed TensorFlow package."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "of an unknown package"


class OpenedWorker(NamedTuple):
    """A worker with an open model, and the model's facts."""

    worker: ModelProcess
    facts: dict[str, Any]


def open_in_worker(server: str, settings: Mapping[str, object], device: str, model: str) -> OpenedWorker:
    """Start a worker and open a model there.

    Args:
        server: The ``ModelServer`` that answers messages there, as "module:class".
        settings: What it opens.
        device: The torch device.
        model: What to call the model in error messages.
    """
    environment = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # PyTorch may hold some of the same memory
        **({} if device.startswith("cuda") else {"CUDA_VISIBLE_DEVICES": "-1"}),
    }
    worker = ModelProcess(f"{server}.serve", f"{__name__}:load", environment, model)
    try:
        return OpenedWorker(worker, dict(worker.ask({"do": Request.OPEN, **settings}).fields))
    except BaseException:
        worker.close()
        raise


def load() -> None:
    """Import TensorFlow, and Keras if installed, without Keras's optional plotting dependencies."""
    for package in ("matplotlib", "sklearn", "pandas"):  # they take half of the start-up time
        sys.modules.setdefault(package, None)  # type: ignore[arg-type]  # None makes the import fail
    import tensorflow  # noqa: F401

    with suppress(ImportError):
        import keras  # noqa: F401
