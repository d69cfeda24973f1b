"""A separate process for a model whose library conflicts with this process's libraries."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, final

import numpy as np

from assay.core.errors import CheckpointError, ModelError
from assay.encoders.tensorflow.channel import Message, receive, send
from assay.encoders.tensorflow.fork_server import ForkedProcess, command, end_of, fork

_FORKS = sys.platform == "linux"  # macOS frameworks do not work in forked processes
_ERRORS = {"ModelError": ModelError, "CheckpointError": CheckpointError}
_MEMORY = ("ResourceExhaustedError", "MemoryError")

Process = ForkedProcess | subprocess.Popen[bytes]


@final
class Worker:
    """A process that answers messages, forked from a fork server, or started directly without forks.

    Args:
        answers: What answers messages there, as "module:callable" without arguments.
        preload: What loads its library, likewise.
        environment: Variables that it gets beside ours.
        model: What to call the model in error messages.
    """

    def __init__(self, answers: str, preload: str, environment: Mapping[str, str], model: str) -> None:
        self._model = model
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        start = fork if _FORKS else _start
        self._process: Process = start(answers, preload, environment, self._stderr)
        self._end = weakref.finalize(self, _end, self._process, self._stderr)

    def ask(self, fields: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None) -> Message:
        """Send a message and return the reply.

        Raises:
            ModelError: The model failed, or its process died.
            MemoryError: Memory did not suffice for what was asked.
        """
        if not self._end.alive:
            raise ModelError("The model is closed. Open it again.")
        try:
            requests, replies = _pipes(self._process)
            send(requests, Message(fields, arrays or {}))
            reply = receive(replies)
        except (BrokenPipeError, EOFError):
            raise ModelError(self._how_it_ended()) from None
        if "error" not in reply.fields:
            return reply
        kind, text = reply.fields["kind"], reply.fields["error"]
        if kind in _MEMORY:
            raise MemoryError(text)
        raise _ERRORS.get(kind, ModelError)(text if kind in _ERRORS else f"{kind}: {text}")

    @property
    def process_id(self) -> int:
        """The process ID."""
        return self._process.pid

    def close(self) -> None:
        """Kill the process, which frees all memory of the model."""
        self._end()

    def _how_it_ended(self) -> str:
        self._end.detach()  # the process ID may be reused
        code = self._process.wait()
        output = end_of(self._stderr)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        hint = " Signal 9 mostly means that memory did not suffice." if code == -9 else ""
        _close(self._process, self._stderr)
        return f"The process of '{self._model}' {how}.{hint} Its last output: {output}"


def _start(
    answers: str, preload: str, environment: Mapping[str, str], stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own module
        command(preload, answers),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **environment},
    )


def _pipes(process: Process) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _end(process: Process, stderr: IO[bytes]) -> None:
    with suppress(OSError, EOFError):  # the worker or its fork server has ended
        process.kill()
        process.wait()
    _close(process, stderr)


def _close(process: Process, stderr: IO[bytes]) -> None:
    for stream in (*_pipes(process), stderr):
        with suppress(BrokenPipeError):  # the worker died with an unread message
            stream.close()
