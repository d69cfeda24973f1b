"""TensorFlow: its version, the workers that hold a model of it, and how they load it."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib import metadata

from assay.encoders.tensorflow.worker import Worker


@cache
def tensorflow_version() -> str:
    """Return the version of the package that TensorFlow came in."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "of an unknown package"


def tensorflow_worker(answers: str, device: str, model: str) -> Worker:
    """Start the worker of a model.

    Args:
        answers: What answers messages there, as "module:callable" without arguments.
        device: As torch names it.
        model: What to call the model in error messages.
    """
    environment = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # PyTorch may hold some of the same memory
        **({} if device.startswith("cuda") else {"CUDA_VISIBLE_DEVICES": "-1"}),
    }
    return Worker(answers, f"{__name__}:load", environment, model)


def load() -> None:
    """Load TensorFlow, and Keras where it is there, without what Keras has only for plots and wrappers."""
    for package in ("matplotlib", "sklearn", "pandas"):  # half of the time to start
        sys.modules.setdefault(package, None)  # type: ignore[arg-type]  # None is how Python says: not there
    import tensorflow  # noqa: F401

    with suppress(ImportError):
        import keras  # noqa: F401
