from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sentence_transformers

from assay.core.errors import ModelError, UsageError
from assay.models.sentence import SentenceSource

TEXTS = ["A man is eating food.", "", "The stock market fell sharply today after a long calm week."]


def test_features_equal_those_of_sentence_transformers(minilm: Path) -> None:
    expected = sentence_transformers.SentenceTransformer(str(minilm), device="cpu").encode(TEXTS)

    features = SentenceSource(str(minilm)).open("cpu").encode(TEXTS).features

    np.testing.assert_array_equal(features, expected)


def test_a_prompt_stands_before_each_text(minilm: Path) -> None:
    plain = SentenceSource(str(minilm)).open("cpu").encode(["query: dog"]).features
    prompted = SentenceSource(str(minilm), prompt="query: ").open("cpu").encode(["dog"]).features

    np.testing.assert_allclose(prompted, plain, atol=1e-6)


def test_a_pair_is_compared_feature_by_feature(minilm: Path) -> None:
    model = SentenceSource(str(minilm)).open("cpu")
    left, right = model.encode(["a dog"]).features[0], model.encode(["a cat"]).features[0]

    features = model.encode([("a dog", "a cat")]).features[0]

    expected = np.concatenate([left, right, np.abs(left - right), left * right])
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_random_weights_follow_the_seed(minilm: Path) -> None:
    one = SentenceSource(str(minilm), pretrained=False, seed=1).open("cpu").facts
    two = SentenceSource(str(minilm), pretrained=False, seed=2).open("cpu").facts

    assert one.fingerprint != two.fingerprint
    assert one.parameters == two.parameters


def test_the_facts_are_counted(minilm: Path) -> None:
    facts = SentenceSource(str(minilm), max_tokens=16).open("cpu").facts

    assert facts.input == "16 tokens"
    assert facts.width == 384
    assert facts.macs == pytest.approx(16 * 10.7e6, rel=0.05)  # six layers of 1.77 million weights
    assert "Normalize" in facts.preprocessing


def test_an_unknown_prompt_names_those_there_are(minilm: Path) -> None:
    with pytest.raises(ModelError, match="no prompt 'haiku'"):
        SentenceSource(str(minilm), prompt_name="haiku").open("cpu")


def test_two_prompts_exclude_one_another() -> None:
    with pytest.raises(UsageError, match="one of them"):
        SentenceSource("all-MiniLM-L6-v2", prompt="a", prompt_name="b").check()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        SentenceSource(str(tmp_path)).check()


def test_a_closed_model_says_so(minilm: Path) -> None:
    model = SentenceSource(str(minilm)).open("cpu")
    model.close()

    with pytest.raises(ModelError, match="closed"):
        model.encode(["one"])
