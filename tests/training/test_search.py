"""Tuning: which recipes are tried."""

from __future__ import annotations

from dataclasses import replace

from assay.training.loop import BestEpoch, EpochReport
from assay.training.recipe import TUNABLE, Recipe, TrainingPlan
from assay.training.search import best_trial


def test_the_first_recipes_are_the_same_for_every_model_and_differ_where_it_matters():
    tried: list[Recipe] = []

    def train(recipe: Recipe, report: EpochReport) -> BestEpoch:
        tried.append(recipe)
        return BestEpoch(0.5, 1.0, 1, {})

    start = replace(Recipe(), keeps_statistics=True)
    for seed in (0, 1):
        best_trial(TrainingPlan(start, TUNABLE, 3), seed, float("inf"), train)

    gentler = replace(start, learning_rate=start.learning_rate / 10, layer_decay=0.85)
    assert tried == [start, gentler, replace(start, keeps_statistics=False)] * 2
