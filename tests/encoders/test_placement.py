"""Settings of placement; that weights are quantised is tested where bitsandbytes is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import MissingPackage, NotApplicable, UnknownName
from assay.encoders.placement import Placement
from assay.models.hf import HuggingFaceSource

TEXTS = ["a short text", "a text that is somewhat longer"]


def test_a_value_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownName, match="No quantization called '8bits'. Did you mean: 8bit"):
        Placement(quantization="8bits").check("hf")
    with pytest.raises(UnknownName, match="No device_map called 'all'"):
        Placement("all").check("hf")


def test_a_package_that_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.encoders.placement.find_spec", lambda package: None)

    with pytest.raises(MissingPackage, match="'hf' needs the package 'accelerate'. Install it with"):
        Placement("auto").check("hf")


def test_settings_of_placement_are_in_no_identity_unless_they_are_used(tiny_bert: Path) -> None:
    plain = HuggingFaceSource(str(tiny_bert)).identity()

    assert "device_map" not in plain
    assert "quantization='4bit'" in HuggingFaceSource(str(tiny_bert), quantization="4bit").identity()


def test_weights_that_accelerate_lays_out_give_the_same_features(tiny_bert: Path) -> None:
    plain = HuggingFaceSource(str(tiny_bert)).open("cpu").encode(TEXTS).features

    placed = HuggingFaceSource(str(tiny_bert), device_map="auto").open("cpu").encode(TEXTS).features

    np.testing.assert_array_equal(placed, plain)


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="needs the package bitsandbytes")
@pytest.mark.parametrize("quantization", ["8bit", "4bit"])
def test_quantised_weights_encode_almost_alike_and_are_neither_trained_nor_scored(
    tiny_bert: Path, quantization: str
) -> None:
    plain = HuggingFaceSource(str(tiny_bert)).open("cpu")

    model = HuggingFaceSource(str(tiny_bert), quantization=quantization).open("cpu")

    a, b = (opened.encode(TEXTS).features for opened in (plain, model))
    assert ((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1) > 0.9).all()
    assert (model.facts.dtype, model.facts.parameters) == (quantization, plain.facts.parameters)
    with pytest.raises(NotApplicable, match="quantised"):
        list(model.weights())
    with pytest.raises(NotApplicable, match="quantised"), model.training():
        pass
