"""A process that has loaded TensorFlow once and forks one for each model: loading takes seconds each time."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import struct
import sys
from contextlib import suppress

from assay.encoders.tensorflow.channel import serve
from assay.encoders.tensorflow.facts import spare_imports

_LONGEST = 256  # bytes of the name of a module
NUMBER = struct.Struct("<q")


def main() -> None:
    """Fork a process whenever the parent sends its three streams; say how one ended when asked by number."""
    load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=0)
    while True:
        asked, streams, _, _ = socket.recv_fds(channel, _LONGEST, 3)
        if not asked:
            return  # the parent is gone
        if streams:
            number = os.fork()
            if not number:
                _become(streams, asked.decode())
            for stream in streams:
                os.close(stream)
        else:
            (process,) = NUMBER.unpack(asked)
            number = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        channel.sendall(NUMBER.pack(number))


def load() -> None:
    """Load TensorFlow, and Keras where it is there."""
    spare_imports()
    import tensorflow  # noqa: F401

    with suppress(ImportError):
        import keras  # noqa: F401


def _become(streams: list[int], module: str) -> None:
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    _answer(module)
    os._exit(0)


def _answer(module: str) -> None:
    serve(importlib.import_module(module).Answers())


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:  # the process of one model, where forks break
        load()
        _answer(sys.argv[1])
