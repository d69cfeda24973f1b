"""Messages between processes over a socket: JSON and raw array bytes, without executable content.

Every read and every write has a deadline, so a process that is killed or stopped in the middle of a message
is noticed: ``EOFError`` says that the other end has closed or sent something else, ``TimeoutError`` that
it took too long. A channel is of no use after either of them.
"""

from __future__ import annotations

import json
import socket
import struct
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, final

import numpy as np

_MAGIC = b"assay-1\n"
_START = struct.Struct("<8sQI")  # the magic; the length of the head and its checksum
_END = struct.Struct("<I")  # the checksum of the arrays
_CHUNK = 1 << 20  # bytes per call: a checksum is computed while they are in the cache


class Message(NamedTuple):
    """JSON values, and arrays by name."""

    fields: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray] = {}


@final
class Channel:
    """One end of a socket over which messages pass in both directions.

    Deadlines are values of ``time.monotonic()``; None is no deadline. What has arrived already is read
    even if the deadline has passed.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send one message.

        Raises:
            TypeError: A field is not JSON, or an array holds objects.
            EOFError: The other end is closed.
            TimeoutError: It did not read the whole message before the deadline.
        """
        for name, array in message.arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"The array '{name}' holds objects, which are not sent.")
        described = [(name, array.dtype.str, array.shape) for name, array in message.arrays.items()]
        head = json.dumps({"fields": message.fields, "arrays": described}).encode()
        self._write((_START.pack(_MAGIC, len(head), zlib.crc32(head)), head), deadline)
        checksum = 0
        for array in message.arrays.values():
            checksum = self._write((_bytes_of(np.ascontiguousarray(array)),), deadline, checksum)
        self._write((_END.pack(checksum),), deadline)

    def receive(self, deadline: float | None = None) -> Message:
        """Return the next message.

        Raises:
            EOFError: The other end is closed, or what it sent is no message.
            TimeoutError: The whole message did not arrive before the deadline.
        """
        magic, length, expected = _START.unpack(self._read(_START.size, deadline))
        if magic != _MAGIC:
            raise EOFError("no message")
        try:
            head = self._read(length, deadline)
            if zlib.crc32(head) != expected:
                raise EOFError("a garbled message")
            described = json.loads(bytes(head))
            arrays = {name: _empty(dtype, shape) for name, dtype, shape in described["arrays"]}
        except (ValueError, TypeError, KeyError, MemoryError, OverflowError) as error:
            raise EOFError("a garbled message") from error
        checksum = 0
        for array in arrays.values():
            checksum = self._fill(_bytes_of(array), deadline, checksum)
        if _END.unpack(self._read(_END.size, deadline)) != (checksum,):
            raise EOFError("a garbled message")
        return Message(described["fields"], arrays)

    def fileno(self) -> int:
        """Return the file descriptor; -1 after ``close``."""
        return self._socket.fileno()

    def interrupt(self) -> None:
        """Raise ``EOFError`` in every thread that reads or writes here."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _write(self, parts: Iterable[bytes | memoryview], deadline: float | None, checksum: int = 0) -> int:
        for part in parts:
            left = memoryview(part)
            while left:
                try:
                    self._socket.settimeout(_seconds_until(deadline))
                    sent = self._socket.send(left[:_CHUNK])
                except (TimeoutError, BlockingIOError):
                    raise TimeoutError from None
                except OSError as error:
                    raise EOFError("the channel is closed") from error
                checksum = zlib.crc32(left[:sent], checksum)
                left = left[sent:]
        return checksum

    def _read(self, length: int, deadline: float | None) -> memoryview:
        content = memoryview(bytearray(length))
        self._fill(content, deadline, 0)
        return content

    def _fill(self, content: memoryview, deadline: float | None, checksum: int) -> int:
        left = content
        while left:
            try:
                self._socket.settimeout(_seconds_until(deadline))
                count = self._socket.recv_into(left, min(len(left), _CHUNK))
            except (TimeoutError, BlockingIOError):
                raise TimeoutError from None
            except OSError as error:
                raise EOFError("the channel is closed") from error
            if not count:
                raise EOFError("the channel is closed")
            checksum = zlib.crc32(left[:count], checksum)
            left = left[count:]
        return checksum


def _empty(dtype: str, shape: Iterable[int]) -> np.ndarray:
    array = np.empty(tuple(shape), np.dtype(dtype))
    if array.dtype.hasobject:
        raise TypeError("Objects are not received.")
    return array


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
