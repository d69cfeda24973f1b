"""What every worker of a TensorFlow model answers, with a model of numpy."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from assay.core.errors import ModelError
from assay.encoders.tensorflow.model_server import InputSpec, ModelServer, as_matrix, image_shape
from assay.workers.channel import Message


class Means(ModelServer):
    """Features are the mean colours, and the scores of two classes follow from them."""

    advice: ClassVar[str] = "Give it one."

    def open(self, settings: dict[str, Any]) -> InputSpec:
        self.scores = settings["scores"]
        kernel = np.arange(6, dtype=np.float32).reshape(3, 2)
        self.variables = [("head/kernel", kernel), ("head/bias", np.zeros(2, np.float32))]
        self.kernels = [(kernel, -1), (np.zeros(2, np.float32), -1)]
        return InputSpec((4, 5, 3), 6, "")

    def outputs(self, batch: Any) -> Any:
        return [batch.astype(np.float32), batch.mean((1, 2)) @ self.variables[0][1]]


@pytest.fixture
def server() -> Means:
    opened = Means()
    opened(Message({"do": "open", "scores": "linear"}))
    return opened


def test_it_replies_with_the_facts_of_what_it_opened() -> None:
    facts = Means()(Message({"do": "open", "scores": "linear"})).fields

    assert (facts["width"], facts["source_classes"], facts["input"]) == (3, 2, "3 x 4 x 5")
    assert (facts["parameters"], facts["bytes"], facts["macs"]) == (8, 32, 6)


@pytest.mark.parametrize(("scores", "sums"), [("linear", [1.0, 1.0]), ("other", None)])
def test_scores_become_probabilities_where_they_can(scores: str, sums: list[float] | None) -> None:
    server = Means()
    server(Message({"do": "open", "scores": scores}))

    arrays = server(Message({"do": "encode"}, {"batch": np.ones((2, 4, 5, 3), np.uint8)})).arrays

    np.testing.assert_array_equal(arrays["features"], np.ones((2, 3)))
    assert ("probs" in arrays) is (sums is not None)
    if sums is not None:
        np.testing.assert_allclose(arrays["probs"].sum(axis=1), sums)


def test_kernels_are_handed_out_one_at_a_time_without_vectors(server: Means) -> None:
    count = server(Message({"do": "count kernels"})).fields["count"]

    shapes = [
        [matrix.shape for matrix in server(Message({"do": "kernel", "row": row})).arrays.values()]
        for row in range(count)
    ]

    assert shapes == [[(2, 3)], []]


def test_an_unknown_request_is_refused(server: Means) -> None:
    with pytest.raises(ValueError, match="'kernels' is not a valid Request"):
        server(Message({"do": "kernels", "row": 0}))


def test_a_depthwise_kernel_has_its_outputs_before_the_last_axis() -> None:
    assert as_matrix(np.zeros((3, 3, 8, 2)), -2).shape == (8, 18)
    assert as_matrix(np.zeros((8, 1)), -1) is None


@pytest.mark.parametrize(
    ("shape", "side", "message"),
    [
        ((None, 7), None, "images are examples x height x width x channels"),
        ((None, None, None, 3), None, "as in size=224"),
        ((None, 32, 32, 3), 64, "Leave out size=64"),
    ],
)
def test_an_input_that_is_none_says_why(
    shape: tuple[int | None, ...], side: int | None, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        image_shape(shape, side, "size")


def test_what_a_model_leaves_open_is_what_the_user_wrote() -> None:
    assert image_shape((None, None, None, None), 64, "size") == (64, 64, 3)
    assert image_shape((None, 32, 48, 1), None, "size") == (32, 48, 1)
