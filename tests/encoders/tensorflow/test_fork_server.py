"""Starting a worker from a process that has its library."""

from __future__ import annotations

import io
import os
import tempfile
from functools import cache

import pytest

from assay.core.errors import ModelError
from assay.encoders.tensorflow import fork_server


class DeadServer:
    """A fork server that cannot be asked."""

    def __init__(self) -> None:
        self.stderr = io.BytesIO()

    def ask(self, request: bytes, streams: list[int]) -> int:
        raise EOFError


def test_a_worker_that_cannot_be_forked_leaves_no_pipe_open(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    pipe = os.pipe
    server = DeadServer()

    def recorded_pipe() -> tuple[int, int]:
        ends.extend(pipe())
        return ends[-2], ends[-1]

    monkeypatch.setattr(fork_server, "_server", cache(lambda *_: server))
    with monkeypatch.context() as patch, tempfile.TemporaryFile() as stderr:
        patch.setattr(os, "pipe", recorded_pipe)
        with pytest.raises(ModelError, match="No process for the model can be started"):
            fork_server.fork("module:answers", "module:load", {}, stderr)

    assert len(ends) == 4
    for end in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)
