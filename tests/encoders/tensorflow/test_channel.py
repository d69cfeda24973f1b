from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from assay.encoders.tensorflow.channel import Message, receive, send


def test_a_message_arrives_as_it_was_sent() -> None:
    stream = io.BytesIO()
    arrays = {"batch": np.arange(6, dtype=np.float32).reshape(2, 3).T, "empty": np.empty((0, 4), np.uint8)}

    send(stream, Message({"do": "encode", "texts": ["größer"]}, arrays))
    stream.seek(0)
    message = receive(stream)

    assert message.fields == {"do": "encode", "texts": ["größer"]}
    for name, array in arrays.items():
        np.testing.assert_array_equal(message.arrays[name], array)
        assert message.arrays[name].dtype == array.dtype


def test_the_end_of_the_other_side_is_told_from_a_message() -> None:
    stream = io.BytesIO()
    send(stream, Message({}, {"batch": np.zeros(8)}))

    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:-1]))
    with pytest.raises(EOFError):
        receive(io.BytesIO())


def test_objects_neither_go_nor_come() -> None:
    head = json.dumps({"fields": {}, "arrays": [("batch", "|O", (1,))]}).encode()

    with pytest.raises(TypeError):
        send(io.BytesIO(), Message({}, {"batch": np.array([{}])}))
    with pytest.raises(ValueError, match="OBJECT"):
        receive(io.BytesIO(struct.pack("<Q", len(head)) + head + bytes(8)))
