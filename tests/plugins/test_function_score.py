"""Scores that are a function in a file of one's own."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.core.errors import UsageError
from assay.plugins.families import BUILT_IN
from assay.plugins.function_score import score_of_function

FILE = """
import numpy as np

def {name}(features, labels, power: float = 1.0):
    means = np.stack([features[labels == label].mean(axis=0) for label in np.unique(labels)])
    return np.var(means) ** power
"""


@pytest.fixture
def plugin(tmp_path):
    """Write a file with a score of that name and add it."""

    def write(name: str, text: str = FILE):
        path = tmp_path / f"{name}.py"
        path.write_text(text.format(name=name))
        BUILT_IN.add_file(path)
        return path

    return write


@pytest.fixture
def blobs():
    labels = np.arange(60) % 3
    return np.random.default_rng(0).standard_normal((60, 8)) + labels[:, None], labels


def test_a_file_with_a_function_is_a_score_under_the_name_of_the_file(plugin, blobs):
    plugin("own_variance")
    features, labels = blobs
    expected = np.var([features[labels == label].mean(axis=0) for label in range(3)])

    assert assay.score(*blobs, "own_variance") == pytest.approx(expected)


def test_parameters_with_a_default_are_settings(plugin, blobs):
    plugin("own_power")

    assert assay.score(*blobs, "own_power(power=2)") == pytest.approx(assay.score(*blobs, "own_power") ** 2)
    with pytest.raises(UsageError, match="must be a number"):
        assay.score(*blobs, "own_power(power='two')")


def test_a_changed_file_is_another_score(plugin, blobs):
    path = plugin("own_changing")
    before = BUILT_IN.scores.load("own_changing")().content()

    path.write_text("def own_changing(features, labels):\n    return 7.0\n")
    BUILT_IN.add_file(path)

    assert assay.score(*blobs, "own_changing") == 7.0
    assert BUILT_IN.scores.load("own_changing")().content() != before


def test_a_function_in_hand_is_a_score(blobs):
    assert assay.score(*blobs, lambda features, labels: float(len(features) + len(labels))) == 120.0


def test_a_function_may_read_moments_or_source_probabilities(blobs):
    features, labels = blobs
    probs = np.full((60, 4), 0.25)

    assert assay.score(features, labels, lambda moments: moments.total.count) == 60.0
    assert assay.score(features, labels, lambda source_probs: source_probs.sum(), source_probs=probs) == 60.0


def test_of_several_functions_the_one_with_the_name_of_the_file_is_the_score(plugin, blobs):
    plugin(
        "own_named",
        "def other(features):\n    return 1.0\ndef own_named(features):\n    return other(features) + 1",
    )

    assert assay.score(*blobs, "own_named") == 2.0


def test_annotations_that_cannot_be_resolved_are_no_matter(plugin, blobs):
    plugin(
        "own_hinted", "def own_hinted(features: 'np.ndarray', k: 'int' = 2) -> 'Float':\n    return k * 1.0"
    )

    assert assay.score(*blobs, "own_hinted(k=3)") == 3.0


@pytest.mark.parametrize("returned", ["high", True, np.ones(3), None])
def test_what_is_not_a_number_is_refused(blobs, returned):
    with pytest.raises(TypeError, match="which is not a number"):
        assay.score(*blobs, lambda features: returned)


def test_a_parameter_that_says_nothing_is_refused():
    with pytest.raises(UsageError, match="parameter 'x' that says nothing"):
        score_of_function(lambda x: 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines nothing"),
        ("1 / 0", "does not run: ZeroDivisionError"),
        ("def (", "does not run: SyntaxError"),
        ("def a(features): ...\ndef b(features): ...", "defines a and b: which is the score"),
        ("def a(features, k=[1]): ...", "Write a tuple"),
        ("def a(features): ...\na.kinds = ('classes',)", "kinds is \\('classes',\\)"),
    ],
)
def test_a_file_without_a_score_says_what_to_write(plugin, text, message):
    with pytest.raises(UsageError, match=message):
        plugin("own_nothing", text)


def test_a_name_that_is_taken_is_an_error(plugin):
    with pytest.raises(UsageError, match="score called 'logme' already"):
        plugin("logme")


def test_a_file_with_a_class_is_a_plug_in_of_its_family(plugin, blobs):
    plugin(
        "own_class",
        "from dataclasses import dataclass\n"
        "from assay.plugins.method import MomentScore\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Own(MomentScore):\n"
        "    def __call__(self, train):\n"
        "        return float(train.total.width)\n",
    )

    assert assay.score(*blobs, "own_class") == 8.0
