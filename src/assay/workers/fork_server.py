"""A fork server, which imports slow libraries once and forks workers: both ends of the protocol.

The fork server of multiprocessing would not do: there is one for the whole program, with one environment, it
imports the user's script again, and what it starts is sent as a pickle.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pkgutil import resolve_name
from threading import Lock
from typing import IO, Any, final

from assay.core.errors import ModelError
from assay.workers.serving import live

_LONGEST = 4096  # maximum bytes of a request
_NUMBER = struct.Struct("<q")
_SHOWN = 400  # maximum characters of standard error in a message
_SECONDS_TO_START = 600.0  # libraries may come from a slow disk
_SECONDS_TO_FORK = 60.0
_SECONDS_BETWEEN_LOOKS = 2.0  # of the server, at whether its parent is still there
_OF_TESTS = "PYTEST_CURRENT_TEST"  # another in each test, which no library reads
FOREIGN_END = -256  # how a process ended that was alive and was killed by us


@final
class ForkServer:
    """The parent's handle of the fork server; the server ends with this object or with the parent."""

    def __init__(self, preload: str, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = Lock()
        self._patience = _SECONDS_TO_START
        self.environment = environment_now() | dict(environment)
        self.stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        folder = tempfile.mkdtemp(prefix="assay-")  # libraries leave files when they are killed
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  # our own module
                command(preload, folder),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self.stderr,
                env={**os.environ, **environment, "TMPDIR": folder},
                start_new_session=True,  # Ctrl-C is for the parent, which ends it
            )
        weakref.finalize(self, _stop, self.process, (self._socket, self.stderr), folder)

    def fork(self, target: str, streams: Sequence[int]) -> int:
        """Fork a worker with a channel and standard error; return its process ID."""
        return self._ask({"target": target}, streams)

    def end(self, process_id: int, grace: float) -> int:
        """End a worker and all that it started; return its exit code.

        The code is negative for a signal, and ``FOREIGN_END`` if it was still alive after ``grace`` seconds.
        """
        return self._ask({"end": process_id, "grace": grace})

    def _ask(self, request: Mapping[str, object], streams: Sequence[int] = ()) -> int:
        with self._lock:
            try:
                self._socket.settimeout(self._patience)
                socket.send_fds(self._socket, [json.dumps(request).encode()], streams)
                reply = self._socket.recv(_NUMBER.size)
            except TimeoutError:  # it was stopped: nobody may use it again
                self.process.kill()
                raise EOFError from None
            self._patience = _SECONDS_TO_FORK
        if len(reply) < _NUMBER.size:
            raise EOFError
        return int(_NUMBER.unpack(reply)[0])


def server_of(preload: str, environment: Mapping[str, str]) -> ForkServer:
    """Return the server for these libraries and this environment, starting it if necessary.

    There is one for each ``preload``. It is replaced when the variables have changed, ours included, because
    libraries read them when they are imported; its workers go on.
    """
    with _STARTING:
        server = _SERVERS.get(preload)
        wanted = environment_now() | dict(environment)
        if server is None or server.environment != wanted or server.process.poll() is not None:
            server = _SERVERS[preload] = ForkServer(preload, environment)
        return server


def environment_now() -> dict[str, str]:
    """Return the environment variables of this process that a worker gets."""
    return {name: value for name, value in os.environ.items() if name != _OF_TESTS}


def fork(target: str, preload: str, environment: Mapping[str, str], streams: Sequence[int]) -> Forked:
    """Fork a worker from the server for these libraries and this environment.

    Args:
        target: What serves the channel, as "module:callable".
        preload: What loads the libraries, as "module:callable" without arguments.
        environment: Variables that the server gets in addition to ours.
        streams: The file descriptors of the worker's end of the channel and of its standard error.

    Raises:
        ModelError: No process can be started.
    """
    server = server_of(preload, environment)
    try:
        try:
            return Forked(server.fork(target, streams), server)
        except (OSError, EOFError):  # the server was killed: start another
            with suppress(OSError):
                server.process.kill()
            server.process.wait()
            server = server_of(preload, environment)
            return Forked(server.fork(target, streams), server)
    except (OSError, EOFError) as error:
        output = end_of(server.stderr)
        raise ModelError(f"No process for the model can be started. Its last output: {output}") from error


