"""What an ONNX file states about its input images, by the keys of the ONNX standard.

Custom Vision and WinML write them: https://onnx.ai/onnx/repo-docs/MetadataProps.html
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.encoders.input_range import InputRange, Range

_RANGES = {"nominalrange_0_255": Range.BYTES, "normalized_0_1": Range.UNIT, "normalized_1_1": Range.UNIT}
_RANGE, _FORMAT = "image.nominalpixelrange", "image.bitmappixelformat"


def stated_range(facts: Mapping[str, str]) -> InputRange | None:
    """Return the range of pixels that a file states, by its facts under names in lower case; None if none.

    >>> stated_range({"image.nominalpixelrange": "NominalRange_0_255"}).why
    'the file states NominalRange_0_255'
    """
    stated = facts.get(_RANGE, "")
    found = _RANGES.get(stated.lower())
    return None if found is None else InputRange(found, f"the file states {stated}")


def is_centred(facts: Mapping[str, str]) -> bool:
    """Return whether a file states that its pixels are -1..1."""
    return facts.get(_RANGE, "").lower() == "normalized_1_1"


def is_blue_first(facts: Mapping[str, str]) -> bool:
    """Return whether a file states that its channels are blue, green and red.

    >>> is_blue_first({"image.bitmappixelformat": "Bgr8"})
    True
    """
    return facts.get(_FORMAT, "").lower().startswith("bgr")
