"""Scores that know a model but no example: what they say, and that they say it everywhere alike."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import assay
from assay.core.errors import NotApplicable
from assay.core.model import ModelFacts
from assay.scores.flops import FLOPs
from assay.scores.parameters import Parameters
from assay.scores.random import Random

FACTS = ModelFacts(8, 25_000_000, 4_000_000_000, 100_000_000, "3 x 224 x 224", "none", 6, "drawn", "f00d")


def test_parameters_are_those_of_the_model():
    assert Parameters()(FACTS) == 25_000_000


def test_a_multiply_accumulate_is_two_operations():
    assert FLOPs()(FACTS) == 8_000_000_000


def test_a_model_whose_work_cannot_be_counted_has_no_flops():
    with pytest.raises(NotApplicable, match="cannot be counted"):
        FLOPs()(replace(FACTS, macs=None))


@pytest.mark.parametrize("width", [1, 7, 300])
def test_the_width_is_the_number_of_features(width):
    matrix = np.random.default_rng(0).standard_normal((20, width))

    assert assay.score(matrix, np.arange(20) % 2, "width") == width


def test_random_numbers_are_spread_evenly():
    drawn = np.array([Random()(replace(FACTS, fingerprint=str(number))) for number in range(2000)])

    assert 0 <= drawn.min() < drawn.max() < 1
    assert np.abs(np.histogram(drawn, 10, (0, 1))[0] - 200).max() < 60  # more than four standard deviations


def test_another_seed_orders_the_models_anew():
    models = [replace(FACTS, fingerprint=str(number)) for number in range(500)]
    first, second = ([Random(seed)(facts) for facts in models] for seed in (0, 1))

    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_random_does_not_depend_on_the_process(hash_seed):
    shown = (
        "from assay.core.model import ModelFacts; from assay.scores.random import Random\n"
        f"print(repr(Random()({FACTS!r})))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}

    done = subprocess.run(
        [sys.executable, "-c", shown], env=environment, capture_output=True, text=True, check=True
    )

    assert float(done.stdout) == Random()(FACTS)


def test_features_alone_tell_no_facts():
    with pytest.raises(NotApplicable, match="nothing is known of the model"):
        assay.score(np.eye(4), [0, 1, 0, 1], "parameters")
