"""The type that ``assay.score`` returns, as mypy reads it: one estimate, or one for each name."""

from __future__ import annotations

from typing import assert_type

import numpy as np

import assay
from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate

LABELS = np.arange(60) % 2
FEATURES = np.random.default_rng(0).standard_normal((60, 4)) + LABELS[:, None]


def test_labels_give_an_estimate() -> None:
    value = assert_type(assay.score(FEATURES, LABELS, "logme", interval=True), Estimate)

    assert isinstance(value, Estimate)


def test_lists_give_an_estimate() -> None:
    value = assert_type(assay.score(FEATURES.tolist(), LABELS.tolist(), kind="classification"), Estimate)

    assert isinstance(value, Estimate)


def test_labels_by_name_give_an_estimate_or_the_reason_for_none_by_name() -> None:
    values = assert_type(
        assay.score(FEATURES, {"odd": LABELS, "constant": np.zeros(60, int)}, "logme"),
        dict[str, Estimate | NotApplicable],
    )

    assert isinstance(values["odd"], Estimate)
    assert isinstance(values["constant"], NotApplicable)
