"""A worker without any framework: it answers, dies, is stopped and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.workers import fork_server, worker
from assay.workers.channel import Message
from assay.workers.worker import Worker

TARGETS = """
import os, signal, sys, time
import numpy as np
from assay.workers.channel import Message
from assay.workers.serving import answer_requests

def load():
    print("loaded", file=sys.stderr)

def echo(channel):
    def answer(message):
        do = message.fields.get("do")
        if do == "close files":
            os.closerange(0, 256)
        if do == "exit":
            os._exit(7)
        if do == "start a child":
            child = os.fork()
            if not child:
                time.sleep(600)
            return Message({"child": child})
        if do == "fork":
            return Message({"child": os.fork()})
        if do == "raise":
            raise LookupError("not there")
        if do == "large":
            return Message({}, {"values": np.zeros(5_000_000)})
        print("noise on standard output", flush=True)
        os.write(1, b"more noise")
        return message
    answer_requests(channel, answer)

def die(channel):
    raise RuntimeError("it cannot start")
"""
PARENT = """
import sys, time
from assay.workers.channel import Message
from assay.workers.worker import Worker
echo = Worker("targets:echo", "targets:load", {})
echo.channel.send(Message({"do": "start a child"}))
print(echo.channel.receive().fields["child"], echo.process_id, flush=True)
time.sleep(600)
"""

Start = Callable[..., Worker]


@pytest.fixture(params=[True, False], ids=["forked", "alone"])
def start(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    (tmp_path / "targets.py").write_text(TARGETS)
    if request.param and not worker._FORKS:
        pytest.skip("needs Linux")
    monkeypatch.setattr(worker, "_FORKS", request.param)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    return lambda target="echo": Worker(f"targets:{target}", "targets:load", {"PYTHONPATH": path})


def ask(echo: Worker, do: str, seconds: float = 60) -> Message:
    deadline = time.monotonic() + seconds
    echo.channel.send(Message({"do": do}), deadline)
    return echo.channel.receive(deadline)


def wait_until_gone(process: int) -> None:
    """Wait until a process does not exist, or is no more than an entry that nobody has waited for."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
            os.kill(process, 0)
        except (OSError, IndexError):
            return
        if state in "ZX":
            return
        time.sleep(0.02)
    raise AssertionError(f"The process {process} is still there.")


def test_it_answers_whatever_its_library_prints(start: Start) -> None:
    echo = start()

    echo.channel.send(Message({"do": "echo"}, {"batch": np.arange(3)}))
    reply = echo.channel.receive()
    echo.close()

    assert reply.fields == {"do": "echo"}
    np.testing.assert_array_equal(reply.arrays["batch"], np.arange(3))


def test_what_is_raised_there_is_a_reply(start: Start) -> None:
    echo = start()

    assert ask(echo, "raise").fields == {"error": "not there", "kind": "LookupError"}
    assert ask(echo, "echo").fields == {"do": "echo"}
    echo.close()


@pytest.mark.parametrize(
    ("do", "how"),
    [
        ("exit", "ended with code 7"),
        ("close files", "closed its connection to this process, or wrote into it, and was stopped"),
    ],
)
def test_one_that_ends_says_how(start: Start, do: str, how: str) -> None:
    echo = start()

    with pytest.raises(EOFError):
        ask(echo, do)
    assert echo.how_it_ended() == how


def test_one_that_cannot_start_says_why(start: Start) -> None:
    broken = start("die")

    with pytest.raises(EOFError):
        broken.channel.receive(time.monotonic() + 60)
    assert broken.how_it_ended() == "ended with code 1"
    assert broken.last_output.endswith("RuntimeError: it cannot start")


def test_one_that_is_killed_in_the_middle_of_a_reply_says_how(start: Start) -> None:
    echo = start()
    echo.channel.send(Message({"do": "large"}))
    while not echo.channel._socket.recv(1):
        """Wait for the first byte."""
    os.kill(echo.process_id, signal.SIGKILL)

    with pytest.raises(EOFError):
        echo.channel.receive()
    assert echo.how_it_ended() == "was ended by SIGKILL, mostly because memory did not suffice"
    assert not echo.is_open


def test_one_that_is_stopped_neither_reads_nor_writes_and_can_be_ended(start: Start) -> None:
    echo = start()
    ask(echo, "echo")
    os.kill(echo.process_id, signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        echo.channel.send(Message({}, {"large": np.zeros(5_000_000)}), time.monotonic() + 0.1)
    echo.close()

    wait_until_gone(echo.process_id)


def test_the_child_of_a_model_does_not_answer(start: Start) -> None:
    echo = start()

    assert ask(echo, "fork").fields["child"] > 0
    assert ask(echo, "echo").fields == {"do": "echo"}
    echo.close()


def test_it_ends_with_its_last_user_and_its_children_with_it(start: Start) -> None:
    echo = start()
    processes = (echo.process_id, ask(echo, "start a child").fields["child"])

    del echo

    for process in processes:
        wait_until_gone(process)


def test_it_ends_when_its_parent_is_killed(start: Start, tmp_path: Path) -> None:
    del start
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        processes = [int(process) for process in parent.stdout.readline().split()]
        parent.kill()

    assert len(processes) == 2
    for process in processes:
        wait_until_gone(process)


def test_a_fork_server_that_was_killed_is_started_again_and_its_workers_go_on(start: Start) -> None:
    first = start()
    if not isinstance(first._process, fork_server.Forked):
        first.close()
        return
    server = first._process._server
    server.process.kill()

    second = start()

    assert ask(first, "echo").fields == ask(second, "echo").fields == {"do": "echo"}
    assert second._process._server is not server
    first.close()
    second.close()
    wait_until_gone(first.process_id)


def test_a_fork_server_that_was_stopped_is_replaced(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start()
    if not isinstance(first._process, fork_server.Forked):
        first.close()
        return
    first._process._server._patience = 0.1
    os.kill(first._process._server.process.pid, signal.SIGSTOP)

    second = start()

    assert ask(second, "echo").fields == {"do": "echo"}
    first.close()
    second.close()


def test_libraries_are_loaded_again_where_the_environment_has_changed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start()
    if not isinstance(first._process, fork_server.Forked):
        first.close()
        return
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    second = start()

    assert second._process._server is not first._process._server
    first.close()
    second.close()
