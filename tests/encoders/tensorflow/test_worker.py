"""A worker without any framework: it answers, fails, dies and ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import ModelError
from assay.encoders.tensorflow import fork_server, worker
from assay.encoders.tensorflow.worker import Worker

ANSWERS = """
import sys

def load():
    print("loaded", file=sys.stderr)

def answers():
    def answer(message):
        if "fail" in message.fields:
            raise eval(message.fields["fail"])
        print("noise on standard output", flush=True)
        return message
    return answer
"""


@pytest.fixture(params=[True, False], ids=["forked", "alone"])
def start(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Worker]:
    (tmp_path / "echo_worker.py").write_text(ANSWERS)
    monkeypatch.setattr(worker, "_FORKS", request.param and worker._FORKS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    return lambda: Worker("echo_worker:answers", "echo_worker:load", {"PYTHONPATH": path}, "echo:me")


def test_it_answers_whatever_its_library_prints(start: Callable[[], Worker]) -> None:
    echo = start()

    reply = echo.ask({"do": "echo"}, {"batch": np.arange(3)})
    echo.close()

    assert reply.fields == {"do": "echo"}
    np.testing.assert_array_equal(reply.arrays["batch"], np.arange(3))


@pytest.mark.parametrize(
    ("failure", "error", "text"),
    [
        ("ValueError('no')", ModelError, "ValueError: no"),
        ("MemoryError('full')", MemoryError, "full"),
    ],
)
def test_what_fails_there_is_raised_here_and_it_goes_on(
    start: Callable[[], Worker], failure: str, error: type[Exception], text: str
) -> None:
    echo = start()

    with pytest.raises(error, match=text):
        echo.ask({"fail": failure})
    assert echo.ask({"do": "echo"}).fields == {"do": "echo"}
    echo.close()


def test_one_that_is_killed_says_how(start: Callable[[], Worker]) -> None:
    echo = start()
    echo.ask({})
    os.kill(echo.process_id, signal.SIGKILL)

    with pytest.raises(ModelError, match="'echo:me' was ended by signal 9"):
        echo.ask({})
    with pytest.raises(ModelError, match="closed"):
        echo.ask({})


def test_it_ends_with_its_last_user(start: Callable[[], Worker]) -> None:
    echo = start()
    process = echo.process_id

    del echo

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_fork_server_that_was_killed_is_started_again(start: Callable[[], Worker]) -> None:
    first = start()
    if not isinstance(first._process, fork_server.ForkedProcess):
        first.close()
        return
    server = first._process.server
    server._socket.close()

    second = start()

    assert second.ask({"do": "echo"}).fields == {"do": "echo"}
    assert second._process.server is not server
    second.close()
