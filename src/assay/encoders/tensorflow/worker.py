"""A process of its own for a model whose library must not share ours; it ends with the model, or with us."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import IO, final

import numpy as np

from assay.core.errors import CheckpointError, ModelError
from assay.encoders.tensorflow.channel import Message, receive, send
from assay.encoders.tensorflow.starting import Started, start

_LAST_WORDS = 400  # characters of standard error in a message
_ERRORS = {"ModelError": ModelError, "CheckpointError": CheckpointError, "MemoryError": MemoryError}
_MEMORY = ("ResourceExhaustedError", "MemoryError")


@final
class Child:
    """A module of ours that runs as a process and answers messages.

    Args:
        module: Its name, as in "assay.models.keras.worker".
        environment: Variables that it gets beside ours.
        model: What to call it in messages.
    """

    def __init__(self, module: str, environment: Mapping[str, str], model: str) -> None:
        self._model = model
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = start(module, environment, self._said)
        self._end = weakref.finalize(self, _end, self._process, self._said)

    def ask(self, words: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None) -> Message:
        """Send a message and return the answer.

        Raises:
            ModelError: The model failed, or its process died.
            MemoryError: Memory did not suffice for what was asked.
        """
        if not self._end.alive:
            raise ModelError("The model is closed. Open it again.")
        try:
            send(self._process.requests, words, arrays or {})
            reply = receive(self._process.replies)
        except (BrokenPipeError, EOFError):
            raise ModelError(self._obituary()) from None
        if "error" not in reply.words:
            return reply
        kind, text = reply.words["kind"], reply.words["error"]
        if kind in _MEMORY:
            raise MemoryError(text)
        raise _ERRORS.get(kind, ModelError)(text if kind in _ERRORS else f"{kind}: {text}")

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.process_id

    def close(self) -> None:
        """End the process, whatever it is doing: all memory of the model is free."""
        self._end()

    def _obituary(self) -> str:
        self._end.detach()  # its number may soon be that of another process
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()[-_LAST_WORDS:]
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        hint = " Signal 9 mostly means that memory did not suffice." if code == -9 else ""
        _close(self._process, self._said)
        return f"The process of '{self._model}' {how}.{hint} Its last words: {said or 'none'}"


def tensorflow_environment(device: str) -> dict[str, str]:
    """Return the variables of a process that holds a TensorFlow model."""
    wanted = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # PyTorch may hold some of the same memory
    }
    return wanted if device.startswith("cuda") else {**wanted, "CUDA_VISIBLE_DEVICES": "-1"}


@cache
def tensorflow_version() -> str:
    """Return the version of the package that TensorFlow came in."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "of an unknown package"


def _end(process: Started, said: IO[bytes]) -> None:
    with suppress(OSError, EOFError):  # it has ended, or its nursery has
        process.kill()
        process.wait()
    _close(process, said)


def _close(process: Started, said: IO[bytes]) -> None:
    for stream in (process.requests, process.replies, said):
        with suppress(BrokenPipeError):  # it died with an unread message
            stream.close()
