"""A separate process for a model whose library conflicts with this process's libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from assay.core.errors import CheckpointError, ModelError, Unavailable
from assay.workers.channel import Message
from assay.workers.worker import Worker

_ERRORS = {"ModelError": ModelError, "CheckpointError": CheckpointError, "Unavailable": Unavailable}
_MEMORY = ("ResourceExhaustedError", "MemoryError")


@final
class ModelProcess:
    """A worker that answers messages about one model.

    Args:
        target: What serves the channel there, as "module:callable".
        preload: What loads its library, as "module:callable" without arguments.
        environment: Variables that it gets in addition to ours.
        model: What to call the model in error messages.
    """

    def __init__(self, target: str, preload: str, environment: Mapping[str, str], model: str) -> None:
        self._model = model
        self._worker = Worker(target, preload, environment)

    def ask(self, fields: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None) -> Message:
        """Send a message and return the reply.

        Raises:
            ModelError: The model failed, or its process died.
            MemoryError: Memory did not suffice for what was asked.
        """
        if not self._worker.is_open:
            raise ModelError("The model is closed. Open it again.")
        try:
            self._worker.channel.send(Message(fields, arrays or {}))
            reply = self._worker.channel.receive()
        except EOFError:
            how, output = self._worker.how_it_ended(), self._worker.last_output
            raise ModelError(f"The process of '{self._model}' {how}. Its last output: {output}") from None
        if "error" not in reply.fields:
            return reply
        kind, text = reply.fields["kind"], reply.fields["error"]
        if kind in _MEMORY:
            raise MemoryError(text)
        raise _ERRORS.get(kind, ModelError)(text if kind in _ERRORS else f"{kind}: {text}")

    @property
    def process_id(self) -> int:
        """The process ID."""
        return self._worker.process_id

    def close(self) -> None:
        """Kill the process, which frees all memory of the model."""
        self._worker.close()
