"""Messages between processes over pipes: JSON and raw array bytes, without executable content."""

from __future__ import annotations

import json
import os
import signal
import struct
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

import numpy as np

_LENGTH = struct.Struct("<Q")


class Message(NamedTuple):
    """JSON values, and arrays by name."""

    fields: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray] = {}


def send(stream: IO[bytes], message: Message) -> None:
    """Write one message."""
    described = [(name, array.dtype.str, array.shape) for name, array in message.arrays.items()]
    head = json.dumps({"fields": message.fields, "arrays": described}).encode()
    stream.write(_LENGTH.pack(len(head)))
    stream.write(head)
    for array in message.arrays.values():
        stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    stream.flush()


def receive(stream: IO[bytes]) -> Message:
    """Read one message; raise ``EOFError`` if the other end is closed."""
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    head = json.loads(_read(stream, length))
    arrays = {}
    for name, dtype, shape in head["arrays"]:
        empty = np.empty(shape, np.dtype(dtype))
        arrays[name] = np.frombuffer(_read(stream, empty.nbytes), empty.dtype).reshape(shape)
    return Message(head["fields"], arrays)


def serve(answer: Callable[[Message], Message]) -> None:
    """Answer messages of the parent until it closes the pipe; redirect prints to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            request = receive(requests)
        except EOFError:
            return
        try:
            reply = answer(request)
        except Exception as error:  # shortened to one line for the result
            reply = Message({"error": str(error), "kind": type(error).__name__})
        send(replies, reply)


def _read(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content
