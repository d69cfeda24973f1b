"""Starts the process of a model: forked from one that has its library, or alone where forks break."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import IO, final

from assay.core.errors import ModelError
from assay.encoders.tensorflow.fork_server import NUMBER

_FORKS = sys.platform == "linux"  # frameworks of macOS refuse to work in a forked process


@dataclass(frozen=True, slots=True)
class Started:
    """A process and how to speak with it.

    Attributes:
        process_id: Its number.
        requests: What it reads.
        replies: What it writes.
        kill: Ends it.
        wait: Waits until it has ended; returns its exit code, negative for a signal.
    """

    process_id: int
    requests: IO[bytes]
    replies: IO[bytes]
    kill: Callable[[], None]
    wait: Callable[[], int]


def start(module: str, environment: Mapping[str, str], said: IO[bytes]) -> Started:
    """Start a module of ours that answers messages.

    Args:
        module: As in "assay.models.keras.worker".
        environment: Variables that it gets beside ours.
        said: Where its standard error goes.
    """
    if _FORKS:
        return _forked(module, tuple(sorted(environment.items())), said)
    process = subprocess.Popen(  # noqa: S603  # our own module
        _command("assay.encoders.tensorflow.fork_server", module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env={**os.environ, **environment},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    return Started(process.pid, process.stdin, process.stdout, process.kill, process.wait)


def _forked(module: str, environment: tuple[tuple[str, str], ...], said: IO[bytes]) -> Started:
    requests, replies = os.pipe(), os.pipe()
    streams = [requests[0], replies[1], said.fileno()]
    try:
        try:
            number = _nursery(environment).ask(module.encode(), streams)
        except (OSError, EOFError):  # the nursery was killed: start another
            _nursery.cache_clear()
            number = _nursery(environment).ask(module.encode(), streams)
    except (OSError, EOFError) as error:
        told = _nursery(environment).last_words()
        raise ModelError(f"No process for the model can be started. Its last words: {told}") from error
    finally:
        os.close(requests[0])
        os.close(replies[1])
    return Started(
        number,
        os.fdopen(requests[1], "wb"),
        os.fdopen(replies[0], "rb"),
        lambda: os.kill(number, signal.SIGKILL),
        lambda: _nursery(environment).ask(NUMBER.pack(number), []),
    )


@final
class _Nursery:
    """The process that forks; it ends when this object, or this process, is gone."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._lock = Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        folder = tempfile.TemporaryDirectory(prefix="assay-")  # TensorFlow leaves files when it is killed
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own module
                _command("assay.encoders.tensorflow.fork_server"),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env={**os.environ, **environment, "TMPDIR": folder.name},
            )
        weakref.finalize(self, _stop, process, (self._channel, self._said), folder)

    def ask(self, asked: bytes, streams: list[int]) -> int:
        """Send a number, with streams or without, and return the number that comes back."""
        with self._lock:
            socket.send_fds(self._channel, [asked], streams)
            reply = self._channel.recv(NUMBER.size, socket.MSG_WAITALL)
        if len(reply) < NUMBER.size:
            raise EOFError
        return int(NUMBER.unpack(reply)[0])

    def last_words(self) -> str:
        """Return what it wrote to standard error."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace").strip()[-400:] or "none"


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


@cache
def _nursery(environment: tuple[tuple[str, str], ...]) -> _Nursery:
    return _Nursery(dict(environment))


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", *arguments]  # -P: a file of the current folder is no library
