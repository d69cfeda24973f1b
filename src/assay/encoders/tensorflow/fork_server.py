"""A fork server, which imports a slow library once and forks workers: both ends of the protocol.

The fork server of multiprocessing would not do: there is one for the whole program, with one environment, it
imports the user's script again, and what it starts is sent as a pickle.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name
from threading import Lock
from typing import IO, final

from assay.core.errors import ModelError
from assay.encoders.tensorflow.channel import serve

_LONGEST = 256  # maximum bytes of the name of the message handler
_NUMBER = struct.Struct("<q")
_SHOWN = 400  # maximum characters of standard error in a message


@final
class ForkServer:
    """The parent's handle of the fork server; the server ends with this object or with the parent."""

    def __init__(self, preload: str, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        self._lock = Lock()
        self.stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        folder = tempfile.TemporaryDirectory(prefix="assay-")  # TensorFlow leaves files when it is killed
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own module
                command(preload),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self.stderr,
                env={**os.environ, **environment, "TMPDIR": folder.name},
            )
        weakref.finalize(self, _stop, process, (self._socket, self.stderr), folder)

    def ask(self, request: bytes, streams: Sequence[int] = ()) -> int:
        """Send a request, optionally with streams, and return the number in the reply."""
        with self._lock:
            socket.send_fds(self._socket, [request], streams)
            reply = self._socket.recv(_NUMBER.size, socket.MSG_WAITALL)
        if len(reply) < _NUMBER.size:
            raise EOFError
        return int(_NUMBER.unpack(reply)[0])


@dataclass(frozen=True, slots=True)
class ForkedProcess:
    """A forked process with the interface of ``subprocess.Popen``."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]
    server: ForkServer

    def kill(self) -> None:
        """End the process."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it has ended; return its exit code, negative for a signal."""
        return self.server.ask(_NUMBER.pack(self.pid))


def fork(answers: str, preload: str, environment: Mapping[str, str], stderr: IO[bytes]) -> ForkedProcess:
    """Fork a worker from the server for this library and environment, starting the server if necessary.

    Args:
        answers: What answers messages, as "module:callable" without arguments.
        preload: What loads the library, likewise.
        environment: Variables that the server gets beside ours.
        stderr: Where the standard error of the worker goes.
    """
    requests, replies = os.pipe(), os.pipe()
    key = (preload, tuple(sorted(environment.items())))
    streams = [requests[0], replies[1], stderr.fileno()]
    try:
        try:
            number = _server(*key).ask(answers.encode(), streams)
        except (OSError, EOFError):  # the server was killed: start another
            _server.cache_clear()
            number = _server(*key).ask(answers.encode(), streams)
    except (OSError, EOFError) as error:
        for end in (requests[1], replies[0]):
            os.close(end)
        output = end_of(_server(*key).stderr)
        raise ModelError(f"No process for the model can be started. Its last output: {output}") from error
    finally:
        os.close(requests[0])
        os.close(replies[1])
    return ForkedProcess(number, os.fdopen(requests[1], "wb"), os.fdopen(replies[0], "rb"), _server(*key))


def command(preload: str, *answers: str) -> list[str]:
    """Return the command of a fork server or, with a message handler, of a worker without forks."""
    return [sys.executable, "-P", "-m", __name__, preload, *answers]  # -P: no library is in this folder


def end_of(stderr: IO[bytes]) -> str:
    """Return the end of a process's standard error."""
    stderr.seek(0)
    return stderr.read().decode(errors="replace").strip()[-_SHOWN:] or "none"


@cache
def _server(preload: str, environment: tuple[tuple[str, str], ...]) -> ForkServer:
    return ForkServer(preload, dict(environment))


def _stop(
    process: subprocess.Popen[bytes],
    ends: tuple[socket.socket, IO[bytes]],
    folder: tempfile.TemporaryDirectory[str],
) -> None:
    for end in ends:
        end.close()
    process.kill()
    process.wait()
    folder.cleanup()


def _run_server() -> None:
    """Fork a process whenever the parent sends three streams; return how one ended when it sends a number."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = socket.socket(fileno=0)
    while True:
        request, streams, _, _ = socket.recv_fds(parent, _LONGEST, 3)
        if not request:
            return  # the parent has exited
        if streams:
            number = os.fork()
            if not number:
                _become_worker(request.decode(), streams)
            for stream in streams:
                os.close(stream)
        else:
            (process_id,) = _NUMBER.unpack(request)
            number = os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1])
        parent.sendall(_NUMBER.pack(number))


def _become_worker(answers: str, streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    serve(resolve_name(answers)())
    os._exit(0)


def _main(preload: str, *answers: str) -> None:
    resolve_name(preload)()
    if answers:
        serve(resolve_name(answers[0])())
    else:
        _run_server()


if __name__ == "__main__":
    _main(*sys.argv[1:])
