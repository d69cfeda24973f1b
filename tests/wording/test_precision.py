"""Sentences about the precision of encoding."""

from __future__ import annotations

from assay.wording.precision import mixed_precision


def test_one_precision_needs_no_remark() -> None:
    assert mixed_precision([("timm:a", "bfloat16"), ("timm:b", "bfloat16")]) == ()


def test_several_are_told_with_their_models_once() -> None:
    (remark,) = mixed_precision([("timm:a", "float32"), ("timm:b", "bfloat16"), ("timm:b", "bfloat16")])

    assert "bfloat16: timm:b; float32: timm:a" in remark
