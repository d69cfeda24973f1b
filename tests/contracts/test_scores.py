"""The laws of scores, for each score in the folder."""

from __future__ import annotations

import pytest

from assay.plugins.method import Score
from assay.plugins.registry import Registry
from assay.testing.scores import ScoreContract

SCORES = Registry("scores", Score, "score")


class TestEveryScore(ScoreContract):
    @pytest.fixture(params=SCORES.names())
    def score(self, request: pytest.FixtureRequest) -> Score:
        return SCORES.load(request.param)()
