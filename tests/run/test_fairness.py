"""What a referee would ask of every protocol: chance on noise, the same numbers again, test out of reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import assay
from assay.plugins.families import BUILT_IN
from assay.plugins.protocol import Protocol, SourceProtocol
from assay.run.encoding import Encodings, batches_of
from assay.run.evaluation import metrics_of
from assay.run.fitting import learned
from assay.run.opened_model import OpenedModel
from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
from assay.store.arrays import Arrays

MODEL = "timm:test_resnet(pretrained=False, image_size=32)"
QUICK = {
    "fine_tune": "fine_tune(trials=1, epochs=1, lora=2)",  # draws more than any other
    "sgd": "sgd(epochs=1)",
    "few_shot": "few_shot(k=20, draws=2)",
}
SPLITS = {"train": 90, "val": 60, "test": 120}
METHODS = (
    "fine_tune(trials=1, epochs=1)",
    *(
        QUICK.get(name, name)
        for name in BUILT_IN.protocols.names()
        if not issubclass(BUILT_IN.protocols.load(name), SourceProtocol)  # it learns nothing
    ),
)


def write_noise(folder: Path, count: int, seed: int, names: str, shift: int = 0) -> None:
    """Write pictures of noise: a class is chance, as if labels had been shuffled; a shift gives others."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        place = folder / ("one", "two", "three")[(number + shift) % 3]
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(place / f"{names}{number}.png")


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise")
    for seed, (split, count) in enumerate(SPLITS.items()):
        write_noise(folder / split, count, seed, split)
    return folder


def numbers(noise: Path, store: Path) -> dict[str, dict[str, float]]:
    study = assay.Study(
        models=[MODEL], tasks=[str(noise)], methods=METHODS, store=store, seeds=1, device="cpu"
    )
    cells = study.run().cells
    assert {cell.reason for cell in cells} == {""}
    return {cell.method: dict(cell.metrics) for cell in cells}


@pytest.fixture(scope="module")
def first(noise: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    return numbers(noise, tmp_path_factory.mktemp("first") / "store")


def test_shuffled_labels_leave_every_protocol_at_chance(first: dict[str, dict[str, float]]) -> None:
    assert len(first) == len(METHODS)
    for metrics in first.values():
        assert abs(metrics["accuracy"] - 1 / 3) < 0.15  # of 120 examples: three and a half deviations


def test_the_same_study_gives_the_same_numbers_again(
    noise: Path, first: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    assert numbers(noise, tmp_path / "store") == first


@pytest.fixture(scope="module")
def before(noise: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], np.ndarray]:
    return trained(noise, tmp_path_factory.mktemp("arrays"))


def test_one_more_test_example_changes_no_weight_and_no_choice(
    before: dict[tuple[str, str], np.ndarray], tmp_path: Path
) -> None:
    for seed, (split, count) in enumerate(SPLITS.items()):
        write_noise(tmp_path / "more" / split, count, seed, split)
    write_noise(tmp_path / "more" / "test", 3, 99, "stranger")

    assert_same(trained(tmp_path / "more", tmp_path / "arrays"), before)


def test_other_labels_of_test_change_no_weight_and_no_choice(
    before: dict[tuple[str, str], np.ndarray], tmp_path: Path
) -> None:
    for seed, (split, count) in enumerate(SPLITS.items()):
        write_noise(tmp_path / "other" / split, count, seed, split, shift=split == "test")

    assert_same(trained(tmp_path / "other", tmp_path / "arrays"), before)


def assert_same(found: dict[tuple[str, str], np.ndarray], before: dict[tuple[str, str], np.ndarray]) -> None:
    assert found.keys() == before.keys()
    assert {method for method, _ in before} == set(METHODS)
    for name, tensor in before.items():
        np.testing.assert_array_equal(found[name], tensor)


def trained(folder: Path, arrays: Path) -> dict[tuple[str, str], np.ndarray]:
    """Return what every protocol learned and chose, by its name and that of the array or the choice."""
    (task,), (source,) = resolve_tasks([str(folder)], 0), resolve_models([MODEL])
    model = source.plugin.open("cpu")
    opened = OpenedModel(model, source.plugin.identity(), source.plugin.untrained, "cpu")
    metric = metrics_of(task)[task.metric]
    encodings = Encodings(opened, task, metric, Arrays(arrays), batches_of(task, 32, lambda *_: None))
    found = {}
    for method in METHODS:
        (named,) = resolve_methods([method])
        assert isinstance(named.plugin, Protocol)
        with learned(named.plugin, encodings, 0) as one:
            found |= {(method, name): np.array(tensor) for name, tensor in one.tensors().items()}
            found |= {(method, f"tuned {name}"): np.array(value) for name, value in one.tuned.items()}
    model.close()
    return found
