from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assay.encoders.input_range import InputRange, Range, doubts, range_of, sample_images, scaling


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (lambda x: x / 255, Range.BYTES),
        (lambda x: x / 127.5 - 1, Range.BYTES),
        (lambda x: 1 - x / 127.5, Range.BYTES),
        (lambda x: x - 117, Range.BYTES),
        (lambda x: (x / 255 - 0.45) / 0.22, Range.BYTES),
        (np.floor, Range.BYTES),
        (lambda x: 2 * x - 1, Range.UNIT),
        (lambda x: (x - 0.45) / 0.22, Range.UNIT),
        (lambda x: 255 * x - 117, Range.UNIT),
        (lambda x: min(max(x, 0.0), 1.0), Range.UNIT),
        (lambda x: min(max(x, 0.0), 255.0), Range.BYTES),
        (lambda x: 3 * min(x, 255.0), Range.BYTES),
        (lambda x: x, None),
        (lambda x: 0.2 * x, None),
        (lambda x: 0.458 * x - 0.03, None),  # of ImageNet's numbers to those of Inception
        (lambda x: 0.0, None),
        (lambda x: float("nan"), None),
    ],
)
def test_the_range_follows_from_what_is_done_to_constant_images(
    first: Callable[[float], float], expected: Range | None
) -> None:
    found = range_of(lambda level: [np.full((1, 3, 4, 4), first(level))])

    assert (found and found.range) == expected


def test_the_first_path_that_says_something_counts() -> None:
    found = range_of(lambda level: [np.full(3, level), np.full(3, level / 255)])

    assert found is not None
    assert found.range is Range.BYTES


@pytest.mark.parametrize(
    ("setting", "found", "scale", "words"),
    [
        (None, None, True, "assumed"),
        (None, InputRange(Range.BYTES, "why"), False, "pixels 0..255: why"),
        (None, InputRange(Range.UNIT, "why"), True, "pixels 0..1: why"),
        (False, None, False, "pixels 0..255, as set"),
        (True, InputRange(Range.BYTES, "why"), True, "as set, but the model seems to expect 0..255: why"),
    ],
)
def test_what_the_user_wrote_goes_before_what_is_found_and_that_before_an_assumption(
    setting: bool | None, found: InputRange | None, scale: bool, words: str
) -> None:
    pixels = scaling(setting, found)

    assert pixels.scale is scale
    assert words in pixels.note
    assert bool(pixels.warnings) is (setting is True)


def test_an_assumed_range_is_doubted_where_outputs_look_wrong() -> None:
    images = np.stack([image.mean((0, 1)) for image in sample_images()])

    def with_bias(scale: bool) -> tuple[np.ndarray, np.ndarray | None]:
        return 1000 + (images / 255 if scale else images), None

    def saturated(scale: bool) -> tuple[np.ndarray, np.ndarray | None]:
        return images, np.tile([1.0, 0.0], (len(images), 1))

    assert "hardly depend on the image" in doubts(with_bias)[0]
    assert "saturated" in doubts(saturated)[0]
    assert doubts(lambda scale: (images, np.full((len(images), 2), 0.5))) == ()
