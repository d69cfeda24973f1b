"""What ``assay check`` says of a model, and what it finds wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hub.local_hub import LocalHub, contents, inside

from assay.actions.check import inspect, sample_examples
from assay.core.errors import ModelError
from assay.core.task import Modality
from assay.models.hf import HuggingFaceSource
from assay.models.torch import TorchSource
from assay.models.vectors import VectorsSource
from assay.run.plan import resolve_models

CARD = "---\nlicense: {licence}\nlibrary_name: transformers\n---\n# A model\n"


def test_a_model_that_can_be_trained_says_how_much_of_it(tiny_vit: Path) -> None:
    properties = dict(inspect(HuggingFaceSource(str(tiny_vit)), "cpu"))

    parameters = properties["parameters"].partition(" ")[0]
    assert properties["trainable"] == f"yes, {parameters} weights"
    assert properties["verified"].startswith("32 examples: the same features in batches of 1 and 32, finite")
    assert properties["source head"] == "7 classes"
    assert properties["reads"] == "image, 3 x 16 x 16"


def test_a_frozen_model_says_so() -> None:
    (headed,) = resolve_models(["zoo:headed"])

    assert dict(inspect(headed.plugin, "cpu"))["trainable"] == (
        "no: the weights of this model are frozen: it cannot be trained"
    )


def test_word_vectors_are_tested_on_words_that_they_know(tmp_path: Path) -> None:
    (tmp_path / "vec.txt").write_text("größer 1 0\nkleiner 0 1\nweit 1 1\n")

    properties = dict(inspect(VectorsSource(str(tmp_path / "vec.txt")), "cpu"))

    assert properties["trainable"] == "yes, 6 weights"
    assert properties["verified"].startswith("32 examples")


def test_a_module_that_stays_in_training_mode_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "stubborn.py").write_text(
        "from torch import nn\n"
        "class Awake(nn.Dropout):\n"
        "    def train(self, mode=True):\n"
        "        return super().train(True)\n"
        "def build():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(192, 5), Awake(p=0.0))\n"
    )

    with pytest.raises(ModelError, match="'2' is in training mode"):
        list(inspect(TorchSource("stubborn:build", size=8, mean=0.5, std=0.25), "cpu"))


@pytest.mark.parametrize("modality", Modality)
def test_there_are_32_different_examples(modality: Modality) -> None:
    examples = sample_examples(modality)

    assert len(examples) == 32
    assert len({str(getattr(example, "samples", example)) for example in examples}) == 32


@pytest.mark.parametrize(
    ("front", "licence"),
    [("mit", "mit"), ("other\nlicense_name: own-terms", "own-terms"), ("[", "not known")],
    ids=str,
)
def test_the_licence_of_a_folder_is_that_of_its_card(
    tiny_bert: Path, tmp_path: Path, front: str, licence: str
) -> None:
    for file in tiny_bert.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "README.md").write_text(CARD.format(licence=front))

    assert dict(inspect(HuggingFaceSource(str(tmp_path)), "cpu"))["licence"] == licence


def test_the_licence_of_the_hub_comes_with_its_commit(tiny_bert: Path, tmp_path: Path) -> None:
    hub = LocalHub(tmp_path / "served")
    card = CARD.format(licence="apache-2.0").encode()
    commit = hub.add("models/org/bert", contents(tiny_bert) | {"README.md": card})
    hub.add("models/org/bare", tiny_bert)

    with inside(hub, tmp_path / "cache"):
        properties = dict(inspect(HuggingFaceSource("org/bert"), "cpu"))
        bare = dict(inspect(HuggingFaceSource("org/bare"), "cpu"))

    assert properties["licence"] == "apache-2.0"
    assert properties["weights"].startswith(f"hf: org/bert at {commit[:12]}")
    assert bare["licence"] == "not known"
