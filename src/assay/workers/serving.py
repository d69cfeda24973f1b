"""The main function of a worker process: it serves one channel, and ends when the other end does."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pkgutil import resolve_name
from threading import Thread
from typing import NoReturn

from assay.workers.channel import Channel, Message

LOST_CHANNEL = 96  # exit code of a worker whose channel is closed, by its model or by the parent
OVER_MEMORY = 97  # exit code of a worker that held more memory than it may


def live(target: str, number: int, stderr: int) -> NoReturn:
    """Run as a worker: call the target with the channel and exit.

    Args:
        target: What serves the channel, as "module:callable".
        number: The file descriptor of the channel.
        stderr: The file descriptor of standard error; prints go there as well.
    """
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
        _redirect(stderr)
        end = socket.socket(fileno=number)
        if hasattr(os, "register_at_fork"):  # a child of a model neither answers nor keeps the channel open
            os.register_at_fork(after_in_child=end.close)
        if sys.platform != "win32":
            Thread(target=_exit_with_parent, args=(end.fileno(),), daemon=True).start()
        resolve_name(target)(Channel(end))
        code = 0
    except EOFError:
        code = LOST_CHANNEL
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def answer_requests(channel: Channel, answer: Callable[[Message], Message]) -> None:
    """Answer one message after the other; an error becomes the fields "error" and "kind" of the reply."""
    while True:
        request = channel.receive()
        try:
            reply = answer(request)
        except Exception as error:  # shortened to one line for the result
            reply = Message({"error": str(error), "kind": type(error).__name__})
        channel.send(reply)


def _redirect(stderr: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(stderr, 1)
    os.dup2(stderr, 2)
    for number in {nothing, stderr} - {0, 1, 2}:
        os.close(number)


def _exit_with_parent(number: int) -> None:
    """Exit when the other end is closed, also while the main thread works; a POSIX system only."""
    closed = select.poll()
    closed.register(number, 0)  # POLLHUP is always reported
    if any(event & select.POLLHUP for _, event in closed.poll()) and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with all that it started
    os._exit(LOST_CHANNEL)
