"""Whole studies of real weights on real data, checked against figures measured by others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from assay.cli.main import main
from assay.core.result import Status
from assay.plugins.address import Address
from assay.run.stored_comparison import compare_store
from assay.store.results import open_existing

IMAGE_MODELS = ("mobilenetv1_025_128_in1k", "resnet20_cifar10")
LARGER_IMAGE_MODELS = ("mobilenetv1_025_96_vww", "mobilenetv1_050_160_in1k")
IMAGE_SETS = ("caltech101_20",)
MORE_IMAGE_SETS = ("caltech101_20", "bccd_cells")
TEXT_MODELS = ("packaged:all_minilm_l6_v2(layers=2)", "packaged:all_minilm_l6_v2(layers=0)")


def run(monkeypatch, tmp_path: Path, models: list[str], tasks: list[str]) -> dict[tuple[str, str], float]:
    """Run a study file by the command line; return linear probe accuracies by model and task."""
    study = {
        "models": models,
        "tasks": tasks,
        "methods": ["linear_probe", "knn", "logme", "ridge_cv", "leep"],
        "control": False,  # the figures are those of trained weights
        "engine": "local",  # loads the libraries once; other journeys run in processes of their own
    }
    (tmp_path / "study.toml").write_text(
        "\n".join(f"{key} = {json.dumps(value)}" for key, value in study.items())
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["assay", "run", "study.toml", "--device", "cpu"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    cells = compare_store(open_existing(tmp_path / "study.assay")).cells
    assert {cell.status for cell in cells if cell.method != "leep"} == {Status.OK}
    return {(cell.model, cell.task): cell.value for cell in cells if cell.method == "linear_probe"}


def address(realdata: Path, weights: dict) -> str:
    """Return how a user names one of the real models, with the preprocessing of its card."""
    card = weights["input"]
    settings = {
        "arguments": (weights["name"],),
        "checkpoint": str(realdata / weights["files"][0]["path"]),
        "size": card["size"],
        "mean": tuple(card["mean"]),
        "std": tuple(card["std"]),
        "crop": card.get("crop_pct"),
    }
    return str(
        Address(
            "torch",
            "realdata_models:build",
            tuple(sorted((name, value) for name, value in settings.items() if value is not None)),
        )
    )


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (IMAGE_MODELS, IMAGE_SETS),
        pytest.param((*IMAGE_MODELS, *LARGER_IMAGE_MODELS), MORE_IMAGE_SETS, marks=pytest.mark.slow),
    ],
)
def test_real_image_models_reach_their_published_linear_probes(realdata, monkeypatch, tmp_path, names, sets):
    monkeypatch.syspath_prepend(str(realdata))
    manifest = {
        entry["name"]: entry for entry in json.loads((realdata / "MANIFEST.json").read_text())["weights"]
    }
    models = {name: address(realdata, manifest[name]) for name in names}
    tasks = {name: f"folder:{realdata / 'datasets' / name}" for name in sets}

    accuracies = run(monkeypatch, tmp_path, list(models.values()), list(tasks.values()))

    short = {
        (name, data): (accuracies[models[name], tasks[data]], published)
        for name in names
        for data, published in manifest[name]["verified"]["linear_probe_test_accuracy"].items()
        if data in sets and accuracies[models[name], tasks[data]] < published - 0.03
    }
    assert short == {}


TEXT_NETS = """
import torch
from realdata_models import build
from torch import nn

class Bytes(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = build("reddit_byte_lstm")

    def forward(self, texts):  # one at a time: padding would be read as text
        ids = [torch.tensor([list(text.encode()[:200])]) for text in texts]
        return torch.cat([self.net.encode(row) for row in ids])

    def load_state_dict(self, state, **settings):
        return self.net.load_state_dict(state, **settings)

    def state_dict(self, *arguments, **settings):
        return self.net.state_dict(*arguments, **settings)
"""


def test_a_real_text_module_of_the_users_own_reaches_its_published_linear_probe(
    realdata, monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(str(realdata))
    (tmp_path / "text_nets.py").write_text(TEXT_NETS)
    weights = str(realdata / "weights" / "reddit_byte_lstm" / "model.pth")
    models = [f"torch:text_nets:Bytes(checkpoint={weights!r}, reads='text')"]
    task = f"table:{realdata / 'datasets' / 'snips_intents' / 'data.tsv'}(limit=1400)"

    accuracies = run(monkeypatch, tmp_path, models, [task])

    manifest = json.loads((realdata / "MANIFEST.json").read_text())["weights"]
    card = next(entry for entry in manifest if entry["name"] == "reddit_byte_lstm")
    assert (
        accuracies[models[0], task] > card["verified"]["linear_probe_test_accuracy"]["snips_intents"] - 0.05
    )


def test_real_text_models_are_ranked_by_what_they_are(realdata, monkeypatch, tmp_path):
    tasks = [
        f"table:{realdata / 'datasets' / name / 'data.tsv'}(limit=600)" for name in ("trec6", "sms_spam")
    ]

    accuracies = run(monkeypatch, tmp_path, list(TEXT_MODELS), tasks)

    assert all(accuracies[TEXT_MODELS[0], task] > 0.75 for task in tasks)
    assert accuracies[TEXT_MODELS[0], tasks[0]] > accuracies[TEXT_MODELS[1], tasks[0]]
