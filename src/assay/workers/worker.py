"""A worker process: forked from a fork server, or started directly on systems without forks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, final

from assay.environment.memory_limit import WHAT_HELPS
from assay.workers.channel import Channel
from assay.workers.fork_server import FOREIGN_END, Forked, command, end_of, fork
from assay.workers.serving import LOST_CHANNEL, OVER_MEMORY

MEMORY_HINT = ", mostly because memory did not suffice"  # of a process that was killed
OVER_HINT = f"held more memory than it may and was stopped: {WHAT_HELPS}"
_FORKS = sys.platform == "linux"  # macOS frameworks do not work in forked processes
_GRACE = 1.0  # seconds in which a process that closed its channel exits by itself


@final
class Worker:
    """A process that serves one channel.

    Args:
        target: What serves it there, as "module:callable"; it is called with the channel.
        preload: What loads its libraries, as "module:callable" without arguments.
        environment: Variables that it gets in addition to ours.
        shows_output: Whether what it prints goes to our standard error, instead of being kept.

    Attributes:
        last_output: The end of what it printed, once ``how_it_ended`` was called, if that was kept.
    """

    def __init__(
        self, target: str, preload: str, environment: Mapping[str, str], *, shows_output: bool = False
    ) -> None:
        self.last_output = "none"
        self._output = None if shows_output else tempfile.TemporaryFile()  # noqa: SIM115  # closed below
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        try:
            with theirs:
                streams = (theirs.fileno(), 2 if self._output is None else self._output.fileno())
                start = fork if _FORKS else _start
                self._process: Forked | _Started = start(target, preload, environment, streams)
        except BaseException:
            _close(self.channel, self._output)
            raise
        self._end = weakref.finalize(self, _end, self._process, self.channel, self._output)

    @property
    def process_id(self) -> int:
        """The process ID."""
        return self._process.pid

    @property
    def is_open(self) -> bool:
        """Whether neither ``close`` nor ``how_it_ended`` was called."""
        return self._end.alive

    def kill(self) -> None:
        """Kill the process from any thread; a thread that waits for it gets an ``EOFError``."""
        self._process.kill()
        self.channel.interrupt()

    def close(self) -> None:
        """End the process and all that it started, which frees all memory."""
        self._end()

    def how_it_ended(self) -> str:
        """End it as ``close`` does; return the predicate of a sentence, such as "ended with code 1"."""
        self._end.detach()
        code = self._process.end(_GRACE)
        if self._output is not None:
            self.last_output = end_of(self._output)
        _close(self.channel, self._output)
        if code is None:
            return "ended for an unknown reason"
        if code in (FOREIGN_END, LOST_CHANNEL):
            return "closed its connection to this process, or wrote into it, and was stopped"
        if code == OVER_MEMORY:
            return OVER_HINT
        if code >= 0:
            return f"ended with code {code}"
        hint = MEMORY_HINT if -code == signal.SIGKILL else ""
        return f"was ended by {_name_of(-code)}{hint}"


@final
class _Started:
    """A process that was started without a fork server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def kill(self) -> None:
        """Kill the process, without waiting for its end."""
        self._process.kill()

    def end(self, grace: float) -> int:
        """End it; return its exit code, or ``FOREIGN_END`` if it was alive after ``grace`` seconds."""
        has_ended = True
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            has_ended = False
        if sys.platform != "win32":
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)  # what it started
        self._process.kill()
        code = self._process.wait()
        return code if has_ended else FOREIGN_END


def _start(target: str, preload: str, environment: Mapping[str, str], streams: tuple[int, int]) -> _Started:
    channel, stderr = streams
    if sys.platform == "win32":
        os.set_handle_inheritable(channel, True)
    process = subprocess.Popen(  # noqa: S603  # our own module
        command(preload, target, str(channel), "2"),
        stdin=subprocess.DEVNULL,
        stderr=stderr,
        env={**os.environ, **environment},
        close_fds=sys.platform != "win32",
        pass_fds=() if sys.platform == "win32" else (channel,),
        start_new_session=True,  # Ctrl-C is for the parent, which ends it
    )
    return _Started(process)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end(process: Forked | _Started, channel: Channel, output: IO[bytes] | None) -> None:
    channel.interrupt()
    process.end(0.0)
    _close(channel, output)


def _close(channel: Channel, output: IO[bytes] | None) -> None:
    channel.close()
    if output is not None:
        output.close()
