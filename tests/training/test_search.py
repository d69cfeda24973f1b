"""Tuning: which recipes are tried."""

from __future__ import annotations

from dataclasses import replace

from assay.training.loop import Outcome, Report
from assay.training.recipe import Recipe
from assay.training.search import SPACE, Budget, tuned


def test_the_first_recipes_are_the_same_for_every_model_and_differ_where_it_matters():
    tried: list[Recipe] = []

    def run(recipe: Recipe, report: Report) -> Outcome:
        tried.append(recipe)
        return Outcome(0.5, 1.0, 1, {})

    start = replace(Recipe(), keeps_statistics=True)
    for seed in (0, 1):
        tuned(start, SPACE, Budget(3), seed, run)

    gentler = replace(start, learning_rate=start.learning_rate / 10, layer_decay=0.85)
    assert tried == [start, gentler, replace(start, keeps_statistics=False)] * 2
