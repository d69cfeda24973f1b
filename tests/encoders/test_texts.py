from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from assay.core.errors import ModelError
from assay.encoders.identity import Origin
from assay.encoders.pairs import Pairs
from assay.encoders.pooling import Pooling
from assay.encoders.texts import Reading, TextEncoder, keep_layers, read_base
from assay.encoders.tokens import Tokens, most_tokens

TEXTS = ["the quick fox", "a dog", "happy happy happy happy books over the lazy dog", "fox"]


def encoder(folder: Path, pooling: Pooling = Pooling.MEAN, most: int = 64, **changes: Any) -> TextEncoder:
    module = transformers.AutoModel.from_pretrained(folder)
    tokens = Tokens(transformers.AutoTokenizer.from_pretrained(folder), most)
    return TextEncoder(module, read_base(module), Reading(tokens, pooling, **changes), "cpu", Origin("drawn"))


def alone(folder: Path, text: Any) -> Any:
    """Return the states of the tokens of one text, without any padding."""
    module = transformers.AutoModel.from_pretrained(folder).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(folder)(*text, return_tensors="pt")
    with torch.no_grad():
        return module(**inputs).last_hidden_state[0].numpy()


@pytest.mark.parametrize("folder", ["tiny_bert", "tiny_gpt"])
def test_the_mean_of_a_batch_equals_that_of_each_text_alone(
    folder: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(folder)
    expected = [alone(path, [text]).mean(0) for text in TEXTS]

    np.testing.assert_allclose(encoder(path).encode(TEXTS).features, expected, atol=1e-5)


def test_the_last_token_is_read_without_a_token_for_padding(tiny_gpt: Path) -> None:
    expected = [alone(tiny_gpt, [text])[-1] for text in TEXTS]

    np.testing.assert_allclose(encoder(tiny_gpt, Pooling.LAST).encode(TEXTS).features, expected, atol=1e-5)


def test_pairs_are_read_together(tiny_bert: Path) -> None:
    pairs = [("the fox", "a dog jumps"), ("books", "happy")]
    expected = [alone(tiny_bert, pair).mean(0) for pair in pairs]

    np.testing.assert_allclose(encoder(tiny_bert).encode(pairs).features, expected, atol=1e-5)


def test_pairs_read_apart_are_compared_feature_by_feature(tiny_bert: Path) -> None:
    apart = encoder(tiny_bert, pairs=Pairs.APART)
    u, v = apart.encode(["the fox", "a dog jumps"]).features

    features = apart.encode([("the fox", "a dog jumps")]).features

    np.testing.assert_allclose(features[0], np.concatenate([u, v, abs(u - v), u * v]), atol=1e-6)


def test_a_pair_of_which_both_texts_are_cut_counts_once(tiny_bert: Path) -> None:
    apart = encoder(tiny_bert, most=4, pairs=Pairs.APART)

    assert apart.encode([("the quick fox", "a lazy dog"), ("fox", "a lazy dog"), ("a", "b")]).truncated == 2


def test_texts_that_are_cut_are_counted(tiny_bert: Path) -> None:
    model = encoder(tiny_bert, most=5)

    encoded = model.encode(["the quick brown fox jumps", "the quick brown"])

    assert encoded.truncated == 1
    np.testing.assert_allclose(encoded.features[0], encoded.features[1], atol=1e-6)


def test_identical_texts_are_read_once_and_each_has_its_features(tiny_bert: Path) -> None:
    model, rows = encoder(tiny_bert, most=5), []
    model._module.register_forward_pre_hook(
        lambda _, __, inputs: rows.append(len(inputs["input_ids"])), with_kwargs=True
    )
    long = "the quick brown fox jumps"

    encoded = model.encode([long, "fox", long, "a dog", "fox"])

    assert sum(rows) == 3
    assert encoded.truncated == 2
    np.testing.assert_allclose(
        encoded.features,
        np.concatenate([model.encode([text]).features for text in (long, "fox", long, "a dog", "fox")]),
        atol=1e-6,
    )


def test_a_batch_ends_where_padding_would_take_longer_than_another_batch() -> None:
    tokens = Tokens(None, most=256)

    batches = [*tokens.batches([256, 10, 12, 11, 250, *[1] * 33])]

    assert batches == [[0, 4], [2, 3, 1, *range(5, 10)], [*range(10, 38)]]  # 2 + 1 + 5 * 11 tokens are filled


def test_texts_of_a_model_that_reads_padding_are_batched_by_equal_length() -> None:
    tokens = Tokens(None, most=256, pads=False)

    batches = [*tokens.batches([2, 3, 2])]

    assert batches == [[1], [0, 2]]


def test_an_empty_text_is_encoded(tiny_gpt: Path) -> None:
    features = encoder(tiny_gpt).encode(["", "fox"]).features

    assert np.isfinite(features).all()


def test_nothing_is_encoded_as_nothing(tiny_bert: Path) -> None:
    assert encoder(tiny_bert).encode([]).features.shape == (0, 16)


def test_images_are_refused(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="reads texts"):
        encoder(tiny_bert).encode([np.zeros((2, 2, 3), np.uint8)])


def test_a_mixed_batch_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="mixes"):
        encoder(tiny_bert).encode(["one", ("two", "three")])


def test_a_closed_model_says_so(tiny_bert: Path) -> None:
    model = encoder(tiny_bert)
    model.close()

    with pytest.raises(ModelError, match="closed"):
        model.encode(["one"])


def test_cutting_after_a_layer_gives_the_states_of_that_layer(tiny_bert: Path) -> None:
    whole = transformers.AutoModel.from_pretrained(tiny_bert).eval()
    inputs = {"input_ids": torch.tensor([[2, 5, 6, 3]])}
    with torch.no_grad():
        expected = whole(**inputs, output_hidden_states=True).hidden_states[1]
        keep_layers(whole, 1, of=2)
        actual = whole(**inputs).last_hidden_state

    assert torch.equal(actual, expected)


def test_more_layers_than_there_are_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="Write 1 to 2"):
        keep_layers(transformers.AutoModel.from_pretrained(tiny_bert), 3, of=2)


@pytest.mark.parametrize(
    ("config", "wanted", "expected"),
    [
        (transformers.BertConfig(max_position_embeddings=40), 256, 40),
        (transformers.BertConfig(max_position_embeddings=512), 256, 64),
        (transformers.BertConfig(max_position_embeddings=512), 10, 10),
        (transformers.RobertaConfig(max_position_embeddings=42, pad_token_id=1), 256, 40),
        (transformers.T5Config(), 256, 64),
    ],
)
def test_the_shortest_limit_holds(tiny_bert: Path, config: Any, wanted: int, expected: int) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)

    assert most_tokens(tokenizer, config, wanted) == expected
