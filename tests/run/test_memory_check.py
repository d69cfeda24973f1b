"""Weights that have no room are refused before they are loaded."""

from __future__ import annotations

import pytest

from assay.core.errors import Unavailable
from assay.models.timm import TimmSource
from assay.run.memory_check import must_have_room

WEIGHTS = 11_689_512  # of ResNet-18 with its head


def test_weights_that_exceed_the_memory_are_refused_with_both_numbers() -> None:
    with pytest.raises(Unavailable, match=r"11,689,512 weights take 0\.0 GB.*dtype='bfloat16'"):
        must_have_room(TimmSource("resnet18"), "timm:resnet18", "cpu", 4 * WEIGHTS - 1)


@pytest.mark.parametrize(("dtype", "bytes_of_one"), [("auto", 4), ("float32", 4), ("bfloat16", 2)])
def test_weights_are_counted_in_the_dtype_that_is_named(dtype: str, bytes_of_one: int) -> None:
    source = TimmSource("resnet18", dtype=dtype)

    must_have_room(source, "timm:resnet18", "cpu", bytes_of_one * WEIGHTS)
    with pytest.raises(Unavailable):
        must_have_room(source, "timm:resnet18", "cpu", bytes_of_one * WEIGHTS - 1)


def test_nothing_is_refused_where_a_number_is_unknown() -> None:
    must_have_room(TimmSource("hf-hub:nobody/nothing"), "timm:hf-hub:nobody/nothing", "cpu", 1)
    must_have_room(TimmSource("resnet18"), "timm:resnet18", "cpu", 0)
