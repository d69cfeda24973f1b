"""The laws of scores, for each score in the folder."""

from __future__ import annotations

from collections.abc import Mapping

from assay.plugins.method import Score
from assay.plugins.registry import Registry
from assay.testing.scores import ScoreContract

SCORES = Registry("scores", Score, "score")


class TestEveryScore(ScoreContract):
    @classmethod
    def plugins(cls) -> Mapping[str, Score]:
        return {name: SCORES.load(name)() for name in SCORES.names()}
