"""Messages between two ends of a socket, whole and in pieces."""

from __future__ import annotations

import json
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import numpy as np
import pytest

from assay.workers.channel import Channel, Message

BATCH = Message({"do": "encode", "texts": ["größer"]}, {"batch": np.arange(600.0).reshape(20, 30)})


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    first, second = socket.socketpair()
    with first, second:
        yield first, second


def soon() -> float:
    return time.monotonic() + 0.05


def content_of(message: Message) -> bytes:
    """Return the bytes of a message."""
    first, second = socket.socketpair()
    with first, second:
        Channel(first).send(message)
        return second.recv(1 << 20)


def test_a_message_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    arrays = {
        "batch": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "empty": np.empty((0, 4), np.uint8),
        "number": np.array(7),
        "words": np.array(["a", "über"]),
    }

    Channel(ends[0]).send(Message({"do": "encode", "texts": ["größer"]}, arrays))
    message = Channel(ends[1]).receive()

    assert message.fields == {"do": "encode", "texts": ["größer"]}
    assert list(message.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(message.arrays[name], array)
        assert message.arrays[name].dtype == array.dtype


def test_eighty_megabytes_arrive(ends: tuple[socket.socket, socket.socket]) -> None:
    probs = np.random.default_rng(0).random((20_000_000 // 100, 100), np.float32)
    sender = Thread(target=Channel(ends[0]).send, args=(Message({}, {"probs": probs}),))

    sender.start()
    received = Channel(ends[1]).receive(time.monotonic() + 60).arrays["probs"]
    sender.join()

    assert np.array_equal(received, probs)


def test_the_end_of_the_other_side_is_noticed_at_every_byte() -> None:
    content = content_of(Message({"do": "encode"}, {"batch": np.arange(3, dtype=np.uint8)}))

    for length in range(len(content)):
        first, second = socket.socketpair()
        with first, second:
            first.sendall(content[:length])
            first.shutdown(socket.SHUT_WR)
            with pytest.raises(EOFError):
                Channel(second).receive()


def test_a_silent_sender_is_noticed_at_every_byte() -> None:
    content = content_of(Message({}, {"batch": np.arange(3, dtype=np.uint8)}))

    for length in range(len(content)):
        first, second = socket.socketpair()
        with first, second:
            first.sendall(content[:length])
            with pytest.raises(TimeoutError):
                Channel(second).receive(time.monotonic() + 0.001)


def test_a_changed_byte_is_noticed_wherever_it_is() -> None:
    content = content_of(Message({"do": "encode"}, {"batch": np.arange(3, dtype=np.uint8)}))

    for position in range(len(content)):
        garbled = bytearray(content)
        garbled[position] ^= 0x15
        first, second = socket.socketpair()
        with first, second:
            first.sendall(garbled)
            first.shutdown(socket.SHUT_WR)
            with pytest.raises(EOFError):
                Channel(second).receive()


def test_noise_is_no_message() -> None:
    rng = np.random.default_rng(0)

    for length in rng.integers(1, 5000, 50):
        first, second = socket.socketpair()
        with first, second:
            first.sendall(rng.bytes(length))
            first.shutdown(socket.SHUT_WR)
            with pytest.raises(EOFError):
                Channel(second).receive()


def test_a_reader_that_stops_is_noticed(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        Channel(ends[0]).send(Message({}, {"batch": np.zeros(10_000_000)}), soon())


def test_a_reader_that_has_gone_is_noticed(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].close()

    with pytest.raises(EOFError):
        Channel(ends[0]).send(BATCH)


def test_what_has_arrived_is_read_after_the_deadline(ends: tuple[socket.socket, socket.socket]) -> None:
    Channel(ends[0]).send(BATCH)

    assert Channel(ends[1]).receive(time.monotonic() - 1).fields == BATCH.fields


def test_another_thread_may_interrupt_a_reader(ends: tuple[socket.socket, socket.socket]) -> None:
    channel, caught = Channel(ends[0]), []

    def read() -> None:
        try:
            channel.receive()
        except EOFError as error:
            caught.append(error)

    reader = Thread(target=read)
    reader.start()
    channel.interrupt()
    reader.join(10)

    assert len(caught) == 1


@pytest.mark.parametrize("dtype", ["|O", "no type"])
def test_objects_neither_go_nor_come(ends: tuple[socket.socket, socket.socket], dtype: str) -> None:
    head = json.dumps({"fields": {}, "arrays": [("batch", dtype, (1,))]}).encode()
    ends[1].sendall(struct.pack("<8sQI", b"assay-1\n", len(head), zlib.crc32(head)) + head + bytes(12))

    with pytest.raises(TypeError, match="objects"):
        Channel(ends[0]).send(Message({}, {"batch": np.array([{}])}))
    with pytest.raises(EOFError):
        Channel(ends[0]).receive()


def test_a_message_that_is_refused_leaves_the_channel_usable(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    channel = Channel(ends[0])

    for refused in (Message({"value": object()}), Message({}, {"good": np.zeros(3), "bad": np.array([{}])})):
        with suppress(TypeError):
            channel.send(refused)
    channel.send(BATCH)

    assert Channel(ends[1]).receive().fields == BATCH.fields