@final
class Forked:
    """A forked process."""

    def __init__(self, process_id: int, server: ForkServer) -> None:
        self.pid = process_id
        self._server = server
        self._handle: int | None = None
        with suppress(OSError, AttributeError):  # only Linux has handles, which no later process can have
            self._handle = os.pidfd_open(process_id)

    def kill(self) -> None:
        """Kill the process and all that it started, without waiting for their end."""
        with suppress(OSError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, 0)  # raises if it has ended: its ID may be another's
                os.killpg(self.pid, signal.SIGKILL)

    def end(self, grace: float) -> int | None:
        """End it and all that it started, as ``ForkServer.end``; None if nobody knows how it ended."""
        try:
            return self._server.end(self.pid, grace)
        except (OSError, EOFError):  # the server has ended
            self.kill()
            return None
        finally:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


def command(preload: str, *arguments: str) -> list[str]:
    """Return the command of a server with its folder, or of a worker with its target and streams."""
    return [sys.executable, "-P", "-m", __name__, preload, *arguments]  # -P: no library is in this folder


def end_of(stderr: IO[bytes]) -> str:
    """Return the end of a process's standard error."""
    stderr.seek(0)
    return stderr.read().decode(errors="replace").strip()[-_SHOWN:] or "none"


_SERVERS: dict[str, ForkServer] = {}
_STARTING = Lock()


def _stop(process: subprocess.Popen[bytes], ends: tuple[socket.socket, IO[bytes]], folder: str) -> None:
    for end in ends:
        end.close()
    try:
        process.wait(_SECONDS_BETWEEN_LOOKS)  # it ends its workers first
    except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C, while the first one ends us
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _run_server(folder: str) -> None:
    """Do what the parent asks, until it has exited; then end all workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, parent_id = socket.socket(fileno=0), os.getppid()
    parent.settimeout(_SECONDS_BETWEEN_LOOKS)
    workers: set[int] = set()
    while os.getppid() == parent_id:
        try:
            request, streams, _, _ = socket.recv_fds(parent, _LONGEST, 2)
        except TimeoutError:
            continue
        except OSError:
            break
        if not request:
            break
        reply = _reply(json.loads(request), streams, workers)
        with suppress(OSError):
            parent.send(_NUMBER.pack(reply))
    for process_id in workers:
        _end(process_id)
    shutil.rmtree(folder, ignore_errors=True)


def _reply(request: Mapping[str, Any], streams: Sequence[int], workers: set[int]) -> int:
    if "target" not in request:
        process_id = request["end"]
        workers.discard(process_id)
        return _end(process_id, request["grace"])
    process_id = os.fork()
    if not process_id:
        os.setpgid(0, 0)  # it is killed with all that it starts
        live(request["target"], *streams)
    with suppress(OSError):  # the child may have done it already
        os.setpgid(process_id, process_id)
    workers.add(process_id)
    for stream in streams:
        os.close(stream)
    return process_id


def _end(process_id: int, grace: float = 0.0) -> int:
    """End a process and its group; return its exit code, or that it had to be killed."""
    end = time.monotonic() + grace
    look = partial(os.waitid, os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    while (ended := look()) is None and time.monotonic() < end:
        time.sleep(0.005)
    with suppress(OSError):
        os.killpg(process_id, signal.SIGKILL)  # before it is waited for: nobody else can have its ID
    code = os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1])
    return FOREIGN_END if ended is None else code


def _main(preload: str, *arguments: str) -> None:
    resolve_name(preload)()
    if len(arguments) == 1:
        _run_server(*arguments)
    else:
        target, channel, stderr = arguments
        live(target, int(channel), int(stderr))


if __name__ == "__main__":
    _main(*sys.argv[1:])
