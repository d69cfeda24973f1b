"""Which failures are of the environment, and which of the model or the data."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from assay.core.result import Cause
from assay.run.failure import cause_of


def raised(action) -> BaseException:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # of any message
        action()
    return caught.value


def truncated() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "PNG")
    return stream.getvalue()[:400]


@pytest.mark.parametrize(
    "action",
    [
        lambda: Image.open(io.BytesIO(b"no image")),
        lambda: Image.open(io.BytesIO(truncated())).load(),
    ],
)
def test_an_image_that_cannot_be_decoded_is_no_failure_of_the_environment(action):
    assert cause_of(raised(action)) is Cause.MODEL


@pytest.mark.parametrize("action", [lambda: Image.open("nowhere.png"), lambda: open("nowhere")])  # noqa: SIM115, PTH123
def test_a_missing_file_is_one_of_the_environment(action):
    assert cause_of(raised(action)) is Cause.ENVIRONMENT


def test_so_is_what_a_library_says_of_a_hub_without_a_number():
    assert cause_of(OSError("We couldn't connect to 'https://huggingface.co'")) is Cause.ENVIRONMENT
